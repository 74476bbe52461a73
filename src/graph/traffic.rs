//! Counts the requests and bytes that were sent and received.
//!
//! Not here: showing the counts (`commands`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;

use super::client::RepeatableRequest;

/// The requests and bytes that were sent and received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// All requests to Graph. Requests for tokens are not counted.
    pub requests: u64,
    /// The batches among the requests. The others are reads of one object or one page of a list.
    pub batches: u64,
    /// Parts inside the batches. A part counts each time it is sent.
    pub parts: u64,
    /// Parts that write.
    pub writes: u64,
    /// Waits before a second or later try.
    pub retries: u64,
    /// Answers with 429, including those of parts.
    pub throttled: u64,
    /// Bytes of the bodies that were sent.
    pub sent: u64,
    /// Bytes of the bodies that were received, after decompression.
    pub received: u64,
    /// The total time that requests at the head of a queue waited for their quota.
    pub waited: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    batches: AtomicU64,
    parts: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    pub(super) fn so_far(&self) -> Traffic {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            requests: of(&self.requests),
            batches: of(&self.batches),
            parts: of(&self.parts),
            writes: of(&self.writes),
            retries: of(&self.retries),
            throttled: of(&self.throttled),
            sent: of(&self.sent),
            received: of(&self.received),
            waited: Duration::ZERO,
        }
    }

    pub(super) fn sent(&self, ask: &RepeatableRequest) {
        add(&self.requests, 1);
        if ask.method == Method::POST {
            add(&self.batches, 1);
        }
        add(&self.sent, ask.body.as_ref().map_or(0, Vec::len));
    }

    pub(super) fn parts(&self, parts: usize, writes: bool) {
        add(&self.parts, parts);
        if writes {
            add(&self.writes, parts);
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        add(&self.received, bytes);
    }

    pub(super) fn tried_again(&self) {
        add(&self.retries, 1);
    }

    pub(super) fn throttled(&self, answers: usize) {
        add(&self.throttled, answers);
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}
