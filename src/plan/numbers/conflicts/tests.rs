//! Tests which user may get the number of another. Users and numbers are digits.

use super::*;
use crate::settings::change::{Mandate, PolicyIndex};
use crate::tenant::facts::{Methods, Read};

fn number(digit: u32) -> PhoneNumber {
    PhoneNumber::from_graph(&format!("+31 61234567{digit}")).unwrap()
}

fn with_mobile(digit: Option<u32>) -> Facts {
    let methods =
        digit.map_or_else(Methods::default, |digit| Methods::default().with_mobile(number(digit)));
    Facts { methods: Read::Known(methods), ..Facts::NOT_READ }
}

/// Takes the present and the wanted number of each user. Returns the users that are refused theirs.
fn refused_of(users: &[(Option<u32>, Option<u32>)]) -> Vec<usize> {
    let facts: Vec<Facts> = users.iter().map(|(now, _)| with_mobile(*now)).collect();
    let value = |digit: Option<u32>| digit.map_or(Value::Nothing, |one| Value::Phone(number(one)));
    let guarded = |(place, (now, wanted)): (usize, &(Option<u32>, Option<u32>))| {
        let user = UserIndex::new(place);
        let change = Change {
            user,
            setting: Setting::MobilePhone,
            before: value(*now),
            after: value(*wanted),
            policy: PolicyIndex::new(0),
            mandate: Mandate::default(),
        };
        let (steps, facts) = (vec![change], with_mobile(*wanted));
        (user, Guarded { steps, withheld: Vec::new(), kept: Vec::new(), facts })
    };
    let changes = users.iter().enumerate().filter(|(_, (now, wanted))| now != wanted);
    let all: Vec<(UserIndex, Guarded)> = changes.map(guarded).collect();
    refused(&all, &facts).0.into_iter().map(|(user, _)| user.place()).collect()
}

#[test]
fn number_is_free_once_its_holder_releases_it() {
    for (users, expected) in [
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(4))], vec![]),
        ([(Some(1), Some(2)), (Some(2), None), (None, None)], vec![]),
        // A user who keeps a number blocks the next one, and so on down the chain.
        ([(Some(1), Some(2)), (Some(2), Some(2)), (None, None)], vec![0]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(3))], vec![0, 1]),
        // Two users hold it, and one of them releases it.
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(2), Some(2))], vec![0]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(2), None)], vec![]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}

/// The user who is written first would share the number with its holder, for good if the run stops there.
#[test]
fn numbers_in_a_cycle_are_refused() {
    for (users, expected) in [
        ([(Some(1), Some(2)), (Some(2), Some(1)), (None, None)], vec![0, 1]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(1))], vec![0, 1, 2]),
        // A user who wants a number that is kept then is refused as well.
        ([(Some(1), Some(2)), (Some(2), Some(1)), (Some(4), Some(1))], vec![0, 1, 2]),
        // A user outside the cycle is not refused.
        ([(Some(1), Some(2)), (Some(2), Some(1)), (Some(4), Some(5))], vec![0, 1]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}

#[test]
fn number_that_two_users_want_overwrites_no_other() {
    for (users, expected) in [
        ([(Some(1), Some(3)), (Some(2), Some(3)), (None, None)], vec![0, 1]),
        ([(Some(1), Some(3)), (None, Some(3)), (None, None)], vec![0]),
        // Adding a number overwrites none: it is done and reported.
        ([(None, Some(3)), (None, Some(3)), (None, None)], vec![]),
        ([(Some(1), Some(3)), (Some(2), Some(3)), (Some(3), Some(4))], vec![0, 1]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}
