//! Checks the block `runs` of `mfactl.yaml`: where runs are recorded, and what is kept of them.
//!
//! Not here: opening a store (`store`), or what is in it (`journal`).

use super::names;
use crate::finding::{Code, Finding, quoted};
use crate::policy::RunsRule;
use crate::policy::file::RunsBlock;
use crate::source::{FileId, Located, Maybe};
use crate::store::address::StoreAddress;

/// Checks the block. Returns `None` if a value is wrong.
pub(super) fn check(
    block: Maybe<Located<RunsBlock>>,
    file: FileId,
    findings: &mut Vec<Finding>,
) -> Option<RunsRule> {
    let nothing = RunsRule { store: None, restore: None, keep_for_days: None, keep_numbers: true };
    let Maybe::Said(block) = &block else { return Some(nothing) };
    let origin = block.origin(file);
    let RunsBlock { store, restore, keep_for, keep_numbers } = &block.value;
    let are_places_missing = store.is_unmentioned() && restore.is_unmentioned();
    if are_places_missing && keep_for.is_unmentioned() && keep_numbers.is_unmentioned() {
        findings.push(names::blank("`runs` has no keys", origin));
    }
    let before = findings.len();
    let store_at = address(store, file, findings);
    let restore_at = address(restore, file, findings);
    let keep_for_days = keep_for.as_ref().and_then(|text| days(text, file, findings));
    if let Some(store) = store.as_ref() {
        together((store, store_at.as_ref()), restore_at.as_ref(), file, findings);
    }
    (findings.len() == before || are_places_missing).then(|| RunsRule {
        store: store_at,
        restore: restore_at,
        keep_for_days,
        keep_numbers: keep_numbers.as_ref().is_none_or(|keep| keep.value),
    })
}

fn address(
    text: &Maybe<Located<String>>,
    file: FileId,
    findings: &mut Vec<Finding>,
) -> Option<StoreAddress> {
    let text = text.as_ref()?;
    match StoreAddress::parse(&text.value) {
        Ok(address) => Some(address),
        Err(fault) => {
            let message = format!("{} is no place for runs: {}", quoted(&text.value), fault.why());
            findings.push(Finding::new(Code::UnknownValue, message).at(text.origin(file), "not a place").help(
                "write a folder, `https://ACCOUNT.blob.core.windows.net/CONTAINER`, `s3://BUCKET/FOLDER` or `gs://BUCKET/FOLDER`",
            ));
            None
        }
    }
}

/// Full numbers need a container with a role of its own, and numbers have to be deleted where journals must
/// not be.
fn together(
    (store, store_at): (&Located<String>, Option<&StoreAddress>),
    restore: Option<&StoreAddress>,
    file: FileId,
    findings: &mut Vec<Finding>,
) {
    let Some(at) = store_at.filter(|at| !matches!(at, StoreAddress::Folder(_))) else { return };
    let (code, message) = match restore {
        None => {
            (Code::MissingKey, "`runs` names no `restore` for the values from before each write")
        }
        Some(restore) if restore.container() == at.container() => {
            (Code::UnknownValue, "`restore` is the container of the journals")
        }
        Some(_) => return,
    };
    findings.push(
        Finding::new(code, message)
            .at(store.origin(file), "the journals are here")
            .help("name another container in `restore`: it holds phone numbers in full, and needs a role and a retention of its own"),
    );
}

/// Reads how long something is kept, in days.
fn days(text: &Located<String>, file: FileId, findings: &mut Vec<Finding>) -> Option<u32> {
    let word = text.value.as_str();
    let days = [('d', 1), ('w', 7)].into_iter().find_map(|(unit, days)| {
        let count: u32 = word.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(days).filter(|days| *days > 0)
    });
    if days.is_none() {
        let message = format!("{} is no number of days", quoted(word));
        findings.push(
            Finding::new(Code::UnknownValue, message)
                .at(text.origin(file), "not a time")
                .help("write it as `90d` or `12w`"),
        );
    }
    days
}
