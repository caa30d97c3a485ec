//! A second opinion on finished bytes: one function for each clause, asked before anything leaves the house.

use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;

use crate::certificate::{Certificate, CertificateError, Place};
use crate::extension::Criticality;
use crate::name::GeneralName;
use crate::oid::{self, Oid};
use crate::profile::KeyUsage;

/// A clause that a finished certificate or CRL breaks. It is our own mistake wherever it appears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintError {
    /// The section that says so.
    pub clause: &'static str,
    /// What is wrong.
    pub finding: &'static str,
}

impl fmt::Display for LintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.finding, self.clause)
    }
}

impl core::error::Error for LintError {}

type Lint = fn(&Subject<'_>) -> Option<LintError>;

/// The certificate under the lints, with its extensions read once.
struct Subject<'a> {
    certificate: &'a Certificate,
    place: Place,
    alternative_names: Vec<GeneralName>,
}

const CERTIFICATE: &[Lint] = &[
    issuer_is_not_empty,
    authority_has_subject,
    authority_names_its_key,
    basic_constraints_are_critical,
    key_usage_is_critical,
    authority_signs_certificates,
    end_entity_signs_none,
    alternative_name_is_critical_without_subject,
    somebody_is_named,
    authority_key_is_named,
    no_revocation_stands_alone,
];

/// Asks every lint about a certificate.
///
/// # Errors
///
/// The first clause that it breaks.
pub fn certificate(certificate: &Certificate) -> Result<(), LintError> {
    let unreadable =
        |_: CertificateError| LintError { clause: "RFC 5280 4.2", finding: "an extension is not DER" };
    let subject = Subject {
        certificate,
        place: certificate.place().map_err(unreadable)?,
        alternative_names: certificate.alternative_names().map_err(unreadable)?,
    };
    match CERTIFICATE.iter().find_map(|lint| lint(&subject)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn broken(breaks: bool, clause: &'static str, finding: &'static str) -> Option<LintError> {
    breaks.then_some(LintError { clause, finding })
}

impl Subject<'_> {
    fn critical(&self, id: ObjectIdentifier) -> Option<Criticality> {
        self.certificate.extension(id).map(|extension| extension.critical)
    }

    fn is_authority(&self) -> bool {
        matches!(self.place, Place::Authority(_))
    }

    fn has_usage(&self, usage: KeyUsage) -> bool {
        self.certificate.key_usages().ok().flatten().is_some_and(|usages| usages.contains(usage))
    }
}

fn issuer_is_not_empty(subject: &Subject<'_>) -> Option<LintError> {
    broken(subject.certificate.issuer().is_empty(), "RFC 5280 4.1.2.4", "the issuer is empty")
}

fn authority_has_subject(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.is_authority() && subject.certificate.subject().is_empty();
    broken(breaks, "RFC 5280 4.1.2.6", "a CA has no subject")
}

fn authority_names_its_key(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.is_authority() && subject.certificate.subject_key_identifier().is_none();
    broken(breaks, "RFC 5280 4.2.1.2", "a CA has no subject key identifier")
}

fn basic_constraints_are_critical(subject: &Subject<'_>) -> Option<LintError> {
    let breaks =
        subject.is_authority() && subject.critical(oid::BASIC_CONSTRAINTS) == Some(Criticality::NonCritical);
    broken(breaks, "RFC 5280 4.2.1.9", "a CA's basic constraints are not critical")
}

fn key_usage_is_critical(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.critical(oid::KEY_USAGE) == Some(Criticality::NonCritical);
    broken(breaks, "RFC 5280 4.2.1.3", "the key usage is not critical")
}

fn authority_signs_certificates(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.is_authority() && !subject.has_usage(KeyUsage::CertSign);
    broken(breaks, "RFC 5280 4.2.1.3", "a CA's key usage lacks keyCertSign")
}

fn end_entity_signs_none(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = !subject.is_authority() && subject.has_usage(KeyUsage::CertSign);
    broken(breaks, "RFC 5280 4.2.1.9", "keyCertSign is set without basic constraints that say CA:TRUE")
}

fn alternative_name_is_critical_without_subject(subject: &Subject<'_>) -> Option<LintError> {
    let wanted = if subject.certificate.subject().is_empty() {
        Criticality::Critical
    } else {
        Criticality::NonCritical
    };
    let breaks = subject.critical(oid::SUBJECT_ALTERNATIVE_NAME).is_some_and(|critical| critical != wanted);
    broken(breaks, "RFC 5280 4.2.1.6", "the alternative name is critical exactly if the subject is empty")
}

fn somebody_is_named(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.certificate.subject().is_empty() && subject.alternative_names.is_empty();
    broken(breaks, "RFC 5280 4.1.2.6", "neither a subject nor an alternative name is there")
}

fn authority_key_is_named(subject: &Subject<'_>) -> Option<LintError> {
    let breaks = subject.certificate.authority_key_identifier().is_none();
    broken(breaks, "RFC 5280 4.2.1.1", "the authority key identifier is missing")
}

fn no_revocation_stands_alone(subject: &Subject<'_>) -> Option<LintError> {
    let present = |id| subject.certificate.extensions().iter().any(|extension| extension.id == Oid(id));
    let points = present(oid::CRL_DISTRIBUTION_POINTS)
        || present(oid::FRESHEST_CRL)
        || (present(oid::AUTHORITY_INFORMATION_ACCESS) && !subject.certificate.ocsp_servers().is_empty());
    let breaks = present(oid::NO_REV_AVAIL) && (points || subject.is_authority());
    broken(breaks, "RFC 9608 3", "noRevAvail stands in a CA's certificate or beside a pointer to revocation")
}
