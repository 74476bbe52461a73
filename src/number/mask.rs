//! Shows a number masked: country code, first digit, bullets, last two digits.
//!
//! In most countries, the first national digit tells a mobile from a fixed line. With the last two digits, a
//! user can recognise a known number. All of them are not enough to dial it.
//!
//! Not here: numbers in full (the module above).

use std::fmt;
use std::sync::Arc;

use super::{PhoneNumber, behind_one};

/// Numbers with fewer national digits than this show only their last two.
const FIRST_DIGIT_FROM: usize = 7;

const SHOWN_AT_THE_END: usize = 2;

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = behind_one(self.national);
        let first = usize::from(digits.len() >= FIRST_DIGIT_FROM);
        let mut masked = format!("+{} ", self.country);
        for (place, digit) in digits.chars().enumerate() {
            let shown = place < first || place + SHOWN_AT_THE_END >= digits.len();
            masked.push(if shown { digit } else { '•' });
        }
        if self.has_extension() {
            // Always three, so that the length of the extension stays hidden.
            masked.push_str("x•••");
        }
        f.pad(&masked)
    }
}

/// A number of which only the mask is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaskedNumber(Arc<str>);

impl MaskedNumber {
    /// Returns the mask, if the text is one. A number with more digits than a mask shows is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (country, national) = text.strip_prefix('+')?.split_once(' ')?;
        let national = national.strip_suffix("x•••").unwrap_or(national);
        let is_country = (1..=3).contains(&country.len())
            && country.chars().all(|letter| letter.is_ascii_digit());
        let length = national.chars().count();
        let first = usize::from(length >= FIRST_DIGIT_FROM);
        let is_masked = national.chars().enumerate().all(|(place, letter)| {
            match place < first || place + SHOWN_AT_THE_END >= length {
                true => letter.is_ascii_digit(),
                false => letter == '•',
            }
        });
        (is_country && is_masked && (1..=20).contains(&length)).then(|| Self(text.into()))
    }
}

impl fmt::Display for MaskedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_masks_are_masked_numbers() {
        for number in ["+31612345678", "+4420794609581x123", "+3541234", "+47123456"] {
            let number = PhoneNumber::from_graph(number).unwrap().to_string();
            assert_eq!(MaskedNumber::parse(&number).unwrap().to_string(), number);
        }
        for text in [
            "+31 612345678",
            "+31612345678",
            "+31 6••••5678",
            "+3161 6••••••78",
            "6••••••78",
            "+31 6••••••78x123",
            "+31 ••••\n••78",
            "",
        ] {
            assert_eq!(MaskedNumber::parse(text), None, "{text}");
        }
    }
}
