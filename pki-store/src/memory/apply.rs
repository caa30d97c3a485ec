//! Operations on the collections, each with its preconditions first.

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;

use super::{Deletable, State};
use crate::batch::{Expected, Op, Outcome};
use crate::certificate::{CertificateRecord, CertificateRow, CertificateState, StoredCertificate};
use crate::config::ConfigRecord;
use crate::crl::{CrlDraft, CrlRecord, CrlScope};
use crate::error::{Conflict, Noun};
use crate::id::{IssuerId, KeyId, MountId, RoleId};
use crate::issuer::{AuthorityRecord, IssuerRecord, IssuerSettings, NewIssuer};
use crate::key::{KeyRecord, NewKey};
use crate::lease::{LeaseRecord, LeaseStateName};
use crate::mount::{Mount, NewMount};
use crate::revocation::Revocation;
use crate::role::RoleRecord;

type Answer = Result<Outcome, Conflict>;

impl State {
    pub(super) fn apply(&mut self, op: &Op, at: UnixTime) -> Answer {
        match op {
            Op::CreateMount(new) => self.create_mount(new, at),
            Op::TuneMount { mount, description, default_lease_ttl, max_lease_ttl } => {
                let mount = self.open_mount(*mount)?;
                if let Some(description) = description {
                    mount.description.clone_from(description);
                }
                mount.default_lease_ttl = default_lease_ttl.unwrap_or(mount.default_lease_ttl);
                mount.max_lease_ttl = max_lease_ttl.unwrap_or(mount.max_lease_ttl);
                Ok(Outcome::Done)
            }
            Op::DisableMount { mount } => {
                self.open_mount(*mount)?.disabled_at = Some(at);
                Ok(Outcome::Done)
            }
            Op::CreateKey(new) => self.create_key(new, at),
            Op::RenameKey { key, name } => self.rename_key(*key, name.as_ref()),
            Op::SetPendingIssuerName { key, name } => self.set_pending_issuer_name(*key, name.as_ref()),
            Op::DeleteKey { key } => self.delete_key(*key),
            Op::CreateIssuer(new) => self.create_issuer(new, at),
            Op::UpdateIssuer { issuer, expected, name, settings } => {
                self.update_issuer(*issuer, *expected, name.as_ref(), settings)
            }
            Op::DeleteIssuer { issuer } => self.delete_issuer(*issuer),
            Op::SetDefaultIssuer { mount, issuer, follows_latest } => {
                self.open_mount(*mount)?;
                self.issuer(*issuer)
                    .filter(|found| found.mount == *mount)
                    .ok_or_else(|| missing(Noun::Issuer, issuer))?;
                let mount = self.open_mount(*mount)?;
                mount.default_issuer = Some(*issuer);
                mount.default_follows_latest_issuer = *follows_latest;
                Ok(Outcome::Done)
            }
            Op::SetDefaultKey { mount, key } => {
                self.open_mount(*mount)?;
                if self.known_key(*key)?.mount != *mount {
                    return Err(missing(Noun::Key, key));
                }
                self.open_mount(*mount)?.default_key = Some(*key);
                Ok(Outcome::Done)
            }
            Op::PutRole { mount, name, new_id, expected, json } => {
                self.put_role(*mount, name, *new_id, *expected, json, at)
            }
            Op::DeleteRole { mount, name, expected } => {
                let found = self.role(*mount, name).map(|role| role.revision);
                expected.check(found, Noun::Role, name)?;
                if let Some(role) = self.role_slot(*mount, name) {
                    role.deleted = true;
                }
                Ok(Outcome::Done)
            }
            Op::PutConfig { mount, key, expected, json } => {
                self.open_mount(*mount)?;
                let place = (*mount, key.clone());
                let found = self.config.get(&place).map(|config| config.revision);
                expected.check(found, Noun::Config, key)?;
                let revision = found.unwrap_or(0) + 1;
                let config = ConfigRecord { key: key.clone(), revision, json: json.clone(), updated_at: at };
                self.config.insert(place, config);
                Ok(Outcome::Revision(revision))
            }
            Op::ReserveCertificate(record) => self.insert(record, CertificateState::Reserved, None, None),
            Op::CommitCertificate { authority, serial, tbs_digest, fingerprint, der } => {
                let n = self.serials.get(&(*authority, *serial));
                let Some(stored) = n.and_then(|n| self.certificates.get_mut(n)) else {
                    return Err(missing(Noun::Certificate, serial));
                };
                if stored.row.state != CertificateState::Reserved
                    || stored.row.record.tbs_digest != *tbs_digest
                {
                    return Err(Conflict::NotReserved { serial: *serial });
                }
                stored.row.state = CertificateState::Issued;
                stored.row.fingerprint = Some(*fingerprint);
                stored.der.clone_from(der);
                Ok(Outcome::Certificate(stored.row.id))
            }
            Op::InsertCertificate { record, fingerprint, der } => {
                self.insert(record, CertificateState::Issued, Some(*fingerprint), der.clone())
            }
            Op::Revoke { authority, serial, reason, not_after } => {
                self.revoke(*authority, *serial, *reason, *not_after, at)
            }
            Op::BeginCrl { authority, mount, scope, nanoseconds } => {
                self.begin_crl(*authority, *mount, *scope, *nanoseconds, at)
            }
            Op::FinishCrl { draft, next_update, der } => self.finish_crl(draft, *next_update, der, at),
            Op::ReserveLease(new) => self.reserve_lease(new, at),
            Op::ActivateLease { lease, fence, activation } => {
                self.change_lease(lease, |record| record.activate(*fence, *activation, at))
            }
            Op::RenewLease { lease, fence, expires_at } => {
                self.change_lease(lease, |record| record.renew(*fence, *expires_at, at))
            }
            Op::RevokeLeases { leases, cause } => {
                use LeaseStateName::{Active, Pending};
                self.change_leases(leases, &[Pending, Active], |record| record.revoke(*cause, at))
            }
            Op::RetryLease { lease, fence, error, next_attempt } => {
                self.change_lease(lease, |record| record.retry(*fence, error, *next_attempt, at))
            }
            Op::EndLease { lease, fence } => self.change_lease(lease, |record| record.end(*fence, at)),
            Op::FreezeLeases { leases } => {
                use LeaseStateName::{Active, Pending, Revoking};
                self.change_leases(leases, &[Pending, Active, Revoking], LeaseRecord::freeze)
            }
            Op::ThawLeases { leases } => {
                self.change_leases(leases, &[LeaseStateName::Frozen], LeaseRecord::thaw)
            }
            Op::ClaimDueLeases { due, worker, until } => self.claim_due(due, *worker, *until, at),
            Op::ForgetLeases { ended_before, limit } => self.forget_leases(*ended_before, *limit),
            Op::PutAccount(new) => self.put_account(new, at),
            Op::DeleteAccount { mount, kind, name, expected } => {
                self.delete_account(*mount, *kind, name, *expected)
            }
            Op::Beat { name, until } => self.beat(name, *until, at),
        }
    }

    pub(super) fn create_mount(&mut self, new: &NewMount, at: UnixTime) -> Answer {
        let NewMount { id, name, kind, description, default_lease_ttl, max_lease_ttl } = new;
        if self.mount(name).is_some() || self.mounts.iter().any(|mount| mount.id == *id) {
            return Err(Conflict::NameTaken { what: Noun::Mount, name: name.clone() });
        }
        self.mounts.push(Mount {
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
        });
        Ok(Outcome::Done)
    }

    fn create_key(&mut self, new: &NewKey, at: UnixTime) -> Answer {
        let NewKey { id, mount, name, key_type, bits, public_key, private_key, pending_issuer_name } = new;
        self.open_mount(*mount)?;
        if let Some(present) =
            self.keys.iter().find(|key| key.mount == *mount && key.public_key == *public_key)
        {
            return Err(Conflict::KeyExists { key: present.label() });
        }
        if let Some(name) = name {
            self.key_name_is_free(*mount, name)?;
        }
        if let Some(name) = pending_issuer_name {
            self.issuer_name_is_free(*mount, name, None)?;
        }
        if self.keys.iter().any(|key| key.id == *id) {
            return Err(Conflict::IdTaken);
        }
        self.keys.push(KeyRecord {
            id: *id,
            mount: *mount,
            name: name.clone(),
            key_type: key_type.clone(),
            bits: *bits,
            public_key: public_key.clone(),
            private_key: private_key.clone(),
            pending_issuer_name: pending_issuer_name.clone(),
            created_at: at,
        });
        let row = self.open_mount(*mount)?;
        row.default_key = row.default_key.or(Some(*id));
        self.give_key_to_issuers(*mount, *id, public_key)
    }

    /// A new key's issuers of the same mount that had none.
    fn give_key_to_issuers(&mut self, mount: MountId, key: KeyId, public_key: &[u8]) -> Answer {
        let Self { issuers, authorities, .. } = self;
        let mut first = None;
        for slot in issuers.iter_mut() {
            let issuer = &mut slot.record;
            if slot.deleted || issuer.mount != mount || issuer.key.is_some() {
                continue;
            }
            let authority = authorities.iter_mut().find(|authority| authority.id == issuer.authority);
            let Some(authority) = authority.filter(|authority| authority.public_key == public_key) else {
                continue;
            };
            issuer.key = Some(key);
            authority.crl_mount = authority.crl_mount.or(Some(mount));
            first = first.or(Some(issuer.id));
        }
        let row = self.open_mount(mount)?;
        row.default_issuer = row.default_issuer.or(first);
        Ok(Outcome::Done)
    }

    fn rename_key(&mut self, id: KeyId, name: Option<&String>) -> Answer {
        let key = self.known_key(id)?.clone();
        if let Some(name) = name
            && !key.name.as_ref().is_some_and(|present| present.eq_ignore_ascii_case(name))
        {
            self.key_name_is_free(key.mount, name)?;
        }
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.name = name.cloned();
        }
        Ok(Outcome::Done)
    }

    fn set_pending_issuer_name(&mut self, id: KeyId, name: Option<&String>) -> Answer {
        let mount = self.known_key(id)?.mount;
        if let Some(name) = name {
            self.issuer_name_is_free(mount, name, Some(id))?;
        }
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.pending_issuer_name = name.cloned();
        }
        Ok(Outcome::Done)
    }

    fn delete_key(&mut self, id: KeyId) -> Answer {
        let mount = self.known_key(id)?.mount;
        if let Some(issuer) = self.issuers(mount).into_iter().find(|issuer| issuer.key == Some(id)) {
            return Err(Conflict::KeyInUse { issuer: issuer.label() });
        }
        self.keys.retain(|key| key.id != id);
        for mount in &mut self.mounts {
            mount.default_key = mount.default_key.filter(|default| *default != id);
        }
        Ok(Outcome::Done)
    }

    fn create_issuer(&mut self, new: &NewIssuer, at: UnixTime) -> Answer {
        let NewIssuer { id, mount, name, certificate, subject, public_key, settings } = new;
        let default = self.open_mount(*mount)?.default_issuer;
        if let Some(present) =
            self.issuers(*mount).into_iter().find(|issuer| issuer.certificate == *certificate)
        {
            return Ok(present.outcome(true, default == Some(present.id)));
        }
        let key = self.keys.iter().find(|key| key.mount == *mount && key.public_key == *public_key);
        let pending = key.and_then(|key| key.pending_issuer_name.clone());
        let key = key.map(|key| key.id);
        let name = name.clone().or(pending);
        if let Some(name) = &name {
            self.issuer_name_is_free(*mount, name, key)?;
        }
        if self.issuers.iter().any(|issuer| issuer.record.id == *id) {
            return Err(Conflict::IdTaken);
        }
        for key in self.keys.iter_mut().filter(|row| Some(row.id) == key) {
            key.pending_issuer_name = None;
        }
        let authority_id = AuthorityId::new(subject, public_key);
        if !self.authorities.iter().any(|authority| authority.id == authority_id) {
            self.authorities.push(AuthorityRecord::new(subject, public_key));
        }
        let authority = self.known_authority(authority_id)?;
        if key.is_some() {
            authority.crl_mount = authority.crl_mount.or(Some(*mount));
        }
        let crl_signing = authority.crl_signing(key, *mount);
        let issuer = IssuerRecord {
            id: *id,
            mount: *mount,
            name,
            certificate: certificate.clone(),
            authority: authority_id,
            key,
            crl_signing,
            settings: settings.clone(),
            revision: 1,
            created_at: at,
        };
        let row = self.open_mount(*mount)?;
        if key.is_some() && (row.default_issuer.is_none() || row.default_follows_latest_issuer) {
            row.default_issuer = Some(*id);
        }
        let outcome = issuer.outcome(false, row.default_issuer == Some(*id));
        self.issuers.push(Deletable { record: issuer, deleted: false });
        Ok(outcome)
    }

    fn update_issuer(
        &mut self,
        id: IssuerId,
        expected: u64,
        name: Option<&String>,
        settings: &IssuerSettings,
    ) -> Answer {
        let issuer = self.issuer(id).ok_or_else(|| missing(Noun::Issuer, &id))?;
        Expected::Revision(expected).check(Some(issuer.revision), Noun::Issuer, &issuer.label())?;
        if let Some(name) = name
            && !issuer.name.as_ref().is_some_and(|present| present.eq_ignore_ascii_case(name))
        {
            self.issuer_name_is_free(issuer.mount, name, None)?;
        }
        for slot in self.issuers.iter_mut().filter(|slot| slot.record.id == id) {
            slot.record.name = name.cloned();
            slot.record.settings = settings.clone();
            slot.record.revision += 1;
        }
        Ok(Outcome::Revision(expected + 1))
    }

    fn delete_issuer(&mut self, id: IssuerId) -> Answer {
        let issuer = self.issuer(id).ok_or_else(|| missing(Noun::Issuer, &id))?;
        for slot in self.issuers.iter_mut().filter(|slot| slot.record.id == id) {
            slot.deleted = true;
        }
        for mount in &mut self.mounts {
            mount.default_issuer = mount.default_issuer.filter(|default| *default != id);
        }
        // The authority can be signed for elsewhere once nothing here speaks for it.
        let spoken_for = self
            .issuers(issuer.mount)
            .iter()
            .any(|other| other.authority == issuer.authority && other.key.is_some());
        let authority = self.known_authority(issuer.authority)?;
        if !spoken_for {
            authority.crl_mount = authority.crl_mount.filter(|mount| *mount != issuer.mount);
        }
        Ok(Outcome::Done)
    }

    fn put_role(
        &mut self,
        mount: MountId,
        name: &str,
        new_id: RoleId,
        expected: Expected,
        json: &[u8],
        at: UnixTime,
    ) -> Answer {
        self.open_mount(mount)?;
        let found = self.role(mount, name).cloned();
        expected.check(found.as_ref().map(|role| role.revision), Noun::Role, name)?;
        let version = if let (Some(before), Some(slot)) = (found, self.role_slot(mount, name)) {
            let role = &mut slot.record;
            role.revision += 1;
            role.json = json.to_vec();
            role.updated_at = at;
            let version = role.version();
            self.role_history.push(before);
            version
        } else {
            if self.roles.iter().any(|role| role.record.id == new_id) {
                return Err(Conflict::IdTaken);
            }
            let record = RoleRecord {
                id: new_id,
                mount,
                name: name.to_owned(),
                revision: 1,
                json: json.to_vec(),
                created_at: at,
                updated_at: at,
            };
            let version = record.version();
            self.roles.push(Deletable { record, deleted: false });
            version
        };
        Ok(Outcome::Role(version))
    }

    fn insert(
        &mut self,
        record: &CertificateRecord,
        state: CertificateState,
        fingerprint: Option<[u8; 32]>,
        der: Option<Vec<u8>>,
    ) -> Answer {
        self.known_authority(record.authority)?;
        if !self.issuers.iter().any(|issuer| issuer.record.id == record.issuer) {
            return Err(missing(Noun::Issuer, &record.issuer));
        }
        if !self.mounts.iter().any(|mount| mount.id == record.mount) {
            return Err(missing(Noun::Mount, &record.mount));
        }
        if let Some(role) = record.role
            && !self.roles.iter().any(|present| present.record.id == role.id)
        {
            return Err(missing(Noun::Role, &role.id));
        }
        if self.serials.contains_key(&(record.authority, record.serial)) {
            return Err(Conflict::SerialUsed { serial: record.serial });
        }
        let id = self.certificates.last_key_value().map_or(0, |(last, _)| *last) + 1;
        self.serials.insert((record.authority, record.serial), id);
        let row = CertificateRow { id, record: record.clone(), state, fingerprint, revocation: None };
        self.certificates.insert(id, StoredCertificate { row, der });
        Ok(Outcome::Certificate(id))
    }

    fn revoke(
        &mut self,
        authority: AuthorityId,
        serial: SerialNumber,
        reason: RevocationReason,
        not_after: Option<UnixTime>,
        at: UnixTime,
    ) -> Answer {
        self.known_authority(authority)?;
        if let Some(revocation) = self.revocation(authority, serial) {
            return Ok(Outcome::Revoked { revocation, already: true });
        }
        let certificate = self.certificate(authority, serial);
        let id = self.revocations.last_key_value().map_or(0, |(last, _)| *last) + 1;
        let not_after = certificate.map(|stored| stored.row.record.not_after).or(not_after);
        let revocation = Revocation { id, authority, serial, revoked_at: at, reason, not_after };
        self.revocations.insert(id, revocation);
        self.revoked.insert((authority, serial), id);
        let row = self.known_authority(authority)?;
        row.revoked += 1;
        row.last_revocation = id;
        Ok(Outcome::Revoked { revocation, already: false })
    }

    fn begin_crl(
        &mut self,
        authority: AuthorityId,
        mount: MountId,
        scope: CrlScope,
        nanoseconds: u128,
        at: UnixTime,
    ) -> Answer {
        let signs = self.known_authority(authority)?.crl_mount;
        if signs != Some(mount) {
            let elsewhere = self.mounts.iter().find(|mount| Some(mount.id) == signs);
            return Err(Conflict::CrlElsewhere { mount: elsewhere.map(|mount| mount.name.clone()) });
        }
        let row = self.known_authority(authority)?;
        Ok(Outcome::Crl(CrlDraft::begin(row, scope, nanoseconds, at)))
    }

    fn finish_crl(&mut self, draft: &CrlDraft, next_update: UnixTime, der: &[u8], at: UnixTime) -> Answer {
        let place = (draft.authority, draft.scope);
        let published = self.crls.get(&place).cloned();
        draft.check(next_update, self.known_authority(draft.authority)?, published.as_ref())?;
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
        self.crls.insert(place, crl);
        Ok(Outcome::Done)
    }

    pub(super) fn mount(&self, name: &str) -> Option<&Mount> {
        self.mounts.iter().find(|mount| mount.disabled_at.is_none() && mount.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn open_mount(&mut self, id: MountId) -> Result<&mut Mount, Conflict> {
        self.mounts
            .iter_mut()
            .find(|mount| mount.id == id && mount.disabled_at.is_none())
            .ok_or_else(|| missing(Noun::Mount, &id))
    }

    fn known_key(&self, id: KeyId) -> Result<&KeyRecord, Conflict> {
        self.keys.iter().find(|key| key.id == id).ok_or_else(|| missing(Noun::Key, &id))
    }

    fn known_authority(&mut self, id: AuthorityId) -> Result<&mut AuthorityRecord, Conflict> {
        self.authorities
            .iter_mut()
            .find(|authority| authority.id == id)
            .ok_or_else(|| missing(Noun::Authority, &id))
    }

    fn key_name_is_free(&self, mount: MountId, name: &str) -> Result<(), Conflict> {
        let taken = self.keys.iter().any(|key| key.mount == mount && same(key.name.as_ref(), name));
        if taken { Err(Conflict::NameTaken { what: Noun::Key, name: name.to_owned() }) } else { Ok(()) }
    }

    /// Whether an issuer may have this name; the pending name of `key`, its own, does not stand in the way.
    fn issuer_name_is_free(&self, mount: MountId, name: &str, key: Option<KeyId>) -> Result<(), Conflict> {
        let pending = self.keys.iter().any(|waiting| {
            waiting.mount == mount
                && Some(waiting.id) != key
                && same(waiting.pending_issuer_name.as_ref(), name)
        });
        if pending || self.issuer_by_name(mount, name).is_some() {
            return Err(Conflict::NameTaken { what: Noun::Issuer, name: name.to_owned() });
        }
        Ok(())
    }

    fn role_slot(&mut self, mount: MountId, name: &str) -> Option<&mut Deletable<RoleRecord>> {
        self.roles.iter_mut().find(|role| {
            !role.deleted && role.record.mount == mount && role.record.name.eq_ignore_ascii_case(name)
        })
    }
}

/// Names compare without regard to letter case.
pub(super) fn same(present: Option<&String>, name: &str) -> bool {
    present.is_some_and(|present| present.eq_ignore_ascii_case(name))
}

fn missing(what: Noun, name: &dyn core::fmt::Display) -> Conflict {
    Conflict::NotFound { what, name: name.to_string() }
}
