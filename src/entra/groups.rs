//! Reads groups, and their members by the index of the directory (Graph documentation of group and of
//! transitiveMembers, v1.0, checked 2026-11).
//!
//! Not here: members by the directory itself (`membership`).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::null_is_empty;
use crate::graph::{Client, Consistency, Error, Identified, identity_of};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::Group;
use crate::tenant::lookup::GroupList;

/// The properties of a group that decide whether a policy may name it, and who can change it.
pub(super) const SELECT: &str = "id,displayName,groupTypes,isAssignableToRole,securityEnabled";

/// A group as Graph shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphGroup {
    id: GroupId,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    group_types: Vec<String>,
    #[serde(default)]
    is_assignable_to_role: Option<bool>,
    #[serde(default)]
    security_enabled: Option<bool>,
}

impl Identified for GraphGroup {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl From<GraphGroup> for Group {
    fn from(row: GraphGroup) -> Self {
        let is = |wanted| row.group_types.iter().any(|kind| kind == wanted);
        let (unified, dynamic) = (is("Unified"), is("DynamicMembership"));
        Self {
            id: row.id,
            name: row.display_name.unwrap_or_default().into(),
            is_security: row.security_enabled.unwrap_or(false) && !unified,
            is_role_assignable: row.is_assignable_to_role.unwrap_or(false),
            is_dynamic: dynamic,
        }
    }
}

/// Returns the path of the groups with a display name. A quote inside the name is doubled, as OData
/// requires.
pub(super) fn by_name(name: &str) -> String {
    let quoted = super::directory::encode(&name.replace('\'', "''"));
    format!("/v1.0/groups?$filter=displayName%20eq%20'{quoted}'&$select={SELECT}")
}

/// Returns the path of groups with a similar name: one of their words begins like the longest word of
/// `name`. Searching is an advanced query, which requires `ConsistencyLevel: eventual`.
pub(super) fn like(name: &str) -> String {
    const BEGINNING: usize = 3;
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let longest = words.max_by_key(|word| word.chars().count()).unwrap_or_default();
    let beginning: String = longest.chars().take(BEGINNING).collect();
    let clause = super::directory::encode(&format!("\"displayName:{beginning}\""));
    format!("/v1.0/groups?$search={clause}&$count=true&$top=100&$select={SELECT}")
}

/// Returns the path of the groups in a list.
pub(super) const fn in_list(list: GroupList) -> &'static str {
    match list {
        GroupList::RoleAssignable => {
            "/v1.0/groups?$filter=isAssignableToRole%20eq%20true&$top=999&$select=id,displayName,groupTypes,isAssignableToRole,securityEnabled"
        }
        GroupList::Security => {
            "/v1.0/groups?$filter=securityEnabled%20eq%20true&$top=999&$select=id,displayName,groupTypes,isAssignableToRole,securityEnabled"
        }
    }
}

pub(super) fn by_id(id: GroupId) -> String {
    format!("/v1.0/groups/{id}?$select={SELECT}")
}

/// Returns the path of the users in the group, directly or through other groups. The cast makes it an
/// advanced query, which requires `ConsistencyLevel: eventual` and `$count`.
pub(super) fn members(id: GroupId, select: &str) -> String {
    format!(
        "/v1.0/groups/{id}/transitiveMembers/microsoft.graph.user?$count=true&$top=999&$select={select}"
    )
}

/// A member; the id is enough.
#[derive(Debug, Deserialize)]
struct Member {
    id: UserId,
}

impl Identified for Member {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

/// Returns the ids of all users in the group, in the order of Graph.
pub(super) async fn ids_of_members(client: &Client, id: GroupId) -> Result<Vec<UserId>, Error> {
    let page = |people: &mut Vec<UserId>, rows: Vec<Member>| {
        people.extend(rows.into_iter().map(|member| member.id));
    };
    client.fold(&members(id, "id"), Consistency::Eventual, Vec::new, page).await
}

/// Returns the ids of all users in the group by the index; none if the index does not know the group.
pub(super) async fn members_of(client: &Client, id: GroupId) -> Result<BTreeSet<UserId>, Error> {
    match ids_of_members(client, id).await {
        Err(error) if error.status() == Some(404) => Ok(BTreeSet::new()),
        answer => answer.map(BTreeSet::from_iter),
    }
}

/// Returns whether a group that shows no members hides them. To a caller without the permission, such a
/// group looks empty (Graph documentation of group, `visibility`, checked 2026-11).
pub(super) async fn hides_members(client: &Client, id: GroupId) -> Result<bool, Error> {
    let token = client.token().await?;
    if token.roles.iter().chain(&token.scopes).any(|name| name == SEES_HIDDEN) {
        return Ok(false);
    }
    let path = format!("/v1.0/groups/{id}?$select=id,visibility");
    match client.get::<Visibility>(&path, Consistency::Default).await {
        Ok(group) => Ok(group.visibility.as_deref() == Some("HiddenMembership")),
        // A caller that may not see the group does not see its members either.
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(error.status() == Some(403)),
        Err(error) => Err(error),
    }
}

const SEES_HIDDEN: &str = "Member.Read.Hidden";

#[derive(Debug, Deserialize)]
struct Visibility {
    #[serde(default)]
    visibility: Option<String>,
}
