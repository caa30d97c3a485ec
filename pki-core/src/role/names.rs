//! Which names a role grants: the common name, then the alternative names kind by kind.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::addresses::Addresses;
use super::config::{Complaints, RoleConfig};
use super::domains::{Candidate, Domains};
use super::other_names::OtherNames;
use super::uris::Uris;
use crate::explain::{Inquiry, No, Remedy, RuleId, word};
use crate::identity::Identity;
use crate::issue::{AskedNames, CommonName, CommonNameInSans};
use crate::name::{AttributeType, DnsName, DnsNameError, EmailAddress, GeneralName};

/// The names of a role.
#[derive(Clone, Debug)]
pub(super) struct NamePolicy {
    common_names: CommonNameKinds,
    domains: Domains,
    addresses: Addresses,
    uris: Uris,
    other_names: OtherNames,
}

/// What a common name has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommonNameKinds {
    /// Anything: it is not looked at.
    Any,
    Only {
        email: Kind,
        hostname: Kind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Permit,
    Refuse,
}

/// The alternative name that a common name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DerivedName {
    /// None: it is other text, or is to stay in the subject alone.
    None,
    /// One about which the rules have been asked.
    Settled(GeneralName),
    /// One about which they have still to be asked.
    Open(GeneralName),
}

/// A requester's own entries of a role's lists.
pub(super) struct OwnEntries {
    domains: Vec<String>,
    uris: Vec<String>,
}

impl NamePolicy {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        Self {
            common_names: CommonNameKinds::accept(config, complaints),
            domains: Domains::accept(config, complaints),
            addresses: Addresses::accept(config, complaints),
            uris: Uris::accept(config, complaints),
            other_names: OtherNames::accept(config, complaints),
        }
    }

    /// The entries that the role's templates give for this requester.
    pub(super) fn own(&self, role: &RoleConfig, identity: Option<&Identity>) -> OwnEntries {
        OwnEntries { domains: self.domains.of(role, identity), uris: self.uris.of(role, identity) }
    }

    /// The rules about the common name, and the alternative name that it stands for.
    pub(super) fn ask_common_name(
        &self,
        role: &RoleConfig,
        own: &OwnEntries,
        names: &AskedNames,
        inquiry: &mut Inquiry,
    ) -> DerivedName {
        let AskedNames { common_name, common_name_in_sans, alternative_names, .. } = names;
        let text = common_name.as_ref().map_or("", CommonName::as_str);
        let value = || text.to_owned();
        let _ = inquiry.ask_because(
            RuleId::COMMON_NAME_REQUIRED,
            value,
            || common_name_required(role, common_name.as_ref()),
            |()| switch("require_cn", role.require_cn),
        );
        if common_name.is_none() {
            return DerivedName::None;
        }
        let _ = inquiry.ask(RuleId::COMMON_NAME_LENGTH, value, || common_name_length(text));
        if text.parse::<IpAddr>().is_ok() {
            let ip = || common_name_ip(text, alternative_names);
            // An address is no name of the other kinds, and those would only repeat that.
            if inquiry.ask(RuleId::COMMON_NAME_IP, value, ip).is_err() {
                return DerivedName::None;
            }
        }

        let dns = DnsName::parse(text);
        let email = EmailAddress::parse(text);
        if let CommonNameKinds::Only { .. } = self.common_names {
            let candidate = match (&dns, &email) {
                (Ok(name), _) => Candidate::of_dns(name),
                (_, Ok(email)) => Candidate::of_email(email),
                _ => Candidate::of_text(text),
            };
            self.domains.ask(role, &own.domains, &candidate, inquiry);
            let _ = inquiry.ask(RuleId::COMMON_NAME_KIND, value, || self.common_names.permit(role, text));
        }
        if *common_name_in_sans == CommonNameInSans::Exclude {
            return DerivedName::None;
        }
        let derived = match (dns, email) {
            (Ok(name), _) => GeneralName::Dns(name),
            (_, Ok(email)) => GeneralName::Email(email),
            (Err(dns), Err(email)) => {
                let in_sans = || common_name_in_sans_alike(text, &dns, &email);
                let _ = inquiry.ask(RuleId::COMMON_NAME_IN_SANS, value, in_sans);
                return DerivedName::None;
            }
        };
        match self.common_names {
            CommonNameKinds::Any => DerivedName::Open(derived),
            CommonNameKinds::Only { .. } => DerivedName::Settled(derived),
        }
    }

    /// The rules about every alternative name, kind by kind: DNS, e-mail, other names, IP, URI, the rest. Returns them
    /// in the order of the certificate: other names, DNS with the common name first, e-mail sorted, IP, URI, the rest.
    /// Names that were refused are among them: the inquiry knows which.
    pub(super) fn ask_alternative_names(
        &self,
        role: &RoleConfig,
        own: &OwnEntries,
        derived: DerivedName,
        asked: &[GeneralName],
        inquiry: &mut Inquiry,
    ) -> Vec<GeneralName> {
        let (mut dns, mut emails) = (Vec::new(), Vec::new());
        let derived = match derived {
            DerivedName::None => None,
            DerivedName::Settled(name) => Some(name),
            DerivedName::Open(name) => {
                self.ask_alternative_name(role, own, &name, inquiry);
                Some(name)
            }
        };
        match derived {
            Some(name @ GeneralName::Email(_)) => emails.push(name),
            name => dns.extend(name),
        }
        let mut take = |list: &mut Vec<GeneralName>, kind: fn(&GeneralName) -> bool| {
            for name in asked.iter().filter(|name| kind(name)) {
                if !list.contains(name) {
                    self.ask_alternative_name(role, own, name, inquiry);
                    list.push(name.clone());
                }
            }
        };
        take(&mut dns, |name| matches!(name, GeneralName::Dns(_)));
        take(&mut emails, |name| matches!(name, GeneralName::Email(_)));
        let mut names = Vec::new();
        take(&mut names, |name| matches!(name, GeneralName::OtherName(_)));
        let mut rest = Vec::new();
        take(&mut rest, |name| matches!(name, GeneralName::Ip(_)));
        take(&mut rest, |name| matches!(name, GeneralName::Uri(_)));
        take(&mut rest, |name| matches!(name, GeneralName::Other(_)));
        emails.sort();
        names.append(&mut dns);
        names.append(&mut emails);
        names.append(&mut rest);
        names
    }

    fn ask_alternative_name(
        &self,
        role: &RoleConfig,
        own: &OwnEntries,
        name: &GeneralName,
        inquiry: &mut Inquiry,
    ) {
        match name {
            GeneralName::Dns(name) => {
                self.domains.ask(role, &own.domains, &Candidate::of_dns(name), inquiry);
            }
            GeneralName::Email(email) => {
                self.domains.ask(role, &own.domains, &Candidate::of_email(email), inquiry);
            }
            GeneralName::OtherName(name) => self.other_names.ask(role, name, inquiry),
            GeneralName::Ip(address) => self.addresses.ask(role, *address, inquiry),
            GeneralName::Uri(uri) => self.uris.ask(role, &own.uris, uri, inquiry),
            GeneralName::Other(_) => {
                let because = |(): &()| switch("allow_other_san_kinds", role.allow_other_san_kinds);
                let allowed = || san_kind_allowed(role, name);
                let _ = inquiry.ask_because(RuleId::SAN_KIND, || name.to_string(), allowed, because);
            }
        }
    }
}

impl CommonNameKinds {
    fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        const EMAIL: &str = "email";
        const HOSTNAME: &str = "hostname";
        const DISABLED: &str = "disabled";
        let mut kinds: Vec<String> = Vec::new();
        for kind in &config.cn_validations {
            let kind = kind.trim().to_ascii_lowercase();
            let problem = if !matches!(kind.as_str(), EMAIL | HOSTNAME | DISABLED) {
                "is not a kind of common name"
            } else if kinds.contains(&kind) {
                "is there twice"
            } else {
                kinds.push(kind);
                continue;
            };
            complaints.add(
                "cn_validations",
                alloc::format!("{kind:?} {problem}"),
                "email, hostname, both, or disabled alone",
            );
        }
        if kinds.is_empty() {
            kinds = [EMAIL, HOSTNAME].map(ToOwned::to_owned).to_vec();
        }
        let among = |kind: &str| if kinds.iter().any(|k| k == kind) { Kind::Permit } else { Kind::Refuse };
        let policy = match (among(DISABLED), kinds.len()) {
            (Kind::Refuse, _) => Self::Only { email: among(EMAIL), hostname: among(HOSTNAME) },
            (Kind::Permit, 1) => Self::Any,
            (Kind::Permit, _) => {
                complaints.add(
                    "cn_validations",
                    "\"disabled\" stands beside another kind",
                    "email, hostname, both, or disabled alone",
                );
                Self::Any
            }
        };
        config.cn_validations = kinds;
        policy
    }

    /// The common name is of a kind that the role wants.
    fn permit(self, role: &RoleConfig, text: &str) -> Result<(), No> {
        let Self::Only { email, hostname } = self else {
            return Ok(());
        };
        let (verdict, kind, wanted) = if text.contains('@') {
            (email, "an e-mail address", "give a host name")
        } else {
            (hostname, "a host name", "give an e-mail address")
        };
        if verdict == Kind::Permit {
            return Ok(());
        }
        Err(No {
            rule: RuleId::COMMON_NAME_KIND,
            value: text.to_owned(),
            reason: alloc::format!(
                "the common name {text:?} is {kind}, and this role takes {} alone",
                role.cn_validations.join(", ")
            ),
            remedy: Remedy::Either {
                role: "--cn-validations email,hostname".to_owned(),
                request: alloc::format!("{wanted} as the common name"),
            },
        })
    }
}

/// A switch of a role as its trace shows it.
pub(super) fn switch(field: &str, value: bool) -> String {
    alloc::format!("{field} is {value}")
}

fn common_name_required(role: &RoleConfig, common_name: Option<&CommonName>) -> Result<(), No> {
    if common_name.is_some() || !role.require_cn {
        return Ok(());
    }
    Err(No {
        rule: RuleId::COMMON_NAME_REQUIRED,
        value: String::new(),
        reason: "this role requires a common name, and the request has none".to_owned(),
        remedy: Remedy::Either {
            role: "--require-cn=false".to_owned(),
            request: "give one: --common-name NAME, or in the CSR where the role uses it".to_owned(),
        },
    })
}

/// RFC 5280 appendix A.1, ub-common-name.
fn common_name_length(text: &str) -> Result<(), No> {
    let limit = AttributeType::CommonName.max_characters();
    let characters = text.chars().count();
    if characters <= limit {
        return Ok(());
    }
    Err(No {
        rule: RuleId::COMMON_NAME_LENGTH,
        value: text.to_owned(),
        reason: alloc::format!(
            "the common name {text:?} has {characters} characters, at most {limit} are allowed (RFC 5280 appendix A.1)"
        ),
        // A change of the role alone would not help: the name has to be asked for in another way.
        remedy: Remedy::Request(alloc::format!(
            "ask for it as an alternative name alone: --alt-names {}, without a common name (--require-cn=false in the role)",
            word(text)
        )),
    })
}

/// A common name that is an IP address stands for an iPAddress, never for a dNSName.
fn common_name_ip(text: &str, alternative_names: &[GeneralName]) -> Result<(), No> {
    let asked_too = |address| alternative_names.contains(&GeneralName::Ip(address));
    if text.parse::<IpAddr>().is_ok_and(asked_too) {
        return Ok(());
    }
    Err(No {
        rule: RuleId::COMMON_NAME_IP,
        value: text.to_owned(),
        reason: alloc::format!(
            "the common name {text} is an IP address, which verifiers look for among the IP SANs"
        ),
        remedy: Remedy::Request(alloc::format!("ask for it as an IP address too: --ip-sans {text}")),
    })
}

/// A common name that looks like a name of a host or a mailbox and is none would be missing among the alternative names
/// without a word.
fn common_name_in_sans_alike(
    text: &str,
    dns: &DnsNameError,
    email: &impl core::fmt::Display,
) -> Result<(), No> {
    let problem = if text.contains('@') {
        email.to_string()
    } else if text.contains("..") || text.starts_with('.') {
        DnsNameError::EmptyLabel { name: text.to_owned() }.to_string()
    } else {
        match dns {
            DnsNameError::EmptyLabel { .. } | DnsNameError::BadALabel { .. } => dns.to_string(),
            DnsNameError::LabelTooLong { .. } if text.contains('.') => dns.to_string(),
            // Other text stays in the subject.
            _ => return Ok(()),
        }
    };
    Err(No {
        rule: RuleId::COMMON_NAME_IN_SANS,
        value: text.to_owned(),
        reason: alloc::format!("the common name {text:?} cannot be an alternative name: {problem}"),
        remedy: Remedy::Request(
            "correct it, or keep it in the subject alone: --exclude-cn-from-sans".to_owned(),
        ),
    })
}

/// Names of kinds that no other rule speaks of are kept only where the role says so.
fn san_kind_allowed(role: &RoleConfig, name: &GeneralName) -> Result<(), No> {
    if role.allow_other_san_kinds {
        return Ok(());
    }
    Err(No {
        rule: RuleId::SAN_KIND,
        value: name.to_string(),
        reason: alloc::format!("the alternative name {name} is of a kind that this role does not allow"),
        remedy: Remedy::Either {
            role: "--allow-other-san-kinds".to_owned(),
            request: "ask for DNS names, e-mail addresses, IP addresses, URIs or other names of text only"
                .to_owned(),
        },
    })
}
