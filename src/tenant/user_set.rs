//! Sets of users in which membership can be unknown, such as the users that a rule of the tenant targets.
//!
//! Not here: what membership means.

use fixedbitset::FixedBitSet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::directory::UserIndex;

/// Yes, no or unknown.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Tristate {
    Yes,
    No,
    #[default]
    Unknown,
}

/// A set of users with a yes, a no or an unknown for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserSet {
    sure: FixedBitSet,
    /// The users that may be in the set, including those in `sure`.
    possible: FixedBitSet,
}

impl UserSet {
    /// An empty set over this number of users.
    #[must_use]
    pub fn nobody(users: usize) -> Self {
        let none = FixedBitSet::with_capacity(users);
        Self { sure: none.clone(), possible: none }
    }

    #[must_use]
    pub fn everybody(users: usize) -> Self {
        let mut all = FixedBitSet::with_capacity(users);
        all.insert_range(..);
        Self { sure: all.clone(), possible: all }
    }

    /// A set in which every membership is unknown.
    #[must_use]
    pub fn unknown(users: usize) -> Self {
        Self { possible: Self::everybody(users).possible, ..Self::nobody(users) }
    }

    #[must_use]
    pub fn of(users: usize, members: impl IntoIterator<Item = UserIndex>) -> Self {
        let mut crowd = Self::nobody(users);
        members.into_iter().for_each(|user| crowd.add(user));
        crowd
    }

    pub fn add(&mut self, user: UserIndex) {
        if user.place() < self.sure.len() {
            self.sure.insert(user.place());
            self.possible.insert(user.place());
        }
    }

    /// Whether the user is in the set. Unknown for a user that did not exist when the set was made.
    #[must_use]
    pub fn has(&self, user: UserIndex) -> Tristate {
        match user.place() {
            place if place >= self.sure.len() => Tristate::Unknown,
            place if self.sure.contains(place) => Tristate::Yes,
            place if self.possible.contains(place) => Tristate::Unknown,
            _ => Tristate::No,
        }
    }

    pub fn join(&mut self, other: &Self) {
        self.sure.union_with(&other.sure);
        self.possible.union_with(&other.possible);
    }

    /// Removes the users of the other set. If a user may be in the other set, its membership becomes unknown.
    pub fn leave_out(&mut self, other: &Self) {
        self.sure.difference_with(&other.possible);
        self.possible.difference_with(&other.sure);
    }

    /// A set of the users that are in both sets. A user that is in one of them becomes unknown.
    #[must_use]
    pub fn agreed(mut self, other: Self) -> Self {
        self.sure.intersect_with(&other.sure);
        self.possible.union_with(&other.possible);
        self
    }

    /// The same set restricted to these users and numbered anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        let mut crowd = Self::nobody(users.len());
        for (place, user) in users.iter().enumerate() {
            let judged = self.has(*user);
            crowd.sure.set(place, judged == Tristate::Yes);
            crowd.possible.set(place, judged != Tristate::No);
        }
        crowd
    }

    /// Whether the membership of at least one user is known here and unknown in the other set.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let users = (0..self.sure.len()).map(UserIndex::new);
        let unknown = |judged: Tristate| judged == Tristate::Unknown;
        users.into_iter().any(|user| !unknown(self.has(user)) && unknown(other.has(user)))
    }

    /// The same set, with every yes as unknown.
    #[must_use]
    pub fn perhaps(mut self) -> Self {
        self.sure.clear();
        self
    }
}

impl Tristate {
    /// Yes if either is yes.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::No, Self::No) => Self::No,
        }
    }

    #[must_use]
    pub const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Yes if both are yes.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

/// Writes one letter for each user: `y`, `n`, or `?` for unknown.
impl Serialize for UserSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let letter = |place| match self.has(UserIndex::new(place)) {
            Tristate::Yes => 'y',
            Tristate::No => 'n',
            Tristate::Unknown => '?',
        };
        serializer.serialize_str(&(0..self.sure.len()).map(letter).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for UserSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let letters = String::deserialize(deserializer)?;
        let mut crowd = Self::nobody(letters.len());
        for (place, letter) in letters.bytes().enumerate() {
            if !b"yn?".contains(&letter) {
                return Err(D::Error::custom("a user set contains only `y`, `n` and `?`"));
            }
            crowd.sure.set(place, letter == b'y');
            crowd.possible.set(place, letter != b'n');
        }
        Ok(crowd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Tristate::{No, Unknown, Yes};

    #[test]
    fn leave_out_keeps_uncertain_members_unknown() {
        let all = || UserSet::everybody(3);
        let first = || UserSet::of(3, [UserIndex::new(0)]);
        for (include, exclude, first_is, other_is) in [
            (all(), UserSet::nobody(3), Yes, Yes),
            (all(), first(), No, Yes),
            (all(), first().perhaps(), Unknown, Yes),
            (UserSet::unknown(3), first(), No, Unknown),
            (first(), UserSet::unknown(3), Unknown, No),
            (first(), UserSet::nobody(3), Yes, No),
        ] {
            let mut crowd = include;
            crowd.leave_out(&exclude);
            assert_eq!(
                (crowd.has(UserIndex::new(0)), crowd.has(UserIndex::new(1))),
                (first_is, other_is)
            );
        }
        assert_eq!(all().has(UserIndex::new(3)), Unknown);
    }

    #[test]
    fn crowd_round_trips_and_is_narrowed_in_order() {
        let mut crowd = UserSet::of(4, [UserIndex::new(1), UserIndex::new(3)]);
        crowd.leave_out(&UserSet::of(4, [UserIndex::new(3)]).perhaps());
        let text = serde_json::to_string(&crowd).unwrap();
        assert_eq!(text, "\"nyn?\"");
        assert_eq!(serde_json::from_str::<UserSet>(&text).unwrap(), crowd);
        let few = crowd.only(&[UserIndex::new(3), UserIndex::new(1)]);
        assert_eq!(serde_json::to_string(&few).unwrap(), "\"?y\"");
        assert!(serde_json::from_str::<UserSet>("\"yx\"").is_err());
    }
}
