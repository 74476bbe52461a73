//! The embedded tenant, as other programs use it.

pub(crate) mod sdks;
pub(crate) mod served;
