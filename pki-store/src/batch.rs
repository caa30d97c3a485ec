//! Batches: typed operations with preconditions, committed as a whole or not at all.

use core::fmt;
use core::time::Duration;

use pki_core::authority::AuthorityId;
use pki_core::random::{RandomError, SecureRandom};
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use crate::account::{AccountKind, NewAccount};
use crate::audit::AuditEntry;
use crate::certificate::CertificateRecord;
use crate::crl::{CrlDraft, CrlScope};
use crate::error::{Conflict, Noun};
use crate::id::{IssuerId, KeyId, MountId, RoleId};
use crate::issuer::{CrlSigning, IssuerSettings, NewIssuer};
use crate::key::NewKey;
use crate::lease::{DueLeases, LeaseCause, LeaseId, LeaseSelection, NewLease};
use crate::mount::NewMount;
use crate::revocation::Revocation;
use crate::role::RoleVersion;

/// What is committed in one transaction.
///
/// All operations are done, in order, and the audit rows are added; or, if one precondition fails, nothing is.
/// A refusal is a batch without operations: only its audit row.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Chosen by the caller. Committing the same id again does nothing and gives the first outcome, so a caller
    /// whose answer was lost just asks again.
    pub id: BatchId,
    /// When: what `created_at` and the like become.
    pub at: UnixTime,
    /// What to do, in order.
    pub ops: Vec<Op>,
    /// What to log.
    pub audit: Vec<AuditEntry>,
}

/// The caller's name for a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId([u8; 16]);

impl BatchId {
    /// A fresh id: 32 bits of time, so that the index of ids grows at its end, and 96 random bits.
    ///
    /// # Errors
    ///
    /// [`RandomError`] when the source of randomness fails.
    pub fn random(rng: &mut dyn SecureRandom, now: UnixTime) -> Result<Self, RandomError> {
        BatchIds::new(rng, now).map(|mut ids| ids.next_id())
    }

    /// An id that was made before.
    pub const fn from_bytes(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The 16 octets.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchId({:032x})", u128::from_be_bytes(self.0))
    }
}

/// Many batch ids from one draw: time, 64 random bits, then a counter. For a long-lived caller.
#[derive(Clone, Debug)]
pub struct BatchIds {
    next: u128,
}

impl BatchIds {
    /// A new sequence.
    ///
    /// # Errors
    ///
    /// [`RandomError`] when the source of randomness fails.
    pub fn new(rng: &mut dyn SecureRandom, now: UnixTime) -> Result<Self, RandomError> {
        let mut random = [0_u8; 12];
        rng.fill(&mut random)?;
        let mut padded = [0_u8; 16];
        for (to, from) in padded.iter_mut().skip(4).zip(random) {
            *to = from;
        }
        let seconds = now.as_secs() & u64::from(u32::MAX);
        Ok(Self { next: u128::from(seconds) << 96 | u128::from_be_bytes(padded) })
    }

    /// The next id.
    pub const fn next_id(&mut self) -> BatchId {
        let id = BatchId(self.next.to_be_bytes());
        self.next = self.next.wrapping_add(1);
        id
    }
}

/// What must be there before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// Whatever is or is not there.
    Any,
    /// Exactly this revision.
    Revision(u64),
}

impl Expected {
    /// Whether what was found is what was expected.
    pub(crate) fn check(self, found: Option<u64>, what: Noun, name: &str) -> Result<(), Conflict> {
        let expected = match self {
            Self::Any => return Ok(()),
            Self::Absent => None,
            Self::Revision(revision) => Some(revision),
        };
        if expected == found {
            Ok(())
        } else {
            Err(Conflict::Revision { what, name: name.to_owned(), expected, found })
        }
    }
}

/// An operation. Names are compared without regard to letter case; ids are the caller's.
///
/// What a precondition found instead is a [`Conflict`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Adds a mount. Its name must be free.
    CreateMount(NewMount),
    /// Changes what is given. The mount must be there.
    TuneMount {
        /// The mount.
        mount: MountId,
        /// For people.
        description: Option<String>,
        /// The new default.
        default_lease_ttl: Option<Duration>,
        /// The new maximum.
        max_lease_ttl: Option<Duration>,
    },
    /// Ends a mount: its name is free again, its certificates and revocations stay.
    DisableMount {
        /// The mount.
        mount: MountId,
    },
    /// Adds a key. Its name and pending issuer name must be free, and its public half new to the mount. Issuers
    /// of the mount with the same public half get it. The mount's first key becomes its default.
    CreateKey(NewKey),
    /// Names a key. The name must be free.
    RenameKey {
        /// The key.
        key: KeyId,
        /// The new name.
        name: Option<String>,
    },
    /// Says what the next issuer with this key shall be called. The name must be free.
    SetPendingIssuerName {
        /// The key.
        key: KeyId,
        /// The name; `None` for none.
        name: Option<String>,
    },
    /// Deletes a key. No issuer may have it.
    DeleteKey {
        /// The key.
        key: KeyId,
    },
    /// Adds an issuer. Its name must be free. The mount's first issuer with a key becomes its default.
    CreateIssuer(NewIssuer),
    /// Replaces an issuer's name and settings.
    UpdateIssuer {
        /// The issuer.
        issuer: IssuerId,
        /// The revision that was read.
        expected: u64,
        /// The new name; must be free.
        name: Option<String>,
        /// The new settings.
        settings: IssuerSettings,
    },
    /// Deletes an issuer. Its certificates, its key and its authority's revocations stay.
    DeleteIssuer {
        /// The issuer.
        issuer: IssuerId,
    },
    /// Sets the mount's default issuer, which must be the mount's.
    SetDefaultIssuer {
        /// The mount.
        mount: MountId,
        /// The issuer.
        issuer: IssuerId,
        /// Whether later imports with a key take its place.
        follows_latest: bool,
    },
    /// Sets the mount's default key, which must be the mount's.
    SetDefaultKey {
        /// The mount.
        mount: MountId,
        /// The key.
        key: KeyId,
    },
    /// Writes a role; the revision before is kept as history.
    PutRole {
        /// The mount.
        mount: MountId,
        /// Its name.
        name: String,
        /// Its id if it is new.
        new_id: RoleId,
        /// What must be there.
        expected: Expected,
        /// The role.
        json: Vec<u8>,
    },
    /// Deletes a role. Its history stays.
    DeleteRole {
        /// The mount.
        mount: MountId,
        /// Its name.
        name: String,
        /// What must be there.
        expected: Expected,
    },
    /// Writes a document of the mount's configuration.
    PutConfig {
        /// The mount.
        mount: MountId,
        /// Such as `urls`.
        key: String,
        /// What must be there.
        expected: Expected,
        /// The document.
        json: Vec<u8>,
    },
    /// Keeps a certificate before it is signed. Its serial must be new to the authority.
    ReserveCertificate(CertificateRecord),
    /// Completes a reserved certificate, which must still be reserved and have this TBS digest.
    CommitCertificate {
        /// Its authority.
        authority: AuthorityId,
        /// Its serial.
        serial: SerialNumber,
        /// What was fixed when it was reserved.
        tbs_digest: [u8; 32],
        /// SHA-256 over the certificate.
        fingerprint: [u8; 32],
        /// The certificate, where it is to be kept.
        der: Option<Vec<u8>>,
    },
    /// Reserve and commit in one: for keys whose signature has not left the process.
    InsertCertificate {
        /// The row.
        record: CertificateRecord,
        /// SHA-256 over the certificate.
        fingerprint: [u8; 32],
        /// The certificate, where it is to be kept.
        der: Option<Vec<u8>>,
    },
    /// Records a revocation. A second one changes nothing and gives the first. The authority must be known, the
    /// certificate need not be (it may never have been stored).
    Revoke {
        /// Its authority.
        authority: AuthorityId,
        /// Its serial.
        serial: SerialNumber,
        /// Why.
        reason: RevocationReason,
        /// Its notAfter, where the store has no row of it.
        not_after: Option<UnixTime>,
    },
    /// Hands out a CRL number and fixes the entries. The mount must sign CRLs for the authority.
    BeginCrl {
        /// The authority.
        authority: AuthorityId,
        /// The mount that signs.
        mount: MountId,
        /// What it will cover.
        scope: CrlScope,
        /// Now, in nanoseconds since 1970.
        nanoseconds: u128,
    },
    /// Publishes a signed CRL. Its number must have been handed out and exceed what is published, and its
    /// thisUpdate must not be before that of what is published.
    FinishCrl {
        /// What was fixed.
        draft: CrlDraft,
        /// Its nextUpdate, after its thisUpdate.
        next_update: UnixTime,
        /// The CRL.
        der: Vec<u8>,
    },
    /// Keeps a lease before what it ends exists. Its id must be new.
    ReserveLease(NewLease),
    /// What it ends exists: the credential may be given out. It must be pending and not over.
    ActivateLease {
        /// The lease.
        lease: LeaseId,
        /// The fence that was read.
        fence: u64,
        /// What is known of it now, in the caller's numbering.
        activation: u64,
    },
    /// Gives it a new end. It must be active and not over.
    RenewLease {
        /// The lease.
        lease: LeaseId,
        /// The fence that was read.
        fence: u64,
        /// The new end.
        expires_at: UnixTime,
    },
    /// Begins its end, or makes one that is under way due now; what has ended stays so. Its fence rises, so whoever holds
    /// it comes too late. A frozen one is refused; by prefix it is left alone, and so is what has begun already.
    RevokeLeases {
        /// Which.
        leases: LeaseSelection,
        /// Why.
        cause: LeaseCause,
    },
    /// Ending it failed.
    RetryLease {
        /// The lease.
        lease: LeaseId,
        /// The fence that was read.
        fence: u64,
        /// Why it failed; no secret.
        error: String,
        /// When it is due again.
        next_attempt: UnixTime,
    },
    /// It has ended. It must be being revoked.
    EndLease {
        /// The lease.
        lease: LeaseId,
        /// The fence that was read.
        fence: u64,
    },
    /// Nothing is done with them until they are thawed. What has ended is left alone.
    FreezeLeases {
        /// Which.
        leases: LeaseSelection,
    },
    /// They are what they were.
    ThawLeases {
        /// Which.
        leases: LeaseSelection,
    },
    /// Hands out what is due: nobody else gets it before `until`, and its fence rises.
    ClaimDueLeases {
        /// What is asked for.
        due: DueLeases,
        /// Who asks, in the caller's numbering.
        worker: u64,
        /// Until when the claim lasts, after now.
        until: UnixTime,
    },
    /// Forgets leases that ended before a time, the oldest first.
    ForgetLeases {
        /// Before when.
        ended_before: UnixTime,
        /// At most so many; when fewer were changed there are no more.
        limit: u32,
    },
    /// Writes a database account.
    PutAccount(NewAccount),
    /// Deletes a database account, and its passwords with it.
    DeleteAccount {
        /// The mount.
        mount: MountId,
        /// What it is for.
        kind: AccountKind,
        /// Its name.
        name: String,
        /// What must be there.
        expected: Expected,
    },
    /// Says that somebody is watching.
    Beat {
        /// Such as `lease expire`.
        name: String,
        /// When it means to be back.
        until: UnixTime,
    },
}

/// What a batch did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// One outcome for each operation, in order.
    pub outcomes: Vec<Outcome>,
    /// Whether the batch had been committed before, and this is its first outcome.
    pub repeated: bool,
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// What it says, and there is nothing to add.
    Done,
    /// [`Op::PutRole`]: the role as it now is.
    Role(RoleVersion),
    /// [`Op::PutConfig`], [`Op::PutAccount`], [`Op::UpdateIssuer`]: the revision that was written.
    Revision(u64),
    /// [`Op::CreateIssuer`]: what it was joined with.
    Issuer {
        /// The issuer: another than asked for if the mount already had the certificate.
        id: IssuerId,
        /// Whether it was there already, and nothing was changed.
        existing: bool,
        /// Its name: as asked for, or its key's pending name.
        name: Option<String>,
        /// Its key, if the mount has one.
        key: Option<KeyId>,
        /// Whether this mount signs the authority's CRLs. `Off` with a key means that another mount does.
        crl_signing: CrlSigning,
        /// Whether it is now the mount's default.
        default: bool,
    },
    /// [`Op::ReserveCertificate`], [`Op::CommitCertificate`], [`Op::InsertCertificate`]: the row's number.
    Certificate(u64),
    /// [`Op::Revoke`].
    Revoked {
        /// The revocation: the first one, if there was one.
        revocation: Revocation,
        /// Whether it had been revoked before.
        already: bool,
    },
    /// [`Op::BeginCrl`]: what to sign.
    Crl(CrlDraft),
    /// [`Op::ReserveLease`], [`Op::ActivateLease`], [`Op::RenewLease`], [`Op::RetryLease`], [`Op::EndLease`]: the lease's
    /// fence, to be named by the next transition.
    Lease {
        /// The fence.
        fence: u64,
    },
    /// [`Op::RevokeLeases`], [`Op::FreezeLeases`], [`Op::ThawLeases`], [`Op::ForgetLeases`]: how many were changed.
    Leases {
        /// How many.
        changed: u64,
    },
    /// [`Op::ClaimDueLeases`]: the claimed leases with their fences, the longest overdue first.
    Claimed(Vec<(LeaseId, u64)>),
}
