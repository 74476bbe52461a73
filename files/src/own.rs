//! Files that this program writes for itself: lock, journals, restore files, the sandbox. The last parts of
//! their paths are the program's own, and none of those parts may be a link. So a file that another user put
//! into the folder cannot make the program write to a file elsewhere, or empty it.
//!
//! The first of these parts is a folder that git ignores, because it contains numbers in full.
//!
//! On Unix, each part is opened inside the part before it, so that no part can be exchanged in between.
//!
//! Not here: files of a repository (`tree`), or the replacement of a whole file (`whole`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How an own file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To read an existing file.
    Read,
    /// To create a file and append to it. It must not exist.
    New,
    /// To append to a file. It is created if it does not exist.
    Append,
    /// To read and write anywhere. The file is created if it does not exist, and never truncated.
    Edit,
}

/// Opens an own file. The last `own` parts of the path, including the file name, must not be links. Unless
/// the file is only read, missing folders among them are created.
///
/// # Errors
/// An error of the system, that a part is a link, that it is not a regular file, or that an existing file to
/// write has a second name (a hard link).
pub fn open_own(path: &Path, own: usize, how: How) -> io::Result<File> {
    let (base, parts) = split(path, own);
    let (file_name, folders) =
        parts.split_last().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = Folder::walk(&base, folders, how != How::Read)?;
    let file = super::regular(folder.file(file_name, how)?)?;
    if matches!(how, How::Append | How::Edit) && has_other_names(&file)? {
        return Err(io::Error::other(
            "it is a hard link (a second name of another file), which is not written to",
        ));
    }
    Ok(file)
}

/// Creates an own folder if it is missing.
///
/// # Errors
/// An error of the system, or that one of the last `own` parts is a link.
pub fn make_own(path: &Path, own: usize) -> io::Result<()> {
    let (base, parts) = split(path, own);
    Folder::walk(&base, &parts, true).map(|_| ())
}

/// Whether an own folder exists.
///
/// # Errors
/// An error of the system, or that one of the last `own` parts is a link.
pub fn own_is_there(path: &Path, own: usize) -> io::Result<bool> {
    let (base, parts) = split(path, own);
    match Folder::walk(&base, &parts, false) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The folder next to `mfactl.yaml`. It gets a `.gitignore` even if an earlier version of mfactl created it.
const STATE: &str = ".mfactl";

const GITIGNORE: &str = ".gitignore";

const IGNORE_ALL: &[u8] = b"*\n";

/// Makes git ignore everything in a folder, unless the folder already has a `.gitignore`.
fn ignored_by_git(file: io::Result<File>) -> io::Result<()> {
    match file {
        Ok(mut file) => file.write_all(IGNORE_ALL),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates an own file with this content, completely or not at all. Missing folders are created. When this
/// returns, the content and the name are on the disk.
///
/// # Errors
/// An error of the system, that a part is a link, or [`io::ErrorKind::AlreadyExists`].
pub fn create_own(path: &Path, own: usize, content: &[u8]) -> io::Result<()> {
    put_own(path, own, content, false)
}

/// Does the same, and replaces an existing file.
///
/// # Errors
/// An error of the system, or that a part is a link.
pub fn replace_own(path: &Path, own: usize, content: &[u8]) -> io::Result<()> {
    put_own(path, own, content, true)
}

fn put_own(path: &Path, own: usize, content: &[u8], replaces: bool) -> io::Result<()> {
    let (base, parts) = split(path, own);
    let (name, folders) =
        parts.split_last().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = Folder::walk(&base, folders, true)?;
    folder.refuse_other(name)?;
    let draft = draft_name();
    let mut file = folder.file(&draft, How::New)?;
    let written = file.write_all(content).and_then(|()| file.sync_data());
    let named = written.and_then(|()| folder.name(&draft, name, replaces));
    if named.is_err() || !replaces {
        // Its other name stays.
        _ = folder.remove(&draft, false);
    }
    named.and_then(|()| folder.sync())
}

/// How the name of a draft begins.
const DRAFT: &str = ".draft-";

/// Returns a name that no other file has. It begins with a dot, so a draft that a killed process left is
/// never taken for a file.
fn draft_name() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    PathBuf::from(format!("{DRAFT}{}-{next}-{now}", std::process::id()))
}

/// Removes the drafts that killed processes left in an own folder. No other process may be writing there.
///
/// # Errors
/// An error of the system, or that a part is a link.
pub fn remove_drafts(folder: &Path, own: usize) -> io::Result<()> {
    if !own_is_there(folder, own)? {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(DRAFT) {
            remove_own(&folder.join(name), own + 1)?;
        }
    }
    Ok(())
}

/// Removes an own file. No part of its path may be a link.
///
/// # Errors
/// An error of the system, that a part is a link, or that it is not a regular file.
pub fn remove_own(path: &Path, own: usize) -> io::Result<()> {
    // This refuses a link, and anything but a regular file.
    drop(open_own(path, own, How::Read)?);
    remove(path, own, false)
}

/// Removes an empty own folder.
///
/// # Errors
/// An error of the system, or that a part is a link.
pub fn remove_own_folder(path: &Path, own: usize) -> io::Result<()> {
    remove(path, own, true)
}

fn remove(path: &Path, own: usize, is_folder: bool) -> io::Result<()> {
    let (base, parts) = split(path, own);
    let (name, folders) =
        parts.split_last().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Folder::walk(&base, folders, false)?.remove(name, is_folder)
}

/// Splits a path into the part before the own parts, and the own parts one by one.
fn split(path: &Path, own: usize) -> (PathBuf, Vec<PathBuf>) {
    let parts: Vec<_> = path.components().collect();
    let (base, own) = parts.split_at(parts.len().saturating_sub(own));
    let base: PathBuf = base.iter().collect();
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    (base, own.iter().map(|part| PathBuf::from(part.as_os_str())).collect())
}

#[cfg(unix)]
fn has_other_names(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(file.metadata()?.nlink() > 1)
}

#[cfg(not(unix))]
fn has_other_names(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// An open folder.
#[cfg(unix)]
struct Folder(std::os::fd::OwnedFd);

#[cfg(unix)]
impl Folder {
    /// Opens one folder after the other and follows no link.
    fn walk(base: &Path, parts: &[PathBuf], creates: bool) -> io::Result<Self> {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

        if creates {
            fs::create_dir_all(base)?;
        }
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut here = openat(CWD, base, folder, Mode::empty())?;
        let mut is_ignored = !creates;
        for part in parts {
            let mut is_new = false;
            if creates {
                match mkdirat(&here, part, Mode::RWXU) {
                    Ok(()) => is_new = true,
                    Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let next = openat(&here, part, folder | OFlags::NOFOLLOW, Mode::empty());
            here = next.map_err(|error| refusal(&here, part, error))?;
            if !is_ignored {
                // An existing folder can have files of its own, so the first one inside it gets the file.
                let this = Self(here.try_clone()?);
                is_ignored = is_new || part == Path::new(STATE);
                if is_ignored {
                    ignored_by_git(this.file(Path::new(GITIGNORE), How::New))?;
                } else {
                    is_ignored = this.is_ignored();
                }
            }
        }
        Ok(Self(here))
    }

    /// Returns whether the folder has the file that makes git ignore it.
    fn is_ignored(&self) -> bool {
        let file = self.file(Path::new(GITIGNORE), How::Read);
        let text = file.and_then(|file| super::read_all(file, IGNORE_ALL.len() as u64));
        text.is_ok_and(|text| text == IGNORE_ALL)
    }

    fn file(&self, name: &Path, how: How) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};

        let flags = match how {
            How::Read => OFlags::RDONLY,
            How::New => OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL,
            How::Append => OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE,
            How::Edit => OFlags::RDWR | OFlags::CREATE,
        };
        let always = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = openat(&self.0, name, flags | always, Mode::RUSR | Mode::WUSR);
        opened.map(File::from).map_err(|error| refusal(&self.0, name, error))
    }

    /// Refuses to replace anything but a regular file.
    fn refuse_other(&self, name: &Path) -> io::Result<()> {
        match self.file(name, How::Read) {
            Ok(file) => super::regular(file).map(|_| ()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives a draft its name.
    fn name(&self, draft: &Path, name: &Path, replaces: bool) -> io::Result<()> {
        use rustix::fs::{AtFlags, linkat, renameat};

        match replaces {
            true => renameat(&self.0, draft, &self.0, name)?,
            false => linkat(&self.0, draft, &self.0, name, AtFlags::empty())?,
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    fn remove(&self, name: &Path, is_folder: bool) -> io::Result<()> {
        use rustix::fs::{AtFlags, unlinkat};

        let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        Ok(unlinkat(&self.0, name, flags)?)
    }
}

/// Says why a part could not be opened. The system error for a link differs between systems.
#[cfg(unix)]
fn refusal(folder: &std::os::fd::OwnedFd, name: &Path, error: rustix::io::Errno) -> io::Error {
    use rustix::fs::{AtFlags, FileType, statat};

    let is = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    match is.map(|is| FileType::from_raw_mode(is.st_mode)) {
        Ok(FileType::Symlink) => super::is_a_link(name),
        // A pipe without a reader, or a socket.
        Ok(FileType::Fifo | FileType::Socket) => super::not_regular(),
        _ => error.into(),
    }
}

/// The path of a folder that was checked.
#[cfg(not(unix))]
struct Folder(PathBuf);

#[cfg(not(unix))]
impl Folder {
    fn walk(base: &Path, parts: &[PathBuf], creates: bool) -> io::Result<Self> {
        let mut here = base.to_owned();
        if creates {
            fs::create_dir_all(base)?;
        }
        let mut is_ignored = !creates;
        for part in parts {
            here.push(part);
            refuse_link(&here, part)?;
            let is_new = creates && !here.is_dir();
            match is_new {
                true => fs::create_dir(&here)?,
                false if !fs::metadata(&here)?.is_dir() => {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
                false => {}
            }
            if !is_ignored && (is_new || part == Path::new(STATE)) {
                ignored_by_git(Self(here.clone()).file(Path::new(GITIGNORE), How::New))?;
                is_ignored = true;
            }
        }
        Ok(Self(here))
    }

    fn file(&self, name: &Path, how: How) -> io::Result<File> {
        let path = self.0.join(name);
        refuse_link(&path, name)?;
        let mut options = fs::OpenOptions::new();
        match how {
            How::Read => options.read(true),
            How::New => options.append(true).create_new(true),
            How::Append => options.append(true).create(true),
            How::Edit => options.read(true).write(true).create(true).truncate(false),
        };
        options.open(path)
    }

    fn refuse_other(&self, name: &Path) -> io::Result<()> {
        refuse_link(&self.0.join(name), name)
    }

    fn name(&self, draft: &Path, name: &Path, replaces: bool) -> io::Result<()> {
        let (draft, name) = (self.0.join(draft), self.0.join(name));
        if replaces { fs::rename(draft, name) } else { fs::hard_link(draft, name) }
    }

    fn sync(&self) -> io::Result<()> {
        // A folder cannot be synced here.
        Ok(())
    }

    fn remove(&self, name: &Path, is_folder: bool) -> io::Result<()> {
        let path = self.0.join(name);
        refuse_link(&path, name)?;
        if is_folder { fs::remove_dir(path) } else { fs::remove_file(path) }
    }
}

#[cfg(not(unix))]
fn refuse_link(path: &Path, name: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(is) if is.is_symlink() => Err(super::is_a_link(name)),
        _ => Ok(()),
    }
}
