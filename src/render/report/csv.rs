//! A report as CSV (RFC 4180), one line for each enabled account, for spreadsheets and for programs that
//! join tables. It contains no phone numbers.
//!
//! Text that a spreadsheet would run as a formula gets an apostrophe, which the spreadsheet does not
//! show: at the beginning of a cell and of each list entry, and after a semicolon or a comma.
//! Not here: the content of a report (`report`).

use std::io;

use crate::disclose::Discloser;
use crate::posture::Usable;
use crate::render::plan::grouping::judged;
use crate::report::{PostureReport, ReportedUser};
use crate::untrusted::{Untrusted, printable};

const COLUMNS: [&str; 11] = [
    "userPrincipalName",
    "id",
    "posture",
    "demanded",
    "methods",
    "expiring",
    "part",
    "policies",
    "roles",
    "groups",
    "portalsOnly",
];

/// The separator between list entries.
const SEPARATOR: &str = "; ";

/// Writes a header and a line for each enabled account.
///
/// # Errors
/// The write failed.
pub fn csv(report: &PostureReport, disclose: &Discloser, out: impl io::Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(out);
    rows.write_record(COLUMNS).map_err(of_writer)?;
    for person in &report.people {
        rows.write_record(row(report, disclose, person)).map_err(of_writer)?;
    }
    rows.flush()
}

/// Returns the error of the writer itself: a stream that the reader closed must still be distinguished
/// from a full disk.
fn of_writer(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn row(
    report: &PostureReport,
    disclose: &Discloser,
    person: &ReportedUser,
) -> [String; COLUMNS.len()] {
    let user = person.user;
    let id = report.directory.user(user).map_or_else(String::new, |user| disclose.id(user.id));
    [
        list([report.directory.name(user)]),
        id,
        person.posture.as_str().to_owned(),
        judged(person.demanded).to_owned(),
        methods(report, person),
        person.expiring.map_or_else(String::new, |day| day.to_string()),
        person.part.as_str().to_owned(),
        list(report.policies_of(user)),
        list(report.roles_of(user).map(|role| &role.name)),
        list(report.groups_of(user).map(|group| &group.name)),
        judged(person.portals_only).to_owned(),
    ]
}

/// Returns each kind, and what is wrong with it if it cannot answer.
fn methods(report: &PostureReport, person: &ReportedUser) -> String {
    let Some(methods) = report.methods_of(person.user) else { return "unknown".to_owned() };
    let words = methods.into_iter().map(|(kind, usable)| match usable {
        Usable::Yes => kind.key().to_owned(),
        other => format!("{} ({})", kind.key(), other.as_str()),
    });
    words.collect::<Vec<_>>().join(SEPARATOR)
}

fn list<'a>(parts: impl IntoIterator<Item = &'a Untrusted>) -> String {
    parts.into_iter().map(|part| harmless(part.raw())).collect::<Vec<_>>().join(SEPARATOR)
}

/// Escapes text so that no spreadsheet takes it for a formula, and so that it stays on one line. Leading
/// spaces before a formula sign make no difference, because some programs remove them. A sign after a
/// semicolon or a comma counts too, because some programs take these for the end of a cell.
fn harmless(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut begins = true;
    for letter in printable(text).chars() {
        if begins && "=+-@＝＋－＠|%".contains(letter) {
            cell.push('\'');
        }
        begins = matches!(letter, ';' | ',') || (begins && letter.is_whitespace());
        cell.push(letter);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_escaped() {
        for (text, expected) in [
            ("j.brown@exchangelabs.nl", "j.brown@exchangelabs.nl"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "  '=1"),
            ("\u{a0}=1", "\u{a0}'=1"),
            ("a; =1", "a; '=1"),
            ("a,=1", "a,'=1"),
            ("＝1", "'＝1"),
            ("\t=1", "\\u{9}=1"),
            ("\r\n=1", "\\u{d}\\u{a}=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expected);
        }
        let parts = ["=1", "a", "-2"].map(Untrusted::from);
        assert_eq!(list(&parts), "'=1; a; '-2");
    }
}
