//! Finds out whether accounts still exist (Graph documentation of user, v1.0 and beta, checked 2026-11).
//! Every request for a deleted account is answered with 404, like a request for a phone that is not
//! registered.
//!
//! Not here: the properties of an account (`directory`).

use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::graph::{BatchPart, Client, Error};
use crate::id::UserId;

/// The accounts that exist and those that do not. An account that could not be checked is in neither
/// set.
#[derive(Debug, Default)]
pub struct Accounts {
    pub there: BTreeSet<UserId>,
    pub gone: BTreeSet<UserId>,
}

/// Requests each account by its id.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub async fn read(client: &Client, users: &BTreeSet<UserId>) -> Result<Accounts, Error> {
    let asked: Vec<UserId> = users.iter().copied().collect();
    let (mut accounts, mut failed) = (Accounts::default(), None);
    let parts = asked.iter().map(|user| BatchPart::get(format!("/users/{user}?$select=id")));
    client
        .read_each(parts, |place, answer: Result<IgnoredAny, Error>| {
            let Some(user) = asked.get(place) else { return };
            match answer {
                Ok(_) => _ = accounts.there.insert(*user),
                Err(error) if error.status() == Some(404) => _ = accounts.gone.insert(*user),
                Err(error) if error.concerns_all() => _ = failed.get_or_insert(error),
                Err(_) => {}
            }
        })
        .await;
    failed.map_or(Ok(accounts), Err)
}
