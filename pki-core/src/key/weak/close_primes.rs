//! Primes that are close to each other (Fermat's factorisation; CVE-2022-26320; Baseline Requirements 6.1.1.3).
//!
//! With n = p * q, a = (p + q) / 2 and b = (p - q) / 2, n = a^2 - b^2. If p and q are close, a is just above the root of
//! n, and is found by trying.

use crypto_bigint::{BoxedUint, ConcatenatingSquare, Resize};

use super::WeakKey;
use super::small_factors::remainder;

/// How often a is tried: the count of the Baseline Requirements' "Fermat's factorization method, 100 rounds", with what
/// Boulder adds.
pub(super) const ROUNDS: usize = 110;

pub(super) fn check(modulus: &BoxedUint) -> Result<(), WeakKey> {
    // Room for the square of a number that is a little larger than the root.
    let modulus = modulus.resize_unchecked(modulus.bits_precision() + 64);
    let one = BoxedUint::one_with_precision(modulus.bits_precision());
    let root = modulus.floor_sqrt_vartime();
    if root.wrapping_square() == modulus {
        return Err(WeakKey::ClosePrimes);
    }
    let mut a = root.wrapping_add(&one);
    let mut b_squared = a.wrapping_square().wrapping_sub(&modulus);
    for _ in 0..ROUNDS {
        if is_square(&b_squared) {
            return Err(WeakKey::ClosePrimes);
        }
        // (a + 1)^2 = a^2 + 2a + 1
        b_squared.wrapping_add_assign(&a);
        b_squared.wrapping_add_assign(&a);
        b_squared.wrapping_add_assign(&one);
        a.wrapping_add_assign(&one);
    }
    Ok(())
}

/// Whether a number is a square. Most are told apart by what small numbers leave of them; the root is the last resort.
fn is_square(number: &BoxedUint) -> bool {
    let octets = number.to_be_bytes();
    let low = octets.last().copied().unwrap_or_default() % 64;
    if SQUARES_MODULO_64 >> low & 1 == 0 {
        return false;
    }
    let rest = remainder(&octets, FACTORS.iter().product());
    let could_be = |factor: &u32| (0..*factor).any(|root| root * root % factor == rest % factor);
    if !FACTORS.iter().all(could_be) {
        return false;
    }
    let number = number.resize_unchecked(number.bits_vartime().max(1));
    number.floor_sqrt_vartime().concatenating_square() == number
}

/// A bit for each number below 64 that is a square modulo 64.
const SQUARES_MODULO_64: u64 = {
    let mut squares = 0;
    let mut root = 0;
    while root < 64 {
        squares |= 1 << (root * root % 64);
        root += 1;
    }
    squares
};
/// Their product fits 32 bits; one number in eighty is a square modulo all of them.
const FACTORS: [u32; 7] = [5, 7, 9, 11, 13, 17, 19];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: u128) -> BoxedUint {
        BoxedUint::from_be_slice_vartime(&value.to_be_bytes())
    }

    #[test]
    fn close_primes_are_found_and_others_are_not() {
        // The largest prime below 2^61, and primes at growing distances above it.
        let prime = (1_u128 << 61) - 1;
        for (name, other, found) in [
            ("the same prime", prime, true),
            ("the next prime", (1 << 61) + 15, true),
            ("a prime above 2^62", (1 << 62) + 135, false),
            ("a prime with as many bits", 1_945_555_039_024_054_273, false),
        ] {
            let verdict = check(&number(prime * other));
            assert_eq!(verdict, if found { Err(WeakKey::ClosePrimes) } else { Ok(()) }, "{name}");
        }
    }

    #[test]
    fn the_rounds_are_counted() {
        // n = a^2 - b^2 with a in the last round, and beyond: a = root + rounds, where b^2 is 2 * root * rounds.
        let root = 1_u128 << 60;
        for (rounds, found) in [(1_u128, true), (ROUNDS as u128, true), (ROUNDS as u128 + 1, false)] {
            let a = root + rounds;
            // The largest b with a^2 - b^2 >= root^2; then the root of n is the root we started with.
            let b = (a * a - root * root).isqrt();
            let n = a * a - b * b;
            assert_eq!(n.isqrt(), root, "the example is as meant");
            assert_eq!(check(&number(n)).is_err(), found, "{rounds} rounds");
        }
    }

    proptest! {
        #[test]
        fn squares_are_squares(root in 1_u128..1 << 63, offset in 1_u128..1000) {
            let square = root * root;
            prop_assert!(is_square(&number(square)));
            let other = square + offset;
            prop_assert_eq!(is_square(&number(other)), other.isqrt().pow(2) == other);
        }
    }
}
