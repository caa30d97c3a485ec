//! Identifiers that never change: names are labels, ids are what records refer to.

use core::fmt;
use core::str::FromStr;

use pki_core::random::{RandomError, SecureRandom};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh identifier.
            ///
            /// # Errors
            ///
            /// [`RandomError`] when the source of randomness fails.
            pub fn random(rng: &mut dyn SecureRandom) -> Result<Self, RandomError> {
                random_uuid(rng).map(Self)
            }

            /// An identifier that was made before.
            pub const fn from_bytes(octets: [u8; 16]) -> Self {
                Self(octets)
            }

            /// The 16 octets.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_groups(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_groups(text).map(Self).ok_or(IdError)
            }
        }
    )*};
}

identifiers! {
    /// One store, from its `init` on; a restored backup keeps it.
    StoreId;
    /// A mount: a named set of issuers, keys, roles and configuration.
    MountId;
    /// A private key and its public half.
    KeyId;
    /// An issuer: a CA certificate in a mount.
    IssuerId;
    /// A role. A role that is deleted and written again has another id.
    RoleId;
    /// A database account whose password is kept. One that is deleted and written again has another id.
    AccountId;
}

/// A text that is no identifier: 32 hexadecimal digits in groups of 8-4-4-4-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier is 32 hexadecimal digits in groups of 8-4-4-4-12")
    }
}

impl core::error::Error for IdError {}

/// 122 random bits, marked as RFC 9562 version 4, so that other tools accept them as UUIDs.
fn random_uuid(rng: &mut dyn SecureRandom) -> Result<[u8; 16], RandomError> {
    let mut octets = [0_u8; 16];
    rng.fill(&mut octets)?;
    let mut number = u128::from_be_bytes(octets);
    number &= !(0xf << 76 | 0x3 << 62);
    number |= 0x4 << 76 | 0x2 << 62;
    Ok(number.to_be_bytes())
}

fn write_groups(octets: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (position, octet) in octets.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{octet:02x}")?;
    }
    Ok(())
}

fn parse_groups(text: &str) -> Option<[u8; 16]> {
    let mut number = 0_u128;
    let mut digits = 0;
    for (position, character) in text.bytes().enumerate() {
        if matches!(position, 8 | 13 | 18 | 23) {
            if character != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(character).to_digit(16)?;
        number = number.checked_mul(16)? | u128::from(digit);
        digits += 1;
        if digits > 32 {
            return None;
        }
    }
    (digits == 32).then(|| number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;

    impl SecureRandom for Ones {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(0xff);
            Ok(())
        }
    }

    #[test]
    fn an_id_is_printed_in_groups_and_read_back() {
        let id = MountId::random(&mut Ones).unwrap();
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "ffffffffffff4fffbfffffffffffffff",
            "ffffffff-ffff-4fff-bfff-fffffffffff",
            "ffffffff-ffff-4fff-bfff-fffffffffffff",
            "fffffffff-fff-4fff-bfff-ffffffffffff",
            "gfffffff-ffff-4fff-bfff-ffffffffffff",
        ] {
            assert_eq!(text.parse::<RoleId>(), Err(IdError), "{text}");
        }
    }
}
