//! Counts how many users have each number registered, over all users whose facts were read. Two users
//! with one phone can answer each other's MFA prompts.
//!
//! Not here: which changes are refused because of that (`numbers::conflicts`), or the findings (`findings::noticed`).

use std::collections::HashMap;

use crate::number::PhoneNumber;
use crate::settings::change::Change;
use crate::tenant::facts::{Facts, Phone};

/// The number of users that have each number.
#[derive(Debug, Default)]
pub(crate) struct NumberOwners(HashMap<PhoneNumber, u32>);

impl NumberOwners {
    /// Counts the registered numbers. `facts` is in the order of users in the directory.
    pub(crate) fn of(facts: &[Facts]) -> Self {
        let mut holders = Self::default();
        for number in facts.iter().flat_map(distinct) {
            *holders.0.entry(number).or_default() += 1;
        }
        holders
    }

    /// Counts the numbers that will be registered once the changes are done.
    // INVARIANT: `changes` is in the order of users.
    pub(crate) fn after(mut self, changes: &[Change], facts: &[Facts]) -> Self {
        for of_user in changes.chunk_by(|one, other| one.user == other.user) {
            let user = of_user.first().and_then(|change| facts.get(change.user.place()));
            let Some(now) = user else { continue };
            let then = of_user.iter().fold(*now, |facts, change| change.applied_to(facts));
            let (now, then) = (distinct(now), distinct(&then));
            for number in now.iter().filter(|number| !then.contains(number)) {
                if let Some(count) = self.0.get_mut(number) {
                    *count = count.saturating_sub(1);
                }
            }
            for number in then.iter().filter(|number| !now.contains(number)) {
                *self.0.entry(*number).or_default() += 1;
            }
        }
        self
    }

    /// Returns how many users have the number.
    pub(crate) fn count(&self, number: PhoneNumber) -> u32 {
        self.0.get(&number).copied().unwrap_or_default()
    }
}

/// Returns the numbers of one user: mobile, alternate mobile, office.
pub(crate) fn numbers(facts: &Facts) -> [Option<PhoneNumber>; 3] {
    let Some(methods) = facts.methods.known() else { return [None; 3] };
    [methods.mobile, methods.alternate_mobile, methods.office].map(|phone| match phone {
        Phone::Number(number) => Some(number),
        Phone::None | Phone::Undialable | Phone::Masked => None,
    })
}

/// Returns the numbers of one user, each once.
fn distinct(facts: &Facts) -> Vec<PhoneNumber> {
    let mut numbers: Vec<PhoneNumber> = numbers(facts).into_iter().flatten().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
