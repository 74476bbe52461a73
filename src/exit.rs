//! The exit status, which has the same meaning for every command.
//!
//! Not here: which error leads to which status (`commands::fault`).

use std::process::ExitCode;

/// The exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do. Withheld changes are no reason for another status.
    Done = 0,
    /// A problem with usage, tenant, network or permission.
    Failed = 1,
    /// `plan --detailed-exitcode`: there are changes; `plan --fail-on` and `report --fail-on`: a condition is
    /// met; `test`: a check fails.
    Changes = 2,
    /// Policies, `mfactl.yaml` or a guard in it are invalid, in themselves or in this tenant.
    Invalid = 3,
    /// Refused because of a brake, another apply in progress, or a plan that is not valid any more.
    Refused = 4,
    /// Some changes failed or their outcome is unknown, some users changed since the plan, a user that
    /// the run wrote to is open, stuck or worse off, or the remaining changes are unknown.
    Partly = 5,
}

impl Exit {
    /// Every status with its meaning, for help and documentation.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Done, "done, or nothing to do (withheld changes do not count)"),
        (Self::Failed, "failed: usage, tenant, network, permission"),
        (
            Self::Changes,
            "plan --detailed-exitcode: there are changes; --fail-on of plan and report: a condition is met; test: a check fails",
        ),
        (Self::Invalid, "policies, mfactl.yaml or a guard in it are invalid"),
        (
            Self::Refused,
            "refused: a brake (also plan --detailed-exitcode), another apply in progress, or a plan that is outdated or not the approved one",
        ),
        (
            Self::Partly,
            "partly applied: changes failed or their outcome is unknown, users changed since the plan, a user is worse off, or the remaining changes are unknown; plan --detailed-exitcode: no changes, but some data could not be read",
        ),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
