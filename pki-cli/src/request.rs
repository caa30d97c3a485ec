//! What `issue`, `sign` and `role explain` may be asked for alike.

use clap::Args;
use pki_core::csr::CertificationRequest;
use pki_core::identity::{Alias, Identity};
use pki_core::issue::{AskedLifetime, AskedNames, IssueRequest, SignRequest};
use pki_core::key::KeyType;
use pki_core::time::UnixTime;

use crate::fault::Fault;
use crate::names::{LeafNames, Lifetime};

/// Names, lifetime, and who asks.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LeafRequest {
    #[command(flatten)]
    names: LeafNames,
    #[command(flatten)]
    lifetime: Lifetime,
    /// What is known about the requester, for {{identity.entity.metadata.KEY}} in roles
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Requester")]
    identity_metadata: Vec<String>,
    /// What the requester is called elsewhere, for {{identity.entity.aliases.PLACE.name}} in roles
    #[arg(long, value_name = "PLACE=NAME", help_heading = "Requester")]
    identity_alias: Vec<String>,
}

/// The same, parsed.
pub(crate) struct LeafAsked {
    names: AskedNames,
    not_before: Option<UnixTime>,
    lifetime: AskedLifetime,
    identity: Identity,
}

impl LeafRequest {
    /// Parses the flags; `requester` is the name of `--as`.
    pub(crate) fn parse(self, requester: &str) -> Result<LeafAsked, Fault> {
        let Self { names, lifetime, identity_metadata, identity_alias } = self;
        let mut identity = Identity::named(requester);
        for text in identity_metadata {
            let (key, value) = pair("--identity-metadata", &text)?;
            identity.metadata.insert(key, value);
        }
        for text in identity_alias {
            let (place, name) = pair("--identity-alias", &text)?;
            identity.aliases.insert(place, Alias { name, ..Alias::default() });
        }
        Ok(LeafAsked {
            names: names.parse()?,
            not_before: lifetime.not_before(),
            lifetime: lifetime.parse()?,
            identity,
        })
    }
}

impl LeafAsked {
    /// A request for a certificate with a new key.
    pub(crate) fn issue(self, key: Option<(KeyType, u32)>) -> IssueRequest {
        let Self { names, not_before, lifetime, identity } = self;
        IssueRequest { names, not_before, lifetime, key, identity: Some(identity) }
    }

    /// A request for a certificate on a CSR.
    pub(crate) fn sign(self, csr: CertificationRequest) -> SignRequest {
        let Self { names, not_before, lifetime, identity } = self;
        SignRequest { csr, names, not_before, lifetime, identity: Some(identity) }
    }
}

fn pair(flag: &str, text: &str) -> Result<(String, String), Fault> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Fault::usage(
            format!("{flag} {text:?} is no name with a value"),
            format!("give it as {flag} NAME=VALUE"),
        )),
    }
}
