//! The contract, on disk: with and without a seal, one transaction each and in groups.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use pki_store::contract::{SeededRandom, at};
use pki_store::seal::{NewSeal, Unseal};
use pki_store::sqlite::{Commits, Options, SqliteStore};
use tempfile::TempDir;

/// Two handles as two processes have them, on a fresh store.
fn handles(seal: NewSeal, commits: [Commits; 2], directory: TempDir) -> (SqliteStore, SqliteStore, TempDir) {
    let store = directory.path().join("store");
    let [first, second] = commits.map(|commits| Options { commits, ..Options::default() });
    let one = SqliteStore::init(&store, seal, first, &mut SeededRandom(1), at(0)).unwrap();
    let other = SqliteStore::open(&store, Unseal::Nothing, second).unwrap();
    (one, other, directory)
}

mod no_seal_inline {
    use super::*;

    fn two_handles() -> (SqliteStore, SqliteStore, TempDir) {
        handles(NewSeal::None, [Commits::Inline; 2], tempfile::tempdir().unwrap())
    }

    pki_store::store_contract!(two_handles);
}

mod key_file_grouped {
    use super::*;

    fn two_handles() -> (SqliteStore, SqliteStore, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let seal = NewSeal::KeyFile(directory.path().join("key"));
        handles(seal, [Commits::Grouped, Commits::Inline], directory)
    }

    pki_store::store_contract!(two_handles);
}
