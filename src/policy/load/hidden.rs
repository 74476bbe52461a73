//! Finds invisible characters in the keys and values of a file, and characters that change the direction of
//! the text anywhere in it. With them, a reviewer would read something else than the program does.
//!
//! Not here: valid policy names (`check`), or how such characters are shown (`untrusted`).

use super::outline::Outline;
use super::yaml::slice;
use crate::finding::{Code, Finding};
use crate::source::{FileId, Origin, Span};
use crate::untrusted::hides;

/// Keys whose values are sentences and can have several lines.
const PROSE: [&str; 2] = ["description", "reason"];

/// Returns a finding for each such character of a text that was parsed. A key or value has one at most.
pub(super) fn check(text: &str, file: FileId) -> Vec<Finding> {
    let outline = if may_hide(text) { Outline::read(text) } else { None };
    let is_prose = |key: Span| PROSE.contains(&slice(text, key));
    let mut found = outline.map(|outline| outline.hidden(is_prose)).unwrap_or_default();
    let values = found.clone();
    let is_reported = |offset: usize| {
        values.iter().any(|(span, _)| {
            let start = span.offset as usize;
            (start..start.saturating_add(span.len as usize)).contains(&offset)
        })
    };
    let turning = text.char_indices().filter(|(at, letter)| turns(*letter) && !is_reported(*at));
    found.extend(turning.map(|(at, letter)| (place(text, at, letter), letter)));
    found.iter().map(|(span, letter)| fault(*letter, Origin { file, span: *span })).collect()
}

/// Whether a value of the text can contain such a character or a line break. A line break in a value needs an
/// escape, a block scalar, or an empty line. This check is here because a second parse takes as long as the
/// first.
fn may_hide(text: &str) -> bool {
    text.contains(['\\', '|', '>'])
        || text.lines().any(|line| line.trim().is_empty())
        || text.chars().any(|letter| !matches!(letter, '\n' | '\r' | '\t') && hides(letter))
}

/// Whether a character controls the direction of text (Unicode Standard Annex 9, section 2; checked
/// 2026-11).
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
        '\n' => "a name or value contains a line break".to_owned(),
        letter if turns(letter) => format!("U+{number:04X} changes the direction of the text"),
        _ => format!("U+{number:04X} is an invisible character"),
    };
    let help = match letter {
        '\n' => "write it on one line",
        _ => "remove it; if the name of a group or role contains it, use the id instead",
    };
    Finding::new(Code::HiddenCharacter, message).at(origin, "in here").help(help)
}
