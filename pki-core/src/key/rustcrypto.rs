//! The portable backend: pure Rust, works without an operating system.
//!
//! ECDSA is deterministic (RFC 6979) and needs no randomness. RSA signs only with blinding, which hides the
//! private exponent's timing behind `rng` (RUSTSEC-2023-0071 is why production keys sign elsewhere).

mod ml_dsa;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;

use ed25519_dalek::ed25519::signature::Signer;
use rand_core::{TryCryptoRng, TryRng};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use signature::hazmat::{PrehashSigner, PrehashVerifier};
use zeroize::Zeroizing;

use self::ml_dsa::MlDsaKey;
use super::algorithm::Curve;
use super::ml_dsa::ParameterSet;
use super::public::Form;
use super::{
    GenerateError, KeyAlgorithm, KeyOrigin, PrivateKeyDer, PrivateKeyError, PublicKey, PublicKeyError,
    SignError, Signature, SignatureAlgorithm, SigningInput, SigningKey, VerifyError, VerifySignature,
};
use crate::random::{RandomError, SecureRandom};

/// A private key in memory, which is overwritten when it is dropped.
pub struct SoftwareKey {
    secret: Secret,
    public: PublicKey,
}

enum Secret {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    MlDsa(ParameterSet, Box<dyn MlDsaKey>),
}

impl SoftwareKey {
    /// Makes a new key of `rng`.
    ///
    /// # Errors
    ///
    /// [`GenerateError`] if `rng` fails, or never delivers octets that are a key.
    pub fn generate(algorithm: KeyAlgorithm, rng: &mut dyn SecureRandom) -> Result<Self, GenerateError> {
        let secret = match algorithm {
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                let mut rng = Unfailing::new(rng);
                let key = RsaPrivateKey::new(&mut rng, algorithm.bits() as usize);
                rng.finish()?;
                let key = key.map_err(|error| GenerateError::Backend { reason: format!("{error}") })?;
                Secret::Rsa(Box::new(key))
            }
            KeyAlgorithm::EcP256 => generate_ec(Curve::P256, rng)?,
            KeyAlgorithm::EcP384 => generate_ec(Curve::P384, rng)?,
            KeyAlgorithm::EcP521 => generate_ec(Curve::P521, rng)?,
            KeyAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill(&mut *seed)?;
                Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
            KeyAlgorithm::MlDsa44 => generate_ml_dsa(ParameterSet::MlDsa44, rng)?,
            KeyAlgorithm::MlDsa65 => generate_ml_dsa(ParameterSet::MlDsa65, rng)?,
            KeyAlgorithm::MlDsa87 => generate_ml_dsa(ParameterSet::MlDsa87, rng)?,
        };
        Self::new(secret).map_err(|error| GenerateError::Backend { reason: format!("{error}") })
    }

    /// The key of a file, if its numbers belong together.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError::Inconsistent`] if they do not.
    pub fn from_private_key(key: &PrivateKeyDer) -> Result<Self, PrivateKeyError> {
        let (secret, what) = match key.form() {
            Form::Rsa { .. } => (rsa_key(key.secret()), "the numbers of the RSA key"),
            Form::Ec(curve) => (scalar(curve, key.secret()), "the EC private key and the order of its curve"),
            Form::Ed25519 => (
                key.secret()
                    .try_into()
                    .ok()
                    .map(|seed| Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed))),
                "the Ed25519 private key and its length",
            ),
            Form::MlDsa(set) => {
                let loaded = match ml_dsa::from_seed(set, key.secret()) {
                    Some(loaded) => {
                        key.check_expanded(&loaded.expanded())?;
                        Some(loaded)
                    }
                    None => ml_dsa::from_expanded(set, key.secret()),
                };
                (loaded.map(|loaded| Secret::MlDsa(set, loaded)), "the parts of the ML-DSA private key")
            }
        };
        let inconsistent = PrivateKeyError::Inconsistent { what };
        let Some(Ok(loaded)) = secret.map(Self::new) else {
            return Err(inconsistent);
        };
        key.check_public(&loaded.public)?;
        Ok(loaded)
    }

    /// The key as a file keeps it.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] if the key cannot be written.
    pub fn to_private_key(&self) -> Result<PrivateKeyDer, PrivateKeyError> {
        let ec =
            |curve, octets: &[u8]| PrivateKeyDer::from_scalar(curve, octets, Some(self.public.key_octets()));
        match &self.secret {
            Secret::Rsa(key) => {
                let pkcs1 = key
                    .to_pkcs1_der()
                    .map_err(|_| PrivateKeyError::Malformed { what: "its PKCS#1 form cannot be written" })?;
                PrivateKeyDer::from_pkcs1(pkcs1.as_bytes())
            }
            Secret::P256(key) => ec(Curve::P256, &Zeroizing::new(key.to_bytes())),
            Secret::P384(key) => ec(Curve::P384, &Zeroizing::new(key.to_bytes())),
            Secret::P521(key) => ec(Curve::P521, &Zeroizing::new(key.to_bytes())),
            Secret::Ed25519(key) => PrivateKeyDer::from_seed(key.as_bytes()),
            Secret::MlDsa(_, key) => Ok(key.private_key()),
        }
    }

    fn new(secret: Secret) -> Result<Self, PublicKeyError> {
        let public = match &secret {
            Secret::Rsa(key) => {
                let public = key
                    .as_public_key()
                    .to_pkcs1_der()
                    .map_err(|_| PublicKeyError::Malformed { what: "its PKCS#1 form cannot be written" })?;
                PublicKey::from_rsa(public.as_bytes())
            }
            Secret::P256(key) => {
                PublicKey::from_point(Curve::P256, key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Secret::P384(key) => {
                PublicKey::from_point(Curve::P384, key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Secret::P521(key) => {
                PublicKey::from_point(Curve::P521, key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Secret::Ed25519(key) => PublicKey::from_ed25519(key.verifying_key().as_bytes()),
            Secret::MlDsa(set, key) => PublicKey::from_ml_dsa(*set, &key.public()),
        }?;
        Ok(Self { secret, public })
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

    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        input: SigningInput<'_>,
        rng: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError> {
        self.public.check_signing(algorithm, input)?;
        let octets = match (&self.secret, input) {
            (Secret::Ed25519(key), SigningInput::Message(message)) => {
                key.try_sign(message).map(|signature| signature.to_bytes().to_vec())
            }
            (Secret::MlDsa(_, key), input) => {
                let mut rng = Unfailing::new(rng);
                let signed = key.sign(input, &mut rng);
                rng.finish()?;
                return signed.map(Signature::new);
            }
            (secret, SigningInput::Message(message)) => {
                return sign_digest(secret, algorithm, &digest(algorithm, message), rng);
            }
            (secret, SigningInput::Digest(digest)) => return sign_digest(secret, algorithm, digest, rng),
            (_, SigningInput::MlDsaMu(_)) => return Err(SignError::refused("only an ML-DSA key signs a mu")),
        };
        octets.map(Signature::new).map_err(|_| SignError::broken("Ed25519 did not sign"))
    }
}

/// The public key, and nothing of the private one.
impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("public", &self.public).finish_non_exhaustive()
    }
}

fn sign_digest(
    secret: &Secret,
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    rng: &mut dyn SecureRandom,
) -> Result<Signature, SignError> {
    let broken = |_| SignError::broken(format!("the key did not sign with {algorithm}"));
    let octets = match secret {
        Secret::Rsa(key) => {
            let mut rng = Unfailing::new(rng);
            let signed = sign_rsa(key, algorithm, digest, &mut rng);
            rng.finish()?;
            signed?
        }
        Secret::P256(key) => {
            let signature: p256::ecdsa::DerSignature = key.sign_prehash(digest).map_err(broken)?;
            signature.as_bytes().to_vec()
        }
        Secret::P384(key) => {
            let signature: p384::ecdsa::DerSignature = key.sign_prehash(digest).map_err(broken)?;
            signature.as_bytes().to_vec()
        }
        Secret::P521(key) => {
            let signature: p521::ecdsa::DerSignature = key.sign_prehash(&widened(digest)).map_err(broken)?;
            signature.as_bytes().to_vec()
        }
        Secret::Ed25519(_) | Secret::MlDsa(..) => {
            return Err(SignError::refused(format!("{algorithm} signs the message itself, not a digest")));
        }
    };
    Ok(Signature::new(octets))
}

fn sign_rsa(
    key: &RsaPrivateKey,
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    rng: &mut Unfailing<'_>,
) -> Result<Vec<u8>, SignError> {
    use SignatureAlgorithm as S;
    match algorithm {
        S::RsaPkcs1Sha256 => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), digest),
        S::RsaPkcs1Sha384 => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha384>(), digest),
        S::RsaPkcs1Sha512 => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha512>(), digest),
        S::RsaPssSha256 => key.sign_with_rng(rng, Pss::<Sha256>::new_blinded_with_salt(32), digest),
        S::RsaPssSha384 => key.sign_with_rng(rng, Pss::<Sha384>::new_blinded_with_salt(48), digest),
        S::RsaPssSha512 => key.sign_with_rng(rng, Pss::<Sha512>::new_blinded_with_salt(64), digest),
        S::EcdsaSha256
        | S::EcdsaSha384
        | S::EcdsaSha512
        | S::Ed25519
        | S::MlDsa44
        | S::MlDsa65
        | S::MlDsa87 => {
            return Err(SignError::refused(format!("an RSA key does not sign with {algorithm}")));
        }
    }
    .map_err(|error| SignError::broken(format!("the RSA key did not sign: {error}")))
}

/// Verifies in pure Rust: RSA of 1024 to 8192 bits, EC, Ed25519, ML-DSA.
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
        if !key.signature_algorithms().contains(&algorithm) {
            return Err(VerifyError::AlgorithmMismatch { key_type: key.key_type(), algorithm });
        }
        match key.form() {
            Form::Rsa { .. } | Form::Ec(_) => {
                return self.verify_digest(key, algorithm, &digest(algorithm, message), signature);
            }
            Form::MlDsa(set) => {
                let holds = ml_dsa::verify(set, key.key_octets(), message, signature);
                return if holds { Ok(()) } else { Err(VerifyError::BadSignature) };
            }
            Form::Ed25519 => {}
        }
        let refused = || VerifyError::KeyRefused {
            reason: "its octets are not a point of Ed25519, or one of small order".into(),
        };
        let octets = key.key_octets().try_into().map_err(|_| refused())?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(octets).map_err(|_| refused())?;
        if key.is_weak() {
            return Err(refused());
        }
        let bad = |_| VerifyError::BadSignature;
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(bad)?;
        key.verify_strict(message, &signature).map_err(bad)
    }

    fn verify_digest(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm.key_type() != key.key_type() {
            return Err(VerifyError::AlgorithmMismatch { key_type: key.key_type(), algorithm });
        }
        // What cannot be a digest of the algorithm has no signature; Ed25519 and ML-DSA sign none.
        if algorithm.digest_length() != Some(digest.len()) {
            return Err(VerifyError::BadSignature);
        }
        let off_curve = |_| VerifyError::KeyRefused { reason: "the point is not on its curve".into() };
        let bad = |_| VerifyError::BadSignature;
        let octets = key.key_octets();
        match key.form() {
            Form::Rsa { bits } => verify_rsa(bits, octets, algorithm, digest, signature),
            Form::Ec(Curve::P256) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(octets).map_err(off_curve)?;
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(bad)?;
                key.verify_prehash(digest, &signature).map_err(bad)
            }
            Form::Ec(Curve::P384) => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(octets).map_err(off_curve)?;
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(bad)?;
                key.verify_prehash(digest, &signature).map_err(bad)
            }
            Form::Ec(Curve::P521) => {
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(octets).map_err(off_curve)?;
                let signature = p521::ecdsa::Signature::from_der(signature).map_err(bad)?;
                key.verify_prehash(&widened(digest), &signature).map_err(bad)
            }
            Form::Ed25519 | Form::MlDsa(_) => Err(VerifyError::BadSignature),
        }
    }
}

fn verify_rsa(
    bits: u32,
    public: &[u8],
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    signature: &[u8],
) -> Result<(), VerifyError> {
    use SignatureAlgorithm as S;
    let key = RsaPublicKey::from_pkcs1_der(public).map_err(|_| VerifyError::KeyRefused {
        reason: format!(
            "the RSA key has {bits} bits; accepted: 1024 to 8192 bits with a public exponent below 2^33"
        )
        .into(),
    })?;
    match algorithm {
        S::RsaPkcs1Sha256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
        S::RsaPkcs1Sha384 => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
        S::RsaPkcs1Sha512 => key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature),
        S::RsaPssSha256 => key.verify(Pss::<Sha256>::new_with_salt(32), digest, signature),
        S::RsaPssSha384 => key.verify(Pss::<Sha384>::new_with_salt(48), digest, signature),
        S::RsaPssSha512 => key.verify(Pss::<Sha512>::new_with_salt(64), digest, signature),
        S::EcdsaSha256
        | S::EcdsaSha384
        | S::EcdsaSha512
        | S::Ed25519
        | S::MlDsa44
        | S::MlDsa65
        | S::MlDsa87 => {
            return Err(VerifyError::BadSignature);
        }
    }
    .map_err(|_| VerifyError::BadSignature)
}

/// The message's digest; empty for Ed25519 and ML-DSA, which have none.
fn digest(algorithm: SignatureAlgorithm, message: &[u8]) -> Vec<u8> {
    match algorithm.digest_length() {
        Some(32) => Sha256::digest(message).to_vec(),
        Some(48) => Sha384::digest(message).to_vec(),
        Some(64) => Sha512::digest(message).to_vec(),
        _ => Vec::new(),
    }
}

/// A digest for P-521, with zeros in front to 64 octets: the same number (SEC 1 4.1.3), but never less than half
/// as long as the curve's order, which the crate refuses.
fn widened(digest: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(64);
    octets.resize(64_usize.saturating_sub(digest.len()), 0);
    octets.extend_from_slice(digest);
    octets
}

/// A scalar by rejection: uniform, where a reduction would not be.
fn generate_ec(curve: Curve, rng: &mut dyn SecureRandom) -> Result<Secret, GenerateError> {
    let mut buffer = Zeroizing::new([0_u8; 66]);
    let octets = buffer.get_mut(..curve.octets()).unwrap_or_default();
    // Each try fails with a probability below 1/2, for the curves we have below 2^-30.
    for _ in 0..128 {
        rng.fill(octets)?;
        if let (Curve::P521, Some(first)) = (curve, octets.first_mut()) {
            // 521 bits are 65 octets and one bit.
            *first &= 1;
        }
        if let Some(secret) = scalar(curve, octets) {
            return Ok(secret);
        }
    }
    Err(GenerateError::Backend {
        reason: "the source of randomness delivers no number below the curve's order".into(),
    })
}

fn generate_ml_dsa(set: ParameterSet, rng: &mut dyn SecureRandom) -> Result<Secret, GenerateError> {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill(&mut *seed)?;
    match ml_dsa::from_seed(set, &*seed) {
        Some(key) => Ok(Secret::MlDsa(set, key)),
        None => Err(GenerateError::Backend { reason: "a seed of 32 octets made no ML-DSA key".into() }),
    }
}

/// The key of this scalar, unless it is zero or not below the curve's order.
fn scalar(curve: Curve, octets: &[u8]) -> Option<Secret> {
    match curve {
        Curve::P256 => p256::ecdsa::SigningKey::from_slice(octets).ok().map(Secret::P256),
        Curve::P384 => p384::ecdsa::SigningKey::from_slice(octets).ok().map(Secret::P384),
        Curve::P521 => p521::ecdsa::SigningKey::from_slice(octets).ok().map(Secret::P521),
    }
}

/// The key of an RSAPrivateKey whose eight numbers belong together.
fn rsa_key(pkcs1: &[u8]) -> Option<Secret> {
    let key = RsaPrivateKey::from_pkcs1_der(pkcs1).ok()?;
    // The crate computes the CRT values anew instead of reading them: what it would write must be what it read.
    let written = key.to_pkcs1_der().ok()?;
    (written.as_bytes() == pkcs1).then(|| Secret::Rsa(Box::new(key)))
}

/// Our source of randomness for a crate that takes only sources that cannot fail.
///
/// After a failure it delivers a fixed sequence, so that a search for primes ends; what was made of it is thrown
/// away by [`Unfailing::finish`].
struct Unfailing<'a> {
    source: &'a mut dyn SecureRandom,
    failed: Option<(RandomError, u64)>,
}

impl<'a> Unfailing<'a> {
    fn new(source: &'a mut dyn SecureRandom) -> Self {
        Self { source, failed: None }
    }

    /// Whether the source delivered all the time.
    fn finish(self) -> Result<(), RandomError> {
        self.failed.map_or(Ok(()), |(error, _)| Err(error))
    }
}

impl TryRng for Unfailing<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = Zeroizing::new([0; 4]);
        self.try_fill_bytes(&mut *octets)?;
        Ok(u32::from_le_bytes(*octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = Zeroizing::new([0; 8]);
        self.try_fill_bytes(&mut *octets)?;
        Ok(u64::from_le_bytes(*octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        if self.failed.is_none() {
            match self.source.fill(out) {
                Ok(()) => return Ok(()),
                Err(error) => self.failed = Some((error, 0)),
            }
        }
        if let Some((_, counter)) = &mut self.failed {
            for block in out.chunks_mut(32) {
                *counter = counter.wrapping_add(1);
                let octets = Sha256::digest(counter.to_le_bytes());
                block.iter_mut().zip(octets).for_each(|(to, from)| *to = from);
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Unfailing<'_> {}
