//! Splits work on many users over all processors.
//!
//! Each part is independent, and the results are in the order of the parts, so the outcome does not depend
//! on the number of processors.
//!
//! Not here: the work itself (`build`).

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// The number of items from which splitting is faster than one thread.
const WORTH_IT: usize = 4_000;

/// Does the work on all items in parts, and returns the results of the parts in order.
pub(crate) fn share_out<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
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
    fn every_item_is_processed_once_and_in_order() {
        for count in [0, 1, WORTH_IT - 1, WORTH_IT, 3 * WORTH_IT + 1] {
            let all: Vec<usize> = (0..count).collect();
            let parts = share_out(&all, <[usize]>::to_vec);
            assert_eq!(parts.concat(), all);
        }
    }
}
