//! Users end: sessions, objects, role.

use db_creds::database::{Database, DatabaseError, DatabaseFault};
use db_creds::lease::Lease;
use db_creds::postgres::OwnedObjects;

use super::house::*;

fn blocked(error: &DatabaseError) -> &str {
    match &error.fault {
        DatabaseFault::Blocked { by } => by,
        _ => panic!("{error:?}"),
    }
}

async fn owner_of(house: &House, database: &str, table: &str) -> Option<String> {
    let session = session(house.cluster, database, "postgres").await;
    let rows = session
        .query("SELECT tableowner::text FROM pg_tables WHERE tablename = $1", &[&table])
        .await
        .unwrap();
    rows.first().map(|row| row.get(0))
}

/// A second database in which everyone may create tables.
async fn second_database(house: &House) -> String {
    let other = format!("{}b", house.database);
    house.eye.batch_execute(&format!("CREATE DATABASE {other} OWNER {}", house.admin)).await.unwrap();
    for database in [&house.database, &other] {
        let session = session(house.cluster, database, "postgres").await;
        session.batch_execute("GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC").await.unwrap();
    }
    other
}

#[tokio::test]
async fn sessions_and_objects_in_two_databases() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        let other = second_database(&house).await;
        let user = create(&driver, &[CREATE]).await.unwrap();
        let mut sessions = Vec::new();
        for database in [&house.database, &other] {
            let session = house.log_in(&user.username, user.password.reveal(), database).await.unwrap();
            session
                .batch_execute(
                    "CREATE TABLE mine (x int); CREATE TABLE shared (x int); GRANT SELECT ON shared TO PUBLIC; \
                     ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
                )
                .await
                .unwrap();
            session.batch_execute("BEGIN; LOCK TABLE mine").await.unwrap();
            sessions.push(session);
        }
        drop_user(&driver, &user.lease).await.unwrap();
        assert_eq!(house.count(&user.username).await, 0, "{admin:?}");
        for database in [&house.database, &other] {
            assert_eq!(owner_of(&house, database, "mine").await.as_ref(), Some(&house.admin), "{admin:?}");
        }
        until("the end of the sessions", async || sessions.iter().all(|session| session.is_closed())).await;
        // The driver's connection is back in its own database.
        let next = create(&driver, &[CREATE]).await.unwrap();
        drop_user(&driver, &next.lease).await.unwrap();
    }
}

#[tokio::test]
async fn objects_go_to_an_heir_or_away() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        second_database(&house).await;
        let heir = format!("heir_{}", house.database);
        house
            .eye
            .batch_execute(&format!("CREATE ROLE {heir}; GRANT {heir} TO {}", house.admin))
            .await
            .unwrap();
        for (owned, wanted) in
            [(OwnedObjects::To(heir.clone()), Some(heir.clone())), (OwnedObjects::Drop, None)]
        {
            let driver = house.driver_that(owned);
            let user = create(&driver, &[CREATE]).await.unwrap();
            let session =
                house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
            session.batch_execute("CREATE TABLE theirs (x int)").await.unwrap();
            drop_user(&driver, &user.lease).await.unwrap();
            assert_eq!(house.count(&user.username).await, 0);
            assert_eq!(owner_of(&house, &house.database, "theirs").await, wanted, "{admin:?}");
            house.eye.batch_execute("DROP TABLE IF EXISTS theirs").await.unwrap();
        }
    }
}

#[tokio::test]
async fn grants_end_with_the_user() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        driver
            .execute(&[
                "CREATE SCHEMA app".into(),
                "CREATE TABLE app.t (x int)".into(),
                "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'".into(),
            ])
            .await
            .unwrap();
        let creation = [
            CREATE,
            r#"GRANT USAGE ON SCHEMA app TO "{{name}}"; GRANT SELECT ON ALL TABLES IN SCHEMA app TO "{{name}}""#,
            r#"GRANT EXECUTE ON FUNCTION app.f() TO "{{name}}""#,
            r#"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO "{{name}}""#,
        ];
        let user = create(&driver, &creation).await.unwrap();
        let session = house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
        session.query("SELECT app.f() FROM app.t", &[]).await.unwrap();
        assert!(session.batch_execute("INSERT INTO app.t VALUES (1)").await.is_err());
        drop_user(&driver, &user.lease).await.unwrap();
        assert_eq!(house.count(&user.username).await, 0, "{admin:?}");
    }
}

#[tokio::test]
async fn own_statements_run_after_the_sessions_have_ended() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        driver.execute(&["CREATE TABLE seen (sessions bigint, login boolean)".into()]).await.unwrap();
        let own = [
            r#"INSERT INTO seen SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename = '{{name}}'), rolcanlogin
               FROM pg_roles WHERE rolname = '{{name}}'"#,
            r#"DROP ROLE "{{name}}""#,
        ];
        let user = create_of(&driver, &role(&[CREATE], &own)).await.unwrap();
        let session = house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
        drop_user(&driver, &user.lease).await.unwrap();
        assert_eq!(house.count(&user.username).await, 0);
        let row = house.eye.query_one("SELECT sessions, login FROM seen", &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (0, false), "{admin:?}");
        until("the end of the session", async || session.is_closed()).await;
    }
}

/// Statements that do half the work are finished; statements that fail are told, by number.
#[tokio::test]
async fn own_statements_do_not_have_to_be_complete() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    let user = create_of(&driver, &role(&[CREATE], &["SELECT 1"])).await.unwrap();
    drop_user(&driver, &user.lease).await.unwrap();
    assert_eq!(house.count(&user.username).await, 0);

    let user = create_of(&driver, &role(&[CREATE], &["SELECT 1; SELECT nothing", "SELECT 2"])).await.unwrap();
    let error = drop_user(&driver, &user.lease).await.unwrap_err();
    assert!(matches!(&error.fault, DatabaseFault::Server { statement: 2, .. }), "{error:?}");
    let right: bool = house
        .eye
        .query_one("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", &[&user.username])
        .await
        .unwrap()
        .get(0);
    assert!(!right, "the user cannot log in any more, whatever failed later");
}

#[tokio::test]
async fn what_only_a_human_can_end_is_named() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        second_database(&house).await;
        let user = create(&driver, &[CREATE]).await.unwrap();
        let session = house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
        let gid = format!("gid-{}", house.database);
        session
            .batch_execute(&format!("BEGIN; CREATE TABLE half (x int); PREPARE TRANSACTION '{gid}'"))
            .await
            .unwrap();
        let error = drop_user(&driver, &user.lease).await.unwrap_err();
        assert_eq!(blocked(&error), format!("prepared transaction '{gid}' in database {}", house.database));
        house.eye.batch_execute(&format!("COMMIT PREPARED '{gid}'")).await.unwrap();

        let closed = format!("{}c", house.database);
        house.eye.batch_execute(&format!("CREATE DATABASE {closed}")).await.unwrap();
        let inside = super::house::session(house.cluster, &closed, "postgres").await;
        inside
            .batch_execute(&format!("CREATE TABLE t (x int); ALTER TABLE t OWNER TO \"{}\"", user.username))
            .await
            .unwrap();
        drop(inside);
        house.eye.batch_execute(&format!("ALTER DATABASE {closed} ALLOW_CONNECTIONS false")).await.unwrap();
        let error = drop_user(&driver, &user.lease).await.unwrap_err();
        assert!(blocked(&error).ends_with(&format!("refuse connections: {closed}")), "{error}");
        house.eye.batch_execute(&format!("ALTER DATABASE {closed} ALLOW_CONNECTIONS true")).await.unwrap();
        drop_user(&driver, &user.lease).await.unwrap();
        assert_eq!(house.count(&user.username).await, 0);
    }
}

#[tokio::test]
async fn a_user_that_was_dropped_or_renamed_by_hand() {
    let house = House::new(Admin::Superuser).await;
    let driver = house.driver();
    let user = create(&driver, &[CREATE]).await.unwrap();
    let session = house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
    house.eye.batch_execute(&format!("DROP ROLE \"{}\"", user.username)).await.unwrap();
    assert!(!session.is_closed(), "a dropped role's session goes on");
    drop_user(&driver, &user.lease).await.unwrap();
    until("the end of the session", async || session.is_closed()).await;

    let user = create(&driver, &[CREATE]).await.unwrap();
    house.eye.batch_execute(&format!("ALTER ROLE \"{}\" RENAME TO elsewhere", user.username)).await.unwrap();
    let error = drop_user(&driver, &user.lease).await.unwrap_err();
    assert_eq!(blocked(&error), "the user was renamed to \"elsewhere\"");
    house.eye.batch_execute("DROP ROLE elsewhere").await.unwrap();
    drop_user(&driver, &user.lease).await.unwrap();
}

/// A cluster that was restored from a dump numbers its roles anew; the name decides.
#[tokio::test]
async fn a_restored_user_ends_too() {
    let house = House::new(Admin::Superuser).await;
    let driver = house.driver();
    let user = create(&driver, &[CREATE]).await.unwrap();
    house
        .eye
        .batch_execute(&format!("DROP ROLE \"{0}\"; CREATE ROLE \"{0}\" LOGIN", user.username))
        .await
        .unwrap();
    drop_user(&driver, &user.lease).await.unwrap();
    assert_eq!(house.count(&user.username).await, 0);
}

/// Memberships of the user, in it, and granted by it.
#[tokio::test]
async fn memberships_end_with_the_user() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = house.driver();
        let group = format!("group_{}", house.database);
        driver.execute(&[format!("CREATE ROLE {group}")]).await.unwrap();
        let creation = [CREATE.to_owned(), format!("GRANT {group} TO \"{{{{name}}}}\" WITH ADMIN OPTION")];
        let creation: Vec<&str> = creation.iter().map(String::as_str).collect();
        let (first, second) =
            (create(&driver, &creation).await.unwrap(), create(&driver, &[CREATE]).await.unwrap());
        let session = house.log_in(&first.username, first.password.reveal(), &house.database).await.unwrap();
        session.batch_execute(&format!("GRANT {group} TO \"{}\"", second.username)).await.unwrap();
        drop_user(&driver, &first.lease).await.unwrap();
        assert_eq!(house.count(&first.username).await, 0, "{admin:?}");
        drop_user(&driver, &second.lease).await.unwrap();
        assert_eq!(house.count(&second.username).await, 0, "{admin:?}");
    }
}

#[tokio::test]
async fn certificates_have_no_user() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    let lease = Lease {
        subject: db_creds::lease::LeaseSubject::Certificate("01".into()),
        ..plan(&role(&[CREATE], &[])).lease().clone()
    };
    driver.drop_user(&lease).await.unwrap();
}
