//! Keys.

use pki_core::time::UnixTime;
use rusqlite::{Row, params};

use super::fault::Fault;
use super::session::{Session, array, seconds, time};
use crate::batch::Outcome;
use crate::envelope::Envelope;
use crate::error::{Conflict, Noun};
use crate::fields::Fields;
use crate::id::{KeyId, MountId};
use crate::issuer::IssuerMatch;
use crate::key::{KeyMatch, KeyRecord, NewKey};

const COLUMNS: &str =
    "n, id, mount, name, key_type, bits, public_key, private_key, pending_issuer_name, created_at, mac";

impl Session {
    pub(crate) fn keys(&self, mount: MountId) -> Result<Vec<KeyRecord>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM key WHERE mount = ?1 ORDER BY n");
        self.all(&sql, [mount.as_bytes()], |row| self.decode_key(row).map(|(_, key)| key))
    }

    pub(crate) fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, Fault> {
        Ok(self.numbered_key(id)?.map(|(_, key)| key))
    }

    fn numbered_key(&self, id: KeyId) -> Result<Option<(i64, KeyRecord)>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM key WHERE id = ?1");
        self.one(&sql, [id.as_bytes()], |row| self.decode_key(row))
    }

    /// The mount's key with this public half.
    pub(crate) fn key_by_public_key(
        &self,
        mount: MountId,
        public_key: &[u8],
    ) -> Result<Option<(i64, KeyRecord)>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM key WHERE mount = ?1 AND public_key = ?2");
        self.one(&sql, params![mount.as_bytes(), public_key], |row| self.decode_key(row))
    }

    pub(crate) fn key_matching(&self, mount: MountId, wanted: &KeyMatch) -> Result<Option<KeyRecord>, Fault> {
        let (condition, value) = match wanted {
            KeyMatch::PublicKey(public_key) => {
                return Ok(self.key_by_public_key(mount, public_key)?.map(|(_, key)| key));
            }
            KeyMatch::Name(name) => ("name = ?2 COLLATE NOCASE", name),
            KeyMatch::PendingIssuerName(name) => ("pending_issuer_name = ?2 COLLATE NOCASE", name),
        };
        let sql = format!("SELECT {COLUMNS} FROM key WHERE mount = ?1 AND {condition}");
        self.one(&sql, params![mount.as_bytes(), value], |row| self.decode_key(row).map(|(_, key)| key))
    }

    pub(crate) fn create_key(&self, new: &NewKey, at: UnixTime) -> Result<Outcome, Fault> {
        let NewKey { id, mount, name, key_type, bits, public_key, private_key, pending_issuer_name } = new;
        let (mount_n, mut mount_row) = self.open_mount(*mount)?;
        if let Some((_, present)) = self.key_by_public_key(*mount, public_key)? {
            return Err(Conflict::KeyExists { key: present.label() }.into());
        }
        if let Some(name) = name {
            self.key_name_is_free(*mount, name)?;
        }
        if let Some(name) = pending_issuer_name {
            self.issuer_name_is_free(*mount, name, None)?;
        }
        let key = KeyRecord {
            id: *id,
            mount: *mount,
            name: name.clone(),
            key_type: key_type.clone(),
            bits: *bits,
            public_key: public_key.clone(),
            private_key: private_key.clone(),
            pending_issuer_name: pending_issuer_name.clone(),
            created_at: at,
        };
        self.write_key(self.next_number("key")?, &key)?;
        if mount_row.default_key.is_none() {
            mount_row.default_key = Some(*id);
            self.write_mount(mount_n, &mount_row)?;
        }
        self.give_key_to_issuers(&key)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn rename_key(&self, id: KeyId, name: Option<&String>) -> Result<Outcome, Fault> {
        let (n, mut key) = self.known_key(id)?;
        if let Some(name) = name
            && !key.name.as_ref().is_some_and(|present| present.eq_ignore_ascii_case(name))
        {
            self.key_name_is_free(key.mount, name)?;
        }
        key.name = name.cloned();
        self.write_key(n, &key)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn set_pending_issuer_name(&self, id: KeyId, name: Option<&String>) -> Result<Outcome, Fault> {
        let (n, mut key) = self.known_key(id)?;
        if let Some(name) = name {
            self.issuer_name_is_free(key.mount, name, Some(id))?;
        }
        key.pending_issuer_name = name.cloned();
        self.write_key(n, &key)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn delete_key(&self, id: KeyId) -> Result<Outcome, Fault> {
        let (n, key) = self.known_key(id)?;
        let wanted = IssuerMatch::PublicKey(key.public_key);
        if let Some(issuer) =
            self.issuers_matching(&wanted)?.into_iter().find(|issuer| issuer.key == Some(id))
        {
            return Err(Conflict::KeyInUse { issuer: issuer.label() }.into());
        }
        self.run("DELETE FROM key WHERE n = ?1", [n])?;
        if let Some((mount_n, mut mount)) = self.any_mount(key.mount)?
            && mount.default_key == Some(id)
        {
            mount.default_key = None;
            self.write_mount(mount_n, &mount)?;
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn known_key(&self, id: KeyId) -> Result<(i64, KeyRecord), Fault> {
        self.numbered_key(id)?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Key, name: id.to_string() }.into())
    }

    fn key_name_is_free(&self, mount: MountId, name: &str) -> Result<(), Fault> {
        match self.key_matching(mount, &KeyMatch::Name(name.to_owned()))? {
            None => Ok(()),
            Some(_) => Err(Conflict::NameTaken { what: Noun::Key, name: name.to_owned() }.into()),
        }
    }

    pub(crate) fn write_key(&self, n: i64, key: &KeyRecord) -> Result<(), Fault> {
        self.write(
            "key",
            COLUMNS,
            params![
                n,
                key.id.as_bytes(),
                key.mount.as_bytes(),
                key.name,
                key.key_type,
                key.bits,
                key.public_key,
                key.private_key.as_bytes(),
                key.pending_issuer_name,
                seconds(key.created_at),
                self.code(&fields(n, key)),
            ],
        )
    }

    fn decode_key(&self, row: &Row<'_>) -> Result<(i64, KeyRecord), Fault> {
        let n: i64 = row.get(0)?;
        let key = KeyRecord {
            id: KeyId::from_bytes(array(row, 1)?),
            mount: MountId::from_bytes(array(row, 2)?),
            name: row.get(3)?,
            key_type: row.get(4)?,
            bits: row.get(5)?,
            public_key: row.get(6)?,
            private_key: Envelope(row.get(7)?),
            pending_issuer_name: row.get(8)?,
            created_at: time(row, 9)?,
        };
        self.check("key", n, &fields(n, &key), row.get_ref(10)?.as_blob().unwrap_or_default())?;
        Ok((n, key))
    }
}

fn fields(n: i64, key: &KeyRecord) -> Fields {
    let KeyRecord {
        id,
        mount,
        name,
        key_type,
        bits,
        public_key,
        private_key,
        pending_issuer_name,
        created_at,
    } = key;
    let mut fields = Fields::row("key", n);
    fields
        .octets(id.as_bytes())
        .octets(mount.as_bytes())
        .option(name.as_ref(), |fields, name| {
            fields.text(name);
        })
        .text(key_type)
        .number(u64::from(*bits))
        .octets(public_key)
        .octets(private_key.as_bytes())
        .option(pending_issuer_name.as_ref(), |fields, name| {
            fields.text(name);
        })
        .time(*created_at);
    fields
}
