//! Which keys there are, and which signatures they make.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use der::{Tag, TagNumber};

use super::element::Elements;
use super::ml_dsa::ParameterSet;

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA (RFC 8017).
    Rsa,
    /// A curve of NIST: P-256, P-384 or P-521 (RFC 5480).
    Ec,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// ML-DSA (FIPS 204, RFC 9881), which withstands quantum computers.
    MlDsa,
}

impl KeyType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rsa, Self::Ec, Self::Ed25519, Self::MlDsa];

    /// "rsa", "ec", "ed25519" or "ml-dsa".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ec => "ec",
            Self::Ed25519 => "ed25519",
            Self::MlDsa => "ml-dsa",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = UnsupportedKey;

    fn from_str(text: &str) -> Result<Self, UnsupportedKey> {
        Self::ALL
            .into_iter()
            .find(|key_type| key_type.as_str() == text)
            .ok_or_else(|| UnsupportedKey::KeyType { asked: text.to_string() })
    }
}

/// A key that we generate: its kind and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// The curve P-256 (secp256r1).
    EcP256,
    /// The curve P-384 (secp384r1).
    EcP384,
    /// The curve P-521 (secp521r1).
    EcP521,
    /// Ed25519.
    Ed25519,
    /// ML-DSA-44, about as strong as AES-128.
    MlDsa44,
    /// ML-DSA-65, about as strong as AES-192.
    MlDsa65,
    /// ML-DSA-87, about as strong as AES-256.
    MlDsa87,
}

impl KeyAlgorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EcP256,
        Self::EcP384,
        Self::EcP521,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The algorithm of this kind and size; 0 bits is the default: RSA 2048, EC P-256, ML-DSA-65.
    ///
    /// # Errors
    ///
    /// [`UnsupportedKey`] naming the sizes of this kind.
    pub fn new(key_type: KeyType, bits: u32) -> Result<Self, UnsupportedKey> {
        Ok(match (key_type, bits) {
            (KeyType::Rsa, 0 | 2048) => Self::Rsa2048,
            (KeyType::Rsa, 3072) => Self::Rsa3072,
            (KeyType::Rsa, 4096) => Self::Rsa4096,
            (KeyType::Ec, 0 | 256) => Self::EcP256,
            (KeyType::Ec, 384) => Self::EcP384,
            (KeyType::Ec, 521) => Self::EcP521,
            (KeyType::Ed25519, 0 | 256) => Self::Ed25519,
            (KeyType::MlDsa, 44) => Self::MlDsa44,
            (KeyType::MlDsa, 0 | 65) => Self::MlDsa65,
            (KeyType::MlDsa, 87) => Self::MlDsa87,
            _ => {
                return Err(UnsupportedKey::Bits { key_type, asked: bits });
            }
        })
    }

    /// The kind of the key.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => KeyType::Rsa,
            Self::EcP256 | Self::EcP384 | Self::EcP521 => KeyType::Ec,
            Self::Ed25519 => KeyType::Ed25519,
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => KeyType::MlDsa,
        }
    }

    /// Its size: bits of the modulus or of the curve's field; 256 for Ed25519; the number of the parameter set for
    /// ML-DSA.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
            Self::EcP256 | Self::Ed25519 => 256,
            Self::EcP384 => 384,
            Self::EcP521 => 521,
            Self::MlDsa44 => 44,
            Self::MlDsa65 => 65,
            Self::MlDsa87 => 87,
        }
    }

    /// What such a key signs with, the natural choice first.
    pub const fn signature_algorithms(self) -> &'static [SignatureAlgorithm] {
        use SignatureAlgorithm as S;
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => S::RSA,
            Self::EcP256 => &[S::EcdsaSha256, S::EcdsaSha384, S::EcdsaSha512],
            Self::EcP384 => &[S::EcdsaSha384, S::EcdsaSha256, S::EcdsaSha512],
            Self::EcP521 => &[S::EcdsaSha512, S::EcdsaSha256, S::EcdsaSha384],
            Self::Ed25519 => &[S::Ed25519],
            Self::MlDsa44 => &[S::MlDsa44],
            Self::MlDsa65 => &[S::MlDsa65],
            Self::MlDsa87 => &[S::MlDsa87],
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
            Self::EcP256 => "EC P-256",
            Self::EcP384 => "EC P-384",
            Self::EcP521 => "EC P-521",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        })
    }
}

/// A kind or size of key that we do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsupportedKey {
    /// This kind of key is not made in this size.
    Bits {
        /// The kind.
        key_type: KeyType,
        /// The size that was asked for.
        asked: u32,
    },
    /// There is no such kind of key.
    KeyType {
        /// What was asked for.
        asked: String,
    },
}

impl fmt::Display for UnsupportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits { key_type, asked } => {
                let accepted = match key_type {
                    KeyType::Rsa => "2048, 3072 or 4096 bits",
                    KeyType::Ec => "256, 384 or 521 bits (P-256, P-384, P-521)",
                    KeyType::Ed25519 => "256 bits, and 0 for this default",
                    KeyType::MlDsa => "44, 65 or 87 (the parameter sets of FIPS 204)",
                };
                write!(f, "a key of type {key_type} does not have {asked} bits here; accepted: {accepted}")
            }
            Self::KeyType { asked } => {
                write!(f, "{asked:?} is no key type; accepted: rsa, ec, ed25519, ml-dsa")
            }
        }
    }
}

impl core::error::Error for UnsupportedKey {}

/// A curve of NIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(crate) const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// The complete OBJECT IDENTIFIER (RFC 5480 2.1.1.1).
    pub(crate) const fn oid_der(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
            Self::P384 => b"\x06\x05\x2b\x81\x04\x00\x22",
            Self::P521 => b"\x06\x05\x2b\x81\x04\x00\x23",
        }
    }

    /// The curve of this OBJECT IDENTIFIER's content.
    pub(crate) fn from_oid(content: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid_der().get(2..) == Some(content))
    }

    /// Octets of a coordinate, and of a private key (SEC 1 2.3.5, RFC 5915 3).
    pub(crate) const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(crate) const fn key_algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P256 => KeyAlgorithm::EcP256,
            Self::P384 => KeyAlgorithm::EcP384,
            Self::P521 => KeyAlgorithm::EcP521,
        }
    }
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 4055 5).
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 4055 5).
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 4055 5).
    RsaPkcs1Sha512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and 32 octets of salt (RFC 4055 3.1).
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, and 48 octets of salt (RFC 4055 3.1).
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, and 64 octets of salt (RFC 4055 3.1).
    RsaPssSha512,
    /// ECDSA with SHA-256 (RFC 5758 3.2).
    EcdsaSha256,
    /// ECDSA with SHA-384 (RFC 5758 3.2).
    EcdsaSha384,
    /// ECDSA with SHA-512 (RFC 5758 3.2).
    EcdsaSha512,
    /// Ed25519 (RFC 8410 3).
    Ed25519,
    /// ML-DSA-44, over the message itself (RFC 9881 2).
    MlDsa44,
    /// ML-DSA-65, over the message itself (RFC 9881 2).
    MlDsa65,
    /// ML-DSA-87, over the message itself (RFC 9881 2).
    MlDsa87,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// What an RSA key of any size signs with.
    pub(crate) const RSA: &'static [Self] = &[
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
    ];

    /// The complete AlgorithmIdentifier, as it stands in what is signed and beside the signature.
    pub const fn der(self) -> &'static [u8] {
        match self {
            // RFC 4055 5: the parameters are NULL.
            Self::RsaPkcs1Sha256 => b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00",
            Self::RsaPkcs1Sha384 => b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00",
            Self::RsaPkcs1Sha512 => b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00",
            // RFC 4055 3.1: hash, mask generation and salt length differ from their defaults, so all stand here;
            // the trailer field is its default and is left out.
            Self::RsaPssSha256 => {
                b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
                \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
                \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
                \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
                \xa2\x03\x02\x01\x20"
            }
            Self::RsaPssSha384 => {
                b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
                \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
                \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
                \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
                \xa2\x03\x02\x01\x30"
            }
            Self::RsaPssSha512 => {
                b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
                \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\
                \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
                \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\
                \xa2\x03\x02\x01\x40"
            }
            // RFC 5758 3.2 and RFC 8410 3: the parameters are absent.
            Self::EcdsaSha256 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
            Self::EcdsaSha384 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
            Self::EcdsaSha512 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04",
            Self::Ed25519 => b"\x30\x05\x06\x03\x2b\x65\x70",
            // RFC 9881 2: one identifier for key and signature, the parameters absent.
            Self::MlDsa44 => ParameterSet::MlDsa44.algorithm_der(),
            Self::MlDsa65 => ParameterSet::MlDsa65.algorithm_der(),
            Self::MlDsa87 => ParameterSet::MlDsa87.algorithm_der(),
        }
    }

    /// The algorithm of this complete AlgorithmIdentifier, if it is one of ours.
    ///
    /// RFC 4055 2.1 and 5 want NULL parameters accepted and absent ones too: for hashes inside PSS parameters and
    /// for PKCS#1 signatures. PSS counts only with one hash for both uses and a salt of its length.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        if let Some(found) = Self::ALL.into_iter().find(|algorithm| algorithm.der() == der) {
            return Some(found);
        }
        let mut elements = Elements::of_sequence(der)?;
        let oid = elements.next(Tag::ObjectIdentifier)?;
        if oid == PSS_OID {
            let parameters = elements.next(Tag::Sequence)?;
            elements.finish()?;
            return Self::from_pss(Elements::new(parameters)?);
        }
        // What is left is a PKCS#1 signature without its NULL.
        elements.finish()?;
        [Self::RsaPkcs1Sha256, Self::RsaPkcs1Sha384, Self::RsaPkcs1Sha512]
            .into_iter()
            .find(|algorithm| algorithm.der().get(4..13) == Some(oid))
    }

    /// RFC 4055 3.1: none of the first three parameters is its default in what we accept, so none is absent; the
    /// trailer field has one value, the default, which DER leaves out.
    fn from_pss(mut parameters: Elements<'_>) -> Option<Self> {
        let hash = hash_oid(Elements::new(parameters.next(context(0))?)?)?;
        let mut mask = Elements::of_sequence(parameters.next(context(1))?)?;
        let mask_is_mgf1 = mask.next(Tag::ObjectIdentifier)? == MGF1_OID;
        let mask_hash = hash_oid(mask)?;
        let mut salt = Elements::new(parameters.next(context(2))?)?;
        let salt_length = salt.next(Tag::Integer)?;
        salt.finish()?;
        parameters.finish()?;
        [Self::RsaPssSha256, Self::RsaPssSha384, Self::RsaPssSha512]
            .into_iter()
            .zip([SHA256_OID, SHA384_OID, SHA512_OID])
            .find(|(algorithm, oid)| {
                let fits = |octet: &u8| algorithm.digest_length() == Some(usize::from(*octet));
                mask_is_mgf1
                    && hash == *oid
                    && mask_hash == *oid
                    && matches!(salt_length, [octet] if fits(octet))
            })
            .map(|(algorithm, _)| algorithm)
    }

    /// The kind of key that makes such signatures.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha256
            | Self::RsaPssSha384
            | Self::RsaPssSha512 => KeyType::Rsa,
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 => KeyType::Ec,
            Self::Ed25519 => KeyType::Ed25519,
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => KeyType::MlDsa,
        }
    }

    /// The length in octets of the digest that is signed; none for Ed25519 and ML-DSA, which sign the message itself.
    pub const fn digest_length(self) -> Option<usize> {
        match self {
            Self::RsaPkcs1Sha256 | Self::RsaPssSha256 | Self::EcdsaSha256 => Some(32),
            Self::RsaPkcs1Sha384 | Self::RsaPssSha384 | Self::EcdsaSha384 => Some(48),
            Self::RsaPkcs1Sha512 | Self::RsaPssSha512 | Self::EcdsaSha512 => Some(64),
            Self::Ed25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => None,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 with SHA-256",
            Self::RsaPkcs1Sha384 => "RSA PKCS#1 with SHA-384",
            Self::RsaPkcs1Sha512 => "RSA PKCS#1 with SHA-512",
            Self::RsaPssSha256 => "RSA-PSS with SHA-256",
            Self::RsaPssSha384 => "RSA-PSS with SHA-384",
            Self::RsaPssSha512 => "RSA-PSS with SHA-512",
            Self::EcdsaSha256 => "ECDSA with SHA-256",
            Self::EcdsaSha384 => "ECDSA with SHA-384",
            Self::EcdsaSha512 => "ECDSA with SHA-512",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        })
    }
}

/// The hash of the one AlgorithmIdentifier in `outer`; its parameters are NULL or absent (RFC 4055 2.1).
fn hash_oid(mut outer: Elements<'_>) -> Option<&[u8]> {
    let mut algorithm = Elements::new(outer.next(Tag::Sequence)?)?;
    outer.finish()?;
    let oid = algorithm.next(Tag::ObjectIdentifier)?;
    if !algorithm.is_empty() {
        algorithm.next(Tag::Null)?;
    }
    algorithm.finish()?;
    Some(oid)
}

fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// id-mgf1 and the hashes (RFC 4055 2.1, 2.2).
const MGF1_OID: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";
const SHA256_OID: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
const SHA384_OID: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x02";
const SHA512_OID: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x03";
/// id-RSASSA-PSS (RFC 4055 3.1).
const PSS_OID: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn each_algorithm_reads_its_own_der() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_der(algorithm.der()), Some(algorithm));
            assert!(Elements::of_sequence(algorithm.der()).is_some(), "{algorithm}");
        }
    }

    #[test]
    fn absent_rsa_parameters_are_accepted_and_others_are_not() {
        let absent = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
        assert_eq!(SignatureAlgorithm::from_der(absent), Some(SignatureAlgorithm::RsaPkcs1Sha256));
        // PSS without the NULLs of its two hashes.
        let pss: Vec<u8> = b"\x30\x3d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x30\
            \xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\
            \xa1\x1a\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
            \x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\xa2\x03\x02\x01\x20"
            .to_vec();
        assert_eq!(SignatureAlgorithm::from_der(&pss), Some(SignatureAlgorithm::RsaPssSha256));
        let mut other_salt = pss.clone();
        *other_salt.last_mut().unwrap() = 20;
        let mut other_mask_hash = pss.clone();
        other_mask_hash[57] = 2;
        for (name, der) in [
            ("salt of 20 octets", &other_salt[..]),
            ("another hash for the mask", &other_mask_hash),
            ("ECDSA with NULL", b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00"),
            ("Ed25519 with NULL", b"\x30\x07\x06\x03\x2b\x65\x70\x05\x00"),
            ("SHA-1 with RSA", b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"),
            ("PSS without parameters (SHA-1)", b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"),
            (
                "PSS with default parameters (SHA-1)",
                b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00",
            ),
            ("something after it", b"\x30\x05\x06\x03\x2b\x65\x70\x00"),
            ("nothing", b""),
        ] {
            assert_eq!(SignatureAlgorithm::from_der(der), None, "{name}");
        }
    }

    #[test]
    fn sizes_we_do_not_have_are_refused_by_name() {
        for (key_type, bits) in [
            (KeyType::Rsa, 1024),
            (KeyType::Rsa, 2047),
            (KeyType::Rsa, 8192),
            (KeyType::Ec, 224),
            (KeyType::Ec, 512),
            (KeyType::Ed25519, 448),
        ] {
            let error = KeyAlgorithm::new(key_type, bits).unwrap_err();
            assert_eq!(error, UnsupportedKey::Bits { key_type, asked: bits });
            assert!(error.to_string().contains("accepted: "), "{error}");
        }
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(KeyAlgorithm::new(algorithm.key_type(), algorithm.bits()), Ok(algorithm));
            let fits = |s: &SignatureAlgorithm| s.key_type() == algorithm.key_type();
            assert!(algorithm.signature_algorithms().iter().all(fits));
        }
        assert_eq!("ec".parse(), Ok(KeyType::Ec));
        assert!("EC".parse::<KeyType>().is_err());
    }

    proptest! {
        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = SignatureAlgorithm::from_der(&octets);
        }
    }
}
