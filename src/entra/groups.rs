//! Groups and who is in them (Graph documentation of group and of transitiveMembers, v1.0, checked
//! 2026-11).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::null_is_empty;
use crate::graph::{Client, Consistency, Error};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::Group;

/// The properties of a group that decide whether a policy may name it.
pub(super) const SELECT: &str = "id,displayName,groupTypes,securityEnabled";

/// A group as Graph shows one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    id: GroupId,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    group_types: Vec<String>,
    #[serde(default)]
    security_enabled: Option<bool>,
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        let unified = row.group_types.iter().any(|kind| kind == "Unified");
        Self {
            id: row.id,
            name: row.display_name.unwrap_or_default(),
            is_security: row.security_enabled.unwrap_or(false) && !unified,
        }
    }
}

/// Groups of a display name; a quote inside it is doubled, as OData wants.
pub(super) fn by_name(name: &str) -> String {
    let quoted = super::directory::encode(&name.replace('\'', "''"));
    format!("/v1.0/groups?$filter=displayName%20eq%20'{quoted}'&$select={SELECT}")
}

pub(super) fn by_id(id: GroupId) -> String {
    format!("/v1.0/groups/{id}?$select={SELECT}")
}

/// Users in the group, directly or through others. The cast makes it an advanced query, which wants
/// `ConsistencyLevel: eventual` and `$count`.
pub(super) fn members(id: GroupId, select: &str) -> String {
    format!(
        "/v1.0/groups/{id}/transitiveMembers/microsoft.graph.user?$count=true&$top=999&$select={select}"
    )
}

/// A member, of whom the id is enough.
#[derive(Debug, Deserialize)]
struct Member {
    id: UserId,
}

/// The ids of everybody in the group; nobody where there is no such group.
pub(super) async fn members_of(client: &Client, id: GroupId) -> Result<BTreeSet<UserId>, Error> {
    let mut people = BTreeSet::new();
    let page = |rows: Vec<Member>| people.extend(rows.into_iter().map(|member| member.id));
    match client.pages(&members(id, "id"), Consistency::Eventual, page).await {
        Err(error) if error.status() == Some(404) => Ok(BTreeSet::new()),
        Err(error) => Err(error),
        Ok(()) => Ok(people),
    }
}
