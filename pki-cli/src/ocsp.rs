//! `pki ocsp`: what a certificate is, said to whoever asks for it in the protocol's own form.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::PublicKey;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::name::DistinguishedName;
use pki_core::ocsp::{
    CertificateStatus, LookupError, OcspError, OcspRequest, OcspResponder, OcspResponse, RequestSignatures,
    SerialStatus, StatusPeriod, Unlisted,
};
use pki_core::role::Storage;
use pki_core::serial::SerialNumber;
use pki_store::issuer::{AuthorityRecord, IssuerMatch, IssuerRecord};
use pki_store::mount::Mount;
use pki_store::{Store, block_on};
use serde_json::json;

use crate::answer::{Answer, Delivery, Directory, Document, Encoded, Shape};
use crate::args::Act;
use crate::args::global::{Format, Global};
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::issuer;
use crate::issuer::load::{self, LoadedIssuer};
use crate::key;
use crate::random::OsRandom;
use crate::role;
use crate::session::{House, Session};
use crate::set::Swap;

/// Answer an OCSP request: with the key of the authority that it asks, or with a key that has a certificate for that.
///
/// Whatever comes gets a response: what cannot be answered gets the status that says so, and a warning says why.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  openssl ocsp -issuer ca.pem -cert tls/cert.pem -reqout ask.der\n  \
                  pki ocsp respond --request ask.der --out say.der\n  \
                  openssl ocsp -issuer ca.pem -cert tls/cert.pem -respin say.der -CAfile ca.pem")]
pub(crate) struct Respond {
    /// File with the request, DER
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// How long the answer is good for: says when more will be known; 0 for no such time
    #[arg(long, default_value = "12h", value_parser = crate::duration::parse, value_name = "DURATION")]
    expiry: Duration,
    /// Certificate of a delegated responder, with the purpose OCSPSigning, issued by the authority
    #[arg(long, requires = "responder_key", value_name = "FILE")]
    responder_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, requires = "responder_cert", value_name = "FILE")]
    responder_key: Option<PathBuf>,
}

impl Act for Respond {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let delivery = plan(session)?;
        let octets = input::read(&self.request, Limit::OcspRequest)?;
        let house = session.open()?;
        let mut answer = Answer::new();
        let response = match self.answer(&house, session, &octets)? {
            Ok(response) => response,
            Err(error) => {
                answer.warn(format!("the response says {}: {error}", error.status()));
                OcspResponse::error(error.status())
            }
        };
        describe(&mut answer, &response);
        answer.encoded(Encoded { label: "OCSP RESPONSE", der: response.der().to_vec(), issuers: Vec::new() });
        delivery.deliver(&answer)
    }
}

/// A response is DER for every client, so that is its format unless another one is asked for.
fn plan(session: &Session) -> Result<Delivery, Fault> {
    let mut global: Global = session.global.clone();
    if global.field.is_none() {
        global.format.get_or_insert(Format::Der);
    }
    let shape = Shape { fields: &[], document: Document::Public, directory: Directory::Refuse };
    Delivery::plan(&global, shape, Swap::Refuse)
}

impl Respond {
    fn answer(
        &self,
        house: &House,
        session: &Session,
        octets: &[u8],
    ) -> Result<Result<OcspResponse, OcspError>, Fault> {
        let request = match OcspRequest::from_der(octets) {
            Ok(request) => request,
            Err(error) => return Ok(Err(OcspError::Request(error))),
        };
        let Some(authority) = asked(house, session, &request)? else {
            return Ok(Err(OcspError::OtherAuthority));
        };
        let unlisted = unlisted(house, &authority)?;
        let mut broken = None;
        let mut lookup = |serial: &SerialNumber| {
            status(house, &authority, *serial).map_err(|fault| {
                broken = Some(fault);
                LookupError::Failed
            })
        };
        let expiry = Some(self.expiry).filter(|expiry| !expiry.is_zero());
        let period = StatusPeriod::starting(house.now, expiry);
        let answered = match (&self.responder_cert, &self.responder_key) {
            (Some(certificate), Some(key)) => {
                let responder = delegated(house, &authority, certificate, key)?.with_unlisted(unlisted);
                responder.answer(&request, RequestSignatures::Ignore, &mut lookup, period, &mut OsRandom)
            }
            _ => {
                let loaded = signer(house, session, &authority)?;
                let responder = OcspResponder::of_issuer(&loaded.issuer)
                    .map_err(|error| Fault::refused(error.to_string(), REMEDY))?
                    .with_unlisted(unlisted);
                responder.answer(&request, RequestSignatures::Ignore, &mut lookup, period, &mut OsRandom)
            }
        };
        broken.map_or(Ok(answered), Err)
    }
}

/// The authority that a request asks: by the hashes of its name and key, among those of the mount that is named, else of the
/// whole store.
fn asked(house: &House, session: &Session, request: &OcspRequest) -> Result<Option<AuthorityRecord>, Fault> {
    let mount = session.named_mount().map(|_| house.pki_mount(session)).transpose()?;
    for authority in block_on(house.store.authorities())? {
        let Ok(key) = PublicKey::from_spki_der(&authority.public_key) else { continue };
        let Ok(name) = DistinguishedName::from_der(&authority.subject) else { continue };
        if !request.cert_ids().iter().any(|id| id.matches(&name, &key)) {
            continue;
        }
        let here = |record: &IssuerRecord| mount.as_ref().is_none_or(|mount| mount.id == record.mount);
        if issuers(house, &authority)?.iter().any(here) {
            return Ok(Some(authority));
        }
    }
    Ok(None)
}

fn issuers(house: &House, authority: &AuthorityRecord) -> Result<Vec<IssuerRecord>, Fault> {
    Ok(block_on(house.store.issuers_matching(&IssuerMatch::Authority(authority.id)))?)
}

/// An issuer of the authority whose key is here.
fn signer(house: &House, session: &Session, authority: &AuthorityRecord) -> Result<LoadedIssuer, Fault> {
    let named = session.named_mount();
    let mounts: Vec<Mount> = block_on(house.store.mounts())?;
    let mut records = issuers(house, authority)?;
    records.retain(|record| record.key.is_some());
    let mut refused = None;
    for record in records {
        let mount = mounts.iter().find(|mount| mount.id == record.mount);
        let Some(mount) = mount.filter(|mount| named.as_ref().is_none_or(|name| *name == mount.name)) else {
            continue;
        };
        // Another certificate of the authority may be used for it where this one is not.
        match LoadedIssuer::for_ocsp(house, mount, record) {
            Ok(loaded) => return Ok(loaded),
            Err(fault) => refused = refused.or(Some(fault)),
        }
    }
    Err(refused.unwrap_or_else(|| {
        Fault::refused("no key of the authority that is asked is here, so it cannot answer", REMEDY)
    }))
}

fn delegated(
    house: &House,
    authority: &AuthorityRecord,
    certificate: &Path,
    key: &Path,
) -> Result<OcspResponder<SoftwareKey>, Fault> {
    let octets = input::read(certificate, Limit::Bundle)?;
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::usage(
            format!("{}: {error}", input::name(certificate)),
            "name a file with the responder's certificate alone, PEM or DER",
        )
    };
    let certificate_read = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => Certificate::from_pem(text),
        _ => Certificate::from_der(&octets),
    }
    .map_err(|error| wrong(&error))?;
    let key = key::read(key, None)?;
    let record = issuers(house, authority)?
        .into_iter()
        .next()
        .ok_or_else(|| Fault::defect("an authority without an issuer was asked"))?;
    let issuer = IssuerCertificate::new(load::certificate(&record)?).map_err(|error| {
        Fault::unusable(
            format!("the stored issuer {}: {error}", issuer::label(&record)),
            "restore a backup of the store",
        )
    })?;
    let delegated = OcspResponder::delegated(issuer, certificate_read, key, house.now, &Verifier);
    delegated.map_err(|error| Fault::refused(error.to_string(), REMEDY))
}

/// What the store knows. A reserved certificate may have been signed, so it counts as issued.
fn status(house: &House, authority: &AuthorityRecord, serial: SerialNumber) -> Result<SerialStatus, Fault> {
    if let Some(revocation) = block_on(house.store.revocation(authority.id, serial))? {
        return Ok(SerialStatus::Revoked { at: revocation.revoked_at, reason: revocation.reason });
    }
    Ok(match block_on(house.store.certificate(authority.id, serial))? {
        Some(_) => SerialStatus::Issued,
        None => SerialStatus::NotListed,
    })
}

/// A role that stores nothing may have issued what is not listed: then nothing is *unknown* any more.
fn unlisted(house: &House, authority: &AuthorityRecord) -> Result<Unlisted, Fault> {
    for record in issuers(house, authority)? {
        for role in block_on(house.store.roles(record.mount))? {
            for revision in block_on(house.store.role_history(role.id))? {
                if role::document(&revision)?.role.storage == Storage::None {
                    return Ok(Unlisted::Good);
                }
            }
        }
    }
    Ok(Unlisted::Unknown)
}

/// For `--format json`: what the response says.
fn describe(answer: &mut Answer, response: &OcspResponse) {
    let basic = match response.basic() {
        Ok(basic) => basic,
        Err(status) => {
            answer.ours("response_status", status.name()).fact("response", status.name());
            return;
        }
    };
    answer.ours("response_status", "successful").fact("response", "successful");
    let mut answers = Vec::new();
    for single in basic.answers() {
        let serial = single.cert_id.serial().map(|serial| serial.to_string());
        let (status, at, reason) = match single.status {
            CertificateStatus::Good => ("good", None, None),
            CertificateStatus::Revoked { at, reason } => ("revoked", Some(at.as_secs()), Some(reason.name())),
            CertificateStatus::Unknown => ("unknown", None, None),
        };
        answer.fact(
            "status",
            format!("{} {status}", serial.as_deref().unwrap_or("a number of no certificate")),
        );
        answers.push(json!({
            "serial_number": serial,
            "status": status,
            "revocation_time": at,
            "reason": reason,
            "this_update": single.this_update.as_secs(),
            "next_update": single.next_update.map(|next| next.as_secs()),
        }));
    }
    answer
        .ours("answers", answers)
        .ours("nonce", basic.nonce().is_some())
        .ours("produced_at", basic.produced_at().as_secs())
        .ours("delegated", !basic.certificates().is_empty());
}

/// Where the authority's own key cannot answer.
const REMEDY: &str = "name a responder's certificate of this authority and its key: --responder-cert, --responder-key \
                      (`pki role write ocsp --ext-key-usage OCSPSigning --server-flag=false --client-flag=false`)";
