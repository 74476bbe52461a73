//! The progress of a run, and the read strategies that it chose.
//!
//! The code that sends requests reports both, in its own words. Not here: showing them (`commands`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::Client;

/// A stage of a run, and its progress.
#[derive(Debug, Clone)]
pub struct Doing {
    /// What is counted, such as `users`.
    pub what: &'static str,
    pub done: usize,
    /// The total, if it is known.
    pub of: Option<usize>,
    /// The time since the stage began.
    pub since: Duration,
}

/// A stage that is in progress. It ends when this value is dropped.
#[derive(Debug)]
pub struct ProgressStage {
    told: ProgressLine,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    what: &'static str,
    /// The total, or 0 if it is not known.
    of: AtomicUsize,
    done: AtomicUsize,
    begun: Instant,
}

/// The progress that was reported so far.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressLine {
    /// The stages in progress. The first one contains the others.
    stages: Arc<Mutex<Vec<Arc<Inner>>>>,
    strategies: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Client {
    /// Begins a stage, with its total if it is known.
    #[must_use]
    pub fn stage(&self, what: &'static str, of: Option<usize>) -> ProgressStage {
        let done = AtomicUsize::new(0);
        let of = AtomicUsize::new(of.unwrap_or_default());
        let inner = Arc::new(Inner { what, of, done, begun: Instant::now() });
        lock(&self.told.stages).push(Arc::clone(&inner));
        ProgressStage { told: self.told.clone(), inner }
    }

    /// Returns the outermost stage in progress.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        lock(&self.told.stages).first().map(|stage| Doing {
            what: stage.what,
            done: stage.done.load(Ordering::Relaxed),
            of: Some(stage.of.load(Ordering::Relaxed)).filter(|of| *of > 0),
            since: stage.begun.elapsed(),
        })
    }

    /// Notes the read strategy that was used for something.
    pub fn took(&self, what: &'static str, strategy: impl Into<String>) {
        lock(&self.told.strategies).insert(what, strategy.into());
    }

    /// Returns the read strategies that were used, by what was read.
    #[must_use]
    pub fn ways(&self) -> BTreeMap<&'static str, String> {
        lock(&self.told.strategies).clone()
    }
}

impl ProgressStage {
    /// Sets the total, once it is known.
    pub fn expects(&self, of: usize) {
        self.inner.of.store(of, Ordering::Relaxed);
    }

    /// Adds finished items.
    pub fn add(&self, more: usize) {
        self.inner.done.fetch_add(more, Ordering::Relaxed);
    }
}

impl Drop for ProgressStage {
    fn drop(&mut self) {
        lock(&self.told.stages).retain(|stage| !Arc::ptr_eq(stage, &self.inner));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
