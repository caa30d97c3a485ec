//! A CRL: whatever is read is kept byte for byte, and every entry answers.
#![no_main]

use pki_core::crl::CertificateRevocationList;

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(crl) = CertificateRevocationList::from_der(der) else { return };
    assert_eq!(CertificateRevocationList::from_pem(&crl.to_pem()).unwrap().der(), der);
    let _ = (crl.entries().count(), crl.number(), crl.next_update(), crl.is_partial());
});
