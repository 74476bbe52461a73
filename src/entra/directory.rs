//! Reads everything that a run needs from the directory: the users and groups that are named, and the
//! members of those groups. A user or group that does not exist is not in the result; a group that this
//! identity may not read is in the result as a gap; any other failure ends the run. Guard groups are
//! read from the directory and from its index (`membership`), all others from the index alone.
//!
//! Not here: the paths and rows (`users`, `groups`).

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::future::{try_join, try_join3};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::entra::{groups, membership, users};
use crate::graph::{BatchPart, Client, Consistency, Error, ProgressStage};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::{Directory, Gap, Group, User};
use crate::tenant::facts::UnknownReason;
use crate::tenant::lookup::{Lookup, News, OnNews, UserList};
use crate::tenant::membership::Membership;

/// Number of lists that are read at a time.
const LISTS: usize = 8;
/// Number of groups that are looked up at a time.
const LOOKED_UP: usize = 32;

/// Reads what the lookup names, several lists at a time, and the users that `others` returns. Reports
/// each page, and each group that is read completely, to `on_news`. Guard groups are read first.
///
/// # Errors
/// The first thing that could not be read, except users and groups that do not exist and groups that
/// Graph refuses to show.
pub async fn read(
    client: &Client,
    lookup: &Lookup,
    others: impl Future<Output = Result<BTreeSet<UserId>, Error>>,
    on_news: &OnNews<'_>,
) -> Result<Directory, Error> {
    let select = users::select(lookup);
    let stage = client.stage("users listed", None);
    let lists = Lists { client, lookup, select: &select, stage: &stage, on_news };
    let url = format!("/v1.0/users?$top=999&$select={select}");
    let whole = async {
        match lookup.everyone {
            true => lists.users(&url, Consistency::Default, UserList::Everybody).await,
            false => Ok(Vec::new()),
        }
    };
    let named = async {
        let names = lookup.user_names.iter().map(|name| encode(name));
        let named = names.chain(lookup.user_ids.iter().map(ToString::to_string)).collect();
        named_users(client, named, &select).await
    };
    let others = async {
        let others = others.await?;
        let others = others.difference(&lookup.user_ids).map(ToString::to_string).collect();
        named_users(client, others, &select).await
    };
    let groups = async {
        let found = named_groups(client, lookup).await?;
        lists.members(found).await
    };
    let (mut people, (mut named, others), groups) =
        try_join3(whole, try_join(named, others), groups).await?;
    named.extend(others);
    let mut departments = users::Departments::default();
    people.extend(named.into_iter().map(|row| row.into_user(&lookup.attributes, &mut departments)));
    let Members { groups, gaps, alike, disputed, mut users } = groups;
    people.append(&mut users);
    Ok(Directory::new(people, groups).with_disputed(disputed).with_gaps(gaps, alike))
}

/// Groups with their members.
#[derive(Default)]
struct Members {
    groups: Vec<(Group, Vec<UserId>)>,
    gaps: Vec<Gap>,
    alike: BTreeMap<String, Vec<Group>>,
    /// The users that only one of the two reads of a guard group shows.
    disputed: Vec<(GroupId, BTreeSet<UserId>)>,
    /// The members of these groups, unless all users are read anyway.
    users: Vec<User>,
}

/// Members of a group by the index and, for a guard group, by the directory.
#[derive(Default)]
struct InGroup {
    ids: Vec<UserId>,
    users: Vec<User>,
    /// Users that only one of the two reads shows.
    disputed: BTreeSet<UserId>,
    /// True if the group shows no members, or not all of them.
    hides: bool,
}

/// What is needed to read lists of users.
struct Lists<'a> {
    client: &'a Client,
    lookup: &'a Lookup,
    select: &'a str,
    stage: &'a ProgressStage,
    on_news: &'a OnNews<'a>,
}

impl Lists<'_> {
    async fn members(&self, Found { mut groups, gaps, alike }: Found) -> Result<Members, Error> {
        groups.sort_by_key(|group| !self.is_guard(group.id));
        let mut all = Members { gaps, alike, ..Members::default() };
        let lists = stream::iter(groups).map(async |group| {
            let read = self.members_of_group(&group).await;
            (group, read)
        });
        // In their order, so that the result is the same in every run.
        let mut lists = pin!(lists.buffered(LISTS));
        while let Some((group, read)) = lists.next().await {
            match read {
                Ok(found) if found.hides => all.gaps.push(refused(group.id, Some(group))),
                Ok(mut found) => {
                    all.disputed.push((group.id, found.disputed));
                    all.groups.push((group, found.ids));
                    all.users.append(&mut found.users);
                }
                Err(error) if is_refused(&error) => all.gaps.push(refused(group.id, Some(group))),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn is_guard(&self, group: GroupId) -> bool {
        self.lookup.guards.contains(&group)
    }

    async fn members_of_group(&self, group: &Group) -> Result<InGroup, Error> {
        if self.is_guard(group.id) {
            return self.members_of_guard(group).await;
        }
        let mut found = self.indexed(group).await?;
        found.hides = found.ids.is_empty() && groups::hides_members(self.client, group.id).await?;
        (self.on_news)(News::Whole(group.id, &found.ids));
        Ok(found)
    }

    /// Reads a guard group. A group that was just created is not in the index yet, and has no members
    /// there.
    async fn members_of_guard(&self, group: &Group) -> Result<InGroup, Error> {
        let indexed = async {
            match self.indexed(group).await {
                Err(error) if error.status() == Some(404) => Ok(InGroup::default()),
                answer => answer,
            }
        };
        let (mut found, walked) =
            try_join(indexed, membership::walk(self.client, group.id)).await?;
        let indexed: BTreeSet<UserId> = found.ids.iter().copied().collect();
        let both = Membership::of(&walked.people, &indexed);
        // These users were not read yet, because they are in no list.
        let new = walked.people.difference(&indexed).map(ToString::to_string).collect();
        let new = named_users(self.client, new, self.select).await?;
        let mut departments = users::Departments::default();
        let attributes = &self.lookup.attributes;
        let new = new.into_iter().map(|row| row.into_user(attributes, &mut departments));
        found.users.extend(new);
        let all: Vec<UserId> = both.all().collect();
        (self.on_news)(News::Whole(group.id, &all));
        Ok(InGroup { disputed: both.disputed().clone(), hides: walked.hides, ..found })
    }

    /// Returns the ids of a group's members by the index, and the members themselves unless all users
    /// are read anyway.
    async fn indexed(&self, group: &Group) -> Result<InGroup, Error> {
        let (ids, users) = if self.lookup.everyone {
            (groups::ids_of_members(self.client, group.id).await?, Vec::new())
        } else {
            let url = groups::members(group.id, self.select);
            let users = self.users(&url, Consistency::Eventual, UserList::MembersOf(group)).await?;
            (users.iter().map(|user| user.id).collect(), users)
        };
        Ok(InGroup { ids, users, ..InGroup::default() })
    }

    /// Returns all users in a list. If a list has to be read again, the users of the first attempt are
    /// dropped.
    async fn users(
        &self,
        url: &str,
        consistency: Consistency,
        list: UserList<'_>,
    ) -> Result<Vec<User>, Error> {
        let mut departments = users::Departments::default();
        let page = |users: &mut Vec<User>, rows: Vec<users::GraphUser>| {
            let before = users.len();
            self.stage.add(rows.len());
            users.extend(
                rows.into_iter()
                    .map(|row| row.into_user(&self.lookup.attributes, &mut departments)),
            );
            (self.on_news)(News::Page(list, users.get(before..).unwrap_or_default()));
        };
        self.client.fold(url, consistency, Vec::new, page).await
    }
}

/// Reads users by id or encoded name. Returns those that exist.
async fn named_users(
    client: &Client,
    named: Vec<String>,
    select: &str,
) -> Result<Vec<users::GraphUser>, Error> {
    let parts = named.iter().map(|user| BatchPart::get(format!("/users/{user}?$select={select}")));
    found(client.read_all(parts.collect()).await)
}

/// The result of looking up the groups that are named.
#[derive(Default)]
struct Found {
    /// Each group once.
    groups: Vec<Group>,
    gaps: Vec<Gap>,
    /// Groups with a similar name, for each name that no group has.
    alike: BTreeMap<String, Vec<Group>>,
}

/// Looks up groups by name and by id.
async fn named_groups(client: &Client, lookup: &Lookup) -> Result<Found, Error> {
    let names = stream::iter(&lookup.group_names).map(async |name| named(client, name).await);
    let names = names.buffered(LOOKED_UP).try_collect();
    let ids = stream::iter(&lookup.group_ids).map(async |id| {
        (*id, client.get::<groups::GraphGroup>(&groups::by_id(*id), Consistency::Default).await)
    });
    let ids = ids.buffered(LOOKED_UP).map(Ok).try_collect();
    let more = async {
        match lookup.more_groups {
            Some(wanted) => list(client, groups::in_list(wanted), Consistency::Default).await,
            None => Ok(Vec::new()),
        }
    };
    let (named, of_ids, more): (Vec<Named>, Vec<_>, _) = try_join3(names, ids, more).await?;
    let mut groups: BTreeMap<GroupId, Group> =
        more.into_iter().map(|group| (group.id, group)).collect();
    let mut found = Found::default();
    for Named { name, groups: named, alike } in named {
        if named.is_empty() {
            found.alike.insert(name, alike);
        }
        groups.extend(named.into_iter().map(|group| (group.id, group)));
    }
    for (id, read) in of_ids {
        match read {
            Ok(row) => _ = groups.insert(id, row.into()),
            Err(error) if error.status() == Some(404) => {}
            Err(error) if is_refused(&error) => found.gaps.push(refused(id, None)),
            Err(error) => return Err(error),
        }
    }
    found.groups = groups.into_values().collect();
    Ok(found)
}

/// The groups with one name, or groups with a similar name.
struct Named {
    name: String,
    groups: Vec<Group>,
    alike: Vec<Group>,
}

async fn named(client: &Client, name: &str) -> Result<Named, Error> {
    let groups = list(client, &groups::by_name(name), Consistency::Default).await?;
    let mut alike = Vec::new();
    if groups.is_empty() {
        // Only a hint for the author of the policy, so a failed request is no error.
        let like = list(client, &groups::like(name), Consistency::Eventual).await;
        alike = like.unwrap_or_default();
    }
    Ok(Named { name: name.to_owned(), groups, alike })
}

async fn list(client: &Client, url: &str, consistency: Consistency) -> Result<Vec<Group>, Error> {
    let rows: Vec<groups::GraphGroup> = client.list(url, consistency).await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

fn is_refused(error: &Error) -> bool {
    error.status() == Some(403)
}

const fn refused(id: GroupId, group: Option<Group>) -> Gap {
    Gap { id, group, why: UnknownReason::Forbidden }
}

/// Returns the successful answers. A 404 means that the user does not exist; anything else is a failure.
fn found(answers: Vec<Result<users::GraphUser, Error>>) -> Result<Vec<users::GraphUser>, Error> {
    let mut rows = Vec::new();
    for answer in answers {
        match answer {
            Ok(row) => rows.push(row),
            Err(error) if error.status() == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

/// Encodes text for a path segment or a quoted value: everything except letters, digits and `-._~` is
/// escaped.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(
            |byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect()
}
