//! The store in memory: for tests, rehearsals, and programs that keep nothing.
//!
//! The same operations with the same preconditions, over plain collections. It seals nothing and codes no row,
//! since nothing leaves the process; the audit log is chained all the same.

mod apply;
mod lease;
mod list;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pki_core::authority::AuthorityId;
use pki_core::random::SecureRandom;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use zeroize::Zeroizing;

use crate::account::{AccountKind, AccountRecord};
use crate::audit::{AuditFilter, AuditReport, AuditRow, ChainHead};
use crate::batch::{Batch, BatchId, Committed, Outcome};
use crate::certificate::{CertificateFilter, CertificateRow, StoredCertificate};
use crate::config::ConfigRecord;
use crate::crl::{CrlRecord, CrlScope};
use crate::envelope::{Envelope, Keyring, Place};
use crate::error::StoreError;
use crate::id::{IssuerId, KeyId, MountId, RoleId, StoreId};
use crate::issuer::{AuthorityRecord, IssuerMatch, IssuerRecord};
use crate::key::{KeyMatch, KeyRecord};
use crate::lease::{Heartbeat, LeaseId, LeaseRecord, LeaseStateName};
use crate::mount::{Mount, MountKind, NewMount};
use crate::page::{Page, PageRequest};
use crate::revocation::Revocation;
use crate::role::RoleRecord;
use crate::store::Store;

/// A store in memory. Clones share their content.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    keys: Arc<Keyring>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// A store with the mounts `pki` and `database`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Random`].
    pub fn init(rng: &mut dyn SecureRandom, now: UnixTime) -> Result<Self, StoreError> {
        let mut state = State::default();
        for (name, kind) in [("pki", MountKind::Pki), ("database", MountKind::Database)] {
            state.create_mount(&NewMount::new(MountId::random(rng)?, name, kind), now)?;
        }
        let keys = Arc::new(Keyring::plain(StoreId::random(rng)?));
        Ok(Self { keys, state: Arc::new(Mutex::new(state)) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    mounts: Vec<Mount>,
    keys: Vec<KeyRecord>,
    /// With those that were deleted, since certificates refer to them.
    issuers: Vec<Deletable<IssuerRecord>>,
    authorities: Vec<AuthorityRecord>,
    roles: Vec<Deletable<RoleRecord>>,
    role_history: Vec<RoleRecord>,
    config: BTreeMap<(MountId, String), ConfigRecord>,
    certificates: BTreeMap<u64, StoredCertificate>,
    serials: BTreeMap<(AuthorityId, SerialNumber), u64>,
    revocations: BTreeMap<u64, Revocation>,
    revoked: BTreeMap<(AuthorityId, SerialNumber), u64>,
    crls: BTreeMap<(AuthorityId, CrlScope), CrlRecord>,
    leases: lease::Leases,
    accounts: Vec<AccountRecord>,
    heartbeats: BTreeMap<String, Heartbeat>,
    audit: Vec<AuditRow>,
    outcomes: BTreeMap<BatchId, Vec<Outcome>>,
}

#[derive(Clone, Debug)]
struct Deletable<T> {
    record: T,
    deleted: bool,
}

impl<T> Deletable<T> {
    const fn present(&self) -> Option<&T> {
        if self.deleted { None } else { Some(&self.record) }
    }
}

impl State {
    fn head(&self) -> ChainHead {
        let (sequence, hash) = self.audit.last().map_or((0, [0; 32]), |row| (row.sequence, row.hash));
        ChainHead { writer: [0; 16], epoch: 1, sequence, hash }
    }

    fn commit(&mut self, keys: &Keyring, batch: &Batch) -> Result<Committed, StoreError> {
        if let Some(outcomes) = self.outcomes.get(&batch.id) {
            return Ok(Committed { outcomes: outcomes.clone(), repeated: true });
        }
        // An operation looks before it writes; only several need something to go back to.
        let before = (batch.ops.len() > 1).then(|| self.clone());
        let outcomes: Result<Vec<Outcome>, _> = batch.ops.iter().map(|op| self.apply(op, batch.at)).collect();
        let outcomes = match (outcomes, before) {
            (Ok(outcomes), _) => outcomes,
            (Err(conflict), before) => {
                if let Some(before) = before {
                    *self = before;
                }
                return Err(conflict.into());
            }
        };
        for entry in &batch.audit {
            let head = self.head();
            let sequence = head.sequence + 1;
            let hash = keys.chain.digest(&head.hash, entry.fields(sequence, head.epoch).as_bytes());
            self.audit.push(AuditRow { sequence, epoch: head.epoch, entry: entry.clone(), hash });
        }
        self.outcomes.insert(batch.id, outcomes.clone());
        Ok(Committed { outcomes, repeated: false })
    }
}

impl Store for MemoryStore {
    fn id(&self) -> StoreId {
        self.keys.store
    }

    fn seal(&self, place: &Place, secret: &[u8], rng: &mut dyn SecureRandom) -> Result<Envelope, StoreError> {
        self.keys.seal(place, secret, rng)
    }

    fn unseal(&self, place: &Place, envelope: &Envelope) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.keys.unseal(place, envelope).ok_or(StoreError::Damaged {
            table: place.table,
            row: 0,
            fault: "a secret does not open: it was changed, or belongs to another row",
        })
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        self.state().commit(&self.keys, &batch)
    }

    async fn mounts(&self) -> Result<Vec<Mount>, StoreError> {
        let mut mounts: Vec<Mount> =
            self.state().mounts.iter().filter(|mount| mount.disabled_at.is_none()).cloned().collect();
        mounts.sort_by_key(|mount| mount.name.to_ascii_lowercase());
        Ok(mounts)
    }

    async fn mount(&self, name: &str) -> Result<Option<Mount>, StoreError> {
        Ok(self.state().mount(name).cloned())
    }

    async fn keys(&self, mount: MountId) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.state().keys.iter().filter(|key| key.mount == mount).cloned().collect())
    }

    async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state().keys.iter().find(|key| key.id == id).cloned())
    }

    async fn key_matching(&self, mount: MountId, wanted: &KeyMatch) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state().key_matching(mount, wanted))
    }

    async fn issuers(&self, mount: MountId) -> Result<Vec<IssuerRecord>, StoreError> {
        Ok(self.state().issuers(mount))
    }

    async fn issuer_page(&self, mount: MountId, page: PageRequest) -> Result<Page<IssuerRecord>, StoreError> {
        Ok(self.state().issuer_page(mount, page))
    }

    async fn issuers_matching(&self, wanted: &IssuerMatch) -> Result<Vec<IssuerRecord>, StoreError> {
        Ok(self.state().issuers_matching(wanted))
    }

    async fn issuer(&self, id: IssuerId) -> Result<Option<IssuerRecord>, StoreError> {
        Ok(self.state().issuer(id))
    }

    async fn issuer_by_name(&self, mount: MountId, name: &str) -> Result<Option<IssuerRecord>, StoreError> {
        Ok(self.state().issuer_by_name(mount, name))
    }

    async fn authorities(&self) -> Result<Vec<AuthorityRecord>, StoreError> {
        Ok(self.state().authorities.clone())
    }

    async fn authority(&self, id: AuthorityId) -> Result<Option<AuthorityRecord>, StoreError> {
        Ok(self.state().authorities.iter().find(|authority| authority.id == id).cloned())
    }

    async fn roles(&self, mount: MountId) -> Result<Vec<RoleRecord>, StoreError> {
        let state = self.state();
        let mut roles: Vec<RoleRecord> = state
            .roles
            .iter()
            .filter_map(Deletable::present)
            .filter(|role| role.mount == mount)
            .cloned()
            .collect();
        roles.sort_by_key(|role| role.name.to_ascii_lowercase());
        Ok(roles)
    }

    async fn role(&self, mount: MountId, name: &str) -> Result<Option<RoleRecord>, StoreError> {
        Ok(self.state().role(mount, name).cloned())
    }

    async fn role_history(&self, id: RoleId) -> Result<Vec<RoleRecord>, StoreError> {
        let state = self.state();
        let current = state.roles.iter().map(|role| &role.record);
        Ok(state.role_history.iter().chain(current).filter(|role| role.id == id).cloned().collect())
    }

    async fn config(&self, mount: MountId, key: &str) -> Result<Option<ConfigRecord>, StoreError> {
        Ok(self.state().config.get(&(mount, key.to_owned())).cloned())
    }

    async fn certificates(
        &self,
        filter: &CertificateFilter,
        page: PageRequest,
        now: UnixTime,
    ) -> Result<Page<CertificateRow>, StoreError> {
        Ok(self.state().certificates(filter, page, now))
    }

    async fn certificate(
        &self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<StoredCertificate>, StoreError> {
        Ok(self.state().certificate(authority, serial))
    }

    async fn certificates_by_serial(
        &self,
        serial: SerialNumber,
    ) -> Result<Vec<StoredCertificate>, StoreError> {
        let state = self.state();
        Ok(state.authorities.iter().filter_map(|authority| state.certificate(authority.id, serial)).collect())
    }

    async fn revocations(
        &self,
        authority: AuthorityId,
        after: u64,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Revocation>, StoreError> {
        Ok(self
            .state()
            .revocations
            .values()
            .filter(|revocation| revocation.authority == authority)
            .filter(|revocation| revocation.id > after && revocation.id <= up_to)
            .take(limit)
            .copied()
            .collect())
    }

    async fn revocation(
        &self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<Revocation>, StoreError> {
        Ok(self.state().revocation(authority, serial))
    }

    async fn crl(&self, authority: AuthorityId, scope: CrlScope) -> Result<Option<CrlRecord>, StoreError> {
        Ok(self.state().crls.get(&(authority, scope)).cloned())
    }

    async fn lease(&self, id: &LeaseId) -> Result<Option<LeaseRecord>, StoreError> {
        Ok(self.state().lease(id))
    }

    async fn leases(
        &self,
        prefix: &str,
        state: Option<LeaseStateName>,
        page: PageRequest,
    ) -> Result<Page<LeaseRecord>, StoreError> {
        Ok(self.state().leases(prefix, state, page))
    }

    async fn next_due_lease(&self) -> Result<Option<UnixTime>, StoreError> {
        Ok(self.state().next_due_lease())
    }

    async fn accounts(&self, mount: MountId, kind: AccountKind) -> Result<Vec<AccountRecord>, StoreError> {
        Ok(self.state().accounts(mount, kind))
    }

    async fn account(
        &self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
    ) -> Result<Option<AccountRecord>, StoreError> {
        Ok(self.state().account(mount, kind, name))
    }

    async fn heartbeat(&self, name: &str) -> Result<Option<Heartbeat>, StoreError> {
        Ok(self.state().heartbeat(name))
    }

    async fn audit(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditRow>, StoreError> {
        Ok(self.state().audit_page(filter, page))
    }

    async fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        let state = self.state();
        let mut report = AuditReport::start(self.keys.chain.is_keyed());
        for row in &state.audit {
            report.walk(row, |previous, fields| self.keys.chain.digest(previous, fields.as_bytes()));
        }
        report.end(&state.head());
        Ok(report)
    }
}
