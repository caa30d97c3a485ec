//! Mounts: named sets of issuers, keys, roles and configuration.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use pki_core::time::UnixTime;

use crate::id::{IssuerId, KeyId, MountId};

/// Both limits of a new mount, as in Vault: 768 hours.
pub const DEFAULT_LEASE_TTL: Duration = Duration::from_secs(768 * 3_600);

/// What a mount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MountKind {
    /// Certificates.
    Pki,
    /// Database credentials.
    Database,
}

impl MountKind {
    /// The kind as commands spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pki => "pki",
            Self::Database => "database",
        }
    }
}

impl fmt::Display for MountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MountKind {
    type Err = MountKindError;

    fn from_str(text: &str) -> Result<Self, MountKindError> {
        match text {
            "pki" => Ok(Self::Pki),
            "database" => Ok(Self::Database),
            _ => Err(MountKindError { found: text.into() }),
        }
    }
}

/// A word that names no kind of mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountKindError {
    found: String,
}

impl fmt::Display for MountKindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a mount is of type pki or database, not {:?}", self.found)
    }
}

impl core::error::Error for MountKindError {}

/// A mount to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMount {
    /// Chosen by the caller.
    pub id: MountId,
    /// Unique among the mounts that are not disabled, without regard to letter case.
    pub name: String,
    /// What it is for.
    pub kind: MountKind,
    /// For people.
    pub description: String,
    /// What a request without a TTL gets.
    pub default_lease_ttl: Duration,
    /// What no request gets past.
    pub max_lease_ttl: Duration,
}

impl NewMount {
    /// A mount with Vault's limits and no description.
    pub fn new(id: MountId, name: impl Into<String>, kind: MountKind) -> Self {
        Self {
            id,
            name: name.into(),
            kind,
            description: String::new(),
            default_lease_ttl: DEFAULT_LEASE_TTL,
            max_lease_ttl: DEFAULT_LEASE_TTL,
        }
    }
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mount {
    /// Never changes.
    pub id: MountId,
    /// A label.
    pub name: String,
    /// What it is for.
    pub kind: MountKind,
    /// For people.
    pub description: String,
    /// What a request without a TTL gets.
    pub default_lease_ttl: Duration,
    /// What no request gets past.
    pub max_lease_ttl: Duration,
    /// The issuer that a request without `issuer_ref` gets: at first the mount's first issuer with a key.
    pub default_issuer: Option<IssuerId>,
    /// Whether the default moves to each issuer that is imported with a key (Vault's
    /// `default_follows_latest_issuer`).
    pub default_follows_latest_issuer: bool,
    /// The key that a request without `key_ref` gets: at first the mount's first key.
    pub default_key: Option<KeyId>,
    /// When it was created.
    pub created_at: UnixTime,
    /// When it was disabled; nothing is issued or listed from then on, revocation goes on.
    pub disabled_at: Option<UnixTime>,
}
