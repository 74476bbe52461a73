//! The exit status, which has the same meaning for every command.
//!
//! Not here: which error leads to which status (`commands::fault`).

use std::process::ExitCode;

/// The exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do. Withheld changes are no reason for another status.
    Done = 0,
    /// A problem with usage, tenant or permission. The same command fails again.
    Failed = 1,
    /// `plan --detailed-exitcode`: there are changes; `plan --fail-on` and `report --fail-on`: a condition is
    /// met; `test`: a check fails.
    Changes = 2,
    /// Policies, `mfactl.yaml` or a guard in it are invalid, in themselves or in this tenant.
    Invalid = 3,
    /// Refused because of a brake, or of a plan that is not valid any more or not approved.
    Refused = 4,
    /// Some changes failed or their outcome is unknown, some users changed since the plan, a user that
    /// the run wrote to is open, stuck or worse off, or the remaining changes are unknown.
    Partly = 5,
    /// Nothing is wrong and nothing was written: another apply is in progress, or the tenant cannot be reached
    /// at the moment. The same command may work later.
    NotNow = 6,
}

impl Exit {
    /// Every status with its meaning, for help and documentation.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Done, "done, or nothing to do (withheld changes do not count)"),
        (
            Self::Failed,
            "failed, and fails again: usage, tenant, permission, an answer that cannot be read",
        ),
        (
            Self::Changes,
            "plan --detailed-exitcode: there are changes; --fail-on of plan and report: a condition is met; test: a check fails; runs verify: something is not as it was written",
        ),
        (Self::Invalid, "policies, mfactl.yaml or a guard in it are invalid"),
        (
            Self::Refused,
            "refused: a brake (also plan --detailed-exitcode), or a plan that is outdated or not the approved one",
        ),
        (
            Self::Partly,
            "partly applied: changes failed or their outcome is unknown, users changed since the plan, a user is worse off, or the remaining changes are unknown; plan --detailed-exitcode: no changes, but some data could not be read",
        ),
        (
            Self::NotNow,
            "not now: another apply in progress, no connection, or the tenant is too busy; the same command may work later",
        ),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
