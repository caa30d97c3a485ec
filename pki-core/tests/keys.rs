//! Keys, against the other backend and against OpenSSL.
//!
//! The `openssl` command makes files for us to read, and reads what we write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use pki_core::key::{
    KeyAlgorithm, KeyType, PrivateKeyDer, PrivateKeyError, PrivateKeyFormat, PublicKey, PublicKeyError,
    SignError, SignatureAlgorithm, SigningInput, SigningKey, VerifyError, VerifySignature, aws_lc,
    rustcrypto,
};
use pki_core::pem;
use pki_core::random::{RandomError, SecureRandom};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

struct Os;

impl SecureRandom for Os {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

struct Failing(usize);

impl SecureRandom for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 = self.0.checked_sub(1).ok_or(RandomError)?;
        Os.fill(out)
    }
}

/// Runs `openssl`, and says how it went.
fn try_openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("these tests need the `openssl` command: install it (apt-get install openssl): {error}")
        });
    // It may end without reading all.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    try_openssl(arguments, input).unwrap_or_else(|error| panic!("openssl {arguments:?}: {error}"))
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap()
}

fn genpkey(arguments: &[&str]) -> String {
    text(openssl(&[&["genpkey"], arguments].concat(), b""))
}

/// One private key of each algorithm that OpenSSL 3.0 has, made by it, in PKCS#8.
fn peers() -> &'static [(KeyAlgorithm, String)] {
    static PEERS: OnceLock<Vec<(KeyAlgorithm, String)>> = OnceLock::new();
    PEERS.get_or_init(|| {
        KeyAlgorithm::ALL
            .into_iter()
            .filter(|algorithm| algorithm.key_type() != KeyType::MlDsa)
            .map(|algorithm| {
                let option = match algorithm.key_type() {
                    KeyType::Rsa => format!("rsa_keygen_bits:{}", algorithm.bits()),
                    _ => format!("ec_paramgen_curve:P-{}", algorithm.bits()),
                };
                let pem = match algorithm.key_type() {
                    KeyType::Rsa => genpkey(&["-algorithm", "RSA", "-pkeyopt", &option]),
                    KeyType::Ec => genpkey(&["-algorithm", "EC", "-pkeyopt", &option]),
                    _ => genpkey(&["-algorithm", "ED25519"]),
                };
                (algorithm, pem)
            })
            .collect()
    })
}

fn peer(algorithm: KeyAlgorithm) -> &'static str {
    &peers().iter().find(|(other, _)| *other == algorithm).unwrap().1
}

fn digest(algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
    match algorithm.digest_length()? {
        32 => Some(Sha256::digest(message).to_vec()),
        48 => Some(Sha384::digest(message).to_vec()),
        _ => Some(Sha512::digest(message).to_vec()),
    }
}

/// Each pair of key and algorithm, signed by `key`, holds for both verifiers, and for nothing else.
fn check_signatures(key: &dyn SigningKey) {
    let message = b"to be signed";
    assert_eq!(key.algorithms(), key.public_key().signature_algorithms());
    for &algorithm in key.algorithms() {
        let mut inputs = vec![SigningInput::Message(message)];
        let digest = digest(algorithm, message);
        inputs.extend(digest.as_deref().map(SigningInput::Digest));
        for input in inputs {
            let signature = key.sign(algorithm, input, &mut Os).unwrap();
            assert!(signature.as_bytes().len() <= key.public_key().signature_octets(), "{algorithm}");
            for verifier in [&aws_lc::Verifier as &dyn VerifySignature, &rustcrypto::Verifier] {
                let verify = |message: &[u8], signature: &[u8]| {
                    verifier.verify(key.public_key(), algorithm, message, signature)
                };
                assert_eq!(
                    verify(message, signature.as_bytes()),
                    Ok(()),
                    "{algorithm} {:?}",
                    key.public_key()
                );
                assert_eq!(
                    verify(b"other", signature.as_bytes()),
                    Err(VerifyError::BadSignature),
                    "{algorithm}"
                );
                assert_eq!(verify(message, b""), Err(VerifyError::BadSignature), "{algorithm}");
                let mut broken = signature.as_bytes().to_vec();
                *broken.last_mut().unwrap() ^= 1;
                assert_eq!(verify(message, &broken), Err(VerifyError::BadSignature), "{algorithm}");
                let mut longer = signature.as_bytes().to_vec();
                longer.push(0);
                assert_eq!(verify(message, &longer), Err(VerifyError::BadSignature), "{algorithm}");
                // Another hash, another padding, another kind of key.
                for other in SignatureAlgorithm::ALL {
                    if other != algorithm {
                        verifier.verify(key.public_key(), other, message, signature.as_bytes()).unwrap_err();
                    }
                }
            }
        }
    }
    let foreign = SignatureAlgorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.key_type() != key.public_key().key_type())
        .unwrap();
    let mu = SigningInput::MlDsaMu(&[0; 64]);
    for (algorithm, input) in [
        (foreign, SigningInput::Message(message)),
        (foreign, mu),
        (key.algorithms()[0], SigningInput::Digest(b"short")),
        (key.algorithms()[0], mu),
    ] {
        if algorithm == key.algorithms()[0] && key.public_key().key_type() == KeyType::MlDsa {
            continue;
        }
        let refusal = key.sign(algorithm, input, &mut Os).unwrap_err();
        assert!(matches!(refusal, SignError::Refused { .. }), "{refusal}");
    }
}

/// What both backends share is checked on one key of each.
fn check_round_trip(private: &PrivateKeyDer, public: &PublicKey) {
    for format in [PrivateKeyFormat::Pkcs8, PrivateKeyFormat::Traditional] {
        let pem = private.to_pem(format);
        let der = private.to_der(format);
        for read in [
            PrivateKeyDer::from_pem(&pem, None).unwrap(),
            PrivateKeyDer::from_pem(&pem, Some(b"not needed")).unwrap(),
            PrivateKeyDer::from_der(&der, None).unwrap(),
        ] {
            assert_eq!(read.pkcs8_der(), private.pkcs8_der());
            assert_eq!(read.to_der(format), der);
            assert_eq!(read.key_type(), public.key_type());
        }
        if public.key_type() == KeyType::MlDsa {
            continue;
        }
        openssl(&["pkey", "-check", "-noout"], pem.as_bytes());
        assert_eq!(openssl(&["pkey", "-pubout", "-outform", "DER"], pem.as_bytes()), public.spki_der());
        openssl(&["pkey", "-check", "-noout", "-inform", "DER"], &der);
    }
    let aws = aws_lc::SoftwareKey::from_private_key(private).unwrap();
    let pure = rustcrypto::SoftwareKey::from_private_key(private).unwrap();
    assert_eq!(aws.public_key(), public);
    assert_eq!(pure.public_key(), public);
    assert_eq!(aws.to_private_key().unwrap().pkcs8_der(), pure.to_private_key().unwrap().pkcs8_der());
    check_signatures(&aws);
    check_signatures(&pure);
}

#[test]
fn every_algorithm_generates_signs_and_is_verified_by_the_other_backend() {
    for algorithm in KeyAlgorithm::ALL {
        let aws = aws_lc::SoftwareKey::generate(algorithm, &mut Os).unwrap();
        assert_eq!(aws.public_key().key_algorithm(), Some(algorithm));
        check_round_trip(&aws.to_private_key().unwrap(), aws.public_key());
        let pure = rustcrypto::SoftwareKey::generate(algorithm, &mut Os).unwrap();
        assert_eq!(pure.public_key().key_algorithm(), Some(algorithm));
        check_round_trip(&pure.to_private_key().unwrap(), pure.public_key());
        let other = aws_lc::SoftwareKey::generate(algorithm, &mut Os);
        assert_ne!(other.unwrap().public_key(), aws.public_key());
    }
}

#[test]
fn keys_of_openssl_load_in_every_format() {
    for (algorithm, pem) in peers() {
        let public = openssl(&["pkey", "-pubout", "-outform", "DER"], pem.as_bytes());
        let public = PublicKey::from_spki_der(&public).unwrap();
        assert_eq!(public.key_algorithm(), Some(*algorithm));
        let mut files = vec![pem.clone()];
        if algorithm.key_type() != KeyType::Ed25519 {
            files.push(text(openssl(&["pkey", "-traditional"], pem.as_bytes())));
        }
        if algorithm.key_type() == KeyType::Rsa {
            files.push(text(openssl(&["rsa", "-traditional"], pem.as_bytes())));
        }
        if algorithm.key_type() == KeyType::Ec {
            files.push(text(openssl(&["ec"], pem.as_bytes())));
            let compressed = text(openssl(&["ec", "-conv_form", "compressed"], pem.as_bytes()));
            let read = PrivateKeyDer::from_pem(&compressed, None).unwrap();
            let key = rustcrypto::SoftwareKey::from_private_key(&read).unwrap();
            assert_eq!(key.public_key(), &public);
            assert_eq!(aws_lc::SoftwareKey::from_private_key(&read).unwrap().public_key(), &public);
            files.push(text(openssl(&["ec", "-no_public"], pem.as_bytes())));
            let name = match algorithm.bits() {
                256 => "prime256v1",
                384 => "secp384r1",
                _ => "secp521r1",
            };
            // This one has a block EC PARAMETERS in front.
            let with_parameters = text(openssl(&["ecparam", "-genkey", "-name", name], b""));
            assert!(with_parameters.contains(pem::EC_PARAMETERS));
            PrivateKeyDer::from_pem(&with_parameters, None).unwrap();
        }
        for options in [
            &["-v2", "aes-256-cbc"][..],
            &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
            &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"],
            &["-scrypt"],
        ] {
            let encrypt = [&["pkcs8", "-topk8", "-passout", "pass:correct horse"], options].concat();
            files.push(text(openssl(&encrypt, pem.as_bytes())));
        }
        for file in files {
            let read = PrivateKeyDer::from_pem(&file, Some(b"correct horse"))
                .unwrap_or_else(|error| panic!("{algorithm}: {error}\n{file}"));
            let aws = aws_lc::SoftwareKey::from_private_key(&read).unwrap();
            let pure = rustcrypto::SoftwareKey::from_private_key(&read).unwrap();
            assert_eq!(aws.public_key(), &public);
            assert_eq!(pure.public_key(), &public);
            assert_eq!(aws.to_private_key().unwrap().pkcs8_der(), pure.to_private_key().unwrap().pkcs8_der());
            let block = &pem::parse(&file).unwrap()[0];
            let read = PrivateKeyDer::from_der(&block.der, Some(b"correct horse")).unwrap();
            assert_eq!(read.key_type(), algorithm.key_type());
        }
    }
}

#[test]
fn openssl_verifies_what_we_sign() {
    let directory = std::env::temp_dir().join(format!("pki-core-keys-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("message"), b"to be signed").unwrap();
    for (algorithm, pem) in peers() {
        let private = PrivateKeyDer::from_pem(pem, None).unwrap();
        let aws = aws_lc::SoftwareKey::from_private_key(&private).unwrap();
        let pure = rustcrypto::SoftwareKey::from_private_key(&private).unwrap();
        std::fs::write(path("public"), pem::encode(pem::PUBLIC_KEY, aws.public_key().spki_der())).unwrap();
        for key in [&aws as &dyn SigningKey, &pure] {
            for &signed in key.algorithms() {
                let signature = key.sign(signed, SigningInput::Message(b"to be signed"), &mut Os).unwrap();
                std::fs::write(path("signature"), signature.as_bytes()).unwrap();
                let (public, signature, message) = (path("public"), path("signature"), path("message"));
                let hash = match signed.digest_length() {
                    Some(32) => "sha256",
                    Some(48) => "sha384",
                    _ => "sha512",
                };
                let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", &public];
                arguments.extend(["-sigfile", &signature, "-rawin", "-in", &message]);
                if signed != SignatureAlgorithm::Ed25519 {
                    arguments.extend(["-digest", hash]);
                }
                if matches!(
                    signed,
                    SignatureAlgorithm::RsaPssSha256
                        | SignatureAlgorithm::RsaPssSha384
                        | SignatureAlgorithm::RsaPssSha512
                ) {
                    arguments.extend([
                        "-pkeyopt",
                        "rsa_padding_mode:pss",
                        "-pkeyopt",
                        "rsa_pss_saltlen:digest",
                    ]);
                }
                try_openssl(&arguments, b"").unwrap_or_else(|error| panic!("{algorithm} {signed}: {error}"));
            }
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Name, file, password, and which error it gives.
type Row<'a> = (&'a str, String, Option<&'a [u8]>, fn(&PrivateKeyError) -> bool);

#[test]
fn what_is_no_usable_private_key_is_refused_by_name() {
    let p256 = peer(KeyAlgorithm::EcP256);
    let rsa = peer(KeyAlgorithm::Rsa2048);
    let encrypted = text(openssl(&["pkcs8", "-topk8", "-passout", "pass:secret"], p256.as_bytes()));
    let scrypt = text(openssl(&["pkcs8", "-topk8", "-scrypt", "-passout", "pass:secret"], p256.as_bytes()));
    let iterations = ["pkcs8", "-topk8", "-iter", "5000001", "-passout", "pass:secret"];
    let iterations = text(openssl(&iterations, p256.as_bytes()));
    let triple_des = ["pkcs8", "-topk8", "-v2", "des3", "-passout", "pass:secret"];
    let triple_des = text(openssl(&triple_des, p256.as_bytes()));
    let pbes1 = ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", "pass:secret"];
    let pbes1 = text(openssl(&pbes1, p256.as_bytes()));
    let legacy = ["pkey", "-traditional", "-aes128", "-passout", "pass:secret"];
    let legacy = text(openssl(&legacy, rsa.as_bytes()));
    let arguments = ["req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=x"];
    let certificate = text(openssl(&arguments, p256.as_bytes()));
    let public = text(openssl(&["pkey", "-pubout"], p256.as_bytes()));
    let explicit = ["ecparam", "-genkey", "-name", "prime256v1", "-param_enc", "explicit", "-noout"];
    let explicit = text(openssl(&explicit, b""));
    let small = genpkey(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let pss = genpkey(&["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let primes = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_primes:3", "-pkeyopt", "rsa_keygen_bits:2048"];
    let primes = genpkey(&primes);

    let inner = |error: fn(&PrivateKeyError) -> bool| error;
    let rows: Vec<Row<'_>> = vec![
        (
            "nothing",
            String::new(),
            None,
            inner(|e| matches!(e, PrivateKeyError::Pem(pem::PemError::NoBlock))),
        ),
        ("a password that is missing", encrypted.clone(), None, |e| *e == PrivateKeyError::PasswordMissing),
        ("a wrong password", encrypted.clone(), Some(b"Secret"), |e| *e == PrivateKeyError::WrongPassword),
        ("an empty password", encrypted.clone(), Some(b""), |e| *e == PrivateKeyError::WrongPassword),
        ("a wrong password with scrypt", scrypt, Some(b"x"), |e| *e == PrivateKeyError::WrongPassword),
        ("too much PBKDF2", iterations, Some(b"secret"), |e| {
            matches!(e, PrivateKeyError::KdfTooCostly { asked: 5_000_001, .. })
        }),
        ("triple DES", triple_des, Some(b"secret"), |e| {
            matches!(e, PrivateKeyError::UnsupportedEncryption { .. })
        }),
        ("PBES1", pbes1, Some(b"secret"), |e| matches!(e, PrivateKeyError::UnsupportedEncryption { .. })),
        ("legacy encryption", legacy, Some(b"secret"), |e| *e == PrivateKeyError::LegacyEncryption),
        ("two keys", format!("{p256}{rsa}"), None, |e| *e == PrivateKeyError::SeveralKeys { count: 2 }),
        (
            "a certificate",
            certificate.clone(),
            None,
            |e| matches!(e, PrivateKeyError::NotAPrivateKey { found } if found == "CERTIFICATE"),
        ),
        (
            "a public key",
            public,
            None,
            |e| matches!(e, PrivateKeyError::NotAPrivateKey { found } if found == "PUBLIC KEY"),
        ),
        ("explicit curve", explicit, None, |e| matches!(e, PrivateKeyError::UnsupportedCurve { .. })),
        (
            "P-224",
            genpkey(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"]),
            None,
            |e| matches!(e, PrivateKeyError::UnsupportedCurve { curve } if curve == "P-224"),
        ),
        (
            "secp256k1",
            genpkey(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            None,
            |e| matches!(e, PrivateKeyError::UnsupportedCurve { curve } if curve == "secp256k1"),
        ),
        (
            "Ed448",
            genpkey(&["-algorithm", "ED448"]),
            None,
            |e| matches!(e, PrivateKeyError::UnsupportedAlgorithm { algorithm } if algorithm == "Ed448"),
        ),
        (
            "RSASSA-PSS",
            pss,
            None,
            |e| matches!(e, PrivateKeyError::UnsupportedAlgorithm { algorithm } if algorithm == "RSASSA-PSS"),
        ),
        ("three primes", primes, None, |e| matches!(e, PrivateKeyError::UnsupportedAlgorithm { .. })),
        ("RSA of 1024 bits", small, None, |e| *e == PrivateKeyError::RsaSize { bits: 1024 }),
        ("another label", p256.replace("PRIVATE", "DSA PRIVATE"), None, |e| {
            matches!(e, PrivateKeyError::UnsupportedAlgorithm { .. })
        }),
        ("PKCS#8 labelled as SEC 1", p256.replace("PRIVATE", "EC PRIVATE"), None, |e| {
            matches!(e, PrivateKeyError::Malformed { .. })
        }),
    ];
    for (name, file, password, expected) in rows {
        let error = PrivateKeyDer::from_pem(&file, password).expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
        assert!(error.to_string().len() > 30, "{name}: {error}");
    }
    // The same where nothing says what it is.
    let certificate = &pem::parse(&certificate).unwrap()[0].der;
    assert!(matches!(
        PrivateKeyDer::from_der(certificate, None),
        Err(PrivateKeyError::NotAPrivateKey { .. })
    ));
    let encrypted = &pem::parse(&encrypted).unwrap()[0].der;
    assert_eq!(PrivateKeyDer::from_der(encrypted, None).unwrap_err(), PrivateKeyError::PasswordMissing);
    // A key beside its certificate is one key.
    let both = format!("{}{p256}", pem::encode(pem::CERTIFICATE, certificate));
    PrivateKeyDer::from_pem(&both, None).unwrap();
}

#[test]
fn truncated_and_extended_keys_are_refused() {
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP521, KeyAlgorithm::Ed25519] {
        let key = PrivateKeyDer::from_pem(peer(algorithm), None).unwrap();
        for format in [PrivateKeyFormat::Pkcs8, PrivateKeyFormat::Traditional] {
            let der = key.to_der(format);
            for length in 0..der.len() {
                let error = PrivateKeyDer::from_der(&der[..length], None).unwrap_err();
                assert!(matches!(error, PrivateKeyError::Malformed { .. }), "{length}: {error:?}");
            }
            let longer = [&der[..], &[0]].concat();
            assert!(PrivateKeyDer::from_der(&longer, None).is_err());
        }
        let spki = aws_lc::SoftwareKey::from_private_key(&key).unwrap().public_key().spki_der().to_vec();
        for length in 0..spki.len() {
            let error = PublicKey::from_spki_der(&spki[..length]).unwrap_err();
            assert!(matches!(error, PublicKeyError::Malformed { .. }), "{length}: {error:?}");
        }
        assert!(PublicKey::from_spki_der(&[&spki[..], &[0]].concat()).is_err());
    }
}

/// Both backends refuse the key, with the same kind of error.
fn check_inconsistent(name: &str, der: &[u8]) {
    let key = match PrivateKeyDer::from_der(der, None) {
        Ok(key) => key,
        Err(error) => {
            assert!(
                matches!(error, PrivateKeyError::Inconsistent { .. } | PrivateKeyError::Malformed { .. }),
                "{name}: {error:?}"
            );
            return;
        }
    };
    let error = aws_lc::SoftwareKey::from_private_key(&key).expect_err(name);
    assert!(matches!(error, PrivateKeyError::Inconsistent { .. }), "{name}: {error:?}");
    let error = rustcrypto::SoftwareKey::from_private_key(&key).expect_err(name);
    assert!(matches!(error, PrivateKeyError::Inconsistent { .. }), "{name}: {error:?}");
}

#[test]
fn keys_whose_numbers_do_not_belong_together_are_refused() {
    for algorithm in [KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::EcP521] {
        let read = |pem| PrivateKeyDer::from_pem(pem, None).unwrap();
        let octets = (algorithm.bits() as usize).div_ceil(8);
        let one = read(peer(algorithm));
        let other = aws_lc::SoftwareKey::generate(algorithm, &mut Os).unwrap();
        let other = other.to_private_key().unwrap();
        let (one, other) = (one.to_der(PrivateKeyFormat::Pkcs8), other.to_der(PrivateKeyFormat::Pkcs8));
        assert_eq!(one.len(), other.len());
        let split = one.len() - 2 * octets;
        check_inconsistent("another public key", &[&one[..split], &other[split..]].concat());
        let mut off_curve = one.to_vec();
        *off_curve.last_mut().unwrap() ^= 1;
        check_inconsistent("a public key off the curve", &off_curve);
        let traditional = PrivateKeyDer::from_der(&one, None).unwrap().to_der(PrivateKeyFormat::Traditional);
        let scalar = traditional.windows(2).position(|window| window == [0x04, octets as u8]).unwrap() + 2;
        for (name, octet) in [("zero", 0x00), ("more than the order", 0xff)] {
            let mut der = traditional.to_vec();
            der[scalar..scalar + octets].fill(octet);
            check_inconsistent(name, &der);
        }
    }

    // Each of the eight numbers of an RSA key, changed in its lowest bit but one.
    let rsa = PrivateKeyDer::from_pem(peer(KeyAlgorithm::Rsa2048), None).unwrap();
    let der = rsa.to_der(PrivateKeyFormat::Traditional);
    let mut end = 4 + 3;
    for name in ["n", "e", "d", "p", "q", "d mod p-1", "d mod q-1", "1/q mod p"] {
        let (header, length) = match der[end + 1] {
            0x81 => (3, usize::from(der[end + 2])),
            0x82 => (4, usize::from(der[end + 2]) << 8 | usize::from(der[end + 3])),
            short => (2, usize::from(short)),
        };
        end += header + length;
        let mut changed = der.to_vec();
        changed[end - 1] ^= 2;
        check_inconsistent(name, &changed);
    }
    assert_eq!(end, der.len());

    // RFC 8410 10.3: an Ed25519 key of version 2, with its public key.
    let seed = PrivateKeyDer::from_pem(peer(KeyAlgorithm::Ed25519), None).unwrap();
    let public = rustcrypto::SoftwareKey::from_private_key(&seed).unwrap();
    let spki = public.public_key().spki_der();
    let v2 = |public: &[u8]| {
        let v1 = seed.pkcs8_der();
        let mut der = vec![0x30, 0x51, 0x02, 0x01, 0x01];
        der.extend_from_slice(&v1[5..]);
        der.extend_from_slice(&[0x81, 0x21, 0x00]);
        der.extend_from_slice(public);
        der
    };
    let read = PrivateKeyDer::from_der(&v2(&spki[12..]), None).unwrap();
    assert_eq!(read.pkcs8_der(), seed.pkcs8_der());
    rustcrypto::SoftwareKey::from_private_key(&read).unwrap();
    aws_lc::SoftwareKey::from_private_key(&read).unwrap();
    check_inconsistent("another public key of Ed25519", &v2(&[7; 32]));
}

#[test]
fn public_keys_of_openssl_are_read_or_refused_by_name() {
    let public = |arguments: &[&str]| {
        let pem = genpkey(arguments);
        openssl(&["pkey", "-pubout", "-outform", "DER"], pem.as_bytes())
    };
    let small = public(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let small = PublicKey::from_spki_der(&small).unwrap();
    assert_eq!((small.key_type(), small.bits(), small.key_algorithm()), (KeyType::Rsa, 1024, None));
    let error = aws_lc::Verifier.verify(&small, SignatureAlgorithm::RsaPkcs1Sha256, b"", b"").unwrap_err();
    assert!(matches!(error, VerifyError::KeyRefused { .. }), "{error}");

    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("Ed448", public(&["-algorithm", "ED448"]), "Ed448"),
        ("X25519", public(&["-algorithm", "X25519"]), "X25519"),
        ("P-224", public(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"]), "P-224"),
        (
            "brainpool",
            public(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"]),
            "brainpool",
        ),
        ("sm2", public(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"]), "1.2.156.10197.1.301"),
        ("RSASSA-PSS", public(&["-algorithm", "RSA-PSS"]), "RSASSA-PSS"),
    ];
    for (name, der, named) in rows {
        let error = PublicKey::from_spki_der(&der).expect_err(name).to_string();
        assert!(error.contains(named) && error.contains("accepted: "), "{name}: {error}");
    }

    let p256 = openssl(&["pkey", "-pubout", "-outform", "DER"], peer(KeyAlgorithm::EcP256).as_bytes());
    let compressed = ["ec", "-pubout", "-conv_form", "compressed", "-outform", "DER"];
    let compressed = openssl(&compressed, peer(KeyAlgorithm::EcP256).as_bytes());
    assert_eq!(PublicKey::from_spki_der(&compressed), Err(PublicKeyError::CompressedPoint));
    let mut hybrid = p256.clone();
    hybrid[26] = 6;
    assert!(matches!(PublicKey::from_spki_der(&hybrid), Err(PublicKeyError::PointLength { .. })));
    let mut off_curve = p256;
    *off_curve.last_mut().unwrap() ^= 1;
    let off_curve = PublicKey::from_spki_der(&off_curve).unwrap();
    for verifier in [&aws_lc::Verifier as &dyn VerifySignature, &rustcrypto::Verifier] {
        let error = verifier.verify(&off_curve, SignatureAlgorithm::EcdsaSha256, b"", b"").unwrap_err();
        assert!(matches!(error, VerifyError::KeyRefused { .. }), "{error}");
    }
}

#[test]
fn key_identifiers_are_those_of_openssl() {
    for (algorithm, pem) in peers() {
        let private = PrivateKeyDer::from_pem(pem, None).unwrap();
        let key = aws_lc::SoftwareKey::from_private_key(&private).unwrap();
        let arguments =
            ["req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=x", "-addext", "basicConstraints=CA:TRUE"];
        let certificate = openssl(&arguments, pem.as_bytes());
        let shown = text(openssl(&["x509", "-noout", "-ext", "subjectKeyIdentifier"], &certificate));
        let identifier = key.public_key().key_identifier();
        assert!(shown.to_lowercase().contains(&identifier.to_string()), "{algorithm}: {identifier}\n{shown}");
    }
}

#[test]
fn an_ecdsa_signature_that_is_not_der_is_refused() {
    let key = PrivateKeyDer::from_pem(peer(KeyAlgorithm::EcP256), None).unwrap();
    let key = rustcrypto::SoftwareKey::from_private_key(&key).unwrap();
    // A signature whose r and s are both of 32 octets without a sign octet.
    let signature = (0_u32..)
        .map(|count| {
            let message = count.to_be_bytes();
            let input = SigningInput::Message(&message);
            (message, key.sign(SignatureAlgorithm::EcdsaSha256, input, &mut Os).unwrap())
        })
        .find(|(_, signature)| signature.as_bytes().len() == 70)
        .unwrap();
    let (message, der) = (signature.0, signature.1.as_bytes());
    let (r, s) = (&der[4..36], &der[38..]);
    let long_form = [&[0x30, 0x81, 0x44], &der[2..]].concat();
    let padded = [&[0x30, 0x45, 0x02, 0x21, 0x00], r, &[0x02, 0x20], s].concat();
    let fixed = [r, s].concat();
    for verifier in [&aws_lc::Verifier as &dyn VerifySignature, &rustcrypto::Verifier] {
        let verify = |octets: &[u8]| {
            verifier.verify(key.public_key(), SignatureAlgorithm::EcdsaSha256, &message, octets)
        };
        assert_eq!(verify(der), Ok(()));
        assert_eq!(verify(&long_form), Err(VerifyError::BadSignature));
        assert_eq!(verify(&padded), Err(VerifyError::BadSignature));
        assert_eq!(verify(&fixed), Err(VerifyError::BadSignature));
    }
}

#[test]
fn the_portable_backend_is_deterministic_and_survives_a_source_that_fails() {
    for algorithm in KeyAlgorithm::ALL {
        let error = rustcrypto::SoftwareKey::generate(algorithm, &mut Failing(0)).unwrap_err();
        assert_eq!(error, RandomError.into(), "{algorithm}");
    }
    // After the first prime.
    let error = rustcrypto::SoftwareKey::generate(KeyAlgorithm::Rsa2048, &mut Failing(1)).unwrap_err();
    assert_eq!(error, RandomError.into());
    for (algorithm, pem) in peers() {
        let key = PrivateKeyDer::from_pem(pem, None).unwrap();
        let key = rustcrypto::SoftwareKey::from_private_key(&key).unwrap();
        let sign = || key.sign(key.algorithms()[0], SigningInput::Message(b"message"), &mut Failing(0));
        if algorithm.key_type() == KeyType::Rsa {
            assert!(matches!(sign(), Err(SignError::Retryable { .. })));
        } else {
            assert_eq!(sign().unwrap(), sign().unwrap());
        }
    }
    struct Zeros;
    impl SecureRandom for Zeros {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(0);
            Ok(())
        }
    }
    rustcrypto::SoftwareKey::generate(KeyAlgorithm::EcP256, &mut Zeros).unwrap_err();
}

#[test]
fn rfc_6979_a_2_5_is_reproduced() {
    let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    let r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
    let s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    let octets = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let sec1 = [
        &[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20][..],
        &octets(scalar),
        b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    ]
    .concat();
    let key = PrivateKeyDer::from_der(&sec1, None).unwrap();
    let key = rustcrypto::SoftwareKey::from_private_key(&key).unwrap();
    let signature = key.sign(SignatureAlgorithm::EcdsaSha256, SigningInput::Message(b"sample"), &mut Os);
    let expected =
        [&[0x30, 0x46, 0x02, 0x21, 0x00][..], &octets(r), &[0x02, 0x21, 0x00], &octets(s)].concat();
    assert_eq!(signature.unwrap().as_bytes(), expected);
}

#[test]
fn debug_and_errors_show_no_secret() {
    for (_, pem) in peers() {
        let key = PrivateKeyDer::from_pem(pem, None).unwrap();
        assert_eq!(format!("{key:?}"), format!("PrivateKeyDer({})", key.key_type()));
        let aws = aws_lc::SoftwareKey::from_private_key(&key).unwrap();
        let pure = rustcrypto::SoftwareKey::from_private_key(&key).unwrap();
        assert_eq!(format!("{aws:?}"), format!("SoftwareKey {{ public: {:?}, .. }}", aws.public_key()));
        assert_eq!(format!("{pure:?}"), format!("{aws:?}"));
    }
}

#[test]
fn keys_go_behind_pointers_and_between_threads() {
    fn is_key<K: SigningKey + Send + Sync + 'static>(_: &K) {}
    let key = aws_lc::SoftwareKey::generate(KeyAlgorithm::EcP256, &mut Os).unwrap();
    is_key(&key);
    is_key(&rustcrypto::SoftwareKey::generate(KeyAlgorithm::EcP256, &mut Os).unwrap());
    let boxed: Box<dyn SigningKey + Send + Sync> = Box::new(key);
    is_key(&boxed);
    let shared: std::sync::Arc<dyn SigningKey + Send + Sync> = boxed.into();
    is_key(&shared);
    check_signatures(&&*shared);
}

proptest! {
    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PrivateKeyDer::from_der(&octets, Some(b"x"));
        let _ = PublicKey::from_spki_der(&octets);
    }

    #[test]
    fn changed_keys_never_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4), which in 0..7_usize) {
        static KEYS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        let keys = KEYS.get_or_init(|| {
            let read = |algorithm| PrivateKeyDer::from_pem(peer(algorithm), None).unwrap();
            let (rsa, ec, ed) = (read(KeyAlgorithm::Rsa2048), read(KeyAlgorithm::EcP256), read(KeyAlgorithm::Ed25519));
            let encrypt = ["pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:x"];
            vec![
                rsa.to_der(PrivateKeyFormat::Pkcs8).to_vec(),
                rsa.to_der(PrivateKeyFormat::Traditional).to_vec(),
                ec.to_der(PrivateKeyFormat::Pkcs8).to_vec(),
                ec.to_der(PrivateKeyFormat::Traditional).to_vec(),
                ed.to_der(PrivateKeyFormat::Pkcs8).to_vec(),
                openssl(&encrypt, peer(KeyAlgorithm::EcP256).as_bytes()),
                openssl(&["pkey", "-pubout", "-outform", "DER"], peer(KeyAlgorithm::EcP521).as_bytes()),
            ]
        });
        let mut der = keys[which].clone();
        for (at, octet) in changes {
            let length = der.len();
            // The beginning has most of the structure.
            der[at % length.min(80)] = octet;
        }
        if let Ok(key) = PrivateKeyDer::from_der(&der, Some(b"x")) {
            let _ = aws_lc::SoftwareKey::from_private_key(&key);
            let _ = rustcrypto::SoftwareKey::from_private_key(&key);
        }
        if let Ok(key) = PublicKey::from_spki_der(&der) {
            for algorithm in key.signature_algorithms() {
                let _ = aws_lc::Verifier.verify(&key, *algorithm, b"message", &der);
                let _ = rustcrypto::Verifier.verify(&key, *algorithm, b"message", &der);
            }
        }
    }
}
