//! The words for what becomes of a setting: which there are, whether a result is as a word says, and the word
//! for a result.
//!
//! Not here: the keys of an expectation (`expected`), or the sentence about a difference (`compare`).

use crate::explain::Decision;
use crate::settings::change::Action;
use crate::settings::{Setting, Value};
use crate::tenant::facts::MfaState;
use crate::tenant::preferences::DefaultMethod;

/// What becomes of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    Untouched,
    /// The change is one of these.
    Done(Action),
    /// The user has a phone after an apply.
    Registered,
    /// The user has no phone, or no default method.
    Absent,
    Value(Value),
}

/// How strictly a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComparedAs {
    /// The value that is written or left there.
    Written,
    /// The value that Entra makes of it, or one that satisfies the expected value.
    Kept,
}

const UNTOUCHED: &str = "untouched";

/// The words for phones.
const OF_PHONES: [(&str, Becomes); 6] = [
    ("added", Becomes::Done(Action::Create)),
    ("replaced", Becomes::Done(Action::Update)),
    ("removed", Becomes::Done(Action::Delete)),
    ("registered", Becomes::Registered),
    ("absent", Becomes::Absent),
    (UNTOUCHED, Becomes::Untouched),
];

impl Becomes {
    /// Returns every word for the setting, with its meaning.
    pub(super) fn words(setting: Setting) -> Vec<(&'static str, Self)> {
        let value = |word, value| (word, Self::Value(value));
        let mut words = match setting {
            Setting::MobilePhone | Setting::AlternateMobilePhone | Setting::OfficePhone => {
                return OF_PHONES.to_vec();
            }
            Setting::SmsSignIn => {
                vec![value("on", Value::Switch(true)), value("off", Value::Switch(false))]
            }
            Setting::SystemPreferredMfa => {
                vec![value("true", Value::Switch(true)), value("false", Value::Switch(false))]
            }
            Setting::DefaultMethod => {
                let methods = DefaultMethod::ALL.into_iter();
                let methods = methods.map(|method| value(method.as_str(), Value::Default(method)));
                methods.chain([("none", Self::Absent)]).collect()
            }
            Setting::PerUserMfa => [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced]
                .map(|state| value(state.as_str(), Value::State(state)))
                .to_vec(),
        };
        words.push((UNTOUCHED, Self::Untouched));
        words
    }

    /// Returns the meaning of a word for the setting.
    pub(super) fn of_word(setting: Setting, word: &str) -> Option<Self> {
        Self::words(setting).into_iter().find(|(one, _)| *one == word).map(|(_, meaning)| meaning)
    }

    /// Whether the result is as this says.
    pub(super) fn holds(self, decision: &Decision, compared: ComparedAs) -> bool {
        let (before, after) = (decision.observed, decision.planned);
        let settled = decision.settles.unwrap_or(after);
        match self {
            Self::Untouched => before == after,
            Self::Done(action) => before != after && Action::between(before, after) == action,
            Self::Registered => !matches!(after, Value::Nothing | Value::Unknown(_)),
            Self::Absent => after == Value::Nothing,
            Self::Value(value) if compared == ComparedAs::Kept => settled.meets(value),
            Self::Value(value) => after == value,
        }
    }

    /// Returns the result in a word that can be compared with this.
    pub(super) fn found(self, decision: &Decision, compared: ComparedAs) -> String {
        let (before, after) = (decision.observed, decision.planned);
        match self {
            _ if matches!(after, Value::Unknown(_)) => "unknown".to_owned(),
            Self::Untouched | Self::Done(_) if decision.setting.phone().is_some() => {
                done(before, after).to_owned()
            }
            Self::Registered => "absent".to_owned(),
            Self::Absent if decision.setting.phone().is_some() => "registered".to_owned(),
            Self::Untouched => format!("{before} → {after}"),
            Self::Value(_) if compared == ComparedAs::Kept => {
                decision.settles.unwrap_or(after).to_string()
            }
            Self::Done(_) | Self::Absent | Self::Value(_) => after.to_string(),
        }
    }
}

/// Returns the word for what happens to a phone.
const fn done(before: Value, after: Value) -> &'static str {
    match (before, after) {
        (Value::Nothing, Value::Nothing) => UNTOUCHED,
        (Value::Nothing, _) => "added",
        (_, Value::Nothing) => "removed",
        _ => "replaced",
    }
}

/// Returns the word that describes the result best: what a check of it would expect.
#[must_use]
pub fn word_of(decision: &Decision) -> String {
    let (before, after) = (decision.observed, decision.planned);
    let words = Becomes::words(decision.setting);
    let exact = |(_, meaning): &&(&str, Becomes)| {
        !matches!(meaning, Becomes::Untouched) && meaning.holds(decision, ComparedAs::Written)
    };
    match words.iter().find(exact) {
        _ if before == after => UNTOUCHED.to_owned(),
        Some((word, _)) => (*word).to_owned(),
        None => after.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::ExplainVerdict;
    use crate::number::{Extension, PhoneNumber};

    fn decision(setting: Setting, observed: Value, planned: Value) -> Decision {
        Decision {
            setting,
            observed,
            planned,
            read_as: None,
            settles: None,
            verdict: ExplainVerdict::Changes,
            voices: Vec::new(),
            refused: None,
            reported: Vec::new(),
        }
    }

    fn number(text: &str) -> Value {
        Value::Phone(PhoneNumber::read(text, None, Extension::Refused).expect("a number"))
    }

    #[test]
    fn phone_word_holds_for_its_own_change_only() {
        let (one, other) = (number("+31612345678"), number("+31612345679"));
        for (before, after, expected) in [
            (Value::Nothing, one, "added registered"),
            (one, other, "replaced registered"),
            (one, Value::Nothing, "removed absent"),
            (one, one, "registered untouched"),
            (Value::Nothing, Value::Nothing, "absent untouched"),
        ] {
            let decision = decision(Setting::MobilePhone, before, after);
            let held: Vec<&str> = Becomes::words(Setting::MobilePhone)
                .into_iter()
                .filter(|(_, word)| word.holds(&decision, ComparedAs::Written))
                .map(|(word, _)| word)
                .collect();
            assert_eq!(held.join(" "), expected, "{before} to {after}");
        }
    }

    #[test]
    fn enforced_satisfies_enabled_only_where_values_are_kept() {
        let [disabled, enabled, enforced] =
            [MfaState::Disabled, MfaState::Enabled, MfaState::Enforced].map(Value::State);
        let decision = decision(Setting::PerUserMfa, disabled, enforced);
        let wanted = Becomes::Value(enabled);
        assert!(wanted.holds(&decision, ComparedAs::Kept));
        assert!(!wanted.holds(&decision, ComparedAs::Written));
        assert_eq!(wanted.found(&decision, ComparedAs::Written), "enforced");
        assert_eq!(Becomes::Untouched.found(&decision, ComparedAs::Written), "disabled → enforced");
        assert_eq!(word_of(&decision), "enforced");
    }

    #[test]
    fn every_setting_has_different_words_and_one_for_no_change() {
        for setting in Setting::ALL {
            let mut words: Vec<&str> =
                Becomes::words(setting).into_iter().map(|(word, _)| word).collect();
            assert_eq!(Becomes::of_word(setting, UNTOUCHED), Some(Becomes::Untouched));
            assert_eq!(Becomes::of_word(setting, "maybe"), None);
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), count, "{setting:?}");
        }
    }
}
