//! Sends requests to Microsoft Graph.
//!
//! - Hosts: `cloud` and `endpoint` define them, `http` has the HTTP clients, `discovery` finds the tenant of
//!   a domain.
//! - Tokens: `auth` gets them, `token` reads their claims.
//! - Requests: `client` sends one, `answer` is its answer, `body` reads the bytes, `batch` sends twenty parts
//!   at once, `page` is a part of a list, `paging` reads a whole list.
//! - Time: `gate` admits what the quotas of `governor` allow, `retry` says how long to wait, `deadline` when
//!   to stop.
//! - Reports: `error` says what went wrong, `redact` removes phone numbers from texts, `traffic` counts,
//!   `stage` shows the progress.
//!
//! Each request is one `tracing` event: method, path, status, ids, tries and time, never a query, a body or a
//! token.
//!
//! A read is retried. A write is retried only if it was certainly not done: refused with 429, or never sent.
//! After [`WriteOutcome::Unknown`] it is not repeated: the caller must read to find out whether it was done.
//!
//! Not here: what a user, a group or a phone is (`entra`).

mod answer;
mod auth;
mod batch;
mod body;
#[cfg(test)]
mod child_process;
mod client;
mod cloud;
mod deadline;
mod discovery;
mod endpoint;
mod error;
mod gate;
mod governor;
mod http;
mod page;
mod paging;
mod redact;
mod retry;
#[cfg(test)]
mod scripted_server;
mod stage;
mod storage;
#[cfg(test)]
mod tests;
mod token;
mod traffic;

pub use auth::{Credential, CredentialKind, JobToken};
pub use batch::{BatchPart, Done, MOST_PARTS, WriteOutcome};
pub use client::{Builder, Client, Consistency};
pub use cloud::{Cloud, UnknownName};
pub use endpoint::{EndpointError, Endpoints};
pub use error::{Error, ErrorKind};
pub use page::{Continued, NextLink, Page};
pub use paging::{Identified, identity_of};
pub use reqwest::Method;
pub use retry::Pace;
pub use stage::{Doing, ProgressStage};
pub use storage::StorageAccess;
pub use token::Token;
pub use traffic::Traffic;
