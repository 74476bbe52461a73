//! Reads the members of guard groups: the directory itself is asked group by group, and its index in
//! addition. A membership that was just written is in the directory and not yet in the index.
//!
//! Plain `members`, without cast, filter, count and `ConsistencyLevel`, is answered by the directory and
//! shows a write within seconds; everything else comes from an index that is seconds to minutes late.
//! For `transitiveMembers` without the header, the documentation does not say which of them answers
//! (Graph documentation of List group members and of advanced query capabilities, checked 2026-11).
//!
//! Not here: groups as objects (`groups`), or which groups are guard groups (`scope`, `tenant_rules`,
//! `roles`).

use std::collections::BTreeSet;

use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::groups;
use super::tenant_rules::refusable;
use crate::graph::{Client, Consistency, Error, Identified, identity_of};
use crate::id::{GroupId, UserId};
use crate::tenant::facts::{Read, UnknownReason};
use crate::tenant::membership::Membership;

/// Number of nested groups that are read at a time.
const LANES: usize = 8;

/// What the directory says about a group.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The users in the group and in its nested groups.
    pub(super) people: BTreeSet<UserId>,
    /// True if one of the groups hides its members, so that users may be missing.
    pub(super) hides: bool,
}

/// Returns the members of the group by both reads; unknown if this identity does not see all of them.
pub(super) async fn all_of(client: &Client, id: GroupId) -> Result<Read<Membership>, Error> {
    match refusable(both_of(client, id).await)? {
        Read::Known((_, true)) => Ok(Read::Unknown(UnknownReason::Forbidden)),
        Read::Known((membership, false)) => Ok(Read::Known(membership)),
        Read::Unknown(why) => Ok(Read::Unknown(why)),
    }
}

/// Returns the members of the group by both reads, and whether a nested group hides its members. A group
/// that does not exist has no members.
pub(super) async fn both_of(client: &Client, id: GroupId) -> Result<(Membership, bool), Error> {
    let (walked, index) = try_join(walk(client, id), groups::members_of(client, id)).await?;
    Ok((Membership::of(&walked.people, &index), walked.hides))
}

/// Walks from the group through all nested groups, to any depth. Each group is read once, so cycles end.
/// A group that does not exist has no members.
pub(super) async fn walk(client: &Client, id: GroupId) -> Result<Walked, Error> {
    let mut walked = Walked::default();
    let mut seen = BTreeSet::from([id]);
    let mut next = vec![id];
    while !next.is_empty() {
        let reads = stream::iter(next).map(async |group| direct(client, group).await);
        let found: Vec<Direct> = reads.buffered(LANES).try_collect().await?;
        next = Vec::new();
        for direct in found {
            walked.people.extend(direct.people);
            walked.hides |= direct.hides;
            next.extend(direct.groups.into_iter().filter(|group| seen.insert(*group)));
        }
    }
    Ok(walked)
}

/// The direct members of one group.
#[derive(Debug, Default)]
struct Direct {
    people: Vec<UserId>,
    groups: Vec<GroupId>,
    hides: bool,
}

/// A member. Graph shows its kind to every caller, even to one that may see nothing else of it.
#[derive(Debug, Deserialize)]
struct Member {
    id: Uuid,
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
}

impl Identified for Member {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

/// Returns the path of a group's direct members that the directory itself answers.
pub(super) fn path(id: GroupId) -> String {
    format!("/v1.0/groups/{id}/members?$top=999&$select=id")
}

async fn direct(client: &Client, id: GroupId) -> Result<Direct, Error> {
    let page = |direct: &mut Direct, rows: Vec<Member>| {
        rows.into_iter().for_each(|member| direct.add(&member));
    };
    let read = client.fold(&path(id), Consistency::Default, Direct::default, page).await;
    let mut direct = match read {
        Err(error) if error.status() == Some(404) => return Ok(Direct::default()),
        answer => answer?,
    };
    if direct.people.is_empty() && direct.groups.is_empty() {
        direct.hides = groups::hides_members(client, id).await?;
    }
    Ok(direct)
}

impl Direct {
    fn add(&mut self, member: &Member) {
        match member.kind.as_deref() {
            Some("#microsoft.graph.user") => self.people.push(UserId::from_uuid(member.id)),
            Some("#microsoft.graph.group") => self.groups.push(GroupId::from_uuid(member.id)),
            // Devices, contacts, applications.
            Some(_) => {}
            // It can be a user or a group. The id of anything else matches no user and no group.
            None => {
                self.people.push(UserId::from_uuid(member.id));
                self.groups.push(GroupId::from_uuid(member.id));
            }
        }
    }
}
