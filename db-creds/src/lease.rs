//! A lease: a promise that ends.
//!
//! ```text
//!           create_user                expiry, revoke
//! Pending ----------------> Active --------------------> Revoking --- the user is gone ---> Revoked
//!    |                                                    ^    ^ |
//!    +--- its process died; creating the user failed -----+    +-+ tried again, for ever
//!
//! Frozen: any of the first three, in a store that came from a backup, until it was reconciled.
//! ```
//!
//! Each transition looks at a lease and gives the next one, or says why not; the caller stores it. A lease is durable
//! before its user exists, and carries the statements that will remove the user: no later change of a role reaches it.

mod document;
mod id;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

pub use self::document::{LeaseDocument, LeaseDocumentError};
pub use self::id::{LeaseId, LeaseIdError, LeasePath, LeasePrefix, LeaseSource};
use crate::time::UnixTime;
use crate::ttl::Grant;

/// A lease in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its name.
    pub id: LeaseId,
    /// What it ends.
    pub subject: LeaseSubject,
    /// What it took from its role; leases of one revision share it.
    pub terms: Arc<LeaseTerms>,
    /// When it was granted.
    pub issued_at: UnixTime,
    /// The first instant at which it is over.
    pub expires_at: UnixTime,
    /// When it was last renewed.
    pub renewed_at: Option<UnixTime>,
    /// What is known since the user existed; `None` for a lease that was never active.
    pub activation: Option<Activation>,
    /// Where it stands.
    pub state: LeaseState,
}

/// What a lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseSubject {
    /// A user of a database, by name.
    User(Box<str>),
    /// A certificate, by serial number. Its expiry needs no act; its revocation does.
    Certificate(Box<str>),
    /// A user and the client certificate that names it: one lease, two secrets.
    UserWithCertificate(Box<UserWithCertificate>),
}

/// A user and its client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWithCertificate {
    /// The user's name.
    pub user: String,
    /// The certificate's serial number.
    pub serial: String,
}

impl LeaseSubject {
    /// The user, if there is one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::User(name) => Some(name),
            Self::Certificate(_) => None,
            Self::UserWithCertificate(both) => Some(&both.user),
        }
    }

    /// The certificate's serial number, if there is one.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::User(_) => None,
            Self::Certificate(serial) => Some(serial),
            Self::UserWithCertificate(both) => Some(&both.serial),
        }
    }
}

/// What a lease takes from its role, once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseTerms {
    /// The configured database; empty for certificates.
    pub database: String,
    /// The role's immutable id.
    pub role_id: String,
    /// The role's revision.
    pub role_revision: u64,
    /// The role's own revocation statements; none leaves it to the driver alone.
    pub revocation_statements: Vec<String>,
    /// The role's own renewal statements; none leaves it to the driver.
    pub renew_statements: Vec<String>,
}

/// What is known since the user exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// The database's own number for the user, which survives a renaming; `None` where a database has none.
    pub oid: Option<NonZeroU32>,
}

/// Where a lease stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Stored, and its user may or may not exist: whoever creates it holds the lease.
    Pending {
        /// The process that holds it, in the caller's own numbering. When it is gone the lease is abandoned.
        holder: u64,
    },
    /// The credential may be used.
    Active,
    /// The user is going.
    Revoking(Box<Revocation>),
    /// The user is gone.
    Revoked {
        /// Since when.
        at: UnixTime,
    },
    /// Nothing is done with it until its store was reconciled with the database.
    Frozen(Box<Self>),
}

impl LeaseState {
    /// Its name.
    pub const fn name(&self) -> StateName {
        match self {
            Self::Pending { .. } => StateName::Pending,
            Self::Active => StateName::Active,
            Self::Revoking(_) => StateName::Revoking,
            Self::Revoked { .. } => StateName::Revoked,
            Self::Frozen(_) => StateName::Frozen,
        }
    }
}

/// A state without its details, as lists and filters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
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

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Revoking => "revoking",
            Self::Revoked => "revoked",
            Self::Frozen => "frozen",
        })
    }
}

/// A revocation under way: its age and its last error are for everyone to see.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Why.
    pub cause: RevocationCause,
    /// Since when.
    pub since: UnixTime,
    /// How often it has failed.
    pub failures: u32,
    /// When it last failed.
    pub last_attempt: Option<UnixTime>,
    /// When it is due.
    pub next_attempt: UnixTime,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// Why a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationCause {
    /// Its process died before the lease was active.
    Abandoned,
    /// Somebody asked.
    Asked,
    /// The user could not be created, or nobody knows whether it was.
    Failed,
    /// Its time was over.
    Expired,
}

impl Lease {
    /// A new lease, to be stored before its user is created.
    pub const fn pending(
        id: LeaseId,
        subject: LeaseSubject,
        terms: Arc<LeaseTerms>,
        grant: &Grant,
        holder: u64,
        now: UnixTime,
    ) -> Self {
        Self {
            id,
            subject,
            terms,
            issued_at: now,
            expires_at: grant.expires_at,
            renewed_at: None,
            activation: None,
            state: LeaseState::Pending { holder },
        }
    }

    /// The user exists: the credential may be given out once this is stored.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is not pending any more (it is being revoked, and the user with it) or is over.
    pub fn activate(&self, activation: Activation, now: UnixTime) -> Result<Self, LeaseError> {
        match self.state {
            LeaseState::Pending { .. } => {}
            _ => return Err(self.wrong_state(LeaseAct::Activate)),
        }
        self.refuse_expired(now)?;
        Ok(Self { activation: Some(activation), state: LeaseState::Active, ..self.clone() })
    }

    /// A new end. The database has been told of it, or needs not to be.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is not active, is over, or is a certificate's.
    pub fn renew(&self, grant: &Grant, now: UnixTime) -> Result<Self, LeaseError> {
        self.permit_renewal(now)?;
        Ok(Self { expires_at: grant.expires_at, renewed_at: Some(now.max(self.latest())), ..self.clone() })
    }

    /// Whether a renewal may be tried: asked before the database is.
    ///
    /// # Errors
    ///
    /// As [`Lease::renew`].
    pub fn permit_renewal(&self, now: UnixTime) -> Result<(), LeaseError> {
        if self.state != LeaseState::Active {
            return Err(self.wrong_state(LeaseAct::Renew));
        }
        if !self.is_renewable() {
            return Err(LeaseError::NotRenewable { id: self.id.clone() });
        }
        self.refuse_expired(now)
    }

    /// Whether leases like this can be renewed: those of users can, certificates end when they say.
    pub const fn is_renewable(&self) -> bool {
        matches!(self.subject, LeaseSubject::User(_))
    }

    /// The user must go, at once. Asking again makes the next attempt due now; a lease that is revoked stays so.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is frozen.
    pub fn revoke(&self, cause: RevocationCause, now: UnixTime) -> Result<Self, LeaseError> {
        let revocation = match &self.state {
            LeaseState::Frozen(_) => return Err(self.wrong_state(LeaseAct::Revoke)),
            LeaseState::Revoked { .. } => return Ok(self.clone()),
            LeaseState::Revoking(earlier) => Revocation { next_attempt: now, ..earlier.as_ref().clone() },
            LeaseState::Pending { .. } | LeaseState::Active => Revocation {
                cause,
                since: now,
                failures: 0,
                last_attempt: None,
                next_attempt: now,
                last_error: None,
            },
        };
        Ok(self.with_state(LeaseState::Revoking(Box::new(revocation))))
    }

    /// The revocation failed; it is due again at `next_attempt`.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is not being revoked.
    pub fn retry(&self, error: String, next_attempt: UnixTime, now: UnixTime) -> Result<Self, LeaseError> {
        let LeaseState::Revoking(earlier) = &self.state else {
            return Err(self.wrong_state(LeaseAct::Retry));
        };
        Ok(self.with_state(LeaseState::Revoking(Box::new(Revocation {
            cause: earlier.cause,
            since: earlier.since,
            failures: earlier.failures.saturating_add(1),
            last_attempt: Some(now),
            next_attempt,
            last_error: Some(error),
        }))))
    }

    /// The user is gone.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is not being revoked.
    pub fn revoked(&self, now: UnixTime) -> Result<Self, LeaseError> {
        match self.state {
            LeaseState::Revoking(_) => Ok(self.with_state(LeaseState::Revoked { at: now })),
            _ => Err(self.wrong_state(LeaseAct::EndRevocation)),
        }
    }

    /// The store came from a backup: nothing happens to the lease until it was reconciled. What is revoked or frozen
    /// stays as it is.
    #[must_use]
    pub fn freeze(&self) -> Self {
        match &self.state {
            LeaseState::Revoked { .. } | LeaseState::Frozen(_) => self.clone(),
            state => self.with_state(LeaseState::Frozen(Box::new(state.clone()))),
        }
    }

    /// The store was reconciled: the lease is what it was.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the lease is not frozen.
    pub fn thaw(&self) -> Result<Self, LeaseError> {
        match &self.state {
            LeaseState::Frozen(before) => Ok(self.with_state(before.as_ref().clone())),
            _ => Err(self.wrong_state(LeaseAct::Thaw)),
        }
    }

    /// When something must be done for it: its end, or the next attempt of its revocation.
    pub fn due_at(&self) -> Option<UnixTime> {
        match &self.state {
            LeaseState::Pending { .. } | LeaseState::Active => Some(self.expires_at),
            LeaseState::Revoking(revocation) => Some(revocation.next_attempt),
            LeaseState::Revoked { .. } | LeaseState::Frozen(_) => None,
        }
    }

    /// Whether something must be done for it now.
    ///
    /// A revocation whose last failure lies in the future is due: the clock jumped back, and would otherwise let the
    /// user live until it has caught up.
    pub fn is_due(&self, now: UnixTime) -> bool {
        let jumped_back = match &self.state {
            LeaseState::Revoking(revocation) => revocation.last_attempt.is_some_and(|last| last > now),
            _ => false,
        };
        jumped_back || self.due_at().is_some_and(|due| due <= now)
    }

    /// The latest instant that the lease has seen.
    fn latest(&self) -> UnixTime {
        self.renewed_at.map_or(self.issued_at, |renewed| renewed.max(self.issued_at))
    }

    fn with_state(&self, state: LeaseState) -> Self {
        Self { state, ..self.clone() }
    }

    fn refuse_expired(&self, now: UnixTime) -> Result<(), LeaseError> {
        if now < self.expires_at {
            return Ok(());
        }
        Err(LeaseError::Expired { id: self.id.clone(), expired_at: self.expires_at })
    }

    fn wrong_state(&self, act: LeaseAct) -> LeaseError {
        LeaseError::State { id: self.id.clone(), state: self.state.name(), act }
    }
}

/// What was to be done with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAct {
    /// See [`Lease::activate`].
    Activate,
    /// See [`Lease::revoked`].
    EndRevocation,
    /// See [`Lease::renew`].
    Renew,
    /// See [`Lease::retry`].
    Retry,
    /// See [`Lease::revoke`].
    Revoke,
    /// See [`Lease::thaw`].
    Thaw,
}

impl fmt::Display for LeaseAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Activate => "activated",
            Self::EndRevocation => "marked as revoked",
            Self::Renew => "renewed",
            Self::Retry => "scheduled for another attempt",
            Self::Revoke => "revoked",
            Self::Thaw => "thawed",
        })
    }
}

/// A transition that a lease does not make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseError {
    /// It is over.
    Expired {
        /// Which.
        id: LeaseId,
        /// Since when.
        expired_at: UnixTime,
    },
    /// It is a certificate's, which ends when it says.
    NotRenewable {
        /// Which.
        id: LeaseId,
    },
    /// Its state does not allow it.
    State {
        /// Which.
        id: LeaseId,
        /// Its state.
        state: StateName,
        /// What was to be done.
        act: LeaseAct,
    },
}

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { id, expired_at } => write!(f, "lease expired: {id} ended at {expired_at}"),
            Self::NotRenewable { id } => write!(f, "lease is not renewable: {id} is a certificate's"),
            Self::State { id, state: StateName::Frozen, act } => {
                write!(
                    f,
                    "{id} is frozen until its store was reconciled with the database: it cannot be {act}"
                )
            }
            Self::State { id, state, act } => write!(f, "{id} is {state}: it cannot be {act}"),
        }
    }
}

impl std::error::Error for LeaseError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    use crate::ttl::{self, TtlLimits};
    use proptest::prelude::*;

    const LIMITS: TtlLimits =
        TtlLimits { default: Duration::from_secs(3_600), max: Duration::from_secs(86_400) };

    pub(crate) fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds).unwrap()
    }

    pub(crate) fn id(number: u64) -> LeaseId {
        LeaseId::parse(&format!("database/creds/ro/{number:024}")).unwrap()
    }

    /// A lease that was granted at 1,000 for an hour.
    pub(crate) fn pending(number: u64) -> Lease {
        let terms = Arc::new(LeaseTerms {
            database: "grade-api-db".into(),
            role_id: "r1".into(),
            role_revision: 1,
            ..LeaseTerms::default()
        });
        let subject = LeaseSubject::User(format!("v-root-ro-{number}").into());
        let grant = ttl::grant(None, LIMITS, at(1_000)).unwrap();
        Lease::pending(id(number), subject, terms, &grant, 7, at(1_000))
    }

    pub(crate) fn active(number: u64) -> Lease {
        pending(number).activate(Activation { oid: NonZeroU32::new(16_500) }, at(1_001)).unwrap()
    }

    /// One lease in each state.
    fn each_state() -> Vec<Lease> {
        let revoking = active(3).revoke(RevocationCause::Asked, at(2_000)).unwrap();
        vec![
            pending(1),
            active(2),
            revoking.clone(),
            revoking.revoked(at(2_001)).unwrap(),
            active(5).freeze(),
        ]
    }

    #[test]
    fn the_life_of_a_lease() {
        let lease = pending(1);
        assert_eq!(lease.due_at(), Some(at(4_600)));
        let lease = lease.activate(Activation::default(), at(1_001)).unwrap();
        let grant = ttl::renew(None, LIMITS, lease.issued_at, at(2_000)).unwrap();
        let lease = lease.renew(&grant, at(2_000)).unwrap();
        assert_eq!((lease.expires_at, lease.renewed_at), (at(5_600), Some(at(2_000))));
        assert!(!lease.is_due(at(5_599)) && lease.is_due(at(5_600)));
        let lease = lease.revoke(RevocationCause::Expired, at(5_600)).unwrap();
        let lease = lease.retry("the server is down".into(), at(5_602), at(5_600)).unwrap();
        assert!(!lease.is_due(at(5_601)) && lease.is_due(at(5_602)));
        let LeaseState::Revoking(revocation) = &lease.state else { panic!("{lease:?}") };
        assert_eq!(
            (revocation.failures, revocation.since, revocation.last_error.as_deref()),
            (1, at(5_600), Some("the server is down"))
        );
        let lease = lease.revoked(at(5_602)).unwrap();
        assert_eq!((lease.due_at(), lease.is_due(UnixTime::MAX)), (None, false));
    }

    /// Every transition in every state: what is not listed is refused, and names state and act.
    #[test]
    fn the_table_of_transitions() {
        type Transition = fn(&Lease) -> Result<Lease, LeaseError>;
        let transitions: [(&str, Transition, [Option<StateName>; 5]); 7] = {
            use StateName::{Active, Frozen, Pending, Revoked, Revoking};
            let _ = (Pending, Frozen);
            [
                (
                    "activate",
                    |l| l.activate(Activation::default(), at(1_500)),
                    [Some(Active), None, None, None, None],
                ),
                (
                    "renew",
                    |l| l.renew(&ttl::renew(None, LIMITS, l.issued_at, at(1_500)).unwrap(), at(1_500)),
                    [None, Some(Active), None, None, None],
                ),
                (
                    "revoke",
                    |l| l.revoke(RevocationCause::Asked, at(1_500)),
                    [Some(Revoking), Some(Revoking), Some(Revoking), Some(Revoked), None],
                ),
                (
                    "retry",
                    |l| l.retry("x".into(), at(1_600), at(1_500)),
                    [None, None, Some(Revoking), None, None],
                ),
                ("revoked", |l| l.revoked(at(1_500)), [None, None, Some(Revoked), None, None]),
                ("thaw", Lease::thaw, [None, None, None, None, Some(Active)]),
                (
                    "freeze",
                    |l| Ok(l.freeze()),
                    [Some(Frozen), Some(Frozen), Some(Frozen), Some(Revoked), Some(Frozen)],
                ),
            ]
        };
        for (name, transition, wanted) in transitions {
            for (lease, wanted) in each_state().iter().zip(wanted) {
                let state = lease.state.name();
                match (transition(lease), wanted) {
                    (Ok(next), Some(wanted)) => assert_eq!(next.state.name(), wanted, "{name} of {state}"),
                    (Err(error), None) => {
                        assert!(error.to_string().contains(&state.to_string()), "{name}: {error}");
                    }
                    (got, wanted) => panic!("{name} of {state}: {got:?}, wanted {wanted:?}"),
                }
            }
        }
    }

    #[test]
    fn what_is_over_is_neither_activated_nor_renewed() {
        let over = LeaseError::Expired { id: id(1), expired_at: at(4_600) };
        assert_eq!(pending(1).activate(Activation::default(), at(4_600)), Err(over.clone()));
        let grant = ttl::grant(None, LIMITS, at(1_000)).unwrap();
        assert_eq!(active(1).renew(&grant, at(4_600)), Err(over));
        let certificate = Lease { subject: LeaseSubject::Certificate("01:02".into()), ..active(1) };
        assert_eq!(certificate.renew(&grant, at(1_500)), Err(LeaseError::NotRenewable { id: id(1) }));
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_postpone_a_retry() {
        let lease = active(1).revoke(RevocationCause::Expired, at(100_000)).unwrap();
        let lease = lease.retry("down".into(), at(100_300), at(100_000)).unwrap();
        assert!(!lease.is_due(at(100_100)));
        assert!(lease.is_due(at(5_000)), "the last attempt lies in the future");
    }

    #[test]
    fn asking_again_makes_a_retry_due_and_keeps_its_history() {
        let lease = active(1).revoke(RevocationCause::Expired, at(5_000)).unwrap();
        let lease = lease.retry("down".into(), at(5_300), at(5_000)).unwrap();
        let again = lease.revoke(RevocationCause::Asked, at(5_001)).unwrap();
        let LeaseState::Revoking(revocation) = &again.state else { panic!("{again:?}") };
        assert_eq!(
            (revocation.cause, revocation.since, revocation.failures, revocation.next_attempt),
            (RevocationCause::Expired, at(5_000), 1, at(5_001))
        );
    }

    proptest! {
        /// A lease that was once being revoked is never usable again, whatever is tried.
        #[test]
        fn no_way_leads_back_from_revoking(acts in prop::collection::vec((0_u8..7, 0_u64..200_000), 0..30)) {
            let mut lease = active(1).revoke(RevocationCause::Asked, at(1_500)).unwrap();
            for (act, now) in acts {
                let now = at(now);
                let next = match act {
                    0 => lease.activate(Activation::default(), now),
                    1 => lease.renew(&ttl::grant(None, LIMITS, now).unwrap(), now),
                    2 => lease.revoke(RevocationCause::Asked, now),
                    3 => lease.retry("x".into(), now, now),
                    4 => lease.revoked(now),
                    5 => Ok(lease.freeze()),
                    _ => lease.thaw(),
                };
                lease = next.unwrap_or(lease);
                prop_assert_ne!(lease.state.name(), StateName::Active);
                prop_assert_ne!(lease.state.name(), StateName::Pending);
            }
        }
    }
}
