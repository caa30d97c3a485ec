//! Roles: named policy, who may have which certificate.
//!
//! [`RoleConfig`] is what was written, field by field under Vault's names; [`Role`] is what was accepted. Asking goes
//! in Vault's order, which `Role::conclude` states. Issuing stops at the first "no"; explaining notes every answer.

mod addresses;
mod config;
mod defaults;
#[cfg(feature = "serde")]
mod document;
mod domains;
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
pub(crate) use self::lifetime::{Beginning, Terms};
pub use self::policies::PolicyIdentifier;

use self::keys::KeyPolicy;
use self::names::NamePolicy;
use crate::csr::CertificationRequest;
use crate::explain::{Explanation, Inquiry, No, Refusal, Warning};
use crate::extension::PolicyInformation;
use crate::hierarchy::{IssuerChain, Proposal};
use crate::identity::Identity;
use crate::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest, Permitted, SignRequest};
use crate::key::{KeyAlgorithm, KeyType, PublicKey};
use crate::lint::LintWaiver;
use crate::name::{AttributeType, DistinguishedName, GeneralName};
use crate::oid;
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
        let IssueRequest { names, not_before, lifetime, key, identity } = request;
        let mut warnings = Vec::new();
        let key = self.keys.generate(*key, &mut warnings, inquiry);
        let key_type = key.as_ref().map(|key| key.key_type()).map_err(Clone::clone);
        let asked = Asked {
            names,
            identity: identity.as_ref(),
            not_before: *not_before,
            lifetime: *lifetime,
            key_type,
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
        let SignRequest { csr, names, not_before, lifetime, identity } = request;
        let mut warnings = Vec::new();
        let key = csr.public_key();
        let certified = self.keys.certify(key, inquiry);
        let names = &self.names_of_csr(csr, names, &mut warnings);
        let key_type = Ok(key.key_type());
        let asked = Asked {
            names,
            identity: identity.as_ref(),
            not_before: *not_before,
            lifetime: *lifetime,
            key_type,
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
        let Asked { names, identity, not_before, lifetime, key_type } = asked;
        let own = self.names.own(&self.config, identity);
        let derived = self.names.ask_common_name(&self.config, &own, names, inquiry);
        self.ask_serial_numbers(&names.subject_serial_numbers, inquiry);
        let alternative_names =
            self.names.ask_alternative_names(&self.config, &own, derived, &names.alternative_names, inquiry);
        let validity = self.permit_lifetime(not_before, lifetime, limits, now, &mut warnings, inquiry);
        self.ask_user_ids(&names.user_ids, inquiry);
        let subject = self.compose_subject(names, &alternative_names, inquiry);
        if alternative_names.is_empty() {
            warnings.push(Warning::NoAlternativeName);
        }
        let key_usages =
            key_type.and_then(|key_type| self.key_usages.permit(key_type, &mut warnings, inquiry));
        Draft { subject, alternative_names, key, key_usages, validity, warnings }
    }

    fn profile(&self, key_usages: KeyUsages) -> Profile {
        Profile::EndEntity {
            key_usages,
            extended_key_usages: self.extended_key_usages.clone(),
            no_authority: if self.config.basic_constraints_valid_for_non_ca {
                NoAuthority::Said
            } else {
                NoAuthority::Unsaid
            },
        }
    }

    /// Which names count: the CSR's own, or those given beside it.
    fn names_of_csr(
        &self,
        csr: &CertificationRequest,
        beside: &AskedNames,
        warnings: &mut Vec<Warning>,
    ) -> AskedNames {
        let AskedNames {
            common_name,
            common_name_in_sans,
            alternative_names,
            subject_serial_numbers,
            user_ids,
        } = beside.clone();
        let common_name = self.common_name_of_csr(csr, common_name, warnings);
        let alternative_names = self.alternative_names_of_csr(csr, alternative_names, warnings);
        // Vault's rule for these two: what is given beside the CSR wins, whatever the role says.
        let subject_serial_numbers =
            beside_or(subject_serial_numbers, csr.subject_serial_numbers(), "serialNumber", warnings);
        let user_ids = beside_or(user_ids, csr.user_ids(), "user ids", warnings);
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
        AskedNames { common_name, common_name_in_sans, alternative_names, subject_serial_numbers, user_ids }
    }

    fn common_name_of_csr(
        &self,
        csr: &CertificationRequest,
        beside: Option<CommonName>,
        warnings: &mut Vec<Warning>,
    ) -> Option<CommonName> {
        let of_csr = csr.common_name().and_then(|name| CommonName::parse(&name).ok());
        let (taken, ignored) = match (self.config.use_csr_common_name, of_csr, beside) {
            (true, Some(of_csr), beside) => {
                if beside.is_some_and(|beside| beside != of_csr) {
                    warnings.push(Warning::BesideCsr { field: "common_name", switch: "use_csr_common_name" });
                }
                (Some(of_csr), None)
            }
            (true, None, beside) => (beside, None),
            (false, of_csr, beside) => (beside, of_csr),
        };
        if let Some(ignored) = ignored.filter(|ignored| taken.as_ref() != Some(ignored)) {
            let part = alloc::format!("common name {:?}", ignored.as_str());
            warnings.push(Warning::CsrPartIgnored { part, switch: "use_csr_common_name" });
        }
        taken
    }

    /// The CSR's names or those beside it; other names are taken from both, as Vault does.
    fn alternative_names_of_csr(
        &self,
        csr: &CertificationRequest,
        mut beside: Vec<GeneralName>,
        warnings: &mut Vec<Warning>,
    ) -> Vec<GeneralName> {
        let of_csr = csr.alternative_names();
        if !self.config.use_csr_sans {
            let ignored: Vec<String> =
                of_csr.iter().filter(|name| !beside.contains(name)).map(ToString::to_string).collect();
            if !ignored.is_empty() {
                let part = alloc::format!("alternative names {}", ignored.join(", "));
                warnings.push(Warning::CsrPartIgnored { part, switch: "use_csr_sans" });
            }
            return beside;
        }
        let mut names = of_csr.to_vec();
        beside.retain(|name| !names.contains(name));
        for name in beside {
            let field = match name {
                GeneralName::OtherName(_) => {
                    names.push(name);
                    continue;
                }
                GeneralName::Ip(_) => "ip_sans",
                GeneralName::Uri(_) => "uri_sans",
                _ => "alt_names",
            };
            let warning = Warning::BesideCsr { field, switch: "use_csr_sans" };
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        names
    }
}

/// What a request comes down to, whichever door it came through.
struct Asked<'a> {
    names: &'a AskedNames,
    identity: Option<&'a Identity>,
    not_before: Option<UnixTime>,
    lifetime: AskedLifetime,
    key_type: Result<KeyType, No>,
}

/// Values given beside a CSR, else the CSR's own.
fn beside_or(
    beside: Vec<String>,
    of_csr: Vec<String>,
    what: &'static str,
    warnings: &mut Vec<Warning>,
) -> Vec<String> {
    if beside.is_empty() {
        return of_csr;
    }
    let ignored: Vec<String> = of_csr.into_iter().filter(|value| !beside.contains(value)).collect();
    if !ignored.is_empty() {
        warnings.push(Warning::CsrValueReplaced { part: alloc::format!("{what} {}", ignored.join(", ")) });
    }
    beside
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
            policies: role.policies.clone(),
            validity: validity?,
            rsa_scheme: keys::rsa_scheme(&role.config),
            revocation: match role.config.storage {
                Storage::Full | Storage::Index => RevocationPointers::Endpoints,
                Storage::None => RevocationPointers::NoneAvailable,
            },
            subject_key_identifier: None,
            leaf_not_after: role.config.leaf_not_after_behavior.over_the_issuers(),
            path: 0,
            waivers: role.waivers.clone(),
            warnings,
        })
    }
}

#[cfg(test)]
mod tests;
