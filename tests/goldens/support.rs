//! How a file becomes a test, and the support of `tests/it` that these tests use.
//!
//! Not here: the files themselves (`cases`, `samples` …).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]
#![expect(dead_code, reason = "the tests of `tests/it` use the rest")]

#[path = "../it/support/doctor_runs.rs"]
pub(crate) mod doctor_runs;
#[path = "../it/support/golden.rs"]
pub(crate) mod golden;
#[path = "../it/support/network_faults.rs"]
pub(crate) mod network_faults;
#[path = "../it/support/reports.rs"]
pub(crate) mod reports;
#[path = "../it/support/shown_numbers.rs"]
pub(crate) mod shown_numbers;
#[path = "../it/support/tenant_builder.rs"]
pub(crate) mod tenant_builder;
#[path = "../it/support/world.rs"]
pub(crate) mod world;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

/// Makes a test of a function that returns the differences from what is expected.
pub(crate) fn trial(name: String, differences: impl FnOnce() -> String + Send + 'static) -> Trial {
    Trial::test(name, || match differences() {
        none if none.is_empty() => Ok(()),
        some => Err(Failed::from(some)),
    })
}

/// Makes a test of a function that panics if something is wrong.
pub(crate) fn check(name: &str, check: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        check();
        Ok(())
    })
}

/// Returns the folders in a folder, sorted by name. There is at least one.
pub(crate) fn folders(path: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(path)
        .expect("a folder of folders")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

/// Returns the name of a file or folder.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}
