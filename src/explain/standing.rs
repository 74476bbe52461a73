//! The posture of one user before and after the plan: what requires MFA, which methods exist, whether each
//! is usable, and until when.
//!
//! Not here: how a posture is decided (`posture`).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::posture::{Judge, Posture, Usable};
use crate::settings::Value;
use crate::tenant::demand::{Decided, MfaRequirements, RequirementSource};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, MethodKind, Phone, Read, UnknownReason};
use crate::tenant::user_set::Tristate;
use crate::untrusted::Untrusted;

/// The posture before and after the plan, and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostureBeforeAfter {
    pub before: Posture,
    pub after: Posture,
    /// Where it is decided whether the user is asked for MFA.
    pub decided: Decided,
    /// Whether MFA is required at the admin portals and nowhere else once the plan is carried out.
    pub portals_only: Tristate,
    pub demanded: Vec<RequiredBy>,
    /// The methods after the plan, or why they are unknown.
    pub methods: Result<Vec<MethodState>, UnknownReason>,
    /// The day from which none of the methods after the plan will be usable.
    pub expiring: Option<Date>,
}

/// Something that requires MFA for the user, or may require it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredBy {
    pub kind: &'static str,
    /// In a sentence.
    pub text: String,
    /// It does so only at the admin portals.
    pub portals_only: bool,
    pub before: Tristate,
    pub after: Tristate,
}

/// A registered method, or one that the plan registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodState {
    pub kind: MethodKind,
    /// For phones. It prints masked.
    pub phone: Phone,
    pub usable: Usable,
    /// The plan registers it.
    pub planned: bool,
}

impl MethodState {
    /// Returns the number of a phone, masked.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        match self.phone {
            Phone::None => None,
            Phone::Number(number) => Some(number.to_string()),
            Phone::Undialable => Some(Value::UndialablePhone.to_string()),
            Phone::Masked => Some("a number whose digits Graph hides".to_owned()),
        }
    }
}

pub(super) fn of(
    judge: &Judge<'_>,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> PostureBeforeAfter {
    PostureBeforeAfter {
        before: judge.posture(user, before),
        after: judge.posture(user, after),
        decided: judge.demand.decided(user),
        portals_only: judge.portals_only(user, after),
        demanded: demanded(judge.demand, user, (before, after)),
        methods: methods(judge, user, (before, after)),
        expiring: judge.expiring(user, after),
    }
}

fn demanded(
    demand: &MfaRequirements,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Vec<RequiredBy> {
    let mut all: BTreeMap<RequirementSource, (Tristate, Tristate)> = BTreeMap::new();
    for (source, judged) in demand.sources(user, before.state) {
        all.entry(source).or_insert((Tristate::No, Tristate::No)).0 = judged;
    }
    for (source, judged) in demand.sources(user, after.state) {
        all.entry(source).or_insert((Tristate::No, Tristate::No)).1 = judged;
    }
    let one = |(source, (before, after))| {
        let (kind, text) = words(source, demand);
        RequiredBy { kind, text, portals_only: demand.is_of_portals(source), before, after }
    };
    all.into_iter().map(one).collect()
}

fn words(source: RequirementSource, demand: &MfaRequirements) -> (&'static str, String) {
    match source {
        RequirementSource::PerUser => ("perUserMfa", "per-user MFA".to_owned()),
        RequirementSource::SecurityDefaults => ("securityDefaults", "security defaults".to_owned()),
        RequirementSource::ConditionalAccess(rule) => {
            let name = demand.name(rule).unwrap_or(Untrusted::unknown());
            ("conditionalAccess", format!("Conditional Access {}", crate::finding::quoted(name)))
        }
        RequirementSource::ConditionalAccessUnread => {
            ("conditionalAccess", "Conditional Access, which could not be read".to_owned())
        }
        RequirementSource::AdminRole => ("adminRole", "an administrator role".to_owned()),
    }
}

fn methods(
    judge: &Judge<'_>,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Result<Vec<MethodState>, UnknownReason> {
    let (registered, there) = match (&before.methods, &after.methods) {
        (Read::Known(registered), Read::Known(there)) => (registered, there),
        (Read::Unknown(why), _) | (_, Read::Unknown(why)) => return Err(*why),
    };
    match judge.methods(user, after) {
        Read::Unknown(why) => Err(why),
        Read::Known(judged) => Ok(judged
            .into_iter()
            .map(|(kind, usable)| MethodState {
                kind,
                phone: there.phone(kind),
                usable,
                planned: !registered.kinds.has(kind),
            })
            .collect()),
    }
}
