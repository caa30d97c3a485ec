//! Grants and revocations on a database that fails at each step: a lease ends revoked, or its user lives and it is active.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use db_creds::database::Database;
use db_creds::grant;
use db_creds::lease::{Lease, LeaseId, LeaseState, StateName};
use db_creds::memory::{MemoryDatabase, Step};
use db_creds::password::Password;
use db_creds::random::{RandomError, SecureRandom};
use db_creds::revoke;
use db_creds::role::{Caller, DatabaseRole, DatabaseRoleConfig};
use db_creds::time::UnixTime;
use db_creds::ttl::TtlLimits;
use db_creds::username::UsernameTemplate;
use proptest::prelude::*;

/// A store that survives, a database that may fail, a clock that is set.
struct World {
    database: MemoryDatabase,
    store: BTreeMap<LeaseId, Lease>,
    clock: AtomicU64,
    seed: u64,
}

/// Where the process dies while it grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Never,
    BeforeTheUser,
    BeforeTheSecondStore,
    BeforeTheAnswer,
}

impl World {
    fn new() -> Self {
        Self {
            database: MemoryDatabase::new(Password::new("root".into())),
            store: BTreeMap::new(),
            clock: AtomicU64::new(1_000),
            seed: 0,
        }
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.clock.load(Ordering::Relaxed)).unwrap()
    }

    fn rng(&mut self) -> impl SecureRandom + use<> {
        self.seed += 1;
        let mut state = self.seed << 32;
        move |out: &mut [u8]| -> Result<(), RandomError> {
            for octet in out {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *octet = (state >> 56) as u8;
            }
            Ok(())
        }
    }

    /// Asks for a credential; the id of its lease, and whether it was given out.
    async fn grant(&mut self, crash: Crash) -> (LeaseId, bool) {
        let config = DatabaseRoleConfig {
            db_name: "db".into(),
            creation_statements: vec!["CREATE ROLE \"{{name}}\" PASSWORD '{{password}}'".into()],
            ..DatabaseRoleConfig::default()
        };
        let role = DatabaseRole::new(config, "r", 1).unwrap();
        let caller = Caller {
            display_name: "root",
            mount: "database",
            role_name: "ro",
            limits: TtlLimits::SYSTEM,
            holder: 1,
        };
        let usernames = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
        let now = self.now();
        let plan = role.plan(&caller, &usernames, 63, &mut self.rng(), now).unwrap();
        let id = plan.lease().id.clone();
        self.store.insert(id.clone(), plan.lease().clone());
        if crash == Crash::BeforeTheUser {
            return (id, false);
        }
        let result = grant::create(&self.database, plan, &|| true, || self.now()).await;
        if crash == Crash::BeforeTheSecondStore {
            return (id, false);
        }
        match result {
            Ok(created) => {
                self.store.insert(id.clone(), created.lease().clone());
                let credential = created.credential();
                assert!(!format!("{credential:?}").contains(credential.password.reveal()));
                (id, crash == Crash::Never)
            }
            Err(error) => {
                self.store.insert(id.clone(), *error.lease);
                (id, false)
            }
        }
    }

    /// One sweep: what is due, what is revoking, what was abandoned.
    async fn sweep(&mut self) {
        let now = self.now();
        let due: Vec<Lease> = self
            .store
            .values()
            .filter(|lease| {
                matches!(lease.state.name(), StateName::Pending | StateName::Revoking) || lease.is_due(now)
            })
            .cloned()
            .collect();
        for lease in due {
            let revoking = revoke::begin(&lease, now).unwrap();
            self.store.insert(lease.id.clone(), revoking.clone());
            let mut rng = self.rng();
            let next = revoke::attempt(&self.database, &revoking, || self.now(), &mut rng).await.unwrap();
            self.store.insert(lease.id.clone(), next);
        }
    }

    /// The users of the database equal the active leases, exactly.
    fn is_exact(&self) -> bool {
        let mut active: Vec<&str> = self
            .store
            .values()
            .filter(|lease| lease.state == LeaseState::Active)
            .filter_map(|lease| lease.subject.user())
            .collect();
        active.sort_unstable();
        self.database.users() == active
    }
}

#[tokio::test]
async fn a_crash_leaves_a_lease_that_is_revoked_or_nothing() {
    for crash in [Crash::Never, Crash::BeforeTheUser, Crash::BeforeTheSecondStore, Crash::BeforeTheAnswer] {
        for failure in [None, Some(Step::Connect), Some(Step::Statement), Some(Step::Answer)] {
            let mut world = World::new();
            world.database.fail(failure.as_slice());
            let (id, was_given) = world.grant(crash).await;
            world.database.fail(&[]);
            world.sweep().await;
            assert!(world.is_exact(), "{crash:?} {failure:?}");
            let state = world.store.get(&id).unwrap().state.name();
            if was_given {
                assert_eq!(state, StateName::Active, "{crash:?} {failure:?}");
            }
            assert!(
                matches!(state, StateName::Active | StateName::Revoked),
                "{crash:?} {failure:?}: {state}"
            );
        }
    }
}

/// A revocation goes on until it works, however often it fails, and its error is there to be seen.
#[tokio::test]
async fn a_revocation_is_never_given_up() {
    let mut world = World::new();
    let (id, _) = world.grant(Crash::Never).await;
    let lease = world.store.get(&id).unwrap().clone();
    world.clock.store(lease.expires_at.as_secs(), Ordering::Relaxed);
    let mut attempts = 0;
    for round in 1..=50 {
        world.database.fail(&[Step::Connect]);
        world.sweep().await;
        let LeaseState::Revoking(revocation) = &world.store.get(&id).unwrap().state else {
            panic!("round {round}")
        };
        attempts += 1;
        assert_eq!((revocation.failures, revocation.since), (attempts, lease.expires_at));
        assert!(revocation.last_error.as_deref().unwrap().contains("told to fail"));
        let (now, next) = (world.now(), revocation.next_attempt);
        assert!(next > now && next.saturating_since(now).as_secs() <= 450, "{round}");
        world.clock.store(next.as_secs(), Ordering::Relaxed);
    }
    world.database.fail(&[]);
    world.sweep().await;
    assert!(world.is_exact() && world.database.users().is_empty());
}

/// Creating took longer than the lease lives: there is no credential, and the user goes.
#[tokio::test]
async fn a_lease_that_ends_before_its_user_exists_gives_nothing() {
    let mut world = World::new();
    let config = DatabaseRoleConfig {
        db_name: "db".into(),
        creation_statements: vec!["CREATE ROLE \"{{name}}\"".into()],
        ..DatabaseRoleConfig::default()
    };
    let role = DatabaseRole::new(config, "r", 1).unwrap();
    let caller =
        Caller { display_name: "", mount: "database", role_name: "ro", limits: TtlLimits::SYSTEM, holder: 1 };
    let usernames = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
    let now = world.now();
    let plan = role.plan(&caller, &usernames, 63, &mut world.rng(), now).unwrap();
    let late = plan.lease().expires_at;
    let error = grant::create(&world.database, plan, &|| true, || late).await.unwrap_err();
    assert_eq!((error.lease.state.name(), world.database.users().len()), (StateName::Revoking, 1));
    world.store.insert(error.lease.id.clone(), *error.lease);
    world.sweep().await;
    assert!(world.is_exact() && world.database.users().is_empty());
}

#[tokio::test]
async fn users_that_are_being_revoked_are_not_made() {
    let mut world = World::new();
    let (id, _) = world.grant(Crash::Never).await;
    let lease = world.store.get(&id).unwrap().clone();
    let active = revoke::attempt(&world.database, &lease, || world.now(), &mut |_: &mut [u8]| Ok(())).await;
    assert!(
        active.unwrap_err().to_string().contains("is active"),
        "only what is stored as revoking is revoked"
    );
    assert!(revoke::begin(&lease.freeze(), world.now()).is_err(), "a frozen lease waits");
    world.database.ping().await.unwrap();
}

proptest! {
    /// Whatever fails, and whenever the process dies: after one sweep that works, users and active leases are the same.
    #[test]
    fn users_equal_active_leases(
        steps in prop::collection::vec((0_u8..6, prop::collection::vec(0_u8..3, 0..3), 0_u64..4_000_000), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for (act, failures, passed) in steps {
                let failures: Vec<Step> = failures
                    .into_iter()
                    .map(|failure| match failure {
                        0 => Step::Connect,
                        1 => Step::Statement,
                        _ => Step::Answer,
                    })
                    .collect();
                world.database.fail(&failures);
                match act {
                    0 | 1 => drop(world.grant(Crash::Never).await),
                    2 => drop(world.grant(Crash::BeforeTheUser).await),
                    3 => drop(world.grant(Crash::BeforeTheSecondStore).await),
                    4 => drop(world.grant(Crash::BeforeTheAnswer).await),
                    _ => world.sweep().await,
                }
                world.clock.fetch_add(passed, Ordering::Relaxed);
            }
            world.database.fail(&[]);
            world.sweep().await;
            assert!(world.is_exact());
        });
    }
}
