//! `pki issue`: a key and a certificate, permitted by a role.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::explain::{Refusal, View};
use pki_core::issue::{IssueError, Permitted};
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyAlgorithm, KeyType, PrivateKeyDer, PublicKey, SigningKey};
use pki_core::pem;
use pki_core::role::{Role, Storage};
use pki_core::serial::SerialNumber;
use pki_store::audit::AuditEntry;
use pki_store::certificate::CertificateRecord;
use pki_store::mount::Mount;
use pki_store::role::{RoleRecord, RoleVersion};
use pki_store::{Op, Store, StoreError, block_on};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::answer::{Answer, ChainMember, Delivery, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::args::global::Format;
use crate::explanation::{self, Asked, DryRun};
use crate::fault::Fault;
use crate::issuer::load::{KnownIssuer, LoadedIssuer, endpoints, pem_text};
use crate::key::source;
use crate::layout::Layout;
use crate::package::{KeyFormat, Packaging};
use crate::random::OsRandom;
use crate::request::LeafRequest;
use crate::session::{House, Session};
use crate::set::Swap;
use crate::{ca, contents, duration, issuer, output, period, role};

/// Issue a certificate with a new key. Without --out, both are printed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  pki issue web --common-name www.example.org --ttl 24h --out tls/
  pki issue web --common-name www.example.org --out tls/ --replace --renew-before 8h   # in a timer")]
pub(crate) struct Issue {
    /// Role that permits it
    role: String,
    #[command(flatten)]
    request: LeafRequest,
    /// Type of the key, where the role allows any
    #[arg(long, value_name = "TYPE", help_heading = "Key")]
    key_type: Option<KeyType>,
    /// Size of the key, where the role allows any; 0 is the type's default
    #[arg(long, value_name = "NUMBER", help_heading = "Key")]
    key_bits: Option<u32>,
    /// Write the key as pkcs8, encrypted_pkcs8, pkcs1 (RSA) or sec1 (EC) [default: pkcs1, sec1, else pkcs8]
    #[arg(long, value_name = "FORMAT", help_heading = "Key")]
    private_key_format: Option<KeyFormat>,
    #[command(flatten)]
    packaging: Packaging,
    /// Lay the files in --out DIR/ out for this server
    #[arg(long = "for", value_name = "SERVER", help_heading = "Output")]
    preset: Option<Layout>,
    /// Leave the root out of ca_chain and of bundles
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    remove_roots_from_chain: Option<bool>,
    /// Swap the whole set in --out DIR/ at once
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    replace: Option<bool>,
    /// Do nothing while the certificate in --out DIR/ matches the request and is valid for longer than this
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    renew_before: Option<Duration>,
    #[command(flatten)]
    dry_run: DryRun,
}

const FIELDS: &[&str] = &[
    "certificate",
    "issuing_ca",
    "ca_chain",
    "serial_number",
    "not_before",
    "expiration",
    "private_key",
    "private_key_type",
];

const SHAPE: Shape = Shape { fields: FIELDS, document: Document::WithKey, directory: Directory::Set };

impl Act for Issue {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let Self {
            role,
            request,
            key_type,
            key_bits,
            private_key_format,
            packaging,
            preset,
            remove_roots_from_chain,
            replace,
            renew_before,
            dry_run,
        } = self;
        // Flags first, then what is on the disk, then the rules; a key only for what they permit.
        let key = asked_key(key_type, key_bits)?;
        let request = request.parse(&session.requester())?.issue(key);
        let swap = if replace.unwrap_or(false) { Swap::Replace } else { Swap::Refuse };
        let package = packaging.resolve(session, private_key_format)?;
        let layout = Layout::of(preset, session.global.format.unwrap_or_default(), &package)?;
        let plan = || Delivery::plan_packed(&session.global, SHAPE, swap, preset, package.clone());
        let renewal = renew_before
            .map(|margin| existing_directory(session, layout).map(|directory| (margin, directory)))
            .transpose()?;
        let planned = match &renewal {
            Some((_, Some(_))) => None,
            _ => Some(plan()?),
        };
        let house = session.open()?;
        let policy = Policy::load(&house, session, &role)?;
        let asked = Asked::Issue(request.clone());
        if let Some(eyes) = dry_run.view() {
            let issuer = policy.issuer(&house)?;
            return asked.explain(&house, &policy, &issuer.chain).deliver(session, &policy, eyes);
        }
        let refused = |refusal| policy.refused(&house, "pki/issue", &refusal, &asked);
        let permitted =
            policy.role.permit(request, &ca::limits(&policy.mount), session.now).map_err(refused)?;
        let issuer = policy.issuer(&house)?;
        // The chain says no before there is a key, too.
        let permitted = issuer.chain.permit(permitted).map_err(refused)?;
        let loaded = issuer.unlock(&house)?;
        let plan = match (planned, renewal) {
            (Some(plan), _) => plan,
            (None, renewal) => {
                if let Some((margin, Some(directory))) = renewal
                    && let Some(current) = standing(&directory, layout, package.passphrase())
                    && still_good(&house, &loaded, &current, margin, &permitted)
                {
                    return unchanged(session, &directory.join(layout.certificate()), &current);
                }
                plan()?
            }
        };

        let key = source::generate(permitted.key_algorithm())?;
        let permitted =
            permitted.with_key(key.public_key().clone()).map_err(|error| ca::fault(error, &role))?;
        let signed = policy.sign(&house, &loaded, permitted, "pki/issue", &asked)?;
        let mut answer = signed.answer(&house, &loaded, remove_roots_from_chain.unwrap_or(false));
        answer
            .set("private_key_type", key.public_key().key_type().to_string())
            .secret("private_key", package.key_pem(&key)?);
        if let Some(directory) = plan.directory() {
            answer.fact("written to", directory.display().to_string());
        }
        let staged = plan.stage(&answer)?;
        signed.commit(&house, &policy, "pki/issue")?;
        staged.publish().map_err(|fault| signed.undelivered(fault, &policy))
    }
}

/// The key that the line asks for.
pub(crate) fn asked_key(
    key_type: Option<KeyType>,
    key_bits: Option<u32>,
) -> Result<Option<(KeyType, u32)>, Fault> {
    match (key_type, key_bits) {
        (None, None | Some(0)) => Ok(None),
        (Some(key_type), bits) => Ok(Some((key_type, bits.unwrap_or(0)))),
        (None, Some(_)) => {
            Err(Fault::usage("--key-bits alone does not say which type of key is meant", "add --key-type"))
        }
    }
}

/// The directory of `--out`, which `--renew-before` needs, if it holds a certificate.
fn existing_directory(session: &Session, layout: Layout) -> Result<Option<std::path::PathBuf>, Fault> {
    match &session.global.out {
        Some(out)
            if out.as_os_str() != "-"
                && (out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/")) =>
        {
            Ok(out.join(layout.certificate()).exists().then(|| out.clone()))
        }
        _ => Err(Fault::usage(
            "--renew-before looks at the certificate in a directory, and the line names none",
            "name it with --out DIR/",
        )),
    }
}

/// A role and the mount it belongs to.
pub(crate) struct Policy {
    /// How the line began, for remedies.
    command: String,
    pub(crate) mount: Mount,
    pub(crate) record: RoleRecord,
    pub(crate) role: Role,
}

impl Policy {
    pub(crate) fn load(house: &House, session: &Session, name: &str) -> Result<Self, Fault> {
        let mount = house.pki_mount(session)?;
        let record = role::find(house, &mount, name)?;
        let config = role::document(&record)?.role;
        let role = Role::new(config).map_err(|error| {
            Fault::unusable(
                format!("the stored role {}: {error}", record.name),
                "write it again: `pki role write`",
            )
        })?;
        Ok(Self { command: session.command(), mount, record, role })
    }

    fn version(&self) -> RoleVersion {
        self.record.version()
    }

    /// The issuer that the role names.
    pub(crate) fn issuer(&self, house: &House) -> Result<KnownIssuer, Fault> {
        KnownIssuer::open(house, &self.mount, &self.role.config().issuer_ref)
    }

    /// Records a refusal, with every rule's answer, and turns it into two lines.
    pub(crate) fn refused(&self, house: &House, operation: &str, refusal: &Refusal, asked: &Asked) -> Fault {
        let fault = self.fault(refusal, View::Operator);
        // Where the issuer is not there, the role's answers are all there are.
        let trace = match self.issuer(house) {
            Ok(issuer) => asked.explain(house, self, &issuer.chain).trace,
            Err(_) => refusal.trace().clone(),
        };
        let detail = explanation::audit_detail(&fault, &trace);
        house.refuse_with(operation, &self.mount, Some(self.version()), None, fault, &detail)
    }

    /// A refusal in two lines.
    pub(crate) fn fault(&self, refusal: &Refusal, view: View) -> Fault {
        match view {
            View::Operator => {
                let remedy = refusal.remedy().line(&self.record.name);
                Fault::refused(refusal.to_string(), remedy.replace("pki role patch", &self.patch()))
            }
            View::Requester => Fault::refused(
                format!(
                    "{:?} is refused by the rule: {} [{}]",
                    refusal.value(),
                    refusal.rule().statement(),
                    refusal.rule()
                ),
                refusal.remedy().request_change().unwrap_or(explanation::ASK_THE_OPERATOR),
            ),
        }
    }

    /// How the command begins that changes the role.
    pub(crate) fn patch(&self) -> String {
        format!("{} role patch", self.command)
    }

    /// Asks the chain, fixes the octets, and signs them.
    pub(crate) fn sign(
        &self,
        house: &House,
        loaded: &LoadedIssuer,
        permitted: Permitted<PublicKey>,
        operation: &str,
        asked: &Asked,
    ) -> Result<Signed, Fault> {
        let serial = SerialNumber::random(&mut OsRandom, house.now).map_err(StoreError::from)?;
        let endpoints = endpoints(house, &self.mount, Some(&loaded.settings))?;
        let prepared = loaded.issuer.prepare(permitted, serial, &endpoints).map_err(|error| match error {
            IssueError::Refused(refusal) => self.refused(house, operation, &refusal, asked),
            error => ca::fault(error, &self.record.name),
        })?;
        let certificate = loaded
            .issuer
            .sign(&prepared, &mut OsRandom)
            .map_err(|error| ca::fault(error, &self.record.name))?;
        let permitted = prepared.permitted();
        let record = CertificateRecord {
            role: Some(self.version()),
            ..ca::record(house, &self.mount, ca::identity(&loaded.record), permitted, &certificate)
        };
        Ok(Signed {
            issuers: loaded.chain_members(&prepared),
            requested: contents::requested(asked),
            granted: contents::granted(permitted),
            warnings: permitted.warnings().iter().map(ToString::to_string).collect(),
            certificate,
            record,
            storage: self.role.storage(),
        })
    }
}

/// A certificate that is signed and not recorded yet.
pub(crate) struct Signed {
    certificate: Certificate,
    /// The chain to hand out with it, the root last.
    issuers: Vec<ChainMember>,
    record: CertificateRecord,
    storage: Storage,
    requested: Value,
    granted: Value,
    warnings: Vec<String>,
}

impl Signed {
    /// Vault's answer to `issue` and `sign`, without the key.
    pub(crate) fn answer(&self, house: &House, loaded: &LoadedIssuer, without_roots: bool) -> Answer {
        let mut issuers = self.issuers.clone();
        let issuing_ca =
            issuers.first().map(|issuer| pem_text(pem::CERTIFICATE, &issuer.der)).unwrap_or_default();
        if without_roots {
            issuers.retain(|issuer| !issuer.is_root);
        }
        let ca_chain: Vec<String> =
            issuers.iter().map(|issuer| pem_text(pem::CERTIFICATE, &issuer.der)).collect();
        let validity = self.certificate.validity();
        let mut answer = Answer::new();
        answer
            .set("certificate", pem_text(pem::CERTIFICATE, self.certificate.der()))
            .set("issuing_ca", issuing_ca)
            .set("ca_chain", ca_chain)
            .set("serial_number", self.record.serial.to_string())
            .set("not_before", validity.not_before().as_secs())
            .set("expiration", validity.not_after().as_secs())
            .ours("requested", self.requested.clone())
            .ours("granted", self.granted.clone());
        let subject = self.certificate.subject();
        if !subject.is_empty() {
            answer.fact("subject", subject.to_string());
        }
        answer
            .fact("names", self.record.names.join(", "))
            .fact("issued by", issuer::label(&loaded.record))
            .fact("serial number", self.record.serial.to_string())
            .fact("valid until", period::until(validity.not_after(), house.now))
            .encoded(Encoded { label: pem::CERTIFICATE, der: self.certificate.der().to_vec(), issuers });
        for warning in &self.warnings {
            answer.warn(warning.clone());
        }
        answer
    }

    /// Records it: one durable write, with its audit row.
    pub(crate) fn commit(&self, house: &House, policy: &Policy, operation: &str) -> Result<(), Fault> {
        let audit = AuditEntry {
            role: Some(policy.version()),
            serial: Some(self.record.serial),
            ..house.done(operation, Some(&policy.mount))
        };
        let der = match self.storage {
            Storage::Full => Some(self.certificate.der().to_vec()),
            Storage::Index => None,
            Storage::None => {
                // The log is all that remembers it.
                let mut audit = audit;
                audit.detail = serde_json::json!({
                    "names": self.record.names,
                    "not_after": self.record.not_after.as_secs(),
                })
                .to_string();
                house.commit(Vec::new(), audit)?;
                return Ok(());
            }
        };
        let op = Op::InsertCertificate {
            record: self.record.clone(),
            fingerprint: Sha256::digest(self.certificate.der()).into(),
            der,
        };
        house.commit(vec![op], audit).map(|_| ())
    }

    /// It is on record, but did not get where it was to go.
    pub(crate) fn undelivered(&self, fault: Fault, policy: &Policy) -> Fault {
        let serial = self.record.serial;
        let mount = &policy.mount.name;
        fault.with_remedy(match self.storage {
            Storage::None => format!("the certificate {serial} was not kept; make room and ask again"),
            _ => format!(
                "the certificate is on record as {serial}: make room and ask again, and take it back with \
                 `pki --mount {mount} revoke {serial}`"
            ),
        })
    }
}

/// The certificate in `directory`, if the key beside it is its own.
fn standing(directory: &Path, layout: Layout, passphrase: Option<&[u8]>) -> Option<Certificate> {
    let text = |name: &str| std::fs::read_to_string(directory.join(name)).map(Zeroizing::new);
    let blocks = pem::parse(&text(layout.certificate()).ok()?).ok()?;
    let certificate = blocks.iter().find(|block| block.label == pem::CERTIFICATE)?;
    let certificate = Certificate::from_der(&certificate.der).ok()?;
    // What holds the key is replaced together with the certificate; a PKCS#12 file is not looked into.
    let Some(key) = layout.key() else { return Some(certificate) };
    let key = PrivateKeyDer::from_pem(&text(key).ok()?, passphrase).ok()?;
    let key = SoftwareKey::from_private_key(&key).ok()?;
    (key.public_key().spki_der() == certificate.public_key().spki_der()).then_some(certificate)
}

/// Whether a certificate is what would be issued and is good for longer than `margin`.
fn still_good(
    house: &House,
    loaded: &LoadedIssuer,
    current: &Certificate,
    margin: Duration,
    permitted: &Permitted<KeyAlgorithm>,
) -> bool {
    let validity = current.validity();
    // Valid now, and for longer than the margin.
    if !validity.contains(house.now) || validity.remaining(house.now) <= margin {
        return false;
    }
    // The same names, whatever their order.
    let Ok(mut names) = current.alternative_names() else { return false };
    let mut wanted = permitted.alternative_names().to_vec();
    names.sort();
    wanted.sort();
    if names != wanted || current.subject() != permitted.subject() {
        return false;
    }
    // The same purposes and kind of key.
    let purposes = current.extended_key_usages().ok().map(Option::unwrap_or_default);
    if current.public_key().key_algorithm() != Some(permitted.key_algorithm())
        || purposes.as_deref() != Some(permitted.profile().extended_key_usages())
    {
        return false;
    }
    // Of the same issuer, and not taken back.
    let issuer = loaded.issuer.certificate().certificate();
    current.issuer().matches(issuer.subject())
        && current.verify_signature(issuer.public_key(), &Verifier).is_ok()
        && block_on(house.store.revocation(loaded.record.authority, current.serial()))
            .is_ok_and(|revocation| revocation.is_none())
}

/// Nothing was done, and that is what was asked for.
fn unchanged(session: &Session, file: &Path, current: &Certificate) -> Result<(), Fault> {
    let until = period::until(current.validity().not_after(), session.now);
    if session.global.format.unwrap_or_default() != Format::Json {
        output::note(&format!("{} is valid until {until}: nothing to do", file.display()));
        return Ok(());
    }
    let mut answer = Answer::new();
    answer
        .set("certificate", pem_text(pem::CERTIFICATE, current.der()))
        .set("serial_number", current.serial().to_string())
        .set("not_before", current.validity().not_before().as_secs())
        .set("expiration", current.validity().not_after().as_secs())
        .ours("renewed", false);
    output::print(&answer.to_json()?)
}
