//! Reads states from the list of users, and decides when that list is worth reading.
//!
//! Not here: the request for the list (`bulk_states`).

use super::at_once::MISSING;
use super::{List, ListQuestion, Place, Strategy, WORTH_IT, Ways};
use crate::entra::bulk_states::States;
use crate::tenant::facts::{MfaState, Read};

/// The list of all users is read only if at least one in this many of its users is needed.
const ONE_IN: usize = 20;

impl Ways {
    /// Stores the number of users in the list; `None` if Graph does not show their states.
    pub(in super::super) fn listed(&mut self, users: Option<usize>) {
        self.open -= 1;
        if let Strategy::Trying { listed, .. } = &mut self.strategy {
            *listed = Some(users);
            self.without_one_request();
        }
    }

    pub(super) fn without_one_request(&mut self) {
        let Strategy::Trying { refused: true, listed: Some(listed) } = self.strategy else {
            return;
        };
        self.strategy = match listed {
            None => Strategy::Documented("Graph refuses one request per user"),
            Some(users) => Strategy::Listed { users, list: List::NotYet },
        };
        self.decide_on_list();
    }

    /// Decides whether to read the list: it pays off if many of its users are needed.
    pub(super) fn decide_on_list(&mut self) {
        let Strategy::Listed { users, list: list @ List::NotYet } = &mut self.strategy else {
            return;
        };
        if self.everybody || *users <= self.users.len().saturating_mul(ONE_IN) {
            *list = List::Coming;
            self.question = Some(ListQuestion::States);
        } else if self.is_complete {
            self.strategy =
                Strategy::Documented("too few users are needed to read the list of all users");
            self.ask_states_that_are_open();
        }
    }

    /// Stores the list, if Graph returned it.
    pub(in super::super) fn read(&mut self, states: Option<States>) {
        self.open -= 1;
        let Strategy::Listed { list, .. } = &mut self.strategy else { return };
        let Some(states) = states else {
            self.strategy = Strategy::Documented("the list of users with states could not be read");
            return self.ask_states_that_are_open();
        };
        *list = List::Read(states);
        let sampled: Vec<Place> = self.sample.keys().copied().collect();
        sampled.into_iter().for_each(|place| self.compare_state(place));
        for place in 0..self.begun {
            match self.strategy {
                // The list was given up in this loop for its gaps; the states that it showed are true.
                Strategy::Documented(_) if !self.documented.contains(place) => {
                    self.ask_state(place)
                }
                _ => self.state_from_list(place),
            }
        }
    }

    fn ask_states_that_are_open(&mut self) {
        for place in 0..self.begun {
            if !self.documented.contains(place) {
                self.ask_state(place);
            }
        }
    }

    /// Takes the state of a user from the list, or requests it if the list does not show it.
    pub(super) fn state_from_list(&mut self, place: Place) {
        let Strategy::Listed { list: List::Read(list), .. } = &self.strategy else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get_mut(place)) else {
            return;
        };
        if self.documented.contains(place) {
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
            // The states that it shows are true all the same.
            self.strategy = Strategy::Documented("the list of users lacks the state of many users");
        }
    }

    /// Compares the state of a user of the sample with the list, if both are there.
    pub(super) fn compare_state(&mut self, place: Place) {
        let Strategy::Listed { list: List::Read(list), .. } = &self.strategy else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get(place)) else {
            return;
        };
        let Read::Known(documented) = facts.state else { return };
        if list.of(*user).is_some_and(|listed| listed != documented) {
            self.give_up("the list of users showed a different state");
        }
    }
}
