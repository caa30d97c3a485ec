//! Alternative names (RFC 5280 4.2.1.6), and how the names in them are written.

use core::net::IpAddr;
use core::str::FromStr;

use super::certificate::Tbs;
use super::extension::Known;
use super::name;
use super::value::{OID, SEQUENCE, Value, Values, is_strict};
use super::{CertificateLint, Lint};
use crate::tlv::context_constructed;

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "alternative-name.present",
        "RFC 5280 4.2.1.6",
        "the alternative name is an empty list",
        |tbs| tbs.extensions.inside(Known::AlternativeName).is_none_or(|names| !names.is_empty()),
    ),
    Lint::error(
        "alternative-name.critical",
        "RFC 5280 4.2.1.6",
        "the alternative name is critical exactly if the subject is empty: here it is not so",
        is_critical_without_a_subject,
    ),
    Lint::warning("alternative-name.once", "RFC 5280 4.2.1.6", "an alternative name is there twice", |tbs| {
        each_is_there_once(tbs.extensions.alternative_names())
    }),
    Lint::error(
        "dns.syntax",
        "RFC 5280 4.2.1.6, RFC 1123 2.1",
        "a dNSName is not letters, digits and inner hyphens, 1 to 63 in each label and at most 253 in all",
        |tbs| each_dns(tbs.extensions.alternative_names(), is_dns_name),
    ),
    Lint::error(
        "dns.wildcard",
        "RFC 9525 6.3",
        "the * of a dNSName is not the whole of its left-most label, with another label after it",
        |tbs| each_dns(tbs.extensions.alternative_names(), wildcard_has_its_place),
    ),
    Lint::error(
        "dns.ip-address",
        "RFC 5280 4.2.1.6",
        "a dNSName is an IP address, which has its own kind of name",
        |tbs| each_dns(tbs.extensions.alternative_names(), |name| !is_ip_address(name)),
    ),
    Lint::error(
        "dns.a-label",
        "RFC 5890 2.3.2.1",
        "a label of a dNSName begins with xn-- and is no A-label",
        |tbs| each_dns(tbs.extensions.alternative_names(), a_labels_are_punycode),
    ),
    Lint::error(
        "email.syntax",
        "RFC 5280 4.2.1.6, RFC 5321 4.1.2",
        "an rfc822Name is not an ASCII mailbox such as user@host",
        |tbs| each(tbs.extensions.alternative_names(), EMAIL, is_mailbox),
    ),
    Lint::error(
        "uri.syntax",
        "RFC 5280 4.2.1.6, RFC 3986",
        "a URI is not absolute and in ASCII, or has an authority without a host",
        |tbs| each(tbs.extensions.alternative_names(), URI, is_uri),
    ),
    Lint::error("ip.octets", "RFC 5280 4.2.1.6", "an iPAddress has neither 4 nor 16 octets", |tbs| {
        each(tbs.extensions.alternative_names(), IP, |octets| matches!(octets.len(), 4 | 16))
    }),
    Lint::error(
        "other-name.shape",
        "RFC 5280 4.2.1.6",
        "an otherName, directoryName or registeredID is not of the shape of its definition",
        |tbs| tbs.extensions.alternative_names().all(has_its_shape),
    ),
    Lint::error(
        "issuer-alternative-name.not-critical",
        "RFC 5280 4.2.1.7",
        "the issuer alternative name is critical, or an empty list",
        |tbs| {
            let found = tbs.extensions.get(Known::IssuerAlternativeName);
            found.is_none_or(|found| !found.critical && !found.value.content.is_empty())
        },
    ),
    Lint::warning(
        "common-name.alternative",
        "RFC 9525 2",
        "the common name of a TLS server is a host name or IP address that is no alternative name",
        common_name_is_an_alternative_name,
    ),
];

fn is_critical_without_a_subject(tbs: &Tbs<'_>) -> bool {
    let found = tbs.extensions.get(Known::AlternativeName);
    found.is_none_or(|found| found.critical == tbs.subject.is_empty())
}

fn each_is_there_once(names: Values<'_>) -> bool {
    let mut rest = names;
    while let Some(name) = rest.next() {
        if rest.into_iter().any(|other| other == name) {
            return false;
        }
    }
    true
}

pub(super) fn each(mut names: Values<'_>, tag: u8, holds: impl Fn(&[u8]) -> bool) -> bool {
    names.all(|name| name.tag != tag || holds(name.content))
}

fn each_dns(names: Values<'_>, holds: impl Fn(&[u8]) -> bool) -> bool {
    each(names, DNS, holds)
}

/// RFC 1034 3.5 with RFC 1123 2.1; where a `*` may stand is another lint's question.
pub(super) fn is_dns_name(name: &[u8]) -> bool {
    let mut labels = name.split(|octet| *octet == b'.');
    name.len() <= 253 && labels.all(|label| label.contains(&b'*') || is_label(label))
}

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
        && label.first() != Some(&b'-')
        && label.last() != Some(&b'-')
}

/// RFC 9525 6.3: one `*`, which is all of the left-most label.
fn wildcard_has_its_place(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"*.").unwrap_or(name);
    !rest.contains(&b'*')
}

pub(super) fn is_ip_address(name: &[u8]) -> bool {
    core::str::from_utf8(name).is_ok_and(|text| IpAddr::from_str(text).is_ok())
}

fn a_labels_are_punycode(name: &[u8]) -> bool {
    name.split(|octet| *octet == b'.').all(|label| match label.split_at_checked(4) {
        Some((prefix, encoded)) if prefix.eq_ignore_ascii_case(b"xn--") => core::str::from_utf8(encoded)
            .is_ok_and(|encoded| {
                idna::punycode::decode_to_string(encoded).is_some_and(|label| !label.is_ascii())
            }),
        _ => true,
    })
}

/// RFC 5321 4.1.2: Mailbox, in ASCII.
pub(super) fn is_mailbox(address: &[u8]) -> bool {
    let Some(at) = address.iter().rposition(|octet| *octet == b'@') else { return false };
    let Some((local, [_, host @ ..])) = address.split_at_checked(at) else { return false };
    let local_holds = match local {
        [b'"', quoted @ .., b'"'] => quoted.iter().all(|octet| (32..127).contains(octet)),
        _ => local.split(|octet| *octet == b'.').all(|atom| {
            !atom.is_empty()
                && atom
                    .iter()
                    .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(octet))
        }),
    };
    // RFC 5321 4.5.3.1.1
    local_holds && local.len() <= 64 && is_host(host)
}

fn is_host(host: &[u8]) -> bool {
    match host {
        [b'[', literal @ .., b']'] => !literal.is_empty() && literal.is_ascii(),
        _ => !host.contains(&b'*') && is_dns_name(host),
    }
}

/// RFC 3986 4.3 in ASCII; RFC 5280 4.2.1.6: where there is an authority, it has a host.
pub(super) fn is_uri(uri: &[u8]) -> bool {
    parts_of_uri(uri).is_some_and(|(_, rest)| match rest.strip_prefix(b"//") {
        Some(rest) => !host_of(rest).is_empty(),
        None => true,
    })
}

/// RFC 3986 3: a scheme, and what follows its colon, in characters that a URI has.
pub(super) fn parts_of_uri(uri: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = uri.iter().position(|octet| *octet == b':')?;
    let (scheme, [_, rest @ ..]) = uri.split_at_checked(colon)? else { return None };
    let scheme_holds = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(octet));
    let mut octets = rest.iter();
    while let Some(octet) = octets.next() {
        let holds = match octet {
            b'%' => (0..2).all(|_| octets.next().is_some_and(u8::is_ascii_hexdigit)),
            _ => octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(octet),
        };
        if !holds {
            return None;
        }
    }
    (scheme_holds && !rest.is_empty()).then_some((scheme, rest))
}

/// RFC 3986 3.2.2: the host of what follows `//`.
pub(super) fn host_of(rest: &[u8]) -> &[u8] {
    let authority = rest.split(|octet| b"/?#".contains(octet)).next().unwrap_or_default();
    let host = authority.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
    match host {
        [b'[', literal @ ..] => literal.split(|octet| *octet == b']').next().unwrap_or_default(),
        _ => host.split(|octet| *octet == b':').next().unwrap_or_default(),
    }
}

/// RFC 5280 4.2.1.6: OtherName, Name, OBJECT IDENTIFIER.
fn has_its_shape(value: Value<'_>) -> bool {
    match value.tag {
        OTHER_NAME => {
            let mut fields = Values(value.content);
            fields.next_if(OID).is_some()
                && fields.next_if(context_constructed(0)).and_then(Value::only).is_some()
                && fields.is_empty()
        }
        DIRECTORY_NAME => Value::only(value.content)
            .and_then(|inner| inner.inside(SEQUENCE))
            .is_some_and(|rdns| !rdns.is_empty() && name::has_its_shape(rdns)),
        REGISTERED_ID => {
            // As a value of its own, so that the arcs are looked at.
            let mut der = [0_u8; 64];
            let length = value.content.len();
            let [tag, short, content @ ..] = &mut der;
            let Some(room) = content.get_mut(..length) else { return false };
            (*tag, *short) = (OID, length as u8);
            room.copy_from_slice(value.content);
            der.get(..length + 2).is_some_and(is_strict)
        }
        _ => true,
    }
}

/// The names by which a TLS server is asked for, as older clients take them from the common name.
fn common_name_is_an_alternative_name(tbs: &Tbs<'_>) -> bool {
    let server = |usage: Value<'_>| usage.content == SERVER_AUTH;
    if !tbs.extensions.inside(Known::ExtendedKeyUsage).is_some_and(|mut usages| usages.any(server)) {
        return true;
    }
    let mut names = name::attributes(tbs.subject).flatten().filter(|one| one.kind == COMMON_NAME);
    names.all(|one| {
        let address = core::str::from_utf8(one.value).ok().and_then(|text| IpAddr::from_str(text).ok());
        let alternatives = tbs.extensions.alternative_names();
        match address {
            Some(IpAddr::V4(v4)) => contains(alternatives, IP, &v4.octets()),
            Some(IpAddr::V6(v6)) => contains(alternatives, IP, &v6.octets()),
            None if one.value.contains(&b'.') && is_dns_name(one.value) => {
                contains(alternatives, DNS, one.value)
            }
            None => true,
        }
    })
}

fn contains(mut names: Values<'_>, tag: u8, wanted: &[u8]) -> bool {
    names.any(|name| name.tag == tag && name.content.eq_ignore_ascii_case(wanted))
}

const OTHER_NAME: u8 = 0xa0;
pub(super) const EMAIL: u8 = 0x81;
pub(super) const DNS: u8 = 0x82;
const DIRECTORY_NAME: u8 = 0xa4;
pub(super) const URI: u8 = 0x86;
pub(super) const IP: u8 = 0x87;
const REGISTERED_ID: u8 = 0x88;
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
