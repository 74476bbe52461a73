//! The digest of a difference: it says whether two pushes of a change do the same. It covers what the change
//! does, and no total of the tenant, so it stays if a user comes or goes that the change does not concern.
//!
//! Not here: the difference itself (`difference`), or the identity of a whole plan (`fingerprint`).

use std::collections::{BTreeMap, BTreeSet};

use super::content::{FindingContent, ReasonContent, UserContent, WithheldContent};
use super::difference::{Delta, Deltas, PlanDifference};
use super::fingerprint::{Fingerprint, HashedText, Key};
use super::planned_value::PlannedValue;
use crate::finding::Code;
use crate::id::UserId;

impl PlanDifference {
    /// Returns SHA-256 over masked values, or HMAC-SHA-256 over full ones with the key of fingerprints.
    #[must_use]
    pub fn digest(&self, key: Option<&Key>) -> Fingerprint {
        let mut text = HashedText::new(key);
        self.put_files(&mut text);
        self.put_settings(&mut text);
        self.put_withheld(&mut text);
        self.put_scope(&mut text);
        self.put_objects(&mut text);
        self.put_findings(&mut text);
        self.put_brakes(&mut text);
        text.finish()
    }

    /// Returns SHA-256 over what the change alters in the files: the meaning of each policy, key and object,
    /// before and after. The tenant and its users do not matter. No number is in a file, so there is no key.
    #[must_use]
    pub fn files_digest(&self) -> Fingerprint {
        let mut text = HashedText::new(None);
        self.put_files(&mut text);
        text.finish()
    }

    fn put_files(&self, text: &mut HashedText) {
        meanings("policy", &self.policies, text);
        meanings("project", &self.project, text);
        meanings("object meaning", &self.object_meanings, text);
    }

    fn put_settings(&self, text: &mut HashedText) {
        for one in self.settings() {
            let mut fields =
                vec!["change".to_owned(), one.user.to_string(), one.setting.key().to_owned()];
            for side in [one.without, one.with] {
                let Some(change) = side else {
                    fields.push("nothing".to_owned());
                    continue;
                };
                let [before, after] = [&change.before, &change.after].map(|one| planned(one, text));
                fields.extend([
                    "planned".to_owned(),
                    before,
                    after,
                    change.policy.raw().to_owned(),
                ]);
            }
            put(&fields, text);
        }
    }

    fn put_withheld(&self, text: &mut HashedText) {
        for (user, delta) in &self.users {
            let of =
                |one: Option<&UserContent>| one.map(|one| one.withheld.clone()).unwrap_or_default();
            let (base, head) = (of(delta.base()), of(delta.head()));
            let sides = [("no longer withheld", &base, &head), ("withheld", &head, &base)];
            for (kind, one, other) in sides {
                for withheld in one.difference(other) {
                    let wanted = planned(&withheld.wanted, text);
                    put(&withheld_fields(kind, *user, withheld, wanted), text);
                }
            }
        }
    }

    fn put_scope(&self, text: &mut HashedText) {
        for (name, delta) in self.scope() {
            for (kind, users) in [("governed", &delta.added), ("not governed", &delta.removed)] {
                let users = users.iter().map(ToString::to_string);
                let fields = [kind.to_owned(), name.raw().to_owned()];
                put(&fields.into_iter().chain(users).collect::<Vec<_>>(), text);
            }
        }
    }

    fn put_objects(&self, text: &mut HashedText) {
        for (object, delta) in &self.objects {
            let mut fields = vec!["object".to_owned(), object.key().to_owned()];
            for side in [delta.base(), delta.head()] {
                fields.push(
                    side.map_or_else(String::new, |one| format!("{} {}", one.before, one.after)),
                );
            }
            put(&fields, text);
        }
    }

    /// Adds the findings by code and policy, with the users that only one side names: a message counts all
    /// users, so it changes with users that the change does not concern.
    fn put_findings(&self, text: &mut HashedText) {
        let mut sides: BTreeMap<(Code, Option<&str>), [BTreeSet<String>; 2]> = BTreeMap::new();
        for (finding, delta) in &self.findings {
            let [base, head] = sides.entry((finding.code, finding.policy.as_deref())).or_default();
            if !matches!(delta, Delta::Added(_)) {
                base.extend(subjects(finding));
            }
            if !matches!(delta, Delta::Removed(_)) {
                head.extend(subjects(finding));
            }
        }
        for ((code, policy), [base, head]) in &sides {
            for (kind, one, other) in [("gone", base, head), ("new", head, base)] {
                let subjects: Vec<String> = one.difference(other).cloned().collect();
                if !subjects.is_empty() {
                    let fields = [kind, code.as_str(), policy.unwrap_or_default()];
                    put(&[fields.map(str::to_owned).to_vec(), subjects].concat(), text);
                }
            }
        }
    }

    /// Adds the brakes that only one plan trips, without the numbers.
    fn put_brakes(&self, text: &mut HashedText) {
        for (name, delta) in &self.brakes {
            let tripped =
                [delta.base(), delta.head()].map(|one| one.is_some_and(super::Brake::tripped));
            if tripped[0] != tripped[1] {
                let is = if tripped[1] { "trips" } else { "no longer trips" };
                text.line(&["brake", name.as_str(), is]);
            }
        }
    }
}

fn meanings(kind: &str, deltas: &Deltas<String, String>, text: &mut HashedText) {
    for (name, delta) in deltas {
        let of = |side: Option<&String>| side.cloned().unwrap_or_default();
        text.line(&[kind, name, &of(delta.base()), &of(delta.head())]);
    }
}

fn withheld_fields(
    kind: &str,
    user: UserId,
    withheld: &WithheldContent,
    wanted: String,
) -> Vec<String> {
    let (reason, rival) = match &withheld.reason {
        ReasonContent::Alone(reason) => (serde_json::to_string(reason).unwrap_or_default(), ""),
        ReasonContent::ConflictWith(rival) => ("conflict".to_owned(), rival.raw()),
        ReasonContent::InWords(code, words) => (code.as_str().to_owned(), words.raw()),
    };
    vec![
        kind.to_owned(),
        user.to_string(),
        withheld.setting.key().to_owned(),
        wanted,
        withheld.policy.raw().to_owned(),
        reason,
        rival.to_owned(),
    ]
}

fn planned(value: &PlannedValue, text: &HashedText) -> String {
    match value {
        PlannedValue::Exact(value) => text.value(*value),
        PlannedValue::MaskedNumber(number) => number.to_string(),
    }
}

/// What a finding is about: its users, or its message if it names none.
fn subjects(finding: &FindingContent) -> Vec<String> {
    match finding.users.is_empty() {
        true => vec![finding.message.clone()],
        false => finding.users.iter().map(ToString::to_string).collect(),
    }
}

fn put(fields: &[String], text: &mut HashedText) {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    text.line(&fields);
}
