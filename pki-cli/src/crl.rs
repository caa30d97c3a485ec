//! `pki crl`: what is revoked, signed.

use std::time::Duration;

use clap::Args;
use pki_core::crl::{CrlError, CrlNumber, CrlPeriod};
use pki_core::issuer::Issuer;
use pki_core::key::software::SoftwareKey;
use pki_core::pem;
use pki_store::crl::{CrlDraft, CrlRecord, CrlScope};
use pki_store::issuer::{CrlSigning, IssuerRecord};
use pki_store::mount::{Mount, MountKind};
use pki_store::{IssuerId, Op, Outcome, Store, block_on};

use crate::answer::{Answer, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::fault::Fault;
use crate::issuer;
use crate::issuer::load::{LoadedIssuer, pem_text};
use crate::issuer::settings::IssuerUsage;
use crate::period;
use crate::random::OsRandom;
use crate::session::{House, Session};
use crate::table::Table;

/// Print the last CRL of an issuer's authority. Nothing is signed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki crl show --format pem --out root.crl")]
pub(crate) struct Show {
    /// Issuer whose CRL is meant
    #[arg(long, default_value = "default", value_name = "REF")]
    issuer_ref: String,
}

/// Sign a new CRL for each authority: of the mount that is named, else of every mount of the store.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// Only the authority of this issuer
    #[arg(long, value_name = "REF")]
    issuer_ref: Option<String>,
    /// How long the CRL is good for [default: 72h]
    #[arg(long, value_parser = crate::duration::parse, value_name = "DURATION")]
    expiry: Option<Duration>,
}

/// How far ahead nextUpdate is, as in Vault.
const EXPIRY: Duration = Duration::from_secs(72 * 3_600);

impl Act for Show {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan =
            session.plan(Shape { fields: &[], document: Document::Public, directory: Directory::Refuse })?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = issuer::find(&house, &mount, &self.issuer_ref)?;
        let crl = block_on(house.store.crl(record.authority, CrlScope::Full))?.ok_or_else(|| {
            Fault::missing(
                format!("the authority of the issuer {} has no CRL", issuer::label(&record)),
                format!("sign one: `pki --mount {} crl rotate`", mount.name),
            )
        })?;
        let mut answer = answer(&house, &record, &crl)?;
        answer.encoded(Encoded { label: pem::X509_CRL, der: crl.der, issuers: Vec::new() });
        plan.deliver(&answer)
    }
}

fn answer(house: &House, record: &IssuerRecord, crl: &CrlRecord) -> Result<Answer, Fault> {
    let newer = unpublished(house, crl)?;
    let mut answer = Answer::new();
    answer
        .set("crl", pem_text(pem::X509_CRL, &crl.der))
        .ours("issuer", issuer::label(record))
        .ours("authority", record.authority.to_string())
        .ours("number", crl.number.to_string())
        .ours("this_update", crl.this_update.as_secs())
        .ours("next_update", crl.next_update.as_secs())
        .ours("newer_revocations", newer)
        .fact("issuer", issuer::label(record))
        .fact("number", crl.number.to_string())
        .fact("this update", crl.this_update.to_string())
        .fact("next update", period::until(crl.next_update, house.now));
    if newer {
        answer.warn("certificates were revoked after this CRL was signed: `pki crl rotate` signs a new one");
    }
    if crl.next_update < house.now {
        answer.warn("this CRL is past its nextUpdate: `pki crl rotate` signs a new one");
    }
    Ok(answer)
}

/// Whether the authority has revocations that its CRL does not list.
pub(crate) fn unpublished(house: &House, crl: &CrlRecord) -> Result<bool, Fault> {
    let authority = block_on(house.store.authority(crl.authority))?;
    Ok(authority.is_some_and(|authority| authority.last_revocation > crl.last_revocation))
}

impl Act for Rotate {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let expiry = match self.expiry {
            Some(expiry) if !expiry.is_zero() => expiry,
            _ => EXPIRY,
        };
        let mut answer = Answer::new();
        let mut table = Table::new(&["mount", "issuer", "number", "revoked", "next update"]);
        let mut crls = Vec::new();
        for (mount, record) in self.signers(&house, session, &mut answer)? {
            let loaded = LoadedIssuer::for_crls(&house, &mount, record)?;
            let (draft, next_update) = sign(&house, &mount, &loaded, expiry)?;
            table.row(vec![
                mount.name.clone(),
                issuer::label(&loaded.record),
                draft.number.to_string(),
                draft.revoked.to_string(),
                period::until(next_update, house.now),
            ]);
            crls.push(serde_json::json!({
                "mount": mount.name,
                "issuer": issuer::label(&loaded.record),
                "authority": loaded.record.authority.to_string(),
                "number": draft.number.to_string(),
                "revoked": draft.revoked,
                "next_update": next_update.as_secs(),
            }));
        }
        if crls.is_empty() {
            return Err(Fault::missing(
                "no issuer here signs CRLs",
                "make one: `pki root generate`, or name another mount with --mount",
            ));
        }
        answer.set("success", true).ours("crls", crls).text(table.render());
        session.deliver(&answer)
    }
}

impl Rotate {
    /// One issuer for each authority that signs its CRLs here.
    fn signers(
        &self,
        house: &House,
        session: &Session,
        answer: &mut Answer,
    ) -> Result<Vec<(Mount, IssuerRecord)>, Fault> {
        if let Some(reference) = &self.issuer_ref {
            let mount = house.pki_mount(session)?;
            let record = issuer::find(house, &mount, reference)?;
            return Ok(vec![(mount, record)]);
        }
        let mounts = match session.named_mount() {
            Some(_) => vec![house.pki_mount(session)?],
            None => block_on(house.store.mounts())?,
        };
        let mut signers: Vec<(Mount, IssuerRecord)> = Vec::new();
        for mount in mounts {
            if mount.kind != MountKind::Pki {
                continue;
            }
            let mut issuers = block_on(house.store.issuers(mount.id))?;
            // The default speaks for its authority where several certificates could.
            issuers.sort_by_key(|record| Some(record.id) != mount.default_issuer);
            for record in issuers {
                if record.key.is_none() || signers.iter().any(|(_, s)| s.authority == record.authority) {
                    continue;
                }
                if record.crl_signing == CrlSigning::Off {
                    answer.warn(format!(
                        "the CRLs of the issuer {} are not signed in the mount {}",
                        issuer::label(&record),
                        mount.name
                    ));
                    continue;
                }
                if !issuer::usage(&record)?.contains(&IssuerUsage::CrlSigning) {
                    answer.warn(format!(
                        "the issuer {} is not to be used for crl-signing",
                        issuer::label(&record)
                    ));
                    continue;
                }
                signers.push((mount.clone(), record));
            }
        }
        Ok(signers)
    }
}

/// The first CRL of each new authority; a warning where it cannot be.
pub(crate) fn at_birth(
    house: &House,
    mount: &Mount,
    issuers: &[IssuerId],
    answer: &mut Answer,
) -> Result<(), Fault> {
    for id in issuers {
        let Some(record) = block_on(house.store.issuer(*id))? else {
            continue;
        };
        if block_on(house.store.crl(record.authority, CrlScope::Full))?.is_some() {
            continue;
        }
        let signed = LoadedIssuer::for_crls(house, mount, record.clone())
            .and_then(|loaded| sign(house, mount, &loaded, EXPIRY));
        if let Err(fault) = signed {
            answer.warn(format!("the issuer {} has no CRL yet: {}", issuer::label(&record), fault.fault()));
        }
    }
    Ok(())
}

/// Signs and publishes the next CRL of the issuer's authority.
fn sign(
    house: &House,
    mount: &Mount,
    loaded: &LoadedIssuer,
    expiry: Duration,
) -> Result<(CrlDraft, pki_core::time::UnixTime), Fault> {
    let authority = loaded.record.authority;
    let begin = Op::BeginCrl {
        authority,
        mount: mount.id,
        scope: CrlScope::Full,
        nanoseconds: crate::clock::nanoseconds()?,
    };
    let committed = house.commit_step(begin)?;
    let Some(Outcome::Crl(draft)) = committed.outcomes.first().cloned() else {
        return Err(Fault::defect("the store gave no CRL number"));
    };
    let next_update = draft.this_update.checked_add(expiry).unwrap_or(pki_core::time::UnixTime::MAX);
    let der = build(house, &loaded.issuer, &draft, next_update)?;
    let finish = Op::FinishCrl { draft, next_update, der };
    let mut audit = house.done("crl/rotate", Some(mount));
    audit.detail = serde_json::json!({
        "authority": authority.to_string(),
        "number": draft.number.to_string(),
        "revoked": draft.revoked,
    })
    .to_string();
    house.commit(vec![finish], audit)?;
    Ok((draft, next_update))
}

fn build(
    house: &House,
    issuer: &Issuer<SoftwareKey>,
    draft: &CrlDraft,
    next_update: pki_core::time::UnixTime,
) -> Result<Vec<u8>, Fault> {
    // The store has each serial number of an authority once.
    let mut entries: Vec<u8> = Vec::new();
    let mut after = 0;
    loop {
        let page = block_on(house.store.revocations(draft.authority, after, draft.last_revocation, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for revocation in &page {
            entries.extend_from_slice(&revocation.revoked_certificate().entry_der());
        }
        if page.len() < PAGE {
            break;
        }
    }
    let number = CrlNumber::from_u128(draft.number);
    let period = CrlPeriod { number, this_update: draft.this_update, next_update };
    write(issuer, pki_core::crl::CrlScope::full(), period, &entries).map_err(|error| {
        Fault::refused(
            format!("the CRL was not signed: {error}"),
            "name an issuer whose certificate may sign CRLs: --issuer-ref",
        )
    })
}

/// A signed list with these encoded entries.
fn write(
    issuer: &Issuer<SoftwareKey>,
    scope: pki_core::crl::CrlScope,
    period: CrlPeriod,
    entries: &[u8],
) -> Result<Vec<u8>, CrlError> {
    let mut stream = issuer.begin_crl(scope, period, entries.len())?;
    stream.entries(entries)?;
    let head = stream.head().to_vec();
    let ends = stream.sign(&mut OsRandom)?;
    Ok([&ends.header[..], &head, entries, &ends.tail].concat())
}

/// So many revocations are read at once.
const PAGE: usize = 4_096;
