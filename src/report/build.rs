//! Builds the report from the observed tenant.
//!
//! Not here: the counts (`counts`), or the groups of accounts (`slices`).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use jiff::civil::Date;

use super::break_glass::break_glass;
use super::shared::shared;
use super::slices::{self, Slice};
use super::{AccountCounts, Doubt, MethodCounts, PolicyName, PostureReport, ReportedUser};
use crate::finding::{Code, Finding};
use crate::observed::Observed;
use crate::plan;
use crate::plan::legacy_method_policy;
use crate::plan::missing_facts::MissingFact;
use crate::policy::PolicySet;
use crate::posture::Posture;
use crate::scope::UserPart;
use crate::tenant::demand::Decided;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Facts, MethodKind, Read};
use crate::tenant::roles::Roles;

/// The longest that a temporary access pass lasts, in days (Graph documentation of
/// temporaryAccessPassAuthenticationMethod: 43,200 minutes, checked 2026-11).
const LONGEST_PASS: i32 = 30;

/// Builds the report for a tenant in which every account was observed. If the report is about a later day
/// than `observed_on`, the facts stay the same except for those that have expired by then.
#[must_use]
pub fn report(
    set: &PolicySet,
    mut observed: Observed,
    roles: &Read<Roles>,
    observed_on: Date,
) -> PostureReport {
    if (observed.basis.today - observed_on).get_days() > LONGEST_PASS {
        observed.facts.iter_mut().for_each(forget_pass);
    }
    let mut policies = slices::policies(set, &observed);
    let mut groups = slices::groups(set, &observed.directory);
    let mut roles = slices::roles(roles.known(), &observed.directory);
    let people = people(&policies, &observed);
    policies.iter_mut().for_each(|slice| slice.count(&people));
    groups.iter_mut().for_each(|slice| slice.count(&people));
    roles.iter_mut().for_each(|slice| slice.count(&people));
    roles.retain(|slice| slice.counts.users > 0);
    let (mut counts, mut methods) = (AccountCounts::default(), MethodCounts::default());
    let judge = observed.basis.judge();
    for person in &people {
        counts.add(person);
        methods.add(&judge, person.user, &observed.facts(person.user));
    }
    let is_guest = |person: &&ReportedUser| {
        let account = observed.directory.user(person.user).map(|user| user.account);
        account.is_some_and(|account| account.guest || account.homed_elsewhere)
    };
    let held = people
        .iter()
        .filter_map(|person| Some((person.user, observed.facts.get(person.user.place())?)));
    PostureReport {
        disabled: observed.directory.len() - people.len(),
        guests: people.iter().filter(is_guest).count(),
        break_glass: break_glass(set.project.break_glass.minimum, &observed),
        shared: shared(held),
        findings: findings(&people, &observed),
        counts,
        methods,
        policies,
        groups,
        roles,
        people,
        identity: observed.identity,
        directory: observed.directory,
        basis: observed.basis,
        facts: observed.facts,
        recorded: observed.recorded,
    }
}

fn forget_pass(facts: &mut Facts) {
    if let Read::Known(methods) = &mut facts.methods {
        methods.kinds = methods.kinds.without(MethodKind::TemporaryAccessPass);
    }
}

/// Returns the enabled accounts with their postures.
fn people(policies: &[Slice<PolicyName>], observed: &Observed) -> Vec<ReportedUser> {
    let parts = Parts::new(policies, observed);
    let judge = observed.basis.judge();
    let is_whole = !observed.findings.iter().any(|finding| finding.code == Code::Unreadable);
    let person = |user: UserIndex| {
        let facts = observed.facts(user);
        let posture = judge.posture(user, &facts);
        let is_read = is_whole && MissingFact::of(&facts).next().is_none();
        let doubt = || match judge.demand.decided(user) {
            Decided::InAnotherTenant => Doubt::Elsewhere,
            Decided::AtProvider => Doubt::Federated,
            Decided::Here if is_read => Doubt::Undecided,
            Decided::Here | Decided::Unknown => Doubt::Unread,
        };
        ReportedUser {
            user,
            posture,
            demanded: judge.demanded(user, &facts),
            portals_only: judge.portals_only(user, &facts),
            part: parts.of(user),
            doubt: (posture == Posture::Unknown).then(doubt),
            expiring: judge.expiring(user, &facts),
        }
    };
    let enabled = observed.directory.users().filter(|(_, user)| user.account.enabled);
    enabled.map(|(index, _)| person(index)).collect()
}

/// The part of each user in a plan.
struct Parts {
    break_glass: FixedBitSet,
    governed: FixedBitSet,
    applied_to: FixedBitSet,
}

impl Parts {
    fn new(policies: &[Slice<PolicyName>], observed: &Observed) -> Self {
        let nobody = FixedBitSet::with_capacity(observed.directory.len());
        let mut parts =
            Self { break_glass: nobody.clone(), governed: nobody.clone(), applied_to: nobody };
        for user in observed.scope.break_glass() {
            parts.break_glass.insert(user.place());
        }
        for policy in policies {
            policy.join_to(&mut parts.applied_to);
            if policy.of.governs {
                policy.join_to(&mut parts.governed);
            }
        }
        parts
    }

    fn of(&self, user: UserIndex) -> UserPart {
        match user.place() {
            place if self.break_glass.contains(place) => UserPart::BreakGlass,
            place if self.governed.contains(place) => UserPart::InScope,
            place if self.applied_to.contains(place) => UserPart::NotManaged,
            _ => UserPart::OutOfScope,
        }
    }
}

/// Returns the findings: those of the observation, facts that could not be read, and settings that Graph
/// does not show. Too few break-glass accounts are reported in the list of these accounts instead.
fn findings(people: &[ReportedUser], observed: &Observed) -> Vec<Finding> {
    let found = observed.findings.iter().filter(|one| one.code != Code::BreakGlassMinimum);
    let mut findings: Vec<Finding> = found.cloned().collect();
    findings.extend(unread(people, observed));
    findings.extend(portals_only(people, &observed.directory));
    findings.extend(legacy_method_policy(&observed.basis.method_policy));
    findings.sort_by_key(|finding| (finding.severity, finding.code));
    findings
}

/// Returns a finding about the administrators whose mail and files need only a password. Accounts that
/// are open are listed as open instead.
fn portals_only(people: &[ReportedUser], directory: &Directory) -> Option<Finding> {
    let users: Vec<UserIndex> =
        people.iter().filter(|one| one.is_open_to_a_password()).map(|one| one.user).collect();
    let ids = users.iter().filter_map(|user| directory.user(*user)).map(|user| user.id);
    (!users.is_empty()).then(|| plan::portals_only(&directory.in_words(&users)).users(ids))
}

fn unread(people: &[ReportedUser], observed: &Observed) -> Vec<Finding> {
    let mut missing: BTreeMap<MissingFact, Vec<UserIndex>> = BTreeMap::new();
    for person in people {
        for what in MissingFact::of(&observed.facts(person.user)) {
            missing.entry(what).or_default().push(person.user);
        }
    }
    let finding = |(what, users): (MissingFact, Vec<UserIndex>)| {
        what.finding(&users, &observed.directory, "report")
    };
    missing.into_iter().map(finding).collect()
}
