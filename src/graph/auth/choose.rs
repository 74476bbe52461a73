//! Chooses the credential that the environment is set up for.
//!
//! The variables are those of Azure's own libraries and of the places where they run (Azure SDK
//! documentation, "Configure environment variables"; GitHub documentation, "OpenID Connect
//! reference"; Azure Pipelines documentation, "Use predefined variables"; all checked 2026-11).
//! `AZURE_AUTHORITY_HOST` is not among them: only `mfactl.yaml` decides where a secret is sent.
//!
//! Not here: how a credential gets its token (`tokens`, `wire`).

use std::fmt;
use std::str::FromStr;

use azure_core::credentials::Secret;
use url::Url;

use super::super::cloud::{UnknownName, named};
use super::super::error::Error;
use super::managed::Service;
use super::refusal::failed;
use super::{App, Credential, Tool, Way};
use crate::transport::is_loopback;

/// The kinds of credential, as they are written in `mfactl.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CredentialKind {
    /// The first kind whose variables are set, in this order: client secret, client certificate, workload
    /// identity, Azure Pipelines, GitHub Actions, managed identity of an app service. If none is set: the
    /// sign-in of `az`, otherwise of `azd`. The managed identity of a virtual machine shows in no
    /// variable, so it must be named.
    #[default]
    Auto,
    ClientSecret,
    ClientCertificate,
    WorkloadIdentity,
    GithubActions,
    AzurePipelines,
    ManagedIdentity,
    AzureCli,
    AzureDeveloperCli,
}

impl CredentialKind {
    pub const ALL: [Self; 9] = [
        Self::Auto,
        Self::ClientSecret,
        Self::ClientCertificate,
        Self::WorkloadIdentity,
        Self::GithubActions,
        Self::AzurePipelines,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::AzureDeveloperCli,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::ClientSecret => "clientSecret",
            Self::ClientCertificate => "clientCertificate",
            Self::WorkloadIdentity => "workloadIdentity",
            Self::GithubActions => "githubActions",
            Self::AzurePipelines => "azurePipelines",
            Self::ManagedIdentity => "managedIdentity",
            Self::AzureCli => "azureCli",
            Self::AzureDeveloperCli => "azureDeveloperCli",
        }
    }

    /// Says what must be set for this kind.
    const fn help(self) -> &'static str {
        match self {
            Self::ClientSecret => "set `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and a tenant",
            Self::ClientCertificate => {
                "set `AZURE_CLIENT_ID`, `AZURE_CLIENT_CERTIFICATE_PATH` and a tenant"
            }
            Self::WorkloadIdentity => {
                "set `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE` and a tenant"
            }
            Self::GithubActions => {
                "set `AZURE_CLIENT_ID` and a tenant, and give the job `permissions: id-token: write`"
            }
            Self::AzurePipelines => {
                "run in an `AzureCLI` task, and map `SYSTEM_ACCESSTOKEN: $(System.AccessToken)`"
            }
            Self::ManagedIdentity => {
                "unset `IDENTITY_ENDPOINT` and `AZURE_POD_IDENTITY_AUTHORITY_HOST` outside Azure"
            }
            Self::Auto | Self::AzureCli | Self::AzureDeveloperCli => "sign in with `az login`",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CredentialKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named("credential", text, Self::ALL, Self::name)
    }
}

impl Credential {
    /// Returns the credential of this kind, set up from variables. The tenant is the given one, otherwise
    /// the value of `AZURE_TENANT_ID`.
    ///
    /// # Errors
    /// If a variable is missing, also if [`CredentialKind::Auto`] finds a credential that is only partly
    /// set up.
    pub fn choose(
        kind: CredentialKind,
        tenant: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let found = Environment { kind, tenant, variable: &variable };
        let kind = if kind == CredentialKind::Auto { found.first()? } else { kind };
        Environment { kind, ..found }.way().map(Self)
    }

    /// Returns the first credential that the environment is set up for.
    pub fn from_environment(tenant: Option<&str>) -> Result<Self, Error> {
        Self::choose(CredentialKind::Auto, tenant, |name| std::env::var(name).ok())
    }
}

struct Environment<'a> {
    kind: CredentialKind,
    tenant: Option<&'a str>,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Environment<'_> {
    fn has(&self, name: &str) -> bool {
        (self.variable)(name).is_some()
    }

    /// Returns the first kind whose own variable is set. Its other variables are then required.
    fn first(&self) -> Result<CredentialKind, Error> {
        // The job may have the permission for an identity token because another step needs it.
        let github = self.has("ACTIONS_ID_TOKEN_REQUEST_URL") && self.has("AZURE_CLIENT_ID");
        let app_service =
            self.has("IDENTITY_ENDPOINT") || self.has("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let order = [
            (self.has("AZURE_CLIENT_SECRET"), CredentialKind::ClientSecret),
            (self.has("AZURE_CLIENT_CERTIFICATE_PATH"), CredentialKind::ClientCertificate),
            (self.has("AZURE_FEDERATED_TOKEN_FILE"), CredentialKind::WorkloadIdentity),
            (self.has("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"), CredentialKind::AzurePipelines),
            (github, CredentialKind::GithubActions),
            (app_service, CredentialKind::ManagedIdentity),
        ];
        if let Some((_, kind)) = order.into_iter().find(|(is_set, _)| *is_set) {
            return Ok(kind);
        }
        if self.has("GITHUB_ACTIONS") && self.has("AZURE_CLIENT_ID") {
            let why = "this GitHub Actions job has no permission to get an identity token";
            return Err(failed(why).with_help(CredentialKind::GithubActions.help()));
        }
        Ok(CredentialKind::Auto)
    }

    fn way(&self) -> Result<Way, Error> {
        let tools = |tools| Way::Tools { tenant: self.tenant(&[]), tools };
        Ok(match self.kind {
            CredentialKind::Auto => tools(&[Tool::Az, Tool::Azd]),
            CredentialKind::AzureCli => tools(&[Tool::Az]),
            CredentialKind::AzureDeveloperCli => tools(&[Tool::Azd]),
            CredentialKind::ClientSecret => Way::ClientSecret {
                secret: Secret::new(self.need("AZURE_CLIENT_SECRET")?),
                app: self.app()?,
            },
            CredentialKind::ClientCertificate => Way::ClientCertificate {
                path: self.need("AZURE_CLIENT_CERTIFICATE_PATH")?.into(),
                app: self.app()?,
            },
            CredentialKind::WorkloadIdentity => Way::WorkloadIdentity {
                path: self.need("AZURE_FEDERATED_TOKEN_FILE")?.into(),
                app: self.app()?,
            },
            CredentialKind::GithubActions => Way::GithubActions {
                url: self.address("ACTIONS_ID_TOKEN_REQUEST_URL")?,
                token: Secret::new(self.need("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?),
                app: self.app()?,
            },
            CredentialKind::AzurePipelines => Way::AzurePipelines {
                connection: self.need("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")?,
                url: self.address("SYSTEM_OIDCREQUESTURI")?,
                token: Secret::new(self.need("SYSTEM_ACCESSTOKEN")?),
                app: self.pipeline_app()?,
            },
            CredentialKind::ManagedIdentity => Way::ManagedIdentity {
                client_id: (self.variable)("AZURE_CLIENT_ID"),
                service: Service::find(self.variable)
                    .map_err(|why| failed(&why).with_help(self.kind.help()))?,
            },
        })
    }

    fn app(&self) -> Result<App, Error> {
        let client_id = self.need("AZURE_CLIENT_ID")?;
        let tenant = self.tenant(&[]).ok_or_else(|| self.missing("AZURE_TENANT_ID"))?;
        Ok(App::new(tenant, client_id))
    }

    /// Returns the application of a service connection. Its task names the application in its own
    /// variables.
    fn pipeline_app(&self) -> Result<App, Error> {
        let own = (self.variable)("AZURESUBSCRIPTION_CLIENT_ID");
        let client_id = own.map_or_else(|| self.need("AZURE_CLIENT_ID"), Ok)?;
        let tenant = self.tenant(&["AZURESUBSCRIPTION_TENANT_ID"]);
        Ok(App::new(tenant.ok_or_else(|| self.missing("AZURE_TENANT_ID"))?, client_id))
    }

    fn tenant(&self, before: &[&str]) -> Option<String> {
        let mut names = before.iter().chain(&["AZURE_TENANT_ID"]);
        self.tenant.map(str::to_owned).or_else(|| names.find_map(|name| (self.variable)(name)))
    }

    fn need(&self, name: &str) -> Result<String, Error> {
        (self.variable)(name).ok_or_else(|| self.missing(name))
    }

    /// Returns an address that a bearer token is sent to. The token must not cross a network in plain text.
    fn address(&self, name: &str) -> Result<Url, Error> {
        let url = Url::parse(&self.need(name)?).ok();
        url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
            .ok_or_else(|| {
                failed(&format!("`{name}` is not an https address")).with_help(self.kind.help())
            })
    }

    fn missing(&self, name: &str) -> Error {
        let why = format!("`{}` needs `{name}`, which is not set", self.kind);
        failed(&why).with_help(self.kind.help())
    }
}

#[cfg(test)]
mod tests;
