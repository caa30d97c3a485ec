//! Certificate revocation lists (RFC 5280 5).

use super::certificate::{Signed, has_its_encoding, is_positive, moment};
use super::value::{
    BOOLEAN, ENUMERATED, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, UTC_TIME, Value, Values,
    is_strict,
};
use super::{EntryLint, Lint, ListLint, algorithm, certificate, pointer};
use crate::tlv::{context, context_constructed};

/// A CertificateList, field by field, as it lies in the octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    signed: Signed<'a>,
    version: Option<&'a [u8]>,
    algorithm: &'a [u8],
    issuer: Values<'a>,
    this_update: Value<'a>,
    next_update: Option<Value<'a>>,
    revoked: Option<Values<'a>>,
    /// `None` where there is no such field, as in version 1.
    extensions: Option<Values<'a>>,
}

/// An element of revokedCertificates (RFC 5280 5.1.2.6).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    serial: &'a [u8],
    date: Value<'a>,
    extensions: Option<Values<'a>>,
}

impl<'a> List<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let signed = Signed::read(der)?;
        if !is_strict(signed.content) {
            return None;
        }
        let mut fields = Values::of_sequence(signed.content)?;
        let version = fields.next_if(INTEGER);
        let algorithm = fields.next_whole()?;
        let issuer = fields.next()?.inside(SEQUENCE)?;
        let this_update = fields.next()?;
        let mut rest = fields;
        let next_update = match rest.next() {
            Some(value) if value.tag == UTC_TIME || value.tag == GENERALIZED_TIME => {
                fields = rest;
                Some(value)
            }
            _ => None,
        };
        let revoked = fields.next_if(SEQUENCE).map(Values);
        let extensions = match fields.next_if(context_constructed(0)) {
            Some(explicit) => Some(Values::of_sequence(explicit)?),
            None => None,
        };
        fields.finish()?;
        let entries_fit = revoked.is_none_or(|mut entries| entries.all(|entry| Entry::read(entry).is_some()));
        let extensions_fit = extensions.is_none_or(|mut list| list.all(|one| Extension::read(one).is_some()));
        (entries_fit && extensions_fit).then_some(Self {
            signed,
            version,
            algorithm,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions,
        })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        self.revoked.unwrap_or_default().filter_map(Entry::read)
    }

    fn extension(&self, id: &[u8]) -> Option<Extension<'a>> {
        find(self.extensions, id)
    }
}

impl<'a> Entry<'a> {
    fn read(value: Value<'a>) -> Option<Self> {
        let mut fields = value.inside(SEQUENCE)?;
        let serial = fields.next_if(INTEGER)?;
        let date = fields.next()?;
        let extensions = fields.next_if(SEQUENCE).map(Values);
        fields.finish()?;
        let extensions_fit = extensions.is_none_or(|mut list| list.all(|one| Extension::read(one).is_some()));
        extensions_fit.then_some(Self { serial, date, extensions })
    }

    /// RFC 5280 5.3.1; `None` where no reason is written.
    fn reason(&self) -> Option<&'a [u8]> {
        Value::only(find(self.extensions, REASON)?.value)?.of(ENUMERATED)
    }
}

/// An extension of a list or of an entry.
#[derive(Clone, Copy, Debug)]
struct Extension<'a> {
    id: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

impl<'a> Extension<'a> {
    fn read(value: Value<'a>) -> Option<Self> {
        let mut fields = value.inside(SEQUENCE)?;
        let id = fields.next_if(OID)?;
        let critical = fields.next_if(BOOLEAN).is_some_and(|value| value != [0]);
        let value = fields.next_if(OCTET_STRING)?;
        fields.finish()?;
        Some(Self { id, critical, value })
    }
}

fn find<'a>(extensions: Option<Values<'a>>, id: &[u8]) -> Option<Extension<'a>> {
    extensions?.filter_map(Extension::read).find(|extension| extension.id == id)
}

fn are_there_once(extensions: Option<Values<'_>>) -> bool {
    let mut rest = extensions.unwrap_or_default();
    while let Some(one) = rest.next().and_then(Extension::read) {
        if rest.filter_map(Extension::read).any(|other| other.id == one.id) {
            return false;
        }
    }
    true
}

pub(super) const LIST: &[ListLint] = &[
    Lint::error(
        "signature.same-algorithm",
        "RFC 5280 5.1.1.2",
        "the algorithm in what is signed differs from the one beside the signature",
        |list| list.algorithm == list.signed.algorithm,
    ),
    Lint::error(
        "signature.form",
        "RFC 3279 2.2.3",
        "the ECDSA signature is not the DER of two positive integers",
        |list| certificate::signature_has_its_form(&list.signed),
    ),
    Lint::error(
        "signature.parameters",
        "RFC 4055 5, RFC 5758 3.2, RFC 8410 3, RFC 9881 2",
        "the signature algorithm has other parameters than those that it must have",
        |list| algorithm::has_its_parameters(list.signed.algorithm),
    ),
    Lint::error(
        "signature.digest",
        "RFC 6194 3, RFC 6151 2",
        "the signature's digest, SHA-1 or older, does not resist collisions",
        |list| algorithm::has_a_strong_digest(list.signed.algorithm),
    ),
    Lint::error("crl.version", "RFC 5280 5.1.2.1", "the version is not 2", |list| list.version == Some(&[1])),
    Lint::error("issuer.present", "RFC 5280 5.1.2.3", "the issuer is empty", |list| !list.issuer.is_empty()),
    Lint::error(
        "crl.next-update",
        "RFC 5280 5.1.2.5",
        "it does not say by when the next one is issued",
        |list| list.next_update.is_some(),
    ),
    Lint::error(
        "validity.encoding",
        "RFC 5280 5.1.2.4",
        "a date is not UTCTime through 2049 and GeneralizedTime from 2050 on",
        |list| has_its_encoding(list.this_update) && list.next_update.is_none_or(has_its_encoding),
    ),
    Lint::error(
        "validity.form",
        "RFC 5280 5.1.2.4",
        "a date has no seconds, a fraction of them, an offset, or is none",
        |list| {
            moment(list.this_update).is_some() && list.next_update.is_none_or(|time| moment(time).is_some())
        },
    ),
    Lint::error(
        "validity.order",
        "RFC 5280 5.1.2.5",
        "its next update is not after this one",
        updates_are_ordered,
    ),
    Lint::error(
        "crl.entries",
        "RFC 5280 5.1.2.6",
        "nothing is revoked, and the empty list is written",
        |list| list.revoked.is_none_or(|entries| !entries.is_empty()),
    ),
    Lint::error("extension.once", "RFC 5280 5.2", "an extension is there twice", |list| {
        are_there_once(list.extensions)
    }),
    Lint::error(
        "extension.unknown-critical",
        "RFC 5280 5.2",
        "an extension that verifiers need not know is critical: they refuse the list",
        |list| {
            list.extensions
                .unwrap_or_default()
                .filter_map(Extension::read)
                .all(|extension| !extension.critical || [DELTA, DISTRIBUTION_POINT].contains(&extension.id))
        },
    ),
    Lint::error(
        "authority-key-identifier.present",
        "RFC 5280 5.2.1",
        "the authority key identifier is missing, or names no key",
        |list| {
            let found = list.extension(AUTHORITY_KEY).and_then(|found| Values::of_sequence(found.value));
            found.is_some_and(|mut fields| fields.next_if(context(0)).is_some_and(|id| !id.is_empty()))
        },
    ),
    Lint::error(
        "crl.number",
        "RFC 5280 5.2.3",
        "the CRL number is missing, negative, or has more than 20 octets",
        |list| {
            list.extension(NUMBER).and_then(|found| Value::only(found.value)?.of(INTEGER)).is_some_and(
                |number| number.first().is_some_and(|first| first & 0x80 == 0) && number.len() <= 20,
            )
        },
    ),
    Lint::error(
        "crl.partial-critical",
        "RFC 5280 5.2.4, 5.2.5",
        "the list is partial, and the extension that says so is not critical",
        |list| {
            [DELTA, DISTRIBUTION_POINT]
                .into_iter()
                .all(|id| list.extension(id).is_none_or(|found| found.critical))
        },
    ),
    Lint::error(
        "crl.delta-base",
        "RFC 5280 5.2.4",
        "the list is a delta, and its base is no number or not below its own",
        delta_is_above_its_base,
    ),
    Lint::error(
        "crl.distribution-point",
        "RFC 5280 5.2.5",
        "the issuing distribution point is empty, or has a URI that cannot be fetched",
        distribution_point_says_something,
    ),
];

pub(super) const ENTRY: &[EntryLint] = &[
    Lint::error(
        "serial.positive",
        "RFC 5280 4.1.2.2",
        "the serial number of an entry is not positive",
        |_, entry| is_positive(entry.serial),
    ),
    Lint::error(
        "crl.revocation-date",
        "RFC 5280 5.1.2.6",
        "a revocation date is not written as this update is",
        |_, entry| has_its_encoding(entry.date) && moment(entry.date).is_some(),
    ),
    Lint::error(
        "crl.entry-extensions",
        "RFC 5280 5.3",
        "an entry has an extension twice, or an empty list",
        |_, entry| entry.extensions.is_none_or(|list| !list.is_empty()) && are_there_once(entry.extensions),
    ),
    Lint::error(
        "crl.entry-critical",
        "RFC 5280 5.3",
        "an entry has an extension that is critical and no certificate issuer",
        |_, entry| {
            let mut extensions = entry.extensions.unwrap_or_default().filter_map(Extension::read);
            extensions.all(|extension| !extension.critical || extension.id == CERTIFICATE_ISSUER)
        },
    ),
    Lint::error("crl.reason", "RFC 5280 5.3.1", "a reason is none of the ten", |_, entry| {
        // 7 is not used.
        find(entry.extensions, REASON).is_none()
            || matches!(entry.reason(), Some([reason]) if *reason <= 10 && *reason != 7)
    }),
    Lint::warning(
        "crl.reason-unspecified",
        "RFC 5280 5.3.1",
        "a reason says that none is specified",
        |_, entry| entry.reason() != Some(&[0]),
    ),
    Lint::error(
        "crl.remove",
        "RFC 5280 5.3.1",
        "a reason says removeFromCRL in a list that is no delta",
        |list, entry| entry.reason() != Some(&[8]) || list.extension(DELTA).is_some(),
    ),
];

fn updates_are_ordered(list: &List<'_>) -> bool {
    match (moment(list.this_update), list.next_update.and_then(moment)) {
        (Some(this), Some(next)) => this < next,
        _ => true,
    }
}

fn delta_is_above_its_base(list: &List<'_>) -> bool {
    let number = |id| list.extension(id).and_then(|found| Value::only(found.value)?.of(INTEGER));
    if list.extension(DELTA).is_none() {
        return true;
    }
    match (number(NUMBER), number(DELTA)) {
        // Integers without a sign, each in its shortest form: the longer one is the greater.
        (Some(own), Some(base)) => (base.len(), base) < (own.len(), own),
        _ => false,
    }
}

fn distribution_point_says_something(list: &List<'_>) -> bool {
    let Some(found) = list.extension(DISTRIBUTION_POINT) else { return true };
    let Some(whole) = Value::only(found.value).filter(|_| is_strict(found.value)) else { return false };
    let fetched = pointer::full_name(whole).is_none_or(|mut names| names.all(pointer::is_location));
    whole.tag == SEQUENCE && !whole.content.is_empty() && fetched
}

/// 2.5.29.20, .21, .27, .28, .29, .35
const NUMBER: &[u8] = &[0x55, 0x1d, 20];
const REASON: &[u8] = &[0x55, 0x1d, 21];
const DELTA: &[u8] = &[0x55, 0x1d, 27];
const DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 35];
