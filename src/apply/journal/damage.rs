//! What of a file is not as it was written: lines that cannot be read, lines that are gone, and a digest
//! that is another one.
//!
//! Not here: one line (`line`), or what reads all the same (`read`).

use std::fmt;
use std::ops::Range;

/// So many lines are named.
const NAMED: usize = 3;

/// What is not as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// The first lines that do not read, or are not in their place, from 1.
    lines: Vec<usize>,
    unreadable: usize,
    /// Lines that are gone.
    missing: usize,
    /// The digest at the end is that of another text.
    pub(super) digest_differs: bool,
}

impl Damage {
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn line(&mut self, line: usize) {
        self.unreadable += 1;
        if self.lines.len() < NAMED {
            self.lines.push(line);
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        let names: Vec<String> = self.lines.iter().map(usize::to_string).collect();
        match (self.unreadable, names.as_slice()) {
            (0, _) => {}
            (1, _) => said.push(format!("line {} is not as it was written", names.concat())),
            (all, _) if all > names.len() => {
                let more = all - names.len();
                said.push(format!(
                    "lines {} and {more} more are not as they were written",
                    names.join(", ")
                ));
            }
            _ => said.push(format!("lines {} are not as they were written", names.join(", "))),
        }
        match self.missing {
            0 => {}
            1 => said.push("1 line is missing".to_owned()),
            many => said.push(format!("{many} lines are missing")),
        }
        if self.digest_differs {
            said.push("it does not match its own digest".to_owned());
        }
        f.write_str(&said.join(", "))
    }
}

/// Follows the lines of a file by their places.
#[derive(Debug)]
pub(super) struct Tracker {
    next: usize,
    /// Places that were left out so far.
    gaps: Vec<Range<usize>>,
    /// Lines that break off, where a run was cut off or the file was damaged.
    halves: Vec<usize>,
    /// The last line, where it breaks off and is ended all the same.
    ended_half: Option<usize>,
    pub(super) damage: Damage,
}

impl Tracker {
    pub(super) fn new() -> Self {
        let (gaps, halves) = (Vec::new(), Vec::new());
        Self { next: 1, gaps, halves, ended_half: None, damage: Damage::default() }
    }

    /// Whether to take a line that reads; one that was there before is not taken again.
    pub(super) fn takes(&mut self, line: usize, place: Option<usize>) -> bool {
        self.ended_half = None;
        let place = place.unwrap_or(self.next);
        if place >= self.next {
            if place > self.next {
                self.gaps.push(self.next..place);
            }
            self.next = place.saturating_add(1);
            return true;
        }
        self.damage.line(line);
        let Some(at) = self.gaps.iter().position(|gap| gap.contains(&place)) else { return false };
        // It is one of those that were missing.
        let gap = self.gaps.swap_remove(at);
        let parts = [gap.start..place, place + 1..gap.end];
        self.gaps.extend(parts.into_iter().filter(|part| !part.is_empty()));
        true
    }

    /// A line that does not read, or is not in its place.
    pub(super) fn unread(&mut self, line: usize) {
        self.ended_half = None;
        self.damage.line(line);
    }

    /// A line that breaks off. That is no damage where nothing is missing: a run was cut off, and what a
    /// later apply added comes after it.
    pub(super) fn half(&mut self, line: usize, is_ended: bool) {
        self.halves.push(line);
        self.ended_half = is_ended.then_some(line);
    }

    /// What is damaged, once all lines are read. A line that does not read is in the place of one that
    /// would be missing otherwise.
    pub(super) fn finish(mut self) -> Damage {
        // Nothing came after it: whoever ended it did not go on.
        if let Some(line) = self.ended_half {
            self.halves.retain(|half| *half != line);
            self.damage.line(line);
        }
        let gone: usize = self.gaps.iter().map(ExactSizeIterator::len).sum();
        let mut missing = gone.saturating_sub(self.damage.unreadable);
        for half in self.halves {
            if missing > 0 {
                missing -= 1;
                self.damage.line(half);
            }
        }
        self.damage.missing = missing;
        self.damage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of lines in their order; none for one that does not read.
    fn told(lines: &[Option<usize>]) -> (Vec<usize>, String) {
        let mut tracker = Tracker::new();
        let mut taken = Vec::new();
        for (line, place) in (1..).zip(lines) {
            match place {
                None => tracker.unread(line),
                Some(place) if tracker.takes(line, Some(*place)) => taken.push(*place),
                Some(_) => {}
            }
        }
        (taken, tracker.finish().to_string())
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let all = |last: usize| (1..=last).map(Some).collect::<Vec<_>>();
        assert_eq!(told(&all(4)), (vec![1, 2, 3, 4], String::new()));
        let one = [Some(1), None, Some(3)];
        assert_eq!(told(&one), (vec![1, 3], "line 2 is not as it was written".to_owned()));
        let gone = [Some(1), Some(4)];
        assert_eq!(told(&gone), (vec![1, 4], "2 lines are missing".to_owned()));
        let both = [Some(1), None, Some(5), None, None, None];
        let said = "lines 2, 4, 5 and 1 more are not as they were written";
        assert_eq!(told(&both), (vec![1, 5], said.to_owned()));
        let twice = [Some(1), Some(2), Some(2)];
        assert_eq!(told(&twice), (vec![1, 2], "line 3 is not as it was written".to_owned()));
        let late = [Some(1), Some(3), Some(2), Some(usize::MAX)];
        assert_eq!(told(&late).0, vec![1, 3, 2, usize::MAX]);
    }

    #[test]
    fn half_a_line_is_damage_only_where_something_is_missing() {
        let told = |places: [usize; 2]| {
            let mut tracker = Tracker::new();
            assert!(tracker.takes(1, Some(places[0])));
            tracker.half(2, true);
            assert!(tracker.takes(3, Some(places[1])));
            tracker.finish().to_string()
        };
        assert_eq!(told([1, 2]), "");
        assert_eq!(told([1, 3]), "line 2 is not as it was written");
        for (is_ended, said) in [(false, ""), (true, "line 1 is not as it was written")] {
            let mut tracker = Tracker::new();
            tracker.half(1, is_ended);
            assert_eq!(tracker.finish().to_string(), said);
        }
    }
}
