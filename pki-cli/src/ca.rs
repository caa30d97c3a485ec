//! What a CA certificate is asked for with: the flags that roots and intermediates share.

mod constraints;

use std::time::Duration;

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::hierarchy::{AskedPathLength, CaRequest, DigitalSignature};
use pki_core::issue::{IssueError, Permitted};
use pki_core::key::{RsaPadding, RsaScheme};
use pki_core::name::{AttributeType, DistinguishedName, NameError};
use pki_core::profile::{ExtendedKeyUsage, KeyUsage};
use pki_core::role::Limits;
use pki_store::certificate::CertificateRecord;
use pki_store::issuer::IssuerRecord;
use pki_store::mount::Mount;
use pki_store::{IssuerId, Op};
use sha2::{Digest, Sha256};

use crate::args::list;
use crate::duration;
use crate::fault::Fault;
use crate::names::{Lifetime, Sans};
use crate::session::House;

/// The subject of a CA, attribute by attribute.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Subject {
    /// Common name of the subject
    #[arg(long, value_name = "NAME", help_heading = "Subject")]
    common_name: Option<String>,
    /// OU of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    ou: Option<Vec<String>>,
    /// O of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    organization: Option<Vec<String>>,
    /// C of the subject: two letters
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    country: Option<Vec<String>>,
    /// L of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    locality: Option<Vec<String>>,
    /// ST of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    province: Option<Vec<String>>,
    /// Street of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    street_address: Option<Vec<String>>,
    /// Postal code of the subject
    #[arg(long, value_name = "LIST", help_heading = "Subject")]
    postal_code: Option<Vec<String>>,
    /// serialNumber attribute of the subject (not the certificate's serial number)
    #[arg(long, value_name = "TEXT", help_heading = "Subject")]
    serial_number: Option<String>,
}

/// Constraints on a CA certificate.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Constraints {
    /// How far certificates are dated back [default: 30s]
    #[arg(long, value_parser = duration::parse, value_name = "DURATION", help_heading = "Validity")]
    not_before_duration: Option<Duration>,
    /// How many intermediates may follow below; -1 is no limit
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Constraints")]
    max_path_length: Option<i16>,
    /// Purposes that the CA is confined to: serverauth, clientauth, ... [default: no restriction]
    #[arg(long, value_name = "LIST", help_heading = "Constraints")]
    ext_key_usage: Option<Vec<String>>,
    /// DigitalSignature beside CertSign and CRLSign, which every CA has
    #[arg(long, value_name = "LIST", help_heading = "Constraints")]
    key_usage: Option<Vec<String>>,
    #[command(flatten)]
    names: constraints::NameConstraintFlags,
    #[command(flatten)]
    signature: SignatureScheme,
}

/// How an RSA key signs; keys of other kinds have one signature each.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct SignatureScheme {
    /// SHA-2 of an RSA key's signature: 256, 384, 512; 0 is the default
    #[arg(long, value_name = "NUMBER", help_heading = "Signature")]
    signature_bits: Option<u16>,
    /// Sign with RSA-PSS rather than PKCS#1
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = "Signature")]
    use_pss: Option<bool>,
}

impl SignatureScheme {
    /// The scheme for a key that is RSA.
    pub(crate) fn parse(self) -> Result<RsaScheme, Fault> {
        let padding = if self.use_pss.unwrap_or(false) { RsaPadding::Pss } else { RsaPadding::Pkcs1 };
        let bits = self.signature_bits.unwrap_or(0);
        RsaScheme::from_bits(padding, bits).ok_or_else(|| {
            Fault::usage(
                format!("--signature-bits {bits} is no digest of SHA-2"),
                "give 256, 384, 512, or 0 for the default",
            )
        })
    }
}

impl Subject {
    /// The name in Vault's order; `fallback` is the common name where none is given.
    pub(crate) fn name(self, fallback: Option<String>) -> Result<DistinguishedName, Fault> {
        let common_name = self.common_name.filter(|name| !name.is_empty()).or(fallback);
        let parts: [(AttributeType, Vec<String>); 9] = [
            (AttributeType::Country, list::items_or_none(self.country)),
            (AttributeType::Organization, list::items_or_none(self.organization)),
            (AttributeType::OrganizationalUnit, list::items_or_none(self.ou)),
            (AttributeType::Locality, list::items_or_none(self.locality)),
            (AttributeType::Province, list::items_or_none(self.province)),
            (AttributeType::StreetAddress, list::items_or_none(self.street_address)),
            (AttributeType::PostalCode, list::items_or_none(self.postal_code)),
            (AttributeType::CommonName, common_name.into_iter().collect()),
            (AttributeType::SerialNumber, self.serial_number.into_iter().collect()),
        ];
        DistinguishedName::new(
            parts.iter().map(|(kind, values)| values.iter().map(|value| (*kind, value.as_str()))),
        )
        .map_err(|error: NameError| Fault::usage(error.to_string(), "correct the subject's flags"))
    }
}

/// Puts the parts of a request together.
pub(crate) fn request(
    subject: DistinguishedName,
    sans: Sans,
    lifetime: Lifetime,
    constraints: Constraints,
) -> Result<CaRequest, Fault> {
    let mut request = CaRequest::new(subject);
    request.alternative_names = sans.parse()?;
    request.lifetime = lifetime.parse()?;
    constrain(&mut request, constraints)?;
    Ok(request)
}

/// Changes a request to what the flags say; what none of them names stays.
pub(crate) fn constrain(request: &mut CaRequest, constraints: Constraints) -> Result<(), Fault> {
    if let Some(backdate) = constraints.not_before_duration.filter(|d| !d.is_zero()) {
        request.not_before_duration = backdate;
    }
    request.path_length = match constraints.max_path_length {
        None => request.path_length,
        Some(-1) => AskedPathLength::Default,
        Some(length) => AskedPathLength::AtMost(u8::try_from(length).map_err(|_| {
            Fault::usage(
                format!("--max-path-length {length} is no path length"),
                "give a number from 0 to 255, or -1 for no limit",
            )
        })?),
    };
    if constraints.ext_key_usage.is_some() {
        request.extended_key_usages.clear();
    }
    for name in list::items_or_none(constraints.ext_key_usage) {
        let purpose = ExtendedKeyUsage::from_name(&name).ok_or_else(|| {
            let known: Vec<&str> = ExtendedKeyUsage::NAMED.iter().filter_map(|p| p.name()).collect();
            Fault::usage(
                format!("--ext-key-usage {name:?} is not the name of a purpose"),
                format!("give one of {}", known.join(", ")),
            )
        })?;
        request.extended_key_usages.push(purpose);
    }
    for name in list::items_or_none(constraints.key_usage) {
        match KeyUsage::from_name(&name) {
            Some(KeyUsage::CertSign | KeyUsage::CrlSign) => {}
            Some(KeyUsage::DigitalSignature) => request.digital_signature = DigitalSignature::Permit,
            _ => {
                return Err(Fault::usage(
                    format!("--key-usage {name:?} is no usage of a CA's key"),
                    "a CA has CertSign and CRLSign, and may have DigitalSignature",
                ));
            }
        }
    }
    if let Some(names) = constraints.names.parse()? {
        request.name_constraints = Some(names);
    }
    request.rsa_scheme = constraints.signature.parse()?;
    Ok(())
}

/// The mount's limits on lifetimes.
pub(crate) const fn limits(mount: &Mount) -> Limits {
    Limits { default_ttl: mount.default_lease_ttl, max_ttl: mount.max_lease_ttl }
}

/// What the store keeps about a certificate.
pub(crate) fn record<K>(
    house: &House,
    mount: &Mount,
    issuer: (IssuerId, pki_core::authority::AuthorityId),
    permitted: &Permitted<K>,
    certificate: &Certificate,
) -> CertificateRecord {
    CertificateRecord {
        serial: certificate.serial(),
        authority: issuer.1,
        issuer: issuer.0,
        mount: mount.id,
        role: None,
        requester: house.requester.clone(),
        common_name: permitted.subject().common_name(),
        names: permitted.alternative_names().iter().map(|name| name.value()).collect(),
        not_before: permitted.validity().not_before(),
        not_after: permitted.validity().not_after(),
        issued_at: house.now,
        tbs_digest: Sha256::digest(certificate.tbs_der()).into(),
        key_digest: Sha256::digest(certificate.public_key().spki_der()).into(),
    }
}

/// Keeps a finished certificate: reserved and committed in one, since the key is in this process.
pub(crate) fn insert(record: CertificateRecord, certificate: &Certificate) -> Op {
    Op::InsertCertificate {
        record,
        fingerprint: Sha256::digest(certificate.der()).into(),
        der: Some(certificate.der().to_vec()),
    }
}

/// An issuer's id and authority.
pub(crate) const fn identity(record: &IssuerRecord) -> (IssuerId, pki_core::authority::AuthorityId) {
    (record.id, record.authority)
}

/// A refusal is a rule's "no"; anything else is ours.
pub(crate) fn fault(error: IssueError, role: &str) -> Fault {
    match error {
        IssueError::Refused(refusal) => Fault::refused(refusal.to_string(), refusal.remedy().line(role)),
        IssueError::SignatureAlgorithm { .. } => {
            Fault::refused(error.to_string(), "give --signature-bits 256, 384, 512 or 0")
        }
        IssueError::Random(_) => Fault::unusable(error.to_string(), "try again"),
        IssueError::Name(_) | IssueError::Validity(_) => Fault::refused(error.to_string(), "ask for another"),
        // A role can do without a lint; a CA's certificate has no role.
        IssueError::Lint(finding) if finding.lint.is_waivable() && !role.is_empty() => Fault::refused(
            error.to_string(),
            format!(
                "ask for something else, or say why it may be so: `pki role patch {role} --lint-waivers \"{}: REASON\"`",
                finding.lint
            ),
        ),
        other => Fault::defect(other.to_string()),
    }
}
