//! CertID: which certificate is meant (RFC 6960 4.1.1).

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::issuer::IssuerCertificate;
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;
use crate::serial::SerialNumber;
use crate::tlv::{self, Tlv};

/// The hash of a CertID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertIdHash {
    /// What nearly everybody sends (RFC 5019 2.1.1 wanted nothing else). It names, it protects nothing.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl CertIdHash {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
            Self::Sha384 => Sha384::digest(octets).to_vec(),
            Self::Sha512 => Sha512::digest(octets).to_vec(),
        }
    }
}

/// Which certificate is meant: hashes of its issuer's name and key, and its serial number. Kept as it came, since a response
/// repeats it octet by octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    der: Vec<u8>,
    hash: Option<CertIdHash>,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Option<SerialNumber>,
}

impl CertId {
    /// The certificate of this serial number below this issuer.
    pub fn new(hash: CertIdHash, issuer: &IssuerCertificate, serial: SerialNumber) -> Self {
        let (name_hash, key_hash) = hashes(hash, issuer.subject(), issuer.certificate().public_key());
        let mut der = Tlv::with_capacity(128);
        der.nest(tlv::SEQUENCE, |id| {
            id.nest(tlv::SEQUENCE, |algorithm| {
                // RFC 8017 B.1: the parameters of these hashes are NULL.
                algorithm.oid(hash.oid()).raw(&[0x05, 0x00]);
            });
            id.value(tlv::OCTET_STRING, &name_hash)
                .value(tlv::OCTET_STRING, &key_hash)
                .value(tlv::INTEGER, serial.der_content());
        });
        Self { der: der.into_vec(), hash: Some(hash), name_hash, key_hash, serial: Some(serial) }
    }

    /// Whether the certificate is one of this issuer's authority.
    pub fn names(&self, issuer: &IssuerCertificate) -> bool {
        self.matches(issuer.subject(), issuer.certificate().public_key())
    }

    /// Whether the certificate is one of the authority of this name and key: both hashed as the CertID says, the key's bits
    /// alone. A subject key identifier has no part in it.
    pub fn matches(&self, name: &DistinguishedName, key: &PublicKey) -> bool {
        self.hash.is_some_and(|hash| {
            let (name_hash, key_hash) = hashes(hash, name, key);
            name_hash == self.name_hash && key_hash == self.key_hash
        })
    }

    /// The serial number; `None` for a number that no certificate of ours has (RFC 5280 4.1.2.2).
    pub const fn serial(&self) -> Option<SerialNumber> {
        self.serial
    }

    /// The hash; `None` for one that is not known here.
    pub const fn hash(&self) -> Option<CertIdHash> {
        self.hash
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        let der = reader.tlv_bytes()?;
        tlv::read_sequence(der, |fields| {
            let algorithm = tlv::content_of(fields, Tag::Sequence)?;
            let name_hash = tlv::content_of(fields, Tag::OctetString)?.to_vec();
            let key_hash = tlv::content_of(fields, Tag::OctetString)?.to_vec();
            let serial = tlv::content_of(fields, Tag::Integer)?;
            // X.690 8.3.1: at least one octet.
            if serial.is_empty() {
                return Err(Tag::Integer.value_error().into());
            }
            Ok(Self {
                der: der.to_vec(),
                hash: read_hash(algorithm)?,
                name_hash,
                key_hash,
                serial: SerialNumber::from_be_bytes(serial).ok().filter(|read| read.der_content() == serial),
            })
        })
    }
}

fn hashes(hash: CertIdHash, name: &DistinguishedName, key: &PublicKey) -> (Vec<u8>, Vec<u8>) {
    (hash.digest(name.der()), hash.digest(key.key_octets()))
}

/// The hash of an AlgorithmIdentifier's content; its parameters are NULL or absent.
fn read_hash(algorithm: &[u8]) -> der::Result<Option<CertIdHash>> {
    tlv::read_all(algorithm, |fields| {
        let id = ObjectIdentifier::decode(fields)?;
        let hash = CertIdHash::ALL.into_iter().find(|hash| hash.oid() == id);
        if !fields.is_finished() {
            let (tag, _) = tlv::any_of(fields)?;
            if hash.is_some() {
                tag.assert_eq(Tag::Null)?;
            }
        }
        Ok(hash)
    })
}
