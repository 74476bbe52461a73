//! The changes of one user: the settings whose observed value does not meet the desired one.
//!
//! Not here: whether a change is safe (`guard`).

use crate::desired::{DecisionResult, Desired, SettingDecision};
use crate::settings::change::Change;
use crate::settings::{Setting, Value, Values};
use crate::tenant::directory::UserIndex;

/// Returns the changes, setting by setting. An unmanaged setting cannot differ, and no other value is
/// ever desired for an unknown one. Writing a mobile phone can switch SMS sign-in on, so the wanted
/// value of SMS sign-in is written with it.
#[must_use]
pub fn diff(user: UserIndex, observed: &Values, desired: &Desired) -> Vec<Change> {
    let said = |setting: Setting| {
        let wanted = |said: &&SettingDecision| matches!(said.outcome, DecisionResult::Wanted(_));
        desired.said.iter().filter(wanted).find(|said| said.setting == setting)
    };
    let differs = |setting| !observed.get(setting).meets(desired.values.get(setting));
    let writes_mobile = differs(Setting::MobilePhone)
        && matches!(desired.values.get(Setting::MobilePhone), Value::Phone(_));
    let settles = writes_mobile && !desired.values.get(Setting::SmsSignIn).is_unknown();
    let follows = |setting| setting == Setting::SmsSignIn && settles;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::PhoneNumber;
    use crate::settings::change::{Mandate, PolicyIndex};
    use crate::tenant::facts::{Facts, Methods, Read, SmsSignIn};

    #[test]
    fn unknown_sms_sign_in_is_not_written_with_the_mobile_phone() {
        let number = |text| PhoneNumber::from_graph(text).unwrap();
        for (sms_sign_in, expected) in [
            (SmsSignIn::On, vec![Setting::MobilePhone, Setting::SmsSignIn]),
            (SmsSignIn::Unknown, vec![Setting::MobilePhone]),
        ] {
            let methods = Methods::default().with_mobile(number("+31 612345678"));
            let methods = Read::Known(Methods { sms_sign_in, ..methods });
            let observed = Values::observed(&Facts { methods, ..Facts::NOT_READ });
            let mut values = observed;
            values.set(Setting::MobilePhone, Value::Phone(number("+31 612345679")));
            let (policy, mandate) = (PolicyIndex::new(0), Mandate::default());
            let outcome = DecisionResult::Wanted(None);
            let said = [Setting::MobilePhone, Setting::SmsSignIn].map(|setting| SettingDecision {
                setting,
                policy,
                outcome,
                mandate,
            });
            let desired = Desired { values, said: said.into() };
            let changes = diff(UserIndex::new(0), &observed, &desired);
            let settings: Vec<Setting> = changes.iter().map(|change| change.setting).collect();
            assert_eq!(settings, expected);
        }
    }
}
