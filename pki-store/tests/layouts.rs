//! Stores that older versions wrote: `layout-N` is one of layout N, made by the command of its time.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use pki_core::certificate::Certificate;
use pki_core::revocation::RevocationReason;
use pki_core::time::UnixTime;
use pki_store::audit::AuditFilter;
use pki_store::certificate::{CertificateFilter, CertificateStatus, NameMatch, StoredCertificate};
use pki_store::issuer::{IssuerMatch, IssuerRecord};
use pki_store::key::KeyMatch;
use pki_store::seal::Unseal;
use pki_store::sqlite::{Options, SqliteStore};
use pki_store::{Batch, BatchId, Op, Order, PageRequest, Store, block_on};
use rusqlite::Connection;
use tempfile::TempDir;

/// While the fixture's certificates were valid.
const THEN: u64 = 1_795_512_700;

fn fixture(layout: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    fs::create_dir(&store).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(layout);
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), store.join(entry.file_name())).unwrap();
    }
    (directory, store)
}

fn open(store: &Path) -> SqliteStore {
    SqliteStore::open(store, Unseal::Nothing, Options::default()).unwrap()
}

fn then() -> UnixTime {
    UnixTime::from_secs(THEN).unwrap()
}

/// The serials, oldest first, of what a filter finds; in pages of two.
fn found(store: &SqliteStore, filter: &CertificateFilter) -> Vec<String> {
    let mut page = PageRequest { after: None, limit: 2, order: Order::OldestFirst };
    let mut serials = Vec::new();
    loop {
        let answer = block_on(store.certificates(filter, page, then())).unwrap();
        serials.extend(answer.items.iter().map(|row| row.record.serial.to_string()));
        match answer.next {
            Some(next) => page.after = Some(next),
            None => return serials,
        }
    }
}

#[test]
fn layout_1_is_read_as_it_was_written() {
    let (_directory, path) = fixture("layout-1");
    let store = open(&path);
    let names: Vec<String> = block_on(store.mounts()).unwrap().into_iter().map(|mount| mount.name).collect();
    assert_eq!(names, ["database", "pki", "pki_int"]);
    let [root, below] = ["pki", "pki_int"].map(|name| block_on(store.mount(name)).unwrap().unwrap());

    let intermediate = block_on(store.issuer_by_name(below.id, "int")).unwrap().unwrap();
    let certificate = Certificate::from_der(&intermediate.certificate).unwrap();
    let matching = |wanted| -> Vec<IssuerRecord> { block_on(store.issuers_matching(&wanted)).unwrap() };
    let parents = matching(IssuerMatch::KeyIdentifier(
        certificate.authority_key_identifier().unwrap().as_bytes().to_vec(),
    ));
    assert_eq!(parents.iter().map(|parent| parent.mount).collect::<Vec<_>>(), [root.id, below.id]);
    assert_eq!(matching(IssuerMatch::Subject(certificate.issuer().der().to_vec())), parents);
    assert_eq!(matching(IssuerMatch::Authority(intermediate.authority)), std::slice::from_ref(&intermediate));
    let page = block_on(store.issuer_page(below.id, PageRequest::first(10))).unwrap();
    assert_eq!(page.items.len(), 2);
    let public_key = certificate.public_key().spki_der().to_vec();
    let key = block_on(store.key_matching(below.id, &KeyMatch::PublicKey(public_key))).unwrap().unwrap();
    assert_eq!(Some(key.id), intermediate.key);
    store.unseal(&key.place(), &key.private_key).unwrap();

    let all = CertificateFilter::default;
    let serials = found(&store, &all());
    assert_eq!(serials.len(), 5);
    let role = block_on(store.role(below.id, "web")).unwrap().unwrap();
    assert_eq!(found(&store, &CertificateFilter { role: Some(role.id), ..all() }), serials[2..]);
    let of_intermediate = CertificateFilter { issuer: Some(intermediate.id), ..all() };
    assert_eq!(found(&store, &of_intermediate), serials[2..]);
    let named = |name| found(&store, &CertificateFilter { name: Some(name), ..all() });
    assert_eq!(named(NameMatch::Exact("API.example.com".into())), serials[3..4]);
    assert_eq!(named(NameMatch::Suffix(".example.com".into())), serials[2..]);
    assert_eq!(named(NameMatch::Contains("layout".into())), serials[..2]);
    let by = |hours: u64| UnixTime::from_secs(THEN + hours * 3_600);
    assert_eq!(found(&store, &CertificateFilter { expires_by: by(48), ..all() }), serials[2..]);
    assert_eq!(found(&store, &CertificateFilter { expires_by: by(1), ..all() }), [""; 0]);
    let status = |status| found(&store, &CertificateFilter { status: Some(status), ..all() });
    assert_eq!(status(CertificateStatus::Revoked), serials[4..]);
    assert_eq!(status(CertificateStatus::Valid), serials[..4]);
    assert_eq!(status(CertificateStatus::Reserved), [""; 0]);

    let report = block_on(store.verify_audit()).unwrap();
    assert_eq!((report.rows, report.fault), (13, None));
    assert_eq!(
        block_on(store.audit(&AuditFilter::default(), PageRequest::first(99))).unwrap().items.len(),
        13
    );
}

#[test]
fn layout_1_goes_on() {
    let (_directory, path) = fixture("layout-1");
    let store = open(&path);
    let filter = CertificateFilter {
        name: Some(NameMatch::Exact("www.example.com".into())),
        ..CertificateFilter::default()
    };
    let row = block_on(store.certificates(&filter, PageRequest::first(1), then())).unwrap().items.remove(0);
    let (authority, serial) = (row.record.authority, row.record.serial);
    let StoredCertificate { der, .. } = block_on(store.certificate(authority, serial)).unwrap().unwrap();
    assert_eq!(Certificate::from_der(&der.unwrap()).unwrap().serial(), serial);
    let reason = RevocationReason::KeyCompromise;
    let revoke = Op::Revoke { authority, serial, reason, not_after: None };
    let mut another = row.record.clone();
    another.serial = pki_core::serial::SerialNumber::parse("35:82:ac:99:01").unwrap();
    another.names.push("new.example.com".into());
    let insert = Op::InsertCertificate { record: another, fingerprint: [7; 32], der: None };
    let batch =
        Batch { id: BatchId::from_bytes([9; 16]), at: then(), ops: vec![revoke, insert], audit: Vec::new() };
    block_on(store.commit(batch)).unwrap();
    drop(store);
    let store = open(&path);
    let named = |name: &str| CertificateFilter {
        name: Some(NameMatch::Exact(name.into())),
        ..CertificateFilter::default()
    };
    assert_eq!(found(&store, &named("new.example.com")).len(), 1);
    assert_eq!(found(&store, &named("www.example.com")).len(), 2);
    let revoked =
        CertificateFilter { status: Some(CertificateStatus::Revoked), ..CertificateFilter::default() };
    assert_eq!(found(&store, &revoked).len(), 2);
}

#[test]
fn a_migrated_store_has_the_tables_of_a_new_one() {
    let schema = |path: &Path| -> Vec<(String, String)> {
        let connection = Connection::open(path.join("pki.db")).unwrap();
        let mut statement =
            connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let (_directory, old) = fixture("layout-1");
    drop(open(&old));
    let directory = tempfile::tempdir().unwrap();
    let new = directory.path().join("store");
    let mut random = pki_store::contract::SeededRandom(1);
    drop(
        SqliteStore::init(
            &new,
            pki_store::seal::NewSeal::None,
            Options::default(),
            &mut random,
            UnixTime::MIN,
        )
        .unwrap(),
    );
    assert_eq!(schema(&old), schema(&new));
}

#[test]
fn complete_buckets_of_layout_1_are_indexed() {
    let (_directory, path) = fixture("layout-1");
    let connection = Connection::open(path.join("pki.db")).unwrap();
    // Copies of row 3 up to row 5 000: two complete buckets and part of a third.
    connection
        .execute_batch(
            "WITH RECURSIVE number (i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM number WHERE i < 5000) \
             INSERT INTO certificate SELECT i, authority, randomblob(20), issuer, mount, role, role_revision, \
             requester, common_name, names, not_before, not_after, issued_at, state, tbs_digest, key_digest, \
             fingerprint, NULL, mac FROM number, certificate WHERE certificate.n = 3",
        )
        .unwrap();
    drop(open(&path));
    let count = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    // Row 0 does not exist, and two rows of the first bucket are no copies but have a name and a key each.
    assert_eq!(count("SELECT count(*) FROM certificate_term WHERE bucket = 0"), 2 * 2_047);
    assert_eq!(count("SELECT count(*) FROM certificate_term WHERE bucket = 1"), 2 * 2_048);
    assert_eq!(count("SELECT count(*) FROM certificate_term WHERE bucket > 1"), 0);
    assert_eq!(count("SELECT count(DISTINCT bucket) FROM certificate_trait WHERE kind = 1"), 3);
    assert_eq!(count("SELECT count(*) FROM certificate_trait WHERE kind = 0 AND bucket = 2"), 1);
}

#[test]
fn processes_that_migrate_at_once_do_it_once() {
    let (_directory, path) = fixture("layout-1");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(found(&open(&path), &CertificateFilter::default()).len(), 5));
        }
    });
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let (_directory, path) = fixture("layout-1");
    let connection = Connection::open(path.join("pki.db")).unwrap();
    // A table is in the way.
    connection.execute_batch("CREATE TABLE issuer_lookup (other)").unwrap();
    assert!(SqliteStore::open(&path, Unseal::Nothing, Options::default()).is_err());
    let layout: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(layout, 1);
    connection.execute_batch("DROP TABLE issuer_lookup").unwrap();
    assert_eq!(found(&open(&path), &CertificateFilter::default()).len(), 5);
}
