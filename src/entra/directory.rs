//! Everything a run has to look up in the directory: people and groups whom somebody mentions, and
//! who is in those groups. What does not exist is not in the result; a group that this identity may
//! not read is, as a gap; anything else that cannot be read ends the run.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::future::try_join3;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::entra::{groups, users};
use crate::graph::{Client, Consistency, Error, Part, Stage};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::{Directory, Gap, Group, User};
use crate::tenant::facts::Why;
use crate::tenant::lookup::{List, Lookup, OnPage};

/// Lists that are read at a time.
const LISTS: usize = 8;

/// Rows of a page that is not the last one, unless Graph thinks otherwise.
const PAGE: usize = 999;

/// Reads what the lookup names, several lists at once, and tells of each page that is full.
///
/// # Errors
/// The first thing that could not be read, except for what Graph says does not exist, and groups
/// that it refuses to show.
pub async fn read(
    client: &Client,
    lookup: &Lookup,
    on_page: &OnPage<'_>,
) -> Result<Directory, Error> {
    let select = users::select(lookup);
    let stage = client.stage("users listed", None);
    let lists = Lists { client, lookup, select: &select, stage: &stage, on_page };
    let url = format!("/v1.0/users?$top=999&$select={select}");
    let whole = async {
        match lookup.everyone {
            true => lists.users(&url, Consistency::Default, List::Everybody).await,
            false => Ok(Vec::new()),
        }
    };
    let named = named_users(client, lookup, &select);
    let groups = async {
        let found = named_groups(client, lookup).await?;
        lists.members(found).await
    };
    let (mut people, named, groups) = try_join3(whole, named, groups).await?;
    let mut departments = users::Departments::default();
    people.extend(named.into_iter().map(|row| row.into_user(&lookup.attributes, &mut departments)));
    let Members { groups, gaps, alike, mut users } = groups;
    people.append(&mut users);
    Ok(Directory::new(people, groups).with_gaps(gaps, alike))
}

/// Groups with who is in them.
#[derive(Default)]
struct Members {
    groups: Vec<(Group, Vec<UserId>)>,
    gaps: Vec<Gap>,
    alike: BTreeMap<String, Vec<Group>>,
    /// Everybody who is in one of them, unless everybody is read anyway.
    users: Vec<User>,
}

/// What it takes to read lists of people.
struct Lists<'a> {
    client: &'a Client,
    lookup: &'a Lookup,
    select: &'a str,
    stage: &'a Stage,
    on_page: &'a OnPage<'a>,
}

impl Lists<'_> {
    async fn members(&self, Found { groups, gaps, alike }: Found) -> Result<Members, Error> {
        let mut all = Members { gaps, alike, ..Members::default() };
        let lists = stream::iter(groups).map(async |group| {
            let read = self.who_is_in(&group).await;
            (group, read)
        });
        // In their order, so that it is the same from run to run.
        let mut lists = pin!(lists.buffered(LISTS));
        while let Some((group, read)) = lists.next().await {
            match read {
                Ok((ids, _))
                    if ids.is_empty() && groups::hides_members(self.client, group.id).await? =>
                {
                    all.gaps.push(refused(group.id, Some(group)));
                }
                Ok((ids, mut users)) => {
                    all.groups.push((group, ids));
                    all.users.append(&mut users);
                }
                Err(error) if is_refused(&error) => all.gaps.push(refused(group.id, Some(group))),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The ids of a group's members, and the members where they are not read with everybody else.
    async fn who_is_in(&self, group: &Group) -> Result<(Vec<UserId>, Vec<User>), Error> {
        if self.lookup.everyone {
            return Ok((groups::ids_of_members(self.client, group.id).await?, Vec::new()));
        }
        let url = groups::members(group.id, self.select);
        let users = self.users(&url, Consistency::Eventual, List::MembersOf(group)).await?;
        Ok((users.iter().map(|user| user.id).collect(), users))
    }

    /// Everybody in a list. Nobody of a list that has to be read again is kept.
    async fn users(
        &self,
        url: &str,
        consistency: Consistency,
        list: List<'_>,
    ) -> Result<Vec<User>, Error> {
        let mut departments = users::Departments::default();
        let page = |users: &mut Vec<User>, rows: Vec<users::Row>| {
            let (before, more) = (users.len(), rows.len());
            self.stage.add(more);
            users.extend(
                rows.into_iter()
                    .map(|row| row.into_user(&self.lookup.attributes, &mut departments)),
            );
            if more >= PAGE {
                (self.on_page)(list, users.get(before..).unwrap_or_default());
            }
        };
        self.client.fold(url, consistency, Vec::new, page).await
    }
}

async fn named_users(
    client: &Client,
    lookup: &Lookup,
    select: &str,
) -> Result<Vec<users::Row>, Error> {
    let names = lookup.user_names.iter().map(|name| encode(name));
    let parts = names.chain(lookup.user_ids.iter().map(ToString::to_string));
    let parts = parts.map(|user| Part::get(format!("/users/{user}?$select={select}"))).collect();
    found(client.read_all(parts).await)
}

/// What became of the groups that somebody mentions.
#[derive(Default)]
struct Found {
    /// Each once.
    groups: Vec<Group>,
    gaps: Vec<Gap>,
    /// For a name that no group has: what is called somewhat like it.
    alike: BTreeMap<String, Vec<Group>>,
}

/// Groups of the names, and groups of the ids.
async fn named_groups(client: &Client, lookup: &Lookup) -> Result<Found, Error> {
    let names = stream::iter(&lookup.group_names).map(async |name| named(client, name).await);
    let named: Vec<Named> = names.buffered(LISTS).try_collect().await?;
    let ids = stream::iter(&lookup.group_ids).map(async |id| {
        (*id, client.get::<groups::Row>(&groups::by_id(*id), Consistency::Default).await)
    });
    let of_ids: Vec<_> = ids.buffered(LISTS).collect().await;
    let mut groups: BTreeMap<GroupId, Group> = BTreeMap::new();
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

/// Groups of one name, or what is called somewhat like it.
struct Named {
    name: String,
    groups: Vec<Group>,
    alike: Vec<Group>,
}

async fn named(client: &Client, name: &str) -> Result<Named, Error> {
    let groups = list(client, &groups::by_name(name), Consistency::Default).await?;
    let mut alike = Vec::new();
    if groups.is_empty() {
        // Only to help whoever wrote the name; no answer is no fault.
        let like = list(client, &groups::like(name), Consistency::Eventual).await;
        alike = like.unwrap_or_default();
    }
    Ok(Named { name: name.to_owned(), groups, alike })
}

async fn list(client: &Client, url: &str, consistency: Consistency) -> Result<Vec<Group>, Error> {
    let rows: Vec<groups::Row> = client.list(url, consistency).await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

fn is_refused(error: &Error) -> bool {
    error.status() == Some(403)
}

const fn refused(id: GroupId, group: Option<Group>) -> Gap {
    Gap { id, group, why: Why::Forbidden }
}

/// The answers that are there; a 404 is a person who does not exist, anything else a failure.
fn found(answers: Vec<Result<users::Row, Error>>) -> Result<Vec<users::Row>, Error> {
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

/// Text inside a path segment or a quoted value: everything but letters, digits and `-._~` escaped.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(
            |byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect()
}
