//! Functions that users and groups share: showing them, checking the body of a write, and
//! `directoryObjects/getByIds`.
//!
//! Not here: the table of their properties (`schema`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::graph::answer::Answer;
use crate::graph::call::{Call, Outcome, Paging, read};
use crate::graph::odata::{Query, Takes};
use crate::graph::problem::Problem;
use crate::graph::schema::{EntityType, GROUP, Kind, Property, USER};
use crate::records::Document;
use crate::state::membership::GROUPS;
use crate::state::store::Store;

/// The maximum number of ids in one `getByIds`.
const MOST_IDS: usize = 1000;

/// Shows an object with the selected properties, or with the default ones. A property that is not
/// set is null.
pub(crate) fn show(
    entity: &EntityType,
    document: &Document,
    select: Option<&[String]>,
) -> Document {
    let value = |name: &str| {
        let value = document.get(name).cloned();
        value.unwrap_or_else(|| entity.property(name).map_or(Value::Null, empty))
    };
    match select {
        Some(names) => names
            .iter()
            .filter(|name| entity.property(name).is_some())
            .map(|name| (name.clone(), value(name)))
            .collect(),
        None => entity.default.iter().map(|name| ((*name).to_owned(), value(name))).collect(),
    }
}

/// The value of a property that is not set.
pub(crate) fn empty(property: &Property) -> Value {
    match property.kind {
        Kind::Texts | Kind::Objects => json!([]),
        Kind::Text | Kind::Bool | Kind::Time | Kind::Object => Value::Null,
    }
}

/// A query without any option.
pub(crate) fn whole() -> Query {
    Query {
        select: None,
        filter: None,
        search: None,
        order: None,
        expand: None,
        top: 1,
        count: false,
        mark: None,
        paging: Paging::Plain,
    }
}

/// Returns a single object as an answer.
pub(crate) fn entity_answer(
    call: &Call,
    entity: &EntityType,
    document: &Document,
    query: &Query,
) -> Answer {
    let context = format!("{}{}/$entity", entity.set, query.projection());
    let mut body = Map::from_iter([("@odata.context".to_owned(), json!(call.context(&context)))]);
    body.extend(show(entity, document, query.select.as_deref()));
    Answer::json(200, body)
}

/// Returns a row of a collection with both users and groups. The row names its type.
pub(crate) fn show_any(
    store: &Store,
    position: u64,
    select: Option<&[String]>,
) -> Option<Document> {
    let typed = |entity: &EntityType, document: &Document| {
        let kind = json!(format!("#{}", entity.name));
        let mut row = Map::from_iter([("@odata.type".to_owned(), kind)]);
        row.extend(show(entity, document, select));
        row
    };
    if position < GROUPS {
        let record = store.user_at(position)?;
        return Some(typed(&USER, &record.user));
    }
    let group = store.group_at(position)?;
    Some(typed(&GROUP, &group.document))
}

/// Returns the properties that a body sets, or the reason why they are refused.
pub(crate) fn checked(entity: &EntityType, body: &Document) -> Result<Document, Problem> {
    let mut properties = Document::new();
    for (name, value) in body {
        if name.starts_with("@odata.") {
            continue;
        }
        let property = entity.property(name).ok_or_else(|| {
            Problem::bad_request(format!(
                "Property '{name}' does not exist as a declared property or extension property."
            ))
        })?;
        if !property.writable {
            return Err(Problem::bad_request(format!(
                "Property '{name}' is read-only and cannot be set."
            )));
        }
        if !fits(property.kind, value) {
            return Err(Problem::bad_request(format!(
                "Invalid value specified for property '{name}' of resource '{}'.",
                entity.noun
            )));
        }
        properties.insert(name.clone(), value.clone());
    }
    Ok(properties)
}

fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_null() || value.as_str().is_some_and(|text| !text.is_empty()),
        Kind::Time => value.is_null() || value.as_str().is_some_and(is_time),
        Kind::Bool => value.is_null() || value.is_boolean(),
        Kind::Object => value.is_null() || value.is_object(),
        Kind::Texts => value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string)),
        Kind::Objects => {
            value.as_array().is_some_and(|objects| objects.iter().all(Value::is_object))
        }
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// Merges an object-valued property: a PATCH changes only the members that it names.
pub(crate) fn merge_inner(before: &Document, properties: &mut Document, name: &str) {
    let Some(Value::Object(after)) = properties.get_mut(name) else {
        return;
    };
    let Some(Value::Object(before)) = before.get(name) else {
        return;
    };
    for (key, value) in before {
        after.entry(key).or_insert_with(|| value.clone());
    }
}

/// Returns the query of a `/$count`, which implies `$count=true`.
///
/// Graph documentation (advanced query capabilities): only the index answers it.
pub(crate) fn count_query(call: &Call, entity: &'static EntityType) -> Result<Query, Problem> {
    if !call.eventual {
        return Err(Problem::bad_request("$count is not currently supported."));
    }
    let mut counting = call.clone();
    counting.query.retain(|(name, _)| name != "$count");
    counting.query.push(("$count".to_owned(), "true".to_owned()));
    Query::parse(&counting, entity, &[], &[Takes::Filter, Takes::Search, Takes::Count])
}

/// `POST /directoryObjects/getByIds`. Ids that do not exist are silently omitted.
pub(crate) fn get_by_ids(call: &Call, store: &Store) -> Result<Outcome, Problem> {
    let query = Query::parse(call, &USER, &[&GROUP], &[Takes::Select])?;
    let body = call.body()?;
    if let Some(name) = body.keys().find(|name| !["ids", "types"].contains(&name.as_str())) {
        return Err(Problem::bad_request(format!(
            "The parameter '{name}' in the request payload is not a valid parameter for the operation 'getByIds'."
        )));
    }
    let ids = ids(body.get("ids"), MOST_IDS)?;
    let (users, groups) = types(body.get("types"))?;
    let rows = ids
        .into_iter()
        .filter_map(|id| store.position(id))
        .filter(|position| if *position < GROUPS { users } else { groups })
        .filter_map(|position| show_any(store, position, query.select.as_deref()))
        .map(Value::Object)
        .collect();
    let context = format!("directoryObjects{}", query.projection());
    let context = json!(call.context(&context));
    read(Answer::json(
        200,
        Map::from_iter([
            ("@odata.context".to_owned(), context),
            ("value".to_owned(), Value::Array(rows)),
        ]),
    ))
}

/// Reads a list of ids in a body.
pub(crate) fn ids(value: Option<&Value>, most: usize) -> Result<Vec<Uuid>, Problem> {
    let texts = value
        .and_then(Value::as_array)
        .ok_or_else(|| Problem::bad_request("A non-empty list of ids is expected."))?;
    if texts.is_empty() || texts.len() > most {
        return Err(Problem::bad_request(format!(
            "The number of ids in the request is {}; it must be between 1 and {most}.",
            texts.len()
        )));
    }
    texts
        .iter()
        .map(|text| {
            let id = text.as_str().and_then(|text| text.parse().ok());
            id.ok_or_else(|| Problem::bad_request(format!("Invalid GUID: {text}.")))
        })
        .collect()
}

/// Returns whether users, and whether groups, are among the requested types.
fn types(value: Option<&Value>) -> Result<(bool, bool), Problem> {
    let Some(value) = value else {
        return Ok((true, true));
    };
    let names: Vec<&str> = value
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let known = ["user", "group", "directoryObject", "device", "servicePrincipal"];
    if let Some(name) = names.iter().find(|name| !known.contains(*name)) {
        return Err(Problem::bad_request(format!("Invalid type '{name}'.")));
    }
    let has =
        |name| names.is_empty() || names.contains(&name) || names.contains(&"directoryObject");
    Ok((has("user"), has("group")))
}
