//! A CSR, believed to be signed: whatever is read is kept byte for byte.
#![no_main]

use pki_core::csr::CertificationRequest;
use pki_core::key::{PublicKey, SignatureAlgorithm, VerifyError, VerifySignature};

/// Takes every signature for good, so that what lies behind the proof of possession is reached.
struct Credulous;

impl VerifySignature for Credulous {
    fn verify(&self, _: &PublicKey, _: SignatureAlgorithm, _: &[u8], _: &[u8]) -> Result<(), VerifyError> {
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(csr) = CertificationRequest::from_der(der, &Credulous) else { return };
    assert_eq!(csr.der(), der);
    assert_eq!(CertificationRequest::from_pem(&csr.to_pem(), &Credulous).unwrap().der(), der);
});
