//! The way of a credential: plan, store as pending, create, store as active, answer.
//!
//! ```text
//!  DatabaseRole::plan        user name, password, statements, end: nothing has happened yet
//!    | Plan::lease           pending: the caller stores it, durably, before the user exists
//!    | create                the only act in the outside world
//!  Created                   the active lease: the caller stores it
//!    | Created::credential   the answer, once that is stored
//! ```
//!
//! A crash at any point leaves a lease that will be revoked, or nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::database::{Database, DatabaseError, Effect, Held};
use crate::lease::{Lease, LeaseError, RevocationCause};
use crate::password::Password;
use crate::statement::Statements;
use crate::time::UnixTime;
use crate::ttl::TtlWarning;

/// A credential that is planned.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) lease: Lease,
    pub(crate) user: NewUser,
    pub(crate) ttl: Duration,
    pub(crate) warning: Option<TtlWarning>,
}

impl Plan {
    /// The pending lease, to be stored before [`create`].
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The user that will be created.
    pub const fn user(&self) -> &NewUser {
        &self.user
    }
}

/// A user to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The key of the lock that creation and removal take: the lease's.
    pub lock_key: i64,
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: Password,
    /// For the verifier that is sent in the password's place.
    pub salt: [u8; 16],
    /// The end of its password, a little after the lease's.
    pub valid_until: UnixTime,
    /// What creates it.
    pub statements: Arc<Statements>,
}

/// Creates the user of a plan whose lease was stored.
///
/// # Errors
///
/// [`GrantError`], with the lease's next state, which the caller stores: the user does not exist, or a sweep removes it.
pub async fn create<D: Database>(
    database: &D,
    plan: Plan,
    held: &(dyn Held + '_),
    clock: impl Fn() -> UnixTime,
) -> Result<Created, GrantError> {
    let Plan { lease, user, ttl, warning } = plan;
    let activation = match database.create_user(&user, held).await {
        Ok(activation) => activation,
        Err(cause) => return Err(GrantError::of_database(&lease, cause, clock())),
    };
    // The clock is read again: creating may have taken longer than a short lease lives.
    match lease.activate(activation, clock()) {
        Ok(active) => Ok(Created { lease: active, ttl, warning, name: user.name, password: user.password }),
        Err(error) => {
            let next = Lease { activation: Some(activation), ..lease };
            let next = next.revoke(RevocationCause::Expired, clock()).unwrap_or(next);
            Err(GrantError { lease: Box::new(next), cause: GrantFault::Lease(error) })
        }
    }
}

/// A user that exists: its lease is to be stored as active.
#[derive(Debug)]
pub struct Created {
    lease: Lease,
    ttl: Duration,
    warning: Option<TtlWarning>,
    name: String,
    password: Password,
}

impl Created {
    /// The active lease, to be stored before the credential is given out. If the store has meanwhile moved the lease to
    /// another state, this value is dropped: there is no credential.
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The credential.
    pub fn credential(self) -> Credential {
        let Self { lease, ttl, warning, name, password } = self;
        Credential { lease, ttl, warning, username: name, password }
    }
}

/// What the requester gets.
#[derive(Debug)]
pub struct Credential {
    /// The lease.
    pub lease: Lease,
    /// Its duration.
    pub ttl: Duration,
    /// What was cut off.
    pub warning: Option<TtlWarning>,
    /// The user.
    pub username: String,
    /// Its password.
    pub password: Password,
}

/// No credential was made.
#[derive(Debug)]
pub struct GrantError {
    /// The lease's next state: revoked if surely nothing happened, revoking otherwise.
    pub lease: Box<Lease>,
    /// Why.
    pub cause: GrantFault,
}

/// Why no credential was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantFault {
    /// The database.
    Database(DatabaseError),
    /// The lease was over before its user existed.
    Lease(LeaseError),
}

impl GrantError {
    fn of_database(lease: &Lease, cause: DatabaseError, now: UnixTime) -> Self {
        let revoking = lease.revoke(RevocationCause::Failed, now);
        let next = match cause.effect {
            Effect::None => revoking.and_then(|lease| lease.revoked(now)),
            Effect::Unknown => revoking,
        };
        Self { lease: Box::new(next.unwrap_or_else(|_| lease.clone())), cause: GrantFault::Database(cause) }
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            GrantFault::Database(error) => write!(f, "{error}"),
            GrantFault::Lease(error) => {
                write!(f, "the user took longer to create than its lease lives: {error}")
            }
        }
    }
}

impl std::error::Error for GrantError {}
