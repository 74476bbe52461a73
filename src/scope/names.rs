//! Finds the groups, roles and users that a policy names. If one does not exist, the finding suggests similar
//! names.
//!
//! Not here: entries that must resolve (`guards`).

use fixedbitset::FixedBitSet;

use super::Resolver;
use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, RoleId};
use crate::policy::{GroupRef, Policy, RoleRef, UserRef};
use crate::source::Origin;
use crate::tenant::directory::{Group, UserIndex};
use crate::tenant::facts::{Read, UnknownReason};
use crate::tenant::roles::Roles;
use crate::untrusted::Untrusted;

/// The most names that are suggested instead of a name that does not exist.
const MOST_OFFERED: usize = 3;
/// What helps if a snapshot does not have a group.
pub(super) const RECORD_AGAIN: &str =
    "take a new snapshot with these files, or one with `--groups all`";
/// The similarity that a suggested name must have, from 0 to 1.
const NEAR: f32 = 0.6;

impl Resolver<'_> {
    pub(super) fn find_user(
        &mut self,
        user: &UserRef,
        origin: Origin,
        policy: &Policy,
    ) -> Option<UserIndex> {
        let (found, shown) = match user {
            UserRef::PrincipalName(name) => (self.directory.find_by_name(name), quoted(name)),
            UserRef::Id(id) => (self.directory.find(*id), format!("`{id}`")),
        };
        if found.is_none() {
            let finding = match self.directory.is_unrecorded(&user.word()) {
                true => Finding::new(
                    Code::SnapshotLacks,
                    format!("the snapshot does not know whether there is a user {shown}"),
                )
                .help("take a new snapshot with these files; the policy applies to the others"),
                false => Finding::new(
                    Code::UserNotFound,
                    format!("no user {shown} in this tenant"),
                )
                .help("remove the line, or correct the name; the policy applies to the others"),
            };
            self.findings.push(finding.at(origin, "named here").policy(&policy.name));
        }
        found
    }

    /// Finds a group that was read whole, so that its members are known.
    pub(super) fn find_group(
        &mut self,
        group: &GroupRef,
        origin: Origin,
        policy: &Policy,
    ) -> Option<GroupId> {
        let found = match group {
            GroupRef::Name(name) => self.group_named(name),
            GroupRef::Id(id) | GroupRef::Both { id, .. } => self.group_with(*id),
        };
        match found {
            Ok(id) => {
                if let (GroupRef::Both { name, .. }, Some(found)) =
                    (group, self.directory.group(id))
                {
                    self.check_name(name, found.name.raw(), "group", origin);
                }
                Some(id)
            }
            Err(fault) => {
                self.findings.push(fault.at(origin, "named here").policy(&policy.name));
                None
            }
        }
    }

    fn group_with(&self, id: GroupId) -> Result<GroupId, Finding> {
        if let Some(why) = self.directory.unreadable(id) {
            let message = format!("group `{id}` could not be read: {}", why.about());
            if why == UnknownReason::NotRecorded {
                // The id of a group of which only the name is known is none of the tenant.
                let name = self.directory.group(id).map(|group| quoted(&group.name));
                let name = name.unwrap_or_else(|| format!("`{id}`"));
                let message = format!("group {name} could not be read: {}", why.about());
                return Err(Finding::new(Code::GroupUnreadable, message).help(RECORD_AGAIN));
            }
            return Err(Finding::new(Code::GroupUnreadable, message).help(
                "grant `GroupMember.Read.All` (and `Member.Read.Hidden` if its membership is hidden); without it, the users of the policy are unknown",
            ));
        }
        if self.directory.group(id).is_some() {
            return Ok(id);
        }
        let message = format!("no group with id `{id}` in this tenant");
        Err(Finding::new(Code::GroupNotFound, message)
            .help("find the group in the Entra admin center and copy its object id"))
    }

    fn group_named(&self, name: &str) -> Result<GroupId, Finding> {
        let shown = quoted(name);
        let (security, others): (Vec<&Group>, Vec<&Group>) =
            self.directory.groups_named(name).partition(|group| group.is_security);
        Err(match (security.as_slice(), others.as_slice()) {
            ([group], _) => return self.group_with(group.id),
            ([], []) => {
                let message = format!("no security group is named {shown}");
                Finding::new(Code::GroupNotFound, message).help(self.groups_like(name))
            }
            ([], [other, ..]) => {
                let message = format!("{shown} is a Microsoft 365 group, not a security group");
                Finding::new(Code::GroupNotFound, message)
                    .help(format!("if this group is intended, use its id: `{}`", other.id))
            }
            (several, _) => {
                let ids: Vec<String> =
                    several.iter().map(|group| format!("`{}`", group.id)).collect();
                let message = format!("{} security groups are named {shown}", several.len());
                Finding::new(Code::GroupAmbiguous, message)
                    .help(format!("use the id of one of them: {}", ids.join(" or ")))
            }
        })
    }

    /// Suggests groups with similar names, with their ids.
    fn groups_like(&self, name: &str) -> String {
        let alike = self.directory.alike(name).iter();
        let groups: Vec<&Group> = alike.filter(|group| group.is_security).collect();
        let names: Vec<&str> = groups.iter().map(|group| group.name.raw()).collect();
        let offered: Vec<String> = nearest(name, &names)
            .into_iter()
            .flat_map(|near| groups.iter().filter(move |group| group.name.raw() == near))
            .take(MOST_OFFERED)
            .map(|group| format!("{} (`{}`)", quoted(&group.name), group.id))
            .collect();
        match offered.is_empty() {
            true => "check the spelling, or name the group by its object id".to_owned(),
            false => format!("did you mean {}?", offered.join(" or ")),
        }
    }

    /// Finds the users that hold the role or can activate it.
    pub(super) fn find_holders(
        &mut self,
        role: &RoleRef,
        origin: Origin,
        policy: &Policy,
    ) -> Option<(RoleId, FixedBitSet)> {
        let found = match self.roles {
            Read::Known(roles) => find_role(role, roles)
                .map(|id| (id, self.holders(roles, id)))
                .ok_or_else(|| no_such_role(role, roles, Code::RoleNotFound)),
            Read::Unknown(why) => Err(roles_unread(*why, Code::RoleUnreadable)),
        };
        let fault = |fault: Finding| fault.at(origin, "named here").policy(&policy.name);
        found.map_err(|found| self.findings.push(fault(found))).ok()
    }

    pub(super) fn holders(&self, roles: &Roles, role: RoleId) -> FixedBitSet {
        let mut holders = FixedBitSet::with_capacity(self.directory.len());
        let people = roles.people(role).filter_map(|id| self.directory.find(id));
        people.for_each(|index| holders.insert(index.place()));
        holders
    }
}

pub(super) fn no_such_role(role: &RoleRef, roles: &Roles, code: Code) -> Finding {
    let RoleRef::Name(name) = role else {
        let RoleRef::Id(id) = role else { return Finding::new(code, "no such role") };
        return Finding::new(code, format!("no directory role with template id `{id}`"))
            .help("name the role by its display name, such as `Global Administrator`");
    };
    let names: Vec<&str> = roles.names.values().map(Untrusted::raw).collect();
    let offered: Vec<String> = nearest(name, &names)
        .into_iter()
        .filter_map(|near| {
            let (id, name) = roles.names.iter().find(|(_, name)| name.raw() == near)?;
            Some(format!("{} (`{id}`)", quoted(name)))
        })
        .collect();
    let help = match offered.is_empty() {
        true => "check the spelling, or name the role by its template id".to_owned(),
        false => format!("did you mean {}?", offered.join(" or ")),
    };
    Finding::new(code, format!("no directory role is named {}", quoted(name))).help(help)
}

pub(super) fn roles_unread(why: UnknownReason, code: Code) -> Finding {
    Finding::new(code, format!("directory roles could not be read: {}", why.about())).help(
        "grant `RoleManagement.Read.Directory`; without it, the users of the policy are unknown",
    )
}

/// Finds the role, if it exists.
pub(super) fn find_role(role: &RoleRef, roles: &Roles) -> Option<RoleId> {
    match role {
        RoleRef::Name(name) => roles.named(name),
        RoleRef::Id(id) => roles.names.contains_key(id).then_some(*id),
    }
}

/// Returns the names most similar to a wrong name, the most similar first. Case does not matter.
fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Vec<&'a str> {
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let words: Vec<&str> = folded.iter().map(String::as_str).collect();
    let wrong: String = wrong.to_lowercase().chars().take(64).collect();
    let near = similar::get_close_matches(wrong.as_str(), &words, MOST_OFFERED, NEAR);
    let mut found: Vec<&str> = near
        .into_iter()
        .flat_map(|near| {
            names.iter().zip(&words).filter(move |(_, word)| **word == near).map(|(name, _)| *name)
        })
        .collect();
    found.dedup();
    found
}
