//! `pki issuer update`: the name and the settings of an issuer.

use std::collections::BTreeSet;

use clap::Args;
use pki_core::hierarchy::LeafNotAfter;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::SignatureAlgorithm;
use pki_store::issuer::IssuerRecord;
use pki_store::mount::Mount;
use pki_store::{IssuerId, Op};

use super::load;
use super::settings::{IssuerUsage, Settings};
use crate::args::{Act, list};
use crate::config;
use crate::fault::Fault;
use crate::name::check_name;
use crate::session::{House, Session};

/// Change an issuer's name and settings; what is not named stays.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  pki issuer update default --issuer-name root-2026
  pki issuer update issuing-2025 --usage read-only,crl-signing,ocsp-signing
  pki issuer update issuing-2026 --leaf-not-after-behavior truncate")]
pub(crate) struct Update {
    /// Name, id, or `default`
    reference: String,
    /// New name; an empty one takes the name away
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,
    /// What it may be used for: read-only, issuing-certificates, crl-signing, ocsp-signing
    #[arg(long, value_name = "LIST")]
    usage: Option<Vec<String>>,
    /// What happens where a certificate would outlive the chain: err, truncate or permit; a role's own word goes over it
    #[arg(long, value_name = "WORD")]
    leaf_not_after_behavior: Option<LeafNotAfter>,
    /// The chain to hand out and to check against: `self`, then other issuers; an empty value finds it again
    #[arg(long, value_name = "LIST")]
    manual_chain: Option<Vec<String>>,
    /// What its CRLs are signed with, such as SHA256WithRSAPSS; an empty value leaves it to the issuer
    #[arg(long, value_name = "NAME")]
    revocation_signature_algorithm: Option<String>,
    /// Where its certificate is, instead of the mount's URLs; an empty value clears
    #[arg(long, value_name = "LIST", help_heading = "URLs")]
    issuing_certificates: Option<Vec<String>>,
    /// Where its CRL is, instead of the mount's URLs; an empty value clears
    #[arg(long, value_name = "LIST", help_heading = "URLs")]
    crl_distribution_points: Option<Vec<String>>,
    /// Where its OCSP responder is, instead of the mount's URLs; an empty value clears
    #[arg(long, value_name = "LIST", help_heading = "URLs")]
    ocsp_servers: Option<Vec<String>>,
}

impl Act for Update {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan = session.plan(super::READ)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = super::find(&house, &mount, &self.reference)?;
        let issuer = IssuerCertificate::new(load::certificate(&record)?).map_err(|error| {
            Fault::unusable(
                format!("the stored issuer {}: {error}", super::label(&record)),
                "restore a backup of the store",
            )
        })?;
        let mut settings = Settings::of(&record, &issuer)?;
        if let Some(usage) = list::items(self.usage) {
            settings.usage = usages(&usage, &record, &issuer, &settings)?;
        }
        if let Some(behavior) = self.leaf_not_after_behavior {
            settings.leaf_not_after_behavior = behavior.as_str().to_owned();
        }
        if let Some(name) = self.revocation_signature_algorithm {
            settings.revocation_signature_algorithm = crl_algorithm(&name, &issuer)?;
        }
        let urls = [
            (config::LISTS[0], self.issuing_certificates, &mut settings.issuing_certificates),
            (config::LISTS[1], self.crl_distribution_points, &mut settings.crl_distribution_points),
            (config::LISTS[2], self.ocsp_servers, &mut settings.ocsp_servers),
        ];
        for (name, given, stored) in urls {
            let Some(given) = list::items(given) else { continue };
            for url in &given {
                config::check_url(name, url)?;
            }
            *stored = given;
        }
        let manual_chain = match list::items(self.manual_chain) {
            Some(references) => manual_chain(&house, &mount, &record, &references)?,
            None => record.settings.manual_chain.clone(),
        };
        let name = match self.issuer_name.as_deref() {
            None => record.name.clone(),
            Some("") => None,
            Some(name) => {
                check_name("an issuer", name)?;
                Some(name.to_owned())
            }
        };
        let op = Op::UpdateIssuer {
            issuer: record.id,
            expected: record.revision,
            name,
            settings: settings.stored(manual_chain)?,
        };
        house.commit(vec![op], house.done("issuer/update", Some(&mount)))?;
        let record = super::find(&house, &mount, &record.id.to_string())?;
        plan.deliver(&super::describe(&house, &mount, &record, session)?)
    }
}

/// The name of an algorithm that the issuer's key signs with, as it is stored.
fn crl_algorithm(name: &str, issuer: &IssuerCertificate) -> Result<String, Fault> {
    if name.is_empty() {
        return Ok(String::new());
    }
    let algorithm = SignatureAlgorithm::from_name(name).map_err(|error| {
        Fault::usage(
            format!("--revocation-signature-algorithm: {error}"),
            "give one of these names, or an empty value to leave it to the issuer",
        )
    })?;
    let key = issuer.certificate().public_key();
    let suitable = key.signature_algorithms();
    if !suitable.contains(&algorithm) {
        let names: Vec<&str> = suitable.iter().map(|algorithm| algorithm.name()).collect();
        return Err(Fault::refused(
            format!(
                "the issuer's key is of type {} and does not sign with {}",
                key.key_type(),
                algorithm.name()
            ),
            format!("give --revocation-signature-algorithm {}", names.join(", or ")),
        ));
    }
    Ok(algorithm.name().to_owned())
}

/// The usages that are asked for, if the issuer can have them.
fn usages(
    words: &[String],
    record: &IssuerRecord,
    issuer: &IssuerCertificate,
    settings: &Settings,
) -> Result<BTreeSet<IssuerUsage>, Fault> {
    let usage = words.iter().map(|word| word.parse()).collect::<Result<BTreeSet<IssuerUsage>, Fault>>()?;
    if usage.is_empty() {
        return Err(Fault::usage(
            "--usage names no usage",
            "name at least read-only, which keeps the issuer and signs nothing with it",
        ));
    }
    if usage.contains(&IssuerUsage::CrlSigning) && !issuer.may_sign_crls() {
        return Err(Fault::refused(
            format!(
                "the certificate of the issuer {} has a key usage without cRLSign (RFC 5280 4.2.1.3)",
                super::label(record)
            ),
            "leave crl-signing out of --usage, or have the CA certified with cRLSign",
        ));
    }
    if let Some(at) = settings.revoked()
        && usage.contains(&IssuerUsage::IssuingCertificates)
    {
        return Err(Fault::refused(
            format!("the issuer {} was revoked at {at} and issues nothing any more", super::label(record)),
            "leave issuing-certificates out of --usage, and issue with another issuer",
        ));
    }
    Ok(usage)
}

/// The issuers that a chain names: itself first.
fn manual_chain(
    house: &House,
    mount: &Mount,
    record: &IssuerRecord,
    references: &[String],
) -> Result<Vec<IssuerId>, Fault> {
    let mut ids = Vec::new();
    for reference in references {
        ids.push(match reference.as_str() {
            "self" => record.id,
            reference => super::find(house, mount, reference)?.id,
        });
    }
    match ids.first() {
        Some(first) if *first != record.id => Err(Fault::usage(
            "the first member of --manual-chain is the issuer itself, and another one is named there",
            "begin with self: --manual-chain self,ISSUER,...",
        )),
        _ => Ok(ids),
    }
}
