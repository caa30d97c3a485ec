//! `pki mount`: named sets of issuers, keys, roles and configuration.

use std::time::Duration;

use clap::Args;
use pki_store::mount::{DEFAULT_LEASE_TTL, Mount, MountKind, NewMount};
use pki_store::{MountId, Op, Store, StoreError, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, list};
use crate::args::Act;
use crate::duration;
use crate::fault::Fault;
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::Session;
use crate::table::Table;

/// Create a mount.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki mount enable pki_int --max-lease-ttl 43800h")]
pub(crate) struct Enable {
    /// Name of the new mount
    name: String,
    /// What it holds: pki or database
    #[arg(long = "type", default_value = "pki", value_name = "TYPE")]
    kind: MountKind,
    #[command(flatten)]
    limits: Limits,
}

/// Change a mount's limits.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki mount tune pki --max-lease-ttl 87600h")]
pub(crate) struct Tune {
    /// Name of the mount
    name: String,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Args, Debug)]
struct Limits {
    /// Lifetime of what is asked for without a TTL [new mounts: 768h]
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    default_lease_ttl: Option<Duration>,
    /// Longest lifetime of anything issued here [new mounts: 768h]
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    max_lease_ttl: Option<Duration>,
    /// A note for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

/// List the mounts.
#[derive(Args, Debug)]
pub(crate) struct List {}

/// End a mount: its name is free again, its certificates and revocations stay on record.
#[derive(Args, Debug)]
pub(crate) struct Disable {
    /// Name of the mount
    name: String,
}

impl Act for Enable {
    fn run(self, session: &Session) -> Result<(), Fault> {
        check_name("a mount", &self.name)?;
        let house = session.open()?;
        let id = MountId::random(&mut OsRandom).map_err(StoreError::from)?;
        let mut mount = NewMount::new(id, &self.name, self.kind);
        mount.description = self.limits.description.unwrap_or_default();
        set(&mut mount.default_lease_ttl, self.limits.default_lease_ttl);
        set(&mut mount.max_lease_ttl, self.limits.max_lease_ttl);
        // A default that nobody gave follows a maximum that is smaller.
        if self.limits.default_lease_ttl.is_none() {
            mount.default_lease_ttl = mount.default_lease_ttl.min(mount.max_lease_ttl);
        }
        check_limits(&self.name, mount.default_lease_ttl, mount.max_lease_ttl)?;
        let mut audit = house.done("mount/enable", None);
        audit.detail = json!({ "name": self.name }).to_string();
        house.commit(vec![Op::CreateMount(mount)], audit)?;
        session.deliver(&answer(&house.mount(&self.name)?))
    }
}

impl Act for Tune {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.mount(&self.name)?;
        let mut default = mount.default_lease_ttl;
        let mut maximum = mount.max_lease_ttl;
        set(&mut default, self.limits.default_lease_ttl);
        set(&mut maximum, self.limits.max_lease_ttl);
        check_limits(&self.name, default, maximum)?;
        let op = Op::TuneMount {
            mount: mount.id,
            description: self.limits.description,
            default_lease_ttl: Some(default),
            max_lease_ttl: Some(maximum),
        };
        house.commit(vec![op], house.done("mount/tune", Some(&mount)))?;
        session.deliver(&answer(&house.mount(&self.name)?))
    }
}

impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mounts = block_on(house.store.mounts())?;
        let mut table = Table::new(&["name", "type", "default ttl", "max ttl", "description"]);
        let mut known = Map::new();
        for mount in &mounts {
            table.row(vec![
                mount.name.clone(),
                mount.kind.to_string(),
                duration::display(mount.default_lease_ttl),
                duration::display(mount.max_lease_ttl),
                mount.description.clone(),
            ]);
            known.insert(mount.name.clone(), describe(mount));
        }
        let mut answer = list(mounts.into_iter().map(|mount| mount.name).collect(), known);
        answer.text(table.render());
        session.deliver(&answer)
    }
}

impl Act for Disable {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.mount(&self.name)?;
        house
            .commit(vec![Op::DisableMount { mount: mount.id }], house.done("mount/disable", Some(&mount)))?;
        let mut answer = Answer::new();
        answer.ours("mount", mount.name.clone()).ours("disabled", true).fact("disabled", mount.name);
        session.deliver(&answer)
    }
}

/// `0` means the default.
fn set(limit: &mut Duration, given: Option<Duration>) {
    if let Some(given) = given {
        *limit = if given.is_zero() { DEFAULT_LEASE_TTL } else { given };
    }
}

fn check_limits(name: &str, default: Duration, maximum: Duration) -> Result<(), Fault> {
    if default > maximum {
        return Err(Fault::refused(
            format!(
                "the default TTL {} of the mount {name} exceeds its maximum {}",
                duration::display(default),
                duration::display(maximum)
            ),
            "raise --max-lease-ttl or lower --default-lease-ttl",
        ));
    }
    Ok(())
}

fn answer(mount: &Mount) -> Answer {
    let mut answer = Answer::new();
    answer
        .set("default_lease_ttl", mount.default_lease_ttl.as_secs())
        .set("max_lease_ttl", mount.max_lease_ttl.as_secs())
        .set("description", mount.description.clone())
        .ours("mount", mount.name.clone())
        .ours("mount_id", mount.id.to_string())
        .ours("type", mount.kind.name())
        .fact("mount", mount.name.clone())
        .fact("type", mount.kind.name())
        .fact("default TTL", duration::display(mount.default_lease_ttl))
        .fact("max TTL", duration::display(mount.max_lease_ttl));
    if !mount.description.is_empty() {
        answer.fact("description", mount.description.clone());
    }
    answer
}

fn describe(mount: &Mount) -> Value {
    json!({
        "type": mount.kind.name(),
        "description": mount.description,
        "config": {
            "default_lease_ttl": mount.default_lease_ttl.as_secs(),
            "max_lease_ttl": mount.max_lease_ttl.as_secs(),
        },
        "mount_id": mount.id.to_string(),
    })
}
