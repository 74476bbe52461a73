//! What the facts of a user mean at sign-in: is MFA demanded, can the user answer, and so are they
//! protected, open, stuck or unprotected. Three-valued: what is not known stays unknown.
//!
//! Not here: what should be done about it (`plan::guard`). Demand is per-user MFA alone for now:
//! Conditional Access and security defaults are not read, and every plan says so.

use crate::number::PhoneNumber;
use crate::tenant::facts::{Facts, Kind, Methods, MfaState, Phone, Read};
use crate::tenant::method_policy::{Allowed, MethodPolicy};

/// Yes, no, or nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judged {
    Yes,
    No,
    Unknown,
}

/// How a user stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Posture {
    /// MFA is demanded and the user can answer.
    Protected,
    /// MFA is demanded and nothing registered could answer: who has the password registers first.
    Open,
    /// MFA is demanded, something is registered, and none of it can answer.
    Stuck,
    /// A password is enough.
    Unprotected,
    Unknown,
}

/// What the registered methods of a user come to when MFA is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// At least one can answer.
    Can,
    /// Nothing is there that counts: the next who signs in registers.
    Nothing,
    /// Something is there, allowed, and cannot answer.
    Cannot,
    Unknown,
}

/// Whether one method can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usable {
    Yes,
    /// As if it were not registered.
    Absent,
    /// Allowed, and nothing reaches the user by it.
    Undeliverable,
    /// Works for its owner on one device or for a while, and so keeps nobody else from registering.
    Bound,
    Unknown,
}

/// Whether MFA is demanded of the user.
#[must_use]
pub const fn demanded(facts: &Facts) -> Judged {
    match &facts.state {
        Read::Known(MfaState::Enabled | MfaState::Enforced) => Judged::Yes,
        Read::Known(MfaState::Disabled) => Judged::No,
        Read::Unknown(_) => Judged::Unknown,
    }
}

/// Whether the user could answer a demand for MFA.
#[must_use]
pub fn answer(facts: &Facts, policy: &MethodPolicy) -> Answer {
    let Read::Known(methods) = &facts.methods else {
        return Answer::Unknown;
    };
    let mut best = Answer::Nothing;
    for usable in judge_all(methods, policy) {
        best = match (best, usable) {
            (_, Usable::Yes) => return Answer::Can,
            (_, Usable::Unknown) | (Answer::Unknown, _) => Answer::Unknown,
            (best, Usable::Absent) => best,
            // What is bound to a device or a while keeps its owner from being stuck, and nobody
            // else from registering: that is open.
            (_, Usable::Bound) => Answer::Nothing,
            (Answer::Nothing, Usable::Undeliverable) => Answer::Cannot,
            (best, Usable::Undeliverable) => best,
        };
    }
    best
}

/// How the user stands.
#[must_use]
pub fn posture(facts: &Facts, policy: &MethodPolicy) -> Posture {
    match demanded(facts) {
        Judged::No => Posture::Unprotected,
        Judged::Unknown => Posture::Unknown,
        Judged::Yes => match answer(facts, policy) {
            Answer::Can => Posture::Protected,
            Answer::Nothing => Posture::Open,
            Answer::Cannot => Posture::Stuck,
            Answer::Unknown => Posture::Unknown,
        },
    }
}

/// Every registered method, those that only help their owner last.
fn judge_all(methods: &Methods, policy: &MethodPolicy) -> impl Iterator<Item = Usable> {
    let phones = [
        phone(methods.mobile, policy.sms, policy.voice),
        phone(methods.alternate_mobile, Allowed::No, policy.voice),
        phone(methods.office, Allowed::No, policy.office_voice),
    ];
    let by_policy = [
        (Kind::Authenticator, policy.authenticator),
        (Kind::SoftwareOath, policy.software_oath),
        (Kind::HardwareOath, policy.hardware_oath),
        (Kind::Passkey, policy.passkey),
        (Kind::Certificate, policy.certificate),
        (Kind::External, policy.external),
        // A method of a type that nobody here knows may or may not answer.
        (Kind::Unrecognised, Allowed::Unsaid),
    ];
    let bound = [Kind::WindowsHello, Kind::PlatformCredential, Kind::TemporaryAccessPass];
    let kinds = methods.kinds;
    phones
        .into_iter()
        .chain(by_policy.into_iter().filter(move |(kind, _)| kinds.has(*kind)).map(
            |(_, allowed)| match allowed {
                Allowed::Yes => Usable::Yes,
                Allowed::No => Usable::Absent,
                Allowed::Unsaid => Usable::Unknown,
            },
        ))
        .chain(bound.into_iter().filter(move |kind| kinds.has(*kind)).map(|_| Usable::Bound))
}

fn phone(phone: Phone, sms: Allowed, voice: Allowed) -> Usable {
    let texted = |number: PhoneNumber| sms == Allowed::Yes && number.can_receive_text();
    let called = voice == Allowed::Yes;
    match phone {
        Phone::None => Usable::Absent,
        _ if sms == Allowed::No && voice == Allowed::No => Usable::Absent,
        Phone::Number(number) if number.is_valid() && (texted(number) || called) => Usable::Yes,
        Phone::Number(number) if !number.is_valid() => Usable::Undeliverable,
        // A line that takes no text, where only text is allowed.
        Phone::Number(number) if voice == Allowed::No && !number.can_receive_text() => {
            Usable::Undeliverable
        }
        Phone::Undialable => Usable::Undeliverable,
        Phone::Number(_) | Phone::Masked => Usable::Unknown,
    }
}

impl Posture {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Open => "open",
            Self::Stuck => "stuck",
            Self::Unprotected => "unprotected",
            Self::Unknown => "unknown",
        }
    }
}
