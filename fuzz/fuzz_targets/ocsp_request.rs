//! An OCSP request: whatever comes gets a response that can be read, and what cannot be read is malformedRequest.
#![no_main]

use std::sync::LazyLock;

use pki_core::hierarchy::CaRequest;
use pki_core::issuer::Issuer;
use pki_core::key::{KeyAlgorithm, software::SoftwareKey};
use pki_core::name::DistinguishedName;
use pki_core::ocsp::{
    ErrorStatus, OcspRequest, OcspResponder, OcspResponse, RequestSignatures, SerialStatus, StatusPeriod,
};
use pki_core::role::Limits;
use pki_core::time::UnixTime;

static ISSUER: LazyLock<Issuer<SoftwareKey>> = LazyLock::new(|| {
    let name = DistinguishedName::with_common_name("Fuzz").unwrap();
    let key = SoftwareKey::generate(KeyAlgorithm::Ed25519, &mut fixed).unwrap();
    Issuer::self_signed(CaRequest::new(name), key, &Limits::default(), now(), &mut fixed).unwrap()
});

fn fixed(out: &mut [u8]) -> Result<(), pki_core::random::RandomError> {
    out.fill(7);
    Ok(())
}

fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000).unwrap()
}

libfuzzer_sys::fuzz_target!(|der: &[u8]| {
    let responder = OcspResponder::of_issuer(&*ISSUER).unwrap();
    let mut lookup = |_: &_| Ok(SerialStatus::NotListed);
    let period = StatusPeriod::starting(now(), None);
    let response = responder.respond(der, RequestSignatures::Ignore, &mut lookup, period, &mut fixed);
    assert_eq!(OcspResponse::from_der(response.der()).unwrap(), response);
    match (OcspRequest::from_der(der), response.basic()) {
        (Ok(request), Ok(basic)) => assert_eq!(basic.answers().len(), request.cert_ids().len()),
        (Ok(_), Err(status)) => assert_eq!(status, ErrorStatus::Unauthorized),
        (Err(_), answer) => assert_eq!(answer.map(|_| ()), Err(ErrorStatus::MalformedRequest)),
    }
});
