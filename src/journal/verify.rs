//! Checks the whole chain of a tenant: every segment is there, and each holds the digest of the one before it.
//! With the last digest, kept elsewhere, an
//! auditor can prove later that nothing was cut off or replaced since.
//!
//! Not here: the lines of each run (`read`), or how the result looks (`render::runs`).

use super::chain::Segment;
use super::listing::runs;
use super::read::{JournalFault, past};
use super::run_store::TenantRuns;
use crate::id::TenantId;

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub tenant: TenantId,
    pub runs: usize,
    pub segments: usize,
    /// The number of the first segment. It is not 1 if old journals were removed.
    pub first: u64,
    /// SHA-256 of the last segment, in hex; `None` if there is none.
    pub last_digest: Option<String>,
    /// What is not as it was written.
    pub faults: Vec<ChainFault>,
    /// Whether the expected digest is that of a segment; `None` if none was expected.
    pub expected_is_there: Option<bool>,
}

/// Something in a chain that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFault {
    /// Segments are missing in between.
    Missing { from: u64, to: u64 },
    /// The first line of the segment cannot be read, or belongs to another place.
    Head(u64),
    /// The segment before this one has another digest than this one says.
    Before(u64),
    /// A run is damaged, in words.
    Run(String),
}

impl Verification {
    /// Returns whether everything is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.expected_is_there != Some(false)
    }
}

/// Checks the chain of a tenant. `expected` is the digest of a segment that was noted before.
///
/// # Errors
/// The store could not be read.
pub async fn verify(of: &TenantRuns, expected: Option<&str>) -> Result<Verification, JournalFault> {
    let numbers = of.numbers().await?;
    let mut found = Verification {
        tenant: of.tenant,
        runs: 0,
        segments: numbers.len(),
        first: numbers.first().copied().unwrap_or_default(),
        last_digest: None,
        faults: Vec::new(),
        expected_is_there: expected.map(|_| false),
    };
    let mut last = None;
    for number in numbers {
        let segment = of.segment(number).await?;
        let Some(segment) = segment else {
            found.faults.push(ChainFault::Missing { from: number, to: number });
            continue;
        };
        if expected == Some(segment.digest.as_str()) {
            found.expected_is_there = Some(true);
        }
        found.faults.extend(fault(number, &segment, last.as_ref()));
        found.last_digest = Some(segment.digest.clone());
        last = Some((number, segment.digest));
    }
    for run in runs(of).await? {
        found.runs += 1;
        match past(of, &run).await {
            Ok(past) if past.damage.is_none() => {}
            Ok(past) => found.faults.push(ChainFault::Run(format!("run {run}: {}", past.damage))),
            Err(fault) => found.faults.push(ChainFault::Run(fault.to_string())),
        }
    }
    Ok(found)
}

/// Compares a segment with the one before it.
fn fault(number: u64, segment: &Segment, last: Option<&(u64, String)>) -> Option<ChainFault> {
    if let Some((before, _)) = last
        && before + 1 != number
    {
        return Some(ChainFault::Missing { from: before + 1, to: number - 1 });
    }
    let Some(head) = &segment.head else { return Some(ChainFault::Head(number)) };
    match (last, &head.before) {
        (Some((_, digest)), said) if said.as_ref() != Some(digest) => {
            Some(ChainFault::Before(number))
        }
        _ => None,
    }
}
