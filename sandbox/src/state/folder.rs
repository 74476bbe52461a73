//! The state folder: the name of its seed, the log of writes since then, and the lock of the running
//! server.
//!
//! Nothing is written before the first write to the tenant. A folder that does not exist yet is
//! therefore not locked. It is created, locked and found empty at the first write, or that write
//! fails.
//!
//! Not here: what a write does (`effect`, `store`).

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use mfactl_files::{How, make_own, open_own, own_is_there, read_all};
use serde::{Deserialize, Serialize};

use crate::records::Seed;
use crate::seeds;
use crate::state::effect::WriteLogLine;
use crate::state::store::Store;

const SEED: &str = "seed.json";
const WRITES: &str = "writes.jsonl";
const LOCK: &str = "lock";

/// The number of last parts of a path that are our own and must not be links: `.mfactl`, `sandbox`,
/// the file.
const OWN: usize = 3;

/// The lock file contains nothing, or the address of a server. No address is longer.
const ADDRESS: &[u8] = b"http";
const LONGEST_ADDRESS: u64 = 256;

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("the sandbox in `{}` is in use{}", folder.display(), at(url))]
    Locked {
        folder: PathBuf,
        /// The address of the server that uses it.
        url: Option<String>,
    },
    #[error("there is no sandbox seed `{name}`")]
    UnknownSeed { name: String },
    #[error("the sandbox in `{}` has another seed, `{name}`", folder.display())]
    OtherSeed { folder: PathBuf, name: String },
    #[error("`{}`, line {line}: not a write of a sandbox", path.display())]
    Log { path: PathBuf, line: usize },
    #[error("the sandbox in `{}` was changed by another server", folder.display())]
    Overtaken { folder: PathBuf },
    #[error("the sandbox has stopped")]
    Stopped,
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

fn at(url: &Option<String>) -> String {
    url.as_ref().map_or_else(String::new, |url| format!(" by a server at {url}"))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

/// The content of `seed.json`: enough to build the seed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedFile {
    name: String,
}

impl SeedFile {
    fn of(seed: &Seed) -> Self {
        Self { name: seed.name.clone() }
    }

    fn seed(self) -> Result<Seed, FolderError> {
        seeds::by_name(&self.name).ok_or(FolderError::UnknownSeed { name: self.name })
    }
}

/// The seed that is stored in a folder; `exchangelabs` if there is none.
pub fn seed_in(folder: &Path) -> Result<Seed, FolderError> {
    match seed_file(folder)? {
        Some(file) => file.seed(),
        None => Ok(seeds::exchangelabs()),
    }
}

fn seed_file(folder: &Path) -> Result<Option<SeedFile>, FolderError> {
    let path = folder.join(SEED);
    let text = match read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(&path)(error)),
    };
    let file = serde_json::from_slice(&text).map_err(|error| io_error(&path)(error.into()))?;
    Ok(Some(file))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    open_own(path, OWN, How::Read).and_then(|file| read_all(file, u64::MAX))
}

/// Reads the tenant in a folder as it is now. Nothing is locked or written.
pub fn store_in(folder: &Path) -> Result<Store, FolderError> {
    let (writes, _) = read_log(&folder.join(WRITES))?;
    Ok(Store::replay(seed_in(folder)?, &writes))
}

/// Resets a folder to a seed and deletes all writes. Refuses while a server uses the folder.
pub fn reset(folder: &Path, seed: &Seed) -> Result<(), FolderError> {
    make_own(folder, OWN - 1).map_err(io_error(folder))?;
    let _lock = lock(folder, None)?;
    // Delete the writes first: if we are stopped in between, they are not applied to another seed.
    let writes = folder.join(WRITES);
    match fs::remove_file(&writes) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error(&writes)(error));
        }
        _ => {}
    }
    write_seed_file(folder, &SeedFile::of(seed))
}

/// Writes the file whole or not at all: into a draft in the same folder, which is then renamed.
fn write_seed_file(folder: &Path, file: &SeedFile) -> Result<(), FolderError> {
    let path = folder.join(SEED);
    let write = || -> io::Result<()> {
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut draft, file)?;
        draft.write_all(b"\n")?;
        draft.as_file().sync_all()?;
        draft.persist(&path)?;
        Ok(())
    };
    write().map_err(io_error(&path))
}

/// Takes the lock, or returns the address of the server that has it.
fn lock(folder: &Path, url: Option<&str>) -> Result<File, FolderError> {
    let path = folder.join(LOCK);
    let mut file = open_own(&path, OWN, How::Edit).map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let url = address(&mut file).ok().flatten();
            return Err(FolderError::Locked {
                folder: folder.to_owned(),
                url: url.filter(|url| !url.is_empty()),
            });
        }
        Err(TryLockError::Error(error)) => return Err(io_error(&path)(error)),
    }
    let emptied = match address(&mut file) {
        Ok(Some(_)) => file.set_len(0).and_then(|()| file.rewind()),
        Ok(None) => Err(io::Error::other("the file is not a lock of the sandbox")),
        Err(error) => Err(error),
    };
    emptied
        .and_then(|()| file.write_all(url.unwrap_or_default().as_bytes()))
        .map_err(io_error(&path))?;
    Ok(file)
}

/// Reads the address in a lock file. Returns `None` if the content was not written by a server.
fn address(file: &mut File) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(LONGEST_ADDRESS + 1).read_to_end(&mut text)?;
    let length = text.len().min(ADDRESS.len());
    let is_ours = text.get(..length) == ADDRESS.get(..length)
        && text.len() as u64 <= LONGEST_ADDRESS
        && text.iter().all(|byte| byte.is_ascii_graphic());
    Ok(is_ours.then(|| String::from_utf8_lossy(&text).into_owned()))
}

/// Reads the writes in a log and their length in bytes. Text after the last line break is an
/// unfinished write of a server that was killed; it was never answered.
fn read_log(path: &Path) -> Result<(Vec<WriteLogLine>, u64), FolderError> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(io_error(path)(error)),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut writes = Vec::new();
    // The unfinished text is cut off later, so a sandbox must have written it.
    if bytes.get(whole).is_some_and(|first| *first != b'{') {
        let line = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(FolderError::Log { path: path.to_owned(), line });
    }
    for (index, line) in bytes
        .split_at_checked(whole)
        .map_or(&[][..], |(whole, _)| whole)
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
    {
        let line = serde_json::from_slice(line)
            .map_err(|_| FolderError::Log { path: path.to_owned(), line: index + 1 })?;
        writes.push(line);
    }
    Ok((writes, u64::try_from(whole).unwrap_or(u64::MAX)))
}

/// The place where a running server stores its writes.
#[derive(Debug)]
pub(crate) struct Ledger {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory,
    /// Nothing is written yet, so the folder does not exist.
    Absent(StateFolder),
    /// This server has the lock.
    Held {
        folder: StateFolder,
        lock: File,
        /// The length of the complete lines of the log, in bytes.
        length: u64,
        log: Option<File>,
    },
    Stopped,
}

/// A state folder, with the seed and the address that this server stores in it.
#[derive(Debug, Clone)]
struct StateFolder {
    path: PathBuf,
    seed: SeedFile,
    url: String,
}

impl Ledger {
    /// Opens the ledger of a server at `url`, and returns it with the writes that are in it.
    pub(crate) fn open(
        path: Option<&Path>,
        seed: &Seed,
        url: &str,
    ) -> Result<(Self, Vec<WriteLogLine>), FolderError> {
        let Some(path) = path else {
            return Ok((Self { place: Place::Memory }, Vec::new()));
        };
        let folder =
            StateFolder { path: path.to_owned(), seed: SeedFile::of(seed), url: url.to_owned() };
        if !own_is_there(path, OWN - 1).map_err(io_error(path))? {
            return Ok((Self { place: Place::Absent(folder) }, Vec::new()));
        }
        let (place, writes) = folder.lock_and_read()?;
        Ok((Self { place }, writes))
    }

    /// Returns when the operating system has the line, so that killing this process cannot lose it.
    pub(crate) fn append(&mut self, line: &WriteLogLine) -> Result<(), FolderError> {
        if let Place::Absent(folder) = &self.place {
            self.place = folder.clone().create()?;
        }
        match &mut self.place {
            Place::Memory => Ok(()),
            Place::Held { folder, length, log, .. } => folder.append(line, length, log),
            Place::Absent(_) | Place::Stopped => Err(FolderError::Stopped),
        }
    }

    /// Releases the folder.
    pub(crate) fn close(&mut self) {
        if let Place::Held { lock, .. } = &self.place {
            // An error message must not name the address of a server that has stopped.
            let _ = lock.set_len(0);
        }
        self.place = Place::Stopped;
    }
}

impl StateFolder {
    fn create(self) -> Result<Place, FolderError> {
        make_own(&self.path, OWN - 1).map_err(io_error(&self.path))?;
        let folder = self.path.clone();
        let (place, writes) = self.lock_and_read()?;
        if writes.is_empty() { Ok(place) } else { Err(FolderError::Overtaken { folder }) }
    }

    fn lock_and_read(self) -> Result<(Place, Vec<WriteLogLine>), FolderError> {
        let lock = lock(&self.path, Some(&self.url))?;
        if let Some(other) = seed_file(&self.path)?.filter(|file| *file != self.seed) {
            return Err(FolderError::OtherSeed { folder: self.path, name: other.name });
        }
        let (writes, length) = read_log(&self.path.join(WRITES))?;
        let place = Place::Held { folder: self, lock, length, log: None };
        Ok((place, writes))
    }

    fn append(
        &self,
        line: &WriteLogLine,
        length: &mut u64,
        log: &mut Option<File>,
    ) -> Result<(), FolderError> {
        let path = self.path.join(WRITES);
        let log = match log {
            Some(log) => log,
            None => {
                if seed_file(&self.path)?.is_none() {
                    write_seed_file(&self.path, &self.seed)?;
                }
                log.insert(open_own(&path, OWN, How::Edit).map_err(io_error(&path))?)
            }
        };
        let written = append_at(log, *length, line);
        *length = written.map_err(io_error(&path))?;
        Ok(())
    }
}

/// Writes a line after the complete lines of a log. It replaces what a failed write left there.
fn append_at(log: &mut File, length: u64, line: &WriteLogLine) -> io::Result<u64> {
    use std::io::Seek as _;
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    if log.metadata()?.len() != length {
        log.set_len(length)?;
    }
    log.seek(io::SeekFrom::Start(length))?;
    log.write_all(&text)?;
    Ok(length + u64::try_from(text.len()).unwrap_or(0))
}
