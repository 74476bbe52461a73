//! From the files to the desired state.

pub(crate) mod guards_from;
pub(crate) mod loading;
pub(crate) mod meaning;
pub(crate) mod precedence;
pub(crate) mod roles;
pub(crate) mod selectors;
pub(crate) mod spelled;
