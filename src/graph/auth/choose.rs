//! Which way to a token the environment offers.
//!
//! The variables are those of Azure's own libraries and of the places where they run (Azure SDK
//! documentation, "Configure environment variables"; GitHub documentation, "OpenID Connect
//! reference"; Azure Pipelines documentation, "Use predefined variables"; all checked 2026-11).
//! `AZURE_AUTHORITY_HOST` is not among them: where a secret goes is said in `mfactl.yaml` alone.

use std::fmt;
use std::str::FromStr;

use azure_core::credentials::Secret;
use url::Url;

use super::super::cloud::{UnknownName, named};
use super::super::endpoint::is_loopback;
use super::super::error::Error;
use super::managed::Service;
use super::refusal::failed;
use super::{App, Credential, Tool, Way};

/// The ways to get a token, as they are written in `mfactl.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CredentialKind {
    /// The first that the environment is set for, in this order: client secret, client
    /// certificate, workload identity, Azure Pipelines, GitHub Actions, managed identity of an app
    /// service; and where there is none, the sign-in of `az`, else of `azd`. The managed identity
    /// of a virtual machine shows in no variable, so it has to be named.
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

    /// What has to be set for it.
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
    /// The way of a kind, set up by variables. The tenant is the given one, else that of
    /// `AZURE_TENANT_ID`.
    ///
    /// # Errors
    /// What is missing, also where [`CredentialKind::Auto`] finds a way that is set up by half.
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

    /// What the environment offers first.
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

    /// The kind whose own variable is set; the rest of it is then demanded.
    fn first(&self) -> Result<CredentialKind, Error> {
        // A job may have the right to an identity token for another step's sake.
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
            let without = "this GitHub Actions job has no right to an identity token";
            return Err(failed(without).with_help(CredentialKind::GithubActions.help()));
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
        Ok(App { tenant, client_id })
    }

    /// The task of a service connection names the application in variables of its own.
    fn pipeline_app(&self) -> Result<App, Error> {
        let own = (self.variable)("AZURESUBSCRIPTION_CLIENT_ID");
        let client_id = own.map_or_else(|| self.need("AZURE_CLIENT_ID"), Ok)?;
        let tenant = self.tenant(&["AZURESUBSCRIPTION_TENANT_ID"]);
        Ok(App { tenant: tenant.ok_or_else(|| self.missing("AZURE_TENANT_ID"))?, client_id })
    }

    fn tenant(&self, before: &[&str]) -> Option<String> {
        let mut names = before.iter().chain(&["AZURE_TENANT_ID"]);
        self.tenant.map(str::to_owned).or_else(|| names.find_map(|name| (self.variable)(name)))
    }

    fn need(&self, name: &str) -> Result<String, Error> {
        (self.variable)(name).ok_or_else(|| self.missing(name))
    }

    /// An address that a bearer is sent to: not in plain text over a network.
    fn address(&self, name: &str) -> Result<Url, Error> {
        let url = Url::parse(&self.need(name)?).ok();
        url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
            .ok_or_else(|| {
                failed(&format!("`{name}` is no https address")).with_help(self.kind.help())
            })
    }

    fn missing(&self, name: &str) -> Error {
        let needs = format!("`{}` needs `{name}`, which is not set", self.kind);
        failed(&needs).with_help(self.kind.help())
    }
}

#[cfg(test)]
mod tests;
