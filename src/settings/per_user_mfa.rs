//! The per-user MFA state.
//!
//! Not here: whether raising or lowering it is safe (`plan::guard`).

use super::{Remark, Value, Wish};
use crate::tenant::facts::{Facts, MfaState, Read};

/// `perUserMfa`, checked: the state wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub MfaState);

/// What was observed.
#[must_use]
pub const fn from_facts(facts: &Facts) -> Value {
    match &facts.state {
        Read::Known(state) => Value::State(*state),
        Read::Unknown(why) => Value::Unknown(*why),
    }
}

/// What the rule wants, unless nobody knows what is there.
#[must_use]
pub const fn from_rule(rule: &Rule, observed: Value) -> Wish {
    match observed {
        Value::Unknown(why) => Wish::only(Remark::Unreadable(why)),
        _ => Wish::value(Value::State(rule.0)),
    }
}
