//! Selects the people that an entry of `always` is about. A name that cannot be resolved, or a group whose
//! members are unknown, fails the entry: what narrows a check must resolve.
//!
//! Not here: what the entry says of these people (`always`).

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::always::{AlwaysPerson, AlwaysTenant};
use super::expected::PeopleBlock;
use super::reason;
use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, RoleId, UserId};
use crate::policy::written_names;
use crate::posture::Posture;
use crate::source::{FileId, Located, Origin};
use crate::tenant::facts::UnknownReason;

/// The people that meet a condition.
#[derive(Debug)]
pub(super) struct SelectedPeople<'a> {
    with: Option<&'a PeopleBlock>,
    /// The members of the group, by index in the directory. Several groups can have one name.
    members: Vec<&'a FixedBitSet>,
    holders: BTreeSet<UserId>,
}

/// A name that was not found, or whose people are unknown.
#[derive(Debug)]
pub(super) struct Unresolved<'a> {
    word: &'a Located<String>,
    /// `group`, or `role`.
    what: &'static str,
    people: &'static str,
}

impl<'a> SelectedPeople<'a> {
    /// Resolves the group and the role of the condition.
    pub(super) fn of(
        with: Option<&'a PeopleBlock>,
        tenant: AlwaysTenant<'a>,
    ) -> Result<Self, Unresolved<'a>> {
        let group = with.and_then(|with| with.group.as_ref());
        let role = with.and_then(|with| with.role.as_ref());
        let members = group.map(|word| members(word, tenant)).transpose()?.unwrap_or_default();
        let holders = role.map(|word| holders(word, tenant)).transpose()?.unwrap_or_default();
        Ok(Self { with, members, holders })
    }

    /// Whether the person meets all conditions.
    pub(super) fn has(&self, person: AlwaysPerson<'_>, tenant: AlwaysTenant<'_>) -> bool {
        let Some(with) = self.with else { return true };
        let Some(user) = tenant.observed.directory.user(person.index) else { return false };
        let PeopleBlock { group, role, department, guest, enabled, policy, excluded_from, becomes } =
            with;
        let explanation = person.explanation;
        let is_guest = user.account.guest || user.account.homed_elsewhere;
        let same =
            |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
        let works_in = |word: &str| user.department.as_ref().is_some_and(|one| same(one, word));
        let place = person.index.place();
        (group.is_unmentioned() || self.members.iter().any(|members| members.contains(place)))
            && (role.is_unmentioned() || self.holders.contains(&user.id))
            && department.as_ref().is_none_or(|word| works_in(&word.value))
            && guest.as_ref().is_none_or(|wanted| wanted.value == is_guest)
            && enabled.as_ref().is_none_or(|wanted| wanted.value == user.account.enabled)
            && policy.as_ref().is_none_or(|name| reason::applies(explanation, &name.value))
            && excluded_from
                .as_ref()
                .is_none_or(|name| reason::is_excluded(explanation, &name.value))
            && becomes.as_ref().is_none_or(|words| {
                let after = explanation.standing.after;
                // What could not be read of a user may be meant too.
                let may_be = after == Posture::Unknown && person.is_unread(tenant);
                may_be || words.0.iter().any(|word| word.value.0 == after)
            })
    }
}

fn members<'a>(
    word: &'a Located<String>,
    tenant: AlwaysTenant<'a>,
) -> Result<Vec<&'a FixedBitSet>, Unresolved<'a>> {
    let directory = &tenant.observed.directory;
    let ids: Vec<GroupId> = match written_names::id(&word.value).map(GroupId::from_uuid) {
        Some(id) => vec![id],
        None => directory.groups_named(&word.value).map(|group| group.id).collect(),
    };
    let read = |id: &GroupId| match directory.unreadable(*id) {
        None => directory.guarded(*id),
        Some(_) => None,
    };
    let members: Option<Vec<&FixedBitSet>> = ids.iter().map(read).collect();
    members.filter(|all| !all.is_empty()).ok_or(Unresolved {
        word,
        what: "group",
        people: "members",
    })
}

fn holders<'a>(
    word: &'a Located<String>,
    tenant: AlwaysTenant<'_>,
) -> Result<BTreeSet<UserId>, Unresolved<'a>> {
    let unresolved = Unresolved { word, what: "role", people: "holders" };
    let Some(roles) = tenant.roles.known() else { return Err(unresolved) };
    // Without a licence for it, no user can activate a role.
    if !matches!(roles.eligibility_unknown, None | Some(UnknownReason::NotLicensed)) {
        return Err(unresolved);
    }
    let named = match written_names::id(&word.value).map(RoleId::from_uuid) {
        Some(id) => roles.names.contains_key(&id).then_some(id),
        None => roles.named(&word.value),
    };
    named.map(|role| roles.people(role).collect()).ok_or(unresolved)
}

impl Unresolved<'_> {
    pub(super) fn finding(&self, file: FileId) -> Finding {
        let Self { word, what, people } = self;
        let message = format!("the {people} of the {what} {} are unknown", quoted(&word.value));
        Finding::new(Code::CheckFailed, message)
            .at(Origin { file, span: word.span }, "not read, or there is none")
            .help(format!("correct the name, or name the {what} in a policy, so that it is read"))
    }
}
