//! Certificate revocation lists (RFC 5280 5): full, delta and sharded ones, made, read and checked.
//!
//! - [`CrlScope`] says what a list covers; its critical extensions come from there alone.
//! - [`Issuer::prepare_crl`](crate::issuer::Issuer::prepare_crl) makes a list in memory,
//!   [`Issuer::begin_crl`](crate::issuer::Issuer::begin_crl) one of any length in constant memory.
//! - [`CertificateRevocationList`] is a list that was read, with every entry.
//! - [`CrlCheck`] holds a list against an authority's log of revocations.
//! - [`CrlSeries`] are the periods of lists that an offline issuer signs in one sitting.

mod build;
mod check;
mod entry;
mod list;
mod scope;
mod series;
mod stream;

use core::fmt;

pub use self::build::TbsCertList;
pub use self::check::{CrlCheck, CrlDifference};
pub use self::entry::entries;
pub use self::list::{CertificateRevocationList, IssuingDistributionPoint, Restriction};
pub use self::scope::{
    Coverage, CrlScope, DistributionPoints, Extent, ScopeError, Shard, ShardTemplate, Shards,
};
pub use self::series::{CrlSeries, SeriesError};
pub use self::stream::{CrlStream, SignedEnds};
use crate::key::{SignError, VerifyError};
use crate::oid::Oid;
use crate::pem::PemError;
use crate::serial::SerialNumber;
use crate::time::UnixTime;

/// The number of a CRL (RFC 5280 5.2.3): at most 20 octets, only rising within an authority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber([u8; 20]);

impl CrlNumber {
    /// The number of this value.
    pub fn from_u64(number: u64) -> Self {
        Self::from_u128(number.into())
    }

    /// The number of this value.
    pub fn from_u128(number: u128) -> Self {
        let mut octets = [0; 20];
        for (to, from) in octets.iter_mut().rev().zip(number.to_be_bytes().into_iter().rev()) {
            *to = from;
        }
        Self(octets)
    }

    /// The number, unless it exceeds 64 bits.
    pub fn as_u64(self) -> Option<u64> {
        u64::try_from(self.as_u128()?).ok()
    }

    /// The number, unless it exceeds 128 bits.
    pub fn as_u128(self) -> Option<u128> {
        let (high, low) = self.0.split_at(4);
        let low = <[u8; 16]>::try_from(low).ok()?;
        high.iter().all(|&octet| octet == 0).then(|| u128::from_be_bytes(low))
    }

    /// The number after `steps` more lists; `None` past 128 bits.
    pub fn checked_add(self, steps: u32) -> Option<Self> {
        self.as_u128()?.checked_add(steps.into()).map(Self::from_u128)
    }

    fn from_integer(content: &[u8]) -> Option<Self> {
        // X.690 8.3.2: the shortest form; and not negative.
        let digits = match content {
            [] => return None,
            [0] => &[],
            [0, digits @ ..] if digits.first().is_some_and(|first| first & 0x80 != 0) => digits,
            [first, ..] if *first == 0 || first & 0x80 != 0 => return None,
            digits => digits,
        };
        // RFC 5280 5.2.3: at most 20 octets.
        if digits.len() > 20 {
            return None;
        }
        let mut octets = [0; 20];
        for (to, from) in octets.iter_mut().rev().zip(digits.iter().rev()) {
            *to = *from;
        }
        Some(Self(octets))
    }
}

/// Decimal where it fits 64 bits, else hexadecimal.
impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_u64() {
            Some(number) => number.fmt(f),
            None => {
                f.write_str("0x")?;
                self.0.iter().skip_while(|&&octet| octet == 0).try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlNumber({self})")
    }
}

/// Which list of its authority it is, and when it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlPeriod {
    /// RFC 5280 5.2.3.
    pub number: CrlNumber,
    /// RFC 5280 5.1.2.4: when it is issued.
    pub this_update: UnixTime,
    /// RFC 5280 5.1.2.5: by when the next one is.
    pub next_update: UnixTime,
}

impl CrlPeriod {
    /// This period, if a list of it may be published after one of `published`.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if it ends before it begins, its number is not above, or its thisUpdate is before.
    pub fn follow(self, published: Option<Self>) -> Result<Self, CrlError> {
        let Self { number, this_update, next_update } = self;
        // RFC 5280 5.1.2.5
        if next_update <= this_update {
            return Err(CrlError::NextUpdate { this_update, next_update });
        }
        match published {
            // RFC 5280 5.2.3: numbers rise.
            Some(last) if number <= last.number => {
                Err(CrlError::NumberNotAbove { number, published: last.number })
            }
            Some(last) if this_update < last.this_update => {
                Err(CrlError::ThisUpdate { this_update, published: last.this_update })
            }
            _ => Ok(self),
        }
    }
}

/// A list that cannot be made or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum CrlError {
    /// A delta's base is not below its own number (RFC 5280 5.2.4).
    DeltaBase {
        /// The base.
        base: CrlNumber,
        /// The number of the delta.
        number: CrlNumber,
    },
    /// A serial number that is listed twice.
    DuplicateSerial {
        /// Which.
        serial: SerialNumber,
    },
    /// Other entries came than were announced.
    EntriesLength {
        /// How many octets were announced.
        announced: usize,
        /// How many came.
        received: usize,
    },
    /// An extension that breaks a rule.
    Extension {
        /// Which.
        id: Oid,
        /// The rule, as a clause, with its section.
        rule: &'static str,
    },
    /// Not the DER of a CRL, cut off, or followed by something else.
    Malformed,
    /// It would end before it begins (RFC 5280 5.1.2.5).
    NextUpdate {
        /// When it would begin.
        this_update: UnixTime,
        /// When it would end.
        next_update: UnixTime,
    },
    /// The key offers no algorithm.
    NoAlgorithm,
    /// The issuer's key usage lacks cRLSign (RFC 5280 4.2.1.3).
    NoCrlSign,
    /// A PEM text without a CRL, or with more than one block.
    NotOneCrl,
    /// A number that is not above the published one (RFC 5280 5.2.3).
    NumberNotAbove {
        /// The number.
        number: CrlNumber,
        /// The published one.
        published: CrlNumber,
    },
    /// A PEM text that cannot be read.
    Pem(PemError),
    /// An entry is to leave a list that is complete: removeFromCRL is for deltas (RFC 5280 5.3.1).
    RemovalFromComplete {
        /// Which.
        serial: SerialNumber,
    },
    /// The key did not sign.
    Sign(SignError),
    /// A signature that is not one of the issuer's key.
    Signature(VerifyError),
    /// A thisUpdate before that of the published list.
    ThisUpdate {
        /// The thisUpdate.
        this_update: UnixTime,
        /// That of the published list.
        published: UnixTime,
    },
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeltaBase { base, number } => write!(
                f,
                "the delta CRL {number} names {base} as its base, which is not below it (RFC 5280 5.2.4)"
            ),
            Self::DuplicateSerial { serial } => {
                write!(f, "the CRL lists the serial number {serial} twice; once is wanted")
            }
            Self::EntriesLength { announced, received } => write!(
                f,
                "entries of {announced} octets were announced and {received} octets came; both must be the same"
            ),
            Self::Extension { id, rule } => write!(f, "the CRL's extension {id} is wrong: {rule}"),
            Self::Malformed => f.write_str("this is not the DER of a CRL (RFC 5280 5.1), or it is cut off"),
            Self::NextUpdate { this_update, next_update } => {
                write!(f, "the CRL's next update {next_update} is not after its this update {this_update}")
            }
            Self::NoAlgorithm => f.write_str("the issuer's key offers no signature algorithm"),
            Self::NoCrlSign => {
                f.write_str("the issuer's key usage lacks cRLSign (RFC 5280 4.2.1.3), so it cannot sign CRLs")
            }
            Self::NotOneCrl => f.write_str("the text has no single PEM block -----BEGIN X509 CRL-----"),
            Self::NumberNotAbove { number, published } => write!(
                f,
                "the CRL's number {number} is not above the published {published}; numbers only rise (RFC 5280 5.2.3)"
            ),
            Self::Pem(error) => error.fmt(f),
            Self::RemovalFromComplete { serial } => write!(
                f,
                "the entry {serial} has the reason removeFromCRL, which is for delta CRLs only (RFC 5280 5.3.1)"
            ),
            Self::Sign(error) => error.fmt(f),
            Self::Signature(error) => write!(f, "the signature is not one of the issuer's key: {error}"),
            Self::ThisUpdate { this_update, published } => write!(
                f,
                "the CRL's this update {this_update} is before that of the published one, {published}"
            ),
        }
    }
}

impl core::error::Error for CrlError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Pem(error) => Some(error),
            Self::Sign(error) => Some(error),
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

/// What the DER reader says is for us, not for our callers: its error type stays inside.
const fn malformed(_: der::Error) -> CrlError {
    CrlError::Malformed
}
