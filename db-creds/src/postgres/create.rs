//! A user comes into being: entirely or not at all.
//!
//! ```text
//! BEGIN; lock on the lease                answered before any other octet is sent
//!   is the lease still pending?           asked of the store, under the lock
//! lock on the name; is there such a role? statements; is there one now?
//!   no before, yes after?                 else ROLLBACK
//! COMMIT
//! ```
//!
//! A server goes on executing for a client that has died. While it does it holds the lock, and whoever sweeps the lease
//! waits for it; once the lock is free, the dead client's transaction has ended, or will never create anything: its client
//! never saw the answer to the lock, so nothing else was sent.

use std::num::NonZeroU32;

use super::connection::Failure;
use super::pool::{Borrowed, Pool};
use super::{Settings, first_field, joined, literal, nothing_happened, numbered};
use crate::database::{DatabaseError, DatabaseFault, Effect, Held};
use crate::grant::NewUser;
use crate::lease::Activation;
use crate::statement::{Sql, Values};

pub(super) async fn create_user(
    pool: &Pool,
    settings: &Settings,
    user: &NewUser,
    held: &(dyn Held + '_),
) -> Result<Activation, DatabaseError> {
    let sent = settings.password_authentication.sent(&user.password, user.salt)?;
    let values = Values { name: &user.name, password: Some(&sent), expiration: Some(user.valid_until) };
    let rendered = user.statements.render(&values)?;

    let lock = format!("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock({})", user.lock_key);
    let (mut connection, _) = pool.begin(&lock, &[]).await.map_err(nothing_happened)?;
    if !held.is_pending() {
        roll_back(connection).await;
        return Err(DatabaseError::before(DatabaseFault::NotHeld));
    }

    let name = literal(&user.name);
    // Two leases that planned one name take turns: the second one sees the first one's role.
    let lock_name = format!(
        "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('db-creds'), pg_catalog.hashtext({name}))"
    );
    let find = format!("SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {name}");
    let mut statements = vec![lock_name.as_str(), find.as_str()];
    statements.extend(rendered.iter().map(Sql::as_str));
    statements.push(&find);
    let secrets = [user.password.reveal(), &sent];
    let results = match connection.exchange(&joined(&statements), &secrets).await {
        Ok(results) => results,
        Err(failure) => {
            connection.release_after(&failure).await;
            return Err(rolled_back(failure, &statements));
        }
    };

    let before = first_field(&results, BEFORE);
    let after = results.last().and_then(|rows| rows.first()?.first()?.as_deref());
    let fault = match (before, after.and_then(|oid| oid.parse::<NonZeroU32>().ok())) {
        (None, Some(oid)) => return commit(connection, oid).await,
        (Some(_), _) => DatabaseFault::Exists { name: user.name.clone() },
        (None, None) => DatabaseFault::NotCreated { name: user.name.clone() },
    };
    roll_back(connection).await;
    Err(DatabaseError::before(fault))
}

async fn commit(mut connection: Borrowed<'_>, oid: NonZeroU32) -> Result<Activation, DatabaseError> {
    match connection.exchange("COMMIT", &[]).await {
        Ok(_) => {
            connection.release();
            Ok(Activation { oid: Some(oid) })
        }
        Err(failure) => {
            // The server's own no is an answer: a deferred constraint, and all is rolled back. Silence is none.
            let effect = if failure.sqlstate().is_some() { Effect::None } else { Effect::Unknown };
            connection.release_after(&failure).await;
            Err(DatabaseError { fault: failure.fault, effect })
        }
    }
}

async fn roll_back(mut connection: Borrowed<'_>) {
    if connection.exchange("ROLLBACK", &[]).await.is_ok() {
        connection.release();
    }
}

/// An error before COMMIT was sent: the transaction cannot have been committed, even if the connection broke.
fn rolled_back(failure: Failure, statements: &[&str]) -> DatabaseError {
    // The last statement is the driver's.
    let theirs = statements.split_last().map_or(statements, |(_, theirs)| theirs);
    DatabaseError::before(numbered(failure, theirs, OWN).fault)
}

/// The driver's own statements before the role's.
const OWN: usize = 2;
/// The result of the one that looks for the role.
const BEFORE: usize = 1;
