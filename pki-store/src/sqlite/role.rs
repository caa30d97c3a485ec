//! Roles and their earlier revisions.

use pki_core::time::UnixTime;
use rusqlite::{Row, params};

use super::fault::Fault;
use super::session::{Session, array, integer, natural, optional_time, seconds, time};
use crate::batch::{Expected, Outcome};
use crate::error::Noun;
use crate::fields::Fields;
use crate::id::{MountId, RoleId};
use crate::role::RoleRecord;

const COLUMNS: &str = "n, id, mount, name, revision, json, created_at, updated_at, deleted_at, mac";

/// A row of the table `role`.
struct Current {
    n: i64,
    role: RoleRecord,
    deleted_at: Option<UnixTime>,
}

impl Session {
    pub(crate) fn roles(&self, mount: MountId) -> Result<Vec<RoleRecord>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM role WHERE mount = ?1 AND deleted_at IS NULL ORDER BY name COLLATE NOCASE"
        );
        self.all(&sql, [mount.as_bytes()], |row| self.decode_role(row).map(|current| current.role))
    }

    pub(crate) fn role(&self, mount: MountId, name: &str) -> Result<Option<RoleRecord>, Fault> {
        Ok(self.current_role(mount, name)?.map(|current| current.role))
    }

    pub(crate) fn role_history(&self, id: RoleId) -> Result<Vec<RoleRecord>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM role WHERE id = ?1");
        let Some(current) = self.one(&sql, [id.as_bytes()], |row| self.decode_role(row))? else {
            return Ok(Vec::new());
        };
        let mut history = self.all(
            "SELECT n, name, revision, json, updated_at, mac FROM role_history WHERE role = ?1 ORDER BY revision",
            [current.n],
            |row| {
                let n: i64 = row.get(0)?;
                let role = RoleRecord {
                    id,
                    mount: current.role.mount,
                    name: row.get(1)?,
                    revision: natural(row, 2)?,
                    json: row.get(3)?,
                    created_at: current.role.created_at,
                    updated_at: time(row, 4)?,
                };
                let code = row.get_ref(5)?.as_blob().unwrap_or_default();
                self.check("role_history", n, &fields("role_history", n, &role, None), code)?;
                Ok(role)
            },
        )?;
        history.push(current.role);
        Ok(history)
    }

    pub(crate) fn put_role(
        &self,
        mount: MountId,
        name: &str,
        new_id: RoleId,
        expected: Expected,
        json: &[u8],
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        self.open_mount(mount)?;
        let present = self.current_role(mount, name)?;
        expected.check(present.as_ref().map(|current| current.role.revision), Noun::Role, name)?;
        let next = match present {
            Some(current) => {
                self.keep_revision(&current)?;
                Current {
                    role: RoleRecord {
                        revision: current.role.revision + 1,
                        json: json.to_vec(),
                        updated_at: at,
                        ..current.role
                    },
                    ..current
                }
            }
            None => Current {
                n: self.next_number("role")?,
                role: RoleRecord {
                    id: new_id,
                    mount,
                    name: name.to_owned(),
                    revision: 1,
                    json: json.to_vec(),
                    created_at: at,
                    updated_at: at,
                },
                deleted_at: None,
            },
        };
        self.write_role(&next)?;
        Ok(Outcome::Role(next.role.version()))
    }

    pub(crate) fn delete_role(
        &self,
        mount: MountId,
        name: &str,
        expected: Expected,
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        let present = self.current_role(mount, name)?;
        expected.check(present.as_ref().map(|current| current.role.revision), Noun::Role, name)?;
        if let Some(mut current) = present {
            current.deleted_at = Some(at);
            self.write_role(&current)?;
        }
        Ok(Outcome::Done)
    }

    fn current_role(&self, mount: MountId, name: &str) -> Result<Option<Current>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM role WHERE mount = ?1 AND name = ?2 COLLATE NOCASE AND deleted_at IS NULL"
        );
        self.one(&sql, params![mount.as_bytes(), name], |row| self.decode_role(row))
    }

    fn keep_revision(&self, current: &Current) -> Result<(), Fault> {
        let n = self.next_number("role_history")?;
        let role = &current.role;
        self.run(
            "INSERT INTO role_history (n, role, name, revision, json, updated_at, mac) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                n,
                current.n,
                role.name,
                integer(role.revision),
                role.json,
                seconds(role.updated_at),
                self.code(&fields("role_history", n, role, None)),
            ],
        )?;
        Ok(())
    }

    fn write_role(&self, current: &Current) -> Result<(), Fault> {
        let Current { n, role, deleted_at } = current;
        self.write(
            "role",
            COLUMNS,
            params![
                n,
                role.id.as_bytes(),
                role.mount.as_bytes(),
                role.name,
                integer(role.revision),
                role.json,
                seconds(role.created_at),
                seconds(role.updated_at),
                deleted_at.map(seconds),
                self.code(&fields("role", *n, role, *deleted_at)),
            ],
        )
    }

    fn decode_role(&self, row: &Row<'_>) -> Result<Current, Fault> {
        let n: i64 = row.get(0)?;
        let role = RoleRecord {
            id: RoleId::from_bytes(array(row, 1)?),
            mount: MountId::from_bytes(array(row, 2)?),
            name: row.get(3)?,
            revision: natural(row, 4)?,
            json: row.get(5)?,
            created_at: time(row, 6)?,
            updated_at: time(row, 7)?,
        };
        let deleted_at = optional_time(row, 8)?;
        let code = row.get_ref(9)?.as_blob().unwrap_or_default();
        self.check("role", n, &fields("role", n, &role, deleted_at), code)?;
        Ok(Current { n, role, deleted_at })
    }
}

fn fields(table: &str, n: i64, role: &RoleRecord, deleted_at: Option<UnixTime>) -> Fields {
    let RoleRecord { id, mount, name, revision, json, created_at, updated_at } = role;
    let mut fields = Fields::row(table, n);
    fields
        .octets(id.as_bytes())
        .octets(mount.as_bytes())
        .text(name)
        .number(*revision)
        .octets(json)
        .time(*created_at)
        .time(*updated_at)
        .option(deleted_at, |fields, at| {
            fields.time(at);
        });
    fields
}
