//! A plan in text without single users: kinds of changes, reasons, postures and findings, each with the number
//! of users.
//!
//! Not here: the plan with its users (`plan::text`), or the same as JSON (`counts`).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{ALTER, FAINT, HEAD, Page, counted};
use crate::finding::Finding;
use crate::plan::review::{Comparison, Review};
use crate::posture::Posture;
use crate::render::counts::alone;
use crate::render::review::{self, kinds, text};
use crate::settings::Setting;
use crate::settings::change::PolicyIndex;
use crate::untrusted::{Untrusted, printable};

impl Page<'_> {
    pub(super) fn write_counts(&self, review: Option<&Review>, out: &mut String) -> fmt::Result {
        self.head(out)?;
        match review {
            Some(review) => out.push_str(&review::text::review(review, self.plan, self.disclose)),
            None => self.kinds(&alone(self.plan), out)?,
        }
        if review.is_none_or(|review| review.result.is_err()) {
            if review.is_some() {
                self.kinds(&alone(self.plan), out)?;
            }
            self.objects(out)?;
            self.reported(out)?;
            self.counted_findings(out)?;
        }
        self.tail(out)?;
        self.brakes(out)
    }

    fn kinds(&self, comparison: &Comparison, out: &mut String) -> fmt::Result {
        let against = Untrusted::default();
        let (policies, disclose) = (self.plan.policies.as_slice(), self.disclose);
        let words = text::ReviewWords::CHANGE;
        let page = text::ReviewText { comparison, policies, against: &against, disclose, words };
        let kinds = kinds::kinds(&comparison.difference);
        kinds.iter().try_for_each(|kind| page.kind(kind, out))?;
        page.withheld(out)?;
        let is_empty = kinds.is_empty() && kinds::withheld(&comparison.difference).is_empty();
        if is_empty { Ok(()) } else { writeln!(out) }
    }

    fn objects(&self, out: &mut String) -> fmt::Result {
        if self.plan.objects.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "  {HEAD}Objects of the tenant:{HEAD:#} planned only; an apply does not write them"
        )?;
        for change in &self.plan.objects {
            let (name, before, after) = (change.object.name(), change.before, change.after);
            writeln!(out, "    {ALTER}~{ALTER:#} {name}   {before} → {after}   {}", change.origin)?;
            for posture in Posture::ALL {
                let number = self.disclose.count(change.becoming(posture).count());
                if change.becoming(posture).next().is_some() {
                    let accounts = counted(number, "account becomes", "accounts become");
                    writeln!(out, "        {accounts} {}", posture.as_str())?;
                }
            }
        }
        writeln!(out)
    }

    /// Writes the number of changes of policies in report mode, by policy and setting.
    fn reported(&self, out: &mut String) -> fmt::Result {
        let mut groups: BTreeMap<(PolicyIndex, Setting), usize> = BTreeMap::new();
        for change in &self.plan.reported {
            *groups.entry((change.policy, change.setting)).or_default() += 1;
        }
        if groups.is_empty() {
            return Ok(());
        }
        writeln!(out, "  {HEAD}Reported only:{HEAD:#} policies in report mode, never applied")?;
        for ((policy, setting), number) in groups {
            let policy = self.plan.policy(policy).map(|policy| policy.name.clone());
            let users = self.counted(number, "user", "users");
            writeln!(out, "    ? {}   {users}   {}", setting.name(), policy.unwrap_or_default())?;
        }
        writeln!(out)
    }

    /// Writes each sentence once, because findings of one kind can look alike.
    fn counted_findings(&self, out: &mut String) -> fmt::Result {
        let mut lines: Vec<String> =
            self.plan.findings.iter().map(|finding| self.counted_finding(finding)).collect();
        lines.dedup();
        lines.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        if self.plan.findings.is_empty() { Ok(()) } else { writeln!(out) }
    }

    fn counted_finding(&self, finding: &Finding) -> String {
        let message = self.disclose.message(finding);
        let (severity, code) = (finding.severity.as_str(), finding.code);
        format!("{severity}: {}   {FAINT}[{code}]{FAINT:#}", printable(&message))
    }
}
