//! Invented numbers for the numbers of a real user: of the same kind, and the same where two of the user's
//! numbers are the same. No digit of a real number is kept.
//!
//! Not here: how a number of the directory is read (`number`).

use crate::number::{Extension, NumberFault, PhoneNumber};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, MethodKind, Methods, Phone, SmsSignIn};

/// A place where a user has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Directory(Attribute),
    Registered(MethodKind),
}

/// The numbers of a user.
#[derive(Debug)]
pub(super) struct InventedNumbers {
    directory: Vec<(Attribute, Result<PhoneNumber, NumberFault>)>,
    methods: Methods,
    /// Every number that can be called, with its place.
    all: Vec<(Slot, PhoneNumber)>,
}

/// What a number can receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Texts,
    CallsOnly,
    WithExtension,
    Nothing,
}

impl Kind {
    const fn of(number: PhoneNumber) -> Self {
        match () {
            () if !number.can_receive_call() => Self::Nothing,
            () if number.has_extension() => Self::WithExtension,
            () if number.can_receive_text() => Self::Texts,
            () => Self::CallsOnly,
        }
    }
}

const PHONES: [(MethodKind, &str); 3] = [
    (MethodKind::MobilePhone, "mobile"),
    (MethodKind::AlternateMobilePhone, "alternateMobile"),
    (MethodKind::OfficePhone, "office"),
];

impl InventedNumbers {
    pub(super) fn of(user: &User, facts: &Facts) -> Self {
        let methods = facts.methods.known().copied().unwrap_or_default();
        let regions = [None, user.usage_location, user.country.known()];
        let directory: Vec<_> = user
            .attributes
            .iter()
            .map(|(attribute, text)| {
                let read = |region| text.read(region, Extension::Allowed);
                let found = regions.iter().find_map(|region| read(*region).ok());
                (*attribute, found.ok_or(()).or_else(|()| read(None)))
            })
            .collect();
        let in_directory = directory
            .iter()
            .filter_map(|(attribute, read)| Some((Slot::Directory(*attribute), (*read).ok()?)));
        let registered = PHONES.iter().filter_map(|(kind, _)| match methods.phone(*kind) {
            Phone::Number(number) => Some((Slot::Registered(*kind), number)),
            Phone::None | Phone::Undialable | Phone::Masked => None,
        });
        let all = in_directory.chain(registered).collect();
        Self { directory, methods, all }
    }

    /// Returns the keys of the person for all numbers.
    pub(super) fn keys(&self) -> Vec<String> {
        let attributes = self.directory.iter().map(|(attribute, read)| {
            let word = match read {
                Ok(number) => self.in_directory(*attribute, *number),
                Err(NumberFault::RegionUnknown) => "\"06 10000001\"".to_owned(),
                Err(_) => "invalid".to_owned(),
            };
            format!("{attribute}: {word}")
        });
        let mut phones: Vec<String> = PHONES
            .iter()
            .filter_map(|(kind, key)| Some(format!("{key}: {}", self.registered(*kind)?)))
            .collect();
        if self.methods.sms_sign_in == SmsSignIn::On {
            phones.push("smsSignIn: on".to_owned());
        }
        let phones = (!phones.is_empty()).then(|| format!("phones: {{ {} }}", phones.join(", ")));
        attributes.chain(phones).collect()
    }

    fn in_directory(&self, attribute: Attribute, number: PhoneNumber) -> String {
        match self.is_usual(attribute, number) {
            true => "valid".to_owned(),
            false => self.text(number),
        }
    }

    /// Whether the word `valid` means a number of this kind, and the number is in no other places than the
    /// word can say.
    fn is_usual(&self, attribute: Attribute, number: PhoneNumber) -> bool {
        let (kind, partner) = match attribute {
            Attribute::MobilePhone => (Kind::Texts, Some(MethodKind::MobilePhone)),
            Attribute::BusinessPhones => (Kind::CallsOnly, Some(MethodKind::OfficePhone)),
            Attribute::Extension(_) => (Kind::Texts, None),
        };
        let is_here = |slot: Slot| {
            slot == Slot::Directory(attribute)
                || partner.is_some_and(|partner| slot == Slot::Registered(partner))
        };
        Kind::of(number) == kind && self.slots(number).all(is_here)
    }

    /// Returns the word for a registered phone. A number that nothing reaches has none.
    fn registered(&self, kind: MethodKind) -> Option<String> {
        let Phone::Number(number) = self.methods.phone(kind) else { return None };
        let attribute = match kind {
            MethodKind::MobilePhone => Some(Attribute::MobilePhone),
            MethodKind::OfficePhone => Some(Attribute::BusinessPhones),
            _ => None,
        };
        let is_alone = self.slots(number).count() == 1;
        Some(match (attribute, Kind::of(number)) {
            (_, Kind::Nothing) => return None,
            (Some(attribute), _)
                if self.slots(number).any(|slot| slot == Slot::Directory(attribute))
                    && self.is_usual(attribute, number) =>
            {
                "valid".to_owned()
            }
            (_, Kind::Texts) if is_alone && kind == MethodKind::MobilePhone => "other".to_owned(),
            (None, Kind::Texts) if is_alone => "valid".to_owned(),
            _ => self.text(number),
        })
    }

    /// The places that have this number.
    fn slots(&self, number: PhoneNumber) -> impl Iterator<Item = Slot> {
        self.all.iter().filter(move |(_, other)| *other == number).map(|(slot, _)| *slot)
    }

    /// Returns an invented number of the same kind, in YAML.
    fn text(&self, number: PhoneNumber) -> String {
        let place = self.all.iter().position(|(_, other)| *other == number).unwrap_or_default();
        match Kind::of(number) {
            Kind::Texts => format!("\"+31 6 190000{place:02}\""),
            Kind::CallsOnly => format!("\"+31 20 55500{place:02}\""),
            Kind::WithExtension => format!("\"+31 20 55500{place:02} x5\""),
            Kind::Nothing => "invalid".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::UserId;
    use crate::number::{RawNumber, Region};
    use crate::tenant::directory::{Account, Country};
    use crate::tenant::facts::Read;

    fn keys(
        attributes: &[(Attribute, &str)],
        phones: &[(MethodKind, &str)],
        location: Option<&str>,
    ) -> String {
        let raw = |(attribute, text): &(Attribute, &str)| (*attribute, RawNumber::new(*text));
        let user = User {
            id: UserId::from_uuid(Uuid::nil()),
            name: "x@y.z".into(),
            account: Account::default(),
            usage_location: location.and_then(Region::new),
            country: Country::None,
            department: None,
            attributes: attributes.iter().map(raw).collect(),
        };
        let methods = phones.iter().fold(Methods::default(), |methods, (kind, text)| {
            let number = PhoneNumber::from_graph(text).map_or(Phone::Undialable, Phone::Number);
            methods.with_phone(*kind, number)
        });
        let facts = Facts { methods: Read::Known(methods), ..Facts::NOT_READ };
        InventedNumbers::of(&user, &facts).keys().join(", ")
    }

    #[test]
    fn number_becomes_a_word_or_an_invented_number_of_its_kind() {
        use Attribute::{BusinessPhones, Extension, MobilePhone};
        let mobile = MethodKind::MobilePhone;
        let (one, two, fixed) = ("+31 612345678", "+31 687654321", "+31 205551234");
        for (attributes, phones, expected) in [
            (&[(MobilePhone, one)][..], &[][..], "mobilePhone: valid"),
            (
                &[(MobilePhone, one)],
                &[(mobile, one)],
                "mobilePhone: valid, phones: { mobile: valid }",
            ),
            (
                &[(MobilePhone, one)],
                &[(mobile, two)],
                "mobilePhone: valid, phones: { mobile: other }",
            ),
            (&[], &[(mobile, two)], "phones: { mobile: other }"),
            (&[(MobilePhone, "+31 6 1")], &[], "mobilePhone: invalid"),
            (&[(MobilePhone, "0612345678")], &[], "mobilePhone: \"06 10000001\""),
            (&[(MobilePhone, fixed)], &[], "mobilePhone: \"+31 20 5550000\""),
            (&[(BusinessPhones, fixed)], &[], "businessPhones: valid"),
            (
                &[(MobilePhone, one), (Extension(7), one)],
                &[],
                "mobilePhone: \"+31 6 19000000\", extensionAttribute7: \"+31 6 19000000\"",
            ),
            (
                &[(Extension(7), two)],
                &[(MethodKind::AlternateMobilePhone, two)],
                "extensionAttribute7: \"+31 6 19000000\", phones: { alternateMobile: \"+31 6 19000000\" }",
            ),
            (&[], &[(MethodKind::AlternateMobilePhone, two)], "phones: { alternateMobile: valid }"),
            (&[], &[(mobile, "not a number")], ""),
        ] {
            assert_eq!(keys(attributes, phones, None), expected);
        }
        let national = [(MobilePhone, "0612345678")];
        assert_eq!(keys(&national, &[], Some("NL")), "mobilePhone: valid");
    }

    #[test]
    fn invented_numbers_are_valid() {
        for text in ["+31 6 19000012", "+31 20 5550012", "+31 20 5550012 x5"] {
            let read = PhoneNumber::read(text, None, Extension::Allowed);
            assert!(read.is_ok_and(|number| number.is_valid()), "{text}");
        }
    }
}
