//! Lists that are made in memory: everything but the signature, then the signature.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{CertificateRevocationList, CrlError, CrlPeriod, CrlScope, Extent};
use crate::extension;
use crate::issuer::{Issuer, SignatureCheck, check_of};
use crate::key::{PublicKey, Signature, SignatureAlgorithm, SigningInput, SigningKey, VerifySignature};
use crate::random::SecureRandom;
use crate::revocation::{RevocationReason, RevokedCertificate};
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
    /// What the issuer's key signs, and with which algorithm; for signers that are asynchronous, remote or air-gapped.
    pub fn signing_input(&self) -> (SignatureAlgorithm, SigningInput<'_>) {
        (self.algorithm, SigningInput::Message(&self.der))
    }

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
    /// Fixes the octets of a CRL of this issuer's authority that lists `revoked`, in their order.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if the certificate may not sign CRLs, the list would end before it begins, a delta's base is not below
    /// it, a serial number is there twice, or a complete list has an entry that is to leave it.
    pub fn prepare_crl<'a>(
        &self,
        scope: &CrlScope,
        period: CrlPeriod,
        revoked: impl IntoIterator<Item = &'a RevokedCertificate>,
    ) -> Result<TbsCertList, CrlError> {
        let mut entries = Tlv::new();
        let mut serials = BTreeSet::new();
        for certificate in revoked {
            removal_is_in_a_delta(scope, certificate)?;
            if !serials.insert(certificate.serial) {
                return Err(CrlError::DuplicateSerial { serial: certificate.serial });
            }
            certificate.encode(&mut entries);
        }
        let entries = entries.into_vec();
        let Frame { head, tail, algorithm } = self.crl_frame(scope, period, entries.len())?;
        let mut der = Tlv::with_capacity(head.len() + entries.len() + tail.len());
        der.raw(&head).raw(&entries).raw(&tail);
        let issuer_key = self.key().public_key().clone();
        Ok(TbsCertList { der: der.into_vec(), algorithm, issuer_key })
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

    /// What stands before and after entries of so many octets in what is signed.
    pub(super) fn crl_frame(
        &self,
        scope: &CrlScope,
        period: CrlPeriod,
        entries: usize,
    ) -> Result<Frame, CrlError> {
        let issuer = self.certificate();
        // RFC 5280 5: a CRL issuer's key usage has cRLSign.
        if !issuer.may_sign_crls() {
            return Err(CrlError::NoCrlSign);
        }
        let period = period.follow(None)?;
        // RFC 5280 5.2.4: a delta comes after its base, in one sequence of numbers with it.
        if let Extent::Delta { base } = scope.extent
            && base >= period.number
        {
            return Err(CrlError::DeltaBase { base, number: period.number });
        }
        let algorithm = self.crl_algorithm().ok_or(CrlError::NoAlgorithm)?;
        let mut fields = Tlv::with_capacity(256);
        // RFC 5280 5.1.2.1: version 2, since there are extensions.
        fields.unsigned(tlv::INTEGER, &[1]);
        // RFC 5280 5.1.2.2
        fields.raw(algorithm.der());
        // RFC 5280 5.1.2.3: the authority's name, byte for byte.
        fields.raw(issuer.subject().der());
        // RFC 5280 5.1.2.4, 5.1.2.5
        fields.time(period.this_update).time(period.next_update);
        // RFC 5280 5.1.2.6: absent where nothing is revoked.
        if entries > 0 {
            fields.header(tlv::SEQUENCE, entries);
        }
        let mut tail = Tlv::with_capacity(256);
        tail.nest(tlv::context_constructed(0), |explicit| {
            explicit.nest(tlv::SEQUENCE, |extensions| {
                // RFC 5280 5.2.1
                extension::authority_key_identifier(extensions, issuer.key_identifier().as_bytes());
                scope.extensions(extensions, &period);
            });
        });
        let (fields, tail) = (fields.into_vec(), tail.into_vec());
        let mut head = Tlv::with_capacity(fields.len() + 8);
        head.header(tlv::SEQUENCE, fields.len() + entries + tail.len()).raw(&fields);
        Ok(Frame { head: head.into_vec(), tail, algorithm })
    }
}

/// What stands around the entries.
pub(super) struct Frame {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    pub(super) algorithm: SignatureAlgorithm,
}

/// RFC 5280 5.3.1: removeFromCRL is for deltas.
pub(super) fn removal_is_in_a_delta(
    scope: &CrlScope,
    certificate: &RevokedCertificate,
) -> Result<(), CrlError> {
    match scope.extent {
        Extent::Complete { .. } if certificate.reason == RevocationReason::RemoveFromCrl => {
            Err(CrlError::RemovalFromComplete { serial: certificate.serial })
        }
        Extent::Complete { .. } | Extent::Delta { .. } => Ok(()),
    }
}
