//! Ways against a service that answers in any order, truthfully or not.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::tenant::facts::{Kind, Methods, MfaState, Read, Why};

/// How a service answers what no documentation promises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answers {
    Refused,
    Truly,
    /// Nobody is registered, nobody is asked.
    Falsely,
    /// The same, from so many answers on.
    FalselyFrom(usize),
    /// Of one in so many it knows nothing.
    But(usize),
}

struct Service {
    whole: Answers,
    list: Answers,
    /// So many are in the list; the ones who are needed are among them.
    tenant: usize,
    /// One in so many has anything.
    registered: usize,
    /// The list is the last thing that comes.
    late: bool,
    chance: fastrand::Rng,
    /// What was asked of each, and how often.
    asked: BTreeMap<(usize, &'static str), usize>,
    parts: usize,
    wholes: usize,
}

fn user(place: usize) -> UserId {
    UserId::from_uuid(Uuid::from_u128(place as u128 * 0x9e37_79b9_7f4a_7c15 + 5))
}

fn facts(registered: bool) -> Facts {
    let state = if registered { MfaState::Enforced } else { MfaState::Disabled };
    let kinds = registered.then_some(Kind::Authenticator).into_iter().collect();
    let methods = Read::Known(Methods { kinds, ..Methods::default() });
    Facts { methods, state: Read::Known(state), ..Facts::NOT_READ }
}

impl Service {
    fn new(whole: Answers, list: Answers) -> Self {
        Self {
            whole,
            list,
            tenant: 10_000,
            registered: 3,
            late: false,
            chance: fastrand::Rng::with_seed(7),
            asked: BTreeMap::new(),
            parts: 0,
            wholes: 0,
        }
    }

    fn truth(&self, place: usize) -> Facts {
        facts(place.is_multiple_of(self.registered))
    }

    fn answer(&mut self, ask: &Ask) -> Piece {
        self.parts += 1;
        let truth = self.truth(ask.place);
        let name = match ask.aspect {
            Aspect::Methods => "methods",
            Aspect::State => "state",
            Aspect::Preferences => "preferences",
            Aspect::Whole => "whole",
        };
        *self.asked.entry((ask.place, name)).or_default() += 1;
        match ask.aspect {
            Aspect::Methods => Piece::Methods(truth.methods),
            Aspect::State => Piece::State(truth.state),
            Aspect::Preferences => ask.aspect.unknown(Why::Failed),
            Aspect::Whole => {
                self.wholes += 1;
                Piece::Whole(match self.whole {
                    Answers::Refused => None,
                    Answers::Falsely => Some(facts(false)),
                    Answers::FalselyFrom(nth) if self.wholes >= nth => Some(facts(false)),
                    Answers::But(one_in) if ask.place % one_in == 1 => None,
                    _ => Some(truth),
                })
            }
        }
    }

    fn list(&self) -> Option<States> {
        let said = |place: usize| match (self.list, self.truth(place).state) {
            (Answers::Truly, Read::Known(state)) => Some((user(place), state)),
            (Answers::But(one_in), Read::Known(state)) if place % one_in != 1 => {
                Some((user(place), state))
            }
            (Answers::Falsely, _) => Some((user(place), MfaState::Disabled)),
            _ => None,
        };
        Some(States::listing((0..self.tenant).filter_map(said)))
    }

    /// Reads so many users who become known page by page, with some requests under way at a time,
    /// answered in any order.
    fn read(&mut self, users: usize, everybody: bool) -> Ways {
        let mut ways = Ways::new(Extra::default(), everybody);
        let (mut known, mut flight, mut questions) = (0, Vec::new(), Vec::new());
        if users == 0 {
            ways.complete();
        }
        while !ways.is_done() {
            while flight.len() < 16 {
                let asks = ways.next(20);
                if asks.is_empty() {
                    break;
                }
                flight.push(asks);
            }
            questions.extend(ways.question());
            let come = known < users && (flight.is_empty() || self.chance.u8(..10) == 0);
            if come {
                let page = known..(known + 999).min(users);
                known = page.end;
                ways.add(page.map(user).collect());
                if known == users {
                    ways.complete();
                }
            } else if !flight.is_empty()
                && (self.late || questions.is_empty() || self.chance.u8(..4) > 0)
            {
                let asks = flight.swap_remove(self.chance.usize(..flight.len()));
                for ask in asks {
                    let piece = self.answer(&ask);
                    ways.take(ask, piece);
                }
            } else {
                match questions.pop().expect("nothing is stuck") {
                    Question::HowMany if self.list == Answers::Refused => ways.listed(None),
                    Question::HowMany => ways.listed(Some(self.tenant)),
                    Question::States => ways.read(self.list()),
                }
            }
        }
        ways
    }

    #[track_caller]
    fn told_the_truth_of(&self, ways: &Ways, users: usize) {
        for place in 0..users {
            assert_eq!(ways.facts(user(place)), Some(self.truth(place)), "{place}");
        }
        let often = self.asked.iter().find(|(_, times)| **times > 1);
        assert_eq!(often, None, "nobody is asked for a thing twice");
    }

    fn asked_for(&self, name: &str) -> usize {
        self.asked.keys().filter(|(_, asked)| *asked == name).count()
    }
}

#[test]
fn few_are_read_as_documented_and_no_other_way_is_looked_for() {
    let mut service = Service::new(Answers::Truly, Answers::Truly);
    let few = WORTH_IT - 1;
    let ways = service.read(few, true);
    service.told_the_truth_of(&ways, few);
    assert_eq!((service.parts, ways.in_words()), (few * 2, None));
    let nobody = service.read(0, false);
    assert_eq!(nobody.facts(user(1)), None);
}

#[test]
fn one_request_a_user_and_a_sample_cost_little_more_than_one_part_each() {
    for users in [10_000, 50_000] {
        let mut service = Service::new(Answers::Truly, Answers::Truly);
        let ways = service.read(users, false);
        service.told_the_truth_of(&ways, users);
        assert!(ways.in_words().unwrap().starts_with("one request a user"));
        let sampled = service.asked_for("methods");
        assert!(sampled >= 50 + (users - 50) / 400, "{sampled}");
        assert_eq!(service.parts, users + 2 * sampled);
        assert!(service.parts * 100 <= users * 102, "{}", service.parts);
    }
}

#[test]
fn a_sample_in_which_nobody_has_anything_is_made_larger() {
    let mut service = Service::new(Answers::Truly, Answers::Truly);
    service.registered = usize::MAX;
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    // The first of them has something, whatever the number.
    assert!(
        (200..300).contains(&service.asked_for("methods")),
        "{:?}",
        service.asked_for("methods")
    );
}

#[test]
fn a_way_that_does_not_tell_the_truth_costs_no_more_than_a_trial() {
    let mut service = Service::new(Answers::Falsely, Answers::Refused);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    assert_eq!(ways.in_words().unwrap(), "as documented: all at once, Graph says something else");
    assert!(service.parts <= 20_000 + ON_TRIAL + sample::LEAST, "{}", service.parts);
}

#[test]
fn what_a_way_said_before_it_told_an_untruth_is_read_again() {
    let mut service = Service::new(Answers::FalselyFrom(4_000), Answers::Truly);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    assert_eq!(ways.in_words().unwrap(), "as documented: all at once, Graph says something else");
    assert!(service.asked_for("whole") > 4_000);
}

#[test]
fn who_is_not_answered_at_once_is_read_as_documented() {
    let mut service = Service::new(Answers::But(50), Answers::Truly);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    assert!(ways.in_words().unwrap().starts_with("one request a user"));
    let mut service = Service::new(Answers::But(5), Answers::Truly);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    let words = "as documented: Graph does not answer all at once for everybody";
    assert_eq!(ways.in_words().unwrap(), words);
    assert!(service.parts < 20_000 + 1_000, "{}", service.parts);
}

#[test]
fn states_from_the_list_cost_little_more_than_one_part_each() {
    let mut service = Service::new(Answers::Refused, Answers::Truly);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.asked_for("state") >= 60);
    assert!(service.parts * 100 <= 10_000 * 102, "{}", service.parts);
}

#[test]
fn a_list_that_says_another_state_is_not_believed() {
    let mut service = Service::new(Answers::Refused, Answers::Falsely);
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    assert_eq!(ways.in_words().unwrap(), "as documented: the list of users says another state");
    assert_eq!(service.parts, 20_000 + 1);
}

#[test]
fn a_list_that_leaves_many_out_is_no_way() {
    let mut service = Service::new(Answers::Refused, Answers::But(4));
    let ways = service.read(10_000, false);
    service.told_the_truth_of(&ways, 10_000);
    let words = "as documented: the list of users does not tell everybody's state";
    assert_eq!(ways.in_words().unwrap(), words);
}

/// It comes when more have been begun with than it takes to see that it is no way.
#[test]
fn a_list_that_comes_late_and_leaves_many_out_leaves_nobody_without_a_state() {
    let chance = fastrand::Rng::with_seed(10_095_274_850_036_831_116);
    let mut service = Service { chance, ..Service::new(Answers::But(7), Answers::But(7)) };
    let ways = service.read(1_000, false);
    service.told_the_truth_of(&ways, 1_000);
    let words = "as documented: the list of users does not tell everybody's state";
    assert_eq!(ways.in_words().unwrap(), words);
}

#[test]
fn a_list_is_worth_it_for_many_of_it_and_nothing_is_wasted_until_that_is_known() {
    let mut service = Service { tenant: 100_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let ways = service.read(6_000, false);
    service.told_the_truth_of(&ways, 6_000);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.parts * 100 <= 6_000 * 102, "{}", service.parts);
    let mut service =
        Service { tenant: 1_000_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let ways = service.read(6_000, false);
    service.told_the_truth_of(&ways, 6_000);
    let words = "as documented: too few are needed for a list of everybody";
    assert_eq!(ways.in_words().unwrap(), words);
    assert_eq!(service.parts, 12_000 + 1);
    // Whoever wants everybody need not wait to know it.
    let ways = service.read(6_000, true);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_service_answers_in_whatever_order_the_truth_is_read(
        whole in prop::sample::select(vec![Answers::Refused, Answers::Truly, Answers::Falsely, Answers::But(7)]),
        list in prop::sample::select(vec![Answers::Refused, Answers::Truly, Answers::Falsely, Answers::But(7)]),
        users in 0_usize..4_000,
        late: bool,
        seed in any::<u64>(),
    ) {
        let chance = fastrand::Rng::with_seed(seed);
        let mut service = Service { late, chance, ..Service::new(whole, list) };
        let ways = service.read(users, false);
        service.told_the_truth_of(&ways, users);
    }
}
