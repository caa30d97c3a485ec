//! Fields one after the other, in the one form that codes, chains and outcomes are computed over.
//!
//! Numbers are eight octets, big-endian; octet strings carry their length before them; what may be absent has
//! an octet before it. So two different rows never give the same octets.

use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

/// Fields being put together.
#[derive(Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    /// The fields of a row: a code that was computed for one table and row fits no other.
    pub(crate) fn row(table: &str, row: i64) -> Self {
        let mut fields = Self(Vec::with_capacity(512));
        fields.text(table).int(row);
        fields
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn number(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn large(&mut self, value: u128) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    pub(crate) fn tag(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// Octets whose number is always the same.
    pub(crate) fn fixed<const N: usize>(&mut self, value: &[u8; N]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn octets(&mut self, value: &[u8]) -> &mut Self {
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.octets(value.as_bytes())
    }

    pub(crate) fn time(&mut self, value: UnixTime) -> &mut Self {
        self.number(value.as_secs())
    }

    pub(crate) fn serial(&mut self, value: SerialNumber) -> &mut Self {
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    /// What may be absent, written by `put` if it is there.
    pub(crate) fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.flag(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Fields being taken apart. Whatever is malformed is `None`.
pub(crate) struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn int(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn large(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.array::<1>()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    pub(crate) fn octets(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        core::str::from_utf8(self.octets()?).ok().map(str::to_owned)
    }

    pub(crate) fn time(&mut self) -> Option<UnixTime> {
        self.number().and_then(UnixTime::from_secs)
    }

    pub(crate) fn serial(&mut self) -> Option<SerialNumber> {
        SerialNumber::from_be_bytes(&self.array::<{ SerialNumber::LENGTH }>()?).ok()
    }

    pub(crate) fn option<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { take(self).map(Some) } else { Some(None) }
    }

    /// Whether everything was read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
