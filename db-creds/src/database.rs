//! What a driver does: the only acts in the outside world.

use std::fmt;
use std::future::Future;

use crate::grant::NewUser;
use crate::lease::{Activation, Lease};
use crate::password::Password;
use crate::statement::{RenderError, Statements};
use crate::time::UnixTime;

/// A database that users live in.
///
/// Every act may be repeated: after a crash nobody knows how far the one before came.
pub trait Database: Send + Sync {
    /// The longest name of a user, in octets.
    fn longest_name(&self) -> usize;

    /// Creates a user, entirely or not at all.
    ///
    /// Under a lock on the lease, `held` is asked once more whether the lease is still pending: an answer of `false` means
    /// that somebody is revoking it, and nothing is created.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], which says whether the user may exist.
    fn create_user(
        &self,
        user: &NewUser,
        held: &(dyn Held + '_),
    ) -> impl Future<Output = Result<Activation, DatabaseError>> + Send;

    /// Moves the end of the user's password, with the lease's own statements where it has some.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    fn extend_user(
        &self,
        lease: &Lease,
        valid_until: UnixTime,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Ends the user and its sessions. Succeeds if it is gone; for a lease that was never active, only under the lock that
    /// its creation takes, since a server goes on executing for clients that have died.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: the user may still be there, and the act is tried again.
    fn drop_user(&self, lease: &Lease) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Sets the password of another user, with these statements or the driver's own.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    fn set_password(
        &self,
        change: &PasswordChange<'_>,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Sets the password of the connection's own user, without using it yet.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    fn rotate_root(
        &self,
        change: &PasswordChange<'_>,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Whether this user logs in with this password.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] when that cannot be found out; a refusal is [`Login::Refused`].
    fn login(
        &self,
        username: &str,
        password: &Password,
    ) -> impl Future<Output = Result<Login, DatabaseError>> + Send;

    /// From now on connections are made with this password.
    fn use_password(&self, password: Password);

    /// The users whose names begin so: what [`crate::reconcile`] compares with the ledger.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    fn list_users(&self, prefix: &str)
    -> impl Future<Output = Result<Vec<ServerUser>, DatabaseError>> + Send;

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    fn ping(&self) -> impl Future<Output = Result<(), DatabaseError>> + Send;
}

/// Whether a lease is still pending: asked of the store, under the database's lock.
pub trait Held: Send + Sync {
    /// `false` if the lease was moved to another state, or that cannot be found out.
    fn is_pending(&self) -> bool;
}

impl<F: Fn() -> bool + Send + Sync> Held for F {
    fn is_pending(&self) -> bool {
        self()
    }
}

/// A password to be set.
#[derive(Clone, Copy, Debug)]
pub struct PasswordChange<'a> {
    /// Whose.
    pub username: &'a str,
    /// Which.
    pub password: &'a Password,
    /// For the verifier that is sent in its place.
    pub salt: [u8; 16],
    /// How; `None` is the driver's own statement.
    pub statements: Option<&'a Statements>,
}

/// What a login came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// It works.
    Accepted,
    /// The server says no.
    Refused,
}

/// A user that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUser {
    /// Its name.
    pub name: String,
    /// What the database numbers it.
    pub activation: Activation,
    /// Whether it may log in: a revocation that has begun took that away.
    pub login: LoginRight,
    /// How many sessions it has.
    pub sessions: u32,
}

/// Whether a user may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRight {
    /// It may.
    Granted,
    /// It may not.
    Withdrawn,
}

/// An act that failed. No part of it holds a secret, a statement or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseError {
    /// What went wrong.
    pub fault: DatabaseFault,
    /// Whether something may have happened.
    pub effect: Effect,
}

/// Whether an act that failed may have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing has happened: the transaction never began, or the server said that it was rolled back.
    None,
    /// Nobody knows.
    Unknown,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseFault {
    /// What keeps a user from ending, and who must act.
    Blocked {
        /// The prepared transactions, replication slots or databases, by name.
        by: String,
    },
    /// The configuration does not work.
    Configuration {
        /// Why.
        problem: String,
    },
    /// The connection cannot be made, or broke.
    Connection {
        /// Why.
        problem: String,
    },
    /// The user existed before.
    Exists {
        /// Its name.
        name: String,
    },
    /// The server answered with something that is no answer, or with too much.
    Hostile {
        /// What.
        problem: &'static str,
    },
    /// The creation statements made no user of the planned name.
    NotCreated {
        /// That name.
        name: String,
    },
    /// The lease is not pending any more.
    NotHeld,
    /// A value cannot stand in a statement.
    Render(RenderError),
    /// The server refused a statement.
    Server {
        /// SQLSTATE: five characters.
        sqlstate: String,
        /// Its primary message, without the password.
        message: String,
        /// The statement's number from 1; 0 for the driver's own.
        statement: usize,
    },
    /// No answer within the time allowed.
    Timeout,
}

impl DatabaseError {
    /// An error before anything happened.
    pub const fn before(fault: DatabaseFault) -> Self {
        Self { fault, effect: Effect::None }
    }

    /// An error after something may have happened.
    pub const fn unknown(fault: DatabaseFault) -> Self {
        Self { fault, effect: Effect::Unknown }
    }

    /// The SQLSTATE, if the server gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.fault {
            DatabaseFault::Server { sqlstate, .. } => Some(sqlstate),
            _ => None,
        }
    }
}

impl From<RenderError> for DatabaseError {
    fn from(error: RenderError) -> Self {
        Self::before(DatabaseFault::Render(error))
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            DatabaseFault::Blocked { by } => write!(f, "the user cannot end before these do: {by}"),
            DatabaseFault::Configuration { problem } => write!(f, "{problem}"),
            DatabaseFault::Connection { problem } => write!(f, "the database cannot be reached: {problem}"),
            DatabaseFault::Exists { name } => write!(f, "a user {name:?} exists already"),
            DatabaseFault::Hostile { problem } => {
                write!(f, "the server does not behave like a database: {problem}")
            }
            DatabaseFault::NotCreated { name } => {
                write!(f, "the creation statements made no user {name:?}: nothing was created")
            }
            DatabaseFault::NotHeld => f.write_str("the lease is being revoked: nothing was created"),
            DatabaseFault::Render(error) => write!(f, "{error}"),
            DatabaseFault::Server { sqlstate, message, statement: 0 } => {
                write!(f, "the server says {sqlstate}: {message}")
            }
            DatabaseFault::Server { sqlstate, message, statement } => {
                write!(f, "statement {statement}: the server says {sqlstate}: {message}")
            }
            DatabaseFault::Timeout => f.write_str("the database did not answer in time"),
        }
    }
}

impl std::error::Error for DatabaseError {}
