//! What the safety of every plan rests on, tenant-wide: what is demanded of whom, what is allowed
//! to whom. Read in a fixed number of calls, and one for each group that one of the rules names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join4;
use futures_util::{StreamExt as _, stream};

use super::permissions::Need;
use super::{conditional_access, domains, membership, method_policy};
use crate::finding::Finding;
use crate::graph::{Client, Error, Kind};
use crate::id::GroupId;
use crate::tenant::demand::{Demand, Rules};
use crate::tenant::directory::Directory;
use crate::tenant::facts::{Read, Why};
use crate::tenant::membership::Membership;
use crate::tenant::method_policy::{MethodPolicy, Settings};
use crate::tenant::people::People;
use crate::tenant::roles::Roles;
use crate::tenant::strength::Accepted;

/// Groups of which the members are read at a time.
const LANES: usize = 8;

/// The tenant's rules, for the users of a directory.
#[derive(Debug, Clone)]
pub struct Safety {
    pub demand: Demand,
    pub method_policy: MethodPolicy,
    /// What could not be read, and so counts as unknown.
    pub unread: Vec<Unread>,
    /// Notes on groups on whose members two reads disagree.
    pub unsettled: Vec<Finding>,
}

/// Something of the tenant that could not be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    pub what: Rule,
    pub why: Why,
}

/// Something that safety rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    ConditionalAccess,
    /// What some Conditional Access policy takes for an answer.
    Strengths,
    SecurityDefaults,
    MethodPolicy,
    Domains,
    /// What becomes of the MFA of providers, of this many federated domains.
    Providers(usize),
    Roles,
    Eligibility,
    /// Members of this many groups.
    Groups(usize),
}

/// The tenant's rules as they are written, and who is in the groups that they name.
#[derive(Debug)]
pub struct Written {
    pub(super) rules: Rules,
    pub(super) settings: Read<Settings>,
    pub(super) groups: BTreeMap<GroupId, Read<Membership>>,
}

/// Reads the tenant's rules, all at the same time, and tells of the external methods as soon as they
/// are known. What is refused, or not there in this cloud, is unknown in the result.
///
/// # Errors
/// Where Graph answers otherwise than with the rules or a refusal.
pub async fn read(
    client: &Client,
    public_cloud: bool,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<Written, Error> {
    let settings = async {
        let settings = refusable(method_policy::read(client).await)?;
        let external = settings.known().map(MethodPolicy::of_external_methods);
        on_policy(external.unwrap_or(MethodPolicy::UNREAD));
        Ok(settings)
    };
    let conditional_access = async { refusable(conditional_access::read(client).await) };
    let defaults = async { refusable(conditional_access::security_defaults(client).await) };
    let (conditional_access, security_defaults, settings, domains) =
        try_join4(conditional_access, defaults, settings, domains::read(client)).await?;
    let rules = Rules { conditional_access, security_defaults, domains, public_cloud };
    let named = settings.known().into_iter().flat_map(|settings| settings.groups());
    let groups = members(client, named.chain(rules.groups()).collect()).await?;
    Ok(Written { rules, settings, groups })
}

impl Written {
    /// The rules for the users of a directory. What is unknown is listed.
    #[must_use]
    pub fn of(self, directory: &Directory, roles: &Read<Roles>) -> Safety {
        let unsettled = self.unsettled(directory, roles);
        let Self { rules, settings, groups } = self;
        let people = People { directory, groups: &groups, roles };
        let unread = unread(&rules, settings.as_ref().map(|_| ()), roles, &groups);
        Safety {
            method_policy: settings
                .known()
                .map_or(MethodPolicy::UNREAD, |settings| MethodPolicy::new(settings, &people)),
            demand: Demand::new(rules, &people),
            unread,
            unsettled,
        }
    }
}

/// The members of the groups that the rules name, in both ways: what a step's safety rests on can be
/// that somebody is included as well as that somebody is not excluded.
async fn members(
    client: &Client,
    named: BTreeSet<GroupId>,
) -> Result<BTreeMap<GroupId, Read<Membership>>, Error> {
    let read = |id| async move { Ok((id, membership::all_of(client, id).await?)) };
    let answers: Vec<Result<_, Error>> =
        stream::iter(named).map(read).buffer_unordered(LANES).collect().await;
    answers.into_iter().collect()
}

/// What was read, or why it is not known: it was refused, or this cloud does not have it.
///
/// # Errors
/// Any other answer: what fails in passing is no reason to plan without it.
pub fn refusable<T>(answer: Result<T, Error>) -> Result<Read<T>, Error> {
    match answer {
        Ok(value) => Ok(Read::Known(value)),
        // A list that was forgotten on the way is another matter than one that is not there.
        Err(error) if error.kind() != Kind::Status => Err(error),
        Err(error) => match error.status() {
            Some(403) => Ok(Read::Unknown(Why::Forbidden)),
            Some(400 | 404 | 405 | 501) => Ok(Read::Unknown(Why::Failed)),
            _ => Err(error),
        },
    }
}

fn unread(
    rules: &Rules,
    method_policy: Read<()>,
    roles: &Read<Roles>,
    groups: &BTreeMap<GroupId, Read<Membership>>,
) -> Vec<Unread> {
    let eligibility = roles.known().and_then(|roles| roles.eligibility_unknown);
    let eligibility = eligibility.filter(|why| *why != Why::NotLicensed);
    let mut policies = rules.conditional_access.known().into_iter().flatten();
    let vague = policies.any(|rule| rule.accepts == Accepted::UNKNOWN);
    let mut closed = groups.values().filter_map(Read::unknown).peekable();
    let first_closed = closed.peek().copied();
    let providers = rules.domains.unread_providers();
    [
        (Rule::ConditionalAccess, rules.conditional_access.unknown()),
        (Rule::Strengths, vague.then_some(Why::Forbidden)),
        (Rule::SecurityDefaults, rules.security_defaults.unknown()),
        (Rule::MethodPolicy, method_policy.unknown()),
        (Rule::Domains, rules.domains.unknown()),
        (Rule::Providers(providers.map_or(0, |(count, _)| count)), providers.map(|(_, why)| why)),
        (Rule::Roles, roles.unknown()),
        (Rule::Eligibility, eligibility),
        (Rule::Groups(closed.count()), first_closed),
    ]
    .into_iter()
    .filter_map(|(what, why)| why.map(|why| Unread { what, why }))
    .collect()
}

impl Unread {
    /// What to do about it.
    #[must_use]
    pub fn help(self) -> String {
        match self.why {
            Why::Forbidden => format!(
                "grant `{}`; until then what rests on it is unknown",
                self.what.need().permission()
            ),
            _ => "what rests on it is unknown; this cloud may not have it (`mfactl doctor` tells)"
                .to_owned(),
        }
    }
}

impl Rule {
    /// What it is, in words.
    #[must_use]
    pub fn what(self) -> String {
        match self {
            Self::Groups(1) => "the members of a group that the tenant's rules name".to_owned(),
            Self::Groups(count) => {
                format!("the members of {count} groups that the tenant's rules name")
            }
            Self::Providers(1) => "whether the provider of a federated domain does MFA".to_owned(),
            Self::Providers(count) => {
                format!("whether the providers of {count} federated domains do MFA")
            }
            other => other.need().what().to_owned(),
        }
    }

    const fn need(self) -> Need {
        match self {
            Self::ConditionalAccess => Need::ConditionalAccess,
            Self::SecurityDefaults => Need::SecurityDefaults,
            Self::MethodPolicy => Need::MethodPolicy,
            Self::Strengths => Need::Strengths,
            Self::Domains => Need::Domains,
            Self::Providers(_) => Need::Federation,
            Self::Roles => Need::Roles,
            Self::Eligibility => Need::Eligibility,
            Self::Groups(_) => Need::Groups,
        }
    }
}
