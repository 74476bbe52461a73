//! Whether a user could be asked for a certain second factor, and whether they have more than a
//! phone. Authentication strengths do not count here: Entra asks for a method that the strength accepts.
//!
//! Not here: which default method is wanted (`settings`), or which one is withheld (`plan::guard`).

use super::{Judge, Usable};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MethodKind, Methods, Phone, Read};
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::strength::{Accepted, Way};
use crate::tenant::user_set::Tristate;

impl Judge<'_> {
    /// Whether the user has a usable method for this preference.
    #[must_use]
    pub fn can_prefer(&self, user: UserIndex, facts: &Facts, method: DefaultMethod) -> Tristate {
        let Read::Known(methods) = &facts.methods else { return Tristate::Unknown };
        if self.demand.is_elsewhere(user) {
            return Tristate::Unknown;
        }
        let phone = |phone: Phone, way| match phone {
            Phone::None => Tristate::No,
            phone => judged(self.phone(phone, [Some(way), None], Accepted::ANY, user)),
        };
        match method {
            DefaultMethod::Push => {
                self.has(MethodKind::Authenticator, Way::Authenticator, user, methods)
            }
            DefaultMethod::Oath => self.shows_codes(user, methods),
            DefaultMethod::Sms => phone(methods.mobile, Way::Sms),
            DefaultMethod::VoiceMobile => phone(methods.mobile, Way::Voice),
            DefaultMethod::VoiceAlternateMobile => phone(methods.alternate_mobile, Way::Voice),
            DefaultMethod::VoiceOffice => phone(methods.office, Way::OfficeVoice),
        }
    }

    /// Whether the user has a method that is stronger than a phone: every method that can answer and is
    /// not a phone, even if it is bound to one device. A Temporary Access Pass does not count.
    #[must_use]
    pub fn has_more_than_a_phone(&self, user: UserIndex, facts: &Facts) -> Tristate {
        let Read::Known(methods) = &facts.methods else { return Tristate::Unknown };
        let more = |(kind, usable): (MethodKind, Usable)| match (kind, usable) {
            (
                MethodKind::MobilePhone
                | MethodKind::AlternateMobilePhone
                | MethodKind::OfficePhone,
                _,
            )
            | (MethodKind::TemporaryAccessPass, _) => Tristate::No,
            (_, usable) => match usable {
                Usable::Yes | Usable::Bound => Tristate::Yes,
                Usable::Unknown => Tristate::Unknown,
                Usable::Absent | Usable::Useless | Usable::Never => Tristate::No,
            },
        };
        self.judge_all(Accepted::ANY, user, methods).map(more).fold(Tristate::No, Tristate::or)
    }

    /// Whether the user has a method that shows codes. The Authenticator shows codes too, unless it was
    /// set up for notifications alone; Graph does not show that.
    fn shows_codes(&self, user: UserIndex, methods: &Methods) -> Tristate {
        let software = self.has(MethodKind::SoftwareOath, Way::SoftwareOath, user, methods);
        let hardware = self.has(MethodKind::HardwareOath, Way::HardwareOath, user, methods);
        let app = self.has(MethodKind::Authenticator, Way::Authenticator, user, methods);
        software.or(hardware).or(if app == Tristate::Yes { Tristate::Unknown } else { app })
    }

    fn has(&self, kind: MethodKind, way: Way, user: UserIndex, methods: &Methods) -> Tristate {
        match methods.kinds.has(kind) {
            true => judged(self.method(way, Accepted::ANY, user)),
            false => Tristate::No,
        }
    }
}

const fn judged(usable: Usable) -> Tristate {
    match usable {
        Usable::Yes | Usable::Bound => Tristate::Yes,
        Usable::Unknown => Tristate::Unknown,
        Usable::Absent | Usable::Useless | Usable::Never => Tristate::No,
    }
}
