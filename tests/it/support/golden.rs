//! Files that hold what is expected. `MFACTL_UPDATE=1 cargo test` writes them anew; review the difference.
//!
//! Not here: what differs from run to run and is made alike (`World::alike`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::path::Path;

/// Returns the difference between a committed file and what it should hold, or an empty text. With
/// `MFACTL_UPDATE=1` it writes the file instead.
pub(crate) fn compare(path: &Path, wanted: &str) -> String {
    let committed = fs::read_to_string(path).unwrap_or_default();
    if committed == wanted {
        return String::new();
    }
    if updates() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, wanted).expect("a file that can be written");
        return String::new();
    }
    let name = path.display().to_string();
    similar::TextDiff::from_lines(committed.as_str(), wanted)
        .unified_diff()
        .header(&name, "what it should hold (MFACTL_UPDATE=1 writes it)")
        .to_string()
}

/// Whether expectations are to be written, not compared.
pub(crate) fn updates() -> bool {
    std::env::var_os("MFACTL_UPDATE").is_some_and(|value| value == "1")
}
