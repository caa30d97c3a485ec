//! Leases: their states, who may work on them, and lists of them.

use std::collections::BTreeSet;
use std::thread;

use super::fixture::{Pair, at};
use crate::batch::{Op, Outcome};
use crate::block_on;
use crate::error::{Conflict, Noun, StoreError};
use crate::id::MountId;
use crate::lease::{
    Backoff, DueLeases, LeaseCause, LeaseClaim, LeaseId, LeaseRecord, LeaseRevocation, LeaseSelection,
    LeaseState, LeaseStateName, NewLease,
};
use crate::page::{Order, PageRequest};
use crate::store::Store;

const TERMS: &[u8] = b"{\"revocation_statements\":[]}";

impl<S: Store> Pair<'_, S> {
    fn database(&self) -> MountId {
        block_on(self.b.mount("database")).unwrap().unwrap().id
    }

    fn new_lease(&self, path: &str, expires: u64) -> NewLease {
        let id = LeaseId::parse(&format!("{path}/{:024}", self.next())).unwrap();
        NewLease {
            subject: format!("v-{id}"),
            id,
            mount: self.database(),
            terms: TERMS.to_vec(),
            expires_at: at(expires),
            holder: u64::MAX,
        }
    }

    /// Commits one operation at a time of its own.
    fn op_at(&self, store: &S, seconds: u64, op: Op) -> Result<Outcome, StoreError> {
        let batch = crate::Batch { at: at(seconds), ..self.batch(vec![op]) };
        self.commit(store, batch).map(|committed| committed.outcomes[0].clone())
    }

    fn pending(&self, path: &str, expires: u64) -> LeaseId {
        let new = self.new_lease(path, expires);
        let id = new.id.clone();
        assert_eq!(self.op(Op::ReserveLease(new)).unwrap(), Outcome::Lease { fence: 1 });
        id
    }

    fn active(&self, path: &str, expires: u64) -> LeaseId {
        let lease = self.pending(path, expires);
        self.op(Op::ActivateLease { lease: lease.clone(), fence: 1, activation: 16_500 }).unwrap();
        lease
    }

    fn read(&self, lease: &LeaseId) -> LeaseRecord {
        block_on(self.b.lease(lease)).unwrap().unwrap()
    }

    fn revoke(&self, lease: &LeaseId) {
        let op = Op::RevokeLeases { leases: one(lease), cause: LeaseCause::Asked };
        assert_eq!(self.op(op).unwrap(), Outcome::Leases { changed: 1 });
    }

    /// One lease in this state.
    fn lease_in(&self, state: LeaseStateName) -> LeaseId {
        let lease = self.pending("database/creds/web", 1_000);
        if state == LeaseStateName::Pending {
            return lease;
        }
        self.op(Op::ActivateLease { lease: lease.clone(), fence: 1, activation: 0 }).unwrap();
        match state {
            LeaseStateName::Pending | LeaseStateName::Active => {}
            LeaseStateName::Revoking => self.revoke(&lease),
            LeaseStateName::Revoked => {
                self.revoke(&lease);
                let fence = self.read(&lease).fence;
                self.op(Op::EndLease { lease: lease.clone(), fence }).unwrap();
            }
            LeaseStateName::Frozen => {
                self.op(Op::FreezeLeases { leases: one(&lease) }).unwrap();
            }
        }
        assert_eq!(self.read(&lease).state.name(), state);
        lease
    }

    fn claim(&self, store: &S, seconds: u64, due: DueLeases) -> Vec<(LeaseId, u64)> {
        let op = Op::ClaimDueLeases { due, worker: 9, until: at(seconds + 60) };
        match self.op_at(store, seconds, op).unwrap() {
            Outcome::Claimed(claimed) => claimed,
            other => panic!("{other:?}"),
        }
    }

    fn listed(&self, prefix: &str, state: Option<LeaseStateName>, order: Order) -> Vec<LeaseId> {
        let mut page = PageRequest { after: None, limit: 3, order };
        let mut ids = Vec::new();
        loop {
            let answer = block_on(self.b.leases(prefix, state, page)).unwrap();
            assert!(answer.items.len() <= 3);
            ids.extend(answer.items.into_iter().map(|lease| lease.id));
            let Some(next) = answer.next else { return ids };
            page.after = Some(next.to_string().parse().unwrap());
        }
    }
}

fn one(lease: &LeaseId) -> LeaseSelection {
    LeaseSelection::One(lease.clone())
}

fn below(prefix: &str, limit: u32) -> LeaseSelection {
    LeaseSelection::Prefix { prefix: prefix.into(), limit }
}

fn due(limit: u32) -> DueLeases {
    DueLeases { prefix: String::new(), backoff: Backoff::Respect, limit }
}

pub fn a_lease_lives_and_ends<S: Store>(pair: &Pair<'_, S>) {
    let new = pair.new_lease("database/creds/web", 100);
    let lease = new.id.clone();
    assert!(block_on(pair.b.lease(&lease)).unwrap().is_none());
    pair.op(Op::ReserveLease(new.clone())).unwrap();
    let reserved = pair.read(&lease);
    assert_eq!(
        (&reserved.terms, &reserved.subject, reserved.mount, reserved.issued_at, reserved.expires_at),
        (&new.terms, &new.subject, new.mount, at(0), at(100))
    );
    assert_eq!((&reserved.state, reserved.activation), (&LeaseState::Pending { holder: u64::MAX }, None));

    let activate = Op::ActivateLease { lease: lease.clone(), fence: 1, activation: 77 };
    assert_eq!(pair.op(activate).unwrap(), Outcome::Lease { fence: 1 });
    let renew = Op::RenewLease { lease: lease.clone(), fence: 1, expires_at: at(200) };
    pair.op_at(pair.b, 50, renew).unwrap();
    let renewed = pair.read(&lease);
    assert_eq!((&renewed.state, renewed.activation), (&LeaseState::Active, Some(77)));
    assert_eq!((renewed.expires_at, renewed.renewed_at), (at(200), Some(at(50))));
    assert_eq!(block_on(pair.b.next_due_lease()).unwrap(), Some(at(200)));

    assert_eq!(pair.claim(pair.a, 199, due(10)), []);
    assert_eq!(pair.claim(pair.a, 200, due(10)), [(lease.clone(), 2)]);
    let claimed = pair.read(&lease);
    assert_eq!(claimed.claim, Some(LeaseClaim { worker: 9, until: at(260) }));
    assert_eq!(block_on(pair.b.next_due_lease()).unwrap(), Some(at(260)));
    let revoke = Op::RevokeLeases { leases: one(&lease), cause: LeaseCause::Expired };
    assert_eq!(pair.op_at(pair.a, 201, revoke).unwrap(), Outcome::Leases { changed: 1 });
    let retry = |fence| Op::RetryLease {
        lease: lease.clone(),
        fence,
        error: "the server is \"down\"".into(),
        next_attempt: at(300),
    };
    let late = Conflict::LeaseFence { lease: lease.to_string(), named: 2, found: 3 };
    assert_eq!(pair.conflict(retry(2)), late);
    pair.op_at(pair.a, 202, retry(3)).unwrap();
    let failed = LeaseRevocation {
        cause: LeaseCause::Expired,
        since: at(201),
        failures: 1,
        last_attempt: Some(at(202)),
        next_attempt: at(300),
        last_error: Some("the server is \"down\"".into()),
    };
    assert_eq!(pair.read(&lease).state, LeaseState::Revoking(failed));
    let end = Op::EndLease { lease: lease.clone(), fence: 3 };
    pair.op_at(pair.a, 300, end).unwrap();
    let ended = pair.read(&lease);
    assert_eq!((&ended.state, ended.claim), (&LeaseState::Revoked { at: at(300) }, None));
    assert_eq!(block_on(pair.b.next_due_lease()).unwrap(), None);

    let forget = |ended_before| Op::ForgetLeases { ended_before: at(ended_before), limit: 10 };
    assert_eq!(pair.op(forget(300)).unwrap(), Outcome::Leases { changed: 0 });
    assert_eq!(pair.op(forget(301)).unwrap(), Outcome::Leases { changed: 1 });
    assert!(block_on(pair.b.lease(&lease)).unwrap().is_none());
}

/// Every transition in every state: what is not listed is refused, and names lease, state and act.
pub fn the_table_of_lease_transitions<S: Store>(pair: &Pair<'_, S>) {
    use LeaseStateName::{Active, Frozen, Revoked, Revoking};
    type Make = fn(LeaseId, u64) -> Op;
    let table: [(&str, Make, [Option<LeaseStateName>; 5]); 7] = [
        (
            "activate",
            |lease, fence| Op::ActivateLease { lease, fence, activation: 0 },
            [Some(Active), None, None, None, None],
        ),
        (
            "renew",
            |lease, fence| Op::RenewLease { lease, fence, expires_at: at(2_000) },
            [None, Some(Active), None, None, None],
        ),
        (
            "revoke",
            |lease, _| Op::RevokeLeases { leases: one(&lease), cause: LeaseCause::Asked },
            [Some(Revoking), Some(Revoking), Some(Revoking), Some(Revoked), None],
        ),
        (
            "retry",
            |lease, fence| Op::RetryLease { lease, fence, error: "x".into(), next_attempt: at(9) },
            [None, None, Some(Revoking), None, None],
        ),
        ("end", |lease, fence| Op::EndLease { lease, fence }, [None, None, Some(Revoked), None, None]),
        (
            "freeze",
            |lease, _| Op::FreezeLeases { leases: one(&lease) },
            [Some(Frozen), Some(Frozen), Some(Frozen), None, None],
        ),
        ("thaw", |lease, _| Op::ThawLeases { leases: one(&lease) }, [None, None, None, None, Some(Active)]),
    ];
    for (name, make, wanted) in table {
        for (state, wanted) in LeaseStateName::ALL.into_iter().zip(wanted) {
            let lease = pair.lease_in(state);
            let before = pair.read(&lease);
            let op = make(lease.clone(), before.fence);
            if let Some(wanted) = wanted {
                pair.op(op).unwrap();
                assert_eq!(pair.read(&lease).state.name(), wanted, "{name} of {state}");
                continue;
            }
            match pair.conflict(op) {
                Conflict::LeaseState { lease: named, state: found, .. } => {
                    assert_eq!((named, found), (lease.to_string(), state.name()), "{name}");
                }
                other => panic!("{name} of {state}: {other:?}"),
            }
            assert_eq!(pair.read(&lease), before, "{name} of {state} changed it");
        }
    }
}

pub fn a_lease_that_was_taken_over_is_not_activated<S: Store>(pair: &Pair<'_, S>) {
    let activate = |lease: &LeaseId, fence| Op::ActivateLease { lease: lease.clone(), fence, activation: 1 };
    // Revoked while its user was being created.
    let revoked = pair.pending("database/creds/web", 100);
    pair.revoke(&revoked);
    for fence in [1, 2] {
        assert!(matches!(pair.conflict(activate(&revoked, fence)), Conflict::LeaseState { .. }));
    }
    // Claimed by a sweep, which has not begun yet.
    let swept = pair.pending("database/creds/web", 100);
    assert_eq!(pair.claim(pair.b, 100, DueLeases { prefix: swept.to_string(), ..due(1) }).len(), 1);
    let late = Conflict::LeaseFence { lease: swept.to_string(), named: 1, found: 2 };
    assert_eq!(pair.conflict(activate(&swept, 1)), late);
    // Frozen and thawed, as in a store that came from a backup.
    let thawed = pair.pending("database/creds/web", 100);
    pair.op(Op::FreezeLeases { leases: one(&thawed) }).unwrap();
    pair.op(Op::ThawLeases { leases: one(&thawed) }).unwrap();
    assert!(matches!(pair.conflict(activate(&thawed, 1)), Conflict::LeaseFence { named: 1, .. }));
    // Over before it was active; and what is over is not renewed.
    let over = pair.pending("database/creds/web", 100);
    let expired = Conflict::LeaseExpired { lease: over.to_string(), expired_at: at(100) };
    let conflict = |op| match pair.op_at(pair.a, 100, op) {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    assert_eq!(conflict(activate(&over, 1)), expired);
    let active = pair.active("database/creds/web", 100);
    let renew = Op::RenewLease { lease: active.clone(), fence: 1, expires_at: at(500) };
    assert!(matches!(conflict(renew), Conflict::LeaseExpired { .. }));
    for lease in [revoked, swept, thawed, over] {
        assert_eq!(pair.read(&lease).activation, None);
    }
}

pub fn a_lease_needs_an_id_of_its_own<S: Store>(pair: &Pair<'_, S>) {
    let lease = pair.active("database/creds/web", 100);
    let taken = |id: &str, mount| {
        let new = NewLease { id: LeaseId::parse(id).unwrap(), mount, ..pair.new_lease("x", 100) };
        pair.conflict(Op::ReserveLease(new))
    };
    assert_eq!(taken(&lease.to_string(), pair.database()), Conflict::IdTaken);
    assert_eq!(
        taken(&format!("database/creds/other/{}", lease.unique()), pair.database()),
        Conflict::IdTaken
    );
    let nowhere = MountId::from_bytes([9; 16]);
    assert!(matches!(taken("database/creds/web/1", nowhere), Conflict::NotFound { what: Noun::Mount, .. }));
    for id in ["database/creds/web/0", "database/creds/we/0", "database/creds/0"] {
        let nobody = LeaseId::parse(id).unwrap();
        assert!(block_on(pair.b.lease(&nobody)).unwrap().is_none(), "{id}");
        let end = Op::EndLease { lease: nobody, fence: 1 };
        assert!(matches!(pair.conflict(end), Conflict::NotFound { what: Noun::Lease, .. }), "{id}");
    }
    let elsewhere = LeaseId::parse(&format!("database/creds/other/{}", lease.unique())).unwrap();
    assert!(block_on(pair.b.lease(&elsewhere)).unwrap().is_none(), "its last part under another path");
}

pub fn due_leases_are_claimed_once<S: Store>(pair: &Pair<'_, S>) {
    let ids: Vec<LeaseId> = (0..6).map(|n| pair.active("database/creds/web", 100 - n)).collect();
    let other = pair.active("database/creds/api", 90);
    // The longest overdue first, in parts, by two workers.
    let first = pair.claim(pair.a, 100, DueLeases { prefix: "database/creds/web/".into(), ..due(4) });
    let claimed: Vec<&LeaseId> = first.iter().map(|(lease, _)| lease).collect();
    assert_eq!(claimed, [&ids[5], &ids[4], &ids[3], &ids[2]]);
    let second = pair.claim(pair.b, 100, due(10));
    let claimed: Vec<&LeaseId> = second.iter().map(|(lease, _)| lease).collect();
    assert_eq!(claimed, [&other, &ids[1], &ids[0]]);
    assert_eq!(pair.claim(pair.a, 159, due(10)), []);
    // A worker that died: its claim is over, and its fence too.
    let again = pair.claim(pair.b, 160, due(1));
    assert_eq!(again.len(), 1);
    let (lease, fence) = &again[0];
    let before = first.iter().chain(&second).find(|(id, _)| id == lease).unwrap().1;
    assert_eq!(*fence, before + 1);
    pair.op_at(pair.b, 160, Op::RevokeLeases { leases: one(lease), cause: LeaseCause::Expired }).unwrap();
    let late = pair.op_at(pair.a, 160, Op::EndLease { lease: lease.clone(), fence: before });
    assert!(matches!(late, Err(StoreError::Conflict(Conflict::LeaseFence { .. }))));
}

pub fn revocations_are_due_after_their_back_off<S: Store>(pair: &Pair<'_, S>) {
    let lease = pair.active("database/creds/web", 10_000);
    let revoke = |seconds| {
        pair.op_at(pair.a, seconds, Op::RevokeLeases { leases: one(&lease), cause: LeaseCause::Asked })
    };
    revoke(100).unwrap();
    let [(_, fence)] = pair.claim(pair.b, 100, due(9))[..] else { panic!() };
    let retry = Op::RetryLease { lease: lease.clone(), fence, error: "down".into(), next_attempt: at(400) };
    pair.op_at(pair.b, 101, retry).unwrap();
    let peek = |seconds, backoff| {
        let claimed = pair.claim(pair.a, seconds, DueLeases { backoff, ..due(9) });
        // Give it back as it was.
        if let [(lease, fence)] = &claimed[..] {
            let next_attempt = at(400);
            let retry =
                Op::RetryLease { lease: lease.clone(), fence: *fence, error: "down".into(), next_attempt };
            pair.op_at(pair.a, 101, retry).unwrap();
        }
        claimed.len()
    };
    assert_eq!(peek(399, Backoff::Respect), 0);
    assert_eq!(peek(399, Backoff::Ignore), 1);
    assert_eq!(peek(400, Backoff::Respect), 1);
    assert_eq!(peek(50, Backoff::Respect), 1, "the clock jumped back: its last failure lies in the future");
    // Asking again makes it due at once, and keeps its history.
    assert_eq!(revoke(200).unwrap(), Outcome::Leases { changed: 1 });
    let LeaseState::Revoking(revocation) = pair.read(&lease).state else { panic!() };
    assert_eq!((revocation.since, revocation.failures, revocation.next_attempt), (at(100), 4, at(200)));
    // Held by somebody: neither the clock nor a sweep that ignores back-offs takes it away.
    assert_eq!(pair.claim(pair.a, 200, due(9)).len(), 1);
    for seconds in [50, 201] {
        assert_eq!(pair.claim(pair.b, seconds, DueLeases { backoff: Backoff::Ignore, ..due(9) }), []);
    }
}

pub fn leases_are_listed_by_prefix_and_state<S: Store>(pair: &Pair<'_, S>) {
    use LeaseStateName::{Active, Frozen, Pending, Revoked, Revoking};
    let mut all = Vec::new();
    for path in ["database/creds/web", "database/creds/web-2", "other/creds/web"] {
        for state in [Active, Pending, Active, Revoking, Revoked, Frozen, Active] {
            let lease = pair.pending(path, 1_000);
            if state != Pending {
                let activate = Op::ActivateLease { lease: lease.clone(), fence: 1, activation: 0 };
                pair.op(activate).unwrap();
            }
            if state == Revoking || state == Revoked {
                pair.revoke(&lease);
            }
            if state == Revoked {
                pair.op(Op::EndLease { lease: lease.clone(), fence: 2 }).unwrap();
            }
            if state == Frozen {
                pair.op(Op::FreezeLeases { leases: one(&lease) }).unwrap();
            }
            all.push((lease, state));
        }
    }
    let exact = all[2].0.to_string();
    let shorter: String = exact.chars().take(exact.chars().count() - 1).collect();
    for prefix in [
        "",
        "database/",
        "database/creds/web",
        "database/creds/web/",
        "database/creds/web-",
        "other",
        exact.as_str(),
        shorter.as_str(),
        "nobody/",
        "web",
        "database/creds/web/x/",
        "%",
    ] {
        for state in [None, Some(Active), Some(Pending), Some(Revoking), Some(Revoked), Some(Frozen)] {
            let wanted: Vec<LeaseId> = all
                .iter()
                .filter(|(lease, of)| {
                    lease.to_string().starts_with(prefix) && state.is_none_or(|state| state == *of)
                })
                .map(|(lease, _)| lease.clone())
                .collect();
            assert_eq!(pair.listed(prefix, state, Order::OldestFirst), wanted, "{prefix:?} {state:?}");
            let reversed: Vec<LeaseId> = wanted.into_iter().rev().collect();
            assert_eq!(pair.listed(prefix, state, Order::NewestFirst), reversed, "{prefix:?} {state:?}");
        }
    }
}

pub fn leases_are_revoked_by_prefix_in_parts<S: Store>(pair: &Pair<'_, S>) {
    use LeaseStateName::{Active, Frozen, Revoking};
    let ids: Vec<LeaseId> = (0..7).map(|_| pair.active("database/creds/web", 1_000)).collect();
    let other = pair.active("database/creds/web2", 1_000);
    pair.op(Op::FreezeLeases { leases: one(&ids[3]) }).unwrap();
    let revoke = || {
        let leases = below("database/creds/web/", 4);
        pair.op(Op::RevokeLeases { leases, cause: LeaseCause::Asked }).unwrap()
    };
    for changed in [4, 2, 0] {
        assert_eq!(revoke(), Outcome::Leases { changed });
    }
    assert_eq!(pair.listed("database/creds/web/", Some(Revoking), Order::OldestFirst).len(), 6);
    assert_eq!(pair.read(&ids[3]).state.name(), Frozen);
    assert_eq!(pair.read(&other).state.name(), Active);
    assert_eq!(pair.claim(pair.b, 0, due(100)).len(), 6);

    // All that is not over freezes, and thaws to what it was.
    let freeze = |limit| pair.op(Op::FreezeLeases { leases: below("", limit) }).unwrap();
    assert_eq!([freeze(5), freeze(5)], [5, 2].map(|changed| Outcome::Leases { changed }));
    assert_eq!(pair.claim(pair.b, 5_000, DueLeases { backoff: Backoff::Ignore, ..due(100) }), []);
    assert_eq!(block_on(pair.b.next_due_lease()).unwrap(), None);
    let thawed = pair.op(Op::ThawLeases { leases: below("database/creds/web/", 100) }).unwrap();
    assert_eq!(thawed, Outcome::Leases { changed: 7 });
    assert_eq!(pair.read(&ids[0]).state.name(), Revoking);
    assert_eq!(pair.read(&ids[3]).state.name(), Active);
    assert_eq!(pair.read(&other).state.name(), Frozen);
}

pub fn two_workers_never_get_one_lease<S: Store + Sync>(pair: &Pair<'_, S>) {
    let all: BTreeSet<LeaseId> = (0..60).map(|_| pair.active("database/creds/web", 100)).collect();
    let claimed: Vec<LeaseId> = thread::scope(|scope| {
        let workers = [pair.a, pair.b].map(|store| {
            scope.spawn(move || -> Vec<LeaseId> {
                (0..15).flat_map(|_| pair.claim(store, 100, due(2))).map(|(lease, _)| lease).collect()
            })
        });
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(claimed.len(), 60);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<LeaseId>>(), all);
}

pub fn a_heartbeat_is_the_last_one<S: Store>(pair: &Pair<'_, S>) {
    assert_eq!(block_on(pair.b.heartbeat("lease expire")).unwrap(), None);
    for (store, seconds) in [(pair.a, 10), (pair.b, 20)] {
        let beat = Op::Beat { name: "lease expire".into(), until: at(seconds + 30) };
        assert_eq!(pair.op_at(store, seconds, beat).unwrap(), Outcome::Done);
    }
    let beat = block_on(pair.a.heartbeat("lease expire")).unwrap().unwrap();
    assert_eq!((beat.name.as_str(), beat.at, beat.until), ("lease expire", at(20), at(50)));
    assert_eq!(block_on(pair.b.heartbeat("lease")).unwrap(), None);
}
