//! `tests/doctor`: what `mfactl doctor` says about tokens and refusals of every kind.
//!
//! Not here: what `doctor` asks for (`cli::doctor` in `tests/it`).

use std::path::Path;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::doctor_runs::{READS, Refusals, WRITES, application, doctor};
use crate::support::golden::compare;
use crate::support::trial;

const FORBIDDEN: &str = "Authorization_RequestDenied";

/// The name of the golden, the exit status, the claims of the token, the refusals, and more arguments.
type Row = (&'static str, i32, Value, Refusals, &'static [&'static str]);

pub(crate) fn trials() -> Vec<Trial> {
    let of_row = |(name, code, claims, refusals, more): Row| {
        trial(format!("doctor::{name}"), move || {
            let run = doctor(claims, refusals, more).ends(code);
            compare(Path::new(&format!("tests/doctor/{name}.txt")), &run.text())
        })
    };
    rows().map(of_row).into()
}

fn rows() -> [Row; 8] {
    let all = application(&[]);
    let person = json!({ "scp": READS.join(" ") });
    [
        ("all-there", 0, all.clone(), &[], &[]),
        ("plan-only", 0, application(&WRITES), &[], &["--for", "plan"]),
        ("plan-could-write", 0, all.clone(), &[], &["--for", "plan"]),
        ("no-right-to-write", 1, application(&WRITES), &[], &[]),
        (
            "no-permission",
            1,
            application(&["Policy.Read.All", "UserAuthenticationMethod.Read.All"]),
            &[
                ("/authentication/", 403, "accessDenied"),
                ("/policies/identitySecurityDefaults", 403, FORBIDDEN),
                ("/conditionalAccess/", 403, FORBIDDEN),
            ],
            &[],
        ),
        (
            "a-person-without-a-role",
            1,
            person,
            &[("/authentication/", 403, "accessDenied")],
            &["--for", "plan"],
        ),
        (
            "no-licence",
            0,
            all.clone(),
            &[
                (
                    "/conditionalAccess/",
                    403,
                    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                ),
                ("/roleEligibilityScheduleInstances", 400, "AadPremiumLicenseRequired"),
            ],
            &[],
        ),
        (
            "not-in-this-cloud",
            1,
            all,
            &[
                ("/authentication/requirements", 404, "ResourceNotFound"),
                ("/roleAssignments", 451, "unavailable"),
            ],
            &[],
        ),
    ]
}
