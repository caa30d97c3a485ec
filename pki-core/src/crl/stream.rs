//! Lists that are made as a stream: of any length, in memory that does not grow with it.
//!
//! The length of the entries is known before them, so the headers go first; the signature is over a running digest.

use alloc::vec::Vec;

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::build::{Frame, removal_is_in_a_delta};
use super::{CrlError, CrlPeriod, CrlScope, entries};
use crate::issuer::{Issuer, SignatureCheck, check_of};
use crate::key::{Signature, SignatureAlgorithm, SigningInput, SigningKey};
use crate::random::SecureRandom;
use crate::tlv::{self, Tlv};

/// A list that is being written, part by part.
///
/// ```text
/// leave stream.room() octets      for the outer header, which needs the signature's length
/// write stream.head()
/// stream.entries(part)            for each part of the entries: check it, digest it; then write it
/// stream.sign(rng)                gives the ends
/// write ends.tail
/// write ends.header               into the room, at its end: at offset room - header.len()
/// ```
///
/// The header fills the room, except where an ECDSA signature shorter than the longest one takes the list below a boundary of
/// DER's lengths (128, 256, 65 536, 16 777 216 octets); then it is one octet shorter and the list begins one octet later.
#[derive(Debug)]
pub struct CrlStream<'a, K> {
    issuer: &'a Issuer<K>,
    scope: CrlScope,
    algorithm: SignatureAlgorithm,
    head: Vec<u8>,
    tail: Vec<u8>,
    announced: usize,
    received: usize,
    digest: Running,
}

/// What stands before and after all that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEnds {
    /// The outer header, which belongs directly before the head.
    pub header: Vec<u8>,
    /// The extensions, the algorithm and the signature, which follow the entries.
    pub tail: Vec<u8>,
}

impl<K: SigningKey> Issuer<K> {
    /// Begins a CRL whose encoded entries ([`RevokedCertificate::entry_der`](crate::revocation::RevokedCertificate::entry_der))
    /// have `entries` octets together.
    ///
    /// That no serial number is there twice is the caller's to know: noticing it would take memory for each.
    ///
    /// # Errors
    ///
    /// [`CrlError`] as for [`Issuer::prepare_crl`].
    pub fn begin_crl(
        &self,
        scope: CrlScope,
        period: CrlPeriod,
        entries: usize,
    ) -> Result<CrlStream<'_, K>, CrlError> {
        let Frame { head, tail, algorithm } = self.crl_frame(&scope, period, entries)?;
        let mut digest = Running::new(algorithm);
        digest.update(&head);
        Ok(CrlStream { issuer: self, scope, algorithm, head, tail, announced: entries, received: 0, digest })
    }
}

impl<K: SigningKey> CrlStream<'_, K> {
    /// How many octets the outer header takes at most.
    pub fn room(&self) -> usize {
        let key = self.issuer.key().public_key();
        tlv::header_length(self.content_length(key.signature_octets()))
    }

    /// What stands before the entries, behind the outer header.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The next entries, whole ones. They are read once, so that no list is signed that a verifier cannot read.
    ///
    /// # Errors
    ///
    /// [`CrlError`] if they are no entries, or if one is to leave a complete list.
    pub fn entries(&mut self, part: &[u8]) -> Result<(), CrlError> {
        for entry in entries(part) {
            removal_is_in_a_delta(&self.scope, &entry?)?;
        }
        self.received += part.len();
        self.digest.update(part);
        Ok(())
    }

    /// Signs: one call on the key.
    ///
    /// # Errors
    ///
    /// [`CrlError::EntriesLength`] if other entries came than were announced; [`CrlError`] if the key fails.
    pub fn sign(mut self, rng: &mut dyn SecureRandom) -> Result<SignedEnds, CrlError> {
        let Self { announced, received, .. } = self;
        if announced != received {
            return Err(CrlError::EntriesLength { announced, received });
        }
        self.digest.update(&self.tail);
        let digest = core::mem::replace(&mut self.digest, Running::Message(Vec::new())).finish();
        let key = self.issuer.key();
        let signature = key.sign(self.algorithm, digest.input(), rng).map_err(CrlError::Sign)?;
        if let SignatureCheck::Verify(verifier) = check_of(key) {
            let (public, octets) = (key.public_key(), signature.as_bytes());
            match &digest {
                Finished::Message(message) => verifier.verify(public, self.algorithm, message, octets),
                Finished::Digest(digest) => verifier.verify_digest(public, self.algorithm, digest, octets),
            }
            .map_err(CrlError::Signature)?;
        }
        let mut header = Tlv::new();
        header.header(tlv::SEQUENCE, self.content_length(signature.as_bytes().len()));
        Ok(SignedEnds { header: header.into_vec(), tail: self.end(&signature) })
    }

    fn end(&self, signature: &Signature) -> Vec<u8> {
        let mut tail = Tlv::with_capacity(self.tail.len() + signature.as_bytes().len() + 96);
        tail.raw(&self.tail).raw(self.algorithm.der()).bit_string(signature.as_bytes());
        tail.into_vec()
    }

    /// The octets inside the outer SEQUENCE, with a signature of so many.
    fn content_length(&self, signature: usize) -> usize {
        let bit_string = tlv::header_length(signature + 1) + signature + 1;
        self.head.len() + self.announced + self.tail.len() + self.algorithm.der().len() + bit_string
    }
}

/// The digest of what was written so far; the message itself where the key signs no digests (Ed25519, ML-DSA).
#[derive(Debug)]
enum Running {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Message(Vec<u8>),
}

enum Finished {
    Digest(Vec<u8>),
    Message(Vec<u8>),
}

impl Running {
    fn new(algorithm: SignatureAlgorithm) -> Self {
        match algorithm.digest_length() {
            Some(32) => Self::Sha256(Sha256::new()),
            Some(48) => Self::Sha384(Sha384::new()),
            Some(64) => Self::Sha512(Sha512::new()),
            _ => Self::Message(Vec::new()),
        }
    }

    fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(octets),
            Self::Sha384(hash) => hash.update(octets),
            Self::Sha512(hash) => hash.update(octets),
            Self::Message(message) => message.extend_from_slice(octets),
        }
    }

    fn finish(self) -> Finished {
        match self {
            Self::Sha256(hash) => Finished::Digest(hash.finalize().to_vec()),
            Self::Sha384(hash) => Finished::Digest(hash.finalize().to_vec()),
            Self::Sha512(hash) => Finished::Digest(hash.finalize().to_vec()),
            Self::Message(message) => Finished::Message(message),
        }
    }
}

impl Finished {
    fn input(&self) -> SigningInput<'_> {
        match self {
            Self::Digest(digest) => SigningInput::Digest(digest),
            Self::Message(message) => SigningInput::Message(message),
        }
    }
}
