//! Keeps named objects of bytes: in a folder of this machine, or in the object storage of a cloud. Most
//! objects are created once and never change. Every implementation has the same names, and none of them
//! knows what the bytes mean.
//!
//! Not here: what the objects hold (`journal`), or which store a project uses (`policy`).

pub mod address;
mod cloud;
mod fault;
mod folder;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use address::StoreAddress;
use cloud::CloudStore;
pub use cloud::{LONGEST_WITH_RETRIES, StorageTokens, Variable};
pub use fault::{StoreAct, StoreFault};
use folder::Folder;

/// A place for objects. Copies are the same place.
#[derive(Debug, Clone)]
pub struct Store(Arc<dyn Objects>);

/// What became of an object that is created once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    Created,
    /// An object with this name exists already, and it is unchanged.
    Exists,
}

/// The version of an object, which differs for every content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectVersion {
    e_tag: Option<String>,
    version: Option<String>,
}

impl ObjectVersion {
    /// Returns a version that no object has.
    #[must_use]
    pub fn of_none() -> Self {
        Self { e_tag: Some("\"0x0\"".to_owned()), version: Some("1".to_owned()) }
    }
}

/// What became of an object that is replaced only if nobody else replaced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    Done(ObjectVersion),
    /// The object is another one by now.
    Changed,
}

/// The operations of a place for objects. A name has parts that are separated by `/`; each part is made of
/// ASCII letters, digits, `-`, `_` and `.`, and does not begin with a dot.
#[async_trait]
trait Objects: fmt::Debug + Send + Sync {
    /// Creates an object. It is durable when this returns.
    async fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, StoreFault>;

    /// Creates an object or replaces it.
    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreFault>;

    /// Replaces an object if it still has the version that was seen; creates it if none was seen.
    async fn swap(
        &self,
        name: &str,
        bytes: &[u8],
        seen: Option<&ObjectVersion>,
    ) -> Result<Swap, StoreFault>;

    /// Returns the bytes of an object and its version; `None` if it does not exist.
    async fn read_version(
        &self,
        name: &str,
    ) -> Result<Option<(Vec<u8>, ObjectVersion)>, StoreFault>;

    /// Returns the bytes of an object; `None` if it does not exist.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Returns whether an object exists.
    async fn exists(&self, name: &str) -> Result<bool, StoreFault>;

    /// Returns the last parts of the names of objects in a folder, sorted.
    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFault>;

    /// Returns the last parts of the names of folders in a folder, sorted.
    async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreFault>;

    /// Removes an object, if it exists.
    async fn remove(&self, name: &str) -> Result<(), StoreFault>;

    /// Returns where an object is, as a person would look for it.
    fn place(&self, name: &str) -> String;

    /// Returns the folder of this machine, if it is one.
    fn folder(&self) -> Option<&std::path::Path> {
        None
    }
}

impl Store {
    /// Returns the store in a folder of this machine. The folder is created with the first object.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self(Arc::new(Folder::new(folder, 1)))
    }

    /// Returns the store in a folder. The last `own` parts of its path belong to mfactl.
    #[must_use]
    pub fn in_own_folder(folder: PathBuf, own: usize) -> Self {
        Self(Arc::new(Folder::new(folder, own)))
    }

    /// Returns an empty store with the rules of a cloud.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self(Arc::new(CloudStore::in_memory()))
    }

    /// Opens a store in a cloud. Nothing is sent.
    ///
    /// # Errors
    /// Something that the store needs is missing, such as a credential.
    pub fn in_cloud(
        address: &StoreAddress,
        tokens: Option<Arc<dyn StorageTokens>>,
        variable: Variable<'_>,
    ) -> Result<Self, StoreFault> {
        Ok(Self(Arc::new(CloudStore::open(address, tokens, variable)?)))
    }

    /// Replaces an object if it still has the version that was seen; creates it if none was seen.
    ///
    /// # Errors
    /// The store could not be written. The object may be replaced anyway.
    pub async fn swap(
        &self,
        name: &str,
        bytes: &[u8],
        seen: Option<&ObjectVersion>,
    ) -> Result<Swap, StoreFault> {
        self.0.swap(name, bytes, seen).await
    }

    /// Returns the bytes of an object and its version; `None` if it does not exist.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn read_version(
        &self,
        name: &str,
    ) -> Result<Option<(Vec<u8>, ObjectVersion)>, StoreFault> {
        self.0.read_version(name).await
    }

    /// Creates an object. It is durable when this returns.
    ///
    /// # Errors
    /// The store could not be written. The object may exist anyway.
    pub async fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, StoreFault> {
        self.0.create(name, bytes).await
    }

    /// Creates an object or replaces it.
    ///
    /// # Errors
    /// The store could not be written.
    pub async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreFault> {
        self.0.replace(name, bytes).await
    }

    /// Returns the bytes of an object; `None` if it does not exist.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.0.read(name).await
    }

    /// Returns whether an object exists.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn exists(&self, name: &str) -> Result<bool, StoreFault> {
        self.0.exists(name).await
    }

    /// Returns the last parts of the names of objects in a folder, sorted.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        self.0.names(folder).await
    }

    /// Returns the last parts of the names of folders in a folder, sorted. The name of the store itself is
    /// the empty text.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreFault> {
        self.0.folders(folder).await
    }

    /// Removes an object, if it exists.
    ///
    /// # Errors
    /// The store could not be written.
    pub async fn remove(&self, name: &str) -> Result<(), StoreFault> {
        self.0.remove(name).await
    }

    /// Returns where an object is, as a person would look for it.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        self.0.place(name)
    }

    /// Returns the folder of this machine, if the store is one.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.0.folder()
    }
}
