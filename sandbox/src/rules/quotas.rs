//! The number of requests that an application and a tenant may send, in token buckets.
//!
//! Graph documentation of throttling limits (identity and access, its reports, Conditional Access),
//! checked 2026-11. Each part of a batch counts as a request, and so does a refused request. Not
//! here: faults that look like throttling (`faults`).

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::Method;

use crate::clock::Clock;
use crate::graph::answer::Answer;
use crate::graph::call::Call;
use crate::graph::problem::Problem;

/// The size of tenant for which the service throttles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantSize {
    /// Under 50 users.
    S,
    /// 50 to 500.
    M,
    /// Over 500.
    L,
}

/// The quotas of one tenant.
#[derive(Debug, Clone)]
pub struct Quotas {
    pub size: TenantSize,
    /// Changes of the quotas while the server runs.
    pub shifts: Vec<Shift>,
}

/// A change of all quotas. When `after` has passed since the first request, they are `percent` percent
/// of the documented quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    pub after: Duration,
    pub percent: u32,
}

impl From<TenantSize> for Quotas {
    fn from(size: TenantSize) -> Self {
        Self { size, shifts: Vec::new() }
    }
}

/// A quota that is used up by requests and refilled over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    /// Resource units of one application in a tenant.
    Units,
    /// Writes of one application in a tenant.
    Writes,
    /// Writes of all applications in a tenant.
    TenantWrites,
    /// Requests for reports of one application in a tenant.
    Reports,
    /// Requests for Conditional Access of all applications in a tenant.
    ConditionalAccess,
}

/// The size of a bucket: `amount` in `window` seconds.
struct Limit {
    amount: f64,
    window: f64,
    /// Whether a refusal says how long to wait.
    has_retry_after: bool,
    /// Whether each application has a bucket of its own.
    by_app: bool,
    /// The values of `x-ms-throttle-scope` and `x-ms-throttle-information`.
    scope: &'static str,
    information: &'static str,
}

#[derive(Debug)]
struct Level {
    left: f64,
    at: Duration,
}

/// The meter of one tenant.
#[derive(Debug)]
pub(crate) struct Meter {
    quotas: Quotas,
    tenant: String,
    clock: Clock,
    /// The time of the first request.
    first: OnceLock<Duration>,
    levels: Mutex<HashMap<(Bucket, String), Level>>,
}

/// The cost of a call, and the level of its fullest bucket afterwards.
pub(crate) struct Reading {
    units: u32,
    /// 1.0 means that the limit is reached.
    used: f64,
}

impl Meter {
    pub(crate) fn new(quotas: Quotas, tenant: String, clock: Clock) -> Self {
        Self { quotas, tenant, clock, first: OnceLock::new(), levels: Mutex::default() }
    }

    /// Takes the cost of a call from its buckets, or refuses the call.
    pub(crate) fn take(&self, call: &Call) -> Result<Reading, Answer> {
        let app = call.app.as_deref().unwrap_or("unknown");
        let units = cost(call);
        let mut reading = Reading { units, used: 0.0 };
        for (bucket, amount) in buckets(call, units) {
            let limit = self.limit(bucket);
            let (used, wait) = self.drain(bucket, &limit, app, amount);
            reading.used = reading.used.max(used);
            if let Some(wait) = wait {
                return Err(self.refusal(call, &limit, app, wait));
            }
        }
        Ok(reading)
    }

    /// Returns the limit of a bucket at this moment, with the shifts applied.
    fn limit(&self, bucket: Bucket) -> Limit {
        let now = self.clock.passed();
        let elapsed = now.saturating_sub(*self.first.get_or_init(|| now));
        let shifts = self.quotas.shifts.iter().filter(|shift| shift.after <= elapsed);
        let percent = shifts.max_by_key(|shift| shift.after).map_or(100, |shift| shift.percent);
        let limit = bucket.limit(self.quotas.size);
        Limit { amount: limit.amount * f64::from(percent) / 100.0, ..limit }
    }

    /// Takes an amount from a bucket. Returns how full the bucket is, and the seconds to wait if it is
    /// too full.
    fn drain(&self, bucket: Bucket, limit: &Limit, app: &str, amount: f64) -> (f64, Option<f64>) {
        let now = self.clock.passed();
        let owner = if limit.by_app { app.to_owned() } else { String::new() };
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.entry((bucket, owner)).or_insert(Level { left: limit.amount, at: now });
        let rate = limit.amount / limit.window;
        let since = now.saturating_sub(level.at).as_secs_f64();
        level.left = (level.left + since * rate).min(limit.amount);
        level.at = now;
        let wait = (level.left < amount).then(|| (amount - level.left) / rate);
        // Every refused request makes the wait longer, up to one whole limit.
        level.left = (level.left - amount).max(-limit.amount);
        (1.0 - level.left / limit.amount, wait)
    }

    fn refusal(&self, call: &Call, limit: &Limit, app: &str, wait: f64) -> Answer {
        let mut problem = Problem::new(429, "TooManyRequests", "Too many requests.");
        // `Retry-After` is in whole seconds, so it is at least 1.
        let seconds = Duration::from_secs_f64(wait.ceil().clamp(1.0, 3600.0)).as_secs();
        problem.retry_after = limit.has_retry_after.then(|| self.clock.told(seconds));
        let mut answer = call.refuse(problem);
        let scope = format!("{}/{app}/{}", limit.scope, self.tenant);
        answer.headers.push(("x-ms-throttle-scope", scope));
        answer.headers.push(("x-ms-throttle-information", limit.information.to_owned()));
        answer
    }
}

impl Reading {
    /// Adds the headers about the cost and the used quota to an answer.
    pub(crate) fn report(&self, answer: &mut Answer) {
        answer.headers.push(("x-ms-resource-unit", self.units.to_string()));
        if self.used > 0.8 {
            let used = format!("{:.1}", self.used.min(1.8));
            answer.headers.push(("x-ms-throttle-limit-percentage", used));
        }
    }
}

impl Bucket {
    fn limit(self, size: TenantSize) -> Limit {
        let limit = |amount, window| Limit {
            amount,
            window,
            has_retry_after: true,
            by_app: true,
            scope: "Tenant_Application/ReadWrite",
            information: "ResourceUnitLimitExceeded",
        };
        let writes = "WriteLimitExceeded";
        match (self, size) {
            (Self::Units, TenantSize::S) => limit(3500.0, 10.0),
            (Self::Units, TenantSize::M) => limit(5000.0, 10.0),
            (Self::Units, TenantSize::L) => limit(8000.0, 10.0),
            (Self::Writes, _) => Limit {
                scope: "Tenant_Application/Write",
                information: writes,
                ..limit(3000.0, 150.0)
            },
            (Self::TenantWrites, _) => Limit {
                by_app: false,
                scope: "Tenant/Write",
                information: writes,
                ..limit(18000.0, 300.0)
            },
            (Self::Reports, _) => Limit {
                scope: "Tenant_Application/Read",
                information: "CPULimitExceeded",
                ..limit(5.0, 10.0)
            },
            (Self::ConditionalAccess, _) => Limit {
                by_app: false,
                has_retry_after: false,
                scope: "Tenant/ReadWrite",
                information: "CPULimitExceeded",
                ..limit(1.0, 1.0)
            },
        }
    }
}

fn buckets(call: &Call, units: u32) -> Vec<(Bucket, f64)> {
    match call.segments.first().map(String::as_str) {
        Some("reports" | "auditLogs") => return vec![(Bucket::Reports, 1.0)],
        Some("identity") => return vec![(Bucket::ConditionalAccess, 1.0)],
        _ => {}
    }
    let mut buckets = vec![(Bucket::Units, f64::from(units))];
    if call.is_write() {
        buckets.extend([(Bucket::Writes, 1.0), (Bucket::TenantWrites, 1.0)]);
    }
    buckets
}

/// The cost in resource units, by the table of the throttling page.
fn cost(call: &Call) -> u32 {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let select = |call: &Call| option(call, "select").is_some();
    let base = match segments.as_slice() {
        ["directoryObjects", "getByIds"] => return if select(call) { 2 } else { 5 },
        _ if call.is_write() => return 1,
        ["users"] | ["users", "$count"] => 2,
        ["groups", _, "members", ..] => 3,
        ["groups", _, "transitiveMembers", ..] => 5,
        ["users", _, "memberOf" | "transitiveMemberOf" | "getMemberGroups", ..] => 2,
        ["users", _, "checkMemberGroups"] => 4,
        _ => 1,
    };
    let few = option(call, "top").and_then(|top| top.parse::<u32>().ok()).is_some_and(|n| n < 20);
    let more = u32::from(option(call, "expand").is_some());
    let less = u32::from(select(call)) + u32::from(few && call.method == Method::GET);
    (base + more).saturating_sub(less).max(1)
}

fn option<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let mut options = call.query.iter();
    let (_, value) = options.find(|(given, _)| given.trim_start_matches('$') == name)?;
    Some(value)
}
