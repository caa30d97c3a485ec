//! Authorities: what serials, revocations, CRLs and OCSP answers belong to.

use core::fmt;

use sha2::{Digest, Sha256};

/// An authority: a subject name together with a public key.
///
/// Several issuer certificates may speak for one authority (cross-signed, or issued again); they share one CRL,
/// byte for byte. A CA with a new key is another authority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityId([u8; 32]);

impl AuthorityId {
    /// The authority of this subject (DER of the Name) and this key (DER of the SubjectPublicKeyInfo).
    pub fn new(subject_der: &[u8], public_key_der: &[u8]) -> Self {
        // Both parts are DER, which says its own length: no separator is needed to keep them apart.
        Self(Sha256::new().chain_update(subject_der).chain_update(public_key_der).finalize().into())
    }

    /// An identifier that was computed before, such as one read from a store.
    pub const fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// SHA-256 over subject and public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The first 8 octets in hexadecimal: enough to tell the authorities of one store apart.
impl fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorityId({self})")
    }
}
