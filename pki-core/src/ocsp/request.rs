//! OCSP requests (RFC 6960 4.1).

use alloc::vec::Vec;
use core::fmt;

use der::{Decode, Reader, SliceReader, Tag};

use super::{CertId, MAX_REQUEST, MAX_SINGLE_REQUESTS};
use crate::certificate::Certificate;
use crate::extension::{self, Criticality, Extension};
use crate::key::{PublicKey, SignatureAlgorithm, VerifyError, VerifySignature};
use crate::oid::{self, Oid};
use crate::tlv::{self, Tlv};

/// A request: which certificates, and a number that the answer has to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspRequest {
    der: Vec<u8>,
    cert_ids: Vec<CertId>,
    nonce: Option<Nonce>,
    signature: Option<RequestSignature>,
}

/// A number that is used once: 1 to 128 octets (RFC 9654 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(Vec<u8>);

/// The signature of a request (RFC 6960 4.1.1). It proves who asks, if one of the certificates is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    message: Vec<u8>,
    algorithm: Option<SignatureAlgorithm>,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl Nonce {
    /// These octets.
    ///
    /// # Errors
    ///
    /// [`OcspRequestError::NonceLength`] unless there are 1 to 128.
    pub fn new(octets: &[u8]) -> Result<Self, OcspRequestError> {
        if !(1..=128).contains(&octets.len()) {
            return Err(OcspRequestError::NonceLength { octets: octets.len() });
        }
        Ok(Self(octets.to_vec()))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// RFC 9654 2.1: the value of the extension is an OCTET STRING.
    pub(super) fn read(value: &[u8]) -> Result<Self, OcspRequestError> {
        let octets = tlv::read_all(value, |reader| tlv::content_of(reader, Tag::OctetString));
        Self::new(octets.map_err(malformed)?)
    }
}

impl RequestSignature {
    /// The certificates that came with it.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Verifies the signature with this key.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if it is not one of this key, or the algorithm is not known.
    pub fn verify(&self, key: &PublicKey, verifier: &dyn VerifySignature) -> Result<(), VerifyError> {
        let algorithm = self.algorithm.ok_or(VerifyError::UnsupportedAlgorithm)?;
        verifier.verify(key, algorithm, &self.message, &self.signature)
    }
}

impl OcspRequest {
    /// A request for these certificates.
    ///
    /// # Errors
    ///
    /// [`OcspRequestError`] if there are none, or more than one request may ask for.
    pub fn new(cert_ids: Vec<CertId>, nonce: Option<Nonce>) -> Result<Self, OcspRequestError> {
        count(cert_ids.len())?;
        let mut der = Tlv::with_capacity(256);
        der.nest(tlv::SEQUENCE, |request| {
            request.nest(tlv::SEQUENCE, |tbs| {
                tbs.nest(tlv::SEQUENCE, |list| {
                    for id in &cert_ids {
                        list.nest(tlv::SEQUENCE, |single| {
                            single.raw(id.der());
                        });
                    }
                });
                if let Some(nonce) = &nonce {
                    tbs.nest(tlv::context_constructed(2), |explicit| {
                        explicit.nest(tlv::SEQUENCE, |list| extension::ocsp_nonce(list, nonce.as_bytes()));
                    });
                }
            });
        });
        Ok(Self { der: der.into_vec(), cert_ids, nonce, signature: None })
    }

    /// Reads the DER of a request of at most 16 KiB for at most 64 certificates.
    ///
    /// # Errors
    ///
    /// [`OcspRequestError`]; each is answered with malformedRequest.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspRequestError> {
        if der.len() > MAX_REQUEST {
            return Err(OcspRequestError::TooLarge { octets: der.len() });
        }
        let (tbs, signature) = tlv::read_sequence(der, |request| {
            Ok((request.tlv_bytes()?, tlv::optional_context(request, 0, true)?))
        })
        .map_err(malformed)?;
        let (version, list, extensions) = tlv::read_sequence(tbs, |fields| {
            let version = tlv::optional_context(fields, 0, true)?;
            // The requestor's name says what nobody proves; who asks is for the signature to say.
            tlv::optional_context(fields, 1, true)?;
            let list = tlv::content_of(fields, Tag::Sequence)?;
            Ok((version, list, tlv::optional_context(fields, 2, true)?))
        })
        .map_err(malformed)?;
        // RFC 6960 4.1.1: v1 is 0.
        if version.is_some_and(|version| version != [tlv::INTEGER, 1, 0]) {
            return Err(OcspRequestError::Version);
        }
        let cert_ids = read_list(list)?;
        let nonce = match extensions {
            None => None,
            Some(explicit) => read_extensions(explicit, Level::Request)?,
        };
        let signature = signature.map(|explicit| read_signature(tbs, explicit)).transpose()?;
        Ok(Self { der: der.to_vec(), cert_ids, nonce, signature })
    }

    /// The whole request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Which certificates: at least one.
    pub fn cert_ids(&self) -> &[CertId] {
        &self.cert_ids
    }

    /// What the answer has to repeat.
    pub const fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }

    /// The signature; `None` for the usual request, which has none.
    pub const fn signature(&self) -> Option<&RequestSignature> {
        self.signature.as_ref()
    }
}

fn count(count: usize) -> Result<(), OcspRequestError> {
    match count {
        0 => Err(OcspRequestError::Empty),
        1..=MAX_SINGLE_REQUESTS => Ok(()),
        _ => Err(OcspRequestError::TooMany { count }),
    }
}

fn read_list(list: &[u8]) -> Result<Vec<CertId>, OcspRequestError> {
    let mut reader = SliceReader::new(list).map_err(malformed)?;
    let mut cert_ids = Vec::new();
    while !reader.is_finished() {
        let single = tlv::content_of(&mut reader, Tag::Sequence).map_err(malformed)?;
        let mut fields = SliceReader::new(single).map_err(malformed)?;
        cert_ids.push(CertId::read(&mut fields).map_err(malformed)?);
        count(cert_ids.len())?;
        if let Some(explicit) = tlv::optional_context(&mut fields, 0, true).map_err(malformed)? {
            read_extensions(explicit, Level::Single)?;
        }
        fields.finish().map_err(malformed)?;
    }
    count(cert_ids.len())?;
    Ok(cert_ids)
}

/// Where an extension stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Request,
    Single,
}

/// RFC 6960 4.4: the nonce among them; a critical one that is not known makes the request one that we cannot answer.
fn read_extensions(explicit: &[u8], level: Level) -> Result<Option<Nonce>, OcspRequestError> {
    let content =
        tlv::read_all(explicit, |reader| tlv::content_of(reader, Tag::Sequence)).map_err(malformed)?;
    let mut nonce = None;
    for Extension { id, critical, value } in extension::read_all(content).map_err(malformed)? {
        if id == Oid(oid::OCSP_NONCE) && level == Level::Request {
            nonce = Some(Nonce::read(&value)?);
        } else if critical == Criticality::Critical {
            return Err(OcspRequestError::CriticalExtension { id });
        }
    }
    Ok(nonce)
}

fn read_signature(tbs: &[u8], explicit: &[u8]) -> Result<RequestSignature, OcspRequestError> {
    let (algorithm, signature, certificates) = tlv::read_sequence(explicit, |fields| {
        let algorithm = fields.tlv_bytes()?;
        let signature = der::asn1::BitStringRef::decode(fields)?;
        let octets = signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?;
        Ok((algorithm, octets, tlv::optional_context(fields, 0, true)?))
    })
    .map_err(malformed)?;
    Ok(RequestSignature {
        message: tbs.to_vec(),
        algorithm: SignatureAlgorithm::from_der(algorithm),
        signature: signature.to_vec(),
        certificates: certificates.map(read_certificates).transpose()?.unwrap_or_default(),
    })
}

/// The content of a `[0] EXPLICIT SEQUENCE OF Certificate`.
pub(super) fn read_certificates(explicit: &[u8]) -> Result<Vec<Certificate>, OcspRequestError> {
    let content =
        tlv::read_all(explicit, |reader| tlv::content_of(reader, Tag::Sequence)).map_err(malformed)?;
    let mut reader = SliceReader::new(content).map_err(malformed)?;
    let mut certificates = Vec::new();
    while !reader.is_finished() {
        let der = reader.tlv_bytes().map_err(malformed)?;
        certificates.push(Certificate::from_der(der).map_err(|_| OcspRequestError::Malformed)?);
    }
    Ok(certificates)
}

/// A request that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspRequestError {
    /// A critical extension that is not known here.
    CriticalExtension {
        /// Which.
        id: Oid,
    },
    /// It asks for nothing.
    Empty,
    /// Not the DER of an OCSPRequest, cut off, or followed by something else.
    Malformed,
    /// A nonce that is empty or too long.
    NonceLength {
        /// How many octets it has.
        octets: usize,
    },
    /// More octets than are read.
    TooLarge {
        /// How many it has.
        octets: usize,
    },
    /// More certificates than are answered for.
    TooMany {
        /// How many were seen.
        count: usize,
    },
    /// Not version 1.
    Version,
}

impl fmt::Display for OcspRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CriticalExtension { id } => {
                write!(f, "the OCSP request has the critical extension {id}, which is not known here")
            }
            Self::Empty => f.write_str("the OCSP request asks for no certificate; at least one is wanted"),
            Self::Malformed => {
                f.write_str("this is not the DER of an OCSPRequest (RFC 6960 4.1.1), or it is cut off")
            }
            Self::NonceLength { octets } => {
                write!(f, "the nonce has {octets} octets; 1 to 128 are accepted (RFC 9654 2.1)")
            }
            Self::TooLarge { octets } => {
                write!(f, "the OCSP request has {octets} octets; at most {MAX_REQUEST} are read")
            }
            Self::TooMany { count } => write!(
                f,
                "the OCSP request asks for {count} certificates or more; at most {MAX_SINGLE_REQUESTS} are answered"
            ),
            Self::Version => f.write_str("the OCSP request is not of version 1 (RFC 6960 4.1.1)"),
        }
    }
}

impl core::error::Error for OcspRequestError {}

/// What the DER reader says is for us, not for our callers: its error type stays inside.
const fn malformed(_: der::Error) -> OcspRequestError {
    OcspRequestError::Malformed
}
