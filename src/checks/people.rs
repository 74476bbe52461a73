//! Makes a user with facts from an invented person.
//!
//! Not here: the tenant around the people (`invent`), or faults of a person in the file (`read`).

use uuid::Uuid;

use super::file::{PersonBlock, PersonPhones};
use super::words::{NumberWord, RegisteredNumber};
use crate::id::{UserId, invented_id};
use crate::number::{Extension, NumberFault, PhoneNumber, RawNumber};
use crate::policy::written_names;
use crate::source::{Located, Maybe, NonEmptyList};
use crate::tenant::directory::{Account, Attribute, Country, User};
use crate::tenant::facts::{Facts, Kinds, MethodKind, Methods, MfaState, Phone, Read, SmsSignIn};

/// The domain of a person without a principal name. No tenant can have it (RFC 2606).
pub(super) const DOMAIN: &str = "people.example";

/// In the principal name of a guest from another tenant.
const EXTERNAL: &str = "#EXT#";

/// A text that is no number in any country.
const INVALID: &str = "+31 6 12";

/// The most numbers of one person.
const NUMBERS: usize = 24;

/// The places of the numbers of a person that are no attribute.
const ALTERNATE: usize = 17;
const OTHERS: usize = 20;

/// Returns the principal name of a person.
pub(super) fn name_of(key: &str, person: &PersonBlock) -> String {
    match person.name.as_ref() {
        Some(name) => name.value.clone(),
        None if key.contains('@') => key.to_owned(),
        None => format!("{key}@{DOMAIN}"),
    }
}

/// Returns the object id of a person, if the file has one.
pub(super) fn id_of(key: &str, person: &PersonBlock) -> Option<Uuid> {
    let written = person.id.as_ref().map_or(key, |id| id.value.as_str());
    written_names::id(written)
}

/// Returns the words of a list that may be missing.
pub(super) fn words(
    list: &Maybe<NonEmptyList<Located<String>>>,
) -> impl Iterator<Item = &Located<String>> {
    list.as_ref().into_iter().flat_map(|list| &list.0)
}

/// Makes the user and the facts of the person at this place of the file.
pub(super) fn invent(
    place: usize,
    key: &str,
    person: &PersonBlock,
    id: Option<Uuid>,
) -> (User, Facts) {
    let name = name_of(key, person);
    let uuid = id.or_else(|| id_of(key, person)).unwrap_or_else(|| invented_id("user", key));
    let is = |flag: &Maybe<Located<bool>>, or| flag.as_ref().map_or(or, |flag| flag.value);
    let account = Account {
        enabled: is(&person.enabled, true),
        guest: is(&person.guest, false),
        homed_elsewhere: name.contains(EXTERNAL),
        directory_sync: false,
        synced: is(&person.synced, false),
    };
    let text = |text: &Maybe<Located<String>>| text.as_ref().map(|text| text.value.clone());
    let user = User {
        id: UserId::from_uuid(uuid),
        name: name.into(),
        account,
        usage_location: person.usage_location.as_ref().map(|code| code.value.0),
        country: text(&person.country).map_or(Country::None, |text| Country::of(&text)),
        department: text(&person.department).map(Into::into),
        attributes: attributes(place, person),
    };
    let facts = Facts {
        methods: Read::Known(methods(place, person)),
        state: Read::Known(
            person.per_user_mfa.as_ref().map_or(MfaState::Disabled, |state| state.value.0),
        ),
        default_method: Read::Known(
            person.default_method.as_ref().and_then(|method| method.value.0),
        ),
        system_preferred: Read::Known(is(&person.system_preferred_mfa, true)),
    };
    (user, facts)
}

/// Returns the numbers in the directory, without the empty ones.
fn attributes(place: usize, person: &PersonBlock) -> Box<[(Attribute, RawNumber)]> {
    let written = written_numbers(person);
    let numbers = written.into_iter().enumerate().filter_map(|(slot, (attribute, word))| {
        let text = match word? {
            NumberWord::None => return None,
            NumberWord::Text(text) => text.clone(),
            NumberWord::Invalid => RawNumber::new(INVALID),
            NumberWord::Valid => valid(place, slot),
        };
        Some((attribute, text))
    });
    numbers.collect()
}

/// Returns each attribute with its word.
#[rustfmt::skip]
fn written_numbers(person: &PersonBlock) -> [(Attribute, Option<&NumberWord>); 17] {
    let PersonBlock {
        mobile_phone, business_phones,
        extension_attribute1, extension_attribute2, extension_attribute3, extension_attribute4,
        extension_attribute5, extension_attribute6, extension_attribute7, extension_attribute8,
        extension_attribute9, extension_attribute10, extension_attribute11, extension_attribute12,
        extension_attribute13, extension_attribute14, extension_attribute15, ..
    } = person;
    [
        (Attribute::MobilePhone, mobile_phone), (Attribute::BusinessPhones, business_phones),
        (Attribute::Extension(1), extension_attribute1), (Attribute::Extension(2), extension_attribute2),
        (Attribute::Extension(3), extension_attribute3), (Attribute::Extension(4), extension_attribute4),
        (Attribute::Extension(5), extension_attribute5), (Attribute::Extension(6), extension_attribute6),
        (Attribute::Extension(7), extension_attribute7), (Attribute::Extension(8), extension_attribute8),
        (Attribute::Extension(9), extension_attribute9), (Attribute::Extension(10), extension_attribute10),
        (Attribute::Extension(11), extension_attribute11), (Attribute::Extension(12), extension_attribute12),
        (Attribute::Extension(13), extension_attribute13), (Attribute::Extension(14), extension_attribute14),
        (Attribute::Extension(15), extension_attribute15),
    ]
    .map(|(attribute, word)| (attribute, word.as_ref().map(|word| &word.value)))
}

/// Returns a valid number that no other person has: a mobile number of the Netherlands, or an office number
/// for the second attribute.
fn valid(place: usize, slot: usize) -> RawNumber {
    let number = (place * NUMBERS + slot) % 10_000_000;
    RawNumber::new(match slot {
        1 => format!("+3120{number:07}"),
        _ => format!("+3161{number:07}"),
    })
}

fn methods(place: usize, person: &PersonBlock) -> Methods {
    let kinds: Kinds = person
        .registered
        .as_ref()
        .map_or_else(Kinds::default, |kinds| kinds.0.iter().map(|kind| kind.value.0).collect());
    let mut methods = Methods { kinds, ..Methods::default() };
    for (kind, slot) in [
        (MethodKind::MobilePhone, 0),
        (MethodKind::AlternateMobilePhone, ALTERNATE),
        (MethodKind::OfficePhone, 1),
    ] {
        let word = written_phone(person, kind).map(|word| &word.value);
        let listed = kinds.has(kind).then_some(&RegisteredNumber::Valid);
        if let Some(word) = word.or(listed) {
            let phone = number(place, slot, word).map_or(Phone::Undialable, Phone::Number);
            methods = methods.with_phone(kind, phone);
        }
    }
    let switch = person.phones.as_ref().and_then(|phones| phones.value.sms_sign_in.as_ref());
    if methods.kinds.has(MethodKind::MobilePhone) {
        let is_on = switch.is_some_and(|switch| switch.value.0);
        methods.sms_sign_in = if is_on { SmsSignIn::On } else { SmsSignIn::Off };
    }
    methods
}

/// Returns the registered phone that the file mentions under `phones`.
pub(super) fn written_phone(
    person: &PersonBlock,
    kind: MethodKind,
) -> Option<&Located<RegisteredNumber>> {
    let PersonPhones { mobile, alternate_mobile, office, sms_sign_in: _ } =
        &person.phones.as_ref()?.value;
    match kind {
        MethodKind::MobilePhone => mobile.as_ref(),
        MethodKind::AlternateMobilePhone => alternate_mobile.as_ref(),
        MethodKind::OfficePhone => office.as_ref(),
        _ => None,
    }
}

/// Reads a registered number. Only an office phone can have an extension, but a wrong one is not dialled.
///
/// # Errors
/// The text is no number with a country code.
pub(super) fn number(
    place: usize,
    slot: usize,
    word: &RegisteredNumber,
) -> Result<PhoneNumber, NumberFault> {
    let text = match word {
        RegisteredNumber::Valid => valid(place, slot),
        RegisteredNumber::Other => valid(place, OTHERS + slot % 3),
        RegisteredNumber::Text(text) => text.clone(),
    };
    text.read(None, Extension::Allowed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn person(text: &str) -> PersonBlock {
        serde_yaml::from_str(text).expect("a person")
    }

    #[test]
    fn numbers_of_people_are_valid_and_different() {
        let all = "{ mobilePhone: valid, businessPhones: valid, extensionAttribute15: valid, \
            phones: { mobile: other, alternateMobile: valid, office: other } }";
        let mut seen = BTreeSet::new();
        for place in [0, 1, 2, 999, 100_000] {
            let (user, facts) = invent(place, "anna", &person(all), None);
            let mut numbers: Vec<PhoneNumber> = user
                .attributes
                .iter()
                .map(|(_, text)| text.read(None, Extension::Refused).expect("a number"))
                .collect();
            let Read::Known(methods) = facts.methods else { panic!("known") };
            for phone in [methods.mobile, methods.alternate_mobile, methods.office] {
                let Phone::Number(number) = phone else { panic!("a number") };
                numbers.push(number);
            }
            assert_eq!(numbers.len(), 6);
            numbers.into_iter().for_each(|one| assert!(seen.insert(one), "{one} twice"));
        }
    }

    #[test]
    fn phone_in_the_list_has_the_number_of_the_directory() {
        let (user, facts) =
            invent(3, "a", &person("{ mobilePhone: valid, registered: [mobilePhone] }"), None);
        let Read::Known(Methods { mobile: Phone::Number(number), .. }) = facts.methods else {
            panic!("a number")
        };
        let text = Attribute::MobilePhone.of(&user).expect("a number");
        assert_eq!(text.read(None, Extension::Refused), Ok(number));
    }

    #[test]
    fn name_and_id_come_from_the_key_or_from_their_own_keys() {
        let id = "0b7d2c55-8a41-4c7e-b1c6-2e9f4d6a7c10";
        for (key, text, name) in [
            ("anna", "{}", "anna@people.example"),
            ("j@x.nl", "{}", "j@x.nl"),
            ("anna", "{ name: j@x.nl }", "j@x.nl"),
        ] {
            assert_eq!(name_of(key, &person(text)), name);
        }
        assert_eq!(id_of(id, &person("{}")).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(
            id_of("anna", &person(&format!("{{ id: {id} }}"))).map(|id| id.to_string()).as_deref(),
            Some(id)
        );
        assert_eq!(id_of("anna", &person("{}")), None);
    }
}
