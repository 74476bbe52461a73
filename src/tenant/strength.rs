//! The ways to answer an MFA prompt, and which of them an authentication strength accepts.
//!
//! Not here: whether a user has a method (`facts`), or may use it (`method_policy`).

use super::user_set::Tristate;

/// A way to answer an MFA prompt.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum Way {
    Sms,
    /// A call to a mobile or alternate mobile phone.
    Voice,
    /// A call to an office phone, which has its own switch in the method policy.
    OfficeVoice,
    Authenticator,
    SoftwareOath,
    HardwareOath,
    Passkey,
    Certificate,
    External,
    WindowsHello,
    PlatformCredential,
    TemporaryAccessPass,
    /// A method that this program does not know.
    Unrecognised,
}

/// The ways that an MFA requirement accepts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Accepted {
    sure: u16,
    /// Includes the ways in `sure`.
    possible: u16,
    /// Whether the user must also pass a control outside Entra, such as a custom control. A person who only
    /// knows the password must pass it too. False in plans saved by older versions, which did not record it.
    #[serde(default)]
    foreign: bool,
}

impl Accepted {
    /// Any second factor.
    pub const ANY: Self = Self { sure: u16::MAX, possible: u16::MAX, foreign: false };

    /// Unknown ways.
    pub const UNKNOWN: Self = Self { sure: 0, possible: u16::MAX, foreign: false };

    /// The ways that the allowed combinations of a strength accept. A `restricted` combination is accepted
    /// only from some devices or issuers (Graph documentation of authenticationMethodModes and
    /// authenticationStrengthPolicy, v1.0, checked 2026-11). No combination contains external methods.
    #[must_use]
    pub fn by_combinations<'a>(
        allowed: impl IntoIterator<Item = &'a str>,
        restricted: impl Fn(&str) -> bool,
    ) -> Self {
        let mut accepted = Self { sure: 0, possible: bit(Way::Unrecognised), foreign: false };
        for combination in allowed {
            let (sure, possible) = taken(combination);
            accepted.possible |= sure | possible;
            if !restricted(combination) {
                accepted.sure |= sure;
            }
        }
        accepted
    }

    /// The same, with a control outside Entra in addition.
    #[must_use]
    pub const fn and_foreign(self) -> Self {
        Self { foreign: true, ..self }
    }

    #[must_use]
    pub const fn is_foreign(self) -> bool {
        self.foreign
    }

    /// Only what Entra itself requires.
    #[must_use]
    pub const fn own(self) -> Self {
        Self { foreign: false, ..self }
    }

    #[must_use]
    pub const fn takes(self, way: Way) -> Tristate {
        match () {
            () if self.sure & bit(way) != 0 && !self.foreign => Tristate::Yes,
            () if self.possible & bit(way) != 0 => Tristate::Unknown,
            () => Tristate::No,
        }
    }
}

const fn bit(way: Way) -> u16 {
    1 << way as u16
}

/// Returns the ways that one combination accepts: for certain, and perhaps. Combinations with a federated
/// factor are for users of federated domains, whose requirement is decided elsewhere.
fn taken(combination: &str) -> (u16, u16) {
    let mut factors = combination.split(',').map(str::trim).filter(|word| *word != "password");
    let (Some(factor), rest) = (factors.next(), factors.next()) else { return (0, 0) };
    if combination.contains("federated") {
        return (0, 0);
    }
    let (sure, possible) = match factor {
        "sms" => (bit(Way::Sms), 0),
        "voice" => (bit(Way::Voice) | bit(Way::OfficeVoice), 0),
        // The Authenticator can also show one-time codes, but Graph does not show for which users.
        "softwareOath" => (bit(Way::SoftwareOath), bit(Way::Authenticator)),
        "hardwareOath" => (bit(Way::HardwareOath), 0),
        "microsoftAuthenticatorPush" => (bit(Way::Authenticator), 0),
        // Only if it was set up for passwordless sign-in.
        "deviceBasedPush" => (0, bit(Way::Authenticator)),
        "fido2" => (bit(Way::Passkey), 0),
        "windowsHelloForBusiness" => (bit(Way::WindowsHello) | bit(Way::PlatformCredential), 0),
        "x509CertificateMultiFactor" => (bit(Way::Certificate), 0),
        // A certificate can count as one factor or as two.
        "x509CertificateSingleFactor" => (0, bit(Way::Certificate)),
        "temporaryAccessPassOneTime" | "temporaryAccessPassMultiUse" => {
            (bit(Way::TemporaryAccessPass), 0)
        }
        "email" | "qrCodePin" => (0, 0),
        _ => (0, u16::MAX),
    };
    // If the combination needs a second factor as well, one of them is not enough.
    if rest.is_some() { (0, sure | possible) } else { (sure, possible) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Tristate::{No, Unknown, Yes};

    #[test]
    fn combinations_accept_their_ways() {
        for (allowed, restricted, way, expected) in [
            ("fido2", "", Way::Passkey, Yes),
            ("fido2", "fido2", Way::Passkey, Unknown),
            ("fido2", "", Way::Sms, No),
            ("fido2", "", Way::External, No),
            ("password,sms", "", Way::Sms, Yes),
            ("password,sms", "", Way::Voice, No),
            ("password,voice", "", Way::OfficeVoice, Yes),
            ("deviceBasedPush", "", Way::Authenticator, Unknown),
            ("password,microsoftAuthenticatorPush", "", Way::Authenticator, Yes),
            ("sms,federatedSingleFactor", "", Way::Sms, No),
            ("federatedMultiFactor", "", Way::Passkey, No),
            ("password", "", Way::Passkey, No),
            ("windowsHelloForBusiness", "", Way::PlatformCredential, Yes),
            ("x509CertificateSingleFactor,fido2", "", Way::Certificate, Unknown),
            ("somethingNew", "", Way::External, Unknown),
            ("fido2", "", Way::Unrecognised, Unknown),
        ] {
            let accepted = Accepted::by_combinations([allowed], |one| one == restricted);
            assert_eq!(accepted.takes(way), expected, "{allowed} {way:?}");
        }
    }
}
