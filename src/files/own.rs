//! Files that this program writes for itself: lock, journals, restore files, the sandbox. The last parts of
//! their paths are the program's own, and none of those parts may be a link. So nothing that somebody put
//! into the folder can make the program write, or empty, a file elsewhere.
//!
//! The first of these parts, a folder of its own, tells git to leave it alone: it holds numbers in full.
//!
//! On Unix each part is opened inside the one before it, so that nobody can exchange a part in between.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What an own file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To read what is there.
    Read,
    /// To write a file that is not there yet, at its end.
    New,
    /// To write at the end of a file, made where there is none.
    Append,
    /// To read and to write anywhere, made where there is none. Nothing is cut off.
    Edit,
}

/// Opens an own file. The last `own` parts of the path, the file's name among them, are no links; folders
/// among them are made where the file is to be written.
///
/// # Errors
/// What the system says, that a part is a link, that it is no regular file, or, where it is to be written,
/// that the file has another name elsewhere.
pub fn open_own(path: &Path, own: usize, how: How) -> io::Result<File> {
    let (base, parts) = split(path, own);
    let (file_name, folders) =
        parts.split_last().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = Folder::walk(&base, folders, how != How::Read)?;
    let file = super::regular(folder.file(file_name, how)?)?;
    if matches!(how, How::Append | How::Edit) && has_other_names(&file)? {
        return Err(io::Error::other("it is a second name of another file, which is not written"));
    }
    Ok(file)
}

/// Makes an own folder where it is missing.
///
/// # Errors
/// What the system says, or that one of the last `own` parts is a link.
pub fn make_own(path: &Path, own: usize) -> io::Result<()> {
    let (base, parts) = split(path, own);
    Folder::walk(&base, &parts, true).map(|_| ())
}

/// Whether an own folder is there.
///
/// # Errors
/// What the system says, or that one of the last `own` parts is a link.
pub fn own_is_there(path: &Path, own: usize) -> io::Result<bool> {
    let (base, parts) = split(path, own);
    match Folder::walk(&base, &parts, false) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The folder beside `mfactl.yaml`. It gets its file for git also where an earlier program made it.
const STATE: &str = ".mfactl";

const GITIGNORE: &str = ".gitignore";

/// Has git leave everything in a folder alone, unless somebody wrote there what it is to do.
fn ignored_by_git(file: io::Result<File>) -> io::Result<()> {
    match file {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes an own file. A link in its place is not followed: none of its parts may be one.
///
/// # Errors
/// What the system says, that a part is a link, or that it is no regular file.
pub fn remove_own(path: &Path, own: usize) -> io::Result<()> {
    // What is no regular file, or is a link, is refused here.
    drop(open_own(path, own, How::Read)?);
    remove(path, own, false)
}

/// Removes an own folder that is empty.
///
/// # Errors
/// What the system says, or that a part is a link.
pub fn remove_own_folder(path: &Path, own: usize) -> io::Result<()> {
    remove(path, own, true)
}

fn remove(path: &Path, own: usize, is_folder: bool) -> io::Result<()> {
    let (base, parts) = split(path, own);
    let (name, folders) =
        parts.split_last().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Folder::walk(&base, folders, false)?.remove(name, is_folder)
}

/// The path up to the own parts, and these one by one.
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
    /// Goes from one folder to the next, through no link.
    fn walk(base: &Path, parts: &[PathBuf], makes: bool) -> io::Result<Self> {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

        if makes {
            fs::create_dir_all(base)?;
        }
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut here = openat(CWD, base, folder, Mode::empty())?;
        for (place, part) in parts.iter().enumerate() {
            let mut is_new = false;
            if makes {
                match mkdirat(&here, part, Mode::RWXU) {
                    Ok(()) => is_new = true,
                    Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let next = openat(&here, part, folder | OFlags::NOFOLLOW, Mode::empty());
            here = next.map_err(|error| said_of(&here, part, error))?;
            if place == 0 && makes && (is_new || part == Path::new(STATE)) {
                ignored_by_git(Self(here.try_clone()?).file(Path::new(GITIGNORE), How::New))?;
            }
        }
        Ok(Self(here))
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
        opened.map(File::from).map_err(|error| said_of(&self.0, name, error))
    }

    fn remove(&self, name: &Path, is_folder: bool) -> io::Result<()> {
        use rustix::fs::{AtFlags, unlinkat};

        let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        Ok(unlinkat(&self.0, name, flags)?)
    }
}

/// A link refuses to be opened with words of its own, on every system others.
#[cfg(unix)]
fn said_of(folder: &std::os::fd::OwnedFd, name: &Path, error: rustix::io::Errno) -> io::Error {
    use rustix::fs::{AtFlags, FileType, statat};

    let is = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    match is.map(|is| FileType::from_raw_mode(is.st_mode)) {
        Ok(FileType::Symlink) => super::is_a_link(name),
        // A pipe that nobody reads, or a socket.
        Ok(FileType::Fifo | FileType::Socket) => super::not_regular(),
        _ => error.into(),
    }
}

/// The path of a folder that was looked at.
#[cfg(not(unix))]
struct Folder(PathBuf);

#[cfg(not(unix))]
impl Folder {
    fn walk(base: &Path, parts: &[PathBuf], makes: bool) -> io::Result<Self> {
        let mut here = base.to_owned();
        if makes {
            fs::create_dir_all(base)?;
        }
        for (place, part) in parts.iter().enumerate() {
            here.push(part);
            refuse_link(&here, part)?;
            let is_new = makes && !here.is_dir();
            match is_new {
                true => fs::create_dir(&here)?,
                false if !fs::metadata(&here)?.is_dir() => {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
                false => {}
            }
            if place == 0 && makes && (is_new || part == Path::new(STATE)) {
                ignored_by_git(Self(here.clone()).file(Path::new(GITIGNORE), How::New))?;
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
