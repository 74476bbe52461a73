//! A report as CSV (RFC 4180), one line for each enabled account, for spreadsheets and for whoever
//! joins tables. No phone number is in it.
//!
//! What a spreadsheet would run has an apostrophe before it, which the spreadsheet does not show: at the
//! beginning of a cell, of each part of a list, and behind a semicolon or a comma.

use std::io;

use crate::posture::Usable;
use crate::render::shape::judged;
use crate::report::{Person, Report};
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

/// Between the parts of a list.
const SEPARATOR: &str = "; ";

/// Writes a head and a line for each enabled account.
///
/// # Errors
/// What the writer says.
pub fn csv(report: &Report, out: impl io::Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(out);
    rows.write_record(COLUMNS).map_err(of_writer)?;
    for person in &report.people {
        rows.write_record(row(report, person)).map_err(of_writer)?;
    }
    rows.flush()
}

/// What the writer said: a reader who had enough must still be told from a full disk.
fn of_writer(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn row(report: &Report, person: &Person) -> [String; COLUMNS.len()] {
    let user = person.user;
    let id = report.directory.user(user).map_or_else(String::new, |user| user.id.to_string());
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

/// Each kind, and what is wrong with it where it does not answer.
fn methods(report: &Report, person: &Person) -> String {
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

/// Text that no spreadsheet takes for a formula, and that stays on its line. What begins with such
/// a sign behind blanks counts too: some programs cut blanks off. So does what follows a sign that a
/// program may take for the end of a cell, as many do with the semicolon.
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
    fn what_a_spreadsheet_would_run_is_text() {
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
