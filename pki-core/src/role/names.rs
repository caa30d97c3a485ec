//! Which names a role grants. One function for each rule; comparisons are without regard to letter case.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::config::RoleConfig;
use crate::explain::{Inquiry, No, Remedy, RuleId, word};
use crate::issue::{AskedNames, CommonName, CommonNameInSans};
use crate::name::{AttributeType, DnsName, DnsNameError, EmailAddress, GeneralName, Uri};

/// The names of a role in the form in which they are compared: lower case, A-labels.
#[derive(Clone, Debug)]
pub(super) struct NamePolicy {
    domains: Vec<String>,
}

impl NamePolicy {
    pub(super) fn accept(config: &mut RoleConfig) -> Self {
        config.allowed_domains.retain(|domain| !domain.is_empty());
        let domains = config.allowed_domains.iter().map(|domain| comparable(domain)).collect();
        Self { domains }
    }

    /// Asks every rule about every name, the common name first, and returns the alternative names in the order of the
    /// certificate: DNS, e-mail, IP, URI. Names that were refused are among them: the inquiry knows which.
    pub(super) fn permit(
        &self,
        role: &RoleConfig,
        asked: &AskedNames,
        inquiry: &mut Inquiry,
    ) -> Vec<GeneralName> {
        let AskedNames { common_name, common_name_in_sans, alternative_names } = asked;
        let mut dns: Vec<GeneralName> = Vec::new();
        let mut emails: Vec<GeneralName> = Vec::new();
        let mut addresses: Vec<GeneralName> = Vec::new();
        let mut uris: Vec<GeneralName> = Vec::new();

        let text = || common_name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
        let required = || common_name_required(role, common_name.as_ref());
        let _ = inquiry.ask_because(RuleId::COMMON_NAME_REQUIRED, text, required, |()| {
            switch("require_cn", role.require_cn)
        });
        if let Some(common_name) = common_name {
            let _ = inquiry.ask(RuleId::COMMON_NAME_LENGTH, text, || common_name_length(common_name));
            let derived = self.permit_common_name(role, common_name, alternative_names, inquiry);
            if *common_name_in_sans == CommonNameInSans::Include {
                match derived {
                    Some(name @ GeneralName::Dns(_)) => dns.push(name),
                    Some(name) => emails.push(name),
                    None => {}
                }
            }
        }
        for name in alternative_names {
            let list = match name {
                GeneralName::Dns(dns_name) => {
                    self.permit_name(role, &Candidate::of_dns(dns_name), inquiry);
                    &mut dns
                }
                GeneralName::Email(email) => {
                    self.permit_name(role, &Candidate::of_email(email), inquiry);
                    &mut emails
                }
                GeneralName::Ip(address) => {
                    let allowed = || ip_allowed(role, *address);
                    let because = |(): &()| switch("allow_ip_sans", role.allow_ip_sans);
                    let _ = inquiry.ask_because(RuleId::IP_ALLOWED, || name.value(), allowed, because);
                    &mut addresses
                }
                GeneralName::Uri(uri) => {
                    let allowed = || uri_allowed(role, uri);
                    let because = |pattern: &&str| alloc::format!("allowed_uri_sans has {pattern}");
                    let _ = inquiry.ask_because(RuleId::URI_ALLOWED, || name.value(), allowed, because);
                    &mut uris
                }
                GeneralName::Other(_) => {
                    let _ =
                        inquiry.ask(RuleId::OTHER_NAME_ALLOWED, || name.value(), || other_name_allowed(name));
                    continue;
                }
            };
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
        emails.sort();
        dns.append(&mut emails);
        dns.append(&mut addresses);
        dns.append(&mut uris);
        dns
    }

    /// A common name: a host name, an e-mail address, or, where the role does not enforce host names, any text. Returns
    /// the alternative name that it stands for.
    fn permit_common_name(
        &self,
        role: &RoleConfig,
        common_name: &CommonName,
        alternative_names: &[GeneralName],
        inquiry: &mut Inquiry,
    ) -> Option<GeneralName> {
        let text = common_name.as_str();
        let value = || text.to_owned();
        if text.parse::<IpAddr>().is_ok() {
            let ip = || common_name_ip(text, alternative_names);
            // An address is no name of the other kinds, and those would only repeat that.
            inquiry.ask(RuleId::COMMON_NAME_IP, value, ip).ok()?;
        }
        if let Ok(name) = DnsName::parse(text) {
            self.permit_name(role, &Candidate::of_dns(&name), inquiry);
            return Some(GeneralName::Dns(name));
        }
        if let Ok(email) = EmailAddress::parse(text) {
            self.permit_name(role, &Candidate::of_email(&email), inquiry);
            return Some(GeneralName::Email(email));
        }
        self.permit_name(role, &Candidate::of_text(text), inquiry);
        None
    }

    /// The rules about one DNS name, e-mail address or other text, in order.
    fn permit_name(&self, role: &RoleConfig, name: &Candidate<'_>, inquiry: &mut Inquiry) {
        let value = || name.text.clone();
        if name.text.matches('@').count() > 1 {
            let _ = inquiry.ask(RuleId::NAME_HOSTNAME, value, || one_at_sign(name));
            return;
        }
        let reduced = name.reduced();
        if reduced.wildcard.is_some() {
            let allowed = || wildcard_allowed(role, name);
            let because = |(): &()| switch("allow_wildcard_certificates", role.allow_wildcard_certificates);
            let _ = inquiry.ask_because(RuleId::NAME_WILDCARD, value, allowed, because);
            let place = || wildcard_place(name, &reduced);
            if inquiry.ask(RuleId::NAME_WILDCARD_PLACE, value, place).is_err() {
                return;
            }
        }
        if role.enforce_hostnames {
            let _ = inquiry.ask(RuleId::NAME_HOSTNAME, value, || hostname(name, &reduced));
        }
        let allowed = || self.allowed(role, name, &reduced);
        let _ = inquiry.ask_because(RuleId::NAME_DOMAIN, value, allowed, ToString::to_string);
    }

    /// The name is one of those that the role allows, and by which of its fields.
    fn allowed(
        &self,
        role: &RoleConfig,
        name: &Candidate<'_>,
        reduced: &Reduced<'_>,
    ) -> Result<Ground<'_>, No> {
        if role.allow_any_name {
            return Ok(Ground { field: "allow_any_name", domain: None });
        }
        if localhost(role, name, reduced) {
            return Ok(Ground { field: "allow_localhost", domain: None });
        }
        self.domains
            .iter()
            .find_map(|domain| {
                let field = within(role, domain, name, reduced)?;
                Some(Ground { field, domain: Some(domain) })
            })
            .ok_or_else(|| self.not_allowed(role, name, reduced))
    }

    /// The refusal, with the nearest change of the role that would permit the name.
    fn not_allowed(&self, role: &RoleConfig, name: &Candidate<'_>, reduced: &Reduced<'_>) -> No {
        let would = |change: fn(&mut RoleConfig)| {
            let mut changed = RoleConfig { allowed_domains: Vec::new(), ..role.clone() };
            change(&mut changed);
            localhost(&changed, name, reduced)
                || self.domains.iter().any(|domain| within(&changed, domain, name, reduced).is_some())
        };
        let single: [(Change, &str, &str); 4] = [
            (|r| r.allow_bare_domains = true, "--allow-bare-domains", "it is a bare domain of this role"),
            (|r| r.allow_subdomains = true, "--allow-subdomains", "it lies below a domain of this role"),
            (|r| r.allow_glob_domains = true, "--allow-glob-domains", "it matches a pattern of this role"),
            (|r| r.allow_localhost = true, "--allow-localhost", "it is this host's own name"),
        ];
        let nearest = single.into_iter().find(|(change, _, _)| would(*change));
        let (because, flags) = match nearest {
            Some((_, flag, because)) => (because, flag.to_owned()),
            None => {
                let mut domains = role.allowed_domains.clone();
                domains.push(name.text.clone());
                ("it is in none of the role's domains", {
                    alloc::format!("--allowed-domains {} --allow-bare-domains", word(&domains.join(",")))
                })
            }
        };
        No {
            rule: RuleId::NAME_DOMAIN,
            value: name.text.clone(),
            reason: alloc::format!("{} {:?} is not allowed by this role: {because}", name.kind, name.text),
            remedy: Remedy::Role(flags),
        }
    }
}

/// What in the role allows a name.
struct Ground<'a> {
    field: &'static str,
    domain: Option<&'a str>,
}

impl fmt::Display for Ground<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain {
            Some(domain) => write!(f, "{} with {domain} of allowed_domains", self.field),
            None => write!(f, "{} is true", self.field),
        }
    }
}

/// A switch of a role as its trace shows it.
fn switch(field: &str, value: bool) -> String {
    alloc::format!("{field} is {value}")
}

/// A change of a role's switches.
type Change = fn(&mut RoleConfig);

/// A name under question, in comparable form.
struct Candidate<'a> {
    kind: &'static str,
    text: String,
    /// What stands after the `@` of an e-mail address, else the whole text.
    host: &'a str,
    /// The host in comparable form.
    comparable_host: String,
    email: Email,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Email {
    Yes,
    No,
}

impl<'a> Candidate<'a> {
    fn of_dns(name: &'a DnsName) -> Self {
        Self {
            kind: "DNS name",
            text: name.as_str().to_owned(),
            host: name.as_str(),
            comparable_host: name.as_str().to_owned(),
            email: Email::No,
        }
    }

    fn of_email(email: &'a EmailAddress) -> Self {
        Self {
            kind: "e-mail address",
            text: email.as_str().to_lowercase(),
            host: email.host(),
            comparable_host: email.host().to_owned(),
            email: Email::Yes,
        }
    }

    fn of_text(text: &'a str) -> Self {
        let (email, host) = match text.split_once('@') {
            Some((_, host)) => (Email::Yes, host),
            None => (Email::No, text),
        };
        Self {
            kind: "common name",
            text: text.to_lowercase(),
            host,
            comparable_host: host.to_lowercase(),
            email,
        }
    }

    /// The host without the label that has a wildcard.
    fn reduced(&self) -> Reduced<'_> {
        let host = self.comparable_host.as_str();
        if !host.contains('*') {
            return Reduced { host, wildcard: None };
        }
        let (label, rest) = host.split_once('.').unwrap_or((host, ""));
        Reduced { host: rest, wildcard: Some(label) }
    }

    fn no(&self, rule: RuleId, reason: String, remedy: Remedy) -> No {
        No { rule, value: self.text.clone(), reason, remedy }
    }
}

/// A host without its wildcard label.
struct Reduced<'a> {
    host: &'a str,
    /// The label with the `*`, if there is one.
    wildcard: Option<&'a str>,
}

/// At most one `@`: two are neither a name nor an e-mail address.
fn one_at_sign(name: &Candidate<'_>) -> Result<(), No> {
    if name.text.matches('@').count() <= 1 {
        return Ok(());
    }
    Err(name.no(
        RuleId::NAME_HOSTNAME,
        alloc::format!("{} {:?} has more than one @", name.kind, name.text),
        Remedy::Request("ask for a host name, or an e-mail address with one @".to_owned()),
    ))
}

/// Wildcards are allowed at all.
fn wildcard_allowed(role: &RoleConfig, name: &Candidate<'_>) -> Result<(), No> {
    if role.allow_wildcard_certificates {
        return Ok(());
    }
    Err(name.no(
        RuleId::NAME_WILDCARD,
        alloc::format!("{} {:?} is a wildcard, which this role does not allow", name.kind, name.text),
        Remedy::Role("--allow-wildcard-certificates".to_owned()),
    ))
}

/// A wildcard is the only one, in the left-most label, and not in an e-mail address.
fn wildcard_place(name: &Candidate<'_>, reduced: &Reduced<'_>) -> Result<(), No> {
    let label = reduced.wildcard.unwrap_or_default();
    if name.email == Email::No && !reduced.host.contains('*') && label.matches('*').count() <= 1 {
        return Ok(());
    }
    Err(name.no(
        RuleId::NAME_WILDCARD_PLACE,
        alloc::format!(
            "{} {:?} has a wildcard outside its left-most label, or more than one",
            name.kind,
            name.text
        ),
        Remedy::Request(
            "ask for one '*' as the whole left-most label, such as *.example.com (RFC 9525 6.3)".to_owned(),
        ),
    ))
}

/// Where the role enforces host names: labels of letters, digits and hyphens.
fn hostname(name: &Candidate<'_>, reduced: &Reduced<'_>) -> Result<(), No> {
    let wrong = |error: &DnsNameError| {
        name.no(
            RuleId::NAME_HOSTNAME,
            alloc::format!("{} {:?} is not a host name: {error}", name.kind, name.text),
            Remedy::Either { role: "--enforce-hostnames=false".to_owned(), request: error.remedy() },
        )
    };
    let host = if reduced.wildcard.is_some() { reduced.host } else { name.host };
    if !host.is_empty() || reduced.wildcard.is_none() {
        DnsName::parse(host).map_err(|error| wrong(&error))?;
    }
    // The rest of a label with a wildcard: letters, digits, hyphens, none of them at an end.
    if let Some(label) = reduced.wildcard {
        let sound = label.split('*').all(|part| {
            part.is_empty()
                || (part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                    && !part.starts_with('-')
                    && !part.ends_with('-'))
        });
        if !sound {
            return Err(wrong(&DnsNameError::WildcardPlace { name: name.text.clone() }));
        }
    }
    Ok(())
}

/// `localhost` and `localdomain`; what lies below them only where sub-domains are allowed.
fn localhost(role: &RoleConfig, name: &Candidate<'_>, reduced: &Reduced<'_>) -> bool {
    role.allow_localhost
        && name.email == Email::No
        && ["localhost", "localdomain"].into_iter().any(|own| {
            name.text == own || (role.allow_subdomains && below(&name.comparable_host, own, reduced))
        })
}

/// The three ways in which an allowed domain permits a name: the field that does.
fn within(
    role: &RoleConfig,
    domain: &str,
    name: &Candidate<'_>,
    reduced: &Reduced<'_>,
) -> Option<&'static str> {
    if role.allow_bare_domains && bare_domain(domain, name) {
        Some("allow_bare_domains")
    } else if role.allow_subdomains && below(&name.comparable_host, domain, reduced) {
        Some("allow_subdomains")
    } else if role.allow_glob_domains && domain.contains('*') && glob(domain, &name.text) {
        Some("allow_glob_domains")
    } else {
        None
    }
}

/// The domain itself, or an e-mail address at it.
fn bare_domain(domain: &str, name: &Candidate<'_>) -> bool {
    name.text == domain || (name.email == Email::Yes && name.comparable_host == domain)
}

/// A name below the domain, at any depth; `*.domain` is below it.
fn below(host: &str, domain: &str, reduced: &Reduced<'_>) -> bool {
    let host = if reduced.wildcard.is_some() { reduced.host } else { host };
    let strictly = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    strictly || (reduced.wildcard.is_some() && reduced.host == domain)
}

/// `*` stands for any characters, dots included; everything else for itself.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    true
}

/// An allowed domain or a name as they are compared: lower case, labels beyond ASCII as A-labels.
fn comparable(domain: &str) -> String {
    if domain.is_ascii() {
        return domain.to_ascii_lowercase();
    }
    DnsName::parse(domain).map_or_else(|_| domain.to_lowercase(), |name| name.as_str().to_owned())
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
fn common_name_length(common_name: &CommonName) -> Result<(), No> {
    let limit = AttributeType::CommonName.max_characters();
    let characters = common_name.as_str().chars().count();
    if characters <= limit {
        return Ok(());
    }
    Err(No {
        rule: RuleId::COMMON_NAME_LENGTH,
        value: common_name.as_str().to_owned(),
        reason: alloc::format!(
            "the common name {:?} has {characters} characters, at most {limit} are allowed (RFC 5280 appendix A.1)",
            common_name.as_str()
        ),
        remedy: Remedy::Either {
            role: "--require-cn=false".to_owned(),
            request: "ask for the name as an alternative name instead: --alt-names".to_owned(),
        },
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

fn ip_allowed(role: &RoleConfig, address: IpAddr) -> Result<(), No> {
    if role.allow_ip_sans {
        return Ok(());
    }
    Err(No {
        rule: RuleId::IP_ALLOWED,
        value: address.to_string(),
        reason: alloc::format!("the IP address {address} is not allowed: this role allows no IP SANs"),
        remedy: Remedy::Role("--allow-ip-sans".to_owned()),
    })
}

/// One of the role's patterns matches the URI.
fn uri_allowed<'a>(role: &'a RoleConfig, uri: &Uri) -> Result<&'a str, No> {
    // Scheme and host are compared without regard to letter case (RFC 3986 6.2.2.1), and so is the rest here.
    let text = uri.as_str().to_lowercase();
    if let Some(pattern) = role.allowed_uri_sans.iter().find(|pattern| glob(&pattern.to_lowercase(), &text)) {
        return Ok(pattern);
    }
    let mut allowed = role.allowed_uri_sans.clone();
    allowed.push(uri.as_str().to_owned());
    Err(No {
        rule: RuleId::URI_ALLOWED,
        value: uri.as_str().to_owned(),
        reason: alloc::format!("the URI {:?} is not one that this role allows", uri.as_str()),
        remedy: Remedy::Role(alloc::format!("--allowed-uri-sans {}", word(&allowed.join(",")))),
    })
}

fn other_name_allowed(name: &GeneralName) -> Result<(), No> {
    Err(No {
        rule: RuleId::OTHER_NAME_ALLOWED,
        value: name.to_string(),
        reason: alloc::format!("the alternative name {name} is of a kind that roles do not allow"),
        remedy: Remedy::Request("ask for DNS names, e-mail addresses, IP addresses or URIs only".to_owned()),
    })
}
