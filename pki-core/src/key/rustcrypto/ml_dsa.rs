//! ML-DSA of the portable backend, whichever the parameter set.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ml_dsa::{
    EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes, MlDsa44, MlDsa65, MlDsa87, MlDsaParams,
};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use zeroize::Zeroizing;

use super::Unfailing;
use crate::key::ml_dsa::{ParameterSet, has_short_vectors};
use crate::key::{PrivateKeyDer, SignError, SigningInput};

/// A private key of any parameter set.
pub(super) trait MlDsaKey: Send + Sync {
    /// The public key as FIPS 204 encodes it.
    fn public(&self) -> Vec<u8>;

    /// Signs, with the randomness that hides the private key from whoever measures (FIPS 204 3.4).
    fn sign(&self, input: SigningInput<'_>, rng: &mut Unfailing<'_>) -> Result<Vec<u8>, SignError>;

    /// The expanded key, to compare with one in a file.
    fn expanded(&self) -> Zeroizing<Vec<u8>>;

    /// The key as a file keeps it.
    fn private_key(&self) -> PrivateKeyDer;
}

/// The key of a seed.
pub(super) fn from_seed(set: ParameterSet, seed: &[u8]) -> Option<Box<dyn MlDsaKey>> {
    fn expand<P: MlDsaParams + 'static>(set: ParameterSet, seed: &[u8]) -> Option<Box<dyn MlDsaKey>> {
        let octets = Zeroizing::new(<[u8; 32]>::try_from(seed).ok()?);
        let expanded = Box::new(ExpandedSigningKey::<P>::from_seed(&(*octets).into()));
        Some(Box::new(Key { set, secret: Secret::Seed(octets), expanded }))
    }
    match set {
        ParameterSet::MlDsa44 => expand::<MlDsa44>(set, seed),
        ParameterSet::MlDsa65 => expand::<MlDsa65>(set, seed),
        ParameterSet::MlDsa87 => expand::<MlDsa87>(set, seed),
    }
}

/// The key of an expanded private key, if its parts belong together.
pub(super) fn from_expanded(set: ParameterSet, octets: &[u8]) -> Option<Box<dyn MlDsaKey>> {
    fn load<P: MlDsaParams + 'static>(set: ParameterSet, octets: &[u8]) -> Option<Box<dyn MlDsaKey>> {
        if !has_short_vectors(set, octets) {
            return None;
        }
        let encoded = ExpandedSigningKeyBytes::<P>::try_from(octets).ok()?;
        #[expect(deprecated, reason = "RFC 9881 6 lets a file hold this form alone")]
        let expanded = Box::new(ExpandedSigningKey::<P>::from_expanded(&encoded));
        // FIPS 204 algorithm 6, line 9: tr is the hash of the public key, which follows from the rest.
        let mut hash = [0; 64];
        Shake256::default().chain(expanded.verifying_key().encode()).finalize_xof().read(&mut hash);
        if octets.get(64..128) != Some(&hash[..]) {
            return None;
        }
        let secret = Secret::Expanded(Zeroizing::new(octets.to_vec()));
        Some(Box::new(Key { set, secret, expanded }))
    }
    match set {
        ParameterSet::MlDsa44 => load::<MlDsa44>(set, octets),
        ParameterSet::MlDsa65 => load::<MlDsa65>(set, octets),
        ParameterSet::MlDsa87 => load::<MlDsa87>(set, octets),
    }
}

/// Whether `signature` is one over `message` by this public key, with an empty context (RFC 9881 2).
pub(super) fn verify(set: ParameterSet, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    fn check<P: MlDsaParams>(public: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let key = ml_dsa::VerifyingKey::<P>::decode(&EncodedVerifyingKey::<P>::try_from(public).ok()?);
        let signature = ml_dsa::Signature::<P>::try_from(signature).ok()?;
        Some(key.verify_with_context(message, &[], &signature))
    }
    let verified = match set {
        ParameterSet::MlDsa44 => check::<MlDsa44>(public, message, signature),
        ParameterSet::MlDsa65 => check::<MlDsa65>(public, message, signature),
        ParameterSet::MlDsa87 => check::<MlDsa87>(public, message, signature),
    };
    verified.unwrap_or(false)
}

struct Key<P: MlDsaParams> {
    set: ParameterSet,
    secret: Secret,
    expanded: Box<ExpandedSigningKey<P>>,
}

/// What the key was made of.
enum Secret {
    Seed(Zeroizing<[u8; 32]>),
    Expanded(Zeroizing<Vec<u8>>),
}

impl<P: MlDsaParams> MlDsaKey for Key<P> {
    fn public(&self) -> Vec<u8> {
        self.expanded.verifying_key().encode().to_vec()
    }

    fn sign(&self, input: SigningInput<'_>, rng: &mut Unfailing<'_>) -> Result<Vec<u8>, SignError> {
        let signature = match input {
            SigningInput::Message(message) => self.expanded.sign_randomized(message, &[], rng),
            SigningInput::MlDsaMu(mu) => self.expanded.sign_mu_randomized(&(*mu).into(), rng),
            SigningInput::Digest(_) => {
                return Err(SignError::refused("ML-DSA signs the message itself or its mu, not a digest"));
            }
        };
        let signature = signature.map_err(|_| SignError::broken("the ML-DSA key did not sign"))?;
        Ok(signature.encode().to_vec())
    }

    #[expect(deprecated, reason = "a file with both forms is checked against the expanded one")]
    fn expanded(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.expanded.to_expanded().to_vec())
    }

    fn private_key(&self) -> PrivateKeyDer {
        match &self.secret {
            Secret::Seed(seed) => PrivateKeyDer::from_ml_dsa_seed(self.set, &**seed),
            Secret::Expanded(expanded) => PrivateKeyDer::from_ml_dsa_expanded(self.set, expanded),
        }
    }
}
