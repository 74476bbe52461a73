//! Documents of the tenant as a whole, which can only be read: the organisation, its policies, its
//! roles.
//!
//! Not here: what they mean for a sign-in (`sign_in`).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::directory::objects::show_any;
use crate::directory::{domains, pim};
use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, Version, read};
use crate::graph::odata::page::page;
use crate::graph::odata::{Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::{
    CONDITIONAL_ACCESS, DOMAIN, EntityType, GROUP_ELIGIBILITY, ROLE_ASSIGNMENT,
    ROLE_ASSIGNMENT_INSTANCE, ROLE_DEFINITION, ROLE_ELIGIBILITY, STRENGTH,
};
use crate::records::Document;
use crate::registration::methods::answer;
use crate::state::store::Store;

/// A list of documents, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf<'p> {
    Organizations,
    Organization(&'p str),
    MethodsPolicy,
    MethodConfigurations,
    MethodConfiguration(&'p str),
    SecurityDefaults,
    Federation(&'p str),
    List(List),
    Row(List, &'p str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Domains,
    ConditionalAccess,
    Strengths,
    RoleDefinitions,
    RoleAssignments,
    RoleEligibility,
    RoleInstances,
    GroupEligibility,
}

impl List {
    fn entity(self) -> &'static EntityType {
        match self {
            Self::Domains => &DOMAIN,
            Self::ConditionalAccess => &CONDITIONAL_ACCESS,
            Self::Strengths => &STRENGTH,
            Self::RoleDefinitions => &ROLE_DEFINITION,
            Self::RoleAssignments => &ROLE_ASSIGNMENT,
            Self::RoleEligibility => &ROLE_ELIGIBILITY,
            Self::RoleInstances => &ROLE_ASSIGNMENT_INSTANCE,
            Self::GroupEligibility => &GROUP_ELIGIBILITY,
        }
    }

    fn rows(self, store: &Store) -> Cow<'_, [Document]> {
        let tenant = store.tenant();
        Cow::Borrowed(match self {
            Self::Domains => &tenant.domains,
            Self::ConditionalAccess => &tenant.conditional_access,
            Self::Strengths => &tenant.authentication_strengths,
            Self::RoleDefinitions => &tenant.role_definitions,
            Self::RoleAssignments => &tenant.role_assignments,
            Self::RoleEligibility => &tenant.role_eligibility,
            Self::RoleInstances => {
                return Cow::Owned(pim::assignment_instances(&tenant.role_assignments));
            }
            Self::GroupEligibility => &tenant.group_eligibility,
        })
    }
}

/// Returns the list or document at this path, if it belongs to this module.
pub(crate) fn shelf<'p>(segments: &[&'p str]) -> Option<Shelf<'p>> {
    let (list, rest): (List, &[&'p str]) = match segments {
        ["organization"] => return Some(Shelf::Organizations),
        ["organization", id] => return Some(Shelf::Organization(id)),
        ["domains", domain, "federationConfiguration"] => {
            return Some(Shelf::Federation(domain));
        }
        ["domains", rest @ ..] => (List::Domains, rest),
        ["policies", "authenticationMethodsPolicy"] => return Some(Shelf::MethodsPolicy),
        ["policies", "authenticationMethodsPolicy", "authenticationMethodConfigurations"] => {
            return Some(Shelf::MethodConfigurations);
        }
        ["policies", "authenticationMethodsPolicy", "authenticationMethodConfigurations", id] => {
            return Some(Shelf::MethodConfiguration(id));
        }
        ["policies", "identitySecurityDefaultsEnforcementPolicy"] => {
            return Some(Shelf::SecurityDefaults);
        }
        ["policies", "authenticationStrengthPolicies", rest @ ..]
        | ["identity", "conditionalAccess", "authenticationStrength", "policies", rest @ ..] => {
            (List::Strengths, rest)
        }
        ["identity", "conditionalAccess", "policies", rest @ ..] => (List::ConditionalAccess, rest),
        ["roleManagement", "directory", "roleDefinitions", rest @ ..] => {
            (List::RoleDefinitions, rest)
        }
        ["roleManagement", "directory", "roleAssignments", rest @ ..] => {
            (List::RoleAssignments, rest)
        }
        ["roleManagement", "directory", "roleEligibilityScheduleInstances", rest @ ..] => {
            (List::RoleEligibility, rest)
        }
        ["roleManagement", "directory", "roleAssignmentScheduleInstances", rest @ ..] => {
            (List::RoleInstances, rest)
        }
        [
            "identityGovernance",
            "privilegedAccess",
            "group",
            "eligibilityScheduleInstances",
            rest @ ..,
        ] => (List::GroupEligibility, rest),
        _ => return None,
    };
    match rest {
        [] => Some(Shelf::List(list)),
        [id] => Some(Shelf::Row(list, id)),
        _ => None,
    }
}

pub(crate) fn get(call: &Call, store: &Store, shelf: Shelf<'_>) -> Result<Outcome, Problem> {
    let tenant = store.tenant();
    match shelf {
        Shelf::Organizations => organizations(call, store),
        Shelf::Organization(id) => match id.parse() == Ok(tenant.id) {
            true => single(call, "organization/$entity", &organization(store)),
            false => Err(Problem::not_found(id)),
        },
        Shelf::MethodsPolicy => single(
            call,
            "policies/authenticationMethodsPolicy/$entity",
            &tenant.authentication_methods_policy,
        ),
        Shelf::MethodConfigurations => configurations(call, store),
        Shelf::MethodConfiguration(id) => configuration(call, store, id),
        Shelf::SecurityDefaults => single(
            call,
            "policies/identitySecurityDefaultsEnforcementPolicy/$entity",
            &tenant.security_defaults,
        ),
        Shelf::Federation(domain) => domains::federation(call, tenant, domain),
        Shelf::List(kind) => list(call, store, kind),
        Shelf::Row(kind, id) => row(call, store, kind, id),
    }
}

fn single(call: &Call, context: &str, document: &Document) -> Result<Outcome, Problem> {
    Query::none(call)?;
    read(answer(call, context, document))
}

/// The properties of the organisation that identify a tenant.
fn organization(store: &Store) -> Document {
    let tenant = store.tenant();
    let domains: Vec<Value> = tenant
        .domains
        .iter()
        .map(|domain| {
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": domain.get("isDefault"),
                "isInitial": domain.get("isInitial"),
                "name": domain.get("id"),
                "type": domain.get("authenticationType"),
            })
        })
        .collect();
    Map::from_iter([
        ("id".to_owned(), json!(tenant.id)),
        ("displayName".to_owned(), json!(tenant.display_name)),
        ("tenantType".to_owned(), json!("AAD")),
        ("verifiedDomains".to_owned(), Value::Array(domains)),
    ])
}

fn organizations(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let names = call
        .query
        .iter()
        .map(|(name, value)| match name.trim_start_matches('$') {
            "select" => Ok(value.split(',').map(str::trim).collect()),
            _ => Err(Problem::bad_query(format!("The query parameter '{name}' is not supported."))),
        })
        .collect::<Result<Vec<Vec<&str>>, Problem>>()?
        .concat();
    let mut row = organization(store);
    if let Some(name) = names.iter().find(|name| !row.contains_key(**name)) {
        return Err(Problem::bad_query(format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.organization'."
        )));
    }
    row.retain(|name, _| names.is_empty() || names.contains(&name.as_str()));
    read(Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), json!(call.context("organization"))),
            ("value".to_owned(), json!([row])),
        ]),
    ))
}

fn configurations(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let policy = &store.tenant().authentication_methods_policy;
    let rows = policy.get("authenticationMethodConfigurations").cloned().unwrap_or_default();
    let context = "policies/authenticationMethodsPolicy/authenticationMethodConfigurations";
    read(Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), json!(call.context(context))),
            ("value".to_owned(), rows),
        ]),
    ))
}

fn configuration(call: &Call, store: &Store, id: &str) -> Result<Outcome, Problem> {
    let policy = &store.tenant().authentication_methods_policy;
    let configurations = policy.get("authenticationMethodConfigurations").and_then(Value::as_array);
    let found = configurations
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .find(|configuration| has_id(configuration, id))
        .ok_or_else(|| Problem::resource_not_found(format!("No configuration '{id}'.")))?;
    single(call, "authenticationMethodConfigurations/$entity", found)
}

fn has_id(document: &Document, id: &str) -> bool {
    let own = document.get("id").and_then(Value::as_str);
    own.is_some_and(|own| own.eq_ignore_ascii_case(id))
}

const LIST: &[Takes] = &[Takes::Select, Takes::Filter, Takes::Top, Takes::Count, Takes::Expand];

fn list(call: &Call, store: &Store, kind: List) -> Result<Outcome, Problem> {
    let query = Query::parse(call, kind.entity(), &[], LIST)?;
    in_beta_only(call, kind, &query)?;
    let pins = |name| query.filter.as_ref().is_some_and(|filter| filter.pinned(name).is_some());
    if kind == List::GroupEligibility && !pins("groupId") && !pins("principalId") {
        return Err(Problem::bad_query("A filter by groupId or principalId is required."));
    }
    let expand = expansion(&query, kind)?;
    let start = query.start();
    let rows = kind.rows(store);
    let items = (0..)
        .zip(rows.iter())
        .filter(|(position, _)| *position >= start)
        .map(|(position, row)| (position, Cow::Borrowed(row)));
    let page = page(&query, items, |_, row| {
        let mut shown = selected(call, row, query.select.as_deref());
        if let Some(expand) = expand {
            shown.insert(expand.name().to_owned(), expand.value(store, row));
        }
        shown
    });
    let context = format!("{}{}", kind.entity().set, query.projection());
    read(page.answer(call, &query, &context, || {
        rows.iter().filter(|row| query.lets_pass(row)).fold(0, |count, _| count + 1)
    }))
}

fn row(call: &Call, store: &Store, kind: List, id: &str) -> Result<Outcome, Problem> {
    let query = Query::parse(call, kind.entity(), &[], &[Takes::Select])?;
    in_beta_only(call, kind, &query)?;
    let rows = kind.rows(store);
    let found = rows.iter().find(|row| has_id(row, id));
    let found = found.ok_or_else(|| Problem::not_found(id))?;
    let shown = selected(call, found, query.select.as_deref());
    let context = format!("{}{}/$entity", kind.entity().set, query.projection());
    read(answer(call, &context, &shown))
}

/// Graph's metadata, checked 2026-11: this property of a role exists in beta only.
const PRIVILEGED: &str = "isPrivileged";

fn in_beta_only(call: &Call, kind: List, query: &Query) -> Result<(), Problem> {
    let asked = query.select.as_ref().is_some_and(|names| names.iter().any(|n| n == PRIVILEGED));
    if asked && call.version == Version::V1 {
        return Err(Problem::bad_query(format!(
            "Parsing OData Select and Expand failed: {}",
            kind.entity().unknown(PRIVILEGED)
        )));
    }
    Ok(())
}

fn selected(call: &Call, row: &Document, select: Option<&[String]>) -> Document {
    match select {
        None if call.version == Version::V1 => {
            let mut row = row.clone();
            row.remove(PRIVILEGED);
            row
        }
        None => row.clone(),
        Some(names) => names
            .iter()
            .map(|name| {
                let value = row.get(name).cloned();
                (name.clone(), value.unwrap_or(Value::Null))
            })
            .collect(),
    }
}

/// The relationships by which a row of a role list can be expanded, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expand {
    Principal,
    RoleDefinition,
}

fn expansion(query: &Query, kind: List) -> Result<Option<Expand>, Problem> {
    let Some(name) = query.expand.as_deref() else {
        return Ok(None);
    };
    let has_role =
        matches!(kind, List::RoleAssignments | List::RoleEligibility | List::RoleInstances);
    match name {
        "principal" if has_role || kind == List::GroupEligibility => Ok(Some(Expand::Principal)),
        "roleDefinition" if has_role => Ok(Some(Expand::RoleDefinition)),
        _ => Err(Problem::bad_query(format!(
            "Parsing OData Select and Expand failed: {}",
            kind.entity().unknown(name)
        ))),
    }
}

impl Expand {
    fn name(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::RoleDefinition => "roleDefinition",
        }
    }

    fn value(self, store: &Store, row: &Document) -> Value {
        let key = |name: &str| row.get(name).and_then(Value::as_str);
        let found = match self {
            Self::Principal => key("principalId")
                .and_then(|id| store.position(id.parse().ok()?))
                .and_then(|position| show_any(store, position, None)),
            Self::RoleDefinition => key("roleDefinitionId").and_then(|id| {
                let mut rows = store.tenant().role_definitions.iter();
                rows.find(|role| has_id(role, id)).cloned()
            }),
        };
        found.map_or(Value::Null, Value::Object)
    }
}
