//! OCSP: what is asked, what is answered, and what OpenSSL makes of it.

#![cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use pki_core::certificate::Certificate;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::CaRequest;
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{
    KeyAlgorithm, KeyType, PublicKey, SignError, Signature, SignatureAlgorithm, SigningInput, SigningKey,
};
use pki_core::name::DistinguishedName;
use pki_core::ocsp::{
    CertId, CertIdHash, CertificateStatus, ErrorStatus, LookupError, Nonce, OcspRequest, OcspRequestError,
    OcspResponder, OcspResponse, OcspResponseError, RequestSignatures, ResponderError, ResponderId,
    SerialStatus, StatusPeriod, Unlisted, responder_role,
};
use pki_core::random::{RandomError, SecureRandom};
use pki_core::revocation::RevocationReason;
use pki_core::role::{Limits, Role, RoleConfig};
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn rng() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}

fn now() -> UnixTime {
    UnixTime::parse_rfc3339("2026-11-23T06:00:00Z").unwrap()
}

fn limits() -> Limits {
    Limits { default_ttl: HOUR * 24, max_ttl: HOUR * 87_600 }
}

fn root(algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    let request = CaRequest {
        lifetime: AskedLifetime::Ttl(HOUR * 8_760),
        ..CaRequest::new(DistinguishedName::with_common_name("Test Root").unwrap())
    };
    let key = SoftwareKey::generate(algorithm, &mut rng()).unwrap();
    Issuer::self_signed(request, key, &limits(), now(), &mut rng()).unwrap()
}

/// A certificate of this role and its key.
fn leaf(issuer: &Issuer<SoftwareKey>, role: RoleConfig, name: &str) -> (Certificate, SoftwareKey) {
    let request = IssueRequest {
        names: AskedNames { common_name: Some(CommonName::parse(name).unwrap()), ..AskedNames::default() },
        key: Some((KeyType::Ec, 256)),
        ..IssueRequest::default()
    };
    let permitted = Role::new(role).unwrap().permit(request, &limits(), now()).unwrap();
    let key = SoftwareKey::generate(permitted.key_algorithm(), &mut rng()).unwrap();
    let permitted = permitted.with_key(key.public_key().clone()).unwrap();
    (issuer.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap(), key)
}

fn server_role() -> RoleConfig {
    RoleConfig { allow_any_name: true, enforce_hostnames: false, ..RoleConfig::default() }
}

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_be_bytes(&[number]).unwrap()
}

const REVOKED: CertificateStatus =
    CertificateStatus::Revoked { at: UnixTime::MIN, reason: RevocationReason::KeyCompromise };

/// 1 is good, 2 is revoked, 3 was never issued, 4 cannot be looked up now, 5 never.
fn lookup(serial: &SerialNumber) -> Result<SerialStatus, LookupError> {
    match serial.as_bytes()[19] {
        1 => Ok(SerialStatus::Issued),
        2 => Ok(SerialStatus::Revoked { at: UnixTime::MIN, reason: RevocationReason::KeyCompromise }),
        4 => Err(LookupError::Busy),
        5 => Err(LookupError::Failed),
        _ => Ok(SerialStatus::NotListed),
    }
}

fn period() -> StatusPeriod {
    StatusPeriod::starting(now(), Some(HOUR))
}

fn respond<K: SigningKey>(responder: &OcspResponder<K>, request: &[u8]) -> OcspResponse {
    let response = responder.respond(request, RequestSignatures::Ignore, &mut lookup, period(), &mut rng());
    assert_eq!(OcspResponse::from_der(response.der()).unwrap(), response);
    response
}

#[test]
fn each_key_answers_with_each_hash() {
    for algorithm in KeyAlgorithm::ALL {
        if matches!(algorithm, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096) {
            continue;
        }
        let issuer = root(algorithm);
        for signature in algorithm.signature_algorithms() {
            let responder = OcspResponder::of_issuer(&issuer).unwrap().with_algorithm(*signature).unwrap();
            for hash in CertIdHash::ALL {
                let ids = [1, 2, 3].map(|number| CertId::new(hash, issuer.certificate(), serial(number)));
                let nonce = Nonce::new(b"once").unwrap();
                let request = OcspRequest::new(ids.to_vec(), Some(nonce.clone())).unwrap();
                let request = OcspRequest::from_der(request.der()).unwrap();
                assert_eq!(request.cert_ids(), ids);
                let response = respond(&responder, request.der());
                let basic = response.basic().unwrap();
                basic.verify(issuer.certificate(), now(), &Verifier).unwrap();
                let said: Vec<CertificateStatus> =
                    basic.answers().iter().map(|answer| answer.status).collect();
                assert_eq!(
                    said,
                    [CertificateStatus::Good, REVOKED, CertificateStatus::Unknown],
                    "{algorithm}"
                );
                assert_eq!(basic.nonce(), Some(&nonce));
                assert_eq!(basic.signature_algorithm(), Some(*signature));
                let hash = issuer.key().public_key().key_identifier().as_bytes().to_vec();
                assert_eq!(*basic.responder(), ResponderId::KeyHash(hash));
                assert!(basic.certificates().is_empty());
            }
        }
    }
}

#[test]
fn a_delegated_key_answers_with_its_certificate() {
    let issuer = root(KeyAlgorithm::Rsa2048);
    let (certificate, key) = leaf(&issuer, responder_role(HOUR * 24), "responder");
    // RFC 6960 4.2.2.2.1: nobody asks for its own status.
    assert!(
        certificate.extensions().iter().any(|extension| extension.id.to_string() == "1.3.6.1.5.5.7.48.1.5")
    );
    let make = |certificate: &Certificate, key, at| {
        OcspResponder::delegated(issuer.certificate().clone(), certificate.clone(), key, at, &Verifier)
    };
    let responder = make(&certificate, &key, now()).unwrap();
    let request = |number| {
        let id = CertId::new(CertIdHash::Sha1, issuer.certificate(), serial(number));
        OcspRequest::new(vec![id], None).unwrap()
    };
    let response = respond(&responder, request(2).der());
    let basic = response.basic().unwrap();
    basic.verify(issuer.certificate(), now(), &Verifier).unwrap();
    assert_eq!(basic.answers()[0].status, REVOKED);
    assert_eq!(basic.certificates(), std::slice::from_ref(&certificate));
    // Another authority of the same name did not delegate it.
    let other = root(KeyAlgorithm::Rsa2048);
    let error = basic.verify(other.certificate(), now(), &Verifier).unwrap_err();
    assert!(matches!(error, OcspResponseError::Delegate(_)), "{error}");
    let late = now().checked_add(HOUR * 25).unwrap();
    assert!(matches!(
        basic.verify(issuer.certificate(), late, &Verifier),
        Err(OcspResponseError::Delegate(_))
    ));

    let (server, server_key) = leaf(&issuer, server_role(), "server.test");
    let (foreign, foreign_key) = leaf(&other, responder_role(HOUR * 24), "responder");
    for (name, outcome) in [
        ("another key", make(&certificate, &server_key, now())),
        ("another purpose", make(&server, &server_key, now())),
        ("of another authority", make(&foreign, &foreign_key, now())),
        ("expired", make(&certificate, &key, late)),
        ("not valid yet", make(&certificate, &key, UnixTime::MIN)),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(matches!(error, ResponderError::KeyMismatch), name == "another key", "{name}: {error}");
    }
}

#[test]
fn what_is_not_listed_is_what_the_authority_says() {
    let issuer = root(KeyAlgorithm::EcP256);
    let id = CertId::new(CertIdHash::Sha256, issuer.certificate(), serial(3));
    let request = OcspRequest::new(vec![id], None).unwrap();
    let never = CertificateStatus::Revoked { at: UnixTime::MIN, reason: RevocationReason::CertificateHold };
    let extended = b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x09";
    for (unlisted, said) in [
        (Unlisted::Unknown, CertificateStatus::Unknown),
        (Unlisted::Good, CertificateStatus::Good),
        (Unlisted::Revoked, never),
    ] {
        let responder = OcspResponder::of_issuer(&issuer).unwrap().with_unlisted(unlisted);
        let response = respond(&responder, request.der());
        assert_eq!(response.basic().unwrap().answers()[0].status, said);
        let has = response.der().windows(extended.len()).any(|window| window == extended);
        assert_eq!(has, unlisted == Unlisted::Revoked);
    }
}

/// A key whose device is elsewhere.
struct Failing(PublicKey, fn() -> SignError);

impl SigningKey for Failing {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        &[SignatureAlgorithm::EcdsaSha256]
    }

    fn sign(
        &self,
        _: SignatureAlgorithm,
        _: SigningInput<'_>,
        _: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError> {
        Err((self.1)())
    }
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    match content.len() {
        short @ ..0x80 => der.push(short as u8),
        long @ ..0x100 => der.extend([0x81, long as u8]),
        long => der.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    der.extend(content);
    der
}

#[test]
fn what_is_not_answered_gets_its_status() {
    let issuer = root(KeyAlgorithm::EcP256);
    let other = root(KeyAlgorithm::EcP256);
    let responder = OcspResponder::of_issuer(&issuer).unwrap();
    let id = |number| CertId::new(CertIdHash::Sha1, issuer.certificate(), serial(number));
    let request = |number| OcspRequest::new(vec![id(number)], None).unwrap().der().to_vec();
    let good = request(1);
    assert!(respond(&responder, &good).basic().is_ok());

    // The CertID of the good request, and requests put together by hand around it.
    let single = &good[4..];
    let cert_id = &single[4..];
    let asked = |list: &[u8], rest: &[u8]| tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[list]), rest])]);
    let extensions = |list: &[u8]| tlv(0xa2, &[&tlv(0x30, &[list])]);
    let nonce = |octets: &[u8]| {
        let id: &[u8] = b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02";
        extensions(&tlv(0x30, &[id, &tlv(4, &[&tlv(4, &[octets])])]))
    };
    let one = tlv(0x30, &[cert_id]);
    assert!(respond(&responder, &asked(&one, b"")).basic().is_ok(), "the handmade request is good");
    for length in [1, 32, 128] {
        assert!(respond(&responder, &asked(&one, &nonce(&vec![7; length]))).basic().is_ok(), "{length}");
    }
    let unknown_critical =
        extensions(&tlv(0x30, &[b"\x06\x03\x55\x1d\x63\x01\x01\xff", b"\x04\x02\x05\x00"]));
    let foreign = CertId::new(CertIdHash::Sha1, other.certificate(), serial(1));
    let foreign = OcspRequest::new(vec![foreign], None).unwrap();
    let mut md5 = good.clone();
    let at = md5.windows(5).position(|window| window == b"\x2b\x0e\x03\x02\x1a").unwrap();
    md5[at + 4] = 0x1b;
    use ErrorStatus::{InternalError, MalformedRequest, TryLater, Unauthorized};
    for (name, request, status) in [
        ("nothing", vec![], MalformedRequest),
        ("a cut", good[..good.len() - 1].to_vec(), MalformedRequest),
        ("something behind it", [&good[..], b"\0"].concat(), MalformedRequest),
        ("no certificate", asked(b"", b""), MalformedRequest),
        ("65 certificates", asked(&one.repeat(65), b""), MalformedRequest),
        ("20 kB", asked(&one.repeat(400), b""), MalformedRequest),
        (
            "version 2",
            tlv(0x30, &[&tlv(0x30, &[b"\xa0\x03\x02\x01\x01", &tlv(0x30, &[&one])])]),
            MalformedRequest,
        ),
        ("an empty nonce", asked(&one, &nonce(b"")), MalformedRequest),
        ("a nonce of 129 octets", asked(&one, &nonce(&[7; 129])), MalformedRequest),
        (
            "a nonce without its OCTET STRING",
            asked(
                &one,
                &extensions(&tlv(0x30, &[b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02", b"\x04\x01\x07"])),
            ),
            MalformedRequest,
        ),
        ("an unknown critical extension", asked(&one, &unknown_critical), MalformedRequest),
        ("another authority", foreign.der().to_vec(), Unauthorized),
        ("an unknown hash", md5, Unauthorized),
        ("a busy look-up", request(4), TryLater),
        ("a broken look-up", request(5), InternalError),
    ] {
        assert_eq!(respond(&responder, &request).basic().map(|_| ()), Err(status), "{name}");
    }
    // Another authority beside ours: unknown, not unauthorized.
    let both = OcspRequest::new(vec![foreign.cert_ids()[0].clone(), id(1)], None).unwrap();
    let both = respond(&responder, both.der());
    let said: Vec<CertificateStatus> = both.basic().unwrap().answers().iter().map(|a| a.status).collect();
    assert_eq!(said, [CertificateStatus::Unknown, CertificateStatus::Good]);

    let public = issuer.key().public_key();
    for (status, error) in [
        (TryLater, (|| SignError::retryable("the token is away")) as fn() -> SignError),
        (InternalError, || SignError::broken("the token is broken")),
        (InternalError, || SignError::refused("the token says no")),
    ] {
        let issuer = Issuer::new(issuer.certificate().clone(), Failing(public.clone(), error)).unwrap();
        let responder = OcspResponder::of_issuer(&issuer).unwrap();
        assert_eq!(respond(&responder, &good).basic().map(|_| ()), Err(status));
    }
    let backwards = StatusPeriod { next_update: Some(now()), ..period() };
    let future =
        StatusPeriod { this_update: now().checked_add(HOUR).unwrap(), next_update: None, ..period() };
    for period in [backwards, future] {
        let response = responder.respond(&good, RequestSignatures::Ignore, &mut lookup, period, &mut rng());
        assert_eq!(response.basic().map(|_| ()), Err(InternalError));
    }
    assert_eq!(OcspRequest::new(vec![], None), Err(OcspRequestError::Empty));
    assert_eq!(OcspRequest::new(vec![id(1); 65], None), Err(OcspRequestError::TooMany { count: 65 }));
}

#[test]
fn an_answer_that_does_not_hold_is_refused() {
    let issuer = root(KeyAlgorithm::EcP256);
    let other = root(KeyAlgorithm::EcP256);
    let responder = OcspResponder::of_issuer(&issuer).unwrap();
    let id = CertId::new(CertIdHash::Sha1, issuer.certificate(), serial(1));
    let request = OcspRequest::new(vec![id], None).unwrap();
    let response = respond(&responder, request.der());
    let ask = |response: &OcspResponse, issuer: &Issuer<SoftwareKey>, at| {
        response.basic().unwrap().verify(issuer.certificate(), at, &Verifier)
    };
    let later = |hours: u32| now().checked_add(HOUR * hours).unwrap();
    ask(&response, &issuer, later(1)).unwrap();
    assert_eq!(ask(&response, &other, now()), Err(OcspResponseError::Responder));
    assert!(matches!(ask(&response, &issuer, later(2)), Err(OcspResponseError::NotCurrent { .. })));
    let before = now().checked_sub(HOUR).unwrap();
    assert!(matches!(ask(&response, &issuer, before), Err(OcspResponseError::NotCurrent { .. })));
    // One bit of the status: good becomes unknown, and the signature does not cover it.
    let mut der = response.der().to_vec();
    let at = der.windows(4).position(|window| window == b"\x01\x80\x00\x18").unwrap() + 1;
    der[at] = 0x82;
    let forged = OcspResponse::from_der(&der).unwrap();
    assert!(matches!(ask(&forged, &issuer, now()), Err(OcspResponseError::Signature(_))));
    for status in ErrorStatus::ALL {
        let response = OcspResponse::from_der(OcspResponse::error(status).der()).unwrap();
        assert_eq!(response.basic().map(|_| ()), Err(status));
    }
    for (name, der) in [
        ("status 4", &b"\x30\x03\x0a\x01\x04"[..]),
        ("success without an answer", b"\x30\x03\x0a\x01\x00"),
        ("nothing", b""),
        ("another kind", b"\x30\x0f\x0a\x01\x00\xa0\x0a\x30\x08\x06\x03\x55\x04\x03\x04\x01\x00"),
    ] {
        assert!(OcspResponse::from_der(der).is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn random_octets_get_a_status(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(request) = OcspRequest::from_der(&octets) {
            prop_assert_eq!(request.der(), &octets);
        }
        if let Ok(response) = OcspResponse::from_der(&octets) {
            prop_assert_eq!(response.der(), &octets);
        }
    }
}

fn openssl(directory: &Path, line: &str) -> Output {
    Command::new("openssl").current_dir(directory).args(line.split_whitespace()).output().unwrap()
}

#[test]
fn openssl_asks_and_believes() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| std::fs::write(directory.path().join(name), octets).unwrap();
    for algorithm in
        [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::Ed25519]
    {
        let issuer = root(algorithm);
        let (good, _) = leaf(&issuer, server_role(), "good.test");
        let (bad, _) = leaf(&issuer, server_role(), "bad.test");
        let (certificate, key) = leaf(&issuer, responder_role(HOUR * 24), "responder");
        write("root.pem", issuer.certificate().certificate().to_pem().as_bytes());
        write("good.pem", good.to_pem().as_bytes());
        write("bad.pem", bad.to_pem().as_bytes());
        let mut known = |serial: &SerialNumber| {
            Ok(match *serial {
                serial if serial == good.serial() => SerialStatus::Issued,
                serial if serial == bad.serial() => {
                    SerialStatus::Revoked { at: now(), reason: RevocationReason::Superseded }
                }
                _ => SerialStatus::NotListed,
            })
        };
        // Without an end, so that the answer is current whatever the clock of the machine says.
        let period = StatusPeriod::starting(now(), None);
        let at = now().as_secs() + 60;
        for hash in ["sha1", "sha256", "sha384", "sha512"] {
            let asked = openssl(
                directory.path(),
                &format!(
                    "ocsp -{hash} -issuer root.pem -cert good.pem -cert bad.pem -serial 0x1234 -reqout request.der -nonce"
                ),
            );
            assert!(asked.status.success(), "{asked:?}");
            let request = std::fs::read(directory.path().join("request.der")).unwrap();
            let own = OcspResponder::of_issuer(&issuer).unwrap();
            let delegated = OcspResponder::delegated(
                issuer.certificate().clone(),
                certificate.clone(),
                &key,
                now(),
                &Verifier,
            )
            .unwrap();
            let answers = [
                own.respond(&request, RequestSignatures::Ignore, &mut known, period, &mut rng()),
                delegated.respond(&request, RequestSignatures::Ignore, &mut known, period, &mut rng()),
            ];
            for response in answers {
                write("response.der", response.der());
                let read = openssl(
                    directory.path(),
                    &format!(
                        "ocsp -{hash} -issuer root.pem -cert good.pem -cert bad.pem -serial 0x1234 -respin response.der \
                         -reqin request.der -no_nonce -CAfile root.pem -attime {at}"
                    ),
                );
                let text = String::from_utf8_lossy(&read.stdout).into_owned();
                let errors = String::from_utf8_lossy(&read.stderr).into_owned();
                assert!(errors.contains("Response verify OK"), "{algorithm} {hash}: {errors}");
                for line in ["good.pem: good", "bad.pem: revoked", "Reason: superseded", "0x1234: unknown"] {
                    assert!(text.contains(line), "{algorithm} {hash}: {line:?} in {text} {errors}");
                }
            }
        }
    }
}

#[test]
fn who_must_sign_is_answered_only_then() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| std::fs::write(directory.path().join(name), octets).unwrap();
    let issuer = root(KeyAlgorithm::EcP256);
    let (client, client_key) = leaf(&issuer, server_role(), "client.test");
    write("root.pem", issuer.certificate().certificate().to_pem().as_bytes());
    write("client.pem", client.to_pem().as_bytes());
    let private = client_key.to_private_key().unwrap();
    write("client.key", private.pkcs8_der());
    let asked = openssl(
        directory.path(),
        "ocsp -issuer root.pem -serial 1 -signer client.pem -signkey client.key -no_nonce -reqout signed.der",
    );
    assert!(asked.status.success(), "{asked:?}");
    let signed = std::fs::read(directory.path().join("signed.der")).unwrap();
    let id = CertId::new(CertIdHash::Sha1, issuer.certificate(), serial(1));
    let unsigned = OcspRequest::new(vec![id], None).unwrap();
    let mut forged = signed.clone();
    let at = forged.len() - client.der().len() - 12;
    forged[at] ^= 1;

    let responder = OcspResponder::of_issuer(&issuer).unwrap();
    let known = |signature: &pki_core::ocsp::RequestSignature| {
        signature
            .certificates()
            .first()
            .is_some_and(|first| *first == client && signature.verify(first.public_key(), &Verifier).is_ok())
    };
    for (name, request, accept, wanted) in [
        ("signed", &signed[..], true, Ok(())),
        ("not signed", unsigned.der(), true, Err(ErrorStatus::SigRequired)),
        ("signed by somebody else", &signed, false, Err(ErrorStatus::Unauthorized)),
        ("another signature", &forged, true, Err(ErrorStatus::Unauthorized)),
    ] {
        let accepted = |signature: &pki_core::ocsp::RequestSignature| accept && known(signature);
        let signatures = RequestSignatures::Require(&accepted);
        let response = responder.respond(request, signatures, &mut lookup, period(), &mut rng());
        assert_eq!(response.basic().map(|_| ()), wanted, "{name}");
    }
    // Who need not sign may: the signature is passed over.
    assert!(respond(&responder, &forged).basic().is_ok());
}

#[test]
fn an_answer_made_ahead_is_good_for_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = root(KeyAlgorithm::EcP256);
    let responder = OcspResponder::of_issuer(&issuer).unwrap().with_archive_cutoff(HOUR * 72);
    let id = CertId::new(CertIdHash::Sha1, issuer.certificate(), serial(2));
    let request = OcspRequest::new(vec![id], None).unwrap();
    // Signed elsewhere, as an air-gapped key does it.
    let data = responder.prepare(&request, RequestSignatures::Ignore, &mut lookup, period()).unwrap();
    let (algorithm, input) = data.signing_input();
    let signature = issuer.key().sign(algorithm, input, &mut rng()).unwrap();
    let response = data.assemble(&signature, &Verifier).unwrap();
    let other = root(KeyAlgorithm::EcP256);
    let foreign = other.key().sign(algorithm, input, &mut rng()).unwrap();
    assert!(data.assemble(&foreign, &Verifier).is_err());
    let basic = response.basic().unwrap();
    assert_eq!(basic.nonce(), None);
    let until = basic.answers()[0].next_update.unwrap();
    basic.verify(issuer.certificate(), until, &Verifier).unwrap();
    let late = until.checked_add(Duration::from_secs(1)).unwrap();
    assert!(basic.verify(issuer.certificate(), late, &Verifier).is_err());
    std::fs::write(directory.path().join("ahead.der"), response.der()).unwrap();
    let read = openssl(directory.path(), "ocsp -respin ahead.der -noverify -text");
    let text = String::from_utf8_lossy(&read.stdout);
    assert!(text.contains("OCSP Archive Cutoff") && text.contains("Nov 20 06:00:00 2026 GMT"), "{text}");
}
