//! Client certificate: the application signs an assertion with the certificate's key.
//!
//! Microsoft identity platform documentation, "Microsoft identity platform application
//! authentication certificate credentials" (checked 2026-11): a short-lived JWT, signed with PS256, with
//! the certificate's SHA-256 as `x5t#S256`. The key is read from unencrypted PEM, as PKCS#8 or PKCS#1.
//! Not here: the name of the file (`choose`).

use std::path::Path;

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::super::error::Error;
use super::App;
use super::refusal::failed;
use super::wire::stop;
use crate::files;

/// The life of an assertion, in seconds. Entra allows at most ten minutes; the assertion is used at once.
const LIFE_SECONDS: i64 = 300;

/// The largest certificate file, in bytes. A key and a chain of certificates have a few kilobytes.
const LARGEST_FILE: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    client_id: String,
    audience: String,
}

impl Certificate {
    /// Reads the file, once for each token because the file may be replaced during a run.
    pub(super) fn read(path: &Path, app: &App, login: &Url) -> Result<Self, Error> {
        let unusable = |(why, help): (String, &'static str)| {
            failed(&format!("the certificate `{}` cannot be used: {why}", path.display()))
                .with_help(help)
        };
        let pem = files::read(path, LARGEST_FILE).map_err(|error| {
            unusable((error.to_string(), "check `AZURE_CLIENT_CERTIFICATE_PATH`"))
        })?;
        let (key, certificate) =
            parse(&pem).map_err(|(why, help)| unusable((why.to_owned(), help)))?;
        let audience = login.join(&format!("/{}/oauth2/v2.0/token", app.tenant));
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
            client_id: app.client_id.clone(),
            audience: audience.map_err(|error| failed(&error.to_string()))?.into(),
        })
    }

    fn assertion(&self, now: Timestamp) -> Option<String> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let now = now.as_second();
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": Uuid::new_v4(),
            "iat": now,
            "nbf": now,
            "exp": now + LIFE_SECONDS,
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let assertion = self.assertion(Timestamp::now());
        assertion.ok_or_else(|| stop("the key of the certificate cannot sign".to_owned()))
    }
}

/// The reason why a file cannot be used, and the help.
type Unusable = (&'static str, &'static str);

const CONVERT: &str = "convert it: `openssl pkcs12 -in file.pfx -nodes -out file.pem`";

/// Returns the key and the certificate that belongs to it. The file can contain other certificates.
fn parse(pem: &[u8]) -> Result<(RsaKeyPair, CertificateDer<'static>), Unusable> {
    let key = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        Ok(_) => return Err(("its key is not an RSA key", "Entra accepts only RSA keys here")),
        Err(_) if is_encrypted(pem) => return Err(("its key is encrypted", DECRYPT)),
        Err(_) => return Err(("there is no private key in it", CONVERT)),
    };
    let key = key.map_err(|_| {
        ("its key is not an RSA key of 2048 to 4096 bits", "Entra accepts only RSA keys here")
    })?;
    // A certificate contains its public key byte for byte, so no certificate parser is needed.
    let public = key.public_key().as_ref().to_vec();
    let is_of_key = |certificate: &CertificateDer<'_>| {
        certificate.windows(public.len()).any(|window| window == public)
    };
    let mut certificates = CertificateDer::pem_slice_iter(pem).flatten().peekable();
    if certificates.peek().is_none() {
        return Err(("there is no certificate in it", "put the certificate into the same file"));
    }
    let certificate = certificates.find(is_of_key);
    let certificate =
        certificate.ok_or(("its key belongs to another certificate", "use a matching pair"))?;
    Ok((key, certificate))
}

const DECRYPT: &str =
    "decrypt it: `openssl pkey -in file.pem`; do not let other users read the result";

fn is_encrypted(pem: &[u8]) -> bool {
    const MARK: &[u8] = b"ENCRYPTED";
    pem.windows(MARK.len()).any(|window| window == MARK)
}

#[cfg(test)]
pub(super) mod tests;
