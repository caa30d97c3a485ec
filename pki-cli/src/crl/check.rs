//! `pki crl check`: a CRL against the log of revocations.

use std::path::{Path, PathBuf};

use clap::Args;
use pki_core::crl::{
    CertificateRevocationList, CrlCheck, CrlDifference, CrlNumber, CrlPeriod, CrlScope as Scope,
};
use pki_core::issuer::IssuerCertificate;
use pki_core::key::software::Verifier;
use pki_core::revocation::{LoggedRevocation, Retention};
use pki_store::crl::{CrlRecord, CrlScope};
use pki_store::issuer::IssuerRecord;
use pki_store::{Store, block_on};
use serde_json::json;

use super::signers;
use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::issuer::{self, load};
use crate::session::{House, Session};

/// Prove that the published CRLs say what the log of revocations says; or hold a CRL from elsewhere against it.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki crl check\n  pki crl check 1764000000-20261124.crl --issuer-ref offline-root"
)]
pub(crate) struct Check {
    /// CRL that is to follow the published one, PEM or DER [default: the published ones]
    file: Option<PathBuf>,
    /// The issuer whose authority it is [default: with a file the default issuer, else all]
    #[arg(long, value_name = "REF")]
    issuer_ref: Option<String>,
}

impl Act for Check {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mut answer = Answer::new();
        let mut checked = Vec::new();
        match &self.file {
            Some(file) => {
                let mount = house.pki_mount(session)?;
                let reference = self.issuer_ref.as_deref().unwrap_or("default");
                let record = issuer::find(&house, &mount, reference)?;
                let list = read(file)?;
                let published = block_on(house.store.crl(record.authority, CrlScope::Full))?;
                let mut differences = against_log(&house, &record, &list, &Extent::Next(published))?;
                // A list that was signed ahead is checked ahead.
                differences.retain(|difference| match difference {
                    CrlDifference::NotYet { this_update } => {
                        answer.warn(format!("the CRL begins only at {this_update}: publish it then"));
                        false
                    }
                    _ => true,
                });
                checked.push((record, list, differences));
            }
            None => {
                for (_, record) in signers(&house, session, self.issuer_ref.as_deref(), &mut answer)? {
                    for extent in published(&house, &record)? {
                        let Extent::Published(crl, _) = &extent else { continue };
                        let list = CertificateRevocationList::from_der(&crl.der).map_err(|error| {
                            Fault::unusable(
                                format!(
                                    "a published CRL of {} does not read: {error}",
                                    issuer::label(&record)
                                ),
                                "sign a new one: `pki crl rotate`",
                            )
                        })?;
                        let differences = against_log(&house, &record, &list, &extent)?;
                        checked.push((record.clone(), list, differences));
                    }
                }
            }
        }
        if checked.is_empty() {
            return Err(Fault::missing("there is no CRL to check", "sign one: `pki crl rotate`"));
        }
        let mut text = String::new();
        let mut first: Option<String> = None;
        let mut count = 0;
        let mut lists = Vec::new();
        for (record, list, differences) in &checked {
            let label = issuer::label(record);
            let number = list.number().map(|number| number.to_string()).unwrap_or_default();
            let said: Vec<String> = differences.iter().map(CrlDifference::to_string).collect();
            let verdict = if said.is_empty() { "says what the log says" } else { "differs:" };
            text.push_str(&format!("CRL {number} of {label} {verdict}\n"));
            for difference in said.iter().take(SHOWN) {
                text.push_str(&format!("  {difference}\n"));
            }
            if said.len() > SHOWN {
                text.push_str(&format!("  and {} more (--format json has all)\n", said.len() - SHOWN));
            }
            count += said.len();
            first = first.or_else(|| said.first().map(|said| format!("CRL {number} of {label}: {said}")));
            lists.push(json!({ "issuer": label, "number": number, "differences": said }));
        }
        answer.text(text).ours("crls", lists);
        session.deliver(&answer)?;
        match first {
            None => Ok(()),
            Some(first) => Err(Fault::refused(
                match count {
                    1 => first,
                    _ => format!("{first} ({count} differences in all)"),
                },
                "do not publish it; sign one from the log: `pki crl rotate`",
            )),
        }
    }
}

/// Which revocations the list should have.
enum Extent {
    /// All: it is to follow the published one.
    Next(Option<CrlRecord>),
    /// Those up to when it was begun: after its base, if it is a delta.
    Published(CrlRecord, Option<CrlRecord>),
}

fn published(house: &House, record: &IssuerRecord) -> Result<Vec<Extent>, Fault> {
    let full = block_on(house.store.crl(record.authority, CrlScope::Full))?;
    let delta = block_on(house.store.crl(record.authority, CrlScope::Delta))?;
    let mut lists = Vec::new();
    if let Some(full) = full {
        // A delta to an older full list is of no use to anybody, and its base is not kept.
        if let Some(delta) = delta.filter(|delta| delta.number > full.number) {
            lists.push(Extent::Published(delta, Some(full.clone())));
        }
        lists.insert(0, Extent::Published(full, None));
    }
    Ok(lists)
}

fn against_log(
    house: &House,
    record: &IssuerRecord,
    list: &CertificateRevocationList,
    extent: &Extent,
) -> Result<Vec<CrlDifference>, Fault> {
    let certificate = load::certificate(record)?;
    let issuer = IssuerCertificate::new(certificate).map_err(|error| {
        Fault::unusable(
            format!("the stored issuer {}: {error}", issuer::label(record)),
            "restore a backup of the store",
        )
    })?;
    let (scope, before, after, up_to) = match extent {
        Extent::Next(published) => {
            let before = published.as_ref().map(|crl| CrlPeriod {
                number: CrlNumber::from_u128(crl.number),
                this_update: crl.this_update,
                next_update: crl.next_update,
            });
            (Scope::full(), before, 0, u64::MAX)
        }
        Extent::Published(crl, None) => (Scope::full(), None, 0, crl.last_revocation),
        Extent::Published(crl, Some(base)) => {
            let scope = Scope::delta(CrlNumber::from_u128(base.number));
            (scope, None, base.last_revocation, crl.last_revocation)
        }
    };
    let check = CrlCheck {
        issuer: &issuer,
        scope: &scope,
        published: before,
        retention: Retention::default(),
        now: house.now,
    };
    Ok(check.differences(list, log(house, record, after, up_to)?, &Verifier))
}

fn log(
    house: &House,
    record: &IssuerRecord,
    mut after: u64,
    up_to: u64,
) -> Result<Vec<LoggedRevocation>, Fault> {
    // The store counts in 63 bits.
    let up_to = up_to.min(i64::MAX as u64);
    let mut log = Vec::new();
    loop {
        let page = block_on(house.store.revocations(record.authority, after, up_to, PAGE))?;
        log.extend(page.iter().map(|revocation| LoggedRevocation {
            certificate: revocation.revoked_certificate(),
            not_after: revocation.not_after,
        }));
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.id,
            _ => return Ok(log),
        }
    }
}

fn read(file: &Path) -> Result<CertificateRevocationList, Fault> {
    let octets = input::read(file, Limit::Crl)?;
    match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => CertificateRevocationList::from_pem(text),
        _ => CertificateRevocationList::from_der(&octets),
    }
    .map_err(|error| {
        Fault::usage(format!("{}: {error}", input::name(file)), "name a file with one CRL, PEM or DER")
    })
}

/// So many differences are shown to people.
const SHOWN: usize = 20;

/// So many revocations are read at once.
const PAGE: usize = 4_096;
