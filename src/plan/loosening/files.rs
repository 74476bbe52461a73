//! Policies that guard less by what the files say, without a tenant. Whether a user is concerned is unknown, so
//! a policy that another one replaces counts as removed.
//!
//! Not here: the users of a tenant (`users`), or exceptions (`exceptions`).

use std::collections::BTreeSet;

use super::cause::{LooseningCause, code};
use super::policies::{Pair, Pairs};
use super::{Concerned, Sides, exceptions};
use crate::finding::Code;
use crate::policy::filter::{Either, Match, Registered, Where};
use crate::policy::{AppliesToSet, GroupRef, Mode, Policy};
use crate::settings::change::PolicyIndex;
use crate::settings::kind::Looser;
use crate::settings::{Management, SettingRule};
use crate::tenant::facts::Kinds;

/// Returns what the change does. The users are unknown.
pub(super) fn causes(sides: Sides<'_>, pairs: &Pairs) -> Vec<(LooseningCause, Option<Concerned>)> {
    let mut found = BTreeSet::new();
    for (index, policy) in numbered(&sides.base.policies.policies) {
        if policy.governs() && pairs.head_of(index).is_none() {
            found.insert(LooseningCause::of_policy(Code::PolicyRemoved, index, None));
        }
    }
    for pair in pairs.both(sides).filter(|pair| pair.base.1.governs()) {
        of_pair(pair, &mut found);
    }
    for (index, policy) in numbered(&sides.head.policies.policies) {
        // A policy that leaves everything unmanaged governs no user, and yet wins over others.
        if policy.mode == Mode::Enforce {
            let base = pairs.base_of(index);
            let base = base.and_then(|base| sides.base.policies.policies.get(base.place()));
            newly_wanted((index, policy), base, &mut found);
            overtaking(sides, pairs, (index, policy), &mut found);
        }
    }
    found.into_iter().map(|cause| (cause, None)).collect()
}

fn numbered(policies: &[Policy]) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
    policies.iter().enumerate().map(|(place, policy)| (PolicyIndex::new(place), policy))
}

/// Compares a policy with itself on the other side.
fn of_pair(pair: Pair<'_>, found: &mut BTreeSet<LooseningCause>) {
    let Pair { base: (base, before), head: (head, now) } = pair;
    if now.mode == Mode::Report {
        found.insert(LooseningCause::of_policy(Code::ModeToReport, base, Some(head)));
        return;
    }
    if names_fewer(&before.who, &now.who) || is_narrower(&before.only, &now.only) {
        found.insert(LooseningCause::of_policy(Code::ScopeNarrowed, base, Some(head)));
    }
    for (setting, rule) in before.rules.iter() {
        let Management::Managed(rule) = rule else { continue };
        let cause = |code| LooseningCause {
            code,
            base: Some(base),
            head: Some(head),
            setting: Some(setting),
        };
        match now.rules.managed(setting) {
            None => _ = found.insert(cause(Code::SettingUnmanaged)),
            Some(now) => found.extend(now.looser_than(Some(rule)).into_iter().map(code).map(cause)),
        }
    }
}

/// Reports rules that weaken something by themselves, where the policy had no rule.
fn newly_wanted(
    (index, policy): (PolicyIndex, &Policy),
    before: Option<&Policy>,
    found: &mut BTreeSet<LooseningCause>,
) {
    let before = before.filter(|one| one.governs());
    for (setting, rule) in policy.rules.iter() {
        let had_rule = before.is_some_and(|before| before.rules.managed(setting).is_some());
        let Management::Managed(rule) = rule else { continue };
        if had_rule {
            continue;
        }
        found.extend(rule.looser_than(None).into_iter().map(|looser| {
            let code = if looser == Looser::Value { Code::WeakerWanted } else { code(looser) };
            LooseningCause { code, base: None, head: Some(index), setting: Some(setting) }
        }));
    }
}

/// Reports the policies that this one wins over now, if a user is in both, and wants less than they do. One
/// that won before is reported too if it reaches more users now.
fn overtaking(
    sides: Sides<'_>,
    pairs: &Pairs,
    (index, winner): (PolicyIndex, &Policy),
    found: &mut BTreeSet<LooseningCause>,
) {
    let was = pairs.base_of(index);
    let was = was.and_then(|base| sides.base.policies.policies.get(base.place()));
    for pair in pairs.both(sides) {
        let Pair { base: (base, before), head: (head, now) } = pair;
        if head == index || !before.governs() || !now.governs() {
            continue;
        }
        for (setting, stance) in winner.rules.iter() {
            let (Some(rule), Some(old_rule)) =
                (now.rules.managed(setting), before.rules.managed(setting))
            else {
                continue;
            };
            let code = overtakes((winner, stance), (now, rule));
            let was_stance = was.and_then(|was| Some((was, was.rules.get(setting)?)));
            let was_so = was_stance
                .filter(|(was, _)| was.mode == Mode::Enforce && !reaches_more(was, winner));
            let was_so = was_so.and_then(|was| overtakes(was, (before, old_rule)));
            if let Some(code) = code.filter(|_| was_so.is_none()) {
                let (base, head) = (Some(base), Some(index));
                found.insert(LooseningCause { code, base, head, setting: Some(setting) });
            }
        }
    }
}

/// Whether a policy can apply to users that it did not apply to before.
fn reaches_more(before: &Policy, now: &Policy) -> bool {
    names_fewer(&now.who, &before.who)
        || is_narrower(&now.only, &before.only)
        || exceptions::excludes_fewer(&before.except, &now.except)
}

/// Returns what a policy does where it wins over another one and guards less.
fn overtakes(
    (winner, stance): (&Policy, &Management<SettingRule>),
    (loser, rule): (&Policy, &SettingRule),
) -> Option<Code> {
    if winner.priority >= loser.priority {
        return None;
    }
    match stance {
        Management::Unmanaged => Some(Code::SettingUnmanaged),
        Management::Managed(one) if one.looser_than(Some(rule)).is_empty() => None,
        Management::Managed(_) => Some(Code::RuleOvertaken),
    }
}

/// Whether `appliesTo` lost an entry.
fn names_fewer(before: &AppliesToSet, now: &AppliesToSet) -> bool {
    let AppliesToSet { everyone, groups, roles, users } = before;
    if now.everyone {
        return false;
    }
    let is_same = |one: &GroupRef, other: &GroupRef| match (one, other) {
        (GroupRef::Id(one) | GroupRef::Both { id: one, .. }, GroupRef::Id(other))
        | (GroupRef::Id(one), GroupRef::Both { id: other, .. }) => one == other,
        (GroupRef::Both { id: one, .. }, GroupRef::Both { id: other, .. }) => one == other,
        (GroupRef::Name(one), GroupRef::Name(other) | GroupRef::Both { name: other, .. })
        | (GroupRef::Both { name: one, .. }, GroupRef::Name(other)) => one == other,
        (GroupRef::Name(_), GroupRef::Id(_)) | (GroupRef::Id(_), GroupRef::Name(_)) => false,
    };
    *everyone
        || groups.iter().any(|(one, _)| !now.groups.iter().any(|(other, _)| is_same(one, other)))
        || roles.iter().any(|(one, _)| !now.roles.iter().any(|(other, _)| one == other))
        || users.iter().any(|(one, _)| !now.users.iter().any(|(other, _)| one == other))
}

/// Whether a user can meet the earlier condition and not the later one.
fn is_narrower(before: &Where, now: &Where) -> bool {
    let Where { department, usage_location, synced, guest, enabled, registered } = before;
    excludes_more(department.as_ref(), now.department.as_ref())
        || excludes_more(usage_location.as_ref(), now.usage_location.as_ref())
        || takes_fewer(*synced, now.synced)
        || takes_fewer(*guest, now.guest)
        || takes_fewer(*enabled, now.enabled)
        || registered_narrower(registered.as_ref(), now.registered.as_ref())
}

fn excludes_more<T: PartialEq>(before: Option<&Match<T>>, now: Option<&Match<T>>) -> bool {
    let Some(now) = now else { return false };
    let Some(Match { any, none }) = before else {
        return !now.any.is_empty() || !now.none.is_empty();
    };
    let passed = |value: &T| (any.is_empty() || any.contains(value)) && !none.contains(value);
    let takes_any_less = match (any.is_empty(), now.any.is_empty()) {
        (_, true) => false,
        (true, false) => true,
        (false, false) => any.iter().any(|value| passed(value) && !now.any.contains(value)),
    };
    takes_any_less || now.none.iter().any(passed)
}

const fn takes_fewer(Either { yes, no }: Either, now: Either) -> bool {
    (yes && !now.yes) || (no && !now.no)
}

fn registered_narrower(before: Option<&Registered>, now: Option<&Registered>) -> bool {
    let Some(now) = now else { return false };
    let Some(Registered { any, none, origin: _ }) = before else { return true };
    let lacks = |one: Kinds, other: Kinds| one.iter().any(|kind| !other.has(kind));
    let takes_any_less = !now.any.is_empty() && (any.is_empty() || lacks(*any, now.any));
    takes_any_less || lacks(now.none, *none)
}
