//! Which jobs get the identity that this job signs in with, as its own identity token says it. Entra exchanges
//! the token of every job whose subject the application's federated credential names.
//!
//! Not here: asking for the token (`github`, `workload`), or what the tenant permits to it (`entra`).

use std::sync::{Arc, Mutex, PoisonError};

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims of the identity token of a job.
///
/// GitHub documentation, "OpenID Connect reference", and GitLab documentation, "ID token authentication" (both
/// checked 2026-11). A missing claim is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct JobToken {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    /// GitLab: the project.
    project_path: Option<String>,
    /// GitLab: whether only some people may push to the branch, as text.
    ref_protected: Option<String>,
}

/// Where GitHub's own tokens come from.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

impl JobToken {
    fn decode(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.sub
    }

    /// Returns what to bind the federated credential to, if anybody who may push a branch gets a token with
    /// the same subject.
    #[must_use]
    pub fn is_loose(&self) -> Option<&'static str> {
        let has = |part: &str| self.sub.contains(part);
        if self.iss.starts_with(GITHUB) {
            let is_bound = has(":environment:") || has("job_workflow_ref:");
            return (!is_bound).then_some(
                "bind the federated credential to the workflow (`job_workflow_ref`) or to an environment",
            );
        }
        let is_gitlab = self.project_path.is_some();
        let is_protected = self.ref_protected.as_deref() == Some("true");
        (is_gitlab && !is_protected).then_some(
            "bind the federated credential to a protected branch, and run this job on it",
        )
    }
}

/// The last identity token of the job, without its signature.
#[derive(Debug, Clone, Default)]
pub(super) struct LastToken(Arc<Mutex<Option<JobToken>>>);

impl LastToken {
    pub(super) fn get(&self) -> Option<JobToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A source of identity tokens, whose last claims are kept.
#[derive(Debug)]
pub(super) struct NotedAssertion<A> {
    pub(super) source: A,
    pub(super) last: LastToken,
}

#[async_trait::async_trait]
impl<A: ClientAssertion> ClientAssertion for NotedAssertion<A> {
    async fn secret(&self, options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.source.secret(options).await?;
        *self.last.0.lock().unwrap_or_else(PoisonError::into_inner) = JobToken::decode(&token);
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> JobToken {
        JobToken::decode(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))).unwrap()
    }

    #[test]
    fn subject_of_a_branch_or_a_pull_request_is_loose() {
        let github = |subject: &str| {
            token(&format!(r#"{{"iss":"{GITHUB}","sub":"{subject}"}}"#)).is_loose().is_some()
        };
        assert!(github("repo:org/mfa:pull_request"));
        assert!(github("repo:org/mfa:ref:refs/heads/main"));
        assert!(!github("repo:org/mfa:environment:mfa-plan"));
        assert!(!github("repo:org/mfa:job_workflow_ref:org/flows/.github/workflows/plan.yml@v1"));
        let gitlab = |claims: &str| {
            let of = format!(r#"{{"iss":"https://gitlab.example","project_path":"a/b"{claims}}}"#);
            token(&of).is_loose().is_some()
        };
        assert!(gitlab(""));
        assert!(gitlab(r#","ref_protected":"false""#));
        assert!(!gitlab(r#","ref_protected":"true""#));
    }

    #[test]
    fn token_of_a_cluster_and_text_that_is_no_token_say_nothing() {
        let cluster = r#"{"iss":"https://oidc.example","sub":"system:serviceaccount:mfa:plan"}"#;
        assert_eq!(token(cluster).is_loose(), None);
        for text in ["", "opaque", "a.b.c", "e30..", "e30.W10.c2ln"] {
            assert_eq!(JobToken::decode(text), None, "{text}");
        }
    }
}
