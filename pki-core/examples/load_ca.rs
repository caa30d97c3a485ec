//! Sign with a CA that exists already: its certificate and key in PEM, made here by whatever tool you have.
//!
//! `cargo run -p pki-core --example load_ca -- ca.crt ca.key request.csr > certificate.pem`

use std::fs;

use pki_core::certificate::Certificate;
use pki_core::csr::CertificationRequest;
use pki_core::extension::Endpoints;
use pki_core::issue::SignRequest;
use pki_core::issuer::{Issuer, IssuerCertificate};
use pki_core::key::PrivateKeyDer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::random::RandomError;
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType};
use pki_core::time::UnixTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [certificate, key, csr] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(
            |_| "usage: load_ca CA.CRT CA.KEY REQUEST.CSR (any of PKCS#8, PKCS#1, SEC1 for the key)",
        )?;
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let now =
        UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed()?.as_secs()).ok_or("the clock is past 9999")?;

    // The certificate has to be a CA's, and the key has to be the certificate's: both are checked here, once.
    let certificate = IssuerCertificate::new(Certificate::from_pem(&fs::read_to_string(certificate)?)?)?;
    let key = PrivateKeyDer::from_pem(&fs::read_to_string(key)?, None)?;
    let ca = Issuer::new(certificate, SoftwareKey::from_private_key(&key)?)?;

    let csr = CertificationRequest::from_pem(&fs::read_to_string(csr)?, &Verifier)?;
    let role = Role::new(RoleConfig {
        key_type: RoleKeyType::Any,
        allow_any_name: true,
        require_cn: false,
        ..RoleConfig::default()
    })?;
    let permitted = role.permit_csr(SignRequest::new(csr), &Limits::default(), now)?;
    let issued = ca.issue(permitted, &Endpoints::default(), now, &mut rng)?;
    print!("{}", issued.to_pem());
    Ok(())
}
