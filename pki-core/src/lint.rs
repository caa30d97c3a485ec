//! A second opinion on finished bytes: one function for each clause, asked before anything leaves the house.
//!
//! The lints read the octets for themselves, without the readers and writers of this crate. They know nothing of roles:
//! they say what the standards say. [`Issuer::prepare`](crate::issuer::Issuer::prepare) asks them before a key signs, and
//! the finished certificate is asked for the rest; only a role can waive one, with a reason ([`LintWaiver`]).
//!
//! [`certificate`], [`crl`] and [`request`] judge any file, also one from elsewhere.

mod algorithm;
mod alternative;
mod certificate;
mod constraint;
mod crl;
mod extension;
mod name;
mod pointer;
mod policy;
mod request;
#[cfg(test)]
mod tests;
mod usage;
mod value;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use self::certificate::{Signed, Tbs};
use self::crl::{Entry, List};
use self::request::Request;

/// The stable name of a lint, such as `serial.positive`. Roles, answers and tests refer to lints by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LintId(&'static str);

impl LintId {
    /// The stable string.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The lint of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|id| id.0 == name)
    }

    /// Whether a role can do without it. What is no DER nobody can read, the signature is not the role's, and a role
    /// issues certificates only.
    pub fn is_waivable(self) -> bool {
        CERTIFICATE.iter().any(|lints| lints.iter().any(|lint| lint.id == self))
    }

    /// Every lint, in the order in which they are asked; a lint of certificates and of CRLs or requests is there twice.
    pub fn all() -> impl Iterator<Item = Self> {
        let enveloped = certificate::ENVELOPE.iter().map(|lint| lint.id);
        let certificates = CERTIFICATE.iter().flat_map(|lints| lints.iter()).map(|lint| lint.id);
        let crls = crl::LIST.iter().map(|lint| lint.id).chain(crl::ENTRY.iter().map(|lint| lint.id));
        let requests = request::LINTS.iter().map(|lint| lint.id);
        [DER].into_iter().chain(enveloped).chain(certificates).chain(crls).chain(requests)
    }
}

impl fmt::Display for LintId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for LintId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LintId({})", self.0)
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A recommendation is not followed, or verifiers differ: it may be issued.
    Warning,
    /// A clause is broken: it is not issued, unless the role waives the lint.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A clause that finished bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// Which lint says so.
    pub lint: LintId,
    /// How much it weighs.
    pub severity: Severity,
    /// The section that it asks for.
    pub clause: &'static str,
    /// What is wrong, as a clause.
    pub finding: &'static str,
}

impl fmt::Display for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; lint {})", self.finding, self.clause, self.lint)
    }
}

impl core::error::Error for LintFinding {}

/// A lint that a role does without, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintWaiver {
    lint: LintId,
    reason: String,
}

impl LintWaiver {
    /// Reads `lint-id: reason`.
    ///
    /// # Errors
    ///
    /// [`LintWaiverError`] if there is no such lint, or no reason.
    pub fn parse(text: &str) -> Result<Self, LintWaiverError> {
        let (name, reason) = text.split_once(':').unwrap_or((text, ""));
        let (name, reason) = (name.trim(), reason.trim());
        let lint =
            LintId::from_name(name).ok_or_else(|| LintWaiverError::UnknownLint { name: name.to_owned() })?;
        if !lint.is_waivable() {
            return Err(LintWaiverError::NotWaivable { lint });
        }
        if reason.is_empty() {
            return Err(LintWaiverError::NoReason { lint });
        }
        Ok(Self { lint, reason: reason.to_owned() })
    }

    /// The lint that is waived.
    pub const fn lint(&self) -> LintId {
        self.lint
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A text that waives no lint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LintWaiverError {
    /// Nobody says why.
    NoReason {
        /// The lint.
        lint: LintId,
    },
    /// A lint that a role has no say in.
    NotWaivable {
        /// The lint.
        lint: LintId,
    },
    /// There is no such lint.
    UnknownLint {
        /// What was written in its place.
        name: String,
    },
}

impl fmt::Display for LintWaiverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReason { lint } => write!(f, "the waiver of {lint} gives no reason"),
            Self::NotWaivable { lint } => write!(f, "the lint {lint} cannot be waived by a role"),
            Self::UnknownLint { name } => write!(f, "there is no lint {name:?}"),
        }
    }
}

impl core::error::Error for LintWaiverError {}

impl LintWaiverError {
    /// What would be accepted.
    pub fn accepted(&self) -> String {
        match self {
            Self::UnknownLint { name } => {
                // Lints are named by what they look at, a dot, and the rule.
                let topic = name.split('.').next().unwrap_or_default();
                let mut near: Vec<&str> = LintId::all()
                    .map(LintId::as_str)
                    .filter(|id| id.split('.').next() == Some(topic))
                    .collect();
                near.sort_unstable();
                near.dedup();
                if near.is_empty() {
                    return "LINT: REASON, with a lint that `pki lint --list` names".to_owned();
                }
                alloc::format!("LINT: REASON, with one of {}", near.join(", "))
            }
            Self::NoReason { lint } => alloc::format!("{lint}: REASON"),
            Self::NotWaivable { .. } => "LINT: REASON, with another lint".to_owned(),
        }
    }
}

/// Asks every lint about a certificate in DER. Nothing found is an empty list.
pub fn certificate(der: &[u8]) -> Vec<LintFinding> {
    let read = Signed::read(der).and_then(|signed| Some((signed, Tbs::read(signed.content)?)));
    let Some((signed, tbs)) = read else { return alloc::vec![NOT_A_CERTIFICATE] };
    let mut findings = Vec::new();
    ask(certificate::ENVELOPE, |holds| holds(&signed), &mut findings);
    for lints in CERTIFICATE {
        ask(lints, |holds| holds(&tbs), &mut findings);
    }
    findings
}

/// Asks every lint about a TBSCertificate in DER: all but those that look at the signature.
pub(crate) fn tbs_certificate(der: &[u8]) -> Vec<LintFinding> {
    let Some(tbs) = Tbs::read(der) else { return alloc::vec![NOT_A_CERTIFICATE] };
    let mut findings = Vec::new();
    for lints in CERTIFICATE {
        ask(lints, |holds| holds(&tbs), &mut findings);
    }
    findings
}

/// Asks the lints that look at what stands around a TBSCertificate.
pub(crate) fn envelope(der: &[u8]) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    match Signed::read(der) {
        Some(signed) => ask(certificate::ENVELOPE, |holds| holds(&signed), &mut findings),
        None => findings.push(NOT_A_CERTIFICATE),
    }
    findings
}

/// Asks every lint about a CRL in DER. Of entries that break the same clause, one is told.
pub fn crl(der: &[u8]) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    let Some(list) = List::read(der) else {
        return alloc::vec![LintFinding { finding: "this is not the DER of a CRL", ..NOT_A_CERTIFICATE }];
    };
    ask(crl::LIST, |holds| holds(&list), &mut findings);
    for entry in list.entries() {
        for lint in crl::ENTRY {
            let told = findings.iter().any(|finding| finding.lint == lint.id);
            if !told && !(lint.holds)(&list, &entry) {
                findings.push(lint.finding());
            }
        }
    }
    findings
}

/// Asks every lint about a certification request in DER.
pub fn request(der: &[u8]) -> Vec<LintFinding> {
    let Some(request) = Request::read(der) else {
        return alloc::vec![LintFinding {
            finding: "this is not the DER of a certification request",
            clause: "RFC 2986 4",
            ..NOT_A_CERTIFICATE
        }];
    };
    let mut findings = Vec::new();
    ask(request::LINTS, |holds| holds(&request), &mut findings);
    findings
}

/// One clause: what breaks it, and the question.
#[derive(Clone, Copy, Debug)]
struct Lint<F> {
    id: LintId,
    severity: Severity,
    clause: &'static str,
    /// What is said if it does not hold.
    finding: &'static str,
    holds: F,
}

impl<F: Copy> Lint<F> {
    const fn error(id: &'static str, clause: &'static str, finding: &'static str, holds: F) -> Self {
        Self { id: LintId(id), severity: Severity::Error, clause, finding, holds }
    }

    const fn warning(id: &'static str, clause: &'static str, finding: &'static str, holds: F) -> Self {
        Self { id: LintId(id), severity: Severity::Warning, clause, finding, holds }
    }

    const fn finding(&self) -> LintFinding {
        LintFinding { lint: self.id, severity: self.severity, clause: self.clause, finding: self.finding }
    }
}

type CertificateLint = Lint<fn(&Tbs<'_>) -> bool>;
type EnvelopeLint = Lint<fn(&Signed<'_>) -> bool>;
type ListLint = Lint<fn(&List<'_>) -> bool>;
type EntryLint = Lint<fn(&List<'_>, &Entry<'_>) -> bool>;
type RequestLint = Lint<fn(&Request<'_>) -> bool>;

fn ask<F: Copy>(lints: &[Lint<F>], holds: impl Fn(F) -> bool, findings: &mut Vec<LintFinding>) {
    for lint in lints {
        if !holds(lint.holds) {
            findings.push(lint.finding());
        }
    }
}

/// The lints of a TBSCertificate, topic by topic.
const CERTIFICATE: &[&[CertificateLint]] = &[
    certificate::LINTS,
    algorithm::LINTS,
    name::LINTS,
    extension::LINTS,
    usage::LINTS,
    alternative::LINTS,
    constraint::LINTS,
    policy::LINTS,
    pointer::LINTS,
];

/// What every other lint rests on.
const DER: LintId = LintId("der.strict");

const NOT_A_CERTIFICATE: LintFinding = LintFinding {
    lint: DER,
    severity: Severity::Error,
    clause: "RFC 5280 4.1; X.690 10",
    finding: "this is not the DER of a certificate",
};
