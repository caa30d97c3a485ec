//! The responder: from a request to a signed answer (RFC 6960 2, 4.2).

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::response::may_answer_for;
use super::{
    CertId, CertificateStatus, ErrorStatus, Nonce, OcspRequest, OcspRequestError, OcspResponse,
    OcspResponseError, RequestSignature,
};
use crate::certificate::Certificate;
use crate::extension;
use crate::issuer::{Issuer, IssuerCertificate, SignatureCheck, check_of};
use crate::key::{
    PublicKey, SignError, Signature, SignatureAlgorithm, SigningInput, SigningKey, VerifyError,
    VerifySignature,
};
use crate::random::SecureRandom;
use crate::revocation::RevocationReason;
use crate::serial::SerialNumber;
use crate::time::UnixTime;
use crate::tlv::{self, Tlv};

/// What answers for one authority: its own key, or one that has a certificate for that.
#[derive(Clone, Debug)]
pub struct OcspResponder<K> {
    issuer: IssuerCertificate,
    /// The certificate of a delegated key, which goes with each answer.
    delegate: Option<Certificate>,
    key: K,
    algorithm: SignatureAlgorithm,
    unlisted: Unlisted,
    archive_cutoff: Option<Duration>,
}

/// What is said about a serial number that the authority does not list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// It was never issued: *unknown*. For an authority that lists all it issues.
    #[default]
    Unknown,
    /// It may have been issued: *good*, which says no more than that it is not revoked (RFC 6960 2.2). For an authority that
    /// has issued without storing.
    Good,
    /// It was never issued: *revoked*, on hold since 1970, with the extension that says so (RFC 6960 2.2, 4.4.8).
    Revoked,
}

/// What an authority knows about a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerialStatus {
    /// It was issued and is not revoked.
    Issued,
    /// It is revoked.
    Revoked {
        /// When.
        at: UnixTime,
        /// Why.
        reason: RevocationReason,
    },
    /// It is not listed.
    NotListed,
}

/// A look-up that gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// It may give something later: tryLater.
    Busy,
    /// Something is broken: internalError.
    Failed,
}

/// Which requests are answered.
#[derive(Clone, Copy)]
pub enum RequestSignatures<'a> {
    /// All; a signature is passed over.
    Ignore,
    /// Those with a signature that this accepts.
    Require(&'a dyn Fn(&RequestSignature) -> bool),
}

impl fmt::Debug for RequestSignatures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignore => "Ignore",
            Self::Require(_) => "Require",
        })
    }
}

/// When an answer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusPeriod {
    /// When the status was known (RFC 6960 4.2.2.1): now, where the log itself is asked.
    pub this_update: UnixTime,
    /// By when more will be known; `None` for always. An answer that is made ahead has one (RFC 5019 2.2.4).
    pub next_update: Option<UnixTime>,
    /// When the answer is made.
    pub produced_at: UnixTime,
}

impl StatusPeriod {
    /// An answer of now that is good for so long.
    pub fn starting(now: UnixTime, good_for: Option<Duration>) -> Self {
        let next_update = good_for.map(|good_for| now.checked_add(good_for).unwrap_or(UnixTime::MAX));
        Self { this_update: now, next_update, produced_at: now }
    }
}

impl<'a, K: SigningKey> OcspResponder<&'a K> {
    /// The authority answers with its own key, which no certificate has to introduce (RFC 6960 4.2.2.2).
    ///
    /// # Errors
    ///
    /// [`ResponderError::NoAlgorithm`] if the key signs with nothing.
    pub fn of_issuer(issuer: &'a Issuer<K>) -> Result<Self, ResponderError> {
        let algorithm = issuer.crl_algorithm().ok_or(ResponderError::NoAlgorithm)?;
        Ok(Self {
            issuer: issuer.certificate().clone(),
            delegate: None,
            key: issuer.key(),
            algorithm,
            unlisted: Unlisted::default(),
            archive_cutoff: None,
        })
    }
}

impl<K: SigningKey> OcspResponder<K> {
    /// A key with a certificate of the authority answers for it.
    ///
    /// # Errors
    ///
    /// [`ResponderError`] if the key is not the certificate's, or the certificate not one that may answer now (RFC 6960
    /// 4.2.2.2).
    pub fn delegated(
        issuer: IssuerCertificate,
        certificate: Certificate,
        key: K,
        now: UnixTime,
        verifier: &dyn VerifySignature,
    ) -> Result<Self, ResponderError> {
        if certificate.public_key().spki_der() != key.public_key().spki_der() {
            return Err(ResponderError::KeyMismatch);
        }
        may_answer_for(&certificate, &issuer, now, verifier).map_err(ResponderError::Delegate)?;
        let algorithm = key.algorithms().first().copied().ok_or(ResponderError::NoAlgorithm)?;
        Ok(Self {
            issuer,
            delegate: Some(certificate),
            key,
            algorithm,
            unlisted: Unlisted::default(),
            archive_cutoff: None,
        })
    }

    /// The same, signing with this algorithm.
    ///
    /// # Errors
    ///
    /// [`ResponderError::Algorithm`] if the key does not sign with it.
    pub fn with_algorithm(self, algorithm: SignatureAlgorithm) -> Result<Self, ResponderError> {
        if !self.key.algorithms().contains(&algorithm) {
            return Err(ResponderError::Algorithm { algorithm });
        }
        Ok(Self { algorithm, ..self })
    }

    /// The same, saying this about serial numbers that are not listed.
    #[must_use]
    pub fn with_unlisted(self, unlisted: Unlisted) -> Self {
        Self { unlisted, ..self }
    }

    /// The same, saying that revocations are known for so long past the end of certificates (RFC 6960 4.4.4).
    #[must_use]
    pub fn with_archive_cutoff(self, kept: Duration) -> Self {
        Self { archive_cutoff: Some(kept), ..self }
    }

    /// The authority that is answered for.
    pub const fn issuer(&self) -> &IssuerCertificate {
        &self.issuer
    }

    /// A response to whatever came: an answer, or the status that says why there is none.
    pub fn respond(
        &self,
        request: &[u8],
        signatures: RequestSignatures<'_>,
        lookup: &mut dyn FnMut(&SerialNumber) -> Result<SerialStatus, LookupError>,
        period: StatusPeriod,
        rng: &mut dyn SecureRandom,
    ) -> OcspResponse {
        OcspRequest::from_der(request)
            .map_err(OcspError::Request)
            .and_then(|request| self.answer(&request, signatures, lookup, period, rng))
            .unwrap_or_else(|error| OcspResponse::error(error.status()))
    }

    /// The answer to a request: one call on the key.
    ///
    /// # Errors
    ///
    /// [`OcspError`], which [`OcspError::status`] makes the status of.
    pub fn answer(
        &self,
        request: &OcspRequest,
        signatures: RequestSignatures<'_>,
        lookup: &mut dyn FnMut(&SerialNumber) -> Result<SerialStatus, LookupError>,
        period: StatusPeriod,
        rng: &mut dyn SecureRandom,
    ) -> Result<OcspResponse, OcspError> {
        self.sign(&self.prepare(request, signatures, lookup, period)?, rng)
    }

    /// The octets of an answer.
    ///
    /// # Errors
    ///
    /// [`OcspError`] if the request is not to be answered, or the look-up fails.
    pub fn prepare(
        &self,
        request: &OcspRequest,
        signatures: RequestSignatures<'_>,
        lookup: &mut dyn FnMut(&SerialNumber) -> Result<SerialStatus, LookupError>,
        period: StatusPeriod,
    ) -> Result<TbsResponseData, OcspError> {
        if let RequestSignatures::Require(accept) = signatures {
            let signature = request.signature().ok_or(OcspError::NotSigned)?;
            if !accept(signature) {
                return Err(OcspError::SignatureNotAccepted);
            }
        }
        // RFC 5019 2.2.3: unauthorized, where nothing that is asked for is the authority's.
        if !request.cert_ids().iter().any(|id| id.names(&self.issuer)) {
            return Err(OcspError::OtherAuthority);
        }
        let StatusPeriod { this_update, next_update, produced_at } = period;
        if this_update > produced_at || next_update.is_some_and(|next| next <= this_update) {
            return Err(OcspError::Period);
        }
        let mut extended = Extended::No;
        let mut answers = Vec::with_capacity(request.cert_ids().len());
        for id in request.cert_ids() {
            answers.push((id, self.status(id, lookup, &mut extended)?));
        }
        let der = self.encode(&answers, request.nonce(), period, extended);
        let certificate = self.delegate.as_ref().map(|delegate| delegate.der().to_vec());
        let key = self.key.public_key().clone();
        Ok(TbsResponseData { der, algorithm: self.algorithm, certificate, key })
    }

    /// Signs what was prepared: one call on the key. The result is read again.
    ///
    /// # Errors
    ///
    /// [`OcspError`] if the key fails.
    pub fn sign(
        &self,
        data: &TbsResponseData,
        rng: &mut dyn SecureRandom,
    ) -> Result<OcspResponse, OcspError> {
        let input = SigningInput::Message(&data.der);
        let signature = self.key.sign(data.algorithm, input, rng).map_err(OcspError::Sign)?;
        match check_of(&self.key) {
            SignatureCheck::Skip => data.join(&signature),
            SignatureCheck::Verify(verifier) => data.assemble(&signature, verifier),
        }
    }

    fn status(
        &self,
        id: &CertId,
        lookup: &mut dyn FnMut(&SerialNumber) -> Result<SerialStatus, LookupError>,
        extended: &mut Extended,
    ) -> Result<CertificateStatus, OcspError> {
        if !id.names(&self.issuer) {
            return Ok(CertificateStatus::Unknown);
        }
        // A number that no certificate has is not looked up.
        let known = match id.serial() {
            Some(serial) => lookup(&serial).map_err(OcspError::Lookup)?,
            None => SerialStatus::NotListed,
        };
        Ok(match (known, self.unlisted) {
            (SerialStatus::Issued, _) | (SerialStatus::NotListed, Unlisted::Good) => CertificateStatus::Good,
            (SerialStatus::Revoked { at, reason }, _) => CertificateStatus::Revoked { at, reason },
            (SerialStatus::NotListed, Unlisted::Unknown) => CertificateStatus::Unknown,
            (SerialStatus::NotListed, Unlisted::Revoked) => {
                *extended = Extended::Yes;
                CertificateStatus::Revoked { at: UnixTime::MIN, reason: RevocationReason::CertificateHold }
            }
        })
    }

    /// RFC 6960 4.2.1: ResponseData.
    fn encode(
        &self,
        answers: &[(&CertId, CertificateStatus)],
        nonce: Option<&Nonce>,
        period: StatusPeriod,
        extended: Extended,
    ) -> Vec<u8> {
        let StatusPeriod { this_update, next_update, produced_at } = period;
        let cutoff = self.archive_cutoff.map(|kept| produced_at.checked_sub(kept).unwrap_or(UnixTime::MIN));
        let mut der = Tlv::with_capacity(512);
        der.nest(tlv::SEQUENCE, |data| {
            // The responder by SHA-1 of its key's bits, whatever its subject key identifier is.
            data.nest(tlv::context_constructed(2), |explicit| {
                explicit.value(tlv::OCTET_STRING, self.key.public_key().key_identifier().as_bytes());
            });
            data.generalized_time(produced_at);
            data.nest(tlv::SEQUENCE, |list| {
                for (id, status) in answers {
                    list.nest(tlv::SEQUENCE, |single| {
                        single.raw(id.der());
                        status.encode(single);
                        single.generalized_time(this_update);
                        if let Some(next_update) = next_update {
                            single.nest(tlv::context_constructed(0), |explicit| {
                                explicit.generalized_time(next_update);
                            });
                        }
                        if let Some(cutoff) = cutoff {
                            single.nest(tlv::context_constructed(1), |explicit| {
                                explicit.nest(tlv::SEQUENCE, |list| {
                                    extension::ocsp_archive_cutoff(list, cutoff);
                                });
                            });
                        }
                    });
                }
            });
            if nonce.is_some() || extended == Extended::Yes {
                data.nest(tlv::context_constructed(1), |explicit| {
                    explicit.nest(tlv::SEQUENCE, |list| {
                        if let Some(nonce) = nonce {
                            extension::ocsp_nonce(list, nonce.as_bytes());
                        }
                        if extended == Extended::Yes {
                            extension::ocsp_extended_revoke(list);
                        }
                    });
                });
            }
        });
        der.into_vec()
    }
}

/// Whether a serial number that was never issued is called revoked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extended {
    No,
    Yes,
}

/// An answer whose octets are fixed and only lack a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TbsResponseData {
    der: Vec<u8>,
    algorithm: SignatureAlgorithm,
    certificate: Option<Vec<u8>>,
    key: PublicKey,
}

impl TbsResponseData {
    /// What the key signs, and with which algorithm; for signers that are asynchronous, remote or air-gapped.
    pub fn signing_input(&self) -> (SignatureAlgorithm, SigningInput<'_>) {
        (self.algorithm, SigningInput::Message(&self.der))
    }

    /// Joins a signature from elsewhere, after verifying it with the responder's key.
    ///
    /// # Errors
    ///
    /// [`OcspError::Signature`] if it is not one of that key.
    pub fn assemble(
        &self,
        signature: &Signature,
        verifier: &dyn VerifySignature,
    ) -> Result<OcspResponse, OcspError> {
        verifier
            .verify(&self.key, self.algorithm, &self.der, signature.as_bytes())
            .map_err(OcspError::Signature)?;
        self.join(signature)
    }

    /// RFC 6960 4.2.1: BasicOCSPResponse.
    fn join(&self, signature: &Signature) -> Result<OcspResponse, OcspError> {
        let mut basic = Tlv::with_capacity(self.der.len() + 1_024);
        basic.nest(tlv::SEQUENCE, |response| {
            response.raw(&self.der).raw(self.algorithm.der()).bit_string(signature.as_bytes());
            if let Some(certificate) = &self.certificate {
                response.nest(tlv::context_constructed(0), |explicit| {
                    explicit.nest(tlv::SEQUENCE, |list| {
                        list.raw(certificate);
                    });
                });
            }
        });
        OcspResponse::successful(&basic.into_vec()).map_err(OcspError::Reread)
    }
}

/// A request that is not answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum OcspError {
    /// The look-up gave nothing.
    Lookup(LookupError),
    /// Only signed requests are answered, and this is none.
    NotSigned,
    /// All that is asked for is of other authorities.
    OtherAuthority,
    /// The answer would end before it begins, or speak of the future.
    Period,
    /// The request cannot be read.
    Request(OcspRequestError),
    /// The finished response cannot be read: our mistake, and nothing was handed out.
    Reread(OcspResponseError),
    /// The key did not sign.
    Sign(SignError),
    /// A signature that is not one of the responder's key.
    Signature(VerifyError),
    /// The request's signature is not one that is accepted.
    SignatureNotAccepted,
}

impl OcspError {
    /// What the requester is told (RFC 6960 2.3, 4.2.1).
    pub const fn status(&self) -> ErrorStatus {
        match self {
            Self::Request(_) => ErrorStatus::MalformedRequest,
            Self::Lookup(LookupError::Busy) | Self::Sign(SignError::Retryable { .. }) => {
                ErrorStatus::TryLater
            }
            Self::NotSigned => ErrorStatus::SigRequired,
            Self::OtherAuthority | Self::SignatureNotAccepted => ErrorStatus::Unauthorized,
            Self::Lookup(LookupError::Failed)
            | Self::Period
            | Self::Reread(_)
            | Self::Sign(_)
            | Self::Signature(_) => ErrorStatus::InternalError,
        }
    }
}

impl fmt::Display for OcspError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(LookupError::Busy) => f.write_str("the status cannot be looked up now"),
            Self::Lookup(LookupError::Failed) => f.write_str("the status cannot be looked up"),
            Self::NotSigned => f.write_str("only signed OCSP requests are answered, and this one is not"),
            Self::OtherAuthority => {
                f.write_str("the OCSP request asks for certificates of other authorities")
            }
            Self::Period => f.write_str("the OCSP answer would end before it begins, or speak of the future"),
            Self::Request(error) => error.fmt(f),
            Self::Reread(error) => write!(f, "the finished OCSP response was withheld: {error}"),
            Self::Sign(error) => error.fmt(f),
            Self::Signature(error) => write!(f, "the signature is not one of the responder's key: {error}"),
            Self::SignatureNotAccepted => {
                f.write_str("the OCSP request is signed by somebody who is not answered")
            }
        }
    }
}

impl core::error::Error for OcspError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Reread(error) => Some(error),
            Self::Sign(error) => Some(error),
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

/// A certificate and key that make no responder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponderError {
    /// The key does not sign with this.
    Algorithm {
        /// What was asked for.
        algorithm: SignatureAlgorithm,
    },
    /// The certificate may not answer for the authority.
    Delegate(
        /// Why, as a sentence's end.
        &'static str,
    ),
    /// The key is not the certificate's.
    KeyMismatch,
    /// The key signs with nothing.
    NoAlgorithm,
}

impl fmt::Display for ResponderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm { algorithm } => write!(f, "the responder's key does not sign with {algorithm}"),
            Self::Delegate(reason) => write!(f, "the certificate may not answer OCSP requests: {reason}"),
            Self::KeyMismatch => f.write_str("the private key is not the one of the responder's certificate"),
            Self::NoAlgorithm => f.write_str("the responder's key offers no signature algorithm"),
        }
    }
}

impl core::error::Error for ResponderError {}
