//! Certificate revocation lists (RFC 5280 5): full lists, from entries that are encoded beforehand.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::{Reader, SliceReader, Tag};

use crate::certificate::read_signed;
use crate::extension::{self, Extension};
use crate::issuer::{Issuer, IssuerCertificate, SignatureCheck, check_of};
use crate::key::{
    KeyIdentifier, PublicKey, SignError, Signature, SignatureAlgorithm, SigningInput, SigningKey,
    VerifyError, VerifySignature,
};
use crate::name::DistinguishedName;
use crate::oid::{self, Oid};
use crate::pem::{self, PemError};
use crate::random::SecureRandom;
use crate::revocation::{RevocationReason, RevokedCertificate};
use crate::serial::SerialNumber;
use crate::tbs;
use crate::time::UnixTime;
use crate::tlv::{self, Tlv};

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

impl RevokedCertificate {
    /// The entry's DER (RFC 5280 5.1.2.6), which a store keeps so that building a list is copying.
    pub fn entry_der(&self) -> Vec<u8> {
        let mut der = Tlv::with_capacity(64);
        der.nest(tlv::SEQUENCE, |entry| {
            entry.value(tlv::INTEGER, self.serial.der_content()).time(self.revoked_at);
            // RFC 5280 5.3.1: the reason is left out rather than written as unspecified.
            if self.reason != RevocationReason::Unspecified {
                entry
                    .nest(tlv::SEQUENCE, |extensions| extension::reason_code(extensions, self.reason.code()));
            }
        });
        der.into_vec()
    }
}

/// Everything of a CRL but its signature, encoded (RFC 5280 5.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TbsCertList {
    der: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer_key: PublicKey,
}

impl TbsCertList {
    /// The octets to be signed.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm that is written into them.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Joins a signature from elsewhere, after verifying it with the issuer's key.
    ///
    /// # Errors
    ///
    /// [`CrlError::Signature`] if it is not one of the issuer's key.
    pub fn assemble(
        &self,
        signature: &Signature,
        verifier: &dyn VerifySignature,
    ) -> Result<CertificateRevocationList, CrlError> {
        verifier
            .verify(&self.issuer_key, self.algorithm, &self.der, signature.as_bytes())
            .map_err(CrlError::Signature)?;
        self.join(signature)
    }

    fn join(&self, signature: &Signature) -> Result<CertificateRevocationList, CrlError> {
        CertificateRevocationList::from_der(&tbs::signed(&self.der, self.algorithm, signature))
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

impl<K: SigningKey> Issuer<K> {
    /// Fixes the octets of a full CRL of this issuer's authority. `entries` are the DER of RevokedCertificates
    /// ([`RevokedCertificate::entry_der`]), of this authority and in any order.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the certificate may not sign CRLs, or the list would end before it begins.
    pub fn prepare_crl<'a>(
        &self,
        period: CrlPeriod,
        entries: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<TbsCertList, CrlError> {
        // RFC 5280 5: a CRL issuer's key usage has cRLSign.
        if !self.certificate().may_sign_crls() {
            return Err(CrlError::NoCrlSign);
        }
        let algorithm = self.crl_algorithm().ok_or(CrlError::NoAlgorithm)?;
        full(self.certificate(), algorithm, period, entries)
    }

    /// Signs a CRL: one call on the key.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the key fails, or the finished list cannot be read again.
    pub fn sign_crl(
        &self,
        list: &TbsCertList,
        rng: &mut dyn SecureRandom,
    ) -> Result<CertificateRevocationList, CrlError> {
        let input = SigningInput::Message(&list.der);
        let signature = self.key().sign(list.algorithm, input, rng).map_err(CrlError::Sign)?;
        match check_of(self.key()) {
            SignatureCheck::Skip => list.join(&signature),
            SignatureCheck::Verify(verifier) => list.assemble(&signature, verifier),
        }
    }
}

fn full<'a>(
    issuer: &IssuerCertificate,
    algorithm: SignatureAlgorithm,
    period: CrlPeriod,
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<TbsCertList, CrlError> {
    let CrlPeriod { number, this_update, next_update } = period;
    if next_update <= this_update {
        return Err(CrlError::NextUpdate { this_update, next_update });
    }
    let mut der = Tlv::new();
    der.nest(tlv::SEQUENCE, |list| {
        // RFC 5280 5.1.2.1: version 2, since there are extensions.
        list.unsigned(tlv::INTEGER, &[1]);
        // RFC 5280 5.1.2.2
        list.raw(algorithm.der());
        // RFC 5280 5.1.2.3: the authority's name, byte for byte.
        list.raw(issuer.subject().der());
        // RFC 5280 5.1.2.4, 5.1.2.5
        list.time(this_update).time(next_update);
        // RFC 5280 5.1.2.6: absent where nothing is revoked.
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_some() {
            list.nest(tlv::SEQUENCE, |revoked| {
                for entry in entries {
                    revoked.raw(entry);
                }
            });
        }
        list.nest(tlv::context_constructed(0), |explicit| {
            explicit.nest(tlv::SEQUENCE, |extensions| {
                // RFC 5280 5.2.1
                extension::authority_key_identifier(extensions, issuer.key_identifier().as_bytes());
                // RFC 5280 5.2.3
                extension::crl_number(extensions, &number.0);
                // RFC 5280 5.2.5: a full list for everything has no issuing distribution point.
            });
        });
    });
    Ok(TbsCertList { der: der.into_vec(), algorithm, issuer_key: issuer.certificate().public_key().clone() })
}

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

fn read_entry(reader: &mut SliceReader<'_>) -> Result<RevokedCertificate, CrlError> {
    let mut entry =
        SliceReader::new(tlv::content_of(reader, Tag::Sequence).map_err(malformed)?).map_err(malformed)?;
    let serial = tlv::content_of(&mut entry, Tag::Integer).map_err(malformed)?;
    let serial = SerialNumber::from_be_bytes(serial).map_err(|_| CrlError::Malformed)?;
    let revoked_at = tlv::read_time(&mut entry).map_err(malformed)?;
    let mut reason = RevocationReason::Unspecified;
    if !entry.is_finished() {
        for extension in extension::read_all(tlv::content_of(&mut entry, Tag::Sequence).map_err(malformed)?)
            .map_err(malformed)?
        {
            if extension.id == Oid(oid::REASON_CODE) {
                let code = tlv::read_all(&extension.value, |r| tlv::content_of(r, Tag::Enumerated))
                    .map_err(malformed)?;
                let code = match code {
                    [code] => RevocationReason::from_code(*code),
                    _ => None,
                };
                reason = code.ok_or(CrlError::Malformed)?;
            }
        }
    }
    entry.finish().map_err(malformed)?;
    Ok(RevokedCertificate { serial, revoked_at, reason })
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
