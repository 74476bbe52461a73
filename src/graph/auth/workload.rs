//! The identity token of a workload, which a file holds and which Entra takes in place of a secret.
//!
//! Kubernetes puts the file there by links, and writes it anew before the token ends (Kubernetes
//! documentation, "Projected Volumes"; checked 2026-11). The file is read here and not by Microsoft's
//! library, which reads whatever stands there to its end.

use std::path::Path;

use azure_core::credentials::Secret;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;

use super::super::error::Error;
use super::refusal::failed;
use crate::files;

/// Entra's own tokens have some kilobytes; nobody's have more than this.
const LARGEST_FILE: u64 = 64 * 1024;

const HELP: &str = "check `AZURE_FEDERATED_TOKEN_FILE`";

#[derive(Debug)]
pub(super) struct Workload(Secret);

impl Workload {
    /// Read for each token, as it is replaced during a run. What is wrong with it is said without a word
    /// of what it holds.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |why: &str| {
            failed(&format!("the identity token in `{}` is of no use: {why}", path.display()))
                .with_help(HELP)
        };
        let bytes =
            files::read(path, LARGEST_FILE).map_err(|error| unusable(&error.to_string()))?;
        let text = str::from_utf8(&bytes).map_err(|_| unusable("it is no text"))?.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("it is no token"));
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
    fn what_is_no_token_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let large = "x".repeat(70_000);
        for text in ["", " \n", "KEY=s3cret\nB=2", "s3cret\0", "s3cret and more", large.as_str()] {
            std::fs::write(&file, text).unwrap();
            let error = Workload::read(&file).unwrap_err();
            let said = format!("{error} {error:?} {:?}", error.help());
            assert!(said.contains("of no use") && !said.contains("s3cret"), "{said}");
            assert!(!said.contains("xxx"), "{said}");
        }
        std::fs::write(&file, b"\xffs3cret").unwrap();
        assert!(Workload::read(&file).is_err());
        assert!(Workload::read(folder.path()).is_err());
        std::fs::write(&file, "ey.J.x\n").unwrap();
        assert_eq!(Workload::read(&file).unwrap().0.secret(), "ey.J.x");
    }
}
