//! The rules that do not depend on the path: permissions, quotas, and how late a write is visible.
//!
//! Not here: faults that a test asks for (`faults`).

pub(crate) mod access;
pub(crate) mod late;
pub(crate) mod quotas;
