//! Certificate revocation lists (RFC 5280 5): full lists, from entries that are encoded beforehand.

mod build;
mod entry;
mod list;

use core::fmt;

pub use self::build::TbsCertList;
pub use self::list::CertificateRevocationList;
use crate::key::{SignError, VerifyError};
use crate::pem::PemError;
use crate::time::UnixTime;

/// The number of a CRL (RFC 5280 5.2.3): at most 20 octets, only rising within an authority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber([u8; 20]);

impl CrlNumber {
    /// The number of this value.
    pub fn from_u64(number: u64) -> Self {
        let mut octets = [0; 20];
        for (to, from) in octets.iter_mut().rev().zip(number.to_be_bytes().into_iter().rev()) {
            *to = from;
        }
        Self(octets)
    }

    /// The number, unless it is larger than any of ours.
    pub fn as_u64(self) -> Option<u64> {
        let (high, low) = self.0.split_at(12);
        let low = <[u8; 8]>::try_from(low).ok()?;
        high.iter().all(|&octet| octet == 0).then(|| u64::from_be_bytes(low))
    }

    fn from_integer(content: &[u8]) -> Option<Self> {
        if content.first().is_none_or(|first| first & 0x80 != 0) {
            return None;
        }
        let start = content.iter().position(|&octet| octet != 0).unwrap_or(content.len());
        let digits = content.get(start..)?;
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

/// What a full list says, beside its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlPeriod {
    /// RFC 5280 5.2.3.
    pub number: CrlNumber,
    /// RFC 5280 5.1.2.4: when it is issued.
    pub this_update: UnixTime,
    /// RFC 5280 5.1.2.5: by when the next one is.
    pub next_update: UnixTime,
}

/// A list that cannot be made or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum CrlError {
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
    /// A PEM text that cannot be read.
    Pem(PemError),
    /// The key did not sign.
    Sign(SignError),
    /// A signature that is not one of the issuer's key.
    Signature(VerifyError),
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("this is not the DER of a CRL (RFC 5280 5.1), or it is cut off"),
            Self::NextUpdate { this_update, next_update } => {
                write!(f, "the CRL's next update {next_update} is not after its this update {this_update}")
            }
            Self::NoAlgorithm => f.write_str("the issuer's key offers no signature algorithm"),
            Self::NoCrlSign => {
                f.write_str("the issuer's key usage lacks cRLSign (RFC 5280 4.2.1.3), so it cannot sign CRLs")
            }
            Self::NotOneCrl => f.write_str("the text has no single PEM block -----BEGIN X509 CRL-----"),
            Self::Pem(error) => error.fmt(f),
            Self::Sign(error) => error.fmt(f),
            Self::Signature(error) => write!(f, "the signature is not one of the issuer's key: {error}"),
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
