//! Which requests are made for whom of many: the documented ones, a request for each thing; one
//! request for all of a user, which the metadata allows and no documentation promises; or the state
//! of everybody from the list of users (`states`).
//!
//! Whether the other ways work is tried once a run, on people who are read as documented at the same
//! time. They are the first of a sample that goes on for as long as people come, and the first
//! difference ends a way: whatever it said is read again. Nobody of the sample is read again as
//! documented, and nobody is asked for a thing twice in one way.
//!
//! Pure: it says what to ask next and is told what came of it. Not here: asking (`ahead`), what an
//! answer says (`facts`), or anything that stands right before a write, which is always read as
//! documented.

use std::collections::{BTreeMap, HashMap, VecDeque};

use fixedbitset::FixedBitSet;

use super::facts::{Aspect, Piece};
use super::states::States;
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use sample::{Sampled, Trial, by_chance, is_by_chance};

mod at_once;
mod listed;
mod sample;

/// From so many users on it is worth to look for another way, and to begin before all are known: half
/// a page of a list.
pub(super) const WORTH_IT: usize = 500;
/// So many are asked in a way that is not known to tell the truth yet.
const ON_TRIAL: usize = 200;

/// A user, by the order in which they became known to be needed.
type Place = usize;

/// What is asked of one user with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    place: Place,
    pub(super) user: UserId,
    pub(super) aspect: Aspect,
}

/// What is asked of the list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether it tells their states, and how many they are.
    HowMany,
    States,
}

/// The way that is taken.
#[derive(Debug)]
enum Way {
    /// Nobody is asked yet: too few are known.
    Gathering,
    /// So few that no way was looked for.
    Few,
    /// One user was asked for everything at once, and whether a list tells states.
    Trying { refused: bool, listed: Option<Option<usize>> },
    /// One request of a user.
    OneRequest,
    /// One request of a user for each thing but the state, which a list of so many users tells.
    Listed { users: usize, list: List },
    /// One for each thing, because of what was found about the other ways.
    Documented(&'static str),
}

/// How far the list of states is.
#[derive(Debug)]
enum List {
    /// Too few of it are needed so far.
    NotYet,
    Coming,
    Read(States),
}

/// Everybody who is needed, what was read of them, and what is still to be asked.
#[derive(Debug)]
pub(super) struct Ways {
    extra: Extra,
    /// Most of the tenant is wanted.
    everybody: bool,
    users: Vec<UserId>,
    places: HashMap<UserId, u32>,
    facts: Vec<Facts>,
    /// Whose state, or of whom everything, is read as documented.
    told: FixedBitSet,
    /// Everybody before this place was begun with.
    begun: Place,
    queue: VecDeque<Ask>,
    question: Option<Question>,
    way: Way,
    trial: Trial,
    sample: BTreeMap<Place, Sampled>,
    /// Nobody else will be needed.
    is_complete: bool,
    /// Answers that are still to come.
    open: usize,
    /// How often the way was asked for somebody, and how often it had no answer.
    asked: usize,
    missing: usize,
}

impl Ways {
    pub(super) fn new(extra: Extra, everybody: bool) -> Self {
        Self {
            extra,
            everybody,
            users: Vec::new(),
            places: HashMap::new(),
            facts: Vec::new(),
            told: FixedBitSet::new(),
            begun: 0,
            queue: VecDeque::new(),
            question: None,
            way: Way::Gathering,
            trial: Trial::default(),
            sample: BTreeMap::new(),
            is_complete: false,
            open: 0,
            asked: 0,
            missing: 0,
        }
    }

    /// These are needed too; who was before is not needed twice.
    pub(super) fn add(&mut self, users: Vec<UserId>) {
        for user in users {
            let next = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
            if let std::collections::hash_map::Entry::Vacant(free) = self.places.entry(user) {
                free.insert(next);
                self.users.push(user);
            }
        }
        self.facts.resize(self.users.len(), Facts::NOT_READ);
        self.told.grow(self.users.len());
        if matches!(self.way, Way::Gathering) && self.users.len() >= WORTH_IT {
            self.try_other_ways();
        }
        self.look_at_list();
    }

    /// Nobody else will be needed.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
        if matches!(self.way, Way::Gathering) {
            self.way = Way::Few;
        }
        self.look_at_list();
    }

    /// How many are known to be needed.
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether everything that is needed was read.
    pub(super) fn is_done(&self) -> bool {
        self.is_handed_over() && self.open == 0 && self.question.is_none()
    }

    /// Whether everything was asked, as far as it is known by now.
    pub(super) fn is_handed_over(&self) -> bool {
        self.is_complete && self.queue.is_empty() && self.begun == self.users.len()
    }

    /// What to ask next, so much at most.
    pub(super) fn next(&mut self, most: usize) -> Vec<Ask> {
        while self.queue.len() < most && self.begin_next() {}
        let asks: Vec<Ask> = self.queue.drain(..most.min(self.queue.len())).collect();
        self.open += asks.len();
        asks
    }

    /// What to ask about the list of states, each thing once.
    pub(super) fn question(&mut self) -> Option<Question> {
        let question = self.question.take();
        self.open += usize::from(question.is_some());
        question
    }

    /// Which way was taken, where one was looked for.
    pub(super) fn in_words(&self) -> Option<String> {
        Some(match &self.way {
            Way::OneRequest => {
                "one request a user; a sample read as documented says the same".into()
            }
            Way::Listed { .. } => {
                "the state from the list of users; a sample read as documented says the same".into()
            }
            Way::Documented(why) => format!("as documented: {why}"),
            Way::Gathering | Way::Few | Way::Trying { .. } => return None,
        })
    }

    /// What was read of the user; nothing where nobody needed it.
    pub(super) fn facts(&self, user: UserId) -> Option<Facts> {
        let place = self.places.get(&user).copied()?;
        self.facts.get(usize::try_from(place).ok()?).copied()
    }

    /// Takes in what came of one request, and says whether a user is read by it.
    pub(super) fn take(&mut self, ask: Ask, piece: Piece) -> bool {
        self.open -= 1;
        let Ask { place, aspect, .. } = ask;
        let is_sampled = self.sample.contains_key(&place);
        match (aspect, piece) {
            (Aspect::Whole, Piece::Whole(said)) => self.said(place, said, is_sampled),
            (_, piece) => {
                if let Some(facts) = self.facts.get_mut(place) {
                    piece.put(facts);
                }
                if is_sampled {
                    self.told_of_sample(place, aspect);
                }
            }
        }
        self.judge();
        match piece {
            Piece::Methods(_) => true,
            Piece::Whole(said) => said.is_some() && !is_sampled,
            Piece::PartOfMethods | Piece::State(_) | Piece::Preferences(..) => false,
        }
    }
}

/// Beginning, with everybody and with somebody.
impl Ways {
    /// Asks some as documented, one of them for everything at once too, and meanwhile nobody else.
    fn try_other_ways(&mut self) {
        self.way = Way::Trying { refused: false, listed: None };
        self.question = Some(Question::HowMany);
        let first = by_chance(&self.users);
        for place in &first {
            self.sample(*place);
        }
        if let Some(place) = first.first() {
            self.ask(*place, Aspect::Whole);
            // It decides what comes next.
            self.queue.rotate_right(1);
        }
    }

    /// Begins with the next one, if somebody is left with whom to begin now.
    fn begin_next(&mut self) -> bool {
        while self.told.contains(self.begun) && self.begun < self.users.len() {
            self.begun += 1;
        }
        let on_trial = !self.trial.is_over() && self.asked >= ON_TRIAL;
        let waits = match self.way {
            Way::Gathering | Way::Trying { .. } => true,
            Way::OneRequest => on_trial,
            Way::Few | Way::Listed { .. } | Way::Documented(_) => false,
        };
        if waits || self.begun >= self.users.len() {
            return false;
        }
        let place = self.begun;
        self.begun += 1;
        let is_sampled = self.users.get(place).is_some_and(|user| is_by_chance(*user));
        match self.way {
            Way::OneRequest if is_sampled => self.sample(place),
            Way::OneRequest => self.ask_whole(place),
            Way::Listed { .. } => {
                Aspect::documented(self.extra)
                    .iter()
                    .filter(|aspect| **aspect != Aspect::State)
                    .for_each(|aspect| self.ask(place, *aspect));
                match is_sampled {
                    true => self.sample_state(place),
                    false => self.state_from_list(place),
                }
            }
            _ => self.ask_as_documented(place),
        }
        true
    }

    /// Reads somebody as documented, and in the other way too.
    fn sample(&mut self, place: Place) {
        let aspects = Aspect::documented(self.extra).len();
        self.sample.insert(place, Sampled::of(aspects));
        self.trial.took_one();
        self.ask_as_documented(place);
        if matches!(self.way, Way::OneRequest) {
            self.ask_whole(place);
        }
    }

    fn sample_state(&mut self, place: Place) {
        self.sample.insert(place, Sampled::of(1));
        self.trial.took_one();
        self.told.insert(place);
        self.ask(place, Aspect::State);
    }

    fn ask_as_documented(&mut self, place: Place) {
        self.told.insert(place);
        for aspect in Aspect::documented(self.extra) {
            self.ask(place, *aspect);
        }
    }

    fn ask_whole(&mut self, place: Place) {
        self.asked += 1;
        self.ask(place, Aspect::Whole);
    }

    fn ask(&mut self, place: Place, aspect: Aspect) {
        if let Some(user) = self.users.get(place).copied() {
            self.queue.push_back(Ask { place, user, aspect });
        }
    }
}

#[cfg(test)]
mod tests;
