//! The audit log: who did what, and what was refused, chained so that a gap or an edit shows.

use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use crate::id::MountId;
use crate::role::RoleVersion;

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done, in the same transaction as this row.
    Done,
    /// A rule said no.
    Refused,
}

impl AuditOutcome {
    /// The outcome as `audit show` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// A row to add to the log. It must hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixTime,
    /// Who.
    pub requester: String,
    /// What, as `pki/issue` or `role/write`.
    pub operation: String,
    /// Where.
    pub mount: Option<MountId>,
    /// Under which role.
    pub role: Option<RoleVersion>,
    /// Which certificate.
    pub serial: Option<SerialNumber>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Whatever else, as JSON by habit; empty if nothing.
    pub detail: String,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRow {
    /// Position in the writer's chain, from 1, without gaps.
    pub sequence: u64,
    /// Which life of the store wrote it; a restored backup starts another.
    pub epoch: u64,
    /// What was added.
    pub entry: AuditEntry,
    /// Over the hash of the row before and this row; keyed where the store has a seal.
    pub hash: [u8; 32],
}

/// Which audit rows. An empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this mount.
    pub mount: Option<MountId>,
    /// Of this requester.
    pub requester: Option<String>,
    /// Of operations that start so.
    pub operation: Option<String>,
    /// About this serial number.
    pub serial: Option<SerialNumber>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// At or after this time.
    pub since: Option<UnixTime>,
}

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditReport {
    /// The rows that were checked.
    pub rows: u64,
    /// The sequence number of the first row that is proved.
    pub first: u64,
    /// The sequence number of the last row that is proved.
    pub last: u64,
    /// The hash of the last row: what a checkpoint binds.
    pub head: [u8; 32],
    /// Whether the hashes are keyed: without a seal an editor can compute them again.
    pub keyed: bool,
    /// The first fault; nothing after it is proved.
    pub fault: Option<AuditFault>,
}

/// Where a chain breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditFault {
    /// This row's hash does not follow from the row before and its own content: one of them was edited.
    Edited {
        /// The row.
        sequence: u64,
    },
    /// Rows are missing.
    Missing {
        /// The first that is not there.
        from: u64,
        /// The last that is not there.
        to: u64,
    },
    /// The last row is not the one that the chain's head names.
    Head {
        /// What the head says.
        expected: u64,
        /// What the log ends with.
        found: u64,
    },
}

impl core::fmt::Display for AuditFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Edited { sequence } => write!(f, "audit row {sequence} was edited, or the row before it"),
            Self::Missing { from, to } if from == to => write!(f, "audit row {from} is missing"),
            Self::Missing { from, to } => write!(f, "audit rows {from} to {to} are missing"),
            Self::Head { expected, found } => {
                write!(f, "the audit log ends with row {found}, but its head names row {expected}")
            }
        }
    }
}

/// Binds the heads of all chains and the checkpoint before: signed by the caller, exported, kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// When.
    pub at: UnixTime,
    /// One head for each writer.
    pub heads: Vec<ChainHead>,
    /// The digest of the checkpoint before; zeros for the first.
    pub previous: [u8; 32],
}

/// The end of one writer's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainHead {
    /// Whose chain.
    pub writer: [u8; 16],
    /// Which life of the store.
    pub epoch: u64,
    /// The last row.
    pub sequence: u64,
    /// Its hash.
    pub hash: [u8; 32],
}
