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

    fn answer(&mut self, query: &UserQuery) -> Piece {
        self.parts += 1;
        let truth = self.truth(query.place);
        let name = match query.aspect {
            Aspect::METHODS => "methods",
            Aspect::STATE => "state",
            Aspect::Fact(other) => other.name(),
            Aspect::Whole => "whole",
        };
        *self.asked.entry((query.place, name)).or_default() += 1;
        match query.aspect {
            Aspect::METHODS => Piece::Methods(truth.methods),
            Aspect::STATE => Piece::State(truth.state),
            Aspect::Fact(_) => query.aspect.unknown(UnknownReason::Failed),
            Aspect::Whole => {
                self.wholes += 1;
                Piece::Whole(match self.whole {
                    Answers::Refused => None,
                    Answers::Falsely => Some(facts(false)),
                    Answers::FalselyFrom(nth) if self.wholes >= nth => Some(facts(false)),
                    Answers::But(one_in) if query.place % one_in == 1 => None,
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
    fn read(&mut self, users: usize, everybody: bool) -> ReadStrategy {
        let mut strategy = ReadStrategy::new(Extra::default(), everybody);
        let (mut known, mut flight, mut questions) = (0, Vec::new(), Vec::new());
        if users == 0 {
            strategy.complete();
        }
        while !strategy.is_done() {
            while flight.len() < 16 {
                let queries = strategy.next_queries(20);
                if queries.is_empty() {
                    break;
                }
                flight.push(queries);
            }
            questions.extend(strategy.next_question());
            let come = known < users && (flight.is_empty() || self.chance.u8(..10) == 0);
            if come {
                let page = known..(known + 999).min(users);
                known = page.end;
                strategy.add(page.map(user).collect());
                if known == users {
                    strategy.complete();
                }
            } else if !flight.is_empty()
                && (self.late || questions.is_empty() || self.chance.u8(..4) > 0)
            {
                let queries = flight.swap_remove(self.chance.usize(..flight.len()));
                for query in queries {
                    let piece = self.answer(&query);
                    strategy.take(query, piece);
                }
            } else {
                match questions.pop().expect("nothing is stuck") {
                    ListQuestion::Size if self.list == Answers::Refused => {
                        strategy.take_list_size(None)
                    }
                    ListQuestion::Size => strategy.take_list_size(Some(self.tenant)),
                    ListQuestion::States => strategy.take_list(self.list()),
                }
            }
        }
        strategy
    }

    #[track_caller]
    fn has_read_the_truth(&self, strategy: &ReadStrategy, users: usize) {
        for place in 0..users {
            assert_eq!(strategy.facts(user(place)), Some(self.truth(place)), "{place}");
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
    let strategy = service.read(499, true);
    service.has_read_the_truth(&strategy, 499);
    assert_eq!((service.parts, strategy.in_words()), (998, None));
    let strategy = Service::new(Answers::Truly, Answers::Truly).read(500, true);
    assert!(strategy.in_words().unwrap().starts_with("one request per user"));
    let nobody = service.read(0, false);
    assert_eq!(nobody.facts(user(1)), None);
}

#[test]
fn one_request_per_user_costs_little_more_than_one_part_per_user() {
    for users in [10_000, 50_000] {
        let mut service = Service::new(Answers::Truly, Answers::Truly);
        let strategy = service.read(users, false);
        service.has_read_the_truth(&strategy, users);
        assert!(strategy.in_words().unwrap().starts_with("one request per user"));
        let sampled = service.asked_for("methods");
        assert!(sampled >= 50 + (users - 50) / 400, "{sampled}");
        assert_eq!(service.parts, users + 2 * sampled);
        assert!(service.parts * 100 <= users * 102, "{}", service.parts);
    }
}

#[test]
fn sample_of_users_without_methods_is_enlarged() {
    let sampled = |registered| {
        let mut service = Service { registered, ..Service::new(Answers::Truly, Answers::Truly) };
        let strategy = service.read(10_000, false);
        service.has_read_the_truth(&strategy, 10_000);
        service.asked_for("methods")
    };
    // The first user has a method, whatever the number.
    assert!((200..300).contains(&sampled(usize::MAX)), "{}", sampled(usize::MAX));
    // About five users of the first fifty have a method.
    assert!(sampled(10) < 100, "{}", sampled(10));
}

#[test]
fn false_answers_cost_no_more_than_a_trial() {
    let mut service = Service::new(Answers::Falsely, Answers::Refused);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    assert_eq!(
        strategy.in_words().unwrap(),
        "documented requests: one request per user returned different facts"
    );
    assert!(service.parts <= 20_000 + 250, "{}", service.parts);
}

/// Only the user who is tried first is answered. The answers of the sample are still to come.
#[test]
fn reading_continues_while_the_first_sample_is_read() {
    let mut strategy = ReadStrategy::new(Extra::default(), true);
    strategy.add((0..2_000).map(user).collect());
    let mut queries = strategy.next_queries(200);
    assert_eq!(queries.len(), 101, "50 users in two requests, and one of them in one");
    let first = queries.remove(0);
    assert_eq!(first.aspect, Aspect::Whole);
    strategy.take(first, Piece::Whole(Some(facts(first.place.is_multiple_of(3)))));
    let more = strategy.next_queries(2_000);
    assert!(more.iter().all(|query| query.aspect == Aspect::Whole));
    assert_eq!(more.len(), 199, "200 users in one request, with the first one");
}

#[test]
fn answers_before_the_first_false_one_are_read_again() {
    let mut service = Service::new(Answers::FalselyFrom(4_000), Answers::Truly);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    assert_eq!(
        strategy.in_words().unwrap(),
        "documented requests: one request per user returned different facts"
    );
    assert!(service.asked_for("whole") > 4_000);
}

#[test]
fn user_without_an_answer_is_read_with_documented_requests() {
    let mut service = Service::new(Answers::But(50), Answers::Truly);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    assert!(strategy.in_words().unwrap().starts_with("one request per user"));
    let mut service = Service::new(Answers::But(5), Answers::Truly);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    let words = "documented requests: one request per user does not work for all users";
    assert_eq!(strategy.in_words().unwrap(), words);
    assert!(service.parts < 20_000 + 1_000, "{}", service.parts);
}

#[test]
fn states_from_the_list_cost_little_more_than_one_part_per_user() {
    let mut service = Service::new(Answers::Refused, Answers::Truly);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    assert!(strategy.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.asked_for("state") >= 60);
    assert!(service.parts * 100 <= 10_000 * 102, "{}", service.parts);
}

#[test]
fn list_with_a_false_state_is_not_used() {
    let mut service = Service::new(Answers::Refused, Answers::Falsely);
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    assert_eq!(
        strategy.in_words().unwrap(),
        "documented requests: the list of users showed a different state"
    );
    assert_eq!(service.parts, 20_000 + 1);
}

#[test]
fn incomplete_list_falls_back_to_single_reads() {
    let mut service = Service::new(Answers::Refused, Answers::But(4));
    let strategy = service.read(10_000, false);
    service.has_read_the_truth(&strategy, 10_000);
    let words = "documented requests: the list of users lacks the state of many users";
    assert_eq!(strategy.in_words().unwrap(), words);
}

/// The list arrives when more users have been begun than it takes to see that the list has gaps.
#[test]
fn late_and_incomplete_list_leaves_no_user_without_a_state() {
    let chance = fastrand::Rng::with_seed(10_095_274_850_036_831_116);
    let mut service =
        Service { chance, tenant: 2_500, ..Service::new(Answers::But(7), Answers::But(7)) };
    let strategy = service.read(1_000, false);
    service.has_read_the_truth(&strategy, 1_000);
    let words = "documented requests: the list of users lacks the state of many users";
    assert_eq!(strategy.in_words().unwrap(), words);
}

#[test]
fn list_is_read_only_if_many_of_its_users_are_needed() {
    let mut service = Service { tenant: 30_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let strategy = service.read(6_000, false);
    service.has_read_the_truth(&strategy, 6_000);
    assert!(strategy.in_words().unwrap().starts_with("the state from the list of users"));
    assert!(service.parts * 100 <= 6_000 * 102, "{}", service.parts);
    let mut service = Service { tenant: 40_000, ..Service::new(Answers::Refused, Answers::Truly) };
    let strategy = service.read(6_000, false);
    service.has_read_the_truth(&strategy, 6_000);
    let words = "documented requests: too few users are needed to read the list of all users";
    assert_eq!(strategy.in_words().unwrap(), words);
    assert_eq!(service.parts, 12_000 + 1);
    // If all users are wanted, the decision needs no wait.
    let strategy = service.read(6_000, true);
    assert!(strategy.in_words().unwrap().starts_with("the state from the list of users"));
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
        let strategy = service.read(users, false);
        service.has_read_the_truth(&strategy, users);
    }
}
