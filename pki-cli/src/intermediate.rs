//! `pki intermediate`: a key and its CSR go out, the signed certificate comes back.

use std::path::PathBuf;

use clap::Args;
use pki_core::csr::CertificationRequest;
use pki_core::key::SigningKey;
use pki_core::pem;
use pki_store::Op;
use serde_json::json;

use crate::answer::{Answer, Delivery, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::args::global::Format;
use crate::ca::{SignatureScheme, Subject};
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::issuer;
use crate::issuer::import::Bundle;
use crate::issuer::load::pem_text;
use crate::key::source::{KeySource, Origin};
use crate::names::Sans;
use crate::package::{KeyFormat, Packaging};
use crate::random::OsRandom;
use crate::session::Session;
use crate::set::Swap;
use crate::{crl, key};

/// Make a key and a CSR for it; the key waits in the store for its signed certificate.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki --mount pki_int intermediate generate --common-name example-issuing --issuer-name issuing-2026 --out int.csr"
)]
pub(crate) struct Generate {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    sans: Sans,
    #[command(flatten)]
    key: KeySource,
    #[command(flatten)]
    signature: SignatureScheme,
    /// Name that the issuer will have once its certificate comes back
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,
    /// Write the key as pkcs8, encrypted_pkcs8, pkcs1 (RSA) or sec1 (EC) [default: pkcs1, sec1, else pkcs8]
    #[arg(long, value_name = "FORMAT", help_heading = "Key")]
    private_key_format: Option<KeyFormat>,
    #[command(flatten)]
    packaging: Packaging,
}

/// Make a CSR for a key that a CA has already: for another CA to sign, or for a new certificate in place of the old.
///
/// Without flags of the subject, it is that of the CA which has the key.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki --mount pki_int intermediate cross-sign --key-ref signing-2026 --out int.csr"
)]
pub(crate) struct CrossSign {
    /// Key: name, id or `default`
    #[arg(long, value_name = "REF")]
    key_ref: Option<String>,
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    sans: Sans,
    #[command(flatten)]
    signature: SignatureScheme,
    /// Name that the new issuer will have once its certificate comes back
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,
}

/// Bring back the signed certificate, with its chain, in any order.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki --mount pki_int intermediate set-signed intermediate.pem")]
pub(crate) struct SetSigned {
    /// File with the certificate and those above it, `-` for standard input
    file: PathBuf,
}

impl Act for Generate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        self.make(session, "intermediate/generate")
    }
}

impl Act for CrossSign {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let Self { key_ref, subject, sans, signature, issuer_name } = self;
        let key = KeySource::existing(key_ref);
        let generate = Generate {
            subject,
            sans,
            key,
            signature,
            issuer_name,
            private_key_format: None,
            packaging: Packaging::default(),
        };
        generate.make(session, "intermediate/cross-sign")
    }
}

impl Generate {
    fn make(self, session: &Session, operation: &str) -> Result<(), Fault> {
        if let Some(format @ (Format::Pkcs12 | Format::Pkcs12Legacy | Format::Kubernetes)) =
            session.global.format
        {
            return Err(Fault::usage(
                format!("--format {} holds a certificate, and this answer is a CSR", format.name()),
                "leave --format out; when the certificate is there, `pki issuer read --format pkcs12`",
            ));
        }
        let package = self.packaging.resolve(session, self.private_key_format)?;
        let shape = Shape {
            fields: &["csr", "key_id", "private_key", "private_key_type"],
            document: if self.key.is_exported() { Document::WithKey } else { Document::Public },
            directory: Directory::Refuse,
        };
        let plan = Delivery::plan_packed(&session.global, shape, Swap::Refuse, None, package.clone())?;
        self.key.check()?;
        let subject = self.subject.name(None)?;
        if subject.is_empty() && !self.key.is_existing() {
            return Err(nameless());
        }
        let names = self.sans.parse()?;
        let scheme = self.signature.parse()?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let refused = |fault: Fault| house.refuse(operation, &mount, None, None, fault);
        let ca_key = match (self.key.is_existing(), &self.issuer_name) {
            (false, Some(name)) => {
                issuer::check_free(&house, &mount, name).map_err(refused)?;
                self.key.take(&house, &mount, Some(name.clone()))?
            }
            _ => self.key.take(&house, &mount, None)?,
        };
        let mut ops: Vec<Op> = ca_key.op().into_iter().collect();
        if let (Origin::Stored(record), Some(name)) = (&ca_key.origin, &self.issuer_name) {
            let waits = record.pending_issuer_name.as_deref().is_some_and(|p| p.eq_ignore_ascii_case(name));
            if !waits {
                issuer::check_free(&house, &mount, name).map_err(refused)?;
                ops.push(Op::SetPendingIssuerName { key: record.id, name: Some(name.clone()) });
            }
        }
        // A CA that has the key already is asked about by its own name.
        let subject = match issuer::load::subject_of(&house, &mount, ca_key.key.public_key())? {
            Some(known) if subject.is_empty() => known,
            _ if subject.is_empty() => return Err(nameless()),
            _ => subject,
        };
        let algorithm = scheme
            .choose(&ca_key.key)
            .map_err(|error| Fault::refused(error.to_string(), "give --signature-bits 256, 384, 512 or 0"))?;
        let der = CertificationRequest::create_with(algorithm, &subject, &names, &ca_key.key, &mut OsRandom)
            .map_err(|error| Fault::unusable(error.to_string(), "try again"))?;

        let mut answer = Answer::new();
        answer
            .set("csr", pem_text(pem::CERTIFICATE_REQUEST, &der))
            .set("key_id", ca_key.id().to_string())
            .ours("issuer_name", self.issuer_name.clone().unwrap_or_default())
            .ours("key_name", ca_key.name().unwrap_or_default())
            .fact("subject", subject.to_string())
            .fact("key", ca_key.id().to_string())
            .encoded(Encoded { label: pem::CERTIFICATE_REQUEST, der, issuers: Vec::new() });
        if let Some(name) = &self.issuer_name {
            answer.fact("issuer name", format!("{name} (when the signed certificate comes back)"));
        }
        answer.fact(
            "next",
            format!("have it signed, then `pki --mount {} intermediate set-signed FILE`", mount.name),
        );
        if self.key.is_exported() {
            answer
                .set("private_key_type", ca_key.key.public_key().key_type().to_string())
                .secret("private_key", package.key_pem(&ca_key.key)?);
        }
        let staged = plan.stage(&answer)?;
        let mut audit = house.done(operation, Some(&mount));
        audit.detail = json!({ "key_id": ca_key.id().to_string() }).to_string();
        house.commit(ops, audit)?;
        staged.publish()
    }
}

fn nameless() -> Fault {
    Fault::usage(
        "a CA needs a subject (RFC 5280 4.1.2.6), and the line gives none",
        "give one: --common-name NAME",
    )
}

impl Act for SetSigned {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let octets = input::read(&self.file, Limit::Bundle)?;
        let bundle = Bundle::read(&self.file, &octets, None)?;
        if bundle.has_keys() {
            return Err(Fault::usage(
                format!(
                    "{} holds a private key, which does not come back with a certificate",
                    input::name(&self.file)
                ),
                "leave the key out, or import it: `pki issuer import`",
            ));
        }
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let mut ours = false;
        for certificate in bundle.certificates() {
            ours |= key::by_public_key(&house, &mount, certificate.public_key())?.is_some();
        }
        if !ours {
            let fault = Fault::refused(
                format!(
                    "no certificate in {} is for a key of the mount {}",
                    input::name(&self.file),
                    mount.name
                ),
                "name the mount that made the CSR with --mount, or import the certificates: `pki issuer import`",
            );
            return Err(house.refuse("intermediate/set-signed", &mount, None, None, fault));
        }
        let imported = bundle.import(&house, &mount, None, "intermediate/set-signed")?;
        let mut answer = imported.answer(&house, &mount)?;
        crl::at_birth(&house, &mount, &imported.crls(), &mut answer)?;
        session.deliver(&answer)
    }
}
