//! Names and lifetimes on the command line, parsed once.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, CommonNameInSans};
use pki_core::name::{DnsName, EmailAddress, GeneralName, OtherName, Uri};
use pki_core::time::UnixTime;

use crate::args::list;
use crate::duration;
use crate::fault::Fault;

/// Alternative names.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sans {
    /// DNS names and e-mail addresses
    #[arg(long, value_name = "LIST", help_heading = "Names")]
    alt_names: Option<Vec<String>>,
    /// IP addresses
    #[arg(long, value_name = "LIST", help_heading = "Names")]
    ip_sans: Option<Vec<String>>,
    /// URIs
    #[arg(long, value_name = "LIST", help_heading = "Names")]
    uri_sans: Option<Vec<String>>,
    /// Other names, such as 1.3.6.1.4.1.311.20.2.3;utf8:ops@example.org
    #[arg(long, value_name = "LIST", help_heading = "Names")]
    other_sans: Option<Vec<String>>,
}

/// The names of a leaf.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LeafNames {
    /// Common name of the subject
    #[arg(long, value_name = "NAME", help_heading = "Names")]
    common_name: Option<String>,
    #[command(flatten)]
    sans: Sans,
    /// serialNumber of the subject, which is not the certificate's
    #[arg(long, value_name = "TEXT", help_heading = "Names")]
    serial_number: Option<String>,
    /// User ids of the subject
    #[arg(long, value_name = "LIST", help_heading = "Names")]
    user_ids: Option<Vec<String>>,
    /// Keep the common name out of the alternative names
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL",
          help_heading = "Names")]
    exclude_cn_from_sans: Option<bool>,
}

/// How long.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Lifetime {
    /// Lifetime; 0 is the default
    #[arg(long, value_parser = duration::parse, value_name = "DURATION", help_heading = "Validity")]
    ttl: Option<Duration>,
    /// Beginning of validity instead of shortly before now, RFC 3339
    #[arg(long, value_parser = parse_time, value_name = "TIME", help_heading = "Validity")]
    not_before: Option<UnixTime>,
    /// End of validity instead of a lifetime, RFC 3339
    #[arg(long, value_parser = parse_time, value_name = "TIME", help_heading = "Validity")]
    not_after: Option<UnixTime>,
}

impl Sans {
    pub(crate) fn parse(self) -> Result<Vec<GeneralName>, Fault> {
        let mut names = Vec::new();
        for text in list::items_or_none(self.alt_names) {
            names.push(alternative_name(&text)?);
        }
        for text in list::items_or_none(self.ip_sans) {
            let address = text.parse::<IpAddr>().map_err(|_| {
                Fault::usage(
                    format!("--ip-sans {text:?} is no IP address"),
                    "give addresses such as 192.0.2.1 or 2001:db8::1; DNS names go to --alt-names",
                )
            })?;
            // ::ffff:192.0.2.1 is an IPv4 address, which certificates hold in four octets.
            names.push(GeneralName::Ip(address.to_canonical()));
        }
        for text in list::items_or_none(self.uri_sans) {
            names.push(GeneralName::Uri(Uri::parse(&text).map_err(|error| {
                Fault::usage(
                    format!("--uri-sans {text:?}: {error}"),
                    "give absolute URIs such as spiffe://example.org/service",
                )
            })?));
        }
        for text in list::items_or_none(self.other_sans) {
            names.push(GeneralName::OtherName(OtherName::parse(&text).map_err(|error| {
                Fault::usage(
                    format!("--other-sans {text:?}: {error}"),
                    "give OID;utf8:VALUE such as 1.3.6.1.4.1.311.20.2.3;utf8:ops@example.org",
                )
            })?));
        }
        Ok(names)
    }
}

impl LeafNames {
    pub(crate) fn parse(self) -> Result<AskedNames, Fault> {
        Ok(AskedNames {
            common_name: common_name(self.common_name)?,
            common_name_in_sans: if self.exclude_cn_from_sans.unwrap_or(false) {
                CommonNameInSans::Exclude
            } else {
                CommonNameInSans::Include
            },
            alternative_names: self.sans.parse()?,
            subject_serial_numbers: self.serial_number.into_iter().filter(|text| !text.is_empty()).collect(),
            user_ids: list::items_or_none(self.user_ids),
        })
    }
}

impl Lifetime {
    /// When the certificate is to begin, if the line says so.
    pub(crate) const fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    pub(crate) fn parse(self) -> Result<AskedLifetime, Fault> {
        match (self.ttl.filter(|ttl| !ttl.is_zero()), self.not_after) {
            (Some(_), Some(_)) => Err(Fault::usage(
                "--ttl and --not-after both say when the certificate ends",
                "keep one of them",
            )),
            (Some(ttl), None) => Ok(AskedLifetime::Ttl(ttl)),
            (None, Some(end)) => Ok(AskedLifetime::NotAfter(end)),
            (None, None) => Ok(AskedLifetime::Default),
        }
    }
}

/// An empty common name is none, as in Vault.
fn common_name(text: Option<String>) -> Result<Option<CommonName>, Fault> {
    match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => CommonName::parse(text).map(Some).map_err(|error| {
            Fault::usage(format!("--common-name {text:?}: {error}"), "give a name without control characters")
        }),
    }
}

fn alternative_name(text: &str) -> Result<GeneralName, Fault> {
    if text.contains('@') {
        return EmailAddress::parse(text).map(GeneralName::Email).map_err(|error| {
            Fault::usage(format!("--alt-names {text:?}: {error}"), "give an address such as ops@example.org")
        });
    }
    DnsName::parse(text)
        .map(GeneralName::Dns)
        .map_err(|error| Fault::usage(format!("--alt-names {text:?}: {error}"), error.remedy()))
}

pub(crate) fn parse_time(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse_rfc3339(text)
        .ok_or_else(|| "it is no time of RFC 3339, such as 2030-12-31T23:59:59Z".to_owned())
}
