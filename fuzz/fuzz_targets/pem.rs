//! PEM: what is read and written again reads the same.
#![no_main]

use pki_core::pem;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(blocks) = pem::parse(text) else { return };
    let again: String = blocks.iter().map(|block| pem::encode(&block.label, &block.der)).collect();
    let again = pem::parse(&again).unwrap();
    assert!(blocks.iter().map(|b| (&b.label, &b.der)).eq(again.iter().map(|b| (&b.label, &b.der))));
});
