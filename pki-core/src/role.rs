//! Roles: named policy, who may have which certificate.
//!
//! [`RoleConfig`] is what was written, field by field under Vault's names; [`Role`] is what was accepted. Asking goes
//! in Vault's order, which `Role::conclude` states. Issuing stops at the first "no"; explaining notes every answer.

mod addresses;
mod config;
mod csr;
mod defaults;
#[cfg(feature = "serde")]
mod document;
mod domains;
mod extensions;
mod keys;
mod lifetime;
mod list;
mod names;
mod other_names;
mod pattern;
mod policies;
mod remedy;
mod subject;
mod template;
mod uris;
mod usage;
mod waivers;

use alloc::string::String;
use alloc::vec::Vec;

pub use self::config::{
    KeyReuse, NotBeforeBound, RoleComplaint, RoleConfig, RoleConfigError, RoleKeyType, RoleNotAfterBehavior,
    Storage,
};
pub use self::defaults::LooseDefault;
#[cfg(feature = "serde")]
pub use self::document::{RoleDocument, RoleDocumentError};
pub use self::lifetime::Limits;
pub(crate) use self::lifetime::{Beginning, Terms};
pub use self::policies::PolicyIdentifier;

use self::keys::KeyPolicy;
use self::names::NamePolicy;
use crate::csr::CertificationRequest;
use crate::explain::{Explanation, Inquiry, No, Refusal, Warning};
use crate::extension::{Extension, PolicyInformation};
use crate::hierarchy::{IssuerChain, Proposal};
use crate::identity::Identity;
use crate::issue::{
    AskedLifetime, AskedNames, CommonName, CommonNameInSans, IssueRequest, Permitted, SignRequest,
};
use crate::key::{KeyAlgorithm, KeyType, PublicKey};
use crate::lint::LintWaiver;
use crate::name::{AttributeType, DistinguishedName, GeneralName};
use crate::profile::{ExtendedKeyUsage, KeyUsages, NoAuthority, Profile};
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
    dates: lifetime::Dates,
    policies: Vec<PolicyInformation>,
    waivers: Vec<LintWaiver>,
    extensions: extensions::ExtensionPolicy,
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
        let profile = self
            .profile(draft.key_usages.as_ref().copied().unwrap_or(KeyUsages::NONE), draft.purposes.clone());
        let proposal = Proposal {
            subject: draft.subject.as_ref().ok(),
            alternative_names: &draft.alternative_names,
            validity: draft.validity.as_ref().ok().copied(),
            profile: &profile,
            policies: &self.policies,
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
        let IssueRequest { names, not_before, lifetime, key, extensions, identity } = request;
        let mut warnings = Vec::new();
        let key = self.keys.generate(*key, &mut warnings, inquiry);
        let key_type = key.as_ref().map(|key| key.key_type()).map_err(Clone::clone);
        let asked = Asked {
            names,
            identity: identity.as_ref(),
            not_before: *not_before,
            lifetime: *lifetime,
            key_type,
            extensions: extensions.clone(),
            csr: None,
        };
        self.conclude(asked, key, limits, now, inquiry, warnings)
    }

    fn consider_csr(
        &self,
        request: &SignRequest,
        limits: &Limits,
        now: UnixTime,
        inquiry: &mut Inquiry,
    ) -> Draft<()> {
        let SignRequest { csr, names, not_before, lifetime, extensions, identity, key_history } = request;
        let mut warnings = Vec::new();
        let key = csr.public_key();
        let certified = self.keys.certify(key, *key_history, inquiry);
        let names = &self.names_of_csr(csr, names, &mut warnings);
        let key_type = Ok(key.key_type());
        let asked = Asked {
            names,
            identity: identity.as_ref(),
            not_before: *not_before,
            lifetime: *lifetime,
            key_type,
            extensions: self.extensions_of_csr(csr, extensions, &mut warnings),
            csr: Some(csr),
        };
        self.conclude(asked, certified, limits, now, inquiry, warnings)
    }

    /// The rules that follow the key, which both doors share, in Vault's order: common name, the subject's serialNumber,
    /// alternative names kind by kind, lifetime, user ids; then what Vault lacks: somebody is named, and the key can do
    /// something. What one of them refuses does not keep the others from being asked, unless they need its answer.
    fn conclude<K>(
        &self,
        asked: Asked<'_>,
        key: Result<K, No>,
        limits: &Limits,
        now: UnixTime,
        inquiry: &mut Inquiry,
        mut warnings: Vec<Warning>,
    ) -> Draft<K> {
        let Asked { names, identity, not_before, lifetime, key_type, mut extensions, csr } = asked;
        let whole_subject = csr.filter(|_| self.config.use_csr_subject).map(CertificationRequest::subject);
        let own = self.names.own(&self.config, identity);
        let derived = self.names.ask_common_name(&self.config, &own, names, inquiry);
        for common_name in whole_subject.map(further_common_names).unwrap_or_default() {
            self.names.ask_common_name(&self.config, &own, &common_name, inquiry);
        }
        self.ask_serial_numbers(&names.subject_serial_numbers, inquiry);
        let alternative_names =
            self.names.ask_alternative_names(&self.config, &own, derived, &names.alternative_names, inquiry);
        let validity = self.permit_lifetime(not_before, lifetime, limits, now, &mut warnings, inquiry);
        self.ask_user_ids(&names.user_ids, inquiry);
        let subject = match whole_subject {
            Some(subject) => self.whole_subject(subject, &alternative_names, inquiry),
            None => self.compose_subject(names, &alternative_names, inquiry),
        };
        if alternative_names.is_empty() {
            warnings.push(Warning::NoAlternativeName);
        }
        let key_usages = self
            .key_usage_policy(csr, inquiry)
            .and_then(|policy| key_type.and_then(|key_type| policy.permit(key_type, &mut warnings, inquiry)));
        let purposes = self.purposes(csr, inquiry);
        self.extensions.ask(&self.config, &extensions, inquiry);
        let policies = match self.policies_of_csr(csr, inquiry) {
            Some(of_csr) => {
                extensions.push(of_csr);
                Vec::new()
            }
            None => self.policies.clone(),
        };
        if let (Some(csr), Ok(key_usages)) = (csr, &key_usages) {
            let profile = self.profile(*key_usages, purposes.clone());
            self.warn_of_differences(csr, subject.as_ref().ok(), &profile, &mut warnings);
        }
        Draft {
            subject,
            alternative_names,
            key,
            key_usages,
            purposes,
            policies,
            extensions,
            validity,
            warnings,
        }
    }

    fn profile(&self, key_usages: KeyUsages, extended_key_usages: Vec<ExtendedKeyUsage>) -> Profile {
        Profile::EndEntity {
            key_usages,
            extended_key_usages,
            no_authority: if self.config.basic_constraints_valid_for_non_ca {
                NoAuthority::Said
            } else {
                NoAuthority::Unsaid
            },
        }
    }
}

/// What a request comes down to, whichever door it came through.
struct Asked<'a> {
    names: &'a AskedNames,
    identity: Option<&'a Identity>,
    not_before: Option<UnixTime>,
    lifetime: AskedLifetime,
    key_type: Result<KeyType, No>,
    extensions: Vec<Extension>,
    csr: Option<&'a CertificationRequest>,
}

/// The common names of a subject that is taken whole, but for the last, which is the one that counts.
fn further_common_names(subject: &DistinguishedName) -> Vec<AskedNames> {
    let mut names = subject.values(AttributeType::CommonName);
    names.pop();
    let alone = |name: String| AskedNames {
        common_name: CommonName::parse(&name).ok(),
        common_name_in_sans: CommonNameInSans::Exclude,
        ..AskedNames::default()
    };
    names.into_iter().map(alone).collect()
}

/// What a role would grant, as far as its rules agree.
struct Draft<K> {
    subject: Result<DistinguishedName, No>,
    alternative_names: Vec<GeneralName>,
    key: Result<K, No>,
    key_usages: Result<KeyUsages, No>,
    purposes: Vec<ExtendedKeyUsage>,
    policies: Vec<PolicyInformation>,
    extensions: Vec<Extension>,
    validity: Result<Validity, No>,
    warnings: Vec<Warning>,
}

impl<K> Draft<K> {
    /// The permission, if every part is granted. That no rule refused is for the inquiry to say.
    fn grant(self, role: &Role) -> Result<Permitted<K>, No> {
        let Self {
            subject,
            alternative_names,
            key,
            key_usages,
            purposes,
            policies,
            extensions,
            validity,
            warnings,
        } = self;
        let mut waivers = role.waivers.clone();
        waivers.extend(extensions::waiver(&extensions));
        Ok(Permitted {
            subject: subject?,
            alternative_names,
            key: key?,
            profile: role.profile(key_usages?, purposes),
            policies,
            extensions,
            validity: validity?,
            rsa_scheme: keys::rsa_scheme(&role.config),
            revocation: match role.config.storage {
                Storage::Full | Storage::Index => RevocationPointers::Endpoints,
                Storage::None => RevocationPointers::NoneAvailable,
            },
            subject_key_identifier: None,
            leaf_not_after: role.config.leaf_not_after_behavior.over_the_issuers(),
            path: 0,
            waivers,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests;
