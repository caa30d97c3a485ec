//! Private keys as files: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017 A.1.2), SEC 1 (RFC 5915), and encrypted
//! PKCS#8 (RFC 8018).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use der::{Decode, Tag, TagNumber, Tagged};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

use super::algorithm::{Curve, KeyType};
use super::element::{self, Elements, element};
use super::ml_dsa::{MlDsaPrivateKey, ParameterSet};
#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
use super::public::PublicKey;
use super::public::{ACCEPTED, EC_OID, EC_OID_DER, ED25519_ALGORITHM, ED25519_OID, Form};
use super::public::{RSA_ALGORITHM, RSA_OID, oid_name};
use crate::pem::{self, PemError};

/// A private key in PKCS#8, in memory that is overwritten when it is dropped.
///
/// Its structure was checked here; that its numbers belong together is checked where arithmetic is:
/// `SoftwareKey::from_private_key`.
pub struct PrivateKeyDer {
    pkcs8: Zeroizing<Vec<u8>>,
    /// Where the secret stands in it: an RSAPrivateKey, a scalar of the curve's length, a seed, or an expanded key of
    /// ML-DSA whose seed is not known.
    secret: Range<usize>,
    /// The expanded key that stood in the file beside a seed of ML-DSA.
    expanded: Option<Zeroizing<Vec<u8>>>,
    /// The public key that stood in the file beside the private one: an RSAPublicKey, a point, 32 octets,
    /// or an encoded key of ML-DSA.
    public: Option<Vec<u8>>,
    form: Form,
}

/// How a private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateKeyFormat {
    /// PKCS#8 for every kind of key.
    Pkcs8,
    /// PKCS#1 for RSA, SEC 1 for EC, PKCS#8 for the rest.
    Traditional,
}

impl PrivateKeyDer {
    /// Reads the one private key in a PEM text; certificates and curve parameters beside it are passed over.
    ///
    /// The password is used if the key is encrypted.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] if there is no private key, or more than one, or one that we cannot use.
    pub fn from_pem(text: &str, password: Option<&[u8]>) -> Result<Self, PrivateKeyError> {
        let blocks = pem::parse(text).map_err(|error| match error {
            PemError::Headers { label } if label.ends_with(pem::PRIVATE_KEY) => {
                PrivateKeyError::LegacyEncryption
            }
            other => PrivateKeyError::Pem(other),
        })?;
        // Every private key counts, also of a kind that we do not read.
        let mut keys = blocks.iter().filter(|block| block.label.ends_with(pem::PRIVATE_KEY));
        let Some(block) = keys.next() else {
            let found = blocks.first().map(|block| block.label.clone()).unwrap_or_default();
            return Err(PrivateKeyError::NotAPrivateKey { found });
        };
        let others = keys.count();
        if others > 0 {
            return Err(PrivateKeyError::SeveralKeys { count: others + 1 });
        }
        match block.label.as_str() {
            pem::PRIVATE_KEY => Self::from_pkcs8(&block.der),
            pem::ENCRYPTED_PRIVATE_KEY => Self::from_encrypted(&block.der, password),
            pem::RSA_PRIVATE_KEY => Self::from_pkcs1(&block.der),
            pem::EC_PRIVATE_KEY => Self::from_sec1(&block.der, None),
            other => Err(PrivateKeyError::UnsupportedAlgorithm { algorithm: other.to_string() }),
        }
    }

    /// Reads a private key in DER: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC 1, told apart by their structure.
    ///
    /// The password is used if the key is encrypted.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] if it is none, or one that we cannot use.
    pub fn from_der(der: &[u8], password: Option<&[u8]>) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("it is neither PKCS#8, PKCS#1 nor SEC 1");
        let mut elements = Elements::of_sequence(der).ok_or_else(malformed)?;
        let first = elements.next_any().ok_or_else(malformed)?;
        let second = elements.next_any().ok_or_else(malformed)?;
        match (first.tag(), second.tag()) {
            (Tag::Integer, Tag::Sequence) => Self::from_pkcs8(der),
            (Tag::Integer, Tag::Integer) => Self::from_pkcs1(der),
            (Tag::Integer, Tag::OctetString) => Self::from_sec1(der, None),
            (Tag::Sequence, Tag::OctetString) => Self::from_encrypted(der, password),
            (Tag::Sequence, Tag::BitString) => {
                Err(PrivateKeyError::NotAPrivateKey { found: pem::PUBLIC_KEY.to_string() })
            }
            (Tag::Sequence, Tag::Sequence) => Err(PrivateKeyError::NotAPrivateKey {
                found: "CERTIFICATE, CERTIFICATE REQUEST or X509 CRL".to_string(),
            }),
            _ => Err(malformed()),
        }
    }

    /// The key in PKCS#8 (RFC 5208: version 0, without attributes), whatever format it came in.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The kind of the key.
    pub const fn key_type(&self) -> KeyType {
        self.form.key_type()
    }

    /// Writes the key in DER, unencrypted.
    pub fn to_der(&self, format: PrivateKeyFormat) -> Zeroizing<Vec<u8>> {
        match (format, self.form) {
            (PrivateKeyFormat::Traditional, Form::Rsa { .. }) => Zeroizing::new(self.secret().to_vec()),
            (PrivateKeyFormat::Traditional, Form::Ec(curve)) => {
                let point = self.public.as_deref().filter(|point| is_uncompressed(curve, point));
                sec1(curve, self.secret(), point, NamedCurve::Written)
            }
            (PrivateKeyFormat::Pkcs8, _) | (_, Form::Ed25519 | Form::MlDsa(_)) => self.pkcs8.clone(),
        }
    }

    /// Writes the key in PEM, unencrypted.
    pub fn to_pem(&self, format: PrivateKeyFormat) -> Zeroizing<String> {
        let label = match (format, self.form) {
            (PrivateKeyFormat::Traditional, Form::Rsa { .. }) => pem::RSA_PRIVATE_KEY,
            (PrivateKeyFormat::Traditional, Form::Ec(_)) => pem::EC_PRIVATE_KEY,
            (PrivateKeyFormat::Pkcs8, _) | (_, Form::Ed25519 | Form::MlDsa(_)) => pem::PRIVATE_KEY,
        };
        Zeroizing::new(pem::encode(label, &self.to_der(format)))
    }

    /// RFC 8018 A.4: PBES2. A file may not choose how long we work on it.
    fn from_encrypted(der: &[u8], password: Option<&[u8]>) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("it is not an EncryptedPrivateKeyInfo (RFC 5958 3)");
        let mut elements = Elements::of_sequence(der).ok_or_else(malformed)?;
        let oid = elements
            .next(Tag::Sequence)
            .and_then(Elements::new)
            .and_then(|mut algorithm| algorithm.next(Tag::ObjectIdentifier))
            .ok_or_else(malformed)?;
        elements.next(Tag::OctetString).ok_or_else(malformed)?;
        elements.finish().ok_or_else(malformed)?;
        let unsupported = || PrivateKeyError::UnsupportedEncryption { algorithm: oid_name(oid) };
        let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| unsupported())?;
        let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
            return Err(unsupported());
        };
        check_cost(&parameters.kdf)?;
        let password = password.ok_or(PrivateKeyError::PasswordMissing)?;
        let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
        let plain = parameters.decrypt_in_place(password, &mut buffer).map_err(|error| match error {
            pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. } => unsupported(),
            _ => PrivateKeyError::WrongPassword,
        })?;
        // A wrong password leaves valid padding once in 256 times; what comes out is then no PKCS#8.
        Self::from_pkcs8(plain).map_err(|error| match error {
            PrivateKeyError::Malformed { .. } => PrivateKeyError::WrongPassword,
            other => other,
        })
    }

    /// RFC 5958 2: OneAsymmetricKey, of version 0 (RFC 5208) or 1 (with a public key).
    fn from_pkcs8(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("it is not a OneAsymmetricKey (RFC 5958 2)");
        let mut info = Elements::of_sequence(der).ok_or_else(malformed)?;
        let version = info.next(Tag::Integer).ok_or_else(malformed)?;
        let mut algorithm = info.next(Tag::Sequence).and_then(Elements::new).ok_or_else(malformed)?;
        let oid = algorithm.next(Tag::ObjectIdentifier).ok_or_else(malformed)?;
        let private = info.next(Tag::OctetString).ok_or_else(malformed)?;
        // Attributes say nothing about the key itself, and are not kept.
        info.next_if(context(0, true));
        let public = match info.next_if(context(1, false)) {
            None => None,
            Some([0, octets @ ..]) if version == [1] => Some(octets),
            Some(_) => return Err(malformed()),
        };
        info.finish().ok_or_else(malformed)?;
        if !matches!(version, [0 | 1]) {
            return Err(malformed());
        }
        let mut key = match oid {
            RSA_OID => {
                algorithm.next(Tag::Null).ok_or_else(malformed)?;
                algorithm.finish().ok_or_else(malformed)?;
                Self::from_pkcs1(private)?
            }
            EC_OID => {
                let curve = algorithm.next(Tag::ObjectIdentifier).ok_or_else(|| {
                    PrivateKeyError::UnsupportedCurve { curve: "given by explicit parameters".to_string() }
                })?;
                algorithm.finish().ok_or_else(malformed)?;
                Self::from_sec1(private, Some(named_curve(curve)?))?
            }
            ED25519_OID => {
                algorithm.finish().ok_or_else(malformed)?;
                // RFC 8410 7: CurvePrivateKey ::= OCTET STRING.
                let mut inner = Elements::new(private).ok_or_else(malformed)?;
                let seed = inner.next(Tag::OctetString).ok_or_else(malformed)?;
                inner.finish().ok_or_else(malformed)?;
                Self::from_seed(seed)?
            }
            other => {
                let set = ParameterSet::from_oid(other)
                    .ok_or_else(|| PrivateKeyError::UnsupportedAlgorithm { algorithm: oid_name(other) })?;
                algorithm.finish().ok_or_else(malformed)?;
                Self::from_ml_dsa(set, private)?
            }
        };
        match (&key.public, public) {
            (Some(inner), Some(outer)) if inner != outer => {
                Err(PrivateKeyError::Inconsistent { what: PUBLIC_KEY })
            }
            (None, Some(outer)) => {
                key.public = Some(outer.to_vec());
                Ok(key)
            }
            _ => Ok(key),
        }
    }

    /// RFC 8017 A.1.2: RSAPrivateKey, of two primes.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("it is not an RSAPrivateKey (RFC 8017 A.1.2)");
        let mut numbers = Elements::of_sequence(der).ok_or_else(malformed)?;
        match numbers.next(Tag::Integer).ok_or_else(malformed)? {
            [0] => {}
            [1] => {
                return Err(PrivateKeyError::UnsupportedAlgorithm {
                    algorithm: "RSA with more than two primes".to_string(),
                });
            }
            _ => return Err(malformed()),
        }
        let modulus = numbers.next(Tag::Integer).ok_or_else(malformed)?;
        let exponent = numbers.next(Tag::Integer).ok_or_else(malformed)?;
        // d, p, q, d mod p-1, d mod q-1, 1/q mod p
        for _ in 0..6 {
            numbers.next(Tag::Integer).and_then(element::positive).ok_or_else(malformed)?;
        }
        numbers.finish().ok_or_else(malformed)?;
        let magnitude = element::positive(modulus).ok_or_else(malformed)?;
        element::positive(exponent).ok_or_else(malformed)?;
        let bits = element::bits(magnitude);
        if !RSA_BITS.contains(&bits) {
            return Err(PrivateKeyError::RsaSize { bits });
        }
        let public =
            element(element::SEQUENCE, &[&element(INTEGER, &[modulus]), &element(INTEGER, &[exponent])]);
        let octets = element(element::OCTET_STRING, &[der]);
        let pkcs8 = element(element::SEQUENCE, &[VERSION_0, RSA_ALGORITHM, &octets]);
        Ok(Self {
            secret: pkcs8.len() - der.len()..pkcs8.len(),
            pkcs8,
            expanded: None,
            public: Some(public.to_vec()),
            form: Form::Rsa { bits },
        })
    }

    /// RFC 5915 3: ECPrivateKey; its curve may stand in it, in the PKCS#8 around it, or in both alike.
    fn from_sec1(der: &[u8], outer: Option<Curve>) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("it is not an ECPrivateKey (RFC 5915 3)");
        let mut key = Elements::of_sequence(der).ok_or_else(malformed)?;
        if key.next(Tag::Integer) != Some(&[1]) {
            return Err(malformed());
        }
        let scalar = key.next(Tag::OctetString).ok_or_else(malformed)?;
        let inner = match key.next_if(context(0, true)) {
            None => None,
            Some(parameters) => {
                let mut parameters = Elements::new(parameters).ok_or_else(malformed)?;
                let curve = parameters.next(Tag::ObjectIdentifier).ok_or_else(|| {
                    PrivateKeyError::UnsupportedCurve { curve: "given by explicit parameters".to_string() }
                })?;
                parameters.finish().ok_or_else(malformed)?;
                Some(named_curve(curve)?)
            }
        };
        let public = match key.next_if(context(1, true)) {
            None => None,
            Some(public) => {
                let mut public = Elements::new(public).ok_or_else(malformed)?;
                let Some([0, point @ ..]) = public.next(Tag::BitString) else {
                    return Err(malformed());
                };
                public.finish().ok_or_else(malformed)?;
                Some(point)
            }
        };
        key.finish().ok_or_else(malformed)?;
        let curve = match (outer, inner) {
            (Some(outer), Some(inner)) if outer != inner => {
                return Err(PrivateKeyError::Inconsistent {
                    what: "the curve beside the key and the curve in it",
                });
            }
            (Some(curve), _) | (None, Some(curve)) => curve,
            (None, None) => {
                return Err(self::malformed("the ECPrivateKey does not name its curve (RFC 5915 3)"));
            }
        };
        Self::from_scalar(curve, scalar, public)
    }

    /// A scalar, which old programs write with fewer or more zeros in front than RFC 5915 3 asks for.
    pub(crate) fn from_scalar(
        curve: Curve,
        scalar: &[u8],
        point: Option<&[u8]>,
    ) -> Result<Self, PrivateKeyError> {
        let malformed = || malformed("the EC private key does not fit its curve");
        let start = scalar.iter().position(|octet| *octet != 0).ok_or_else(malformed)?;
        let significant = scalar.get(start..).unwrap_or_default();
        let mut padded = Zeroizing::new(alloc::vec![0_u8; curve.octets()]);
        let zeros = curve.octets().checked_sub(significant.len()).ok_or_else(malformed)?;
        padded.get_mut(zeros..).unwrap_or_default().copy_from_slice(significant);
        let written = point.filter(|point| is_uncompressed(curve, point));
        let inner = sec1(curve, &padded, written, NamedCurve::LeftOut);
        let algorithm = element(element::SEQUENCE, &[EC_OID_DER, curve.oid_der()]);
        let octets = element(element::OCTET_STRING, &[&inner]);
        let pkcs8 = element(element::SEQUENCE, &[VERSION_0, &algorithm, &octets]);
        // In the inner SEQUENCE, only the public key follows the scalar.
        let public_length = written.map_or(0, |point| public_of_sec1(point).len());
        let end = pkcs8.len() - public_length;
        Ok(Self {
            secret: end - padded.len()..end,
            pkcs8,
            expanded: None,
            public: point.map(<[u8]>::to_vec),
            form: Form::Ec(curve),
        })
    }

    /// RFC 8410 7: the 32 octets of Ed25519.
    pub(crate) fn from_seed(seed: &[u8]) -> Result<Self, PrivateKeyError> {
        if seed.len() != 32 {
            return Err(malformed("an Ed25519 private key has 32 octets (RFC 8032 5.1.5)"));
        }
        let inner = element(element::OCTET_STRING, &[seed]);
        let octets = element(element::OCTET_STRING, &[&inner]);
        let pkcs8 = element(element::SEQUENCE, &[VERSION_0, ED25519_ALGORITHM, &octets]);
        Ok(Self::ending_with_secret(pkcs8, seed.len(), Form::Ed25519))
    }

    /// RFC 9881 6: the private key of ML-DSA, a seed, an expanded key, or both.
    fn from_ml_dsa(set: ParameterSet, private: &[u8]) -> Result<Self, PrivateKeyError> {
        match MlDsaPrivateKey::from_der(set, private) {
            Some(MlDsaPrivateKey::Seed(seed)) => Ok(Self::from_ml_dsa_seed(set, seed)),
            Some(MlDsaPrivateKey::Expanded(expanded)) => Ok(Self::from_ml_dsa_expanded(set, expanded)),
            Some(MlDsaPrivateKey::Both { seed, expanded }) => Ok(Self {
                expanded: Some(Zeroizing::new(expanded.to_vec())),
                ..Self::from_ml_dsa_seed(set, seed)
            }),
            None => Err(malformed("it is none of the three forms of an ML-DSA private key (RFC 9881 6)")),
        }
    }

    /// RFC 9881 6: a seed alone is what is written, the shortest form and the one that proves itself.
    pub(crate) fn from_ml_dsa_seed(set: ParameterSet, seed: &[u8]) -> Self {
        let inner = element(CONTEXT_0_PRIMITIVE, &[seed]);
        let octets = element(element::OCTET_STRING, &[&inner]);
        let pkcs8 = element(element::SEQUENCE, &[VERSION_0, set.algorithm_der(), &octets]);
        Self::ending_with_secret(pkcs8, seed.len(), Form::MlDsa(set))
    }

    /// An expanded key whose seed is not known.
    pub(crate) fn from_ml_dsa_expanded(set: ParameterSet, expanded: &[u8]) -> Self {
        let inner = element(element::OCTET_STRING, &[expanded]);
        let octets = element(element::OCTET_STRING, &[&inner]);
        let pkcs8 = element(element::SEQUENCE, &[VERSION_0, set.algorithm_der(), &octets]);
        Self::ending_with_secret(pkcs8, expanded.len(), Form::MlDsa(set))
    }

    fn ending_with_secret(pkcs8: Zeroizing<Vec<u8>>, secret: usize, form: Form) -> Self {
        Self { secret: pkcs8.len() - secret..pkcs8.len(), pkcs8, expanded: None, public: None, form }
    }

    #[cfg_attr(
        not(any(feature = "rustcrypto", feature = "aws-lc")),
        allow(dead_code, reason = "only a backend looks inside")
    )]
    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// An RSAPrivateKey, a scalar, a seed, or an expanded key of ML-DSA.
    pub(crate) fn secret(&self) -> &[u8] {
        self.pkcs8.get(self.secret.clone()).unwrap_or_default()
    }

    /// A seed of ML-DSA, if the expanded key that a backend made of it is the one that stood in the file beside it.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn check_expanded(&self, computed: &[u8]) -> Result<(), PrivateKeyError> {
        match self.expanded.as_deref() {
            Some(written) if written.as_slice() != computed => Err(PrivateKeyError::Inconsistent {
                what: "the seed of the ML-DSA key and its expanded form",
            }),
            _ => Ok(()),
        }
    }

    /// The key, if the public key that a backend computed is the one that stood in the file.
    #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
    pub(crate) fn check_public(&self, computed: &PublicKey) -> Result<(), PrivateKeyError> {
        let computed = computed.key_octets();
        let agrees = match (self.form, self.public.as_deref()) {
            (_, None) => true,
            // SEC 1 2.3.3: 02 or 03 says whether y is even or odd, and x follows.
            (Form::Ec(curve), Some([parity @ (2 | 3), x @ ..])) => {
                computed.get(1..=curve.octets()) == Some(x)
                    && computed.last().is_some_and(|y| y & 1 == parity & 1)
            }
            (_, Some(written)) => written == computed,
        };
        if agrees { Ok(()) } else { Err(PrivateKeyError::Inconsistent { what: PUBLIC_KEY }) }
    }
}

/// The kind of the key, and nothing else.
impl fmt::Debug for PrivateKeyDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKeyDer({})", self.key_type())
    }
}

/// The work that a file may ask of us. A hostile one must not take minutes or gigabytes.
fn check_cost(kdf: &Kdf) -> Result<(), PrivateKeyError> {
    match kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count == 0 => Err(malformed("PBKDF2 iterates at least once")),
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MAX_PBKDF2_ITERATIONS => {
            Err(PrivateKeyError::KdfTooCostly {
                asked: u64::from(pbkdf2.iteration_count),
                accepted: u64::from(MAX_PBKDF2_ITERATIONS),
                unit: "iterations of PBKDF2",
            })
        }
        Kdf::Pbkdf2(_) => Ok(()),
        Kdf::Scrypt(scrypt) => {
            let cost = scrypt.cost_parameter;
            let (block, lanes) = (u64::from(scrypt.block_size), u64::from(scrypt.parallelization));
            if cost < 2 || !cost.is_power_of_two() || block == 0 || lanes == 0 {
                return Err(malformed(
                    "scrypt's N is a power of two above 1, its r and p are positive (RFC 7914 6)",
                ));
            }
            let memory = cost.saturating_mul(block).saturating_mul(128);
            let work = memory.saturating_mul(lanes);
            for (asked, accepted, unit) in [
                (memory, MAX_SCRYPT_MEMORY, "octets of memory for scrypt (128 * N * r)"),
                (work, MAX_SCRYPT_WORK, "octets worked through by scrypt (128 * N * r * p)"),
            ] {
                if asked > accepted {
                    return Err(PrivateKeyError::KdfTooCostly { asked, accepted, unit });
                }
            }
            Ok(())
        }
        _ => Err(PrivateKeyError::UnsupportedEncryption { algorithm: kdf.oid().to_string() }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedCurve {
    LeftOut,
    Written,
}

/// RFC 5915 3: ECPrivateKey. Inside PKCS#8 the curve stands outside.
fn sec1(curve: Curve, scalar: &[u8], point: Option<&[u8]>, named: NamedCurve) -> Zeroizing<Vec<u8>> {
    let octets = element(element::OCTET_STRING, &[scalar]);
    let parameters = match named {
        NamedCurve::Written => element(CONTEXT_0, &[curve.oid_der()]),
        NamedCurve::LeftOut => Zeroizing::default(),
    };
    let public = point.map(public_of_sec1).unwrap_or_default();
    element(element::SEQUENCE, &[VERSION_1, &octets, &parameters, &public])
}

fn public_of_sec1(point: &[u8]) -> Zeroizing<Vec<u8>> {
    element(CONTEXT_1, &[&element(element::BIT_STRING, &[&[0], point])])
}

fn is_uncompressed(curve: Curve, point: &[u8]) -> bool {
    point.first() == Some(&4) && point.len() == 1 + 2 * curve.octets()
}

fn named_curve(oid: &[u8]) -> Result<Curve, PrivateKeyError> {
    Curve::from_oid(oid).ok_or_else(|| PrivateKeyError::UnsupportedCurve { curve: oid_name(oid) })
}

fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

const fn malformed(what: &'static str) -> PrivateKeyError {
    PrivateKeyError::Malformed { what }
}

/// A private key that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The numbers of the key do not belong together.
    Inconsistent {
        /// Which ones.
        what: &'static str,
    },
    /// The file asks for more work than we do to try a password.
    KdfTooCostly {
        /// How much it asks for.
        asked: u64,
        /// How much would be accepted.
        accepted: u64,
        /// Of what.
        unit: &'static str,
    },
    /// The encryption of old PEM files (RFC 1421), which is not safe.
    LegacyEncryption,
    /// It is not the DER of a private key.
    Malformed {
        /// What is wrong, as a clause.
        what: &'static str,
    },
    /// It is something else.
    NotAPrivateKey {
        /// What it is, by its PEM label.
        found: String,
    },
    /// The key is encrypted.
    PasswordMissing,
    /// The text is not PEM.
    Pem(PemError),
    /// An RSA key that is too small or too large.
    RsaSize {
        /// Bits of its modulus.
        bits: u32,
    },
    /// More than one private key.
    SeveralKeys {
        /// How many.
        count: usize,
    },
    /// Another kind of key.
    UnsupportedAlgorithm {
        /// Its name, or its object identifier.
        algorithm: String,
    },
    /// Another curve.
    UnsupportedCurve {
        /// Its name, or its object identifier.
        curve: String,
    },
    /// Another encryption than PBES2 with AES.
    UnsupportedEncryption {
        /// Its object identifier.
        algorithm: String,
    },
    /// The password does not open the key, or the file is damaged.
    WrongPassword,
}

impl fmt::Display for PrivateKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inconsistent { what } => {
                write!(
                    f,
                    "the private key is broken: {what} do not belong together; export it again from its source"
                )
            }
            Self::KdfTooCostly { asked, accepted, unit } => write!(
                f,
                "the encrypted private key asks for {asked} {unit}; at most {accepted} are accepted; {CONVERT}"
            ),
            Self::LegacyEncryption => write!(
                f,
                "the private key has the old PEM encryption (Proc-Type: 4,ENCRYPTED), which is not accepted; {CONVERT}"
            ),
            Self::Malformed { what } => write!(f, "this is not the DER of a private key: {what}"),
            Self::NotAPrivateKey { found } => write!(
                f,
                "this is {found}, not a private key; accepted: PRIVATE KEY, ENCRYPTED PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY"
            ),
            Self::PasswordMissing => f.write_str("the private key is encrypted; its password is needed"),
            Self::Pem(error) => write!(f, "{error}"),
            Self::RsaSize { bits } => write!(
                f,
                "the RSA private key has {bits} bits; accepted: {} to {} bits",
                RSA_BITS.start(),
                RSA_BITS.end()
            ),
            Self::SeveralKeys { count } => {
                write!(f, "there are {count} private keys; exactly one is accepted")
            }
            Self::UnsupportedAlgorithm { algorithm } => {
                write!(f, "a private key of algorithm {algorithm} is not supported; accepted: {ACCEPTED}")
            }
            Self::UnsupportedCurve { curve } => {
                write!(f, "the curve {curve} is not supported; accepted: {ACCEPTED}")
            }
            Self::UnsupportedEncryption { algorithm } => write!(
                f,
                "the private key's encryption {algorithm} is not supported; accepted: PBES2 with PBKDF2 or scrypt and AES (RFC 8018); {CONVERT}"
            ),
            Self::WrongPassword => {
                f.write_str("the password does not open the private key, or the file is damaged")
            }
        }
    }
}

impl core::error::Error for PrivateKeyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Pem(error) => Some(error),
            _ => None,
        }
    }
}

/// Smaller ones are broken or forbidden (SP 800-131A 3, Baseline Requirements 6.1.5); larger ones make every
/// verifier pay and are no stronger where it matters.
const RSA_BITS: core::ops::RangeInclusive<u32> = 2048..=4096;
/// Eight times what OWASP recommended for HMAC-SHA256 in 2023; some seconds of work.
const MAX_PBKDF2_ITERATIONS: u32 = 5_000_000;
/// Eight times what `openssl pkcs8 -scrypt` itself allows.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
/// Some seconds of work.
const MAX_SCRYPT_WORK: u64 = 1 << 30;

const CONVERT: &str = "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW";
const PUBLIC_KEY: &str = "the private key and the public key beside it";

const VERSION_0: &[u8] = b"\x02\x01\x00";
const VERSION_1: &[u8] = b"\x02\x01\x01";
const INTEGER: u8 = 0x02;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_0_PRIMITIVE: u8 = 0x80;
const CONTEXT_1: u8 = 0xa1;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use pkcs8::pkcs5::pbes2::{Pbkdf2Params, ScryptParams};
    use proptest::prelude::*;

    fn scrypt(cost: u64, block_size: u16, parallelization: u16) -> Kdf {
        Kdf::Scrypt(ScryptParams {
            salt: b"salt"[..].try_into().unwrap(),
            cost_parameter: cost,
            block_size,
            parallelization,
            key_length: None,
        })
    }

    #[test]
    fn a_file_does_not_choose_how_long_we_work() {
        let pbkdf2 = |iterations| Kdf::Pbkdf2(Pbkdf2Params::hmac_sha256(iterations, b"salt").unwrap());
        for kdf in [
            pbkdf2(1),
            pbkdf2(600_000),
            pbkdf2(MAX_PBKDF2_ITERATIONS),
            scrypt(1 << 14, 8, 1),
            scrypt(1 << 17, 8, 1),
            scrypt(1 << 18, 8, 4),
        ] {
            assert_eq!(check_cost(&kdf), Ok(()), "{kdf:?}");
        }
        for kdf in [
            pbkdf2(MAX_PBKDF2_ITERATIONS + 1),
            scrypt(1 << 19, 8, 1),
            scrypt(1 << 18, 8, 5),
            scrypt(1 << 10, 256, 64),
            scrypt(1 << 63, u16::MAX, u16::MAX),
        ] {
            let error = check_cost(&kdf).unwrap_err();
            assert!(matches!(error, PrivateKeyError::KdfTooCostly { .. }), "{kdf:?}: {error}");
            assert!(format!("{error}").contains("at most"), "{error}");
        }
        // Numbers for which scrypt is not defined.
        for kdf in
            [pbkdf2(0), scrypt(0, 8, 1), scrypt(1, 8, 1), scrypt(3, 8, 1), scrypt(2, 0, 1), scrypt(2, 8, 0)]
        {
            assert!(matches!(check_cost(&kdf), Err(PrivateKeyError::Malformed { .. })), "{kdf:?}");
        }
    }

    #[test]
    fn a_scalar_is_brought_to_the_length_of_its_curve() {
        for curve in Curve::ALL {
            let key = PrivateKeyDer::from_scalar(curve, &[0, 0, 7], None).unwrap();
            assert_eq!(key.secret().len(), curve.octets());
            assert_eq!(key.secret().last(), Some(&7));
            let read = PrivateKeyDer::from_der(key.pkcs8_der(), None).unwrap();
            assert_eq!((read.secret(), read.form()), (key.secret(), Form::Ec(curve)));
            let point = alloc::vec![4; 1 + 2 * curve.octets()];
            let with_point = PrivateKeyDer::from_scalar(curve, &[7], Some(&point)).unwrap();
            assert_eq!(with_point.secret(), key.secret());
            for octets in [&[][..], &[0, 0], &[1; 67]] {
                let refused = PrivateKeyDer::from_scalar(curve, octets, None);
                assert!(matches!(refused, Err(PrivateKeyError::Malformed { .. })));
            }
        }
    }

    #[test]
    fn an_ed25519_key_reads_as_rfc_8410_10_3_shows() {
        let text = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let key = PrivateKeyDer::from_pem(text, None).unwrap();
        assert_eq!(key.secret().first(), Some(&0xd4));
        assert_eq!(key.to_pem(PrivateKeyFormat::Traditional).as_str(), text);
        // With an attribute and the public key.
        let text = "-----BEGIN PRIVATE KEY-----\n\
            MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
            Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PRIVATE KEY-----\n";
        let with_public = PrivateKeyDer::from_pem(text, None).unwrap();
        assert_eq!(with_public.pkcs8_der(), key.pkcs8_der());
        assert!(with_public.public.is_some());
    }

    proptest! {
        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
            let sequence = element(element::SEQUENCE, &[&octets]);
            for der in [&octets[..], &sequence] {
                let _ = PrivateKeyDer::from_der(der, Some(b""));
                let _ = PrivateKeyDer::from_pkcs8(der);
                let _ = PrivateKeyDer::from_pkcs1(der);
                let _ = PrivateKeyDer::from_sec1(der, Some(Curve::P256));
                let _ = PrivateKeyDer::from_encrypted(der, Some(b""));
            }
        }
    }
}
