//! A line of a journal or of a restore file, with its place in the file and a checksum. Damage shows
//! line by line, even in a file without an end, and a line that was altered by accident does not count.
//! This is no protection against deliberate edits.
//!
//! Not here: the content of the lines (`rows`), or how damage is reported (`damage`).

use std::io::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

const PLACE: &[u8] = b",\"line\":";
const SUM: &[u8] = b",\"sum\":\"";
const BEGIN: &[u8] = b"{\"";
const END: &[u8] = b"\"}";

/// Maximum number of parts of a line whose checksums are compared.
const MOST_TRIES: usize = 200;

/// Maximum number of bytes that are searched. Two of the longest lines are much shorter.
const LONGEST: usize = 1 << 14;

/// Number of bytes of the SHA-256 hash that are kept.
const KEPT: usize = 8;

/// The content of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Number of the line, from 1. Lines of older versions do not have it.
    pub(super) place: Option<usize>,
    /// The row alone, as JSON.
    pub(super) row: Vec<u8>,
}

/// Writes a row, which must serialise as an object, as a line.
pub(super) fn write(
    row: &impl Serialize,
    place: usize,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let mut line = serde_json::to_vec(row)?;
    // The closing brace is added at the end.
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

/// Opens a line. A line without a checksum, or with another one, is returned as it is: it reads as a
/// line of an older version, or not at all, because no row has these keys.
pub(super) fn open(line: &[u8]) -> Opened {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    checked(line).unwrap_or_else(|| Opened { place: None, row: line.to_vec() })
}

/// Returns the readable parts of a line that does not open as one: two lines run together if the end of
/// the first was damaged. Each part counts only with its own checksum.
pub(super) fn salvage(line: &[u8]) -> Vec<Opened> {
    let mut all = Vec::new();
    let mut rest = line.get(..line.len().min(LONGEST)).unwrap_or_default();
    // A hostile line can begin and end everywhere.
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

/// Returns the places where a line could end in a text.
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
    let (checked, noted_sum) = split(line, SUM)?;
    if noted_sum != sum(checked).as_bytes() {
        return None;
    }
    let (row, place) = split(checked, PLACE)?;
    let place = std::str::from_utf8(place).ok()?.parse().ok()?;
    let mut row = row.to_vec();
    row.push(b'}');
    Some(Opened { place: Some(place), row })
}

/// Returns the text before the last occurrence of the word, and the text after it.
fn split<'a>(text: &'a [u8], word: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(word.len()).rposition(|part| part == word)?;
    Some((text.get(..at)?, text.get(at + word.len()..)?))
}

fn sum(text: &[u8]) -> String {
    Sha256::digest(text).iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the place of the line that comes after all these.
pub(super) fn next_place(text: &[u8]) -> usize {
    let mut next = 1;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match open(line).place {
            Some(place) => next = next.max(place.saturating_add(1)),
            // Half a line takes no place: the next line takes it instead.
            None if !is_half(line) => next += 1,
            None => {}
        }
    }
    next
}

/// Returns whether a line begins as a journal line and breaks off.
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
    fn every_altered_or_missing_byte_is_detected() {
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
    fn lines_that_run_together_are_separated() {
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
    fn next_place_follows_the_last_place() {
        let mut text = Vec::new();
        let row = serde_json::json!({ "a": 1 });
        (1..=3).for_each(|place| write(&row, place, &mut text).unwrap());
        assert_eq!(next_place(&text), 4);
        text.extend_from_slice(b"{\"a\":");
        assert_eq!(next_place(&text), 4, "half a line is written again");
        assert_eq!(next_place(b"{\"a\":1}\n{\"a\":2}\n"), 3, "lines of an older version");
        assert_eq!(next_place(b""), 1);
    }
}
