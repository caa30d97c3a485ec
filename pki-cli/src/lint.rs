//! `pki lint`: a second opinion on a certificate, CRL or CSR, whoever made it.

use std::path::PathBuf;

use clap::Args;
use pki_core::lint::{self, LintFinding, LintId, Severity};
use pki_core::pem;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::session::Session;

/// Ask a certificate, CRL or CSR every clause of the standards. Exit code 1 when one is broken.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  pki lint www.crt
  pki lint --list        # what is asked; a role does without one by --lint-waivers 'LINT: REASON'")]
pub(crate) struct Lint {
    /// File in PEM, also with several certificates, or DER; `-` for standard input
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// List the lints
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    list: Option<bool>,
}

impl Act for Lint {
    fn run(self, session: &Session) -> Result<(), Fault> {
        match (self.file, self.list) {
            (_, Some(true)) => session.deliver(&listed()),
            (Some(file), _) => judge(&file, session),
            (None, _) => {
                Err(Fault::usage("no file is named", "name a certificate, CRL or CSR: `pki lint FILE`"))
            }
        }
    }
}

/// Every lint once, by name.
fn listed() -> Answer {
    let mut names: Vec<&str> = LintId::all().map(LintId::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    let mut answer = Answer::new();
    answer.set("keys", names).text(text);
    answer
}

fn judge(file: &std::path::Path, session: &Session) -> Result<(), Fault> {
    let octets = input::read(file, Limit::Any)?;
    let judged = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => of_pem(file, text)?,
        _ => vec![of_der(&octets)],
    };
    let mut answer = Answer::new();
    let mut text = String::new();
    let mut findings = Vec::new();
    let several = judged.len() > 1;
    for (position, (what, found)) in judged.iter().enumerate() {
        let number = position + 1;
        for finding in found {
            if several {
                text.push_str(&format!("{number}: "));
            }
            text.push_str(&format!("{}: {finding}\n", finding.severity));
            findings.push(as_json(number, what, finding));
        }
    }
    let errors =
        judged.iter().flat_map(|(_, found)| found).filter(|one| one.severity == Severity::Error).count();
    if findings.is_empty() {
        text.push_str("no findings\n");
    }
    answer.set("findings", findings).set("errors", errors).text(text);
    session.deliver(&answer)?;
    match errors {
        0 => Ok(()),
        1 => Err(broken(file, "a clause")),
        several => Err(broken(file, &format!("{several} clauses"))),
    }
}

fn broken(file: &std::path::Path, what: &str) -> Fault {
    Fault::refused(
        format!("{} breaks {what} of the standards", input::name(file)),
        "have it made again; the clauses are named above",
    )
}

type Judged = (&'static str, Vec<LintFinding>);

fn of_pem(file: &std::path::Path, text: &str) -> Result<Vec<Judged>, Fault> {
    let blocks = pem::parse(text).map_err(|error| {
        Fault::usage(format!("{}: {error}", input::name(file)), "name a certificate, CRL or CSR")
    })?;
    let judged: Vec<Judged> = blocks
        .iter()
        .filter_map(|block| match block.label.as_str() {
            pem::CERTIFICATE => Some(("certificate", lint::certificate(&block.der))),
            pem::X509_CRL => Some(("crl", lint::crl(&block.der))),
            pem::CERTIFICATE_REQUEST | pem::NEW_CERTIFICATE_REQUEST => {
                Some(("csr", lint::request(&block.der)))
            }
            _ => None,
        })
        .collect();
    if judged.is_empty() {
        return Err(Fault::usage(
            format!("{} holds neither a certificate, nor a CRL, nor a CSR", input::name(file)),
            "name a file with one of them",
        ));
    }
    Ok(judged)
}

/// DER does not say what it is: it is what it reads as.
fn of_der(der: &[u8]) -> Judged {
    let reads = |found: &[LintFinding]| found.iter().all(|finding| finding.lint.as_str() != "der.strict");
    let certificate = lint::certificate(der);
    if reads(&certificate) {
        return ("certificate", certificate);
    }
    let crl = lint::crl(der);
    if reads(&crl) {
        return ("crl", crl);
    }
    let csr = lint::request(der);
    if reads(&csr) { ("csr", csr) } else { ("certificate", certificate) }
}

fn as_json(number: usize, what: &str, finding: &LintFinding) -> Value {
    json!({
        "block": number,
        "kind": what,
        "lint": finding.lint.as_str(),
        "severity": finding.severity.to_string(),
        "clause": finding.clause,
        "finding": finding.finding,
    })
}
