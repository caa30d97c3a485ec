//! What an issuer may put below itself, and the order of chains.

mod constraints;
mod path;
mod request;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::path::{chain_of, is_root, unknown_critical_extension};
pub(crate) use self::request::permit_root_key;
pub use self::request::{AskedPathLength, CaRequest, DigitalSignature, permit_ca, permit_root};

use crate::explain::{Inquiry, No, Refusal, Remedy, RuleId, Warning};
use crate::issue::Permitted;
use crate::issuer::{IssuerCertificate, IssuerError};
use crate::key::PublicKey;
use crate::name::{DistinguishedName, GeneralName};
use crate::profile::{ExtendedKeyUsage, PathLength, Profile};
use crate::validity::Validity;

/// An issuer's certificate and those above it: what a certificate has to agree with that is to stand below. It needs no
/// key, so that a request can be judged without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerChain {
    certificate: IssuerCertificate,
    above: Vec<IssuerCertificate>,
}

impl IssuerChain {
    /// An issuer of which no more is known than its own certificate.
    pub const fn new(certificate: IssuerCertificate) -> Self {
        Self { certificate, above: Vec::new() }
    }

    /// The same issuer, knowing the certificates above it: its own issuer first, the root last.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Chain`] if one is not named as the issuer of the one before it.
    pub fn with_path(mut self, above: Vec<IssuerCertificate>) -> Result<Self, IssuerError> {
        let mut below = &self.certificate;
        for next in &above {
            if !below.certificate().issuer().matches(next.subject()) {
                return Err(IssuerError::Chain {
                    below: below.subject().clone(),
                    above: next.subject().clone(),
                });
            }
            below = next;
        }
        self.above = above;
        Ok(self)
    }

    /// The issuer's own certificate.
    pub const fn certificate(&self) -> &IssuerCertificate {
        &self.certificate
    }

    #[cfg(feature = "rcgen")]
    pub(crate) fn into_certificate(self) -> IssuerCertificate {
        self.certificate
    }

    /// The issuer's own certificate and those above it, the root last.
    pub fn members(&self) -> impl Iterator<Item = &IssuerCertificate> {
        core::iter::once(&self.certificate).chain(&self.above)
    }

    /// Asks every member of the chain whether a certificate may stand below it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no.
    pub fn permit<K>(&self, permitted: Permitted<K>) -> Result<Permitted<K>, Refusal> {
        permit_below(&self.members().collect::<Vec<_>>(), permitted)
    }

    /// The one rule that looks at the key: a CA's own key belongs into no certificate below it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if a member of the chain has this key.
    pub fn permit_key(&self, permitted: Permitted<PublicKey>) -> Result<Permitted<PublicKey>, Refusal> {
        let mut inquiry = Inquiry::brief();
        match self.ask_key(&permitted.key, &mut inquiry) {
            Ok(()) => Ok(permitted),
            Err(no) => Err(inquiry.refuse(no)),
        }
    }

    pub(crate) fn ask_key(&self, key: &PublicKey, inquiry: &mut Inquiry) -> Result<(), No> {
        let members: Vec<&IssuerCertificate> = self.members().collect();
        inquiry.ask(RuleId::ISSUER_OWN_KEY, || key.key_type().to_string(), || own_key(&members, key))
    }

    /// The other rules of the chain, in order. Returns the path length that is left for a CA.
    pub(crate) fn ask(
        &self,
        proposal: &Proposal<'_>,
        inquiry: &mut Inquiry,
    ) -> Result<Option<PathLength>, No> {
        ask_below(&self.members().collect::<Vec<_>>(), proposal, inquiry)
    }
}

/// What is about to stand below a chain, as far as it is known: what a role refused leaves a gap here.
pub(crate) struct Proposal<'a> {
    pub(crate) subject: Option<&'a DistinguishedName>,
    pub(crate) alternative_names: &'a [GeneralName],
    pub(crate) validity: Option<Validity>,
    pub(crate) profile: &'a Profile,
}

/// `chain` begins with the issuer.
fn permit_below<K>(
    chain: &[&IssuerCertificate],
    mut permitted: Permitted<K>,
) -> Result<Permitted<K>, Refusal> {
    let proposal = Proposal {
        subject: Some(&permitted.subject),
        alternative_names: &permitted.alternative_names,
        validity: Some(permitted.validity),
        profile: &permitted.profile,
    };
    let mut inquiry = Inquiry::brief();
    let granted = ask_below(chain, &proposal, &mut inquiry);
    let granted = match inquiry.conclude(granted) {
        Ok(granted) => granted,
        Err(no) => {
            let mut inquiry = Inquiry::thorough();
            let _ = ask_below(chain, &proposal, &mut inquiry);
            return Err(inquiry.refuse(no));
        }
    };
    if let (Profile::Authority { path_length, .. }, Some(granted)) = (&mut permitted.profile, granted) {
        if granted == PathLength::AtMost(0) && *path_length != granted {
            permitted.warnings.push(Warning::PathLengthZero);
        }
        *path_length = granted;
    }
    // RFC 5280 7.1 lets names match whose octets differ, but some verifiers compare octets.
    let differ = chain.windows(2).any(|pair| match pair {
        [below, above] => below.certificate().issuer() != above.subject(),
        _ => false,
    });
    if differ {
        permitted.warnings.push(Warning::NameBytesDiffer);
    }
    Ok(permitted)
}

/// The rules of a chain, in order. Returns the path length that is left for a CA.
fn ask_below(
    chain: &[&IssuerCertificate],
    proposal: &Proposal<'_>,
    inquiry: &mut Inquiry,
) -> Result<Option<PathLength>, No> {
    let Proposal { subject, alternative_names, validity, profile } = proposal;
    if let Some(validity) = validity {
        let end = || validity.not_after().to_string();
        let _ = inquiry.ask(RuleId::ISSUER_VALIDITY, end, || outlives(chain, *validity));
    }
    let length = match profile {
        Profile::Authority { path_length: asked, .. } => inquiry
            .ask(RuleId::ISSUER_PATH_LENGTH, || asked.to_string(), || path_length(chain, *asked))
            .map(Some),
        Profile::EndEntity { .. } => Ok(None),
    };
    let listed = || {
        let purposes: Vec<String> = profile.extended_key_usages().iter().map(ToString::to_string).collect();
        purposes.join(", ")
    };
    let _ = inquiry.ask(RuleId::ISSUER_PURPOSES, listed, || purposes(chain, profile));
    let names = || {
        let subject = subject.filter(|subject| !subject.is_empty()).map(ToString::to_string);
        let names = alternative_names.iter().map(ToString::to_string);
        subject.into_iter().chain(names).collect::<Vec<_>>().join(", ")
    };
    let constrained = || constraints::name_constraints(chain, proposal);
    let _ = inquiry.ask(RuleId::ISSUER_NAME_CONSTRAINTS, names, constrained);
    length
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

/// Validity nests: a certificate ends no later than any member of its chain.
fn outlives(chain: &[&IssuerCertificate], validity: Validity) -> Result<(), No> {
    let not_after = validity.not_after();
    let Some(first) = chain.iter().min_by_key(|member| member.validity().not_after()) else {
        return Ok(());
    };
    let end = first.validity().not_after();
    if not_after <= end {
        return Ok(());
    }
    Err(No {
        rule: RuleId::ISSUER_VALIDITY,
        value: not_after.to_string(),
        reason: alloc::format!(
            "the certificate would end at {not_after}, after its CA \"{}\", which ends at {end}",
            first.subject()
        ),
        remedy: Remedy::Request(alloc::format!(
            "ask for an end by then: --not-after {end}, or a shorter --ttl"
        )),
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
            let rest = profile.extended_key_usages().iter().filter(|usage| **usage != other);
            let rest: Vec<String> = rest.map(ToString::to_string).collect();
            alloc::format!("--ext-key-usage {}", rest.join(","))
        }
    })
}
