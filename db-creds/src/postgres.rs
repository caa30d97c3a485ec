//! PostgreSQL, 13 to 18.
//!
//! | file | what |
//! | --- | --- |
//! | `create` | a user, in one transaction, under the lease's lock, proved before COMMIT |
//! | `end` | its end: NOLOGIN, sessions, objects in every database, DROP ROLE |
//! | `connection`, `pool` | connections to a server that is not trusted, never more than allowed |
//! | `url`, `tls`, `scram` | where, how safely, and what is sent in a password's place |

mod connection;
mod create;
mod end;
mod pool;
mod scram;
mod tls;
mod url;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use self::connection::{Connection, Failure, Results};
use self::pool::Pool;
pub use self::scram::PasswordAuthentication;
pub use self::url::ConnectionUrl;
use crate::database::{
    Database, DatabaseError, DatabaseFault, Effect, Held, Login, LoginRight, PasswordChange, ServerUser,
};
use crate::grant::NewUser;
use crate::lease::{Activation, Lease};
use crate::password::Password;
use crate::statement::{LONGEST_NAME, Purpose, Sql, Statements, Values};
use crate::time::UnixTime;

/// A configured PostgreSQL server.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// Where it is.
    pub url: ConnectionUrl,
    /// The user that creates and ends the others, if the URL does not say.
    pub username: String,
    /// Connections at most; zero is Vault's four.
    pub max_connections: usize,
    /// How old a connection gets; zero is half an hour.
    pub max_lifetime: Duration,
    /// How passwords reach the server.
    pub password_authentication: PasswordAuthentication,
    /// What becomes of what a user owns when it ends.
    pub owned_objects: OwnedObjects,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

impl PostgresConfig {
    /// The defaults for a server.
    pub fn new(url: ConnectionUrl, username: &str) -> Self {
        Self {
            url,
            username: username.into(),
            max_connections: 0,
            max_lifetime: Duration::ZERO,
            password_authentication: PasswordAuthentication::default(),
            owned_objects: OwnedObjects::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// What becomes of what a user owns when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OwnedObjects {
    /// It is given to the connection's own user.
    #[default]
    ToConnectionUser,
    /// It is given to this role, of which the connection's user must be a member.
    To(String),
    /// It is dropped.
    Drop,
}

/// How long the server may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To execute a statement, and to end a user's sessions.
    pub statement: Duration,
    /// To wait for a lock.
    pub lock: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(10),
        }
    }
}

/// A PostgreSQL server. Its acts need a tokio runtime.
#[derive(Debug)]
pub struct PostgresDatabase {
    settings: Arc<Settings>,
    pool: Pool,
}

/// What connections and acts are made with.
struct Settings {
    url: ConnectionUrl,
    username: String,
    tls: Arc<rustls::ClientConfig>,
    max_connections: usize,
    max_lifetime: Duration,
    password_authentication: PasswordAuthentication,
    owned_objects: OwnedObjects,
    timeouts: Timeouts,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl PostgresDatabase {
    /// A server; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] for a configuration that cannot work, such as certificates that cannot be read.
    pub fn new(config: PostgresConfig, password: Password) -> Result<Self, DatabaseError> {
        let PostgresConfig {
            url,
            username,
            max_connections,
            max_lifetime,
            password_authentication,
            owned_objects,
            timeouts,
        } = config;
        let username = url.username.clone().unwrap_or(username);
        if username.is_empty() {
            return Err(DatabaseError::before(DatabaseFault::Configuration {
                problem: "no username in configuration".into(),
            }));
        }
        if username.contains("{{") || password.reveal().contains("{{") {
            return Err(DatabaseError::before(DatabaseFault::Configuration {
                problem: "username and/or password cannot contain the template variables".into(),
            }));
        }
        let settings = Arc::new(Settings {
            tls: tls::client_config(url.ssl_mode, &url.files)?,
            url,
            username,
            max_connections: if max_connections == 0 { 4 } else { max_connections },
            max_lifetime: if max_lifetime.is_zero() { Duration::from_secs(1_800) } else { max_lifetime },
            password_authentication,
            owned_objects,
            timeouts,
        });
        Ok(Self { pool: Pool::new(settings.clone(), password), settings })
    }

    /// What the statements of a role need of the configuration; asked when the role is written.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] if a password stands where a verifier cannot.
    pub fn permit_statements(&self, creation: &Statements) -> Result<(), DatabaseError> {
        match (self.settings.password_authentication, creation.password_in_dollar_quotes()) {
            (PasswordAuthentication::ScramSha256, Some(number)) => {
                Err(DatabaseError::before(DatabaseFault::Configuration {
                    problem: format!(
                        "creation statement {number} has {{{{password}}}} in a dollar-quoted body, where a SCRAM verifier \
                         cannot stand; set it by a statement of its own, or use password_authentication=password"
                    ),
                }))
            }
            _ => Ok(()),
        }
    }

    /// The server's version as it numbers it: 150018.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] if it does not answer.
    pub async fn server_version(&self) -> Result<u32, DatabaseError> {
        let (borrowed, _) = self.pool.begin("SELECT 1", &[]).await.map_err(nothing_happened)?;
        let version = borrowed.connection().map_or(0, |connection| connection.version);
        borrowed.release();
        Ok(version)
    }

    /// Runs statements of an administrator, in one transaction: [`crate::preset`]'s.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]
    pub async fn execute(&self, statements: &[String]) -> Result<(), DatabaseError> {
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        self.transaction(&statements, &[]).await
    }

    /// Statements in one transaction.
    async fn transaction(&self, statements: &[&str], secrets: &[&str]) -> Result<(), DatabaseError> {
        let sql = joined(statements);
        // Several statements of one message are one transaction (manual, 55.2.2.1), and its end comes with the answer.
        match self.pool.begin(&sql, secrets).await {
            Ok((borrowed, _)) => {
                borrowed.release();
                Ok(())
            }
            Err(failure) => Err(numbered(failure, statements, 0)),
        }
    }

    async fn change_password(&self, change: &PasswordChange<'_>, default: &str) -> Result<(), DatabaseError> {
        let PasswordChange { username, password, salt, statements } = *change;
        let sent = self.settings.password_authentication.sent(password, salt)?;
        let values = Values { name: username, password: Some(&sent), expiration: None };
        let own = statements.filter(|own| !own.is_empty());
        let rendered = match own {
            Some(own) => own.render(&values)?,
            None => own_statement(default, Purpose::Rotation)?.render(&values)?,
        };
        let statements: Vec<&str> = rendered.iter().map(Sql::as_str).collect();
        self.transaction(&statements, &[password.reveal(), &sent]).await
    }
}

impl Database for PostgresDatabase {
    fn longest_name(&self) -> usize {
        LONGEST_NAME
    }

    async fn create_user(&self, user: &NewUser, held: &(dyn Held + '_)) -> Result<Activation, DatabaseError> {
        create::create_user(&self.pool, &self.settings, user, held).await
    }

    async fn extend_user(&self, lease: &Lease, valid_until: UnixTime) -> Result<(), DatabaseError> {
        let Some(name) = lease.subject.user() else { return Ok(()) };
        let values = Values { name, password: None, expiration: Some(valid_until) };
        let own = own_statements(&lease.terms.renew_statements, Purpose::Renewal)?;
        let rendered = match own.is_empty() {
            false => own.render(&values)?,
            true => own_statement(RENEW, Purpose::Renewal)?.render(&values)?,
        };
        let statements: Vec<&str> = rendered.iter().map(Sql::as_str).collect();
        self.transaction(&statements, &[]).await
    }

    async fn drop_user(&self, lease: &Lease) -> Result<(), DatabaseError> {
        end::drop_user(&self.pool, &self.settings, lease).await
    }

    async fn set_password(&self, change: &PasswordChange<'_>) -> Result<(), DatabaseError> {
        self.change_password(change, ROTATE).await
    }

    async fn rotate_root(&self, change: &PasswordChange<'_>) -> Result<(), DatabaseError> {
        let change = PasswordChange { username: &self.settings.username, ..*change };
        self.pool.expect_password(change.password.clone());
        self.change_password(&change, ROTATE).await
    }

    async fn login(&self, username: &str, password: &Password) -> Result<Login, DatabaseError> {
        match Connection::open(&self.settings, username, password, None).await {
            Ok(_) => Ok(Login::Accepted),
            // Class 28: invalid authorization.
            Err(DatabaseFault::Server { sqlstate, .. }) if sqlstate.starts_with("28") => Ok(Login::Refused),
            Err(fault) => Err(DatabaseError::before(fault)),
        }
    }

    fn use_password(&self, password: Password) {
        self.pool.use_password(password);
    }

    async fn list_users(&self, prefix: &str) -> Result<Vec<ServerUser>, DatabaseError> {
        let mut users: Vec<ServerUser> = Vec::new();
        loop {
            let after = users.last().map_or("", |user| user.name.as_str());
            let sql = format!(
                "SELECT r.rolname, r.oid, r.rolcanlogin, coalesce(s.count, 0) FROM pg_catalog.pg_roles r \
                 LEFT JOIN (SELECT usesysid, pg_catalog.count(*) FROM pg_catalog.pg_stat_activity GROUP BY usesysid) s \
                 ON s.usesysid = r.oid \
                 WHERE pg_catalog.starts_with(r.rolname::text, {}) AND r.rolname > {} ORDER BY r.rolname LIMIT {PAGE}",
                literal(prefix),
                literal(after)
            );
            let (borrowed, results) = self.pool.begin(&sql, &[]).await.map_err(nothing_happened)?;
            borrowed.release();
            let page = results.into_iter().next().unwrap_or_default();
            let count = page.len();
            users.extend(page.iter().filter_map(|row| server_user(row)));
            if count < PAGE {
                return Ok(users);
            }
        }
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.server_version().await.map(drop)
    }
}

fn server_user(row: &[Option<String>]) -> Option<ServerUser> {
    let field = |at: usize| row.get(at).and_then(Option::as_deref);
    Some(ServerUser {
        name: field(0)?.into(),
        activation: Activation { oid: field(1)?.parse::<NonZeroU32>().ok() },
        login: if field(2)? == "t" { LoginRight::Granted } else { LoginRight::Withdrawn },
        sessions: field(3)?.parse().ok()?,
    })
}

/// Statements that were accepted when the role was written.
fn own_statements(elements: &[String], purpose: Purpose) -> Result<Statements, DatabaseError> {
    Statements::parse(elements, purpose)
        .map_err(|error| DatabaseError::before(DatabaseFault::Configuration { problem: error.to_string() }))
}

fn own_statement(template: &str, purpose: Purpose) -> Result<Statements, DatabaseError> {
    own_statements(&[template.to_owned()], purpose)
}

/// One message of several statements.
fn joined(statements: &[&str]) -> zeroize::Zeroizing<String> {
    let octets = statements.iter().map(|statement| statement.len() + SEPARATOR.len()).sum();
    let mut sql = zeroize::Zeroizing::new(String::with_capacity(octets));
    for statement in statements {
        sql.push_str(statement);
        sql.push_str(SEPARATOR);
    }
    sql
}

/// A failure in a message of these statements, of which the first `own` are the driver's and the others are numbered from
/// 1. A server's error rolls the message back.
fn numbered(failure: Failure, statements: &[&str], own: usize) -> DatabaseError {
    let Failure { completed, fault, position } = failure;
    match fault {
        DatabaseFault::Server { sqlstate, message, .. } => {
            // The whole message is parsed before its first statement is executed.
            let at = match position {
                Some(position) if completed == 0 => statement_at(statements, position),
                _ => completed,
            };
            let statement = if at < statements.len() { (at + 1).saturating_sub(own) } else { 0 };
            DatabaseError::before(DatabaseFault::Server { sqlstate, message, statement })
        }
        fault => DatabaseError { effect: Effect::Unknown, fault },
    }
}

/// Which statement of a joined message holds this character, counted from 1.
fn statement_at(statements: &[&str], position: u32) -> usize {
    let mut end = 0;
    statements
        .iter()
        .position(|statement| {
            end += statement.chars().count() + SEPARATOR.len();
            position as usize <= end
        })
        .unwrap_or(statements.len())
}

/// A failure before anything could happen.
fn nothing_happened(failure: Failure) -> DatabaseError {
    DatabaseError::before(failure.fault)
}

/// The first field of the first row of a result.
fn first_field(results: &Results, result: usize) -> Option<&str> {
    results.get(result)?.first()?.first()?.as_deref()
}

/// A literal; sessions have `standard_conforming_strings = on`.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// A quoted identifier.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

const RENEW: &str = r#"ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'"#;
const ROTATE: &str = r#"ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}'"#;
/// On a line of its own: a statement may end in a comment.
const SEPARATOR: &str = "\n;";
/// Users read at once.
const PAGE: usize = 5_000;
