//! Writes a file completely or not at all.
//!
//! Not here: files that this program appends to (`own`).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Whether a file may exist at the path to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// No: an existing file is kept, and the write fails.
    Free,
    /// Yes: an existing file is replaced.
    Taken,
}

/// Writes a temporary file of mode 0600 in the same folder, and renames it when it is complete. A link at the
/// path is replaced, not followed.
///
/// # Errors
/// An error of the system.
pub fn write_whole(
    path: &Path,
    place: Destination,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // It is created with mode 0600, and removed again unless it is renamed.
    let draft = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(draft.as_file());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    draft.as_file().sync_all()?;
    let named = match place {
        Destination::Free => draft.persist_noclobber(path),
        Destination::Taken => draft.persist(path),
    };
    named.map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Syncs a folder, because a renamed file survives a crash only if its folder is on disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(|_| ())
}
