//! The changes of policies in report mode, for a terminal. They are marked, grouped, and separate from
//! the plan, because they are not applied.
//!
//! Not here: the plan itself (`plan::text`).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::plan::{Plan, Withheld};
use crate::render::plan::text::{FAINT, HEAD, SECOND, THIRD, count, joined, pad, read_as, some_of};
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::phone::ReadAs;
use crate::settings::{Setting, Shape, Value};
use crate::untrusted::Untrusted;

const MARK: Style = AnsiColor::Cyan.on_default();

/// Changes with the same key are grouped: the same setting changes in the same way for the same policy.
type Key = (PolicyIndex, Setting, Shape, Shape, Option<ReadAs>);

/// Writes the section, or nothing if no policy has anything to report.
pub(crate) fn section(plan: &Plan, all: bool, out: &mut String) -> fmt::Result {
    if plan.reported.is_empty() && plan.reported_withheld.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {HEAD}Reported only:{HEAD:#} policies in report mode, never applied")?;
    let mut blocks: BTreeMap<Key, Vec<&Change>> = BTreeMap::new();
    for change in &plan.reported {
        let (before, after) = (change.before.shape(), change.after.shape());
        let key = (change.policy, change.setting, before, after, change.mandate.read_as);
        blocks.entry(key).or_default().push(change);
    }
    for changes in blocks.values() {
        block(plan, changes, all, out)?;
    }
    let mut refused: BTreeMap<(PolicyIndex, Setting, String), Vec<&Withheld>> = BTreeMap::new();
    for withheld in &plan.reported_withheld {
        let why = withheld.explain(plan);
        refused.entry((withheld.policy, withheld.setting, why)).or_default().push(withheld);
    }
    for ((_, setting, why), alike) in &refused {
        let users: Vec<&Untrusted> =
            alike.iter().map(|one| plan.directory.name(one.user)).collect();
        writeln!(out, "    {MARK}?{MARK:#} {}", names(&users, all))?;
        writeln!(out, "        {} would be withheld: {why}", setting.name())?;
    }
    writeln!(out)
}

fn block(plan: &Plan, changes: &[&Change], all: bool, out: &mut String) -> fmt::Result {
    let Some(first) = changes.first() else { return Ok(()) };
    let policy = plan.policy(first.policy);
    let rule = policy.and_then(|policy| Some((policy, policy.rule(first.setting)?)));
    let value = match (first.before, first.after) {
        (Value::Nothing, Value::Phone(_)) if changes.len() > 1 => {
            rule.map_or_else(String::new, |(_, rule)| rule.wants.to_string())
        }
        (Value::Nothing, after) => after.to_string(),
        (before, after) => format!("{before} → {after}"),
    };
    let value = value + &read_as(first);
    let origin =
        rule.map_or_else(String::new, |(policy, rule)| format!("{}  {}", policy.name, rule.place));
    let name = first.setting.name();
    writeln!(
        out,
        "    {MARK}?{MARK:#} {name}{}{value}{}{FAINT}{origin}{FAINT:#}",
        pad(6 + name.chars().count(), SECOND),
        pad(SECOND + value.chars().count(), THIRD),
    )?;
    let users: Vec<&Untrusted> =
        changes.iter().map(|change| plan.directory.name(change.user)).collect();
    let who = match users.as_slice() {
        [one] => one.to_string(),
        several => format!("{}: {}", count(several.len(), "user", "users"), names(several, all)),
    };
    writeln!(out, "        {FAINT}{who}{FAINT:#}")
}

fn names(users: &[&Untrusted], all: bool) -> String {
    if all { joined(users) } else { some_of(users) }
}
