//! Database accounts.

use pki_core::time::UnixTime;
use rusqlite::{Row, params};

use super::fault::Fault;
use super::session::{Session, array, integer, natural, seconds, time};
use crate::account::{AccountKind, AccountRecord, NewAccount};
use crate::batch::{Expected, Outcome};
use crate::envelope::Envelope;
use crate::error::{Conflict, Noun};
use crate::fields::Fields;
use crate::id::{AccountId, MountId};

const COLUMNS: &str =
    "n, id, mount, kind, name, revision, json, password, candidate, created_at, updated_at, mac";

impl Session {
    pub(crate) fn accounts(&self, mount: MountId, kind: AccountKind) -> Result<Vec<AccountRecord>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM account WHERE mount = ?1 AND kind = ?2 ORDER BY name COLLATE NOCASE"
        );
        self.all(&sql, params![mount.as_bytes(), kind.code()], |row| {
            self.decode_account(row).map(|(_, account)| account)
        })
    }

    pub(crate) fn account(
        &self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
    ) -> Result<Option<AccountRecord>, Fault> {
        Ok(self.numbered_account(mount, kind, name)?.map(|(_, account)| account))
    }

    fn numbered_account(
        &self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
    ) -> Result<Option<(i64, AccountRecord)>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM account WHERE mount = ?1 AND kind = ?2 AND name = ?3 COLLATE NOCASE"
        );
        self.one(&sql, params![mount.as_bytes(), kind.code(), name], |row| self.decode_account(row))
    }

    pub(crate) fn put_account(&self, new: &NewAccount, at: UnixTime) -> Result<Outcome, Fault> {
        self.open_mount(new.mount)?;
        let present = self.numbered_account(new.mount, new.kind, &new.name)?;
        let before = present.as_ref().map(|(_, account)| account);
        new.expected.check(before.map(|account| account.revision), Noun::Account, &new.name)?;
        let account = AccountRecord::written(new, before, at);
        let n = match present {
            Some((n, _)) => n,
            None => {
                let sql = "SELECT 1 FROM account WHERE id = ?1";
                if self.one(sql, [account.id.as_bytes()], |_| Ok(()))?.is_some() {
                    return Err(Conflict::IdTaken.into());
                }
                self.next_number("account")?
            }
        };
        self.write(
            "account",
            COLUMNS,
            params![
                n,
                account.id.as_bytes(),
                account.mount.as_bytes(),
                account.kind.code(),
                account.name,
                integer(account.revision),
                account.json,
                account.password.as_ref().map(Envelope::as_bytes),
                account.candidate.as_ref().map(Envelope::as_bytes),
                seconds(account.created_at),
                seconds(account.updated_at),
                self.code(&fields(n, &account)),
            ],
        )?;
        Ok(Outcome::Revision(account.revision))
    }

    pub(crate) fn delete_account(
        &self,
        mount: MountId,
        kind: AccountKind,
        name: &str,
        expected: Expected,
    ) -> Result<Outcome, Fault> {
        let present = self.numbered_account(mount, kind, name)?;
        expected.check(present.as_ref().map(|(_, account)| account.revision), Noun::Account, name)?;
        if let Some((n, _)) = present {
            self.run("DELETE FROM account WHERE n = ?1", [n])?;
        }
        Ok(Outcome::Done)
    }

    fn decode_account(&self, row: &Row<'_>) -> Result<(i64, AccountRecord), Fault> {
        let n: i64 = row.get(0)?;
        let account = AccountRecord {
            id: AccountId::from_bytes(array(row, 1)?),
            mount: MountId::from_bytes(array(row, 2)?),
            kind: match row.get::<_, i64>(3)? {
                0 => AccountKind::Connection,
                1 => AccountKind::StaticRole,
                _ => return Err(Fault::damaged("account", n, "its kind is not known to this version")),
            },
            name: row.get(4)?,
            revision: natural(row, 5)?,
            json: row.get(6)?,
            password: row.get::<_, Option<Vec<u8>>>(7)?.map(Envelope),
            candidate: row.get::<_, Option<Vec<u8>>>(8)?.map(Envelope),
            created_at: time(row, 9)?,
            updated_at: time(row, 10)?,
        };
        self.check("account", n, &fields(n, &account), row.get_ref(11)?.as_blob().unwrap_or_default())?;
        Ok((n, account))
    }
}

fn fields(n: i64, account: &AccountRecord) -> Fields {
    let AccountRecord { id, mount, kind, name, revision, json, password, candidate, created_at, updated_at } =
        account;
    let mut fields = Fields::row("account", n);
    fields
        .fixed(id.as_bytes())
        .fixed(mount.as_bytes())
        .int(kind.code())
        .text(name)
        .number(*revision)
        .octets(json)
        .option(password.as_ref(), |fields, envelope| {
            fields.octets(envelope.as_bytes());
        })
        .option(candidate.as_ref(), |fields, envelope| {
            fields.octets(envelope.as_bytes());
        })
        .time(*created_at)
        .time(*updated_at);
    fields
}
