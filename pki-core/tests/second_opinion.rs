//! What others say about what we issue: RustCrypto's x509-cert reads it, rustls-webpki verifies it, rcgen writes the
//! same, OpenSSL accepts what an existing CA signs here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use ::rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType};
use der::{Decode as _, Encode as _};
use pki_core::certificate::Certificate;
use pki_core::crl::{CertificateRevocationList, CrlNumber, CrlPeriod, CrlScope};
use pki_core::extension::{Criticality, Endpoints, Extension};
use pki_core::hierarchy::{AskedPathLength, CaRequest, permit_ca};
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest};
use pki_core::issuer::{Issuer, IssuerCertificate};
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyAlgorithm, KeyType, PrivateKeyDer, SigningKey};
use pki_core::name::{AttributeType, DistinguishedName, DnsName, GeneralName, Uri};
use pki_core::random::RandomError;
use pki_core::rcgen::{RcgenError, RcgenKey};
use pki_core::revocation::{RevocationReason, RevokedCertificate};
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType};
use pki_core::time::UnixTime;
use proptest::prelude::*;
use rustls::pki_types::{CertificateDer, ServerName};

const HOUR: Duration = Duration::from_secs(3600);

fn rng() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}

fn clock() -> Duration {
    std::time::UNIX_EPOCH.elapsed().unwrap()
}

/// One time for all that is issued here, so that periods of the same length nest.
fn now() -> UnixTime {
    static NOW: OnceLock<UnixTime> = OnceLock::new();
    *NOW.get_or_init(|| UnixTime::from_secs(clock().as_secs()).unwrap())
}

fn limits() -> Limits {
    Limits { default_ttl: HOUR * 24, max_ttl: HOUR * 87_600 }
}

fn key(algorithm: KeyAlgorithm) -> SoftwareKey {
    SoftwareKey::generate(algorithm, &mut rng()).unwrap()
}

fn named(name: &str) -> DistinguishedName {
    DistinguishedName::with_common_name(name).unwrap()
}

fn root_named(subject: DistinguishedName, algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    let request = CaRequest { lifetime: AskedLifetime::Ttl(HOUR * 8_760), ..CaRequest::new(subject) };
    Issuer::self_signed(request, key(algorithm), &limits(), now(), &mut rng()).unwrap()
}

fn below(
    parent: &Issuer<SoftwareKey>,
    path_length: AskedPathLength,
    algorithm: KeyAlgorithm,
) -> Issuer<SoftwareKey> {
    let key = key(algorithm);
    let request = CaRequest { path_length, ..CaRequest::new(named(&format!("Below {path_length:?}"))) };
    let permitted = permit_ca(request, key.public_key().clone(), &limits(), now()).unwrap();
    let certificate = parent.issue(permitted, &endpoints(), now(), &mut rng()).unwrap();
    let chain = parent.chain().cloned().collect();
    Issuer::new(IssuerCertificate::new(certificate).unwrap(), key).unwrap().with_chain(chain).unwrap()
}

fn endpoints() -> Endpoints {
    let at = |path: &str| vec![Uri::parse(&format!("http://pki.example.com/{path}")).unwrap()];
    Endpoints { issuing_certificates: at("ca"), crl_distribution_points: at("crl"), ocsp_servers: at("ocsp") }
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(DnsName::parse(name).unwrap())
}

fn leaf(
    issuer: &Issuer<SoftwareKey>,
    common_name: Option<&str>,
    names: &[GeneralName],
    algorithm: KeyAlgorithm,
) -> Certificate {
    let role = Role::new(RoleConfig {
        key_type: RoleKeyType::Any,
        allow_any_name: true,
        require_cn: false,
        allowed_uri_sans: vec!["*".to_owned()],
        ..RoleConfig::default()
    });
    let request = IssueRequest {
        names: AskedNames {
            common_name: common_name.map(|name| CommonName::parse(name).unwrap()),
            alternative_names: names.to_vec(),
            ..AskedNames::default()
        },
        lifetime: AskedLifetime::Ttl(HOUR),
        key: Some((algorithm.key_type(), algorithm.bits())),
        ..IssueRequest::default()
    };
    let permitted = role.unwrap().permit(request, &limits(), now()).unwrap();
    let permitted = permitted.with_key(key(algorithm).public_key().clone()).unwrap();
    issuer.issue(permitted, &endpoints(), now(), &mut rng()).unwrap()
}

/// Asks webpki whether `leaf` stands below the last of `chain`, with these CRLs if there are any.
fn webpki(
    leaf: &Certificate,
    chain: &[&Certificate],
    usage: webpki::KeyUsage,
    lists: &[&CertificateRevocationList],
) -> Result<(), webpki::Error> {
    let ders: Vec<CertificateDer<'_>> = chain.iter().map(|c| CertificateDer::from(c.der())).collect();
    let (root, intermediates) = ders.split_last().unwrap();
    let anchor = webpki::anchor_from_trusted_cert(root)?;
    let lists: Vec<webpki::CertRevocationList<'_>> = lists
        .iter()
        .map(|list| webpki::BorrowedCertRevocationList::from_der(list.der()).map(Into::into))
        .collect::<Result<_, _>>()?;
    let lists: Vec<&webpki::CertRevocationList<'_>> = lists.iter().collect();
    let revocation = webpki::RevocationOptionsBuilder::new(&lists)
        .ok()
        .map(|options| options.with_expiration_policy(webpki::ExpirationPolicy::Enforce).build());
    let der = CertificateDer::from(leaf.der());
    let end_entity = webpki::EndEntityCert::try_from(&der)?;
    let time = rustls::pki_types::UnixTime::since_unix_epoch(clock());
    end_entity
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[anchor],
            intermediates,
            time,
            usage,
            revocation,
            None,
        )
        .map(|_| ())
}

fn good_for(leaf: &Certificate, name: &str) -> bool {
    let der = CertificateDer::from(leaf.der());
    let end_entity = webpki::EndEntityCert::try_from(&der).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    end_entity.verify_is_valid_for_subject_name(&name).is_ok()
}

/// x509-cert reads it, finds the same in it, and writes the same octets.
fn x509_cert_agrees(certificate: &Certificate) {
    use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
    let theirs = x509_cert::Certificate::from_der(certificate.der()).unwrap();
    assert_eq!(theirs.to_der().unwrap(), certificate.der());
    let tbs = theirs.tbs_certificate();
    assert_eq!(tbs.issuer().to_der().unwrap(), certificate.issuer().der());
    assert_eq!(tbs.subject().to_der().unwrap(), certificate.subject().der());
    assert_eq!(tbs.subject_public_key_info().to_der().unwrap(), certificate.public_key().spki_der());
    assert_eq!(
        tbs.validity().not_after.to_unix_duration().as_secs(),
        certificate.validity().not_after().as_secs()
    );
    assert_eq!(tbs.extensions().unwrap().len(), certificate.extensions().len());
    let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
    assert!(critical);
    let constraints = tbs.get_extension::<BasicConstraints>().unwrap();
    assert_eq!(
        usage.key_cert_sign(),
        constraints.is_some_and(|(critical, constraints)| critical && constraints.ca)
    );
    let names = tbs.get_extension::<SubjectAltName>().unwrap();
    let count = names.as_ref().map_or(0, |(_, names)| names.0.len());
    assert_eq!(count, certificate.alternative_names().unwrap().len());
    // RFC 5280 4.1.2.6
    assert_eq!(names.is_some_and(|(critical, _)| critical), certificate.subject().is_empty());
}

/// RSA 3072 and 4096 differ from 2048 in nothing but time.
const ALGORITHMS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::EcP256,
    KeyAlgorithm::EcP384,
    KeyAlgorithm::EcP521,
    KeyAlgorithm::Ed25519,
];

#[test]
fn every_key_type_is_verified_by_others() {
    for algorithm in ALGORITHMS {
        let root = root_named(named("Root"), algorithm);
        let middle = below(&root, AskedPathLength::AtMost(1), algorithm);
        let last = below(&middle, AskedPathLength::Default, algorithm);
        let chain: Vec<&Certificate> = last.chain().map(IssuerCertificate::certificate).collect();
        let names = [
            dns("www.example.com"),
            dns("*.wild.example.com"),
            GeneralName::Ip([192, 0, 2, 1].into()),
            GeneralName::Ip("2001:db8::1".parse().unwrap()),
            GeneralName::Uri(Uri::parse("spiffe://example.com/service").unwrap()),
        ];
        // With a common name; and without one, which makes the alternative names critical.
        for common_name in [Some("www.example.com"), None] {
            let leaf = leaf(&last, common_name, &names, algorithm);
            for usage in [webpki::KeyUsage::server_auth(), webpki::KeyUsage::client_auth()] {
                webpki(&leaf, &chain, usage, &[]).unwrap_or_else(|error| panic!("{algorithm:?}: {error}"));
            }
            for name in ["www.example.com", "a.wild.example.com", "192.0.2.1", "2001:db8::1"] {
                assert!(good_for(&leaf, name), "{name}");
            }
            for name in ["example.com", "wild.example.com", "a.b.wild.example.com", "192.0.2.2"] {
                assert!(!good_for(&leaf, name), "{name}");
            }
            assert!(webpki(&leaf, &chain[1..], webpki::KeyUsage::server_auth(), &[]).is_err());
            x509_cert_agrees(&leaf);
        }
        chain.iter().for_each(|certificate| x509_cert_agrees(certificate));
    }
}

#[test]
fn lists_are_obeyed() {
    for algorithm in ALGORITHMS {
        let root = root_named(named("Root"), algorithm);
        let middle = below(&root, AskedPathLength::Default, algorithm);
        let chain: Vec<&Certificate> = middle.chain().map(IssuerCertificate::certificate).collect();
        let [revoked, other] =
            ["a.test", "b.test"].map(|name| leaf(&middle, Some(name), &[], KeyAlgorithm::EcP256));
        let period = CrlPeriod {
            number: CrlNumber::from_u64(1),
            this_update: now(),
            next_update: now().checked_add(HOUR).unwrap(),
        };
        let list = |issuer: &Issuer<SoftwareKey>, entries: &[RevokedCertificate]| {
            let list = issuer.prepare_crl(&CrlScope::full(), period, entries).unwrap();
            issuer.sign_crl(&list, &mut rng()).unwrap()
        };
        let nothing = [list(&middle, &[]), list(&root, &[])];
        for reason in RevocationReason::ALL {
            if reason == RevocationReason::RemoveFromCrl {
                continue;
            }
            let entry =
                |certificate: &Certificate| RevokedCertificate::new(certificate.serial(), now(), reason);
            let some = list(&middle, &[entry(&revoked)]);
            let usage = webpki::KeyUsage::server_auth;
            let check = |leaf, list| webpki(leaf, &chain, usage(), &[list, &nothing[1]]);
            check(&revoked, &nothing[0]).unwrap();
            check(&other, &some).unwrap_or_else(|error| panic!("{algorithm:?} {reason:?}: {error}"));
            assert_eq!(check(&revoked, &some), Err(webpki::Error::CertRevoked), "{reason:?}");
            // An intermediate is revoked by the root's list.
            let above = list(&root, &[entry(chain[0])]);
            let outcome = webpki(&other, &chain, usage(), &[&nothing[0], &above]);
            assert_eq!(outcome, Err(webpki::Error::CertRevoked));
            // The status of a leaf is not known from another authority's list.
            assert_eq!(
                webpki(&other, &chain, usage(), &[&nothing[1]]),
                Err(webpki::Error::UnknownRevocationStatus)
            );
            let theirs =
                x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(some.der())
                    .unwrap();
            assert_eq!(theirs.to_der().unwrap(), some.der());
        }
    }
}

fn sorted(certificate: &Certificate) -> Vec<Extension> {
    let mut extensions = certificate.extensions().to_vec();
    extensions.sort_by_key(|extension| extension.id);
    extensions
}

#[test]
fn rcgen_writes_the_same_leaf() {
    for algorithm in
        [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::Ed25519]
    {
        // Several types of string in one name, which survive.
        let subject = DistinguishedName::new([
            [(AttributeType::DomainComponent, "example")],
            [(AttributeType::Country, "AT")],
            [(AttributeType::Organization, "Bäckerei")],
            [(AttributeType::CommonName, "Root")],
        ]);
        let root = root_named(subject.unwrap(), algorithm);
        let names = [dns("www.example.com"), dns("*.example.com"), GeneralName::Ip([192, 0, 2, 1].into())];
        let ours = leaf(&root, Some("www.example.com"), &names, algorithm);

        let mut params = CertificateParams::default();
        params.serial_number = Some(ours.serial().as_bytes().to_vec().into());
        params.distinguished_name = ::rcgen::DistinguishedName::new();
        let common_name = ::rcgen::string::PrintableString::try_from("www.example.com").unwrap();
        params.distinguished_name.push(DnType::CommonName, ::rcgen::DnValue::PrintableString(common_name));
        params.subject_alt_names = vec![
            SanType::DnsName("www.example.com".try_into().unwrap()),
            SanType::DnsName("*.example.com".try_into().unwrap()),
            SanType::IpAddress([192, 0, 2, 1].into()),
        ];
        params.key_usages = match algorithm.key_type() {
            KeyType::Rsa => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
            KeyType::Ec => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement],
            _ => vec![KeyUsagePurpose::DigitalSignature],
        };
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points =
            vec![::rcgen::CrlDistributionPoint { uris: vec!["http://pki.example.com/crl".to_owned()] }];

        let public = root.key().public_key().clone();
        let anchor = root.certificate().certificate().clone();
        let issuer = root.into_rcgen(rng()).unwrap();
        let leaf_key = RcgenKey::new(key(algorithm), rng()).unwrap();
        let theirs = params.signed_by(&leaf_key, &issuer).unwrap();
        let theirs = Certificate::from_der(theirs.der()).unwrap();
        theirs.verify_signature(&public, &pki_core::key::software::Verifier).unwrap();
        assert_eq!(theirs.issuer(), ours.issuer());
        assert_eq!(theirs.subject(), ours.subject());
        assert_eq!(theirs.serial(), ours.serial());
        assert_eq!(theirs.public_key(), leaf_key.key().public_key());
        assert_eq!(theirs.signature_algorithm(), ours.signature_algorithm());
        webpki(&theirs, &[&anchor], webpki::KeyUsage::server_auth(), &[]).unwrap();

        // rcgen knows no AIA, and writes a subject key identifier only together with basic constraints.
        let missing = ["1.3.6.1.5.5.7.1.1", "2.5.29.14", "2.5.29.19"];
        let ours: Vec<Extension> =
            sorted(&ours).into_iter().filter(|e| !missing.contains(&e.id.to_string().as_str())).collect();
        assert_eq!(sorted(&theirs), ours, "{algorithm:?}");
        assert!(
            ours.iter().all(|e| e.critical == Criticality::NonCritical || e.id.to_string() == "2.5.29.15")
        );
    }
}

#[test]
fn rcgen_gets_no_issuer_that_it_would_rename() {
    use AttributeType::{CommonName as Cn, OrganizationalUnit as Ou};
    let repeated = DistinguishedName::new([[(Ou, "one")], [(Ou, "two")], [(Cn, "Root")]]).unwrap();
    let several = DistinguishedName::new([vec![(Ou, "one"), (Cn, "Root")]]).unwrap();
    for subject in [repeated, several] {
        let error = root_named(subject.clone(), KeyAlgorithm::Ed25519).into_rcgen(rng()).unwrap_err();
        assert_eq!(error, RcgenError::Name { subject });
    }
    let error = root_named(named("Root"), KeyAlgorithm::EcP521).into_rcgen(rng()).unwrap_err();
    assert_eq!(error, RcgenError::Key { key_type: KeyType::Ec, bits: 521 });
    assert!(RcgenKey::new(key(KeyAlgorithm::EcP521), rng()).is_err());
}

#[test]
fn a_failing_source_of_randomness_is_rcgens_error() {
    let failing = |_: &mut [u8]| Err(RandomError);
    let issuer = root_named(named("Root"), KeyAlgorithm::EcP256).into_rcgen(rng()).unwrap();
    let mut params = CertificateParams::default();
    params.serial_number = Some(1.into());
    // The conversion used neither key nor randomness; a leaf's key is not asked to sign.
    let leaf = RcgenKey::new(key(KeyAlgorithm::EcP256), failing).unwrap();
    params.signed_by(&leaf, &issuer).unwrap();
    struct Broken(SoftwareKey);
    impl SigningKey for Broken {
        fn public_key(&self) -> &pki_core::key::PublicKey {
            self.0.public_key()
        }
        fn algorithms(&self) -> &[pki_core::key::SignatureAlgorithm] {
            self.0.algorithms()
        }
        fn sign(
            &self,
            _: pki_core::key::SignatureAlgorithm,
            _: pki_core::key::SigningInput<'_>,
            rng: &mut dyn pki_core::random::SecureRandom,
        ) -> Result<pki_core::key::Signature, pki_core::key::SignError> {
            rng.fill(&mut [0; 1])?;
            Err(pki_core::key::SignError::refused("a stub"))
        }
    }
    let root = root_named(named("Root"), KeyAlgorithm::EcP256);
    let certificate = root.certificate().clone();
    let issuer = Issuer::new(certificate, Broken(clone(root.key()))).unwrap().into_rcgen(failing).unwrap();
    assert_eq!(params.signed_by(&leaf, &issuer).unwrap_err(), ::rcgen::Error::RemoteKeyError);
}

fn clone(key: &SoftwareKey) -> SoftwareKey {
    SoftwareKey::from_private_key(&key.to_private_key().unwrap()).unwrap()
}

fn openssl(directory: &Path, line: &str) -> String {
    let output =
        Command::new("openssl").args(line.split_whitespace()).current_dir(directory).output().unwrap_or_else(
            |error| panic!("this test needs the `openssl` command (apt-get install openssl): {error}"),
        );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "openssl {line}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn an_existing_ca_signs_here_and_openssl_accepts() {
    let directory = std::env::temp_dir().join(format!("pki-core-second-opinion-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let keys = [
        ("rsa8", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa8.key"),
        ("rsa1", "rsa -in rsa8.key -traditional -out rsa1.key"),
        ("ec8", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec8.key"),
        ("sec1", "ec -in ec8.key -out sec1.key"),
        ("param", "ecparam -name secp384r1 -genkey -out param.key"),
        ("ed8", "genpkey -algorithm ED25519 -out ed8.key"),
    ];
    let read = |name: String| std::fs::read_to_string(directory.join(name)).unwrap();
    for (name, line) in keys {
        openssl(&directory, line);
        // OpenSSL's own way of naming: a multi-valued RDN, a repeated attribute, UTF8String.
        let subject = "/C=AT/O=Example/OU=one/OU=two+CN=Existing";
        openssl(
            &directory,
            &format!(
                "req -x509 -new -key {name}.key -days 30 -subj {subject} -addext keyUsage=critical,keyCertSign,cRLSign -out {name}.crt"
            ),
        );
        let certificate = Certificate::from_pem(&read(format!("{name}.crt"))).unwrap();
        let private = PrivateKeyDer::from_pem(&read(format!("{name}.key")), None).unwrap();
        let key = SoftwareKey::from_private_key(&private).unwrap();
        let issuer = Issuer::new(IssuerCertificate::new(certificate).unwrap(), key).unwrap();
        let middle = below(&issuer, AskedPathLength::AtMost(0), KeyAlgorithm::EcP256);
        let leaf = leaf(&middle, Some("www.example.com"), &[dns("*.example.com")], KeyAlgorithm::Rsa2048);
        std::fs::write(directory.join("middle.crt"), middle.certificate().certificate().to_pem()).unwrap();
        std::fs::write(directory.join("leaf.crt"), leaf.to_pem()).unwrap();
        let verify = format!(
            "verify -x509_strict -purpose sslserver -verify_hostname a.example.com -CAfile {name}.crt -untrusted middle.crt leaf.crt"
        );
        assert_eq!(openssl(&directory, &verify).trim(), "leaf.crt: OK");
        let chain: Vec<&Certificate> = middle.chain().map(IssuerCertificate::certificate).collect();
        webpki(&leaf, &chain, webpki::KeyUsage::server_auth(), &[]).unwrap();
        x509_cert_agrees(&leaf);
        x509_cert_agrees(chain[0]);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// One attribute with a value that it may have.
fn any_attribute() -> impl Strategy<Value = (AttributeType, String)> {
    use AttributeType::{
        CommonName as Cn, Country, DomainComponent, EmailAddress, Locality, Organization, OrganizationalUnit,
        PostalCode, Province, SerialNumber, StreetAddress, UserId,
    };
    let any_text = prop::sample::select(vec![
        Cn,
        Organization,
        OrganizationalUnit,
        Locality,
        Province,
        StreetAddress,
        PostalCode,
        UserId,
    ]);
    prop_oneof![
        6 => (any_text, "\\PC{1,40}"),
        1 => (Just(Country), "[A-Za-z]{2}"),
        1 => (Just(SerialNumber), "[A-Za-z0-9 '()+,./:=?-]{1,64}"),
        1 => (prop::sample::select(vec![DomainComponent, EmailAddress]), "[ -~]{1,63}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Names with repeated attributes and multi-valued RDNs, in any script, read the same elsewhere.
    #[test]
    fn names_are_read_and_written_the_same_elsewhere(
        rdns in prop::collection::vec(prop::collection::vec(any_attribute(), 1..4), 0..6),
    ) {
        let asked = rdns.iter().map(|rdn| rdn.iter().map(|(kind, value)| (*kind, value.as_str())));
        let ours = match DistinguishedName::new(asked) {
            Ok(ours) => ours,
            // \PC may be of more characters than the alphabet allows; nothing else is refused.
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let theirs = x509_cert::name::Name::from_der(ours.der()).unwrap();
        prop_assert_eq!(theirs.to_der().unwrap(), ours.der());
        prop_assert_eq!(theirs.iter_rdn().count(), rdns.len());
        for (rdn, asked) in theirs.iter_rdn().zip(&rdns) {
            let mut asked: Vec<&str> = asked.iter().map(|(_, value)| value.as_str()).collect();
            let mut read: Vec<&str> =
                rdn.iter().map(|attribute| std::str::from_utf8(attribute.value.value()).unwrap()).collect();
            // Equal attributes of one RDN are one; equal values of different attributes are not.
            asked.sort_unstable();
            read.sort_unstable();
            asked.dedup();
            read.dedup();
            prop_assert_eq!(read, asked);
        }
        prop_assert_eq!(&DistinguishedName::from_der(&theirs.to_der().unwrap()).unwrap(), &ours);
        prop_assert!(ours.matches(&ours.clone()));
    }
}
