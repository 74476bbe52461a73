//! Checks each call against the caller's permissions, the tenant's licence and its cloud. By default,
//! every call may pass.
//!
//! Graph permissions reference and the permission tables of each operation, checked 2026-11. Not
//! here: which permissions a token carries (`token`).

use axum::http::Method;
use serde_json::{Map, Value};

use crate::graph::answer::{Answer, Body};
use crate::graph::call::Call;
use crate::graph::problem::Problem;

/// The limits of a caller, in addition to the rules of each path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Check each call against the `roles` of its token.
    pub by_roles: bool,
    pub licence: Licence,
    /// Segments of paths that this cloud does not have.
    pub absent: Vec<String>,
    /// Show phone numbers as a delegated Authentication Administrator sees them.
    pub masked_phones: bool,
}

/// The best licence that the tenant has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Licence {
    Free,
    P1,
    #[default]
    P2,
}

/// The permissions of which a call needs one, and the code of the service that refuses it otherwise.
struct Needed {
    any_of: Vec<String>,
    code: &'static str,
}

const DENIED: &str = "Authorization_RequestDenied";
const ACCESS_DENIED: &str = "accessDenied";

const USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// Graph documentation (permissions reference, `User.ReadBasic.All`): the properties it shows.
const BASIC: &[&str] = &["id", "displayName", "givenName", "surname", "mail", "userPrincipalName"];

impl Access {
    /// Checks whether a call may be handled at all.
    pub(crate) fn check(&self, call: &Call) -> Result<(), Problem> {
        if let Some(segment) = call.segments.iter().find(|segment| self.absent.contains(segment)) {
            return Err(Problem::unknown_segment(segment));
        }
        if self.by_roles
            && let Some(needed) = needed(call)
            && !needed.any_of.iter().any(|name| call.has_role(name))
        {
            return Err(Problem::new(
                403,
                needed.code,
                "Insufficient privileges to complete the operation.",
            ));
        }
        self.check_licence(call)
    }

    /// Entra licensing documentation: Conditional Access comes with P1, Privileged Identity
    /// Management with P2.
    fn check_licence(&self, call: &Call) -> Result<(), Problem> {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["identity", "conditionalAccess", "policies", ..]
            | ["reports", "authenticationMethods", ..]
                if self.licence < Licence::P1 =>
            {
                Err(Problem::new(
                    403,
                    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                    "Neither tenant is B2C or tenant doesn't have premium license.",
                ))
            }
            ["roleManagement", "directory", list, ..]
                if list.ends_with("ScheduleInstances") && self.licence < Licence::P2 =>
            {
                Err(no_premium())
            }
            ["identityGovernance", ..] if self.licence < Licence::P2 => Err(no_premium()),
            _ => Ok(()),
        }
    }

    /// Returns the answer as this caller may see it.
    pub(crate) fn show(&self, call: &Call, mut answer: Answer) -> Answer {
        let registered = call.segments.iter().any(|segment| segment == "authentication");
        if self.masked_phones
            && registered
            && let Body::Json(body) = &mut answer.body
        {
            mask(body);
        }
        answer
    }
}

fn no_premium() -> Problem {
    Problem::new(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    )
}

/// Graph documentation (phoneAuthenticationMethod): a delegated Authentication Administrator sees
/// only a part of the number.
fn mask(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::String(number) if name == "phoneNumber" => *number = masked(number),
                    other => mask(other),
                }
            }
        }
        _ => {}
    }
}

/// `+31 XXXXXXX78`
fn masked(number: &str) -> String {
    let (code, rest) = number.split_once(' ').unwrap_or(("", number));
    let hidden = rest.chars().count().saturating_sub(2);
    let last: String = rest.chars().skip(hidden).collect();
    format!("{code} {}{last}", "X".repeat(hidden))
}

fn needed(call: &Call) -> Option<Needed> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let write = call.is_write();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let any = |any_of: &[&str], code| Some(Needed { any_of: names(any_of), code });
    match segments.as_slice() {
        ["users", _, "authentication", rest @ ..] => registration(rest, write),
        [
            "users",
            _,
            "getMemberGroups" | "checkMemberGroups" | "memberOf" | "transitiveMemberOf",
            ..,
        ] => any(&[USERS, &["GroupMember.Read.All", "GroupMember.ReadWrite.All"]].concat(), DENIED),
        ["users", ..] if write => user_write(call),
        ["users", ..] => {
            let basic: &[&str] = if is_basic(call) { &["User.ReadBasic.All"] } else { &[] };
            any(&[USERS, basic].concat(), DENIED)
        }
        ["groups", _, "members", ..] if write => any(
            &["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"],
            DENIED,
        ),
        ["groups", ..] if write => any(&["Group.ReadWrite.All", "Directory.ReadWrite.All"], DENIED),
        ["groups", ..] => any(
            &[
                "GroupMember.Read.All",
                "GroupMember.ReadWrite.All",
                "GroupMember.ReadBasic.All",
                "Group.ReadBasic.All",
                "Group.Read.All",
                "Group.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            DENIED,
        ),
        ["directoryObjects", ..] => any(&[USERS, &["GroupMember.Read.All"]].concat(), DENIED),
        ["organization", ..] => {
            any(&["Organization.Read.All", "Directory.Read.All", "User.Read.All"], DENIED)
        }
        ["domains", _, "federationConfiguration", ..] => any(
            &[
                "Domain-InternalFederation.Read.All",
                "Domain-InternalFederation.ReadWrite.All",
                "Domain.Read.All",
                "Domain.ReadWrite.All",
            ],
            DENIED,
        ),
        ["domains", ..] => {
            any(&["Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"], DENIED)
        }
        ["policies", "authenticationMethodsPolicy", ..] => any(
            &[
                "Policy.Read.AuthenticationMethod",
                "Policy.Read.All",
                "Policy.ReadWrite.AuthenticationMethod",
            ],
            ACCESS_DENIED,
        ),
        ["policies", "authenticationStrengthPolicies", ..]
        | ["identity", "conditionalAccess", "authenticationStrength", ..] => any(
            &[
                "Policy.Read.AuthenticationMethod",
                "Policy.Read.All",
                "Policy.ReadWrite.ConditionalAccess",
            ],
            ACCESS_DENIED,
        ),
        ["policies", ..] => any(&["Policy.Read.All"], ACCESS_DENIED),
        ["identity", "conditionalAccess", ..] => {
            any(&["Policy.Read.ConditionalAccess", "Policy.Read.All"], ACCESS_DENIED)
        }
        ["roleManagement", "directory", list, ..] => any(&roles(list), DENIED),
        ["identityGovernance", ..] => any(
            &[
                "PrivilegedEligibilitySchedule.Read.AzureADGroup",
                "PrivilegedAccess.Read.AzureADGroup",
            ],
            DENIED,
        ),
        ["reports", ..] => any(&["AuditLog.Read.All"], DENIED),
        _ => None,
    }
}

fn roles(list: &str) -> Vec<&'static str> {
    let mut names =
        vec!["RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"];
    match list {
        "roleEligibilityScheduleInstances" => names.push("RoleEligibilitySchedule.Read.Directory"),
        "roleAssignmentScheduleInstances" => names.push("RoleAssignmentSchedule.Read.Directory"),
        _ => {}
    }
    names
}

/// `authentication/…` needs the permission for the kind of method, or the one for all kinds; the
/// per-user MFA state needs a policy permission.
fn registration(rest: &[&str], write: bool) -> Option<Needed> {
    let needed = |any_of| Some(Needed { any_of, code: ACCESS_DENIED });
    let verbs: &[&str] = if write { &["ReadWrite"] } else { &["Read", "ReadWrite"] };
    let of = |what: &str| verbs.iter().map(move |verb| format!("{what}.{verb}.All")).collect();
    let all: Vec<String> = of("UserAuthenticationMethod");
    let kind = match rest {
        ["requirements"] if write => {
            return needed(vec!["Policy.ReadWrite.AuthenticationMethod".to_owned()]);
        }
        ["requirements"] => return needed(vec!["Policy.Read.All".to_owned()]),
        ["phoneMethods", ..] | ["methods", _, _] => "Phone",
        ["emailMethods", ..] => "Email",
        ["temporaryAccessPassMethods", ..] => "TAP",
        ["fido2Methods", ..] => "Passkey",
        ["microsoftAuthenticatorMethods", ..] => "MicrosoftAuthApp",
        ["softwareOathMethods", ..] => "SoftwareOATH",
        ["hardwareOathMethods", ..] => "HardwareOATH",
        ["windowsHelloForBusinessMethods", ..] => "WindowsHello",
        ["platformCredentialMethods", ..] => "PlatformCred",
        ["externalAuthenticationMethods", ..] => "External",
        ["passwordMethods", ..] => "Password",
        _ => return needed(all),
    };
    let own: Vec<String> = of(&format!("UserAuthMethod-{kind}"));
    needed([own, all].concat())
}

/// A change of phones alone has its own permission.
fn user_write(call: &Call) -> Option<Needed> {
    let phones_only = call.method == Method::PATCH
        && call.body().is_ok_and(|body| {
            body.keys().all(|name| matches!(name.as_str(), "mobilePhone" | "businessPhones"))
        });
    let own: &[&str] = if phones_only { &["User-Phone.ReadWrite.All"] } else { &[] };
    let names = [&["User.ReadWrite.All", "Directory.ReadWrite.All"], own].concat();
    Some(Needed { any_of: names.into_iter().map(str::to_owned).collect(), code: DENIED })
}

/// Whether a call asks only for properties that `User.ReadBasic.All` shows.
fn is_basic(call: &Call) -> bool {
    let selected = call.query.iter().find(|(name, _)| name.trim_start_matches('$') == "select");
    selected.is_none_or(|(_, names)| names.split(',').all(|name| BASIC.contains(&name.trim())))
}

/// Whether a caller may see the properties of members that are users.
///
/// Graph documentation (limited information for inaccessible member objects), checked 2026-11.
pub(crate) fn sees_users(call: &Call) -> bool {
    USERS.iter().chain(&["User.ReadBasic.All"]).any(|name| call.has_role(name))
}

/// Reduces a member to its type and id, for a caller who may see no more.
pub(crate) fn limited(row: Map<String, Value>) -> Map<String, Value> {
    row.into_iter()
        .map(|(name, value)| match name.as_str() {
            "id" | "@odata.type" => (name, value),
            _ => (name, Value::Null),
        })
        .collect()
}

/// Graph documentation (group, `visibility`): the members of a group with `HiddenMembership` are
/// hidden from applications without `Member.Read.Hidden`.
pub(crate) fn check_hidden(call: &Call, group: &Map<String, Value>) -> Result<(), Problem> {
    let hidden = group.get("visibility").and_then(Value::as_str) == Some("HiddenMembership");
    if hidden && !call.has_role("Member.Read.Hidden") {
        let message = "Insufficient privileges to complete the operation.";
        return Err(Problem::new(403, DENIED, message));
    }
    Ok(())
}
