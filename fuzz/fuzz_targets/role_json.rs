//! A stored role: what is read and written again reads the same, and accepting it settles it.
#![no_main]

use pki_core::role::{Role, RoleDocument};

libfuzzer_sys::fuzz_target!(|json: &[u8]| {
    let Ok(document) = RoleDocument::from_json(json) else { return };
    assert_eq!(RoleDocument::from_json(document.to_json().unwrap().as_bytes()).unwrap(), document);
    let Ok(role) = Role::new(document.role) else { return };
    assert_eq!(Role::new(role.config().clone()).unwrap().config(), role.config());
});
