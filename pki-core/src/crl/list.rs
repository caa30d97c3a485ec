//! Lists that are read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::{Reader, SliceReader, Tag};

use super::{
    Coverage, CrlError, CrlNumber, CrlPeriod, CrlScope, DistributionPoints, Extent, entries, malformed,
};
use crate::certificate::read_signed;
use crate::extension::{self, Criticality, Extension};
use crate::key::{KeyIdentifier, PublicKey, SignatureAlgorithm, VerifyError, VerifySignature};
use crate::name::{DistinguishedName, Uri};
use crate::oid::{self, Oid};
use crate::pem;
use crate::revocation::{RevocationReason, RevokedCertificate};
use crate::time::UnixTime;
use crate::tlv;

/// A signed list (RFC 5280 5.1), kept as the DER it came in; everything in it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRevocationList {
    der: Vec<u8>,
    tbs: core::ops::Range<usize>,
    entries: core::ops::Range<usize>,
    signature_algorithm: Option<SignatureAlgorithm>,
    signature: Vec<u8>,
    issuer: DistinguishedName,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    extensions: Vec<Extension>,
    number: Option<CrlNumber>,
    base: Option<CrlNumber>,
    distribution_point: Option<IssuingDistributionPoint>,
    freshest: Vec<Uri>,
}

/// What a list says about its scope (RFC 5280 5.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    /// Where certificates in its scope say it is.
    pub urls: Vec<Uri>,
    /// What else confines it.
    pub restrictions: Vec<Restriction>,
}

/// What confines a list beside its distribution point. Lists of ours have none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// Its distribution point has names that are no URLs.
    OtherNames,
    /// End entities only.
    EndEntities,
    /// CAs only.
    Authorities,
    /// Some reasons only.
    SomeReasons,
    /// It speaks for several authorities.
    Indirect,
    /// Attribute certificates only.
    AttributeCertificates,
}

impl CertificateRevocationList {
    /// Reads the DER of a CRL, with every entry.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if it is not DER, not a CRL, or followed by something else; if it ends before it begins; if an extension
    /// lacks the criticality that RFC 5280 wants, or is critical and unknown; if a delta's base is not below its number; if
    /// a serial number is there twice, or an entry is to leave a complete list.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let (content, outer_algorithm, signature) = read_signed(der).map_err(malformed)?;
        let (version, algorithm, issuer, this_update, next_update, revoked, extensions) =
            tlv::read_sequence(content, |reader| {
                let version = match Tag::peek(reader)? {
                    Tag::Integer => Some(tlv::content_of(reader, Tag::Integer)?),
                    _ => None,
                };
                let algorithm = reader.tlv_bytes()?;
                let issuer = reader.tlv_bytes()?;
                let this_update = tlv::read_time(reader)?;
                let is_time = |tag| matches!(tag, Tag::UtcTime | Tag::GeneralizedTime);
                let next_update = if !reader.is_finished() && is_time(Tag::peek(reader)?) {
                    Some(tlv::read_time(reader)?)
                } else {
                    None
                };
                let revoked = if !reader.is_finished() && Tag::peek(reader)? == Tag::Sequence {
                    Some(tlv::content_of(reader, Tag::Sequence)?)
                } else {
                    None
                };
                let extensions = tlv::optional_context(reader, 0, true)?;
                Ok((version, algorithm, issuer, this_update, next_update, revoked, extensions))
            })
            .map_err(malformed)?;
        // RFC 5280 5.1.1.2: the two algorithm fields are the same. 5.1.2.1: version 2 where there are extensions. 5.1.2.6:
        // the list of entries is absent rather than empty.
        let version_is_right = match version {
            None => extensions.is_none(),
            Some(version) => version == [1],
        };
        if algorithm != outer_algorithm || !version_is_right || revoked.is_some_and(<[u8]>::is_empty) {
            return Err(CrlError::Malformed);
        }
        if let Some(next_update) = next_update
            && next_update <= this_update
        {
            return Err(CrlError::NextUpdate { this_update, next_update });
        }
        let extensions = match extensions {
            None => Vec::new(),
            Some(list) => extension::read_all(
                tlv::read_all(list, |reader| tlv::content_of(reader, Tag::Sequence)).map_err(malformed)?,
            )
            .map_err(malformed)?,
        };
        let within = |part: &[u8]| {
            let start = (part.as_ptr() as usize).saturating_sub(der.as_ptr() as usize);
            start..start + part.len()
        };
        let mut list = Self {
            tbs: within(content),
            entries: revoked.map_or(0..0, within),
            der: der.to_vec(),
            signature_algorithm: SignatureAlgorithm::from_der(algorithm),
            signature: signature.to_vec(),
            issuer: DistinguishedName::from_der(issuer).map_err(|_| CrlError::Malformed)?,
            this_update,
            next_update,
            extensions,
            number: None,
            base: None,
            distribution_point: None,
            freshest: Vec::new(),
        };
        list.read_extensions()?;
        list.read_entries()?;
        Ok(list)
    }

    /// RFC 5280 5.2: what each extension says, and that it is marked as it must be.
    fn read_extensions(&mut self) -> Result<(), CrlError> {
        for extension in &self.extensions {
            let Extension { id, critical, value } = extension;
            let wrong = |rule| CrlError::Extension { id: *id, rule };
            let number = || {
                let content = tlv::read_all(value, |reader| tlv::content_of(reader, Tag::Integer));
                content.ok().and_then(CrlNumber::from_integer).ok_or_else(|| {
                    wrong("it is a number of at most 20 octets that is not negative (RFC 5280 5.2.3)")
                })
            };
            match id.0 {
                oid::CRL_NUMBER => self.number = Some(number()?),
                oid::DELTA_CRL_INDICATOR => {
                    self.base = Some(number()?);
                    if *critical != Criticality::Critical {
                        return Err(wrong("it must be critical (RFC 5280 5.2.4)"));
                    }
                }
                oid::ISSUING_DISTRIBUTION_POINT => {
                    self.distribution_point = Some(
                        read_issuing_distribution_point(value)
                            .map_err(|_| wrong("it is not DER, or empty (RFC 5280 5.2.5)"))?,
                    );
                    if *critical != Criticality::Critical {
                        return Err(wrong("it must be critical (RFC 5280 5.2.5)"));
                    }
                }
                oid::FRESHEST_CRL => {
                    self.freshest = extension::read_distribution_points(value)
                        .map_err(|_| wrong("it is not DER (RFC 5280 5.2.6)"))?;
                }
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    extension::read_authority_key_identifier(value)
                        .map_err(|_| wrong("it is not DER (RFC 5280 5.2.1)"))?;
                }
                _ if *critical == Criticality::Critical => {
                    return Err(wrong("it is critical and not known here (RFC 5280 5.2)"));
                }
                _ => {}
            }
        }
        let Some(base) = self.base else {
            return Ok(());
        };
        // RFC 5280 5.2.6
        if self.extensions.iter().any(|extension| extension.id == Oid(oid::FRESHEST_CRL)) {
            let rule = "it must not stand in a delta CRL (RFC 5280 5.2.6)";
            return Err(CrlError::Extension { id: Oid(oid::FRESHEST_CRL), rule });
        }
        match self.number {
            // RFC 5280 5.2.4: a delta has a number, in one sequence with the complete lists.
            None => Err(CrlError::Extension {
                id: Oid(oid::CRL_NUMBER),
                rule: "a delta CRL must have it (RFC 5280 5.2.4)",
            }),
            Some(number) if base >= number => Err(CrlError::DeltaBase { base, number }),
            Some(_) => Ok(()),
        }
    }

    /// RFC 5280 5.1.2.6, 5.3.
    fn read_entries(&self) -> Result<(), CrlError> {
        let mut serials = Vec::new();
        for entry in self.entries() {
            let entry = entry?;
            // RFC 5280 5.3.1
            if self.base.is_none() && entry.reason == RevocationReason::RemoveFromCrl {
                return Err(CrlError::RemovalFromComplete { serial: entry.serial });
            }
            serials.push(entry.serial);
        }
        // Many lists come in the order of their serial numbers.
        if !serials.is_sorted() {
            serials.sort_unstable();
        }
        let twice = serials.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        twice.map_or(Ok(()), |serial| Err(CrlError::DuplicateSerial { serial }))
    }

    /// Reads a PEM text that holds exactly one CRL.
    ///
    /// # Errors
    ///
    /// [`CrlError`] as for DER, or when the text has no CRL or more than one block.
    pub fn from_pem(text: &str) -> Result<Self, CrlError> {
        match pem::parse(text).map_err(CrlError::Pem)?.as_slice() {
            [block] if block.label == pem::X509_CRL => Self::from_der(&block.der),
            _ => Err(CrlError::NotOneCrl),
        }
    }

    /// The whole list in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The list as PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::X509_CRL, &self.der)
    }

    /// RFC 5280 5.1.2.3.
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// RFC 5280 5.1.2.4.
    pub const fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// RFC 5280 5.1.2.5.
    pub const fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    /// RFC 5280 5.1.1.2; `None` for an algorithm that is not known here.
    pub const fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.signature_algorithm
    }

    /// RFC 5280 5.2.3.
    pub const fn number(&self) -> Option<CrlNumber> {
        self.number
    }

    /// RFC 5280 5.2.4: the number of the complete list that this delta builds on; `None` for a complete list.
    pub const fn base(&self) -> Option<CrlNumber> {
        self.base
    }

    /// RFC 5280 5.2.5.
    pub const fn distribution_point(&self) -> Option<&IssuingDistributionPoint> {
        self.distribution_point.as_ref()
    }

    /// RFC 5280 5.2.6: where deltas to this list are.
    pub fn freshest(&self) -> &[Uri] {
        &self.freshest
    }

    /// The scope, if it is one that we make: `None` for a list with another restriction.
    pub fn scope(&self) -> Option<CrlScope> {
        let coverage = match &self.distribution_point {
            None => Coverage::Everything,
            Some(point) if point.restrictions.is_empty() => {
                Coverage::Shard(DistributionPoints::new(point.urls.clone()).ok()?)
            }
            Some(_) => return None,
        };
        let extent = match self.base {
            None => Extent::Complete { freshest: self.freshest.clone() },
            Some(base) => Extent::Delta { base },
        };
        Some(CrlScope { coverage, extent })
    }

    /// Number and dates, if it has all of them.
    pub fn period(&self) -> Option<CrlPeriod> {
        let (number, next_update) = (self.number?, self.next_update?);
        Some(CrlPeriod { number, this_update: self.this_update, next_update })
    }

    /// RFC 5280 5.2.1.
    pub fn authority_key_identifier(&self) -> Option<KeyIdentifier> {
        let wanted = Oid(oid::AUTHORITY_KEY_IDENTIFIER);
        let value = &self.extensions.iter().find(|extension| extension.id == wanted)?.value;
        Some(KeyIdentifier::from_bytes(extension::read_authority_key_identifier(value).ok()??))
    }

    /// RFC 5280 5.2.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Whether the list speaks for less than everything of its issuer: a delta, or one with a distribution point.
    pub const fn is_partial(&self) -> bool {
        self.base.is_some() || self.distribution_point.is_some()
    }

    /// The entries, in the order of the list. Each was read before, so that none is an error.
    pub fn entries(&self) -> impl Iterator<Item = Result<RevokedCertificate, CrlError>> + '_ {
        entries(self.der.get(self.entries.clone()).unwrap_or_default())
    }

    /// Verifies the signature with this key.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if the signature is not one of this key, or the algorithm is not known.
    pub fn verify_signature(
        &self,
        key: &PublicKey,
        verifier: &dyn VerifySignature,
    ) -> Result<(), VerifyError> {
        let algorithm = self.signature_algorithm.ok_or(VerifyError::UnsupportedAlgorithm)?;
        verifier.verify(key, algorithm, self.der.get(self.tbs.clone()).unwrap_or_default(), &self.signature)
    }
}

impl fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRevocationList")
            .field("issuer", &self.issuer)
            .field("number", &self.number())
            .field("this_update", &self.this_update)
            .field("next_update", &self.next_update)
            .finish_non_exhaustive()
    }
}

/// RFC 5280 5.2.5. DER leaves out what is FALSE, and the sequence must not be empty.
fn read_issuing_distribution_point(value: &[u8]) -> der::Result<IssuingDistributionPoint> {
    tlv::read_sequence(value, |reader| {
        let mut point = IssuingDistributionPoint::default();
        if reader.is_finished() {
            return Err(Tag::Sequence.value_error().into());
        }
        if let Some(name) = tlv::optional_context(reader, 0, true)? {
            point.read_name(name)?;
        }
        for (number, restriction) in [
            (1, Restriction::EndEntities),
            (2, Restriction::Authorities),
            (3, Restriction::SomeReasons),
            (4, Restriction::Indirect),
            (5, Restriction::AttributeCertificates),
        ] {
            let Some(content) = tlv::optional_context(reader, number, false)? else { continue };
            // X.690 11.1, 11.5: TRUE is ff, and FALSE is left out. The reasons are a bit string.
            if restriction != Restriction::SomeReasons && content != [0xff] {
                return Err(Tag::Boolean.value_error().into());
            }
            point.restrictions.push(restriction);
        }
        Ok(point)
    })
}

impl IssuingDistributionPoint {
    /// RFC 5280 4.2.1.13: DistributionPointName, a full name or one relative to the issuer's.
    fn read_name(&mut self, name: &[u8]) -> der::Result<()> {
        let mut reader = SliceReader::new(name)?;
        let full_name = tlv::optional_context(&mut reader, 0, true)?;
        let relative = tlv::optional_context(&mut reader, 1, true)?;
        reader.finish()?;
        let (Some(full_name), None) = (full_name, relative) else {
            self.restrictions.push(Restriction::OtherNames);
            return if relative.is_some() { Ok(()) } else { Err(Tag::Sequence.value_error().into()) };
        };
        let mut names = SliceReader::new(full_name)?;
        while !names.is_finished() {
            let (tag, location) = tlv::any_of(&mut names)?;
            let text = core::str::from_utf8(location).ok().filter(|_| extension::is_uri(tag));
            match text.and_then(|text| Uri::parse(text).ok()) {
                Some(url) => self.urls.push(url),
                None if self.restrictions.is_empty() => self.restrictions.push(Restriction::OtherNames),
                None => {}
            }
        }
        Ok(())
    }
}
