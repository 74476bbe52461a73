//! The meaning of the files of a run: one digest for each policy, for each object of the tenant and for
//! each key of `mfactl.yaml`.
//! Two folders have the same digests exactly if they ask for the same. Comments, line ends, quotes, the order
//! of keys and of files, and the path to the folder change nothing.
//!
//! Every type is destructured with all of its fields, so that a new key does not compile until this module
//! includes it.
//!
//! Not here: the meaning of the rule for one setting (the file of the setting), the digest
//! (`settings::digest`), the users of each policy (`scope`), what a policy asks of each user (`desired`), or
//! places in the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::filter::{Either, Exception, Match, Registered, Where};
use super::objects::ObjectRules;
use super::{
    AppliesToSet, Brakes, BreakGlass, CloudName, CompareWith, CredentialChoice, EndpointOverrides,
    GroupRef, GuardEntry, GuardGroup, Limit, Mode, Policy, PolicyRules, PolicySet, Project,
    RoleRef, RunsRule, TenantRef, UserRef,
};
use crate::finding::quoted;
use crate::resources::ObjectValue;
use crate::settings::Management;
use crate::settings::digest::{Node, map, perhaps, set, word};
use crate::tenant::delivery::Delivery;
use crate::tenant::facts::Kinds;

/// The meaning of all files of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Meaning {
    /// SHA-256 in hex, by policy name.
    pub policies: BTreeMap<String, String>,
    /// SHA-256 in hex, by key of `mfactl.yaml`.
    pub project: BTreeMap<String, String>,
    /// SHA-256 in hex, by object of the tenant. Plans saved by older programs lack this field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<String, String>,
}

/// One difference between two meanings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A policy that only the later one has.
    Added(String),
    /// A policy that only the earlier one has.
    Removed(String),
    Changed(String),
    /// A key of `mfactl.yaml`.
    Project(String),
    /// An object of the tenant.
    Object(String),
}

impl Meaning {
    #[must_use]
    pub fn of(set: &PolicySet) -> Self {
        let policies = set.policies.iter().map(|one| (one.name.clone(), policy(one).digest()));
        Self {
            policies: policies.collect(),
            project: project_meaning(&set.project),
            objects: objects(&set.objects),
        }
    }

    /// Returns the differences of a later meaning; none if both are equal.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<Difference> {
        let keys = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            one.keys().chain(other.keys()).cloned().collect::<BTreeSet<String>>()
        };
        let policies =
            keys(&self.policies, &later.policies).into_iter().filter_map(|name| {
                match (self.policies.get(&name), later.policies.get(&name)) {
                    (None, _) => Some(Difference::Added(name)),
                    (_, None) => Some(Difference::Removed(name)),
                    (one, other) => (one != other).then_some(Difference::Changed(name)),
                }
            });
        let differs = |key: &String| self.project.get(key) != later.project.get(key);
        let project = keys(&self.project, &later.project).into_iter().filter(differs);
        let differs = |key: &String| self.objects.get(key) != later.objects.get(key);
        let objects = keys(&self.objects, &later.objects).into_iter().filter(differs);
        policies
            .chain(project.map(Difference::Project))
            .chain(objects.map(Difference::Object))
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(name) => {
                write!(f, "policy {} was added since the plan was made", quoted(name))
            }
            Self::Removed(name) => {
                write!(f, "policy {} was removed since the plan was made", quoted(name))
            }
            Self::Changed(name) => {
                write!(f, "policy {} was changed since the plan was made", quoted(name))
            }
            Self::Project(key) => {
                let key = quoted(key);
                write!(f, "{key} in `mfactl.yaml` was changed since the plan was made")
            }
            Self::Object(key) => {
                write!(f, "{} was changed in the files since the plan was made", quoted(key))
            }
        }
    }
}

/// Returns the digest of each key of `mfactl.yaml`.
pub(super) fn project_meaning(one: &Project) -> BTreeMap<String, String> {
    project(one).into_iter().map(|(key, node)| (key.to_owned(), node.digest())).collect()
}

fn objects(rules: &ObjectRules) -> BTreeMap<String, String> {
    let meaning = |wanted: Management<ObjectValue>| match wanted {
        Management::Unmanaged => map([("unmanaged", Node::Nothing)]),
        Management::Managed(value) => map([("managed", word(value))]),
    };
    rules
        .iter()
        .map(|(object, wanted)| (object.key().to_owned(), meaning(wanted).digest()))
        .collect()
}

fn project(project: &Project) -> Vec<(&'static str, Node)> {
    let Project {
        tenant,
        cloud,
        credential,
        delivery,
        break_glass,
        brakes,
        runs,
        compare_with,
        quota_share,
        disclose,
        endpoints,
        // The files mean the same wherever they are.
        policies_outside: _,
        places: _,
    } = project;
    let tenant = match tenant {
        TenantRef::Sandbox => map([("sandbox", Node::Nothing)]),
        TenantRef::Named(name) => map([("named", word(name.to_lowercase()))]),
    };
    let endpoints = endpoints.as_ref().map(|EndpointOverrides { graph, login }| {
        map([("graph", word(graph)), ("login", word(login))])
    });
    let mut keys = vec![
        ("tenant", tenant),
        ("cloud", word(CloudName::as_str(*cloud))),
        ("credential", word(CredentialChoice::as_str(*credential))),
        ("phoneDelivery", self::delivery(*delivery)),
        ("breakGlass", self::break_glass(break_glass)),
        ("brakes", self::brakes(brakes)),
        ("runs", self::runs(runs)),
        ("numbers", map([("compareWith", word(CompareWith::as_str(*compare_with)))])),
        ("quota", map([("share", word(quota_share))])),
        ("endpoints", endpoints.unwrap_or(Node::Nothing)),
    ];
    // Without the key, the digests stay as they were before it existed.
    keys.extend(disclose.map(|level| ("disclose", word(level.as_str()))));
    keys
}

/// Without the keys of the store, the digests stay as they were before these keys existed.
fn runs(RunsRule { store, restore, keep_for_days, keep_numbers }: &RunsRule) -> Node {
    let mut keys = vec![("keepNumbers", word(keep_numbers))];
    keys.extend(store.as_ref().map(|at| ("store", word(at))));
    keys.extend(restore.as_ref().map(|at| ("restore", word(at))));
    keys.extend(keep_for_days.map(|days| ("keepForDays", word(days))));
    Node::Map(keys)
}

fn delivery(Delivery { ends, privileged_ends }: Delivery) -> Node {
    map([("ends", perhaps(ends)), ("privilegedEnds", perhaps(privileged_ends))])
}

fn break_glass(BreakGlass { users, groups, former, minimum, origin: _ }: &BreakGlass) -> Node {
    let group = |GuardGroup { entry, allow_empty }: &GuardGroup| {
        map([("entry", guard(entry)), ("allowEmpty", word(allow_empty))])
    };
    map([
        ("users", guards(users)),
        ("groups", set(groups, group)),
        ("former", guards(former)),
        ("minimum", word(minimum)),
    ])
}

fn guards<Id: ToString>(entries: &[GuardEntry<Id>]) -> Node {
    set(entries, guard)
}

fn guard<Id: ToString>(GuardEntry { id, name, origin: _ }: &GuardEntry<Id>) -> Node {
    map([("id", word(id.to_string())), ("name", perhaps(name.as_ref()))])
}

fn brakes(Brakes { changed_users, weakened_users, replaced_numbers }: &Brakes) -> Node {
    let limit = |Limit { percent, floor }: &Limit| {
        map([("percent", word(percent)), ("floor", word(floor))])
    };
    map([
        ("changedUsers", limit(changed_users)),
        ("weakenedUsers", limit(weakened_users)),
        ("replacedNumbers", limit(replaced_numbers)),
    ])
}

fn policy(policy: &Policy) -> Node {
    let Policy { name, description, mode, priority, who, except, only, rules, origin: _ } = policy;
    let mode = match mode {
        Mode::Enforce => "enforce",
        Mode::Report => "report",
    };
    map([
        ("name", word(name)),
        ("description", perhaps(description.as_ref())),
        ("mode", word(mode)),
        ("priority", word(priority)),
        ("appliesTo", self::who(who)),
        ("except", set(except, exception)),
        ("where", self::only(only)),
        ("desired", desired(rules)),
    ])
}

/// Returns a digest of `appliesTo` and `where`: the users that a policy reaches without its exceptions.
#[must_use]
pub fn reach(policy: &Policy) -> String {
    map([("appliesTo", who(&policy.who)), ("where", only(&policy.only))]).digest()
}

fn who(AppliesToSet { everyone, groups, roles, users }: &AppliesToSet) -> Node {
    map([
        ("everyone", word(everyone)),
        ("groups", set(groups, |(entry, _)| group(entry))),
        ("roles", set(roles, |(entry, _)| role(entry))),
        ("users", set(users, |(entry, _)| user(entry))),
    ])
}

fn group(group: &GroupRef) -> Node {
    match group {
        GroupRef::Name(name) => map([("name", word(name))]),
        GroupRef::Id(id) => map([("id", word(id))]),
        GroupRef::Both { id, name } => map([("id", word(id)), ("name", word(name))]),
    }
}

fn role(role: &RoleRef) -> Node {
    match role {
        RoleRef::Name(name) => map([("name", word(name))]),
        RoleRef::Id(id) => map([("id", word(id))]),
    }
}

fn user(user: &UserRef) -> Node {
    match user {
        UserRef::PrincipalName(name) => map([("name", word(name))]),
        UserRef::Id(id) => map([("id", word(id))]),
    }
}

fn exception(exception: &Exception) -> Node {
    let Exception { groups, users, roles, reason, until, allow_empty, origin: _ } = exception;
    map([
        ("groups", guards(groups)),
        ("users", guards(users)),
        ("roles", set(roles, |(entry, _)| role(entry))),
        ("reason", perhaps(reason.as_ref())),
        ("until", perhaps(until.map(|(day, _)| day))),
        ("allowEmpty", word(allow_empty)),
    ])
}

fn only(only: &Where) -> Node {
    let Where { department, usage_location, synced, guest, enabled, registered } = only;
    let registered = registered.as_ref().map(|Registered { any, none, origin: _ }| {
        map([("any", kinds(*any)), ("none", kinds(*none))])
    });
    map([
        ("department", department.as_ref().map_or(Node::Nothing, matches)),
        ("usageLocation", usage_location.as_ref().map_or(Node::Nothing, matches)),
        ("synced", either(*synced)),
        ("userType", either(*guest)),
        ("accountEnabled", either(*enabled)),
        ("registered", registered.unwrap_or(Node::Nothing)),
    ])
}

fn matches<T: ToString>(Match { any, none }: &Match<T>) -> Node {
    let values = |values: &Vec<T>| set(values, |value| word(value.to_string()));
    map([("any", values(any)), ("none", values(none))])
}

fn either(Either { yes, no }: Either) -> Node {
    map([("yes", word(yes)), ("no", word(no))])
}

fn kinds(kinds: Kinds) -> Node {
    Node::Set(kinds.iter().map(|kind| word(kind.key())).collect())
}

fn desired(rules: &PolicyRules) -> Node {
    let rules = rules.iter().map(|(setting, stance)| {
        let stance = match stance {
            Management::Unmanaged => map([("unmanaged", Node::Nothing)]),
            Management::Managed(rule) => map([("managed", rule.meaning())]),
        };
        Node::List(vec![word(setting.key()), stance])
    });
    Node::Set(rules.collect())
}
