//! The tables, and how an older layout becomes this one.
//!
//! What decided it (docs/DESIGN.md has the figures): every index on a table that grows with each certificate
//! grows at its end, or is written for a whole bucket of rows at once (`bucket`), so that an insert dirties pages that
//! the insert before it dirtied too. `n` is the row's growing number; `id` is what the outside knows. Small tables
//! refer to each other by id, the large ones by `n`, in a few octets. `mac` is the row's code.

use rusqlite::Connection;

use super::fault::Fault;
use super::{bucket, lookup};

/// The newest layout that this version knows: `PRAGMA user_version`.
pub(crate) const LAYOUT: i64 = 2;

/// Takes the layout before it to its own number, in one transaction with all the others.
struct Step {
    sql: &'static str,
    /// What takes more than SQL.
    fill: fn(&Connection) -> Result<(), Fault>,
}

const STEPS: &[Step] = &[Step { sql: LAYOUT_1, fill: |_| Ok(()) }, Step { sql: LAYOUT_2, fill: fill_2 }];

/// Brings the tables from `found` to [`LAYOUT`]. In a transaction of the caller's.
pub(crate) fn migrate(connection: &Connection, found: i64) -> Result<(), Fault> {
    let done = usize::try_from(found).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        connection.execute_batch(step.sql)?;
        (step.fill)(connection)?;
    }
    connection.pragma_update(None, "user_version", LAYOUT)?;
    Ok(())
}

fn fill_2(connection: &Connection) -> Result<(), Fault> {
    lookup::fill(connection)?;
    bucket::fill(connection)
}

const LAYOUT_1: &str = "
CREATE TABLE store (
    n INTEGER PRIMARY KEY CHECK (n = 1), id BLOB NOT NULL, created_at INTEGER NOT NULL, mac BLOB NOT NULL);

-- Data keys, wrapped by the root key. None without a seal.
CREATE TABLE data_key (
    n INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE mount (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    description TEXT NOT NULL, default_lease_ttl INTEGER NOT NULL, max_lease_ttl INTEGER NOT NULL,
    default_issuer BLOB, follows_latest INTEGER NOT NULL, default_key BLOB,
    created_at INTEGER NOT NULL, disabled_at INTEGER, mac BLOB NOT NULL);
CREATE UNIQUE INDEX mount_name ON mount (name COLLATE NOCASE) WHERE disabled_at IS NULL;

CREATE TABLE key (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, mount BLOB NOT NULL, name TEXT, key_type TEXT NOT NULL,
    bits INTEGER NOT NULL, public_key BLOB NOT NULL, private_key BLOB NOT NULL, pending_issuer_name TEXT,
    created_at INTEGER NOT NULL, mac BLOB NOT NULL, UNIQUE (mount, public_key));
CREATE UNIQUE INDEX key_name ON key (mount, name COLLATE NOCASE) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX key_pending ON key (mount, pending_issuer_name COLLATE NOCASE)
    WHERE pending_issuer_name IS NOT NULL;

CREATE TABLE authority (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, subject BLOB NOT NULL, public_key BLOB NOT NULL,
    crl_mount BLOB, crl_number BLOB NOT NULL, this_update INTEGER,
    revoked INTEGER NOT NULL, last_revocation INTEGER NOT NULL, mac BLOB NOT NULL);

-- A deleted issuer stays, since certificates refer to it.
CREATE TABLE issuer (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, mount BLOB NOT NULL, name TEXT, certificate BLOB NOT NULL,
    authority BLOB NOT NULL, key BLOB, chain BLOB NOT NULL, detail BLOB NOT NULL, revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL, deleted_at INTEGER, mac BLOB NOT NULL);
CREATE UNIQUE INDEX issuer_name ON issuer (mount, name COLLATE NOCASE)
    WHERE name IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX issuer_authority ON issuer (authority);

-- The current revisions; a deleted role stays, since certificates refer to it.
CREATE TABLE role (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, mount BLOB NOT NULL, name TEXT NOT NULL,
    revision INTEGER NOT NULL, json BLOB NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    deleted_at INTEGER, mac BLOB NOT NULL);
CREATE UNIQUE INDEX role_name ON role (mount, name COLLATE NOCASE) WHERE deleted_at IS NULL;
-- The revisions before.
CREATE TABLE role_history (
    n INTEGER PRIMARY KEY, role INTEGER NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL,
    json BLOB NOT NULL, updated_at INTEGER NOT NULL, mac BLOB NOT NULL, UNIQUE (role, revision));

CREATE TABLE config (
    n INTEGER PRIMARY KEY, mount BLOB NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,
    json BLOB NOT NULL, updated_at INTEGER NOT NULL, mac BLOB NOT NULL, UNIQUE (mount, key));

-- The compact row; the certificate itself lies beside it, so that a list reads 300 octets a row and not 1 400.
-- `batch` is the batch that had nothing else to do: its serial finds it again, so it needs no row of its own.
CREATE TABLE certificate (
    n INTEGER PRIMARY KEY, authority INTEGER NOT NULL, serial BLOB NOT NULL, issuer INTEGER NOT NULL,
    mount INTEGER NOT NULL, role INTEGER, role_revision INTEGER, requester TEXT NOT NULL,
    common_name TEXT, names BLOB NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
    issued_at INTEGER NOT NULL, state INTEGER NOT NULL, tbs_digest BLOB NOT NULL, key_digest BLOB NOT NULL,
    fingerprint BLOB, batch BLOB, mac BLOB NOT NULL);
CREATE UNIQUE INDEX certificate_serial ON certificate (authority, serial);
CREATE INDEX certificate_role ON certificate (n >> 14, role);
CREATE INDEX certificate_issuer ON certificate (n >> 14, issuer);
CREATE INDEX certificate_not_after ON certificate (not_after);
CREATE INDEX certificate_reserved ON certificate (state) WHERE state = 0;
CREATE TABLE certificate_der (certificate INTEGER PRIMARY KEY, der BLOB NOT NULL);
-- Names in lower case and back to front, so that a suffix is a range.
CREATE TABLE certificate_name (
    bucket INTEGER NOT NULL, name TEXT NOT NULL, certificate INTEGER NOT NULL,
    PRIMARY KEY (bucket, name, certificate)) WITHOUT ROWID;

-- The revocation log. `certificate` only serves lists: the log belongs to the authority and its serials.
CREATE TABLE revocation (
    n INTEGER PRIMARY KEY, authority INTEGER NOT NULL, serial BLOB NOT NULL, revoked_at INTEGER NOT NULL,
    reason INTEGER NOT NULL, not_after INTEGER, certificate INTEGER, mac BLOB NOT NULL,
    UNIQUE (authority, serial));
CREATE INDEX revocation_authority ON revocation (authority);
CREATE INDEX revocation_unknown ON revocation (authority, serial) WHERE certificate IS NULL;
CREATE INDEX revocation_certificate ON revocation (certificate) WHERE certificate IS NOT NULL;

-- What is published, one for each authority and scope.
CREATE TABLE crl (
    n INTEGER PRIMARY KEY, authority INTEGER NOT NULL, scope INTEGER NOT NULL, number BLOB NOT NULL,
    this_update INTEGER NOT NULL, next_update INTEGER NOT NULL, last_revocation INTEGER NOT NULL,
    published_at INTEGER NOT NULL, der BLOB NOT NULL, mac BLOB NOT NULL, UNIQUE (authority, scope));

CREATE TABLE audit (
    n INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL, requester TEXT NOT NULL,
    operation TEXT NOT NULL, mount INTEGER, role INTEGER, role_revision INTEGER, serial BLOB,
    outcome INTEGER NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL);
-- Heads of the chains. Every process that writes to this database takes the same lock, so one chain is enough
-- here; many writers of another database would have a row each.
CREATE TABLE chain (
    n INTEGER PRIMARY KEY, writer BLOB NOT NULL UNIQUE, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
    hash BLOB NOT NULL, mac BLOB NOT NULL);
CREATE TABLE checkpoint (
    n INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB, mac BLOB NOT NULL);

-- First outcomes of all other batches, for callers whose answer was lost. Ids begin with the time; a day later they are swept.
CREATE TABLE batch (id BLOB PRIMARY KEY, outcome BLOB NOT NULL) WITHOUT ROWID;
";

const LAYOUT_2: &str = "
-- What issuers are found by (subject, key identifier, certificate, ...), each as a short digest.
CREATE TABLE issuer_lookup (
    digest BLOB NOT NULL, issuer INTEGER NOT NULL, PRIMARY KEY (digest, issuer)) WITHOUT ROWID;
DROP INDEX issuer_authority;

-- What certificates are searched by, in buckets of 2 048 (bucket = n >> 11). Traits: issuers (0), roles (1) and periods of
-- expiry (2) that occur in a bucket. Terms, of complete buckets: names (TEXT) and the beginnings of key digests (BLOB).
DROP INDEX certificate_role;
DROP INDEX certificate_issuer;
DROP INDEX certificate_not_after;
DROP TABLE certificate_name;
CREATE TABLE certificate_trait (
    kind INTEGER NOT NULL, value INTEGER NOT NULL, bucket INTEGER NOT NULL,
    PRIMARY KEY (kind, value, bucket)) WITHOUT ROWID;
CREATE TABLE certificate_term (
    bucket INTEGER NOT NULL, term NOT NULL, certificate INTEGER NOT NULL,
    PRIMARY KEY (bucket, term, certificate)) WITHOUT ROWID;

-- Leases. `last_part` of an id begins with coarse time and is unique by itself. `due_at` is when it can be claimed next,
-- `attempted_at` when its revocation last failed: a time in the future shows a clock that jumped back.
CREATE TABLE lease_path (n INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE lease_terms (
    n INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, terms BLOB NOT NULL, mac BLOB NOT NULL);
CREATE TABLE lease (
    n INTEGER PRIMARY KEY, path INTEGER NOT NULL, last_part TEXT NOT NULL UNIQUE, mount INTEGER NOT NULL,
    terms INTEGER NOT NULL, subject TEXT NOT NULL, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    renewed_at INTEGER, activation INTEGER, state INTEGER NOT NULL, frozen_state INTEGER, holder INTEGER,
    fence INTEGER NOT NULL, worker INTEGER, claimed_until INTEGER, cause INTEGER, since INTEGER, failures INTEGER,
    last_attempt INTEGER, next_attempt INTEGER, last_error TEXT, ended_at INTEGER, due_at INTEGER,
    attempted_at INTEGER, mac BLOB NOT NULL);
CREATE INDEX lease_path_state ON lease (path, state);
CREATE INDEX lease_due ON lease (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lease_attempted ON lease (attempted_at) WHERE attempted_at IS NOT NULL;
CREATE INDEX lease_ended ON lease (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE heartbeat (
    n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, until INTEGER NOT NULL, mac BLOB NOT NULL);

-- Database accounts with their sealed passwords.
CREATE TABLE account (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, mount BLOB NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
    revision INTEGER NOT NULL, json BLOB NOT NULL, password BLOB, candidate BLOB, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, mac BLOB NOT NULL);
CREATE UNIQUE INDEX account_name ON account (mount, kind, name COLLATE NOCASE);
";
