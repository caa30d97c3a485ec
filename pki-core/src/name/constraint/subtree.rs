//! One subtree of names: a domain, a network, mailboxes, the beginning of a directory name.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::{SliceReader, Tag};

use super::NameKind;
use crate::name::{DistinguishedName, DnsName, EmailAddress, Wildcard};
use crate::tlv::{self, Tlv};

/// A GeneralSubtree (RFC 5280 4.2.1.10).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subtree {
    /// `example.com` is the domain with all below it, `.example.com` what lies below, an empty text every name.
    Dns(Domain),
    /// A network.
    Ip(IpNetwork),
    /// One mailbox, those of a host, or those of all hosts below a domain.
    Email(Mailboxes),
    /// `example.com` is that host, `.example.com` every host below.
    Uri(Domain),
    /// Every name that begins with this one.
    Directory(DistinguishedName),
    /// A form that cannot be evaluated here, as the DER of its base.
    Other(Vec<u8>),
}

/// A domain and how much of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Lower case, without a dot in front; empty for the root of all names.
    name: String,
    scope: DomainScope,
}

/// How much of a domain is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainScope {
    /// The domain and all below it.
    Whole,
    /// What lies below it.
    Below,
    /// The host of this name.
    Host,
}

/// Which e-mail addresses are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailboxes {
    /// This one. The local part is compared letter by letter (RFC 5280 7.5).
    One {
        /// The part before the `@`.
        local: String,
        /// The host, in lower case.
        host: String,
    },
    /// Those of these hosts.
    Of(Domain),
}

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    prefix: u8,
}

impl Subtree {
    /// Reads a subtree as people write it: a domain, a network as `10.0.0.0/8`, a mailbox or the domain of one.
    /// Directory names have no such form: make them of a [`DistinguishedName`].
    ///
    /// # Errors
    ///
    /// [`SubtreeError`] says what would be accepted.
    pub fn parse(kind: NameKind, text: &str) -> Result<Self, SubtreeError> {
        let error = || SubtreeError { kind, text: text.to_owned() };
        match kind {
            NameKind::Dns => Domain::parse(text, DomainScope::Whole).map(Self::Dns).ok_or_else(error),
            NameKind::Uri => Domain::parse(text, DomainScope::Host).map(Self::Uri).ok_or_else(error),
            NameKind::Email => Mailboxes::parse(text).map(Self::Email).ok_or_else(error),
            NameKind::Ip => IpNetwork::parse(text).map(Self::Ip).ok_or_else(error),
            NameKind::Directory => Err(error()),
        }
    }

    /// The kind of names it is about; `None` for a form that cannot be evaluated.
    pub const fn kind(&self) -> Option<NameKind> {
        match self {
            Self::Dns(_) => Some(NameKind::Dns),
            Self::Ip(_) => Some(NameKind::Ip),
            Self::Email(_) => Some(NameKind::Email),
            Self::Uri(_) => Some(NameKind::Uri),
            Self::Directory(_) => Some(NameKind::Directory),
            Self::Other(_) => None,
        }
    }

    /// What it begins with, as people write it.
    pub fn base(&self) -> String {
        match self {
            Self::Dns(domain) | Self::Uri(domain) => domain.to_string(),
            Self::Ip(network) => network.to_string(),
            Self::Email(mailboxes) => mailboxes.to_string(),
            Self::Directory(name) => name.to_string(),
            Self::Other(octets) => octets.iter().map(|octet| alloc::format!("{octet:02x}")).collect(),
        }
    }

    /// Whether every name in `other` is in this one too.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dns(all), Self::Dns(part)) | (Self::Uri(all), Self::Uri(part)) => all.contains(part),
            (Self::Ip(all), Self::Ip(part)) => all.prefix <= part.prefix && all.has(part.address),
            (Self::Email(Mailboxes::Of(all)), Self::Email(Mailboxes::Of(part))) => all.contains(part),
            (Self::Email(all), Self::Email(Mailboxes::One { local, host })) => all.has(local, host),
            (Self::Directory(all), Self::Directory(part)) => part.begins_with(all),
            _ => self == other,
        }
    }

    pub(super) fn encode(&self, der: &mut Tlv) {
        match self {
            Self::Email(mailboxes) => der.value(tlv::context(1), mailboxes.to_string().as_bytes()),
            Self::Dns(domain) => der.value(tlv::context(2), domain.to_string().as_bytes()),
            // RFC 5280 4.2.1.6: Name is a CHOICE, so its tag is explicit.
            Self::Directory(name) => der.value(tlv::context_constructed(4), name.der()),
            Self::Uri(domain) => der.value(tlv::context(6), domain.to_string().as_bytes()),
            Self::Ip(network) => der.value(tlv::context(7), &network.octets()),
            Self::Other(octets) => der.raw(octets),
        };
    }

    /// Reads the base of a subtree; what cannot be evaluated is kept as it is.
    pub(super) fn read(base: &[u8]) -> Self {
        Self::read_known(base).unwrap_or_else(|| Self::Other(base.to_vec()))
    }

    fn read_known(base: &[u8]) -> Option<Self> {
        let mut reader = SliceReader::new(base).ok()?;
        let (tag, value) = tlv::any_of(&mut reader).ok()?;
        let Tag::ContextSpecific { number, constructed } = tag else { return None };
        let text = || core::str::from_utf8(value).ok().filter(|text| text.is_ascii());
        match (number.value(), constructed) {
            (1, false) => Self::parse(NameKind::Email, text()?).ok(),
            (2, false) => Self::parse(NameKind::Dns, text()?).ok(),
            (4, true) => DistinguishedName::from_der(value).ok().map(Self::Directory),
            (6, false) => Self::parse(NameKind::Uri, text()?).ok(),
            (7, false) => IpNetwork::from_octets(value).map(Self::Ip),
            _ => None,
        }
    }
}

impl Domain {
    /// `bare` is what a domain without a dot in front means.
    fn parse(text: &str, bare: DomainScope) -> Option<Self> {
        // An empty text is every DNS name; what it means for other kinds is said nowhere.
        if text.is_empty() {
            return (bare == DomainScope::Whole).then(|| Self { name: String::new(), scope: bare });
        }
        let (name, scope) = match text.strip_prefix('.') {
            Some(name) => (name, DomainScope::Below),
            None => (text, bare),
        };
        let name = DnsName::parse(name).ok().filter(|name| name.wildcard() == Wildcard::Absent)?;
        Some(Self { name: name.as_str().to_owned(), scope })
    }

    /// How much of the domain is meant.
    pub const fn scope(&self) -> DomainScope {
        self.scope
    }

    /// Whether the host lies in it.
    pub(super) fn has(&self, host: &str) -> bool {
        match self.scope {
            DomainScope::Host => host == self.name,
            DomainScope::Whole => host == self.name || self.has_under(host),
            DomainScope::Below => self.has_under(host),
        }
    }

    /// Whether each host one level below `domain` lies in it.
    pub(super) fn has_below(&self, domain: &str) -> bool {
        self.scope != DomainScope::Host && (domain == self.name || self.has_under(domain))
    }

    /// Whether it is itself one of the hosts one level below `domain`.
    pub(super) fn is_one_below(&self, domain: &str) -> bool {
        self.scope != DomainScope::Below && self.name.split_once('.').is_some_and(|(_, rest)| rest == domain)
    }

    fn has_under(&self, host: &str) -> bool {
        self.name.is_empty() || host.strip_suffix(&*self.name).is_some_and(|rest| rest.ends_with('.'))
    }

    fn contains(&self, part: &Self) -> bool {
        match part.scope {
            DomainScope::Host => self.has(&part.name),
            DomainScope::Below => self.has_below(&part.name),
            DomainScope::Whole => {
                self.has_below(&part.name) && (self.name.is_empty() || self.has(&part.name))
            }
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope == DomainScope::Below {
            f.write_str(".")?;
        }
        f.write_str(&self.name)
    }
}

impl Mailboxes {
    fn parse(text: &str) -> Option<Self> {
        if !text.contains('@') {
            return Domain::parse(text, DomainScope::Host).map(Self::Of);
        }
        let address = EmailAddress::parse(text).ok()?;
        let (local, host) = address.as_str().split_once('@')?;
        Some(Self::One { local: local.to_owned(), host: host.to_owned() })
    }

    pub(super) fn has(&self, local: &str, host: &str) -> bool {
        match self {
            Self::One { local: wanted, host: at } => local == wanted && host == at,
            Self::Of(domain) => domain.has(host),
        }
    }
}

impl fmt::Display for Mailboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One { local, host } => write!(f, "{local}@{host}"),
            Self::Of(domain) => domain.fmt(f),
        }
    }
}

impl IpNetwork {
    /// Reads `10.0.0.0/8` or `2001:db8::/32` (RFC 4632 3.1). Bits behind the prefix become zero.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        // Digits alone: no sign, no space.
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(address.parse().ok()?, prefix.parse().ok()?)
    }

    /// The network of an address, if the address has so many bits.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(v4) if prefix <= 32 => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask4(prefix))),
            IpAddr::V6(v6) if prefix <= 128 => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask6(prefix))),
            _ => return None,
        };
        Some(Self { address, prefix })
    }

    /// Whether the address lies in it. Addresses of the other family do not.
    pub fn has(&self, address: IpAddr) -> bool {
        Self::new(address, self.prefix).is_some_and(|network| network == *self)
    }

    /// Address and mask, as the extension holds them.
    fn octets(&self) -> Vec<u8> {
        match self.address {
            IpAddr::V4(v4) => [v4.octets(), mask4(self.prefix).to_be_bytes()].concat(),
            IpAddr::V6(v6) => [v6.octets(), mask6(self.prefix).to_be_bytes()].concat(),
        }
    }

    /// `None` for another length, or a mask that is no prefix: verifiers disagree about those.
    fn from_octets(octets: &[u8]) -> Option<Self> {
        let half = octets.len() / 2;
        let (address, mask) = octets.split_at_checked(half)?;
        if let (Ok(address), Ok(mask)) = (<[u8; 4]>::try_from(address), <[u8; 4]>::try_from(mask)) {
            let prefix = u32::from_be_bytes(mask).leading_ones() as u8;
            return Self::new(IpAddr::from(address), prefix).filter(|_| mask4(prefix).to_be_bytes() == mask);
        }
        let (address, mask) = (<[u8; 16]>::try_from(address).ok()?, <[u8; 16]>::try_from(mask).ok()?);
        let prefix = u128::from_be_bytes(mask).leading_ones() as u8;
        Self::new(IpAddr::from(address), prefix).filter(|_| mask6(prefix).to_be_bytes() == mask)
    }
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// `DNS:example.com`, as OpenSSL prints it.
impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Dns(_) => "DNS",
            Self::Ip(_) => "IP",
            Self::Email(_) => "email",
            Self::Uri(_) => "URI",
            Self::Directory(_) => "dirName",
            Self::Other(_) => "other",
        };
        write!(f, "{kind}:{}", self.base())
    }
}

/// A text that is no subtree of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubtreeError {
    kind: NameKind,
    text: String,
}

impl SubtreeError {
    /// What would be accepted.
    pub const fn remedy(&self) -> &'static str {
        match self.kind {
            NameKind::Dns => {
                "give a domain such as example.com, or .example.com for what lies below it alone"
            }
            NameKind::Ip => "give a network such as 10.0.0.0/8 or 2001:db8::/32",
            NameKind::Email => {
                "give a mailbox (ops@example.com), a host (example.com), or a domain's hosts (.example.com)"
            }
            NameKind::Uri => "give a host such as example.com, or .example.com for the hosts below it",
            NameKind::Directory => "give attributes in the order of the name, such as \"C=DE, O=Example\"",
        }
    }
}

impl fmt::Display for SubtreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no subtree of {}", self.text, self.kind.plural())
    }
}

impl core::error::Error for SubtreeError {}
