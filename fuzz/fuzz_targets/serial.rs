//! A serial number: printed and read again it is the same, and it fits RFC 5280 4.1.2.2.
#![no_main]

use pki_core::serial::SerialNumber;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(serial) = SerialNumber::parse(text) else { return };
    assert_eq!(SerialNumber::parse(&serial.to_string()).unwrap(), serial);
    assert_eq!(SerialNumber::from_be_bytes(serial.der_content()).unwrap(), serial);
});
