//! The operating system's source of randomness.

use pki_core::random::{RandomError, SecureRandom};

/// Draws from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}
