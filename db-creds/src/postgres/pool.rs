//! Connections, kept open and never more than allowed.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::Settings;
use super::connection::{Connection, Failure, Results};
use crate::database::DatabaseFault;
use crate::password::Password;

/// The connections to one configured database.
#[derive(Debug)]
pub(super) struct Pool {
    settings: Arc<Settings>,
    permits: Arc<Semaphore>,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    idle: Vec<(Connection, Instant)>,
    password: Password,
    /// A password that is being set: from some moment on it is the one that works.
    candidate: Option<Password>,
}

/// A connection in use. It goes back when its user says that it may.
#[derive(Debug)]
pub(super) struct Borrowed<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    opened: Instant,
    permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(settings: Arc<Settings>, password: Password) -> Self {
        let permits = Arc::new(Semaphore::new(settings.max_connections));
        Self { settings, permits, inside: Mutex::new(Inside { idle: Vec::new(), password, candidate: None }) }
    }

    /// Borrows a connection and makes its first exchange. An idle connection may have died with its server: nothing has
    /// happened then, and a new one is tried.
    pub(super) async fn begin(
        &self,
        sql: &str,
        secrets: &[&str],
    ) -> Result<(Borrowed<'_>, Results), Failure> {
        loop {
            let (mut borrowed, is_used) = self.borrow().await.map_err(Failure::before)?;
            match borrowed.exchange(sql, secrets).await {
                Ok(results) => return Ok((borrowed, results)),
                Err(Failure { completed: 0, fault: DatabaseFault::Connection { .. }, .. }) if is_used => {
                    self.lock().idle.clear();
                }
                // 57P01: the server shut down while the connection was idle.
                Err(failure) if is_used && failure.completed == 0 && failure.sqlstate() == Some("57P01") => {
                    self.lock().idle.clear();
                }
                Err(failure) => {
                    borrowed.release_after(&failure).await;
                    return Err(failure);
                }
            }
        }
    }

    /// From now on connections are made with this password.
    pub(super) fn use_password(&self, password: Password) {
        let mut inside = self.lock();
        inside.password = password;
        inside.candidate = None;
        inside.idle.clear();
    }

    /// This password is about to be set: connections that the old one does not open are tried with it.
    pub(super) fn expect_password(&self, candidate: Password) {
        self.lock().candidate = Some(candidate);
    }

    async fn borrow(&self) -> Result<(Borrowed<'_>, bool), DatabaseFault> {
        let waiting = self.permits.clone().acquire_owned();
        let patience = self.settings.timeouts.statement;
        let Ok(Ok(permit)) = timeout(patience, waiting).await else { return Err(DatabaseFault::Timeout) };
        let idle = {
            let mut inside = self.lock();
            let lifetime = self.settings.max_lifetime;
            inside.idle.retain(|(connection, opened)| connection.is_usable() && opened.elapsed() < lifetime);
            inside.idle.pop()
        };
        if let Some((connection, opened)) = idle {
            return Ok((Borrowed { pool: self, connection: Some(connection), opened, permit }, true));
        }
        let connection = self.open(None).await?;
        Ok((Borrowed { pool: self, connection: Some(connection), opened: Instant::now(), permit }, false))
    }

    async fn open(&self, database: Option<&str>) -> Result<Connection, DatabaseFault> {
        let (password, candidate) = {
            let inside = self.lock();
            (inside.password.clone(), inside.candidate.clone())
        };
        let user = &self.settings.username;
        match (Connection::open(&self.settings, user, &password, database).await, candidate) {
            (Err(DatabaseFault::Server { sqlstate, .. }), Some(candidate))
                if sqlstate == INVALID_PASSWORD =>
            {
                Connection::open(&self.settings, user, &candidate, database).await
            }
            (opened, _) => opened,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Borrowed<'_> {
    /// The connection, for what is known about it.
    pub(super) const fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    pub(super) async fn exchange(&mut self, sql: &str, secrets: &[&str]) -> Result<Results, Failure> {
        match &mut self.connection {
            Some(connection) => connection.exchange(sql, secrets).await,
            None => {
                let fault = DatabaseFault::Connection { problem: "the connection is closed".into() };
                Err(Failure::before(fault))
            }
        }
    }

    /// Changes to another database of the same server, or back to the configured one: the connection before is closed
    /// first, so that there are never more than allowed.
    pub(super) async fn change_to(&mut self, database: Option<&str>) -> Result<(), DatabaseFault> {
        self.connection = None;
        self.connection = Some(self.pool.open(database).await?);
        self.opened = Instant::now();
        Ok(())
    }

    /// Gives the connection back: no transaction is open on it.
    pub(super) fn release(self) {
        let Self { pool, connection, opened, permit } = self;
        if let Some(connection) = connection.filter(Connection::is_usable) {
            pool.lock().idle.push((connection, opened));
        }
        drop(permit);
    }

    /// Gives the connection back after a failure: whatever transaction is open is rolled back first.
    pub(super) async fn release_after(mut self, failure: &Failure) {
        if failure.sqlstate().is_some() && self.exchange("ROLLBACK", &[]).await.is_ok() {
            self.release();
        }
    }
}

const INVALID_PASSWORD: &str = "28P01";
