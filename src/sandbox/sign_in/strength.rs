//! Authentication strengths: which ways of answering a policy accepts.
//!
//! Combination configurations (which make of passkey, which certificate issuer) are not judged.

use uuid::Uuid;

use super::super::records::{Document, TenantDocuments};
use super::{id, items, text};

/// How somebody answers, in the words of `allowedCombinations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Sms,
    Voice,
    AuthenticatorPush,
    /// Phone sign-in of the Authenticator, without a password.
    DeviceBasedPush,
    Fido2,
    SoftwareOath,
    HardwareOath,
    /// Windows Hello, and its like on other platforms: strengths know one word for both.
    DeviceCredential,
    TemporaryPassOnce,
    TemporaryPassMany,
    /// A provider of the tenant's own choice; no strength has a word for it.
    External,
}

impl Mode {
    fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::AuthenticatorPush => "microsoftAuthenticatorPush",
            Self::DeviceBasedPush => "deviceBasedPush",
            Self::Fido2 => "fido2",
            Self::SoftwareOath => "softwareOath",
            Self::HardwareOath => "hardwareOath",
            Self::DeviceCredential => "windowsHelloForBusiness",
            Self::TemporaryPassOnce => "temporaryAccessPassOneTime",
            Self::TemporaryPassMany => "temporaryAccessPassMultiUse",
            Self::External => return None,
        })
    }
}

/// A strength that demands MFA.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Strength {
    combinations: Vec<String>,
}

impl Strength {
    /// The strength that a policy's `authenticationStrength` names; `None` where what it names is
    /// satisfied without MFA, or unknown to the tenant and not spelt out.
    pub(super) fn demanding_mfa(named: &Document, tenant: &TenantDocuments) -> Option<Self> {
        let stored = |wanted: Uuid| {
            let mut all = tenant.authentication_strengths.iter();
            all.find(|one| id(one, "id") == Some(wanted))
        };
        let strength = id(named, "id").and_then(stored).unwrap_or(named);
        let satisfied = text(strength, "requirementsSatisfied")?;
        satisfied.split(',').any(|one| one.trim() == "mfa").then(|| Self {
            combinations: items(strength, "allowedCombinations")
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// Whether an allowed combination has this mode in it; the password beside it is always there.
    pub(super) fn allows(&self, mode: Mode) -> bool {
        mode.word().is_some_and(|word| {
            self.combinations
                .iter()
                .any(|combination| combination.split(',').any(|part| part.trim() == word))
        })
    }
}
