//! A report for a terminal: who is in trouble first, then what is weak, then the counts.
//!
//! Not here: what is in a report (`report`), or its other forms (`json`, `csv`).

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::finding::printable;
use crate::plan::explain::Part;
use crate::posture::Posture;
use crate::render::text::{count, finding, pad, some_of};
use crate::report::{Account, Counts, Doubt, MethodCount, Person, Report, Shared, Weakness};
use crate::tenant::facts::Kind;

const YES: Style = AnsiColor::Green.on_default();
const NO: Style = AnsiColor::Red.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Where the second column begins, and the first number ends.
const SECOND: usize = 22;
const NUMBERS: usize = 44;

/// People in trouble who are named one by one.
const MOST_NAMED: usize = 10;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// Name everybody instead of the first few.
    pub all: bool,
    /// The tenant is the embedded one.
    pub sandbox: bool,
}

/// The whole report.
#[must_use]
pub fn text(report: &Report, view: View) -> String {
    let mut out = String::new();
    _ = Page { report, view }.write(&mut out);
    out
}

struct Page<'a> {
    report: &'a Report,
    view: View,
}

impl Page<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        self.head(out)?;
        self.trouble(out)?;
        self.break_glass(out)?;
        self.shared(out)?;
        self.tables(out)?;
        self.methods(out)?;
        self.findings(out)?;
        self.tail(out)
    }

    fn head(&self, out: &mut String) -> fmt::Result {
        let report = self.report;
        let sandbox = if self.view.sandbox { " (sandbox)" } else { "" };
        writeln!(
            out,
            "{HEAD}mfactl report{HEAD:#}   tenant {}{sandbox}   on {}   {}, {} among them   {} disabled left out\n",
            report.identity.domain,
            report.day(),
            count(report.people.len(), "enabled account", "enabled accounts"),
            count(report.guests, "guest", "guests"),
            report.disabled,
        )
    }

    /// Everybody who is not as they should be, by what is wrong.
    fn trouble(&self, out: &mut String) -> fmt::Result {
        let is = |posture| move |one: &Person| one.posture == posture;
        self.people(("open", "whoever has the password registers first"), is(Posture::Open), out)?;
        self.people(("stuck", "nothing that is registered can answer"), is(Posture::Stuck), out)?;
        for day in self.report.counts.expiring.keys() {
            let about =
                format!("from {day} on nothing is delivered to the phone that is all they have");
            self.people(("expiring", &about), |one| one.expiring == Some(*day), out)?;
        }
        for doubt in [Doubt::Unread, Doubt::Undecided, Doubt::Elsewhere] {
            self.people(("unknown", doubt.about()), |one| one.doubt == Some(doubt), out)?;
        }
        self.people(("unprotected", "a password is enough"), is(Posture::Unprotected), out)?;
        let outside = |one: &Person| one.part == Part::OutOfScope;
        self.people(("no policy", "no policy applies"), outside, out)
    }

    fn people(
        &self,
        (label, about): (&str, &str),
        is: impl Fn(&Person) -> bool,
        out: &mut String,
    ) -> fmt::Result {
        let names: Vec<&str> =
            self.report.those(is).map(|one| self.report.directory.name(one.user)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let style = if matches!(label, "open" | "stuck") { NO } else { HEAD };
        let gap = pad(2 + label.chars().count(), SECOND);
        writeln!(out, "  {style}{label}{style:#}{gap}{}: {about}", names.len())?;
        // They are most people before a rollout: to count them says it.
        if label == "unprotected" && !self.view.all {
            return Ok(());
        }
        let names = match self.view.all || names.len() <= MOST_NAMED {
            true => names.join(", "),
            false => some_of(&names),
        };
        writeln!(out, "      {}", printable(&names))
    }

    fn break_glass(&self, out: &mut String) -> fmt::Result {
        let all = &self.report.break_glass;
        let enabled = all.enabled;
        writeln!(out, "\n{HEAD}Break-glass accounts{HEAD:#}   {enabled} enabled, never written")?;
        if all.is_too_few() {
            writeln!(
                out,
                "  {NO}!{NO:#} `minimum` is {}, and no plan is made with fewer",
                all.minimum
            )?;
        }
        if all.accounts.is_empty() {
            writeln!(out, "  {NO}!{NO:#} none are named under `breakGlass`")?;
        }
        all.accounts.iter().try_for_each(|account| self.account(account, out))
    }

    fn account(&self, account: &Account, out: &mut String) -> fmt::Result {
        let name = printable(self.report.directory.name(account.user));
        let weaknesses: Vec<&str> =
            account.weaknesses.iter().copied().map(Weakness::about).collect();
        match weaknesses.is_empty() {
            true => writeln!(out, "  {YES}✓{YES:#} {name}"),
            false => {
                let gap = pad(4 + name.chars().count(), NUMBERS);
                writeln!(out, "  {NO}!{NO:#} {name}{gap}{}", weaknesses.join("; "))
            }
        }
    }

    fn shared(&self, out: &mut String) -> fmt::Result {
        if self.report.shared.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{HEAD}Shared numbers{HEAD:#}   either of them could answer for the other"
        )?;
        let few = if self.view.all { usize::MAX } else { MOST_NAMED };
        self.report.shared.iter().take(few).try_for_each(|one| self.number(one, out))?;
        match self.report.shared.len().saturating_sub(few) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more (--all lists them)"),
        }
    }

    fn number(&self, shared: &Shared, out: &mut String) -> fmt::Result {
        let number = shared.number.to_string();
        let names: Vec<&str> =
            shared.users.iter().map(|user| self.report.directory.name(*user)).collect();
        let names = if self.view.all { names.join(", ") } else { some_of(&names) };
        let gap = pad(2 + number.chars().count(), SECOND);
        writeln!(out, "  {number}{gap}{}", printable(&names))
    }

    fn tables(&self, out: &mut String) -> fmt::Result {
        let report = self.report;
        let everybody = [("all enabled accounts".to_owned(), &report.counts)];
        table("Accounts", everybody.into_iter(), out)?;
        let policies = report.policies.iter().map(|slice| {
            let mode = if slice.of.reports_only { " (reports only)" } else { "" };
            (format!("{}{mode}", slice.of.name), &slice.counts)
        });
        table("Policies", policies, out)?;
        let groups = report.groups.iter().map(|slice| (slice.of.name.clone(), &slice.counts));
        table("Groups that policies name", groups, out)?;
        let roles = report.roles.iter().map(|slice| (slice.of.name.clone(), &slice.counts));
        table("Roles, held or within reach", roles, out)
    }

    fn methods(&self, out: &mut String) -> fmt::Result {
        let methods = &self.report.methods;
        let title = "Registered methods";
        let gap = " ".repeat(NUMBERS - title.chars().count());
        writeln!(
            out,
            "\n{HEAD}{title}{HEAD:#}{gap}{FAINT}{:>5}{:>13}{FAINT:#}",
            "users", "can answer"
        )?;
        for (kind, MethodCount { registered, answers }) in methods.kinds() {
            row(kind.name(), registered, out)?;
            match kind {
                Kind::Password | Kind::Email | Kind::QrCodePin => writeln!(out)?,
                _ => writeln!(out, "{answers:>13}")?,
            }
        }
        row("no second factor", methods.nothing, out)?;
        writeln!(out)?;
        let unsure =
            [(methods.unknown, "not known"), (methods.hidden, "a phone whose digits Graph hides")];
        for (number, label) in unsure.into_iter().filter(|(number, _)| *number > 0) {
            row(label, number, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        if !self.report.findings.is_empty() {
            writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        }
        let names = self.view.all.then_some(&self.report.directory);
        self.report.findings.iter().try_for_each(|one| finding(one, names, out))
    }

    fn tail(&self, out: &mut String) -> fmt::Result {
        let counts = &self.report.counts;
        let seen = Posture::ALL.into_iter().map(|posture| (posture, counts.of(posture)));
        let words: Vec<String> = seen
            .filter(|(_, number)| *number > 0)
            .map(|(posture, number)| format!("{} {number}", posture.as_str()))
            .collect();
        let expiring: String = counts
            .expiring
            .iter()
            .map(|(day, number)| format!("   (expiring on {day}: {number})"))
            .collect();
        writeln!(out, "\n{HEAD}Posture:{HEAD:#} {}{expiring}", words.join("   "))?;
        match self.report.is_complete() {
            true => Ok(()),
            false => writeln!(
                out,
                "{NO}Incomplete:{NO:#} something could not be read, and what rests on it is unknown"
            ),
        }
    }
}

/// How those of each row stand.
fn table<'a>(
    title: &str,
    rows: impl Iterator<Item = (String, &'a Counts)>,
    out: &mut String,
) -> fmt::Result {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let gap = " ".repeat(NUMBERS.saturating_sub(title.chars().count()));
    write!(out, "\n{HEAD}{title}{HEAD:#}{gap}{FAINT}{:>5}", "users")?;
    for posture in Posture::ALL {
        write!(out, "{:>13}", posture.as_str())?;
    }
    writeln!(out, "{:>13}{FAINT:#}", "expiring")?;
    for (name, counts) in rows {
        row(&name, counts.users, out)?;
        for posture in Posture::ALL {
            write!(out, "{:>13}", counts.of(posture))?;
        }
        writeln!(out, "{:>13}", counts.expiring())?;
    }
    Ok(())
}

/// The beginning of a line of a table: what is counted, and how many.
fn row(name: &str, number: usize, out: &mut String) -> fmt::Result {
    let name = printable(name);
    write!(out, "  {name}{}{number:>5}", pad(2 + name.chars().count(), NUMBERS))
}
