//! What replaces users and numbers in a snapshot. All of it comes from a secret key, which nobody needs
//! again: with a random key, nobody can test guesses, and two snapshots cannot be compared.
//!
//! Users that the files name must be found again without the key. Their names are digested slowly, with a salt: a
//! reader of the files knows these names anyway.
//!
//! Not here: pseudonyms in outputs (`disclose`).

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use ring::{hmac, pbkdf2};
use uuid::{Builder, Uuid};

use crate::id::UserId;
use crate::number::NumberClass;
use crate::tenant::domains::domain_of;
use crate::untrusted::Untrusted;

/// The bytes of a key, at least.
pub const KEY_BYTES: usize = 16;

/// The rounds of a digest of a name. A hundred names take less than a second.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

/// The key of a snapshot.
#[derive(Clone)]
pub struct RecordingKey {
    key: hmac::Key,
    keeps_names: bool,
}

/// The salt of the digests of names in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct PersonSalt(pub Uuid);

/// A digest of the name or id of a user that the files name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct PersonDigest(Uuid);

impl fmt::Debug for RecordingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingKey(…)")
    }
}

impl RecordingKey {
    /// Creates the key. With `keeps_names`, users keep their ids and names; numbers are hidden all the same.
    #[must_use]
    pub fn new(secret: &[u8], keeps_names: bool) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), keeps_names }
    }

    #[must_use]
    pub const fn keeps_names(&self) -> bool {
        self.keeps_names
    }

    #[must_use]
    pub fn id(&self, user: UserId) -> UserId {
        if self.keeps_names {
            return user;
        }
        let tag = self.tag("user", user.as_uuid().as_bytes());
        UserId::from_uuid(Builder::from_custom_bytes(tag).into_uuid())
    }

    #[must_use]
    pub(super) fn class(&self, number: &str) -> NumberClass {
        // With one key, a snapshot with names must not name the rows of one without.
        let what = if self.keeps_names { "number of a name" } else { "number" };
        NumberClass(u64::from_le_bytes(first(&self.tag(what, number.as_bytes()))))
    }

    /// Returns what is kept of a name: all of it, or the domain, which decides where the user signs in.
    pub(super) fn name(&self, name: &Untrusted) -> NameRecord {
        match (self.keeps_names, domain_of(name.raw())) {
            (true, _) => NameRecord::Kept(name.clone()),
            (false, Some(domain)) => NameRecord::Domain(domain.into_owned()),
            (false, None) => NameRecord::Hidden,
        }
    }

    fn tag(&self, what: &str, text: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(what.as_bytes());
        context.update(&[0]);
        context.update(text);
        first(context.sign().as_ref())
    }
}

/// Returns the first bytes of a longer text.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    taken.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    taken
}

/// What is kept of the name of a user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NameRecord {
    Kept(Untrusted),
    Domain(String),
    /// Graph shows only the id.
    Hidden,
}

impl NameRecord {
    /// Returns the name of the user with this id in a snapshot.
    pub(super) fn of(self, id: UserId) -> Untrusted {
        match self {
            Self::Kept(name) => name,
            Self::Hidden => id.to_string().into(),
            Self::Domain(domain) => {
                let short: String = id.as_uuid().simple().to_string().chars().take(16).collect();
                format!("u-{short}@{domain}").into()
            }
        }
    }
}

impl PersonSalt {
    #[must_use]
    pub fn digest(self, word: &str) -> PersonDigest {
        let mut out = [0; 16];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, ROUNDS, self.0.as_bytes(), word.as_bytes(), &mut out);
        PersonDigest(Uuid::from_bytes(out))
    }
}

/// Digests that were made already, because each takes a while.
#[derive(Debug)]
pub(super) struct Digests {
    salt: PersonSalt,
    made: BTreeMap<String, PersonDigest>,
}

impl Digests {
    pub(super) const fn new(salt: PersonSalt) -> Self {
        Self { salt, made: BTreeMap::new() }
    }

    pub(super) fn of(&mut self, word: &str) -> PersonDigest {
        let salt = self.salt;
        *self.made.entry(word.to_owned()).or_insert_with(|| salt.digest(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_the_key() {
        let id: UserId = "6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61".parse().unwrap();
        let [one, other] = [b"one secret of 16", b"another 16 bytes"]
            .map(|secret| RecordingKey::new(secret, false));
        assert_eq!(one.id(id), one.id(id));
        assert_ne!(one.id(id), other.id(id));
        assert_ne!(one.id(id), id);
        assert_eq!(RecordingKey::new(b"one secret of 16", true).id(id), id);
        assert_ne!(one.class("+31 612345678").0, other.class("+31 612345678").0);
        let name = one.name(&"J.Brown@Exchangelabs.nl".into()).of(one.id(id));
        let (short, domain) = name.raw().split_once('@').unwrap();
        assert_eq!((short.len(), domain), (18, "exchangelabs.nl"));
    }
}
