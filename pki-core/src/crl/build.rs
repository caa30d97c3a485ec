//! Lists that are made: everything but the signature, then the signature.

use alloc::vec::Vec;

use super::{CertificateRevocationList, CrlError, CrlPeriod};
use crate::extension;
use crate::issuer::{Issuer, IssuerCertificate, SignatureCheck, check_of};
use crate::key::{PublicKey, Signature, SignatureAlgorithm, SigningInput, SigningKey, VerifySignature};
use crate::random::SecureRandom;
use crate::tbs;
use crate::tlv::{self, Tlv};

/// Everything of a CRL but its signature, encoded (RFC 5280 5.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TbsCertList {
    der: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer_key: PublicKey,
}

impl TbsCertList {
    /// The octets to be signed.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm that is written into them.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Joins a signature from elsewhere, after verifying it with the issuer's key.
    ///
    /// # Errors
    ///
    /// [`CrlError::Signature`] if it is not one of the issuer's key.
    pub fn assemble(
        &self,
        signature: &Signature,
        verifier: &dyn VerifySignature,
    ) -> Result<CertificateRevocationList, CrlError> {
        verifier
            .verify(&self.issuer_key, self.algorithm, &self.der, signature.as_bytes())
            .map_err(CrlError::Signature)?;
        self.join(signature)
    }

    fn join(&self, signature: &Signature) -> Result<CertificateRevocationList, CrlError> {
        CertificateRevocationList::from_der(&tbs::signed(&self.der, self.algorithm, signature))
    }
}

impl<K: SigningKey> Issuer<K> {
    /// Fixes the octets of a full CRL of this issuer's authority. `entries` are the DER of RevokedCertificates
    /// ([`RevokedCertificate::entry_der`]), of this authority and in any order.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the certificate may not sign CRLs, or the list would end before it begins.
    pub fn prepare_crl<'a>(
        &self,
        period: CrlPeriod,
        entries: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<TbsCertList, CrlError> {
        // RFC 5280 5: a CRL issuer's key usage has cRLSign.
        if !self.certificate().may_sign_crls() {
            return Err(CrlError::NoCrlSign);
        }
        let algorithm = self.crl_algorithm().ok_or(CrlError::NoAlgorithm)?;
        full(self.certificate(), algorithm, period, entries)
    }

    /// Signs a CRL: one call on the key.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the key fails, or the finished list cannot be read again.
    pub fn sign_crl(
        &self,
        list: &TbsCertList,
        rng: &mut dyn SecureRandom,
    ) -> Result<CertificateRevocationList, CrlError> {
        let input = SigningInput::Message(&list.der);
        let signature = self.key().sign(list.algorithm, input, rng).map_err(CrlError::Sign)?;
        match check_of(self.key()) {
            SignatureCheck::Skip => list.join(&signature),
            SignatureCheck::Verify(verifier) => list.assemble(&signature, verifier),
        }
    }
}

fn full<'a>(
    issuer: &IssuerCertificate,
    algorithm: SignatureAlgorithm,
    period: CrlPeriod,
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<TbsCertList, CrlError> {
    let CrlPeriod { number, this_update, next_update } = period;
    if next_update <= this_update {
        return Err(CrlError::NextUpdate { this_update, next_update });
    }
    let mut der = Tlv::new();
    der.nest(tlv::SEQUENCE, |list| {
        // RFC 5280 5.1.2.1: version 2, since there are extensions.
        list.unsigned(tlv::INTEGER, &[1]);
        // RFC 5280 5.1.2.2
        list.raw(algorithm.der());
        // RFC 5280 5.1.2.3: the authority's name, byte for byte.
        list.raw(issuer.subject().der());
        // RFC 5280 5.1.2.4, 5.1.2.5
        list.time(this_update).time(next_update);
        // RFC 5280 5.1.2.6: absent where nothing is revoked.
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_some() {
            list.nest(tlv::SEQUENCE, |revoked| {
                for entry in entries {
                    revoked.raw(entry);
                }
            });
        }
        list.nest(tlv::context_constructed(0), |explicit| {
            explicit.nest(tlv::SEQUENCE, |extensions| {
                // RFC 5280 5.2.1
                extension::authority_key_identifier(extensions, issuer.key_identifier().as_bytes());
                // RFC 5280 5.2.3
                extension::crl_number(extensions, &number.0);
                // RFC 5280 5.2.5: a full list for everything has no issuing distribution point.
            });
        });
    });
    Ok(TbsCertList { der: der.into_vec(), algorithm, issuer_key: issuer.certificate().public_key().clone() })
}
