//! The files of a repository. A link is followed to its end, which must be in the same repository. The real
//! path is then opened part by part, without links, so that no part can be exchanged in between.
//!
//! Not here: files that this program writes (`own`).

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Folders of a repository without policies: they hold credentials, and numbers in full.
const PRIVATE: [&str; 2] = [".git", ".mfactl"];

/// A folder and everything below it.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The real path, without links.
    root: PathBuf,
}

/// Why a path is refused.
#[derive(Debug)]
pub enum PathRefusal {
    /// It leads out of the tree.
    Outside,
    /// It leads to something that is not a policy.
    Private,
    /// It is a link where none is followed.
    Link,
    Io(io::Error),
}

impl From<io::Error> for PathRefusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Tree {
    /// The git work tree of a folder, or the folder itself if it has none.
    ///
    /// # Errors
    /// An error of the system about the folder.
    pub fn around(folder: &Path) -> io::Result<Self> {
        let folder = real(folder)?;
        // A work tree has a folder `.git`, or a file `.git` that names that folder.
        let is_root = |one: &&Path| one.join(".git").symlink_metadata().is_ok();
        let root = folder.ancestors().find(is_root).map(Path::to_owned);
        Ok(Self { root: root.unwrap_or(folder) })
    }

    /// A folder and everything below it, also outside a work tree.
    ///
    /// # Errors
    /// An error of the system about the folder.
    pub fn of(folder: &Path) -> io::Result<Self> {
        real(folder).map(|root| Self { root })
    }

    /// The real path of a path, without links.
    ///
    /// # Errors
    /// That it leads out of the tree or to a private folder, or an error of the system.
    pub fn real(&self, path: &Path) -> Result<PathBuf, PathRefusal> {
        self.below(path).map(|(real, _)| real)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// That it leads out of the tree or to a private folder, or an error of the system.
    pub fn open(&self, path: &Path) -> Result<File, PathRefusal> {
        let (_, below) = self.below(path)?;
        let parts = below.components().count();
        // This opens without blocking, and refuses anything but a regular file.
        Ok(super::open_own(&self.root.join(below), parts, super::How::Read)?)
    }

    /// Returns the path of a file from the root, with forward slashes. A link in the last part is not
    /// followed. `None` if the file is outside, or its folder does not exist.
    #[must_use]
    pub fn name_of(&self, path: &Path) -> Option<String> {
        let folder = real(path.parent()?).ok()?;
        let below = folder.join(path.file_name()?).strip_prefix(&self.root).ok()?.to_owned();
        let parts = below.components().map(|part| part.as_os_str().to_string_lossy());
        Some(parts.collect::<Vec<_>>().join("/"))
    }

    fn below(&self, path: &Path) -> Result<(PathBuf, PathBuf), PathRefusal> {
        let real = real(path)?;
        let below = real.strip_prefix(&self.root).map_err(|_| PathRefusal::Outside)?.to_owned();
        let is_private = |part: Component<'_>| {
            let name = part.as_os_str();
            PRIVATE.iter().any(|one| name.eq_ignore_ascii_case(one))
        };
        if below.components().any(is_private) {
            return Err(PathRefusal::Private);
        }
        Ok((real, below))
    }
}

/// Returns a path without links. An empty path is the working folder.
fn real(path: &Path) -> io::Result<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize()
}
