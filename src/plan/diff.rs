//! The changes of one user: where what was observed does not meet what is desired.

use crate::desired::{Desired, Outcome, Said};
use crate::settings::change::Change;
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::UserIndex;

/// The changes, setting by setting. What is unmanaged cannot differ, and what is unknown was never
/// desired to be otherwise. A mobile phone that is written may sign the user in by text from then
/// on, so what is wanted of that goes with it.
#[must_use]
pub fn diff(user: UserIndex, observed: &Values, desired: &Desired) -> Vec<Change> {
    let said = |setting: Setting| {
        let wanted = |said: &&Said| matches!(said.outcome, Outcome::Wanted(_));
        desired.said.iter().filter(wanted).find(|said| said.setting == setting)
    };
    let differs = |setting| !observed.get(setting).meets(desired.values.get(setting));
    let writes_mobile = differs(Setting::MobilePhone)
        && matches!(desired.values.get(Setting::MobilePhone), Value::Phone(_));
    let follows = |setting| setting == Setting::SmsSignIn && writes_mobile;
    Setting::ALL
        .into_iter()
        .filter(|setting| differs(*setting) || follows(*setting))
        .filter_map(|setting| {
            let said = said(setting)?;
            let (before, after) = (observed.get(setting), desired.values.get(setting));
            let (policy, mandate) = (said.policy, said.mandate);
            Some(Change { user, setting, before, after, policy, mandate })
        })
        .collect()
}
