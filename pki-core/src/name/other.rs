//! otherName: a name of a kind that an object identifier tells (RFC 5280 4.2.1.6).

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::{Decode, Tag};

use crate::oid::Oid;
use crate::tlv::{self, Tlv};

/// An otherName whose value is a UTF8String, such as Microsoft's user principal name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherName {
    id: Oid,
    value: String,
}

impl OtherName {
    /// Reads `OID;utf8:VALUE`, as Vault writes it; `utf-8` and any letter case are the same.
    ///
    /// # Errors
    ///
    /// [`OtherNameError`] names the part that is missing or wrong.
    pub fn parse(text: &str) -> Result<Self, OtherNameError> {
        let (id, value) = Self::split(text)?;
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(OtherNameError::Value { text: text.to_owned() });
        }
        Ok(Self { id, value: value.to_owned() })
    }

    /// The identifier and what stands behind the type.
    pub(crate) fn split(text: &str) -> Result<(Oid, &str), OtherNameError> {
        let (id, rest) =
            text.split_once(';').ok_or_else(|| OtherNameError::Semicolon { text: text.to_owned() })?;
        let (kind, value) =
            rest.split_once(':').ok_or_else(|| OtherNameError::Colon { text: text.to_owned() })?;
        let kind = kind.trim();
        if !(kind.eq_ignore_ascii_case("utf8") || kind.eq_ignore_ascii_case("utf-8")) {
            return Err(OtherNameError::Type { text: text.to_owned(), kind: kind.to_owned() });
        }
        let id = id.trim().parse().map_err(|_| OtherNameError::Id { text: text.to_owned() })?;
        Ok((id, value))
    }

    /// What kind of name it is.
    pub const fn id(&self) -> Oid {
        self.id
    }

    /// The name itself.
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn encode(&self, der: &mut Tlv) {
        der.nest(tlv::context_constructed(0), |name| {
            name.oid(self.id.0).nest(tlv::context_constructed(0), |value| {
                value.value(tlv::UTF8_STRING, self.value.as_bytes());
            });
        });
    }

    /// Reads the content of an otherName; `None` for a value that is no UTF8String.
    pub(super) fn read(content: &[u8]) -> der::Result<Option<Self>> {
        tlv::read_all(content, |reader| {
            let id = Oid(ObjectIdentifier::decode(reader)?);
            let value = tlv::optional_context(reader, 0, true)?
                .ok_or_else(|| der::Error::from(Tag::Sequence.value_error()))?;
            let (tag, text) = tlv::read_all(value, |reader| tlv::any_of(reader))?;
            let text = if tag == Tag::Utf8String { core::str::from_utf8(text).ok() } else { None };
            // A value that could not have been asked for in words stays the octets it is.
            let text = text.filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
            Ok(text.map(|value| Self { id, value: value.to_owned() }))
        })
    }
}

/// `OID;utf8:VALUE`, as it is asked for.
impl fmt::Display for OtherName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};utf8:{}", self.id, self.value)
    }
}

/// A text that is no otherName.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherNameError {
    /// No `:` between type and value.
    Colon {
        /// The whole text.
        text: String,
    },
    /// What stands before the `;` is no object identifier.
    Id {
        /// The whole text.
        text: String,
    },
    /// No `;` between identifier and type.
    Semicolon {
        /// The whole text.
        text: String,
    },
    /// A type other than UTF8String.
    Type {
        /// The whole text.
        text: String,
        /// The type.
        kind: String,
    },
    /// A value that is empty or has control characters.
    Value {
        /// The whole text.
        text: String,
    },
}

impl fmt::Display for OtherNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Colon { text } => write!(f, "the other name {text:?} has no colon between type and value"),
            Self::Id { text } => {
                write!(f, "the other name {text:?} does not begin with an object identifier")
            }
            Self::Semicolon { text } => {
                write!(f, "the other name {text:?} has no semicolon between identifier and type")
            }
            Self::Type { text, kind } => {
                write!(f, "the other name {text:?} has the type {kind:?}; only utf8 is supported")
            }
            Self::Value { text } => {
                write!(f, "the other name {text:?} has no value, or one with control characters")
            }
        }
    }
}

impl core::error::Error for OtherNameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn what_is_an_other_name() {
        for text in ["1.3.6.1.4.1.311.20.2.3;utf8:devops@nope.com", "1.2.3;UTF-8:a;b:c", "2.5.4.3; utf8:x"] {
            let name = OtherName::parse(text).unwrap();
            assert_eq!(OtherName::parse(&name.to_string()), Ok(name), "{text}");
        }
        for (text, wrong) in [
            ("foobar", "Semicolon"),
            ("1.2.3;foobar", "Colon"),
            ("1.2.3;UTF2:d34e@foobar.com", "Type"),
            ("1.2.3;ia5:x", "Type"),
            ("1;utf8:x", "Id"),
            ("upn;utf8:x", "Id"),
            (";utf8:x", "Id"),
            ("1.2.3;utf8:", "Value"),
            ("1.2.3;utf8:a\nb", "Value"),
        ] {
            let error = OtherName::parse(text).unwrap_err();
            assert!(alloc::format!("{error:?}").starts_with(wrong), "{text}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn an_other_name_reads_back(arc in 0_u32..1000, value in "[^\\p{Cc}]{1,20}") {
            let name = OtherName::parse(&alloc::format!("1.3.6.1.{arc};utf8:{value}")).unwrap();
            let mut der = Tlv::new();
            name.encode(&mut der);
            let read = crate::name::GeneralName::read_all(&der.into_vec()).unwrap();
            prop_assert_eq!(read, [crate::name::GeneralName::OtherName(name)]);
        }
    }
}
