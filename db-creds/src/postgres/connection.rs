//! One connection to a server that is not trusted: what it sends is counted, and what it says is cut.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::Settings;
use super::tls::{Connector, SslMode};
use crate::database::DatabaseFault;
use crate::password::Password;

/// An open connection. It is closed when dropped.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    task: JoinHandle<()>,
    budget: Arc<AtomicUsize>,
    settings: Arc<Settings>,
    /// As the server numbers it: 150018.
    pub(super) version: u32,
    pub(super) power: Power,
    /// The database it is connected to, by number.
    pub(super) database: u32,
    /// Whether an exchange failed in a way that leaves its state unknown.
    is_broken: bool,
}

/// What the connection's user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Everything.
    Superuser,
    /// What its attributes and memberships give it.
    Ordinary,
}

/// The rows of each statement that was completed.
pub(super) type Results = Vec<Vec<Row>>;
/// A row: text, or NULL.
pub(super) type Row = Vec<Option<String>>;

/// An exchange that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// How many statements were completed before.
    pub(super) completed: usize,
    /// What went wrong; a server's statement number is left at zero.
    pub(super) fault: DatabaseFault,
    /// The character of the message, from 1, that the server points at.
    pub(super) position: Option<u32>,
}

impl Failure {
    /// A failure before anything was sent.
    pub(super) const fn before(fault: DatabaseFault) -> Self {
        Self { completed: 0, fault, position: None }
    }

    pub(super) fn sqlstate(&self) -> Option<&str> {
        match &self.fault {
            DatabaseFault::Server { sqlstate, .. } => Some(sqlstate),
            _ => None,
        }
    }
}

impl Connection {
    /// Connects as a user; `database` other than the configured one where given.
    pub(super) async fn open(
        settings: &Arc<Settings>,
        user: &str,
        password: &Password,
        database: Option<&str>,
    ) -> Result<Self, DatabaseFault> {
        let config = &settings.url.config;
        let mut last = DatabaseFault::Connection { problem: "no host answers".into() };
        for (at, host) in config.get_hosts().iter().enumerate() {
            let ports = config.get_ports();
            let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5_432);
            let mut one = config.clone();
            one.user(user).password(password.reveal()).ssl_mode(settings.url.ssl_mode.of_driver());
            if let Some(database) = database {
                one.dbname(database);
            }
            if config.get_application_name().is_none() {
                one.application_name("db-creds");
            }
            let opening = Self::open_at(settings, host, port, &one);
            let opened =
                timeout(settings.timeouts.connect, opening).await.unwrap_or(Err(DatabaseFault::Timeout));
            match opened {
                Ok(connection) => return Ok(connection),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    async fn open_at(
        settings: &Arc<Settings>,
        host: &Host,
        port: u16,
        config: &Config,
    ) -> Result<Self, DatabaseFault> {
        let unreachable = |error: io::Error| DatabaseFault::Connection { problem: error.to_string() };
        let (stream, name): (Box<dyn Duplex>, _) = match host {
            Host::Unix(directory) => {
                let socket = directory.join(format!(".s.PGSQL.{port}"));
                (Box::new(UnixStream::connect(socket).await.map_err(unreachable)?), None)
            }
            Host::Tcp(name) => {
                let stream = TcpStream::connect((name.as_str(), port)).await.map_err(unreachable)?;
                stream.set_nodelay(true).map_err(unreachable)?;
                (Box::new(stream), Some(name.clone()))
            }
        };
        let budget = Arc::new(AtomicUsize::new(MOST_OCTETS));
        let stream = Counted { stream, budget: budget.clone() };
        let (client, task) = match name {
            Some(host) if settings.url.ssl_mode != SslMode::Disable => {
                let tls = Connector { config: settings.tls.clone(), host };
                let (client, connection) =
                    config.connect_raw(stream, tls).await.map_err(|error| fault_of(&error, &[]))?;
                (client, tokio::spawn(async { drop(connection.await) }))
            }
            _ => {
                let mut plain = config.clone();
                plain.ssl_mode(tokio_postgres::config::SslMode::Disable);
                let (client, connection): (_, tokio_postgres::Connection<_, NoTlsStream>) =
                    plain.connect_raw(stream, NoTls).await.map_err(|error| fault_of(&error, &[]))?;
                (client, tokio::spawn(async { drop(connection.await) }))
            }
        };
        let mut connection = Self {
            client,
            task,
            budget,
            settings: settings.clone(),
            version: 0,
            power: Power::Ordinary,
            database: 0,
            is_broken: false,
        };
        connection.prepare_session().await?;
        Ok(connection)
    }

    /// What every statement relies on.
    async fn prepare_session(&mut self) -> Result<(), DatabaseFault> {
        let timeouts = &self.settings.timeouts;
        let sql = format!(
            "SET standard_conforming_strings = on; SET client_encoding = 'UTF8'; SET statement_timeout = {}; \
             SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SELECT pg_catalog.current_setting('server_version_num'), \
             (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER), \
             (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), \
             pg_catalog.pg_is_in_recovery()",
            timeouts.statement.as_millis(),
            timeouts.lock.as_millis(),
            timeouts.statement.as_millis(),
        );
        let results = self.exchange(&sql, &[]).await.map_err(|failure| failure.fault)?;
        let row = results.last().and_then(|rows| rows.first()).cloned().unwrap_or_default();
        let field = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        self.version = field(0).parse().unwrap_or(0);
        self.power = if field(1) == "t" { Power::Superuser } else { Power::Ordinary };
        self.database = field(2).parse().unwrap_or(0);
        if self.version == 0 {
            return Err(DatabaseFault::Hostile { problem: "it does not say its version" });
        }
        if field(3) == "t" {
            return Err(DatabaseFault::Connection {
                problem: "the server is a standby, which takes no changes".into(),
            });
        }
        Ok(())
    }

    /// Whether it can be used again.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_broken && !self.client.is_closed()
    }

    /// Sends SQL and reads all its results; `secrets` are cut out of what the server says.
    pub(super) async fn exchange(&mut self, sql: &str, secrets: &[&str]) -> Result<Results, Failure> {
        self.budget.store(MOST_OCTETS, Ordering::Relaxed);
        let patience = self.settings.timeouts.statement + self.settings.timeouts.connect;
        let mut completed = 0;
        let mut position = None;
        let reading = self.read(sql, secrets, &mut completed, &mut position);
        let fault = match timeout(patience, reading).await {
            Ok(Ok(results)) => return Ok(results),
            // The task that reads has closed the connection for that, and only it knows why.
            Ok(Err(_)) if self.budget.load(Ordering::Relaxed) == EXCEEDED => {
                DatabaseFault::Hostile { problem: "it sends more than was asked for" }
            }
            Ok(Err(fault)) => fault,
            Err(_) => DatabaseFault::Timeout,
        };
        // After a server's error the connection goes on; after anything else nobody knows where it stands.
        if !matches!(fault, DatabaseFault::Server { .. }) {
            self.is_broken = true;
        }
        Err(Failure { completed, fault, position })
    }

    async fn read(
        &self,
        sql: &str,
        secrets: &[&str],
        completed: &mut usize,
        position: &mut Option<u32>,
    ) -> Result<Results, DatabaseFault> {
        let stream = self.client.simple_query_raw(sql).await.map_err(|error| fault_of(&error, secrets))?;
        let mut stream = pin!(stream);
        let mut results = Vec::new();
        let mut rows = Vec::new();
        let mut count = 0_usize;
        while let Some(message) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            let message = message.map_err(|error| {
                *position = position_of(&error);
                fault_of(&error, secrets)
            })?;
            match message {
                SimpleQueryMessage::Row(row) => {
                    count += 1;
                    if count > MOST_ROWS {
                        return Err(DatabaseFault::Hostile { problem: "it sends rows without an end" });
                    }
                    rows.push(
                        (0..row.len()).map(|at| row.try_get(at).ok().flatten().map(Into::into)).collect(),
                    );
                }
                SimpleQueryMessage::CommandComplete(_) => {
                    *completed += 1;
                    if *completed > MOST_RESULTS {
                        return Err(DatabaseFault::Hostile { problem: "it sends results without an end" });
                    }
                    results.push(std::mem::take(&mut rows));
                }
                _ => {}
            }
        }
        Ok(results)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A driver's error, reduced to what may be shown.
fn fault_of(error: &tokio_postgres::Error, secrets: &[&str]) -> DatabaseFault {
    if let Some(server) = error.as_db_error() {
        return DatabaseFault::Server {
            sqlstate: server.code().code().chars().filter(char::is_ascii_alphanumeric).take(5).collect(),
            message: without(server.message(), secrets),
            statement: 0,
        };
    }
    let mut problem = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !problem.contains(&cause_text) {
            problem = format!("{problem}: {cause_text}");
        }
        source = cause.source();
    }
    DatabaseFault::Connection { problem: without(&problem, secrets) }
}

/// Where in the message an error was found.
fn position_of(error: &tokio_postgres::Error) -> Option<u32> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(position) => Some(*position),
        ErrorPosition::Internal { .. } => None,
    }
}

/// A server's text without secrets and control characters, and not longer than a line.
fn without(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[password]");
        // A message may show the secret as it stood in the statement.
        text = text.replace(&secret.replace('\'', "''"), "[password]");
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect()
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream that ends when the server has sent more than an exchange can need.
struct Counted {
    stream: Box<dyn Duplex>,
    budget: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        let left = self.budget.load(Ordering::Relaxed);
        if read > left {
            self.budget.store(EXCEEDED, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::other("the server sends more than was asked for")));
        }
        self.budget.store(left - read, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A page of users is well below.
const MOST_OCTETS: usize = 16 << 20;
/// A budget that was overdrawn.
const EXCEEDED: usize = usize::MAX;
const MOST_ROWS: usize = 20_000;
const MOST_RESULTS: usize = 20_000;
const LONGEST_MESSAGE: usize = 300;
