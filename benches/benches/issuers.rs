//! Ten thousand issuers in one mount beside ten: adding one more, finding one, a page of them, and issuing.
//!
//! `BENCH_ISSUERS` sets how many are many (10,000).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may fail")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use benches::Line;
use pki_core::authority::AuthorityId;
use pki_core::hierarchy::CaRequest;
use pki_core::issuer::Issuer;
use pki_core::key::KeyAlgorithm;
use pki_core::key::software::SoftwareKey;
use pki_core::name::DistinguishedName;
use pki_core::random::RandomError;
use pki_core::role::Limits;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use pki_store::certificate::CertificateRecord;
use pki_store::issuer::{IssuerMatch, IssuerSettings, NewIssuer};
use pki_store::key::NewKey;
use pki_store::seal::NewSeal;
use pki_store::sqlite::{Options, SqliteStore};
use pki_store::{Batch, BatchId, IssuerId, KeyId, MountId, Op, PageRequest, Store, block_on};

const FEW: u64 = 10;
const TURNS: u64 = 101;

fn main() {
    let many: u64 =
        std::env::var("BENCH_ISSUERS").map_or(10_000, |n| n.parse().expect("BENCH_ISSUERS is a number"));
    let directory = tempfile::tempdir().unwrap();
    let mut small = Mount::with(&directory.path().join("small"), FEW);
    let mut large = Mount::with(&directory.path().join("large"), many);
    println!("(limit: with {FEW} issuers; ours: with {many})");
    Line::print_header();
    compare("add a key and its issuer, durably", &mut small, &mut large, |mount, _| mount.add());
    compare("find an issuer by name", &mut small, &mut large, |mount, turn| {
        let name = format!("issuer-{}", turn % mount.count);
        block_on(mount.store.issuer_by_name(mount.id, &name)).unwrap().unwrap();
    });
    compare("find an issuer by key identifier", &mut small, &mut large, |mount, _| {
        let wanted = IssuerMatch::KeyIdentifier(mount.last.identifier.clone());
        assert_eq!(block_on(mount.store.issuers_matching(&wanted)).unwrap().len(), 1);
    });
    compare("list ten of the issuers", &mut small, &mut large, |mount, _| {
        assert_eq!(
            block_on(mount.store.issuer_page(mount.id, PageRequest::first(10))).unwrap().items.len(),
            10
        );
    });
    compare("store a certificate, durably", &mut small, &mut large, |mount, _| mount.issue());
}

/// The same act in both mounts, in turns.
fn compare(act: &'static str, small: &mut Mount, large: &mut Mount, mut each: impl FnMut(&mut Mount, u64)) {
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        for (mount, times) in [(&mut *small, &mut few), (&mut *large, &mut many)] {
            let started = Instant::now();
            each(mount, turn);
            times.push(started.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| benches::median(times);
    Line { act, limit: median(&mut few), ours: median(&mut many), budget: 1.2 }.print();
}

struct Mount {
    store: SqliteStore,
    id: MountId,
    count: u64,
    last: Last,
}

/// The issuer that was added last.
struct Last {
    id: IssuerId,
    authority: AuthorityId,
    identifier: Vec<u8>,
}

impl Mount {
    fn with(directory: &Path, count: u64) -> Self {
        let store =
            SqliteStore::init(directory, NewSeal::None, Options::default(), &mut random, now()).unwrap();
        let id = block_on(store.mount("pki")).unwrap().unwrap().id;
        let none = Last {
            id: IssuerId::from_bytes([0; 16]),
            authority: AuthorityId::from_bytes([0; 32]),
            identifier: Vec::new(),
        };
        let mut mount = Self { store, id, count: 0, last: none };
        while mount.count < count {
            mount.add();
        }
        mount
    }

    fn add(&mut self) {
        let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut random).unwrap();
        let private_key = key.to_private_key().unwrap();
        let name = format!("issuer-{}", self.count);
        let request = CaRequest::new(DistinguishedName::with_common_name(&name).unwrap());
        let ca = Issuer::self_signed(request, key, &Limits::default(), now(), &mut random).unwrap();
        let certificate = ca.certificate().certificate();
        let public_key = certificate.public_key().spki_der().to_vec();
        let key = KeyId::random(&mut random).unwrap();
        let new_key = NewKey {
            id: key,
            mount: self.id,
            name: Some(format!("key-{}", self.count)),
            key_type: "ec".into(),
            bits: 256,
            public_key: public_key.clone(),
            private_key: self.store.seal(&NewKey::place(key), private_key.pkcs8_der(), &mut random).unwrap(),
            pending_issuer_name: None,
        };
        let id = IssuerId::random(&mut random).unwrap();
        let new_issuer = NewIssuer {
            id,
            mount: self.id,
            name: Some(name),
            certificate: certificate.der().to_vec(),
            subject: certificate.subject().der().to_vec(),
            public_key,
            settings: IssuerSettings::default(),
        };
        self.commit(vec![Op::CreateKey(new_key), Op::CreateIssuer(new_issuer)]);
        self.count += 1;
        let identifier = certificate.subject_key_identifier().unwrap().as_bytes().to_vec();
        self.last = Last { id, authority: certificate.authority(), identifier };
    }

    fn issue(&self) {
        let record = CertificateRecord {
            serial: SerialNumber::random(&mut random, now()).unwrap(),
            authority: self.last.authority,
            issuer: self.last.id,
            mount: self.id,
            role: None,
            requester: "benchmark".into(),
            common_name: None,
            names: vec!["host.example.com".into()],
            not_before: now(),
            not_after: now(),
            issued_at: now(),
            tbs_digest: [1; 32],
            key_digest: [2; 32],
        };
        self.commit(vec![Op::InsertCertificate { record, fingerprint: [3; 32], der: Some(vec![0; 1_000]) }]);
    }

    fn commit(&self, ops: Vec<Op>) {
        let id = BatchId::random(&mut random, now()).unwrap();
        block_on(self.store.commit(Batch { id, at: now(), ops, audit: Vec::new() })).unwrap();
    }
}

fn random(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixTime::from_secs(since.as_secs()).unwrap()
}
