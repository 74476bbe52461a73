//! Finds the function that answers a path and a method.
//!
//! If the path does not exist in the requested version, the answer is Graph's 400 about an unknown
//! segment. If the path does not have the method, the answer is 405.
//!
//! Not here: the answers themselves (the handlers), or the order of a write (`service`).

use axum::http::Method;

use crate::directory::documents::{self, Shelf};
use crate::directory::members::{self, Cast, Depth};
use crate::directory::{groups, objects, pim, users};
use crate::graph::call::{Call, Outcome, Version};
use crate::graph::problem::Problem;
use crate::registration::methods::{self, Collection};
use crate::registration::{phones, preferences, reports, undocumented};
use crate::state::store::Store;

/// The target of a path.
#[derive(Debug)]
enum Resource<'p> {
    Users,
    UserCount,
    User(&'p str),
    Methods(&'p str, Option<&'static Collection>),
    Method(&'p str, Option<&'static Collection>, &'p str),
    Authentication(&'p str),
    Requirements(&'p str),
    Preferences(&'p str),
    GroupsOf(&'p str, Depth, Cast),
    GetMemberGroups(&'p str),
    CheckMemberGroups(&'p str),
    Groups,
    GroupCount,
    Group(&'p str),
    Members(&'p str, Depth, Cast),
    MemberCount(&'p str, Depth, Cast),
    MemberLinks(&'p str),
    MemberLink(&'p str, &'p str),
    GetByIds,
    SmsSignIn(&'p str, &'p str, bool),
    TransitiveRoles,
    Registrations,
    Registration(&'p str),
    Document(Shelf<'p>),
}

pub(crate) fn handle(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let resource = resource(call.version, &segments)
        .ok_or_else(|| Problem::unknown_segment(segments.last().copied().unwrap_or_default()))?;
    match call.method {
        Method::GET => get(call, store, &resource),
        Method::POST => post(call, store, &resource),
        Method::PATCH => patch(call, store, &resource),
        Method::DELETE => delete(call, store, &resource),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn resource<'p>(version: Version, segments: &[&'p str]) -> Option<Resource<'p>> {
    match segments {
        ["users", rest @ ..] => user_resource(version, rest),
        ["groups", rest @ ..] => group_resource(rest),
        [first] if first.starts_with("groups(uniqueName=") => {
            let key = first.strip_prefix("groups(")?.strip_suffix(')')?;
            Some(Resource::Group(key))
        }
        ["directoryObjects", "getByIds" | "microsoft.graph.getByIds"] => Some(Resource::GetByIds),
        ["reports", "authenticationMethods", "userRegistrationDetails"] => {
            Some(Resource::Registrations)
        }
        ["reports", "authenticationMethods", "userRegistrationDetails", id] => {
            Some(Resource::Registration(id))
        }
        ["roleManagement", "directory", "transitiveRoleAssignments"]
            if version == Version::Beta =>
        {
            Some(Resource::TransitiveRoles)
        }
        _ => documents::shelf(segments).map(Resource::Document),
    }
}

fn user_resource<'p>(version: Version, segments: &[&'p str]) -> Option<Resource<'p>> {
    let beta = version == Version::Beta;
    Some(match segments {
        [] => Resource::Users,
        ["$count"] => Resource::UserCount,
        [key] => Resource::User(key),
        [key, "getMemberGroups" | "microsoft.graph.getMemberGroups"] => {
            Resource::GetMemberGroups(key)
        }
        [key, "checkMemberGroups" | "microsoft.graph.checkMemberGroups"] => {
            Resource::CheckMemberGroups(key)
        }
        [key, "authentication", "methods"] => Resource::Methods(key, None),
        [key, "authentication", "methods", id] => Resource::Method(key, None, id),
        [key, "authentication"] if beta => Resource::Authentication(key),
        [key, "authentication", "requirements"] if beta => Resource::Requirements(key),
        [key, "authentication", "signInPreferences"] if beta => Resource::Preferences(key),
        [key, "authentication", segment, id, action] => {
            sms_sign_in(version, segment, action).map(|on| Resource::SmsSignIn(key, id, on))?
        }
        [key, "authentication", segment] => {
            Resource::Methods(key, Some(methods::collection_of(version, segment)?))
        }
        [key, "authentication", segment, id] => {
            Resource::Method(key, Some(methods::collection_of(version, segment)?), id)
        }
        [key, relation @ ("memberOf" | "transitiveMemberOf"), cast @ ..] => {
            let depth = match *relation {
                "memberOf" => Depth::Direct,
                _ => Depth::Transitive,
            };
            Resource::GroupsOf(key, depth, cast_of(cast)?)
        }
        _ => return None,
    })
}

/// Whether an action switches SMS sign-in on or off. Graph's metadata, checked 2026-11: the action
/// belongs to `phoneMethods` in v1.0, and to `methods` in beta.
fn sms_sign_in(version: Version, segment: &str, action: &str) -> Option<bool> {
    let has_action = match version {
        Version::V1 => segment == "phoneMethods",
        Version::Beta => segment == "methods",
    };
    match action.trim_start_matches("microsoft.graph.") {
        "enableSmsSignIn" if has_action => Some(true),
        "disableSmsSignIn" if has_action => Some(false),
        _ => None,
    }
}

fn group_resource<'p>(segments: &[&'p str]) -> Option<Resource<'p>> {
    Some(match segments {
        [] => Resource::Groups,
        ["$count"] => Resource::GroupCount,
        [key] => Resource::Group(key),
        [key, "members", "$ref"] => Resource::MemberLinks(key),
        [key, "members", member, "$ref"] => Resource::MemberLink(key, member),
        [key, relation @ ("members" | "transitiveMembers"), rest @ ..] => {
            let depth = match *relation {
                "members" => Depth::Direct,
                _ => Depth::Transitive,
            };
            match rest {
                [cast @ .., "$count"] => Resource::MemberCount(key, depth, cast_of(cast)?),
                cast => Resource::Members(key, depth, cast_of(cast)?),
            }
        }
        _ => return None,
    })
}

fn cast_of(segments: &[&str]) -> Option<Cast> {
    match segments {
        [] => Some(Cast::Any),
        [segment] => Cast::from_segment(segment),
        _ => None,
    }
}

fn get(call: &Call, store: &Store, resource: &Resource<'_>) -> Result<Outcome, Problem> {
    match *resource {
        Resource::Users => users::list(call, store),
        Resource::UserCount => users::count(call, store),
        Resource::User(key) => users::get(call, store, key),
        Resource::Methods(key, of) => methods::list(call, store, key, of),
        Resource::Method(key, of, id) => methods::get(call, store, key, of, id),
        Resource::Authentication(key) => undocumented::one_request_read(call, store, key),
        Resource::Requirements(key) => preferences::get_requirements(call, store, key),
        Resource::Preferences(key) => preferences::get_preferences(call, store, key),
        Resource::GroupsOf(key, depth, cast) => members::groups_of(call, store, key, depth, cast),
        Resource::Groups => groups::list(call, store),
        Resource::GroupCount => groups::count(call, store),
        Resource::Group(key) => groups::get(call, store, key),
        Resource::Members(key, depth, cast) => members::list(call, store, key, depth, cast),
        Resource::MemberCount(key, depth, cast) => members::count(call, store, key, depth, cast),
        Resource::Registrations => reports::list(call, store),
        Resource::Registration(key) => reports::get(call, store, key),
        Resource::TransitiveRoles => pim::transitive(call, store),
        Resource::Document(shelf) => documents::get(call, store, shelf),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn post(call: &Call, store: &Store, resource: &Resource<'_>) -> Result<Outcome, Problem> {
    match *resource {
        Resource::Users => users::create(call, store),
        Resource::Groups => groups::create(call, store),
        Resource::MemberLinks(key) => members::add(call, store, key),
        Resource::GetMemberGroups(key) => members::get_member_groups(call, store, key),
        Resource::CheckMemberGroups(key) => members::check_member_groups(call, store, key),
        Resource::SmsSignIn(key, id, on) => phones::switch_sms_sign_in(call, store, key, id, on),
        Resource::GetByIds => objects::get_by_ids(call, store),
        Resource::Methods(key, Some(of)) if of.kind == methods::PHONE => {
            phones::create(call, store, key)
        }
        _ => Err(Problem::method_not_allowed()),
    }
}

fn patch(call: &Call, store: &Store, resource: &Resource<'_>) -> Result<Outcome, Problem> {
    match *resource {
        Resource::User(key) => users::update(call, store, key),
        Resource::Group(key) => groups::update(call, store, key),
        Resource::Requirements(key) => preferences::set_requirements(call, store, key),
        Resource::Preferences(key) => preferences::set_preferences(call, store, key),
        Resource::Method(key, Some(of), id) if of.kind == methods::PHONE => {
            phones::update(call, store, key, id)
        }
        _ => Err(Problem::method_not_allowed()),
    }
}

fn delete(call: &Call, store: &Store, resource: &Resource<'_>) -> Result<Outcome, Problem> {
    match *resource {
        Resource::User(key) => users::delete(call, store, key),
        Resource::Group(key) => groups::delete(call, store, key),
        Resource::MemberLink(key, member) => members::remove(call, store, key, member),
        Resource::Method(key, Some(of), id) if of.kind == methods::PHONE => {
            phones::delete(call, store, key, id)
        }
        Resource::Method(key, Some(of), id) => methods::delete(call, store, key, of, id),
        _ => Err(Problem::method_not_allowed()),
    }
}
