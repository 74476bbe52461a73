//! When a user is asked for another second factor first, and which of several it is.
//!
//! Not here: what is liked (`settings::default_method`), or whether the user has it (`posture`).

use super::{Case, Verdict};
use crate::plan::Reason;
use crate::settings::Value;
use crate::settings::change::Change;
use crate::settings::default_method::Preference;
use crate::tenant::crowd::Judged;
use crate::tenant::preferences::DefaultMethod;

impl Case<'_> {
    /// The first that the user can surely use and is to keep; a stronger one that is there stays,
    /// unless the policy says exactly.
    pub(super) fn default_method(&self, change: &Change) -> Verdict {
        let preference = match change.after {
            Value::Preference(preference) => preference,
            Value::Default(method) => Preference::new(&[method]),
            _ => return Verdict::Needless,
        };
        let stays = |method: &DefaultMethod| method.phone().is_none_or(|kind| !self.goes(kind));
        let liked = || preference.iter().filter(stays);
        let can = |method| self.judge.can_prefer(self.user, self.facts, method);
        let Some(method) = liked().find(|method| can(*method) == Judged::Yes) else {
            let perhaps = liked().any(|method| can(method) == Judged::Unknown);
            let reason = if perhaps { Reason::MaybeNoSuchMethod } else { Reason::NoSuchMethod };
            return Verdict::Withheld(reason);
        };
        if change.before == Value::Default(method) {
            return Verdict::Needless;
        }
        // Who has no default is asked for the best they have.
        let stronger = |now: DefaultMethod| now.is_stronger_than(method) && can(now) != Judged::No;
        let has_stronger = match change.before {
            Value::Default(now) => stronger(now),
            _ => DefaultMethod::ALL.into_iter().any(stronger),
        };
        if has_stronger && !change.mandate.exactly {
            return Verdict::Kept;
        }
        Verdict::Step(Change { after: Value::Default(method), ..*change })
    }

    /// Whoever has more than a phone would be asked for the phone again.
    pub(super) fn system_preferred(&self, change: &Change) -> Option<Reason> {
        if change.after == Value::Switch(true) || change.mandate.exactly {
            return None;
        }
        match self.judge.has_more_than_a_phone(self.user, self.facts) {
            Judged::No => None,
            Judged::Yes => Some(Reason::AsksWeaker),
            Judged::Unknown => Some(Reason::MayAskWeaker),
        }
    }
}
