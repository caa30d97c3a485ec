//! `pki role history`, `diff` and `rollback`: what a role was, what changed, and back again.

use clap::Args;
use pki_core::role::{RoleConfig, RoleDocument};
use pki_store::mount::Mount;
use pki_store::role::RoleRecord;
use pki_store::{Store, block_on};
use serde_json::{Map, Value, json};

use super::{document, find, store, to_map};
use crate::answer::{Answer, list};
use crate::args::Act;
use crate::fault::Fault;
use crate::session::{House, Session};
use crate::table::Table;

/// List the revisions of a role, newest first, with what each changed.
#[derive(Args, Debug)]
pub(crate) struct History {
    /// Name of the role
    name: String,
}

/// Show what differs between two revisions of a role, or between two roles.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  pki role diff web                   # what the last write changed
  pki role diff web --from 2 --to 5
  pki role diff web mail")]
pub(crate) struct Diff {
    /// Name of the role
    name: String,
    /// Another role to compare with
    other: Option<String>,
    /// Revision to compare from [default: the one before --to]
    #[arg(long, value_name = "REVISION")]
    from: Option<u64>,
    /// Revision to compare with [default: the present one]
    #[arg(long, value_name = "REVISION")]
    to: Option<u64>,
}

/// Write an older revision of a role again, as a new revision.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki role rollback web --revision 3")]
pub(crate) struct Rollback {
    /// Name of the role
    name: String,
    /// The revision whose content comes back
    #[arg(long, value_name = "REVISION")]
    revision: u64,
}

impl Act for History {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let revisions = Revisions::of(&house, &mount, &self.name)?;
        let mut table = Table::new(&["revision", "written", "changed"]);
        let mut known = Map::new();
        let mut keys = Vec::new();
        for (position, record) in revisions.records.iter().enumerate().rev() {
            let before = position.checked_sub(1).and_then(|before| revisions.records.get(before));
            let changed: Vec<String> = match before {
                Some(before) => {
                    let changes = changes(&document(before)?.role, &document(record)?.role)?;
                    changes.into_iter().map(|change| change.field).collect()
                }
                None => vec!["everything".to_owned()],
            };
            let key = record.revision.to_string();
            table.row(vec![key.clone(), record.updated_at.to_string(), changed.join(", ")]);
            known.insert(
                key.clone(),
                json!({ "time": record.updated_at.as_secs(), "name": record.name, "changed": changed }),
            );
            keys.push(key);
        }
        let mut answer = list(keys, known);
        answer.text(table.render());
        session.deliver(&answer)
    }
}

impl Act for Diff {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let revisions = Revisions::of(&house, &mount, &self.name)?;
        let (from, to) = match &self.other {
            Some(other) => {
                let others = Revisions::of(&house, &mount, other)?;
                (revisions.at_or_last(self.from)?.clone(), others.at_or_last(self.to)?.clone())
            }
            None => {
                let to = revisions.at_or_last(self.to)?;
                let from = match self.from {
                    Some(from) => revisions.at(from)?,
                    None => revisions.at(to.revision - 1).map_err(|_| {
                        Fault::usage(
                            format!("revision {} is the first of the role {}", to.revision, to.name),
                            "name another role, or a later revision with --to",
                        )
                    })?,
                };
                (from.clone(), to.clone())
            }
        };
        let changes = changes(&document(&from)?.role, &document(&to)?.role)?;
        let mut table = Table::new(&["field", "from", "to"]);
        for Change { field, from, to } in &changes {
            let (from, to) = shown(from, to);
            table.row(vec![field.clone(), from, to]);
        }
        let side = |record: &RoleRecord| json!({ "name": record.name, "revision": record.revision });
        let lines: Vec<Value> = changes
            .iter()
            .map(|change| json!({ "field": change.field, "from": change.from, "to": change.to }))
            .collect();
        let mut answer = Answer::new();
        answer.ours("from", side(&from)).ours("to", side(&to)).ours("changes", lines);
        answer.text(if changes.is_empty() { "nothing differs\n".to_owned() } else { table.render() });
        session.deliver(&answer)
    }
}

impl Act for Rollback {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let revisions = Revisions::of(&house, &mount, &self.name)?;
        let present = revisions.at_or_last(None)?;
        let RoleDocument { role, .. } = document(revisions.at(self.revision)?)?;
        if role == document(present)?.role {
            return Err(Fault::usage(
                format!(
                    "revision {} is what the role {} says now (revision {})",
                    self.revision, present.name, present.revision
                ),
                format!("`pki --mount {} role history {}` lists what changed when", mount.name, present.name),
            ));
        }
        store(session, &house, &mount, Some(present), &present.name, role, &[])
    }
}

/// Every revision of the role that has this name now, oldest first.
struct Revisions {
    mount: String,
    records: Vec<RoleRecord>,
}

impl Revisions {
    fn of(house: &House, mount: &Mount, name: &str) -> Result<Self, Fault> {
        let present = find(house, mount, name)?;
        let records = block_on(house.store.role_history(present.id))?;
        Ok(Self { mount: mount.name.clone(), records })
    }

    fn at(&self, revision: u64) -> Result<&RoleRecord, Fault> {
        self.records.iter().find(|record| record.revision == revision).ok_or_else(|| {
            let last = self.records.last();
            let name = last.map(|record| record.name.as_str()).unwrap_or_default();
            Fault::missing(
                format!("the role {name} has no revision {revision}"),
                format!(
                    "it has 1 to {}; `pki --mount {} role history {name}` lists them",
                    last.map_or(0, |record| record.revision),
                    self.mount
                ),
            )
        })
    }

    fn at_or_last(&self, revision: Option<u64>) -> Result<&RoleRecord, Fault> {
        match (revision, self.records.last()) {
            (Some(revision), _) => self.at(revision),
            (None, Some(last)) => Ok(last),
            (None, None) => {
                Err(Fault::unusable("the role has no revisions", "restore a backup of the store"))
            }
        }
    }
}

/// A field that two roles have different values in.
struct Change {
    field: String,
    from: Value,
    to: Value,
}

fn changes(from: &RoleConfig, to: &RoleConfig) -> Result<Vec<Change>, Fault> {
    let mut after = to_map(to)?;
    Ok(to_map(from)?
        .into_iter()
        .filter_map(|(field, from)| {
            let to = after.remove(&field).unwrap_or(Value::Null);
            (from != to).then_some(Change { field, from, to })
        })
        .collect())
}

/// Both sides for people: of lists, only what the other side lacks.
fn shown(from: &Value, to: &Value) -> (String, String) {
    let plain = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match (from, to) {
        (Value::Array(from), Value::Array(to)) => {
            let lacking = |these: &[Value], those: &[Value], sign: char| {
                let lacking = these.iter().filter(|item| !those.contains(item));
                lacking.map(|item| format!("{sign}{}", plain(item))).collect::<Vec<_>>().join(" ")
            };
            (lacking(from, to, '-'), lacking(to, from, '+'))
        }
        (from, to) => (plain(from), plain(to)),
    }
}
