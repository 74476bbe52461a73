//! Pages of a collection and the links between them.
//!
//! A link marks the last object shown, not the number of objects shown, so a write between two pages
//! neither repeats nor skips an object. Links are absolute and contain the options of the first
//! request.
//!
//! Not here: the objects of a collection (the handlers), or pages cut by a fault (`parts`).

use std::borrow::Cow;
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{OrderBy, Query};
use crate::graph::answer::Answer;
use crate::graph::call::{Call, Paging};
use crate::graph::problem::Problem;
use crate::records::Document;

/// The place where the next page continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The position of the last object shown.
    pub(crate) after: u64,
    /// The sort key of that object, in an ordered list.
    key: Option<String>,
}

impl Mark {
    /// Reads the token of a link. Returns `None` if the link leads to the beginning.
    pub(crate) fn read(token: &str) -> Result<Option<Self>, Problem> {
        let expired = || {
            Problem::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired and can no longer be included in your request.",
            )
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| expired())?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| expired())?;
        if value.get("begin").is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            after: value.get("after").and_then(Value::as_u64).ok_or_else(expired)?,
            key: value.get("key").and_then(Value::as_str).map(str::to_owned),
        }))
    }

    fn token(&self) -> String {
        let mut value = json!({"after": self.after});
        if let (Some(key), Some(object)) = (&self.key, value.as_object_mut()) {
            object.insert("key".to_owned(), json!(key));
        }
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }
}

/// An object of a collection, with its position.
pub(crate) type Item<'s> = (u64, Cow<'s, Document>);

/// One page, before it becomes an answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Map<String, Value>>,
    next: Next,
}

/// The target of a nextLink.
#[derive(Debug)]
enum Next {
    Nothing,
    Beginning,
    After(Mark),
}

/// Takes a page from `items`. They must start after the mark of the query and be in order of
/// position. If the query sorts, they must be all objects.
pub(crate) fn page<'s>(
    query: &Query,
    items: impl Iterator<Item = Item<'s>>,
    show: impl Fn(u64, &Document) -> Map<String, Value>,
) -> Page {
    let passing = items.filter(|(_, document)| query.lets_pass(document));
    match query.order {
        None => cut(query, passing.map(|item| (None, item)), &show),
        Some(order) => {
            let sorted = sorted(order, passing);
            let start = query.mark.as_ref().map_or(0, |mark| {
                sorted
                    .iter()
                    .position(|(key, (position, _))| mark.after == *position && mark.key == *key)
                    .map_or_else(|| passed(order, mark, &sorted), |position| position + 1)
            });
            cut(query, sorted.into_iter().skip(start), &show)
        }
    }
}

type Keyed<'s> = (Option<String>, Item<'s>);

/// The number of objects before the mark, if the marked object no longer exists.
fn passed(order: OrderBy, mark: &Mark, sorted: &[Keyed<'_>]) -> usize {
    let before = |key: &Option<String>| {
        if order.descending { *key > mark.key } else { *key < mark.key }
    };
    sorted.partition_point(|(key, _)| before(key))
}

fn sorted<'s>(order: OrderBy, items: impl Iterator<Item = Item<'s>>) -> Vec<Keyed<'s>> {
    let mut sorted: Vec<Keyed<'s>> = items
        .map(|(position, document)| {
            let key = document.get(order.name).and_then(Value::as_str).map(str::to_lowercase);
            (key, (position, document))
        })
        .collect();
    sorted.sort_by(|(left, (first, _)), (right, (second, _))| {
        let by_key = if order.descending { right.cmp(left) } else { left.cmp(right) };
        by_key.then(first.cmp(second))
    });
    sorted
}

fn cut<'s>(
    query: &Query,
    mut items: impl Iterator<Item = Keyed<'s>>,
    show: &impl Fn(u64, &Document) -> Map<String, Value>,
) -> Page {
    if query.paging == Paging::Empty {
        let next = match (&query.mark, items.next()) {
            (_, None) => Next::Nothing,
            (None, Some(_)) => Next::Beginning,
            (Some(mark), Some(_)) => Next::After(mark.clone()),
        };
        return Page { rows: Vec::new(), next };
    }
    let mut rows = Vec::new();
    let (mut last, mut before) = (None, None);
    // Read one object more than fits, because a full page at the end of the list has no link.
    let more = items.try_for_each(|(key, (position, document))| {
        if rows.len() == query.top {
            return ControlFlow::Break(());
        }
        rows.push(show(position, &document));
        before = last.replace(Mark { after: position, key });
        ControlFlow::Continue(())
    });
    let last = match (query.paging, before) {
        (Paging::Overlapping, Some(before)) => Some(before),
        _ => last,
    };
    let next = last.filter(|_| more.is_break()).map_or(Next::Nothing, Next::After);
    Page { rows, next }
}

impl Page {
    /// Returns the answer. Calls `count` only if the client asked for it and this is the first page.
    pub(crate) fn answer(
        self,
        call: &Call,
        query: &Query,
        context: &str,
        count: impl FnOnce() -> u64,
    ) -> Answer {
        let mut body = Map::new();
        body.insert("@odata.context".to_owned(), json!(call.context(context)));
        if query.count && query.mark.is_none() {
            body.insert("@odata.count".to_owned(), json!(count()));
        }
        let token = match &self.next {
            Next::Nothing => None,
            Next::Beginning => Some(BASE64_URL_SAFE_NO_PAD.encode(r#"{"begin":true}"#)),
            Next::After(mark) => Some(mark.token()),
        };
        if let Some(token) = token {
            body.insert("@odata.nextLink".to_owned(), json!(link(call, &token)));
        }
        let rows = self.rows.into_iter().map(Value::Object).collect();
        body.insert("value".to_owned(), Value::Array(rows));
        Answer::json(200, body)
    }
}

fn link(call: &Call, token: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &call.query {
        if name.trim_start_matches('$') != "skiptoken" {
            query.append_pair(name, value);
        }
    }
    query.append_pair("$skiptoken", token);
    // A dollar sign needs no escape, and Graph does not escape it.
    let query = query.finish().replace("%24", "$");
    format!("{}{}?{query}", call.root, call.path)
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;
    use crate::graph::answer::Body;
    use crate::graph::call::Version;
    use crate::graph::odata::COLLECTION;
    use crate::graph::schema::USER;

    /// Follows the links from `target` to the end; `people` may change between two pages.
    fn walk(target: &str, mut people: impl FnMut(usize) -> Vec<(u64, Document)>) -> Vec<Vec<u64>> {
        let mut pages = Vec::new();
        let mut target = target.to_owned();
        loop {
            let call = Call::new("http://h:1", Version::V1, Method::GET, &target);
            let query = Query::parse(&call, &USER, &[], COLLECTION).unwrap();
            let after = match query.order {
                None => query.mark.as_ref().map(|mark| mark.after),
                Some(_) => None,
            };
            let people = people(pages.len());
            let items = people
                .iter()
                .filter(|(position, _)| after.is_none_or(|after| *position > after))
                .map(|(position, document)| (*position, Cow::Borrowed(document)));
            let page = page(&query, items, |position, _| {
                Map::from_iter([("position".to_owned(), json!(position))])
            });
            let answer = page.answer(&call, &query, "users", || 0);
            let Body::Json(body) = answer.body else { panic!() };
            let rows = body["value"].as_array().unwrap();
            pages.push(rows.iter().map(|row| row["position"].as_u64().unwrap()).collect());
            match body.get("@odata.nextLink").and_then(Value::as_str) {
                Some(link) => target = link.strip_prefix("http://h:1/v1.0").unwrap().to_owned(),
                None => return pages,
            }
        }
    }

    fn person(name: &str) -> Document {
        json!({"displayName": name}).as_object().unwrap().clone()
    }

    #[test]
    fn links_cover_all_rows_and_full_last_page_has_none() {
        let people: Vec<_> = (0..4).map(|position| (position, person("x"))).collect();
        let pages = walk("/users?$top=2&$filter=displayName eq 'x'", |_| people.clone());
        assert_eq!(pages, [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn deletion_between_two_pages_skips_no_object() {
        let pages = walk("/users?$top=2", |page| {
            let deleted = if page == 0 { 99 } else { 1 };
            (0..4)
                .filter(|position| *position != deleted)
                .map(|position| (position, person("x")))
                .collect()
        });
        assert_eq!(pages, [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn ordered_list_continues_after_the_marked_object_is_deleted() {
        let names = ["d", "b", "c", "a"];
        let pages = walk("/users?$top=2&$orderby=displayName desc", |page| {
            names
                .iter()
                .enumerate()
                .filter(|(_, name)| page == 0 || **name != "c")
                .map(|(index, name)| (index as u64, person(name)))
                .collect()
        });
        assert_eq!(pages, [vec![0, 2], vec![1, 3]]);
    }

    #[test]
    fn unknown_page_token_is_refused() {
        assert_eq!(Mark::read("nonsense").unwrap_err().code, "Directory_ExpiredPageToken");
    }
}
