//! Carries out a plan after it was shown: brakes, confirmation, a check that the plan is still valid,
//! the journal, and the writes. A new plan, a saved plan and an undo plan are treated alike.
//!
//! Not here: the writes themselves (`apply`), or how the users stand afterwards (`ending`).

use std::cell::Cell;
use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::apply::context::{LeftUsers, RunContext};
use crate::apply::lock::{self, Lock};
use crate::apply::own_writes::OwnWrites;
use crate::apply::resume::{self, DoubtResult, Unfinished};
use crate::apply::rule_watch::RuleWatch;
use crate::apply::run;
use crate::apply::stop::Stop;
use crate::apply::verify::hold;
use crate::commands::connect::ConnectedTenant;
use crate::commands::fault::Fault;
use crate::commands::progress::shown;
use crate::commands::saved::{duration, folder};
use crate::commands::{signals, undo};
use crate::exit::Exit;
use crate::journal::{Journal, JournalDir, RunId};
use crate::moment::Moment;
use crate::plan::{Plan, PlanPurpose};
use crate::policy::PolicySet;
use crate::render::apply;
use crate::render::plan::text::count;
use crate::results::ApplyReport;
use crate::run::allowance::{Allowance, tripped};
use crate::run::closing::{self, Closing};
use crate::run::observe;
use crate::terminal::{print, say};

/// How often the basis of the plan is checked during the writes. Conditional Access answers one request
/// a second for all programs of a tenant, and one check sends several requests to it.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// The longest time since the start of the last check at which users are still written. If a user is
/// put into a guard group during a run, the run can still write to this user for this time plus
/// the time that a write waits for its quota.
const CHECK_VALID_FOR: Duration = Duration::from_secs(20);

/// The options for carrying out a plan.
#[derive(Debug, clap::Args)]
pub struct Conditions {
    /// Lift a brake for this plan; N is the number that the plan shows; can be repeated
    #[arg(long, value_name = "BRAKE=N")]
    allow: Vec<Allowance>,

    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) auto_approve: bool,

    /// Folder for journals, restore files and the lock, instead of `.mfactl` next to `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    /// How long to wait if another apply of this tenant is running in the same folder
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    lock_timeout: SignedDuration,
}

impl Conditions {
    /// Loads the break-glass groups of the tenant from the journals in the folder.
    pub(crate) fn remember(&self, tenant: &mut ConnectedTenant, config: &Path) {
        tenant.remember(&self.folder(config));
    }

    /// Returns the folder of the journals.
    pub(crate) fn folder(&self, config: &Path) -> PathBuf {
        self.journal.clone().unwrap_or_else(|| folder(config))
    }
}

/// A run that may write. It holds the lock, so no other run of this tenant is active here, and it has
/// checked the runs before it that were cut off.
pub(crate) struct WriteRun<'a> {
    pub(crate) set: &'a PolicySet,
    pub(crate) tenant: &'a ConnectedTenant,
    conditions: &'a Conditions,
    folder: PathBuf,
    /// Earlier runs that were cut off or have writes in doubt.
    pub(crate) cut_off: Vec<RunId>,
    _lock: Lock,
}

/// The result of a plan that was carried out.
pub(crate) struct Carried {
    pub(crate) run: RunId,
    pub(crate) report: ApplyReport,
    /// Whether the journal is complete.
    pub(crate) noted: bool,
}

impl<'a> WriteRun<'a> {
    /// Waits for the lock, and checks runs that were cut off.
    pub(crate) async fn take(
        set: &'a PolicySet,
        tenant: &'a ConnectedTenant,
        conditions: &'a Conditions,
        config: &Path,
    ) -> Result<Self, Fault> {
        let folder = conditions.folder(config);
        let patience = conditions.lock_timeout.unsigned_abs();
        let lock = lock::take(&folder, tenant.identity.id, patience).await.map_err(Fault::Lock)?;
        let mut turn = Self { set, tenant, conditions, folder, cut_off: Vec::new(), _lock: lock };
        let earlier = resume::look_after(turn.desk(), &tenant.client, tenant.identity.id).await;
        let (unfinished, unreadable) = earlier.map_err(Fault::Resume)?;
        unfinished.iter().for_each(print_unfinished);
        turn.cut_off = unfinished.into_iter().map(|one| one.run).collect();
        unreadable.iter().for_each(|fault| {
            say(&format!("warning: {fault}; the run is ignored"));
        });
        Ok(turn)
    }

    pub(crate) fn desk(&self) -> JournalDir<'_> {
        JournalDir { folder: &self.folder, keep_numbers: self.set.project.keep_numbers }
    }

    /// Carries out a plan that was saved at that time. Changes that an earlier run of this plan made are
    /// not made again, and do not count as changes by others.
    pub(crate) async fn carry_out_saved(
        &self,
        plan: &Plan,
        made: Timestamp,
    ) -> Result<Option<Carried>, Fault> {
        let own = OwnWrites::since(self.desk(), plan, made).map_err(Fault::Run)?;
        let (all, left) = (plan.changes.len(), own.left(plan));
        for (run, wrote) in &own.runs {
            let of = count(all, "change", "changes");
            say(&format!("your own run {run} wrote {wrote} of the {of} of this plan; {left} left"));
        }
        self.carry_on(plan, true, own).await
    }

    /// Carries out a plan that was shown. Returns `None` if the user declined.
    pub(crate) async fn carry_out(
        &self,
        plan: &Plan,
        approved: bool,
    ) -> Result<Option<Carried>, Fault> {
        self.carry_on(plan, approved, OwnWrites::default()).await
    }

    async fn carry_on(
        &self,
        plan: &Plan,
        approved: bool,
        own: OwnWrites,
    ) -> Result<Option<Carried>, Fault> {
        let brakes = tripped(&plan.brakes, &self.conditions.allow);
        if !brakes.is_empty() {
            return Err(Fault::Brakes(brakes));
        }
        if !approved && !self.conditions.auto_approve && !self.ask(plan)? {
            say("nothing was changed");
            return Ok(None);
        }
        let (set, tenant) = (self.set, self.tenant);
        let checked = Moment::now();
        let mut again = observe::again(set, tenant, plan).await?;
        if let PlanPurpose::Undo { run } = &plan.purpose {
            again.moved.extend(undo::moved(self.desk(), run, plan)?);
        }
        let held = hold(plan, tenant.identity.id, &again.basis).map_err(Fault::Refused)?;
        let left = LeftUsers::default();
        left.add(std::mem::take(&mut again.moved));
        let mut conduct =
            RunContext::new(RuleWatch::new(checked, CHECK_EVERY, CHECK_VALID_FOR, async || {
                let now = observe::guards(set, tenant, plan).await;
                let now = now.map_err(|fault| fault.to_string())?;
                hold(plan, tenant.identity.id, &now.basis)
                    .map_err(|refusal| refusal.to_string())?;
                left.add(now.moved);
                Ok(())
            }));
        conduct.left = left.clone();
        conduct.own = own;
        let stop = Stop::default();
        conduct.stop = stop.clone();
        signals::listen(&stop);
        let begun = Journal::begin(self.desk(), plan, again.guarding, Timestamp::now());
        let mut journal = begun.map_err(|(path, error)| Fault::Journal(path, error))?;
        conduct.journal = Some(&mut journal);
        let writing = run::run(held, &tenant.client, conduct, progress(tenant, plan));
        let report = shown(&tenant.client, writing).await;
        let (was_broken, run) = (journal.is_broken(), journal.run().clone());
        // Before any output: a terminal that hangs must not keep the end of the run out of the journal.
        let closed = journal.close(&report);
        stop.all_is_written();
        let printed = print(&apply::report(plan, &report));
        print_end(&report);
        let mut noted = match closed {
            Ok(run) => noted(&run),
            // The report says why the run stopped.
            Err(_) if was_broken => false,
            Err((path, error)) => {
                say(&Fault::Journal(path, error).to_string());
                false
            }
        };
        if let Err(error) = printed {
            // The status must show that something was written.
            say(&Fault::Output(error).to_string());
            noted = false;
        }
        Ok(Some(Carried { run, report, noted }))
    }

    /// Returns the users that a run wrote to.
    pub(crate) fn closing(&self, plan: &Plan, report: &ApplyReport) -> Closing<'a> {
        Closing::of(self.set, self.tenant, plan, report)
    }

    /// Checks the posture of these users, for a run after which no new plan is made.
    pub(crate) async fn end(&self, plan: &Plan, carried: &Carried) -> Result<Exit, Fault> {
        let closing = self.closing(plan, &carried.report);
        let worse = closing.looked().await.unwrap_or_else(|fault| {
            say(&format!("after the run the users could not be read again\n{fault}"));
            closing.not_known()
        });
        let is_well = closing::tell(self.desk(), (&carried.run, carried.noted), worse)?;
        let is_whole = carried.report.is_whole() && carried.report.stopped.is_none();
        Ok(if is_well && is_whole && carried.noted { Exit::Done } else { Exit::Partly })
    }

    fn ask(&self, plan: &Plan) -> Result<bool, Fault> {
        if !stdin().is_terminal() {
            return Err(Fault::CannotAsk);
        }
        let users = plan.summary.users_changed;
        say(&format!(
            "\nApply these changes to {users} users of {}? Type `yes` to continue.",
            self.tenant.identity.domain
        ));
        let mut answer = String::new();
        stdin().read_line(&mut answer).map_err(|error| Fault::Machine {
            what: "the answer could not be read".to_owned(),
            error,
        })?;
        Ok(answer.trim() == "yes")
    }
}

/// Prints why a run stopped early, and what to do about that and about writes in doubt.
fn print_end(report: &ApplyReport) {
    let unknown = report.counts().unknown;
    if let Some(why) = &report.stopped {
        say(&format!("error: stopped: {why}"));
    }
    if unknown > 0 {
        let writes = count(unknown, "write", "writes");
        say(&format!(
            "help: the outcome of {writes} is unknown; the next `mfactl apply` checks first, and continues from the state it finds"
        ));
    } else if report.stopped.is_some() {
        say("help: the finished changes are safe; `mfactl apply` continues from there");
    }
}

fn noted(run: &RunId) -> bool {
    say(&format!("run {run}: `mfactl runs show {run}` shows what was done"));
    true
}

/// Prints what was found about an earlier run that was cut off or has writes in doubt.
fn print_unfinished(unfinished: &Unfinished) {
    let Unfinished { run, was_cut_off, counts, looked, damage } = unfinished;
    let done = counts.done;
    if *was_cut_off {
        say(&format!("run {run} was cut off: {done} changes were done"));
    } else {
        let looked = count(looked.len(), "change", "changes");
        say(&format!("run {run} ended with {looked} in doubt: {done} changes were done"));
    }
    for (what, found) in looked {
        let found = match found {
            DoubtResult::Done => "it was done",
            DoubtResult::NotDone => "it was not done",
            DoubtResult::SomethingElse => "it stays unknown, because another value is there now",
            DoubtResult::Alike => {
                "it stays unknown, because both values look the same and numbers are not kept"
            }
            DoubtResult::Gone => "settled, because the account is deleted now",
            DoubtResult::Unreadable => "it could not be read; the next apply checks it again",
        };
        say(&format!("  {what}: the outcome was unknown; {found}"));
    }
    if !damage.is_none() {
        say(&format!("  its journal is damaged: {damage}; the lost part cannot be checked"));
    }
}

/// Returns the function that reports the progress of the writes.
fn progress(tenant: &ConnectedTenant, plan: &Plan) -> impl Fn(usize, usize) {
    let stage = tenant.client.stage("users written", Some(plan.summary.users_changed));
    let before = Cell::new(0);
    move |through, _| stage.add(through.saturating_sub(before.replace(through)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::context::PATIENCE;

    #[test]
    fn writes_to_newly_guarded_users_stop_in_the_documented_time() {
        let most = CHECK_VALID_FOR + PATIENCE;
        let document = include_str!("../../SECURITY.md");
        assert!(document.contains(&format!("for {} seconds more at the most", most.as_secs())));
        assert!(CHECK_EVERY < CHECK_VALID_FOR);
    }
}
