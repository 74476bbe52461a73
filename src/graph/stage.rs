//! What a run is doing just now, and which ways it found: told by whoever asks, for whoever shows it.
//!
//! The words are the caller's. Not here: how it is shown (`commands`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::Client;

/// A stage of a run, and how far it is.
#[derive(Debug, Clone)]
pub struct Doing {
    /// Such as `users`: of what there are so many.
    pub what: &'static str,
    pub done: usize,
    /// How many there will be, where that is known.
    pub of: Option<usize>,
    /// How long it has been going on.
    pub since: Duration,
}

/// A stage that is going on; it ends when this is dropped.
#[derive(Debug)]
pub struct Stage {
    told: Told,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    what: &'static str,
    /// 0 where it is not known.
    of: AtomicUsize,
    done: AtomicUsize,
    begun: Instant,
}

/// What was told so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// The first that began holds the others.
    stages: Arc<Mutex<Vec<Arc<Inner>>>>,
    ways: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Client {
    /// Says that something begins of which there are so many.
    #[must_use]
    pub fn stage(&self, what: &'static str, of: Option<usize>) -> Stage {
        let done = AtomicUsize::new(0);
        let of = AtomicUsize::new(of.unwrap_or_default());
        let inner = Arc::new(Inner { what, of, done, begun: Instant::now() });
        lock(&self.told.stages).push(Arc::clone(&inner));
        Stage { told: self.told.clone(), inner }
    }

    /// What is being done just now.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        lock(&self.told.stages).first().map(|stage| Doing {
            what: stage.what,
            done: stage.done.load(Ordering::Relaxed),
            of: Some(stage.of.load(Ordering::Relaxed)).filter(|of| *of > 0),
            since: stage.begun.elapsed(),
        })
    }

    /// Says which way was taken to do something.
    pub fn took(&self, what: &'static str, way: impl Into<String>) {
        lock(&self.told.ways).insert(what, way.into());
    }

    /// Which ways were taken, by what was done.
    #[must_use]
    pub fn ways(&self) -> BTreeMap<&'static str, String> {
        lock(&self.told.ways).clone()
    }
}

impl Stage {
    /// It is known by now how many there will be.
    pub fn expects(&self, of: usize) {
        self.inner.of.store(of, Ordering::Relaxed);
    }

    /// So many more are through.
    pub fn add(&self, more: usize) {
        self.inner.done.fetch_add(more, Ordering::Relaxed);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        lock(&self.told.stages).retain(|stage| !Arc::ptr_eq(stage, &self.inner));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
