//! Shows a number masked: country code, first digit, bullets, last two digits.
//!
//! In most countries, the first national digit tells a mobile from a fixed line. With the last two digits, a
//! user can recognise a known number. All of them are not enough to dial it.
//!
//! Not here: numbers in full (the module above).

use std::fmt;

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

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}
