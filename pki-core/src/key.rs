//! Keys: public keys, private keys, and the one joint through which everything is signed.
//!
//! - [`PublicKey`] is a SubjectPublicKeyInfo that was checked; [`KeyIdentifier`] its short name.
//! - [`PrivateKeyDer`] reads and writes the files that private keys are kept in.
//! - [`SigningKey`] signs: [`software::SoftwareKey`] here, a hardware or remote key elsewhere.
//! - [`VerifySignature`] verifies: [`software::Verifier`].
//! - `rustcrypto` and `aws_lc` are the two backends, each behind the feature of its name; [`software`] is the
//!   faster one of those that are built in.

mod algorithm;
#[cfg(feature = "aws-lc")]
pub mod aws_lc;
mod element;
pub(crate) mod encrypted;
mod ml_dsa;
mod private;
mod public;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;
mod scheme;
pub mod weak;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use self::algorithm::{KeyAlgorithm, KeyType, SignatureAlgorithm, UnsupportedKey};
pub use self::encrypted::{EncryptError, PassphraseOrigin};
pub use self::private::{PrivateKeyDer, PrivateKeyError, PrivateKeyFormat};
pub use self::public::{KeyIdentifier, PublicKey, PublicKeyError};
pub use self::scheme::{HashAlgorithm, RsaPadding, RsaScheme, UnknownSignatureAlgorithm, UnsuitableScheme};
use crate::random::{RandomError, SecureRandom};

/// The backend for keys in memory: `aws_lc` where it is built in, else `rustcrypto`.
#[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
pub mod software {
    #[cfg(feature = "aws-lc")]
    pub use super::aws_lc::{SoftwareKey, Verifier};
    #[cfg(all(feature = "rustcrypto", not(feature = "aws-lc")))]
    pub use super::rustcrypto::{SoftwareKey, Verifier};
}

/// A private key that signs, wherever it is kept: in memory, in a token, behind a network.
///
/// ```
/// use pki_core::key::{SignError, SignatureAlgorithm, SigningInput, SigningKey};
/// use pki_core::random::SecureRandom;
///
/// fn sign_hello(key: &dyn SigningKey, rng: &mut dyn SecureRandom) -> Result<Vec<u8>, SignError> {
///     let algorithm = *key.algorithms().first().ok_or_else(|| SignError::refused("the key does not sign"))?;
///     let signature = key.sign(algorithm, SigningInput::Message(b"hello"), rng)?;
///     Ok(signature.as_bytes().to_vec())
/// }
/// ```
pub trait SigningKey {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// What the key can sign with, the natural choice first.
    fn algorithms(&self) -> &[SignatureAlgorithm];

    /// Where the signatures are made, which decides whether they are verified before anything leaves the house. A device
    /// or a network may answer with anything, so a key that does not say is taken to be elsewhere.
    fn origin(&self) -> KeyOrigin {
        KeyOrigin::Elsewhere
    }

    /// Signs.
    ///
    /// # Errors
    ///
    /// [`SignError`] tells apart whether trying again can help.
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        input: SigningInput<'_>,
        rng: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError>;
}

macro_rules! forward_signing_key {
    ($($pointer:ty),*) => {$(
        impl<K: SigningKey + ?Sized> SigningKey for $pointer {
            fn public_key(&self) -> &PublicKey {
                (**self).public_key()
            }

            fn algorithms(&self) -> &[SignatureAlgorithm] {
                (**self).algorithms()
            }

            fn origin(&self) -> KeyOrigin {
                (**self).origin()
            }

            fn sign(
                &self,
                algorithm: SignatureAlgorithm,
                input: SigningInput<'_>,
                rng: &mut dyn SecureRandom,
            ) -> Result<Signature, SignError> {
                (**self).sign(algorithm, input, rng)
            }
        }
    )*};
}

forward_signing_key!(&K, Box<K>, Arc<K>);

/// Where a key's signatures are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// In this process, by a backend of this crate.
    ThisProcess,
    /// In a device, in another process, or by code that this crate does not know.
    Elsewhere,
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SigningInput<'a> {
    /// The message; the key hashes it as its algorithm says.
    Message(&'a [u8]),
    /// The message's digest by the hash of the signature algorithm.
    Digest(&'a [u8]),
    /// The message representative of ML-DSA (FIPS 204 6.2).
    MlDsaMu(&'a [u8; 64]),
}

/// A signature: the octets of its BIT STRING. For ECDSA they are the DER of r and s (RFC 3279 2.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// A signature that some key made.
    pub const fn new(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// The octets of the BIT STRING.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A key did not sign.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignError {
    /// The key or its device failed; trying again will not help.
    Broken {
        /// What failed, as a clause.
        reason: Cow<'static, str>,
        /// The error behind it.
        source: Option<ErrorSource>,
    },
    /// The key will not sign this; ask for something else.
    Refused {
        /// Why, as a clause, with what would be accepted.
        reason: Cow<'static, str>,
        /// The error behind it.
        source: Option<ErrorSource>,
    },
    /// Nothing was signed, and the same request may succeed later.
    Retryable {
        /// What was missing, as a clause.
        reason: Cow<'static, str>,
        /// The error behind it.
        source: Option<ErrorSource>,
    },
}

/// The error behind an error.
pub type ErrorSource = Box<dyn core::error::Error + Send + Sync + 'static>;

impl SignError {
    /// [`SignError::Broken`] for this reason.
    pub fn broken(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Broken { reason: reason.into(), source: None }
    }

    /// [`SignError::Refused`] for this reason.
    pub fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { reason: reason.into(), source: None }
    }

    /// [`SignError::Retryable`] for this reason.
    pub fn retryable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Retryable { reason: reason.into(), source: None }
    }

    /// The same with the error behind it.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<ErrorSource>) -> Self {
        let (Self::Broken { source, .. } | Self::Refused { source, .. } | Self::Retryable { source, .. }) =
            &mut self;
        *source = Some(error.into());
        self
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { reason, .. } => write!(f, "the signing key is broken: {reason}"),
            Self::Refused { reason, .. } => write!(f, "the signing key refuses: {reason}"),
            Self::Retryable { reason, .. } => {
                write!(f, "the signing key cannot sign now, try again: {reason}")
            }
        }
    }
}

impl core::error::Error for SignError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        let (Self::Broken { source, .. } | Self::Refused { source, .. } | Self::Retryable { source, .. }) =
            self;
        source.as_deref().map(|source| source as _)
    }
}

impl From<RandomError> for SignError {
    fn from(error: RandomError) -> Self {
        Self::retryable("there was no randomness").with_source(error)
    }
}

/// Verifies signatures.
pub trait VerifySignature {
    /// Whether `signature` is one over `message` by this key with this algorithm.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if it is not, or cannot be.
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError>;

    /// The same for the digest of a message by the hash of `algorithm`, for messages that are not kept.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] as above; [`VerifyError::KeyRefused`] from a verifier that knows whole messages only.
    fn verify_digest(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let _ = (key, algorithm, digest, signature);
        Err(VerifyError::KeyRefused {
            reason: "the verifier takes whole messages only; give it one, or a verifier that takes digests"
                .into(),
        })
    }
}

/// A signature that does not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Another kind of key makes signatures with this algorithm.
    AlgorithmMismatch {
        /// The kind of the key.
        key_type: KeyType,
        /// The algorithm of the signature.
        algorithm: SignatureAlgorithm,
    },
    /// It is not a signature over this message by this key.
    BadSignature,
    /// The backend does not accept the key.
    KeyRefused {
        /// Why, as a clause, with what would be accepted.
        reason: Cow<'static, str>,
    },
    /// The signature says it was made with an algorithm that is not known here, or no longer trusted (SHA-1).
    UnsupportedAlgorithm,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmMismatch { key_type, algorithm } => write!(
                f,
                "the signature algorithm {algorithm} does not belong to this key, which is of type {key_type}"
            ),
            Self::BadSignature => f.write_str("the signature is not one over this content by this key"),
            Self::KeyRefused { reason } => {
                write!(f, "no signature of this public key can be verified: {reason}")
            }
            Self::UnsupportedAlgorithm => f.write_str(
                "its signature algorithm is not one of RSA (PKCS#1, or PSS with a salt as long as its hash), ECDSA with \
                 SHA-256, SHA-384 or SHA-512, Ed25519, or ML-DSA",
            ),
        }
    }
}

impl core::error::Error for VerifyError {}

/// A key was not generated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerateError {
    /// The backend failed.
    Backend {
        /// What failed, as a clause.
        reason: String,
    },
    /// The source of randomness failed.
    Random(RandomError),
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend { reason } => write!(f, "no key was generated: {reason}"),
            Self::Random(error) => write!(f, "no key was generated: {error}"),
        }
    }
}

impl core::error::Error for GenerateError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Backend { .. } => None,
            Self::Random(error) => Some(error),
        }
    }
}

impl From<RandomError> for GenerateError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}
