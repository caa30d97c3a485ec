//! The bridge for programs that already speak rcgen 0.14: our keys and issuers as rcgen's.
//!
//! [`RcgenKey`] is any [`SigningKey`] as an [`rcgen::SigningKey`], and [`Issuer::into_rcgen`] an
//! issuer as an [`rcgen::Issuer`]. rcgen's are the only types of another crate in the public
//! interface of this one, and only with the feature `rcgen`: they follow its versions.
//!
//! What rcgen signs was asked no question here: no role, no validity, path length or name constraint of the chain,
//! no lint. rcgen's features `crypto`, `ring` and `aws_lc_rs` are not needed; without them its caller gives each
//! certificate a serial number and, to a CA's, a key identifier.
//!
//! ```
//! # use pki_core::{hierarchy::CaRequest, issuer::Issuer, key::KeyAlgorithm, key::software::SoftwareKey};
//! # use pki_core::{name::DistinguishedName, random::RandomError, rcgen::RcgenKey, role::Limits, time::UnixTime};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = UnixTime::from_secs(1_795_000_000).ok_or("time")?;
//! let rng = || |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
//! let request = CaRequest::new(DistinguishedName::with_common_name("Example Root")?);
//! let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng())?;
//! let issuer = Issuer::self_signed(request, key, &Limits::default(), now, &mut rng())?.into_rcgen(rng())?;
//!
//! let leaf = RcgenKey::new(SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng())?, rng())?;
//! let mut params = rcgen::CertificateParams::new(["www.example.com".to_owned()])?;
//! params.serial_number = Some(4711.into());
//! let certificate = params.signed_by(&leaf, &issuer)?;
//! # Ok(())
//! # }
//! ```

use alloc::vec::Vec;
use core::fmt;
use std::sync::Mutex;

use ::rcgen::string::{BmpString, Ia5String, PrintableString, TeletexString};
use ::rcgen::{CertificateParams, DnType, DnValue, KeyIdMethod, KeyUsagePurpose, PublicKeyData};
use const_oid::ObjectIdentifier;
use der::Tag;

use crate::certificate::{Certificate, CertificateError};
use crate::issuer::{Issuer, IssuerCertificate};
use crate::key::{KeyType, PublicKey, SignatureAlgorithm, SigningInput, SigningKey};
use crate::name::DistinguishedName;
use crate::profile::KeyUsage;
use crate::random::SecureRandom;

/// A key of ours as a key of rcgen's, with the randomness that it signs with.
pub struct RcgenKey<K, R> {
    key: K,
    // rcgen signs through a shared reference.
    rng: Mutex<R>,
    algorithm: Algorithm,
}

impl<K: SigningKey, R: SecureRandom> RcgenKey<K, R> {
    /// Takes the first of the key's signature algorithms that rcgen can write: RSA PKCS#1, ECDSA on P-256 with SHA-256
    /// and on P-384 with SHA-384, Ed25519.
    ///
    /// # Errors
    ///
    /// [`RcgenError::Key`] if there is none.
    pub fn new(key: K, rng: R) -> Result<Self, RcgenError> {
        let algorithm = Algorithm::of(&key)?;
        Ok(Self { key, rng: Mutex::new(rng), algorithm })
    }
}

impl<K, R> RcgenKey<K, R> {
    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// What it signs with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm.ours
    }
}

impl<K: SigningKey, R> PublicKeyData for RcgenKey<K, R> {
    fn subject_public_key_info(&self) -> Vec<u8> {
        self.key.public_key().spki_der().to_vec()
    }

    fn der_bytes(&self) -> &[u8] {
        self.key.public_key().key_octets()
    }

    fn algorithm(&self) -> &'static ::rcgen::SignatureAlgorithm {
        self.algorithm.theirs
    }
}

/// rcgen has one error for a key that does not sign, so that ours loses its reason here.
impl<K: SigningKey, R: SecureRandom> ::rcgen::SigningKey for RcgenKey<K, R> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ::rcgen::Error> {
        // A poisoned lock means that the source of randomness, or the key, panicked: neither is used again.
        let mut rng = self.rng.lock().map_err(|_| ::rcgen::Error::RemoteKeyError)?;
        let signature = self
            .key
            .sign(self.algorithm.ours, SigningInput::Message(message), &mut *rng)
            .map_err(|_| ::rcgen::Error::RemoteKeyError)?;
        // As for our own certificates: a faulty RSA signature gives the key away.
        #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
        if self.key.public_key().key_type() == KeyType::Rsa {
            use crate::key::VerifySignature as _;
            crate::key::software::Verifier
                .verify(self.key.public_key(), self.algorithm.ours, message, signature.as_bytes())
                .map_err(|_| ::rcgen::Error::RemoteKeyError)?;
        }
        Ok(signature.as_bytes().to_vec())
    }
}

impl<K: fmt::Debug, R> fmt::Debug for RcgenKey<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RcgenKey")
            .field("key", &self.key)
            .field("algorithm", &self.algorithm.ours)
            .finish_non_exhaustive()
    }
}

impl<K: SigningKey> Issuer<K> {
    /// The same issuer for rcgen, signing with this randomness. Its certificates name the issuer by the same octets and
    /// the same key identifier as ours do; the chain stays behind.
    ///
    /// The CA's key is not used: rcgen writes a certificate without a signature, and what it wrote is compared.
    ///
    /// # Errors
    ///
    /// [`RcgenError::Name`] if rcgen would write another name: it drops repeated attributes, and knows no RDN of several;
    /// [`RcgenError::Key`] if it cannot write the algorithm of the key.
    pub fn into_rcgen<R: SecureRandom>(
        self,
        rng: R,
    ) -> Result<::rcgen::Issuer<'static, RcgenKey<K, R>>, RcgenError> {
        let (certificate, key) = self.into_parts();
        let key = RcgenKey::new(key, rng)?;
        let params = parameters(&certificate)?;
        rehearse(&certificate, &key, &params)?;
        Ok(::rcgen::Issuer::new(params, key))
    }
}

/// What rcgen keeps of an issuer: name, key identifier, key usages.
fn parameters(certificate: &IssuerCertificate) -> Result<CertificateParams, RcgenError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = foreign_name(certificate.subject())
        .ok_or_else(|| RcgenError::Name { subject: certificate.subject().clone() })?;
    params.key_identifier_method =
        KeyIdMethod::PreSpecified(certificate.key_identifier().as_bytes().to_vec());
    // rcgen asks for cRLSign before it signs a CRL, and takes an empty list for no restriction.
    let usages = certificate.certificate().key_usages().map_err(RcgenError::Certificate)?;
    params.key_usages =
        usages.into_iter().flat_map(|usages| usages.iter().collect::<Vec<_>>()).map(purpose).collect();
    Ok(params)
}

/// Lets rcgen write a certificate of this issuer without its key, and reads the octets.
fn rehearse<K: SigningKey, R>(
    certificate: &IssuerCertificate,
    key: &RcgenKey<K, R>,
    params: &CertificateParams,
) -> Result<(), RcgenError> {
    let mut leaf = CertificateParams::default();
    leaf.serial_number = Some(1.into());
    leaf.use_authority_key_identifier_extension = true;
    let stand_in = StandIn { key: key.key.public_key(), algorithm: key.algorithm };
    let issuer = ::rcgen::Issuer::from_params(params, &stand_in);
    let written = leaf.signed_by(&stand_in, &issuer).map_err(RcgenError::Rcgen)?;
    let written = Certificate::from_der(written.der()).map_err(RcgenError::Certificate)?;
    if written.issuer() != certificate.subject() {
        return Err(RcgenError::Name { subject: certificate.subject().clone() });
    }
    let same_key = written.public_key() == key.key.public_key()
        && written.signature_algorithm() == Some(key.algorithm.ours)
        && written.authority_key_identifier().as_ref() == Some(certificate.key_identifier());
    if same_key { Ok(()) } else { Err(RcgenError::key(key.key.public_key())) }
}

/// Stands where the CA's key will, and signs nothing.
struct StandIn<'a> {
    key: &'a PublicKey,
    algorithm: Algorithm,
}

impl PublicKeyData for StandIn<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.key.key_octets()
    }

    fn algorithm(&self) -> &'static ::rcgen::SignatureAlgorithm {
        self.algorithm.theirs
    }
}

impl ::rcgen::SigningKey for StandIn<'_> {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, ::rcgen::Error> {
        Ok(Vec::new())
    }
}

/// One signature algorithm, as we and as rcgen call it.
#[derive(Clone, Copy)]
struct Algorithm {
    ours: SignatureAlgorithm,
    theirs: &'static ::rcgen::SignatureAlgorithm,
}

impl Algorithm {
    fn of<K: SigningKey + ?Sized>(key: &K) -> Result<Self, RcgenError> {
        let public = key.public_key();
        let offered = key.algorithms().iter();
        offered
            .filter_map(|&ours| Some(Self { ours, theirs: theirs(ours, public.bits())? }))
            .next()
            .ok_or_else(|| RcgenError::key(public))
    }
}

/// rcgen ties each curve to one digest, and has P-521 only with another backend than ours.
fn theirs(ours: SignatureAlgorithm, bits: u32) -> Option<&'static ::rcgen::SignatureAlgorithm> {
    match (ours, bits) {
        (SignatureAlgorithm::RsaPkcs1Sha256, _) => Some(&::rcgen::PKCS_RSA_SHA256),
        (SignatureAlgorithm::RsaPkcs1Sha384, _) => Some(&::rcgen::PKCS_RSA_SHA384),
        (SignatureAlgorithm::RsaPkcs1Sha512, _) => Some(&::rcgen::PKCS_RSA_SHA512),
        (SignatureAlgorithm::EcdsaSha256, 256) => Some(&::rcgen::PKCS_ECDSA_P256_SHA256),
        (SignatureAlgorithm::EcdsaSha384, 384) => Some(&::rcgen::PKCS_ECDSA_P384_SHA384),
        (SignatureAlgorithm::Ed25519, _) => Some(&::rcgen::PKCS_ED25519),
        _ => None,
    }
}

/// The name as rcgen holds it; `None` for values that it cannot hold. What it then writes is compared by `rehearse`.
fn foreign_name(name: &DistinguishedName) -> Option<::rcgen::DistinguishedName> {
    let mut foreign = ::rcgen::DistinguishedName::new();
    let mut held = true;
    let read = name.read(|_, kind: ObjectIdentifier, tag, value| {
        let kind: Vec<u64> = kind.arcs().map(u64::from).collect();
        match foreign_value(tag, value) {
            Some(value) => foreign.push(DnType::from_oid(&kind), value),
            None => held = false,
        }
    });
    (held && read.is_ok()).then_some(foreign)
}

fn foreign_value(tag: Tag, value: &[u8]) -> Option<DnValue> {
    let text = || core::str::from_utf8(value).ok();
    Some(match tag {
        Tag::Utf8String => DnValue::Utf8String(text()?.into()),
        Tag::PrintableString => DnValue::PrintableString(PrintableString::try_from(text()?).ok()?),
        Tag::Ia5String => DnValue::Ia5String(Ia5String::try_from(text()?).ok()?),
        Tag::TeletexString => DnValue::TeletexString(TeletexString::try_from(text()?).ok()?),
        Tag::BmpString => DnValue::BmpString(BmpString::from_utf16be(value.to_vec()).ok()?),
        _ => return None,
    })
}

const fn purpose(usage: KeyUsage) -> KeyUsagePurpose {
    match usage {
        KeyUsage::DigitalSignature => KeyUsagePurpose::DigitalSignature,
        KeyUsage::ContentCommitment => KeyUsagePurpose::ContentCommitment,
        KeyUsage::KeyEncipherment => KeyUsagePurpose::KeyEncipherment,
        KeyUsage::DataEncipherment => KeyUsagePurpose::DataEncipherment,
        KeyUsage::KeyAgreement => KeyUsagePurpose::KeyAgreement,
        KeyUsage::CertSign => KeyUsagePurpose::KeyCertSign,
        KeyUsage::CrlSign => KeyUsagePurpose::CrlSign,
        KeyUsage::EncipherOnly => KeyUsagePurpose::EncipherOnly,
        KeyUsage::DecipherOnly => KeyUsagePurpose::DecipherOnly,
    }
}

/// A key or issuer that rcgen cannot work with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RcgenError {
    /// A certificate that cannot be read: the issuer's key usage, or what rcgen wrote.
    Certificate(CertificateError),
    /// A key whose algorithm rcgen cannot write.
    Key {
        /// Its type.
        key_type: KeyType,
        /// Its size.
        bits: u32,
    },
    /// A name that rcgen would write otherwise, so that its certificates would have another issuer.
    Name {
        /// The name.
        subject: DistinguishedName,
    },
    /// rcgen's own refusal.
    Rcgen(::rcgen::Error),
}

impl RcgenError {
    fn key(key: &PublicKey) -> Self {
        Self::Key { key_type: key.key_type(), bits: key.bits() }
    }
}

impl fmt::Display for RcgenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => error.fmt(f),
            Self::Key { key_type, bits } => write!(
                f,
                "rcgen cannot sign with a key of type {key_type} and {bits} bits; it can with RSA (PKCS#1), P-256, P-384 \
                 and Ed25519"
            ),
            Self::Name { subject } => write!(
                f,
                "rcgen would write another name than \"{subject}\"; it keeps one value of each attribute, one attribute \
                 in each RDN"
            ),
            Self::Rcgen(error) => write!(f, "rcgen refuses: {error}"),
        }
    }
}

impl core::error::Error for RcgenError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Certificate(error) => Some(error),
            Self::Rcgen(error) => Some(error),
            Self::Key { .. } | Self::Name { .. } => None,
        }
    }
}
