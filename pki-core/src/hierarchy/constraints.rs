//! The name constraints of a chain, asked about each certificate that is to stand below it (RFC 5280 4.2.1.10).

use alloc::string::{String, ToString};

use super::Proposal;
use crate::certificate::Certificate;
use crate::explain::{No, Remedy, RuleId};
use crate::extension::Criticality;
use crate::issuer::IssuerCertificate;
use crate::name::{
    CommonNameHost, DistinguishedName, NameConstraints, NameFault, NameKind, NameViolation, PresentedNames,
    Subtrees,
};
use crate::oid;
use crate::profile::Profile;

/// Every member of the chain is asked, about the new certificate and about the CAs between: what a verifier would refuse
/// below a CA is not signed. `chain` begins with the issuer.
pub(super) fn name_constraints(chain: &[&IssuerCertificate], proposal: &Proposal<'_>) -> Result<(), No> {
    let nobody = DistinguishedName::empty();
    let subject = proposal.subject.unwrap_or(&nobody);
    for (depth, member) in chain.iter().enumerate() {
        let Some(constraints) = constraints_of(member)? else { continue };
        if !is_exempt(chain, subject, proposal.profile) {
            let common_name = match proposal.profile {
                Profile::EndEntity { .. } => CommonNameHost::Regard,
                // A CA is no host.
                Profile::Authority { .. } => CommonNameHost::PassOver,
            };
            let names =
                PresentedNames { subject, alternative_names: proposal.alternative_names, common_name };
            constraints.permit(&names).map_err(|violation| outside(member, &violation, proposal.profile))?;
        }
        for below in chain.iter().take(depth) {
            between(member, &constraints, below.certificate())?;
        }
    }
    Ok(())
}

/// RFC 5280 6.1.3 (b): a self-issued certificate is passed over unless it is the last of its path, and a CA's is not.
fn is_exempt(chain: &[&IssuerCertificate], subject: &DistinguishedName, profile: &Profile) -> bool {
    matches!(profile, Profile::Authority { .. })
        && chain.first().is_some_and(|issuer| issuer.subject().matches(subject))
}

/// The constraints of a CA, if it has any, all of a form that can be evaluated.
fn constraints_of(member: &IssuerCertificate) -> Result<Option<NameConstraints>, No> {
    let unclear = |what: String| No {
        rule: RuleId::ISSUER_NAME_CONSTRAINTS,
        value: what.clone(),
        reason: alloc::format!(
            "the CA \"{}\" has name constraints {what}, so that no name can be checked against them",
            member.subject()
        ),
        remedy: Remedy::Request("use an issuer whose chain has other constraints: --issuer-ref".to_string()),
    };
    let certificate = member.certificate();
    let Some(extension) = certificate.extension(oid::NAME_CONSTRAINTS) else { return Ok(None) };
    let constraints =
        certificate.name_constraints().map_err(|_| unclear("that cannot be read".to_string()))?;
    // RFC 5280 4.2.1.10: what is critical and not understood refuses.
    if extension.critical == Criticality::Critical
        && let Some(form) = constraints.iter().flat_map(NameConstraints::unsupported).next()
    {
        return Err(unclear(alloc::format!("of an unknown form ({form})")));
    }
    Ok(constraints)
}

fn outside(member: &IssuerCertificate, violation: &NameViolation, profile: &Profile) -> No {
    let NameViolation { name, kind, fault } = violation;
    let ca = member.subject();
    let reason = match fault {
        NameFault::Excluded(subtree) => alloc::format!(
            "the CA \"{ca}\" excludes {} ({subtree}), and {name} lies there or stands for names that do",
            kind.plural()
        ),
        NameFault::NotPermitted(permitted) => alloc::format!(
            "the CA \"{ca}\" permits {} in {} only, and {name} is outside",
            kind.plural(),
            Subtrees(permitted)
        ),
        NameFault::Unreadable(problem) => {
            alloc::format!(
                "the CA \"{ca}\" constrains {}, and {name} cannot be compared: {problem}",
                kind.plural()
            )
        }
    };
    No {
        rule: RuleId::ISSUER_NAME_CONSTRAINTS,
        value: name.clone(),
        reason: alloc::format!("{reason} (RFC 5280 4.2.1.10)"),
        remedy: match profile {
            Profile::EndEntity { .. } => {
                Remedy::Either { role: "--issuer-ref ISSUER".to_string(), request: remedy(*kind, fault) }
            }
            Profile::Authority { .. } => Remedy::Request(alloc::format!(
                "{}, or use an issuer that may issue for it: --issuer-ref",
                remedy(*kind, fault)
            )),
        },
    }
}

fn remedy(kind: NameKind, fault: &NameFault) -> String {
    match fault {
        NameFault::NotPermitted(permitted) => {
            alloc::format!("ask for {} in {}", kind.plural(), Subtrees(permitted))
        }
        NameFault::Unreadable(_) if kind == NameKind::Uri => {
            "ask for a URI with a DNS name as its host".to_string()
        }
        NameFault::Excluded(_) | NameFault::Unreadable(_) => "leave it out".to_string(),
    }
}

/// A CA of the chain that stands below a constrained one must itself lie within the constraints.
fn between(member: &IssuerCertificate, constraints: &NameConstraints, below: &Certificate) -> Result<(), No> {
    if below.is_self_issued() {
        return Ok(());
    }
    let broken = |what: String| No {
        rule: RuleId::ISSUER_NAME_CONSTRAINTS,
        value: below.subject().to_string(),
        reason: alloc::format!(
            "the CA \"{}\" breaks the name constraints of \"{}\" above it: {what}",
            below.subject(),
            member.subject()
        ),
        remedy: Remedy::Request(
            "use an issuer whose own names lie within its chain's constraints: --issuer-ref".to_string(),
        ),
    };
    let alternative_names = below.alternative_names().map_err(|error| broken(error.to_string()))?;
    let names = PresentedNames {
        subject: below.subject(),
        alternative_names: &alternative_names,
        common_name: CommonNameHost::PassOver,
    };
    constraints.permit(&names).map_err(|violation| broken(violation.to_string()))
}
