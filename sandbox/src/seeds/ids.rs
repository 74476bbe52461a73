//! Ids and names that several seeds share.
//!
//! Not here: the objects that have them.

use uuid::{Uuid, uuid};

pub(super) const DOMAIN: &str = "exchangelabs.nl";
pub(super) const INITIAL_DOMAIN: &str = "exchangelabs.onmicrosoft.com";

/// The configuration of the external method that one user has.
pub(super) const EXTERNAL_METHOD: Uuid = uuid!("5c9a1b6e-74d2-4e08-a3f1-d8b06e25c947");

/// Ids that exist in every seed, so that one set of policies works with all of them.
pub const BREAK_GLASS_1: Uuid = uuid!("6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61");
pub const BREAK_GLASS_2: Uuid = uuid!("6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62");
pub const BREAK_GLASS_ACCOUNTS: Uuid = uuid!("0b7d2c55-81e6-4f39-a2c0-97d4e13b6f08");
pub const ALL_STAFF: Uuid = uuid!("3f8a5d21-6b94-4c0e-8d7f-1e2a9c40b753");
pub const SERVICE_ACCOUNTS: Uuid = uuid!("8e5b1f70-c4a3-4d26-b9e8-60f7d2a5134c");
pub const MFA_PILOT: Uuid = uuid!("d2946c3b-0f7e-4a51-95b8-c3e1f86a7d20");

/// An id that looks random, like Entra's, and is always the same for the same name.
pub(super) fn id_of(name: &str) -> Uuid {
    // FNV-1a of 128 bits, with its published basis and prime.
    let hash = name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid()
}
