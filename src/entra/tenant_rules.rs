//! Reads the tenant-wide basis of every plan: which users MFA is required of, and which methods are
//! allowed for which users. This takes a fixed number of calls, and one more for each group that a rule
//! names.
//!
//! Not here: what the rules mean for one user (`tenant::demand`, `posture`).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join4;
use futures_util::{StreamExt as _, stream};

use super::permissions::Need;
use super::{conditional_access, domains, membership, method_policy};
use crate::finding::{Code, Finding};
use crate::graph::{Client, Error, ErrorKind};
use crate::id::GroupId;
use crate::tenant::demand::{MfaRequirements, MfaRules};
use crate::tenant::directory::Directory;
use crate::tenant::facts::{Read, UnknownReason};
use crate::tenant::membership::Membership;
use crate::tenant::method_policy::{MethodPolicy, Settings};
use crate::tenant::roles::Roles;
use crate::tenant::rule_members::RuleMembers;
use crate::tenant::rules_digest::RulesDigest;
use crate::tenant::strength::Accepted;

/// Number of groups whose members are read at a time.
const LANES: usize = 8;

/// The rules of the tenant, for the users of a directory.
#[derive(Debug, Clone)]
pub struct Safety {
    pub demand: MfaRequirements,
    pub method_policy: MethodPolicy,
    /// The digest of the rules, whatever users they mean.
    pub digest: RulesDigest,
    /// The rules that could not be read, and that therefore count as unknown.
    pub unread: Vec<Unread>,
    /// Findings about groups for which two reads of the members disagree.
    pub unsettled: Vec<Finding>,
}

/// A rule of the tenant that could not be read, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    pub what: SafetyRule,
    pub why: UnknownReason,
}

/// A part of the tenant-wide basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SafetyRule {
    ConditionalAccess,
    /// The methods that a Conditional Access policy accepts.
    Strengths,
    SecurityDefaults,
    MethodPolicy,
    Domains,
    /// Whether the MFA of the provider counts, for this many federated domains.
    Providers(usize),
    Roles,
    Eligibility,
    /// The members of this many groups.
    Groups(usize),
}

/// The rules of the tenant as they are configured, and the members of the groups that they name.
#[derive(Debug, Clone)]
pub struct ConfiguredRules {
    pub rules: MfaRules,
    /// Of the method policy.
    pub settings: Read<Settings>,
    /// The members of every group that a rule names.
    pub groups: BTreeMap<GroupId, Read<Membership>>,
}

/// Reads the tenant's rules, all at the same time. Calls `on_policy` with the external methods as soon
/// as they are known. A rule whose request is refused, or that this cloud does not have, is unknown in
/// the result.
///
/// # Errors
/// Graph answers with something other than the rules or a refusal.
pub async fn read(
    client: &Client,
    public_cloud: bool,
    on_policy: impl FnOnce(MethodPolicy),
) -> Result<ConfiguredRules, Error> {
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
    let rules = MfaRules { conditional_access, security_defaults, domains, public_cloud };
    let named = settings.known().into_iter().flat_map(|settings| settings.groups());
    let groups = members(client, named.chain(rules.groups()).collect()).await?;
    Ok(ConfiguredRules { rules, settings, groups })
}

impl ConfiguredRules {
    /// Returns the rules for the users of a directory, with a list of those that are unknown.
    #[must_use]
    pub fn of(self, directory: &Directory, roles: &Read<Roles>) -> Safety {
        let unsettled = self.unsettled(directory, roles);
        let Self { rules, settings, groups } = self;
        let digest = RulesDigest::of(&rules, &settings);
        let people = RuleMembers { directory, groups: &groups, roles };
        let unread = unread(&rules, settings.as_ref().map(|_| ()), roles, &groups);
        Safety {
            method_policy: settings
                .known()
                .map_or(MethodPolicy::UNREAD, |settings| MethodPolicy::new(settings, &people)),
            demand: MfaRequirements::new(rules, &people),
            digest,
            unread,
            unsettled,
        }
    }
}

/// Reads the members of the groups that the rules name, from the directory and from its index: the
/// safety of a step can depend on a user being included in a group as well as on a user not being
/// excluded.
async fn members(
    client: &Client,
    named: BTreeSet<GroupId>,
) -> Result<BTreeMap<GroupId, Read<Membership>>, Error> {
    let read = |id| async move { Ok((id, membership::all_of(client, id).await?)) };
    let answers: Vec<Result<_, Error>> =
        stream::iter(named).map(read).buffer_unordered(LANES).collect().await;
    answers.into_iter().collect()
}

/// Returns the answer, or why it is unknown: it was refused, or this cloud does not have it.
///
/// # Errors
/// Any other error: a passing failure is no reason to plan without the answer.
pub fn refusable<T>(answer: Result<T, Error>) -> Result<Read<T>, Error> {
    match answer {
        Ok(value) => Ok(Read::Known(value)),
        // A list that expired between two pages is not the same as a list that does not exist.
        Err(error) if error.kind() != ErrorKind::Status => Err(error),
        Err(error) => match error.status() {
            Some(403) => Ok(Read::Unknown(UnknownReason::Forbidden)),
            Some(400 | 404 | 405 | 501) => Ok(Read::Unknown(UnknownReason::Failed)),
            _ => Err(error),
        },
    }
}

fn unread(
    rules: &MfaRules,
    method_policy: Read<()>,
    roles: &Read<Roles>,
    groups: &BTreeMap<GroupId, Read<Membership>>,
) -> Vec<Unread> {
    let eligibility = roles.known().and_then(|roles| roles.eligibility_unknown);
    let eligibility = eligibility.filter(|why| *why != UnknownReason::NotLicensed);
    let mut policies = rules.conditional_access.known().into_iter().flatten();
    let vague = policies.any(|rule| rule.accepts == Accepted::UNKNOWN);
    let mut closed = groups.values().filter_map(Read::unknown).peekable();
    let first_closed = closed.peek().copied();
    let providers = rules.domains.unread_providers();
    [
        (SafetyRule::ConditionalAccess, rules.conditional_access.unknown()),
        (SafetyRule::Strengths, vague.then_some(UnknownReason::Forbidden)),
        (SafetyRule::SecurityDefaults, rules.security_defaults.unknown()),
        (SafetyRule::MethodPolicy, method_policy.unknown()),
        (SafetyRule::Domains, rules.domains.unknown()),
        (
            SafetyRule::Providers(providers.map_or(0, |(count, _)| count)),
            providers.map(|(_, why)| why),
        ),
        (SafetyRule::Roles, roles.unknown()),
        (SafetyRule::Eligibility, eligibility),
        (SafetyRule::Groups(closed.count()), first_closed),
    ]
    .into_iter()
    .filter_map(|(what, why)| why.map(|why| Unread { what, why }))
    .collect()
}

impl Safety {
    /// Returns the findings about rules that are unknown, and takes those about rules that are not settled.
    pub fn findings(&mut self) -> Vec<Finding> {
        let unread = self.unread.iter().map(|one| {
            let message = format!("{}: {}", one.what.what(), one.why.about());
            Finding::new(Code::Unreadable, message).help(one.help())
        });
        unread.chain(std::mem::take(&mut self.unsettled)).collect()
    }
}

impl Unread {
    /// Returns what the user can do about it.
    #[must_use]
    pub fn help(self) -> String {
        match self.why {
            UnknownReason::Forbidden => format!(
                "grant `{}`; until then, everything that depends on it is unknown",
                self.what.need().permission()
            ),
            _ => "everything that depends on it is unknown; this cloud may not have it (see `mfactl doctor`)"
                .to_owned(),
        }
    }
}

impl SafetyRule {
    /// Returns what it is, in words.
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
