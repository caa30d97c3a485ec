//! Passwords of accounts that stay: the connection's own, and static roles'.

use std::time::Duration;

use db_creds::database::{Database, Login, PasswordChange};
use db_creds::password::Password;
use db_creds::postgres::{ConnectionUrl, PostgresConfig, PostgresDatabase};
use db_creds::rotation::{self, InUse};
use db_creds::statement::{Purpose, Statements};
use db_creds::static_role::{StaticCredential, StaticRole, StaticRoleConfig};

use super::house::*;

/// A driver that must know the password.
fn driver(house: &House, password: &str) -> PostgresDatabase {
    let url = ConnectionUrl::parse(&house.cluster.tcp_url(&house.database, "")).unwrap();
    let config = PostgresConfig { timeouts: TIMEOUTS, ..PostgresConfig::new(url, &house.admin) };
    PostgresDatabase::new(config, Password::new(password.into())).unwrap()
}

#[tokio::test]
async fn the_own_password_changes_while_users_are_created() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = shared(driver(&house, ADMIN_PASSWORD));
        let (old, new) =
            (Password::new(ADMIN_PASSWORD.into()), Password::new("N3w-'quoted'-\\Passw0rd".into()));
        let creations: Vec<_> = (0..20)
            .map(|_| {
                let driver = driver.clone();
                tokio::spawn(async move { create(&driver, &[CREATE]).await.unwrap() })
            })
            .collect();
        let change =
            PasswordChange { username: &house.admin, password: &new, salt: [7; 16], statements: None };
        rotation::root(&*driver, &old, &change).await.unwrap();
        for creation in creations {
            drop_user(&driver, &creation.await.unwrap().lease).await.unwrap();
        }
        assert_eq!(driver.login(&house.admin, &old).await, Ok(Login::Refused));
        assert_eq!(driver.login(&house.admin, &new).await, Ok(Login::Accepted));
        assert!(!house.cluster.log().contains("N3w-"), "the log has a verifier alone");
    }
}

/// Killed between the change and its record: both passwords are tried.
#[tokio::test]
async fn a_half_done_rotation_is_recovered() {
    let house = House::new(Admin::CreateRole).await;
    let driver = driver(&house, ADMIN_PASSWORD);
    let (old, new) = (Password::new(ADMIN_PASSWORD.into()), Password::new("N3xt-Passw0rd".into()));
    let recovered = async || rotation::recover(&driver, &house.admin, Some(&old), &new).await.unwrap();
    assert_eq!(recovered().await, InUse::Current);
    let change = PasswordChange { username: &house.admin, password: &new, salt: [7; 16], statements: None };
    driver.rotate_root(&change).await.unwrap();
    assert_eq!(recovered().await, InUse::Candidate);
    let third = Password::new("th1rd".into());
    let error = rotation::recover(&driver, &house.admin, Some(&third), &third).await.unwrap_err();
    assert_eq!(error.to_string(), "the server takes neither the new password nor the old one");
}

#[tokio::test]
async fn a_rotation_that_the_server_refuses_leaves_the_old_password() {
    let house = House::new(Admin::CreateRole).await;
    let driver = driver(&house, ADMIN_PASSWORD);
    let (old, new) = (Password::new(ADMIN_PASSWORD.into()), Password::new("N3xt-Passw0rd".into()));
    let broken =
        Statements::parse(&["ALTER ROLE \"{{name}}\" PASSWRD '{{password}}'"], Purpose::Rotation).unwrap();
    let change =
        PasswordChange { username: &house.admin, password: &new, salt: [7; 16], statements: Some(&broken) };
    let error = rotation::root(&driver, &old, &change).await.unwrap_err();
    assert_eq!(error.in_use, Some(InUse::Current));
    assert!(!format!("{error:?} {error}").contains("N3xt"));
    driver.ping().await.unwrap();
}

#[tokio::test]
async fn static_roles_change_their_passwords() {
    for admin in ADMINS {
        let house = House::new(admin).await;
        let driver = driver(&house, ADMIN_PASSWORD);
        let account = format!("static_{}", house.database);
        driver.execute(&[format!("CREATE ROLE {account} LOGIN")]).await.unwrap();
        let config = StaticRoleConfig {
            db_name: "db".into(),
            username: account.clone(),
            rotation_period: Duration::from_secs(5),
            ..StaticRoleConfig::default()
        };
        let role = StaticRole::new(config, None).unwrap();
        let mut stored = StaticCredential::new();
        let mut passwords = Vec::new();
        for _ in 0..3 {
            let candidate = role.candidate(&stored, &mut rng()).unwrap();
            stored = stored.with_candidate(candidate.clone());
            let change = PasswordChange {
                username: &account,
                password: &candidate.password,
                salt: [9; 16],
                statements: Some(role.statements()),
            };
            rotation::account(&driver, stored.current.as_ref(), &change).await.unwrap();
            stored = stored.rotated(now());
            passwords.push(candidate.password);
        }
        for (at, password) in passwords.iter().enumerate() {
            let wanted = if at == 2 { Login::Accepted } else { Login::Refused };
            assert_eq!(driver.login(&account, password).await, Ok(wanted));
        }
        assert!(role.ttl(&stored, now()) <= Duration::from_secs(5));
    }
}
