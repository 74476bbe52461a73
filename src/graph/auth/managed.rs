//! Managed identity: Azure itself vouches for the machine or the app that this runs on.
//!
//! An app is told in variables whom to ask; a machine asks an address that only it can reach
//! (Azure documentation, "How to use managed identities for App Service" and "… on an Azure VM to
//! acquire an access token", checked 2026-11). `AZURE_POD_IDENTITY_AUTHORITY_HOST` puts a
//! stand-in in the place of that address, as it does in Azure's other libraries.

use std::fmt;

use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use url::Url;

use super::super::endpoint::is_beside;
use super::Source;
use super::wire::Wire;

/// The one address of a machine's own metadata, in the library as in Azure.
const METADATA: &str = "http://169.254.169.254";

/// Who vouches.
#[derive(Debug, Clone)]
pub(super) enum Service {
    App { at: Url },
    Machine { named: Url, at: Url },
}

impl Service {
    /// By the variables that the library goes by; it knows these two.
    pub(super) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let beside = |name: &str, text: &str| {
            let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && is_beside(url));
            url.ok_or_else(|| format!("`{name}` is no http address of this machine or beside it"))
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
