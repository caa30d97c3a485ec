//! `pki crl`: what is revoked, signed.

pub(crate) mod check;
pub(crate) mod series;
mod sign;
pub(crate) mod status;

use std::time::Duration;

use clap::Args;
use pki_core::authority::AuthorityId;
use pki_core::name::Uri;
use pki_core::pem;
use pki_store::crl::{CrlRecord, CrlScope};
use pki_store::issuer::{CrlSigning, IssuerRecord};
use pki_store::mount::{Mount, MountKind};
use pki_store::{IssuerId, Store, block_on};

use self::sign::{List, sign};

use crate::answer::{Answer, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::fault::Fault;
use crate::issuer;
use crate::issuer::load::{LoadedIssuer, pem_text};
use crate::issuer::settings::IssuerUsage;
use crate::period;
use crate::session::{House, Session};
use crate::table::Table;

/// Print the last CRL of an issuer's authority. Nothing is signed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki crl show --format pem --out root.crl")]
pub(crate) struct Show {
    /// Issuer whose CRL is meant
    #[arg(long, default_value = "default", value_name = "REF")]
    issuer_ref: String,
    /// The last delta CRL instead of the full one
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    delta: Option<bool>,
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
    /// Sign what was revoked since the last full CRL, which stays
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    delta: Option<bool>,
    /// Where deltas to this full CRL are published: verifiers find them by it. May be repeated
    #[arg(long, conflicts_with = "delta", value_parser = parse_url, value_name = "URL")]
    freshest_crl: Vec<Uri>,
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
        let (scope, kind, flag) = match self.delta {
            Some(true) => (CrlScope::Delta, "delta CRL", " --delta"),
            _ => (CrlScope::Full, "CRL", ""),
        };
        let crl = block_on(house.store.crl(record.authority, scope))?.ok_or_else(|| {
            Fault::missing(
                format!("the authority of the issuer {} has no {kind}", issuer::label(&record)),
                format!("sign one: `pki --mount {} crl rotate{flag}`", mount.name),
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

/// Whether the authority has handed out numbers beyond its published CRLs: to lists that were signed ahead, or to one whose
/// signing was interrupted. Neither lists what is revoked from now on.
pub(crate) fn signed_ahead(house: &House, authority: AuthorityId) -> Result<bool, Fault> {
    let mut published = 0;
    for scope in [CrlScope::Full, CrlScope::Delta] {
        let crl = block_on(house.store.crl(authority, scope))?;
        published = crl.map_or(published, |crl| published.max(crl.number));
    }
    let authority = block_on(house.store.authority(authority))?;
    Ok(authority.is_some_and(|authority| authority.last_crl_number > published))
}

impl Act for Rotate {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let expiry = match self.expiry {
            Some(expiry) if !expiry.is_zero() => expiry,
            _ => EXPIRY,
        };
        let list = match self.delta {
            Some(true) => List::Delta,
            _ => List::Full { freshest: self.freshest_crl.clone() },
        };
        let mut answer = Answer::new();
        let mut table = Table::new(&["mount", "issuer", "number", "revoked", "next update"]);
        let mut crls = Vec::new();
        for (mount, record) in signers(&house, session, self.issuer_ref.as_deref(), &mut answer)? {
            let loaded = LoadedIssuer::for_crls(&house, &mount, record)?;
            let signed = sign(&house, &mount, &loaded, &list, expiry)?;
            let (draft, next_update) = (&signed.draft, signed.next_update);
            table.row(vec![
                mount.name.clone(),
                issuer::label(&loaded.record),
                draft.number.to_string(),
                signed.entries.to_string(),
                period::until(next_update, house.now),
            ]);
            crls.push(serde_json::json!({
                "mount": mount.name,
                "issuer": issuer::label(&loaded.record),
                "authority": loaded.record.authority.to_string(),
                "number": draft.number.to_string(),
                "revoked": signed.entries,
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

/// One issuer for each authority that signs its CRLs here, or the one that is named.
fn signers(
    house: &House,
    session: &Session,
    named: Option<&str>,
    answer: &mut Answer,
) -> Result<Vec<(Mount, IssuerRecord)>, Fault> {
    if let Some(reference) = named {
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
                answer
                    .warn(format!("the issuer {} is not to be used for crl-signing", issuer::label(&record)));
                continue;
            }
            signers.push((mount.clone(), record));
        }
    }
    Ok(signers)
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
        let signed = LoadedIssuer::for_crls(house, mount, record.clone()).and_then(|loaded| {
            let list = List::Full { freshest: Vec::new() };
            sign(house, mount, &loaded, &list, EXPIRY)
        });
        if let Err(fault) = signed {
            answer.warn(format!("the issuer {} has no CRL yet: {}", issuer::label(&record), fault.fault()));
        }
    }
    Ok(())
}

fn parse_url(text: &str) -> Result<Uri, String> {
    Uri::parse(text).map_err(|error| error.to_string())
}
