//! Certification paths (RFC 5280 6): which certificates stand above another.

use alloc::vec::Vec;

use crate::certificate::Certificate;
use crate::extension::Criticality;
use crate::oid::{self, Oid};

/// The chain of `certificate`, each member followed by its issuer, as far as `pool` leads: the certificate itself is not
/// in it, a root is its last member.
///
/// Where several certificates fit (a cross-signed CA), one whose key made the signature's key identifier is taken first,
/// then the one that ends last.
pub fn chain_of<'a>(certificate: &Certificate, pool: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut chain: Vec<&Certificate> = Vec::new();
    let mut below = certificate;
    while !is_root(below) {
        let wanted = below.authority_key_identifier();
        let parent = pool
            .iter()
            .filter(|candidate| candidate.subject().matches(below.issuer()))
            .filter(|candidate| match (&wanted, candidate.subject_key_identifier()) {
                (Some(wanted), Some(theirs)) => *wanted == theirs,
                _ => true,
            })
            // A loop of cross-signs leads nowhere.
            .filter(|candidate| candidate.der() != certificate.der() && !chain.contains(candidate))
            .max_by_key(|candidate| (is_root(candidate), candidate.validity().not_after()));
        let Some(parent) = parent else { break };
        chain.push(parent);
        below = parent;
    }
    chain
}

/// Whether a certificate is its own issuer: the same name, and its own key identifier if it names one.
pub fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued()
        && match (certificate.authority_key_identifier(), certificate.subject_key_identifier()) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        }
}

/// Whether a verifier has to know every critical extension of a CA here (RFC 5280 4.2).
pub fn unknown_critical_extension(certificate: &Certificate) -> Option<Oid> {
    const KNOWN: [const_oid::ObjectIdentifier; 8] = [
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::BASIC_CONSTRAINTS,
        oid::SUBJECT_ALTERNATIVE_NAME,
        oid::NAME_CONSTRAINTS,
        oid::CERTIFICATE_POLICIES,
        oid::POLICY_CONSTRAINTS,
        oid::INHIBIT_ANY_POLICY,
    ];
    certificate
        .extensions()
        .iter()
        .find(|extension| extension.critical == Criticality::Critical && !KNOWN.contains(&extension.id.0))
        .map(|extension| extension.id)
}
