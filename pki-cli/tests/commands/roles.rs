//! Roles.

use super::House;

#[test]
fn a_role_is_stored_with_every_field_and_vaults_defaults() {
    let house = House::new();
    let role =
        house.json(&["role", "write", "r", "--allowed-domains", "a.example, b.example", "--ttl", "24h"]);
    assert_eq!(role["allowed_domains"], serde_json::json!(["a.example", "b.example"]));
    assert_eq!(role["ttl"], 86_400);
    assert_eq!(role["allow_localhost"], true);
    assert_eq!(role["key_type"], "rsa");
    assert_eq!(role["key_bits"], 2048);
    assert_eq!(role["pki"]["revision"], 1);
    assert_eq!(house.json(&["role", "read", "R"]), {
        let mut read = role.clone();
        read.as_object_mut().unwrap().remove("warnings");
        read
    });
}

#[test]
fn writing_replaces_and_patching_changes() {
    let house = House::new();
    house.pki(&["role", "write", "r", "--allow-any-name", "--max-ttl", "72h"]).ok();
    let patched = house.json(&["role", "patch", "r", "--allow-any-name=false"]);
    assert_eq!(patched["max_ttl"], 259_200);
    assert_eq!(patched["allow_any_name"], false);
    assert_eq!(patched["pki"]["revision"], 2);
    let written = house.json(&["role", "write", "r", "--ttl", "1h"]);
    assert_eq!(written["max_ttl"], 0);
    assert_eq!(written["pki"]["id"], patched["pki"]["id"]);
    house.pki(&["role", "delete", "r"]).ok();
    house.pki(&["role", "read", "r"]).fails(3);
    let again = house.json(&["role", "write", "r"]);
    assert_ne!(again["pki"]["id"], patched["pki"]["id"], "the same name again is another role");
}

#[test]
fn booleans_are_bare_or_have_a_value() {
    let house = House::new();
    house.pki(&["role", "write", "a", "--allow-subdomains", "--allow-localhost", "false"]).ok();
    let role = house.json(&["role", "read", "a"]);
    assert_eq!((&role["allow_subdomains"], &role["allow_localhost"]), (&true.into(), &false.into()));
    house.pki(&["role", "write", "a", "--allow-subdomains=maybe"]).fails(2).says("maybe");
}

#[test]
fn lists_of_nothing_are_lists() {
    let house = House::new();
    assert_eq!(house.json(&["role", "list"]), serde_json::json!({ "keys": [] }));
    house.pki(&["role", "write", "r", "--ou", "x", "--ou", "y", "--locality="]).ok();
    let role = house.json(&["role", "read", "r"]);
    assert_eq!(role["ou"], serde_json::json!(["x", "y"]));
    assert_eq!(role["locality"], serde_json::json!([]));
    assert_eq!(house.json(&["role", "list"])["keys"], serde_json::json!(["r"]));
}

#[test]
fn what_no_role_can_say_is_refused() {
    let house = House::new();
    for flags in [
        &["--key-type", "dsa"][..],
        &["--key-type", "ec", "--key-bits", "224"],
        &["--key-bits", "1024"],
        &["--ttl", "72h", "--max-ttl", "24h"],
        &["--key-usage", "CertSign"],
        &["--ext-key-usage", "everything"],
        &["--country", "Atlantis"],
        &["--not-after", "tomorrow"],
        &["--storage", "some"],
        &["--storage", "full", "--no-store"],
        &["--no-such-field"],
        &["--ttl", "-1h"],
    ] {
        let line: Vec<&str> = ["role", "write", "r"].iter().chain(flags).copied().collect();
        house.pki(&line).fails(2);
    }
    house.pki(&["role", "list"]).ok();
    assert_eq!(house.json(&["role", "list"])["keys"], serde_json::json!([]));
    house.pki(&["role", "patch", "r", "--ttl", "1h"]).fails(3);
}

#[test]
fn what_may_surprise_is_said() {
    let house = House::new();
    let role =
        house.json(&["role", "write", "r", "--issuer-ref", "later", "--no-store", "--max-ttl", "9999h"]);
    assert_eq!(role["storage"], "none");
    assert_eq!(role["warnings"].as_array().unwrap().len(), 3);
    house.pki(&["role", "patch", "r", "--no-store=false"]).ok().prints("full");
}
