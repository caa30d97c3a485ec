//! Roles: named policy, who may have which certificate.
//!
//! [`RoleConfig`] is what was written, field by field under Vault's names; [`Role`] is what was accepted. Asking goes
//! in a fixed order: key, names, subject, usages, lifetime. Issuing stops at the first "no"; explaining notes every answer.

mod config;
mod defaults;
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
pub use self::defaults::LooseDefault;
#[cfg(feature = "serde")]
pub use self::document::{RoleDocument, RoleDocumentError};
pub use self::lifetime::Limits;
pub use self::policies::PolicyIdentifier;

use self::keys::KeyPolicy;
use self::names::NamePolicy;
use crate::csr::CertificationRequest;
use crate::explain::{Explanation, Inquiry, No, Refusal, Remedy, RuleId, Warning};
use crate::hierarchy::{IssuerChain, Proposal};
use crate::issue::{AskedLifetime, AskedNames, IssueRequest, Permitted, SignRequest};
use crate::key::{KeyAlgorithm, KeyType, PublicKey};
use crate::name::{AttributeType, DistinguishedName, GeneralName};
use crate::oid;
use crate::profile::{ExtendedKeyUsage, KeyUsages, Profile};
use crate::tbs::RevocationPointers;
use crate::time::UnixTime;
use crate::validity::Validity;

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

    /// Asks the rules about a request for which we generate the key, to the first that says no.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no, with the answers of all.
    pub fn permit(
        &self,
        request: IssueRequest,
        limits: &Limits,
        now: UnixTime,
    ) -> Result<Permitted<KeyAlgorithm>, Refusal> {
        let mut inquiry = Inquiry::brief();
        let granted = self.consider(&request, limits, now, &mut inquiry).grant(self);
        // Who is refused learns all reasons at once: the questions are put again, to the end.
        inquiry.conclude(granted).map_err(|no| {
            let mut inquiry = Inquiry::thorough();
            let _ = self.consider(&request, limits, now, &mut inquiry);
            inquiry.refuse(no)
        })
    }

    /// Asks the rules about a CSR, to the first that says no.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no, with the answers of all.
    pub fn permit_csr(
        &self,
        request: SignRequest,
        limits: &Limits,
        now: UnixTime,
    ) -> Result<Permitted<PublicKey>, Refusal> {
        let mut inquiry = Inquiry::brief();
        let granted = self.consider_csr(&request, limits, now, &mut inquiry).grant(self);
        match inquiry.conclude(granted) {
            Ok(permitted) => Ok(permitted.for_key(request.csr.into_public_key())),
            Err(no) => {
                let mut inquiry = Inquiry::thorough();
                let _ = self.consider_csr(&request, limits, now, &mut inquiry);
                Err(inquiry.refuse(no))
            }
        }
    }

    /// What [`Role::permit`] and then the issuer's chain would say, with the answer of every rule. No key is touched.
    pub fn explain(
        &self,
        request: &IssueRequest,
        chain: Option<&IssuerChain>,
        limits: &Limits,
        now: UnixTime,
    ) -> Explanation<KeyAlgorithm> {
        let mut inquiry = Inquiry::thorough();
        let draft = self.consider(request, limits, now, &mut inquiry);
        self.explain_below(draft, None, chain, inquiry)
    }

    /// The same for [`Role::permit_csr`].
    pub fn explain_csr(
        &self,
        request: &SignRequest,
        chain: Option<&IssuerChain>,
        limits: &Limits,
        now: UnixTime,
    ) -> Explanation<PublicKey> {
        let key = request.csr.public_key();
        let mut inquiry = Inquiry::thorough();
        let draft = self.consider_csr(request, limits, now, &mut inquiry);
        let Explanation { trace, outcome } = self.explain_below(draft, Some(key), chain, inquiry);
        Explanation { trace, outcome: outcome.map(|permitted| permitted.for_key(key.clone())) }
    }

    fn explain_below<K: Copy>(
        &self,
        draft: Draft<K>,
        key: Option<&PublicKey>,
        chain: Option<&IssuerChain>,
        mut inquiry: Inquiry,
    ) -> Explanation<K> {
        let profile = self.profile(draft.key_usages.as_ref().copied().unwrap_or(KeyUsages::NONE));
        let proposal = Proposal {
            subject: draft.subject.as_ref().ok(),
            alternative_names: &draft.alternative_names,
            validity: draft.validity.as_ref().ok().copied(),
            profile: &profile,
            leaf_not_after: self.config.leaf_not_after_behavior.over_the_issuers(),
        };
        // Without an issuer there is nobody to ask.
        if let Some(chain) = chain {
            if let Some(key) = key {
                let _ = chain.ask_key(key, &mut inquiry);
            }
            let _ = chain.ask(&proposal, &mut inquiry);
        }
        let outcome = inquiry.conclude(draft.grant(self));
        let trace = inquiry.into_trace();
        // What the chain grants otherwise than the role is in the outcome too.
        let outcome = match (outcome, chain) {
            (Ok(permitted), Some(chain)) => chain.permit(permitted),
            (Ok(permitted), None) => Ok(permitted),
            (Err(no), _) => Err(Refusal::new(no, trace.clone())),
        };
        Explanation { trace, outcome }
    }

    fn consider(
        &self,
        request: &IssueRequest,
        limits: &Limits,
        now: UnixTime,
        inquiry: &mut Inquiry,
    ) -> Draft<KeyAlgorithm> {
        let IssueRequest { names, lifetime, key } = request;
        let mut warnings = Vec::new();
        let key = self.keys.generate(*key, &mut warnings, inquiry);
        let key_type = key.as_ref().map(|key| key.key_type()).map_err(Clone::clone);
        self.conclude(names, None, *lifetime, key_type, key, limits, now, inquiry, warnings)
    }

    fn consider_csr(
        &self,
        request: &SignRequest,
        limits: &Limits,
        now: UnixTime,
        inquiry: &mut Inquiry,
    ) -> Draft<()> {
        let SignRequest { csr, names, lifetime } = request;
        let mut warnings = Vec::new();
        let key = csr.public_key();
        let certified = self.keys.certify(key, inquiry);
        let names = self.names_of_csr(csr, names, &mut warnings);
        let serial_number = csr.subject_serial_numbers().into_iter().next();
        let key_type = Ok(key.key_type());
        self.conclude(&names, serial_number, *lifetime, key_type, certified, limits, now, inquiry, warnings)
    }

    /// The rules that follow the key, which both doors share. What one of them refuses does not keep the others from
    /// being asked, unless they need its answer.
    #[expect(clippy::too_many_arguments, reason = "one private step that both doors end in")]
    fn conclude<K>(
        &self,
        names: &AskedNames,
        serial_number: Option<String>,
        lifetime: AskedLifetime,
        key_type: Result<KeyType, No>,
        key: Result<K, No>,
        limits: &Limits,
        now: UnixTime,
        inquiry: &mut Inquiry,
        mut warnings: Vec<Warning>,
    ) -> Draft<K> {
        let alternative_names = self.names.permit(&self.config, names, inquiry);
        let subject =
            self.permit_subject(names.common_name.as_ref(), serial_number, &alternative_names, inquiry);
        if alternative_names.is_empty() {
            warnings.push(Warning::NoAlternativeName);
        }
        let key_usages =
            key_type.and_then(|key_type| self.key_usages.permit(key_type, &mut warnings, inquiry));
        let validity = self.permit_lifetime(lifetime, limits, now, &mut warnings, inquiry);
        Draft { subject, alternative_names, key, key_usages, validity, warnings }
    }

    fn profile(&self, key_usages: KeyUsages) -> Profile {
        Profile::EndEntity { key_usages, extended_key_usages: self.extended_key_usages.clone() }
    }

    /// Which names count: the CSR's own, or those given beside it.
    fn names_of_csr(
        &self,
        csr: &CertificationRequest,
        beside: &AskedNames,
        warnings: &mut Vec<Warning>,
    ) -> AskedNames {
        let AskedNames { common_name, common_name_in_sans, alternative_names } = beside.clone();
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

/// What a role would grant, as far as its rules agree.
struct Draft<K> {
    subject: Result<DistinguishedName, No>,
    alternative_names: Vec<GeneralName>,
    key: Result<K, No>,
    key_usages: Result<KeyUsages, No>,
    validity: Result<Validity, No>,
    warnings: Vec<Warning>,
}

impl<K> Draft<K> {
    /// The permission, if every part is granted. That no rule refused is for the inquiry to say.
    fn grant(self, role: &Role) -> Result<Permitted<K>, No> {
        let Self { subject, alternative_names, key, key_usages, validity, warnings } = self;
        Ok(Permitted {
            subject: subject?,
            alternative_names,
            key: key?,
            profile: role.profile(key_usages?),
            validity: validity?,
            rsa_scheme: keys::rsa_scheme(&role.config),
            revocation: match role.config.storage {
                Storage::Full | Storage::Index => RevocationPointers::Endpoints,
                Storage::None => RevocationPointers::NoneAvailable,
            },
            subject_key_identifier: None,
            leaf_not_after: role.config.leaf_not_after_behavior.over_the_issuers(),
            path: 0,
            warnings,
        })
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
