//! `pki config urls`: where certificates say their issuer, CRL and OCSP responder are.

use clap::Args;
use pki_core::name::Uri;
use pki_store::mount::Mount;
use pki_store::{Op, Store, block_on};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::args::{Act, list};
use crate::fault::Fault;
use crate::session::{House, Session};

/// Print the URLs that the mount writes into certificates.
#[derive(Args, Debug)]
pub(crate) struct Read {}

/// Change the URLs that the mount writes into certificates from now on; what is not named stays.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki config urls write --crl-distribution-points https://ca.example/v1/pki/crl"
)]
pub(crate) struct Write {
    /// Where the issuer's certificate is: AIA caIssuers; an empty value clears
    #[arg(long, value_name = "LIST")]
    issuing_certificates: Option<Vec<String>>,
    /// Where the CRL is: CRL distribution points; an empty value clears
    #[arg(long, value_name = "LIST")]
    crl_distribution_points: Option<Vec<String>>,
    /// Where the OCSP responder is: AIA ocsp; an empty value clears
    #[arg(long, value_name = "LIST")]
    ocsp_servers: Option<Vec<String>>,
}

/// The names of the lists, as Vault has them.
pub(crate) const LISTS: [&str; 3] = ["issuing_certificates", "crl_distribution_points", "ocsp_servers"];

impl Act for Read {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let (urls, _) = read(&house, &mount)?;
        session.deliver(&answer(&urls))
    }
}

impl Act for Write {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let (mut urls, revision) = read(&house, &mount)?;
        let given = [self.issuing_certificates, self.crl_distribution_points, self.ocsp_servers];
        for (name, given) in LISTS.into_iter().zip(given) {
            let Some(given) = list::items(given) else { continue };
            for url in &given {
                check_url(name, url)?;
            }
            urls.insert(name.to_owned(), given.into());
        }
        let json = serde_json::to_vec(&urls).map_err(|_| Fault::defect("the URLs do not encode as JSON"))?;
        let op = Op::PutConfig { mount: mount.id, key: KEY.to_owned(), expected: revision, json };
        house.commit(vec![op], house.done("config/urls", Some(&mount)))?;
        session.deliver(&answer(&urls))
    }
}

const KEY: &str = "urls";

/// The mount's URLs, each list present, and what a write expects to find.
pub(crate) fn read(house: &House, mount: &Mount) -> Result<(Map<String, Value>, pki_store::Expected), Fault> {
    let stored = block_on(house.store.config(mount.id, KEY))?;
    let mut urls = Map::new();
    for name in LISTS {
        urls.insert(name.to_owned(), Value::Array(Vec::new()));
    }
    let Some(stored) = stored else {
        return Ok((urls, pki_store::Expected::Absent));
    };
    let written: Map<String, Value> = serde_json::from_slice(&stored.json).map_err(|_| {
        Fault::unusable("the stored URLs are no JSON object", "restore a backup of the store")
    })?;
    urls.extend(written);
    Ok((urls, pki_store::Expected::Revision(stored.revision)))
}

/// One of the lists, parsed.
pub(crate) fn uris(urls: &Map<String, Value>, name: &str) -> Result<Vec<Uri>, Fault> {
    let texts = urls.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    texts
        .iter()
        .filter_map(Value::as_str)
        .map(|text| {
            Uri::parse(text).map_err(|error| {
                Fault::unusable(
                    format!("the stored URL {text:?} does not parse: {error}"),
                    "write it again: `pki config urls write`",
                )
            })
        })
        .collect()
}

/// An absolute URL with a host, as Vault asks.
pub(crate) fn check_url(name: &str, url: &str) -> Result<(), Fault> {
    let flag = name.replace('_', "-");
    let uri = Uri::parse(url).map_err(|error| {
        Fault::usage(
            format!("--{flag} {url:?}: {error}"),
            "give an absolute URL such as http://ca.example/crl",
        )
    })?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(Fault::usage(
            format!("--{flag} {url:?} has no host"),
            "give an absolute URL such as http://ca.example/crl",
        ));
    }
    Ok(())
}

fn answer(urls: &Map<String, Value>) -> Answer {
    let mut answer = Answer::new();
    for name in LISTS {
        let list = urls.get(name).cloned().unwrap_or_default();
        let text: Vec<&str> =
            list.as_array().map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        answer.fact(name, text.join(", "));
        answer.set(name, list);
    }
    answer
}
