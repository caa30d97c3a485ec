//! A DNS name: reading settles it, in ASCII and within its limits.
#![no_main]

use pki_core::name::DnsName;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(name) = DnsName::parse(text) else { return };
    assert_eq!(DnsName::parse(name.as_str()).unwrap(), name);
    assert!(name.as_str().is_ascii() && name.as_str().len() <= DnsName::MAX_NAME);
});
