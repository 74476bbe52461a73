//! Compares what one request for all facts of a user returns with what the documented requests return.
//!
//! Not here: the states from the list of users (`listed`).

use super::{Aspect, Place, Strategy, Ways, sample};
use crate::tenant::facts::Facts;

/// An undocumented strategy that has no answer for more than one user in this many is given up.
pub(super) const MISSING: usize = 20;

impl Ways {
    /// Stores the answer of one request for all facts of a user.
    pub(super) fn take_whole(&mut self, place: Place, whole: Option<Facts>, is_sampled: bool) {
        match &mut self.strategy {
            Strategy::Trying { refused, .. } if whole.is_none() => {
                *refused = true;
                return self.without_one_request();
            }
            Strategy::Trying { .. } => {
                self.strategy = Strategy::OneRequest;
                self.asked = 1;
                let others: Vec<Place> =
                    self.sample.keys().copied().filter(|other| *other != place).collect();
                others.into_iter().for_each(|other| self.ask_whole(other));
            }
            _ => {}
        }
        if whole.is_none() {
            self.missing += 1;
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
            self.trial.read_one(facts);
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
        let Strategy::OneRequest = self.strategy else { return };
        let (Some(sampled), Some(documented)) = (self.sample.get(&place), self.facts.get(place))
        else {
            return;
        };
        if let Some(whole) = sampled.both() {
            let is_other = whole.is_some_and(|whole| whole != *documented);
            self.trial.compared_one();
            self.sample.remove(&place);
            if is_other {
                self.give_up("one request per user returned different facts");
            }
        }
    }

    /// Gives up the undocumented strategy. Everything it returned is read again, because it is unknown
    /// whether it is true.
    pub(super) fn give_up(&mut self, why: &'static str) {
        let was = std::mem::replace(&mut self.strategy, Strategy::Documented(why));
        self.queue.retain(|ask| ask.aspect != Aspect::Whole);
        let again: Vec<Place> =
            (0..self.begun).filter(|place| !self.documented.contains(*place)).collect();
        for place in again {
            match was {
                Strategy::Listed { .. } => self.ask_state(place),
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
        let Strategy::OneRequest = self.strategy else { return };
        if self.asked >= sample::LEAST && self.missing * MISSING > self.asked {
            self.strategy =
                Strategy::Documented("one request per user does not work for all users");
            let queue = std::mem::take(&mut self.queue);
            for ask in queue {
                match ask.aspect {
                    Aspect::Whole if self.documented.contains(ask.place) => {}
                    Aspect::Whole => self.ask_documented(ask.place),
                    _ => self.queue.push_back(ask),
                }
            }
            return;
        }
        if self.trial.wants_more() {
            let more: Vec<Place> = (self.begun..self.users.len())
                .filter(|place| !self.documented.contains(*place))
                .collect();
            match more.is_empty() {
                true => self.trial.ends(),
                false => more.into_iter().take(sample::LEAST).for_each(|place| self.sample(place)),
            }
        }
    }
}
