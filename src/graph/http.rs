//! The HTTP clients: proxies, certificate authorities, timeouts.
//!
//! A request to a remote host uses the proxy of `HTTPS_PROXY` (or `ALL_PROXY`), unless `NO_PROXY` names the
//! host. A request to this machine, or to a service next to it, never uses a proxy.
//!
//! The trusted authorities are the system's. If the system keeps them in files (Linux, BSD),
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them. macOS and Windows have their own store, and only that
//! store is used there (documentation of rustls-platform-verifier 0.7 and rustls-native-certs 0.8). The
//! authorities of [`Builder::ca_file`](super::Builder::ca_file) are added on every system.
//!
//! Not here: which hosts are allowed (`endpoint`), or requests to Graph (`client`).

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Certificate, Method};
use url::Url;

use super::endpoint::{Endpoints, is_beside};
use super::error::{Error, ErrorKind};
use super::retry::Pace;
use crate::files;
use crate::transport::client_builder;

/// The largest file of authorities, in bytes. A system's own file has about 220 kB (Mozilla's list, checked
/// 2026-11).
const LARGEST_BUNDLE: u64 = 8 * 1024 * 1024;

/// The time to connect to this machine or to a service next to it: such a service answers at once or not at
/// all.
const NEAR: Duration = Duration::from_secs(3);

/// The HTTP clients, each made at first use: reading the system's certificates takes longer than the whole
/// start of the program.
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
        Self(Arc::new(Inner {
            pace,
            authorities,
            local_tls: endpoints.has_local_tls(),
            remote: OnceLock::new(),
            beside: OnceLock::new(),
        }))
    }

    /// Returns the client for requests to an address.
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
        let builder = client_builder(beside)
            .connect_timeout(if beside { self.pace.connect.min(NEAR) } else { self.pace.connect })
            .read_timeout(self.pace.silence)
            .timeout(self.pace.whole);
        let builder = if beside && !self.local_tls {
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.authorities.clone())
        };
        builder.build()
    }
}

/// Reads the certificates of a PEM file. There must be at least one.
pub(super) fn authorities(file: &Path) -> Result<Vec<Certificate>, Error> {
    let unusable = |why: &str| {
        Error::new(ErrorKind::Setup, &Method::GET, "/")
            .with_message(&format!("certificate authorities `{}`: {why}", file.display()))
            .with_help("give a file with certificates in PEM form")
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
