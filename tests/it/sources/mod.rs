//! Rules for the sources and the pages of this repository.

pub(crate) mod docs_in_sync;
pub(crate) mod generated_docs;
pub(crate) mod imports;
pub(crate) mod names;
pub(crate) mod settings;
pub(crate) mod tenants;
pub(crate) mod words;
