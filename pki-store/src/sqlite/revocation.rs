//! The revocation log and the CRLs made from it.

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use rusqlite::params;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::session::{Session, array, integer, natural, optional_time, seconds, serial, time};
use crate::batch::Outcome;
use crate::crl::{CrlDraft, CrlRecord, CrlScope};
use crate::error::Conflict;
use crate::fields::Fields;
use crate::id::MountId;
use crate::revocation::Revocation;

impl Session {
    pub(crate) fn revoke(
        &mut self,
        authority: AuthorityId,
        serial: SerialNumber,
        reason: RevocationReason,
        not_after: Option<UnixTime>,
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        let (authority_n, mut row) = self.known_authority(authority)?;
        if let Some(revocation) = self.revocation(authority, serial)? {
            return Ok(Outcome::Revoked { revocation, already: true });
        }
        let certificate = self.certificate_row(authority, serial)?;
        // Never an id that the authority had before, also when old entries have been tidied away.
        let n = self.next_number("revocation")?.max(integer(row.last_revocation) + 1);
        let revocation = Revocation {
            id: u64::try_from(n).unwrap_or(0),
            authority,
            serial,
            revoked_at: at,
            reason,
            not_after: certificate.as_ref().map(|certificate| certificate.record.not_after).or(not_after),
        };
        self.run(
            "INSERT INTO revocation (n, authority, serial, revoked_at, reason, not_after, certificate, mac) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                n,
                authority_n,
                serial.as_bytes(),
                seconds(at),
                reason.code(),
                revocation.not_after.map(seconds),
                certificate.map(|certificate| integer(certificate.id)),
                self.code(&fields(&revocation)),
            ],
        )?;
        self.tail.revoked_unknown = None;
        row.revoked += 1;
        row.last_revocation = revocation.id;
        self.write_authority(authority_n, &row)?;
        Ok(Outcome::Revoked { revocation, already: false })
    }

    pub(crate) fn revocation(
        &mut self,
        authority: AuthorityId,
        wanted: SerialNumber,
    ) -> Result<Option<Revocation>, Fault> {
        let Ok(n) = self.authority_number(authority) else {
            return Ok(None);
        };
        self.one(
            "SELECT n, serial, revoked_at, reason, not_after, mac FROM revocation \
             WHERE authority = ?1 AND serial = ?2",
            params![n, wanted.as_bytes()],
            |row| self.read_revocation(row, authority),
        )
    }

    pub(crate) fn revocations(
        &mut self,
        authority: AuthorityId,
        after: u64,
        up_to: u64,
        limit: usize,
    ) -> Result<Vec<Revocation>, Fault> {
        let Ok(n) = self.authority_number(authority) else {
            return Ok(Vec::new());
        };
        self.all(
            "SELECT n, serial, revoked_at, reason, not_after, mac FROM revocation \
             WHERE authority = ?1 AND n > ?2 AND n <= ?3 ORDER BY n LIMIT ?4",
            params![n, integer(after), integer(up_to), i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| self.read_revocation(row, authority),
        )
    }

    fn read_revocation(&self, row: &rusqlite::Row<'_>, authority: AuthorityId) -> Result<Revocation, Fault> {
        let revocation = decode_revocation(
            row.get(0)?,
            authority,
            serial(row, 1)?,
            time(row, 2)?,
            row.get(3)?,
            optional_time(row, 4)?,
        )?;
        self.check_revocation(&revocation, row.get_ref(5)?.as_blob().unwrap_or_default())?;
        Ok(revocation)
    }

    pub(crate) fn check_revocation(&self, revocation: &Revocation, code: &[u8]) -> Result<(), Fault> {
        self.check("revocation", integer(revocation.id), &fields(revocation), code)
    }

    pub(crate) fn begin_crl(
        &self,
        authority: AuthorityId,
        mount: MountId,
        scope: CrlScope,
        nanoseconds: u128,
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        let (n, mut row) = self.known_authority(authority)?;
        if row.crl_mount != Some(mount) {
            let elsewhere = match row.crl_mount {
                None => None,
                Some(id) => self.any_mount(id)?.map(|(_, mount)| mount.name),
            };
            return Err(Conflict::CrlElsewhere { mount: elsewhere }.into());
        }
        let draft = CrlDraft::begin(&mut row, scope, nanoseconds, at);
        self.write_authority(n, &row)?;
        Ok(Outcome::Crl(draft))
    }

    pub(crate) fn finish_crl(
        &mut self,
        draft: &CrlDraft,
        next_update: UnixTime,
        der: &[u8],
        at: UnixTime,
    ) -> Result<Outcome, Fault> {
        let (authority_n, authority) = self.known_authority(draft.authority)?;
        let published = self.numbered_crl(draft.authority, draft.scope)?;
        draft.check(next_update, &authority, published.as_ref().map(|(_, crl)| crl))?;
        let n = match &published {
            Some((n, _)) => *n,
            None => self.next_number("crl")?,
        };
        let crl = CrlRecord {
            authority: draft.authority,
            scope: draft.scope,
            number: draft.number,
            this_update: draft.this_update,
            next_update,
            last_revocation: draft.last_revocation,
            published_at: at,
            der: der.to_vec(),
        };
        self.write(
            "crl",
            "n, authority, scope, number, this_update, next_update, last_revocation, published_at, der, mac",
            params![
                n,
                authority_n,
                crl.scope.code(),
                crl.number.to_be_bytes(),
                seconds(crl.this_update),
                seconds(crl.next_update),
                integer(crl.last_revocation),
                seconds(crl.published_at),
                crl.der,
                self.code(&crl_fields(n, &crl)),
            ],
        )?;
        Ok(Outcome::Done)
    }

    pub(crate) fn crl(
        &mut self,
        authority: AuthorityId,
        scope: CrlScope,
    ) -> Result<Option<CrlRecord>, Fault> {
        Ok(self.numbered_crl(authority, scope)?.map(|(_, crl)| crl))
    }

    fn numbered_crl(
        &mut self,
        authority: AuthorityId,
        scope: CrlScope,
    ) -> Result<Option<(i64, CrlRecord)>, Fault> {
        let Ok(authority_n) = self.authority_number(authority) else {
            return Ok(None);
        };
        self.one(
            "SELECT n, number, this_update, next_update, last_revocation, published_at, der, mac FROM crl \
             WHERE authority = ?1 AND scope = ?2",
            params![authority_n, scope.code()],
            |row| {
                let n: i64 = row.get(0)?;
                let crl = CrlRecord {
                    authority,
                    scope,
                    number: u128::from_be_bytes(array(row, 1)?),
                    this_update: time(row, 2)?,
                    next_update: time(row, 3)?,
                    last_revocation: natural(row, 4)?,
                    published_at: time(row, 5)?,
                    der: row.get(6)?,
                };
                self.check("crl", n, &crl_fields(n, &crl), row.get_ref(7)?.as_blob().unwrap_or_default())?;
                Ok((n, crl))
            },
        )
    }
}

pub(crate) fn decode_revocation(
    n: i64,
    authority: AuthorityId,
    serial: SerialNumber,
    revoked_at: UnixTime,
    reason: u8,
    not_after: Option<UnixTime>,
) -> Result<Revocation, Fault> {
    Ok(Revocation {
        id: u64::try_from(n).unwrap_or(0),
        authority,
        serial,
        revoked_at,
        reason: RevocationReason::from_code(reason)
            .ok_or_else(|| Fault::damaged("revocation", n, "its reason is none of RFC 5280"))?,
        not_after,
    })
}

fn fields(revocation: &Revocation) -> Fields {
    let Revocation { id, authority, serial, revoked_at, reason, not_after } = revocation;
    let mut fields = Fields::row("revocation", integer(*id));
    fields.octets(authority.as_bytes()).serial(*serial).time(*revoked_at).int(reason.code().into()).option(
        *not_after,
        |fields, at| {
            fields.time(at);
        },
    );
    fields
}

fn crl_fields(n: i64, crl: &CrlRecord) -> Fields {
    let CrlRecord { authority, scope, number, this_update, next_update, last_revocation, published_at, der } =
        crl;
    let mut fields = Fields::row("crl", n);
    fields
        .octets(authority.as_bytes())
        .int(scope.code())
        .large(*number)
        .time(*this_update)
        .time(*next_update)
        .number(*last_revocation)
        .time(*published_at)
        .octets(&Sha256::digest(der));
    fields
}
