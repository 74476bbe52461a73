//! One request to Graph and what its handler returns, independent of HTTP. A part of a batch and a single request
//! are the same thing here and are handled in the same way.
//!
//! Not here: which function answers (`route`), or how bytes are read and written (`server`, `batch`).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;
use url::form_urlencoded;

use crate::graph::answer::Answer;
use crate::graph::answering::Undocumented;
use crate::graph::problem::Problem;
use crate::records::Document;
use crate::state::effect::Effect;

/// The two versions of Graph. Some paths exist in only one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    V1,
    Beta,
}

impl Version {
    /// The first segment of a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }

    pub(crate) fn from_segment(segment: &str) -> Option<Self> {
        match segment {
            "v1.0" => Some(Self::V1),
            "beta" => Some(Self::Beta),
            _ => None,
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    Nothing,
    Json(Value),
    /// There is a body, but no header declares it as JSON.
    Untyped,
    Malformed,
}

impl Payload {
    pub(crate) fn from_bytes(bytes: &[u8], content_type: Option<&str>) -> Self {
        if bytes.is_empty() {
            return Self::Nothing;
        }
        if !content_type.is_some_and(is_json) {
            return Self::Untyped;
        }
        serde_json::from_slice(bytes).map_or(Self::Malformed, Self::Json)
    }
}

pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// How lists are cut into pages.
///
/// Graph documentation (paging), checked 2026-11: a page may be empty and have a nextLink, and a row
/// that moves while a list is read may appear twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Paging {
    #[default]
    Plain,
    /// This page has no rows; the next one has them.
    Empty,
    /// The next page begins with the last row of this one.
    Overlapping,
}

/// A request under `/v1.0` or `/beta`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Scheme and host as the client wrote them: links in answers start with it.
    pub(crate) root: String,
    pub(crate) version: Version,
    pub(crate) method: Method,
    /// The decoded segments below the version.
    pub(crate) segments: Vec<String>,
    /// The path below the root, version included, as it was sent but without doubled slashes.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Whether `ConsistencyLevel: eventual` was sent.
    pub(crate) eventual: bool,
    pub(crate) payload: Payload,
    pub(crate) paging: Paging,
    pub(crate) undocumented: Undocumented,
    /// The client id of the caller.
    pub(crate) app: Option<String>,
    /// The permissions of the token; `None` if permissions are not checked.
    pub(crate) roles: Option<Arc<BTreeSet<String>>>,
    /// The id that the server gave this request, as in the headers of the answer.
    pub(crate) request_id: Option<String>,
    pub(crate) client_request_id: Option<String>,
}

impl Call {
    /// Creates a call from a path and query below the version: `/users?$top=5`.
    pub(crate) fn new(root: &str, version: Version, method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let raw: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        Self {
            root: root.to_owned(),
            version,
            method,
            segments: raw.iter().flat_map(|part| segment(part)).collect(),
            path: format!("/{}/{}", version.as_str(), raw.join("/")),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            eventual: false,
            payload: Payload::Nothing,
            paging: Paging::Plain,
            undocumented: Undocumented::default(),
            app: None,
            roles: None,
            request_id: None,
            client_request_id: None,
        }
    }

    /// Returns the body as an object, or Graph's refusal of any other body.
    pub(crate) fn body(&self) -> Result<&Document, Problem> {
        match &self.payload {
            Payload::Json(Value::Object(object)) => Ok(object),
            Payload::Json(_) | Payload::Malformed => Err(Problem::bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )),
            Payload::Nothing => Err(Problem::bad_request("Empty Payload. JSON content expected.")),
            Payload::Untyped => Err(Problem::new(
                400,
                "RequestBodyRead",
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            )),
        }
    }

    /// The `@odata.context` for a path under `$metadata#`.
    pub(crate) fn context(&self, what: &str) -> String {
        format!("{}/{}/$metadata#{what}", self.root, self.version.as_str())
    }

    /// The address of an object below the version.
    pub(crate) fn location(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.root, self.version.as_str())
    }

    /// Graph's refusal of this call.
    pub(crate) fn refuse(&self, problem: Problem) -> Answer {
        problem.into_answer(self.request_id.as_deref(), self.client_request_id.as_deref())
    }

    /// Whether the caller has a permission. Without a check of permissions, every caller has all.
    pub(crate) fn has_role(&self, name: &str) -> bool {
        self.roles.as_ref().is_none_or(|roles| roles.contains(name))
    }

    /// Whether the call follows a nextLink.
    pub(crate) fn follows_a_link(&self) -> bool {
        self.query.iter().any(|(name, _)| name.trim_start_matches('$') == "skiptoken")
    }

    /// Whether the call is a write. Some reads are sent as a POST.
    pub(crate) fn is_write(&self) -> bool {
        if self.method == Method::GET {
            return false;
        }
        let last = self.segments.last().map_or("", String::as_str);
        !matches!(
            last.trim_start_matches("microsoft.graph."),
            "getByIds" | "getMemberGroups" | "checkMemberGroups" | "$batch"
        )
    }
}

/// Decodes a segment. `users('x')` is another way to write `users/x`, so it becomes two segments.
fn segment(raw: &str) -> Vec<String> {
    let decoded = decode(raw);
    let keyed = decoded
        .strip_suffix("')")
        .and_then(|rest| rest.split_once("('"))
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    match keyed {
        Some((name, key)) => vec![name.to_owned(), key.replace("''", "'")],
        None => vec![decoded],
    }
}

/// Decodes percent-encoding. Unlike in a query, a plus sign is a plus sign.
fn decode(raw: &str) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        (rest, bytes) = match (code, tail) {
            (Some((high, low)), [_, _, after @ ..]) => (after, push(bytes, high * 16 + low)),
            _ => (tail, push(bytes, *first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The result of a handler: the answer, and the effects of a write. The service stores the effects
/// before it sends the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) effects: Vec<Effect>,
    pub(crate) answer: Answer,
}

/// The outcome of a read, which has no effects.
pub(crate) fn read(answer: Answer) -> Result<Outcome, Problem> {
    wrote(Vec::new(), answer)
}

pub(crate) fn wrote(effects: Vec<Effect>, answer: Answer) -> Result<Outcome, Problem> {
    Ok(Outcome { effects, answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(target: &str) -> Call {
        Call::new("http://x", Version::V1, Method::GET, target)
    }

    #[test]
    fn doubled_slashes_are_ignored_and_segments_are_decoded() {
        let call = call("//users//a%23EXT%23+b@x.nl?$top=5&$filter=a+eq+%27b%27");
        assert_eq!(call.segments, ["users", "a#EXT#+b@x.nl"]);
        assert_eq!(call.path, "/v1.0/users/a%23EXT%23+b@x.nl");
        assert_eq!(call.query.last(), Some(&("$filter".into(), "a eq 'b'".into())));
    }

    #[test]
    fn key_in_parentheses_is_a_segment_of_its_own() {
        assert_eq!(
            call("/users('o''neil@x.nl')/authentication").segments,
            ["users", "o'neil@x.nl", "authentication"]
        );
    }

    #[test]
    fn incomplete_percent_encoding_is_kept_as_it_is() {
        assert_eq!(call("/users/a%4").segments, ["users", "a%4"]);
    }
}
