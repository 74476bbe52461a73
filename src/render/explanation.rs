//! An explanation for a terminal: how the user stands, then every policy, then every setting, then
//! where it was read.
//!
//! Not here: what is in an explanation (`plan::explain`), or its JSON (`explained`).

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};

use super::text::pad;
use crate::finding::{Finding, Severity, quoted};
use crate::plan::explain::{
    Decision, DemandedBy, Explanation, Has, Heard, LeftOut, Matching, Part, Verdict, Voice,
};
use crate::settings::{Setting, Value};
use crate::tenant::crowd::Judged;
use crate::tenant::demand::Decided;
use crate::tenant::facts::Why;
use crate::untrusted::printable;

const YES: Style = AnsiColor::Green.on_default();
const ALTER: Style = AnsiColor::Yellow.on_default();
const NO: Style = AnsiColor::Red.on_default();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Where the second, third and fourth columns begin.
const SECOND: usize = 26;
const THIRD: usize = 48;
const FOURTH: usize = 76;

/// The whole explanation.
#[must_use]
pub fn text(explanation: &Explanation, sandbox: bool) -> String {
    let mut out = String::new();
    _ = Page { one: explanation, sandbox }.write(&mut out);
    out
}

struct Page<'a> {
    one: &'a Explanation,
    sandbox: bool,
}

impl Page<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        self.head(out)?;
        self.demand(out)?;
        self.methods(out)?;
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
        let name = printable(&user.name);
        let domain = &self.one.tenant.domain;
        writeln!(out, "{HEAD}mfactl explain{HEAD:#}   {name}   tenant {domain}{sandbox}\n")?;
        let (before, after) = (standing.before.as_str(), standing.after.as_str());
        line(out, "posture", &format!("{before} → {after}"))?;
        if standing.portals_only == Judged::Yes {
            line(out, "", "only the admin portals demand MFA: a password opens mail and files")?;
        }
        line(out, "part", self.one.part.about())?;
        line(out, "account", &self.account())?;
        match standing.decided {
            Decided::Here => Ok(()),
            Decided::InAnotherTenant => {
                line(out, "", "at home in another tenant: what is asked of it is not known")
            }
            Decided::AtProvider => line(
                out,
                "",
                "its domain is federated: the provider decides what is asked and answered",
            ),
            Decided::Unknown => line(out, "", "how its domain signs in is not known"),
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
        let mut label = "MFA demanded";
        for demand in &self.one.standing.demanded {
            let at = if demand.portals_only { ", at the admin portals only" } else { "" };
            line(out, label, &format!("{}{at}{}", demand.text, when(demand)))?;
            label = "";
        }
        match label {
            "" => Ok(()),
            label if self.one.standing.decided != Decided::Here => line(out, label, "not known"),
            label => line(out, label, "by nothing"),
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
                &format!("only a phone answers, and from {day} on nothing is delivered to it"),
            ),
            None => Ok(()),
        }
    }

    fn decision(&self, decision: &Decision, out: &mut String) -> fmt::Result {
        if is_beside_the_point(decision) {
            return Ok(());
        }
        let (sign, style) = match decision.verdict {
            Verdict::Changes if decision.observed == Value::Nothing => ('+', YES),
            Verdict::Changes => ('~', ALTER),
            Verdict::AsWanted => ('✓', YES),
            Verdict::Withheld | Verdict::Conflict | Verdict::Nothing => ('!', NO),
            Verdict::Unmentioned | Verdict::Unmanaged => ('·', FAINT),
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
                Verdict::Nothing => String::new(),
                _ if refused.wanted == Value::Nothing => "withheld: ".to_owned(),
                _ => format!("{} withheld: ", refused.wanted),
            };
            writeln!(out, "      {withheld}{}   {FAINT}[{code}]{FAINT:#}", refused.why)?;
            writeln!(out, "      {FAINT}help: {}{FAINT:#}", refused.help)?;
        }
        for reported in &decision.reported {
            let (policy, value) = (&reported.policy, reported.value);
            let withheld = reported
                .withheld
                .as_ref()
                .map_or_else(String::new, |why| format!(", withheld: {why}"));
            writeln!(out, "      {policy} would come to {value}{withheld}")?;
        }
        Ok(())
    }

    fn becomes(&self, decision: &Decision) -> String {
        let observed = decision.observed;
        match decision.verdict {
            Verdict::Unmentioned if self.one.part == Part::BreakGlass => {
                format!("{observed}, never written")
            }
            Verdict::Unmentioned => format!("{observed}, left as it is: no policy speaks of it"),
            Verdict::Unmanaged => format!("{observed}, left as it is: a policy says so"),
            Verdict::AsWanted => format!("{observed}, as wanted"),
            Verdict::Changes => {
                let settles = decision.settles.map(|value| format!(" ({value} by Entra itself)"));
                format!("{observed} → {}{}", decision.planned, settles.unwrap_or_default())
            }
            Verdict::Nothing | Verdict::Withheld => format!("{observed}, left as it is"),
            Verdict::Conflict => format!("{observed}, left as it is: policies disagree"),
        }
    }

    fn findings(&self, out: &mut String) -> fmt::Result {
        let refused = || self.one.settings.iter().filter_map(|one| one.refused.as_ref());
        let is_said = |finding: &Finding| {
            let of_user = !finding.users.is_empty();
            of_user
                && refused()
                    .any(|one| one.code == finding.code || Some(&one.help) == finding.help.as_ref())
        };
        let mut findings = self.one.findings.iter().filter(|one| !is_said(one)).peekable();
        if findings.peek().is_some() {
            writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        }
        findings.try_for_each(|one| finding(one, out))
    }

    fn reading(&self, out: &mut String) -> fmt::Result {
        let reading = &self.one.reading;
        writeln!(
            out,
            "\n{HEAD}Read from Microsoft Graph{HEAD:#}   nothing is older than {}",
            reading.since
        )?;
        for call in &reading.calls {
            let gap = pad(2 + call.what.chars().count(), 40);
            let unknown = call.unknown.map(|why| format!("   unknown: {}", why.about()));
            writeln!(
                out,
                "  {}{gap}{FAINT}{}{FAINT:#}{}",
                call.what,
                call.path,
                unknown.unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

fn line(out: &mut String, label: &str, text: &str) -> fmt::Result {
    writeln!(out, "  {FAINT}{label}{FAINT:#}{}{text}", pad(2 + label.chars().count(), SECOND))
}

fn when(demand: &DemandedBy) -> &'static str {
    match (demand.before, demand.after) {
        (Judged::Yes, Judged::Yes) => "",
        (Judged::Unknown, Judged::Unknown) => ": perhaps, or at some sign-ins",
        (_, Judged::No) => ": until the plan is carried out",
        (_, Judged::Yes) => ": once the plan is carried out",
        (_, Judged::Unknown) => ": perhaps, once the plan is carried out",
    }
}

/// Nobody speaks of it, nothing is there, and so there is nothing to tell.
fn is_beside_the_point(decision: &Decision) -> bool {
    let is_there = !matches!(decision.observed, Value::Nothing | Value::Unknown(Why::NotRead));
    let always_shown = matches!(decision.setting, Setting::MobilePhone | Setting::PerUserMfa);
    decision.verdict == Verdict::Unmentioned
        && decision.reported.is_empty()
        && decision.voices.is_empty()
        && !is_there
        && !always_shown
}

fn method(has: &Has) -> String {
    let number = has.number().map_or_else(String::new, |number| format!(" {number}"));
    let planned = if has.planned { " (planned)" } else { "" };
    format!("{}{number}{planned}: {}", has.kind.name(), has.usable.about())
}

fn matching(one: &Matching, out: &mut String) -> fmt::Result {
    let (sign, style) = if one.left_out.is_none() { ('✓', YES) } else { ('·', FAINT) };
    let mode = if one.reports_only { ", reports only" } else { "" };
    let gap = pad(4 + one.policy.chars().count(), SECOND);
    let verdict = match &one.left_out {
        None => "applies".to_owned(),
        Some(out) => format!("does not apply: {}", out.text),
    };
    writeln!(
        out,
        "  {style}{sign}{style:#} {}{gap}{verdict}   {FAINT}{}, priority {}{mode}{FAINT:#}",
        one.policy, one.place, one.priority
    )?;
    for by in &one.named {
        let place = by.place.as_ref().map_or_else(String::new, |place| format!("   {place}"));
        writeln!(out, "      {}{FAINT}{place}{FAINT:#}", by.named)?;
    }
    one.left_out.as_ref().map_or(Ok(()), |left| left_out(left, out))
}

fn left_out(left: &LeftOut, out: &mut String) -> fmt::Result {
    if let Some(exception) = &left.exception {
        let place =
            exception.by.place.as_ref().map_or_else(String::new, |place| format!("   {place}"));
        let until = exception.until.map_or_else(String::new, |day| format!(", until {day}"));
        let reason = exception
            .reason
            .as_ref()
            .map_or_else(String::new, |text| format!(": {}", printable(text)));
        let named = &exception.by.named;
        writeln!(out, "      except {named}{until}{reason}{FAINT}{place}{FAINT:#}")?;
    }
    for test in &left.tests {
        let has = test.has.as_ref().map_or("nothing", |has| has);
        writeln!(
            out,
            "      {} wants {}, and the user has {}",
            test.test,
            printable(&test.wants),
            printable(has)
        )?;
    }
    Ok(())
}

fn voice(voice: &Voice, out: &mut String) -> fmt::Result {
    let heard = match voice.heard {
        Heard::Decides => "decides",
        Heard::Agrees => "agrees",
        Heard::Conflicts => "disagrees",
        Heard::Beaten => "beaten",
        Heard::ReportsOnly => "reports only",
    };
    let heard = format!("{heard}, priority {}", voice.priority);
    let place = voice.place.to_string();
    let first = format!("      {}", voice.policy);
    let second = format!("{first}{}{}", pad(first.chars().count(), SECOND), voice.wants);
    let third = format!("{second}{}{heard}", pad(second.chars().count(), THIRD));
    writeln!(out, "{third}{}{FAINT}{place}{FAINT:#}", pad(third.chars().count(), FOURTH))
}

fn finding(finding: &Finding, out: &mut String) -> fmt::Result {
    let style = match finding.severity {
        Severity::Error => NO,
        Severity::Warning => ALTER,
        Severity::Note => FAINT,
    };
    let (severity, code) = (finding.severity.as_str(), finding.code);
    writeln!(out, "  {style}{severity}{style:#}: {}   {FAINT}[{code}]{FAINT:#}", finding.message)?;
    match &finding.help {
        Some(help) => writeln!(out, "      {FAINT}help: {help}{FAINT:#}"),
        None => Ok(()),
    }
}
