//! What goes wrong on disks, in processes and by hand: each has its own answer, and nothing is half done.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_store::account::{AccountKind, NewAccount};
use pki_store::audit::{AuditFault, AuditFilter};
use pki_store::certificate::{CertificateFilter, CertificateRecord};
use pki_store::contract::{Answers, Pair, SeededRandom, at};
use pki_store::crl::CrlScope;
use pki_store::lease::{LeaseId, NewLease};
use pki_store::seal::{KdfParameters, NewSeal, SealKind, Unseal};
use pki_store::sqlite::{Commits, Options, SqliteStore};
use pki_store::{AccountId, Batch, Expected, Op, Outcome, PageRequest, RoleId, Store, StoreError, block_on};
use rusqlite::Connection;
use tempfile::TempDir;
use zeroize::Zeroizing;

fn fresh(seal: NewSeal) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    SqliteStore::init(&store, seal, Options::default(), &mut SeededRandom(1), at(0)).unwrap();
    (directory, store)
}

fn open(store: &Path) -> Result<SqliteStore, StoreError> {
    let options = Options { busy_timeout: Duration::from_millis(100), ..Options::default() };
    SqliteStore::open(store, Unseal::Nothing, options)
}

fn edit(store: &Path, sql: &str) {
    let connection = Connection::open(store.join("pki.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// A store with one row of everything.
fn furnished(seal: NewSeal) -> (TempDir, PathBuf, CertificateRecord) {
    let (directory, path) = fresh(seal);
    let store = open(&path).unwrap();
    let pair = Pair::new(&store, &store, Answers::Arrive);
    let (mount, issuer, authority) = pair.issuer();
    let role = Op::PutRole {
        mount,
        name: "web".into(),
        new_id: RoleId::from_bytes([7; 16]),
        expected: Expected::Absent,
        json: b"{\"allow_any_name\":false}".to_vec(),
    };
    let Outcome::Role(version) = pair.op(role.clone()).unwrap() else { panic!() };
    let Op::PutRole { name, new_id, .. } = role else { panic!() };
    pair.op(Op::PutRole { mount, name, new_id, expected: Expected::Any, json: b"{}".to_vec() }).unwrap();
    pair.op(Op::PutConfig { mount, key: "urls".into(), expected: Expected::Any, json: b"{}".to_vec() })
        .unwrap();
    let mut record = pair.record((mount, issuer, authority));
    record.role = Some(version);
    let der = b"certificate".to_vec();
    let fingerprint = sha256(&der);
    pair.op(Op::InsertCertificate { record: record.clone(), fingerprint, der: Some(der) }).unwrap();
    let reason = RevocationReason::KeyCompromise;
    pair.op(Op::Revoke { authority, serial: record.serial, reason, not_after: None }).unwrap();
    let begin = Op::BeginCrl { authority, mount, scope: CrlScope::Full, nanoseconds: 0 };
    let Outcome::Crl(draft) = pair.op(begin).unwrap() else { panic!() };
    pair.op(Op::FinishCrl { draft, next_update: at(100), der: b"crl".to_vec() }).unwrap();
    let lease = NewLease {
        id: LeaseId::parse("database/creds/web/0001").unwrap(),
        mount,
        terms: b"{}".to_vec(),
        subject: "v-web".into(),
        expires_at: at(100),
        holder: 7,
    };
    pair.op(Op::ReserveLease(lease)).unwrap();
    let id = AccountId::from_bytes([8; 16]);
    let seal = |secret| Some(store.seal(&NewAccount::place(id), secret, &mut SeededRandom(5)).unwrap());
    let account = NewAccount {
        mount,
        kind: AccountKind::Connection,
        name: "db".into(),
        new_id: id,
        expected: Expected::Absent,
        json: b"{}".to_vec(),
        password: seal(b"old"),
        candidate: seal(b"new"),
    };
    pair.op(Op::PutAccount(account)).unwrap();
    pair.op(Op::Beat { name: "lease expire".into(), until: at(60) }).unwrap();
    drop(store);
    (directory, path, record)
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(octets).into()
}

/// Asks every question that reads the tables that matter.
fn read_everything(store: &SqliteStore, record: &CertificateRecord) -> Result<(), StoreError> {
    block_on(async {
        let CertificateRecord { mount, authority, serial, .. } = *record;
        for mount in store.mounts().await? {
            for role in store.roles(mount.id).await? {
                store.role_history(role.id).await?;
            }
        }
        for key in store.keys(mount).await? {
            store.unseal(&key.place(), &key.private_key)?;
        }
        store.issuers(mount).await?;
        store.authorities().await?;
        store.config(mount, "urls").await?;
        store.certificate(authority, serial).await?;
        store.certificates(&CertificateFilter::default(), PageRequest::first(10), at(0)).await?;
        store.revocations(authority, 0, u64::MAX, 10).await?;
        store.crl(authority, CrlScope::Full).await?;
        store.leases("", None, PageRequest::first(10)).await?;
        for account in store.accounts(mount, AccountKind::Connection).await? {
            store.unseal(&account.place(), account.password.as_ref().unwrap())?;
        }
        store.heartbeat("lease expire").await?;
        store.verify_audit().await?;
        Ok(())
    })
}

#[test]
fn an_edited_row_is_refused_and_named() {
    for sealed in [false, true] {
        for (table, sql) in [
            ("mount", "UPDATE mount SET max_lease_ttl = max_lease_ttl * 10"),
            ("mount", "UPDATE mount SET name = 'pki2' WHERE name = 'pki'"),
            ("key", "UPDATE key SET public_key = x'00'"),
            ("key", "UPDATE key SET private_key = x'01000000000000'"),
            ("issuer", "UPDATE issuer SET certificate = x'00'"),
            ("issuer", "UPDATE issuer SET key = NULL"),
            ("authority", "UPDATE authority SET revoked = 0"),
            ("authority", "UPDATE authority SET crl_number = zeroblob(16)"),
            ("role", "UPDATE role SET json = CAST('{\"allow_any_name\":true}' AS BLOB)"),
            ("role", "UPDATE role SET mount = (SELECT id FROM mount WHERE name = 'database')"),
            ("role_history", "UPDATE role_history SET json = x'7b7d'"),
            ("config", "UPDATE config SET json = x'5b5d'"),
            ("certificate", "UPDATE certificate SET not_after = not_after + 1"),
            ("certificate", "UPDATE certificate SET requester = 'mallory'"),
            ("certificate", "UPDATE certificate SET state = 0"),
            ("certificate", "UPDATE certificate SET mount = 2"),
            ("certificate_der", "UPDATE certificate_der SET der = x'00'"),
            ("revocation", "UPDATE revocation SET reason = 0"),
            ("revocation", "UPDATE revocation SET revoked_at = 0"),
            ("crl", "UPDATE crl SET der = x'00'"),
            ("crl", "UPDATE crl SET next_update = next_update * 2"),
            ("lease", "UPDATE lease SET expires_at = expires_at * 2"),
            ("lease", "UPDATE lease SET subject = 'postgres'"),
            ("lease", "UPDATE lease SET holder = NULL"),
            ("lease", "UPDATE lease SET state = 1"),
            ("lease", "UPDATE lease SET fence = 9"),
            ("lease", "UPDATE lease SET last_part = '0002'"),
            ("lease", "UPDATE lease_path SET path = 'database/creds/other'"),
            ("lease_terms", "UPDATE lease_terms SET terms = x'5b5d'"),
            ("account", "UPDATE account SET password = candidate, candidate = password"),
            ("account", "UPDATE account SET candidate = NULL"),
            ("account", "UPDATE account SET json = x'5b5d'"),
            ("heartbeat", "UPDATE heartbeat SET until = until * 2"),
            ("chain", "UPDATE chain SET sequence = 1"),
        ] {
            let seal_directory = tempfile::tempdir().unwrap();
            let seal =
                if sealed { NewSeal::KeyFile(seal_directory.path().join("key")) } else { NewSeal::None };
            let (_directory, path, record) = furnished(seal);
            read_everything(&open(&path).unwrap(), &record).unwrap();
            edit(&path, sql);
            match open(&path).and_then(|store| read_everything(&store, &record)) {
                Err(StoreError::Damaged { table: found, row: 1.., .. }) => assert_eq!(found, table, "{sql}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_sealed_row_cannot_be_coded_again_by_an_editor() {
    // Without a seal anybody can compute the code of a row; with one a copied code must not fit another row.
    let keys = tempfile::tempdir().unwrap();
    let (_directory, path, record) = furnished(NewSeal::KeyFile(keys.path().join("key")));
    edit(&path, "UPDATE role SET json = h.json, mac = h.mac FROM role_history h WHERE h.role = role.n");
    match open(&path).and_then(|store| read_everything(&store, &record)) {
        Err(StoreError::Damaged { table: "role", .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_audit_log_shows_edits_gaps_and_cuts() {
    let keys = tempfile::tempdir().unwrap();
    let (directory, path, _) = furnished(NewSeal::KeyFile(keys.path().join("key")));
    let original = directory.path().join("original");
    copy_store(&path, &original);
    let rows = block_on(open(&original).unwrap().verify_audit()).unwrap();
    assert!(rows.keyed && rows.fault.is_none() && rows.rows > 5);
    let last = rows.last;
    for (sql, fault) in [
        ("UPDATE audit SET requester = 'mallory' WHERE n = 3", AuditFault::Edited { sequence: 3 }),
        ("UPDATE audit SET hash = zeroblob(32) WHERE n = 4", AuditFault::Edited { sequence: 4 }),
        ("DELETE FROM audit WHERE n BETWEEN 2 AND 3", AuditFault::Missing { from: 2, to: 3 }),
        ("DELETE FROM audit WHERE n = 1", AuditFault::Missing { from: 1, to: 1 }),
        (
            "DELETE FROM audit WHERE n >= (SELECT max(n) FROM audit) - 1",
            AuditFault::Missing { from: last - 1, to: last },
        ),
    ] {
        let copy = directory.path().join("copy");
        let _ = fs::remove_dir_all(&copy);
        copy_store(&original, &copy);
        edit(&copy, sql);
        let report = block_on(open(&copy).unwrap().verify_audit()).unwrap();
        assert_eq!(report.fault, Some(fault), "{sql}");
    }
}

fn copy_store(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_sealed_store_holds_no_secret_in_clear_and_an_unsealed_one_is_private() {
    let secret = b"-the private key of a certificate authority-";
    let keys = tempfile::tempdir().unwrap();
    for (seal, in_clear) in [(NewSeal::None, true), (NewSeal::KeyFile(keys.path().join("key")), false)] {
        let (_directory, path) = fresh(seal);
        let store = open(&path).unwrap();
        let pair = Pair::new(&store, &store, Answers::Arrive);
        let mut key = pair.new_key(pair.pki().id, b"spki");
        key.private_key =
            store.seal(&pki_store::key::NewKey::place(key.id), secret, &mut SeededRandom(5)).unwrap();
        let id = key.id;
        pair.op(Op::CreateKey(key)).unwrap();
        let found = fs::read_dir(&path).unwrap().any(|entry| {
            let content = fs::read(entry.unwrap().path()).unwrap();
            content.windows(secret.len()).any(|window| window == secret)
        });
        assert_eq!(found, in_clear);
        drop(store);
        let store = open(&path).unwrap();
        let key = block_on(store.key(id)).unwrap().unwrap();
        assert_eq!(store.unseal(&key.place(), &key.private_key).unwrap().as_slice(), secret);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    }
}

#[test]
fn a_passphrase_store_asks_for_its_passphrase() {
    let passphrase = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let kdf = KdfParameters { memory_kib: 19_456, passes: 2, lanes: 1 };
    let (_directory, path) = fresh(NewSeal::Passphrase { passphrase: passphrase("right"), kdf });
    assert_eq!(SealKind::of(&path).unwrap(), SealKind::Passphrase);
    assert!(matches!(open(&path), Err(StoreError::PassphraseNeeded { .. })));
    let wrong = SqliteStore::open(&path, Unseal::Passphrase(passphrase("wrong")), Options::default());
    assert!(matches!(wrong, Err(StoreError::WrongPassphrase { .. })));
    let right =
        SqliteStore::open(&path, Unseal::Passphrase(passphrase("right")), Options::default()).unwrap();
    assert_eq!(block_on(right.mounts()).unwrap().len(), 2);
}

#[test]
fn what_is_no_store_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    assert!(matches!(open(&path), Err(StoreError::NotFound { .. })));
    fs::create_dir(&path).unwrap();
    assert!(matches!(open(&path), Err(StoreError::NotFound { .. })), "an empty directory");
    fs::write(path.join("notes.txt"), "x").unwrap();
    assert!(matches!(open(&path), Err(StoreError::NotAStore { .. })));
    let again =
        |path: &Path| SqliteStore::init(path, NewSeal::None, Options::default(), &mut SeededRandom(2), at(0));
    assert!(matches!(again(&path), Err(StoreError::Exists { .. })), "files of somebody else's");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    let file = path.join("notes.txt");
    assert!(matches!(open(&file), Err(StoreError::NotAStore { .. })));
    assert!(matches!(again(&file), Err(StoreError::Exists { .. })));

    let (_keep, path) = fresh(NewSeal::None);
    assert!(matches!(again(&path), Err(StoreError::Exists { .. })));
    fs::write(path.join("pki.db"), vec![b'x'; 8_192]).unwrap();
    for name in ["pki.db-wal", "pki.db-shm"] {
        let _ = fs::remove_file(path.join(name));
    }
    assert!(matches!(open(&path), Err(StoreError::NotAStore { .. })), "not a database");
    fs::write(path.join("pki.db"), b"").unwrap();
    assert!(matches!(open(&path), Err(StoreError::NotAStore { .. })), "an empty database");
    fs::remove_file(path.join("pki.db")).unwrap();
    assert!(matches!(open(&path), Err(StoreError::NotAStore { .. })), "no database");

    let ((_one, one), (_two, two)) = (fresh(NewSeal::None), {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        SqliteStore::init(&path, NewSeal::None, Options::default(), &mut SeededRandom(77), at(0)).unwrap();
        (directory, path)
    });
    fs::copy(one.join("seal.toml"), two.join("seal.toml")).unwrap();
    assert!(matches!(open(&two), Err(StoreError::NotAStore { .. })), "another store's seal");
}

#[test]
fn an_empty_directory_is_filled_and_made_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made by a package");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    SqliteStore::init(&path, NewSeal::None, Options::default(), &mut SeededRandom(1), at(0)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(block_on(open(&path).unwrap().mounts()).unwrap().len(), 2);
}

#[test]
fn a_newer_layout_is_refused_by_name() {
    let (_directory, path) = fresh(NewSeal::None);
    edit(&path, "PRAGMA user_version = 77");
    match open(&path) {
        Err(error @ StoreError::Newer { found: 77, known: 2, .. }) => {
            assert!(error.to_string().contains("layout 77"));
            assert_eq!(error.remedy(), "use the version that wrote it, or a later one");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_another_process_holds_is_locked_not_broken() {
    let (_directory, path) = fresh(NewSeal::None);
    let other = Connection::open(path.join("pki.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for commits in [Commits::Inline, Commits::Grouped] {
        let options = Options { commits, busy_timeout: Duration::from_millis(100) };
        let store = SqliteStore::open(&path, Unseal::Nothing, options).unwrap();
        let pair = Pair::new(&store, &store, Answers::Arrive);
        assert_eq!(block_on(store.mounts()).unwrap().len(), 2, "reading goes on");
        let mount = pair.pki().id;
        let put =
            || Op::PutConfig { mount, key: "urls".into(), expected: Expected::Any, json: b"{}".to_vec() };
        assert!(matches!(pair.op(put()), Err(StoreError::Locked { .. })));
        assert!(matches!(pair.op(put()), Err(StoreError::Locked { .. })), "and again");
    }
    other.execute_batch("ROLLBACK").unwrap();
    let store = open(&path).unwrap();
    let pair = Pair::new(&store, &store, Answers::Arrive);
    pair.issuer();
}

#[test]
fn a_full_disk_changes_nothing() {
    for commits in [Commits::Inline, Commits::Grouped] {
        let Some(disk) = SmallDisk::mount("size=1m") else { return };
        let path = disk.path.join("store");
        let options = Options { commits, ..Options::default() };
        let store = SqliteStore::init(&path, NewSeal::None, options, &mut SeededRandom(1), at(0)).unwrap();
        let pair = Pair::new(&store, &store, Answers::Arrive);
        let ca = pair.issuer();
        let mut stored = 0;
        let error = loop {
            let record = pair.record(ca);
            let der = vec![7; 4_000];
            let op = Op::InsertCertificate { record, fingerprint: sha256(&der), der: Some(der) };
            match pair.op(op) {
                Ok(_) => stored += 1,
                Err(error) => break error,
            }
            assert!(stored < 1_000, "the disk never gets full");
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains("nothing was changed"));
        let mut page = PageRequest::first(1_000);
        page.limit = 1_000;
        let rows = block_on(store.certificates(&CertificateFilter::default(), page, at(0))).unwrap();
        assert_eq!(rows.items.len(), stored);
        assert_eq!(block_on(store.verify_audit()).unwrap().fault, None);
        drop(store);
        let init = SqliteStore::init(
            &disk.path.join("another"),
            NewSeal::None,
            Options::default(),
            &mut SeededRandom(2),
            at(0),
        );
        if let Err(error) = init {
            assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
            assert_eq!(fs::read_dir(&disk.path).unwrap().count(), 1, "nothing half-made is left");
        }
        // With room again, it goes on.
        assert!(disk.remount("size=4m"), "who mounted it may change it");
        let store = open(&path).unwrap();
        let again = Pair::new(&store, &store, Answers::Arrive);
        for _ in 0..10_000 + stored {
            again.next();
        }
        again.op(Op::ReserveCertificate(again.record(ca))).unwrap();
    }
}

#[test]
fn a_read_only_file_system_is_named() {
    let Some(disk) = SmallDisk::mount("size=4m") else { return };
    let path = disk.path.join("store");
    SqliteStore::init(&path, NewSeal::None, Options::default(), &mut SeededRandom(1), at(0)).unwrap();
    assert!(disk.remount("ro"), "who mounted it may change it");
    let answer = open(&path).and_then(|store| {
        let pair = Pair::new(&store, &store, Answers::Arrive);
        let mount = block_on(store.mount("pki"))?.unwrap().id;
        pair.op(Op::PutConfig { mount, key: "urls".into(), expected: Expected::Any, json: b"{}".to_vec() })
    });
    assert!(matches!(answer, Err(StoreError::ReadOnly { .. })), "{answer:?}");
    let elsewhere = disk.path.join("another");
    let init = SqliteStore::init(&elsewhere, NewSeal::None, Options::default(), &mut SeededRandom(2), at(0));
    assert!(matches!(init, Err(StoreError::ReadOnly { .. })), "{init:?}");
}

#[test]
fn a_store_of_another_account_is_a_matter_of_permission() {
    let (_directory, path) = fresh(NewSeal::None);
    let Some(answer) = needs_root(as_another_account(&path), "become another account") else { return };
    assert!(answer.starts_with("Some(Permission"), "{answer}");
}

/// As root, what a test needs has to be had; another account is told that the test did not run.
fn needs_root<T>(had: Option<T>, what: &str) -> Option<T> {
    if had.is_none() {
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        assert!(!root, "root could not {what}");
        // Past the test harness, which shows the output of failed tests only.
        let mut terminal = std::io::stderr();
        writeln!(terminal, "NOT TESTED: only root can {what}; run the tests of pki-store as root").unwrap();
    }
    had
}

/// A file system in memory of its own, where the test may make one.
struct SmallDisk {
    path: PathBuf,
    _directory: TempDir,
}

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_path_buf();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(&path)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        needs_root(done.then_some(Self { path, _directory: directory }), "mount a file system")
    }

    fn remount(&self, options: &str) -> bool {
        Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.path)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// What opening says to an account that does not own the store; `None` where this one cannot become another.
fn as_another_account(path: &Path) -> Option<String> {
    // Others may walk to the store, not into it.
    let above = path.parent()?;
    fs::set_permissions(above, fs::Permissions::from_mode(0o755)).ok()?;
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(std::env::current_exe().ok()?)
        .args(["--exact", "child_opens", "--ignored", "--nocapture"])
        .env("STORE_OF_PARENT", path)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = text.split("answer: ").nth(1)?.lines().next()?.to_owned();
    Some(answer)
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_opens() {
    let path = PathBuf::from(std::env::var_os("STORE_OF_PARENT").unwrap());
    println!("answer: {:?}", open(&path).err());
}

/// Commits without end and says which serial was acknowledged.
#[test]
#[ignore = "run by another test in a process of its own"]
fn child_inserts() {
    let path = PathBuf::from(std::env::var_os("STORE_OF_PARENT").unwrap());
    let number: u64 = std::env::var("NUMBER").unwrap().parse().unwrap();
    let count: u64 = std::env::var("COUNT").unwrap().parse().unwrap();
    let commits = if number.is_multiple_of(2) { Commits::Inline } else { Commits::Grouped };
    let options = Options { commits, busy_timeout: Duration::from_secs(20) };
    let store = SqliteStore::open(&path, Unseal::Nothing, options).unwrap();
    let pair = Pair::new(&store, &store, Answers::Arrive);
    for _ in 0..number * 1_000_000 {
        pair.next();
    }
    let mount = pair.pki();
    let issuer = block_on(store.issuer(mount.default_issuer.unwrap())).unwrap().unwrap();
    let mut out = std::io::stdout().lock();
    for _ in 0..count {
        let record = pair.record((mount.id, issuer.id, issuer.authority));
        let serial = record.serial;
        let der = vec![7; 1_100];
        let op = Op::InsertCertificate { record, fingerprint: sha256(&der), der: Some(der) };
        let reason = RevocationReason::Superseded;
        let revoke = Op::Revoke { authority: issuer.authority, serial, reason, not_after: None };
        block_on(store.commit(Batch { ..pair.batch(vec![op, revoke]) })).unwrap();
        writeln!(out, "done {serial}").unwrap();
        out.flush().unwrap();
    }
}

fn child(path: &Path, number: u64, count: u64) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_inserts", "--ignored", "--nocapture"])
        .env("STORE_OF_PARENT", path)
        .env("NUMBER", number.to_string())
        .env("COUNT", count.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn with_issuer() -> (TempDir, PathBuf, AuthorityId) {
    let (directory, path) = fresh(NewSeal::None);
    let store = open(&path).unwrap();
    let (_, _, authority) = Pair::new(&store, &store, Answers::Arrive).issuer();
    (directory, path, authority)
}

#[test]
fn several_processes_write_one_store() {
    let (_directory, path, authority) = with_issuer();
    let children: Vec<_> = (1..=4).map(|number| child(&path, number, 100)).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let store = open(&path).unwrap();
    let rows = block_on(store.certificates(&CertificateFilter::default(), PageRequest::first(1_000), at(0)))
        .unwrap();
    assert_eq!(rows.items.len(), 400);
    assert_eq!(block_on(store.authority(authority)).unwrap().unwrap().revoked, 400);
    let report = block_on(store.verify_audit()).unwrap();
    assert_eq!((report.fault, report.rows), (None, 402));
}

/// One process after the other, as a command is used: the log that each leaves is read whole by the next.
#[test]
fn short_processes_keep_the_log_short_and_lose_nothing() {
    let (_directory, path, _) = with_issuer();
    for (done, number) in (2..=12).step_by(2).enumerate() {
        let output = child(&path, number, 7).wait_with_output().unwrap();
        assert!(output.status.success());
        let log = fs::metadata(path.join("pki.db-wal")).unwrap().len();
        assert!((1..=2 * 256 * 1024).contains(&log), "the log has {log} octets");
        let store = open(&path).unwrap();
        let all = CertificateFilter::default();
        let rows = block_on(store.certificates(&all, PageRequest::first(1_000), at(0))).unwrap();
        assert_eq!(rows.items.len(), (done + 1) * 7);
        assert_eq!(block_on(store.verify_audit()).unwrap().fault, None);
    }
}

#[test]
fn a_killed_process_leaves_what_it_acknowledged_and_nothing_half() {
    let (_directory, path, authority) = with_issuer();
    let mut acknowledged: Vec<SerialNumber> = Vec::new();
    for round in 1..=12_u64 {
        let mut child = child(&path, round, 1_000_000);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 5 + (round as usize * 7) % 20;
        let mut seen = 0;
        while seen < wanted {
            let line = lines.next().unwrap().unwrap();
            if let Some(serial) = line.split("done ").nth(1) {
                acknowledged.push(SerialNumber::parse(serial).unwrap());
                seen += 1;
            }
        }
        child.kill().unwrap();
        // What it had said before it died was said too.
        for line in lines.map_while(Result::ok) {
            if let Some(serial) = line.split("done ").nth(1).filter(|serial| serial.len() > 40) {
                acknowledged.push(SerialNumber::parse(serial).unwrap());
            }
        }
        child.wait().unwrap();
    }
    let store = open(&path).unwrap();
    for serial in &acknowledged {
        let stored = block_on(store.certificate(authority, *serial)).unwrap();
        assert!(
            stored.is_some_and(|stored| stored.der.is_some() && stored.row.revocation.is_some()),
            "{serial}"
        );
    }
    let rows = block_on(store.certificates(&CertificateFilter::default(), PageRequest::first(10_000), at(0)))
        .unwrap();
    assert!(rows.items.len() >= acknowledged.len());
    assert!(rows.items.iter().all(|row| row.revocation.is_some()), "a batch is there as a whole");
    let row = block_on(store.authority(authority)).unwrap().unwrap();
    assert_eq!(row.revoked, rows.items.len() as u64);
    let report = block_on(store.verify_audit()).unwrap();
    assert_eq!((report.fault, report.rows), (None, rows.items.len() as u64 + 2));
    let log = block_on(store.audit(&AuditFilter::default(), PageRequest::first(1))).unwrap();
    assert_eq!(log.items.len(), 1);
}

#[test]
fn errors_are_two_sentences_for_people() {
    let directory = tempfile::tempdir().unwrap();
    let error = open(&directory.path().join("nowhere")).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("there is no store at /"), "{text}");
    assert_eq!(error.remedy(), "check --store or PKI_STORE, or make one with `pki init`");
}
