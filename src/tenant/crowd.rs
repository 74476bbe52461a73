//! Sets of users of which membership can be unknown: who is targeted by a rule of the tenant.
//!
//! Not here: what being in one means.

use fixedbitset::FixedBitSet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::directory::UserIndex;

/// Yes, no, or nobody can say.
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
pub enum Judged {
    Yes,
    No,
    #[default]
    Unknown,
}

/// A set of users: each is certainly in it, certainly not, or not known to be either.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crowd {
    sure: FixedBitSet,
    /// Whoever may be in it; holds those who are sure to be as well.
    possible: FixedBitSet,
}

impl Crowd {
    /// Nobody, of so many users.
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

    /// Perhaps everybody, perhaps nobody.
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

    /// Where the user stands. Of somebody who was not there when the set was made, nothing is known.
    #[must_use]
    pub fn has(&self, user: UserIndex) -> Judged {
        match user.place() {
            place if place >= self.sure.len() => Judged::Unknown,
            place if self.sure.contains(place) => Judged::Yes,
            place if self.possible.contains(place) => Judged::Unknown,
            _ => Judged::No,
        }
    }

    pub fn join(&mut self, other: &Self) {
        self.sure.union_with(&other.sure);
        self.possible.union_with(&other.possible);
    }

    /// Takes out whoever is in the other set; whoever may be in it may be out.
    pub fn leave_out(&mut self, other: &Self) {
        self.sure.difference_with(&other.possible);
        self.possible.difference_with(&other.sure);
    }

    /// Who is in both is in; who is in one of them may be.
    #[must_use]
    pub fn agreed(mut self, other: Self) -> Self {
        self.sure.intersect_with(&other.sure);
        self.possible.union_with(&other.possible);
        self
    }

    /// The same of these users only, counted anew in their order.
    #[must_use]
    pub fn only(&self, users: &[UserIndex]) -> Self {
        let mut crowd = Self::nobody(users.len());
        for (place, user) in users.iter().enumerate() {
            let judged = self.has(*user);
            crowd.sure.set(place, judged == Judged::Yes);
            crowd.possible.set(place, judged != Judged::No);
        }
        crowd
    }

    /// Whether of somebody it is known here whether they are in it, and not known there.
    #[must_use]
    pub fn knows_more_than(&self, other: &Self) -> bool {
        let users = (0..self.sure.len()).map(UserIndex::new);
        let unknown = |judged: Judged| judged == Judged::Unknown;
        users.into_iter().any(|user| !unknown(self.has(user)) && unknown(other.has(user)))
    }

    /// What was sure is no longer.
    #[must_use]
    pub fn perhaps(mut self) -> Self {
        self.sure.clear();
        self
    }
}

impl Judged {
    /// Yes where either is.
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

    /// Yes where both are.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

/// One letter a user: `y`, `n`, or `?` where it is not known.
impl Serialize for Crowd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let letter = |place| match self.has(UserIndex::new(place)) {
            Judged::Yes => 'y',
            Judged::No => 'n',
            Judged::Unknown => '?',
        };
        serializer.serialize_str(&(0..self.sure.len()).map(letter).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Crowd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let letters = String::deserialize(deserializer)?;
        let mut crowd = Self::nobody(letters.len());
        for (place, letter) in letters.bytes().enumerate() {
            if !b"yn?".contains(&letter) {
                return Err(D::Error::custom("a crowd is written in `y`, `n` and `?`"));
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
    use Judged::{No, Unknown, Yes};

    #[test]
    fn leaving_out_takes_the_side_that_is_sure() {
        let all = || Crowd::everybody(3);
        let first = || Crowd::of(3, [UserIndex::new(0)]);
        for (include, exclude, first_is, other_is) in [
            (all(), Crowd::nobody(3), Yes, Yes),
            (all(), first(), No, Yes),
            (all(), first().perhaps(), Unknown, Yes),
            (Crowd::unknown(3), first(), No, Unknown),
            (first(), Crowd::unknown(3), Unknown, No),
            (first(), Crowd::nobody(3), Yes, No),
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
    fn a_crowd_is_read_as_it_was_written_and_narrowed_in_order() {
        let mut crowd = Crowd::of(4, [UserIndex::new(1), UserIndex::new(3)]);
        crowd.leave_out(&Crowd::of(4, [UserIndex::new(3)]).perhaps());
        let text = serde_json::to_string(&crowd).unwrap();
        assert_eq!(text, "\"nyn?\"");
        assert_eq!(serde_json::from_str::<Crowd>(&text).unwrap(), crowd);
        let few = crowd.only(&[UserIndex::new(3), UserIndex::new(1)]);
        assert_eq!(serde_json::to_string(&few).unwrap(), "\"?y\"");
        assert!(serde_json::from_str::<Crowd>("\"yx\"").is_err());
    }
}
