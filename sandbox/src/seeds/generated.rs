//! Tenants of any size, in which each user is a function of its index.
//!
//! No user is stored, so a million users cost no memory.
//!
//! Not here: users that were written to (`store`).

use serde_json::json;
use uuid::Uuid;

use super::exchangelabs::{self, TODAY};
use super::ids::DOMAIN;
use super::person::person;
use crate::records::{Generated, Seed, UserRecord};

/// The low 96 bits of every generated id; the top 32 bits identify the user.
const ID_TAIL: u128 = 0x5eed_4000_8000_0000_0000_0000;
const DEPARTMENTS: [&str; 5] = ["Sales", "Marketing", "Finance", "IT", "Operations"];

/// An odd factor, so that the multiplication can be undone by its inverse, `GATHER`.
const SPREAD: u32 = 0x9e37_79b1;
const GATHER: u32 = inverse(SPREAD);

/// The count of phone numbers per country. With more users than that, numbers repeat.
const NUMBERS: u64 = 50_000_000;

/// A tenant with this many users, all in `All Staff`, in addition to the accounts that the sample
/// policies name by id.
pub fn generated(users: u32) -> Seed {
    Seed {
        name: format!("generated-{users}"),
        today: TODAY,
        tenant: exchangelabs::tenant::with_break_glass_only(),
        users: exchangelabs::people::named_by_id(),
        groups: exchangelabs::groups::of_a_generated_tenant(),
        generated: Some(Generated { count: users }),
    }
}

impl Generated {
    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn id(&self, index: u32) -> Uuid {
        let scattered = index.wrapping_mul(SPREAD).rotate_left(16).wrapping_mul(SPREAD);
        Uuid::from_u128(u128::from(scattered) << 96 | ID_TAIL)
    }

    pub fn index_of(&self, id: Uuid) -> Option<u32> {
        let scattered = u32::try_from(id.as_u128() >> 96).ok()?;
        let index = scattered.wrapping_mul(GATHER).rotate_right(16).wrapping_mul(GATHER);
        (index < self.count && self.id(index) == id).then_some(index)
    }

    /// The index of the user with this principal name, in any case.
    pub fn index_of_name(&self, upn: &str) -> Option<u32> {
        let digits: String = upn.chars().skip(4).take_while(char::is_ascii_digit).collect();
        let index = digits.parse::<u32>().ok().filter(|index| *index < self.count)?;
        let name = format!("{}@{}", local_name(index), DOMAIN);
        name.eq_ignore_ascii_case(upn).then_some(index)
    }

    /// The user at this index, the same in every tenant that is large enough.
    pub fn user(&self, index: u32) -> UserRecord {
        let department = *pick(&DEPARTMENTS, dice(index, 1), &"Operations");
        let number = Number::of(index);
        let mut person = person(&local_name(index), &format!("User {index:06}"))
            .identified(self.id(index))
            .department(department)
            .location(number.country);
        if dice(index, 2) < 60 {
            person = person.synced();
        }
        let mut has_method = false;
        // Of 100 users, 80 have a number, 10 have none, 3 have a bad one, and 7 have registered theirs.
        match dice(index, 3) {
            0..80 => person = person.mobile(&number.directory),
            80..90 => {}
            90..93 => person = person.mobile(&number.broken()),
            _ => {
                person = person.mobile(&number.directory).registered_mobile(&number.registered);
                has_method = true;
            }
        }
        if dice(index, 4) < 5 {
            person = person.authenticator("Phone");
            has_method = true;
        }
        // About one user in nine has a method, so about five percent of all users are `enforced`.
        if has_method && dice(index, 5) < 45 {
            person = person.state("enforced");
        }
        person.with("employeeId", json!(index.to_string())).record()
    }
}

fn local_name(index: u32) -> String {
    format!("user{index:06}")
}

/// A mobile number that no other user has, up to `NUMBERS` users.
struct Number {
    country: &'static str,
    /// The format in which people write it into a directory.
    directory: String,
    /// The format in which Graph stores a registered number.
    registered: String,
}

impl Number {
    fn of(index: u32) -> Self {
        // The factor shares no divisor with the modulus, so no two numbers are equal.
        let n = u64::from(index) * 38_461_573 % NUMBERS;
        let (million, rest) = (n / 10_000_000, n % 10_000_000);
        let national = |country, prefix: &str, digits: String| Self {
            country,
            directory: format!("{prefix} {digits}"),
            registered: format!("{prefix} {digits}"),
        };
        match dice(index, 6) {
            0..80 => {
                let digits = format!("6{}{rest:07}", million + 1);
                let mut number = national("NL", "+31", digits);
                if dice(index, 7) < 15 {
                    number.directory = number.registered.replacen("+31 ", "0", 1);
                }
                number
            }
            80..90 => national("DE", "+49", format!("151{n:08}")),
            90..96 => national("GB", "+44", format!("71{n:08}")),
            _ => {
                // An area has eight million subscribers.
                let areas = ["206", "212", "312", "415", "425", "512", "617"];
                let area = *pick(&areas, n / 8_000_000, &"206");
                let line = n % 8_000_000;
                national("US", "+1", format!("{area}{}", 2_000_000 + line))
            }
        }
    }

    /// The number without its last two digits, which makes it invalid.
    fn broken(&self) -> String {
        let mut number = self.directory.clone();
        number.pop();
        number.pop();
        number
    }
}

/// The item at this place, modulo the length of the list.
fn pick<'a, T>(from: &'a [T], place: u64, otherwise: &'a T) -> &'a T {
    let count = u64::try_from(from.len()).unwrap_or(1).max(1);
    usize::try_from(place % count).ok().and_then(|at| from.get(at)).unwrap_or(otherwise)
}

/// A throw of a hundred-sided die, always the same for the same user and question.
fn dice(index: u32, question: u64) -> u64 {
    // SplitMix64: cheap, and the results of neighbours are unrelated.
    let mut z = (u64::from(index) << 8 | question).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % 100
}

/// The inverse of an odd number modulo 2^32, by Newton's iteration.
const fn inverse(odd: u32) -> u32 {
    let mut guess = odd;
    let mut round = 0;
    // Each round doubles the number of correct bits. The first guess has three.
    while round < 4 {
        guess = guess.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    use super::*;

    #[test]
    fn index_of_inverts_id() {
        let users = Generated { count: u32::MAX };
        let mut index = 0_u32;
        for step in 0..20_000_u32 {
            assert_eq!(users.index_of(users.id(index)), Some(index));
            index = index.wrapping_add(step.wrapping_mul(7_919)) % u32::MAX;
        }
        let few = Generated { count: 10 };
        assert_eq!(few.index_of(users.id(10)), None);
        assert_eq!(few.index_of(super::super::BREAK_GLASS_1), None);
    }

    #[test]
    fn index_of_name_inverts_the_principal_name() {
        let users = Generated { count: 2_000_000 };
        for (name, index) in [
            ("user000123@exchangelabs.nl", Some(123)),
            ("USER000123@ExchangeLabs.nl", Some(123)),
            ("user1999999@exchangelabs.nl", Some(1_999_999)),
            ("user2000000@exchangelabs.nl", None),
            ("user123@exchangelabs.nl", None),
            ("user000123@contoso.com", None),
            ("éser000123@exchangelabs.nl", None),
            ("", None),
        ] {
            assert_eq!(users.index_of_name(name), index, "{name}");
        }
    }

    #[test]
    fn generated_users_have_the_documented_shares() {
        const COUNT: u32 = 20_000;
        let users = Generated { count: COUNT };
        let (mut valid, mut without, mut invalid, mut phones, mut apps, mut enforced) =
            (0, 0, 0, 0, 0, 0);
        let mut numbers = BTreeSet::new();
        for index in 0..COUNT {
            let record = users.user(index);
            let kinds: Vec<_> =
                record.methods.iter().map(|one| one["@odata.type"].to_string()).collect();
            let phone = kinds.iter().any(|kind| kind.contains("phone"));
            phones += u32::from(phone);
            apps += u32::from(kinds.iter().any(|kind| kind.contains("microsoftAuthenticator")));
            enforced += u32::from(record.requirements["perUserMfaState"] == "enforced");
            let Some(number) = record.user["mobilePhone"].as_str() else {
                without += 1;
                continue;
            };
            assert!(numbers.insert(number.to_owned()), "{number}");
            let country = record.user["usageLocation"].as_str().unwrap().parse().unwrap();
            let good = PHONE_NUMBER_UTIL.parse(number, Some(country)).is_ok_and(|parsed| {
                let kind = PHONE_NUMBER_UTIL.get_number_type(&parsed);
                PHONE_NUMBER_UTIL.is_valid_number(&parsed)
                    && matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
            });
            if good { valid += 1 } else { invalid += 1 }
        }
        let about = |count: u32, percent: u32| count.abs_diff(COUNT / 100 * percent) < COUNT / 100;
        assert!(about(valid, 87), "{valid} valid, those registered included");
        assert!(about(without, 10), "{without} without");
        assert!(about(invalid, 3), "{invalid} invalid");
        assert!(about(phones, 7), "{phones} phones");
        assert!(about(apps, 5), "{apps} apps");
        assert!(about(enforced, 5), "{enforced} enforced");
    }
}
