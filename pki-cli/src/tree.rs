//! `pki tree`: mounts, their issuers in their hierarchy, and when each ends.

use clap::Args;
use pki_core::certificate::Certificate;
use pki_store::issuer::IssuerRecord;
use pki_store::key::KeyRecord;
use pki_store::mount::{Mount, MountKind};
use pki_store::{Store, block_on};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::issuer::{self, load};
use crate::period;
use crate::session::{House, Session};
use crate::table::printable;

/// Draw the hierarchy: mounts, issuers, what each has left, and keys that wait for a certificate.
#[derive(Args, Debug)]
pub(crate) struct Tree {}

impl Act for Tree {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let mounts = match session.named_mount() {
            Some(_) => vec![house.pki_mount(session)?],
            None => block_on(house.store.mounts())?,
        };
        let mut text = String::new();
        let mut drawn = Vec::new();
        for mount in mounts.iter().filter(|mount| mount.kind == MountKind::Pki) {
            let (lines, value) = draw(&house, mount)?;
            text.push_str(&lines);
            drawn.push(value);
        }
        let mut answer = Answer::new();
        answer.ours("mounts", drawn).text(text);
        session.deliver(&answer)
    }
}

struct Node {
    record: IssuerRecord,
    certificate: Certificate,
}

fn draw(house: &House, mount: &Mount) -> Result<(String, Value), Fault> {
    let mut nodes = Vec::new();
    for record in block_on(house.store.issuers(mount.id))? {
        let certificate = load::certificate(&record)?;
        nodes.push(Node { record, certificate });
    }
    let pending: Vec<KeyRecord> = block_on(house.store.keys(mount.id))?
        .into_iter()
        .filter(|key| nodes.iter().all(|node| node.record.key != Some(key.id)))
        .collect();
    let parents: Vec<Option<usize>> = (0..nodes.len()).map(|index| parent(&nodes, index)).collect();
    let tops: Vec<usize> = children(&parents, None);
    let mut text = format!("{}\n", mount.name);
    let last = tops.len() + pending.len();
    let mut values = Vec::new();
    for (position, &index) in tops.iter().enumerate() {
        values.push(branch(house, mount, &nodes, &parents, index, "", position + 1 == last, &mut text));
    }
    for (position, key) in pending.iter().enumerate() {
        let arm = if tops.len() + position + 1 == last { "└─ " } else { "├─ " };
        let what = match &key.pending_issuer_name {
            Some(name) => format!("{name}: waits for its signed certificate"),
            None => "has no certificate".to_owned(),
        };
        text.push_str(&printable(&format!("{arm}key {} ({}) {what}", label(key), key.key_type)));
        text.push('\n');
    }
    if last == 0 {
        text.push_str("└─ (nothing yet)\n");
    }
    let pending: Vec<Value> = pending
        .iter()
        .map(|key| json!({ "key_id": key.id.to_string(), "pending_issuer_name": key.pending_issuer_name }))
        .collect();
    Ok((text, json!({ "mount": mount.name, "issuers": values, "pending_keys": pending })))
}

#[expect(clippy::too_many_arguments, reason = "a recursion that carries its indent and its output")]
fn branch(
    house: &House,
    mount: &Mount,
    nodes: &[Node],
    parents: &[Option<usize>],
    index: usize,
    indent: &str,
    is_last: bool,
    text: &mut String,
) -> Value {
    let Some(node) = nodes.get(index) else {
        return Value::Null;
    };
    let end = node.certificate.validity().not_after();
    let is_default = mount.default_issuer == Some(node.record.id);
    let mut marks = vec![period::left(end, house.now)];
    if is_default {
        marks.push("default".to_owned());
    }
    if node.record.key.is_none() {
        marks.push("no key here".to_owned());
    }
    let arm = if is_last { "└─ " } else { "├─ " };
    let line = format!(
        "{arm}{}  {}  until {} ({})",
        issuer::label(&node.record),
        node.certificate.subject(),
        end,
        marks.join(", ")
    );
    text.push_str(indent);
    text.push_str(&printable(&line));
    text.push('\n');
    let below = children(parents, Some(index));
    let indent = format!("{indent}{}", if is_last { "   " } else { "│  " });
    let values: Vec<Value> = below
        .iter()
        .enumerate()
        .map(|(position, &child)| {
            let is_last = position + 1 == below.len();
            branch(house, mount, nodes, parents, child, &indent, is_last, text)
        })
        .collect();
    json!({
        "issuer_id": node.record.id.to_string(),
        "issuer_name": node.record.name,
        "subject": node.certificate.subject().to_string(),
        "serial_number": node.certificate.serial().to_string(),
        "not_after": end.as_secs(),
        "is_default": is_default,
        "key_id": node.record.key.map(|key| key.to_string()),
        "issuers": values,
    })
}

/// The issuer in the same mount that signed this one; never itself, and never below it.
fn parent(nodes: &[Node], index: usize) -> Option<usize> {
    let node = nodes.get(index)?;
    if node.certificate.is_self_issued() {
        return None;
    }
    let found = nodes.iter().enumerate().position(|(other, candidate)| {
        other != index
            && candidate.certificate.subject().matches(node.certificate.issuer())
            && match (
                node.certificate.authority_key_identifier(),
                candidate.certificate.subject_key_identifier(),
            ) {
                (Some(wanted), Some(theirs)) => wanted == theirs,
                _ => true,
            }
    })?;
    // Two CAs that signed each other make a loop; the older one is then drawn at the top.
    let loops = nodes.get(found).is_some_and(|above| {
        above.certificate.issuer().matches(node.certificate.subject()) && !above.certificate.is_self_issued()
    });
    (!loops || found < index).then_some(found)
}

fn children(parents: &[Option<usize>], of: Option<usize>) -> Vec<usize> {
    (0..parents.len()).filter(|&index| parents.get(index) == Some(&of)).collect()
}

fn label(key: &KeyRecord) -> String {
    key.name.clone().unwrap_or_else(|| key.id.to_string())
}
