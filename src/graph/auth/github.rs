//! The identity token of a GitHub Actions job, which Entra accepts instead of a secret.
//!
//! GitHub documentation, "OpenID Connect reference" (checked 2026-11): a job with the permission requests
//! the token from the job's own address, with the job's own bearer token, and names the audience of the
//! token. Not here: exchanging it for a token of Graph (`wire`, `tokens`).

use azure_core::credentials::Secret;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::super::body::{Bodies, MOST_OF_OTHERS, NoBody, too_long};
use super::super::error::cause::{deepest, is_about_trust};
use super::super::http::Http;
use super::super::retry::Pace;
use super::wire::stop;

#[derive(Debug)]
pub(super) struct GitHub {
    url: Url,
    token: Secret,
    http: Http,
    pace: Pace,
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

/// The reason for a missing token, and the number of tries that this reason allows.
struct Failure {
    why: String,
    tries: u32,
}

impl GitHub {
    pub(super) fn new(url: &Url, token: Secret, audience: &str, http: Http, pace: Pace) -> Self {
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        Self { url, token, http, pace }
    }

    async fn ask(&self) -> Result<String, Failure> {
        let pace = self.pace;
        let lost = |error: reqwest::Error| {
            let connects = error.is_connect();
            let why = deepest(&error.without_url());
            let tries = match connects {
                true if is_about_trust(&why) => 1,
                true => pace.connects.min(pace.tries),
                false => pace.tries,
            };
            Failure { why, tries }
        };
        let wrong = |why: &str| Failure { why: why.to_owned(), tries: 1 };
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.token.secret()))
            .map_err(|_| wrong("`ACTIONS_ID_TOKEN_REQUEST_TOKEN` cannot be sent in a header"))?;
        bearer.set_sensitive(true);
        let client = self.http.to(&self.url).map_err(lost)?;
        let request = client.get(self.url.clone()).header(AUTHORIZATION, bearer);
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = match Bodies::default().read(response, MOST_OF_OTHERS).await {
            Err(NoBody::Lost(error)) => return Err(lost(error)),
            Err(NoBody::TooLong(most)) => return Err(wrong(&too_long(most))),
            Ok(body) => body,
        };
        if !status.is_success() {
            let passing = status.is_server_error() || status.as_u16() == 429;
            let tries = if passing { pace.tries } else { 1 };
            return Err(Failure { why: format!("it returned {}", status.as_u16()), tries });
        }
        // A success that cannot be read was cut off during transport, so another try may help.
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| Failure {
            why: "its answer cannot be read".to_owned(),
            tries: pace.tries,
        })?;
        Ok(answer.value)
    }
}

#[async_trait::async_trait]
impl ClientAssertion for GitHub {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let mut tried = 0;
        loop {
            match self.ask().await {
                Ok(token) => return Ok(token),
                Err(failure) if tried + 1 < failure.tries => {
                    tokio::time::sleep(self.pace.wait(tried, None)).await;
                    tried += 1;
                }
                Err(failure) => {
                    return Err(stop(format!("GitHub gave no identity token: {}", failure.why)));
                }
            }
        }
    }
}
