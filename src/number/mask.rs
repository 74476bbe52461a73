//! A number as a person may see it: country code, first digit, bullets, last two digits.
//!
//! The first national digit tells a mobile from a fixed line in most countries, the last two let
//! somebody recognise a number they know. Neither is enough to dial it.

use std::fmt;

use super::{PhoneNumber, behind_one};

/// Numbers with fewer national digits than this show their last two only.
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
            // Always three, so that not even the length of an extension shows.
            masked.push_str("x•••");
        }
        f.pad(&masked)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}
