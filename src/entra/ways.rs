//! Ways to read what a user has registered: the documented one, a request for each thing, and one
//! request for all, which the metadata allows and no documentation promises.
//!
//! `authentication` is an entity of which methods are a navigation property and the rest are plain
//! properties (metadata of beta, checked 2026-11), so it may answer all at once. Whether it does is
//! tried once a run; a sample of what it says is held against the documented way in the same run,
//! and one difference is the end of it. Not here: what is written, or read back before a write:
//! that is always read as documented (`facts`).

use super::facts::{Whole, documented};
use crate::graph::{Client, Error, Part, Stage};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// From so many users on it is worth to look for another way.
pub(super) const WORTH_IT: usize = 1_000;
/// One in a hundred is held against the documented way, and never fewer than these: of people of
/// whom one in twenty has anything registered, one is among them.
const LEAST_SAMPLE: usize = 100;
/// Users between two looks at whether the way still works.
const STRETCH: usize = 20_000;

/// What somebody wants to know of everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) policy: &'a MethodPolicy,
    pub(super) extra: Extra,
}

/// A way that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One request of a user.
    OneRequest,
    /// One for each thing, because of what was found about the other one.
    Documented(&'static str),
}

impl Way {
    fn in_words(self) -> String {
        match self {
            Self::OneRequest => {
                "one request a user; a sample read as documented says the same".to_owned()
            }
            Self::Documented(why) => format!("as documented: {why}"),
        }
    }
}

/// Reads everybody in the cheapest way that tells the truth.
pub(super) async fn read(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
    stage: &Stage,
) -> Result<Vec<Facts>, Error> {
    let (way, sampled) = find(client, users, wanted).await?;
    let mut all = vec![Facts::NOT_READ; users.len()];
    let mut left = Vec::with_capacity(users.len());
    let mut sampled = sampled.into_iter().peekable();
    for (place, slot) in all.iter_mut().enumerate() {
        match sampled.next_if(|(known, _)| *known == place) {
            Some((_, facts)) => *slot = facts,
            None => left.push(place),
        }
    }
    stage.add(users.len() - left.len());
    let mut way = way;
    for stretch in left.chunks(STRETCH) {
        let ids: Vec<UserId> =
            stretch.iter().filter_map(|place| users.get(*place)).copied().collect();
        let (facts, next) = stretch_of(client, &ids, way, wanted, stage).await?;
        way = next;
        for (place, facts) in stretch.iter().zip(facts) {
            if let Some(slot) = all.get_mut(*place) {
                *slot = facts;
            }
        }
    }
    client.took("reading", way.in_words());
    Ok(all)
}

/// Reads some users, and says which way to go on by.
async fn stretch_of(
    client: &Client,
    ids: &[UserId],
    way: Way,
    wanted: Wanted<'_>,
    stage: &Stage,
) -> Result<(Vec<Facts>, Way), Error> {
    if way != Way::OneRequest {
        return Ok((documented(client, ids, wanted, Some(stage)).await?, way));
    }
    let mut facts = at_once(client, ids, wanted, Some(stage)).await?;
    let open: Vec<(usize, UserId)> = facts
        .iter()
        .zip(ids)
        .enumerate()
        .filter(|(_, (facts, _))| facts.is_none())
        .map(|(place, (_, id))| (place, *id))
        .collect();
    let ids: Vec<UserId> = open.iter().map(|(_, id)| *id).collect();
    let again = documented(client, &ids, wanted, None).await?;
    for ((place, _), read) in open.iter().zip(again) {
        if let Some(slot) = facts.get_mut(*place) {
            *slot = Some(read);
        }
    }
    let fails = open.len() * 20 > facts.len();
    let way = if fails { Way::Documented("Graph stopped answering all at once") } else { way };
    Ok((facts.into_iter().map(|facts| facts.unwrap_or(Facts::NOT_READ)).collect(), way))
}

/// Which way works, and whom trying it has read already, by their places.
async fn find(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
) -> Result<(Way, Vec<(usize, Facts)>), Error> {
    let places = sample(users);
    let ids: Vec<UserId> = places.iter().filter_map(|place| users.get(*place)).copied().collect();
    let first = at_once(client, ids.get(..1).unwrap_or_default(), wanted, None).await?;
    if !matches!(first.as_slice(), [Some(_)]) {
        return Ok((Way::Documented("Graph does not answer all at once"), Vec::new()));
    }
    let whole = at_once(client, &ids, wanted, None).await?;
    let told = documented(client, &ids, wanted, None).await?;
    let same =
        whole.iter().zip(&told).all(|(whole, told)| whole.is_none_or(|whole| whole == *told));
    let answered = whole.iter().flatten().count();
    let way = if !same {
        Way::Documented("all at once, Graph says something else")
    } else if answered * 20 < whole.len() * 19 {
        Way::Documented("Graph does not answer all at once for everybody")
    } else {
        Way::OneRequest
    };
    Ok((way, places.into_iter().zip(told).collect()))
}

/// Places of users, in their order, by chance that is the same for the same users.
fn sample(users: &[UserId]) -> Vec<usize> {
    let few = (users.len() / 100).max(LEAST_SAMPLE);
    let ends = [users.first(), users.last()].into_iter().flatten();
    let seed =
        ends.fold(users.len() as u128, |seed, id| seed.rotate_left(7) ^ id.as_uuid().as_u128());
    let mut chance = fastrand::Rng::with_seed((seed ^ (seed >> 64)) as u64);
    let mut places = chance.choose_multiple(0..users.len(), few);
    places.sort_unstable();
    places
}

/// Asks for all of each user at once. `None` where that was refused, or is not all.
async fn at_once(
    client: &Client,
    users: &[UserId],
    wanted: Wanted<'_>,
    stage: Option<&Stage>,
) -> Result<Vec<Option<Facts>>, Error> {
    let mut all = vec![None; users.len()];
    let mut failed = None;
    let parts = users.iter().map(|user| Part::get(Whole::url(*user, wanted.extra)));
    client
        .read_each(parts, |place, answer: Result<Whole, Error>| {
            stage.iter().for_each(|stage| stage.add(1));
            match (answer, all.get_mut(place)) {
                (Ok(whole), Some(slot)) => *slot = whole.facts(wanted),
                (Err(error), _) if error.concerns_all() => _ = failed.get_or_insert(error),
                _ => {}
            }
        })
        .await;
    failed.map_or(Ok(all), Err)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn users(count: u128) -> Vec<UserId> {
        (0..count).map(|id| UserId::from_uuid(Uuid::from_u128(id * 77 + 5))).collect()
    }

    #[test]
    fn a_sample_is_one_in_a_hundred_and_the_same_for_the_same_users() {
        for (count, expected) in [(1_000, 100), (20_000, 200), (100_000, 1_000)] {
            let of = sample(&users(count));
            assert_eq!(of.len(), expected);
            assert!(of.is_sorted_by(|a, b| a < b));
            assert_eq!(of, sample(&users(count)));
        }
        assert_ne!(sample(&users(5_000)), sample(&users(5_001)));
    }
}
