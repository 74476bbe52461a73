//! Whether git would take up a file that holds phone numbers in full.
//!
//! Not here: the folder of runs, which tells git itself to leave it alone (`files`).

use std::path::Path;
use std::process::{Command, Stdio};

/// What to say of a file in a git work tree, unless git ignores it.
pub(super) fn warning(path: &Path) -> Option<String> {
    let shown = path.display();
    match ignored(path)? {
        Some(true) => None,
        Some(false) => Some(format!(
            "warning: git does not ignore `{shown}`: add it to `.gitignore`, or save it outside the work tree"
        )),
        None => Some(format!(
            "warning: `{shown}` is in a git work tree, and git could not be asked whether it ignores it"
        )),
    }
}

/// Whether git ignores a file; nothing outside a work tree, and `Some(None)` where nobody can tell.
#[expect(clippy::option_option, reason = "no work tree is no answer of git")]
fn ignored(path: &Path) -> Option<Option<bool>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|one| one.join(".git").symlink_metadata().is_ok())?;
    let mut git = Command::new("git");
    // What surrounds a hook or another git names its repository, and a monitor of files is a program of
    // the repository's choice.
    let surroundings = std::env::vars_os().map(|(name, _)| name);
    let surroundings = surroundings.filter(|name| name.to_string_lossy().starts_with("GIT_"));
    surroundings.for_each(|name| _ = git.env_remove(name));
    git.args(["-c", "core.fsmonitor=false", "check-ignore", "--quiet", "--"])
        .arg(Path::new(".").join(path.file_name()?))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Some(match git.status().ok().and_then(|status| status.code()) {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    })
}
