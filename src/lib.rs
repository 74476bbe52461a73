//! `mfactl`: the MFA state of a Microsoft Entra tenant as code.
//!
//! The way of the data is one direction: `policy` reads files, `scope` says who is meant and what
//! to read, `entra` reads it over `graph`, `desired` and `posture` judge, `plan` puts the
//! difference in order and withholds what would hurt, `render` shows it and `apply` makes it so.
//! `sandbox` is a tenant in the box that answers the same HTTP; it uses nothing of the rest.

pub mod apply;
pub mod cli;
pub mod commands;
pub mod desired;
pub mod entra;
pub mod exit;
pub mod files;
pub mod finding;
pub mod graph;
pub mod id;
pub mod moment;
pub mod number;
pub mod plan;
pub mod policy;
pub mod posture;
pub mod render;
pub mod report;
pub mod sandbox;
pub mod scope;
pub mod settings;
pub mod source;
pub mod tenant;
pub mod terminal;
pub mod untrusted;
