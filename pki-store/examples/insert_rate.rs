//! How fast certificates go into a store that already holds many.
//!
//! ```text
//! cargo run --release -p pki-store --example insert_rate -- DIRECTORY ROWS [pipelined]
//! ```
//!
//! Makes a store with so many rows in the directory (or uses the one that is there), then measures: two pipelined
//! workers, eight blocking clients, a revocation, one process that opens, reads and inserts, and searches. The
//! rows are like issued ones: 1.1 KB of DER, two names, a role, an audit row. No cryptography but the store's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement may fail")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pki_core::authority::AuthorityId;
use pki_core::random::{RandomError, SecureRandom};
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use pki_store::audit::{AuditEntry, AuditOutcome};
use pki_store::certificate::{CertificateFilter, CertificateRecord, CertificateStatus, NameMatch};
use pki_store::issuer::{IssuerSettings, NewIssuer};
use pki_store::key::NewKey;
use pki_store::role::RoleVersion;
use pki_store::seal::{NewSeal, Unseal};
use pki_store::sqlite::{Commits, Options, SqliteStore};
use pki_store::{
    Batch, BatchId, BatchIds, Committed, Expected, IssuerId, KeyId, MountId, Op, Outcome, PageRequest,
    RoleId, Store, StoreError, block_on,
};
use sha2::{Digest, Sha256};

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let directory = arguments.next().unwrap();
    let directory = Path::new(&directory);
    let rows: u64 = arguments.next().unwrap().to_str().unwrap().parse().unwrap();
    let grouped = Options { commits: Commits::Grouped, ..Options::default() };
    let mut rng = Xorshift(now().as_secs() | 1);
    if !directory.exists() {
        let store = SqliteStore::init(directory, NewSeal::None, grouped, &mut rng, now()).unwrap();
        furnish(&store, &mut rng);
    }
    let store = SqliteStore::open(directory, Unseal::Nothing, grouped).unwrap();
    let ca = Ca::of(&store);
    let present = newest(&store).map_or(0, |row| row);
    if present < rows {
        let started = Instant::now();
        pipelined(&store, &ca, 2, rows - present);
        println!("filled {} rows in {:.1} s", rows - present, started.elapsed().as_secs_f64());
    }
    for _ in 0..3 {
        let count = 150_000;
        let (started, busy) = (Instant::now(), writer_time());
        pipelined(&store, &ca, 2, count);
        println!(
            "2 pipelined workers: {:.0}/s; the writer took {:.1} us of a core for each",
            count as f64 / started.elapsed().as_secs_f64(),
            (writer_time() - busy).as_secs_f64() * 1e6 / count as f64
        );
    }
    if arguments.next().is_some() {
        drop(store);
        one_shot(directory);
        return;
    }
    for clients in [1, 2, 8, 8, 8, 32] {
        blocking(&store, &ca, clients, Duration::from_secs(3));
    }
    searches(&store, &ca);
    drop(store);
    one_shot(directory);
}

/// A certificate's way into the store, from a record to an answer.
fn batch(ca: &Ca, ids: &mut BatchIds, rng: &mut Xorshift) -> Batch {
    let at = now();
    let serial = SerialNumber::random(rng, at).unwrap();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut der = vec![0; 1_100];
    rng.fill(&mut der[..64]).unwrap();
    let fingerprint = Sha256::digest(&der).into();
    let role = Some(ca.role);
    let record = CertificateRecord {
        serial,
        authority: ca.authority,
        issuer: ca.issuer,
        mount: ca.mount,
        role,
        requester: "benchmark".into(),
        common_name: Some(format!("host-{number}.svc.example.com")),
        names: vec![format!("host-{number}.svc.example.com"), format!("host-{number}.example.org")],
        not_before: at,
        not_after: UnixTime::from_secs(at.as_secs() + 86_400).unwrap(),
        issued_at: at,
        tbs_digest: fingerprint,
        key_digest: fingerprint,
    };
    let audit = AuditEntry {
        at,
        requester: "benchmark".into(),
        operation: "pki/issue".into(),
        mount: Some(ca.mount),
        role,
        serial: Some(serial),
        outcome: AuditOutcome::Done,
        detail: String::new(),
    };
    let ops = vec![Op::InsertCertificate { record, fingerprint, der: Some(der) }];
    Batch { id: ids.next_id(), at, ops, audit: vec![audit] }
}

/// What the writer thread has run so far: on a shared machine this says more than the clock.
fn writer_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let times = std::fs::read_to_string(path.join("schedstat")).ok()?;
            (name.trim() == "store writer").then(|| times.split(' ').next()?.parse().ok()).flatten()
        })
        .map(Duration::from_nanos)
        .sum()
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Workers that keep several hundred commits under way.
fn pipelined(store: &SqliteStore, ca: &Ca, workers: u64, count: u64) {
    thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || {
                let mut rng = Xorshift::fresh(worker);
                let mut ids = BatchIds::new(&mut rng, now()).unwrap();
                let mut under_way = std::collections::VecDeque::new();
                for _ in 0..count / workers {
                    if under_way.len() >= 512 {
                        wait(under_way.pop_front().unwrap());
                    }
                    let mut commit = Box::pin(store.commit(batch(ca, &mut ids, &mut rng)));
                    start(&mut commit);
                    under_way.push_back(commit);
                }
                for commit in under_way {
                    wait(commit);
                }
            });
        }
    });
}

/// Polls once, which puts the batch into the writer's queue.
fn start<F: Future>(future: &mut std::pin::Pin<Box<F>>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
}

fn wait<F: Future<Output = Result<Committed, StoreError>>>(commit: std::pin::Pin<Box<F>>) {
    block_on(commit).unwrap();
}

fn blocking(store: &SqliteStore, ca: &Ca, clients: u64, time: Duration) {
    let started = Instant::now();
    let mut waits: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || {
                    let mut rng = Xorshift::fresh(client);
                    let mut ids = BatchIds::new(&mut rng, now()).unwrap();
                    let mut waits = Vec::new();
                    while started.elapsed() < time {
                        let batch = batch(ca, &mut ids, &mut rng);
                        let asked = Instant::now();
                        block_on(store.commit(batch)).unwrap();
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
    println!(
        "{clients} blocking clients: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, worst {:.1} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

fn searches(store: &SqliteStore, ca: &Ca) {
    let all = CertificateFilter::default;
    for (what, filter) in [
        ("the newest page", all()),
        (
            "one name",
            CertificateFilter { name: Some(NameMatch::Exact("host-77.example.org".into())), ..all() },
        ),
        ("a suffix", CertificateFilter { name: Some(NameMatch::Suffix("99.example.org".into())), ..all() }),
        ("a role", CertificateFilter { role: Some(ca.role.id), ..all() }),
        ("revoked", CertificateFilter { status: Some(CertificateStatus::Revoked), ..all() }),
    ] {
        let started = Instant::now();
        let page = block_on(store.certificates(&filter, PageRequest::first(50), now())).unwrap();
        println!("{what}: {} rows in {:.2} ms", page.items.len(), started.elapsed().as_secs_f64() * 1e3);
    }
}

/// Opens, reads what `issue` reads, inserts, in a process's own way; and revokes.
fn one_shot(directory: &Path) {
    let mut times: [Vec<f64>; 5] = Default::default();
    for round in 0..200 {
        let mut rng = Xorshift::fresh(round);
        let mut clock = Instant::now();
        let mut lap = |times: &mut Vec<f64>| {
            times.push(clock.elapsed().as_secs_f64() * 1e3);
            clock = Instant::now();
        };
        let store = SqliteStore::open(directory, Unseal::Nothing, Options::default()).unwrap();
        lap(&mut times[0]);
        let ca = Ca::of(&store);
        lap(&mut times[1]);
        let mut ids = BatchIds::new(&mut rng, now()).unwrap();
        let batch = batch(&ca, &mut ids, &mut rng);
        let serial = match &batch.ops[0] {
            Op::InsertCertificate { record, .. } => record.serial,
            _ => return,
        };
        block_on(store.commit(batch)).unwrap();
        lap(&mut times[2]);
        let reason = RevocationReason::Superseded;
        let op = Op::Revoke { authority: ca.authority, serial, reason, not_after: None };
        let revoke = Batch { id: ids.next_id(), at: now(), ops: vec![op], audit: Vec::new() };
        block_on(store.commit(revoke)).unwrap();
        lap(&mut times[3]);
        drop(store);
        lap(&mut times[4]);
    }
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[times.len() * 95 / 100])
    });
    for (what, (median, p95)) in ["open", "first reads", "insert", "revoke", "close"].iter().zip(medians) {
        println!("one process: {what}: {median:.3} ms (p95 {p95:.3})");
    }
}

struct Ca {
    mount: MountId,
    issuer: IssuerId,
    authority: AuthorityId,
    role: RoleVersion,
}

impl Ca {
    fn of(store: &SqliteStore) -> Self {
        let mount = block_on(store.mount("pki")).unwrap().unwrap();
        let role = block_on(store.role(mount.id, "web")).unwrap().unwrap().version();
        let issuer = block_on(store.issuer(mount.default_issuer.unwrap())).unwrap().unwrap();
        let key = block_on(store.key(issuer.key.unwrap())).unwrap().unwrap();
        store.unseal(&key.place(), &key.private_key).unwrap();
        block_on(store.config(mount.id, "urls")).unwrap();
        Self { mount: mount.id, issuer: issuer.id, authority: issuer.authority, role }
    }
}

fn newest(store: &SqliteStore) -> Option<u64> {
    let page =
        block_on(store.certificates(&CertificateFilter::default(), PageRequest::first(1), now())).unwrap();
    page.items.first().map(|row| row.id)
}

fn furnish(store: &SqliteStore, rng: &mut Xorshift) {
    let mount = block_on(store.mount("pki")).unwrap().unwrap().id;
    let id = KeyId::random(rng).unwrap();
    let private_key = store.seal(&NewKey::place(id), b"private", rng).unwrap();
    let key = NewKey {
        id,
        mount,
        name: None,
        key_type: "ec".into(),
        bits: 256,
        public_key: b"spki".to_vec(),
        private_key,
        pending_issuer_name: None,
    };
    let issuer = NewIssuer {
        id: IssuerId::random(rng).unwrap(),
        mount,
        name: Some("root".into()),
        certificate: vec![0; 800],
        subject: b"subject".to_vec(),
        public_key: b"spki".to_vec(),
        settings: IssuerSettings::default(),
    };
    let role = Op::PutRole {
        mount,
        name: "web".into(),
        new_id: RoleId::random(rng).unwrap(),
        expected: Expected::Absent,
        json: vec![b' '; 2_000],
    };
    let ops = vec![Op::CreateKey(key), Op::CreateIssuer(issuer), role];
    let batch = Batch { id: BatchId::random(rng, now()).unwrap(), at: now(), ops, audit: Vec::new() };
    let committed = block_on(store.commit(batch)).unwrap();
    assert!(matches!(committed.outcomes[1], Outcome::Issuer { default: true, .. }));
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixTime::from_secs(since.as_secs()).unwrap()
}

/// Fast and not secure: the measurement is of the store.
struct Xorshift(u64);

impl Xorshift {
    fn fresh(number: u64) -> Self {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
        Self((nanos ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1)
    }
}

impl SecureRandom for Xorshift {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octets in out.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            for (to, from) in octets.iter_mut().zip(self.0.to_le_bytes()) {
                *to = from;
            }
        }
        Ok(())
    }
}
