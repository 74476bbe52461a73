//! What a past run wrote, from its journal and its restore file, for an undo.
//!
//! Not here: reading the two files (`journal`), or what is put back (`plan::undo`).

use std::collections::{BTreeMap, BTreeSet};

use super::fault::RunFault;
use crate::apply::verify::Refusal;
use crate::journal::{self, Damage, Intent, JournalFault, Past, PastWrite, RunId, TenantRuns};
use crate::plan::undo::{self, KeptValue, RunWrite};
use crate::results::WriteResult;
use crate::settings::Value;
use crate::settings::full_value::FullValue;

/// The writes of a run, and a text that says what could not be read.
#[derive(Debug)]
pub(super) struct PastWrites {
    pub(super) written: Vec<RunWrite>,
    pub(super) lost: Option<String>,
}

/// Returns the writes of a run, with the values before and after as far as they were kept, and a text
/// that says what could not be read.
pub(super) async fn writes_of(journals: &TenantRuns, run: &RunId) -> Result<PastWrites, RunFault> {
    let past = journal::past(journals, run).await.map_err(RunFault::PastRun)?;
    // Somebody may have moved the journal of another tenant.
    let reached = journals.tenant;
    if let Some(planned) = past.begun.as_ref().map(|begun| begun.tenant)
        && planned != reached
    {
        return Err(RunFault::Refused(Refusal::OtherTenant { planned, reached }));
    }
    let restored = journal::restored(journals, run, |_| true).await;
    let lost = lost(&past, restored.as_ref());
    let mut kept = restored.map(|(kept, _)| kept).unwrap_or_default();
    let result =
        |told: &PastWrite| told.ended.as_ref().map_or(WriteResult::Unknown, |noted| noted.result);
    let maybe = |told: &PastWrite| {
        matches!(result(told), WriteResult::Done | WriteResult::Unknown | WriteResult::NeverKnown)
    };
    let maybe_done = past.standing().filter(maybe);
    let written = maybe_done.map(|told| RunWrite {
        is_sure: result(&told) == WriteResult::Done,
        kept: kept_of(&told.intent, kept.remove(&told.intent.number)),
        user: told.intent.user,
        name: told.intent.name,
        setting: told.intent.setting,
    });
    Ok(PastWrites { written: undo::net(written), lost })
}

/// Returns what could not be read of a run, because a write could be missing there.
fn lost(
    past: &Past,
    restored: Result<&(BTreeMap<usize, journal::RestoreRow>, Damage), &JournalFault>,
) -> Option<String> {
    let mut lost = Vec::new();
    if !past.damage.is_none() {
        lost.push(format!("the journal is damaged ({})", past.damage));
    }
    match restored {
        Ok((kept, damage)) => {
            if !damage.is_none() {
                lost.push(format!("the restore file is damaged ({damage})"));
            }
            let named: BTreeSet<usize> = past.told.iter().map(|told| told.intent.number).collect();
            let unnamed = kept.keys().filter(|number| !named.contains(number)).count();
            if unnamed > 0 {
                let writes = if unnamed == 1 { "write" } else { "writes" };
                lost.push(format!(
                    "the restore file contains {unnamed} {writes} that the journal does not name"
                ));
            }
        }
        Err(fault) => lost.push(fault.to_string()),
    }
    (!lost.is_empty()).then(|| lost.join(", and "))
}

/// Compares what the restore file contains about a write with what the journal shows.
fn kept_of(intent: &Intent, kept: Option<journal::RestoreRow>) -> KeptValue {
    let Some(kept) = kept else { return KeptValue::Lost };
    if (kept.user, kept.setting) != (intent.user, intent.setting) {
        return KeptValue::Differs;
    }
    let value = |value: Option<FullValue>| value.map(Value::from);
    let (before, after) = (value(kept.before), value(kept.after));
    let differs =
        |value: Option<Value>, shown: &str| value.is_some_and(|value| value.to_string() != shown);
    if differs(before, &intent.before) || differs(after, &intent.after) {
        return KeptValue::Differs;
    }
    match (before, after) {
        (Some(before), Some(after)) => KeptValue::Values { before, after },
        _ => KeptValue::NotKept,
    }
}
