//! Characters that are invisible, or that change how other characters are shown.
//!
//! Rust's `escape_debug` escapes control, format, private-use and unassigned characters, and every separator
//! but the space (Unicode general categories Cc, Cf, Co, Cn, Zl, Zp, Zs; rust-lang/rust,
//! `library/core/src/unicode/printable.py`, checked 2026-11). It keeps some characters that are shown as
//! nothing or as a blank: the letters and marks among `Default_Ignorable_Code_Point` (Unicode 16,
//! `DerivedCoreProperties.txt`, checked 2026-11), and a few more. This module lists those.
//!
//! Not here: how such characters are escaped (the module above).

/// The most marks on one letter that are kept. Words of some languages need as many; more marks are noise
/// that covers other lines.
pub(super) const MOST_MARKS: usize = 4;

/// Whether a character is always escaped. Private-use characters are, because their look is unknown. The
/// no-break space and the wide space of Chinese and Japanese names are not: they are visible blanks.
#[must_use]
pub fn hides(letter: char) -> bool {
    match letter {
        ' '..='~' | '\u{a0}' | '\u{3000}' => false,
        '\u{34f}' // combining grapheme joiner
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' // inherent vowels of Khmer, not written
        | '\u{180b}'..='\u{180f}' // Mongolian variation selectors and vowel separator
        | '\u{2800}' // Braille pattern without dots
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' // variation selectors
        | '\u{16fe4}' | '\u{1d159}' // Khitan filler, musical null notehead
        | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => is_unprintable(letter),
    }
}

/// Whether a character is a mark, which is drawn on the letter before it.
#[must_use]
pub fn is_mark(letter: char) -> bool {
    !letter.is_ascii() && letter.escape_debug().len() > 1 && !is_unprintable(letter)
}

/// Whether Rust's table says so. The character is placed after a letter, because a mark alone would always
/// be escaped.
fn is_unprintable(letter: char) -> bool {
    if matches!(letter, ' '..='~') {
        return false;
    }
    let mut buffer = [0; 5];
    let (first, rest) = buffer.split_at_mut(1);
    first.fill(b'a');
    let length = 1 + letter.encode_utf8(rest).len();
    let text =
        buffer.get(..length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    text.escape_debug().nth(2).is_some()
}
