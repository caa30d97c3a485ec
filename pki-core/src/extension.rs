//! Certificate extensions: one constructor each, the section that defines it above, and the readers beside them.

use alloc::string::String;
use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

use crate::crl::{ScopeError, Shard, ShardTemplate};
use crate::name::{GeneralName, Uri};
use crate::oid::{self, Oid};
use crate::profile::{ExtendedKeyUsage, KeyUsages, NoAuthority, PathLength, Profile};
use crate::time::UnixTime;
use crate::tlv::{self, Tlv};

/// An extension as a certificate or CRL carries it (RFC 5280 4.1.2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Which one.
    pub id: Oid,
    /// Whether a verifier that does not know it must refuse the certificate.
    pub critical: Criticality,
    /// The DER inside the OCTET STRING.
    pub value: Vec<u8>,
}

/// Whether a verifier may pass over an extension that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criticality {
    /// It must refuse.
    Critical,
    /// It may pass over.
    NonCritical,
}

impl Extension {
    /// An extension whose value is one UTF8String.
    pub fn utf8(id: Oid, critical: Criticality, text: &str) -> Self {
        let mut value = Tlv::with_capacity(text.len() + 4);
        value.value(tlv::UTF8_STRING, text.as_bytes());
        Self { id, critical, value: value.into_vec() }
    }

    /// Whether the value is one ASN.1 value in DER, as far as its outermost tag and length tell.
    pub(crate) fn is_one_value(&self) -> bool {
        tlv::read_all(&self.value, |reader| tlv::any_of(reader).map(drop)).is_ok()
    }
}

/// Who decides about an extension, where it is not the requester: the issuer, or fields of the role.
pub(crate) fn decided_by(id: Oid) -> Option<&'static str> {
    match id.0 {
        oid::SUBJECT_ALTERNATIVE_NAME => Some("the names that are asked for"),
        oid::KEY_USAGE => Some("the role's key_usage"),
        oid::EXTENDED_KEY_USAGE => Some("the role's ext_key_usage"),
        oid::CERTIFICATE_POLICIES => Some("the role's policy_identifiers"),
        oid::BASIC_CONSTRAINTS => Some("the role's basic_constraints_valid_for_non_ca"),
        oid::SUBJECT_KEY_IDENTIFIER
        | oid::AUTHORITY_KEY_IDENTIFIER
        | oid::ISSUER_ALTERNATIVE_NAME
        | oid::NAME_CONSTRAINTS
        | oid::POLICY_MAPPINGS
        | oid::POLICY_CONSTRAINTS
        | oid::INHIBIT_ANY_POLICY
        | oid::CRL_DISTRIBUTION_POINTS
        | oid::FRESHEST_CRL
        | oid::NO_REV_AVAIL
        | oid::AUTHORITY_INFORMATION_ACCESS
        | oid::CERTIFICATE_TRANSPARENCY_POISON
        | oid::CERTIFICATE_TRANSPARENCY_TIMESTAMPS => Some("the issuer"),
        _ => None,
    }
}

/// A certificate policy (RFC 5280 4.2.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInformation {
    /// Which policy.
    pub id: Oid,
    /// The explicit text of a user notice; empty for none.
    pub notice: String,
    /// The URI of the certification practice statement; empty for none.
    pub cps: String,
}

/// Where verifiers find an authority's certificate, CRL and OCSP responder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the issuer's certificate is (RFC 5280 4.2.2.1, id-ad-caIssuers).
    pub issuing_certificates: Vec<Uri>,
    /// Where the CRL is (RFC 5280 4.2.1.13).
    pub crl_distribution_points: Vec<Uri>,
    /// Where OCSP is answered (RFC 5280 4.2.2.1, id-ad-ocsp).
    pub ocsp_servers: Vec<Uri>,
}

impl Endpoints {
    /// The same places for a certificate of one shard: its CRL is where these templates say.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if a template makes no URL.
    pub fn in_shard(self, templates: &[ShardTemplate], shard: Shard) -> Result<Self, ScopeError> {
        let crl_distribution_points =
            templates.iter().map(|template| template.uri(shard)).collect::<Result<_, _>>()?;
        Ok(Self { crl_distribution_points, ..self })
    }
}

/// Appends one Extension; `content` appends the DER inside its OCTET STRING.
fn write(der: &mut Tlv, id: ObjectIdentifier, critical: Criticality, content: impl FnOnce(&mut Tlv)) {
    der.nest(tlv::SEQUENCE, |extension| {
        extension.oid(id);
        // X.690 11.5: a default value (FALSE) is not encoded.
        if critical == Criticality::Critical {
            extension.boolean(true);
        }
        extension.nest(tlv::OCTET_STRING, content);
    });
}

/// RFC 5280 4.2.1.3: when present, critical.
pub(crate) fn key_usage(der: &mut Tlv, usages: KeyUsages) {
    if !usages.is_empty() {
        write(der, oid::KEY_USAGE, Criticality::Critical, |value| {
            value.value(tlv::BIT_STRING, &usages.bit_string());
        });
    }
}

/// RFC 5280 4.2.1.12: non-critical, since unknown purposes must not stop other ones.
pub(crate) fn extended_key_usage(der: &mut Tlv, usages: &[ExtendedKeyUsage]) {
    if !usages.is_empty() {
        write(der, oid::EXTENDED_KEY_USAGE, Criticality::NonCritical, |value| {
            value.nest(tlv::SEQUENCE, |list| {
                for usage in usages {
                    list.oid(usage.oid());
                }
            });
        });
    }
}

/// RFC 5280 4.2.1.9: in every CA certificate, critical; in an end entity's where it is to say so.
pub(crate) fn basic_constraints(der: &mut Tlv, profile: &Profile) {
    let path_length = match profile {
        Profile::EndEntity { no_authority: NoAuthority::Unsaid, .. } => return,
        Profile::EndEntity { no_authority: NoAuthority::Said, .. } => None,
        Profile::Authority { path_length, .. } => Some(path_length),
    };
    write(der, oid::BASIC_CONSTRAINTS, Criticality::Critical, |value| {
        value.nest(tlv::SEQUENCE, |constraints| {
            // X.690 11.5: FALSE is the default, and not encoded.
            let Some(path_length) = path_length else { return };
            constraints.boolean(true);
            if let PathLength::AtMost(length) = path_length {
                constraints.unsigned(tlv::INTEGER, &[*length]);
            }
        });
    });
}

/// RFC 5280 4.2.1.10: in CA certificates alone, critical.
pub(crate) fn name_constraints(der: &mut Tlv, profile: &Profile) {
    if let Profile::Authority { name_constraints: Some(constraints), .. } = profile {
        write(der, oid::NAME_CONSTRAINTS, Criticality::Critical, |value| constraints.encode(value));
    }
}

/// RFC 5280 4.2.1.4: non-critical; a notice before the practice statement.
pub(crate) fn certificate_policies(der: &mut Tlv, policies: &[PolicyInformation]) {
    if policies.is_empty() {
        return;
    }
    write(der, oid::CERTIFICATE_POLICIES, Criticality::NonCritical, |value| {
        value.nest(tlv::SEQUENCE, |list| policies.iter().for_each(|policy| policy.encode(list)));
    });
}

impl PolicyInformation {
    fn encode(&self, der: &mut Tlv) {
        let Self { id, notice, cps } = self;
        der.nest(tlv::SEQUENCE, |information| {
            information.oid(id.0);
            if notice.is_empty() && cps.is_empty() {
                return;
            }
            information.nest(tlv::SEQUENCE, |qualifiers| {
                if !notice.is_empty() {
                    qualifiers.nest(tlv::SEQUENCE, |qualifier| {
                        qualifier.oid(oid::USER_NOTICE).nest(tlv::SEQUENCE, |user_notice| {
                            user_notice.value(tlv::UTF8_STRING, notice.as_bytes());
                        });
                    });
                }
                if !cps.is_empty() {
                    qualifiers.nest(tlv::SEQUENCE, |qualifier| {
                        qualifier.oid(oid::PRACTICE_STATEMENT).value(tlv::IA5_STRING, cps.as_bytes());
                    });
                }
            });
        });
    }
}

/// The policies as read. Of a notice the explicit text counts, in any of its string types; of several qualifiers of one
/// kind the last.
pub(crate) fn read_certificate_policies(value: &[u8]) -> der::Result<Vec<PolicyInformation>> {
    tlv::read_sequence(value, |reader| {
        let mut policies = Vec::new();
        while !reader.is_finished() {
            let mut information = SliceReader::new(tlv::content_of(reader, Tag::Sequence)?)?;
            let id = Oid(ObjectIdentifier::decode(&mut information)?);
            let mut policy = PolicyInformation { id, notice: String::new(), cps: String::new() };
            if !information.is_finished() {
                let mut qualifiers = SliceReader::new(tlv::content_of(&mut information, Tag::Sequence)?)?;
                while !qualifiers.is_finished() {
                    let mut qualifier = SliceReader::new(tlv::content_of(&mut qualifiers, Tag::Sequence)?)?;
                    let kind = ObjectIdentifier::decode(&mut qualifier)?;
                    let (tag, content) = tlv::any_of(&mut qualifier)?;
                    match (kind, tag) {
                        (oid::PRACTICE_STATEMENT, Tag::Ia5String) => policy.cps = text(content),
                        (oid::USER_NOTICE, Tag::Sequence) => policy.notice = read_explicit_text(content)?,
                        _ => {}
                    }
                    qualifier.finish()?;
                }
            }
            information.finish()?;
            policies.push(policy);
        }
        Ok(policies)
    })
}

/// A UserNotice is a reference to a notice, which is passed over, and an explicit text.
fn read_explicit_text(content: &[u8]) -> der::Result<String> {
    tlv::read_all(content, |reader| {
        let mut notice = String::new();
        while !reader.is_finished() {
            match tlv::any_of(reader)? {
                (Tag::Utf8String | Tag::Ia5String | Tag::VisibleString, content) => notice = text(content),
                (Tag::Sequence | Tag::BmpString, _) => {}
                (tag, _) => return Err(tag.value_error().into()),
            }
        }
        Ok(notice)
    })
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// An extension of the requester's own, as it was granted.
pub(crate) fn granted(der: &mut Tlv, extension: &Extension) {
    write(der, extension.id.0, extension.critical, |value| {
        value.raw(&extension.value);
    });
}

/// RFC 5280 4.2.1.2: non-critical.
pub(crate) fn subject_key_identifier(der: &mut Tlv, identifier: &[u8]) {
    write(der, oid::SUBJECT_KEY_IDENTIFIER, Criticality::NonCritical, |value| {
        value.value(tlv::OCTET_STRING, identifier);
    });
}

/// RFC 5280 4.2.1.1: non-critical; the key identifier alone.
pub(crate) fn authority_key_identifier(der: &mut Tlv, identifier: &[u8]) {
    write(der, oid::AUTHORITY_KEY_IDENTIFIER, Criticality::NonCritical, |value| {
        value.nest(tlv::SEQUENCE, |content| {
            content.value(tlv::context(0), identifier);
        });
    });
}

/// RFC 5280 4.2.1.6: critical if the subject is empty, else non-critical.
pub(crate) fn subject_alternative_name(der: &mut Tlv, names: &[GeneralName], critical: Criticality) {
    if !names.is_empty() {
        write(der, oid::SUBJECT_ALTERNATIVE_NAME, critical, |value| {
            value.nest(tlv::SEQUENCE, |list| names.iter().for_each(|name| name.encode(list)));
        });
    }
}

/// RFC 5280 4.2.2.1: non-critical; OCSP before the issuer's certificate.
pub(crate) fn authority_information_access(
    der: &mut Tlv,
    ocsp_servers: &[Uri],
    issuing_certificates: &[Uri],
) {
    if ocsp_servers.is_empty() && issuing_certificates.is_empty() {
        return;
    }
    write(der, oid::AUTHORITY_INFORMATION_ACCESS, Criticality::NonCritical, |value| {
        value.nest(tlv::SEQUENCE, |list| {
            let methods = ocsp_servers.iter().map(|uri| (oid::OCSP, uri));
            for (method, uri) in methods.chain(issuing_certificates.iter().map(|uri| (oid::CA_ISSUERS, uri)))
            {
                list.nest(tlv::SEQUENCE, |description| {
                    description.oid(method).value(tlv::context(6), uri.as_str().as_bytes());
                });
            }
        });
    });
}

/// RFC 5280 4.2.1.13: non-critical; one distribution point for each URL.
pub(crate) fn crl_distribution_points(der: &mut Tlv, points: &[Uri]) {
    distribution_points(der, oid::CRL_DISTRIBUTION_POINTS, points);
}

/// RFC 5280 4.2.1.15 and 5.2.6: non-critical, in the form of CRL distribution points.
pub(crate) fn freshest_crl(der: &mut Tlv, points: &[Uri]) {
    distribution_points(der, oid::FRESHEST_CRL, points);
}

fn distribution_points(der: &mut Tlv, id: ObjectIdentifier, points: &[Uri]) {
    if points.is_empty() {
        return;
    }
    write(der, id, Criticality::NonCritical, |value| {
        value.nest(tlv::SEQUENCE, |list| {
            for uri in points {
                list.nest(tlv::SEQUENCE, |point| full_name(point, core::slice::from_ref(uri)));
            }
        });
    });
}

/// RFC 5280 5.2.5: critical; one distribution point with all URLs, no other restriction.
pub(crate) fn issuing_distribution_point(der: &mut Tlv, urls: &[Uri]) {
    write(der, oid::ISSUING_DISTRIBUTION_POINT, Criticality::Critical, |value| {
        value.nest(tlv::SEQUENCE, |point| full_name(point, urls));
    });
}

/// RFC 5280 4.2.1.13: DistributionPointName, fullName.
fn full_name(point: &mut Tlv, urls: &[Uri]) {
    point.nest(tlv::context_constructed(0), |name| {
        name.nest(tlv::context_constructed(0), |full_name| {
            for url in urls {
                full_name.value(tlv::context(6), url.as_str().as_bytes());
            }
        });
    });
}

/// RFC 9608 2: non-critical, NULL; no revocation information will ever be there for this certificate.
pub(crate) fn no_revocation_available(der: &mut Tlv) {
    write(der, oid::NO_REV_AVAIL, Criticality::NonCritical, |value| {
        value.raw(&[0x05, 0x00]);
    });
}

/// RFC 6960 4.2.2.2.1: non-critical, NULL; the status of this responder's certificate is not to be asked for.
pub(crate) fn ocsp_no_check(der: &mut Tlv, profile: &Profile) {
    if matches!(profile, Profile::EndEntity { .. })
        && profile.extended_key_usages() == [ExtendedKeyUsage::OcspSigning]
    {
        write(der, oid::OCSP_NO_CHECK, Criticality::NonCritical, |value| {
            value.raw(&[0x05, 0x00]);
        });
    }
}

/// RFC 9654 2.1: non-critical, an OCTET STRING.
pub(crate) fn ocsp_nonce(der: &mut Tlv, nonce: &[u8]) {
    write(der, oid::OCSP_NONCE, Criticality::NonCritical, |value| {
        value.value(tlv::OCTET_STRING, nonce);
    });
}

/// RFC 6960 4.4.4: non-critical, GeneralizedTime.
pub(crate) fn ocsp_archive_cutoff(der: &mut Tlv, cutoff: UnixTime) {
    write(der, oid::OCSP_ARCHIVE_CUTOFF, Criticality::NonCritical, |value| {
        value.generalized_time(cutoff);
    });
}

/// RFC 6960 4.4.8: non-critical, NULL; serial numbers that were never issued are called revoked.
pub(crate) fn ocsp_extended_revoke(der: &mut Tlv) {
    write(der, oid::OCSP_EXTENDED_REVOKE, Criticality::NonCritical, |value| {
        value.raw(&[0x05, 0x00]);
    });
}

/// RFC 5280 5.2.3: non-critical.
pub(crate) fn crl_number(der: &mut Tlv, number: &[u8]) {
    write(der, oid::CRL_NUMBER, Criticality::NonCritical, |value| {
        value.unsigned(tlv::INTEGER, number);
    });
}

/// RFC 5280 5.2.4: critical; the number of the complete list that the delta builds on.
pub(crate) fn delta_crl_indicator(der: &mut Tlv, base: &[u8]) {
    write(der, oid::DELTA_CRL_INDICATOR, Criticality::Critical, |value| {
        value.unsigned(tlv::INTEGER, base);
    });
}

/// RFC 5280 5.3.2: non-critical; an entry's extension, GeneralizedTime in every year.
pub(crate) fn invalidity_date(der: &mut Tlv, date: UnixTime) {
    write(der, oid::INVALIDITY_DATE, Criticality::NonCritical, |value| {
        value.generalized_time(date);
    });
}

/// RFC 5280 5.3.1: non-critical; an entry's extension.
pub(crate) fn reason_code(der: &mut Tlv, code: u8) {
    write(der, oid::REASON_CODE, Criticality::NonCritical, |value| {
        value.value(tlv::ENUMERATED, &[code]);
    });
}

/// Reads the content octets of Extensions; the same extension twice is an error (RFC 5280 4.2).
pub(crate) fn read_all(content: &[u8]) -> der::Result<Vec<Extension>> {
    let mut reader = SliceReader::new(content)?;
    let mut extensions: Vec<Extension> = Vec::new();
    while !reader.is_finished() {
        let mut fields = SliceReader::new(tlv::content_of(&mut reader, Tag::Sequence)?)?;
        let id = Oid(ObjectIdentifier::decode(&mut fields)?);
        let critical = if Tag::peek(&fields)? == Tag::Boolean && bool::decode(&mut fields)? {
            Criticality::Critical
        } else {
            Criticality::NonCritical
        };
        let value = tlv::content_of(&mut fields, Tag::OctetString)?.to_vec();
        fields.finish()?;
        if extensions.iter().any(|other| other.id == id) {
            return Err(Tag::Sequence.value_error().into());
        }
        extensions.push(Extension { id, critical, value });
    }
    Ok(extensions)
}

/// Basic constraints as read: whether a CA, and its path length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BasicConstraints {
    Authority(PathLength),
    EndEntity,
}

pub(crate) fn read_basic_constraints(value: &[u8]) -> der::Result<BasicConstraints> {
    tlv::read_sequence(value, |reader| {
        let authority = !reader.is_finished() && Tag::peek(reader)? == Tag::Boolean && bool::decode(reader)?;
        let path_length = if reader.is_finished() {
            PathLength::Unlimited
        } else {
            // More than 255 levels are as good as no limit.
            let length = u32::decode(reader)?;
            u8::try_from(length).map_or(PathLength::Unlimited, PathLength::AtMost)
        };
        Ok(if authority { BasicConstraints::Authority(path_length) } else { BasicConstraints::EndEntity })
    })
}

pub(crate) fn read_key_usages(value: &[u8]) -> der::Result<KeyUsages> {
    let bits = der::asn1::BitStringRef::from_der(value)?;
    Ok(KeyUsages::from_bit_string(bits.raw_bytes()))
}

pub(crate) fn read_extended_key_usages(value: &[u8]) -> der::Result<Vec<ExtendedKeyUsage>> {
    tlv::read_sequence(value, |reader| {
        let mut usages = Vec::new();
        while !reader.is_finished() {
            usages.push(ExtendedKeyUsage::from_oid(ObjectIdentifier::decode(reader)?));
        }
        Ok(usages)
    })
}

pub(crate) fn read_subject_key_identifier(value: &[u8]) -> der::Result<&[u8]> {
    tlv::read_all(value, |reader| tlv::content_of(reader, Tag::OctetString))
}

pub(crate) fn read_authority_key_identifier(value: &[u8]) -> der::Result<Option<&[u8]>> {
    tlv::read_sequence(value, |reader| {
        let identifier = tlv::optional_context(reader, 0, false)?;
        while !reader.is_finished() {
            tlv::any_of(reader)?;
        }
        Ok(identifier)
    })
}

/// The URIs of an AuthorityInfoAccess with this access method.
pub(crate) fn read_access(value: &[u8], method: ObjectIdentifier) -> der::Result<Vec<Uri>> {
    tlv::read_sequence(value, |reader| {
        let mut uris = Vec::new();
        while !reader.is_finished() {
            let mut description = SliceReader::new(tlv::content_of(reader, Tag::Sequence)?)?;
            let this = ObjectIdentifier::decode(&mut description)?;
            let (tag, location) = tlv::any_of(&mut description)?;
            if this == method && is_uri(tag) {
                uris.extend(core::str::from_utf8(location).ok().and_then(|text| Uri::parse(text).ok()));
            }
        }
        Ok(uris)
    })
}

/// The URIs of a CRLDistributionPoints.
pub(crate) fn read_distribution_points(value: &[u8]) -> der::Result<Vec<Uri>> {
    tlv::read_sequence(value, |reader| {
        let mut uris = Vec::new();
        while !reader.is_finished() {
            let mut point = SliceReader::new(tlv::content_of(reader, Tag::Sequence)?)?;
            let Some(name) = tlv::optional_context(&mut point, 0, true)? else {
                continue;
            };
            let mut name = SliceReader::new(name)?;
            let Some(full_name) = tlv::optional_context(&mut name, 0, true)? else {
                continue;
            };
            let mut full_name = SliceReader::new(full_name)?;
            while !full_name.is_finished() {
                let (tag, location) = tlv::any_of(&mut full_name)?;
                if is_uri(tag) {
                    uris.extend(core::str::from_utf8(location).ok().and_then(|text| Uri::parse(text).ok()));
                }
            }
        }
        Ok(uris)
    })
}

pub(crate) fn is_uri(tag: Tag) -> bool {
    matches!(tag, Tag::ContextSpecific { number, .. } if number.value() == 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    fn policy(id: &str, notice: &str, cps: &str) -> PolicyInformation {
        PolicyInformation { id: id.parse().unwrap(), notice: notice.into(), cps: cps.into() }
    }

    fn value_of(policies: &[PolicyInformation]) -> Vec<u8> {
        let mut der = Tlv::new();
        certificate_policies(&mut der, policies);
        read_all(&der.into_vec()).unwrap().remove(0).value
    }

    #[test]
    fn policies_are_written_octet_for_octet_as_vault_writes_them() {
        let plain = [policy("1.3.6.1.4.1.1.1", "", ""), policy("1.3.6.1.4.1.1.2", "", "")];
        assert_eq!(Base64::encode_string(&value_of(&plain)), "MBYwCQYHKwYBBAEBATAJBgcrBgEEAQEC");
        let qualified = [
            policy("1.3.6.1.4.1.7.8", "I am a user Notice", ""),
            policy("1.3.6.1.32473.1.2.4", "", "https://example.com"),
        ];
        assert_eq!(
            Base64::encode_string(&value_of(&qualified)),
            "MF8wLQYHKwYBBAEHCDAiMCAGCCsGAQUFBwICMBQMEkkgYW0gYSB1c2VyIE5vdGljZTAuBgkrBgGB/VkBAgQwITAfBggrBgEFBQcCARYT\
             aHR0cHM6Ly9leGFtcGxlLmNvbQ=="
        );
    }

    proptest! {
        #[test]
        fn policies_read_back(
            policies in proptest::collection::vec((0_u32..1_000_000, "\\PC{0,40}", "[!-~]{0,40}"), 1..5)
        ) {
            let policies: Vec<PolicyInformation> = policies
                .iter()
                .map(|(arc, notice, cps)| policy(&alloc::format!("1.3.6.1.4.1.{arc}"), notice, cps))
                .collect();
            prop_assert_eq!(read_certificate_policies(&value_of(&policies)).unwrap(), policies);
        }

        #[test]
        fn any_octets_are_policies_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read_certificate_policies(&octets);
        }
    }
}
