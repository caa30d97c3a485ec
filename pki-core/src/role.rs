//! Roles: named policy, who may have which certificate.
//!
//! [`RoleConfig`] is what was written, field by field under Vault's names; [`Role`] is what was accepted. Asking goes
//! in a fixed order: key, names, subject, usages, lifetime. Each rule leaves a line in the decision trace.

mod config;
#[cfg(feature = "serde")]
mod document;
mod keys;
mod lifetime;
mod names;
mod policies;
mod subject;
mod usage;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::config::{
    KeyReuse, NotBeforeBound, RoleComplaint, RoleConfig, RoleConfigError, RoleKeyType, RoleNotAfterBehavior,
    Storage,
};
#[cfg(feature = "serde")]
pub use self::document::{RoleDocument, RoleDocumentError};
pub use self::lifetime::Limits;
pub use self::policies::PolicyIdentifier;

use self::keys::KeyPolicy;
use self::names::NamePolicy;
use crate::csr::CertificationRequest;
use crate::explain::{DecisionTrace, No, Refusal, Remedy, RuleId, Warning};
use crate::issue::{AskedLifetime, AskedNames, IssueRequest, Permitted, SignRequest};
use crate::key::{KeyAlgorithm, KeyType, PublicKey};
use crate::name::{AttributeType, GeneralName};
use crate::oid;
use crate::profile::{ExtendedKeyUsage, Profile};
use crate::tbs::RevocationPointers;
use crate::time::UnixTime;

/// A role whose every field was checked.
#[derive(Clone, Debug)]
pub struct Role {
    config: RoleConfig,
    keys: KeyPolicy,
    names: NamePolicy,
    subject: Vec<(AttributeType, Vec<String>)>,
    key_usages: usage::KeyUsagePolicy,
    extended_key_usages: Vec<ExtendedKeyUsage>,
    not_after: Option<UnixTime>,
}

impl Role {
    /// Checks a configuration, with every complaint at once.
    ///
    /// # Errors
    ///
    /// [`RoleConfigError`] lists each field that cannot be, and what it could be.
    pub fn new(config: RoleConfig) -> Result<Self, RoleConfigError> {
        config::accept(config)
    }

    /// The configuration as accepted, with every default resolved.
    pub const fn config(&self) -> &RoleConfig {
        &self.config
    }

    /// What is kept of a certificate that this role permits.
    pub const fn storage(&self) -> Storage {
        self.config.storage
    }

    /// Asks every rule about a request for which we generate the key.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no.
    pub fn permit(
        &self,
        request: IssueRequest,
        limits: &Limits,
        now: UnixTime,
    ) -> Result<Permitted<KeyAlgorithm>, Refusal> {
        let mut trace = DecisionTrace::with_capacity(8);
        let mut warnings = Vec::new();
        let IssueRequest { names, lifetime, key } = request;
        let key = match self.keys.generate(key, &mut warnings) {
            Ok(key) => key,
            Err(no) => return Err(trace.refuse(no)),
        };
        trace.permit(RuleId::KEY_TYPE, key.key_type().as_str());
        self.conclude(names, None, lifetime, key.key_type(), key, limits, now, trace, warnings)
    }

    /// Asks every rule about a CSR.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no.
    pub fn permit_csr(
        &self,
        request: SignRequest,
        limits: &Limits,
        now: UnixTime,
    ) -> Result<Permitted<PublicKey>, Refusal> {
        let mut trace = DecisionTrace::with_capacity(8);
        let mut warnings = Vec::new();
        let SignRequest { csr, names, lifetime } = request;
        let key = csr.public_key();
        if let Err(no) = self.keys.certify(key) {
            return Err(trace.refuse(no));
        }
        let key_type = key.key_type();
        trace.permit(RuleId::KEY_TYPE, key_type.as_str());
        let names = self.names_of_csr(&csr, names, &mut warnings);
        let serial_number = csr.subject_serial_numbers().into_iter().next();
        let key = csr.into_public_key();
        self.conclude(names, serial_number, lifetime, key_type, key, limits, now, trace, warnings)
    }

    /// The rules that follow the key, which both doors share.
    #[expect(clippy::too_many_arguments, reason = "one private step that both doors end in")]
    fn conclude<K>(
        &self,
        names: AskedNames,
        serial_number: Option<String>,
        lifetime: AskedLifetime,
        key_type: KeyType,
        key: K,
        limits: &Limits,
        now: UnixTime,
        mut trace: DecisionTrace,
        mut warnings: Vec<Warning>,
    ) -> Result<Permitted<K>, Refusal> {
        let granted = match self.names.permit(&self.config, &names, &mut trace) {
            Ok(granted) => granted,
            Err(no) => return Err(trace.refuse(no)),
        };
        let subject =
            match self.permit_subject(names.common_name.as_ref(), serial_number, &granted, &mut trace) {
                Ok(subject) => subject,
                Err(no) => return Err(trace.refuse(no)),
            };
        if granted.is_empty() {
            warnings.push(Warning::NoAlternativeName);
        }
        let key_usages = match self.key_usages.permit(key_type, &mut warnings) {
            Ok(usages) => usages,
            Err(no) => return Err(trace.refuse(no)),
        };
        let validity = match self.permit_lifetime(lifetime, limits, now, &mut warnings) {
            Ok(validity) => validity,
            Err(no) => return Err(trace.refuse(no)),
        };
        trace.permit(RuleId::LIFETIME_ORDER, "");
        Ok(Permitted {
            subject,
            alternative_names: granted,
            key,
            profile: Profile::EndEntity { key_usages, extended_key_usages: self.extended_key_usages.clone() },
            validity,
            signature_bits: self.config.signature_bits,
            revocation: match self.config.storage {
                Storage::Full | Storage::Index => RevocationPointers::Endpoints,
                Storage::None => RevocationPointers::NoneAvailable,
            },
            warnings,
            trace,
        })
    }

    /// Which names count: the CSR's own, or those given beside it.
    fn names_of_csr(
        &self,
        csr: &CertificationRequest,
        beside: AskedNames,
        warnings: &mut Vec<Warning>,
    ) -> AskedNames {
        let AskedNames { common_name, common_name_in_sans, alternative_names } = beside;
        let csr_name = csr.common_name().and_then(|name| crate::issue::CommonName::parse(&name).ok());
        let common_name = match (self.config.use_csr_common_name, csr_name) {
            (true, Some(from_csr)) => {
                if common_name.is_some_and(|given| given != from_csr) {
                    warnings.push(Warning::BesideCsr { field: "common_name", switch: "use_csr_common_name" });
                }
                Some(from_csr)
            }
            (true, None) | (false, _) => common_name,
        };
        let alternative_names = if self.config.use_csr_sans {
            if alternative_names.iter().any(|name| !csr.alternative_names().contains(name)) {
                warnings.push(Warning::BesideCsr { field: "alt_names", switch: "use_csr_sans" });
            }
            csr.alternative_names().to_vec()
        } else {
            alternative_names
        };
        // Nothing of a CSR is honoured but key and names; what a requester might rely on is said.
        for (id, name) in [
            (oid::BASIC_CONSTRAINTS, "basic constraints"),
            (oid::KEY_USAGE, "a key usage"),
            (oid::EXTENDED_KEY_USAGE, "an extended key usage"),
        ] {
            if csr.asks_for(id) {
                warnings.push(Warning::CsrExtensionIgnored { extension: name.to_string() });
            }
        }
        AskedNames { common_name, common_name_in_sans, alternative_names }
    }
}

/// A certificate names somebody; without a subject, that is an alternative name.
fn nobody(granted: &[GeneralName]) -> Result<(), No> {
    if granted.is_empty() {
        return Err(No {
            rule: RuleId::SUBJECT_NOBODY,
            value: String::new(),
            reason: "the certificate would name nobody: it has neither a subject nor an alternative name"
                .to_string(),
            remedy: Remedy::Request(
                "ask for a name: --common-name, --alt-names, --ip-sans or --uri-sans".to_string(),
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
