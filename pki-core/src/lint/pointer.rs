//! Where verifiers look further: distribution points (RFC 5280 4.2.1.13, 4.2.1.15), access descriptions (4.2.2), and the
//! word that there is nothing to look for (RFC 9608).

use super::alternative::{URI, host_of, parts_of_uri};
use super::certificate::Tbs;
use super::extension::Known;
use super::value::{OID, SEQUENCE, Value, Values};
use super::{CertificateLint, Lint};
use crate::tlv::context_constructed;

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "distribution-points.some",
        "RFC 5280 4.2.1.13",
        "the list of distribution points is empty, or one has neither a name nor a CRL issuer",
        |tbs| {
            [Known::DistributionPoints, Known::FreshestCrl]
                .into_iter()
                .all(|known| points_have_names(tbs, known))
        },
    ),
    Lint::error(
        "distribution-points.uri",
        "RFC 5280 4.2.1.13",
        "the URI of a distribution point is not absolute, in ASCII and with a host",
        |tbs| {
            let known = [Known::DistributionPoints, Known::FreshestCrl];
            known.into_iter().flat_map(|known| names_of_points(tbs, known)).all(is_location)
        },
    ),
    Lint::warning(
        "distribution-points.not-critical",
        "RFC 5280 4.2.1.13",
        "the distribution points are critical",
        |tbs| is_not_critical(tbs, Known::DistributionPoints),
    ),
    Lint::error("freshest-crl.not-critical", "RFC 5280 4.2.1.15", "the freshest CRL is critical", |tbs| {
        is_not_critical(tbs, Known::FreshestCrl)
    }),
    Lint::error("access.some", "RFC 5280 4.2.2", "a list of access descriptions is empty", |tbs| {
        ACCESS.into_iter().all(|known| tbs.extensions.inside(known).is_none_or(|list| !list.is_empty()))
    }),
    Lint::error("access.not-critical", "RFC 5280 4.2.2", "an access description is critical", |tbs| {
        ACCESS.into_iter().all(|known| is_not_critical(tbs, known))
    }),
    Lint::error(
        "access.uri",
        "RFC 5280 4.2.2.1",
        "the URI of an access description is not absolute, in ASCII and with a host",
        |tbs| {
            ACCESS
                .into_iter()
                .flat_map(|known| locations(tbs, known))
                .all(|(_, location)| is_location(location))
        },
    ),
    Lint::error(
        "no-revocation.alone",
        "RFC 9608 4",
        "noRevAvail stands beside a pointer to revocation",
        no_revocation_stands_alone,
    ),
    Lint::error("no-revocation.end-entity", "RFC 9608 4", "noRevAvail stands in a CA's certificate", |tbs| {
        !tbs.is_authority() || !tbs.extensions.has(Known::NoRevocation)
    }),
    Lint::error("no-revocation.not-critical", "RFC 9608 2", "noRevAvail is critical", |tbs| {
        is_not_critical(tbs, Known::NoRevocation)
    }),
];

fn is_not_critical(tbs: &Tbs<'_>, known: Known) -> bool {
    tbs.extensions.get(known).is_none_or(|found| !found.critical)
}

/// RFC 5280 4.2.1.13: not of reasons alone.
fn points_have_names(tbs: &Tbs<'_>, known: Known) -> bool {
    tbs.extensions.inside(known).is_none_or(|mut points| {
        !points.is_empty()
            && points.all(|point| {
                let named = |field: Value<'_>| {
                    field.tag == context_constructed(0) || field.tag == context_constructed(2)
                };
                point.inside(SEQUENCE).is_some_and(|mut fields| fields.any(named))
            })
    })
}

/// The general names in the full names of all distribution points.
fn names_of_points<'a>(tbs: &Tbs<'a>, known: Known) -> impl Iterator<Item = Value<'a>> {
    let points = tbs.extensions.inside(known).unwrap_or_default();
    points.flat_map(|point| full_name(point).unwrap_or_default())
}

pub(super) fn full_name(point: Value<'_>) -> Option<Values<'_>> {
    let name = point.inside(SEQUENCE)?.next_if(context_constructed(0))?;
    Values(name).next_if(context_constructed(0)).map(Values)
}

/// The method and the location of each access description.
fn locations<'a>(tbs: &Tbs<'a>, known: Known) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
    let descriptions = tbs.extensions.inside(known).unwrap_or_default();
    descriptions.filter_map(|description| {
        let mut fields = description.inside(SEQUENCE)?;
        Some((fields.next_if(OID)?, fields.next()?))
    })
}

/// A name that is a URI can be fetched: `http`, `ldap` and the like have a host. Other kinds of names are not looked at.
pub(super) fn is_location(name: Value<'_>) -> bool {
    name.tag != URI
        || parts_of_uri(name.content).is_some_and(|(scheme, rest)| {
            // RFC 4516 2: in ldap:///cn=... the host is left to the client.
            let hostless = scheme.eq_ignore_ascii_case(b"ldap") || scheme.eq_ignore_ascii_case(b"file");
            rest.strip_prefix(b"//").is_some_and(|rest| hostless || !host_of(rest).is_empty())
        })
}

/// RFC 9608 4: without distribution points, a freshest CRL, and an OCSP responder.
fn no_revocation_stands_alone(tbs: &Tbs<'_>) -> bool {
    !tbs.extensions.has(Known::NoRevocation)
        || !tbs.extensions.has(Known::DistributionPoints)
            && !tbs.extensions.has(Known::FreshestCrl)
            && locations(tbs, Known::AuthorityAccess).all(|(method, _)| method != OCSP)
}

const ACCESS: [Known; 2] = [Known::AuthorityAccess, Known::SubjectAccess];
/// 1.3.6.1.5.5.7.48.1
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];
