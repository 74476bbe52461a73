//! The HTTP clients below everything: proxies, certificate authorities, timeouts.
//!
//! What is not on this machine or beside it goes through the proxy that `HTTPS_PROXY` (or
//! `ALL_PROXY`) names, but for the hosts of `NO_PROXY`; the rest never does.
//!
//! Authorities are the system's. Where that is a set of files (Linux, BSD), `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` take its place; macOS and Windows keep their own store, and nothing else is
//! asked there (documentation of rustls-platform-verifier 0.7 and rustls-native-certs 0.8). The
//! authorities of [`Builder::ca_file`](super::Builder::ca_file) come on top, everywhere.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Method};
use url::Url;

use super::endpoint::{Endpoints, is_beside};
use super::error::{Error, Kind};
use super::retry::Pace;
use crate::files;

/// A system's own bundle of authorities has about 220 kB (Mozilla's list, checked 2026-11).
const LARGEST_BUNDLE: u64 = 8 * 1024 * 1024;

/// What is on this machine or beside it is there at once, or not at all.
const NEAR: Duration = Duration::from_secs(3);

/// Made when first used: reading the system's certificates takes longer than all of a start.
#[derive(Clone, Debug)]
pub(super) struct Http(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pace: Pace,
    authorities: Vec<Certificate>,
    local_tls: bool,
    remote: OnceLock<reqwest::Client>,
    beside: OnceLock<reqwest::Client>,
}

impl Http {
    pub(super) fn new(endpoints: &Endpoints, pace: Pace, authorities: Vec<Certificate>) -> Self {
        // An error means that somebody has installed one already, and one is all there can be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(Arc::new(Inner {
            pace,
            authorities,
            local_tls: endpoints.has_local_tls(),
            remote: OnceLock::new(),
            beside: OnceLock::new(),
        }))
    }

    /// The client that an address is asked with.
    pub(super) fn to(&self, url: &Url) -> Result<&reqwest::Client, reqwest::Error> {
        let beside = is_beside(url);
        let cell = if beside { &self.0.beside } else { &self.0.remote };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.0.build(beside)?;
        Ok(cell.get_or_init(|| client))
    }
}

impl Inner {
    fn build(&self, beside: bool) -> Result<reqwest::Client, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("mfactl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(if beside { self.pace.connect.min(NEAR) } else { self.pace.connect })
            .read_timeout(self.pace.silence)
            .timeout(self.pace.whole)
            // A redirect would carry a token to a place that nobody has checked.
            .redirect(Policy::none());
        if beside {
            builder = builder.no_proxy();
        }
        builder = if beside && !self.local_tls {
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.authorities.clone())
        };
        builder.build()
    }
}

/// The certificates of a PEM file, of which there must be one.
pub(super) fn authorities(file: &Path) -> Result<Vec<Certificate>, Error> {
    let unusable = |why: &str| {
        Error::new(Kind::Setup, &Method::GET, "/")
            .with_message(&format!("certificate authorities `{}`: {why}", file.display()))
            .with_help("give a file of certificates in PEM form")
    };
    let pem = files::read(file, LARGEST_BUNDLE).map_err(|error| unusable(&error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it"));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
