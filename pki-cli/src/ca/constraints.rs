//! The flags for name constraints (RFC 5280 4.2.1.10).

use clap::Args;
use pki_core::name::{DistinguishedName, NameConstraints, NameKind, Subtree};

use crate::args::list;
use crate::fault::Fault;

/// The names that a CA is confined to.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct NameConstraintFlags {
    /// Domains that DNS names must lie in; .example.org means below it alone
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    permitted_dns_domains: Option<Vec<String>>,
    /// Domains that DNS names must not lie in
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    excluded_dns_domains: Option<Vec<String>>,
    /// Networks that IP addresses must lie in, as 10.0.0.0/8
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    permitted_ip_ranges: Option<Vec<String>>,
    /// Networks that IP addresses must not lie in
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    excluded_ip_ranges: Option<Vec<String>>,
    /// Mailboxes, hosts (example.org) or hosts below a domain (.example.org) that e-mail addresses must be of
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    permitted_email_addresses: Option<Vec<String>>,
    /// Mailboxes, hosts or domains that e-mail addresses must not be of
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    excluded_email_addresses: Option<Vec<String>>,
    /// Hosts (example.org) or hosts below a domain (.example.org) that URIs must have
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    permitted_uri_domains: Option<Vec<String>>,
    /// Hosts or domains that URIs must not have
    #[arg(long, value_name = "LIST", help_heading = "Name constraints")]
    excluded_uri_domains: Option<Vec<String>>,
    /// What subjects must begin with, in their order: "C=DE, O=Example"; repeat the flag for several
    #[arg(long, value_name = "NAME", help_heading = "Name constraints")]
    permitted_directory_names: Vec<String>,
    /// What subjects must not begin with; repeat the flag for several
    #[arg(long, value_name = "NAME", help_heading = "Name constraints")]
    excluded_directory_names: Vec<String>,
    /// Refuse DNS names, IP addresses, e-mail addresses and URIs of which none is permitted above
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL",
          help_heading = "Name constraints")]
    refuse_other_name_kinds: Option<bool>,
}

impl NameConstraintFlags {
    /// The constraints that the line asks for.
    pub(super) fn parse(self) -> Result<Option<NameConstraints>, Fault> {
        let permitted = [
            (NameKind::Dns, "permitted-dns-domains", list::items_or_none(self.permitted_dns_domains)),
            (NameKind::Ip, "permitted-ip-ranges", list::items_or_none(self.permitted_ip_ranges)),
            (
                NameKind::Email,
                "permitted-email-addresses",
                list::items_or_none(self.permitted_email_addresses),
            ),
            (NameKind::Uri, "permitted-uri-domains", list::items_or_none(self.permitted_uri_domains)),
            (NameKind::Directory, "permitted-directory-names", self.permitted_directory_names),
        ];
        let excluded = [
            (NameKind::Dns, "excluded-dns-domains", list::items_or_none(self.excluded_dns_domains)),
            (NameKind::Ip, "excluded-ip-ranges", list::items_or_none(self.excluded_ip_ranges)),
            (NameKind::Email, "excluded-email-addresses", list::items_or_none(self.excluded_email_addresses)),
            (NameKind::Uri, "excluded-uri-domains", list::items_or_none(self.excluded_uri_domains)),
            (NameKind::Directory, "excluded-directory-names", self.excluded_directory_names),
        ];
        let constraints = NameConstraints::new(subtrees(permitted)?, subtrees(excluded)?);
        match (constraints, self.refuse_other_name_kinds.unwrap_or(false)) {
            (Ok(constraints), false) => Ok(Some(constraints)),
            (Ok(constraints), true) => Ok(Some(constraints.refusing_other_kinds())),
            (Err(_), false) => Ok(None),
            (Err(_), true) => Err(Fault::usage(
                "--refuse-other-name-kinds refuses the kinds beside the constrained ones, and none is constrained",
                "say what is permitted: --permitted-dns-domains, --permitted-ip-ranges, ...",
            )),
        }
    }
}

fn subtrees(lists: [(NameKind, &str, Vec<String>); 5]) -> Result<Vec<Subtree>, Fault> {
    let mut subtrees = Vec::new();
    for (kind, flag, texts) in lists {
        for text in texts {
            subtrees.push(if kind == NameKind::Directory {
                let name = DistinguishedName::parse(&text).map_err(|error| {
                    Fault::usage(
                        format!("--{flag} {text:?}: {error}"),
                        "give attributes in the order of the name, such as \"C=DE, O=Example\"",
                    )
                })?;
                Subtree::Directory(name)
            } else {
                Subtree::parse(kind, &text)
                    .map_err(|error| Fault::usage(format!("--{flag}: {error}"), error.remedy()))?
            });
        }
    }
    Ok(subtrees)
}
