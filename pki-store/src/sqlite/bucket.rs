//! Buckets of 2 048 certificates: what lists are searched by.
//!
//! An index of its own for each thing that certificates are searched by would cost each insert a page or two. Instead
//! each bucket says which issuers, roles and days of expiry occur in it (its *traits*), and once it is complete its names
//! and keys are put into one index (its *terms*), sorted and at once. Of the last bucket, which is not complete, the
//! rows themselves are read.

use std::collections::HashSet;

use pki_core::time::UnixTime;
use rusqlite::types::{ToSql, ToSqlOutput, Value};
use rusqlite::{Connection, params};

use super::certificate::names;
use super::fault::Fault;
use super::session::{Session, array, seconds};
use crate::certificate::NameMatch;

/// The bucket of a row.
pub(crate) const fn of(n: i64) -> i64 {
    n >> BITS
}

/// The first and the last row that a bucket can have.
pub(crate) const fn rows(bucket: i64) -> (i64, i64) {
    (bucket << BITS, (bucket << BITS) + (1 << BITS) - 1)
}

/// Whether a row completes its bucket.
pub(crate) const fn is_last(n: i64) -> bool {
    rows(of(n)).1 == n
}

/// What occurs in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Trait {
    Issuer(i64),
    Role(i64),
    /// Periods of 2^16 seconds, about 18 hours.
    Expiry(i64),
}

impl Trait {
    pub(crate) const fn expiry(not_after: UnixTime) -> Self {
        Self::Expiry(seconds(not_after) >> 16)
    }

    const fn kind_and_value(self) -> (i64, i64) {
        match self {
            Self::Issuer(n) => (0, n),
            Self::Role(n) => (1, n),
            Self::Expiry(period) => (2, period),
        }
    }
}

/// The traits of one bucket that are known to be written.
#[derive(Default)]
pub(crate) struct Noted {
    bucket: i64,
    traits: HashSet<Trait>,
}

/// What a certificate is found by in a complete bucket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// In lower case and back to front, so that a suffix is a range. A TEXT.
    Name(String),
    /// The beginning of the key's digest. A BLOB.
    Key([u8; 8]),
}

impl Term {
    pub(crate) fn name(name: &str) -> Self {
        Self::Name(name.to_lowercase().chars().rev().collect())
    }

    pub(crate) fn key(digest: &[u8; 32]) -> Self {
        Self::Key(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl ToSql for Term {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Name(name) => name.to_sql(),
            Self::Key(key) => key.to_sql(),
        }
    }
}

/// What is searched for among the terms.
pub(crate) enum Wanted {
    Name(NameMatch),
    Key([u8; 32]),
}

impl Session {
    /// Rows are never taken out of a bucket's traits, so what was written once stays.
    pub(crate) fn note_traits(&mut self, n: i64, traits: [Option<Trait>; 3]) -> Result<(), Fault> {
        if self.noted.bucket != of(n) {
            self.noted = Noted { bucket: of(n), traits: HashSet::new() };
        }
        for each in traits.into_iter().flatten() {
            if self.noted.traits.insert(each) {
                write_trait(&self.connection, of(n), each)?;
            }
        }
        Ok(())
    }

    /// Puts a complete bucket's names and keys into the index.
    pub(crate) fn index_bucket(&self, bucket: i64) -> Result<(), Fault> {
        write_terms(&self.connection, bucket)
    }

    /// The buckets with a trait whose value lies between two, in order.
    pub(crate) fn buckets_with(&self, from: Trait, to: Trait) -> Result<Vec<i64>, Fault> {
        let ((kind, from), (_, to)) = (from.kind_and_value(), to.kind_and_value());
        let sql = "SELECT DISTINCT bucket FROM certificate_trait \
                   WHERE kind = ?1 AND value BETWEEN ?2 AND ?3 ORDER BY bucket";
        self.all(sql, [kind, from, to], |row| Ok(row.get(0)?))
    }

    /// The rows of a bucket that match, in order: of a complete one by its index, of the last one by its rows.
    pub(crate) fn rows_with(&self, bucket: i64, last: i64, wanted: &Wanted) -> Result<Vec<i64>, Fault> {
        if bucket >= of(last + 1) {
            return self.scan(bucket, wanted);
        }
        let (condition, term) = match wanted {
            Wanted::Key(digest) => {
                ("term = ?2", Value::from(digest.first_chunk().map_or(vec![], |key: &[u8; 8]| key.to_vec())))
            }
            Wanted::Name(name) => {
                let (condition, text) = match name {
                    NameMatch::Exact(text) => ("term = ?2", text),
                    NameMatch::Suffix(text) => ("term >= ?2 AND term < ?2 || char(1114111)", text),
                    NameMatch::Contains(text) => ("typeof(term) = 'text' AND instr(term, ?2) > 0", text),
                };
                let Term::Name(text) = Term::name(text) else { return Ok(Vec::new()) };
                (condition, Value::from(text))
            }
        };
        let sql = format!(
            "SELECT DISTINCT certificate FROM certificate_term WHERE bucket = ?1 AND {condition} ORDER BY certificate"
        );
        self.all(&sql, params![bucket, term], |row| Ok(row.get(0)?))
    }

    fn scan(&self, bucket: i64, wanted: &Wanted) -> Result<Vec<i64>, Fault> {
        let (first, last) = rows(bucket);
        let mut found = Vec::new();
        match wanted {
            Wanted::Key(digest) => {
                let sql =
                    "SELECT n FROM certificate WHERE n BETWEEN ?1 AND ?2 AND key_digest = ?3 ORDER BY n";
                found = self.all(sql, params![first, last, digest], |row| Ok(row.get(0)?))?;
            }
            Wanted::Name(name) => {
                let sql =
                    "SELECT n, common_name, names FROM certificate WHERE n BETWEEN ?1 AND ?2 ORDER BY n";
                self.all(sql, [first, last], |row| {
                    let common_name: Option<String> = row.get(1)?;
                    // Names that are no list are told of when the row itself is read.
                    let names = names(row.get_ref(2)?.as_blob().unwrap_or_default()).unwrap_or_default();
                    if common_name.iter().chain(&names).any(|present| name.fits(present)) {
                        found.push(row.get(0)?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }
}

/// Layouts 1 and before had other indexes: every bucket gets its traits, and the complete ones their terms.
pub(crate) fn fill(connection: &Connection) -> Result<(), Fault> {
    let mut certificates =
        connection.prepare("SELECT n, issuer, role, not_after FROM certificate ORDER BY n")?;
    let mut rows = certificates.query([])?;
    let mut noted = Noted::default();
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        if noted.bucket != of(n) {
            noted = Noted { bucket: of(n), traits: HashSet::new() };
        }
        let role = row.get::<_, Option<i64>>(2)?.map(Trait::Role);
        let traits =
            [Some(Trait::Issuer(row.get(1)?)), role, Some(Trait::Expiry(row.get::<_, i64>(3)? >> 16))];
        for each in traits.into_iter().flatten() {
            if noted.traits.insert(each) {
                write_trait(connection, of(n), each)?;
            }
        }
        if is_last(n) {
            write_terms(connection, of(n))?;
        }
    }
    Ok(())
}

fn write_trait(connection: &Connection, bucket: i64, each: Trait) -> Result<(), Fault> {
    let (kind, value) = each.kind_and_value();
    let sql = "INSERT OR IGNORE INTO certificate_trait (kind, value, bucket) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute([kind, value, bucket])?;
    Ok(())
}

fn write_terms(connection: &Connection, bucket: i64) -> Result<(), Fault> {
    let (first, last) = rows(bucket);
    let mut certificates = connection.prepare_cached(
        "SELECT n, common_name, names, key_digest FROM certificate WHERE n BETWEEN ?1 AND ?2 ORDER BY n",
    )?;
    let mut terms: Vec<(Term, i64)> = Vec::new();
    let mut rows = certificates.query([first, last])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        let common_name: Option<String> = row.get(1)?;
        let names = names(row.get_ref(2)?.as_blob().unwrap_or_default()).unwrap_or_default();
        terms.extend(common_name.iter().chain(&names).map(|name| (Term::name(name), n)));
        terms.push((Term::key(&array(row, 3)?), n));
    }
    terms.sort_unstable();
    terms.dedup();
    let sql = "INSERT OR IGNORE INTO certificate_term (bucket, term, certificate) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for (term, n) in &terms {
        insert.execute(params![bucket, term, n])?;
    }
    Ok(())
}

/// A bucket has 2^11 certificates: a search among a million looks into 488, and the last one's rows take a millisecond.
const BITS: u32 = 11;
