//! Step 2 by application: an ordinary one, and the admin portals.

use super::*;

fn at(application: Application, case: &Case) -> Case {
    Case { application, ..case.clone() }
}

/// Checks each case at both applications: the expected verdict at the ordinary one, then at the
/// portals.
fn at_both<'t>(rows: impl IntoIterator<Item = (&'t str, Case, Verdict, Verdict)>) {
    check(rows.into_iter().flat_map(|(name, case, ordinary, portals)| {
        [
            ((name, "ordinary"), at(Application::Ordinary, &case), ordinary),
            ((name, "portals"), at(AdminPortals, &case), portals),
        ]
    }));
}

// Entra docs: `concept-mandatory-multifactor-authentication`, checked 2026-11.
#[test]
fn portals_require_mfa_of_administrators_and_ordinary_applications_do_not() {
    let role = |principal: Uuid| json!([{"principalId": principal, "roleDefinitionId": HELPDESK, "directoryScopeId": "/"}]);
    let quiet = Case { state: "disabled", ..Case::new() };
    let holder = Case { roles: role(ME), ..quiet.clone() };
    let nothing = Case { methods: json!([]), ..holder.clone() };
    let wrong = Case { methods: json!([phone("mobile", "+31 61234567")]), ..holder.clone() };
    at_both([
        ("MFA not required; an eligible role", quiet.clone(), PasswordOnly, PasswordOnly),
        ("a role", holder.clone(), PasswordOnly, Ok),
        ("a role and nothing registered", nothing, PasswordOnly, MustRegister),
        ("a role and a wrong number", wrong, PasswordOnly, Blocked),
        ("a role through a group", Case { roles: role(GROUP), ..quiet.clone() }, PasswordOnly, Ok),
        (
            "a role of others",
            Case { roles: role(OTHER_GROUP), ..quiet.clone() },
            PasswordOnly,
            PasswordOnly,
        ),
        ("a role and the state", Case { state: "enforced", ..holder.clone() }, Ok, Ok),
        ("a role and defaults", Case { security_defaults: true, ..holder }, Ok, Ok),
        ("the state alone", Case { state: "enabled", ..quiet }, Ok, Ok),
    ]);
}

// Graph, `conditionalAccessApplications`, checked 2026-11.
#[test]
fn policy_applies_only_to_its_applications() {
    let apps = |include: &[&str], exclude: &[&str]| {
        let changes = json!({"conditions": {"applications": {"includeApplications": include, "excludeApplications": exclude}}});
        Case { state: "disabled", conditional_access: json!([access(changes)]), ..Case::new() }
    };
    at_both([
        ("all", apps(&["All"], &[]), Ok, Ok),
        ("none", apps(&["None"], &[]), PasswordOnly, PasswordOnly),
        ("the portals", apps(&["MicrosoftAdminPortals"], &[]), PasswordOnly, Ok),
        ("all except the portals", apps(&["All"], &["MicrosoftAdminPortals"]), Ok, PasswordOnly),
        ("some application", apps(&["Office365"], &[]), PasswordOnly, PasswordOnly),
        (
            "some application and the portals",
            apps(&["Office365", "MicrosoftAdminPortals"], &[]),
            PasswordOnly,
            Ok,
        ),
    ]);
}

#[test]
fn from_word_inverts_as_str() {
    for application in Application::ALL {
        assert_eq!(Application::from_word(application.as_str()), Some(application));
    }
    assert_eq!(Application::from_word("portal"), None);
}
