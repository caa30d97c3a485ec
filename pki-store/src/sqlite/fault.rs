//! What SQLite says, in the store's words.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::{Conflict, StoreError};

/// A failure inside: translated once, at the edge, where the path is known.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Conflict> for Fault {
    fn from(conflict: Conflict) -> Self {
        Self::Store(StoreError::Conflict(conflict))
    }
}

impl Fault {
    pub(crate) const fn damaged(table: &'static str, row: i64, fault: &'static str) -> Self {
        Self::Store(StoreError::Damaged { table, row, fault })
    }

    pub(crate) const fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(_)))
    }

    /// For the caller: `file` is the database in the store's directory, `waited` the busy timeout.
    pub(crate) fn into_error(self, file: &Path, waited: Duration) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => sql_error(&error, file, waited),
        }
    }
}

/// The same failure for each batch of a group, since errors cannot be copied.
pub(crate) fn sql_error(error: &rusqlite::Error, file: &Path, waited: Duration) -> StoreError {
    let store = file.parent().unwrap_or(file);
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        // Columns of the wrong type and the like: somebody wrote the file with other tools.
        return StoreError::Malformed { path: file.into(), detail: error.to_string() };
    };
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Locked { path: store.into(), waited }
        }
        ErrorCode::ConstraintViolation => Conflict::IdTaken.into(),
        ErrorCode::DiskFull => StoreError::Full { path: store.into() },
        // The shared memory of the write-ahead log could not grow: in practice a full disk.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            StoreError::Full { path: store.into() }
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => unusable(file)
            .unwrap_or_else(|| StoreError::Io {
                act: "open",
                path: file.into(),
                source: io::Error::other(error.to_string()),
            }),
        ErrorCode::NotADatabase => {
            StoreError::NotAStore { path: store.into(), fault: "its pki.db is no database" }
        }
        ErrorCode::DatabaseCorrupt => {
            StoreError::Malformed { path: file.into(), detail: message.clone().unwrap_or_default() }
        }
        _ => unusable(file).unwrap_or_else(|| StoreError::Io {
            act: "use",
            path: file.into(),
            source: io::Error::other(error.to_string()),
        }),
    }
}

/// Asks the file system why it does not let us: SQLite does not tell a read-only mount from a lack of rights.
pub(crate) fn unusable(file: &Path) -> Option<StoreError> {
    let store = file.parent().unwrap_or(file);
    if fs::symlink_metadata(file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Some(StoreError::NotAStore { path: store.into(), fault: "it has no pki.db" });
    }
    let by_kind = |path: &Path, error: &io::Error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => Some(StoreError::ReadOnly { path: store.into() }),
        io::ErrorKind::PermissionDenied => Some(StoreError::Permission { path: path.into() }),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some(StoreError::Full { path: store.into() })
        }
        _ => None,
    };
    for name in ["pki.db", "pki.db-wal", "pki.db-shm"] {
        let path = store.join(name);
        if path.exists()
            && let Err(error) = OpenOptions::new().append(true).open(&path)
        {
            return by_kind(&path, &error);
        }
    }
    let probe = store.join(".probe");
    match OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => {
            // Only to learn whether it could be made; what is left of it harms nobody.
            let _ = fs::remove_file(&probe);
            None
        }
        Err(error) => by_kind(store, &error),
    }
}
