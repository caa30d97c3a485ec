//! The trait: one way to write, and one method for each question.

use core::future::Future;

use pki_core::authority::AuthorityId;
use pki_core::random::SecureRandom;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use zeroize::Zeroizing;

use crate::account::{AccountKind, AccountRecord};
use crate::audit::{AuditFilter, AuditReport, AuditRow};
use crate::batch::{Batch, Committed};
use crate::certificate::{CertificateFilter, CertificateRow, StoredCertificate};
use crate::config::ConfigRecord;
use crate::crl::{CrlRecord, CrlScope};
use crate::envelope::{Envelope, Place};
use crate::error::StoreError;
use crate::id::{IssuerId, KeyId, MountId, RoleId, StoreId};
use crate::issuer::{AuthorityRecord, IssuerMatch, IssuerRecord};
use crate::key::{KeyMatch, KeyRecord};
use crate::lease::{Heartbeat, LeaseId, LeaseRecord, LeaseStateName};
use crate::mount::Mount;
use crate::page::{Page, PageRequest};
use crate::revocation::Revocation;
use crate::role::RoleRecord;

/// Shorthand for what every method of [`Store`] returns.
macro_rules! answer {
    ($t:ty) => { impl Future<Output = Result<$t, StoreError>> + Send };
}

/// Durable state. Every answer was checked against its row's code; every commit is on disk when it answers.
///
/// All errors are [`StoreError`]s; a failed precondition is [`StoreError::Conflict`]. What is asked for and not
/// there is `None` or an empty list, not an error.
pub trait Store: Send + Sync {
    /// This store's id.
    fn id(&self) -> StoreId;

    /// Seals a secret for its place. What goes into a batch is sealed already.
    ///
    /// # Errors
    ///
    /// [`StoreError::Random`].
    fn seal(&self, place: &Place, secret: &[u8], rng: &mut dyn SecureRandom) -> Result<Envelope, StoreError>;

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when the envelope was edited, or moved from elsewhere.
    fn unseal(&self, place: &Place, envelope: &Envelope) -> Result<Zeroizing<Vec<u8>>, StoreError>;

    /// Commits a batch as a whole, durably; the same id again gives the first outcome.
    fn commit(&self, batch: Batch) -> answer!(Committed);

    /// The mounts that are not disabled, by name.
    fn mounts(&self) -> answer!(Vec<Mount>);

    /// The mount of this name that is not disabled.
    fn mount(&self, name: &str) -> answer!(Option<Mount>);

    /// The mount's keys, oldest first.
    fn keys(&self, mount: MountId) -> answer!(Vec<KeyRecord>);

    /// A key.
    fn key(&self, id: KeyId) -> answer!(Option<KeyRecord>);

    /// The mount's key that matches.
    fn key_matching(&self, mount: MountId, wanted: &KeyMatch) -> answer!(Option<KeyRecord>);

    /// The mount's issuers, oldest first.
    fn issuers(&self, mount: MountId) -> answer!(Vec<IssuerRecord>);

    /// The mount's issuers in pages: where there may be thousands.
    fn issuer_page(&self, mount: MountId, page: PageRequest) -> answer!(Page<IssuerRecord>);

    /// The issuers of all mounts, also of disabled ones, that match, oldest first.
    fn issuers_matching(&self, wanted: &IssuerMatch) -> answer!(Vec<IssuerRecord>);

    /// An issuer.
    fn issuer(&self, id: IssuerId) -> answer!(Option<IssuerRecord>);

    /// The mount's issuer of this name.
    fn issuer_by_name(&self, mount: MountId, name: &str) -> answer!(Option<IssuerRecord>);

    /// All authorities of the store, oldest first.
    fn authorities(&self) -> answer!(Vec<AuthorityRecord>);

    /// An authority.
    fn authority(&self, id: AuthorityId) -> answer!(Option<AuthorityRecord>);

    /// The mount's roles, by name.
    fn roles(&self, mount: MountId) -> answer!(Vec<RoleRecord>);

    /// The mount's role of this name.
    fn role(&self, mount: MountId, name: &str) -> answer!(Option<RoleRecord>);

    /// Every revision of a role, oldest first, also when it was deleted.
    fn role_history(&self, id: RoleId) -> answer!(Vec<RoleRecord>);

    /// A document of the mount's configuration.
    fn config(&self, mount: MountId, key: &str) -> answer!(Option<ConfigRecord>);

    /// The certificates that match, in pages, without their DER.
    fn certificates(
        &self,
        filter: &CertificateFilter,
        page: PageRequest,
        now: UnixTime,
    ) -> answer!(Page<CertificateRow>);

    /// A certificate by what identifies it.
    fn certificate(&self, authority: AuthorityId, serial: SerialNumber)
    -> answer!(Option<StoredCertificate>);

    /// The certificates with this serial, of any authority: more than one only by chance or by import.
    fn certificates_by_serial(&self, serial: SerialNumber) -> answer!(Vec<StoredCertificate>);

    /// A part of the authority's revocation log: ids above `after` and up to `up_to`, at most `limit`, in order.
    fn revocations(
        &self,
        authority: AuthorityId,
        after: u64,
        up_to: u64,
        limit: usize,
    ) -> answer!(Vec<Revocation>);

    /// The revocation of one certificate.
    fn revocation(&self, authority: AuthorityId, serial: SerialNumber) -> answer!(Option<Revocation>);

    /// The published CRL.
    fn crl(&self, authority: AuthorityId, scope: CrlScope) -> answer!(Option<CrlRecord>);

    /// A lease.
    fn lease(&self, id: &LeaseId) -> answer!(Option<LeaseRecord>);

    /// The leases whose id begins so, in pages; in one state or in any.
    fn leases(
        &self,
        prefix: &str,
        state: Option<LeaseStateName>,
        page: PageRequest,
    ) -> answer!(Page<LeaseRecord>);

    /// When the next lease can be claimed: when to look again.
    fn next_due_lease(&self) -> answer!(Option<UnixTime>);

    /// The mount's accounts of a kind, by name.
    fn accounts(&self, mount: MountId, kind: AccountKind) -> answer!(Vec<AccountRecord>);

    /// The mount's account of this kind and name.
    fn account(&self, mount: MountId, kind: AccountKind, name: &str) -> answer!(Option<AccountRecord>);

    /// Who was last seen watching under this name.
    fn heartbeat(&self, name: &str) -> answer!(Option<Heartbeat>);

    /// The audit rows that match, in pages.
    fn audit(&self, filter: &AuditFilter, page: PageRequest) -> answer!(Page<AuditRow>);

    /// Walks along the audit log's chain and says how far it holds.
    fn verify_audit(&self) -> answer!(AuditReport);
}
