//! Who asks, and the token that proves it.
//!
//! Microsoft's own library speaks to Entra; here is which of its ways is taken, how a token is
//! renewed before it expires or when Graph refuses it, and what a failure means. Not here: what a
//! token's permissions are needed for (`entra`).

use std::error::Error as _;
use std::fmt;
use std::iter::successors;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::{
    AsyncRawResponse, ClientOptions, ExponentialRetryOptions, HttpClient, RetryOptions, Transport,
};
use azure_core::time::{Duration, OffsetDateTime};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
};
use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;
use url::Url;

use super::endpoint::Endpoints;
use super::error::{Error, Kind, NO_CONNECTION, deepest};
use super::retry::Pace;
use super::token::Token;

/// A token with less time left than this is renewed before it is used.
const RENEW_BEFORE: Duration = Duration::minutes(5);

/// A way to get tokens. It holds nothing that its `Debug` would show in full.
#[derive(Clone)]
pub struct Credential(Way);

#[derive(Clone)]
enum Way {
    ClientSecret { tenant: String, client_id: String, secret: Secret },
    DeveloperTools { tenant: Option<String> },
}

impl Credential {
    /// An application that knows its secret.
    pub fn client_secret(
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self(Way::ClientSecret {
            tenant: tenant.into(),
            client_id: client_id.into(),
            secret: Secret::new(secret.into()),
        })
    }

    /// Whoever is signed in with `az`, else with `azd`.
    #[must_use]
    pub const fn developer_tools(tenant: Option<String>) -> Self {
        Self(Way::DeveloperTools { tenant })
    }

    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` where both are set, of the given tenant or that
    /// of `AZURE_TENANT_ID`; the tools' sign-in otherwise.
    pub fn from_environment(tenant: Option<&str>) -> Result<Self, Error> {
        Self::from_variables(tenant, |name| std::env::var(name).ok())
    }

    fn from_variables(
        tenant: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let tenant = tenant.map(str::to_owned).or_else(|| variable("AZURE_TENANT_ID"));
        match (variable("AZURE_CLIENT_ID"), variable("AZURE_CLIENT_SECRET"), tenant) {
            (Some(client_id), Some(secret), Some(tenant)) => {
                Ok(Self::client_secret(tenant, client_id, secret))
            }
            (Some(_), Some(_), None) => Err(failed("`AZURE_TENANT_ID` is not set")),
            (None, Some(_), _) => Err(failed("`AZURE_CLIENT_ID` is not set")),
            (_, None, tenant) => Ok(Self::developer_tools(tenant)),
        }
    }

    /// A fresh instance of the library's credentials, without any token in their caches: the
    /// first that gives one counts.
    fn open(
        &self,
        endpoints: &Endpoints,
        http: &reqwest::Client,
        pace: Pace,
    ) -> azure_core::Result<Vec<Arc<dyn TokenCredential>>> {
        match &self.0 {
            // A person's token opens the real Graph: it is not for a stand-in.
            Way::DeveloperTools { .. } if endpoints.graph().scheme() == "http" => {
                Err(azure_core::Error::with_message(
                    azure_core::error::ErrorKind::Credential,
                    "a sign-in with `az` is not sent over plain http",
                ))
            }
            Way::ClientSecret { tenant, client_id, secret } => {
                let options = ClientSecretCredentialOptions {
                    client_options: client_options(endpoints.login(), http, pace),
                };
                Ok(vec![ClientSecretCredential::new(
                    tenant,
                    client_id.clone(),
                    secret.clone(),
                    Some(options),
                )?])
            }
            // The library's own chain of the two cannot be told the tenant.
            Way::DeveloperTools { tenant } => Ok(vec![
                AzureCliCredential::new(Some(AzureCliCredentialOptions {
                    tenant_id: tenant.clone(),
                    ..Default::default()
                }))?,
                AzureDeveloperCliCredential::new(Some(AzureDeveloperCliCredentialOptions {
                    tenant_id: tenant.clone(),
                    ..Default::default()
                }))?,
            ]),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::ClientSecret { tenant, client_id, .. } => f
                .debug_struct("ClientSecret")
                .field("tenant", tenant)
                .field("client_id", client_id)
                .finish_non_exhaustive(),
            Way::DeveloperTools { tenant } => {
                f.debug_struct("DeveloperTools").field("tenant", tenant).finish()
            }
        }
    }
}

/// The tokens of one client. One is fetched at a time, whoever waits for it.
pub(super) struct Tokens {
    credential: Credential,
    endpoints: Endpoints,
    http: reqwest::Client,
    pace: Pace,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    sources: Vec<Arc<dyn TokenCredential>>,
    token: Option<AccessToken>,
}

impl Tokens {
    pub(super) fn new(
        credential: Credential,
        endpoints: Endpoints,
        http: reqwest::Client,
        pace: Pace,
    ) -> Self {
        Self { credential, endpoints, http, pace, current: Mutex::default() }
    }

    /// The value of `Authorization`, marked so that nothing prints it.
    pub(super) async fn bearer(&self) -> Result<HeaderValue, Error> {
        let mut current = self.current.lock().await;
        header(self.token(&mut current).await?)
    }

    /// Another one than Graph has just refused, if only because somebody else has renewed it.
    pub(super) async fn renewed(&self, refused: &HeaderValue) -> Result<HeaderValue, Error> {
        let mut current = self.current.lock().await;
        let held = header(self.token(&mut current).await?)?;
        if held != *refused {
            return Ok(held);
        }
        *current = Current::default();
        header(self.token(&mut current).await?)
    }

    /// What the token says about itself.
    pub(super) async fn describe(&self) -> Result<Token, Error> {
        let mut current = self.current.lock().await;
        Ok(Token::decode(self.token(&mut current).await?.token.secret()))
    }

    async fn token<'a>(&self, current: &'a mut Current) -> Result<&'a AccessToken, Error> {
        let now = OffsetDateTime::now_utc();
        if current.token.as_ref().is_none_or(|token| token.expires_on <= now + RENEW_BEFORE) {
            current.token = Some(self.fetch(&mut current.sources).await?);
        }
        current.token.as_ref().ok_or_else(|| failed("none was given"))
    }

    async fn fetch(
        &self,
        sources: &mut Vec<Arc<dyn TokenCredential>>,
    ) -> Result<AccessToken, Error> {
        if sources.is_empty() {
            *sources = self
                .credential
                .open(&self.endpoints, &self.http, self.pace)
                .map_err(|error| failed(&error.to_string()))?;
        }
        let scope = self.endpoints.scope();
        let mut failure = None;
        for source in sources.iter() {
            match source.get_token(&[&scope], None).await {
                Ok(token) => return Ok(token),
                // The first way is the usual one: its reason is the one to tell.
                Err(error) => failure = failure.or(Some(refused(&error))),
            }
        }
        Err(failure.unwrap_or_else(|| failed("there is no way to get one")))
    }
}

fn header(token: &AccessToken) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.token.secret()))
        .map_err(|_| failed("it is no text for a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The library's options for one authority. It is named always: otherwise an environment variable
/// of the library would decide where the secret goes.
fn client_options(login: &Url, http: &reqwest::Client, pace: Pace) -> ClientOptions {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = login.as_str().replacen("http://", "https://", 1);
    let transport: Arc<dyn HttpClient> = if login.scheme() == "http" {
        Arc::new(Local { login: login.clone(), http: http.clone() })
    } else {
        Arc::new(http.clone())
    };
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        transport: Some(Transport::new(transport)),
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            initial_delay: Duration::try_from(pace.base).unwrap_or(Duration::SECOND),
            max_retries: pace.tries.saturating_sub(1),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Takes what the library means for `https` to an authority on this machine that speaks plain
/// http. The library itself refuses such a one. [`Endpoints`] has checked that it is local.
#[derive(Debug)]
struct Local {
    login: Url,
    http: reqwest::Client,
}

#[async_trait::async_trait]
impl HttpClient for Local {
    async fn execute_request(
        &self,
        request: &azure_core::http::Request,
    ) -> azure_core::Result<AsyncRawResponse> {
        let mut local = request.clone();
        let mut url = self.login.clone();
        url.set_path(request.url().path());
        url.set_query(request.url().query());
        *local.url_mut() = url;
        self.http.execute_request(&local).await
    }
}

fn failed(message: &str) -> Error {
    Error::new(Kind::Token, &Method::POST, "/oauth2/v2.0/token").with_message(message)
}

/// Entra's own words begin with their number, `AADSTS7000215: Invalid client secret provided.`, and
/// end where its ids do. The library repeats them escaped where they hold more than one line.
fn refused(error: &azure_core::Error) -> Error {
    let text = error.to_string();
    let Some((_, said)) = text.split_once("AADSTS") else {
        let mut causes = successors(error.source(), |&cause| cause.source());
        if causes.any(|cause| cause.is::<reqwest::Error>()) {
            return failed(&deepest(error)).with_help(NO_CONNECTION);
        }
        let (_, reason) = text.split_once("authentication failed.").unwrap_or(("", &text));
        return failed(reason);
    };
    let (number, words) = said.split_once(':').unwrap_or((said, ""));
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    let words = ["\\r", "\\n", "\r", "\n", "Trace ID:"]
        .iter()
        .filter_map(|end| words.find(end))
        .min()
        .and_then(|end| words.get(..end))
        .unwrap_or(words);
    failed(words).with_code(&format!("AADSTS{number}"))
}

/// Microsoft Entra documentation, "Microsoft Entra authentication and authorization error codes"
/// (checked 2026-11).
pub(super) fn help(code: &str) -> Option<&'static str> {
    match code {
        "" => Some("sign in with `az login`, or set `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`"),
        "AADSTS7000215" => Some("`AZURE_CLIENT_SECRET` must be the secret's value, not its id"),
        "AADSTS7000222" => Some("the secret has expired: add a new one to the application"),
        "AADSTS700016" => {
            Some("check `AZURE_CLIENT_ID`, and that the application is in this tenant")
        }
        "AADSTS90002" | "AADSTS900023" => Some("check the tenant's id or domain"),
        "AADSTS500011" => Some("check that the tenant is in the cloud that was asked"),
        "AADSTS700024" => Some("check the clock of this machine"),
        "AADSTS50076" | "AADSTS50079" => Some("sign in again with `az login`: MFA is demanded"),
        "AADSTS50173" | "AADSTS700082" => Some("sign in again with `az login`"),
        "AADSTS53003" => Some("a Conditional Access policy blocks this sign-in"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
