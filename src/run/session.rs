//! Everything that a run knows about its tenant. Two sessions share nothing, so one process can work with
//! several tenants.
//!
//! Not here: connecting and the environment (`commands::connect`), or requests (`graph`).

use std::path::Path;

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::graph::Client;
use crate::journal::{self, JournalDir};
use crate::plan::fingerprint::Key;
use crate::tenant::directory::Identity;
use crate::tenant::membership::Guarding;

/// A tenant that a run works with.
#[derive(Debug)]
pub struct Session {
    pub client: Client,
    pub identity: Identity,
    /// A fixed day. The embedded tenant always has the day of its seed.
    pub day: Option<Date>,
    /// The members of break-glass groups at the last apply from this folder.
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
            client,
            identity,
            day: None,
            guarded: Guarding::default(),
            is_sandbox: false,
            fingerprint_key: None,
        }
    }

    /// Loads the members of break-glass groups from the journals in a folder.
    pub fn remember(&mut self, folder: &Path) {
        // Reading does not need phone numbers.
        let journals = JournalDir { folder, keep_numbers: false };
        self.guarded = journal::guarding(journals, self.identity.id).unwrap_or_default();
    }

    /// Returns the current day in the tenant. A run that lasts past midnight continues with the next day.
    #[must_use]
    pub fn today(&self) -> Date {
        self.day.unwrap_or_else(|| Zoned::now().with_time_zone(TimeZone::UTC).date())
    }
}
