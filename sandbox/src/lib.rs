//! The embedded tenant: a real HTTP server on loopback that speaks Microsoft Graph.
//!
//! `mfactl`, its tests and other programs can plan against it, apply to it, break it and reset it.
//!
//! It is a crate of its own that does not depend on `mfactl`, so that one misunderstanding of Graph
//! cannot be on both sides of the connection. Both use the crate `mfactl-files` to open files: the
//! rules against links and foreign files are written and tested once. The sandbox refuses what it
//! does not know: an unknown path, property or filter gets Graph's own error, never a silent 200.
//!
//! A request passes through these modules:
//!
//! * `http`: `wire` accepts the connection, through `tls` for https, and can cut it. `server` reads
//!   the request, checks the token (`token`, `discovery`) and passes a `call` to the `service`.
//! * `service` asks `faults` whether the request must go wrong, splits a `batch`, asks the `rules`
//!   (`quotas`, `access`) whether the caller may do this, and `late` which view of the tenant counts.
//! * `graph`: `route` finds the handler in `directory` or `registration`. Handlers are functions of
//!   the call and the store. They return the `answer` and the effects of a write (`effect`), and
//!   change nothing. `odata` and `schema` know which queries a collection supports; `problem` is
//!   Graph's form of a refusal.
//! * `parts` ends a list early if a fault says so, and serves the rest of it. `http::delivery` sends
//!   the answer, or what a fault makes of it.
//! * `state`: a write is appended to the log in the state `folder`, applied to the `store`, and then
//!   answered.
//!
//! `sign_in` judges the result of a sign-in from the stored documents. `seeds` has the tenants to
//! choose from. `records` has the types that both share with the store. `show` prints a tenant.
//! `options` says how to serve one.
//!
//! Not here: the commands `sandbox serve`, `reset` and `show` (`src/commands/sandbox` of `mfactl`).

mod clock;
mod directory;
mod faults;
mod graph;
mod http;
mod options;
pub mod records;
mod registration;
mod rules;
pub mod seeds;
mod service;
mod show;
pub mod sign_in;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use self::clock::Clock;
pub use self::faults::{Fault, Faults, PartInfo, Script, ScriptError, Share, Word};
pub use self::graph::answering::{Answering, Undocumented};
pub use self::graph::call::Version;
pub use self::http::tls::{Tls, TlsError};
pub use self::http::token::Grants;
pub use self::options::Options;
pub use self::records::managed_domains;
pub use self::rules::access::{Access, Licence};
pub use self::rules::late::Lateness;
pub use self::rules::quotas::{Quotas, Shift, TenantSize};
pub use self::show::{Summary, UserLine, user_lines};
pub use self::state::effect::{Effect, WriteLogLine};
pub use self::state::folder::{FolderError, reset, seed_in, store_in};
pub use self::state::store::Store;

use self::http::server::{Front, router};
use self::http::token::Tokens;
use self::http::wire::{Wire, Wires};
use self::service::Service;
use self::state::folder::Ledger;

/// The time that open requests get when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the sandbox is unprotected, so it listens on loopback only, not on {address}")]
    NotLoopback { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("`{}` and `{}` cannot be used for https: {source}", certificate.display(), key.display())]
    Tls { certificate: PathBuf, key: PathBuf, source: TlsError },
    #[error("`{}`: {source}", path.display())]
    Script { path: PathBuf, source: ScriptError },
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// A running server of one tenant. It stops when it is dropped.
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

    /// The tenant as it is now.
    pub fn store(&self) -> Store {
        self.front.service.store().clone()
    }

    /// Accepts no more requests, lets open requests end, and releases the folder.
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
