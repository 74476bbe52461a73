//! Parts of the service that hear of a write late: lists of methods, the change from `enabled` to
//! `enforced`, and the index behind `ConsistencyLevel: eventual`.
//!
//! Graph documentation of advanced queries and of per-user MFA states, and what administrators see
//! after a 201, checked 2026-11. Each late part is the same tenant to which the latest writes have
//! not happened yet; the rules always look at the tenant as it is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;

use super::call::Call;
use super::clock::Clock;
use super::effect::{Effect, WriteLogLine};
use super::store::Store;

/// How long after a write parts of the service still show what was before; by the service's
/// clock, and not at all unless said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Lists of a user's methods. A single method is found by its id at once.
    pub methods: Duration,
    /// `enabled` becoming `enforced` by itself.
    pub promotion: Duration,
    /// The index: what is read with `ConsistencyLevel: eventual`, and `transitiveMembers` always.
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

    /// Tells the late parts of a write, which they will believe in time.
    pub(crate) fn tell(&self, line: &WriteLogLine) {
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
                    // The second state in one write is what the service makes of the first.
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

    /// The late part that answers this call, caught up with what it should know by now.
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

/// Whether a read of membership is answered from the index, whatever its headers say: casts, counts,
/// filters and searches are, and for `transitiveMembers` no document says that the directory itself
/// answers. Plain `members` and the functions `checkMemberGroups` and `getMemberGroups` ask the
/// directory (Graph documentation of advanced query capabilities and of List group transitive
/// members, checked 2026-11).
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
    /// What has happened and is not believed yet, each with the time by which it will be.
    waiting: Vec<(Duration, Effect)>,
}

impl Behind {
    fn new(store: Store) -> Self {
        Self { store, waiting: Vec::new() }
    }

    fn take(&mut self, effect: &Effect, now: Duration, delay: Duration) {
        if let Effect::Requirements { user, .. } = effect {
            // A state that somebody sets ends whatever was to become of the one before.
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
