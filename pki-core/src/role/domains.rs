//! Which DNS names and e-mail addresses a role grants. One function for each rule; comparisons are without regard to
//! letter case.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::config::{Complaints, RoleConfig};
use super::list::{Braces, Entries};
use super::names::switch;
use super::pattern::glob;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::identity::Identity;
use crate::name::{DnsName, DnsNameError, EmailAddress};

/// The domains of a role in the form in which they are compared: lower case, A-labels.
#[derive(Clone, Debug)]
pub(super) struct Domains(Entries);

impl Domains {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        config.allowed_domains.retain(|domain| !domain.is_empty());
        Self(Entries::accept(
            "allowed_domains",
            &config.allowed_domains,
            Braces::of(config.allowed_domains_template),
            comparable,
            complaints,
        ))
    }

    /// The domains that the templates give for this requester.
    pub(super) fn of(&self, role: &RoleConfig, identity: Option<&Identity>) -> Vec<String> {
        self.0.expanded(role, identity)
    }

    /// The rules about one DNS name, e-mail address or other text, in order. `own` are the requester's own domains.
    pub(super) fn ask(&self, role: &RoleConfig, own: &[String], name: &Candidate<'_>, inquiry: &mut Inquiry) {
        let value = || name.text.clone();
        if name.text.contains('@') && inquiry.ask(RuleId::NAME_AT_SIGN, value, || one_at_sign(name)).is_err()
        {
            return;
        }
        let reduced = name.reduced();
        let question = Question { role, fixed: self.0.fixed(), own, name, reduced: &reduced };
        if reduced.wildcard.is_some() {
            let because = |(): &()| switch("allow_wildcard_certificates", role.allow_wildcard_certificates);
            let _ = inquiry.ask_because(RuleId::NAME_WILDCARD, value, || question.wildcard(), because);
            let place = || wildcard_place(name, &reduced);
            if inquiry.ask(RuleId::NAME_WILDCARD_PLACE, value, place).is_err() {
                return;
            }
        }
        if role.enforce_hostnames {
            let _ = inquiry.ask(RuleId::NAME_HOSTNAME, value, || question.hostname());
        }
        let _ = inquiry.ask_because(RuleId::NAME_DOMAIN, value, || question.domain(), ToString::to_string);
    }
}

/// What a role is asked about one name.
struct Question<'a> {
    role: &'a RoleConfig,
    fixed: &'a [String],
    own: &'a [String],
    name: &'a Candidate<'a>,
    reduced: &'a Reduced<'a>,
}

impl<'a> Question<'a> {
    /// Wildcards are allowed at all.
    fn wildcard(&self) -> Result<(), No> {
        if self.role.allow_wildcard_certificates {
            return Ok(());
        }
        let Candidate { kind, text, .. } = self.name;
        Err(self.no(
            RuleId::NAME_WILDCARD,
            alloc::format!("{kind} {text:?} is a wildcard, which this role does not allow"),
            Remedy::Role(self.nearest()),
        ))
    }

    /// Labels of letters, digits and hyphens.
    fn hostname(&self) -> Result<(), No> {
        hostname(self.name, self.reduced).map_err(|error| {
            let Candidate { kind, text, .. } = self.name;
            self.no(
                RuleId::NAME_HOSTNAME,
                alloc::format!("{kind} {text:?} is not a host name: {error}"),
                Remedy::Either { role: self.nearest(), request: error.remedy() },
            )
        })
    }

    /// The name is one of those that the role allows, and by which of its fields.
    fn domain(&self) -> Result<Ground<'a>, No> {
        self.ground(self.role).ok_or_else(|| {
            let Candidate { kind, text, .. } = self.name;
            let because =
                self.nearest_switch().map_or("it is in none of the role's domains", |switch| switch.because);
            self.no(
                RuleId::NAME_DOMAIN,
                alloc::format!("{kind} {text:?} is not allowed by this role: {because}"),
                Remedy::Role(self.nearest()),
            )
        })
    }

    fn no(&self, rule: RuleId, reason: String, remedy: Remedy) -> No {
        No { rule, value: self.name.text.clone(), reason, remedy }
    }

    fn ground(&self, role: &RoleConfig) -> Option<Ground<'a>> {
        let Self { name, reduced, .. } = *self;
        if role.allow_any_name {
            return Some(Ground { field: "allow_any_name", domain: None });
        }
        if localhost(role, name, reduced) {
            return Some(Ground { field: "allow_localhost", domain: None });
        }
        self.fixed.iter().chain(self.own).find_map(|domain| {
            let field = within(role, domain, name, reduced)?;
            Some(Ground { field, domain: Some(domain) })
        })
    }

    /// The flags of the nearest role that permits the name: each switch that stands in its way, and no other. A change
    /// of one switch alone may only lead to the next refusal.
    fn nearest(&self) -> String {
        let Self { role, name, reduced, .. } = *self;
        let mut flags: Vec<String> = Vec::new();
        if reduced.wildcard.is_some() && !role.allow_wildcard_certificates {
            flags.push("--allow-wildcard-certificates".to_owned());
        }
        if role.enforce_hostnames && hostname(name, reduced).is_err() {
            flags.push("--enforce-hostnames=false".to_owned());
        }
        if self.ground(role).is_none() {
            match self.nearest_switch() {
                Some(switch) => flags.push(switch.flag.to_owned()),
                None => {
                    flags.push(list_with("--allowed-domains", &role.allowed_domains, &name.text));
                    if !role.allow_bare_domains {
                        flags.push("--allow-bare-domains".to_owned());
                    }
                }
            }
        }
        flags.join(" ")
    }

    /// The one switch that would permit the name.
    fn nearest_switch(&self) -> Option<&'static Switch> {
        SWITCHES.iter().find(|switch| {
            let mut changed = RoleConfig { allowed_domains: Vec::new(), ..self.role.clone() };
            (switch.change)(&mut changed);
            self.ground(&changed).is_some()
        })
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

/// A switch of a role that widens what its domains permit.
struct Switch {
    change: fn(&mut RoleConfig),
    flag: &'static str,
    because: &'static str,
}

const SWITCHES: [Switch; 4] = [
    Switch {
        change: |role| role.allow_bare_domains = true,
        flag: "--allow-bare-domains",
        because: "it is a bare domain of this role",
    },
    Switch {
        change: |role| role.allow_subdomains = true,
        flag: "--allow-subdomains",
        because: "it lies below a domain of this role",
    },
    Switch {
        change: |role| role.allow_glob_domains = true,
        flag: "--allow-glob-domains",
        because: "it matches a pattern of this role",
    },
    Switch {
        change: |role| role.allow_localhost = true,
        flag: "--allow-localhost",
        because: "it is this host's own name",
    },
];

/// A name under question, in comparable form.
pub(super) struct Candidate<'a> {
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
    pub(super) fn of_dns(name: &'a DnsName) -> Self {
        Self {
            kind: "DNS name",
            text: name.as_str().to_owned(),
            host: name.as_str(),
            comparable_host: name.as_str().to_owned(),
            email: Email::No,
        }
    }

    pub(super) fn of_email(email: &'a EmailAddress) -> Self {
        Self {
            kind: "e-mail address",
            text: email.as_str().to_lowercase(),
            host: email.host(),
            comparable_host: email.host().to_owned(),
            email: Email::Yes,
        }
    }

    /// A common name that is neither.
    pub(super) fn of_text(text: &'a str) -> Self {
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
    Err(No {
        rule: RuleId::NAME_AT_SIGN,
        value: name.text.clone(),
        reason: alloc::format!("{} {:?} has more than one @", name.kind, name.text),
        remedy: Remedy::Request("ask for a host name, or an e-mail address with one @".to_owned()),
    })
}

/// A wildcard is the only one, in the left-most label, and not in an e-mail address.
fn wildcard_place(name: &Candidate<'_>, reduced: &Reduced<'_>) -> Result<(), No> {
    let label = reduced.wildcard.unwrap_or_default();
    if name.email == Email::No && !reduced.host.contains('*') && label.matches('*').count() <= 1 {
        return Ok(());
    }
    Err(No {
        rule: RuleId::NAME_WILDCARD_PLACE,
        value: name.text.clone(),
        reason: alloc::format!(
            "{} {:?} has a wildcard outside its left-most label, or more than one",
            name.kind,
            name.text
        ),
        remedy: Remedy::Request(
            "ask for one '*' as the whole left-most label, such as *.example.com (RFC 9525 6.3)".to_owned(),
        ),
    })
}

/// Labels of letters, digits and hyphens; beside a `*` none of them at an end.
fn hostname(name: &Candidate<'_>, reduced: &Reduced<'_>) -> Result<(), DnsNameError> {
    let host = if reduced.wildcard.is_some() { reduced.host } else { name.host };
    // An address that is the common name stands among the IP SANs too, which an earlier rule saw to.
    let address = name.email == Email::No && host.parse::<IpAddr>().is_ok();
    if !address && (!host.is_empty() || reduced.wildcard.is_none()) {
        DnsName::parse(host)?;
    }
    let sound = |part: &str| {
        part.is_empty()
            || (part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !part.starts_with('-')
                && !part.ends_with('-'))
    };
    match reduced.wildcard {
        Some(label) if !label.split('*').all(sound) => {
            Err(DnsNameError::WildcardPlace { name: name.text.clone() })
        }
        _ => Ok(()),
    }
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

/// An allowed domain or a name as they are compared: lower case, labels beyond ASCII as A-labels.
fn comparable(domain: &str) -> String {
    if domain.is_ascii() {
        return domain.to_ascii_lowercase();
    }
    DnsName::parse(domain).map_or_else(|_| domain.to_lowercase(), |name| name.as_str().to_owned())
}
