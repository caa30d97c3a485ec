//! What every test against PostgreSQL needs: a database of its own, an administrator, a driver, leases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use db_creds::database::{Database, DatabaseError};
use db_creds::grant::{self, Credential, GrantError, Plan};
use db_creds::lease::{Lease, RevocationCause};
use db_creds::password::Password;
use db_creds::postgres::{ConnectionUrl, OwnedObjects, PostgresConfig, PostgresDatabase, Timeouts};
use db_creds::random::{RandomError, SecureRandom};
use db_creds::role::{Caller, DatabaseRole, DatabaseRoleConfig};
use db_creds::time::UnixTime;
use db_creds::ttl::TtlLimits;
use db_creds::username::UsernameTemplate;
use tokio_postgres::{Client, Config, NoTls};

use super::cluster::{Cluster, cluster};

pub(crate) const CREATE: &str =
    r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"#;

/// Who creates the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admin {
    Superuser,
    /// What managed services give: CREATEROLE, and its own database.
    CreateRole,
}

pub(crate) const ADMINS: [Admin; 2] = [Admin::Superuser, Admin::CreateRole];

/// A database with its administrator.
pub(crate) struct House {
    pub(crate) cluster: &'static Cluster,
    pub(crate) database: String,
    pub(crate) admin: String,
    /// A superuser's session beside, in the same database.
    pub(crate) eye: Client,
}

/// Short, so that a test that waits for a lock does not wait long.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    statement: Duration::from_secs(20),
    lock: Duration::from_secs(2),
};

pub(crate) const ADMIN_PASSWORD: &str = "adm1n-Passw0rd";

impl House {
    pub(crate) async fn new(kind: Admin) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let cluster = cluster();
        let (database, admin) = (format!("house{number}"), format!("admin{number}"));
        let postgres = session(cluster, "postgres", "postgres").await;
        let power = match kind {
            Admin::Superuser => "SUPERUSER",
            Admin::CreateRole => "CREATEROLE NOSUPERUSER",
        };
        for sql in [
            format!("CREATE ROLE {admin} LOGIN {power} PASSWORD '{ADMIN_PASSWORD}'"),
            format!("CREATE DATABASE {database} OWNER {admin}"),
        ] {
            postgres.batch_execute(&sql).await.unwrap();
        }
        let eye = session(cluster, &database, "postgres").await;
        Self { cluster, database, admin, eye }
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        let url = ConnectionUrl::parse(&self.cluster.socket_url(&self.database)).unwrap();
        PostgresConfig { timeouts: TIMEOUTS, ..PostgresConfig::new(url, &self.admin) }
    }

    pub(crate) fn driver(&self) -> PostgresDatabase {
        PostgresDatabase::new(self.config(), Password::new(ADMIN_PASSWORD.into())).unwrap()
    }

    pub(crate) fn driver_that(&self, owned_objects: OwnedObjects) -> PostgresDatabase {
        let config = PostgresConfig { owned_objects, ..self.config() };
        PostgresDatabase::new(config, Password::new(ADMIN_PASSWORD.into())).unwrap()
    }

    /// How many roles of this name there are.
    pub(crate) async fn count(&self, name: &str) -> i64 {
        self.eye.query_one("SELECT count(*) FROM pg_roles WHERE rolname = $1", &[&name]).await.unwrap().get(0)
    }

    /// The server's version, as it numbers it.
    pub(crate) async fn version(&self) -> u32 {
        self.driver().server_version().await.unwrap()
    }

    /// A session as a user, in a database, by password over TCP.
    pub(crate) async fn log_in(
        &self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.cluster.port).user(user).password(password).dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

pub(crate) async fn session(cluster: &Cluster, database: &str, user: &str) -> Client {
    let mut config = Config::new();
    config.host_path(&cluster.directory).port(cluster.port).user(user).dbname(database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

pub(crate) fn rng() -> impl SecureRandom {
    |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError)
}

pub(crate) fn role(creation: &[&str], revocation: &[&str]) -> DatabaseRole {
    let owned = |statements: &[&str]| statements.iter().map(|&sql| sql.to_owned()).collect();
    let config = DatabaseRoleConfig {
        db_name: "test".into(),
        creation_statements: owned(creation),
        revocation_statements: owned(revocation),
        ..DatabaseRoleConfig::default()
    };
    DatabaseRole::new(config, "r", 1).unwrap()
}

pub(crate) fn caller() -> Caller<'static> {
    Caller { display_name: "root", mount: "database", role_name: "ro", limits: TtlLimits::SYSTEM, holder: 1 }
}

pub(crate) fn plan(role: &DatabaseRole) -> Plan {
    let usernames = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
    role.plan(&caller(), &usernames, 63, &mut rng(), now()).unwrap()
}

/// Creates a user of these statements.
pub(crate) async fn create(driver: &PostgresDatabase, creation: &[&str]) -> Result<Credential, GrantError> {
    create_of(driver, &role(creation, &[])).await
}

pub(crate) async fn create_of(
    driver: &PostgresDatabase,
    role: &DatabaseRole,
) -> Result<Credential, GrantError> {
    Ok(grant::create(driver, plan(role), &|| true, now).await?.credential())
}

/// Drops the user of a lease.
pub(crate) async fn drop_user(driver: &PostgresDatabase, lease: &Lease) -> Result<(), DatabaseError> {
    driver.drop_user(&revoking(lease)).await
}

pub(crate) fn revoking(lease: &Lease) -> Lease {
    lease.revoke(RevocationCause::Asked, now()).unwrap()
}

/// Waits until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "{what} never happens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
