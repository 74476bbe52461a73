//! Letters that nobody sees, or that change how others are seen.
//!
//! Rust's own `escape_debug` knows control and format characters, private and unassigned ones and most
//! separators (Unicode general categories Cc, Cf, Co, Cn, Zl, Zp, Zs). It lets some through that are shown
//! as nothing or as a blank: those of the property `Default_Ignorable_Code_Point` that are letters or marks
//! (Unicode 16, `DerivedCoreProperties.txt`, checked 2026-11), and a few more. They are listed here.

/// So many marks over one letter are a word of some language; more are noise that covers other lines.
pub(super) const MOST_MARKS: usize = 4;

/// Whether a letter is never shown as it is. Private letters count: nobody knows what they look like. The
/// no-break space and the wide space of Chinese and Japanese names do not: they are seen as blanks.
#[must_use]
pub fn hides(letter: char) -> bool {
    match letter {
        ' '..='~' | '\u{a0}' | '\u{3000}' => false,
        '\u{34f}' // combining grapheme joiner
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' // vowels of Khmer that are not written
        | '\u{180b}'..='\u{180f}' // variations in Mongolian
        | '\u{2800}' // a pattern of Braille without a dot
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' // variations
        | '\u{16fe4}' | '\u{1d159}' // a filler of Khitan, a note without a head
        | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => is_unprintable(letter),
    }
}

/// Whether a letter is drawn over the one before it.
#[must_use]
pub fn is_mark(letter: char) -> bool {
    !letter.is_ascii() && letter.escape_debug().len() > 1 && !is_unprintable(letter)
}

/// By Rust's table. Behind another letter, a mark is printable.
fn is_unprintable(letter: char) -> bool {
    if matches!(letter, ' '..='~') {
        return false;
    }
    let mut two = [0; 5];
    let (first, rest) = two.split_at_mut(1);
    first.fill(b'a');
    let length = 1 + letter.encode_utf8(rest).len();
    let text = two.get(..length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    text.escape_debug().nth(2).is_some()
}
