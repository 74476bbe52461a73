//! What the facts of a user mean at sign-in: is MFA demanded, can the user answer, and so are they
//! protected, open, stuck or unprotected. Three-valued: what is not known stays unknown.
//!
//! Not here: who demands what of whom (`tenant::demand`), what is allowed (`tenant::method_policy`),
//! or what should be done about it (`plan::guard`).

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

/// How a user stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Posture {
    /// MFA is demanded and the user can answer.
    Protected,
    /// MFA is demanded and nothing registered could answer: who has the password registers first.
    Open,
    /// MFA is demanded, something is registered, and none of it can answer.
    Stuck,
    /// A password is enough for mail and files, whatever the admin portals demand.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usable {
    Yes,
    /// As if it were not registered.
    Absent,
    /// Allowed, and of no use: nothing reaches the user by it, or what is demanded does not take it.
    Useless,
    /// Works for its owner on one device or for a while, and so keeps nobody else from registering.
    Bound,
    Unknown,
    /// Never a second factor: mail, a password, a code on paper.
    Never,
}

/// Judges the users of one tenant on one day.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    pub method_policy: &'a MethodPolicy,
    pub demand: &'a Demand,
    pub delivery: Delivery,
    pub today: Date,
}

impl Judge<'_> {
    /// Whether MFA is demanded of the user, be it at the admin portals alone.
    #[must_use]
    pub fn demanded(&self, user: UserIndex, facts: &Facts) -> Judged {
        self.demand.of(user, facts.state, At::Portals)
    }

    /// Whether it is demanded at the admin portals and nowhere else.
    #[must_use]
    pub fn portals_only(&self, user: UserIndex, facts: &Facts) -> Judged {
        let elsewhere = self.demand.of(user, facts.state, At::Ordinary);
        self.demanded(user, facts).and(elsewhere.not())
    }

    /// Whether a password surely opens mail and files although the admin portals ask for more. Of
    /// users who are open that says too little: it opens the portals as well.
    #[must_use]
    pub fn is_open_to_a_password(&self, user: UserIndex, facts: &Facts) -> bool {
        self.portals_only(user, facts) == Judged::Yes && self.posture(user, facts) != Posture::Open
    }

    /// Whether the user could answer a demand for MFA, and every stronger one that is made of them
    /// anywhere: what guards go by.
    #[must_use]
    pub fn answer(&self, user: UserIndex, facts: &Facts) -> Answer {
        self.answer_at(user, facts, At::Portals)
    }

    /// Whether the user could answer a demand for MFA at such a sign-in, and every stronger one that
    /// is made of them there.
    fn answer_at(&self, user: UserIndex, facts: &Facts, at: At) -> Answer {
        let Read::Known(methods) = &facts.methods else {
            return Answer::Unknown;
        };
        if self.demand.is_elsewhere(user) {
            return Answer::Unknown;
        }
        let (mut worst, has_none) = self.answer_to(Accepted::ANY, user, methods);
        // Whether a stranger gets past what Entra does not know, nobody can say.
        let is_foreign = || self.demand.strengths(user, at).any(|(one, _)| one.is_foreign());
        if has_none && self.delivered(user) == Judged::Yes {
            // What is not allowed at all is no answer to anything stronger either.
            return if is_foreign() { Answer::Unknown } else { worst };
        }
        for (accepts, demanded) in self.demand.strengths(user, at) {
            worst = match (worst, self.answer_to(accepts, user, methods).0, demanded) {
                (Answer::Cannot, _, _) => return worst,
                // What is bound is registered all the same, and no answer to this demand.
                (Answer::Nothing, Answer::Cannot, Judged::Yes) => Answer::Cannot,
                (Answer::Nothing, _, _) => Answer::Nothing,
                (worst, Answer::Can, _) => worst,
                (_, answer, Judged::Yes) => answer,
                _ => Answer::Unknown,
            };
        }
        if worst == Answer::Nothing && is_foreign() { Answer::Unknown } else { worst }
    }

    /// Whether a strength that takes no phones is demanded of the user, or may be.
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

    /// How the user stands. A demand at the admin portals alone protects nobody: mail and files
    /// still open with a password. But whoever signs in there first registers, and a user who
    /// cannot answer there is locked out of the portals: that is open and stuck.
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

    /// What each registered method is good for when the user is asked, the worst of all demands that
    /// are made of them: two of them can be met by two methods of which neither does for both.
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

    /// The day from which a user who can answer now will be open or stuck, because phones are all
    /// they have and phones are no longer delivered to. Of whom nothing is demanded, nobody is.
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

    /// What the methods come to, and whether they are as if there were none.
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
        // What is bound to a device or a while keeps its owner from being stuck, and nobody else
        // from registering: that is open.
        let is_open = bound && answer == Answer::Cannot;
        (if is_open { Answer::Nothing } else { answer }, has_none)
    }

    /// Every registered method that can be an answer.
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

    /// A phone answers if any of its ways is allowed, taken, received by such a line, and still
    /// delivered.
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
            // What is demanded takes no phone, delivered to or not: that is asked first.
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

    /// A phone that nothing is delivered to any more: its owner is made to register a passkey, and
    /// so is whoever has the password; where passkeys are not allowed there is no way on (Entra
    /// documentation, "SMS and voice retirement", checked 2026-11).
    fn after_delivery(&self, user: UserIndex) -> Usable {
        match self.method_policy.allows(Way::Passkey, user) {
            Judged::Yes => Usable::Absent,
            Judged::No => Usable::Useless,
            Judged::Unknown => Usable::Unknown,
        }
    }

    /// Whether texts and calls still reach the user's phones.
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

/// Whether a text or a call to the phone arrives, as far as its number says.
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

    /// What it comes to, in a clause about the method.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Yes => "can answer",
            Self::Absent => "does not count: not allowed to the user, or no longer delivered to",
            Self::Useless => "cannot answer: nothing arrives by it, or a demand does not take it",
            Self::Bound => "answers on one device or for a while, and keeps nobody else out",
            Self::Unknown => "whether it can answer is not known",
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
