//! Runs that came to no end: what they were about to write when they were cut off is read now, noted
//! in their journal, and the journal is closed. What cannot be read is noted as nothing, and the
//! journal stays open until it can. Nothing is written to the tenant; the plan that follows is made of
//! what is there.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::journal::{
    self, Desk, Intent, Journal, JournalFault, Kept, Noted, RunId, Unended, Word,
};
use super::report::Counts;
use crate::entra::facts;
use crate::graph::{Client, Error};
use crate::id::{TenantId, UserId};
use crate::plan::file::value::FullValue;
use crate::settings::{Value, Values};
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// A run that was cut off, and what was found of it.
#[derive(Debug)]
pub struct Unfinished {
    pub run: RunId,
    pub counts: Counts,
    /// Writes of which it was not known whether they were done, with whether they are there now;
    /// `None` where that could not be read.
    pub looked: Vec<(String, Option<bool>)>,
}

/// Why a run could not be looked after.
#[derive(Debug)]
pub enum ResumeFault {
    Graph(Error),
    Journal(PathBuf, io::Error),
}

/// Looks after every run of the tenant that came to no end, and says which journals could not be
/// read. The lock must be held: a run that has no end may be under way otherwise.
///
/// # Errors
/// What could not be read of the tenant, or written of a journal.
pub async fn look_after(
    desk: Desk<'_>,
    client: &Client,
    tenant: TenantId,
) -> Result<(Vec<Unfinished>, Vec<JournalFault>), ResumeFault> {
    let (mut unfinished, mut faults) = (Vec::new(), Vec::new());
    let runs = journal::runs(desk).unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    for run in runs {
        match journal::unended(desk, &run) {
            Ok(Some(unended)) if unended.begun.tenant == tenant => {
                unfinished.push(look_at(desk, client, run, &unended).await?);
            }
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
    }
    Ok((unfinished, faults))
}

async fn look_at(
    desk: Desk<'_>,
    client: &Client,
    run: RunId,
    unended: &Unended,
) -> Result<Unfinished, ResumeFault> {
    let open = &unended.open;
    let kept = journal::kept(desk, &run, |number| open.contains_key(&number)).unwrap_or_default();
    let facts = read(client, open.values()).await.map_err(ResumeFault::Graph)?;
    let mut journal =
        Journal::go_on(desk, &run).map_err(|(path, error)| ResumeFault::Journal(path, error))?;
    let (done, failed) = (unended.done, unended.failed);
    let mut counts = Counts { done, failed, ..Counts::default() };
    let mut looked = Vec::new();
    let fault = |error| ResumeFault::Journal(desk.folder.to_owned(), error);
    for intent in open.values() {
        let there = facts.get(&intent.user).and_then(|facts| is_there(intent, facts, &kept));
        looked.push((format!("{}: {}", intent.setting.name(), intent.name), there));
        let (count, fate, why) = match there {
            Some(true) => {
                (&mut counts.done, Word::Done, "the run was cut off, and it was found done")
            }
            Some(false) => {
                (&mut counts.failed, Word::Failed, "the run was cut off, and it was found not done")
            }
            None => continue,
        };
        *count += 1;
        let noted = Noted { fate, why: Some(why.to_owned()), request_id: None };
        journal.ended(intent.number, noted).map_err(fault)?;
    }
    if looked.iter().any(|(_, there)| there.is_none()) {
        journal.sync().map_err(fault)?;
        return Ok(Unfinished { run, counts, looked });
    }
    counts.not_tried = unended.begun.changes.saturating_sub(counts.done + counts.failed);
    journal
        .close_with(counts, Some("the run was cut off".to_owned()))
        .map_err(|(path, error)| ResumeFault::Journal(path, error))?;
    Ok(Unfinished { run, counts, looked })
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

/// By the full value where it was kept, else by what it prints as; `None` where it could not be read.
fn is_there(intent: &Intent, facts: &Facts, kept: &BTreeMap<usize, Kept>) -> Option<bool> {
    let observed = Values::observed(facts).get(intent.setting);
    if let Value::Unknown(_) = observed {
        return None;
    }
    let after = kept.get(&intent.number).and_then(|kept| kept.after.clone());
    Some(match after.map(|value: FullValue| Value::from(value)) {
        Some(after) => observed.meets(after),
        None => observed.to_string() == intent.after,
    })
}
