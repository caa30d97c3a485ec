//! The audit log.

use super::fixture::{Pair, at, entry, serial};
use crate::audit::{AuditFilter, AuditOutcome};
use crate::batch::{Batch, BatchId};
use crate::block_on;
use crate::id::{MountId, RoleId};
use crate::page::{Order, PageRequest};
use crate::role::RoleVersion;
use crate::store::Store;

fn log<S: Store>(pair: &Pair<'_, S>, rows: u64) {
    for number in 0..rows {
        let mut row = entry(if number % 2 == 0 { "pki/issue" } else { "role/write" });
        row.at = at(number);
        row.requester = if number % 3 == 0 { "alice".into() } else { "bob".into() };
        row.outcome = if number % 5 == 0 { AuditOutcome::Refused } else { AuditOutcome::Done };
        row.serial = (number % 2 == 0).then(|| serial(number));
        row.mount = (number % 4 == 0).then(|| MountId::from_bytes([4; 16]));
        row.role = Some(RoleVersion { id: RoleId::from_bytes([1; 16]), revision: number });
        row.detail = format!("{{\"number\":{number}}}");
        let id = BatchId::from_bytes(pair.id16());
        let store = if number % 2 == 0 { pair.a } else { pair.b };
        pair.commit(store, Batch { id, at: at(number), ops: Vec::new(), audit: vec![row] }).unwrap();
    }
}

pub fn audit_pages_follow_each_other<S: Store>(pair: &Pair<'_, S>) {
    log(pair, 25);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut sequences = Vec::new();
        let mut page = PageRequest { after: None, limit: 10, order };
        loop {
            let answer = block_on(pair.b.audit(&AuditFilter::default(), page)).unwrap();
            assert!(answer.items.len() <= 10);
            sequences.extend(answer.items.iter().map(|row| row.sequence));
            let Some(next) = answer.next else { break };
            page.after = Some(next.to_string().parse().unwrap());
        }
        if order == Order::NewestFirst {
            sequences.reverse();
        }
        assert_eq!(sequences, (1..=25).collect::<Vec<u64>>(), "{order:?}");
    }
}

pub fn audit_filters<S: Store>(pair: &Pair<'_, S>) {
    log(pair, 30);
    let count =
        |filter: AuditFilter| block_on(pair.a.audit(&filter, PageRequest::first(100))).unwrap().items.len();
    let all = AuditFilter::default;
    assert_eq!(count(all()), 30);
    assert_eq!(count(AuditFilter { requester: Some("alice".into()), ..all() }), 10);
    assert_eq!(count(AuditFilter { operation: Some("pki/".into()), ..all() }), 15);
    assert_eq!(count(AuditFilter { operation: Some("pki%".into()), ..all() }), 0);
    assert_eq!(count(AuditFilter { outcome: Some(AuditOutcome::Refused), ..all() }), 6);
    assert_eq!(count(AuditFilter { serial: Some(serial(2)), ..all() }), 1);
    assert_eq!(count(AuditFilter { mount: Some(MountId::from_bytes([4; 16])), ..all() }), 8);
    assert_eq!(count(AuditFilter { since: Some(at(20)), ..all() }), 10);
    let both = AuditFilter { requester: Some("bob".into()), operation: Some("role/write".into()), ..all() };
    assert_eq!(count(both), 10);
}

pub fn the_audit_log_proves_itself<S: Store>(pair: &Pair<'_, S>) {
    let empty = block_on(pair.a.verify_audit()).unwrap();
    assert_eq!((empty.rows, empty.fault), (0, None));
    log(pair, 10);
    let report = block_on(pair.a.verify_audit()).unwrap();
    assert_eq!((report.rows, report.first, report.last, report.fault), (10, 1, 10, None));
    let last = block_on(pair.b.audit(&AuditFilter::default(), PageRequest::first(1))).unwrap();
    assert_eq!(last.items[0].hash, report.head);
}
