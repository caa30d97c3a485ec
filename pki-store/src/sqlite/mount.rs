//! Mounts and their configuration.

use core::time::Duration;

use pki_core::time::UnixTime;
use rusqlite::{Row, params};

use super::fault::Fault;
use super::session::{Session, array, integer, natural, optional_array, optional_time, seconds, time};
use crate::batch::{Expected, Outcome};
use crate::config::ConfigRecord;
use crate::error::{Conflict, Noun};
use crate::fields::Fields;
use crate::id::{IssuerId, KeyId, MountId};
use crate::mount::{Mount, MountKind, NewMount};

const COLUMNS: &str = "n, id, name, kind, description, default_lease_ttl, max_lease_ttl, default_issuer, \
                       follows_latest, default_key, created_at, disabled_at, mac";

impl Session {
    pub(crate) fn mounts(&self) -> Result<Vec<Mount>, Fault> {
        let sql =
            format!("SELECT {COLUMNS} FROM mount WHERE disabled_at IS NULL ORDER BY name COLLATE NOCASE");
        self.all(&sql, [], |row| self.decode_mount(row).map(|(_, mount)| mount))
    }

    pub(crate) fn mount(&self, name: &str) -> Result<Option<Mount>, Fault> {
        let sql =
            format!("SELECT {COLUMNS} FROM mount WHERE disabled_at IS NULL AND name = ?1 COLLATE NOCASE");
        self.one(&sql, [name], |row| self.decode_mount(row).map(|(_, mount)| mount))
    }

    /// A mount that is not disabled, or a conflict.
    pub(crate) fn open_mount(&self, id: MountId) -> Result<(i64, Mount), Fault> {
        self.any_mount(id)?
            .filter(|(_, mount)| mount.disabled_at.is_none())
            .ok_or_else(|| Conflict::NotFound { what: Noun::Mount, name: id.to_string() }.into())
    }

    pub(crate) fn any_mount(&self, id: MountId) -> Result<Option<(i64, Mount)>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM mount WHERE id = ?1");
        self.one(&sql, [id.as_bytes()], |row| self.decode_mount(row))
    }

    pub(crate) fn create_mount(&self, new: &NewMount, at: UnixTime) -> Result<Outcome, Fault> {
        let NewMount { id, name, kind, description, default_lease_ttl, max_lease_ttl } = new;
        if self.mount(name)?.is_some() || self.any_mount(*id)?.is_some() {
            return Err(Conflict::NameTaken { what: Noun::Mount, name: name.clone() }.into());
        }
        let mount = Mount {
            id: *id,
            name: name.clone(),
            kind: *kind,
            description: description.clone(),
            default_lease_ttl: *default_lease_ttl,
            max_lease_ttl: *max_lease_ttl,
            default_issuer: None,
            default_follows_latest_issuer: false,
            default_key: None,
            created_at: at,
            disabled_at: None,
        };
        let n = self.next_number("mount")?;
        self.write_mount(n, &mount)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn tune_mount(
        &self,
        id: MountId,
        description: Option<&String>,
        default_lease_ttl: Option<Duration>,
        max_lease_ttl: Option<Duration>,
    ) -> Result<Outcome, Fault> {
        let (n, mut mount) = self.open_mount(id)?;
        if let Some(description) = description {
            mount.description.clone_from(description);
        }
        mount.default_lease_ttl = default_lease_ttl.unwrap_or(mount.default_lease_ttl);
        mount.max_lease_ttl = max_lease_ttl.unwrap_or(mount.max_lease_ttl);
        self.write_mount(n, &mount)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn disable_mount(&self, id: MountId, at: UnixTime) -> Result<Outcome, Fault> {
        let (n, mut mount) = self.open_mount(id)?;
        mount.disabled_at = Some(at);
        self.write_mount(n, &mount)?;
        Ok(Outcome::Done)
    }

    /// Writes the whole row with its code.
    pub(crate) fn write_mount(&self, n: i64, mount: &Mount) -> Result<(), Fault> {
        let code = self.code(&fields(n, mount));
        self.write(
            "mount",
            COLUMNS,
            params![
                n,
                mount.id.as_bytes(),
                mount.name,
                mount.kind.name(),
                mount.description,
                integer(mount.default_lease_ttl.as_secs()),
                integer(mount.max_lease_ttl.as_secs()),
                mount.default_issuer.map(|id| *id.as_bytes()),
                mount.default_follows_latest_issuer,
                mount.default_key.map(|id| *id.as_bytes()),
                seconds(mount.created_at),
                mount.disabled_at.map(seconds),
                code,
            ],
        )
    }

    fn decode_mount(&self, row: &Row<'_>) -> Result<(i64, Mount), Fault> {
        let n: i64 = row.get(0)?;
        let mount = Mount {
            id: MountId::from_bytes(array(row, 1)?),
            name: row.get(2)?,
            kind: row
                .get::<_, String>(3)?
                .parse::<MountKind>()
                .map_err(|_| Fault::damaged("mount", n, "its type is not known to this version"))?,
            description: row.get(4)?,
            default_lease_ttl: Duration::from_secs(natural(row, 5)?),
            max_lease_ttl: Duration::from_secs(natural(row, 6)?),
            default_issuer: optional_array(row, 7)?.map(IssuerId::from_bytes),
            default_follows_latest_issuer: row.get(8)?,
            default_key: optional_array(row, 9)?.map(KeyId::from_bytes),
            created_at: time(row, 10)?,
            disabled_at: optional_time(row, 11)?,
        };
        self.check("mount", n, &fields(n, &mount), row.get_ref(12)?.as_blob().unwrap_or_default())?;
        Ok((n, mount))
    }

    pub(crate) fn config(&self, mount: MountId, key: &str) -> Result<Option<ConfigRecord>, Fault> {
        Ok(self.numbered_config(mount, key)?.map(|(_, config)| config))
    }

    fn numbered_config(&self, mount: MountId, key: &str) -> Result<Option<(i64, ConfigRecord)>, Fault> {
        self.one(
            "SELECT n, revision, json, updated_at, mac FROM config WHERE mount = ?1 AND key = ?2",
            params![mount.as_bytes(), key],
            |row| {
                let n: i64 = row.get(0)?;
                let config = ConfigRecord {
                    key: key.to_owned(),
                    revision: natural(row, 1)?,
                    json: row.get(2)?,
                    updated_at: time(row, 3)?,
                };
                let code = row.get_ref(4)?.as_blob().unwrap_or_default();
                self.check("config", n, &config_fields(n, mount, &config), code)?;
                Ok((n, config))
            },
        )
    }

    pub(crate) fn put_config(
        &self,
        mount: MountId,
        key: &str,
        expected: Expected,
        json: &[u8],
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        self.open_mount(mount)?;
        let present = self.numbered_config(mount, key)?;
        let found = present.as_ref().map(|(_, config)| config.revision);
        expected.check(found, Noun::Config, key)?;
        let n = match present {
            Some((n, _)) => n,
            None => self.next_number("config")?,
        };
        let config = ConfigRecord {
            key: key.to_owned(),
            revision: found.unwrap_or(0) + 1,
            json: json.to_vec(),
            updated_at: at,
        };
        self.write(
            "config",
            "n, mount, key, revision, json, updated_at, mac",
            params![
                n,
                mount.as_bytes(),
                key,
                integer(config.revision),
                json,
                seconds(at),
                self.code(&config_fields(n, mount, &config)),
            ],
        )?;
        Ok(Outcome::Revision(config.revision))
    }
}

fn fields(n: i64, mount: &Mount) -> Fields {
    let Mount {
        id,
        name,
        kind,
        description,
        default_lease_ttl,
        max_lease_ttl,
        default_issuer,
        default_follows_latest_issuer,
        default_key,
        created_at,
        disabled_at,
    } = mount;
    let mut fields = Fields::row("mount", n);
    fields
        .octets(id.as_bytes())
        .text(name)
        .text(kind.name())
        .text(description)
        .number(default_lease_ttl.as_secs())
        .number(max_lease_ttl.as_secs())
        .option(default_issuer.as_ref(), |fields, id| {
            fields.octets(id.as_bytes());
        })
        .flag(*default_follows_latest_issuer)
        .option(default_key.as_ref(), |fields, id| {
            fields.octets(id.as_bytes());
        })
        .time(*created_at)
        .option(*disabled_at, |fields, at| {
            fields.time(at);
        });
    fields
}

fn config_fields(n: i64, mount: MountId, config: &ConfigRecord) -> Fields {
    let ConfigRecord { key, revision, json, updated_at } = config;
    let mut fields = Fields::row("config", n);
    fields.octets(mount.as_bytes()).text(key).number(*revision).octets(json).time(*updated_at);
    fields
}
