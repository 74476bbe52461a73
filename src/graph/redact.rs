//! Removes everything from a text that may be a phone number.
//!
//! It is used for texts from other systems. Not here: the masked form of a known phone number (`number`).

/// The smallest number of digits in a row that may be a phone number.
const PRIVATE_FROM: usize = 5;

const GUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Replaces runs of five or more digits by `…`, also with the usual separators between them. A GUID stays,
/// because it identifies an object.
pub(super) fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match guid(rest) {
            // A GUID does not begin inside another word.
            Some(length) if !shown.ends_with(|c: char| c.is_ascii_alphanumeric()) => (length, true),
            _ => match run(rest) {
                Some((length, digits)) => (length, digits < PRIVATE_FROM),
                None => (first.len_utf8(), true),
            },
        };
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        shown.push_str(if keep { taken } else { "…" });
        rest = after;
    }
    shown
}

/// Returns the length of the run of digits at the start of the text, up to its last digit, and the number of
/// its digits.
fn run(text: &str) -> Option<(usize, usize)> {
    let (mut length, mut digits) = (0, 0);
    for (place, character) in text.char_indices() {
        if character.is_numeric() {
            digits += 1;
            length = place + character.len_utf8();
        } else if !is_between(character) || (digits == 0 && !matches!(character, '+' | '(')) {
            break;
        }
    }
    (digits > 0).then_some((length, digits))
}

/// Returns whether this is a separator inside phone numbers, as in the parser of numbers, or an underscore.
fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '+' | '(' | ')' | '-' | '.' | '/' | '_' | '\u{ad}' | '\u{2010}'..='\u{2015}'
                | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Returns the length of the GUID at the start of the text.
fn guid(text: &str) -> Option<usize> {
    let mut rest = text;
    for (place, length) in GUID.into_iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix('-')?;
        }
        let (group, after) = rest.split_at_checked(length)?;
        if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after;
    }
    let ends = !rest.starts_with(|character: char| character.is_ascii_alphanumeric());
    ends.then_some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn phone_numbers_are_removed_and_the_rest_stays() {
        let texts = [
            ("", ""),
            ("phone +31 612345678 is taken", "phone … is taken"),
            ("+1 (212) 555-0123x45", "…x45"),
            ("'0612345678'", "'…'"),
            ("06.12.34.56.78, 99", "…, 99"),
            ("%2B31612345678", "%2B…"),
            ("at most 20 parts, 4 MB", "at most 20 parts, 4 MB"),
            (
                "id 7b795fb9-09d3-42f4-a494-386641990000!",
                "id 7b795fb9-09d3-42f4-a494-386641990000!",
            ),
            ("12345678-1234-1234-1234-123456789012", "12345678-1234-1234-1234-123456789012"),
            ("12345678-1234-1234-1234-1234567890123", "…"),
            ("٠٦١٢٣٤٥٦٧٨", "…"),
        ];
        for (text, shown) in texts {
            assert_eq!(without_numbers(text), shown, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_number_survives(before in "[a-z ,'\"]{0,9}", number in "\\+?[1-9][0-9]{4,12}", after in "[a-z ,'\"]{0,9}") {
            let shown = without_numbers(&format!("{before}{number}{after}"));
            prop_assert!(!shown.contains(|character: char| character.is_ascii_digit()), "{}", shown);
        }

        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = without_numbers(&text);
        }
    }
}
