//! Resolves what must never be missed: break-glass accounts and the exceptions of policies. If an entry does
//! not resolve or was not read whole, that is an error and nothing is planned.
//!
//! Not here: other reasons why a policy excludes a user (`excluded`).

use std::fmt::Display;

use fixedbitset::FixedBitSet;

use super::names::{self, RECORD_AGAIN};
use super::{EntryRule, People, Resolver, ScopeEntry};
use crate::finding::{Code, Finding, quoted};
use crate::id::GroupId;
use crate::policy::filter::Exception;
use crate::policy::{BreakGlass, GuardEntry, GuardGroup, Policy};
use crate::source::Origin;
use crate::tenant::directory::{Directory, UserIndex};
use crate::tenant::facts::{Read, UnknownReason};
use crate::untrusted::Untrusted;

/// The purpose of a guard, for messages.
#[derive(Debug, Clone, Copy)]
enum Guard<'a> {
    BreakGlass,
    Exception(&'a Policy),
}

/// The help for a membership that only one read shows.
const UNSETTLED: &str = "a change to a group takes some minutes to reach the index of the directory; plan again in a few minutes";

impl Guard<'_> {
    /// Names an entry in a sentence: its kind, id and name.
    fn entry<Id: Display>(self, what: &str, entry: &GuardEntry<Id>) -> String {
        let name = entry.name.as_ref().map_or(String::new(), |name| format!(" ({})", quoted(name)));
        match self {
            Self::BreakGlass => format!("break-glass {what} `{}`{name}", entry.id),
            Self::Exception(policy) => {
                let policy = quoted(&policy.name);
                format!("{what} `{}`{name}, an exception of policy {policy},", entry.id)
            }
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::BreakGlass => {
                "correct the id; nothing is planned while a break-glass account is unknown"
            }
            Self::Exception(_) => {
                "correct the id, or remove the entry; nothing is planned while an exception is unknown"
            }
        }
    }
}

impl<'a> Resolver<'a> {
    /// The accounts that are never written.
    pub(super) fn break_glass_accounts(&mut self, guards: &BreakGlass) -> FixedBitSet {
        let mut accounts = FixedBitSet::with_capacity(self.directory.len());
        for entry in &guards.users {
            if let Some(index) = self.guard_user(entry, Guard::BreakGlass) {
                accounts.insert(index.place());
            }
        }
        for GuardGroup { entry, allow_empty } in &guards.groups {
            if let Some(members) = self.guard_group(entry, Guard::BreakGlass) {
                accounts.union_with(members);
                if members.is_clear() && !allow_empty {
                    self.findings.push(self.empty_break_glass(entry));
                }
            }
        }
        self.check_minimum(guards, &accounts);
        accounts
    }

    /// Calls `visit` for every entry of the policy's exceptions, with the users that the entry means.
    pub(super) fn each_excepted(
        &mut self,
        policy: &Policy,
        visit: &mut dyn FnMut(usize, ScopeEntry, People<'_>),
    ) {
        for (place, exception) in policy.except.iter().enumerate() {
            let visit = &mut |entry, people: People<'_>| visit(place, entry, people);
            match exception.until.filter(|_| exception.is_over(self.today)) {
                Some((day, origin)) => self.note_over(policy, exception, day, origin),
                None => self.except(policy, exception, visit),
            }
        }
    }

    fn except(
        &mut self,
        policy: &Policy,
        exception: &Exception,
        visit: &mut dyn FnMut(ScopeEntry, People<'_>),
    ) {
        let guard = Guard::Exception(policy);
        for entry in &exception.users {
            if let Some(index) = self.guard_user(entry, guard) {
                visit(ScopeEntry::new(EntryRule::Named, entry.origin), People::One(index));
            }
        }
        for entry in &exception.groups {
            let Some(members) = self.guard_group(entry, guard) else { continue };
            visit(
                ScopeEntry::new(EntryRule::Group(entry.id), entry.origin),
                People::Several(members),
            );
            if members.is_clear() && !exception.allow_empty {
                self.findings.push(self.empty_exception(policy, entry));
            }
        }
        for (role, origin) in &exception.roles {
            let found = self.roles.known().map(|roles| (roles, names::find_role(role, roles)));
            let fault = match (found, self.roles) {
                (_, Read::Unknown(why)) => Some(names::roles_unread(*why, Code::GuardUnresolved)),
                (None | Some((_, None)), Read::Known(roles)) => {
                    Some(names::no_such_role(role, roles, Code::GuardUnresolved))
                }
                (Some((roles, Some(id))), _) => {
                    let holders = self.holders(roles, id);
                    visit(ScopeEntry::new(EntryRule::Role(id), *origin), People::Several(&holders));
                    roles.eligibility_unknown.map(|why| {
                        let message = format!("the users that can activate an excluded role are unknown: {}", why.about());
                        Finding::new(Code::GuardUnresolved, message)
                            .help("name the users or a group in `except`, or grant `RoleEligibilitySchedule.Read.Directory`")
                    })
                }
            };
            let fault = fault.map(|fault| fault.at(*origin, "excluded here").policy(&policy.name));
            self.findings.extend(fault);
        }
    }

    fn note_over(
        &mut self,
        policy: &Policy,
        exception: &Exception,
        day: jiff::civil::Date,
        origin: Origin,
    ) {
        let reason = exception
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(" ({})", quoted(reason)));
        self.findings.push(
            Finding::new(
                Code::ExceptionOver,
                format!("an exception of policy {}{reason} ended on {day}", quoted(&policy.name)),
            )
            .at(origin, "over")
            .help("remove it, or give it a later day; the policy now applies to these users")
            .policy(&policy.name),
        );
    }

    fn empty_exception(&self, policy: &Policy, entry: &GuardEntry<GroupId>) -> Finding {
        let name = self.directory.group(entry.id).map_or(Untrusted::unknown(), |group| &group.name);
        Finding::new(
            Code::ExceptionEmpty,
            format!("the excluded group {} has no members", quoted(name)),
        )
        .at(entry.origin, "excludes no users")
        .help("find out who emptied it, or set `allowEmpty: true` if that is intended")
        .policy(&policy.name)
    }

    fn empty_break_glass(&self, entry: &GuardEntry<GroupId>) -> Finding {
        let name = self.directory.group(entry.id).map_or(Untrusted::unknown(), |group| &group.name);
        Finding::new(
            Code::BreakGlassEmpty,
            format!("the break-glass group {} has no members", quoted(name)),
        )
        .at(entry.origin, "guards no accounts")
        .help("find out who emptied it, or set `allowEmpty: true` if that is intended")
    }

    fn guard_user(
        &mut self,
        entry: &GuardEntry<crate::id::UserId>,
        guard: Guard<'_>,
    ) -> Option<UserIndex> {
        let directory = self.directory;
        let found =
            directory.find(entry.id).and_then(|index| Some((index, directory.user(index)?)));
        let Some((index, user)) = found else {
            let finding = match directory.is_unrecorded(&entry.id.to_string()) {
                true => unresolved("account", entry, guard, "is not in the snapshot")
                    .help("take a new snapshot with these files"),
                false => unresolved("account", entry, guard, "is not in this tenant"),
            };
            self.findings.push(finding);
            return None;
        };
        if let Some(name) = &entry.name {
            self.check_name(name, user.name.raw(), "account", entry.origin);
        }
        Some(index)
    }

    /// The members of the group that any read shows.
    fn guard_group(
        &mut self,
        entry: &GuardEntry<GroupId>,
        guard: Guard<'_>,
    ) -> Option<&'a FixedBitSet> {
        let directory = self.directory;
        if let Some(why) = directory.unreadable(entry.id) {
            let what = format!("could not be read: {}", why.about());
            let finding = unresolved("group", entry, guard, &what);
            if why == UnknownReason::NotRecorded {
                self.findings.push(finding.help(RECORD_AGAIN));
                return None;
            }
            self.findings.push(finding.help("grant `GroupMember.Read.All` (and `Member.Read.Hidden` if its membership is hidden); nothing is planned until the whole group can be read"));
            return None;
        }
        let (Some(group), Some(members)) = (directory.group(entry.id), directory.guarded(entry.id))
        else {
            self.findings.push(unresolved("group", entry, guard, "is not in this tenant"));
            return None;
        };
        if let Some(name) = &entry.name {
            self.check_name(name, group.name.raw(), "group", entry.origin);
        }
        if (group.is_dynamic || !group.is_role_assignable) && self.warned.insert(group.id) {
            self.findings.push(unprotected(entry, group.name.raw(), group.is_dynamic, guard));
        }
        let disputed: Vec<UserIndex> = directory.disputed(entry.id).collect();
        if !disputed.is_empty() {
            let finding = unsettled(directory, &disputed, group.name.raw(), guard);
            self.findings.push(finding.at(entry.origin, "named here"));
        }
        Some(members)
    }

    /// Checks that there are enough enabled accounts.
    fn check_minimum(&mut self, guards: &BreakGlass, accounts: &FixedBitSet) {
        let enabled = accounts
            .ones()
            .filter_map(|place| self.directory.user(UserIndex::new(place)))
            .filter(|user| user.account.enabled)
            .count();
        let wanted = guards.minimum as usize;
        if enabled < wanted {
            let accounts = if enabled == 1 { "account" } else { "accounts" };
            let finding = Finding::new(
                Code::BreakGlassMinimum,
                format!("{enabled} enabled break-glass {accounts}, and `minimum` is {wanted}"),
            )
            .help("add accounts to `breakGlass`, enable the existing ones, or lower `minimum`");
            self.findings.push(match guards.origin {
                Some(origin) => finding.at(origin, "these accounts"),
                None => finding,
            });
        }
    }

    /// Warns if the name differs from the name in the tenant. The id decides.
    pub(super) fn check_name(&mut self, written: &str, found: &str, what: &str, origin: Origin) {
        if written.to_lowercase() != found.to_lowercase() {
            let message = format!(
                "the {what} is called {} in the tenant, not {}",
                quoted(found),
                quoted(written)
            );
            self.findings.push(
                Finding::new(Code::NameDiffers, message)
                    .at(origin, "the id decides")
                    .help("find out who renamed it, then correct the name here"),
            );
        }
    }
}

fn unresolved<Id: Display>(
    what: &str,
    entry: &GuardEntry<Id>,
    guard: Guard<'_>,
    why: &str,
) -> Finding {
    let message = format!("{} {why}", guard.entry(what, entry));
    let finding = Finding::new(Code::GuardUnresolved, message)
        .at(entry.origin, "named here")
        .help(guard.help());
    match guard {
        Guard::BreakGlass => finding,
        Guard::Exception(policy) => finding.policy(&policy.name),
    }
}

/// The finding for users that one read of a group shows as members and the other does not. Their membership
/// probably changed just now.
fn unsettled(directory: &Directory, users: &[UserIndex], group: &str, guard: Guard<'_>) -> Finding {
    let (group, names) = (quoted(group), directory.in_words(users));
    let count = if users.len() == 1 { "counts" } else { "count" };
    let message = match guard {
        Guard::BreakGlass => format!(
            "{names} {count} as break-glass: only one of two reads of group {group} shows the membership"
        ),
        Guard::Exception(policy) => format!(
            "{names} {count} as excluded from policy {}: only one of two reads of group {group} shows the membership",
            quoted(&policy.name)
        ),
    };
    let ids = users.iter().filter_map(|index| directory.user(*index)).map(|user| user.id);
    let finding = Finding::new(Code::MembershipUnsettled, message).help(UNSETTLED).users(ids);
    match guard {
        Guard::BreakGlass => finding,
        Guard::Exception(policy) => finding.policy(&policy.name),
    }
}

fn unprotected(
    entry: &GuardEntry<GroupId>,
    name: &str,
    is_dynamic: bool,
    guard: Guard<'_>,
) -> Finding {
    let (why, help) = match is_dynamic {
        true => (
            "its members follow from a rule on attributes",
            "use a role-assignable group with assigned members, or name the accounts",
        ),
        false => (
            "it is not role-assignable, so its owners and many administrators can change its members",
            "use a role-assignable group, or name the accounts",
        ),
    };
    let purpose = match guard {
        Guard::BreakGlass => "break-glass accounts",
        Guard::Exception(_) => "an exception",
    };
    Finding::new(
        Code::GuardGroupUnprotected,
        format!("group {} defines {purpose}, but {why}", quoted(name)),
    )
    .at(entry.origin, "named here")
    .help(help)
}
