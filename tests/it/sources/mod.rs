//! What the sources and the pages of this repository must keep to.

pub(crate) mod docs_in_sync;
pub(crate) mod generated_docs;
pub(crate) mod imports;
pub(crate) mod names;
pub(crate) mod words;
