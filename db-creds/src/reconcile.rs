//! The users that exist, compared with the ledger. It decides; the caller acts, or shows a plan.
//!
//! A store that came from a backup is frozen: it remembers leases that have ended since, and does not know those that were
//! granted since. Comparing tells both.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::database::ServerUser;
use crate::lease::{Lease, LeaseId, LeaseState, LeaseSubject, LeaseTerms, StateName};
use crate::time::UnixTime;
use crate::ttl::Grant;

/// A difference between the server and the ledger, or a frozen lease without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A user that looks like ours and has no lease.
    Orphan(ServerUser),
    /// A user whose lease is over.
    Survivor {
        /// The user.
        user: ServerUser,
        /// Its lease, which says that it is gone.
        lease: LeaseId,
    },
    /// An active lease without a user.
    Missing {
        /// The lease.
        lease: LeaseId,
        /// The user that it names.
        name: String,
    },
    /// A user of a lease, with another number: it was made anew by somebody else, or the server was restored.
    Renumbered {
        /// The user.
        user: ServerUser,
        /// Its lease.
        lease: LeaseId,
    },
    /// A frozen lease that agrees with the server.
    Frozen {
        /// The lease.
        lease: LeaseId,
    },
}

/// What may be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Give the user a lease ([`adopt`]), then revoke it or let it live.
    AdoptOrDrop,
    /// Revoke the lease again, by a new one of the same user ([`adopt`]).
    DropAgain,
    /// Revoke the lease: there is nothing to remove.
    Revoke,
    /// Nothing is wrong that an act would mend; someone should look.
    Look,
    /// Thaw the lease.
    Thaw,
}

impl Finding {
    /// What may be done about it.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Orphan(_) => Remedy::AdoptOrDrop,
            Self::Survivor { .. } => Remedy::DropAgain,
            Self::Missing { .. } => Remedy::Revoke,
            Self::Renumbered { .. } => Remedy::Look,
            Self::Frozen { .. } => Remedy::Thaw,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphan(user) => {
                write!(f, "user {:?} ({} sessions) has no lease", user.name, user.sessions)
            }
            Self::Survivor { user, lease } => {
                write!(f, "user {:?} ({} sessions) exists, but {lease} is revoked", user.name, user.sessions)
            }
            Self::Missing { lease, name } => {
                write!(f, "{lease} is active, but its user {name:?} does not exist")
            }
            Self::Renumbered { user, lease } => {
                write!(
                    f,
                    "user {:?} of {lease} is not the one that was created: it has another number",
                    user.name
                )
            }
            Self::Frozen { lease } => write!(f, "{lease} is frozen, and as the server has it"),
        }
    }
}

/// Compares the users on a server whose names begin with `prefix` with all leases of that database.
///
/// Pending and revoking leases are under way: their user may be there or not. An empty prefix says that users cannot be told
/// by their names: then a user without a lease is nobody's business, and no orphan is found.
pub fn compare<'a>(
    users: &[ServerUser],
    leases: impl IntoIterator<Item = &'a Lease>,
    prefix: &str,
) -> Vec<Finding> {
    let mut unclaimed: BTreeMap<&str, &ServerUser> =
        users.iter().map(|user| (user.name.as_str(), user)).collect();
    let mut ended = Vec::new();
    let mut findings = Vec::new();
    for lease in leases {
        let Some(name) = lease.subject.user() else { continue };
        let (state, is_frozen) = match &lease.state {
            LeaseState::Frozen(before) => (before.name(), true),
            state => (state.name(), false),
        };
        if state == StateName::Revoked {
            ended.push((name, &lease.id));
            continue;
        }
        let id = lease.id.clone();
        match (unclaimed.remove(name), state) {
            (None, StateName::Active) => findings.push(Finding::Missing { lease: id, name: name.into() }),
            (Some(user), _) if is_another(user, lease) => {
                findings.push(Finding::Renumbered { user: user.clone(), lease: id });
            }
            _ if is_frozen => findings.push(Finding::Frozen { lease: id }),
            _ => {}
        }
    }
    // A name may have had a lease before the one it has now: only what no living lease claims is left over.
    for (name, lease) in ended {
        if let Some(user) = unclaimed.remove(name) {
            findings.push(Finding::Survivor { user: user.clone(), lease: lease.clone() });
        }
    }
    if !prefix.is_empty() {
        let orphans = unclaimed.into_values().filter(|user| user.name.starts_with(prefix));
        findings.extend(orphans.map(|user| Finding::Orphan(user.clone())));
    }
    findings
}

fn is_another(user: &ServerUser, lease: &Lease) -> bool {
    let (there, here) = (user.activation.oid, lease.activation.and_then(|activation| activation.oid));
    there.is_some() && here.is_some() && there != here
}

/// A lease for a user that has none: active, so that it ends as every other does.
pub fn adopt(user: &ServerUser, id: LeaseId, terms: Arc<LeaseTerms>, grant: &Grant, now: UnixTime) -> Lease {
    Lease {
        id,
        subject: LeaseSubject::User(user.name.as_str().into()),
        terms,
        issued_at: now,
        expires_at: grant.expires_at,
        renewed_at: None,
        activation: Some(user.activation),
        state: LeaseState::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    use crate::database::LoginRight;
    use crate::lease::tests::{active, at, id, pending};
    use crate::lease::{Activation, RevocationCause};
    use crate::ttl::{self, TtlLimits};
    use proptest::prelude::*;

    fn user(name: &str, oid: u32) -> ServerUser {
        ServerUser {
            name: name.into(),
            activation: Activation { oid: NonZeroU32::new(oid) },
            login: LoginRight::Granted,
            sessions: 1,
        }
    }

    /// The user of the lease with this number.
    fn own(number: u64) -> ServerUser {
        user(&format!("v-root-ro-{number}"), 16_500)
    }

    #[test]
    fn what_is_found() {
        let revoking = |number| active(number).revoke(RevocationCause::Asked, at(2_000)).unwrap();
        let revoked = |number| revoking(number).revoked(at(2_001)).unwrap();
        for (name, users, leases, wanted) in [
            ("nothing at all", vec![], vec![], vec![]),
            ("as it should be", vec![own(1)], vec![active(1)], vec![]),
            ("an orphan", vec![own(1), own(2)], vec![active(1)], vec![Finding::Orphan(own(2))]),
            ("somebody else's", vec![user("app", 1)], vec![], vec![]),
            (
                "a survivor",
                vec![own(1)],
                vec![revoked(1)],
                vec![Finding::Survivor { user: own(1), lease: id(1) }],
            ),
            ("gone as it should be", vec![], vec![revoked(1)], vec![]),
            (
                "no user",
                vec![],
                vec![active(1)],
                vec![Finding::Missing { lease: id(1), name: "v-root-ro-1".into() }],
            ),
            (
                "under way",
                vec![own(1), own(3)],
                vec![pending(1), pending(2), revoking(3), revoking(4)],
                vec![],
            ),
            (
                "another one of the same name",
                vec![user("v-root-ro-1", 7)],
                vec![active(1)],
                vec![Finding::Renumbered { user: user("v-root-ro-1", 7), lease: id(1) }],
            ),
            ("frozen", vec![own(1)], vec![active(1).freeze()], vec![Finding::Frozen { lease: id(1) }]),
            (
                "frozen, and gone since",
                vec![],
                vec![active(1).freeze()],
                vec![Finding::Missing { lease: id(1), name: "v-root-ro-1".into() }],
            ),
            (
                "granted after the backup",
                vec![own(1), own(2)],
                vec![active(1).freeze()],
                vec![Finding::Frozen { lease: id(1) }, Finding::Orphan(own(2))],
            ),
            (
                "frozen and under way",
                vec![],
                vec![pending(1).freeze()],
                vec![Finding::Frozen { lease: id(1) }],
            ),
        ] {
            assert_eq!(compare(&users, &leases, "v-"), wanted, "{name}");
        }
        assert_eq!(compare(&[own(1)], &[], ""), [], "names that begin with anything tell nothing");
    }

    #[test]
    fn an_adopted_user_is_no_orphan() {
        let grant = ttl::grant(None, TtlLimits::SYSTEM, at(5)).unwrap();
        let lease = adopt(&own(9), id(9), Arc::new(LeaseTerms::default()), &grant, at(5));
        assert_eq!(compare(&[own(9)], &[lease], "v-"), []);
    }

    proptest! {
        /// After every remedy is taken, nothing is found but what was frozen and is thawed.
        #[test]
        fn remedies_end_the_differences(server in prop::collection::vec(0_u64..12, 0..12), states in prop::collection::vec((0_u64..12, 0_u8..5), 0..12)) {
            let mut users: BTreeMap<u64, ServerUser> = server.into_iter().map(|n| (n, own(n))).collect();
            let mut leases: BTreeMap<u64, Lease> = states.into_iter().map(|(n, state)| (n, match state {
                0 => pending(n),
                1 => active(n),
                2 => active(n).revoke(RevocationCause::Asked, at(9)).unwrap(),
                3 => active(n).revoke(RevocationCause::Asked, at(9)).unwrap().revoked(at(9)).unwrap(),
                _ => active(n).freeze(),
            })).collect();
            let listed: Vec<ServerUser> = users.values().cloned().collect();
            for finding in compare(&listed, leases.values(), "v-") {
                match finding {
                    Finding::Orphan(user) | Finding::Survivor { user, .. } => users.retain(|_, other| other.name != user.name),
                    Finding::Missing { lease, .. } => leases.retain(|_, other| other.id != lease),
                    Finding::Frozen { lease } => for other in leases.values_mut().filter(|other| other.id == lease) {
                        *other = other.thaw().unwrap();
                    },
                    Finding::Renumbered { .. } => prop_assert!(false, "all have one number"),
                }
            }
            let listed: Vec<ServerUser> = users.values().cloned().collect();
            prop_assert_eq!(compare(&listed, leases.values(), "v-"), []);
        }
    }
}
