//! A certificate: whatever is read is kept byte for byte, and every view of it answers.
#![no_main]

use pki_core::certificate::Certificate;

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(certificate) = Certificate::from_der(der) else { return };
    assert_eq!(Certificate::from_pem(&certificate.to_pem()).unwrap().der(), der);
    let _ = (
        certificate.place(),
        certificate.key_usages(),
        certificate.extended_key_usages(),
        certificate.alternative_names(),
    );
    let _ =
        (certificate.crl_distribution_points(), certificate.subject().to_string(), certificate.authority());
});
