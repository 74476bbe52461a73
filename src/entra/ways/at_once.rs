//! What Graph says of somebody all at once, against what it says as documented.

use super::{Aspect, Place, Way, Ways, sample};
use crate::tenant::facts::Facts;

/// A way that does not answer for one in so many is no way.
pub(super) const MISSING: usize = 20;

impl Ways {
    /// All at once, Graph says this of somebody.
    pub(super) fn said(&mut self, place: Place, said: Option<Facts>, is_sampled: bool) {
        match &mut self.way {
            Way::Trying { refused, .. } if said.is_none() => {
                *refused = true;
                return self.without_one_request();
            }
            Way::Trying { .. } => {
                self.way = Way::OneRequest;
                self.asked = 1;
                let others: Vec<Place> =
                    self.sample.keys().copied().filter(|other| *other != place).collect();
                others.into_iter().for_each(|other| self.ask_whole(other));
            }
            _ => {}
        }
        if said.is_none() {
            self.missing += 1;
        }
        if is_sampled {
            if let Some(sampled) = self.sample.get_mut(&place) {
                sampled.said(said);
            }
            return self.compare(place);
        }
        match (said, self.facts.get_mut(place)) {
            // Read again since, or about to be.
            _ if self.told.contains(place) => {}
            (Some(said), Some(facts)) => *facts = said,
            _ => self.ask_as_documented(place),
        }
    }

    /// One thing of somebody of the sample came as documented.
    pub(super) fn told_of_sample(&mut self, place: Place, aspect: Aspect) {
        let is_whole = match self.sample.get_mut(&place) {
            Some(sampled) => sampled.told(),
            None => return,
        };
        if is_whole && let Some(facts) = self.facts.get(place) {
            self.trial.came(facts);
        }
        if is_whole {
            self.compare(place);
        }
        if aspect == Aspect::State {
            self.compare_state(place);
        }
    }

    /// Holds the two against each other where both are there.
    fn compare(&mut self, place: Place) {
        let Way::OneRequest = self.way else { return };
        let (Some(sampled), Some(told)) = (self.sample.get(&place), self.facts.get(place)) else {
            return;
        };
        if let Some(said) = sampled.both() {
            let is_other = said.is_some_and(|said| said != *told);
            self.trial.held_one();
            self.sample.remove(&place);
            if is_other {
                self.as_documented("all at once, Graph says something else");
            }
        }
    }

    /// The way is over. What it said is read again: the truth of it is not known any more.
    pub(super) fn as_documented(&mut self, why: &'static str) {
        let was = std::mem::replace(&mut self.way, Way::Documented(why));
        self.queue.retain(|ask| ask.aspect != Aspect::Whole);
        let again: Vec<Place> =
            (0..self.begun).filter(|place| !self.told.contains(*place)).collect();
        for place in again {
            match was {
                Way::Listed { .. } => self.ask_state(place),
                _ => self.ask_as_documented(place),
            }
        }
    }

    pub(super) fn ask_state(&mut self, place: Place) {
        self.told.insert(place);
        self.ask(place, Aspect::State);
    }

    /// Looks whether the way answers at all, and whether the sample tells enough.
    pub(super) fn judge(&mut self) {
        let Way::OneRequest = self.way else { return };
        if self.asked >= sample::LEAST && self.missing * MISSING > self.asked {
            self.way = Way::Documented("Graph does not answer all at once for everybody");
            let queue = std::mem::take(&mut self.queue);
            for ask in queue {
                match ask.aspect {
                    Aspect::Whole if self.told.contains(ask.place) => {}
                    Aspect::Whole => self.ask_as_documented(ask.place),
                    _ => self.queue.push_back(ask),
                }
            }
            return;
        }
        if self.trial.wants_more() {
            let more: Vec<Place> = (self.begun..self.users.len())
                .filter(|place| !self.told.contains(*place))
                .collect();
            match more.is_empty() {
                true => self.trial.ends(),
                false => more.into_iter().take(sample::LEAST).for_each(|place| self.sample(place)),
            }
        }
    }
}
