//! A CA in a service: make one, sign a CSR under a role, print the chain.

use pki_core::{csr::CertificationRequest, extension::Endpoints, hierarchy::CaRequest, issue::SignRequest};
use pki_core::{
    issuer::Issuer, name::DistinguishedName, name::DnsName, name::GeneralName, random::RandomError,
};
use pki_core::{key::KeyAlgorithm, key::software::SoftwareKey, key::software::Verifier, time::UnixTime};
use pki_core::{role::Limits, role::Role, role::RoleConfig, role::RoleKeyType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let now =
        UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed()?.as_secs()).ok_or("the clock is past 9999")?;
    let (limits, p256) = (Limits::default(), KeyAlgorithm::EcP256);
    let root = CaRequest::new(DistinguishedName::with_common_name("Example Root")?);
    let ca = Issuer::self_signed(root, SoftwareKey::generate(p256, &mut rng)?, &limits, now, &mut rng)?;
    // A requester makes the CSR; it proves possession of the key.
    let (name, key) = (DistinguishedName::empty(), SoftwareKey::generate(p256, &mut rng)?);
    let sans = [GeneralName::Dns(DnsName::parse("db.example.com")?)];
    let csr = CertificationRequest::create(&name, &sans, &key, &mut rng)?;
    let csr = CertificationRequest::from_der(&csr, &Verifier)?;
    let (key_type, allowed_domains) = (RoleKeyType::Ec, vec!["example.com".into()]);
    let config = RoleConfig {
        key_type,
        allowed_domains,
        allow_subdomains: true,
        require_cn: false,
        ..RoleConfig::default()
    };
    let permitted = Role::new(config)?.permit_csr(SignRequest::new(csr), &limits, now)?;
    let certificate = ca.issue(permitted, &Endpoints::default(), now, &mut rng)?;
    Ok(print!("{}{}", certificate.to_pem(), ca.certificate().certificate().to_pem()))
}
