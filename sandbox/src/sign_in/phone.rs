//! Whether a text or a call reaches a number, and until when Microsoft sends them.
//!
//! Not here: whether the tenant allows texts and calls (`candidates`).

use jiff::civil::{Date, date};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

use super::standing::Standing;
use super::strength::Mode;

/// Microsoft's page of 2026-06-10 on the retirement of its texts and calls. The dates have changed
/// before.
const ENDS: Date = date(2027, 2, 1);
const ENDS_FOR_ADMINISTRATORS_AND_VISITORS: Date = date(2027, 7, 1);

/// Whether Microsoft no longer sends texts and calls to this user on that day.
pub(super) fn delivery_ended(standing: &Standing, on: Date) -> bool {
    // Internal guests have their accounts in this tenant, so they are not visitors in this sense.
    let later = standing.is_global_administrator() || standing.external;
    on >= if later { ENDS_FOR_ADMINISTRATORS_AND_VISITORS } else { ENDS }
}

/// Whether a number as Graph stores it (`+31 612345678`) can take a text or a call.
pub(super) fn reachable(number: &str, mode: Mode) -> bool {
    // Graph stores the international form; a number in another form was never delivered to.
    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(number, None) else {
        return false;
    };
    if !PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
        return false;
    }
    if mode == Mode::Voice {
        return true;
    }
    // A number with an extension is a switchboard, which takes no texts.
    let extended = parsed.extension.as_deref().is_some_and(|digits| !digits.is_empty());
    !extended
        && matches!(
            PHONE_NUMBER_UTIL.get_number_type(&parsed),
            // If the numbering plan does not distinguish the two, the line counts as a mobile.
            PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
        )
}
