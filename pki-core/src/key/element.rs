//! DER elements, one after the other: what the encodings of keys are made of (X.690).

use alloc::vec::Vec;

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use zeroize::Zeroizing;

/// The elements of a DER encoding, read from the first to the last.
pub(crate) struct Elements<'a> {
    reader: SliceReader<'a>,
}

impl<'a> Elements<'a> {
    /// The elements of `octets`.
    pub(crate) fn new(octets: &'a [u8]) -> Option<Self> {
        let reader = SliceReader::new(octets).ok()?;
        Some(Self { reader })
    }

    /// The elements inside the one SEQUENCE that is all of `der`.
    pub(crate) fn of_sequence(der: &'a [u8]) -> Option<Self> {
        let mut outer = Self::new(der)?;
        let content = outer.next(Tag::Sequence)?;
        outer.finish()?;
        Self::new(content)
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn next(&mut self, tag: Tag) -> Option<&'a [u8]> {
        let element = self.next_any()?;
        (element.tag() == tag).then_some(element.value())
    }

    /// The content of the next element if it has this tag; otherwise nothing is consumed.
    pub(crate) fn next_if(&mut self, tag: Tag) -> Option<&'a [u8]> {
        let mut ahead = self.reader.clone();
        let element = AnyRef::decode(&mut ahead).ok()?;
        if element.tag() != tag {
            return None;
        }
        self.reader = ahead;
        Some(element.value())
    }

    /// The next element, whatever it is.
    pub(crate) fn next_any(&mut self) -> Option<AnyRef<'a>> {
        AnyRef::decode(&mut self.reader).ok()
    }

    /// Whether all has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.reader.is_finished()
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Option<()> {
        self.is_empty().then_some(())
    }
}

/// The magnitude of an INTEGER that is positive and as short as DER wants it (X.690 8.3.2), without a sign octet.
pub(crate) fn positive(content: &[u8]) -> Option<&[u8]> {
    match content {
        [] | [0] => None,
        [0, rest @ ..] => rest.first().filter(|first| **first & 0x80 != 0).map(|_| rest),
        [first, ..] => (first & 0x80 == 0).then_some(content),
    }
}

/// How many bits a magnitude has.
pub(crate) fn bits(magnitude: &[u8]) -> u32 {
    let octets = u32::try_from(magnitude.len()).unwrap_or(u32::MAX / 8);
    octets.saturating_mul(8) - magnitude.first().map_or(0, |first| first.leading_zeros())
}

/// One element made of `parts`, in a buffer of the exact length: a secret is not left behind by growth.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let significant = octets.iter().skip_while(|octet| **octet == 0);
    let mut der = Vec::with_capacity(length + 2 + octets.len());
    der.push(tag);
    if length < 0x80 {
        der.push(length as u8);
    } else {
        der.push(0x80 | significant.clone().count() as u8);
        der.extend(significant);
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    Zeroizing::new(der)
}

pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;
