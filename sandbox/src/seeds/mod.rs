//! The tenants that the sandbox can start from, before the first write.
//!
//! Not here: the changes since then (`store`), or how requests are answered (the handlers).

mod exchangelabs;
mod generated;
mod ids;
mod person;

pub use exchangelabs::exchangelabs;
pub use generated::generated;
pub use ids::{
    ALL_STAFF, BREAK_GLASS_1, BREAK_GLASS_2, BREAK_GLASS_ACCOUNTS, MFA_PILOT, SERVICE_ACCOUNTS,
};

use super::records::Seed;

/// The names of the seeds that are written down.
pub fn names() -> &'static [&'static str] {
    exchangelabs::VARIANTS
}

/// The seed with this name: one of `names()`, or `generated-` and a number of users.
pub fn by_name(name: &str) -> Option<Seed> {
    let count = || name.strip_prefix("generated-")?.parse().ok();
    exchangelabs::variant(name).or_else(|| count().map(generated).filter(|seed| seed.name == name))
}
