//! Leases, accounts and heartbeats over plain collections.

use std::collections::BTreeMap;

use pki_core::time::UnixTime;

use super::State;
use super::list::pages;
use crate::account::{AccountKind, AccountRecord, NewAccount};
use crate::batch::{Expected, Outcome};
use crate::error::{Conflict, Noun};
use crate::id::MountId;
use crate::lease::{
    Backoff, DueLeases, Heartbeat, LeaseId, LeaseRecord, LeaseSelection, LeaseState, LeaseStateName, NewLease,
};
use crate::page::{Page, PageRequest};

/// In the order in which they were reserved.
pub(super) type Leases = BTreeMap<u64, LeaseRecord>;

type Answer = Result<Outcome, Conflict>;

impl State {
    pub(super) fn lease(&self, id: &LeaseId) -> Option<LeaseRecord> {
        self.leases.values().find(|lease| lease.id == *id).cloned()
    }

    pub(super) fn leases(
        &self,
        prefix: &str,
        state: Option<LeaseStateName>,
        page: PageRequest,
    ) -> Page<LeaseRecord> {
        let matching = self.leases.iter().filter(|(_, lease)| {
            lease.id.begins_with(prefix) && state.is_none_or(|state| lease.state.name() == state)
        });
        let Page { items, next } = pages(matching, page, |(n, _)| **n);
        Page { items: items.into_iter().map(|(_, lease)| lease.clone()).collect(), next }
    }

    pub(super) fn next_due_lease(&self) -> Option<UnixTime> {
        self.leases.values().filter_map(LeaseRecord::claimable_at).min()
    }

    pub(super) fn reserve_lease(&mut self, new: &NewLease, at: UnixTime) -> Answer {
        self.open_mount(new.mount)?;
        if self.leases.values().any(|lease| lease.id.unique() == new.id.unique()) {
            return Err(Conflict::IdTaken);
        }
        let n = self.leases.last_key_value().map_or(0, |(last, _)| *last) + 1;
        let lease = LeaseRecord::pending(new, at);
        let fence = lease.fence;
        self.leases.insert(n, lease);
        Ok(Outcome::Lease { fence })
    }

    pub(super) fn change_lease(
        &mut self,
        id: &LeaseId,
        change: impl FnOnce(&mut LeaseRecord) -> Result<(), Conflict>,
    ) -> Answer {
        let lease = self.known_lease(id)?;
        let mut next = lease.clone();
        change(&mut next)?;
        *lease = next;
        Ok(Outcome::Lease { fence: lease.fence })
    }

    pub(super) fn change_leases(
        &mut self,
        leases: &LeaseSelection,
        states: &[LeaseStateName],
        change: impl Fn(&mut LeaseRecord) -> Result<(), Conflict>,
    ) -> Answer {
        let selected: Vec<&mut LeaseRecord> = match leases {
            LeaseSelection::One(id) => vec![self.known_lease(id)?],
            LeaseSelection::Prefix { prefix, limit } => self
                .leases
                .values_mut()
                .filter(|lease| lease.id.begins_with(prefix) && states.contains(&lease.state.name()))
                .take(usize::try_from(*limit).unwrap_or(usize::MAX))
                .collect(),
        };
        let mut changed = 0;
        for lease in selected {
            let mut next = lease.clone();
            change(&mut next)?;
            changed += u64::from(next != *lease);
            *lease = next;
        }
        Ok(Outcome::Leases { changed })
    }

    pub(super) fn claim_due(
        &mut self,
        due: &DueLeases,
        worker: u64,
        until: UnixTime,
        at: UnixTime,
    ) -> Answer {
        let mut numbers: Vec<(u8, Option<UnixTime>, u64)> = Vec::new();
        for (n, lease) in &self.leases {
            let when = lease.claimable_at();
            let unclaimed = lease.claim.is_none_or(|claim| claim.until <= at);
            let is_revoking = matches!(lease.state, LeaseState::Revoking(_));
            let turn = if when.is_some_and(|when| when <= at) {
                0
            } else if lease.last_attempt().is_some_and(|last| last > at) {
                1
            } else if due.backoff == Backoff::Ignore && is_revoking && unclaimed {
                2
            } else {
                continue;
            };
            if lease.id.begins_with(&due.prefix) {
                numbers.push((turn, when, *n));
            }
        }
        numbers.sort_unstable();
        numbers.truncate(usize::try_from(due.limit).unwrap_or(usize::MAX));
        let mut claimed = Vec::new();
        for (_, _, n) in numbers {
            if let Some(lease) = self.leases.get_mut(&n) {
                lease.claim(worker, until);
                claimed.push((lease.id.clone(), lease.fence));
            }
        }
        Ok(Outcome::Claimed(claimed))
    }

    pub(super) fn forget_leases(&mut self, ended_before: UnixTime, limit: u32) -> Answer {
        let mut ended: Vec<(UnixTime, u64)> = self
            .leases
            .iter()
            .filter_map(|(n, lease)| match lease.state {
                LeaseState::Revoked { at } if at < ended_before => Some((at, *n)),
                _ => None,
            })
            .collect();
        ended.sort_unstable();
        ended.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for (_, n) in &ended {
            self.leases.remove(n);
        }
        Ok(Outcome::Leases { changed: ended.len() as u64 })
    }

    pub(super) fn beat(&mut self, name: &str, until: UnixTime, at: UnixTime) -> Answer {
        self.heartbeats.insert(name.to_owned(), Heartbeat { name: name.to_owned(), at, until });
        Ok(Outcome::Done)
    }

    pub(super) fn heartbeat(&self, name: &str) -> Option<Heartbeat> {
        self.heartbeats.get(name).cloned()
    }

    pub(super) fn accounts(&self, mount: MountId, kind: AccountKind) -> Vec<AccountRecord> {
        let mut accounts: Vec<AccountRecord> = self
            .accounts
            .iter()
            .filter(|account| account.mount == mount && account.kind == kind)
            .cloned()
            .collect();
        accounts.sort_by_key(|account| account.name.to_ascii_lowercase());
        accounts
    }

    pub(super) fn account(&self, mount: MountId, kind: AccountKind, name: &str) -> Option<AccountRecord> {
        self.accounts(mount, kind).into_iter().find(|account| account.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn put_account(&mut self, new: &NewAccount, at: UnixTime) -> Answer {
        self.open_mount(new.mount)?;
        let before = self.account(new.mount, new.kind, &new.name);
        new.expected.check(before.as_ref().map(|account| account.revision), Noun::Account, &new.name)?;
        let account = AccountRecord::written(new, before.as_ref(), at);
        if before.is_none() && self.accounts.iter().any(|present| present.id == account.id) {
            return Err(Conflict::IdTaken);
        }
        self.accounts.retain(|present| present.id != account.id);
        let revision = account.revision;
        self.accounts.push(account);
        Ok(Outcome::Revision(revision))
    }

    pub(super) fn delete_account(
        &mut self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
        expected: Expected,
    ) -> Answer {
        let present = self.account(mount, kind, name);
        expected.check(present.as_ref().map(|account| account.revision), Noun::Account, name)?;
        self.accounts.retain(|account| present.as_ref().is_none_or(|present| present.id != account.id));
        Ok(Outcome::Done)
    }

    fn known_lease(&mut self, id: &LeaseId) -> Result<&mut LeaseRecord, Conflict> {
        self.leases
            .values_mut()
            .find(|lease| lease.id == *id)
            .ok_or_else(|| Conflict::NotFound { what: Noun::Lease, name: id.to_string() })
    }
}
