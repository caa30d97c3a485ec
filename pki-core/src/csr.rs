//! Certification requests (RFC 2986): read with possession proved, and made.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

use crate::certificate::read_signed;
use crate::extension::{self, Criticality, Extension};
use crate::key::{
    PublicKey, PublicKeyError, SignError, SignatureAlgorithm, SigningInput, SigningKey, VerifyError,
    VerifySignature,
};
use crate::name::{AttributeType, DistinguishedName, GeneralName, GeneralNameError};
use crate::oid::{self, Oid};
use crate::pem::{self, PemError};
use crate::random::SecureRandom;
use crate::tbs;
use crate::tlv::{self, Tlv};

/// A certification request whose signature was verified with its own key: a value of this type proves possession.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificationRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    alternative_names: Vec<GeneralName>,
}

impl CertificationRequest {
    /// The largest request that is read. ML-DSA-87 with many names stays below; 1 MiB is an attack or a mistake.
    pub const MAX_OCTETS: usize = 128 * 1024;

    /// Reads a request in DER and proves possession of its key.
    ///
    /// # Errors
    ///
    /// [`CsrError`] if it is too large, not DER, followed by something else, of another version, has a key or a name
    /// that cannot be used, or a signature that is not its own key's.
    pub fn from_der(der: &[u8], verifier: &dyn VerifySignature) -> Result<Self, CsrError> {
        if der.len() > Self::MAX_OCTETS {
            return Err(CsrError::TooLarge { octets: der.len() });
        }
        let (content, algorithm, signature) = read_signed(der).map_err(malformed)?;
        let (version, subject, public_key, attributes) = tlv::read_sequence(content, |reader| {
            let version = tlv::content_of(reader, Tag::Integer)?;
            let subject = reader.tlv_bytes()?;
            let public_key = reader.tlv_bytes()?;
            Ok((version, subject, public_key, tlv::optional_context(reader, 0, true)?))
        })
        .map_err(malformed)?;
        // RFC 2986 4.1: version 1 is written as 0.
        if version != [0] {
            return Err(CsrError::Version);
        }
        let public_key = PublicKey::from_spki_der(public_key).map_err(CsrError::PublicKey)?;
        // RFC 2986 3: the requester's signature, which proves possession of the private key.
        let algorithm = SignatureAlgorithm::from_der(algorithm)
            .ok_or(CsrError::Signature(VerifyError::UnsupportedAlgorithm))?;
        verifier.verify(&public_key, algorithm, content, signature).map_err(CsrError::Signature)?;

        let extensions = read_extension_request(attributes.unwrap_or_default())?;
        let alternative_names = match extensions.iter().find(|e| e.id == Oid(oid::SUBJECT_ALTERNATIVE_NAME)) {
            None => Vec::new(),
            Some(extension) => {
                let names = tlv::read_all(&extension.value, |reader| tlv::content_of(reader, Tag::Sequence))
                    .map_err(malformed)?;
                GeneralName::read_all(names).map_err(CsrError::AlternativeName)?
            }
        };
        Ok(Self {
            der: der.to_owned(),
            subject: DistinguishedName::from_der(subject).map_err(|_| CsrError::Malformed)?,
            public_key,
            extensions,
            alternative_names,
        })
    }

    /// Reads a request in PEM; the text must hold one block.
    ///
    /// # Errors
    ///
    /// [`CsrError`] as for DER, or when the text has no request or more than one block.
    pub fn from_pem(text: &str, verifier: &dyn VerifySignature) -> Result<Self, CsrError> {
        // PEM is a third larger than DER.
        if text.len() > Self::MAX_OCTETS * 2 {
            return Err(CsrError::TooLarge { octets: text.len() });
        }
        match pem::parse(text).map_err(CsrError::Pem)?.as_slice() {
            [block]
                if matches!(
                    block.label.as_str(),
                    pem::CERTIFICATE_REQUEST | pem::NEW_CERTIFICATE_REQUEST
                ) =>
            {
                Self::from_der(&block.der, verifier)
            }
            [block] => Err(CsrError::Label { label: block.label.clone() }),
            blocks => Err(CsrError::Blocks { count: blocks.len() }),
        }
    }

    /// Makes a request for `subject` and `alternative_names`, signed with the key it asks for, and returns its DER.
    ///
    /// # Errors
    ///
    /// [`SignError`] from the key.
    pub fn create(
        subject: &DistinguishedName,
        alternative_names: &[GeneralName],
        key: &dyn SigningKey,
        rng: &mut dyn SecureRandom,
    ) -> Result<Vec<u8>, SignError> {
        let algorithm = *key
            .algorithms()
            .first()
            .ok_or_else(|| SignError::refused("the key offers no signature algorithm"))?;
        Self::create_with(algorithm, subject, alternative_names, key, rng)
    }

    /// The same, signed with one of the key's algorithms.
    ///
    /// # Errors
    ///
    /// [`SignError`] from the key.
    pub fn create_with(
        algorithm: SignatureAlgorithm,
        subject: &DistinguishedName,
        alternative_names: &[GeneralName],
        key: &dyn SigningKey,
        rng: &mut dyn SecureRandom,
    ) -> Result<Vec<u8>, SignError> {
        let mut content = Tlv::with_capacity(512);
        content.nest(tlv::SEQUENCE, |request| {
            request.unsigned(tlv::INTEGER, &[0]).raw(subject.der()).raw(key.public_key().spki_der());
            // RFC 2986 4.1: the attributes are there even when there are none.
            request.nest(tlv::context_constructed(0), |attributes| {
                if alternative_names.is_empty() {
                    return;
                }
                attributes.nest(tlv::SEQUENCE, |attribute| {
                    attribute.oid(oid::EXTENSION_REQUEST).nest(tlv::SET, |values| {
                        values.nest(tlv::SEQUENCE, |extensions| {
                            let critical = if subject.is_empty() {
                                Criticality::Critical
                            } else {
                                Criticality::NonCritical
                            };
                            extension::subject_alternative_name(extensions, alternative_names, critical);
                        });
                    });
                });
            });
        });
        let content = content.into_vec();
        let signature = key.sign(algorithm, SigningInput::Message(&content), rng)?;
        Ok(tbs::signed(&content, algorithm, &signature))
    }

    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE_REQUEST, &self.der)
    }

    /// The key, whose possession is proved.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject that is asked for, byte for byte.
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The common name that is asked for: the most specific one.
    pub fn common_name(&self) -> Option<String> {
        self.subject.common_name()
    }

    /// The subject's serialNumber attributes that are asked for.
    pub fn subject_serial_numbers(&self) -> Vec<String> {
        self.subject.values(AttributeType::SerialNumber)
    }

    /// The subject's user ids that are asked for.
    pub fn user_ids(&self) -> Vec<String> {
        self.subject.values(AttributeType::UserId)
    }

    /// The alternative names that are asked for.
    pub fn alternative_names(&self) -> &[GeneralName] {
        &self.alternative_names
    }

    /// Every extension that is asked for (RFC 2985 5.4.2).
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(crate) fn extension(&self, id: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.id == Oid(id))
    }

    pub(crate) fn into_public_key(self) -> PublicKey {
        self.public_key
    }
}

/// The extensions of the extensionRequest attribute (RFC 2985 5.4.2); no attribute means none.
fn read_extension_request(attributes: &[u8]) -> Result<Vec<Extension>, CsrError> {
    let mut reader = SliceReader::new(attributes).map_err(malformed)?;
    let mut found = None;
    while !reader.is_finished() {
        let mut attribute = SliceReader::new(tlv::content_of(&mut reader, Tag::Sequence).map_err(malformed)?)
            .map_err(malformed)?;
        let kind = ObjectIdentifier::decode(&mut attribute).map_err(malformed)?;
        let values = tlv::content_of(&mut attribute, Tag::Set).map_err(malformed)?;
        attribute.finish().map_err(malformed)?;
        if kind != oid::EXTENSION_REQUEST {
            continue;
        }
        // RFC 2985 5.4.2: single-valued, and one attribute of it.
        let list =
            tlv::read_all(values, |reader| tlv::content_of(reader, Tag::Sequence)).map_err(malformed)?;
        if found.replace(list).is_some() {
            return Err(CsrError::Malformed);
        }
    }
    Ok(found.map(extension::read_all).transpose().map_err(malformed)?.unwrap_or_default())
}

/// A request that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrError {
    /// An alternative name that cannot be read.
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
    /// Not the DER of a request, cut off, or followed by something else.
    Malformed,
    /// A PEM text that cannot be read.
    Pem(PemError),
    /// A public key that cannot be used.
    PublicKey(PublicKeyError),
    /// The signature is not one of the request's own key: possession is not proved.
    Signature(VerifyError),
    /// More octets than any request needs.
    TooLarge {
        /// Its octets.
        octets: usize,
    },
    /// Not version 1.
    Version,
}

impl fmt::Display for CsrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlternativeName(error) => write!(f, "the request asks for a name that cannot be: {error}"),
            Self::Blocks { count } => {
                write!(f, "the text has {count} PEM blocks where one request is wanted")
            }
            Self::Label { label } => {
                write!(f, "the PEM block is a {label}, where a CERTIFICATE REQUEST is wanted")
            }
            Self::Malformed => {
                f.write_str("this is not the DER of a certification request (RFC 2986), or it is cut off")
            }
            Self::Pem(error) => error.fmt(f),
            Self::PublicKey(error) => write!(f, "the request's public key cannot be used: {error}"),
            Self::Signature(error) => {
                write!(
                    f,
                    "the request's signature does not prove possession of its key (RFC 2986 3): {error}"
                )
            }
            Self::TooLarge { octets } => write!(
                f,
                "the request has {octets} octets, at most {} are read",
                CertificationRequest::MAX_OCTETS
            ),
            Self::Version => f.write_str("the request is not of version 1 (RFC 2986 4.1)"),
        }
    }
}

impl core::error::Error for CsrError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::AlternativeName(error) => Some(error),
            Self::Pem(error) => Some(error),
            Self::PublicKey(error) => Some(error),
            Self::Signature(error) => Some(error),
            _ => None,
        }
    }
}

/// What the DER reader says is for us, not for our callers: its error type stays inside.
const fn malformed(_: der::Error) -> CsrError {
    CsrError::Malformed
}
