//! Issuers and authorities.

use pki_core::authority::AuthorityId;
use pki_core::time::UnixTime;
use rusqlite::{Row, params};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::session::{Session, array, integer, natural, optional_array, optional_time, seconds, time};
use crate::batch::Outcome;
use crate::error::{Conflict, Noun};
use crate::fields::Fields;
use crate::id::{IssuerId, KeyId, MountId};
use crate::issuer::{AuthorityRecord, CrlSigning, IssuerMatch, IssuerRecord, IssuerSettings, NewIssuer};
use crate::key::{KeyMatch, KeyRecord};

pub(crate) const COLUMNS: &str = "n, id, mount, name, certificate, authority, key, chain, detail, revision, created_at, \
                       deleted_at, mac";
const AUTHORITY_COLUMNS: &str =
    "n, id, subject, public_key, crl_mount, crl_number, this_update, revoked, last_revocation, mac";

impl Session {
    pub(crate) fn issuers(&self, mount: MountId) -> Result<Vec<IssuerRecord>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM issuer WHERE mount = ?1 AND deleted_at IS NULL ORDER BY n");
        let rows = self.all(&sql, [mount.as_bytes()], |row| self.decode_issuer(row))?;
        rows.into_iter().map(|(_, issuer)| self.with_crl_signing(issuer)).collect()
    }

    pub(crate) fn issuer(&self, id: IssuerId) -> Result<Option<IssuerRecord>, Fault> {
        self.numbered_issuer(id)?.map(|(_, issuer)| self.with_crl_signing(issuer)).transpose()
    }

    pub(crate) fn issuer_by_name(&self, mount: MountId, name: &str) -> Result<Option<IssuerRecord>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM issuer WHERE mount = ?1 AND name = ?2 COLLATE NOCASE AND deleted_at IS NULL"
        );
        self.one(&sql, params![mount.as_bytes(), name], |row| self.decode_issuer(row))?
            .map(|(_, issuer)| self.with_crl_signing(issuer))
            .transpose()
    }

    pub(crate) fn authorities(&self) -> Result<Vec<AuthorityRecord>, Fault> {
        let sql = format!("SELECT {AUTHORITY_COLUMNS} FROM authority ORDER BY n");
        self.all(&sql, [], |row| self.decode_authority(row).map(|(_, authority)| authority))
    }

    pub(crate) fn authority(&self, id: AuthorityId) -> Result<Option<AuthorityRecord>, Fault> {
        Ok(self.numbered_authority(id)?.map(|(_, authority)| authority))
    }

    pub(crate) fn create_issuer(&self, new: &NewIssuer, at: UnixTime) -> Result<Outcome, Fault> {
        let NewIssuer { id, mount, name, certificate, subject, public_key, settings } = new;
        let (mount_n, mut mount_row) = self.open_mount(*mount)?;
        let authority_id = AuthorityId::new(subject, public_key);
        let same = IssuerMatch::Certificate(Sha256::digest(certificate).into());
        if let Some(present) = self.issuers_matching(&same)?.into_iter().find(|issuer| issuer.mount == *mount)
        {
            let default = mount_row.default_issuer == Some(present.id);
            return Ok(present.outcome(true, default));
        }
        let mut key = self.key_by_public_key(*mount, public_key)?;
        let pending = key.as_mut().and_then(|(_, key)| key.pending_issuer_name.take());
        let name = name.clone().or_else(|| pending.clone());
        if let Some(name) = &name {
            self.issuer_name_is_free(*mount, name, key.as_ref().map(|(_, key)| key.id))?;
        }
        // Nothing was written up to here.
        if let (Some((n, key)), Some(_)) = (&key, &pending) {
            self.write_key(*n, key)?;
        }
        let key = key.map(|(_, key)| key.id);
        let (authority_n, mut authority) = match self.numbered_authority(authority_id)? {
            Some(present) => present,
            None => (self.next_number("authority")?, AuthorityRecord::new(subject, public_key)),
        };
        if key.is_some() && authority.crl_mount.is_none() {
            authority.crl_mount = Some(*mount);
        }
        self.write_authority(authority_n, &authority)?;
        let issuer = IssuerRecord {
            id: *id,
            mount: *mount,
            name,
            certificate: certificate.clone(),
            authority: authority_id,
            key,
            crl_signing: authority.crl_signing(key, *mount),
            settings: settings.clone(),
            revision: 1,
            created_at: at,
        };
        let n = self.next_number("issuer")?;
        self.write_issuer(n, &issuer, None)?;
        self.add_lookups(n, &issuer, &authority)?;
        if key.is_some() && (mount_row.default_issuer.is_none() || mount_row.default_follows_latest_issuer) {
            mount_row.default_issuer = Some(*id);
            self.write_mount(mount_n, &mount_row)?;
        }
        Ok(issuer.outcome(false, mount_row.default_issuer == Some(*id)))
    }

    pub(crate) fn update_issuer(
        &self,
        id: IssuerId,
        expected: u64,
        name: Option<&String>,
        settings: &IssuerSettings,
    ) -> Result<Outcome, Fault> {
        let (n, mut issuer) = self.known_issuer(id)?;
        if issuer.revision != expected {
            return Err(Conflict::Revision {
                what: Noun::Issuer,
                name: issuer.label(),
                expected: Some(expected),
                found: Some(issuer.revision),
            }
            .into());
        }
        if let Some(name) = name
            && !issuer.name.as_ref().is_some_and(|present| present.eq_ignore_ascii_case(name))
        {
            self.issuer_name_is_free(issuer.mount, name, None)?;
        }
        issuer.name = name.cloned();
        issuer.settings = settings.clone();
        issuer.revision += 1;
        self.write_issuer(n, &issuer, None)?;
        Ok(Outcome::Revision(issuer.revision))
    }

    pub(crate) fn delete_issuer(&self, id: IssuerId, at: UnixTime) -> Result<Outcome, Fault> {
        let (n, issuer) = self.known_issuer(id)?;
        self.write_issuer(n, &issuer, Some(at))?;
        if let Some((mount_n, mut mount)) = self.any_mount(issuer.mount)?
            && mount.default_issuer == Some(id)
        {
            mount.default_issuer = None;
            self.write_mount(mount_n, &mount)?;
        }
        let Some((authority_n, mut authority)) = self.numbered_authority(issuer.authority)? else {
            return Ok(Outcome::Done);
        };
        self.remove_lookups(n, &issuer, &authority)?;
        // The authority can be signed for elsewhere once nothing here speaks for it.
        let spoken_for = self
            .issuers_matching(&IssuerMatch::Authority(authority.id))?
            .iter()
            .any(|other| other.mount == issuer.mount && other.key.is_some());
        if authority.crl_mount == Some(issuer.mount) && !spoken_for {
            authority.crl_mount = None;
            self.write_authority(authority_n, &authority)?;
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn set_default_issuer(
        &self,
        mount: MountId,
        id: IssuerId,
        follows_latest: bool,
    ) -> Result<Outcome, Fault> {
        let (mount_n, mut mount_row) = self.open_mount(mount)?;
        let (_, issuer) = self.known_issuer(id)?;
        if issuer.mount != mount {
            return Err(Conflict::NotFound { what: Noun::Issuer, name: id.to_string() }.into());
        }
        mount_row.default_issuer = Some(id);
        mount_row.default_follows_latest_issuer = follows_latest;
        self.write_mount(mount_n, &mount_row)?;
        Ok(Outcome::Done)
    }

    pub(crate) fn set_default_key(&self, mount: MountId, id: KeyId) -> Result<Outcome, Fault> {
        let (mount_n, mut mount_row) = self.open_mount(mount)?;
        let (_, key) = self.known_key(id)?;
        if key.mount != mount {
            return Err(Conflict::NotFound { what: Noun::Key, name: id.to_string() }.into());
        }
        mount_row.default_key = Some(id);
        self.write_mount(mount_n, &mount_row)?;
        Ok(Outcome::Done)
    }

    /// A new key's issuers of the same mount that had none.
    pub(crate) fn give_key_to_issuers(&self, key: &KeyRecord) -> Result<(), Fault> {
        for n in self.issuer_numbers(&IssuerMatch::PublicKey(key.public_key.clone()))? {
            let (mut issuer, authority_n, mut authority) = match self.issuer_at(n)? {
                Some(found) if found.0.mount == key.mount && found.0.key.is_none() => found,
                _ => continue,
            };
            issuer.key = Some(key.id);
            self.write_issuer(n, &issuer, None)?;
            if authority.crl_mount.is_none() {
                authority.crl_mount = Some(key.mount);
                self.write_authority(authority_n, &authority)?;
            }
            let (mount_n, mut mount) = self.open_mount(key.mount)?;
            if mount.default_issuer.is_none() {
                mount.default_issuer = Some(issuer.id);
                self.write_mount(mount_n, &mount)?;
            }
        }
        Ok(())
    }

    /// Whether an issuer may have this name; the pending name of `key`, its own, does not stand in the way.
    pub(crate) fn issuer_name_is_free(
        &self,
        mount: MountId,
        name: &str,
        key: Option<KeyId>,
    ) -> Result<(), Fault> {
        let pending = self
            .key_matching(mount, &KeyMatch::PendingIssuerName(name.to_owned()))?
            .filter(|waiting| Some(waiting.id) != key);
        if pending.is_some() || self.issuer_by_name(mount, name)?.is_some() {
            return Err(Conflict::NameTaken { what: Noun::Issuer, name: name.to_owned() }.into());
        }
        Ok(())
    }

    pub(crate) fn numbered_authority(
        &self,
        id: AuthorityId,
    ) -> Result<Option<(i64, AuthorityRecord)>, Fault> {
        let sql = format!("SELECT {AUTHORITY_COLUMNS} FROM authority WHERE id = ?1");
        self.one(&sql, [id.as_bytes()], |row| self.decode_authority(row))
    }

    pub(crate) fn known_authority(&self, id: AuthorityId) -> Result<(i64, AuthorityRecord), Fault> {
        self.numbered_authority(id)?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Authority, name: id.to_string() }.into())
    }

    fn numbered_issuer(&self, id: IssuerId) -> Result<Option<(i64, IssuerRecord)>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM issuer WHERE id = ?1 AND deleted_at IS NULL");
        self.one(&sql, [id.as_bytes()], |row| self.decode_issuer(row))
    }

    fn known_issuer(&self, id: IssuerId) -> Result<(i64, IssuerRecord), Fault> {
        self.numbered_issuer(id)?
            .ok_or_else(|| Conflict::NotFound { what: Noun::Issuer, name: id.to_string() }.into())
    }

    pub(crate) fn with_crl_signing(&self, mut issuer: IssuerRecord) -> Result<IssuerRecord, Fault> {
        if let Some(authority) = self.authority(issuer.authority)? {
            issuer.crl_signing = authority.crl_signing(issuer.key, issuer.mount);
        }
        Ok(issuer)
    }

    fn write_issuer(&self, n: i64, issuer: &IssuerRecord, deleted_at: Option<UnixTime>) -> Result<(), Fault> {
        self.write(
            "issuer",
            COLUMNS,
            params![
                n,
                issuer.id.as_bytes(),
                issuer.mount.as_bytes(),
                issuer.name,
                issuer.certificate,
                issuer.authority.as_bytes(),
                issuer.key.map(|id| *id.as_bytes()),
                chain_octets(&issuer.settings.manual_chain),
                issuer.settings.detail,
                integer(issuer.revision),
                seconds(issuer.created_at),
                deleted_at.map(seconds),
                self.code(&fields(n, issuer, deleted_at)),
            ],
        )
    }

    pub(crate) fn decode_issuer(&self, row: &Row<'_>) -> Result<(i64, IssuerRecord), Fault> {
        let n: i64 = row.get(0)?;
        let (chain, rest) = row.get_ref(7)?.as_blob().unwrap_or_default().as_chunks::<16>();
        if !rest.is_empty() {
            return Err(Fault::damaged("issuer", n, "its chain is no list of ids"));
        }
        let issuer = IssuerRecord {
            id: IssuerId::from_bytes(array(row, 1)?),
            mount: MountId::from_bytes(array(row, 2)?),
            name: row.get(3)?,
            certificate: row.get(4)?,
            authority: AuthorityId::from_bytes(array(row, 5)?),
            key: optional_array(row, 6)?.map(KeyId::from_bytes),
            // Said by the authority's row.
            crl_signing: CrlSigning::Off,
            settings: IssuerSettings {
                manual_chain: chain.iter().copied().map(IssuerId::from_bytes).collect(),
                detail: row.get(8)?,
            },
            revision: natural(row, 9)?,
            created_at: time(row, 10)?,
        };
        let deleted_at = optional_time(row, 11)?;
        let code = row.get_ref(12)?.as_blob().unwrap_or_default();
        self.check("issuer", n, &fields(n, &issuer, deleted_at), code)?;
        Ok((n, issuer))
    }

    pub(crate) fn write_authority(&self, n: i64, authority: &AuthorityRecord) -> Result<(), Fault> {
        self.write(
            "authority",
            AUTHORITY_COLUMNS,
            params![
                n,
                authority.id.as_bytes(),
                authority.subject,
                authority.public_key,
                authority.crl_mount.map(|id| *id.as_bytes()),
                authority.last_crl_number.to_be_bytes(),
                authority.last_this_update.map(seconds),
                integer(authority.revoked),
                integer(authority.last_revocation),
                self.code(&authority_fields(n, authority)),
            ],
        )
    }

    fn decode_authority(&self, row: &Row<'_>) -> Result<(i64, AuthorityRecord), Fault> {
        let n: i64 = row.get(0)?;
        let authority = AuthorityRecord {
            id: AuthorityId::from_bytes(array(row, 1)?),
            subject: row.get(2)?,
            public_key: row.get(3)?,
            crl_mount: optional_array(row, 4)?.map(MountId::from_bytes),
            last_crl_number: u128::from_be_bytes(array(row, 5)?),
            last_this_update: optional_time(row, 6)?,
            revoked: natural(row, 7)?,
            last_revocation: natural(row, 8)?,
        };
        let code = row.get_ref(9)?.as_blob().unwrap_or_default();
        self.check("authority", n, &authority_fields(n, &authority), code)?;
        Ok((n, authority))
    }
}

fn chain_octets(chain: &[IssuerId]) -> Vec<u8> {
    chain.iter().flat_map(|id| *id.as_bytes()).collect()
}

fn fields(n: i64, issuer: &IssuerRecord, deleted_at: Option<UnixTime>) -> Fields {
    let IssuerRecord {
        id,
        mount,
        name,
        certificate,
        authority,
        key,
        // Kept with the authority.
        crl_signing: _,
        settings: IssuerSettings { manual_chain, detail },
        revision,
        created_at,
    } = issuer;
    let mut fields = Fields::row("issuer", n);
    fields
        .octets(id.as_bytes())
        .octets(mount.as_bytes())
        .option(name.as_ref(), |fields, name| {
            fields.text(name);
        })
        .octets(certificate)
        .octets(authority.as_bytes())
        .option(key.as_ref(), |fields, id| {
            fields.octets(id.as_bytes());
        })
        .octets(&chain_octets(manual_chain))
        .octets(detail)
        .number(*revision)
        .time(*created_at)
        .option(deleted_at, |fields, at| {
            fields.time(at);
        });
    fields
}

fn authority_fields(n: i64, authority: &AuthorityRecord) -> Fields {
    let AuthorityRecord {
        id,
        subject,
        public_key,
        crl_mount,
        last_crl_number,
        last_this_update,
        revoked,
        last_revocation,
    } = authority;
    let mut fields = Fields::row("authority", n);
    fields
        .octets(id.as_bytes())
        .octets(subject)
        .octets(public_key)
        .option(crl_mount.as_ref(), |fields, id| {
            fields.octets(id.as_bytes());
        })
        .large(*last_crl_number)
        .option(*last_this_update, |fields, at| {
            fields.time(at);
        })
        .number(*revoked)
        .number(*last_revocation);
    fields
}
