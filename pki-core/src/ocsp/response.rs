//! OCSP responses (RFC 6960 4.2).

use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

use super::request::{Nonce, read_certificates};
use super::{CertId, OcspRequestError};
use crate::certificate::Certificate;
use crate::extension;
use crate::issuer::IssuerCertificate;
use crate::key::{SignatureAlgorithm, VerifyError, VerifySignature};
use crate::name::DistinguishedName;
use crate::oid::{self, Oid};
use crate::profile::ExtendedKeyUsage;
use crate::revocation::RevocationReason;
use crate::time::UnixTime;
use crate::tlv::{self, Tlv};

/// A response: an error status, or a signed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspResponse {
    der: Vec<u8>,
    body: Result<BasicResponse, ErrorStatus>,
}

/// Why there is no answer (RFC 6960 4.2.1). It is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorStatus {
    /// 1: the request cannot be read.
    MalformedRequest,
    /// 2: the responder is in a state that it should not be in.
    InternalError,
    /// 3: the responder cannot answer now.
    TryLater,
    /// 5: only signed requests are answered.
    SigRequired,
    /// 6: not to this requester; or the responder does not speak for the authority (RFC 5019 2.2.3).
    Unauthorized,
}

impl ErrorStatus {
    /// Every status; 0 is success, and 4 is not used.
    pub const ALL: [Self; 5] =
        [Self::MalformedRequest, Self::InternalError, Self::TryLater, Self::SigRequired, Self::Unauthorized];

    /// The OCSPResponseStatus.
    pub const fn code(self) -> u8 {
        match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }

    /// The name of RFC 6960, such as `malformedRequest`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

impl fmt::Display for ErrorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signed answer (RFC 6960 4.2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct BasicResponse {
    tbs: Vec<u8>,
    algorithm: Option<SignatureAlgorithm>,
    signature: Vec<u8>,
    responder: ResponderId,
    produced_at: UnixTime,
    answers: Vec<SingleResponse>,
    nonce: Option<Nonce>,
    certificates: Vec<Certificate>,
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponderId {
    /// By name.
    Name(DistinguishedName),
    /// By the SHA-1 of its key's bits.
    KeyHash(Vec<u8>),
}

/// The answer about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleResponse {
    /// Which.
    pub cert_id: CertId,
    /// What it is.
    pub status: CertificateStatus,
    /// When that was known.
    pub this_update: UnixTime,
    /// Until when more will be known.
    pub next_update: Option<UnixTime>,
}

/// What a certificate is (RFC 6960 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked {
        /// When.
        at: UnixTime,
        /// Why.
        reason: RevocationReason,
    },
    /// Not known to the responder.
    Unknown,
}

impl CertificateStatus {
    /// RFC 6960 4.2.1: CertStatus.
    pub(super) fn encode(self, der: &mut Tlv) {
        match self {
            Self::Good => der.value(tlv::context(0), &[]),
            Self::Revoked { at, reason } => der.nest(tlv::context_constructed(1), |revoked| {
                revoked.generalized_time(at);
                // RFC 5280 5.3.1, which this takes over: no reason rather than unspecified.
                if reason != RevocationReason::Unspecified {
                    revoked.nest(tlv::context_constructed(0), |explicit| {
                        explicit.value(tlv::ENUMERATED, &[reason.code()]);
                    });
                }
            }),
            Self::Unknown => der.value(tlv::context(2), &[]),
        };
    }

    fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        if let Some(content) = tlv::optional_context(reader, 1, true)? {
            return tlv::read_all(content, |fields| {
                let at = tlv::read_generalized_time(fields)?;
                let reason = match tlv::optional_context(fields, 0, true)? {
                    None => RevocationReason::Unspecified,
                    Some(explicit) => tlv::read_all(explicit, |r| {
                        let code = tlv::content_of(r, Tag::Enumerated)?;
                        let reason = match code {
                            [code] => RevocationReason::from_code(*code),
                            _ => None,
                        };
                        reason.ok_or_else(|| Tag::Enumerated.value_error().into())
                    })?,
                };
                Ok(Self::Revoked { at, reason })
            });
        }
        for (number, status) in [(0, Self::Good), (2, Self::Unknown)] {
            if let Some(null) = tlv::optional_context(reader, number, false)? {
                return if null.is_empty() { Ok(status) } else { Err(Tag::Null.value_error().into()) };
            }
        }
        Err(Tag::Null.value_error().into())
    }
}

impl OcspResponse {
    /// The response that says why there is no answer.
    pub fn error(status: ErrorStatus) -> Self {
        let mut der = Tlv::with_capacity(8);
        der.nest(tlv::SEQUENCE, |response| {
            response.value(tlv::ENUMERATED, &[status.code()]);
        });
        Self { der: der.into_vec(), body: Err(status) }
    }

    /// The response with this signed answer, a BasicOCSPResponse.
    pub(super) fn successful(basic: &[u8]) -> Result<Self, OcspResponseError> {
        let mut der = Tlv::with_capacity(basic.len() + 64);
        der.nest(tlv::SEQUENCE, |response| {
            response.value(tlv::ENUMERATED, &[0]).nest(tlv::context_constructed(0), |explicit| {
                explicit.nest(tlv::SEQUENCE, |bytes| {
                    bytes.oid(oid::OCSP_BASIC).value(tlv::OCTET_STRING, basic);
                });
            });
        });
        Self::from_der(&der.into_vec())
    }

    /// Reads the DER of a response.
    ///
    /// # Errors
    ///
    /// [`OcspResponseError`] if it is not DER, has a status that is none, or an answer of another kind.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspResponseError> {
        let (status, bytes) = tlv::read_sequence(der, |response| {
            let status = tlv::content_of(response, Tag::Enumerated)?;
            Ok((status, tlv::optional_context(response, 0, true)?))
        })
        .map_err(malformed)?;
        let body = match (status, bytes) {
            ([0], Some(explicit)) => Ok(read_bytes(explicit)?),
            ([code], None) => {
                let known = ErrorStatus::ALL.into_iter().find(|status| status.code() == *code);
                Err(known.ok_or(OcspResponseError::Malformed)?)
            }
            _ => return Err(OcspResponseError::Malformed),
        };
        Ok(Self { der: der.to_vec(), body })
    }

    /// The whole response in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The answer.
    ///
    /// # Errors
    ///
    /// The status that says why there is none.
    pub const fn basic(&self) -> Result<&BasicResponse, ErrorStatus> {
        match &self.body {
            Ok(basic) => Ok(basic),
            Err(status) => Err(*status),
        }
    }
}

/// RFC 6960 4.2.1: ResponseBytes; the one type is id-pkix-ocsp-basic.
fn read_bytes(explicit: &[u8]) -> Result<BasicResponse, OcspResponseError> {
    let (kind, response) = tlv::read_sequence(explicit, |bytes| {
        Ok((ObjectIdentifier::decode(bytes)?, tlv::content_of(bytes, Tag::OctetString)?))
    })
    .map_err(malformed)?;
    if kind != oid::OCSP_BASIC {
        return Err(OcspResponseError::Kind { id: Oid(kind) });
    }
    let (tbs, algorithm, signature, certificates) = tlv::read_sequence(response, |basic| {
        let tbs = basic.tlv_bytes()?;
        let algorithm = basic.tlv_bytes()?;
        let signature = der::asn1::BitStringRef::decode(basic)?;
        let octets = signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?;
        Ok((tbs, algorithm, octets, tlv::optional_context(basic, 0, true)?))
    })
    .map_err(malformed)?;
    let fields = tlv::read_sequence(tbs, |fields| {
        let version = tlv::optional_context(fields, 0, true)?;
        let name = tlv::optional_context(fields, 1, true)?;
        let key_hash = tlv::optional_context(fields, 2, true)?;
        let produced_at = tlv::read_generalized_time(fields)?;
        let mut list = SliceReader::new(tlv::content_of(fields, Tag::Sequence)?)?;
        let mut answers = Vec::new();
        while !list.is_finished() {
            answers.push(SingleResponse::read(tlv::content_of(&mut list, Tag::Sequence)?)?);
        }
        let extensions = match tlv::optional_context(fields, 1, true)? {
            None => Vec::new(),
            Some(explicit) => {
                extension::read_all(tlv::read_all(explicit, |r| tlv::content_of(r, Tag::Sequence))?)?
            }
        };
        Ok((version, name, key_hash, produced_at, answers, extensions))
    });
    let (version, name, key_hash, produced_at, answers, extensions) = fields.map_err(malformed)?;
    // RFC 6960 4.2.1: v1 is 0, the default.
    if version.is_some_and(|version| version != [tlv::INTEGER, 1, 0]) || answers.is_empty() {
        return Err(OcspResponseError::Malformed);
    }
    let responder = match (name, key_hash) {
        (Some(name), None) => {
            ResponderId::Name(DistinguishedName::from_der(name).map_err(|_| OcspResponseError::Malformed)?)
        }
        (None, Some(key_hash)) => ResponderId::KeyHash(
            tlv::read_all(key_hash, |r| tlv::content_of(r, Tag::OctetString)).map_err(malformed)?.to_vec(),
        ),
        _ => return Err(OcspResponseError::Malformed),
    };
    let nonce = extensions.iter().find(|extension| extension.id == Oid(oid::OCSP_NONCE));
    let wrong = |_: OcspRequestError| OcspResponseError::Malformed;
    Ok(BasicResponse {
        tbs: tbs.to_vec(),
        algorithm: SignatureAlgorithm::from_der(algorithm),
        signature: signature.to_vec(),
        responder,
        produced_at,
        answers,
        nonce: nonce.map(|extension| Nonce::read(&extension.value)).transpose().map_err(wrong)?,
        certificates: certificates.map(read_certificates).transpose().map_err(wrong)?.unwrap_or_default(),
    })
}

impl SingleResponse {
    fn read(content: &[u8]) -> der::Result<Self> {
        tlv::read_all(content, |fields| {
            let cert_id = CertId::read(fields)?;
            let status = CertificateStatus::read(fields)?;
            let this_update = tlv::read_generalized_time(fields)?;
            let next_update = tlv::optional_context(fields, 0, true)?
                .map(|explicit| tlv::read_all(explicit, tlv::read_generalized_time))
                .transpose()?;
            if let Some(explicit) = tlv::optional_context(fields, 1, true)? {
                extension::read_all(tlv::read_all(explicit, |r| tlv::content_of(r, Tag::Sequence))?)?;
            }
            Ok(Self { cert_id, status, this_update, next_update })
        })
    }
}

impl BasicResponse {
    /// Who answers.
    pub const fn responder(&self) -> &ResponderId {
        &self.responder
    }

    /// When it was signed.
    pub const fn produced_at(&self) -> UnixTime {
        self.produced_at
    }

    /// The answers, at least one.
    pub fn answers(&self) -> &[SingleResponse] {
        &self.answers
    }

    /// The nonce of the request, if it is repeated.
    pub const fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }

    /// The certificates that came with it.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// RFC 6960 4.2.1; `None` for an algorithm that is not known here.
    pub const fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithm
    }

    /// Verifies that the answer is the authority's: its own key signed, or one with a certificate of the authority for that
    /// purpose (RFC 6960 4.2.2.2). Each answer has to be about certificates of the authority, and of now (4.2.2.1).
    ///
    /// # Errors
    ///
    /// [`OcspResponseError`] naming what does not hold.
    pub fn verify(
        &self,
        issuer: &IssuerCertificate,
        now: UnixTime,
        verifier: &dyn VerifySignature,
    ) -> Result<(), OcspResponseError> {
        let signer = self.signer(issuer, now, verifier)?;
        let algorithm = self.algorithm.ok_or(VerifyError::UnsupportedAlgorithm);
        algorithm
            .and_then(|algorithm| verifier.verify(signer.public_key(), algorithm, &self.tbs, &self.signature))
            .map_err(OcspResponseError::Signature)?;
        for SingleResponse { cert_id, this_update, next_update, .. } in &self.answers {
            if !cert_id.names(issuer) {
                return Err(OcspResponseError::OtherAuthority);
            }
            if *this_update > now || next_update.is_some_and(|next_update| next_update < now) {
                return Err(OcspResponseError::NotCurrent {
                    this_update: *this_update,
                    next_update: *next_update,
                });
            }
        }
        Ok(())
    }

    /// The certificate of the key that should have signed.
    fn signer<'a>(
        &'a self,
        issuer: &'a IssuerCertificate,
        now: UnixTime,
        verifier: &dyn VerifySignature,
    ) -> Result<&'a Certificate, OcspResponseError> {
        if self.responder.names(issuer.certificate()) {
            return Ok(issuer.certificate());
        }
        let delegate = self.certificates.iter().find(|certificate| self.responder.names(certificate));
        let delegate = delegate.ok_or(OcspResponseError::Responder)?;
        may_answer_for(delegate, issuer, now, verifier).map_err(OcspResponseError::Delegate)?;
        Ok(delegate)
    }
}

impl ResponderId {
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => name.matches(certificate.subject()),
            Self::KeyHash(hash) => certificate.public_key().key_identifier().as_bytes() == hash,
        }
    }
}

/// RFC 6960 4.2.2.2: a responder's certificate is issued by the authority itself, for that purpose, and valid.
pub(super) fn may_answer_for(
    delegate: &Certificate,
    issuer: &IssuerCertificate,
    now: UnixTime,
    verifier: &dyn VerifySignature,
) -> Result<(), &'static str> {
    if !delegate.issuer().matches(issuer.subject())
        || delegate.verify_signature(issuer.certificate().public_key(), verifier).is_err()
    {
        return Err("it is not one that this authority issued (RFC 6960 4.2.2.2)");
    }
    let purposes = delegate.extended_key_usages().ok().flatten().unwrap_or_default();
    if !purposes.contains(&ExtendedKeyUsage::OcspSigning) {
        return Err("its extended key usage lacks OCSPSigning (RFC 6960 4.2.2.2)");
    }
    let validity = delegate.validity();
    if now < validity.not_before() || now > validity.not_after() {
        return Err("it is not valid now");
    }
    Ok(())
}

impl fmt::Debug for BasicResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicResponse")
            .field("responder", &self.responder)
            .field("produced_at", &self.produced_at)
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}

/// A response that cannot be read, or does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspResponseError {
    /// The certificate of its responder is not one that may answer.
    Delegate(
        /// Why, as a sentence's end.
        &'static str,
    ),
    /// An answer of another kind than basic.
    Kind {
        /// Which.
        id: Oid,
    },
    /// Not the DER of an OCSPResponse, cut off, or followed by something else.
    Malformed,
    /// An answer that is of another time.
    NotCurrent {
        /// From when it is.
        this_update: UnixTime,
        /// Until when it was good.
        next_update: Option<UnixTime>,
    },
    /// An answer about another authority's certificates.
    OtherAuthority,
    /// Neither the authority nor a certificate in it is the one that answers.
    Responder,
    /// Its signature is not one of its responder's key.
    Signature(VerifyError),
}

impl fmt::Display for OcspResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delegate(reason) => write!(f, "the OCSP responder's certificate does not stand: {reason}"),
            Self::Kind { id } => {
                write!(f, "the OCSP response is of the kind {id}; basic ones are read (RFC 6960 4.2.1)")
            }
            Self::Malformed => {
                f.write_str("this is not the DER of an OCSPResponse (RFC 6960 4.2.1), or it is cut off")
            }
            Self::NotCurrent { this_update, next_update } => {
                write!(f, "the OCSP answer is not one of now: it is of {this_update}")?;
                next_update.map_or(Ok(()), |next_update| write!(f, ", good until {next_update}"))
            }
            Self::OtherAuthority => f.write_str("the OCSP answer is about a certificate of another authority"),
            Self::Responder => f.write_str(
                "the OCSP response is signed neither by the authority nor by a certificate that comes with it",
            ),
            Self::Signature(error) => write!(f, "the OCSP response's signature does not stand: {error}"),
        }
    }
}

impl core::error::Error for OcspResponseError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

/// What the DER reader says is for us, not for our callers: its error type stays inside.
const fn malformed(_: der::Error) -> OcspResponseError {
    OcspResponseError::Malformed
}
