//! Whether accounts are there at all (Graph documentation of user, v1.0 and beta, checked 2026-11): a
//! deleted one is answered with 404 wherever it is asked for, as a phone is that is not registered.
//!
//! Not here: what an account is (`directory`).

use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::graph::{Client, Error, Part};
use crate::id::UserId;

/// Which accounts are there and which are not. One of which that cannot be said is neither.
#[derive(Debug, Default)]
pub struct Accounts {
    pub there: BTreeSet<UserId>,
    pub gone: BTreeSet<UserId>,
}

/// Asks for each account by its id.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn read(client: &Client, users: &BTreeSet<UserId>) -> Result<Accounts, Error> {
    let asked: Vec<UserId> = users.iter().copied().collect();
    let (mut accounts, mut failed) = (Accounts::default(), None);
    let parts = asked.iter().map(|user| Part::get(format!("/users/{user}?$select=id")));
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
