//! What an issuer is set to: usages, its word on certificates that would outlive it, its own URLs.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use pki_core::hierarchy::LeafNotAfter;
use pki_core::issuer::IssuerCertificate;
use pki_core::key::SignatureAlgorithm;
use pki_core::time::UnixTime;
use pki_store::IssuerId;
use pki_store::issuer::{IssuerRecord, IssuerSettings};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// What may be done with an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IssuerUsage {
    CrlSigning,
    IssuingCertificates,
    OcspSigning,
    ReadOnly,
}

/// The settings, as they are written into the store: every field explicit, so that a new default changes no old issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) usage: BTreeSet<IssuerUsage>,
    /// `err`, `truncate` or `permit`.
    pub(crate) leaf_not_after_behavior: String,
    pub(crate) issuing_certificates: Vec<String>,
    pub(crate) crl_distribution_points: Vec<String>,
    pub(crate) ocsp_servers: Vec<String>,
    /// What its CRLs are signed with, such as `SHA256WithRSAPSS`; empty leaves it to the issuer. Added later: its absence
    /// is the default.
    #[serde(default)]
    pub(crate) revocation_signature_algorithm: String,
    /// When it was revoked, in seconds since 1970.
    pub(crate) revoked_at: Option<u64>,
}

impl IssuerUsage {
    pub(crate) const ALL: [Self; 4] =
        [Self::CrlSigning, Self::IssuingCertificates, Self::OcspSigning, Self::ReadOnly];

    /// Vault's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CrlSigning => "crl-signing",
            Self::IssuingCertificates => "issuing-certificates",
            Self::OcspSigning => "ocsp-signing",
            Self::ReadOnly => "read-only",
        }
    }
}

impl FromStr for IssuerUsage {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|usage| usage.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            Fault::usage(
                format!("--usage {text:?} is no usage of an issuer"),
                format!("give some of {}", shown(&BTreeSet::from(Self::ALL), ", ")),
            )
        })
    }
}

impl fmt::Display for IssuerUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The usages in the order of the alphabet, as Vault has them.
pub(crate) fn shown(usage: &BTreeSet<IssuerUsage>, separator: &str) -> String {
    usage.iter().map(|usage| usage.as_str()).collect::<Vec<_>>().join(separator)
}

impl Settings {
    /// Those of an issuer that nobody has changed: everything that its key usage allows.
    pub(crate) fn new(certificate: &IssuerCertificate) -> Self {
        let mut usage = BTreeSet::from(IssuerUsage::ALL);
        if !certificate.may_sign_crls() {
            usage.remove(&IssuerUsage::CrlSigning);
        }
        Self {
            usage,
            leaf_not_after_behavior: LeafNotAfter::default().as_str().to_owned(),
            issuing_certificates: Vec::new(),
            crl_distribution_points: Vec::new(),
            ocsp_servers: Vec::new(),
            revocation_signature_algorithm: String::new(),
            revoked_at: None,
        }
    }

    /// Those of an issuer in the store.
    pub(crate) fn of(record: &IssuerRecord, certificate: &IssuerCertificate) -> Result<Self, Fault> {
        if record.settings.detail.is_empty() {
            return Ok(Self::new(certificate));
        }
        serde_json::from_slice(&record.settings.detail).map_err(|error| {
            Fault::unusable(
                format!("the settings of the issuer {} do not read: {error}", super::label(record)),
                "use the version of pki that wrote them, or restore a backup of the store",
            )
        })
    }

    /// As the store keeps them.
    pub(crate) fn stored(&self, manual_chain: Vec<IssuerId>) -> Result<IssuerSettings, Fault> {
        let detail = serde_json::to_vec(self)
            .map_err(|_| Fault::defect("the settings of an issuer do not encode as JSON"))?;
        Ok(IssuerSettings { manual_chain, detail })
    }

    /// Its word on certificates that would outlive it.
    pub(crate) fn leaf_not_after(&self) -> Result<LeafNotAfter, Fault> {
        self.leaf_not_after_behavior.parse().map_err(|error| {
            Fault::unusable(
                format!("leaf_not_after_behavior of a stored issuer: {error}"),
                "set it again: `pki issuer update NAME --leaf-not-after-behavior err`",
            )
        })
    }

    /// What its CRLs are signed with, where somebody said so.
    pub(crate) fn crl_algorithm(&self) -> Result<Option<SignatureAlgorithm>, Fault> {
        if self.revocation_signature_algorithm.is_empty() {
            return Ok(None);
        }
        SignatureAlgorithm::from_name(&self.revocation_signature_algorithm).map(Some).map_err(|error| {
            Fault::unusable(
                format!("revocation_signature_algorithm of a stored issuer: {error}"),
                "set it again: `pki issuer update NAME --revocation-signature-algorithm \"\"`",
            )
        })
    }

    /// When it was revoked.
    pub(crate) fn revoked(&self) -> Option<UnixTime> {
        self.revoked_at.and_then(UnixTime::from_secs)
    }

    /// Whether it has URLs of its own. Then the mount's do not count.
    pub(crate) const fn has_urls(&self) -> bool {
        !(self.issuing_certificates.is_empty()
            && self.crl_distribution_points.is_empty()
            && self.ocsp_servers.is_empty())
    }

    /// Refuses what the issuer is not to be used for.
    pub(crate) fn check(&self, record: &IssuerRecord, mount: &str, wanted: IssuerUsage) -> Result<(), Fault> {
        if self.usage.contains(&wanted) {
            return Ok(());
        }
        let label = super::label(record);
        if let (Some(at), IssuerUsage::IssuingCertificates) = (self.revoked(), wanted) {
            return Err(Fault::refused(
                format!("the issuer {label} was revoked at {at} and issues nothing any more [issuer.usage]"),
                format!("name another issuer: `pki --mount {mount} issuer list`"),
            ));
        }
        let mut usage = self.usage.clone();
        usage.insert(wanted);
        Err(Fault::refused(
            format!(
                "the issuer {label} is not to be used for {wanted}: its usage is {} [issuer.usage]",
                shown(&self.usage, ", ")
            ),
            format!(
                "name another issuer, or allow it: `pki --mount {mount} issuer update {label} --usage {}`",
                shown(&usage, ",")
            ),
        ))
    }
}
