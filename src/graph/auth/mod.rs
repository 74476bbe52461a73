//! Credentials, and the tokens that they give.
//!
//! Microsoft's own library talks to Entra; this module decides which of its credentials is used. `choose`
//! selects it from the environment, `tokens` keeps the tokens, `wire` sends the library's requests,
//! `certificate`, `github`, `managed` and `workload` hold what one credential needs in addition, `subject`
//! keeps what the identity token of a job says, and `refusal` says what went wrong.
//! Not here: what a token's permissions are needed for (`entra`).

mod certificate;
mod choose;
mod github;
mod managed;
mod refusal;
mod subject;
mod tokens;
mod wire;
mod workload;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use url::Url;

use super::endpoint::Endpoints;
use super::error::Error;
use super::http::Http;
use super::retry::Pace;
use certificate::Certificate;
pub use choose::CredentialKind;
use github::GitHub;
use managed::Service;
pub(super) use refusal::help;
pub use subject::JobToken;
use subject::LastToken;
use subject::NotedAssertion;
pub(super) use tokens::{CachedToken, Tokens};
use wire::Wire;
use workload::Workload;

/// A credential that gives tokens. Its `Debug` output shows no secret.
#[derive(Clone)]
pub struct Credential(Way);

#[derive(Clone)]
enum Way {
    ClientSecret { app: App, secret: Secret },
    ClientCertificate { app: App, path: PathBuf },
    WorkloadIdentity { app: App, path: PathBuf },
    GithubActions { app: App, url: Url, token: Secret },
    AzurePipelines { app: App, url: Url, connection: String, token: Secret },
    ManagedIdentity { client_id: Option<String>, service: Service },
    Tools { tenant: Option<String>, tools: &'static [Tool] },
}

/// An application, and the tenant that it reads.
#[derive(Clone)]
struct App {
    tenant: String,
    client_id: String,
    /// The identity token that it signed in with last, if it signs in with one.
    last: LastToken,
}

/// A command-line program that a person has used to sign in.
#[derive(Clone, Copy)]
enum Tool {
    Az,
    Azd,
}

type Source = Arc<dyn TokenCredential>;

impl Credential {
    /// Returns the credential of an application with a client secret.
    pub fn client_secret(
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        let app = App::new(tenant.into(), client_id.into());
        Self(Way::ClientSecret { app, secret: Secret::new(secret.into()) })
    }

    /// Returns the credential of the person who is signed in with `az`, otherwise with `azd`.
    #[must_use]
    pub const fn developer_tools(tenant: Option<String>) -> Self {
        Self(Way::Tools { tenant, tools: &[Tool::Az, Tool::Azd] })
    }

    /// Describes the credential and its owner in words, without any secret.
    #[must_use]
    pub fn describe(&self) -> String {
        let (what, app) = match &self.0 {
            Way::ClientSecret { app, .. } => ("the secret".to_owned(), app),
            Way::ClientCertificate { app, path } => {
                (format!("the certificate in `{}`", path.display()), app)
            }
            Way::WorkloadIdentity { app, path } => {
                (format!("the workload identity token in `{}`", path.display()), app)
            }
            Way::GithubActions { app, .. } => {
                ("the identity token of this GitHub Actions job".to_owned(), app)
            }
            Way::AzurePipelines { app, connection, .. } => {
                (format!("the service connection `{connection}` of Azure Pipelines"), app)
            }
            Way::ManagedIdentity { client_id, service } => {
                let name = client_id.as_ref().map(|id| format!(" `{id}`")).unwrap_or_default();
                return format!("the managed identity{name} of {service}");
            }
            Way::Tools { tools, .. } => {
                let names: Vec<_> = tools.iter().map(|tool| format!("`{}`", tool.name())).collect();
                return format!("the sign-in of {}", names.join(", otherwise of "));
            }
        };
        format!("{what}, as application `{}`", app.client_id)
    }

    /// Returns the identity token of this job, if it was used to sign in.
    #[must_use]
    pub fn job_token(&self) -> Option<JobToken> {
        match &self.0 {
            Way::GithubActions { app, .. } | Way::WorkloadIdentity { app, .. } => app.last.get(),
            // The subject of a service connection is the connection.
            Way::AzurePipelines { .. }
            | Way::ClientSecret { .. }
            | Way::ClientCertificate { .. }
            | Way::ManagedIdentity { .. }
            | Way::Tools { .. } => None,
        }
    }

    /// Returns fresh instances of the library's credentials, so that no token is in their caches. The
    /// caller uses the first that gives a token.
    fn open(&self, endpoints: &Endpoints, http: &Http, pace: Pace) -> Result<Vec<Source>, Error> {
        let wire = Wire::new(endpoints.login().clone(), http.clone(), pace);
        let source = match &self.0 {
            Way::ClientSecret { app, secret } => of_secret(app, secret, wire),
            Way::ClientCertificate { app, path } => {
                let certificate = Certificate::read(path, app, endpoints.login())?;
                app.by_assertion(certificate, wire)
            }
            Way::WorkloadIdentity { app, path } => app.by_assertion(Workload::read(path)?, wire),
            Way::GithubActions { app, url, token } => {
                let audience = endpoints.cloud().exchange();
                let github = GitHub::new(url, token.clone(), audience, http.clone(), pace);
                app.by_assertion(github, wire)
            }
            Way::AzurePipelines { app, url, connection, token } => {
                of_pipeline(app, connection, token, wire.and(url.clone(), url.clone()))
            }
            Way::ManagedIdentity { client_id, service } => service.open(client_id.as_deref(), wire),
            Way::Tools { tenant, tools } => return of_tools(tenant.as_deref(), tools, endpoints),
        };
        source.map(|source| vec![source]).map_err(|error| refusal::of_library(&error))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.describe())
    }
}

impl App {
    fn new(tenant: String, client_id: String) -> Self {
        Self { tenant, client_id, last: LastToken::default() }
    }

    fn by_assertion<A: ClientAssertion + 'static>(
        &self,
        assertion: A,
        wire: Wire,
    ) -> azure_core::Result<Source> {
        let options = ClientAssertionCredentialOptions { client_options: wire.options() };
        let (tenant, id) = (self.tenant.clone(), self.client_id.clone());
        let noted = NotedAssertion { source: assertion, last: self.last.clone() };
        Ok(ClientAssertionCredential::new(tenant, id, noted, Some(options))?)
    }
}

impl Tool {
    const fn name(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::Azd => "azd",
        }
    }
}

fn of_secret(app: &App, secret: &Secret, wire: Wire) -> azure_core::Result<Source> {
    let options = ClientSecretCredentialOptions { client_options: wire.options() };
    let id = app.client_id.clone();
    Ok(ClientSecretCredential::new(&app.tenant, id, secret.clone(), Some(options))?)
}

fn of_pipeline(
    app: &App,
    connection: &str,
    token: &Secret,
    wire: Wire,
) -> azure_core::Result<Source> {
    let options = AzurePipelinesCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options: wire.options() },
    };
    let (tenant, id) = (app.tenant.clone(), app.client_id.clone());
    Ok(AzurePipelinesCredential::new(tenant, id, connection, token.clone(), Some(options))?)
}

/// Opens the credentials of `az` and `azd` one by one: the library's own chain of the two does not accept
/// a tenant.
fn of_tools(
    tenant: Option<&str>,
    tools: &[Tool],
    endpoints: &Endpoints,
) -> Result<Vec<Source>, Error> {
    // A person's token gives access to the real Graph, so a test server must not receive it.
    if endpoints.is_stand_in() {
        return Err(refusal::failed("a token of `az` or `azd` is not sent to a local test server")
            .with_help("set `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` for the test server"));
    }
    let tenant_id = tenant.map(str::to_owned);
    let open =
        |tool: &Tool| -> azure_core::Result<Source> {
            let tenant_id = tenant_id.clone();
            match tool {
                Tool::Az => Ok(AzureCliCredential::new(Some(AzureCliCredentialOptions {
                    tenant_id,
                    ..Default::default()
                }))?),
                Tool::Azd => Ok(AzureDeveloperCliCredential::new(Some(
                    AzureDeveloperCliCredentialOptions { tenant_id, ..Default::default() },
                ))?),
            }
        };
    tools.iter().map(open).collect::<Result<_, _>>().map_err(|error| refusal::of_library(&error))
}

#[cfg(test)]
mod flows;
#[cfg(test)]
mod tests;
