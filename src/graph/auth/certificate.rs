//! An application that holds the key of a certificate signs for itself.
//!
//! Microsoft identity platform documentation, "Microsoft identity platform application
//! authentication certificate credentials" (checked 2026-11): a short-lived JWT by PS256, with the
//! certificate's SHA-256 as `x5t#S256`. The key is read from PEM, unencrypted, as PKCS#8 or PKCS#1.

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

/// Entra allows ten minutes at most; the request follows at once.
const LIFE_SECONDS: i64 = 300;

/// A key and a chain of certificates have some kilobytes.
const LARGEST_FILE: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    client_id: String,
    audience: String,
}

impl Certificate {
    /// Read for each token, as it may be replaced during a run.
    pub(super) fn read(path: &Path, app: &App, login: &Url) -> Result<Self, Error> {
        let unusable = |(why, help): (String, &'static str)| {
            failed(&format!("the certificate `{}` is of no use: {why}", path.display()))
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
        assertion.ok_or_else(|| stop("the key of the certificate does not sign".to_owned()))
    }
}

/// What is wrong with a file, and what to do about it.
type Unusable = (&'static str, &'static str);

const CONVERT: &str = "convert it: `openssl pkcs12 -in file.pfx -nodes -out file.pem`";

/// The key and, of all certificates in the file, the one that is of this key.
fn parse(pem: &[u8]) -> Result<(RsaKeyPair, CertificateDer<'static>), Unusable> {
    let key = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        Ok(_) => return Err(("its key is not an RSA key", "Entra takes RSA keys for this")),
        Err(_) if is_encrypted(pem) => return Err(("its key is encrypted", DECRYPT)),
        Err(_) => return Err(("there is no private key in it", CONVERT)),
    };
    let key = key.map_err(|_| {
        ("its key is not an RSA key of 2048 to 4096 bits", "Entra takes RSA keys for this")
    })?;
    // A certificate holds its public key as it is, so no reader of certificates is needed.
    let public = key.public_key().as_ref().to_vec();
    let is_of_key = |certificate: &CertificateDer<'_>| {
        certificate.windows(public.len()).any(|window| window == public)
    };
    let mut certificates = CertificateDer::pem_slice_iter(pem).flatten().peekable();
    if certificates.peek().is_none() {
        return Err(("there is no certificate in it", "put the certificate beside its key"));
    }
    let certificate = certificates.find(is_of_key);
    let certificate =
        certificate.ok_or(("its key is of another certificate", "put a pair into the file"))?;
    Ok((key, certificate))
}

const DECRYPT: &str = "decrypt it: `openssl pkey -in file.pem`; keep the result from other users";

fn is_encrypted(pem: &[u8]) -> bool {
    const MARK: &[u8] = b"ENCRYPTED";
    pem.windows(MARK.len()).any(|window| window == MARK)
}

#[cfg(test)]
pub(super) mod tests;
