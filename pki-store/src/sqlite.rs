//! The store in a directory: SQLite.
//!
//! ```text
//! STORE/          0700
//!   pki.db        0600, with pki.db-wal and pki.db-shm beside it
//!   seal.toml     0600
//! ```
//!
//! | file | noun |
//! | --- | --- |
//! | `files` | the directory: made at once, opened with its seal |
//! | `schema` | the tables, and older layouts |
//! | `session` | a connection with the store's keys |
//! | `commit`, `writer` | batches into transactions, the thread that groups them |
//! | `lookup`, `bucket` | what issuers, and certificates, are found by |
//! | `lease`, `account` | database credentials |
//! | `mount`, `key`, `issuer`, `role`, `certificate`, `search`, `revocation`, `audit` | one noun each |
//! | `fault` | what SQLite says, in the store's words |
//!
//! Reads take microseconds and run on the thread that asks. Several processes may use a store at once; it must
//! not lie on a network file system, since they share memory.

mod account;
mod audit;
mod bucket;
mod certificate;
mod commit;
mod fault;
mod files;
mod issuer;
mod key;
mod lease;
mod lookup;
mod mount;
mod revocation;
mod role;
mod schema;
mod search;
mod session;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
use crate::envelope::{Envelope, Keyring, Place};
use crate::error::StoreError;
use crate::id::{IssuerId, KeyId, MountId, RoleId, StoreId};
use crate::issuer::{AuthorityRecord, IssuerMatch, IssuerRecord};
use crate::key::{KeyMatch, KeyRecord};
use crate::lease::{Heartbeat, LeaseId, LeaseRecord, LeaseStateName};
use crate::mount::Mount;
use crate::page::{Page, PageRequest};
use crate::revocation::Revocation;
use crate::role::RoleRecord;
use crate::seal::{NewSeal, Unseal};
use crate::store::Store;
use fault::Fault;
pub use files::DATABASE_FILE;
use session::Session;
use writer::Writer;

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

/// A store in a directory of its own.
pub struct SqliteStore {
    keys: Arc<Keyring>,
    file: PathBuf,
    options: Options,
    way: Way,
}

enum Way {
    /// One connection for everything.
    Inline(Box<Mutex<Session>>),
    /// A connection of the writer's, and one for each reader at a time.
    Grouped { writer: Writer, readers: Mutex<Vec<Session>> },
}

impl core::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("id", &self.keys.store)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Makes a store in a directory that is not there or empty, with the mounts `pki` and `database`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the directory holds anything; others when it cannot be written.
    pub fn init(
        directory: &Path,
        seal: NewSeal,
        options: Options,
        rng: &mut dyn SecureRandom,
        now: UnixTime,
    ) -> Result<Self, StoreError> {
        // What was made is opened as any store is, so a passphrase's key is derived twice: once in a store's life.
        let unseal = match &seal {
            NewSeal::None => Unseal::Nothing,
            NewSeal::Passphrase { passphrase, .. } => Unseal::Passphrase(passphrase.clone()),
            NewSeal::KeyFile(path) => Unseal::KeyFile(path.clone()),
        };
        files::create(directory, seal, options, rng, now)?;
        Self::open(directory, unseal, options)
    }

    /// Opens a store. An older layout is brought to this version's in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: not there, no store, newer, locked, sealed otherwise, damaged, not permitted.
    #[expect(clippy::needless_pass_by_value, reason = "a passphrase is not wanted after this")]
    pub fn open(directory: &Path, unseal: Unseal, options: Options) -> Result<Self, StoreError> {
        let session = files::open(directory, &unseal, options)?;
        let (keys, file) = (Arc::clone(&session.keys), session.file.clone());
        let pages = match options.commits {
            Commits::Inline => INLINE_CHECKPOINT_PAGES,
            Commits::Grouped => GROUPED_CHECKPOINT_PAGES,
        };
        session
            .connection
            .pragma_update(None, "wal_autocheckpoint", pages)
            .map_err(|error| Fault::from(error).into_error(&file, options.busy_timeout))?;
        let way = match options.commits {
            Commits::Inline => Way::Inline(Box::new(Mutex::new(session))),
            Commits::Grouped => {
                let writer = Writer::start(session, file.clone(), options.busy_timeout)?;
                Way::Grouped { writer, readers: Mutex::new(Vec::new()) }
            }
        };
        Ok(Self { keys, file, options, way })
    }

    /// Reads on a connection that nobody else is using.
    fn read<T>(&self, act: impl FnOnce(&mut Session) -> Result<T, Fault>) -> Result<T, StoreError> {
        let answer = match &self.way {
            Way::Inline(session) => act(&mut session.lock().unwrap_or_else(PoisonError::into_inner)),
            Way::Grouped { readers, .. } => {
                let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut session = match idle {
                    Some(session) => session,
                    None => self.connect()?,
                };
                let answer = act(&mut session);
                readers.lock().unwrap_or_else(PoisonError::into_inner).push(session);
                answer
            }
        };
        answer.map_err(|fault| self.error(fault))
    }

    fn connect(&self) -> Result<Session, StoreError> {
        let timeout = self.options.busy_timeout;
        let connection = session::connect(&self.file, timeout).map_err(|fault| self.error(fault))?;
        Ok(Session::new(connection, Arc::clone(&self.keys), self.file.clone(), timeout))
    }

    fn error(&self, fault: Fault) -> StoreError {
        fault.into_error(&self.file, self.options.busy_timeout)
    }
}

/// None: a short process finds nothing of what the one before it knew of the log, reads all of it, and would copy all of
/// it again at each commit. [`Session::shorten_log`] cuts it instead.
const INLINE_CHECKPOINT_PAGES: i64 = 0;

/// How long the write-ahead log of a long-lived process grows before it is copied, in pages of 4 KiB.
const GROUPED_CHECKPOINT_PAGES: i64 = 16_000;

impl Store for SqliteStore {
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
        match &self.way {
            Way::Inline(session) => {
                let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
                let mut answers =
                    writer::commit(&mut session, vec![&batch], &self.file, self.options.busy_timeout);
                session.shorten_log();
                answers.pop().unwrap_or(Err(StoreError::Damaged {
                    table: "batch",
                    row: 0,
                    fault: "a commit had no answer",
                }))
            }
            Way::Grouped { writer, .. } => writer.commit(batch).await,
        }
    }

    async fn mounts(&self) -> Result<Vec<Mount>, StoreError> {
        self.read(|session| session.mounts())
    }

    async fn mount(&self, name: &str) -> Result<Option<Mount>, StoreError> {
        self.read(|session| session.mount(name))
    }

    async fn keys(&self, mount: MountId) -> Result<Vec<KeyRecord>, StoreError> {
        self.read(|session| session.keys(mount))
    }

    async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.read(|session| session.key(id))
    }

    async fn key_matching(&self, mount: MountId, wanted: &KeyMatch) -> Result<Option<KeyRecord>, StoreError> {
        self.read(|session| session.key_matching(mount, wanted))
    }

    async fn issuers(&self, mount: MountId) -> Result<Vec<IssuerRecord>, StoreError> {
        self.read(|session| session.issuers(mount))
    }

    async fn issuer_page(&self, mount: MountId, page: PageRequest) -> Result<Page<IssuerRecord>, StoreError> {
        self.read(|session| session.issuer_page(mount, page))
    }

    async fn issuers_matching(&self, wanted: &IssuerMatch) -> Result<Vec<IssuerRecord>, StoreError> {
        self.read(|session| session.issuers_matching(wanted))
    }

    async fn issuer(&self, id: IssuerId) -> Result<Option<IssuerRecord>, StoreError> {
        self.read(|session| session.issuer(id))
    }

    async fn issuer_by_name(&self, mount: MountId, name: &str) -> Result<Option<IssuerRecord>, StoreError> {
        self.read(|session| session.issuer_by_name(mount, name))
    }

    async fn authorities(&self) -> Result<Vec<AuthorityRecord>, StoreError> {
        self.read(|session| session.authorities())
    }

    async fn authority(&self, id: AuthorityId) -> Result<Option<AuthorityRecord>, StoreError> {
        self.read(|session| session.authority(id))
    }

    async fn roles(&self, mount: MountId) -> Result<Vec<RoleRecord>, StoreError> {
        self.read(|session| session.roles(mount))
    }

    async fn role(&self, mount: MountId, name: &str) -> Result<Option<RoleRecord>, StoreError> {
        self.read(|session| session.role(mount, name))
    }

    async fn role_history(&self, id: RoleId) -> Result<Vec<RoleRecord>, StoreError> {
        self.read(|session| session.role_history(id))
    }

    async fn config(&self, mount: MountId, key: &str) -> Result<Option<ConfigRecord>, StoreError> {
        self.read(|session| session.config(mount, key))
    }

    async fn certificates(
        &self,
        filter: &CertificateFilter,
        page: PageRequest,
        now: UnixTime,
    ) -> Result<Page<CertificateRow>, StoreError> {
        self.read(|session| session.certificates(filter, page, now))
    }

    async fn certificate(
        &self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<StoredCertificate>, StoreError> {
        self.read(|session| session.certificate(authority, serial))
    }

    async fn certificates_by_serial(
        &self,
        serial: SerialNumber,
    ) -> Result<Vec<StoredCertificate>, StoreError> {
        self.read(|session| session.certificates_by_serial(serial))
    }

    async fn revocations(
        &self,
        authority: AuthorityId,
        after: u64,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Revocation>, StoreError> {
        self.read(|session| session.revocations(authority, after, up_to, limit))
    }

    async fn revocation(
        &self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<Revocation>, StoreError> {
        self.read(|session| session.revocation(authority, serial))
    }

    async fn crl(&self, authority: AuthorityId, scope: CrlScope) -> Result<Option<CrlRecord>, StoreError> {
        self.read(|session| session.crl(authority, scope))
    }

    async fn lease(&self, id: &LeaseId) -> Result<Option<LeaseRecord>, StoreError> {
        self.read(|session| session.lease(id))
    }

    async fn leases(
        &self,
        prefix: &str,
        state: Option<LeaseStateName>,
        page: PageRequest,
    ) -> Result<Page<LeaseRecord>, StoreError> {
        self.read(|session| session.leases(prefix, state, page))
    }

    async fn next_due_lease(&self) -> Result<Option<UnixTime>, StoreError> {
        self.read(|session| session.next_due_lease())
    }

    async fn accounts(&self, mount: MountId, kind: AccountKind) -> Result<Vec<AccountRecord>, StoreError> {
        self.read(|session| session.accounts(mount, kind))
    }

    async fn account(
        &self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
    ) -> Result<Option<AccountRecord>, StoreError> {
        self.read(|session| session.account(mount, kind, name))
    }

    async fn heartbeat(&self, name: &str) -> Result<Option<Heartbeat>, StoreError> {
        self.read(|session| session.heartbeat(name))
    }

    async fn audit(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditRow>, StoreError> {
        self.read(|session| session.audit(filter, page))
    }

    async fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        self.read(|session| session.verify_audit())
    }
}
