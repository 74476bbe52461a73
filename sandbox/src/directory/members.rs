//! The members of a group and the groups of a user: `members`, `transitiveMembers`, `memberOf`,
//! `transitiveMemberOf`, `getMemberGroups`, `checkMemberGroups`.
//!
//! Graph documentation (advanced query capabilities on directory objects): a cast in the path and
//! `$filter` on members are answered by the index only.
//!
//! Not here: how membership is stored (`membership`), or the groups themselves (`groups`).

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::directory::groups;
use crate::directory::objects::{self, ids, show, show_any};
use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, read, wrote};
use crate::graph::odata::page::{Item, page};
use crate::graph::odata::{COLLECTION, Query};
use crate::graph::problem::Problem;
use crate::graph::schema::{EntityType, GROUP, USER};
use crate::records::Document;
use crate::rules::access;
use crate::state::effect::Effect;
use crate::state::membership::{GROUPS, Union};
use crate::state::store::{Group, Store};

/// Graph documentation (checkMemberGroups): the maximum number of groups in a request.
const MOST_GROUPS: usize = 20;
/// Graph documentation (getMemberGroups): the maximum number of groups in the answer.
const MOST_MEMBERSHIPS: usize = 11_000;

/// The kind of object to which a path is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Any,
    Users,
    Groups,
}

impl Cast {
    /// From the segment of a path.
    pub(crate) fn from_segment(segment: &str) -> Option<Self> {
        match segment {
            "microsoft.graph.user" | "graph.user" => Some(Self::Users),
            "microsoft.graph.group" | "graph.group" => Some(Self::Groups),
            _ => None,
        }
    }

    fn range(self) -> Range<u64> {
        match self {
            Self::Any => 0..u64::MAX,
            Self::Users => 0..GROUPS,
            Self::Groups => GROUPS..u64::MAX,
        }
    }

    fn entity(self) -> &'static EntityType {
        match self {
            Self::Any | Self::Users => &USER,
            Self::Groups => &GROUP,
        }
    }

    fn set(self) -> &'static str {
        match self {
            Self::Any => "directoryObjects",
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }
}

/// Whether membership through other groups counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Direct,
    Transitive,
}

pub(crate) fn list(
    call: &Call,
    store: &Store,
    key: &str,
    depth: Depth,
    cast: Cast,
) -> Result<Outcome, Problem> {
    let query = collection_query(call, cast)?;
    access::check_hidden(call, &groups::find(store, key)?.1.document)?;
    let union = members(store, key, depth)?;
    let range = query.start().max(cast.range().start)..cast.range().end;
    let positions = union.within(range);
    read(rows(call, &query, store, cast, positions, || counted(&query, store, &union, cast)))
}

pub(crate) fn count(
    call: &Call,
    store: &Store,
    key: &str,
    depth: Depth,
    cast: Cast,
) -> Result<Outcome, Problem> {
    let query = objects::count_query(call, cast.entity())?;
    let union = members(store, key, depth)?;
    read(Answer::text(counted(&query, store, &union, cast).to_string()))
}

fn members<'s>(store: &'s Store, key: &str, depth: Depth) -> Result<Union<'s>, Problem> {
    let (position, group) = groups::find(store, key)?;
    Ok(match depth {
        Depth::Direct => Union(vec![&group.members]),
        Depth::Transitive => store.transitive_members(position),
    })
}

fn counted(query: &Query, store: &Store, union: &Union<'_>, cast: Cast) -> u64 {
    if query.takes_all() {
        let groups = || union.within(Cast::Groups.range()).fold(0, |count, _| count + 1);
        return match cast {
            Cast::Any => union.len(),
            Cast::Users => union.len().saturating_sub(groups()),
            Cast::Groups => groups(),
        };
    }
    union
        .within(cast.range())
        .filter_map(|position| item(store, position))
        .filter(|(_, document)| query.lets_pass(document))
        .fold(0, |count, _| count + 1)
}

/// Reads the options of a collection of members. Casts and filters need an advanced query.
fn collection_query(call: &Call, cast: Cast) -> Result<Query, Problem> {
    let others: &[&EntityType] = match cast {
        Cast::Any => &[&GROUP],
        Cast::Users | Cast::Groups => &[],
    };
    let query = Query::parse(call, cast.entity(), others, COLLECTION)?;
    if cast != Cast::Any || query.filter.is_some() || query.order.is_some() {
        query.require_advanced(call)?;
    }
    Ok(query)
}

fn item(store: &Store, position: u64) -> Option<Item<'_>> {
    let document = match store.group_at(position) {
        Some(group) => Cow::Borrowed(&group.document),
        None => match store.user_at(position)? {
            Cow::Borrowed(record) => Cow::Borrowed(&record.user),
            Cow::Owned(record) => Cow::Owned(record.user),
        },
    };
    Some((position, document))
}

fn rows(
    call: &Call,
    query: &Query,
    store: &Store,
    cast: Cast,
    positions: impl Iterator<Item = u64>,
    count: impl FnOnce() -> u64,
) -> Answer {
    let select = query.select.as_deref();
    let items = positions.filter_map(|position| item(store, position));
    let knows_users = access::sees_users(call);
    let page = page(query, items, |position, document: &Document| {
        let row = match cast {
            Cast::Any => show_any(store, position, select).unwrap_or_default(),
            Cast::Users | Cast::Groups => show(cast.entity(), document, select),
        };
        if knows_users || position >= GROUPS { row } else { access::limited(row) }
    });
    let context = format!("{}{}", cast.set(), query.projection());
    page.answer(call, query, &context, count)
}

/// `GET /users/{key}/memberOf` and `transitiveMemberOf`.
pub(crate) fn groups_of(
    call: &Call,
    store: &Store,
    key: &str,
    depth: Depth,
    cast: Cast,
) -> Result<Outcome, Problem> {
    let query = collection_query(call, cast)?;
    let position = user(store, key)?;
    let positions = match (cast, depth) {
        (Cast::Users, _) => Vec::new(),
        (_, Depth::Direct) => taken(store.direct_groups_of(position)),
        (_, Depth::Transitive) => taken(store.groups_of(position)),
    };
    let start = query.start();
    let later = positions.iter().copied().filter(|at| *at >= start);
    read(rows(call, &query, store, cast, later, || {
        let passing = positions
            .iter()
            .filter_map(|position| item(store, *position))
            .filter(|(_, document)| query.lets_pass(document));
        passing.fold(0, |count, _| count + 1)
    }))
}

fn taken<'s>(groups: impl Iterator<Item = (u64, &'s Group)>) -> Vec<u64> {
    groups.map(|(position, _)| position).collect()
}

fn user(store: &Store, key: &str) -> Result<u64, Problem> {
    store.find_user(key).ok_or_else(|| Problem::not_found(key))
}

pub(crate) fn get_member_groups(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let position = user(store, key)?;
    let body = call.body()?;
    only(body, "getMemberGroups", "securityEnabledOnly")?;
    let secure = match body.get("securityEnabledOnly") {
        None => false,
        Some(Value::Bool(secure)) => *secure,
        Some(_) => {
            return Err(Problem::bad_request("Invalid value for securityEnabledOnly."));
        }
    };
    let ids: Vec<Value> = store
        .groups_of(position)
        .filter(|(_, group)| {
            !secure || group.document.get("securityEnabled") == Some(&Value::Bool(true))
        })
        .map(|(_, group)| json!(group.id))
        .collect();
    if ids.len() > MOST_MEMBERSHIPS {
        return Err(Problem::new(
            400,
            "DirectoryResultSizeLimitExceeded",
            "The result has more entries than can be returned.",
        ));
    }
    read(values(call, ids))
}

pub(crate) fn check_member_groups(
    call: &Call,
    store: &Store,
    key: &str,
) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let position = user(store, key)?;
    let body = call.body()?;
    only(body, "checkMemberGroups", "groupIds")?;
    let asked = ids(body.get("groupIds"), MOST_GROUPS)?;
    let held: Vec<Uuid> = store.groups_of(position).map(|(_, group)| group.id).collect();
    let ids = asked.into_iter().filter(|id| held.contains(id)).map(|id| json!(id)).collect();
    read(values(call, ids))
}

fn only(body: &Document, operation: &str, parameter: &str) -> Result<(), Problem> {
    match body.keys().find(|name| *name != parameter) {
        None => Ok(()),
        Some(name) => Err(Problem::bad_request(format!(
            "The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'."
        ))),
    }
}

fn values(call: &Call, values: Vec<Value>) -> Answer {
    let context = json!(call.context("Collection(Edm.String)"));
    Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), context),
            ("value".to_owned(), Value::Array(values)),
        ]),
    )
}

/// `POST /groups/{key}/members/$ref`
pub(crate) fn add(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (_, group) = groups::find(store, key)?;
    let body = call.body()?;
    only(body, "members/$ref", "@odata.id")?;
    let member = groups::linked(store, body.get("@odata.id").unwrap_or(&Value::Null))?;
    if groups::is_dynamic(&group.document) {
        return Err(groups::dynamic());
    }
    let present = store.position(member);
    if present.is_some_and(|position| group.members.contains(position)) {
        return Err(Problem::bad_request(
            "One or more added object references already exist for the following modified properties: 'members'.",
        ));
    }
    let effect = Effect::MemberAdded { group: group.id, member };
    wrote(vec![effect], Answer::no_content())
}

/// `DELETE /groups/{key}/members/{member}/$ref`
pub(crate) fn remove(
    call: &Call,
    store: &Store,
    key: &str,
    member: &str,
) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (_, group) = groups::find(store, key)?;
    let id: Uuid = member.parse().map_err(|_| Problem::not_found(member))?;
    let position = store.position(id).ok_or_else(|| Problem::not_found(member))?;
    if !group.members.contains(position) {
        return Err(Problem::not_found(member));
    }
    if groups::is_dynamic(&group.document) {
        return Err(groups::dynamic());
    }
    let effect = Effect::MemberRemoved { group: group.id, member: id };
    wrote(vec![effect], Answer::no_content())
}
