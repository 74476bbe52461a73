//! What policies in report mode would do, for a terminal: marked, folded, and apart from the plan,
//! of which it is no part.
//!
//! Not here: the plan itself (`text`).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::plan::{Plan, Withheld};
use crate::render::text::{Shape, count, pad, read_as, shape, some_of};
use crate::settings::change::{Change, PolicyIndex};
use crate::settings::phone::ReadAs;
use crate::settings::{Setting, Value};

const MARK: Style = AnsiColor::Cyan.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Where the second and third columns begin.
const SECOND: usize = 28;
const THIRD: usize = 62;

/// Alike: the same setting goes the same way for the same policy.
type Key = (PolicyIndex, Setting, Shape, Shape, Option<ReadAs>);

/// The section, or nothing where no policy has anything to report.
pub(super) fn section(plan: &Plan, all: bool, out: &mut String) -> fmt::Result {
    if plan.reported.is_empty() && plan.reported_withheld.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {HEAD}Reported only:{HEAD:#} policies in report mode, never applied")?;
    let mut blocks: BTreeMap<Key, Vec<&Change>> = BTreeMap::new();
    for change in &plan.reported {
        let (before, after) = (shape(change.before), shape(change.after));
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
        let users: Vec<&str> = alike.iter().map(|one| plan.directory.name(one.user)).collect();
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
            rule.map_or_else(String::new, |(_, rule)| rule.wants.clone())
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
    let users: Vec<&str> = changes.iter().map(|change| plan.directory.name(change.user)).collect();
    let who = match users.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{}: {}", count(several.len(), "user", "users"), names(several, all)),
    };
    writeln!(out, "        {FAINT}{who}{FAINT:#}")
}

fn names(users: &[&str], all: bool) -> String {
    if all { users.join(", ") } else { some_of(users) }
}
