//! One apply of a tenant at a time in a folder. The system lets go of the lock when its holder ends,
//! however that happens, so nobody is kept out by somebody who is dead.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::Who;
use crate::files::{How, open_own};
use crate::id::TenantId;

/// How often a lock is tried again that somebody else holds.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The last parts of its path that are ours: the folder and the file.
const OWN: usize = 2;

/// What every lock file begins with, and more than any holds.
const BEGINS: &[u8] = br#"{"who":"#;
const LARGEST: u64 = 4096;

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
    let holder = Holder { who: Who::is_here(), since: Timestamp::now() };
    let text = serde_json::to_vec(&holder).map_err(|error| fault(error.into()))?;
    is_ours(&mut file)
        .and_then(|()| file.set_len(0))
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(&text))
        .map_err(fault)?;
    Ok(Lock { _file: file })
}

/// What is emptied was written by an earlier run, perhaps one that was killed over it.
fn is_ours(file: &mut File) -> io::Result<()> {
    let text = content(file)?;
    let length = text.len().min(BEGINS.len());
    let begins = text.get(..length) == BEGINS.get(..length);
    match begins && text.len() as u64 <= LARGEST {
        true => Ok(()),
        false => Err(io::Error::other("it holds something else than a lock does")),
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

    #[tokio::test]
    async fn what_is_no_lock_is_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = "6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01".parse().unwrap();
        let path = folder.path().join(format!("apply-{tenant}.lock"));
        for text in ["version: 1\n", "{\"plan\":{}}\n", "x"] {
            std::fs::write(&path, text).unwrap();
            let fault = take(folder.path(), tenant, Duration::ZERO).await.unwrap_err();
            assert!(matches!(fault, LockFault::Io(..)), "{fault:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // An earlier run was killed while it wrote who it was.
        for text in ["", "{", "{\"who\":{\"user\":\"a"] {
            std::fs::write(&path, text).unwrap();
            take(folder.path(), tenant, Duration::ZERO).await.unwrap();
        }
    }
}
