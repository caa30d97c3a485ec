//! Issuing through the store, every certificate durable: a new store, then one with a million rows.
//!
//! The limit is what the two halves allow together: `1 / (1/crypto + 1/inserts)`, both measured in the same run with
//! the same threads. `BENCH_ROWS` sets how many rows are stored first (1,000,000).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a measurement may fail"
)]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pki_core::authority::AuthorityId;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::CaRequest;
use pki_core::issue::{AskedNames, CommonName, IssueRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyAlgorithm, SigningKey};
use pki_core::name::{DistinguishedName, DnsName, GeneralName};
use pki_core::random::RandomError;
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType};
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use pki_store::audit::{AuditEntry, AuditOutcome};
use pki_store::certificate::{CertificateFilter, CertificateRecord};
use pki_store::issuer::{IssuerSettings, NewIssuer};
use pki_store::key::NewKey;
use pki_store::role::RoleVersion;
use pki_store::seal::{NewSeal, Unseal};
use pki_store::sqlite::{Commits, Options, SqliteStore};
use pki_store::{
    Batch, BatchId, BatchIds, Expected, IssuerId, KeyId, MountId, Op, PageRequest, RoleId, Store, StoreError,
    block_on,
};
use sha2::{Digest, Sha256};

const WORKERS: u64 = 2;
const COUNT: u64 = 120_000;

fn main() {
    let rows: u64 =
        std::env::var("BENCH_ROWS").map_or(1_000_000, |rows| rows.parse().expect("BENCH_ROWS is a number"));
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    let house = House::furnish(&directory);

    println!("{:<58} {:>10} {:>10} {:>7} {:>7}", "act", "limit/s", "ours/s", "ratio", "budget");
    let crypto = rate(COUNT / 2, |worker, count| {
        for number in 0..count {
            house.issue(worker << 40 | number);
        }
    });
    measure(&house, crypto, "issue through a new store, 2 pipelined workers");
    fill(&house, rows);
    measure(&house, crypto, "the same with the rows stored");
    clients(&house, 8);
    println!("(issuing alone, on {WORKERS} threads: {crypto:.0}/s; rows stored: {})", house.rows());
    house.open_and_revoke(&directory);
}

/// Issuing through the store beside its limit: the medians of three turns, taken in turns.
fn measure(house: &House, crypto: f64, act: &str) {
    let (mut inserts, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        inserts.push(rate(COUNT, |worker, count| {
            pipeline(house, worker, count, |number| house.stand_in(number))
        }));
        ours.push(rate(COUNT, |worker, count| pipeline(house, worker, count, |number| house.issue(number))));
    }
    inserts.sort_by(f64::total_cmp);
    ours.sort_by(f64::total_cmp);
    let limit = 1.0 / (1.0 / crypto + 1.0 / inserts[1]);
    let verdict = if ours[1] >= 0.9 * limit && ours[1] >= 30_000.0 { "" } else { "  OVER BUDGET" };
    println!("{act:<58} {limit:>10.0} {:>10.0} {:>7.2} {:>7.2}{verdict}", ours[1], ours[1] / limit, 0.9);
    println!("  (the inserts alone: {:.0}/s; the budget is also 30,000/s)", inserts[1]);
}

/// How many a second `WORKERS` threads do of `count` together.
fn rate(count: u64, work: impl Fn(u64, u64) + Sync) -> f64 {
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let work = &work;
            scope.spawn(move || work(worker, count / WORKERS));
        }
    });
    count as f64 / started.elapsed().as_secs_f64()
}

fn fill(house: &House, rows: u64) {
    let missing = rows.saturating_sub(house.rows());
    rate(missing, |worker, count| pipeline(house, worker, count, |number| house.stand_in(number)));
}

type Commit<'a> = Pin<Box<dyn Future<Output = Result<pki_store::Committed, StoreError>> + Send + 'a>>;

/// Keeps up to 512 commits under way.
fn pipeline(house: &House, worker: u64, count: u64, make: impl Fn(u64) -> Op) {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed) << 32 | worker << 28;
    let mut ids = BatchIds::new(&mut random, now()).unwrap();
    let mut under_way: VecDeque<Commit<'_>> = VecDeque::new();
    for number in 0..count {
        if under_way.len() >= 512 {
            block_on(under_way.pop_front().unwrap()).unwrap();
        }
        let batch = house.batch(&mut ids, make(run + number));
        let mut commit: Commit<'_> = Box::pin(house.store.commit(batch));
        // One poll puts the batch into the writer's queue; on a busy machine it may be answered by then.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match commit.as_mut().poll(&mut context) {
            Poll::Pending => under_way.push_back(commit),
            Poll::Ready(answer) => drop(answer.unwrap()),
        }
    }
    for commit in under_way {
        block_on(commit).unwrap();
    }
}

/// Clients that wait for each certificate before they ask for the next.
fn clients(house: &House, clients: u64) {
    let time = Duration::from_secs(5);
    let started = Instant::now();
    let mut waits: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || {
                    let mut ids = BatchIds::new(&mut random, now()).unwrap();
                    let mut waits = Vec::new();
                    while started.elapsed() < time {
                        let asked = Instant::now();
                        let op = house.issue(client << 48 | waits.len() as u64);
                        block_on(house.store.commit(house.batch(&mut ids, op))).unwrap();
                        waits.push(asked.elapsed());
                    }
                    waits
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let rate = waits.len() as f64 / started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let verdict = if rate >= 12_000.0 && at(0.99) <= 2.0 { "" } else { "  OVER BUDGET" };
    println!(
        "{:<58} {:>10} {rate:>10.0}{verdict}",
        format!("{clients} blocking clients (budget: 12,000/s, p99 2 ms)"),
        "-"
    );
    println!("  (p50 {:.2} ms, p99 {:.2} ms, worst {:.1} ms)", at(0.5), at(0.99), at(1.0));
}

/// A mount with an issuer, a role and a store.
struct House {
    store: SqliteStore,
    ca: Issuer<SoftwareKey>,
    role: Role,
    version: RoleVersion,
    mount: MountId,
    issuer: IssuerId,
    authority: AuthorityId,
    der: Vec<u8>,
}

impl House {
    fn furnish(directory: &std::path::Path) -> Self {
        let grouped = Options { commits: Commits::Grouped, ..Options::default() };
        let store = SqliteStore::init(directory, NewSeal::None, grouped, &mut random, now()).unwrap();
        let mount = block_on(store.mount("pki")).unwrap().unwrap().id;
        let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut random).unwrap();
        let private_key = key.to_private_key().unwrap();
        let request = CaRequest::new(DistinguishedName::with_common_name("Benchmark CA").unwrap());
        let ca = Issuer::self_signed(request, key, &Limits::default(), now(), &mut random).unwrap();
        let role = Role::new(RoleConfig {
            key_type: RoleKeyType::Ec,
            ttl: 86_400,
            ..RoleConfig::for_domains(["example.com"])
        })
        .unwrap();

        let key = KeyId::random(&mut random).unwrap();
        let certificate = ca.certificate().certificate();
        let public_key = certificate.public_key().spki_der().to_vec();
        let new_key = NewKey {
            id: key,
            mount,
            name: None,
            key_type: "ec".into(),
            bits: 256,
            public_key: public_key.clone(),
            private_key: store.seal(&NewKey::place(key), private_key.pkcs8_der(), &mut random).unwrap(),
            pending_issuer_name: None,
        };
        let issuer = IssuerId::random(&mut random).unwrap();
        let new_issuer = NewIssuer {
            id: issuer,
            mount,
            name: Some("root".into()),
            certificate: certificate.der().to_vec(),
            subject: certificate.subject().der().to_vec(),
            public_key,
            settings: IssuerSettings::default(),
        };
        let new_role = Op::PutRole {
            mount,
            name: "web".into(),
            new_id: RoleId::random(&mut random).unwrap(),
            expected: Expected::Absent,
            json: vec![b' '; 1_000],
        };
        let ops = vec![Op::CreateKey(new_key), Op::CreateIssuer(new_issuer), new_role];
        let id = BatchId::random(&mut random, now()).unwrap();
        block_on(store.commit(Batch { id, at: now(), ops, audit: Vec::new() })).unwrap();
        let version = block_on(store.role(mount, "web")).unwrap().unwrap().version();
        let authority = certificate.authority();
        let der = certificate.der().to_vec();
        Self { store, ca, role, version, mount, issuer, authority, der }
    }

    /// A certificate of the library, as the row that keeps it.
    fn issue(&self, number: u64) -> Op {
        let name = format!("host-{number}.example.com");
        let request = IssueRequest {
            names: AskedNames {
                common_name: Some(CommonName::parse(&name).unwrap()),
                alternative_names: vec![GeneralName::Dns(
                    DnsName::parse(&format!("host-{number}.svc.example.com")).unwrap(),
                )],
                ..AskedNames::default()
            },
            ..IssueRequest::default()
        };
        let at = now();
        let permitted = self.role.permit(request, &Limits::default(), at).unwrap();
        let key = SoftwareKey::generate(permitted.key_algorithm(), &mut random).unwrap();
        let private_key = key.to_private_key().unwrap();
        std::hint::black_box(private_key.pkcs8_der());
        let permitted = permitted.with_key(key.public_key().clone()).unwrap();
        let certificate = self.ca.issue(permitted, &Endpoints::default(), at, &mut random).unwrap();
        let names = certificate.alternative_names().unwrap().iter().map(GeneralName::value).collect();
        self.row(certificate.serial(), name, names, certificate.der().to_vec())
    }

    /// A row of the same size without a certificate behind it.
    fn stand_in(&self, number: u64) -> Op {
        let name = format!("host-{number}.example.com");
        let names = vec![name.clone(), format!("host-{number}.svc.example.com")];
        self.row(SerialNumber::random(&mut random, now()).unwrap(), name, names, self.der.clone())
    }

    fn row(&self, serial: SerialNumber, name: String, names: Vec<String>, der: Vec<u8>) -> Op {
        let at = now();
        let fingerprint = Sha256::digest(&der).into();
        let record = CertificateRecord {
            serial,
            authority: self.authority,
            issuer: self.issuer,
            mount: self.mount,
            role: Some(self.version),
            requester: "benchmark".into(),
            common_name: Some(name),
            names,
            not_before: at,
            not_after: UnixTime::from_secs(at.as_secs() + 86_400).unwrap(),
            issued_at: at,
            tbs_digest: fingerprint,
            key_digest: fingerprint,
        };
        Op::InsertCertificate { record, fingerprint, der: Some(der) }
    }

    fn batch(&self, ids: &mut BatchIds, op: Op) -> Batch {
        let serial = match &op {
            Op::InsertCertificate { record, .. } => Some(record.serial),
            _ => None,
        };
        let at = now();
        let audit = AuditEntry {
            at,
            requester: "benchmark".into(),
            operation: "pki/issue".into(),
            mount: Some(self.mount),
            role: Some(self.version),
            serial,
            outcome: AuditOutcome::Done,
            detail: String::new(),
        };
        Batch { id: ids.next_id(), at, ops: vec![op], audit: vec![audit] }
    }

    fn rows(&self) -> u64 {
        let every = CertificateFilter::default();
        block_on(self.store.certificates(&every, PageRequest::first(1), now()))
            .unwrap()
            .items
            .first()
            .map_or(0, |row| row.id)
    }

    /// Opening with all these rows, and revoking one of them, each beside the same with few rows.
    fn open_and_revoke(self, directory: &std::path::Path) {
        let small = tempfile::tempdir().unwrap();
        let small = small.path().join("store");
        drop(Self::furnish(&small));
        drop(self);
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for _ in 0..101 {
            for (directory, times) in [(small.as_path(), &mut few), (directory, &mut many)] {
                let started = Instant::now();
                let store = SqliteStore::open(directory, Unseal::Nothing, Options::default()).unwrap();
                block_on(store.mount("pki")).unwrap().unwrap();
                times.push(started.elapsed());
            }
        }
        benches::Line {
            act: "open the store and read, against one without certificates",
            limit: benches::median(&mut few),
            ours: benches::median(&mut many),
            budget: 1.2,
        }
        .print();
    }
}

fn random(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixTime::from_secs(since.as_secs()).unwrap()
}
