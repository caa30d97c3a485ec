//! Requests for CA certificates, and the rules for them that no chain is needed for.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::explain::{Inquiry, No, Refusal, Remedy, RuleId, Warning};
use crate::extension::PolicyInformation;
use crate::issue::{AskedLifetime, IssueError, Permitted};
use crate::key::weak::{self, KeyHistory};
use crate::key::{KeyAlgorithm, KeyIdentifier, KeyType, PublicKey, RsaScheme};
use crate::name::{DistinguishedName, GeneralName, NameConstraints};
use crate::profile::{ExtendedKeyUsage, KeyUsage, KeyUsages, PathLength, Profile};
use crate::role::{Beginning, Limits, Terms};
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
    /// When it begins; `None` for some time before now.
    pub not_before: Option<UnixTime>,
    /// How long before now it begins otherwise.
    pub not_before_duration: Duration,
    /// How many intermediates may follow below it.
    pub path_length: AskedPathLength,
    /// Whether its key may sign other things than certificates and CRLs.
    pub digital_signature: DigitalSignature,
    /// The purposes that it is confined to; none means no restriction.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// The names that it is confined to, it and all CAs below it.
    pub name_constraints: Option<NameConstraints>,
    /// The policies that it asserts.
    pub policies: Vec<PolicyInformation>,
    /// What its key is called; `None` for what is computed from the key. A new certificate for a CA's key keeps the
    /// name that the key has in what it signed.
    pub subject_key_identifier: Option<KeyIdentifier>,
    /// What an RSA issuer signs with.
    pub rsa_scheme: RsaScheme,
    /// What the caller knows of the key. A CA's key may be certified again: it is cross-signed, or its certificate renewed.
    pub key_history: KeyHistory,
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
            not_before: None,
            not_before_duration: Duration::from_secs(30),
            path_length: AskedPathLength::Default,
            digital_signature: DigitalSignature::Refuse,
            extended_key_usages: Vec::new(),
            name_constraints: None,
            policies: Vec::new(),
            subject_key_identifier: None,
            rsa_scheme: RsaScheme::default(),
            key_history: KeyHistory::default(),
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
    decide(request, key, |_| Ok(()), limits, now)
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
    let listed = request.key_history.listed;
    let key_rules = |inquiry: &mut Inquiry| {
        let value = || key.key_type().to_string();
        inquiry.ask(RuleId::AUTHORITY_KEY, value, || authority_key(&key))?;
        inquiry.ask(RuleId::KEY_WEAK, value, || Ok(weak::check(&key, listed)?))
    };
    let permitted = decide(request, (), key_rules, limits, now)?;
    Ok(permitted.for_key(key))
}

fn decide<K: Copy>(
    request: CaRequest,
    key: K,
    key_rules: impl Fn(&mut Inquiry) -> Result<(), No>,
    limits: &Limits,
    now: UnixTime,
) -> Result<Permitted<K>, Refusal> {
    let mut inquiry = Inquiry::brief();
    let accepted = key_rules(&mut inquiry);
    let granted = consider(&request, key, limits, now, &mut inquiry);
    inquiry.conclude(accepted.and(granted)).map_err(|no| {
        let mut inquiry = Inquiry::thorough();
        let _ = key_rules(&mut inquiry);
        let _ = consider(&request, key, limits, now, &mut inquiry);
        inquiry.refuse(no)
    })
}

fn consider<K>(
    request: &CaRequest,
    key: K,
    limits: &Limits,
    now: UnixTime,
    inquiry: &mut Inquiry,
) -> Result<Permitted<K>, No> {
    let CaRequest {
        subject,
        alternative_names,
        lifetime,
        not_before,
        not_before_duration,
        path_length,
        digital_signature,
        extended_key_usages,
        name_constraints,
        policies,
        subject_key_identifier,
        rsa_scheme,
        // The rules about the key were asked before.
        key_history: _,
    } = request;
    let mut warnings = Vec::new();
    let named = inquiry.ask(RuleId::AUTHORITY_SUBJECT, || subject.to_string(), || authority_subject(subject));
    let terms = Terms {
        default_ttl: limits.default_ttl,
        role_max: None,
        beginning: not_before.map_or(Beginning::Backdated(*not_before_duration), Beginning::At),
    };
    let validity = limits.grant(*lifetime, terms, now, &mut warnings, inquiry);
    let path_length = match *path_length {
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
    named?;
    Ok(Permitted {
        subject: subject.clone(),
        alternative_names: alternative_names.clone(),
        key,
        profile: Profile::Authority {
            path_length,
            key_usages,
            extended_key_usages: extended_key_usages.clone(),
            name_constraints: name_constraints.clone(),
        },
        policies: policies.clone(),
        extensions: Vec::new(),
        validity: validity?,
        rsa_scheme: *rsa_scheme,
        revocation: RevocationPointers::Endpoints,
        subject_key_identifier: subject_key_identifier.clone(),
        leaf_not_after: None,
        path: 0,
        // Nobody waives a lint for a CA.
        waivers: Vec::new(),
        warnings,
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
        remedy: Remedy::Request("use an RSA key of 2048 to 4096 bits, ec, ed25519, or ml-dsa".to_string()),
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
    let no = No {
        rule: RuleId::AUTHORITY_KEY,
        value: String::new(),
        reason: "a root is signed with its own key, and this key is another one".to_string(),
        remedy: Remedy::Request("sign with the key that the certificate is for".to_string()),
    };
    Err(Inquiry::brief().refuse(no).into())
}
