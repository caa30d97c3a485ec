//! `pki issuer import`: CA certificates and private keys from a bundle, in any order.

use std::path::{Path, PathBuf};

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::software::SoftwareKey;
use pki_core::key::{PrivateKeyDer, SigningKey};
use pki_core::pem::{self, PemBlock};
use pki_store::issuer::{CrlSigning, IssuerSettings, NewIssuer};
use pki_store::mount::Mount;
use pki_store::{IssuerId, Op, Outcome, StoreError};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::{House, Session, read_passphrase};
use crate::table::Table;
use crate::{crl, key};

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

/// Certificates and keys to import.
pub(crate) struct Bundle {
    certificates: Vec<Certificate>,
    keys: Vec<SoftwareKey>,
}

impl Bundle {
    /// Reads PEM, or the DER of one certificate.
    pub(crate) fn read(file: &Path, octets: &[u8], password_file: Option<&Path>) -> Result<Self, Fault> {
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
        let mut warnings = Vec::new();
        let mut known: Vec<Vec<u8>> = Vec::new();
        for key in &self.keys {
            let public = key.public_key().spki_der();
            if known.iter().any(|other| other == public) {
                continue;
            }
            known.push(public.to_vec());
            match key::by_public_key(house, mount, key.public_key())? {
                Some(stored) => plans.push(Plan::ExistingKey(stored.id.to_string())),
                None => {
                    let warning = key::weak::check_import(house, mount, key.public_key())
                        .map_err(|fault| house.refuse(operation, mount, None, None, fault))?;
                    warnings.extend(warning);
                    let new = key::new_key(house, mount, key, None, None)?;
                    plans.push(Plan::NewKey(new.id.to_string()));
                    ops.push(Op::CreateKey(new));
                }
            }
        }
        for certificate in &self.certificates {
            if key::by_public_key(house, mount, certificate.public_key())?.is_some() {
                known.push(certificate.public_key().spki_der().to_vec());
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
        Ok(Imported { plans, outcomes, warnings })
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
    warnings: Vec<String>,
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
        for warning in &self.warnings {
            answer.warn(warning.clone());
        }
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
