//! Reads the per-user MFA state of all users from the list of users.
//!
//! `perUserMfaState` is not a documented property of a user. Other programs select it in lists all the
//! same, and Graph answers (checked 2026-11), so it is a read strategy to try: `read_strategy` compares a sample
//! of it with the documented requests. It is unknown how soon the list shows a write: once this program
//! has written, the list is not used.
//!
//! Not here: when the list is worth reading (`read_strategy`).

use std::collections::HashMap;

use serde::Deserialize;

use super::facts::state_of;
use crate::graph::{Client, Consistency, Error, Identified, Page, identity_of};
use crate::id::UserId;
use crate::tenant::facts::MfaState;

/// The states in the list of users.
#[derive(Debug, Default)]
pub(super) struct States(HashMap<UserId, MfaState>);

#[derive(Deserialize)]
struct Row {
    id: UserId,
    #[serde(rename = "perUserMfaState", default)]
    state: Option<String>,
}

impl Identified for Row {
    fn identity(&self) -> u64 {
        identity_of(&self.id)
    }
}

impl Row {
    fn known(self) -> Option<(UserId, MfaState)> {
        Some((self.id, state_of(self.state.as_deref()?)?))
    }
}

impl States {
    /// Returns the number of users in the list, if Graph shows their states in it.
    pub(super) async fn size(client: &Client) -> Result<Option<usize>, Error> {
        if client.traffic().writes > 0 {
            return Ok(None);
        }
        let url = "/v1.0/users?$top=1&$count=true&$select=id,perUserMfaState";
        let first: Result<Page<Row>, Error> = client.get(url, Consistency::Eventual).await;
        match first {
            Ok(first) => {
                let count = first.count();
                // One row is enough to see whether the list shows states at all.
                let (rows, _) = first.parts();
                let shows_states = rows.into_iter().any(|row| row.known().is_some());
                Ok(count.filter(|_| shows_states))
            }
            Err(error) if error.concerns_all() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Reads the whole list; `None` if Graph does not return it.
    pub(super) async fn read(client: &Client) -> Result<Option<Self>, Error> {
        let take = |all: &mut HashMap<_, _>, rows: Vec<Row>| {
            all.extend(rows.into_iter().filter_map(Row::known));
        };
        let url = "/v1.0/users?$top=999&$select=id,perUserMfaState";
        match client.fold(url, Consistency::Default, HashMap::new, take).await {
            Ok(all) => Ok(Some(Self(all))),
            Err(error) if error.concerns_all() => Err(error),
            Err(_) => Ok(None),
        }
    }

    #[cfg(test)]
    pub(super) fn listing(states: impl IntoIterator<Item = (UserId, MfaState)>) -> Self {
        Self(states.into_iter().collect())
    }

    pub(super) fn of(&self, user: UserId) -> Option<MfaState> {
        self.0.get(&user).copied()
    }
}
