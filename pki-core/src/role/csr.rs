//! What a role takes from a CSR, and what it says about the rest.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Role;
use super::usage::KeyUsagePolicy;
use crate::csr::CertificationRequest;
use crate::explain::{Inquiry, No, Remedy, RuleId, Warning};
use crate::extension::{self, BasicConstraints, Extension};
use crate::issue::{AskedNames, CommonName};
use crate::name::{AttributeType, DistinguishedName, GeneralName};
use crate::oid::{self, Oid};
use crate::profile::{ExtendedKeyUsage, KeyUsage, KeyUsages, NoAuthority, Profile};

impl Role {
    /// Which names count: the CSR's own, or those given beside it.
    pub(super) fn names_of_csr(
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
        let alternative_names = self.alternative_names_of_csr(csr, alternative_names, warnings);
        if self.config.use_csr_subject {
            let of_csr = csr.common_name().and_then(|name| CommonName::parse(&name).ok());
            let given = [
                ("common_name", common_name.is_some() && common_name != of_csr),
                (
                    "serial_number",
                    subject_serial_numbers.iter().any(|s| !csr.subject_serial_numbers().contains(s)),
                ),
                ("user_ids", user_ids.iter().any(|id| !csr.user_ids().contains(id))),
            ];
            let ignored = given.into_iter().filter(|(_, ignored)| *ignored);
            warnings
                .extend(ignored.map(|(field, _)| Warning::BesideCsr { field, switch: "use_csr_subject" }));
            return AskedNames {
                common_name: of_csr,
                common_name_in_sans,
                alternative_names,
                subject_serial_numbers: csr.subject_serial_numbers(),
                user_ids: csr.user_ids(),
            };
        }
        let common_name = self.common_name_of_csr(csr, common_name, warnings);
        // Vault's rule for these two: what is given beside the CSR wins, whatever the role says.
        let subject_serial_numbers =
            beside_or(subject_serial_numbers, csr.subject_serial_numbers(), "serialNumber", warnings);
        let user_ids = beside_or(user_ids, csr.user_ids(), "user ids", warnings);
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

    /// The extensions of the requester's own that are asked for: those given beside the CSR, and those of the CSR that
    /// the role allows. What a CSR asks for in vain is said.
    pub(super) fn extensions_of_csr(
        &self,
        csr: &CertificationRequest,
        beside: &[Extension],
        warnings: &mut Vec<Warning>,
    ) -> Vec<Extension> {
        let mut asked = beside.to_vec();
        for extension in csr.extensions() {
            if beside.iter().any(|other| other.id == extension.id) {
                warnings
                    .push(Warning::CsrValueReplaced { part: alloc::format!("extension {}", extension.id) });
                continue;
            }
            let taken = match extension::decided_by(extension.id) {
                // Names and usages have their own rules.
                Some(_) if Self::has_its_own_rule(extension.id) => continue,
                Some(_) => false,
                None => self.config.use_csr_extensions || self.extensions.allows(extension),
            };
            if taken {
                asked.push(extension.clone());
            } else if !is_own_key_identifier(csr, extension) {
                warnings.push(Warning::CsrExtensionIgnored {
                    extension: alloc::format!("the extension {}", extension.id),
                });
            }
        }
        asked
    }

    fn has_its_own_rule(id: Oid) -> bool {
        matches!(
            id.0,
            oid::SUBJECT_ALTERNATIVE_NAME
                | oid::KEY_USAGE
                | oid::EXTENDED_KEY_USAGE
                | oid::BASIC_CONSTRAINTS
                | oid::CERTIFICATE_POLICIES
        )
    }

    /// The key usages: the CSR's, where the role takes its extensions and there are any, else the role's.
    pub(super) fn key_usage_policy(
        &self,
        csr: Option<&CertificationRequest>,
        inquiry: &mut Inquiry,
    ) -> Result<KeyUsagePolicy, No> {
        let Some(asked) = self.taken(csr, oid::KEY_USAGE) else {
            return Ok(self.key_usages);
        };
        let value = || asked.id.to_string();
        let read = || extension::read_key_usages(&asked.value).map_err(|_| unreadable(asked));
        let usages = inquiry.ask(RuleId::EXTENSION_VALUE, value, read)?;
        inquiry.ask(RuleId::KEY_USAGE_END_ENTITY, || usages.to_string(), || key_usage_end_entity(usages))?;
        Ok(KeyUsagePolicy::of_csr(usages))
    }

    /// The purposes: the CSR's, where the role takes its extensions and there are any, else the role's.
    pub(super) fn purposes(
        &self,
        csr: Option<&CertificationRequest>,
        inquiry: &mut Inquiry,
    ) -> Vec<ExtendedKeyUsage> {
        let Some(asked) = self.taken(csr, oid::EXTENDED_KEY_USAGE) else {
            return self.extended_key_usages.clone();
        };
        let value = || asked.id.to_string();
        let read = || extension::read_extended_key_usages(&asked.value).map_err(|_| unreadable(asked));
        inquiry.ask(RuleId::EXTENSION_VALUE, value, read).unwrap_or_default()
    }

    /// The CSR's policies, octet for octet, where the role takes its extensions and there are any.
    pub(super) fn policies_of_csr(
        &self,
        csr: Option<&CertificationRequest>,
        inquiry: &mut Inquiry,
    ) -> Option<Extension> {
        let asked = self.taken(csr, oid::CERTIFICATE_POLICIES)?;
        let value = || asked.id.to_string();
        let read =
            || extension::read_certificate_policies(&asked.value).map(drop).map_err(|_| unreadable(asked));
        let _ = inquiry.ask(RuleId::EXTENSION_VALUE, value, read);
        Some(asked.clone())
    }

    fn taken<'a>(
        &self,
        csr: Option<&'a CertificationRequest>,
        id: const_oid::ObjectIdentifier,
    ) -> Option<&'a Extension> {
        csr.filter(|_| self.config.use_csr_extensions)?.extension(id)
    }

    /// What the CSR asks for and the certificate will not have.
    pub(super) fn warn_of_differences(
        &self,
        csr: &CertificationRequest,
        subject: Option<&DistinguishedName>,
        profile: &Profile,
        warnings: &mut Vec<Warning>,
    ) {
        if let Some(subject) = subject {
            self.warn_of_subject(csr, subject, warnings);
        }
        let usages = |e: &Extension| extension::read_key_usages(&e.value).ok() == Some(profile.key_usages());
        let purposes = |e: &Extension| {
            let mut asked = extension::read_extended_key_usages(&e.value).unwrap_or_default();
            let mut granted = profile.extended_key_usages().to_vec();
            asked.sort();
            granted.sort();
            asked == granted
        };
        let said = matches!(profile, Profile::EndEntity { no_authority: NoAuthority::Said, .. });
        let constraints = |e: &Extension| {
            said && extension::read_basic_constraints(&e.value) == Ok(BasicConstraints::EndEntity)
        };
        let policies = |_: &Extension| self.config.use_csr_extensions;
        let differ = [
            (
                oid::BASIC_CONSTRAINTS,
                "basic constraints",
                csr.extension(oid::BASIC_CONSTRAINTS).is_some_and(|e| !constraints(e)),
            ),
            (oid::KEY_USAGE, "a key usage", csr.extension(oid::KEY_USAGE).is_some_and(|e| !usages(e))),
            (
                oid::EXTENDED_KEY_USAGE,
                "an extended key usage",
                csr.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|e| !purposes(e)),
            ),
            (
                oid::CERTIFICATE_POLICIES,
                "policies",
                csr.extension(oid::CERTIFICATE_POLICIES).is_some_and(|e| !policies(e)),
            ),
        ];
        for (_, extension, _) in differ.into_iter().filter(|(_, _, differs)| *differs) {
            warnings.push(Warning::CsrExtensionIgnored { extension: extension.to_string() });
        }
    }

    /// The attributes of the CSR's subject that the certificate's lacks.
    fn warn_of_subject(
        &self,
        csr: &CertificationRequest,
        subject: &DistinguishedName,
        warnings: &mut Vec<Warning>,
    ) {
        let granted = subject.attributes();
        let mut missing: Vec<(Option<AttributeType>, String)> =
            csr.subject().attributes().into_iter().filter(|attribute| !granted.contains(attribute)).collect();
        // About these three it was said already.
        missing
            .retain(|(kind, _)| !matches!(kind, Some(AttributeType::SerialNumber | AttributeType::UserId)));
        if !self.config.use_csr_common_name
            && let Some(last) = missing.iter().rposition(|(kind, _)| *kind == Some(AttributeType::CommonName))
        {
            missing.remove(last);
        }
        if !missing.is_empty() {
            let missing: Vec<String> = missing.into_iter().map(|(_, attribute)| attribute).collect();
            let part = alloc::format!("subject attributes {}", missing.join(", "));
            warnings.push(Warning::CsrPartIgnored { part, switch: "use_csr_subject" });
        }
    }
}

/// A CSR that names its key as we do asks for nothing.
fn is_own_key_identifier(csr: &CertificationRequest, extension: &Extension) -> bool {
    extension.id == Oid(oid::SUBJECT_KEY_IDENTIFIER)
        && extension::read_subject_key_identifier(&extension.value)
            .is_ok_and(|identifier| identifier == csr.public_key().key_identifier().as_bytes())
}

fn unreadable(asked: &Extension) -> No {
    No {
        rule: RuleId::EXTENSION_VALUE,
        value: asked.id.to_string(),
        reason: alloc::format!("the CSR's extension {} cannot be read", asked.id),
        remedy: Remedy::Either {
            role: "--use-csr-extensions=false".to_string(),
            request: "make the CSR without it".to_string(),
        },
    }
}

/// RFC 5280 4.2.1.9: without basic constraints that say CA:TRUE, keyCertSign is not asserted.
fn key_usage_end_entity(usages: KeyUsages) -> Result<(), No> {
    if !usages.contains(KeyUsage::CertSign) && !usages.contains(KeyUsage::CrlSign) {
        return Ok(());
    }
    Err(No {
        rule: RuleId::KEY_USAGE_END_ENTITY,
        value: usages.to_string(),
        reason: alloc::format!(
            "the CSR asks for the key usages {usages}, and an end entity signs no certificates"
        ),
        remedy: Remedy::Either {
            role: "--use-csr-extensions=false".to_string(),
            request: "make the CSR without keyCertSign and cRLSign".to_string(),
        },
    })
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
