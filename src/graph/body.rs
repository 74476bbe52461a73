//! Bodies of answers, read to their end and no further than to a bound.
//!
//! Compressed, a body of a megabyte can be a thousand times as long, and it is the length after
//! decompression that takes memory. So what comes is counted piece by piece, each body by itself and
//! all that are held at a time.
//!
//! Not here: how much of what is in a body becomes memory when it is parsed (`page` bounds the rows).

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MIB: usize = 1 << 20;

/// An answer of Graph, single or of a batch. A page has 999 rows at most and a batch twenty parts
/// (Graph documentation of paging and batching, checked 2026-11): this leaves 16 KiB for each user of
/// a full page, and 800 KiB for each part.
pub(super) const MOST_OF_GRAPH: usize = 16 * MIB;
/// A refusal, a token, the document of discovery: a few kilobytes are usual.
pub(super) const MOST_OF_OTHERS: usize = MIB;
/// All bodies of one client that are held at a time.
const MOST_TOGETHER: usize = 256 * MIB;

/// What the bodies of a client take up together.
#[derive(Debug, Clone, Default)]
pub(super) struct Bodies(Arc<AtomicUsize>);

/// A body that came whole.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    counted: usize,
    of: Bodies,
}

/// Why there is no body.
#[derive(Debug)]
pub(super) enum NoBody {
    Lost(reqwest::Error),
    /// It is longer than so many bytes.
    TooLong(usize),
}

impl Bodies {
    /// Reads a body of so many bytes at most.
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

/// In words.
pub(super) fn too_long(most: usize) -> String {
    format!("the answer is longer than {} MiB", most / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_bounded_and_so_are_all_together() {
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
