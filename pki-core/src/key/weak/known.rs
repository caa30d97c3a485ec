//! Lists of keys whose private half is known, above all those of Debian's generator (CVE-2008-0166).
//!
//! The lists are too large to carry along, so a user brings them: those of `openssl-blacklist` (20 hexadecimal digits a
//! line), or the same digits in a JSON array.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha1::{Digest, Sha1};

use crate::key::PublicKey;

/// Digests of RSA keys whose private half is known.
///
/// ```
/// use pki_core::key::weak::KnownWeakKeys;
///
/// let list = KnownWeakKeys::parse("# 2048 bits\n0011223344556677889a\n")?;
/// assert_eq!(list.len(), 1);
/// # Ok::<(), pki_core::key::weak::KnownWeakKeysError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownWeakKeys {
    /// Sorted, each once.
    digests: Vec<[u8; DIGEST_OCTETS]>,
}

impl KnownWeakKeys {
    /// Reads a list: a line each with 20 hexadecimal digits, with `#` before remarks; or a JSON array of such strings.
    ///
    /// The digits are the last half of the SHA-1 of what `openssl rsa -noout -modulus` prints.
    ///
    /// # Errors
    ///
    /// [`KnownWeakKeysError`] for the first line that is something else, and for a list without any digest.
    pub fn parse(text: &str) -> Result<Self, KnownWeakKeysError> {
        let mut digests = Vec::with_capacity(text.len() / (2 * DIGEST_OCTETS + 1));
        let is_json = text.trim_start().starts_with('[');
        for (position, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let entries = line.split(|c: char| is_json && matches!(c, '[' | ']' | ',' | '"'));
            for entry in entries.map(str::trim).filter(|entry| !entry.is_empty()) {
                let digest = digest_of_hex(entry).ok_or_else(|| KnownWeakKeysError::Entry {
                    line: position + 1,
                    entry: entry.chars().take(60).collect::<String>(),
                })?;
                digests.push(digest);
            }
        }
        if digests.is_empty() {
            return Err(KnownWeakKeysError::Empty);
        }
        Ok(Self::of(digests))
    }

    /// A list as [`KnownWeakKeys::to_octets`] wrote it.
    ///
    /// # Errors
    ///
    /// [`KnownWeakKeysError::Cut`] if the octets are not whole digests.
    pub fn from_octets(octets: &[u8]) -> Result<Self, KnownWeakKeysError> {
        let (digests, rest) = octets.as_chunks();
        if rest.is_empty() { Ok(Self::of(digests.to_vec())) } else { Err(KnownWeakKeysError::Cut) }
    }

    /// The digests, 10 octets each, one after the other.
    pub fn to_octets(&self) -> Vec<u8> {
        self.digests.as_flattened().to_vec()
    }

    /// Both lists in one.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.digests.extend(other.digests);
        Self::of(self.digests)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Whether a key is one of them. Lists have RSA keys alone.
    pub fn contains(&self, key: &PublicKey) -> bool {
        digest(key).is_some_and(|digest| self.digests.binary_search(&digest).is_ok())
    }

    fn of(mut digests: Vec<[u8; DIGEST_OCTETS]>) -> Self {
        digests.sort_unstable();
        digests.dedup();
        Self { digests }
    }
}

/// The end of the SHA-1 of `Modulus=`, the modulus in hexadecimal capitals, and a line feed.
fn digest(key: &PublicKey) -> Option<[u8; DIGEST_OCTETS]> {
    let (modulus, _) = key.rsa_numbers()?;
    let mut hash = Sha1::new();
    hash.update(b"Modulus=");
    for octet in modulus {
        hash.update([capital(octet >> 4), capital(octet & 15)]);
    }
    hash.update(b"\n");
    hash.finalize().last_chunk().copied()
}

/// A hexadecimal digit as a capital letter.
const fn capital(digit: u8) -> u8 {
    match digit {
        0..=9 => b'0' + digit,
        _ => b'A' + digit - 10,
    }
}

fn digest_of_hex(text: &str) -> Option<[u8; DIGEST_OCTETS]> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let octets: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect();
    octets.try_into().ok()
}

/// A list that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownWeakKeysError {
    /// Octets that end within a digest.
    Cut,
    /// No digest at all.
    Empty,
    /// A line with something else.
    Entry {
        /// The line, from 1.
        line: usize,
        /// What stands there, cut to 60 characters.
        entry: String,
    },
}

impl fmt::Display for KnownWeakKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the list of weak keys ends within a digest of 10 octets"),
            Self::Empty => f.write_str("the list of weak keys has no digest"),
            Self::Entry { line, entry } => {
                write!(f, "line {line} of the list of weak keys is {entry:?}, not 20 hexadecimal digits")
            }
        }
    }
}

impl core::error::Error for KnownWeakKeysError {}

/// Half a SHA-1, as the lists keep it.
const DIGEST_OCTETS: usize = 10;
