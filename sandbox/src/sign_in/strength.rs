//! Authentication strengths: the ways to answer that a policy accepts.
//!
//! Combination configurations (the make of a passkey, the issuer of a certificate) are ignored.
//!
//! Not here: the policies that require a strength (`demand`).

use uuid::Uuid;

use super::super::records::{Document, TenantDocuments};
use super::evidence::{id, items, text};

/// A way to answer the MFA prompt, as `allowedCombinations` distinguishes them.
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
    /// Windows Hello, or the same on other platforms: strengths have one word for both.
    DeviceCredential,
    TemporaryPassOnce,
    TemporaryPassMany,
    /// An external provider that the tenant chose; strengths have no word for it.
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

/// A strength that requires MFA.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Strength {
    combinations: Vec<String>,
}

impl Strength {
    /// The strength that a policy's `authenticationStrength` names. `None` if the strength is
    /// satisfied without MFA, or if the tenant does not have it and the policy does not spell it out.
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

    /// Whether an allowed combination contains this mode. The other part of a combination, such as the
    /// password, counts as given.
    pub(super) fn allows(&self, mode: Mode) -> bool {
        mode.word().is_some_and(|word| {
            self.combinations
                .iter()
                .any(|combination| combination.split(',').any(|part| part.trim() == word))
        })
    }
}
