//! Reads that Graph refuses: users, members and facts that cannot be read never count as absent.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use mfactl_sandbox::{Fault, seeds};
use serde_json::json;

use crate::apply::faults::with;
use crate::support::network_faults::{Front, Weather};
use crate::support::promise_checks::nobody_signs_in_worse;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::PROJECT;

const SALES: &str = "51d7e0a4-39c2-4f86-b6e1-8a0f4d72c93b";

/// A read is refused, or its path is missing in this cloud. The plan reports it once and continues if
/// that is safe.
#[test]
fn unreadable_facts_are_reported_and_harm_no_user() {
    are_reported_and_harm_no_user(|status, path| status == 403 || path.ends_with("MethodsPolicy"));
}

#[test]
#[ignore = "long: each fact with each answer, where the quick test has one answer for most facts"]
fn facts_that_are_unreadable_in_any_way_are_reported_and_harm_no_user() {
    // The three answers result in two reasons.
    are_reported_and_harm_no_user(|status, path| status != 400 || path.ends_with("MethodsPolicy"));
}

fn are_reported_and_harm_no_user(is_tried: impl Fn(u16, &str) -> bool) {
    let families = [
        ("/authenticationMethodsPolicy", "the authentication methods policy: "),
        ("/conditionalAccess/policies", "Conditional Access policies: "),
        ("/identitySecurityDefaultsEnforcementPolicy", "security defaults: "),
        ("/roleDefinitions", "directory roles: "),
        ("/roleEligibilityScheduleInstances", "users eligible for directory roles: "),
        ("/authentication/requirements", "the per-user MFA could not be read: "),
        ("/authentication/methods", "the mobile phone could not be read: "),
    ];
    let answers = [
        (403, "Authorization_RequestDenied", "Graph refused (403)"),
        (404, "ResourceNotFound", "Graph did not give a readable answer"),
        (400, "BadRequest", "Graph did not give a readable answer"),
    ];
    for (path, what) in families {
        for (status, code, why) in answers {
            if !is_tried(status, path) {
                continue;
            }
            let world = with(move |part| match part.path.contains(path) {
                true => Fault::Status { status, code: code.to_owned(), retry_after: None },
                false => Fault::None,
            });
            let run = world.run(&["apply", "--auto-approve"]).ends(0);
            let finding = format!("{what}{why}");
            assert!(run.stdout.contains(&finding), "{finding} in {}", run.text());
            assert!(run.stdout.contains("[unreadable]"), "{}", run.text());
            assert!(run.stdout.contains(", as far as it could be read"), "{}", run.text());
            nobody_signs_in_worse(&world.server().store()).expect("nobody is worse off");
        }
    }
}

/// The managed settings can match the policies while the posture of the user is unknown.
#[test]
fn no_changes_is_reported_only_as_far_as_facts_were_read() {
    const JAMES: &str = "j.brown@exchangelabs.nl";
    for (path, desired, what) in [
        ("/authentication/methods", "{ perUserMfa: enabled }", "the registered methods"),
        (
            "/authentication/requirements",
            "{ phones: { alternateMobile: absent } }",
            "the per-user MFA state",
        ),
    ] {
        let world = with(move |part| match part.path.ends_with(path) {
            true => Fault::Status {
                status: 403,
                code: "Authorization_RequestDenied".to_owned(),
                retry_after: None,
            },
            false => Fault::None,
        });
        let policy = format!(
            "version: 1\npolicies:\n  one:\n    appliesTo: {{ users: [{JAMES}] }}\n    desired: {desired}\n"
        );
        let world = world.file("policies/staff.yaml", policy);
        for (arguments, says) in [
            (&[][..], "The tenant matches the policies, as far as it could be read."),
            (
                &["--user", JAMES],
                "The selected part of the tenant matches the policies, as far as it could be read.",
            ),
        ] {
            let run = world.run(&[&["plan"], arguments].concat()).ends(0);
            assert!(run.stdout.contains(says), "{}", run.text());
            let finding = format!("`{JAMES}`: {what} could not be read (1 in all)");
            assert!(run.stdout.contains(&finding), "{}", run.text());
        }
        let plan = world.run(&["plan", "--format", "json", "--policy", "one"]).ends(0).stdout;
        assert!(plan.contains(r#""complete": false"#), "{plan}");
    }
}

/// Graph shows a group with hidden members as empty if a special permission is missing. Such a group
/// does not count as empty, neither in a policy nor in the rules of the tenant.
#[test]
fn group_with_hidden_members_does_not_count_as_empty() {
    let policy = |who: &str| {
        format!("version: 1\npolicies:\n  some:\n{who}    desired: {{ perUserMfa: enforced }}\n")
    };
    for (who, code, message) in [
        (format!("    appliesTo: {{ groups: [{SALES}] }}\n"), 3, "error[group-unreadable]"),
        (
            format!(
                "    appliesTo: {{ everyone: true }}\n    except: [{{ groups: [{{ id: {SALES}, name: Sales }}] }}]\n"
            ),
            3,
            "Member.Read.Hidden",
        ),
        // The hidden group is a member of the named group, which shows all other members.
        (
            format!(
                "    appliesTo: {{ everyone: true }}\n    except: [{{ groups: [{{ id: {} }}] }}]\n",
                seeds::ALL_STAFF
            ),
            3,
            "Member.Read.Hidden",
        ),
        (
            "    appliesTo: { everyone: true }\n".to_owned(),
            0,
            "the members of a group that the tenant's rules name: Graph refused (403)",
        ),
    ] {
        let world = exchangelabs().served();
        let front = Front::before(world.server().url(), |seen, _| {
            let hidden =
                ["transitiveMembers", "members"].map(|read| format!("/groups/{SALES}/{read}"));
            if hidden.iter().any(|path| seen.path.contains(path)) {
                return Weather::json(r#"{"value":[]}"#);
            }
            if seen.path.contains(&format!("/groups/{SALES}?$select=id,visibility")) {
                return Weather::json(r#"{"visibility":"HiddenMembership"}"#);
            }
            if !seen.path.ends_with("/conditionalAccess/policies") {
                return Weather::Fine;
            }
            let policy = json!({
                "displayName": "Sales", "state": "enabled",
                "conditions": {
                    "users": { "includeGroups": [SALES] },
                    "applications": { "includeApplications": ["All"] },
                    "clientAppTypes": ["all"],
                },
                "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
            });
            Weather::json(json!({ "value": [policy] }).to_string())
        });
        let url = front.url();
        let world = world.behind(PROJECT, &url, &url).file("policies/some.yaml", policy(&who));
        let run = world.run(&["plan"]).ends(code);
        assert!(run.text().contains(message), "{}", run.text());
    }
}
