//! `pki inspect`: what a file says by itself, whoever wrote it.

mod handshake;

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use pki_core::certificate::{Certificate, Place};
use pki_core::crl::CertificateRevocationList;
use pki_core::csr::{CertificationRequest, CsrError};
use pki_core::extension::{Criticality, Extension};
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{PrivateKeyDer, PublicKey, SigningKey};
use pki_core::name::GeneralName;
use pki_core::pem;
use pki_core::profile::PathLength;
use pki_core::revocation::RevokedCertificate;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::handshake::Handshake;
use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::session::{Session, read_passphrase};
use crate::table::printable;
use crate::{csr, period};

/// Print what a certificate, CSR, CRL or key says. Nothing is checked against anything else.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki inspect tls/fullchain.pem")]
pub(crate) struct Inspect {
    /// File with certificates, CSRs, CRLs or keys, PEM or DER, `-` for standard input
    file: PathBuf,
    /// File with the password of an encrypted key
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Act for Inspect {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let octets = input::read(&self.file, Limit::Any)?;
        let password = self.password_file.as_deref().map(read_passphrase).transpose()?;
        let password = password.as_ref().map(|password| password.as_slice());
        let wrong = |why: String| {
            Fault::usage(
                format!("{}: {why}", input::name(&self.file)),
                "name a file with a certificate, CSR, CRL or key, PEM or DER",
            )
        };
        let blocks = match std::str::from_utf8(&octets) {
            Ok(text) if text.contains("-----BEGIN ") => {
                pem::parse(text).map_err(|error| wrong(error.to_string()))?
            }
            _ => {
                let chain = Certificate::from_der(&octets).into_iter().collect::<Vec<_>>();
                return deliver(session, vec![by_content(&octets, password, session, &wrong)?], &chain);
            }
        };
        let mut views = Vec::new();
        let mut chain = Vec::new();
        for block in blocks {
            let view = match block.label.as_str() {
                pem::CERTIFICATE | "X509 CERTIFICATE" => {
                    let certificate =
                        Certificate::from_der(&block.der).map_err(|error| wrong(error.to_string()))?;
                    let view = certificate_view(&certificate, session);
                    chain.push(certificate);
                    view
                }
                pem::CERTIFICATE_REQUEST | pem::NEW_CERTIFICATE_REQUEST => csr_view(&block.der, &wrong)?,
                pem::X509_CRL => CertificateRevocationList::from_der(&block.der)
                    .map(|crl| crl_view(&crl, session))
                    .map_err(|error| wrong(error.to_string()))?,
                pem::PUBLIC_KEY => PublicKey::from_spki_der(&block.der)
                    .map(|key| key_view("public key", &key))
                    .map_err(|error| wrong(error.to_string()))?,
                pem::EC_PARAMETERS => continue,
                label if label.ends_with(pem::PRIVATE_KEY) => {
                    // The label tells SEC 1 from PKCS#1 apart for us, so the block is read as it came.
                    let text = Zeroizing::new(pem::encode(label, &block.der));
                    PrivateKeyDer::from_pem(&text, password)
                        .and_then(|key| SoftwareKey::from_private_key(&key))
                        .map(|key| key_view("private key", key.public_key()))
                        .map_err(|error| wrong(error.to_string()))?
                }
                other => return Err(wrong(format!("it holds a {other}, which is not known here"))),
            };
            views.push(view);
        }
        deliver(session, views, &chain)
    }
}

/// One thing, for people and for programs.
struct View {
    text: String,
    json: Value,
}

fn deliver(session: &Session, views: Vec<View>, chain: &[Certificate]) -> Result<(), Fault> {
    let mut answer = Answer::new();
    let handshake = Handshake::of(chain).map(Handshake::view);
    let text: Vec<&str> = views.iter().chain(&handshake).map(|view| view.text.as_str()).collect();
    answer.text(text.join("\n"));
    if let Some(handshake) = handshake {
        answer.ours("handshake", handshake.json);
    }
    answer.ours("objects", views.into_iter().map(|view| view.json).collect::<Vec<_>>());
    session.deliver(&answer)
}

/// DER does not say what it is: the first reader that understands it decides.
fn by_content(
    octets: &[u8],
    password: Option<&[u8]>,
    session: &Session,
    wrong: &impl Fn(String) -> Fault,
) -> Result<View, Fault> {
    if let Ok(certificate) = Certificate::from_der(octets) {
        return Ok(certificate_view(&certificate, session));
    }
    if let Ok(crl) = CertificateRevocationList::from_der(octets) {
        return Ok(crl_view(&crl, session));
    }
    match CertificationRequest::from_der(octets, &Verifier) {
        Err(CsrError::Malformed | CsrError::TooLarge { .. } | CsrError::Version) => {}
        _ => return csr_view(octets, wrong),
    }
    if let Ok(key) =
        PrivateKeyDer::from_der(octets, password).and_then(|key| SoftwareKey::from_private_key(&key))
    {
        return Ok(key_view("private key", key.public_key()));
    }
    if let Ok(key) = PublicKey::from_spki_der(octets) {
        return Ok(key_view("public key", &key));
    }
    Err(wrong("it is neither PEM nor the DER of a certificate, CSR, CRL or key".to_owned()))
}

fn certificate_view(certificate: &Certificate, session: &Session) -> View {
    let validity = certificate.validity();
    let fingerprint = hex(&Sha256::digest(certificate.der()));
    let names: Vec<String> =
        certificate.alternative_names().unwrap_or_default().iter().map(general_name).collect();
    let place = match certificate.place() {
        Ok(Place::Authority(PathLength::Unlimited)) => "CA".to_owned(),
        Ok(Place::Authority(PathLength::AtMost(length))) => format!("CA, path length {length}"),
        Ok(Place::EndEntity) => "end entity".to_owned(),
        Err(_) => "unreadable basic constraints".to_owned(),
    };
    let usages: Vec<&str> = certificate
        .key_usages()
        .ok()
        .flatten()
        .map(|usages| usages.iter().map(|usage| usage.name()).collect())
        .unwrap_or_default();
    let purposes: Vec<String> = certificate
        .extended_key_usages()
        .ok()
        .flatten()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let urls = |uris: Vec<pki_core::name::Uri>| -> Vec<String> {
        uris.iter().map(|uri| uri.as_str().to_owned()).collect()
    };
    let identifier = |id: Option<pki_core::key::KeyIdentifier>| id.map(|id| id.to_string());
    let algorithm = certificate
        .signature_algorithm()
        .map_or_else(|| "unknown".to_owned(), |algorithm| algorithm.to_string());
    let mut text = Lines::new("certificate");
    text.line("serial number", &certificate.serial().to_string());
    text.line("subject", &certificate.subject().to_string());
    text.line("issuer", &certificate.issuer().to_string());
    text.line("not before", &validity.not_before().to_string());
    text.line("not after", &period::until(validity.not_after(), session.now));
    text.line("key", &describe_key(certificate.public_key()));
    text.line("place", &place);
    text.line("names", &names.join(", "));
    text.line("key usage", &usages.join(", "));
    text.line("extended key usage", &purposes.join(", "));
    text.line("subject key id", &identifier(certificate.subject_key_identifier()).unwrap_or_default());
    text.line("authority key id", &identifier(certificate.authority_key_identifier()).unwrap_or_default());
    text.line("CRL", &urls(certificate.crl_distribution_points()).join(", "));
    text.line("OCSP", &urls(certificate.ocsp_servers()).join(", "));
    text.line("issuing CA", &urls(certificate.issuing_certificates()).join(", "));
    text.line("signature", &algorithm);
    let sizes = Sizes::of(certificate);
    text.line(
        "octets",
        &format!("{}, of these {} key and {} signature", sizes.all, sizes.key, sizes.signature),
    );
    text.line("SHA-256", &fingerprint);
    View {
        text: text.0,
        json: json!({
            "kind": "certificate",
            "serial_number": certificate.serial().to_string(),
            "subject": certificate.subject().to_string(),
            "issuer": certificate.issuer().to_string(),
            "not_before": validity.not_before().as_secs(),
            "not_after": validity.not_after().as_secs(),
            "key_type": certificate.public_key().key_type().to_string(),
            "key_bits": certificate.public_key().bits(),
            "place": place,
            "names": names,
            "key_usage": usages,
            "ext_key_usage": purposes,
            "subject_key_id": identifier(certificate.subject_key_identifier()),
            "authority_key_id": identifier(certificate.authority_key_identifier()),
            "crl_distribution_points": urls(certificate.crl_distribution_points()),
            "ocsp_servers": urls(certificate.ocsp_servers()),
            "issuing_certificates": urls(certificate.issuing_certificates()),
            "extensions": extensions(certificate.extensions()),
            "signature_algorithm": algorithm,
            "octets": sizes.all,
            "key_octets": sizes.key,
            "signature_octets": sizes.signature,
            "sha256": fingerprint,
        }),
    }
}

/// How large a certificate is, and what makes it so.
struct Sizes {
    all: usize,
    key: usize,
    signature: usize,
}

impl Sizes {
    fn of(certificate: &Certificate) -> Self {
        Self {
            all: certificate.der().len(),
            key: certificate.public_key().key_octets().len(),
            signature: certificate.signature().len(),
        }
    }
}

fn csr_view(der: &[u8], wrong: &impl Fn(String) -> Fault) -> Result<View, Fault> {
    let request =
        CertificationRequest::from_der(der, &Verifier).map_err(|error| match csr::refuses(&error) {
            true => Fault::refused(error.to_string(), "make the CSR again with the key that it is for"),
            false => wrong(error.to_string()),
        })?;
    let names: Vec<String> = request.alternative_names().iter().map(general_name).collect();
    let mut text = Lines::new("certification request (possession of the key proved)");
    text.line("subject", &request.subject().to_string());
    text.line("key", &describe_key(request.public_key()));
    text.line("names", &names.join(", "));
    Ok(View {
        text: text.0,
        json: json!({
            "kind": "certification_request",
            "subject": request.subject().to_string(),
            "key_type": request.public_key().key_type().to_string(),
            "key_bits": request.public_key().bits(),
            "names": names,
            "extensions": extensions(request.extensions()),
        }),
    })
}

fn crl_view(crl: &CertificateRevocationList, session: &Session) -> View {
    let entries: Vec<RevokedCertificate> = crl.entries().filter_map(Result::ok).collect();
    let number = crl.number().map(|number| number.to_string());
    let next = crl.next_update();
    let mut text = Lines::new(if crl.is_partial() { "CRL (partial)" } else { "CRL" });
    text.line("issuer", &crl.issuer().to_string());
    text.line("number", number.as_deref().unwrap_or("none"));
    text.line("this update", &crl.this_update().to_string());
    text.line(
        "next update",
        &next.map_or_else(|| "none".to_owned(), |next| period::until(next, session.now)),
    );
    text.line(
        "authority key id",
        &crl.authority_key_identifier().map(|id| id.to_string()).unwrap_or_default(),
    );
    text.line("revoked", &entries.len().to_string());
    for entry in entries.iter().take(SHOWN) {
        text.line("", &format!("{}  {}  {}", entry.serial, entry.revoked_at, entry.reason));
    }
    if entries.len() > SHOWN {
        text.line("", &format!("and {} more (--format json has all)", entries.len() - SHOWN));
    }
    View {
        text: text.0,
        json: json!({
            "kind": "crl",
            "issuer": crl.issuer().to_string(),
            "number": number,
            "this_update": crl.this_update().as_secs(),
            "next_update": next.map(|next| next.as_secs()),
            "authority_key_id": crl.authority_key_identifier().map(|id| id.to_string()),
            "partial": crl.is_partial(),
            "revoked": entries
                .iter()
                .map(|entry| json!({
                    "serial_number": entry.serial.to_string(),
                    "revocation_time": entry.revoked_at.as_secs(),
                    "reason": entry.reason.name(),
                }))
                .collect::<Vec<_>>(),
        }),
    }
}

/// The public half only: nothing of a private key is printed.
fn key_view(kind: &str, key: &PublicKey) -> View {
    let mut text = Lines::new(kind);
    text.line("type", &describe_key(key));
    text.line("key id", &key.key_identifier().to_string());
    View {
        text: text.0,
        json: json!({
            "kind": kind.replace(' ', "_"),
            "key_type": key.key_type().to_string(),
            "key_bits": key.bits(),
            "subject_key_id": key.key_identifier().to_string(),
        }),
    }
}

/// Indented lines below a heading.
struct Lines(String);

impl Lines {
    fn new(heading: &str) -> Self {
        Self(format!("{heading}\n"))
    }

    fn line(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(self.0, "  {label:18}  {}", printable(value));
        }
    }

    fn text(self) -> String {
        self.0
    }
}

fn general_name(name: &GeneralName) -> String {
    let kind = match name {
        GeneralName::Dns(_) => "DNS",
        GeneralName::Email(_) => "email",
        GeneralName::Ip(_) => "IP",
        GeneralName::Uri(_) => "URI",
        _ => "other",
    };
    format!("{kind}:{}", name.value())
}

fn describe_key(key: &PublicKey) -> String {
    format!("{} {}", key.key_type(), key.bits())
}

fn extensions(list: &[Extension]) -> Vec<Value> {
    list.iter()
        .map(|extension| {
            json!({
                "oid": extension.id.to_string(),
                "critical": extension.critical == Criticality::Critical,
                "value": hex(&extension.value),
            })
        })
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// So many entries of a CRL people see.
const SHOWN: usize = 20;
