//! The files of journals in a folder: the text of a run over all its segments, which a test can replace, and
//! chains that a test writes itself.
//!
//! Not here: what the lines say, which the program reads.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};

use mfactl::id::TenantId;
use mfactl::journal::{self, Damage, JournalFault, Past, RestoreRow, RunId, RunStore, TenantRuns};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::world::World;

/// The journals of one tenant in a folder.
pub(crate) struct JournalFiles {
    folder: PathBuf,
    tenant: TenantId,
}

/// Waits for a result of the store. Nothing in a folder waits for anything else.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(work).expect("a folder answers at once")
}

impl JournalFiles {
    pub(crate) fn new(folder: &Path, tenant: TenantId) -> Self {
        Self { folder: folder.to_owned(), tenant }
    }

    pub(crate) fn of(world: &World) -> Self {
        Self::new(&world.path(".mfactl"), TenantId::from_uuid(world.server().tenant_id()))
    }

    pub(crate) fn runs(&self) -> TenantRuns {
        RunStore::in_folder(self.folder.clone(), true).of(self.tenant)
    }

    /// The names of all runs, oldest first.
    pub(crate) fn names(&self) -> Vec<RunId> {
        wait(journal::runs(&self.runs())).expect("a folder")
    }

    pub(crate) fn past(&self, run: &RunId) -> Result<Past, JournalFault> {
        wait(journal::past(&self.runs(), run))
    }

    /// All runs, oldest first.
    pub(crate) fn all(&self) -> Vec<Past> {
        self.names().iter().map(|run| self.past(run).expect("a journal")).collect()
    }

    pub(crate) fn restored(
        &self,
        run: &RunId,
    ) -> (std::collections::BTreeMap<usize, RestoreRow>, Damage) {
        wait(journal::restored(&self.runs(), run, |_| true)).expect("restore files")
    }

    pub(crate) fn segment_folder(&self) -> PathBuf {
        self.folder.join(self.tenant.to_string()).join("journal")
    }

    pub(crate) fn restore_folder(&self, run: &str) -> PathBuf {
        self.folder.join("restore").join(self.tenant.to_string()).join(run)
    }

    /// The files of the segments of a run, in order.
    pub(crate) fn segments(&self, run: &str) -> Vec<PathBuf> {
        let of_run = |path: &PathBuf| {
            let text = fs::read(path).expect("a segment");
            let head = text.split(|byte| *byte == b'\n').next().expect("a line");
            let head: Value = serde_json::from_slice(head).expect("a head");
            head["run"] == run
        };
        sorted(&self.segment_folder()).into_iter().filter(of_run).collect()
    }

    pub(crate) fn has_journal(&self, run: &str) -> bool {
        !self.segments(run).is_empty()
    }

    pub(crate) fn has_restore(&self, run: &str) -> bool {
        !sorted(&self.restore_folder(run)).is_empty()
    }

    /// The lines of a run, without the heads of its segments.
    pub(crate) fn text(&self, run: &str) -> Vec<u8> {
        self.segments(run).iter().flat_map(|path| split(path).1).collect()
    }

    /// Replaces the lines of a run. Each segment but the last keeps its number of lines.
    pub(crate) fn put(&self, run: &str, text: &[u8]) {
        let segments = self.segments(run);
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        for (at, path) in segments.iter().enumerate() {
            let (head, rows) = split(path);
            let count = rows.iter().filter(|byte| **byte == b'\n').count();
            let count = if at + 1 == segments.len() { usize::MAX } else { count };
            let rows: Vec<u8> = lines.by_ref().take(count).flatten().copied().collect();
            fs::write(path, [head, rows].concat()).expect("ours");
        }
    }

    /// The same of the restore files.
    pub(crate) fn kept(&self, run: &str) -> Vec<u8> {
        let files = sorted(&self.restore_folder(run));
        files.iter().flat_map(|path| fs::read(path).expect("a file")).collect()
    }

    /// Replaces the lines of the restore files. All go into the first.
    pub(crate) fn put_kept(&self, run: &str, text: &[u8]) {
        for (at, path) in sorted(&self.restore_folder(run)).iter().enumerate() {
            fs::write(path, if at == 0 { text } else { &[] }).expect("ours");
        }
    }

    pub(crate) fn remove_journal(&self, run: &str) {
        self.segments(run).iter().for_each(|path| fs::remove_file(path).expect("ours"));
    }

    /// Writes a chain of these runs, with one segment for each, in the place of the one that is there.
    pub(crate) fn rebuild(&self, runs: &[(&str, Vec<u8>)]) {
        fs::remove_dir_all(self.segment_folder()).expect("ours");
        fs::create_dir_all(self.segment_folder()).expect("ours");
        let mut before = None;
        for (number, (run, rows)) in (1_u64..).zip(runs) {
            let mut head = json!({ "segment": number, "tenant": self.tenant, "run": run, "first": number, "from": number });
            if let Some(before) = before {
                head["before"] = json!(before);
            }
            let bytes = [checked(&head, 0).as_bytes(), rows].concat();
            before = Some(hex(&bytes));
            let path = self.segment_folder().join(format!("{number:012}.jsonl"));
            fs::write(path, bytes).expect("ours");
        }
    }
}

/// The head of a segment and its lines.
fn split(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let text = fs::read(path).expect("a segment");
    let end = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let (head, rows) = text.split_at(end);
    (head.to_vec(), rows.to_vec())
}

/// A line with its place and its check sum.
pub(crate) fn checked(row: &Value, place: usize) -> String {
    let text = row.to_string();
    let line = format!("{},\"line\":{place}", &text[..text.len() - 1]);
    let sum: String = hex(line.as_bytes()).chars().take(16).collect();
    format!("{line},\"sum\":\"{sum}\"}}\n")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    paths.sort();
    paths
}
