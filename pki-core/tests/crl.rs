//! Full, delta and sharded lists: made, read back, streamed, held against a log, and obeyed by OpenSSL.

#![cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pki_core::crl::{
    CertificateRevocationList, CrlCheck, CrlDifference, CrlError, CrlNumber, CrlPeriod, CrlScope,
    DistributionPoints, Extent, Restriction, ShardTemplate, Shards, entries,
};
use pki_core::extension::Endpoints;
use pki_core::hierarchy::CaRequest;
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyAlgorithm, KeyType, SigningKey};
use pki_core::name::{DistinguishedName, Uri};
use pki_core::random::RandomError;
use pki_core::revocation::{LoggedRevocation, Retention, RevocationReason, RevokedCertificate};
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

fn hours(count: u32) -> UnixTime {
    now().checked_add(HOUR * count).unwrap()
}

fn root_named(name: &str, algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    let request = CaRequest {
        lifetime: AskedLifetime::Ttl(HOUR * 8_760),
        ..CaRequest::new(DistinguishedName::with_common_name(name).unwrap())
    };
    let limits = Limits { default_ttl: HOUR * 24, max_ttl: HOUR * 87_600 };
    let key = SoftwareKey::generate(algorithm, &mut rng()).unwrap();
    Issuer::self_signed(request, key, &limits, now(), &mut rng()).unwrap()
}

fn root(algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    root_named("Test Root", algorithm)
}

fn period(number: u64) -> CrlPeriod {
    CrlPeriod { number: CrlNumber::from_u64(number), this_update: now(), next_update: hours(72) }
}

fn serial(number: u64) -> SerialNumber {
    SerialNumber::from_be_bytes(&[&[0][..], &number.to_be_bytes()].concat()).unwrap()
}

fn revoked(number: u64, reason: RevocationReason) -> RevokedCertificate {
    RevokedCertificate::new(serial(number), now(), reason)
}

fn url(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

fn points(urls: &[&str]) -> DistributionPoints {
    DistributionPoints::new(urls.iter().map(|text| url(text)).collect()).unwrap()
}

fn signed(
    issuer: &Issuer<SoftwareKey>,
    scope: &CrlScope,
    period: CrlPeriod,
    revoked: &[RevokedCertificate],
) -> CertificateRevocationList {
    let list = issuer.prepare_crl(scope, period, revoked).unwrap();
    issuer.sign_crl(&list, &mut rng()).unwrap()
}

/// The same list as a stream of `parts`, put together as the stream says.
fn streamed(issuer: &Issuer<SoftwareKey>, scope: &CrlScope, period: CrlPeriod, parts: &[Vec<u8>]) -> Vec<u8> {
    let total = parts.iter().map(Vec::len).sum();
    let mut stream = issuer.begin_crl(scope.clone(), period, total).unwrap();
    let room = stream.room();
    let mut output = vec![0; room];
    output.extend_from_slice(stream.head());
    for part in parts {
        stream.entries(part).unwrap();
        output.extend_from_slice(part);
    }
    let ends = stream.sign(&mut rng()).unwrap();
    output.extend_from_slice(&ends.tail);
    let begin = room - ends.header.len();
    assert!(begin <= 1, "the header fills its room but for one octet");
    output[begin..room].copy_from_slice(&ends.header);
    output.split_off(begin)
}

#[test]
fn each_scope_is_read_back_as_it_was_made() {
    let issuer = root(KeyAlgorithm::EcP256);
    let one = [revoked(1, RevocationReason::KeyCompromise).invalid_since(UnixTime::MIN)];
    let held = [revoked(1, RevocationReason::CertificateHold), revoked(2, RevocationReason::RemoveFromCrl)];
    let base = CrlNumber::from_u64(6);
    let shard = || CrlScope::shard(points(&["http://a.example/3.crl", "http://b.example/3.crl"]));
    for (name, scope, entries) in [
        ("full", CrlScope::full(), &one[..]),
        ("full and empty", CrlScope::full(), &[]),
        ("full with deltas", CrlScope::full().with_freshest(vec![url("http://a.example/d.crl")]), &one),
        ("delta", CrlScope::delta(base), &held),
        ("empty delta", CrlScope::delta(base), &[]),
        ("shard", shard(), &one),
        ("shard with deltas", shard().with_freshest(vec![url("http://a.example/3d.crl")]), &one),
        ("delta of a shard", shard().delta_of(base), &held),
    ] {
        let list = signed(&issuer, &scope, period(7), entries);
        list.verify_signature(issuer.key().public_key(), &Verifier).unwrap();
        assert_eq!(list.scope().as_ref(), Some(&scope), "{name}");
        assert_eq!(list.period(), Some(period(7)), "{name}");
        assert_eq!(list.entries().collect::<Result<Vec<_>, _>>().unwrap(), entries, "{name}");
        assert_eq!(list.is_partial(), !name.starts_with("full"), "{name}");
        assert_eq!(
            list.base(),
            name.contains("delta").then_some(base).filter(|_| list.freshest().is_empty())
        );
        let again =
            streamed(&issuer, &scope, period(7), &entries.iter().map(|e| e.entry_der()).collect::<Vec<_>>());
        let again = CertificateRevocationList::from_der(&again).unwrap();
        assert_eq!(again.scope(), list.scope(), "{name}");
    }
}

#[test]
fn what_breaks_a_rule_is_not_made() {
    let issuer = root(KeyAlgorithm::EcP256);
    let good = revoked(1, RevocationReason::Superseded);
    let removal = revoked(2, RevocationReason::RemoveFromCrl);
    let shard = CrlScope::shard(points(&["http://a.example/1.crl"]));
    let backwards = CrlPeriod { next_update: now(), ..period(7) };
    type Expected = fn(&CrlError) -> bool;
    let cases: [(&str, CrlScope, CrlPeriod, &[RevokedCertificate], Expected); 7] = [
        ("ends as it begins", CrlScope::full(), backwards, &[], |e| matches!(e, CrlError::NextUpdate { .. })),
        ("removal, full", CrlScope::full(), period(7), &[removal], |e| {
            matches!(e, CrlError::RemovalFromComplete { .. })
        }),
        ("removal, shard", shard, period(7), &[good, removal], |e| {
            matches!(e, CrlError::RemovalFromComplete { .. })
        }),
        ("twice, full", CrlScope::full(), period(7), &[good, good], |e| {
            matches!(e, CrlError::DuplicateSerial { .. })
        }),
        ("twice, delta", CrlScope::delta(CrlNumber::from_u64(6)), period(7), &[good, removal, good], |e| {
            matches!(e, CrlError::DuplicateSerial { .. })
        }),
        ("its own base", CrlScope::delta(CrlNumber::from_u64(7)), period(7), &[good], |e| {
            matches!(e, CrlError::DeltaBase { .. })
        }),
        ("a later base", CrlScope::delta(CrlNumber::from_u64(8)), period(7), &[], |e| {
            matches!(e, CrlError::DeltaBase { .. })
        }),
    ];
    for (name, scope, period, entries, expected) in cases {
        let error = issuer.prepare_crl(&scope, period, entries).unwrap_err();
        assert!(expected(&error), "{name}: {error}");
        assert!(!error.to_string().is_empty());
    }
    // The same doors of the stream.
    let mut stream = issuer.begin_crl(CrlScope::full(), period(7), 100).unwrap();
    assert!(matches!(stream.entries(&removal.entry_der()), Err(CrlError::RemovalFromComplete { .. })));
    assert!(matches!(stream.entries(b"\x30\x03\x02\x01"), Err(CrlError::Malformed)));
    stream.entries(&good.entry_der()).unwrap();
    assert!(matches!(stream.sign(&mut rng()), Err(CrlError::EntriesLength { announced: 100, .. })));
    assert!(issuer.begin_crl(CrlScope::full(), backwards, 0).is_err());
}

#[test]
fn a_list_follows_another_one() {
    let published = period(7);
    let follow = |number, begin| {
        CrlPeriod { number: CrlNumber::from_u64(number), this_update: begin, next_update: hours(100) }
            .follow(Some(published))
    };
    follow(8, now()).unwrap();
    assert!(matches!(follow(7, hours(1)), Err(CrlError::NumberNotAbove { .. })));
    assert!(matches!(follow(6, hours(1)), Err(CrlError::NumberNotAbove { .. })));
    let before = now().checked_sub(HOUR).unwrap();
    assert!(matches!(follow(8, before), Err(CrlError::ThisUpdate { .. })));
    assert!(matches!(follow(8, hours(100)), Err(CrlError::NextUpdate { .. })));
}

/// DER put together by hand, so that lists exist which we do not make.
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

fn crl_with(version: &[u8], times: &[u8], entries: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let algorithm = b"\x30\x05\x06\x03\x2b\x65\x70";
    let list = match extensions {
        [] => Vec::new(),
        some => tlv(0xa0, &[&tlv(0x30, &[&some.concat()])]),
    };
    let tbs = tlv(0x30, &[version, algorithm, b"\x30\x00", times, entries, &list]);
    tlv(0x30, &[&tbs, algorithm, b"\x03\x02\x00\x00"])
}

fn extension(id: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { b"\x01\x01\xff" } else { b"" };
    tlv(0x30, &[&[6, 3, 0x55, 0x1d, id], critical, &tlv(0x04, &[value])])
}

#[test]
fn lists_of_others_are_read_strictly() {
    let v2 = &b"\x02\x01\x01"[..];
    let times = &b"\x17\x0d261123060000Z\x17\x0d261124060000Z"[..];
    let number = |number: u8| extension(20, false, &[2, 1, number]);
    let delta = |critical| extension(27, critical, b"\x02\x01\x03");
    let one = revoked(1, RevocationReason::Superseded).entry_der();
    let removal = revoked(2, RevocationReason::RemoveFromCrl).entry_der();
    let list = |entries: &[&[u8]]| tlv(0x30, entries);
    let point = |value: &[u8], critical| extension(28, critical, value);
    let users = b"\x30\x03\x81\x01\xff";
    let read = |version, times, entries: &[u8], extensions: &[Vec<u8>]| {
        CertificateRevocationList::from_der(&crl_with(version, times, entries, extensions))
    };
    // What is accepted, so that the refusals below are for their own reason.
    read(v2, times, &list(&[&one]), &[number(7)]).unwrap();
    read(b"", times, &list(&[&one]), &[]).unwrap();
    read(v2, b"\x17\x0d261123060000Z", b"", &[number(7)]).unwrap();
    let delta_list = read(v2, times, &list(&[&one, &removal]), &[number(7), delta(true)]).unwrap();
    assert_eq!(delta_list.scope().unwrap().extent, Extent::Delta { base: CrlNumber::from_u64(3) });
    let for_users = read(v2, times, b"", &[number(7), point(users, true)]).unwrap();
    assert_eq!(for_users.scope(), None);
    assert_eq!(for_users.distribution_point().unwrap().restrictions, [Restriction::EndEntities]);
    // An entry with a critical extension that names another issuer.
    let issuer = tlv(0x30, &[&extension(29, true, b"\x30\x00")]);
    let indirect = tlv(0x30, &[b"\x02\x01\x05", b"\x17\x0d261123060000Z", &issuer]);
    let zero = tlv(0x30, &[b"\x02\x02\x00\x05", b"\x17\x0d261123060000Z"]);
    let seven = tlv(0x30, &[b"\x0a\x01\x07"]);
    let seven = tlv(
        0x30,
        &[b"\x02\x01\x05", b"\x17\x0d261123060000Z", &tlv(0x30, &[&extension(21, false, &seven[2..])])],
    );
    for (name, outcome) in [
        ("version 1 with extensions", read(b"", times, b"", &[number(7)])),
        ("version 3", read(b"\x02\x01\x02", times, b"", &[number(7)])),
        ("an empty list of entries", read(v2, times, b"\x30\x00", &[number(7)])),
        ("ends before it begins", read(v2, b"\x17\x0d261123060000Z\x17\x0d261123055959Z", b"", &[number(7)])),
        ("the same serial twice", read(v2, times, &list(&[&one, &removal, &one]), &[number(7), delta(true)])),
        ("a removal from a complete list", read(v2, times, &list(&[&removal]), &[number(7)])),
        ("a base that is not below", read(v2, times, b"", &[number(3), delta(true)])),
        ("a delta without a number", read(v2, times, b"", &[delta(true)])),
        ("a delta indicator that is not critical", read(v2, times, b"", &[number(7), delta(false)])),
        (
            "freshest CRL in a delta",
            read(v2, times, b"", &[number(7), delta(true), extension(46, false, b"\x30\x00")]),
        ),
        (
            "a distribution point that is not critical",
            read(v2, times, b"", &[number(7), point(users, false)]),
        ),
        ("an empty distribution point", read(v2, times, b"", &[number(7), point(b"\x30\x00", true)])),
        ("FALSE written out", read(v2, times, b"", &[number(7), point(b"\x30\x03\x81\x01\x00", true)])),
        ("a negative number", read(v2, times, b"", &[number(0x80)])),
        ("a number of 21 octets", read(v2, times, b"", &[extension(20, false, &tlv(2, &[&[1; 21]]))])),
        ("a number with a zero in front", read(v2, times, b"", &[extension(20, false, b"\x02\x02\x00\x07")])),
        ("the number twice", read(v2, times, b"", &[number(7), number(8)])),
        (
            "an unknown critical extension",
            read(v2, times, b"", &[number(7), extension(99, true, b"\x05\x00")]),
        ),
        ("an entry of another issuer", read(v2, times, &list(&[&indirect]), &[number(7)])),
        ("a serial with a zero in front", read(v2, times, &list(&[&zero]), &[number(7)])),
        ("the reason 7", read(v2, times, &list(&[&seven]), &[number(7)])),
        ("half an entry", read(v2, times, &list(&[&one[..one.len() - 1]]), &[number(7)])),
    ] {
        assert!(outcome.is_err(), "{name}");
    }
}

#[test]
fn streams_are_what_memory_gives_for_every_key() {
    for algorithm in KeyAlgorithm::ALL {
        if matches!(algorithm, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096) {
            continue;
        }
        let issuer = root(algorithm);
        let all: Vec<RevokedCertificate> =
            (1..=700).map(|number| revoked(number, RevocationReason::KeyCompromise)).collect();
        let parts: Vec<Vec<u8>> = all
            .chunks(64)
            .map(|part| part.iter().flat_map(RevokedCertificate::entry_der).collect())
            .collect();
        let list =
            CertificateRevocationList::from_der(&streamed(&issuer, &CrlScope::full(), period(9), &parts))
                .unwrap();
        list.verify_signature(issuer.key().public_key(), &Verifier).unwrap();
        assert_eq!(list.entries().collect::<Result<Vec<_>, _>>().unwrap(), all, "{algorithm}");
        let in_memory = issuer.prepare_crl(&CrlScope::full(), period(9), &all).unwrap();
        let tbs = in_memory.der();
        assert!(list.der().windows(tbs.len()).any(|window| window == tbs), "{algorithm}");
    }
}

/// Where the length of the outer header depends on the signature, the stream still gives DER.
#[test]
fn streams_hold_at_the_boundaries_of_der_lengths() {
    let mut shorter = 0;
    for length in 1..=64 {
        let issuer = root_named(&"n".repeat(length), KeyAlgorithm::EcP256);
        for entries in 0..2 {
            let parts: Vec<Vec<u8>> = (1..=entries)
                .map(|number| revoked(number, RevocationReason::Unspecified).entry_der())
                .collect();
            for _ in 0..4 {
                let der = streamed(&issuer, &CrlScope::full(), period(9), &parts);
                let list = CertificateRevocationList::from_der(&der).unwrap();
                list.verify_signature(issuer.key().public_key(), &Verifier).unwrap();
                shorter += usize::from(der.len() < 256 + 3);
            }
        }
    }
    assert!(shorter > 0, "some lists are below 256 octets");
}

#[test]
fn each_difference_from_the_log_is_named() {
    let issuer = root(KeyAlgorithm::EcP256);
    let other = root(KeyAlgorithm::EcP256);
    let [one, two] = [1, 2].map(|number| revoked(number, RevocationReason::Superseded));
    let log = |certificates: &[RevokedCertificate]| -> Vec<LoggedRevocation> {
        certificates
            .iter()
            .map(|&certificate| LoggedRevocation { certificate, not_after: Some(hours(1)) })
            .collect()
    };
    let full = CrlScope::full();
    let check = CrlCheck {
        issuer: issuer.certificate(),
        scope: &full,
        published: None,
        retention: Retention::default(),
        now: now(),
    };
    let both = signed(&issuer, &full, period(7), &[one, two]);
    assert_eq!(check.differences(&both, log(&[two, one]), &Verifier), []);
    let ask = |check: CrlCheck<'_>, list: &CertificateRevocationList, log: Vec<LoggedRevocation>| {
        check.differences(list, log, &Verifier)
    };
    use CrlDifference as D;
    let three = revoked(3, RevocationReason::Unspecified);
    let since = one.invalid_since(UnixTime::MIN);
    assert_eq!(
        ask(check, &both, log(&[one, three])),
        [D::Unexplained { serial: two.serial }, D::Missing { serial: three.serial }]
    );
    assert_eq!(ask(check, &both, log(&[since, two])), [D::Entry { logged: since, listed: one }]);
    // An entry may leave after its certificate's end and the margin, not before.
    let only_two = signed(
        &issuer,
        &full,
        CrlPeriod { this_update: hours(73), next_update: hours(100), ..period(7) },
        &[two],
    );
    let later = CrlCheck { now: hours(80), ..check };
    assert_eq!(ask(later, &only_two, log(&[one, two])), [D::Missing { serial: one.serial }]);
    let longer_gone = signed(
        &issuer,
        &full,
        CrlPeriod { this_update: hours(74), next_update: hours(100), ..period(7) },
        &[two],
    );
    let gone = [D::Missing { serial: one.serial }];
    assert_eq!(ask(later, &longer_gone, log(&[one, two])), gone, "on no list beyond its end");
    let before_its_end = CrlCheck { published: Some(period(6)), ..later };
    assert_eq!(ask(before_its_end, &longer_gone, log(&[one, two])), gone, "on none beyond its end");
    let beyond_its_end = CrlPeriod { this_update: hours(2), ..period(6) };
    let later = CrlCheck { published: Some(beyond_its_end), ..later };
    assert_eq!(ask(later, &only_two, log(&[one, two])), gone, "within the margin");
    assert_eq!(ask(later, &longer_gone, log(&[one, two])), []);
    let foreign = signed(&other, &full, period(7), &[one, two]);
    assert_eq!(
        ask(check, &foreign, log(&[one, two])),
        [D::KeyIdentifier, D::Signature(pki_core::key::VerifyError::BadSignature)]
    );
    let named = signed(&root_named("Other", KeyAlgorithm::EcP256), &full, period(7), &[]);
    assert!(matches!(ask(check, &named, vec![]).first(), Some(D::IssuerName { .. })));
    let delta = signed(&issuer, &CrlScope::delta(CrlNumber::from_u64(6)), period(7), &[one, two]);
    assert_eq!(ask(check, &delta, log(&[one, two])), [D::Scope]);
    let published = |published| CrlCheck { published: Some(published), ..check };
    assert_eq!(
        ask(published(period(7)), &both, log(&[one, two])),
        [D::Number { number: CrlNumber::from_u64(7), published: CrlNumber::from_u64(7) }]
    );
    let newer = CrlPeriod { this_update: hours(1), ..period(6) };
    assert_eq!(
        ask(published(newer), &both, log(&[one, two])),
        [D::ThisUpdate { this_update: now(), published: hours(1) }]
    );
    let lapsed = CrlCheck { now: hours(73), ..check };
    assert_eq!(ask(lapsed, &both, log(&[one, two])), [D::Lapsed { next_update: hours(72) }]);
    let early = CrlCheck { now: now().checked_sub(HOUR).unwrap(), ..check };
    assert_eq!(ask(early, &both, log(&[one, two])), [D::NotYet { this_update: now() }]);
}

proptest! {
    /// What a list says is what was put on it, and a second encoding is the first.
    #[test]
    fn entries_read_back(
        numbers in proptest::collection::btree_set(1_u64.., 0..40),
        times in proptest::collection::vec((0..=UnixTime::MAX.as_secs(), proptest::option::of(0..=UnixTime::MAX.as_secs()), 0_usize..10), 40),
    ) {
        let list: Vec<RevokedCertificate> = numbers
            .into_iter()
            .zip(times)
            .map(|(number, (at, since, reason))| {
                let at = UnixTime::from_secs(at).unwrap();
                let entry = RevokedCertificate::new(serial(number), at, RevocationReason::ALL[reason]);
                match since {
                    Some(since) => entry.invalid_since(UnixTime::from_secs(since).unwrap()),
                    None => entry,
                }
            })
            .collect();
        let der: Vec<u8> = list.iter().flat_map(RevokedCertificate::entry_der).collect();
        let read: Vec<RevokedCertificate> = entries(&der).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read, &list);
        prop_assert_eq!(read.iter().flat_map(RevokedCertificate::entry_der).collect::<Vec<u8>>(), der);
    }

    #[test]
    fn random_octets_are_no_list(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = CertificateRevocationList::from_der(&octets);
        let _ = entries(&octets).count();
    }
}

/// OpenSSL, on this leaf with these lists.
fn openssl_says(directory: &Path, leaf: &str, lists: &[&str]) -> Result<(), String> {
    let mut command = Command::new("openssl");
    command.current_dir(directory).args([
        "verify",
        "-x509_strict",
        "-crl_check",
        "-extended_crl",
        "-use_deltas",
    ]);
    command.args(["-attime", &(now().as_secs() + 60).to_string(), "-CAfile", "root.pem"]);
    for list in lists {
        command.args(["-CRLfile", list]);
    }
    let output = command.arg(leaf).output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn openssl_obeys_deltas_and_shards() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(directory.path().join(name), text).unwrap();
    let issuer = root(KeyAlgorithm::EcP256);
    write("root.pem", issuer.certificate().certificate().to_pem());
    let role =
        Role::new(RoleConfig { allow_any_name: true, enforce_hostnames: false, ..RoleConfig::default() })
            .unwrap();
    let shards = Shards::new(NonZeroU32::new(4).unwrap());
    let template = ShardTemplate::parse("http://crl.example/{{shard}}.crl").unwrap();
    // Every leaf is bound to the list of its shard as it is issued.
    let leaf = |name: &str| {
        let request = IssueRequest {
            names: AskedNames {
                common_name: Some(CommonName::parse(name).unwrap()),
                ..AskedNames::default()
            },
            key: Some((KeyType::Ec, 256)),
            ..IssueRequest::default()
        };
        let limits = Limits::default();
        let permitted = role.permit(request, &limits, now()).unwrap();
        let key = SoftwareKey::generate(permitted.key_algorithm(), &mut rng()).unwrap();
        let permitted = permitted.with_key(key.public_key().clone()).unwrap();
        let serial = SerialNumber::random(&mut rng(), now()).unwrap();
        let shard = shards.of(&serial);
        let endpoints = Endpoints::default().in_shard(std::slice::from_ref(&template), shard).unwrap();
        let prepared = issuer.prepare(permitted, serial, &endpoints).unwrap();
        let certificate = issuer.sign(&prepared, &mut rng()).unwrap();
        assert_eq!(certificate.crl_distribution_points(), [template.uri(shard).unwrap()]);
        write(&format!("{name}.pem"), certificate.to_pem());
        (serial, shard)
    };
    let (good, _) = leaf("good.test");
    let (bad, bad_shard) = leaf("bad.test");
    let entry = |serial, reason| RevokedCertificate::new(serial, now(), reason);

    // Shards: the list of its own shard has the certificate, another shard's list does not speak for it.
    let shard_scope = |shard| {
        CrlScope::shard(
            DistributionPoints::new(vec![url("http://old.example/x.crl"), template.uri(shard).unwrap()])
                .unwrap(),
        )
    };
    let mut names = Vec::new();
    for shard in shards.iter() {
        let on_it: Vec<_> = [bad]
            .into_iter()
            .filter(|_| shard == bad_shard)
            .map(|serial| entry(serial, RevocationReason::KeyCompromise))
            .collect();
        let name = format!("shard-{}.crl", shard.number());
        write(&name, signed(&issuer, &shard_scope(shard), period(7), &on_it).to_pem());
        names.push(name);
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    openssl_says(directory.path(), "good.test.pem", &all).unwrap();
    let error = openssl_says(directory.path(), "bad.test.pem", &all).unwrap_err();
    assert!(error.contains("certificate revoked"), "{error}");
    let others: Vec<&str> =
        all.iter().copied().filter(|name| *name != format!("shard-{}.crl", bad_shard.number())).collect();
    let error = openssl_says(directory.path(), "bad.test.pem", &others).unwrap_err();
    assert!(error.contains("different CRL scope"), "{error}");

    // Deltas: the base holds one of them; the delta takes it off and puts the other one on.
    let scope = CrlScope::full().with_freshest(vec![url("http://crl.example/delta.crl")]);
    let base = signed(&issuer, &scope, period(7), &[entry(good, RevocationReason::CertificateHold)]);
    let changes = [entry(good, RevocationReason::RemoveFromCrl), entry(bad, RevocationReason::Superseded)];
    let delta = signed(&issuer, &CrlScope::delta(CrlNumber::from_u64(7)), period(8), &changes);
    write("base.crl", base.to_pem());
    write("delta.crl", delta.to_pem());
    let error = openssl_says(directory.path(), "good.test.pem", &["base.crl"]).unwrap_err();
    assert!(error.contains("certificate revoked"), "{error}");
    openssl_says(directory.path(), "bad.test.pem", &["base.crl"]).unwrap();
    openssl_says(directory.path(), "good.test.pem", &["base.crl", "delta.crl"]).unwrap();
    let error = openssl_says(directory.path(), "bad.test.pem", &["base.crl", "delta.crl"]).unwrap_err();
    assert!(error.contains("certificate revoked"), "{error}");
}
