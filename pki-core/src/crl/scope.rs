//! What a list covers: everything or a shard, completely or what changed (RFC 5280 5.2.4 to 5.2.6).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

use super::{CrlNumber, CrlPeriod};
use crate::extension;
use crate::name::{Uri, UriError};
use crate::serial::SerialNumber;
use crate::tlv::Tlv;

/// What a list covers. The extensions that say so come from here alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlScope {
    /// Whose certificates.
    pub coverage: Coverage,
    /// All their revocations, or the last ones.
    pub extent: Extent,
}

/// Whose certificates a list covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of the authority: no issuing distribution point.
    Everything,
    /// Those of one shard: an issuing distribution point with every URL that was ever written into certificates of this
    /// shard, since a verifier looks for the one in its certificate (RFC 5280 6.3.3 (b)(2)).
    Shard(DistributionPoints),
}

/// Whether a list has all revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It has.
    Complete {
        /// Where a verifier finds deltas to this list (RFC 5280 5.2.6); none leaves freshestCRL out.
        freshest: Vec<Uri>,
    },
    /// It has what changed since the complete list of this number.
    Delta {
        /// RFC 5280 5.2.4: BaseCRLNumber.
        base: CrlNumber,
    },
}

impl CrlScope {
    /// Everything, completely, without deltas.
    pub const fn full() -> Self {
        Self { coverage: Coverage::Everything, extent: Extent::Complete { freshest: Vec::new() } }
    }

    /// What changed since the full list `base`.
    pub const fn delta(base: CrlNumber) -> Self {
        Self { coverage: Coverage::Everything, extent: Extent::Delta { base } }
    }

    /// One shard, completely, without deltas.
    pub const fn shard(points: DistributionPoints) -> Self {
        Self { coverage: Coverage::Shard(points), extent: Extent::Complete { freshest: Vec::new() } }
    }

    /// The same scope with deltas at these places.
    #[must_use]
    pub fn with_freshest(self, freshest: Vec<Uri>) -> Self {
        Self { coverage: self.coverage, extent: Extent::Complete { freshest } }
    }

    /// What changed in the same scope since the complete list `base`: a delta has the scope of its base (RFC 5280 5.2.4).
    #[must_use]
    pub fn delta_of(self, base: CrlNumber) -> Self {
        Self { coverage: self.coverage, extent: Extent::Delta { base } }
    }

    /// Appends cRLNumber, deltaCRLIndicator, issuingDistributionPoint and freshestCRL, as the scope wants them.
    pub(super) fn extensions(&self, extensions: &mut Tlv, period: &CrlPeriod) {
        let Self { coverage, extent } = self;
        // RFC 5280 5.2.3
        extension::crl_number(extensions, &period.number.0);
        // RFC 5280 5.2.4
        if let Extent::Delta { base } = extent {
            extension::delta_crl_indicator(extensions, &base.0);
        }
        // RFC 5280 5.2.5
        match coverage {
            Coverage::Everything => {}
            Coverage::Shard(points) => extension::issuing_distribution_point(extensions, points.as_slice()),
        }
        // RFC 5280 5.2.6: not in deltas.
        if let Extent::Complete { freshest } = extent {
            extension::freshest_crl(extensions, freshest);
        }
    }
}

/// The URLs of a shard: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionPoints(Vec<Uri>);

impl DistributionPoints {
    /// These URLs.
    ///
    /// # Errors
    ///
    /// [`ScopeError::NoDistributionPoint`] if there are none.
    pub fn new(urls: Vec<Uri>) -> Result<Self, ScopeError> {
        if urls.is_empty() {
            return Err(ScopeError::NoDistributionPoint);
        }
        Ok(Self(urls))
    }

    /// The URLs.
    pub fn as_slice(&self) -> &[Uri] {
        &self.0
    }
}

/// Into how many shards an authority's certificates are divided as they are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards(NonZeroU32);

impl Shards {
    /// So many.
    pub const fn new(count: NonZeroU32) -> Self {
        Self(count)
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0.get()
    }

    /// The shard of a certificate: the last eight octets of its serial number, modulo the count. They are random in serials
    /// of ours, and count up in those of CAs that count.
    ///
    /// It is asked once, when a certificate is issued: with another count the answer is another, and the certificate's
    /// distribution point stays what it is.
    pub fn of(self, serial: &SerialNumber) -> Shard {
        let last = serial.as_bytes().last_chunk::<8>().copied().unwrap_or_default();
        Shard { number: (u64::from_be_bytes(last) % u64::from(self.count())) as u32 }
    }

    /// Every shard.
    pub fn iter(self) -> impl Iterator<Item = Shard> {
        (0..self.count()).map(|number| Shard { number })
    }
}

/// One shard of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    number: u32,
}

impl Shard {
    /// From 0 up to the count, which it does not reach.
    pub const fn number(self) -> u32 {
        self.number
    }
}

/// The URL of a shard's list, with `{{shard}}` where its number belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardTemplate {
    before: String,
    after: String,
}

impl ShardTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if `{{shard}}` is not in it exactly once, or if it is no URI with a number there.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut parts = text.split(PLACE);
        let (Some(before), Some(after), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ScopeError::Template { template: text.to_string() });
        };
        Uri::parse(&alloc::format!("{before}0{after}")).map_err(ScopeError::Uri)?;
        Ok(Self { before: before.to_string(), after: after.to_string() })
    }

    /// The URL of this shard.
    ///
    /// # Errors
    ///
    /// [`ScopeError::Uri`] if it is none, which [`ShardTemplate::parse`] has ruled out.
    pub fn uri(&self, shard: Shard) -> Result<Uri, ScopeError> {
        Uri::parse(&alloc::format!("{}{}{}", self.before, shard.number, self.after)).map_err(ScopeError::Uri)
    }
}

impl fmt::Display for ShardTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{PLACE}{}", self.before, self.after)
    }
}

/// A scope that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeError {
    /// A shard without a URL.
    NoDistributionPoint,
    /// A template without a place for the shard, or with more than one.
    Template {
        /// The template.
        template: String,
    },
    /// A URL that is none.
    Uri(UriError),
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDistributionPoint => f.write_str(
                "a shard's CRL needs the URLs that its certificates name, at least one (RFC 5280 5.2.5)",
            ),
            Self::Template { template } => {
                write!(f, "{template:?} must hold {PLACE} exactly once, as in http://crl.example/{PLACE}.crl")
            }
            Self::Uri(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ScopeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Uri(error) => Some(error),
            Self::NoDistributionPoint | Self::Template { .. } => None,
        }
    }
}

/// Where the number belongs; braces are no characters of a URI.
const PLACE: &str = "{{shard}}";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_serial_is_in_one_shard_below_the_count(octets: [u8; 19], count in 1_u32..1_000) {
            prop_assume!(octets[0] & 0x80 == 0 && octets.iter().any(|&octet| octet != 0));
            let serial = SerialNumber::from_be_bytes(&octets).unwrap();
            let shards = Shards::new(NonZeroU32::new(count).unwrap());
            prop_assert!(shards.of(&serial).number() < count);
            prop_assert!(shards.iter().any(|shard| shard == shards.of(&serial)));
        }
    }

    #[test]
    fn serials_that_count_up_fill_the_shards_evenly() {
        let shards = Shards::new(NonZeroU32::new(10).unwrap());
        let mut filled = [0; 10];
        for number in 1..=100_u64 {
            let serial = SerialNumber::from_be_bytes(&[&[0][..], &number.to_be_bytes()].concat()).unwrap();
            filled[shards.of(&serial).number() as usize] += 1;
        }
        assert_eq!(filled, [10; 10]);
    }

    #[test]
    fn templates_have_one_place_and_make_urls() {
        let template = ShardTemplate::parse("http://crl.example/a/{{shard}}.crl").unwrap();
        let last = Shards::new(NonZeroU32::new(100).unwrap()).iter().last().unwrap();
        assert_eq!(template.uri(last).unwrap().as_str(), "http://crl.example/a/99.crl");
        assert_eq!(template.to_string(), "http://crl.example/a/{{shard}}.crl");
        for (name, text) in [
            ("no place", "http://crl.example/a.crl"),
            ("two places", "http://crl.example/{{shard}}/{{shard}}.crl"),
            ("another place", "http://crl.example/{{issuer_id}}/{{shard}}.crl"),
            ("no scheme", "crl.example/{{shard}}"),
            ("a space", "http://crl.example/a {{shard}}"),
            ("nothing", ""),
        ] {
            assert!(ShardTemplate::parse(text).is_err(), "{name}");
        }
        assert_eq!(DistributionPoints::new(Vec::new()), Err(ScopeError::NoDistributionPoint));
    }
}
