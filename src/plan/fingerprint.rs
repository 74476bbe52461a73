//! A name for exactly this plan, so that approval can bind to it. Covers what is shown: the tenant,
//! masked values, ids, settings, origins and the texts of the policies. No full number goes in, for
//! a digest over numbers can be searched by trying them all.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::Plan;
use crate::source::Sources;

/// SHA-256 over what a plan shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    #[must_use]
    pub fn of(plan: &Plan, sources: &Sources) -> Self {
        let mut text = Text(Sha256::new());
        text.line(&["tenant", &plan.identity.id.to_string()]);
        for (_, source) in sources.iter() {
            text.line(&["file", &source.path, &source.text]);
        }
        let id =
            |index| plan.directory.user(index).map_or_else(String::new, |user| user.id.to_string());
        let place = |policy, setting| {
            plan.policy(policy)
                .and_then(|policy| policy.rule(setting))
                .map_or_else(String::new, |rule| rule.place.to_string())
        };
        for change in &plan.changes {
            let (before, after) = (change.before.to_string(), change.after.to_string());
            text.line(&[
                "change",
                &id(change.user),
                change.setting.key(),
                &before,
                &after,
                &place(change.policy, change.setting),
            ]);
        }
        for withheld in &plan.withheld {
            let wanted = withheld.wanted.to_string();
            text.line(&[
                "withheld",
                &id(withheld.user),
                withheld.setting.key(),
                &wanted,
                withheld.reason.code().as_str(),
            ]);
        }
        for change in &plan.reported {
            let after = change.after.to_string();
            text.line(&["reported", &id(change.user), change.setting.key(), &after]);
        }
        for finding in &plan.findings {
            text.line(&["finding", finding.code.as_str(), &finding.message]);
        }
        Self(text.0.finalize().into())
    }

    /// Enough of it for a person to compare.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

/// Fields with their lengths before them, so that no two lists of fields read alike.
struct Text(Sha256);

impl Text {
    fn line(&mut self, fields: &[&str]) {
        self.0.update((fields.len() as u64).to_le_bytes());
        for field in fields {
            self.0.update((field.len() as u64).to_le_bytes());
            self.0.update(field.as_bytes());
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
