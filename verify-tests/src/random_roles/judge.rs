//! What a role permits, written a second time: from the role's configuration and the finished DER alone, with another
//! parser and without a line of the policy's code.

use std::net::IpAddr;
use std::str::FromStr as _;

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use pki_core::explain::{Answer, Decision, RuleId};
use pki_core::role::{RoleConfig, RoleKeyType, RoleNotAfterBehavior, Storage};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsages, NameConstraints,
    SubjectAltName,
};

use super::draw::{Drawn, DrawnNames, DrawnRequest};
use super::house::{House, Signer, Wrong};

/// What is wrong with a certificate, in words.
type Complaint = String;

/// Everything in the certificate is permitted by the role, was asked for, and what was asked for is in it.
///
/// # Errors
///
/// What is not so.
pub fn certificate(
    role: &RoleConfig,
    request: &DrawnRequest,
    house: &House,
    signer: &Signer,
    issued: &[u8],
) -> Result<(), Wrong> {
    let certificate = Certificate::from_der(issued)?;
    let complaint = names(role, request, &certificate)
        .and_then(|()| subject(role, request, &certificate))
        .and_then(|()| uses(role, &certificate))
        .and_then(|()| key(role, &certificate))
        .and_then(|()| validity(role, house, signer, &certificate))
        .and_then(|()| extensions(role, &certificate));
    complaint.map_err(|complaint| complaint.into())
}

/// The rules about single values answer as they are written here, in both directions.
///
/// # Errors
///
/// The line of the trace that is not so.
pub fn decision(role: &RoleConfig, decision: &Decision) -> Result<(), Wrong> {
    let value = decision.value.as_str();
    let expected = match decision.rule {
        RuleId::NAME_DOMAIN => domain(role, value),
        RuleId::NAME_WILDCARD => role.allow_wildcard_certificates,
        RuleId::IP_ALLOWED => role.allow_ip_sans,
        RuleId::URI_ALLOWED => uri(role, value),
        RuleId::COMMON_NAME_REQUIRED => !value.is_empty() || !role.require_cn,
        _ => return Ok(()),
    };
    if expected == (decision.answer == Answer::Permit) {
        return Ok(());
    }
    Err(format!("the rule {} says {} to {value:?}", decision.rule, decision.answer.as_str()).into())
}

/// The purposes in a certificate.
///
/// # Errors
///
/// [`Wrong`] if it cannot be read.
pub fn purposes(issued: &[u8]) -> Result<Vec<String>, Wrong> {
    let certificate = Certificate::from_der(issued)?;
    let found: Option<(bool, ExtendedKeyUsage)> = certificate.tbs_certificate().get_extension()?;
    Ok(found.iter().flat_map(|(_, usages)| &usages.0).map(ToString::to_string).collect())
}

/// Whether webpki would refuse this for what it cannot do: constraints on e-mail addresses, and wildcards directly below
/// a top-level domain, which it takes for malformed where DNS names are constrained.
///
/// # Errors
///
/// [`Wrong`] if a certificate cannot be read.
pub fn beyond_webpki(signer: &Signer, issued: &[u8]) -> Result<bool, Wrong> {
    let certificate = Certificate::from_der(issued)?;
    let found: Option<(bool, SubjectAltName)> = certificate.tbs_certificate().get_extension()?;
    let Some((_, SubjectAltName(names))) = found else { return Ok(false) };
    for member in signer.chain.members() {
        let member = Certificate::from_der(member.certificate().der())?;
        let found: Option<(bool, NameConstraints)> = member.tbs_certificate().get_extension()?;
        let Some((_, NameConstraints { permitted_subtrees, excluded_subtrees })) = found else { continue };
        let constrains = |wanted: fn(&GeneralName) -> bool| {
            let subtrees = permitted_subtrees.iter().chain(&excluded_subtrees).flatten();
            subtrees.into_iter().any(|subtree| wanted(&subtree.base))
        };
        let beyond = |name: &GeneralName| match name {
            GeneralName::Rfc822Name(_) => constrains(|base| matches!(base, GeneralName::Rfc822Name(_))),
            GeneralName::DnsName(name) => {
                name.as_str().strip_prefix("*.").is_some_and(|rest| !rest.contains('.'))
                    && constrains(|base| matches!(base, GeneralName::DnsName(_)))
            }
            _ => false,
        };
        if names.iter().any(beyond) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names that count: the CSR's own, or those beside it.
struct Effective<'a> {
    common_name: Option<&'a Drawn>,
    alternative_names: Vec<Drawn>,
    serial_numbers: &'a [String],
    user_ids: &'a [String],
}

fn effective<'a>(role: &RoleConfig, request: &'a DrawnRequest) -> Effective<'a> {
    let none = &NONE;
    let DrawnRequest { names: beside, in_csr, .. } = request;
    let csr = in_csr.as_ref().unwrap_or(none);
    let first = |beside: &'a [String], csr: &'a [String]| if beside.is_empty() { csr } else { beside };
    let alternative_names = if in_csr.is_some() && role.use_csr_sans {
        let other = |name: &&Drawn| matches!(name, Drawn::Other(..));
        csr.alternative_names.iter().chain(beside.alternative_names.iter().filter(other)).cloned().collect()
    } else {
        beside.alternative_names.clone()
    };
    Effective {
        common_name: csr
            .common_name
            .as_ref()
            .filter(|_| role.use_csr_common_name)
            .or(beside.common_name.as_ref()),
        alternative_names,
        serial_numbers: first(&beside.serial_numbers, &csr.serial_numbers),
        user_ids: first(&beside.user_ids, &csr.user_ids),
    }
}

fn names(role: &RoleConfig, request: &DrawnRequest, certificate: &Certificate) -> Result<(), Complaint> {
    let effective = effective(role, request);
    let mut expected = effective.alternative_names.clone();
    match effective.common_name {
        Some(name @ (Drawn::Dns(_) | Drawn::Email(_))) if !request.exclude_common_name => {
            expected.push(name.clone());
        }
        _ => {}
    }
    expected.sort();
    expected.dedup();
    let found: Option<(bool, SubjectAltName)> =
        certificate.tbs_certificate().get_extension().map_err(|error: der::Error| error.to_string())?;
    let mut present = Vec::new();
    for name in found.iter().flat_map(|(_, names)| &names.0) {
        present.push(drawn(name)?);
    }
    let count = present.len();
    present.sort();
    present.dedup();
    if count != present.len() {
        return Err(format!("a name is there twice: {present:?}"));
    }
    if present != expected {
        return Err(format!("the names are {present:?}, asked for are {expected:?}"));
    }
    // RFC 5280 4.2.1.6: critical where there is no subject.
    let empty = certificate.tbs_certificate().subject().is_empty();
    if found.is_some_and(|(critical, _)| critical != empty) {
        return Err("the criticality of the alternative names is wrong".to_owned());
    }
    let refused = present.iter().find(|name| !alternative_name(role, name));
    refused.map_or(Ok(()), |name| Err(format!("the role does not permit {name:?}")))
}

fn drawn(name: &GeneralName) -> Result<Drawn, Complaint> {
    Ok(match name {
        GeneralName::DnsName(name) => Drawn::Dns(name.to_string()),
        GeneralName::Rfc822Name(name) => Drawn::Email(name.to_string()),
        GeneralName::UniformResourceIdentifier(name) => Drawn::Uri(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let v4: Option<[u8; 4]> = octets.try_into().ok();
            let v6: Option<[u8; 16]> = octets.try_into().ok();
            let address = v4.map(IpAddr::from).or_else(|| v6.map(IpAddr::from));
            Drawn::Ip(address.ok_or("an iPAddress of another length")?)
        }
        GeneralName::OtherName(name) => {
            let value = name.value.decode_as::<String>().map_err(|error| error.to_string())?;
            Drawn::Other(name.type_id.to_string(), value)
        }
        other => return Err(format!("a name of another kind: {other:?}")),
    })
}

fn alternative_name(role: &RoleConfig, name: &Drawn) -> bool {
    match name {
        Drawn::Dns(text) => (role.allow_wildcard_certificates || !text.contains('*')) && domain(role, text),
        Drawn::Email(text) => domain(role, &text.to_lowercase()),
        Drawn::Ip(address) => {
            role.allow_ip_sans
                && (role.allowed_ip_sans_cidr.is_empty()
                    || role.allowed_ip_sans_cidr.iter().any(|network| in_network(network, *address)))
        }
        Drawn::Uri(text) => uri(role, text),
        Drawn::Other(id, value) => {
            role.allowed_other_sans.iter().any(|allowed| match allowed.split_once(";utf8:") {
                Some((allowed_id, pattern)) => {
                    allowed_id == id && matches(&pattern.to_lowercase(), &value.to_lowercase())
                }
                None => allowed == "*" && role.allowed_other_sans.len() == 1,
            })
        }
        Drawn::Text(_) => false,
    }
}

/// Section 3 of Vault's rules: bare domains, sub-domains, patterns, this host's own name.
fn domain(role: &RoleConfig, text: &str) -> bool {
    if role.allow_any_name {
        return true;
    }
    let host = text.rsplit_once('@').map(|(_, host)| host);
    let full = host.unwrap_or(text);
    let is_below = |domain: &str| {
        let below = full.len() > domain.len() + 1 && full.ends_with(&format!(".{domain}"));
        // `*.example.com` and `example.com`: a wildcard of the domain is below it.
        below || full.strip_prefix("*.") == Some(domain)
    };
    let own = ["localhost", "localdomain"];
    if role.allow_localhost && host.is_none() {
        if own.contains(&text) {
            return true;
        }
        if role.allow_subdomains && own.into_iter().any(is_below) {
            return true;
        }
    }
    role.allowed_domains.iter().map(|domain| a_label(domain)).any(|domain| {
        (role.allow_bare_domains && (text == domain || host == Some(domain.as_str())))
            || (role.allow_subdomains && is_below(&domain))
            || (role.allow_glob_domains && domain.contains('*') && matches(&domain, text))
    })
}

fn uri(role: &RoleConfig, text: &str) -> bool {
    role.allowed_uri_sans.iter().any(|pattern| matches(&pattern.to_lowercase(), &text.to_lowercase()))
}

/// The one U-label that roles are drawn with.
fn a_label(domain: &str) -> String {
    domain.to_lowercase().replace("bücher", "xn--bcher-kva")
}

/// `*` matches any characters; by trying every length, which is slow and plain.
fn matches(pattern: &str, text: &str) -> bool {
    let mut characters = pattern.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = characters.as_str();
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.filter_map(|at| text.get(at..)).any(|text| matches(rest, text))
        }
        Some(wanted) => {
            let mut text = text.chars();
            text.next() == Some(wanted) && matches(characters.as_str(), text.as_str())
        }
    }
}

fn in_network(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (IpAddr::from_str(base), bits.parse::<u32>()) else { return false };
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((base, length), (address, other)) = (number(base), number(address));
    length == other && (base ^ address).checked_shr(length - bits).unwrap_or(0) == 0
}

fn subject(role: &RoleConfig, request: &DrawnRequest, certificate: &Certificate) -> Result<(), Complaint> {
    let effective = effective(role, request);
    let mut expected: Vec<(&str, String)> = Vec::new();
    for (id, values) in [
        ("2.5.4.6", &role.country),
        ("2.5.4.10", &role.organization),
        ("2.5.4.11", &role.ou),
        ("2.5.4.7", &role.locality),
    ] {
        expected.extend(values.iter().map(|value| (id, value.clone())));
    }
    match effective.common_name {
        Some(Drawn::Ip(address)) => expected.push(("2.5.4.3", address.to_string())),
        Some(Drawn::Dns(text) | Drawn::Email(text) | Drawn::Text(text)) => {
            expected.push(("2.5.4.3", text.clone()));
        }
        _ => {}
    }
    for (id, values, allowed) in [
        ("2.5.4.5", effective.serial_numbers, &role.allowed_serial_numbers),
        ("0.9.2342.19200300.100.1.1", effective.user_ids, &role.allowed_user_ids),
    ] {
        for value in values {
            if !allowed.iter().any(|pattern| matches(pattern, value)) {
                return Err(format!("the role does not permit {value:?} for {id} in the subject"));
            }
            expected.push((id, value.clone()));
        }
    }
    let mut present: Vec<(String, String)> = Vec::new();
    for attribute in certificate.tbs_certificate().subject().iter() {
        let value = std::str::from_utf8(attribute.value.value()).map_err(|error| error.to_string())?;
        present.push((attribute.oid.to_string(), value.to_owned()));
    }
    let mut expected: Vec<(String, String)> =
        expected.into_iter().map(|(id, value)| (id.to_owned(), value)).collect();
    expected.sort();
    expected.dedup();
    present.sort();
    if present != expected {
        return Err(format!("the subject is {present:?}, permitted is {expected:?}"));
    }
    if effective.common_name.is_none() && role.require_cn {
        return Err("there is no common name".to_owned());
    }
    if present.is_empty() && certificate.tbs_certificate().extensions().is_none() {
        return Err("the certificate names nobody".to_owned());
    }
    Ok(())
}

fn uses(role: &RoleConfig, certificate: &Certificate) -> Result<(), Complaint> {
    let tbs = certificate.tbs_certificate();
    let found: Option<(bool, ExtendedKeyUsage)> =
        tbs.get_extension().map_err(|error: der::Error| error.to_string())?;
    let mut present: Vec<String> =
        found.iter().flat_map(|(_, usages)| &usages.0).map(ToString::to_string).collect();
    let flags = [
        (role.server_flag, "1.3.6.1.5.5.7.3.1"),
        (role.client_flag, "1.3.6.1.5.5.7.3.2"),
        (role.code_signing_flag, "1.3.6.1.5.5.7.3.3"),
        (role.email_protection_flag, "1.3.6.1.5.5.7.3.4"),
    ];
    let named = role.ext_key_usage.iter().map(|name| match name.to_lowercase().as_str() {
        "clientauth" => "1.3.6.1.5.5.7.3.2",
        "codesigning" => "1.3.6.1.5.5.7.3.3",
        "timestamping" => "1.3.6.1.5.5.7.3.8",
        _ => "a purpose that no role is drawn with",
    });
    let flags = flags.iter().filter(|(flag, _)| *flag).map(|(_, id)| *id);
    let by_oid = role.ext_key_usage_oids.iter().map(String::as_str);
    let mut expected: Vec<String> = flags.chain(named).chain(by_oid).map(str::to_owned).collect();
    expected.sort();
    expected.dedup();
    present.sort();
    if present != expected {
        return Err(format!("the purposes are {present:?}, the role's are {expected:?}"));
    }

    let found: Option<(bool, KeyUsage)> =
        tbs.get_extension().map_err(|error: der::Error| error.to_string())?;
    let Some((_, KeyUsage(present))) = found else {
        return if role.key_usage.is_empty() { Ok(()) } else { Err("there is no key usage".to_owned()) };
    };
    let possible = match key_type(certificate)? {
        RoleKeyType::Rsa => {
            KeyUsages::DigitalSignature
                | KeyUsages::NonRepudiation
                | KeyUsages::KeyEncipherment
                | KeyUsages::DataEncipherment
        }
        RoleKeyType::Ec => {
            KeyUsages::DigitalSignature
                | KeyUsages::NonRepudiation
                | KeyUsages::KeyAgreement
                | KeyUsages::EncipherOnly
                | KeyUsages::DecipherOnly
        }
        _ => KeyUsages::DigitalSignature | KeyUsages::NonRepudiation,
    };
    let listed = role.key_usage.iter().fold(der::flagset::FlagSet::default(), |all, name| {
        all | match name.to_lowercase().as_str() {
            "digitalsignature" => KeyUsages::DigitalSignature,
            "contentcommitment" => KeyUsages::NonRepudiation,
            "keyencipherment" => KeyUsages::KeyEncipherment,
            "keyagreement" => KeyUsages::KeyAgreement,
            _ => KeyUsages::EncipherOnly,
        }
    });
    if present != listed & possible || present.is_empty() {
        return Err(format!("the key usage is {present:?}, the role's is {listed:?}"));
    }
    Ok(())
}

fn key_type(certificate: &Certificate) -> Result<RoleKeyType, Complaint> {
    let algorithm = &certificate.tbs_certificate().subject_public_key_info().algorithm;
    match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Ok(RoleKeyType::Rsa),
        "1.2.840.10045.2.1" => Ok(RoleKeyType::Ec),
        "1.3.101.112" => Ok(RoleKeyType::Ed25519),
        other => Err(format!("a key of another type: {other}")),
    }
}

fn key(role: &RoleConfig, certificate: &Certificate) -> Result<(), Complaint> {
    let found = key_type(certificate)?;
    if role.key_type != RoleKeyType::Any && role.key_type != found {
        return Err(format!("the key is {found:?}, the role's type is {:?}", role.key_type));
    }
    let info = certificate.tbs_certificate().subject_public_key_info();
    let octets = info.subject_public_key.raw_bytes().len();
    let bits = match found {
        // An uncompressed point: two coordinates and an octet.
        RoleKeyType::Ec => match octets {
            65 => 256,
            97 => 384,
            133 => 521,
            other => return Err(format!("a point of {other} octets")),
        },
        // The modulus, with some 14 octets around it and the exponent.
        RoleKeyType::Rsa => u32::try_from(octets / 128 * 1_024).map_err(|error| error.to_string())?,
        _ => return Ok(()),
    };
    let least = match (role.key_type, role.key_bits) {
        (RoleKeyType::Any, _) => 0,
        (RoleKeyType::Rsa, 0) => 2048,
        (_, bits) => bits,
    };
    if bits < least { Err(format!("a key of {bits} bits, the role wants {least}")) } else { Ok(()) }
}

fn validity(
    role: &RoleConfig,
    house: &House,
    signer: &Signer,
    certificate: &Certificate,
) -> Result<(), Complaint> {
    let validity = certificate.tbs_certificate().validity();
    let begin = validity.not_before.to_unix_duration().as_secs();
    let end = validity.not_after.to_unix_duration().as_secs();
    let now = house.now.as_secs();
    let backdate = if role.not_before_duration == 0 { 30 } else { role.not_before_duration };
    if begin != now - backdate {
        return Err(format!("it begins at {begin}, {backdate} before {now} is due"));
    }
    let mount = house.limits.max_ttl.as_secs();
    let longest = if role.max_ttl == 0 { mount } else { role.max_ttl.min(mount) };
    if end <= now || end > now + longest {
        return Err(format!("it ends at {end}, at most {longest} after {now} is permitted"));
    }
    let may_outlive = match role.leaf_not_after_behavior {
        RoleNotAfterBehavior::Permit => true,
        RoleNotAfterBehavior::Issuer => signer.leaf_not_after == pki_core::hierarchy::LeafNotAfter::Permit,
        _ => false,
    };
    for member in signer.chain.members() {
        let member = Certificate::from_der(member.certificate().der()).map_err(|error| error.to_string())?;
        let above = member.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        if end > above && !may_outlive {
            return Err(format!("it ends at {end}, after its chain at {above}"));
        }
    }
    Ok(())
}

fn extensions(role: &RoleConfig, certificate: &Certificate) -> Result<(), Complaint> {
    const KEY_USAGE: &str = "2.5.29.15";
    const ALTERNATIVE_NAMES: &str = "2.5.29.17";
    const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
    const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
    const POLICIES: &str = "2.5.29.32";
    const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    const NO_REVOCATION_AVAILABLE: &str = "2.5.29.56";
    let tbs = certificate.tbs_certificate();
    let extensions = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
    let ids: Vec<String> = extensions.iter().map(|extension| extension.extn_id.to_string()).collect();
    for id in &ids {
        let known = [
            KEY_USAGE,
            ALTERNATIVE_NAMES,
            EXTENDED_KEY_USAGE,
            SUBJECT_KEY_IDENTIFIER,
            AUTHORITY_KEY_IDENTIFIER,
            NO_REVOCATION_AVAILABLE,
            POLICIES,
            BASIC_CONSTRAINTS,
        ];
        if !known.contains(&id.as_str()) {
            return Err(format!("an extension that nobody asked for: {id}"));
        }
    }
    let found: Option<(bool, CertificatePolicies)> =
        tbs.get_extension().map_err(|error: der::Error| error.to_string())?;
    let policies = found.map(|(_, CertificatePolicies(policies))| policies).unwrap_or_default();
    let present: Vec<String> = policies.iter().map(|policy| policy.policy_identifier.to_string()).collect();
    let expected: Vec<&str> = role.policy_identifiers.iter().map(|policy| policy.oid.as_str()).collect();
    if present != expected {
        return Err(format!("the policies are {present:?}, the role's are {expected:?}"));
    }
    let found: Option<(bool, BasicConstraints)> =
        tbs.get_extension().map_err(|error: der::Error| error.to_string())?;
    if found.as_ref().is_some_and(|(_, constraints)| constraints.ca)
        || found.is_some() != role.basic_constraints_valid_for_non_ca
    {
        return Err(format!("the basic constraints are {found:?}"));
    }
    if ids.iter().any(|id| id == NO_REVOCATION_AVAILABLE) != (role.storage == Storage::None) {
        return Err("what it says of revocation is not what the role says".to_owned());
    }
    // RSASSA-PSS where the role wants it and the issuer's key can.
    let algorithm = certificate.signature_algorithm().oid;
    let (pkcs1, pss) = ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.10");
    let id =
        ObjectIdentifier::new(if role.use_pss { pkcs1 } else { pss }).map_err(|error| error.to_string())?;
    if algorithm == id {
        return Err(format!("signed with {algorithm}, though use_pss is {}", role.use_pss));
    }
    let inner = tbs.signature().to_der().map_err(|error| error.to_string())?;
    let outer = certificate.signature_algorithm().to_der().map_err(|error| error.to_string())?;
    if inner == outer { Ok(()) } else { Err("the two signature algorithms differ".to_owned()) }
}

static NONE: DrawnNames = DrawnNames {
    common_name: None,
    alternative_names: Vec::new(),
    serial_numbers: Vec::new(),
    user_ids: Vec::new(),
};
