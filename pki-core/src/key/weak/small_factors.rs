//! Small prime factors (Baseline Requirements 6.1.6: "the modulus ... have no factors smaller than 752").

use alloc::vec::Vec;

use super::WeakKey;

/// A small prime and what it leaves of a modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Residue {
    pub(super) prime: u16,
    pub(super) rest: u16,
}

/// What each prime below 752 leaves of the number with these octets, the highest first.
pub(super) fn residues(number: &[u8]) -> Vec<Residue> {
    let mut residues = Vec::with_capacity(PRIMES.len());
    let mut primes = PRIMES.as_slice();
    // The number is divided by as many primes at once as fit 32 bits; that is less work than one by one.
    while !primes.is_empty() {
        let mut product = 1_u32;
        let mut count = 0;
        for prime in primes {
            let Some(next) = product.checked_mul(u32::from(*prime)) else { break };
            product = next;
            count += 1;
        }
        let (group, others) = primes.split_at(count);
        let rest = remainder(number, product);
        let of_group =
            group.iter().map(|prime| Residue { prime: *prime, rest: (rest % u32::from(*prime)) as u16 });
        residues.extend(of_group);
        primes = others;
    }
    residues
}

pub(super) fn check(residues: &[Residue]) -> Result<(), WeakKey> {
    match residues.iter().find(|residue| residue.rest == 0) {
        Some(residue) => Err(WeakKey::SmallFactor { factor: residue.prime }),
        None => Ok(()),
    }
}

/// The number with these octets, the highest first, modulo `divisor`.
pub(super) fn remainder(number: &[u8], divisor: u32) -> u32 {
    let (head, words) = number.as_rchunks::<4>();
    let head = head.iter().fold(0, |head, octet| head << 8 | u64::from(*octet));
    let divisor = u64::from(divisor);
    let rest = words
        .iter()
        .fold(head % divisor, |rest, word| (rest << 32 | u64::from(u32::from_be_bytes(*word))) % divisor);
    rest as u32
}

/// All primes below 752, the bound of the Baseline Requirements.
#[expect(clippy::indexing_slicing, reason = "a table that does not fit does not compile")]
const PRIMES: [u16; 133] = {
    let mut primes = [0; 133];
    let mut found = 0;
    let mut candidate = 2;
    while candidate < 752 {
        let mut divisor = 2;
        while divisor * divisor <= candidate && candidate % divisor != 0 {
            divisor += 1;
        }
        if divisor * divisor > candidate {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 1;
    }
    primes
};

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn the_primes_are_all_primes_below_752() {
        assert_eq!(PRIMES.first(), Some(&2));
        assert_eq!(PRIMES.last(), Some(&751));
        assert!(PRIMES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn each_small_prime_is_found() {
        // 2^61 - 1 is prime.
        let prime = (1_u64 << 61) - 1;
        assert_eq!(check(&residues(&prime.to_be_bytes())), Ok(()));
        for factor in PRIMES {
            let number = u128::from(prime) * u128::from(factor);
            assert_eq!(check(&residues(&number.to_be_bytes())), Err(WeakKey::SmallFactor { factor }));
        }
        // The first prime beyond.
        assert_eq!(check(&residues(&(u128::from(prime) * 757).to_be_bytes())), Ok(()));
    }

    proptest! {
        #[test]
        fn remainders_are_those_of_division(number: u128, divisor in 1_u32.., zeros in 0_usize..9) {
            let octets = [vec![0; zeros], number.to_be_bytes().to_vec()].concat();
            prop_assert_eq!(u128::from(remainder(&octets, divisor)), number % u128::from(divisor));
        }

        #[test]
        fn residues_are_those_of_each_prime(number: u128) {
            for residue in residues(&number.to_be_bytes()) {
                prop_assert_eq!(u128::from(residue.rest), number % u128::from(residue.prime));
            }
        }
    }
}
