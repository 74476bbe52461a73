//! The block `desired`: the keys of the settings, and the rules that they result in.
//!
//! Not here: the block of each setting (`settings`), or whether the rules make sense (`check`).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::policy::PolicyRules;
use crate::settings::sms_sign_in::SmsSignInRule;
use crate::settings::{
    Management, Setting, SettingRule, default_method, per_user_mfa, phone, system_preferred_mfa,
};
use crate::source::{FileId, Located, Maybe};

/// The desired state of each user, setting by setting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Desired", extend("minProperties" = 1))]
pub struct DesiredBlock {
    /// Phones registered for MFA.
    #[serde(default)]
    pub phones: Maybe<Located<Phones>>,
    /// The second factor that Entra offers first: one method, or a list from which the first method that the
    /// user can use is taken. A stronger default that the user already has is kept, unless the policy says
    /// `{ exactly: … }`.
    #[serde(default)]
    #[schemars(example = json!(["push", "oath", "sms"]), example = json!({ "exactly": "sms" }))]
    pub default_method: Maybe<Located<default_method::DefaultMethodBlock>>,
    /// Whether Entra asks for the strongest method of the user, whatever the default is. To switch it off for
    /// users that have more than a phone, write `{ exactly: false }`.
    #[serde(default)]
    pub system_preferred_mfa: Maybe<Located<system_preferred_mfa::SystemPreferredBlock>>,
    /// The per-user MFA state. `enforced` satisfies `enabled`, because Entra turns `enabled` into
    /// `enforced`.
    #[serde(default)]
    pub per_user_mfa: Maybe<Located<per_user_mfa::PerUserMfaBlock>>,
}

/// Phones registered for MFA.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Phones {
    /// The mobile phone, for texts and calls.
    #[serde(default)]
    pub mobile: Maybe<Located<phone::PhoneBlock<phone::Mobile>>>,
    /// Another mobile phone, for calls only. Entra requires a mobile phone as well.
    #[serde(default)]
    pub alternate_mobile: Maybe<Located<phone::PhoneBlock<phone::Numbers>>>,
    /// The office phone, for calls only. Its number can have an extension, such as `x123`.
    #[serde(default)]
    pub office: Maybe<Located<phone::PhoneBlock<phone::Numbers>>>,
}

// Both blocks are destructured with all of their keys, so that a new key does not compile without a rule.

impl DesiredBlock {
    /// Returns the rule of each key.
    pub(in crate::policy) fn rules(&self, file: FileId) -> PolicyRules {
        let Self { phones, default_method, system_preferred_mfa, per_user_mfa } = self;
        let mut rules =
            phones.as_ref().map_or_else(PolicyRules::default, |phones| phones.value.rules(file));
        if let Some(block) = default_method.as_ref() {
            let rule = block.value.rule().map(SettingRule::DefaultMethod);
            rules.add(Setting::DefaultMethod, rule, block.origin(file));
        }
        if let Some(block) = system_preferred_mfa.as_ref() {
            let rule = block.value.rule().map(SettingRule::SystemPreferredMfa);
            rules.add(Setting::SystemPreferredMfa, rule, block.origin(file));
        }
        if let Some(block) = per_user_mfa.as_ref() {
            let rule = block.value.rule().map(SettingRule::PerUserMfa);
            rules.add(Setting::PerUserMfa, rule, block.origin(file));
        }
        rules
    }
}

impl Phones {
    /// Returns the rule of each key.
    pub(in crate::policy) fn rules(&self, file: FileId) -> PolicyRules {
        let Self { mobile, alternate_mobile, office } = self;
        let mut rules = PolicyRules::default();
        if let Some(block) = mobile.as_ref() {
            let rule = block.value.rule().map(SettingRule::MobilePhone);
            rules.add(Setting::MobilePhone, rule, block.origin(file));
            if let Some(switch) = block.value.sms_sign_in() {
                let rule = SettingRule::SmsSignIn(SmsSignInRule(switch.value.0));
                rules.add(Setting::SmsSignIn, Management::Managed(rule), switch.origin(file));
            }
        }
        if let Some(block) = alternate_mobile.as_ref() {
            let rule = block.value.rule().map(SettingRule::AlternateMobilePhone);
            rules.add(Setting::AlternateMobilePhone, rule, block.origin(file));
        }
        if let Some(block) = office.as_ref() {
            let rule = block.value.rule().map(SettingRule::OfficePhone);
            rules.add(Setting::OfficePhone, rule, block.origin(file));
        }
        rules
    }
}
