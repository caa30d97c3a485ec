//! The fast backend: AWS-LC.
//!
//! AWS-LC draws all randomness from its own generator, which is seeded by the operating system: the `rng`
//! arguments are not used here.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, AsRawBytes, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm,
    RsaEncoding, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

use super::algorithm::Curve;
use super::ml_dsa::ParameterSet;
use super::public::Form;
use super::{
    GenerateError, KeyAlgorithm, KeyOrigin, PrivateKeyDer, PrivateKeyError, PublicKey, SignError, Signature,
    SignatureAlgorithm, SigningInput, SigningKey, VerifyError, VerifySignature,
};
use crate::random::SecureRandom;

/// A private key in memory.
pub struct SoftwareKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(ParameterSet, PqdsaKeyPair),
}

impl SoftwareKey {
    /// Makes a new key, with AWS-LC's own randomness.
    ///
    /// # Errors
    ///
    /// [`GenerateError`] if AWS-LC fails.
    pub fn generate(algorithm: KeyAlgorithm, _rng: &mut dyn SecureRandom) -> Result<Self, GenerateError> {
        let failed = |_| GenerateError::Backend {
            reason: format!("AWS-LC could not generate a key of type {algorithm}"),
        };
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let ec = |curve| EcdsaKeyPair::generate(signing(curve)).map(|pair| Pair::Ec(curve, pair));
        let ml_dsa = |set| PqdsaKeyPair::generate(signing_ml_dsa(set)).map(|pair| Pair::MlDsa(set, pair));
        let pair = match algorithm {
            KeyAlgorithm::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => rsa(KeySize::Rsa4096),
            KeyAlgorithm::EcP256 => ec(Curve::P256),
            KeyAlgorithm::EcP384 => ec(Curve::P384),
            KeyAlgorithm::EcP521 => ec(Curve::P521),
            KeyAlgorithm::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            KeyAlgorithm::MlDsa44 => ml_dsa(ParameterSet::MlDsa44),
            KeyAlgorithm::MlDsa65 => ml_dsa(ParameterSet::MlDsa65),
            KeyAlgorithm::MlDsa87 => ml_dsa(ParameterSet::MlDsa87),
        }
        .map_err(failed)?;
        Self::new(pair).map_err(|error| GenerateError::Backend {
            reason: format!("AWS-LC made a key that we cannot use: {error}"),
        })
    }

    /// The key of a file, if its numbers belong together.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError::Inconsistent`] if they do not.
    pub fn from_private_key(key: &PrivateKeyDer) -> Result<Self, PrivateKeyError> {
        let what = match key.form() {
            Form::Rsa { .. } => "the numbers of the RSA key",
            Form::Ec(_) => "the EC private key, its curve and its public key",
            Form::Ed25519 => "the Ed25519 private key and its public key",
            Form::MlDsa(_) => "the parts of the ML-DSA private key",
        };
        let inconsistent = || PrivateKeyError::Inconsistent { what };
        let pair = match key.form() {
            Form::Rsa { .. } => RsaKeyPair::from_der(key.secret()).map(Pair::Rsa),
            Form::Ec(curve) => {
                EcdsaKeyPair::from_pkcs8(signing(curve), key.pkcs8_der()).map(|pair| Pair::Ec(curve, pair))
            }
            Form::Ed25519 => Ed25519KeyPair::from_seed_unchecked(key.secret()).map(Pair::Ed25519),
            Form::MlDsa(set) => PqdsaKeyPair::from_seed(signing_ml_dsa(set), key.secret())
                .or_else(|_| PqdsaKeyPair::from_raw_private_key(signing_ml_dsa(set), key.secret()))
                .map(|pair| Pair::MlDsa(set, pair)),
        }
        .map_err(|_| inconsistent())?;
        if let Pair::MlDsa(_, pair) = &pair {
            let expanded = pair.private_key().as_raw_bytes().map_err(|_| inconsistent())?;
            key.check_expanded(expanded.as_ref())?;
        }
        let loaded = Self::new(pair).map_err(|_| inconsistent())?;
        key.check_public(&loaded.public)?;
        Ok(loaded)
    }

    /// The key as a file keeps it.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] if AWS-LC does not give the key away.
    pub fn to_private_key(&self) -> Result<PrivateKeyDer, PrivateKeyError> {
        let withheld = |_| PrivateKeyError::Malformed { what: "AWS-LC did not write it" };
        match &self.pair {
            Pair::Rsa(pair) => {
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(withheld)?;
                PrivateKeyDer::from_der(pkcs8.as_ref(), None)
            }
            Pair::Ec(curve, pair) => {
                let private = pair.private_key();
                let scalar = AsBigEndian::<EcPrivateKeyBin<'_>>::as_be_bytes(&private).map_err(withheld)?;
                PrivateKeyDer::from_scalar(*curve, scalar.as_ref(), Some(pair.public_key().as_ref()))
            }
            Pair::Ed25519(pair) => {
                let seed = pair.seed().map_err(withheld)?;
                let seed = seed.as_be_bytes().map_err(withheld)?;
                PrivateKeyDer::from_seed(seed.as_ref())
            }
            // A pair that was made of an expanded key has no seed to write.
            Pair::MlDsa(set, pair) => match pair.to_pkcs8v1() {
                Ok(pkcs8) => PrivateKeyDer::from_der(pkcs8.as_ref(), None),
                Err(_) => {
                    let expanded = pair.private_key().as_raw_bytes().map_err(withheld)?;
                    Ok(PrivateKeyDer::from_ml_dsa_expanded(*set, expanded.as_ref()))
                }
            },
        }
    }

    fn new(pair: Pair) -> Result<Self, super::PublicKeyError> {
        let public = match &pair {
            Pair::Rsa(pair) => PublicKey::from_rsa(pair.public_key().as_ref()),
            Pair::Ec(curve, pair) => PublicKey::from_point(*curve, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => PublicKey::from_ed25519(pair.public_key().as_ref()),
            Pair::MlDsa(set, pair) => PublicKey::from_ml_dsa(*set, pair.public_key().as_ref()),
        }?;
        Ok(Self { pair, public })
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        self.public.signature_algorithms()
    }

    fn origin(&self) -> KeyOrigin {
        KeyOrigin::ThisProcess
    }

    /// Signs, with AWS-LC's own randomness.
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        input: SigningInput<'_>,
        _rng: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError> {
        self.public.check_signing(algorithm, input)?;
        let broken = |_| SignError::broken(format!("AWS-LC did not sign with {algorithm}"));
        match (&self.pair, input) {
            (Pair::Rsa(pair), input) => {
                let encoding = rsa_encoding(algorithm)?;
                let mut octets = vec![0; pair.public_modulus_len()];
                match input {
                    SigningInput::Message(message) => {
                        pair.sign(encoding, &SystemRandom::new(), message, &mut octets)
                    }
                    input => pair.sign_digest(encoding, &digest_of(algorithm, input)?, &mut octets),
                }
                .map_err(broken)?;
                Ok(Signature::new(octets))
            }
            (Pair::Ec(curve, pair), input) => {
                let signature = match input {
                    SigningInput::Message(message) if algorithm == natural(*curve) => {
                        pair.sign(&SystemRandom::new(), message).map_err(broken)?
                    }
                    input => {
                        let digest = fitted(*curve, &digest_of(algorithm, input)?)?;
                        pair.sign_digest(&digest).map_err(broken)?
                    }
                };
                Ok(Signature::new(signature.as_ref().to_vec()))
            }
            (Pair::Ed25519(pair), SigningInput::Message(message)) => {
                let signature = pair.try_sign(message).map_err(broken)?;
                Ok(Signature::new(signature.as_ref().to_vec()))
            }
            (Pair::MlDsa(_, pair), SigningInput::Message(message)) => {
                let mut octets = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut octets).map_err(broken)?;
                octets.truncate(length);
                Ok(Signature::new(octets))
            }
            (Pair::Ed25519(_) | Pair::MlDsa(..), _) => {
                Err(SignError::refused(format!("AWS-LC signs messages alone with {algorithm}")))
            }
        }
    }
}

/// The public key, and nothing of the private one.
impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Verifies with AWS-LC: RSA of 2048 to 8192 bits, EC, Ed25519, ML-DSA.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifier;

impl VerifySignature for Verifier {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let verification = verification(key, algorithm)?;
        let key = UnparsedPublicKey::new(verification, key.key_octets());
        key.verify(message, signature).map_err(|_| blame(&key))
    }

    fn verify_digest(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let verification = verification(key, algorithm)?;
        let key = UnparsedPublicKey::new(verification, key.key_octets());
        // What cannot be a digest of the algorithm has no signature.
        let digest =
            digest_of(algorithm, SigningInput::Digest(digest)).map_err(|_| VerifyError::BadSignature)?;
        key.verify_digest(&digest, signature).map_err(|_| blame(&key))
    }
}

/// Only a failure pays for knowing whether the key itself is to blame.
fn blame(key: &UnparsedPublicKey<&[u8]>) -> VerifyError {
    match key.parse() {
        Ok(_) => VerifyError::BadSignature,
        Err(_) => VerifyError::KeyRefused {
            reason: "the point is not on its curve, or the RSA numbers are no key".into(),
        },
    }
}

fn verification(
    key: &PublicKey,
    algorithm: SignatureAlgorithm,
) -> Result<&'static dyn VerificationAlgorithm, VerifyError> {
    use SignatureAlgorithm as S;
    Ok(match (key.form(), algorithm) {
        (Form::Rsa { bits }, S::RsaPkcs1Sha256 | S::RsaPkcs1Sha384 | S::RsaPkcs1Sha512)
        | (Form::Rsa { bits }, S::RsaPssSha256 | S::RsaPssSha384 | S::RsaPssSha512)
            if !(2048..=8192).contains(&bits) =>
        {
            return Err(VerifyError::KeyRefused {
                reason: format!("the RSA key has {bits} bits; accepted: 2048 to 8192 bits").into(),
            });
        }
        (Form::Rsa { .. }, S::RsaPkcs1Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Form::Rsa { .. }, S::RsaPkcs1Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Form::Rsa { .. }, S::RsaPkcs1Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Form::Rsa { .. }, S::RsaPssSha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (Form::Rsa { .. }, S::RsaPssSha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (Form::Rsa { .. }, S::RsaPssSha512) => &signature::RSA_PSS_2048_8192_SHA512,
        (Form::Ec(Curve::P256), S::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Form::Ec(Curve::P256), S::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Form::Ec(Curve::P256), S::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Form::Ec(Curve::P384), S::EcdsaSha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Form::Ec(Curve::P384), S::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Form::Ec(Curve::P384), S::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Form::Ec(Curve::P521), S::EcdsaSha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (Form::Ec(Curve::P521), S::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (Form::Ec(Curve::P521), S::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (Form::Ed25519, S::Ed25519) => &signature::ED25519,
        (Form::MlDsa(ParameterSet::MlDsa44), S::MlDsa44) => &signature::ML_DSA_44,
        (Form::MlDsa(ParameterSet::MlDsa65), S::MlDsa65) => &signature::ML_DSA_65,
        (Form::MlDsa(ParameterSet::MlDsa87), S::MlDsa87) => &signature::ML_DSA_87,
        _ => {
            return Err(VerifyError::AlgorithmMismatch { key_type: key.key_type(), algorithm });
        }
    })
}

fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
    }
}

fn signing_ml_dsa(set: ParameterSet) -> &'static PqdsaSigningAlgorithm {
    match set {
        ParameterSet::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        ParameterSet::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        ParameterSet::MlDsa87 => &signature::ML_DSA_87_SIGNING,
    }
}

/// What [`signing`] hashes with.
const fn natural(curve: Curve) -> SignatureAlgorithm {
    match curve {
        Curve::P256 => SignatureAlgorithm::EcdsaSha256,
        Curve::P384 => SignatureAlgorithm::EcdsaSha384,
        Curve::P521 => SignatureAlgorithm::EcdsaSha512,
    }
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Result<&'static dyn RsaEncoding, SignError> {
    Ok(match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
        SignatureAlgorithm::RsaPssSha256 => &signature::RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPssSha384 => &signature::RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPssSha512 => &signature::RSA_PSS_SHA512,
        other => return Err(SignError::refused(format!("{other} is not a signature of RSA"))),
    })
}

/// The digest that is signed: made here, or brought along.
fn digest_of(algorithm: SignatureAlgorithm, input: SigningInput<'_>) -> Result<Digest, SignError> {
    let hash = match algorithm.digest_length() {
        Some(32) => &digest::SHA256,
        Some(48) => &digest::SHA384,
        Some(64) => &digest::SHA512,
        _ => return Err(SignError::refused(format!("{algorithm} does not sign digests"))),
    };
    match input {
        SigningInput::Message(message) => Ok(digest::digest(hash, message)),
        SigningInput::Digest(digest) => Digest::import_less_safe(digest, hash)
            .map_err(|_| SignError::refused("the digest does not have the length of its hash")),
        SigningInput::MlDsaMu(_) => Err(SignError::refused("only ML-DSA signs a mu")),
    }
}

/// The digest in the shape of the hash that the key pair was made for.
///
/// ECDSA signs the leftmost bits of a digest, as many as the curve's order has, as a number (SEC 1 4.1.3). A
/// longer digest may therefore be cut to the order's length, and a shorter one may get zeros in front.
fn fitted(curve: Curve, digest: &Digest) -> Result<Digest, SignError> {
    let (hash, length) = match curve {
        Curve::P256 => (&digest::SHA256, 32),
        Curve::P384 => (&digest::SHA384, 48),
        Curve::P521 => (&digest::SHA512, 64),
    };
    let octets = digest.as_ref();
    let kept = octets.get(..length).unwrap_or(octets);
    let mut fitted = Vec::with_capacity(length);
    fitted.resize(length - kept.len(), 0);
    fitted.extend_from_slice(kept);
    Digest::import_less_safe(&fitted, hash).map_err(|_| SignError::broken("AWS-LC did not take the digest"))
}
