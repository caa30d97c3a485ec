//! The audit log.

use super::House;

#[test]
fn acts_are_on_record_and_the_chain_holds() {
    let house = House::with_role();
    house.pki(&["--as", "alice", "issue", "web", "--common-name", "example.org"]).ok();
    house.pki(&["audit", "show", "--operation", "pki/"]).ok().prints("alice").prints("pki/issue");
    let page = house.json(&["audit", "show", "--limit", "2"]);
    assert_eq!(page["keys"].as_array().unwrap().len(), 2);
    let next = page["pki"]["next"].as_str().unwrap();
    house.pki(&["audit", "show", "--limit", "2", "--after", next]).ok();
    let verified = house.json(&["audit", "verify"]);
    assert!(verified["pki"]["rows"].as_u64().unwrap() >= 4);
    assert_eq!(verified["pki"]["keyed"], false);
    assert_eq!(house.json(&["audit", "show", "--requester", "nobody"]), serde_json::json!({ "keys": [] }));
}

#[test]
fn nobody_prints_a_secret_into_the_log() {
    let house = House::with_role();
    house.pki(&["issue", "web", "--common-name", "example.org"]).ok();
    let log = house.pki(&["audit", "show", "--format", "json"]).ok().stdout;
    assert!(!log.contains("PRIVATE"));
}
