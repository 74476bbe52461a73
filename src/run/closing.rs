//! Checks the users that a run wrote to, at the end of the run. It names every user that is open, stuck,
//! worse off than before or unreadable, and then the run does not end as done.
//!
//! Not here: what counts as worse off (`apply::final_check`), or what the policies still want
//! (`remaining`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::events::{Event, Frontend, RunEnd, RunOutput};
use super::fault::RunFault;
use super::observe;
use super::write::{CarriedOut, WriteRun};
use crate::apply::final_check::{self, CurrentPosture, Expected};
use crate::entra::phones;
use crate::id::UserId;
use crate::journal::{self, RunId};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::posture::Posture;
use crate::results::{ApplyReport, WorseUser};
use crate::settings::Setting;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;

/// How long to wait until lists show what was written.
pub(super) const LISTED_AFTER: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// The users that a run wrote to.
pub(super) struct WrittenUsers<'a, F> {
    writer: &'a WriteRun<'a, F>,
    expected: Vec<Expected>,
}

impl<'a, F: Frontend> WrittenUsers<'a, F> {
    pub(super) fn of(writer: &'a WriteRun<'a, F>, plan: &Plan, report: &ApplyReport) -> Self {
        Self { writer, expected: Expected::of(plan, report) }
    }

    /// Returns the users that are worse off, in a tenant that was just observed. Users that no policy
    /// applies to any more are read in addition. Deleted users are skipped, because nothing can harm them.
    pub(super) async fn worse_in(&self, observed: &Observed) -> Result<WorseUsers, RunFault> {
        let is_here = |one: &&Expected| {
            let found = observed.directory.find(one.user);
            found.is_some_and(|index| observed.facts(index) != Facts::NOT_READ)
        };
        let (here, others): (Vec<&Expected>, Vec<&Expected>) =
            self.expected.iter().partition(is_here);
        let mut found = self.compared(&here, observed).await?;
        let others = self.read(&others).await?;
        found.worse.extend(others.worse);
        found.may_be_late |= others.may_be_late;
        Ok(found)
    }

    /// Returns the same without the policies, for an undo or a stopped run. It waits for lists that may
    /// not show the writes yet.
    pub(super) async fn worse(&self) -> Result<Vec<WorseUser>, RunFault> {
        let all: Vec<&Expected> = self.expected.iter().collect();
        let client = self.writer.client;
        let mut waits = LISTED_AFTER.into_iter();
        loop {
            let found = self.writer.frontend.accompany(client, self.read(&all)).await?;
            let wait = waits.next().filter(|_| found.may_be_late);
            let Some(wait) = wait else { return Ok(found.worse) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Returns all users as unknown, because none could be read.
    pub(super) fn not_known(&self) -> Vec<WorseUser> {
        self.expected.iter().map(Expected::not_known).collect()
    }

    async fn read(&self, users: &[&Expected]) -> Result<WorseUsers, RunFault> {
        if users.is_empty() {
            return Ok(WorseUsers::default());
        }
        let ids: Vec<UserId> = users.iter().map(|one| one.user).collect();
        let (observed, _) =
            observe::these_users(self.writer.session, self.writer.policies, &ids).await?;
        self.compared(users, &observed).await
    }

    /// Lists can lag behind writes in both directions. So each phone is read by its own address if a
    /// write could harm the user, and before a user is reported as worse off.
    async fn compared(
        &self,
        users: &[&Expected],
        observed: &Observed,
    ) -> Result<WorseUsers, RunFault> {
        let (to_ask, listed): (Vec<&Expected>, Vec<&Expected>) =
            users.iter().partition(|one| one.can_be_harmed);
        let facts = |one: &Expected| {
            let index = observed.directory.find(one.user)?;
            Some((index, observed.facts(index)))
        };
        let is_worse = |one: &&Expected| {
            let stands = facts(one).map(|(index, facts)| now(observed, index, &facts));
            stands.is_some_and(|now| one.compare(now).is_some())
        };
        let to_ask: Vec<&Expected> =
            to_ask.into_iter().chain(listed.into_iter().filter(is_worse)).collect();
        let mut asked: Vec<(UserId, Setting)> = Vec::new();
        for one in &to_ask {
            let Some((_, facts)) = facts(one) else { continue };
            let mut all = final_check::phones(&facts);
            all.extend(&one.phones);
            all.sort_unstable();
            all.dedup();
            asked.extend(all.into_iter().map(|setting| (one.user, setting)));
        }
        let there = phones::by_id(self.writer.client, &asked).await?;
        let mut phones: BTreeMap<UserId, Vec<_>> = BTreeMap::new();
        for ((user, setting), phone) in asked.into_iter().zip(there) {
            phones.entry(user).or_default().push((setting, phone));
        }
        let mut found = WorseUsers::default();
        for one in to_ask {
            let Some((index, listed)) = facts(one) else { continue };
            let own = phones.get(&one.user).into_iter().flatten();
            let facts = own.fold(listed, |facts, (setting, phone)| {
                final_check::with_phone(facts, *setting, *phone)
            });
            if let Some(worse) = one.compare(now(observed, index, &facts)) {
                found.may_be_late |= one.may_be_late(&facts);
                found.worse.push(worse);
            }
        }
        Ok(found)
    }
}

/// The users that are worse off.
#[derive(Default)]
pub(super) struct WorseUsers {
    pub(super) worse: Vec<WorseUser>,
    /// Lists may not show yet what some of these users have.
    pub(super) may_be_late: bool,
}

fn now(observed: &Observed, index: UserIndex, facts: &Facts) -> CurrentPosture {
    let judge = observed.basis.judge();
    CurrentPosture {
        posture: judge.posture(index, facts),
        answer: judge.answer(index, facts),
        known: final_check::known(facts),
    }
}

/// Checks the users after a run after which no new plan is made.
pub(super) async fn check_written<F: Frontend>(
    writer: &WriteRun<'_, F>,
    plan: &Plan,
    carried: &CarriedOut,
) -> Result<RunEnd, RunFault> {
    let written = WrittenUsers::of(writer, plan, &carried.report);
    let worse = written.worse().await.unwrap_or_else(|fault| {
        writer.frontend.tell(Event::NotReadAgain(&fault));
        written.not_known()
    });
    let is_well = report_worse(writer, (&carried.run, carried.is_noted), worse).await?;
    let is_whole = carried.report.is_whole() && carried.report.stopped.is_none();
    Ok(RunEnd::of(is_well && is_whole && carried.is_noted))
}

/// Reports the users that are open or stuck now and that an earlier run wrote to, if that run was cut
/// off before it could check them. Returns true if there are none.
pub(super) async fn check_cut_off<F: Frontend>(writer: &WriteRun<'_, F>) -> Result<bool, RunFault> {
    let suspects = written_by_cut_off(writer).await;
    if suspects.is_empty() {
        return Ok(true);
    }
    let ids: Vec<UserId> = suspects.keys().copied().collect();
    let (observed, facts) = with_each_phone(writer, &ids).await?;
    let mut is_well = true;
    for (user, (index, facts)) in facts {
        let posture = observed.basis.judge().posture(index, &facts);
        let Some((run, name)) = suspects.get(&user) else { continue };
        if matches!(posture, Posture::Open | Posture::Stuck) {
            is_well = false;
            writer.frontend.tell(Event::HarmedByCutOffRun { run, name, posture });
        }
    }
    Ok(is_well)
}

/// Returns the users that a cut off run may have harmed, each with the run and the name in its journal.
async fn written_by_cut_off<'w, F: Frontend>(
    writer: &'w WriteRun<'_, F>,
) -> BTreeMap<UserId, (&'w RunId, String)> {
    let mut suspects = BTreeMap::new();
    for run in &writer.cut_off {
        let Ok(past) = journal::past(writer.journals(), run).await else { continue };
        let writes = past.standing().filter(|one| one.intent.can_harm() && one.may_be_done());
        suspects.extend(writes.map(|one| (one.intent.user, (run, one.intent.name))));
    }
    suspects
}

/// Observes these users, and reads each phone by its own address, because lists can lag behind.
async fn with_each_phone<F: Frontend>(
    writer: &WriteRun<'_, F>,
    users: &[UserId],
) -> Result<(Observed, BTreeMap<UserId, (UserIndex, Facts)>), RunFault> {
    let (observed, _) = observe::these_users(writer.session, writer.policies, users).await?;
    let asked: Vec<(UserId, Setting)> =
        users.iter().flat_map(|id| final_check::PHONES.map(|setting| (*id, setting))).collect();
    let there = phones::by_id(writer.client, &asked).await?;
    let mut facts: BTreeMap<UserId, (UserIndex, Facts)> = BTreeMap::new();
    for ((user, setting), phone) in asked.into_iter().zip(there) {
        let Some(index) = observed.directory.find(user) else { continue };
        let (_, facts) = facts.entry(user).or_insert((index, observed.facts(index)));
        *facts = final_check::with_phone(*facts, setting, phone);
    }
    Ok((observed, facts))
}

/// Reports the users that are worse off, and adds them to the journal of the run if it is closed. Returns
/// true if there are none.
pub(super) async fn report_worse<F: Frontend>(
    writer: &WriteRun<'_, F>,
    (run, is_closed): (&RunId, bool),
    worse: Vec<WorseUser>,
) -> Result<bool, RunFault> {
    if worse.is_empty() {
        return Ok(true);
    }
    writer.frontend.show(RunOutput::WorseOff(&worse)).map_err(RunFault::Output)?;
    writer.frontend.tell(Event::WorseOff { run, worse: &worse });
    if is_closed && let Err(fault) = journal::note_standing(writer.chain(), run, worse).await {
        writer.frontend.tell(Event::Problem(&RunFault::PastRun(fault)));
    }
    Ok(false)
}
