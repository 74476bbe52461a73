//! Snapshots: what is recorded of a tenant, and plans of it without a connection.

pub(crate) mod always;
pub(crate) mod lacks;
pub(crate) mod privacy;
pub(crate) mod refusals;
pub(crate) mod same_plan;
pub(crate) mod size;
