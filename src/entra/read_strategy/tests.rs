//! Tests read strategies against a service that answers in any order, truthfully or not.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::tenant::facts::{MethodKind, Methods, MfaState, Read, UnknownReason};

/// How a service answers undocumented requests.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answers {
    Refused,
    Truly,
    /// No user has a method or an MFA state.
    Falsely,
    /// The same false answer, but only from the n-th answer on.
    FalselyFrom(usize),
    /// No answer for one user in this many.
    But(usize),
}

struct Service {
    whole: Answers,
    list: Answers,
    /// Number of users in the list; the needed users are among them.
    tenant: usize,
    /// One user in this many has a method and an MFA state.
    registered: usize,
    /// True if the list is the last answer that arrives.
    late: bool,
    chance: fastrand::Rng,
    /// What was asked for each user, and how often.
    asked: BTreeMap<(usize, &'static str), usize>,
    parts: usize,
    wholes: usize,
}

fn user(place: usize) -> UserId {
    UserId::from_uuid(Uuid::from_u128(place as u128 * 0x9e37_79b9_7f4a_7c15 + 5))
}

fn facts(registered: bool) -> Facts {
    let state = if registered { MfaState::Enforced } else { MfaState::Disabled };
    let kinds = registered.then_some(MethodKind::Authenticator).into_iter().collect();
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

    fn answer(&mut self, ask: &UserQuery) -> Piece {
        self.parts += 1;
        let truth = self.truth(ask.place);
        let name = match ask.aspect {
            Aspect::METHODS => "methods",
            Aspect::STATE => "state",
            Aspect::Fact(other) => other.name(),
            Aspect::Whole => "whole",
        };
        *self.asked.entry((ask.place, name)).or_default() += 1;
        match ask.aspect {
            Aspect::METHODS => Piece::Methods(truth.methods),
            Aspect::STATE => Piece::State(truth.state),
            Aspect::Fact(_) => ask.aspect.unknown(UnknownReason::Failed),
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
        let listed_state = |place: usize| match (self.list, self.truth(place).state) {
            (Answers::Truly, Read::Known(state)) => Some((user(place), state)),
            (Answers::But(one_in), Read::Known(state)) if place % one_in != 1 => {
                Some((user(place), state))
            }
            (Answers::Falsely, _) => Some((user(place), MfaState::Disabled)),
            _ => None,
        };
        Some(States::listing((0..self.tenant).filter_map(listed_state)))
    }

    /// Reads this many users, who become known page by page, with some requests in flight at a time that
    /// are answered in any order.
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
                    ListQuestion::HowMany if self.list == Answers::Refused => ways.listed(None),
                    ListQuestion::HowMany => ways.listed(Some(self.tenant)),
                    ListQuestion::States => ways.read(self.list()),
                }
            }
        }
        ways
    }

    #[track_caller]
    fn has_read_the_truth(&self, ways: &Ways, users: usize) {
        for place in 0..users {
            assert_eq!(ways.facts(user(place)), Some(self.truth(place)), "{place}");
        }
        let often = self.asked.iter().find(|(_, times)| **times > 1);
        assert_eq!(often, None, "no user is asked twice for the same thing");
    }

    fn asked_for(&self, name: &str) -> usize {
        self.asked.keys().filter(|(_, asked)| *asked == name).count()
    }
}

#[test]
fn few_users_are_read_with_documented_requests_only() {
    let mut service = Service::new(Answers::Truly, Answers::Truly);
    let few = WORTH_IT - 1;
    let ways = service.read(few, true);
    service.has_read_the_truth(&ways, few);
    assert_eq!((service.parts, ways.in_words()), (few * 2, None));
    let nobody = service.read(0, false);
    assert_eq!(nobody.facts(user(1)), None);
}

#[test]
fn one_request_per_user_costs_little_more_than_one_part_per_user() {
    for users in [10_000, 50_000] {
        let mut service = Service::new(Answers::Truly, Answers::Truly);
        let ways = service.read(users, false);
        service.has_read_the_truth(&ways, users);
        assert!(ways.in_words().unwrap().starts_with("one request per user"));
        let sampled = service.asked_for("methods");
        assert!(sampled >= 50 + (users - 50) / 400, "{sampled}");
        assert_eq!(service.parts, users + 2 * sampled);
        assert!(service.parts * 100 <= users * 102, "{}", service.parts);
    }
}

#[test]
fn sample_of_users_without_methods_is_enlarged() {
    let mut service = Service::new(Answers::Truly, Answers::Truly);
    service.registered = usize::MAX;
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    // The first of them has a method, whatever the number.
    assert!(
        (200..300).contains(&service.asked_for("methods")),
        "{:?}",
        service.asked_for("methods")
    );
}

#[test]
fn false_answers_cost_no_more_than_a_trial() {
    let mut service = Service::new(Answers::Falsely, Answers::Refused);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    assert_eq!(
        ways.in_words().unwrap(),
        "documented requests: one request per user returned different facts"
    );
    assert!(service.parts <= 20_000 + ON_TRIAL + sample::LEAST, "{}", service.parts);
}

#[test]
fn answers_before_the_first_false_one_are_read_again() {
    let mut service = Service::new(Answers::FalselyFrom(4_000), Answers::Truly);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    assert_eq!(
        ways.in_words().unwrap(),
        "documented requests: one request per user returned different facts"
    );
    assert!(service.asked_for("whole") > 4_000);
}

#[test]
fn user_without_an_answer_is_read_with_documented_requests() {
    let mut service = Service::new(Answers::But(50), Answers::Truly);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    assert!(ways.in_words().unwrap().starts_with("one request per user"));
    let mut service = Service::new(Answers::But(5), Answers::Truly);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    let words = "documented requests: one request per user does not work for all users";
    assert_eq!(ways.in_words().unwrap(), words);
    assert!(service.parts < 20_000 + 1_000, "{}", service.parts);
}

#[test]
fn states_from_the_list_cost_little_more_than_one_part_per_user() {
    let mut service = Service::new(Answers::Refused, Answers::Truly);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.asked_for("state") >= 60);
    assert!(service.parts * 100 <= 10_000 * 102, "{}", service.parts);
}

#[test]
fn list_with_a_false_state_is_not_used() {
    let mut service = Service::new(Answers::Refused, Answers::Falsely);
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    assert_eq!(
        ways.in_words().unwrap(),
        "documented requests: the list of users showed a different state"
    );
    assert_eq!(service.parts, 20_000 + 1);
}

#[test]
fn incomplete_list_falls_back_to_single_reads() {
    let mut service = Service::new(Answers::Refused, Answers::But(4));
    let ways = service.read(10_000, false);
    service.has_read_the_truth(&ways, 10_000);
    let words = "documented requests: the list of users lacks the state of many users";
    assert_eq!(ways.in_words().unwrap(), words);
}

/// The list arrives when more users have been begun than it takes to see that the list has gaps.
#[test]
fn late_and_incomplete_list_leaves_no_user_without_a_state() {
    let chance = fastrand::Rng::with_seed(10_095_274_850_036_831_116);
    let mut service = Service { chance, ..Service::new(Answers::But(7), Answers::But(7)) };
    let ways = service.read(1_000, false);
    service.has_read_the_truth(&ways, 1_000);
    let words = "documented requests: the list of users lacks the state of many users";
    assert_eq!(ways.in_words().unwrap(), words);
}

#[test]
fn list_is_read_only_if_many_of_its_users_are_needed() {
    let mut service = Service { tenant: 100_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let ways = service.read(6_000, false);
    service.has_read_the_truth(&ways, 6_000);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.parts * 100 <= 6_000 * 102, "{}", service.parts);
    let mut service =
        Service { tenant: 1_000_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let ways = service.read(6_000, false);
    service.has_read_the_truth(&ways, 6_000);
    let words = "documented requests: too few users are needed to read the list of all users";
    assert_eq!(ways.in_words().unwrap(), words);
    assert_eq!(service.parts, 12_000 + 1);
    // If all users are wanted, the decision needs no wait.
    let ways = service.read(6_000, true);
    assert!(ways.in_words().unwrap().starts_with("the state from the list of users"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn facts_are_true_for_any_answers_in_any_order(
        whole in prop::sample::select(vec![Answers::Refused, Answers::Truly, Answers::Falsely, Answers::But(7)]),
        list in prop::sample::select(vec![Answers::Refused, Answers::Truly, Answers::Falsely, Answers::But(7)]),
        users in 0_usize..4_000,
        late: bool,
        seed in any::<u64>(),
    ) {
        let chance = fastrand::Rng::with_seed(seed);
        let mut service = Service { late, chance, ..Service::new(whole, list) };
        let ways = service.read(users, false);
        service.has_read_the_truth(&ways, users);
    }
}
