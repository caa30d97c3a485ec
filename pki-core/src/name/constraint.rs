//! Name constraints (RFC 5280 4.2.1.10): the names that may stand in certificates below a CA.
//!
//! Where a verifier could read a rule in two ways, the stricter one is taken: what is refused here may pass elsewhere,
//! never the other way round.

mod subtree;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use der::{Reader, SliceReader};

pub use self::subtree::{Domain, DomainScope, IpNetwork, Mailboxes, Subtree, SubtreeError};

use super::{AttributeType, DistinguishedName, GeneralName};
use crate::tlv::{self, Tlv};

/// The subtrees that a CA permits and those that it excludes.
///
/// A kind of name of which no subtree is permitted is not restricted, but for the excluded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// A kind of name that constraints speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// dNSName
    Dns,
    /// iPAddress
    Ip,
    /// rfc822Name
    Email,
    /// uniformResourceIdentifier
    Uri,
    /// directoryName: each subject that is not empty is one
    Directory,
}

/// The names in a certificate, as constraints look at them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentedNames<'a> {
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) alternative_names: &'a [GeneralName],
    pub(crate) common_name: CommonNameHost,
}

/// Whether a common name that is a host name counts as a DNS name. It does in end entities: some verifiers look there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommonNameHost {
    Regard,
    PassOver,
}

impl NameConstraints {
    /// Constraints of these subtrees.
    ///
    /// # Errors
    ///
    /// [`NameConstraintsError::Empty`] without any: the extension must say something (RFC 5280 4.2.1.10).
    pub fn new(permitted: Vec<Subtree>, excluded: Vec<Subtree>) -> Result<Self, NameConstraintsError> {
        if permitted.is_empty() && excluded.is_empty() {
            return Err(NameConstraintsError::Empty);
        }
        Ok(Self { permitted, excluded })
    }

    /// The same constraints, refusing DNS names, IP addresses, e-mail addresses and URIs wherever they permit none.
    ///
    /// Directory names stay as they are, since each subject is one. Texts are confined to the reserved domain
    /// `invalid` (RFC 6761 6.4), which nobody can have: verifiers disagree about empty subtrees of e-mail addresses
    /// and URIs. Addresses are excluded as a whole, of both families.
    #[must_use]
    pub fn refusing_other_kinds(mut self) -> Self {
        for kind in [NameKind::Dns, NameKind::Email, NameKind::Uri] {
            if !self.permitted.iter().any(|subtree| subtree.kind() == Some(kind)) {
                self.permitted.extend(Subtree::parse(kind, "invalid"));
            }
        }
        if !self.permitted.iter().any(|subtree| subtree.kind() == Some(NameKind::Ip)) {
            for all in ["0.0.0.0/0", "::/0"] {
                self.excluded.extend(Subtree::parse(NameKind::Ip, all));
            }
        }
        self
    }

    /// The permitted subtrees.
    pub fn permitted(&self) -> &[Subtree] {
        &self.permitted
    }

    /// The excluded subtrees.
    pub fn excluded(&self) -> &[Subtree] {
        &self.excluded
    }

    /// Subtrees of a form that cannot be evaluated here.
    pub fn unsupported(&self) -> impl Iterator<Item = &Subtree> {
        self.permitted.iter().chain(&self.excluded).filter(|subtree| subtree.kind().is_none())
    }

    /// Whether whatever these constraints let pass, `other` lets pass too, as far as their subtrees can tell: each
    /// permitted subtree lies in one that `other` permits, and each that `other` excludes lies in one excluded here.
    pub fn is_within(&self, other: &Self) -> bool {
        let kinds = [NameKind::Dns, NameKind::Ip, NameKind::Email, NameKind::Uri, NameKind::Directory];
        let of = |list: &[Subtree], kind| -> Vec<Subtree> {
            list.iter().filter(|subtree| subtree.kind() == Some(kind)).cloned().collect()
        };
        let permitted = kinds.into_iter().all(|kind| {
            let (ours, theirs) = (of(&self.permitted, kind), of(&other.permitted, kind));
            theirs.is_empty()
                || (!ours.is_empty() && ours.iter().all(|one| theirs.iter().any(|all| all.contains(one))))
        });
        permitted
            && other.excluded.iter().all(|theirs| self.excluded.iter().any(|ours| ours.contains(theirs)))
            && other.unsupported().count() == 0
    }

    /// RFC 5280 4.2.1.10 for each name of a certificate.
    pub(crate) fn permit(&self, names: &PresentedNames<'_>) -> Result<(), NameViolation> {
        for name in presented(names)? {
            let Some(kind) = name.kind() else { continue };
            let of_kind = |subtree: &&Subtree| subtree.kind() == Some(kind);
            let constrained = self.permitted.iter().chain(&self.excluded).any(|subtree| of_kind(&subtree));
            if !constrained {
                continue;
            }
            if let Presented::Unreadable(_, text, problem) = name {
                return Err(NameViolation { name: text, kind, fault: NameFault::Unreadable(problem) });
            }
            if let Some(subtree) = self.excluded.iter().find(|subtree| name.touches(subtree)) {
                let fault = NameFault::Excluded(subtree.clone());
                return Err(NameViolation { name: name.to_string(), kind, fault });
            }
            let mut permitted = self.permitted.iter().filter(of_kind).peekable();
            if permitted.peek().is_some() && !permitted.any(|subtree| name.lies_in(subtree)) {
                let permitted = self.permitted.iter().filter(of_kind).cloned().collect();
                let fault = NameFault::NotPermitted(permitted);
                return Err(NameViolation { name: name.to_string(), kind, fault });
            }
        }
        Ok(())
    }

    /// Appends the DER of NameConstraints.
    pub(crate) fn encode(&self, der: &mut Tlv) {
        let Self { permitted, excluded } = self;
        der.nest(tlv::SEQUENCE, |constraints| {
            for (tag, subtrees) in [(0, permitted), (1, excluded)] {
                if subtrees.is_empty() {
                    continue;
                }
                constraints.nest(tlv::context_constructed(tag), |list| {
                    for subtree in subtrees {
                        // `minimum` is its default, `maximum` is absent.
                        list.nest(tlv::SEQUENCE, |general| subtree.encode(general));
                    }
                });
            }
        });
    }

    /// Reads the DER of NameConstraints.
    pub(crate) fn read(value: &[u8]) -> Result<Self, NameConstraintsError> {
        let (permitted, excluded) = tlv::read_sequence(value, |reader| {
            let permitted = tlv::optional_context(reader, 0, true)?.map(read_subtrees).transpose()?;
            let excluded = tlv::optional_context(reader, 1, true)?.map(read_subtrees).transpose()?;
            Ok((permitted.unwrap_or_default(), excluded.unwrap_or_default()))
        })
        .map_err(|_| NameConstraintsError::Malformed)?;
        Self::new(permitted, excluded)
    }
}

fn read_subtrees(content: &[u8]) -> der::Result<Vec<Subtree>> {
    let mut reader = SliceReader::new(content)?;
    let mut subtrees = Vec::new();
    while !reader.is_finished() {
        let mut general = SliceReader::new(tlv::content_of(&mut reader, der::Tag::Sequence)?)?;
        let base = general.tlv_bytes()?;
        let minimum = tlv::optional_context(&mut general, 0, false)?;
        let maximum = tlv::optional_context(&mut general, 1, false)?;
        general.finish()?;
        // RFC 5280 4.2.1.10: minimum is zero and maximum is absent; anything else is a form of its own.
        let plain = minimum.is_none_or(|minimum| minimum == [0]) && maximum.is_none();
        subtrees.push(if plain { Subtree::read(base) } else { Subtree::Other(base.to_vec()) });
    }
    Ok(subtrees)
}

/// One name of a certificate, in the form in which it is compared.
enum Presented {
    /// Lower case, perhaps with `*` as its left-most label.
    Dns(String),
    Ip(core::net::IpAddr),
    /// Local part and host.
    Email(String, String),
    /// The host of a URI, and the URI.
    Uri(String, String),
    Directory(DistinguishedName),
    /// A name that its kind's constraints cannot be asked about, and why.
    Unreadable(NameKind, String, &'static str),
    /// A kind that no constraint here speaks of.
    Other,
}

/// Every name of a certificate: alternative names, the subject, e-mail addresses in it, and a host name as its common
/// name.
fn presented(names: &PresentedNames<'_>) -> Result<Vec<Presented>, NameViolation> {
    let PresentedNames { subject, alternative_names, common_name } = names;
    let mut all = Vec::new();
    for name in *alternative_names {
        all.push(match name {
            GeneralName::Dns(name) => Presented::Dns(name.as_str().to_string()),
            GeneralName::Ip(address) => Presented::Ip(*address),
            GeneralName::Email(email) => mailbox(email.as_str()),
            GeneralName::Uri(uri) => match host_of(uri.as_str()) {
                Ok(host) => Presented::Uri(host, uri.to_string()),
                // RFC 5280 4.2.1.10: where URIs are constrained, one without a fully qualified host is refused.
                Err(problem) => Presented::Unreadable(NameKind::Uri, name.to_string(), problem),
            },
            other => match other.directory_name() {
                Some(Ok(name)) => Presented::Directory(name),
                Some(Err(_)) => {
                    Presented::Unreadable(NameKind::Directory, name.to_string(), "it cannot be read")
                }
                None => Presented::Other,
            },
        });
    }
    if !subject.is_empty() {
        all.push(Presented::Directory((*subject).clone()));
    }
    // RFC 5280 4.2.1.10: e-mail addresses in the subject count as rfc822Names.
    all.extend(subject.values(AttributeType::EmailAddress).iter().map(|address| mailbox(address)));
    if *common_name == CommonNameHost::Regard {
        // RFC 6125 B.2, RFC 9525 1.5: verifiers that still look at the common name take it for a host name if it
        // looks like one, and constrain it as one. A name with a dot does.
        let hosts = subject.values(AttributeType::CommonName);
        all.extend(hosts.iter().filter_map(|text| host_like(text)).map(Presented::Dns));
        all.extend(hosts.iter().filter_map(|text| text.parse().ok()).map(Presented::Ip));
    }
    Ok(all)
}

fn mailbox(address: &str) -> Presented {
    match address.rsplit_once('@') {
        Some((local, host)) if !host.is_empty() && !local.is_empty() => {
            Presented::Email(local.to_string(), host.to_ascii_lowercase())
        }
        _ => {
            let text = alloc::format!("email:{address}");
            Presented::Unreadable(NameKind::Email, text, "it is no e-mail address")
        }
    }
}

/// The host of a URI as a DNS name in lower case.
fn host_of(uri: &str) -> Result<String, &'static str> {
    let after_scheme = uri.split_once(':').map_or("", |(_, rest)| rest);
    let Some(rest) = after_scheme.strip_prefix("//") else {
        return Err("a URI without a host is not accepted where URIs are constrained");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    match super::DnsName::parse(host) {
        // RFC 3986 3.2.2: what ends in a number is an address, whatever else it may look like.
        Ok(name)
            if name
                .as_str()
                .split('.')
                .next_back()
                .is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit())) =>
        {
            Err("a URI whose host is an IP address is not accepted where URIs are constrained")
        }
        Ok(name) if name.wildcard() == super::Wildcard::Absent => Ok(name.as_str().to_string()),
        Ok(_) => Err("a URI's host has no wildcard"),
        Err(super::DnsNameError::IpAddress { .. }) => {
            Err("a URI whose host is an IP address is not accepted where URIs are constrained")
        }
        Err(_) if host.starts_with('[') => {
            Err("a URI whose host is an IP address is not accepted where URIs are constrained")
        }
        Err(_) if host.is_empty() => Err("a URI without a host is not accepted where URIs are constrained"),
        Err(_) => Err("the URI's host is no DNS name"),
    }
}

/// A common name that some verifier takes for a host name, in lower case.
fn host_like(text: &str) -> Option<String> {
    let host = match super::DnsName::parse(text) {
        Ok(name) => name.as_str().to_string(),
        // Verifiers are more generous than host names: underscores, a final dot, addresses.
        Err(_) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*".contains(&b)) => {
            text.trim_end_matches('.').to_ascii_lowercase()
        }
        Err(_) => return None,
    };
    host.contains('.').then_some(host)
}

impl Presented {
    const fn kind(&self) -> Option<NameKind> {
        match self {
            Self::Dns(_) => Some(NameKind::Dns),
            Self::Ip(_) => Some(NameKind::Ip),
            Self::Email(..) => Some(NameKind::Email),
            Self::Uri(..) => Some(NameKind::Uri),
            Self::Directory(_) => Some(NameKind::Directory),
            Self::Unreadable(kind, ..) => Some(*kind),
            Self::Other => None,
        }
    }

    /// Whether the name, in each of its expansions, lies in the subtree.
    fn lies_in(&self, subtree: &Subtree) -> bool {
        match (self, subtree) {
            (Self::Dns(name), Subtree::Dns(domain)) => match name.strip_prefix("*.") {
                // Whatever stands for the star lies one level below the rest.
                Some(rest) => domain.has_below(rest),
                None => domain.has(name),
            },
            (name, subtree) => name.is_in(subtree),
        }
    }

    /// Whether the name, in any of its expansions, lies in the subtree.
    fn touches(&self, subtree: &Subtree) -> bool {
        match (self, subtree) {
            (Self::Dns(name), Subtree::Dns(domain)) => match name.strip_prefix("*.") {
                Some(rest) => domain.has_below(rest) || domain.is_one_below(rest),
                None => domain.has(name),
            },
            (name, subtree) => name.is_in(subtree),
        }
    }

    /// Names without expansions.
    fn is_in(&self, subtree: &Subtree) -> bool {
        match (self, subtree) {
            (Self::Ip(address), Subtree::Ip(network)) => network.has(*address),
            (Self::Email(local, host), Subtree::Email(mailboxes)) => mailboxes.has(local, host),
            (Self::Uri(host, _), Subtree::Uri(domain)) => domain.has(host),
            (Self::Directory(name), Subtree::Directory(base)) => name.begins_with(base),
            _ => false,
        }
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{name}"),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(local, host) => write!(f, "email:{local}@{host}"),
            Self::Uri(_, uri) => write!(f, "URI:{uri}"),
            Self::Directory(name) => write!(f, "dirName:{name}"),
            Self::Unreadable(_, text, _) => f.write_str(text),
            Self::Other => f.write_str("another name"),
        }
    }
}

impl NameKind {
    /// The kind in the plural, as a sentence has it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Dns => "DNS names",
            Self::Ip => "IP addresses",
            Self::Email => "e-mail addresses",
            Self::Uri => "URIs",
            Self::Directory => "subjects and directory names",
        }
    }
}

/// A name that constraints do not let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameViolation {
    /// The name, as `DNS:www.example.com`.
    pub name: String,
    /// Its kind.
    pub kind: NameKind,
    /// What is against it.
    pub fault: NameFault,
}

/// What constraints have against a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It lies in an excluded subtree, or one of its expansions does.
    Excluded(Subtree),
    /// It lies in none of the permitted subtrees of its kind.
    NotPermitted(Vec<Subtree>),
    /// It cannot be compared with them.
    Unreadable(&'static str),
}

impl fmt::Display for NameViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, fault } = self;
        match fault {
            NameFault::Excluded(subtree) => {
                write!(f, "{name} lies in the excluded {subtree}")
            }
            NameFault::NotPermitted(permitted) => {
                write!(f, "{name} is outside of the permitted {}: {}", kind.plural(), Subtrees(permitted))
            }
            NameFault::Unreadable(problem) => write!(f, "{name} cannot be compared: {problem}"),
        }
    }
}

/// Subtrees with commas between them.
pub(crate) struct Subtrees<'a>(pub(crate) &'a [Subtree]);

impl fmt::Display for Subtrees<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, subtree) in self.0.iter().enumerate() {
            f.write_str(if position > 0 { ", " } else { "" })?;
            f.write_str(&subtree.base())?;
        }
        Ok(())
    }
}

/// Name constraints that cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameConstraintsError {
    /// No subtree at all.
    Empty,
    /// Not the DER of NameConstraints.
    Malformed,
}

impl fmt::Display for NameConstraintsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "name constraints name at least one subtree (RFC 5280 4.2.1.10)",
            Self::Malformed => "the name constraints are not DER (RFC 5280 4.2.1.10)",
        })
    }
}

impl core::error::Error for NameConstraintsError {}

#[cfg(test)]
mod tests;
