//! Settles runs that have no end, or that ended with writes in doubt. The outcome of those writes is
//! read now and recorded in the journal of the run, which is then closed. If an outcome cannot be read,
//! nothing is recorded and the next apply checks it again. Nothing is written to the tenant; the next
//! plan is made from the state that is there.
//!
//! Not here: how journals are read (`journal`), or how what was found is reported (`commands`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::entra::{accounts, facts, phones};
use crate::graph::{Client, Error};
use crate::id::UserId;
use crate::journal::{
    self, ChainEnd, Damage, Intent, Journal, JournalFault, Noted, RestoreRow, RunId, TenantRuns,
    Unsettled,
};
use crate::results::ChangeCounts;
use crate::results::WriteResult;
use crate::settings::full_value::FullValue;
use crate::settings::{Setting, Value, Values};
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;
use crate::untrusted::label;

/// A request that lost its client can still be carried out. A write that does not show is read once more
/// after this time.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// A write that was recorded longer ago than this is no longer under way: it cannot have waited longer
/// for its quota and its answer.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(5);

/// A run that was not settled, with what was found about it.
#[derive(Debug)]
pub struct Unfinished {
    pub run: RunId,
    /// True if the run has no end. Otherwise it ended with writes in doubt.
    pub was_cut_off: bool,
    pub counts: ChangeCounts,
    /// The writes that were in doubt, each with what was found.
    pub looked: Vec<(String, DoubtResult)>,
    /// Damage of its journal. Writes on lost lines cannot be checked.
    pub damage: Damage,
}

/// What a check found about a write in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtResult {
    Done,
    NotDone,
    /// The setting has another value by now, so the outcome cannot be determined.
    SomethingElse,
    /// The numbers were not kept, and the masked values before and after are the same.
    Alike,
    /// The account is deleted, and its methods with it.
    Gone,
    /// The value could not be read. The next apply checks it again.
    Unreadable,
}

/// Reason why a run could not be settled.
#[derive(Debug)]
pub enum ResumeFault {
    Graph(Error),
    Journal(JournalFault),
}

/// The runs that were not settled, and the journals that could not be read.
#[derive(Debug, Default)]
pub struct Earlier {
    pub unfinished: Vec<Unfinished>,
    pub faults: Vec<JournalFault>,
    /// Every run whose last segment is before this one is settled.
    pub settled: u64,
}

/// Checks every run of the tenant that is not settled. The end of the chain was read before: a run that adds
/// to it meanwhile is noticed by the first line that is written here. The caller must hold the lock: otherwise a run
/// without an end may still be under way.
///
/// # Errors
/// The tenant or the store could not be read, or a journal could not be written.
pub async fn settle_earlier(
    chain: (&TenantRuns, &ChainEnd),
    client: &Client,
) -> Result<Earlier, ResumeFault> {
    settle_earlier_within(chain, client, SECOND_LOOK).await
}

/// Does the same with another wait before the second read.
///
/// # Errors
/// The tenant or the store could not be read, or a journal could not be written.
pub async fn settle_earlier_within(
    (runs, end): (&TenantRuns, &ChainEnd),
    client: &Client,
    second_look: Duration,
) -> Result<Earlier, ResumeFault> {
    let since = journal::runs_since(runs).await.map_err(ResumeFault::Journal)?;
    let (mut unfinished, mut settled) = (Vec::new(), None);
    let mut faults: Vec<JournalFault> = since.fault.into_iter().collect();
    for one in since.runs {
        let begins = one.begins();
        let is_settled = match journal::unsettled(runs, &one).await {
            Ok(Some(unsettled)) => {
                let (found, is_settled) =
                    check_run((runs, end), client, one.run, &unsettled, second_look).await?;
                unfinished.push(found);
                is_settled
            }
            Ok(None) => true,
            Err(fault @ JournalFault::Store(_)) => return Err(ResumeFault::Journal(fault)),
            Err(fault) => {
                faults.push(fault);
                false
            }
        };
        if !is_settled {
            settled.get_or_insert(begins);
        }
    }
    Ok(Earlier { unfinished, faults, settled: settled.unwrap_or(u64::MAX) })
}

fn users<'a>(open: impl Iterator<Item = &'a Intent>) -> BTreeSet<UserId> {
    open.map(|intent| intent.user).collect()
}

/// Checks a run, and returns whether it is settled now.
async fn check_run(
    (runs, end): (&TenantRuns, &ChainEnd),
    client: &Client,
    run: RunId,
    unsettled: &Unsettled,
    second_look: Duration,
) -> Result<(Unfinished, bool), ResumeFault> {
    let open = &unsettled.open;
    let kept = journal::kept(runs, &run, |number| open.contains_key(&number)).await;
    let kept = kept.unwrap_or_default();
    let found = find(client, open, &kept, second_look).await.map_err(ResumeFault::Graph)?;
    let ended: Vec<(usize, Noted)> =
        found.iter().filter_map(|(number, found)| Some((*number, found.noted()?))).collect();
    let is_settled = ended.len() == open.len();
    let was_cut_off = unsettled.end.is_none();
    let mut counts = unsettled.counts;
    ended.iter().for_each(|(_, noted)| counts.settle(noted.result));
    let name = |intent: &Intent| format!("{}: {}", intent.setting.name(), label(&intent.name));
    let looked = open.values().map(name).zip(found.values().copied()).collect();
    let damage = unsettled.damage.clone();
    let unfinished = Unfinished { run, was_cut_off, counts, looked, damage };
    if ended.is_empty() && !is_settled {
        return Ok((unfinished, false));
    }
    let journal =
        Journal::go_on((runs, end), &unfinished.run).await.map_err(ResumeFault::Journal)?;
    let fault = |fault| ResumeFault::Journal(JournalFault::NotWritten(fault));
    ended
        .into_iter()
        .try_for_each(|(number, noted)| journal.ended(number, noted))
        .map_err(fault)?;
    if !is_settled && was_cut_off {
        journal.sync().await.map_err(fault)?;
        return Ok((unfinished, false));
    }
    let stopped = match &unsettled.end {
        Some(end) => end.stopped.clone(),
        None => Some("the run was cut off".to_owned()),
    };
    journal.close_with(counts, stopped).await.map_err(fault)?;
    Ok((unfinished, is_settled))
}

/// Returns what is found about each write, by its number. A write that does not show and can still be
/// under way is checked twice.
async fn find(
    client: &Client,
    open: &BTreeMap<usize, Intent>,
    kept: &BTreeMap<usize, RestoreRow>,
    second_look: Duration,
) -> Result<BTreeMap<usize, DoubtResult>, Error> {
    // For a method of a deleted account, Graph answers as it does for a phone that is not registered.
    let gone = accounts::read(client, &users(open.values())).await?.gone;
    let is_there = |(_, intent): &(&usize, &Intent)| !gone.contains(&intent.user);
    let mut found = read_values(client, open.iter().filter(is_there), kept).await?;
    let of_gone = open.iter().filter(|one| !is_there(one));
    found.extend(of_gone.map(|(number, _)| (*number, DoubtResult::Gone)));
    let now = Timestamp::now();
    let is_open = |number: &usize, intent: &Intent| {
        let is_recent = now.duration_since(intent.at) < LONG_AGO;
        found.get(number) == Some(&DoubtResult::NotDone) && is_recent
    };
    let again: Vec<(&usize, &Intent)> =
        open.iter().filter(|(number, intent)| is_open(number, intent)).collect();
    if !again.is_empty() {
        tokio::time::sleep(second_look).await;
        found.extend(read_values(client, again.into_iter(), kept).await?);
    }
    Ok(found)
}

/// Reads the current values. Lists of methods are late, so each phone, and the setting that belongs to
/// it, is read by its own address.
async fn read_values(
    client: &Client,
    open: impl Iterator<Item = (&usize, &Intent)> + Clone,
    kept: &BTreeMap<usize, RestoreRow>,
) -> Result<BTreeMap<usize, DoubtResult>, Error> {
    let is_by_address = |setting: Setting| phones::has_address(setting);
    let by_address = open.clone().filter(|(_, intent)| is_by_address(intent.setting));
    let asked: Vec<(UserId, Setting)> =
        by_address.clone().map(|(_, intent)| (intent.user, intent.setting)).collect();
    let values = phones::look(client, &asked).await?;
    let mut found: BTreeMap<usize, DoubtResult> = by_address
        .zip(values)
        .map(|((number, intent), value)| {
            (*number, DoubtResult::of(intent, value, kept.get(number)))
        })
        .collect();
    let others = open.filter(|(_, intent)| !is_by_address(intent.setting));
    let facts = read_facts(client, others.clone().map(|(_, intent)| intent)).await?;
    found.extend(others.map(|(number, intent)| {
        let facts = facts.get(&intent.user).copied().unwrap_or(Facts::NOT_READ);
        let value = Values::observed(&facts).get(intent.setting);
        (*number, DoubtResult::of(intent, value, kept.get(number)))
    }));
    Ok(found)
}

/// Reads the current facts of the users of these writes.
async fn read_facts(
    client: &Client,
    open: impl Iterator<Item = &Intent>,
) -> Result<BTreeMap<UserId, Facts>, Error> {
    let mut users: Vec<UserId> = open.map(|intent| intent.user).collect();
    users.sort_unstable();
    users.dedup();
    // The external methods of the tenant do not matter for phones, preferences and states.
    let (policy, extra) = (MethodPolicy::UNREAD, Extra::ALL);
    let facts = facts::read(client, &users, &policy, extra).await?;
    Ok(users.into_iter().zip(facts).collect())
}

/// Returns whether SMS sign-in is as Entra sets it when a number is registered. A write that switches it off
/// was planned before that, so the journal does not have the value that it found.
fn is_as_registered(setting: Setting, now: Value) -> bool {
    setting == Setting::SmsSignIn && now == Value::Switch(true)
}

impl DoubtResult {
    /// Compares the full values if they were kept, and otherwise their printed forms.
    fn of(intent: &Intent, now: Value, kept: Option<&RestoreRow>) -> Self {
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
        let (was, is) = (is(before, &intent.before), is(after, &intent.after));
        match (was, is) {
            (true, true) if before.is_none() || after.is_none() => Self::Alike,
            (_, true) => Self::Done,
            (true, false) => Self::NotDone,
            (false, false) if is_as_registered(intent.setting, now) => Self::NotDone,
            (false, false) => Self::SomethingElse,
        }
    }

    /// Returns what is recorded in the journal; `None` if the next apply checks again.
    fn noted(self) -> Option<Noted> {
        let (result, why) = match self {
            Self::Done => {
                (WriteResult::Done, "its result was unknown; a later apply found it done")
            }
            Self::NotDone => {
                (WriteResult::Failed, "its result was unknown; a later apply found it not done")
            }
            Self::SomethingElse => (
                WriteResult::NeverKnown,
                "its result stays unknown: the setting has another value by now",
            ),
            Self::Alike => (
                WriteResult::NeverKnown,
                "its result stays unknown: the number that would show whether it was done is not kept",
            ),
            Self::Gone => {
                (WriteResult::NeverKnown, "its result stays unknown: the account is deleted by now")
            }
            Self::Unreadable => return None,
        };
        Some(Noted { result, why: Some(why.to_owned()), request_id: None })
    }
}
