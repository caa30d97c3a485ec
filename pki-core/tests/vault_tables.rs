//! Vault's tables of names, row by row: sheet of Vault's behaviour, sections 3.7 to 3.9.
//!
//! A row that we decide otherwise says why; docs/DEVIATIONS.md has the reasons in full.

#![cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use pki_core::csr::CertificationRequest;
use pki_core::explain::{Refusal, RuleId, Warning};
use pki_core::extension::Endpoints;
use pki_core::hierarchy::CaRequest;
use pki_core::identity::{Alias, Identity};
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, CommonNameInSans, IssueRequest, SignRequest};
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyAlgorithm, KeyType, SigningKey};
use pki_core::name::{AttributeType, DistinguishedName, DnsName, EmailAddress, GeneralName, OtherName, Uri};
use pki_core::random::RandomError;
use pki_core::role::{Limits, Role, RoleConfig, RoleKeyType};
use pki_core::time::UnixTime;

use Verdict::{Accept, Refuse};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accept,
    Refuse,
}

/// Row, allowed_domains, the switches bare, glob, subdomains, localhost, wildcards (`*`: the same for both), what the
/// common name is validated as, the common name, the verdict.
const TABLE_A: [(&str, &str, &str, &str, &str, Verdict); 110] = [
    ("A0", "*.*.foo", "*0***", "", "baz.fud.bar.foo", Refuse),
    ("A1", "*.*.foo", "*0***", "", "*.fud.bar.foo", Refuse),
    ("A2", "*.*.foo", "*0***", "", "fud.bar.foo", Refuse),
    ("A3", "*.*.foo", "*0***", "", "*.bar.foo", Refuse),
    ("A4", "*.*.foo", "*0***", "", "bar.foo", Refuse),
    ("A5", "*.*.foo", "*0***", "", "*.foo", Refuse),
    ("A6", "*.foo", "*0***", "", "foo", Refuse),
    ("A7", "*.foo", "*0***", "", "baz.fud.bar.foo", Refuse),
    ("A8", "*.foo", "*0***", "", "*.fud.bar.foo", Refuse),
    ("A9", "*.foo", "*0***", "", "fud.bar.foo", Refuse),
    ("A10", "*.foo", "*0***", "", "*.bar.foo", Refuse),
    ("A11", "*.foo", "*0***", "", "bar.foo", Refuse),
    ("A12", "*.foo", "*0***", "", "foo", Refuse),
    ("A13", "*.*.foo", "***0*", "", "localhost", Refuse),
    ("A14", "*.*.foo", "***1*", "", "localhost", Accept),
    ("A15", "localhost", "1**0*", "", "localhost", Accept),
    ("A16", "localhost", "0**0*", "", "localhost", Refuse),
    ("A17", "localhost", "0**1*", "", "localhost", Accept),
    ("A18", "*.foo", "1***1", "", "*.foo", Accept),
    ("A19", "*.*.foo", "1****", "", "*.*.foo", Refuse),
    ("A20", "*.*.foo", "*10**", "", "baz.fud.bar.foo", Accept),
    ("A21", "*.*.foo", "*10*1", "", "*.fud.bar.foo", Accept),
    ("A22", "*.*.foo", "*10**", "", "fud.bar.foo", Accept),
    ("A23", "*.*.foo", "*10*1", "", "*.bar.foo", Accept),
    ("A24", "*.*.foo", "*10**", "", "bar.foo", Refuse),
    ("A25", "*.*.foo", "*10**", "", "*.foo", Refuse),
    ("A26", "*.*.foo", "*10**", "", "foo", Refuse),
    ("A27", "*.*.foo", "*11**", "", "baz.fud.bar.foo", Accept),
    ("A28", "*.*.foo", "*11*1", "", "*.fud.bar.foo", Accept),
    ("A29", "*.*.foo", "*11**", "", "fud.bar.foo", Accept),
    ("A30", "*.*.foo", "*11*1", "", "*.bar.foo", Accept),
    ("A31", "*.*.foo", "*11**", "", "bar.foo", Refuse),
    ("A32", "*.*.foo", "*11**", "", "*.foo", Refuse),
    ("A33", "*.*.foo", "*11**", "", "foo", Refuse),
    ("A34", "*.foo", "*10**", "", "baz.fud.bar.foo", Accept),
    ("A35", "*.foo", "*10*1", "", "*.fud.bar.foo", Accept),
    ("A36", "*.foo", "*10**", "", "fud.bar.foo", Accept),
    ("A37", "*.foo", "*10*1", "", "*.bar.foo", Accept),
    ("A38", "*.foo", "*10**", "", "bar.foo", Accept),
    ("A39", "*.foo", "*10**", "", "foo", Refuse),
    ("A40", "*.foo", "*11**", "", "baz.fud.bar.foo", Accept),
    ("A41", "*.foo", "*11*1", "", "*.fud.bar.foo", Accept),
    ("A42", "*.foo", "*11**", "", "fud.bar.foo", Accept),
    ("A43", "*.foo", "*11*1", "", "*.bar.foo", Accept),
    ("A44", "*.foo", "*11**", "", "bar.foo", Accept),
    ("A45", "*.foo", "*11**", "", "foo", Refuse),
    ("A46", "foo", "**0**", "", "baz.fud.bar.foo", Refuse),
    ("A47", "foo", "**0**", "", "*.fud.bar.foo", Refuse),
    ("A48", "foo", "**0**", "", "fud.bar.foo", Refuse),
    ("A49", "foo", "**0**", "", "*.bar.foo", Refuse),
    ("A50", "foo", "**0**", "", "bar.foo", Refuse),
    ("A51", "foo", "**0**", "", "*.foo", Refuse),
    ("A52", "foo", "0*0**", "", "foo", Refuse),
    ("A53", "foo", "1*0**", "", "foo", Accept),
    ("A54", "foo", "**1**", "", "baz.fud.bar.foo", Accept),
    ("A55", "foo", "**1*1", "", "*.fud.bar.foo", Accept),
    ("A56", "foo", "**1**", "", "fud.bar.foo", Accept),
    ("A57", "foo", "**1*1", "", "*.bar.foo", Accept),
    ("A58", "foo", "**1**", "", "bar.foo", Accept),
    ("A59", "foo", "**1*1", "", "*.foo", Accept),
    ("A60", "foo", "**1*1", "", "x*x.foo", Accept),
    ("A61", "foo", "**1*1", "", "*x.foo", Accept),
    ("A62", "foo", "**1*1", "", "x*.foo", Accept),
    ("A63", "foo", "0*1**", "", "foo", Refuse),
    ("A64", "foo", "1*1**", "", "foo", Accept),
    ("A65", "x*x.foo", "*1***", "", "xerox.foo", Accept),
    ("A66", "x*x.foo", "*1***", "", "xylophone.files.pyrex.foo", Accept),
    ("A67", "x*x.foo", "*1***", "", "xercex.bar.foo", Refuse),
    ("A68", "x*x.foo", "*1***", "", "bar.foo", Refuse),
    ("A69", "x*x.foo", "*1***", "", "*.foo", Refuse),
    ("A70", "x*x.foo", "*1***", "", "*.x*x.foo", Refuse),
    ("A71", "x*x.foo", "*1***", "", "*.xyx.foo", Refuse),
    ("A72", "x*x.foo", "00***", "", "x*x.foo", Refuse),
    ("A73", "x*x.foo", "01**1", "", "x*x.foo", Accept),
    ("A74", "x*x.foo", "1***1", "", "x*x.foo", Accept),
    ("A75", "x.*.x.foo", "*1***", "", "xerox.foo", Refuse),
    ("A76", "x.*.x.foo", "*1***", "", "x.ero.x.foo", Accept),
    ("A77", "x.*.x.foo", "*1***", "", "xylophone.files.pyrex.foo", Refuse),
    ("A78", "x.*.x.foo", "*1***", "", "x.ylophone.files.pyre.x.foo", Accept),
    ("A79", "x.*.x.foo", "*1***", "", "xercex.bar.foo", Refuse),
    ("A80", "x.*.x.foo", "*1***", "", "bar.foo", Refuse),
    ("A81", "x.*.x.foo", "*1***", "", "*.foo", Refuse),
    ("A82", "x.*.x.foo", "*1***", "", "*.x.*.x.foo", Refuse),
    ("A83", "x.*.x.foo", "*1***", "", "*.x.y.x.foo", Refuse),
    ("A84", "*.foo", "*10*0", "", "*.fud.bar.foo", Refuse),
    ("A85", "*.foo", "*10*0", "", "*.bar.foo", Refuse),
    ("A86", "foo", "**1*0", "", "*.fud.bar.foo", Refuse),
    ("A87", "foo", "**1*0", "", "*.bar.foo", Refuse),
    ("A88", "foo", "**1*0", "", "*.foo", Refuse),
    ("A89", "foo", "**1*0", "", "x*x.foo", Refuse),
    ("A90", "foo", "**1*0", "", "*x.foo", Refuse),
    ("A91", "foo", "**1*0", "", "x*.foo", Refuse),
    ("A92", "x*x.foo", "1***0", "", "x*x.foo", Refuse),
    ("A93", "*.foo", "00***", "", "*.foo", Refuse),
    ("A94", "x.*.x.foo", "*****", "", "x.*.x.foo", Refuse),
    ("A95", "foo", "*****", "disabled", "*.fud.bar.foo", Accept),
    ("A96", "foo", "*****", "disabled", "*.fud.*.foo", Accept),
    ("A97", "foo", "*****", "disabled", "*.bar.*.bar", Accept),
    ("A98", "foo", "*****", "disabled", "foo@foo", Accept),
    ("A99", "foo", "*****", "disabled", "foo@foo@foo", Accept),
    ("A100", "foo", "*****", "disabled", "bar@bar@bar", Accept),
    ("A101", "foo", "11111", "email", "bar@bar@bar", Refuse),
    ("A102", "foo", "11111", "email", "bar@bar", Refuse),
    ("A103", "foo", "11111", "email", "bar@foo", Accept),
    ("A104", "foo", "11111", "hostname", "bar@foo", Refuse),
    ("A105", "foo", "11111", "hostname", "bar@bar", Refuse),
    ("A106", "foo", "11111", "hostname", "bar.foo", Accept),
    ("A107", "foo", "11111", "hostname", "bar.bar", Refuse),
    ("A108", "foo", "11111", "email", "bar.foo", Refuse),
    ("A109", "foo", "11111", "email", "bar.bar", Refuse),
];

#[test]
fn table_a() {
    let mut asked = 0;
    for (row, domain, switches, validations, common_name, wanted) in TABLE_A {
        for bits in 0..32_u32 {
            // Each `*` both ways; a fixed switch once.
            let set = |at: usize| match switches.as_bytes()[at] {
                b'*' => Some(bits & (1 << at) != 0),
                fixed => (bits & (1 << at) == 0).then_some(fixed == b'1'),
            };
            let [Some(bare), Some(glob), Some(sub), Some(localhost), Some(wildcard)] =
                [set(0), set(1), set(2), set(3), set(4)]
            else {
                continue;
            };
            let role = Role::new(RoleConfig {
                allowed_domains: vec![domain.to_owned()],
                allow_bare_domains: bare,
                allow_glob_domains: glob,
                allow_subdomains: sub,
                allow_localhost: localhost,
                allow_wildcard_certificates: wildcard,
                cn_validations: list(validations),
                enforce_hostnames: false,
                key_type: RoleKeyType::Ec,
                ..RoleConfig::default()
            })
            .unwrap();
            let names = AskedNames {
                common_name: Some(CommonName::parse(common_name).unwrap()),
                common_name_in_sans: CommonNameInSans::Exclude,
                ..AskedNames::default()
            };
            let outcome =
                role.permit(IssueRequest { names, ..IssueRequest::default() }, &Limits::default(), now());
            asked += 1;
            assert_eq!(verdict(&outcome), wanted, "{row} {bits:05b}: {outcome:?}");
        }
    }
    // So many combinations the stars of the table make.
    assert_eq!(asked, 1269);
}

/// The names of table B, and what each stage says about them.
const TABLE_B: [(&str, [&str; 8]); 10] = [
    // S0: nothing; S1: localhost; S2: foobar.com alone; S3: example.com with subdomains; S4: both, bare; S5: foobar.com
    // and *example.com as pattern; S6: any name, host names enforced; S7: not enforced.
    ("localhost", ["REJ", "accept", "accept", "accept", "accept", "accept", "accept", "accept"]),
    ("example.com", ["REJ", "REJ", "REJ", "REJ", "accept", "accept", "accept", "accept"]),
    ("foobar.com", ["REJ", "REJ", "REJ", "REJ", "accept", "accept", "accept", "accept"]),
    ("foo.example.com", ["REJ", "REJ", "REJ", "accept", "accept", "accept", "accept", "accept"]),
    ("*.example.com", ["REJ", "REJ", "REJ", "accept", "accept", "accept", "accept", "accept"]),
    ("foo.bar.example.com", ["REJ", "REJ", "REJ", "accept", "accept", "accept", "accept", "accept"]),
    ("*.bar.example.com", ["REJ", "REJ", "REJ", "accept", "accept", "accept", "accept", "accept"]),
    ("fooexample.com", ["REJ", "REJ", "REJ", "REJ", "REJ", "accept", "accept", "accept"]),
    ("daɪˈɛrɨsɨs", ["REJ", "REJ", "REJ", "REJ", "REJ", "REJ", "accept", "accept"]),
    ("porkslap.beer", ["REJ", "REJ", "REJ", "REJ", "REJ", "REJ", "accept", "accept"]),
];

/// The role of table B at one stage; each stage changes what the one before it left.
fn stage(number: usize) -> RoleConfig {
    let mut role = RoleConfig {
        allow_localhost: false,
        enforce_hostnames: false,
        key_type: RoleKeyType::Ec,
        ..RoleConfig::default()
    };
    let changes: [fn(&mut RoleConfig); 8] = [
        |_| (),
        |role| role.allow_localhost = true,
        |role| role.allowed_domains = list("foobar.com"),
        |role| (role.allowed_domains, role.allow_subdomains) = (list("example.com"), true),
        |role| (role.allowed_domains, role.allow_bare_domains) = (list("foobar.com,example.com"), true),
        |role| (role.allowed_domains, role.allow_glob_domains) = (list("foobar.com,*example.com"), true),
        |role| (role.allow_any_name, role.enforce_hostnames) = (true, true),
        |role| role.enforce_hostnames = false,
    ];
    changes[..=number].iter().for_each(|change| change(&mut role));
    role
}

#[test]
fn table_b() {
    // The key of the CA decides nothing about names; two kinds show that it signs what they became.
    let issuers = [KeyAlgorithm::EcP256, KeyAlgorithm::Ed25519].map(root);
    let leaf = key(KeyAlgorithm::EcP256);
    for number in 0..8 {
        let role = Role::new(stage(number)).unwrap();
        for (name, verdicts) in TABLE_B {
            let plain = if verdicts[number] == "accept" { Accept } else { Refuse };
            let mut rows = vec![(name.to_owned(), plain)];
            if !name.contains('*') {
                // Where only allow_localhost speaks for it, a mailbox at localhost is refused (9.1, 4).
                let spoken_for = !(name == "localhost" && number < 6);
                rows.push((format!("user@{name}"), if spoken_for { plain } else { Refuse }));
            }
            for (asked, wanted) in rows {
                let common_name = CommonName::parse(&asked).unwrap();
                let names = AskedNames { common_name: Some(common_name), ..AskedNames::default() };
                let issue = IssueRequest { names, ..IssueRequest::default() };
                let issued = role.permit(issue, &Limits::default(), now());
                assert_eq!(verdict(&issued), wanted, "S{number} issue {asked}: {issued:?}");
                let csr = csr(&[(AttributeType::CommonName, &asked)], &[], &leaf);
                let signed = role.permit_csr(SignRequest::new(csr), &Limits::default(), now());
                assert_eq!(verdict(&signed), wanted, "S{number} sign {asked}: {signed:?}");
                let Ok(permitted) = signed else { continue };
                assert_eq!(permitted.alternative_names(), issued.unwrap().alternative_names());
                for issuer in &issuers {
                    let endpoints = Endpoints::default();
                    let certificate = issuer.issue(permitted.clone(), &endpoints, now(), &mut rng()).unwrap();
                    // The text of the common name stays; the one SAN is in ASCII.
                    assert_eq!(certificate.subject().common_name().as_deref(), Some(asked.as_str()));
                    let names = certificate.alternative_names().unwrap();
                    assert_eq!(names.len(), 1);
                    assert!(names[0].value().is_ascii());
                }
            }
            // An empty common name is refused before anything else, at every stage.
            let nobody = role.permit(IssueRequest::default(), &Limits::default(), now());
            assert_eq!(nobody.unwrap_err().rule(), RuleId::COMMON_NAME_REQUIRED);
        }
    }
}

/// What a row of table C asks for, beside its role.
#[derive(Default)]
struct Row {
    common_name: &'static str,
    /// Kinds by prefix: `ip:`, `uri:`, `other:`; DNS names and e-mail addresses without one.
    sans: &'static str,
    serial_number: &'static str,
    user_ids: &'static str,
    identity: Option<Identity>,
    /// A CSR asks: its names in the same form, its serialNumber and user id.
    csr: Option<CsrRow>,
}

#[derive(Default)]
struct CsrRow {
    sans: &'static str,
    serial_number: &'static str,
    user_id: &'static str,
}

/// The granted names as OpenSSL prints them, or the rule that refused.
fn ask(role: &RoleConfig, row: Row) -> Result<Vec<String>, RuleId> {
    let role = Role::new(RoleConfig { key_type: RoleKeyType::Ec, ..role.clone() }).unwrap();
    let names = AskedNames {
        common_name: CommonName::parse(row.common_name).ok(),
        alternative_names: general_names(row.sans),
        subject_serial_numbers: list(row.serial_number),
        user_ids: list(row.user_ids),
        ..AskedNames::default()
    };
    let granted = match row.csr {
        None => role
            .permit(
                IssueRequest { names, identity: row.identity, ..IssueRequest::default() },
                &Limits::default(),
                now(),
            )
            .map(|permitted| permitted.alternative_names().to_vec()),
        Some(CsrRow { sans, serial_number, user_id }) => {
            let mut subject = Vec::new();
            let attributes = [(AttributeType::SerialNumber, serial_number), (AttributeType::UserId, user_id)];
            subject.extend(attributes.into_iter().filter(|(_, value)| !value.is_empty()));
            let csr = csr(&subject, &general_names(sans), &key(KeyAlgorithm::EcP256));
            let request = SignRequest { names, identity: row.identity, ..SignRequest::new(csr) };
            role.permit_csr(request, &Limits::default(), now())
                .map(|permitted| permitted.alternative_names().to_vec())
        }
    };
    granted
        .map(|names| names.iter().map(ToString::to_string).collect())
        .map_err(|refusal: Refusal| refusal.rule())
}

fn named(common_name: &'static str) -> Row {
    Row { common_name, ..Row::default() }
}

fn with_sans(sans: &'static str) -> Row {
    Row { common_name: "localhost", sans, ..Row::default() }
}

fn accepted(names: &[&str]) -> Result<Vec<String>, RuleId> {
    Ok(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn table_c_common_names() {
    let any = RoleConfig { allow_any_name: true, ..RoleConfig::default() };
    let bare = |domains| RoleConfig {
        allowed_domains: list(domains),
        allow_bare_domains: true,
        ..RoleConfig::default()
    };
    assert_eq!(ask(&RoleConfig::default(), named("")), Err(RuleId::COMMON_NAME_REQUIRED), "C0");
    // C1: without any name the certificate would name nobody, which conventions refuse; with a SAN it is accepted.
    let optional = RoleConfig { require_cn: false, ..any.clone() };
    assert_eq!(ask(&optional, named("")), Err(RuleId::SUBJECT_NOBODY), "C1");
    let row = Row { sans: "example.com", ..Row::default() };
    assert_eq!(ask(&optional, row), accepted(&["DNS:example.com"]), "C1");
    assert_eq!(ask(&any, named("example.com")), accepted(&["DNS:example.com"]), "C2");
    // C3: order is kept; letter case is not, since names compare without it everywhere.
    let row = Row { common_name: "Example.Net", sans: "eXaMPLe.COM", ..Row::default() };
    let wanted = accepted(&["DNS:example.net", "DNS:example.com"]);
    assert_eq!(ask(&bare("example.net,EXAMPLE.COM"), row), wanted, "C3");
    let mailbox = accepted(&["email:test@testemail.com"]);
    assert_eq!(ask(&bare("test@testemail.com"), named("test@testemail.com")), mailbox, "C4");
    assert_eq!(ask(&bare("testemail.com"), named("test@testemail.com")), mailbox, "C5");
    // C6: the role's values in the role's order, one RDN, whose order is DER's.
    let role = Role::new(RoleConfig { ou: list("Z,E,V"), key_type: RoleKeyType::Ec, ..any }).unwrap();
    assert_eq!(role.config().ou, ["Z", "E", "V"], "C6");
    let names = AskedNames { common_name: CommonName::parse("a.test").ok(), ..AskedNames::default() };
    let permitted =
        role.permit(IssueRequest { names, ..IssueRequest::default() }, &Limits::default(), now()).unwrap();
    assert_eq!(permitted.subject().to_string(), "OU=E + OU=V + OU=Z, CN=a.test", "C6");
}

#[test]
fn table_c_addresses() {
    let role = |allow, cidrs, from_csr| RoleConfig {
        allow_ip_sans: allow,
        allowed_ip_sans_cidr: list(cidrs),
        use_csr_sans: from_csr,
        ..RoleConfig::default()
    };
    let csr =
        |sans, of_csr| Row { csr: Some(CsrRow { sans: of_csr, ..CsrRow::default() }), ..with_sans(sans) };
    let (no, two) = (role(false, "", true), role(true, "4.3.2.1/32,1.2.3.4/31", true));
    let one = |from_csr| role(true, "8.8.8.8/32", from_csr);
    for (id, role, row, wanted) in [
        ("C7", &no, with_sans(""), Ok(&[][..])),
        ("C8", &no, with_sans("ip:127.0.0.1,ip:::1"), Err(RuleId::IP_ALLOWED)),
        // C9 is a text that is no address: it ends before any rule is asked.
        ("C10", &role(true, "", false), csr("ip:127.0.0.1", "ip:170.171.172.173"), Ok(&["IP:127.0.0.1"])),
        ("C11", &no, csr("", "ip:1.2.3.4"), Err(RuleId::IP_ALLOWED)),
        (
            "C12",
            &role(true, "", true),
            csr("ip:::1", "ip:1.2.3.4,ip:1.2.3.5"),
            Ok(&["IP:1.2.3.4", "IP:1.2.3.5"]),
        ),
        ("C13", &two, with_sans("ip:5.6.7.8"), Err(RuleId::IP_NETWORK)),
        ("C14", &two, with_sans("ip:1.2.3.4"), Ok(&["IP:1.2.3.4"])),
        ("C15", &two, with_sans("ip:1.2.3.4,ip:1.2.3.5"), Ok(&["IP:1.2.3.4", "IP:1.2.3.5"])),
        ("C16", &one(true), csr("", "ip:1.2.3.4"), Err(RuleId::IP_NETWORK)),
        ("C17", &one(false), csr("", "ip:1.2.3.4"), Ok(&[])),
        // More of the kind.
        ("one of two outside", &two, with_sans("ip:1.2.3.4,ip:5.6.7.8"), Err(RuleId::IP_NETWORK)),
        ("the other family", &two, with_sans("ip:::ffff:1.2.3.4"), Err(RuleId::IP_NETWORK)),
    ] {
        let outcome = ask(role, row);
        let wanted = wanted.map(|names| {
            std::iter::once("DNS:localhost")
                .chain(names.iter().copied())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        assert_eq!(outcome, wanted, "{id}");
    }
    assert!("foobar".parse::<std::net::IpAddr>().is_err(), "C9");
}

#[test]
fn table_c_other_names() {
    const UPN: &str = "other:1.3.6.1.4.1.311.20.2.3;utf8:devops@nope.com";
    let role = |allowed, from_csr| RoleConfig {
        allowed_other_sans: list(allowed),
        use_csr_sans: from_csr,
        allow_any_name: true,
        ..RoleConfig::default()
    };
    let csr = |of_csr| Row { csr: Some(CsrRow { sans: of_csr, ..CsrRow::default() }), ..with_sans("") };
    let none = role("", false);
    let two = role("1.3.6.1.4.1.311.20.2.3;UTF8:devops@*,1.3.6.1.4.1.311.20.2.4;utf8:d*e@foobar.com", true);
    const NO: Result<usize, RuleId> = Err(RuleId::OTHER_NAME_ALLOWED);
    for (id, role, row, wanted) in [
        ("C18", &none, with_sans(""), Ok(0)),
        ("C19", &none, with_sans(UPN), NO),
        // C20 and C28 cannot be parsed: see the tests of OtherName.
        ("C21", &role("*", true), with_sans(UPN), Ok(1)),
        ("C22", &none, csr(UPN), Ok(0)),
        ("C23", &role("", true), csr(UPN), NO),
        ("C24", &two, with_sans("other:1.3.6.1.4.1.311.20.2.3;UTF8:devop@nope.com"), NO),
        ("C25", &two, with_sans("other:1.3.6.1.4.1.311.20.2.5;UTF8:devops@nope.com"), NO),
        ("C26", &two, with_sans("other:1.3.6.1.4.1.311.20.2.4;UTF8:d34g@foobar.com"), NO),
        ("C27", &two, with_sans("other:1.3.6.1.4.1.311.20.2.5;UTF8:d34e@foobar.com"), NO),
        ("C29", &two, with_sans(UPN), Ok(1)),
        ("C30", &two, with_sans("other:1.3.6.1.4.1.311.20.2.4;UTF8:d234e@foobar.com"), Ok(1)),
        // Both kinds of request count (3.1), and both are asked about.
        ("beside a CSR, allowed", &two, Row { csr: Some(CsrRow::default()), ..with_sans(UPN) }, Ok(1)),
        (
            "beside a CSR, not allowed",
            &role("", true),
            Row { csr: Some(CsrRow::default()), ..with_sans(UPN) },
            NO,
        ),
    ] {
        let outcome =
            ask(role, row).map(|names| names.iter().filter(|n| n.starts_with("otherName:")).count());
        assert_eq!(outcome, wanted, "{id}");
    }
    for (id, text) in [("C20", "foobar"), ("C28", "1.3.6.1.4.1.311.20.2.5;UTF2:d34e@foobar.com")] {
        assert!(OtherName::parse(text).is_err(), "{id}");
    }
    // C31: other names first, then the common name, then the order of the request without its repeat.
    let row = Row {
        common_name: "foobar.com",
        sans: "zipzap.com,foobar.com,abc.test,other:1.3.6.1.4.1.311.20.2.3;utf8:devops@nope.com,\
               other:1.3.6.1.4.1.311.20.2.4;utf-8:d234e@foobar.com",
        ..Row::default()
    };
    let wanted = accepted(&[
        "otherName:1.3.6.1.4.1.311.20.2.3;utf8:devops@nope.com",
        "otherName:1.3.6.1.4.1.311.20.2.4;utf8:d234e@foobar.com",
        "DNS:foobar.com",
        "DNS:zipzap.com",
        "DNS:abc.test",
    ]);
    assert_eq!(ask(&two, row), wanted, "C31");
}

#[test]
fn table_c_serial_numbers() {
    let none = RoleConfig::default();
    let some = RoleConfig { allowed_serial_numbers: list("f00*,b4r*"), ..RoleConfig::default() };
    let row = |serial_number| Row { serial_number, ..named("localhost") };
    let csr = |serial_number| Row {
        csr: Some(CsrRow { serial_number, ..CsrRow::default() }),
        ..named("localhost")
    };
    const NO: Option<RuleId> = Some(RuleId::SUBJECT_SERIAL_NUMBER);
    for (id, role, row, refused) in [
        ("C32", &none, row(""), None),
        ("C33", &none, row("foobar"), NO),
        ("C34", &some, row("foobar"), NO),
        ("C35", &some, row("f00bar"), None),
        ("C36", &some, row("b4rf00"), None),
        ("another letter case", &some, row("F00bar"), NO),
        ("in a CSR, not allowed", &none, csr("f00bar"), NO),
        ("in a CSR, not by pattern", &some, csr("xf00bar"), NO),
        ("in a CSR, allowed", &some, csr("f00bar"), None),
    ] {
        assert_eq!(ask(role, row).err(), refused, "{id}");
    }
}

#[test]
fn table_c_uris() {
    let role = RoleConfig {
        allowed_uri_sans: list("http://someuri/abc,spiffe://host.com/*"),
        ..RoleConfig::default()
    };
    let none = RoleConfig::default();
    for (id, role, sans, refused) in [
        ("C37", &role, "uri:http://www.mydomain.com/zxf", true),
        ("C38", &role, "uri:http://someuri/abc", false),
        ("C39", &role, "uri:spiffe://host.com/something", false),
        ("none allowed", &none, "uri:spiffe://host.com/something", true),
        ("more behind", &role, "uri:http://someuri/abcd", true),
        ("one of two", &role, "uri:http://someuri/abc,uri:spiffe://other.com/a", true),
    ] {
        assert_eq!(ask(role, with_sans(sans)).err(), refused.then_some(RuleId::URI_ALLOWED), "{id}");
    }
    let both = with_sans("uri:spiffe://host.com/something,uri:http://someuri/abc");
    let wanted = ["DNS:localhost", "URI:spiffe://host.com/something", "URI:http://someuri/abc"];
    assert_eq!(ask(&role, both), accepted(&wanted), "C40");
}

/// An identity with the alias of the table, and a metadata value that is a pattern.
fn identity() -> Identity {
    let mut identity = Identity::named("entity");
    let alias = Alias { name: "userpassname".to_owned(), ..Alias::default() };
    identity.aliases.insert("userpass_1".to_owned(), alias);
    identity.metadata.insert("star".to_owned(), "*.example.com".to_owned());
    identity.metadata.insert("uri".to_owned(), "spiffe://domain/*".to_owned());
    identity
}

const ALIAS: &str = "{{identity.entity.aliases.userpass_1.name}}";

#[test]
fn table_c_templates_of_uris() {
    let allowed =
        [ALIAS, &format!("{ALIAS}/*"), "foo"].map(|path| format!("spiffe://domain/{path}")).to_vec();
    let on =
        RoleConfig { allowed_uri_sans: allowed, allowed_uri_sans_template: true, ..RoleConfig::default() };
    let off = RoleConfig { allowed_uri_sans_template: false, ..on.clone() };
    let star = RoleConfig { allowed_uri_sans: list("{{identity.entity.metadata.uri}}"), ..on.clone() };
    let acts = RoleConfig { allow_globs_in_identity_templates: true, ..star.clone() };
    let row = |sans| Row { identity: Some(identity()), ..with_sans(sans) };
    const NO: Option<RuleId> = Some(RuleId::URI_ALLOWED);
    for (id, role, row, refused) in [
        ("C41", &on, row("uri:spiffe://domain/userpassname,uri:spiffe://domain/foo"), None),
        ("C42", &on, row("uri:spiffe://domain/userpassname/bar"), None),
        ("C43", &on, row("uri:spiffe://domain/unknownuser"), NO),
        ("C44", &off, row("uri:spiffe://domain/userpassname"), NO),
        ("C45", &star, row("uri:spiffe://domain/any"), NO),
        ("C45, allowed to act", &acts, row("uri:spiffe://domain/any"), None),
        ("nobody asks", &on, with_sans("uri:spiffe://domain/userpassname"), NO),
    ] {
        assert_eq!(ask(role, row).err(), refused, "{id}");
    }
}

#[test]
fn table_c_templates_of_domains() {
    let on = RoleConfig {
        allowed_domains: ["foobar.com", "zipzap.com", ALIAS, &format!("foo.{ALIAS}.example.com")]
            .map(str::to_owned)
            .to_vec(),
        allowed_domains_template: true,
        allow_bare_domains: true,
        allow_glob_domains: true,
        allow_localhost: false,
        ..RoleConfig::default()
    };
    let off = RoleConfig { allowed_domains_template: false, ..on.clone() };
    let star = RoleConfig { allowed_domains: list("{{identity.entity.metadata.star}}"), ..on.clone() };
    let acts = RoleConfig { allow_globs_in_identity_templates: true, ..star.clone() };
    let row = |common_name| Row { identity: Some(identity()), ..named(common_name) };
    const NO: Option<RuleId> = Some(RuleId::NAME_DOMAIN);
    for (id, role, row, refused) in [
        ("C46", &on, row("userpassname"), None),
        ("C47", &on, row("foobar.com"), None),
        ("C48", &on, row("unknownuserpassname"), NO),
        ("C49", &on, row("foo.userpassname.example.com"), None),
        ("C50", &off, row("userpassname"), NO),
        ("C51", &star, row("foo.example.com"), NO),
        ("C51, allowed to act", &acts, row("foo.example.com"), None),
        ("C51, the value itself", &star, row("*.example.com"), NO),
        ("nobody asks", &on, named("userpassname"), NO),
    ] {
        assert_eq!(ask(role, row).err(), refused, "{id}");
    }
}

#[test]
fn table_c_user_ids() {
    let role = |allowed| RoleConfig { allowed_user_ids: list(allowed), ..RoleConfig::default() };
    let row = |user_ids| Row { user_ids, ..named("localhost") };
    let csr = |user_id| Row { csr: Some(CsrRow { user_id, ..CsrRow::default() }), ..named("localhost") };
    const NO: Option<RuleId> = Some(RuleId::SUBJECT_USER_ID);
    for (id, allowed, row, refused) in [
        ("C52", "", row(""), None),
        ("C52", "", row("humanoid"), NO),
        ("C53", "*", row(""), None),
        ("C53", "*", row("humanoid"), None),
        ("C53", "*", row("humanoid,robot"), None),
        ("C54", "humanoid", row("humanoid"), None),
        ("C54", "humanoid", row("robot"), NO),
        ("C54", "humanoid", row("humanoid,robot"), NO),
        ("C54, another letter case", "humanoid", row("HumanOid"), None),
        ("C55", "humanoid,robot", row("humanoid"), None),
        ("C55", "humanoid,robot", row("robot"), None),
        ("C55", "humanoid,robot", row("humanoid,robot"), None),
        ("C55", "humanoid,robot", row("robot2"), NO),
        ("C56", "human*", row("humanoid"), None),
        ("C56", "human*", row("human"), None),
        ("C56", "human*", row("human*"), None),
        ("C56", "human*", row("robot"), NO),
        ("C57", "humanoid", csr("humanoid"), None),
        ("C57, not allowed", "robot", csr("humanoid"), NO),
    ] {
        assert_eq!(ask(&role(allowed), row).err(), refused, "{id} {allowed}");
    }
    let role = Role::new(RoleConfig { key_type: RoleKeyType::Ec, ..role("humanoid") }).unwrap();
    let subject = [(AttributeType::CommonName, "localhost"), (AttributeType::UserId, "humanoid")];
    let csr = self::csr(&subject, &[], &key(KeyAlgorithm::EcP256));
    let permitted = role.permit_csr(SignRequest::new(csr), &Limits::default(), now()).unwrap();
    assert_eq!(permitted.subject().to_string(), "CN=localhost, UID=humanoid", "C57");
}

#[test]
fn table_c_keys_of_csrs() {
    use KeyAlgorithm::{EcP256, EcP384, EcP521, Ed25519};
    // RSA keys are made once each: they take their time. rsa1024 and P-224 cannot be made here at all, and reading
    // them is refused (tests/keys.rs).
    let rsa = [KeyAlgorithm::Rsa2048, KeyAlgorithm::Rsa3072].map(key);
    let other = [EcP256, EcP384, EcP521, Ed25519].map(key);
    for (id, key_type, bits, accepted) in [
        ("C58, C59", RoleKeyType::Rsa, 0, &["rsa 2048", "rsa 3072"][..]),
        ("C58, C59", RoleKeyType::Rsa, 2048, &["rsa 2048", "rsa 3072"]),
        ("C60", RoleKeyType::Rsa, 3072, &["rsa 3072"]),
        ("C61, C63", RoleKeyType::Ec, 0, &["ec 256", "ec 384", "ec 521"]),
        ("C63", RoleKeyType::Ec, 256, &["ec 256", "ec 384", "ec 521"]),
        ("C64", RoleKeyType::Ec, 384, &["ec 384", "ec 521"]),
        ("C65", RoleKeyType::Ec, 521, &["ec 521"]),
        ("C66", RoleKeyType::Ed25519, 0, &["ed25519 256"]),
        ("C67", RoleKeyType::Any, 0, &["rsa 2048", "rsa 3072", "ec 256", "ec 384", "ec 521", "ed25519 256"]),
    ] {
        // C68: the digest of signatures changes no verdict. 521 is no digest and refused when the role is written.
        for signature_bits in [0, 256, 384, 512] {
            let role =
                Role::new(RoleConfig { key_type, key_bits: bits, signature_bits, ..RoleConfig::default() })
                    .unwrap();
            for key in rsa.iter().chain(&other) {
                let (kind, size) = (key.public_key().key_type(), key.public_key().bits());
                let csr = csr(&[(AttributeType::CommonName, "localhost")], &[], key);
                let outcome = role.permit_csr(SignRequest::new(csr), &Limits::default(), now());
                let wanted =
                    if accepted.contains(&format!("{kind} {size}").as_str()) { Accept } else { Refuse };
                assert_eq!(verdict(&outcome), wanted, "{id} {key_type:?} {bits}: {kind} {size}: {outcome:?}");
            }
        }
    }
    // C62: a role for P-224 cannot be written.
    assert!(
        Role::new(RoleConfig { key_type: RoleKeyType::Ec, key_bits: 224, ..RoleConfig::default() }).is_err()
    );
    // C70: what a role for any key says about sizes is dropped when it is written.
    let any = RoleConfig {
        key_type: RoleKeyType::Any,
        key_bits: 2048,
        signature_bits: 256,
        ..RoleConfig::default()
    };
    assert_eq!(Role::new(any).unwrap().config().key_bits, 0, "C70");
}

#[test]
fn table_c_keys_to_generate() {
    let permit = |key_type, key| {
        let role = Role::new(RoleConfig { key_type, ..RoleConfig::default() }).unwrap();
        let names = AskedNames { common_name: CommonName::parse("localhost").ok(), ..AskedNames::default() };
        role.permit(IssueRequest { names, key, ..IssueRequest::default() }, &Limits::default(), now())
    };
    let refusal = permit(RoleKeyType::Any, None).unwrap_err();
    assert_eq!(refusal.rule(), RuleId::KEY_TYPE, "C71");
    let asked = permit(RoleKeyType::Any, Some((KeyType::Ec, 384))).unwrap();
    assert_eq!(asked.key_algorithm(), KeyAlgorithm::EcP384, "C72");
    let wins = permit(RoleKeyType::Ec, Some((KeyType::Rsa, 2048))).unwrap();
    assert_eq!(wins.key_algorithm(), KeyAlgorithm::EcP256, "C73");
    assert!(wins.warnings().contains(&Warning::KeyAskedIgnored), "C73");
    for (key_type, bits) in [(KeyType::Rsa, 343_444), (KeyType::Ec, 3_434_324), (KeyType::Ec, 224)] {
        assert!(KeyAlgorithm::new(key_type, bits).is_err(), "C75");
    }
    for (key_type, bits) in [
        (KeyType::Rsa, 0),
        (KeyType::Rsa, 2048),
        (KeyType::Rsa, 3072),
        (KeyType::Rsa, 4096),
        (KeyType::Ec, 0),
        (KeyType::Ec, 256),
        (KeyType::Ec, 384),
        (KeyType::Ec, 521),
        (KeyType::Ed25519, 0),
    ] {
        assert!(KeyAlgorithm::new(key_type, bits).is_ok(), "C74");
    }
}

fn now() -> UnixTime {
    UnixTime::parse_rfc3339("2026-11-23T06:00:00Z").unwrap()
}

fn rng() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}

fn key(algorithm: KeyAlgorithm) -> SoftwareKey {
    SoftwareKey::generate(algorithm, &mut rng()).unwrap()
}

fn root(algorithm: KeyAlgorithm) -> Issuer<SoftwareKey> {
    let name = DistinguishedName::with_common_name("Test Root").unwrap();
    let long = Duration::from_secs(87_600 * 3600);
    let request = CaRequest { lifetime: AskedLifetime::Ttl(long), ..CaRequest::new(name) };
    let limits = Limits { default_ttl: long, max_ttl: long };
    Issuer::self_signed(request, key(algorithm), &limits, now(), &mut rng()).unwrap()
}

fn csr(subject: &[(AttributeType, &str)], names: &[GeneralName], key: &SoftwareKey) -> CertificationRequest {
    let subject = DistinguishedName::new(subject.iter().map(|attribute| [*attribute])).unwrap();
    let der = CertificationRequest::create(&subject, names, key, &mut rng()).unwrap();
    CertificationRequest::from_der(&der, &Verifier).unwrap()
}

fn list(items: &str) -> Vec<String> {
    items.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn general_names(text: &str) -> Vec<GeneralName> {
    let one = |item: String| match item.split_once(':') {
        Some(("ip", address)) => GeneralName::Ip(address.parse().unwrap()),
        Some(("uri", uri)) => GeneralName::Uri(Uri::parse(uri).unwrap()),
        Some(("other", name)) => GeneralName::OtherName(OtherName::parse(name).unwrap()),
        _ if item.contains('@') => GeneralName::Email(EmailAddress::parse(&item).unwrap()),
        _ => GeneralName::Dns(DnsName::parse(&item).unwrap()),
    };
    list(text).into_iter().map(one).collect()
}

fn verdict<T, E>(outcome: &Result<T, E>) -> Verdict {
    if outcome.is_ok() { Accept } else { Refuse }
}
