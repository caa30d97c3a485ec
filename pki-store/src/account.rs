//! Database accounts whose passwords the store keeps: a connection's own, and those of static roles.

use core::fmt;

use pki_core::time::UnixTime;

use crate::batch::Expected;
use crate::envelope::{Envelope, Place};
use crate::id::{AccountId, MountId};

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// The user that a configured database is administered by.
    Connection,
    /// A user that exists already, and whose password is rotated.
    StaticRole,
}

impl AccountKind {
    /// For the column.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Connection => 0,
            Self::StaticRole => 1,
        }
    }
}

/// An account as it is to be: [`Op::PutAccount`](crate::Op::PutAccount) replaces the whole of it.
///
/// A password is changed in two phases: the candidate is stored beside the password, set in the database, tried, and
/// takes the password's place. Whoever comes after a crash finds both, and tries both.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The mount it belongs to.
    pub mount: MountId,
    /// What it is for.
    pub kind: AccountKind,
    /// Unique among the mount's accounts of this kind, without regard to letter case.
    pub name: String,
    /// Its id if it is new. What is sealed for [`NewAccount::place`] of another id does not open.
    pub new_id: AccountId,
    /// What must be there.
    pub expected: Expected,
    /// Everything that is not secret, as the caller encodes it.
    pub json: Vec<u8>,
    /// The sealed password.
    pub password: Option<Envelope>,
    /// The sealed password that is to be next.
    pub candidate: Option<Envelope>,
}

impl NewAccount {
    /// Where an account's passwords lie: what their envelopes are bound to. Both have one place, since the one takes the
    /// other's; the row's code tells them apart.
    pub const fn place(id: AccountId) -> Place {
        Place { table: "account", column: "password", row: *id.as_bytes(), version: 1 }
    }
}

/// Without what is secret or may be.
impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// An account in the store.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountRecord {
    /// Never changes; deleting an account and writing its name again makes another.
    pub id: AccountId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// What it is for.
    pub kind: AccountKind,
    /// A label.
    pub name: String,
    /// From 1, one more with each write.
    pub revision: u64,
    /// As it was written.
    pub json: Vec<u8>,
    /// The sealed password: `store.unseal(&record.place(), ..)` opens it.
    pub password: Option<Envelope>,
    /// The sealed password that is to be next.
    pub candidate: Option<Envelope>,
    /// When the first revision was written.
    pub created_at: UnixTime,
    /// When this revision was written.
    pub updated_at: UnixTime,
}

impl AccountRecord {
    /// Where this account's passwords lie.
    pub const fn place(&self) -> Place {
        NewAccount::place(self.id)
    }

    /// What an account is after a write.
    pub(crate) fn written(new: &NewAccount, before: Option<&Self>, at: UnixTime) -> Self {
        let NewAccount { mount, kind, name, new_id, expected: _, json, password, candidate } = new;
        Self {
            id: before.map_or(*new_id, |before| before.id),
            mount: *mount,
            kind: *kind,
            name: before.map_or_else(|| name.clone(), |before| before.name.clone()),
            revision: before.map_or(1, |before| before.revision + 1),
            json: json.clone(),
            password: password.clone(),
            candidate: candidate.clone(),
            created_at: before.map_or(at, |before| before.created_at),
            updated_at: at,
        }
    }
}

/// Without what is secret or may be.
impl fmt::Debug for AccountRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRecord")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
