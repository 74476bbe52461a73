//! Whether a text or a call reaches a number, and until when anybody sends them.

use jiff::civil::{Date, date};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

use super::standing::Standing;
use super::strength::Mode;

/// Microsoft's page on the retirement of its texts and calls, of 2026-06-10. The dates have moved
/// before.
const ENDS: Date = date(2027, 2, 1);
const ENDS_FOR_ADMINISTRATORS_AND_VISITORS: Date = date(2027, 7, 1);

/// Whether Microsoft no longer sends this person texts or calls on that day.
pub(super) fn delivery_ended(standing: &Standing, on: Date) -> bool {
    // Internal guests, whose accounts live here, are not visitors in this sense.
    let later = standing.is_global_administrator() || standing.external;
    on >= if later { ENDS_FOR_ADMINISTRATORS_AND_VISITORS } else { ENDS }
}

/// Whether a number as Graph stores it (`+31 612345678`) can take a text or a call.
pub(super) fn reachable(number: &str, mode: Mode) -> bool {
    // Graph stores the international form; anything else was never delivered to.
    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(number, None) else {
        return false;
    };
    if !PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
        return false;
    }
    if mode == Mode::Voice {
        return true;
    }
    // An extension means a switchboard, and a switchboard takes no texts.
    let extended = parsed.extension.as_deref().is_some_and(|digits| !digits.is_empty());
    !extended
        && matches!(
            PHONE_NUMBER_UTIL.get_number_type(&parsed),
            // Where a numbering plan does not tell the two apart, the line gets the benefit.
            PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
        )
}
