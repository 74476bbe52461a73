//! `$batch`: up to twenty requests in one, each answered as if it were sent alone.
//!
//! Graph documentation (JSON batching): ids are unique without regard to case; URLs are relative
//! to the version; a part with a body names its content type; a part whose dependency failed gets
//! 424; answers come in any order. Here the answers are in the reverse order of the requests, so
//! that tests find a client that relies on the order.
//!
//! Not here: the answers of the parts (`service`).

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::graph::answer::{Answer, Body};
use crate::graph::call::{Call, Payload, is_json};
use crate::graph::problem::Problem;
use crate::http::delivery::Delivery;
use crate::records::Document;
use crate::service::{Cut, Served, Service};

/// The maximum number of parts in a batch.
const MOST_PARTS: usize = 20;

#[derive(Debug)]
struct Part<'b> {
    id: &'b str,
    /// The request, or the reason why it is refused.
    call: Result<Call, Problem>,
    /// The ids of the parts that must succeed before this one.
    after: Vec<String>,
}

pub(crate) fn answer(service: &Service, outer: &Call) -> Result<Served, Cut> {
    let parts = match parts(outer) {
        Ok(parts) => parts,
        Err(problem) => return Ok(Served::whole(outer.refuse(problem))),
    };
    let mut done: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::with_capacity(parts.len());
    let mut delivery = Delivery::Whole;
    for part in &parts {
        let failed = part.after.iter().any(|id| done.get(id).is_none_or(|status| *status >= 400));
        let answer = if failed {
            outer.refuse(failed_dependency())
        } else {
            match &part.call {
                Ok(call) => {
                    let served = service.answer_part(call, part.id)?;
                    if served.delivery != Delivery::Whole {
                        delivery = served.delivery;
                    }
                    served.answer
                }
                Err(problem) => outer.refuse(problem.clone()),
            }
        };
        done.insert(part.id.to_lowercase(), answer.status);
        responses.push(response(part.id, answer));
    }
    responses.reverse();
    let body = Map::from_iter([("responses".to_owned(), Value::Array(responses))]);
    Ok(Served { answer: Answer::json(200, body), delivery })
}

/// Whether the call is a batch that contains a write.
pub(crate) fn writes(call: &Call) -> bool {
    let is_batch = call.segments.first().is_some_and(|first| first == "$batch");
    let body = if is_batch { call.body().ok() } else { None };
    let requests = body.and_then(|body| body.get("requests")?.as_array());
    let is_write = |part: &Value| part["method"].as_str().is_some_and(|method| method != "GET");
    requests.into_iter().flatten().any(is_write)
}

fn failed_dependency() -> Problem {
    Problem::new(
        424,
        "FailedDependency",
        "The request was not performed because a request that it depends on failed.",
    )
}

fn invalid(what: &str) -> Problem {
    Problem::bad_query(format!("Invalid batch payload format: {what}"))
}

/// Returns the parts, or the reason why the whole batch is refused.
fn parts(outer: &Call) -> Result<Vec<Part<'_>>, Problem> {
    let body = outer.body()?;
    let requests = body
        .get("requests")
        .and_then(Value::as_array)
        .filter(|_| body.len() == 1)
        .ok_or_else(|| invalid("one property 'requests' with a list is expected."))?;
    if requests.is_empty() {
        return Err(invalid("there are no requests."));
    }
    if requests.len() > MOST_PARTS {
        return Err(Problem::bad_query(format!(
            "Number of batch request steps exceeds the maximum value of {MOST_PARTS}."
        )));
    }
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(requests.len());
    let mut ids: Vec<String> = Vec::with_capacity(requests.len());
    for request in requests {
        let request = request.as_object().ok_or_else(|| invalid("a request is an object."))?;
        let part = part(outer, request)?;
        let id = part.id.to_lowercase();
        if ids.contains(&id) {
            return Err(invalid("the ids of the requests are not unique."));
        }
        if let Some(unknown) = part.after.iter().find(|after| !ids.contains(after)) {
            return Err(invalid(&format!(
                "'dependsOn' names '{unknown}', which is no earlier request."
            )));
        }
        ids.push(id);
        parts.push(part);
    }
    Ok(parts)
}

/// Reads a part. Unknown properties are ignored: Microsoft's SDK for Python also sends `depends_on`.
fn part<'b>(outer: &Call, request: &'b Document) -> Result<Part<'b>, Problem> {
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let id =
        text("id").filter(|id| !id.is_empty()).ok_or_else(|| invalid("a request needs an id."))?;
    let method = text("method")
        .and_then(|method| Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok())
        .ok_or_else(|| invalid("a request needs a method."))?;
    let url = text("url").ok_or_else(|| invalid("a request needs a url."))?;
    let after = match request.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(value) => value
            .as_array()
            .and_then(|ids| ids.iter().map(|id| id.as_str().map(str::to_lowercase)).collect())
            .ok_or_else(|| invalid("'dependsOn' is a list of ids."))?,
    };
    let call = call(outer, method, url, request);
    Ok(Part { id, call, after })
}

/// Creates the call of a part. Only the headers of the part itself count.
fn call(outer: &Call, method: Method, url: &str, request: &Document) -> Result<Call, Problem> {
    if url.contains("://") {
        return Err(Problem::bad_query("The url of a request in a batch must be relative."));
    }
    let mut call = Call::new(&outer.root, outer.version, method, url);
    if call.segments.first().is_some_and(|first| first == "$batch") {
        return Err(Problem::bad_query("A batch cannot hold a batch."));
    }
    let headers = request.get("headers").and_then(Value::as_object);
    let header = |wanted: &str| {
        let mut headers = headers.into_iter().flatten();
        let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        value.as_str()
    };
    call.eventual = header("ConsistencyLevel")
        .is_some_and(|level| level.trim().eq_ignore_ascii_case("eventual"));
    call.client_request_id =
        header("client-request-id").map(str::to_owned).or_else(|| outer.client_request_id.clone());
    call.roles.clone_from(&outer.roles);
    call.app.clone_from(&outer.app);
    call.undocumented = outer.undocumented;
    call.payload = match request.get("body") {
        None | Some(Value::Null) => Payload::Nothing,
        Some(_) if !header("Content-Type").is_some_and(is_json) => Payload::Untyped,
        Some(body) => Payload::Json(body.clone()),
    };
    Ok(call)
}

fn response(id: &str, answer: Answer) -> Value {
    let mut headers: Map<String, Value> =
        answer.headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut response =
        Map::from_iter([("id".to_owned(), json!(id)), ("status".to_owned(), json!(answer.status))]);
    let (kind, body) = match answer.body {
        Body::Empty => (None, None),
        Body::Json(body) => (Some("application/json"), Some(body)),
        Body::Text(text) => (Some("text/plain"), Some(Value::String(text))),
    };
    if let Some(kind) = kind {
        headers.insert("Content-Type".to_owned(), json!(kind));
    }
    response.insert("headers".to_owned(), Value::Object(headers));
    if let Some(body) = body {
        response.insert("body".to_owned(), body);
    }
    Value::Object(response)
}
