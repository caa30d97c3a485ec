//! A private key file in any of its formats: written in either format, it is the same key.
#![no_main]

use pki_core::key::{PrivateKeyDer, PrivateKeyFormat};

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(key) = PrivateKeyDer::from_der(der, Some(b"password")) else { return };
    for format in [PrivateKeyFormat::Pkcs8, PrivateKeyFormat::Traditional] {
        let again = PrivateKeyDer::from_der(&key.to_der(format), None).unwrap();
        assert_eq!(again.pkcs8_der(), key.pkcs8_der());
    }
});
