//! Parts of the service that show a write late: lists of methods, the change from `enabled` to
//! `enforced`, and the index behind `ConsistencyLevel: eventual`.
//!
//! Graph documentation of advanced queries and of per-user MFA states, and what administrators see
//! after a 201, checked 2026-11. Each late part is the same tenant without the latest writes. The
//! rules always use the current tenant.
//!
//! Not here: slow answers (`faults`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;

use crate::clock::Clock;
use crate::graph::call::Call;
use crate::state::effect::{Effect, WriteLogLine};
use crate::state::store::Store;

/// How long each part of the service shows the state before a write, by the clock of the service.
/// By default, every write is visible at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Lists of a user's methods. A single method can be read by its id at once.
    pub methods: Duration,
    /// The change from `enabled` to `enforced` that the service makes by itself.
    pub promotion: Duration,
    /// The index: every read with `ConsistencyLevel: eventual`, and always `transitiveMembers`.
    pub index: Duration,
}

/// The late parts.
#[derive(Debug)]
pub(crate) struct Late {
    lateness: Lateness,
    clock: Clock,
    methods: Option<Mutex<Behind>>,
    index: Option<Mutex<Behind>>,
}

impl Late {
    pub(crate) fn new(store: &Store, lateness: Lateness, clock: Clock) -> Self {
        let behind = |late: bool| late.then(|| Mutex::new(Behind::new(store.clone())));
        let zero = Duration::ZERO;
        Self {
            methods: behind(lateness.methods > zero || lateness.promotion > zero),
            index: behind(lateness.index > zero),
            lateness,
            clock,
        }
    }

    /// Records a write for the late parts, which show it when its delay is over.
    pub(crate) fn record(&self, line: &WriteLogLine) {
        let now = self.clock.passed();
        if let Some(index) = &self.index {
            let mut index = lock(index);
            let due = now.saturating_add(self.lateness.index);
            index.waiting.extend(line.effects.iter().map(|effect| (due, effect.clone())));
        }
        if let Some(methods) = &self.methods {
            let mut methods = lock(methods);
            let mut before: Option<&Effect> = None;
            for effect in &line.effects {
                let delay = match (before, effect) {
                    // The second state in one write is the promotion of the first by the service.
                    (Some(Effect::Requirements { .. }), Effect::Requirements { .. }) => {
                        self.lateness.promotion
                    }
                    (_, Effect::Methods { .. }) => self.lateness.methods,
                    _ => Duration::ZERO,
                };
                methods.take(effect, now, delay);
                before = Some(effect);
            }
        }
    }

    /// Returns the late part that answers this call, up to date with the writes whose delay is over.
    pub(crate) fn view(&self, call: &Call) -> Option<View<'_>> {
        if call.method != Method::GET {
            return None;
        }
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let behind = match segments.as_slice() {
            ["users", _, "authentication"]
            | ["users", _, "authentication", "methods" | "phoneMethods" | "requirements"] => {
                self.methods.as_ref()?
            }
            _ if call.eventual || is_indexed(call, &segments) => self.index.as_ref()?,
            _ => return None,
        };
        let mut behind = lock(behind);
        behind.catch_up(self.clock.passed());
        Some(View(behind))
    }
}

/// Whether a read of membership is answered from the index, whatever its headers are. Casts, counts,
/// filters and searches are answered from the index. So is `transitiveMembers`, because no document
/// promises that the directory itself answers it. Plain `members` and the functions
/// `checkMemberGroups` and `getMemberGroups` are answered from the directory (Graph documentation of
/// advanced query capabilities and of List group transitive members, checked 2026-11).
fn is_indexed(call: &Call, segments: &[&str]) -> bool {
    const ADVANCED: [&str; 4] = ["count", "filter", "search", "orderby"];
    let is_advanced =
        || call.query.iter().any(|(name, _)| ADVANCED.contains(&name.trim_start_matches('$')));
    match segments {
        ["groups", _, "transitiveMembers", ..]
        | ["groups", _, "members", _, ..]
        | ["users", _, "memberOf" | "transitiveMemberOf", _, ..] => true,
        ["groups", _, "members"] | ["users", _, "memberOf" | "transitiveMemberOf"] => is_advanced(),
        _ => false,
    }
}

fn lock(behind: &Mutex<Behind>) -> MutexGuard<'_, Behind> {
    behind.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tenant as a late part sees it, for one answer.
pub(crate) struct View<'l>(MutexGuard<'l, Behind>);

impl View<'_> {
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }
}

#[derive(Debug)]
struct Behind {
    store: Store,
    /// The effects that this part does not show yet, each with the time from which it does.
    waiting: Vec<(Duration, Effect)>,
}

impl Behind {
    fn new(store: Store) -> Self {
        Self { store, waiting: Vec::new() }
    }

    fn take(&mut self, effect: &Effect, now: Duration, delay: Duration) {
        if let Effect::Requirements { user, .. } = effect {
            // Setting a state cancels the pending promotion of the previous state.
            self.waiting.retain(
                |(_, other)| !matches!(other, Effect::Requirements { user: same, .. } if same == user),
            );
        }
        match delay.is_zero() {
            true => self.store.apply(effect),
            false => self.waiting.push((now.saturating_add(delay), effect.clone())),
        }
    }

    fn catch_up(&mut self, now: Duration) {
        let (due, waiting) = self.waiting.drain(..).partition(|(due, _)| *due <= now);
        self.waiting = waiting;
        let due: Vec<(Duration, Effect)> = due;
        due.iter().for_each(|(_, effect)| self.store.apply(effect));
    }
}
