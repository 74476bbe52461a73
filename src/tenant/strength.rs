//! The ways to answer a demand for MFA, and which of them an authentication strength takes.
//!
//! Not here: whether a user has one (`facts`), or may use it (`method_policy`).

use super::crowd::Judged;

/// A way to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Way {
    Sms,
    /// A call to a mobile or alternate mobile phone.
    Voice,
    /// A call to an office phone, which has a switch of its own.
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

/// What a demand takes for an answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Accepted {
    sure: u16,
    /// Holds those that are sure as well.
    possible: u16,
    /// Something that Entra does not know must be answered besides, by whoever knows the password as
    /// well. Plans saved before that was told apart have none.
    #[serde(default)]
    foreign: bool,
}

impl Accepted {
    /// Any second factor.
    pub const ANY: Self = Self { sure: u16::MAX, possible: u16::MAX, foreign: false };

    /// Nobody knows what.
    pub const UNKNOWN: Self = Self { sure: 0, possible: u16::MAX, foreign: false };

    /// What the allowed combinations of a strength take. Those that are `restricted` are taken from
    /// some devices or issuers only (Graph documentation of authenticationMethodModes and
    /// authenticationStrengthPolicy, v1.0, checked 2026-11). External methods are in no combination.
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

    /// The same where something must be answered besides that Entra does not know.
    #[must_use]
    pub const fn and_foreign(self) -> Self {
        Self { foreign: true, ..self }
    }

    #[must_use]
    pub const fn is_foreign(self) -> bool {
        self.foreign
    }

    /// What of it Entra itself asks for.
    #[must_use]
    pub const fn own(self) -> Self {
        Self { foreign: false, ..self }
    }

    #[must_use]
    pub const fn takes(self, way: Way) -> Judged {
        match () {
            () if self.sure & bit(way) != 0 && !self.foreign => Judged::Yes,
            () if self.possible & bit(way) != 0 => Judged::Unknown,
            () => Judged::No,
        }
    }
}

const fn bit(way: Way) -> u16 {
    1 << way as u16
}

/// What one combination takes: for sure, and perhaps. Combinations with a federated factor are for
/// users of federated domains, who are asked elsewhere.
fn taken(combination: &str) -> (u16, u16) {
    let mut factors = combination.split(',').map(str::trim).filter(|word| *word != "password");
    let (Some(factor), rest) = (factors.next(), factors.next()) else { return (0, 0) };
    if combination.contains("federated") {
        return (0, 0);
    }
    let (sure, possible) = match factor {
        "sms" => (bit(Way::Sms), 0),
        "voice" => (bit(Way::Voice) | bit(Way::OfficeVoice), 0),
        // Its one-time code may be what is meant; which apps give one is not shown.
        "softwareOath" => (bit(Way::SoftwareOath), bit(Way::Authenticator)),
        "hardwareOath" => (bit(Way::HardwareOath), 0),
        "microsoftAuthenticatorPush" => (bit(Way::Authenticator), 0),
        // Only where it was set up for signing in without a password.
        "deviceBasedPush" => (0, bit(Way::Authenticator)),
        "fido2" => (bit(Way::Passkey), 0),
        "windowsHelloForBusiness" => (bit(Way::WindowsHello) | bit(Way::PlatformCredential), 0),
        "x509CertificateMultiFactor" => (bit(Way::Certificate), 0),
        // A certificate can be bound as one factor or as two.
        "x509CertificateSingleFactor" => (0, bit(Way::Certificate)),
        "temporaryAccessPassOneTime" | "temporaryAccessPassMultiUse" => {
            (bit(Way::TemporaryAccessPass), 0)
        }
        "email" | "qrCodePin" => (0, 0),
        _ => (0, u16::MAX),
    };
    // With a second factor beside it, having one of them is not enough.
    if rest.is_some() { (0, sure | possible) } else { (sure, possible) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Judged::{No, Unknown, Yes};

    #[test]
    fn combinations_say_what_they_take() {
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
