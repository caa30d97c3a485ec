//! Certificates: written and found by what identifies them.

use pki_core::authority::AuthorityId;
use pki_core::serial::SerialNumber;
use rusqlite::{Row, params};
use sha2::{Digest, Sha256};

use super::bucket::{self, Trait};
use super::fault::Fault;
use super::revocation::decode_revocation;
use super::session::{
    Session, array, integer, natural, optional_array, optional_time, seconds, serial, time,
};
use crate::batch::{BatchId, Outcome};
use crate::certificate::{CertificateRecord, CertificateRow, CertificateState, StoredCertificate};
use crate::error::{Conflict, Noun};
use crate::fields::{FieldReader, Fields};
use crate::id::{IssuerId, MountId, RoleId};
use crate::role::RoleVersion;

/// What [`Session::decode_certificate`] reads, and whence. `CROSS JOIN` keeps the order: the certificate leads.
pub(crate) const COLUMNS: &str = "c.n, a.id, c.serial, i.id, m.id, r.id, c.role_revision, c.requester, \
    c.common_name, c.names, c.not_before, c.not_after, c.issued_at, c.state, c.tbs_digest, c.key_digest, \
    c.fingerprint, c.mac, v.n, v.revoked_at, v.reason, v.not_after, v.mac";
pub(crate) const JOINS: &str = "CROSS JOIN authority a ON a.n = c.authority CROSS JOIN issuer i ON i.n = c.issuer \
    CROSS JOIN mount m ON m.n = c.mount LEFT JOIN role r ON r.n = c.role \
    LEFT JOIN revocation v ON v.authority = c.authority AND v.serial = c.serial";

impl Session {
    /// `batch` is the batch that does nothing else.
    pub(crate) fn reserve_certificate(
        &mut self,
        record: &CertificateRecord,
        batch: Option<BatchId>,
    ) -> Result<Outcome, Fault> {
        self.insert(record, CertificateState::Reserved, None, None, batch)
    }

    /// `batch` is the batch that does nothing else.
    pub(crate) fn insert_certificate(
        &mut self,
        record: &CertificateRecord,
        fingerprint: &[u8; 32],
        der: Option<&[u8]>,
        batch: Option<BatchId>,
    ) -> Result<Outcome, Fault> {
        self.insert(record, CertificateState::Issued, Some(fingerprint), der, batch)
    }

    /// What the batch that inserted this serial, and did nothing else, had as its outcome.
    pub(crate) fn first_outcome(
        &mut self,
        record: &CertificateRecord,
        batch: BatchId,
    ) -> Result<Option<Outcome>, Fault> {
        let authority = self.authority_number(record.authority)?;
        self.one(
            "SELECT n FROM certificate WHERE authority = ?1 AND serial = ?2 AND batch = ?3",
            params![authority, record.serial.as_bytes(), batch.as_bytes()],
            |row| Ok(Outcome::Certificate(natural(row, 0)?)),
        )
    }

    pub(crate) fn commit_certificate(
        &mut self,
        authority: AuthorityId,
        serial: SerialNumber,
        tbs_digest: &[u8; 32],
        fingerprint: &[u8; 32],
        der: Option<&[u8]>,
    ) -> Result<Outcome, Fault> {
        let Some(row) = self.certificate_row(authority, serial)? else {
            return Err(Conflict::NotFound { what: Noun::Certificate, name: serial.to_string() }.into());
        };
        if row.state != CertificateState::Reserved || row.record.tbs_digest != *tbs_digest {
            return Err(Conflict::NotReserved { serial }.into());
        }
        let n = integer(row.id);
        let code = self.code(&fields(n, &row.record, CertificateState::Issued, Some(fingerprint)));
        self.run(
            "UPDATE certificate SET state = ?2, fingerprint = ?3, mac = ?4 WHERE n = ?1",
            params![n, state_code(CertificateState::Issued), fingerprint, code],
        )?;
        self.keep_der(n, der)?;
        Ok(Outcome::Certificate(row.id))
    }

    /// What no other process can have changed while we hold the write lock is asked once in a transaction.
    fn next_certificate(&mut self) -> Result<i64, Fault> {
        let next = match self.tail.certificate {
            Some(last) => last + 1,
            None => self.next_number("certificate")?,
        };
        self.tail.certificate = Some(next);
        Ok(next)
    }

    fn insert(
        &mut self,
        record: &CertificateRecord,
        state: CertificateState,
        fingerprint: Option<&[u8; 32]>,
        der: Option<&[u8]>,
        batch: Option<BatchId>,
    ) -> Result<Outcome, Fault> {
        let authority = self.authority_number(record.authority)?;
        let issuer = self.issuer_number(record.issuer)?;
        let mount = self.mount_number(record.mount)?;
        let role = record.role.map(|role| self.role_number(role.id)).transpose()?;
        let n = self.next_certificate()?;
        let code = self.code(&fields(n, record, state, fingerprint));
        let inserted = self.run(
            "INSERT INTO certificate (n, authority, serial, issuer, mount, role, role_revision, requester, \
             common_name, names, not_before, not_after, issued_at, state, tbs_digest, key_digest, fingerprint, \
             mac, batch) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
             ON CONFLICT (authority, serial) DO NOTHING",
            params![
                n,
                authority,
                record.serial.as_bytes(),
                issuer,
                mount,
                role,
                record.role.map(|role| integer(role.revision)),
                record.requester,
                record.common_name,
                names_octets(&record.names),
                seconds(record.not_before),
                seconds(record.not_after),
                seconds(record.issued_at),
                state_code(state),
                record.tbs_digest,
                record.key_digest,
                fingerprint,
                code,
                batch.map(|batch| *batch.as_bytes()),
            ],
        )?;
        if inserted == 0 {
            self.tail.certificate = Some(n - 1);
            return Err(Conflict::SerialUsed { serial: record.serial }.into());
        }
        self.keep_der(n, der)?;
        self.note_traits(
            n,
            [Some(Trait::Issuer(issuer)), role.map(Trait::Role), Some(Trait::expiry(record.not_after))],
        )?;
        if bucket::is_last(n) {
            self.index_bucket(bucket::of(n))?;
        }
        if self.revoked_unknown()? {
            // It may have been revoked before it was known here.
            self.run(
                "UPDATE revocation SET certificate = ?3 WHERE authority = ?1 AND serial = ?2",
                params![authority, record.serial.as_bytes(), n],
            )?;
        }
        Ok(Outcome::Certificate(u64::try_from(n).unwrap_or(0)))
    }

    /// Whether there are revocations of certificates that are not here. Asked once in a transaction: only a
    /// revocation adds one, and it clears the answer.
    fn revoked_unknown(&mut self) -> Result<bool, Fault> {
        if let Some(known) = self.tail.revoked_unknown {
            return Ok(known);
        }
        let sql = "SELECT 1 FROM revocation INDEXED BY revocation_unknown WHERE certificate IS NULL LIMIT 1";
        let found = self.one(sql, [], |_| Ok(()))?.is_some();
        self.tail.revoked_unknown = Some(found);
        Ok(found)
    }

    fn keep_der(&self, n: i64, der: Option<&[u8]>) -> Result<(), Fault> {
        if let Some(der) = der {
            self.run("INSERT INTO certificate_der (certificate, der) VALUES (?1, ?2)", params![n, der])?;
        }
        Ok(())
    }

    /// A certificate's row by what identifies it.
    pub(crate) fn certificate_row(
        &mut self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<CertificateRow>, Fault> {
        let Ok(authority) = self.authority_number(authority) else {
            return Ok(None);
        };
        let sql =
            format!("SELECT {COLUMNS} FROM certificate c {JOINS} WHERE c.authority = ?1 AND c.serial = ?2");
        self.one(&sql, params![authority, serial.as_bytes()], |row| self.decode_certificate(row))
    }

    pub(crate) fn certificate(
        &mut self,
        authority: AuthorityId,
        serial: SerialNumber,
    ) -> Result<Option<StoredCertificate>, Fault> {
        let Some(row) = self.certificate_row(authority, serial)? else {
            return Ok(None);
        };
        let n = integer(row.id);
        let sql = "SELECT der FROM certificate_der WHERE certificate = ?1";
        let der = self.one(sql, [n], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
        if let Some(der) = &der
            && row.fingerprint != Some(Sha256::digest(der).into())
        {
            return Err(Fault::damaged("certificate_der", n, "it is not the certificate that was stored"));
        }
        Ok(Some(StoredCertificate { row, der }))
    }

    pub(crate) fn certificates_by_serial(
        &mut self,
        serial: SerialNumber,
    ) -> Result<Vec<StoredCertificate>, Fault> {
        let mut found = Vec::new();
        for authority in self.all("SELECT id FROM authority ORDER BY n", [], |row| array(row, 0))? {
            found.extend(self.certificate(AuthorityId::from_bytes(authority), serial)?);
        }
        Ok(found)
    }

    pub(crate) fn decode_certificate(&self, row: &Row<'_>) -> Result<CertificateRow, Fault> {
        let n: i64 = row.get(0)?;
        let damaged = |fault| Fault::damaged("certificate", n, fault);
        let authority = AuthorityId::from_bytes(array(row, 1)?);
        let serial = serial(row, 2)?;
        let record = CertificateRecord {
            serial,
            authority,
            issuer: IssuerId::from_bytes(array(row, 3)?),
            mount: MountId::from_bytes(array(row, 4)?),
            role: match optional_array(row, 5)? {
                None => None,
                Some(id) => Some(RoleVersion { id: RoleId::from_bytes(id), revision: natural(row, 6)? }),
            },
            requester: row.get(7)?,
            common_name: row.get(8)?,
            names: names(row.get_ref(9)?.as_blob().unwrap_or_default())
                .ok_or_else(|| damaged("its names are no list"))?,
            not_before: time(row, 10)?,
            not_after: time(row, 11)?,
            issued_at: time(row, 12)?,
            tbs_digest: array(row, 14)?,
            key_digest: array(row, 15)?,
        };
        let state = match row.get::<_, i64>(13)? {
            0 => CertificateState::Reserved,
            1 => CertificateState::Issued,
            _ => return Err(damaged("its state is not known to this version")),
        };
        let fingerprint = optional_array(row, 16)?;
        let code = row.get_ref(17)?.as_blob().unwrap_or_default();
        self.check("certificate", n, &fields(n, &record, state, fingerprint.as_ref()), code)?;
        let revocation = match row.get::<_, Option<i64>>(18)? {
            None => None,
            Some(revocation) => {
                let revocation = decode_revocation(
                    revocation,
                    authority,
                    serial,
                    time(row, 19)?,
                    row.get(20)?,
                    optional_time(row, 21)?,
                )?;
                self.check_revocation(&revocation, row.get_ref(22)?.as_blob().unwrap_or_default())?;
                Some(revocation)
            }
        };
        Ok(CertificateRow { id: u64::try_from(n).unwrap_or(0), record, state, fingerprint, revocation })
    }
}

const fn state_code(state: CertificateState) -> i64 {
    match state {
        CertificateState::Reserved => 0,
        CertificateState::Issued => 1,
    }
}

fn names_octets(names: &[String]) -> Vec<u8> {
    let mut fields = Fields::default();
    for name in names {
        fields.text(name);
    }
    fields.into_bytes()
}

pub(crate) fn names(octets: &[u8]) -> Option<Vec<String>> {
    let mut reader = FieldReader::new(octets);
    let mut names = Vec::new();
    while !reader.is_empty() {
        names.push(reader.text()?);
    }
    Some(names)
}

fn fields(
    n: i64,
    record: &CertificateRecord,
    state: CertificateState,
    fingerprint: Option<&[u8; 32]>,
) -> Fields {
    let CertificateRecord {
        serial,
        authority,
        issuer,
        mount,
        role,
        requester,
        common_name,
        names,
        not_before,
        not_after,
        issued_at,
        tbs_digest,
        key_digest,
    } = record;
    let mut fields = Fields::row("certificate", n);
    fields
        .serial(*serial)
        .octets(authority.as_bytes())
        .octets(issuer.as_bytes())
        .octets(mount.as_bytes())
        .option(role.as_ref(), |fields, role| {
            fields.octets(role.id.as_bytes()).number(role.revision);
        })
        .text(requester)
        .option(common_name.as_ref(), |fields, name| {
            fields.text(name);
        })
        .number(names.len() as u64);
    for name in names {
        fields.text(name);
    }
    fields
        .time(*not_before)
        .time(*not_after)
        .time(*issued_at)
        .int(state_code(state))
        .octets(tbs_digest)
        .octets(key_digest)
        .option(fingerprint, |fields, fingerprint| {
            fields.octets(fingerprint);
        });
    fields
}
