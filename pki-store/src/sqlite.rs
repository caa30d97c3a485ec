//! The store in a directory: SQLite.

use std::path::Path;
use std::time::Duration;

use pki_core::authority::AuthorityId;
use pki_core::random::SecureRandom;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use zeroize::Zeroizing;

use crate::audit::{AuditFilter, AuditReport, AuditRow};
use crate::batch::{Batch, Committed};
use crate::certificate::{CertificateFilter, CertificateRow, StoredCertificate};
use crate::config::ConfigRecord;
use crate::crl::{CrlRecord, CrlScope};
use crate::envelope::{Envelope, Place};
use crate::error::StoreError;
use crate::id::{IssuerId, KeyId, MountId, RoleId, StoreId};
use crate::issuer::{AuthorityRecord, IssuerRecord};
use crate::key::KeyRecord;
use crate::mount::Mount;
use crate::page::{Page, PageRequest};
use crate::revocation::Revocation;
use crate::role::RoleRecord;
use crate::seal::{NewSeal, Unseal};
use crate::store::Store;

/// Who commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Commits {
    /// The thread that asks, one batch in each transaction: for a process that commits once or twice.
    #[default]
    Inline,
    /// One writer thread, which gathers what is waiting into one transaction: for a process that lives on.
    Grouped,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Who commits.
    pub commits: Commits,
    /// How long to wait for another process.
    pub busy_timeout: Duration,
}

impl Default for Options {
    /// Inline commits, five seconds.
    fn default() -> Self {
        Self { commits: Commits::Inline, busy_timeout: Duration::from_secs(5) }
    }
}

/// A store in a directory of its own, mode 0700: `pki.db` and `seal.toml`.
#[derive(Debug)]
pub struct SqliteStore {
    id: StoreId,
}

impl SqliteStore {
    /// Makes a store in a directory that is not there or empty, with the mounts `pki` and `database`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the directory holds anything.
    pub fn init(
        directory: &Path,
        seal: NewSeal,
        options: Options,
        rng: &mut dyn SecureRandom,
        now: UnixTime,
    ) -> Result<Self, StoreError> {
        let _ = (seal, options, rng, now);
        Err(StoreError::NotFound { path: directory.into() })
    }

    /// Opens a store.
    ///
    /// # Errors
    ///
    /// Each variant of [`StoreError`] but `Conflict` and `Exists`.
    pub fn open(directory: &Path, unseal: Unseal, options: Options) -> Result<Self, StoreError> {
        let _ = (unseal, options);
        Err(StoreError::NotFound { path: directory.into() })
    }
}

const fn unfinished<T>() -> Result<T, StoreError> {
    Err(StoreError::Damaged { table: "none", row: 0, fault: "not written yet" })
}

impl Store for SqliteStore {
    fn id(&self) -> StoreId {
        self.id
    }
    fn seal(&self, _: &Place, _: &[u8], _: &mut dyn SecureRandom) -> Result<Envelope, StoreError> {
        unfinished()
    }
    fn unseal(&self, _: &Place, _: &Envelope) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        unfinished()
    }
    async fn commit(&self, _: Batch) -> Result<Committed, StoreError> {
        unfinished()
    }
    async fn mounts(&self) -> Result<Vec<Mount>, StoreError> {
        unfinished()
    }
    async fn mount(&self, _: &str) -> Result<Option<Mount>, StoreError> {
        unfinished()
    }
    async fn keys(&self, _: MountId) -> Result<Vec<KeyRecord>, StoreError> {
        unfinished()
    }
    async fn key(&self, _: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        unfinished()
    }
    async fn issuers(&self, _: MountId) -> Result<Vec<IssuerRecord>, StoreError> {
        unfinished()
    }
    async fn issuer(&self, _: IssuerId) -> Result<Option<IssuerRecord>, StoreError> {
        unfinished()
    }
    async fn issuer_by_name(&self, _: MountId, _: &str) -> Result<Option<IssuerRecord>, StoreError> {
        unfinished()
    }
    async fn authorities(&self) -> Result<Vec<AuthorityRecord>, StoreError> {
        unfinished()
    }
    async fn authority(&self, _: AuthorityId) -> Result<Option<AuthorityRecord>, StoreError> {
        unfinished()
    }
    async fn roles(&self, _: MountId) -> Result<Vec<RoleRecord>, StoreError> {
        unfinished()
    }
    async fn role(&self, _: MountId, _: &str) -> Result<Option<RoleRecord>, StoreError> {
        unfinished()
    }
    async fn role_history(&self, _: RoleId) -> Result<Vec<RoleRecord>, StoreError> {
        unfinished()
    }
    async fn config(&self, _: MountId, _: &str) -> Result<Option<ConfigRecord>, StoreError> {
        unfinished()
    }
    async fn certificates(
        &self,
        _: &CertificateFilter,
        _: PageRequest,
        _: UnixTime,
    ) -> Result<Page<CertificateRow>, StoreError> {
        unfinished()
    }
    async fn certificate(
        &self,
        _: AuthorityId,
        _: SerialNumber,
    ) -> Result<Option<StoredCertificate>, StoreError> {
        unfinished()
    }
    async fn certificates_by_serial(&self, _: SerialNumber) -> Result<Vec<StoredCertificate>, StoreError> {
        unfinished()
    }
    async fn revocations(
        &self,
        _: AuthorityId,
        _: u64,
        _: u64,
        _: usize,
    ) -> Result<Vec<Revocation>, StoreError> {
        unfinished()
    }
    async fn revocation(&self, _: AuthorityId, _: SerialNumber) -> Result<Option<Revocation>, StoreError> {
        unfinished()
    }
    async fn crl(&self, _: AuthorityId, _: CrlScope) -> Result<Option<CrlRecord>, StoreError> {
        unfinished()
    }
    async fn audit(&self, _: &AuditFilter, _: PageRequest) -> Result<Page<AuditRow>, StoreError> {
        unfinished()
    }
    async fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        unfinished()
    }
}
