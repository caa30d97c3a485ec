//! A million active leases in memory: octets each, restart from their stored form, what is due.
//!
//! `BENCH_LEASES` sets how many (1,000,000).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may fail")]

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use db_creds::lease::{
    Activation, Lease, LeaseDocument, LeaseId, LeasePath, LeaseSource, LeaseSubject, LeaseTerms,
};
use db_creds::ledger::Ledger;
use db_creds::random::{RandomError, SecureRandom};
use db_creds::time::UnixTime;
use db_creds::ttl::{self, TtlLimits};
use db_creds::username::{UsernameMetadata, UsernameTemplate};

fn main() {
    let count: u64 = std::env::var("BENCH_LEASES")
        .map_or(1_000_000, |count| count.parse().expect("BENCH_LEASES is a number"));
    let mut source = Source::new();
    let before = resident();
    let begin = Instant::now();
    let mut ledger = Ledger::new();
    for number in 0..count {
        ledger.put(source.lease(number));
    }
    let filled = begin.elapsed();
    let octets = (resident() - before) as f64 / count as f64;
    verdict("octets a lease, in the ledger", octets, 300.0, "");

    let now = source.now(count / 2);
    let begin = Instant::now();
    let due = ledger.due(now).take(1_000).count();
    verdict("due(): the first thousand", begin.elapsed().as_secs_f64() * 1e3, 1_000.0, " ms");
    let begin = Instant::now();
    black_box(ledger.next_due());
    verdict("next_due()", begin.elapsed().as_secs_f64() * 1e6, 1_000.0, " us");
    assert_eq!(due, 1_000.min(usize::try_from(count / 2).unwrap()));

    // A restart: what a store read, into a new ledger.
    let leases: Vec<Lease> = (0..count).map(|number| source.lease(number)).collect();
    drop(ledger);
    let begin = Instant::now();
    let ledger: Ledger = leases.into_iter().collect();
    let first = ledger.due(now).next().is_some();
    verdict("restart: from leases to the first answer", begin.elapsed().as_secs_f64(), 1.0, " s");
    assert!(first);

    let json = LeaseDocument::from(&source.lease(0)).to_json().unwrap();
    let begin = Instant::now();
    for _ in 0..100_000 {
        black_box(Lease::try_from(LeaseDocument::from_json(json.as_bytes()).unwrap()).unwrap());
    }
    println!(
        "(a stored lease has {} octets and is read in {:?}; the ledger was filled in {filled:?})",
        json.len(),
        begin.elapsed() / 100_000
    );
}

fn verdict(what: &str, measured: f64, budget: f64, unit: &str) {
    let verdict = if measured <= budget { "" } else { "  OVER BUDGET" };
    println!("{what:<48} {measured:>10.3}{unit} (budget {budget}{unit}){verdict}");
}

/// Memory of this process, in octets.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("KiB") * 1_024
}

/// Leases such as a role with default names grants, one a second.
struct Source {
    path: LeasePath,
    terms: Arc<LeaseTerms>,
    usernames: UsernameTemplate,
    state: u64,
}

impl Source {
    fn new() -> Self {
        let terms = LeaseTerms {
            database: "grade-api-db".into(),
            role_id: "0198c0de".into(),
            role_revision: 3,
            revocation_statements: vec!["DROP OWNED BY \"{{name}}\"".into()],
            ..LeaseTerms::default()
        };
        Self {
            path: LeasePath::new("database", LeaseSource::Creds, "grade-api-role").unwrap(),
            terms: Arc::new(terms),
            usernames: UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap(),
            state: 1,
        }
    }

    fn now(&self, number: u64) -> UnixTime {
        let life = TtlLimits::SYSTEM.default + Duration::from_secs(number);
        UnixTime::from_secs(1_795_000_000 + life.as_secs()).unwrap()
    }

    fn lease(&mut self, number: u64) -> Lease {
        let now = UnixTime::from_secs(1_795_000_000 + number).unwrap();
        let metadata = UsernameMetadata { display_name: "kubernetes", role_name: "grade-api-role" };
        let name = self.usernames.clone().generate(&metadata, 63, now, self).unwrap();
        let id = LeaseId::random(self.path.clone(), now, self).unwrap();
        let grant = ttl::grant(None, TtlLimits::SYSTEM, now).unwrap();
        // As a store gives them: nothing is shared yet.
        let terms = Arc::new(self.terms.as_ref().clone());
        let pending = Lease::pending(id, LeaseSubject::User(name.into()), terms, &grant, 1, now);
        pending.activate(Activation::default(), now).unwrap()
    }
}

impl SecureRandom for Source {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for octet in out {
            self.state =
                self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.state >> 56) as u8;
        }
        Ok(())
    }
}
