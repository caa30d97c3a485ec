//! A connection with the store's keys: what reads and writes go through.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Params, Row};

use pki_core::authority::AuthorityId;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use super::bucket::Noted;
use super::fault::Fault;
use super::schema;
use crate::audit::ChainHead;
use crate::envelope::Keyring;
use crate::error::{Conflict, Noun, StoreError};
use crate::fields::Fields;
use crate::id::{IssuerId, MountId, RoleId};

/// A connection with the store's keys.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) file: PathBuf,
    busy_timeout: Duration,
    numbers: Numbers,
    pub(crate) noted: Noted,
    pub(crate) tail: Tail,
}

/// Row numbers by id, of tables whose rows are never removed: what was found once stays true.
#[derive(Default)]
struct Numbers {
    mounts: HashMap<[u8; 16], i64>,
    issuers: HashMap<[u8; 16], i64>,
    roles: HashMap<[u8; 16], i64>,
    authorities: HashMap<[u8; 32], i64>,
}

/// What is known while the write lock is held: nobody else can change it.
#[derive(Default)]
pub(crate) struct Tail {
    /// The last row of the table `certificate`.
    pub(crate) certificate: Option<i64>,
    /// Whether there are revocations of certificates that are not here.
    pub(crate) revoked_unknown: Option<bool>,
    /// The head of the audit log, once rows were added.
    pub(crate) head: Option<ChainHead>,
}

/// A connection before its keys are known.
pub(crate) fn connect(file: &Path, busy_timeout: Duration) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags)?;
    be_patient(&mut connection, busy_timeout)?;
    // No checkpoint when the last connection closes: it would cost a short process a third of its time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -65536; \
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )?;
    Ok(connection)
}

/// Waiters ask again at a steady short pace. SQLite's own handler waits longer the longer it has waited, so that
/// who comes late goes first.
fn be_patient(connection: &mut Connection, busy_timeout: Duration) -> Result<(), Fault> {
    let mut waited = Duration::ZERO;
    connection.busy_handler(Some(move |calls| {
        if calls == 0 {
            waited = Duration::ZERO;
        }
        waited += PACE;
        thread::sleep(PACE);
        waited < busy_timeout
    }))?;
    Ok(())
}

/// The layout of the tables; an error if it is newer than ours.
pub(crate) fn layout(connection: &Connection, directory: &Path) -> Result<i64, Fault> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema::LAYOUT {
        return Err(StoreError::Newer { path: directory.into(), found, known: schema::LAYOUT }.into());
    }
    Ok(found)
}

const PACE: Duration = Duration::from_micros(300);
/// In octets, half a dozen certificates: room that the log has from the start, and how long it becomes before it is copied.
const LOG_ROOM: u64 = 256 * 1024;

impl Session {
    pub(crate) fn new(
        connection: Connection,
        keys: Arc<Keyring>,
        file: PathBuf,
        busy_timeout: Duration,
    ) -> Self {
        let (numbers, noted, tail) = (Numbers::default(), Noted::default(), Tail::default());
        Self { connection, keys, file, busy_timeout, numbers, noted, tail }
    }

    /// Copies a long write-ahead log into the database and begins it anew, unless somebody is reading: each process that
    /// opens the store reads all of it. What is committed is durable without it, so it may fail.
    pub(crate) fn shorten_log(&mut self) {
        let mut log = self.file.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > LOG_ROOM) {
            let _ = self.connection.busy_timeout(Duration::ZERO);
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            let _ = self.make_room(log.as_ref());
            let _ = be_patient(&mut self.connection, self.busy_timeout);
        }
    }

    /// Fills an empty log with zeros: a file that grows costs its file system a journal commit with each of ours, which is
    /// most of what a durable commit takes. SQLite reads a log that begins with zeros as empty.
    ///
    /// The write lock is held meanwhile, so nobody writes to the log, and nobody cuts it.
    fn make_room(&self, log: &Path) -> Result<(), Fault> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let filled = (|| {
            let mut log = std::fs::File::options().write(true).open(log)?;
            if log.metadata()?.len() == 0 {
                log.write_all(&vec![0; usize::try_from(LOG_ROOM).unwrap_or_default()])?;
                log.sync_all()?;
            }
            Ok::<(), std::io::Error>(())
        })();
        self.connection.execute_batch("COMMIT")?;
        // A disk without room for it is told of by the next commit.
        drop(filled);
        Ok(())
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        decode: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(decode).transpose()
    }

    /// Every row.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut decode: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(decode(row)?);
        }
        Ok(all)
    }

    /// The code of a row.
    pub(crate) fn code(&self, fields: &Fields) -> crate::mac::Code {
        self.keys.rows.code(fields.as_bytes())
    }

    /// Refuses a row whose code is not the one its content calls for.
    pub(crate) fn check(
        &self,
        table: &'static str,
        n: i64,
        fields: &Fields,
        code: &[u8],
    ) -> Result<(), Fault> {
        if self.keys.rows.fits(fields.as_bytes(), code) {
            Ok(())
        } else {
            Err(Fault::damaged(table, n, "its content was changed after it was written"))
        }
    }

    pub(crate) fn mount_number(&mut self, id: MountId) -> Result<i64, Fault> {
        let sql = "SELECT n FROM mount WHERE id = ?1";
        number(&self.connection, &mut self.numbers.mounts, sql, id.as_bytes())?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Mount, name: id.to_string() }.into())
    }

    pub(crate) fn issuer_number(&mut self, id: IssuerId) -> Result<i64, Fault> {
        let sql = "SELECT n FROM issuer WHERE id = ?1";
        number(&self.connection, &mut self.numbers.issuers, sql, id.as_bytes())?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Issuer, name: id.to_string() }.into())
    }

    pub(crate) fn role_number(&mut self, id: RoleId) -> Result<i64, Fault> {
        let sql = "SELECT n FROM role WHERE id = ?1";
        number(&self.connection, &mut self.numbers.roles, sql, id.as_bytes())?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Role, name: id.to_string() }.into())
    }

    pub(crate) fn authority_number(&mut self, id: AuthorityId) -> Result<i64, Fault> {
        let sql = "SELECT n FROM authority WHERE id = ?1";
        number(&self.connection, &mut self.numbers.authorities, sql, id.as_bytes())?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Authority, name: id.to_string() }.into())
    }

    /// After a rollback: what was found in the transaction may never have been.
    pub(crate) fn forget(&mut self) {
        self.numbers = Numbers::default();
        self.noted = Noted::default();
    }

    /// The number for the next row of a table.
    pub(crate) fn next_number(&self, table: &str) -> Result<i64, Fault> {
        let sql = format!("SELECT coalesce(max(n), 0) + 1 FROM {table}");
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// Writes a whole row of a table with row numbers, new or not. The columns are separated by ", ".
    pub(crate) fn write(&self, table: &str, columns: &str, params: impl Params) -> Result<(), Fault> {
        let places: Vec<String> =
            (1..=columns.split(", ").count()).map(|place| format!("?{place}")).collect();
        let updates: Vec<String> =
            columns.split(", ").skip(1).map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!(
            "INSERT INTO {table} ({columns}) VALUES ({}) ON CONFLICT (n) DO UPDATE SET {}",
            places.join(", "),
            updates.join(", ")
        );
        self.run(&sql, params)?;
        Ok(())
    }
}

fn number<const N: usize>(
    connection: &Connection,
    known: &mut HashMap<[u8; N], i64>,
    sql: &str,
    id: &[u8; N],
) -> Result<Option<i64>, Fault> {
    if let Some(n) = known.get(id) {
        return Ok(Some(*n));
    }
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let n = row.get(0)?;
    known.insert(*id, n);
    Ok(Some(n))
}

/// A column of fixed length.
pub(crate) fn array<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], Fault> {
    Ok(row.get::<_, [u8; N]>(column)?)
}

/// A column of fixed length that may be NULL.
pub(crate) fn optional_array<const N: usize>(row: &Row<'_>, column: usize) -> Result<Option<[u8; N]>, Fault> {
    Ok(row.get::<_, Option<[u8; N]>>(column)?)
}

/// A column with a number that is never negative.
pub(crate) fn natural(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value).into())
}

/// A column with a time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<UnixTime, Fault> {
    let value: i64 = row.get(column)?;
    u64::try_from(value)
        .ok()
        .and_then(UnixTime::from_secs)
        .ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(column, value).into())
}

/// A column with a time that may be NULL.
pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<UnixTime>, Fault> {
    match row.get::<_, Option<i64>>(column)? {
        None => Ok(None),
        Some(_) => time(row, column).map(Some),
    }
}

/// A column with a serial.
pub(crate) fn serial(row: &Row<'_>, column: usize) -> Result<SerialNumber, Fault> {
    let octets = array::<{ SerialNumber::LENGTH }>(row, column)?;
    SerialNumber::from_be_bytes(&octets).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error)).into()
    })
}

/// For a column: SQLite's integers end at 2^63 - 1, far past any count of ours.
pub(crate) const fn integer(value: u64) -> i64 {
    if value > i64::MAX as u64 { i64::MAX } else { value as i64 }
}

/// For a column.
pub(crate) const fn seconds(time: UnixTime) -> i64 {
    integer(time.as_secs())
}
