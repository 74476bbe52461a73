//! The identity token of a workload: it is stored in a file, and Entra accepts it instead of a secret.
//!
//! Kubernetes provides the file through symbolic links, and replaces it before the token expires
//! (Kubernetes documentation, "Projected Volumes"; checked 2026-11). The file is read here and not by
//! Microsoft's library, because the library reads a file of any length to its end.
//!
//! Not here: the name of the file (`choose`).

use std::path::Path;

use azure_core::credentials::Secret;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;

use super::super::error::Error;
use super::refusal::failed;
use crate::files;

/// The largest token file, in bytes. Entra's own tokens have a few kilobytes; no issuer's tokens are longer
/// than this.
const LARGEST_FILE: u64 = 64 * 1024;

const HELP: &str = "check `AZURE_FEDERATED_TOKEN_FILE`";

#[derive(Debug)]
pub(super) struct Workload(Secret);

impl Workload {
    /// Reads the file, once for each token because the file is replaced during a run. An error shows
    /// nothing of the contents.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |why: &str| {
            failed(&format!("the identity token in `{}` cannot be used: {why}", path.display()))
                .with_help(HELP)
        };
        let bytes =
            files::read(path, LARGEST_FILE).map_err(|error| unusable(&error.to_string()))?;
        let text = str::from_utf8(&bytes).map_err(|_| unusable("it is not text"))?.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("it is not a token"));
        }
        Ok(Self(Secret::new(text.to_owned())))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Workload {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.secret().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_without_a_token_is_refused_without_showing_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let large = "x".repeat(70_000);
        for text in ["", " \n", "KEY=s3cret\nB=2", "s3cret\0", "s3cret and more", large.as_str()] {
            std::fs::write(&file, text).unwrap();
            let error = Workload::read(&file).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.help());
            assert!(shown.contains("cannot be used") && !shown.contains("s3cret"), "{shown}");
            assert!(!shown.contains("xxx"), "{shown}");
        }
        std::fs::write(&file, b"\xffs3cret").unwrap();
        assert!(Workload::read(&file).is_err());
        assert!(Workload::read(folder.path()).is_err());
        std::fs::write(&file, "ey.J.x\n").unwrap();
        assert_eq!(Workload::read(&file).unwrap().0.secret(), "ey.J.x");
    }
}
