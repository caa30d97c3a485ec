//! Issuers: a CA certificate joined with its matching key.

use alloc::vec::Vec;
use core::fmt;

use crate::authority::AuthorityId;
use crate::certificate::{Certificate, CertificateError, Place};
use crate::extension::Endpoints;
use crate::hierarchy::{self, CaRequest, IssuerChain};
use crate::issue::{self, IssueError, Permitted, Prepared};
use crate::key::{
    KeyIdentifier, KeyOrigin, KeyType, PublicKey, SignatureAlgorithm, SigningInput, SigningKey,
    VerifySignature,
};
use crate::lint;
use crate::name::DistinguishedName;
use crate::profile::{ExtendedKeyUsage, KeyUsage, KeyUsages, PathLength};
use crate::random::SecureRandom;
use crate::role::Limits;
use crate::serial::SerialNumber;
use crate::tbs::{TbsCertificate, TbsFields};
use crate::time::UnixTime;
use crate::validity::Validity;

/// A certificate that is known to be a CA's: basic constraints say so, and it may sign certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerCertificate {
    certificate: Certificate,
    path_length: PathLength,
    key_usages: Option<KeyUsages>,
    extended_key_usages: Option<Vec<ExtendedKeyUsage>>,
    key_identifier: KeyIdentifier,
}

impl IssuerCertificate {
    /// Checks that a certificate is a CA's.
    ///
    /// # Errors
    ///
    /// [`IssuerError`] if it is an end entity's, may not sign certificates, or has no subject.
    pub fn new(certificate: Certificate) -> Result<Self, IssuerError> {
        let Place::Authority(path_length) = certificate.place().map_err(IssuerError::Certificate)? else {
            return Err(IssuerError::NotAnAuthority);
        };
        let key_usages = certificate.key_usages().map_err(IssuerError::Certificate)?;
        // RFC 5280 4.2.1.3: where there is a key usage, a CA's has keyCertSign.
        if key_usages.is_some_and(|usages| !usages.contains(KeyUsage::CertSign)) {
            return Err(IssuerError::NoCertSign);
        }
        // RFC 5280 4.1.2.6: a CA's subject is not empty.
        if certificate.subject().is_empty() {
            return Err(IssuerError::EmptySubject);
        }
        let extended_key_usages = certificate.extended_key_usages().map_err(IssuerError::Certificate)?;
        // RFC 5280 4.2.1.1: what the issuer calls itself; a certificate without that extension (version 1 style
        // roots) is named by its key.
        let key_identifier =
            certificate.subject_key_identifier().unwrap_or_else(|| certificate.public_key().key_identifier());
        Ok(Self { certificate, path_length, key_usages, extended_key_usages, key_identifier })
    }

    /// The certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The authority it speaks for.
    pub fn authority(&self) -> AuthorityId {
        self.certificate.authority()
    }

    /// Its name, which becomes the issuer's name in what it signs, byte for byte.
    pub const fn subject(&self) -> &DistinguishedName {
        self.certificate.subject()
    }

    /// Its subject key identifier, which becomes the authority key identifier in what it signs.
    pub const fn key_identifier(&self) -> &KeyIdentifier {
        &self.key_identifier
    }

    /// How many intermediates may follow below it.
    pub const fn path_length(&self) -> PathLength {
        self.path_length
    }

    /// The purposes that it is confined to; `None` for no restriction.
    pub fn extended_key_usages(&self) -> Option<&[ExtendedKeyUsage]> {
        self.extended_key_usages.as_deref()
    }

    /// Whether it may sign CRLs (RFC 5280 4.2.1.3, cRLSign).
    pub fn may_sign_crls(&self) -> bool {
        self.key_usages.is_none_or(|usages| usages.contains(KeyUsage::CrlSign))
    }

    /// When it is valid.
    pub const fn validity(&self) -> Validity {
        self.certificate.validity()
    }
}

/// A CA certificate, its key, and the certificates above it.
#[derive(Clone, Debug)]
pub struct Issuer<K> {
    chain: IssuerChain,
    key: K,
    crl_algorithm: Option<SignatureAlgorithm>,
}

impl<K: SigningKey> Issuer<K> {
    /// Joins a CA certificate and its key. Nothing is signed: the public keys are compared.
    ///
    /// # Errors
    ///
    /// [`IssuerError::KeyMismatch`] if the key is not the certificate's.
    pub fn new(certificate: IssuerCertificate, key: K) -> Result<Self, IssuerError> {
        Self::of(IssuerChain::new(certificate), key)
    }

    /// Joins a CA certificate that knows its chain with its key.
    ///
    /// # Errors
    ///
    /// [`IssuerError::KeyMismatch`] if the key is not the certificate's.
    pub fn of(chain: IssuerChain, key: K) -> Result<Self, IssuerError> {
        if chain.certificate().certificate.public_key().spki_der() != key.public_key().spki_der() {
            return Err(IssuerError::KeyMismatch);
        }
        Ok(Self { chain, key, crl_algorithm: None })
    }

    /// A new root: a certificate for `key` that `key` itself signs.
    ///
    /// # Errors
    ///
    /// [`IssueError`] if the request is refused, or the key fails.
    pub fn self_signed(
        request: CaRequest,
        key: K,
        limits: &Limits,
        now: UnixTime,
        rng: &mut dyn SecureRandom,
    ) -> Result<Self, IssueError> {
        let permitted = hierarchy::permit_ca(request, key.public_key().clone(), limits, now)?;
        let serial = SerialNumber::random(rng, now)?;
        let prepared = prepare_root(permitted, &key, serial, &Endpoints::default())?;
        let certificate = IssuerCertificate::new(sign(&prepared, &key, rng)?).map_err(IssueError::Issuer)?;
        Ok(Self { chain: IssuerChain::new(certificate), key, crl_algorithm: None })
    }

    /// The same issuer, knowing the certificates above it: its own issuer first, the root last. What it signs is then
    /// checked against each of them.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Chain`] if one is not named as the issuer of the one before it.
    pub fn with_chain(self, above: Vec<IssuerCertificate>) -> Result<Self, IssuerError> {
        Ok(Self { chain: self.chain.with_path(above)?, ..self })
    }

    /// The same issuer, which signs its CRLs with `algorithm`.
    ///
    /// # Errors
    ///
    /// [`IssuerError::CrlAlgorithm`] if its key does not sign with that.
    pub fn with_crl_algorithm(mut self, algorithm: SignatureAlgorithm) -> Result<Self, IssuerError> {
        if !self.key.algorithms().contains(&algorithm) {
            return Err(IssuerError::CrlAlgorithm { key_type: self.key.public_key().key_type(), algorithm });
        }
        self.crl_algorithm = Some(algorithm);
        Ok(self)
    }

    /// What it signs CRLs with: what was set; else, for a root, what its own certificate is signed with, so that a
    /// root with RSA-PSS stays with it; else the key's first choice. `None` if the key offers nothing.
    pub fn crl_algorithm(&self) -> Option<SignatureAlgorithm> {
        let offered = self.key.algorithms();
        let certificate = &self.certificate().certificate;
        let own = certificate
            .signature_algorithm()
            .filter(|own| certificate.is_self_issued() && own.key_type() == KeyType::Rsa);
        self.crl_algorithm
            .or(own)
            .filter(|algorithm| offered.contains(algorithm))
            .or_else(|| offered.first().copied())
    }

    /// The CA certificate.
    pub const fn certificate(&self) -> &IssuerCertificate {
        self.chain.certificate()
    }

    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    #[cfg(feature = "rcgen")]
    pub(crate) fn into_parts(self) -> (IssuerCertificate, K) {
        (self.chain.into_certificate(), self.key)
    }

    /// The issuer's own certificate and those above it, the root last.
    pub fn chain(&self) -> impl Iterator<Item = &IssuerCertificate> {
        self.chain.members()
    }

    /// The same along the path that accepted what was prepared.
    pub fn chain_for(&self, prepared: &Prepared) -> impl Iterator<Item = &IssuerCertificate> {
        self.chain.members_for(&prepared.permitted)
    }

    /// Fixes the octets of a certificate, after asking every member of the chain.
    ///
    /// # Errors
    ///
    /// [`IssueError::Refused`] if the chain would make a verifier refuse it; [`IssueError::SignatureAlgorithm`] if the
    /// key has no algorithm of the wanted digest; [`IssueError::Lint`] if it would break a clause of the standards.
    pub fn prepare(
        &self,
        permitted: Permitted<PublicKey>,
        serial: SerialNumber,
        endpoints: &Endpoints,
    ) -> Result<Prepared, IssueError> {
        let permitted = self.chain.permit(self.chain.permit_key(permitted)?)?;
        let algorithm = permitted.rsa_scheme.choose(&self.key)?;
        prepare(permitted, serial, endpoints, algorithm, Above::Issuer(self.certificate()))
    }

    /// The steps from a permission to a certificate in one call, for callers who keep no store in between.
    ///
    /// # Errors
    ///
    /// As [`Issuer::prepare`] and [`Issuer::sign`].
    pub fn issue(
        &self,
        permitted: Permitted<PublicKey>,
        endpoints: &Endpoints,
        now: UnixTime,
        rng: &mut dyn SecureRandom,
    ) -> Result<Certificate, IssueError> {
        let serial = SerialNumber::random(rng, now)?;
        let prepared = self.prepare(permitted, serial, endpoints)?;
        self.sign(&prepared, rng)
    }

    /// Signs what was prepared: one call on the key. The result is read again and linted.
    ///
    /// # Errors
    ///
    /// [`IssueError`] if the key fails, or if the finished certificate is not what was prepared.
    pub fn sign(&self, prepared: &Prepared, rng: &mut dyn SecureRandom) -> Result<Certificate, IssueError> {
        sign(prepared, &self.key, rng)
    }
}

/// Fixes the octets of a root: a certificate whose issuer is its own key.
///
/// # Errors
///
/// [`IssueError::KeyMismatch`] if `key` is not the permitted one; [`IssueError::SignatureAlgorithm`] if it has no
/// algorithm of the wanted digest.
pub fn prepare_root(
    permitted: Permitted<PublicKey>,
    key: &dyn SigningKey,
    serial: SerialNumber,
    endpoints: &Endpoints,
) -> Result<Prepared, IssueError> {
    let permitted = hierarchy::permit_root_key(permitted, key.public_key())?;
    let algorithm = permitted.rsa_scheme.choose(key)?;
    prepare(permitted, serial, endpoints, algorithm, Above::Itself)
}

/// Signs what was prepared with `key`, which must be the issuer's.
///
/// # Errors
///
/// [`IssueError`] if the key fails, or if the finished certificate is not what was prepared.
pub fn sign(
    prepared: &Prepared,
    key: &dyn SigningKey,
    rng: &mut dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    let algorithm = prepared.tbs.algorithm();
    let signature = key.sign(algorithm, SigningInput::Message(prepared.tbs.der()), rng)?;
    match check_of(key) {
        SignatureCheck::Skip => prepared.join(&signature),
        SignatureCheck::Verify(verifier) => prepared.assemble(&signature, verifier),
    }
}

/// Whether a fresh signature is verified before it is used.
pub(crate) enum SignatureCheck {
    Skip,
    Verify(&'static dyn VerifySignature),
}

/// A fault in an RSA signature made with the Chinese remainder theorem gives the key away (Boneh, DeMillo, Lipton 1997),
/// and verifying it costs little, as does verifying one of ML-DSA; what a device or a network answers is not ours. Verifying an ECDSA signature of this
/// process costs three times the signature, and a wrong one is refused by whoever uses the certificate.
pub(crate) fn check_of<K: SigningKey + ?Sized>(key: &K) -> SignatureCheck {
    let is_cheap = matches!(key.public_key().key_type(), KeyType::Rsa | KeyType::MlDsa);
    if !is_cheap && key.origin() == KeyOrigin::ThisProcess {
        return SignatureCheck::Skip;
    }
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    let verifier: &'static dyn VerifySignature = &crate::key::software::Verifier;
    #[cfg(not(any(feature = "rustcrypto", feature = "aws-lc")))]
    let verifier: &'static dyn VerifySignature = &NoVerifier;
    SignatureCheck::Verify(verifier)
}

/// Without a backend nothing can be verified, and what has to be verified is refused.
#[cfg(not(any(feature = "rustcrypto", feature = "aws-lc")))]
struct NoVerifier;

#[cfg(not(any(feature = "rustcrypto", feature = "aws-lc")))]
impl VerifySignature for NoVerifier {
    fn verify(
        &self,
        _: &PublicKey,
        _: SignatureAlgorithm,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), crate::key::VerifyError> {
        Err(crate::key::VerifyError::KeyRefused {
            reason: "this build has no signature backend; join the signature with `assemble` and a verifier"
                .into(),
        })
    }
}

/// What stands above a certificate.
enum Above<'a> {
    Issuer(&'a IssuerCertificate),
    Itself,
}

fn prepare(
    mut permitted: Permitted<PublicKey>,
    serial: SerialNumber,
    endpoints: &Endpoints,
    algorithm: SignatureAlgorithm,
    above: Above<'_>,
) -> Result<Prepared, IssueError> {
    let own_identifier =
        permitted.subject_key_identifier.clone().unwrap_or_else(|| permitted.key.key_identifier());
    let (issuer, authority_key_identifier, issuer_key) = match above {
        Above::Issuer(issuer) => {
            (issuer.subject(), issuer.key_identifier(), issuer.certificate.public_key().clone())
        }
        Above::Itself => (&permitted.subject, &own_identifier, permitted.key.clone()),
    };
    let tbs = TbsCertificate::new(&TbsFields {
        serial,
        algorithm,
        issuer,
        validity: permitted.validity,
        subject: &permitted.subject,
        public_key: &permitted.key,
        profile: &permitted.profile,
        subject_key_identifier: &own_identifier,
        authority_key_identifier,
        revocation: permitted.revocation,
        endpoints,
        alternative_names: &permitted.alternative_names,
        policies: &permitted.policies,
        extensions: &permitted.extensions,
    });
    // Before a key signs: what is signed once can be used.
    issue::judge(lint::tbs_certificate(tbs.der()), &permitted.waivers, &mut permitted.warnings)?;
    Ok(Prepared { tbs, serial, permitted, issuer_key })
}

/// A certificate and key that make no issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerError {
    /// A certificate that cannot be read.
    Certificate(CertificateError),
    /// Two neighbours of a chain whose names do not match.
    Chain {
        /// The subject of the lower one.
        below: DistinguishedName,
        /// The subject of the one above, which should be the lower one's issuer.
        above: DistinguishedName,
    },
    /// A signature algorithm for CRLs that belongs to other keys.
    CrlAlgorithm {
        /// The kind of the issuer's key.
        key_type: KeyType,
        /// The algorithm.
        algorithm: SignatureAlgorithm,
    },
    /// A CA without a subject (RFC 5280 4.1.2.6).
    EmptySubject,
    /// The key is not the certificate's.
    KeyMismatch,
    /// A key usage without keyCertSign (RFC 5280 4.2.1.3).
    NoCertSign,
    /// Basic constraints are absent or say that it is no CA (RFC 5280 4.2.1.9).
    NotAnAuthority,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => error.fmt(f),
            Self::Chain { below, above } => {
                write!(f, "the chain does not join: the issuer of \"{below}\" is not \"{above}\"")
            }
            Self::CrlAlgorithm { key_type, algorithm } => {
                write!(f, "the issuer's key is of type {key_type} and does not sign CRLs with {algorithm}")
            }
            Self::EmptySubject => {
                f.write_str("a CA certificate has a subject (RFC 5280 4.1.2.6), this one has none")
            }
            Self::KeyMismatch => f.write_str("the private key is not the one of the certificate"),
            Self::NoCertSign => f.write_str(
                "the certificate's key usage lacks keyCertSign (RFC 5280 4.2.1.3), so it cannot issue",
            ),
            Self::NotAnAuthority => f.write_str(
                "the certificate is not a CA's: its basic constraints do not say CA:TRUE (RFC 5280 4.2.1.9)",
            ),
        }
    }
}

impl core::error::Error for IssuerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Certificate(error) => Some(error),
            _ => None,
        }
    }
}
