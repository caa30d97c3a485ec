//! A password changes in two phases, so that no crash loses it.
//!
//! ```text
//!  candidate                 drawn, and stored beside the current password: durable before the server hears of it
//!    | root, account         set on the server, then proved by a login
//!  InUse::Candidate          stored as the current one
//!  InUse::Current            the candidate is forgotten, or tried again
//! ```
//!
//! After a crash [`recover`] tries both: whichever logs in is the password.

use std::fmt;

use crate::database::{Database, DatabaseError, Login, PasswordChange};
use crate::password::Password;

/// Which password the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUse {
    /// The new one.
    Candidate,
    /// The one before.
    Current,
}

/// Changes the password of the connection's own user to a candidate that was stored. From then on connections are made with
/// it.
///
/// # Errors
///
/// [`RotationError`], which says which password is in use, if that is known.
pub async fn root<D: Database>(
    database: &D,
    current: &Password,
    change: &PasswordChange<'_>,
) -> Result<(), RotationError> {
    let changed = database.rotate_root(change).await;
    // Even a change that failed may have happened.
    let found = recover(database, change.username, Some(current), change.password).await;
    match (changed, found) {
        (_, Ok(InUse::Candidate)) => {
            database.use_password(change.password.clone());
            Ok(())
        }
        (changed, Ok(InUse::Current)) => {
            database.use_password(current.clone());
            Err(RotationError { in_use: Some(InUse::Current), cause: changed.err() })
        }
        (changed, Err(error)) => Err(RotationError { in_use: None, cause: changed.err().or(error.cause) }),
    }
}

/// Changes the password of another account to a candidate that was stored.
///
/// # Errors
///
/// [`RotationError`], which says which password is in use, if that is known.
pub async fn account<D: Database>(
    database: &D,
    current: Option<&Password>,
    change: &PasswordChange<'_>,
) -> Result<(), RotationError> {
    let changed = database.set_password(change).await;
    match (changed, recover(database, change.username, current, change.password).await) {
        (_, Ok(InUse::Candidate)) => Ok(()),
        (changed, Ok(InUse::Current)) => {
            Err(RotationError { in_use: Some(InUse::Current), cause: changed.err() })
        }
        (changed, Err(error)) => Err(RotationError { in_use: None, cause: changed.err().or(error.cause) }),
    }
}

/// Which of both passwords logs in: the candidate is tried first, so that a change goes on rather than back.
///
/// # Errors
///
/// [`RotationError`] if neither does, or the server cannot be asked.
pub async fn recover<D: Database>(
    database: &D,
    username: &str,
    current: Option<&Password>,
    candidate: &Password,
) -> Result<InUse, RotationError> {
    let unknown = |cause| RotationError { in_use: None, cause: Some(cause) };
    if database.login(username, candidate).await.map_err(unknown)? == Login::Accepted {
        return Ok(InUse::Candidate);
    }
    let Some(current) = current else { return Err(RotationError { in_use: None, cause: None }) };
    match database.login(username, current).await.map_err(unknown)? {
        Login::Accepted => Ok(InUse::Current),
        Login::Refused => Err(RotationError { in_use: None, cause: None }),
    }
}

/// A rotation that did not happen, or of which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationError {
    /// The password in use; `None` if that is not known: both are kept, and tried again.
    pub in_use: Option<InUse>,
    /// What the database said; `None` if it takes neither password.
    pub cause: Option<DatabaseError>,
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.in_use, &self.cause) {
            (Some(_), Some(cause)) => write!(f, "the password was not changed: {cause}"),
            (Some(_), None) => f.write_str("the password was not changed, although the server said so"),
            (None, Some(cause)) => write!(f, "the password may have been changed; both are kept: {cause}"),
            (None, None) => f.write_str("the server takes neither the new password nor the old one"),
        }
    }
}

impl std::error::Error for RotationError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryDatabase, Step};

    fn word(text: &str) -> Password {
        Password::new(text.into())
    }

    #[tokio::test]
    async fn a_crash_at_any_step_loses_no_password() {
        for (name, steps, wanted) in [
            ("all is well", vec![], Ok(())),
            ("the connection fails", vec![Step::Connect], Err(Some(InUse::Current))),
            ("the statement fails", vec![Step::Statement], Err(Some(InUse::Current))),
            ("the answer is lost", vec![Step::Answer], Ok(())),
        ] {
            let (old, new) = (word("old"), word("new"));
            let database = MemoryDatabase::new(old.clone());
            database.fail(&steps);
            let change = PasswordChange { username: "root", password: &new, salt: [0; 16], statements: None };
            let result = root(&database, &old, &change).await.map_err(|error| error.in_use);
            assert_eq!(result, wanted, "{name}");
            let in_use = recover(&database, "root", Some(&old), &new).await.unwrap();
            assert_eq!(in_use == InUse::Candidate, wanted.is_ok(), "{name}");
            database.ping().await.expect(name);
        }
    }

    #[tokio::test]
    async fn neither_password_is_told() {
        let database = MemoryDatabase::new(word("third"));
        let error = recover(&database, "root", Some(&word("old")), &word("new")).await.unwrap_err();
        assert_eq!(error, RotationError { in_use: None, cause: None });
        assert!(recover(&database, "root", None, &word("new")).await.is_err());
    }
}
