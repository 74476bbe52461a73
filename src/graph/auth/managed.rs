//! Managed identity: Azure itself gives tokens to the machine or the app that this program runs on.
//!
//! For an app, variables name the service. A machine uses an address that only this machine can reach
//! (Azure documentation, "How to use managed identities for App Service" and "… on an Azure VM to
//! acquire an access token", checked 2026-11). `AZURE_POD_IDENTITY_AUTHORITY_HOST` replaces that address,
//! as it does in Azure's other libraries.
//!
//! Not here: which credential is used (`choose`).

use std::fmt;

use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use url::Url;

use super::super::endpoint::is_beside;
use super::Source;
use super::wire::Wire;

/// The fixed address of a machine's metadata service, in Azure and in the library.
const METADATA: &str = "http://169.254.169.254";

/// The service that gives the tokens.
#[derive(Debug, Clone)]
pub(super) enum Service {
    App { at: Url },
    Machine { named: Url, at: Url },
}

impl Service {
    /// Finds the service by the variables that the library reads. The library supports these two services.
    pub(super) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let beside = |name: &str, text: &str| {
            let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && is_beside(url));
            url.ok_or_else(|| format!("`{name}` is not a local or link-local http address"))
        };
        let (endpoint, header) = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER");
        match (variable(endpoint), variable(header), variable("IMDS_ENDPOINT")) {
            (Some(at), Some(_), _) => Ok(Self::App { at: beside(endpoint, &at)? }),
            (Some(_), None, Some(_)) => Err("Azure Arc is not supported".to_owned()),
            (Some(_), None, None) => Err(format!("`{endpoint}` is set, but `{header}` is not")),
            (None, ..) => {
                let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
                let named = beside("the address of the metadata service", METADATA)?;
                let at = variable(name).map(|at| beside(name, &at)).transpose()?;
                Ok(Self::Machine { at: at.unwrap_or_else(|| named.clone()), named })
            }
        }
    }

    pub(super) fn open(&self, client_id: Option<&str>, wire: Wire) -> azure_core::Result<Source> {
        let wire = match self {
            Self::App { at } => wire.and(at.clone(), at.clone()),
            Self::Machine { named, at } => wire.and(named.clone(), at.clone()),
        };
        Ok(ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
            client_options: wire.options(),
        }))?)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App { .. } => "this app",
            Self::Machine { .. } => "this machine",
        })
    }
}
