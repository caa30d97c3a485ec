//! Certificate policies (RFC 5280 4.2.1.4, updated by RFC 6818 3) and their mappings (RFC 5280 4.2.1.5).

use super::alternative::is_uri;
use super::certificate::Tbs;
use super::extension::Known;
use super::value::{IA5_STRING, OID, SEQUENCE, UTF8_STRING, Value, Values};
use super::{CertificateLint, Lint};

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error("policies.some", "RFC 5280 4.2.1.4", "the list of policies is empty", |tbs| {
        tbs.extensions.inside(Known::Policies).is_none_or(|policies| !policies.is_empty())
    }),
    Lint::error("policies.once", "RFC 5280 4.2.1.4", "a policy is there twice", each_is_there_once),
    Lint::error(
        "policies.text-length",
        "RFC 5280 4.2.1.4",
        "a policy's text for people is empty or has more than 200 characters",
        |tbs| texts(tbs).all(|text| (1..=200).contains(&characters(text))),
    ),
    Lint::error("policies.text-string", "RFC 6818 3", "a policy's text for people is an IA5String", |tbs| {
        texts(tbs).all(|text| text.tag != IA5_STRING)
    }),
    Lint::error(
        "policies.cps",
        "RFC 5280 4.2.1.4",
        "a CPS pointer is not an absolute URI in an IA5String",
        |tbs| qualifiers(tbs).all(|(kind, value)| kind != CPS || value.of(IA5_STRING).is_some_and(is_uri)),
    ),
    Lint::error(
        "policy-mappings.any",
        "RFC 5280 4.2.1.5",
        "anyPolicy is mapped, or there is an empty list of mappings",
        mappings_are_of_policies,
    ),
    Lint::error(
        "policy-mappings.authority",
        "RFC 5280 4.2.1.5",
        "policy mappings stand in a certificate that is no CA's",
        |tbs| tbs.is_authority() || !tbs.extensions.has(Known::PolicyMappings),
    ),
    Lint::warning(
        "policy-mappings.critical",
        "RFC 5280 4.2.1.5",
        "the policy mappings are not critical",
        |tbs| tbs.extensions.get(Known::PolicyMappings).is_none_or(|found| found.critical),
    ),
];

fn each_is_there_once(tbs: &Tbs<'_>) -> bool {
    let mut rest = tbs.extensions.inside(Known::Policies).unwrap_or_default();
    while let Some(one) = rest.next() {
        if rest.into_iter().any(|other| identifier(other) == identifier(one)) {
            return false;
        }
    }
    true
}

fn identifier(policy: Value<'_>) -> Option<&[u8]> {
    policy.inside(SEQUENCE)?.next_if(OID)
}

/// Every qualifier of every policy: its kind and its value.
fn qualifiers<'a>(tbs: &Tbs<'a>) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
    let policies = tbs.extensions.inside(Known::Policies).unwrap_or_default();
    policies
        .filter_map(|policy| {
            let mut fields = policy.inside(SEQUENCE)?;
            fields.next_if(OID)?;
            fields.next_if(SEQUENCE).map(Values)
        })
        .flatten()
        .filter_map(|qualifier| {
            let mut fields = qualifier.inside(SEQUENCE)?;
            Some((fields.next_if(OID)?, fields.next()?))
        })
}

/// RFC 5280 4.2.1.4: the explicitText of every UserNotice; it is the last field, and no SEQUENCE.
fn texts<'a>(tbs: &Tbs<'a>) -> impl Iterator<Item = Value<'a>> {
    qualifiers(tbs)
        .filter(|(kind, _)| *kind == USER_NOTICE)
        .filter_map(|(_, notice)| notice.inside(SEQUENCE)?.last().filter(|text| text.tag != SEQUENCE))
}

fn characters(text: Value<'_>) -> usize {
    match text.tag {
        UTF8_STRING => text.content.iter().filter(|octet| **octet & 0xc0 != 0x80).count(),
        BMP_STRING => text.content.len() / 2,
        _ => text.content.len(),
    }
}

fn mappings_are_of_policies(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.inside(Known::PolicyMappings).is_none_or(|mut mappings| {
        !mappings.is_empty()
            && mappings.all(|mapping| {
                mapping
                    .inside(SEQUENCE)
                    .is_some_and(|mut pair| pair.all(|policy| policy.content != ANY_POLICY))
            })
    })
}

/// 1.3.6.1.5.5.7.2.1, 1.3.6.1.5.5.7.2.2
const CPS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 1];
const USER_NOTICE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 2];
/// 2.5.29.32.0
const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];
const BMP_STRING: u8 = 0x1e;
