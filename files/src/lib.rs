//! Opens files that another user may have put there. Every file is opened without blocking, checked through
//! its handle, and read up to a limit, so a pipe or a device in the place of a file is an error. `own` opens
//! files that this program writes, `tree` files of a repository, `whole` writes a file completely or not at
//! all.
//!
//! It is a crate of its own because `mfactl` and its sandbox both open such files, and the sandbox must not
//! depend on `mfactl`.
//!
//! Not here: the contents of the files.

mod own;
mod tree;
mod whole;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

pub use own::{
    How, create_own, make_own, open_own, own_is_there, remove_drafts, remove_own,
    remove_own_folder, replace_own,
};
pub use tree::{PathRefusal, Tree};
pub use whole::{Destination, write_whole};

/// Opens a file for reading and follows links. Anything but a regular file is refused.
///
/// # Errors
/// An error of the system, or that it is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // Opening a pipe would block until it has a writer, and reading a device can do anything. So the file is
    // opened without blocking, and its handle is checked first.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        flag(OFlags::NONBLOCK | OFlags::NOCTTY),
    );
    regular(options.open(path)?)
}

/// Opens a file that the user named for reading: a regular file, or a pipe that the shell opened, such as
/// `<(…)`.
///
/// # Errors
/// An error of the system, or that it is something else.
pub fn open_given(path: &Path) -> io::Result<File> {
    let by_shell =
        ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|one| path.starts_with(one));
    if by_shell && is_pipe(&path.metadata()?) {
        return File::open(path);
    }
    open(path)
}

/// Whether it is a pipe, named or not.
#[cfg(unix)]
#[must_use]
pub fn is_pipe(is: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&is.file_type())
}

/// Whether it is a pipe, named or not.
#[cfg(not(unix))]
#[must_use]
pub fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}

/// Reads a whole regular file and follows links.
///
/// # Errors
/// An error of the system, that it is not a regular file, or that it is larger than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_all(open(path)?, most)
}

/// Reads the whole of an open file.
///
/// # Errors
/// An error of the system, or that the file is larger than `most` bytes.
pub fn read_all(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Returns the file if it is a regular file.
fn regular(file: File) -> io::Result<File> {
    let is = file.metadata()?;
    if is.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !is.is_file() {
        return Err(not_regular());
    }
    Ok(file)
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}

fn is_a_link(name: &Path) -> io::Error {
    io::Error::other(format!("`{}` is a link, which is not followed here", name.display()))
}

#[cfg(unix)]
use rustix::fs::OFlags;

#[cfg(unix)]
fn flag(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
