//! The audit log's chain.
//!
//! All processes that use this store serialise through SQLite's write lock, so they share one chain; its head
//! lies in a row that is read and written under that lock. A store with many independent writers would keep one
//! row, and one chain, for each of them.

use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

use super::fault::Fault;
use super::search::bounds;
use super::session::{self, Session, array, integer, natural, optional_array, seconds, time};
use crate::audit::{AuditEntry, AuditFilter, AuditOutcome, AuditReport, AuditRow, ChainHead};
use crate::fields::Fields;
use crate::id::{MountId, RoleId};
use crate::page::{Cursor, Page, PageRequest};
use crate::role::RoleVersion;

const COLUMNS: &str =
    "n, epoch, at, requester, operation, mount, role, role_revision, serial, outcome, detail, hash";

impl Session {
    /// Adds a row. The head is written once, at the end of the transaction.
    pub(crate) fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), Fault> {
        let mut head = match self.tail.head {
            Some(head) => head,
            None => self.chain_head()?,
        };
        head.sequence += 1;
        let hash = self.keys.chain.digest(&head.hash, entry.fields(head.sequence, head.epoch).as_bytes());
        head.hash = hash;
        self.run(
            "INSERT INTO audit (n, epoch, at, requester, operation, mount, role, role_revision, serial, outcome, \
             detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                integer(head.sequence),
                integer(head.epoch),
                seconds(entry.at),
                entry.requester,
                entry.operation,
                entry.mount.map(|id| *id.as_bytes()),
                entry.role.map(|role| *role.id.as_bytes()),
                entry.role.map(|role| integer(role.revision)),
                entry.serial.map(|serial| *serial.as_bytes()),
                entry.outcome.code(),
                entry.detail,
                hash,
            ],
        )?;
        self.tail.head = Some(head);
        Ok(())
    }

    /// Writes the head if rows were added.
    pub(crate) fn write_chain_head(&self) -> Result<(), Fault> {
        self.tail.head.map_or(Ok(()), |head| self.write_head(&head))
    }

    pub(crate) fn write_head(&self, head: &ChainHead) -> Result<(), Fault> {
        self.write(
            "chain",
            "n, writer, epoch, sequence, hash, mac",
            params![
                1,
                head.writer,
                integer(head.epoch),
                integer(head.sequence),
                head.hash,
                self.code(&head_fields(1, head)),
            ],
        )
    }

    pub(crate) fn chain_head(&self) -> Result<ChainHead, Fault> {
        self.one("SELECT n, writer, epoch, sequence, hash, mac FROM chain ORDER BY n", [], |row| {
            let n: i64 = row.get(0)?;
            let head = ChainHead {
                writer: array(row, 1)?,
                epoch: natural(row, 2)?,
                sequence: natural(row, 3)?,
                hash: array(row, 4)?,
            };
            self.check("chain", n, &head_fields(n, &head), row.get_ref(5)?.as_blob().unwrap_or_default())?;
            Ok(head)
        })?
        .ok_or(Fault::damaged("chain", 1, "the head of the audit log is missing"))
    }

    pub(crate) fn audit(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditRow>, Fault> {
        let AuditFilter { mount, requester, operation, serial, outcome, since } = filter;
        let limit = page.limit.clamp(1, PageRequest::LIMIT);
        let (compare, direction, start) = bounds(page);
        let mut sql = format!("SELECT {COLUMNS} FROM audit WHERE n {compare} ?");
        let mut values = vec![Value::from(start)];
        let mut and = |condition: &str, value: Value| {
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(mount) = mount {
            and(" AND mount = ?", mount.as_bytes().to_vec().into());
        }
        if let Some(requester) = requester {
            and(" AND requester = ?", requester.clone().into());
        }
        if let Some(operation) = operation {
            and(" AND substr(operation, 1, length(?)) = ?", operation.clone().into());
            values.push(operation.clone().into());
        }
        let mut and = |condition: &str, value: Value| {
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(serial) = serial {
            and(" AND serial = ?", serial.as_bytes().to_vec().into());
        }
        if let Some(outcome) = outcome {
            and(" AND outcome = ?", outcome.code().into());
        }
        if let Some(since) = since {
            and(" AND at >= ?", seconds(*since).into());
        }
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        and(&format!(" ORDER BY n {direction} LIMIT ?"), wanted.into());
        let mut items = self.all(&sql, params_from_iter(values), decode)?;
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(|last| Cursor(last.sequence))
        } else {
            None
        };
        Ok(Page { items, next })
    }

    pub(crate) fn verify_audit(&self) -> Result<AuditReport, Fault> {
        let head = self.chain_head()?;
        let mut report = AuditReport::start(self.keys.chain.is_keyed());
        let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY n");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let row = decode(row)?;
            report.walk(&row, |previous, fields| self.keys.chain.digest(previous, fields.as_bytes()));
            if report.fault.is_some() {
                return Ok(report);
            }
        }
        report.end(&head);
        Ok(report)
    }
}

/// What the head of a new store's chain is.
pub(crate) const fn first_head(writer: [u8; 16]) -> ChainHead {
    ChainHead { writer, epoch: 1, sequence: 0, hash: [0; 32] }
}

fn decode(row: &Row<'_>) -> Result<AuditRow, Fault> {
    let n: i64 = row.get(0)?;
    Ok(AuditRow {
        sequence: natural(row, 0)?,
        epoch: natural(row, 1)?,
        entry: AuditEntry {
            at: time(row, 2)?,
            requester: row.get(3)?,
            operation: row.get(4)?,
            mount: optional_array(row, 5)?.map(MountId::from_bytes),
            role: match optional_array(row, 6)? {
                None => None,
                Some(id) => Some(RoleVersion { id: RoleId::from_bytes(id), revision: natural(row, 7)? }),
            },
            serial: match row.get_ref(8)? {
                rusqlite::types::ValueRef::Null => None,
                _ => Some(session::serial(row, 8)?),
            },
            outcome: match row.get::<_, i64>(9)? {
                0 => AuditOutcome::Done,
                1 => AuditOutcome::Refused,
                _ => {
                    return Err(Fault::damaged("audit", n, "its outcome is not known to this version"));
                }
            },
            detail: row.get(10)?,
        },
        hash: array(row, 11)?,
    })
}

fn head_fields(n: i64, head: &ChainHead) -> Fields {
    let ChainHead { writer, epoch, sequence, hash } = head;
    let mut fields = Fields::row("chain", n);
    fields.octets(writer).number(*epoch).number(*sequence).octets(hash);
    fields
}
