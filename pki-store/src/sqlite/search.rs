//! Lists of certificates: which index leads, and pages.

use core::fmt::Write as _;

use pki_core::time::UnixTime;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::bucket::{self, Trait, Wanted};
use super::certificate::{COLUMNS, JOINS};
use super::fault::Fault;
use super::session::{Session, seconds};
use crate::certificate::{CertificateFilter, CertificateRow, CertificateStatus};
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
    /// Names and keys, in these buckets.
    Terms(Vec<Wanted>, Narrowed),
    /// These buckets, by their rows.
    Buckets(Narrowed),
    /// The revocation log.
    Revocations,
    /// The index of reserved rows.
    Reserved,
}

/// The buckets, or the rows, that can still be what is searched for.
#[derive(Default)]
struct Narrowed {
    /// In order; `None` until something narrows them.
    known: Option<Vec<i64>>,
}

impl Narrowed {
    fn narrow(&mut self, to: Vec<i64>) {
        self.known = Some(match self.known.take() {
            None => to,
            Some(known) => known.into_iter().filter(|each| to.binary_search(each).is_ok()).collect(),
        });
    }
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
            Lead::Terms(wanted, buckets) => self.by_terms(&wanted, &buckets, &conditions, page, limit + 1)?,
            Lead::Revocations => {
                let from = "revocation w CROSS JOIN certificate c ON c.n = w.certificate";
                self.by_row(from, "w.certificate", &conditions, page, limit + 1)?
            }
            Lead::Reserved => {
                let from = "certificate c INDEXED BY certificate_reserved";
                self.by_row(from, "c.n", &conditions, page, limit + 1)?
            }
            Lead::Buckets(Narrowed { known: None }) => {
                self.by_row("certificate c", "c.n", &conditions, page, limit + 1)?
            }
            Lead::Buckets(buckets) => self.by_bucket(&buckets, &conditions, page, limit + 1)?,
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
        let CertificateFilter {
            mount,
            authority,
            issuer,
            role,
            requester,
            name,
            key_digest,
            status,
            expires_by,
        } = filter;
        let mut conditions = Conditions::default();
        let mut buckets = Narrowed::default();
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
            buckets.narrow(self.buckets_with(Trait::expiry(now), Trait::expiry(*by))?);
        }
        if let Some(issuer) = issuer {
            let Ok(n) = self.issuer_number(*issuer) else {
                return Ok(None);
            };
            conditions.and("c.issuer = ?", [n.into()]);
            buckets.narrow(self.buckets_with(Trait::Issuer(n), Trait::Issuer(n))?);
        }
        if let Some(role) = role {
            let Ok(n) = self.role_number(*role) else {
                return Ok(None);
            };
            conditions.and("c.role = ?", [n.into()]);
            buckets.narrow(self.buckets_with(Trait::Role(n), Trait::Role(n))?);
        }
        match status {
            None => {}
            Some(CertificateStatus::Valid) => {
                conditions.and("v.n IS NULL AND c.state = 1 AND c.not_after >= ?", [seconds(now).into()]);
                buckets.narrow(self.buckets_with(Trait::expiry(now), Trait::Expiry(i64::MAX))?);
            }
            Some(CertificateStatus::Expired) => {
                conditions.and("v.n IS NULL AND c.not_after < ?", [seconds(now).into()]);
                buckets.narrow(self.buckets_with(Trait::Expiry(0), Trait::expiry(now))?);
            }
            Some(CertificateStatus::Revoked) => conditions.and("v.n IS NOT NULL", []),
            Some(CertificateStatus::Reserved) => {
                conditions.and("v.n IS NULL AND c.state = 0 AND c.not_after >= ?", [seconds(now).into()]);
            }
        }
        let key = key_digest.map(|digest| {
            conditions.and("c.key_digest = ?", [digest.to_vec().into()]);
            Wanted::Key(digest)
        });
        let wanted: Vec<Wanted> = name.clone().map(Wanted::Name).into_iter().chain(key).collect();
        let lead = match status {
            _ if !wanted.is_empty() => Lead::Terms(wanted, buckets),
            Some(CertificateStatus::Revoked) => Lead::Revocations,
            Some(CertificateStatus::Reserved) => Lead::Reserved,
            _ => Lead::Buckets(buckets),
        };
        Ok(Some((lead, conditions)))
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

    /// A bucket after the other, each by its rows.
    fn by_bucket(
        &self,
        buckets: &Narrowed,
        conditions: &Conditions,
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<CertificateRow>, Fault> {
        let (compare, direction, start) = bounds(page);
        let sql = format!(
            "SELECT {COLUMNS} FROM certificate c {JOINS} WHERE c.n BETWEEN ? AND ? AND c.n {compare} ?{} \
             ORDER BY c.n {direction} LIMIT ?",
            conditions.sql
        );
        let mut items = Vec::new();
        for bucket in self.buckets(buckets, page)?.0 {
            let (first, last) = bucket::rows(bucket);
            let wanted = limit - items.len();
            let values = [Value::from(first), Value::from(last), Value::from(start)]
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

    /// A bucket after the other, each by its names and keys; what matches them all.
    fn by_terms(
        &self,
        wanted: &[Wanted],
        buckets: &Narrowed,
        conditions: &Conditions,
        page: PageRequest,
        limit: usize,
    ) -> Result<Vec<CertificateRow>, Fault> {
        let (_, _, start) = bounds(page);
        let by_number =
            format!("SELECT {COLUMNS} FROM certificate c {JOINS} WHERE c.n = ?{}", conditions.sql);
        let mut items = Vec::new();
        let (buckets, last) = self.buckets(buckets, page)?;
        for bucket in buckets {
            let mut found = Narrowed::default();
            for wanted in wanted {
                found.narrow(self.rows_with(bucket, last, wanted)?);
            }
            let mut numbers = found.known.unwrap_or_default();
            match page.order {
                Order::NewestFirst => {
                    numbers.retain(|n| *n < start);
                    numbers.reverse();
                }
                Order::OldestFirst => numbers.retain(|n| *n > start),
            }
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

    /// The buckets that a page may touch, in its order, and the last row of all.
    fn buckets(&self, buckets: &Narrowed, page: PageRequest) -> Result<(Vec<i64>, i64), Fault> {
        let last = self.next_number("certificate")? - 1;
        let (_, _, start) = bounds(page);
        let mut touched = match &buckets.known {
            Some(known) => known.clone(),
            None => (0..=bucket::of(last)).collect(),
        };
        match page.order {
            Order::NewestFirst => {
                touched.retain(|bucket| *bucket <= bucket::of(start));
                touched.reverse();
            }
            Order::OldestFirst => touched.retain(|bucket| *bucket >= bucket::of(start)),
        }
        Ok((touched, last))
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
