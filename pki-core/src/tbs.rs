//! What is signed: TBSCertificate (RFC 5280 4.1.2), and how a signature joins it.

use alloc::vec::Vec;

use crate::extension::{self, Criticality, Endpoints, Extension, PolicyInformation};
use crate::key::{KeyIdentifier, PublicKey, Signature, SignatureAlgorithm};
use crate::name::{DistinguishedName, GeneralName};
use crate::profile::Profile;
use crate::serial::SerialNumber;
use crate::tlv::{self, Tlv};
use crate::validity::Validity;

/// Everything of a certificate but its signature, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TbsCertificate {
    der: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

/// What a TBSCertificate says, in the order of the ASN.1.
pub(crate) struct TbsFields<'a> {
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) issuer: &'a DistinguishedName,
    pub(crate) validity: Validity,
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) public_key: &'a PublicKey,
    pub(crate) profile: &'a Profile,
    pub(crate) subject_key_identifier: &'a KeyIdentifier,
    pub(crate) authority_key_identifier: &'a KeyIdentifier,
    pub(crate) revocation: RevocationPointers,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) alternative_names: &'a [GeneralName],
    pub(crate) policies: &'a [PolicyInformation],
    /// The requester's own, behind those that we write.
    pub(crate) extensions: &'a [Extension],
}

/// What a certificate says about its own revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationPointers {
    /// Where to ask: CRL distribution points and OCSP responders.
    Endpoints,
    /// That there is nothing to ask (RFC 9608): the certificate is not kept, so it cannot be revoked.
    NoneAvailable,
}

impl TbsCertificate {
    pub(crate) fn new(fields: &TbsFields<'_>) -> Self {
        // Every field has to be considered here: no `..`.
        let TbsFields {
            serial,
            algorithm,
            issuer,
            validity,
            subject,
            public_key,
            profile,
            subject_key_identifier,
            authority_key_identifier,
            revocation,
            endpoints,
            alternative_names,
            policies,
            extensions: own_extensions,
        } = *fields;
        let mut der = Tlv::with_capacity(1024);
        der.nest(tlv::SEQUENCE, |tbs| {
            // RFC 5280 4.1.2.1: version 3, since there are extensions.
            tbs.raw(&[0xa0, 0x03, tlv::INTEGER, 0x01, 0x02]);
            // RFC 5280 4.1.2.2
            tbs.value(tlv::INTEGER, serial.der_content());
            // RFC 5280 4.1.2.3: the same identifier as beside the signature.
            tbs.raw(algorithm.der());
            // RFC 5280 4.1.2.4: the issuer's subject, byte for byte.
            tbs.raw(issuer.der());
            // RFC 5280 4.1.2.5
            validity.encode(tbs);
            // RFC 5280 4.1.2.6
            tbs.raw(subject.der());
            // RFC 5280 4.1.2.7
            tbs.raw(public_key.spki_der());
            // RFC 5280 4.1.2.8: no unique identifiers.
            // RFC 5280 4.1.2.9
            tbs.nest(tlv::context_constructed(3), |explicit| {
                explicit.nest(tlv::SEQUENCE, |extensions| {
                    extension::key_usage(extensions, profile.key_usages());
                    extension::extended_key_usage(extensions, profile.extended_key_usages());
                    extension::basic_constraints(extensions, profile);
                    extension::subject_key_identifier(extensions, subject_key_identifier.as_bytes());
                    extension::authority_key_identifier(extensions, authority_key_identifier.as_bytes());
                    let (ocsp, points) = match revocation {
                        RevocationPointers::Endpoints => {
                            (&*endpoints.ocsp_servers, &*endpoints.crl_distribution_points)
                        }
                        RevocationPointers::NoneAvailable => (&[][..], &[][..]),
                    };
                    extension::authority_information_access(
                        extensions,
                        ocsp,
                        &endpoints.issuing_certificates,
                    );
                    // RFC 5280 4.2.1.6: critical where the subject is empty.
                    let critical =
                        if subject.is_empty() { Criticality::Critical } else { Criticality::NonCritical };
                    extension::subject_alternative_name(extensions, alternative_names, critical);
                    extension::certificate_policies(extensions, policies);
                    extension::name_constraints(extensions, profile);
                    extension::crl_distribution_points(extensions, points);
                    extension::ocsp_no_check(extensions, profile);
                    if revocation == RevocationPointers::NoneAvailable {
                        extension::no_revocation_available(extensions);
                    }
                    own_extensions.iter().for_each(|own| extension::granted(extensions, own));
                });
            });
        });
        Self { der: der.into_vec(), algorithm }
    }

    /// The octets to be signed.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm that is written into them.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// The DER of a signed object (RFC 5280 4.1, 5.1; RFC 2986 4.2): content, algorithm, signature.
pub(crate) fn signed(content: &[u8], algorithm: SignatureAlgorithm, signature: &Signature) -> Vec<u8> {
    let mut der = Tlv::with_capacity(content.len() + signature.as_bytes().len() + 64);
    der.nest(tlv::SEQUENCE, |object| {
        object.raw(content).raw(algorithm.der()).bit_string(signature.as_bytes());
    });
    der.into_vec()
}
