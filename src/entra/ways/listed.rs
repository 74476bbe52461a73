//! The states that a list of users tells, and when it is worth to read it.

use super::at_once::MISSING;
use super::{List, Place, Question, WORTH_IT, Way, Ways};
use crate::entra::states::States;
use crate::tenant::facts::{MfaState, Read};

/// A list of everybody is read for the sake of no fewer than one in so many.
const ONE_IN: usize = 20;

impl Ways {
    /// So many users are in it; none where Graph does not tell their states.
    pub(in super::super) fn listed(&mut self, users: Option<usize>) {
        self.open -= 1;
        if let Way::Trying { listed, .. } = &mut self.way {
            *listed = Some(users);
            self.without_one_request();
        }
    }

    pub(super) fn without_one_request(&mut self) {
        let Way::Trying { refused: true, listed: Some(listed) } = self.way else { return };
        self.way = match listed {
            None => Way::Documented("Graph does not answer all at once"),
            Some(users) => Way::Listed { users, list: List::NotYet },
        };
        self.look_at_list();
    }

    /// The list pays off where many of it are needed.
    pub(super) fn look_at_list(&mut self) {
        let Way::Listed { users, list: list @ List::NotYet } = &mut self.way else { return };
        if self.everybody || *users <= self.users.len().saturating_mul(ONE_IN) {
            *list = List::Coming;
            self.question = Some(Question::States);
        } else if self.is_complete {
            self.way = Way::Documented("too few are needed for a list of everybody");
            self.ask_states_that_are_open();
        }
    }

    /// What the list says, if Graph gave it.
    pub(in super::super) fn read(&mut self, states: Option<States>) {
        self.open -= 1;
        let Way::Listed { list, .. } = &mut self.way else { return };
        let Some(states) = states else {
            self.way = Way::Documented("the list of users with states could not be read");
            return self.ask_states_that_are_open();
        };
        *list = List::Read(states);
        let sampled: Vec<Place> = self.sample.keys().copied().collect();
        sampled.into_iter().for_each(|place| self.compare_state(place));
        for place in 0..self.begun {
            match self.way {
                // It turned out on the way to be none; what it told before is true.
                Way::Documented(_) if !self.told.contains(place) => self.ask_state(place),
                _ => self.state_from_list(place),
            }
        }
    }

    fn ask_states_that_are_open(&mut self) {
        for place in 0..self.begun {
            if !self.told.contains(place) {
                self.ask_state(place);
            }
        }
    }

    /// The state that the list tells of somebody, or a request where it tells none.
    pub(super) fn state_from_list(&mut self, place: Place) {
        let Way::Listed { list: List::Read(list), .. } = &self.way else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get_mut(place)) else {
            return;
        };
        if self.told.contains(place) {
            return;
        }
        self.asked += 1;
        if let Some(state) = list.of(*user) {
            facts.state = Read::<MfaState>::Known(state);
            return;
        }
        self.missing += 1;
        self.ask_state(place);
        if self.asked >= WORTH_IT && self.missing * MISSING > self.asked {
            // What it tells is true all the same.
            self.way = Way::Documented("the list of users does not tell everybody's state");
        }
    }

    /// Holds the state of somebody of the sample against the list, where both are there.
    pub(super) fn compare_state(&mut self, place: Place) {
        let Way::Listed { list: List::Read(list), .. } = &self.way else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get(place)) else {
            return;
        };
        let Read::Known(told) = facts.state else { return };
        if list.of(*user).is_some_and(|said| said != told) {
            self.as_documented("the list of users says another state");
        }
    }
}
