//! Codes that show whether a row was edited.
//!
//! With a seal a code is HMAC-SHA256 under a key derived from the data key; without one it is a plain SHA-256,
//! which finds a broken disk but no careful editor. A code does not show that a whole row was put back to an
//! older state: the audit log does.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest, Sha256};

/// Two octets of data-key number (0: no seal), then the first 16 of the code.
pub(crate) type Code = [u8; 18];

/// A key for codes, or none.
#[derive(Clone)]
pub(crate) enum CodeKey {
    /// No seal.
    Plain,
    /// The inner and outer state of HMAC are computed once; a code costs what it hashes and two blocks.
    Keyed {
        /// The data key it is derived from.
        number: u16,
        /// Keyed, with nothing hashed.
        state: Hmac<Sha256>,
    },
}

impl CodeKey {
    pub(crate) fn keyed(number: u16, key: &[u8; 32]) -> Self {
        Self::Keyed { number, state: hmac(key) }
    }

    pub(crate) const fn is_keyed(&self) -> bool {
        matches!(self, Self::Keyed { .. })
    }

    /// All 32 octets, over two parts that say their own lengths.
    pub(crate) fn digest(&self, first: &[u8], second: &[u8]) -> [u8; 32] {
        match self {
            Self::Plain => Sha256::new().chain_update(first).chain_update(second).finalize().into(),
            Self::Keyed { state, .. } => {
                state.clone().chain_update(first).chain_update(second).finalize().into_bytes().into()
            }
        }
    }

    /// The code of a row.
    pub(crate) fn code(&self, fields: &[u8]) -> Code {
        let number = match self {
            Self::Plain => 0,
            Self::Keyed { number, .. } => *number,
        };
        let mut code = Code::default();
        let octets = number.to_be_bytes().into_iter().chain(self.digest(fields, &[]));
        for (to, from) in code.iter_mut().zip(octets) {
            *to = from;
        }
        code
    }

    /// Whether `code` is the row's. Takes the same time wherever they differ.
    pub(crate) fn fits(&self, fields: &[u8], code: &[u8]) -> bool {
        let wanted = self.code(fields);
        code.len() == wanted.len() && code.iter().zip(wanted).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// HMAC-SHA256 with a key of 32 octets.
pub(crate) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // A key of up to one block (64 octets) is padded with zeros: so it is here, and no length can be wrong.
    let mut block = [0_u8; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::new(&block.into())
}

/// A key for one purpose, derived from another key: HMAC-SHA256(key, purpose), one block of HKDF-Expand.
pub(crate) fn derive(key: &[u8; 32], purpose: &str) -> zeroize::Zeroizing<[u8; 32]> {
    zeroize::Zeroizing::new(hmac(key).chain_update(purpose).finalize().into_bytes().into())
}
