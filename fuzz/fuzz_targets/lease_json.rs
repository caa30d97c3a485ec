//! A stored lease: what is read and written again reads the same.
#![no_main]

use db_creds::lease::{Lease, LeaseDocument};

libfuzzer_sys::fuzz_target!(|json: &[u8]| {
    let Ok(document) = LeaseDocument::from_json(json) else { return };
    assert_eq!(LeaseDocument::from_json(document.to_json().unwrap().as_bytes()).unwrap(), document);
    let Ok(lease) = Lease::try_from(document.clone()) else { return };
    assert_eq!(LeaseDocument::from(&lease), document);
});
