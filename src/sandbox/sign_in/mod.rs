//! What happens to a person who signs in: the tenant's own answer, from its documents alone.
//!
//! The rest of the crate predicts the same thing before it writes. This is the other head, written
//! from Microsoft's rules without a look at that prediction, so that the two can be compared. It
//! decides nothing about what a tenant should be, and changes nothing.
//!
//! The sign-in judged is interactive, with the right password, to one application, from an ordinary
//! place and an unmanaged device, in the public cloud.

mod candidates;
mod demand;
mod federation;
mod phone;
mod standing;
mod strength;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::records::{Document, TenantDocuments, UserRecord};
use candidates::Candidate;
use demand::{Control, Demand};
use standing::Standing;

/// All that decides one sign-in.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub record: &'a UserRecord,
    /// The groups this person is in, through other groups too.
    pub groups: &'a BTreeSet<Uuid>,
    pub tenant: &'a TenantDocuments,
    pub application: Application,
    /// The day of the sign-in.
    pub on: Date,
}

/// What the person signs in to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Application {
    /// Mail, files, chat: no policy names it, and policies for all applications hold there.
    #[default]
    Ordinary,
    /// The portals where a tenant is administered. Microsoft demands MFA of administrators there,
    /// and there alone.
    AdminPortals,
}

impl Application {
    pub const ALL: [Self; 2] = [Self::Ordinary, Self::AdminPortals];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::AdminPortals => "adminPortals",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// How the sign-in ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// In, with a second factor.
    Ok,
    /// In, after a second factor was registered by whoever knows the password.
    MustRegister,
    /// Not in.
    Blocked,
    /// In, and the password was enough.
    PasswordOnly,
    /// A system outside the tenant decides: a federated identity provider, or the provider of a
    /// custom control. The documents do not tell.
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

/// Judge one sign-in.
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
        // The factor that Entra asks for satisfies such a policy too.
        (verdict, Control::InsteadOfMfa) if asked.demand != Demand::None => verdict,
        (verdict, Control::None) => verdict,
        (_, Control::InsteadOfMfa | Control::Required) => Verdict::Elsewhere,
    }
}

/// The part of the sign-in that Entra decides by itself.
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
        // Every policy that applies has to be satisfied, each perhaps by another factor.
        Demand::Strengths(strengths) => strengths
            .iter()
            .map(|strength| answerable(&|one| strength.allows(one.mode)))
            .max()
            .unwrap_or(Verdict::Ok),
    }
}

/// What becomes of a person who has these and nothing else to answer with.
fn answer(fitting: &[&Candidate<'_>], delivery_ended: bool) -> Verdict {
    let answers = |one: &Candidate<'_>| match one.number {
        Some(number) => !delivery_ended && phone::reachable(number, one.mode),
        None => true,
    };
    if fitting.iter().any(|one| answers(one)) {
        Verdict::Ok
    } else if delivery_ended {
        // Only phones can fail to answer, so phones are all there is.
        Verdict::MustRegister
    } else {
        Verdict::Blocked
    }
}

/// A string property; absent, null and other types alike are none.
fn text<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    document.get(key).and_then(Value::as_str)
}

/// The members of an array property; none where it is absent or null.
fn items<'a>(document: &'a Document, key: &str) -> impl Iterator<Item = &'a Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A property that holds an id.
fn id(document: &Document, key: &str) -> Option<Uuid> {
    text(document, key).and_then(|value| Uuid::parse_str(value).ok())
}
