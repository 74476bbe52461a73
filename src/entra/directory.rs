//! Everything a run has to look up in the directory: people and groups whom somebody mentions, and
//! who is in those groups. What does not exist is not in the result; a group that this identity may
//! not read is, as a gap; anything else that cannot be read ends the run.

use std::collections::BTreeMap;

use crate::entra::{groups, users};
use crate::graph::{Client, Consistency, Error, Part};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::{Directory, Gap, Group, User};
use crate::tenant::facts::Why;
use crate::tenant::lookup::Lookup;

/// Reads what the lookup names.
///
/// # Errors
/// The first thing that could not be read, except for what Graph says does not exist, and groups
/// that it refuses to show.
pub async fn read(client: &Client, lookup: &Lookup) -> Result<Directory, Error> {
    let select = users::select(lookup);
    let mut people = People::default();
    if lookup.everyone {
        let url = format!("/v1.0/users?$top=999&$select={select}");
        people.listed(client, &url, Consistency::Default, lookup).await?;
    }
    people.keep(named_users(client, lookup, &select).await?, lookup);
    let Found { groups, mut gaps, alike } = named_groups(client, lookup).await?;
    let mut members: Vec<(Group, Vec<UserId>)> = Vec::new();
    for group in groups {
        let url = groups::members(group.id, &select);
        match people.listed(client, &url, Consistency::Eventual, lookup).await {
            Ok(ids) if ids.is_empty() && groups::hides_members(client, group.id).await? => {
                gaps.push(refused(group.id, Some(group)));
            }
            Ok(ids) => members.push((group, ids)),
            Err(error) if is_refused(&error) => gaps.push(refused(group.id, Some(group))),
            Err(error) => return Err(error),
        }
    }
    Ok(Directory::new(people.users, members).with_gaps(gaps, alike))
}

/// Users as they come in.
#[derive(Default)]
struct People {
    users: Vec<User>,
    departments: users::Departments,
}

impl People {
    /// Takes them in.
    fn keep(&mut self, rows: Vec<users::Row>, lookup: &Lookup) {
        let users =
            rows.into_iter().map(|row| row.into_user(&lookup.attributes, &mut self.departments));
        self.users.extend(users);
    }

    /// Takes in everybody in a list and says who they are. Nobody of a list that has to be read
    /// again is kept.
    async fn listed(
        &mut self,
        client: &Client,
        url: &str,
        consistency: Consistency,
        lookup: &Lookup,
    ) -> Result<Vec<UserId>, Error> {
        let departments = &mut self.departments;
        let page = |users: &mut Vec<User>, rows: Vec<users::Row>| {
            users
                .extend(rows.into_iter().map(|row| row.into_user(&lookup.attributes, departments)));
        };
        let users = client.fold(url, consistency, Vec::new, page).await?;
        let ids = users.iter().map(|user| user.id).collect();
        self.users.extend(users);
        Ok(ids)
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
    let mut groups: BTreeMap<GroupId, Group> = BTreeMap::new();
    let mut found = Found::default();
    for name in &lookup.group_names {
        let named = list(client, &groups::by_name(name), Consistency::Default).await?;
        if named.is_empty() {
            // Only to help whoever wrote the name; no answer is no fault.
            let like = list(client, &groups::like(name), Consistency::Eventual).await;
            found.alike.insert(name.clone(), like.unwrap_or_default());
        }
        groups.extend(named.into_iter().map(|group| (group.id, group)));
    }
    for id in &lookup.group_ids {
        match client.get::<groups::Row>(&groups::by_id(*id), Consistency::Default).await {
            Ok(row) => _ = groups.insert(*id, row.into()),
            Err(error) if error.status() == Some(404) => {}
            Err(error) if is_refused(&error) => found.gaps.push(refused(*id, None)),
            Err(error) => return Err(error),
        }
    }
    found.groups = groups.into_values().collect();
    Ok(found)
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
