//! Computes from the facts of a user what happens at sign-in: whether MFA is required, whether the user
//! can answer, and from both the posture. All results have three values: unknown stays unknown.
//!
//! Not here: where MFA is required of a user (`tenant::demand`), which methods are allowed
//! (`tenant::method_policy`), or what to do about a posture (`plan::guard`).

mod preference;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::number::PhoneNumber;
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::{MfaRequirements, SignIn};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MethodKind, Methods, Phone, Read};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::strength::{Accepted, Way};
use crate::tenant::user_set::Tristate;

/// The posture of a user.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Posture {
    /// MFA is required and the user can answer.
    Protected,
    /// MFA is required and no method counts: the next person with the password can register their own.
    Open,
    /// MFA is required, methods are registered, and none of them works: the account is locked out.
    Stuck,
    /// A password is enough for mail and files, even if the admin portals require MFA.
    Unprotected,
    Unknown,
}

/// Whether the registered methods of a user can answer an MFA prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MethodVerdict {
    /// At least one can answer.
    Can,
    /// No method counts: the next person who signs in can register one.
    Nothing,
    /// A method is registered and allowed, but none can answer.
    Cannot,
    Unknown,
}

/// Whether one method can answer an MFA prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usable {
    Yes,
    /// The method counts as not registered.
    Absent,
    /// The method is allowed but does not work: nothing is delivered to it, or a required authentication
    /// strength does not accept it.
    Useless,
    /// The method works for its owner on one device or for a limited time. It does not prevent another
    /// person from registering a method.
    Bound,
    Unknown,
    /// The method is never a second factor: e-mail, a password, a code on paper.
    Never,
}

/// The rules of one tenant on one day, to evaluate its users.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    pub method_policy: &'a MethodPolicy,
    pub demand: &'a MfaRequirements,
    pub delivery: Delivery,
    pub today: Date,
}

impl Judge<'_> {
    /// Whether MFA is required of the user anywhere, even if only at the admin portals.
    #[must_use]
    pub fn demanded(&self, user: UserIndex, facts: &Facts) -> Tristate {
        self.demand.of(user, facts.state, SignIn::Portals)
    }

    /// Whether MFA is required at the admin portals and nowhere else.
    #[must_use]
    pub fn portals_only(&self, user: UserIndex, facts: &Facts) -> Tristate {
        let elsewhere = self.demand.of(user, facts.state, SignIn::Ordinary);
        self.demanded(user, facts).and(elsewhere.not())
    }

    /// Whether a password is certainly enough for mail and files although the admin portals require MFA.
    /// Users who are open are not included: for them, a password is enough for the portals as well.
    #[must_use]
    pub fn is_open_to_a_password(&self, user: UserIndex, facts: &Facts) -> bool {
        self.portals_only(user, facts) == Tristate::Yes
            && self.posture(user, facts) != Posture::Open
    }

    /// Whether the user could answer an MFA prompt with every authentication strength that is required of
    /// them anywhere. Guards use this.
    #[must_use]
    pub fn answer(&self, user: UserIndex, facts: &Facts) -> MethodVerdict {
        self.answer_at(user, facts, SignIn::Portals)
    }

    /// Whether the user could answer an MFA prompt at such a sign-in, with every authentication strength
    /// that is required of them there.
    fn answer_at(&self, user: UserIndex, facts: &Facts, at: SignIn) -> MethodVerdict {
        let Read::Known(methods) = &facts.methods else {
            return MethodVerdict::Unknown;
        };
        if self.demand.is_elsewhere(user) {
            return MethodVerdict::Unknown;
        }
        let (mut worst, has_none) = self.answer_to(Accepted::ANY, user, methods);
        // It is unknown whether another person gets past a requirement that Entra does not know.
        let is_foreign = || self.demand.strengths(user, at).any(|(one, _)| one.is_foreign());
        if has_none && self.delivered(user) == Tristate::Yes {
            // A method that is not allowed does not satisfy a strength either.
            return if is_foreign() { MethodVerdict::Unknown } else { worst };
        }
        for (accepts, demanded) in self.demand.strengths(user, at) {
            worst = match (worst, self.answer_to(accepts, user, methods).0, demanded) {
                (MethodVerdict::Cannot, _, _) => return worst,
                // A bound method is registered, and does not satisfy this strength.
                (MethodVerdict::Nothing, MethodVerdict::Cannot, Tristate::Yes) => {
                    MethodVerdict::Cannot
                }
                (MethodVerdict::Nothing, _, _) => MethodVerdict::Nothing,
                (worst, MethodVerdict::Can, _) => worst,
                (_, answer, Tristate::Yes) => answer,
                _ => MethodVerdict::Unknown,
            };
        }
        if worst == MethodVerdict::Nothing && is_foreign() { MethodVerdict::Unknown } else { worst }
    }

    /// Whether an authentication strength that does not accept phones is required of the user.
    #[must_use]
    pub fn refuses_phones(&self, user: UserIndex) -> Tristate {
        self.demand.strengths(user, SignIn::Portals).fold(
            Tristate::No,
            |refuses, (accepts, demanded)| {
                let own = accepts.own();
                let taken = own.takes(Way::Sms).or(own.takes(Way::Voice));
                let here = match (demanded, taken) {
                    (Tristate::No, _) | (_, Tristate::Yes) => Tristate::No,
                    (Tristate::Yes, Tristate::No) => Tristate::Yes,
                    _ => Tristate::Unknown,
                };
                refuses.or(here)
            },
        )
    }

    /// Returns the posture of the user. A requirement at the admin portals alone does not protect the
    /// user, because a password is still enough for mail and files. But the first person who signs in at
    /// the portals can register a method, and a user who cannot answer there is locked out of them. So
    /// such a requirement can make a user open or stuck.
    #[must_use]
    pub fn posture(&self, user: UserIndex, facts: &Facts) -> Posture {
        let demanded = self.demand.of(user, facts.state, SignIn::Ordinary);
        let ordinary = match demanded {
            Tristate::No => Posture::Unprotected,
            Tristate::Unknown => Posture::Unknown,
            Tristate::Yes => match self.answer_at(user, facts, SignIn::Ordinary) {
                MethodVerdict::Can => Posture::Protected,
                MethodVerdict::Nothing => Posture::Open,
                MethodVerdict::Cannot => Posture::Stuck,
                MethodVerdict::Unknown => Posture::Unknown,
            },
        };
        let is_settled = matches!(ordinary, Posture::Open | Posture::Stuck)
            || demanded == Tristate::Yes && !self.demand.is_stricter_at_portals(user);
        let at_portals = if is_settled { Tristate::No } else { self.demanded(user, facts) };
        match at_portals {
            Tristate::No => ordinary,
            demanded => match (demanded, self.answer(user, facts)) {
                (_, MethodVerdict::Can) => ordinary,
                (Tristate::Yes, MethodVerdict::Nothing) => Posture::Open,
                (Tristate::Yes, MethodVerdict::Cannot) => Posture::Stuck,
                _ => Posture::Unknown,
            },
        }
    }

    /// Returns for each registered method whether it can answer. The worst result over all required
    /// strengths counts for each method: two strengths can be satisfied by two methods, even if
    /// neither method satisfies both.
    #[must_use]
    pub fn methods(&self, user: UserIndex, facts: &Facts) -> Read<Vec<(MethodKind, Usable)>> {
        facts.methods.map(|methods| {
            let mut judged: BTreeMap<MethodKind, Usable> =
                methods.kinds.iter().map(|kind| (kind, Usable::Never)).collect();
            judged.extend(self.judge_all(Accepted::ANY, user, &methods));
            if self.demand.is_elsewhere(user) {
                let open = judged.values_mut().filter(|usable| **usable != Usable::Never);
                open.for_each(|usable| *usable = Usable::Unknown);
                return judged.into_iter().collect();
            }
            for (accepts, demanded) in self.demand.strengths(user, SignIn::Portals) {
                for (kind, usable) in self.judge_all(accepts, user, &methods) {
                    let worst = judged.entry(kind).or_insert(usable);
                    if *worst == Usable::Yes && usable != Usable::Yes {
                        *worst = if demanded == Tristate::Yes { usable } else { Usable::Unknown };
                    }
                }
            }
            judged.into_iter().collect()
        })
    }

    /// Returns the day from which a user who can answer now will be open or stuck, because their only
    /// methods are phones and the delivery to phones ends. If MFA is not required of the user, there is no
    /// such day.
    #[must_use]
    pub fn expiring(&self, user: UserIndex, facts: &Facts) -> Option<Date> {
        match self.posture(user, facts) {
            Posture::Protected => {}
            Posture::Unprotected if self.demanded(user, facts) == Tristate::Yes => {}
            _ => return None,
        }
        let mut days: Vec<Date> =
            [self.delivery.ends, self.delivery.privileged_ends].into_iter().flatten().collect();
        days.sort_unstable();
        days.into_iter().filter(|day| *day > self.today).find(|day| {
            let then = Self { today: *day, ..*self };
            matches!(then.posture(user, facts), Posture::Open | Posture::Stuck)
        })
    }

    /// Returns whether the methods can answer, and whether all of them count as not registered.
    fn answer_to(
        &self,
        accepts: Accepted,
        user: UserIndex,
        methods: &Methods,
    ) -> (MethodVerdict, bool) {
        let mut answer = MethodVerdict::Nothing;
        let (mut bound, mut has_none) = (false, true);
        for (_, usable) in self.judge_all(accepts, user, methods) {
            has_none &= matches!(usable, Usable::Absent | Usable::Never);
            answer = match (answer, usable) {
                (_, Usable::Yes) => return (MethodVerdict::Can, false),
                (_, Usable::Unknown) | (MethodVerdict::Unknown, _) => MethodVerdict::Unknown,
                (_, Usable::Useless) => MethodVerdict::Cannot,
                (answer, Usable::Absent | Usable::Never) => answer,
                (answer, Usable::Bound) => {
                    bound = true;
                    answer
                }
            };
        }
        // A bound method lets its owner sign in, so they are not stuck. It does not prevent another
        // person from registering a method, so the account is open.
        let is_open = bound && answer == MethodVerdict::Cannot;
        (if is_open { MethodVerdict::Nothing } else { answer }, has_none)
    }

    /// Returns every registered method that could answer an MFA prompt.
    fn judge_all(
        &self,
        accepts: Accepted,
        user: UserIndex,
        methods: &Methods,
    ) -> impl Iterator<Item = (MethodKind, Usable)> {
        let ways = [
            (MethodKind::Authenticator, Way::Authenticator),
            (MethodKind::SoftwareOath, Way::SoftwareOath),
            (MethodKind::HardwareOath, Way::HardwareOath),
            (MethodKind::Passkey, Way::Passkey),
            (MethodKind::Certificate, Way::Certificate),
            (MethodKind::External, Way::External),
            (MethodKind::WindowsHello, Way::WindowsHello),
            (MethodKind::PlatformCredential, Way::PlatformCredential),
            (MethodKind::TemporaryAccessPass, Way::TemporaryAccessPass),
            (MethodKind::Unrecognised, Way::Unrecognised),
        ];
        let phones = [
            (MethodKind::MobilePhone, methods.mobile, [Some(Way::Sms), Some(Way::Voice)]),
            (MethodKind::AlternateMobilePhone, methods.alternate_mobile, [None, Some(Way::Voice)]),
            (MethodKind::OfficePhone, methods.office, [None, Some(Way::OfficeVoice)]),
        ];
        let (kinds, judge) = (methods.kinds, *self);
        let registered = ways.into_iter().filter(move |(kind, _)| kinds.has(*kind));
        phones
            .into_iter()
            .filter(|(_, phone, _)| *phone != Phone::None)
            .map(move |(kind, phone, ways)| (kind, judge.phone(phone, ways, accepts, user)))
            .chain(registered.map(move |(kind, way)| (kind, judge.method(way, accepts, user))))
    }

    fn method(&self, way: Way, accepts: Accepted, user: UserIndex) -> Usable {
        let answers = match way {
            Way::WindowsHello | Way::PlatformCredential | Way::TemporaryAccessPass => Usable::Bound,
            _ => Usable::Yes,
        };
        match (self.method_policy.allows(way, user), accepts.takes(way)) {
            (Tristate::No, _) => Usable::Absent,
            (Tristate::Yes, Tristate::Yes) => answers,
            (Tristate::Yes, Tristate::No) => Usable::Useless,
            _ => Usable::Unknown,
        }
    }

    /// A phone can answer if one of its channels (SMS, voice) is allowed by policy, accepted by the
    /// strength, received by this kind of line, and still delivered.
    fn phone(
        &self,
        phone: Phone,
        ways: [Option<Way>; 2],
        accepts: Accepted,
        user: UserIndex,
    ) -> Usable {
        let ways = || ways.into_iter().flatten();
        let allowed = |way| self.method_policy.allows(way, user);
        let reached = |way| allowed(way).and(accepts.takes(way)).and(receives(phone, way));
        let any =
            |judge: &dyn Fn(Way) -> Tristate| ways().map(judge).fold(Tristate::No, Tristate::or);
        match (any(&allowed), self.delivered(user), any(&reached)) {
            (Tristate::No, _, _) => Usable::Absent,
            (Tristate::Yes, Tristate::Yes, Tristate::Yes) => Usable::Yes,
            (Tristate::Yes, Tristate::Yes, Tristate::No) => Usable::Useless,
            // If the strength accepts no phone, delivery makes no difference; so this comes first.
            (Tristate::Yes, Tristate::No, _) if any(&|way| accepts.takes(way)) == Tristate::No => {
                Usable::Useless
            }
            (allowed, Tristate::No, _) => match self.after_delivery(user) {
                Usable::Absent => Usable::Absent,
                otherwise if allowed == Tristate::Yes => otherwise,
                _ => Usable::Unknown,
            },
            _ => Usable::Unknown,
        }
    }

    /// Returns what a phone means after delivery ended. Entra makes its owner register a passkey, and also
    /// any other person who has the password. If passkeys are not allowed, the sign-in ends there (Entra
    /// documentation, "SMS and voice retirement", checked 2026-11).
    fn after_delivery(&self, user: UserIndex) -> Usable {
        match self.method_policy.allows(Way::Passkey, user) {
            Tristate::Yes => Usable::Absent,
            Tristate::No => Usable::Useless,
            Tristate::Unknown => Usable::Unknown,
        }
    }

    /// Whether text messages and calls are still delivered to the phones of the user.
    fn delivered(&self, user: UserIndex) -> Tristate {
        let until = |end: Option<Date>| match end {
            Some(end) if end <= self.today => Tristate::No,
            _ => Tristate::Yes,
        };
        let (others, privileged) =
            (until(self.delivery.ends), until(self.delivery.privileged_ends));
        match self.demand.is_global_administrator(user) {
            _ if others == privileged => others,
            Tristate::Yes => privileged,
            Tristate::No => others,
            Tristate::Unknown => Tristate::Unknown,
        }
    }
}

/// Whether the phone can receive a text message or a call, as far as its number shows.
fn receives(phone: Phone, way: Way) -> Tristate {
    let number = |number: PhoneNumber| match way {
        Way::Sms if number.can_receive_text() => Tristate::Yes,
        Way::Voice | Way::OfficeVoice if number.can_receive_call() => Tristate::Yes,
        _ => Tristate::No,
    };
    match phone {
        Phone::None | Phone::Undialable => Tristate::No,
        Phone::Masked => Tristate::Unknown,
        Phone::Number(one) => number(one),
    }
}

impl Usable {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Absent => "absent",
            Self::Useless => "no",
            Self::Bound => "bound",
            Self::Unknown => "unknown",
            Self::Never => "never",
        }
    }

    /// Returns a clause about the method, for `explain`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Yes => "can answer",
            Self::Absent => "does not count: not allowed for the user, or no longer delivered to",
            Self::Useless => {
                "cannot answer: nothing is delivered to it, or a required strength does not accept it"
            }
            Self::Bound => {
                "works on one device or for a limited time, and does not keep others out"
            }
            Self::Unknown => "unknown whether it can answer",
            Self::Never => "is never a second factor",
        }
    }
}

impl Posture {
    pub const ALL: [Self; 5] =
        [Self::Protected, Self::Open, Self::Stuck, Self::Unprotected, Self::Unknown];

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
