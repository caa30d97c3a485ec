//! `pki role`: named policies, who may have which certificates.

pub(crate) mod explain;
pub(crate) mod fields;
pub(crate) mod history;

use std::time::Duration;

use clap::Args;
use pki_core::role::{LooseDefault, Role, RoleConfig, RoleDocument, Storage};
use pki_store::audit::AuditEntry;
use pki_store::mount::Mount;
use pki_store::role::{RoleRecord, RoleVersion};
use pki_store::{Expected, Op, RoleId, Store, StoreError, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Shape, list};
use crate::args::Act;
use crate::duration;
use crate::fault::Fault;
use crate::issuer;
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::{House, Session};
use crate::table::Table;

use self::fields::Fields;

/// Write a whole role: fields that are not named get their defaults.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  pki role write web --allowed-domains example.org --allow-subdomains --max-ttl 720h"
)]
pub(crate) struct Write {
    /// Name of the role
    name: String,
    /// Begin with everything refused, rather than with Vault's defaults
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    strict: Option<bool>,
    #[command(flatten)]
    fields: Fields,
}

/// Change the named fields of a role; the others stay.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki role patch web --allow-bare-domains")]
pub(crate) struct Patch {
    /// Name of the role
    name: String,
    #[command(flatten)]
    fields: Fields,
}

/// Print a role as it is stored.
#[derive(Args, Debug)]
pub(crate) struct Read {
    /// Name of the role
    name: String,
}

/// List the roles of a mount.
#[derive(Args, Debug)]
pub(crate) struct List {}

/// Delete a role; certificates that it permitted stay.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Name of the role
    name: String,
}

impl Act for Write {
    fn run(self, session: &Session) -> Result<(), Fault> {
        check_name("a role", &self.name)?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let before = block_on(house.store.role(mount.id, &self.name))?;
        let defaults =
            if self.strict.unwrap_or(false) { RoleConfig::strict() } else { RoleConfig::default() };
        let config = merge(to_map(&defaults)?, &self.fields.0)?;
        // What the line says is meant; what it leaves to Vault's defaults may not be.
        let loose: Vec<LooseDefault> = config
            .loose_defaults()
            .into_iter()
            .filter(|loose| !self.fields.0.contains_key(loose.field))
            .collect();
        store(session, &house, &mount, before.as_ref(), &self.name, config, &loose)
    }
}

impl Act for Patch {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let before = find(&house, &mount, &self.name)?;
        if self.fields.0.is_empty() {
            return Err(Fault::usage(
                "the line names no field to change",
                "name at least one, such as --max-ttl 72h",
            ));
        }
        let stored = to_map(&document(&before)?.role)?;
        let config = merge(stored, &self.fields.0)?;
        store(session, &house, &mount, Some(&before), &self.name, config, &[])
    }
}

impl Act for Read {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.name)?;
        session.deliver(&answer(&record.name, &document(&record)?)?)
    }
}

impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let roles = block_on(house.store.roles(mount.id))?;
        let mut table = Table::new(&["name", "issuer", "key", "max ttl", "revision"]);
        let mut known = Map::new();
        for record in &roles {
            let RoleDocument { id, revision, role, .. } = document(record)?;
            let size = if role.key_bits == 0 { String::new() } else { format!(" {}", role.key_bits) };
            table.row(vec![
                record.name.clone(),
                role.issuer_ref.clone(),
                format!("{}{size}", role.key_type.name()),
                if role.max_ttl == 0 {
                    "mount's".to_owned()
                } else {
                    duration::display(Duration::from_secs(role.max_ttl))
                },
                revision.to_string(),
            ]);
            known.insert(
                record.name.clone(),
                json!({ "id": id, "revision": revision, "issuer_ref": role.issuer_ref }),
            );
        }
        let mut answer = list(roles.into_iter().map(|role| role.name).collect(), known);
        answer.text(table.render());
        session.deliver(&answer)
    }
}

impl Act for Delete {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = find(&house, &mount, &self.name)?;
        let op = Op::DeleteRole {
            mount: mount.id,
            name: record.name.clone(),
            expected: Expected::Revision(record.revision),
        };
        let audit = AuditEntry { role: Some(record.version()), ..house.done("role/delete", Some(&mount)) };
        house.commit(vec![op], audit)?;
        let mut answer = Answer::new();
        answer.ours("role", record.name.clone()).ours("deleted", true).fact("deleted", record.name);
        session.deliver(&answer)
    }
}

/// The mount's role of this name.
pub(crate) fn find(house: &House, mount: &Mount, name: &str) -> Result<RoleRecord, Fault> {
    if let Some(record) = block_on(house.store.role(mount.id, name))? {
        return Ok(record);
    }
    let roles = block_on(house.store.roles(mount.id))?;
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).take(NAMED_AT_MOST).collect();
    let remedy = if names.is_empty() {
        format!("the mount has no roles yet; write one: `pki --mount {} role write {name}`", mount.name)
    } else {
        format!("the mount has {}; `pki --mount {} role list` lists all", names.join(", "), mount.name)
    };
    Err(Fault::missing(format!("there is no role {name:?} in the mount {}", mount.name), remedy))
}

/// A stored role, of a format that this version knows.
pub(crate) fn document(record: &RoleRecord) -> Result<RoleDocument, Fault> {
    RoleDocument::from_json(&record.json).map_err(|error| {
        Fault::unusable(
            format!("the role {}: {error}", record.name),
            "use the version that wrote it, or write the role again: `pki role write`",
        )
    })
}

/// The role that stored fields and given ones make.
fn merge(mut fields: Map<String, Value>, given: &Map<String, Value>) -> Result<RoleConfig, Fault> {
    merge_storage(&mut fields, given)?;
    fields.extend(given.clone());
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        Fault::usage(
            format!("the role does not parse: {error}"),
            "`pki role write --help` lists each field's values",
        )
    })
}

/// Writes a role as the next revision.
fn store(
    session: &Session,
    house: &House,
    mount: &Mount,
    before: Option<&RoleRecord>,
    name: &str,
    config: RoleConfig,
    loose: &[LooseDefault],
) -> Result<(), Fault> {
    let plan = session.plan(Shape::FACTS)?;
    let accepted = Role::new(config).map_err(|error| {
        // The rules are not of the command line, but what they refuse here is a value of a flag.
        house.refuse(
            "role/write",
            mount,
            before.map(RoleRecord::version),
            None,
            Fault::usage(error.to_string(), error.remedy()),
        )
    })?;
    let new_id = RoleId::random(&mut OsRandom).map_err(StoreError::from)?;
    let (id, revision, expected) = match before {
        Some(record) => (record.id, record.revision + 1, Expected::Revision(record.revision)),
        None => (new_id, 1, Expected::Absent),
    };
    let document = RoleDocument::new(id.to_string(), revision, accepted.config().clone());
    let json = document.to_json().map_err(|_| Fault::defect("a role does not encode as JSON"))?.into_bytes();
    let op = Op::PutRole { mount: mount.id, name: name.to_owned(), new_id, expected, json };
    let audit = AuditEntry {
        role: Some(RoleVersion { id, revision }),
        detail: json!({ "name": name }).to_string(),
        ..house.done("role/write", Some(mount))
    };
    let mut answer = answer(name, &document)?;
    warn(&mut answer, house, mount, &document.role)?;
    for LooseDefault { field, grants, remedy, .. } in loose {
        answer.warn(format!("{field} is Vault's loose default and grants {grants}; refuse it with {remedy}"));
    }
    house.commit(vec![op], audit)?;
    plan.deliver(&answer)
}

/// `no_store` and `storage` say the same thing twice; what the line gives wins over what was stored.
fn merge_storage(fields: &mut Map<String, Value>, given: &Map<String, Value>) -> Result<(), Fault> {
    let none = |value: &Value| value.as_str() == Some("none");
    match (given.get("no_store").and_then(Value::as_bool), given.get("storage")) {
        (Some(no_store), Some(storage)) if no_store != none(storage) => Err(Fault::usage(
            format!(
                "--no-store={no_store} and --storage {} contradict each other",
                storage.as_str().unwrap_or_default()
            ),
            "keep --storage alone",
        )),
        (None, Some(storage)) => {
            fields.insert("no_store".to_owned(), none(storage).into());
            Ok(())
        }
        (Some(false), None) if fields.get("storage").is_some_and(none) => {
            fields.insert("storage".to_owned(), "full".into());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What works, but perhaps not as meant.
fn warn(answer: &mut Answer, house: &House, mount: &Mount, role: &RoleConfig) -> Result<(), Fault> {
    if issuer::look_up(house, mount, &role.issuer_ref)?.is_none() {
        answer.warn(if role.issuer_ref.eq_ignore_ascii_case("default") {
            format!("the mount {} has no default issuer yet", mount.name)
        } else {
            format!(
                "the mount {} has no issuer {:?} yet; until it has, nothing is issued",
                mount.name, role.issuer_ref
            )
        });
    }
    if role.max_ttl > mount.max_lease_ttl.as_secs() {
        answer.warn(format!(
            "the mount's maximum of {} is the smaller one and stays in force",
            duration::display(mount.max_lease_ttl)
        ));
    }
    if role.storage == Storage::None {
        answer.warn("certificates of this role are not kept: they cannot be listed or revoked");
    }
    Ok(())
}

fn answer(name: &str, document: &RoleDocument) -> Result<Answer, Fault> {
    let mut answer = Answer::new();
    let mut text = Table::new(&["field", "value"]);
    text.row(vec!["name".to_owned(), name.to_owned()]);
    for (field, value) in to_map(&document.role)? {
        let shown = match &value {
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect();
                items.join(", ")
            }
            other => other.to_string(),
        };
        text.row(vec![field.clone(), shown]);
        answer.set(&field, value);
    }
    text.row(vec!["revision".to_owned(), document.revision.to_string()]);
    answer
        .ours("name", name)
        .ours("id", document.id.clone())
        .ours("revision", document.revision)
        .ours("format", RoleDocument::FORMAT)
        .text(text.render());
    Ok(answer)
}

fn to_map(role: &RoleConfig) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(role) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Fault::defect("a role does not encode as a JSON object")),
    }
}

/// So many names a message lists.
const NAMED_AT_MOST: usize = 8;
