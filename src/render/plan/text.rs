//! A plan for a terminal: unusual users first, users with the same changes grouped into one block, no
//! phone number in full, and the counts at the end. The module `withheld` writes withheld changes and findings,
//! `ending` writes the counts.
//!
//! Not here: the content of a plan (`plan`), or diagnostics of files (`diagnostic`).

mod counts;
mod ending;
mod withheld;

pub(in crate::render) use withheld::finding;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::disclose::{Discloser, Disclosure, UserCount};
use crate::plan::review::Review;
use crate::plan::{Plan, PlanPurpose, UserPlan};
use crate::posture::Posture;
use crate::render::disclosed;
use crate::render::plan::{objects, report_mode};
use crate::render::recorded;
use crate::render::review;
use crate::settings::change::{Action, Change, PolicyIndex};
use crate::settings::phone::ReadAs;
use crate::settings::{Setting, Shape, Value};
use crate::tenant::facts::MfaState;
use crate::tenant::user_set::Tristate;
use crate::untrusted::{Untrusted, label};

pub(crate) const ADD: Style = AnsiColor::Green.on_default();
pub(crate) const ALTER: Style = AnsiColor::Yellow.on_default();
pub(crate) const REMOVE: Style = AnsiColor::Red.on_default();
pub(crate) const HEAD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Where the second and third columns begin.
pub(crate) const SECOND: usize = 28;
pub(crate) const THIRD: usize = 62;

/// The largest group of open or stuck users that is still shown one by one.
const MOST_NAMED: usize = 10;

/// How a plan is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextView {
    /// List every user instead of grouping users with the same changes.
    pub all: bool,
    /// The tenant is the embedded one.
    pub sandbox: bool,
    /// Only a part of the plan was selected.
    pub part: bool,
}

/// Returns the whole plan as text.
#[must_use]
pub fn plan(plan: &Plan, view: TextView) -> String {
    disclosed(plan, None, view, &Discloser::of_names())
}

/// Returns the plan with what a change of the files does. The users are listed only with `all`: most of
/// their changes wait without the change of the files too.
#[must_use]
pub fn reviewed(plan: &Plan, review: &Review, view: TextView) -> String {
    disclosed(plan, Some(review), view, &Discloser::of_names())
}

/// Returns the plan, perhaps with a review, and says as much about single users as may be said.
#[must_use]
pub fn disclosed(
    plan: &Plan,
    review: Option<&Review>,
    view: TextView,
    disclose: &Discloser,
) -> String {
    let mut out = String::new();
    let write = |plan, review: Option<&Review>, out: &mut String| {
        let page = Page { plan, view, disclose };
        match (review, disclose.shows_users()) {
            (None, true) => page.write(out),
            (Some(review), true) => page.write_reviewed(review, out),
            (review, false) => page.write_counts(review, out),
        }
    };
    _ = match disclose.level() {
        Disclosure::Pseudonyms => {
            let review = review.map(|one| disclosed::review(one, plan, disclose));
            write(&disclosed::plan(plan, disclose), review.as_ref(), &mut out)
        }
        Disclosure::Names | Disclosure::Counts => write(plan, review, &mut out),
    };
    out
}

struct Page<'a> {
    plan: &'a Plan,
    view: TextView,
    disclose: &'a Discloser,
}

/// Users with the same key are grouped: the same settings change in the same way for the same reason.
type Key = (Posture, Posture, bool, Vec<ChangeShape>);

/// One change in a key.
type ChangeShape = (Setting, Shape, Shape, PolicyIndex, Option<ReadAs>);

impl Page<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        self.head(out)?;
        self.details(out)?;
        self.tail(out)?;
        self.brakes(out)
    }

    fn write_reviewed(&self, review: &Review, out: &mut String) -> fmt::Result {
        self.head(out)?;
        out.push_str(&review::text::review(review, self.plan, self.disclose));
        if self.view.all || review.result.is_err() {
            self.details(out)?;
        }
        self.tail(out)?;
        self.brakes(out)
    }

    /// Writes what the plan does to users and objects, and what it found.
    fn details(&self, out: &mut String) -> fmt::Result {
        self.users(out)?;
        self.withheld(out)?;
        objects::section(self.plan, self.view.all, out)?;
        report_mode::section(self.plan, self.view.all, out)?;
        self.findings(out)
    }

    fn head(&self, out: &mut String) -> fmt::Result {
        let sandbox = if self.view.sandbox { " (sandbox)" } else { "" };
        let never = self.plan.basis.break_glass.len();
        let purpose = match &self.plan.purpose {
            PlanPurpose::Policies => count(self.plan.policies.len(), "policy", "policies"),
            PlanPurpose::Undo { run } => format!("undo of {run}"),
        };
        writeln!(
            out,
            "{HEAD}mfactl plan{HEAD:#}   tenant {}{sandbox}   {purpose}   {} in scope   {} never written\n{}",
            self.plan.identity.domain,
            self.counted(self.plan.in_scope, "user", "users"),
            self.counted(never, "break-glass account", "break-glass accounts"),
            recorded::line(self.plan.recorded),
        )
    }

    fn users(&self, out: &mut String) -> fmt::Result {
        let mut blocks: BTreeMap<Key, Vec<&UserPlan>> = BTreeMap::new();
        for user in self.plan.users.iter().filter(|user| !user.changes.is_empty()) {
            blocks.entry(self.key(user)).or_default().push(user);
        }
        let mut blocks: Vec<Vec<&UserPlan>> = blocks.into_values().collect();
        // Users that are open or stuck now come first. After that, small groups are the unusual ones.
        blocks.sort_by_key(|users| (users.first().map(|user| rank(user.before)), users.len()));
        for users in blocks {
            match users.as_slice() {
                [first, _, ..] if !self.view.all && self.folds(first, users.len()) => {
                    self.folded(first, &users, out)?;
                }
                _ => users.iter().try_for_each(|user| self.single(user, out))?,
            }
        }
        Ok(())
    }

    fn key(&self, user: &UserPlan) -> Key {
        let changes = self.plan.changes_of(user).iter();
        (
            user.before,
            user.after,
            self.is_administrator(user),
            changes
                .map(|change| {
                    let (before, after) = (change.before.shape(), change.after.shape());
                    (change.setting, before, after, change.policy, change.mandate.read_as)
                })
                .collect(),
        )
    }

    /// Whether a group of users is folded into one block. Administrators and users whose number is
    /// overwritten are always named one by one; open or stuck users are, as long as they are few.
    fn folds(&self, user: &UserPlan, alike: usize) -> bool {
        let is_in_trouble = matches!(user.before, Posture::Open | Posture::Stuck);
        let overwrites = self.plan.changes_of(user).iter().any(Change::replaces_number);
        let is_named = overwrites || self.is_administrator(user);
        !(is_named || is_in_trouble && alike <= MOST_NAMED)
    }

    fn is_administrator(&self, user: &UserPlan) -> bool {
        self.plan.basis.demand.is_administrator(user.user) == Tristate::Yes
    }

    fn single(&self, user: &UserPlan, out: &mut String) -> fmt::Result {
        heading(&self.plan.directory.name(user.user).label(), user, out)?;
        for change in self.plan.changes_of(user) {
            let value = match (change.before, change.after) {
                (Value::Nothing, Value::Phone(number)) => number.to_string(),
                _ => step(change, user),
            };
            self.line(change, &(value + &read_as(change)), out)?;
        }
        writeln!(out)
    }

    fn folded(&self, first: &UserPlan, users: &[&UserPlan], out: &mut String) -> fmt::Result {
        heading(&format!("{} users alike", users.len()), first, out)?;
        for change in self.plan.changes_of(first) {
            let value = match (change.before, change.after) {
                (Value::Nothing, Value::Phone(_)) => self.wants(change),
                _ => step(change, first),
            };
            self.line(change, &(value + &read_as(change)), out)?;
        }
        let names: Vec<Cow<'_, str>> =
            users.iter().map(|user| local_part(self.plan.directory.name(user.user))).collect();
        writeln!(out, "    {FAINT}{}{FAINT:#}\n", some_of(&names))
    }

    fn line(&self, change: &Change, value: &str, out: &mut String) -> fmt::Result {
        let (sign, style) = match (change.setting.phone(), change.action()) {
            (Some(_), Action::Create) => ('+', ADD),
            (Some(_), Action::Delete) => ('-', REMOVE),
            _ => ('~', ALTER),
        };
        let rule = self
            .plan
            .policy(change.policy)
            .and_then(|policy| Some((policy, policy.rule(change.setting)?)));
        let origin = rule
            .map_or_else(String::new, |(policy, rule)| format!("{}  {}", policy.name, rule.place));
        let name = change.setting.name();
        write!(out, "    {style}{sign}{style:#} {name}{}", pad(6 + name.chars().count(), SECOND))?;
        writeln!(
            out,
            "{value}{}{FAINT}{origin}{FAINT:#}",
            pad(SECOND + value.chars().count(), THIRD)
        )
    }

    fn wants(&self, change: &Change) -> String {
        self.plan
            .policy(change.policy)
            .and_then(|policy| policy.rule(change.setting))
            .map_or_else(String::new, |rule| rule.wants.to_string())
    }
}

const fn rank(posture: Posture) -> u8 {
    match posture {
        Posture::Open => 0,
        Posture::Stuck => 1,
        Posture::Unknown => 2,
        Posture::Protected => 3,
        Posture::Unprotected => 4,
    }
}

fn heading(who: &str, user: &UserPlan, out: &mut String) -> fmt::Result {
    let width = who.chars().count();
    writeln!(
        out,
        "  {HEAD}{who}{HEAD:#}{}{} → {}",
        pad(2 + width, THIRD),
        user.before.as_str(),
        user.after.as_str()
    )
}

/// Returns the value before and after.
fn step(change: &Change, user: &UserPlan) -> String {
    match (change.before, change.after) {
        // The old value is unknown, because the phone is not registered yet.
        (Value::Nothing, Value::Switch(_)) => format!("→ {}", change.after),
        (before, Value::Nothing) => before.to_string(),
        (before, after) => format!("{before} → {after}{}", promotion(change, user)),
    }
}

/// Returns the country that was assumed for a national number.
pub(crate) fn read_as(change: &Change) -> String {
    change.mandate.read_as.map_or_else(String::new, |one| format!(" ({one})"))
}

/// Entra turns `enabled` into `enforced` for a user that has a method by then.
fn promotion(change: &Change, user: &UserPlan) -> &'static str {
    let promoted =
        change.after == Value::State(MfaState::Enabled) && user.after == Posture::Protected;
    if promoted { " (enforced by Entra)" } else { "" }
}

pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    counted(UserCount::Exactly(number), one, many)
}

/// Returns a number of users that may be hidden, with its noun.
pub(crate) fn counted(number: UserCount, one: &str, many: &str) -> String {
    format!("{number} {}", if number == UserCount::Exactly(1) { one } else { many })
}

/// Returns the spaces from one column to another, at least two.
pub(crate) fn pad(from: usize, to: usize) -> String {
    " ".repeat(to.saturating_sub(from).max(2))
}

fn local_part(name: &Untrusted) -> Cow<'_, str> {
    let name = name.raw();
    label(name.split('@').next().unwrap_or(name))
}

/// Returns all names, separated by commas.
pub(crate) fn joined(names: &[impl fmt::Display]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns the first three names and the number of the others.
pub(crate) fn some_of(names: &[impl fmt::Display]) -> String {
    match names {
        [a, b, c, rest @ ..] if !rest.is_empty() => {
            format!("{a}, {b}, {c} and {} more (--all lists them)", rest.len())
        }
        few => joined(few),
    }
}
