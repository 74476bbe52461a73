//! Asks git about the repository of the policies: files of another revision, and ignored files. Git is run
//! for data only: no checkout, no hook, no filter, and no program that the repository names.
//!
//! Not here: what the files mean (`policy`).

mod revision;

pub use revision::{BaseFile, Revision, RevisionFault};

use std::path::Path;
use std::process::{Command, Stdio};

/// Returns a git command for a folder that runs nothing but git itself.
#[must_use]
pub fn command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    // Inside a hook or another git command, the environment names the repository of that command.
    let variables = std::env::vars_os().map(|(name, _)| name);
    let variables = variables.filter(|name| name.to_string_lossy().starts_with("GIT_"));
    variables.for_each(|name| _ = git.env_remove(name));
    // Nothing is fetched, no user is asked, and no object is replaced.
    git.env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_OPTIONAL_LOCKS", "0");
    // `core.fsmonitor` and `core.hooksPath` can name any program, because the repository chooses them.
    git.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        // A change can add a folder that git would take for the repository (git documentation,
        // `safe.bareRepository`, checked 2026-11).
        .args(["-c", "safe.bareRepository=explicit"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    git
}
