//! Extensions as such (RFC 5280 4.2): each once, critical where it is known to be, of the shape that its definition says.

use super::certificate::Tbs;
use super::value::{
    BIT_STRING, BOOLEAN, INTEGER, NULL, OCTET_STRING, OID, SEQUENCE, Value, Values, is_strict,
};
use super::{CertificateLint, Lint};
use crate::tlv::{context, context_constructed};

/// The extensions that the lints know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    SubjectKeyIdentifier,
    KeyUsage,
    AlternativeName,
    IssuerAlternativeName,
    BasicConstraints,
    NameConstraints,
    DistributionPoints,
    Policies,
    PolicyMappings,
    AuthorityKeyIdentifier,
    PolicyConstraints,
    ExtendedKeyUsage,
    FreshestCrl,
    InhibitAnyPolicy,
    NoRevocation,
    AuthorityAccess,
    SubjectAccess,
    TlsFeature,
}

const KNOWN: usize = 18;

impl Known {
    fn of(oid: &[u8]) -> Option<Self> {
        Some(match oid {
            [0x55, 0x1d, last] => match last {
                14 => Self::SubjectKeyIdentifier,
                15 => Self::KeyUsage,
                17 => Self::AlternativeName,
                18 => Self::IssuerAlternativeName,
                19 => Self::BasicConstraints,
                30 => Self::NameConstraints,
                31 => Self::DistributionPoints,
                32 => Self::Policies,
                33 => Self::PolicyMappings,
                35 => Self::AuthorityKeyIdentifier,
                36 => Self::PolicyConstraints,
                37 => Self::ExtendedKeyUsage,
                46 => Self::FreshestCrl,
                54 => Self::InhibitAnyPolicy,
                56 => Self::NoRevocation,
                _ => return None,
            },
            [0x2b, 6, 1, 5, 5, 7, 1, last] => match last {
                1 => Self::AuthorityAccess,
                11 => Self::SubjectAccess,
                24 => Self::TlsFeature,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether `value`, which is strict DER, has the shape of the extension's definition.
    fn fits(self, value: Value<'_>) -> bool {
        let list_of = |inside: fn(Value<'_>) -> bool| {
            value.inside(SEQUENCE).is_some_and(|mut values| values.all(inside))
        };
        match self {
            Self::SubjectKeyIdentifier => value.tag == OCTET_STRING,
            Self::KeyUsage => value.tag == BIT_STRING,
            Self::AlternativeName | Self::IssuerAlternativeName => list_of(is_general_name),
            Self::BasicConstraints => value.inside(SEQUENCE).is_some_and(|mut fields| {
                fields.next_if(BOOLEAN);
                fields.next_if(INTEGER);
                fields.is_empty()
            }),
            Self::NameConstraints => list_of(|trees| {
                let subtrees =
                    trees.inside(context_constructed(0)).or_else(|| trees.inside(context_constructed(1)));
                subtrees.is_some_and(|mut list| {
                    list.all(|tree| {
                        tree.inside(SEQUENCE)
                            .and_then(|mut fields| fields.next())
                            .is_some_and(is_general_name)
                    })
                })
            }),
            Self::DistributionPoints | Self::FreshestCrl => {
                list_of(|point| point.inside(SEQUENCE).is_some_and(|mut fields| fields.all(is_context)))
            }
            Self::Policies => list_of(|policy| {
                policy.inside(SEQUENCE).is_some_and(|mut fields| {
                    fields.next_if(OID).is_some() && {
                        fields.next_if(SEQUENCE);
                        fields.is_empty()
                    }
                })
            }),
            Self::PolicyMappings => list_of(|mapping| {
                mapping.inside(SEQUENCE).is_some_and(|fields| fields.all_are(OID) && fields.count() == 2)
            }),
            Self::AuthorityKeyIdentifier | Self::PolicyConstraints => list_of(is_context),
            Self::ExtendedKeyUsage => list_of(|usage| usage.tag == OID),
            Self::InhibitAnyPolicy => value.tag == INTEGER,
            // RFC 9608 2
            Self::NoRevocation => value.tag == NULL,
            Self::AuthorityAccess | Self::SubjectAccess => list_of(|description| {
                description.inside(SEQUENCE).is_some_and(|mut fields| {
                    fields.next_if(OID).is_some()
                        && fields.next().is_some_and(is_general_name)
                        && fields.is_empty()
                })
            }),
            // RFC 7633 4.1
            Self::TlsFeature => list_of(|feature| feature.tag == INTEGER),
        }
    }
}

/// RFC 5280 4.2.1.6: GeneralName is one of nine context tags.
fn is_general_name(value: Value<'_>) -> bool {
    matches!(value.tag, 0xa0 | 0x81 | 0x82 | 0xa3 | 0xa4 | 0xa5 | 0x86 | 0x87 | 0x88)
}

fn is_context(value: Value<'_>) -> bool {
    value.tag & 0xc0 == 0x80
}

/// One extension that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) critical: bool,
    /// The value inside the OCTET STRING.
    pub(super) value: Value<'a>,
}

/// The extensions of a certificate, a CRL or a request, read once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extensions<'a> {
    list: Values<'a>,
    known: [Option<Found<'a>>; KNOWN],
    /// Basic constraints that say CA:TRUE.
    pub(super) authority: bool,
    unknown: usize,
    unknown_critical: bool,
    repeated: bool,
    false_written: bool,
    misshapen: bool,
}

impl<'a> Extensions<'a> {
    /// The list that Extensions holds. `None` if it is none.
    pub(super) fn read(list: Values<'a>) -> Option<Self> {
        let mut read = Self { list, ..Self::default() };
        for extension in list {
            let (oid, critical, value) = fields(extension)?;
            read.false_written |= critical == Some(false);
            let critical = critical == Some(true);
            let Some(known) = Known::of(oid) else {
                read.unknown += 1;
                read.unknown_critical |= critical;
                continue;
            };
            let slot = read.known.get_mut(known as usize)?;
            read.repeated |= slot.is_some();
            match Value::only(value).filter(|inner| is_strict(value) && known.fits(*inner)) {
                Some(value) => *slot = Some(Found { critical, value }),
                None => read.misshapen = true,
            }
        }
        read.repeated |= read.unknown > 1 && unknown_is_repeated(list);
        read.authority = read.inside(Known::BasicConstraints).and_then(|mut fields| fields.next_if(BOOLEAN))
            == Some(&[0xff]);
        Some(read)
    }

    pub(super) fn get(&self, known: Known) -> Option<Found<'a>> {
        self.known.get(known as usize).copied().flatten()
    }

    pub(super) fn has(&self, known: Known) -> bool {
        self.get(known).is_some()
    }

    /// The values inside an extension whose definition is a SEQUENCE.
    pub(super) fn inside(&self, known: Known) -> Option<Values<'a>> {
        self.get(known)?.value.inside(SEQUENCE)
    }

    /// The names of the subject alternative name; none where there is no such extension.
    pub(super) fn alternative_names(&self) -> Values<'a> {
        self.inside(Known::AlternativeName).unwrap_or_default()
    }

    fn is_critical(&self, known: Known) -> Option<bool> {
        self.get(known).map(|found| found.critical)
    }

    pub(super) const fn are_there_once(&self) -> bool {
        !self.repeated
    }

    pub(super) const fn write_no_default(&self) -> bool {
        !self.false_written
    }

    pub(super) const fn have_their_shape(&self) -> bool {
        !self.misshapen
    }
}

/// RFC 5280 4.1: Extension.
fn fields(extension: Value<'_>) -> Option<(&[u8], Option<bool>, &[u8])> {
    let mut fields = extension.inside(SEQUENCE)?;
    let oid = fields.next_if(OID)?;
    let critical = fields.next_if(BOOLEAN).map(|value| value != [0]);
    let value = fields.next_if(OCTET_STRING)?;
    fields.finish()?;
    Some((oid, critical, value))
}

fn unknown_is_repeated(list: Values<'_>) -> bool {
    let mut rest = list;
    while let Some(extension) = rest.next() {
        let Some((oid, ..)) = fields(extension) else { continue };
        if Known::of(oid).is_none() && rest.filter_map(fields).any(|(other, ..)| other == oid) {
            return true;
        }
    }
    false
}

pub(super) const LINTS: &[CertificateLint] = &[
    Lint::error(
        "extension.present",
        "RFC 5280 4.1.2.9",
        "it has no extensions, or an empty list of them",
        some_are_there,
    ),
    Lint::error("extension.once", "RFC 5280 4.2", "an extension is there twice", each_is_there_once),
    Lint::error(
        "extension.shape",
        "RFC 5280 4.2",
        "an extension's value is not the DER of its definition",
        each_has_its_shape,
    ),
    Lint::error(
        "extension.default",
        "X.690 11.5",
        "an extension writes that it is not critical, which is the default",
        no_default_is_written,
    ),
    Lint::error(
        "extension.unknown-critical",
        "RFC 5280 4.2",
        "an extension that verifiers need not know is critical: they refuse the certificate",
        unknown_ones_are_not_critical,
    ),
    Lint::error(
        "subject-key-identifier.present",
        "RFC 5280 4.2.1.2",
        "a CA has no subject key identifier",
        authority_names_its_key,
    ),
    Lint::error(
        "subject-key-identifier.not-critical",
        "RFC 5280 4.2.1.2",
        "the subject key identifier is critical",
        subject_key_identifier_is_not_critical,
    ),
    Lint::error(
        "subject-key-identifier.octets",
        "RFC 5280 4.2.1.2",
        "the subject key identifier is empty",
        subject_key_identifier_has_octets,
    ),
    Lint::error(
        "authority-key-identifier.present",
        "RFC 5280 4.2.1.1",
        "the authority key identifier is missing, or names no key",
        issuer_key_is_named,
    ),
    Lint::error(
        "authority-key-identifier.not-critical",
        "RFC 5280 4.2.1.1",
        "the authority key identifier is critical",
        authority_key_identifier_is_not_critical,
    ),
    Lint::error(
        "authority-key-identifier.pair",
        "RFC 5280 4.2.1.1",
        "the authority key identifier has an issuer without its serial number, or the reverse",
        authority_key_identifier_has_both,
    ),
];

fn some_are_there(tbs: &Tbs<'_>) -> bool {
    !tbs.extensions.list.is_empty()
}

const fn each_is_there_once(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.are_there_once()
}

const fn each_has_its_shape(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.have_their_shape()
}

const fn no_default_is_written(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.write_no_default()
}

const fn unknown_ones_are_not_critical(tbs: &Tbs<'_>) -> bool {
    !tbs.extensions.unknown_critical
}

fn authority_names_its_key(tbs: &Tbs<'_>) -> bool {
    !tbs.is_authority() || tbs.extensions.has(Known::SubjectKeyIdentifier)
}

fn subject_key_identifier_is_not_critical(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.is_critical(Known::SubjectKeyIdentifier) != Some(true)
}

fn subject_key_identifier_has_octets(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.get(Known::SubjectKeyIdentifier).is_none_or(|found| !found.value.content.is_empty())
}

/// RFC 5280 4.2.1.1: everywhere but in a self-signed certificate, where it may be left out.
fn issuer_key_is_named(tbs: &Tbs<'_>) -> bool {
    match tbs.extensions.inside(Known::AuthorityKeyIdentifier) {
        Some(mut fields) => fields.next_if(context(0)).is_some_and(|identifier| !identifier.is_empty()),
        None => tbs.is_authority() && tbs.issuer == tbs.subject,
    }
}

fn authority_key_identifier_is_not_critical(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.is_critical(Known::AuthorityKeyIdentifier) != Some(true)
}

fn authority_key_identifier_has_both(tbs: &Tbs<'_>) -> bool {
    tbs.extensions.inside(Known::AuthorityKeyIdentifier).is_none_or(|fields| {
        let has = |tag| fields.into_iter().any(|field| field.tag == tag);
        has(context_constructed(1)) == has(context(2))
    })
}
