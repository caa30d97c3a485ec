//! What `issue`, `sign` and `role explain` may be asked for alike.

use clap::Args;
use pki_core::csr::CertificationRequest;
use pki_core::extension::{Criticality, Extension};
use pki_core::identity::{Alias, Identity};
use pki_core::issue::{AskedLifetime, AskedNames, IssueRequest, SignRequest};
use pki_core::key::KeyType;
use pki_core::oid::Oid;
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
    /// Extension of your own: OID=utf8:TEXT or OID=der:HEX (critical: OID=critical,utf8:TEXT); repeat for more
    #[arg(long, value_parser = parse_extension, value_name = "EXTENSION", help_heading = "Contents")]
    extension: Vec<Extension>,
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
    extensions: Vec<Extension>,
    identity: Identity,
}

impl LeafRequest {
    /// Parses the flags; `requester` is the name of `--as`.
    pub(crate) fn parse(self, requester: &str) -> Result<LeafAsked, Fault> {
        let Self { names, lifetime, extension, identity_metadata, identity_alias } = self;
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
            extensions: extension,
            identity,
        })
    }
}

impl LeafAsked {
    /// A request for a certificate with a new key.
    pub(crate) fn issue(self, key: Option<(KeyType, u32)>) -> IssueRequest {
        let Self { names, not_before, lifetime, extensions, identity } = self;
        IssueRequest { names, not_before, lifetime, key, extensions, identity: Some(identity) }
    }

    /// A request for a certificate on a CSR.
    pub(crate) fn sign(self, csr: CertificationRequest) -> SignRequest {
        let Self { names, not_before, lifetime, extensions, identity } = self;
        let identity = Some(identity);
        SignRequest { names, not_before, lifetime, extensions, identity, ..SignRequest::new(csr) }
    }
}

/// `OID=utf8:TEXT`, `OID=critical,der:0c01 61`.
fn parse_extension(text: &str) -> Result<Extension, String> {
    const FORM: &str = "it is OID=[critical,]utf8:TEXT or OID=[critical,]der:HEX";
    let (id, rest) = text.split_once('=').ok_or(FORM)?;
    let id = id.trim().parse::<Oid>().map_err(|error| error.to_string())?;
    let (critical, rest) = match rest.strip_prefix("critical,") {
        Some(rest) => (Criticality::Critical, rest),
        None => (Criticality::NonCritical, rest),
    };
    match rest.split_once(':') {
        Some(("utf8", text)) => Ok(Extension::utf8(id, critical, text)),
        Some(("der", hex)) => {
            let value = hex_octets(hex).ok_or("what stands behind der: is not hexadecimal")?;
            Ok(Extension { id, critical, value })
        }
        _ => Err(FORM.to_owned()),
    }
}

fn hex_octets(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    pairs.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_on_the_line() {
        let text = parse_extension("1.2.3.4=utf8:a,b:c").unwrap();
        assert_eq!((text.critical, text.value.as_slice()), (Criticality::NonCritical, &b"\x0c\x05a,b:c"[..]));
        let der = parse_extension("1.3.6.1.5.5.7.1.24=critical,der:30:03 020105").unwrap();
        assert_eq!((der.critical, der.value.as_slice()), (Criticality::Critical, &[0x30, 3, 2, 1, 5][..]));
        for wrong in [
            "",
            "1.2.3.4",
            "x=utf8:a",
            "1.2.3.4=a",
            "1.2.3.4=ia5:a",
            "1.2.3.4=der:3",
            "1.2.3.4=der:zz",
            "1.2.3.4=Critical,utf8:a",
        ] {
            assert!(parse_extension(wrong).is_err(), "{wrong}");
        }
    }
}
