//! What a role says, field by field, and what is accepted of it.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::extensions::ExtensionPolicy;
use super::keys::KeyPolicy;
use super::lifetime::Dates;
use super::names::NamePolicy;
use super::policies::{self, PolicyIdentifier};
use super::usage::KeyUsagePolicy;
use super::{Role, subject, waivers};
use crate::hierarchy::LeafNotAfter;
use crate::key::KeyType;
use crate::profile::ExtendedKeyUsage;

/// What is kept of an issued certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Storage {
    /// The row and the certificate.
    #[default]
    Full,
    /// The row without the certificate.
    Index,
    /// Nothing: it can be neither listed nor revoked.
    None,
}

/// Which beginnings of validity a requester may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum NotBeforeBound {
    /// Any.
    #[default]
    Permit,
    /// None further back than `not_before_duration`.
    Duration,
    /// None at all.
    Forbid,
}

/// What happens where a certificate would outlive a member of its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum RoleNotAfterBehavior {
    /// What the issuer's own setting says.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = ""))]
    Issuer,
    /// The request is refused.
    Err,
    /// The certificate ends with the first of the chain to end.
    Truncate,
    /// It outlives them.
    Permit,
}

impl RoleNotAfterBehavior {
    /// What goes over the issuer's own word, if anything does.
    pub(crate) const fn over_the_issuers(self) -> Option<LeafNotAfter> {
        match self {
            Self::Issuer => None,
            Self::Err => Some(LeafNotAfter::Refuse),
            Self::Truncate => Some(LeafNotAfter::Truncate),
            Self::Permit => Some(LeafNotAfter::Permit),
        }
    }
}

/// Whether a key may be certified more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum KeyReuse {
    /// It may.
    #[default]
    Permit,
    /// A key that a certificate of the mount has is refused.
    Refuse,
}

/// A role as it is written: Vault's names, Vault's defaults. Durations are whole seconds; zero means the default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct RoleConfig {
    /// The issuer to sign with: a name, an id, or `default`. Looked up at use.
    pub issuer_ref: String,
    /// The lifetime where none is asked for; zero is the mount's.
    pub ttl: u64,
    /// The longest lifetime; zero is the mount's.
    pub max_ttl: u64,
    /// Whether `localhost` and `localdomain` may be asked for.
    pub allow_localhost: bool,
    /// The domains that the next four fields speak of.
    pub allowed_domains: Vec<String>,
    /// Whether `{{identity...}}` in an allowed domain stands for the requester's own values.
    pub allowed_domains_template: bool,
    /// Whether a `*` that such a value brings with it acts as a pattern.
    pub allow_globs_in_identity_templates: bool,
    /// Whether an allowed domain itself may be asked for.
    pub allow_bare_domains: bool,
    /// Whether names below an allowed domain may be asked for, at any depth, wildcards included.
    pub allow_subdomains: bool,
    /// Whether `*` in an allowed domain stands for any characters.
    pub allow_glob_domains: bool,
    /// Whether wildcards may be asked for at all.
    pub allow_wildcard_certificates: bool,
    /// Whether any name may be asked for.
    pub allow_any_name: bool,
    /// Whether a common name has to be a host name or an e-mail address.
    pub enforce_hostnames: bool,
    /// Whether IP addresses may be asked for.
    pub allow_ip_sans: bool,
    /// The networks that IP addresses must lie in; any where empty.
    pub allowed_ip_sans_cidr: Vec<String>,
    /// The URIs that may be asked for; `*` stands for any characters. None allowed where empty.
    pub allowed_uri_sans: Vec<String>,
    /// Whether `{{identity...}}` in an allowed URI stands for the requester's own values.
    pub allowed_uri_sans_template: bool,
    /// The other names that may be asked for, as `OID;utf8:PATTERN`, or `*` for all. None allowed where empty.
    pub allowed_other_sans: Vec<String>,
    /// Whether a CSR's names of kinds that no other field speaks of (directory names, registered ids) are kept.
    pub allow_other_san_kinds: bool,
    /// The subject's serialNumbers that may be asked for; `*` stands for any characters. None allowed where empty.
    pub allowed_serial_numbers: Vec<String>,
    /// The user ids that may be asked for; `*` stands for any characters. None allowed where empty.
    pub allowed_user_ids: Vec<String>,
    /// Whether certificates are for TLS servers.
    pub server_flag: bool,
    /// Whether certificates are for TLS clients.
    pub client_flag: bool,
    /// Whether certificates are for signing programs.
    pub code_signing_flag: bool,
    /// Whether certificates are for e-mail.
    pub email_protection_flag: bool,
    /// `rsa`, `ec`, `ed25519` or `any`.
    pub key_type: RoleKeyType,
    /// The size of the key; for a CSR the least size. Zero is the type's default.
    pub key_bits: u32,
    /// The digest that an RSA issuer signs with: 256, 384 or 512 bits. Zero leaves it to the issuer's key.
    pub signature_bits: u16,
    /// Whether an RSA issuer signs with RSASSA-PSS.
    pub use_pss: bool,
    /// Whether a key may be certified that another certificate of the mount has.
    pub key_reuse: KeyReuse,
    /// Key usages by name. Vault's default list stands for what suits the type of the key.
    pub key_usage: Vec<String>,
    /// Purposes by name, beside those of the flags.
    pub ext_key_usage: Vec<String>,
    /// Purposes by object identifier, beside those.
    pub ext_key_usage_oids: Vec<String>,
    /// Whether a common name must be there.
    pub require_cn: bool,
    /// What a common name has to be: `email`, `hostname`, either of both, or `disabled` for anything.
    pub cn_validations: Vec<String>,
    /// Whether a CSR's common name counts, rather than one given beside it.
    pub use_csr_common_name: bool,
    /// Whether a CSR's alternative names count, rather than those given beside it.
    pub use_csr_sans: bool,
    /// Whether the subject is a CSR's whole subject, byte for byte, rather than this role's.
    pub use_csr_subject: bool,
    /// Whether a CSR's extensions are taken over, but for those that the issuer alone decides.
    pub use_csr_extensions: bool,
    /// The extensions that a requester may ask for: `OID`, or `OID;critical` where it may be critical; `*` for all.
    pub allowed_extensions: Vec<String>,
    /// OU of the subject.
    pub ou: Vec<String>,
    /// O of the subject.
    pub organization: Vec<String>,
    /// C of the subject: two letters.
    pub country: Vec<String>,
    /// L of the subject.
    pub locality: Vec<String>,
    /// ST of the subject.
    pub province: Vec<String>,
    /// STREET of the subject.
    pub street_address: Vec<String>,
    /// postalCode of the subject.
    pub postal_code: Vec<String>,
    /// The certificate policies.
    pub policy_identifiers: Vec<PolicyIdentifier>,
    /// Whether certificates say that they are no CA's, rather than nothing.
    pub basic_constraints_valid_for_non_ca: bool,
    /// Whether a lease is attached, whose end revokes the certificate.
    pub generate_lease: bool,
    /// Whether nothing is kept: the same as `storage` none.
    pub no_store: bool,
    /// What is kept.
    pub storage: Storage,
    /// How long before now certificates begin; zero is 30 seconds.
    pub not_before_duration: u64,
    /// When every certificate begins, in RFC 3339; empty for none.
    pub not_before: String,
    /// Which beginnings may be asked for.
    pub not_before_bound: NotBeforeBound,
    /// When every certificate ends, in RFC 3339; empty for none.
    pub not_after: String,
    /// Which ends may be asked for: `permit`, `forbid`, `ttl-limited`, or the latest time, in RFC 3339.
    pub not_after_bound: String,
    /// What happens where a certificate would outlive its chain.
    pub leaf_not_after_behavior: RoleNotAfterBehavior,
    /// The lints that finished certificates need not pass, as `LINT: REASON`.
    pub lint_waivers: Vec<String>,
}

/// The type of key that a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum RoleKeyType {
    /// RSA.
    Rsa,
    /// An elliptic curve of NIST's.
    Ec,
    /// Ed25519.
    Ed25519,
    /// ML-DSA.
    #[cfg_attr(feature = "serde", serde(rename = "ml-dsa"))]
    MlDsa,
    /// Whatever is asked for.
    Any,
}

impl RoleKeyType {
    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Rsa, Self::Ec, Self::Ed25519, Self::MlDsa, Self::Any]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ec => "ec",
            Self::Ed25519 => "ed25519",
            Self::MlDsa => "ml-dsa",
            Self::Any => "any",
        }
    }

    pub(super) const fn key_type(self) -> Option<KeyType> {
        match self {
            Self::Rsa => Some(KeyType::Rsa),
            Self::Ec => Some(KeyType::Ec),
            Self::Ed25519 => Some(KeyType::Ed25519),
            Self::MlDsa => Some(KeyType::MlDsa),
            Self::Any => None,
        }
    }
}

/// Vault's defaults: RSA, servers and clients, no names but `localhost`.
impl Default for RoleConfig {
    fn default() -> Self {
        Self {
            issuer_ref: "default".to_owned(),
            ttl: 0,
            max_ttl: 0,
            allow_localhost: true,
            allowed_domains: Vec::new(),
            allowed_domains_template: false,
            allow_globs_in_identity_templates: false,
            allow_bare_domains: false,
            allow_subdomains: false,
            allow_glob_domains: false,
            allow_wildcard_certificates: true,
            allow_any_name: false,
            enforce_hostnames: true,
            allow_ip_sans: true,
            allowed_ip_sans_cidr: Vec::new(),
            allowed_uri_sans: Vec::new(),
            allowed_uri_sans_template: false,
            allowed_other_sans: Vec::new(),
            allow_other_san_kinds: false,
            allowed_serial_numbers: Vec::new(),
            allowed_user_ids: Vec::new(),
            server_flag: true,
            client_flag: true,
            code_signing_flag: false,
            email_protection_flag: false,
            key_type: RoleKeyType::Rsa,
            key_bits: 0,
            signature_bits: 0,
            use_pss: false,
            key_reuse: KeyReuse::Permit,
            key_usage: KeyUsagePolicy::VAULT_DEFAULT.iter().map(|&name| name.to_owned()).collect(),
            ext_key_usage: Vec::new(),
            ext_key_usage_oids: Vec::new(),
            require_cn: true,
            cn_validations: ["email", "hostname"].map(ToOwned::to_owned).to_vec(),
            use_csr_common_name: true,
            use_csr_sans: true,
            use_csr_subject: false,
            use_csr_extensions: false,
            allowed_extensions: Vec::new(),
            ou: Vec::new(),
            organization: Vec::new(),
            country: Vec::new(),
            locality: Vec::new(),
            province: Vec::new(),
            street_address: Vec::new(),
            postal_code: Vec::new(),
            policy_identifiers: Vec::new(),
            basic_constraints_valid_for_non_ca: false,
            generate_lease: false,
            no_store: false,
            storage: Storage::Full,
            not_before_duration: 0,
            not_before: String::new(),
            not_before_bound: NotBeforeBound::Permit,
            not_after: String::new(),
            not_after_bound: "permit".to_owned(),
            leaf_not_after_behavior: RoleNotAfterBehavior::Issuer,
            lint_waivers: Vec::new(),
        }
    }
}

impl RoleConfig {
    /// A role for names below these domains and for keys of any type, with Vault's defaults otherwise.
    pub fn for_domains<'a>(domains: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            allowed_domains: domains.into_iter().map(ToOwned::to_owned).collect(),
            allow_subdomains: true,
            key_type: RoleKeyType::Any,
            ..Self::default()
        }
    }
}

/// One field of a role that cannot be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleComplaint {
    /// The field, as Vault names it.
    pub field: &'static str,
    /// What is wrong with its value.
    pub problem: String,
    /// What would be accepted.
    pub accepted: String,
}

/// A role that was not accepted: every complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleConfigError {
    /// At least one.
    pub complaints: Vec<RoleComplaint>,
}

impl fmt::Display for RoleConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, complaint) in self.complaints.iter().enumerate() {
            f.write_str(if position > 0 { "; " } else { "" })?;
            write!(f, "{}: {}", complaint.field, complaint.problem)?;
        }
        Ok(())
    }
}

impl core::error::Error for RoleConfigError {}

impl RoleConfigError {
    /// What would be accepted, field by field.
    pub fn remedy(&self) -> String {
        let lines: Vec<String> =
            self.complaints.iter().map(|c| alloc::format!("{}: {}", c.field, c.accepted)).collect();
        lines.join("; ")
    }
}

/// Collects complaints and goes on, so that all of them are told at once.
pub(super) struct Complaints(Vec<RoleComplaint>);

impl Complaints {
    pub(super) fn add(&mut self, field: &'static str, problem: impl ToString, accepted: impl ToString) {
        self.0.push(RoleComplaint { field, problem: problem.to_string(), accepted: accepted.to_string() });
    }
}

pub(super) fn accept(mut config: RoleConfig) -> Result<Role, RoleConfigError> {
    let mut complaints = Complaints(Vec::new());

    if config.issuer_ref.is_empty() {
        config.issuer_ref = "default".to_owned();
    }
    if config.max_ttl > 0 && config.ttl > config.max_ttl {
        complaints.add(
            "ttl",
            alloc::format!("{}s is longer than max_ttl {}s", config.ttl, config.max_ttl),
            "at most max_ttl",
        );
    }
    if config.not_before_duration == 0 {
        config.not_before_duration = 30;
    }
    if config.no_store {
        config.storage = Storage::None;
    }
    config.no_store = config.storage == Storage::None;

    unfinished(&config, &mut complaints);
    let keys = KeyPolicy::accept(&mut config, &mut complaints);
    let names = NamePolicy::accept(&mut config, &mut complaints);
    let dates = Dates::accept(&mut config, &mut complaints);
    let subject = subject::accept(&mut config, &mut complaints);
    let extensions = ExtensionPolicy::accept(&config, &mut complaints);
    let policies = policies::accept(&mut config, &mut complaints);
    let key_usages = KeyUsagePolicy::accept(&config, &mut complaints);
    let extended_key_usages = accept_purposes(&config, &mut complaints);

    let waivers = waivers::accept(&config, &mut complaints);

    let Complaints(complaints) = complaints;
    match (keys, key_usages) {
        (Some(keys), Some(key_usages)) if complaints.is_empty() => Ok(Role {
            config,
            keys,
            names,
            dates,
            subject,
            key_usages,
            extended_key_usages,
            policies,
            waivers,
            extensions,
        }),
        _ => Err(RoleConfigError { complaints }),
    }
}

/// Fields that are stored and do nothing yet: a value that would be ignored is refused.
fn unfinished(config: &RoleConfig, complaints: &mut Complaints) {
    let default = RoleConfig::default();
    macro_rules! only_the_default {
        ($($field:ident),* $(,)?) => {
            $(if config.$field != default.$field {
                complaints.add(
                    stringify!($field),
                    "this version does not act on it yet, so it cannot be set",
                    "leave it out",
                );
            })*
        };
    }
    only_the_default!(generate_lease);
}

/// The purposes of the flags and of `ext_key_usage`, in the order in which certificates list them.
fn accept_purposes(config: &RoleConfig, complaints: &mut Complaints) -> Vec<ExtendedKeyUsage> {
    let mut purposes: Vec<ExtendedKeyUsage> = [
        (config.server_flag, ExtendedKeyUsage::ServerAuth),
        (config.client_flag, ExtendedKeyUsage::ClientAuth),
        (config.code_signing_flag, ExtendedKeyUsage::CodeSigning),
        (config.email_protection_flag, ExtendedKeyUsage::EmailProtection),
    ]
    .into_iter()
    .filter_map(|(flag, purpose)| flag.then_some(purpose))
    .collect();
    for name in &config.ext_key_usage {
        match ExtendedKeyUsage::from_name(name) {
            Some(purpose) => purposes.push(purpose),
            None => {
                let known: Vec<&str> = ExtendedKeyUsage::NAMED.iter().filter_map(|u| u.name()).collect();
                complaints.add(
                    "ext_key_usage",
                    alloc::format!("{name:?} is not the name of a purpose"),
                    known.join(", "),
                );
            }
        }
    }
    for text in &config.ext_key_usage_oids {
        match text.trim().parse() {
            Ok(oid) => purposes.push(ExtendedKeyUsage::from_identifier(oid)),
            Err(error) => complaints.add(
                "ext_key_usage_oids",
                alloc::format!("{text:?} is not an object identifier"),
                alloc::format!("{error}"),
            ),
        }
    }
    purposes.sort();
    purposes.dedup();
    purposes
}
