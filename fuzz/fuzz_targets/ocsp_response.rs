//! An OCSP response: whatever is read is kept byte for byte.
#![no_main]

use pki_core::ocsp::OcspResponse;

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(response) = OcspResponse::from_der(der) else { return };
    assert_eq!(response.der(), der);
    let _ = response.basic().map(|basic| (basic.answers().len(), basic.nonce().is_some()));
});
