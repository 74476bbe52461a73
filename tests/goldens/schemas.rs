//! The JSON Schemas in `schemas`, which the program also prints.
//!
//! Not here: what the schemas accept (`samples`, and the tests of each command).

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use libtest_mimic::Trial;
use mfactl::checks;
use mfactl::policy;
use mfactl::render::{applied, counts, doctor, explain, findings, plan, report, runs};

use crate::support::golden::compare;
use crate::support::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let schemas = [
        ("mfactl", policy::schema::mfactl()),
        ("policy", policy::schema::policy()),
        ("checks", checks::schema::checks()),
        ("plan", plan::json::schema().to_value()),
        ("counts", counts::json::schema().to_value()),
        ("explain", explain::json::schema().to_value()),
        ("report", report::json::schema().to_value()),
        ("runs", runs::schema().to_value()),
        ("doctor", doctor::schema().to_value()),
        ("apply", applied::schema().to_value()),
        ("validate", findings::json::schema().to_value()),
    ];
    let fresh = |(name, schema)| {
        trial(format!("schema::{name}"), move || {
            let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
            compare(Path::new(&format!("schemas/{name}.schema.json")), &text)
        })
    };
    schemas.map(fresh).into()
}
