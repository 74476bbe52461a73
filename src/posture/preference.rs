//! Whether a user could be asked for a certain second factor, and whether they have more than a
//! phone. Authentication strengths do not count here: Entra asks for a method that the strength accepts.
//!
//! Not here: which default method is wanted (`settings`), or which one is withheld (`plan::guard`).

use super::{Judge, Usable};
use crate::tenant::crowd::Judged;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Kind, Methods, Phone, Read};
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::strength::{Accepted, Way};

impl Judge<'_> {
    /// Whether the user has a usable method for this preference.
    #[must_use]
    pub fn can_prefer(&self, user: UserIndex, facts: &Facts, method: DefaultMethod) -> Judged {
        let Read::Known(methods) = &facts.methods else { return Judged::Unknown };
        if self.demand.is_elsewhere(user) {
            return Judged::Unknown;
        }
        let phone = |phone: Phone, way| match phone {
            Phone::None => Judged::No,
            phone => judged(self.phone(phone, [Some(way), None], Accepted::ANY, user)),
        };
        match method {
            DefaultMethod::Push => self.has(Kind::Authenticator, Way::Authenticator, user, methods),
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
    pub fn has_more_than_a_phone(&self, user: UserIndex, facts: &Facts) -> Judged {
        let Read::Known(methods) = &facts.methods else { return Judged::Unknown };
        let more = |(kind, usable): (Kind, Usable)| match (kind, usable) {
            (Kind::MobilePhone | Kind::AlternateMobilePhone | Kind::OfficePhone, _)
            | (Kind::TemporaryAccessPass, _) => Judged::No,
            (_, usable) => match usable {
                Usable::Yes | Usable::Bound => Judged::Yes,
                Usable::Unknown => Judged::Unknown,
                Usable::Absent | Usable::Useless | Usable::Never => Judged::No,
            },
        };
        self.judge_all(Accepted::ANY, user, methods).map(more).fold(Judged::No, Judged::or)
    }

    /// Whether the user has a method that shows codes. The Authenticator shows codes too, unless it was
    /// set up for notifications alone; Graph does not show that.
    fn shows_codes(&self, user: UserIndex, methods: &Methods) -> Judged {
        let software = self.has(Kind::SoftwareOath, Way::SoftwareOath, user, methods);
        let hardware = self.has(Kind::HardwareOath, Way::HardwareOath, user, methods);
        let app = self.has(Kind::Authenticator, Way::Authenticator, user, methods);
        software.or(hardware).or(if app == Judged::Yes { Judged::Unknown } else { app })
    }

    fn has(&self, kind: Kind, way: Way, user: UserIndex, methods: &Methods) -> Judged {
        match methods.kinds.has(kind) {
            true => judged(self.method(way, Accepted::ANY, user)),
            false => Judged::No,
        }
    }
}

const fn judged(usable: Usable) -> Judged {
    match usable {
        Usable::Yes | Usable::Bound => Judged::Yes,
        Usable::Unknown => Judged::Unknown,
        Usable::Absent | Usable::Useless | Usable::Never => Judged::No,
    }
}
