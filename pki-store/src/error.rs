//! What can go wrong, said so that a person can act on it.

use core::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pki_core::random::RandomError;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

/// A store that cannot do what it was asked. `Display` says what is wrong, [`StoreError::remedy`] what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// A precondition of a batch does not hold; nothing was changed. The caller's fault, not the store's.
    Conflict(Conflict),
    /// A row does not carry the code that its content calls for: it was edited, or the disk lost it.
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: i64,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// `init` found something there.
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The disk, or the quota, is full. Nothing was changed.
    Full {
        /// The store.
        path: PathBuf,
    },
    /// Any other failure of the file system or the database.
    Io {
        /// What was being done.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process held the store for too long. Nothing was changed.
    Locked {
        /// The store.
        path: PathBuf,
        /// How long this one waited.
        waited: Duration,
    },
    /// The database file itself is broken, or was written by other tools.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// A newer version of this program wrote the store.
    Newer {
        /// The store.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout that this version knows.
        known: i64,
    },
    /// A directory that is no store, or files that do not belong together.
    NotAStore {
        /// Where.
        path: PathBuf,
        /// Why not.
        fault: &'static str,
    },
    /// There is no store.
    NotFound {
        /// Where.
        path: PathBuf,
    },
    /// This account may not read or write the store.
    Permission {
        /// The file or directory.
        path: PathBuf,
    },
    /// The source of randomness failed.
    Random(RandomError),
    /// The file system is mounted read-only.
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// `seal.toml` says something that is not accepted.
    Seal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The store is sealed by a passphrase and none was given.
    PassphraseNeeded {
        /// The store.
        path: PathBuf,
    },
    /// The key file does not open this store.
    WrongKeyFile {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The passphrase does not open this store.
    WrongPassphrase {
        /// The store.
        path: PathBuf,
    },
}

/// A precondition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// The authority's CRLs are signed elsewhere, or nowhere.
    CrlElsewhere {
        /// The mount that signs them, if one does.
        mount: Option<String>,
    },
    /// A CRL that would go backwards, or one whose number was never handed out.
    CrlSuperseded {
        /// Its number.
        number: u128,
        /// The number of what is published.
        published: u128,
    },
    /// A CRL whose dates go backwards.
    CrlUpdates {
        /// Its thisUpdate.
        this_update: UnixTime,
        /// Its nextUpdate.
        next_update: UnixTime,
    },
    /// An id that the caller chose belongs to something else.
    IdTaken,
    /// The key belongs to an issuer.
    KeyInUse {
        /// The issuer's name or id.
        issuer: String,
    },
    /// The mount already has a key with this public half.
    KeyExists {
        /// Its name or id.
        key: String,
    },
    /// The lease is over.
    LeaseExpired {
        /// Its id.
        lease: String,
        /// Since when.
        expired_at: UnixTime,
    },
    /// Somebody else has taken the lease over: what was done for it counts no more.
    LeaseFence {
        /// Its id.
        lease: String,
        /// The fence that was named.
        named: u64,
        /// The fence that it has.
        found: u64,
    },
    /// The lease's state does not allow it.
    LeaseState {
        /// Its id.
        lease: String,
        /// Its state.
        state: &'static str,
        /// What was to be done with it.
        act: &'static str,
    },
    /// The name is taken.
    NameTaken {
        /// `mount`, `issuer`, `key`, `role`.
        what: Noun,
        /// The name.
        name: String,
    },
    /// It is not there.
    NotFound {
        /// What.
        what: Noun,
        /// Its name or id.
        name: String,
    },
    /// The certificate is not reserved, or other bytes were.
    NotReserved {
        /// Its serial.
        serial: SerialNumber,
    },
    /// Somebody else wrote it in between.
    Revision {
        /// What.
        what: Noun,
        /// Its name.
        name: String,
        /// The revision that was expected; `None` means absent.
        expected: Option<u64>,
        /// The revision that is there; `None` means absent.
        found: Option<u64>,
    },
    /// The authority has used this serial.
    SerialUsed {
        /// The serial.
        serial: SerialNumber,
    },
}

/// What a conflict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noun {
    /// A database account.
    Account,
    /// An authority.
    Authority,
    /// A certificate.
    Certificate,
    /// A document of a mount's configuration.
    Config,
    /// An issuer.
    Issuer,
    /// A key.
    Key,
    /// A lease.
    Lease,
    /// A mount.
    Mount,
    /// A role.
    Role,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "account",
            Self::Authority => "authority",
            Self::Certificate => "certificate",
            Self::Config => "configuration",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Lease => "lease",
            Self::Mount => "mount",
            Self::Role => "role",
        })
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrlElsewhere { mount: Some(mount) } => {
                write!(f, "this authority's CRLs are signed in the mount {mount}")
            }
            Self::CrlElsewhere { mount: None } => {
                f.write_str("no mount of this store signs this authority's CRLs")
            }
            Self::CrlSuperseded { number, published } => {
                write!(f, "CRL {number} does not follow CRL {published}, which is published")
            }
            Self::CrlUpdates { this_update, next_update } => {
                write!(f, "a CRL from {this_update} until {next_update} would go backwards")
            }
            Self::IdTaken => f.write_str("an id in this batch is already in use"),
            Self::KeyInUse { issuer } => write!(f, "the key belongs to the issuer {issuer}"),
            Self::KeyExists { key } => write!(f, "the mount already has this key: {key}"),
            Self::LeaseExpired { lease, expired_at } => {
                write!(f, "the lease {lease} is over since {expired_at}")
            }
            Self::LeaseFence { lease, named, found } => {
                write!(f, "the lease {lease} was taken over in between: its fence is {found}, not {named}")
            }
            Self::LeaseState { lease, state, act } => {
                write!(f, "the lease {lease} is {state} and cannot be {act}")
            }
            Self::NameTaken { what, name } => write!(f, "there is already {} named {name}", article(*what)),
            Self::NotFound { what, name } => write!(f, "there is no {what} {name}"),
            Self::NotReserved { serial } => {
                write!(f, "the certificate {serial} is not reserved, or with other content")
            }
            Self::Revision { what, name, expected, found } => match (expected, found) {
                (None, _) => write!(f, "there is already {} named {name}", article(*what)),
                (Some(_), None) => write!(f, "the {what} {name} was deleted in between"),
                (Some(expected), Some(found)) => write!(
                    f,
                    "the {what} {name} was changed in between: it is at revision {found}, not {expected}"
                ),
            },
            Self::SerialUsed { serial } => {
                write!(f, "the authority has already used the serial number {serial}")
            }
        }
    }
}

const fn article(what: Noun) -> &'static str {
    match what {
        Noun::Account => "an account",
        Noun::Authority => "an authority",
        Noun::Certificate => "a certificate",
        Noun::Config => "a configuration",
        Noun::Issuer => "an issuer",
        Noun::Key => "a key",
        Noun::Lease => "a lease",
        Noun::Mount => "a mount",
        Noun::Role => "a role",
    }
}

impl Conflict {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::CrlElsewhere { .. } => "use the mount that signs them",
            Self::CrlSuperseded { .. } | Self::CrlUpdates { .. } => "sign a new CRL: crl rotate",
            Self::IdTaken => "try again with fresh ids",
            Self::KeyInUse { .. } => "delete the issuer first",
            Self::KeyExists { .. } => "use that key: --key-ref",
            Self::LeaseExpired { .. } => "ask for a new one",
            Self::LeaseFence { .. } | Self::LeaseState { .. } => "look at the lease: lease lookup",
            Self::NameTaken { .. } => "choose another name",
            Self::NotFound { .. } => "check the name and the mount",
            Self::NotReserved { .. } => "issue it again",
            Self::Revision { .. } => "look at what is there now, then try again",
            Self::SerialUsed { .. } => "try again: the next serial number will be another",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Damaged { table, row, fault } => {
                write!(f, "the store is damaged: table {table}, row {row}: {fault}")
            }
            Self::Exists { path } => write!(f, "{} already holds a store or other files", path.display()),
            Self::Full { path } => {
                write!(f, "no space left for the store {}: nothing was changed", path.display())
            }
            Self::Io { act, path, .. } => write!(f, "could not {act} {}", path.display()),
            Self::Locked { path, waited } => write!(
                f,
                "another process has held the store {} for {} seconds",
                path.display(),
                waited.as_secs()
            ),
            Self::Malformed { path, detail } => {
                write!(f, "the store is damaged: {} cannot be read: {detail}", path.display())
            }
            Self::Newer { path, found, known } => write!(
                f,
                "the store {} has layout {found}, and this version knows layouts up to {known}",
                path.display()
            ),
            Self::NotAStore { path, fault } => write!(f, "{} is not a store: {fault}", path.display()),
            Self::NotFound { path } => write!(f, "there is no store at {}", path.display()),
            Self::PassphraseNeeded { path } => {
                write!(f, "the store {} is sealed by a passphrase, and none was given", path.display())
            }
            Self::Permission { path } => write!(f, "no permission to read and write {}", path.display()),
            Self::Random(error) => error.fmt(f),
            Self::ReadOnly { path } => {
                write!(f, "the store {} is on a read-only file system", path.display())
            }
            Self::Seal { path, fault } => write!(f, "the seal {} is not accepted: {fault}", path.display()),
            Self::WrongKeyFile { path, fault } => {
                write!(f, "the key file {} does not open the store: {fault}", path.display())
            }
            Self::WrongPassphrase { path } => {
                write!(f, "the passphrase does not open the store {}", path.display())
            }
        }
    }
}

impl StoreError {
    /// What to do about it, as a sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Conflict(conflict) => conflict.remedy(),
            Self::Damaged { .. } | Self::Malformed { .. } => {
                "restore a backup, and find out who or what changed the file"
            }
            Self::Exists { .. } => "choose another directory with --store",
            Self::Full { .. } => "make room on the disk and try again",
            Self::Io { .. } => "see the cause above",
            Self::Locked { .. } => "wait for the other process, or end it, and try again",
            Self::Newer { .. } => "use the version that wrote it, or a later one",
            Self::NotAStore { .. } => "check --store or PKI_STORE",
            Self::NotFound { .. } => "check --store or PKI_STORE, or make one with `pki init`",
            Self::PassphraseNeeded { .. } => {
                "give the passphrase with --passphrase-file or PKI_PASSPHRASE_FILE"
            }
            Self::Permission { .. } => "run as the account that owns the store; its directory is 0700",
            Self::Random(_) => "try again",
            Self::ReadOnly { .. } => "mount it read-write, or use another store",
            Self::Seal { .. } => "restore seal.toml from a backup",
            Self::WrongKeyFile { .. } => "give the file that the store was made with: --key-file",
            Self::WrongPassphrase { .. } => {
                "check the passphrase, and that the file with it belongs to this store"
            }
        }
    }
}

impl core::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Random(error) => Some(error),
            _ => None,
        }
    }
}

impl core::error::Error for Conflict {}

impl From<Conflict> for StoreError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<RandomError> for StoreError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}
