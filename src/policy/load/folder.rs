//! The policy files of a folder. Every `.yaml` and `.yml` file in it and below counts: a file that
//! is passed over in silence would be a policy that nobody misses until it is needed.
//!
//! Not here: reading them (`load`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// No folder of policies is this deep; a mistake of mounting is.
const DEEPEST: usize = 32;

/// All policy files below `folder`, sorted by path. Hidden files and folders are left out, as
/// editors and mounted volumes keep copies there.
///
/// # Errors
/// The path that could not be read, and why.
pub(super) fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    collect(folder, DEEPEST, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(
    folder: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    let here = |problem| (folder.to_owned(), problem);
    if depth == 0 {
        return Err(here(io::Error::other("folders are nested too deeply")));
    }
    for entry in fs::read_dir(folder).map_err(here)? {
        let entry = entry.map_err(here)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(here)?;
        if kind.is_dir() {
            collect(&path, depth - 1, found)?;
        } else if kind.is_symlink() && path.is_dir() {
            let problem = io::Error::other("links to folders are not followed");
            return Err((path, problem));
        } else if is_yaml(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
}
