//! The embedded tenant: a real HTTP server on loopback that speaks Microsoft Graph.
