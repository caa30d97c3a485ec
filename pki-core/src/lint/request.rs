//! Certification requests (RFC 2986): what would keep a certificate that repeats them from being issued.

use super::alternative::{self, DNS, EMAIL, URI};
use super::certificate::{Signed, SubjectKey};
use super::extension::Extensions;
use super::value::{INTEGER, OID, SEQUENCE, SET, Value, Values, is_strict};
use super::{Lint, RequestLint, algorithm, certificate, name};
use crate::tlv::context_constructed;

/// A CertificationRequest, field by field, as it lies in the octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    signed: Signed<'a>,
    version: &'a [u8],
    subject: Values<'a>,
    key: SubjectKey<'a>,
    attributes: Values<'a>,
    /// Those of the first extensionRequest.
    extensions: Extensions<'a>,
}

impl<'a> Request<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let signed = Signed::read(der)?;
        if !is_strict(signed.content) {
            return None;
        }
        let mut fields = Values::of_sequence(signed.content)?;
        let version = fields.next_if(INTEGER)?;
        let subject = fields.next()?.inside(SEQUENCE)?;
        let key = SubjectKey::read(fields.next()?)?;
        let attributes = Values(fields.next_if(context_constructed(0)).unwrap_or_default());
        fields.finish()?;
        if attributes.into_iter().any(|one| attribute(one).is_none()) {
            return None;
        }
        let mut asked =
            attributes.into_iter().filter_map(attribute).filter(|(kind, _)| *kind == EXTENSION_REQUEST);
        let extensions = match asked.next() {
            Some((_, mut values)) => Extensions::read(values.next()?.inside(SEQUENCE)?)?,
            None => Extensions::default(),
        };
        Some(Self { signed, version, subject, key, attributes, extensions })
    }

    fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Values<'a>)> + use<'a> {
        self.attributes.filter_map(attribute)
    }
}

/// RFC 2986 4.1: the type and the values.
fn attribute(value: Value<'_>) -> Option<(&[u8], Values<'_>)> {
    let mut fields = value.inside(SEQUENCE)?;
    let kind = fields.next_if(OID)?;
    let values = fields.next()?.inside(SET)?;
    fields.finish()?;
    Some((kind, values))
}

pub(super) const LINTS: &[RequestLint] = &[
    Lint::error(
        "request.version",
        "RFC 2986 4.1",
        "the version is not 1, which is written as 0",
        |request| request.version == [0],
    ),
    Lint::error(
        "request.attributes",
        "RFC 2985 5.4",
        "an attribute is there twice, or has not one value",
        each_attribute_has_one_value,
    ),
    Lint::error(
        "signature.form",
        "RFC 3279 2.2.3",
        "the ECDSA signature is not the DER of two positive integers",
        |request| certificate::signature_has_its_form(&request.signed),
    ),
    Lint::error(
        "signature.parameters",
        "RFC 4055 5, RFC 5758 3.2, RFC 8410 3, RFC 9881 2",
        "the signature algorithm has other parameters than those that it must have",
        |request| algorithm::has_its_parameters(request.signed.algorithm),
    ),
    Lint::error(
        "signature.digest",
        "RFC 6194 3, RFC 6151 2",
        "the signature's digest, SHA-1 or older, does not resist collisions",
        |request| algorithm::has_a_strong_digest(request.signed.algorithm),
    ),
    Lint::error(
        "key.parameters",
        "RFC 3279 2.3.1, RFC 5480 2.1.1, RFC 8410 3, RFC 9881 4",
        "the public key's algorithm has other parameters than those that it must have",
        |request| algorithm::key_has_its_parameters(&request.key),
    ),
    Lint::error(
        "key.form",
        "RFC 8017 A.1.1, RFC 5480 2.2, RFC 8410 4, RFC 9881 4",
        "the public key is not of its algorithm's form and length",
        |request| algorithm::key_has_its_form(&request.key),
    ),
    Lint::error("key.rsa-size", "NIST SP 800-131A 3", "the RSA key has less than 2048 bits", |request| {
        algorithm::rsa_key_is_long(&request.key)
    }),
    Lint::error(
        "subject.shape",
        "RFC 5280 4.1.2.4",
        "the subject is not a list of sets of attributes",
        |request| name::has_its_shape(request.subject),
    ),
    Lint::error(
        "subject.order",
        "X.690 11.6",
        "a set of attributes in the subject is not in the order of their encodings",
        |request| name::sets_are_ordered(request.subject),
    ),
    Lint::error(
        "subject.upper-bound",
        "RFC 5280 A.1",
        "an attribute of the subject is empty or longer than its upper bound",
        |request| name::each_has_its_length(request.subject),
    ),
    Lint::error(
        "subject.country",
        "RFC 5280 A.1",
        "the subject's country is not two letters in a PrintableString",
        |request| name::country_is_two_letters(request.subject),
    ),
    Lint::error(
        "subject.alphabet",
        "RFC 5280 4.1.2.4, X.680 41.4",
        "an attribute of the subject has octets that its kind of string cannot have",
        |request| name::each_has_its_alphabet(request.subject),
    ),
    Lint::error("extension.once", "RFC 5280 4.2", "an extension is asked for twice", |request| {
        request.extensions.are_there_once()
    }),
    Lint::error(
        "extension.shape",
        "RFC 5280 4.2",
        "the value of an extension that is asked for is not the DER of its definition",
        |request| request.extensions.have_their_shape(),
    ),
    Lint::error(
        "dns.syntax",
        "RFC 5280 4.2.1.6, RFC 1123 2.1",
        "a dNSName is not letters, digits and inner hyphens, 1 to 63 in each label and at most 253 in all",
        |request| alternative::each(request.extensions.alternative_names(), DNS, alternative::is_dns_name),
    ),
    Lint::error(
        "email.syntax",
        "RFC 5280 4.2.1.6, RFC 5321 4.1.2",
        "an rfc822Name is not an ASCII mailbox such as user@host",
        |request| alternative::each(request.extensions.alternative_names(), EMAIL, alternative::is_mailbox),
    ),
    Lint::error(
        "uri.syntax",
        "RFC 5280 4.2.1.6, RFC 3986",
        "a URI is not absolute and in ASCII, or has an authority without a host",
        |request| alternative::each(request.extensions.alternative_names(), URI, alternative::is_uri),
    ),
];

fn each_attribute_has_one_value(request: &Request<'_>) -> bool {
    let single = request.attributes().all(|(_, values)| values.count() == 1);
    single && request.attributes().filter(|(kind, _)| *kind == EXTENSION_REQUEST).count() <= 1
}

/// 1.2.840.113549.1.9.14
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
