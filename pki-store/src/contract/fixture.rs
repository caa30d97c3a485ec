//! What the contract's functions work with.

use std::sync::atomic::{AtomicU64, Ordering};

use pki_core::authority::AuthorityId;
use pki_core::random::{RandomError, SecureRandom};
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use crate::audit::{AuditEntry, AuditOutcome};
use crate::batch::{Batch, BatchId, Committed, Op, Outcome};
use crate::block_on;
use crate::certificate::CertificateRecord;
use crate::error::{Conflict, StoreError};
use crate::id::{IssuerId, KeyId, MountId};
use crate::issuer::{IssuerSettings, NewIssuer};
use crate::key::NewKey;
use crate::mount::Mount;
use crate::store::Store;

/// Whether the answer to a commit arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// It does.
    Arrive,
    /// The first one is lost, and the caller asks again with the same batch.
    LostOnce,
}

/// Two handles to one store.
#[derive(Debug)]
pub struct Pair<'a, S> {
    pub a: &'a S,
    pub b: &'a S,
    answers: Answers,
    count: AtomicU64,
}

/// 2026-11-23, and so many seconds later.
pub fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(1_795_413_600 + seconds).unwrap()
}

/// Repeatable and different each time: for tests only.
#[derive(Debug)]
pub struct SeededRandom(pub u64);

impl SecureRandom for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *octet = (z >> 56) as u8;
        }
        Ok(())
    }
}

impl<'a, S: Store> Pair<'a, S> {
    pub fn new(a: &'a S, b: &'a S, answers: Answers) -> Self {
        Self { a, b, answers, count: AtomicU64::new(1) }
    }

    /// A number that was not given before.
    pub fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    pub fn id16(&self) -> [u8; 16] {
        (u128::from(at(0).as_secs()) << 96 | u128::from(self.next())).to_be_bytes()
    }

    pub fn batch(&self, ops: Vec<Op>) -> Batch {
        Batch { id: BatchId::from_bytes(self.id16()), at: at(0), ops, audit: vec![entry("test/op")] }
    }

    /// Commits through `store`, as its caller would whose first answer was lost.
    pub fn commit(&self, store: &S, batch: Batch) -> Result<Committed, StoreError> {
        let first = block_on(store.commit(batch.clone()));
        if self.answers == Answers::Arrive {
            return first;
        }
        let second = block_on(store.commit(batch));
        if let (Ok(first), Ok(second)) = (&first, &second) {
            assert!(second.repeated, "the same batch again is recognised");
            assert_eq!(first.outcomes, second.outcomes, "the first outcome is given again");
        }
        second
    }

    /// Commits one operation.
    pub fn op(&self, op: Op) -> Result<Outcome, StoreError> {
        self.commit(self.a, self.batch(vec![op])).map(|committed| committed.outcomes[0].clone())
    }

    /// Commits one operation that must conflict.
    pub fn conflict(&self, op: Op) -> Conflict {
        match self.op(op) {
            Err(StoreError::Conflict(conflict)) => conflict,
            other => panic!("expected a conflict, got {other:?}"),
        }
    }

    pub fn pki(&self) -> Mount {
        block_on(self.b.mount("pki")).unwrap().unwrap()
    }

    pub fn new_key(&self, mount: MountId, public_key: &[u8]) -> NewKey {
        let id = KeyId::from_bytes(self.id16());
        let mut rng = SeededRandom(self.next());
        let private_key = self.a.seal(&NewKey::place(id), b"private", &mut rng).unwrap();
        NewKey {
            id,
            mount,
            name: None,
            key_type: "ec".into(),
            bits: 256,
            public_key: public_key.to_vec(),
            private_key,
            pending_issuer_name: None,
        }
    }

    pub fn new_issuer(&self, mount: MountId, public_key: &[u8], certificate: &[u8]) -> NewIssuer {
        NewIssuer {
            id: IssuerId::from_bytes(self.id16()),
            mount,
            name: None,
            certificate: certificate.to_vec(),
            subject: b"subject".to_vec(),
            public_key: public_key.to_vec(),
            settings: IssuerSettings::default(),
        }
    }

    /// An issuer with its key in the mount `pki`.
    pub fn issuer(&self) -> (MountId, IssuerId, AuthorityId) {
        let mount = self.pki().id;
        let issuer = self.new_issuer(mount, b"spki", b"ca certificate");
        let (id, authority) = (issuer.id, AuthorityId::new(&issuer.subject, &issuer.public_key));
        self.op(Op::CreateKey(self.new_key(mount, b"spki"))).unwrap();
        self.op(Op::CreateIssuer(issuer)).unwrap();
        (mount, id, authority)
    }

    pub fn record(&self, (mount, issuer, authority): (MountId, IssuerId, AuthorityId)) -> CertificateRecord {
        let number = self.next();
        CertificateRecord {
            serial: serial(number),
            authority,
            issuer,
            mount,
            role: None,
            requester: "alice".into(),
            common_name: Some(format!("host-{number}.example.com")),
            names: vec![format!("host-{number}.example.com"), format!("WWW.host-{number}.example.com")],
            not_before: at(0),
            not_after: at(3_600),
            issued_at: at(0),
            tbs_digest: [1; 32],
            key_digest: [2; 32],
        }
    }
}

/// A serial that starts with the time, as issued ones do.
pub(super) fn serial(number: u64) -> SerialNumber {
    let mut octets = [0; 20];
    octets[..4].copy_from_slice(&0x3581_0000_u32.to_be_bytes());
    octets[12..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_be_bytes(&octets).unwrap()
}

/// The SHA-256 of `der`, as the caller computes it.
pub(super) fn fingerprint(der: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(der).into()
}

pub(super) fn insert(record: CertificateRecord) -> Op {
    let der = format!("certificate {}", record.serial).into_bytes();
    Op::InsertCertificate { record, fingerprint: fingerprint(&der), der: Some(der) }
}

pub(super) fn entry(operation: &str) -> AuditEntry {
    AuditEntry {
        at: at(0),
        requester: "alice".into(),
        operation: operation.into(),
        mount: None,
        role: None,
        serial: None,
        outcome: AuditOutcome::Done,
        detail: String::new(),
    }
}
