//! A user ends, in an order in which each step makes the next one possible.
//!
//! ```text
//! lock on the lease; NOLOGIN; COMMIT      nobody new gets in, and a creation that is still under way has ended
//! GRANT the role to ourselves             where we are no superuser: the next two steps need it
//! end its sessions                        until none remain
//! the role's own revocation statements    where it has some
//! per database: REASSIGN OWNED, DROP OWNED
//! DROP ROLE                               in one transaction with a last look for sessions
//! ```
//!
//! A user that has no sessions and owns nothing takes the first and the last line only.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connection::{Failure, Power, Row};
use super::pool::{Borrowed, Pool};
use super::{OwnedObjects, Settings, identifier, joined, literal, numbered, own_statements};
use crate::database::{DatabaseError, DatabaseFault};
use crate::lease::Lease;
use crate::statement::{Purpose, Sql, Statements, Values};

pub(super) async fn drop_user(pool: &Pool, settings: &Settings, lease: &Lease) -> Result<(), DatabaseError> {
    let Some(name) = lease.subject.user() else { return Ok(()) };
    let own = own_statements(&lease.terms.revocation_statements, Purpose::Revocation)?;
    let role = identifier(name);
    let shut = format!(
        "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock({}); ALTER ROLE {role} NOLOGIN; COMMIT; {}",
        lease.id.lock_key(),
        what_remains(name)
    );
    match pool.begin(&shut, &[]).await {
        Ok((connection, results)) => {
            let row = results.last().and_then(|rows| rows.first());
            let Some(remains) = row.and_then(Remains::read) else {
                // Somebody else has just dropped it.
                connection.release();
                return Ok(());
            };
            let ending = Ending { settings, name, role, oid: remains.oid };
            ending.finish(connection, remains, &own).await
        }
        // Looked for under the lock: whoever was creating it has ended, and nobody will again.
        Err(failure) if failure.completed == BEFORE_ALTER && failure.sqlstate() == Some(UNDEFINED_OBJECT) => {
            gone(pool, lease, name).await
        }
        Err(failure) => Err(unnumbered(failure)),
    }
}

/// The role is not there under its name. Its sessions go on without it, and it may have another name.
async fn gone(pool: &Pool, lease: &Lease, name: &str) -> Result<(), DatabaseError> {
    let Some(oid) = lease.activation.and_then(|activation| activation.oid) else { return Ok(()) };
    let look = format!(
        "SELECT rolname FROM pg_catalog.pg_roles WHERE oid = {oid}; \
         SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usesysid = {oid}"
    );
    let (connection, results) = match pool.begin(&look, &[]).await {
        Ok(found) => found,
        Err(failure) => return Err(unnumbered(failure)),
    };
    connection.release();
    match results.first().and_then(|rows| rows.first()?.first()?.as_deref()) {
        Some(other) if other != name => Err(DatabaseError::unknown(DatabaseFault::Blocked {
            by: format!("the user was renamed to {other:?}"),
        })),
        _ => Ok(()),
    }
}

/// What stands between a role and its end.
struct Remains {
    oid: u32,
    sessions: u64,
    dependencies: u64,
    prepared: u64,
}

impl Remains {
    fn read(row: &Row) -> Option<Self> {
        let number = |at: usize| row.get(at)?.as_deref()?.parse::<u64>().ok();
        Some(Self {
            oid: u32::try_from(number(0)?).ok()?,
            sessions: number(1)?,
            dependencies: number(2)?,
            prepared: number(3)?,
        })
    }
}

/// Memberships are not counted: DROP ROLE ends them.
fn what_remains(name: &str) -> String {
    format!(
        "SELECT r.oid, \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid), \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_shdepend d WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass \
          AND d.refobjid = r.oid AND d.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass), \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.owner = r.rolname) \
         FROM pg_catalog.pg_roles r WHERE r.rolname = {}",
        literal(name)
    )
}

struct Ending<'a> {
    settings: &'a Settings,
    name: &'a str,
    role: String,
    oid: u32,
}

impl Ending<'_> {
    async fn finish(
        &self,
        mut connection: Borrowed<'_>,
        remains: Remains,
        own: &Statements,
    ) -> Result<(), DatabaseError> {
        let is_bare =
            remains.sessions == 0 && remains.dependencies == 0 && remains.prepared == 0 && own.is_empty();
        let result = if is_bare {
            match connection.exchange(&self.drop_role(), &[]).await {
                // A session that came in at the last moment, or something that was granted meanwhile.
                Err(failure)
                    if matches!(
                        failure.sqlstate(),
                        Some(DIVISION_BY_ZERO | DEPENDENT_OBJECTS | OBJECT_IN_USE)
                    ) =>
                {
                    self.careful(&mut connection, own).await
                }
                Err(failure) if failure.sqlstate() == Some(UNDEFINED_OBJECT) => Ok(()),
                other => other.map(drop).map_err(unnumbered),
            }
        } else {
            self.careful(&mut connection, own).await
        };
        connection.release();
        result
    }

    /// Every step.
    async fn careful(&self, connection: &mut Borrowed<'_>, own: &Statements) -> Result<(), DatabaseError> {
        self.become_member(connection).await?;
        self.end_sessions(connection).await?;
        self.refuse_prepared(connection).await?;
        if !own.is_empty() {
            self.own_statements(connection, own).await?;
        }
        self.give_up_objects(connection).await?;
        match connection.exchange(&self.drop_role(), &[]).await {
            Err(failure) if failure.sqlstate() == Some(UNDEFINED_OBJECT) => Ok(()),
            other => other.map(drop).map_err(unnumbered),
        }
    }

    /// Without superuser, ending a role's sessions and giving away its objects take its privileges. PostgreSQL 16 grants a
    /// role to its creator without them (release notes 16, E.1.2).
    async fn become_member(&self, connection: &mut Borrowed<'_>) -> Result<(), DatabaseError> {
        let Some((power, version)) = connection.connection().map(|open| (open.power, open.version)) else {
            return Ok(());
        };
        if power == Power::Superuser {
            return Ok(());
        }
        let options = if version >= 160_000 { " WITH INHERIT TRUE, SET TRUE" } else { "" };
        self.step(connection, &format!("GRANT {} TO CURRENT_USER{options}", self.role)).await.map(drop)
    }

    async fn end_sessions(&self, connection: &mut Borrowed<'_>) -> Result<(), DatabaseError> {
        let end = format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usesysid = {}",
            self.oid
        );
        let deadline = Instant::now() + self.settings.timeouts.statement;
        let mut pause = Duration::from_millis(2);
        loop {
            let sessions = self.step(connection, &end).await?.len();
            if sessions == 0 {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.sessions_remain(connection, sessions).await);
            }
            // Until the server has let them go: it tells nobody when.
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    async fn sessions_remain(&self, connection: &mut Borrowed<'_>, sessions: usize) -> DatabaseError {
        let slots = format!(
            "SELECT s.slot_name FROM pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a \
             ON a.pid = s.active_pid WHERE a.usesysid = {}",
            self.oid
        );
        let slots = match self.step(connection, &slots).await {
            Ok(rows) => names(&rows),
            Err(error) => return error,
        };
        let mut by = format!("{sessions} sessions that do not end");
        if !slots.is_empty() {
            by.push_str(&format!(", replication slot {}", slots.join(", ")));
        }
        DatabaseError::unknown(DatabaseFault::Blocked { by })
    }

    /// What a prepared transaction holds, only its commit or rollback gives back: a human decides which.
    async fn refuse_prepared(&self, connection: &mut Borrowed<'_>) -> Result<(), DatabaseError> {
        let prepared = format!(
            "SELECT pg_catalog.format('prepared transaction %L in database %I', gid, database) \
             FROM pg_catalog.pg_prepared_xacts WHERE owner = {}",
            literal(self.name)
        );
        let prepared = names(&self.step(connection, &prepared).await?);
        if prepared.is_empty() {
            return Ok(());
        }
        Err(DatabaseError::unknown(DatabaseFault::Blocked { by: prepared.join(", ") }))
    }

    /// The role's own revocation statements, in one transaction. They may drop the user themselves.
    async fn own_statements(
        &self,
        connection: &mut Borrowed<'_>,
        own: &Statements,
    ) -> Result<(), DatabaseError> {
        let rendered = own.render(&Values { name: self.name, password: None, expiration: None })?;
        let statements: Vec<&str> = rendered.iter().map(Sql::as_str).collect();
        match connection.exchange(&joined(&statements), &[]).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(numbered(failure, &statements, 0)),
        }
    }

    /// REASSIGN OWNED and DROP OWNED work in one database at a time, and on what all databases share.
    async fn give_up_objects(&self, connection: &mut Borrowed<'_>) -> Result<(), DatabaseError> {
        let find = format!(
            "SELECT DISTINCT coalesce(b.datname, ''), coalesce(b.datallowconn, true) FROM pg_catalog.pg_shdepend d \
             LEFT JOIN pg_catalog.pg_database b ON b.oid = d.dbid AND b.datname <> pg_catalog.current_database() \
             JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid \
             WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = {}",
            self.oid
        );
        let rows = self.step(connection, &find).await?;
        let field = |row: &Row, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let refusing: Vec<String> =
            rows.iter().filter(|row| field(row, 1) == "f").map(|row| field(row, 0)).collect();
        if !refusing.is_empty() {
            let by = format!("what it owns in databases that refuse connections: {}", refusing.join(", "));
            return Err(DatabaseError::unknown(DatabaseFault::Blocked { by }));
        }
        if rows.is_empty() {
            return Ok(());
        }
        let give_up = self.give_up();
        self.step(connection, &give_up).await?;
        let others: Vec<String> =
            rows.iter().map(|row| field(row, 0)).filter(|name| !name.is_empty()).collect();
        if others.is_empty() {
            return Ok(());
        }
        let mut result = Ok(());
        for database in others {
            result = match connection.change_to(Some(&database)).await {
                Ok(()) => self.step(connection, &give_up).await.map(drop),
                Err(fault) => Err(DatabaseError::unknown(fault)),
            };
            if result.is_err() {
                break;
            }
        }
        connection.change_to(None).await.map_err(DatabaseError::unknown)?;
        result
    }

    fn give_up(&self) -> String {
        let role = &self.role;
        match &self.settings.owned_objects {
            OwnedObjects::ToConnectionUser => {
                format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}")
            }
            OwnedObjects::To(heir) => {
                format!("REASSIGN OWNED BY {role} TO {}; DROP OWNED BY {role}", identifier(heir))
            }
            OwnedObjects::Drop => format!("DROP OWNED BY {role}"),
        }
    }

    /// Both are one transaction: a session that is there after all makes the first statement fail, and the role stays.
    fn drop_role(&self) -> String {
        format!(
            "SELECT 1 / (CASE WHEN pg_catalog.count(*) = 0 THEN 1 ELSE 0 END) FROM pg_catalog.pg_stat_activity \
             WHERE usesysid = {}; DROP ROLE {}",
            self.oid, self.role
        )
    }

    /// One message of the driver's own; the rows of its first statement.
    async fn step(&self, connection: &mut Borrowed<'_>, sql: &str) -> Result<Vec<Row>, DatabaseError> {
        let results = connection.exchange(sql, &[]).await.map_err(unnumbered)?;
        Ok(results.into_iter().next().unwrap_or_default())
    }
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| row.first().cloned().flatten()).collect()
}

/// A failure of the driver's own statements. The user may still be there in any case.
fn unnumbered(failure: Failure) -> DatabaseError {
    DatabaseError::unknown(failure.fault)
}

/// BEGIN and the lock.
const BEFORE_ALTER: usize = 2;
const UNDEFINED_OBJECT: &str = "42704";
const DIVISION_BY_ZERO: &str = "22012";
const DEPENDENT_OBJECTS: &str = "2BP01";
const OBJECT_IN_USE: &str = "55006";
