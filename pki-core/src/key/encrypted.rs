//! Encryption under a passphrase: PBES2 (RFC 8018 6.2) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which everything that is
//! still maintained reads.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pkcs8::pkcs5::pbes2::Parameters;
use zeroize::Zeroizing;

use super::private::PrivateKeyDer;
use crate::pem;
use crate::random::{RandomError, SecureRandom};
use crate::tlv::{self, Tlv};

/// Who chose a passphrase, which says how much work guessing it has to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassphraseOrigin {
    /// A person: it is stretched as far as is bearable.
    Person,
    /// A random source, at least 128 bits of it: nobody guesses it, stretched or not.
    Machine,
}

impl PassphraseOrigin {
    /// The iterations of PBKDF2.
    pub(crate) const fn iterations(self) -> u32 {
        match self {
            // The count that OWASP asks of PBKDF2-HMAC-SHA-256 since 2023; below the five million that Java reads.
            Self::Person => 600_000,
            // RFC 8018 4.2 wants at least a thousand; what Java itself writes.
            Self::Machine => 10_000,
        }
    }
}

impl PrivateKeyDer {
    /// Writes the key in DER as EncryptedPrivateKeyInfo (RFC 5958 3), under this passphrase.
    ///
    /// # Errors
    ///
    /// [`EncryptError`] if the passphrase is empty, or there is no randomness.
    pub fn to_encrypted_der(
        &self,
        passphrase: &[u8],
        origin: PassphraseOrigin,
        rng: &mut dyn SecureRandom,
    ) -> Result<Vec<u8>, EncryptError> {
        let sealed = pbes2(self.pkcs8_der(), passphrase, origin, rng)?;
        let mut der = Tlv::with_capacity(sealed.content.len() + 192);
        der.nest(tlv::SEQUENCE, |info| {
            info.raw(&sealed.algorithm).value(tlv::OCTET_STRING, &sealed.content);
        });
        Ok(der.into_vec())
    }

    /// [`to_encrypted_der`](Self::to_encrypted_der) in PEM.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn to_encrypted_pem(
        &self,
        passphrase: &[u8],
        origin: PassphraseOrigin,
        rng: &mut dyn SecureRandom,
    ) -> Result<String, EncryptError> {
        let der = self.to_encrypted_der(passphrase, origin, rng)?;
        Ok(pem::encode(pem::ENCRYPTED_PRIVATE_KEY, &der))
    }
}

/// What was encrypted: the AlgorithmIdentifier with its parameters, and the octets.
pub(crate) struct Sealed {
    pub(crate) algorithm: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

/// RFC 8018 6.2.1, with salt and initialisation vector of 16 octets each.
pub(crate) fn pbes2(
    plain: &[u8],
    passphrase: &[u8],
    origin: PassphraseOrigin,
    rng: &mut dyn SecureRandom,
) -> Result<Sealed, EncryptError> {
    if passphrase.is_empty() {
        return Err(EncryptError::PassphraseEmpty);
    }
    let (mut salt, mut vector) = ([0; 16], [0; 16]);
    rng.fill(&mut salt)?;
    rng.fill(&mut vector)?;
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(origin.iterations(), &salt, vector)
        .map_err(|_| EncryptError::Cipher)?;
    // Room for the padding too: the buffer does not grow, and it is overwritten.
    let mut buffer = Zeroizing::new(alloc::vec![0; plain.len() + 16]);
    buffer.get_mut(..plain.len()).unwrap_or_default().copy_from_slice(plain);
    let content = parameters
        .encrypt_in_place(passphrase, &mut buffer, plain.len())
        .map_err(|_| EncryptError::Cipher)?
        .to_vec();
    let written = der::Encode::to_der(&parameters).map_err(|_| EncryptError::Cipher)?;
    let mut algorithm = Tlv::with_capacity(written.len() + 32);
    algorithm.nest(tlv::SEQUENCE, |identifier| {
        identifier.oid(pkcs8::pkcs5::pbes2::PBES2_OID).raw(&written);
    });
    Ok(Sealed { algorithm: algorithm.into_vec(), content })
}

/// Something was not encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The cipher refused: our mistake.
    Cipher,
    /// A passphrase of no octets protects nothing.
    PassphraseEmpty,
    /// The source of randomness failed.
    Random(RandomError),
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cipher => f.write_str("nothing was encrypted: the cipher refused its parameters"),
            Self::PassphraseEmpty => {
                f.write_str("a passphrase has at least one character, this one is empty")
            }
            Self::Random(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EncryptError {}

impl From<RandomError> for EncryptError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKeyError;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";

    fn count(out: &mut [u8]) -> Result<(), RandomError> {
        out.iter_mut().zip(1..).for_each(|(to, octet)| *to = octet);
        Ok(())
    }

    #[test]
    fn what_is_encrypted_is_read_with_its_passphrase_alone() {
        let key = PrivateKeyDer::from_pem(KEY, None).unwrap();
        let text = key.to_encrypted_pem(b"secret", PassphraseOrigin::Machine, &mut count).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        assert_eq!(PrivateKeyDer::from_pem(&text, Some(b"secret")).unwrap().pkcs8_der(), key.pkcs8_der());
        for (passphrase, error) in
            [(None, PrivateKeyError::PasswordMissing), (Some(&b"Secret"[..]), PrivateKeyError::WrongPassword)]
        {
            assert_eq!(PrivateKeyDer::from_pem(&text, passphrase).unwrap_err(), error);
        }
    }

    #[test]
    fn two_encryptions_share_nothing() {
        let key = PrivateKeyDer::from_pem(KEY, None).unwrap();
        let mut first = 0_u8;
        let mut rng = |out: &mut [u8]| {
            first += 1;
            out.fill(first);
            Ok(())
        };
        let one = key.to_encrypted_der(b"x", PassphraseOrigin::Machine, &mut rng).unwrap();
        let other = key.to_encrypted_der(b"x", PassphraseOrigin::Machine, &mut rng).unwrap();
        assert_ne!(one, other);
    }

    #[test]
    fn without_passphrase_or_randomness_nothing_is_written() {
        let key = PrivateKeyDer::from_pem(KEY, None).unwrap();
        let mut none = |_: &mut [u8]| Err(RandomError);
        for (passphrase, rng, error) in [
            (&b""[..], &mut count as &mut dyn SecureRandom, EncryptError::PassphraseEmpty),
            (b"x", &mut none, EncryptError::Random(RandomError)),
        ] {
            assert_eq!(key.to_encrypted_der(passphrase, PassphraseOrigin::Person, rng), Err(error));
        }
    }
}
