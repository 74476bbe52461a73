//! Applies a plan, and undoes it.

pub(crate) mod ages;
pub(crate) mod concurrent_edits;
pub(crate) mod contradicting_policies;
pub(crate) mod damaged_journals;
pub(crate) mod faults;
pub(crate) mod final_check;
pub(crate) mod interruptions;
pub(crate) mod journals;
pub(crate) mod killed;
mod odd_segments;
mod pruned_runs;
pub(crate) mod sent_again;
mod sms_sign_in_results;
pub(crate) mod soak;
pub(crate) mod two_writers;
pub(crate) mod undo;
pub(crate) mod undo_promises;
pub(crate) mod unknown_results;
pub(crate) mod unknown_results_promise;
mod verified_chains;
pub(crate) mod waves;
