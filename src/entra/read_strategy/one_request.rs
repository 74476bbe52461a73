//! Compares what one request for all facts of a user returns with what the documented requests return.
//!
//! Not here: the states from the list of users (`state_list`).

use super::sample::FIRST_SAMPLE;
use super::{Aspect, Mode, Place, ReadStrategy, UNANSWERED_ONE_IN};
use crate::tenant::facts::Facts;

impl ReadStrategy {
    /// Stores the answer of one request for all facts of a user.
    pub(super) fn take_whole(&mut self, place: Place, whole: Option<Facts>, is_sampled: bool) {
        match &mut self.mode {
            Mode::Trying { one_request_refused, .. } if whole.is_none() => {
                *one_request_refused = true;
                return self.fall_back_to_list();
            }
            Mode::Trying { .. } => {
                self.mode = Mode::OneRequestPerUser;
                self.tried = 1;
                let others: Vec<Place> =
                    self.sample.keys().copied().filter(|other| *other != place).collect();
                others.into_iter().for_each(|other| self.ask_whole(other));
            }
            _ => {}
        }
        if whole.is_none() {
            self.unanswered += 1;
        }
        if is_sampled {
            if let Some(sampled) = self.sample.get_mut(&place) {
                sampled.set_whole(whole);
            }
            return self.compare(place);
        }
        match (whole, self.facts.get_mut(place)) {
            // The user was read again in the meantime, or is about to be.
            _ if self.documented.contains(place) => {}
            (Some(whole), Some(facts)) => *facts = whole,
            _ => self.ask_documented(place),
        }
    }

    /// Notes that one documented answer for a user of the sample arrived.
    pub(super) fn take_sampled(&mut self, place: Place, aspect: Aspect) {
        let is_whole = match self.sample.get_mut(&place) {
            Some(sampled) => sampled.documented_answer(),
            None => return,
        };
        if is_whole && let Some(facts) = self.facts.get(place) {
            self.first_sample.count_read(facts);
        }
        if is_whole {
            self.compare(place);
        }
        if aspect == Aspect::STATE {
            self.compare_state(place);
        }
    }

    /// Compares the two results, if both are there.
    fn compare(&mut self, place: Place) {
        let Mode::OneRequestPerUser = self.mode else { return };
        let (Some(sampled), Some(documented)) = (self.sample.get(&place), self.facts.get(place))
        else {
            return;
        };
        if let Some(whole) = sampled.both() {
            let is_other = whole.is_some_and(|whole| whole != *documented);
            self.first_sample.count_compared();
            self.sample.remove(&place);
            if is_other {
                self.give_up("one request per user returned different facts");
            }
        }
    }

    /// Gives up the undocumented strategy. Everything it returned is read again, because it is unknown
    /// whether it is true.
    pub(super) fn give_up(&mut self, why: &'static str) {
        let was = std::mem::replace(&mut self.mode, Mode::Documented(why));
        self.queue.retain(|query| query.aspect != Aspect::Whole);
        let again: Vec<Place> =
            (0..self.begun).filter(|place| !self.documented.contains(*place)).collect();
        for place in again {
            match was {
                Mode::StatesFromList { .. } => self.ask_state(place),
                _ => self.ask_documented(place),
            }
        }
    }

    pub(super) fn ask_state(&mut self, place: Place) {
        self.documented.insert(place);
        self.ask(place, Aspect::STATE);
    }

    /// Checks whether the strategy has enough answers, and whether the sample is large enough.
    pub(super) fn judge(&mut self) {
        let Mode::OneRequestPerUser = self.mode else { return };
        if self.tried >= FIRST_SAMPLE && self.unanswered * UNANSWERED_ONE_IN > self.tried {
            self.mode = Mode::Documented("one request per user does not work for all users");
            let queue = std::mem::take(&mut self.queue);
            for query in queue {
                match query.aspect {
                    Aspect::Whole if self.documented.contains(query.place) => {}
                    Aspect::Whole => self.ask_documented(query.place),
                    _ => self.queue.push_back(query),
                }
            }
            return;
        }
        if self.first_sample.needs_more() {
            let more: Vec<Place> = (self.begun..self.users.len())
                .filter(|place| !self.documented.contains(*place))
                .collect();
            match more.is_empty() {
                true => self.first_sample.finish(),
                false => more.into_iter().take(FIRST_SAMPLE).for_each(|place| self.sample(place)),
            }
        }
    }
}
