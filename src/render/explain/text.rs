//! An explanation for a terminal: the posture of the user, then every policy, then every setting, then
//! the calls that read the facts.
//!
//! Not here: the content of an explanation (`explain`), or its JSON (`explain::json`).

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use super::compared;
use crate::explain::{
    Decision, ExplainVerdict, Explanation, Matching, MethodState, NotApplied, RequiredBy,
    RuleEffect, RuleInForce, UserReview,
};
use crate::finding::{Finding, Severity, quoted};
use crate::render::plan::text::pad;
use crate::render::recorded;
use crate::scope::UserPart;
use crate::settings::{Setting, Value};
use crate::tenant::demand::Decided;
use crate::tenant::facts::UnknownReason;
use crate::tenant::user_set::Tristate;
use crate::untrusted::{Untrusted, label, printable};

const YES: Style = AnsiColor::Green.on_default();
pub(super) const ALTER: Style = AnsiColor::Yellow.on_default();
const NO: Style = AnsiColor::Red.on_default();
pub(super) const HEAD: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// Where the second, third and fourth columns begin.
const SECOND: usize = 26;
const THIRD: usize = 48;
const FOURTH: usize = 76;

/// Returns the whole explanation as text.
#[must_use]
pub fn text(explanation: &Explanation, review: Option<&UserReview>, sandbox: bool) -> String {
    let mut out = String::new();
    _ = Page { one: explanation, review, sandbox }.write(&mut out);
    out
}

struct Page<'a> {
    one: &'a Explanation,
    review: Option<&'a UserReview>,
    sandbox: bool,
}

impl Page<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        self.head(out)?;
        self.demand(out)?;
        self.methods(out)?;
        self.review.map_or(Ok(()), |review| compared::write(review, out))?;
        writeln!(out, "\n{HEAD}Policies{HEAD:#}")?;
        let (apply, others): (Vec<&Matching>, Vec<&Matching>) =
            self.one.policies.iter().partition(|one| one.left_out.is_none());
        apply.into_iter().chain(others).try_for_each(|policy| matching(policy, out))?;
        writeln!(out, "\n{HEAD}Settings{HEAD:#}")?;
        self.one.settings.iter().try_for_each(|decision| self.decision(decision, out))?;
        self.findings(out)?;
        self.reading(out)
    }

    fn head(&self, out: &mut String) -> fmt::Result {
        let sandbox = if self.sandbox { " (sandbox)" } else { "" };
        let (user, standing) = (&self.one.user, &self.one.standing);
        let name = printable(user.name.raw());
        let domain = &self.one.tenant.domain;
        let recorded = recorded::line(self.one.reading.recorded);
        writeln!(
            out,
            "{HEAD}mfactl explain{HEAD:#}   {name}   tenant {domain}{sandbox}\n{recorded}"
        )?;
        let (before, after) = (standing.before.as_str(), standing.after.as_str());
        line(out, "posture", &format!("{before} → {after}"))?;
        if standing.portals_only == Tristate::Yes {
            let about =
                "only the admin portals require MFA: a password is enough for mail and files";
            line(out, "", about)?;
        }
        line(out, "part", self.one.part.about())?;
        line(out, "account", &self.account())?;
        match standing.decided {
            Decided::Here => Ok(()),
            Decided::InAnotherTenant => {
                line(out, "", "homed in another tenant: it is unknown what that tenant requires")
            }
            Decided::AtProvider => {
                line(out, "", "federated domain: its identity provider decides about MFA")
            }
            Decided::Unknown => line(out, "", "it is unknown how the domain signs in"),
        }
    }

    fn account(&self) -> String {
        let user = &self.one.user;
        let account = user.account;
        let mut words = vec![if account.enabled { "enabled" } else { "disabled" }.to_owned()];
        words.push(if account.guest { "guest" } else { "member" }.to_owned());
        words.push(if account.synced { "synced" } else { "not synced" }.to_owned());
        words.push(match &user.usage_location {
            Some(place) => format!("usageLocation {place}"),
            None => "no usageLocation".to_owned(),
        });
        words.extend(user.country.as_ref().map(|place| format!("country {place}")));
        words.extend(user.department.as_ref().map(|name| format!("department {}", quoted(name))));
        words.push(format!("id {}", user.id));
        words.join(" · ")
    }

    fn demand(&self, out: &mut String) -> fmt::Result {
        let mut label = "MFA required";
        for demand in &self.one.standing.demanded {
            let at = if demand.portals_only { ", at the admin portals only" } else { "" };
            line(out, label, &format!("{}{at}{}", printable(&demand.text), when(demand)))?;
            label = "";
        }
        match label {
            "" => Ok(()),
            label if self.one.standing.decided != Decided::Here => line(out, label, "unknown"),
            label => line(out, label, "no"),
        }
    }

    fn methods(&self, out: &mut String) -> fmt::Result {
        match &self.one.standing.methods {
            Err(why) => line(out, "methods", &format!("unknown: {}", why.about()))?,
            Ok(none) if none.is_empty() => line(out, "methods", "nothing registered")?,
            Ok(methods) => {
                let labels = std::iter::once("methods").chain(std::iter::repeat(""));
                for (has, label) in methods.iter().zip(labels) {
                    line(out, label, &method(has))?;
                }
            }
        }
        match self.one.standing.expiring {
            Some(day) => line(
                out,
                "expiring",
                &format!("a phone is the only usable method, and delivery to it ends on {day}"),
            ),
            None => Ok(()),
        }
    }

    fn decision(&self, decision: &Decision, out: &mut String) -> fmt::Result {
        if has_nothing_to_show(decision) {
            return Ok(());
        }
        let (sign, style) = match decision.verdict {
            ExplainVerdict::Changes if decision.observed == Value::Nothing => ('+', YES),
            ExplainVerdict::Changes => ('~', ALTER),
            ExplainVerdict::AsWanted => ('✓', YES),
            ExplainVerdict::Withheld | ExplainVerdict::Conflict | ExplainVerdict::Nothing => {
                ('!', NO)
            }
            ExplainVerdict::Unmentioned | ExplainVerdict::Unmanaged => ('·', FAINT),
        };
        let name = decision.setting.name();
        let gap = pad(4 + name.chars().count(), SECOND);
        writeln!(out, "  {style}{sign}{style:#} {name}{gap}{}", self.becomes(decision))?;
        if let Some(read_as) = decision.read_as {
            writeln!(out, "      a national number of the directory, {read_as}")?;
        }
        decision.voices.iter().try_for_each(|rule| voice(rule, out))?;
        if let Some(refused) = &decision.refused {
            let code = refused.code;
            let withheld = match decision.verdict {
                ExplainVerdict::Nothing => String::new(),
                _ if refused.wanted == Value::Nothing => "withheld: ".to_owned(),
                _ => format!("{} withheld: ", refused.wanted),
            };
            writeln!(
                out,
                "      {withheld}{}   {FAINT}[{code}]{FAINT:#}",
                printable(&refused.why)
            )?;
            writeln!(out, "      {FAINT}help: {}{FAINT:#}", printable(&refused.help))?;
        }
        for reported in &decision.reported {
            let (policy, value) = (label(&reported.policy), reported.value);
            let withheld = reported
                .withheld
                .as_ref()
                .map_or_else(String::new, |why| format!(", withheld: {}", printable(why)));
            writeln!(out, "      {policy} would result in {value}{withheld}")?;
        }
        Ok(())
    }

    fn becomes(&self, decision: &Decision) -> String {
        let observed = decision.observed;
        match decision.verdict {
            ExplainVerdict::Unmentioned if self.one.part == UserPart::BreakGlass => {
                format!("{observed}, never written")
            }
            ExplainVerdict::Unmentioned => {
                format!("{observed}, left as it is: no policy mentions it")
            }
            ExplainVerdict::Unmanaged => format!("{observed}, left as it is: a policy says so"),
            ExplainVerdict::AsWanted => format!("{observed}, as wanted"),
            ExplainVerdict::Changes => {
                let settles = decision.settles.map(|value| format!(" ({value} by Entra)"));
                format!("{observed} → {}{}", decision.planned, settles.unwrap_or_default())
            }
            ExplainVerdict::Nothing | ExplainVerdict::Withheld => {
                format!("{observed}, left as it is")
            }
            ExplainVerdict::Conflict => format!("{observed}, left as it is: policies disagree"),
        }
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        let refused = || self.one.settings.iter().filter_map(|one| one.refused.as_ref());
        let is_shown = |finding: &Finding| {
            let of_user = !finding.users.is_empty();
            of_user
                && refused()
                    .any(|one| one.code == finding.code || Some(&one.help) == finding.help.as_ref())
        };
        let mut findings = self.one.findings.iter().filter(|one| !is_shown(one)).peekable();
        if findings.peek().is_some() {
            writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        }
        findings.try_for_each(|one| finding(one, out))
    }

    fn reading(&self, out: &mut String) -> fmt::Result {
        let reading = &self.one.reading;
        writeln!(
            out,
            "\n{HEAD}Read from Microsoft Graph{HEAD:#}   no data is older than {}",
            reading.since
        )?;
        for call in &reading.calls {
            let gap = pad(2 + call.what.chars().count(), 40);
            let unknown = call.unknown.map(|why| format!("   unknown: {}", why.about()));
            writeln!(
                out,
                "  {}{gap}{FAINT}{}{FAINT:#}{}",
                printable(&call.what),
                printable(&call.path),
                unknown.unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

pub(super) fn line(out: &mut String, label: &str, text: &str) -> fmt::Result {
    writeln!(out, "  {FAINT}{label}{FAINT:#}{}{text}", pad(2 + label.chars().count(), SECOND))
}

fn when(demand: &RequiredBy) -> &'static str {
    match (demand.before, demand.after) {
        (Tristate::Yes, Tristate::Yes) => "",
        (Tristate::Unknown, Tristate::Unknown) => ": perhaps, or only at some sign-ins",
        (_, Tristate::No) => ": until the plan is applied",
        (_, Tristate::Yes) => ": after the plan is applied",
        (_, Tristate::Unknown) => ": perhaps, after the plan is applied",
    }
}

/// Whether no policy mentions the setting and the user has no value for it.
fn has_nothing_to_show(decision: &Decision) -> bool {
    let is_there =
        !matches!(decision.observed, Value::Nothing | Value::Unknown(UnknownReason::NotRead));
    let always_shown = matches!(decision.setting, Setting::MobilePhone | Setting::PerUserMfa);
    decision.verdict == ExplainVerdict::Unmentioned
        && decision.reported.is_empty()
        && decision.voices.is_empty()
        && !is_there
        && !always_shown
}

fn method(has: &MethodState) -> String {
    let number = has.number().map_or_else(String::new, |number| format!(" {number}"));
    let planned = if has.planned { " (planned)" } else { "" };
    format!("{}{number}{planned}: {}", has.kind.name(), has.usable.about())
}

fn matching(one: &Matching, out: &mut String) -> fmt::Result {
    let (sign, style) = if one.left_out.is_none() { ('✓', YES) } else { ('·', FAINT) };
    let mode = if one.reports_only { ", report mode" } else { "" };
    let policy = label(&one.policy);
    let gap = pad(4 + policy.chars().count(), SECOND);
    let verdict = match &one.left_out {
        None => "applies".to_owned(),
        Some(out) => format!("does not apply: {}", out.text),
    };
    writeln!(
        out,
        "  {style}{sign}{style:#} {policy}{gap}{verdict}   {FAINT}{}, priority {}{mode}{FAINT:#}",
        one.place, one.priority
    )?;
    for by in &one.named {
        let place = by.place.as_ref().map_or_else(String::new, |place| format!("   {place}"));
        writeln!(out, "      {}{FAINT}{place}{FAINT:#}", by.named)?;
    }
    one.left_out.as_ref().map_or(Ok(()), |left| left_out(left, out))
}

fn left_out(left: &NotApplied, out: &mut String) -> fmt::Result {
    if let Some(exception) = &left.exception {
        let place =
            exception.by.place.as_ref().map_or_else(String::new, |place| format!("   {place}"));
        let until = exception.until.map_or_else(String::new, |day| format!(", until {day}"));
        let reason =
            exception.reason.as_ref().map_or_else(String::new, |text| format!(": {text:#}"));
        let named = &exception.by.named;
        writeln!(out, "      except {named}{until}{reason}{FAINT}{place}{FAINT:#}")?;
    }
    for test in &left.tests {
        let has = test.has.as_ref().map_or("nothing", Untrusted::raw);
        writeln!(
            out,
            "      {} requires {:#}, and the user has {}",
            test.test,
            test.wants,
            printable(has)
        )?;
    }
    Ok(())
}

fn voice(voice: &RuleInForce, out: &mut String) -> fmt::Result {
    let effect = match voice.heard {
        RuleEffect::Decides => "decides",
        RuleEffect::Agrees => "agrees",
        RuleEffect::Conflicts => "disagrees",
        RuleEffect::Beaten => "overridden",
        RuleEffect::ReportsOnly => "report mode",
    };
    let effect = format!("{effect}, priority {}", voice.priority);
    let place = voice.place.to_string();
    let first = format!("      {}", label(&voice.policy));
    let second =
        format!("{first}{}{}", pad(first.chars().count(), SECOND), printable(&voice.wants));
    let third = format!("{second}{}{effect}", pad(second.chars().count(), THIRD));
    writeln!(out, "{third}{}{FAINT}{place}{FAINT:#}", pad(third.chars().count(), FOURTH))
}

fn finding(finding: &Finding, out: &mut String) -> fmt::Result {
    let style = match finding.severity {
        Severity::Error => NO,
        Severity::Warning => ALTER,
        Severity::Note => FAINT,
    };
    let (severity, code) = (finding.severity.as_str(), finding.code);
    writeln!(
        out,
        "  {style}{severity}{style:#}: {}   {FAINT}[{code}]{FAINT:#}",
        printable(&finding.message)
    )?;
    match &finding.help {
        Some(help) => writeln!(out, "      {FAINT}help: {}{FAINT:#}", printable(help)),
        None => Ok(()),
    }
}
