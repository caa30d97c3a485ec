//! A mount's configuration: documents under keys such as `urls`.

use pki_core::time::UnixTime;

/// One document of a mount's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigRecord {
    /// Such as `urls`, `crl`.
    pub key: String,
    /// From 1, one more with each write.
    pub revision: u64,
    /// As the caller encoded it.
    pub json: Vec<u8>,
    /// When this revision was written.
    pub updated_at: UnixTime,
}
