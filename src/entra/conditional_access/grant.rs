//! Decides what the controls of a Conditional Access policy require: MFA, something else, or unknown
//! (Graph documentation of conditionalAccessGrantControls and Entra documentation of grant controls and
//! of custom controls, checked 2026-11).
//!
//! A custom control sends the user to an external provider, such as Duo. Entra does not know what the
//! provider asks, or which users can answer: it may be MFA, and the user may be able to answer. The same
//! holds for a control that this program does not know.
//!
//! Not here: which users and which sign-ins a policy covers (the parent module).

use serde::Deserialize;
use serde_json::Value;

use crate::entra::null_is_empty;
use crate::entra::strengths::{Strength, Strengths};
use crate::graph::Continued;
use crate::tenant::strength::Accepted;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    #[serde(default)]
    operator: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    built_in_controls: Vec<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    custom_authentication_factors: Vec<Value>,
    #[serde(default, deserialize_with = "null_is_empty")]
    terms_of_use: Vec<Value>,
    #[serde(default)]
    authentication_strength: Option<Strength>,
    #[serde(flatten)]
    continued: Continued,
}

/// What the controls of a policy require.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) accepts: Accepted,
    /// True if something else is enough instead, or if it is not certain that MFA is required.
    pub(super) perhaps: bool,
}

/// The relation of a control to MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Mfa,
    /// A requirement for the device, the app or the password.
    Other,
    /// Access is blocked.
    Block,
    /// Perhaps MFA, which the user can perhaps answer.
    Foreign,
}

impl Control {
    fn of(word: &str) -> Self {
        match word {
            "mfa" => Self::Mfa,
            "block" => Self::Block,
            "compliantDevice"
            | "domainJoinedDevice"
            | "approvedApplication"
            | "compliantApplication"
            | "passwordChange"
            | "riskRemediation" => Self::Other,
            _ => Self::Foreign,
        }
    }
}

impl Grant {
    pub(super) const fn has_strength(&self) -> bool {
        self.authentication_strength.is_some()
    }

    /// Returns what is required; `None` if the controls certainly require no MFA. A block at every
    /// sign-in is not an MFA requirement, but a password is not enough either; a block at some sign-ins
    /// does not affect the others.
    pub(super) fn required(&self, strengths: &Strengths, holds_always: bool) -> Option<Required> {
        let controls = || self.built_in_controls.iter().map(|word| Control::of(word));
        let has = |control| controls().any(|one| one == control);
        let not_settled =
            |accepts: Accepted| Required { accepts: accepts.and_foreign(), perhaps: true };
        if has(Control::Block) {
            return holds_always.then_some(not_settled(Accepted::ANY));
        }
        let foreign = match has(Control::Foreign) || self.continued.any() {
            // It is unknown what a future control accepts, or one that is not shown.
            true => Some(Accepted::UNKNOWN),
            false => (!self.custom_authentication_factors.is_empty()).then_some(Accepted::ANY),
        };
        let strength = self.authentication_strength.as_ref();
        let strength = strength.and_then(|strength| strengths.accepts(strength));
        let mfa = strength.or(has(Control::Mfa).then_some((Accepted::ANY, true)));
        let Some((accepts, is_mfa)) = mfa else { return foreign.map(not_settled) };
        let operator = self.operator.as_deref();
        let others = foreign.is_some() || has(Control::Other) || !self.terms_of_use.is_empty();
        let instead = others && operator != Some("AND");
        let accepts = match operator {
            _ if foreign.is_none() => accepts,
            // Both controls must be satisfied.
            Some("AND") => accepts.and_foreign(),
            // Everything that Entra accepts as MFA is enough.
            Some("OR") if accepts == Accepted::ANY => accepts,
            // Entra may or may not leave the choice to the user.
            _ => Accepted::UNKNOWN.and_foreign(),
        };
        Some(Required { accepts, perhaps: instead || !is_mfa })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::strength::Way;
    use crate::tenant::user_set::Tristate::{self, No, Unknown, Yes};

    /// `None` if nothing is required. Otherwise whether MFA is certainly required, and whether an SMS
    /// and a passkey are accepted.
    type Outcome = Option<(Tristate, Tristate, Tristate)>;

    /// Operator, controls, what the strength satisfies, and what is required in the end.
    type Row<'a> = (Option<&'a str>, &'a [&'a str], Option<&'a str>, Outcome);

    fn outcome(
        operator: Option<&str>,
        controls: &[&str],
        strength: Option<&str>,
        always: bool,
    ) -> Outcome {
        let (mut built_in, mut custom, mut terms) = (Vec::new(), Vec::new(), Vec::new());
        for control in controls {
            match *control {
                "custom" => custom.push("RequireDuoMfa"),
                "terms" => terms.push("7a0f8d0c-8b0e-4d55-a9a1-5d3a3a0c7b11"),
                other => built_in.push(other),
            }
        }
        let strength = strength.map(|satisfied| {
            json!({"id": "s", "requirementsSatisfied": satisfied, "allowedCombinations": ["fido2"]})
        });
        let grant: Grant = serde_json::from_value(json!({
            "operator": operator, "builtInControls": built_in,
            "customAuthenticationFactors": custom, "termsOfUse": terms,
            "authenticationStrength": strength
        }))
        .unwrap();
        let Required { accepts, perhaps } = grant.required(&Strengths::default(), always)?;
        let required = if perhaps { Unknown } else { Yes };
        Some((required, accepts.takes(Way::Sms), accepts.takes(Way::Passkey)))
    }

    #[test]
    fn every_combination_of_controls_requires_what_the_table_says() {
        const AND: Option<&str> = Some("AND");
        const OR: Option<&str> = Some("OR");
        const STRONG: Option<&str> = Some("mfa");
        let rows: &[Row<'_>] = &[
            // MFA, and alternatives to it.
            (OR, &["mfa"], None, Some((Yes, Yes, Yes))),
            (AND, &["mfa"], None, Some((Yes, Yes, Yes))),
            (None, &["mfa"], None, Some((Yes, Yes, Yes))),
            (OR, &["mfa", "compliantDevice"], None, Some((Unknown, Yes, Yes))),
            (AND, &["mfa", "compliantDevice"], None, Some((Yes, Yes, Yes))),
            (OR, &["mfa", "domainJoinedDevice"], None, Some((Unknown, Yes, Yes))),
            (OR, &["mfa", "approvedApplication"], None, Some((Unknown, Yes, Yes))),
            (OR, &["mfa", "compliantApplication"], None, Some((Unknown, Yes, Yes))),
            (OR, &["mfa", "terms"], None, Some((Unknown, Yes, Yes))),
            (AND, &["mfa", "terms"], None, Some((Yes, Yes, Yes))),
            (AND, &["mfa", "passwordChange"], None, Some((Yes, Yes, Yes))),
            (None, &["mfa", "compliantDevice"], None, Some((Unknown, Yes, Yes))),
            // No MFA at all.
            (OR, &[], None, None),
            (OR, &["compliantDevice"], None, None),
            (OR, &["compliantDevice", "domainJoinedDevice"], None, None),
            (AND, &["approvedApplication", "compliantApplication"], None, None),
            (OR, &["terms"], None, None),
            (AND, &["terms", "compliantDevice"], None, None),
            // Strengths.
            (OR, &[], STRONG, Some((Yes, No, Yes))),
            (OR, &["compliantDevice"], STRONG, Some((Unknown, No, Yes))),
            (AND, &["compliantDevice"], STRONG, Some((Yes, No, Yes))),
            (OR, &["terms"], STRONG, Some((Unknown, No, Yes))),
            (AND, &["terms"], STRONG, Some((Yes, No, Yes))),
            (OR, &[], Some("none"), None),
            (AND, &["compliantDevice"], Some("none"), None),
            (OR, &[], Some("somethingNew"), Some((Unknown, No, Yes))),
            // Custom controls: perhaps MFA, which the user can perhaps answer.
            (OR, &["custom"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom"], None, Some((Unknown, Unknown, Unknown))),
            (None, &["custom"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom", "mfa"], None, Some((Yes, Unknown, Unknown))),
            (OR, &["custom", "mfa"], None, Some((Unknown, Yes, Yes))),
            (None, &["custom", "mfa"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom"], STRONG, Some((Yes, No, Unknown))),
            (OR, &["custom"], STRONG, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom"], Some("none"), Some((Unknown, Unknown, Unknown))),
            (OR, &["custom"], Some("none"), Some((Unknown, Unknown, Unknown))),
            (AND, &["custom", "compliantDevice"], None, Some((Unknown, Unknown, Unknown))),
            (OR, &["custom", "compliantDevice"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom", "terms"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["custom", "mfa", "compliantDevice"], None, Some((Yes, Unknown, Unknown))),
            (OR, &["custom", "mfa", "compliantDevice"], None, Some((Unknown, Yes, Yes))),
            // A future control counts like a custom one.
            (OR, &["brainwave"], None, Some((Unknown, Unknown, Unknown))),
            (AND, &["brainwave", "mfa"], None, Some((Yes, Unknown, Unknown))),
            (OR, &["brainwave", "mfa"], None, Some((Unknown, Yes, Yes))),
            // All sign-ins are blocked, with a password or otherwise.
            (OR, &["block"], None, Some((Unknown, Unknown, Unknown))),
        ];
        for (operator, controls, strength, expected) in rows {
            let case = format!("{operator:?} {controls:?} {strength:?}");
            assert_eq!(outcome(*operator, controls, *strength, true), *expected, "{case}");
            let blocks = controls.contains(&"block");
            let narrowed = if blocks { &None } else { expected };
            assert_eq!(outcome(*operator, controls, *strength, false), *narrowed, "{case}");
        }
    }
}
