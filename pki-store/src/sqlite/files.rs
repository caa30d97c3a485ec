//! The store's directory: made at once or not at all, readable by its owner only.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use pki_core::random::SecureRandom;
use pki_core::time::UnixTime;
use rusqlite::{Connection, params};

use super::audit::first_head;
use super::fault::Fault;
use super::session::{Session, connect, layout, natural, seconds};
use super::{Options, schema};
use crate::envelope::{Keyring, unwrap, wrap};
use crate::error::StoreError;
use crate::fields::Fields;
use crate::id::{MountId, StoreId};
use crate::mount::{MountKind, NewMount};
use crate::seal::{NewSeal, RootKey, SEAL_FILE, Seal, Unseal, random_key};

/// The database's file in the store's directory.
pub const DATABASE_FILE: &str = "pki.db";

/// Makes the store. A directory that is not there appears complete; one that is there and empty is filled.
pub(crate) fn create(
    directory: &Path,
    seal: NewSeal,
    options: Options,
    rng: &mut dyn SecureRandom,
    now: UnixTime,
) -> Result<(), StoreError> {
    match fs::read_dir(directory) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(StoreError::Exists { path: directory.into() });
            }
            fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
                .map_err(|source| file_error("protect", directory, source))?;
            fill(directory, directory, seal, options, rng, now).inspect_err(|_| {
                for name in [SEAL_FILE, DATABASE_FILE, "pki.db-wal", "pki.db-shm"] {
                    let _ = fs::remove_file(directory.join(name));
                }
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or_else(|| Path::new("."));
            fs::create_dir_all(parent).map_err(|source| file_error("create", parent, source))?;
            let draft = parent.join(format!(".{}.new", MountId::random(rng)?));
            DirBuilder::new()
                .mode(0o700)
                .create(&draft)
                .map_err(|source| file_error("create", &draft, source))?;
            let made = fill(&draft, directory, seal, options, rng, now).and_then(|()| {
                fs::rename(&draft, directory).map_err(|source| match source.kind() {
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                        StoreError::Exists { path: directory.into() }
                    }
                    _ => file_error("create", directory, source),
                })
            });
            if made.is_err() {
                let _ = fs::remove_dir_all(&draft);
            }
            made?;
            sync_directory(parent)
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(StoreError::Exists { path: directory.into() })
        }
        Err(source) => Err(file_error("read", directory, source)),
    }
}

/// Opens the store's keys and a first connection.
pub(crate) fn open(directory: &Path, unseal: &Unseal, options: Options) -> Result<Session, StoreError> {
    let seal = Seal::read(directory)?;
    let root = seal.open(unseal, directory)?;
    let file = directory.join(DATABASE_FILE);
    let faulty = |fault: Fault| fault.into_error(&file, options.busy_timeout);
    let connection = connect(&file, options.busy_timeout).map_err(faulty)?;
    let found = layout(&connection, directory).map_err(faulty)?;
    if found == 0 {
        return Err(StoreError::NotAStore { path: directory.into(), fault: "its pki.db has no layout" });
    }
    if found < schema::LAYOUT {
        upgrade(&connection, directory).map_err(faulty)?;
    }
    let keys = keyring(&connection, seal.store, &root, directory).map_err(faulty)?;
    Ok(Session::new(connection, Arc::new(keys), file, options.busy_timeout))
}

fn upgrade(connection: &Connection, directory: &Path) -> Result<(), Fault> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Another process may have been here first.
    layout(connection, directory)
        .and_then(|found| schema::migrate(connection, found))
        .and_then(|()| Ok(connection.execute_batch("COMMIT")?))
        .inspect_err(|_| {
            let _ = connection.execute_batch("ROLLBACK");
        })
}

fn fill(
    draft: &Path,
    directory: &Path,
    seal: NewSeal,
    options: Options,
    rng: &mut dyn SecureRandom,
    now: UnixTime,
) -> Result<(), StoreError> {
    let store = StoreId::random(rng)?;
    let (seal, root) = Seal::create(seal, store, directory, rng)?;
    let file = draft.join(DATABASE_FILE);
    private_file(&file, b"")?;
    let faulty = |fault: Fault| fault.into_error(&file, options.busy_timeout);
    let mut connection = connect(&file, options.busy_timeout).map_err(faulty)?;
    (|| -> Result<(), Fault> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let transaction = connection.transaction()?;
        tables(&transaction, store, &root, rng, now)?;
        transaction.commit()?;
        Ok(())
    })()
    .map_err(faulty)?;
    let keys = keyring(&connection, store, &root, draft).map_err(faulty)?;
    let session = Session::new(connection, Arc::new(keys), file.clone(), options.busy_timeout);
    (|| -> Result<(), Fault> {
        session.connection.execute_batch("BEGIN IMMEDIATE")?;
        for (name, kind) in [("pki", MountKind::Pki), ("database", MountKind::Database)] {
            let id = MountId::random(rng).map_err(StoreError::from)?;
            session.create_mount(&NewMount::new(id, name, kind), now)?;
        }
        session.write_head(&first_head(*store.as_bytes()))?;
        session.connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    })()
    .map_err(faulty)?;
    drop(session);
    // The seal comes last: a directory without it is no store yet.
    private_file(&draft.join(SEAL_FILE), seal.to_toml().as_bytes())?;
    sync_directory(draft)
}

fn tables(
    connection: &Connection,
    store: StoreId,
    root: &RootKey,
    rng: &mut dyn SecureRandom,
    now: UnixTime,
) -> Result<(), Fault> {
    schema::migrate(connection, 0)?;
    let keys = match root {
        None => Keyring::plain(store),
        Some(root) => {
            let data_key = random_key(rng)?;
            let wrapped = wrap(root, &data_key_place(store, 1), &data_key, rng)?;
            connection.execute(
                "INSERT INTO data_key (n, wrapped, created_at) VALUES (1, ?1, ?2)",
                params![wrapped, seconds(now)],
            )?;
            Keyring::sealed(store, 1, &data_key)
        }
    };
    let code = keys.rows.code(store_fields(store, now).as_bytes());
    connection.execute(
        "INSERT INTO store (n, id, created_at, mac) VALUES (1, ?1, ?2, ?3)",
        params![store.as_bytes(), seconds(now), code],
    )?;
    Ok(())
}

/// Reads and opens the data key, and checks that seal and database belong together.
fn keyring(
    connection: &Connection,
    store: StoreId,
    root: &RootKey,
    directory: &Path,
) -> Result<Keyring, Fault> {
    let (found, created_at, code) =
        connection.query_row("SELECT id, created_at, mac FROM store WHERE n = 1", [], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?;
    if found != *store.as_bytes() {
        let fault = "its seal.toml belongs to another store";
        return Err(StoreError::NotAStore { path: directory.into(), fault }.into());
    }
    let keys = match root {
        None => Keyring::plain(store),
        Some(root) => {
            let mut statement =
                connection.prepare("SELECT n, wrapped FROM data_key ORDER BY n DESC LIMIT 1")?;
            let mut rows = statement.query([])?;
            let Some(row) = rows.next()? else {
                return Err(Fault::damaged("data_key", 1, "it is missing"));
            };
            let n: i64 = row.get(0)?;
            let number = u16::try_from(natural(row, 0)?)
                .map_err(|_| Fault::damaged("data_key", n, "its number is out of range"))?;
            let data_key =
                unwrap(root, &data_key_place(store, number), row.get_ref(1)?.as_blob().unwrap_or_default())
                    .ok_or_else(|| Fault::damaged("data_key", n, "the root key does not open it"))?;
            Keyring::sealed(store, number, &data_key)
        }
    };
    let created_at = u64::try_from(created_at).ok().and_then(UnixTime::from_secs).unwrap_or(UnixTime::MIN);
    if !keys.rows.fits(store_fields(store, created_at).as_bytes(), &code) {
        return Err(Fault::damaged("store", 1, "its content was changed after it was written"));
    }
    Ok(keys)
}

fn data_key_place(store: StoreId, number: u16) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.text("pki-store data key").octets(store.as_bytes()).number(number.into());
    fields.into_bytes()
}

fn store_fields(store: StoreId, created_at: UnixTime) -> Fields {
    let mut fields = Fields::row("store", 1);
    fields.octets(store.as_bytes()).time(created_at);
    fields
}

fn private_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| file_error("create", path, source))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(|source| file_error("write", path, source))
}

fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| file_error("write", directory, source))
}

fn file_error(act: &'static str, path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => StoreError::Permission { path: path.into() },
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path: path.into() },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path: path.into() },
        _ => StoreError::Io { act, path: path.into(), source },
    }
}
