//! The tenant at work: takes calls, keeps what they change, gives the answers.
//!
//! The one place where a write becomes true. Order: the rules say yes, the log has it, the store
//! has it, the client hears of it. Whoever kills the process in between loses an answer, never a
//! write that was answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use axum::http::Method;
use serde_json::Value;

use super::Options;
use super::batch;
use super::call::{Answer, Call, Payload};
use super::effect::WriteLogLine;
use super::faults::{Fault, Faults, PartInfo};
use super::folder::Ledger;
use super::late::Late;
use super::problem::Problem;
use super::route::{self, Outcome};
use super::store::Store;

/// The connection is to be cut without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

#[derive(Debug)]
pub(crate) struct Service {
    store: RwLock<Store>,
    ledger: Mutex<Ledger>,
    faults: Faults,
    late: Late,
    tried_writes: AtomicU64,
}

impl Service {
    pub(crate) fn new(store: Store, ledger: Ledger, options: &Options) -> Self {
        Self {
            late: Late::new(&store, options.lateness, options.clock.clone()),
            store: RwLock::new(store),
            ledger: Mutex::new(ledger),
            faults: options.faults.clone(),
            tried_writes: AtomicU64::new(0),
        }
    }

    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request of its own.
    pub(crate) fn answer(&self, call: &Call) -> Result<Answer, Cut> {
        let is_batch = matches!(call.segments.as_slice(), [only] if only == "$batch");
        self.with_faults(call, None, || match is_batch {
            true if call.method == Method::POST => batch::answer(self, call),
            true => Ok(refused(call, Problem::method_not_allowed())),
            false => Ok(self.perform(call)),
        })
    }

    /// Answers a part of a batch.
    pub(crate) fn answer_part(&self, call: &Call, id: &str) -> Result<Answer, Cut> {
        self.with_faults(call, Some(id), || Ok(self.perform(call)))
    }

    fn with_faults(
        &self,
        call: &Call,
        batch_part: Option<&str>,
        work: impl FnOnce() -> Result<Answer, Cut>,
    ) -> Result<Answer, Cut> {
        let write = call.is_write().then(|| self.tried_writes.fetch_add(1, Ordering::SeqCst) + 1);
        let fault = self.faults.at(|| PartInfo {
            method: call.method.to_string(),
            path: call.path.clone(),
            version: Some(call.version),
            write,
            batch_part: batch_part.map(str::to_owned),
        });
        match fault {
            Fault::None => work(),
            Fault::CloseBefore => Err(Cut),
            Fault::CloseAfter => work().and(Err(Cut)),
            Fault::Status { status, code, retry_after } => Ok(refused(
                call,
                Problem {
                    retry_after,
                    ..Problem::new(status, &code, "A fault that was asked for.")
                },
            )),
        }
    }

    /// What the hook says of a request that is none to Graph.
    pub(crate) fn fault_outside(&self, method: &Method, path: &str) -> Fault {
        self.faults.at(|| PartInfo {
            method: method.to_string(),
            path: path.to_owned(),
            version: None,
            write: None,
            batch_part: None,
        })
    }

    fn perform(&self, call: &Call) -> Answer {
        let result = if call.is_write() { self.write(call) } else { self.read(call) };
        result.unwrap_or_else(|problem| refused(call, problem))
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
                format!("The sandbox cannot keep this write: {error}."),
            )
        })?;
        self.late.tell(&line);
        store.write(line);
        Ok(answer)
    }

    /// No write after this one is taken; the folder is free for the next server.
    pub(crate) fn close(&self) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.close();
    }
}

/// The body for the log, without a password.
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

pub(crate) fn refused(call: &Call, problem: Problem) -> Answer {
    problem.into_answer(call.request_id.as_deref(), call.client_request_id.as_deref())
}
