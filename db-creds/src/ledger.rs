//! Many leases, ordered by what is due. It lists work and does none.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::lease::{Lease, LeaseId, LeasePath, LeasePrefix, LeaseState, LeaseTerms, StateName};
use crate::time::UnixTime;

/// Leases in memory: found by id, listed by prefix, given out when due.
///
/// A lease costs less than 300 octets (`benches`): paths and terms are shared, and both orders hold pointers.
#[derive(Debug, Default)]
pub struct Ledger {
    paths: BTreeMap<LeasePath, BTreeSet<ById>>,
    due: BTreeSet<Due>,
    terms: HashSet<Arc<LeaseTerms>>,
    /// Revocations that have failed: few, and the only ones whose time a clock can take back.
    retrying: BTreeSet<ById>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a lease in, or its next state in place of the one before, which is given back.
    pub fn put(&mut self, mut lease: Lease) -> Option<Arc<Lease>> {
        let before = self.take(&lease.id);
        self.share(&mut lease);
        let path = lease.id.path().clone();
        let lease = Arc::new(lease);
        if let Some(at) = lease.due_at() {
            self.due.insert(Due { at, lease: ById(lease.clone()) });
        }
        if has_failed(&lease) {
            self.retrying.insert(ById(lease.clone()));
        }
        self.paths.entry(path).or_default().insert(ById(lease));
        before
    }

    /// Forgets a lease.
    pub fn take(&mut self, id: &LeaseId) -> Option<Arc<Lease>> {
        let ById(lease) = self.paths.get_mut(id.path())?.take(id)?;
        if let Some(at) = lease.due_at() {
            self.due.remove(&Due { at, lease: ById(lease.clone()) });
        }
        self.retrying.remove(id);
        Some(lease)
    }

    /// The lease of this id.
    pub fn lookup(&self, id: &LeaseId) -> Option<&Lease> {
        self.paths.get(id.path())?.get(id).map(|ById(lease)| lease.as_ref())
    }

    /// The leases below a prefix, in the order of their ids.
    pub fn list<'a>(&'a self, prefix: &'a LeasePrefix) -> impl Iterator<Item = &'a Lease> {
        self.paths
            .iter()
            .filter(|(path, _)| prefix.touches(path))
            .flat_map(|(_, leases)| leases)
            .map(|ById(lease)| lease.as_ref())
            .filter(|lease| prefix.rest(&lease.id).is_some())
    }

    /// The leases for which something must be done now, the longest overdue first: expired ones, and revocations
    /// whose next attempt has come (or whose last one lies in the future: the clock jumped back).
    pub fn due(&self, now: UnixTime) -> impl Iterator<Item = &Lease> {
        let due = self.due.iter().take_while(move |due| due.at <= now).map(|due| due.lease.0.as_ref());
        let taken_back = self
            .retrying
            .iter()
            .map(|ById(lease)| lease.as_ref())
            .filter(move |lease| lease.is_due(now) && lease.due_at().is_some_and(|at| at > now));
        due.chain(taken_back)
    }

    /// The next instant at which something is due: when to look again.
    pub fn next_due(&self) -> Option<UnixTime> {
        self.due.first().map(|due| due.at)
    }

    /// How many leases there are.
    pub fn len(&self) -> usize {
        self.paths.values().map(BTreeSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many leases are in this state; walks all of them.
    pub fn count(&self, state: StateName) -> usize {
        self.paths.values().flatten().filter(|ById(lease)| lease.state.name() == state).count()
    }

    /// Lets the lease use the path and the terms that are here already.
    fn share(&mut self, lease: &mut Lease) {
        match self.paths.get_key_value(lease.id.path()) {
            Some((path, _)) => lease.id.share(&path.clone()),
            None => {
                self.paths.insert(lease.id.path().clone(), BTreeSet::new());
            }
        }
        match self.terms.get(&lease.terms) {
            Some(terms) => lease.terms = terms.clone(),
            None => {
                self.terms.insert(lease.terms.clone());
            }
        }
    }
}

/// A restart. Sorted once and built as a whole, since a million insertions into trees of pointers miss every cache.
impl FromIterator<Lease> for Ledger {
    fn from_iter<I: IntoIterator<Item = Lease>>(leases: I) -> Self {
        let mut ledger = Self::new();
        let mut newest: Option<Arc<Lease>> = None;
        let mut all: Vec<ById> = Vec::new();
        for mut lease in leases {
            match &newest {
                // Leases of one role come together: comparing is less than looking up.
                Some(newest) if newest.terms == lease.terms && newest.id.path() == lease.id.path() => {
                    lease.id.share(newest.id.path());
                    lease.terms = newest.terms.clone();
                }
                _ => ledger.share(&mut lease),
            }
            let lease = Arc::new(lease);
            newest = Some(lease.clone());
            all.push(ById(lease));
        }
        // Stable: of several states of one lease the last one counts, as if they had been put in one by one.
        all.sort();
        all.reverse();
        all.dedup();
        all.reverse();
        let due = |ById(lease): &ById| lease.due_at().map(|at| Due { at, lease: ById(lease.clone()) });
        ledger.due = all.iter().filter_map(due).collect();
        ledger.retrying = all.iter().filter(|ById(lease)| has_failed(lease)).cloned().collect();
        for (path, leases) in &mut ledger.paths {
            let begin = all.partition_point(|ById(lease)| lease.id.path() < path);
            let end = all.partition_point(|ById(lease)| lease.id.path() <= path);
            *leases = all.get(begin..end).into_iter().flatten().cloned().collect();
        }
        ledger
    }
}

fn has_failed(lease: &Lease) -> bool {
    match &lease.state {
        LeaseState::Revoking(revocation) => revocation.failures > 0,
        _ => false,
    }
}

/// A lease in the order of ids.
#[derive(Clone, Debug)]
struct ById(Arc<Lease>);

impl Borrow<LeaseId> for ById {
    fn borrow(&self) -> &LeaseId {
        &self.0.id
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl PartialOrd for ById {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ById {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

/// A lease in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: UnixTime,
    lease: ById,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::RevocationCause;
    use crate::lease::tests::{active, at, id, pending};
    use proptest::prelude::*;

    #[test]
    fn leases_are_found_listed_and_forgotten() {
        let mut ledger: Ledger = [pending(1), active(2), active(3)].into_iter().collect();
        let other =
            Lease { id: LeaseId::parse("database/creds/ro2/0abcdefghijklmnopqrstuvw").unwrap(), ..active(4) };
        ledger.put(other.clone());
        assert_eq!((ledger.len(), ledger.count(StateName::Active)), (4, 3));
        assert_eq!(ledger.lookup(&id(2)), Some(&active(2)));
        assert_eq!(ledger.lookup(&id(9)), None);
        for (prefix, count) in [
            ("", 4),
            ("database/", 4),
            ("database/creds/ro", 3),
            ("database/creds/ro/", 3),
            ("database/creds/ro2", 1),
            ("database/creds/r", 0),
            ("database/issue", 0),
        ] {
            assert_eq!(ledger.list(&LeasePrefix::new(prefix)).count(), count, "{prefix}");
        }
        let whole = LeasePrefix::new(&id(3).to_string());
        assert_eq!(ledger.list(&whole).map(|lease| &lease.id).collect::<Vec<_>>(), [&id(3)]);
        assert_eq!(ledger.take(&id(3)).as_deref(), Some(&active(3)));
        assert_eq!((ledger.take(&id(3)), ledger.len()), (None, 3));
    }

    #[test]
    fn due_lists_the_longest_overdue_first() {
        let mut ledger = Ledger::new();
        for (number, expires_at) in [(1, 500), (2, 300), (3, 900), (4, 300)] {
            ledger.put(Lease { expires_at: at(expires_at), ..active(number) });
        }
        ledger.put(Lease { expires_at: at(100), ..active(5).freeze() });
        let due = |ledger: &Ledger, now| ledger.due(at(now)).map(|l| l.id.clone()).collect::<Vec<_>>();
        assert_eq!(due(&ledger, 299), []);
        assert_eq!(due(&ledger, 500), [id(2), id(4), id(1)]);
        assert_eq!(ledger.next_due(), Some(at(300)));
        let revoking = ledger.lookup(&id(2)).unwrap().revoke(RevocationCause::Expired, at(500)).unwrap();
        ledger.put(revoking.retry("down".into(), at(510), at(500)).unwrap());
        assert_eq!(due(&ledger, 505), [id(4), id(1)]);
        assert_eq!(due(&ledger, 510), [id(4), id(1), id(2)]);
        assert_eq!(due(&ledger, 400), [id(4), id(2)], "the clock jumped back: the retry is due");
    }

    #[test]
    fn paths_and_terms_are_held_once() {
        let ledger: Ledger = (0..10).map(active).collect();
        assert_eq!((ledger.paths.len(), ledger.terms.len()), (1, 1));
        let (first, last) = (ledger.lookup(&id(0)).unwrap(), ledger.lookup(&id(9)).unwrap());
        assert!(Arc::ptr_eq(&first.terms, &last.terms));
        assert_eq!(first.id.path().as_str().as_ptr(), last.id.path().as_str().as_ptr());
    }

    #[test]
    fn a_ledger_that_is_built_as_a_whole_is_the_same() {
        let revoking = active(3).revoke(RevocationCause::Expired, at(50)).unwrap();
        let leases = vec![
            active(7),
            pending(2),
            Lease { id: LeaseId::parse("a/creds/b/0abcdefghijklmnopqrstuvw").unwrap(), ..active(1) },
            active(3),
            revoking.clone(),
            revoking.retry("down".into(), at(90), at(60)).unwrap(),
            active(5).freeze(),
        ];
        let mut one_by_one = Ledger::new();
        for lease in leases.clone() {
            one_by_one.put(lease);
        }
        let whole: Ledger = leases.into_iter().collect();
        let all = LeasePrefix::new("");
        assert!(whole.list(&all).eq(one_by_one.list(&all)));
        for now in [0, 55, 90, 100_000] {
            assert!(whole.due(at(now)).eq(one_by_one.due(at(now))), "{now}");
        }
        assert_eq!((whole.len(), whole.terms.len(), whole.paths.len()), (5, 1, 2));
    }

    proptest! {
        /// Whatever happens to leases, `due` is what a walk over all of them finds.
        #[test]
        fn due_agrees_with_a_walk(
            acts in prop::collection::vec((0_u64..8, 0_u8..5, 0_u64..3_000), 0..60),
            now in 0_u64..3_000,
        ) {
            let mut ledger: Ledger = (0..8).map(active).collect();
            for (number, act, moment) in acts {
                let lease = ledger.lookup(&id(number)).unwrap().clone();
                let next = match act {
                    0 => lease.revoke(RevocationCause::Asked, at(moment)),
                    1 => lease.retry("x".into(), at(moment + 10), at(moment)),
                    2 => lease.revoked(at(moment)),
                    3 => Ok(Lease { expires_at: at(moment), ..lease }),
                    _ => Ok(lease.freeze()),
                };
                if let Ok(next) = next {
                    ledger.put(next);
                }
            }
            let mut listed: Vec<LeaseId> = ledger.due(at(now)).map(|lease| lease.id.clone()).collect();
            listed.sort();
            let all = LeasePrefix::new("");
            let walked: Vec<LeaseId> =
                ledger.list(&all).filter(|lease| lease.is_due(at(now))).map(|lease| lease.id.clone()).collect();
            prop_assert_eq!(listed, walked);
            let ended = ledger.due(at(now)).any(|lease| matches!(lease.state, LeaseState::Revoked { .. }));
            prop_assert!(!ended);
        }
    }
}
