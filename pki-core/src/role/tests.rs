//! The rules as tables: more refusals than acceptances, a line for each.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::explain::RuleId;
use crate::issue::{CommonName, CommonNameInSans};
use crate::name::{DnsName, EmailAddress, Uri};

const NOW: u64 = 1_800_000_000;

fn now() -> UnixTime {
    UnixTime::from_secs(NOW).unwrap()
}

fn role(config: RoleConfig) -> Role {
    Role::new(config).unwrap()
}

/// A role for P-256 that needs no common name, so that tables speak of one thing.
fn config(allowed: &[&str]) -> RoleConfig {
    RoleConfig {
        allowed_domains: allowed.iter().map(|&d| d.to_owned()).collect(),
        key_type: RoleKeyType::Ec,
        require_cn: false,
        allow_localhost: false,
        ..RoleConfig::default()
    }
}

fn ask(common_name: Option<&str>, sans: &[GeneralName]) -> IssueRequest {
    IssueRequest {
        names: AskedNames {
            common_name: common_name.map(|n| CommonName::parse(n).unwrap()),
            common_name_in_sans: CommonNameInSans::Include,
            alternative_names: sans.to_vec(),
            ..AskedNames::default()
        },
        ..IssueRequest::default()
    }
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(DnsName::parse(name).unwrap())
}

fn verdict(config: &RoleConfig, request: IssueRequest) -> Result<Vec<String>, RuleId> {
    match role(config.clone()).permit(request, &Limits::default(), now()) {
        Ok(permitted) => Ok(permitted.alternative_names().iter().map(ToString::to_string).collect()),
        Err(refusal) => Err(refusal.rule()),
    }
}

#[test]
fn dns_names_by_domain() {
    let bare =
        RoleConfig { allow_bare_domains: true, ..config(&["example.com", "EXAMPLE.net", "bücher.example"]) };
    let sub = RoleConfig { allow_subdomains: true, ..config(&["Example.com"]) };
    let glob = RoleConfig { allow_glob_domains: true, ..config(&["*.example.com", "w*w.foo", "*.*.bar"]) };
    let no_wild = RoleConfig { allow_wildcard_certificates: false, allow_any_name: true, ..config(&[]) };
    let any = RoleConfig { allow_any_name: true, ..config(&[]) };
    let local = RoleConfig { allow_localhost: true, ..config(&[]) };
    let local_sub = RoleConfig { allow_localhost: true, allow_subdomains: true, ..config(&[]) };
    let none = config(&["example.com"]);
    const NO: Option<RuleId> = Some(RuleId::NAME_DOMAIN);
    for (row, role, name, refused) in [
        ("bare domain", &bare, "example.com", None),
        ("bare domain, other case", &bare, "eXample.NET", None),
        ("bare domain, U-label", &bare, "xn--bcher-kva.example", None),
        ("below a bare domain", &bare, "www.example.com", NO),
        ("wildcard of a bare domain", &bare, "*.example.com", NO),
        ("below", &sub, "www.example.com", None),
        ("far below, other case", &sub, "A.B.EXAMPLE.com", None),
        ("wildcard below", &sub, "*.example.com", None),
        ("wildcard far below", &sub, "*.a.example.com", None),
        ("the domain itself", &sub, "example.com", NO),
        ("the same ending", &sub, "badexample.com", NO),
        ("the domain in front", &sub, "example.com.evil.test", NO),
        ("pattern", &glob, "www.example.com", None),
        ("pattern spans dots", &glob, "a.b.example.com", None),
        ("pattern needs its dot", &glob, "example.com", NO),
        ("pattern within a label", &glob, "wow.foo", None),
        ("pattern anchored at its ends", &glob, "wow.foo.test", NO),
        ("two stars", &glob, "a.b.bar", None),
        ("two stars, one label", &glob, "a.bar", NO),
        ("a wildcard against a pattern", &glob, "*.www.example.com", None),
        ("wildcards not allowed, though any name is", &no_wild, "*.example.com", Some(RuleId::NAME_WILDCARD)),
        ("any name", &any, "anything.test", None),
        ("any name, wildcard", &any, "*.anything.test", None),
        ("localhost", &local, "localhost", None),
        ("localdomain", &local, "LOCALDOMAIN", None),
        ("below localhost", &local, "a.localhost", NO),
        ("wildcard below localhost", &local, "*.localhost", NO),
        ("below localhost, sub-domains allowed", &local_sub, "a.localhost", None),
        ("wildcard below localhost, sub-domains allowed", &local_sub, "*.localhost", None),
        ("localhost not allowed", &none, "localhost", NO),
        ("a domain without any of the switches", &none, "example.com", NO),
        ("nothing allowed", &config(&[]), "www.example.com", NO),
    ] {
        let outcome = verdict(role, ask(None, &[dns(name)]));
        assert_eq!(outcome.err(), refused, "{row}: {name}");
    }
}

#[test]
fn common_names() {
    let sub = RoleConfig { allow_subdomains: true, ..config(&["example.com"]) };
    let required = RoleConfig { require_cn: true, ..sub.clone() };
    let free = RoleConfig { enforce_hostnames: false, allow_any_name: true, ..config(&[]) };
    let any = RoleConfig { allow_any_name: true, ..config(&[]) };
    let glob = RoleConfig { enforce_hostnames: false, allow_glob_domains: true, ..config(&["Device *"]) };
    let long = "a".repeat(65);
    type Row<'a> = (&'a str, &'a RoleConfig, Option<&'a str>, Result<&'a [&'a str], RuleId>);
    let table: [Row<'_>; 16] = [
        ("becomes a DNS name", &sub, Some("WWW.example.com"), Ok(&["DNS:www.example.com"])),
        ("missing though required", &required, None, Err(RuleId::COMMON_NAME_REQUIRED)),
        ("nobody is named", &sub, None, Err(RuleId::SUBJECT_NOBODY)),
        ("free text where host names are enforced", &any, Some("Device 7"), Err(RuleId::NAME_HOSTNAME)),
        ("free text", &free, Some("Device 7"), Ok(&[])),
        ("free text by pattern", &glob, Some("device 7"), Ok(&[])),
        ("free text by no pattern", &glob, Some("Machine 7"), Err(RuleId::NAME_DOMAIN)),
        ("two @", &free, Some("a@b@c"), Err(RuleId::NAME_AT_SIGN)),
        ("too long", &free, Some(&long), Err(RuleId::COMMON_NAME_LENGTH)),
        ("an IP address", &free, Some("10.0.0.1"), Err(RuleId::COMMON_NAME_IP)),
        ("an underscore", &any, Some("a_b.example.com"), Err(RuleId::NAME_HOSTNAME)),
        ("a star within a label", &any, Some("w*w.example.com"), Ok(&[])),
        ("two stars", &any, Some("*.*.example.com"), Err(RuleId::NAME_WILDCARD_PLACE)),
        ("a star in the middle", &any, Some("a.*.example.com"), Err(RuleId::NAME_WILDCARD_PLACE)),
        ("a final dot", &any, Some("www.example.com."), Err(RuleId::NAME_HOSTNAME)),
        ("an e-mail address", &any, Some("Ann@Example.com"), Ok(&["email:Ann@example.com"])),
    ];
    for (row, role, name, wanted) in table {
        let outcome = verdict(role, ask(name, &[]));
        let wanted = wanted.map(|names| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
        assert_eq!(outcome, wanted, "{row}");
    }
}

#[test]
fn other_kinds_of_names() {
    let email = |text| GeneralName::Email(EmailAddress::parse(text).unwrap());
    let uri = |text| GeneralName::Uri(Uri::parse(text).unwrap());
    let ip = GeneralName::Ip("10.1.2.3".parse().unwrap());
    let base = RoleConfig {
        allow_bare_domains: true,
        allowed_uri_sans: ["spiffe://example.org/*", "urn:x"].map(ToOwned::to_owned).to_vec(),
        ..config(&["example.com", "ann@other.test"])
    };
    let no_ip = RoleConfig { allow_ip_sans: false, ..base.clone() };
    for (row, role, name, refused) in [
        ("address at a bare domain", &base, email("bob@example.com"), None),
        ("address named whole", &base, email("Ann@other.test"), None),
        ("address at another host", &base, email("bob@other.test"), Some(RuleId::NAME_DOMAIN)),
        ("address below a bare domain", &base, email("bob@a.example.com"), Some(RuleId::NAME_DOMAIN)),
        ("URI by pattern", &base, uri("spiffe://example.org/db"), None),
        ("URI by pattern, other case", &base, uri("SPIFFE://example.org/db"), None),
        ("URI whole", &base, uri("urn:x"), None),
        ("URI of another host", &base, uri("spiffe://example.org.evil.test/db"), Some(RuleId::URI_ALLOWED)),
        ("URI with more behind", &base, uri("urn:xy"), Some(RuleId::URI_ALLOWED)),
        ("IP", &base, ip.clone(), None),
        ("IP not allowed", &no_ip, ip, Some(RuleId::IP_ALLOWED)),
        ("another kind", &base, GeneralName::Other(b"\x88\x01\x2a".to_vec()), Some(RuleId::SAN_KIND)),
    ] {
        assert_eq!(verdict(role, ask(None, &[name])).err(), refused, "{row}");
    }
}

#[test]
fn the_order_of_alternative_names_is_stated() {
    let any =
        RoleConfig { allow_any_name: true, allowed_uri_sans: alloc::vec!["*".to_owned()], ..config(&[]) };
    let names = [
        GeneralName::Uri(Uri::parse("urn:x").unwrap()),
        GeneralName::Ip("::1".parse().unwrap()),
        GeneralName::Email(EmailAddress::parse("b@example.com").unwrap()),
        GeneralName::Email(EmailAddress::parse("a@example.com").unwrap()),
        dns("b.example.com"),
        dns("a.example.com"),
        dns("C.example.com"),
    ];
    assert_eq!(
        verdict(&any, ask(Some("c.example.com"), &names)).unwrap(),
        [
            "DNS:c.example.com",
            "DNS:b.example.com",
            "DNS:a.example.com",
            "email:a@example.com",
            "email:b@example.com",
            "IP:::1",
            "URI:urn:x"
        ]
    );
}

#[test]
fn a_refusal_names_rule_value_and_remedy() {
    let sub = RoleConfig { allow_subdomains: true, ..config(&["example.com"]) };
    let refusal = role(sub)
        .permit(ask(None, &[dns("ok.example.com"), dns("example.com")]), &Limits::default(), now())
        .unwrap_err();
    assert_eq!(refusal.rule(), RuleId::NAME_DOMAIN);
    assert_eq!(refusal.value(), "example.com");
    assert_eq!(
        refusal.to_string(),
        "DNS name \"example.com\" is not allowed by this role: it is a bare domain of this role [name.domain]"
    );
    assert_eq!(refusal.remedy().line("web"), "allow it in the role: pki role patch web --allow-bare-domains");
    let refusals: Vec<_> = refusal.trace().refusals().map(|line| (line.rule, line.value.as_str())).collect();
    assert_eq!(refusals, [(RuleId::NAME_DOMAIN, "example.com")]);
    // What a requester sees does not tell what the role allows.
    assert_eq!(refusal.remedy().request_change(), None);
}

#[test]
fn lifetimes() {
    let limits = Limits { default_ttl: Duration::from_secs(100), max_ttl: Duration::from_secs(1_000) };
    let at = |seconds: u64| UnixTime::from_secs(NOW + seconds).unwrap();
    let ttl = |seconds| AskedLifetime::Ttl(Duration::from_secs(seconds));
    let plain = RoleConfig { allow_any_name: true, ..config(&[]) };
    let short = RoleConfig { ttl: 50, max_ttl: 500, ..plain.clone() };
    let long = RoleConfig { max_ttl: 5_000, ..plain.clone() };
    let fixed = RoleConfig { not_after: at(700).to_string(), ..plain.clone() };
    let past = RoleConfig { not_after: "2020-01-01T00:00:00Z".to_owned(), ..plain.clone() };
    for (row, role_config, asked, wanted, warnings) in [
        ("the mount's default", &plain, AskedLifetime::Default, Ok(100), 0),
        ("the role's default", &short, AskedLifetime::Default, Ok(50), 0),
        ("asked", &plain, ttl(999), Ok(999), 0),
        ("zero is the default", &plain, ttl(0), Ok(100), 0),
        ("above the mount's maximum", &plain, ttl(1_001), Ok(1_000), 1),
        ("above the role's maximum", &short, ttl(501), Ok(500), 1),
        ("a role's maximum above the mount's", &long, ttl(4_000), Ok(1_000), 1),
        ("a time", &plain, AskedLifetime::NotAfter(at(10)), Ok(10), 0),
        ("a time above the maximum", &short, AskedLifetime::NotAfter(at(501)), Ok(500), 1),
        ("a time in the past", &plain, AskedLifetime::NotAfter(now()), Err(RuleId::LIFETIME_ORDER), 0),
        ("fixed", &fixed, AskedLifetime::Default, Ok(700), 0),
        ("fixed, and another time asked", &fixed, AskedLifetime::NotAfter(at(5)), Ok(700), 1),
        ("fixed, and a TTL asked", &fixed, ttl(5), Err(RuleId::LIFETIME_CONFLICT), 0),
        ("fixed in the past", &past, AskedLifetime::Default, Err(RuleId::LIFETIME_ORDER), 0),
        ("without end", &plain, AskedLifetime::Ttl(Duration::MAX), Ok(1_000), 1),
    ] {
        let request = IssueRequest { lifetime: asked, ..ask(None, &[dns("a.test")]) };
        let outcome = role(role_config.clone()).permit(request, &limits, now());
        match (outcome, wanted) {
            (Ok(permitted), Ok(wanted)) => {
                assert_eq!(permitted.validity().not_after(), at(wanted), "{row}");
                assert_eq!(permitted.validity().not_before().as_secs(), NOW - 30, "{row}");
                assert_eq!(permitted.warnings().len(), warnings, "{row}");
            }
            (Err(refusal), Err(wanted)) => assert_eq!(refusal.rule(), wanted, "{row}"),
            (outcome, _) => panic!("{row}: {outcome:?}"),
        }
    }
}

#[test]
fn dates_and_their_bounds() {
    let limits = Limits { default_ttl: Duration::from_secs(100), max_ttl: Duration::from_secs(100_000) };
    let at = |seconds: i64| UnixTime::from_secs(NOW.checked_add_signed(seconds).unwrap()).unwrap();
    let until = |seconds| AskedLifetime::NotAfter(at(seconds));
    let ttl = |seconds| AskedLifetime::Ttl(Duration::from_secs(seconds));
    let any = RoleConfig { allow_any_name: true, not_before_duration: 60, ..config(&[]) };
    let fixed = RoleConfig { not_before: at(-7_000).to_string(), ..any.clone() };
    let duration = RoleConfig { not_before_bound: NotBeforeBound::Duration, ..any.clone() };
    let forbid_begin = RoleConfig { not_before_bound: NotBeforeBound::Forbid, ..any.clone() };
    let bound = |text: &str| RoleConfig { ttl: 50, not_after_bound: text.to_owned(), ..any.clone() };
    let (forbid, limited, latest) = (bound("FORBID"), bound("ttl-limited"), bound(&at(500).to_string()));
    let both = RoleConfig { not_before: at(-9).to_string(), not_after: at(9).to_string(), ..any.clone() };
    const BEGIN: RuleId = RuleId::LIFETIME_NOT_BEFORE;
    const END: RuleId = RuleId::LIFETIME_NOT_AFTER;
    const ORDER: RuleId = RuleId::LIFETIME_ORDER;
    for (row, role_config, not_before, lifetime, wanted, warnings) in [
        ("dated back", &any, None, AskedLifetime::Default, Ok((-60, 100)), 0),
        ("asked, in the past", &any, Some(at(-86_400)), AskedLifetime::Default, Ok((-86_400, 100)), 0),
        ("asked, in the future", &any, Some(at(50)), AskedLifetime::Default, Ok((50, 100)), 0),
        ("beginning at the end", &any, Some(at(100)), AskedLifetime::Default, Err(ORDER), 0),
        ("beginning after the end", &any, Some(at(101)), AskedLifetime::Default, Err(ORDER), 0),
        ("fixed wins over the duration", &fixed, None, AskedLifetime::Default, Ok((-7_000, 100)), 0),
        ("fixed wins over the request", &fixed, Some(at(-5)), AskedLifetime::Default, Ok((-7_000, 100)), 1),
        ("within the duration", &duration, Some(at(-60)), AskedLifetime::Default, Ok((-60, 100)), 0),
        ("further back", &duration, Some(at(-61)), AskedLifetime::Default, Err(BEGIN), 0),
        (
            "ahead, with the duration as bound",
            &duration,
            Some(at(9)),
            AskedLifetime::Default,
            Ok((9, 100)),
            0,
        ),
        ("no beginning may be asked for", &forbid_begin, Some(at(-1)), AskedLifetime::Default, Err(BEGIN), 0),
        ("none was asked for", &forbid_begin, None, AskedLifetime::Default, Ok((-60, 100)), 0),
        ("no end may be asked for", &forbid, None, until(10), Err(END), 0),
        ("a TTL may", &forbid, None, ttl(70), Ok((-60, 70)), 0),
        ("within the TTL", &limited, None, until(50), Ok((-60, 50)), 0),
        ("beyond the TTL", &limited, None, until(51), Err(END), 0),
        ("the latest", &latest, None, until(500), Ok((-60, 500)), 0),
        ("after the latest", &latest, None, until(501), Err(END), 0),
        ("a TTL after the latest", &latest, None, ttl(501), Err(END), 0),
        ("both fixed", &both, None, AskedLifetime::Default, Ok((-9, 9)), 0),
        ("both fixed, both asked", &both, Some(at(-8)), until(8), Ok((-9, 9)), 2),
    ] {
        let request = IssueRequest { not_before, lifetime, ..ask(None, &[dns("a.test")]) };
        let outcome = role(role_config.clone()).permit(request, &limits, now());
        match (outcome, wanted) {
            (Ok(permitted), Ok((begin, end))) => {
                let validity = permitted.validity();
                assert_eq!((validity.not_before(), validity.not_after()), (at(begin), at(end)), "{row}");
                assert_eq!(permitted.warnings().len(), warnings, "{row}");
            }
            (Err(refusal), Err(wanted)) => assert_eq!(refusal.rule(), wanted, "{row}"),
            (outcome, _) => panic!("{row}: {outcome:?}"),
        }
    }
}

#[test]
fn key_usages_suit_the_key() {
    use crate::profile::KeyUsage::{ContentCommitment, DigitalSignature, KeyAgreement, KeyEncipherment};
    let of = |key_type, usages: &[&str]| {
        let usage = usages.iter().map(|&u| u.to_owned()).collect();
        let config = RoleConfig { key_type, key_usage: usage, allow_any_name: true, ..config(&[]) };
        let permitted = role(config).permit(ask(None, &[dns("a.test")]), &Limits::default(), now())?;
        Ok::<_, Refusal>((
            permitted.profile().key_usages().iter().collect::<Vec<_>>(),
            permitted.warnings().len(),
        ))
    };
    let vault = ["DigitalSignature", "KeyAgreement", "KeyEncipherment"];
    let (rsa, ec, ed) = (RoleKeyType::Rsa, RoleKeyType::Ec, RoleKeyType::Ed25519);
    assert_eq!(of(rsa, &vault).unwrap(), (alloc::vec![DigitalSignature, KeyEncipherment], 0));
    assert_eq!(of(ec, &vault).unwrap(), (alloc::vec![DigitalSignature, KeyAgreement], 0));
    assert_eq!(of(ed, &vault).unwrap(), (alloc::vec![DigitalSignature], 0));
    assert_eq!(of(ed, &[]).unwrap(), (alloc::vec![], 0));
    assert_eq!(
        of(ec, &["digitalsignature", "KEYENCIPHERMENT", "ContentCommitment"]).unwrap(),
        (alloc::vec![DigitalSignature, ContentCommitment], 1)
    );
    assert_eq!(of(ed, &["DigitalSignature", "EncipherOnly"]).unwrap(), (alloc::vec![DigitalSignature], 1));
    assert_eq!(of(ed, &["KeyEncipherment"]).unwrap_err().rule(), RuleId::KEY_USAGE);
}

#[test]
fn keys_to_generate() {
    let permit = |key_type, key_bits, asked| {
        let config = RoleConfig { key_type, key_bits, allow_any_name: true, ..config(&[]) };
        let request = IssueRequest { key: asked, ..ask(None, &[dns("a.test")]) };
        role(config)
            .permit(request, &Limits::default(), now())
            .map(|p| (p.key_algorithm(), p.warnings().len()))
    };
    use RoleKeyType::{Any, Ec, Ed25519, Rsa};
    assert_eq!(permit(Rsa, 0, None).unwrap(), (KeyAlgorithm::Rsa2048, 0));
    assert_eq!(permit(Rsa, 4096, None).unwrap(), (KeyAlgorithm::Rsa4096, 0));
    assert_eq!(permit(Ec, 0, None).unwrap(), (KeyAlgorithm::EcP256, 0));
    assert_eq!(permit(Ec, 521, Some((KeyType::Rsa, 0))).unwrap(), (KeyAlgorithm::EcP521, 1));
    assert_eq!(permit(Ed25519, 0, None).unwrap(), (KeyAlgorithm::Ed25519, 0));
    assert_eq!(permit(Any, 0, None).unwrap_err().rule(), RuleId::KEY_TYPE);
    assert_eq!(permit(Any, 0, Some((KeyType::Ec, 384))).unwrap(), (KeyAlgorithm::EcP384, 0));
    assert_eq!(permit(Any, 0, Some((KeyType::Ec, 224))).unwrap_err().rule(), RuleId::KEY_BITS);
}

#[test]
fn a_role_that_cannot_be_is_refused_with_every_complaint() {
    let wrong = RoleConfig {
        ttl: 20,
        max_ttl: 10,
        key_bits: 224,
        signature_bits: 224,
        key_usage: ["CertSign", "nonsense", "DigitalSignature"].map(ToOwned::to_owned).to_vec(),
        ext_key_usage: alloc::vec!["nonsense".to_owned()],
        country: alloc::vec!["Germany".to_owned()],
        organization: alloc::vec![String::new()],
        not_after: "tomorrow".to_owned(),
        not_before: "1900-01-01T00:00:00Z".to_owned(),
        not_after_bound: "soon".to_owned(),
        cn_validations: ["email", "email", "disabled", "dns"].map(ToOwned::to_owned).to_vec(),
        allowed_ip_sans_cidr: ["10.0.0.0/8", "10.0.0.1", "::/129"].map(ToOwned::to_owned).to_vec(),
        allowed_other_sans: ["*", "1.2.3;utf8:x", "1.2.3;ia5:x"].map(ToOwned::to_owned).to_vec(),
        allowed_domains: alloc::vec!["{{identity.entity.nick}}".to_owned()],
        allowed_domains_template: true,
        ext_key_usage_oids: alloc::vec!["serverAuth".to_owned()],
        policy_identifiers: [
            ("1.2.3", "", ""),
            ("1.2.3", "", ""),
            ("policy", "", ""),
            ("1.2.4", "a\nb", ""),
            ("1.2.5", "", "\u{fc}"),
        ]
        .map(|(oid, notice, cps)| PolicyIdentifier {
            oid: oid.into(),
            notice: notice.into(),
            cps: cps.into(),
        })
        .to_vec(),
        ..config(&[])
    };
    let error = Role::new(wrong).unwrap_err();
    let mut fields: Vec<_> = error.complaints.iter().map(|c| c.field).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "allowed_domains",
            "allowed_ip_sans_cidr",
            "allowed_ip_sans_cidr",
            "allowed_other_sans",
            "allowed_other_sans",
            "cn_validations",
            "cn_validations",
            "cn_validations",
            "country",
            "ext_key_usage",
            "ext_key_usage_oids",
            "key_bits",
            "key_usage",
            "key_usage",
            "not_after",
            "not_after_bound",
            "not_before",
            "organization",
            "policy_identifiers",
            "policy_identifiers",
            "policy_identifiers",
            "policy_identifiers",
            "signature_bits",
            "ttl"
        ]
    );
    assert!(error.complaints.iter().all(|c| !c.accepted.is_empty() && !c.problem.is_empty()));
}

#[test]
fn defaults_are_resolved_when_a_role_is_accepted() {
    let accepted = role(RoleConfig { no_store: true, issuer_ref: String::new(), ..RoleConfig::default() });
    let config = accepted.config();
    assert_eq!((config.key_bits, config.signature_bits, config.not_before_duration), (2048, 256, 30));
    assert_eq!((config.issuer_ref.as_str(), config.storage), ("default", Storage::None));
}

#[test]
fn accepting_a_role_settles_it() {
    let loose = RoleConfig {
        cn_validations: ["HostName", " email"].map(ToOwned::to_owned).to_vec(),
        not_after_bound: "TTL-Limited".to_owned(),
        allowed_domains: ["", "Example.com"].map(ToOwned::to_owned).to_vec(),
        allowed_ip_sans_cidr: alloc::vec!["10.1.2.3/8".to_owned()],
        allowed_other_sans: alloc::vec!["*".to_owned(), String::new()],
        policy_identifiers: alloc::vec![PolicyIdentifier::new(" 1.2.3 ".to_owned())],
        not_after: "2030-01-01T00:00:00Z".to_owned(),
        ..config(&[])
    };
    for given in [loose, RoleConfig::default(), config(&["example.com"])] {
        let once = role(given);
        let config = once.config();
        assert_eq!(role(config.clone()).config(), config);
    }
    let empty = RoleConfig { cn_validations: Vec::new(), not_after_bound: String::new(), ..config(&[]) };
    assert_eq!(role(empty.clone()).config().cn_validations, ["email", "hostname"]);
    assert_eq!(role(empty).config().not_after_bound, "permit");
}

#[cfg(feature = "serde")]
mod stored {
    use super::*;

    #[test]
    fn a_document_reads_back_and_says_what_it_cannot_read() {
        let document = RoleDocument::new("1".to_owned(), 3, role(config(&["example.com"])).config().clone());
        let json = document.to_json().unwrap();
        assert_eq!(RoleDocument::from_json(json.as_bytes()), Ok(document));
        let newer = json.replace("\"format\":2", "\"format\":3").replace("\"ttl\"", "\"ttl_of_tomorrow\"");
        assert_eq!(RoleDocument::from_json(newer.as_bytes()), Err(RoleDocumentError::Format { format: 3 }));
        let unknown = json.replace("\"ttl\"", "\"tll\"");
        let error = RoleDocument::from_json(unknown.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("tll"), "{error}");
    }

    const FORMAT_1: &[u8] = include_bytes!("../../tests/fixtures/role-format-1.json");
    const FORMAT_2: &[u8] = include_bytes!("../../tests/fixtures/role-format-2.json");

    #[test]
    fn every_format_is_read_as_it_was_written() {
        for fixture in [FORMAT_1, FORMAT_2] {
            let document = RoleDocument::from_json(fixture).unwrap();
            assert_eq!(document.revision, 7);
            assert_eq!(document.role.allowed_domains, ["example.com"]);
            let accepted = Role::new(document.role.clone()).unwrap();
            assert_eq!(accepted.config(), &document.role, "a stored role has every default resolved");
        }
        assert_eq!(RoleDocument::from_json(FORMAT_1), RoleDocument::from_json(FORMAT_2));
    }

    #[test]
    fn a_format_has_its_own_fields_only() {
        let text = |octets| core::str::from_utf8(octets).unwrap();
        for (row, json) in [
            ("a newer field in format 1", text(FORMAT_2).replace("\"format\": 2", "\"format\": 1")),
            ("a field too few in format 2", text(FORMAT_1).replace("\"format\": 1", "\"format\": 2")),
            ("an unknown field in format 1", text(FORMAT_1).replace("\"ttl\"", "\"tll\"")),
            ("a field beside the role", text(FORMAT_1).replace("\"id\"", "\"more\": 1, \"id\"")),
        ] {
            let error = RoleDocument::from_json(json.as_bytes()).unwrap_err();
            assert!(matches!(error, RoleDocumentError::Malformed { .. }), "{row}: {error}");
        }
    }

    #[test]
    fn policies_are_written_as_vault_writes_them() {
        let policies = [
            PolicyIdentifier::new("1.2.3".to_owned()),
            PolicyIdentifier { notice: "Read this".to_owned(), ..PolicyIdentifier::new("1.2.4".to_owned()) },
        ];
        let json = r#"["1.2.3",{"oid":"1.2.4","notice":"Read this"}]"#;
        assert_eq!(serde_json::to_string(&policies).unwrap(), json);
        assert_eq!(serde_json::from_str::<Vec<PolicyIdentifier>>(json).unwrap(), policies);
        for wrong in [r#"{"notice":"x"}"#, r#"{"oid":"1.2","url":"x"}"#, "7"] {
            assert!(serde_json::from_str::<PolicyIdentifier>(wrong).is_err(), "{wrong}");
        }
    }
}
