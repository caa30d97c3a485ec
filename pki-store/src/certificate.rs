//! Issued certificates: a compact row each, with or without the DER.

use pki_core::authority::AuthorityId;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use crate::id::{IssuerId, MountId};
use crate::revocation::Revocation;
use crate::role::RoleVersion;

/// What the store keeps about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Unique within its authority.
    pub serial: SerialNumber,
    /// Whose certificate it is.
    pub authority: AuthorityId,
    /// The issuer that signed, or was to sign, it.
    pub issuer: IssuerId,
    /// The mount it was issued in.
    pub mount: MountId,
    /// The role that permitted it; `None` for CA certificates.
    pub role: Option<RoleVersion>,
    /// Who asked.
    pub requester: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject alternative names as text. Found by search, like the common name.
    pub names: Vec<String>,
    /// First second of validity.
    pub not_before: UnixTime,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// When it was reserved or inserted.
    pub issued_at: UnixTime,
    /// SHA-256 over the TBSCertificate, fixed before the signature.
    pub tbs_digest: [u8; 32],
    /// SHA-256 over the SubjectPublicKeyInfo.
    pub key_digest: [u8; 32],
}

/// How far a certificate got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// The row is there and the signature may or may not exist: to be treated as signed.
    Reserved,
    /// Signed and acknowledged.
    Issued,
}

/// What a certificate is at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Issued, not revoked, not past its notAfter.
    Valid,
    /// Past its notAfter and not revoked.
    Expired,
    /// Revoked, whatever its dates say.
    Revoked,
    /// Reserved, and neither revoked nor expired.
    Reserved,
}

impl CertificateStatus {
    /// The status as commands spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Reserved => "reserved",
        }
    }

    /// Reads what [`CertificateStatus::name`] gives.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Valid, Self::Expired, Self::Revoked, Self::Reserved]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl core::fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A row of the list of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateRow {
    /// The row's growing number, unique in the store.
    pub id: u64,
    /// What was stored.
    pub record: CertificateRecord,
    /// How far it got.
    pub state: CertificateState,
    /// SHA-256 over the whole certificate: its fingerprint, once it is issued.
    pub fingerprint: Option<[u8; 32]>,
    /// Its revocation, if any.
    pub revocation: Option<Revocation>,
}

impl CertificateRow {
    /// What the certificate is at `now`.
    pub fn status(&self, now: UnixTime) -> CertificateStatus {
        if self.revocation.is_some() {
            CertificateStatus::Revoked
        } else if self.record.not_after < now {
            CertificateStatus::Expired
        } else {
            match self.state {
                CertificateState::Reserved => CertificateStatus::Reserved,
                CertificateState::Issued => CertificateStatus::Valid,
            }
        }
    }
}

/// A certificate's row with its DER.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCertificate {
    /// The row.
    pub row: CertificateRow,
    /// The certificate; `None` while it is reserved, or where the role keeps the row only.
    pub der: Option<Vec<u8>>,
}

/// Which names match. Letter case never matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// The whole name. Costs one look per 2 048 certificates.
    Exact(String),
    /// Names that end so: `.example.com` finds all below it. Costs the same plus what it finds.
    Suffix(String),
    /// Names with this inside. Reads every name.
    Contains(String),
}

impl NameMatch {
    /// Whether a name matches.
    pub(crate) fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self {
            Self::Exact(wanted) => name == wanted.to_lowercase(),
            Self::Suffix(wanted) => name.ends_with(&wanted.to_lowercase()),
            Self::Contains(wanted) => name.contains(&wanted.to_lowercase()),
        }
    }
}

/// Which certificates. An empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFilter {
    /// Issued in this mount.
    pub mount: Option<MountId>,
    /// Of this authority.
    pub authority: Option<AuthorityId>,
    /// Signed by this issuer.
    pub issuer: Option<IssuerId>,
    /// Permitted by this role, at any revision.
    pub role: Option<crate::id::RoleId>,
    /// Asked for by this requester.
    pub requester: Option<String>,
    /// With a common name or alternative name that matches.
    pub name: Option<NameMatch>,
    /// With this key: SHA-256 over the SubjectPublicKeyInfo. Costs one look per 2 048 certificates.
    pub key_digest: Option<[u8; 32]>,
    /// With this status.
    pub status: Option<CertificateStatus>,
    /// With notAfter at or before this time, and not yet past: what expires within a window.
    pub expires_by: Option<UnixTime>,
}
