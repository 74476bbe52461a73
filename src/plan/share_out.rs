//! Work on many users, shared out to all processors.
//!
//! Each part is done by itself, and the results come in the order of the parts, so that nothing hangs
//! on how many processors there are. Not here: what the work is.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Fewer are sooner done than shared out.
const WORTH_IT: usize = 4_000;

/// What the work makes of all, in parts.
pub(super) fn share_out<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if all.len() < WORTH_IT || processors == 1 {
        return vec![work(all)];
    }
    let work = &work;
    thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(processors));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let done = parts.into_iter().map(thread::ScopedJoinHandle::join);
        done.map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_in_order() {
        for count in [0, 1, WORTH_IT - 1, WORTH_IT, 3 * WORTH_IT + 1] {
            let all: Vec<usize> = (0..count).collect();
            let parts = share_out(&all, <[usize]>::to_vec);
            assert_eq!(parts.concat(), all);
        }
    }
}
