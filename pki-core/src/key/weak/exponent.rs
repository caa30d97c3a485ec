//! RSA public exponents (SP 800-89 5.3.3, FIPS 186-5 5.1, Baseline Requirements 6.1.6): odd, more than 2^16, less than
//! 2^256.

use super::WeakKey;
use crate::key::element;

/// `exponent` is odd, as every exponent is that we read.
pub(super) fn check(exponent: &[u8]) -> Result<(), WeakKey> {
    let bits = element::bits(exponent);
    if (17..=256).contains(&bits) { Ok(()) } else { Err(WeakKey::Exponent { bits }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_out_of_range_are_refused() {
        let long = [1; 32];
        for accepted in [&[1, 0, 1][..], &[1, 0, 3], &[0xff; 4], &long, &[0xff; 32]] {
            assert_eq!(check(accepted), Ok(()), "{accepted:?}");
        }
        for (exponent, bits) in [
            (&[3][..], 2),
            (&[17], 5),
            (&[35], 6),
            (&[0xff, 0xff], 16),
            (&[&[1][..], &[0; 31], &[1]].concat(), 257),
            (&[0xff; 64], 512),
        ] {
            assert_eq!(check(exponent), Err(WeakKey::Exponent { bits }), "{exponent:?}");
        }
    }
}
