//! Whether SMS sign-in is on for the registered mobile phone: `phones.mobile.smsSignIn`. It is a separate
//! setting because it is written separately, although it is part of the phone's block.
//!
//! Not here: whether the tenant allows SMS sign-in for the user (`tenant::method_policy`).

use std::fmt;

use super::digest::{Node, map, word};
use super::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use super::{RuleResult, Value};
use crate::tenant::directory::User;
use crate::tenant::facts::{Facts, Methods, Phone, Read, SmsSignIn, UnknownReason};
use crate::tenant::lookup::UserFact;

/// SMS sign-in, as a setting.
#[derive(Debug)]
pub struct SmsSignInSetting;

/// `smsSignIn`, checked: whether it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SmsSignInRule(pub bool);

impl SettingKind for SmsSignInSetting {
    type Rule = SmsSignInRule;

    const KEY: &'static str = "phones.mobile.smsSignIn";
    const NAME: &'static str = "SMS sign-in";
    const FACT: UserFact = UserFact::Methods;
    const COUNTED_AS: CountedAs = CountedAs::Preference;
    // It goes away with its phone.
    const REMOVAL: Removal = Removal::Along;

    /// Returns the observed value: `Nothing` without a phone.
    fn from_facts(facts: &Facts) -> Value {
        match &facts.methods {
            Read::Unknown(why) => Value::Unknown(*why),
            Read::Known(methods) => match (methods.mobile, methods.sms_sign_in) {
                (Phone::None, _) => Value::Nothing,
                (_, SmsSignIn::Off | SmsSignIn::Taken) => Value::Switch(false),
                (_, SmsSignIn::On) => Value::Switch(true),
                (_, SmsSignIn::Unknown) => Value::Unknown(UnknownReason::Failed),
            },
        }
    }

    fn from_rule(rule: &SmsSignInRule, _: &User, observed: Value) -> RuleResult {
        RuleResult::if_known(observed, Self::wanted(rule))
    }

    fn wanted(SmsSignInRule(on): &SmsSignInRule) -> Value {
        Value::Switch(*on)
    }

    fn meaning(SmsSignInRule(on): &SmsSignInRule) -> Node {
        map([("smsSignIn", word(on))])
    }

    fn applied(after: Value, mut facts: Facts) -> Facts {
        if let Value::Switch(on) = after {
            let sms_sign_in = if on { SmsSignIn::On } else { SmsSignIn::Off };
            facts.methods = facts.methods.map(|methods| Methods { sms_sign_in, ..methods });
        }
        facts
    }

    /// Returns that nothing changes: SMS sign-in is a first factor, and MFA is required as before.
    fn effect(_: Value, _: Value) -> Effect {
        Effect::None
    }

    /// Returns that the number becomes a first factor.
    fn looser(before: Option<&SmsSignInRule>, SmsSignInRule(on): &SmsSignInRule) -> Vec<Looser> {
        let was_on = before.is_some_and(|SmsSignInRule(on)| *on);
        if *on && !was_on { vec![Looser::Value] } else { Vec::new() }
    }

    /// Returns whether another user can sign in with the number already.
    fn concerns_others(SmsSignInRule(on): &SmsSignInRule) -> bool {
        *on
    }
}

impl fmt::Display for SmsSignInRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SmsSignInSetting::wanted(self).fmt(f)
    }
}
