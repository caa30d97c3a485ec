//! What a key is for: key usage (RFC 5280 4.2.1.3) and extended key usage (RFC 5280 4.2.1.12).

use super::algorithm::KeyKind;
use super::certificate::Tbs;
use super::extension::{Extensions, Known};
use super::value::BIT_STRING;
use super::{CertificateLint, Lint};

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "key-usage.authority",
        "RFC 5280 4.2.1.3",
        "a CA has no key usage, or one without keyCertSign",
        authority_signs_certificates,
    ),
    Lint::error("key-usage.critical", "RFC 5280 4.2.1.3", "the key usage is not critical", |tbs| {
        tbs.extensions.get(Known::KeyUsage).is_none_or(|found| found.critical)
    }),
    Lint::error("key-usage.some", "RFC 5280 4.2.1.3", "the key usage allows nothing", |tbs| {
        bits(&tbs.extensions).is_none_or(|bits| bits != 0)
    }),
    Lint::error(
        "key-usage.form",
        "X.690 11.2.2",
        "the key usage has bits at its end that are zero, or more than nine",
        has_its_form,
    ),
    Lint::error(
        "key-usage.end-entity",
        "RFC 5280 4.2.1.9",
        "keyCertSign is set without basic constraints that say CA:TRUE",
        |tbs| tbs.is_authority() || !has(tbs, CERT_SIGN),
    ),
    Lint::error(
        "key-usage.only",
        "RFC 5280 4.2.1.3",
        "encipherOnly or decipherOnly is set without keyAgreement, which gives it a meaning",
        |tbs| has(tbs, KEY_AGREEMENT) || !has(tbs, ENCIPHER_ONLY | DECIPHER_ONLY),
    ),
    Lint::error(
        "key-usage.rsa",
        "RFC 3279 2.3.1",
        "an RSA key cannot agree on keys, as the key usage says",
        |tbs| key_is_not(tbs, KeyKind::Rsa, KEY_AGREEMENT | ENCIPHER_ONLY | DECIPHER_ONLY),
    ),
    Lint::error(
        "key-usage.ec",
        "RFC 8813 3",
        "an EC key cannot encipher keys or data, as the key usage says",
        |tbs| key_is_not(tbs, KeyKind::Ec, KEY_ENCIPHERMENT | DATA_ENCIPHERMENT),
    ),
    Lint::error(
        "key-usage.edwards",
        "RFC 8410 5, RFC 9295 3",
        "a key of Ed25519 or Ed448 can only sign, and the key usage says more",
        |tbs| key_is_not(tbs, KeyKind::Edwards, ALL_BUT_SIGNING),
    ),
    Lint::error(
        "key-usage.ml-dsa",
        "RFC 9881 5",
        "a key of ML-DSA can only sign, and the key usage says more",
        |tbs| key_is_not(tbs, KeyKind::MlDsa, ALL_BUT_SIGNING),
    ),
    Lint::error(
        "extended-key-usage.some",
        "RFC 5280 4.2.1.12",
        "the extended key usage is an empty list",
        |tbs| tbs.extensions.inside(Known::ExtendedKeyUsage).is_none_or(|usages| !usages.is_empty()),
    ),
    Lint::error(
        "extended-key-usage.any-critical",
        "RFC 5280 4.2.1.12",
        "the extended key usage is critical and allows any",
        any_is_not_critical,
    ),
    Lint::warning("extended-key-usage.once", "RFC 5280 4.2.1.12", "a purpose is there twice", |tbs| {
        let mut rest = tbs.extensions.inside(Known::ExtendedKeyUsage).unwrap_or_default();
        while let Some(usage) = rest.next() {
            if rest.into_iter().any(|other| other == usage) {
                return false;
            }
        }
        true
    }),
];

fn authority_signs_certificates(tbs: &Tbs<'_>) -> bool {
    !tbs.is_authority() || has(tbs, CERT_SIGN)
}

/// X.690 11.2.2: no zero bits at the end of a named bit list. RFC 5280 4.2.1.3 names nine.
fn has_its_form(tbs: &Tbs<'_>) -> bool {
    let found = tbs.extensions.get(Known::KeyUsage);
    found.and_then(|found| found.value.of(BIT_STRING)).is_none_or(|content| match content {
        [unused, octets @ ..] => match octets {
            [] => true,
            [_] | [_, 0x80] => octets.last().is_some_and(|last| last.trailing_zeros() == u32::from(*unused)),
            _ => false,
        },
        [] => false,
    })
}

fn any_is_not_critical(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.get(Known::ExtendedKeyUsage).is_none_or(|found| !found.critical)
        || !tbs
            .extensions
            .inside(Known::ExtendedKeyUsage)
            .is_some_and(|mut usages| usages.any(|usage| usage.content == ANY_PURPOSE))
}

/// The bits, the first one the highest.
fn bits(extensions: &Extensions<'_>) -> Option<u16> {
    match extensions.get(Known::KeyUsage)?.value.content {
        [_, first, second, ..] => Some(u16::from(*first) << 8 | u16::from(*second)),
        [_, first] => Some(u16::from(*first) << 8),
        _ => Some(0),
    }
}

pub(super) fn may_sign_certificates(extensions: &Extensions<'_>) -> bool {
    bits(extensions).is_none_or(|bits| bits & CERT_SIGN != 0)
}

fn has(tbs: &Tbs<'_>, usages: u16) -> bool {
    bits(&tbs.extensions).is_some_and(|bits| bits & usages != 0)
}

fn key_is_not(tbs: &Tbs<'_>, kind: KeyKind, usages: u16) -> bool {
    !has(tbs, usages) || KeyKind::of(&tbs.key) != kind
}

const KEY_ENCIPHERMENT: u16 = 0x2000;
const DATA_ENCIPHERMENT: u16 = 0x1000;
const KEY_AGREEMENT: u16 = 0x0800;
const CERT_SIGN: u16 = 0x0400;
const ENCIPHER_ONLY: u16 = 0x0100;
const DECIPHER_ONLY: u16 = 0x0080;
const ALL_BUT_SIGNING: u16 =
    KEY_ENCIPHERMENT | DATA_ENCIPHERMENT | KEY_AGREEMENT | ENCIPHER_ONLY | DECIPHER_ONLY;
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 37, 0];
