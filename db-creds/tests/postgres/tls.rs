//! TLS, with libpq's modes.

use db_creds::database::{Database, DatabaseError};
use db_creds::password::Password;
use db_creds::postgres::{ConnectionUrl, PostgresConfig, PostgresDatabase};

use super::house::*;

/// Connects with these settings; how many of the driver's sessions the server sees in TLS.
async fn connect(house: &House, host: &str, settings: &str) -> Result<i64, DatabaseError> {
    let settings = settings.replace("DIR", &house.cluster.directory.display().to_string());
    let url = house.cluster.tcp_url(&house.database, &settings).replace("127.0.0.1", host);
    let config = PostgresConfig {
        timeouts: TIMEOUTS,
        ..PostgresConfig::new(ConnectionUrl::parse(&url)?, &house.admin)
    };
    let driver = PostgresDatabase::new(config, Password::new(ADMIN_PASSWORD.into()))?;
    driver.ping().await?;
    let sql = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1 AND ssl";
    Ok(house.eye.query_one(sql, &[&house.admin]).await.unwrap().get(0))
}

#[tokio::test]
async fn modes_check_what_they_say() {
    for (host, settings, wanted) in [
        ("127.0.0.1", "sslmode=disable", Ok(0)),
        ("127.0.0.1", "sslmode=prefer", Ok(1)),
        ("127.0.0.1", "", Ok(1)),
        ("127.0.0.1", "sslmode=require", Ok(1)),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/root.pem", Ok(1)),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/root.pem", Ok(1)),
        ("127.0.0.1", "sslmode=require&sslrootcert=DIR/root.pem", Ok(1)),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=DIR/root.pem", Err("not valid for name")),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/other.pem", Err("UnknownIssuer")),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/other.pem", Err("UnknownIssuer")),
        ("127.0.0.1", "sslmode=require&sslrootcert=DIR/other.pem", Err("UnknownIssuer")),
        ("127.0.0.1", "sslmode=verify-full", Err("need sslrootcert")),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/nothing.pem", Err("nothing.pem")),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/log", Err("has no certificates")),
        ("127.0.0.1", "sslmode=require&sslcert=DIR/root.pem", Err("given together")),
    ] {
        // An administrator of its own: sessions of the case before may still be closing.
        let house = House::new(Admin::CreateRole).await;
        match (connect(&house, host, settings).await, wanted) {
            (Ok(encrypted), Ok(wanted)) => assert_eq!(encrypted, wanted, "{host} {settings}"),
            (Err(error), Err(wanted)) => {
                assert!(error.to_string().contains(wanted), "{host} {settings}: {error}")
            }
            (got, wanted) => panic!("{host} {settings}: {got:?}, wanted {wanted:?}"),
        }
    }
}

#[tokio::test]
async fn users_are_created_and_ended_over_tls() {
    let house = House::new(Admin::CreateRole).await;
    let settings = format!("sslmode=verify-full&sslrootcert={}/root.pem", house.cluster.directory.display());
    let url = house.cluster.tcp_url(&house.database, &settings).replace("127.0.0.1", "localhost");
    let config = PostgresConfig {
        timeouts: TIMEOUTS,
        ..PostgresConfig::new(ConnectionUrl::parse(&url).unwrap(), &house.admin)
    };
    let driver = PostgresDatabase::new(config, Password::new(ADMIN_PASSWORD.into())).unwrap();
    let user = create(&driver, &[CREATE]).await.unwrap();
    house.log_in(&user.username, user.password.reveal(), &house.database).await.unwrap();
    drop_user(&driver, &user.lease).await.unwrap();
    assert_eq!(house.count(&user.username).await, 0);
}
