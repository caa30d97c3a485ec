//! Lists of certificates: which index leads, and pages.

use core::fmt::Write as _;

use pki_core::time::UnixTime;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::certificate::{BUCKET, COLUMNS, JOINS, search_form};
use super::fault::Fault;
use super::session::{Session, seconds};
use crate::certificate::{CertificateFilter, CertificateRow, CertificateStatus, NameMatch};
use crate::page::{Cursor, Order, Page, PageRequest};

/// The conditions of a filter in SQL.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let _ = write!(self.sql, " AND {condition}");
        self.values.extend(values);
    }
}

/// What leads the search: the narrowest thing that an index knows.
enum Lead {
    /// The index of names, a bucket at a time.
    Names(NameMatch),
    /// An index in buckets, and the value in it.
    Buckets(&'static str, &'static str, i64),
    /// The revocation log.
    Revocations,
    /// The index of reserved rows.
    Reserved,
    /// The index of expiry.
    Expiry,
    /// The rows themselves.
    Rows,
}

impl Session {
    pub(crate) fn certificates(
        &mut self,
        filter: &CertificateFilter,
        page: PageRequest,
        now: UnixTime,
    ) -> Result<Page<CertificateRow>, Fault> {
        let limit = page.limit.clamp(1, PageRequest::LIMIT);
        let Some((lead, conditions)) = self.plan(filter, now)? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        // One more than asked for tells whether there is another page.
        let mut items = match lead {
            Lead::Names(name) => self.by_name(&name, &conditions, page, limit + 1)?,
            Lead::Buckets(index, column, value) => {
                self.by_bucket(index, column, value, &conditions, page, limit + 1)?
            }
            Lead::Revocations => {
                let from = "revocation w CROSS JOIN certificate c ON c.n = w.certificate";
                self.by_row(from, "w.certificate", &conditions, page, limit + 1)?
            }
            Lead::Reserved => {
                let from = "certificate c INDEXED BY certificate_reserved";
                self.by_row(from, "c.n", &conditions, page, limit + 1)?
            }
            Lead::Expiry => {
                let from = "certificate c INDEXED BY certificate_not_after";
                self.by_row(from, "c.n", &conditions, page, limit + 1)?
            }
            Lead::Rows => self.by_row("certificate c", "c.n", &conditions, page, limit + 1)?,
        };
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(|last| Cursor(last.id))
        } else {
            None
        };
        Ok(Page { items, next })
    }

    /// `None` when nothing can match, since what the filter names is not there.
    fn plan(
        &mut self,
        filter: &CertificateFilter,
        now: UnixTime,
    ) -> Result<Option<(Lead, Conditions)>, Fault> {
        let CertificateFilter { mount, authority, issuer, role, requester, name, status, expires_by } =
            filter;
        let mut conditions = Conditions::default();
        let mut lead = Lead::Rows;
        if let Some(mount) = mount {
            let Ok(n) = self.mount_number(*mount) else {
                return Ok(None);
            };
            conditions.and("c.mount = ?", [n.into()]);
        }
        if let Some(authority) = authority {
            let Ok(n) = self.authority_number(*authority) else {
                return Ok(None);
            };
            conditions.and("c.authority = ?", [n.into()]);
        }
        if let Some(requester) = requester {
            conditions.and("c.requester = ?", [requester.clone().into()]);
        }
        if let Some(by) = expires_by {
            conditions.and("c.not_after BETWEEN ? AND ?", [seconds(now).into(), seconds(*by).into()]);
            if self.few_expire(now, *by)? {
                lead = Lead::Expiry;
            }
        }
        if let Some(issuer) = issuer {
            let Ok(n) = self.issuer_number(*issuer) else {
                return Ok(None);
            };
            conditions.and("c.issuer = ?", [n.into()]);
            lead = Lead::Buckets("certificate_issuer", "issuer", n);
        }
        if let Some(role) = role {
            let Ok(n) = self.role_number(*role) else {
                return Ok(None);
            };
            conditions.and("c.role = ?", [n.into()]);
            lead = Lead::Buckets("certificate_role", "role", n);
        }
        match status {
            None => {}
            Some(CertificateStatus::Valid) => {
                conditions.and("v.n IS NULL AND c.state = 1 AND c.not_after >= ?", [seconds(now).into()]);
            }
            Some(CertificateStatus::Expired) => {
                conditions.and("v.n IS NULL AND c.not_after < ?", [seconds(now).into()]);
            }
            Some(CertificateStatus::Revoked) => {
                conditions.and("v.n IS NOT NULL", []);
                lead = Lead::Revocations;
            }
            Some(CertificateStatus::Reserved) => {
                conditions.and("v.n IS NULL AND c.state = 0 AND c.not_after >= ?", [seconds(now).into()]);
                lead = Lead::Reserved;
            }
        }
        if let Some(name) = name {
            lead = Lead::Names(name.clone());
        }
        Ok(Some((lead, conditions)))
    }

    /// Whether so few certificates expire within the window that sorting them is cheaper than walking the rows.
    fn few_expire(&self, now: UnixTime, by: UnixTime) -> Result<bool, Fault> {
        const FEW: i64 = 20_000;
        let sql = "SELECT count(*) FROM (SELECT 1 FROM certificate INDEXED BY certificate_not_after \
                   WHERE not_after BETWEEN ?1 AND ?2 LIMIT ?3)";
        let values = [seconds(now), seconds(by), FEW];
        let count: i64 = self.one(sql, values, |row| Ok(row.get(0)?))?.unwrap_or(0);
        Ok(count < FEW)
    }

    /// In one statement, in the order of row numbers.
    fn by_row(
        &self,
        from: &str,
        number: &str,
        conditions: &Conditions,
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<CertificateRow>, Fault> {
        let (compare, direction, start) = bounds(page);
        let sql = format!(
            "SELECT {COLUMNS} FROM {from} {JOINS} WHERE {number} {compare} ?{} ORDER BY {number} {direction} LIMIT ?",
            conditions.sql
        );
        let values = [Value::from(start)]
            .into_iter()
            .chain(conditions.values.iter().cloned())
            .chain([Value::from(i64::try_from(limit).unwrap_or(i64::MAX))]);
        self.all(&sql, params_from_iter(values), |row| self.decode_certificate(row))
    }

    /// A bucket after the other, each by its part of the index.
    fn by_bucket(
        &self,
        index: &str,
        column: &str,
        value: i64,
        conditions: &Conditions,
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<CertificateRow>, Fault> {
        let (compare, direction, start) = bounds(page);
        let sql = format!(
            "SELECT {COLUMNS} FROM certificate c INDEXED BY {index} {JOINS} \
             WHERE c.n >> {BUCKET} = ? AND c.{column} = ? AND c.n {compare} ?{} ORDER BY c.n {direction} LIMIT ?",
            conditions.sql
        );
        let mut items = Vec::new();
        for bucket in self.buckets(page)? {
            let wanted = limit - items.len();
            let values = [Value::from(bucket), Value::from(value), Value::from(start)]
                .into_iter()
                .chain(conditions.values.iter().cloned())
                .chain([Value::from(i64::try_from(wanted).unwrap_or(i64::MAX))]);
            items.extend(self.all(&sql, params_from_iter(values), |row| self.decode_certificate(row))?);
            if items.len() >= limit {
                break;
            }
        }
        Ok(items)
    }

    fn by_name(
        &self,
        name: &NameMatch,
        conditions: &Conditions,
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<CertificateRow>, Fault> {
        let (text, condition) = match name {
            NameMatch::Exact(name) => (name, "name = ?2"),
            NameMatch::Suffix(name) => (name, "name >= ?2 AND name < ?2 || char(1114111)"),
            NameMatch::Contains(name) => (name, "instr(name, ?2) > 0"),
        };
        let (compare, direction, start) = bounds(page);
        let candidates = format!(
            "SELECT DISTINCT certificate FROM certificate_name WHERE bucket = ?1 AND {condition} \
             AND certificate {compare} ?3 ORDER BY certificate {direction}"
        );
        let by_number =
            format!("SELECT {COLUMNS} FROM certificate c {JOINS} WHERE c.n = ?{}", conditions.sql);
        let text = search_form(text);
        let mut items = Vec::new();
        for bucket in self.buckets(page)? {
            let numbers: Vec<i64> =
                self.all(&candidates, rusqlite::params![bucket, text, start], |row| Ok(row.get(0)?))?;
            for n in numbers {
                let values = [Value::from(n)].into_iter().chain(conditions.values.iter().cloned());
                let row =
                    self.one(&by_number, params_from_iter(values), |row| self.decode_certificate(row))?;
                items.extend(row);
                if items.len() >= limit {
                    return Ok(items);
                }
            }
        }
        Ok(items)
    }

    /// The buckets that a page may touch, in its order.
    fn buckets(&self, page: PageRequest) -> Result<Vec<i64>, Fault> {
        let last = (self.next_number("certificate")? - 1) >> BUCKET;
        let (_, _, start) = bounds(page);
        Ok(match page.order {
            Order::NewestFirst => (0..=last.min(start >> BUCKET)).rev().collect(),
            Order::OldestFirst => (start >> BUCKET..=last).collect(),
        })
    }
}

/// How row numbers compare with the cursor, how they are ordered, and the cursor.
pub(crate) fn bounds(page: PageRequest) -> (&'static str, &'static str, i64) {
    let after = page.after.and_then(|cursor| i64::try_from(cursor.0).ok());
    match page.order {
        Order::NewestFirst => ("<", "DESC", after.unwrap_or(i64::MAX)),
        Order::OldestFirst => (">", "ASC", after.unwrap_or(0)),
    }
}
