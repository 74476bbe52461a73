//! Carries out a plan after it was shown: brakes, confirmation, a check that the plan is still valid,
//! the journal, and the writes. A new plan, a saved plan and an undo plan are treated alike.
//!
//! Not here: the writes themselves (`apply`), or how the users stand afterwards (`closing`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::allowance::{Allowance, tripped};
use super::events::{Event, Frontend, RunOutput};
use super::fault::RunFault;
use super::reread::{self, RereadBasis};
use super::session::Session;
use crate::apply::context::{LeftUsers, RunContext};
use crate::apply::lock::{self, Lock};
use crate::apply::own_writes::OwnWrites;
use crate::apply::resume;
use crate::apply::rule_watch::RuleWatch;
use crate::apply::run;
use crate::apply::stop::Stop;
use crate::apply::verify::{VerifiedPlan, hold};
use crate::graph::Client;
use crate::journal::{self, ChainEnd, Journal, PruneRequest, RunId, RunStore, TenantRuns};
use crate::moment::Moment;
use crate::plan::Plan;
use crate::plan::recheck::ChangedSincePlan;
use crate::policy::PolicySet;
use crate::results::ApplyReport;
use crate::tenant::directory::UserIndex;
use crate::tenant::membership::Guarding;

/// How often the basis of the plan is checked during the writes. Conditional Access answers one request
/// a second for all programs of a tenant, and one check sends several requests to it.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// The longest time since the start of the last check at which users are still written. If a user is
/// put into a guard group during a run, the run can still write to this user for this time plus
/// the time that a write waits for its quota.
const CHECK_VALID_FOR: Duration = Duration::from_secs(20);

/// The conditions under which a plan is carried out.
#[derive(Debug, Clone)]
pub struct WriteConditions {
    /// The brakes that are lifted.
    pub allow: Vec<Allowance>,
    /// Whether no confirmation is asked for.
    pub auto_approve: bool,
    /// Where journals, restore files and the lock are.
    pub store: RunStore,
    /// How long to wait if another apply of this tenant is in progress.
    pub lock_timeout: Duration,
}

/// A run that may write. It holds the lock, so no other run of this tenant is active here, and it has
/// checked the runs before it that were cut off.
#[derive(Debug)]
pub(super) struct WriteRun<'a, F> {
    pub(super) session: &'a Session,
    pub(super) client: &'a Client,
    pub(super) policies: &'a PolicySet,
    pub(super) frontend: &'a F,
    conditions: &'a WriteConditions,
    /// Earlier runs that were cut off or have writes in doubt.
    pub(super) cut_off: Vec<RunId>,
    runs: TenantRuns,
    /// The end of the journal, as it was before anything else was read.
    end: ChainEnd,
    /// Every run whose last segment is before this one is settled.
    settled: u64,
    lock: Lock,
}

/// The users of a plan whose changes must not be made any more.
pub(super) type ChangedUsers = BTreeMap<UserIndex, ChangedSincePlan>;

/// A plan to carry out.
#[derive(Clone, Copy)]
pub(super) struct ApprovedPlan<'a> {
    pub(super) plan: &'a Plan,
    /// Whether the plan was approved before, so that nothing is asked.
    pub(super) is_approved: bool,
    /// What earlier runs of this plan wrote. That does not count as changed by others.
    pub(super) own: &'a OwnWrites,
    /// Users that are left unchanged, in addition to those that the usual checks find.
    pub(super) changed: &'a ChangedUsers,
}

/// The result of a plan that was carried out.
#[derive(Debug)]
pub(super) struct CarriedOut {
    pub(super) run: RunId,
    pub(super) report: ApplyReport,
    /// Whether the journal is complete.
    pub(super) is_noted: bool,
}

impl<'a, F: Frontend> WriteRun<'a, F> {
    /// Waits for the lock, and checks runs that were cut off.
    pub(super) async fn begin(
        session: &'a Session,
        policies: &'a PolicySet,
        conditions: &'a WriteConditions,
        frontend: &'a F,
    ) -> Result<Self, RunFault> {
        let client = session.live()?;
        let (tenant, patience) = (session.identity.id, conditions.lock_timeout);
        let runs = conditions.store.of(tenant);
        let lock = lock::take(&runs, patience).await;
        let lock = lock.map_err(RunFault::Lock)?;
        let end = match ChainEnd::read(&runs).await {
            Ok(end) => end,
            Err(fault) => {
                lock.release().await;
                return Err(RunFault::Store(fault));
            }
        };
        let mut run = Self {
            session,
            client,
            policies,
            frontend,
            conditions,
            cut_off: Vec::new(),
            runs,
            end,
            settled: 1,
            lock,
        };
        if let Err(fault) = run.settle_earlier().await {
            run.release().await;
            return Err(fault);
        }
        Ok(run)
    }

    /// Checks the runs that were cut off, or have writes in doubt.
    async fn settle_earlier(&mut self) -> Result<(), RunFault> {
        let earlier = resume::settle_earlier(self.chain(), self.client).await;
        let earlier = earlier.map_err(RunFault::Resume)?;
        earlier.unfinished.iter().for_each(|one| self.frontend.tell(Event::Settled(one)));
        earlier.faults.iter().for_each(|fault| self.frontend.tell(Event::RunIgnored(fault)));
        self.cut_off = earlier.unfinished.into_iter().map(|one| one.run).collect();
        self.settled = earlier.settled;
        self.remove_old_numbers().await;
        Ok(())
    }

    /// Removes restore files that are older than `mfactl.yaml` allows. The run continues if that fails: the
    /// next one tries again.
    async fn remove_old_numbers(&self) {
        let Some(days) = self.policies.project.runs.keep_for_days else { return };
        let before = Timestamp::now().checked_sub(SignedDuration::from_hours(i64::from(days) * 24));
        let request = PruneRequest {
            before: before.unwrap_or(Timestamp::MIN),
            damaged: false,
            journals: false,
        };
        let removed = async {
            for goes in journal::pruning(&self.runs, request).await?.goes {
                journal::remove(&self.runs, &goes).await?;
            }
            Ok(())
        };
        if let Err(fault) = removed.await {
            self.frontend.tell(Event::Problem(&RunFault::NotRemoved(fault)));
        }
    }

    /// Frees the lock for the next apply.
    pub(super) async fn release(self) {
        self.lock.release().await;
    }

    /// Returns where the journals of this run are, and where they end.
    pub(super) const fn chain(&self) -> (&TenantRuns, &ChainEnd) {
        (&self.runs, &self.end)
    }

    /// Returns where the journals of this run are.
    pub(super) const fn journals(&self) -> &TenantRuns {
        &self.runs
    }

    /// Carries out a plan that was shown. Returns `None` if the user declined.
    pub(super) async fn carry_out(
        &self,
        approved: ApprovedPlan<'_>,
    ) -> Result<Option<CarriedOut>, RunFault> {
        let plan = approved.plan;
        self.refuse_brakes(plan)?;
        if !self.is_approved(approved).await? {
            self.frontend.tell(Event::Declined);
            return Ok(None);
        }
        self.lock.confirm().await.map_err(RunFault::Lease)?;
        let mut sending = PlanWriter::new(self.session, self.policies, plan, self.frontend);
        sending.lock = Some(&self.lock);
        let mut now = sending.read_again().await?;
        now.leave(approved.changed.clone());
        let guarding = now.take_guarding();
        let verified = now.verified(plan, self.session)?;
        self.frontend.tell(Event::WritingBegins(&sending.stop));
        let journal = self.begin_journal(plan, guarding).await?;
        let own = approved.own.clone();
        let report = sending.write(verified, &now, own, Some(&journal)).await?;
        Ok(Some(self.close(plan, report, journal, &sending.stop).await))
    }

    fn refuse_brakes(&self, plan: &Plan) -> Result<(), RunFault> {
        let brakes = tripped(&plan.brakes, &self.conditions.allow);
        if brakes.is_empty() { Ok(()) } else { Err(RunFault::Brakes(brakes)) }
    }

    async fn is_approved(&self, approved: ApprovedPlan<'_>) -> Result<bool, RunFault> {
        match approved.is_approved || self.conditions.auto_approve {
            true => Ok(true),
            false => self.frontend.approves(approved.plan).await,
        }
    }

    async fn begin_journal(&self, plan: &Plan, guarding: Guarding) -> Result<Journal, RunFault> {
        let now = Timestamp::now();
        let begun = Journal::begin(self.chain(), plan, guarding, now, self.settled).await;
        begun.map_err(RunFault::Journal)
    }

    /// Closes the journal, and reports how the writes ended.
    async fn close(
        &self,
        plan: &Plan,
        report: ApplyReport,
        mut journal: Journal,
        stop: &Stop,
    ) -> CarriedOut {
        let (was_broken, run) = (journal.is_broken(), journal.run().clone());
        // Before any output: a terminal that hangs must not keep the end of the run out of the journal.
        let closed = journal.close(&report).await;
        stop.all_is_written();
        let shown = self.frontend.show(RunOutput::Written { plan, report: &report });
        self.frontend.tell(Event::WritingEnded(&report));
        let mut is_noted = closed.is_ok();
        match closed {
            Ok(run) => self.frontend.tell(Event::JournalClosed(&run)),
            // The report says why the run stopped.
            Err(_) if was_broken => {}
            Err(fault) => self.frontend.tell(Event::Problem(&RunFault::Journal(fault))),
        }
        if let Err(error) = shown {
            // The end of the run must show that something was written.
            self.frontend.tell(Event::Problem(&RunFault::Output(error)));
            is_noted = false;
        }
        CarriedOut { run, report, is_noted }
    }
}

/// Verifies and writes one plan. The basis of the plan is read again before the writes and during them.
#[derive(Debug)]
pub struct PlanWriter<'a, F> {
    session: &'a Session,
    policies: &'a PolicySet,
    plan: &'a Plan,
    frontend: &'a F,
    lock: Option<&'a Lock>,
    /// Stops the writes early.
    pub stop: Stop,
    /// How often the basis is read again during the writes.
    pub check_every: Duration,
    /// The longest time after a check at which users are still written.
    pub check_valid_for: Duration,
}

/// The basis of a plan, just before the writes.
#[derive(Debug)]
pub struct CurrentBasis {
    read_at: Moment,
    reread: RereadBasis,
    /// The users that are left unchanged.
    left: LeftUsers,
}

impl CurrentBasis {
    /// Leaves these users unchanged.
    fn leave(&self, users: ChangedUsers) {
        self.left.add(users);
    }

    fn take_guarding(&mut self) -> Guarding {
        std::mem::take(&mut self.reread.guarding)
    }

    /// Returns the plan, if its basis still holds.
    ///
    /// # Errors
    /// The first difference.
    pub fn verified<'b>(
        &'b self,
        plan: &'b Plan,
        session: &Session,
    ) -> Result<VerifiedPlan<'b>, RunFault> {
        hold(plan, session.identity.id, &self.reread.basis).map_err(RunFault::Refused)
    }
}

impl<'a, F: Frontend> PlanWriter<'a, F> {
    /// Creates a writer with the usual times.
    #[must_use]
    pub fn new(
        session: &'a Session,
        policies: &'a PolicySet,
        plan: &'a Plan,
        frontend: &'a F,
    ) -> Self {
        let (check_every, check_valid_for) = (CHECK_EVERY, CHECK_VALID_FOR);
        let stop = Stop::default();
        Self { session, policies, plan, frontend, lock: None, stop, check_every, check_valid_for }
    }

    /// Reads the basis of the plan again.
    ///
    /// # Errors
    /// A read failed, or names no longer fit the tenant.
    pub async fn read_again(&self) -> Result<CurrentBasis, RunFault> {
        let read_at = Moment::now();
        let mut reread = reread::for_plan(self.session, self.policies, self.plan).await?;
        let left = LeftUsers::default();
        left.add(std::mem::take(&mut reread.changed));
        Ok(CurrentBasis { read_at, reread, left })
    }

    /// Writes the plan, and checks the guard groups and the rules of the tenant meanwhile.
    ///
    /// # Errors
    /// The plan is from a snapshot.
    pub async fn write(
        &self,
        verified: VerifiedPlan<'_>,
        now: &CurrentBasis,
        own: OwnWrites,
        journal: Option<&Journal>,
    ) -> Result<ApplyReport, RunFault> {
        let client = self.session.live()?;
        let rules =
            RuleWatch::new(now.read_at, self.check_every, self.check_valid_for, async || {
                self.check_rules(&now.left).await
            });
        let context = RunContext {
            left: now.left.clone(),
            own,
            journal,
            stop: self.stop.clone(),
            ..RunContext::new(rules)
        };
        let writing = run::run(verified, client, context, progress(client, self.plan));
        Ok(self.frontend.accompany(client, writing).await)
    }

    /// Checks that this run still has the lock and that the basis of the plan still holds, and leaves users
    /// unchanged that are guarded now.
    async fn check_rules(&self, left: &LeftUsers) -> Result<(), String> {
        if let Some(lock) = self.lock {
            lock.confirm().await.map_err(|fault| fault.to_string())?;
        }
        let now = reread::guards_for_plan(self.session, self.policies, self.plan).await;
        let now = now.map_err(|fault| self.frontend.describe(&fault))?;
        hold(self.plan, self.session.identity.id, &now.basis)
            .map_err(|refusal| refusal.to_string())?;
        left.add(now.changed);
        Ok(())
    }
}

/// Returns the function that reports the progress of the writes.
fn progress(client: &Client, plan: &Plan) -> impl Fn(usize, usize) {
    let stage = client.stage("users written", Some(plan.summary.users_changed));
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
