//! The flags of a role, one line each: Vault's field, its kind, what it says.
//!
//! `allowed_domains` is `--allowed-domains`. What was given becomes a JSON object with Vault's names and types;
//! the policy layer reads it, so that a field has one meaning and one place.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde_json::{Map, Value};

use crate::args::list;
use crate::duration;

/// The fields that the line gives, with Vault's names.
#[derive(Clone, Debug)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

#[derive(Clone, Copy)]
enum Kind {
    /// `--flag`, `--flag=false`.
    Switch,
    Text,
    /// Commas or repeats.
    List,
    /// An integer of seconds.
    Duration,
    Number,
}

use Kind::{Duration, List, Number, Switch, Text};

struct Field {
    name: &'static str,
    flag: &'static str,
    kind: Kind,
    help: &'static str,
}

const fn field(name: &'static str, flag: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, flag, kind, help }
}

/// Sections 2 and 3 of the sheet of Vault's behaviour, in their order.
const FIELDS: &[Field] = &[
    field("issuer_ref", "issuer-ref", Text, "Issuer that signs: name, id or `default` [default: default]"),
    field("ttl", "ttl", Duration, "Lifetime where none is asked for [default: the mount's]"),
    field("max_ttl", "max-ttl", Duration, "Longest lifetime [default: the mount's]"),
    field("allow_localhost", "allow-localhost", Switch, "Permit localhost and localdomain [default: true]"),
    field(
        "allowed_domains",
        "allowed-domains",
        List,
        "Domains that the other rules refer to [default: none]",
    ),
    field(
        "allow_bare_domains",
        "allow-bare-domains",
        Switch,
        "Permit the allowed domains themselves [default: false]",
    ),
    field(
        "allow_subdomains",
        "allow-subdomains",
        Switch,
        "Permit names below the allowed domains [default: false]",
    ),
    field(
        "allow_glob_domains",
        "allow-glob-domains",
        Switch,
        "Let `*` in allowed domains match any characters [default: false]",
    ),
    field(
        "allow_wildcard_certificates",
        "allow-wildcard-certificates",
        Switch,
        "Permit names such as *.example.org [default: true]",
    ),
    field("allow_any_name", "allow-any-name", Switch, "Permit every name [default: false]"),
    field(
        "enforce_hostnames",
        "enforce-hostnames",
        Switch,
        "Permit only names that are host names [default: true]",
    ),
    field("allow_ip_sans", "allow-ip-sans", Switch, "Permit IP addresses [default: true]"),
    field(
        "allowed_uri_sans",
        "allowed-uri-sans",
        List,
        "URIs that are permitted, with `*` as any characters [default: none]",
    ),
    field("server_flag", "server-flag", Switch, "For TLS servers: EKU serverAuth [default: true]"),
    field("client_flag", "client-flag", Switch, "For TLS clients: EKU clientAuth [default: true]"),
    field(
        "code_signing_flag",
        "code-signing-flag",
        Switch,
        "For code signing: EKU codeSigning [default: false]",
    ),
    field(
        "email_protection_flag",
        "email-protection-flag",
        Switch,
        "For e-mail: EKU emailProtection [default: false]",
    ),
    field("key_type", "key-type", Text, "rsa, ec, ed25519 or any [default: rsa]"),
    field(
        "key_bits",
        "key-bits",
        Number,
        "Size of keys; least size of a CSR's; 0 is the type's default [default: 0]",
    ),
    field(
        "signature_bits",
        "signature-bits",
        Number,
        "SHA-2 of an RSA issuer's signatures: 256, 384, 512; 0 is the default [default: 0]",
    ),
    field("key_usage", "key-usage", List, "Key usages [default: what the key type can do]"),
    field(
        "ext_key_usage",
        "ext-key-usage",
        List,
        "Extended key usages beside those of the flags [default: none]",
    ),
    field("require_cn", "require-cn", Switch, "Refuse a request without a common name [default: true]"),
    field(
        "use_csr_common_name",
        "use-csr-common-name",
        Switch,
        "Take the common name from the CSR [default: true]",
    ),
    field("use_csr_sans", "use-csr-sans", Switch, "Take the alternative names from the CSR [default: true]"),
    field("ou", "ou", List, "OU of the subject"),
    field("organization", "organization", List, "O of the subject"),
    field("country", "country", List, "C of the subject: two letters"),
    field("locality", "locality", List, "L of the subject"),
    field("province", "province", List, "ST of the subject"),
    field("street_address", "street-address", List, "Street of the subject"),
    field("postal_code", "postal-code", List, "Postal code of the subject"),
    field(
        "no_store",
        "no-store",
        Switch,
        "Keep no record of the certificates: they cannot be revoked [default: false]",
    ),
    field("storage", "storage", Text, "What is kept: full, index (no certificate), none [default: full]"),
    field(
        "not_before_duration",
        "not-before-duration",
        Duration,
        "How far certificates are dated back [default: 30s]",
    ),
    field("not_after", "not-after", Text, "End of every certificate, RFC 3339, instead of a lifetime"),
];

impl Field {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name).long(self.flag).help(self.help).help_heading("Role");
        match self.kind {
            Switch => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("BOOL")
                .value_parser(clap::value_parser!(bool)),
            Text => arg.value_name("TEXT"),
            List => arg.value_name("LIST").action(ArgAction::Append),
            Duration => arg.value_name("DURATION").value_parser(duration::parse),
            Number => arg.value_name("NUMBER").value_parser(clap::value_parser!(u32)),
        }
    }

    fn value(&self, matches: &ArgMatches) -> Option<Value> {
        match self.kind {
            Switch => matches.get_one::<bool>(self.name).map(|&value| Value::from(value)),
            Text => matches.get_one::<String>(self.name).map(|value| Value::from(value.as_str())),
            List => {
                list::items(matches.get_many::<String>(self.name).map(|values| values.cloned().collect()))
                    .map(Value::from)
            }
            Duration => {
                matches.get_one::<std::time::Duration>(self.name).map(|value| Value::from(value.as_secs()))
            }
            Number => matches.get_one::<u32>(self.name).map(|&value| Value::from(value)),
        }
    }
}

impl Args for Fields {
    fn augment_args(command: Command) -> Command {
        FIELDS.iter().fold(command, |command, field| command.arg(field.arg()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Map::new();
        for field in FIELDS {
            if let Some(value) = field.value(matches) {
                given.insert(field.name.to_owned(), value);
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(line: &[&str]) -> Value {
        let command = Fields::augment_args(Command::new("role"));
        let matches = command.get_matches_from(std::iter::once(&"role").chain(line));
        Value::Object(Fields::from_arg_matches(&matches).unwrap().0)
    }

    #[test]
    fn a_flag_is_its_field_in_kebab_case() {
        for field in FIELDS {
            assert_eq!(field.flag, field.name.replace('_', "-"));
        }
    }

    #[test]
    fn flags_become_vaults_fields_with_vaults_types() {
        assert_eq!(
            given(&[
                "--allowed-domains",
                "a.example,b.example",
                "--allowed-domains=c.example",
                "--allow-subdomains",
                "--allow-localhost=false",
                "--max-ttl",
                "720h",
                "--key-bits=2048",
                "--ou",
                "",
            ]),
            json!({
                "max_ttl": 2_592_000,
                "allow_localhost": false,
                "allowed_domains": ["a.example", "b.example", "c.example"],
                "allow_subdomains": true,
                "key_bits": 2048,
                "ou": [],
            })
        );
        assert_eq!(given(&[]), json!({}));
    }
}
