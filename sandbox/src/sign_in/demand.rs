//! Whether a second factor is required and of which strength, and whether a custom control of another
//! provider applies.
//!
//! Report-only policies require nothing. Legacy service settings that have no API are unknown.
//!
//! Not here: the factors that the user has (`candidates`), or which of them a strength accepts
//! (`strength`).

use serde_json::Value;
use uuid::Uuid;

use super::super::records::{Document, TenantDocuments};
use super::evidence::{Application, Evidence, id, items, text};
use super::standing::Standing;
use super::strength::Strength;

/// What the sign-in requires in addition to the password.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Demand {
    None,
    AnyFactor,
    /// A factor of each of these strengths; the list is not empty.
    Strengths(Vec<Strength>),
}

/// The effect of a custom control: a check by the provider of the control, not by Entra.
///
/// Entra documentation (Conditional Access custom controls), checked 2026-11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Control {
    None,
    /// A second factor that Entra requires is enough instead.
    InsteadOfMfa,
    /// Every sign-in needs it.
    Required,
}

/// All requirements of the sign-in except the password.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) demand: Demand,
    pub(super) control: Control,
}

pub(super) fn of(evidence: &Evidence<'_>, standing: &Standing) -> Asked {
    let mut strengths = Vec::new();
    let mut control = Control::None;
    let mut any_factor = per_user(&evidence.record.requirements)
        || evidence.tenant.security_defaults.get("isEnabled") == Some(&Value::Bool(true))
        // Entra documentation (mandatory multifactor authentication), checked 2026-11: required of
        // administrators, only at the portals and tools.
        || evidence.application == Application::AdminPortals && !standing.roles.is_empty();
    for policy in &evidence.tenant.conditional_access {
        let applies = text(policy, "state") == Some("enabled")
            && policy
                .get("conditions")
                .and_then(Value::as_object)
                .is_some_and(|conditions| reaches(conditions, evidence, standing));
        if !applies {
            continue;
        }
        let granted = grant(policy, evidence.tenant);
        control = control.max(granted.control);
        match granted.demand {
            Demand::None => {}
            Demand::AnyFactor => any_factor = true,
            Demand::Strengths(more) => strengths.extend(more),
        }
    }
    let demand = match strengths.is_empty() {
        false => Demand::Strengths(strengths),
        true if any_factor => Demand::AnyFactor,
        true => Demand::None,
    };
    Asked { demand, control }
}

fn per_user(requirements: &Document) -> bool {
    matches!(text(requirements, "perUserMfaState"), Some("enabled" | "enforced"))
}

fn grant(policy: &Document, tenant: &TenantDocuments) -> Asked {
    let nothing = Asked { demand: Demand::None, control: Control::None };
    let Some(controls) = policy.get("grantControls").and_then(Value::as_object) else {
        return nothing;
    };
    let listed = |key: &str| items(controls, key).next().is_some();
    let either = text(controls, "operator") == Some("OR");
    // With OR, accepting the terms of use is enough. A device claim is not possible here, because the
    // device is unmanaged.
    if either && listed("termsOfUse") {
        return nothing;
    }
    let demand = by_entra(controls, tenant);
    match (listed("customAuthenticationFactors"), either, &demand) {
        (false, ..) => Asked { demand, control: Control::None },
        (true, true, Demand::AnyFactor) => {
            Asked { demand: Demand::None, control: Control::InsteadOfMfa }
        }
        // It is not checked whether a factor that other rules require satisfies the strength.
        (true, true, _) => Asked { demand: Demand::None, control: Control::Required },
        (true, false, _) => Asked { demand, control: Control::Required },
    }
}

fn by_entra(controls: &Document, tenant: &TenantDocuments) -> Demand {
    if items(controls, "builtInControls").any(|control| control == "mfa") {
        return Demand::AnyFactor;
    }
    let named = controls.get("authenticationStrength").and_then(Value::as_object);
    match named.and_then(|named| Strength::demanding_mfa(named, tenant)) {
        Some(strength) => Demand::Strengths(vec![strength]),
        None => Demand::None,
    }
}

/// Graph's name for the portals in the applications of a policy.
const ADMIN_PORTALS: &str = "MicrosoftAdminPortals";

/// Whether a policy applies to this application. A policy that names other applications does not.
fn covers(apps: &Document, application: Application) -> bool {
    let names = |key: &str, name: &str| items(apps, key).any(|app| app == name);
    let all = names("includeApplications", "All");
    match application {
        Application::Ordinary => all,
        Application::AdminPortals => {
            (all || names("includeApplications", ADMIN_PORTALS))
                && !names("excludeApplications", ADMIN_PORTALS)
        }
    }
}

/// Whether the conditions apply to this user at this application, from any location.
fn reaches(conditions: &Document, evidence: &Evidence<'_>, standing: &Standing) -> bool {
    let section = |key: &str| conditions.get(key).and_then(Value::as_object);
    section("applications").is_some_and(|apps| covers(apps, evidence.application))
        && !narrowed(conditions)
        && section("users").is_some_and(|users| {
            side(users, &INCLUDE, evidence, standing) && !side(users, &EXCLUDE, evidence, standing)
        })
}

/// Whether a condition limits the policy to sign-ins with properties that an ordinary one may lack.
fn narrowed(conditions: &Document) -> bool {
    let listed = |key: &str| items(conditions, key).next().is_some();
    let client_apps =
        listed("clientAppTypes") && !items(conditions, "clientAppTypes").any(|kind| kind == "all");
    client_apps
        || narrows(conditions, "platforms", "includePlatforms", "excludePlatforms")
        || narrows(conditions, "locations", "includeLocations", "excludeLocations")
        || ["signInRiskLevels", "userRiskLevels", "servicePrincipalRiskLevels"]
            .iter()
            .any(|key| listed(key))
        || ["insiderRiskLevels", "devices", "authenticationFlows"]
            .iter()
            .any(|key| conditions.get(*key).is_some_and(|value| !is_blank(value)))
}

/// Whether a condition with an include and an exclude list excludes anything.
fn narrows(conditions: &Document, key: &str, include: &str, exclude: &str) -> bool {
    conditions.get(key).and_then(Value::as_object).is_some_and(|lists| {
        let all = items(lists, include)
            .all(|one| one.as_str().is_some_and(|word| word.eq_ignore_ascii_case("all")));
        !all || items(lists, exclude).next().is_some()
    })
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The property names of the include or the exclude side; apart from the names, both are alike.
struct Side {
    users: &'static str,
    groups: &'static str,
    roles: &'static str,
    guests: &'static str,
    /// Whether a list of home tenants matches every visitor. The home is not in the record, and a
    /// wrong guess must rather require MFA than not.
    homes_unknown: bool,
}

const INCLUDE: Side = Side {
    users: "includeUsers",
    groups: "includeGroups",
    roles: "includeRoles",
    guests: "includeGuestsOrExternalUsers",
    homes_unknown: true,
};

const EXCLUDE: Side = Side {
    users: "excludeUsers",
    groups: "excludeGroups",
    roles: "excludeRoles",
    guests: "excludeGuestsOrExternalUsers",
    homes_unknown: false,
};

fn side(users: &Document, side: &Side, evidence: &Evidence<'_>, standing: &Standing) -> bool {
    let me = id(&evidence.record.user, "id");
    let user = items(users, side.users).filter_map(Value::as_str).any(|word| match word {
        "All" => true,
        "None" => false,
        "GuestsOrExternalUsers" => standing.guest || standing.external,
        other => Uuid::parse_str(other).is_ok_and(|one| Some(one) == me),
    });
    let ids = |key| {
        items(users, key).filter_map(Value::as_str).filter_map(|one| Uuid::parse_str(one).ok())
    };
    user || ids(side.groups).any(|group| evidence.groups.contains(&group))
        || ids(side.roles).any(|role| standing.roles.contains(&role))
        || users
            .get(side.guests)
            .and_then(Value::as_object)
            .is_some_and(|guests| visitor(guests, side, standing))
}

fn visitor(guests: &Document, side: &Side, standing: &Standing) -> bool {
    let kind = match (standing.external, standing.guest) {
        (true, true) => "b2bCollaborationGuest",
        (true, false) => "b2bCollaborationMember",
        (false, true) => "internalGuest",
        (false, false) => return false,
    };
    let included = text(guests, "guestOrExternalUserTypes")
        .is_some_and(|kinds| kinds.split(',').any(|one| one.trim() == kind));
    let enumerated = guests
        .get("externalTenants")
        .and_then(Value::as_object)
        .is_some_and(|tenants| text(tenants, "membershipKind") == Some("enumerated"));
    included && (!enumerated || !standing.external || side.homes_unknown)
}
