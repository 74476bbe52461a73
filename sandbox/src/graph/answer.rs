//! The answer to a request, independent of HTTP.
//!
//! Not here: the errors of Graph (`problem`), or how an answer is sent (`delivery`).

use serde_json::{Map, Value};

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Text(String),
}

impl Answer {
    pub(crate) fn json(status: u16, body: Map<String, Value>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(Value::Object(body)) }
    }

    pub(crate) fn text(text: String) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Text(text) }
    }

    /// Turns the answer into a 201 with the location of the object.
    pub(crate) fn created(self, location: String) -> Self {
        Self { status: 201, headers: vec![("Location", location)], ..self }
    }

    /// 204, Graph's answer to a change.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Body::Empty }
    }
}
