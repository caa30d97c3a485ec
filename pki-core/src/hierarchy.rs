//! What an issuer may put below itself, and the order of chains.

mod path;
mod request;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::path::{chain_of, is_root, unknown_critical_extension};
pub(crate) use self::request::permit_root_key;
pub use self::request::{AskedPathLength, CaRequest, DigitalSignature, permit_ca, permit_root};

use crate::explain::{No, Refusal, Remedy, RuleId, Warning};
use crate::issue::Permitted;
use crate::issuer::{IssuerCertificate, IssuerError};
use crate::key::PublicKey;
use crate::oid;
use crate::profile::{ExtendedKeyUsage, PathLength, Profile};

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
    pub fn permit_key(&self, mut permitted: Permitted<PublicKey>) -> Result<Permitted<PublicKey>, Refusal> {
        let chain: Vec<&IssuerCertificate> = self.members().collect();
        match own_key(&chain, &permitted.key) {
            Ok(()) => {
                permitted.trace.permit(RuleId::ISSUER_OWN_KEY, "");
                Ok(permitted)
            }
            Err(no) => Err(permitted.trace.refuse(no)),
        }
    }
}

/// `chain` begins with the issuer.
fn permit_below<K>(
    chain: &[&IssuerCertificate],
    mut permitted: Permitted<K>,
) -> Result<Permitted<K>, Refusal> {
    let asked = outlives(chain, &permitted)
        .map(|()| permitted.trace.permit(RuleId::ISSUER_VALIDITY, ""))
        .and_then(|()| path_length(chain, &permitted.profile))
        .and_then(|length| purposes(chain, &permitted.profile).map(|()| length))
        .and_then(|length| name_constraints(chain, &permitted).map(|()| length));
    let granted = match asked {
        Ok(granted) => granted,
        Err(no) => return Err(permitted.trace.refuse(no)),
    };
    if let (Profile::Authority { path_length, .. }, Some(granted)) = (&mut permitted.profile, granted) {
        if granted == PathLength::AtMost(0) && *path_length != granted {
            permitted.warnings.push(Warning::PathLengthZero);
        }
        *path_length = granted;
        permitted.trace.permit(RuleId::ISSUER_PATH_LENGTH, "");
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
fn outlives<K>(chain: &[&IssuerCertificate], permitted: &Permitted<K>) -> Result<(), No> {
    let not_after = permitted.validity.not_after();
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

/// RFC 5280 4.2.1.9: the path length that is left for a CA here, or `None` for an end entity.
fn path_length(chain: &[&IssuerCertificate], profile: &Profile) -> Result<Option<PathLength>, No> {
    let Profile::Authority { path_length: asked, .. } = profile else {
        return Ok(None);
    };
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
    match (*asked, left) {
        (asked, PathLength::Unlimited) => Ok(Some(asked)),
        (PathLength::Unlimited, left) => Ok(Some(left)),
        (PathLength::AtMost(asked), PathLength::AtMost(left)) if asked <= left => {
            Ok(Some(PathLength::AtMost(asked)))
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

/// RFC 5280 4.2.1.10. Constraints of a chain are not evaluated yet, and what cannot be checked is not signed.
fn name_constraints<K>(chain: &[&IssuerCertificate], permitted: &Permitted<K>) -> Result<(), No> {
    let constrained =
        chain.iter().find(|member| member.certificate().extension(oid::NAME_CONSTRAINTS).is_some());
    let Some(member) = constrained else { return Ok(()) };
    Err(No {
        rule: RuleId::ISSUER_NAME_CONSTRAINTS,
        value: permitted.subject.to_string(),
        reason: alloc::format!(
            "the CA \"{}\" has name constraints, which this version cannot check names against",
            member.subject()
        ),
        remedy: Remedy::Request("use an issuer whose chain has no name constraints".to_string()),
    })
}
