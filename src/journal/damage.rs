//! Finds what in a file is not as it was written: lines that cannot be read, lines that are missing, and
//! a digest that does not match.
//!
//! Not here: a single line (`line`), or what can be read in spite of damage (`read`).

use std::fmt;
use std::ops::Range;

/// Maximum number of damaged lines that are named.
const NAMED: usize = 3;

/// The differences between a file and what was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// The first lines that cannot be read or are not in their place, from 1.
    lines: Vec<usize>,
    unreadable: usize,
    /// Number of missing lines.
    missing: usize,
    /// True if the digest at the end is that of another text.
    pub(super) digest_differs: bool,
    /// Number of segments whose head is not as it was written.
    pub(super) heads: usize,
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
        let mut parts = Vec::new();
        let names: Vec<String> = self.lines.iter().map(usize::to_string).collect();
        match (self.unreadable, names.as_slice()) {
            (0, _) => {}
            (1, _) => parts.push(format!("line {} is not as it was written", names.concat())),
            (all, _) if all > names.len() => {
                let more = all - names.len();
                parts.push(format!(
                    "lines {} and {more} more are not as they were written",
                    names.join(", ")
                ));
            }
            _ => parts.push(format!("lines {} are not as they were written", names.join(", "))),
        }
        match self.missing {
            0 => {}
            1 => parts.push("1 line is missing".to_owned()),
            many => parts.push(format!("{many} lines are missing")),
        }
        match self.heads {
            0 => {}
            1 => parts.push("the first line of 1 segment is not as it was written".to_owned()),
            many => {
                parts.push(format!(
                    "the first lines of {many} segments are not as they were written"
                ));
            }
        }
        if self.digest_differs {
            parts.push("it does not match its own digest".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// Follows the lines of a file by their places.
#[derive(Debug)]
pub(super) struct Tracker {
    next: usize,
    /// Places that are missing so far.
    gaps: Vec<Range<usize>>,
    /// Lines that break off because a run was interrupted or the file was damaged.
    halves: Vec<usize>,
    /// The last line, if it breaks off but has a line end.
    ended_half: Option<usize>,
    pub(super) damage: Damage,
}

impl Tracker {
    pub(super) fn new() -> Self {
        let (gaps, halves) = (Vec::new(), Vec::new());
        Self { next: 1, gaps, halves, ended_half: None, damage: Damage::default() }
    }

    /// Returns whether to use a line that can be read. A line that was there before is not used again.
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
        // It is one of the missing lines.
        let gap = self.gaps.swap_remove(at);
        let parts = [gap.start..place, place + 1..gap.end];
        self.gaps.extend(parts.into_iter().filter(|part| !part.is_empty()));
        true
    }

    /// Counts a line that cannot be read or is not in its place.
    pub(super) fn unread(&mut self, line: usize) {
        self.ended_half = None;
        self.damage.line(line);
    }

    /// Counts a line that breaks off. If nothing is missing, that is no damage: a run was interrupted,
    /// and the lines that a later apply added follow it.
    pub(super) fn half(&mut self, line: usize, is_ended: bool) {
        self.halves.push(line);
        self.ended_half = is_ended.then_some(line);
    }

    /// Returns the damage, once all lines are read. A line that cannot be read takes the place of one
    /// that would otherwise be missing.
    pub(super) fn finish(mut self) -> Damage {
        // Nothing follows it: whatever wrote the line end did not continue.
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

    /// Tracks lines by their places, in order; `None` for a line that cannot be read.
    fn track(lines: &[Option<usize>]) -> (Vec<usize>, String) {
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
    fn damage_is_described_in_words() {
        let all = |last: usize| (1..=last).map(Some).collect::<Vec<_>>();
        assert_eq!(track(&all(4)), (vec![1, 2, 3, 4], String::new()));
        let one = [Some(1), None, Some(3)];
        assert_eq!(track(&one), (vec![1, 3], "line 2 is not as it was written".to_owned()));
        let gone = [Some(1), Some(4)];
        assert_eq!(track(&gone), (vec![1, 4], "2 lines are missing".to_owned()));
        let both = [Some(1), None, Some(5), None, None, None];
        let words = "lines 2, 4, 5 and 1 more are not as they were written";
        assert_eq!(track(&both), (vec![1, 5], words.to_owned()));
        let twice = [Some(1), Some(2), Some(2)];
        assert_eq!(track(&twice), (vec![1, 2], "line 3 is not as it was written".to_owned()));
        let late = [Some(1), Some(3), Some(2), Some(usize::MAX)];
        assert_eq!(track(&late).0, vec![1, 3, 2, usize::MAX]);
    }

    #[test]
    fn half_a_line_is_damage_only_if_a_line_is_missing() {
        let track = |places: [usize; 2]| {
            let mut tracker = Tracker::new();
            assert!(tracker.takes(1, Some(places[0])));
            tracker.half(2, true);
            assert!(tracker.takes(3, Some(places[1])));
            tracker.finish().to_string()
        };
        assert_eq!(track([1, 2]), "");
        assert_eq!(track([1, 3]), "line 2 is not as it was written");
        for (is_ended, words) in [(false, ""), (true, "line 1 is not as it was written")] {
            let mut tracker = Tracker::new();
            tracker.half(1, is_ended);
            assert_eq!(tracker.finish().to_string(), words);
        }
    }
}
