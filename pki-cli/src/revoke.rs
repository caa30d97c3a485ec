//! `pki revoke`: records a revocation, in constant time. `pki crl rotate` signs it.

use clap::Args;
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_store::audit::AuditEntry;
use pki_store::{Op, Outcome, Store, block_on};

use crate::answer::{Answer, Shape};
use crate::args::Act;
use crate::cert;
use crate::crl;
use crate::fault::Fault;
use crate::session::Session;

/// Revoke a certificate: it is on the next CRL (`pki crl rotate`).
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki revoke 3a:f1:07:... --reason key_compromise\n  pki crl rotate")]
pub(crate) struct Revoke {
    /// Serial number, with `:`, `-` or nothing between its octets
    #[arg(value_parser = cert::parse_serial)]
    serial: SerialNumber,
    /// unspecified, key_compromise, ca_compromise, affiliation_changed, superseded, cessation_of_operation,
    /// certificate_hold, privilege_withdrawn
    #[arg(long, default_value = "unspecified", value_parser = parse_reason, value_name = "REASON")]
    reason: RevocationReason,
}

impl Act for Revoke {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan = session.plan(Shape {
            fields: &["revocation_time", "revocation_time_rfc3339", "state"],
            ..Shape::FACTS
        })?;
        let house = session.open()?;
        let (mount, row) = cert::find(&house, session, self.serial)?;
        let record = &row.record;
        let mut answer = Answer::new();
        // A CA takes nothing back that it said about itself.
        if block_on(house.store.issuer(record.issuer))?.is_some_and(|issuer| {
            is_own_certificate(&issuer.certificate, record.serial, issuer.authority == record.authority)
        }) {
            let fault = Fault::refused(
                format!("{} is a root's own certificate, and no CRL lists its own issuer", self.serial),
                "revoke what it signed, and take the root out of trust stores",
            );
            return Err(house.refuse("pki/revoke", mount.as_ref(), record.role, Some(self.serial), fault));
        }
        if row.revocation.is_none() && record.not_after < session.now {
            answer
                .fact("serial number", self.serial.to_string())
                .fact("state", format!("expired {}", record.not_after))
                .warn(format!(
                    "certificate with serial {} already expired; refusing to add to CRL",
                    self.serial
                ));
            return plan.deliver(&answer);
        }
        let op = Op::Revoke {
            authority: record.authority,
            serial: self.serial,
            reason: self.reason,
            not_after: Some(record.not_after),
        };
        let audit = AuditEntry {
            mount: Some(record.mount),
            role: record.role,
            serial: Some(self.serial),
            detail: serde_json::json!({ "reason": self.reason.name() }).to_string(),
            ..house.done("pki/revoke", None)
        };
        let committed = house.commit(vec![op], audit)?;
        let Some(Outcome::Revoked { revocation, already }) = committed.outcomes.first() else {
            return Err(Fault::defect("the store gave no revocation"));
        };
        if *already {
            answer.warn(format!(
                "it was revoked before, at {} ({}); that stays",
                revocation.revoked_at, revocation.reason
            ));
        }
        if !*already && crl::signed_ahead(&house, record.authority)? {
            answer.warn(
                "CRLs of this authority were signed ahead and do not list it: publish none of them, and sign a new series \
                 (`pki crl series`)",
            );
        }
        let name = mount.map(|mount| mount.name);
        let next = match &name {
            Some(name) => format!("`pki --mount {name} crl rotate` signs the CRL that says so"),
            None => "its mount was ended, so no CRL is signed there any more".to_owned(),
        };
        answer
            .set("revocation_time", revocation.revoked_at.as_secs())
            .set("revocation_time_rfc3339", revocation.revoked_at.to_string())
            .set("state", "revoked")
            .ours("serial_number", self.serial.to_string())
            .ours("reason", revocation.reason.name())
            .ours("mount", name.clone())
            .fact("serial number", self.serial.to_string())
            .fact("state", "revoked")
            .fact("revoked at", revocation.revoked_at.to_string())
            .fact("reason", revocation.reason.name())
            .fact("next", next);
        plan.deliver(&answer)
    }
}

/// Whether the row is the issuer's own certificate, signed by itself.
fn is_own_certificate(issuer_der: &[u8], serial: SerialNumber, same_authority: bool) -> bool {
    same_authority
        && pki_core::certificate::Certificate::from_der(issuer_der)
            .is_ok_and(|issuer| issuer.is_self_issued() && issuer.serial() == serial)
}

pub(crate) fn parse_reason(text: &str) -> Result<RevocationReason, String> {
    match RevocationReason::from_name(text) {
        // RFC 5280 5.3.1: only delta CRLs say so; attribute authorities are not ours.
        Some(RevocationReason::RemoveFromCrl | RevocationReason::AaCompromise) | None => Err(format!(
            "it is one of {}",
            RevocationReason::ALL
                .into_iter()
                .filter(|reason| !matches!(
                    reason,
                    RevocationReason::RemoveFromCrl | RevocationReason::AaCompromise
                ))
                .map(RevocationReason::name)
                .collect::<Vec<_>>()
                .join(", ")
        )),
        Some(reason) => Ok(reason),
    }
}
