//! The users of a policy: `appliesTo`, `except` and `where` in a small tenant, and errors that stop a plan.

use mfactl::finding::Code;
use mfactl::id::GroupId;
use mfactl::tenant::directory::Gap;
use mfactl::tenant::facts::{MethodKind, UnknownReason};

use crate::support::tiny_tenant::{GLOBAL_ADMINISTRATOR, Tenant, UNREAD, codes, id, methods};

/// The users that a policy for everyone applies to without further conditions.
const MEMBERS: &str = "ann ben cas dan eva ida jon";

#[test]
fn applies_to_is_a_union() {
    for (who, expected) in [
        ("everyone: true", MEMBERS),
        ("groups: [All]", MEMBERS),
        ("groups: [Sales]", "ann ben cas"),
        ("groups: [Sales], users: [dan@x.y]", "ann ben cas dan"),
        ("groups: [Empty]", ""),
        ("groups: [SALES]", "ann ben cas"),
        ("roles: [Global Administrator]", "ida jon"),
        ("roles: [' global ADMINISTRATOR ']", "ida jon"),
        ("roles: [Global Reader]", ""),
        ("roles: [Global Administrator], groups: [Finance]", "dan eva ida jon"),
        ("users: [bg1@x.y, ANN@X.Y, sync@x.y, fay@x.y, gus@x.y, hal@x.y]", "ann"),
    ] {
        let found = Tenant::new().applies(&format!("    appliesTo: {{ {who} }}"));
        assert_eq!(found.as_deref(), Ok(expected), "{who}");
    }
    let by_id = format!("    appliesTo: {{ roles: [{GLOBAL_ADMINISTRATOR}] }}");
    assert_eq!(Tenant::new().applies(&by_id).as_deref(), Ok("ida jon"));
}

#[test]
fn where_filters_by_every_condition() {
    for (only, expected) in [
        ("department: SALES", "ann ben cas"),
        ("department: [sales, ' finance']", "ann ben cas dan eva"),
        ("department: { none: [Sales] }", "dan eva ida jon"),
        ("department: { any: [Sales, Finance], none: [Finance] }", "ann ben cas"),
        ("department: Sales, usageLocation: NL", "ann"),
        ("usageLocation: { none: [CN] }", "ann ben dan eva ida jon"),
        ("usageLocation: { any: [NL, CN], none: [CN] }", "ann dan"),
        ("synced: true", "ida"),
        ("synced: false", "ann ben cas dan eva jon"),
        ("synced: [true, false]", MEMBERS),
        ("userType: guest", "gus hal"),
        ("userType: any", "ann ben cas dan eva gus hal ida jon"),
        ("userType: [member, guest]", "ann ben cas dan eva gus hal ida jon"),
        ("userType: { none: [guest] }", MEMBERS),
        ("accountEnabled: false", "fay"),
        ("accountEnabled: any", "ann ben cas dan eva fay ida jon"),
        ("registered: passkey", "ben"),
        ("registered: [passkey, email]", "ben"),
        ("registered: { none: [passkey] }", "ann dan eva ida jon"),
        ("registered: { any: [authenticator], none: [passkey] }", "ann dan eva ida jon"),
    ] {
        let tenant = Tenant::new()
            .but("ben", |facts| {
                facts.methods = methods(&[MethodKind::Authenticator, MethodKind::Passkey])
            })
            .but("cas", |facts| {
                if only.starts_with("registered") {
                    facts.methods = UNREAD;
                }
            });
        let body = format!("    appliesTo: {{ everyone: true }}\n    where: {{ {only} }}");
        assert_eq!(tenant.applies(&body).as_deref(), Ok(expected), "{only}");
    }
}

#[test]
fn named_user_that_is_excluded_is_reported_with_the_reason() {
    for (name, only, why) in [
        ("bg1", "synced: false", "break-glass"),
        ("fay", "synced: false", "disabled"),
        ("gus", "synced: false", "guest"),
        ("hal", "synced: false", "another tenant"),
        ("sync", "userType: any", "directory synchronisation"),
        ("ann", "synced: true", "`where.synced`"),
        ("ann", "userType: guest", "member"),
        ("ann", "department: Finance", "`where.department`"),
        ("ida", "department: Finance", "has no `department`"),
        ("cas", "usageLocation: { none: [CN] }", "`where.usageLocation`"),
    ] {
        let text =
            policy(&format!("    appliesTo: {{ users: [{name}@x.y] }}\n    where: {{ {only} }}"));
        let outcome = Tenant::new().plan(&text).unwrap();
        let finding = outcome.finding(Code::UserLeftOut).unwrap();
        assert!(finding.message.contains(why), "{name} {only}: {}", finding.message);
        assert_eq!(outcome.changed(), "");
    }
}

#[test]
fn missing_attribute_is_reported_once() {
    let text = policy(
        "    appliesTo: { everyone: true }\n    where: { usageLocation: [NL], department: Finance }",
    );
    let outcome = Tenant::new().plan(&text).unwrap();
    let notes = outcome.plan.findings.iter().filter(|one| one.code == Code::AttributeMissing);
    let messages: Vec<&str> = notes.map(|note| note.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`ida@x.y` and `jon@x.y`: no `department` in the directory, so policy `p` does not apply",
            "`eva@x.y`, `ida@x.y` and 1 more: no `usageLocation` in the directory, so policy `p` does not apply",
        ]
    );
}

#[test]
fn unreadable_methods_are_a_finding() {
    let text = policy(
        "    appliesTo: { groups: [Sales] }\n    where: { registered: { none: [passkey] } }",
    );
    let outcome = Tenant::new().but("ann", |facts| facts.methods = UNREAD).plan(&text).unwrap();
    assert_eq!(outcome.changed(), "ben cas");
    let finding = outcome.finding(Code::Unreadable).unwrap();
    assert!(finding.message.contains("`ann@x.y`: the registered methods"), "{}", finding.message);
    assert!(!outcome.plan.is_complete());
}

#[test]
fn exceptions_exclude_their_users() {
    let (ben, sales, empty) = (id(4), id(100), id(102));
    for (except, expected) in [
        (format!("users: [{{ id: {ben} }}]"), Ok("ann cas dan eva ida jon")),
        (format!("groups: [{{ id: {sales}, name: Sales }}]"), Ok("dan eva ida jon")),
        ("roles: [Global Administrator]".to_owned(), Ok("ann ben cas dan eva")),
        (format!("groups: [{{ id: {sales} }}], until: 2026-11-23"), Ok("dan eva ida jon")),
        (format!("groups: [{{ id: {sales} }}], until: 2026-11-22"), Ok(MEMBERS)),
        (format!("groups: [{{ id: {} }}], until: 2026-11-22", id(555)), Ok(MEMBERS)),
        (format!("groups: [{{ id: {empty} }}], allowEmpty: true"), Ok(MEMBERS)),
        (format!("groups: [{{ id: {empty} }}]"), Err("exception-empty")),
        (format!("groups: [{{ id: {} }}]", id(555)), Err("guard-unresolved")),
        (format!("users: [{{ id: {} }}]", id(555)), Err("guard-unresolved")),
        ("roles: [Global Administratr]".to_owned(), Err("guard-unresolved")),
    ] {
        let body = format!("    appliesTo: {{ everyone: true }}\n    except: [{{ {except} }}]");
        let found = Tenant::new().applies(&body);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{except}");
    }
}

#[test]
fn ended_exception_is_a_finding() {
    let body = format!(
        "    appliesTo: {{ everyone: true }}\n    except: [{{ users: [{{ id: {} }}], reason: certificates, until: 2026-11-01 }}]",
        id(4)
    );
    let outcome = Tenant::new().plan(&policy(&body)).unwrap();
    let finding = outcome.finding(Code::ExceptionOver).unwrap();
    assert_eq!(finding.message, "an exception of policy `p` (`certificates`) ended on 2026-11-01");
}

#[test]
fn unprotected_guard_group_is_reported_once() {
    for (group, warned) in [(100, false), (104, true), (105, true)] {
        let except = format!("except: [{{ groups: [{{ id: {} }}] }}]", id(group));
        let text = format!(
            "version: 1\npolicies:\n  p:\n    appliesTo: {{ everyone: true }}\n    {except}\n    desired: {{ perUserMfa: enforced }}\n  \
             q:\n    appliesTo: {{ everyone: true }}\n    {except}\n    desired: {{ perUserMfa: enforced }}\n"
        );
        let outcome = Tenant::new().plan(&text).unwrap();
        let findings = outcome.plan.findings.iter();
        let count = findings.filter(|one| one.code == Code::GuardGroupUnprotected).count();
        assert_eq!(count, usize::from(warned), "{group}");
    }
}

#[test]
fn unreadable_group_stops_the_plan() {
    let mut tenant = Tenant::new();
    tenant.groups.retain(|(group, _)| group.name != "Sales");
    let sales = GroupId::from_uuid(id(100));
    tenant.gaps.push(Gap { id: sales, group: None, why: UnknownReason::Forbidden });
    for (body, expected) in [
        (format!("    appliesTo: {{ groups: [{sales}] }}"), "group-unreadable"),
        (
            format!(
                "    appliesTo: {{ everyone: true }}\n    except: [{{ groups: [{{ id: {sales} }}] }}]"
            ),
            "guard-unresolved",
        ),
    ] {
        assert_eq!(tenant.applies(&body).unwrap_err(), expected);
    }
}

#[test]
fn wrong_names_are_errors_with_suggestions() {
    for (who, code, help) in [
        ("groups: [Sale]", "group-not-found", "check the spelling"),
        ("groups: [Team]", "group-not-found", &id(106).to_string()),
        ("groups: [Twins]", "group-ambiguous", &id(108).to_string()),
        ("roles: [Global Admin]", "role-not-found", GLOBAL_ADMINISTRATOR),
        ("roles: [Nobody]", "role-not-found", "check the spelling"),
    ] {
        let text = policy(&format!("    appliesTo: {{ {who} }}"));
        let faults = Tenant::new().plan(&text).unwrap_err();
        assert_eq!(codes(&faults), code, "{who}");
        let text = faults.first().and_then(|fault| fault.help.clone()).unwrap();
        assert!(text.contains(help), "{who}: {text}");
    }
}

#[test]
fn unknown_eligibility_warns_in_applies_to_and_stops_in_except() {
    let mut tenant = Tenant::new();
    tenant.roles.eligibility_unknown = Some(UnknownReason::Forbidden);
    let text = policy("    appliesTo: { roles: [Global Administrator] }");
    assert!(tenant.plan(&text).unwrap().has(Code::RoleEligibilityUnknown));
    let excepted =
        "    appliesTo: { everyone: true }\n    except: [{ roles: [Global Administrator] }]";
    assert_eq!(tenant.applies(excepted).unwrap_err(), "guard-unresolved");
}

fn policy(body: &str) -> String {
    format!("version: 1\npolicies:\n  p:\n{body}\n    desired: {{ perUserMfa: enforced }}\n")
}
