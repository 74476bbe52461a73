//! The running tenant: takes calls, stores what they change, and returns the answers.
//!
//! This is the only place that carries out a write. The order is: the rules allow it, the log has
//! it, the store has it, the client gets the answer. If the process is killed in between, an answer
//! is lost, but never a write that was answered.
//!
//! Not here: the rules of each path (the handlers, found by `route`), or HTTP (`server`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use axum::http::Method;
use serde_json::Value;

use super::clock::Clock;
use super::faults::{Fault, Faults, PartInfo};
use super::options::Options;
use crate::graph::answer::{Answer, Body};
use crate::graph::call::{Call, Outcome, Paging, Payload};
use crate::graph::problem::Problem;
use crate::graph::{batch, parts, route};
use crate::http::delivery::Delivery;
use crate::rules::access::Access;
use crate::rules::late::Late;
use crate::rules::quotas::Meter;
use crate::state::effect::WriteLogLine;
use crate::state::folder::Ledger;
use crate::state::store::Store;

/// The order to cut the connection without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

/// An answer, and the way to deliver it.
#[derive(Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) answer: Answer,
    pub(crate) delivery: Delivery,
}

impl Served {
    pub(crate) fn whole(answer: Answer) -> Self {
        Self { answer, delivery: Delivery::Whole }
    }
}

#[derive(Debug)]
pub(crate) struct Service {
    store: RwLock<Store>,
    ledger: Mutex<Ledger>,
    faults: Faults,
    late: Late,
    access: Access,
    meter: Option<Meter>,
    clock: Clock,
    tried_writes: AtomicU64,
}

impl Service {
    pub(crate) fn new(store: Store, ledger: Ledger, options: &Options) -> Self {
        Self {
            late: Late::new(&store, options.lateness, options.clock.clone()),
            ledger: Mutex::new(ledger),
            faults: options.faults.clone(),
            access: options.access.clone(),
            meter: options
                .quotas
                .clone()
                .map(|size| Meter::new(size, store.tenant().id.to_string(), options.clock.clone())),
            clock: options.clock.clone(),
            tried_writes: AtomicU64::new(0),
            store: RwLock::new(store),
        }
    }

    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request that is not part of a batch.
    pub(crate) fn answer(&self, call: &Call) -> Result<Served, Cut> {
        let is_batch = matches!(call.segments.as_slice(), [only] if only == "$batch");
        self.with_faults(call, None, |call| match is_batch {
            true if call.method == Method::POST => batch::answer(self, call),
            true => Ok(Served::whole(call.refuse(Problem::method_not_allowed()))),
            false => Ok(Served::whole(self.perform(call))),
        })
    }

    /// Answers a part of a batch.
    pub(crate) fn answer_part(&self, call: &Call, id: &str) -> Result<Served, Cut> {
        self.with_faults(call, Some(id), |call| Ok(Served::whole(self.perform(call))))
    }

    fn with_faults(
        &self,
        call: &Call,
        batch_part: Option<&str>,
        work: impl FnOnce(&Call) -> Result<Served, Cut>,
    ) -> Result<Served, Cut> {
        let write = call.is_write().then(|| self.tried_writes.fetch_add(1, Ordering::SeqCst) + 1);
        let fault = self.faults.at(|| PartInfo {
            method: call.method.to_string(),
            path: call.path.clone(),
            version: Some(call.version),
            write,
            writes: call.is_write() || batch::writes(call),
            batch_part: batch_part.map(str::to_owned),
            continued: call.follows_a_link(),
        });
        self.befall(call, fault, work)
    }

    /// Carries out a call with the given fault.
    pub(crate) fn befall(
        &self,
        call: &Call,
        fault: Fault,
        work: impl FnOnce(&Call) -> Result<Served, Cut>,
    ) -> Result<Served, Cut> {
        let with = |served: Result<Served, Cut>, delivery| {
            served.map(|served| Served { delivery, ..served })
        };
        let paged = |paging| Call { paging, ..call.clone() };
        match fault {
            Fault::None => work(call),
            Fault::CloseBefore => Err(Cut),
            Fault::CloseAfter => work(call).and(Err(Cut)),
            Fault::CutAt(bytes) => with(work(call), Delivery::CutAt(bytes)),
            Fault::CutBody => with(work(call), Delivery::CutBody),
            Fault::Truncated => with(work(call), Delivery::Truncated),
            Fault::NotJson => with(work(call), Delivery::NotJson),
            Fault::SlowBody(over) => with(work(call), Delivery::SlowBody(over)),
            Fault::Slow(by) => with(work(call), Delivery::Slow(by)),
            Fault::EmptyPage => work(&paged(Paging::Empty)),
            Fault::RepeatedRow => work(&paged(Paging::Overlapping)),
            Fault::ShortPage(rows) => work(call)
                .map(|served| Served { answer: parts::first(served.answer, call, rows), ..served }),
            Fault::ShortLists(rows) => work(call).map(|served| Served {
                answer: parts::first_inside(served.answer, call, rows),
                ..served
            }),
            Fault::ForeignLink(host) => work(call).map(|served| foreign_link(served, call, &host)),
            refusal => Ok(self.refusal(call, refusal)),
        }
    }

    /// Returns the answer of a fault that replaces the service. Nothing is carried out.
    fn refusal(&self, call: &Call, fault: Fault) -> Served {
        let message = "This fault was requested.";
        match fault {
            Fault::Status { status, code, retry_after } => Served::whole(
                call.refuse(Problem { retry_after, ..Problem::new(status, &code, message) }),
            ),
            Fault::StatusUntil { status, code, seconds } => {
                let mut answer = call.refuse(Problem::new(status, &code, message));
                answer.headers.push(("Retry-After", self.clock.date_in(seconds)));
                Served::whole(answer)
            }
            Fault::Redirect(host) => {
                let location = format!("{host}{}", call.path);
                let headers = vec![("Location", location)];
                Served::whole(Answer { status: 302, headers, body: Body::Empty })
            }
            _ => {
                let problem = Problem::new(401, "InvalidAuthenticationToken", message);
                let mut answer = call.refuse(problem);
                // Entra documentation of continuous access evaluation, checked 2026-11.
                let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";
                answer.headers.push(("WWW-Authenticate", challenge.to_owned()));
                Served { answer, delivery: Delivery::Revoke }
            }
        }
    }

    /// Returns the fault for a request outside Graph.
    pub(crate) fn fault_outside(&self, method: &Method, path: &str) -> Fault {
        self.faults.at(|| PartInfo {
            method: method.to_string(),
            path: path.to_owned(),
            version: None,
            write: None,
            writes: false,
            batch_part: None,
            continued: false,
        })
    }

    fn perform(&self, call: &Call) -> Answer {
        let (call, shown) = parts::unmarked(call);
        parts::rest(self.perform_whole(&call), shown)
    }

    fn perform_whole(&self, call: &Call) -> Answer {
        let reading = match self.meter.as_ref().map(|meter| meter.take(call)) {
            Some(Err(refusal)) => return refusal,
            Some(Ok(reading)) => Some(reading),
            None => None,
        };
        let result = self.access.check(call).and_then(|()| match call.is_write() {
            true => self.write(call),
            false => self.read(call),
        });
        let answer = result.unwrap_or_else(|problem| call.refuse(problem));
        let mut answer = self.access.show(call, answer);
        if let Some(reading) = reading {
            reading.report(&mut answer);
        }
        answer
    }

    fn read(&self, call: &Call) -> Result<Answer, Problem> {
        let outcome = match self.late.view(call) {
            Some(view) => route::handle(call, view.store()),
            None => route::handle(call, &self.store()),
        };
        outcome.map(|outcome| outcome.answer)
    }

    fn write(&self, call: &Call) -> Result<Answer, Problem> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let Outcome { effects, answer } = route::handle(call, &store)?;
        if effects.is_empty() {
            return Ok(answer);
        }
        let ordinal = u64::try_from(store.writes().len()).unwrap_or(u64::MAX);
        let line = WriteLogLine {
            ordinal: ordinal.saturating_add(1),
            method: call.method.to_string(),
            path: call.path.clone(),
            body: sent(call),
            effects,
        };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.append(&line).map_err(|error| {
            Problem::new(
                503,
                "serviceNotAvailable",
                format!("The sandbox cannot store this write: {error}."),
            )
        })?;
        self.late.record(&line);
        store.write(line);
        Ok(answer)
    }

    /// Refuses all later writes, and releases the folder for the next server.
    pub(crate) fn close(&self) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.close();
    }
}

/// Returns the body for the log, without a password.
fn sent(call: &Call) -> Value {
    let Payload::Json(body) = &call.payload else {
        return Value::Null;
    };
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("passwordProfile");
    }
    body
}

/// Changes the nextLink of an answer to another host.
fn foreign_link(mut served: Served, call: &Call, host: &str) -> Served {
    if let Body::Json(Value::Object(body)) = &mut served.answer.body
        && let Some(Value::String(link)) = body.get_mut("@odata.nextLink")
    {
        *link = link.replacen(&call.root, host, 1);
    }
    served
}
