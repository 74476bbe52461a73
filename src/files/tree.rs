//! The files of a repository, out of which no link leads. A link is followed to where it ends; what it
//! ends at must stand in the same repository, and is then opened part by part, through no link any more,
//! so that nobody can exchange a part in between.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Folders of a repository that hold what no policy does: credentials, and numbers in full.
const PRIVATE: [&str; 2] = [".git", ".mfactl"];

/// A folder, with all that is in it.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Without a link in it.
    root: PathBuf,
}

/// Why a path is not followed.
#[derive(Debug)]
pub enum Refused {
    /// It leads out of the tree.
    Outside,
    /// It leads to what is no policy.
    Private,
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Tree {
    /// The git work tree that holds a folder; the folder itself where there is none.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub fn around(folder: &Path) -> io::Result<Self> {
        let folder = real(folder)?;
        // A work tree has a folder of that name, or a file that says where it is.
        let is_root = |one: &&Path| one.join(".git").symlink_metadata().is_ok();
        let root = folder.ancestors().find(is_root).map(Path::to_owned);
        Ok(Self { root: root.unwrap_or(folder) })
    }

    /// A folder and what is below it, wherever that is.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub fn of(folder: &Path) -> io::Result<Self> {
        real(folder).map(|root| Self { root })
    }

    /// Where a path ends, without a link in it.
    ///
    /// # Errors
    /// That it leads out of the tree, or what the system says.
    pub fn real(&self, path: &Path) -> Result<PathBuf, Refused> {
        self.below(path).map(|(real, _)| real)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// That it leads out of the tree, or what the system says.
    pub fn open(&self, path: &Path) -> Result<File, Refused> {
        let (_, below) = self.below(path)?;
        let parts = below.components().count();
        // What is no regular file is opened without waiting, and refused.
        Ok(super::open_own(&self.root.join(below), parts, super::How::Read)?)
    }

    fn below(&self, path: &Path) -> Result<(PathBuf, PathBuf), Refused> {
        let real = real(path)?;
        let below = real.strip_prefix(&self.root).map_err(|_| Refused::Outside)?.to_owned();
        let is_private = |part: Component<'_>| {
            let name = part.as_os_str();
            PRIVATE.iter().any(|one| name.eq_ignore_ascii_case(one))
        };
        if below.components().any(is_private) {
            return Err(Refused::Private);
        }
        Ok((real, below))
    }
}

/// A path without links. An empty one is the working folder.
fn real(path: &Path) -> io::Result<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize()
}
