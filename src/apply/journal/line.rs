//! A line of a journal or of a restore file, with its place in the file and a check sum: so damage shows
//! line by line, also in a file that has no end, and no line that was altered by accident counts. That
//! is no protection against somebody who edits the file on purpose.
//!
//! Not here: what the lines say (`rows`), or what is made of damage (`damage`).

use std::io::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

const PLACE: &[u8] = b",\"line\":";
const SUM: &[u8] = b",\"sum\":\"";
const BEGIN: &[u8] = b"{\"";
const END: &[u8] = b"\"}";

/// How many parts of a line are held against their check sums.
const MOST_TRIES: usize = 200;

/// Two of the longest lines are shorter by far.
const LONGEST: usize = 1 << 14;

/// How many bytes of SHA-256 are kept.
const KEPT: usize = 8;

/// What a line holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Which line it is, from 1. Lines of older programs do not say so.
    pub(super) place: Option<usize>,
    /// The row alone, as JSON.
    pub(super) row: Vec<u8>,
}

/// Writes a row, which is an object, as a line.
pub(super) fn write(
    row: &impl Serialize,
    place: usize,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let mut line = serde_json::to_vec(row)?;
    // The brace comes back at the end.
    line.pop();
    line.extend_from_slice(PLACE);
    line.extend_from_slice(place.to_string().as_bytes());
    let sum = sum(&line);
    line.extend_from_slice(SUM);
    line.extend_from_slice(sum.as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    out.write_all(&line).map_err(serde_json::Error::io)
}

/// Opens a line. One that has no check sum, or another one, is handed on as it is: it reads as a line of
/// an older program, or not at all, because no row has such keys.
pub(super) fn open(line: &[u8]) -> Opened {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    checked(line).unwrap_or_else(|| Opened { place: None, row: line.to_vec() })
}

/// What reads of a line that does not open as one: two lines run together where the end of the first was
/// damaged. Each counts only with its own check sum.
pub(super) fn salvage(line: &[u8]) -> Vec<Opened> {
    let mut all = Vec::new();
    let mut rest = line.get(..line.len().min(LONGEST)).unwrap_or_default();
    // Somebody may write a line that begins and ends everywhere.
    let mut tries = MOST_TRIES;
    while let Some(from) = find(rest, BEGIN).filter(|_| tries > 0) {
        let text = rest.get(from..).unwrap_or_default();
        let mut ends = ends(text).take(tries).inspect(|_| tries -= 1);
        match ends.find_map(|end| Some((end, checked(text.get(..end)?)?))) {
            Some((end, opened)) => {
                all.push(opened);
                rest = text.get(end..).unwrap_or_default();
            }
            None => rest = text.get(BEGIN.len()..).unwrap_or_default(),
        }
    }
    all
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|part| part == word)
}

/// Where a line could end in a text.
fn ends(text: &[u8]) -> impl Iterator<Item = usize> {
    let places = text.windows(END.len()).enumerate();
    let ends = places.filter(|(_, part)| *part == END).map(|(at, _)| at + END.len());
    let has_sum = |end: &usize| {
        let from = end.checked_sub(SUM.len() + 2 * KEPT + END.len());
        from.and_then(|from| text.get(from..)).is_some_and(|text| text.starts_with(SUM))
    };
    ends.filter(has_sum)
}

fn checked(line: &[u8]) -> Option<Opened> {
    let line = line.strip_suffix(END)?;
    let (checked, told) = split(line, SUM)?;
    if told != sum(checked).as_bytes() {
        return None;
    }
    let (row, place) = split(checked, PLACE)?;
    let place = std::str::from_utf8(place).ok()?.parse().ok()?;
    let mut row = row.to_vec();
    row.push(b'}');
    Some(Opened { place: Some(place), row })
}

/// What is before the last of these words, and what is after it.
fn split<'a>(text: &'a [u8], word: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(word.len()).rposition(|part| part == word)?;
    Some((text.get(..at)?, text.get(at + word.len()..)?))
}

fn sum(text: &[u8]) -> String {
    Sha256::digest(text).iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

/// The place of the line that comes after all these.
pub(super) fn next_place(text: &[u8]) -> usize {
    let mut next = 1;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match open(line).place {
            Some(place) => next = next.max(place.saturating_add(1)),
            // Half a line takes no place: what comes next is written in its stead.
            None if !is_half(line) => next += 1,
            None => {}
        }
    }
    next
}

/// Whether a line begins as one of ours, and breaks off.
pub(super) fn is_half(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        Err(error) => error.is_eof() && (line.is_empty() || line.starts_with(b"{")),
        Ok(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_byte_that_is_altered_shows() {
        let row = serde_json::json!({ "intent": { "number": 3, "name": "a,\"sum\":\"b" } });
        let mut line = Vec::new();
        write(&row, 7, &mut line).unwrap();
        let whole = open(&line);
        assert_eq!(whole, Opened { place: Some(7), row: row.to_string().into_bytes() });
        let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((json["line"].as_u64(), &json["intent"]), (Some(7), &row["intent"]));
        for at in 0..line.len() - 1 {
            for altered in [b'0', b'1', b'x', b'"', b'}', b' ', 0xff, line[at] ^ 1] {
                let mut line = line.clone();
                if line[at] == altered {
                    continue;
                }
                line[at] = altered;
                assert_eq!(open(&line).place, None, "{at}: {altered}");
                line.remove(at);
                assert_eq!(open(&line).place, None, "{at} is missing");
            }
        }
    }

    #[test]
    fn lines_that_run_together_are_told_apart() {
        let mut text = Vec::new();
        for place in 1..=3 {
            write(&serde_json::json!({ "a": { "b": "}{" } }), place, &mut text).unwrap();
        }
        let places = |text: &[u8]| -> Vec<usize> {
            salvage(text).into_iter().filter_map(|opened| opened.place).collect()
        };
        let joined: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').collect();
        assert_eq!(places(&joined), [1, 2, 3]);
        assert_eq!(
            places(&text.iter().map(|b| if *b == b'\n' { b'0' } else { *b }).collect::<Vec<_>>()),
            [1, 2, 3]
        );
        assert_eq!(places(&joined[1..]), [2, 3]);
        assert!(places(b"{\"a\":1}{\"b\":2}").is_empty());
        assert!(places(&vec![b'{'; 1 << 20]).is_empty());
    }

    #[test]
    fn what_comes_next_follows_the_last_place() {
        let mut text = Vec::new();
        let row = serde_json::json!({ "a": 1 });
        (1..=3).for_each(|place| write(&row, place, &mut text).unwrap());
        assert_eq!(next_place(&text), 4);
        text.extend_from_slice(b"{\"a\":");
        assert_eq!(next_place(&text), 4, "half a line is written anew");
        assert_eq!(next_place(b"{\"a\":1}\n{\"a\":2}\n"), 3, "an older program's");
        assert_eq!(next_place(b""), 1);
    }
}
