//! Sends the requests of Microsoft's library with our HTTP clients, and only to the known hosts.
//!
//! Not here: what went wrong, in words (`refusal`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::error::ErrorKind;
use azure_core::http::response::AsyncResponseBody;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, ExponentialRetryOptions, HttpClient, Request, RetryOptions,
    Transport,
};
use azure_core::time::Duration;
use futures_util::StreamExt as _;
use serde::de::IgnoredAny;
use url::Url;

use super::super::body::{MOST_OF_OTHERS, too_long};
use super::super::endpoint::is_beside;
use super::super::error::cause::{deepest, is_about_trust};
use super::super::http::Http;
use super::super::retry::Pace;
use crate::transport::same_origin;

const NO_SERVICE: &str =
    "no managed identity service answers here: this is not a machine or an app in Azure";

/// The library's transport. It sends to the sign-in service and to at most one other host; a request to any
/// other host is not sent.
#[derive(Debug)]
pub(super) struct Wire {
    http: Http,
    pace: Pace,
    /// The address under which the library knows the sign-in service. The library accepts only https, so
    /// for a sign-in service on this machine with plain http this differs from `login`.
    authority: Url,
    login: Url,
    /// The other host: its address in the library, and its real address.
    beside: Option<(Url, Url)>,
    /// The number of connections that could not be made.
    unconnected: AtomicU32,
}

impl Wire {
    pub(super) fn new(login: Url, http: Http, pace: Pace) -> Self {
        let name = login.as_str().replacen("http://", "https://", 1);
        let authority = Url::parse(&name).unwrap_or_else(|_| login.clone());
        Self { http, pace, authority, login, beside: None, unconnected: AtomicU32::new(0) }
    }

    /// Sends requests that the library addresses to the origin of `named` to the origin of `at`.
    pub(super) fn and(mut self, named: Url, at: Url) -> Self {
        self.beside = Some((named, at));
        self
    }

    /// Returns the library's options for this transport. They always name the authority: otherwise an
    /// environment variable of the library would decide where the secret is sent.
    pub(super) fn options(self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.authority.as_str().to_owned();
        let pace = self.pace;
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            transport: Some(Transport::new(Arc::new(self))),
            retry: RetryOptions::exponential(ExponentialRetryOptions {
                initial_delay: Duration::try_from(pace.base).unwrap_or(Duration::SECOND),
                max_retries: pace.tries.saturating_sub(1),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// Returns whether the unreachable host is Azure's own service next to this machine. It will not appear
    /// later, and the library would wait for it for more than a minute.
    fn is_local_service(&self, url: &Url, error: &azure_core::Error) -> bool {
        *error.kind() == ErrorKind::Connection && is_beside(url) && !same_origin(url, &self.login)
    }

    /// Returns whether a connection failed for a reason that will not change, or failed too often.
    fn gives_up(&self, error: &azure_core::Error) -> bool {
        *error.kind() == ErrorKind::Connection
            && (is_about_trust(&deepest(error))
                || self.unconnected.fetch_add(1, Ordering::Relaxed) + 1 >= self.pace.connects)
    }

    /// Returns the address that a request is really sent to.
    fn target(&self, url: &Url) -> azure_core::Result<Url> {
        let at = if same_origin(url, &self.authority) {
            &self.login
        } else {
            match &self.beside {
                Some((named, at)) if same_origin(url, named) => at,
                _ => {
                    let host = url.origin().ascii_serialization();
                    return Err(stop(format!("nothing is sent to `{host}`")));
                }
            }
        };
        let mut target = at.clone();
        target.set_path(url.path());
        target.set_query(url.query());
        Ok(target)
    }
}

#[async_trait::async_trait]
impl HttpClient for Wire {
    /// Reads the body here. So a body that is incomplete, or a success without JSON, is a failed request,
    /// and the library sends it again.
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut sent = request.clone();
        *sent.url_mut() = self.target(request.url())?;
        let client = self.http.to(sent.url()).map_err(|error| stop(error.to_string()))?;
        let answer = match client.execute_request(&sent).await {
            Err(error) if self.is_local_service(sent.url(), &error) => {
                return Err(stop(NO_SERVICE.to_owned()));
            }
            Err(error) if self.gives_up(&error) => {
                return Err(azure_core::Error::new(ErrorKind::Credential, error));
            }
            answer => answer?,
        };
        let (status, headers, body) = answer.deconstruct();
        let body = bounded(body).await?;
        if status.is_success() && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
            let message = format!("the answer to the token request is not JSON ({status})");
            return Err(azure_core::Error::with_message(ErrorKind::Io, message));
        }
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// Reads the whole body, unless it is longer than any answer of a sign-in service.
async fn bounded(mut body: AsyncResponseBody) -> azure_core::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MOST_OF_OTHERS {
            return Err(stop(too_long(MOST_OF_OTHERS)));
        }
    }
    Ok(bytes)
}

/// Returns an error that the library does not retry.
pub(super) fn stop(message: String) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Credential, message)
}
