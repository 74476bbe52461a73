//! What happens to a plan once it is shown: brakes, the question, a look at whether it still holds,
//! the journal, the writing. The same for a plan just made, one from a file, and one that undoes.

use std::cell::Cell;
use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::allowance::{Allowance, tripped};
use super::connect::Tenant;
use super::ending::{self, Closing};
use super::fault::Fault;
use super::progress::shown;
use super::saved::{duration, folder};
use super::{observe, signals, undo};
use crate::apply::basis::hold;
use crate::apply::conduct::{Conduct, Left};
use crate::apply::journal::{Desk, Journal, RunId};
use crate::apply::lock::{self, Lock};
use crate::apply::own::Own;
use crate::apply::report::Report;
use crate::apply::resume::{self, Found, Unfinished};
use crate::apply::run;
use crate::apply::stop::Stop;
use crate::apply::watch::Watch;
use crate::exit::Exit;
use crate::moment::Moment;
use crate::plan::{Plan, Purpose};
use crate::policy::PolicySet;
use crate::render::outcome;
use crate::render::text::count;
use crate::terminal::{print, say};

/// How often what the plan rests on is looked at while it is written. Conditional Access answers once a
/// second for all programs of a tenant, and a look asks it several times.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How long ago the last look may have begun when users are written. Somebody who is put into a group
/// that guards them while a run goes on is written no longer than this and the time that a write
/// waits for its quota.
const LOOKED_AT_MOST: Duration = Duration::from_secs(20);

/// How a plan is carried out.
#[derive(Debug, clap::Args)]
pub struct Conditions {
    /// Lift a brake for this one plan, by the plan's own number; may be repeated
    #[arg(long, value_name = "BRAKE=N")]
    allow: Vec<Allowance>,

    /// Do not ask
    #[arg(long)]
    pub(super) auto_approve: bool,

    /// Where journals, restore files and the lock are, instead of `.mfactl` beside `mfactl.yaml`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    /// How long to wait where another apply of this tenant is under way in the same folder
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    lock_timeout: SignedDuration,
}

impl Conditions {
    /// Has the tenant's break-glass groups from the journals in that folder.
    pub(super) fn remember(&self, tenant: &mut Tenant, config: &Path) {
        tenant.remember(&self.folder(config));
    }

    /// The folder of journals.
    pub(super) fn folder(&self, config: &Path) -> PathBuf {
        self.journal.clone().unwrap_or_else(|| folder(config))
    }
}

/// A run that may write: no other one of the tenant is under way here, and none before it is open.
pub(super) struct Turn<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) tenant: &'a Tenant,
    conditions: &'a Conditions,
    folder: PathBuf,
    /// Runs before this one that had come to no end.
    pub(super) cut_off: Vec<RunId>,
    _lock: Lock,
}

/// What came of it.
pub(super) struct Carried {
    pub(super) run: RunId,
    pub(super) report: Report,
    /// Whether all of it is in the journal.
    pub(super) noted: bool,
}

impl<'a> Turn<'a> {
    /// Waits for its turn and looks after runs that were cut off.
    pub(super) async fn take(
        set: &'a PolicySet,
        tenant: &'a Tenant,
        conditions: &'a Conditions,
        config: &Path,
    ) -> Result<Self, Fault> {
        let folder = conditions.folder(config);
        let patience = conditions.lock_timeout.unsigned_abs();
        let lock = lock::take(&folder, tenant.identity.id, patience).await.map_err(Fault::Lock)?;
        let mut turn = Self { set, tenant, conditions, folder, cut_off: Vec::new(), _lock: lock };
        let looked = resume::look_after(turn.desk(), &tenant.client, tenant.identity.id).await;
        let (unfinished, unreadable) = looked.map_err(Fault::Resume)?;
        unfinished.iter().for_each(tell);
        turn.cut_off = unfinished.into_iter().map(|one| one.run).collect();
        unreadable.iter().for_each(|fault| {
            say(&format!("warning: {fault}; what it says is left out of account"));
        });
        Ok(turn)
    }

    pub(super) fn desk(&self) -> Desk<'_> {
        Desk { folder: &self.folder, keep_numbers: self.set.project.keep_numbers }
    }

    /// Carries out a plan that was saved at that time. What a run of it wrote before is not written
    /// again, and is not taken for a change by others.
    pub(super) async fn carry_out_saved(
        &self,
        plan: &Plan,
        made: Timestamp,
    ) -> Result<Option<Carried>, Fault> {
        let own = Own::since(self.desk(), plan, made).map_err(Fault::Run)?;
        let (all, left) = (plan.changes.len(), own.left(plan));
        for (run, wrote) in &own.runs {
            let of = count(all, "change", "changes");
            say(&format!("your own run {run} wrote {wrote} of the {of} of this plan; {left} left"));
        }
        self.carry_on(plan, true, own).await
    }

    /// Carries the plan out, which was shown. Nothing comes back where nobody said yes.
    pub(super) async fn carry_out(
        &self,
        plan: &Plan,
        approved: bool,
    ) -> Result<Option<Carried>, Fault> {
        self.carry_on(plan, approved, Own::default()).await
    }

    async fn carry_on(
        &self,
        plan: &Plan,
        approved: bool,
        own: Own,
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
        let looked = Moment::now();
        let mut again = observe::again(set, tenant, plan).await?;
        if let Purpose::Undo { run } = &plan.purpose {
            again.moved.extend(undo::moved(self.desk(), run, plan)?);
        }
        let held = hold(plan, tenant.identity.id, &again.basis).map_err(Fault::Refused)?;
        let left = Left::default();
        left.add(std::mem::take(&mut again.moved));
        let mut conduct =
            Conduct::new(Watch::new(looked, LOOK_EVERY, LOOKED_AT_MOST, async || {
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
        // Before anything is said: a terminal that hangs must not leave the run without its end.
        let closed = journal.close(&report);
        stop.all_is_written();
        let said = print(&outcome::report(plan, &report));
        tell_end(&report);
        let mut noted = match closed {
            Ok(run) => noted(&run),
            // It was said why the run stopped.
            Err(_) if was_broken => false,
            Err((path, error)) => {
                say(&Fault::Journal(path, error).to_string());
                false
            }
        };
        if let Err(error) = said {
            // The status has to say that something was done.
            say(&Fault::Output(error).to_string());
            noted = false;
        }
        Ok(Some(Carried { run, report, noted }))
    }

    /// The users to whom a run wrote.
    pub(super) fn closing(&self, plan: &Plan, report: &Report) -> Closing<'a> {
        Closing::of(self.set, self.tenant, plan, report)
    }

    /// Looks how they stand, for a run after which nothing is planned again.
    pub(super) async fn end(&self, plan: &Plan, carried: &Carried) -> Result<Exit, Fault> {
        let closing = self.closing(plan, &carried.report);
        let worse = closing.looked().await.unwrap_or_else(|fault| {
            say(&format!("after the run nobody could be looked at again\n{fault}"));
            closing.not_known()
        });
        let is_well = ending::tell(self.desk(), (&carried.run, carried.noted), worse)?;
        let is_whole = carried.report.is_whole() && carried.report.stopped.is_none();
        Ok(if is_well && is_whole && carried.noted { Exit::Done } else { Exit::Partly })
    }

    fn ask(&self, plan: &Plan) -> Result<bool, Fault> {
        if !stdin().is_terminal() {
            return Err(Fault::CannotAsk);
        }
        let users = plan.summary.users_changed;
        say(&format!(
            "\nApply this to {users} users of {}? Only `yes` is taken for yes.",
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

/// Says why a run ended before its time, and what to do about it and about what nobody knows.
fn tell_end(report: &Report) {
    let unknown = report.counts().unknown;
    if let Some(why) = &report.stopped {
        say(&format!("error: stopped: {why}"));
    }
    if unknown > 0 {
        let writes = count(unknown, "write is", "writes are");
        say(&format!(
            "help: {writes} not known to be done or not; `mfactl apply` looks first, and goes on from what is there"
        ));
    } else if report.stopped.is_some() {
        say("help: what is done is done and safe; `mfactl apply` goes on from there");
    }
}

fn noted(run: &RunId) -> bool {
    say(&format!("run {run}: `mfactl runs show {run}` says what was done"));
    true
}

/// Says of a run that was not settled what was found of it.
fn tell(unfinished: &Unfinished) {
    let Unfinished { run, was_cut_off, counts, looked, damage } = unfinished;
    let done = counts.done;
    if *was_cut_off {
        say(&format!("run {run} was cut off: {done} changes were done"));
    } else {
        let looked = count(looked.len(), "change", "changes");
        say(&format!("run {run} ended with {looked} not known: {done} changes were done"));
    }
    for (what, found) in looked {
        let found = match found {
            Found::Done => "was done",
            Found::NotDone => "was not done",
            Found::SomethingElse => "cannot be told any more: something else is there by now",
            Found::Alike => "cannot be told: before and after look alike, and numbers are not kept",
            Found::Gone => "is settled: the account is deleted by now",
            Found::Unreadable => "could not be read; the next apply looks again",
        };
        say(&format!("  {what}: nobody knew, and it {found}"));
    }
    if !damage.is_none() {
        say(&format!("  its journal is damaged: {damage}; what is lost of it cannot be looked at"));
    }
}

/// Tells how far it is, to whoever shows it.
fn progress(tenant: &Tenant, plan: &Plan) -> impl Fn(usize, usize) {
    let stage = tenant.client.stage("users written", Some(plan.summary.users_changed));
    let before = Cell::new(0);
    move |through, _| stage.add(through.saturating_sub(before.replace(through)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::conduct::PATIENCE;

    #[test]
    fn whoever_is_guarded_meanwhile_is_written_no_longer_than_the_documents_say() {
        let most = LOOKED_AT_MOST + PATIENCE;
        let said = include_str!("../../SECURITY.md");
        assert!(said.contains(&format!("for {} seconds more at the most", most.as_secs())));
        assert!(LOOK_EVERY < LOOKED_AT_MOST);
    }
}
