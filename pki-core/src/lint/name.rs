//! The subject's attributes (RFC 5280 4.1.2.4, 4.1.2.6, appendix A.1). The issuer's are the subject of its own certificate,
//! octet for octet, and were judged there.

use super::value::{IA5_STRING, OID, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING, Values};
use super::{CertificateLint, Lint};

/// One attribute of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) kind: &'a [u8],
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
}

/// The attributes of a name, RDN by RDN. `None` stands for something that is none.
pub(super) fn attributes<'a>(name: Values<'a>) -> impl Iterator<Item = Option<Attribute<'a>>> {
    name.flat_map(|rdn| rdn.inside(SET).unwrap_or(NOT_A_SET)).map(|attribute| {
        let mut fields = attribute.inside(SEQUENCE)?;
        let kind = fields.next_if(OID)?;
        let value = fields.next()?;
        fields.finish()?;
        Some(Attribute { kind, tag: value.tag, value: value.content })
    })
}

/// In the place of an RDN that is no SET: an attribute that is none.
const NOT_A_SET: Values<'static> = Values(&[super::value::NULL, 0]);

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "subject.shape",
        "RFC 5280 4.1.2.4",
        "the subject is not a list of sets of attributes",
        |tbs| has_its_shape(tbs.subject),
    ),
    Lint::error(
        "subject.order",
        "X.690 11.6",
        "a set of attributes in the subject is not in the order of their encodings",
        |tbs| sets_are_ordered(tbs.subject),
    ),
    Lint::error(
        "subject.upper-bound",
        "RFC 5280 A.1",
        "an attribute of the subject is empty or longer than its upper bound",
        |tbs| each_has_its_length(tbs.subject),
    ),
    Lint::error(
        "subject.country",
        "RFC 5280 A.1",
        "the subject's country is not two letters in a PrintableString",
        |tbs| country_is_two_letters(tbs.subject),
    ),
    Lint::error(
        "subject.alphabet",
        "RFC 5280 4.1.2.4, X.680 41.4",
        "an attribute of the subject has octets that its kind of string cannot have",
        |tbs| each_has_its_alphabet(tbs.subject),
    ),
    Lint::error(
        "subject.string",
        "RFC 5280 A.1",
        "serialNumber or dnQualifier is no PrintableString, or emailAddress or DC no IA5String",
        |tbs| each_has_its_string(tbs.subject),
    ),
    Lint::warning(
        "subject.old-string",
        "RFC 5280 4.1.2.4",
        "an attribute of the subject is neither PrintableString nor UTF8String",
        |tbs| no_old_strings(tbs.subject),
    ),
];

pub(super) fn has_its_shape(name: Values<'_>) -> bool {
    name.into_iter().all(|rdn| rdn.inside(SET).is_some_and(|set| !set.is_empty()))
        && attributes(name).all(|attribute| attribute.is_some())
}

/// X.690 11.6: the elements of a SET OF ascend, and none is there twice.
pub(super) fn sets_are_ordered(name: Values<'_>) -> bool {
    name.into_iter().all(|rdn| {
        let mut set = rdn.inside(SET).unwrap_or_default();
        let mut before = set.next_whole();
        while let Some(next) = set.next_whole() {
            if before >= Some(next) {
                return false;
            }
            before = Some(next);
        }
        true
    })
}

pub(super) fn each_has_its_length(name: Values<'_>) -> bool {
    attributes(name).flatten().all(|attribute| {
        let characters = match attribute.tag {
            // Each character has one octet that does not continue another.
            UTF8_STRING => attribute.value.iter().filter(|octet| **octet & 0xc0 != 0x80).count(),
            BMP_STRING => attribute.value.len() / 2,
            UNIVERSAL_STRING => attribute.value.len() / 4,
            _ => attribute.value.len(),
        };
        !attribute.value.is_empty() && upper_bound(attribute.kind).is_none_or(|bound| characters <= bound)
    })
}

/// RFC 5280 A.1, upper bounds; X.520 for street and user id.
fn upper_bound(kind: &[u8]) -> Option<usize> {
    Some(match kind {
        [0x55, 4, last] => match last {
            // CN, serialNumber, O, OU, title
            3 | 5 | 10 | 11 | 12 => 64,
            // L, ST, street, pseudonym
            7 | 8 | 9 | 65 => 128,
            // surname, name, given name, initials, generation qualifier
            4 | 41..=44 => 32_768,
            // postalCode
            17 => 40,
            _ => return None,
        },
        EMAIL_ADDRESS => 255,
        DOMAIN_COMPONENT => 63,
        USER_ID => 256,
        _ => return None,
    })
}

pub(super) fn country_is_two_letters(name: Values<'_>) -> bool {
    attributes(name).flatten().filter(|attribute| attribute.kind == [0x55, 4, 6]).all(|country| {
        country.tag == PRINTABLE_STRING
            && country.value.len() == 2
            && country.value.iter().all(u8::is_ascii_alphabetic)
    })
}

pub(super) fn each_has_its_alphabet(name: Values<'_>) -> bool {
    attributes(name).flatten().all(|attribute| match attribute.tag {
        // X.680 41.4, table 10
        PRINTABLE_STRING => attribute
            .value
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(octet)),
        UTF8_STRING => core::str::from_utf8(attribute.value)
            .is_ok_and(|text| !text.bytes().any(|octet| octet.is_ascii_control())),
        IA5_STRING => attribute.value.iter().all(|octet| octet.is_ascii() && !octet.is_ascii_control()),
        _ => true,
    })
}

pub(super) fn each_has_its_string(name: Values<'_>) -> bool {
    attributes(name).flatten().all(|attribute| match attribute.kind {
        // serialNumber, dnQualifier
        [0x55, 4, 5 | 46] => attribute.tag == PRINTABLE_STRING,
        EMAIL_ADDRESS | DOMAIN_COMPONENT => attribute.tag == IA5_STRING,
        _ => true,
    })
}

fn no_old_strings(name: Values<'_>) -> bool {
    attributes(name).flatten().all(|attribute| {
        !matches!(attribute.kind, [0x55, 4, _])
            || !matches!(attribute.tag, TELETEX_STRING | BMP_STRING | UNIVERSAL_STRING)
    })
}

/// 1.2.840.113549.1.9.1
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
/// 0.9.2342.19200300.100.1.25
const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
/// 0.9.2342.19200300.100.1.1
const USER_ID: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1];
const TELETEX_STRING: u8 = 0x14;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;
