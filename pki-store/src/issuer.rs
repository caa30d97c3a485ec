//! Issuers and the authorities they speak for.

use pki_core::authority::AuthorityId;
use pki_core::certificate::Certificate;
use pki_core::name::DistinguishedName;
use pki_core::time::UnixTime;
use sha2::{Digest, Sha256};

use crate::batch::Outcome;
use crate::fields::Fields;
use crate::id::{IssuerId, KeyId, MountId};

/// An issuer to create: a CA certificate for a mount.
///
/// The store joins it with what belongs to it, in the same transaction: the mount's key with the same public
/// half, that key's pending name, the authority and its CRL signing. The outcome says what it found
/// ([`Outcome::Issuer`]). A certificate that the mount already has is not an
/// error: the outcome names the issuer that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssuer {
    /// Chosen by the caller.
    pub id: IssuerId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// Unique together with the mount's issuer names and pending names, without regard to letter case. `None`
    /// takes the pending name of its key, if there is one.
    pub name: Option<String>,
    /// DER.
    pub certificate: Vec<u8>,
    /// The subject Name, DER, byte for byte as in the certificate.
    pub subject: Vec<u8>,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// What may be changed later.
    pub settings: IssuerSettings,
}

/// What an issuer is set to; `issuer update` replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The issuers above it, itself first, if the chain is not to be found by names and keys.
    pub manual_chain: Vec<IssuerId>,
    /// Everything else, as the caller encodes it (usage, AIA URLs, `leaf_not_after_behavior`); JSON by habit.
    pub detail: Vec<u8>,
}

/// Whether this mount signs the authority's CRLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlSigning {
    /// Here.
    On,
    /// Not here: no key, or another mount of this store does (one authority signs CRLs in one mount).
    Off,
}

/// An issuer in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerRecord {
    /// Never changes.
    pub id: IssuerId,
    /// The mount it belongs to.
    pub mount: MountId,
    /// A label.
    pub name: Option<String>,
    /// DER.
    pub certificate: Vec<u8>,
    /// The authority it speaks for.
    pub authority: AuthorityId,
    /// The key it signs with, if the mount has it.
    pub key: Option<KeyId>,
    /// Whether this mount signs the authority's CRLs.
    pub crl_signing: CrlSigning,
    /// What may be changed.
    pub settings: IssuerSettings,
    /// Grows by one with each change; named by an update.
    pub revision: u64,
    /// When it was created.
    pub created_at: UnixTime,
}

/// An authority: what serials, revocations and CRLs belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorityRecord {
    /// SHA-256 over subject and public key.
    pub id: AuthorityId,
    /// The subject Name, DER.
    pub subject: Vec<u8>,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// The mount that signs its CRLs.
    pub crl_mount: Option<MountId>,
    /// The last CRL number that was handed out; zero before the first.
    pub last_crl_number: u128,
    /// The last thisUpdate that was handed out.
    pub last_this_update: Option<UnixTime>,
    /// How many revocations it has; the CRL's entries can be counted against it.
    pub revoked: u64,
    /// The id of its last revocation; zero before the first.
    pub last_revocation: u64,
}

/// Which issuers, of whatever mount: what a chain is looked up by.
///
/// Each costs a look into an index, however many issuers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerMatch {
    /// Of this authority.
    Authority(AuthorityId),
    /// Whose certificate, DER, has this SHA-256.
    Certificate([u8; 32]),
    /// Whose certificate has this SubjectKeyIdentifier.
    KeyIdentifier(Vec<u8>),
    /// With this SubjectPublicKeyInfo, DER.
    PublicKey(Vec<u8>),
    /// With this subject, DER; names compare by RFC 5280 7.1.
    Subject(Vec<u8>),
}

impl IssuerMatch {
    /// Everything that an issuer can be found by.
    pub(crate) fn all_of(certificate: &[u8], authority: &AuthorityRecord) -> impl Iterator<Item = Self> {
        let key_identifier = Certificate::from_der(certificate)
            .ok()
            .and_then(|certificate| certificate.subject_key_identifier())
            .map(|identifier| Self::KeyIdentifier(identifier.as_bytes().to_vec()));
        [
            Self::Authority(authority.id),
            Self::Certificate(Sha256::digest(certificate).into()),
            Self::PublicKey(authority.public_key.clone()),
            Self::Subject(authority.subject.clone()),
        ]
        .into_iter()
        .chain(key_identifier)
    }

    /// Whether an issuer matches.
    pub(crate) fn fits(&self, certificate: &[u8], authority: &AuthorityRecord) -> bool {
        Self::all_of(certificate, authority).any(|known| known.octets() == self.octets())
    }

    /// The kind and the value in the form that is compared.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut fields = Fields::default();
        match self {
            Self::Authority(id) => fields.tag(b'a').fixed(id.as_bytes()),
            Self::Certificate(digest) => fields.tag(b'c').fixed(digest),
            Self::KeyIdentifier(identifier) => fields.tag(b'k').octets(identifier),
            Self::PublicKey(key) => fields.tag(b'p').octets(key),
            Self::Subject(subject) => match DistinguishedName::from_der(subject) {
                Ok(name) => fields.tag(b's').octets(&name.comparison_form()),
                Err(_) => fields.tag(b'd').octets(subject),
            },
        };
        fields.into_bytes()
    }
}

impl IssuerRecord {
    pub(crate) fn outcome(&self, existing: bool, default: bool) -> Outcome {
        Outcome::Issuer {
            id: self.id,
            existing,
            name: self.name.clone(),
            key: self.key,
            crl_signing: self.crl_signing,
            default,
        }
    }

    /// What people call it.
    pub(crate) fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

impl AuthorityRecord {
    /// An authority without history.
    pub(crate) fn new(subject: &[u8], public_key: &[u8]) -> Self {
        Self {
            id: AuthorityId::new(subject, public_key),
            subject: subject.to_vec(),
            public_key: public_key.to_vec(),
            crl_mount: None,
            last_crl_number: 0,
            last_this_update: None,
            revoked: 0,
            last_revocation: 0,
        }
    }

    /// One authority signs CRLs in one mount of a store.
    pub(crate) fn crl_signing(&self, key: Option<KeyId>, mount: MountId) -> CrlSigning {
        if key.is_some() && self.crl_mount == Some(mount) { CrlSigning::On } else { CrlSigning::Off }
    }
}
