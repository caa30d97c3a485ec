//! Certificates: signed, encoded, final (RFC 5280 4.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

use crate::authority::AuthorityId;
use crate::extension::{self, BasicConstraints, Extension, PolicyInformation};
use crate::key::{
    KeyIdentifier, PublicKey, PublicKeyError, SignatureAlgorithm, VerifyError, VerifySignature,
};
use crate::name::{DistinguishedName, GeneralName, GeneralNameError, NameConstraints, Uri};
use crate::oid::{self, Oid};
use crate::pem::{self, PemError};
use crate::profile::{ExtendedKeyUsage, KeyUsages, PathLength};
use crate::serial::{SerialNumber, SerialNumberError};
use crate::tlv;
use crate::validity::Validity;

/// A certificate, kept as the DER it came in; the fields are read once.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// Where the signed part begins and ends in `der`.
    tbs: core::ops::Range<usize>,
    serial: SerialNumber,
    signature_algorithm: Option<SignatureAlgorithm>,
    signature: Vec<u8>,
    issuer: DistinguishedName,
    validity: Validity,
    subject: DistinguishedName,
    public_key: PublicKey,
    extensions: Vec<Extension>,
}

/// What place a certificate has in a hierarchy, by its basic constraints (RFC 5280 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A CA, with this path length.
    Authority(PathLength),
    /// Not a CA.
    EndEntity,
}

impl Certificate {
    /// Reads the DER of a certificate.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if it is not DER, not version 3, has trailing octets, repeats an extension, or has a
    /// serial number or public key that is none.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (tbs, outer_algorithm, signature) = read_signed(der).map_err(malformed)?;
        let fields = tlv::read_sequence(tbs, |reader| {
            let version = tlv::optional_context(reader, 0, true)?;
            let serial = tlv::content_of(reader, Tag::Integer)?;
            let algorithm = reader.tlv_bytes()?;
            let issuer = reader.tlv_bytes()?;
            let validity = Validity::read(reader)?;
            let subject = reader.tlv_bytes()?;
            let public_key = reader.tlv_bytes()?;
            // RFC 5280 4.1.2.8: unique identifiers are not made by conforming CAs; they are passed over here.
            tlv::optional_context(reader, 1, false)?;
            tlv::optional_context(reader, 2, false)?;
            let extensions = tlv::optional_context(reader, 3, true)?;
            Ok((version, serial, algorithm, issuer, validity, subject, public_key, extensions))
        });
        let (version, serial, algorithm, issuer, validity, subject, public_key, extensions) =
            fields.map_err(malformed)?;
        // RFC 5280 4.1.2.1: version 3 wherever there are extensions, and a CA's certificate has them.
        if version.is_some_and(|version| version != [tlv::INTEGER, 1, 2]) {
            return Err(CertificateError::Version);
        }
        // RFC 5280 4.1.1.2: the two algorithm fields are the same.
        if algorithm != outer_algorithm {
            return Err(CertificateError::AlgorithmsDiffer);
        }
        let extensions = match extensions {
            None => Vec::new(),
            Some(list) => {
                let list = tlv::read_all(list, |reader| tlv::content_of(reader, Tag::Sequence))
                    .map_err(malformed)?;
                extension::read_all(list).map_err(malformed)?
            }
        };
        let start = tbs.as_ptr() as usize - der.as_ptr() as usize;
        Ok(Self {
            der: der.to_vec(),
            tbs: start..start + tbs.len(),
            serial: SerialNumber::from_be_bytes(serial).map_err(CertificateError::Serial)?,
            signature_algorithm: SignatureAlgorithm::from_der(algorithm),
            signature: signature.to_vec(),
            issuer: DistinguishedName::from_der(issuer).map_err(|_| CertificateError::Malformed)?,
            validity,
            subject: DistinguishedName::from_der(subject).map_err(|_| CertificateError::Malformed)?,
            public_key: PublicKey::from_spki_der(public_key).map_err(CertificateError::PublicKey)?,
            extensions,
        })
    }

    /// Reads a PEM text that holds exactly one certificate.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] as for DER, or when the text has no certificate or more than one block.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        match pem::parse(text).map_err(CertificateError::Pem)?.as_slice() {
            [block] if block.label == pem::CERTIFICATE => Self::from_der(&block.der),
            [block] => Err(CertificateError::Label { label: block.label.clone() }),
            blocks => Err(CertificateError::Blocks { count: blocks.len() }),
        }
    }

    /// The whole certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, &self.der)
    }

    /// The DER of what was signed.
    pub fn tbs_der(&self) -> &[u8] {
        self.der.get(self.tbs.clone()).unwrap_or_default()
    }

    /// RFC 5280 4.1.2.2.
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// RFC 5280 4.1.1.2; `None` for an algorithm that is not known here.
    pub const fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.signature_algorithm
    }

    /// RFC 5280 4.1.1.3: the octets of the BIT STRING.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// RFC 5280 4.1.2.4.
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// RFC 5280 4.1.2.5.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// RFC 5280 4.1.2.6.
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// RFC 5280 4.1.2.7.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// RFC 5280 4.1.2.9.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The authority that this certificate's subject and key are.
    pub fn authority(&self) -> AuthorityId {
        AuthorityId::new(self.subject.der(), self.public_key.spki_der())
    }

    pub(crate) fn extension(&self, id: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.id == Oid(id))
    }

    fn value_of(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        self.extension(id).map(|extension| extension.value.as_slice())
    }

    /// RFC 5280 4.2.1.9; without basic constraints, an end entity.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if the extension is not DER.
    pub fn place(&self) -> Result<Place, CertificateError> {
        let Some(value) = self.value_of(oid::BASIC_CONSTRAINTS) else {
            return Ok(Place::EndEntity);
        };
        Ok(match extension::read_basic_constraints(value).map_err(malformed)? {
            BasicConstraints::Authority(length) => Place::Authority(length),
            BasicConstraints::EndEntity => Place::EndEntity,
        })
    }

    /// RFC 5280 4.2.1.3; `None` if there is no such extension, which restricts nothing.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if the extension is not DER.
    pub fn key_usages(&self) -> Result<Option<KeyUsages>, CertificateError> {
        self.value_of(oid::KEY_USAGE).map(extension::read_key_usages).transpose().map_err(malformed)
    }

    /// RFC 5280 4.2.1.12; `None` if there is no such extension, which restricts nothing.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if the extension is not DER.
    pub fn extended_key_usages(&self) -> Result<Option<Vec<ExtendedKeyUsage>>, CertificateError> {
        self.value_of(oid::EXTENDED_KEY_USAGE)
            .map(extension::read_extended_key_usages)
            .transpose()
            .map_err(malformed)
    }

    /// RFC 5280 4.2.1.4; empty if there is no such extension.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if it is not DER.
    pub fn policies(&self) -> Result<Vec<PolicyInformation>, CertificateError> {
        let policies = self.value_of(oid::CERTIFICATE_POLICIES).map(extension::read_certificate_policies);
        Ok(policies.transpose().map_err(malformed)?.unwrap_or_default())
    }

    /// RFC 5280 4.2.1.6; empty if there is no such extension.
    ///
    /// # Errors
    ///
    /// [`CertificateError::AlternativeName`] for a name that cannot be read.
    pub fn alternative_names(&self) -> Result<Vec<GeneralName>, CertificateError> {
        let Some(value) = self.value_of(oid::SUBJECT_ALTERNATIVE_NAME) else {
            return Ok(Vec::new());
        };
        let content =
            tlv::read_all(value, |reader| tlv::content_of(reader, Tag::Sequence)).map_err(malformed)?;
        GeneralName::read_all(content).map_err(CertificateError::AlternativeName)
    }

    /// RFC 5280 4.2.1.10; `None` if there is no such extension, which restricts nothing.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if the extension is not DER, or names no subtree.
    pub fn name_constraints(&self) -> Result<Option<NameConstraints>, CertificateError> {
        let value = self.value_of(oid::NAME_CONSTRAINTS);
        value.map(NameConstraints::read).transpose().map_err(|_| CertificateError::Malformed)
    }

    /// RFC 5280 4.2.1.2.
    pub fn subject_key_identifier(&self) -> Option<KeyIdentifier> {
        let value =
            extension::read_subject_key_identifier(self.value_of(oid::SUBJECT_KEY_IDENTIFIER)?).ok()?;
        Some(KeyIdentifier::from_bytes(value))
    }

    /// RFC 5280 4.2.1.1: the key identifier in it.
    pub fn authority_key_identifier(&self) -> Option<KeyIdentifier> {
        let value = self.value_of(oid::AUTHORITY_KEY_IDENTIFIER)?;
        Some(KeyIdentifier::from_bytes(extension::read_authority_key_identifier(value).ok()??))
    }

    /// RFC 5280 4.2.1.13: the URLs.
    pub fn crl_distribution_points(&self) -> Vec<Uri> {
        let points = self.value_of(oid::CRL_DISTRIBUTION_POINTS);
        points.and_then(|value| extension::read_distribution_points(value).ok()).unwrap_or_default()
    }

    /// RFC 5280 4.2.2.1: the URLs of OCSP responders.
    pub fn ocsp_servers(&self) -> Vec<Uri> {
        self.access(oid::OCSP)
    }

    /// RFC 5280 4.2.2.1: the URLs of the issuer's certificate.
    pub fn issuing_certificates(&self) -> Vec<Uri> {
        self.access(oid::CA_ISSUERS)
    }

    fn access(&self, method: ObjectIdentifier) -> Vec<Uri> {
        let access = self.value_of(oid::AUTHORITY_INFORMATION_ACCESS);
        access.and_then(|value| extension::read_access(value, method).ok()).unwrap_or_default()
    }

    /// Whether issuer and subject are the same name (RFC 5280 6.1: self-issued).
    pub fn is_self_issued(&self) -> bool {
        self.issuer.matches(&self.subject)
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
        verifier.verify(key, algorithm, self.tbs_der(), &self.signature)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial)
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Octets that are no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The algorithm inside what is signed differs from the one beside the signature (RFC 5280 4.1.1.2).
    AlgorithmsDiffer,
    /// A subject alternative name that cannot be read.
    AlternativeName(GeneralNameError),
    /// A PEM text with more than one block.
    Blocks {
        /// How many blocks there are.
        count: usize,
    },
    /// A PEM block of another kind.
    Label {
        /// Its label.
        label: String,
    },
    /// Not the DER of a certificate, cut off, or followed by something else.
    Malformed,
    /// A PEM text that cannot be read.
    Pem(PemError),
    /// A public key that cannot be read.
    PublicKey(PublicKeyError),
    /// A serial number that is none.
    Serial(SerialNumberError),
    /// Neither version 1 without extensions nor version 3.
    Version,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmsDiffer => f.write_str(
                "the certificate names two different signature algorithms (RFC 5280 4.1.1.2 wants one)",
            ),
            Self::AlternativeName(error) => write!(f, "the certificate's alternative name is wrong: {error}"),
            Self::Blocks { count } => {
                write!(f, "the text has {count} PEM blocks where one certificate is wanted")
            }
            Self::Label { label } => write!(f, "the PEM block is a {label}, where a CERTIFICATE is wanted"),
            Self::Malformed => {
                f.write_str("this is not the DER of a certificate (RFC 5280 4.1), or it is cut off")
            }
            Self::Pem(error) => error.fmt(f),
            Self::PublicKey(error) => write!(f, "the certificate's public key cannot be used: {error}"),
            Self::Serial(error) => error.fmt(f),
            Self::Version => f.write_str("the certificate is not of version 3 (RFC 5280 4.1.2.1)"),
        }
    }
}

impl core::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::AlternativeName(error) => Some(error),
            Self::Pem(error) => Some(error),
            Self::PublicKey(error) => Some(error),
            Self::Serial(error) => Some(error),
            _ => None,
        }
    }
}

/// What the DER reader says is for us, not for our callers: its error type stays inside.
const fn malformed(_: der::Error) -> CertificateError {
    CertificateError::Malformed
}

/// Reads every certificate of a PEM text, in order; other blocks are an error.
///
/// # Errors
///
/// [`CertificateError`] for the first block that is no certificate, or a text without any.
pub fn certificates_from_pem(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    let blocks = pem::parse(text).map_err(CertificateError::Pem)?;
    blocks
        .iter()
        .map(|block| match block.label.as_str() {
            pem::CERTIFICATE => Certificate::from_der(&block.der),
            label => Err(CertificateError::Label { label: label.into() }),
        })
        .collect()
}

/// The raw parts of a signed object (certificate, CSR, CRL): what was signed, the algorithm, the signature.
pub(crate) fn read_signed(der: &[u8]) -> der::Result<(&[u8], &[u8], &[u8])> {
    tlv::read_sequence(der, |reader: &mut SliceReader<'_>| {
        let tbs = reader.tlv_bytes()?;
        let algorithm = reader.tlv_bytes()?;
        let signature = der::asn1::BitStringRef::decode(reader)?;
        Ok((tbs, algorithm, signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?))
    })
}
