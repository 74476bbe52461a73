//! Computes from the facts of a user what happens at sign-in: whether MFA is required, whether the user
//! can answer, and from both the posture. All results have three values: unknown stays unknown.
//!
//! Not here: where MFA is required of a user (`tenant::demand`), which methods are allowed
//! (`tenant::method_policy`), or what to do about a posture (`plan::guard`).

mod preference;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::number::PhoneNumber;
use crate::tenant::crowd::Judged;
use crate::tenant::delivery::Delivery;
use crate::tenant::demand::{At, Demand};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Kind, Methods, Phone, Read};
use crate::tenant::method_policy::MethodPolicy;
use crate::tenant::strength::{Accepted, Way};

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
pub enum Answer {
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
    pub demand: &'a Demand,
    pub delivery: Delivery,
    pub today: Date,
}

impl Judge<'_> {
    /// Whether MFA is required of the user anywhere, even if only at the admin portals.
    #[must_use]
    pub fn demanded(&self, user: UserIndex, facts: &Facts) -> Judged {
        self.demand.of(user, facts.state, At::Portals)
    }

    /// Whether MFA is required at the admin portals and nowhere else.
    #[must_use]
    pub fn portals_only(&self, user: UserIndex, facts: &Facts) -> Judged {
        let elsewhere = self.demand.of(user, facts.state, At::Ordinary);
        self.demanded(user, facts).and(elsewhere.not())
    }

    /// Whether a password is certainly enough for mail and files although the admin portals require MFA.
    /// Users who are open are not included: for them, a password is enough for the portals as well.
    #[must_use]
    pub fn is_open_to_a_password(&self, user: UserIndex, facts: &Facts) -> bool {
        self.portals_only(user, facts) == Judged::Yes && self.posture(user, facts) != Posture::Open
    }

    /// Whether the user could answer an MFA prompt with every authentication strength that is required of
    /// them anywhere. Guards use this.
    #[must_use]
    pub fn answer(&self, user: UserIndex, facts: &Facts) -> Answer {
        self.answer_at(user, facts, At::Portals)
    }

    /// Whether the user could answer an MFA prompt at such a sign-in, with every authentication strength
    /// that is required of them there.
    fn answer_at(&self, user: UserIndex, facts: &Facts, at: At) -> Answer {
        let Read::Known(methods) = &facts.methods else {
            return Answer::Unknown;
        };
        if self.demand.is_elsewhere(user) {
            return Answer::Unknown;
        }
        let (mut worst, has_none) = self.answer_to(Accepted::ANY, user, methods);
        // It is unknown whether another person gets past a requirement that Entra does not know.
        let is_foreign = || self.demand.strengths(user, at).any(|(one, _)| one.is_foreign());
        if has_none && self.delivered(user) == Judged::Yes {
            // A method that is not allowed does not satisfy a strength either.
            return if is_foreign() { Answer::Unknown } else { worst };
        }
        for (accepts, demanded) in self.demand.strengths(user, at) {
            worst = match (worst, self.answer_to(accepts, user, methods).0, demanded) {
                (Answer::Cannot, _, _) => return worst,
                // A bound method is registered, and does not satisfy this strength.
                (Answer::Nothing, Answer::Cannot, Judged::Yes) => Answer::Cannot,
                (Answer::Nothing, _, _) => Answer::Nothing,
                (worst, Answer::Can, _) => worst,
                (_, answer, Judged::Yes) => answer,
                _ => Answer::Unknown,
            };
        }
        if worst == Answer::Nothing && is_foreign() { Answer::Unknown } else { worst }
    }

    /// Whether an authentication strength that does not accept phones is required of the user.
    #[must_use]
    pub fn refuses_phones(&self, user: UserIndex) -> Judged {
        self.demand.strengths(user, At::Portals).fold(Judged::No, |refuses, (accepts, demanded)| {
            let own = accepts.own();
            let taken = own.takes(Way::Sms).or(own.takes(Way::Voice));
            let here = match (demanded, taken) {
                (Judged::No, _) | (_, Judged::Yes) => Judged::No,
                (Judged::Yes, Judged::No) => Judged::Yes,
                _ => Judged::Unknown,
            };
            refuses.or(here)
        })
    }

    /// Returns the posture of the user. A requirement at the admin portals alone does not protect the
    /// user, because a password is still enough for mail and files. But the first person who signs in at
    /// the portals can register a method, and a user who cannot answer there is locked out of them. So
    /// such a requirement can make a user open or stuck.
    #[must_use]
    pub fn posture(&self, user: UserIndex, facts: &Facts) -> Posture {
        let demanded = self.demand.of(user, facts.state, At::Ordinary);
        let ordinary = match demanded {
            Judged::No => Posture::Unprotected,
            Judged::Unknown => Posture::Unknown,
            Judged::Yes => match self.answer_at(user, facts, At::Ordinary) {
                Answer::Can => Posture::Protected,
                Answer::Nothing => Posture::Open,
                Answer::Cannot => Posture::Stuck,
                Answer::Unknown => Posture::Unknown,
            },
        };
        let is_settled = matches!(ordinary, Posture::Open | Posture::Stuck)
            || demanded == Judged::Yes && !self.demand.is_stricter_at_portals(user);
        let at_portals = if is_settled { Judged::No } else { self.demanded(user, facts) };
        match at_portals {
            Judged::No => ordinary,
            demanded => match (demanded, self.answer(user, facts)) {
                (_, Answer::Can) => ordinary,
                (Judged::Yes, Answer::Nothing) => Posture::Open,
                (Judged::Yes, Answer::Cannot) => Posture::Stuck,
                _ => Posture::Unknown,
            },
        }
    }

    /// Returns for each registered method whether it can answer. The worst result over all required
    /// strengths counts for each method: two strengths can be satisfied by two methods, even if
    /// neither method satisfies both.
    #[must_use]
    pub fn methods(&self, user: UserIndex, facts: &Facts) -> Read<Vec<(Kind, Usable)>> {
        facts.methods.map(|methods| {
            let mut judged: BTreeMap<Kind, Usable> =
                methods.kinds.iter().map(|kind| (kind, Usable::Never)).collect();
            judged.extend(self.judge_all(Accepted::ANY, user, &methods));
            if self.demand.is_elsewhere(user) {
                let open = judged.values_mut().filter(|usable| **usable != Usable::Never);
                open.for_each(|usable| *usable = Usable::Unknown);
                return judged.into_iter().collect();
            }
            for (accepts, demanded) in self.demand.strengths(user, At::Portals) {
                for (kind, usable) in self.judge_all(accepts, user, &methods) {
                    let worst = judged.entry(kind).or_insert(usable);
                    if *worst == Usable::Yes && usable != Usable::Yes {
                        *worst = if demanded == Judged::Yes { usable } else { Usable::Unknown };
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
            Posture::Unprotected if self.demanded(user, facts) == Judged::Yes => {}
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
    fn answer_to(&self, accepts: Accepted, user: UserIndex, methods: &Methods) -> (Answer, bool) {
        let mut answer = Answer::Nothing;
        let (mut bound, mut has_none) = (false, true);
        for (_, usable) in self.judge_all(accepts, user, methods) {
            has_none &= matches!(usable, Usable::Absent | Usable::Never);
            answer = match (answer, usable) {
                (_, Usable::Yes) => return (Answer::Can, false),
                (_, Usable::Unknown) | (Answer::Unknown, _) => Answer::Unknown,
                (_, Usable::Useless) => Answer::Cannot,
                (answer, Usable::Absent | Usable::Never) => answer,
                (answer, Usable::Bound) => {
                    bound = true;
                    answer
                }
            };
        }
        // A bound method lets its owner sign in, so they are not stuck. It does not prevent another
        // person from registering a method, so the account is open.
        let is_open = bound && answer == Answer::Cannot;
        (if is_open { Answer::Nothing } else { answer }, has_none)
    }

    /// Returns every registered method that could answer an MFA prompt.
    fn judge_all(
        &self,
        accepts: Accepted,
        user: UserIndex,
        methods: &Methods,
    ) -> impl Iterator<Item = (Kind, Usable)> {
        let ways = [
            (Kind::Authenticator, Way::Authenticator),
            (Kind::SoftwareOath, Way::SoftwareOath),
            (Kind::HardwareOath, Way::HardwareOath),
            (Kind::Passkey, Way::Passkey),
            (Kind::Certificate, Way::Certificate),
            (Kind::External, Way::External),
            (Kind::WindowsHello, Way::WindowsHello),
            (Kind::PlatformCredential, Way::PlatformCredential),
            (Kind::TemporaryAccessPass, Way::TemporaryAccessPass),
            (Kind::Unrecognised, Way::Unrecognised),
        ];
        let phones = [
            (Kind::MobilePhone, methods.mobile, [Some(Way::Sms), Some(Way::Voice)]),
            (Kind::AlternateMobilePhone, methods.alternate_mobile, [None, Some(Way::Voice)]),
            (Kind::OfficePhone, methods.office, [None, Some(Way::OfficeVoice)]),
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
            (Judged::No, _) => Usable::Absent,
            (Judged::Yes, Judged::Yes) => answers,
            (Judged::Yes, Judged::No) => Usable::Useless,
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
        let any = |judge: &dyn Fn(Way) -> Judged| ways().map(judge).fold(Judged::No, Judged::or);
        match (any(&allowed), self.delivered(user), any(&reached)) {
            (Judged::No, _, _) => Usable::Absent,
            (Judged::Yes, Judged::Yes, Judged::Yes) => Usable::Yes,
            (Judged::Yes, Judged::Yes, Judged::No) => Usable::Useless,
            // If the strength accepts no phone, delivery makes no difference; so this comes first.
            (Judged::Yes, Judged::No, _) if any(&|way| accepts.takes(way)) == Judged::No => {
                Usable::Useless
            }
            (allowed, Judged::No, _) => match self.after_delivery(user) {
                Usable::Absent => Usable::Absent,
                otherwise if allowed == Judged::Yes => otherwise,
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
            Judged::Yes => Usable::Absent,
            Judged::No => Usable::Useless,
            Judged::Unknown => Usable::Unknown,
        }
    }

    /// Whether text messages and calls are still delivered to the phones of the user.
    fn delivered(&self, user: UserIndex) -> Judged {
        let until = |end: Option<Date>| match end {
            Some(end) if end <= self.today => Judged::No,
            _ => Judged::Yes,
        };
        let (others, privileged) =
            (until(self.delivery.ends), until(self.delivery.privileged_ends));
        match self.demand.is_global_administrator(user) {
            _ if others == privileged => others,
            Judged::Yes => privileged,
            Judged::No => others,
            Judged::Unknown => Judged::Unknown,
        }
    }
}

/// Whether the phone can receive a text message or a call, as far as its number shows.
fn receives(phone: Phone, way: Way) -> Judged {
    let number = |number: PhoneNumber| match way {
        Way::Sms if number.can_receive_text() => Judged::Yes,
        Way::Voice | Way::OfficeVoice if number.can_receive_call() => Judged::Yes,
        _ => Judged::No,
    };
    match phone {
        Phone::None | Phone::Undialable => Judged::No,
        Phone::Masked => Judged::Unknown,
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
