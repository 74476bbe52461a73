//! Decides when an apply stops early: because it was asked to, because of an error, or because too many
//! writes fail.
//!
//! Not here: the signals that ask for it (`commands`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::results::ChangeResult;

/// Whether a run has to stop, and why. All clones share the state; the first reason counts.
#[derive(Debug, Clone)]
pub struct Stop(Arc<State>);

#[derive(Debug)]
struct State {
    why: watch::Sender<Option<Arc<str>>>,
    /// A signal asked for it.
    is_asked: AtomicBool,
    /// True when nothing is written any more and the journal is closed.
    is_over: AtomicBool,
    in_doubt: AtomicUsize,
}

/// How far a run was when it was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunProgress {
    /// It was writing, and ends soon.
    Writing,
    /// It had been asked before.
    Stopping,
    /// All its writes were sent and recorded.
    Written,
}

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(State {
            why: watch::Sender::new(None),
            is_asked: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            in_doubt: AtomicUsize::new(0),
        }))
    }
}

impl Stop {
    /// Asks the run to stop because of a signal, and returns how far the run was.
    pub fn ask(&self, signal: &str) -> RunProgress {
        self.because(format!("by {signal}"));
        match (self.0.is_over.load(Ordering::SeqCst), self.0.is_asked.swap(true, Ordering::SeqCst))
        {
            (true, _) => RunProgress::Written,
            (false, true) => RunProgress::Stopping,
            (false, false) => RunProgress::Writing,
        }
    }

    /// Marks that nothing is written any more and the journal is closed.
    pub fn all_is_written(&self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }

    /// Returns how many writes may have been sent and have no known outcome yet.
    #[must_use]
    pub fn in_doubt(&self) -> usize {
        self.0.in_doubt.load(Ordering::SeqCst)
    }

    /// Adds writes that are in doubt from now on.
    pub(super) fn doubt(&self, writes: usize) {
        self.0.in_doubt.fetch_add(writes, Ordering::SeqCst);
    }

    /// Removes writes whose outcome is known by now.
    pub(super) fn know(&self, writes: usize) {
        self.0.in_doubt.fetch_sub(writes, Ordering::SeqCst);
    }

    /// Ends the run for a reason that it found itself.
    pub(super) fn because(&self, why: String) {
        self.0.why.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert_with(|| why.into());
            is_first
        });
    }

    /// Returns why the run has to stop, if it has to.
    pub(super) fn why(&self) -> Option<Arc<str>> {
        self.0.why.borrow().clone()
    }

    /// Returns an error if the run has to stop.
    pub(super) fn check(&self) -> Result<(), String> {
        self.why().map_or(Ok(()), |why| Err(why.to_string()))
    }

    /// Waits until the run has to stop.
    pub async fn wait(&self) {
        let mut reasons = self.0.why.subscribe();
        if reasons.wait_for(Option::is_some).await.is_err() {
            std::future::pending().await
        }
    }
}

/// Counts failed writes, and ends the run when there are too many for a coincidence.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    in_a_row: usize,
    failed: usize,
    tried: usize,
}

impl Breaker {
    const IN_A_ROW: usize = 10;
    const PERCENT: usize = 5;
    const OF_AT_LEAST: usize = 100;

    /// Returns whether no write has succeeded yet.
    pub(super) const fn is_untried(&self) -> bool {
        self.tried == self.failed
    }

    /// Counts the result of a write.
    pub(super) fn count(&mut self, result: &ChangeResult) {
        self.tried += 1;
        if *result == ChangeResult::Done {
            self.in_a_row = 0;
        } else {
            self.in_a_row += 1;
            self.failed += 1;
        }
    }

    /// Returns an error with the reason if the run has to stop.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.in_a_row >= Self::IN_A_ROW {
            return Err(format!("{} writes failed in a row", self.in_a_row));
        }
        let many = self.failed * 100 >= self.tried * Self::PERCENT;
        if self.tried >= Self::OF_AT_LEAST && many {
            return Err(format!("{} of {} writes failed", self.failed, self.tried));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ends_at_ten_failures_in_a_row_or_at_five_percent() {
        let run = |results: &[(bool, usize)]| {
            let mut breaker = Breaker::default();
            for (done, times) in results {
                let result =
                    if *done { ChangeResult::Done } else { ChangeResult::Failed("".into()) };
                (0..*times).for_each(|_| breaker.count(&result));
            }
            breaker.check().err()
        };
        for (results, expected) in [
            (&[(false, 9)][..], None),
            (&[(false, 10)], Some("10 writes failed in a row")),
            (&[(false, 9), (true, 1), (false, 9)], None),
            (&[(false, 5), (true, 94)], None),
            (&[(false, 5), (true, 95)], Some("5 of 100 writes failed")),
            (&[(false, 5), (true, 96)], None),
        ] {
            assert_eq!(run(results).as_deref(), expected, "{results:?}");
        }
    }

    #[tokio::test]
    async fn stop_wakes_waiting_clones_and_keeps_the_first_reason() {
        let stop = Stop::default();
        let other = stop.clone();
        assert_eq!(stop.check(), Ok(()));
        other.ask("SIGTERM");
        other.because("something else".to_owned());
        stop.wait().await;
        assert_eq!(stop.check(), Err("by SIGTERM".to_owned()));
    }

    #[test]
    fn ask_distinguishes_first_second_and_late_stop_requests() {
        let stop = Stop::default();
        stop.because("too much fails".to_owned());
        assert_eq!(stop.ask("SIGINT"), RunProgress::Writing, "no signal asked before");
        assert_eq!(stop.ask("SIGTERM"), RunProgress::Stopping, "whichever signal it is");
        stop.all_is_written();
        assert_eq!(stop.ask("SIGINT"), RunProgress::Written);
    }
}
