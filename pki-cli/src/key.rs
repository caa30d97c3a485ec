//! `pki key`: the private keys of a mount. They never leave the store unless they are exported when they are made.

pub(crate) mod source;
pub(crate) mod weak;

use std::path::PathBuf;

use clap::Args;
use pki_core::key::software::SoftwareKey;
use pki_core::key::{PrivateKeyDer, PrivateKeyFormat, PublicKey, SigningKey};
use pki_store::key::{KeyMatch, KeyRecord, NewKey};
use pki_store::mount::Mount;
use pki_store::{KeyId, Op, Store, StoreError, block_on};
use serde_json::{Map, json};
use zeroize::Zeroizing;

use crate::answer::{Answer, list};
use crate::args::Act;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::{House, Session, read_passphrase};
use crate::table::Table;

use self::source::{Exported, KeyKind};

/// List the keys of a mount.
#[derive(Args, Debug)]
pub(crate) struct List {}

/// Generate a key that a root or an intermediate is made for later (--type existing --key-ref NAME).
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki key generate --key-name signing-2026 --key-type ec --key-bits 384")]
pub(crate) struct Generate {
    #[command(flatten)]
    kind: KeyKind,
    /// Name of the key
    #[arg(long, value_name = "NAME")]
    key_name: Option<String>,
    /// internal: the key stays in the store; exported: it is printed once too
    #[arg(long = "type", default_value = "internal", value_name = "TYPE")]
    exported: Exported,
}

/// Print what a key is: its type, size and identifier. Its private half stays where it is.
#[derive(Args, Debug)]
pub(crate) struct Read {
    /// Name, id, or `default`
    #[arg(default_value = "default")]
    reference: String,
}

/// Name a key.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki key rename default --key-name signing-2026")]
pub(crate) struct Rename {
    /// Name, id, or `default`
    reference: String,
    /// New name; an empty one takes the name away
    #[arg(long, value_name = "NAME")]
    key_name: String,
}

/// Delete a private key for good. No issuer may have it.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Name, id, or `default`
    reference: String,
}

/// Import a private key: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC 1, PEM or DER.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki key import ca-key.pem --key-name old-root")]
pub(crate) struct Import {
    /// File with one private key, `-` for standard input
    file: PathBuf,
    /// Name of the key
    #[arg(long, value_name = "NAME")]
    key_name: Option<String>,
    /// File with the password of an encrypted key
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let keys = block_on(house.store.keys(mount.id))?;
        let issuers = block_on(house.store.issuers(mount.id))?;
        let mut table = Table::new(&["id", "name", "type", "bits", "issuer", "default"]);
        let mut known = Map::new();
        for key in &keys {
            let name = key.name.clone().unwrap_or_default();
            let is_default = mount.default_key == Some(key.id);
            let used: Vec<String> = issuers
                .iter()
                .filter(|issuer| issuer.key == Some(key.id))
                .map(|issuer| issuer.name.clone().unwrap_or_else(|| issuer.id.to_string()))
                .collect();
            let issuer = match (&key.pending_issuer_name, used.is_empty()) {
                (_, false) => used.join(", "),
                (Some(pending), true) => format!("{pending} (pending)"),
                (None, true) => String::new(),
            };
            table.row(vec![
                key.id.to_string(),
                name.clone(),
                key.key_type.clone(),
                key.bits.to_string(),
                issuer,
                mark(is_default),
            ]);
            known.insert(
                key.id.to_string(),
                json!({
                    "key_name": name,
                    "is_default": is_default,
                    "pki": {
                        "key_type": key.key_type,
                        "key_bits": key.bits,
                        "issuers": used,
                        "pending_issuer_name": key.pending_issuer_name,
                    },
                }),
            );
        }
        let mut answer = list(keys.iter().map(|key| key.id.to_string()).collect(), known);
        answer.text(table.render());
        session.deliver(&answer)
    }
}

impl Act for Read {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        session.deliver(&described(&record)?)
    }
}

impl Act for Rename {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        let name = Some(self.key_name).filter(|name| !name.is_empty());
        if let Some(name) = &name {
            check_name("a key", name)?;
        }
        let op = Op::RenameKey { key: record.id, name };
        house.commit(vec![op], house.done("key/rename", Some(&mount)))?;
        let record = find(&house, &mount, &record.id.to_string())?;
        session.deliver(&described(&record)?)
    }
}

impl Act for Delete {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.reference)?;
        let mut answer = described(&record)?;
        if mount.default_key == Some(record.id) {
            answer.warn("it was the mount's default key, and there is none now");
        }
        if let Some(name) = &record.pending_issuer_name {
            answer
                .warn(format!("it waited for the signed certificate of {name}, which cannot come back now"));
        }
        let mut audit = house.done("key/delete", Some(&mount));
        audit.detail = json!({ "key_id": record.id.to_string(), "key_name": record.name }).to_string();
        house.commit(vec![Op::DeleteKey { key: record.id }], audit)?;
        session.deliver(&answer)
    }
}

/// Vault's answer about a key of the store.
fn described(record: &KeyRecord) -> Result<Answer, Fault> {
    let public_key = PublicKey::from_spki_der(&record.public_key).map_err(|error| {
        Fault::unusable(
            format!("the stored key {} does not read: {error}", record.id),
            "restore a backup of the store",
        )
    })?;
    let mut answer = Answer::new();
    describe(&mut answer, record.id, record.name.as_deref(), &public_key);
    Ok(answer)
}

impl Act for Generate {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let algorithm = self.kind.algorithm()?;
        let plan = session.plan(crate::answer::Shape {
            fields: &["key_id", "key_name", "key_type", "private_key"],
            ..crate::answer::Shape::FACTS
        })?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        if let Some(name) = &self.key_name {
            check_name("a key", name)?;
        }
        let key = source::generate(algorithm)?;
        let new = new_key(&house, &mount, &key, self.key_name.clone(), None)?;
        let mut answer = Answer::new();
        describe(&mut answer, new.id, self.key_name.as_deref(), key.public_key());
        if self.exported == Exported::Exported {
            answer.secret("private_key", pem(&key, PrivateKeyFormat::Traditional)?);
        }
        let staged = plan.stage(&answer)?;
        house.commit(vec![Op::CreateKey(new)], house.done("key/generate", Some(&mount)))?;
        staged.publish()
    }
}

impl Act for Import {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let key = read(&self.file, self.password_file.as_deref())?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        if let Some(name) = &self.key_name {
            check_name("a key", name)?;
        }
        let mut answer = Answer::new();
        let existing = by_public_key(&house, &mount, key.public_key())?;
        if let Some(existing) = existing {
            describe(&mut answer, existing.id, existing.name.as_deref(), key.public_key());
            answer.warn("the mount already has this key; its name stays");
            return session.deliver(&answer);
        }
        let warning = weak::check_import(&house, &mount, key.public_key())
            .map_err(|fault| house.refuse("key/import", &mount, None, None, fault))?;
        if let Some(warning) = warning {
            answer.warn(warning);
        }
        let new = new_key(&house, &mount, &key, self.key_name.clone(), None)?;
        describe(&mut answer, new.id, self.key_name.as_deref(), key.public_key());
        house.commit(vec![Op::CreateKey(new)], house.done("key/import", Some(&mount)))?;
        session.deliver(&answer)
    }
}

/// A key from a file.
pub(crate) fn read(
    file: &std::path::Path,
    password_file: Option<&std::path::Path>,
) -> Result<SoftwareKey, Fault> {
    let octets = input::read(file, Limit::Bundle)?;
    let password = password_file.map(read_passphrase).transpose()?;
    let password = password.as_ref().map(|password| password.as_slice());
    let key = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => PrivateKeyDer::from_pem(text, password),
        _ => PrivateKeyDer::from_der(&octets, password),
    };
    key.and_then(|key| SoftwareKey::from_private_key(&key)).map_err(|error| {
        Fault::usage(
            format!("{}: {error}", input::name(file)),
            "name a file with one private key: PKCS#8, PKCS#1 or SEC 1 (--password-file for an encrypted one)",
        )
    })
}

/// A key sealed for the store.
pub(crate) fn new_key(
    house: &House,
    mount: &Mount,
    key: &SoftwareKey,
    name: Option<String>,
    pending_issuer_name: Option<String>,
) -> Result<NewKey, Fault> {
    let id = KeyId::random(&mut OsRandom).map_err(StoreError::from)?;
    let private = key
        .to_private_key()
        .map_err(|error| Fault::defect(format!("a key that was just made does not encode: {error}")))?;
    let public = key.public_key();
    Ok(NewKey {
        id,
        mount: mount.id,
        name,
        key_type: public.key_type().to_string(),
        bits: public.bits(),
        public_key: public.spki_der().to_vec(),
        private_key: house.store.seal(&NewKey::place(id), private.pkcs8_der(), &mut OsRandom)?,
        pending_issuer_name,
    })
}

/// Opens a key of the store.
pub(crate) fn open(house: &House, record: &KeyRecord) -> Result<SoftwareKey, Fault> {
    let pkcs8 = house.store.unseal(&record.place(), &record.private_key)?;
    PrivateKeyDer::from_der(&pkcs8, None).and_then(|key| SoftwareKey::from_private_key(&key)).map_err(
        |error| {
            Fault::unusable(
                format!("the stored key {} does not open: {error}", record.id),
                "restore a backup of the store",
            )
        },
    )
}

/// The mount's key with this public half.
pub(crate) fn by_public_key(
    house: &House,
    mount: &Mount,
    public_key: &PublicKey,
) -> Result<Option<KeyRecord>, Fault> {
    let wanted = KeyMatch::PublicKey(public_key.spki_der().to_vec());
    Ok(block_on(house.store.key_matching(mount.id, &wanted))?)
}

/// The key that a reference names: its id, its name, or `default`.
pub(crate) fn find(house: &House, mount: &Mount, reference: &str) -> Result<KeyRecord, Fault> {
    let id: Option<KeyId> =
        if reference.eq_ignore_ascii_case("default") { mount.default_key } else { reference.parse().ok() };
    let mut found = match id {
        Some(id) => block_on(house.store.key(id))?.filter(|key| key.mount == mount.id),
        None => None,
    };
    if found.is_none() {
        let wanted = KeyMatch::Name(reference.to_owned());
        found = block_on(house.store.key_matching(mount.id, &wanted))?;
    }
    found.ok_or_else(|| {
        Fault::missing(
            format!("there is no key {reference:?} in the mount {}", mount.name),
            format!("`pki --mount {} key list` lists the keys", mount.name),
        )
    })
}

/// The private key as people keep it.
pub(crate) fn pem(key: &SoftwareKey, format: PrivateKeyFormat) -> Result<Zeroizing<String>, Fault> {
    key.to_private_key()
        .map(|key| key.to_pem(format))
        .map_err(|error| Fault::defect(format!("a key that was just made does not encode: {error}")))
}

fn describe(answer: &mut Answer, id: KeyId, name: Option<&str>, public_key: &PublicKey) {
    let key_type = public_key.key_type().to_string();
    answer
        .set("key_id", id.to_string())
        .set("key_name", name.unwrap_or_default())
        .set("key_type", key_type.clone())
        .ours("key_bits", public_key.bits())
        .ours("subject_key_id", public_key.key_identifier().to_string())
        .fact("key", name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})")))
        .fact("type", format!("{key_type} {}", public_key.bits()));
}

pub(crate) fn mark(yes: bool) -> String {
    if yes { "yes".to_owned() } else { String::new() }
}
