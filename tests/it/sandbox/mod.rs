//! The embedded tenant, used through the program and through other clients.

pub(crate) mod sdks;
pub(crate) mod served;
