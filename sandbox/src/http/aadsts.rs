//! The refusals of the token endpoint: OAuth errors with an AADSTS number.
//!
//! Microsoft identity platform documentation (error codes).
//!
//! Not here: when a token is refused (`token`), or Graph's errors (`problem`).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    error: &'static str,
    pub(crate) code: u32,
    message: String,
}

impl Refusal {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status, error, code, message: message.into() }
    }

    pub(crate) fn unknown_tenant(tenant: &str) -> Self {
        Self::new(
            400,
            "invalid_request",
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
            ),
        )
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            400,
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub(crate) fn unsupported_grant() -> Self {
        Self::new(
            400,
            "unsupported_grant_type",
            70_003,
            "The app requested an unsupported grant type.",
        )
    }

    pub(crate) fn bad_secret(client: &str) -> Self {
        Self::new(
            401,
            "invalid_client",
            7_000_215,
            format!("Invalid client secret provided for app '{client}'."),
        )
    }

    pub(crate) fn no_credential() -> Self {
        Self::new(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    }

    pub(crate) fn bad_assertion() -> Self {
        Self::new(401, "invalid_client", 50_013, "Assertion failed signature validation.")
    }

    pub(crate) fn bad_scope(scope: &str) -> Self {
        Self::new(
            400,
            "invalid_scope",
            70_011,
            format!("The provided value for the input parameter 'scope' is not valid: '{scope}'."),
        )
    }

    pub(crate) fn not_default(scope: &str) -> Self {
        Self::new(
            400,
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        )
    }

    pub(crate) fn unknown_resource(resource: &str) -> Self {
        Self::new(
            400,
            "invalid_resource",
            500_011,
            format!("The resource principal named {resource} was not found in the tenant."),
        )
    }

    pub(crate) fn body(&self) -> Value {
        let now = Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let trace = Uuid::new_v4();
        let correlation = Uuid::new_v4();
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
        })
    }
}
