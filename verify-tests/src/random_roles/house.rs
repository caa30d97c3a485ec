//! The issuers and keys that random cases share: making a key for each would take most of the time.

use std::time::Duration;

use pki_core::extension::Endpoints;
use pki_core::hierarchy::{AskedPathLength, CaRequest, IssuerChain, LeafNotAfter, permit_ca};
use pki_core::issue::AskedLifetime;
use pki_core::issuer::{Issuer, IssuerCertificate};
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyAlgorithm, SigningKey};
use pki_core::name::{DistinguishedName, NameConstraints, NameKind, Subtree};
use pki_core::profile::ExtendedKeyUsage;
use pki_core::random::RandomError;
use pki_core::role::Limits;
use pki_core::time::UnixTime;

use super::dice::Dice;

/// Anything that goes wrong while cases are made.
pub type Wrong = Box<dyn std::error::Error + Send + Sync>;

/// An issuer and what judges for it.
#[derive(Debug)]
pub struct Signer {
    /// The certificates, without the key.
    pub chain: IssuerChain,
    /// What it does where a leaf would outlive it.
    pub leaf_not_after: LeafNotAfter,
    /// The same with the key.
    pub issuer: Issuer<SoftwareKey>,
}

/// Issuers and keys.
#[derive(Debug)]
pub struct House {
    /// Roots and what is below them.
    pub signers: Vec<Signer>,
    /// Keys for leaves, cheap ones more than once.
    pub keys: Vec<(KeyAlgorithm, SoftwareKey)>,
    /// The time of all cases.
    pub now: UnixTime,
    /// The mount's limits.
    pub limits: Limits,
}

const HOUR: Duration = Duration::from_secs(3600);

impl House {
    /// Makes them. What the issuers are confined to is drawn with `dice`.
    ///
    /// # Errors
    ///
    /// [`Wrong`] if a key or a certificate cannot be made.
    pub fn build(dice: &mut Dice) -> Result<Self, Wrong> {
        let now = UnixTime::from_secs(1_800_000_000).ok_or("a time")?;
        let limits = Limits { default_ttl: HOUR * 768, max_ttl: HOUR * 768 };
        let mut house = Self { signers: Vec::new(), keys: Vec::new(), now, limits };
        for algorithm in [
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP256,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::EcP521,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
        ] {
            house.keys.push((algorithm, key(algorithm)?));
        }
        for round in 0..4 {
            let algorithm = dice.one(&[KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::Ed25519]);
            let algorithm = if round == 3 { KeyAlgorithm::Rsa2048 } else { algorithm };
            let root = house.root(algorithm, round)?;
            for number in 0..5 {
                let below = house.below(&root, dice, number)?;
                if dice.chance(40) {
                    let deeper = house.below(&below, dice, number + 10)?;
                    house.signers.push(deeper);
                }
                house.signers.push(below);
            }
            house.signers.push(root);
        }
        Ok(house)
    }

    fn root(&self, algorithm: KeyAlgorithm, round: u32) -> Result<Signer, Wrong> {
        let subject = DistinguishedName::with_common_name(&format!("root {round}"))?;
        let request = CaRequest { lifetime: AskedLifetime::Ttl(HOUR * 87_600), ..CaRequest::new(subject) };
        let issuer = Issuer::self_signed(request, key(algorithm)?, &self.ca_limits(), self.now, &mut random)?;
        let chain = IssuerChain::new(issuer.certificate().clone());
        Ok(Signer { chain, leaf_not_after: LeafNotAfter::Refuse, issuer })
    }

    fn ca_limits(&self) -> Limits {
        Limits { default_ttl: HOUR * 87_600, max_ttl: HOUR * 87_600 }
    }

    /// An intermediate with random restrictions. One that its chain refuses is made without them.
    fn below(&self, above: &Signer, dice: &mut Dice, number: u32) -> Result<Signer, Wrong> {
        let subject = DistinguishedName::with_common_name(&format!("intermediate {number}"))?;
        let end = above.chain.certificate().validity().not_after();
        let lifetime = if dice.chance(40) {
            AskedLifetime::Ttl(HOUR * u32::try_from(dice.below(900) + 1)?)
        } else {
            AskedLifetime::NotAfter(end)
        };
        let plain = CaRequest { lifetime: AskedLifetime::NotAfter(end), ..CaRequest::new(subject) };
        let mut request = CaRequest { lifetime, ..plain.clone() };
        if dice.chance(30) {
            request.extended_key_usages = vec![ExtendedKeyUsage::ServerAuth];
            if dice.chance(50) {
                request.extended_key_usages.push(ExtendedKeyUsage::ClientAuth);
            }
        }
        if dice.chance(40) {
            request.name_constraints = Some(constraints(dice)?);
        }
        if dice.chance(30) {
            request.path_length = AskedPathLength::AtMost(1);
        }
        let key = key(dice.one(&[KeyAlgorithm::EcP256, KeyAlgorithm::Ed25519]))?;
        let certify = |request| -> Result<_, Wrong> {
            let permitted = permit_ca(request, key.public_key().clone(), &self.ca_limits(), self.now)?;
            Ok(above.issuer.issue(permitted, &Endpoints::default(), self.now, &mut random)?)
        };
        let certificate = certify(request).or_else(|_| certify(plain))?;
        // Vault's default, and the two others.
        let leaf_not_after = dice.one(&[
            LeafNotAfter::Refuse,
            LeafNotAfter::Refuse,
            LeafNotAfter::Truncate,
            LeafNotAfter::Permit,
        ]);
        let chain = IssuerChain::new(IssuerCertificate::new(certificate)?)
            .with_path(above.chain.members().cloned().collect())?
            .with_leaf_not_after(leaf_not_after);
        Ok(Signer { issuer: Issuer::of(chain.clone(), key)?, chain, leaf_not_after })
    }
}

/// Randomness for keys and serial numbers, which decide nothing.
pub fn random(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

fn key(algorithm: KeyAlgorithm) -> Result<SoftwareKey, Wrong> {
    Ok(SoftwareKey::generate(algorithm, &mut random)?)
}

fn constraints(dice: &mut Dice) -> Result<NameConstraints, Wrong> {
    let mut permitted = Vec::new();
    let mut excluded = Vec::new();
    if dice.chance(60) {
        let domain = dice.one(&["example.com", "example.net", ".example.com", "glob.test"]);
        permitted.push(Subtree::parse(NameKind::Dns, domain)?);
    }
    if dice.chance(50) {
        permitted.push(Subtree::parse(NameKind::Ip, dice.one(&["10.0.0.0/8", "2001:db8::/32"]))?);
    }
    if dice.chance(30) {
        permitted.push(Subtree::parse(NameKind::Email, "example.com")?);
    }
    if dice.chance(50) || permitted.is_empty() {
        let domain = dice.one(&["secret.example.com", "a.example.net", "localhost"]);
        excluded.push(Subtree::parse(NameKind::Dns, domain)?);
    }
    Ok(NameConstraints::new(permitted, excluded)?)
}
