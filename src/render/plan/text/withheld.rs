//! The parts of a plan in text other than its changes: withheld changes, grouped by reason, and
//! findings.
//!
//! Not here: the changes of policies in report mode (`plan::report_mode`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::{ALTER, FAINT, Page, REMOVE, joined, some_of};
use crate::finding::{Finding, Severity};
use crate::plan::{Cause, PlanPurpose, Reason, Withheld};
use crate::settings::Setting;
use crate::tenant::directory::{Directory, UserIndex};
use crate::untrusted::{Untrusted, printable};

/// Withheld changes with the same key are grouped: the reason, its cause, the setting, and the domain if
/// the reason is about the domain.
type Alike<'a> = (Reason, Option<Cause>, Setting, Option<&'a str>);

impl Page<'_> {
    pub(crate) fn withheld(&self, out: &mut String) -> fmt::Result {
        let mut groups: BTreeMap<Alike<'_>, Vec<&Withheld>> = BTreeMap::new();
        // A user without a phone has no phone as default method either. The cause is printed once.
        let printed: BTreeSet<(UserIndex, Cause)> = self
            .plan
            .withheld
            .iter()
            .filter(|one| one.setting != Setting::DefaultMethod)
            .filter_map(|one| Some((one.user, one.cause?)))
            .collect();
        let is_repeated = |one: &&Withheld| {
            one.setting == Setting::DefaultMethod
                && one.cause.is_some_and(|cause| printed.contains(&(one.user, cause)))
        };
        for withheld in self.plan.withheld.iter().filter(|one| !is_repeated(one)) {
            groups
                .entry((
                    withheld.reason,
                    withheld.cause,
                    withheld.setting,
                    withheld.domain(self.plan),
                ))
                .or_default()
                .push(withheld);
        }
        for group in groups.values() {
            let names: Vec<&Untrusted> =
                group.iter().map(|withheld| self.plan.directory.name(withheld.user)).collect();
            let who = if self.view.all { joined(&names) } else { some_of(&names) };
            let Some(first) = group.first() else { continue };
            writeln!(out, "  {REMOVE}!{REMOVE:#} {who}")?;
            let (setting, why) = (first.setting.name(), first.explain(self.plan));
            let code = first.reason.code();
            writeln!(out, "      {setting} withheld: {why}   {FAINT}[{code}]{FAINT:#}")?;
            if let Some(help) = self.help(first) {
                writeln!(out, "      {FAINT}help: {}{FAINT:#}", printable(help))?;
            }
        }
        if groups.is_empty() { Ok(()) } else { writeln!(out) }
    }

    /// Returns the help for a withheld change: that of its finding, or the advice for an undo.
    fn help(&self, withheld: &Withheld) -> Option<&str> {
        match self.plan.purpose {
            PlanPurpose::Undo { .. } => Some(withheld.reason.way_out()),
            PlanPurpose::Policies => self.finding_behind(withheld)?.help.as_deref(),
        }
    }

    /// Returns the finding that explains a withheld change, if there is one.
    fn finding_behind(&self, withheld: &Withheld) -> Option<&Finding> {
        let (code, user) = (withheld.cause?.code()?, self.plan.directory.user(withheld.user)?.id);
        self.plan
            .findings
            .iter()
            .find(|finding| finding.code == code && finding.users.contains(&user))
    }

    /// Whether the withheld changes already show everything that the finding says.
    fn is_shown(&self, finding: &Finding) -> bool {
        let mut users = finding.users.iter().map(|user| self.plan.directory.find(*user));
        let is_shown = |user| {
            let mut causes =
                self.plan.withheld.iter().filter(|withheld| Some(withheld.user) == user);
            causes.any(|withheld| withheld.cause.and_then(Cause::code) == Some(finding.code))
        };
        !finding.users.is_empty() && users.all(is_shown)
    }

    pub(crate) fn findings(&self, out: &mut String) -> fmt::Result {
        for finding in self.plan.findings.iter().filter(|finding| !self.is_shown(finding)) {
            self::finding(finding, self.view.all.then_some(&*self.plan.directory), out)?;
        }
        if self.plan.findings.is_empty() { Ok(()) } else { writeln!(out) }
    }
}

/// Writes one finding. With a directory, it names all users of the finding.
pub(in crate::render) fn finding(
    finding: &Finding,
    names: Option<&Directory>,
    out: &mut String,
) -> fmt::Result {
    let style = match finding.severity {
        Severity::Error => REMOVE,
        Severity::Warning => ALTER,
        Severity::Note => FAINT,
    };
    writeln!(
        out,
        "  {style}{}{style:#}: {}   {FAINT}[{}]{FAINT:#}",
        finding.severity.as_str(),
        printable(&finding.message),
        finding.code
    )?;
    if let Some(directory) = names.filter(|_| finding.users.len() > 2) {
        let found = finding.users.iter().filter_map(|id| directory.find(*id));
        let names: Vec<&Untrusted> = found.map(|user| directory.name(user)).collect();
        writeln!(out, "      {}", joined(&names))?;
    }
    match &finding.help {
        Some(help) => writeln!(out, "      {FAINT}help: {}{FAINT:#}", printable(help)),
        None => Ok(()),
    }
}
