//! DER values in place: what the lints look at. Nothing is copied, and nothing is taken from the reader that the rest of
//! the crate uses: a second opinion reads for itself.

/// One value: its identifier octet and its content octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

impl<'a> Value<'a> {
    /// The first value of `octets`, and what follows it. X.690 10.1: a definite length in its shortest form.
    pub(super) fn split(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = octets.split_first()?;
        // X.690 8.1.2.4: tag numbers above 30 stand in no structure here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = match octets {
                [one] if *one >= 0x80 => usize::from(*one),
                [high, low] if *high > 0 => usize::from(*high) << 8 | usize::from(*low),
                [a, b, c] if *a > 0 => usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c),
                [a, b, c, d] if *a > 0 => u32::from_be_bytes([*a, *b, *c, *d]) as usize,
                _ => return None,
            };
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, content }, rest))
    }

    /// The value that is all of `octets`.
    pub(super) fn only(octets: &'a [u8]) -> Option<Self> {
        match Self::split(octets)? {
            (value, []) => Some(value),
            _ => None,
        }
    }

    /// The values inside, if this one has the tag.
    pub(super) fn inside(self, tag: u8) -> Option<Values<'a>> {
        (self.tag == tag).then_some(Values(self.content))
    }

    /// The content, if the tag is this one.
    pub(super) fn of(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// Values one after another. What cannot be read ends the list: [`is_strict`] has been asked before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Values<'a>(pub(super) &'a [u8]);

impl<'a> Values<'a> {
    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The values inside the one SEQUENCE that is all of `octets`.
    pub(super) fn of_sequence(octets: &'a [u8]) -> Option<Self> {
        Value::only(octets)?.inside(SEQUENCE)
    }

    /// The content of the next value, if it has this tag; otherwise nothing is consumed.
    pub(super) fn next_if(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (value, rest) = Value::split(self.0)?;
        let content = value.of(tag)?;
        self.0 = rest;
        Some(content)
    }

    /// The next value with its header.
    pub(super) fn next_whole(&mut self) -> Option<&'a [u8]> {
        let (_, rest) = Value::split(self.0)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(whole)
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Option<()> {
        self.is_empty().then_some(())
    }

    /// Whether every value that follows has this tag.
    pub(super) fn all_are(mut self, tag: u8) -> bool {
        self.all(|value| value.tag == tag)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (value, rest) = Value::split(self.0)?;
        self.0 = rest;
        Some(value)
    }
}

/// Whether `octets` are values of DER, and so is everything in them: lengths, booleans, integers, bit strings and object
/// identifiers in their one form (X.690 8, 10 and 11). The inside of octet strings and of primitive context tags is not
/// looked at.
pub(super) fn is_strict(octets: &[u8]) -> bool {
    is_strict_at(octets, MAX_DEPTH)
}

fn is_strict_at(mut octets: &[u8], depth: u8) -> bool {
    while !octets.is_empty() {
        let Some((value, rest)) = Value::split(octets) else { return false };
        octets = rest;
        let holds = match value.tag {
            OID => is_oid(value.content),
            PRINTABLE_STRING | UTF8_STRING | IA5_STRING | OCTET_STRING | UTC_TIME | GENERALIZED_TIME => true,
            INTEGER | ENUMERATED => is_shortest_integer(value.content),
            BIT_STRING => is_bit_string(value.content),
            // X.690 11.1
            BOOLEAN => matches!(value.content, [0] | [0xff]),
            NULL => value.content.is_empty(),
            SEQUENCE | SET => depth > 0 && is_strict_at(value.content, depth - 1),
            tag if tag & CLASS == CONTEXT => {
                tag & CONSTRUCTED == 0 || depth > 0 && is_strict_at(value.content, depth - 1)
            }
            // X.690 8.1.3.6 ends an indefinite length, 10.2 forbids strings in pieces.
            tag => tag != 0 && tag & CLASS == 0 && tag & CONSTRUCTED == 0,
        };
        if !holds {
            return false;
        }
    }
    true
}

/// X.690 8.3.2: no octet that says nothing.
pub(super) const fn is_shortest_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [first, second, ..] => !matches!((*first, *second & 0x80), (0, 0) | (0xff, 0x80)),
        [_] => true,
    }
}

/// X.690 11.2.1: bits that are not used are zero.
const fn is_bit_string(content: &[u8]) -> bool {
    match content {
        [] => false,
        [unused] => *unused == 0,
        [unused, .., last] => *unused < 8 && *last & ((1_u16 << *unused) as u8).wrapping_sub(1) == 0,
    }
}

/// X.690 8.19.2: each arc in its shortest form, the last one complete.
fn is_oid(content: &[u8]) -> bool {
    let mut starts = true;
    for &octet in content {
        if starts && octet == 0x80 {
            return false;
        }
        starts = octet < 0x80;
    }
    !content.is_empty() && starts
}

pub(super) use crate::tlv::{
    BIT_STRING, BOOLEAN, ENUMERATED, GENERALIZED_TIME, IA5_STRING, INTEGER, OCTET_STRING, OID,
    PRINTABLE_STRING, SEQUENCE, SET, UTC_TIME, UTF8_STRING,
};
pub(super) const NULL: u8 = 0x05;
const CLASS: u8 = 0xc0;
const CONTEXT: u8 = 0x80;
const CONSTRUCTED: u8 = 0x20;
/// The deepest structure of a certificate, a distribution point with a directory name, has 9 levels.
const MAX_DEPTH: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form_for_each_value() {
        for (strict, octets, name) in [
            (true, &[0x30, 0x00][..], "an empty sequence"),
            (true, &[0x02, 0x01, 0x00], "zero"),
            (true, &[0x02, 0x02, 0x00, 0x80], "128"),
            (true, &[0x01, 0x01, 0xff], "true"),
            (true, &[0x03, 0x02, 0x07, 0x80], "one bit"),
            (true, &[0x06, 0x03, 0x55, 0x1d, 0x0f], "an object identifier"),
            (true, &[0xa0, 0x02, 0x05, 0x00], "a context tag around NULL"),
            (true, &[0x80, 0x01, 0xff], "a primitive context tag"),
            (false, &[0x30], "no length"),
            (false, &[0x30, 0x01], "cut off"),
            (false, &[0x30, 0x80, 0x00, 0x00], "an indefinite length"),
            (false, &[0x04, 0x81, 0x01, 0x00], "a long form below 128"),
            (false, &[0x04, 0x82, 0x00, 0x80], "a length with a leading zero"),
            (false, &[0x02, 0x00], "an integer of no octets"),
            (false, &[0x02, 0x02, 0x00, 0x7f], "an integer with a needless zero"),
            (false, &[0x02, 0x02, 0xff, 0x80], "an integer with a needless sign"),
            (false, &[0x01, 0x01, 0x01], "a boolean that is neither"),
            (false, &[0x03, 0x00], "a bit string without its count"),
            (false, &[0x03, 0x01, 0x01], "unused bits of nothing"),
            (false, &[0x03, 0x02, 0x08, 0x00], "eight unused bits"),
            (false, &[0x03, 0x02, 0x01, 0x01], "an unused bit that is set"),
            (false, &[0x05, 0x01, 0x00], "NULL with content"),
            (false, &[0x06, 0x00], "an object identifier of no arcs"),
            (false, &[0x06, 0x02, 0x55, 0x80], "an arc without end"),
            (false, &[0x06, 0x03, 0x55, 0x80, 0x01], "an arc with a leading zero"),
            (false, &[0x24, 0x02, 0x04, 0x00], "an octet string in pieces"),
            (false, &[0x1f, 0x81, 0x01, 0x00], "a tag number above 30"),
            (false, &[0x00, 0x00], "an end of contents"),
            (false, &[0x30, 0x03, 0x02, 0x01, 0x00, 0x05], "something cut off after it"),
        ] {
            assert_eq!(is_strict(octets), strict, "{name}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| {
            let mut octets = alloc::vec::Vec::new();
            for _ in 0..levels {
                let mut outer = crate::tlv::Tlv::new();
                outer.value(SEQUENCE, &octets);
                octets = outer.into_vec();
            }
            octets
        };
        assert!(is_strict(&nested(16)));
        assert!(!is_strict(&nested(18)));
        assert!(!is_strict(&nested(2_000)));
    }

    proptest! {
        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = is_strict(&octets);
            let mut rest = Values(&octets);
            while rest.next_whole().is_some() {}
        }
    }
}
