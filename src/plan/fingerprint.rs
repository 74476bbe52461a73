//! A name for exactly this plan, so that approval can bind to it. Covers what is shown: the tenant,
//! values, ids, settings, origins and the texts of the policies.
//!
//! Without a key the values go in masked: a digest over numbers can be searched by trying them all.
//! With one they go in as they are, so that two plans that differ in a hidden digit differ.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use sha2::{Digest as _, Sha256};

use super::file::value::FullValue;
use super::{Plan, Purpose};
use crate::settings::Value;

/// SHA-256, or HMAC-SHA-256 with a key, over what a plan shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fingerprint([u8; 32]);

/// The text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, as `mfactl plan` prints it")]
pub struct NoFingerprint;

/// A key that only those have who may compare plans with their numbers.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// Takes any text that is not blank.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let blank = text.trim().is_empty();
        (!blank).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Fingerprint {
    /// The name of the plan, over full values where there is a key.
    #[must_use]
    pub fn of(plan: &Plan, key: Option<&Key>) -> Self {
        let mut text = match key {
            Some(Key(key)) => Text::Keyed(Box::new(hmac::Context::with_key(key))),
            None => Text::Plain(Sha256::new()),
        };
        text.line(&["tenant", &plan.identity.id.to_string()]);
        match &plan.purpose {
            Purpose::Policies => {}
            Purpose::Undo { run } => text.line(&["undo", run]),
        }
        for source in &plan.sources {
            text.line(&["file", &source.path, &source.digest]);
        }
        text.rows(plan);
        for finding in &plan.findings {
            text.line(&["finding", finding.code.as_str(), &finding.message]);
        }
        text.finish()
    }
}

/// Fields with their lengths before them, so that no two lists of fields read alike.
enum Text {
    Plain(Sha256),
    Keyed(Box<hmac::Context>),
}

impl Text {
    fn rows(&mut self, plan: &Plan) {
        let id =
            |index| plan.directory.user(index).map_or_else(String::new, |user| user.id.to_string());
        let place = |policy, setting| {
            plan.policy(policy)
                .and_then(|policy| policy.rule(setting))
                .map_or_else(String::new, |rule| rule.place.to_string())
        };
        for change in &plan.changes {
            let (before, after) = (self.value(change.before), self.value(change.after));
            let (who, place) = (id(change.user), place(change.policy, change.setting));
            self.line(&["change", &who, change.setting.key(), &before, &after, &place]);
        }
        for withheld in &plan.withheld {
            let (who, wanted) = (id(withheld.user), self.value(withheld.wanted));
            let code = withheld.reason.code().as_str();
            self.line(&["withheld", &who, withheld.setting.key(), &wanted, code]);
        }
        for change in &plan.reported {
            let (who, after) = (id(change.user), self.value(change.after));
            self.line(&["reported", &who, change.setting.key(), &after]);
        }
    }

    fn value(&self, value: Value) -> String {
        match self {
            Self::Plain(_) => value.to_string(),
            Self::Keyed(_) => {
                serde_json::to_string(&FullValue::from(value)).unwrap_or_else(|_| value.to_string())
            }
        }
    }

    fn line(&mut self, fields: &[&str]) {
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

    fn finish(self) -> Fingerprint {
        let mut bytes = [0; 32];
        match self {
            Self::Plain(digest) => bytes.copy_from_slice(&digest.finalize()),
            Self::Keyed(context) => bytes.copy_from_slice(context.sign().as_ref()),
        }
        Fingerprint(bytes)
    }
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
    fn a_fingerprint_is_read_as_it_is_printed_and_only_in_full() {
        let all: [u8; 32] = std::array::from_fn(|place| (place * 9) as u8);
        let text = Fingerprint(all).to_string();
        assert_eq!(text.parse(), Ok(Fingerprint(all)));
        assert_eq!(text.to_uppercase().parse(), Ok(Fingerprint(all)));
        for wrong in ["", "ab", &text[..63], &format!("{text}0"), &text.replace('f', "g")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NoFingerprint), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_not_blank_and_never_printed() {
        assert!(Key::new(" \n").is_none());
        assert_eq!(format!("{:?}", Key::new("secret").unwrap()), "Key(…)");
    }
}
