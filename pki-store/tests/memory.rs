//! The contract, in memory.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use pki_store::MemoryStore;
use pki_store::contract::{SeededRandom, at};

fn two_handles() -> (MemoryStore, MemoryStore, ()) {
    let store = MemoryStore::init(&mut SeededRandom(1), at(0)).unwrap();
    (store.clone(), store, ())
}

pki_store::store_contract!(two_handles);
