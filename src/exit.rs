//! The exit status, the same for every command.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do. Withheld changes do not count.
    Done = 0,
    /// Usage, tenant, network or permission.
    Failed = 1,
    /// `plan --detailed-exitcode`: there are changes; `report --fail-on`: it is so of somebody.
    Changes = 2,
    /// Policies, `mfactl.yaml` or a guard in it are invalid, offline or against the tenant.
    Invalid = 3,
    /// Refused: a brake, another apply under way, or a plan that does not hold.
    Refused = 4,
    /// Some changes failed or are not known to be done, some users had moved on since the plan, somebody
    /// to whom the run wrote is open, stuck or worse off, or what is left is not known.
    Partly = 5,
}

impl Exit {
    /// Every status with its meaning, for help and documentation.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Done, "done, or nothing to do (withheld changes do not count)"),
        (Self::Failed, "failed: usage, tenant, network, permission"),
        (
            Self::Changes,
            "plan --detailed-exitcode: there are changes; report --fail-on: there is such an account",
        ),
        (Self::Invalid, "policies, mfactl.yaml or a guard in it are invalid"),
        (
            Self::Refused,
            "refused: a brake, another apply, or a plan that no longer holds or is not the approved one",
        ),
        (
            Self::Partly,
            "applied in part: changes failed or are not known, users had moved on, somebody is worse off, or what is left is not known",
        ),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
