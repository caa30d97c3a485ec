//! Leases: promises that end, as rows.
//!
//! What a lease means is its owner's business. The store keeps its states apart, so that no credential is given out for
//! a lease that is being revoked, and hands out what is due, so that two workers do not end the same lease:
//!
//! ```text
//!           activate                    revoke                       end
//! Pending ----------------> Active ----------------> Revoking ----------------> Revoked
//!    |                       renew                    ^   retry
//!    +------------------- revoke ---------------------+
//! Frozen: any of the first three, until it is thawed.
//! ```
//!
//! Each lease has a **fence**, a number that rises whenever the lease is claimed or its revocation begins. Every
//! transition names the fence that was read: who holds an old one comes too late, and changes nothing.

use core::fmt;

use pki_core::time::UnixTime;

use crate::error::Conflict;
use crate::fields::Fields;
use crate::id::MountId;

/// A lease to reserve, before what it ends exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLease {
    /// Its name.
    pub id: LeaseId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// What it has in common with other leases of its role, as the caller encodes it; kept once for all of them.
    pub terms: Vec<u8>,
    /// What it ends: a user, a certificate.
    pub subject: String,
    /// The first instant at which it is over.
    pub expires_at: UnixTime,
    /// The process that holds it until it is active, in the caller's numbering.
    pub holder: u64,
}

/// The name of a lease: the path it was asked for at, and a last part that no other lease has.
///
/// The last part begins with coarse time, so that the index of ids grows at its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId {
    path: String,
    unique: String,
}

impl LeaseId {
    /// Reads `PATH/UNIQUE`, split at the last `/`.
    ///
    /// # Errors
    ///
    /// [`LeaseIdError`] if there is no `/`, or nothing before or after it.
    pub fn parse(text: &str) -> Result<Self, LeaseIdError> {
        match text.rsplit_once('/') {
            Some((path, unique)) if !path.is_empty() && !unique.is_empty() => {
                Ok(Self { path: path.to_owned(), unique: unique.to_owned() })
            }
            _ => Err(LeaseIdError),
        }
    }

    /// Where it was asked for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What no other lease has.
    pub fn unique(&self) -> &str {
        &self.unique
    }

    /// Whether it begins so.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        Self::rest_below(prefix, &self.path).is_some_and(|rest| self.unique.starts_with(rest))
    }

    /// How the last parts of ids below `path` must begin for the ids to begin with `prefix`; `None` if none do.
    pub(crate) fn rest_below<'a>(prefix: &'a str, path: &str) -> Option<&'a str> {
        match prefix.strip_prefix(path) {
            Some("") => Some(""),
            Some(rest) => rest.strip_prefix('/'),
            None => path.starts_with(prefix).then_some(""),
        }
    }

    /// From its columns.
    pub(crate) const fn from_parts(path: String, unique: String) -> Self {
        Self { path, unique }
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.path, self.unique)
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no lease id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseIdError;

impl fmt::Display for LeaseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lease id is a path, a slash and a last part that is not empty")
    }
}

impl core::error::Error for LeaseIdError {}

/// A lease in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRecord {
    /// Its name.
    pub id: LeaseId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// What it has in common with other leases of its role.
    pub terms: Vec<u8>,
    /// What it ends.
    pub subject: String,
    /// When it was reserved.
    pub issued_at: UnixTime,
    /// The first instant at which it is over.
    pub expires_at: UnixTime,
    /// When it was last renewed.
    pub renewed_at: Option<UnixTime>,
    /// What is known since it was active, in the caller's numbering; `None` if it never was.
    pub activation: Option<u64>,
    /// Where it stands.
    pub state: LeaseState,
    /// What the next transition names.
    pub fence: u64,
    /// Who works on it, and until when nobody else does.
    pub claim: Option<LeaseClaim>,
}

/// Where a lease stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// What it ends may or may not exist yet.
    Pending {
        /// The process that holds it.
        holder: u64,
    },
    /// The credential may be used.
    Active,
    /// It is being ended.
    Revoking(LeaseRevocation),
    /// It has ended.
    Revoked {
        /// Since when.
        at: UnixTime,
    },
    /// Nothing is done with it.
    Frozen(Box<Self>),
}

/// A revocation under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRevocation {
    /// Why.
    pub cause: LeaseCause,
    /// Since when.
    pub since: UnixTime,
    /// How often it failed.
    pub failures: u32,
    /// When it last failed.
    pub last_attempt: Option<UnixTime>,
    /// When it is due.
    pub next_attempt: UnixTime,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// Why a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseCause {
    /// Its process died before it was active.
    Abandoned,
    /// Somebody asked.
    Asked,
    /// What it should end could not be made, or nobody knows whether it was.
    Failed,
    /// Its time was over.
    Expired,
}

/// A worker's claim on a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseClaim {
    /// Who, in the caller's numbering.
    pub worker: u64,
    /// Until when; after that the lease is due again, for anybody.
    pub until: UnixTime,
}

/// The states by name, as lists are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseStateName {
    /// See [`LeaseState::Pending`].
    Pending,
    /// See [`LeaseState::Active`].
    Active,
    /// See [`LeaseState::Revoking`].
    Revoking,
    /// See [`LeaseState::Revoked`].
    Revoked,
    /// See [`LeaseState::Frozen`].
    Frozen,
}

/// Which leases a transition is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseSelection {
    /// One, which must be there and allow it.
    One(LeaseId),
    /// Those whose id begins so and whose state allows it, the oldest first.
    Prefix {
        /// The beginning; empty for all.
        prefix: String,
        /// At most so many; when fewer were changed there are no more.
        limit: u32,
    },
}

/// Which revocations are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// Those whose next attempt has come.
    #[default]
    Respect,
    /// All of them.
    Ignore,
}

/// A question for what is due: expired leases, and revocations whose next attempt has come or whose last one lies in the
/// future (the clock jumped back).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLeases {
    /// Whose id begins so; empty for all.
    pub prefix: String,
    /// Which revocations.
    pub backoff: Backoff,
    /// At most so many, the longest overdue first.
    pub limit: u32,
}

impl LeaseStateName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Active, Self::Revoking, Self::Revoked, Self::Frozen];

    /// The name as commands spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Revoking => "revoking",
            Self::Revoked => "revoked",
            Self::Frozen => "frozen",
        }
    }

    /// Reads what [`LeaseStateName::name`] gives.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// For the column.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Active => 1,
            Self::Revoking => 2,
            Self::Revoked => 3,
            Self::Frozen => 4,
        }
    }
}

impl fmt::Display for LeaseStateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl LeaseState {
    /// Its name.
    pub const fn name(&self) -> LeaseStateName {
        match self {
            Self::Pending { .. } => LeaseStateName::Pending,
            Self::Active => LeaseStateName::Active,
            Self::Revoking(_) => LeaseStateName::Revoking,
            Self::Revoked { .. } => LeaseStateName::Revoked,
            Self::Frozen(_) => LeaseStateName::Frozen,
        }
    }
}

impl LeaseCause {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Abandoned => 0,
            Self::Asked => 1,
            Self::Failed => 2,
            Self::Expired => 3,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        [Self::Abandoned, Self::Asked, Self::Failed, Self::Expired]
            .into_iter()
            .find(|cause| i64::from(cause.code()) == code)
    }
}

impl LeaseRecord {
    pub(crate) fn pending(new: &NewLease, at: UnixTime) -> Self {
        let NewLease { id, mount, terms, subject, expires_at, holder } = new;
        Self {
            id: id.clone(),
            mount: *mount,
            terms: terms.clone(),
            subject: subject.clone(),
            issued_at: at,
            expires_at: *expires_at,
            renewed_at: None,
            activation: None,
            state: LeaseState::Pending { holder: *holder },
            fence: 1,
            claim: None,
        }
    }

    pub(crate) fn activate(&mut self, fence: u64, activation: u64, at: UnixTime) -> Result<(), Conflict> {
        self.check_state(&[LeaseStateName::Pending], "activated")?;
        self.check_fence(fence)?;
        self.check_time(at)?;
        self.activation = Some(activation);
        self.state = LeaseState::Active;
        self.claim = None;
        Ok(())
    }

    pub(crate) fn renew(&mut self, fence: u64, expires_at: UnixTime, at: UnixTime) -> Result<(), Conflict> {
        self.check_state(&[LeaseStateName::Active], "renewed")?;
        self.check_fence(fence)?;
        self.check_time(at)?;
        self.expires_at = expires_at;
        self.renewed_at = Some(self.renewed_at.map_or(at, |last| last.max(at)));
        Ok(())
    }

    /// What is revoked stays so; what is being revoked becomes due at once. Whoever held it comes too late.
    pub(crate) fn revoke(&mut self, cause: LeaseCause, at: UnixTime) -> Result<(), Conflict> {
        use LeaseStateName::{Active, Pending, Revoked, Revoking};
        self.check_state(&[Pending, Active, Revoking, Revoked], "revoked")?;
        match &mut self.state {
            LeaseState::Revoked { .. } => return Ok(()),
            LeaseState::Revoking(revocation) => revocation.next_attempt = at,
            state => {
                *state = LeaseState::Revoking(LeaseRevocation {
                    cause,
                    since: at,
                    failures: 0,
                    last_attempt: None,
                    next_attempt: at,
                    last_error: None,
                });
                self.fence += 1;
                self.claim = None;
            }
        }
        Ok(())
    }

    pub(crate) fn retry(
        &mut self,
        fence: u64,
        error: &str,
        next_attempt: UnixTime,
        at: UnixTime,
    ) -> Result<(), Conflict> {
        self.check_state(&[LeaseStateName::Revoking], "tried again")?;
        self.check_fence(fence)?;
        if let LeaseState::Revoking(revocation) = &mut self.state {
            revocation.failures = revocation.failures.saturating_add(1);
            revocation.last_attempt = Some(at);
            revocation.next_attempt = next_attempt;
            revocation.last_error = Some(error.to_owned());
        }
        self.claim = None;
        Ok(())
    }

    pub(crate) fn end(&mut self, fence: u64, at: UnixTime) -> Result<(), Conflict> {
        self.check_state(&[LeaseStateName::Revoking], "ended")?;
        self.check_fence(fence)?;
        self.state = LeaseState::Revoked { at };
        self.claim = None;
        Ok(())
    }

    pub(crate) fn freeze(&mut self) -> Result<(), Conflict> {
        use LeaseStateName::{Active, Pending, Revoking};
        self.check_state(&[Pending, Active, Revoking], "frozen")?;
        self.state = LeaseState::Frozen(Box::new(self.state.clone()));
        self.fence += 1;
        self.claim = None;
        Ok(())
    }

    pub(crate) fn thaw(&mut self) -> Result<(), Conflict> {
        self.check_state(&[LeaseStateName::Frozen], "thawed")?;
        if let LeaseState::Frozen(before) = &self.state {
            self.state = before.as_ref().clone();
        }
        Ok(())
    }

    pub(crate) const fn claim(&mut self, worker: u64, until: UnixTime) {
        self.fence += 1;
        self.claim = Some(LeaseClaim { worker, until });
    }

    /// When something is to be done for it, whoever works on it.
    pub fn due_at(&self) -> Option<UnixTime> {
        match &self.state {
            LeaseState::Pending { .. } | LeaseState::Active => Some(self.expires_at),
            LeaseState::Revoking(revocation) => Some(revocation.next_attempt),
            LeaseState::Revoked { .. } | LeaseState::Frozen(_) => None,
        }
    }

    /// When a worker may have it: when it is due, but not before a claim on it is over.
    pub(crate) fn claimable_at(&self) -> Option<UnixTime> {
        let due = self.due_at()?;
        Some(self.claim.map_or(due, |claim| claim.until.max(due)))
    }

    /// When its revocation last failed, if nobody works on it: a time in the future shows a clock that jumped back.
    pub(crate) fn last_attempt(&self) -> Option<UnixTime> {
        match &self.state {
            LeaseState::Revoking(revocation) if self.claim.is_none() => revocation.last_attempt,
            _ => None,
        }
    }

    fn check_state(&self, allowed: &[LeaseStateName], act: &'static str) -> Result<(), Conflict> {
        let state = self.state.name();
        if allowed.contains(&state) {
            return Ok(());
        }
        Err(Conflict::LeaseState { lease: self.id.to_string(), state: state.name(), act })
    }

    fn check_fence(&self, named: u64) -> Result<(), Conflict> {
        if self.fence == named {
            return Ok(());
        }
        Err(Conflict::LeaseFence { lease: self.id.to_string(), named, found: self.fence })
    }

    fn check_time(&self, at: UnixTime) -> Result<(), Conflict> {
        if at < self.expires_at {
            return Ok(());
        }
        Err(Conflict::LeaseExpired { lease: self.id.to_string(), expired_at: self.expires_at })
    }

    /// What the row's code covers. The terms stand in a row of their own, with a code of its own.
    pub(crate) fn fields(&self, n: i64, path: i64, terms: i64) -> Fields {
        let Self {
            id,
            mount,
            terms: _,
            subject,
            issued_at,
            expires_at,
            renewed_at,
            activation,
            state,
            fence,
            claim,
        } = self;
        let mut fields = Fields::row("lease", n);
        fields
            .int(path)
            .text(&id.path)
            .text(&id.unique)
            .fixed(mount.as_bytes())
            .int(terms)
            .text(subject)
            .time(*issued_at)
            .time(*expires_at)
            .option(*renewed_at, |fields, at| {
                fields.time(at);
            })
            .option(*activation, |fields, activation| {
                fields.number(activation);
            })
            .number(*fence)
            .option(claim.as_ref(), |fields, claim| {
                fields.number(claim.worker).time(claim.until);
            });
        state.put(&mut fields);
        fields
    }
}

impl LeaseState {
    fn put(&self, fields: &mut Fields) {
        fields.int(self.name().code());
        match self {
            Self::Pending { holder } => {
                fields.number(*holder);
            }
            Self::Active => {}
            Self::Revoking(revocation) => {
                let LeaseRevocation { cause, since, failures, last_attempt, next_attempt, last_error } =
                    revocation;
                fields
                    .tag(cause.code())
                    .time(*since)
                    .number(u64::from(*failures))
                    .option(*last_attempt, |fields, at| {
                        fields.time(at);
                    })
                    .time(*next_attempt)
                    .option(last_error.as_ref(), |fields, error| {
                        fields.text(error);
                    });
            }
            Self::Revoked { at } => {
                fields.time(*at);
            }
            Self::Frozen(before) => before.put(fields),
        }
    }
}

/// Who watches: left by each round of a worker, so that others see that none is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Such as `lease expire`.
    pub name: String,
    /// When it was last seen.
    pub at: UnixTime,
    /// When it means to be back; later than that, nobody is watching.
    pub until: UnixTime,
}
