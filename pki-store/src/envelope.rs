//! Envelopes: secrets as they lie in the store, bound to the place where they lie.

use core::fmt;

/// A sealed secret: format, algorithm, data-key id, nonce, ciphertext. In a store without a seal the content is
/// in clear, in the same form.
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
