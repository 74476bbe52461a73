//! Reads directory roles and their holders: definitions, active assignments, and eligibility for roles
//! and for the groups that hold roles (Graph documentation of unifiedRoleAssignment,
//! unifiedRoleEligibilityScheduleInstance and privilegedAccessGroupEligibilityScheduleInstance, v1.0,
//! checked 2026-11).
//!
//! Not here: service principals, which no policy of this program covers, and owners of groups, who could
//! make themselves members but hold no role yet.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::future::{try_join, try_join3};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::permissions::wants_licence;
use super::{groups, membership, null_is_empty};
use crate::graph::{Client, Consistency, Error, Identified, identity_of};
use crate::id::{GroupId, RoleId, UserId};
use crate::tenant::facts::UnknownReason;
use crate::tenant::membership::Membership;
use crate::tenant::roles::{RoleHolders, Roles};
use crate::untrusted::Untrusted;

const DEFINITIONS: &str = "/v1.0/roleManagement/directory/roleDefinitions?$select=id,displayName";
pub(super) const ASSIGNMENTS: &str =
    "/v1.0/roleManagement/directory/roleAssignments?$expand=principal";
pub(super) const ELIGIBILITY: &str =
    "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances?$expand=principal";

/// Number of groups with a role that are read at a time.
const LANES: usize = 8;

/// Reads all roles, and all users who hold one or may activate one. If only eligibility cannot be read,
/// the result says so.
///
/// # Errors
/// Definitions, assignments or the members of a group that holds a role could not be read.
pub async fn read(client: &Client) -> Result<Roles, Error> {
    let assigned = client.list::<Assignment>(ASSIGNMENTS, Consistency::Default);
    let eligible = async {
        match client.list::<Assignment>(ELIGIBILITY, Consistency::Default).await {
            Ok(rows) => Ok((rows, None)),
            Err(error) => Ok((Vec::new(), Some(unknown(error)?))),
        }
    };
    let (names, assigned, (eligible, eligibility_unknown)) =
        try_join3(names(client), assigned, eligible).await?;
    let mut roles = Roles { names, eligibility_unknown, ..Roles::default() };
    let mut granted = Granted::default();
    assigned.iter().for_each(|row| granted.add(row, Standing::Active));
    eligible.iter().for_each(|row| granted.add(row, Standing::Eligible));
    let groups = stream::iter(granted.groups()).map(async |group| {
        let members = membership::both_of(client, group).await?;
        let eligible = eligible_for(client, group).await.map_err(unknown);
        Ok::<_, Error>((group, members, eligible))
    });
    let mut groups = pin!(groups.buffered(LANES));
    while let Some(group) = groups.next().await {
        let (group, (members, hides), eligible) = group?;
        let (eligible, unknown) = match eligible {
            Ok((eligible, hides)) => (eligible, hides.then_some(UnknownReason::Forbidden)),
            Err(why) => (Membership::default(), Some(why?)),
        };
        for why in hides.then_some(UnknownReason::Forbidden).into_iter().chain(unknown) {
            roles.eligibility_unknown = Some(worse(roles.eligibility_unknown, why));
        }
        for (members, standing) in [(members, Standing::Active), (eligible, Standing::Eligible)] {
            granted.members(group, &members, standing);
            if !members.disputed().is_empty() {
                roles.disputed.entry(group).or_default().extend(members.disputed());
            }
        }
    }
    roles.holders = granted.into_holders();
    Ok(roles)
}

async fn names(client: &Client) -> Result<BTreeMap<RoleId, Untrusted>, Error> {
    let definitions: Vec<Definition> = client.list(DEFINITIONS, Consistency::Default).await?;
    Ok(definitions.into_iter().map(|role| (role.id, role.display_name.into())).collect())
}

/// Returns the path of the users who may become members of the group.
pub(super) fn group_eligibility(group: GroupId) -> String {
    format!(
        "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?$filter=groupId%20eq%20'{group}'&$expand=principal"
    )
}

/// Reads the users who may become members of the group by privileged identity management of groups, and
/// whether one of the eligible groups hides its members.
async fn eligible_for(client: &Client, group: GroupId) -> Result<(Membership, bool), Error> {
    let rows: Vec<GroupEligibility> =
        client.list(&group_eligibility(group), Consistency::Default).await?;
    let (mut directory, mut index, mut hides) = (BTreeSet::new(), BTreeSet::new(), false);
    for row in rows.iter().filter(|row| row.access_id.as_deref() != Some("owner")) {
        match kind(row.principal.as_ref()) {
            Principal::User => {
                let id = UserId::from_uuid(row.principal_id);
                _ = (directory.insert(id), index.insert(id));
            }
            Principal::Group => {
                let id = GroupId::from_uuid(row.principal_id);
                let (walked, indexed) =
                    try_join(membership::walk(client, id), groups::members_of(client, id)).await?;
                directory.extend(walked.people);
                index.extend(indexed);
                hides |= walked.hides;
            }
            Principal::Service => {}
        }
    }
    Ok((Membership::of(&directory, &index), hides))
}

/// Returns why eligibility is unknown, if the error is an answer that says so; any other error is
/// returned as it is.
///
/// Without the licence, no user can activate anything. A refusal, or an answer that the path does not
/// exist, does not say which users could.
fn unknown(error: Error) -> Result<UnknownReason, Error> {
    match error.status() {
        Some(400 | 403) if wants_licence(&error) => Ok(UnknownReason::NotLicensed),
        Some(403) => Ok(UnknownReason::Forbidden),
        Some(400 | 404) => Ok(UnknownReason::Failed),
        _ => Err(error),
    }
}

/// Returns the reason that leaves more unknown.
fn worse(known: Option<UnknownReason>, other: UnknownReason) -> UnknownReason {
    match known {
        None | Some(UnknownReason::NotLicensed) => other,
        Some(why) => why,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    id: RoleId,
    #[serde(default, deserialize_with = "null_is_empty")]
    display_name: String,
}

/// An active assignment, or one that can be activated; both lists have these rows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    #[serde(default)]
    id: Option<String>,
    principal_id: Uuid,
    role_definition_id: RoleId,
    #[serde(default)]
    directory_scope_id: Option<String>,
    #[serde(default)]
    principal: Option<Object>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupEligibility {
    #[serde(default)]
    id: Option<String>,
    principal_id: Uuid,
    #[serde(default)]
    access_id: Option<String>,
    #[serde(default)]
    principal: Option<Object>,
}

impl Identified for Definition {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl Identified for Assignment {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl Identified for GroupEligibility {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

#[derive(Debug, Deserialize)]
struct Object {
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Principal {
    User,
    Group,
    Service,
}

/// Returns the kind of a principal. If the type is not shown, the principal counts as a user: an id that
/// matches no user has no effect.
fn kind(object: Option<&Object>) -> Principal {
    match object.and_then(|object| object.kind.as_deref()) {
        Some("#microsoft.graph.group") => Principal::Group,
        Some("#microsoft.graph.servicePrincipal") => Principal::Service,
        _ => Principal::User,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Active,
    /// Active for a part of the directory only.
    Scoped,
    Eligible,
}

/// The result so far: users by role, and the groups that hold a role.
#[derive(Debug, Default)]
struct Granted {
    holders: BTreeMap<RoleId, RoleHolders>,
    by_group: BTreeMap<GroupId, BTreeSet<(RoleId, Standing)>>,
}

impl Granted {
    fn add(&mut self, row: &Assignment, standing: Standing) {
        let role = row.role_definition_id;
        let whole = row.directory_scope_id.as_deref().is_none_or(|scope| scope == "/");
        let standing = match standing {
            Standing::Active if !whole => Standing::Scoped,
            standing => standing,
        };
        match kind(row.principal.as_ref()) {
            Principal::User => self.hold(role, UserId::from_uuid(row.principal_id), standing),
            Principal::Group => {
                let roles = self.by_group.entry(GroupId::from_uuid(row.principal_id)).or_default();
                roles.insert((role, standing));
            }
            Principal::Service => {}
        }
    }

    fn groups(&self) -> Vec<GroupId> {
        self.by_group.keys().copied().collect()
    }

    /// Gives the members of a group the roles of the group: a role is active only if the membership is
    /// active too.
    fn members(&mut self, group: GroupId, people: &Membership, membership: Standing) {
        for (role, standing) in self.by_group.get(&group).cloned().unwrap_or_default() {
            for user in people.agreed() {
                self.hold(role, *user, standing.max(membership));
            }
            if !people.disputed().is_empty() {
                self.holders.entry(role).or_default().disputed.extend(people.disputed());
            }
        }
    }

    fn hold(&mut self, role: RoleId, user: UserId, standing: Standing) {
        let holders = self.holders.entry(role).or_default();
        match standing {
            Standing::Active => holders.active.insert(user),
            Standing::Scoped => holders.scoped.insert(user),
            Standing::Eligible => holders.eligible.insert(user),
        };
    }

    /// Returns the holders. A user who holds a role for a part of the directory counts as a holder; a
    /// user who also holds it for the whole directory does not count as limited to the part.
    fn into_holders(mut self) -> BTreeMap<RoleId, RoleHolders> {
        for holders in self.holders.values_mut() {
            holders.scoped = holders.scoped.difference(&holders.active).copied().collect();
            holders.active.extend(&holders.scoped);
            let RoleHolders { active, eligible, disputed, .. } = holders;
            disputed.retain(|user| !active.contains(user) && !eligible.contains(user));
        }
        self.holders
    }
}
