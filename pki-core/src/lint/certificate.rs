//! The fields of a certificate (RFC 5280 4.1).

use super::extension::Extensions;
use super::value::{BIT_STRING, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME, Value, Values, is_strict};
use super::{CertificateLint, EnvelopeLint, Lint};
use crate::tlv::{context, context_constructed};

/// A signed object: what was signed, the algorithm, the signature (RFC 5280 4.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// The signed part, with its header.
    pub(super) content: &'a [u8],
    /// The AlgorithmIdentifier beside the signature, with its header.
    pub(super) algorithm: &'a [u8],
    /// The octets of the signature.
    pub(super) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Values::of_sequence(der)?;
        let content = fields.next_whole()?;
        let algorithm = fields.next_whole()?;
        let [0, signature @ ..] = fields.next()?.of(BIT_STRING)? else { return None };
        fields.finish()?;
        let strict = Value::only(content)?.tag == SEQUENCE && is_strict(algorithm);
        strict.then_some(Self { content, algorithm, signature })
    }
}

/// A TBSCertificate (RFC 5280 4.1.2), field by field, as it lies in the octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tbs<'a> {
    /// Absent in version 1.
    version: Option<&'a [u8]>,
    serial: &'a [u8],
    /// The AlgorithmIdentifier with its header.
    pub(super) algorithm: &'a [u8],
    /// The RDNs.
    pub(super) issuer: Values<'a>,
    not_before: Value<'a>,
    not_after: Value<'a>,
    /// The RDNs.
    pub(super) subject: Values<'a>,
    pub(super) key: SubjectKey<'a>,
    unique_identifiers: bool,
    pub(super) extensions: Extensions<'a>,
}

/// A SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
#[derive(Clone, Copy, Debug)]
pub(super) struct SubjectKey<'a> {
    /// The AlgorithmIdentifier with its header.
    pub(super) algorithm: &'a [u8],
    /// The octets of the BIT STRING.
    pub(super) octets: &'a [u8],
}

impl<'a> SubjectKey<'a> {
    pub(super) fn read(value: Value<'a>) -> Option<Self> {
        let mut fields = value.inside(SEQUENCE)?;
        let algorithm = fields.next_whole()?;
        let [0, octets @ ..] = fields.next()?.of(BIT_STRING)? else { return None };
        fields.finish()?;
        Some(Self { algorithm, octets })
    }
}

impl<'a> Tbs<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        if !is_strict(der) {
            return None;
        }
        let mut fields = Values::of_sequence(der)?;
        let version = fields.next_if(context_constructed(0));
        let serial = fields.next()?.of(INTEGER)?;
        let algorithm = fields.next_whole()?;
        let issuer = fields.next()?.inside(SEQUENCE)?;
        let mut validity = fields.next()?.inside(SEQUENCE)?;
        let not_before = validity.next()?;
        let not_after = validity.next()?;
        validity.finish()?;
        let subject = fields.next()?.inside(SEQUENCE)?;
        let key = SubjectKey::read(fields.next()?)?;
        let issuer_unique = fields.next_if(context(1));
        let subject_unique = fields.next_if(context(2));
        let extensions = match fields.next_if(context_constructed(3)) {
            Some(explicit) => Extensions::read(Values::of_sequence(explicit)?)?,
            None => Extensions::default(),
        };
        fields.finish()?;
        Some(Self {
            version,
            serial,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            unique_identifiers: issuer_unique.is_some() || subject_unique.is_some(),
            extensions,
        })
    }

    /// RFC 5280 4.2.1.9: a CA's basic constraints say so.
    pub(super) const fn is_authority(&self) -> bool {
        self.extensions.authority
    }
}

/// What needs the signature, or what stands beside it.
pub(super) const ENVELOPE: &[EnvelopeLint] = &[
    Lint::error(
        "signature.same-algorithm",
        "RFC 5280 4.1.1.2",
        "the algorithm in what is signed differs from the one beside the signature",
        algorithm_is_the_same,
    ),
    Lint::error(
        "signature.form",
        "RFC 3279 2.2.3",
        "the ECDSA signature is not the DER of two positive integers",
        signature_has_its_form,
    ),
];

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error("version.3", "RFC 5280 4.1.2.1", "the version is not 3", version_is_3),
    Lint::error(
        "serial.positive",
        "RFC 5280 4.1.2.2",
        "the serial number is not positive",
        serial_is_positive,
    ),
    Lint::error(
        "serial.length",
        "RFC 5280 4.1.2.2",
        "the serial number has more than 20 octets",
        serial_is_short,
    ),
    Lint::error("issuer.present", "RFC 5280 4.1.2.4", "the issuer is empty", issuer_is_present),
    Lint::error(
        "validity.encoding",
        "RFC 5280 4.1.2.5",
        "a date is not UTCTime through 2049 and GeneralizedTime from 2050 on",
        validity_has_its_encoding,
    ),
    Lint::error(
        "validity.form",
        "RFC 5280 4.1.2.5.1",
        "a date has no seconds, a fraction of them, an offset, or is none",
        validity_has_its_form,
    ),
    Lint::error("validity.order", "RFC 5280 4.1.2.5", "it ends before it begins", validity_is_ordered),
    Lint::error("subject.authority", "RFC 5280 4.1.2.6", "a CA has no subject", authority_has_a_subject),
    Lint::error(
        "subject.somebody",
        "RFC 5280 4.1.2.6",
        "neither a subject nor an alternative name is there",
        somebody_is_named,
    ),
    Lint::error(
        "unique-identifiers.absent",
        "RFC 5280 4.1.2.8",
        "it has unique identifiers",
        unique_identifiers_are_absent,
    ),
];

fn algorithm_is_the_same(signed: &Signed<'_>) -> bool {
    let mut fields = Values::of_sequence(signed.content).unwrap_or_default();
    // A version stands before the serial number of a certificate and, without a tag, in a CRL.
    fields.next_if(context_constructed(0));
    let inner = match fields.next_whole() {
        Some(first) if first.first() == Some(&INTEGER) => fields.next_whole(),
        first => first,
    };
    inner == Some(signed.algorithm)
}

/// RFC 3279 2.2.3: Ecdsa-Sig-Value. The other algorithms' signatures are octets without a structure.
pub(super) fn signature_has_its_form(signed: &Signed<'_>) -> bool {
    if !super::algorithm::is_ecdsa(signed.algorithm) {
        return true;
    }
    let positive = |content: &[u8]| content.first().is_some_and(|first| first & 0x80 == 0) && content != [0];
    let numbers = Values::of_sequence(signed.signature).filter(|_| is_strict(signed.signature));
    numbers.is_some_and(|mut numbers| {
        numbers.next_if(INTEGER).is_some_and(positive)
            && numbers.next_if(INTEGER).is_some_and(positive)
            && numbers.is_empty()
    })
}

fn version_is_3(tbs: &Tbs<'_>) -> bool {
    tbs.version == Some(&[INTEGER, 1, 2])
}

pub(super) fn is_positive(serial: &[u8]) -> bool {
    serial.first().is_some_and(|first| first & 0x80 == 0) && serial.iter().any(|&octet| octet != 0)
}

fn serial_is_positive(tbs: &Tbs<'_>) -> bool {
    is_positive(tbs.serial)
}

const fn serial_is_short(tbs: &Tbs<'_>) -> bool {
    tbs.serial.len() <= 20
}

const fn issuer_is_present(tbs: &Tbs<'_>) -> bool {
    !tbs.issuer.is_empty()
}

fn validity_has_its_encoding(tbs: &Tbs<'_>) -> bool {
    has_its_encoding(tbs.not_before) && has_its_encoding(tbs.not_after)
}

fn validity_has_its_form(tbs: &Tbs<'_>) -> bool {
    moment(tbs.not_before).is_some() && moment(tbs.not_after).is_some()
}

fn validity_is_ordered(tbs: &Tbs<'_>) -> bool {
    // What is no date is told by another lint.
    match (moment(tbs.not_before), moment(tbs.not_after)) {
        (Some(from), Some(until)) => from <= until,
        _ => true,
    }
}

/// RFC 5280 4.1.2.5: GeneralizedTime from 2050 on, and only then.
pub(super) fn has_its_encoding(time: Value<'_>) -> bool {
    match time.tag {
        UTC_TIME => true,
        GENERALIZED_TIME => time.content.get(..4).is_some_and(|year| year >= b"2050".as_slice()),
        _ => false,
    }
}

/// The date as 14 digits that compare in order: YYYYMMDDHHMMSS.
///
/// RFC 5280 4.1.2.5.1, 4.1.2.5.2: with seconds, in Greenwich time, without fractions.
pub(super) fn moment(time: Value<'_>) -> Option<[u8; 14]> {
    let mut digits = [0; 14];
    let (text, from) = match (time.tag, time.content.split_last()?) {
        (UTC_TIME, (b'Z', text @ [first, ..])) if text.len() == 12 => {
            let century: [u8; 2] = if *first >= b'5' { *b"19" } else { *b"20" };
            let [a, b, ..] = &mut digits;
            [*a, *b] = century;
            (text, 2)
        }
        (GENERALIZED_TIME, (b'Z', text)) if text.len() == 14 => (text, 0),
        _ => return None,
    };
    digits.get_mut(from..)?.copy_from_slice(text);
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [_, _, y, z, m, n, d, e, h, i, o, p, s, t] = digits;
    let two = |high: u8, low: u8| (high & 0xf) * 10 + (low & 0xf);
    let year = two(y, z);
    // The century's own leap day is wrong in three of four centuries; 2100 is not a leap year.
    let leap = year % 4 == 0 && (year != 0 || matches!(digits, [b'2', b'0' | b'4' | b'8', ..]));
    let days = match two(m, n) {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let holds = (1..=days).contains(&two(d, e)) && two(h, i) < 24 && two(o, p) < 60 && two(s, t) < 60;
    holds.then_some(digits)
}

const fn authority_has_a_subject(tbs: &Tbs<'_>) -> bool {
    !tbs.is_authority() || !tbs.subject.is_empty()
}

fn somebody_is_named(tbs: &Tbs<'_>) -> bool {
    !tbs.subject.is_empty() || tbs.extensions.alternative_names().next().is_some()
}

const fn unique_identifiers_are_absent(tbs: &Tbs<'_>) -> bool {
    !tbs.unique_identifiers
}
