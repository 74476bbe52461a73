//! The fingerprint identifies exactly one plan, so that an approval can refer to it. It covers the meaning of
//! the files and everything that a reader of the plan is shown, except the lines of the rules: a new
//! comment moves lines and changes nothing. A saved plan has a second digest that covers the lines too.
//!
//! Without a key, the fingerprint covers masked values, because an attacker could find a number by trying
//! all numbers. With a key it covers full values, so two plans that differ only in a hidden digit have
//! different fingerprints.
//!
//! Not here: comparing an approved fingerprint (`run::apply`).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ring::hmac;
use sha2::{Digest as _, Sha256};

use super::brakes::Brake;
use super::objects::{AffectedUser, ObjectChange};
use super::summary::{PostureCounts, Summary};
use super::{Plan, PlanPurpose, PolicyLabel, Reason, RuleLabel, UserPlan, Withheld};
use crate::finding::Finding;
use crate::observed::TenantBasis;
use crate::policy::meaning::Meaning;
use crate::posture::Posture;
use crate::settings::Value;
use crate::settings::change::{Change, Mandate, PolicyIndex};
use crate::settings::full_value::FullValue;
use crate::tenant::directory::{Identity, UserIndex};

/// SHA-256, or HMAC-SHA-256 with a key, over what a plan shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fingerprint([u8; 32]);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, as `mfactl plan` prints it")]
pub struct NoFingerprint;

/// A secret key, for those who may compare plans including their numbers.
#[derive(Clone)]
pub struct Key {
    key: hmac::Key,
    /// The length of its text, in bytes.
    bytes: usize,
}

impl Key {
    /// The fewest bytes of a key for approvals.
    pub const LEAST: usize = 16;

    /// Creates a key from any text that is not blank.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let blank = text.trim().is_empty();
        let key = || hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        (!blank).then(|| Self { key: key(), bytes: text.len() })
    }

    /// Whether the text is so short that it could be found by trying.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.bytes < Self::LEAST
    }

    /// Returns the bytes of another key, for this purpose alone.
    pub(super) fn derive(&self, purpose: &str, salt: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(salt);
        context.sign().as_ref().to_vec()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Fingerprint {
    /// Returns the fingerprint of the plan. With a key it covers full values.
    #[must_use]
    pub fn of(plan: &Plan, key: Option<&Key>) -> Self {
        let mut text = HashedText::new(key);
        text.plan(plan);
        text.finish()
    }

    /// Returns the digest of a change that alters nothing in the files.
    #[must_use]
    pub fn of_no_files() -> Self {
        HashedText::new(None).finish()
    }

    /// Returns a fingerprint that also covers the places of rules and the `extra` fields of a saved plan.
    /// Such a plan is read without the files.
    #[must_use]
    pub fn with_places(plan: &Plan, extra: &[&str], key: Option<&Key>) -> Self {
        let mut text = HashedText::new(key);
        text.line(&["with places"]);
        text.line(extra);
        text.plan(plan);
        for RuleLabel { setting, place, wants: _ } in
            plan.policies.iter().flat_map(|policy| &policy.rules)
        {
            let (line, column) = (place.line.to_string(), place.column.to_string());
            text.line(&["place", setting.key(), place.file.raw(), &line, &column]);
        }
        for ObjectChange { object, origin, .. } in &plan.objects {
            let (line, column) = (origin.line.to_string(), origin.column.to_string());
            text.line(&["place", object.key(), origin.file.raw(), &line, &column]);
        }
        text.finish()
    }
}

/// The bytes that are hashed, field by field. The length of each field comes before it, so that two lists of
/// fields never give the same bytes.
pub(super) enum HashedText {
    Plain(Sha256),
    Keyed(Box<hmac::Context>),
}

impl HashedText {
    pub(super) fn new(key: Option<&Key>) -> Self {
        match key {
            Some(Key { key, .. }) => Self::Keyed(Box::new(hmac::Context::with_key(key))),
            None => Self::Plain(Sha256::new()),
        }
    }

    /// Adds every field of a plan. A comment says why a field is not covered.
    fn plan(&mut self, plan: &Plan) {
        let Plan {
            identity: Identity { id, domain },
            // Only the users that the plan is about are covered: see `people`.
            directory: _,
            purpose,
            meaning,
            policies,
            basis,
            users,
            changes,
            withheld,
            reported,
            reported_withheld,
            objects,
            findings,
            in_scope,
            postures,
            summary,
            brakes,
            recorded,
            fingerprint: _,
        } = plan;
        self.line(&["tenant", &id.to_string(), domain.raw()]);
        // The fingerprint of a plan from a snapshot approves no other plan.
        if let Some(made) = recorded {
            self.line(&["recorded", &made.to_string()]);
        }
        match purpose {
            PlanPurpose::Policies => {}
            PlanPurpose::Undo { run } => self.line(&["undo", run]),
        }
        self.meaning(meaning);
        policies.iter().for_each(|policy| self.policy(policy));
        self.basis(basis);
        self.people(plan);
        users.iter().for_each(|user| self.user(plan, user));
        changes.iter().for_each(|change| self.change(plan, "change", change));
        withheld.iter().for_each(|one| self.withheld(plan, "withheld", one));
        reported.iter().for_each(|change| self.change(plan, "reported", change));
        reported_withheld.iter().for_each(|one| self.withheld(plan, "reported withheld", one));
        objects.iter().for_each(|change| self.object(plan, change));
        self.findings(findings);
        self.counts(*in_scope, postures, summary);
        brakes.iter().for_each(|brake| self.brake(brake));
    }

    fn meaning(&mut self, Meaning { policies, project, objects }: &Meaning) {
        policies.iter().for_each(|(name, digest)| self.line(&["policy", name, digest]));
        project.iter().for_each(|(key, digest)| self.line(&["project", key, digest]));
        objects.iter().for_each(|(key, digest)| self.line(&["object meaning", key, digest]));
    }

    fn policy(&mut self, PolicyLabel { name, rules }: &PolicyLabel) {
        self.line(&["label", name.raw()]);
        for RuleLabel { setting, place: _, wants } in rules {
            self.line(&["rule", setting.key(), wants.raw()]);
        }
    }

    /// Adds the break-glass accounts. The rest of the basis is not shown, and is read again before
    /// anything is written.
    fn basis(&mut self, basis: &TenantBasis) {
        let TenantBasis {
            method_policy: _,
            demand: _,
            delivery: _,
            today: _,
            break_glass,
            extra: _,
            rules: _,
        } = basis;
        break_glass.iter().for_each(|user| self.line(&["break-glass", &user.to_string()]));
    }

    /// Adds the names of the users of the plan, of those that a finding names, and of those that an object
    /// affects.
    fn people(&mut self, plan: &Plan) {
        let named = plan.findings.iter().flat_map(|finding| &finding.users);
        let named = named.filter_map(|user| plan.directory.find(*user));
        let affected = plan.objects.iter().flat_map(|change| &change.affected);
        let others = named.chain(affected.map(|one| one.user));
        let all: BTreeSet<UserIndex> =
            plan.users.iter().map(|user| user.user).chain(others).collect();
        for user in all.iter().filter_map(|index| plan.directory.user(*index)) {
            self.line(&["person", &user.id.to_string(), user.name.raw()]);
        }
    }

    fn user(&mut self, plan: &Plan, one: &UserPlan) {
        // Facts are not shown; they are read again before anything is written.
        let UserPlan { user, facts: _, before, after, changes, policies } = one;
        let administrator = serde_json::to_string(&plan.basis.demand.is_administrator(*user));
        let (id, changes) = (id(plan, *user), changes.len().to_string());
        let administrator = administrator.unwrap_or_default();
        self.line(&["user", &id, before.as_str(), after.as_str(), &administrator, &changes]);
        policies.iter().for_each(|policy| self.line(&["applies", policy_name(plan, *policy)]));
    }

    fn change(&mut self, plan: &Plan, kind: &str, change: &Change) {
        let Change { user, setting, before, after, policy, mandate } = change;
        let Mandate { exactly, names_role, settles_sms_sign_in, puts_back, goes_last, read_as } =
            mandate;
        let read_as = read_as.map_or_else(String::new, |one| one.to_string());
        let (before, after) = (self.value(*before), self.value(*after));
        let flags = [exactly, names_role, settles_sms_sign_in, puts_back].map(ToString::to_string);
        let [exactly, names_role, settles, puts_back] = flags.each_ref().map(String::as_str);
        // A field of its own would give every older plan another fingerprint.
        let puts_back = if *goes_last { "true, as the last phone" } else { puts_back };
        let (id, policy) = (id(plan, *user), policy_name(plan, *policy));
        self.line(&[
            kind,
            &id,
            setting.key(),
            &before,
            &after,
            policy,
            exactly,
            names_role,
            settles,
            puts_back,
            &read_as,
        ]);
    }

    /// Adds the change of an object. The place of the rule is covered like those of other rules.
    fn object(&mut self, plan: &Plan, change: &ObjectChange) {
        let ObjectChange { object, before, after, origin: _, affected } = change;
        let (before, after) = (before.to_string(), after.to_string());
        self.line(&["object", object.key(), &before, &after, &affected.len().to_string()]);
        for AffectedUser { user, before, after } in affected {
            self.line(&["affected", &id(plan, *user), before.as_str(), after.as_str()]);
        }
    }

    fn withheld(&mut self, plan: &Plan, kind: &str, withheld: &Withheld) {
        let Withheld { user, setting, wanted, policy, reason, cause } = withheld;
        let (id, wanted) = (id(plan, *user), self.value(*wanted));
        let policy = policy_name(plan, *policy);
        let (reason, rival) = match reason {
            Reason::Conflict(rival) => ("conflict".to_owned(), policy_name(plan, *rival)),
            other => (serde_json::to_string(other).unwrap_or_default(), ""),
        };
        let cause = serde_json::to_string(cause).unwrap_or_default();
        self.line(&[kind, &id, setting.key(), &wanted, policy, &reason, rival, &cause]);
    }

    /// Adds the findings, sorted by content: the order of two names in a file means nothing.
    fn findings(&mut self, findings: &[Finding]) {
        let mut all: Vec<Vec<String>> = findings.iter().map(finding).collect();
        all.sort_unstable();
        for fields in &all {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            self.line(&fields);
        }
    }

    fn counts(
        &mut self,
        in_scope: usize,
        PostureCounts { before, after }: &PostureCounts,
        summary: &Summary,
    ) {
        self.line(&["in scope", &in_scope.to_string()]);
        for (when, counts) in [("before", before), ("after", after)] {
            for posture in Posture::ALL {
                let count = counts.get(&posture).copied().unwrap_or_default().to_string();
                self.line(&["posture", when, posture.as_str(), &count]);
            }
        }
        let Summary {
            users_changed,
            phones_to_add,
            phones_to_replace,
            phones_to_remove,
            mfa_begun,
            mfa_tightened,
            mfa_lowered,
            preferences_changed,
            withheld,
        } = summary;
        let counts = [
            users_changed,
            phones_to_add,
            phones_to_replace,
            phones_to_remove,
            mfa_begun,
            mfa_tightened,
            mfa_lowered,
            preferences_changed,
            withheld,
        ];
        counts.iter().for_each(|count| self.line(&["count", &count.to_string()]));
    }

    fn brake(&mut self, Brake { name, actual, of, limit }: &Brake) {
        let [actual, of, limit] = [actual, of, limit].map(ToString::to_string);
        self.line(&["brake", name.as_str(), &actual, &of, &limit]);
    }

    pub(super) fn value(&self, value: Value) -> String {
        match self {
            Self::Plain(_) => value.to_string(),
            Self::Keyed(_) => {
                serde_json::to_string(&FullValue::from(value)).unwrap_or_else(|_| value.to_string())
            }
        }
    }

    pub(super) fn line(&mut self, fields: &[&str]) {
        self.update(&(fields.len() as u64).to_le_bytes());
        for field in fields {
            self.update(&(field.len() as u64).to_le_bytes());
            self.update(field.as_bytes());
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(digest) => digest.update(bytes),
            Self::Keyed(context) => context.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Fingerprint {
        let mut bytes = [0; 32];
        match self {
            Self::Plain(digest) => bytes.copy_from_slice(&digest.finalize()),
            Self::Keyed(context) => bytes.copy_from_slice(context.sign().as_ref()),
        }
        Fingerprint(bytes)
    }
}

/// Returns the fields of a finding. Its places are not shown with a plan.
fn finding(finding: &Finding) -> Vec<String> {
    let Finding { code, severity, message, help, labels: _, users, policy } = finding;
    let mut fields = vec!["finding".to_owned(), code.as_str().to_owned()];
    fields.extend([severity.as_str().to_owned(), message.clone()]);
    for optional in [help, policy] {
        fields.push(if optional.is_some() { "with" } else { "without" }.to_owned());
        fields.extend(optional.clone());
    }
    fields.extend(users.iter().map(ToString::to_string));
    fields
}

fn id(plan: &Plan, user: UserIndex) -> String {
    plan.directory.user(user).map_or_else(String::new, |user| user.id.to_string())
}

fn policy_name(plan: &Plan, policy: PolicyIndex) -> &str {
    plan.policy(policy).map_or("", |policy| policy.name.raw())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoFingerprint);
        }
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * place..2 * place + 2).ok_or(NoFingerprint)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NoFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_fingerprint_parses_and_partial_one_does_not() {
        let all: [u8; 32] = std::array::from_fn(|place| (place * 9) as u8);
        let text = Fingerprint(all).to_string();
        assert_eq!(text.parse(), Ok(Fingerprint(all)));
        assert_eq!(text.to_uppercase().parse(), Ok(Fingerprint(all)));
        for wrong in ["", "ab", &text[..63], &format!("{text}0"), &text.replace('f', "g")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NoFingerprint), "{wrong}");
        }
    }

    #[test]
    fn key_is_not_blank_and_never_printed() {
        assert!(Key::new(" \n").is_none());
        assert_eq!(format!("{:?}", Key::new("secret").unwrap()), "Key(…)");
    }
}
