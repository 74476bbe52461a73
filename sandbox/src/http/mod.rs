//! The server: connections, TLS, tokens, and the paths outside Graph.
//!
//! Not here: Graph's own requests (`graph`).

pub(crate) mod aadsts;
pub(crate) mod delivery;
pub(crate) mod discovery;
pub(crate) mod inside;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod wire;
