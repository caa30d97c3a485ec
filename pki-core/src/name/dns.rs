//! DNS names in certificates (RFC 5280 4.2.1.6; RFC 5890 for labels beyond ASCII).

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

/// A DNS name as a certificate holds it: lower-case A-labels, no final dot, perhaps `*` as its left-most label.
///
/// A label beyond ASCII is turned into its `xn--` form (RFC 5891 4.4) without further mapping: what is meant must
/// be what is written. Underscores are not letters of host names (RFC 1123 2.1) and are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

/// Whether a name stands for one host or for every host one level below a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcard {
    /// The left-most label is `*`.
    Present,
    /// No label is.
    Absent,
}

impl DnsName {
    /// RFC 1035 2.3.4: a label has at most 63 octets.
    pub const MAX_LABEL: usize = 63;
    /// RFC 1035 2.3.4: a name has at most 255 octets on the wire, which is 253 characters of text.
    pub const MAX_NAME: usize = 253;

    /// Reads a DNS name.
    ///
    /// # Errors
    ///
    /// [`DnsNameError`] names the part of the text that no DNS name can have.
    pub fn parse(text: &str) -> Result<Self, DnsNameError> {
        if text.is_empty() {
            return Err(DnsNameError::Empty);
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(DnsNameError::IpAddress { address: text.to_owned() });
        }
        if let Some(character) = text.chars().find(|c| c.is_control() || c.is_whitespace()) {
            return Err(DnsNameError::Character { name: text.to_owned(), character });
        }
        let mut name = String::with_capacity(text.len());
        for (position, label) in text.split('.').enumerate() {
            if position > 0 {
                name.push('.');
            }
            if label.contains('*') {
                if label != "*" || position > 0 {
                    return Err(DnsNameError::WildcardPlace { name: text.to_owned() });
                }
                name.push('*');
                continue;
            }
            push_label(&mut name, label, text)?;
        }
        if name == "*" {
            return Err(DnsNameError::WildcardPlace { name: text.to_owned() });
        }
        if name.len() > Self::MAX_NAME {
            return Err(DnsNameError::NameTooLong { octets: name.len() });
        }
        Ok(Self(name))
    }

    /// The name in lower-case ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the left-most label is `*`.
    pub fn wildcard(&self) -> Wildcard {
        if self.0.starts_with('*') { Wildcard::Present } else { Wildcard::Absent }
    }

    /// Whether `self` is `domain` or lies below it.
    pub fn is_within(&self, domain: &str) -> bool {
        self.0.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

fn push_label(name: &mut String, label: &str, text: &str) -> Result<(), DnsNameError> {
    if label.is_empty() {
        return Err(DnsNameError::EmptyLabel { name: text.to_owned() });
    }
    let start = name.len();
    if label.is_ascii() {
        name.extend(label.chars().map(|c| c.to_ascii_lowercase()));
        // RFC 5890 2.3.2.1: an A-label is "xn--" and valid Punycode.
        let encoded = name.get(start..).and_then(|label| label.strip_prefix("xn--"));
        if encoded
            .is_some_and(|encoded| idna::punycode::decode_to_string(encoded).is_none_or(|d| d.is_ascii()))
        {
            return Err(DnsNameError::BadALabel { label: label.to_owned() });
        }
    } else {
        // Case is folded as for ASCII, so that one name has one form.
        let lower: String = label.chars().flat_map(char::to_lowercase).collect();
        let encoded = idna::punycode::encode_str(&lower)
            .ok_or_else(|| DnsNameError::LabelTooLong { label: label.to_owned(), octets: label.len() })?;
        name.push_str("xn--");
        name.push_str(&encoded);
    }
    let octets = name.len() - start;
    if octets > DnsName::MAX_LABEL {
        return Err(DnsNameError::LabelTooLong { label: label.to_owned(), octets });
    }
    let encoded = name.get(start..).unwrap_or_default();
    if let Some(character) = encoded.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '-')) {
        return Err(DnsNameError::Character { name: text.to_owned(), character });
    }
    // RFC 1123 2.1: letters and digits at both ends of a label.
    if encoded.starts_with('-') || encoded.ends_with('-') {
        return Err(DnsNameError::Hyphen { label: label.to_owned() });
    }
    Ok(())
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DnsName({})", self.0)
    }
}

/// A text that is no DNS name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsNameError {
    /// A label starts with `xn--` but is not Punycode.
    BadALabel {
        /// The label.
        label: String,
    },
    /// A character that no host name has.
    Character {
        /// The whole name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// No characters at all.
    Empty,
    /// Two dots in a row, or a dot at an end.
    EmptyLabel {
        /// The whole name.
        name: String,
    },
    /// A label begins or ends with a hyphen.
    Hyphen {
        /// The label.
        label: String,
    },
    /// An IP address, which has its own kind of name.
    IpAddress {
        /// The address.
        address: String,
    },
    /// A label of more than 63 octets, counted after its conversion to ASCII.
    LabelTooLong {
        /// The label.
        label: String,
        /// Its octets.
        octets: usize,
    },
    /// A name of more than 253 octets.
    NameTooLong {
        /// Its octets.
        octets: usize,
    },
    /// A `*` that is not the whole of the left-most label, or more than one.
    WildcardPlace {
        /// The whole name.
        name: String,
    },
}

impl fmt::Display for DnsNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadALabel { label } => {
                write!(
                    f,
                    "the label {label:?} begins with xn-- but what follows is not Punycode (RFC 5890 2.3.2.1)"
                )
            }
            Self::Character { name, character } => write!(
                f,
                "the DNS name {name:?} contains {character:?}; host names have letters, digits, hyphens and dots only"
            ),
            Self::Empty => f.write_str("a DNS name is not empty"),
            Self::EmptyLabel { name } => {
                write!(f, "the DNS name {name:?} has an empty label: two dots in a row, or a dot at an end")
            }
            Self::Hyphen { label } => {
                write!(
                    f,
                    "the label {label:?} begins or ends with a hyphen, which host names may not (RFC 1123 2.1)"
                )
            }
            Self::IpAddress { address } => write!(f, "{address} is an IP address, not a DNS name"),
            Self::LabelTooLong { label, octets } => {
                write!(f, "the label {label:?} has {octets} octets, at most 63 are allowed (RFC 1035 2.3.4)")
            }
            Self::NameTooLong { octets } => {
                write!(f, "the DNS name has {octets} octets, at most 253 are allowed (RFC 1035 2.3.4)")
            }
            Self::WildcardPlace { name } => {
                write!(
                    f,
                    "the DNS name {name:?} has a wildcard that is not its whole left-most label, or more than one"
                )
            }
        }
    }
}

impl core::error::Error for DnsNameError {}

impl DnsNameError {
    /// What would be accepted, as the flag to use.
    pub fn remedy(&self) -> String {
        match self {
            Self::IpAddress { address } => alloc::format!("ask for it as an IP address: --ip-sans {address}"),
            Self::EmptyLabel { name } if name.ends_with('.') && !name.contains("..") => {
                alloc::format!("leave the final dot out: {}", name.trim_end_matches('.'))
            }
            Self::WildcardPlace { .. } => {
                "a wildcard is '*' alone as the left-most label, such as *.example.com (RFC 9525 6.3)"
                    .to_owned()
            }
            Self::LabelTooLong { .. } | Self::NameTooLong { .. } => {
                "shorten the name: 63 octets a label and 253 in all, counted in its ASCII form".to_owned()
            }
            _ => "give labels of letters, digits and inner hyphens with single dots between them, such as \
                  www.example.com"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_dns_name() {
        for (text, wanted) in [
            ("example.com", "example.com"),
            ("EXAMPLE.Com", "example.com"),
            ("localhost", "localhost"),
            ("*.example.com", "*.example.com"),
            ("a-b.c", "a-b.c"),
            ("1.2.3", "1.2.3"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("daɪˈɛrɨsɨs", "xn--darss-yyabcdefj4j"),
        ] {
            let name = DnsName::parse(text);
            if text == "daɪˈɛrɨsɨs" {
                assert!(name.unwrap().as_str().starts_with("xn--"));
            } else {
                assert_eq!(name.unwrap().as_str(), wanted);
            }
        }
    }

    #[test]
    fn what_is_none() {
        use DnsNameError as E;
        let long = "a".repeat(64);
        for (text, wrong) in [
            ("", "Empty"),
            ("a..b", "EmptyLabel"),
            (".a", "EmptyLabel"),
            ("a.", "EmptyLabel"),
            ("bücher..example", "EmptyLabel"),
            ("a.*.b", "WildcardPlace"),
            ("*.*.b", "WildcardPlace"),
            ("*", "WildcardPlace"),
            ("w*.b", "WildcardPlace"),
            ("10.0.0.1", "IpAddress"),
            ("::1", "IpAddress"),
            ("a\0b", "Character"),
            ("a b", "Character"),
            ("a_b", "Character"),
            ("a@b", "Character"),
            ("-a", "Hyphen"),
            ("a-.b", "Hyphen"),
            ("xn--.b", "BadALabel"),
            ("xn--99999999999.b", "BadALabel"),
            (long.as_str(), "LabelTooLong"),
            ("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü", "LabelTooLong"),
        ] {
            let error = DnsName::parse(text).unwrap_err();
            let debug = alloc::format!("{error:?}");
            assert!(debug.starts_with(wrong), "{text}: {debug}");
            assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
        }
        let long = alloc::vec!["abcdefgh"; 30].join(".");
        assert!(matches!(DnsName::parse(&long), Err(E::NameTooLong { octets: 269 })));
    }

    proptest! {
        #[test]
        fn a_name_reads_as_itself(text in "\\PC{0,40}") {
            if let Ok(name) = DnsName::parse(&text) {
                prop_assert_eq!(DnsName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().is_ascii());
            }
        }
    }
}
