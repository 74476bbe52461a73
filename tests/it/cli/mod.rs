//! The commands as a user meets them: arguments, output, exit codes, files.

pub(crate) mod apply_outputs;
pub(crate) mod checks;
pub(crate) mod comment;
pub(crate) mod disclose;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod hostile;
pub(crate) mod ignored;
pub(crate) mod links;
pub(crate) mod privacy;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod store_roles;
pub(crate) mod validate;
