//! What issuers are found by: one table of short digests, a row for each thing that an issuer can be asked for.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::issuer::COLUMNS;
use super::search::bounds;
use super::session::Session;
use crate::id::MountId;
use crate::issuer::{AuthorityRecord, IssuerMatch, IssuerRecord};
use crate::page::{Cursor, Page, PageRequest};

impl Session {
    pub(crate) fn issuers_matching(&self, wanted: &IssuerMatch) -> Result<Vec<IssuerRecord>, Fault> {
        let mut found = Vec::new();
        for n in self.issuer_numbers(wanted)? {
            // The table of digests has no codes: the issuer's own row has the last word.
            if let Some((issuer, _, authority)) = self.issuer_at(n)?
                && wanted.fits(&issuer.certificate, &authority)
            {
                found.push(self.with_crl_signing(issuer)?);
            }
        }
        Ok(found)
    }

    pub(crate) fn issuer_page(&self, mount: MountId, page: PageRequest) -> Result<Page<IssuerRecord>, Fault> {
        let limit = page.limit.clamp(1, PageRequest::LIMIT);
        let (compare, direction, start) = bounds(page);
        let sql = format!(
            "SELECT issuer FROM issuer_lookup WHERE digest = ?1 AND issuer {compare} ?2 \
             ORDER BY issuer {direction} LIMIT ?3"
        );
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut numbers: Vec<i64> =
            self.all(&sql, params![mount_digest(mount), start, wanted], |row| Ok(row.get(0)?))?;
        let more = numbers.len() > limit;
        numbers.truncate(limit);
        let next = numbers.last().and_then(|last| u64::try_from(*last).ok()).map(Cursor).filter(|_| more);
        let mut items = Vec::with_capacity(numbers.len());
        for n in numbers {
            if let Some((issuer, ..)) = self.issuer_at(n)?.filter(|(issuer, ..)| issuer.mount == mount) {
                items.push(self.with_crl_signing(issuer)?);
            }
        }
        Ok(Page { items, next })
    }

    /// The rows that an index says match.
    pub(crate) fn issuer_numbers(&self, wanted: &IssuerMatch) -> Result<Vec<i64>, Fault> {
        let sql = "SELECT issuer FROM issuer_lookup WHERE digest = ?1 ORDER BY issuer";
        self.all(sql, [digest(wanted)], |row| Ok(row.get(0)?))
    }

    /// An issuer that is not deleted, with its authority.
    pub(crate) fn issuer_at(&self, n: i64) -> Result<Option<(IssuerRecord, i64, AuthorityRecord)>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM issuer WHERE n = ?1 AND deleted_at IS NULL");
        let Some((_, issuer)) = self.one(&sql, [n], |row| self.decode_issuer(row))? else {
            return Ok(None);
        };
        let authority = self.numbered_authority(issuer.authority)?;
        Ok(authority.map(|(authority_n, authority)| (issuer, authority_n, authority)))
    }

    pub(crate) fn add_lookups(
        &self,
        n: i64,
        issuer: &IssuerRecord,
        authority: &AuthorityRecord,
    ) -> Result<(), Fault> {
        for digest in digests(issuer.mount, &issuer.certificate, authority) {
            self.run("INSERT INTO issuer_lookup (digest, issuer) VALUES (?1, ?2)", params![digest, n])?;
        }
        Ok(())
    }

    pub(crate) fn remove_lookups(
        &self,
        n: i64,
        issuer: &IssuerRecord,
        authority: &AuthorityRecord,
    ) -> Result<(), Fault> {
        for digest in digests(issuer.mount, &issuer.certificate, authority) {
            self.run("DELETE FROM issuer_lookup WHERE digest = ?1 AND issuer = ?2", params![digest, n])?;
        }
        Ok(())
    }
}

/// Layout 1 had no lookups: each issuer gets its rows.
pub(crate) fn fill(connection: &Connection) -> Result<(), Fault> {
    let mut issuers = connection.prepare(
        "SELECT i.n, i.mount, i.certificate, a.subject, a.public_key FROM issuer i \
         JOIN authority a ON a.id = i.authority WHERE i.deleted_at IS NULL",
    )?;
    let mut insert = connection.prepare("INSERT INTO issuer_lookup (digest, issuer) VALUES (?1, ?2)")?;
    let mut rows = issuers.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        let mount = MountId::from_bytes(row.get(1)?);
        let certificate: Vec<u8> = row.get(2)?;
        let (subject, public_key): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        for digest in digests(mount, &certificate, &AuthorityRecord::new(&subject, &public_key)) {
            insert.execute(params![digest, n])?;
        }
    }
    Ok(())
}

fn digests(
    mount: MountId,
    certificate: &[u8],
    authority: &AuthorityRecord,
) -> impl Iterator<Item = [u8; 16]> {
    let everything = IssuerMatch::all_of(certificate, authority);
    everything.map(|known| digest(&known)).chain([mount_digest(mount)])
}

fn digest(wanted: &IssuerMatch) -> [u8; 16] {
    short(&wanted.octets())
}

/// The list of a mount's issuers.
fn mount_digest(mount: MountId) -> [u8; 16] {
    short(&[b"m", mount.as_bytes().as_slice()].concat())
}

fn short(octets: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(octets).into();
    let [short, _] = *digest.as_chunks().0 else { return [0; 16] };
    short
}
