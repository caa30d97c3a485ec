//! Certificates and lists of them.

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;

use super::fixture::{Pair, at, fingerprint, insert, serial};
use crate::batch::{Expected, Op, Outcome};
use crate::block_on;
use crate::certificate::{
    CertificateFilter, CertificateRecord, CertificateState, CertificateStatus, NameMatch,
};
use crate::error::{Conflict, Noun};
use crate::id::{IssuerId, RoleId};
use crate::page::{Order, PageRequest};
use crate::role::RoleVersion;
use crate::store::Store;

pub fn a_serial_is_used_once<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let record = pair.record(ca);
    let Outcome::Certificate(first) = pair.op(insert(record.clone())).unwrap() else { panic!() };
    assert_eq!(pair.conflict(insert(record.clone())), Conflict::SerialUsed { serial: record.serial });
    let reserve = Op::ReserveCertificate(record.clone());
    assert_eq!(pair.conflict(reserve), Conflict::SerialUsed { serial: record.serial });
    // The same serial of another authority is another certificate.
    let other = pair.new_issuer(ca.0, b"other spki", b"other ca");
    let authority = AuthorityId::new(&other.subject, &other.public_key);
    let issuer = other.id;
    pair.op(Op::CreateIssuer(other)).unwrap();
    let twin = CertificateRecord { authority, issuer, ..record.clone() };
    let Outcome::Certificate(second) = pair.op(insert(twin)).unwrap() else { panic!() };
    assert!(second > first);
    assert_eq!(block_on(pair.b.certificates_by_serial(record.serial)).unwrap().len(), 2);
    assert_eq!(block_on(pair.b.certificates_by_serial(serial(999))).unwrap().len(), 0);
    let stored = block_on(pair.b.certificate(ca.2, record.serial)).unwrap().unwrap();
    assert_eq!((stored.row.id, &stored.row.record), (first, &record));
    assert_eq!(stored.der, Some(format!("certificate {}", record.serial).into_bytes()));
}

pub fn a_certificate_is_reserved_then_committed<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let record = pair.record(ca);
    let Outcome::Certificate(n) = pair.op(Op::ReserveCertificate(record.clone())).unwrap() else { panic!() };
    let reserved = block_on(pair.b.certificate(ca.2, record.serial)).unwrap().unwrap();
    assert_eq!((reserved.row.state, reserved.der), (CertificateState::Reserved, None));
    assert_eq!(reserved.row.status(at(0)), CertificateStatus::Reserved);

    let commit = |tbs_digest| Op::CommitCertificate {
        authority: ca.2,
        serial: record.serial,
        tbs_digest,
        fingerprint: fingerprint(b"signed"),
        der: Some(b"signed".to_vec()),
    };
    let not_reserved = Conflict::NotReserved { serial: record.serial };
    assert_eq!(pair.conflict(commit([9; 32])), not_reserved, "other bytes were reserved");
    assert_eq!(pair.op(commit(record.tbs_digest)).unwrap(), Outcome::Certificate(n));
    assert_eq!(pair.conflict(commit(record.tbs_digest)), not_reserved);
    let issued = block_on(pair.b.certificate(ca.2, record.serial)).unwrap().unwrap();
    assert_eq!((issued.row.state, issued.der.as_deref()), (CertificateState::Issued, Some(&b"signed"[..])));
    assert_eq!(issued.row.fingerprint, Some(fingerprint(b"signed")));

    let never = Op::CommitCertificate {
        authority: ca.2,
        serial: serial(12_345),
        tbs_digest: [1; 32],
        fingerprint: [0; 32],
        der: None,
    };
    assert!(matches!(pair.conflict(never), Conflict::NotFound { what: Noun::Certificate, .. }));
    // What is only reserved may have been signed: it can be revoked.
    let lost = pair.record(ca);
    pair.op(Op::ReserveCertificate(lost.clone())).unwrap();
    let reason = RevocationReason::CessationOfOperation;
    pair.op(Op::Revoke { authority: ca.2, serial: lost.serial, reason, not_after: None }).unwrap();
    let lost = block_on(pair.b.certificate(ca.2, lost.serial)).unwrap().unwrap();
    assert_eq!(lost.row.status(at(0)), CertificateStatus::Revoked);
}

pub fn a_certificate_needs_what_it_refers_to<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let good = pair.record(ca);
    for (what, bad) in [
        (Noun::Authority, CertificateRecord { authority: AuthorityId::from_bytes([9; 32]), ..good.clone() }),
        (Noun::Issuer, CertificateRecord { issuer: IssuerId::from_bytes([9; 16]), ..good.clone() }),
        (
            Noun::Role,
            CertificateRecord {
                role: Some(RoleVersion { id: RoleId::from_bytes([9; 16]), revision: 1 }),
                ..good.clone()
            },
        ),
    ] {
        match pair.conflict(insert(bad)) {
            Conflict::NotFound { what: found, .. } => assert_eq!(found, what),
            other => panic!("{other:?}"),
        }
    }
    pair.op(insert(good)).unwrap();
}

/// Sixty certificates: two issuers, two roles, three requesters, many names.
fn inventory<S: Store>(pair: &Pair<'_, S>) -> (Vec<CertificateRecord>, [IssuerId; 2], [RoleId; 2]) {
    let ca = pair.issuer();
    let other = pair.new_issuer(ca.0, b"spki", b"cross-signed");
    let issuers = [ca.1, other.id];
    pair.op(Op::CreateIssuer(other)).unwrap();
    let roles = ["web", "api"].map(|name| {
        let op = Op::PutRole {
            mount: ca.0,
            name: name.into(),
            new_id: RoleId::from_bytes(pair.id16()),
            expected: Expected::Absent,
            json: b"{}".to_vec(),
        };
        match pair.op(op).unwrap() {
            Outcome::Role(version) => version.id,
            other => panic!("{other:?}"),
        }
    });
    let records: Vec<CertificateRecord> = (0..60_usize)
        .map(|number| {
            let mut record = pair.record(ca);
            record.issuer = issuers[usize::from(number % 10 == 0)];
            record.role = (number % 4 != 3).then(|| RoleVersion { id: roles[number % 2], revision: 1 });
            record.requester = ["alice", "bob", "carol"][number % 3].into();
            record.common_name = (number % 2 == 0).then(|| format!("Host{number}.example.com"));
            record.names = vec![format!("host{number}.example.com"), format!("n{number}.svc.EXAMPLE.org")];
            record.not_after = at(if number < 20 { 100 } else { 10_000 + number as u64 });
            record
        })
        .collect();
    for (number, record) in records.iter().enumerate() {
        if number % 6 == 5 {
            pair.op(Op::ReserveCertificate(record.clone())).unwrap();
        } else {
            pair.op(insert(record.clone())).unwrap();
        }
        if number % 7 == 0 {
            let (authority, serial) = (record.authority, record.serial);
            let reason = RevocationReason::Superseded;
            pair.op(Op::Revoke { authority, serial, reason, not_after: None }).unwrap();
        }
    }
    (records, issuers, roles)
}

pub fn certificates_are_found_by_name<S: Store>(pair: &Pair<'_, S>) {
    let (records, ..) = inventory(pair);
    let count = |name: NameMatch| {
        let filter = CertificateFilter { name: Some(name), ..CertificateFilter::default() };
        block_on(pair.b.certificates(&filter, PageRequest::first(100), at(0))).unwrap().items.len()
    };
    let exact = |name: &str| count(NameMatch::Exact(name.into()));
    let suffix = |name: &str| count(NameMatch::Suffix(name.into()));
    let contains = |name: &str| count(NameMatch::Contains(name.into()));
    assert_eq!(exact("host7.example.com"), 1);
    assert_eq!(exact("HOST8.Example.COM"), 1);
    assert_eq!(exact("n8.svc.example.org"), 1);
    assert_eq!(exact("host7.example"), 0);
    assert_eq!(exact("%"), 0);
    assert_eq!(exact(""), 0);
    assert_eq!(suffix(".example.com"), 60);
    assert_eq!(suffix(".svc.Example.org"), 60);
    assert_eq!(suffix("9.example.com"), 6);
    assert_eq!(suffix("example.co"), 0);
    assert_eq!(contains("host5"), 11);
    assert_eq!(contains("SVC"), 60);
    assert_eq!(contains("_"), 0);
    assert_eq!(records.len(), 60);
}

pub fn certificates_are_filtered<S: Store>(pair: &Pair<'_, S>) {
    let (records, issuers, roles) = inventory(pair);
    let all = CertificateFilter::default;
    // Whatever the store finds by its indexes is what a walk over the records finds.
    let check = |filter: CertificateFilter, now: u64, matches: &dyn Fn(usize, &CertificateRecord) -> bool| {
        let found = block_on(pair.b.certificates(&filter, PageRequest::first(100), at(now))).unwrap().items;
        let found: Vec<_> = found.into_iter().rev().map(|row| row.record).collect();
        let wanted: Vec<_> = records
            .iter()
            .enumerate()
            .filter(|(n, record)| matches(*n, record))
            .map(|(_, r)| r.clone())
            .collect();
        assert_eq!(found, wanted, "{filter:?}");
        assert!(!wanted.is_empty(), "{filter:?} is worth testing");
    };
    check(all(), 0, &|_, _| true);
    for issuer in issuers {
        check(CertificateFilter { issuer: Some(issuer), ..all() }, 0, &|_, r| r.issuer == issuer);
    }
    for role in roles {
        let named = |r: &CertificateRecord| r.role.is_some_and(|version| version.id == role);
        check(CertificateFilter { role: Some(role), ..all() }, 0, &|_, r| named(r));
        let by_bob = CertificateFilter { role: Some(role), requester: Some("bob".into()), ..all() };
        check(by_bob, 0, &|_, r| named(r) && r.requester == "bob");
    }
    for now in [0, 5_000] {
        for status in [
            CertificateStatus::Valid,
            CertificateStatus::Expired,
            CertificateStatus::Revoked,
            CertificateStatus::Reserved,
        ] {
            if (now, status) == (0, CertificateStatus::Expired) {
                continue;
            }
            check(CertificateFilter { status: Some(status), ..all() }, now, &|n, r| {
                let is = match (n % 7 == 0, r.not_after < at(now), n % 6 == 5) {
                    (true, _, _) => CertificateStatus::Revoked,
                    (_, true, _) => CertificateStatus::Expired,
                    (_, _, true) => CertificateStatus::Reserved,
                    _ => CertificateStatus::Valid,
                };
                is == status
            });
        }
    }
    check(CertificateFilter { expires_by: Some(at(10_030)), ..all() }, 200, &|_, r| {
        r.not_after >= at(200) && r.not_after <= at(10_030)
    });
    check(CertificateFilter { expires_by: Some(at(100)), ..all() }, 100, &|n, _| n < 20);
    let ours =
        CertificateFilter { mount: Some(pair.pki().id), authority: Some(records[0].authority), ..all() };
    check(ours, 0, &|_, _| true);
    let narrow = CertificateFilter {
        name: Some(NameMatch::Suffix(".example.org".into())),
        status: Some(CertificateStatus::Revoked),
        role: Some(roles[0]),
        ..all()
    };
    check(narrow, 0, &|n, _| n % 7 == 0 && n % 2 == 0);

    let nothing = |filter: CertificateFilter| {
        let page = block_on(pair.b.certificates(&filter, PageRequest::first(100), at(0))).unwrap();
        assert_eq!((page.items, page.next), (Vec::new(), None));
    };
    nothing(CertificateFilter { role: Some(RoleId::from_bytes([9; 16])), ..all() });
    nothing(CertificateFilter { issuer: Some(IssuerId::from_bytes([9; 16])), ..all() });
    nothing(CertificateFilter { requester: Some("nobody".into()), ..all() });
}

/// More certificates than any index keeps in one piece: every filter finds what a look at each of them finds.
pub fn a_long_list_is_searched_as_a_short_one<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let other = pair.new_issuer(ca.0, b"spki", b"cross-signed");
    let rare = other.id;
    pair.op(Op::CreateIssuer(other)).unwrap();
    let put = Op::PutRole {
        mount: ca.0,
        name: "web".into(),
        new_id: RoleId::from_bytes(pair.id16()),
        expected: Expected::Absent,
        json: b"{}".to_vec(),
    };
    let Outcome::Role(role) = pair.op(put).unwrap() else { panic!() };
    let records: Vec<CertificateRecord> = (0..4_500_u64)
        .map(|number| {
            let mut record = pair.record(ca);
            if number % 900 == 7 {
                record.issuer = rare;
            }
            record.role = (number < 2_300).then_some(role);
            record.common_name = (number % 3 == 0).then(|| format!("CN{number}.example.com"));
            record.names =
                vec![format!("host{number}.example.com"), format!("n{}.example.org", number % 700)];
            record.key_digest = fingerprint(&(number % 1_500).to_be_bytes());
            record.not_after = at(number * 200);
            record
        })
        .collect();
    for (number, part) in records.chunks(450).enumerate() {
        let store = if number % 2 == 0 { pair.a } else { pair.b };
        pair.commit(store, pair.batch(part.iter().cloned().map(insert).collect())).unwrap();
    }
    let all = CertificateFilter::default;
    let named = |name| CertificateFilter { name: Some(name), ..all() };
    let key = fingerprint(&77_u64.to_be_bytes());
    type Test = Box<dyn Fn(&CertificateRecord) -> bool>;
    let ends = |suffix: &'static str| -> Test {
        Box::new(move |record| record.names.iter().any(|name| name.ends_with(suffix)))
    };
    let rows: Vec<(&str, CertificateFilter, Test)> = vec![
        ("all", all(), Box::new(|_| true)),
        ("a name", named(NameMatch::Exact("HOST2047.example.com".into())), ends("host2047.example.com")),
        ("a name of several", named(NameMatch::Exact("n5.example.org".into())), ends("n5.example.org")),
        (
            "a common name",
            named(NameMatch::Exact("cn3000.example.com".into())),
            Box::new(|record| record.common_name.as_deref() == Some("CN3000.example.com")),
        ),
        ("a suffix", named(NameMatch::Suffix("99.Example.com".into())), ends("99.example.com")),
        ("no name", named(NameMatch::Exact("host4500.example.com".into())), Box::new(|_| false)),
        (
            "a part of a name",
            named(NameMatch::Contains("ost44".into())),
            Box::new(|record| record.names[0].contains("ost44")),
        ),
        (
            "a key",
            CertificateFilter { key_digest: Some(key), ..all() },
            Box::new(move |record| record.key_digest == key),
        ),
        (
            "a key that begins as another",
            CertificateFilter {
                key_digest: Some([&key[..31], &[!key[31]]].concat().try_into().unwrap()),
                ..all()
            },
            Box::new(|_| false),
        ),
        (
            "a key and a name",
            CertificateFilter {
                key_digest: Some(key),
                name: Some(NameMatch::Suffix("7.example.com".into())),
                ..all()
            },
            Box::new(move |record| record.key_digest == key && record.names[0].ends_with("7.example.com")),
        ),
        (
            "an issuer",
            CertificateFilter { issuer: Some(rare), ..all() },
            Box::new(move |record| record.issuer == rare),
        ),
        (
            "a role",
            CertificateFilter { role: Some(role.id), ..all() },
            Box::new(|record| record.role.is_some()),
        ),
        (
            "a role and an issuer",
            CertificateFilter { role: Some(role.id), issuer: Some(rare), ..all() },
            Box::new(move |record| record.role.is_some() && record.issuer == rare),
        ),
        (
            "a window of expiry",
            CertificateFilter { expires_by: Some(at(500_000)), ..all() },
            Box::new(|record| record.not_after >= at(300_000) && record.not_after <= at(500_000)),
        ),
        (
            "valid",
            CertificateFilter { status: Some(CertificateStatus::Valid), ..all() },
            Box::new(|record| record.not_after >= at(300_000)),
        ),
        (
            "expired",
            CertificateFilter { status: Some(CertificateStatus::Expired), ..all() },
            Box::new(|record| record.not_after < at(300_000)),
        ),
    ];
    for (what, filter, test) in rows {
        let wanted: Vec<_> =
            records.iter().filter(|record| test(record)).map(|record| record.serial).collect();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let mut page = PageRequest { after: None, limit: 1_000, order };
            let mut found = Vec::new();
            loop {
                let answer = block_on(pair.b.certificates(&filter, page, at(300_000))).unwrap();
                found.extend(answer.items.iter().map(|row| row.record.serial));
                let Some(next) = answer.next else { break };
                page.after = Some(next);
            }
            if order == Order::NewestFirst {
                found.reverse();
            }
            assert_eq!(found, wanted, "{what}, {order:?}");
        }
    }
}

pub fn certificate_pages_follow_each_other<S: Store>(pair: &Pair<'_, S>) {
    let (records, issuers, roles) = inventory(pair);
    let serials: Vec<_> = records.iter().map(|record| record.serial).collect();
    let all = CertificateFilter::default;
    for filter in [
        all(),
        CertificateFilter { role: Some(roles[0]), ..all() },
        CertificateFilter { issuer: Some(issuers[0]), ..all() },
        CertificateFilter { name: Some(NameMatch::Suffix(".com".into())), ..all() },
        CertificateFilter { name: Some(NameMatch::Contains("host".into())), ..all() },
        CertificateFilter { status: Some(CertificateStatus::Revoked), ..all() },
        CertificateFilter { status: Some(CertificateStatus::Reserved), ..all() },
        CertificateFilter { expires_by: Some(at(10_050)), ..all() },
    ] {
        let whole = block_on(pair.a.certificates(&filter, PageRequest::first(100), at(0))).unwrap();
        assert_eq!(whole.next, None);
        for (order, limit) in [(Order::NewestFirst, 7), (Order::OldestFirst, 7), (Order::NewestFirst, 1)] {
            let mut paged = Vec::new();
            let mut page = PageRequest { after: None, limit, order };
            loop {
                let answer = block_on(pair.b.certificates(&filter, page, at(0))).unwrap();
                assert!(answer.items.len() <= limit && !answer.items.is_empty());
                paged.extend(answer.items);
                let Some(next) = answer.next else { break };
                page.after = Some(next.to_string().parse().unwrap());
            }
            if order == Order::OldestFirst {
                paged.reverse();
            }
            assert_eq!(paged, whole.items, "{filter:?} {order:?}");
        }
    }
    let newest = block_on(pair.a.certificates(&all(), PageRequest::first(1), at(0))).unwrap();
    assert_eq!(Some(&newest.items[0].record.serial), serials.last());
}

pub fn a_row_without_its_certificate<S: Store>(pair: &Pair<'_, S>) {
    let record = pair.record(pair.issuer());
    let op = Op::InsertCertificate { record: record.clone(), fingerprint: [5; 32], der: None };
    pair.op(op).unwrap();
    let stored = block_on(pair.b.certificate(record.authority, record.serial)).unwrap().unwrap();
    assert_eq!((stored.der, stored.row.fingerprint), (None, Some([5; 32])));
    assert_eq!(stored.row.status(at(0)), CertificateStatus::Valid);
    assert_eq!(stored.row.status(record.not_after), CertificateStatus::Valid, "notAfter is inclusive");
}

pub fn names_that_are_odd<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let mut record = pair.record(ca);
    record.common_name = Some(String::new());
    record.names = vec![
        "line\nbreak".into(),
        "nul\0octet".into(),
        "ÜBER.example".into(),
        "'; DROP TABLE certificate; --".into(),
        "same".into(),
        "SAME".into(),
    ];
    record.requester = "o'brien \"%_\"".into();
    pair.op(insert(record.clone())).unwrap();
    let stored = block_on(pair.b.certificate(ca.2, record.serial)).unwrap().unwrap();
    assert_eq!(stored.row.record, record);
    for name in ["line\nbreak", "über.EXAMPLE", "'; drop table certificate; --", "Same"] {
        let filter = CertificateFilter {
            name: Some(NameMatch::Exact(name.into())),
            requester: Some(record.requester.clone()),
            ..CertificateFilter::default()
        };
        let found = block_on(pair.b.certificates(&filter, PageRequest::first(10), at(0))).unwrap();
        assert_eq!(found.items.len(), 1, "{name}");
    }
    let mut nameless = pair.record(ca);
    nameless.common_name = None;
    nameless.names = Vec::new();
    pair.op(insert(nameless.clone())).unwrap();
    let stored = block_on(pair.b.certificate(ca.2, nameless.serial)).unwrap().unwrap();
    assert_eq!(stored.row.record, nameless);
}
