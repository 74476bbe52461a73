//! Chooses the read strategy for many users: the documented requests, one for each kind of fact; one
//! request for all facts of a user (`one_request`), which the metadata allows and no documentation
//! promises; or the state of all users from the list of users (`state_list`). The table of [`Mode`] in
//! `docs/design/reading.md` has all transitions.
//!
//! Whether the undocumented strategies work is tried once per run, on users who are read with the
//! documented requests at the same time. They are the first users of a sample that continues for as long
//! as users arrive. The first difference ends an undocumented strategy: everything it returned is read
//! again. No user of the sample is read again with the documented requests, and no user is asked twice
//! for the same thing in the same way.
//!
//! This module does no I/O: it returns what to ask next and receives the answers. Not here: sending the
//! requests (`prefetch`), what an answer says (`facts`), or reads right before a write, which always use
//! the documented requests.

use std::collections::{BTreeMap, HashMap, VecDeque};

use fixedbitset::FixedBitSet;

use super::bulk_states::States;
use super::facts::{Aspect, Piece};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use sample::{FirstSample, Sampled, choose_first, is_in_sample};

mod one_request;
mod sample;
mod state_list;

// Each constant names its unit, its source and, after `Test:`, the test that fails with another value.

/// Minimum number of users for an undocumented strategy: half a page of a list. With fewer users, the first
/// sample costs more than a fifth of what the strategy saves. The gaps of the list of states are judged after
/// this number of users, too. Test: `few_users_are_read_with_documented_requests_only`.
const FEWEST_USERS: usize = 500;
/// Number of users that are read with one request before the first sample is compared: ten batches, which
/// are in flight while the sample is read. A choice.
/// Test: `reading_continues_while_the_first_sample_is_read` (fewer),
/// `false_answers_cost_no_more_than_a_trial` (more).
const MOST_UNVERIFIED: usize = 200;
/// An undocumented strategy is given up if it has no answer for more than one user in this many. A choice:
/// each of them is read again. Test: `user_without_an_answer_is_read_with_documented_requests`.
const UNANSWERED_ONE_IN: usize = 20;

/// A user, by the order in which users became known to be needed.
type Place = usize;

/// One request for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UserQuery {
    place: Place,
    pub(super) user: UserId,
    pub(super) aspect: Aspect,
}

/// A question to the list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListQuestion {
    /// The number of users in the list, and whether the list shows states.
    Size,
    States,
}

/// What the strategy does at present.
#[derive(Debug)]
enum Mode {
    /// No request is made yet: too few users are known.
    Gathering,
    /// There are so few users that no undocumented strategy was tried.
    FewUsers,
    /// One user was read with one request, and Graph was asked whether the list of users shows states.
    Trying { one_request_refused: bool, list_size: Option<ListSize> },
    /// One request for each user.
    OneRequestPerUser,
    /// One request for each kind of fact except the state, which comes from a list with this number of
    /// users.
    StatesFromList { users: usize, list: List },
    /// The documented requests, for this reason.
    Documented(&'static str),
}

/// The number of users in the list; `None` if Graph does not show their states in it.
type ListSize = Option<usize>;

/// The progress of the list of states.
#[derive(Debug)]
enum List {
    /// Too few of its users are needed so far.
    NotRequested,
    Requested,
    Received(States),
}

/// All users that are needed, the facts that were read, and what is still to be asked.
#[derive(Debug)]
pub(super) struct ReadStrategy {
    extra: Extra,
    /// True if most users of the tenant are wanted.
    everybody: bool,
    users: Vec<UserId>,
    places: HashMap<UserId, u32>,
    facts: Vec<Facts>,
    /// Users whose state, or whose facts, are read with the documented requests.
    documented: FixedBitSet,
    /// The reads of all users before this place have begun.
    begun: Place,
    queue: VecDeque<UserQuery>,
    question: Option<ListQuestion>,
    mode: Mode,
    first_sample: FirstSample,
    sample: BTreeMap<Place, Sampled>,
    /// True when no other user will be needed.
    is_complete: bool,
    /// Number of answers that are still to come.
    open: usize,
    /// The number of users that the undocumented strategy was used for.
    tried: usize,
    /// The number of these users for which it had no answer.
    unanswered: usize,
}

impl ReadStrategy {
    pub(super) fn new(extra: Extra, everybody: bool) -> Self {
        Self {
            extra,
            everybody,
            users: Vec::new(),
            places: HashMap::new(),
            facts: Vec::new(),
            documented: FixedBitSet::new(),
            begun: 0,
            queue: VecDeque::new(),
            question: None,
            mode: Mode::Gathering,
            first_sample: FirstSample::default(),
            sample: BTreeMap::new(),
            is_complete: false,
            open: 0,
            tried: 0,
            unanswered: 0,
        }
    }

    /// Adds users that are needed. A user that was added before is not added twice.
    pub(super) fn add(&mut self, users: Vec<UserId>) {
        for user in users {
            let next = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
            if let std::collections::hash_map::Entry::Vacant(free) = self.places.entry(user) {
                free.insert(next);
                self.users.push(user);
            }
        }
        self.facts.resize(self.users.len(), Facts::NOT_READ);
        self.documented.grow(self.users.len());
        if matches!(self.mode, Mode::Gathering) && self.users.len() >= FEWEST_USERS {
            self.try_undocumented();
        }
        self.decide_on_list();
    }

    /// Marks that no other user will be needed.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
        if matches!(self.mode, Mode::Gathering) {
            self.mode = Mode::FewUsers;
        }
        self.decide_on_list();
    }

    /// Returns the number of users known to be needed.
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    /// Returns whether everything that is needed was read.
    pub(super) fn is_done(&self) -> bool {
        self.is_all_requested() && self.open == 0 && self.question.is_none()
    }

    /// Returns whether everything was asked, as far as is known by now.
    pub(super) fn is_all_requested(&self) -> bool {
        self.is_complete && self.queue.is_empty() && self.begun == self.users.len()
    }

    /// Returns the next requests, at most `most`.
    pub(super) fn next_queries(&mut self, most: usize) -> Vec<UserQuery> {
        while self.queue.len() < most && self.begin_next_user() {}
        let queries: Vec<UserQuery> = self.queue.drain(..most.min(self.queue.len())).collect();
        self.open += queries.len();
        queries
    }

    /// Returns the next question about the list of states. Each question is asked once.
    pub(super) fn next_question(&mut self) -> Option<ListQuestion> {
        let question = self.question.take();
        self.open += usize::from(question.is_some());
        question
    }

    /// Returns the strategy in words, if another than the documented one was tried.
    pub(super) fn in_words(&self) -> Option<String> {
        Some(match &self.mode {
            Mode::OneRequestPerUser => {
                "one request per user; a sample of documented requests agrees".into()
            }
            Mode::StatesFromList { .. } => {
                "the state from the list of users; a sample of documented requests agrees".into()
            }
            Mode::Documented(why) => format!("documented requests: {why}"),
            Mode::Gathering | Mode::FewUsers | Mode::Trying { .. } => return None,
        })
    }

    /// Returns the facts of the user; `None` if they were not needed.
    pub(super) fn facts(&self, user: UserId) -> Option<Facts> {
        let place = self.places.get(&user).copied()?;
        self.facts.get(usize::try_from(place).ok()?).copied()
    }

    /// Stores the answer to one request, and returns whether a user is completely read with it.
    pub(super) fn take(&mut self, query: UserQuery, piece: Piece) -> bool {
        self.open -= 1;
        let UserQuery { place, aspect, .. } = query;
        let is_sampled = self.sample.contains_key(&place);
        match (aspect, piece) {
            (Aspect::Whole, Piece::Whole(whole)) => self.take_whole(place, whole, is_sampled),
            (_, piece) => {
                if let Some(facts) = self.facts.get_mut(place) {
                    piece.put(facts);
                }
                if is_sampled {
                    self.take_sampled(place, aspect);
                }
            }
        }
        self.judge();
        match piece {
            Piece::Methods(_) => true,
            Piece::Whole(whole) => whole.is_some() && !is_sampled,
            _ => false,
        }
    }
}

/// Beginning the reads: of the first users, and of each next user.
impl ReadStrategy {
    /// Requests some users with the documented requests, and one of them with one request too. No other
    /// user is requested until the answer is there.
    fn try_undocumented(&mut self) {
        self.mode = Mode::Trying { one_request_refused: false, list_size: None };
        self.question = Some(ListQuestion::Size);
        let first = choose_first(&self.users);
        for place in &first {
            self.sample(*place);
        }
        if let Some(place) = first.first() {
            self.ask(*place, Aspect::Whole);
            // Its answer decides what comes next.
            self.queue.rotate_right(1);
        }
    }

    /// Begins to read the next user, if there is one that can be read now. Returns whether there was.
    fn begin_next_user(&mut self) -> bool {
        while self.documented.contains(self.begun) && self.begun < self.users.len() {
            self.begun += 1;
        }
        let is_unverified = !self.first_sample.is_over() && self.tried >= MOST_UNVERIFIED;
        let waits = match self.mode {
            Mode::Gathering | Mode::Trying { .. } => true,
            Mode::OneRequestPerUser => is_unverified,
            Mode::FewUsers | Mode::StatesFromList { .. } | Mode::Documented(_) => false,
        };
        if waits || self.begun >= self.users.len() {
            return false;
        }
        let place = self.begun;
        self.begun += 1;
        let is_sampled = self.users.get(place).is_some_and(|user| is_in_sample(*user));
        match self.mode {
            Mode::OneRequestPerUser if is_sampled => self.sample(place),
            Mode::OneRequestPerUser => self.ask_whole(place),
            Mode::StatesFromList { .. } => {
                Aspect::documented(self.extra)
                    .filter(|aspect| *aspect != Aspect::STATE)
                    .for_each(|aspect| self.ask(place, aspect));
                match is_sampled {
                    true => self.sample_state(place),
                    false => self.state_from_list(place),
                }
            }
            _ => self.ask_documented(place),
        }
        true
    }

    /// Reads a user with the documented requests, and with the other strategy too.
    fn sample(&mut self, place: Place) {
        let aspects = Aspect::documented(self.extra).count();
        self.sample.insert(place, Sampled::of(aspects));
        self.first_sample.add();
        self.ask_documented(place);
        if matches!(self.mode, Mode::OneRequestPerUser) {
            self.ask_whole(place);
        }
    }

    fn sample_state(&mut self, place: Place) {
        self.sample.insert(place, Sampled::of(1));
        self.first_sample.add();
        self.documented.insert(place);
        self.ask(place, Aspect::STATE);
    }

    fn ask_documented(&mut self, place: Place) {
        self.documented.insert(place);
        for aspect in Aspect::documented(self.extra) {
            self.ask(place, aspect);
        }
    }

    fn ask_whole(&mut self, place: Place) {
        self.tried += 1;
        self.ask(place, Aspect::Whole);
    }

    fn ask(&mut self, place: Place, aspect: Aspect) {
        if let Some(user) = self.users.get(place).copied() {
            self.queue.push_back(UserQuery { place, user, aspect });
        }
    }
}

#[cfg(test)]
mod tests;
