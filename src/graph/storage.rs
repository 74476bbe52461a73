//! Tokens for Azure Blob Storage, from the same credential as those for Graph.
//!
//! Not here: where such a token is sent (`store`).

use super::auth::Tokens;
use super::client::Client;
use super::error::Error;

/// The scope of Azure Blob Storage, which is the same in every cloud of Microsoft (Azure documentation,
/// "Authorize access to blobs using Microsoft Entra ID", checked 2026-11).
const SCOPE: &str = "https://storage.azure.com/.default";

/// Gives tokens for Azure Blob Storage, and keeps each until it has to be renewed.
pub struct StorageAccess(Tokens);

impl std::fmt::Debug for StorageAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StorageAccess({})", self.0.credential().describe())
    }
}

impl Client {
    /// Returns the access to Azure Blob Storage with the credential of this client. Nothing is sent.
    #[must_use]
    pub fn storage_access(&self) -> StorageAccess {
        StorageAccess(self.tokens.for_scope(SCOPE))
    }
}

impl StorageAccess {
    /// Returns a token that is valid now.
    ///
    /// # Errors
    /// The sign-in service gave none.
    pub async fn token(&self) -> Result<String, Error> {
        let token = self.0.current().await;
        let token = token.map_err(|error| error.for_resource("Azure Blob Storage"))?;
        Ok(token.secret().to_owned())
    }
}
