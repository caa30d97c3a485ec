//! Users come into being: entirely or not at all.

use db_creds::database::{Database, DatabaseFault, Effect};
use db_creds::grant::{self, GrantFault};
use db_creds::lease::{RevocationCause, StateName};
use db_creds::password::Password;
use db_creds::postgres::{PasswordAuthentication, PostgresConfig, PostgresDatabase};

use super::house::*;

/// The fault of a creation that failed, and that it left neither a user nor an open lease.
macro_rules! refused {
    ($house:expr, $plan:expr, $driver:expr, $held:expr) => {{
        let plan = $plan;
        let name = plan.user().name.clone();
        let error = grant::create(&$driver, plan, $held, now).await.unwrap_err();
        let GrantFault::Database(cause) = error.cause else { panic!("{error:?}") };
        assert_eq!((cause.effect, error.lease.state.name()), (Effect::None, StateName::Revoked), "{cause:?}");
        assert_eq!($house.count(&name).await, 0);
        cause
    }};
}

#[tokio::test]
async fn a_user_lives_from_creation_to_revocation() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        let credential = create(&driver, &[CREATE]).await.unwrap();
        let (name, password) = (credential.username.as_str(), credential.password.reveal());
        assert_eq!(credential.lease.state.name(), StateName::Active);
        let row = house
            .eye
            .query_one(
                "SELECT oid, rolpassword, extract(epoch from rolvaliduntil)::bigint FROM pg_authid WHERE rolname = $1",
                &[&name],
            )
            .await
            .unwrap();
        assert_eq!(credential.lease.activation.unwrap().oid.unwrap().get(), row.get::<_, u32>(0));
        assert!(row.get::<_, &str>(1).starts_with("SCRAM-SHA-256$4096:"));
        let expiry = |lease: &db_creds::lease::Lease| i64::try_from(lease.expires_at.as_secs()).unwrap() + 5;
        assert_eq!(row.get::<_, i64>(2), expiry(&credential.lease));
        let client = house.log_in(name, password, &house.database).await.unwrap();
        assert_eq!(client.query_one("SELECT CURRENT_USER::text", &[]).await.unwrap().get::<_, &str>(0), name);
        assert!(house.log_in(name, "wrong", &house.database).await.is_err());

        let later = db_creds::ttl::valid_until(db_creds::time::UnixTime::from_secs(4_000_000_000).unwrap());
        driver.extend_user(&credential.lease, later).await.unwrap();
        let row = house
            .eye
            .query_one(
                "SELECT extract(epoch from rolvaliduntil)::bigint FROM pg_authid WHERE rolname = $1",
                &[&name],
            )
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 4_000_000_005);

        drop_user(&driver, &credential.lease).await.unwrap();
        assert_eq!(house.count(name).await, 0, "{admin:?}");
        until("the end of the session", async || client.is_closed()).await;
        drop_user(&driver, &credential.lease).await.unwrap();
        let error = driver.extend_user(&credential.lease, later).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("42704"));
    }
}

/// The server writes statements that fail into its log: neither they nor the error may have the password.
#[tokio::test]
async fn no_password_reaches_the_log_or_an_error() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    for broken in [
        r#"CREATE ROLE "{{name}}" PASSWORD '{{password}}' SUPERUSER; SELECT '{{password}}'"#,
        r#"CREATE ROLE "{{name}}" '{{password}}'"#,
        r#"CREATE ROLE "{{name}}" PASSWORD '{{password}}'; SELECT '{{password}}'::integer"#,
    ] {
        let plan = plan(&role(&[broken], &[]));
        let password = plan.user().password.reveal().to_owned();
        let cause = refused!(house, plan, driver, &|| true);
        assert!(matches!(cause.fault, DatabaseFault::Server { statement: 1 | 2, .. }), "{cause:?}");
        for text in [format!("{cause:?} {cause}"), house.cluster.log()] {
            assert!(!text.contains(&password), "{broken}");
        }
        assert!(!format!("{cause}").contains("SCRAM-SHA-256$"), "{cause}");
        assert!(house.cluster.log().contains("SCRAM-SHA-256$"), "the log shows what was sent");
    }
    let good = create(&driver, &[CREATE]).await.unwrap();
    assert!(!house.cluster.log().contains(good.password.reveal()));
    assert!(!format!("{good:?}").contains(good.password.reveal()));
    drop_user(&driver, &good.lease).await.unwrap();
}

#[tokio::test]
async fn clear_passwords_are_sent_when_asked_for() {
    let house = House::new(Admin::Superuser).await;
    let config =
        PostgresConfig { password_authentication: PasswordAuthentication::Password, ..house.config() };
    let driver = PostgresDatabase::new(config, Password::new(ADMIN_PASSWORD.into())).unwrap();
    let body = r#"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN
        CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'; END IF; END $$"#;
    let scram = house.driver().permit_statements(role(&[body], &[]).creation()).unwrap_err();
    assert!(scram.to_string().contains("dollar-quoted"), "{scram}");
    driver.permit_statements(role(&[body], &[]).creation()).unwrap();
    let credential = create(&driver, &[body]).await.unwrap();
    house.log_in(&credential.username, credential.password.reveal(), &house.database).await.unwrap();
    assert!(house.cluster.log().contains(credential.password.reveal()), "that is why it is not the default");
    drop_user(&driver, &credential.lease).await.unwrap();
}

#[tokio::test]
async fn statements_that_make_no_such_user_are_rolled_back() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    for (name, creation) in [
        ("another name", vec![r#"CREATE ROLE "x{{name}}""#]),
        ("a name that folds", vec![r#"DO $$ BEGIN CREATE ROLE {{name}}_X; END $$"#]),
        ("made and dropped", vec![r#"CREATE ROLE "{{name}}"; DROP ROLE "{{name}}""#]),
        ("renamed", vec![r#"CREATE ROLE "{{name}}"; ALTER ROLE "{{name}}" RENAME TO "y{{name}}""#]),
        ("none", vec![r#"SELECT '{{name}}'"#]),
    ] {
        let plan = plan(&role(&creation, &[]));
        let user = plan.user().name.clone();
        let cause = refused!(house, plan, driver, &|| true);
        match cause.fault {
            DatabaseFault::NotCreated { .. } => {}
            // In a DO block a name with dashes is no name at all.
            DatabaseFault::Server { ref sqlstate, .. } if sqlstate == "42601" => {}
            fault => panic!("{name}: {fault:?}"),
        }
        for other in [format!("x{user}"), format!("y{user}"), format!("{user}_x").to_lowercase()] {
            assert_eq!(house.count(&other).await, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_user_that_exists_is_not_taken_over() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    let if_not_exists = r#"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN
        CREATE ROLE "{{name}}" LOGIN; END IF; END $$; GRANT CONNECT ON DATABASE postgres TO "{{name}}""#;
    for creation in [if_not_exists, CREATE] {
        let plan = plan(&role(&[creation], &[]));
        let name = plan.user().name.clone();
        house.eye.batch_execute(&format!("CREATE ROLE \"{name}\"")).await.unwrap();
        let error = grant::create(&driver, plan, &|| true, now).await.unwrap_err();
        let GrantFault::Database(cause) = error.cause else { panic!("{error:?}") };
        assert_eq!(cause.effect, Effect::None);
        let is_told =
            cause.fault == DatabaseFault::Exists { name: name.clone() } || cause.sqlstate() == Some("42710");
        assert!(is_told, "{cause:?}");
        let rights = "SELECT has_database_privilege($1, 'postgres', 'CONNECT'), count(*) FROM pg_shdepend d \
                      JOIN pg_roles r ON r.oid = d.refobjid WHERE r.rolname = $1";
        assert_eq!(house.eye.query_one(rights, &[&name]).await.unwrap().get::<_, i64>(1), 0, "rolled back");
        assert_eq!(house.count(&name).await, 1, "it is somebody else's");
    }
    let made = create(&driver, &[if_not_exists.split("; GRANT").next().unwrap()]).await.unwrap();
    assert_eq!(house.count(&made.username).await, 1);
    drop_user(&driver, &made.lease).await.unwrap();
}

#[tokio::test]
async fn a_lease_that_is_being_revoked_gets_no_user() {
    let house = House::new(Admin::CreateRole).await;
    let cause = refused!(house, plan(&role(&[CREATE], &[])), house.driver(), &|| false);
    assert_eq!(cause.fault, DatabaseFault::NotHeld);
}

#[tokio::test]
async fn statement_errors_name_the_statement() {
    let house = House::new(Admin::CreateRole).await;
    let creation = [CREATE, "SELECT 1; -- fine\nSELECT 2", "GRANT SELECT ON nowhere TO \"{{name}}\""];
    let cause = refused!(house, plan(&role(&creation, &[])), house.driver(), &|| true);
    let DatabaseFault::Server { sqlstate, message, statement } = cause.fault else { panic!("{cause:?}") };
    assert_eq!((sqlstate.as_str(), statement), ("42P01", 4));
    assert_eq!(message, "relation \"nowhere\" does not exist");
}

/// While a creation is under way, "not there" does not count: the sweep waits for the lock that the creation holds.
#[tokio::test]
async fn a_sweep_waits_for_a_creation_that_is_under_way() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = shared(house.driver());
        // No time limit ends a server's sleep but its own, and it does not notice that its client is gone.
        let role = role(&[CREATE, "SELECT pg_sleep(6)"], &[]);
        let plan = plan(&role);
        let (lease, name) = (plan.lease().clone(), plan.user().name.clone());
        let creation = tokio::spawn({
            let driver = driver.clone();
            async move { grant::create(&*driver, plan, &|| true, now).await.map(|created| created.credential()) }
        });
        let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = $1";
        let is_asleep =
            async || house.eye.query_one(asleep, &[&house.database]).await.unwrap().get::<_, i64>(0) == 1;
        until("the creation", is_asleep).await;
        let abandoned = lease.revoke(RevocationCause::Abandoned, now()).unwrap();
        let error = driver.drop_user(&abandoned).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("55P03"), "{error}");
        // Its client dies; the server does not know.
        creation.abort();
        assert!(creation.await.is_err());
        assert_eq!(driver.drop_user(&abandoned).await.unwrap_err().sqlstate(), Some("55P03"));
        assert!(is_asleep().await, "the creation outlives its client");
        until("the sweep", async || driver.drop_user(&abandoned).await.is_ok()).await;
        assert_eq!(house.count(&name).await, 0);
        // Nobody is left who could create it.
        let busy = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                    (SELECT oid FROM pg_database WHERE datname = current_database())";
        until("the end of the dead client's session", async || {
            house.eye.query_one(busy, &[]).await.unwrap().get::<_, i64>(0) == 0
        })
        .await;
        assert_eq!(house.count(&name).await, 0);
    }
}

#[tokio::test]
async fn many_at_once_share_few_connections() {
    let house = House::new(Admin::CreateRole).await;
    let driver = shared(
        PostgresDatabase::new(
            PostgresConfig { max_connections: 3, ..house.config() },
            Password::new(ADMIN_PASSWORD.into()),
        )
        .unwrap(),
    );
    let role = shared(role(&[CREATE], &[]));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (driver, role) = (driver.clone(), role.clone());
            tokio::spawn(async move { create_of(&driver, &role).await.unwrap() })
        })
        .collect();
    let mut credentials = Vec::new();
    for task in tasks {
        credentials.push(task.await.unwrap());
    }
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
    let count: i64 = house.eye.query_one(sessions, &[&house.admin]).await.unwrap().get(0);
    assert!((1..=3).contains(&count), "{count} connections");
    let mut names: Vec<&str> = credentials.iter().map(|credential| credential.username.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 100);
    for credential in &credentials {
        drop_user(&driver, &credential.lease).await.unwrap();
    }
    assert_eq!(house.count(names[0]).await, 0);
}

/// Idle connections die with their server, or to a firewall: the next act opens new ones.
#[tokio::test]
async fn connections_that_died_idle_are_replaced() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    driver.ping().await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    assert_eq!(house.eye.query(kill, &[&house.admin]).await.unwrap().len(), 1);
    until("the end of the session", async || {
        house.eye.query(kill, &[&house.admin]).await.unwrap().is_empty()
    })
    .await;
    let credential = create(&driver, &[CREATE]).await.unwrap();
    house.eye.query(kill, &[&house.admin]).await.unwrap();
    drop_user(&driver, &credential.lease).await.unwrap();
    assert_eq!(house.count(&credential.username).await, 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let house = House::new(Admin::CreateRole).await;
    let url =
        db_creds::postgres::ConnectionUrl::parse("postgresql://{{username}}:{{password}}@127.0.0.1:1/x")
            .unwrap();
    let config = PostgresConfig { timeouts: TIMEOUTS, ..PostgresConfig::new(url, "x") };
    let driver = PostgresDatabase::new(config, Password::new("s3cret".into())).unwrap();
    let cause = refused!(house, plan(&role(&[CREATE], &[])), driver, &|| true);
    assert!(cause.to_string().starts_with("the database cannot be reached"), "{cause}");
    let lease = plan(&role(&[CREATE], &[])).lease().clone();
    assert!(drop_user(&driver, &lease).await.is_err(), "not there is not gone");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let house = House::new(Admin::CreateRole).await;
    let url = db_creds::postgres::ConnectionUrl::parse(&house.cluster.tcp_url(&house.database, "")).unwrap();
    let config = PostgresConfig { timeouts: TIMEOUTS, ..PostgresConfig::new(url, &house.admin) };
    let driver = PostgresDatabase::new(config, Password::new("wr0ng-s3cret".into())).unwrap();
    let error = driver.ping().await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("28P01"), "{error}");
    assert!(!format!("{error:?} {error} {driver:?}").contains("s3cret"));
}
