//! The embedded tenant: a real HTTP server on loopback that speaks Microsoft Graph.

pub mod records;
pub mod seeds;
pub mod sign_in;
