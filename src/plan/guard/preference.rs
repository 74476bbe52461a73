//! Decides when the default method may change, and which of several preferred methods it becomes.
//!
//! Not here: which methods a policy prefers (`settings::default_method`), or whether the user has them
//! (`posture`).

use super::{Case, Verdict};
use crate::plan::Reason;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::settings::default_method::Preference;
use crate::tenant::preferences::DefaultMethod;
use crate::tenant::user_set::Tristate;

impl Case<'_> {
    /// Chooses the first preferred method that the user can certainly use and that the plan does not remove.
    /// A stronger default stays unless the policy says `exactly`.
    pub(super) fn default_method(&self, change: &Change) -> Verdict {
        let preference = match change.after {
            Value::Preference(preference) => preference,
            Value::Default(method) => Preference::new(&[method]),
            _ => return Verdict::Needless,
        };
        let stays = |method: &DefaultMethod| method.phone().is_none_or(|kind| !self.goes(kind));
        let preferred = || preference.iter().filter(stays);
        let can = |method| self.judge.can_prefer(self.user, self.facts, method);
        let Some(method) = preferred().find(|method| can(*method) == Tristate::Yes) else {
            let perhaps = preferred().any(|method| can(method) == Tristate::Unknown);
            let reason = if perhaps { Reason::MaybeNoSuchMethod } else { Reason::NoSuchMethod };
            return Verdict::Withheld(reason);
        };
        if change.before == Value::Default(method) {
            return Verdict::Needless;
        }
        // Without a default, Entra asks for the strongest method of the user.
        let stronger =
            |now: DefaultMethod| now.is_stronger_than(method) && can(now) != Tristate::No;
        let has_stronger = match change.before {
            Value::Default(now) => stronger(now),
            _ => DefaultMethod::ALL.into_iter().any(stronger),
        };
        if has_stronger && !change.mandate.exactly {
            return Verdict::Kept;
        }
        Verdict::Step(Change { after: Value::Default(method), ..*change })
    }

    /// Refuses to switch system-preferred MFA off for a user with a stronger method than a phone, because
    /// Entra would ask for the phone again.
    pub(super) fn system_preferred(&self, change: &Change) -> Option<Reason> {
        if change.after == Value::Switch(true) || change.mandate.exactly {
            return None;
        }
        match self.judge.has_more_than_a_phone(self.user, self.facts) {
            Tristate::No => None,
            Tristate::Yes => Some(Reason::AsksWeaker),
            Tristate::Unknown => Some(Reason::MayAskWeaker),
        }
    }
}
