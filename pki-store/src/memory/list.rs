//! Questions to the collections.

use pki_core::authority::AuthorityId;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use super::apply::same;
use super::{Deletable, State};
use crate::audit::{AuditFilter, AuditRow};
use crate::certificate::{CertificateFilter, CertificateRow, StoredCertificate};
use crate::id::{IssuerId, MountId};
use crate::issuer::{IssuerMatch, IssuerRecord};
use crate::key::{KeyMatch, KeyRecord};
use crate::page::{Cursor, Order, Page, PageRequest};
use crate::revocation::Revocation;
use crate::role::RoleRecord;

impl State {
    pub(super) fn issuers(&self, mount: MountId) -> Vec<IssuerRecord> {
        self.issuers
            .iter()
            .filter_map(Deletable::present)
            .filter(|issuer| issuer.mount == mount)
            .map(|issuer| self.with_crl_signing(issuer))
            .collect()
    }

    pub(super) fn issuer_page(&self, mount: MountId, page: PageRequest) -> Page<IssuerRecord> {
        let numbered = (1_u64..).zip(&self.issuers).filter_map(|(n, slot)| {
            let issuer = slot.present().filter(|issuer| issuer.mount == mount)?;
            Some((n, issuer))
        });
        let numbered: Vec<(u64, &IssuerRecord)> = numbered.collect();
        let Page { items, next } = pages(numbered.into_iter(), page, |(n, _)| *n);
        Page { items: items.into_iter().map(|(_, issuer)| self.with_crl_signing(issuer)).collect(), next }
    }

    pub(super) fn issuers_matching(&self, wanted: &IssuerMatch) -> Vec<IssuerRecord> {
        let fits = |issuer: &&IssuerRecord| {
            self.authorities
                .iter()
                .find(|authority| authority.id == issuer.authority)
                .is_some_and(|authority| wanted.fits(&issuer.certificate, authority))
        };
        let present = self.issuers.iter().filter_map(Deletable::present).filter(fits);
        present.map(|issuer| self.with_crl_signing(issuer)).collect()
    }

    pub(super) fn key_matching(&self, mount: MountId, wanted: &KeyMatch) -> Option<KeyRecord> {
        let fits = |key: &&KeyRecord| match wanted {
            KeyMatch::Name(name) => same(key.name.as_ref(), name),
            KeyMatch::PublicKey(public_key) => key.public_key == *public_key,
            KeyMatch::PendingIssuerName(name) => same(key.pending_issuer_name.as_ref(), name),
        };
        self.keys.iter().filter(|key| key.mount == mount).find(fits).cloned()
    }

    pub(super) fn issuer(&self, id: IssuerId) -> Option<IssuerRecord> {
        self.issuers
            .iter()
            .filter_map(Deletable::present)
            .find(|issuer| issuer.id == id)
            .map(|issuer| self.with_crl_signing(issuer))
    }

    pub(super) fn issuer_by_name(&self, mount: MountId, name: &str) -> Option<IssuerRecord> {
        self.issuers(mount).into_iter().find(|issuer| same(issuer.name.as_ref(), name))
    }

    fn with_crl_signing(&self, issuer: &IssuerRecord) -> IssuerRecord {
        let mut issuer = issuer.clone();
        if let Some(authority) = self.authorities.iter().find(|authority| authority.id == issuer.authority) {
            issuer.crl_signing = authority.crl_signing(issuer.key, issuer.mount);
        }
        issuer
    }

    pub(super) fn role(&self, mount: MountId, name: &str) -> Option<&RoleRecord> {
        self.roles
            .iter()
            .filter_map(Deletable::present)
            .find(|role| role.mount == mount && role.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn revocation(&self, authority: AuthorityId, serial: SerialNumber) -> Option<Revocation> {
        self.revocations.get(self.revoked.get(&(authority, serial))?).copied()
    }

    pub(super) fn certificate(
        &self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Option<StoredCertificate> {
        let mut stored = self.certificates.get(self.serials.get(&(authority, serial))?)?.clone();
        stored.row.revocation = self.revocation(authority, serial);
        Some(stored)
    }

    pub(super) fn certificates(
        &self,
        filter: &CertificateFilter,
        page: PageRequest,
        now: UnixTime,
    ) -> Page<CertificateRow> {
        let rows = self.certificates.values().map(|stored| {
            let mut row = stored.row.clone();
            row.revocation = self.revocation(row.record.authority, row.record.serial);
            row
        });
        pages(rows.filter(|row| matches(row, filter, now)), page, |row| row.id)
    }

    pub(super) fn audit_page(&self, filter: &AuditFilter, page: PageRequest) -> Page<AuditRow> {
        let AuditFilter { mount, requester, operation, serial, outcome, since } = filter;
        let rows = self.audit.iter().filter(|row| {
            let entry = &row.entry;
            mount.is_none_or(|mount| entry.mount == Some(mount))
                && requester.as_ref().is_none_or(|requester| entry.requester == *requester)
                && operation.as_ref().is_none_or(|operation| entry.operation.starts_with(operation))
                && serial.is_none_or(|serial| entry.serial == Some(serial))
                && outcome.is_none_or(|outcome| entry.outcome == outcome)
                && since.is_none_or(|since| entry.at >= since)
        });
        pages(rows.cloned(), page, |row| row.sequence)
    }
}

fn matches(row: &CertificateRow, filter: &CertificateFilter, now: UnixTime) -> bool {
    let CertificateFilter { mount, authority, issuer, role, requester, name, key_digest, status, expires_by } =
        filter;
    let record = &row.record;
    mount.is_none_or(|mount| record.mount == mount)
        && authority.is_none_or(|authority| record.authority == authority)
        && issuer.is_none_or(|issuer| record.issuer == issuer)
        && role.is_none_or(|role| record.role.is_some_and(|present| present.id == role))
        && requester.as_ref().is_none_or(|requester| record.requester == *requester)
        && name.as_ref().is_none_or(|name| {
            record.common_name.iter().chain(&record.names).any(|present| name.fits(present))
        })
        && key_digest.is_none_or(|digest| record.key_digest == digest)
        && status.is_none_or(|status| row.status(now) == status)
        && expires_by.is_none_or(|by| record.not_after >= now && record.not_after <= by)
}

/// One page of what comes oldest first.
pub(super) fn pages<T>(
    items: impl DoubleEndedIterator<Item = T>,
    page: PageRequest,
    id: impl Fn(&T) -> u64,
) -> Page<T> {
    let limit = page.limit.clamp(1, PageRequest::LIMIT);
    let after = page.after.map(|cursor| cursor.0);
    let mut items: Vec<T> = match page.order {
        Order::NewestFirst => {
            items.rev().filter(|item| after.is_none_or(|after| id(item) < after)).take(limit + 1).collect()
        }
        Order::OldestFirst => {
            items.filter(|item| after.is_none_or(|after| id(item) > after)).take(limit + 1).collect()
        }
    };
    let next = if items.len() > limit {
        items.truncate(limit);
        items.last().map(|last| Cursor(id(last)))
    } else {
        None
    };
    Page { items, next }
}
