//! `pki audit`: who did what, and what was refused.

use clap::Args;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use pki_store::audit::{AuditFilter, AuditOutcome};
use pki_store::{Cursor, PageRequest, Store, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, list};
use crate::args::Act;
use crate::explanation::also_refused;
use crate::fault::Fault;
use crate::names::parse_time;
use crate::session::Session;
use crate::table::Table;

/// Print the audit log, newest first.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki audit show --outcome refused --limit 20")]
pub(crate) struct Show {
    /// Only what this requester did
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// Only operations that begin so, such as pki/ or role/write
    #[arg(long, value_name = "TEXT")]
    operation: Option<String>,
    /// Only about this certificate
    #[arg(long, value_parser = crate::cert::parse_serial, value_name = "SERIAL")]
    serial: Option<SerialNumber>,
    /// Only with this outcome: done, refused
    #[arg(long, value_parser = parse_outcome, value_name = "OUTCOME")]
    outcome: Option<AuditOutcome>,
    /// Only since this time, RFC 3339
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    since: Option<UnixTime>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: usize,
    /// Go on after the page that ended with this cursor
    #[arg(long, value_parser = parse_cursor, value_name = "CURSOR")]
    after: Option<Cursor>,
}

/// Check that no row of the audit log was edited or removed.
#[derive(Args, Debug)]
pub(crate) struct Verify {}

impl Act for Show {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let filter = AuditFilter {
            mount: match session.named_mount() {
                Some(name) => Some(house.mount(&name)?.id),
                None => None,
            },
            requester: self.requester,
            operation: self.operation,
            serial: self.serial,
            outcome: self.outcome,
            since: self.since,
        };
        let request = PageRequest {
            after: self.after,
            limit: if self.limit == 0 { PageRequest::LIMIT } else { self.limit.min(PageRequest::LIMIT) },
            ..PageRequest::first(0)
        };
        let page = block_on(house.store.audit(&filter, request))?;
        let mounts = block_on(house.store.mounts())?;
        let mut table = Table::new(&["time", "requester", "operation", "mount", "outcome", "about"]);
        let mut known = Map::new();
        let mut keys = Vec::new();
        for row in &page.items {
            let entry = &row.entry;
            let mount = entry.mount.map_or_else(String::new, |id| {
                let known = mounts.iter().find(|mount| mount.id == id);
                known.map_or_else(|| id.to_string(), |mount| mount.name.clone())
            });
            let detail: Value = serde_json::from_str(&entry.detail).unwrap_or(Value::Null);
            let about = match (&entry.serial, detail.get("fault").and_then(Value::as_str)) {
                (_, Some(fault)) => {
                    let more = detail.get("trace").map(also_refused).unwrap_or_default();
                    let more: String = more.iter().map(|refusal| format!("; also {refusal}")).collect();
                    format!("{fault}{more}")
                }
                (Some(serial), None) => serial.to_string(),
                (None, None) => detail
                    .as_object()
                    .map(|fields| fields.values().map(plain).collect::<Vec<_>>().join(" "))
                    .unwrap_or_default(),
            };
            table.row(vec![
                entry.at.to_string(),
                entry.requester.clone(),
                entry.operation.clone(),
                mount.clone(),
                entry.outcome.name().to_owned(),
                about,
            ]);
            let key = format!("{}.{}", row.epoch, row.sequence);
            known.insert(
                key.clone(),
                json!({
                    "time": entry.at.as_secs(),
                    "requester": entry.requester,
                    "operation": entry.operation,
                    "mount": mount,
                    "role_id": entry.role.map(|role| role.id.to_string()),
                    "role_revision": entry.role.map(|role| role.revision),
                    "serial_number": entry.serial.map(|serial| serial.to_string()),
                    "outcome": entry.outcome.name(),
                    "detail": detail,
                    "hash": hex(&row.hash),
                }),
            );
            keys.push(key);
        }
        let mut text = table.render();
        let mut answer = list(keys, known);
        if let Some(next) = page.next {
            answer.ours("next", next.to_string());
            text.push_str(&format!("more: --after {next}\n"));
        }
        answer.text(text);
        session.deliver(&answer)
    }
}

impl Act for Verify {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let report = block_on(house.store.verify_audit())?;
        if let Some(fault) = report.fault {
            return Err(Fault::refused(
                format!("the audit log does not hold: {fault}"),
                format!(
                    "rows {} to {} are proved; compare the rest with a backup",
                    report.first, report.last
                ),
            ));
        }
        let mut answer = Answer::new();
        answer
            .ours("rows", report.rows)
            .ours("first", report.first)
            .ours("last", report.last)
            .ours("head", hex(&report.head))
            .ours("keyed", report.keyed)
            .fact("rows", format!("{} checked, {} to {}", report.rows, report.first, report.last))
            .fact("head", hex(&report.head))
            .fact("verdict", "no row was edited or removed");
        if !report.keyed {
            answer
                .warn("the store has no seal: whoever can write its files can also compute the hashes again");
        }
        session.deliver(&answer)
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn parse_outcome(text: &str) -> Result<AuditOutcome, String> {
    [AuditOutcome::Done, AuditOutcome::Refused]
        .into_iter()
        .find(|outcome| outcome.name() == text)
        .ok_or_else(|| "it is done or refused".to_owned())
}

fn parse_cursor(text: &str) -> Result<Cursor, String> {
    text.parse().map_err(|error: pki_store::page::CursorError| error.to_string())
}
