//! What Graph refuses to show of those whom policies name: whoever cannot be seen is not taken for
//! nobody.

use std::path::Path;

use mfactl::sandbox::{Fault, Faults, Options, seeds};

use crate::golden::compare;
use crate::world::{PROJECT, World};

const SALES: &str = "51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b";

/// A tenant that refuses whatever has this in its path, and one policy for these people.
fn plan(path: &'static str, who: &str) -> String {
    let faults = Faults::by(move |part| match part.path.contains(path) {
        true => Fault::Status {
            status: 403,
            code: "Authorization_RequestDenied".to_owned(),
            retry_after: None,
        },
        false => Fault::None,
    });
    let seed = seeds::exchangelabs();
    let world = World::served(Options { faults, ..Options::in_memory(seed) });
    let policy =
        format!("version: 1\npolicies:\n  some:\n{who}    desired: {{ perUserMfa: enforced }}\n");
    let project = world.project(PROJECT);
    world.file("mfactl.yaml", project).file("policies/some.yaml", policy).run(&["plan"]).text()
}

#[test]
fn who_cannot_be_seen_is_not_taken_for_nobody() {
    let mut differences = String::new();
    for (name, path, who) in [
        ("group", "/groups/51d7e0a4", format!("    appliesTo: {{ groups: [{SALES}] }}\n")),
        (
            "members-of-an-exception",
            "/groups/51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b/transitiveMembers",
            format!(
                "    appliesTo: {{ everyone: true }}\n    except: [{{ groups: [{{ id: {SALES}, name: Sales }}] }}]\n"
            ),
        ),
        (
            "roles",
            "/roleDefinitions",
            "    appliesTo: { roles: [Global Administrator] }\n".to_owned(),
        ),
        (
            "eligibility",
            "/roleEligibilityScheduleInstances",
            "    appliesTo: { roles: [Global Administrator] }\n".to_owned(),
        ),
        (
            "eligibility-of-an-exception",
            "/roleEligibilityScheduleInstances",
            "    appliesTo: { groups: [IT] }\n    except: [{ roles: [Global Administrator] }]\n"
                .to_owned(),
        ),
    ] {
        let golden = format!("tests/unreadable/{name}.txt");
        differences += &compare(Path::new(&golden), &plan(path, &who));
    }
    assert!(differences.is_empty(), "\n{differences}");
}
