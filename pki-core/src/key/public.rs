//! Public keys: SubjectPublicKeyInfo (RFC 5280 4.1.2.7), and the identifiers made from them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use der::Tag;
use sha1::{Digest, Sha1};

use super::algorithm::{Curve, KeyAlgorithm, KeyType, SignatureAlgorithm};
#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
use super::element::element;
use super::element::{self, Elements};
use super::ml_dsa::ParameterSet;
#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
use super::{SignError, SigningInput};

/// A public key that is encoded as the standards want it.
///
/// Whether its numbers make a good key is for policy (sizes) and for the backend that verifies with it (a point
/// on its curve).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    spki: Vec<u8>,
    /// Where the subjectPublicKey octets begin; they are the end of the encoding.
    key_start: usize,
    form: Form,
}

/// What kind of key it is, with what the kinds do not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Rsa { bits: u32 },
    Ec(Curve),
    Ed25519,
    MlDsa(ParameterSet),
}

impl Form {
    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::Ec(_) => KeyType::Ec,
            Self::Ed25519 => KeyType::Ed25519,
            Self::MlDsa(_) => KeyType::MlDsa,
        }
    }
}

impl PublicKey {
    /// Reads a complete SubjectPublicKeyInfo.
    ///
    /// RSA keys of any size are read, so that policy can refuse one with its size.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError`] for an encoding that is not DER, another algorithm or curve, parameters that do not
    /// belong there, an EC point that is compressed or of the wrong length, and RSA numbers that are no key.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let malformed = |what| PublicKeyError::Malformed { what };
        let mut info = Elements::of_sequence(der).ok_or_else(|| malformed("it is not one DER SEQUENCE"))?;
        let mut algorithm = info
            .next(Tag::Sequence)
            .and_then(Elements::new)
            .ok_or_else(|| malformed("its algorithm is not a SEQUENCE"))?;
        let oid = algorithm
            .next(Tag::ObjectIdentifier)
            .ok_or_else(|| malformed("its algorithm has no OBJECT IDENTIFIER"))?;
        // RFC 5280 4.1.2.7: a BIT STRING; of whole octets for each of our algorithms.
        let Some([0, key @ ..]) = info.next(Tag::BitString) else {
            return Err(malformed("its key is not a BIT STRING of whole octets"));
        };
        info.finish().ok_or_else(|| malformed("something follows the key's octets"))?;
        let form = match oid {
            RSA_OID => {
                // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL".
                let parameters = algorithm.next(Tag::Null);
                if parameters.is_none() || !algorithm.is_empty() {
                    return Err(PublicKeyError::Parameters { expected: "NULL (RFC 3279 2.3.1)" });
                }
                Form::Rsa { bits: rsa_bits(key)? }
            }
            EC_OID => {
                // RFC 5480 2.1.1: a named curve; implicitCurve and specifiedCurve must not be used.
                let curve = algorithm.next(Tag::ObjectIdentifier);
                let (Some(curve), true) = (curve, algorithm.is_empty()) else {
                    return Err(PublicKeyError::Parameters { expected: "a named curve (RFC 5480 2.1.1)" });
                };
                let curve = Curve::from_oid(curve)
                    .ok_or_else(|| PublicKeyError::UnsupportedCurve { curve: oid_name(curve) })?;
                check_point(curve, key)?;
                Form::Ec(curve)
            }
            ED25519_OID => {
                // RFC 8410 3: "the parameters MUST be absent".
                if !algorithm.is_empty() {
                    return Err(PublicKeyError::Parameters { expected: "none (RFC 8410 3)" });
                }
                if key.len() != 32 {
                    return Err(malformed("an Ed25519 key has 32 octets (RFC 8032 5.1.5)"));
                }
                Form::Ed25519
            }
            other => {
                let set = ParameterSet::from_oid(other)
                    .ok_or_else(|| PublicKeyError::UnsupportedAlgorithm { algorithm: oid_name(other) })?;
                // RFC 9881 4: "the parameters field MUST be absent".
                if !algorithm.is_empty() {
                    return Err(PublicKeyError::Parameters { expected: "none (RFC 9881 4)" });
                }
                if key.len() != set.public_octets() {
                    return Err(malformed("an ML-DSA key has 1312, 1952 or 2592 octets (FIPS 204 4)"));
                }
                Form::MlDsa(set)
            }
        };
        Ok(Self { spki: der.to_vec(), key_start: der.len() - key.len(), form })
    }

    /// The complete SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of the key.
    pub const fn key_type(&self) -> KeyType {
        self.form.key_type()
    }

    /// Its size: bits of the modulus or of the curve's field; 256 for Ed25519; the number of the parameter set for
    /// ML-DSA.
    pub const fn bits(&self) -> u32 {
        match self.form {
            Form::Rsa { bits } => bits,
            Form::Ec(curve) => curve.key_algorithm().bits(),
            Form::Ed25519 => 256,
            Form::MlDsa(set) => set.key_algorithm().bits(),
        }
    }

    /// The algorithm with which we would generate such a key; none for other sizes of RSA.
    pub fn key_algorithm(&self) -> Option<KeyAlgorithm> {
        KeyAlgorithm::new(self.key_type(), self.bits()).ok()
    }

    /// The identifier of the key: SHA-1 of the subjectPublicKey bits (RFC 5280 4.2.1.2, method 1).
    pub fn key_identifier(&self) -> KeyIdentifier {
        KeyIdentifier(Sha1::digest(self.key_octets()).to_vec())
    }

    /// The octets of the subjectPublicKey BIT STRING: an RSAPublicKey, a point, 32 octets of Ed25519, or an
    /// encoded key of ML-DSA.
    pub fn key_octets(&self) -> &[u8] {
        self.spki.get(self.key_start..).unwrap_or_default()
    }

    /// The most octets that a signature by this key has.
    pub const fn signature_octets(&self) -> usize {
        match self.form {
            Form::Rsa { bits } => bits.div_ceil(8) as usize,
            // Two INTEGERs of at most one octet more than the order, in a SEQUENCE (RFC 3279 2.2.3).
            Form::Ec(curve) => match curve {
                Curve::P256 => 72,
                Curve::P384 => 104,
                Curve::P521 => 139,
            },
            Form::Ed25519 => 64,
            Form::MlDsa(set) => set.signature_octets(),
        }
    }

    /// What such a key signs with, the natural choice first.
    pub const fn signature_algorithms(&self) -> &'static [SignatureAlgorithm] {
        match self.form {
            Form::Rsa { .. } => SignatureAlgorithm::RSA,
            Form::Ec(curve) => curve.key_algorithm().signature_algorithms(),
            Form::Ed25519 => KeyAlgorithm::Ed25519.signature_algorithms(),
            Form::MlDsa(set) => set.key_algorithm().signature_algorithms(),
        }
    }

    /// Whether a key of this kind makes such a signature over such an input at all.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn check_signing(
        &self,
        algorithm: SignatureAlgorithm,
        input: SigningInput<'_>,
    ) -> Result<(), SignError> {
        if !self.signature_algorithms().contains(&algorithm) {
            return Err(SignError::refused(format!(
                "a key of type {} does not sign with {algorithm}, but with one of: {}",
                self.key_type(),
                Listed(self.signature_algorithms())
            )));
        }
        match (input, algorithm.digest_length()) {
            (SigningInput::Message(_), _) => Ok(()),
            (SigningInput::Digest(digest), Some(length)) if digest.len() == length => Ok(()),
            (SigningInput::Digest(digest), Some(length)) => Err(SignError::refused(format!(
                "the digest for {algorithm} has {length} octets, this one has {}",
                digest.len()
            ))),
            (SigningInput::Digest(_), None) => {
                Err(SignError::refused(format!("{algorithm} signs the message itself, not a digest")))
            }
            (SigningInput::MlDsaMu(_), _) if self.key_type() == KeyType::MlDsa => Ok(()),
            (SigningInput::MlDsaMu(_), _) => {
                Err(SignError::refused(format!("only an ML-DSA key signs a mu; {algorithm} signs a message")))
            }
        }
    }

    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// Modulus and public exponent of an RSA key, the highest octet first and not zero.
    pub(crate) fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        if self.key_type() != KeyType::Rsa {
            return None;
        }
        let mut numbers = Elements::of_sequence(self.key_octets())?;
        let modulus = element::positive(numbers.next(Tag::Integer)?)?;
        let exponent = element::positive(numbers.next(Tag::Integer)?)?;
        Some((modulus, exponent))
    }

    /// A key of a backend: an RSAPublicKey in DER.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn from_rsa(public: &[u8]) -> Result<Self, PublicKeyError> {
        rsa_bits(public)?;
        let bit_string = element(element::BIT_STRING, &[&[0], public]);
        Self::from_spki_der(&element(element::SEQUENCE, &[RSA_ALGORITHM, &bit_string]))
    }

    /// A key of a backend: an uncompressed point.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn from_point(curve: Curve, point: &[u8]) -> Result<Self, PublicKeyError> {
        check_point(curve, point)?;
        let algorithm = element(element::SEQUENCE, &[EC_OID_DER, curve.oid_der()]);
        let bit_string = element(element::BIT_STRING, &[&[0], point]);
        let spki = element(element::SEQUENCE, &[&algorithm, &bit_string]).to_vec();
        Ok(Self { key_start: spki.len() - point.len(), spki, form: Form::Ec(curve) })
    }

    /// A key of a backend: 32 octets.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn from_ed25519(public: &[u8]) -> Result<Self, PublicKeyError> {
        let bit_string = element(element::BIT_STRING, &[&[0], public]);
        Self::from_spki_der(&element(element::SEQUENCE, &[ED25519_ALGORITHM, &bit_string]))
    }

    /// A key of a backend: a public key as FIPS 204 encodes it.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn from_ml_dsa(set: ParameterSet, public: &[u8]) -> Result<Self, PublicKeyError> {
        let bit_string = element(element::BIT_STRING, &[&[0], public]);
        Self::from_spki_der(&element(element::SEQUENCE, &[set.algorithm_der(), &bit_string]))
    }
}

/// The kind, the size and the identifier.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {} {})", self.key_type(), self.bits(), self.key_identifier())
    }
}

#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
struct Listed(&'static [SignatureAlgorithm]);

#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, algorithm) in self.0.iter().enumerate() {
            let separator = if position > 0 { ", " } else { "" };
            write!(f, "{separator}{algorithm}")?;
        }
        Ok(())
    }
}

/// RFC 8017 A.1.1: RSAPublicKey, two positive numbers; both odd, or they are no key.
fn rsa_bits(public: &[u8]) -> Result<u32, PublicKeyError> {
    let malformed = || PublicKeyError::Malformed {
        what: "its key is not an RSAPublicKey of two INTEGERs (RFC 8017 A.1.1)",
    };
    let mut numbers = Elements::of_sequence(public).ok_or_else(malformed)?;
    let modulus = numbers.next(Tag::Integer).ok_or_else(malformed)?;
    let exponent = numbers.next(Tag::Integer).ok_or_else(malformed)?;
    numbers.finish().ok_or_else(malformed)?;
    let odd = |number: &&[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let modulus =
        element::positive(modulus).filter(odd).ok_or(PublicKeyError::RsaNumber { number: "modulus" })?;
    element::positive(exponent)
        .filter(odd)
        .filter(|exponent| *exponent != [1])
        .ok_or(PublicKeyError::RsaNumber { number: "public exponent" })?;
    Ok(element::bits(modulus))
}

/// RFC 5480 2.2: a point begins with 04 if it is uncompressed, 02 or 03 if not.
fn check_point(curve: Curve, point: &[u8]) -> Result<(), PublicKeyError> {
    match point {
        [4, coordinates @ ..] if coordinates.len() == 2 * curve.octets() => Ok(()),
        [2 | 3, ..] => Err(PublicKeyError::CompressedPoint),
        _ => Err(PublicKeyError::PointLength { octets: point.len(), expected: 1 + 2 * curve.octets() }),
    }
}

/// The name of an algorithm or curve that people may ask for, or its dotted numbers.
pub(crate) fn oid_name(content: &[u8]) -> String {
    let known: &[(&[u8], &str)] = &[
        (b"\x2a\x86\x48\xce\x38\x04\x01", "DSA"),
        (b"\x2b\x65\x6e", "X25519"),
        (b"\x2b\x65\x6f", "X448"),
        (b"\x2b\x65\x71", "Ed448"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSASSA-PSS"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", "Diffie-Hellman"),
        (b"\x2b\x81\x04\x00\x21", "P-224"),
        (b"\x2b\x81\x04\x00\x0a", "secp256k1"),
        (b"\x2a\x86\x48\xce\x3d\x03\x01\x01", "P-192"),
        (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1"),
        (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1"),
        (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1"),
    ];
    match known.iter().find(|(oid, _)| *oid == content) {
        Some((_, name)) => (*name).to_string(),
        None => const_oid::ObjectIdentifier::from_bytes(content)
            .map_or_else(|_| "unknown".to_string(), |oid| format!("{oid}")),
    }
}

/// A short name of a key (RFC 5280 4.2.1.1, 4.2.1.2).
///
/// Ours have 20 octets; those in other people's certificates may have any length.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentifier(Vec<u8>);

impl KeyIdentifier {
    /// An identifier that stands in a certificate.
    pub fn from_bytes(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// The octets of the identifier.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Lower-case hexadecimal with colons.
impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, octet) in self.0.iter().enumerate() {
            let separator = if position > 0 { ":" } else { "" };
            write!(f, "{separator}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyIdentifier({self})")
    }
}

/// A SubjectPublicKeyInfo that we do not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// An EC point in its compressed form.
    CompressedPoint,
    /// It is not DER, or not a SubjectPublicKeyInfo.
    Malformed {
        /// What is wrong, as a clause.
        what: &'static str,
    },
    /// The algorithm's parameters are not those that belong there.
    Parameters {
        /// What belongs there.
        expected: &'static str,
    },
    /// An EC point that does not fit its curve.
    PointLength {
        /// Its length.
        octets: usize,
        /// The length on this curve.
        expected: usize,
    },
    /// An RSA number that is not positive, not odd, or 1.
    RsaNumber {
        /// Which number.
        number: &'static str,
    },
    /// Another algorithm.
    UnsupportedAlgorithm {
        /// Its name, or its object identifier.
        algorithm: String,
    },
    /// Another curve.
    UnsupportedCurve {
        /// Its name, or its object identifier.
        curve: String,
    },
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CompressedPoint => f.write_str(
                "the EC public key is a compressed point; only uncompressed points are accepted (RFC 5480 2.2)",
            ),
            Self::Malformed { what } => {
                write!(f, "this is not the DER of a public key (RFC 5280 4.1.2.7): {what}")
            }
            Self::Parameters { expected } => {
                write!(f, "the public key's algorithm has other parameters than it may have; accepted: {expected}")
            }
            Self::PointLength { octets, expected } => write!(
                f,
                "the EC public key has {octets} octets; an uncompressed point on its curve has {expected} and begins with 04"
            ),
            Self::RsaNumber { number } => write!(
                f,
                "the {number} of the RSA public key must be a positive odd number greater than 1, in its shortest form"
            ),
            Self::UnsupportedAlgorithm { algorithm } => {
                write!(f, "a public key of algorithm {algorithm} is not supported; accepted: {ACCEPTED}")
            }
            Self::UnsupportedCurve { curve } => {
                write!(f, "the curve {curve} is not supported; accepted: {ACCEPTED}")
            }
        }
    }
}

impl core::error::Error for PublicKeyError {}

/// What to use instead of a key that is not supported.
pub(crate) const ACCEPTED: &str = "RSA (rsaEncryption), EC on P-256, P-384 or P-521, Ed25519, ML-DSA";

/// rsaEncryption (RFC 3279 2.3.1).
pub(crate) const RSA_OID: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// id-ecPublicKey (RFC 5480 2.1.1).
pub(crate) const EC_OID: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// id-Ed25519 (RFC 8410 3).
pub(crate) const ED25519_OID: &[u8] = b"\x2b\x65\x70";

/// The complete AlgorithmIdentifier of an RSA key.
pub(crate) const RSA_ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// id-ecPublicKey with its tag and length.
pub(crate) const EC_OID_DER: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
/// The complete AlgorithmIdentifier of an Ed25519 key.
pub(crate) const ED25519_ALGORITHM: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";

#[cfg(test)]
mod tests {
    use super::super::element::element;
    use super::*;
    use proptest::prelude::*;

    /// A SubjectPublicKeyInfo of these parts, right or wrong.
    fn spki(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
        let algorithm = element(element::SEQUENCE, algorithm);
        let key = element(element::BIT_STRING, &[&[0], key]);
        element(element::SEQUENCE, &[&algorithm, &key]).to_vec()
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let number = |octets: &[u8]| element(0x02, &[octets]);
        let key = element(element::SEQUENCE, &[&number(modulus), &number(exponent)]);
        spki(&[b"\x06\x09", RSA_OID, b"\x05\x00"], &key)
    }

    const P256: [&[u8]; 2] = [EC_OID_DER, Curve::P256.oid_der()];

    #[test]
    fn each_kind_is_read() {
        let mut point = [1_u8; 65];
        point[0] = 4;
        let ec = PublicKey::from_spki_der(&spki(&P256, &point)).unwrap();
        assert_eq!((ec.key_type(), ec.bits(), ec.key_octets()), (KeyType::Ec, 256, &point[..]));
        let ed = PublicKey::from_spki_der(&spki(&[b"\x06\x03", ED25519_OID], &[5; 32])).unwrap();
        assert_eq!((ed.key_type(), ed.bits()), (KeyType::Ed25519, 256));
        for (octets, bits) in [(128, 1024), (256, 2048), (1024, 8192), (2048, 16384)] {
            let modulus = [&[0, 0x80][..], &alloc::vec![1; octets - 1]].concat();
            let key = PublicKey::from_spki_der(&rsa(&modulus, &[1, 0, 1])).unwrap();
            assert_eq!((key.key_type(), key.bits()), (KeyType::Rsa, bits));
            assert_eq!(key.key_algorithm().is_some(), bits == 2048);
        }
        let key = PublicKey::from_spki_der(&rsa(&[0x3f, 0xff], &[3])).unwrap();
        assert_eq!(key.bits(), 14);
    }

    #[test]
    fn what_is_no_accepted_key_is_refused_by_name() {
        use PublicKeyError as E;
        let algorithm = |algorithm: &str| E::UnsupportedAlgorithm { algorithm: algorithm.to_string() };
        let number = |number| E::RsaNumber { number };
        let point = [4_u8; 65];
        for (name, der, error) in [
            ("DSA", spki(&[b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01"], &[1]), algorithm("DSA")),
            ("Ed448", spki(&[b"\x06\x03\x2b\x65\x71"], &[1; 57]), algorithm("Ed448")),
            ("an arc of our own", spki(&[b"\x06\x02\x2a\x03"], &[1]), algorithm("1.2.3")),
            (
                "P-224",
                spki(&[EC_OID_DER, b"\x06\x05\x2b\x81\x04\x00\x21"], &[4; 57]),
                E::UnsupportedCurve { curve: "P-224".to_string() },
            ),
            ("a short point", spki(&P256, &point[1..]), E::PointLength { octets: 64, expected: 65 }),
            ("an empty point", spki(&P256, &[]), E::PointLength { octets: 0, expected: 65 }),
            ("the point at infinity", spki(&P256, &[0]), E::PointLength { octets: 1, expected: 65 }),
            ("a compressed point", spki(&P256, &[2; 33]), E::CompressedPoint),
            (
                "EC without curve",
                spki(&[EC_OID_DER], &point),
                E::Parameters { expected: "a named curve (RFC 5480 2.1.1)" },
            ),
            (
                "EC with implicit curve",
                spki(&[EC_OID_DER, b"\x05\x00"], &point),
                E::Parameters { expected: "a named curve (RFC 5480 2.1.1)" },
            ),
            (
                "Ed25519 with NULL",
                spki(&[b"\x06\x03\x2b\x65\x70\x05\x00"], &[1; 32]),
                E::Parameters { expected: "none (RFC 8410 3)" },
            ),
            (
                "RSA without NULL",
                spki(&[b"\x06\x09", RSA_OID], b"\x30\x06\x02\x01\x0f\x02\x01\x03"),
                E::Parameters { expected: "NULL (RFC 3279 2.3.1)" },
            ),
            ("an even modulus", rsa(&[0x0e], &[3]), number("modulus")),
            ("a negative modulus", rsa(&[0x8f], &[3]), number("modulus")),
            ("a modulus of zero", rsa(&[0], &[3]), number("modulus")),
            ("a modulus with zeros in front", rsa(&[0, 0x0f], &[3]), number("modulus")),
            ("an empty modulus", rsa(&[], &[3]), number("modulus")),
            ("an even exponent", rsa(&[0x0f], &[4]), number("public exponent")),
            ("an exponent of one", rsa(&[0x0f], &[1]), number("public exponent")),
            ("a negative exponent", rsa(&[0x0f], &[0xff]), number("public exponent")),
        ] {
            assert_eq!(PublicKey::from_spki_der(&der), Err(error.clone()), "{name}");
            assert!(error.to_string().len() > 30, "{error}");
        }
        // Seven bits of the last octet are unused.
        let mut bits = spki(&P256, &point);
        bits[25] = 7;
        assert!(matches!(PublicKey::from_spki_der(&bits), Err(E::Malformed { .. })));
        // A length in long form where the short one does.
        let long = [b"\x30\x81", &spki(&P256, &point)[1..]].concat();
        assert!(matches!(PublicKey::from_spki_der(&long), Err(E::Malformed { .. })));
    }

    #[test]
    fn the_identifier_is_sha1_of_the_key_bits() {
        let ed = PublicKey::from_spki_der(&spki(&[b"\x06\x03", ED25519_OID], &[0; 32])).unwrap();
        // printf of 32 zero octets | sha1sum
        let expected = "de:8a:84:7b:ff:8c:34:3d:69:b8:53:a2:15:e6:ee:77:5e:f2:ef:96";
        assert_eq!(ed.key_identifier().to_string(), expected);
        assert_eq!(KeyIdentifier::from_bytes(&[0xab, 1]).to_string(), "ab:01");
    }

    proptest! {
        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = PublicKey::from_spki_der(&octets);
            let _ = PublicKey::from_spki_der(&spki(&P256, &octets));
            let _ = PublicKey::from_spki_der(&spki(&[&octets], &octets));
        }
    }
}
