//! Takes a group of users through the stages of [`Stage`]: read all of them again, add methods, read
//! back, set the default method, raise MFA states, read back, remove methods. An interruption at any
//! point makes no user worse off, because a state is only raised, and a method only removed, for a user
//! whose other method was shown by a new read.
//!
//! Not here: one user of a wave (`user_run`), or what waves share (`context`).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::context::{SentWrite, SharedContext};
use super::sending::Shows;
use super::user_run::{UserRun, adds_phone};
use super::verify::{UserRecheck, VerifiedPlan, standing};
use crate::entra::{facts, phones};
use crate::graph::{Client, Error};
use crate::id::UserId;
use crate::journal::Noted;
use crate::moment::Clock;
use crate::plan::UserPlan;
use crate::plan::recheck::ChangedSincePlan;
use crate::results::{ChangeResult, UNSEEN};
use crate::settings::Setting;
use crate::settings::change::{Change, Stage};
use crate::tenant::directory::UserIndex;

/// How long a stage waits for its quota in total: longer than any documented quota period.
const GIVE_UP: Duration = Duration::from_secs(30 * 60);

/// Maximum number of times in a row that a stage reads again because the journal took too long.
const MOST_SLOW_SYNCS: usize = 5;

/// Why a change counts as not tried that one read showed as there already, and the next did not.
const UNCONFIRMED: &str =
    "one read showed the value without a write, but reading it again did not confirm it";

/// A group of users that are written together.
pub(super) struct Wave<'a> {
    pub(super) verified: VerifiedPlan<'a>,
    pub(super) client: &'a Client,
    pub(super) clock: Clock,
    listed_after: [Duration; 4],
    pub(super) user_runs: Vec<UserRun<'a>>,
    /// Writes that were recorded as unknown. A later read, or sending them again, can settle them.
    pub(super) in_doubt: Vec<SentWrite>,
}

impl<'a> Wave<'a> {
    pub(super) fn new(
        verified: VerifiedPlan<'a>,
        client: &'a Client,
        users: &[&'a UserPlan],
        shared: &SharedContext<'_>,
    ) -> Self {
        let plan = verified.plan;
        let user_run = |user: &&'a UserPlan| {
            let id = plan.directory.user(user.user)?.id;
            Some(UserRun::new(user, id, plan.changes_of(user)))
        };
        let user_runs = users.iter().filter_map(user_run).collect();
        let (clock, listed_after) = (shared.clock.clone(), shared.listed_after);
        Self { verified, client, clock, listed_after, user_runs, in_doubt: Vec::new() }
    }

    /// Leaves some users unchanged.
    pub(super) fn leave(&mut self, users: &BTreeSet<UserIndex>, why: &'static str) {
        for user_run in
            self.user_runs.iter_mut().filter(|user_run| users.contains(&user_run.user.user))
        {
            user_run.close(|_| ChangeResult::NotTried(why.into()));
        }
    }

    /// Leaves the users unchanged that must not be written, as known by now.
    fn leave_guarded(&mut self, shared: &SharedContext<'_>) {
        for user_run in &mut self.user_runs {
            if let Some(moved) = shared.left.why(user_run.user.user) {
                user_run.close(|_| ChangeResult::MovedOn(moved));
            }
        }
    }

    /// Goes through all stages. An error after which no wave may continue ends the run. Returns the
    /// users with their results, and whether the wave was cut short by such an error.
    pub(super) async fn written(mut self, shared: &SharedContext<'_>) -> (Vec<UserRun<'a>>, bool) {
        let written = self.write(shared).await;
        let is_cut = written.is_err();
        if let Err(why) = written {
            shared.stop.because(why);
            let why = shared.stop.why().unwrap_or_default();
            let why = ChangeResult::NotTried(format!("stopped: {why}").into());
            self.user_runs.iter_mut().for_each(|user_run| user_run.close(|_| why.clone()));
        }
        (self.user_runs, is_cut)
    }

    async fn write(&mut self, shared: &SharedContext<'_>) -> Result<(), String> {
        self.leave_guarded(shared);
        let fresh = shared.fresh;
        self.unless_stopped(shared, async |wave| wave.begin(shared).await).await?;
        for stage in Stage::ALL {
            if !self.is_due(stage) {
                continue;
            }
            self.unless_stopped(shared, async |wave| wave.await_methods(stage, fresh).await)
                .await?;
            // The wait may have removed the last user of this stage.
            if !self.is_due(stage) {
                continue;
            }
            let sent = self.stage(stage, shared).await;
            self.settle(shared).await?;
            let sent = sent?;
            if stage == Stage::SmsSignIn {
                let unseen = self.read_back(stage, &sent).await;
                shared.unseen(unseen.map_err(|error| error.to_string())?).await?;
            }
        }
        Ok(())
    }

    /// Records the outcome of writes in doubt, if it is known by now: no later run has to check a write
    /// that was sent again, or that a read showed before it was sent again.
    async fn settle(&mut self, shared: &SharedContext<'_>) -> Result<(), String> {
        let mut ended = Vec::new();
        for (place, change, number) in std::mem::take(&mut self.in_doubt) {
            match self.user_runs.get(place).and_then(|user_run| user_run.result(&change)) {
                Some(result @ (ChangeResult::Done | ChangeResult::Failed(_))) => {
                    ended.push((number, Noted::of(result, None)));
                }
                _ => self.in_doubt.push((place, change, number)),
            }
        }
        if ended.is_empty() { Ok(()) } else { shared.end(ended).await }
    }

    fn is_due(&self, stage: Stage) -> bool {
        self.user_runs.iter().any(|user_run| user_run.due(stage).is_some())
    }

    /// Runs a read, unless a stop is requested first.
    async fn unless_stopped(
        &mut self,
        shared: &SharedContext<'_>,
        read: impl AsyncFnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), String> {
        shared.stop.check()?;
        tokio::select! {
            biased;
            read = read(self) => read.map_err(|error| error.to_string()),
            () = shared.stop.wait() => shared.stop.check(),
        }
    }

    /// Reads all users again, and leaves users unchanged whose facts differ from the plan. Changes that
    /// an earlier run of the same plan did count as done.
    async fn begin(&mut self, shared: &SharedContext<'_>) -> Result<(), Error> {
        self.read_again(|user_run| user_run.is_open()).await?;
        for user_run in &mut self.user_runs {
            if self.verified.now.break_glass.contains(&user_run.id) {
                user_run.close(|_| ChangeResult::MovedOn(ChangedSincePlan::BreakGlass));
                continue;
            }
            match standing(self.verified, user_run.user, user_run.id, &user_run.facts, &shared.own)
            {
                UserRecheck::AsPlanned => {}
                UserRecheck::Begun(done) => {
                    done.iter()
                        .for_each(|change| user_run.end(change.stage(), ChangeResult::DoneBefore));
                }
                UserRecheck::Moved(moved) => user_run.close(|_| ChangeResult::MovedOn(moved)),
            }
        }
        Ok(())
    }

    /// Reads the facts of some users again. Their age counts from the first request for any of them.
    pub(super) async fn read_again(
        &mut self,
        is_wanted: impl Fn(&UserRun<'_>) -> bool,
    ) -> Result<(), Error> {
        let begun = self.clock.now();
        let user_runs: Vec<&mut UserRun<'_>> =
            self.user_runs.iter_mut().filter(|user_run| is_wanted(user_run)).collect();
        let ids: Vec<UserId> = user_runs.iter().map(|user_run| user_run.id).collect();
        let facts = facts::read(
            self.client,
            &ids,
            &self.verified.now.method_policy,
            self.verified.now.extra,
        )
        .await?;
        user_runs.into_iter().zip(facts).for_each(|(user_run, facts)| user_run.read(facts, begun));
        Ok(())
    }

    /// Before anything but a new method is written, a new read must show for every user that it is still
    /// safe: facts that were read before an earlier stage of other users are old by now. A user who is
    /// not safe after some waiting is left unchanged, and so is a user that another writer changed in
    /// the meantime.
    async fn await_methods(&mut self, stage: Stage, fresh: Duration) -> Result<(), Error> {
        let verified = self.verified;
        for wait in self.listed_after {
            let (first, now) = (wait.is_zero(), self.clock.now());
            let to_read = |user_run: &UserRun<'_>| {
                let ages = |change: Change| {
                    !adds_phone(&change) || user_run.has_written() || user_run.is_older(fresh, &now)
                };
                user_run.due(stage).is_some_and(ages) && (first || user_run.waits(stage, verified))
            };
            if !first && !self.user_runs.iter().any(to_read) {
                break;
            }
            tokio::time::sleep(wait).await;
            // The set is computed once: what is read changes the answer of `to_read`.
            let read: BTreeSet<UserId> = self
                .user_runs
                .iter()
                .filter(|user_run| to_read(user_run))
                .map(|user_run| user_run.id)
                .collect();
            self.read_again(|user_run| read.contains(&user_run.id)).await?;
            self.confirm_phones(stage, |user_run| read.contains(&user_run.id)).await?;
        }
        for user_run in &mut self.user_runs {
            let Some(change) = user_run.due(stage) else { continue };
            if user_run.is_there(&change) {
                user_run.end(stage, ChangeResult::Done);
            } else if !user_run.is_known(&change) {
                user_run.close(|_| ChangeResult::MovedOn(ChangedSincePlan::Unreadable));
            } else if !user_run.is_at(&change) {
                user_run.close(|_| ChangeResult::MovedOn(ChangedSincePlan::Facts));
            } else if let Some(why) = user_run.refusal(stage, verified) {
                let why = format!("re-reading the user did not confirm that this is safe: {why}");
                user_run.close(|_| ChangeResult::NotTried(why.as_str().into()));
            }
        }
        Ok(())
    }

    /// If the safety of a change depends on phones in a list, reads each phone by its own address: a
    /// list can still show a phone that is gone.
    async fn confirm_phones(
        &mut self,
        stage: Stage,
        is_wanted: impl Fn(&UserRun<'_>) -> bool,
    ) -> Result<(), Error> {
        let needs_phones = |change: &Change| change.raises() || change.removes_method();
        let mut asked = Vec::new();
        for (place, user_run) in
            self.user_runs.iter().enumerate().filter(|(_, user_run)| is_wanted(user_run))
        {
            let Some(change) = user_run.due(stage).filter(needs_phones) else { continue };
            let others = user_run.phones().filter(|setting| *setting != change.setting);
            asked.extend(others.map(|setting| (place, (user_run.id, setting))));
        }
        let phones: Vec<(UserId, Setting)> = asked.iter().map(|(_, phone)| *phone).collect();
        let there = phones::by_id(self.client, &phones).await?;
        for ((place, (_, setting)), phone) in asked.into_iter().zip(there) {
            if let Some(user_run) = self.user_runs.get_mut(place) {
                user_run.stands(setting, phone);
            }
        }
        Ok(())
    }

    /// Checks that what is done in this stage shows before the user continues. Each phone is read by its
    /// own address, because lists are late. Returns the numbers of the writes that do not show.
    async fn read_back(&mut self, stage: Stage, sent: &[SentWrite]) -> Result<Vec<usize>, Error> {
        let done = |user_run: &UserRun<'_>| Some((user_run.id, user_run.done(stage)?));
        let mut unseen: Vec<(UserId, Change)> = self.user_runs.iter().filter_map(done).collect();
        for wait in self.listed_after {
            if unseen.is_empty() {
                break;
            }
            tokio::time::sleep(wait).await;
            let asked: Vec<(UserId, Setting)> =
                unseen.iter().map(|(id, change)| (*id, change.setting)).collect();
            let values = phones::look(self.client, &asked).await?;
            let shown = unseen.into_iter().zip(values);
            let shown =
                shown.filter(|((_, change), value)| Shows::of(*value, change) != Shows::Done);
            unseen = shown.map(|(one, _)| one).collect();
        }
        let mut numbers = Vec::new();
        for user_run in &mut self.user_runs {
            let Some((_, change)) = unseen.iter().find(|(id, _)| *id == user_run.id) else {
                continue;
            };
            // A write that was sent again has several numbers, and the last one was answered.
            match sent.iter().rfind(|(_, one, _)| one == change) {
                Some((.., number)) => {
                    numbers.push(*number);
                    user_run.end(stage, ChangeResult::Unknown(UNSEEN.into()));
                }
                None => user_run.end(stage, ChangeResult::NotTried(UNCONFIRMED.into())),
            }
        }
        Ok(numbers)
    }

    /// Writes one stage of all users. A write that could not be sent in time, or that was sent and not
    /// done, is read again and sent again. A refusal that every other write would meet as well ends the
    /// run.
    async fn stage(
        &mut self,
        stage: Stage,
        shared: &SharedContext<'_>,
    ) -> Result<Vec<SentWrite>, String> {
        let _permit = shared.permit().await?;
        let (begun, mut all) = (Instant::now(), Vec::new());
        let (mut fresh, mut slow) = (shared.fresh, 0);
        loop {
            self.freshen(stage, fresh, shared).await?;
            self.leave_guarded(shared);
            if !self.is_due(stage) {
                return Ok(all);
            }
            let mut sending = self.send(stage, begun, shared).await?;
            all.append(&mut sending.sent);
            if !self.is_due(stage) {
                return Ok(all);
            }
            if let Some(wait) = sending.wait {
                tokio::select! {
                    () = shared.stop.wait() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            slow = if sending.journal_was_slow { slow + 1 } else { 0 };
            if slow == MOST_SLOW_SYNCS {
                return Err(
                    "the journal takes too long to write: the facts become too old in the meantime"
                        .to_owned(),
                );
            }
            if begun.elapsed() > GIVE_UP {
                return Err(
                    "Graph did not accept all writes of a stage within half an hour".to_owned()
                );
            }
            fresh = Duration::ZERO;
        }
    }

    /// Reads users again whose facts are older than `fresh`, and waits until the rules are known. The
    /// wait makes the other facts older.
    async fn freshen(
        &mut self,
        stage: Stage,
        fresh: Duration,
        shared: &SharedContext<'_>,
    ) -> Result<(), String> {
        let is_old = |wave: &Self, fresh| {
            let now = wave.clock.now();
            wave.user_runs
                .iter()
                .any(|user_run| user_run.due(stage).is_some() && user_run.is_older(fresh, &now))
        };
        if is_old(self, fresh) {
            self.unless_stopped(shared, async |wave| wave.await_methods(stage, fresh).await)
                .await?;
        }
        shared.rules.are_known(&shared.stop).await;
        let fresh = shared.fresh;
        if is_old(self, fresh) {
            self.unless_stopped(shared, async |wave| wave.await_methods(stage, fresh).await)
                .await?;
            shared.rules.are_known(&shared.stop).await;
        }
        shared.stop.check()
    }
}
