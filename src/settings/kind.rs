//! What a setting says about itself, in its own file. The registry asks for it, so that no other file lists
//! the settings.
//!
//! Each setting must answer every item without a default. A default is the answer of a setting that concerns
//! one user and has nothing to do with phones.
//!
//! Not here: what belongs to another layer: the request that writes the setting (`entra::write`), the request
//! that reads it (`entra::facts`), its permissions (`entra::permissions`), and what it must never do
//! (`plan::guard`).

use std::fmt;

use super::digest::Node;
use super::{RuleResult, Value};
use crate::number::Region;
use crate::tenant::directory::{Attribute, User};
use crate::tenant::facts::{Facts, MethodKind};
use crate::tenant::lookup::{Extra, UserFact};

/// A setting: its words, its values, and what a change of it does.
pub trait SettingKind {
    /// What a policy wants, checked. It prints as the words of a plan.
    type Rule: fmt::Debug + fmt::Display + Clone + Ord + std::hash::Hash;

    /// The path inside `desired`, as a policy has it.
    const KEY: &'static str;
    /// The name in a sentence.
    const NAME: &'static str;
    /// The kind of method that the setting registers, if it is a phone.
    const PHONE: Option<MethodKind> = None;
    /// The part of the facts that shows the value.
    const FACT: UserFact;
    /// Where the summary of a plan counts a change.
    const COUNTED_AS: CountedAs;
    /// How a user gets back to no value.
    const REMOVAL: Removal;

    /// Returns the observed value.
    fn from_facts(facts: &Facts) -> Value;

    /// Returns what the rule wants for a user with the observed value.
    fn from_rule(rule: &Self::Rule, user: &User, observed: Value) -> RuleResult;

    /// Returns what the rule wants, as far as that does not depend on the user.
    fn wanted(rule: &Self::Rule) -> Value;

    /// Returns what the rule means. It destructures the rule, so that no part can be forgotten.
    fn meaning(rule: &Self::Rule) -> Node;

    /// Returns the facts once the setting has the value, by Entra's own rules. The value is one default
    /// method, not several preferred ones.
    fn applied(after: Value, facts: Facts) -> Facts;

    /// Returns what a change from one value to another does to the protection of the user.
    fn effect(before: Value, after: Value) -> Effect;

    /// Returns how the rule guards a user less than the rule before it, or than no rule.
    fn looser(before: Option<&Self::Rule>, after: &Self::Rule) -> Vec<Looser>;

    /// Returns the directory attributes that the rule reads.
    fn attributes(_: &Self::Rule) -> &[Attribute] {
        &[]
    }

    /// Returns the countries that the rule names for national numbers.
    fn regions(_: &Self::Rule) -> Vec<Region> {
        Vec::new()
    }

    /// Returns what must be read in addition to [`Self::FACT`] to follow the rule safely.
    fn also_reads(_: &Self::Rule) -> Extra {
        Extra::default()
    }

    /// Whether the rule counts even if it leaves something weaker.
    fn is_exact(_: &Self::Rule) -> bool {
        false
    }

    /// Whether the rule can conflict with another user: over a number, or over SMS sign-in with one.
    fn concerns_others(_: &Self::Rule) -> bool {
        false
    }

    /// Whether the rule says if SMS sign-in is on or off.
    fn settles_sms_sign_in(_: &Self::Rule) -> bool {
        false
    }

    /// Whether the rule can register a number.
    fn registers_number(_: &Self::Rule) -> bool {
        false
    }
}

/// What a change does to the protection of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The user is as protected as before.
    None,
    /// More is required of the user.
    Raises,
    /// Less is required of the user. That is weaker too.
    Lowers,
    /// As much is required, and the user has one method fewer or is asked for a weaker one.
    Weakens,
}

/// How a rule guards a user less than the rule before it, or than no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Looser {
    /// It wants a weaker value, or permits one.
    Value,
    /// It permits that a registered number is overwritten.
    Replaces,
    /// It takes a number from another attribute.
    Source,
    /// It takes the country of a number from elsewhere.
    Region,
}

/// Where the summary of a plan counts the changes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedAs {
    /// A phone to add, replace or remove.
    Phone,
    /// MFA that begins, becomes stricter or is lowered.
    Requirement,
    Preference,
}

/// How a user who has a value gets back to none. An undo depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// By a write of its own.
    Written,
    /// With another setting that goes away.
    Along,
    /// No write does it, or every user has a value.
    Impossible,
}
