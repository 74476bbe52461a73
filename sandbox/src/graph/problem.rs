//! Graph's refusals: status, code and message in its error envelope.
//!
//! Graph documentation (error responses): clients must branch on the status and the code; the
//! directory spells codes `Request_…`, the authentication workload in lower camel case.
//!
//! Not here: the errors of the token endpoint (`aadsts`).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::graph::answer::{Answer, Body};

/// A refusal by Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The seconds to wait, if the caller must try again later.
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), retry_after: None }
    }

    /// The directory does not accept the request.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// The OData layer in front of the directory does not understand the query.
    pub(crate) fn bad_query(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The query is understood but not supported.
    pub(crate) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    pub(crate) fn unknown_segment(segment: &str) -> Self {
        Self::bad_query(format!("Resource not found for the segment '{segment}'."))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    /// No such object in the directory.
    pub(crate) fn not_found(key: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{key}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// The authentication workload does not accept the request.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalidRequest", message)
    }

    /// The authentication workload has no such object.
    pub(crate) fn resource_not_found(message: impl Into<String>) -> Self {
        Self::new(404, "resourceNotFound", message)
    }

    /// The error envelope, with the ids that the client can quote in a support request.
    pub(crate) fn into_answer(
        self,
        request_id: Option<&str>,
        client_request_id: Option<&str>,
    ) -> Answer {
        let request_id = request_id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let client_request_id = client_request_id.unwrap_or(&request_id);
        let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body: Value = json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": date,
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                },
            }
        });
        let retry_after = self.retry_after.map(|seconds| ("Retry-After", seconds.to_string()));
        Answer {
            status: self.status,
            headers: retry_after.into_iter().collect(),
            body: Body::Json(body),
        }
    }
}
