//! Single users of a plan or a review, as rows for the script: the posture before and after, the changes, what is
//! withheld, and the policies.
//!
//! Not here: outputs without single users, which have no such rows (`plan`), or the accounts of a report
//! (`accounts`).

use std::collections::{BTreeMap, BTreeSet};

use super::data::{ColumnKind, DataColumn, DataTable, ScriptData};
use super::element::element;
use super::page::PageSection;
use super::plan::PlanSubject;
use crate::id::UserId;
use crate::plan::content::{ChangeContent, GovernedUser, UserContent};
use crate::plan::difference::Delta;
use crate::render::review::kinds::only_in;
use crate::render::review::text::reason_words;
use crate::settings::Setting;
use crate::settings::change::Action;
use crate::tenant::user_set::Tristate;
use crate::untrusted::{Untrusted, label};

/// The rows and the columns of single users.
#[derive(Debug)]
pub(super) struct PeopleTable {
    pub(super) title: &'static str,
    pub(super) table: DataTable,
    pub(super) columns: Vec<DataColumn>,
    /// The formats that list the same users.
    pub(super) formats: &'static str,
}

impl PeopleTable {
    pub(super) fn data(self) -> ScriptData {
        self.table.finish(&self.columns)
    }
}

const fn column(title: &'static str, kind: ColumnKind) -> DataColumn {
    DataColumn { title, kind }
}

/// Returns the users of the plan, or of the difference, in the order of their names.
pub(super) fn table(subject: PlanSubject<'_>) -> PeopleTable {
    let difference = &subject.comparison.difference;
    let ids: BTreeSet<UserId> =
        difference.users.keys().chain(difference.governed.keys()).copied().collect();
    let mut rows: Vec<(&Untrusted, Vec<String>)> =
        ids.iter().filter_map(|id| row(subject, *id)).collect();
    rows.sort_by(|one, other| one.0.cmp(other.0));
    let mut table = DataTable::default();
    for (name, texts) in rows {
        table.row(&label(name.raw()), &texts);
    }
    let (before, after) = match subject.is_compared {
        true => ("without this change", "with this change"),
        false => ("now", "after an apply"),
    };
    let columns = vec![
        column("user", ColumnKind::Text),
        column("administrator", ColumnKind::Choice),
        column(before, ColumnKind::Posture),
        column(after, ColumnKind::Posture),
        column("changes", ColumnKind::List),
        column("withheld", ColumnKind::List),
        column("policies", ColumnKind::Text),
    ];
    PeopleTable { title: "Users", table, columns, formats: "--format json" }
}

/// Returns the section that the script fills. Without it, a reader learns where the same users are listed.
pub(super) fn section(people: &PeopleTable) -> PageSection {
    let number = people.table.rows();
    let place = element("div").is("id", "people");
    let note =
        element("p").text(&format!("{number} users. With scripts, this page lists them here. "));
    let note = note.text("Without, use ").name(people.formats).text(".");
    let without = element("noscript").with(note);
    PageSection::new("users", people.title, number).with(place).with(without)
}

fn row<'a>(subject: PlanSubject<'a>, id: UserId) -> Option<(&'a Untrusted, Vec<String>)> {
    let difference = &subject.comparison.difference;
    let (user, governed) = (difference.users.get(&id), difference.governed.get(&id));
    let content = user.and_then(either);
    let managed = governed.and_then(either);
    let name = content.map(|one| &one.name).or_else(|| managed.map(|one| &one.name))?;
    let administrator = content
        .and_then(|one| one.is_administrator)
        .or_else(|| managed.map(|one| one.is_administrator))
        .unwrap_or(Tristate::Unknown);
    let [before, after] = postures(subject, user);
    let texts = vec![
        administrator_words(administrator).to_owned(),
        before,
        after,
        user.map_or_else(String::new, |delta| changes(subject, delta)),
        user.map_or_else(String::new, withheld),
        policies(content, governed),
    ];
    Some((name, texts))
}

fn either<T>(delta: &Delta<T>) -> Option<&T> {
    delta.head().or_else(|| delta.base())
}

pub(super) const fn administrator_words(is: Tristate) -> &'static str {
    match is {
        Tristate::Yes => "yes",
        Tristate::No => "no",
        Tristate::Unknown => "perhaps",
    }
}

/// Returns the posture now and after an apply, or after an apply without the change of the files and with it. A
/// plan that says nothing of the user leaves the posture as it is.
fn postures(subject: PlanSubject<'_>, user: Option<&Delta<UserContent>>) -> [String; 2] {
    let Some((delta, content)) = user.and_then(|delta| Some((delta, either(delta)?))) else {
        return [String::new(), String::new()];
    };
    let after = |side: Option<&UserContent>| side.map_or(content.before, |one| one.after);
    let pair = match subject.is_compared {
        true => [after(delta.base()), after(delta.head())],
        false => [content.before, content.after],
    };
    pair.map(|posture| posture.as_str().to_owned())
}

/// Returns the changes of a user, each with its values. Numbers of phones are masked.
fn changes(subject: PlanSubject<'_>, delta: &Delta<UserContent>) -> String {
    let none = BTreeMap::new();
    let of = |side: Option<&UserContent>, setting| {
        side.map_or(&none, |one| &one.changes).get(&setting).map(value)
    };
    let mut texts: Vec<String> = Vec::new();
    for setting in Setting::ALL {
        let name = setting.name();
        match (of(delta.head(), setting), of(delta.base(), setting)) {
            (Some(with), None) => texts.push(format!("{name}: {with}")),
            (None, Some(without)) => texts.push(format!("{name}: {without}, no longer planned")),
            (Some(with), Some(without)) if with != without => {
                texts.push(format!("{name}: {with} instead of {without}"));
            }
            _ => {}
        }
    }
    let reported = delta.head().filter(|_| !subject.is_compared);
    for (setting, change) in reported.into_iter().flat_map(|one| &one.reported) {
        texts.push(format!("{}: {} (report mode)", setting.name(), value(change)));
    }
    texts.join("; ")
}

fn value(change: &ChangeContent) -> String {
    let ChangeContent { before, after, .. } = change;
    match change.action() {
        Action::Create => after.to_string(),
        Action::Delete => format!("{before} removed"),
        Action::Update => format!("{before} → {after}"),
    }
}

fn withheld(delta: &Delta<UserContent>) -> String {
    let with = only_in(delta.head(), delta.base());
    let texts = with.map(|one| {
        let reason = reason_words(&one.reason).replace('`', "");
        format!("{}: {reason}", one.setting.name())
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// Returns the policies of a user; in a review, those that start and cease to manage the user.
fn policies(content: Option<&UserContent>, governed: Option<&Delta<GovernedUser>>) -> String {
    let Some(delta) = governed else {
        let names = content.map_or(&[][..], |one| &one.policies);
        return names.iter().map(|name| name.label()).collect::<Vec<_>>().join(", ");
    };
    let of = |side: Option<&GovernedUser>| -> BTreeSet<Untrusted> {
        side.into_iter().flat_map(|one| one.policies.iter().cloned()).collect()
    };
    let (base, head) = (of(delta.base()), of(delta.head()));
    let kept = head.intersection(&base).map(|name| name.label().into_owned());
    let starts = head.difference(&base).map(|name| format!("+ {}", name.label()));
    let ceases = base.difference(&head).map(|name| format!("− {}", name.label()));
    let all = starts.chain(ceases).chain(kept);
    all.collect::<Vec<_>>().join(", ")
}
