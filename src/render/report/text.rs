//! A report for a terminal: first the accounts with problems, then break-glass accounts and shared
//! numbers, then the counts.
//!
//! Not here: the content of a report (`report`), or its other formats (`plan::json`, `csv`).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::disclose::{Discloser, UserCount};
use crate::finding::{Code, Finding};
use crate::posture::Posture;
use crate::render::plan::text::{TextView, counted, finding, joined, pad, some_of};
use crate::render::recorded;
use crate::report::{
    AccountCounts, BreakGlassAccount, Doubt, MethodCount, PostureReport, ReportedUser,
    SharedNumber, Weakness,
};
use crate::scope::UserPart;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::MethodKind;
use crate::untrusted::{Untrusted, printable};

const YES: Style = AnsiColor::Green.on_default();
const NO: Style = AnsiColor::Red.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Where the second column and the columns of numbers begin.
const SECOND: usize = 22;
const NUMBERS: usize = 38;

/// Heads of columns.
const USERS: &str = "users";
const EXPIRING: &str = "expiring";
const ANSWER: &str = "can answer";

/// The largest group of users that is named completely. Users with a role are always named.
const MOST_NAMED: usize = 10;

/// Returns the whole report as text.
#[must_use]
pub fn text(report: &PostureReport, view: TextView, disclose: &Discloser) -> String {
    let mut out = String::new();
    _ = Page { report, view, disclose }.write(&mut out);
    out
}

struct Page<'a> {
    report: &'a PostureReport,
    view: TextView,
    disclose: &'a Discloser,
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
            "{HEAD}mfactl report{HEAD:#}   tenant {}{sandbox}   on {}   {}, including {}   {} disabled, not counted\n{}",
            report.identity.domain,
            report.day(),
            counted(
                self.disclose.count(report.people.len()),
                "enabled account",
                "enabled accounts"
            ),
            counted(self.disclose.count(report.guests), "guest", "guests"),
            self.disclose.count(report.disabled),
            recorded::line(report.recorded),
        )
    }

    /// Writes the accounts with problems, grouped by problem.
    fn trouble(&self, out: &mut String) -> fmt::Result {
        let is = |posture| move |one: &ReportedUser| one.posture == posture;
        let about = "the next person with the password can register their own method";
        self.people(("open", about), is(Posture::Open), out)?;
        let about = "no registered method works: the account is locked out";
        self.people(("stuck", about), is(Posture::Stuck), out)?;
        for day in self.report.counts.expiring.keys() {
            let about =
                format!("a phone is the only usable method, and delivery to it ends on {day}");
            self.people(("expiring", &about), |one| one.expiring == Some(*day), out)?;
        }
        for doubt in [Doubt::Unread, Doubt::Undecided, Doubt::Federated, Doubt::Elsewhere] {
            self.people(("unknown", doubt.about()), |one| one.doubt == Some(doubt), out)?;
        }
        let about = "a password is enough for mail and files";
        self.people(("unprotected", about), is(Posture::Unprotected), out)?;
        let about =
            "MFA is required only at the admin portals: a password is enough for mail and files";
        self.people(("portals only", about), ReportedUser::is_open_to_a_password, out)?;
        let outside = |one: &ReportedUser| one.part == UserPart::OutOfScope;
        self.people(("no policy", "no policy applies"), outside, out)
    }

    fn people(
        &self,
        (label, about): (&str, &str),
        is: impl Fn(&ReportedUser) -> bool,
        out: &mut String,
    ) -> fmt::Result {
        let users: Vec<UserIndex> = self.report.those(is).map(|one| one.user).collect();
        if users.is_empty() {
            return Ok(());
        }
        let style = if matches!(label, "open" | "stuck") { NO } else { HEAD };
        let gap = pad(2 + label.chars().count(), SECOND);
        // Before a rollout most users are unprotected, so their number is enough.
        let is_counted = label == "unprotected" && !self.view.all;
        let more =
            if is_counted && self.disclose.shows_users() { " (--all lists them)" } else { "" };
        writeln!(
            out,
            "  {style}{label}{style:#}{gap}{}: {about}{more}",
            self.disclose.count(users.len())
        )?;
        self.names(&users, is_counted, out)
    }

    /// Writes the names. Users with a role are always named, with the role and first, because their
    /// accounts can do most harm.
    fn names(&self, users: &[UserIndex], only_holders: bool, out: &mut String) -> fmt::Result {
        if !self.disclose.shows_users() {
            return Ok(());
        }
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
        let enabled = self.disclose.count(all.enabled);
        writeln!(out, "\n{HEAD}Break-glass accounts{HEAD:#}   {enabled} enabled, never written")?;
        if all.is_too_few() {
            writeln!(
                out,
                "  {NO}!{NO:#} `minimum` is {}: with fewer accounts, mfactl makes no plan",
                all.minimum
            )?;
        }
        if all.accounts.is_empty() {
            writeln!(out, "  {NO}!{NO:#} no account is named under `breakGlass`")?;
        }
        match self.disclose.shows_users() {
            true => all.accounts.iter().try_for_each(|account| self.account(account, out)),
            false => self.weaknesses(out),
        }
    }

    /// Writes how many accounts have each weakness.
    fn weaknesses(&self, out: &mut String) -> fmt::Result {
        let accounts = self.report.break_glass.accounts.iter();
        let mut numbers: BTreeMap<Weakness, usize> = BTreeMap::new();
        for weakness in accounts.flat_map(|account| &account.weaknesses) {
            *numbers.entry(*weakness).or_default() += 1;
        }
        numbers.into_iter().try_for_each(|(weakness, number)| {
            writeln!(out, "  {NO}!{NO:#} {}: {}", self.disclose.count(number), weakness.about())
        })
    }

    fn account(&self, account: &BreakGlassAccount, out: &mut String) -> fmt::Result {
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
            "\n{HEAD}Shared numbers{HEAD:#}   each of the users could answer for the others"
        )?;
        if !self.disclose.shows_users() {
            let numbers = self.disclose.count(self.report.shared.len());
            return writeln!(out, "  {}", counted(numbers, "number", "numbers"));
        }
        let few = if self.view.all { usize::MAX } else { MOST_NAMED };
        self.report.shared.iter().take(few).try_for_each(|one| self.number(one, out))?;
        match self.report.shared.len().saturating_sub(few) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more (--all lists them)"),
        }
    }

    fn number(&self, shared: &SharedNumber, out: &mut String) -> fmt::Result {
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
        self.table("Accounts", everybody.into_iter(), out)?;
        let policies = report.policies.iter().map(|slice| {
            let mode = if slice.of.reports_only { " (report mode)" } else { "" };
            (format!("{}{mode}", slice.of.name), &slice.counts)
        });
        self.table("Policies", policies, out)?;
        let groups = report.groups.iter().map(|slice| (slice.of.name.to_string(), &slice.counts));
        self.table("Groups named in policies", groups, out)?;
        let roles = report.roles.iter().map(|slice| (slice.of.name.to_string(), &slice.counts));
        self.table("Roles, active or eligible", roles, out)
    }

    /// Writes a table with the postures of each row.
    fn table<'b>(
        &self,
        title: &str,
        rows: impl Iterator<Item = (String, &'b AccountCounts)>,
        out: &mut String,
    ) -> fmt::Result {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        heads(title, &Posture::ALL.map(Posture::as_str), EXPIRING, out)?;
        for (name, counts) in rows {
            row(&name, self.disclose.count(counts.users), out)?;
            for posture in Posture::ALL {
                number(self.disclose.count(counts.of(posture)), posture.as_str(), out)?;
            }
            number(self.disclose.count(counts.expiring()), EXPIRING, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn methods(&self, out: &mut String) -> fmt::Result {
        let methods = &self.report.methods;
        heads("Registered methods", &[], ANSWER, out)?;
        for (kind, MethodCount { registered, answers }) in methods.kinds() {
            row(kind.name(), self.disclose.count(registered), out)?;
            if !matches!(kind, MethodKind::Password | MethodKind::Email | MethodKind::QrCodePin) {
                number(self.disclose.count(answers), ANSWER, out)?;
            }
            writeln!(out)?;
        }
        row("no second factor", self.disclose.count(methods.nothing), out)?;
        writeln!(out)?;
        let unsure =
            [(methods.unknown, "unknown"), (methods.hidden, "phone number masked by Graph")];
        for (users, label) in unsure.into_iter().filter(|(users, _)| *users > 0) {
            row(label, self.disclose.count(users), out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        // The accounts of this finding are named above.
        let is_new = |one: &&Finding| one.code != Code::PortalsOnly;
        let mut findings = self.report.findings.iter().filter(is_new).peekable();
        if findings.peek().is_some() {
            writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        }
        let names = self.view.all.then_some(&*self.report.directory);
        findings.try_for_each(|one| match self.disclose.shows_users() {
            true => finding(one, names, out),
            false => {
                let (severity, message) = (one.severity.as_str(), self.disclose.message(one));
                writeln!(
                    out,
                    "  {severity}: {}   {FAINT}[{}]{FAINT:#}",
                    printable(&message),
                    one.code
                )
            }
        })
    }

    fn tail(&self, out: &mut String) -> fmt::Result {
        let counts = &self.report.counts;
        let seen = Posture::ALL.into_iter().map(|posture| (posture, counts.of(posture)));
        let words: Vec<String> = seen
            .filter(|(_, number)| *number > 0)
            .map(|(posture, number)| {
                format!("{} {}", posture.as_str(), self.disclose.count(number))
            })
            .collect();
        let expiring: String = counts
            .expiring
            .iter()
            .map(|(day, number)| {
                format!("   (expiring on {day}: {})", self.disclose.count(*number))
            })
            .collect();
        writeln!(out, "\n{HEAD}Posture:{HEAD:#} {}{expiring}", words.join("   "))?;
        match self.report.is_complete() {
            true => Ok(()),
            false => writeln!(
                out,
                "{NO}Incomplete:{NO:#} some data could not be read, so some results are unknown"
            ),
        }
    }
}

/// Writes the first line of a table: the title and the column heads.
fn heads(title: &str, middle: &[&str], last: &str, out: &mut String) -> fmt::Result {
    let gap = pad(title.chars().count(), NUMBERS);
    write!(out, "\n{HEAD}{title}{HEAD:#}{gap}{FAINT}{USERS:>5}")?;
    middle.iter().try_for_each(|head| write!(out, "  {head}"))?;
    writeln!(out, "  {last}{FAINT:#}")
}

/// Writes the beginning of a table line: the name and the number of users.
fn row(name: &str, users: UserCount, out: &mut String) -> fmt::Result {
    let name = printable(name);
    write!(
        out,
        "  {name}{}{users:>5}",
        pad(2 + name.chars().count(), NUMBERS),
        users = users.to_string()
    )
}

/// Writes a number, aligned right with the head of its column.
fn number(number: UserCount, head: &str, out: &mut String) -> fmt::Result {
    write!(out, "{:>width$}", number.to_string(), width = 2 + head.chars().count())
}
