//! Letters that nobody sees, in the names and other values of a file; and letters that turn a line around,
//! wherever they stand in it: with those a reviewer reads another file than the program.
//!
//! Not here: what a policy may be called (`check`), or how such letters are shown (`untrusted`).

use super::outline::Outline;
use super::yaml::slice;
use crate::finding::{Code, Finding};
use crate::source::{FileId, Origin, Span};
use crate::untrusted::hides;

/// Keys whose values are sentences, and may have several lines.
const PROSE: [&str; 2] = ["description", "reason"];

/// The faults of a text that was read.
pub(super) fn check(text: &str, file: FileId) -> Vec<Finding> {
    let outline = if may_hide(text) { Outline::read(text) } else { None };
    let is_prose = |key: Span| PROSE.contains(&slice(text, key));
    let mut found = outline.map(|outline| outline.hidden(is_prose)).unwrap_or_default();
    let words = found.clone();
    let is_in_word = |offset: usize| {
        words.iter().any(|(span, _)| {
            let start = span.offset as usize;
            (start..start.saturating_add(span.len as usize)).contains(&offset)
        })
    };
    let turning = text.char_indices().filter(|(at, letter)| turns(*letter) && !is_in_word(*at));
    found.extend(turning.map(|(at, letter)| (place(text, at, letter), letter)));
    found.iter().map(|(span, letter)| fault(*letter, Origin { file, span: *span })).collect()
}

/// Whether a word of the text can hold such a letter, or a line break, which takes an escape, a block of
/// lines, or an empty line. To read a file a second time takes as long as the first.
fn may_hide(text: &str) -> bool {
    text.contains(['\\', '|', '>'])
        || text.lines().any(|line| line.trim().is_empty())
        || text.chars().any(|letter| !matches!(letter, '\n' | '\r' | '\t') && hides(letter))
}

/// The controls of writing from right to left (Unicode Standard Annex 9, section 2; checked 2026-11).
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

fn place(text: &str, at: usize, letter: char) -> Span {
    let before = text.get(..at).unwrap_or_default();
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        line: small(before.matches('\n').count() + 1),
        column: small(before.rsplit('\n').next().unwrap_or_default().chars().count() + 1),
        offset: small(at),
        len: small(letter.len_utf8()),
    }
}

fn fault(letter: char, origin: Origin) -> Finding {
    let number = u32::from(letter);
    let message = match letter {
        '\n' => "a line break where a name or a word belongs".to_owned(),
        letter if turns(letter) => format!("U+{number:04X} turns the order of letters around"),
        _ => format!("U+{number:04X} is a character that nobody sees"),
    };
    let help = match letter {
        '\n' => "write it on one line",
        _ => "remove it; a group or a role whose name holds it can be named by its id",
    };
    Finding::new(Code::HiddenCharacter, message).at(origin, "in here").help(help)
}
