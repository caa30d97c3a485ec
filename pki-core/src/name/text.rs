//! Distinguished names as people write them: `C=DE, O=Example\, Inc., OU=A + OU=B`, in the order of the name.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{AttributeType, DistinguishedName, NameError};

impl DistinguishedName {
    /// Reads what [`Display`](fmt::Display) writes: attributes with commas between them, in the order of the name;
    /// `+` joins those of one RDN; `\` takes its meaning from the character behind it. An empty text is the empty name.
    ///
    /// # Errors
    ///
    /// [`NameTextError`] names the part that is no attribute.
    pub fn parse(text: &str) -> Result<Self, NameTextError> {
        if text.trim().is_empty() {
            return Ok(Self::empty());
        }
        let mut rdns = Vec::new();
        for rdn in split(text, ',') {
            let mut attributes = Vec::new();
            for attribute in split(rdn, '+') {
                let error = || NameTextError::Attribute { text: attribute.trim().to_owned() };
                let (kind, value) = attribute.split_once('=').ok_or_else(error)?;
                let kind = AttributeType::from_short_name(kind.trim()).ok_or_else(error)?;
                attributes.push((kind, unescape(value.trim()).ok_or_else(error)?));
            }
            rdns.push(attributes);
        }
        Self::new(rdns.iter().map(|rdn| rdn.iter().map(|(kind, value)| (*kind, value.as_str()))))
            .map_err(NameTextError::Value)
    }
}

impl AttributeType {
    /// The attribute of this short name, in any letter case.
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.short_name().eq_ignore_ascii_case(name))
    }
}

/// The parts between separators that no `\` stands before.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if c == separator && !escaped {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// RFC 4514 2.4, for what is not hexadecimal. `None` where nothing stands behind a `\`.
fn unescape(text: &str) -> Option<String> {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        value.push(if c == '\\' { characters.next()? } else { c });
    }
    Some(value)
}

/// A text that is no distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameTextError {
    /// A part that is not an attribute that names are made of here, `=`, and a value.
    Attribute {
        /// The part.
        text: String,
    },
    /// A value that its attribute cannot have.
    Value(NameError),
}

impl fmt::Display for NameTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute { text } => {
                write!(f, "{text:?} is no attribute of a name; one is")?;
                for (position, kind) in AttributeType::ALL.into_iter().enumerate() {
                    write!(f, "{}{}=", if position > 0 { ", " } else { " " }, kind.short_name())?;
                }
                f.write_str(" with a value")
            }
            Self::Value(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NameTextError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Value(error) => Some(error),
            Self::Attribute { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (text, wanted) in [
            ("C=DE, O=Example\\, Inc., OU=A + OU=B, CN=x", "C=DE, O=Example\\, Inc., OU=A + OU=B, CN=x"),
            ("c=de,cn=a=b", "C=de, CN=a=b"),
            ("", ""),
            ("O=a\\\\,CN=b", "O=a\\\\, CN=b"),
            ("O=a\\+b", "O=a\\+b"),
        ] {
            assert_eq!(DistinguishedName::parse(text).unwrap().to_string(), wanted);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["Example", "X=a", "C=DE,", "C=DE,,O=a", "O=", "C=Germany", "O=a\\", "=a", "O=a + b", ","]
        {
            let error = DistinguishedName::parse(text).unwrap_err();
            assert!(!error.to_string().is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(values in proptest::collection::vec("[^\\p{Cc}\\s]([^\\p{Cc}]{0,20}[^\\p{Cc}\\s])?", 1..4)) {
            let name = DistinguishedName::new(values.iter().map(|value| [(AttributeType::Organization, &**value)]));
            let name = name.unwrap();
            prop_assert_eq!(DistinguishedName::parse(&name.to_string()), Ok(name));
        }
    }
}
