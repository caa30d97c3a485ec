//! What a CA may put below itself: basic constraints (RFC 5280 4.2.1.9), name constraints (4.2.1.10), policy constraints
//! (4.2.1.11) and the prohibition of anyPolicy (4.2.1.14).

use super::alternative::{DNS, EMAIL, IP, URI, is_dns_name, is_ip_address, is_mailbox};
use super::certificate::Tbs;
use super::extension::Known;
use super::usage;
use super::value::{BOOLEAN, INTEGER, SEQUENCE, Value, Values};
use super::{CertificateLint, Lint};

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "basic-constraints.critical",
        "RFC 5280 4.2.1.9",
        "a CA's basic constraints are not critical",
        |tbs| !tbs.is_authority() || is_critical(tbs, Known::BasicConstraints),
    ),
    Lint::error(
        "basic-constraints.default",
        "X.690 11.5",
        "the basic constraints write that it is no CA, which is the default",
        no_default_is_written,
    ),
    Lint::error(
        "basic-constraints.path-length",
        "RFC 5280 4.2.1.9",
        "there is a path length without CA:TRUE, without keyCertSign, or below zero",
        path_length_has_a_meaning,
    ),
    Lint::error(
        "name-constraints.critical",
        "RFC 5280 4.2.1.10",
        "the name constraints are not critical",
        |tbs| is_critical(tbs, Known::NameConstraints),
    ),
    Lint::error(
        "name-constraints.authority",
        "RFC 5280 4.2.1.10",
        "name constraints stand in a certificate that is no CA's",
        |tbs| is_authoritys(tbs, Known::NameConstraints),
    ),
    Lint::error(
        "name-constraints.some",
        "RFC 5280 4.2.1.10",
        "the name constraints, or one of their lists, are empty",
        name_constraints_constrain,
    ),
    Lint::error(
        "name-constraints.distance",
        "RFC 5280 4.2.1.10",
        "a name constraint has a minimum or a maximum",
        |tbs| subtrees(tbs).all(|mut fields| fields.next().is_some() && fields.is_empty()),
    ),
    Lint::error(
        "name-constraints.ip",
        "RFC 5280 4.2.1.10",
        "an IP constraint is not an address and a mask of ones and then zeros, 8 or 32 octets together",
        |tbs| each_base(tbs, IP, is_address_and_mask),
    ),
    Lint::error("name-constraints.dns", "RFC 5280 4.2.1.10", "a DNS constraint is no DNS name", |tbs| {
        each_base(tbs, DNS, is_host_or_domain)
    }),
    Lint::warning(
        "name-constraints.dns-dot",
        "RFC 5280 4.2.1.10",
        "a DNS constraint begins with a dot, which verifiers read differently",
        |tbs| each_base(tbs, DNS, |base| !base.starts_with(b".")),
    ),
    Lint::error(
        "name-constraints.uri",
        "RFC 5280 4.2.1.10",
        "a URI constraint is not the name of a host or, after a dot, of a domain",
        |tbs| each_base(tbs, URI, |base| is_host_or_domain(base) && !is_ip_address(base)),
    ),
    Lint::error(
        "name-constraints.email",
        "RFC 5280 4.2.1.10",
        "an e-mail constraint is neither a mailbox, nor a host, nor a domain after a dot",
        |tbs| each_base(tbs, EMAIL, |base| is_host_or_domain(base) || is_mailbox(base)),
    ),
    Lint::error(
        "policy-constraints.critical",
        "RFC 5280 4.2.1.11",
        "the policy constraints are not critical, or empty",
        |tbs| {
            is_critical(tbs, Known::PolicyConstraints)
                && tbs.extensions.inside(Known::PolicyConstraints).is_none_or(|fields| !fields.is_empty())
        },
    ),
    Lint::error(
        "policy-constraints.authority",
        "RFC 5280 4.2.1.11",
        "policy constraints stand in a certificate that is no CA's",
        |tbs| is_authoritys(tbs, Known::PolicyConstraints),
    ),
    Lint::error(
        "inhibit-any-policy.critical",
        "RFC 5280 4.2.1.14",
        "the prohibition of anyPolicy is not critical, or below zero",
        |tbs| {
            let found = tbs.extensions.get(Known::InhibitAnyPolicy);
            found.is_none_or(|found| found.critical && is_not_negative(found.value.content))
        },
    ),
    Lint::error(
        "inhibit-any-policy.authority",
        "RFC 5280 4.2.1.14",
        "the prohibition of anyPolicy stands in a certificate that is no CA's",
        |tbs| is_authoritys(tbs, Known::InhibitAnyPolicy),
    ),
];

/// Whether the extension is critical where it is there.
fn is_critical(tbs: &Tbs<'_>, known: Known) -> bool {
    tbs.extensions.get(known).is_none_or(|found| found.critical)
}

/// Whether the extension stands in a CA's certificate where it is there.
fn is_authoritys(tbs: &Tbs<'_>, known: Known) -> bool {
    tbs.is_authority() || !tbs.extensions.has(known)
}

fn no_default_is_written(tbs: &Tbs<'_>) -> bool {
    let fields = tbs.extensions.inside(Known::BasicConstraints);
    fields.and_then(|mut fields| fields.next_if(BOOLEAN)) != Some(&[0])
}

fn path_length_has_a_meaning(tbs: &Tbs<'_>) -> bool {
    let Some(mut fields) = tbs.extensions.inside(Known::BasicConstraints) else { return true };
    fields.next_if(BOOLEAN);
    fields.next_if(INTEGER).is_none_or(|length| {
        tbs.is_authority() && usage::may_sign_certificates(&tbs.extensions) && is_not_negative(length)
    })
}

fn is_not_negative(number: &[u8]) -> bool {
    number.first().is_some_and(|first| first & 0x80 == 0)
}

fn name_constraints_constrain(tbs: &Tbs<'_>) -> bool {
    tbs.extensions
        .inside(Known::NameConstraints)
        .is_none_or(|mut trees| !trees.is_empty() && trees.all(|list| !list.content.is_empty()))
}

/// The fields of every GeneralSubtree, permitted and excluded.
fn subtrees<'a>(tbs: &Tbs<'a>) -> impl Iterator<Item = Values<'a>> {
    let lists = tbs.extensions.inside(Known::NameConstraints).unwrap_or_default();
    lists.flat_map(|list| Values(list.content)).filter_map(|tree| tree.inside(SEQUENCE))
}

fn each_base(tbs: &Tbs<'_>, tag: u8, holds: impl Fn(&[u8]) -> bool) -> bool {
    subtrees(tbs)
        .filter_map(|mut fields| fields.next())
        .all(|base: Value<'_>| base.tag != tag || holds(base.content))
}

/// RFC 4632 3.1: a mask is ones, then zeros.
fn is_address_and_mask(base: &[u8]) -> bool {
    let mask = match base.len() {
        8 => base.get(4..),
        32 => base.get(16..),
        _ => None,
    };
    let mut ended = false;
    mask.is_some_and(|mask| {
        mask.iter().all(|octet| {
            let holds = !ended || *octet == 0;
            ended |= *octet != 0xff;
            holds && octet.leading_ones() + octet.trailing_zeros() >= 8
        })
    })
}

fn is_host_or_domain(base: &[u8]) -> bool {
    let name = base.strip_prefix(b".").unwrap_or(base);
    base.is_empty() || is_dns_name(name) && !name.contains(&b'*')
}
