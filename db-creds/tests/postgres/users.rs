//! The users that exist, and the ledger.

use db_creds::database::{Database, LoginRight};
use db_creds::lease::LeasePrefix;
use db_creds::lease::{LeaseId, StateName};
use db_creds::ledger::Ledger;
use db_creds::reconcile::{self, Finding};
use db_creds::ttl::{self, TtlLimits};

use super::house::*;

#[tokio::test]
async fn differences_are_found_and_mended() {
    let house = House::new(Admin::CreateRole).await;
    let driver = house.driver();
    // Names of this test alone: other tests have users of their own.
    let template = format!("t-{}-{{{{random 20}}}}", house.database);
    let usernames = db_creds::username::UsernameTemplate::parse(&template).unwrap();
    let role = role(&[CREATE], &[]);
    let mut ledger = Ledger::new();
    let mut names = Vec::new();
    for _ in 0..4 {
        let plan = role.plan(&caller(), &usernames, 63, &mut rng(), now()).unwrap();
        let created = db_creds::grant::create(&driver, plan, &|| true, now).await.unwrap();
        names.push(created.credential());
    }
    let [kept, forgotten, dropped, survivor] = names.as_slice() else { panic!() };
    ledger.put(kept.lease.clone());
    ledger.put(dropped.lease.clone());
    ledger.put(revoking(&survivor.lease).revoked(now()).unwrap());
    house.eye.batch_execute(&format!("DROP ROLE \"{}\"", dropped.username)).await.unwrap();
    let session = house.log_in(&kept.username, kept.password.reveal(), &house.database).await.unwrap();

    let all = LeasePrefix::new("");
    let users = driver.list_users(usernames.prefix()).await.unwrap();
    assert_eq!(users.len(), 3);
    let one = users.iter().find(|user| user.name == kept.username).unwrap();
    assert_eq!(
        (one.sessions, one.login, one.activation),
        (1, LoginRight::Granted, kept.lease.activation.unwrap())
    );
    drop(session);
    let findings = reconcile::compare(&users, ledger.list(&all), usernames.prefix());
    assert_eq!(findings.len(), 3, "{findings:?}");
    for finding in findings {
        match finding {
            Finding::Missing { lease, name } => {
                assert_eq!(name, dropped.username);
                let gone = revoking(ledger.lookup(&lease).unwrap());
                driver.drop_user(&gone).await.unwrap();
                ledger.put(gone.revoked(now()).unwrap());
            }
            Finding::Orphan(user) | Finding::Survivor { user, .. } => {
                assert!([&forgotten.username, &survivor.username].contains(&&user.name));
                let id = LeaseId::random(kept.lease.id.path().clone(), now(), &mut rng()).unwrap();
                let grant = ttl::grant(None, TtlLimits::SYSTEM, now()).unwrap();
                let adopted = reconcile::adopt(&user, id, kept.lease.terms.clone(), &grant, now());
                drop_user(&driver, &adopted).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    let users = driver.list_users(usernames.prefix()).await.unwrap();
    assert_eq!(reconcile::compare(&users, ledger.list(&all), usernames.prefix()), []);
    assert_eq!((users.len(), ledger.count(StateName::Active)), (1, 1));
    drop_user(&driver, &kept.lease).await.unwrap();
}

/// More users than a page has.
#[tokio::test]
async fn long_lists_are_read_in_pages() {
    let house = House::new(Admin::Superuser).await;
    let driver = house.driver();
    let prefix = format!("p'{}%_", house.database);
    let sql = format!(
        "DO $$ BEGIN FOR i IN 1..5003 LOOP EXECUTE format('CREATE ROLE %I', '{}' || i); END LOOP; END $$",
        prefix.replace('\'', "''")
    );
    house.eye.batch_execute(&sql).await.unwrap();
    let users = driver.list_users(&prefix).await.unwrap();
    assert_eq!(users.len(), 5_003);
    assert!(users.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert_eq!(driver.list_users("p''").await.unwrap(), []);
    let sql = sql.replace("CREATE ROLE", "DROP ROLE");
    house.eye.batch_execute(&sql).await.unwrap();
}
