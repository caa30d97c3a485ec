//! Tag, length, value: how DER is put together here.
//!
//! Reading goes through the `der` crate. What we sign has to repeat foreign parts (an issuer's name, a public key)
//! byte for byte, so writing appends octets to one buffer, and each constructed value gets its header once its
//! content is known.

use alloc::vec::Vec;

use der::{Decode, Reader, SliceReader, Tag};

use crate::time::{Civil, UnixTime};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A context-specific tag, primitive.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag, constructed.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// A buffer of DER that grows at its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tlv(Vec<u8>);

impl Tlv {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn with_capacity(octets: usize) -> Self {
        Self(Vec::with_capacity(octets))
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// Appends DER that is already complete.
    pub(crate) fn raw(&mut self, der: &[u8]) -> &mut Self {
        self.0.extend_from_slice(der);
        self
    }

    /// Appends one value with the given content octets.
    pub(crate) fn value(&mut self, tag: u8, content: &[u8]) -> &mut Self {
        let (header, length) = header(tag, content.len());
        self.0.extend_from_slice(header.get(..length).unwrap_or_default());
        self.0.extend_from_slice(content);
        self
    }

    /// Appends the identifier and length octets of a value of which `length` octets follow.
    pub(crate) fn header(&mut self, tag: u8, length: usize) -> &mut Self {
        let (header, used) = header(tag, length);
        self.raw(header.get(..used).unwrap_or_default())
    }

    /// Appends one value whose content `write` appends.
    pub(crate) fn nest(&mut self, tag: u8, write: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        write(self);
        let (header, length) = header(tag, self.0.len() - start);
        self.0.splice(start..start, header.into_iter().take(length));
        self
    }

    pub(crate) fn oid(&mut self, oid: const_oid::ObjectIdentifier) -> &mut Self {
        self.value(OID, oid.as_bytes())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.value(BOOLEAN, if value { &[0xff] } else { &[0x00] })
    }

    /// A non-negative INTEGER from big-endian octets, leading zeros allowed.
    pub(crate) fn unsigned(&mut self, tag: u8, octets: &[u8]) -> &mut Self {
        let start = octets.iter().position(|&octet| octet != 0).unwrap_or(octets.len());
        let digits = octets.get(start..).unwrap_or_default();
        match digits.first() {
            None => self.value(tag, &[0]),
            Some(first) if first & 0x80 != 0 => self.nest(tag, |content| {
                content.raw(&[0]).raw(digits);
            }),
            Some(_) => self.value(tag, digits),
        }
    }

    /// A BIT STRING of whole octets.
    pub(crate) fn bit_string(&mut self, octets: &[u8]) -> &mut Self {
        self.nest(BIT_STRING, |content| {
            content.raw(&[0]).raw(octets);
        })
    }

    /// RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
    pub(crate) fn time(&mut self, time: UnixTime) -> &mut Self {
        let text = time_text(time);
        // UTCTime's two digits of the year mean 1950 to 2049.
        if time.civil().year < 2050 {
            self.value(UTC_TIME, text.get(2..).unwrap_or_default())
        } else {
            self.value(GENERALIZED_TIME, &text)
        }
    }

    /// GeneralizedTime in the form of RFC 5280 4.1.2.5.2, in every year.
    pub(crate) fn generalized_time(&mut self, time: UnixTime) -> &mut Self {
        self.value(GENERALIZED_TIME, &time_text(time))
    }
}

/// YYYYMMDDHHMMSSZ.
fn time_text(time: UnixTime) -> [u8; 15] {
    let Civil { year, month, day, hour, minute, second } = time.civil();
    let mut text = [b'Z'; 15];
    let two = |value: u64| [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8];
    let parts = [two(year / 100), two(year), two(month), two(day), two(hour), two(minute), two(second)];
    for (to, from) in text.iter_mut().zip(parts.as_flattened()) {
        *to = *from;
    }
    text
}

/// How many identifier and length octets a value of `length` octets has.
pub(crate) fn header_length(length: usize) -> usize {
    header(SEQUENCE, length).1
}

/// The identifier and length octets of a value, and how many of the ten are used.
fn header(tag: u8, length: usize) -> ([u8; 10], usize) {
    let mut header = [0_u8; 10];
    let octets = (length as u64).to_be_bytes();
    let start = octets.iter().position(|&octet| octet != 0).unwrap_or(octets.len() - 1);
    let significant = octets.get(start..).unwrap_or_default();
    let prefix = [tag, 0x80 | significant.len() as u8];
    // X.690 8.1.3.4: the short form below 128.
    let prefix = if length < 0x80 { prefix.get(..1) } else { prefix.get(..2) }.unwrap_or_default();
    for (to, from) in header.iter_mut().zip(prefix.iter().chain(significant)) {
        *to = *from;
    }
    (header, prefix.len() + significant.len())
}

/// Runs `read` over all of `der`; trailing octets are an error.
pub(crate) fn read_all<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>,
) -> der::Result<T> {
    let mut reader = SliceReader::new(der)?;
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// The content of one SEQUENCE that is all of `der`.
pub(crate) fn read_sequence<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>,
) -> der::Result<T> {
    read_all(der, |reader| {
        let content = content_of(reader, Tag::Sequence)?;
        read_all(content, read)
    })
}

/// The content octets of the next value, which must have this tag.
pub(crate) fn content_of<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> der::Result<&'a [u8]> {
    let header = der::Header::decode(reader)?;
    header.tag().assert_eq(tag)?;
    reader.read_slice(header.length())
}

/// The next value's tag and content octets.
pub(crate) fn any_of<'a>(reader: &mut SliceReader<'a>) -> der::Result<(Tag, &'a [u8])> {
    let header = der::Header::decode(reader)?;
    Ok((header.tag(), reader.read_slice(header.length())?))
}

/// The content of the next value if it carries this context-specific tag.
pub(crate) fn optional_context<'a>(
    reader: &mut SliceReader<'a>,
    number: u32,
    constructed: bool,
) -> der::Result<Option<&'a [u8]>> {
    let wanted = Tag::ContextSpecific { constructed, number: der::TagNumber(number) };
    if reader.is_finished() || Tag::peek(reader)? != wanted {
        return Ok(None);
    }
    content_of(reader, wanted).map(Some)
}

/// Reads a UTCTime or GeneralizedTime in the form that RFC 5280 4.1.2.5 prescribes.
pub(crate) fn read_time(reader: &mut SliceReader<'_>) -> der::Result<UnixTime> {
    let tag = Tag::peek(reader)?;
    let duration = match tag {
        Tag::UtcTime => der::asn1::UtcTime::decode(reader)?.to_unix_duration(),
        _ => der::asn1::GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    UnixTime::from_secs(duration.as_secs()).ok_or_else(|| tag.value_error().into())
}

/// Reads a GeneralizedTime in the form that RFC 5280 4.1.2.5.2 prescribes.
pub(crate) fn read_generalized_time(reader: &mut SliceReader<'_>) -> der::Result<UnixTime> {
    Tag::peek(reader)?.assert_eq(Tag::GeneralizedTime)?;
    read_time(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        for (length, wanted) in [
            (0, &[0x30, 0x00][..]),
            (127, &[0x30, 0x7f]),
            (128, &[0x30, 0x81, 0x80]),
            (255, &[0x30, 0x81, 0xff]),
            (256, &[0x30, 0x82, 0x01, 0x00]),
            (65_536, &[0x30, 0x83, 0x01, 0x00, 0x00]),
        ] {
            let (header, used) = header(SEQUENCE, length);
            assert_eq!(&header[..used], wanted);
        }
    }

    #[test]
    fn times_change_their_form_in_2050() {
        let mut der = Tlv::new();
        der.time(UnixTime::from_secs(2_524_607_999).unwrap());
        der.time(UnixTime::from_secs(2_524_608_000).unwrap());
        der.time(UnixTime::MAX);
        assert_eq!(der.into_vec(), b"\x17\x0d491231235959Z\x18\x0f20500101000000Z\x18\x0f99991231235959Z");
    }

    #[test]
    fn integers_are_shortest_and_positive() {
        let mut der = Tlv::new();
        der.unsigned(INTEGER, &[0, 0]).unsigned(INTEGER, &[0, 0x80]).unsigned(INTEGER, &[0, 0x7f]);
        assert_eq!(der.into_vec(), [2, 1, 0, 2, 2, 0, 0x80, 2, 1, 0x7f]);
    }
}
