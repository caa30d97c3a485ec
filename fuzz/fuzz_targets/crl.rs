//! A CRL: whatever is read is kept byte for byte, and every entry means the same when it is written again.
#![no_main]

use pki_core::crl::{CertificateRevocationList, entries};
use pki_core::revocation::RevokedCertificate;

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let Ok(crl) = CertificateRevocationList::from_der(der) else { return };
    assert_eq!(CertificateRevocationList::from_pem(&crl.to_pem()).unwrap().der(), der);
    let read: Vec<RevokedCertificate> = crl.entries().collect::<Result<_, _>>().unwrap();
    let written: Vec<u8> = read.iter().flat_map(RevokedCertificate::entry_der).collect();
    assert_eq!(entries(&written).collect::<Result<Vec<_>, _>>().unwrap(), read);
    let _ = (crl.number(), crl.next_update(), crl.is_partial(), crl.scope());
});
