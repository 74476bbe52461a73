//! Ways to read what a user has registered: the documented one, a request for each thing; one
//! request for all, which the metadata allows and no documentation promises; and the state of
//! everybody from the list of users (`states`).
//!
//! `authentication` is an entity of which methods are a navigation property and the rest are plain
//! properties (metadata of beta, checked 2026-11), so it may answer all at once. Whether it does is
//! tried once a run; a sample of what it says is held against the documented way in the same run,
//! and one difference is the end of it. Not here: what is written, or read back before a write:
//! that is always read as documented (`facts`).

use futures_util::future::try_join3;

use super::facts::{Whole, but_the_state, documented, states};
use super::states::States;
use crate::graph::{Client, Error, Part, Stage};
use crate::id::UserId;
use crate::tenant::facts::{Facts, Read};
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// From so many users on it is worth to look for another way.
const WORTH_IT: usize = 1_000;
/// One in a hundred is held against the documented way, and at first never fewer than these: of
/// people of whom one in twenty has anything registered, one is among them.
const LEAST_SAMPLE: usize = 100;
/// Users between two looks at whether the way still works.
const STRETCH: usize = 20_000;

/// A list of everybody is read for the sake of no fewer than one in so many.
const ONE_IN: usize = 20;
const TOO_FEW: &str = "too few are needed for a list of everybody";

/// What somebody wants to know of everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) policy: &'a MethodPolicy,
    pub(super) extra: Extra,
}

/// A way that was taken.
#[derive(Debug)]
enum Way {
    /// One request of a user.
    OneRequest,
    /// A list of states, and one request of a user for each other thing.
    Listed(Option<States>),
    /// One for each thing, because of what was found about the other ones.
    Documented(&'static str),
}

impl Way {
    const fn in_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::OneRequest => {
                ("one request a user; a sample read as documented says the same", "")
            }
            Self::Listed(_) => {
                ("the state from the list of users; a sample read as documented says the same", "")
            }
            Self::Documented(why) => ("as documented: ", why),
        }
    }
}

/// Reads users in the cheapest way that tells the truth, and remembers which one that is.
#[derive(Debug)]
pub struct Reader<'a> {
    client: &'a Client,
    extra: Extra,
    /// Most of the tenant is wanted.
    everybody: bool,
    way: Option<Way>,
    /// How many users the tenant has, where a list tells their states.
    listed: Option<usize>,
    /// How many were needed so far.
    needed: usize,
    /// A way has answered falsely after it was trusted: what it said of others before may be false.
    was_wrong: bool,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub const fn new(client: &'a Client, extra: Extra, everybody: bool) -> Self {
        Self { client, extra, everybody, way: None, listed: None, needed: 0, was_wrong: false }
    }

    /// Reads users in the order given.
    ///
    /// # Errors
    /// Where Graph could not be asked at all: no token, or no connection.
    pub async fn read(
        &mut self,
        users: &[UserId],
        policy: &MethodPolicy,
    ) -> Result<Vec<Facts>, Error> {
        self.client.tenant_has(users.len());
        let stage = self.client.stage("users read", Some(users.len()));
        if users.len() < WORTH_IT {
            let wanted = Wanted { policy, extra: self.extra };
            return documented(self.client, users, wanted, Some(&stage)).await;
        }
        self.read_many(users, policy, &stage).await
    }

    /// Reads some of many.
    pub(super) async fn read_many(
        &mut self,
        users: &[UserId],
        policy: &MethodPolicy,
        stage: &Stage,
    ) -> Result<Vec<Facts>, Error> {
        let wanted = Wanted { policy, extra: self.extra };
        self.needed += users.len();
        let mut all = Vec::with_capacity(users.len());
        for stretch in users.chunks(STRETCH) {
            let trusted = !self.was_wrong;
            let facts = self.stretch(stretch, wanted, stage).await?;
            if trusted && self.was_wrong {
                let before = users.get(..all.len()).unwrap_or_default();
                all = documented(self.client, before, wanted, None).await?;
            }
            all.extend(facts);
        }
        if let Some(way) = &self.way {
            let (way, why) = way.in_words();
            self.client.took("reading", format!("{way}{why}"));
        }
        Ok(all)
    }

    /// Whether what was read earlier may be false.
    pub(super) const fn was_wrong(&self) -> bool {
        self.was_wrong
    }

    async fn stretch(
        &mut self,
        users: &[UserId],
        wanted: Wanted<'_>,
        stage: &Stage,
    ) -> Result<Vec<Facts>, Error> {
        let mut is_first = self.way.is_none();
        if is_first {
            self.way = Some(self.find(users, wanted).await?);
        } else if matches!(self.way, Some(Way::Documented(TOO_FEW))) {
            self.way = Some(self.without_one_request());
            is_first = true;
        }
        let least = if is_first { LEAST_SAMPLE } else { 0 };
        match self.way.take() {
            Some(Way::OneRequest) => self.at_once(users, least, wanted, stage).await,
            Some(Way::Listed(states)) => self.listed(users, (least, states), wanted, stage).await,
            way => {
                self.way = way;
                documented(self.client, users, wanted, Some(stage)).await
            }
        }
    }

    /// Which way seems to work.
    async fn find(&mut self, users: &[UserId], wanted: Wanted<'_>) -> Result<Way, Error> {
        let first = users.get(..1).unwrap_or_default();
        let first = at_once(self.client, first, wanted, None).await?;
        if matches!(first.as_slice(), [Some(_)]) {
            return Ok(Way::OneRequest);
        }
        self.listed = States::listed(self.client).await?;
        Ok(self.without_one_request())
    }

    /// The list pays off where many of it are needed; more of them may come.
    fn without_one_request(&self) -> Way {
        match self.listed {
            None => Way::Documented("Graph does not answer all at once"),
            Some(users) if self.everybody || users <= self.needed.saturating_mul(ONE_IN) => {
                Way::Listed(None)
            }
            Some(_) => Way::Documented(TOO_FEW),
        }
    }

    /// Asks for all of a user at once, and for a sample as documented.
    async fn at_once(
        &mut self,
        users: &[UserId],
        least: usize,
        wanted: Wanted<'_>,
        stage: &Stage,
    ) -> Result<Vec<Facts>, Error> {
        let places = sample(users, least);
        let sampled = of(users, &places);
        let mut facts = vec![None; users.len()];
        let left = rest(&places, users.len());
        let ids = of(users, &left);
        // Nobody is asked for in a way that is not known to tell the truth.
        let early = if least == 0 { ids.as_slice() } else { &[] };
        let (said, told, mut read) = try_join3(
            at_once(self.client, &sampled, wanted, None),
            documented(self.client, &sampled, wanted, None),
            at_once(self.client, early, wanted, Some(stage)),
        )
        .await?;
        let same = said.iter().zip(&told).all(|(said, told)| said.is_none_or(|said| said == *told));
        put(&mut facts, &places, told.into_iter().map(Some));
        stage.add(places.len());
        self.way = Some(if !same {
            self.was_wrong |= least == 0;
            Way::Documented("all at once, Graph says something else")
        } else if said.iter().flatten().count() * 20 < said.len() * 19 {
            Way::Documented("Graph does not answer all at once for everybody")
        } else {
            if early.is_empty() {
                read = at_once(self.client, &ids, wanted, Some(stage)).await?;
            }
            put(&mut facts, &left, read);
            Way::OneRequest
        });
        let open = missing(&facts);
        let on = matches!(self.way, Some(Way::OneRequest));
        if on && open.len() * 20 > users.len() {
            self.way = Some(Way::Documented("Graph stopped answering all at once"));
        }
        let stage = (!on && early.is_empty()).then_some(stage);
        let read = documented(self.client, &of(users, &open), wanted, stage).await?;
        put(&mut facts, &open, read.into_iter().map(Some));
        Ok(facts.into_iter().map(|facts| facts.unwrap_or(Facts::NOT_READ)).collect())
    }

    /// Asks for everything but the state, which the list of users tells, and for a sample of the
    /// states as documented.
    async fn listed(
        &mut self,
        users: &[UserId],
        (least, known): (usize, Option<States>),
        wanted: Wanted<'_>,
        stage: &Stage,
    ) -> Result<Vec<Facts>, Error> {
        let places = sample(users, least);
        let sampled = of(users, &places);
        let list = async {
            match known {
                Some(states) => Ok(Some(states)),
                None => States::read(self.client).await,
            }
        };
        let (list, mut facts, told) = try_join3(
            list,
            but_the_state(self.client, users, wanted, Some(stage)),
            states(self.client, &sampled, wanted),
        )
        .await?;
        let is_other = |(user, told): (&UserId, &Read<_>)| match (list.as_ref(), told) {
            (Some(list), Read::Known(told)) => list.of(*user).is_some_and(|said| said != *told),
            _ => false,
        };
        let differs = sampled.iter().zip(&told).any(is_other);
        for (facts, user) in facts.iter_mut().zip(users) {
            let said = list.as_ref().filter(|_| !differs).and_then(|list| list.of(*user));
            facts.state = said.map_or(Facts::NOT_READ.state, Read::Known);
        }
        for (place, told) in places.iter().zip(told) {
            facts.iter_mut().skip(*place).take(1).for_each(|facts| facts.state = told);
        }
        let is_open = |(place, facts): (usize, &Facts)| {
            let open = facts.state == Facts::NOT_READ.state;
            open.then_some(place)
        };
        let open: Vec<usize> = facts.iter().enumerate().filter_map(is_open).collect();
        let read = states(self.client, &of(users, &open), wanted).await?;
        for (place, state) in open.iter().zip(read) {
            facts.iter_mut().skip(*place).take(1).for_each(|facts| facts.state = state);
        }
        self.was_wrong |= differs && least == 0;
        self.way = Some(match list {
            _ if differs => Way::Documented("the list of users says another state"),
            Some(_) if open.len() * 20 > users.len() => {
                Way::Documented("the list of users does not tell everybody's state")
            }
            None => Way::Documented("the list of users with states could not be read"),
            known => Way::Listed(known),
        });
        Ok(facts)
    }
}

/// The users at these places.
fn of(users: &[UserId], places: &[usize]) -> Vec<UserId> {
    places.iter().filter_map(|place| users.get(*place)).copied().collect()
}

fn put(all: &mut [Option<Facts>], places: &[usize], read: impl IntoIterator<Item = Option<Facts>>) {
    for (place, facts) in places.iter().zip(read) {
        if let Some(slot) = all.get_mut(*place) {
            *slot = facts;
        }
    }
}

/// The places that are not among these, which are in their order.
fn rest(places: &[usize], of: usize) -> Vec<usize> {
    (0..of).filter(|place| places.binary_search(place).is_err()).collect()
}

fn missing(all: &[Option<Facts>]) -> Vec<usize> {
    let open = all.iter().enumerate().filter(|(_, facts)| facts.is_none());
    open.map(|(place, _)| place).collect()
}

/// Places of users, in their order, by chance that is the same for the same users.
fn sample(users: &[UserId], least: usize) -> Vec<usize> {
    let few = (users.len() / 100).max(least);
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
            let of = sample(&users(count), LEAST_SAMPLE);
            assert_eq!(of.len(), expected);
            assert!(of.is_sorted_by(|a, b| a < b));
            assert_eq!(of, sample(&users(count), LEAST_SAMPLE));
        }
        assert_ne!(sample(&users(5_000), 0), sample(&users(5_001), 0));
        assert_eq!(sample(&users(999), 0).len(), 9);
    }
}
