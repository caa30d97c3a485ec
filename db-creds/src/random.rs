//! Randomness, as an argument.

use std::fmt;

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

/// The source of randomness failed. Nothing was created, and the act may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed")
    }
}

impl std::error::Error for RandomError {}

/// A number below `bound`, each as likely as the others: what falls into the uneven rest is drawn again.
///
/// `bound` is 1 to 65,536; zero counts as one.
pub(crate) fn below(rng: &mut dyn SecureRandom, bound: u32) -> Result<u32, RandomError> {
    let bound = bound.clamp(1, 65_536);
    let even = 65_536 - 65_536 % bound;
    loop {
        let mut octets = [0; 2];
        rng.fill(&mut octets)?;
        let drawn = u32::from(u16::from_le_bytes(octets));
        if drawn < even {
            return Ok(drawn % bound);
        }
    }
}

/// `count` characters of the ASCII alphabet, each drawn evenly.
pub(crate) fn characters(
    rng: &mut dyn SecureRandom,
    alphabet: &[u8],
    count: usize,
) -> Result<String, RandomError> {
    let size = u32::try_from(alphabet.len()).unwrap_or(1);
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let at = below(rng, size)? as usize;
        text.extend(alphabet.get(at).map(|&octet| char::from(octet)));
    }
    Ok(text)
}

/// Digits and letters in the order of their octets, so that numbers written with them sort as text.
pub(crate) const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A source for tests: the same octets for the same seed.
#[cfg(test)]
pub(crate) fn seeded(seed: u64) -> impl SecureRandom {
    let mut state = seed;
    move |out: &mut [u8]| {
        for octet in out {
            // SplitMix64, one octet a step.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *octet = (mixed ^ (mixed >> 31)) as u8;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_bound_is_as_likely() {
        let mut rng = seeded(1);
        let mut counts = [0_u32; 63];
        for _ in 0..63_000 {
            counts[below(&mut rng, 63).unwrap() as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }

    #[test]
    fn a_source_that_fails_gives_nothing() {
        let mut broken = |_: &mut [u8]| Err(RandomError);
        assert_eq!(characters(&mut broken, BASE62, 20), Err(RandomError));
    }
}
