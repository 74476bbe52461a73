//! Who asks, and the token that proves it.
//!
//! Microsoft's own library speaks to Entra; here is which of its ways is taken. `choose` finds it
//! by the environment, `tokens` keeps what it gives, `wire` sends the library's requests,
//! `certificate`, `github`, `managed` and `workload` are what a way needs of its own, `refusal` says what went
//! wrong. Not here: what a token's permissions are needed for (`entra`).

mod certificate;
mod choose;
mod github;
mod managed;
mod refusal;
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
pub(super) use tokens::{Held, Tokens};
use wire::Wire;
use workload::Workload;

/// A way to get tokens. It holds nothing that its `Debug` would show in full.
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

/// An application, in the tenant that it asks about.
#[derive(Clone)]
struct App {
    tenant: String,
    client_id: String,
}

/// A program that a person has signed in with.
#[derive(Clone, Copy)]
enum Tool {
    Az,
    Azd,
}

type Source = Arc<dyn TokenCredential>;

impl Credential {
    /// An application that knows its secret.
    pub fn client_secret(
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        let app = App { tenant: tenant.into(), client_id: client_id.into() };
        Self(Way::ClientSecret { app, secret: Secret::new(secret.into()) })
    }

    /// Whoever is signed in with `az`, else with `azd`.
    #[must_use]
    pub const fn developer_tools(tenant: Option<String>) -> Self {
        Self(Way::Tools { tenant, tools: &[Tool::Az, Tool::Azd] })
    }

    /// The way and whose it is, in words for a person. There is no secret in it.
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
                let whose = client_id.as_ref().map(|id| format!(" `{id}`")).unwrap_or_default();
                return format!("the managed identity{whose} of {service}");
            }
            Way::Tools { tools, .. } => {
                let names: Vec<_> = tools.iter().map(|tool| format!("`{}`", tool.name())).collect();
                return format!("the sign-in of {}", names.join(", else of "));
            }
        };
        format!("{what}, as application `{}`", app.client_id)
    }

    /// A fresh instance of the library's credentials, without any token in their caches: the
    /// first that gives one counts.
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
    fn by_assertion<A: ClientAssertion + 'static>(
        &self,
        assertion: A,
        wire: Wire,
    ) -> azure_core::Result<Source> {
        let options = ClientAssertionCredentialOptions { client_options: wire.options() };
        let (tenant, id) = (self.tenant.clone(), self.client_id.clone());
        Ok(ClientAssertionCredential::new(tenant, id, assertion, Some(options))?)
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

/// The library's own chain of the two cannot be told the tenant.
fn of_tools(
    tenant: Option<&str>,
    tools: &[Tool],
    endpoints: &Endpoints,
) -> Result<Vec<Source>, Error> {
    // A person's token opens the real Graph: it is not for a stand-in.
    if endpoints.is_stand_in() {
        return Err(refusal::failed("a sign-in of `az` or `azd` is not sent to a stand-in")
            .with_help("set `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` for it"));
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
