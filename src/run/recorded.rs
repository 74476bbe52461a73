//! Opens a snapshot as the tenant of a run. It must be of the tenant that the files name, and not too old.
//!
//! Not here: what a snapshot is (`snapshot`), or taking one (`run::snapshot`).

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::fault::RunFault;
use super::session::Session;
use crate::age::WrongAge;
use crate::policy::{PolicySet, TenantRef};
use crate::snapshot::{self, AboutSnapshot, SnapshotFault};
use crate::untrusted::{Untrusted, label};

/// A snapshot to use instead of the tenant.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    pub file: PathBuf,
    pub max_age: SignedDuration,
}

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotRefusal {
    #[error("{0}")]
    File(#[from] SnapshotFault),
    #[error("it is of tenant `{recorded}`, but `mfactl.yaml` names {named}")]
    OtherTenant { recorded: Untrusted, named: String },
    #[error("it is of cloud `{}`, but `mfactl.yaml` names `{here}`", label(recorded))]
    OtherCloud { recorded: String, here: &'static str },
    #[error("{}", .0.about("it"))]
    Age(WrongAge),
}

/// Opens the snapshot for these files.
///
/// # Errors
/// It cannot be read, is of another tenant, or is too old.
pub fn open(request: &SnapshotRequest, policies: &PolicySet) -> Result<Session, RunFault> {
    let refused = |fault| RunFault::Snapshot { path: request.file.clone(), fault };
    let snapshot = snapshot::read(&request.file).map_err(|fault| refused(fault.into()))?;
    check(&snapshot.about, policies, request.max_age).map_err(refused)?;
    Ok(Session::of_snapshot(snapshot))
}

fn check(
    about: &AboutSnapshot,
    policies: &PolicySet,
    max_age: SignedDuration,
) -> Result<(), SnapshotRefusal> {
    let is_tenant = match &policies.project.tenant {
        TenantRef::Sandbox => about.sandbox,
        TenantRef::Named(name) => {
            let is = |other: &str| !about.sandbox && name.eq_ignore_ascii_case(other);
            is(about.tenant.domain.raw()) || is(&about.tenant.id.to_string())
        }
    };
    if !is_tenant {
        let named = match &policies.project.tenant {
            TenantRef::Sandbox => "the embedded tenant".to_owned(),
            TenantRef::Named(name) => format!("`{}`", label(name)),
        };
        let recorded = about.tenant.domain.clone();
        return Err(SnapshotRefusal::OtherTenant { recorded, named });
    }
    let here = policies.project.cloud.as_str();
    if about.cloud != here {
        let recorded = about.cloud.clone();
        return Err(SnapshotRefusal::OtherCloud { recorded, here });
    }
    WrongAge::check(about.made, Timestamp::now(), max_age).map_err(SnapshotRefusal::Age)
}
