//! `tests/unreadable`: what a plan says if Graph refuses to show users that a policy names. They are unknown,
//! not absent.
//!
//! Not here: the applies after such a plan (`apply::faults` and `reading::forbidden_reads` in `tests/it`).

use std::path::Path;

use libtest_mimic::Trial;

use crate::support::golden::compare;
use crate::support::tenant_builder::exchangelabs;
use crate::support::trial;

const GROUP: &str = "/groups/51d7e0a4";
const MEMBERS: &str = "/groups/51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b/transitiveMembers";
const ELIGIBILITY: &str = "/roleEligibilityScheduleInstances";

/// The name of the golden, the path that Graph refuses, and the users that the policy names.
const PLANS: [(&str, &str, &str); 5] = [
    ("group", GROUP, "appliesTo: { groups: [51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b] }"),
    (
        "members-of-an-exception",
        MEMBERS,
        "appliesTo: { everyone: true }\n    except: [{ groups: [{ id: 51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b, name: Sales }] }]",
    ),
    ("roles", "/roleDefinitions", "appliesTo: { roles: [Global Administrator] }"),
    ("eligibility", ELIGIBILITY, "appliesTo: { roles: [Global Administrator] }"),
    (
        "eligibility-of-an-exception",
        ELIGIBILITY,
        "appliesTo: { groups: [IT] }\n    except: [{ roles: [Global Administrator] }]",
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let of_plan = |(name, path, users)| {
        trial(format!("unreadable::{name}"), move || {
            compare(Path::new(&format!("tests/unreadable/{name}.txt")), &plan(path, users))
        })
    };
    PLANS.map(of_plan).into()
}

fn plan(path: &'static str, users: &str) -> String {
    let tenant = exchangelabs().refusing(path, 403, "Authorization_RequestDenied");
    let policy = format!(
        "version: 1\npolicies:\n  some:\n    {users}\n    desired: {{ perUserMfa: enforced }}\n"
    );
    tenant.world().file("policies/some.yaml", policy).run(&["plan"]).text()
}
