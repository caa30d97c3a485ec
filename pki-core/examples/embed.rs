//! A CA in a service: make one, sign a CSR under a role, print the chain.
use pki_core::key::{KeyAlgorithm::EcP256, software::SoftwareKey, software::Verifier};
use pki_core::name::{DistinguishedName, DnsName, GeneralName};
use pki_core::role::{Limits, Role, RoleConfig};
use pki_core::{csr::CertificationRequest, extension::Endpoints, hierarchy::CaRequest};
use pki_core::{issue::SignRequest, issuer::Issuer, random::RandomError, time::UnixTime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let now = UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed()?.as_secs()).ok_or("past the year 9999")?;
    let root = CaRequest::new(DistinguishedName::with_common_name("Example Root")?);
    let key = SoftwareKey::generate(EcP256, &mut rng)?;
    let ca = Issuer::self_signed(root, key, &Limits::default(), now, &mut rng)?;
    // A requester makes the CSR, which proves possession of its key.
    let (key, name) = (SoftwareKey::generate(EcP256, &mut rng)?, DnsName::parse("db.example.com")?);
    let (subject, names) = (DistinguishedName::with_common_name(name.as_str())?, [GeneralName::Dns(name)]);
    let csr = CertificationRequest::create(&subject, &names, &key, &mut rng)?;
    // The role says who may have what: it permits the request, or says why not.
    let request = SignRequest::new(CertificationRequest::from_der(&csr, &Verifier)?);
    let role = Role::new(RoleConfig::for_domains(["example.com"]))?;
    let certificate =
        ca.issue(role.permit_csr(request, &Limits::default(), now)?, &Endpoints::default(), now, &mut rng)?;
    print!("{}{}", certificate.to_pem(), ca.certificate().certificate().to_pem());
    Ok(())
}
