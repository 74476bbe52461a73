//! Allows one apply of a tenant at a time in a cloud store. The lock is an object that its holder renews. It is
//! for good manners alone: what keeps two applies from both writing is the number of the next journal segment.
//!
//! No clock of another machine is compared. A candidate replaces the object only after it has itself seen the
//! same content for `dead_after`, and only if it is still the one that was seen. A holder that cannot renew
//! stops writing long before that.
//!
//! Not here: the lock of a folder (`lock`), or the journal (`journal`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::lock::{Holder, LockFault};
use crate::journal::{RunActor, TenantRuns};
use crate::moment::{Clock, Moment};
use crate::store::{LONGEST_WITH_RETRIES, ObjectVersion, StoreFault, Swap};

/// The times of a lease.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTimes {
    /// How often the holder renews.
    pub renew_every: Duration,
    /// The age of the last renewal at which a holder renews before it writes.
    pub renews_at: Duration,
    /// How long a candidate must see the same object before it replaces it.
    pub dead_after: Duration,
    /// How often a candidate reads the object.
    pub look_every: Duration,
}

impl LeaseTimes {
    /// Three renewals, and the longest time that one can be under way, pass before a candidate replaces the
    /// object.
    pub const USUAL: Self = Self {
        renew_every: Duration::from_secs(20),
        renews_at: Duration::from_secs(15),
        dead_after: Duration::from_secs(60).saturating_add(LONGEST_WITH_RETRIES),
        look_every: Duration::from_secs(2),
    };
}

/// A lease, held until it is released. If its process dies, others replace it after a while.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    renewals: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    runs: TenantRuns,
    times: LeaseTimes,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    record: LeaseRecord,
    version: ObjectVersion,
    /// When the last successful renewal was sent.
    sent: Moment,
    is_lost: bool,
}

/// The content of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseRecord {
    state: LeaseState,
    who: RunActor,
    since: Timestamp,
    /// The page of the job, if the run is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    renewed: Timestamp,
    /// It makes every content another one, because a store may know versions by their content.
    renewals: u64,
    /// Something that no other holder has.
    token: u64,
    /// The last segment of the journal when this was written. The search for the last one begins here.
    last_segment: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum LeaseState {
    Held,
    Free,
}

/// Reason why a holder may not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseFault {
    /// Another process replaced it.
    Lost,
    Store(StoreFault),
}

impl fmt::Display for LeaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("another run took over the lock of this tenant"),
            Self::Store(fault) => write!(f, "the lock {fault}"),
        }
    }
}

/// Takes the lease. A holder that renews is waited for no longer than `patience`; one that does not is replaced.
///
/// # Errors
/// The holder of the lease, or an error of the store.
pub async fn take(
    runs: &TenantRuns,
    patience: Duration,
    times: LeaseTimes,
) -> Result<Lease, LockFault> {
    let (begun, clock) = (Moment::now(), Clock::default());
    let mut watched: Option<(LeaseRecord, Moment)> = None;
    loop {
        let (there, version) = match read(runs).await.map_err(LockFault::Store)? {
            Some((record, version)) => (record, Some(version)),
            None => (None, None),
        };
        let now = clock.now();
        let is_dead = match (&there, &watched) {
            (Some(record), Some((seen, since))) if seen == record => {
                now.since(since) >= times.dead_after
            }
            (Some(record), _) if record.state == LeaseState::Held => {
                let was_alive = watched.is_some();
                if was_alive && now.since(&begun) >= patience {
                    return Err(LockFault::Held(Some(record.holder())));
                }
                watched = Some((record.clone(), now));
                false
            }
            // It is free, or no content of this program.
            _ => true,
        };
        if !is_dead {
            tokio::time::sleep(times.look_every).await;
            continue;
        }
        let sent = clock.now();
        let record = LeaseRecord::new(there.as_ref().map_or(0, |record| record.last_segment));
        if let Some(version) =
            swap(runs, &record, version.as_ref()).await.map_err(LockFault::Store)?
        {
            return Ok(Lease::held(
                runs.clone(),
                times,
                Held { record, version, sent, is_lost: false },
            ));
        }
        // Somebody else was faster.
        watched = None;
    }
}

impl Lease {
    fn held(runs: TenantRuns, times: LeaseTimes, held: Held) -> Self {
        let (held, clock) = (Mutex::new(held), Clock::default());
        let shared = Arc::new(Shared { runs, times, clock, held });
        let renewing = Arc::clone(&shared);
        let renewals = tokio::spawn(async move {
            loop {
                tokio::time::sleep(renewing.times.renew_every).await;
                // An error of the store can pass, and it is reported before the next write.
                if renewing.renew(Duration::ZERO).await == Err(LeaseFault::Lost) {
                    return;
                }
            }
        });
        Self { shared, renewals }
    }

    /// Returns whether this process may begin to write now. A renewal that is too old is repeated.
    ///
    /// # Errors
    /// Another process replaced it, or the store does not answer.
    pub async fn confirm(&self) -> Result<(), LeaseFault> {
        self.shared.renew(self.shared.times.renews_at).await
    }

    /// Frees the lease for the next apply.
    pub async fn release(self) {
        self.renewals.abort();
        let mut held = self.shared.held.lock().await;
        if held.is_lost {
            return;
        }
        let last = self.shared.runs.last_segment(held.record.last_segment).await;
        let record = LeaseRecord {
            state: LeaseState::Free,
            last_segment: last.unwrap_or(held.record.last_segment),
            ..held.record.clone()
        };
        // If this fails, others wait until the lease is dead.
        _ = held.write(&self.shared.runs, record).await;
        held.is_lost = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewals.abort();
    }
}

impl Shared {
    /// Renews the lease, unless the last renewal is newer than `age`.
    async fn renew(&self, age: Duration) -> Result<(), LeaseFault> {
        let mut held = self.held.lock().await;
        if held.is_lost {
            return Err(LeaseFault::Lost);
        }
        if !age.is_zero() && self.clock.age(&held.sent) < age {
            return Ok(());
        }
        let sent = self.clock.now();
        let record = held.record.clone();
        if held.write(&self.runs, record).await.map_err(LeaseFault::Store)? {
            held.sent = sent;
            return Ok(());
        }
        held.is_lost = true;
        Err(LeaseFault::Lost)
    }
}

impl Held {
    /// Replaces the object by this record, and returns whether it is still ours. The answer to an earlier
    /// renewal may be lost, so an object with our token is ours, whatever its version.
    async fn write(&mut self, runs: &TenantRuns, record: LeaseRecord) -> Result<bool, StoreFault> {
        for _ in 0..2 {
            let renewals = self.record.renewals + 1;
            let record = LeaseRecord { renewed: Timestamp::now(), renewals, ..record.clone() };
            if let Some(version) = swap(runs, &record, Some(&self.version)).await? {
                (self.record, self.version) = (record, version);
                return Ok(true);
            }
            match read(runs).await? {
                Some((Some(there), version)) if there.token == self.record.token => {
                    (self.record, self.version) = (there, version);
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

impl LeaseRecord {
    fn new(last_segment: u64) -> Self {
        let now = Timestamp::now();
        Self {
            state: LeaseState::Held,
            who: RunActor::is_here(),
            since: now,
            job: RunActor::job(),
            renewed: now,
            renewals: 0,
            token: fastrand::u64(..),
            last_segment,
        }
    }

    fn holder(&self) -> Holder {
        Holder { who: self.who.clone(), since: self.since, job: self.job.clone() }
    }
}

/// Returns the object with its version, and `None` in the place of a content that is not ours.
async fn read(
    runs: &TenantRuns,
) -> Result<Option<(Option<LeaseRecord>, ObjectVersion)>, StoreFault> {
    let there = runs.store.journals.read_version(&runs.lock_name()).await?;
    Ok(there.map(|(bytes, version)| (serde_json::from_slice(&bytes).ok(), version)))
}

/// Replaces the object, and returns its version; `None` if somebody else replaced it.
async fn swap(
    runs: &TenantRuns,
    record: &LeaseRecord,
    seen: Option<&ObjectVersion>,
) -> Result<Option<ObjectVersion>, StoreFault> {
    // The shape always has a form as JSON.
    let bytes = serde_json::to_vec(record).unwrap_or_default();
    match runs.store.journals.swap(&runs.lock_name(), &bytes, seen).await? {
        Swap::Done(version) => Ok(Some(version)),
        Swap::Changed => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ChainEnd, RunStore};

    /// Times that a test can wait for.
    const QUICK: LeaseTimes = LeaseTimes {
        renew_every: Duration::from_millis(100),
        renews_at: Duration::ZERO,
        dead_after: Duration::from_secs(20),
        look_every: Duration::from_millis(20),
    };

    fn tenant() -> TenantRuns {
        RunStore::in_memory().of("6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap())
    }

    async fn record(runs: &TenantRuns) -> LeaseRecord {
        read(runs).await.unwrap().unwrap().0.unwrap()
    }

    #[tokio::test]
    async fn holder_that_renews_is_not_replaced() {
        let runs = tenant();
        let lease = take(&runs, Duration::ZERO, QUICK).await.unwrap();
        let Err(LockFault::Held(Some(holder))) = take(&runs, Duration::ZERO, QUICK).await else {
            panic!("the holder was not noticed");
        };
        assert_eq!(holder.who, RunActor::is_here());
        assert_eq!(lease.confirm().await, Ok(()));
        lease.release().await;
        take(&runs, Duration::ZERO, QUICK).await.unwrap();
    }

    #[tokio::test]
    async fn dead_holder_is_replaced_and_notices() {
        let runs = tenant();
        let never = LeaseTimes { renew_every: Duration::from_secs(3600), ..QUICK };
        let dead = take(&runs, Duration::ZERO, never).await.unwrap();
        let begun = std::time::Instant::now();
        let dead_after = Duration::from_millis(300);
        let soon = LeaseTimes { dead_after, ..QUICK };
        let lease = take(&runs, Duration::ZERO, soon).await.unwrap();
        assert!(begun.elapsed() >= dead_after);
        assert_eq!(dead.confirm().await, Err(LeaseFault::Lost));
        dead.release().await;
        assert_eq!(lease.confirm().await, Ok(()), "a lost lease frees nothing");
        assert_eq!(record(&runs).await.state, LeaseState::Held);
    }

    /// The answer to a renewal was lost: the object is another one than the holder knows, and its own.
    #[tokio::test]
    async fn holder_knows_its_own_renewal() {
        let runs = tenant();
        let never = LeaseTimes { renew_every: Duration::from_secs(3600), ..QUICK };
        let lease = take(&runs, Duration::ZERO, never).await.unwrap();
        let (there, version) = read(&runs).await.unwrap().unwrap();
        let renewed = LeaseRecord { renewals: 7, ..there.unwrap() };
        assert!(swap(&runs, &renewed, Some(&version)).await.unwrap().is_some());
        assert_eq!(lease.confirm().await, Ok(()));
        assert_eq!(record(&runs).await.renewals, 8);
        lease.release().await;
        assert_eq!(record(&runs).await.state, LeaseState::Free);
    }

    #[tokio::test]
    async fn content_that_is_no_lock_is_replaced() {
        let runs = tenant();
        runs.store.journals.create(&runs.lock_name(), b"?").await.unwrap();
        take(&runs, Duration::ZERO, QUICK).await.unwrap();
    }

    /// The journal reads the hint of the lock without knowing the lease.
    #[tokio::test]
    async fn end_of_the_chain_is_read_with_the_hint_of_the_lock() {
        let runs = tenant();
        let names = |number: u64| format!("{}/journal/{number:012}.jsonl", runs.tenant);
        // Without the hint, the list would show the last one.
        for number in [1, 2, 3, 9] {
            runs.store.journals.create(&names(number), b"").await.unwrap();
        }
        let lease = take(&runs, Duration::ZERO, QUICK).await.unwrap();
        let held = LeaseRecord { last_segment: 2, ..record(&runs).await };
        runs.store
            .journals
            .replace(&runs.lock_name(), &serde_json::to_vec(&held).unwrap())
            .await
            .unwrap();
        assert_eq!(ChainEnd::read(&runs).await.unwrap().next_number().await, 4);
        drop(lease);
    }
}
