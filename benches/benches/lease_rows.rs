//! A million active leases in the store: octets for each, restart to first answer, and handing out what is due.
//!
//! `BENCH_LEASES` sets how many (1,000,000).

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement may fail")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pki_core::random::RandomError;
use pki_core::time::UnixTime;
use pki_store::lease::{Backoff, DueLeases, LeaseCause, LeaseId, LeaseSelection, NewLease};
use pki_store::seal::{NewSeal, Unseal};
use pki_store::sqlite::{DATABASE_FILE, Options, SqliteStore};
use pki_store::{Batch, BatchIds, Committed, MountId, Op, Outcome, Store, block_on};

/// Leases in a transaction while the store is filled.
const GROUP: u64 = 2_000;

fn main() {
    let count: u64 =
        std::env::var("BENCH_LEASES").map_or(1_000_000, |n| n.parse().expect("BENCH_LEASES is a number"));
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("store");
    let store = SqliteStore::init(&directory, NewSeal::None, Options::default(), &mut random, at(0)).unwrap();
    let mount = block_on(store.mount("database")).unwrap().unwrap().id;
    let empty = size(&directory);
    let mut ids = BatchIds::new(&mut random, at(0)).unwrap();
    let started = Instant::now();
    for first in (0..count).step_by(GROUP as usize) {
        let ops = (first..count.min(first + GROUP)).flat_map(|number| lease(mount, number)).collect();
        commit(&store, &mut ids, 0, ops);
    }
    println!("filled: {:.0} leases a second, {GROUP} in a transaction", per_second(count, started.elapsed()));
    drop(store);
    print("octets a lease on disk", ((size(&directory) - empty) / count) as f64, 300.0);

    let started = Instant::now();
    let store = SqliteStore::open(&directory, Unseal::Nothing, Options::default()).unwrap();
    let first = block_on(store.next_due_lease()).unwrap().unwrap();
    print("restart to first answer, ms", milliseconds(started.elapsed()), 1_000.0);
    let started = Instant::now();
    let due = DueLeases { prefix: String::new(), backoff: Backoff::Respect, limit: 100 };
    let claim = Op::ClaimDueLeases { due, worker: 1, until: at(10_000_000) };
    let committed = commit(&store, &mut ids, first.as_secs() + 200, vec![claim]);
    let Some(Outcome::Claimed(claimed)) = committed.outcomes.first() else { panic!("{committed:?}") };
    assert_eq!(claimed.len(), 100);
    print("claim 100 that are due, ms", milliseconds(started.elapsed()), 1_000.0);

    let started = Instant::now();
    let leases = LeaseSelection::Prefix { prefix: "database/creds/role-1/".into(), limit: 10_000 };
    let revoke = Op::RevokeLeases { leases, cause: LeaseCause::Asked };
    let committed = commit(&store, &mut ids, 0, vec![revoke]);
    let Some(Outcome::Leases { changed }) = committed.outcomes.first() else { panic!("{committed:?}") };
    println!(
        "begin to revoke by prefix: {:.0} a second, {changed} in a transaction",
        per_second(*changed, started.elapsed())
    );
}

/// A lease that is active, as two operations.
fn lease(mount: MountId, number: u64) -> [Op; 2] {
    let id = LeaseId::parse(&format!("database/creds/role-{}/{number:024}", number % 20)).unwrap();
    let new = NewLease {
        id: id.clone(),
        mount,
        terms: vec![b' '; 1_000],
        subject: format!("v-root-role-{number:020}-1795512700"),
        expires_at: at(1_795_512_700 + number),
        holder: 4_711,
    };
    [Op::ReserveLease(new), Op::ActivateLease { lease: id, fence: 1, activation: 16_384 + number }]
}

fn commit(store: &SqliteStore, ids: &mut BatchIds, seconds: u64, ops: Vec<Op>) -> Committed {
    block_on(store.commit(Batch { id: ids.next_id(), at: at(seconds), ops, audit: Vec::new() })).unwrap()
}

fn print(what: &str, ours: f64, budget: f64) {
    let verdict = if ours <= budget { "" } else { "  OVER BUDGET" };
    println!("{what:<40} {ours:>10.2}   (budget {budget:.0}){verdict}");
}

fn size(directory: &Path) -> u64 {
    fs::metadata(directory.join(DATABASE_FILE)).unwrap().len()
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn milliseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e3
}

fn random(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds).unwrap()
}
