//! `pki verify`: whether a certificate holds against its issuers, now.

use std::path::{Path, PathBuf};

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::crl::CertificateRevocationList;
use pki_core::hierarchy;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::software::Verifier;
use pki_core::pem;
use pki_core::profile::PathLength;
use pki_core::revocation::RevokedCertificate;
use pki_store::mount::MountKind;
use pki_store::{Store, block_on};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::issuer::load;
use crate::period;
use crate::session::Session;

/// Check a certificate against its issuers: signatures, validity, path lengths, revocation.
///
/// Trust comes from --ca, or else from the issuers of the store; certificates after the first in FILE help to build
/// the chain and are not trusted. Revocation comes from --crl, or else, with the store, from its records.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pki verify tls/fullchain.pem\n  pki verify leaf.pem --ca root.crt --crl root.crl"
)]
pub(crate) struct Verify {
    /// File with the certificate, and perhaps those above it; `-` for standard input
    file: PathBuf,
    /// File with trusted CA certificates, instead of the store's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with CRLs
    #[arg(long, value_name = "FILE")]
    crl: Option<PathBuf>,
}

impl Act for Verify {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let mut given = certificates(&self.file)?.into_iter();
        let leaf = given.next().ok_or_else(|| {
            Fault::usage(format!("{} holds no certificate", input::name(&self.file)), REMEDY)
        })?;
        let mut pool: Vec<Certificate> = given.collect();
        let crls = self.crl.as_deref().map(read_crls).transpose()?;
        let house = match &self.ca {
            Some(_) => None,
            None => Some(session.open()?),
        };
        let trusted: Vec<Certificate> = match (&self.ca, &house) {
            (Some(file), _) => certificates(file)?,
            (None, Some(house)) => {
                let mut stored = Vec::new();
                for mount in block_on(house.store.mounts())? {
                    if mount.kind != MountKind::Pki {
                        continue;
                    }
                    for record in block_on(house.store.issuers(mount.id))? {
                        stored.push(load::certificate(&record)?);
                    }
                }
                stored
            }
            (None, None) => return Err(Fault::defect("neither a file nor the store is trusted")),
        };
        // What is trusted comes first, so that a chain prefers it to what the file brings.
        pool.splice(0..0, trusted.iter().cloned());
        let chain: Vec<Certificate> = hierarchy::chain_of(&leaf, &pool).into_iter().cloned().collect();
        // The chain goes up to the highest certificate that is trusted.
        let members: Vec<&Certificate> = std::iter::once(&leaf).chain(&chain).collect();
        let is_trusted = |member: &&Certificate| trusted.iter().any(|anchor| anchor.der() == member.der());
        let end = members.iter().rposition(is_trusted);
        let Some(end) = end else {
            let last = chain.last().unwrap_or(&leaf);
            return Err(Fault::refused(
                format!(
                    "the chain ends at \"{}\", whose issuer \"{}\" is not trusted here",
                    last.subject(),
                    last.issuer()
                ),
                "name the file with the trusted CA: --ca FILE",
            ));
        };
        let path: Vec<&Certificate> = members.into_iter().take(end + 1).collect();
        self.check_path(&path, session)?;
        let mut unchecked = Vec::new();
        for (depth, pair) in path.windows(2).enumerate() {
            let [below, above] = pair else { continue };
            if let Some(crls) = &crls {
                match check_crls(below, above, crls, session)? {
                    Covered::Yes => {}
                    // Whoever gives CRLs wants the leaf checked; a CA's CRL that is not there is said.
                    Covered::No if depth == 0 => return Err(uncovered(below, above)),
                    Covered::No => unchecked.push(below.subject().to_string()),
                }
            } else if let Some(house) = &house
                && let Some(revocation) = block_on(house.store.revocation(above.authority(), below.serial()))?
            {
                return Err(revoked(below, &revocation.revoked_certificate()));
            }
        }
        let mut answer = Answer::new();
        let subjects: Vec<String> = path.iter().map(|member| member.subject().to_string()).collect();
        answer
            .ours("verified", true)
            .ours("serial_number", leaf.serial().to_string())
            .ours("chain", subjects.clone())
            .fact("verdict", "the certificate holds")
            .fact("serial number", leaf.serial().to_string())
            .fact("chain", subjects.join("  <-  "))
            .fact("valid until", period::until(leaf.validity().not_after(), session.now));
        for subject in unchecked {
            answer.warn(format!("no CRL says whether \"{subject}\" is revoked"));
        }
        if crls.is_none() && house.is_none() {
            answer.warn("revocation was not checked: name a CRL with --crl");
        }
        session.deliver(&answer)
    }
}

const REMEDY: &str = "name a file with a certificate, PEM or DER";

impl Verify {
    /// RFC 5280 6.1, as far as certificates of this CA need it: the leaf first, the trusted certificate last.
    fn check_path(&self, path: &[&Certificate], session: &Session) -> Result<(), Fault> {
        for (depth, member) in path.iter().enumerate() {
            let validity = member.validity();
            // RFC 5280 6.1.3 (a)(2): valid now.
            if !validity.contains(session.now) {
                let fault = if session.now < validity.not_before() {
                    format!("\"{}\" is not valid before {}", member.subject(), validity.not_before())
                } else {
                    format!("\"{}\" expired at {}", member.subject(), validity.not_after())
                };
                return Err(Fault::refused(fault, "issue a new certificate"));
            }
            // RFC 5280 6.1.5 (f): a critical extension that is not understood refuses.
            if let Some(unknown) = hierarchy::unknown_critical_extension(member) {
                return Err(Fault::refused(
                    format!(
                        "\"{}\" has the critical extension {unknown}, which is not known here",
                        member.subject()
                    ),
                    "verify it with a program that knows the extension",
                ));
            }
            // RFC 5280 6.1.4 (k), (n): above the leaf stand CAs; (l), (m): within their path lengths.
            if depth > 0 {
                let issuer = IssuerCertificate::new((*member).clone()).map_err(|error| {
                    Fault::refused(
                        format!("\"{}\" may not issue: {error}", member.subject()),
                        "use another chain",
                    )
                })?;
                let between = path.iter().take(depth).skip(1).filter(|c| !c.is_self_issued()).count();
                if let PathLength::AtMost(length) = issuer.path_length()
                    && between > usize::from(length)
                {
                    return Err(Fault::refused(
                        format!(
                            "\"{}\" allows {length} CAs below it, and the chain has {between}",
                            member.subject()
                        ),
                        "use a chain within its path length",
                    ));
                }
            }
        }
        for pair in path.windows(2) {
            let [below, above] = pair else { continue };
            // RFC 5280 6.1.3 (a)(1), (a)(4): signed by the one above, and named so.
            below.verify_signature(above.public_key(), &Verifier).map_err(|error| {
                Fault::refused(
                    format!("\"{}\" is not signed by \"{}\": {error}", below.subject(), above.subject()),
                    "use the certificate of the CA that signed it",
                )
            })?;
        }
        Ok(())
    }
}

/// Whether a CRL speaks for a certificate.
enum Covered {
    Yes,
    No,
}

/// A certificate of the path and the CRLs of the CA above it.
fn check_crls(
    below: &Certificate,
    above: &Certificate,
    crls: &[CertificateRevocationList],
    session: &Session,
) -> Result<Covered, Fault> {
    let mut covered = Covered::No;
    for crl in crls.iter().filter(|crl| crl.issuer().matches(above.subject())) {
        if crl.verify_signature(above.public_key(), &Verifier).is_err() {
            continue;
        }
        if crl.next_update().is_some_and(|next| next < session.now) {
            return Err(Fault::refused(
                format!("the CRL of \"{}\" is past its nextUpdate", above.subject()),
                "fetch or sign a new one: `pki crl rotate`",
            ));
        }
        if !crl.is_partial() {
            covered = Covered::Yes;
        }
        for entry in crl.entries() {
            let entry = entry.map_err(|error| Fault::usage(error.to_string(), "fetch the CRL again"))?;
            if entry.serial == below.serial() {
                return Err(revoked(below, &entry));
            }
        }
    }
    Ok(covered)
}

fn uncovered(below: &Certificate, above: &Certificate) -> Fault {
    Fault::refused(
        format!("no CRL here is that of \"{}\", which signed \"{}\"", above.subject(), below.subject()),
        "give the CRL of the CA that signed the certificate: --crl FILE",
    )
}

fn revoked(certificate: &Certificate, entry: &RevokedCertificate) -> Fault {
    Fault::refused(
        format!(
            "\"{}\" ({}) was revoked at {} ({})",
            certificate.subject(),
            entry.serial,
            entry.revoked_at,
            entry.reason
        ),
        "issue a new certificate",
    )
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Fault> {
    let octets = input::read(file, Limit::Bundle)?;
    let wrong =
        |error: &dyn std::fmt::Display| Fault::usage(format!("{}: {error}", input::name(file)), REMEDY);
    let text = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => text,
        _ => return Ok(vec![Certificate::from_der(&octets).map_err(|error| wrong(&error))?]),
    };
    let blocks = pem::parse(text).map_err(|error| wrong(&error))?;
    // Bundles with their key are what `--format pem_bundle` writes; the key is of no concern here.
    let found = blocks
        .iter()
        .filter(|block| block.label == pem::CERTIFICATE)
        .map(|block| Certificate::from_der(&block.der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(&error))?;
    if found.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(found)
}

fn read_crls(file: &Path) -> Result<Vec<CertificateRevocationList>, Fault> {
    let octets = input::read(file, Limit::Crl)?;
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::usage(format!("{}: {error}", input::name(file)), "name a file with CRLs, PEM or DER")
    };
    let text = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => text,
        _ => return Ok(vec![CertificateRevocationList::from_der(&octets).map_err(|error| wrong(&error))?]),
    };
    pem::parse(text)
        .map_err(|error| wrong(&error))?
        .iter()
        .filter(|block| block.label == pem::X509_CRL)
        .map(|block| CertificateRevocationList::from_der(&block.der).map_err(|error| wrong(&error)))
        .collect()
}
