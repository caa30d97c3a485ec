//! Envelopes: secrets as they lie in the store, bound to the place where they lie.
//!
//! ```text
//! 1 octet   format, 1
//! 1 octet   algorithm: 0 in clear, 1 XChaCha20-Poly1305
//! 4 octets  number of the data key, 0 without
//! 24 octets nonce, absent without algorithm
//! the rest  ciphertext and tag
//! ```
//!
//! The associated data are the octets before the nonce, the store's id and the [`Place`].

use core::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use pki_core::random::SecureRandom;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::fields::Fields;
use crate::id::StoreId;
use crate::mac::{CodeKey, derive};

/// A sealed secret: format, algorithm, data-key number, nonce, ciphertext. In a store without a seal the content
/// is in clear, in the same form.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope(pub(crate) Vec<u8>);

impl Envelope {
    /// The octets as stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Without content, since a store without a seal has it in clear.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} octets)", self.0.len())
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Where a secret lies. Authenticated with it, so that no envelope can be moved to another row, column or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's immutable id.
    pub row: [u8; 16],
    /// The row's version.
    pub version: u64,
}

/// The keys of an open store: what seals secrets, what codes rows, what chains the audit log.
#[derive(Clone)]
pub(crate) struct Keyring {
    pub(crate) store: StoreId,
    pub(crate) rows: CodeKey,
    pub(crate) chain: CodeKey,
    secrets: Option<SecretKey>,
}

#[derive(Clone)]
struct SecretKey {
    number: u16,
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Keyring {
    /// The keys of a store without a seal.
    pub(crate) const fn plain(store: StoreId) -> Self {
        Self { store, rows: CodeKey::Plain, chain: CodeKey::Plain, secrets: None }
    }

    /// The keys of a sealed store. Each purpose has its own, derived from the data key.
    pub(crate) fn sealed(store: StoreId, number: u16, data_key: &[u8; 32]) -> Self {
        let key = |purpose: &str| derive(data_key, &format!("{purpose} {store}"));
        Self {
            store,
            rows: CodeKey::keyed(number, &key("pki-store rows")),
            chain: CodeKey::keyed(number, &key("pki-store audit chain")),
            secrets: Some(SecretKey { number, cipher: cipher(&key("pki-store secrets")) }),
        }
    }

    pub(crate) fn seal(
        &self,
        place: &Place,
        secret: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<Envelope, StoreError> {
        let Some(key) = &self.secrets else {
            let mut octets = Vec::with_capacity(HEADER + secret.len());
            octets.extend_from_slice(&header(Algorithm::Clear, 0));
            octets.extend_from_slice(secret);
            return Ok(Envelope(octets));
        };
        let mut octets = header(Algorithm::XChaCha20Poly1305, key.number).to_vec();
        let aad = self.associated(&octets, place);
        encrypt(&key.cipher, &aad, secret, &mut octets, rng)?;
        Ok(Envelope(octets))
    }

    /// `None` when the envelope was not sealed by this keyring for this place.
    pub(crate) fn unseal(&self, place: &Place, envelope: &Envelope) -> Option<Zeroizing<Vec<u8>>> {
        let (head, rest) = envelope.0.split_at_checked(HEADER)?;
        match &self.secrets {
            // A sealed store never believes an envelope in clear, or somebody could slip a key in.
            Some(key) => {
                if head != header(Algorithm::XChaCha20Poly1305, key.number) {
                    return None;
                }
                decrypt(&key.cipher, &self.associated(head, place), rest)
            }
            None => (head == header(Algorithm::Clear, 0)).then(|| Zeroizing::new(rest.to_vec())),
        }
    }

    fn associated(&self, head: &[u8], place: &Place) -> Vec<u8> {
        let mut fields = Fields::default();
        fields
            .octets(head)
            .octets(self.store.as_bytes())
            .text(place.table)
            .text(place.column)
            .octets(&place.row)
            .number(place.version);
        fields.into_bytes()
    }
}

/// A key wrapped by another: nonce, ciphertext, tag.
pub(crate) fn wrap(
    wrapping: &[u8; 32],
    aad: &[u8],
    key: &[u8; 32],
    rng: &mut dyn SecureRandom,
) -> Result<Vec<u8>, StoreError> {
    let mut octets = Vec::new();
    encrypt(&cipher(wrapping), aad, key, &mut octets, rng)?;
    Ok(octets)
}

/// `None` when `wrapping` is not the key that wrapped it, or the associated data are not the same.
pub(crate) fn unwrap(wrapping: &[u8; 32], aad: &[u8], wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let opened = decrypt(&cipher(wrapping), aad, wrapped)?;
    opened.as_slice().try_into().ok().map(Zeroizing::new)
}

#[derive(Clone, Copy)]
enum Algorithm {
    Clear = 0,
    XChaCha20Poly1305 = 1,
}

const HEADER: usize = 6;
const NONCE: usize = 24;

fn header(algorithm: Algorithm, key: u16) -> [u8; HEADER] {
    let [high, low] = key.to_be_bytes();
    [1, algorithm as u8, 0, 0, high, low]
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

fn encrypt(
    cipher: &XChaCha20Poly1305,
    aad: &[u8],
    secret: &[u8],
    out: &mut Vec<u8>,
    rng: &mut dyn SecureRandom,
) -> Result<(), StoreError> {
    let mut nonce = [0_u8; NONCE];
    rng.fill(&mut nonce)?;
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad })
        // It fails only past 256 GiB, and a secret in memory is shorter.
        .map_err(|_| StoreError::Damaged { table: "envelope", row: 0, fault: "the secret is too long" })?;
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(())
}

fn decrypt(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::KeyId;
    use crate::key::NewKey;
    use pki_core::random::RandomError;

    struct Counting(u8);

    impl SecureRandom for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            for octet in out {
                self.0 = self.0.wrapping_add(1);
                *octet = self.0;
            }
            Ok(())
        }
    }

    fn place(row: u8) -> Place {
        NewKey::place(KeyId::from_bytes([row; 16]))
    }

    #[test]
    fn a_secret_comes_back_only_at_its_place() {
        let store = StoreId::from_bytes([7; 16]);
        let ring = Keyring::sealed(store, 1, &[9; 32]);
        let envelope = ring.seal(&place(1), b"secret", &mut Counting(0)).unwrap();
        assert_eq!(ring.unseal(&place(1), &envelope).unwrap().as_slice(), b"secret");
        assert!(!envelope.as_bytes().windows(6).any(|w| w == b"secret"));

        assert!(ring.unseal(&place(2), &envelope).is_none(), "another row");
        let mut other = place(1);
        other.version = 2;
        assert!(ring.unseal(&other, &envelope).is_none(), "another version");
        other = place(1);
        other.column = "else";
        assert!(ring.unseal(&other, &envelope).is_none(), "another column");
        let elsewhere = Keyring::sealed(StoreId::from_bytes([8; 16]), 1, &[9; 32]);
        assert!(elsewhere.unseal(&place(1), &envelope).is_none(), "another store");
        let other_key = Keyring::sealed(store, 1, &[8; 32]);
        assert!(other_key.unseal(&place(1), &envelope).is_none(), "another data key");
    }

    #[test]
    fn every_changed_octet_and_every_cut_is_noticed() {
        let ring = Keyring::sealed(StoreId::from_bytes([7; 16]), 1, &[9; 32]);
        let envelope = ring.seal(&place(1), b"secret", &mut Counting(0)).unwrap();
        for at in 0..envelope.0.len() {
            let mut edited = envelope.clone();
            edited.0[at] ^= 1;
            assert!(ring.unseal(&place(1), &edited).is_none(), "octet {at}");
            let cut = Envelope(envelope.0[..at].to_vec());
            assert!(ring.unseal(&place(1), &cut).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_sealed_store_believes_no_envelope_in_clear_and_the_reverse() {
        let store = StoreId::from_bytes([7; 16]);
        let (sealed, plain) = (Keyring::sealed(store, 1, &[9; 32]), Keyring::plain(store));
        let clear = plain.seal(&place(1), b"secret", &mut Counting(0)).unwrap();
        assert_eq!(plain.unseal(&place(1), &clear).unwrap().as_slice(), b"secret");
        assert!(sealed.unseal(&place(1), &clear).is_none());
        let envelope = sealed.seal(&place(1), b"secret", &mut Counting(0)).unwrap();
        assert!(plain.unseal(&place(1), &envelope).is_none());
    }

    #[test]
    fn debug_shows_no_content() {
        let clear = Keyring::plain(StoreId::from_bytes([7; 16]));
        let envelope = clear.seal(&place(1), b"secret", &mut Counting(0)).unwrap();
        assert_eq!(format!("{envelope:?}"), "Envelope(12 octets)");
    }
}
