//! PKCS#12 files (RFC 7292): a key with its certificates, or certificates that are trusted.
//!
//! The *modern* profile is what OpenSSL 3 and Java since version 8u301 write themselves: PBES2 with AES-256-CBC and
//! PBKDF2-HMAC-SHA-256, and a MAC of HMAC-SHA-256. The *legacy* profile is for readers from before: 3DES under the
//! derivation of RFC 7292 B with SHA-1, and a MAC of HMAC-SHA-1. It is weak, and there for them alone.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use const_oid::ObjectIdentifier;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::key::encrypted::{Sealed, pbes2};
use crate::key::{EncryptError, PassphraseOrigin, PrivateKeyDer};
use crate::oid;
use crate::random::{RandomError, SecureRandom};
use crate::tlv::{self, Tlv};

/// Which algorithms protect a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pkcs12Profile {
    /// AES-256, PBKDF2 and SHA-256.
    #[default]
    Modern,
    /// 3DES and SHA-1, for Windows before 10, Java before 8u301, Android before 14 and OpenSSL before 1.1.
    Legacy,
}

/// What protects a file: a passphrase of printable ASCII, and the algorithms.
///
/// Programs differ in how they turn other characters into octets, so that a file with them would open here and not there.
pub struct Protection<'a> {
    passphrase: &'a str,
    origin: PassphraseOrigin,
    profile: Pkcs12Profile,
}

impl<'a> Protection<'a> {
    /// Protection by this passphrase.
    ///
    /// # Errors
    ///
    /// [`Pkcs12Error::Passphrase`] if it is empty or has other characters than printable ASCII.
    pub fn new(
        passphrase: &'a [u8],
        origin: PassphraseOrigin,
        profile: Pkcs12Profile,
    ) -> Result<Self, Pkcs12Error> {
        match core::str::from_utf8(passphrase) {
            Ok(text) if !text.is_empty() && text.bytes().all(|octet| (b' '..=b'~').contains(&octet)) => {
                Ok(Self { passphrase: text, origin, profile })
            }
            _ => Err(Pkcs12Error::Passphrase),
        }
    }

    /// How often the derivation and the MAC iterate.
    const fn iterations(&self) -> u32 {
        match self.profile {
            Pkcs12Profile::Modern => self.origin.iterations(),
            // Old Windows reads no more than 600 000, and old Java takes seconds for them.
            Pkcs12Profile::Legacy => 10_000,
        }
    }

    /// RFC 7292 B.1: a BMPString with its final zero character.
    fn bmp(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(2 * self.passphrase.len() + 2));
        for octet in self.passphrase.bytes().chain([0]) {
            octets.extend_from_slice(&[0, octet]);
        }
        octets
    }

    fn seal(&self, plain: &[u8], rng: &mut dyn SecureRandom) -> Result<Sealed, Pkcs12Error> {
        match self.profile {
            Pkcs12Profile::Modern => Ok(pbes2(plain, self.passphrase.as_bytes(), self.origin, rng)?),
            Pkcs12Profile::Legacy => self.seal_with_3des(plain, rng),
        }
    }

    /// RFC 7292 C: pbeWithSHAAnd3-KeyTripleDES-CBC.
    fn seal_with_3des(&self, plain: &[u8], rng: &mut dyn SecureRandom) -> Result<Sealed, Pkcs12Error> {
        let mut salt = [0; 8];
        rng.fill(&mut salt)?;
        let passphrase = self.bmp();
        let key = derive::<Sha1>(Purpose::Key, &passphrase, &salt, self.iterations(), 24);
        let vector = derive::<Sha1>(Purpose::Vector, &passphrase, &salt, self.iterations(), 8);
        let cipher = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &vector)
            .map_err(|_| Pkcs12Error::Encrypt(EncryptError::Cipher))?;
        let mut buffer = Zeroizing::new(alloc::vec![0; plain.len() + 8]);
        buffer.get_mut(..plain.len()).unwrap_or_default().copy_from_slice(plain);
        let content = cipher
            .encrypt_padded::<Pkcs7>(&mut buffer, plain.len())
            .map_err(|_| Pkcs12Error::Encrypt(EncryptError::Cipher))?
            .to_vec();
        let mut algorithm = Tlv::new();
        algorithm.nest(tlv::SEQUENCE, |identifier| {
            identifier.oid(PBE_WITH_SHA_AND_3DES).nest(tlv::SEQUENCE, |parameters| {
                parameters
                    .value(tlv::OCTET_STRING, &salt)
                    .unsigned(tlv::INTEGER, &self.iterations().to_be_bytes());
            });
        });
        Ok(Sealed { algorithm: algorithm.into_vec(), content })
    }

    /// RFC 7292 4, MacData over the authenticated content.
    fn mac(&self, content: &[u8], rng: &mut dyn SecureRandom) -> Result<Vec<u8>, Pkcs12Error> {
        let mut salt = [0; 16];
        rng.fill(&mut salt)?;
        let passphrase = self.bmp();
        let (digest, code) = match self.profile {
            Pkcs12Profile::Modern => {
                let key = derive::<Sha256>(Purpose::Mac, &passphrase, &salt, self.iterations(), 32);
                let mac = Hmac::<Sha256>::new_from_slice(&key);
                (SHA256, mac.map(|mac| mac.chain_update(content).finalize().into_bytes().to_vec()))
            }
            Pkcs12Profile::Legacy => {
                let key = derive::<Sha1>(Purpose::Mac, &passphrase, &salt, self.iterations(), 20);
                let mac = Hmac::<Sha1>::new_from_slice(&key);
                (SHA1, mac.map(|mac| mac.chain_update(content).finalize().into_bytes().to_vec()))
            }
        };
        let code = code.map_err(|_| Pkcs12Error::Encrypt(EncryptError::Cipher))?;
        let mut der = Tlv::new();
        der.nest(tlv::SEQUENCE, |data| {
            data.nest(tlv::SEQUENCE, |info| {
                info.nest(tlv::SEQUENCE, |algorithm| {
                    algorithm.oid(digest).raw(&[0x05, 0x00]);
                });
                info.value(tlv::OCTET_STRING, &code);
            });
            data.value(tlv::OCTET_STRING, &salt);
            data.unsigned(tlv::INTEGER, &self.iterations().to_be_bytes());
        });
        Ok(der.into_vec())
    }
}

/// A key store: a private key, its certificate, and the certificates above it, nearest first.
///
/// The key and its certificate carry the friendly name and a common localKeyId, the certificates above neither: readers
/// take a certificate with a localKeyId for a key's own.
///
/// # Errors
///
/// [`Pkcs12Error`] if there is no randomness.
pub fn key_store(
    key: &PrivateKeyDer,
    certificate: &Certificate,
    issuers: &[Certificate],
    friendly_name: &str,
    protection: &Protection<'_>,
    rng: &mut dyn SecureRandom,
) -> Result<Vec<u8>, Pkcs12Error> {
    let local_key_id: [u8; 20] = Sha1::digest(certificate.der()).into();
    let own = [friendly_name_of(friendly_name), local_key_id_of(&local_key_id)];
    let mut certificates = Tlv::new();
    certificates.nest(tlv::SEQUENCE, |bags| {
        certificate_bag(bags, certificate, &own);
        for issuer in issuers {
            certificate_bag(bags, issuer, &[]);
        }
    });
    let sealed_key = protection.seal(key.pkcs8_der(), rng)?;
    let mut keys = Tlv::new();
    keys.nest(tlv::SEQUENCE, |bags| {
        bag(bags, SHROUDED_KEY_BAG, &own, |value| {
            value.nest(tlv::SEQUENCE, |info| {
                info.raw(&sealed_key.algorithm).value(tlv::OCTET_STRING, &sealed_key.content);
            });
        });
    });
    let sealed = protection.seal(&certificates.into_vec(), rng)?;
    file(protection, &[encrypted_content(&sealed), plain_content(&keys.into_vec())], rng)
}

/// A trust store: certificates that are trusted, each under a name of its own.
///
/// Each has the attribute by which Java knows a trusted certificate. Names that are there twice, whatever their case, get
/// a number: Java would keep one of them.
///
/// # Errors
///
/// [`Pkcs12Error`] if there is no randomness.
pub fn trust_store(
    certificates: &[(String, Certificate)],
    protection: &Protection<'_>,
    rng: &mut dyn SecureRandom,
) -> Result<Vec<u8>, Pkcs12Error> {
    let mut names: Vec<String> = Vec::with_capacity(certificates.len());
    let mut content = Tlv::new();
    content.nest(tlv::SEQUENCE, |bags| {
        for (name, certificate) in certificates {
            let name = unlike(name, &names);
            certificate_bag(bags, certificate, &[friendly_name_of(&name), trusted()]);
            names.push(name);
        }
    });
    let sealed = protection.seal(&content.into_vec(), rng)?;
    file(protection, &[encrypted_content(&sealed)], rng)
}

/// `name`, or `name-2` and so on, which none of the others is.
fn unlike(name: &str, others: &[String]) -> String {
    let lower = name.to_lowercase();
    let taken = |candidate: &str| others.iter().any(|other| other.to_lowercase() == candidate);
    if !taken(&lower) {
        return name.into();
    }
    let mut number = 2_usize;
    while taken(&alloc::format!("{lower}-{number}")) {
        number += 1;
    }
    alloc::format!("{name}-{number}")
}

/// RFC 7292 4: PFX of version 3, whose contents are protected by a MAC.
fn file(
    protection: &Protection<'_>,
    contents: &[Vec<u8>],
    rng: &mut dyn SecureRandom,
) -> Result<Vec<u8>, Pkcs12Error> {
    let mut safe = Tlv::new();
    safe.nest(tlv::SEQUENCE, |list| {
        for content in contents {
            list.raw(content);
        }
    });
    let safe = safe.into_vec();
    let mac = protection.mac(&safe, rng)?;
    let mut der = Tlv::with_capacity(safe.len() + 256);
    der.nest(tlv::SEQUENCE, |pfx| {
        pfx.unsigned(tlv::INTEGER, &[3]).raw(&plain_content(&safe)).raw(&mac);
    });
    Ok(der.into_vec())
}

/// RFC 2315 8: ContentInfo of data.
fn plain_content(content: &[u8]) -> Vec<u8> {
    let mut der = Tlv::with_capacity(content.len() + 32);
    der.nest(tlv::SEQUENCE, |info| {
        info.oid(PKCS7_DATA).nest(tlv::context_constructed(0), |explicit| {
            explicit.value(tlv::OCTET_STRING, content);
        });
    });
    der.into_vec()
}

/// RFC 2315 13: ContentInfo of encrypted data.
fn encrypted_content(sealed: &Sealed) -> Vec<u8> {
    let mut der = Tlv::with_capacity(sealed.content.len() + 256);
    der.nest(tlv::SEQUENCE, |info| {
        info.oid(PKCS7_ENCRYPTED_DATA).nest(tlv::context_constructed(0), |explicit| {
            explicit.nest(tlv::SEQUENCE, |data| {
                data.unsigned(tlv::INTEGER, &[0]).nest(tlv::SEQUENCE, |inner| {
                    inner.oid(PKCS7_DATA).raw(&sealed.algorithm).value(tlv::context(0), &sealed.content);
                });
            });
        });
    });
    der.into_vec()
}

/// RFC 7292 4.2: SafeBag. The attributes are a SET OF: they ascend by their encodings (X.690 11.6).
fn bag(bags: &mut Tlv, kind: ObjectIdentifier, attributes: &[Vec<u8>], value: impl FnOnce(&mut Tlv)) {
    bags.nest(tlv::SEQUENCE, |bag| {
        bag.oid(kind).nest(tlv::context_constructed(0), value);
        if !attributes.is_empty() {
            let mut sorted: Vec<&Vec<u8>> = attributes.iter().collect();
            sorted.sort();
            bag.nest(tlv::SET, |set| {
                for attribute in sorted {
                    set.raw(attribute);
                }
            });
        }
    });
}

/// RFC 7292 4.2.3
fn certificate_bag(bags: &mut Tlv, certificate: &Certificate, attributes: &[Vec<u8>]) {
    bag(bags, CERTIFICATE_BAG, attributes, |value| {
        value.nest(tlv::SEQUENCE, |inner| {
            inner.oid(X509_CERTIFICATE).nest(tlv::context_constructed(0), |explicit| {
                explicit.value(tlv::OCTET_STRING, certificate.der());
            });
        });
    });
}

fn attribute(kind: ObjectIdentifier, write: impl FnOnce(&mut Tlv)) -> Vec<u8> {
    let mut der = Tlv::new();
    der.nest(tlv::SEQUENCE, |attribute| {
        attribute.oid(kind).nest(tlv::SET, write);
    });
    der.into_vec()
}

/// RFC 2985 5.5.1: a BMPString, so that what lies beyond the basic plane is replaced.
fn friendly_name_of(name: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(2 * name.len());
    for character in name.chars() {
        let unit = u16::try_from(u32::from(character)).unwrap_or(0xfffd);
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    attribute(FRIENDLY_NAME, |values| {
        values.value(BMP_STRING, &octets);
    })
}

/// RFC 2985 5.5.2
fn local_key_id_of(id: &[u8]) -> Vec<u8> {
    attribute(LOCAL_KEY_ID, |values| {
        values.value(tlv::OCTET_STRING, id);
    })
}

/// Java trusts it for every purpose.
fn trusted() -> Vec<u8> {
    attribute(JAVA_TRUSTED_KEY_USAGE, |values| {
        values.oid(oid::ANY_EXTENDED_KEY_USAGE);
    })
}

/// RFC 7292 B.3: what derived octets are for.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Vector = 2,
    Mac = 3,
}

/// RFC 7292 B.2, for digests whose blocks have 64 octets.
fn derive<D: Digest>(
    purpose: Purpose,
    passphrase: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    const BLOCK: usize = 64;
    // Steps 1 to 4: the purpose fills a block; salt and passphrase are repeated to whole blocks.
    let diversifier = [purpose as u8; BLOCK];
    let filled = |octets: &[u8]| octets.len().div_ceil(BLOCK) * BLOCK;
    let mut input = Zeroizing::new(Vec::with_capacity(filled(salt) + filled(passphrase)));
    input.extend(salt.iter().cycle().take(filled(salt)));
    input.extend(passphrase.iter().cycle().take(filled(passphrase)));
    let mut output = Zeroizing::new(Vec::with_capacity(length + BLOCK));
    loop {
        // Step 6A
        let mut hash = D::new().chain_update(diversifier).chain_update(&*input).finalize();
        for _ in 1..iterations {
            hash = D::digest(&hash);
        }
        output.extend_from_slice(&hash);
        if output.len() >= length {
            output.truncate(length);
            return output;
        }
        // Steps 6B and 6C: each block of the input grows by the hash, repeated, and one.
        for block in input.chunks_mut(BLOCK) {
            let mut carry = 1_u16;
            let addends = hash.iter().cycle().take(BLOCK).collect::<Vec<_>>();
            for (digit, addend) in block.iter_mut().rev().zip(addends.into_iter().rev()) {
                let sum = u16::from(*digit) + u16::from(*addend) + carry;
                *digit = sum as u8;
                carry = sum >> 8;
            }
        }
    }
}

/// A PKCS#12 file was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// The content was not encrypted.
    Encrypt(EncryptError),
    /// A passphrase that programs read differently, or none.
    Passphrase,
    /// The source of randomness failed.
    Random(RandomError),
}

impl fmt::Display for Pkcs12Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypt(error) => error.fmt(f),
            Self::Passphrase => f.write_str(
                "the passphrase of a PKCS#12 file is printable ASCII, at least one character: programs differ about others",
            ),
            Self::Random(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Pkcs12Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Encrypt(error) => Some(error),
            Self::Random(error) => Some(error),
            Self::Passphrase => None,
        }
    }
}

impl From<EncryptError> for Pkcs12Error {
    fn from(error: EncryptError) -> Self {
        Self::Encrypt(error)
    }
}

impl From<RandomError> for Pkcs12Error {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

const BMP_STRING: u8 = 0x1e;
// RFC 7292; RFC 2315; RFC 2985 5.5.
const PKCS7_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const PKCS7_ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const PBE_WITH_SHA_AND_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// Java: what a certificate in a trust store is trusted for.
const JAVA_TRUSTED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");

/// What opens the files is other people's programs: `verify-tests/tests/formats.rs`.
#[cfg(test)]
mod tests {
    use super::*;

    /// The values that OpenSSL's and Bouncy Castle's tests of this derivation share ("smeg", "queeg").
    #[test]
    fn derivations_are_those_of_others() {
        let bmp = |text: &str| {
            Protection::new(text.as_bytes(), PassphraseOrigin::Person, Pkcs12Profile::Legacy).unwrap().bmp()
        };
        for (purpose, passphrase, salt, iterations, wanted) in [
            (Purpose::Key, "smeg", "0a58cf64530d823f", 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"),
            (Purpose::Vector, "smeg", "0a58cf64530d823f", 1, "79993dfe048d3b76"),
            (Purpose::Key, "smeg", "642b99ab44fb4b1f", 1, "f3a95fec48d7711e985cfe67908c5ab79fa3d7c5caa5d966"),
            (Purpose::Vector, "smeg", "642b99ab44fb4b1f", 1, "c0a38d64a79bea1d"),
            (Purpose::Mac, "smeg", "3d83c0e4546ac140", 1, "8d967d88f6caa9d714800ab3d48051d63f73a312"),
            (
                Purpose::Key,
                "queeg",
                "05dec959acff72f7",
                1000,
                "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4",
            ),
            (Purpose::Vector, "queeg", "05dec959acff72f7", 1000, "11dedad7758d4860"),
            (Purpose::Mac, "queeg", "263216fcc2fab31c", 1000, "5ec4c7a80df652294c3925b6489a7ab857c83476"),
        ] {
            let octets = |hex: &str| -> Vec<u8> {
                (0..hex.len() / 2)
                    .map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2).unwrap(), 16).unwrap())
                    .collect()
            };
            let wanted = octets(wanted);
            let derived = derive::<Sha1>(purpose, &bmp(passphrase), &octets(salt), iterations, wanted.len());
            assert_eq!(*derived, wanted, "{passphrase} {salt}");
        }
    }

    #[test]
    fn passphrases_are_those_that_all_programs_read_alike() {
        let accepts = |text: &str| {
            Protection::new(text.as_bytes(), PassphraseOrigin::Person, Pkcs12Profile::Modern).is_ok()
        };
        for (text, accepted) in
            [("x", true), ("a b~!", true), ("", false), ("ü", false), ("a\tb", false), ("a\u{0}b", false)]
        {
            assert_eq!(accepts(text), accepted, "{text:?}");
        }
        assert!(Protection::new(&[0xff], PassphraseOrigin::Person, Pkcs12Profile::Modern).is_err());
    }

    #[test]
    fn names_in_a_trust_store_are_different() {
        let mut names = Vec::new();
        for name in ["Root", "root", "ROOT", "root-2", "Other"] {
            names.push(unlike(name, &names));
        }
        assert_eq!(names, ["Root", "root-2", "ROOT-3", "root-2-2", "Other"]);
    }
}
