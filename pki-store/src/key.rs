//! Private keys, sealed, with their public halves.

use core::fmt;

use pki_core::time::UnixTime;

use crate::envelope::{Envelope, Place};
use crate::id::{KeyId, MountId};

/// A key to create. Seal the PKCS#8 first: `store.seal(&NewKey::place(id), pkcs8, rng)`.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Chosen by the caller.
    pub id: KeyId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// Unique among the mount's keys, without regard to letter case.
    pub name: Option<String>,
    /// `rsa`, `ec`, `ed25519`: a label, the store does not judge it.
    pub key_type: String,
    /// The size in bits, as Vault counts.
    pub bits: u32,
    /// SubjectPublicKeyInfo, DER. A second key with the same public half in one mount is a conflict.
    pub public_key: Vec<u8>,
    /// The sealed PKCS#8.
    pub private_key: Envelope,
    /// The name that the issuer with this key shall have; unique together with the mount's issuer names.
    pub pending_issuer_name: Option<String>,
}

impl NewKey {
    /// Where a key's PKCS#8 lives: what its envelope is bound to.
    pub const fn place(id: KeyId) -> Place {
        Place { table: "key", column: "private_key", row: *id.as_bytes(), version: 1 }
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("key_type", &self.key_type)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

/// A key in the store.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// Never changes.
    pub id: KeyId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// A label.
    pub name: Option<String>,
    /// `rsa`, `ec`, `ed25519`.
    pub key_type: String,
    /// The size in bits.
    pub bits: u32,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// The sealed PKCS#8: `store.unseal(&record.place(), &record.private_key)` opens it.
    pub private_key: Envelope,
    /// The name its issuer will have once the signed certificate comes back.
    pub pending_issuer_name: Option<String>,
    /// When it was created.
    pub created_at: UnixTime,
}

/// Which key of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMatch {
    /// With this name, without regard to letter case.
    Name(String),
    /// With this SubjectPublicKeyInfo, DER.
    PublicKey(Vec<u8>),
    /// That waits for an issuer of this name, without regard to letter case.
    PendingIssuerName(String),
}

impl KeyRecord {
    /// Where this key's PKCS#8 lives.
    pub const fn place(&self) -> Place {
        NewKey::place(self.id)
    }

    /// What people call it.
    pub(crate) fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("key_type", &self.key_type)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}
