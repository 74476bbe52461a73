//! Files that say what is expected, beside what they are about. `MFACTL_UPDATE=1 cargo test` writes
//! them anew; read the difference.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::path::{Path, PathBuf};

/// The difference between a committed file and what it should hold, or nothing. With
/// `MFACTL_UPDATE=1` the file is written instead.
pub(crate) fn compare(path: &Path, wanted: &str) -> String {
    let held = fs::read_to_string(path).unwrap_or_default();
    if held == wanted {
        return String::new();
    }
    if updates() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, wanted).expect("a file that can be written");
        return String::new();
    }
    let name = path.display().to_string();
    similar::TextDiff::from_lines(held.as_str(), wanted)
        .unified_diff()
        .header(&name, "what it should hold (MFACTL_UPDATE=1 writes it)")
        .to_string()
}

/// Whether expectations are to be written, not held against.
pub(crate) fn updates() -> bool {
    std::env::var_os("MFACTL_UPDATE").is_some_and(|value| value == "1")
}

/// The folders in a folder, in the order of their names; there is at least one.
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
