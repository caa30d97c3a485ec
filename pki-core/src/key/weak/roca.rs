//! ROCA (CVE-2017-15361; Nemec and others, "The Return of Coppersmith's Attack", 2017).
//!
//! Infineon's library made its primes as k * M + 65537^a mod M, where M is a product of small primes. So a modulus is a
//! power of 65537 modulo each of them, which a random one is with a probability of about 2^-28.

use super::WeakKey;
use super::small_factors::Residue;

pub(super) fn check(residues: &[Residue]) -> Result<(), WeakKey> {
    let mut of_roca = residues.iter().filter(|residue| residue.prime <= LARGEST_PRIME);
    if of_roca.all(|residue| is_power(residue.prime, residue.rest)) { Err(WeakKey::Roca) } else { Ok(()) }
}

/// Whether `number` is a power of 65537 modulo `prime`.
fn is_power(prime: u16, number: u16) -> bool {
    let generator = 65_537 % u32::from(prime);
    let mut power = 1;
    // The powers repeat after at most prime - 1 of them.
    for _ in 1..prime {
        if power == u32::from(number) {
            return true;
        }
        power = power * generator % u32::from(prime);
    }
    false
}

/// The last of the 39 primes that every size of key has in its M.
const LARGEST_PRIME: u16 = 167;
