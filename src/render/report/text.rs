//! A report for a terminal: who is in trouble first, then what is weak, then the counts.
//!
//! Not here: what is in a report (`report`), or its other forms (`json`, `csv`).

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::finding::{Code, Finding};
use crate::plan::explain::Part;
use crate::posture::Posture;
use crate::render::text::{View, count, finding, joined, pad, some_of};
use crate::report::{Account, Counts, Doubt, MethodCount, Person, Report, Shared, Weakness};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::Kind;
use crate::untrusted::{Untrusted, printable};

const YES: Style = AnsiColor::Green.on_default();
const NO: Style = AnsiColor::Red.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Where the second column begins, and where numbers do.
const SECOND: usize = 22;
const NUMBERS: usize = 38;

/// Heads of columns.
const USERS: &str = "users";
const EXPIRING: &str = "expiring";
const ANSWER: &str = "can answer";

/// So many people are named one by one, and those who hold a role always.
const MOST_NAMED: usize = 10;

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
            let about = format!(
                "from {day} on nothing is delivered to their phone, and nothing else answers"
            );
            self.people(("expiring", &about), |one| one.expiring == Some(*day), out)?;
        }
        for doubt in [Doubt::Unread, Doubt::Undecided, Doubt::Federated, Doubt::Elsewhere] {
            self.people(("unknown", doubt.about()), |one| one.doubt == Some(doubt), out)?;
        }
        let about = "a password is enough for mail and files";
        self.people(("unprotected", about), is(Posture::Unprotected), out)?;
        let about = "MFA is demanded at the admin portals and nowhere else: a password opens mail and files";
        self.people(("portals only", about), Person::is_open_to_a_password, out)?;
        let outside = |one: &Person| one.part == Part::OutOfScope;
        self.people(("no policy", "no policy applies"), outside, out)
    }

    fn people(
        &self,
        (label, about): (&str, &str),
        is: impl Fn(&Person) -> bool,
        out: &mut String,
    ) -> fmt::Result {
        let users: Vec<UserIndex> = self.report.those(is).map(|one| one.user).collect();
        if users.is_empty() {
            return Ok(());
        }
        let style = if matches!(label, "open" | "stuck") { NO } else { HEAD };
        let gap = pad(2 + label.chars().count(), SECOND);
        // They are most people before a rollout: to count them says it.
        let is_counted = label == "unprotected" && !self.view.all;
        let more = if is_counted { " (--all lists them)" } else { "" };
        writeln!(out, "  {style}{label}{style:#}{gap}{}: {about}{more}", users.len())?;
        self.names(&users, is_counted, out)
    }

    /// Who holds a role is named with it, always, and before all others: it is they who can do most
    /// harm.
    fn names(&self, users: &[UserIndex], only_holders: bool, out: &mut String) -> fmt::Result {
        let name = |user: &UserIndex| self.report.directory.name(*user);
        let (mut holders, mut others) = (Vec::new(), Vec::new());
        for user in users {
            let roles: Vec<&Untrusted> =
                self.report.roles_of(*user).map(|role| &role.name).collect();
            match roles.is_empty() {
                true => others.push(name(user)),
                false => holders.push(format!("{} ({})", name(user), joined(&roles))),
            }
        }
        let others = match self.view.all || others.len() <= MOST_NAMED {
            _ if only_holders => String::new(),
            true => joined(&others),
            false => some_of(&others),
        };
        let lines = [holders.join(", "), others];
        let mut lines = lines.iter().filter(|line| !line.is_empty());
        lines.try_for_each(|line| writeln!(out, "      {}", printable(line)))
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
        let name = self.report.directory.name(account.user).label();
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
        let names: Vec<&Untrusted> =
            shared.users.iter().map(|user| self.report.directory.name(*user)).collect();
        let names = if self.view.all { joined(&names) } else { some_of(&names) };
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
        let groups = report.groups.iter().map(|slice| (slice.of.name.to_string(), &slice.counts));
        table("Groups that policies name", groups, out)?;
        let roles = report.roles.iter().map(|slice| (slice.of.name.to_string(), &slice.counts));
        table("Roles, held or within reach", roles, out)
    }

    fn methods(&self, out: &mut String) -> fmt::Result {
        let methods = &self.report.methods;
        heads("Registered methods", &[], ANSWER, out)?;
        for (kind, MethodCount { registered, answers }) in methods.kinds() {
            row(kind.name(), registered, out)?;
            if !matches!(kind, Kind::Password | Kind::Email | Kind::QrCodePin) {
                number(answers, ANSWER, out)?;
            }
            writeln!(out)?;
        }
        row("no second factor", methods.nothing, out)?;
        writeln!(out)?;
        let unsure =
            [(methods.unknown, "not known"), (methods.hidden, "a phone whose digits Graph hides")];
        for (users, label) in unsure.into_iter().filter(|(users, _)| *users > 0) {
            row(label, users, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        // Those are named above.
        let is_new = |one: &&Finding| one.code != Code::PortalsOnly;
        let mut findings = self.report.findings.iter().filter(is_new).peekable();
        if findings.peek().is_some() {
            writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        }
        let names = self.view.all.then_some(&self.report.directory);
        findings.try_for_each(|one| finding(one, names, out))
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
    heads(title, &Posture::ALL.map(Posture::as_str), EXPIRING, out)?;
    for (name, counts) in rows {
        row(&name, counts.users, out)?;
        for posture in Posture::ALL {
            number(counts.of(posture), posture.as_str(), out)?;
        }
        number(counts.expiring(), EXPIRING, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// The first line of a table: what it is about, then what is counted.
fn heads(title: &str, middle: &[&str], last: &str, out: &mut String) -> fmt::Result {
    let gap = pad(title.chars().count(), NUMBERS);
    write!(out, "\n{HEAD}{title}{HEAD:#}{gap}{FAINT}{USERS:>5}")?;
    middle.iter().try_for_each(|head| write!(out, "  {head}"))?;
    writeln!(out, "  {last}{FAINT:#}")
}

/// The beginning of a line of a table: of what there are so many.
fn row(name: &str, users: usize, out: &mut String) -> fmt::Result {
    let name = printable(name);
    write!(out, "  {name}{}{users:>5}", pad(2 + name.chars().count(), NUMBERS))
}

/// A number that ends where the head of its column does.
fn number(number: usize, head: &str, out: &mut String) -> fmt::Result {
    write!(out, "{number:>width$}", width = 2 + head.chars().count())
}
