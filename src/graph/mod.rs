//! Requests to Microsoft Graph: how they travel, not what they ask for.
//!
//! `cloud` and `endpoint` say which hosts, `http` how they are reached, `auth` gets the token,
//! `token` reads it, `discovery` asks which tenant a domain is of, `client` sends one request, of which
//! `answer` is what came back and `body` its bytes, `page` a part of a list, `paging` follows a list, `batch` sends twenty parts at once, `gate` lets
//! through what the quotas of `governor` allow, `retry` says how long to wait, `deadline` when to give
//! up, `traffic` counts, `stage` says how far it is, `error` what went wrong, `redact` keeps numbers out
//! of it. Each call is one event of `tracing`: method, path, status, ids, tries and time, never a
//! query, a body or a token.
//!
//! A read is tried again. A write is tried again only where it was certainly not done: refused by
//! a 429, or never sent. Everything else is [`Outcome::Unknown`], and whoever asked must look.
//! Nothing here knows what a user, a group or a phone is.

mod answer;
mod auth;
mod batch;
mod body;
#[cfg(test)]
mod child;
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
mod script;
mod stage;
#[cfg(test)]
mod tests;
mod token;
mod traffic;

pub use auth::{Credential, CredentialKind};
pub use batch::{Done, MOST_PARTS, Outcome, Part};
pub use client::{Builder, Client, Consistency};
pub use cloud::{Cloud, UnknownName};
pub use endpoint::{EndpointError, Endpoints};
pub use error::{Error, Kind};
pub use page::{Continued, NextLink, Page};
pub use paging::{Identified, identity_of};
pub use reqwest::Method;
pub use retry::Pace;
pub use stage::{Doing, Stage};
pub use token::Token;
pub use traffic::Traffic;
