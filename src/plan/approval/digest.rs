//! The digests of an approval. Every one is keyed. With the key of fingerprints, nobody without it can test guesses,
//! and numbers are covered in full. Without it the key is the salt in the file, so a reader can test users and
//! masked numbers.
//!
//! Not here: what is compared (`check`, `bound`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::ApprovedChange;
use crate::id::UserId;
use crate::plan::Plan;
use crate::plan::fingerprint::Key;
use crate::plan::objects::ObjectChange;
use crate::settings::change::{Change, Mandate};
use crate::settings::full_value::FullValue;
use crate::settings::{Setting, Value};

/// The bytes of a digest. Two of a million changes are alike with a chance of one in 10^26.
const BYTES: usize = 16;

/// A random value that makes the digests of two approvals differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; BYTES]);

/// The first half of an HMAC-SHA-256. Its text is base64 for file names, without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalDigest([u8; BYTES]);

/// What the digests of one approval are made with.
#[derive(Debug, Clone)]
pub struct ApprovalKey {
    key: hmac::Key,
    /// Whether the digests cover numbers in full.
    is_secret: bool,
}

impl ApprovalKey {
    /// Returns the key of an approval with this salt. With a secret, only its holders can make the digests.
    #[must_use]
    pub fn new(salt: Salt, secret: Option<&Key>) -> Self {
        let key = match secret {
            Some(secret) => hmac::Key::new(hmac::HMAC_SHA256, &secret.derive("approval", &salt.0)),
            None => hmac::Key::new(hmac::HMAC_SHA256, &salt.0),
        };
        Self { key, is_secret: secret.is_some() }
    }

    /// Returns the digest of these fields. The length of each field comes before it, so that two lists of
    /// fields never give the same digest.
    #[must_use]
    pub fn digest(&self, fields: &[&str]) -> ApprovalDigest {
        let mut context = hmac::Context::with_key(&self.key);
        for field in fields {
            context.update(&(field.len() as u64).to_le_bytes());
            context.update(field.as_bytes());
        }
        let tag = context.sign();
        let mut bytes = [0; BYTES];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(byte, of_tag)| *byte = *of_tag);
        ApprovalDigest(bytes)
    }

    /// Returns the digest of a setting of a user.
    #[must_use]
    pub fn what(&self, user: UserId, setting: Setting) -> ApprovalDigest {
        self.digest(&["setting", &user.to_string(), setting.key()])
    }

    pub(super) fn change(&self, plan: &Plan, change: &Change) -> ApprovedChange {
        let Change { user, setting, before, after, policy, mandate } = change;
        let Mandate {
            exactly,
            names_role,
            settles_sms_sign_in,
            puts_back,
            // It is the order of writing, which other changes decide.
            goes_last: _,
            read_as,
        } = mandate;
        let id = plan.directory.user(*user).map(|user| user.id);
        let id = id.map_or_else(String::new, |id| id.to_string());
        let policy = plan.policy(*policy).map_or("", |policy| policy.name.raw());
        let flags = [exactly, names_role, settles_sms_sign_in, puts_back].map(ToString::to_string);
        let [exactly, names_role, settles, puts_back] = flags.each_ref().map(String::as_str);
        let read_as = read_as.map_or_else(String::new, |one| one.to_string());
        let (before, after) = (self.value(*before), self.value(*after));
        let of = ["change", &id, setting.key(), &before, &after, policy];
        let permitted = [exactly, names_role, settles, puts_back, &read_as];
        ApprovedChange {
            what: self.digest(&["setting", &id, setting.key()]),
            change: self.digest(&[&of[..], &permitted[..]].concat()),
        }
    }

    pub(super) fn object(&self, change: &ObjectChange) -> ApprovedChange {
        let ObjectChange {
            object,
            before,
            after,
            // A line of a file is no part of what is done.
            origin: _,
            // Users come and go; the counts of a plan show them.
            affected: _,
        } = change;
        let (before, after) = (before.to_string(), after.to_string());
        ApprovedChange {
            what: self.digest(&["object", object.key()]),
            change: self.digest(&["object change", object.key(), &before, &after]),
        }
    }

    fn value(&self, value: Value) -> String {
        let full = || serde_json::to_string(&FullValue::from(value)).ok();
        let full = self.is_secret.then(full).flatten();
        full.unwrap_or_else(|| value.to_string())
    }
}

impl Salt {
    /// Reads the text that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        bytes_of(text).map(Self)
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Display for ApprovalDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for ApprovalDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for ApprovalDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ApprovalDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("a digest is 22 letters and digits");
        bytes_of(&text).map(Self).ok_or_else(wrong)
    }
}

fn bytes_of(text: &str) -> Option<[u8; BYTES]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_depends_on_salt_secret_and_the_border_of_fields() {
        let secret = Key::new("sixteen bytes, or more").unwrap();
        let digest = |salt: u8, secret: Option<&Key>, fields: &[&str]| {
            ApprovalKey::new(Salt([salt; BYTES]), secret).digest(fields)
        };
        let one = digest(1, None, &["a", "b"]);
        assert_eq!(one, digest(1, None, &["a", "b"]));
        for other in [
            digest(2, None, &["a", "b"]),
            digest(1, Some(&secret), &["a", "b"]),
            digest(1, None, &["ab"]),
            digest(1, None, &["a", "b", ""]),
        ] {
            assert_ne!(one, other);
        }
        let read: ApprovalDigest = serde_json::from_str(&format!("\"{one}\"")).unwrap();
        assert_eq!(read, one);
        for wrong in ["\"\"", "\"AAAA\"", "\"AAAAAAAAAAAAAAAAAAAAA=\"", "7"] {
            assert!(serde_json::from_str::<ApprovalDigest>(wrong).is_err(), "{wrong}");
        }
    }
}
