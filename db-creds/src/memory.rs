//! A database in memory, for tests: it can be told to fail at each step.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::database::{
    Database, DatabaseError, DatabaseFault, Held, Login, LoginRight, PasswordChange, ServerUser,
};
use crate::grant::NewUser;
use crate::lease::{Activation, Lease};
use crate::password::Password;
use crate::statement::Values;
use crate::time::UnixTime;

/// Users in memory. Clones of a reference share them.
#[derive(Debug)]
pub struct MemoryDatabase {
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    users: BTreeMap<String, MemoryUser>,
    root: MemoryUser,
    /// What connections are made with.
    used_password: Password,
    next_oid: u32,
    failures: Vec<Step>,
}

#[derive(Clone, Debug)]
struct MemoryUser {
    oid: u32,
    password: Password,
    valid_until: Option<UnixTime>,
}

/// Where an act can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Before the connection is there.
    Connect,
    /// In a statement: the server rolls back.
    Statement,
    /// After the commit, before its answer: nobody knows.
    Answer,
}

impl MemoryDatabase {
    /// An empty database, whose own user has this password.
    pub fn new(root: Password) -> Self {
        Self {
            inside: Mutex::new(Inside {
                users: BTreeMap::new(),
                root: MemoryUser { oid: 10, password: root.clone(), valid_until: None },
                used_password: root,
                next_oid: 16_384,
                failures: Vec::new(),
            }),
        }
    }

    /// The next acts fail at these steps, one each, the first first.
    pub fn fail(&self, steps: &[Step]) {
        let mut inside = self.lock();
        inside.failures = steps.iter().rev().copied().collect();
    }

    /// The names of the users.
    pub fn users(&self) -> Vec<String> {
        self.lock().users.keys().cloned().collect()
    }

    /// Until when a user's password is valid.
    pub fn valid_until(&self, name: &str) -> Option<UnixTime> {
        self.lock().users.get(name).and_then(|user| user.valid_until)
    }

    /// Runs an act that fails where it was told to.
    fn act<T>(&self, act: impl FnOnce(&mut Inside) -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let mut inside = self.lock();
        let failure = inside.failures.pop();
        let broken = |problem: &str| DatabaseFault::Connection { problem: problem.into() };
        if inside.used_password != inside.root.password {
            return Err(DatabaseError::before(broken("password authentication failed")));
        }
        match failure {
            Some(Step::Connect) => Err(DatabaseError::before(broken("told to fail"))),
            Some(Step::Statement) => Err(DatabaseError::before(DatabaseFault::Server {
                sqlstate: "XX000".into(),
                message: "told to fail".into(),
                statement: 1,
            })),
            Some(Step::Answer) => {
                act(&mut inside)?;
                Err(DatabaseError::unknown(broken("told to fail")))
            }
            None => act(&mut inside),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database for MemoryDatabase {
    fn longest_name(&self) -> usize {
        63
    }

    async fn create_user(&self, user: &NewUser, held: &(dyn Held + '_)) -> Result<Activation, DatabaseError> {
        user.statements.render(&Values {
            name: &user.name,
            password: Some(user.password.reveal()),
            expiration: Some(user.valid_until),
        })?;
        self.act(|inside| {
            if !held.is_pending() {
                return Err(DatabaseError::before(DatabaseFault::NotHeld));
            }
            if inside.users.contains_key(&user.name) {
                return Err(DatabaseError::before(DatabaseFault::Exists { name: user.name.clone() }));
            }
            let oid = inside.next_oid;
            inside.next_oid += 1;
            let password = user.password.clone();
            inside
                .users
                .insert(user.name.clone(), MemoryUser { oid, password, valid_until: Some(user.valid_until) });
            Ok(Activation { oid: NonZeroU32::new(oid) })
        })
    }

    async fn extend_user(&self, lease: &Lease, valid_until: UnixTime) -> Result<(), DatabaseError> {
        self.act(|inside| match lease.subject.user().and_then(|name| inside.users.get_mut(name)) {
            Some(user) => {
                user.valid_until = Some(valid_until);
                Ok(())
            }
            None => Err(DatabaseError::before(DatabaseFault::Server {
                sqlstate: "42704".into(),
                message: "role does not exist".into(),
                statement: 1,
            })),
        })
    }

    async fn drop_user(&self, lease: &Lease) -> Result<(), DatabaseError> {
        self.act(|inside| {
            if let Some(name) = lease.subject.user() {
                inside.users.remove(name);
            }
            Ok(())
        })
    }

    async fn set_password(&self, change: &PasswordChange<'_>) -> Result<(), DatabaseError> {
        self.act(|inside| {
            let user = inside.users.entry(change.username.into()).or_insert_with(|| MemoryUser {
                oid: 16_000,
                password: change.password.clone(),
                valid_until: None,
            });
            user.password = change.password.clone();
            Ok(())
        })
    }

    async fn rotate_root(&self, change: &PasswordChange<'_>) -> Result<(), DatabaseError> {
        self.act(|inside| {
            inside.root.password = change.password.clone();
            Ok(())
        })
    }

    async fn login(&self, username: &str, password: &Password) -> Result<Login, DatabaseError> {
        let inside = self.lock();
        let user = inside.users.get(username).unwrap_or(&inside.root);
        Ok(if user.password == *password { Login::Accepted } else { Login::Refused })
    }

    fn use_password(&self, password: Password) {
        self.lock().used_password = password;
    }

    async fn list_users(&self, prefix: &str) -> Result<Vec<ServerUser>, DatabaseError> {
        self.act(|inside| {
            let users = inside.users.iter().filter(|(name, _)| name.starts_with(prefix));
            Ok(users
                .map(|(name, user)| ServerUser {
                    name: name.clone(),
                    activation: Activation { oid: NonZeroU32::new(user.oid) },
                    login: LoginRight::Granted,
                    sessions: 0,
                })
                .collect())
        })
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.act(|_| Ok(()))
    }
}
