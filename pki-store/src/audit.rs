//! The audit log: who did what, and what was refused, chained so that a gap or an edit shows.

use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use crate::fields::Fields;
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

    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
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

impl AuditEntry {
    /// What the chain's hash covers.
    pub(crate) fn fields(&self, sequence: u64, epoch: u64) -> Fields {
        let Self { at, requester, operation, mount, role, serial, outcome, detail } = self;
        let mut fields = Fields::row("audit", i64::try_from(sequence).unwrap_or(i64::MAX));
        fields
            .number(epoch)
            .time(*at)
            .text(requester)
            .text(operation)
            .option(mount.as_ref(), |fields, id| {
                fields.octets(id.as_bytes());
            })
            .option(role.as_ref(), |fields, role| {
                fields.octets(role.id.as_bytes()).number(role.revision);
            })
            .option(*serial, |fields, serial| {
                fields.serial(serial);
            })
            .int(outcome.code())
            .text(detail);
        fields
    }
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

impl AuditReport {
    pub(crate) const fn start(keyed: bool) -> Self {
        Self { rows: 0, first: 1, last: 0, head: [0; 32], keyed, fault: None }
    }

    /// Takes the next row into the report, or says what is wrong with it.
    pub(crate) fn walk(&mut self, row: &AuditRow, digest: impl FnOnce(&[u8; 32], &Fields) -> [u8; 32]) {
        if row.sequence != self.last + 1 {
            let to = row.sequence.saturating_sub(1);
            self.fault = Some(AuditFault::Missing { from: self.last + 1, to });
        } else if digest(&self.head, &row.entry.fields(row.sequence, row.epoch)) != row.hash {
            self.fault = Some(AuditFault::Edited { sequence: row.sequence });
        } else {
            self.rows += 1;
            self.last = row.sequence;
            self.head = row.hash;
        }
    }

    /// Compares where the log ended with where it should.
    pub(crate) fn end(&mut self, head: &ChainHead) {
        if self.last < head.sequence {
            self.fault = Some(AuditFault::Missing { from: self.last + 1, to: head.sequence });
        } else if self.last > head.sequence || self.head != head.hash {
            self.fault = Some(AuditFault::Head { expected: head.sequence, found: self.last });
        }
    }
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
