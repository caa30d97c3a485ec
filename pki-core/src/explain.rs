//! Why a request was permitted or refused: rules, refusals, remedies, warnings, and the decision trace.
//!
//! `Role::permit` stops at the first "no"; `Role::explain` asks the same questions to the end and notes every answer.

mod inquiry;
mod trace;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::key::weak::WeakKey;

pub(crate) use self::inquiry::Inquiry;
pub use self::trace::{Answer, Decision, DecisionTrace, Explanation, SeenDecision, SeenTrace, View};

/// The stable name of a rule, such as `name.domain`. Answers, audit records and tests refer to rules by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(&'static str);

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $name:ident = $id:literal;)*) => {
        impl RuleId {
            $($(#[doc = $doc])* pub const $name: Self = Self($id);)*

            /// Every rule, in the order in which they are asked.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What is so when the rule permits, in a sentence that everybody may read.
            pub fn statement(self) -> &'static str {
                match self.0 {
                    $($id => concat!($($doc),*).trim_ascii(),)*
                    other => other,
                }
            }
        }
    };
}

rules! {
    /// The key is of the role's type.
    KEY_TYPE = "key.type";
    /// The key is as long as the role wants it, and no longer than verifiers accept.
    KEY_BITS = "key.bits";
    /// Nobody else can compute the private half of the key, or sign in its name.
    KEY_WEAK = "key.weak";
    /// The key stands in no other certificate, where the role says so.
    KEY_REUSE = "key.reuse";
    /// There is a common name where the role wants one.
    COMMON_NAME_REQUIRED = "common-name.required";
    /// The common name has at most 64 characters (RFC 5280 appendix A.1).
    COMMON_NAME_LENGTH = "common-name.length";
    /// A common name that is an IP address is asked for as an IP address too.
    COMMON_NAME_IP = "common-name.ip";
    /// A name has one `@` at most.
    NAME_AT_SIGN = "name.at-sign";
    /// Wildcards are allowed at all.
    NAME_WILDCARD = "name.wildcard";
    /// A wildcard is the left-most label, and there is only one.
    NAME_WILDCARD_PLACE = "name.wildcard-place";
    /// The name is a host name.
    NAME_HOSTNAME = "name.hostname";
    /// The name is one of those that the role allows.
    NAME_DOMAIN = "name.domain";
    /// The common name is of a kind that the role wants.
    COMMON_NAME_KIND = "common-name.kind";
    /// The common name is what it looks like, where it becomes an alternative name.
    COMMON_NAME_IN_SANS = "common-name.in-sans";
    /// The subject's serialNumber is one of those that the role allows.
    SUBJECT_SERIAL_NUMBER = "subject.serial-number";
    /// The otherName is one of those that the role allows.
    OTHER_NAME_ALLOWED = "other-name.allowed";
    /// IP addresses are allowed.
    IP_ALLOWED = "ip.allowed";
    /// The IP address lies in a network that the role allows.
    IP_NETWORK = "ip.network";
    /// The URI is one of those that the role allows.
    URI_ALLOWED = "uri.allowed";
    /// Alternative names of further kinds are allowed.
    SAN_KIND = "san.kind";
    /// The user id is one of those that the role allows.
    SUBJECT_USER_ID = "subject.user-id";
    /// Each value of the subject is one that its attribute can have.
    SUBJECT_VALUE = "subject.value";
    /// The certificate names somebody: a subject or an alternative name.
    SUBJECT_NOBODY = "subject.nobody";
    /// The key of an end entity signs no certificates and no CRLs.
    KEY_USAGE_END_ENTITY = "key-usage.end-entity";
    /// The key can do something of what the role's key usage says.
    KEY_USAGE = "key-usage.possible";
    /// The extension is one that the role lets requesters ask for.
    EXTENSION_ALLOWED = "extension.allowed";
    /// The extension is one that requesters may ask for as critical.
    EXTENSION_CRITICAL = "extension.critical";
    /// The extension's value is the DER of one ASN.1 value (RFC 5280 4.1.2.9).
    EXTENSION_VALUE = "extension.value";
    /// The beginning is one that may be asked for.
    LIFETIME_NOT_BEFORE = "lifetime.not-before";
    /// The end is one that may be asked for.
    LIFETIME_NOT_AFTER = "lifetime.not-after";
    /// The lifetime is asked for in one way.
    LIFETIME_CONFLICT = "lifetime.conflict";
    /// The certificate ends after it begins, and in the future.
    LIFETIME_ORDER = "lifetime.order";
    /// The issuer may sign certificates.
    ISSUER_USAGE = "issuer.usage";
    /// The path lengths above leave room for another CA.
    ISSUER_PATH_LENGTH = "issuer.path-length";
    /// The certificate ends no later than any member of its chain.
    ISSUER_VALIDITY = "issuer.validity";
    /// The certificate's key is not its issuer's own.
    ISSUER_OWN_KEY = "issuer.own-key";
    /// The purposes are among those of every member of the chain.
    ISSUER_PURPOSES = "issuer.purposes";
    /// Where the chain requires a policy, every certificate asserts one and the same.
    ISSUER_POLICIES = "issuer.policies";
    /// The names lie within the name constraints of every member of the chain.
    ISSUER_NAME_CONSTRAINTS = "issuer.name-constraints";
    /// A CA has a subject.
    AUTHORITY_SUBJECT = "authority.subject";
    /// A CA's key is one that this CA signs with.
    AUTHORITY_KEY = "authority.key";
    /// Another certificate for a CA says no more than the one that it has.
    AUTHORITY_CORRESPONDENCE = "authority.correspondence";
}

impl RuleId {
    /// The stable string.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A rule's "no", before the trace is joined to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct No {
    pub(crate) rule: RuleId,
    pub(crate) value: String,
    pub(crate) reason: String,
    pub(crate) remedy: Remedy,
}

/// A key that must not be certified can only be replaced.
impl From<WeakKey> for No {
    fn from(weak: WeakKey) -> Self {
        let remedy = match weak {
            WeakKey::Exponent { .. } => "make a new key with the public exponent 65537, and a CSR for it",
            WeakKey::ModulusBits { .. } => "make a new key of 2048, 3072 or 4096 bits, and a CSR for it",
            _ => "make a new key with another program, such as `openssl genpkey`, and a CSR for it",
        };
        Self {
            rule: RuleId::KEY_WEAK,
            value: weak.test().into(),
            reason: alloc::format!("{weak}"),
            remedy: Remedy::Request(remedy.into()),
        }
    }
}

/// A policy's answer "no": the rule, the value, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(Box<Grounds>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Grounds {
    rule: RuleId,
    value: String,
    reason: String,
    remedy: Remedy,
    trace: DecisionTrace,
}

/// What would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A change of the role: flags of `role patch`.
    Role(String),
    /// A change of the request, in words or as flags.
    Request(String),
    /// Either of both.
    Either {
        /// Flags of `role patch`.
        role: String,
        /// A change of the request, in words or as flags.
        request: String,
    },
}

impl Refusal {
    /// The first rule's "no", and the answers of all rules.
    pub(crate) fn new(no: No, trace: DecisionTrace) -> Self {
        let No { rule, value, reason, remedy } = no;
        Self(Box::new(Grounds { rule, value, reason, remedy, trace }))
    }

    /// The rule that said no.
    pub const fn rule(&self) -> RuleId {
        self.0.rule
    }

    /// The value that it was asked about.
    pub fn value(&self) -> &str {
        &self.0.value
    }

    /// What would be accepted.
    pub const fn remedy(&self) -> &Remedy {
        &self.0.remedy
    }

    /// Every rule that was asked, also after the one that said no.
    pub const fn trace(&self) -> &DecisionTrace {
        &self.0.trace
    }
}

impl Remedy {
    /// The remedy as a line for people. `role` is the role's name, which the rules do not know.
    pub fn line(&self, role: &str) -> String {
        match self {
            Self::Role(flags) => alloc::format!("allow it in the role: pki role patch {role} {flags}"),
            Self::Request(change) => change.clone(),
            Self::Either { role: flags, request } => {
                alloc::format!("{request}; or allow it in the role: pki role patch {role} {flags}")
            }
        }
    }

    /// The flags of `role patch` that would permit it, if a change of the role would.
    pub fn role_change(&self) -> Option<&str> {
        match self {
            Self::Request(_) => None,
            Self::Role(flags) | Self::Either { role: flags, .. } => Some(flags),
        }
    }

    /// The change of the request that would be permitted, if there is one: all that a requester may know, since a
    /// change of the role tells what the role allows.
    pub fn request_change(&self) -> Option<&str> {
        match self {
            Self::Role(_) => None,
            Self::Request(change) | Self::Either { request: change, .. } => Some(change),
        }
    }
}

/// A value as one word of a command line: as it is, or in single quotes.
pub(crate) fn word(value: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,=+%".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(alloc::format!("'{}'", value.replace('\'', "'\\''")))
}

/// The fault in one line: what was refused, why, and the rule's identifier.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.0.reason, self.0.rule)
    }
}

impl core::error::Error for Refusal {}

/// Something that was granted otherwise than asked, or deserves a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A name or extension that was asked for beside a CSR which speaks for itself.
    BesideCsr {
        /// The field that was ignored, as Vault names it.
        field: &'static str,
        /// The role's switch that says so.
        switch: &'static str,
    },
    /// An extension that the CSR asks for and requesters do not decide.
    CsrExtensionIgnored {
        /// What it is.
        extension: String,
    },
    /// A part of the CSR that the role does not take from it.
    CsrPartIgnored {
        /// What it is, with its value.
        part: String,
        /// The role's switch that would take it.
        switch: &'static str,
    },
    /// A value of the CSR in whose place another one was given.
    CsrValueReplaced {
        /// What it is, with its value.
        part: String,
    },
    /// A date that the role fixes, whatever is asked for.
    DateFixed {
        /// `not_before` or `not_after`.
        field: &'static str,
        /// What was asked for.
        asked: crate::time::UnixTime,
        /// What was granted.
        granted: crate::time::UnixTime,
    },
    /// A key usage that this type of key cannot have.
    KeyUsageLeftOut {
        /// The usages, with commas.
        usages: String,
        /// The type of key.
        key: &'static str,
    },
    /// A clause that the certificate breaks, since its role waives the lint.
    LintWaived {
        /// What it breaks.
        finding: crate::lint::LintFinding,
        /// Why the role does without the lint.
        reason: String,
    },
    /// The names stand in the common name alone, which TLS clients do not look at.
    NoAlternativeName,
    /// The end of validity was moved to the limit.
    NotAfterCapped {
        /// What was asked for.
        asked: crate::time::UnixTime,
        /// What was granted.
        granted: crate::time::UnixTime,
        /// Whose limit it is.
        limit: &'static str,
    },
    /// The certificate ends after a member of its chain: paths through it fail before it ends.
    OutlivesChain,
    /// A path length of zero: no CA can follow below.
    PathLengthZero,
    /// Another path of a cross-signed issuer would refuse the certificate.
    PathRefuses {
        /// Why.
        reason: String,
    },
    /// The lifetime was cut to the limit.
    TtlCapped {
        /// What was asked for.
        asked: core::time::Duration,
        /// What was granted.
        granted: core::time::Duration,
        /// Whose limit it is.
        limit: &'static str,
    },
    /// A request for a key where the role says which key.
    KeyAskedIgnored,
    /// The name in the certificate matches its issuer's, but its octets differ.
    NameBytesDiffer,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BesideCsr { field, switch } => {
                write!(f, "{field} was given beside a CSR and ignored, since the role has {switch}=true")
            }
            Self::CsrExtensionIgnored { extension } => {
                write!(f, "the CSR asks for {extension}, which a requester does not decide; it was ignored")
            }
            Self::CsrPartIgnored { part, switch } => {
                write!(f, "the CSR's {part} was not taken over, since the role has {switch}=false")
            }
            Self::CsrValueReplaced { part } => {
                write!(f, "the CSR's {part} was not taken over, since another value was given beside it")
            }
            Self::DateFixed { field, asked, granted } => {
                write!(f, "{field} {asked} was asked for; the role fixes it, and {granted} was granted")
            }
            Self::KeyUsageLeftOut { usages, key } => {
                write!(f, "key usage {usages} was left out: keys of type {key} cannot have it")
            }
            Self::LintWaived { finding, reason } => {
                write!(f, "{finding}; the role waives it: {reason}")
            }
            Self::NoAlternativeName => f.write_str(
                "the certificate has no subject alternative name; TLS clients do not look at the common name",
            ),
            Self::NotAfterCapped { asked, granted, limit } => {
                write!(f, "not_after {asked} is beyond {limit}; {granted} was granted")
            }
            Self::OutlivesChain => f.write_str(
                "the certificate ends after a CA of its chain; it fails to verify once that has ended",
            ),
            Self::PathRefuses { reason } => {
                write!(f, "another path of the issuer does not accept the certificate: {reason}")
            }
            Self::PathLengthZero => f.write_str(
                "the path length of the certificate is zero: it cannot be used to issue intermediate CA certificates",
            ),
            Self::TtlCapped { asked, granted, limit } => write!(
                f,
                "TTL {}s is longer than {limit} of {}s, so that is granted",
                asked.as_secs(),
                granted.as_secs()
            ),
            Self::KeyAskedIgnored => {
                f.write_str("parameters key_type and key_bits were ignored, since the role has specific values")
            }
            Self::NameBytesDiffer => {
                f.write_str("the names of the chain match but their octets differ; some verifiers compare octets")
            }
        }
    }
}

#[cfg(test)]
mod tests;
