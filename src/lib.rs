//! `mfactl`: the MFA state of a Microsoft Entra tenant as code.
//!
//! The data flows in one direction: `policy` reads the files, `scope` resolves the users in scope and
//! what to read, `entra` reads it over `graph`, `desired` and `posture` evaluate it, `plan` orders the
//! changes and withholds unsafe ones, `render` shows the plan, and `apply` carries it out.
//! The crate `mfactl_sandbox` is an embedded tenant that answers the same HTTP.
//!
//! Not here: the entry point (`main.rs`).

pub mod age;
pub mod apply;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod desired;
pub mod disclose;
pub mod entra;
pub mod exit;
pub mod explain;
pub mod finding;
pub mod git;
pub mod graph;
pub mod id;
pub mod journal;
pub mod moment;
pub mod number;
pub mod observed;
pub mod parallel;
pub mod plan;
pub mod policy;
pub mod posture;
pub mod render;
pub mod report;
pub mod resources;
pub mod results;
pub mod review_host;
pub mod run;
pub mod saved;
pub mod scope;
pub mod settings;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod tenant;
pub mod terminal;
pub mod transport;
pub mod untrusted;

pub use mfactl_files as files;
