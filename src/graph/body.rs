//! Reads the bodies of answers to their end, up to a limit.
//!
//! A compressed body of a megabyte can be a thousand times longer after decompression, and the length after
//! decompression takes the memory. So the bytes are counted piece by piece, for each body and for all
//! bodies in memory together.
//!
//! Not here: the memory that a parsed body takes (`page` limits the rows).

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MIB: usize = 1 << 20;

/// The largest answer of Graph, single or of a batch, in bytes. A page has at most 999 rows and a batch
/// twenty parts (Graph documentation of paging and batching, checked 2026-11): this leaves 16 KiB for each
/// user of a full page, and 800 KiB for each part.
pub(super) const MOST_OF_GRAPH: usize = 16 * MIB;
/// The largest other answer, in bytes: a refusal, a token, the document of discovery. Usually they have a few
/// kilobytes.
pub(super) const MOST_OF_OTHERS: usize = MIB;
/// The largest size of all bodies of one client that are in memory at the same time, in bytes.
const MOST_TOGETHER: usize = 256 * MIB;

/// The memory that the bodies of a client take together.
#[derive(Debug, Clone, Default)]
pub(super) struct Bodies(Arc<AtomicUsize>);

/// The body of an answer.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    counted: usize,
    of: Bodies,
}

/// The reason why there is no body.
#[derive(Debug)]
pub(super) enum NoBody {
    Lost(reqwest::Error),
    /// The body is longer than this number of bytes.
    TooLong(usize),
}

impl Bodies {
    /// Reads a body of at most `most` bytes.
    pub(super) async fn read(
        &self,
        mut response: reqwest::Response,
        most: usize,
    ) -> Result<Body, NoBody> {
        let mut body = Body { bytes: Vec::new(), counted: 0, of: self.clone() };
        while let Some(piece) = response.chunk().await.map_err(NoBody::Lost)? {
            body.add(&piece, most)?;
        }
        Ok(body)
    }
}

impl Body {
    fn add(&mut self, piece: &[u8], most: usize) -> Result<(), NoBody> {
        let length = self.bytes.len().saturating_add(piece.len());
        if length > most {
            return Err(NoBody::TooLong(most));
        }
        if length > self.bytes.capacity() {
            let wanted = length.max(self.bytes.capacity().saturating_mul(2)).min(most);
            let together = self.of.0.fetch_add(wanted - self.counted, Ordering::Relaxed);
            let together = together.saturating_add(wanted - self.counted);
            self.counted = wanted;
            if together > MOST_TOGETHER {
                return Err(NoBody::TooLong(MOST_TOGETHER));
            }
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the message for a body longer than `most` bytes.
pub(super) fn too_long(most: usize) -> String {
    format!("the answer is longer than {} MiB", most / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_and_all_bodies_together_are_limited() {
        let bodies = Bodies::default();
        let new = || Body { bytes: Vec::new(), counted: 0, of: bodies.clone() };
        let mut one = new();
        let piece = vec![0; MIB];
        for _ in 0..16 {
            one.add(&piece, MOST_OF_GRAPH).unwrap();
        }
        assert_eq!((one.len(), one.bytes.capacity()), (MOST_OF_GRAPH, MOST_OF_GRAPH));
        assert!(matches!(one.add(&[0], MOST_OF_GRAPH), Err(NoBody::TooLong(MOST_OF_GRAPH))));
        let filled = || {
            let mut body = new();
            let added = (0..16).try_for_each(|_| body.add(&piece, MOST_OF_GRAPH));
            added.map(|()| body)
        };
        let others: Vec<Body> = (0..15).map(|_| filled().unwrap()).collect();
        assert!(matches!(filled(), Err(NoBody::TooLong(MOST_TOGETHER))));
        drop(others);
        assert_eq!(bodies.0.load(Ordering::Relaxed), MOST_OF_GRAPH);
        filled().unwrap();
        drop(one);
        assert_eq!(bodies.0.load(Ordering::Relaxed), 0);
    }
}
