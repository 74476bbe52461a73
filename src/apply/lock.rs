//! Allows one apply of a tenant at a time in a folder. The operating system releases the lock when its
//! process ends, in whatever way that happens, so a dead process never keeps another one out.
//!
//! A cloud store has a lease instead (`lease`). Not here: what a run does while it holds the lock (`run`).

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lease::{self, Lease, LeaseFault, LeaseTimes};
use crate::files::{How, open_own};
use crate::id::TenantId;
use crate::journal::{RunActor, TenantRuns};
use crate::store::StoreFault;

/// The wait before another attempt to take a lock that another process holds.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

const NAME: &str = "lock.json";

/// Number of trailing path components that belong to mfactl: the folder, that of the tenant, and the file.
const OWN: usize = 3;

/// The first bytes of every lock file, and a size that no lock file exceeds.
const BEGINS: &[u8] = br#"{"who":"#;
const LARGEST: u64 = 4096;

/// A lock. That of a folder is held until this value is dropped, and a lease until it is released.
#[derive(Debug)]
pub enum Lock {
    Folder(File),
    Lease(Box<Lease>),
}

impl Lock {
    /// Returns whether this process may begin to write now.
    ///
    /// # Errors
    /// Another process replaced it, or the store does not answer.
    pub async fn confirm(&self) -> Result<(), LeaseFault> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Lease(lease) => lease.confirm().await,
        }
    }

    /// Frees the lock for the next apply.
    pub async fn release(self) {
        match self {
            Self::Folder(file) => drop(file),
            Self::Lease(lease) => lease.release().await,
        }
    }
}

/// The process that holds a lock, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub who: RunActor,
    pub since: Timestamp,
    /// The page of the job, if the run is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// Reason why a lock could not be taken.
#[derive(Debug)]
pub enum LockFault {
    /// `None` if the holder could not be read.
    Held(Option<Holder>),
    Io(PathBuf, io::Error),
    Store(StoreFault),
}

/// Takes the lock. Waits for it no longer than `patience`.
///
/// # Errors
/// The holder of the lock, or the error of the operating system for the file.
pub async fn take(runs: &TenantRuns, patience: Duration) -> Result<Lock, LockFault> {
    match runs.store.journals.folder() {
        Some(folder) => in_folder(folder, runs.tenant, patience).await,
        None => {
            let lease = lease::take(runs, patience, LeaseTimes::USUAL).await?;
            Ok(Lock::Lease(Box::new(lease)))
        }
    }
}

async fn in_folder(folder: &Path, tenant: TenantId, patience: Duration) -> Result<Lock, LockFault> {
    let path = folder.join(tenant.to_string()).join(NAME);
    let fault = |error| LockFault::Io(path.clone(), error);
    let mut file = open_own(&path, OWN, How::Edit).map_err(fault)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(TryLockError::WouldBlock) => return Err(LockFault::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
    }
    let holder = Holder { who: RunActor::is_here(), since: Timestamp::now(), job: RunActor::job() };
    let text = serde_json::to_vec(&holder).map_err(|error| fault(error.into()))?;
    is_ours(&mut file)
        .and_then(|()| file.set_len(0))
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(&text))
        .map_err(fault)?;
    Ok(Lock::Folder(file))
}

/// Checks that the content, which is overwritten next, was written by an earlier run, perhaps by one
/// that was killed while it wrote.
fn is_ours(file: &mut File) -> io::Result<()> {
    let text = content(file)?;
    let length = text.len().min(BEGINS.len());
    let begins = text.get(..length) == BEGINS.get(..length);
    match begins && text.len() as u64 <= LARGEST {
        true => Ok(()),
        false => Err(io::Error::other("its content is not that of a lock file")),
    }
}

fn holder(file: &mut File) -> Option<Holder> {
    serde_json::from_slice(&content(file).ok()?).ok()
}

fn content(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another test may start a program at this moment. Its copy of the file holds the lock until it executes.
    const RELEASED: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn second_process_learns_the_holder_of_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap();
        let soon = Duration::from_millis(150);
        let first = in_folder(folder.path(), tenant, Duration::ZERO).await.unwrap();
        match in_folder(folder.path(), tenant, soon).await {
            Err(LockFault::Held(Some(holder))) => assert_eq!(holder.who, RunActor::is_here()),
            other => panic!("{other:?}"),
        }
        let other = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b02".parse().unwrap();
        in_folder(folder.path(), other, Duration::ZERO).await.unwrap();
        drop(first);
        in_folder(folder.path(), tenant, RELEASED).await.unwrap();
    }

    #[tokio::test]
    async fn file_that_is_no_lock_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let tenant: TenantId = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap();
        let path = folder.path().join(format!("{tenant}/lock.json"));
        std::fs::create_dir(folder.path().join(tenant.to_string())).unwrap();
        for text in ["version: 1\n", "{\"plan\":{}}\n", "x"] {
            std::fs::write(&path, text).unwrap();
            let fault = in_folder(folder.path(), tenant, Duration::ZERO).await.unwrap_err();
            assert!(matches!(fault, LockFault::Io(..)), "{fault:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // An earlier run was killed while it wrote its holder.
        for text in ["", "{", "{\"who\":{\"user\":\"a"] {
            std::fs::write(&path, text).unwrap();
            in_folder(folder.path(), tenant, RELEASED).await.unwrap();
        }
    }
}
