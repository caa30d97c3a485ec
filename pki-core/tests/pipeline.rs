//! The whole way of a certificate, and the properties that it never breaks.

#![cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use pki_core::certificate::{Certificate, Place};
use pki_core::crl::{CertificateRevocationList, CrlNumber, CrlPeriod, CrlScope};
use pki_core::csr::{CertificationRequest, CsrError};
use pki_core::explain::{RuleId, Warning};
use pki_core::extension::{Criticality, Endpoints, PolicyInformation};
use pki_core::hierarchy::{
    AskedPathLength, CaRequest, DigitalSignature, IssuerChain, LeafNotAfter, Mismatch, chain_of, mismatches,
    permit_ca, permit_correspondence,
};
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, IssueError, IssueRequest, SignRequest};
use pki_core::issuer::{Issuer, IssuerCertificate, IssuerError};
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{
    KeyAlgorithm, KeyIdentifier, PublicKey, SignError, Signature, SignatureAlgorithm, SigningInput,
    SigningKey,
};
use pki_core::name::{
    DistinguishedName, DnsName, EmailAddress, GeneralName, NameConstraints, NameKind, OtherName, Subtree, Uri,
};
use pki_core::profile::{ExtendedKeyUsage, PathLength};
use pki_core::random::{RandomError, SecureRandom};
use pki_core::revocation::{RevocationReason, RevokedCertificate};
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType, RoleNotAfterBehavior};
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

fn rng() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}

fn now() -> UnixTime {
    UnixTime::parse_rfc3339("2026-11-23T06:00:00Z").unwrap()
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

fn root_request(ttl: Duration, path_length: AskedPathLength) -> CaRequest {
    CaRequest { lifetime: AskedLifetime::Ttl(ttl), path_length, ..CaRequest::new(named("Test Root")) }
}

fn root(algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    let request = root_request(HOUR * 8_760, AskedPathLength::Default);
    Issuer::self_signed(request, key(algorithm), &limits(), now(), &mut rng()).unwrap()
}

/// An intermediate signed by `parent`, as an issuer that knows its chain.
fn intermediate(
    parent: &Issuer<SoftwareKey>,
    request: CaRequest,
    key: SoftwareKey,
) -> Result<Issuer<SoftwareKey>, IssueError> {
    let permitted = permit_ca(request, key.public_key().clone(), &limits(), now())?;
    let certificate = parent.issue(permitted, &Endpoints::default(), now(), &mut rng())?;
    let chain = parent.chain().cloned().collect();
    Ok(Issuer::new(IssuerCertificate::new(certificate).unwrap(), key).unwrap().with_chain(chain).unwrap())
}

fn any_role() -> Role {
    Role::new(RoleConfig {
        key_type: RoleKeyType::Any,
        allow_any_name: true,
        require_cn: false,
        ..RoleConfig::default()
    })
    .unwrap()
}

fn leaf_request(name: &str) -> IssueRequest {
    IssueRequest {
        names: AskedNames { common_name: Some(CommonName::parse(name).unwrap()), ..AskedNames::default() },
        lifetime: AskedLifetime::Ttl(HOUR),
        key: Some((pki_core::key::KeyType::Ec, 256)),
        ..IssueRequest::default()
    }
}

fn issue(issuer: &Issuer<SoftwareKey>, request: IssueRequest) -> Result<Certificate, IssueError> {
    let permitted = any_role().permit(request, &limits(), now())?;
    let leaf = key(permitted.key_algorithm());
    issuer.issue(permitted.with_key(leaf.public_key().clone())?, &Endpoints::default(), now(), &mut rng())
}

#[test]
fn a_hierarchy_of_every_key_type_verifies() {
    for algorithm in KeyAlgorithm::ALL {
        // Other sizes of RSA differ in nothing but time.
        if matches!(algorithm, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096) {
            continue;
        }
        let root = root(algorithm);
        let request = CaRequest::new(named("Test Intermediate"));
        let below = intermediate(&root, request, key(algorithm)).unwrap();
        let leaf = issue(&below, leaf_request("www.example.com")).unwrap();

        let certificates: Vec<&Certificate> = below.chain().map(IssuerCertificate::certificate).collect();
        leaf.verify_signature(certificates[0].public_key(), &Verifier).unwrap();
        certificates[0].verify_signature(certificates[1].public_key(), &Verifier).unwrap();
        certificates[1].verify_signature(certificates[1].public_key(), &Verifier).unwrap();
        assert!(leaf.verify_signature(certificates[1].public_key(), &Verifier).is_err());
        assert_eq!(leaf.issuer().der(), certificates[0].subject().der());
        assert_eq!(leaf.authority_key_identifier(), certificates[0].subject_key_identifier());
        assert_eq!(leaf.place(), Ok(Place::EndEntity));
        let pool: Vec<Certificate> =
            [certificates[1].clone(), leaf.clone(), certificates[0].clone()].to_vec();
        assert_eq!(chain_of(&leaf, &pool), certificates);
    }
}

#[test]
fn a_leaf_outlives_its_chain_only_where_it_may() {
    let root = root(KeyAlgorithm::EcP256);
    let short = CaRequest { lifetime: AskedLifetime::Ttl(HOUR * 10), ..CaRequest::new(named("Short")) };
    let below = intermediate(&root, short, key(KeyAlgorithm::EcP256)).unwrap();
    let end = below.certificate().validity().not_after();
    let chain = IssuerChain::new(below.certificate().clone())
        .with_path(below.chain().skip(1).cloned().collect())
        .unwrap();
    use LeafNotAfter::{Permit, Refuse, Truncate};
    use RoleNotAfterBehavior as R;
    for (issuer, role, wanted) in [
        (Refuse, R::Issuer, Refuse),
        (Refuse, R::Truncate, Truncate),
        (Refuse, R::Permit, Permit),
        (Truncate, R::Issuer, Truncate),
        (Truncate, R::Err, Refuse),
        (Truncate, R::Permit, Permit),
        (Permit, R::Issuer, Permit),
        (Permit, R::Err, Refuse),
        (Permit, R::Truncate, Truncate),
    ] {
        let role = Role::new(RoleConfig {
            key_type: RoleKeyType::Any,
            allow_any_name: true,
            leaf_not_after_behavior: role,
            ..RoleConfig::default()
        })
        .unwrap();
        let chain = chain.clone().with_leaf_not_after(issuer);
        let ask = |ttl, now| {
            let request = IssueRequest { lifetime: AskedLifetime::Ttl(ttl), ..leaf_request("a.test") };
            chain.permit(role.permit(request, &limits(), now).unwrap())
        };
        // Within, nothing is said.
        let within = ask(HOUR * 10, now()).unwrap();
        assert_eq!((within.validity().not_after(), within.warnings()), (end, &[][..]));
        let beyond = ask(HOUR * 11, now());
        match (wanted, beyond) {
            (Refuse, Err(refusal)) => assert_eq!(refusal.rule(), RuleId::ISSUER_VALIDITY),
            (Truncate, Ok(permitted)) => {
                assert_eq!(permitted.validity().not_after(), end);
                assert!(
                    matches!(permitted.warnings(), [Warning::NotAfterCapped { granted, .. }] if *granted == end)
                );
            }
            (Permit, Ok(permitted)) => {
                assert_eq!(permitted.validity().not_after(), now().checked_add(HOUR * 11).unwrap());
                assert_eq!(permitted.warnings(), [Warning::OutlivesChain]);
            }
            (wanted, outcome) => panic!("{issuer:?}, wanted {wanted:?}: {outcome:?}"),
        }
        // A chain that has ended accepts nothing, whatever is permitted.
        let late = end.checked_add(HOUR).unwrap();
        assert!(ask(HOUR, late).is_err(), "{issuer:?}");
    }
    let words = ["err", "truncate", "permit"].map(|word| word.parse::<LeafNotAfter>().unwrap());
    assert_eq!(words, [Refuse, Truncate, Permit]);
    assert!("error".parse::<LeafNotAfter>().is_err());
}

#[test]
fn one_of_the_paths_of_a_cross_signed_ca_has_to_accept() {
    let (old, new) = (root(KeyAlgorithm::EcP256), {
        let request = CaRequest {
            name_constraints: Some(
                NameConstraints::new(vec![Subtree::parse(NameKind::Dns, "example.com").unwrap()], vec![])
                    .unwrap(),
            ),
            ..CaRequest::new(named("New Root"))
        };
        Issuer::self_signed(request, key(KeyAlgorithm::EcP256), &limits(), now(), &mut rng()).unwrap()
    });
    let key = key(KeyAlgorithm::EcP256);
    let below_old = permit_ca(CaRequest::new(named("Both")), key.public_key().clone(), &limits(), now());
    let below_old = old.issue(below_old.unwrap(), &Endpoints::default(), now(), &mut rng()).unwrap();
    // The certificate names one root; the other one stands above a cross-certificate of the old root.
    let cross = permit_ca(
        CaRequest::new(old.certificate().subject().clone()),
        old.key().public_key().clone(),
        &limits(),
        now(),
    );
    let cross = new.issue(cross.unwrap(), &Endpoints::default(), now(), &mut rng()).unwrap();
    let chain = IssuerChain::new(IssuerCertificate::new(below_old).unwrap())
        .with_path(vec![IssuerCertificate::new(cross).unwrap(), new.certificate().clone()])
        .unwrap()
        .or_path(vec![old.certificate().clone()])
        .unwrap();
    let issuer = Issuer::of(chain, key).unwrap();
    for (name, root, warned) in [("a.example.com", "New Root", false), ("a.example.net", "Test Root", true)] {
        let permitted = any_role().permit(leaf_request(name), &limits(), now()).unwrap();
        let leaf = self::key(permitted.key_algorithm());
        let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
        let serial = SerialNumber::random(&mut rng(), now()).unwrap();
        let prepared = issuer.prepare(permitted, serial, &Endpoints::default()).unwrap();
        let last = issuer.chain_for(&prepared).last().unwrap();
        assert_eq!(last.subject().common_name().as_deref(), Some(root), "{name}");
        let warnings = prepared.permitted().warnings();
        assert_eq!(warnings.iter().any(|w| matches!(w, Warning::PathRefuses { .. })), warned, "{name}");
    }
    // Where no path accepts, the preferred one says why.
    let request =
        IssueRequest { lifetime: AskedLifetime::Ttl(HOUR * 24 * 3), ..leaf_request("a.example.com") };
    let permitted = any_role().permit(request, &limits(), now()).unwrap();
    let leaf = self::key(permitted.key_algorithm());
    let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
    let error = issuer.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_VALIDITY));
    // No root's own key below it, along any path.
    let permitted = permit_ca(CaRequest::new(named("x")), old.key().public_key().clone(), &limits(), now());
    let error = issuer.issue(permitted.unwrap(), &Endpoints::default(), now(), &mut rng()).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_OWN_KEY));
}

#[test]
fn another_certificate_says_no_more_than_the_first() {
    let subtree = |text| Subtree::parse(NameKind::Dns, text).unwrap();
    let (root, other) = (root(KeyAlgorithm::EcP256), root(KeyAlgorithm::EcP256));
    let first = CaRequest {
        path_length: AskedPathLength::AtMost(1),
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth],
        name_constraints: Some(NameConstraints::new(vec![subtree("example.com")], vec![]).unwrap()),
        subject_key_identifier: Some(KeyIdentifier::from_bytes(b"its own")),
        ..CaRequest::new(named("CA"))
    };
    let existing = intermediate(&root, first, key(KeyAlgorithm::EcP256)).unwrap();
    let existing = existing.certificate();
    let like = CaRequest::like(existing).unwrap();
    let own_key = existing.certificate().public_key();
    let permit = |request: CaRequest, key: &PublicKey| {
        permit_ca(request, key.clone(), &limits(), now().checked_add(HOUR).unwrap()).unwrap()
    };
    assert_eq!(mismatches(existing, &permit(like.clone(), own_key)), Ok(vec![]));
    let cross = permit_correspondence(existing, permit(like.clone(), own_key)).unwrap();
    let cross = other.issue(cross, &Endpoints::default(), now(), &mut rng()).unwrap();
    assert_eq!(cross.authority(), existing.authority());
    assert_eq!(cross.subject_key_identifier(), existing.certificate().subject_key_identifier());
    assert_eq!(cross.name_constraints(), existing.certificate().name_constraints());
    assert_eq!(cross.place(), existing.certificate().place());

    type Change = fn(&mut CaRequest);
    let rows: [(Mismatch, Change); 12] = [
        (Mismatch::Subject, |r| r.subject = named("ca")),
        (Mismatch::SubjectKeyIdentifier, |r| r.subject_key_identifier = None),
        (Mismatch::NotAfter, |r| r.lifetime = AskedLifetime::Ttl(HOUR * 24)),
        (Mismatch::NotBefore, |r| r.not_before_duration = HOUR * 2),
        (Mismatch::PathLength, |r| r.path_length = AskedPathLength::AtMost(2)),
        (Mismatch::PathLength, |r| r.path_length = AskedPathLength::Default),
        (Mismatch::Purposes, |r| r.extended_key_usages.push(ExtendedKeyUsage::ClientAuth)),
        (Mismatch::Purposes, |r| r.extended_key_usages.clear()),
        (Mismatch::NameConstraints, |r| r.name_constraints = None),
        (Mismatch::KeyUsage, |r| r.digital_signature = DigitalSignature::Permit),
        (Mismatch::AlternativeNames, |r| {
            r.alternative_names.push(GeneralName::Dns(DnsName::parse("ca.example.com").unwrap()));
        }),
        (Mismatch::Policies, |r| {
            let id = "1.2.3".parse().unwrap();
            r.policies.push(PolicyInformation { id, notice: String::new(), cps: String::new() });
        }),
    ];
    for (mismatch, change) in rows {
        let mut request = like.clone();
        change(&mut request);
        let permitted = permit(request, own_key);
        assert_eq!(mismatches(existing, &permitted), Ok(vec![mismatch]));
        let refusal = permit_correspondence(existing, permitted).unwrap_err();
        assert_eq!(refusal.rule(), RuleId::AUTHORITY_CORRESPONDENCE);
        assert!(refusal.to_string().contains(&mismatch.to_string()), "{refusal}");
    }
    let found = mismatches(existing, &permit(like, other.key().public_key())).unwrap();
    assert_eq!(found, [Mismatch::PublicKey]);
}

#[test]
fn a_key_keeps_its_identifier() {
    let root = root(KeyAlgorithm::EcP256);
    let identifier = KeyIdentifier::from_bytes(b"from another world");
    let request =
        CaRequest { subject_key_identifier: Some(identifier.clone()), ..CaRequest::new(named("Re-issued")) };
    let below = intermediate(&root, request, key(KeyAlgorithm::EcP256)).unwrap();
    assert_eq!(below.certificate().certificate().subject_key_identifier(), Some(identifier.clone()));
    let leaf = issue(&below, leaf_request("a.test")).unwrap();
    assert_eq!(leaf.authority_key_identifier(), Some(identifier));
}

#[test]
fn name_constraints_of_every_member_are_asked() {
    let constrained = |permitted: &[(NameKind, &str)], excluded: &[(NameKind, &str)]| {
        let subtrees = |list: &[(NameKind, &str)]| -> Vec<Subtree> {
            list.iter().map(|(kind, text)| Subtree::parse(*kind, text).unwrap()).collect()
        };
        Some(NameConstraints::new(subtrees(permitted), subtrees(excluded)).unwrap())
    };
    let request = CaRequest {
        name_constraints: constrained(&[(NameKind::Dns, "example.com")], &[]),
        ..root_request(HOUR * 8_760, AskedPathLength::Default)
    };
    let root = Issuer::self_signed(request, key(KeyAlgorithm::EcP256), &limits(), now(), &mut rng()).unwrap();
    let written = root.certificate().certificate().extensions();
    let written = written.iter().find(|extension| extension.id == "2.5.29.30".parse().unwrap()).unwrap();
    assert_eq!(written.critical, Criticality::Critical);
    let below = CaRequest {
        name_constraints: constrained(&[], &[(NameKind::Dns, "secret.example.com")]),
        ..CaRequest::new(named("Test Intermediate"))
    };
    let below = intermediate(&root, below, key(KeyAlgorithm::EcP256)).unwrap();
    for (name, ca) in [
        ("www.example.com", None),
        ("www.example.net", Some("CN=Test Root")),
        ("a.secret.example.com", Some("CN=Test Intermediate")),
        ("*.example.com", Some("CN=Test Intermediate")),
        ("*.www.example.com", None),
    ] {
        match (issue(&below, leaf_request(name)), ca) {
            (Ok(_), None) => {}
            (Err(IssueError::Refused(refusal)), Some(ca)) => {
                assert_eq!(refusal.rule(), RuleId::ISSUER_NAME_CONSTRAINTS, "{name}");
                let text = refusal.to_string();
                assert!(text.contains(ca) && text.contains(name), "{text}");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }

    // A CA's own names are asked about too, and a chain that broke the rule before is of no use.
    let mut outside = CaRequest::new(named("Test Intermediate"));
    outside.alternative_names = vec![GeneralName::Dns(DnsName::parse("ca.example.net").unwrap())];
    let error = intermediate(&root, outside.clone(), key(KeyAlgorithm::EcP256)).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_NAME_CONSTRAINTS));
    let unconstrained = self::root(KeyAlgorithm::EcP256);
    let stray = intermediate(&unconstrained, outside, key(KeyAlgorithm::EcP256)).unwrap();
    let stray = stray.with_chain(vec![root.certificate().clone()]).unwrap();
    let error = issue(&stray, leaf_request("www.example.com")).unwrap_err();
    assert!(error.to_string().contains("breaks the name constraints of \"CN=Test Root\""), "{error}");
}

#[test]
fn validity_nests_in_every_member() {
    let root = root(KeyAlgorithm::EcP256);
    let short = CaRequest { lifetime: AskedLifetime::Ttl(HOUR * 10), ..CaRequest::new(named("Short")) };
    let below = intermediate(&root, short, key(KeyAlgorithm::EcP256)).unwrap();
    let ask = |ttl| IssueRequest { lifetime: AskedLifetime::Ttl(ttl), ..leaf_request("a.test") };
    issue(&below, ask(HOUR * 10)).unwrap();
    let error = issue(&below, ask(HOUR * 10 + Duration::from_secs(1))).unwrap_err();
    let IssueError::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.rule(), RuleId::ISSUER_VALIDITY);
    assert!(refusal.to_string().contains("CN=Short"), "{refusal}");

    // An issuer that outlives its own root (an imported one, say) does not help.
    let long = CaRequest { lifetime: AskedLifetime::Ttl(HOUR * 9_000), ..CaRequest::new(named("Long")) };
    let error = intermediate(&root, long, key(KeyAlgorithm::EcP256)).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_VALIDITY));
}

#[test]
fn path_lengths_are_kept_at_every_level() {
    let make = |path_length| {
        let request = root_request(HOUR * 100, path_length);
        Issuer::self_signed(request, key(KeyAlgorithm::EcP256), &limits(), now(), &mut rng()).unwrap()
    };
    let ask = |path_length| CaRequest { path_length, ..CaRequest::new(named("Below")) };
    use AskedPathLength::{AtMost, Default};
    for (above, asked, granted) in [
        (Default, Default, Some(PathLength::Unlimited)),
        (Default, AtMost(3), Some(PathLength::AtMost(3))),
        (AtMost(2), Default, Some(PathLength::AtMost(1))),
        (AtMost(2), AtMost(1), Some(PathLength::AtMost(1))),
        (AtMost(2), AtMost(0), Some(PathLength::AtMost(0))),
        (AtMost(2), AtMost(2), None),
        (AtMost(0), Default, None),
        (AtMost(0), AtMost(0), None),
    ] {
        let outcome = intermediate(&make(above), ask(asked), key(KeyAlgorithm::EcP256));
        match (outcome, granted) {
            (Ok(below), Some(granted)) => assert_eq!(below.certificate().path_length(), granted),
            (Err(IssueError::Refused(refusal)), None) => {
                assert_eq!(refusal.rule(), RuleId::ISSUER_PATH_LENGTH)
            }
            (outcome, _) => panic!("{above:?} {asked:?}: {outcome:?}"),
        }
    }
    // The root's limit counts two levels down, even where the middle one has none of its own.
    let root = make(AtMost(1));
    let middle = intermediate(&root, ask(Default), key(KeyAlgorithm::EcP256)).unwrap();
    let error = intermediate(&middle, ask(Default), key(KeyAlgorithm::EcP256)).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_PATH_LENGTH));
}

#[test]
fn purposes_nest_and_a_ca_key_stays_out_of_leaves() {
    let root = root(KeyAlgorithm::EcP256);
    let client_only = CaRequest {
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        ..CaRequest::new(named("Clients"))
    };
    let below = intermediate(&root, client_only, key(KeyAlgorithm::EcP256)).unwrap();
    let error = issue(&below, leaf_request("a.test")).unwrap_err();
    let IssueError::Refused(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal.rule(), RuleId::ISSUER_PURPOSES);
    // The remedy is a command that can be typed, and following it makes the request pass.
    assert!(refusal.remedy().line("web").ends_with("pki role patch web --server-flag=false"));
    let role = Role::new(RoleConfig { server_flag: false, ..any_role().config().clone() }).unwrap();
    let permitted = role.permit(leaf_request("a.test"), &limits(), now()).unwrap();
    let leaf = key(permitted.key_algorithm());
    let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
    below.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap();

    let csr = CertificationRequest::create(&named("a.test"), &[], root.key(), &mut rng()).unwrap();
    let csr = CertificationRequest::from_der(&csr, &Verifier).unwrap();
    let permitted = any_role().permit_csr(SignRequest::new(csr), &limits(), now()).unwrap();
    let error = root.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap_err();
    assert!(matches!(error, IssueError::Refused(r) if r.rule() == RuleId::ISSUER_OWN_KEY));
}

#[test]
fn an_issuer_needs_a_ca_certificate_and_its_own_key() {
    let root = root(KeyAlgorithm::EcP256);
    let leaf = issue(&root, leaf_request("a.test")).unwrap();
    assert_eq!(IssuerCertificate::new(leaf), Err(IssuerError::NotAnAuthority));
    let other = key(KeyAlgorithm::EcP256);
    let mismatch = Issuer::new(root.certificate().clone(), other);
    assert!(matches!(mismatch, Err(IssuerError::KeyMismatch)));
    let unrelated = CaRequest::new(named("Another Root"));
    let unrelated =
        Issuer::self_signed(unrelated, key(KeyAlgorithm::EcP256), &limits(), now(), &mut rng()).unwrap();
    let chain = root.with_chain(vec![unrelated.certificate().clone()]);
    assert!(matches!(chain, Err(IssuerError::Chain { .. })));
}

#[test]
fn a_certificate_without_a_subject_has_a_critical_alternative_name() {
    let root = root(KeyAlgorithm::EcP256);
    let request = IssueRequest {
        names: AskedNames {
            alternative_names: vec![GeneralName::Dns(DnsName::parse("a.test").unwrap())],
            ..AskedNames::default()
        },
        ..leaf_request("unused")
    };
    let leaf = issue(&root, request).unwrap();
    assert!(leaf.subject().is_empty());
    let san = leaf.extensions().iter().find(|e| e.id.to_string() == "2.5.29.17").unwrap();
    assert_eq!(san.critical, Criticality::Critical);
}

#[test]
fn endpoints_are_written_unless_nothing_is_kept() {
    let root = root(KeyAlgorithm::EcP256);
    let uri = |text| vec![Uri::parse(text).unwrap()];
    let endpoints = Endpoints {
        issuing_certificates: uri("https://ca.example/ca"),
        crl_distribution_points: uri("https://ca.example/crl"),
        ocsp_servers: uri("https://ca.example/ocsp"),
    };
    for no_store in [false, true] {
        let role = Role::new(RoleConfig { no_store, ..any_role().config().clone() }).unwrap();
        let permitted = role.permit(leaf_request("a.test"), &limits(), now()).unwrap();
        let leaf = key(permitted.key_algorithm());
        let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
        let leaf = root.issue(permitted, &endpoints, now(), &mut rng()).unwrap();
        assert_eq!(leaf.issuing_certificates(), endpoints.issuing_certificates);
        let no_revocation = leaf.extensions().iter().any(|e| e.id.to_string() == "2.5.29.56");
        assert_eq!(no_revocation, no_store);
        assert_eq!(leaf.ocsp_servers().is_empty(), no_store);
        assert_eq!(leaf.crl_distribution_points().is_empty(), no_store);
    }
}

#[test]
fn a_signature_from_elsewhere_is_verified_before_it_joins() {
    let root = root(KeyAlgorithm::EcP256);
    let permitted = any_role().permit(leaf_request("a.test"), &limits(), now()).unwrap();
    let leaf = key(KeyAlgorithm::EcP256);
    let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
    let serial = SerialNumber::random(&mut rng(), now()).unwrap();
    let prepared = root.prepare(permitted, serial, &Endpoints::default()).unwrap();
    let (algorithm, input) = prepared.signing_input();
    let signature = root.key().sign(algorithm, input, &mut rng()).unwrap();
    let certificate = prepared.assemble(&signature, &Verifier).unwrap();
    assert_eq!(certificate.serial(), serial);
    assert_eq!(certificate.tbs_der(), prepared.tbs().der());

    let (_, input) = prepared.signing_input();
    let foreign = leaf.sign(algorithm, input, &mut rng()).unwrap();
    assert!(matches!(prepared.assemble(&foreign, &Verifier), Err(IssueError::Signature(_))));
    let mut broken = signature.as_bytes().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    assert!(matches!(prepared.assemble(&Signature::new(broken), &Verifier), Err(IssueError::Signature(_))));
}

#[test]
fn a_permission_is_for_the_key_that_was_permitted() {
    let permitted = any_role().permit(leaf_request("a.test"), &limits(), now()).unwrap();
    let other = key(KeyAlgorithm::Ed25519);
    assert!(matches!(permitted.with_key(other.public_key().clone()), Err(IssueError::KeyMismatch { .. })));
}

#[test]
fn requests_with_defects_are_told_apart() {
    let requester = key(KeyAlgorithm::EcP256);
    let names = [GeneralName::Dns(DnsName::parse("a.test").unwrap())];
    let good = CertificationRequest::create(&named("a.test"), &names, &requester, &mut rng()).unwrap();
    let read = |der: &[u8]| CertificationRequest::from_der(der, &Verifier);
    assert_eq!(read(&good).unwrap().alternative_names(), names);

    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&broken), Err(CsrError::Signature(_))));
    for cut in [0, 1, 10, good.len() / 2, good.len() - 1] {
        assert!(read(&good[..cut]).is_err(), "cut at {cut}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(read(&longer), Err(CsrError::Malformed));
    assert_eq!(read(&vec![0x30; 1 << 20]), Err(CsrError::TooLarge { octets: 1 << 20 }));

    let pem = read(&good).unwrap().to_pem();
    let from_pem = |text: &str| CertificationRequest::from_pem(text, &Verifier);
    assert_eq!(from_pem(&pem).unwrap().der(), good);
    assert_eq!(from_pem(&format!("{pem}{pem}")), Err(CsrError::Blocks { count: 2 }));
    assert!(matches!(from_pem("no armour"), Err(CsrError::Pem(_))));
    let root = root(KeyAlgorithm::EcP256);
    let certificate = root.certificate().certificate().to_pem();
    assert!(matches!(from_pem(&certificate), Err(CsrError::Label { label }) if label == "CERTIFICATE"));
}

#[test]
fn a_crl_lists_what_was_revoked_with_reasons() {
    for algorithm in [KeyAlgorithm::EcP256, KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519] {
        let root = root(algorithm);
        let revoked: Vec<RevokedCertificate> = RevocationReason::ALL
            .into_iter()
            .filter(|reason| *reason != RevocationReason::RemoveFromCrl)
            .map(|reason| {
                RevokedCertificate::new(SerialNumber::random(&mut rng(), now()).unwrap(), now(), reason)
            })
            .collect();
        let period = CrlPeriod {
            number: CrlNumber::from_u64(7),
            this_update: now(),
            next_update: now().checked_add(HOUR * 72).unwrap(),
        };
        for revoked in [&revoked[..], &[]] {
            let list = root.prepare_crl(&CrlScope::full(), period, revoked).unwrap();
            let list = root.sign_crl(&list, &mut rng()).unwrap();
            let list = CertificateRevocationList::from_der(list.der()).unwrap();
            list.verify_signature(root.key().public_key(), &Verifier).unwrap();
            assert_eq!(list.number(), Some(CrlNumber::from_u64(7)));
            assert_eq!(list.authority_key_identifier().as_ref(), Some(root.certificate().key_identifier()));
            assert_eq!(list.issuer().der(), root.certificate().subject().der());
            assert_eq!(list.next_update(), Some(period.next_update));
            assert_eq!(list.entries().collect::<Result<Vec<_>, _>>().unwrap(), revoked);
            assert!(!list.is_partial());
            assert_eq!(CertificateRevocationList::from_pem(&list.to_pem()).unwrap(), list);
        }
        let backwards = CrlPeriod { next_update: now(), ..period };
        assert!(root.prepare_crl(&CrlScope::full(), backwards, &[]).is_err());
    }
}

/// A name that some role may or may not allow.
fn any_name() -> impl Strategy<Value = GeneralName> {
    let label = "[a-z0-9]{1,3}(-[a-z0-9]{1,2})?";
    prop_oneof![
        4 => (proptest::option::of(Just("*.")), proptest::collection::vec(label, 0..2), 0..4_usize).prop_map(
            |(star, labels, domain)| {
                let domain = ["example.com", "foo", "localhost", "a.test"][domain];
                let mut text = star.unwrap_or_default().to_owned();
                labels.iter().for_each(|label| { text.push_str(label); text.push('.'); });
                text.push_str(domain);
                GeneralName::Dns(DnsName::parse(&text).unwrap())
            }
        ),
        1 => any::<[u8; 4]>().prop_map(|octets| GeneralName::Ip(octets.into())),
        1 => "[ab][a-z]{0,3}".prop_map(|text| {
            GeneralName::OtherName(OtherName::parse(&format!("1.2.3;utf8:{text}")).unwrap())
        }),
        1 => ("[a-z]{1,3}", prop_oneof![Just("example.com"), Just("foo")]).prop_map(|(local, host)| {
            GeneralName::Email(EmailAddress::parse(&format!("{local}@{host}")).unwrap())
        }),
        1 => "[a-z]{1,8}".prop_map(|path| GeneralName::Uri(Uri::parse(&format!("spiffe://x/{path}")).unwrap())),
    ]
}

fn any_role_config() -> impl Strategy<Value = RoleConfig> {
    let domains = proptest::collection::vec(
        prop_oneof![Just("example.com"), Just("foo"), Just("*.test"), Just("b*.example.com")],
        0..3,
    );
    (any::<[bool; 8]>(), domains, 0..2_000_u64, 0..2_000_u64, any::<[bool; 3]>()).prop_map(
        |(flags, domains, ttl, max_ttl, more)| RoleConfig {
            allow_bare_domains: flags[0],
            allow_subdomains: flags[1],
            allow_glob_domains: flags[2],
            allow_localhost: flags[3],
            allow_wildcard_certificates: flags[4],
            allow_ip_sans: flags[5],
            server_flag: flags[6],
            client_flag: flags[7],
            allow_any_name: more[0] && more[1],
            no_store: more[2],
            allowed_domains: domains.into_iter().map(str::to_owned).collect(),
            allowed_uri_sans: vec!["spiffe://x/a*".to_owned()],
            allowed_other_sans: vec!["1.2.3;utf8:a*".to_owned()],
            allowed_ip_sans_cidr: if more[0] { vec!["0.0.0.0/1".to_owned()] } else { Vec::new() },
            allowed_user_ids: vec!["u*".to_owned()],
            ttl: ttl.min(if max_ttl == 0 { ttl } else { max_ttl }),
            max_ttl,
            require_cn: false,
            key_type: RoleKeyType::Ec,
            organization: vec!["Example".to_owned()],
            ..RoleConfig::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is issued contains what was permitted, and nothing else; what it contains could be asked for alone.
    #[test]
    fn a_certificate_contains_exactly_what_was_permitted(
        config in any_role_config(),
        names in proptest::collection::vec(any_name(), 0..4),
        ttl in proptest::option::of(1..5_000_u64),
    ) {
        let role = Role::new(config).unwrap();
        let root = root(KeyAlgorithm::EcP256);
        let request = IssueRequest {
            names: AskedNames { alternative_names: names.clone(), ..AskedNames::default() },
            lifetime: ttl.map_or(AskedLifetime::Default, |ttl| AskedLifetime::Ttl(Duration::from_secs(ttl))),
            ..IssueRequest::default()
        };
        let Ok(permitted) = role.permit(request, &limits(), now()) else {
            // One of the names is the reason: without names, this role grants its own subject.
            let one_by_one = names.iter().all(|name| {
                let names = AskedNames { alternative_names: vec![name.clone()], ..AskedNames::default() };
                role.permit(IssueRequest { names, ..IssueRequest::default() }, &limits(), now()).is_ok()
            });
            prop_assert!(!one_by_one);
            return Ok(());
        };
        let leaf = key(KeyAlgorithm::EcP256);
        let permitted = permitted.with_key(leaf.public_key().clone()).unwrap();
        let (subject, validity, profile) =
            (permitted.subject().clone(), permitted.validity(), permitted.profile().clone());
        let certificate = root.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap();

        let mut asked = names;
        asked.sort();
        asked.dedup();
        for name in &asked {
            // Said once more, in other words than the rules'.
            let granted_alone = match name {
                GeneralName::OtherName(name) => name.value().starts_with('a'),
                GeneralName::Ip(std::net::IpAddr::V4(v4)) => {
                    role.config().allow_ip_sans
                        && (role.config().allowed_ip_sans_cidr.is_empty() || v4.octets()[0] < 128)
                }
                GeneralName::Uri(uri) => uri.as_str().starts_with("spiffe://x/a"),
                GeneralName::Email(email) => {
                    role.config().allow_any_name || role.config().allowed_domains.iter().any(|d| d == email.host() || d.contains('*'))
                }
                _ => true,
            };
            prop_assert!(granted_alone, "{}", name);
        }
        let mut got = certificate.alternative_names().unwrap();
        got.sort();
        prop_assert_eq!(got, asked);
        prop_assert_eq!(certificate.subject(), &subject);
        prop_assert_eq!(certificate.validity(), validity);
        prop_assert_eq!(certificate.place(), Ok(Place::EndEntity));
        prop_assert_eq!(certificate.key_usages().unwrap().unwrap(), profile.key_usages());
        let purposes = certificate.extended_key_usages().unwrap().unwrap_or_default();
        prop_assert_eq!(purposes, profile.extended_key_usages());
        prop_assert_eq!(certificate.public_key(), leaf.public_key());
        if role.config().max_ttl > 0 {
            prop_assert!(validity.remaining(now()).as_secs() <= role.config().max_ttl);
        }
        prop_assert_eq!(Certificate::from_der(certificate.der()).unwrap(), certificate.clone());
        prop_assert_eq!(Certificate::from_pem(&certificate.to_pem()).unwrap(), certificate);
    }

    /// Octets from outside never panic, wherever they are changed.
    #[test]
    fn changed_octets_are_read_or_refused(at in 0..2_000_usize, octet: u8) {
        let root = root(KeyAlgorithm::Ed25519);
        let mut der = issue(&root, leaf_request("a.test")).unwrap().der().to_vec();
        let at = at % der.len();
        der[at] = octet;
        if let Ok(certificate) = Certificate::from_der(&der) {
            let _ = (certificate.place(), certificate.alternative_names(), certificate.key_usages());
            let _ = (certificate.crl_distribution_points(), certificate.ocsp_servers());
            let _ = format!("{certificate:?}");
        }
        let mut csr = CertificationRequest::create(&named("a"), &[], root.key(), &mut rng()).unwrap();
        let at = at % csr.len();
        csr[at] = octet;
        let _ = CertificationRequest::from_der(&csr, &Verifier);
    }
}

#[test]
fn serials_are_distinct_and_carry_their_time() {
    let mut serials: Vec<SerialNumber> =
        (0..10_000).map(|_| SerialNumber::random(&mut rng(), now()).unwrap()).collect();
    assert!(serials.iter().all(|serial| serial.to_string().len() == 59));
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 10_000);
    let later = SerialNumber::random(&mut rng(), now().checked_add(Duration::from_secs(2)).unwrap()).unwrap();
    assert!(serials.iter().all(|serial| *serial < later));
}

/// A device that holds another key than it says.
struct WrongDevice {
    says: SoftwareKey,
    holds: SoftwareKey,
}

impl SigningKey for WrongDevice {
    fn public_key(&self) -> &PublicKey {
        self.says.public_key()
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        self.says.algorithms()
    }

    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        input: SigningInput<'_>,
        rng: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError> {
        self.holds.sign(algorithm, input, rng)
    }
}

#[test]
fn what_a_device_answers_is_verified() {
    let device = WrongDevice { says: key(KeyAlgorithm::EcP256), holds: key(KeyAlgorithm::EcP256) };
    let request = CaRequest::new(named("Root in a Device"));
    let outcome = Issuer::self_signed(request, device, &limits(), now(), &mut rng());
    assert!(matches!(outcome, Err(IssueError::Signature(_))));
}
