//! What an issuer may put below itself: the rules of a chain, and the order of chains.

mod chain;
mod constraints;
mod correspondence;
mod path;
mod policies;
mod request;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::chain::{IssuerChain, LeafNotAfter};
pub use self::correspondence::{Mismatch, mismatches, permit_correspondence};
pub use self::path::{chain_of, is_root, paths_of, unknown_critical_extension};
pub(crate) use self::request::permit_root_key;
pub use self::request::{AskedPathLength, CaRequest, DigitalSignature, permit_ca, permit_root};

use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::extension::PolicyInformation;
use crate::issuer::IssuerCertificate;
use crate::key::PublicKey;
use crate::name::{DistinguishedName, GeneralName};
use crate::profile::{ExtendedKeyUsage, PathLength, Profile};
use crate::time::UnixTime;
use crate::validity::Validity;

/// What is about to stand below a chain, as far as it is known: what a role refused leaves a gap here.
pub(crate) struct Proposal<'a> {
    pub(crate) subject: Option<&'a DistinguishedName>,
    pub(crate) alternative_names: &'a [GeneralName],
    pub(crate) validity: Option<Validity>,
    pub(crate) profile: &'a Profile,
    pub(crate) policies: &'a [PolicyInformation],
    /// What the role says about outliving the chain; `None` leaves it to the issuer.
    pub(crate) leaf_not_after: Option<LeafNotAfter>,
}

/// What a chain grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    /// For a CA, what the chain leaves of its path length.
    path_length: Option<PathLength>,
    /// Where the validity ends, if that is known.
    not_after: Option<UnixTime>,
}

/// The rules of a chain, in order. `chain` begins with the issuer.
fn ask_below(
    chain: &[&IssuerCertificate],
    proposal: &Proposal<'_>,
    leaf_not_after: LeafNotAfter,
    inquiry: &mut Inquiry,
) -> Result<Granted, No> {
    let Proposal {
        subject,
        alternative_names,
        validity,
        profile,
        policies: asserted,
        leaf_not_after: of_role,
    } = proposal;
    let leaf_not_after = of_role.unwrap_or(leaf_not_after);
    let not_after = validity.map(|validity| {
        let end = || validity.not_after().to_string();
        inquiry.ask(RuleId::ISSUER_VALIDITY, end, || outlives(chain, validity, leaf_not_after, profile))
    });
    let path_length = match profile {
        Profile::Authority { path_length: asked, .. } => {
            Some(inquiry.ask(RuleId::ISSUER_PATH_LENGTH, || asked.to_string(), || path_length(chain, *asked)))
        }
        Profile::EndEntity { .. } => None,
    };
    let listed = || {
        let purposes: Vec<String> = profile.extended_key_usages().iter().map(ToString::to_string).collect();
        purposes.join(", ")
    };
    let _ = inquiry.ask(RuleId::ISSUER_PURPOSES, listed, || purposes(chain, profile));
    let policies = || asserted.iter().map(|policy| policy.id.to_string()).collect::<Vec<_>>().join(", ");
    let _ = inquiry.ask(RuleId::ISSUER_POLICIES, policies, || policies::policies(chain, proposal));
    let names = || {
        let subject = subject.filter(|subject| !subject.is_empty()).map(ToString::to_string);
        let names = alternative_names.iter().map(ToString::to_string);
        subject.into_iter().chain(names).collect::<Vec<_>>().join(", ")
    };
    let constrained = || constraints::name_constraints(chain, proposal);
    let _ = inquiry.ask(RuleId::ISSUER_NAME_CONSTRAINTS, names, constrained);
    Ok(Granted { path_length: path_length.transpose()?, not_after: not_after.transpose()? })
}

/// A CA's own key belongs into no certificate below it.
fn own_key(chain: &[&IssuerCertificate], key: &PublicKey) -> Result<(), No> {
    let Some(owner) =
        chain.iter().find(|member| member.certificate().public_key().spki_der() == key.spki_der())
    else {
        return Ok(());
    };
    Err(No {
        rule: RuleId::ISSUER_OWN_KEY,
        value: owner.subject().to_string(),
        reason: alloc::format!(
            "the key is the CA's own (\"{}\"), which belongs into no certificate below it",
            owner.subject()
        ),
        remedy: Remedy::Request("make the request with a key of its own".to_string()),
    })
}

/// Validity nests: a certificate ends no later than any member of its chain, unless it may. Whatever it may, there is a
/// time when all of them are valid. Returns its end.
fn outlives(
    chain: &[&IssuerCertificate],
    validity: Validity,
    leaf_not_after: LeafNotAfter,
    profile: &Profile,
) -> Result<UnixTime, No> {
    let not_after = validity.not_after();
    let Some(first) = chain.iter().min_by_key(|member| member.validity().not_after()) else {
        return Ok(not_after);
    };
    let end = first.validity().not_after();
    if not_after <= end {
        return Ok(not_after);
    }
    match leaf_not_after {
        LeafNotAfter::Truncate if validity.not_before() < end => return Ok(end),
        LeafNotAfter::Permit if validity.not_before() < end => return Ok(not_after),
        _ => {}
    }
    let request = alloc::format!("ask for an end by then: --not-after {end}, or a shorter --ttl");
    Err(No {
        rule: RuleId::ISSUER_VALIDITY,
        value: not_after.to_string(),
        reason: alloc::format!(
            "the certificate would end at {not_after}, after its CA \"{}\", which ends at {end}",
            first.subject()
        ),
        remedy: match profile {
            Profile::EndEntity { .. } => {
                Remedy::Either { role: "--leaf-not-after-behavior truncate".to_string(), request }
            }
            Profile::Authority { .. } => Remedy::Request(request),
        },
    })
}

/// RFC 5280 4.2.1.9: the path length that is left for a CA here.
fn path_length(chain: &[&IssuerCertificate], asked: PathLength) -> Result<PathLength, No> {
    let mut left = PathLength::Unlimited;
    for (depth, member) in chain.iter().enumerate() {
        let PathLength::AtMost(length) = member.path_length() else {
            continue;
        };
        // Below this member stand `depth` CAs of the chain and the new one.
        let Some(below) = usize::from(length).checked_sub(depth + 1) else {
            return Err(No {
                rule: RuleId::ISSUER_PATH_LENGTH,
                value: length.to_string(),
                reason: alloc::format!(
                    "the CA \"{}\" has a path length of {length}, so no further CA can stand here (RFC 5280 4.2.1.9)",
                    member.subject()
                ),
                remedy: Remedy::Request("sign it with a CA whose path length leaves room".to_string()),
            });
        };
        let below = u8::try_from(below).unwrap_or(u8::MAX);
        left = match left {
            PathLength::AtMost(least) => PathLength::AtMost(least.min(below)),
            PathLength::Unlimited => PathLength::AtMost(below),
        };
    }
    match (asked, left) {
        (asked, PathLength::Unlimited) => Ok(asked),
        (PathLength::Unlimited, left) => Ok(left),
        (PathLength::AtMost(asked), PathLength::AtMost(left)) if asked <= left => {
            Ok(PathLength::AtMost(asked))
        }
        (PathLength::AtMost(asked), PathLength::AtMost(left)) => Err(No {
            rule: RuleId::ISSUER_PATH_LENGTH,
            value: asked.to_string(),
            reason: alloc::format!(
                "a path length of {asked} is asked for, but the chain leaves at most {left}"
            ),
            remedy: Remedy::Request(alloc::format!("ask for at most that: --max-path-length {left}")),
        }),
    }
}

/// Purposes nest: verifiers want each purpose in every member of the chain that lists any (CABF, and what OpenSSL and
/// webpki do).
fn purposes(chain: &[&IssuerCertificate], profile: &Profile) -> Result<(), No> {
    for member in chain {
        let Some(listed) = member.extended_key_usages() else {
            continue;
        };
        if listed.contains(&ExtendedKeyUsage::Any) {
            continue;
        }
        if let Some(missing) = profile.extended_key_usages().iter().find(|purpose| !listed.contains(purpose))
        {
            return Err(No {
                rule: RuleId::ISSUER_PURPOSES,
                value: missing.to_string(),
                reason: alloc::format!(
                    "the CA \"{}\" is confined to other purposes than {missing}",
                    member.subject()
                ),
                remedy: without_purpose(*missing, profile),
            });
        }
    }
    Ok(())
}

/// How a role leaves a purpose out: its own flag, or the list without it. A CA's purposes are the request's.
fn without_purpose(purpose: ExtendedKeyUsage, profile: &Profile) -> Remedy {
    if matches!(profile, Profile::Authority { .. }) {
        return Remedy::Request(alloc::format!("ask for a CA without the purpose {purpose}"));
    }
    Remedy::Role(match purpose {
        ExtendedKeyUsage::ServerAuth => "--server-flag=false".to_string(),
        ExtendedKeyUsage::ClientAuth => "--client-flag=false".to_string(),
        ExtendedKeyUsage::CodeSigning => "--code-signing-flag=false".to_string(),
        ExtendedKeyUsage::EmailProtection => "--email-protection-flag=false".to_string(),
        other => {
            let alike = |usage: &&ExtendedKeyUsage| usage.name().is_some() == other.name().is_some();
            let rest = profile.extended_key_usages().iter().filter(|usage| **usage != other).filter(alike);
            let rest: Vec<String> = rest.map(ToString::to_string).collect();
            let flag = if other.name().is_some() { "--ext-key-usage" } else { "--ext-key-usage-oids" };
            alloc::format!("{flag}={}", rest.join(","))
        }
    })
}
