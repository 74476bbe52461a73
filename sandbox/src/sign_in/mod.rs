//! Judges the result of a sign-in, only from the documents of the tenant.
//!
//! The rest of the crate predicts the same result before it writes. This is a second, independent
//! judge: it is written from Microsoft's rules without knowledge of that prediction, so that tests can
//! compare the two. It does not decide what a tenant should be, and it changes nothing.
//!
//! The judged sign-in is interactive, with the right password, to one application, from an ordinary
//! location and an unmanaged device, in the public cloud.
//!
//! Not here: the prediction of the program (`posture`).

mod candidates;
mod demand;
mod evidence;
mod federation;
mod phone;
mod standing;
mod strength;
#[cfg(test)]
mod tests;

pub use evidence::{Application, Evidence};

use std::fmt;

use serde_json::Value;

use candidates::Candidate;
use demand::{Control, Demand};
use standing::Standing;

/// The result of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Signed in with a second factor.
    Ok,
    /// Signed in after registering a second factor. Any person with the password can do that.
    MustRegister,
    /// Not signed in.
    Blocked,
    /// Signed in with the password alone.
    PasswordOnly,
    /// A system outside the tenant decides: a federated identity provider, or the provider of a
    /// custom control. The result does not follow from the documents.
    Elsewhere,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::MustRegister => "mustRegister",
            Self::Blocked => "blocked",
            Self::PasswordOnly => "passwordOnly",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Judges one sign-in.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    if evidence.record.user.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Verdict::Blocked;
    }
    if federation::provider_does_mfa(evidence) {
        return Verdict::Elsewhere;
    }
    let standing = Standing::of(evidence);
    let asked = demand::of(evidence, &standing);
    match (by_entra(evidence, &standing, &asked.demand), asked.control) {
        (Verdict::Blocked, _) => Verdict::Blocked,
        // The factor that Entra requires also satisfies such a policy.
        (verdict, Control::InsteadOfMfa) if asked.demand != Demand::None => verdict,
        (verdict, Control::None) => verdict,
        (_, Control::InsteadOfMfa | Control::Required) => Verdict::Elsewhere,
    }
}

/// Judges the part of the sign-in that Entra decides by itself.
fn by_entra(evidence: &Evidence<'_>, standing: &Standing, demand: &Demand) -> Verdict {
    if *demand == Demand::None {
        return Verdict::PasswordOnly;
    }
    let candidates = candidates::of(evidence);
    if candidates.is_empty() {
        return Verdict::MustRegister;
    }
    let answerable = |fits: &dyn Fn(&Candidate<'_>) -> bool| {
        let fitting: Vec<_> = candidates.iter().filter(|one| fits(one)).collect();
        if fitting.is_empty() {
            return Verdict::Blocked;
        }
        answer(&fitting, phone::delivery_ended(standing, evidence.on))
    };
    match demand {
        Demand::None | Demand::AnyFactor => answerable(&|_| true),
        // Every applicable policy must be satisfied, each possibly by a different factor.
        Demand::Strengths(strengths) => strengths
            .iter()
            .map(|strength| answerable(&|one| strength.allows(one.mode)))
            .max()
            .unwrap_or(Verdict::Ok),
    }
}

/// Judges a user who can answer only with these candidates.
fn answer(fitting: &[&Candidate<'_>], delivery_ended: bool) -> Verdict {
    let answers = |one: &Candidate<'_>| match one.number {
        Some(number) => !delivery_ended && phone::reachable(number, one.mode),
        None => true,
    };
    if fitting.iter().any(|one| answers(one)) {
        Verdict::Ok
    } else if delivery_ended {
        // Only phones can fail to answer, so all candidates are phones.
        Verdict::MustRegister
    } else {
        Verdict::Blocked
    }
}
