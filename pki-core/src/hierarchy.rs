//! What an issuer may put below itself, and the order of chains.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::certificate::Certificate;
use crate::explain::{DecisionTrace, No, Refusal, Remedy, RuleId, Warning};
use crate::extension::Criticality;
use crate::issue::{AskedLifetime, IssueError, Permitted};
use crate::issuer::IssuerCertificate;
use crate::key::{KeyAlgorithm, KeyType, PublicKey};
use crate::name::{DistinguishedName, GeneralName};
use crate::oid::{self, Oid};
use crate::profile::{ExtendedKeyUsage, KeyUsage, KeyUsages, PathLength, Profile};
use crate::role::Limits;
use crate::tbs::RevocationPointers;
use crate::time::UnixTime;

/// A request for a CA certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    /// The CA's name; not empty.
    pub subject: DistinguishedName,
    /// Alternative names; none unless asked.
    pub alternative_names: Vec<GeneralName>,
    /// How long.
    pub lifetime: AskedLifetime,
    /// How long before now it begins.
    pub not_before_duration: Duration,
    /// How many intermediates may follow below it.
    pub path_length: AskedPathLength,
    /// Whether its key may sign other things than certificates and CRLs.
    pub digital_signature: DigitalSignature,
    /// The purposes that it is confined to; none means no restriction.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// The digest that an RSA issuer signs with, in bits; zero for 256.
    pub signature_bits: u16,
}

/// The path length that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedPathLength {
    /// None for a root; one less than the issuer's for an intermediate, if that has one.
    #[default]
    Default,
    /// At most so many.
    AtMost(u8),
}

/// Whether a CA's key may sign other things than certificates and CRLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigitalSignature {
    /// It may: OCSP answers, for one.
    Permit,
    /// It may not.
    #[default]
    Refuse,
}

impl CaRequest {
    /// A CA of this name with a default lifetime and no restrictions.
    pub fn new(subject: DistinguishedName) -> Self {
        Self {
            subject,
            alternative_names: Vec::new(),
            lifetime: AskedLifetime::Default,
            not_before_duration: Duration::from_secs(30),
            path_length: AskedPathLength::Default,
            digital_signature: DigitalSignature::Refuse,
            extended_key_usages: Vec::new(),
            signature_bits: 0,
        }
    }
}

/// The rules for a CA whose key we generate: a root.
///
/// # Errors
///
/// [`Refusal`] of the first rule that says no.
pub fn permit_root(
    request: CaRequest,
    key: KeyAlgorithm,
    limits: &Limits,
    now: UnixTime,
) -> Result<Permitted<KeyAlgorithm>, Refusal> {
    conclude(request, key, DecisionTrace::with_capacity(4), limits, now)
}

/// The rules for a CA whose key exists: an intermediate, or a root on an existing key.
///
/// # Errors
///
/// [`Refusal`] of the first rule that says no.
pub fn permit_ca(
    request: CaRequest,
    key: PublicKey,
    limits: &Limits,
    now: UnixTime,
) -> Result<Permitted<PublicKey>, Refusal> {
    let mut trace = DecisionTrace::with_capacity(4);
    if let Err(no) = authority_key(&key) {
        return Err(trace.refuse(no));
    }
    trace.permit(RuleId::AUTHORITY_KEY, key.key_type().as_str());
    conclude(request, key, trace, limits, now)
}

fn conclude<K>(
    request: CaRequest,
    key: K,
    mut trace: DecisionTrace,
    limits: &Limits,
    now: UnixTime,
) -> Result<Permitted<K>, Refusal> {
    let CaRequest {
        subject,
        alternative_names,
        lifetime,
        not_before_duration,
        path_length,
        digital_signature,
        extended_key_usages,
        signature_bits,
    } = request;
    let mut warnings = Vec::new();
    if let Err(no) = authority_subject(&subject) {
        return Err(trace.refuse(no));
    }
    trace.permit(RuleId::AUTHORITY_SUBJECT, "");
    let granted = limits.grant(lifetime, limits.default_ttl, None, not_before_duration, now, &mut warnings);
    let validity = match granted {
        Ok(validity) => validity,
        Err(no) => return Err(trace.refuse(no)),
    };
    trace.permit(RuleId::LIFETIME_ORDER, "");
    let path_length = match path_length {
        AskedPathLength::Default => PathLength::Unlimited,
        AskedPathLength::AtMost(length) => PathLength::AtMost(length),
    };
    if path_length == PathLength::AtMost(0) {
        warnings.push(Warning::PathLengthZero);
    }
    let key_usages = match digital_signature {
        DigitalSignature::Permit => KeyUsages::NONE.with(KeyUsage::DigitalSignature),
        DigitalSignature::Refuse => KeyUsages::NONE,
    };
    Ok(Permitted {
        subject,
        alternative_names,
        key,
        profile: Profile::Authority { path_length, key_usages, extended_key_usages },
        validity,
        signature_bits: if signature_bits == 0 { 256 } else { signature_bits },
        revocation: RevocationPointers::Endpoints,
        warnings,
        trace,
    })
}

/// RFC 5280 4.1.2.6: a CA's subject is not empty.
fn authority_subject(subject: &DistinguishedName) -> Result<(), No> {
    if !subject.is_empty() {
        return Ok(());
    }
    Err(No {
        rule: RuleId::AUTHORITY_SUBJECT,
        value: String::new(),
        reason: "a CA certificate needs a subject (RFC 5280 4.1.2.6), and the request has none".to_string(),
        remedy: Remedy::Request("give one: --common-name NAME".to_string()),
    })
}

/// The keys that CAs may have are the keys that we can make.
fn authority_key(key: &PublicKey) -> Result<(), No> {
    let (key_type, bits) = (key.key_type(), key.bits());
    if key_type != KeyType::Rsa || (2048..=4096).contains(&bits) {
        return Ok(());
    }
    Err(No {
        rule: RuleId::AUTHORITY_KEY,
        value: alloc::format!("{key_type} {bits}"),
        reason: alloc::format!(
            "the CA's key is {key_type} {bits}; RSA keys of 2048 to 4096 bits are certified"
        ),
        remedy: Remedy::Request("use an RSA key of 2048 to 4096 bits, ec, or ed25519".to_string()),
    })
}

/// A root's certificate is for the key that signs it.
pub(crate) fn permit_root_key(
    permitted: Permitted<PublicKey>,
    key: &PublicKey,
) -> Result<Permitted<PublicKey>, IssueError> {
    if permitted.key.spki_der() == key.spki_der() {
        return Ok(permitted);
    }
    Err(permitted
        .trace
        .refuse(No {
            rule: RuleId::AUTHORITY_KEY,
            value: String::new(),
            reason: "a root is signed with its own key, and this key is another one".to_string(),
            remedy: Remedy::Request("sign with the key that the certificate is for".to_string()),
        })
        .into())
}

/// Asks every member of a chain whether a certificate may stand below it. `chain` begins with the issuer.
pub(crate) fn permit_below(
    chain: &[&IssuerCertificate],
    mut permitted: Permitted<PublicKey>,
) -> Result<Permitted<PublicKey>, IssueError> {
    let asked = own_key(chain, &permitted)
        .map(|()| permitted.trace.permit(RuleId::ISSUER_OWN_KEY, ""))
        .and_then(|()| outlives(chain, &permitted))
        .map(|()| permitted.trace.permit(RuleId::ISSUER_VALIDITY, ""))
        .and_then(|()| path_length(chain, &permitted.profile))
        .and_then(|length| purposes(chain, &permitted.profile).map(|()| length))
        .and_then(|length| name_constraints(chain, &permitted).map(|()| length));
    let granted = match asked {
        Ok(granted) => granted,
        Err(no) => return Err(permitted.trace.refuse(no).into()),
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
fn own_key(chain: &[&IssuerCertificate], permitted: &Permitted<PublicKey>) -> Result<(), No> {
    let Some(owner) =
        chain.iter().find(|member| member.certificate().public_key().spki_der() == permitted.key.spki_der())
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
fn outlives(chain: &[&IssuerCertificate], permitted: &Permitted<PublicKey>) -> Result<(), No> {
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
fn name_constraints(chain: &[&IssuerCertificate], permitted: &Permitted<PublicKey>) -> Result<(), No> {
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

/// The chain of `certificate`, each member followed by its issuer, as far as `pool` leads: the certificate itself is not
/// in it, a root is its last member.
///
/// Where several certificates fit (a cross-signed CA), one whose key made the signature's key identifier is taken first,
/// then the one that ends last.
pub fn chain_of<'a>(certificate: &Certificate, pool: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut chain: Vec<&Certificate> = Vec::new();
    let mut below = certificate;
    while !is_root(below) {
        let wanted = below.authority_key_identifier();
        let parent = pool
            .iter()
            .filter(|candidate| candidate.subject().matches(below.issuer()))
            .filter(|candidate| match (&wanted, candidate.subject_key_identifier()) {
                (Some(wanted), Some(theirs)) => *wanted == theirs,
                _ => true,
            })
            // A loop of cross-signs leads nowhere.
            .filter(|candidate| candidate.der() != certificate.der() && !chain.contains(candidate))
            .max_by_key(|candidate| (is_root(candidate), candidate.validity().not_after()));
        let Some(parent) = parent else { break };
        chain.push(parent);
        below = parent;
    }
    chain
}

/// Whether a certificate is its own issuer: the same name, and its own key identifier if it names one.
pub fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued()
        && match (certificate.authority_key_identifier(), certificate.subject_key_identifier()) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        }
}

/// Whether a verifier has to know every critical extension of a CA here (RFC 5280 4.2).
pub fn unknown_critical_extension(certificate: &Certificate) -> Option<Oid> {
    const KNOWN: [const_oid::ObjectIdentifier; 8] = [
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::BASIC_CONSTRAINTS,
        oid::SUBJECT_ALTERNATIVE_NAME,
        oid::NAME_CONSTRAINTS,
        oid::CERTIFICATE_POLICIES,
        oid::POLICY_CONSTRAINTS,
        oid::INHIBIT_ANY_POLICY,
    ];
    certificate
        .extensions()
        .iter()
        .find(|extension| extension.critical == Criticality::Critical && !KNOWN.contains(&extension.id.0))
        .map(|extension| extension.id)
}
