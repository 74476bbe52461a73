//! Who may take whose number. A user is a digit, and so is a number.

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

/// The users who do not get what is wanted, of users who have a number and want another.
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
fn a_number_is_free_once_its_holder_gives_it_up() {
    for (users, expected) in [
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(4))], vec![]),
        ([(Some(1), Some(2)), (Some(2), None), (None, None)], vec![]),
        // Whoever keeps a number keeps others from it, down the chain.
        ([(Some(1), Some(2)), (Some(2), Some(2)), (None, None)], vec![0]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(3))], vec![0, 1]),
        // Two hold it, and one of them lets go.
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(2), Some(2))], vec![0]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(2), None)], vec![]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}

/// Whoever is written first would share the number with its holder, for good where the run ends there.
#[test]
fn a_number_that_goes_round_is_for_nobody() {
    for (users, expected) in [
        ([(Some(1), Some(2)), (Some(2), Some(1)), (None, None)], vec![0, 1]),
        ([(Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(1))], vec![0, 1, 2]),
        // Nor is it for whoever would take what is kept then.
        ([(Some(1), Some(2)), (Some(2), Some(1)), (Some(4), Some(1))], vec![0, 1, 2]),
        // But not everybody who takes one waits for the circle.
        ([(Some(1), Some(2)), (Some(2), Some(1)), (Some(4), Some(5))], vec![0, 1]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}

#[test]
fn a_number_that_two_would_take_is_for_neither_to_overwrite_with() {
    for (users, expected) in [
        ([(Some(1), Some(3)), (Some(2), Some(3)), (None, None)], vec![0, 1]),
        ([(Some(1), Some(3)), (None, Some(3)), (None, None)], vec![0]),
        // What is added harms no number that is there: it is said, and done.
        ([(None, Some(3)), (None, Some(3)), (None, None)], vec![]),
        ([(Some(1), Some(3)), (Some(2), Some(3)), (Some(3), Some(4))], vec![0, 1]),
    ] {
        assert_eq!(refused_of(&users), expected, "{users:?}");
    }
}
