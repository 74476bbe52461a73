//! One apply of a tenant at a time in a folder. The system lets go of the lock when its holder ends,
//! however that happens, so nobody is kept out by somebody who is dead.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::Who;
use crate::id::TenantId;

/// How often a lock is tried again that somebody else holds.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub who: Who,
    pub since: Timestamp,
}

/// Why a lock was not to be had.
#[derive(Debug)]
pub enum LockFault {
    /// `None` where the holder could not be read.
    Held(Option<Holder>),
    Io(PathBuf, io::Error),
}

/// Takes the lock, waiting for as long as told.
///
/// # Errors
/// Who holds it, or what the system says of the file.
pub async fn take(folder: &Path, tenant: TenantId, patience: Duration) -> Result<Lock, LockFault> {
    let path = folder.join(format!("apply-{tenant}.lock"));
    let fault = |error| LockFault::Io(path.clone(), error);
    fs::create_dir_all(folder).map_err(fault)?;
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.map_err(fault)?;
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
    let holder = Holder { who: Who::is_here(), since: Timestamp::now() };
    let text = serde_json::to_vec(&holder).map_err(|error| fault(error.into()))?;
    file.set_len(0).and_then(|()| file.write_all(&text)).map_err(fault)?;
    Ok(Lock { _file: file })
}

fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_holds_it_and_the_other_learns_who() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap();
        let soon = Duration::from_millis(150);
        let first = take(folder.path(), tenant, Duration::ZERO).await.unwrap();
        match take(folder.path(), tenant, soon).await {
            Err(LockFault::Held(Some(holder))) => assert_eq!(holder.who, Who::is_here()),
            other => panic!("{other:?}"),
        }
        let other = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b02".parse().unwrap();
        take(folder.path(), other, Duration::ZERO).await.unwrap();
        drop(first);
        take(folder.path(), tenant, Duration::ZERO).await.unwrap();
    }
}
