//! Runs that are not settled: they came to no end, or ended with writes of which nobody knew whether
//! they were done. What became of those is read now and noted in their journal, which is closed then.
//! What cannot be read is noted as nothing, and looked at again by the next apply. Nothing is written
//! to the tenant; the plan that follows is made of what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::journal::{
    self, Damage, Desk, Intent, Journal, JournalFault, Kept, Noted, RunId, Unsettled, Word,
};
use super::report::Counts;
use crate::entra::{accounts, facts, phones};
use crate::graph::{Client, Error};
use crate::id::{TenantId, UserId};
use crate::plan::file::value::FullValue;
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::untrusted::label;

/// A request that lost its client can still be carried out. What does not show is looked at once more
/// after this time.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// A write that was noted longer ago than this is no longer under way: it waited for its quota and for
/// its answer no longer than that.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(5);

/// A run that was not settled, and what was found of it.
#[derive(Debug)]
pub struct Unfinished {
    pub run: RunId,
    /// Whether it came to no end. Otherwise it ended, with writes that nobody knew of.
    pub was_cut_off: bool,
    pub counts: Counts,
    /// Writes of which it was not known whether they were done, with what was found.
    pub looked: Vec<(String, Found)>,
    /// What its journal lost, of which nothing can be looked at.
    pub damage: Damage,
}

/// What a look shows of a write of which nobody knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Done,
    NotDone,
    /// Something else is there by now, so that it cannot be told.
    SomethingElse,
    /// The numbers were not kept, and before and after look alike.
    Alike,
    /// The account is deleted, and what it had with it.
    Gone,
    /// It could not be read. The next apply looks again.
    Unreadable,
}

/// Why a run could not be looked after.
#[derive(Debug)]
pub enum ResumeFault {
    Graph(Error),
    Journal(PathBuf, io::Error),
}

/// Looks after every run of the tenant that is not settled, and says which journals could not be
/// read. The lock must be held: a run that has no end may be under way otherwise.
///
/// # Errors
/// What could not be read of the tenant, or written of a journal.
pub async fn look_after(
    desk: Desk<'_>,
    client: &Client,
    tenant: TenantId,
) -> Result<(Vec<Unfinished>, Vec<JournalFault>), ResumeFault> {
    look_after_within(desk, client, tenant, SECOND_LOOK).await
}

/// The same with another time before the second look.
///
/// # Errors
/// What could not be read of the tenant, or written of a journal.
pub async fn look_after_within(
    desk: Desk<'_>,
    client: &Client,
    tenant: TenantId,
    second_look: Duration,
) -> Result<(Vec<Unfinished>, Vec<JournalFault>), ResumeFault> {
    let (mut unfinished, mut faults) = (Vec::new(), Vec::new());
    let runs = journal::runs(desk).unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    for run in runs {
        match journal::unsettled(desk, &run) {
            Ok(Some(unsettled)) => match is_of(client, tenant, &unsettled).await? {
                Some(true) => {
                    unfinished.push(look_at(desk, client, run, &unsettled, second_look).await?);
                }
                Some(false) => {}
                None => {
                    let Unsettled { damage, open, .. } = unsettled;
                    faults.push(JournalFault::NoTenant { run, damage, open: open.len() });
                }
            },
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    Ok((unfinished, faults))
}

/// Whether a run is of this tenant. Where its first line is lost, one of the people of whom it is in
/// doubt tells: ids of people are of one tenant alone.
async fn is_of(
    client: &Client,
    tenant: TenantId,
    unsettled: &Unsettled,
) -> Result<Option<bool>, ResumeFault> {
    if let Some(begun) = &unsettled.begun {
        return Ok(Some(begun.tenant == tenant));
    }
    if unsettled.open.is_empty() {
        // Nothing is left to look at, whose ever it was.
        return Ok(Some(false));
    }
    let users = users(unsettled.open.values());
    let accounts = accounts::read(client, &users).await.map_err(ResumeFault::Graph)?;
    Ok((!accounts.there.is_empty()).then_some(true))
}

fn users<'a>(open: impl Iterator<Item = &'a Intent>) -> BTreeSet<UserId> {
    open.map(|intent| intent.user).collect()
}

async fn look_at(
    desk: Desk<'_>,
    client: &Client,
    run: RunId,
    unsettled: &Unsettled,
    second_look: Duration,
) -> Result<Unfinished, ResumeFault> {
    let open = &unsettled.open;
    let kept = journal::kept(desk, &run, |number| open.contains_key(&number)).unwrap_or_default();
    let found = find(client, open, &kept, second_look).await.map_err(ResumeFault::Graph)?;
    let ended: Vec<(usize, Noted)> =
        found.iter().filter_map(|(number, found)| Some((*number, found.noted()?))).collect();
    let is_settled = ended.len() == open.len();
    let was_cut_off = unsettled.end.is_none();
    let mut counts = unsettled.counts;
    ended.iter().for_each(|(_, noted)| counts.settle(noted.fate));
    let name = |intent: &Intent| format!("{}: {}", intent.setting.name(), label(&intent.name));
    let looked = open.values().map(name).zip(found.values().copied()).collect();
    let damage = unsettled.damage.clone();
    let unfinished = Unfinished { run, was_cut_off, counts, looked, damage };
    if ended.is_empty() && !is_settled {
        return Ok(unfinished);
    }
    let journal = Journal::go_on(desk, &unfinished.run);
    let mut journal = journal.map_err(|(path, error)| ResumeFault::Journal(path, error))?;
    let fault = |error| ResumeFault::Journal(desk.folder.to_owned(), error);
    ended
        .into_iter()
        .try_for_each(|(number, noted)| journal.ended(number, noted))
        .map_err(fault)?;
    if !is_settled && was_cut_off {
        journal.sync().map_err(fault)?;
        return Ok(unfinished);
    }
    let stopped = match &unsettled.end {
        Some(end) => end.stopped.clone(),
        None => Some("the run was cut off".to_owned()),
    };
    let closed = journal.close_with(counts, stopped);
    closed.map_err(|(path, error)| ResumeFault::Journal(path, error))?;
    Ok(unfinished)
}

/// What is found of each write, by its number. What does not show, and can still be under way, is
/// looked at twice.
async fn find(
    client: &Client,
    open: &BTreeMap<usize, Intent>,
    kept: &BTreeMap<usize, Kept>,
    second_look: Duration,
) -> Result<BTreeMap<usize, Found>, Error> {
    // What a deleted account had is answered as a phone is that is not registered.
    let gone = accounts::read(client, &users(open.values())).await?.gone;
    let is_there = |(_, intent): &(&usize, &Intent)| !gone.contains(&intent.user);
    let mut found = look(client, open.iter().filter(is_there), kept).await?;
    let of_gone = open.iter().filter(|one| !is_there(one));
    found.extend(of_gone.map(|(number, _)| (*number, Found::Gone)));
    let now = Timestamp::now();
    let is_open = |number: &usize, intent: &Intent| {
        let is_recent = now.duration_since(intent.at) < LONG_AGO;
        found.get(number) == Some(&Found::NotDone) && is_recent
    };
    let again: Vec<(&usize, &Intent)> =
        open.iter().filter(|(number, intent)| is_open(number, intent)).collect();
    if !again.is_empty() {
        tokio::time::sleep(second_look).await;
        found.extend(look(client, again.into_iter(), kept).await?);
    }
    Ok(found)
}

/// Reads what is there now. Lists of methods are late, so that each phone is asked for by its own
/// address, and so is what belongs to it.
async fn look(
    client: &Client,
    open: impl Iterator<Item = (&usize, &Intent)> + Clone,
    kept: &BTreeMap<usize, Kept>,
) -> Result<BTreeMap<usize, Found>, Error> {
    let is_by_address = |setting: Setting| phones::has_address(setting);
    let by_address = open.clone().filter(|(_, intent)| is_by_address(intent.setting));
    let asked: Vec<(UserId, Setting)> =
        by_address.clone().map(|(_, intent)| (intent.user, intent.setting)).collect();
    let values = phones::look(client, &asked).await?;
    let mut found: BTreeMap<usize, Found> = by_address
        .zip(values)
        .map(|((number, intent), value)| (*number, Found::of(intent, value, kept.get(number))))
        .collect();
    let others = open.filter(|(_, intent)| !is_by_address(intent.setting));
    let facts = read(client, others.clone().map(|(_, intent)| intent)).await?;
    found.extend(others.map(|(number, intent)| {
        let facts = facts.get(&intent.user).copied().unwrap_or(Facts::NOT_READ);
        let value = Values::observed(&facts).get(intent.setting);
        (*number, Found::of(intent, value, kept.get(number)))
    }));
    Ok(found)
}

/// What the people have now of whom something is not known.
async fn read(
    client: &Client,
    open: impl Iterator<Item = &Intent>,
) -> Result<BTreeMap<UserId, Facts>, Error> {
    let mut users: Vec<UserId> = open.map(|intent| intent.user).collect();
    users.sort_unstable();
    users.dedup();
    // Which external methods the tenant has says nothing about phones, preferences and states.
    let (policy, extra) = (MethodPolicy::UNREAD, Extra { preferences: true });
    let facts = facts::read(client, &users, &policy, extra).await?;
    Ok(users.into_iter().zip(facts).collect())
}

impl Found {
    /// By the full values where they were kept, else by what they print as.
    fn of(intent: &Intent, now: Value, kept: Option<&Kept>) -> Self {
        if now.is_unknown() {
            return Self::Unreadable;
        }
        let full = |value: Option<FullValue>| value.map(Value::from);
        let (before, after) = kept
            .filter(|kept| (kept.user, kept.setting) == (intent.user, intent.setting))
            .map_or((None, None), |kept| (full(kept.before.clone()), full(kept.after.clone())));
        let is = |value: Option<Value>, printed: &str| match value {
            Some(value) => now.meets(value),
            None => now.to_string() == printed,
        };
        match (is(before, &intent.before), is(after, &intent.after)) {
            (true, true) if before.is_none() || after.is_none() => Self::Alike,
            (_, true) => Self::Done,
            (true, false) => Self::NotDone,
            (false, false) => Self::SomethingElse,
        }
    }

    /// What is noted of it; nothing where the next apply looks again.
    fn noted(self) -> Option<Noted> {
        let (fate, why) = match self {
            Self::Done => (Word::Done, "nobody knew, and a later apply found it done"),
            Self::NotDone => (Word::Failed, "nobody knew, and a later apply found it not done"),
            Self::SomethingElse => {
                (Word::NeverKnown, "nobody knew, and by now something else is there")
            }
            Self::Alike => (
                Word::NeverKnown,
                "nobody knew, and without the number it cannot be told whether it was done",
            ),
            Self::Gone => (Word::NeverKnown, "nobody knew, and the account is deleted by now"),
            Self::Unreadable => return None,
        };
        Some(Noted { fate, why: Some(why.to_owned()), request_id: None })
    }
}
