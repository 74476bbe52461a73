//! How one user stands before the plan and after it: what demands MFA, which methods are there and
//! what each is good for, and until when.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::posture::{Judge, Posture, Usable};
use crate::settings::Value;
use crate::tenant::crowd::Judged;
use crate::tenant::demand::{Decided, Demand, Source};
use crate::tenant::directory::UserIndex;
use crate::tenant::facts::{Facts, Kind, Phone, Read, Why};
use crate::untrusted::Untrusted;

/// Before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub before: Posture,
    pub after: Posture,
    /// Where it is decided what is asked of the user.
    pub decided: Decided,
    /// Once the plan is carried out, MFA is demanded at the admin portals and nowhere else.
    pub portals_only: Judged,
    pub demanded: Vec<DemandedBy>,
    /// The methods there will be; or why it is not known which there are.
    pub methods: Result<Vec<Has>, Why>,
    /// The day from which nothing that is there then will answer.
    pub expiring: Option<Date>,
}

/// Something that demands MFA of the user, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandedBy {
    pub kind: &'static str,
    /// In a sentence.
    pub text: String,
    /// It does so at the admin portals and at no other sign-in.
    pub portals_only: bool,
    pub before: Judged,
    pub after: Judged,
}

/// A registered method, or one that the plan registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Has {
    pub kind: Kind,
    /// For phones; it prints masked.
    pub phone: Phone,
    pub usable: Usable,
    /// It is not there yet.
    pub planned: bool,
}

impl Has {
    /// The number of a phone, masked.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        match self.phone {
            Phone::None => None,
            Phone::Number(number) => Some(number.to_string()),
            Phone::Undialable => Some(Value::UndialablePhone.to_string()),
            Phone::Masked => Some("a number that Graph hides".to_owned()),
        }
    }
}

pub(super) fn of(
    judge: &Judge<'_>,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Standing {
    Standing {
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
    demand: &Demand,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Vec<DemandedBy> {
    let mut all: BTreeMap<Source, (Judged, Judged)> = BTreeMap::new();
    for (source, judged) in demand.sources(user, before.state) {
        all.entry(source).or_insert((Judged::No, Judged::No)).0 = judged;
    }
    for (source, judged) in demand.sources(user, after.state) {
        all.entry(source).or_insert((Judged::No, Judged::No)).1 = judged;
    }
    let one = |(source, (before, after))| {
        let (kind, text) = words(source, demand);
        DemandedBy { kind, text, portals_only: demand.is_of_portals(source), before, after }
    };
    all.into_iter().map(one).collect()
}

fn words(source: Source, demand: &Demand) -> (&'static str, String) {
    match source {
        Source::PerUser => ("perUserMfa", "per-user MFA".to_owned()),
        Source::SecurityDefaults => ("securityDefaults", "security defaults".to_owned()),
        Source::ConditionalAccess(rule) => {
            let name = demand.name(rule).unwrap_or(Untrusted::unknown());
            ("conditionalAccess", format!("Conditional Access {}", crate::finding::quoted(name)))
        }
        Source::ConditionalAccessUnread => {
            ("conditionalAccess", "Conditional Access, which could not be read".to_owned())
        }
        Source::AdminRole => ("adminRole", "an administrator's role".to_owned()),
    }
}

fn methods(
    judge: &Judge<'_>,
    user: UserIndex,
    (before, after): (&Facts, &Facts),
) -> Result<Vec<Has>, Why> {
    let (registered, there) = match (&before.methods, &after.methods) {
        (Read::Known(registered), Read::Known(there)) => (registered, there),
        (Read::Unknown(why), _) | (_, Read::Unknown(why)) => return Err(*why),
    };
    match judge.methods(user, after) {
        Read::Unknown(why) => Err(why),
        Read::Known(judged) => Ok(judged
            .into_iter()
            .map(|(kind, usable)| Has {
                kind,
                phone: there.phone(kind),
                usable,
                planned: !registered.kinds.has(kind),
            })
            .collect()),
    }
}
