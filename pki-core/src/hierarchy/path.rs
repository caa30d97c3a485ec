//! Certification paths (RFC 5280 6): which certificates stand above another.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::certificate::Certificate;
use crate::extension::Criticality;
use crate::key::VerifySignature;
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
        let parent = pool
            .iter()
            .filter(|candidate| could_have_signed(candidate, below))
            // A loop of cross-signs leads nowhere.
            .filter(|candidate| candidate.der() != certificate.der() && !chain.contains(candidate))
            .max_by_key(|candidate| (is_root(candidate), candidate.validity().not_after()));
        let Some(parent) = parent else { break };
        chain.push(parent);
        below = parent;
    }
    chain
}

/// The ways from `certificate` to a root: for each, the certificates above it, the root last. The first is the one to
/// prefer. Where no way ends at a root, there is one that goes as far as it can; there is always at least one.
///
/// `parents` is asked for the certificates that may have signed one, those to prefer first; names, key identifiers and
/// signatures are compared here. Roots are preferred to other certificates, then those that end last.
///
/// # Errors
///
/// What `parents` says.
pub fn paths_of<E>(
    certificate: &Certificate,
    verifier: &dyn VerifySignature,
    parents: impl FnMut(&Certificate) -> Result<Vec<Certificate>, E>,
) -> Result<Vec<Vec<Certificate>>, E> {
    let mut search =
        Search { verifier, parents, complete: Vec::new(), furthest: Vec::new(), signatures: MAX_SIGNATURES };
    let mut above = Vec::new();
    search.walk(certificate, &mut above)?;
    if search.complete.is_empty() {
        search.complete.push(search.furthest);
    }
    Ok(search.complete)
}

struct Search<'a, P> {
    verifier: &'a dyn VerifySignature,
    parents: P,
    complete: Vec<Vec<Certificate>>,
    furthest: Vec<Certificate>,
    /// How many signatures may still be verified.
    signatures: usize,
}

impl<P> Search<'_, P> {
    fn walk<E>(&mut self, below: &Certificate, above: &mut Vec<Certificate>) -> Result<(), E>
    where
        P: FnMut(&Certificate) -> Result<Vec<Certificate>, E>,
    {
        if is_root(below) {
            if self.complete.len() < MAX_PATHS {
                self.complete.push(above.clone());
            }
            return Ok(());
        }
        if above.len() > self.furthest.len() {
            self.furthest.clone_from(above);
        }
        if above.len() >= MAX_DEPTH || self.complete.len() >= MAX_PATHS {
            return Ok(());
        }
        let mut candidates = (self.parents)(below)?;
        candidates.retain(|candidate| could_have_signed(candidate, below));
        candidates.sort_by_key(|candidate| Reverse((is_root(candidate), candidate.validity().not_after())));
        for (position, candidate) in candidates.iter().enumerate() {
            // The same certificate from two places is one; a loop of cross-signs leads nowhere.
            let seen = candidates.iter().take(position).any(|other| other.der() == candidate.der());
            let authority = candidate.authority();
            if seen || authority == below.authority() || above.iter().any(|m| m.authority() == authority) {
                continue;
            }
            let Some(left) = self.signatures.checked_sub(1) else { break };
            self.signatures = left;
            if below.verify_signature(candidate.public_key(), self.verifier).is_err() {
                continue;
            }
            above.push(candidate.clone());
            self.walk(candidate, above)?;
            above.pop();
        }
        Ok(())
    }
}

/// RFC 5280 6.1.3 (a)(4), and the key identifiers of 4.2.1.1 where both are there.
fn could_have_signed(candidate: &Certificate, below: &Certificate) -> bool {
    candidate.subject().matches(below.issuer())
        && match (below.authority_key_identifier(), candidate.subject_key_identifier()) {
            (Some(wanted), Some(theirs)) => wanted == theirs,
            _ => true,
        }
}

/// More levels than any hierarchy has; what a loop of cross-signs could add is cut off here.
const MAX_DEPTH: usize = 10;
/// A CA that is cross-signed by eight others, and theirs once more, would reach it.
const MAX_PATHS: usize = 16;
/// Verifying signatures is what building paths costs. Without a bound, a few certificates that all bear one name make
/// it cost the product of their numbers at each level.
const MAX_SIGNATURES: usize = 128;

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
