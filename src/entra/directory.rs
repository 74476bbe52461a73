//! Everything a run has to look up in the directory: people and groups whom somebody mentions, and
//! who is in those groups. All of it is read whole, or there is no directory.

use std::collections::BTreeMap;

use crate::entra::{groups, users};
use crate::graph::{Client, Consistency, Error, Part};
use crate::id::{GroupId, UserId};
use crate::tenant::directory::{Directory, Group, User};
use crate::tenant::lookup::Lookup;

/// Reads what the lookup names. What does not exist is simply not in the result.
///
/// # Errors
/// The first thing that could not be read, except for what Graph says does not exist.
pub async fn read(client: &Client, lookup: &Lookup) -> Result<Directory, Error> {
    let select = users::select(&lookup.attributes);
    let mut people: Vec<User> = Vec::new();
    let mut keep = |rows: Vec<users::Row>| {
        people.extend(rows.into_iter().map(|row| row.into_user(&lookup.attributes)))
    };
    if lookup.everyone {
        client
            .pages(
                &format!("/v1.0/users?$top=999&$select={select}"),
                Consistency::Default,
                &mut keep,
            )
            .await?;
    }
    keep(named_users(client, lookup, &select).await?);
    let mut members: Vec<(Group, Vec<UserId>)> = Vec::new();
    for group in named_groups(client, lookup).await? {
        let mut ids = Vec::new();
        let page = |rows: Vec<users::Row>| {
            for row in rows {
                let user = row.into_user(&lookup.attributes);
                ids.push(user.id);
                people.push(user);
            }
        };
        client.pages(&groups::members(group.id, &select), Consistency::Eventual, page).await?;
        members.push((group, ids));
    }
    Ok(Directory::new(people, members))
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

/// Groups of the names, and groups of the ids, each once.
async fn named_groups(client: &Client, lookup: &Lookup) -> Result<Vec<Group>, Error> {
    let mut groups: BTreeMap<GroupId, Group> = BTreeMap::new();
    for name in &lookup.group_names {
        let mut keep = |rows: Vec<groups::Row>| {
            groups.extend(rows.into_iter().map(Group::from).map(|group| (group.id, group)))
        };
        client.pages(&groups::by_name(name), Consistency::Default, &mut keep).await?;
    }
    for id in &lookup.group_ids {
        match client.get::<groups::Row>(&groups::by_id(*id), Consistency::Default).await {
            Ok(row) => _ = groups.insert(*id, row.into()),
            Err(error) if error.status() == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(groups.into_values().collect())
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
