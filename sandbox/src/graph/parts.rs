//! Lists that are sent in parts although the rules would show them whole.
//!
//! OData lets a service end any collection early and link to the rest, including a collection inside
//! an object (OData JSON format 4.01, "Control Information: nextLink", checked 2026-11). Here a fault
//! does so to the finished answer. Every later request understands the link.
//!
//! Not here: pages that a client asks for (`odata`).

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::graph::answer::{Answer, Body};
use crate::graph::call::Call;

/// The start of the skip tokens that this module makes.
const MARK: &str = "part-";
const NEXT: &str = "@odata.nextLink";

/// Returns the call without a skip token of this module, and the number of rows shown before.
pub(crate) fn unmarked(call: &Call) -> (Cow<'_, Call>, usize) {
    let mark = |(name, value): &(String, String)| match name.trim_start_matches('$') {
        "skiptoken" => value.strip_prefix(MARK)?.parse::<usize>().ok(),
        _ => None,
    };
    match call.query.iter().find_map(mark) {
        None => (Cow::Borrowed(call), 0),
        Some(shown) => {
            let mut call = call.clone();
            call.query.retain(|pair| mark(pair).is_none());
            (Cow::Owned(call), shown)
        }
    }
}

/// Removes the rows that were shown before.
pub(crate) fn rest(mut answer: Answer, shown: usize) -> Answer {
    if let Some(rows) = rows(&mut answer) {
        rows.drain(..shown.min(rows.len()));
    }
    answer
}

/// Limits the answer to `most` rows, with a link to the rest.
pub(crate) fn first(mut answer: Answer, call: &Call, most: usize) -> Answer {
    let (call, shown) = unmarked(call);
    let most = most.max(1);
    let Some(rows) = rows(&mut answer).filter(|rows| rows.len() > most) else { return answer };
    rows.truncate(most);
    let link = link(&call.root, &call.path, &call.query, shown + most);
    if let Body::Json(Value::Object(body)) = &mut answer.body {
        body.insert(NEXT.to_owned(), json!(link));
    }
    answer
}

/// Limits each list inside the answer to `most` entries, with a link to the rest of each.
pub(crate) fn first_inside(mut answer: Answer, call: &Call, most: usize) -> Answer {
    if let Body::Json(Value::Object(body)) = &mut answer.body {
        let path = format!("{}{}", call.root, call.path);
        match body.get_mut("value") {
            Some(Value::Array(rows)) => {
                for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                    let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
                    let path = format!("{path}/{id}");
                    cut(row, &path, most);
                }
            }
            _ => cut(body, &path, most),
        }
    }
    answer
}

fn cut(object: &mut Map<String, Value>, path: &str, most: usize) {
    let mut links = Vec::new();
    for (name, value) in object.iter_mut() {
        let path = format!("{path}/{name}");
        match value {
            Value::Object(inner) => cut(inner, &path, most),
            Value::Array(list) => {
                for inner in list.iter_mut().filter_map(Value::as_object_mut) {
                    let id = inner.get("id").and_then(Value::as_str).unwrap_or_default();
                    let path = format!("{path}/{id}");
                    cut(inner, &path, most);
                }
                if list.len() > most {
                    list.truncate(most);
                    links
                        .push((format!("{name}{NEXT}"), format!("{path}?$skiptoken={MARK}{most}")));
                }
            }
            _ => {}
        }
    }
    object.extend(links.into_iter().map(|(name, link)| (name, json!(link))));
}

fn rows(answer: &mut Answer) -> Option<&mut Vec<Value>> {
    match &mut answer.body {
        Body::Json(Value::Object(body)) if answer.status == 200 => {
            body.get_mut("value").and_then(Value::as_array_mut)
        }
        _ => None,
    }
}

fn link(root: &str, path: &str, query: &[(String, String)], shown: usize) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query).append_pair("$skiptoken", &format!("{MARK}{shown}"));
    format!("{root}{path}?{}", pairs.finish().replace("%24", "$"))
}
