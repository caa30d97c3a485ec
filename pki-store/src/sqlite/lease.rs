//! Leases: a row each; paths and terms, which many share, have tables of their own.

use pki_core::time::UnixTime;
use rusqlite::{OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::search::bounds;
use super::session::{Session, array, integer, natural, optional_time, seconds, time};
use crate::batch::Outcome;
use crate::error::{Conflict, Noun};
use crate::fields::Fields;
use crate::id::MountId;
use crate::lease::{
    Backoff, DueLeases, Heartbeat, LeaseCause, LeaseClaim, LeaseId, LeaseRecord, LeaseRevocation,
    LeaseSelection, LeaseState, LeaseStateName, NewLease,
};
use crate::page::{Cursor, Order, Page, PageRequest};

const SELECT: &str = "SELECT l.n, p.n, t.n, m.id, p.path, l.last_part, t.terms, l.subject, l.issued_at, \
    l.expires_at, l.renewed_at, l.activation, l.state, l.frozen_state, l.holder, l.fence, l.worker, l.claimed_until, \
    l.cause, l.since, l.failures, l.last_attempt, l.next_attempt, l.last_error, l.ended_at, l.mac, t.mac \
    FROM lease l CROSS JOIN lease_path p ON p.n = l.path CROSS JOIN lease_terms t ON t.n = l.terms \
    CROSS JOIN mount m ON m.n = l.mount";

/// A lease with the numbers of its row, its path and its terms.
struct Numbered {
    n: i64,
    path: i64,
    terms: i64,
    lease: LeaseRecord,
}

impl Session {
    pub(crate) fn lease(&self, id: &LeaseId) -> Result<Option<LeaseRecord>, Fault> {
        Ok(self.numbered_lease(id)?.map(|found| found.lease))
    }

    pub(crate) fn leases(
        &self,
        prefix: &str,
        state: Option<LeaseStateName>,
        page: PageRequest,
    ) -> Result<Page<LeaseRecord>, Fault> {
        let limit = page.limit.clamp(1, PageRequest::LIMIT);
        let states = state.map_or_else(|| LeaseStateName::ALL.to_vec(), |state| vec![state]);
        let mut numbers = self.lease_numbers(prefix, &states, page, limit + 1)?;
        let more = numbers.len() > limit;
        numbers.truncate(limit);
        let next = numbers.last().and_then(|last| u64::try_from(*last).ok()).map(Cursor).filter(|_| more);
        let mut items = Vec::with_capacity(numbers.len());
        for n in numbers {
            items.extend(self.lease_at(n)?.map(|found| found.lease));
        }
        Ok(Page { items, next })
    }

    pub(crate) fn next_due_lease(&self) -> Result<Option<UnixTime>, Fault> {
        let sql = "SELECT due_at FROM lease WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1";
        self.one(sql, [], |row| time(row, 0))
    }

    pub(crate) fn reserve_lease(&mut self, new: &NewLease, at: UnixTime) -> Result<Outcome, Fault> {
        let (mount, _) = self.open_mount(new.mount)?;
        let sql = "SELECT 1 FROM lease WHERE last_part = ?1";
        if self.one(sql, [new.id.unique()], |_| Ok(()))?.is_some() {
            return Err(Conflict::IdTaken.into());
        }
        let path = self.path_number(new.id.path())?;
        let terms = self.terms_number(&new.terms)?;
        let n = self.next_number("lease")?;
        let lease = LeaseRecord::pending(new, at);
        let LeaseState::Pending { holder } = lease.state else { return Err(Conflict::IdTaken.into()) };
        self.run(
            "INSERT INTO lease (n, path, last_part, mount, terms, subject, issued_at, expires_at, state, holder, \
             fence, due_at, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                n,
                path,
                new.id.unique(),
                mount,
                terms,
                lease.subject,
                seconds(lease.issued_at),
                seconds(lease.expires_at),
                lease.state.name().code(),
                holder.cast_signed(),
                integer(lease.fence),
                lease.claimable_at().map(seconds),
                self.code(&lease.fields(n, path, terms)),
            ],
        )?;
        Ok(Outcome::Lease { fence: lease.fence })
    }

    /// One transition of one lease.
    pub(crate) fn change_lease(
        &self,
        id: &LeaseId,
        change: impl FnOnce(&mut LeaseRecord) -> Result<(), Conflict>,
    ) -> Result<Outcome, Fault> {
        let mut found = self.known_lease(id)?;
        change(&mut found.lease)?;
        self.update_lease(&found)?;
        Ok(Outcome::Lease { fence: found.lease.fence })
    }

    /// The same transition of one lease, or of those below a prefix in states that allow it.
    pub(crate) fn change_leases(
        &self,
        leases: &LeaseSelection,
        states: &[LeaseStateName],
        change: impl Fn(&mut LeaseRecord) -> Result<(), Conflict>,
    ) -> Result<Outcome, Fault> {
        let selected = match leases {
            LeaseSelection::One(id) => vec![self.known_lease(id)?],
            LeaseSelection::Prefix { prefix, limit } => {
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
                let numbers = self.lease_numbers(prefix, states, OLDEST, limit)?;
                let mut selected = Vec::with_capacity(numbers.len());
                for n in numbers {
                    selected.extend(self.lease_at(n)?);
                }
                selected
            }
        };
        let mut changed = 0;
        for mut found in selected {
            let before = found.lease.clone();
            change(&mut found.lease)?;
            if found.lease != before {
                self.update_lease(&found)?;
                changed += 1;
            }
        }
        Ok(Outcome::Leases { changed })
    }

    pub(crate) fn claim_due(
        &self,
        due: &DueLeases,
        worker: u64,
        until: UnixTime,
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        let mut claimed = Vec::new();
        for n in self.due_numbers(due, at)? {
            let Some(mut found) = self.lease_at(n)? else { continue };
            found.lease.claim(worker, until);
            self.update_lease(&found)?;
            claimed.push((found.lease.id, found.lease.fence));
        }
        Ok(Outcome::Claimed(claimed))
    }

    pub(crate) fn forget_leases(&self, ended_before: UnixTime, limit: u32) -> Result<Outcome, Fault> {
        let changed = self.run(
            "DELETE FROM lease WHERE n IN (SELECT n FROM lease INDEXED BY lease_ended \
             WHERE ended_at < ?1 ORDER BY ended_at, n LIMIT ?2)",
            params![seconds(ended_before), limit],
        )?;
        Ok(Outcome::Leases { changed: changed as u64 })
    }

    pub(crate) fn beat(&self, name: &str, until: UnixTime, at: UnixTime) -> Result<Outcome, Fault> {
        let beat = Heartbeat { name: name.to_owned(), at, until };
        let n = match self.one("SELECT n FROM heartbeat WHERE name = ?1", [name], |row| Ok(row.get(0)?))? {
            Some(n) => n,
            None => self.next_number("heartbeat")?,
        };
        self.write(
            "heartbeat",
            "n, name, at, until, mac",
            params![n, name, seconds(at), seconds(until), self.code(&beat_fields(n, &beat))],
        )?;
        Ok(Outcome::Done)
    }

    pub(crate) fn heartbeat(&self, name: &str) -> Result<Option<Heartbeat>, Fault> {
        self.one("SELECT n, at, until, mac FROM heartbeat WHERE name = ?1", [name], |row| {
            let n: i64 = row.get(0)?;
            let beat = Heartbeat { name: name.to_owned(), at: time(row, 1)?, until: time(row, 2)? };
            let code = row.get_ref(3)?.as_blob().unwrap_or_default();
            self.check("heartbeat", n, &beat_fields(n, &beat), code)?;
            Ok(beat)
        })
    }

    /// What can be claimed, the longest overdue first; then what a clock that jumped back, or a back-off that is to be
    /// ignored, would hide.
    fn due_numbers(&self, due: &DueLeases, at: UnixTime) -> Result<Vec<i64>, Fault> {
        let limit = usize::try_from(due.limit).unwrap_or(usize::MAX);
        let now = seconds(at);
        let mut numbers = Vec::new();
        for (sql, wanted) in [
            ("INDEXED BY lease_due", "l.due_at <= ?1 ORDER BY l.due_at, l.n"),
            ("INDEXED BY lease_attempted", "l.attempted_at > ?1 ORDER BY l.due_at, l.n"),
            (
                "INDEXED BY lease_due",
                "l.due_at > ?1 AND l.state = 2 AND coalesce(l.claimed_until, 0) <= ?1 ORDER BY l.due_at, l.n",
            ),
        ]
        .into_iter()
        .take(if due.backoff == Backoff::Ignore { 3 } else { 2 })
        {
            let sql = format!(
                "SELECT l.n, p.path, l.last_part FROM lease l {sql} CROSS JOIN lease_path p ON p.n = l.path WHERE {wanted}"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([now])?;
            while numbers.len() < limit
                && let Some(row) = rows.next()?
            {
                let (n, id) = (row.get(0)?, LeaseId::from_parts(row.get(1)?, row.get(2)?));
                if id.begins_with(&due.prefix) && !numbers.contains(&n) {
                    numbers.push(n);
                }
            }
        }
        Ok(numbers)
    }

    /// The rows below a prefix in these states, in a page's order: each path and state has a part of the index, which is
    /// in that order.
    fn lease_numbers(
        &self,
        prefix: &str,
        states: &[LeaseStateName],
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<i64>, Fault> {
        let (compare, direction, start) = bounds(page);
        let sql = format!(
            "SELECT n FROM lease INDEXED BY lease_path_state WHERE path = ?1 AND state = ?2 AND n {compare} ?3 \
             AND substr(last_part, 1, length(?4)) = ?4 ORDER BY n {direction} LIMIT ?5"
        );
        let paths: Vec<(i64, String)> =
            self.all("SELECT n, path FROM lease_path ORDER BY path", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut numbers: Vec<i64> = Vec::new();
        for (path_n, path) in &paths {
            let Some(rest) = LeaseId::rest_below(prefix, path) else { continue };
            for state in states {
                let values = params![path_n, state.code(), start, rest, wanted];
                numbers.extend(self.all(&sql, values, |row| Ok(row.get::<_, i64>(0)?))?);
            }
        }
        numbers.sort_unstable();
        if page.order == Order::NewestFirst {
            numbers.reverse();
        }
        numbers.truncate(limit);
        Ok(numbers)
    }

    fn numbered_lease(&self, id: &LeaseId) -> Result<Option<Numbered>, Fault> {
        let sql = format!("{SELECT} WHERE l.last_part = ?1 AND p.path = ?2");
        self.one(&sql, [id.unique(), id.path()], |row| self.decode_lease(row))
    }

    fn known_lease(&self, id: &LeaseId) -> Result<Numbered, Fault> {
        self.numbered_lease(id)?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Lease, name: id.to_string() }.into())
    }

    fn lease_at(&self, n: i64) -> Result<Option<Numbered>, Fault> {
        self.one(&format!("{SELECT} WHERE l.n = ?1"), [n], |row| self.decode_lease(row))
    }

    fn path_number(&self, path: &str) -> Result<i64, Fault> {
        let sql = "SELECT n FROM lease_path WHERE path = ?1";
        if let Some(n) = self.one(sql, [path], |row| Ok(row.get(0)?))? {
            return Ok(n);
        }
        let n = self.next_number("lease_path")?;
        self.run("INSERT INTO lease_path (n, path) VALUES (?1, ?2)", params![n, path])?;
        Ok(n)
    }

    fn terms_number(&self, terms: &[u8]) -> Result<i64, Fault> {
        let digest: [u8; 32] = Sha256::digest(terms).into();
        let sql = "SELECT n FROM lease_terms WHERE digest = ?1";
        if let Some(n) =
            self.connection.prepare_cached(sql)?.query_row([digest], |row| row.get(0)).optional()?
        {
            return Ok(n);
        }
        let n = self.next_number("lease_terms")?;
        let code = self.code(&terms_fields(n, terms));
        let sql = "INSERT INTO lease_terms (n, digest, terms, mac) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, params![n, digest, terms, code])?;
        Ok(n)
    }

    /// Everything that a transition can change.
    fn update_lease(&self, found: &Numbered) -> Result<(), Fault> {
        let Numbered { n, path, terms, lease } = found;
        let innermost = match &lease.state {
            LeaseState::Frozen(before) => before.as_ref(),
            state => state,
        };
        let frozen = matches!(lease.state, LeaseState::Frozen(_)).then(|| innermost.name().code());
        let holder = if let LeaseState::Pending { holder } = innermost { Some(*holder) } else { None };
        let revocation =
            if let LeaseState::Revoking(revocation) = innermost { Some(revocation) } else { None };
        let ended = if let LeaseState::Revoked { at } = innermost { Some(*at) } else { None };
        self.run(
            "UPDATE lease SET expires_at = ?2, renewed_at = ?3, activation = ?4, state = ?5, frozen_state = ?6, \
             holder = ?7, fence = ?8, worker = ?9, claimed_until = ?10, cause = ?11, since = ?12, failures = ?13, \
             last_attempt = ?14, next_attempt = ?15, last_error = ?16, ended_at = ?17, due_at = ?18, \
             attempted_at = ?19, mac = ?20 WHERE n = ?1",
            params![
                n,
                seconds(lease.expires_at),
                lease.renewed_at.map(seconds),
                lease.activation.map(u64::cast_signed),
                lease.state.name().code(),
                frozen,
                holder.map(u64::cast_signed),
                integer(lease.fence),
                lease.claim.map(|claim| claim.worker.cast_signed()),
                lease.claim.map(|claim| seconds(claim.until)),
                revocation.map(|revocation| revocation.cause.code()),
                revocation.map(|revocation| seconds(revocation.since)),
                revocation.map(|revocation| revocation.failures),
                revocation.and_then(|revocation| revocation.last_attempt).map(seconds),
                revocation.map(|revocation| seconds(revocation.next_attempt)),
                revocation.and_then(|revocation| revocation.last_error.as_ref()),
                ended.map(seconds),
                lease.claimable_at().map(seconds),
                lease.last_attempt().map(seconds),
                self.code(&lease.fields(*n, *path, *terms)),
            ],
        )?;
        Ok(())
    }

    fn decode_lease(&self, row: &Row<'_>) -> Result<Numbered, Fault> {
        let (n, path, terms_n): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let damaged = |fault| Fault::damaged("lease", n, fault);
        let code: i64 = row.get(12)?;
        let state = match row.get::<_, Option<i64>>(13)? {
            None => decode_state(row, code)?,
            Some(before) if code == LeaseStateName::Frozen.code() => {
                decode_state(row, before)?.map(|before| LeaseState::Frozen(Box::new(before)))
            }
            Some(_) => None,
        };
        let claim = match (row.get::<_, Option<i64>>(16)?, optional_time(row, 17)?) {
            (Some(worker), Some(until)) => Some(LeaseClaim { worker: worker.cast_unsigned(), until }),
            _ => None,
        };
        let lease = LeaseRecord {
            id: LeaseId::from_parts(row.get(4)?, row.get(5)?),
            mount: MountId::from_bytes(array(row, 3)?),
            terms: row.get(6)?,
            subject: row.get(7)?,
            issued_at: time(row, 8)?,
            expires_at: time(row, 9)?,
            renewed_at: optional_time(row, 10)?,
            activation: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
            state: state.ok_or_else(|| damaged("its state is not known to this version"))?,
            fence: natural(row, 15)?,
            claim,
        };
        let code = row.get_ref(25)?.as_blob().unwrap_or_default();
        self.check("lease", n, &lease.fields(n, path, terms_n), code)?;
        let code = row.get_ref(26)?.as_blob().unwrap_or_default();
        self.check("lease_terms", terms_n, &terms_fields(terms_n, &lease.terms), code)?;
        Ok(Numbered { n, path, terms: terms_n, lease })
    }
}

/// Every lease, the oldest first.
const OLDEST: PageRequest = PageRequest { after: None, limit: PageRequest::LIMIT, order: Order::OldestFirst };

/// `None` for a state that is not known, or not complete.
fn decode_state(row: &Row<'_>, code: i64) -> Result<Option<LeaseState>, Fault> {
    Ok(match code {
        0 => row
            .get::<_, Option<i64>>(14)?
            .map(|holder| LeaseState::Pending { holder: holder.cast_unsigned() }),
        1 => Some(LeaseState::Active),
        2 => {
            let cause = row.get::<_, Option<i64>>(18)?.and_then(LeaseCause::from_code);
            match (cause, optional_time(row, 19)?, optional_time(row, 22)?) {
                (Some(cause), Some(since), Some(next_attempt)) => {
                    Some(LeaseState::Revoking(LeaseRevocation {
                        cause,
                        since,
                        failures: row.get(20)?,
                        last_attempt: optional_time(row, 21)?,
                        next_attempt,
                        last_error: row.get(23)?,
                    }))
                }
                _ => None,
            }
        }
        3 => optional_time(row, 24)?.map(|at| LeaseState::Revoked { at }),
        _ => None,
    })
}

fn terms_fields(n: i64, terms: &[u8]) -> Fields {
    let mut fields = Fields::row("lease_terms", n);
    fields.octets(terms);
    fields
}

fn beat_fields(n: i64, beat: &Heartbeat) -> Fields {
    let Heartbeat { name, at, until } = beat;
    let mut fields = Fields::row("heartbeat", n);
    fields.text(name).time(*at).time(*until);
    fields
}
