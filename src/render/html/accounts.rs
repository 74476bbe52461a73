//! The accounts of a report as rows for the script.
//!
//! Not here: the users of a plan (`people`), or the tables of numbers (`report`).

use super::data::{ColumnKind, DataColumn, DataTable};
use super::people::PeopleTable;
use crate::posture::Usable;
use crate::render::plan::grouping::judged;
use crate::report::{Doubt, PostureReport, ReportedUser};
use crate::scope::UserPart;
use crate::tenant::facts::MethodKind;
use crate::untrusted::{Untrusted, label};

const fn column(title: &'static str, kind: ColumnKind) -> DataColumn {
    DataColumn { title, kind }
}

/// Returns every enabled account, in the order of the report.
pub(super) fn table(report: &PostureReport) -> PeopleTable {
    let mut table = DataTable::default();
    for person in &report.people {
        table.row(&report.directory.name(person.user).label(), &row(report, person));
    }
    let columns = vec![
        column("user", ColumnKind::Text),
        column("posture", ColumnKind::Posture),
        column("MFA required", ColumnKind::Choice),
        column("methods", ColumnKind::List),
        column("open or stuck from", ColumnKind::Choice),
        column("policies", ColumnKind::Text),
        column("roles", ColumnKind::Text),
        column("remarks", ColumnKind::List),
    ];
    PeopleTable { title: "Accounts", table, columns, formats: "--format csv" }
}

fn row(report: &PostureReport, person: &ReportedUser) -> Vec<String> {
    let user = person.user;
    vec![
        person.posture.as_str().to_owned(),
        judged(person.demanded).to_owned(),
        methods(report, person),
        person.expiring.map_or_else(String::new, |day| day.to_string()),
        policies(report, person),
        names(report.roles_of(user).map(|role| &role.name)),
        remarks(person),
    ]
}

/// Returns each registered method, and what is wrong with it if it cannot answer.
fn methods(report: &PostureReport, person: &ReportedUser) -> String {
    let Some(methods) = report.methods_of(person.user) else { return "unknown".to_owned() };
    // Nearly every account has a password, which is never a second factor.
    let others = methods.into_iter().filter(|(kind, _)| *kind != MethodKind::Password);
    let words = others.map(|(kind, usable)| match usable {
        Usable::Yes => kind.name().to_owned(),
        other => format!("{} ({})", kind.name(), other.as_str()),
    });
    words.collect::<Vec<_>>().join("; ")
}

fn policies(report: &PostureReport, person: &ReportedUser) -> String {
    match person.part {
        UserPart::BreakGlass => "break-glass account, never written".to_owned(),
        UserPart::OutOfScope => "no policy".to_owned(),
        UserPart::InScope | UserPart::NotManaged => names(report.policies_of(person.user)),
    }
}

fn remarks(person: &ReportedUser) -> String {
    let doubt = person.doubt.map(Doubt::about);
    let portals =
        person.is_open_to_a_password().then_some("MFA is required only at the admin portals");
    [doubt, portals].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn names<'a>(all: impl Iterator<Item = &'a Untrusted>) -> String {
    all.map(|name| label(name.raw())).collect::<Vec<_>>().join(", ")
}
