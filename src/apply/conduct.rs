//! What the waves of one run have in common: who is left as they are, where it is written down,
//! what ends it early, and who may write just now.
//!
//! Not here: what a wave does (`wave`), or which waves there are (`run`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::journal::{Journal, Noted, Word};
use super::own::Own;
use super::report::Fate;
use super::stop::{Breaker, Stop};
use super::watch::{Rules, Watch};
use crate::moment::Clock;
use crate::plan::Plan;
use crate::plan::wanted::Moved;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// Waves that write at a time: while one waits for its answers, another one's requests go out. What
/// is under way when a run breaks off is no more than their writes.
const PENS: usize = 2;

/// How old what was read of a user may be when it is their turn to be written.
const FRESH: Duration = Duration::from_secs(10);

/// How long a write may wait for its quota from there on, before the user is read once more.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long the journal may take to be on the disk: what was read is that much older then.
const NOTED_WITHIN: Duration = Duration::from_secs(5);

/// How long a registered method is waited for before it is given up; Entra lists it late at times.
const LISTED_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// How long after a write of which nobody knows whether it was done, a new phone is looked for again.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Who is left as they are, and why: what was known before the run began, and what is found while it
/// goes on. Copies share what they hold.
#[derive(Debug, Clone, Default)]
pub struct Left(Rc<RefCell<BTreeMap<UserIndex, Moved>>>);

impl Left {
    /// These are left too. Whoever is left stays so until the end of the run.
    pub fn add(&self, moved: BTreeMap<UserIndex, Moved>) {
        self.0.borrow_mut().extend(moved);
    }

    /// Why the user is left, if so.
    pub(super) fn why(&self, user: UserIndex) -> Option<Moved> {
        self.0.borrow().get(&user).copied()
    }
}

/// What accompanies a run: who is left as they are, where it is written down, what ends it early.
#[derive(Debug)]
pub struct Conduct<'a, R> {
    pub watch: Watch<R>,
    pub left: Left,
    /// What runs from here wrote since the plan was made.
    pub own: Own,
    pub journal: Option<&'a mut Journal>,
    pub stop: Stop,
    /// Whoever was read longer ago than this is read again when it is their turn to be written.
    pub fresh: Duration,
    /// What was not sent that long after its turn came rests on what is too old.
    pub patience: Duration,
    /// How long the journal may take for an intent before what was read is too old to write on.
    pub noted_within: Duration,
    /// How long after a lost answer a new phone is looked for once more.
    pub second_look: Duration,
    /// The waits before each look for what is not listed yet.
    pub listed_after: [Duration; 4],
    /// What says how old something is.
    pub clock: Clock,
}

/// The same, as the waves of a run share it.
pub(super) struct Shared<'a> {
    pub(super) left: Left,
    pub(super) own: Own,
    pub(super) stop: Stop,
    pub(super) rules: Rules,
    pub(super) fresh: Duration,
    pub(super) patience: Duration,
    pub(super) noted_within: Duration,
    pub(super) second_look: Duration,
    pub(super) listed_after: [Duration; 4],
    pub(super) clock: Clock,
    journal: RefCell<Option<&'a mut Journal>>,
    breaker: RefCell<Breaker>,
    pens: Semaphore,
}

/// A write that was sent: whose, which, and its number in the journal.
pub(super) type Sent = (usize, Change, usize);

impl<'a, R: AsyncFnMut() -> Result<(), String>> Conduct<'a, R> {
    /// Nobody moved on, nothing is written down, nobody stops it.
    pub fn new(watch: Watch<R>) -> Self {
        Self {
            watch,
            left: Left::default(),
            own: Own::default(),
            journal: None,
            stop: Stop::default(),
            fresh: FRESH,
            patience: PATIENCE,
            noted_within: NOTED_WITHIN,
            second_look: SECOND_LOOK,
            listed_after: LISTED_AFTER,
            clock: Clock::default(),
        }
    }

    pub(super) fn share(self) -> (Watch<R>, Shared<'a>) {
        let shared = Shared {
            left: self.left,
            own: self.own,
            stop: self.stop,
            rules: self.watch.rules(self.clock.clone()),
            fresh: self.fresh,
            patience: self.patience,
            noted_within: self.noted_within,
            second_look: self.second_look,
            listed_after: self.listed_after,
            clock: self.clock,
            journal: RefCell::new(self.journal),
            breaker: RefCell::default(),
            // The first writes go out alone: what every other one would meet as well shows there.
            pens: Semaphore::new(1),
        };
        (self.watch, shared)
    }
}

impl Shared<'_> {
    /// Waits until it is this wave's turn to write, in the order of asking.
    ///
    /// # Errors
    /// Why the run is to stop.
    pub(super) async fn pen(&self) -> Result<SemaphorePermit<'_>, String> {
        tokio::select! {
            biased;
            () = self.stop.wait() => Err(self.stop.check().err().unwrap_or_default()),
            pen = self.pens.acquire() => pen.map_err(|closed| closed.to_string()),
        }
    }

    /// Notes what will be written, and gives each its number.
    pub(super) fn intend(
        &self,
        plan: &Plan,
        changes: &[(usize, Change)],
    ) -> Result<Vec<Sent>, String> {
        // Counted before they are noted: a run that ends at once must not say too few.
        self.stop.doubt(changes.len());
        let mut journal = self.journal.borrow_mut();
        let Some(journal) = journal.as_mut() else {
            return Ok(changes.iter().map(|(place, change)| (*place, *change, 0)).collect());
        };
        let mut noted = || {
            let number = |(place, change): &(usize, Change)| {
                journal.intend(plan, change).map(|number| (*place, *change, number))
            };
            let sent = changes.iter().map(number).collect::<Result<_, _>>()?;
            journal.sync().map(|()| sent)
        };
        noted().map_err(|error| {
            // None of them is sent.
            self.stop.know(changes.len());
            journal.fault(&error)
        })
    }

    /// Notes what became of some writes.
    pub(super) fn end(&self, ended: Vec<(usize, Noted)>) -> Result<(), String> {
        let known = ended.iter().filter(|(_, noted)| noted.fate != Word::Unknown).count();
        self.note(ended)?;
        self.stop.know(known);
        Ok(())
    }

    /// Notes of some writes that were answered that they do not show.
    pub(super) fn unseen(&self, numbers: Vec<usize>) -> Result<(), String> {
        self.stop.doubt(numbers.len());
        self.note(numbers.into_iter().map(|number| (number, Noted::unseen())).collect())
    }

    fn note(&self, ended: Vec<(usize, Noted)>) -> Result<(), String> {
        let mut journal = self.journal.borrow_mut();
        let Some(journal) = journal.as_mut() else { return Ok(()) };
        let noted = ended.into_iter().try_for_each(|(number, noted)| journal.ended(number, noted));
        noted.and_then(|()| journal.sync()).map_err(|error| journal.fault(&error))
    }

    /// Counts what became of some writes, and says why the run is to stop, if it is.
    pub(super) fn count<'f>(&self, fates: impl Iterator<Item = &'f Fate>) -> Result<(), String> {
        let mut breaker = self.breaker.borrow_mut();
        let was_untried = breaker.is_untried();
        fates.for_each(|fate| breaker.count(fate));
        breaker.check()?;
        if was_untried && !breaker.is_untried() {
            self.pens.add_permits(PENS - 1);
        }
        Ok(())
    }
}
