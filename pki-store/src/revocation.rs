//! The log of revocations.

use pki_core::authority::AuthorityId;
use pki_core::revocation::{RevocationReason, RevokedCertificate};
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

/// One entry of an authority's revocation log. Entries are only added; their ids grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// Grows with each revocation in the store.
    pub id: u64,
    /// Whose certificate was revoked.
    pub authority: AuthorityId,
    /// Its serial number.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: UnixTime,
    /// Why.
    pub reason: RevocationReason,
    /// The certificate's notAfter, if it is known: until then, and a margin longer, the entry stays on the CRL.
    pub not_after: Option<UnixTime>,
}

impl Revocation {
    /// As a CRL lists it.
    pub const fn revoked_certificate(&self) -> RevokedCertificate {
        RevokedCertificate::new(self.serial, self.revoked_at, self.reason)
    }
}
