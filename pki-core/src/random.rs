//! Randomness, as an argument.

use core::fmt;

/// A cryptographically secure source of random octets.
///
/// The operating system's source lives in the binaries; a test passes its own.
pub trait SecureRandom {
    /// Fills the whole of `out` with random octets.
    ///
    /// # Errors
    ///
    /// [`RandomError`] when the source cannot deliver; `out` must then not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// A closure over the operating system's source is a source: `|out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)`.
impl<F: FnMut(&mut [u8]) -> Result<(), RandomError>> SecureRandom for F {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self(out)
    }
}

/// The source of randomness failed. Nothing was issued, and the act may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed")
    }
}

impl core::error::Error for RandomError {}
