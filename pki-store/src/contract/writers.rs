//! Batches as wholes, and two writers at once.

use std::thread;

use super::fixture::{Pair, at, entry, insert};
use crate::audit::{AuditFilter, AuditOutcome};
use crate::batch::{Expected, Op, Outcome};
use crate::block_on;
use crate::certificate::CertificateFilter;
use crate::crl::CrlScope;
use crate::error::{Conflict, Noun, StoreError};
use crate::id::{MountId, RoleId};
use crate::mount::{MountKind, NewMount};
use crate::page::PageRequest;
use crate::store::Store;

fn mount(id: [u8; 16], name: &str) -> Op {
    Op::CreateMount(NewMount::new(MountId::from_bytes(id), name, MountKind::Pki))
}

pub fn a_batch_has_one_outcome_however_often_it_is_committed<S: Store>(pair: &Pair<'_, S>) {
    let batch = pair.batch(vec![mount(pair.id16(), "once"), mount(pair.id16(), "twice")]);
    let first = pair.commit(pair.a, batch.clone()).unwrap();
    let second = pair.commit(pair.b, batch.clone()).unwrap();
    let third = pair.commit(pair.a, batch).unwrap();
    assert!(second.repeated && third.repeated);
    assert_eq!((&second.outcomes, &third.outcomes), (&first.outcomes, &first.outcomes));
    assert_eq!(block_on(pair.b.mounts()).unwrap().len(), 4);
    let log = block_on(pair.b.audit(&AuditFilter::default(), PageRequest::first(10))).unwrap();
    assert_eq!(log.items.len(), 1);
}

pub fn a_conflict_undoes_the_whole_batch<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let record = pair.record(ca);
    let batch = pair.batch(vec![
        mount(pair.id16(), "undone"),
        insert(record.clone()),
        Op::PutConfig { mount: ca.0, key: "urls".into(), expected: Expected::Absent, json: b"{}".to_vec() },
        mount(pair.id16(), "PKI"),
    ]);
    match pair.commit(pair.a, batch) {
        Err(StoreError::Conflict(Conflict::NameTaken { what: Noun::Mount, name })) => assert_eq!(name, "PKI"),
        other => panic!("{other:?}"),
    }
    assert!(block_on(pair.a.mount("undone")).unwrap().is_none());
    assert!(block_on(pair.a.config(ca.0, "urls")).unwrap().is_none());
    assert!(block_on(pair.a.certificate(ca.2, record.serial)).unwrap().is_none());
    // What was undone can be done, also right away on the same connection.
    let batch = pair.batch(vec![mount(pair.id16(), "undone"), insert(record.clone())]);
    pair.commit(pair.a, batch).unwrap();
    assert!(block_on(pair.b.certificate(ca.2, record.serial)).unwrap().is_some());
}

pub fn a_conflict_leaves_no_audit_row<S: Store>(pair: &Pair<'_, S>) {
    pair.conflict(mount(pair.id16(), "pki"));
    let log = block_on(pair.b.audit(&AuditFilter::default(), PageRequest::first(10))).unwrap();
    assert_eq!(log.items, []);
}

pub fn a_refusal_is_only_an_audit_row<S: Store>(pair: &Pair<'_, S>) {
    let mut batch = pair.batch(Vec::new());
    batch.audit = vec![entry("pki/issue")];
    batch.audit[0].outcome = AuditOutcome::Refused;
    batch.audit[0].detail = "{\"rule\":\"allow_bare_domains\"}".into();
    let committed = pair.commit(pair.a, batch.clone()).unwrap();
    assert_eq!(committed.outcomes, []);
    let log = block_on(pair.b.audit(&AuditFilter::default(), PageRequest::first(10))).unwrap();
    assert_eq!(log.items.len(), 1);
    assert_eq!(log.items[0].entry, batch.audit[0]);
}

pub fn two_writers_interleave<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    thread::scope(|scope| {
        for store in [pair.a, pair.b] {
            scope.spawn(move || {
                for _ in 0..50 {
                    let batch = pair.batch(vec![insert(pair.record(ca))]);
                    pair.commit(store, batch).unwrap();
                }
            });
        }
    });
    let all = block_on(pair.a.certificates(&CertificateFilter::default(), PageRequest::first(200), at(0)));
    let rows = all.unwrap().items;
    assert_eq!(rows.len(), 100);
    let mut serials: Vec<_> = rows.iter().map(|row| row.record.serial).collect();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), 100);
    let report = block_on(pair.b.verify_audit()).unwrap();
    assert_eq!((report.rows, report.fault), (102, None));
}

pub fn two_writers_race_for_one_name<S: Store>(pair: &Pair<'_, S>) {
    for round in 0..10 {
        let name = format!("mount-{round}");
        let name = name.as_str();
        let won: usize = thread::scope(|scope| {
            let race = [pair.a, pair.b].map(|store| {
                scope.spawn(move || {
                    let batch = pair.batch(vec![mount(pair.id16(), name)]);
                    usize::from(pair.commit(store, batch).is_ok())
                })
            });
            race.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(won, 1, "round {round}");
    }
}

pub fn two_writers_race_for_one_revision<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let put = |expected, json: &str| Op::PutRole {
        mount,
        name: "web".into(),
        new_id: RoleId::from_bytes(pair.id16()),
        expected,
        json: json.as_bytes().to_vec(),
    };
    pair.op(put(Expected::Absent, "0")).unwrap();
    // Each adds one to what it read, and tries again when somebody else was faster.
    thread::scope(|scope| {
        for store in [pair.a, pair.b] {
            scope.spawn(move || {
                for _ in 0..20 {
                    loop {
                        let role = block_on(store.role(mount, "web")).unwrap().unwrap();
                        let count: u32 = std::str::from_utf8(&role.json).unwrap().parse().unwrap();
                        let op = put(Expected::Revision(role.revision), &(count + 1).to_string());
                        match pair.commit(store, pair.batch(vec![op])) {
                            Ok(_) => break,
                            Err(StoreError::Conflict(Conflict::Revision { .. })) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
            });
        }
    });
    let role = block_on(pair.a.role(mount, "web")).unwrap().unwrap();
    assert_eq!((role.json.as_slice(), role.revision), (&b"40"[..], 41));
    assert_eq!(block_on(pair.a.role_history(role.id)).unwrap().len(), 41);
}

pub fn two_writers_never_get_one_crl_number<S: Store>(pair: &Pair<'_, S>) {
    let (mount, _, authority) = pair.issuer();
    let mut numbers: Vec<u128> = thread::scope(|scope| {
        let writers = [pair.a, pair.b].map(|store| {
            scope.spawn(move || -> Vec<u128> {
                (0..20)
                    .map(|_| {
                        let op = Op::BeginCrl { authority, mount, scope: CrlScope::Full, nanoseconds: 1_000 };
                        let committed = pair.commit(store, pair.batch(vec![op])).unwrap();
                        match committed.outcomes[0] {
                            Outcome::Crl(draft) => draft.number,
                            ref other => panic!("{other:?}"),
                        }
                    })
                    .collect()
            })
        });
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1_000..1_040).collect::<Vec<u128>>());
}
