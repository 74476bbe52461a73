//! Numbers that several people have registered: either of them could answer for the other.

use crate::number::PhoneNumber;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Kind, Phone};

/// A number, and everybody who has it, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// It prints masked.
    pub number: PhoneNumber,
    pub users: Vec<UserIndex>,
}

/// The numbers of more than one of these people, in the order of their first names: the order of
/// numbers would say something of their digits.
pub(super) fn shared<'a>(people: impl Iterator<Item = (UserIndex, &'a Facts)>) -> Vec<Shared> {
    let phones = [Kind::MobilePhone, Kind::AlternateMobilePhone, Kind::OfficePhone];
    let mut held: Vec<(PhoneNumber, UserIndex)> = Vec::new();
    for (user, facts) in people {
        let methods = facts.methods.known();
        let numbers = methods.into_iter().flat_map(|all| phones.map(|kind| all.phone(kind)));
        held.extend(numbers.filter_map(|phone| match phone {
            Phone::Number(number) => Some((number, user)),
            Phone::None | Phone::Undialable | Phone::Masked => None,
        }));
    }
    held.sort_unstable();
    held.dedup();
    let of_one_number = held.chunk_by(|(one, _), (other, _)| one == other);
    let several = of_one_number.filter(|holders| holders.len() > 1);
    let mut shared: Vec<Shared> = several
        .filter_map(|holders| {
            let (number, _) = holders.first()?;
            Some(Shared { number: *number, users: holders.iter().map(|(_, user)| *user).collect() })
        })
        .collect();
    shared.sort_by(|one, other| one.users.cmp(&other.users));
    shared
}
