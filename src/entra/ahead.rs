//! Facts of people who are still being listed, so that the quota is used from the first page on.
//!
//! Not here: of whom it is known early that they are needed (`scope`), or in which way they are read
//! (`ways`). Whoever is read and turns out not to be needed costs a request and nothing else.

use std::collections::HashSet;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::method_policy;
use super::safety::refusable;
use super::ways::Reader;
use crate::graph::{Client, Error};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::method_policy::MethodPolicy;

/// Few people are read at once when everything else is known.
pub const WORTH_IT: usize = 1_000;

/// Where to say who is needed. Dropped, nobody else will be.
#[derive(Debug)]
pub struct Needed(UnboundedSender<Vec<UserId>>);

/// Who is needed, as it becomes known.
#[derive(Debug)]
pub struct Coming(UnboundedReceiver<Vec<UserId>>);

/// What was read of those who were needed early, in the order of their ids.
#[derive(Debug, Default)]
pub struct Early {
    /// What external methods were told apart by.
    policy: Option<MethodPolicy>,
    facts: Vec<(UserId, Facts)>,
}

/// The two ends of a list of people that grows.
#[must_use]
pub fn people() -> (Needed, Coming) {
    let (needed, coming) = unbounded_channel();
    (Needed(needed), Coming(coming))
}

impl Needed {
    /// These are needed too.
    pub fn add(&self, users: Vec<UserId>) {
        // Nobody listens any more once reading has failed, and that ends the run.
        if !users.is_empty() {
            _ = self.0.send(users);
        }
    }
}

impl Coming {
    /// All who have come since, each once; nobody when nobody else will.
    async fn next(&mut self, known: &mut HashSet<UserId>) -> Option<Vec<UserId>> {
        let mut users = self.0.recv().await?;
        while let Ok(more) = self.0.try_recv() {
            users.extend(more);
        }
        users.retain(|user| known.insert(*user));
        Some(users)
    }
}

/// Reads everybody who comes, until nobody else does.
///
/// # Errors
/// Where Graph could not be asked at all.
pub async fn read(
    client: &Client,
    reader: &mut Reader<'_>,
    mut coming: Coming,
) -> Result<Early, Error> {
    let mut early = Early::default();
    let mut known = HashSet::new();
    while let Some(users) = coming.next(&mut known).await {
        let policy = match early.policy.take() {
            Some(policy) => policy,
            None => policy(client).await?,
        };
        client.tenant_has(known.len());
        let of = coming.0.is_closed().then_some(users.len());
        let stage = client.stage("users read", of);
        let trusted = !reader.was_wrong();
        let facts = reader.read_many(&users, &policy, &stage).await?;
        if trusted && reader.was_wrong() {
            early.facts.clear();
        }
        early.facts.extend(users.into_iter().zip(facts));
        early.policy = Some(policy);
    }
    early.facts.sort_unstable_by_key(|(user, _)| *user);
    Ok(early)
}

/// As far as facts rest on it. What is refused here is a finding where the rules are read.
async fn policy(client: &Client) -> Result<MethodPolicy, Error> {
    let settings = refusable(method_policy::read(client).await)?;
    Ok(settings.known().map_or(MethodPolicy::UNREAD, MethodPolicy::of_external_methods))
}

impl Early {
    /// Nothing, where the policy has come to know other external methods since.
    #[must_use]
    pub fn under(self, policy: &MethodPolicy) -> Self {
        let same = self.policy.as_ref().is_some_and(|known| known.knows_the_same(policy));
        if same { self } else { Self::default() }
    }

    /// What was read of the user.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<Facts> {
        let place = self.facts.binary_search_by_key(&user, |(known, _)| *known).ok()?;
        self.facts.get(place).map(|(_, facts)| *facts)
    }
}
