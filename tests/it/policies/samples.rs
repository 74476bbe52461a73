//! Sample files: every valid one loads, every invalid one shows the finding it is named after, in
//! the words that stand beside it.
//!
//! `MFACTL_UPDATE=1 cargo test` writes `expected.txt` and `schemas/` anew; read the difference.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mfactl::finding::Code;
use mfactl::policy;
use mfactl::render::diagnostic::{self, Style};
use mfactl::render::{doctor, explain, plan, report};
use serde_json::Value;

use crate::support::golden::{compare, folders};

/// Codes that only a tenant can raise. A new code stands here or has a sample; those that stand here
/// have a case (`cases`).
pub(crate) const LIVE: &[Code] = &[
    Code::GroupNotFound,
    Code::GroupAmbiguous,
    Code::UserNotFound,
    Code::UserLeftOut,
    Code::RoleNotFound,
    Code::AttributeMissing,
    Code::PolicyUnstable,
    Code::GuardUnresolved,
    Code::GuardGroupUnprotected,
    Code::ExceptionEmpty,
    Code::ExceptionOver,
    Code::MembershipUnsettled,
    Code::BreakGlassEmpty,
    Code::BreakGlassFormer,
    Code::NameDiffers,
    Code::BreakGlassNoMethod,
    Code::NoNumberInDirectory,
    Code::NumberInvalid,
    Code::NumberRegionUnknown,
    Code::NumberRegionConflict,
    Code::CountryUnread,
    Code::NumbersNotCompared,
    Code::NumberNotSmsCapable,
    Code::NumberShared,
    Code::NumberKept,
    Code::SmsSignInSideEffect,
    Code::PhoneWithheld,
    Code::SmsSignInWithheld,
    Code::ReplaceWithheld,
    Code::RemovalWithheld,
    Code::DefaultKept,
    Code::DefaultMethodMoot,
    Code::DefaultWithheld,
    Code::LegacyProtocols,
    Code::MfaWithheld,
    Code::MfaLoweredNotCovered,
    Code::UserOpen,
    Code::PortalsOnly,
    Code::UserStuck,
    Code::Unreadable,
    Code::MfaDemandedElsewhere,
    Code::LegacyMethodPolicy,
    Code::PhoneOnlyRetirement,
];

/// Codes that stand for a refusal by Graph; `refused.rs` shows them.
const REFUSED: &[Code] =
    &[Code::GroupUnreadable, Code::RoleUnreadable, Code::RoleEligibilityUnknown];

/// Codes of a plan that undoes a run: `undone` shows them.
const UNDONE: &[Code] = &[
    Code::ChangedSinceRun,
    Code::NotPutBack,
    Code::RestoreDiffers,
    Code::RunDamaged,
    Code::StillWanted,
];

/// What only a journal tells: `guard_lost` shows it.
const REMEMBERED: &[Code] = &[Code::BreakGlassLost];

/// Codes that an editor shows too, because the schema refuses the file.
const STRUCTURAL: &[Code] = &[
    Code::UnknownKey,
    Code::EmptyKey,
    Code::MissingKey,
    Code::WrongType,
    Code::UnknownValue,
    Code::UnsupportedVersion,
];

/// Samples of those codes in which the schema sees nothing wrong.
const BEYOND_THE_SCHEMA: &[&str] = &["unknown-value-tenant"];

#[test]
fn every_invalid_sample_says_what_is_expected() {
    let mut differences = String::new();
    for folder in folders("tests/samples/invalid") {
        let faults = policy::load(&folder.join("mfactl.yaml"))
            .expect_err(&format!("{} has no fault", folder.display()));
        let codes: BTreeSet<Code> = faults.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [code_of(&folder)].into(), "{}", folder.display());
        assert_eq!(faults.findings.len(), 1, "one fault a sample: {}", folder.display());
        let text = diagnostic::report(&faults.findings, &faults.sources, Style::Plain);
        differences += &compare(&folder.join("expected.txt"), &text);
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn every_valid_sample_loads() {
    for folder in folders("tests/samples/valid").into_iter().chain([PathBuf::from(".")]) {
        let loaded = policy::load(&folder.join("mfactl.yaml"));
        let set = loaded.unwrap_or_else(|faults| {
            panic!("{}", diagnostic::report(&faults.findings, &faults.sources, Style::Plain))
        });
        assert!(!set.policies.is_empty());
    }
}

#[test]
fn every_code_that_files_can_raise_has_a_sample() {
    let sampled: BTreeSet<Code> =
        folders("tests/samples/invalid").iter().map(|folder| code_of(folder)).collect();
    for code in Code::ALL {
        let elsewhere = [LIVE, REFUSED, UNDONE, REMEMBERED];
        let has_sample = sampled.contains(code);
        let is_live = elsewhere.iter().any(|codes| codes.contains(code));
        assert!(has_sample || is_live, "`{code}` has no sample under tests/samples/invalid");
        assert!(!(has_sample && is_live), "`{code}` has a sample, so it is not live only");
    }
}

#[test]
fn schemas_are_fresh() {
    let differences = [
        ("schemas/mfactl.schema.json", policy::schema::mfactl()),
        ("schemas/policy.schema.json", policy::schema::policy()),
        ("schemas/plan.schema.json", plan::json::schema().to_value()),
        ("schemas/explain.schema.json", explain::json::schema().to_value()),
        ("schemas/report.schema.json", report::json::schema().to_value()),
        ("schemas/runs.schema.json", mfactl::render::runs::schema().to_value()),
        ("schemas/doctor.schema.json", doctor::schema().to_value()),
    ]
    .map(|(path, schema)| {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        compare(Path::new(path), &text)
    })
    .concat();
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn schemas_accept_what_loads_and_refuse_what_does_not() {
    let validators = Validators::new();
    let valid = folders("tests/samples/valid").into_iter().chain([PathBuf::from(".")]);
    for path in valid.flat_map(|folder| files(&folder)) {
        assert_eq!(validators.errors(&path).as_deref(), Some(""), "{}", path.display());
    }
    for folder in folders("tests/samples/invalid") {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        if !STRUCTURAL.contains(&code_of(&folder)) || BEYOND_THE_SCHEMA.contains(&&*name) {
            continue;
        }
        let refused = files(&folder)
            .iter()
            .any(|path| validators.errors(path).is_some_and(|errors| !errors.is_empty()));
        assert!(refused, "the schema accepts {name}");
    }
}

/// One validator for each kind of file.
struct Validators {
    project: jsonschema::Validator,
    policy: jsonschema::Validator,
}

impl Validators {
    fn new() -> Self {
        let compiled = |schema: Value| jsonschema::draft7::new(&schema).expect("a valid schema");
        Self {
            project: compiled(policy::schema::mfactl()),
            policy: compiled(policy::schema::policy()),
        }
    }

    /// What the schema has against a file; nothing where the file is no YAML.
    fn errors(&self, path: &Path) -> Option<String> {
        let text = fs::read_to_string(path).ok()?;
        let options = serde_yaml::options! { strict_booleans: true };
        let value: Value = serde_yaml::from_str_with_options(&text, options).ok()?;
        let validator = if path.ends_with("mfactl.yaml") { &self.project } else { &self.policy };
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        Some(errors.join("\n"))
    }
}

/// The code that a sample is named after: the longest one, as `-variant` may follow.
fn code_of(folder: &Path) -> Code {
    let name = folder.file_name().expect("a name").to_string_lossy();
    let named = Code::ALL.iter().filter(|code| {
        name.strip_prefix(code.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    *named
        .max_by_key(|code| code.as_str().len())
        .unwrap_or_else(|| panic!("no code is like {name}"))
}

/// `mfactl.yaml` and all policy files of a sample.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.join("policies")];
    let mut files: Vec<PathBuf> = vec![folder.join("mfactl.yaml")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
            {
                files.push(entry.path());
            }
        }
    }
    files.retain(|path| path.exists());
    files
}
