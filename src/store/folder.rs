//! A store in a folder of this machine. Its files have mode 0600, no link is followed, and an object is on
//! the disk, complete and with its name, before it counts as created.
//!
//! Not here: which parts of a path may be links (`files`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Creation, ObjectVersion, Objects, StoreAct, StoreFault, Swap};
use crate::files::{self, How};

/// A file that is larger is not read. No object that is written here comes near it.
const LARGEST: u64 = 1 << 30;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Number of trailing parts of the path that belong to mfactl and must not be links.
    own: usize,
}

impl Folder {
    pub(super) const fn new(path: PathBuf, own: usize) -> Self {
        Self { path, own }
    }

    /// Returns the path of an object, and how many of its last parts must not be links.
    fn at(&self, name: &str) -> (PathBuf, usize) {
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        let path = parts.iter().fold(self.path.clone(), |path, part| path.join(part));
        (path, self.own + parts.len())
    }

    fn entries(&self, folder: &str, folders: bool) -> Result<Vec<String>, StoreFault> {
        let (path, own) = self.at(folder);
        let read = || -> io::Result<Vec<String>> {
            if !files::own_is_there(&path, own)? {
                return Ok(Vec::new());
            }
            let mut names = Vec::new();
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                // A link is listed as both, so that it is refused where it is opened.
                let is_one = kind.is_symlink() || kind.is_dir() == folders;
                let name = entry.file_name().into_string().ok();
                // A file that begins with a dot is a draft, or the `.gitignore`.
                let name = name.filter(|name| is_one && !name.starts_with('.'));
                names.extend(name);
            }
            names.sort();
            Ok(names)
        };
        read().map_err(fault(StoreAct::Listed, &path))
    }
}

#[async_trait]
impl Objects for Folder {
    async fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, StoreFault> {
        let (path, own) = self.at(name);
        match files::create_own(&path, own, bytes) {
            Ok(()) => Ok(Creation::Created),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Creation::Exists),
            Err(error) => Err(fault(StoreAct::Written, &path)(error)),
        }
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreFault> {
        let (path, own) = self.at(name);
        files::replace_own(&path, own, bytes).map_err(fault(StoreAct::Written, &path))
    }

    /// A folder has the lock of the operating system instead.
    async fn swap(
        &self,
        name: &str,
        _: &[u8],
        _: Option<&ObjectVersion>,
    ) -> Result<Swap, StoreFault> {
        let (path, _) = self.at(name);
        Err(fault(StoreAct::Written, &path)(io::ErrorKind::Unsupported.into()))
    }

    async fn read_version(
        &self,
        name: &str,
    ) -> Result<Option<(Vec<u8>, ObjectVersion)>, StoreFault> {
        Ok(self.read(name).await?.map(|bytes| (bytes, ObjectVersion::default())))
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        let (path, own) = self.at(name);
        let read = files::open_own(&path, own, How::Read);
        match read.and_then(|file| files::read_all(file, LARGEST)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(StoreAct::Read, &path)(error)),
        }
    }

    async fn exists(&self, name: &str) -> Result<bool, StoreFault> {
        Ok(self.read(name).await?.is_some())
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        self.entries(folder, false)
    }

    async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        self.entries(folder, true)
    }

    async fn remove(&self, name: &str) -> Result<(), StoreFault> {
        let (path, own) = self.at(name);
        match files::remove_own(&path, own) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(fault(StoreAct::Removed, &path)(error));
            }
            _ => {}
        }
        // A folder that holds nothing else goes too.
        if let Some(folder) = path.parent().filter(|_| name.contains('/')) {
            // A draft can hold full numbers.
            files::remove_drafts(folder, own.saturating_sub(1))
                .map_err(fault(StoreAct::Removed, folder))?;
            _ = files::remove_own_folder(folder, own.saturating_sub(1));
        }
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        self.at(name).0.display().to_string()
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// Returns the error of the system as an error of the store. A disk can be full today and not tomorrow, but
/// somebody has to make room.
fn fault(act: StoreAct, path: &Path) -> impl Fn(io::Error) -> StoreFault {
    let place = path.display().to_string();
    move |error| StoreFault { act, place: place.clone(), why: error.to_string(), may_pass: false }
}
