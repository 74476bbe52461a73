//! Checks the users that a run wrote to, at the end of the run. It names every user that is open, stuck,
//! worse off than before or unreadable, and then the run does not end as done.
//!
//! Not here: what counts as worse off (`apply::final_check`), or what the policies still want (`apply`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply::final_check::{self, CurrentPosture, Expected};
use crate::commands::connect::ConnectedTenant;
use crate::commands::fault::Fault;
use crate::commands::progress::shown;
use crate::entra::phones;
use crate::id::UserId;
use crate::journal::{self, JournalDir, RunId};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::policy::PolicySet;
use crate::posture::Posture;
use crate::render::apply;
use crate::results::ApplyReport;
use crate::results::Worse;
use crate::run::observe;
use crate::run::write::WriteRun;
use crate::settings::Setting;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Facts;
use crate::terminal::{print, say};

/// How long to wait until lists show what was written.
pub(crate) const HEARD_AFTER: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// The users that a run wrote to.
pub(crate) struct Closing<'a> {
    set: &'a PolicySet,
    tenant: &'a ConnectedTenant,
    expected: Vec<Expected>,
}

impl<'a> Closing<'a> {
    pub(crate) fn of(
        set: &'a PolicySet,
        tenant: &'a ConnectedTenant,
        plan: &Plan,
        report: &ApplyReport,
    ) -> Self {
        Self { set, tenant, expected: Expected::of(plan, report) }
    }

    /// Returns the users that are worse off, in a tenant that was just observed. Users that no policy
    /// applies to any more are read in addition. Deleted users are skipped, because nothing can harm them.
    pub(crate) async fn held_against(&self, observed: &Observed) -> Result<WorseUsers, Fault> {
        let is_here = |one: &&Expected| {
            let found = observed.directory.find(one.user);
            found.is_some_and(|index| observed.facts(index) != Facts::NOT_READ)
        };
        let (here, others): (Vec<&Expected>, Vec<&Expected>) =
            self.expected.iter().partition(is_here);
        let mut found = self.judged(&here, observed).await?;
        let others = self.read(&others).await?;
        found.worse.extend(others.worse);
        found.may_be_late |= others.may_be_late;
        Ok(found)
    }

    /// Returns the same without the policies, for an undo or a stopped run. It waits for lists that may
    /// not show the writes yet.
    pub(crate) async fn looked(&self) -> Result<Vec<Worse>, Fault> {
        let all: Vec<&Expected> = self.expected.iter().collect();
        let mut waits = HEARD_AFTER.into_iter();
        loop {
            let found = shown(&self.tenant.client, self.read(&all)).await?;
            let wait = waits.next().filter(|_| found.may_be_late);
            let Some(wait) = wait else { return Ok(found.worse) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Returns all users as unknown, because none could be read.
    pub(crate) fn not_known(&self) -> Vec<Worse> {
        self.expected.iter().map(Expected::not_known).collect()
    }

    async fn read(&self, users: &[&Expected]) -> Result<WorseUsers, Fault> {
        if users.is_empty() {
            return Ok(WorseUsers::default());
        }
        let ids: Vec<UserId> = users.iter().map(|one| one.user).collect();
        let (observed, _) = observe::these(self.set, self.tenant, &ids, false).await?;
        self.judged(users, &observed).await
    }

    /// Lists can lag behind writes in both directions. So each phone is read by its own address if a
    /// write could harm the user, and before a user is reported as worse off.
    async fn judged(&self, users: &[&Expected], observed: &Observed) -> Result<WorseUsers, Fault> {
        let (to_ask, listed): (Vec<&Expected>, Vec<&Expected>) =
            users.iter().partition(|one| one.can_be_harmed);
        let facts = |one: &Expected| {
            let index = observed.directory.find(one.user)?;
            Some((index, observed.facts(index)))
        };
        let is_worse = |one: &&Expected| {
            let stands = facts(one).map(|(index, facts)| now(observed, index, &facts));
            stands.is_some_and(|now| one.held_against(now).is_some())
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
        let there = phones::by_id(&self.tenant.client, &asked).await?;
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
            if let Some(worse) = one.held_against(now(observed, index, &facts)) {
                found.may_be_late |= one.may_be_late(&facts);
                found.worse.push(worse);
            }
        }
        Ok(found)
    }
}

/// The users that are worse off.
#[derive(Default)]
pub(crate) struct WorseUsers {
    pub(crate) worse: Vec<Worse>,
    /// Lists may not show yet what some of these users have.
    pub(crate) may_be_late: bool,
}

fn now(observed: &Observed, index: UserIndex, facts: &Facts) -> CurrentPosture {
    let judge = observed.basis.judge();
    CurrentPosture {
        posture: judge.posture(index, facts),
        answer: judge.answer(index, facts),
        known: final_check::known(facts),
    }
}

/// Prints the users that are open or stuck now and that an earlier run wrote to, if that run was cut off
/// before it could check them. Returns true if there are none.
pub(crate) async fn after_cut_off(turn: &WriteRun<'_>) -> Result<bool, Fault> {
    let mut suspects: BTreeMap<UserId, (&RunId, String)> = BTreeMap::new();
    for run in &turn.cut_off {
        let Ok(past) = journal::past(turn.desk(), run) else { continue };
        let told = past.standing().filter(|told| told.intent.can_harm() && told.may_be_done());
        suspects.extend(told.map(|told| (told.intent.user, (run, told.intent.name))));
    }
    if suspects.is_empty() {
        return Ok(true);
    }
    let ids: Vec<UserId> = suspects.keys().copied().collect();
    let (observed, _) = observe::these(turn.set, turn.tenant, &ids, false).await?;
    let asked: Vec<(UserId, Setting)> =
        ids.iter().flat_map(|id| final_check::PHONES.map(|setting| (*id, setting))).collect();
    let there = phones::by_id(&turn.tenant.client, &asked).await?;
    let mut facts: BTreeMap<UserId, (UserIndex, Facts)> = BTreeMap::new();
    for ((user, setting), phone) in asked.into_iter().zip(there) {
        let Some(index) = observed.directory.find(user) else { continue };
        let (_, facts) = facts.entry(user).or_insert((index, observed.facts(index)));
        *facts = final_check::with_phone(*facts, setting, phone);
    }
    let mut is_well = true;
    for (user, (index, facts)) in facts {
        let posture = observed.basis.judge().posture(index, &facts);
        let Some((run, name)) = suspects.get(&user) else { continue };
        if matches!(posture, Posture::Open | Posture::Stuck) {
            is_well = false;
            say(&format!(
                "error: {name} is {}; run {run} was cut off after it wrote to this user\nhelp: `mfactl undo {run}` puts back the changes of that run",
                posture.as_str()
            ));
        }
    }
    Ok(is_well)
}

/// Prints the users that are worse off, and adds them to the journal of the run if it is closed. Returns
/// true if there are none.
pub(crate) fn tell(
    desk: JournalDir<'_>,
    (run, is_closed): (&RunId, bool),
    worse: Vec<Worse>,
) -> Result<bool, Fault> {
    if worse.is_empty() {
        return Ok(true);
    }
    print(&apply::worse(&worse)).map_err(Fault::Output)?;
    say(&format!(
        "error: {}\nhelp: `mfactl explain USER` shows why; `mfactl undo {run}` puts back the changes of this run",
        apply::worse_in_short(&worse)
    ));
    if is_closed && let Err((path, error)) = journal::note_standing(desk, run, worse) {
        say(&Fault::Journal(path, error).to_string());
    }
    Ok(false)
}
