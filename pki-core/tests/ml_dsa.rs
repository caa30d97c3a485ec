//! ML-DSA: one backend against the other, and both against the example of RFC 9881 appendix C.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use pki_core::key::{
    KeyAlgorithm, PrivateKeyDer, PrivateKeyError, PrivateKeyFormat, PublicKey, PublicKeyError, SignError,
    SignatureAlgorithm, SigningInput, SigningKey, VerifyError, VerifySignature, aws_lc, rustcrypto,
};
use pki_core::random::{RandomError, SecureRandom};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

struct Os;

impl SecureRandom for Os {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// The same key as seed (octets 0 to 31) and expanded key, from RFC 9881 appendix C.
const BOTH: &str = include_str!("fixtures/rfc9881-ml-dsa-44-both.pem");
/// That appendix again: the seed alone.
const SEED: &str = "-----BEGIN PRIVATE KEY-----\n\
    MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ\n\
    GhscHR4f\n\
    -----END PRIVATE KEY-----\n";

const SETS: [KeyAlgorithm; 3] = [KeyAlgorithm::MlDsa44, KeyAlgorithm::MlDsa65, KeyAlgorithm::MlDsa87];

fn load(der: &[u8]) -> (aws_lc::SoftwareKey, rustcrypto::SoftwareKey) {
    let key = PrivateKeyDer::from_der(der, None).unwrap();
    (
        aws_lc::SoftwareKey::from_private_key(&key).unwrap(),
        rustcrypto::SoftwareKey::from_private_key(&key).unwrap(),
    )
}

/// Each verifies what the other signs.
fn check_pair(aws: &aws_lc::SoftwareKey, pure: &rustcrypto::SoftwareKey) {
    assert_eq!(aws.public_key(), pure.public_key());
    let algorithm = aws.algorithms()[0];
    for key in [aws as &dyn SigningKey, pure] {
        let signature = key.sign(algorithm, SigningInput::Message(b"message"), &mut Os).unwrap();
        for verifier in [&aws_lc::Verifier as &dyn VerifySignature, &rustcrypto::Verifier] {
            let verify =
                |message| verifier.verify(key.public_key(), algorithm, message, signature.as_bytes());
            assert_eq!(verify(b"message"), Ok(()));
            assert_eq!(verify(b"other"), Err(VerifyError::BadSignature));
        }
    }
}

/// The expanded key of the example, in a file without the seed.
fn expanded_alone() -> Vec<u8> {
    let both = der(BOTH);
    let expanded = &both[both.len() - 2560..];
    [
        &[0x30, 0x82, 0x0a, 0x18, 2, 1, 0, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11][..],
        &[4, 0x82, 0x0a, 0x04, 4, 0x82, 0x0a, 0x00],
        expanded,
    ]
    .concat()
}

fn der(pem: &str) -> Vec<u8> {
    pki_core::pem::parse(pem).unwrap()[0].der.to_vec()
}

#[test]
fn the_example_of_rfc_9881_is_read_in_its_three_forms() {
    // That the seed and the expanded key belong together is what both backends compute.
    let (aws, pure) = load(&der(BOTH));
    check_pair(&aws, &pure);
    for key in [aws.to_private_key().unwrap(), pure.to_private_key().unwrap()] {
        assert_eq!(key.to_pem(PrivateKeyFormat::Traditional).as_str(), SEED, "the seed is what is written");
    }
    let (seeded, _) = load(&der(SEED));
    assert_eq!(seeded.public_key(), aws.public_key());
    // A seed that is not known is not written.
    let alone = expanded_alone();
    let (expanded, pure) = load(&alone);
    check_pair(&expanded, &pure);
    assert_eq!(expanded.public_key(), aws.public_key());
    assert_eq!(expanded.to_private_key().unwrap().pkcs8_der(), alone);
    assert_eq!(pure.to_private_key().unwrap().pkcs8_der(), alone);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let both = der(BOTH);
    let expanded_start = both.len() - 2560;
    for (name, at) in [
        ("the seed", expanded_start - 20),
        ("rho", expanded_start),
        ("K", expanded_start + 40),
        ("tr", expanded_start + 70),
        ("s1", expanded_start + 130),
        ("t0", both.len() - 1),
    ] {
        let mut changed = both.clone();
        changed[at] ^= 1;
        refused_by_both(name, &changed);
    }
    // Without the seed, rho, s1, s2 and tr are bound to each other; K is not, whoever made it.
    let alone = expanded_alone();
    let start = alone.len() - 2560;
    for (name, at) in
        [("rho alone", start), ("tr alone", start + 70), ("s1 alone", start + 130), ("s2 alone", start + 600)]
    {
        let mut changed = alone.clone();
        changed[at] ^= 1;
        refused_by_both(name, &changed);
        // A coefficient that no key has.
        changed[at] = 0xff;
        refused_by_both(name, &changed);
    }
}

fn refused_by_both(name: &str, der: &[u8]) {
    let key = PrivateKeyDer::from_der(der, None).unwrap();
    let aws = aws_lc::SoftwareKey::from_private_key(&key).map(|_| ());
    let pure = rustcrypto::SoftwareKey::from_private_key(&key).map(|_| ());
    for result in [aws, pure] {
        assert!(matches!(result, Err(PrivateKeyError::Inconsistent { .. })), "{name}: {result:?}");
    }
}

#[test]
fn a_mu_is_signed_like_its_message() {
    for set in SETS {
        let pure = rustcrypto::SoftwareKey::generate(set, &mut Os).unwrap();
        let aws = aws_lc::SoftwareKey::from_private_key(&pure.to_private_key().unwrap()).unwrap();
        check_pair(&aws, &pure);
        let algorithm = pure.algorithms()[0];
        // FIPS 204 algorithm 7, line 6, with the prefix of algorithm 2 for an empty context.
        let spki = pure.public_key().spki_der();
        let octets = [1312, 1952, 2592].into_iter().find(|octets| spki.len() == octets + 22).unwrap();
        let tr = shake(&[&spki[spki.len() - octets..]]);
        let mu = shake(&[&tr, &[0, 0], b"message"]);
        let signature = pure.sign(algorithm, SigningInput::MlDsaMu(&mu), &mut Os).unwrap();
        for verifier in [&aws_lc::Verifier as &dyn VerifySignature, &rustcrypto::Verifier] {
            assert_eq!(
                verifier.verify(pure.public_key(), algorithm, b"message", signature.as_bytes()),
                Ok(())
            );
        }
        let refused = aws.sign(algorithm, SigningInput::MlDsaMu(&mu), &mut Os);
        assert!(matches!(refused, Err(SignError::Refused { .. })));
        for key in [&aws as &dyn SigningKey, &pure] {
            let refused = key.sign(algorithm, SigningInput::Digest(&mu), &mut Os);
            assert!(matches!(refused, Err(SignError::Refused { .. })));
            for other in SETS.into_iter().filter(|other| *other != set) {
                let other = other.signature_algorithms()[0];
                let refused = key.sign(other, SigningInput::Message(b"message"), &mut Os);
                assert!(matches!(refused, Err(SignError::Refused { .. })), "{algorithm} with {other}");
            }
        }
    }
}

fn shake(parts: &[&[u8]]) -> [u8; 64] {
    let mut shake = Shake256::default();
    parts.iter().for_each(|part| shake.update(part));
    let mut octets = [0; 64];
    shake.finalize_xof().read(&mut octets);
    octets
}

#[test]
fn public_keys_of_another_form_are_refused() {
    let key = aws_lc::SoftwareKey::generate(KeyAlgorithm::MlDsa65, &mut Os).unwrap();
    let spki = key.public_key().spki_der();
    assert_eq!(PublicKey::from_spki_der(spki).unwrap().key_algorithm(), Some(KeyAlgorithm::MlDsa65));
    // The identifier of another parameter set.
    let mut other = spki.to_vec();
    other[16] = 0x11;
    assert!(matches!(PublicKey::from_spki_der(&other), Err(PublicKeyError::Malformed { .. })));
    // SLH-DSA.
    other[16] = 0x14;
    assert!(matches!(PublicKey::from_spki_der(&other), Err(PublicKeyError::UnsupportedAlgorithm { .. })));
    // With parameters, where RFC 9881 has none.
    let mut with_null = spki[4..].to_vec();
    with_null[1] = 0x0d;
    with_null.splice(13..13, [5, 0]);
    let length = (with_null.len() as u16).to_be_bytes();
    let with_null = [&[0x30, 0x82], &length[..], &with_null].concat();
    assert_eq!(
        PublicKey::from_spki_der(&with_null),
        Err(PublicKeyError::Parameters { expected: "none (RFC 9881 4)" })
    );
    assert_eq!(SignatureAlgorithm::from_der(&spki[4..17]), Some(SignatureAlgorithm::MlDsa65));
}
