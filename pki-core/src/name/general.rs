//! General names: what stands in a subject alternative name (RFC 5280 4.2.1.6).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::{Reader, SliceReader, Tag};

use super::{DistinguishedName, DnsName, DnsNameError, NameError, OtherName};
use crate::tlv::{self, Tlv};

/// A general name. The last kind is carried, never made up: its octets stay as they came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GeneralName {
    /// dNSName `[2]`
    Dns(DnsName),
    /// rfc822Name `[1]`
    Email(EmailAddress),
    /// iPAddress `[7]`: 4 or 16 octets
    Ip(IpAddr),
    /// uniformResourceIdentifier `[6]`
    Uri(Uri),
    /// otherName `[0]` with a UTF8String
    OtherName(OtherName),
    /// Any other kind (directoryName, registeredID, otherName with another value, ...) as its complete DER.
    Other(Vec<u8>),
}

impl GeneralName {
    /// Appends the name's DER.
    pub(crate) fn encode(&self, der: &mut Tlv) {
        match self {
            Self::OtherName(name) => name.encode(der),
            Self::Email(email) => {
                der.value(tlv::context(1), email.as_str().as_bytes());
            }
            Self::Dns(name) => {
                der.value(tlv::context(2), name.as_str().as_bytes());
            }
            Self::Uri(uri) => {
                der.value(tlv::context(6), uri.as_str().as_bytes());
            }
            Self::Ip(IpAddr::V4(address)) => {
                der.value(tlv::context(7), &address.octets());
            }
            Self::Ip(IpAddr::V6(address)) => {
                der.value(tlv::context(7), &address.octets());
            }
            Self::Other(octets) => {
                der.raw(octets);
            }
        }
    }

    /// Reads the content octets of GeneralNames.
    pub(crate) fn read_all(content: &[u8]) -> Result<Vec<Self>, GeneralNameError> {
        let mut reader = SliceReader::new(content).map_err(|_| GeneralNameError::Malformed)?;
        let mut names = Vec::new();
        while !reader.is_finished() {
            let whole = reader.tlv_bytes().map_err(|_| GeneralNameError::Malformed)?;
            let mut one = SliceReader::new(whole).map_err(|_| GeneralNameError::Malformed)?;
            let (tag, value) = tlv::any_of(&mut one).map_err(|_| GeneralNameError::Malformed)?;
            names.push(Self::read(tag, value, whole)?);
        }
        Ok(names)
    }

    /// The name in a directoryName `[4]`; `None` for another kind.
    pub(crate) fn directory_name(&self) -> Option<Result<DistinguishedName, NameError>> {
        let Self::Other(octets) = self else { return None };
        let name = tlv::read_all(octets, |reader| tlv::optional_context(reader, 4, true)).ok()??;
        Some(DistinguishedName::from_der(name))
    }

    fn read(tag: Tag, value: &[u8], whole: &[u8]) -> Result<Self, GeneralNameError> {
        let Tag::ContextSpecific { number, .. } = tag else {
            return Err(GeneralNameError::Malformed);
        };
        let text = || match core::str::from_utf8(value) {
            Ok(text) if text.is_ascii() => Ok(text),
            _ => Err(GeneralNameError::NotAscii),
        };
        match number.value() {
            1 => EmailAddress::parse(text()?).map(Self::Email).map_err(GeneralNameError::Email),
            2 => DnsName::parse(text()?).map(Self::Dns).map_err(GeneralNameError::Dns),
            6 => Uri::parse(text()?).map(Self::Uri).map_err(GeneralNameError::Uri),
            7 => match (<[u8; 4]>::try_from(value), <[u8; 16]>::try_from(value)) {
                (Ok(four), _) => Ok(Self::Ip(IpAddr::V4(Ipv4Addr::from(four)))),
                (_, Ok(sixteen)) => Ok(Self::Ip(IpAddr::V6(Ipv6Addr::from(sixteen)))),
                _ => Err(GeneralNameError::IpLength { octets: value.len() }),
            },
            0 => match OtherName::read(value).map_err(|_| GeneralNameError::Malformed)? {
                Some(name) => Ok(Self::OtherName(name)),
                None => Ok(Self::Other(whole.to_vec())),
            },
            3 | 4 | 5 | 8 => Ok(Self::Other(whole.to_vec())),
            _ => Err(GeneralNameError::Malformed),
        }
    }
}

/// `DNS:www.example.com`, `IP:10.0.0.1`, as OpenSSL prints them.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{name}"),
            Self::Email(email) => write!(f, "email:{email}"),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Uri(uri) => write!(f, "URI:{uri}"),
            Self::OtherName(name) => write!(f, "otherName:{name}"),
            Self::Other(octets) => {
                if let Some(Ok(name)) = self.directory_name() {
                    return write!(f, "dirName:{name}");
                }
                f.write_str("other:")?;
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// A general name that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralNameError {
    /// A dNSName that is no DNS name.
    Dns(DnsNameError),
    /// An rfc822Name that is no e-mail address.
    Email(EmailAddressError),
    /// An iPAddress of neither 4 nor 16 octets.
    IpLength {
        /// Its octets.
        octets: usize,
    },
    /// Not the DER of general names.
    Malformed,
    /// A text with characters beyond ASCII, which IA5String cannot hold.
    NotAscii,
    /// A uniformResourceIdentifier that is none.
    Uri(UriError),
}

impl fmt::Display for GeneralNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(error) => error.fmt(f),
            Self::Email(error) => error.fmt(f),
            Self::IpLength { octets } => {
                write!(f, "an IP address has 4 or 16 octets (RFC 5280 4.2.1.6), this one has {octets}")
            }
            Self::Malformed => f.write_str("the names are not DER GeneralNames (RFC 5280 4.2.1.6)"),
            Self::NotAscii => {
                f.write_str("a name has characters beyond ASCII (RFC 5280 4.2.1.6 wants IA5String)")
            }
            Self::Uri(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for GeneralNameError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Dns(error) => Some(error),
            Self::Email(error) => Some(error),
            Self::Uri(error) => Some(error),
            Self::IpLength { .. } | Self::Malformed | Self::NotAscii => None,
        }
    }
}

/// An e-mail address: an ASCII local part, `@`, a host name (RFC 5280 4.2.1.6, rfc822Name).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address. The host becomes a lower-case A-label; the local part stays as it is.
    ///
    /// # Errors
    ///
    /// [`EmailAddressError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let Some((local, host)) = text.split_once('@') else {
            return Err(EmailAddressError::NoAt { address: text.to_owned() });
        };
        if host.contains('@') {
            return Err(EmailAddressError::TwoAts { address: text.to_owned() });
        }
        // RFC 5321 4.1.2, Dot-string: atoms with single dots between them. Quoted strings are not accepted.
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        // RFC 5321 4.5.3.1.1: at most 64 octets.
        if local.len() > 64 || local.split('.').any(|part| part.is_empty() || !part.chars().all(atom)) {
            return Err(EmailAddressError::LocalPart { address: text.to_owned() });
        }
        let host = DnsName::parse(host).map_err(EmailAddressError::Host)?;
        if host.as_str().starts_with('*') {
            return Err(EmailAddressError::WildcardHost { address: text.to_owned() });
        }
        Ok(Self(alloc::format!("{local}@{host}")))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn host(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, host)| host)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.0)
    }
}

/// A text that is no e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailAddressError {
    /// The part after the `@` is no host name.
    Host(DnsNameError),
    /// The part before the `@` is empty, too long, or has characters that need quoting.
    LocalPart {
        /// The whole text.
        address: String,
    },
    /// There is no `@`.
    NoAt {
        /// The whole text.
        address: String,
    },
    /// There is more than one `@`.
    TwoAts {
        /// The whole text.
        address: String,
    },
    /// The host is a wildcard.
    WildcardHost {
        /// The whole text.
        address: String,
    },
}

impl fmt::Display for EmailAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => write!(f, "the host of an e-mail address is wrong: {error}"),
            Self::LocalPart { address } => write!(
                f,
                "the part before the @ of {address:?} is not 1 to 64 characters of letters, digits and inner dots"
            ),
            Self::NoAt { address } => write!(f, "{address:?} is no e-mail address: it has no @"),
            Self::TwoAts { address } => write!(f, "{address:?} is no e-mail address: it has more than one @"),
            Self::WildcardHost { address } => {
                write!(f, "{address:?}: an e-mail address has no wildcard host")
            }
        }
    }
}

impl core::error::Error for EmailAddressError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Host(error) => Some(error),
            _ => None,
        }
    }
}

/// An absolute URI in ASCII (RFC 3986 4.3; RFC 5280 4.2.1.6).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

impl Uri {
    /// Reads an absolute URI.
    ///
    /// # Errors
    ///
    /// [`UriError`] if it has no scheme, nothing behind the scheme, or characters that no URI has.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let error = |problem| Err(UriError { uri: text.to_owned(), problem });
        let Some((scheme, rest)) = text.split_once(':') else {
            return error("it has no scheme");
        };
        let mut letters = scheme.chars();
        // RFC 3986 3.1
        let scheme_ok = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !scheme_ok {
            return error("its scheme is not letters, digits, '+', '-' and '.'");
        }
        if rest.is_empty() || rest == "//" {
            return error("it has nothing after its scheme");
        }
        // RFC 3986 2: the reserved and unreserved characters, and '%'.
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
        if !rest.chars().all(allowed) {
            return error("it has characters that a URI must write as %XX");
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host between `//` and the path, without user and port; `None` where there is none (`urn:...`).
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once(':')?;
        // RFC 3986 3.2: an authority stands right behind the scheme, or there is none.
        let rest = rest.strip_prefix("//")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next()?,
            None => host.split(':').next()?,
        };
        if host.is_empty() { None } else { Some(host) }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.0)
    }
}

/// A text that is no absolute URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriError {
    uri: String,
    problem: &'static str,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an absolute URI: {}; one looks like https://ca.example/v1/pki/crl",
            self.uri, self.problem
        )
    }
}

impl core::error::Error for UriError {}

/// A text form of a general name's value alone, without its kind: what an index of names holds.
impl GeneralName {
    /// The value without the kind before it.
    pub fn value(&self) -> String {
        let text = self.to_string();
        text.split_once(':').map_or_else(String::new, |(_, value)| value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_names_read_back() {
        let names = [
            GeneralName::Dns(DnsName::parse("*.Example.com").unwrap()),
            GeneralName::Email(EmailAddress::parse("Ann.Lee@EXAMPLE.com").unwrap()),
            GeneralName::Ip("10.0.0.1".parse().unwrap()),
            GeneralName::Ip("2001:db8::1".parse().unwrap()),
            GeneralName::Uri(Uri::parse("spiffe://example.org/db").unwrap()),
        ];
        let mut der = Tlv::new();
        names.iter().for_each(|name| name.encode(&mut der));
        assert_eq!(GeneralName::read_all(&der.into_vec()).unwrap(), names);
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "DNS:*.example.com",
                "email:Ann.Lee@example.com",
                "IP:10.0.0.1",
                "IP:2001:db8::1",
                "URI:spiffe://example.org/db"
            ]
        );
        assert_eq!(names[0].value(), "*.example.com");
    }

    #[test]
    fn broken_names_are_refused() {
        for octets in [
            &b"\x82\x03a\0b"[..],
            b"\x82\x03a..",
            b"\x87\x03abc",
            b"\x81\x03a@@",
            b"\x86\x01a",
            b"\x82\x05a",
            b"\x04\x01a",
            b"\x89\x01a",
            b"\x82\x02\xc3\xbc",
        ] {
            assert!(GeneralName::read_all(octets).is_err(), "{octets:?}");
        }
    }

    #[test]
    fn what_is_an_email_address() {
        assert!(EmailAddress::parse("a.b+c@example.com").is_ok());
        for text in ["", "a", "@b.c", "a@", "a@b@c", "a..b@c.d", ".a@c.d", "a b@c.d", "a@*.c", "\u{fc}@c.d"] {
            assert!(EmailAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_a_uri() {
        for (text, host) in [
            ("https://ca.example/v1/pki/crl", Some("ca.example")),
            ("ldap://u@h.example:389/cn=x?y", Some("h.example")),
            ("http://[2001:db8::1]:80/", Some("2001:db8::1")),
            ("urn:uuid:0", None),
            ("urn:example:a://host.example/", None),
        ] {
            assert_eq!(Uri::parse(text).unwrap().host(), host);
        }
        for text in
            ["", "/path", "http:", "http://", "ht tp://a", "http://a b", "http://\u{fc}.example", "1a:b"]
        {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }
}
