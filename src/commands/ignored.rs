//! Whether git would track a file that contains phone numbers in full, or names.
//!
//! Not here: the folder of runs, which contains its own ignore file (`files`).

use std::path::Path;
use std::process::Stdio;

use crate::git;

/// Returns a warning about a file in a git work tree, unless git ignores the file.
pub(super) fn warning(path: &Path) -> Option<String> {
    let shown = path.display();
    match ignored(path)? {
        Some(true) => None,
        Some(false) => Some(format!(
            "warning: git does not ignore `{shown}`: add it to `.gitignore`, or save it outside the work tree"
        )),
        None => Some(format!(
            "warning: `{shown}` is in a git work tree, and it is unknown whether git ignores it"
        )),
    }
}

/// Whether git ignores a file: `None` outside a work tree, and `Some(None)` if git does not answer.
#[expect(clippy::option_option, reason = "no work tree differs from no answer of git")]
fn ignored(path: &Path) -> Option<Option<bool>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|one| one.join(".git").symlink_metadata().is_ok())?;
    let mut git = git::command(&folder);
    git.args(["check-ignore", "--quiet", "--"])
        .arg(Path::new(".").join(path.file_name()?))
        .stdout(Stdio::null());
    Some(match git.status().ok().and_then(|status| status.code()) {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    })
}
