//! Finds a user by id among many, in one or two steps.
//!
//! A binary search over a million ids waits for memory twenty times. Object ids are spread evenly (version 4
//! of RFC 9562), so their first bits give the approximate place. If they are not spread evenly, the search is
//! again a binary search.
//!
//! Not here: the users themselves (`directory`).

use super::directory::UserIndex;
use crate::id::UserId;

/// The approximate number of ids with the same first bits.
const ALIKE: usize = 8;
const MOST_BITS: u32 = 20;

/// The places of users by id.
#[derive(Debug, Clone, Default)]
pub struct ById {
    users: Vec<(UserId, UserIndex)>,
    /// For each value of the first bits, where its ids begin; and at last, where all ids end.
    begins: Vec<u32>,
    bits: u32,
}

impl ById {
    #[must_use]
    pub fn new(ids: impl Iterator<Item = UserId>) -> Self {
        let mut users: Vec<_> =
            ids.enumerate().map(|(place, id)| (id, UserIndex::new(place))).collect();
        users.sort_unstable();
        let bits = (users.len() / ALIKE).max(1).ilog2().min(MOST_BITS);
        let mut begins = Vec::with_capacity((1 << bits) + 1);
        for (place, (id, _)) in users.iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            while begins.len() <= first(*id, bits) {
                begins.push(place);
            }
        }
        begins.resize((1 << bits) + 1, u32::try_from(users.len()).unwrap_or(u32::MAX));
        Self { users, begins, bits }
    }

    #[must_use]
    pub fn find(&self, id: UserId) -> Option<UserIndex> {
        let first = first(id, self.bits);
        let [begin, end] = [first, first + 1].map(|bits| self.begins.get(bits).copied());
        let near = self.users.get(usize::try_from(begin?).ok()?..usize::try_from(end?).ok()?)?;
        let place = near.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        near.get(place).map(|(_, index)| *index)
    }
}

/// The first bits of an id, as a number.
fn first(id: UserId, bits: u32) -> usize {
    let [a, b, c, d, ..] = *id.as_uuid().as_bytes();
    // A shift by all 32 bits gives `None`, which means 0.
    let bits = u32::from_be_bytes([a, b, c, d]).checked_shr(32 - bits).unwrap_or_default();
    usize::try_from(bits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn user(id: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(id))
    }

    #[test]
    fn empty_index_finds_no_user() {
        assert_eq!(ById::new(std::iter::empty()).find(user(1)), None);
        assert_eq!(ById::default().find(user(1)), None);
    }

    proptest! {
        /// Ids that are spread evenly, and ids with equal first bits.
        #[test]
        fn every_user_is_found_at_its_place(
            ids in prop::collection::hash_set(prop_oneof![any::<u128>(), 0_u128..400, u128::MAX - 400..u128::MAX], 0..600),
            others in prop::collection::vec(prop_oneof![any::<u128>(), 0_u128..400], 20),
        ) {
            let ids: Vec<u128> = ids.into_iter().collect();
            let by_id = ById::new(ids.iter().copied().map(user));
            for (place, id) in ids.iter().enumerate() {
                prop_assert_eq!(by_id.find(user(*id)), Some(UserIndex::new(place)));
            }
            for other in others.into_iter().filter(|other| !ids.contains(other)) {
                prop_assert_eq!(by_id.find(user(other)), None);
            }
        }
    }
}
