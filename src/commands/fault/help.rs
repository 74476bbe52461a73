//! What the user can do about an error of a run.
//!
//! Not here: the error itself (the module above).

use super::allow;
use crate::age::WrongAge;
use crate::apply::lease::LeaseFault;
use crate::apply::lock::LockFault;
use crate::apply::resume::ResumeFault;
use crate::apply::verify::Refusal;
use crate::entra::permissions;
use crate::graph;
use crate::journal::{JournalFault, JournalWriteFault};
use crate::plan::reviewed_difference::NotReviewed;
use crate::policy::UserRef;
use crate::run::fault::RunFault;
use crate::run::recorded::SnapshotRefusal;
use crate::saved::FileFault;
use crate::saved::approval::ApprovalFault;
use crate::snapshot::SnapshotFault;
use crate::store::StoreFault;

pub(super) const LIST_RUNS: &str = "`mfactl runs` lists the runs";

const STORE: &str = "if the error says `permission denied`, `mfactl doctor` shows the missing role; otherwise check `runs` in `mfactl.yaml`, or try again later";

const DISK: &str =
    "nothing is written to a tenant without a journal: free some space, or check the folder";

/// Returns what the user can do about a fault of a store. The place in a cloud is an address.
fn store(fault: &StoreFault) -> &'static str {
    if fault.place.contains("://") { STORE } else { DISK }
}

/// Returns what the user can do about an error of a run.
pub(super) fn help_for_run(fault: &RunFault) -> Option<String> {
    Some(match fault {
        RunFault::Graph(error) | RunFault::Resume(ResumeFault::Graph(error)) => return help(error),
        RunFault::Refused(Refusal::Fingerprint) => {
            "plan again with `mfactl plan --out FILE`, or set `MFACTL_FINGERPRINT_KEY` to its value at the time of the plan"
                .to_owned()
        }
        RunFault::Refused(Refusal::ApprovalBasis(_) | Refusal::NotAllApproved(_)) => {
            "plan again with `mfactl plan --approval FILE`, and let the new plan be approved"
                .to_owned()
        }
        RunFault::Refused(Refusal::NotReviewed(NotReviewed::SameFiles)) => {
            "name the revision before the change with `--against`, for example `HEAD^1` after a merge"
                .to_owned()
        }
        RunFault::Refused(Refusal::NotReviewed(_)) => {
            "compare again with `mfactl plan --against`, and let the change be reviewed again"
                .to_owned()
        }
        RunFault::Refused(Refusal::NotCompared(why)) => why.help.clone(),
        RunFault::Refused(_) => "plan again, and apply the new plan".to_owned(),
        RunFault::Brakes(brakes) => {
            let allow: Vec<String> = brakes.iter().map(allow).collect();
            format!("read the plan; if it is what you want, add `{}`", allow.join(" "))
        }
        RunFault::PolicyNotInPlan(_) => "write the name of the policy as in its file".to_owned(),
        RunFault::UserNotInPlan(_) => {
            "name a user in scope of a policy, by principal name or object id".to_owned()
        }
        RunFault::UnknownUser(user) => unknown_user(user).to_owned(),
        RunFault::SavedPlan { fault: FileFault::Io(_), .. } => return None,
        RunFault::SavedPlan { fault: FileFault::OtherFormat(_), .. } => {
            "plan again with this version, or apply it with the version that made it".to_owned()
        }
        RunFault::SavedPlan { .. } => "plan again with `mfactl plan --out FILE`".to_owned(),
        RunFault::Approval { fault: ApprovalFault::Io(_), .. } => {
            "name a file that `mfactl plan --approval FILE` wrote".to_owned()
        }
        RunFault::Approval { fault: ApprovalFault::NotKeyed, .. } => {
            "set the variable for `mfactl plan --approval FILE` too, or unset it here".to_owned()
        }
        RunFault::Approval { fault: ApprovalFault::NoKey, .. } => {
            "set `MFACTL_FINGERPRINT_KEY` to its value at the time of the plan".to_owned()
        }
        RunFault::Approval { .. } => {
            "plan again with `mfactl plan --approval FILE`, and let the new plan be approved"
                .to_owned()
        }
        RunFault::Lock(LockFault::Held(_)) => {
            "try again later; `apply` and `undo` wait for it with `--lock-timeout 5m`".to_owned()
        }
        RunFault::Lease(LeaseFault::Lost) => {
            "nothing was written; run the same command again later".to_owned()
        }
        RunFault::Lock(LockFault::Store(fault))
        | RunFault::Lease(LeaseFault::Store(fault))
        | RunFault::Store(fault)
        | RunFault::Journal(JournalWriteFault::Store(fault))
        | RunFault::PastRun(JournalFault::Store(fault))
        | RunFault::Resume(ResumeFault::Journal(
            JournalFault::Store(fault)
            | JournalFault::NotWritten(JournalWriteFault::Store(fault)),
        )) => store(fault).to_owned(),
        RunFault::Journal(JournalWriteFault::TakenOver { .. })
        | RunFault::Resume(ResumeFault::Journal(JournalFault::NotWritten(
            JournalWriteFault::TakenOver { .. },
        ))) => {
            "run the same command again later; the next apply checks what this run sent".to_owned()
        }
        RunFault::Lock(LockFault::Io(..))
        | RunFault::Journal(..)
        | RunFault::Resume(ResumeFault::Journal(..)) => {
            DISK.to_owned()
        }
        RunFault::PastRun(JournalFault::NoRun(_)) => LIST_RUNS.to_owned(),
        RunFault::UserNotRecorded(_) => {
            "name the pseudonym that a plan or report of the snapshot shows, or take a snapshot with `--names`"
                .to_owned()
        }
        RunFault::OnlyRecorded => "run it without `--snapshot`".to_owned(),
        RunFault::Snapshot { fault: SnapshotRefusal::Age(WrongAge::Old { .. }), .. } => {
            "take a new one with `mfactl snapshot --out FILE`, or allow its age with `--max-age`"
                .to_owned()
        }
        RunFault::Snapshot {
            fault: SnapshotRefusal::File(SnapshotFault::Damaged(_)), ..
        } => "take a new one with `mfactl snapshot --out FILE`".to_owned(),
        RunFault::Snapshot { .. } => {
            "name a file that `mfactl snapshot --out FILE` wrote for this tenant".to_owned()
        }
        RunFault::CannotAsk => "run it in a terminal, or use `--auto-approve`".to_owned(),
        RunFault::NotRemoved(_) => {
            "they hold phone numbers in full; the next apply tries again, and so does `mfactl runs prune --keep`"
                .to_owned()
        }
        RunFault::PastRun(_)
        | RunFault::Policies { .. }
        | RunFault::NoAnswer(_)
        | RunFault::Output(_) => return None,
    })
}

/// Returns the help for an error of Graph: the missing permission or licence, or else the advice of
/// `graph`.
fn help(error: &graph::Error) -> Option<String> {
    permissions::advice(error).or_else(|| error.help().map(str::to_owned))
}

/// Returns how to find the right user.
fn unknown_user(user: &UserRef) -> &'static str {
    match user {
        UserRef::PrincipalName(name) if !name.contains('@') => {
            "write the full user principal name, such as `j.brown@contoso.com`, or the object id"
        }
        UserRef::PrincipalName(_) => {
            "check the spelling; the principal name of a guest contains `#EXT#` and needs quotes in a shell; the object id works too"
        }
        UserRef::Id(_) => "copy the object id from the user's page in the Entra admin center",
    }
}
