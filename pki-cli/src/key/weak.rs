//! Weak keys: the mount's list of them, what the store knows of a key, and keys that come from elsewhere.

use std::path::PathBuf;

use clap::Args;
use pki_core::explain::RuleId;
use pki_core::key::PublicKey;
use pki_core::key::weak::{self, Certified, KeyHistory, KnownWeakKeys, Listed};
use pki_core::role::KeyReuse;
use pki_store::certificate::CertificateFilter;
use pki_store::mount::Mount;
use pki_store::page::{Order, PageRequest};
use pki_store::{Expected, Op, Store, block_on};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::session::{House, Session};

/// Print how many keys the mount's list of weak keys has.
#[derive(Args, Debug)]
pub(crate) struct Read {}

/// Add a list of weak keys to the mount's: those of openssl-blacklist (20 hexadecimal digits a line), or a JSON array.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki config weak-keys import /usr/share/openssl-blacklist/blacklist.RSA-2048"
)]
pub(crate) struct Import {
    /// File with the list, `-` for standard input
    file: PathBuf,
}

/// Empty the mount's list of weak keys.
#[derive(Args, Debug)]
pub(crate) struct Clear {}

impl Act for Read {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let (list, _) = read(&house, &mount)?;
        session.deliver(&answer(&list))
    }
}

impl Act for Import {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let octets = input::read(&self.file, Limit::WeakKeys)?;
        let remedy =
            "name a list of openssl-blacklist: lines of 20 hexadecimal digits, or a JSON array of them";
        let text = std::str::from_utf8(&octets)
            .map_err(|_| Fault::usage(format!("{} is no text", input::name(&self.file)), remedy))?;
        let added = KnownWeakKeys::parse(text)
            .map_err(|error| Fault::usage(format!("{}: {error}", input::name(&self.file)), remedy))?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let (list, revision) = read(&house, &mount)?;
        let list = list.with(added);
        write(&house, &mount, &list, revision, "config/weak-keys/import")?;
        session.deliver(&answer(&list))
    }
}

impl Act for Clear {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let (_, revision) = read(&house, &mount)?;
        let list = KnownWeakKeys::default();
        write(&house, &mount, &list, revision, "config/weak-keys/clear")?;
        session.deliver(&answer(&list))
    }
}

/// What the store knows of a key that a role is asked to certify.
pub(crate) fn history(
    house: &House,
    mount: &Mount,
    key: &PublicKey,
    reuse: KeyReuse,
) -> Result<KeyHistory, Fault> {
    let certified = match reuse {
        // Who does not ask does not pay for the answer.
        KeyReuse::Permit => Certified::Unknown,
        KeyReuse::Refuse => {
            let filter = CertificateFilter {
                key_digest: Some(Sha256::digest(key.spki_der()).into()),
                ..CertificateFilter::default()
            };
            let first = PageRequest { after: None, limit: 1, order: Order::OldestFirst };
            let page = block_on(house.store.certificates(&filter, first, house.now))?;
            page.items.first().map_or(Certified::Never, |row| Certified::Before(row.record.serial))
        }
    };
    Ok(KeyHistory { listed: listed(house, mount, key)?, certified })
}

/// The same for a key of a CA, which may be certified again.
pub(crate) fn history_of_ca(house: &House, mount: &Mount, key: &PublicKey) -> Result<KeyHistory, Fault> {
    history(house, mount, key, KeyReuse::Permit)
}

/// Refuses to take in a key that is broken. What is merely unusual is a warning: old CAs have such keys.
pub(crate) fn check_import(house: &House, mount: &Mount, key: &PublicKey) -> Result<Option<String>, Fault> {
    match weak::check(key, listed(house, mount, key)?) {
        Ok(()) => Ok(None),
        Err(weak) if weak.is_broken() => Err(Fault::refused(
            format!("{weak} [{}]", RuleId::KEY_WEAK),
            "make a new key, and have what the old one signed issued again: `pki key generate`",
        )),
        Err(weak) => {
            Ok(Some(format!("{weak} [{}]; the mount signs no request for such a key", RuleId::KEY_WEAK)))
        }
    }
}

/// Lists have RSA keys alone, and are read for them alone.
fn listed(house: &House, mount: &Mount, key: &PublicKey) -> Result<Listed, Fault> {
    if key.key_type() != pki_core::key::KeyType::Rsa {
        return Ok(Listed::No);
    }
    let (list, _) = read(house, mount)?;
    Ok(if list.contains(key) { Listed::Yes } else { Listed::No })
}

fn read(house: &House, mount: &Mount) -> Result<(KnownWeakKeys, Expected), Fault> {
    let Some(stored) = block_on(house.store.config(mount.id, KEY))? else {
        return Ok((KnownWeakKeys::default(), Expected::Absent));
    };
    let unreadable =
        || Fault::unusable("the stored list of weak keys does not read", "restore a backup of the store");
    let document: Value = serde_json::from_slice(&stored.json).map_err(|_| unreadable())?;
    let digits = document.get("digests").and_then(Value::as_str).ok_or_else(unreadable)?;
    let octets: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let list = octets.and_then(|octets| KnownWeakKeys::from_octets(&octets).ok()).ok_or_else(unreadable)?;
    Ok((list, Expected::Revision(stored.revision)))
}

fn write(
    house: &House,
    mount: &Mount,
    list: &KnownWeakKeys,
    expected: Expected,
    operation: &str,
) -> Result<(), Fault> {
    let digits: String = list.to_octets().iter().map(|octet| format!("{octet:02x}")).collect();
    let json = json!({ "digests": digits }).to_string().into_bytes();
    let op = Op::PutConfig { mount: mount.id, key: KEY.to_owned(), expected, json };
    house.commit(vec![op], house.done(operation, Some(mount)))?;
    Ok(())
}

fn answer(list: &KnownWeakKeys) -> Answer {
    let mut answer = Answer::new();
    answer.ours("weak_keys", list.len()).fact("weak keys", list.len().to_string());
    answer
}

const KEY: &str = "weak-keys";
