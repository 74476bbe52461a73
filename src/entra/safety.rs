//! What the safety of every plan rests on, tenant-wide: what is demanded of whom, what is allowed
//! to whom. Read in a fixed number of calls, and one for each group that one of the rules names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};

use super::permissions::Need;
use super::{conditional_access, groups, method_policy};
use crate::graph::{Client, Error};
use crate::id::{GroupId, UserId};
use crate::tenant::demand::{Demand, Rules};
use crate::tenant::directory::Directory;
use crate::tenant::facts::{Read, Why};
use crate::tenant::method_policy::MethodPolicy;
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
}

/// Something that this identity may not read, or that Graph does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    ConditionalAccess,
    /// What some Conditional Access policy takes for an answer.
    Strengths,
    SecurityDefaults,
    MethodPolicy,
    Roles,
    Eligibility(Why),
    /// Members of this many groups.
    Groups(usize),
}

/// Reads the tenant's rules. What is refused with 403 is unknown in the result and listed there.
///
/// # Errors
/// Where Graph answers otherwise than with the rules or a refusal.
pub async fn read(
    client: &Client,
    directory: &Directory,
    roles: &Read<Roles>,
    public_cloud: bool,
) -> Result<Safety, Error> {
    let rules = Rules {
        conditional_access: refusable(conditional_access::read(client).await)?,
        security_defaults: refusable(conditional_access::security_defaults(client).await)?,
        public_cloud,
    };
    let settings = refusable(method_policy::read(client).await)?;
    let named = settings.known().into_iter().flat_map(|settings| settings.groups());
    let named: BTreeSet<GroupId> = named.chain(rules.groups()).collect();
    let groups = members(client, named).await?;
    let people = People { directory, groups: &groups, roles };
    let unread = unread(&rules, settings.known().is_some(), roles, &groups);
    Ok(Safety {
        method_policy: settings
            .known()
            .map_or(MethodPolicy::UNREAD, |settings| MethodPolicy::new(settings, &people)),
        demand: Demand::new(rules, &people),
        unread,
    })
}

async fn members(
    client: &Client,
    named: BTreeSet<GroupId>,
) -> Result<BTreeMap<GroupId, Read<BTreeSet<UserId>>>, Error> {
    let read = |id| async move { Ok((id, refusable(groups::members_of(client, id).await)?)) };
    let answers: Vec<Result<_, Error>> =
        stream::iter(named).map(read).buffer_unordered(LANES).collect().await;
    answers.into_iter().collect()
}

/// What was read, or that it was refused.
pub fn refusable<T>(answer: Result<T, Error>) -> Result<Read<T>, Error> {
    match answer {
        Ok(value) => Ok(Read::Known(value)),
        Err(error) if error.status() == Some(403) => Ok(Read::Unknown(Why::Forbidden)),
        Err(error) => Err(error),
    }
}

fn unread(
    rules: &Rules,
    knows_method_policy: bool,
    roles: &Read<Roles>,
    groups: &BTreeMap<GroupId, Read<BTreeSet<UserId>>>,
) -> Vec<Unread> {
    let eligibility = roles.known().and_then(|roles| roles.eligibility_unknown);
    let eligibility = eligibility.filter(|why| *why != Why::NotLicensed);
    let mut policies = rules.conditional_access.known().into_iter().flatten();
    let closed = groups.values().filter(|members| members.known().is_none()).count();
    [
        (rules.conditional_access.known().is_none(), Unread::ConditionalAccess),
        (policies.any(|rule| rule.accepts == Accepted::UNKNOWN), Unread::Strengths),
        (rules.security_defaults.known().is_none(), Unread::SecurityDefaults),
        (!knows_method_policy, Unread::MethodPolicy),
        (roles.known().is_none(), Unread::Roles),
        (eligibility.is_some(), Unread::Eligibility(eligibility.unwrap_or(Why::NotRead))),
        (closed > 0, Unread::Groups(closed)),
    ]
    .into_iter()
    .filter(|(is_unread, _)| *is_unread)
    .map(|(_, what)| what)
    .collect()
}

impl Unread {
    /// What it is, in words.
    #[must_use]
    pub fn what(self) -> String {
        match self {
            Self::ConditionalAccess => "Conditional Access policies".to_owned(),
            Self::Strengths => "authentication strengths".to_owned(),
            Self::SecurityDefaults => "security defaults".to_owned(),
            Self::MethodPolicy => "the authentication methods policy".to_owned(),
            Self::Roles => "directory roles".to_owned(),
            Self::Eligibility(_) => "who is eligible for directory roles".to_owned(),
            Self::Groups(1) => "the members of a group that the tenant's rules name".to_owned(),
            Self::Groups(count) => {
                format!("the members of {count} groups that the tenant's rules name")
            }
        }
    }

    /// Why not.
    #[must_use]
    pub const fn why(self) -> Why {
        match self {
            Self::Eligibility(why) => why,
            _ => Why::Forbidden,
        }
    }

    /// The permission that would help.
    #[must_use]
    pub fn permission(self) -> &'static str {
        let need = match self {
            Self::ConditionalAccess => Need::ConditionalAccess,
            Self::SecurityDefaults => Need::SecurityDefaults,
            Self::MethodPolicy => Need::MethodPolicy,
            Self::Strengths => Need::Strengths,
            Self::Roles => Need::Roles,
            Self::Eligibility(_) => Need::Eligibility,
            Self::Groups(_) => Need::Groups,
        };
        need.permission()
    }
}
