//! `pki crl status`: whether a CRL is about to lapse, or lacks what was revoked; for people and for monitoring.

use std::time::Duration;

use clap::Args;
use pki_store::crl::{CrlRecord, CrlScope};
use pki_store::{Store, block_on};
use serde_json::json;

use super::{signed_ahead, signers};
use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::session::{House, Session};
use crate::table::Table;
use crate::{issuer, period};

/// Say how the CRLs of each authority are. Exit code 10 is a warning, 11 is critical.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki crl status --warning 24h --critical 6h || pki crl rotate")]
pub(crate) struct Status {
    /// Only the authority of this issuer
    #[arg(long, value_name = "REF")]
    issuer_ref: Option<String>,
    /// Warn when less than so long is left [default: a quarter of the CRL's lifetime]
    #[arg(long, value_parser = crate::duration::parse, value_name = "DURATION")]
    warning: Option<Duration>,
    /// Critical when less than so long is left; a CRL past its nextUpdate always is
    #[arg(long, default_value = "0s", value_parser = crate::duration::parse, value_name = "DURATION")]
    critical: Duration,
}

/// How a CRL is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warning,
    Critical,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Act for Status {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mut answer = Answer::new();
        let mut table = Table::new(&["mount", "issuer", "number", "next update", "state", "because"]);
        let mut crls = Vec::new();
        let mut worst: Option<(State, String)> = None;
        for (mount, record) in signers(&house, session, self.issuer_ref.as_deref(), &mut answer)? {
            let crl = block_on(house.store.crl(record.authority, CrlScope::Full))?;
            let (state, because) = self.judge(&house, crl.as_ref())?;
            let label = issuer::label(&record);
            let number = crl.as_ref().map(|crl| crl.number.to_string());
            let next = crl.as_ref().map(|crl| crl.next_update);
            table.row(vec![
                mount.name.clone(),
                label.clone(),
                number.clone().unwrap_or_default(),
                next.map(|next| period::until(next, house.now)).unwrap_or_default(),
                state.name().to_owned(),
                because.clone(),
            ]);
            crls.push(json!({
                "mount": mount.name,
                "issuer": label,
                "authority": record.authority.to_string(),
                "number": number,
                "next_update": next.map(|next| next.as_secs()),
                "state": state.name(),
                "because": because,
            }));
            if state > worst.as_ref().map_or(State::Ok, |(state, _)| *state) {
                worst = Some((state, format!("the CRL of the issuer {label}: {because}")));
            }
        }
        if crls.is_empty() {
            return Err(Fault::missing(
                "no issuer here signs CRLs",
                "make one: `pki root generate`, or name another mount with --mount",
            ));
        }
        answer.ours("crls", crls).text(table.render());
        session.deliver(&answer)?;
        let remedy = "sign new ones: `pki crl rotate`";
        match worst {
            None | Some((State::Ok, _)) => Ok(()),
            Some((State::Warning, because)) => Err(Fault::warning(because, remedy)),
            Some((State::Critical, because)) => Err(Fault::critical(because, remedy)),
        }
    }
}

impl Status {
    fn judge(&self, house: &House, crl: Option<&CrlRecord>) -> Result<(State, String), Fault> {
        let Some(crl) = crl else {
            return Ok((State::Critical, "there is none".to_owned()));
        };
        if crl.next_update <= house.now {
            return Ok((State::Critical, "it is past its next update".to_owned()));
        }
        let left = crl.next_update.saturating_since(house.now);
        let lifetime = crl.next_update.saturating_since(crl.this_update);
        if left < self.critical {
            return Ok((State::Critical, period::left(crl.next_update, house.now)));
        }
        // What was revoked since stands on the delta, where there is one to this list.
        let delta = block_on(house.store.crl(crl.authority, CrlScope::Delta))?;
        let delta = delta.filter(|delta| delta.number > crl.number && delta.next_update > house.now);
        let listed = delta.map_or(crl.last_revocation, |delta| delta.last_revocation);
        let authority = block_on(house.store.authority(crl.authority))?;
        if authority.is_some_and(|authority| authority.last_revocation > listed) {
            return Ok(if signed_ahead(house, crl.authority)? {
                let because = "certificates were revoked after it and the lists of its series were signed, which are void";
                (State::Critical, because.to_owned())
            } else {
                (State::Warning, "certificates were revoked after it was signed".to_owned())
            });
        }
        if left < self.warning.unwrap_or(lifetime / 4) {
            return Ok((State::Warning, period::left(crl.next_update, house.now)));
        }
        Ok((State::Ok, String::new()))
    }
}
