//! Roles, as the bytes that the policy layer wrote.

use pki_core::time::UnixTime;

use crate::id::{MountId, RoleId};

/// A role at one of its revisions: what certificates, leases and audit rows name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleVersion {
    /// The role.
    pub id: RoleId,
    /// Its revision, from 1.
    pub revision: u64,
}

/// A role in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleRecord {
    /// Never changes; deleting a role and writing its name again makes another.
    pub id: RoleId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// A label, unique among the mount's roles without regard to letter case.
    pub name: String,
    /// From 1, one more with each write.
    pub revision: u64,
    /// The role as it was written.
    pub json: Vec<u8>,
    /// When the first revision was written.
    pub created_at: UnixTime,
    /// When this revision was written.
    pub updated_at: UnixTime,
}

impl RoleRecord {
    /// The id and the revision.
    pub const fn version(&self) -> RoleVersion {
        RoleVersion { id: self.id, revision: self.revision }
    }
}
