//! The embedded tenant: a real HTTP server on loopback that speaks Microsoft Graph.
//!
//! It exists to be planned against, applied to, broken and put back, by this program, by its
//! tests and by anybody's. It uses nothing of the rest of this crate, so that one misunderstanding
//! of Graph cannot sit on both sides of the wire, and it refuses what it does not know: an unknown
//! path, property or filter gets Graph's own error, never a silent 200.
//!
//! A request goes this way:
//!
//! * `wire` accepts the connection, by `tls` for https, and can cut it; `server` reads the request, checks the token
//!   (`token`, `discovery`) and hands a `call` to the `service`.
//! * `service` asks `faults` whether something is to go wrong, takes a `batch` apart, asks `quotas` and `access` whether
//!   the caller may and `late` whose view
//!   of the tenant counts, and lets
//!   `route` find who answers: `users`, `groups`, `members`, `objects`, `methods`, `phones`,
//!   `preferences`, `documents`, `domains`, `pim`, `reports`. Those are functions of the call and the store: they say what to
//!   answer and what a write comes to (`effect`), and change nothing. `odata` and `schema` know
//!   what may be asked of a collection; `problem` is how Graph says no.
//! * `parts` ends a list early where a fault says so, and goes on with it; `delivery` sends the answer, or what
//!   a fault makes of it.
//! * A write is appended to the log in the state `folder`, applied to the `store`, and then
//!   answered.
//!
//! `sign_in` judges what a sign-in would come to, from the stored documents; `seeds` are the
//! tenants there are; `records` is what both share with the store; `show` puts a tenant into
//! lines.

mod aadsts;
mod access;
mod batch;
mod call;
mod clock;
mod delivery;
mod discovery;
mod documents;
mod domains;
mod effect;
mod faults;
mod folder;
mod groups;
mod inside;
mod late;
mod members;
mod membership;
mod methods;
mod objects;
mod odata;
mod parts;
mod phones;
mod pim;
mod preferences;
mod problem;
mod quotas;
pub mod records;
mod reports;
mod route;
mod schema;
pub mod seeds;
mod server;
mod service;
mod show;
pub mod sign_in;
mod sms_sign_in;
mod store;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod undocumented;
mod users;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use self::access::{Access, Licence};
pub use self::call::Version;
pub use self::clock::Clock;
pub use self::domains::managed_domains;
pub use self::effect::{Effect, WriteLogLine};
pub use self::faults::{Fault, Faults, PartInfo, Script, ScriptError, Share, Word};
pub use self::folder::{FolderError, reset, seed_in, store_in};
pub use self::late::Lateness;
pub use self::quotas::{Quotas, Shift, TenantSize};
pub use self::show::{Summary, UserLine, user_lines};
pub use self::store::Store;
pub use self::tls::{Tls, TlsError};
pub use self::token::Grants;
pub use self::undocumented::{Answering, Undocumented};

use self::folder::Ledger;
use self::records::Seed;
use self::server::{Front, router};
use self::service::Service;
use self::token::Tokens;
use self::wire::{Wire, Wires};

/// How long requests under way may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How a tenant is to be served.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: Seed,
    /// Where writes are kept; in memory only where there is none.
    pub folder: Option<PathBuf>,
    /// On loopback; port 0 is any free one.
    pub address: SocketAddr,
    /// What links in answers start with, where it is not what the client wrote.
    pub public_url: Option<String>,
    /// The one secret that gets a token; any will do where there is none.
    pub client_secret: Option<String>,
    /// Serves https where there is one.
    pub tls: Option<Tls>,
    pub faults: Faults,
    pub lateness: Lateness,
    pub clock: Clock,
    pub access: Access,
    pub grants: Grants,
    /// Throttle as the service does a tenant of this size; not at all where there is none.
    pub quotas: Option<Quotas>,
    /// How long every answer takes; a batch as long as one of its parts.
    pub latency: Duration,
    pub undocumented: Undocumented,
}

impl Options {
    /// A tenant that lives as long as its server, at any free port.
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

    /// The tenant that stands in a folder, at any free port.
    pub fn in_folder(folder: &Path) -> Result<Self, FolderError> {
        Ok(Self { folder: Some(folder.to_owned()), ..Self::in_memory(seed_in(folder)?) })
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the sandbox has no defences: it listens on loopback only, not on {address}")]
    NotLoopback { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("`{}` and `{}` do not make https: {source}", certificate.display(), key.display())]
    Tls { certificate: PathBuf, key: PathBuf, source: TlsError },
    #[error("`{}`: {source}", path.display())]
    Script { path: PathBuf, source: ScriptError },
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// A tenant that is being served. Dropped, it stops.
#[derive(Debug)]
pub struct Server {
    front: Arc<Front>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// Serves a tenant, in tasks of the current runtime, until it is stopped or dropped.
pub async fn start(options: Options) -> Result<Server, StartError> {
    let address = options.address;
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { address });
    }
    let bind = |source| StartError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().map_err(bind)?);
    let (ledger, writes) = Ledger::open(options.folder.as_deref(), &options.seed, &url)?;
    let tenant = options.seed.tenant.id;
    let store = Store::replay(options.seed.clone(), &writes);
    let front = Arc::new(Front {
        service: Service::new(store, ledger, &options),
        tokens: Tokens::new(tenant, options.client_secret, options.clock.clone(), options.grants),
        clock: options.clock,
        by_roles: options.access.by_roles,
        latency: options.latency,
        undocumented: options.undocumented,
        url,
        public_url: options.public_url,
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let app = router(Arc::clone(&front)).into_make_service_with_connect_info::<Wire>();
    let serving =
        axum::serve(Wires { listener, tls: options.tls }, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
    let task = tokio::spawn(async move {
        let _ = serving.await;
    });
    Ok(Server { front, stop: Some(stop), task: Some(task) })
}

impl Server {
    /// Scheme, host and port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.front.url
    }

    pub fn tenant_id(&self) -> Uuid {
        self.front.service.store().tenant().id
    }

    /// The tenant as it is at this moment.
    pub fn store(&self) -> Store {
        self.front.service.store().clone()
    }

    /// Takes no more requests, lets those under way end, and frees the folder.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            let mut task = task;
            if tokio::time::timeout(GRACE, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.front.service.close();
    }
}
