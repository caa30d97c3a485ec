//! Keys that must not be certified: anybody can find their private half, or sign in their name.
//!
//! Each family of faults has a file. What cannot be computed from the key alone is brought along by the caller: whether
//! a list of broken keys has it ([`KnownWeakKeys`]), and whether it was certified before ([`KeyHistory`]).

mod close_primes;
mod exponent;
mod known;
mod point;
mod roca;
mod small_factors;

use core::fmt;

use crypto_bigint::BoxedUint;

pub use self::known::{KnownWeakKeys, KnownWeakKeysError};
use super::PublicKey;
use super::public::Form;
use crate::serial::SerialNumber;

/// What the caller knows of a key that the key itself does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyHistory {
    /// Whether a list of keys whose private half is known has it.
    pub listed: Listed,
    /// Whether it stands in another certificate already.
    pub certified: Certified,
}

/// Whether a list of keys whose private half is known has a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// No list has it, or there is no list.
    #[default]
    No,
    /// A list has it.
    Yes,
}

/// Whether a key stands in another certificate already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certified {
    /// Nobody looked. A role that refuses reuse then refuses.
    #[default]
    Unknown,
    /// In none that is stored.
    Never,
    /// In this one, for one.
    Before(SerialNumber),
}

/// Why a key is weak.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakKey {
    /// The two primes of an RSA key are so close that Fermat's method finds them.
    ClosePrimes,
    /// An RSA public exponent that is too small or too large.
    Exponent {
        /// Its bits.
        bits: u32,
    },
    /// It is on a list of keys whose private half is known.
    Listed,
    /// An RSA modulus whose bits do not fill its octets.
    ModulusBits {
        /// Its bits.
        bits: u32,
    },
    /// The public key is no point of its curve.
    OffCurve,
    /// A coordinate that is not below the field's prime.
    PointNotCanonical,
    /// The primes were made by Infineon's library, whose keys can be factored (CVE-2017-15361).
    Roca,
    /// An RSA modulus with a small prime factor.
    SmallFactor {
        /// The factor.
        factor: u16,
    },
    /// A point of small order: a signature by it proves nothing.
    SmallOrder,
}

impl WeakKey {
    /// The test that found it, in one word.
    pub const fn test(&self) -> &'static str {
        match self {
            Self::ClosePrimes => "close-primes",
            Self::Exponent { .. } => "exponent",
            Self::Listed => "listed",
            Self::ModulusBits { .. } => "modulus-bits",
            Self::OffCurve => "off-curve",
            Self::PointNotCanonical => "point-not-canonical",
            Self::Roca => "roca",
            Self::SmallFactor { .. } => "small-factor",
            Self::SmallOrder => "small-order",
        }
    }

    /// Whether the key is broken, rather than one that verifiers and the Baseline Requirements do not want.
    pub const fn is_broken(&self) -> bool {
        !matches!(self, Self::Exponent { .. } | Self::ModulusBits { .. })
    }
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosePrimes => write!(
                f,
                "the two primes of the RSA key are so close that Fermat's method finds them in {} steps",
                close_primes::ROUNDS
            ),
            Self::Exponent { bits } => write!(
                f,
                "the public exponent of the RSA key has {bits} bits; it has to be greater than 65536 and less than 2^256"
            ),
            Self::Listed => f.write_str(
                "the key is on the list of keys whose private half is known, such as those of CVE-2008-0166",
            ),
            Self::ModulusBits { bits } => {
                write!(f, "the modulus of the RSA key has {bits} bits, which is no multiple of 8")
            }
            Self::OffCurve => f.write_str("the public key is not a point of its curve"),
            Self::PointNotCanonical => {
                f.write_str("a coordinate of the public key is not less than the prime of its field")
            }
            Self::Roca => f.write_str(
                "the RSA key has the fingerprint of ROCA (CVE-2017-15361): its private half can be computed",
            ),
            Self::SmallFactor { factor } => write!(f, "the modulus of the RSA key is divisible by {factor}"),
            Self::SmallOrder => {
                f.write_str("the public key is a point of small order, so that anybody can sign in its name")
            }
        }
    }
}

impl core::error::Error for WeakKey {}

/// Whether a key may be certified, as far as its numbers and the caller's list tell.
///
/// # Errors
///
/// The first [`WeakKey`] that applies; what breaks a key comes before what is merely unusual.
pub fn check(key: &PublicKey, listed: Listed) -> Result<(), WeakKey> {
    if listed == Listed::Yes {
        return Err(WeakKey::Listed);
    }
    match key.form() {
        Form::Rsa { bits } => {
            let Some((modulus, exponent)) = key.rsa_numbers() else { return Ok(()) };
            let residues = small_factors::residues(modulus);
            roca::check(&residues)?;
            small_factors::check(&residues)?;
            close_primes::check(&BoxedUint::from_be_slice_vartime(modulus))?;
            exponent::check(exponent)?;
            if bits % 8 == 0 { Ok(()) } else { Err(WeakKey::ModulusBits { bits }) }
        }
        Form::Ec(curve) => point::check(curve, key.key_octets()),
        Form::Ed25519 => point::check_ed25519(key.key_octets()),
        // Every encoding of the right length is a key (FIPS 204 algorithm 23).
        Form::MlDsa(_) => Ok(()),
    }
}
