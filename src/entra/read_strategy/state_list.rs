//! Reads states from the list of users, and decides when that list is worth reading.
//!
//! Not here: the request for the list (`bulk_states`).

use super::{
    FEWEST_USERS, List, ListQuestion, ListSize, Mode, Place, ReadStrategy, UNANSWERED_ONE_IN,
};
use crate::entra::bulk_states::States;
use crate::tenant::facts::{MfaState, Read};

/// The list of all users is read only if at least one in this many of its users is needed. Arithmetic: the
/// list takes one answer of 200 ms after the other for each 999 users, and each needed user saves one of the
/// 800 requests a second of a large tenant. Both cost the same if one user in six is needed.
/// Test: `list_is_read_only_if_many_of_its_users_are_needed`.
const NEEDED_ONE_IN: usize = 5;

impl ReadStrategy {
    /// Stores the number of users in the list; `None` if Graph does not show their states.
    pub(in super::super) fn take_list_size(&mut self, users: ListSize) {
        self.open -= 1;
        if let Mode::Trying { list_size, .. } = &mut self.mode {
            *list_size = Some(users);
            self.fall_back_to_list();
        }
    }

    pub(super) fn fall_back_to_list(&mut self) {
        let Mode::Trying { one_request_refused: true, list_size: Some(size) } = self.mode else {
            return;
        };
        self.mode = match size {
            None => Mode::Documented("Graph refuses one request per user"),
            Some(users) => Mode::StatesFromList { users, list: List::NotRequested },
        };
        self.decide_on_list();
    }

    /// Decides whether to read the list: it pays off if many of its users are needed.
    pub(super) fn decide_on_list(&mut self) {
        let Mode::StatesFromList { users, list: list @ List::NotRequested } = &mut self.mode else {
            return;
        };
        if self.everybody || *users <= self.users.len().saturating_mul(NEEDED_ONE_IN) {
            *list = List::Requested;
            self.question = Some(ListQuestion::States);
        } else if self.is_complete {
            self.mode = Mode::Documented("too few users are needed to read the list of all users");
            self.ask_states_that_are_open();
        }
    }

    /// Stores the list, if Graph returned it.
    pub(in super::super) fn take_list(&mut self, states: Option<States>) {
        self.open -= 1;
        let Mode::StatesFromList { list, .. } = &mut self.mode else { return };
        let Some(states) = states else {
            self.mode = Mode::Documented("the list of users with states could not be read");
            return self.ask_states_that_are_open();
        };
        *list = List::Received(states);
        let sampled: Vec<Place> = self.sample.keys().copied().collect();
        sampled.into_iter().for_each(|place| self.compare_state(place));
        for place in 0..self.begun {
            match self.mode {
                // The list was given up in this loop for its gaps; the states that it showed are true.
                Mode::Documented(_) if !self.documented.contains(place) => self.ask_state(place),
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
        let Mode::StatesFromList { list: List::Received(list), .. } = &self.mode else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get_mut(place)) else {
            return;
        };
        if self.documented.contains(place) {
            return;
        }
        self.tried += 1;
        if let Some(state) = list.of(*user) {
            facts.state = Read::<MfaState>::Known(state);
            return;
        }
        self.unanswered += 1;
        self.ask_state(place);
        if self.tried >= FEWEST_USERS && self.unanswered * UNANSWERED_ONE_IN > self.tried {
            // The states that it shows are true all the same.
            self.mode = Mode::Documented("the list of users lacks the state of many users");
        }
    }

    /// Compares the state of a user of the sample with the list, if both are there.
    pub(super) fn compare_state(&mut self, place: Place) {
        let Mode::StatesFromList { list: List::Received(list), .. } = &self.mode else { return };
        let (Some(user), Some(facts)) = (self.users.get(place), self.facts.get(place)) else {
            return;
        };
        let Read::Known(documented) = facts.state else { return };
        if list.of(*user).is_some_and(|listed| listed != documented) {
            self.give_up("the list of users showed a different state");
        }
    }
}
