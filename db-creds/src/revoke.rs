//! The end of a lease: due, revoking, revoked; or tried again, for ever and visibly.
//!
//! ```text
//!  Ledger::due | a request        which leases
//!    | Lease::revoke              stored: nobody gets this credential any more
//!    | Database::drop_user        may fail, and be repeated
//!    | Lease::revoked             stored
//!    | or Lease::retry            stored with its error: back-off with jitter, without an end
//! ```

use crate::database::Database;
use crate::lease::{Lease, LeaseError, LeaseState, RevocationCause};
use crate::random::{RandomError, SecureRandom};
use crate::time::UnixTime;
use crate::ttl;

/// What is to be done for a lease that is due: its state before anything is done, to be stored first.
///
/// # Errors
///
/// [`LeaseError`] if the lease is frozen.
pub fn begin(lease: &Lease, now: UnixTime) -> Result<Lease, LeaseError> {
    match lease.state {
        LeaseState::Revoking(_) => Ok(lease.clone()),
        LeaseState::Pending { .. } => lease.revoke(RevocationCause::Abandoned, now),
        _ => lease.revoke(RevocationCause::Expired, now),
    }
}

/// Ends the user of a lease that is stored as revoking. The result is the lease's next state, to be stored: revoked, or
/// revoking with the error and the time of the next attempt.
///
/// # Errors
///
/// [`RevokeError`] if the lease is not being revoked, or no time can be drawn for the next attempt.
pub async fn attempt<D: Database>(
    database: &D,
    lease: &Lease,
    clock: impl Fn() -> UnixTime,
    rng: &mut dyn SecureRandom,
) -> Result<Lease, RevokeError> {
    let LeaseState::Revoking(revocation) = &lease.state else {
        // Asks for the error that names state and act.
        return lease.revoked(clock()).map_err(RevokeError::Lease);
    };
    let failures = revocation.failures.saturating_add(1);
    match database.drop_user(lease).await {
        Ok(()) => lease.revoked(clock()).map_err(RevokeError::Lease),
        Err(error) => {
            let now = clock();
            let next = ttl::retry_at(failures, now, rng).map_err(RevokeError::Random)?;
            lease.retry(error.to_string(), next, now).map_err(RevokeError::Lease)
        }
    }
}

/// A revocation that could not be attempted, or not be scheduled again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The lease's state.
    Lease(LeaseError),
    /// The source of randomness.
    Random(RandomError),
}

impl std::fmt::Display for RevokeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lease(error) => write!(f, "{error}"),
            Self::Random(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for RevokeError {}
