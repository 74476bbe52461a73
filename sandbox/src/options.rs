//! The way to serve a tenant.
//!
//! Not here: the server itself (`start`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clock::Clock;
use super::faults::Faults;
use super::records::Seed;
use crate::graph::answering::Undocumented;
use crate::http::tls::Tls;
use crate::http::token::Grants;
use crate::rules::access::Access;
use crate::rules::late::Lateness;
use crate::rules::quotas::Quotas;
use crate::state::folder::{FolderError, seed_in};

/// The way to serve a tenant.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: Seed,
    /// The folder that stores the writes; `None` keeps them in memory only.
    pub folder: Option<PathBuf>,
    /// An address on loopback; port 0 takes a free port.
    pub address: SocketAddr,
    /// The start of links in answers, if it is not the address that the client used.
    pub public_url: Option<String>,
    /// The only secret that gets a token; `None` accepts any secret.
    pub client_secret: Option<String>,
    /// The certificate and key for https; `None` serves http.
    pub tls: Option<Tls>,
    pub faults: Faults,
    pub lateness: Lateness,
    pub clock: Clock,
    pub access: Access,
    pub grants: Grants,
    /// The quotas to throttle by, for a tenant of a given size; `None` does not throttle.
    pub quotas: Option<Quotas>,
    /// The time that every answer takes; a batch takes as long as one of its parts.
    pub latency: Duration,
    pub undocumented: Undocumented,
}

impl Options {
    /// A tenant that exists as long as its server, on a free port.
    pub fn in_memory(seed: Seed) -> Self {
        Self {
            seed,
            folder: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            client_secret: None,
            tls: None,
            faults: Faults::none(),
            lateness: Lateness::default(),
            clock: Clock::real(),
            access: Access::default(),
            grants: Grants::default(),
            quotas: None,
            latency: Duration::ZERO,
            undocumented: Undocumented::default(),
        }
    }

    /// The tenant that is stored in a folder, on a free port.
    pub fn in_folder(folder: &Path) -> Result<Self, FolderError> {
        Ok(Self { folder: Some(folder.to_owned()), ..Self::in_memory(seed_in(folder)?) })
    }
}
