//! Keys and signature algorithms: which parameters each has, and none other.

use super::certificate::SubjectKey;
use super::value::{INTEGER, NULL, OID, Value, Values, is_strict};
use super::{CertificateLint, Lint};
use crate::tlv::context_constructed;

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "signature.parameters",
        "RFC 4055 5, RFC 5758 3.2, RFC 8410 3, RFC 9881 2",
        "the signature algorithm has other parameters than those that it must have",
        |tbs| has_its_parameters(tbs.algorithm),
    ),
    Lint::error(
        "signature.digest",
        "RFC 6194 3, RFC 6151 2",
        "the signature's digest, SHA-1 or older, does not resist collisions",
        |tbs| has_a_strong_digest(tbs.algorithm),
    ),
    Lint::error(
        "key.parameters",
        "RFC 3279 2.3.1, RFC 5480 2.1.1, RFC 8410 3, RFC 9881 4",
        "the public key's algorithm has other parameters than those that it must have",
        |tbs| key_has_its_parameters(&tbs.key),
    ),
    Lint::error(
        "key.form",
        "RFC 8017 A.1.1, RFC 5480 2.2, RFC 8410 4, RFC 9881 4",
        "the public key is not of its algorithm's form and length",
        |tbs| key_has_its_form(&tbs.key),
    ),
    Lint::error("key.rsa-size", "NIST SP 800-131A 3", "the RSA key has less than 2048 bits", |tbs| {
        rsa_key_is_long(&tbs.key)
    }),
    Lint::error(
        "key.rsa-exponent",
        "RFC 8017 3.1",
        "the RSA key's exponent or modulus is even, or the exponent is 1",
        |tbs| rsa_key_is_odd(&tbs.key),
    ),
];

/// An AlgorithmIdentifier: the identifier's octets, and the parameters with their header.
fn parts(algorithm: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut fields = Values::of_sequence(algorithm)?;
    let oid = fields.next_if(OID)?;
    let parameters = fields.next_whole();
    fields.finish()?;
    Some((oid, parameters))
}

pub(super) fn is_ecdsa(algorithm: &[u8]) -> bool {
    parts(algorithm).is_some_and(|(oid, _)| oid.starts_with(ECDSA))
}

pub(super) fn has_its_parameters(algorithm: &[u8]) -> bool {
    let Some((oid, parameters)) = parts(algorithm) else { return false };
    match oid {
        // RFC 4055 3.1: the digest, the same in the mask, as much salt as the digest has octets.
        [.., 10] if oid == RSA_PSS => parameters.is_some_and(are_pss),
        // RFC 4055 5: NULL.
        _ if oid.starts_with(PKCS_1) => parameters == Some(&[NULL, 0]),
        // RFC 5758 3.2, RFC 8410 3, RFC 9881 2: absent.
        _ if oid.starts_with(ECDSA) || is_edwards(oid) || is_ml_dsa(oid) => parameters.is_none(),
        // Of another algorithm nothing is known here.
        _ => true,
    }
}

/// RFC 6194 3 (SHA-1), RFC 6151 2 (MD5): not where collisions matter.
pub(super) fn has_a_strong_digest(algorithm: &[u8]) -> bool {
    let Some((oid, parameters)) = parts(algorithm) else { return true };
    match oid.split_last() {
        // Without parameters, RSASSA-PSS means SHA-1.
        Some((10, _)) if oid == RSA_PSS => {
            parameters.is_some_and(|parameters| pss_digest(parameters).is_some())
        }
        // md2, md4 and md5 with RSA; sha1 with RSA.
        Some((2..=5, arc)) if arc == PKCS_1 => false,
        // ecdsa-with-SHA1.
        Some((1, arc)) if arc == ECDSA => false,
        // dsa-with-sha1.
        _ => oid != DSA_WITH_SHA1,
    }
}

/// RFC 4055 3.1: RSASSA-PSS-params with a SHA-2 digest, written out.
fn are_pss(parameters: &[u8]) -> bool {
    pss_digest(parameters).is_some_and(|(digest, octets)| {
        let Some(mut fields) = Values::of_sequence(parameters) else { return false };
        fields.next();
        let mask = fields.next_if(context_constructed(1)).and_then(parts);
        let same = mask.is_some_and(|(oid, inner)| {
            oid == MGF1 && inner.and_then(parts).is_some_and(|(inner, _)| inner == digest)
        });
        let salt = fields.next_if(context_constructed(2)).and_then(Value::only);
        same && salt.and_then(|salt| salt.of(INTEGER)) == Some(&[octets]) && fields.is_empty()
    })
}

/// The digest of RSASSA-PSS-params: its identifier, and how many octets it has. `None` for SHA-1, the default.
fn pss_digest(parameters: &[u8]) -> Option<(&[u8], u8)> {
    let mut fields = Values::of_sequence(parameters)?;
    let (oid, _) = parts(fields.next_if(context_constructed(0))?)?;
    let (last, arc) = oid.split_last()?;
    let octets = match last {
        1 => 32,
        2 => 48,
        3 => 64,
        _ => return None,
    };
    (arc == NIST_HASHES).then_some((oid, octets))
}

pub(super) fn key_has_its_parameters(key: &SubjectKey<'_>) -> bool {
    let Some((oid, parameters)) = parts(key.algorithm) else { return false };
    match oid {
        // RFC 3279 2.3.1: NULL.
        _ if oid == RSA => parameters == Some(&[NULL, 0]),
        // RFC 5480 2.1.1: a named curve.
        _ if oid == EC => parameters.and_then(Value::only).is_some_and(|curve| curve.tag == OID),
        // RFC 8410 3, RFC 9881 4: absent.
        _ if is_edwards(oid) || is_ml_dsa(oid) => parameters.is_none(),
        _ => true,
    }
}

pub(super) fn key_has_its_form(key: &SubjectKey<'_>) -> bool {
    let Some((oid, parameters)) = parts(key.algorithm) else { return false };
    match oid.split_last() {
        _ if oid == RSA || oid == RSA_PSS => rsa_numbers(key).is_some(),
        _ if oid == EC => {
            // RFC 5480 2.2: an uncompressed or compressed point, not the one at infinity.
            let field = match parameters {
                Some([OID, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]) => 32,
                Some([OID, 5, 0x2b, 0x81, 4, 0, 34]) => 48,
                Some([OID, 5, 0x2b, 0x81, 4, 0, 35]) => 66,
                _ => return true,
            };
            match key.octets {
                [4, point @ ..] => point.len() == 2 * field,
                [2 | 3, x @ ..] => x.len() == field,
                _ => false,
            }
        }
        // RFC 8032 5.1.5, 5.2.5
        Some((112, _)) if is_edwards(oid) => key.octets.len() == 32,
        Some((113, _)) if is_edwards(oid) => key.octets.len() == 57,
        // FIPS 204, table 2
        Some((17, _)) if is_ml_dsa(oid) => key.octets.len() == 1312,
        Some((18, _)) if is_ml_dsa(oid) => key.octets.len() == 1952,
        Some((19, _)) if is_ml_dsa(oid) => key.octets.len() == 2592,
        _ => true,
    }
}

fn rsa_numbers<'a>(key: &SubjectKey<'a>) -> Option<(&'a [u8], &'a [u8])> {
    if !is_strict(key.octets) {
        return None;
    }
    let mut fields = Values::of_sequence(key.octets)?;
    let (modulus, exponent) = (fields.next_if(INTEGER)?, fields.next_if(INTEGER)?);
    let positive = |number: &[u8]| number.first().is_some_and(|first| first & 0x80 == 0);
    (fields.is_empty() && positive(modulus) && positive(exponent)).then_some((modulus, exponent))
}

pub(super) fn rsa_key_is_long(key: &SubjectKey<'_>) -> bool {
    if parts(key.algorithm).is_none_or(|(oid, _)| oid != RSA && oid != RSA_PSS) {
        return true;
    }
    rsa_numbers(key).is_none_or(|(modulus, _)| {
        let magnitude = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        // A modulus of 2048 bits has its highest bit in the 256th octet.
        magnitude.len() > 256
            || magnitude.len() == 256 && magnitude.first().is_some_and(|first| first & 0x80 != 0)
    })
}

fn rsa_key_is_odd(key: &SubjectKey<'_>) -> bool {
    if parts(key.algorithm).is_none_or(|(oid, _)| oid != RSA && oid != RSA_PSS) {
        return true;
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    rsa_numbers(key).is_none_or(|(modulus, exponent)| odd(modulus) && odd(exponent) && exponent != [1])
}

/// The kinds of keys whose usages are restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Ec,
    /// Ed25519, Ed448
    Edwards,
    MlDsa,
    Other,
}

impl KeyKind {
    pub(super) fn of(key: &SubjectKey<'_>) -> Self {
        match parts(key.algorithm) {
            Some((oid, _)) if oid == RSA => Self::Rsa,
            Some((oid, _)) if oid == EC => Self::Ec,
            Some((oid, _)) if is_edwards(oid) => Self::Edwards,
            Some((oid, _)) if is_ml_dsa(oid) => Self::MlDsa,
            _ => Self::Other,
        }
    }
}

/// Ed25519 and Ed448: 1.3.101.112, 1.3.101.113.
fn is_edwards(oid: &[u8]) -> bool {
    matches!(oid, [0x2b, 0x65, 112 | 113])
}

/// ML-DSA-44, -65 and -87: 2.16.840.1.101.3.4.3.17 to 19.
fn is_ml_dsa(oid: &[u8]) -> bool {
    matches!(oid, [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17..=19])
}

/// 1.2.840.113549.1.1
const PKCS_1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
/// 1.2.840.10045.4
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const DSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
/// 2.16.840.1.101.3.4.2
const NIST_HASHES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
