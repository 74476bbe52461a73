//! Everything that a run knows about its tenant. Two sessions share nothing, so one process can work with
//! several tenants.
//!
//! Not here: connecting and the environment (`commands::connect`), or requests (`graph`).

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::fault::RunFault;
use crate::graph::Client;
use crate::journal::{self, RunStore};
use crate::plan::fingerprint::Key;
use crate::snapshot::Snapshot;
use crate::tenant::directory::Identity;
use crate::tenant::membership::Guarding;

/// Where a run observes its tenant.
#[derive(Debug)]
pub enum TenantSource {
    Graph(Box<Client>),
    /// Nothing can be written.
    Snapshot(Box<Snapshot>),
}

/// A tenant that a run works with.
#[derive(Debug)]
pub struct Session {
    pub source: TenantSource,
    pub identity: Identity,
    /// A fixed day. The embedded tenant always has the day of its seed.
    pub day: Option<Date>,
    /// The members of break-glass groups at the last recorded apply.
    pub guarded: Guarding,
    /// Whether it is the embedded tenant.
    pub is_sandbox: bool,
    /// With this key, the fingerprint of a plan covers full numbers.
    pub fingerprint_key: Option<Key>,
}

impl Session {
    /// Creates a session for the tenant that the client is connected to.
    #[must_use]
    pub fn new(client: Client, identity: Identity) -> Self {
        Self {
            source: TenantSource::Graph(Box::new(client)),
            identity,
            day: None,
            guarded: Guarding::default(),
            is_sandbox: false,
            fingerprint_key: None,
        }
    }

    /// Creates a session with a snapshot of a tenant.
    #[must_use]
    pub fn of_snapshot(snapshot: Snapshot) -> Self {
        let about = &snapshot.about;
        Self {
            identity: about.tenant.clone(),
            // A plan of a snapshot is the plan of that day.
            day: Some(about.day.unwrap_or_else(|| about.made.to_zoned(TimeZone::UTC).date())),
            guarded: snapshot.guarded.clone(),
            is_sandbox: about.sandbox,
            fingerprint_key: None,
            source: TenantSource::Snapshot(Box::new(snapshot)),
        }
    }

    /// Returns the client, unless this is a snapshot.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        match &self.source {
            TenantSource::Graph(client) => Some(client),
            TenantSource::Snapshot(_) => None,
        }
    }

    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        match &self.source {
            TenantSource::Graph(_) => None,
            TenantSource::Snapshot(snapshot) => Some(snapshot),
        }
    }

    /// Returns the client, to ask the tenant itself.
    ///
    /// # Errors
    /// This is a snapshot.
    pub fn live(&self) -> Result<&Client, RunFault> {
        self.client().ok_or(RunFault::OnlyRecorded)
    }

    /// Loads the members of break-glass groups from the journals of the tenant.
    ///
    /// # Errors
    /// The store could not be read, so it is not known who was a break-glass account.
    pub async fn remember(&mut self, store: &RunStore) -> Result<(), RunFault> {
        let runs = store.of(self.identity.id);
        let guarding = journal::guarding(&runs).await.map_err(RunFault::PastRun)?;
        self.guarded = guarding.unwrap_or_default();
        Ok(())
    }

    /// Returns the current day in the tenant. A run that lasts past midnight continues with the next day.
    #[must_use]
    pub fn today(&self) -> Date {
        self.day.unwrap_or_else(|| Zoned::now().with_time_zone(TimeZone::UTC).date())
    }
}
