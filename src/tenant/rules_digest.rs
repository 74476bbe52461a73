//! Whether the rules of a tenant are the same as at another time: Conditional Access, security defaults, domains
//! and the authentication methods policy, as they are configured. Users who come and go change nothing.
//!
//! Not here: what the rules mean for a user (`demand`, `method_policy`).

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::demand::MfaRules;
use super::facts::Read;
use super::method_policy::Settings;

/// SHA-256 over the rules as they were read. A rule that could not be read is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulesDigest([u8; 32]);

impl RulesDigest {
    /// Returns the digest. Graph promises no order of policies, so their order does not count.
    #[must_use]
    pub fn of(rules: &MfaRules, settings: &Read<Settings>) -> Self {
        let MfaRules { conditional_access, security_defaults, domains, public_cloud } = rules;
        let mut policies: Vec<String> = match conditional_access {
            Read::Known(policies) => policies.iter().map(text).collect(),
            Read::Unknown(why) => vec![text(why)],
        };
        policies.sort_unstable();
        let rest = (security_defaults, domains, public_cloud);
        let parts = policies.into_iter().chain([text(&rest), text(settings)]);
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Display for RulesDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl serde::Serialize for RulesDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RulesDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * place..2 * place + 2).filter(|_| text.len() == 64);
            let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            *byte = read.ok_or_else(|| serde::de::Error::custom("a digest is 64 digits"))?;
        }
        Ok(Self(bytes))
    }
}

fn text(part: &impl serde::Serialize) -> String {
    // These types have no key that is not text, so this cannot fail.
    serde_json::to_string(part).unwrap_or_default()
}
