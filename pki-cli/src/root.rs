//! `pki root`: a root makes its own certificate, and certifies intermediates.

use std::path::PathBuf;

use clap::Args;
use pki_core::explain::Refusal;
use pki_core::hierarchy;
use pki_core::issuer::{prepare_root, sign};
use pki_core::key::PublicKey;
use pki_core::key::SigningKey;
use pki_core::key::software::Verifier;
use pki_core::pem;
use pki_core::serial::SerialNumber;
use pki_store::audit::AuditEntry;
use pki_store::issuer::{IssuerSettings, NewIssuer};
use pki_store::{IssuerId, Op, StoreError};

use crate::answer::{Answer, Delivery, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::ca::{self, Constraints, Subject};
use crate::fault::Fault;
use crate::issuer::load::{self, LoadedIssuer, endpoints, pem_text};
use crate::key::source::KeySource;
use crate::names::{Lifetime, Sans};
use crate::package::{KeyFormat, Packaging};
use crate::random::OsRandom;
use crate::session::Session;
use crate::set::Swap;
use crate::{crl, csr, issuer, period};

/// Make a root: a key, its own certificate, and the first CRL.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki root generate --common-name example-root --issuer-name root-2026 --ttl 87600h --out root.crt"
)]
pub(crate) struct Generate {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    sans: Sans,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    key: KeySource,
    #[command(flatten)]
    constraints: Constraints,
    /// Name of the issuer
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,
    /// Write the key as pkcs8, encrypted_pkcs8, pkcs1 (RSA) or sec1 (EC) [default: pkcs1, sec1, else pkcs8]
    #[arg(long, value_name = "FORMAT", help_heading = "Key")]
    private_key_format: Option<KeyFormat>,
    #[command(flatten)]
    packaging: Packaging,
}

/// Certify an intermediate: sign its CSR.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki root sign-intermediate --issuer-ref root-2026 --csr intermediate.csr --ttl 43800h --format pem_bundle --out intermediate.pem"
)]
pub(crate) struct SignIntermediate {
    /// Issuer that signs: name, id, or `default`
    #[arg(long, default_value = "default", value_name = "REF")]
    issuer_ref: String,
    /// File with the CSR, PEM or DER, `-` for standard input
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    sans: Sans,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    constraints: Constraints,
    /// Take the subject and the alternative names as the CSR has them
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    use_csr_values: Option<bool>,
}

impl Act for Generate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let package = self.packaging.resolve(session, self.private_key_format)?;
        let shape = Shape {
            fields: &[
                "certificate",
                "issuing_ca",
                "serial_number",
                "expiration",
                "issuer_id",
                "issuer_name",
                "key_id",
                "key_name",
                "private_key",
                "private_key_type",
            ],
            document: if self.key.is_exported() { Document::WithKey } else { Document::Authority },
            directory: Directory::Set,
        };
        let plan = Delivery::plan_packed(&session.global, shape, Swap::Refuse, None, package.clone())?;
        self.key.check()?;
        let request = ca::request(self.subject.name(None)?, self.sans, self.lifetime, self.constraints)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        if let Some(name) = &self.issuer_name {
            issuer::check_free(&house, &mount, name)
                .map_err(|fault| house.refuse("root/generate", &mount, None, None, fault))?;
        }
        let refused = |fault: Fault| house.refuse("root/generate", &mount, None, None, fault);
        let no = |refusal: Refusal| refused(Fault::refused(refusal.to_string(), refusal.remedy().line("")));
        let limits = ca::limits(&mount);

        // The rules first: no key is generated for a refused request.
        let ca_key = self.key.take_after(&house, &mount, |algorithm| {
            hierarchy::permit_root(request.clone(), algorithm, &limits, session.now).map(|_| ()).map_err(no)
        })?;
        let permitted = hierarchy::permit_ca(request, ca_key.key.public_key().clone(), &limits, session.now)
            .map_err(no)?;
        let serial = SerialNumber::random(&mut OsRandom, session.now).map_err(StoreError::from)?;
        let prepared = prepare_root(permitted, &ca_key.key, serial, &endpoints(&house, &mount, None)?)
            .map_err(|error| refused(ca::fault(error, "")))?;
        let certificate =
            sign(&prepared, &ca_key.key, &mut OsRandom).map_err(|error| ca::fault(error, ""))?;

        let id = IssuerId::random(&mut OsRandom).map_err(StoreError::from)?;
        let text = pem_text(pem::CERTIFICATE, certificate.der());
        let mut answer = Answer::new();
        answer
            .set("certificate", text.clone())
            .set("issuing_ca", text)
            .set("serial_number", serial.to_string())
            .set("expiration", certificate.validity().not_after().as_secs())
            .set("issuer_id", id.to_string())
            .set("issuer_name", self.issuer_name.clone().unwrap_or_default())
            .set("key_id", ca_key.id().to_string())
            .set("key_name", ca_key.name().unwrap_or_default())
            .fact("issuer", self.issuer_name.clone().unwrap_or_else(|| id.to_string()))
            .fact("subject", certificate.subject().to_string())
            .fact("serial number", serial.to_string())
            .fact("valid until", period::until(certificate.validity().not_after(), session.now))
            .fact("mount", mount.name.clone())
            .encoded(Encoded {
                label: pem::CERTIFICATE,
                der: certificate.der().to_vec(),
                issuers: Vec::new(),
            });
        if self.key.is_exported() {
            answer
                .set("private_key_type", ca_key.key.public_key().key_type().to_string())
                .secret("private_key", package.key_pem(&ca_key.key)?);
        }
        for warning in prepared.permitted().warnings() {
            answer.warn(warning.to_string());
        }
        let staged = plan.stage(&answer)?;

        let mut ops: Vec<Op> = ca_key.op().into_iter().collect();
        ops.push(Op::CreateIssuer(NewIssuer {
            id,
            mount: mount.id,
            name: self.issuer_name,
            certificate: certificate.der().to_vec(),
            subject: certificate.subject().der().to_vec(),
            public_key: certificate.public_key().spki_der().to_vec(),
            settings: IssuerSettings::default(),
        }));
        let record =
            ca::record(&house, &mount, (id, certificate.authority()), prepared.permitted(), &certificate);
        ops.push(ca::insert(record, &certificate));
        let audit = AuditEntry { serial: Some(serial), ..house.done("root/generate", Some(&mount)) };
        house.commit(ops, audit)?;
        let mut born = Answer::new();
        crl::at_birth(&house, &mount, &[id], &mut born)?;
        staged.with_warnings(born).publish()
    }
}

impl Act for SignIntermediate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan = session.plan(Shape {
            fields: &["certificate", "issuing_ca", "ca_chain", "serial_number", "expiration"],
            document: Document::Public,
            directory: Directory::Set,
        })?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let refused = |fault: Fault| house.refuse("root/sign-intermediate", &mount, None, None, fault);
        let request = csr::read(&self.csr, &Verifier).map_err(|fault| match fault.exit() {
            crate::fault::Exit::Refused => refused(fault),
            _ => fault,
        })?;
        let loaded = LoadedIssuer::open(&house, &mount, &self.issuer_ref)?;

        let use_csr_values = self.use_csr_values.unwrap_or(false);
        let subject = if use_csr_values {
            request.subject().clone()
        } else {
            self.subject.name(request.common_name())?
        };
        let mut ca_request = ca::request(subject, self.sans, self.lifetime, self.constraints)?;
        if use_csr_values {
            ca_request.alternative_names = request.alternative_names().to_vec();
        }
        let public_key: PublicKey = request.public_key().clone();
        let permitted = hierarchy::permit_ca(ca_request, public_key, &ca::limits(&mount), session.now)
            .map_err(|refusal| refused(Fault::refused(refusal.to_string(), refusal.remedy().line(""))))?;
        let serial = SerialNumber::random(&mut OsRandom, session.now).map_err(StoreError::from)?;
        let prepared = loaded
            .issuer
            .prepare(permitted, serial, &endpoints(&house, &mount, Some(&loaded.settings))?)
            .map_err(|error| refused(ca::fault(error, "")))?;
        let certificate =
            loaded.issuer.sign(&prepared, &mut OsRandom).map_err(|error| ca::fault(error, ""))?;

        let text = pem_text(pem::CERTIFICATE, certificate.der());
        let mut ca_chain = vec![text.clone()];
        let members = loaded.chain_members(&prepared);
        ca_chain.extend(load::ca_chain(&members));
        let mut answer = Answer::new();
        answer
            .set("certificate", text)
            .set("issuing_ca", ca_chain.get(1).cloned().unwrap_or_default())
            .set("ca_chain", ca_chain)
            .set("serial_number", serial.to_string())
            .set("expiration", certificate.validity().not_after().as_secs())
            .fact("subject", certificate.subject().to_string())
            .fact("issued by", issuer::label(&loaded.record))
            .fact("serial number", serial.to_string())
            .fact("valid until", period::until(certificate.validity().not_after(), session.now))
            .encoded(Encoded { label: pem::CERTIFICATE, der: certificate.der().to_vec(), issuers: members });
        for warning in prepared.permitted().warnings() {
            answer.warn(warning.to_string());
        }
        let staged = plan.stage(&answer)?;
        let record =
            ca::record(&house, &mount, ca::identity(&loaded.record), prepared.permitted(), &certificate);
        let audit = AuditEntry { serial: Some(serial), ..house.done("root/sign-intermediate", Some(&mount)) };
        house.commit(vec![ca::insert(record, &certificate)], audit)?;
        staged.publish()
    }
}
