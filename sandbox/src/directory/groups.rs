//! `/groups`: list, count, get, create, change, delete.
//!
//! Graph documentation (group): a display name is not unique, `uniqueName` is.
//!
//! Not here: members (`members`).

use std::borrow::Cow;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::objects::{self, checked, entity_answer, show};
use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, read, wrote};
use crate::graph::odata::page::page;
use crate::graph::odata::{COLLECTION, Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::GROUP;
use crate::records::Document;
use crate::state::effect::Effect;
use crate::state::store::{Group, Store};

pub(crate) fn list(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &GROUP, &[], COLLECTION)?;
    let items = store
        .groups_from(query.start())
        .map(|(position, group)| (position, Cow::Borrowed(&group.document)));
    let page = page(&query, items, |_, document| show(&GROUP, document, query.select.as_deref()));
    let context = format!("groups{}", query.projection());
    read(page.answer(call, &query, &context, || counted(&query, store)))
}

pub(crate) fn count(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = objects::count_query(call, &GROUP)?;
    read(Answer::text(counted(&query, store).to_string()))
}

fn counted(query: &Query, store: &Store) -> u64 {
    store
        .groups_from(0)
        .filter(|(_, group)| query.lets_pass(&group.document))
        .fold(0, |count, _| count + 1)
}

/// Returns the group with this id or with `uniqueName='…'`, the other key of a group; or 404.
pub(crate) fn find<'s>(store: &'s Store, key: &str) -> Result<(u64, &'s Group), Problem> {
    let found = match key.strip_prefix("uniqueName=") {
        Some(name) => store
            .groups_from(0)
            .find(|(_, group)| unique_name(&group.document) == Some(name.trim_matches('\''))),
        None => {
            let id: Uuid = key
                .parse()
                .map_err(|_| Problem::bad_request(format!("Invalid object identifier '{key}'.")))?;
            let position = store.position(id);
            position.and_then(|position| Some((position, store.group_at(position)?)))
        }
    };
    found.ok_or_else(|| Problem::not_found(key))
}

fn unique_name(group: &Document) -> Option<&str> {
    group.get("uniqueName").and_then(Value::as_str)
}

pub(crate) fn get(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &GROUP, &[], &[Takes::Select])?;
    let (_, group) = find(store, key)?;
    read(entity_answer(call, &GROUP, &group.document, &query))
}

pub(crate) fn create(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let mut body = call.body()?.clone();
    let members = bound_members(store, body.remove("members@odata.bind").as_ref())?;
    let properties = checked(&GROUP, &body)?;
    for name in ["displayName", "mailEnabled", "mailNickname", "securityEnabled"] {
        if properties.get(name).is_none_or(Value::is_null) {
            return Err(Problem::bad_request(format!(
                "A value is required for property '{name}' of resource 'Group'."
            )));
        }
    }
    check_values(store, &properties, None)?;
    let group = Uuid::new_v4();
    let mut document: Document = GROUP
        .properties
        .iter()
        .map(|property| (property.name.to_owned(), objects::empty(property)))
        .collect();
    document.extend(properties);
    document.insert("id".to_owned(), json!(group));
    document.insert("createdDateTime".to_owned(), json!(format!("{}T08:00:00Z", store.today())));
    if is_dynamic(&document) && !members.is_empty() {
        return Err(dynamic());
    }
    let shown = entity_answer(call, &GROUP, &document, &objects::whole());
    let effect = Effect::GroupCreated { group, properties: document, members };
    wrote(vec![effect], shown.created(call.location(&format!("groups/{group}"))))
}

fn bound_members(store: &Store, value: Option<&Value>) -> Result<Vec<Uuid>, Problem> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let links = value
        .as_array()
        .filter(|links| links.len() <= 20)
        .ok_or_else(|| Problem::bad_request("At most 20 members can be bound at creation."))?;
    links.iter().map(|link| linked(store, link)).collect()
}

/// Returns the id of the object that a reference like `https://…/v1.0/directoryObjects/{id}` means.
pub(crate) fn linked(store: &Store, link: &Value) -> Result<Uuid, Problem> {
    let link = link.as_str().unwrap_or_default();
    let key = link.rsplit('/').next().unwrap_or_default();
    let id: Uuid = key
        .parse()
        .map_err(|_| Problem::bad_request(format!("Invalid URL '{link}' in a reference.")))?;
    if store.position(id).is_none() {
        return Err(Problem::not_found(key));
    }
    Ok(id)
}

pub(crate) fn update(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (_, group) = find(store, key)?;
    let properties = checked(&GROUP, call.body()?)?;
    check_values(store, &properties, Some(group.id))?;
    let effect = Effect::GroupChanged { group: group.id, properties };
    wrote(vec![effect], Answer::no_content())
}

pub(crate) fn delete(call: &Call, store: &Store, key: &str) -> Result<Outcome, Problem> {
    Query::none(call)?;
    let (_, group) = find(store, key)?;
    let effect = Effect::GroupDeleted { group: group.id };
    wrote(vec![effect], Answer::no_content())
}

fn check_values(store: &Store, properties: &Document, me: Option<Uuid>) -> Result<(), Problem> {
    let name = unique_name(properties);
    let taken = name.is_some_and(|name| {
        store
            .groups_from(0)
            .any(|(_, group)| unique_name(&group.document) == Some(name) && Some(group.id) != me)
    });
    if taken {
        return Err(Problem::new(
            400,
            "Request_MultipleObjectsWithSameKeyValue",
            "Another object with the same value for property uniqueName already exists.",
        ));
    }
    let kinds = properties.get("groupTypes").and_then(Value::as_array);
    let known = [json!("Unified"), json!("DynamicMembership")];
    if kinds.is_some_and(|kinds| kinds.iter().any(|kind| !known.contains(kind))) {
        return Err(Problem::bad_request(
            "Invalid value specified for property 'groupTypes' of resource 'Group'.",
        ));
    }
    Ok(())
}

/// Graph documentation (dynamic membership): a rule decides the members, so none can be added.
pub(crate) fn is_dynamic(group: &Document) -> bool {
    let kinds = group.get("groupTypes").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.contains(&json!("DynamicMembership")))
}

pub(crate) fn dynamic() -> Problem {
    Problem::bad_request(
        "Insufficient privileges to complete the operation: members of a group with dynamic membership cannot be changed.",
    )
}
