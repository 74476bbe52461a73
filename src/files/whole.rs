//! A file that is there whole, or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// What may stand where a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing: a file that came there in the meantime is kept.
    Free,
    /// A file, which is replaced.
    Taken,
}

/// Writes a file of mode 0600 beside the one that is meant, and renames it when it is there whole. A link
/// in its place is replaced and not followed.
///
/// # Errors
/// What the system says.
pub fn write_whole(
    path: &Path,
    place: Place,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // It is made with mode 0600, and removed again unless it gets its name.
    let draft = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(draft.as_file());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    draft.as_file().sync_all()?;
    let named = match place {
        Place::Free => draft.persist_noclobber(path),
        Place::Taken => draft.persist(path),
    };
    named.map_err(|error| error.error)?;
    sync_folder(folder)
}

/// A name is safe only when its folder is on the disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(|_| ())
}
