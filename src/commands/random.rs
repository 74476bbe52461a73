//! Random bytes for keys and salts.
//!
//! Not here: what is made of them.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};

/// Returns bytes that nobody can guess.
///
/// # Errors
/// The system gives none.
pub(super) fn bytes() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gave no random numbers"))?;
    Ok(bytes)
}
