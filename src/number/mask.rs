//! Shows a number masked: country code, first digit, bullets, last two digits.
//!
//! In most countries, the first national digit tells a mobile from a fixed line. With the last two digits, a
//! user can recognise a known number. All of them are not enough to dial it.
//!
//! Not here: numbers in full (the module above).

use std::fmt;
use std::sync::Arc;

use super::{Form, PhoneNumber, behind_one};

/// Numbers with fewer national digits than this show only their last two.
const FIRST_DIGIT_FROM: usize = 7;

const SHOWN_AT_THE_END: usize = 2;

/// What is shown of an extension.
const EXTENSION: &str = "x•••";

/// What is shown of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaskParts {
    pub(super) country: u16,
    /// The number of national digits, at most 31.
    length: u8,
    /// The first digit, and the last two. A digit that is not shown is 0.
    first: u8,
    last: [u8; SHOWN_AT_THE_END],
    pub(super) has_extension: bool,
}

impl MaskParts {
    /// Returns everything but the country in the low 18 bits.
    pub(super) const fn packed(self) -> u32 {
        let Self { length, first, last: [one, other], has_extension, .. } = self;
        let digits = (first as u32) << 8 | (one as u32) << 4 | other as u32;
        (has_extension as u32) << 17 | (length as u32) << 12 | digits
    }

    pub(super) const fn unpacked(country: u16, packed: u32) -> Self {
        Self {
            country,
            length: (packed >> 12 & 0x1f) as u8,
            first: (packed >> 8 & 0xf) as u8,
            last: [(packed >> 4 & 0xf) as u8, (packed & 0xf) as u8],
            has_extension: packed >> 17 & 1 == 1,
        }
    }

    /// Reads a mask.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mask = MaskedNumber::parse(text)?.0;
        let (country, national) = mask.strip_prefix('+')?.split_once(' ')?;
        let (national, has_extension) = match national.strip_suffix(EXTENSION) {
            Some(national) => (national, true),
            None => (national, false),
        };
        let digits = national.chars().map(|letter| letter.to_digit(10));
        let digits: Vec<Option<u8>> =
            digits.map(|digit| digit.and_then(|digit| digit.try_into().ok())).collect();
        Self::of(country.parse().ok()?, &digits, has_extension)
    }

    fn of(country: u16, digits: &[Option<u8>], has_extension: bool) -> Option<Self> {
        let length = digits.len();
        let at = |place: Option<usize>| place.and_then(|at| digits.get(at).copied().flatten());
        let first = if length >= FIRST_DIGIT_FROM { at(Some(0)) } else { None };
        let last = [at(length.checked_sub(2)), at(length.checked_sub(1))];
        Some(Self {
            country,
            length: length.try_into().ok().filter(|length| *length < 32)?,
            first: first.unwrap_or(0),
            last: last.map(|digit| digit.unwrap_or(0)),
            has_extension,
        })
    }
}

impl fmt::Display for MaskParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = usize::from(self.length);
        let mut masked = format!("+{} ", self.country);
        for place in 0..length {
            let [one, other] = self.last;
            let digit = match length - place {
                1 => Some(other),
                2 => Some(one),
                _ if place == 0 && length >= FIRST_DIGIT_FROM => Some(self.first),
                _ => None,
            };
            masked.push(digit.map_or('•', |digit| char::from(b'0' + digit)));
        }
        if self.has_extension {
            // Always three, so that the length of the extension stays hidden.
            masked.push_str(EXTENSION);
        }
        f.pad(&masked)
    }
}

impl PhoneNumber {
    pub(super) fn shown(&self) -> MaskParts {
        if self.form == Form::Recorded {
            return MaskParts::unpacked(self.country, self.extension);
        }
        let text = behind_one(self.national);
        let digits: Vec<Option<u8>> = text.bytes().map(|byte| byte.checked_sub(b'0')).collect();
        let shown = MaskParts::of(self.country, &digits, self.has_extension());
        // At most 17 digits fit into a number.
        shown.unwrap_or(MaskParts::unpacked(self.country, 0))
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
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
        let national = national.strip_suffix(EXTENSION).unwrap_or(national);
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
