//! `pki issuer revoke` and `pki issuer delete`: the end of an issuer.

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::hierarchy;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::software::Verifier;
use pki_core::revocation::RevocationReason;
use pki_store::audit::AuditEntry;
use pki_store::issuer::{IssuerMatch, IssuerRecord};
use pki_store::mount::Mount;
use pki_store::{Op, Store, block_on};

use super::load;
use super::settings::{IssuerUsage, Settings};
use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::revoke::parse_reason;
use crate::role;
use crate::session::{House, Session};

/// Revoke an issuer: it issues nothing any more, and its own serial is on the next CRL of the CA above it.
///
/// What it issued stays as it is, and so do its CRLs.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki --mount pki_int issuer revoke issuing-2025 --reason superseded\n  pki crl rotate"
)]
pub(crate) struct Revoke {
    /// Name, id, or `default`
    reference: String,
    /// unspecified, key_compromise, ca_compromise, superseded, cessation_of_operation, ...
    #[arg(long, default_value = "unspecified", value_parser = parse_reason, value_name = "REASON")]
    reason: RevocationReason,
}

/// Delete an issuer. Its key, its certificates and its revocations stay.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Name, id, or `default`
    reference: String,
}

impl Act for Revoke {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan = session.plan(super::READ)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = super::find(&house, &mount, &self.reference)?;
        let certificate = load::certificate(&record)?;
        let issuer = IssuerCertificate::new(certificate.clone())
            .map_err(|error| Fault::refused(error.to_string(), "name a CA certificate"))?;
        let mut settings = Settings::of(&record, &issuer)?;
        if settings.revoked_at.is_some() {
            return plan.deliver(&super::describe(&house, &mount, &record, session)?);
        }
        let parents = parents(&house, &record, &certificate)?;
        settings.usage.remove(&IssuerUsage::IssuingCertificates);
        settings.usage.insert(IssuerUsage::ReadOnly);
        settings.revoked_at = Some(house.now.as_secs());
        let mut ops: Vec<Op> = Vec::new();
        for parent in &parents {
            ops.push(Op::Revoke {
                authority: parent.authority,
                serial: certificate.serial(),
                reason: self.reason,
                not_after: Some(certificate.validity().not_after()),
            });
        }
        ops.push(Op::UpdateIssuer {
            issuer: record.id,
            expected: record.revision,
            name: record.name.clone(),
            settings: settings.stored(record.settings.manual_chain.clone())?,
        });
        let audit = AuditEntry {
            serial: Some(certificate.serial()),
            detail: serde_json::json!({ "reason": self.reason.name() }).to_string(),
            ..house.done("issuer/revoke", Some(&mount))
        };
        house.commit(ops, audit)?;
        let record = super::find(&house, &mount, &record.id.to_string())?;
        let mut answer = super::describe(&house, &mount, &record, session)?;
        if hierarchy::is_root(&certificate) {
            answer.warn("it is a root: no CRL lists its own issuer, so take it out of trust stores");
        } else if parents.is_empty() {
            answer.warn(
                "the CA above it is not in this store, so no CRL here can list it: have it revoked where it was signed",
            );
        } else {
            answer.warn("`pki crl rotate` signs the CRL of the CA above it, which says so");
        }
        if mount.default_issuer == Some(record.id) {
            answer.warn(format!(
                "it is the mount's default issuer: choose another one, `pki --mount {} issuer default NAME`",
                mount.name
            ));
        }
        plan.deliver(&answer)
    }
}

/// The CAs of the store that signed it: one for each authority.
fn parents(
    house: &House,
    record: &IssuerRecord,
    certificate: &Certificate,
) -> Result<Vec<IssuerRecord>, Fault> {
    let wanted = IssuerMatch::Subject(certificate.issuer().der().to_vec());
    let mut parents: Vec<IssuerRecord> = Vec::new();
    for candidate in block_on(house.store.issuers_matching(&wanted))? {
        let known = candidate.authority == record.authority
            || parents.iter().any(|parent| parent.authority == candidate.authority);
        if known {
            continue;
        }
        let above = load::certificate(&candidate)?;
        if certificate.verify_signature(above.public_key(), &Verifier).is_ok() {
            parents.push(candidate);
        }
    }
    Ok(parents)
}

impl Act for Delete {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = super::find(&house, &mount, &self.reference)?;
        let label = super::label(&record);
        let mut answer = Answer::new();
        answer
            .ours("issuer_id", record.id.to_string())
            .ours("issuer_name", record.name.clone().unwrap_or_default())
            .fact("deleted", label.clone());
        if let Some(key) = record.key {
            answer.fact("its key stays", key.to_string());
        }
        let roles = roles_of(&house, &mount, &record)?;
        if !roles.is_empty() {
            answer.warn(format!(
                "{} roles reference the issuer {label}: {}",
                roles.len(),
                roles.iter().take(8).cloned().collect::<Vec<_>>().join(", ")
            ));
        }
        if mount.default_issuer == Some(record.id) {
            answer.warn(format!(
                "it was the mount's default issuer: choose another one, `pki --mount {} issuer default NAME`",
                mount.name
            ));
        }
        let audit = AuditEntry {
            detail: serde_json::json!({ "issuer": label }).to_string(),
            ..house.done("issuer/delete", Some(&mount))
        };
        house.commit(vec![Op::DeleteIssuer { issuer: record.id }], audit)?;
        session.deliver(&answer)
    }
}

/// The names of the roles that name the issuer.
fn roles_of(house: &House, mount: &Mount, record: &IssuerRecord) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for stored in block_on(house.store.roles(mount.id))? {
        let reference = role::document(&stored)?.role.issuer_ref;
        let by_name = record.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&reference));
        if by_name || reference.parse().ok() == Some(record.id) {
            names.push(stored.name);
        }
    }
    Ok(names)
}
