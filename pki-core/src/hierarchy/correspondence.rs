//! Another certificate for a CA that has one: a cross-certificate, or a new one in the place of the old.
//!
//! It says nothing that the first one does not say: the same name and key, and no more rights. What a CA's ceremony
//! checks by hand (as Let's Encrypt's does) is checked here, each point with its own words.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{AskedPathLength, CaRequest, DigitalSignature};
use crate::certificate::CertificateError;
use crate::explain::{Inquiry, No, Refusal, Remedy, RuleId};
use crate::issue::{AskedLifetime, Permitted};
use crate::issuer::IssuerCertificate;
use crate::key::PublicKey;
use crate::profile::{ExtendedKeyUsage, KeyUsage, PathLength, Profile};

impl CaRequest {
    /// A request for another certificate that says what `existing` says, until it ends.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if one of its extensions cannot be read.
    pub fn like(existing: &IssuerCertificate) -> Result<Self, CertificateError> {
        let certificate = existing.certificate();
        let digital_signature = match certificate.key_usages()? {
            Some(usages) if !usages.contains(KeyUsage::DigitalSignature) => DigitalSignature::Refuse,
            _ => DigitalSignature::Permit,
        };
        Ok(Self {
            alternative_names: certificate.alternative_names()?,
            lifetime: AskedLifetime::NotAfter(certificate.validity().not_after()),
            path_length: match existing.path_length() {
                PathLength::Unlimited => AskedPathLength::Default,
                PathLength::AtMost(length) => AskedPathLength::AtMost(length),
            },
            digital_signature,
            extended_key_usages: existing.extended_key_usages().unwrap_or_default().to_vec(),
            name_constraints: certificate.name_constraints()?,
            policies: certificate.policies()?,
            subject_key_identifier: certificate.subject_key_identifier(),
            ..Self::new(certificate.subject().clone())
        })
    }
}

/// A point in which a certificate says more than the one that it is to correspond to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// It has alternative names that the other one lacks.
    AlternativeNames,
    /// It permits names that the other one's constraints refuse.
    NameConstraints,
    /// It ends later.
    NotAfter,
    /// It begins earlier.
    NotBefore,
    /// It leaves room for more CAs below.
    PathLength,
    /// It asserts a policy that the other one does not.
    Policies,
    /// It is for another key.
    PublicKey,
    /// It serves a purpose that the other one does not.
    Purposes,
    /// Its subject is not the same octets.
    Subject,
    /// It names its key otherwise.
    SubjectKeyIdentifier,
    /// Its key may be used for more.
    KeyUsage,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlternativeNames => "it would have alternative names that the existing certificate lacks",
            Self::NameConstraints => "its name constraints would permit more",
            Self::NotAfter => "it would end later",
            Self::NotBefore => "it would begin earlier",
            Self::PathLength => "its path length would allow more CAs below",
            Self::Policies => "it would assert other policies",
            Self::PublicKey => "its key is another one",
            Self::Purposes => "it would serve more purposes",
            Self::Subject => "its subject is not the same, octet for octet",
            Self::SubjectKeyIdentifier => "its subject key identifier would be another one",
            Self::KeyUsage => "its key usage would allow more",
        })
    }
}

/// Every point in which what is permitted says more than `existing`, or speaks of another CA.
///
/// # Errors
///
/// [`CertificateError`] if an extension of `existing` cannot be read.
pub fn mismatches(
    existing: &IssuerCertificate,
    permitted: &Permitted<PublicKey>,
) -> Result<Vec<Mismatch>, CertificateError> {
    let certificate = existing.certificate();
    let mut found = Vec::new();
    let mut expect = |holds: bool, mismatch| {
        if !holds {
            found.push(mismatch);
        }
    };
    expect(permitted.subject == *certificate.subject(), Mismatch::Subject);
    expect(permitted.key.spki_der() == certificate.public_key().spki_der(), Mismatch::PublicKey);
    let identifier =
        permitted.subject_key_identifier.clone().unwrap_or_else(|| permitted.key.key_identifier());
    expect(
        certificate.subject_key_identifier().is_none_or(|theirs| theirs == identifier),
        Mismatch::SubjectKeyIdentifier,
    );
    let (ours, theirs) = (permitted.validity, certificate.validity());
    expect(theirs.not_before() <= ours.not_before(), Mismatch::NotBefore);
    expect(ours.not_after() <= theirs.not_after(), Mismatch::NotAfter);
    let names = certificate.alternative_names()?;
    expect(permitted.alternative_names.iter().all(|name| names.contains(name)), Mismatch::AlternativeNames);
    let policies = certificate.policies()?;
    let asserted = |id| policies.iter().any(|policy| policy.id == id);
    expect(permitted.policies.iter().all(|policy| asserted(policy.id)), Mismatch::Policies);
    let usages = certificate.key_usages()?;
    let more = usages.map(|usages| permitted.profile.key_usages().without(usages));
    expect(more.is_none_or(crate::profile::KeyUsages::is_empty), Mismatch::KeyUsage);
    expect(purposes_nest(existing.extended_key_usages(), &permitted.profile), Mismatch::Purposes);
    if let Profile::Authority { path_length, name_constraints, .. } = &permitted.profile {
        expect(
            match (path_length, existing.path_length()) {
                (_, PathLength::Unlimited) => true,
                (PathLength::Unlimited, PathLength::AtMost(_)) => false,
                (PathLength::AtMost(ours), PathLength::AtMost(theirs)) => *ours <= theirs,
            },
            Mismatch::PathLength,
        );
        expect(
            match (name_constraints, certificate.name_constraints()?) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(ours), Some(theirs)) => *ours == theirs || ours.is_within(&theirs),
            },
            Mismatch::NameConstraints,
        );
    }
    Ok(found)
}

fn purposes_nest(existing: Option<&[ExtendedKeyUsage]>, profile: &Profile) -> bool {
    let Some(existing) = existing.filter(|listed| !listed.contains(&ExtendedKeyUsage::Any)) else {
        return true;
    };
    let ours = profile.extended_key_usages();
    // No purposes at all means every purpose.
    !ours.is_empty() && ours.iter().all(|purpose| existing.contains(purpose))
}

/// The permission, if it corresponds to the certificate that the CA has.
///
/// # Errors
///
/// [`Refusal`] that names every mismatch.
pub fn permit_correspondence(
    existing: &IssuerCertificate,
    permitted: Permitted<PublicKey>,
) -> Result<Permitted<PublicKey>, Refusal> {
    let mut inquiry = Inquiry::thorough();
    let subject = || existing.subject().to_string();
    match inquiry.ask(RuleId::AUTHORITY_CORRESPONDENCE, subject, || corresponds(existing, &permitted)) {
        Ok(()) => Ok(permitted),
        Err(no) => Err(inquiry.refuse(no)),
    }
}

fn corresponds(existing: &IssuerCertificate, permitted: &Permitted<PublicKey>) -> Result<(), No> {
    let words = match mismatches(existing, permitted) {
        Ok(found) if found.is_empty() => return Ok(()),
        Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<String>>().join("; "),
        Err(error) => error.to_string(),
    };
    Err(No {
        rule: RuleId::AUTHORITY_CORRESPONDENCE,
        value: existing.subject().to_string(),
        reason: alloc::format!(
            "the new certificate does not correspond to the one that \"{}\" has: {words}",
            existing.subject()
        ),
        remedy: Remedy::Request(
            "ask for the same or less: leave the flags out that ask for more, or shorten --ttl".to_string(),
        ),
    })
}
