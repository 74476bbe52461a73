//! The tenants that the sandbox can be.

/// Users who are a function of seed and index.
#[derive(Debug, Clone)]
pub struct Generated {
    count: u32,
}
