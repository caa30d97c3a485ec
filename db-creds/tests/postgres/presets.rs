//! Presets do what they say, on every version, and no lease adds to an access list.

use db_creds::postgres::PostgresDatabase;
use db_creds::preset::{Access, Preset};
use tokio_postgres::Client;

use super::house::*;

/// What a session may do in schema `app`.
async fn rights(session: &Client) -> [bool; 4] {
    let tries = [
        "SELECT * FROM app.t",
        "INSERT INTO app.t VALUES (DEFAULT)",
        "CREATE TABLE app.made (x int)",
        "CREATE TABLE public.made (x int)",
    ];
    let mut may = [false; 4];
    for (right, sql) in may.iter_mut().zip(tries) {
        *right = session.batch_execute(sql).await.is_ok();
    }
    may
}

async fn access_list(house: &House) -> Option<i32> {
    let sql = "SELECT array_length(relacl, 1) FROM pg_class WHERE oid = 'app.t'::regclass";
    house.eye.query_one(sql, &[]).await.unwrap().get(0)
}

async fn user_of(driver: &PostgresDatabase, preset: &Preset) -> db_creds::grant::Credential {
    let statements = preset.creation_statements();
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    create(driver, &statements).await.unwrap()
}

#[tokio::test]
async fn presets_give_what_they_say() {
    for admin in ADMINS {
        for (access, wanted) in [
            (Access::ReadOnly, [true, false, false, false]),
            (Access::ReadWrite, [true, true, false, false]),
            (Access::Owner, [true, true, true, false]),
        ] {
            let house = House::new(admin).await;
            // As in a managed service: the administrator may close the public schema.
            house.eye.batch_execute(&format!("ALTER SCHEMA public OWNER TO {}", house.admin)).await.unwrap();
            let driver = house.driver();
            driver
                .execute(&["CREATE SCHEMA app".into(), "CREATE TABLE app.t (x serial)".into()])
                .await
                .unwrap();
            let group = format!("group_{}", house.database);
            let preset = Preset::new(access, &group, &["app"], &[]).unwrap();
            let version = house.version().await;
            for _ in 0..2 {
                driver.execute(&preset.setup(version)).await.unwrap();
            }
            let closed = Preset::new(Access::ReadOnly, &group, &["public"], &[]).unwrap();
            driver.execute(&closed.setup(version)).await.unwrap();
            let before = access_list(&house).await;
            let first = user_of(&driver, &preset).await;
            let session =
                house.log_in(&first.username, first.password.reveal(), &house.database).await.unwrap();
            assert_eq!(rights(&session).await, wanted, "{admin:?} {access:?}");
            // What is created later is covered.
            driver.execute(&["CREATE TABLE app.later (x int)".into()]).await.unwrap();
            session.batch_execute("SELECT * FROM app.later").await.unwrap();

            let second = user_of(&driver, &preset).await;
            let other =
                house.log_in(&second.username, second.password.reveal(), &house.database).await.unwrap();
            if access == Access::Owner {
                // Owners share what they make: the first one's table is the second one's to change.
                other.batch_execute("ALTER TABLE app.made ADD COLUMN y int").await.unwrap();
            }
            assert_eq!(access_list(&house).await, before, "no lease adds to the access list");
            for user in [&first, &second] {
                drop_user(&driver, &user.lease).await.unwrap();
                assert_eq!(house.count(&user.username).await, 0, "{admin:?} {access:?}");
            }
            assert_eq!(access_list(&house).await, before);
        }
    }
}
