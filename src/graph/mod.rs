//! Requests to Microsoft Graph: how they travel, not what they ask for.
//!
//! `endpoint` says which hosts, `auth` gets the token, `token` reads it, `client` sends one
//! request, `paging` follows a list, `batch` sends twenty parts at once, `retry` says how long to
//! wait, `error` what went wrong, `redact` keeps numbers out of it.
//!
//! A read is tried again. A write is tried again only where it was certainly not done: refused by
//! a 429, or never sent. Everything else is [`Outcome::Unknown`], and whoever asked must look.
//! Nothing here knows what a user, a group or a phone is.

mod auth;
mod batch;
mod client;
mod endpoint;
mod error;
mod paging;
mod redact;
mod retry;
#[cfg(test)]
mod script;
mod token;

pub use auth::Credential;
pub use batch::{Outcome, Part};
pub use client::{Builder, Client, Consistency, Traffic};
pub use endpoint::{EndpointError, Endpoints};
pub use error::{Error, Kind};
pub use reqwest::Method;
pub use retry::Pace;
pub use token::Token;
