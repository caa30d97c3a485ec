//! Revocations and CRLs.

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;

use super::fixture::{Pair, at, insert, serial};
use crate::batch::{Batch, Op, Outcome};
use crate::block_on;
use crate::certificate::{CertificateFilter, CertificateStatus};
use crate::crl::{CrlDraft, CrlScope};
use crate::error::{Conflict, Noun};
use crate::id::MountId;
use crate::page::PageRequest;
use crate::store::Store;

fn revoke(authority: AuthorityId, number: u64, reason: RevocationReason) -> Op {
    Op::Revoke { authority, serial: serial(number), reason, not_after: None }
}

pub fn a_revocation_is_recorded_once<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let record = pair.record(ca);
    pair.op(insert(record.clone())).unwrap();
    let op = |reason| Op::Revoke { authority: ca.2, serial: record.serial, reason, not_after: None };
    let first = match pair.op(op(RevocationReason::KeyCompromise)).unwrap() {
        Outcome::Revoked { revocation, already: false } => revocation,
        other => panic!("{other:?}"),
    };
    assert_eq!(first.revoked_at, at(0));
    assert_eq!(first.not_after, Some(record.not_after), "taken from the certificate's row");
    let again = Batch { at: at(500), ..pair.batch(vec![op(RevocationReason::Superseded)]) };
    let again = pair.commit(pair.b, again).unwrap();
    assert_eq!(again.outcomes, [Outcome::Revoked { revocation: first, already: true }]);

    assert_eq!(block_on(pair.b.revocation(ca.2, record.serial)).unwrap(), Some(first));
    let stored = block_on(pair.a.certificate(ca.2, record.serial)).unwrap().unwrap();
    assert_eq!(stored.row.revocation, Some(first));
    assert_eq!(stored.row.status(at(999_999)), CertificateStatus::Revoked);
    let authority = block_on(pair.a.authority(ca.2)).unwrap().unwrap();
    assert_eq!((authority.revoked, authority.last_revocation), (1, first.id));
}

pub fn an_unknown_certificate_can_be_revoked_and_stored_later<S: Store>(pair: &Pair<'_, S>) {
    let ca = pair.issuer();
    let record = pair.record(ca);
    let op = Op::Revoke {
        authority: ca.2,
        serial: record.serial,
        reason: RevocationReason::Unspecified,
        not_after: Some(at(77)),
    };
    let Outcome::Revoked { revocation, already: false } = pair.op(op).unwrap() else { panic!() };
    assert_eq!(revocation.not_after, Some(at(77)));
    pair.op(insert(record.clone())).unwrap();
    let filter =
        CertificateFilter { status: Some(CertificateStatus::Revoked), ..CertificateFilter::default() };
    let revoked = block_on(pair.b.certificates(&filter, PageRequest::first(10), at(0))).unwrap();
    assert_eq!(revoked.items.len(), 1);
    assert_eq!(revoked.items[0].revocation, Some(revocation));

    let nobody = AuthorityId::from_bytes([9; 32]);
    let conflict = pair.conflict(revoke(nobody, 1, RevocationReason::Unspecified));
    assert!(matches!(conflict, Conflict::NotFound { what: Noun::Authority, .. }));
}

pub fn revocations_come_in_parts<S: Store>(pair: &Pair<'_, S>) {
    let (mount, _, authority) = pair.issuer();
    let other = pair.new_issuer(mount, b"other spki", b"other ca");
    let other_authority = AuthorityId::new(&other.subject, &other.public_key);
    pair.op(Op::CreateIssuer(other)).unwrap();
    for number in 1..=12 {
        pair.op(revoke(authority, number, RevocationReason::Superseded)).unwrap();
        pair.op(revoke(other_authority, number, RevocationReason::Superseded)).unwrap();
    }
    let up_to = block_on(pair.b.authority(authority)).unwrap().unwrap().last_revocation;
    pair.op(revoke(authority, 99, RevocationReason::Superseded)).unwrap();
    let mut serials = Vec::new();
    let mut after = 0;
    loop {
        let part = block_on(pair.b.revocations(authority, after, up_to, 5)).unwrap();
        let Some(last) = part.last() else { break };
        after = last.id;
        serials.extend(part.iter().map(|revocation| revocation.serial));
    }
    assert_eq!(serials, (1..=12).map(serial).collect::<Vec<_>>());
}

fn begin<S: Store>(
    pair: &Pair<'_, S>,
    authority: AuthorityId,
    mount: MountId,
    nanoseconds: u128,
    seconds: u64,
) -> CrlDraft {
    let op = Op::BeginCrl { authority, mount, scope: CrlScope::Full, nanoseconds };
    let batch = Batch { at: at(seconds), ..pair.batch(vec![op]) };
    match pair.commit(pair.a, batch).unwrap().outcomes[0] {
        Outcome::Crl(draft) => draft,
        ref other => panic!("{other:?}"),
    }
}

pub fn crl_numbers_only_rise<S: Store>(pair: &Pair<'_, S>) {
    let (mount, _, authority) = pair.issuer();
    assert_eq!(begin(pair, authority, mount, 0, 0).number, 1, "the first, if asked so");
    assert_eq!(begin(pair, authority, mount, 0, 0).number, 2);
    assert_eq!(begin(pair, authority, mount, 5_000, 0).number, 5_000);
    assert_eq!(begin(pair, authority, mount, 4_000, 0).number, 5_001, "the clock stepped back");
    let far = u128::from(u64::MAX) * 1_000;
    assert_eq!(begin(pair, authority, mount, far, 0).number, far, "past 64 bits");
    // Full and delta CRLs share the sequence.
    let op = Op::BeginCrl { authority, mount, scope: CrlScope::Delta, nanoseconds: 0 };
    let Outcome::Crl(delta) = pair.op(op).unwrap() else { panic!() };
    assert_eq!(delta.number, far + 1);
    let elsewhere = block_on(pair.b.mount("database")).unwrap().unwrap().id;
    let op = Op::BeginCrl { authority, mount: elsewhere, scope: CrlScope::Full, nanoseconds: 0 };
    assert_eq!(pair.conflict(op), Conflict::CrlElsewhere { mount: Some("pki".into()) });
}

pub fn this_update_never_steps_back<S: Store>(pair: &Pair<'_, S>) {
    let (mount, _, authority) = pair.issuer();
    assert_eq!(begin(pair, authority, mount, 0, 100).this_update, at(100));
    assert_eq!(begin(pair, authority, mount, 0, 50).this_update, at(100));
    assert_eq!(begin(pair, authority, mount, 0, 101).this_update, at(101));
}

pub fn a_crl_replaces_only_an_older_one<S: Store>(pair: &Pair<'_, S>) {
    let (mount, _, authority) = pair.issuer();
    pair.op(revoke(authority, 1, RevocationReason::KeyCompromise)).unwrap();
    let first = begin(pair, authority, mount, 10, 0);
    assert_eq!((first.revoked, first.last_revocation), (1, 1));
    pair.op(revoke(authority, 2, RevocationReason::KeyCompromise)).unwrap();
    let second = begin(pair, authority, mount, 20, 10);
    assert_eq!((second.revoked, second.last_revocation), (2, 2));

    let finish = |draft: CrlDraft, next: u64| Op::FinishCrl {
        draft,
        next_update: at(next),
        der: format!("crl {}", draft.number).into_bytes(),
    };
    assert_eq!(block_on(pair.b.crl(authority, CrlScope::Full)).unwrap(), None);
    pair.op(finish(second, 1_000)).unwrap();
    let superseded = pair.conflict(finish(first, 2_000));
    assert_eq!(superseded, Conflict::CrlSuperseded { number: 10, published: 20 });
    let invented = CrlDraft { number: 30, ..second };
    assert!(matches!(pair.conflict(finish(invented, 2_000)), Conflict::CrlSuperseded { number: 30, .. }));
    let third = begin(pair, authority, mount, 0, 20);
    assert!(matches!(pair.conflict(finish(third, 20)), Conflict::CrlUpdates { .. }));
    let backwards = CrlDraft { this_update: at(9), ..third };
    assert!(matches!(pair.conflict(finish(backwards, 2_000)), Conflict::CrlUpdates { .. }));

    let published = block_on(pair.b.crl(authority, CrlScope::Full)).unwrap().unwrap();
    assert_eq!((published.number, published.last_revocation), (20, 2));
    assert_eq!((published.this_update, published.next_update), (at(10), at(1_000)));
    assert_eq!(published.der, b"crl 20");
    pair.op(finish(third, 2_000)).unwrap();
    assert_eq!(block_on(pair.b.crl(authority, CrlScope::Full)).unwrap().unwrap().number, third.number);
    assert_eq!(block_on(pair.b.crl(authority, CrlScope::Delta)).unwrap(), None);
}
