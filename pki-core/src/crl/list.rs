//! Lists that are read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::{Reader, SliceReader, Tag};

use super::entry::read_entry;
use super::{CrlError, CrlNumber, malformed};
use crate::certificate::read_signed;
use crate::extension::{self, Extension};
use crate::key::{KeyIdentifier, PublicKey, SignatureAlgorithm, VerifyError, VerifySignature};
use crate::name::DistinguishedName;
use crate::oid::{self, Oid};
use crate::pem;
use crate::revocation::RevokedCertificate;
use crate::time::UnixTime;
use crate::tlv;

/// A signed list (RFC 5280 5.1), kept as the DER it came in.
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
}

impl CertificateRevocationList {
    /// Reads the DER of a CRL. Its entries are read when they are asked for.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if it is not DER, not a CRL, or followed by something else.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let (content, outer_algorithm, signature) = read_signed(der).map_err(malformed)?;
        let (algorithm, issuer, this_update, next_update, entries, extensions) =
            tlv::read_sequence(content, |reader| {
                if Tag::peek(reader)? == Tag::Integer {
                    tlv::content_of(reader, Tag::Integer)?;
                }
                let algorithm = reader.tlv_bytes()?;
                let issuer = reader.tlv_bytes()?;
                let this_update = tlv::read_time(reader)?;
                let is_time = |tag| matches!(tag, Tag::UtcTime | Tag::GeneralizedTime);
                let next_update = if !reader.is_finished() && is_time(Tag::peek(reader)?) {
                    Some(tlv::read_time(reader)?)
                } else {
                    None
                };
                let entries = if !reader.is_finished() && Tag::peek(reader)? == Tag::Sequence {
                    tlv::content_of(reader, Tag::Sequence)?
                } else {
                    &[]
                };
                let extensions = tlv::optional_context(reader, 0, true)?;
                Ok((algorithm, issuer, this_update, next_update, entries, extensions))
            })
            .map_err(malformed)?;
        if algorithm != outer_algorithm {
            return Err(CrlError::Malformed);
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
        Ok(Self {
            tbs: within(content),
            entries: if entries.is_empty() { 0..0 } else { within(entries) },
            der: der.to_vec(),
            signature_algorithm: SignatureAlgorithm::from_der(algorithm),
            signature: signature.to_vec(),
            issuer: DistinguishedName::from_der(issuer).map_err(|_| CrlError::Malformed)?,
            this_update,
            next_update,
            extensions,
        })
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
    pub fn number(&self) -> Option<CrlNumber> {
        let value = &self.extensions.iter().find(|extension| extension.id == Oid(oid::CRL_NUMBER))?.value;
        CrlNumber::from_integer(tlv::read_all(value, |reader| tlv::content_of(reader, Tag::Integer)).ok()?)
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
    pub fn is_partial(&self) -> bool {
        self.extensions.iter().any(|extension| {
            extension.id == Oid(oid::DELTA_CRL_INDICATOR)
                || extension.id == Oid(oid::ISSUING_DISTRIBUTION_POINT)
        })
    }

    /// The entries, in the order of the list.
    pub fn entries(&self) -> impl Iterator<Item = Result<RevokedCertificate, CrlError>> + '_ {
        let content = self.der.get(self.entries.clone()).unwrap_or_default();
        let mut reader = SliceReader::new(content).ok();
        core::iter::from_fn(move || {
            let open = reader.as_mut().filter(|reader| !reader.is_finished())?;
            let entry = read_entry(open);
            if entry.is_err() {
                reader = None;
            }
            Some(entry)
        })
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
