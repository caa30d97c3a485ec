//! Serial numbers of certificates (RFC 5280 4.1.2.2).

use core::fmt;

use crate::random::{RandomError, SecureRandom};
use crate::time::UnixTime;

/// A certificate's serial number: positive, at most 20 octets (RFC 5280 4.1.2.2).
///
/// Kept as 20 octets, big-endian, with leading zeros; the top bit is never set, so the DER INTEGER needs no
/// further sign octet. Printed as lower-case hexadecimal with colons, without the leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber([u8; Self::LENGTH]);

impl SerialNumber {
    /// RFC 5280 4.1.2.2: "conforming CAs MUST NOT use serialNumber values longer than 20 octets".
    pub const LENGTH: usize = 20;

    /// A fresh serial: 31 bits of coarse time, then 128 random bits.
    ///
    /// The time (seconds / 2) makes a store's index grow at its end; it wraps after 136 years and adds nothing
    /// to uniqueness, which rests on the random bits alone. The leading four octets are never all zero, so each
    /// serial has the same length.
    ///
    /// # Errors
    ///
    /// [`RandomError`] when `rng` fails.
    pub fn random(rng: &mut dyn SecureRandom, now: UnixTime) -> Result<Self, RandomError> {
        let mut octets = [0_u8; Self::LENGTH];
        let (time, random) = octets.split_at_mut(4);
        rng.fill(random)?;
        let coarse = ((now.as_secs() / 2) & 0x7fff_ffff) as u32;
        time.copy_from_slice(&coarse.max(1).to_be_bytes());
        Ok(Self(octets))
    }

    /// A serial from the content octets of a DER INTEGER or any big-endian number.
    ///
    /// # Errors
    ///
    /// [`SerialNumberError`] if it is empty, zero, negative (top bit set without a leading zero octet), or
    /// longer than 20 octets.
    pub fn from_be_bytes(octets: &[u8]) -> Result<Self, SerialNumberError> {
        if octets.is_empty() {
            return Err(SerialNumberError::Empty);
        }
        if octets.first().is_some_and(|first| first & 0x80 != 0) {
            return Err(SerialNumberError::Negative);
        }
        let start = octets.iter().position(|&octet| octet != 0).ok_or(SerialNumberError::Zero)?;
        let significant = octets.get(start..).unwrap_or_default();
        // A value of 20 octets with its top bit set is a 21-octet INTEGER.
        let too_long = significant.len() > Self::LENGTH
            || (significant.len() == Self::LENGTH && significant.first().is_some_and(|f| f & 0x80 != 0));
        if too_long {
            return Err(SerialNumberError::TooLong { octets: significant.len() });
        }
        let mut padded = [0_u8; Self::LENGTH];
        for (to, from) in padded.iter_mut().rev().zip(significant.iter().rev()) {
            *to = *from;
        }
        Ok(Self(padded))
    }

    /// Reads the printed form: hexadecimal with `:`, `-`, or nothing between octets, in any letter case.
    ///
    /// # Errors
    ///
    /// [`SerialNumberError`] for anything else, or for a number that is no serial.
    pub fn parse(text: &str) -> Result<Self, SerialNumberError> {
        // An octet may stand as one digit between separators ("1:2" is 01 02), as Vault accepts.
        let mut octets = [0_u8; Self::LENGTH + 1];
        let mut length = 0;
        let mut push = |octet: u8| -> Result<(), SerialNumberError> {
            if length == 0 && octet == 0 {
                return Ok(());
            }
            *octets.get_mut(length).ok_or(SerialNumberError::TooLong { octets: length + 1 })? = octet;
            length += 1;
            Ok(())
        };
        let digit =
            |b: u8| char::from(b).to_digit(16).map(|d| d as u8).ok_or(SerialNumberError::NotHexadecimal);
        let text = text.trim();
        if text.is_empty() {
            return Err(SerialNumberError::Empty);
        }
        if text.contains([':', '-']) {
            for group in text.split([':', '-']) {
                match group.as_bytes() {
                    [low] => push(digit(*low)?)?,
                    [high, low] => push(digit(*high)? << 4 | digit(*low)?)?,
                    _ => return Err(SerialNumberError::NotHexadecimal),
                }
            }
        } else {
            let mut digits = text.as_bytes();
            if let ([first], true) = (digits.get(..1).unwrap_or_default(), digits.len() % 2 == 1) {
                push(digit(*first)?)?;
                digits = digits.get(1..).unwrap_or_default();
            }
            for pair in digits.chunks_exact(2) {
                if let [high, low] = pair {
                    push(digit(*high)? << 4 | digit(*low)?)?;
                }
            }
        }
        // A sign octet before them: what is printed is positive.
        match octets.get(..length) {
            Some(digits) if !digits.is_empty() => {
                let mut number = [0_u8; Self::LENGTH + 2];
                for (to, from) in number.iter_mut().rev().zip(digits.iter().rev()) {
                    *to = *from;
                }
                Self::from_be_bytes(&number)
            }
            _ => Err(SerialNumberError::Zero),
        }
    }

    /// All 20 octets, big-endian, with leading zeros.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The content octets of the DER INTEGER: shortest form, with a zero octet where the top bit is set.
    pub fn der_content(&self) -> &[u8] {
        let start = self.0.iter().position(|&octet| octet != 0).unwrap_or(0);
        let signed = self.0.get(start).is_some_and(|first| first & 0x80 != 0);
        // The top bit of all 20 octets is never set, so a set bit has an octet before it.
        self.0.get(if signed { start.saturating_sub(1) } else { start }..).unwrap_or(&self.0)
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.iter().position(|&octet| octet != 0).unwrap_or(0);
        for (position, octet) in self.0.iter().skip(start).enumerate() {
            if position > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// A number that is no serial (RFC 5280 4.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SerialNumberError {
    /// No digits at all.
    Empty,
    /// The encoded number is negative.
    Negative,
    /// A character that is neither a hexadecimal digit nor a separator, or a group of more than two digits.
    NotHexadecimal,
    /// More than 20 octets.
    TooLong {
        /// How many octets the number has.
        octets: usize,
    },
    /// Zero is not positive.
    Zero,
}

impl fmt::Display for SerialNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a serial number needs at least one octet"),
            Self::Negative => f.write_str("a serial number is positive (RFC 5280 4.1.2.2), this one is negative"),
            Self::NotHexadecimal => f.write_str(
                "a serial number is hexadecimal octets, with ':' or '-' or nothing between them, such as 3a:f1:07",
            ),
            Self::TooLong { octets } => {
                write!(f, "a serial number has at most 20 octets (RFC 5280 4.1.2.2), this one has {octets}")
            }
            Self::Zero => f.write_str("a serial number is positive (RFC 5280 4.1.2.2), this one is zero"),
        }
    }
}

impl core::error::Error for SerialNumberError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    struct Fixed(u8);

    impl SecureRandom for Fixed {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(self.0);
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn a_random_serial_is_positive_and_at_most_20_octets(seconds in 0..=UnixTime::MAX.as_secs(), octet: u8) {
            let now = UnixTime::from_secs(seconds).unwrap();
            let serial = SerialNumber::random(&mut Fixed(octet), now).unwrap();
            prop_assert!(serial.der_content().len() <= 20);
            prop_assert!(serial.der_content()[0] & 0x80 == 0);
            prop_assert!(serial.as_bytes().iter().any(|&o| o != 0));
            prop_assert_eq!(&serial.as_bytes()[4..], &[octet; 16]);
            prop_assert_eq!(SerialNumber::from_be_bytes(serial.der_content()), Ok(serial));
            prop_assert_eq!(SerialNumber::parse(&serial.to_string()), Ok(serial));
        }

        #[test]
        fn every_octet_string_is_a_serial_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..24)) {
            if let Ok(serial) = SerialNumber::from_be_bytes(&octets) {
                prop_assert_eq!(SerialNumber::from_be_bytes(serial.der_content()), Ok(serial));
                prop_assert_eq!(SerialNumber::parse(&serial.to_string().replace(':', "")), Ok(serial));
                prop_assert_eq!(SerialNumber::parse(&serial.to_string().to_uppercase().replace(':', "-")), Ok(serial));
            }
        }

        #[test]
        fn parse_never_panics(text in "\\PC{0,60}") {
            let _ = SerialNumber::parse(&text);
        }
    }

    #[test]
    fn what_is_no_serial_is_refused() {
        use SerialNumberError::{Empty, Negative, NotHexadecimal, TooLong, Zero};
        for (text, error) in [
            ("", Empty),
            ("0", Zero),
            ("00:00", Zero),
            ("1:22:333", NotHexadecimal),
            ("g1", NotHexadecimal),
            ("12::34", NotHexadecimal),
        ] {
            assert_eq!(SerialNumber::parse(text), Err(error), "{text}");
        }
        assert_eq!(SerialNumber::parse(&"ff".repeat(20)), Err(TooLong { octets: 20 }));
        assert_eq!(SerialNumber::parse(&"11".repeat(21)), Err(TooLong { octets: 21 }));
        assert_eq!(SerialNumber::from_be_bytes(&[0x80]), Err(Negative));
        assert_eq!(format!("{}", SerialNumber::parse("0A-b").unwrap()), "0a:0b");
        assert_eq!(SerialNumber::parse("abc").unwrap().to_string(), "0a:bc");
    }
}
