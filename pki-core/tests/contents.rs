//! What stands in certificates: from the role, from the request, and from CSRs that OpenSSL made.

#![cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use pki_core::certificate::{Certificate, Place};
use pki_core::csr::CertificationRequest;
use pki_core::explain::{RuleId, Warning};
use pki_core::extension::{Criticality, Endpoints, Extension, PolicyInformation};
use pki_core::hierarchy::CaRequest;
use pki_core::issue::{AskedNames, CommonName, IssueRequest, Permitted, SignRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyAlgorithm, PublicKey, SigningKey};
use pki_core::name::{DistinguishedName, GeneralName};
use pki_core::profile::{ExtendedKeyUsage, KeyUsage};
use pki_core::random::RandomError;
use pki_core::role::{Limits, PolicyIdentifier, Role, RoleConfig, RoleKeyType};
use pki_core::time::UnixTime;

/// Everything that a CSR can ask for, in OpenSSL's words.
const EVERYTHING: &str = "
[req]
prompt = no
string_mask = utf8only
distinguished_name = dn
req_extensions = v3
[dn]
0.OU = Zebra
1.OU = Ape
O = Example
+C = DE
serialNumber = f00bar
UID = humanoid
CN = www.example.com
[v3]
subjectAltName = DNS:www.example.com,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ops@example.com,RID:1.2.3.4,dirName:dir
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = clientAuth,1.3.6.1.4.1.311.20.2.2
basicConstraints = CA:FALSE
certificatePolicies = 1.2.3.4.5
tlsfeature = status_request
1.2.3.4.5.6 = critical,ASN1:UTF8String:mine
[dir]
CN = a directory name
";

/// A CSR of OpenSSL's making, with a new key.
fn csr(config: &str) -> CertificationRequest {
    let dir = std::env::temp_dir().join(format!("pki-contents-{}", random_hex()));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("req.cnf"), config).unwrap();
    let output = Command::new("openssl")
        .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-config", "req.cnf", "-keyout", "key.pem", "-out", "req.pem"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pem = std::fs::read_to_string(dir.join("req.pem")).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    CertificationRequest::from_pem(&pem, &Verifier).unwrap()
}

fn random_hex() -> String {
    let mut octets = [0_u8; 8];
    getrandom::fill(&mut octets).unwrap();
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A role that takes everything from a CSR.
fn verbatim() -> RoleConfig {
    RoleConfig {
        allow_any_name: true,
        require_cn: false,
        enforce_hostnames: false,
        cn_validations: vec!["disabled".to_owned()],
        allowed_uri_sans: vec!["*".to_owned()],
        allowed_other_sans: vec!["*".to_owned()],
        allow_other_san_kinds: true,
        allowed_serial_numbers: vec!["*".to_owned()],
        allowed_user_ids: vec!["*".to_owned()],
        key_type: RoleKeyType::Any,
        use_csr_subject: true,
        use_csr_extensions: true,
        basic_constraints_valid_for_non_ca: true,
        ..RoleConfig::default()
    }
}

fn sign(permitted: Permitted<PublicKey>) -> Certificate {
    let name = DistinguishedName::with_common_name("Test Root").unwrap();
    let limits = Limits { max_ttl: std::time::Duration::from_secs(3_600_000), ..Limits::default() };
    let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng()).unwrap();
    let request =
        CaRequest { lifetime: pki_core::issue::AskedLifetime::Ttl(limits.max_ttl), ..CaRequest::new(name) };
    let root = Issuer::self_signed(request, key, &limits, now(), &mut rng()).unwrap();
    root.issue(permitted, &Endpoints::default(), now(), &mut rng()).unwrap()
}

fn issue(config: RoleConfig, request: IssueRequest) -> Result<Certificate, RuleId> {
    let role = Role::new(RoleConfig { key_type: RoleKeyType::Ec, ..config }).unwrap();
    let permitted = role.permit(request, &Limits::default(), now()).map_err(|refusal| refusal.rule())?;
    let key = SoftwareKey::generate(permitted.key_algorithm(), &mut rng()).unwrap();
    Ok(sign(permitted.with_key(key.public_key().clone()).unwrap()))
}

fn named(name: &str) -> IssueRequest {
    let names = AskedNames { common_name: CommonName::parse(name).ok(), ..AskedNames::default() };
    IssueRequest { names, ..IssueRequest::default() }
}

fn value<'a>(certificate: &'a Certificate, id: &str) -> Option<&'a Extension> {
    certificate.extensions().iter().find(|extension| extension.id.to_string() == id)
}

#[test]
fn a_permissive_role_takes_over_everything_of_a_csr() {
    let csr = csr(EVERYTHING);
    let role = Role::new(verbatim()).unwrap();
    let permitted = role.permit_csr(SignRequest::new(csr.clone()), &Limits::default(), now()).unwrap();
    assert_eq!(permitted.warnings(), [], "nothing was dropped");
    let certificate = sign(permitted);
    // Order, repeats and the multi-valued RDN are the CSR's, octet for octet.
    assert_eq!(certificate.subject().der(), csr.subject().der());
    assert_eq!(
        certificate.subject().to_string(),
        "OU=Zebra, OU=Ape, C=DE + O=Example, serialNumber=f00bar, UID=humanoid, CN=www.example.com"
    );
    let names: Vec<String> =
        certificate.alternative_names().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "otherName:1.3.6.1.4.1.311.20.2.3;utf8:ops@example.com",
            "DNS:www.example.com",
            "other:88032a0304",
            "dirName:CN=a directory name"
        ]
    );
    assert_eq!(certificate.place(), Ok(Place::EndEntity));
    assert!(value(&certificate, "2.5.29.19").is_some(), "CA:FALSE is said");
    let usages: Vec<KeyUsage> = certificate.key_usages().unwrap().unwrap().iter().collect();
    assert_eq!(usages, [KeyUsage::DigitalSignature, KeyUsage::ContentCommitment]);
    for id in ["2.5.29.37", "2.5.29.32", "1.3.6.1.5.5.7.1.24", "1.2.3.4.5.6"] {
        let asked = csr.extensions().iter().find(|extension| extension.id.to_string() == id);
        assert_eq!(value(&certificate, id), asked, "{id}");
    }
    let mut ids: Vec<_> = certificate.extensions().iter().map(|extension| extension.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), certificate.extensions().len(), "each extension once");
}

#[test]
fn a_narrow_role_says_what_it_does_not_take_over() {
    let csr = csr(&EVERYTHING
        .replace(",otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ops@example.com,RID:1.2.3.4,dirName:dir", ""));
    let config = RoleConfig {
        allowed_domains: vec!["example.com".to_owned()],
        allow_subdomains: true,
        key_type: RoleKeyType::Ec,
        organization: vec!["Example".to_owned()],
        allowed_serial_numbers: vec!["f00*".to_owned()],
        allowed_user_ids: vec!["human*".to_owned()],
        allowed_extensions: vec!["1.2.3.4.5.6;critical".to_owned()],
        ..RoleConfig::default()
    };
    let role = Role::new(config).unwrap();
    let permitted = role.permit_csr(SignRequest::new(csr), &Limits::default(), now()).unwrap();
    let ignored: Vec<String> = permitted.warnings().iter().map(ToString::to_string).collect();
    for part in [
        "basic constraints",
        "a key usage",
        "an extended key usage",
        "policies",
        "the extension 1.3.6.1.5.5.7.1.24",
        "subject attributes OU=Zebra, OU=Ape, C=DE",
    ] {
        assert!(ignored.iter().any(|warning| warning.contains(part)), "{part}: {ignored:?}");
    }
    assert_eq!(ignored.len(), 6, "{ignored:?}");
    let certificate = sign(permitted);
    let subject = "O=Example, CN=www.example.com, serialNumber=f00bar, UID=humanoid";
    assert_eq!(certificate.subject().to_string(), subject);
    let own = value(&certificate, "1.2.3.4.5.6").unwrap();
    assert_eq!((own.critical, own.value.as_slice()), (Criticality::Critical, &b"\x0c\x04mine"[..]));
}

#[test]
fn a_csr_is_refused_rule_by_rule() {
    let base = csr(EVERYTHING);
    type Change = fn(&mut RoleConfig);
    let plain = |extensions: &str| {
        csr(&format!(
            "[req]\nprompt=no\ndistinguished_name=dn\nreq_extensions=v3\n[dn]\nCN=www.example.com\n[v3]\n{extensions}\n"
        ))
    };
    let certifies = plain("keyUsage=keyCertSign,digitalSignature");
    let odd_policies = plain("2.5.29.32=DER:3003020101");
    let odd_usage = plain("2.5.29.15=DER:0c0161");
    let odd_purposes = plain("2.5.29.37=DER:0c0161");
    let odd_value = plain("1.2.3.4=DER:0c05");
    let odd_name = csr(
        "[req]\nprompt=no\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n0.CN=www.evil.test\n1.CN=www.example.com\n",
    );
    let table: [(&str, &CertificationRequest, Change, RuleId); 13] = [
        ("serialNumber", &base, |r| r.allowed_serial_numbers.clear(), RuleId::SUBJECT_SERIAL_NUMBER),
        ("user id", &base, |r| r.allowed_user_ids = vec!["robot".into()], RuleId::SUBJECT_USER_ID),
        ("other name", &base, |r| r.allowed_other_sans.clear(), RuleId::OTHER_NAME_ALLOWED),
        ("further kinds", &base, |r| r.allow_other_san_kinds = false, RuleId::SAN_KIND),
        ("a domain", &base, |r| r.allow_any_name = false, RuleId::NAME_DOMAIN),
        ("signs certificates", &certifies, |_| (), RuleId::KEY_USAGE_END_ENTITY),
        ("policies that are none", &odd_policies, |_| (), RuleId::EXTENSION_VALUE),
        ("a usage that is none", &odd_usage, |_| (), RuleId::EXTENSION_VALUE),
        ("purposes that are none", &odd_purposes, |_| (), RuleId::EXTENSION_VALUE),
        ("a value that is no DER", &odd_value, |_| (), RuleId::EXTENSION_VALUE),
        (
            "a common name before the last",
            &odd_name,
            |r| {
                (r.allow_any_name, r.allow_subdomains) = (false, true);
                (r.allowed_domains, r.cn_validations) = (vec!["example.com".into()], vec![]);
            },
            RuleId::NAME_DOMAIN,
        ),
        ("keys", &base, |r| r.key_type = RoleKeyType::Rsa, RuleId::KEY_TYPE),
        ("e-mail alone", &base, |r| r.cn_validations = vec!["email".into()], RuleId::COMMON_NAME_KIND),
    ];
    for (row, csr, change, wanted) in table {
        let mut config = verbatim();
        change(&mut config);
        let role = Role::new(config).unwrap();
        let refusal = role.permit_csr(SignRequest::new(csr.clone()), &Limits::default(), now()).unwrap_err();
        assert_eq!(refusal.rule(), wanted, "{row}: {refusal}");
    }
}

#[test]
fn extensions_of_a_requesters_own() {
    let role = |allowed: &[&str]| RoleConfig {
        allowed_extensions: allowed.iter().map(|&entry| entry.to_owned()).collect(),
        ..RoleConfig::default()
    };
    let one = |id: &str, critical| Extension::utf8(id.parse().unwrap(), critical, "x");
    use Criticality::{Critical, NonCritical};
    let broken = Extension { value: vec![0x0c, 5, b'a'], ..one("1.2.3.4", NonCritical) };
    let ask = |config, extensions: &[Extension]| {
        issue(config, IssueRequest { extensions: extensions.to_vec(), ..named("localhost") })
    };
    for (row, allowed, asked, refused) in [
        ("none allowed", &[][..], one("1.2.3.4", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        ("another one", &["1.2.3.5"], one("1.2.3.4", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        ("allowed", &["1.2.3.4"], one("1.2.3.4", NonCritical), None),
        (
            "critical where it may not be",
            &["1.2.3.4"],
            one("1.2.3.4", Critical),
            Some(RuleId::EXTENSION_CRITICAL),
        ),
        ("critical", &["1.2.3.4", "1.2.3.4;critical"], one("1.2.3.4", Critical), None),
        ("less critical than it may be", &["1.2.3.4;critical"], one("1.2.3.4", NonCritical), None),
        ("all", &["*"], one("1.2.3.4", NonCritical), None),
        ("all, critical", &["*"], one("1.2.3.4", Critical), Some(RuleId::EXTENSION_CRITICAL)),
        ("all, as critical as one likes", &["*; Critical"], one("1.2.3.4", Critical), None),
        ("all but the issuer's own", &["*"], one("2.5.29.35", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        ("all but names", &["*"], one("2.5.29.17", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        ("all but constraints", &["*"], one("2.5.29.19", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        ("all but usages", &["*"], one("2.5.29.15", NonCritical), Some(RuleId::EXTENSION_ALLOWED)),
        (
            "all but CT's",
            &["*"],
            one("1.3.6.1.4.1.11129.2.4.3", NonCritical),
            Some(RuleId::EXTENSION_ALLOWED),
        ),
        ("a broken value", &["*"], broken, Some(RuleId::EXTENSION_VALUE)),
    ] {
        match ask(role(allowed), std::slice::from_ref(&asked)) {
            Ok(certificate) => {
                assert_eq!(refused, None, "{row}");
                assert_eq!(value(&certificate, "1.2.3.4"), Some(&asked), "{row}");
            }
            Err(rule) => assert_eq!(Some(rule), refused, "{row}"),
        }
    }
    let twice = [one("1.2.3.4", NonCritical), one("1.2.3.4", NonCritical)];
    assert_eq!(ask(role(&["*"]), &twice), Err(RuleId::EXTENSION_ALLOWED));
    for wrong in ["1", "x;critical", "1.2.3;always", "2.5.29.15", "2.5.29.35;critical", ""] {
        assert!(Role::new(role(&[wrong])).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_role_writes_into_certificates() {
    let config = RoleConfig {
        ext_key_usage: vec!["TimeStamping".to_owned()],
        ext_key_usage_oids: ["1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.1"].map(str::to_owned).to_vec(),
        policy_identifiers: vec![
            PolicyIdentifier::new("1.3.6.1.4.1.1.1".to_owned()),
            PolicyIdentifier {
                oid: "1.3.6.1.4.1.7.8".to_owned(),
                notice: "Ünread".to_owned(),
                cps: "https://example.com/cps".to_owned(),
            },
        ],
        basic_constraints_valid_for_non_ca: true,
        ou: ["Z", "E", "V", "Z"].map(str::to_owned).to_vec(),
        allowed_user_ids: vec!["*".to_owned()],
        allowed_serial_numbers: vec!["*".to_owned()],
        ..RoleConfig::default()
    };
    let mut request = named("localhost");
    request.names.user_ids = vec!["b".to_owned(), "a".to_owned()];
    request.names.subject_serial_numbers = vec!["7".to_owned()];
    let certificate = issue(config, request).unwrap();
    let subject = "OU=E + OU=V + OU=Z, CN=localhost, serialNumber=7, UID=a + UID=b";
    assert_eq!(certificate.subject().to_string(), subject);
    let purposes: Vec<String> =
        certificate.extended_key_usages().unwrap().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(purposes, ["ServerAuth", "ClientAuth", "TimeStamping", "1.3.6.1.4.1.311.20.2.2"]);
    let policies = certificate.policies().unwrap();
    let text =
        |policy: &PolicyInformation| (policy.id.to_string(), policy.notice.clone(), policy.cps.clone());
    assert_eq!(
        policies.iter().map(text).collect::<Vec<_>>(),
        [
            ("1.3.6.1.4.1.1.1".to_owned(), String::new(), String::new()),
            ("1.3.6.1.4.1.7.8".to_owned(), "Ünread".to_owned(), "https://example.com/cps".to_owned())
        ]
    );
    let constraints = value(&certificate, "2.5.29.19").unwrap();
    assert_eq!((constraints.critical, constraints.value.as_slice()), (Criticality::Critical, &[0x30, 0][..]));
    assert_eq!(certificate.place(), Ok(Place::EndEntity));
    // None of it unless the role says so.
    let certificate = issue(RoleConfig::default(), named("localhost")).unwrap();
    assert_eq!(certificate.policies().unwrap(), []);
    assert_eq!(value(&certificate, "2.5.29.19"), None);
    let purposes = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];
    assert_eq!(certificate.extended_key_usages().unwrap().unwrap(), purposes);
}

#[test]
fn what_stands_beside_a_csr_and_does_not_count_is_said() {
    let csr = csr("[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN=localhost\nserialNumber=1\nUID=a\n");
    let config = RoleConfig {
        key_type: RoleKeyType::Ec,
        allowed_serial_numbers: vec!["*".to_owned()],
        allowed_user_ids: vec!["*".to_owned()],
        ..RoleConfig::default()
    };
    let mut request = SignRequest::new(csr);
    request.names = AskedNames {
        common_name: CommonName::parse("localdomain").ok(),
        alternative_names: vec![GeneralName::Ip("192.0.2.1".parse().unwrap())],
        subject_serial_numbers: vec!["2".to_owned()],
        user_ids: vec!["b".to_owned()],
        ..AskedNames::default()
    };
    let beside = |role: RoleConfig| {
        let permitted =
            Role::new(role).unwrap().permit_csr(request.clone(), &Limits::default(), now()).unwrap();
        (permitted.subject().to_string(), permitted.warnings().to_vec())
    };
    let of = |field, switch| Warning::BesideCsr { field, switch };
    let replaced = |part: &str| Warning::CsrValueReplaced { part: part.to_owned() };
    let (subject, warnings) = beside(config.clone());
    assert_eq!(subject, "CN=localhost, serialNumber=2, UID=b");
    let wanted = [
        of("ip_sans", "use_csr_sans"),
        of("common_name", "use_csr_common_name"),
        replaced("serialNumber 1"),
        replaced("user ids a"),
    ];
    assert_eq!(warnings, wanted);
    let (subject, warnings) = beside(RoleConfig { use_csr_subject: true, ..config });
    assert_eq!(subject, "CN=localhost, serialNumber=1, UID=a");
    let wanted = [
        of("ip_sans", "use_csr_sans"),
        of("common_name", "use_csr_subject"),
        of("serial_number", "use_csr_subject"),
        of("user_ids", "use_csr_subject"),
    ];
    assert_eq!(warnings, wanted);
}

fn now() -> UnixTime {
    UnixTime::parse_rfc3339("2026-11-23T06:00:00Z").unwrap()
}

fn rng() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}
