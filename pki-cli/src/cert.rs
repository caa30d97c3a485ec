//! `pki cert`: the certificates that were issued, and what became of them.

use std::time::Duration;

use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::pem;
use pki_core::serial::SerialNumber;
use pki_store::certificate::{
    CertificateFilter, CertificateRow, CertificateStatus, NameMatch, StoredCertificate,
};
use pki_store::mount::Mount;
use pki_store::{Cursor, MountId, PageRequest, Store, block_on};
use serde_json::{Map, json};

use crate::answer::{Answer, ChainMember, Directory, Document, Encoded, Shape, list};
use crate::args::Act;
use crate::duration;
use crate::fault::Fault;
use crate::issuer::load::{self, pem_text};
use crate::session::{House, Session};
use crate::table::Table;
use crate::{issuer, period, role};

/// List certificates, newest first: of the mount that is named, else of the whole store.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  pki cert list --expiring 30d\n  pki cert list --name '*.example.org' --status valid --format json"
)]
pub(crate) struct List {
    /// Only with this name; `*.example.org` finds all below it, `*text*` all with text inside
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only of this role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only of this issuer: name, id, or `default`
    #[arg(long, value_name = "REF")]
    issuer: Option<String>,
    /// Only with this status: valid, expired, revoked, reserved
    #[arg(long, value_parser = parse_status, value_name = "STATUS")]
    status: Option<CertificateStatus>,
    /// Only what expires within this time
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    expiring: Option<Duration>,
    /// Only what this requester asked for
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: usize,
    /// Go on after the page that ended with this cursor
    #[arg(long, value_parser = parse_cursor, value_name = "CURSOR")]
    after: Option<Cursor>,
}

/// Print a certificate by its serial number.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki cert read 3a:f1:07:... --format pem_bundle --out www.pem")]
pub(crate) struct Read {
    /// Serial number, with `:`, `-` or nothing between its octets
    #[arg(value_parser = parse_serial)]
    serial: SerialNumber,
}

impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        let filter = self.filter(&house, session)?;
        let request = PageRequest {
            after: self.after,
            limit: if self.limit == 0 { PageRequest::LIMIT } else { self.limit.min(PageRequest::LIMIT) },
            ..PageRequest::first(0)
        };
        let page = block_on(house.store.certificates(&filter, request, session.now))?;
        let labels = Labels::read(&house)?;
        let mut table = Table::new(&["serial", "names", "role", "issuer", "status", "expires"]);
        let mut known = Map::new();
        let mut keys = Vec::new();
        for row in &page.items {
            let record = &row.record;
            let serial = record.serial.to_string();
            let status = row.status(session.now);
            table.row(vec![
                serial.clone(),
                names(row),
                labels.role(row),
                labels.issuer(row),
                match &row.revocation {
                    Some(revocation) => format!("revoked ({})", revocation.reason),
                    None => status.name().to_owned(),
                },
                period::until(record.not_after, session.now),
            ]);
            known.insert(
                serial.clone(),
                json!({
                    "common_name": record.common_name.clone().unwrap_or_default(),
                    "issuer": labels.issuer(row),
                    "not_before": record.not_before.as_secs(),
                    "not_after": record.not_after.as_secs(),
                    "dns_names": record.names,
                    "pki": {
                        "status": status.name(),
                        "role": labels.role(row),
                        "role_revision": record.role.map(|role| role.revision),
                        "mount": labels.mount(row),
                        "requester": record.requester,
                        "issued_at": record.issued_at.as_secs(),
                        "revocation_time": row.revocation.map_or(0, |r| r.revoked_at.as_secs()),
                        "revocation_reason": row.revocation.map(|r| r.reason.name()),
                    },
                }),
            );
            keys.push(serial);
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

impl List {
    fn filter(&self, house: &House, session: &Session) -> Result<CertificateFilter, Fault> {
        let mut filter = CertificateFilter {
            requester: self.requester.clone(),
            status: self.status,
            name: self.name.as_deref().map(name_match),
            ..CertificateFilter::default()
        };
        let named = session.named_mount().is_some();
        if named {
            filter.mount = Some(house.pki_mount(session)?.id);
        }
        if let Some(expiring) = self.expiring {
            filter.expires_by = session.now.checked_add(expiring);
        }
        if let Some(name) = &self.role {
            let mount =
                if named { house.pki_mount(session)? } else { self.mount_with_role(house, session, name)? };
            filter.role = Some(role::find(house, &mount, name)?.id);
        }
        if let Some(reference) = &self.issuer {
            let mount =
                if named { house.pki_mount(session)? } else { mount_with_issuer(house, session, reference)? };
            filter.issuer = Some(issuer::find(house, &mount, reference)?.id);
        }
        Ok(filter)
    }

    /// Where no mount is named, the only one that has the role.
    fn mount_with_role(&self, house: &House, session: &Session, name: &str) -> Result<Mount, Fault> {
        let mut having = Vec::new();
        for mount in block_on(house.store.mounts())? {
            if block_on(house.store.role(mount.id, name))?.is_some() {
                having.push(mount);
            }
        }
        one_of(house, session, having, &format!("role {name:?}"))
    }
}

fn mount_with_issuer(house: &House, session: &Session, reference: &str) -> Result<Mount, Fault> {
    if reference.eq_ignore_ascii_case("default") {
        return house.pki_mount(session);
    }
    let mut having = Vec::new();
    for mount in block_on(house.store.mounts())? {
        if issuer::look_up(house, &mount, reference)?.is_some() {
            having.push(mount);
        }
    }
    one_of(house, session, having, &format!("issuer {reference:?}"))
}

fn one_of(house: &House, session: &Session, mut having: Vec<Mount>, what: &str) -> Result<Mount, Fault> {
    match having.len() {
        0 => house.pki_mount(session),
        1 => having.pop().ok_or_else(|| Fault::defect("a list of one is empty")),
        _ => {
            let names: Vec<&str> = having.iter().map(|mount| mount.name.as_str()).collect();
            Err(Fault::usage(
                format!("several mounts have a {what}: {}", names.join(", ")),
                "name one with --mount",
            ))
        }
    }
}

impl Act for Read {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let plan =
            session.plan(Shape { fields: &[], document: Document::Public, directory: Directory::Set })?;
        let house = session.open()?;
        let (_, StoredCertificate { row, der, .. }) = find_stored(&house, session, self.serial)?;
        let labels = Labels::read(&house)?;
        let record = &row.record;
        let revoked_at = row.revocation.map(|revocation| revocation.revoked_at);
        let mut answer = Answer::new();
        answer
            .set("revocation_time", revoked_at.map_or(0, pki_core::time::UnixTime::as_secs))
            .set("revocation_time_rfc3339", revoked_at.map(|time| time.to_string()).unwrap_or_default())
            .set("issuer_id", record.issuer.to_string())
            .ours("serial_number", record.serial.to_string())
            .ours("status", row.status(session.now).name())
            .ours("mount", labels.mount(&row))
            .ours("role", labels.role(&row))
            .ours("requester", record.requester.clone())
            .ours("not_after", record.not_after.as_secs())
            .fact("serial number", record.serial.to_string())
            .fact("names", names(&row))
            .fact("issuer", labels.issuer(&row))
            .fact("role", labels.role(&row))
            .fact("requester", record.requester.clone())
            .fact("issued at", record.issued_at.to_string())
            .fact("valid until", period::until(record.not_after, session.now))
            .fact("status", row.status(session.now).name());
        if let Some(revocation) = row.revocation {
            answer
                .ours("revocation_reason", revocation.reason.name())
                .fact("revoked at", format!("{} ({})", revocation.revoked_at, revocation.reason));
        }
        let Some(der) = der else {
            if session.global.format.unwrap_or_default() != crate::args::global::Format::Text
                && session.global.format.unwrap_or_default() != crate::args::global::Format::Json
            {
                return Err(Fault::missing(
                    format!("the certificate {} is not kept, only its record", self.serial),
                    "its role stores the index only: `pki role write --storage full` keeps certificates",
                ));
            }
            answer.warn("the certificate itself is not kept: its role stores the index only");
            return plan.deliver(&answer);
        };
        answer.set("certificate", pem_text(pem::CERTIFICATE, &der));
        let issuers = chain_of(&house, record.mount, &der)?;
        answer
            .set(
                "ca_chain",
                issuers.iter().map(|member| pem_text(pem::CERTIFICATE, &member.der)).collect::<Vec<_>>(),
            )
            .encoded(Encoded { label: pem::CERTIFICATE, der, issuers });
        plan.deliver(&answer)
    }
}

/// The issuers above a certificate, the root last.
fn chain_of(house: &House, mount: MountId, der: &[u8]) -> Result<Vec<ChainMember>, Fault> {
    let certificate = Certificate::from_der(der).map_err(|error| {
        Fault::unusable(format!("the stored certificate does not read: {error}"), "restore a backup")
    })?;
    Ok(load::chain(house, mount, &certificate)?.iter().map(load::chain_member).collect())
}

/// The certificate with this serial, and its mount unless that was ended.
pub(crate) fn find(
    house: &House,
    session: &Session,
    serial: SerialNumber,
) -> Result<(Option<Mount>, CertificateRow), Fault> {
    let (mount, stored) = find_stored(house, session, serial)?;
    Ok((mount, stored.row))
}

/// A serial is unique in a store but for chance, so a mount needs to be named only to be strict. Certificates of a
/// mount that was ended are found too: revocation goes on.
fn find_stored(
    house: &House,
    session: &Session,
    serial: SerialNumber,
) -> Result<(Option<Mount>, StoredCertificate), Fault> {
    let named = session.named_mount().map(|_| house.pki_mount(session)).transpose()?;
    let mut found = block_on(house.store.certificates_by_serial(serial))?;
    if let Some(mount) = &named {
        found.retain(|stored| stored.row.record.mount == mount.id);
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => {
            let mounts = block_on(house.store.mounts())?;
            let mount = mounts.into_iter().find(|mount| mount.id == one.row.record.mount);
            Ok((mount, one))
        }
        (Some(_), false) => Err(Fault::usage(
            format!("several authorities have issued a certificate with the serial {serial}"),
            "name its mount with --mount",
        )),
        (None, _) => {
            let place = match named {
                Some(mount) => format!("in the mount {}", mount.name),
                None => "in this store".to_owned(),
            };
            Err(Fault::missing(
                format!("there is no certificate with the serial {serial} {place}"),
                "`pki cert list` lists the certificates",
            ))
        }
    }
}

/// Names for the ids in rows. Roles that are gone are called by their ids.
struct Labels {
    mounts: Vec<Mount>,
    issuers: Vec<(pki_store::IssuerId, String)>,
    roles: Vec<(pki_store::RoleId, String)>,
}

impl Labels {
    fn read(house: &House) -> Result<Self, Fault> {
        let mounts = block_on(house.store.mounts())?;
        let (mut issuers, mut roles) = (Vec::new(), Vec::new());
        for mount in &mounts {
            for record in block_on(house.store.issuers(mount.id))? {
                issuers.push((record.id, issuer::label(&record)));
            }
            for record in block_on(house.store.roles(mount.id))? {
                roles.push((record.id, record.name));
            }
        }
        Ok(Self { mounts, issuers, roles })
    }

    fn issuer(&self, row: &CertificateRow) -> String {
        let id = row.record.issuer;
        let known = self.issuers.iter().find(|(known, _)| *known == id);
        known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }

    fn role(&self, row: &CertificateRow) -> String {
        let Some(role) = row.record.role else {
            return String::new();
        };
        let known = self.roles.iter().find(|(known, _)| *known == role.id);
        known.map_or_else(|| role.id.to_string(), |(_, name)| name.clone())
    }

    fn mount(&self, row: &CertificateRow) -> String {
        let id = row.record.mount;
        let known = self.mounts.iter().find(|mount| mount.id == id);
        known.map_or_else(|| id.to_string(), |mount| mount.name.clone())
    }
}

/// The common name first, then what the alternative names add.
fn names(row: &CertificateRow) -> String {
    let record = &row.record;
    let mut names: Vec<&str> = record.common_name.as_deref().into_iter().collect();
    for name in &record.names {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    match names.len() {
        0..=3 => names.join(", "),
        more => {
            format!("{} and {} more", names.iter().take(3).copied().collect::<Vec<_>>().join(", "), more - 3)
        }
    }
}

/// `name` is the whole name, `*.example.org` what ends so, `*text*` what has text inside.
fn name_match(pattern: &str) -> NameMatch {
    match pattern.strip_prefix('*') {
        Some(rest) => match rest.strip_suffix('*') {
            Some(inside) => NameMatch::Contains(inside.to_owned()),
            None => NameMatch::Suffix(rest.to_owned()),
        },
        None => NameMatch::Exact(pattern.to_owned()),
    }
}

pub(crate) fn parse_serial(text: &str) -> Result<SerialNumber, String> {
    SerialNumber::parse(text).map_err(|error| error.to_string())
}

fn parse_status(text: &str) -> Result<CertificateStatus, String> {
    CertificateStatus::from_name(text)
        .ok_or_else(|| "it is one of valid, expired, revoked, reserved".to_owned())
}

fn parse_cursor(text: &str) -> Result<Cursor, String> {
    text.parse().map_err(|error: pki_store::page::CursorError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_says_where_its_text_stands() {
        assert_eq!(name_match("a.example"), NameMatch::Exact("a.example".into()));
        assert_eq!(name_match("*.example"), NameMatch::Suffix(".example".into()));
        assert_eq!(name_match("*exam*"), NameMatch::Contains("exam".into()));
    }
}
