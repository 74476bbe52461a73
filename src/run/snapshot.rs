//! Takes a snapshot: reads everything of the tenant that a plan of these files can need, and of other files that
//! name the same groups. The facts of every account are read.
//!
//! Not here: what is kept of it (`snapshot::write`), or a plan of a snapshot (`recorded`).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::fault::RunFault;
use super::observe::{self, ReadTenant};
use super::session::Session;
use super::users::{ReadExtent, ReadFor};
use crate::number::Region;
use crate::policy::PolicySet;
use crate::snapshot::pseudonym::{PersonSalt, RecordingKey};
use crate::snapshot::{AboutSnapshot, NamedInFiles, RecordedGroups, Recording};
use crate::tenant::directory::User;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;

/// What a snapshot is taken of, and how it hides names.
#[derive(Debug)]
pub struct TakeRequest {
    pub groups: RecordedGroups,
    /// Hides names, or keeps them.
    pub key: RecordingKey,
    pub salt: PersonSalt,
}

/// What was read for a snapshot.
#[derive(Debug)]
pub struct TakenSnapshot {
    about: AboutSnapshot,
    read: ReadTenant,
    named: NamedInFiles,
    key: RecordingKey,
    salt: PersonSalt,
}

/// Reads the tenant for a snapshot.
///
/// # Errors
/// A read failed. A part that this identity may not read is recorded as unknown.
pub async fn take(
    session: &Session,
    policies: &PolicySet,
    request: TakeRequest,
) -> Result<TakenSnapshot, RunFault> {
    let extent = ReadExtent::Recorded(request.groups);
    let read = ReadFor { policies, extent, extra: Extra::ALL };
    let read = observe::read_tenant(session, read).await?;
    let about = AboutSnapshot {
        tenant: session.identity.clone(),
        cloud: policies.project.cloud.as_str().to_owned(),
        made: Timestamp::now(),
        day: session.day,
        sandbox: session.is_sandbox,
        groups: request.groups,
        names: request.key.keeps_names(),
        regions: regions(policies),
    };
    let named = NamedInFiles::of(policies);
    Ok(TakenSnapshot { about, read, named, key: request.key, salt: request.salt })
}

/// The countries that policies name for national numbers.
fn regions(policies: &PolicySet) -> BTreeSet<Region> {
    policies.policies.iter().flat_map(|policy| policy.rules.regions()).collect()
}

impl TakenSnapshot {
    /// Calls the function with what is recorded.
    pub fn record<T>(&self, session: &Session, then: impl FnOnce(&Recording<'_>) -> T) -> T {
        let ReadTenant { directory, roles, rules, facts } = &self.read;
        let facts = |user: &User| facts.of(user.id).unwrap_or(Facts::NOT_READ);
        then(&Recording {
            about: self.about.clone(),
            directory,
            facts: &facts,
            roles,
            rules,
            guarded: &session.guarded,
            named: &self.named,
            key: &self.key,
            salt: self.salt,
        })
    }

    /// Returns the number of users, and of groups that policies can name.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.read.directory.len(), self.read.directory.groups().count())
    }
}
