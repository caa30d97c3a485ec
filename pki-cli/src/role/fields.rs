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
    /// Repeats, or a JSON array; commas are part of the text.
    Texts,
    /// Certificate policies: identifiers with commas between them, or JSON.
    Policies,
    /// An integer of seconds.
    Duration,
    Number,
}

use Kind::{Duration, List, Number, Policies, Switch, Text, Texts};

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
        "allowed_domains_template",
        "allowed-domains-template",
        Switch,
        "Let {{identity...}} in allowed domains stand for the requester's own values [default: false]",
    ),
    field(
        "allow_globs_in_identity_templates",
        "allow-globs-in-identity-templates",
        Switch,
        "Let `*` in such a value act as a pattern [default: false]",
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
        "allowed_ip_sans_cidr",
        "allowed-ip-sans-cidr",
        List,
        "Networks that IP addresses must lie in [default: any]",
    ),
    field(
        "allowed_uri_sans",
        "allowed-uri-sans",
        List,
        "URIs that are permitted, with `*` as any characters [default: none]",
    ),
    field(
        "allowed_uri_sans_template",
        "allowed-uri-sans-template",
        Switch,
        "Let {{identity...}} in allowed URIs stand for the requester's own values [default: false]",
    ),
    field(
        "allowed_other_sans",
        "allowed-other-sans",
        List,
        "Other names that are permitted: OID;utf8:PATTERN, or `*` [default: none]",
    ),
    field(
        "allow_other_san_kinds",
        "allow-other-san-kinds",
        Switch,
        "Keep a CSR's directory names, registered ids and such [default: false]",
    ),
    field(
        "allowed_serial_numbers",
        "allowed-serial-numbers",
        List,
        "serialNumbers of the subject that are permitted, with `*` [default: none]",
    ),
    field(
        "allowed_user_ids",
        "allowed-user-ids",
        List,
        "User ids that are permitted, with `*` [default: none]",
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
    field("key_type", "key-type", Text, "rsa, ec, ed25519, ml-dsa or any [default: rsa]"),
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
    field("use_pss", "use-pss", Switch, "Let an RSA issuer sign with RSASSA-PSS [default: false]"),
    field(
        "key_reuse",
        "key-reuse",
        Text,
        "A key that another certificate has: permit or refuse [default: permit]",
    ),
    field("key_usage", "key-usage", List, "Key usages [default: what the key type can do]"),
    field(
        "ext_key_usage",
        "ext-key-usage",
        List,
        "Extended key usages beside those of the flags [default: none]",
    ),
    field(
        "ext_key_usage_oids",
        "ext-key-usage-oids",
        List,
        "Purposes by object identifier, beside those [default: none]",
    ),
    field("require_cn", "require-cn", Switch, "Refuse a request without a common name [default: true]"),
    field(
        "cn_validations",
        "cn-validations",
        List,
        "What a common name has to be: email, hostname, both, or disabled [default: email,hostname]",
    ),
    field(
        "use_csr_common_name",
        "use-csr-common-name",
        Switch,
        "Take the common name from the CSR [default: true]",
    ),
    field("use_csr_sans", "use-csr-sans", Switch, "Take the alternative names from the CSR [default: true]"),
    field(
        "use_csr_subject",
        "use-csr-subject",
        Switch,
        "Take the CSR's whole subject instead of the role's [default: false]",
    ),
    field(
        "use_csr_extensions",
        "use-csr-extensions",
        Switch,
        "Take over a CSR's extensions that are not the issuer's own to decide [default: false]",
    ),
    field(
        "allowed_extensions",
        "allowed-extensions",
        List,
        "Extensions that may be asked for: OID, or OID;critical, or `*` [default: none]",
    ),
    field("ou", "ou", List, "OU of the subject"),
    field("organization", "organization", List, "O of the subject"),
    field("country", "country", List, "C of the subject: two letters"),
    field("locality", "locality", List, "L of the subject"),
    field("province", "province", List, "ST of the subject"),
    field("street_address", "street-address", List, "Street of the subject"),
    field("postal_code", "postal-code", List, "Postal code of the subject"),
    field(
        "policy_identifiers",
        "policy-identifiers",
        Policies,
        "Certificate policies: OIDs, or JSON with oid, notice, cps [default: none]",
    ),
    field(
        "basic_constraints_valid_for_non_ca",
        "basic-constraints-valid-for-non-ca",
        Switch,
        "Say in each certificate that it is no CA's [default: false]",
    ),
    field(
        "generate_lease",
        "generate-lease",
        Switch,
        "Attach a lease whose end revokes the certificate [default: false]",
    ),
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
    field(
        "not_before",
        "not-before",
        Text,
        "Beginning of every certificate, RFC 3339, instead of backdating",
    ),
    field(
        "not_before_bound",
        "not-before-bound",
        Text,
        "Beginnings that may be asked for: permit, duration, forbid [default: permit]",
    ),
    field("not_after", "not-after", Text, "End of every certificate, RFC 3339, instead of a lifetime"),
    field(
        "not_after_bound",
        "not-after-bound",
        Text,
        "Ends that may be asked for: permit, forbid, ttl-limited, or the latest, RFC 3339 [default: permit]",
    ),
    field(
        "leaf_not_after_behavior",
        "leaf-not-after-behavior",
        Text,
        "A certificate that would outlive its chain: err, truncate, permit [default: the issuer's]",
    ),
    field(
        "lint_waivers",
        "lint-waivers",
        Texts,
        "Lints that certificates need not pass, as `LINT: REASON`; repeat for more [default: none]",
    ),
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
            Texts => arg.value_name("TEXT").action(ArgAction::Append).value_parser(list::texts),
            Policies => arg.value_name("LIST").action(ArgAction::Append).value_parser(list::policies),
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
            Texts | Policies => {
                let given = matches.get_many::<list::Items>(self.name)?;
                Some(Value::from(given.flat_map(|items| items.0.clone()).collect::<Vec<_>>()))
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
        assert_eq!(
            given(&["--lint-waivers", "a: b, c", "--lint-waivers", r#"["d: e", "f: g"]"#]),
            json!({ "lint_waivers": ["a: b, c", "d: e", "f: g"] })
        );
        assert_eq!(
            given(&[
                "--policy-identifiers",
                "1.2.3,1.2.4",
                "--policy-identifiers",
                r#"[{"oid":"1.2.5","cps":"x"}]"#
            ]),
            json!({ "policy_identifiers": ["1.2.3", "1.2.4", { "oid": "1.2.5", "cps": "x" }] })
        );
        assert_eq!(
            given(&["--policy-identifiers=", "--lint-waivers="]),
            json!({ "policy_identifiers": [], "lint_waivers": [] })
        );
    }
}
