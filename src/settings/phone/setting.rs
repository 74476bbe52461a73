//! The three phones as settings. They differ in their words, in the method that they register, and in which
//! numbers they take.
//!
//! Not here: the result of a rule for a user (the module above).

use super::{IfRegistered, NumberSource, PhoneRule, RegionRule, from_facts, from_rule};
use crate::number::Region;
use crate::settings::change::Action;
use crate::settings::digest::{Node, map, perhaps, word};
use crate::settings::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use crate::settings::{RuleResult, Setting, Value};
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, MethodKind, Phone};
use crate::tenant::lookup::{Extra, UserFact};

/// What one of the three phones has of its own.
pub trait PhoneSetting {
    const KEY: &'static str;
    const NAME: &'static str;
    const SETTING: Setting;
    const METHOD: MethodKind;
}

/// The mobile phone, as a setting.
#[derive(Debug)]
pub struct MobilePhoneSetting;

/// The alternate mobile phone, as a setting.
#[derive(Debug)]
pub struct AlternateMobilePhoneSetting;

/// The office phone, as a setting.
#[derive(Debug)]
pub struct OfficePhoneSetting;

impl PhoneSetting for MobilePhoneSetting {
    const KEY: &'static str = "phones.mobile";
    const NAME: &'static str = "mobile phone";
    const SETTING: Setting = Setting::MobilePhone;
    const METHOD: MethodKind = MethodKind::MobilePhone;
}

impl PhoneSetting for AlternateMobilePhoneSetting {
    const KEY: &'static str = "phones.alternateMobile";
    const NAME: &'static str = "alternate mobile";
    const SETTING: Setting = Setting::AlternateMobilePhone;
    const METHOD: MethodKind = MethodKind::AlternateMobilePhone;
}

impl PhoneSetting for OfficePhoneSetting {
    const KEY: &'static str = "phones.office";
    const NAME: &'static str = "office phone";
    const SETTING: Setting = Setting::OfficePhone;
    const METHOD: MethodKind = MethodKind::OfficePhone;
}

impl<P: PhoneSetting> SettingKind for P {
    type Rule = PhoneRule;

    const KEY: &'static str = P::KEY;
    const NAME: &'static str = P::NAME;
    const PHONE: Option<MethodKind> = Some(P::METHOD);
    const FACT: UserFact = UserFact::Methods;
    const COUNTED_AS: CountedAs = CountedAs::Phone;
    const REMOVAL: Removal = Removal::Written;

    fn from_facts(facts: &Facts) -> Value {
        from_facts(P::METHOD, facts)
    }

    fn from_rule(rule: &PhoneRule, user: &User, observed: Value) -> RuleResult {
        from_rule(rule, P::SETTING, user, observed)
    }

    /// Returns no value: the number depends on the user.
    fn wanted(_: &PhoneRule) -> Value {
        Value::Nothing
    }

    fn meaning(rule: &PhoneRule) -> Node {
        match rule {
            PhoneRule::Absent => map([("absent", Node::Nothing)]),
            PhoneRule::Number(source) => source.meaning(),
        }
    }

    fn applied(after: Value, mut facts: Facts) -> Facts {
        match after {
            Value::Phone(number) => {
                let phone = Phone::Number(number);
                facts.methods = facts.methods.map(|methods| methods.with_phone(P::METHOD, phone));
            }
            Value::Nothing => {
                facts.methods =
                    facts.methods.map(|methods| methods.with_phone(P::METHOD, Phone::None));
                // Entra deletes the phone of the default method only as the last method, and without
                // methods there is no default.
                facts.default_method = facts
                    .default_method
                    .map(|default| default.filter(|method| method.phone() != Some(P::METHOD)));
            }
            _ => {}
        }
        facts
    }

    fn effect(before: Value, after: Value) -> Effect {
        match Action::between(before, after) {
            Action::Delete => Effect::Weakens,
            Action::Create | Action::Update => Effect::None,
        }
    }

    /// Returns that a number is removed or overwritten, or that it can be another number. SMS sign-in is a
    /// setting of its own.
    fn looser(before: Option<&PhoneRule>, after: &PhoneRule) -> Vec<Looser> {
        let before = before.map(|before| match before {
            PhoneRule::Absent => None,
            PhoneRule::Number(source) => Some(source),
        });
        match (before, after) {
            (None | Some(Some(_)), PhoneRule::Absent) => vec![Looser::Value],
            (Some(None), PhoneRule::Absent) => Vec::new(),
            (before, PhoneRule::Number(after)) => after.looser_than(before.flatten()),
        }
    }

    fn attributes(rule: &PhoneRule) -> &[Attribute] {
        match rule {
            PhoneRule::Number(source) => &source.from,
            PhoneRule::Absent => &[],
        }
    }

    fn regions(rule: &PhoneRule) -> Vec<Region> {
        let rules = match rule {
            PhoneRule::Number(source) => source.region.as_slice(),
            PhoneRule::Absent => &[],
        };
        let named = rules.iter().filter_map(|rule| match rule {
            RegionRule::Named(region) => Some(*region),
            RegionRule::UsageLocation | RegionRule::Country => None,
        });
        named.collect()
    }

    /// Returns the preferences for a removal: Entra does not delete the phone of the default method.
    fn also_reads(rule: &PhoneRule) -> Extra {
        match rule {
            PhoneRule::Number(_) => Extra::default(),
            PhoneRule::Absent => Extra::for_fact(UserFact::Preferences),
        }
    }

    fn concerns_others(rule: &PhoneRule) -> bool {
        match rule {
            PhoneRule::Number(source) => source.if_registered == IfRegistered::Replace,
            PhoneRule::Absent => false,
        }
    }

    fn settles_sms_sign_in(rule: &PhoneRule) -> bool {
        match rule {
            PhoneRule::Number(source) => source.sms_sign_in.is_some(),
            PhoneRule::Absent => false,
        }
    }

    fn registers_number(rule: &PhoneRule) -> bool {
        matches!(rule, PhoneRule::Number(_))
    }
}

impl NumberSource {
    fn looser_than(&self, before: Option<&Self>) -> Vec<Looser> {
        let Self { from, region, if_registered, sms_sign_in: _ } = self;
        let mut looser = Vec::new();
        let did_replace = before.is_some_and(|one| one.if_registered == IfRegistered::Replace);
        if *if_registered == IfRegistered::Replace && !did_replace {
            looser.push(Looser::Replaces);
        }
        let Some(before) = before else { return looser };
        // The first attribute with a value counts. Without the last ones, only numbers are missing.
        if !before.from.starts_with(from) {
            looser.push(Looser::Source);
        }
        // The default has no second choice, and refuses a number that two countries read differently.
        let is_default = |region: &[RegionRule]| region == RegionRule::DEFAULT;
        let is_stricter = match (is_default(&before.region), is_default(region)) {
            (true, is_default) => is_default,
            (false, _) => before.region.starts_with(region),
        };
        if !is_stricter {
            looser.push(Looser::Region);
        }
        looser
    }

    fn meaning(&self) -> Node {
        let Self { from, region, if_registered, sms_sign_in } = self;
        let region = region.iter().map(|rule| match rule {
            RegionRule::UsageLocation => map([("usageLocation", Node::Nothing)]),
            RegionRule::Country => map([("country", Node::Nothing)]),
            RegionRule::Named(region) => map([("named", word(region))]),
        });
        let if_registered = match if_registered {
            IfRegistered::Keep => "keep",
            IfRegistered::Replace => "replace",
        };
        map([
            ("from", Node::List(from.iter().map(word).collect())),
            ("region", Node::List(region.collect())),
            ("ifRegistered", word(if_registered)),
            ("smsSignIn", perhaps(*sms_sign_in)),
        ])
    }
}
