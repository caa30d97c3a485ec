//! Which of its signatures a key is asked for, where it has several.

use alloc::string::{String, ToString};
use core::fmt;

use super::{KeyType, SignatureAlgorithm, SigningKey};

/// What an RSA key signs with. Keys of other kinds have one natural signature, and are not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RsaScheme {
    /// How what is signed is padded.
    pub padding: RsaPadding,
    /// The hash; `None` is the first that the key offers with this padding, SHA-256 for keys in memory.
    pub hash: Option<HashAlgorithm>,
}

/// The two ways of RFC 8017 to pad what an RSA key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaPadding {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
    #[default]
    Pkcs1,
    /// RSASSA-PSS (RFC 8017 8.1), its salt as long as the hash.
    Pss,
}

/// A hash of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// The hash with a digest of so many bits.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            256 => Some(Self::Sha256),
            384 => Some(Self::Sha384),
            512 => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

impl RsaScheme {
    /// The scheme of `use_pss` and `signature_bits`, as Vault has them; zero bits leave the hash to the key, and keep
    /// the padding. `None` for any other number than 0, 256, 384 and 512.
    pub const fn from_bits(padding: RsaPadding, signature_bits: u16) -> Option<Self> {
        match (signature_bits, HashAlgorithm::from_bits(signature_bits)) {
            (0, _) => Some(Self { padding, hash: None }),
            (_, None) => None,
            (_, hash) => Some(Self { padding, hash }),
        }
    }

    /// What `key` signs with under this scheme.
    ///
    /// # Errors
    ///
    /// [`UnsuitableScheme`] if an RSA key does not offer it, or a key offers nothing.
    pub fn choose<K: SigningKey + ?Sized>(self, key: &K) -> Result<SignatureAlgorithm, UnsuitableScheme> {
        let offered = key.algorithms();
        let chosen = if key.public_key().key_type() == KeyType::Rsa {
            offered.iter().find(|algorithm| self.admits(**algorithm))
        } else {
            offered.first()
        };
        chosen.copied().ok_or(UnsuitableScheme { scheme: self })
    }

    fn admits(self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm as S;
        let (padding, hash) = match algorithm {
            S::RsaPkcs1Sha256 => (RsaPadding::Pkcs1, HashAlgorithm::Sha256),
            S::RsaPkcs1Sha384 => (RsaPadding::Pkcs1, HashAlgorithm::Sha384),
            S::RsaPkcs1Sha512 => (RsaPadding::Pkcs1, HashAlgorithm::Sha512),
            S::RsaPssSha256 => (RsaPadding::Pss, HashAlgorithm::Sha256),
            S::RsaPssSha384 => (RsaPadding::Pss, HashAlgorithm::Sha384),
            S::RsaPssSha512 => (RsaPadding::Pss, HashAlgorithm::Sha512),
            _ => return false,
        };
        padding == self.padding && self.hash.is_none_or(|wanted| wanted == hash)
    }
}

impl fmt::Display for RsaScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padding = match self.padding {
            RsaPadding::Pkcs1 => "RSA PKCS#1",
            RsaPadding::Pss => "RSA-PSS",
        };
        match self.hash {
            Some(hash) => write!(f, "{padding} with {hash}"),
            None => f.write_str(padding),
        }
    }
}

/// An RSA key that does not offer the signature that is wanted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsuitableScheme {
    /// What was wanted.
    pub scheme: RsaScheme,
}

impl fmt::Display for UnsuitableScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key does not sign with {}; ask for another digest or padding", self.scheme)
    }
}

impl core::error::Error for UnsuitableScheme {}

/// The names by which Vault and Go know signature algorithms.
impl SignatureAlgorithm {
    /// The algorithm of a name such as `SHA256WithRSAPSS`, in any letter case.
    ///
    /// # Errors
    ///
    /// [`UnknownSignatureAlgorithm`] for any other name.
    pub fn from_name(name: &str) -> Result<Self, UnknownSignatureAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownSignatureAlgorithm { name: name.to_string() })
    }

    /// The name, such as `SHA256WithRSAPSS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "SHA256WithRSA",
            Self::RsaPkcs1Sha384 => "SHA384WithRSA",
            Self::RsaPkcs1Sha512 => "SHA512WithRSA",
            Self::RsaPssSha256 => "SHA256WithRSAPSS",
            Self::RsaPssSha384 => "SHA384WithRSAPSS",
            Self::RsaPssSha512 => "SHA512WithRSAPSS",
            Self::EcdsaSha256 => "ECDSAWithSHA256",
            Self::EcdsaSha384 => "ECDSAWithSHA384",
            Self::EcdsaSha512 => "ECDSAWithSHA512",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }
}

/// A name that no signature algorithm has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignatureAlgorithm {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownSignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no signature algorithm; accepted: ", self.name)?;
        for (position, algorithm) in SignatureAlgorithm::ALL.into_iter().enumerate() {
            let separator = if position > 0 { ", " } else { "" };
            write!(f, "{separator}{}", algorithm.name())?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownSignatureAlgorithm {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PublicKey, SignError, Signature, SigningInput};
    use crate::random::SecureRandom;

    /// A key that offers these signatures and makes none.
    struct Offering(PublicKey, &'static [SignatureAlgorithm]);

    impl SigningKey for Offering {
        fn public_key(&self) -> &PublicKey {
            &self.0
        }

        fn algorithms(&self) -> &[SignatureAlgorithm] {
            self.1
        }

        fn sign(
            &self,
            _: SignatureAlgorithm,
            _: SigningInput<'_>,
            _: &mut dyn SecureRandom,
        ) -> Result<Signature, SignError> {
            Err(SignError::refused("it is for choosing only"))
        }
    }

    fn rsa(offered: &'static [SignatureAlgorithm]) -> Offering {
        let spki = b"\x30\x1a\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\
            \x03\x09\x00\x30\x06\x02\x01\x0f\x02\x01\x03";
        Offering(PublicKey::from_spki_der(spki).unwrap(), offered)
    }

    fn ed25519() -> Offering {
        let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", &[9; 32][..]].concat();
        Offering(PublicKey::from_spki_der(&spki).unwrap(), &[SignatureAlgorithm::Ed25519])
    }

    #[test]
    fn an_rsa_key_signs_with_what_is_asked_for() {
        use RsaPadding::{Pkcs1, Pss};
        use SignatureAlgorithm as S;
        for (padding, bits, expected) in [
            (Pkcs1, 0, Some(S::RsaPkcs1Sha256)),
            (Pkcs1, 256, Some(S::RsaPkcs1Sha256)),
            (Pkcs1, 384, Some(S::RsaPkcs1Sha384)),
            (Pkcs1, 512, Some(S::RsaPkcs1Sha512)),
            // Vault forgets PSS here.
            (Pss, 0, Some(S::RsaPssSha256)),
            (Pss, 256, Some(S::RsaPssSha256)),
            (Pss, 384, Some(S::RsaPssSha384)),
            (Pss, 512, Some(S::RsaPssSha512)),
        ] {
            let scheme = RsaScheme::from_bits(padding, bits).unwrap();
            assert_eq!(scheme.choose(&rsa(S::RSA)).ok(), expected, "{scheme}");
            // A key with one kind of signature is not asked.
            assert_eq!(scheme.choose(&ed25519()), Ok(S::Ed25519), "{scheme}");
            // A token that knows SHA-512 only.
            let token = rsa(&[S::RsaPkcs1Sha512, S::RsaPssSha512]);
            let fits = bits == 0 || bits == 512;
            assert_eq!(scheme.choose(&token).is_ok(), fits, "{scheme}");
            assert_eq!(scheme.choose(&rsa(&[])), Err(UnsuitableScheme { scheme }), "{scheme}");
        }
        for bits in [1, 224, 255, 521, 1024] {
            assert_eq!(RsaScheme::from_bits(Pss, bits), None, "{bits}");
        }
        let scheme = RsaScheme { padding: Pss, hash: Some(HashAlgorithm::Sha384) };
        let error = scheme.choose(&rsa(&[S::RsaPkcs1Sha384])).unwrap_err();
        assert!(error.to_string().contains("RSA-PSS with SHA-384"), "{error}");
    }

    #[test]
    fn names_are_those_of_vault_in_any_case() {
        for algorithm in SignatureAlgorithm::ALL {
            for name in [algorithm.name().to_string(), algorithm.name().to_lowercase()] {
                assert_eq!(SignatureAlgorithm::from_name(&name), Ok(algorithm));
            }
        }
        for name in ["", "SHA1WithRSA", "SHA256WithRSAPKCS", "MD5WithRSA", "DSAWithSHA256", "RSA", " Ed25519"]
        {
            let error = SignatureAlgorithm::from_name(name).unwrap_err();
            assert!(error.to_string().contains("SHA256WithRSAPSS"), "{error}");
        }
    }
}
