//! Keys that must not be certified: made ones at the bounds of each test, and real ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

use crypto_bigint::{BoxedUint, ConcatenatingMul as _};
use pki_core::csr::CertificationRequest;
use pki_core::key::rustcrypto::{SoftwareKey, Verifier};
use pki_core::key::weak::{self, KnownWeakKeys, KnownWeakKeysError, Listed, WeakKey};
use pki_core::key::{KeyAlgorithm, PublicKey, SigningKey as _};
use pki_core::pem;
use pki_core::random::{RandomError, SecureRandom};
use proptest::prelude::*;

struct Os;

impl SecureRandom for Os {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
}

/// A DER element with the shortest length.
fn short(tag: u8, content: &[u8]) -> Vec<u8> {
    match content.len() {
        length @ 0..0x80 => [&[tag, length as u8], content].concat(),
        length @ 0x80..0x100 => [&[tag, 0x81, length as u8], content].concat(),
        _ => element(tag, content),
    }
}

fn spki(algorithm: &[u8], key: &[u8]) -> PublicKey {
    let bits = short(3, &[&[0], key].concat());
    PublicKey::from_spki_der(&short(0x30, &[&short(0x30, algorithm), &bits[..]].concat())).unwrap()
}

/// The key of a PKCS#1 RSAPublicKey.
fn rsa(public: &[u8]) -> PublicKey {
    spki(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", public)
}

fn integer(number: &BoxedUint) -> Vec<u8> {
    let octets = number.to_be_bytes_trimmed_vartime();
    let sign: &[u8] = if octets[0] & 0x80 != 0 { &[0] } else { &[] };
    short(2, &[sign, &octets].concat())
}

fn number(hex: &str) -> BoxedUint {
    BoxedUint::from_str_radix_vartime(hex, 16).unwrap()
}

#[test]
fn rsa_keys_at_the_bounds_of_each_test() {
    let rows = include_str!("fixtures/weak-keys.txt").lines().filter(|line| !line.starts_with('#'));
    let mut refused = 0;
    for row in rows {
        let [name, test, p, q, e] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let modulus = number(p).concatenating_mul(&number(q));
        let key = rsa(&short(0x30, &[integer(&modulus), integer(&number(e))].concat()));
        let found = weak::check(&key, Listed::No).map_err(|weak| weak.test());
        let expected = if test == "none" { Ok(()) } else { Err(test) };
        assert_eq!(found, expected, "{name}");
        refused += usize::from(found.is_err());
    }
    assert_eq!(refused, 8);
}

#[test]
fn a_published_key_with_the_fingerprint_of_roca_is_found() {
    let csr = CertificationRequest::from_pem(include_str!("fixtures/roca.csr"), &Verifier).unwrap();
    assert_eq!(weak::check(csr.public_key(), Listed::No), Err(WeakKey::Roca));
}

/// What `openssl rsa -RSAPublicKey_in -in debian-weak-key.pem -noout -modulus | sha1sum | cut -c21-40` prints.
const DEBIAN: &str = "b7ead9492dfd921fc4f9";

fn debian() -> PublicKey {
    rsa(&pem::parse(include_str!("fixtures/debian-weak-key.pem")).unwrap()[0].der)
}

#[test]
fn a_real_key_of_debian_is_found_by_its_list() {
    let key = debian();
    assert_eq!(weak::check(&key, Listed::No), Ok(()), "its numbers show nothing");
    for (name, text) in [
        ("openssl-blacklist", format!("# Blacklist\n0011223344556677889a\n{DEBIAN}\n")),
        ("with remarks and carriage returns", format!("{DEBIAN} # pid 1\r\n\r\n")),
        ("a JSON array", format!("[\"0011223344556677889a\", \"{DEBIAN}\"]")),
        ("a JSON array over lines", format!("[\n  \"{DEBIAN}\",\n  \"0011223344556677889A\"\n]\n")),
    ] {
        let list = KnownWeakKeys::parse(&text).unwrap();
        assert!(list.contains(&key), "{name}");
        assert_eq!(KnownWeakKeys::from_octets(&list.to_octets()).unwrap(), list, "{name}");
    }
    let others = KnownWeakKeys::parse("0011223344556677889a\n").unwrap();
    assert!(!others.contains(&key));
    let both = others.with(KnownWeakKeys::parse(DEBIAN).unwrap()).with(KnownWeakKeys::parse(DEBIAN).unwrap());
    assert!(both.contains(&key));
    assert_eq!(both.len(), 2);
    assert_eq!(weak::check(&key, Listed::Yes), Err(WeakKey::Listed));
    // Other kinds of keys are in no such list.
    let ec = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut Os).unwrap();
    assert!(!both.contains(ec.public_key()));
}

#[test]
fn what_is_no_list_is_refused_with_its_line() {
    use KnownWeakKeysError as E;
    let entry = |line, entry: &str| E::Entry { line, entry: entry.to_owned() };
    for (name, text, error) in [
        ("nothing", "", E::Empty),
        ("remarks alone", "# nothing\n", E::Empty),
        ("an empty array", "[]", E::Empty),
        ("a short digest", "0011223344556677889\n", entry(1, "0011223344556677889")),
        ("an odd digest", "# x\n0011223344556677889ab\n", entry(2, "0011223344556677889ab")),
        ("a whole SHA-1", &"0".repeat(40), entry(1, &"0".repeat(40))),
        ("no hexadecimal", "0011223344556677889g\n", entry(1, "0011223344556677889g")),
        ("a key", "-----BEGIN PUBLIC KEY-----", entry(1, "-----BEGIN PUBLIC KEY-----")),
        ("an object", "{\"keys\": []}", entry(1, "{\"keys\": []}")),
        ("digits of another script", "٠٠11223344556677889a", entry(1, "٠٠11223344556677889a")),
    ] {
        assert_eq!(KnownWeakKeys::parse(text), Err(error), "{name}");
    }
    assert_eq!(KnownWeakKeys::from_octets(&[0; 19]), Err(E::Cut));
}

#[test]
fn points_are_on_their_curve_and_canonical() {
    for algorithm in [KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::EcP521] {
        for _ in 0..8 {
            let key = SoftwareKey::generate(algorithm, &mut Os).unwrap();
            assert_eq!(weak::check(key.public_key(), Listed::No), Ok(()), "{algorithm}");
            let der = key.public_key().spki_der();
            let length = (algorithm.bits() as usize).div_ceil(8);
            for (name, at, test) in
                [("y", der.len() - 1, "off-curve"), ("x", der.len() - length - 1, "off-curve")]
            {
                let mut changed = der.to_vec();
                changed[at] ^= 1;
                let changed = PublicKey::from_spki_der(&changed).unwrap();
                let found = weak::check(&changed, Listed::No).map_err(|weak| weak.test());
                assert_eq!(found, Err(test), "{algorithm}: {name}");
            }
            for start in [der.len() - length, der.len() - 2 * length] {
                let mut changed = der.to_vec();
                changed[start..start + length].fill(0xff);
                let changed = PublicKey::from_spki_der(&changed).unwrap();
                assert_eq!(weak::check(&changed, Listed::No), Err(WeakKey::PointNotCanonical), "{algorithm}");
            }
            // (0, 0), which some take for the point at infinity.
            let mut zero = der.to_vec();
            zero[der.len() - 2 * length..].fill(0);
            let zero = PublicKey::from_spki_der(&zero).unwrap();
            assert_eq!(weak::check(&zero, Listed::No), Err(WeakKey::OffCurve), "{algorithm}");
        }
    }
}

#[test]
fn ed25519_points_of_small_order_are_refused_in_every_form() {
    let ed25519 = |octets: &[u8]| weak::check(&spki(b"\x06\x03\x2b\x65\x70", octets), Listed::No);
    let octets = |hex: &str| -> Vec<u8> {
        (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    for (name, hex, expected) in [
        ("order 1", "0100000000000000000000000000000000000000000000000000000000000000", WeakKey::SmallOrder),
        ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", WeakKey::SmallOrder),
        ("order 4", "0000000000000000000000000000000000000000000000000000000000000000", WeakKey::SmallOrder),
        (
            "order 4, the other",
            "0000000000000000000000000000000000000000000000000000000000000080",
            WeakKey::SmallOrder,
        ),
        ("order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", WeakKey::SmallOrder),
        (
            "order 8, negated",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            WeakKey::SmallOrder,
        ),
        (
            "order 8, the other",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            WeakKey::SmallOrder,
        ),
        (
            "order 8, negated",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            WeakKey::SmallOrder,
        ),
        (
            "order 1 with a sign",
            "0100000000000000000000000000000000000000000000000000000000000080",
            WeakKey::SmallOrder,
        ),
        (
            "y = p",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            WeakKey::PointNotCanonical,
        ),
        (
            "y = p + 1",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            WeakKey::PointNotCanonical,
        ),
        (
            "y = 2^255 - 1",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            WeakKey::PointNotCanonical,
        ),
    ] {
        assert_eq!(ed25519(&octets(hex)), Err(expected), "{name}");
        // The portable backend says so too.
        let verifier: &dyn pki_core::key::VerifySignature = &Verifier;
        let key = spki(b"\x06\x03\x2b\x65\x70", &octets(hex));
        let algorithm = pki_core::key::SignatureAlgorithm::Ed25519;
        verifier.verify(&key, algorithm, b"", &[0; 64]).unwrap_err();
    }
    // RFC 8032 7.1, test 1.
    let good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(ed25519(&octets(good)), Ok(()));
}

#[test]
fn keys_of_our_own_making_pass() {
    for algorithm in KeyAlgorithm::ALL {
        // The portable search for larger primes takes long.
        if matches!(algorithm, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096) {
            continue;
        }
        let key = SoftwareKey::generate(algorithm, &mut Os).unwrap();
        assert_eq!(weak::check(key.public_key(), Listed::No), Ok(()), "{algorithm}");
    }
}

proptest! {
    #[test]
    fn random_numbers_never_panic(modulus in prop::collection::vec(any::<u8>(), 1..300), exponent in prop::collection::vec(any::<u8>(), 1..80)) {
        let public = short(0x30, &[short(2, &modulus), short(2, &exponent)].concat());
        let bits = short(3, &[&[0], &public[..]].concat());
        let algorithm = short(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
        if let Ok(key) = PublicKey::from_spki_der(&short(0x30, &[algorithm, bits].concat())) {
            let _ = weak::check(&key, Listed::No);
        }
    }

    #[test]
    fn random_lists_never_panic(text in "\\PC*") {
        if let Ok(list) = KnownWeakKeys::parse(&text) {
            prop_assert_eq!(KnownWeakKeys::from_octets(&list.to_octets()), Ok(list));
        }
    }
}
