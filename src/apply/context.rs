//! The context that the waves of one run share: which users are left unchanged, the journal, the early
//! stop, and the permits to write.
//!
//! Not here: what a wave does (`wave`), or how users are split into waves (`run`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::own_writes::OwnWrites;
use super::rule_watch::{RuleWatch, RulesView};
use super::stop::{Breaker, Stop};
use crate::journal::{Journal, JournalWriteFault, Noted};
use crate::moment::Clock;
use crate::plan::Plan;
use crate::plan::recheck::ChangedSincePlan;
use crate::results::ChangeResult;
use crate::results::WriteResult;
use crate::settings::change::Change;
use crate::tenant::directory::UserIndex;

/// Number of waves that write at a time: while one waits for its answers, the requests of another go
/// out. If a run is interrupted, only the writes of these waves are under way.
const WRITING_WAVES: usize = 2;

/// Maximum age of a user's facts when the user is written.
const FRESH: Duration = Duration::from_secs(10);

/// How long a write may then wait for quota before the user is read again.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long the journal may take to reach the disk. The facts are that much older afterwards.
const NOTED_WITHIN: Duration = Duration::from_secs(5);

/// The waits before each read that looks for a registered method. After the last one, the run gives up.
/// Entra sometimes lists a new method late.
const LISTED_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// How long after a write in doubt a new phone is looked for again.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// The wait before a write that was not done is sent again.
const RESEND_AFTER: Duration = Duration::from_secs(1);

/// The waits before each attempt to put back a write.
const PUT_BACK_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// The users that are left unchanged, each with its reason: those known before the run began, and those
/// found during the run. Copies share their content.
#[derive(Debug, Clone, Default)]
pub struct LeftUsers(Rc<RefCell<BTreeMap<UserIndex, ChangedSincePlan>>>);

impl LeftUsers {
    /// Adds users that are left unchanged. A user stays so until the end of the run.
    pub fn add(&self, moved: BTreeMap<UserIndex, ChangedSincePlan>) {
        self.0.borrow_mut().extend(moved);
    }

    /// Returns why the user is left unchanged, if so.
    pub(super) fn why(&self, user: UserIndex) -> Option<ChangedSincePlan> {
        self.0.borrow().get(&user).copied()
    }
}

/// The context of a run: the users that are left unchanged, the journal, and what ends the run early.
#[derive(Debug)]
pub struct RunContext<'a, R> {
    pub watch: RuleWatch<R>,
    pub left: LeftUsers,
    /// What recorded runs wrote since the plan was made.
    pub own: OwnWrites,
    pub journal: Option<&'a Journal>,
    pub stop: Stop,
    /// A user whose facts are older than this is read again before a write.
    pub fresh: Duration,
    /// A write that was not sent within this time after its turn is based on facts that are too old.
    pub patience: Duration,
    /// How long the journal may take for an intent before the facts are too old to write on.
    pub noted_within: Duration,
    /// How long after a lost answer a new phone is looked for again.
    pub second_look: Duration,
    /// The wait before a write is sent again that the service could not accept and that a new read shows was
    /// not done. It doubles each time. A `Retry-After` of the service takes precedence.
    pub resend_after: Duration,
    /// The waits before each attempt to put back a write that is no longer safe.
    pub put_back_after: [Duration; 4],
    /// The waits before each read that looks for a method that is not listed yet.
    pub listed_after: [Duration; 4],
    /// The clock by which ages are measured.
    pub clock: Clock,
}

/// The same context, in the form that the waves of a run share.
pub(super) struct SharedContext<'a> {
    pub(super) left: LeftUsers,
    pub(super) own: OwnWrites,
    pub(super) stop: Stop,
    pub(super) rules: RulesView,
    pub(super) fresh: Duration,
    pub(super) patience: Duration,
    pub(super) noted_within: Duration,
    pub(super) second_look: Duration,
    pub(super) resend_after: Duration,
    pub(super) put_back_after: [Duration; 4],
    pub(super) listed_after: [Duration; 4],
    pub(super) clock: Clock,
    journal: Option<&'a Journal>,
    breaker: RefCell<Breaker>,
    permits: Semaphore,
}

/// A write that was sent: the place of its user in the wave, the change, and its number in the journal.
pub(super) type SentWrite = (usize, Change, usize);

impl<'a, R: AsyncFnMut() -> Result<(), String>> RunContext<'a, R> {
    /// Creates a context in which every user is written, no journal is kept and nothing stops the run.
    pub fn new(watch: RuleWatch<R>) -> Self {
        Self {
            watch,
            left: LeftUsers::default(),
            own: OwnWrites::default(),
            journal: None,
            stop: Stop::default(),
            fresh: FRESH,
            patience: PATIENCE,
            noted_within: NOTED_WITHIN,
            second_look: SECOND_LOOK,
            resend_after: RESEND_AFTER,
            put_back_after: PUT_BACK_AFTER,
            listed_after: LISTED_AFTER,
            clock: Clock::default(),
        }
    }

    pub(super) fn share(self) -> (RuleWatch<R>, SharedContext<'a>) {
        let shared = SharedContext {
            left: self.left,
            own: self.own,
            stop: self.stop,
            rules: self.watch.rules(self.clock.clone()),
            fresh: self.fresh,
            patience: self.patience,
            noted_within: self.noted_within,
            second_look: self.second_look,
            resend_after: self.resend_after,
            put_back_after: self.put_back_after,
            listed_after: self.listed_after,
            clock: self.clock,
            journal: self.journal,
            breaker: RefCell::default(),
            // The first writes go out alone. An error that every other write would meet as well shows
            // there.
            permits: Semaphore::new(1),
        };
        (self.watch, shared)
    }
}

impl SharedContext<'_> {
    /// Waits for a permit to write. Permits are given in the order of asking.
    ///
    /// # Errors
    /// The reason why the run has to stop.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, String> {
        tokio::select! {
            biased;
            () = self.stop.wait() => Err(self.stop.check().err().unwrap_or_default()),
            permit = self.permits.acquire() => permit.map_err(|closed| closed.to_string()),
        }
    }

    /// Records what will be written, and returns each write with its number.
    pub(super) async fn intend(
        &self,
        plan: &Plan,
        changes: &[(usize, Change)],
    ) -> Result<Vec<SentWrite>, String> {
        let numbers = self.noted(plan, changes.iter().map(|(_, change)| (change, None))).await?;
        let sent = changes.iter().zip(numbers);
        Ok(sent.map(|((place, change), number)| (*place, *change, number)).collect())
    }

    /// Does the same for changes that put other writes back. `back` holds the numbers of those writes.
    pub(super) async fn intend_back(
        &self,
        plan: &Plan,
        back: &[SentWrite],
    ) -> Result<Vec<usize>, String> {
        self.noted(plan, back.iter().map(|(_, change, of)| (change, Some(*of)))).await
    }

    async fn noted<'c>(
        &self,
        plan: &Plan,
        changes: impl ExactSizeIterator<Item = (&'c Change, Option<usize>)>,
    ) -> Result<Vec<usize>, String> {
        // The writes are counted before they are recorded, so that a run that ends at once does not
        // report too few.
        let count = changes.len();
        self.stop.doubt(count);
        let Some(journal) = self.journal else { return Ok(vec![0; count]) };
        let numbers = changes.map(|(change, of)| journal.intend(plan, change, of));
        let noted = match numbers.collect::<Result<_, _>>() {
            Ok(numbers) => journal.sync().await.map(|()| numbers),
            Err(fault) => Err(fault),
        };
        noted.map_err(|fault: JournalWriteFault| {
            // None of the writes is sent.
            self.stop.know(count);
            fault.to_string()
        })
    }

    /// Records the results of some writes, and syncs the journal.
    pub(super) async fn end(&self, ended: Vec<(usize, Noted)>) -> Result<(), String> {
        let known = self.note(ended)?;
        self.sync().await?;
        self.stop.know(known);
        Ok(())
    }

    /// Records writes that Graph accepted but that a later read does not show.
    pub(super) async fn unseen(&self, numbers: Vec<usize>) -> Result<(), String> {
        self.stop.doubt(numbers.len());
        self.end(numbers.into_iter().map(|number| (number, Noted::unseen())).collect()).await
    }

    /// Records the results of some writes, and returns how many of the results are known. They are on
    /// the disk after [`Self::sync`].
    pub(super) fn note(&self, ended: Vec<(usize, Noted)>) -> Result<usize, String> {
        let known = ended.iter().filter(|(_, noted)| noted.result != WriteResult::Unknown).count();
        let Some(journal) = self.journal else { return Ok(known) };
        let noted = ended.into_iter().try_for_each(|(number, noted)| journal.ended(number, noted));
        noted.map(|()| known).map_err(|fault| fault.to_string())
    }

    pub(super) async fn sync(&self) -> Result<(), String> {
        let Some(journal) = self.journal else { return Ok(()) };
        journal.sync().await.map_err(|fault| fault.to_string())
    }

    /// Counts the results of some writes. Returns an error with the reason if the run has to stop.
    pub(super) fn count<'f>(
        &self,
        results: impl Iterator<Item = &'f ChangeResult>,
    ) -> Result<(), String> {
        let mut breaker = self.breaker.borrow_mut();
        let was_untried = breaker.is_untried();
        results.for_each(|result| breaker.count(result));
        breaker.check()?;
        if was_untried && !breaker.is_untried() {
            self.permits.add_permits(WRITING_WAVES - 1);
        }
        Ok(())
    }
}
