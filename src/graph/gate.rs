//! The gate where requests wait for their quota: one governor and one queue for each kind of quota.
//!
//! Not here: how fast a quota may be used (`governor`), or what happens after a refusal (`client`, `batch`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use tokio::sync::{Mutex as Turnstile, Notify};
use tokio::time::{Instant, sleep};

use super::client::Client;
use super::governor::{Admission, Governor, Observation, Quota, Waits};
use super::retry::Pace;

/// The highest cost of a request that is not a batch, in units: the transitive members of a group (Graph
/// documentation, "Service-specific throttling limits", checked 2026-11). A batch of so few units may pass
/// other batches as well. Test: `page_of_a_list_does_not_wait_for_batches`.
const MOST_OF_A_PAGE: usize = 5;

/// The reads of Conditional Access that may be sent at once to a tenant on this machine, in units. No other
/// program uses that quota, so a run need not wait a second for each of its few reads. A choice.
/// Test: `only_a_local_tenant_is_asked_for_conditional_access_without_waits`.
const LOCAL_BURST: f64 = 5.0;

/// All quotas that this program uses at one tenant.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Instant,
    lanes: [Lane; 4],
    /// The total time that requests at the head of a queue waited, in nanoseconds.
    waited: AtomicU64,
}

/// The quota that a request counts against (Graph documentation, "Service-specific throttling limits",
/// checked 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuotaKind {
    Reads,
    Writes,
    Reports,
    ConditionalAccess,
}

/// One quota and its queue.
#[derive(Debug)]
struct Lane {
    governor: Mutex<Governor>,
    /// The batch that holds this lock is next. Batches get it in the order of their arrival.
    turn: Turnstile<()>,
    answered: Notify,
}

/// The permission to send one request. If it is dropped, the request counts as never answered.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Gate,
    kind: QuotaKind,
    units: f64,
    sent_at: f64,
    open: bool,
}

/// What an answer and its parts say about the quota.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuotaReport {
    /// The units that were refused.
    pub(super) refused: usize,
    pub(super) retry_after: Option<Duration>,
    pub(super) pressure: Option<f64>,
}

impl QuotaKind {
    /// Returns the quota that a request counts against, and its cost in units.
    pub(super) fn of(method: &Method, path: &str) -> (Self, usize) {
        let has = |word: &str| path.contains(word);
        match *method {
            _ if has("/conditionalAccess/") => (Self::ConditionalAccess, 1),
            _ if has("/reports/") || has("/auditLogs/") => (Self::Reports, 1),
            // These costs are for reads with a `$select`, which reduces each cost by one.
            Method::GET if has("/transitiveMembers") => (Self::Reads, 4),
            Method::GET if has("/members") => (Self::Reads, 2),
            Method::GET => (Self::Reads, 1),
            _ => (Self::Writes, 1),
        }
    }
}

impl Gate {
    /// Returns the gate of a program that may use a share of each quota, in percent. No other program uses
    /// a tenant on this machine, so its Conditional Access is read without waiting until it refuses.
    pub(super) fn new(share: u8, pace: &Pace, is_local: bool) -> Self {
        let waits = Waits { untold: pace.base.as_secs_f64(), longest: pace.longest.as_secs_f64() };
        let share = f64::from(share.clamp(1, 100)) / 100.0;
        let lane = |quota| Lane {
            governor: Mutex::new(Governor::new(quota, share, waits)),
            turn: Turnstile::new(()),
            answered: Notify::new(),
        };
        let conditional_access = match is_local {
            true => Quota::CONDITIONAL_ACCESS.with_burst(LOCAL_BURST),
            false => Quota::CONDITIONAL_ACCESS,
        };
        let quotas = [Quota::READS, Quota::WRITES, Quota::REPORTS, conditional_access];
        let (begun, waited) = (Instant::now(), AtomicU64::new(0));
        Self(Arc::new(Inner { begun, lanes: quotas.map(lane), waited }))
    }

    /// Notes that the tenant has at least this number of users.
    pub(super) fn tenant_has(&self, users: usize) {
        self.0.lanes.iter().for_each(|lane| lane.governor().tenant_has(users));
    }

    /// Returns the total time that requests at the head of a queue waited.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_nanos(self.0.waited.load(Ordering::Relaxed))
    }

    /// Waits until this number of units may be sent. A batch waits for earlier batches. A page of a list
    /// does not, because its rows lead to the next batches.
    pub(super) async fn enter(&self, kind: QuotaKind, units: usize) -> Permit {
        let lane = self.0.lane(kind);
        let is_batch = units > MOST_OF_A_PAGE || matches!(kind, QuotaKind::Writes);
        let units = f64::from(u32::try_from(units).unwrap_or(u32::MAX));
        let _waiting = Waiting::of(lane, units);
        let _turn = if is_batch { Some(lane.turn.lock().await) } else { None };
        loop {
            let answered = lane.answered.notified();
            let now = self.0.now();
            let admission = lane.governor().admit(now, units);
            match admission {
                Admission::Now => {
                    return Permit { gate: self.clone(), kind, units, sent_at: now, open: true };
                }
                Admission::In(seconds) => {
                    let wait = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                    let begun = Instant::now();
                    sleep(wait).await;
                    let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    self.0.waited.fetch_add(nanos, Ordering::Relaxed);
                }
                Admission::WhenAnswered => answered.await,
            }
        }
    }
}

/// Units that wait for admission, until this value is dropped.
struct Waiting<'a> {
    lane: &'a Lane,
    units: f64,
}

impl<'a> Waiting<'a> {
    fn of(lane: &'a Lane, units: f64) -> Self {
        lane.governor().wait_more(units);
        Self { lane, units }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.lane.governor().wait_more(-self.units);
    }
}

/// While this value exists, all reads of this phase have been requested, so the rest of the quota need not be
/// saved.
#[derive(Debug)]
pub struct LastReads(Gate);

impl Client {
    /// Notes that all reads of this phase have been requested, until the returned value is dropped.
    #[must_use]
    pub fn last_reads(&self) -> LastReads {
        self.gate.0.lane(QuotaKind::Reads).governor().end(true);
        LastReads(self.gate.clone())
    }
}

impl Drop for LastReads {
    fn drop(&mut self) {
        self.0.0.lane(QuotaKind::Reads).governor().end(false);
    }
}

impl Inner {
    fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    const fn lane(&self, kind: QuotaKind) -> &Lane {
        let [reads, writes, reports, conditional_access] = &self.lanes;
        match kind {
            QuotaKind::Reads => reads,
            QuotaKind::Writes => writes,
            QuotaKind::Reports => reports,
            QuotaKind::ConditionalAccess => conditional_access,
        }
    }
}

impl Lane {
    fn governor(&self) -> MutexGuard<'_, Governor> {
        self.governor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Notes that the request was answered.
    pub(super) fn answered(mut self, report: QuotaReport) {
        self.open = false;
        let refused = f64::from(u32::try_from(report.refused).unwrap_or(u32::MAX)).min(self.units);
        let seen = Observation {
            sent_at: self.sent_at,
            accepted: self.units - refused,
            refused,
            retry_after: report.retry_after.map(|wait| wait.as_secs_f64()),
            pressure: report.pressure,
        };
        let lane = self.gate.0.lane(self.kind);
        lane.governor().observe(self.gate.0.now(), seen);
        lane.answered.notify_waiters();
    }

    /// Notes that the whole request was refused.
    pub(super) fn refused(self, report: QuotaReport) {
        self.answered(QuotaReport { refused: usize::MAX, ..report });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.open {
            let lane = self.gate.0.lane(self.kind);
            lane.governor().forget(self.units);
            lane.answered.notify_waiters();
        }
    }
}

/// Parses `x-ms-throttle-limit-percentage`: how full the quota is, 1.0 if it is full.
pub(super) fn pressure(value: &str) -> Option<f64> {
    value.trim().parse().ok().filter(|pressure: &f64| pressure.is_finite() && *pressure > 0.0)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[test]
    fn each_request_counts_against_its_own_quota() {
        let of = |path| QuotaKind::of(&Method::GET, path);
        assert_eq!(of("/v1.0/users"), (QuotaKind::Reads, 1));
        assert_eq!(
            of("/v1.0/groups/1/transitiveMembers/microsoft.graph.user"),
            (QuotaKind::Reads, 4)
        );
        assert_eq!(
            of("/v1.0/identity/conditionalAccess/policies"),
            (QuotaKind::ConditionalAccess, 1)
        );
        let report = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
        assert_eq!(of(report), (QuotaKind::Reports, 1));
        assert_eq!(QuotaKind::of(&Method::PATCH, "/beta/users/1"), (QuotaKind::Writes, 1));
    }

    #[tokio::test]
    async fn waiting_reports_do_not_delay_reads() {
        let gate = Gate::new(100, &Pace::default(), false);
        for _ in 0..5 {
            gate.enter(QuotaKind::Reports, 1).await.answered(QuotaReport::default());
        }
        let wait = Duration::from_millis(20);
        assert!(timeout(wait, gate.enter(QuotaKind::Reports, 1)).await.is_err());
        for _ in 0..1_000 {
            gate.enter(QuotaKind::Reads, 20).await.answered(QuotaReport::default());
        }
        assert_eq!(gate.waited(), Duration::ZERO);
    }

    #[tokio::test]
    async fn page_of_a_list_does_not_wait_for_batches() {
        let gate = Gate::new(100, &Pace::default(), false);
        let _turn = gate.0.lane(QuotaKind::Reads).turn.lock().await;
        let _writes = gate.0.lane(QuotaKind::Writes).turn.lock().await;
        let wait = Duration::from_millis(20);
        assert!(timeout(wait, gate.enter(QuotaKind::Reads, 5)).await.is_ok());
        assert!(timeout(wait, gate.enter(QuotaKind::Reads, 6)).await.is_err());
        assert!(timeout(wait, gate.enter(QuotaKind::Writes, 1)).await.is_err());
    }

    #[tokio::test]
    async fn only_a_local_tenant_is_asked_for_conditional_access_without_waits() {
        for (is_local, at_once) in [(true, 5), (false, 1)] {
            let gate = Gate::new(100, &Pace::default(), is_local);
            for _ in 0..at_once {
                let permit = gate.enter(QuotaKind::ConditionalAccess, 1).await;
                permit.answered(QuotaReport::default());
            }
            assert_eq!(gate.waited(), Duration::ZERO, "{is_local}");
            let next = gate.enter(QuotaKind::ConditionalAccess, 1);
            assert!(timeout(Duration::from_millis(20), next).await.is_err(), "{is_local}");
        }
    }

    #[tokio::test]
    async fn dropped_permit_lets_the_next_request_in() {
        let gate = Gate::new(100, &Pace::default(), false);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(gate.enter(QuotaKind::Reads, 20).await);
        }
        let wait = Duration::from_millis(20);
        assert!(timeout(wait, gate.enter(QuotaKind::Reads, 20)).await.is_err());
        drop(held.pop());
        assert!(timeout(wait, gate.enter(QuotaKind::Reads, 20)).await.is_ok());
    }
}
