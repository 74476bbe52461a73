//! Finds the policy files of a folder. Every `.yaml` and `.yml` file in it and below counts: if a file were
//! skipped silently, its policy would be missing and no user would notice.
//!
//! A link to a folder is followed inside the repository. No folder is read twice, so that links can neither
//! form a cycle nor turn a few folders into thousands.
//!
//! Not here: reading the files (`load`).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::{PathRefusal, Tree};

/// The most nested folders. Policies are never nested this deep; a wrongly mounted folder can be.
const DEEPEST: usize = 32;

/// Returns all policy files below `folder`, sorted by path. Hidden files and folders are skipped, because
/// editors and mounted volumes keep copies there.
///
/// # Errors
/// The path that could not be read, and why.
pub(super) fn yaml_files(
    tree: &Tree,
    folder: &Path,
    follows_links: bool,
) -> Result<Vec<PathBuf>, (PathBuf, PathRefusal)> {
    let mut walk = Walk { tree, follows_links, read: BTreeSet::new(), found: Vec::new() };
    walk.collect(folder, DEEPEST)?;
    walk.found.sort();
    Ok(walk.found)
}

struct Walk<'a> {
    tree: &'a Tree,
    /// Whether a link is followed inside the repository; otherwise a folder with a link is refused.
    follows_links: bool,
    /// The real paths of the folders that were read.
    read: BTreeSet<PathBuf>,
    found: Vec<PathBuf>,
}

impl Walk<'_> {
    fn collect(&mut self, folder: &Path, depth: usize) -> Result<(), (PathBuf, PathRefusal)> {
        let refused = |why| (folder.to_owned(), why);
        let other = |why: &str| refused(PathRefusal::Io(io::Error::other(why.to_owned())));
        let here = |problem: io::Error| refused(problem.into());
        if depth == 0 {
            return Err(other("folders are nested too deeply"));
        }
        let real = self.tree.real(folder).map_err(refused)?;
        if !self.read.insert(real.clone()) {
            return Err(other("a link leads to a folder that was already read"));
        }
        for entry in fs::read_dir(real).map_err(here)? {
            let entry = entry.map_err(here)?;
            let name = entry.file_name();
            let path = folder.join(&name);
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(here)?;
            if kind.is_symlink() && !self.follows_links {
                return Err((path, PathRefusal::Link));
            }
            if is_yaml(&path) {
                self.found.push(path);
            } else if kind.is_dir() || (kind.is_symlink() && path.is_dir()) {
                self.collect(&path, depth - 1)?;
            }
        }
        Ok(())
    }
}

pub(super) fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
}
