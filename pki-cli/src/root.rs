//! `pki root`: a root makes its own certificate, and certifies intermediates.

use std::path::PathBuf;

use clap::Args;
use pki_core::explain::Refusal;
use pki_core::hierarchy::{self, CaRequest};
use pki_core::issue::{AskedLifetime, Permitted};
use pki_core::issuer::{IssuerCertificate, prepare_root, sign};
use pki_core::key::software::Verifier;
use pki_core::key::{KeyIdentifier, SigningKey};
use pki_core::pem;
use pki_core::serial::SerialNumber;
use pki_store::audit::AuditEntry;
use pki_store::issuer::{IssuerSettings, NewIssuer};
use pki_store::mount::Mount;
use pki_store::{IssuerId, Op, StoreError};

use crate::answer::{Answer, Delivery, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::ca::{self, Constraints, Subject};
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::issuer::import::Bundle;
use crate::issuer::load::{self, LoadedIssuer, endpoints, pem_text};
use crate::key::{self, source::KeySource};
use crate::names::{Lifetime, Sans};
use crate::package::{KeyFormat, Packaging};
use crate::random::OsRandom;
use crate::session::{House, Session};
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

/// Make the next root beside the one that is there, named `next` unless a name is given.
///
/// The default stays until `pki root replace`; a cross-certificate for the new root by the old one
/// (`pki root cross-sign`) lets those verify it who only know the old one.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki root rotate --common-name example-root-2 --ttl 87600h\n  pki root replace"
)]
pub(crate) struct Rotate {
    #[command(flatten)]
    generate: Generate,
}

/// Make another issuer the default: the one named `next`, or the one that is named here.
#[derive(Args, Debug)]
pub(crate) struct Replace {
    /// Name or id of the new default
    #[arg(long, default_value = "next", value_name = "REF")]
    default: String,
}

/// Sign another certificate for a CA that has one: the same name, key and key identifier, and no more rights.
///
/// What the flags do not narrow is as in the certificate that it has. It comes back with `pki intermediate set-signed`
/// or `pki issuer import`, in the mount of the CA's key.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki root cross-sign new-root.pem --issuer-ref old-root --ttl 17520h --out new-root-by-old.pem"
)]
pub(crate) struct CrossSign {
    /// File with the certificate that the CA has, `-` for standard input
    certificate: PathBuf,
    /// Issuer that signs: name, id, or `default`
    #[arg(long, default_value = "default", value_name = "REF")]
    issuer_ref: String,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    constraints: Constraints,
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
    /// Subject key identifier in hexadecimal, where the key has a name already [default: what the store knows, else
    /// what is computed from the key]
    #[arg(long, value_parser = parse_skid, value_name = "HEX")]
    skid: Option<KeyIdentifier>,
}

impl Act for Generate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        self.make(session, "root/generate", Naming::AsGiven)
    }
}

impl Act for Rotate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        self.generate.make(session, "root/rotate", Naming::Next)
    }
}

impl Act for Replace {
    fn run(self, session: &Session) -> Result<(), Fault> {
        issuer::make_default(session, &self.default)
    }
}

/// What a new root is called if nothing is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// Nothing.
    AsGiven,
    /// `next`, while that is free.
    Next,
}

impl Generate {
    fn make(mut self, session: &Session, operation: &str, naming: Naming) -> Result<(), Fault> {
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
        let mut request = ca::request(self.subject.name(None)?, self.sans, self.lifetime, self.constraints)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let refused = |fault: Fault| house.refuse(operation, &mount, None, None, fault);
        if let Some(name) = &self.issuer_name {
            issuer::check_free(&house, &mount, name).map_err(refused)?;
        } else if naming == Naming::Next && issuer::check_free(&house, &mount, "next").is_ok() {
            self.issuer_name = Some("next".to_owned());
        }
        let no = |refusal: Refusal| refused(Fault::refused(refusal.to_string(), refusal.remedy().line("")));
        let limits = ca::limits(&mount);

        // The rules first: no key is generated for a refused request.
        let ca_key = self.key.take_after(&house, &mount, |algorithm| {
            hierarchy::permit_root(request.clone(), algorithm, &limits, session.now).map(|_| ()).map_err(no)
        })?;
        request.subject_key_identifier = load::known_key_identifier(&house, ca_key.key.public_key())?;
        request.key_history = key::weak::history_of_ca(&house, &mount, ca_key.key.public_key())?;
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
        let audit = AuditEntry { serial: Some(serial), ..house.done(operation, Some(&mount)) };
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
        let plan = session.plan(CERTIFIED)?;
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
        let public_key = request.public_key().clone();
        ca_request.subject_key_identifier = match self.skid {
            Some(skid) => Some(skid),
            None => load::known_key_identifier(&house, &public_key)?,
        };
        ca_request.key_history = key::weak::history_of_ca(&house, &mount, &public_key)?;
        let permitted = hierarchy::permit_ca(ca_request, public_key, &ca::limits(&mount), session.now)
            .map_err(|refusal| refused(Fault::refused(refusal.to_string(), refusal.remedy().line(""))))?;
        certify(&house, &mount, &loaded, permitted, "root/sign-intermediate", plan)
    }
}

impl Act for CrossSign {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        const OPERATION: &str = "root/cross-sign";
        let plan = session.plan(CERTIFIED)?;
        let lifetime = self.lifetime.parse()?;
        let octets = input::read(&self.certificate, Limit::Bundle)?;
        let bundle = Bundle::read(&self.certificate, &octets, None)?;
        let [existing] = bundle.certificates() else {
            return Err(Fault::usage(
                format!(
                    "{} holds {} certificates, where one is wanted: that of the CA to certify",
                    input::name(&self.certificate),
                    bundle.certificates().len()
                ),
                "name a file with one CA certificate",
            ));
        };
        let unfit = |error: &dyn std::fmt::Display| {
            Fault::refused(
                format!("\"{}\" cannot be certified: {error}", existing.subject()),
                "name the certificate of a CA",
            )
        };
        let existing = IssuerCertificate::new(existing.clone()).map_err(|error| unfit(&error))?;
        let mut request = CaRequest::like(&existing).map_err(|error| unfit(&error))?;
        ca::constrain(&mut request, self.constraints)?;
        if lifetime != AskedLifetime::Default {
            request.lifetime = lifetime;
        }
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let refused = |refusal: Refusal| {
            let fault = Fault::refused(refusal.to_string(), refusal.remedy().line(""));
            house.refuse(OPERATION, &mount, None, None, fault)
        };
        let loaded = LoadedIssuer::open(&house, &mount, &self.issuer_ref)?;
        let public_key = existing.certificate().public_key().clone();
        let permitted = hierarchy::permit_ca(request, public_key, &ca::limits(&mount), session.now)
            .and_then(|permitted| hierarchy::permit_correspondence(&existing, permitted))
            .map_err(refused)?;
        certify(&house, &mount, &loaded, permitted, OPERATION, plan)
    }
}

const CERTIFIED: Shape = Shape {
    fields: &["certificate", "issuing_ca", "ca_chain", "serial_number", "expiration"],
    document: Document::Public,
    directory: Directory::Set,
};

/// Signs a CA certificate that the rules for CAs permit, if the chain does too, and keeps it.
fn certify(
    house: &House,
    mount: &Mount,
    loaded: &LoadedIssuer,
    permitted: Permitted,
    operation: &str,
    plan: Delivery,
) -> Result<(), Fault> {
    let refused = |fault: Fault| house.refuse(operation, mount, None, None, fault);
    let serial = SerialNumber::random(&mut OsRandom, house.now).map_err(StoreError::from)?;
    let prepared = loaded
        .issuer
        .prepare(permitted, serial, &endpoints(house, mount, Some(&loaded.settings))?)
        .map_err(|error| refused(ca::fault(error, "")))?;
    let certificate = loaded.issuer.sign(&prepared, &mut OsRandom).map_err(|error| ca::fault(error, ""))?;

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
        .fact("valid until", period::until(certificate.validity().not_after(), house.now))
        .encoded(Encoded { label: pem::CERTIFICATE, der: certificate.der().to_vec(), issuers: members });
    for warning in prepared.permitted().warnings() {
        answer.warn(warning.to_string());
    }
    let staged = plan.stage(&answer)?;
    let record = ca::record(house, mount, ca::identity(&loaded.record), prepared.permitted(), &certificate);
    let audit = AuditEntry { serial: Some(serial), ..house.done(operation, Some(mount)) };
    house.commit(vec![ca::insert(record, &certificate)], audit)?;
    staged.publish()
}

fn parse_skid(text: &str) -> Result<KeyIdentifier, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | ' ')).collect();
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let octet = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok()));
        Some(high? << 4 | low?)
    };
    let octets: Option<Vec<u8>> = pairs.iter().map(octet).collect();
    match octets {
        // RFC 5280 4.2.1.2 names 20 octets; RFC 7093 has more, and nothing needs more than a SHA-512.
        Some(octets) if rest.is_empty() && (1..=64).contains(&octets.len()) => {
            Ok(KeyIdentifier::from_bytes(&octets))
        }
        _ => Err("it is 1 to 64 octets in hexadecimal, with `:`, `-` or nothing between them".to_owned()),
    }
}
