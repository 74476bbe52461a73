//! Whether what a plan rests on for the tenant as a whole still holds, while it is carried out: it is
//! looked at again and again beside the writing, and no write begins on a look that is too old.
//!
//! Not here: what is looked at (`commands`), or what ends a run for other reasons (`stop`).

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::stop::Stop;
use crate::moment::{Clock, Moment};

/// Looks at the tenant's rules for as long as a run goes on.
#[derive(Debug)]
pub struct Watch<R> {
    recheck: R,
    since: Moment,
    every: Duration,
    at_most: Duration,
}

/// What whoever is about to write sees of a [`Watch`].
#[derive(Debug)]
pub(super) struct Rules {
    /// When the last look began that found nothing changed.
    seen: watch::Sender<Moment>,
    /// A look found something changed, or could not be made: there is no other one.
    broken: watch::Sender<bool>,
    wanted: Notify,
    at_most: Duration,
    clock: Clock,
}

impl<R: AsyncFnMut() -> Result<(), String>> Watch<R> {
    /// `recheck` says what no longer holds. It is asked `every` so often, and sooner where somebody
    /// is about to write and the last look began longer ago than `at_most`. `since` is when the first
    /// one began, which has been made already.
    pub const fn new(since: Moment, every: Duration, at_most: Duration, recheck: R) -> Self {
        Self { recheck, since, every, at_most }
    }

    pub(super) fn rules(&self, clock: Clock) -> Rules {
        let seen = watch::Sender::new(self.since);
        let broken = watch::Sender::new(false);
        Rules { seen, broken, wanted: Notify::new(), at_most: self.at_most, clock }
    }

    /// Looks until it is dropped. What no longer holds, or could not be looked at, ends the run.
    pub(super) async fn go_on(mut self, rules: &Rules, stop: &Stop) -> Infallible {
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

impl Rules {
    /// How long ago the last look began.
    fn age(&self) -> Duration {
        self.clock.age(&self.seen.borrow())
    }

    /// Whether the last look is older than whoever writes allows, and that much more.
    pub(super) fn are_older(&self, by: Duration) -> bool {
        self.age() > self.at_most.saturating_add(by)
    }

    /// Whether a look that begins after that moment finds nothing changed. It is made, whether or not the
    /// run is to stop.
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

    /// Waits for a look that is new enough to write on, or until the run is to stop: that began no
    /// longer ago than that by then, or since it was asked for, where one look takes longer.
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

    /// Looks so often while the work goes on.
    async fn looks<T>(
        (every, at_most): (Duration, Duration),
        answer: Result<(), String>,
        work: impl AsyncFnOnce(&Rules, &Stop) -> T,
    ) -> (usize, T) {
        let looks = Cell::new(0);
        let watch = Watch::new(Moment::now(), every, at_most, async || {
            looks.set(looks.get() + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer.clone()
        });
        let (rules, stop) = (watch.rules(Clock::default()), Stop::default());
        let worked = tokio::select! {
            never = watch.go_on(&rules, &stop) => match never {},
            worked = work(&rules, &stop) => worked,
        };
        (looks.get(), worked)
    }

    #[tokio::test]
    async fn a_look_that_is_new_enough_is_not_waited_for() {
        let work = async |rules: &Rules, stop: &Stop| {
            for _ in 0..3 {
                rules.are_known(stop).await;
            }
        };
        assert_eq!(looks((NEVER, NEVER), Ok(()), work).await.0, 0);
        assert_eq!(looks((NEVER, Duration::ZERO), Ok(()), work).await.0, 3);
    }

    #[tokio::test]
    async fn it_looks_beside_whoever_writes() {
        let every = Duration::from_millis(10);
        let work = async |_: &Rules, _: &Stop| tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(looks((every, NEVER), Ok(()), work).await.0 > 1);
    }

    #[tokio::test]
    async fn a_look_that_began_before_somebody_asked_is_too_old_for_them() {
        let work = async |rules: &Rules, stop: &Stop| {
            let asked = async {
                rules.are_known(stop).await;
            };
            let asked_later = async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                rules.are_known(stop).await;
            };
            tokio::join!(asked, asked_later);
        };
        assert_eq!(looks((NEVER, Duration::ZERO), Ok(()), work).await.0, 2);
    }

    #[tokio::test]
    async fn a_look_that_is_too_old_by_its_end_is_made_anew() {
        let at_most = Duration::from_millis(150);
        let watch = Watch::new(Moment::now(), Duration::from_millis(100), at_most, async || {
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
    async fn what_no_longer_holds_is_the_end_of_the_run() {
        let work = async |rules: &Rules, stop: &Stop| {
            rules.are_known(stop).await;
            stop.check()
        };
        let why = "the rules have changed".to_owned();
        let (looks, stopped) = looks((NEVER, Duration::ZERO), Err(why.clone()), work).await;
        assert_eq!((looks, stopped), (1, Err(why)));
    }
}
