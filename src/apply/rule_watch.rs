//! Watches during a run whether the tenant-wide basis of the plan still holds: it is checked again and
//! again while the run writes, and no write begins if the last check is too old.
//!
//! Not here: what is checked (`run::write`), or what ends a run for other reasons (`stop`).

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::stop::Stop;
use crate::moment::{Clock, Moment};

/// Checks the tenant's rules for as long as a run goes on.
#[derive(Debug)]
pub struct RuleWatch<R> {
    recheck: R,
    since: Moment,
    every: Duration,
    at_most: Duration,
}

/// The view of a [`RuleWatch`] that is used before a write.
#[derive(Debug)]
pub(super) struct RulesView {
    /// When the last check began that found nothing changed.
    seen: watch::Sender<Moment>,
    /// A check found a change, or could not be made. There is no further check.
    broken: watch::Sender<bool>,
    wanted: Notify,
    at_most: Duration,
    clock: Clock,
}

impl<R: AsyncFnMut() -> Result<(), String>> RuleWatch<R> {
    /// Creates a watch. `recheck` returns what no longer holds. It is called at intervals of `every`,
    /// and sooner if a write is about to begin and the last check began longer ago than `at_most`.
    /// `since` is when the first check, already made, began.
    pub const fn new(since: Moment, every: Duration, at_most: Duration, recheck: R) -> Self {
        Self { recheck, since, every, at_most }
    }

    pub(super) fn rules(&self, clock: Clock) -> RulesView {
        let seen = watch::Sender::new(self.since);
        let broken = watch::Sender::new(false);
        RulesView { seen, broken, wanted: Notify::new(), at_most: self.at_most, clock }
    }

    /// Checks until it is dropped. A check that finds a change, or that cannot be made, ends the run.
    pub(super) async fn go_on(mut self, rules: &RulesView, stop: &Stop) -> Infallible {
        loop {
            let since = rules.age();
            tokio::select! {
                () = tokio::time::sleep(self.every.saturating_sub(since)) => {}
                () = rules.wanted.notified() => {}
            }
            let begun = rules.clock.now();
            match (self.recheck)().await {
                Ok(()) => _ = rules.seen.send_replace(begun),
                Err(why) => {
                    rules.broken.send_replace(true);
                    stop.because(why);
                    return pending().await;
                }
            }
        }
    }
}

impl RulesView {
    /// Returns how long ago the last check began.
    fn age(&self) -> Duration {
        self.clock.age(&self.seen.borrow())
    }

    /// Returns whether the last check is older than a write allows, with `by` in addition.
    pub(super) fn are_older(&self, by: Duration) -> bool {
        self.age() > self.at_most.saturating_add(by)
    }

    /// Returns whether a check that begins after the moment finds nothing changed. The check is made
    /// even if the run has to stop.
    pub(super) async fn hold_since(&self, moment: &Moment) -> bool {
        let (mut seen, mut broken) = (self.seen.subscribe(), self.broken.subscribe());
        let is_later = |begun: &Moment| moment.is_before_or_at(begun);
        self.wanted.notify_one();
        tokio::select! {
            biased;
            seen = seen.wait_for(is_later) => seen.is_ok(),
            _ = broken.wait_for(|broken| *broken) => false,
        }
    }

    /// Waits for a check that is new enough to write on, or until the run has to stop. New enough is a
    /// check that began no longer than `at_most` before the wait ends, or, if one check takes longer
    /// than that, after this wait began.
    pub(super) async fn are_known(&self, stop: &Stop) {
        let asked = self.clock.now();
        let is_new =
            |begun: &Moment| asked.is_before_or_at(begun) || self.clock.age(begun) <= self.at_most;
        let mut seen = self.seen.subscribe();
        if is_new(&seen.borrow_and_update()) {
            return;
        }
        self.wanted.notify_one();
        tokio::select! {
            _ = seen.wait_for(is_new) => {}
            () = stop.wait() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const NEVER: Duration = Duration::MAX;

    /// Returns how many checks were made while the work ran, and the result of the work.
    async fn count_checks<T>(
        (every, at_most): (Duration, Duration),
        answer: Result<(), String>,
        work: impl AsyncFnOnce(&RulesView, &Stop) -> T,
    ) -> (usize, T) {
        let checks = Cell::new(0);
        let watch = RuleWatch::new(Moment::now(), every, at_most, async || {
            checks.set(checks.get() + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer.clone()
        });
        let (rules, stop) = (watch.rules(Clock::default()), Stop::default());
        let worked = tokio::select! {
            never = watch.go_on(&rules, &stop) => match never {},
            worked = work(&rules, &stop) => worked,
        };
        (checks.get(), worked)
    }

    #[tokio::test]
    async fn write_does_not_wait_if_the_last_check_is_new_enough() {
        let work = async |rules: &RulesView, stop: &Stop| {
            for _ in 0..3 {
                rules.are_known(stop).await;
            }
        };
        assert_eq!(count_checks((NEVER, NEVER), Ok(()), work).await.0, 0);
        assert_eq!(count_checks((NEVER, Duration::ZERO), Ok(()), work).await.0, 3);
    }

    #[tokio::test]
    async fn checks_are_repeated_while_the_run_writes() {
        let (checks, repeated) = (Cell::new(0), Notify::new());
        let watch = RuleWatch::new(Moment::now(), Duration::from_millis(10), NEVER, async || {
            checks.set(checks.get() + 1);
            if checks.get() > 1 {
                repeated.notify_one();
            }
            Ok(())
        });
        let (rules, stop) = (watch.rules(Clock::default()), Stop::default());
        let writes = tokio::time::timeout(Duration::from_secs(60), repeated.notified());
        tokio::select! {
            never = watch.go_on(&rules, &stop) => match never {},
            in_time = writes => assert!(in_time.is_ok(), "{} checks", checks.get()),
        }
    }

    #[tokio::test]
    async fn check_that_began_before_the_request_is_too_old_for_it() {
        let work = async |rules: &RulesView, stop: &Stop| {
            let asked = async {
                rules.are_known(stop).await;
            };
            let asked_later = async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                rules.are_known(stop).await;
            };
            tokio::join!(asked, asked_later);
        };
        assert_eq!(count_checks((NEVER, Duration::ZERO), Ok(()), work).await.0, 2);
    }

    #[tokio::test]
    async fn check_that_is_too_old_at_its_end_is_repeated() {
        let at_most = Duration::from_millis(150);
        let watch =
            RuleWatch::new(Moment::now(), Duration::from_millis(100), at_most, async || {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(())
            });
        let (rules, stop) = (watch.rules(Clock::default()), Stop::default());
        let asks = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let asked = Moment::now();
            rules.are_known(&stop).await;
            let is_later = asked.is_before_or_at(&rules.seen.borrow());
            assert!(is_later || rules.age() <= at_most, "{:?}", rules.age());
        };
        tokio::select! {
            never = watch.go_on(&rules, &stop) => match never {},
            () = asks => {}
        }
    }

    #[tokio::test]
    async fn changed_rules_end_the_run() {
        let work = async |rules: &RulesView, stop: &Stop| {
            rules.are_known(stop).await;
            stop.check()
        };
        let why = "the rules have changed".to_owned();
        let (checks, stopped) = count_checks((NEVER, Duration::ZERO), Err(why.clone()), work).await;
        assert_eq!((checks, stopped), (1, Err(why)));
    }
}
