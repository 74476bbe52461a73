//! Numbers that several users have registered: each of them could answer for the others.
//!
//! Not here: numbers that two policies or users compete for (`plan`).

use crate::number::PhoneNumber;
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MethodKind, Phone};

/// A number, and the users that have it, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedNumber {
    /// Its text form is masked.
    pub number: PhoneNumber,
    pub users: Vec<UserIndex>,
}

/// Returns the numbers that several users have. They are sorted by the first user of each number, because
/// an order by number would reveal something about the digits.
pub(super) fn shared<'a>(
    people: impl Iterator<Item = (UserIndex, &'a Facts)>,
) -> Vec<SharedNumber> {
    let phones =
        [MethodKind::MobilePhone, MethodKind::AlternateMobilePhone, MethodKind::OfficePhone];
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
    let mut shared: Vec<SharedNumber> = several
        .filter_map(|holders| {
            let (number, _) = holders.first()?;
            Some(SharedNumber {
                number: *number,
                users: holders.iter().map(|(_, user)| *user).collect(),
            })
        })
        .collect();
    shared.sort_by(|one, other| one.users.cmp(&other.users));
    shared
}
