use super::*;
use crate::name::{DnsName, EmailAddress, Uri};
use proptest::prelude::*;

use NameKind::{Dns, Email, Ip, Uri as UriKind};

fn constraints(permitted: &[(NameKind, &str)], excluded: &[(NameKind, &str)]) -> NameConstraints {
    let read = |list: &[(NameKind, &str)]| -> Vec<Subtree> {
        list.iter().map(|(kind, text)| Subtree::parse(*kind, text).unwrap()).collect()
    };
    NameConstraints::new(read(permitted), read(excluded)).unwrap()
}

fn name(kind: NameKind, text: &str) -> GeneralName {
    match kind {
        Dns => GeneralName::Dns(DnsName::parse(text).unwrap()),
        Ip => GeneralName::Ip(text.parse().unwrap()),
        Email => GeneralName::Email(EmailAddress::parse(text).unwrap()),
        UriKind => GeneralName::Uri(Uri::parse(text).unwrap()),
        NameKind::Directory => panic!("{text}: directory names have a test of their own"),
    }
}

fn check(constraints: &NameConstraints, names: &[GeneralName]) -> Result<(), NameViolation> {
    constraints.permit(&PresentedNames {
        subject: &DistinguishedName::empty(),
        alternative_names: names,
        common_name: CommonNameHost::Regard,
    })
}

fn check_subject(
    constraints: &NameConstraints,
    kind: AttributeType,
    value: &str,
) -> Result<(), NameViolation> {
    constraints.permit(&PresentedNames {
        subject: &DistinguishedName::new([[(kind, value)]]).unwrap(),
        alternative_names: &[],
        common_name: CommonNameHost::Regard,
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Pass,
    Refuse,
}
use Verdict::{Pass, Refuse};

#[test]
fn one_permitted_subtree() {
    for (what, kind, subtree, text, verdict) in [
        ("the domain itself", Dns, "example.com", "example.com", Pass),
        ("below it", Dns, "example.com", "a.b.example.com", Pass),
        ("in other letters", Dns, "EXAMPLE.com", "Www.Example.COM", Pass),
        ("a wildcard of it", Dns, "example.com", "*.example.com", Pass),
        ("every name", Dns, "", "example.com", Pass),
        ("the domain itself, where what lies below is meant", Dns, ".example.com", "example.com", Refuse),
        ("below, where that is meant", Dns, ".example.com", "a.example.com", Pass),
        ("a wildcard, where what lies below is meant", Dns, ".example.com", "*.example.com", Pass),
        ("another domain", Dns, "example.com", "example.org", Refuse),
        ("the end of a label", Dns, "example.com", "badexample.com", Refuse),
        ("the parent", Dns, "example.com", "com", Refuse),
        ("a wildcard of the parent", Dns, "example.com", "*.com", Refuse),
        ("a wildcard of which one expansion is permitted", Dns, "a.example.com", "*.example.com", Refuse),
        ("the domain in front", Dns, "example.com", "example.com.evil.test", Refuse),
        ("a mailbox", Email, "ops@example.com", "ops@example.com", Pass),
        ("its host in other letters", Email, "ops@example.com", "ops@EXAMPLE.com", Pass),
        ("its local part in other letters", Email, "ops@example.com", "Ops@example.com", Refuse),
        ("another mailbox", Email, "ops@example.com", "dev@example.com", Refuse),
        ("of a host", Email, "example.com", "dev@example.com", Pass),
        ("of a host below a host", Email, "example.com", "dev@mail.example.com", Refuse),
        ("of a host below a domain", Email, ".example.com", "dev@mail.example.com", Pass),
        ("of the domain, where hosts below are meant", Email, ".example.com", "dev@example.com", Refuse),
        ("of another host", Email, "example.com", "dev@badexample.com", Refuse),
        ("in an IPv4 network", Ip, "10.0.0.0/8", "10.255.0.1", Pass),
        ("its first address", Ip, "192.0.2.128/25", "192.0.2.128", Pass),
        ("before it", Ip, "192.0.2.128/25", "192.0.2.127", Refuse),
        ("after it", Ip, "10.0.0.0/8", "11.0.0.0", Refuse),
        ("one address", Ip, "192.0.2.1/32", "192.0.2.2", Refuse),
        ("every IPv4 address", Ip, "0.0.0.0/0", "203.0.113.9", Pass),
        ("of the other family", Ip, "0.0.0.0/0", "2001:db8::1", Refuse),
        ("IPv4 written as IPv6", Ip, "10.0.0.0/8", "::ffff:10.0.0.1", Refuse),
        ("in an IPv6 network", Ip, "2001:db8::/33", "2001:db8:7fff::1", Pass),
        ("outside of it", Ip, "2001:db8::/33", "2001:db8:8000::1", Refuse),
        ("a URI's host", UriKind, "example.com", "https://example.com/a", Pass),
        (
            "in other letters, with user and port",
            UriKind,
            "example.com",
            "https://u:p@EXAMPLE.com:8443",
            Pass,
        ),
        ("below a URI's host", UriKind, "example.com", "https://a.example.com/", Refuse),
        ("a URI below a domain", UriKind, ".example.com", "spiffe://prod.example.com/db", Pass),
        (
            "the domain, where hosts below are meant",
            UriKind,
            ".example.com",
            "spiffe://example.com/db",
            Refuse,
        ),
        ("another host", UriKind, "example.com", "https://example.com.evil.test/", Refuse),
        ("the host as a user", UriKind, "example.com", "https://example.com@evil.test/", Refuse),
        ("the host in the path", UriKind, "example.com", "https://evil.test/https://example.com", Refuse),
        ("no host", UriKind, "example.com", "urn:uuid:f81d4fae-7dec", Refuse),
        ("a host that does not follow the scheme", UriKind, "example.com", "urn:a://example.com", Refuse),
        ("an empty host", UriKind, "example.com", "file:///etc/passwd", Refuse),
        ("an IPv4 host", UriKind, "example.com", "https://192.0.2.1/", Refuse),
        ("an IPv6 host", UriKind, "example.com", "https://[2001:db8::1]/", Refuse),
        ("an address in one number", UriKind, "example.com", "https://3232235777/", Refuse),
        ("a host with percent signs", UriKind, "example.com", "https://%65xample.com/", Refuse),
        ("a host with a final dot", UriKind, "example.com", "https://example.com./", Refuse),
    ] {
        let constraints = constraints(&[(kind, subtree)], &[]);
        let found = check(&constraints, &[name(kind, text)]);
        assert_eq!(found.is_ok(), verdict == Pass, "{what}: {subtree} and {text}: {found:?}");
        if let Err(violation) = found {
            assert_eq!(violation.kind, kind, "{what}");
            assert!(
                violation.to_string().to_ascii_lowercase().contains(&text.to_ascii_lowercase()),
                "{violation}"
            );
        }
    }
}

#[test]
fn one_excluded_subtree() {
    for (what, kind, subtree, text, verdict) in [
        ("the domain itself", Dns, "bad.example.com", "bad.example.com", Refuse),
        ("below it", Dns, "bad.example.com", "x.y.bad.example.com", Refuse),
        ("its sister", Dns, "bad.example.com", "good.example.com", Pass),
        ("its parent", Dns, "bad.example.com", "example.com", Pass),
        ("the end of a label", Dns, "bad.example.com", "notbad.example.com", Pass),
        ("a wildcard of it", Dns, "bad.example.com", "*.bad.example.com", Refuse),
        ("a wildcard below it", Dns, "bad.example.com", "*.x.bad.example.com", Refuse),
        ("a wildcard that stands for it", Dns, "bad.example.com", "*.example.com", Refuse),
        ("a wildcard that stands for its parent", Dns, "bad.example.com", "*.com", Pass),
        ("a wildcard of its sister", Dns, "bad.example.com", "*.good.example.com", Pass),
        ("a wildcard that stands for the domain alone", Dns, ".bad.example.com", "*.example.com", Pass),
        ("a wildcard of what lies below", Dns, ".bad.example.com", "*.bad.example.com", Refuse),
        ("the domain, where what lies below is excluded", Dns, ".bad.example.com", "bad.example.com", Pass),
        ("any name", Dns, "", "localhost", Refuse),
        ("any wildcard", Dns, "", "*.example.com", Refuse),
        ("a mailbox", Email, "root@example.com", "root@example.com", Refuse),
        ("its neighbour", Email, "root@example.com", "ops@example.com", Pass),
        ("a host's mailbox", Email, "example.com", "ops@example.com", Refuse),
        ("of a host below a domain", Email, ".example.com", "ops@mail.example.com", Refuse),
        ("an address in the network", Ip, "10.0.0.0/8", "10.1.2.3", Refuse),
        ("an address beside it", Ip, "10.0.0.0/8", "192.0.2.1", Pass),
        ("an address of the other family", Ip, "0.0.0.0/0", "2001:db8::1", Pass),
        ("any IPv6 address", Ip, "::/0", "2001:db8::1", Refuse),
        ("a URI's host", UriKind, "evil.test", "https://EVIL.test:1/", Refuse),
        ("a URI below a domain", UriKind, ".evil.test", "https://a.evil.test/", Refuse),
        ("another URI", UriKind, ".evil.test", "https://good.test/", Pass),
        ("no host, which cannot be compared", UriKind, ".evil.test", "urn:uuid:0", Refuse),
        ("an address as host, which cannot be compared", UriKind, ".evil.test", "https://192.0.2.1/", Refuse),
    ] {
        let found = check(&constraints(&[], &[(kind, subtree)]), &[name(kind, text)]);
        assert_eq!(found.is_ok(), verdict == Pass, "{what}: {subtree} and {text}: {found:?}");
    }
}

#[test]
fn permitted_and_excluded_together() {
    let both = constraints(
        &[(Dns, "example.com"), (Dns, "example.org"), (Ip, "10.0.0.0/8")],
        &[(Dns, "secret.example.com"), (Ip, "10.9.0.0/16")],
    );
    for (what, kind, text, verdict) in [
        ("the first", Dns, "www.example.com", Pass),
        ("the second", Dns, "www.example.org", Pass),
        ("excluded within permitted", Dns, "a.secret.example.com", Refuse),
        ("a wildcard over the hole", Dns, "*.example.com", Refuse),
        ("a wildcard beside the hole", Dns, "*.example.org", Pass),
        ("neither", Dns, "www.example.net", Refuse),
        ("an address", Ip, "10.8.255.255", Pass),
        ("an address in the hole", Ip, "10.9.0.0", Refuse),
        ("an address of a family without a permitted network", Ip, "2001:db8::1", Refuse),
        ("a kind that nothing is said about", Email, "a@b.test", Pass),
        ("another such kind", UriKind, "urn:uuid:0", Pass),
    ] {
        assert_eq!(check(&both, &[name(kind, text)]).is_ok(), verdict == Pass, "{what}");
    }
    // One name outside is enough, wherever it stands.
    let names = [name(Dns, "a.example.com"), name(Ip, "10.0.0.1"), name(Dns, "evil.test")];
    assert_eq!(check(&both, &names).unwrap_err().name, "DNS:evil.test");
}

#[test]
fn names_in_the_subject() {
    use AttributeType::{CommonName, EmailAddress, Organization};
    let hosts = constraints(&[(Dns, "example.com"), (Ip, "10.0.0.0/8"), (Email, "example.com")], &[]);
    for (what, kind, value, verdict) in [
        ("a host within", CommonName, "www.example.com", Pass),
        ("a host outside", CommonName, "www.evil.test", Refuse),
        ("a wildcard outside", CommonName, "*.evil.test", Refuse),
        ("a host in U-labels", CommonName, "b\u{fc}cher.evil.test", Refuse),
        ("a host with an underscore", CommonName, "a_b.evil.test", Refuse),
        ("a host with a final dot", CommonName, "www.evil.test.", Refuse),
        ("an address outside", CommonName, "192.0.2.1", Refuse),
        ("an IPv6 address outside", CommonName, "2001:db8::1", Refuse),
        ("an address within, which some compare with DNS names", CommonName, "10.0.0.1", Refuse),
        ("a person", CommonName, "Ann Lee", Pass),
        ("a word", CommonName, "backup", Pass),
        ("a sentence that ends", CommonName, "For tests. Not for use.", Pass),
        ("a host as organization", Organization, "www.evil.test", Pass),
        ("an address within", EmailAddress, "ops@example.com", Pass),
        ("an address outside", EmailAddress, "ops@evil.test", Refuse),
        ("an address that is none", EmailAddress, "ops", Refuse),
        ("an address with two ats", EmailAddress, "ops@example.com@evil.test", Refuse),
    ] {
        assert_eq!(check_subject(&hosts, kind, value).is_ok(), verdict == Pass, "{what}");
    }
    // A CA is no host.
    let ca = PresentedNames {
        subject: &DistinguishedName::with_common_name("ca.evil.test").unwrap(),
        alternative_names: &[],
        common_name: CommonNameHost::PassOver,
    };
    assert_eq!(hosts.permit(&ca), Ok(()));
}

#[test]
fn directory_names() {
    use AttributeType::{CommonName, Country, Organization, OrganizationalUnit};
    let dn =
        |parts: &[(AttributeType, &str)]| DistinguishedName::new(parts.iter().map(|part| [*part])).unwrap();
    let base = dn(&[(Country, "DE"), (Organization, "Example  GmbH")]);
    let permitted = NameConstraints::new(alloc::vec![Subtree::Directory(base.clone())], Vec::new()).unwrap();
    let excluded = NameConstraints::new(Vec::new(), alloc::vec![Subtree::Directory(base.clone())]).unwrap();
    let all = NameConstraints::new(Vec::new(), alloc::vec![Subtree::Directory(DistinguishedName::empty())])
        .unwrap();
    for (what, subject, within) in [
        ("the base", base, true),
        ("below it", dn(&[(Country, "DE"), (Organization, "Example GmbH"), (CommonName, "a")]), true),
        ("in other letters", dn(&[(Country, "de"), (Organization, "EXAMPLE gmbh"), (CommonName, "a")]), true),
        (
            "another organization",
            dn(&[(Country, "DE"), (Organization, "Example AG"), (CommonName, "a")]),
            false,
        ),
        ("another order", dn(&[(Organization, "Example GmbH"), (Country, "DE")]), false),
        (
            "the base further in",
            dn(&[(OrganizationalUnit, "x"), (Country, "DE"), (Organization, "Example GmbH")]),
            false,
        ),
        ("less than the base", dn(&[(Country, "DE")]), false),
    ] {
        let as_subject = PresentedNames {
            subject: &subject,
            alternative_names: &[],
            common_name: CommonNameHost::PassOver,
        };
        assert_eq!(permitted.permit(&as_subject).is_ok(), within, "{what}");
        assert_eq!(excluded.permit(&as_subject).is_ok(), !within, "{what}");
        assert!(all.permit(&as_subject).is_err(), "{what}");
        // The same as an alternative name.
        let mut der = Tlv::new();
        der.value(tlv::context_constructed(4), subject.der());
        let names = GeneralName::read_all(&der.into_vec()).unwrap();
        assert_eq!(check(&permitted, &names).is_ok(), within, "{what}");
        assert_eq!(check(&excluded, &names).is_ok(), !within, "{what}");
    }
    // An empty subject is no directory name.
    assert_eq!(check(&permitted, &[name(Dns, "a.test")]), Ok(()));
    assert_eq!(check(&all, &[name(Dns, "a.test")]), Ok(()));
}

#[test]
fn the_other_kinds_can_be_refused() {
    let one = constraints(&[(Dns, "example.com")], &[]).refusing_other_kinds();
    for (kind, text, verdict) in [
        (Dns, "www.example.com", Pass),
        (Dns, "www.invalid", Refuse),
        (Ip, "192.0.2.1", Refuse),
        (Ip, "2001:db8::1", Refuse),
        (Email, "a@example.com", Refuse),
        (UriKind, "https://example.com/", Refuse),
        (UriKind, "urn:uuid:0", Refuse),
    ] {
        assert_eq!(check(&one, &[name(kind, text)]).is_ok(), verdict == Pass, "{text}");
    }
    assert_eq!(check_subject(&one, AttributeType::Organization, "Example"), Ok(()));
    let two = constraints(&[(Ip, "10.0.0.0/8")], &[]).refusing_other_kinds();
    assert_eq!(check(&two, &[name(Ip, "10.0.0.1")]), Ok(()));
    assert!(check(&two, &[name(Dns, "example.com")]).is_err());
    assert!(check(&two, &[name(Ip, "11.0.0.1")]).is_err());
}

#[test]
fn what_is_no_subtree() {
    for (kind, text) in [
        (Dns, "*.example.com"),
        (Dns, "."),
        (Dns, "..example.com"),
        (Dns, "example.com."),
        (Dns, "10.0.0.1"),
        (Dns, "a b"),
        (Email, ""),
        (Email, "@example.com"),
        (Email, "a@"),
        (Email, "a@b@c"),
        (Email, "*.example.com"),
        (UriKind, ""),
        (UriKind, "https://example.com"),
        (UriKind, "example.com:443"),
        (UriKind, "10.0.0.1"),
        (Ip, ""),
        (Ip, "10.0.0.1"),
        (Ip, "10.0.0.0/33"),
        (Ip, "10.0.0.0/+8"),
        (Ip, "10.0.0.0/"),
        (Ip, "10.0.0/8"),
        (Ip, "::/129"),
        (NameKind::Directory, "C=DE"),
    ] {
        let error = Subtree::parse(kind, text).unwrap_err();
        assert!(!error.to_string().is_empty() && !error.remedy().is_empty(), "{text}");
    }
    assert_eq!(Subtree::parse(Ip, "10.1.2.3/8").unwrap().base(), "10.0.0.0/8");
    assert_eq!(NameConstraints::new(Vec::new(), Vec::new()), Err(NameConstraintsError::Empty));
}

#[test]
fn foreign_octets() {
    // permittedSubtrees: dNSName "a.b"
    let plain = b"\x30\x09\xa0\x07\x30\x05\x82\x03a.b";
    assert_eq!(NameConstraints::read(plain).unwrap().unsupported().count(), 0);
    for (what, octets, unsupported) in [
        ("a minimum of zero", &b"\x30\x0c\xa0\x0a\x30\x08\x82\x03a.b\x80\x01\0"[..], 0),
        ("a minimum of one", b"\x30\x0c\xa0\x0a\x30\x08\x82\x03a.b\x80\x01\x01", 1),
        ("a maximum", b"\x30\x0c\xa0\x0a\x30\x08\x82\x03a.b\x81\x01\x01", 1),
        ("a registeredID", b"\x30\x08\xa1\x06\x30\x04\x88\x02\x2a\x03", 1),
        ("no DNS name", b"\x30\x09\xa0\x07\x30\x05\x82\x03a b", 1),
        ("a network of five octets", b"\x30\x0b\xa0\x09\x30\x07\x87\x05\x0a\0\0\0\xff", 1),
        ("a mask with holes", b"\x30\x0e\xa0\x0c\x30\x0a\x87\x08\x0a\0\0\0\xff\0\xff\0", 1),
        ("an empty e-mail subtree", b"\x30\x06\xa1\x04\x30\x02\x81\x00", 1),
        ("an empty DNS subtree", b"\x30\x06\xa1\x04\x30\x02\x82\x00", 0),
    ] {
        let read = NameConstraints::read(octets).unwrap();
        assert_eq!(read.unsupported().count(), unsupported, "{what}");
    }
    for (what, octets) in [
        ("nothing", &b""[..]),
        ("no subtrees", b"\x30\x00"),
        ("empty lists", b"\x30\x04\xa0\x00\xa1\x00"),
        ("the wrong order", b"\x30\x12\xa1\x07\x30\x05\x82\x03a.b\xa0\x07\x30\x05\x82\x03a.b"),
        ("something behind", b"\x30\x09\xa0\x07\x30\x05\x82\x03a.b\0"),
        ("cut off", b"\x30\x09\xa0\x07\x30\x05\x82\x03a."),
    ] {
        assert!(NameConstraints::read(octets).is_err(), "{what}");
    }
}

#[test]
fn narrower_constraints() {
    let wide = constraints(&[(Dns, "example.com"), (Ip, "10.0.0.0/8")], &[(Dns, "x.example.com")]);
    for (what, narrow, within) in [
        ("the same", wide.clone(), true),
        (
            "a part",
            constraints(&[(Dns, "a.example.com"), (Ip, "10.1.0.0/16")], &[(Dns, "example.com")]),
            true,
        ),
        ("a kind set free", constraints(&[(Dns, "a.example.com")], &[(Dns, "x.example.com")]), false),
        (
            "another domain",
            constraints(&[(Dns, "b.test"), (Ip, "10.0.0.0/8")], &[(Dns, "x.example.com")]),
            false,
        ),
        ("an exclusion lost", constraints(&[(Dns, "example.com"), (Ip, "10.0.0.0/8")], &[]), false),
        (
            "a wider network",
            constraints(&[(Dns, "example.com"), (Ip, "10.0.0.0/7")], &[(Dns, "x.example.com")]),
            false,
        ),
    ] {
        assert_eq!(narrow.is_within(&wide), within, "{what}");
    }
}

fn domains() -> impl Strategy<Value = String> {
    "(\\.)?([ab]\\.){0,2}[ab]"
}

proptest! {
    /// What was written is read, and says the same.
    #[test]
    fn constraints_read_back(dns in domains(), host in domains(), v4 in any::<u32>(), bits in 0_u8..=32) {
        let network = alloc::format!("{}/{bits}", core::net::Ipv4Addr::from_bits(v4));
        let made = constraints(
            &[(Dns, &dns), (Ip, &network)],
            &[(Email, &host), (UriKind, &host), (Email, "a@b.c")],
        );
        let mut der = Tlv::new();
        made.encode(&mut der);
        prop_assert_eq!(NameConstraints::read(&der.into_vec()), Ok(made));
    }

    /// A wildcard passes only if each of its expansions does.
    #[test]
    fn a_wildcard_promises_nothing_that_its_expansions_break(
        permitted in proptest::option::of(domains()),
        excluded in domains(),
        rest in "([ab]\\.){0,2}[ab]",
        label in "[abc]",
    ) {
        let permitted: Vec<(NameKind, &str)> = permitted.iter().map(|text| (Dns, text.as_str())).collect();
        let constraints = constraints(&permitted, &[(Dns, &excluded)]);
        let wildcard = name(Dns, &alloc::format!("*.{rest}"));
        let expansion = name(Dns, &alloc::format!("{label}.{rest}"));
        if check(&constraints, &[wildcard]).is_ok() {
            prop_assert_eq!(check(&constraints, &[expansion]), Ok(()));
        }
    }

    /// Narrower constraints let nothing pass that wider ones stop.
    #[test]
    fn within_means_no_name_more(
        wide in (domains(), domains()),
        narrow in (domains(), domains()),
        host in "([ab]\\.){0,3}[ab]",
    ) {
        let wide = constraints(&[(Dns, &wide.0)], &[(Dns, &wide.1)]);
        let narrow = constraints(&[(Dns, &narrow.0)], &[(Dns, &narrow.1)]);
        let host = [name(Dns, &host)];
        if narrow.is_within(&wide) && check(&narrow, &host).is_ok() {
            prop_assert_eq!(check(&wide, &host), Ok(()));
        }
    }

    #[test]
    fn any_octets_are_constraints_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(read) = NameConstraints::read(&octets) {
            let _ = read.permitted().iter().chain(read.excluded()).map(ToString::to_string).count();
        }
    }
}
