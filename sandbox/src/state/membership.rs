//! The members of each group, by position: direct members, members of members, and the range of all
//! generated users.
//!
//! A group of a million users is stored as a range and the few users who left it. No function here
//! lists them all.
//!
//! Not here: the requests about members (`members`).

use std::collections::BTreeSet;
use std::ops::Range;

/// The first position of groups. Users are before it.
pub(crate) const GROUPS: u64 = 1 << 48;

/// The direct members of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Members {
    direct: BTreeSet<u64>,
    /// The generated users, if all of them are members except those in `left`.
    generated: Option<Range<u64>>,
    left: BTreeSet<u64>,
}

impl Members {
    pub(crate) fn new(direct: BTreeSet<u64>, generated: Option<Range<u64>>) -> Self {
        Self { direct, generated, left: BTreeSet::new() }
    }

    pub(crate) fn contains(&self, position: u64) -> bool {
        self.direct.contains(&position) || self.has_generated(position)
    }

    fn has_generated(&self, position: u64) -> bool {
        let in_range = self.generated.as_ref().is_some_and(|range| range.contains(&position));
        in_range && !self.left.contains(&position)
    }

    pub(crate) fn add(&mut self, position: u64) {
        if !self.left.remove(&position) {
            self.direct.insert(position);
        }
    }

    pub(crate) fn remove(&mut self, position: u64) {
        self.direct.remove(&position);
        if self.has_generated(position) {
            self.left.insert(position);
        }
    }

    /// The members that are groups.
    pub(crate) fn groups(&self) -> impl Iterator<Item = u64> + '_ {
        self.direct.range(GROUPS..).copied()
    }

    /// The first member at position `from` or later.
    fn first_from(&self, from: u64) -> Option<u64> {
        let direct = self.direct.range(from..).next().copied();
        let generated = self.generated.as_ref().and_then(|range| {
            let mut candidates = range.start.max(from)..range.end;
            candidates.find(|position| !self.left.contains(position))
        });
        direct.into_iter().chain(generated).min()
    }

    fn len(&self) -> u64 {
        let generated =
            self.generated.as_ref().map_or(0, |range| range.end - range.start - count(&self.left));
        let outside_range = match &self.generated {
            Some(range) => self.direct.iter().filter(|position| !range.contains(position)).count(),
            None => self.direct.len(),
        };
        generated + u64::try_from(outside_range).unwrap_or(u64::MAX)
    }
}

fn count(set: &BTreeSet<u64>) -> u64 {
    u64::try_from(set.len()).unwrap_or(u64::MAX)
}

/// The members of several groups, each listed once, in order of position.
#[derive(Debug)]
pub(crate) struct Union<'s>(pub(crate) Vec<&'s Members>);

impl Union<'_> {
    pub(crate) fn within(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let mut from = range.start;
        std::iter::from_fn(move || {
            let next = self.first_from(from).filter(|next| *next < range.end)?;
            from = next + 1;
            Some(next)
        })
    }

    fn first_from(&self, from: u64) -> Option<u64> {
        self.0.iter().filter_map(|members| members.first_from(from)).min()
    }

    /// The number of members, users and groups. Fast for a single group, where millions can occur.
    pub(crate) fn len(&self) -> u64 {
        match self.0.as_slice() {
            [only] => only.len(),
            _ => self.within(0..u64::MAX).fold(0, |count, _| count + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn union_is_sorted_and_lists_each_member_once() {
        let staff = Members::new(BTreeSet::from([1, 5, GROUPS + 1]), Some(4..8));
        let others = Members::new(BTreeSet::from([1, 9]), None);
        let union = Union(vec![&staff, &others]);
        let all: Vec<u64> = union.within(0..u64::MAX).collect();
        assert_eq!(all, [1, 4, 5, 6, 7, 9, GROUPS + 1]);
        assert_eq!(union.len(), 7);
        assert_eq!(Union(vec![&staff]).len(), 6);
        assert_eq!(union.within(6..GROUPS).collect::<Vec<_>>(), [6, 7, 9]);
    }

    #[test]
    fn generated_member_can_be_removed_and_added_again() {
        let mut staff = Members::new(BTreeSet::new(), Some(0..3));
        staff.remove(1);
        assert!(!staff.contains(1));
        assert_eq!(Union(vec![&staff]).within(0..9).collect::<Vec<_>>(), [0, 2]);
        staff.add(1);
        assert!(staff.contains(1));
        assert_eq!(Union(vec![&staff]).len(), 3);
    }
}
