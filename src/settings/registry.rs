//! The registry: one table with every setting and every stage. Everything that goes through all settings, or
//! that asks one of them, is made from it, with a `match` and without a pointer.
//!
//! Not here: what a setting says about itself (its own file, by [`SettingKind`]), or what other layers know
//! of it (the arms that `docs/design/adding-a-setting.md` lists).

use std::fmt;

use super::change::Action;
use super::digest::Node;
use super::kind::{CountedAs, Effect, Looser, Removal, SettingKind};
use super::{RuleResult, Value};
use crate::number::Region;
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, MethodKind};
use crate::tenant::lookup::{Extra, UserFact};

/// Makes the enums, their lists, and one `match` for each question from the table below.
macro_rules! registry {
    (
        settings { $( $(#[$about:meta])* $setting:ident = $kind:ty; )+ }
        stages { $( $(#[$why:meta])* $stage:ident = ($of:ident, $action:pat, $last:pat); )+ }
    ) => {
        /// A managed setting, in the order of showing. The order of writing is that of [`Stage`].
        // INVARIANT: the discriminant is the place in `ALL`, and so the index into `Values`. Both are made
        // from one list, and no variant has a discriminant of its own.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "camelCase")]
        pub enum Setting { $( $(#[$about])* $setting, )+ }

        /// What a policy wants for one setting, checked.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SettingRule { $( $setting(<$kind as SettingKind>::Rule), )+ }

        /// When a change is written, in the order of writing. If a run stops between two stages, an extra
        /// method does no harm, and MFA without a method does.
        // INVARIANT: the order of the variants is that of `ALL`: the guard sorts by the one, and an apply
        // goes through the other. Both are made from one list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Stage { $( $(#[$why])* $stage, )+ }

        impl Setting {
            pub const ALL: [Self; [$(Self::$setting),+].len()] = [$(Self::$setting),+];

            /// Returns the path of the setting inside `desired`, as a policy has it.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$setting => <$kind as SettingKind>::KEY,)+ }
            }

            /// Returns the name of the setting for a sentence.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$setting => <$kind as SettingKind>::NAME,)+ }
            }

            /// Returns the kind of method that the setting registers, if it is a phone.
            #[must_use]
            pub const fn phone(self) -> Option<MethodKind> {
                match self { $(Self::$setting => <$kind as SettingKind>::PHONE,)+ }
            }

            /// Returns the part of the facts that shows the value.
            #[must_use]
            pub const fn fact(self) -> UserFact {
                match self { $(Self::$setting => <$kind as SettingKind>::FACT,)+ }
            }

            /// Returns where the summary of a plan counts a change.
            #[must_use]
            pub const fn counted_as(self) -> CountedAs {
                match self { $(Self::$setting => <$kind as SettingKind>::COUNTED_AS,)+ }
            }

            /// Returns how a user gets back to no value.
            #[must_use]
            pub const fn removal(self) -> Removal {
                match self { $(Self::$setting => <$kind as SettingKind>::REMOVAL,)+ }
            }

            /// Returns the observed value.
            pub(super) fn observed(self, facts: &Facts) -> Value {
                match self { $(Self::$setting => <$kind as SettingKind>::from_facts(facts),)+ }
            }

            /// Returns the facts once the setting has the value.
            pub(super) fn applied(self, after: Value, facts: Facts) -> Facts {
                match self { $(Self::$setting => <$kind as SettingKind>::applied(after, facts),)+ }
            }

            /// Returns what a change from one value to another does to the protection of the user.
            pub(crate) fn effect(self, before: Value, after: Value) -> Effect {
                match self { $(Self::$setting => <$kind as SettingKind>::effect(before, after),)+ }
            }
        }

        impl SettingRule {
            /// Returns the setting that the rule is for.
            #[must_use]
            pub const fn setting(&self) -> Setting {
                match self { $(Self::$setting(_) => Setting::$setting,)+ }
            }

            /// Returns the result of the rule for a user with the observed value.
            #[must_use]
            pub fn wish(&self, user: &User, observed: Value) -> RuleResult {
                match self {
                    $(Self::$setting(rule) => <$kind as SettingKind>::from_rule(rule, user, observed),)+
                }
            }

            /// Returns what the rule wants, as far as that does not depend on the user.
            #[must_use]
            pub fn wanted(&self) -> Value {
                match self { $(Self::$setting(rule) => <$kind as SettingKind>::wanted(rule),)+ }
            }

            /// Returns what the rule means, without its place and its spelling.
            #[must_use]
            pub fn meaning(&self) -> Node {
                match self { $(Self::$setting(rule) => <$kind as SettingKind>::meaning(rule),)+ }
            }

            /// Returns how the rule guards a user less than the rule before it, or than no rule.
            #[must_use]
            pub fn looser_than(&self, before: Option<&Self>) -> Vec<Looser> {
                match self {
                    $(Self::$setting(rule) => {
                        let before = before.and_then(|one| match one {
                            Self::$setting(before) => Some(before),
                            _ => None,
                        });
                        <$kind as SettingKind>::looser(before, rule)
                    })+
                }
            }

            /// Returns the directory attributes that the rule reads.
            #[must_use]
            pub fn attributes(&self) -> &[Attribute] {
                match self { $(Self::$setting(rule) => <$kind as SettingKind>::attributes(rule),)+ }
            }

            /// Returns the countries that the rule names for national numbers.
            #[must_use]
            pub fn regions(&self) -> Vec<Region> {
                match self { $(Self::$setting(rule) => <$kind as SettingKind>::regions(rule),)+ }
            }

            /// Returns what must be read of each user, in addition to what is always read, to follow the
            /// rule safely.
            #[must_use]
            pub fn extra(&self) -> Extra {
                let also = match self {
                    $(Self::$setting(rule) => <$kind as SettingKind>::also_reads(rule),)+
                };
                Extra::for_fact(self.setting().fact()).or(also)
            }

            /// Whether the rule counts even if it leaves something weaker.
            #[must_use]
            pub fn is_exact(&self) -> bool {
                match self { $(Self::$setting(rule) => <$kind as SettingKind>::is_exact(rule),)+ }
            }

            /// Whether the rule can conflict with another user: over a number, or over SMS sign-in with one.
            #[must_use]
            pub fn concerns_others(&self) -> bool {
                match self {
                    $(Self::$setting(rule) => <$kind as SettingKind>::concerns_others(rule),)+
                }
            }

            /// Whether the rule says if SMS sign-in is on or off.
            #[must_use]
            pub fn settles_sms_sign_in(&self) -> bool {
                match self {
                    $(Self::$setting(rule) => <$kind as SettingKind>::settles_sms_sign_in(rule),)+
                }
            }

            /// Whether the rule can register a number.
            #[must_use]
            pub fn registers_number(&self) -> bool {
                match self {
                    $(Self::$setting(rule) => <$kind as SettingKind>::registers_number(rule),)+
                }
            }
        }

        impl fmt::Display for SettingRule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$setting(rule) => rule.fmt(f),)+ }
            }
        }

        impl Stage {
            pub const ALL: [Self; [$(Self::$stage),+].len()] = [$(Self::$stage),+];

            /// Returns when a change of the setting is written; `is_last` as in [`Mandate::goes_last`]. A
            /// setting without a stage does not compile.
            ///
            /// [`Mandate::goes_last`]: super::change::Mandate::goes_last
            #[must_use]
            pub const fn of(setting: Setting, action: Action, is_last: bool) -> Self {
                match (setting, action, is_last) {
                    $((Setting::$of, $action, $last) => Self::$stage,)+
                }
            }
        }
    };
}

registry! {
    // In the order of showing.
    settings {
        MobilePhone = super::phone::MobilePhoneSetting;
        AlternateMobilePhone = super::phone::AlternateMobilePhoneSetting;
        OfficePhone = super::phone::OfficePhoneSetting;
        /// Whether the user can use SMS sign-in with the mobile phone. Part of the rule for that phone.
        SmsSignIn = super::sms_sign_in::SmsSignInSetting;
        DefaultMethod = super::default_method::DefaultMethodSetting;
        SystemPreferredMfa = super::system_preferred_mfa::SystemPreferredMfaSetting;
        PerUserMfa = super::per_user_mfa::PerUserMfaSetting;
    }
    // In the order of writing: the setting, the actions that are written in the stage, and whether they go
    // last.
    stages {
        AddMobile = (MobilePhone, Action::Create, _);
        /// Needs a mobile phone.
        AddAlternateMobile = (AlternateMobilePhone, Action::Create, _);
        AddOffice = (OfficePhone, Action::Create, _);
        ReplaceMobile = (MobilePhone, Action::Update, _);
        ReplaceAlternateMobile = (AlternateMobilePhone, Action::Update, _);
        ReplaceOffice = (OfficePhone, Action::Update, _);
        /// Right after the number that may have switched it on.
        SmsSignIn = (SmsSignIn, _, _);
        DefaultMethod = (DefaultMethod, _, _);
        SystemPreferredMfa = (SystemPreferredMfa, _, _);
        State = (PerUserMfa, _, _);
        DeleteOffice = (OfficePhone, Action::Delete, false);
        /// Comes before the mobile phone, which Entra does not delete while an alternate one exists.
        DeleteAlternateMobile = (AlternateMobilePhone, Action::Delete, _);
        DeleteMobile = (MobilePhone, Action::Delete, _);
        /// The default method, once no other phone is left: Entra deletes it only as the last method.
        DeleteOfficeLast = (OfficePhone, Action::Delete, true);
    }
}
