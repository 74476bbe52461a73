//! `--snapshot`: the tenant of a command is the one of a file. Nothing is sent.
//!
//! Not here: the tenant itself (`connect`), or whether the snapshot fits the files (`run::recorded`).

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::conditions;
use super::connect::{ConnectedTenant, Reach, connect};
use super::disclosure::Disclose;
use super::fault::Fault;
use crate::policy::{PolicySet, UserRef};
use crate::run::fault::RunFault;
use crate::run::recorded::{self, SnapshotRequest};
use crate::run::review::Base;
use crate::run::session::Session;

/// The age of a snapshot up to which it is used.
const MOST: SignedDuration = SignedDuration::from_hours(24);

/// A snapshot to use instead of the tenant.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FromSnapshot {
    /// Use this snapshot, from `mfactl snapshot --out`, instead of the tenant. Nothing is sent
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Maximum age of the snapshot; the default is 24h
    #[arg(long, value_name = "TIME", requires = "snapshot", value_parser = conditions::duration)]
    max_age: Option<SignedDuration>,
}

impl FromSnapshot {
    /// Opens the snapshot, or connects to the tenant. A snapshot calls the users in the files by pseudonyms.
    pub(super) async fn tenant(
        &self,
        set: PolicySet,
        config: &Path,
        reach: &Reach,
    ) -> Result<(ConnectedTenant, PolicySet), Fault> {
        match self.opened(&set, reach.disclose)? {
            Some(tenant) => {
                let set = tenant.translated(set);
                Ok((tenant, set))
            }
            None => Ok((connect(&set, config, reach).await?, set)),
        }
    }

    /// Opens the snapshot, if one is named.
    pub(super) fn opened(
        &self,
        set: &PolicySet,
        disclose: Disclose,
    ) -> Result<Option<ConnectedTenant>, Fault> {
        let Some(file) = &self.snapshot else { return Ok(None) };
        let request = SnapshotRequest { file: file.clone(), max_age: self.max_age.unwrap_or(MOST) };
        let session = recorded::open(&request, set)?;
        let id = session.identity.id.to_string();
        let disclose = disclose.begin(set.project.disclose, &id);
        Ok(Some(ConnectedTenant::of_snapshot(session, disclose)))
    }
}

/// Returns the name or id of a user as the tenant calls it.
pub(super) fn translated_word(session: &Session, word: &str) -> Result<String, Fault> {
    let Some(snapshot) = session.snapshot() else { return Ok(word.to_owned()) };
    let user = match word.trim().parse() {
        Ok(id) => UserRef::Id(id),
        Err(_) => UserRef::PrincipalName(word.to_owned()),
    };
    if !snapshot.knows(&user) {
        return Err(RunFault::UserNotRecorded(word.to_lowercase()).into());
    }
    Ok(match snapshot.translated_user(&user) {
        UserRef::Id(id) => id.to_string(),
        UserRef::PrincipalName(name) => name,
    })
}

impl ConnectedTenant {
    /// Returns the policies with the users as the tenant calls them.
    pub(super) fn translated(&self, set: PolicySet) -> PolicySet {
        match self.session.snapshot() {
            Some(snapshot) => snapshot.translated(set),
            None => set,
        }
    }

    /// Returns the base of a review with the users as the tenant calls them.
    pub(super) fn translated_base(&self, base: Base) -> Base {
        Base { policies: base.policies.map(|set| self.translated(set)), ..base }
    }

    /// Returns a user as the tenant calls it.
    pub(super) fn translated_user(&self, user: UserRef) -> UserRef {
        match self.session.snapshot() {
            Some(snapshot) => snapshot.translated_user(&user),
            None => user,
        }
    }
}
