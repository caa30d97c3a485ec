//! A group of batches becomes one transaction.

use rusqlite::{ErrorCode, params};

use super::fault::Fault;
use super::session::{Session, Tail};
use crate::batch::{Batch, Committed, Op, Outcome};
use crate::certificate::CertificateRecord;
use crate::lease::{LeaseRecord, LeaseStateName};
use crate::outcome;

impl Session {
    /// Commits the batches in one transaction. A conflict in one does not touch the others. An error means that
    /// nothing was committed.
    pub(crate) fn commit_group(
        &mut self,
        batches: &[&Batch],
    ) -> Result<Vec<Result<Committed, Fault>>, Fault> {
        self.run("BEGIN IMMEDIATE", [])?;
        self.tail = Tail::default();
        let answers = self.apply_group(batches).and_then(|answers| {
            self.write_chain_head()?;
            self.run("COMMIT", [])?;
            Ok(answers)
        });
        self.tail = Tail::default();
        if answers.is_err() {
            self.forget();
            if !self.connection.is_autocommit() {
                // SQLite may have rolled back by itself, as on a full disk.
                let _ = self.run("ROLLBACK", []);
            }
        }
        answers
    }

    fn apply_group(&mut self, batches: &[&Batch]) -> Result<Vec<Result<Committed, Fault>>, Fault> {
        let mut answers = Vec::with_capacity(batches.len());
        for batch in batches {
            match self.apply_batch(batch) {
                Ok(committed) => answers.push(Ok(committed)),
                Err(fault) if fault.is_conflict() => answers.push(Err(fault)),
                Err(fault) => return Err(fault),
            }
        }
        Ok(answers)
    }

    fn apply_batch(&mut self, batch: &Batch) -> Result<Committed, Fault> {
        match batch.ops.as_slice() {
            [Op::InsertCertificate { record, .. } | Op::ReserveCertificate(record)] => {
                self.apply_lone_certificate(batch, record)
            }
            _ => self.apply_any(batch),
        }
    }

    /// A batch that only inserts a certificate, as most do: its id lies in the certificate's row, which a
    /// repetition finds by its serial. That saves a search and a row for each.
    fn apply_lone_certificate(
        &mut self,
        batch: &Batch,
        record: &CertificateRecord,
    ) -> Result<Committed, Fault> {
        let outcome = match batch.ops.as_slice() {
            [Op::InsertCertificate { fingerprint, der, .. }] => {
                self.insert_certificate(record, fingerprint, der.as_deref(), Some(batch.id))
            }
            _ => self.reserve_certificate(record, Some(batch.id)),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(fault) if fault.is_conflict() => {
                // A fault of its own here, such as an unknown authority, is the conflict that is known already.
                return match self.first_outcome(record, batch.id) {
                    Ok(Some(first)) => Ok(Committed { outcomes: vec![first], repeated: true }),
                    _ => Err(fault),
                };
            }
            Err(fault) => return Err(fault),
        };
        for entry in &batch.audit {
            self.append_audit(entry)?;
        }
        Ok(Committed { outcomes: vec![outcome], repeated: false })
    }

    fn apply_any(&mut self, batch: &Batch) -> Result<Committed, Fault> {
        let sql = "SELECT outcome FROM batch WHERE id = ?1";
        let first = self.one(sql, [batch.id.as_bytes()], |row| {
            outcome::decode(row.get_ref(0)?.as_blob().unwrap_or_default()).ok_or(Fault::damaged(
                "batch",
                0,
                "an outcome cannot be read",
            ))
        })?;
        if let Some(outcomes) = first {
            return Ok(Committed { outcomes, repeated: true });
        }
        // An operation looks before it writes, so one alone leaves nothing behind when it conflicts. Savepoints
        // copy each page before it is changed again.
        let careful = batch.ops.len() > 1;
        if careful {
            self.run("SAVEPOINT batch", [])?;
        }
        let mut outcomes = Vec::with_capacity(batch.ops.len());
        for op in &batch.ops {
            match self.apply(op, batch) {
                Ok(outcome) => outcomes.push(outcome),
                Err(fault) => {
                    if careful && fault.is_conflict() {
                        self.run("ROLLBACK TO batch", [])?;
                        self.run("RELEASE batch", [])?;
                        self.forget();
                        self.tail.certificate = None;
                        self.tail.revoked_unknown = None;
                    }
                    return Err(fault);
                }
            }
        }
        for entry in &batch.audit {
            self.append_audit(entry)?;
        }
        self.run(
            "INSERT INTO batch (id, outcome) VALUES (?1, ?2)",
            params![batch.id.as_bytes(), outcome::encode(&outcomes)],
        )?;
        if careful {
            self.run("RELEASE batch", [])?;
        }
        self.sweep_outcomes(batch)?;
        Ok(Committed { outcomes, repeated: false })
    }

    fn apply(&mut self, op: &Op, batch: &Batch) -> Result<Outcome, Fault> {
        let at = batch.at;
        match op {
            Op::CreateMount(new) => self.create_mount(new, at),
            Op::TuneMount { mount, description, default_lease_ttl, max_lease_ttl } => {
                self.tune_mount(*mount, description.as_ref(), *default_lease_ttl, *max_lease_ttl)
            }
            Op::DisableMount { mount } => self.disable_mount(*mount, at),
            Op::CreateKey(new) => self.create_key(new, at),
            Op::RenameKey { key, name } => self.rename_key(*key, name.as_ref()),
            Op::SetPendingIssuerName { key, name } => self.set_pending_issuer_name(*key, name.as_ref()),
            Op::DeleteKey { key } => self.delete_key(*key),
            Op::CreateIssuer(new) => self.create_issuer(new, at),
            Op::UpdateIssuer { issuer, expected, name, settings } => {
                self.update_issuer(*issuer, *expected, name.as_ref(), settings)
            }
            Op::DeleteIssuer { issuer } => self.delete_issuer(*issuer, at),
            Op::SetDefaultIssuer { mount, issuer, follows_latest } => {
                self.set_default_issuer(*mount, *issuer, *follows_latest)
            }
            Op::SetDefaultKey { mount, key } => self.set_default_key(*mount, *key),
            Op::PutRole { mount, name, new_id, expected, json } => {
                self.put_role(*mount, name, *new_id, *expected, json, at)
            }
            Op::DeleteRole { mount, name, expected } => self.delete_role(*mount, name, *expected, at),
            Op::PutConfig { mount, key, expected, json } => self.put_config(*mount, key, *expected, json, at),
            Op::ReserveCertificate(record) => self.reserve_certificate(record, None),
            Op::CommitCertificate { authority, serial, tbs_digest, fingerprint, der } => {
                self.commit_certificate(*authority, *serial, tbs_digest, fingerprint, der.as_deref())
            }
            Op::InsertCertificate { record, fingerprint, der } => {
                self.insert_certificate(record, fingerprint, der.as_deref(), None)
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

    /// Now and then, outcomes that nobody will ask for any more: ids begin with the time, see `BatchId`.
    fn sweep_outcomes(&self, batch: &Batch) -> Result<(), Fault> {
        let [.., last] = *batch.id.as_bytes();
        if last % 64 != 0 {
            return Ok(());
        }
        let day_ago = batch.at.as_secs().saturating_sub(86_400) & u64::from(u32::MAX);
        let bound = u32::try_from(day_ago).unwrap_or(0).to_be_bytes();
        self.run(
            "DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE id < ?1 ORDER BY id LIMIT 1000)",
            [bound],
        )?;
        Ok(())
    }
}

impl Fault {
    /// Whether every batch of a group would meet the same, so that trying them one by one is of no use.
    pub(crate) fn concerns_all(error: &rusqlite::Error) -> bool {
        use ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, ReadOnly};
        error
            .sqlite_error_code()
            .is_some_and(|code| matches!(code, DatabaseBusy | DatabaseLocked | ReadOnly | CannotOpen))
    }
}
