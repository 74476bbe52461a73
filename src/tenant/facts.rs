//! The facts of one user: registered methods, per-user MFA state and preferences. Each is known, or unknown
//! with a reason.
//!
//! Not here: what the facts mean (`posture`).

use std::fmt;

use super::preferences::DefaultMethod;
use crate::number::PhoneNumber;

/// Why something is unknown. Unknown is never taken for absent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum UnknownReason {
    /// It was not read.
    NotRead,
    /// Graph refused with 403.
    Forbidden,
    /// The tenant has no licence for it.
    NotLicensed,
    /// Graph shows the number with its digits hidden.
    Masked,
    /// Graph did not answer, or the answer could not be parsed.
    Failed,
    /// The snapshot does not have it.
    NotRecorded,
}

/// A value that was read, or the reason why it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Read<T> {
    Known(T),
    Unknown(UnknownReason),
}

/// Per-user MFA state: `perUserMfaState` of `/authentication/requirements` (beta; Graph
/// documentation of strongAuthenticationRequirements, checked 2026-11).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum MfaState {
    Disabled,
    Enabled,
    Enforced,
}

/// A kind of authentication method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MethodKind {
    MobilePhone,
    AlternateMobilePhone,
    OfficePhone,
    Authenticator,
    SoftwareOath,
    HardwareOath,
    Passkey,
    Certificate,
    External,
    WindowsHello,
    PlatformCredential,
    /// A pass that can be used now.
    TemporaryAccessPass,
    Email,
    Password,
    QrCodePin,
    /// A method of a type that this program does not know.
    Unrecognised,
}

/// A set of kinds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Kinds(u16);

/// One of the three phones of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Phone {
    #[default]
    None,
    Number(PhoneNumber),
    /// Registered, but the number cannot be dialled.
    Undialable,
    Masked,
}

/// Whether SMS sign-in is on for the registered mobile phone: `smsSignInState` (Graph documentation of
/// phoneAuthenticationMethod, checked 2026-11).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum SmsSignIn {
    /// Not shown by Graph, or the phone is only planned.
    #[default]
    Unknown,
    Off,
    On,
    /// Off, because another user signs in with the number.
    Taken,
}

/// The registered methods of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Methods {
    pub mobile: Phone,
    pub alternate_mobile: Phone,
    pub office: Phone,
    // INVARIANT: a phone is in `kinds` exactly if its field is not `Phone::None`. `with_phone` keeps both.
    pub kinds: Kinds,
    /// SMS sign-in with the mobile phone.
    pub sms_sign_in: SmsSignIn,
}

/// Everything observed of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facts {
    pub methods: Read<Methods>,
    pub state: Read<MfaState>,
    /// Read only if a policy needs it.
    pub default_method: Read<Option<DefaultMethod>>,
    /// Read only if a policy needs it.
    pub system_preferred: Read<bool>,
}

impl Facts {
    pub const NOT_READ: Self = Self {
        methods: Read::Unknown(UnknownReason::NotRead),
        state: Read::Unknown(UnknownReason::NotRead),
        default_method: Read::Unknown(UnknownReason::NotRead),
        system_preferred: Read::Unknown(UnknownReason::NotRead),
    };

    /// These facts, and those of `other` where these are unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { methods, state, default_method, system_preferred } = self;
        Self {
            methods: methods.or(other.methods),
            state: state.or(other.state),
            default_method: default_method.or(other.default_method),
            system_preferred: system_preferred.or(other.system_preferred),
        }
    }
}

impl<T> Read<T> {
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why the value is unknown, or `None` if it is known.
    pub const fn unknown(&self) -> Option<UnknownReason> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(*why),
        }
    }

    /// This value, or the other one if this one is unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.known().is_some() { self } else { other }
    }

    pub const fn as_ref(&self) -> Read<&T> {
        match self {
            Self::Known(value) => Read::Known(value),
            Self::Unknown(why) => Read::Unknown(*why),
        }
    }

    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::Known(value) => Read::Known(f(value)),
            Self::Unknown(why) => Read::Unknown(why),
        }
    }
}

impl UnknownReason {
    /// The reason as a clause.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NotRead => "it was not read",
            Self::Forbidden => "Graph refused (403)",
            Self::NotLicensed => "the tenant has no licence for it",
            Self::Masked => "Graph hides its digits from this identity",
            Self::Failed => "Graph did not give a readable answer",
            Self::NotRecorded => "the snapshot does not have it",
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRead => "notRead",
            Self::Forbidden => "forbidden",
            Self::NotLicensed => "notLicensed",
            Self::Masked => "masked",
            Self::Failed => "failed",
            Self::NotRecorded => "notRecorded",
        }
    }
}

impl MfaState {
    /// The word in Graph and in policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enforced => "enforced",
        }
    }
}

impl fmt::Display for MfaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MethodKind {
    pub const ALL: [Self; 16] = [
        Self::MobilePhone,
        Self::AlternateMobilePhone,
        Self::OfficePhone,
        Self::Authenticator,
        Self::SoftwareOath,
        Self::HardwareOath,
        Self::Passkey,
        Self::Certificate,
        Self::External,
        Self::WindowsHello,
        Self::PlatformCredential,
        Self::TemporaryAccessPass,
        Self::Email,
        Self::Password,
        Self::QrCodePin,
        Self::Unrecognised,
    ];

    /// The word in policies.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MobilePhone => "mobilePhone",
            Self::AlternateMobilePhone => "alternateMobilePhone",
            Self::OfficePhone => "officePhone",
            Self::Authenticator => "authenticator",
            Self::SoftwareOath => "softwareOath",
            Self::HardwareOath => "hardwareOath",
            Self::Passkey => "passkey",
            Self::Certificate => "certificate",
            Self::External => "external",
            Self::WindowsHello => "windowsHello",
            Self::PlatformCredential => "platformCredential",
            Self::TemporaryAccessPass => "temporaryAccessPass",
            Self::Email => "email",
            Self::Password => "password",
            Self::QrCodePin => "qrCodePin",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// The name in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MobilePhone => "mobile phone",
            Self::AlternateMobilePhone => "alternate mobile phone",
            Self::OfficePhone => "office phone",
            Self::Authenticator => "Authenticator",
            Self::SoftwareOath => "software OATH token",
            Self::HardwareOath => "hardware OATH token",
            Self::Passkey => "passkey",
            Self::Certificate => "certificate",
            Self::External => "external method",
            Self::WindowsHello => "Windows Hello",
            Self::PlatformCredential => "platform credential",
            Self::TemporaryAccessPass => "temporary access pass",
            Self::Email => "e-mail",
            Self::Password => "password",
            Self::QrCodePin => "QR code and PIN",
            Self::Unrecognised => "a method of an unknown kind",
        }
    }
}

impl Kinds {
    /// The kinds in the set.
    pub fn iter(self) -> impl Iterator<Item = MethodKind> {
        MethodKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    #[must_use]
    pub const fn with(self, kind: MethodKind) -> Self {
        Self(self.0 | (1 << kind as u16))
    }

    #[must_use]
    pub const fn has(self, kind: MethodKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    #[must_use]
    pub const fn without(self, kind: MethodKind) -> Self {
        Self(self.0 & !(1 << kind as u16))
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether both sets have a kind in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether anything is registered that Entra counts as a second factor.
    #[must_use]
    pub const fn has_second_factor(self) -> bool {
        const NEVER: Kinds =
            Kinds(0).with(MethodKind::Email).with(MethodKind::Password).with(MethodKind::QrCodePin);
        self.0 & !NEVER.0 != 0
    }
}

impl FromIterator<MethodKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = MethodKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}

impl Methods {
    /// The phone of this kind, if the kind is a phone.
    #[must_use]
    pub const fn phone(&self, kind: MethodKind) -> Phone {
        match kind {
            MethodKind::MobilePhone => self.mobile,
            MethodKind::AlternateMobilePhone => self.alternate_mobile,
            MethodKind::OfficePhone => self.office,
            _ => Phone::None,
        }
    }

    /// These methods with this number as mobile phone.
    #[must_use]
    pub const fn with_mobile(self, number: PhoneNumber) -> Self {
        self.with_phone(MethodKind::MobilePhone, Phone::Number(number))
    }

    /// These methods with this phone. SMS sign-in with a new mobile phone is unknown. If the kind is not a
    /// phone, nothing changes.
    #[must_use]
    pub const fn with_phone(mut self, kind: MethodKind, phone: Phone) -> Self {
        match kind {
            MethodKind::MobilePhone => {
                self.mobile = phone;
                self.sms_sign_in = SmsSignIn::Unknown;
            }
            MethodKind::AlternateMobilePhone => self.alternate_mobile = phone,
            MethodKind::OfficePhone => self.office = phone,
            _ => return self,
        }
        self.kinds = match phone {
            Phone::None => self.kinds.without(kind),
            _ => self.kinds.with(kind),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_million_users_fit() {
        assert!(size_of::<Facts>() <= 64, "{} bytes", size_of::<Facts>());
    }
}
