//! Issuing and signing in the library alone: every key type, and a key that does nothing, so that our own cost shows.

use std::error::Error;

use benches::{Line, compare};
use pki_core::csr::CertificationRequest;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::CaRequest;
use pki_core::issue::{AskedNames, IssueRequest, SignRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{
    KeyAlgorithm, KeyOrigin, KeyType, PublicKey, SignError, Signature, SignatureAlgorithm, SigningInput,
    SigningKey, VerifySignature,
};
use pki_core::name::{DistinguishedName, DnsName, GeneralName, Uri};
use pki_core::random::{RandomError, SecureRandom};
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType};
use pki_core::time::UnixTime;

/// A key whose signatures cost nothing and are worth nothing.
struct NoOpKey {
    public_key: PublicKey,
    signature: Vec<u8>,
}

impl SigningKey for NoOpKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn algorithms(&self) -> &[SignatureAlgorithm] {
        &[SignatureAlgorithm::EcdsaSha256]
    }

    fn origin(&self) -> KeyOrigin {
        KeyOrigin::ThisProcess
    }

    fn sign(
        &self,
        _: SignatureAlgorithm,
        _: SigningInput<'_>,
        _: &mut dyn SecureRandom,
    ) -> Result<Signature, SignError> {
        Ok(Signature::new(self.signature.clone()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The benchmarks' time stands still: nothing here depends on it.
    let now = UnixTime::from_secs(1_800_000_000).ok_or("time")?;
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let limits = Limits::default();
    let endpoints = Endpoints {
        issuing_certificates: vec![Uri::parse("https://ca.example/v1/pki/ca")?],
        crl_distribution_points: vec![Uri::parse("https://ca.example/v1/pki/crl")?],
        ocsp_servers: Vec::new(),
    };
    let names = || -> Result<AskedNames, Box<dyn Error>> {
        Ok(AskedNames {
            common_name: Some(pki_core::issue::CommonName::parse("db.example.com")?),
            alternative_names: vec![
                GeneralName::Dns(DnsName::parse("db.example.com")?),
                GeneralName::Dns(DnsName::parse("replica.db.example.com")?),
            ],
            ..AskedNames::default()
        })
    };
    let role = |key_type, key_bits| {
        Role::new(RoleConfig {
            key_type,
            key_bits,
            ..RoleConfig::for_domains(["example.com", "example.net"])
        })
    };
    let message = vec![0x5a; 700];

    Line::print_header();
    let kinds: [(&str, &str, KeyAlgorithm, RoleKeyType, u32, f64); 7] = [
        (
            "issue P-256 (key, policy, lints)",
            "sign a P-256 CSR",
            KeyAlgorithm::EcP256,
            RoleKeyType::Ec,
            4_000,
            1.2,
        ),
        ("issue P-384", "sign a P-384 CSR", KeyAlgorithm::EcP384, RoleKeyType::Ec, 400, 1.2),
        ("issue P-521", "sign a P-521 CSR", KeyAlgorithm::EcP521, RoleKeyType::Ec, 200, 1.2),
        ("issue Ed25519", "sign an Ed25519 CSR", KeyAlgorithm::Ed25519, RoleKeyType::Ed25519, 4_000, 1.35),
        (
            "issue RSA-2048, key ready",
            "sign an RSA-2048 CSR",
            KeyAlgorithm::Rsa2048,
            RoleKeyType::Rsa,
            200,
            1.2,
        ),
        (
            "issue RSA-3072, key ready",
            "sign an RSA-3072 CSR",
            KeyAlgorithm::Rsa3072,
            RoleKeyType::Rsa,
            80,
            1.2,
        ),
        (
            "issue RSA-4096, key ready",
            "sign an RSA-4096 CSR",
            KeyAlgorithm::Rsa4096,
            RoleKeyType::Rsa,
            40,
            1.2,
        ),
    ];
    for (issue, sign, algorithm, key_type, repeats, sign_budget) in kinds {
        let role = role(key_type, algorithm.bits())?;
        let key = SoftwareKey::generate(algorithm, &mut rng)?;
        let request = CaRequest::new(DistinguishedName::with_common_name("Benchmark CA")?);
        let bare = SoftwareKey::from_private_key(&key.to_private_key()?)?;
        let ca = Issuer::self_signed(request, key, &limits, now, &mut rng)?;
        let signature_algorithm = *bare.algorithms().first().ok_or("no algorithm")?;
        let requester = SoftwareKey::generate(algorithm, &mut rng)?;
        // How long an RSA key takes varies too much from one to the next to be compared: there, one is ready.
        let generate = |rng: &mut dyn SecureRandom| match algorithm.key_type() {
            KeyType::Rsa => Ok(None),
            _ => SoftwareKey::generate(algorithm, rng).map(Some),
        };
        let issue_once = |rng: &mut dyn SecureRandom| -> Result<_, Box<dyn Error>> {
            let request = IssueRequest { names: names()?, ..IssueRequest::default() };
            let permitted = role.permit(request, &limits, now)?;
            let generated = generate(rng)?;
            let key = generated.as_ref().unwrap_or(&requester);
            let permitted = permitted.with_key(key.public_key().clone())?;
            Ok((ca.issue(permitted, &endpoints, now, rng)?, generated))
        };
        issue_once(&mut rng)?;
        compare(
            issue,
            1.35,
            repeats,
            || {
                let key = generate(&mut rng.clone());
                let input = SigningInput::Message(&message);
                (key, bare.sign(signature_algorithm, input, &mut rng.clone()))
            },
            || issue_once(&mut rng.clone()),
        )
        .print();

        let csr = CertificationRequest::create(
            &DistinguishedName::with_common_name("db.example.com")?,
            &[GeneralName::Dns(DnsName::parse("replica.db.example.com")?)],
            &requester,
            &mut rng,
        )?;
        let signature = requester.sign(signature_algorithm, SigningInput::Message(&message), &mut rng)?;
        let sign_once = |rng: &mut dyn SecureRandom| -> Result<_, Box<dyn Error>> {
            let csr = CertificationRequest::from_der(&csr, &Verifier)?;
            let permitted = role.permit_csr(SignRequest::new(csr), &limits, now)?;
            Ok(ca.issue(permitted, &endpoints, now, rng)?)
        };
        sign_once(&mut rng)?;
        // An RSA signature is verified before it leaves the house: that belongs to the act.
        compare(
            sign,
            sign_budget,
            repeats,
            || {
                let public_key = requester.public_key();
                let verified =
                    Verifier.verify(public_key, signature_algorithm, &message, signature.as_bytes());
                (verified, bare.sign(signature_algorithm, SigningInput::Message(&message), &mut rng.clone()))
            },
            || sign_once(&mut rng.clone()),
        )
        .print();
    }

    let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng)?;
    let signature = key
        .sign(SignatureAlgorithm::EcdsaSha256, SigningInput::Message(&message), &mut rng)?
        .as_bytes()
        .to_vec();
    let no_op = NoOpKey { public_key: key.public_key().clone(), signature };
    let leaf = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng)?;
    let request = CaRequest::new(DistinguishedName::with_common_name("Benchmark CA")?);
    let ca = Issuer::self_signed(request, no_op, &limits, now, &mut rng)?;
    let role = role(RoleKeyType::Ec, 256)?;
    compare(
        "our own cost: issue with a no-op key, against one P-256 sign",
        0.6,
        8_000,
        || key.sign(SignatureAlgorithm::EcdsaSha256, SigningInput::Message(&message), &mut rng.clone()),
        || -> Result<_, Box<dyn Error>> {
            let request = IssueRequest { names: names()?, ..IssueRequest::default() };
            let permitted = role.permit(request, &limits, now)?.with_key(leaf.public_key().clone())?;
            Ok(ca.issue(permitted, &endpoints, now, &mut rng.clone())?)
        },
    )
    .print();
    Ok(())
}
