//! `pki issuer`: the CA certificates of a mount.

pub(crate) mod import;
pub(crate) mod load;
pub(crate) mod retire;
pub(crate) mod settings;
pub(crate) mod update;

use std::collections::BTreeSet;

use clap::Args;
use pki_core::issuer::IssuerCertificate;
use pki_core::pem;
use pki_store::issuer::{CrlSigning, IssuerRecord};
use pki_store::key::KeyMatch;
use pki_store::mount::Mount;
use pki_store::page::{Order, PageRequest};
use pki_store::{IssuerId, Op, Store, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Delivery, Directory, Document, Encoded, Shape, list};
use crate::args::Act;
use crate::fault::Fault;
use crate::name::check_name;
use crate::package::Packaging;
use crate::session::{House, Session};
use crate::set::Swap;
use crate::table::Table;
use crate::{key, period};

use self::load::pem_text;
use self::settings::{IssuerUsage, Settings};

/// List the issuers of a mount.
#[derive(Args, Debug)]
pub(crate) struct List {}

/// Print an issuer: its certificate, chain and settings.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki issuer read root-2026 --format pem")]
pub(crate) struct Read {
    /// Name, id, or `default`
    #[arg(default_value = "default")]
    reference: String,
    #[command(flatten)]
    packaging: Packaging,
}

/// Print or set the issuer that is used where none is named.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki issuer default root-2027")]
pub(crate) struct Default {
    /// Name or id of the new default
    reference: Option<String>,
    /// Let each new root, and each import of one issuer with a key, become the default
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    default_follows_latest_issuer: Option<bool>,
}

impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let issuers = block_on(house.store.issuers(mount.id))?;
        let mut table = Table::new(&["id", "name", "subject", "expires", "key", "default"]);
        let mut known = Map::new();
        for record in &issuers {
            let certificate = load::certificate(record)?;
            let is_default = mount.default_issuer == Some(record.id);
            let key_id = record.key.map(|key| key.to_string()).unwrap_or_default();
            table.row(vec![
                record.id.to_string(),
                record.name.clone().unwrap_or_default(),
                certificate.subject().to_string(),
                period::until(certificate.validity().not_after(), session.now),
                key::mark(record.key.is_some()),
                key::mark(is_default),
            ]);
            known.insert(
                record.id.to_string(),
                json!({
                    "issuer_name": record.name.clone().unwrap_or_default(),
                    "is_default": is_default,
                    "serial_number": certificate.serial().to_string(),
                    "key_id": key_id,
                    "pki": {
                        "subject": certificate.subject().to_string(),
                        "not_after": certificate.validity().not_after().as_secs(),
                        "authority": record.authority.to_string(),
                        "crl_signing": record.crl_signing == CrlSigning::On,
                    },
                }),
            );
        }
        let mut answer = list(issuers.iter().map(|issuer| issuer.id.to_string()).collect(), known);
        answer.text(table.render());
        session.deliver(&answer)
    }
}

impl Act for Read {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let package = self.packaging.resolve(session, None)?;
        // What others trust: a CA with those above it.
        let shape = Shape { document: Document::Authority, ..READ };
        let plan = Delivery::plan_packed(&session.global, shape, Swap::Refuse, None, package)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        plan.deliver(&describe(&house, &mount, &record, session)?)
    }
}

impl Act for Default {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mut mount = house.pki_mount(session)?;
        let mut answer = Answer::new();
        let record = match self.reference.as_deref() {
            Some(reference) if reference.eq_ignore_ascii_case("default") => {
                return Err(Fault::usage(
                    "\"default\" refers to the default, and cannot become it",
                    "name an issuer by its name or id: `pki issuer list`",
                ));
            }
            Some(reference) => Some(find(&house, &mount, reference)?),
            None if self.default_follows_latest_issuer.is_some() => Some(find(&house, &mount, "default")?),
            None => None,
        };
        if let Some(record) = record {
            if record.key.is_none() {
                answer
                    .warn(format!("the issuer {} has no private key here: it signs nothing", label(&record)));
            }
            let follows_latest =
                self.default_follows_latest_issuer.unwrap_or(mount.default_follows_latest_issuer);
            let op = Op::SetDefaultIssuer { mount: mount.id, issuer: record.id, follows_latest };
            house.commit(vec![op], house.done("issuer/default", Some(&mount)))?;
            mount = house.mount(&mount.name)?;
        }
        let default = mount.default_issuer.map(|id| id.to_string()).unwrap_or_default();
        let name = match mount.default_issuer {
            Some(id) => block_on(house.store.issuer(id))?.and_then(|record| record.name),
            None => None,
        };
        answer
            .set("default", default.clone())
            .set("default_follows_latest_issuer", mount.default_follows_latest_issuer)
            .ours("issuer_name", name.clone().unwrap_or_default())
            .fact(
                "default",
                match (name, default.as_str()) {
                    (_, "") => "none".to_owned(),
                    (Some(name), id) => format!("{name} ({id})"),
                    (None, id) => id.to_owned(),
                },
            );
        session.deliver(&answer)
    }
}

/// Makes an issuer the default, as `pki issuer default` does.
pub(crate) fn make_default(session: &Session, reference: &str) -> Result<(), Fault> {
    Default { reference: Some(reference.to_owned()), default_follows_latest_issuer: None }.run(session)
}

const READ: Shape = Shape { fields: &[], document: Document::Public, directory: Directory::Refuse };

/// Vault's answer about an issuer.
fn describe(house: &House, mount: &Mount, record: &IssuerRecord, session: &Session) -> Result<Answer, Fault> {
    let certificate = load::certificate(record)?;
    let issuer = IssuerCertificate::new(certificate.clone()).map_err(|error| {
        Fault::unusable(
            format!("the stored issuer {}: {error}", label(record)),
            "restore a backup of the store",
        )
    })?;
    let settings = Settings::of(record, &issuer)?;
    let manual_chain = load::manual_chain(house, record)?;
    let members: Vec<crate::answer::ChainMember> = if manual_chain.is_empty() {
        load::chain(house, mount.id, &certificate)?.iter().map(load::chain_member).collect()
    } else {
        manual_chain.iter().skip(1).map(load::chain_member).collect()
    };
    let mut ca_chain = vec![pem_text(pem::CERTIFICATE, certificate.der())];
    ca_chain.extend(load::ca_chain(&members));
    let manual_ids: Vec<String> = record.settings.manual_chain.iter().map(ToString::to_string).collect();
    let revoked = settings.revoked();
    let validity = certificate.validity();
    let is_default = mount.default_issuer == Some(record.id);
    let mut answer = Answer::new();
    answer
        .set("issuer_id", record.id.to_string())
        .set("issuer_name", record.name.clone().unwrap_or_default())
        .set("key_id", record.key.map(|key| key.to_string()).unwrap_or_default())
        .set("certificate", pem_text(pem::CERTIFICATE, certificate.der()))
        .set("manual_chain", if manual_ids.is_empty() { Value::Null } else { manual_ids.into() })
        .set("ca_chain", ca_chain)
        .set("leaf_not_after_behavior", settings.leaf_not_after_behavior.clone())
        .set("usage", settings::shown(&settings.usage, ","))
        .set("revocation_signature_algorithm", settings.revocation_signature_algorithm.clone())
        .set("revoked", revoked.is_some())
        .set("issuing_certificates", settings.issuing_certificates.clone())
        .set("crl_distribution_points", settings.crl_distribution_points.clone())
        .set("ocsp_servers", settings.ocsp_servers.clone())
        .ours("is_default", is_default)
        .ours("serial_number", certificate.serial().to_string())
        .ours("subject", certificate.subject().to_string())
        .ours("not_after", validity.not_after().as_secs())
        .ours("authority", record.authority.to_string())
        .ours("crl_signing", record.crl_signing == CrlSigning::On)
        .fact("issuer", label(record))
        .fact("id", record.id.to_string())
        .fact("subject", certificate.subject().to_string())
        .fact("issued by", certificate.issuer().to_string())
        .fact("serial number", certificate.serial().to_string())
        .fact("valid until", period::until(validity.not_after(), session.now))
        .fact("key", record.key.map_or_else(|| "not here".to_owned(), |key| key.to_string()))
        .fact("default", if is_default { "yes" } else { "no" })
        .fact("usage", settings::shown(&settings.usage, ", "))
        .fact("a leaf that would outlive it", settings.leaf_not_after_behavior.clone())
        .encoded(Encoded { label: pem::CERTIFICATE, der: certificate.der().to_vec(), issuers: members });
    if let Some(at) = revoked {
        answer
            .set("revocation_time", at.as_secs())
            .set("revocation_time_rfc3339", at.to_string())
            .fact("revoked at", at.to_string());
    }
    Ok(answer)
}

/// The issuer that a reference names, or nothing: its name, its id, or `default`.
pub(crate) fn look_up(house: &House, mount: &Mount, reference: &str) -> Result<Option<IssuerRecord>, Fault> {
    let here = |record: Option<IssuerRecord>| record.filter(|record| record.mount == mount.id);
    if reference.is_empty() || reference.eq_ignore_ascii_case("default") {
        return Ok(match mount.default_issuer {
            Some(id) => here(block_on(house.store.issuer(id))?),
            None => None,
        });
    }
    if let Ok(id) = reference.parse::<IssuerId>()
        && let Some(record) = here(block_on(house.store.issuer(id))?)
    {
        return Ok(Some(record));
    }
    Ok(block_on(house.store.issuer_by_name(mount.id, reference))?)
}

/// The issuer that a reference names: its name, its id, or `default`.
pub(crate) fn find(house: &House, mount: &Mount, reference: &str) -> Result<IssuerRecord, Fault> {
    match look_up(house, mount, reference)? {
        Some(record) => Ok(record),
        None => Err(unknown(house, mount, reference)?),
    }
}

fn unknown(house: &House, mount: &Mount, reference: &str) -> Result<Fault, Fault> {
    let page = PageRequest { after: None, limit: NAMED_AT_MOST, order: Order::OldestFirst };
    let issuers = block_on(house.store.issuer_page(mount.id, page))?.items;
    if reference.is_empty() || reference.eq_ignore_ascii_case("default") {
        return Ok(Fault::missing(
            format!("the mount {} has no default issuer", mount.name),
            if issuers.is_empty() {
                format!(
                    "make one: `pki --mount {0} root generate` or `pki --mount {0} intermediate generate`",
                    mount.name
                )
            } else {
                format!("choose one: `pki --mount {} issuer default NAME`", mount.name)
            },
        ));
    }
    let names: Vec<String> = issuers.iter().map(label).collect();
    Ok(Fault::missing(
        format!("there is no issuer {reference:?} in the mount {}", mount.name),
        if names.is_empty() {
            format!("the mount has none yet; make one: `pki --mount {} root generate`", mount.name)
        } else {
            format!("the mount has {}; `pki --mount {} issuer list` lists all", names.join(", "), mount.name)
        },
    ))
}

/// What an issuer may be used for.
pub(crate) fn usage(record: &IssuerRecord) -> Result<BTreeSet<IssuerUsage>, Fault> {
    let issuer = IssuerCertificate::new(load::certificate(record)?).map_err(|error| {
        Fault::unusable(
            format!("the stored issuer {}: {error}", label(record)),
            "restore a backup of the store",
        )
    })?;
    Ok(Settings::of(record, &issuer)?.usage)
}

/// How people call an issuer: its name, else its id.
pub(crate) fn label(record: &IssuerRecord) -> String {
    record.name.clone().unwrap_or_else(|| record.id.to_string())
}

/// Refuses a name that an issuer has, or that waits for one.
pub(crate) fn check_free(house: &House, mount: &Mount, name: &str) -> Result<(), Fault> {
    check_name("an issuer", name)?;
    if block_on(house.store.issuer_by_name(mount.id, name))?.is_some() {
        return Err(Fault::refused(
            format!("the mount {} already has an issuer named {name:?}", mount.name),
            "choose another name with --issuer-name",
        ));
    }
    let pending = KeyMatch::PendingIssuerName(name.to_owned());
    if block_on(house.store.key_matching(mount.id, &pending))?.is_some() {
        return Err(Fault::refused(
            format!("the name {name:?} waits in the mount {} for its signed certificate", mount.name),
            "choose another name with --issuer-name, or bring the certificate: `pki intermediate set-signed`",
        ));
    }
    Ok(())
}

/// So many names a message lists.
const NAMED_AT_MOST: usize = 8;
