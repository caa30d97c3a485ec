//! `pki issuer`: the CA certificates of a mount.

pub(crate) mod load;

use std::path::PathBuf;

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::hierarchy;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::software::SoftwareKey;
use pki_core::key::{PrivateKeyDer, SigningKey};
use pki_core::pem::{self, PemBlock};
use pki_store::issuer::{CrlSigning, IssuerRecord, IssuerSettings, NewIssuer};
use pki_store::mount::Mount;
use pki_store::{IssuerId, Op, Outcome, Store, StoreError, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Directory, Document, Encoded, Shape, list};
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::{House, Session, read_passphrase};
use crate::table::Table;
use crate::{crl, key, period};

use self::load::pem_text;

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
}

/// Rename an issuer.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki issuer update default --issuer-name root-2026")]
pub(crate) struct Update {
    /// Name, id, or `default`
    reference: String,
    /// New name; an empty one takes the name away
    #[arg(long, value_name = "NAME")]
    issuer_name: String,
}

/// Import CA certificates and private keys from a PEM bundle, in any order.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki --mount old issuer import old-ca.pem --issuer-name old-root")]
pub(crate) struct Import {
    /// File with certificates and keys, `-` for standard input
    file: PathBuf,
    /// Name of the issuer, if the bundle has one certificate
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,
    /// File with the password of an encrypted key
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Print or set the issuer that is used where none is named.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki issuer default root-2027")]
pub(crate) struct Default {
    /// Name or id of the new default
    reference: Option<String>,
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
        let plan = session.plan(READ)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        plan.deliver(&describe(&house, &mount, &record, session)?)
    }
}

impl Act for Update {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan = session.plan(READ)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        let name = match self.issuer_name.as_str() {
            "" => None,
            name => {
                check_name("an issuer", name)?;
                Some(name.to_owned())
            }
        };
        let op = Op::UpdateIssuer {
            issuer: record.id,
            expected: record.revision,
            name,
            settings: record.settings.clone(),
        };
        house.commit(vec![op], house.done("issuer/update", Some(&mount)))?;
        let record = find(&house, &mount, &record.id.to_string())?;
        plan.deliver(&describe(&house, &mount, &record, session)?)
    }
}

impl Act for Default {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mut mount = house.pki_mount(session)?;
        let mut answer = Answer::new();
        if let Some(reference) = &self.reference {
            if reference.eq_ignore_ascii_case("default") {
                return Err(Fault::usage(
                    "\"default\" refers to the default, and cannot become it",
                    "name an issuer by its name or id: `pki issuer list`",
                ));
            }
            let record = find(&house, &mount, reference)?;
            if record.key.is_none() {
                answer
                    .warn(format!("the issuer {} has no private key here: it signs nothing", label(&record)));
            }
            let op = Op::SetDefaultIssuer {
                mount: mount.id,
                issuer: record.id,
                follows_latest: mount.default_follows_latest_issuer,
            };
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

impl Act for Import {
    fn run(self, session: &Session) -> Result<(), Fault> {
        if let Some(name) = &self.issuer_name {
            check_name("an issuer", name)?;
        }
        let octets = input::read(&self.file, Limit::Bundle)?;
        let bundle = Bundle::read(&self.file, &octets, self.password_file.as_deref())?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let imported = bundle.import(&house, &mount, self.issuer_name, "issuer/import")?;
        let mut answer = imported.answer(&house, &mount)?;
        crl::at_birth(&house, &mount, &imported.crls(), &mut answer)?;
        session.deliver(&answer)
    }
}

const READ: Shape = Shape { fields: &[], document: Document::Public, directory: Directory::Refuse };

/// Certificates and keys to import.
#[derive(Default)]
pub(crate) struct Bundle {
    certificates: Vec<Certificate>,
    keys: Vec<SoftwareKey>,
}

impl Bundle {
    /// Reads PEM, or the DER of one certificate.
    pub(crate) fn read(
        file: &std::path::Path,
        octets: &[u8],
        password_file: Option<&std::path::Path>,
    ) -> Result<Self, Fault> {
        let remedy = "name a PEM file with CA certificates, and their keys if they are to sign here";
        let wrong =
            |error: &dyn std::fmt::Display| Fault::usage(format!("{}: {error}", input::name(file)), remedy);
        let mut bundle = Self::empty();
        let text = match std::str::from_utf8(octets) {
            Ok(text) if text.contains("-----BEGIN ") => text,
            _ => {
                bundle.certificates.push(Certificate::from_der(octets).map_err(|error| wrong(&error))?);
                return Ok(bundle);
            }
        };
        let password = password_file.map(read_passphrase).transpose()?;
        for PemBlock { label, der } in pem::parse(text).map_err(|error| wrong(&error))? {
            match label.as_str() {
                pem::CERTIFICATE | "X509 CERTIFICATE" => {
                    bundle.certificates.push(Certificate::from_der(&der).map_err(|error| wrong(&error))?)
                }
                pem::X509_CRL | pem::EC_PARAMETERS => {}
                label if label.ends_with(pem::PRIVATE_KEY) => {
                    let key = PrivateKeyDer::from_der(&der, password.as_ref().map(|p| p.as_slice()))
                        .and_then(|key| SoftwareKey::from_private_key(&key))
                        .map_err(|error| wrong(&error))?;
                    bundle.keys.push(key);
                }
                other => return Err(wrong(&format_args!("it holds a {other}, which is no CA's"))),
            }
        }
        if bundle.certificates.is_empty() && bundle.keys.is_empty() {
            return Err(wrong(&"it holds no certificate and no key"));
        }
        Ok(bundle)
    }

    fn empty() -> Self {
        Self { certificates: Vec::new(), keys: Vec::new() }
    }

    pub(crate) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Stores keys, then certificates, in one batch. Certificates with a key here come first, so that the first of
    /// them can become the default.
    pub(crate) fn import(
        self,
        house: &House,
        mount: &Mount,
        name: Option<String>,
        operation: &str,
    ) -> Result<Imported, Fault> {
        let mut ops = Vec::new();
        let mut plans = Vec::new();
        let stored = block_on(house.store.keys(mount.id))?;
        let mut known: Vec<Vec<u8>> = stored.iter().map(|key| key.public_key.clone()).collect();
        for key in &self.keys {
            let public = key.public_key().spki_der();
            match stored.iter().find(|stored| stored.public_key == public) {
                Some(stored) => plans.push(Plan::ExistingKey(stored.id.to_string())),
                None => {
                    let new = key::new_key(house, mount, key, None, None)?;
                    plans.push(Plan::NewKey(new.id.to_string()));
                    ops.push(Op::CreateKey(new));
                    known.push(public.to_vec());
                }
            }
        }
        let with_key =
            |certificate: &Certificate| known.iter().any(|key| key == certificate.public_key().spki_der());
        let (mut ordered, others): (Vec<Certificate>, Vec<Certificate>) =
            self.certificates.into_iter().partition(with_key);
        let named = if ordered.is_empty() { others.len() } else { ordered.len() };
        if name.is_some() && named != 1 {
            return Err(Fault::usage(
                "a name was given, and the bundle holds several certificates that it could belong to",
                "leave --issuer-name out, and name them afterwards: `pki issuer update`",
            ));
        }
        ordered.extend(others);
        let first_issuer = ops.len();
        for (position, certificate) in ordered.iter().enumerate() {
            let checked = IssuerCertificate::new(certificate.clone()).map_err(|error| {
                Fault::refused(
                    format!("\"{}\" cannot be an issuer: {error}", certificate.subject()),
                    "import CA certificates only",
                )
            })?;
            let id = IssuerId::random(&mut OsRandom).map_err(StoreError::from)?;
            ops.push(Op::CreateIssuer(NewIssuer {
                id,
                mount: mount.id,
                name: name.clone().filter(|_| position == 0),
                certificate: checked.certificate().der().to_vec(),
                subject: checked.subject().der().to_vec(),
                public_key: checked.certificate().public_key().spki_der().to_vec(),
                settings: IssuerSettings::default(),
            }));
        }
        let committed = house.commit(ops, house.done(operation, Some(mount)))?;
        let outcomes = committed.outcomes.into_iter().skip(first_issuer).collect();
        Ok(Imported { plans, outcomes })
    }
}

enum Plan {
    NewKey(String),
    ExistingKey(String),
}

/// What an import did.
pub(crate) struct Imported {
    plans: Vec<Plan>,
    outcomes: Vec<Outcome>,
}

impl Imported {
    /// The new issuers that sign their authority's CRLs here.
    pub(crate) fn crls(&self) -> Vec<IssuerId> {
        self.outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Issuer {
                    id, existing: false, crl_signing: CrlSigning::On, key: Some(_), ..
                } => Some(*id),
                _ => None,
            })
            .collect()
    }

    /// Vault's answer to an import.
    pub(crate) fn answer(&self, house: &House, mount: &Mount) -> Result<Answer, Fault> {
        let mut answer = Answer::new();
        let mut mapping = Map::new();
        let (mut new_issuers, mut old_issuers) = (Vec::new(), Vec::new());
        let mut table = Table::new(&["issuer", "name", "key", ""]);
        for outcome in &self.outcomes {
            let Outcome::Issuer { id, existing, name, key, crl_signing, default } = outcome else {
                continue;
            };
            mapping.insert(id.to_string(), Value::from(key.map(|key| key.to_string()).unwrap_or_default()));
            if *existing { &mut old_issuers } else { &mut new_issuers }.push(id.to_string());
            table.row(vec![
                id.to_string(),
                name.clone().unwrap_or_default(),
                key::mark(key.is_some()),
                match (existing, default) {
                    (true, _) => "was there already".to_owned(),
                    (false, true) => "default".to_owned(),
                    (false, false) => String::new(),
                },
            ]);
            if key.is_some() && *crl_signing == CrlSigning::Off {
                answer.warn(format!(
                    "the issuer {id} signs no CRLs here: another mount of this store does for its authority"
                ));
            }
        }
        let keys = |wanted_new: bool| -> Vec<String> {
            self.plans
                .iter()
                .filter_map(|plan| match plan {
                    Plan::NewKey(id) if wanted_new => Some(id.clone()),
                    Plan::ExistingKey(id) if !wanted_new => Some(id.clone()),
                    _ => None,
                })
                .collect()
        };
        let mount = house.mount(&mount.name)?;
        if mount.default_issuer.is_none() {
            answer.warn("no issuer of the mount has a private key yet, so there is no default");
        }
        answer
            .set("mapping", mapping)
            .set("imported_keys", keys(true))
            .set("imported_issuers", new_issuers)
            .set("existing_keys", keys(false))
            .set("existing_issuers", old_issuers)
            .text(table.render());
        Ok(answer)
    }
}

/// Vault's answer about an issuer.
fn describe(house: &House, mount: &Mount, record: &IssuerRecord, session: &Session) -> Result<Answer, Fault> {
    let certificate = load::certificate(record)?;
    let siblings = block_on(house.store.issuers(mount.id))?;
    let chain = load::chain(house, mount.id, &certificate, &siblings)?;
    let members: Vec<crate::answer::ChainMember> = chain
        .iter()
        .map(|member| crate::answer::ChainMember {
            der: member.der().to_vec(),
            is_root: hierarchy::is_root(member),
        })
        .collect();
    let mut ca_chain = vec![pem_text(pem::CERTIFICATE, certificate.der())];
    ca_chain.extend(chain.iter().map(|member| pem_text(pem::CERTIFICATE, member.der())));
    let may_sign_crls =
        IssuerCertificate::new(certificate.clone()).is_ok_and(|issuer| issuer.may_sign_crls());
    let usage = if may_sign_crls {
        "crl-signing,issuing-certificates,ocsp-signing,read-only"
    } else {
        "issuing-certificates,ocsp-signing,read-only"
    };
    let validity = certificate.validity();
    let is_default = mount.default_issuer == Some(record.id);
    let mut answer = Answer::new();
    answer
        .set("issuer_id", record.id.to_string())
        .set("issuer_name", record.name.clone().unwrap_or_default())
        .set("key_id", record.key.map(|key| key.to_string()).unwrap_or_default())
        .set("certificate", pem_text(pem::CERTIFICATE, certificate.der()))
        .set("manual_chain", Value::Null)
        .set("ca_chain", ca_chain)
        .set("leaf_not_after_behavior", "err")
        .set("usage", usage)
        .set("revocation_signature_algorithm", "")
        .set("revoked", false)
        .set("issuing_certificates", Vec::<String>::new())
        .set("crl_distribution_points", Vec::<String>::new())
        .set("ocsp_servers", Vec::<String>::new())
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
        .encoded(Encoded { label: pem::CERTIFICATE, der: certificate.der().to_vec(), issuers: members });
    Ok(answer)
}

/// The issuer that a reference names, or nothing.
pub(crate) fn look_up(house: &House, mount: &Mount, reference: &str) -> Result<Option<IssuerRecord>, Fault> {
    let issuers = block_on(house.store.issuers(mount.id))?;
    Ok(pick(&issuers, mount, reference).cloned())
}

/// The issuer that a reference names: its name, its id, or `default`.
pub(crate) fn find(house: &House, mount: &Mount, reference: &str) -> Result<IssuerRecord, Fault> {
    let issuers = block_on(house.store.issuers(mount.id))?;
    match pick(&issuers, mount, reference) {
        Some(record) => Ok(record.clone()),
        None => Err(unknown(mount, &issuers, reference)),
    }
}

pub(crate) fn pick<'a>(
    issuers: &'a [IssuerRecord],
    mount: &Mount,
    reference: &str,
) -> Option<&'a IssuerRecord> {
    if reference.is_empty() || reference.eq_ignore_ascii_case("default") {
        return issuers.iter().find(|issuer| Some(issuer.id) == mount.default_issuer);
    }
    let id: Option<IssuerId> = reference.parse().ok();
    issuers.iter().find(|issuer| {
        Some(issuer.id) == id
            || issuer.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(reference))
    })
}

pub(crate) fn unknown(mount: &Mount, issuers: &[IssuerRecord], reference: &str) -> Fault {
    if reference.is_empty() || reference.eq_ignore_ascii_case("default") {
        return Fault::missing(
            format!("the mount {} has no default issuer", mount.name),
            if issuers.is_empty() {
                format!(
                    "make one: `pki --mount {0} root generate` or `pki --mount {0} intermediate generate`",
                    mount.name
                )
            } else {
                format!("choose one: `pki --mount {} issuer default NAME`", mount.name)
            },
        );
    }
    let names: Vec<String> = issuers.iter().map(label).take(NAMED_AT_MOST).collect();
    Fault::missing(
        format!("there is no issuer {reference:?} in the mount {}", mount.name),
        if names.is_empty() {
            format!("the mount has none yet; make one: `pki --mount {} root generate`", mount.name)
        } else {
            format!("the mount has {}; `pki --mount {} issuer list` lists all", names.join(", "), mount.name)
        },
    )
}

/// How people call an issuer: its name, else its id.
pub(crate) fn label(record: &IssuerRecord) -> String {
    record.name.clone().unwrap_or_else(|| record.id.to_string())
}

/// Refuses a name that an issuer has, or that waits for one.
pub(crate) fn check_free(house: &House, mount: &Mount, name: &str) -> Result<(), Fault> {
    check_name("an issuer", name)?;
    let taken = |other: &str| other.eq_ignore_ascii_case(name);
    if block_on(house.store.issuers(mount.id))?.iter().any(|issuer| issuer.name.as_deref().is_some_and(taken))
    {
        return Err(Fault::refused(
            format!("the mount {} already has an issuer named {name:?}", mount.name),
            "choose another name with --issuer-name",
        ));
    }
    if block_on(house.store.keys(mount.id))?
        .iter()
        .any(|key| key.pending_issuer_name.as_deref().is_some_and(taken))
    {
        return Err(Fault::refused(
            format!("the name {name:?} waits in the mount {} for its signed certificate", mount.name),
            "choose another name with --issuer-name, or bring the certificate: `pki intermediate set-signed`",
        ));
    }
    Ok(())
}

/// So many names a message lists.
const NAMED_AT_MOST: usize = 8;
