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
    let role = house.json(&[
        "role",
        "write",
        "r",
        "--strict",
        "--issuer-ref",
        "later",
        "--no-store",
        "--max-ttl",
        "9999h",
    ]);
    assert_eq!(role["storage"], "none");
    assert_eq!(role["warnings"].as_array().unwrap().len(), 3);
    house.pki(&["role", "patch", "r", "--no-store=false"]).ok().prints("full");
}

#[test]
fn each_loose_default_is_said_and_strict_has_none() {
    let house = House::new();
    let loose = |line: &[&str]| -> Vec<String> {
        let warnings = house.json(line)["warnings"].clone();
        let lines = warnings.as_array().into_iter().flatten().map(|line| line.as_str().unwrap().to_owned());
        lines.filter(|line| line.contains("loose")).collect()
    };
    let all = loose(&["role", "write", "r"]);
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all.iter().any(|line| line.contains("--allow-ip-sans=false")), "{all:?}");
    // What the line says is meant.
    assert_eq!(loose(&["role", "write", "r", "--allow-ip-sans", "--max-ttl", "72h"]).len(), 3);
    assert_eq!(loose(&["role", "patch", "r", "--ou", "x"]), [""; 0]);
    assert_eq!(loose(&["role", "write", "r", "--strict"]), [""; 0]);
    let strict = house.json(&["role", "read", "r"]);
    for (field, value) in [
        ("allow_localhost", serde_json::json!(false)),
        ("allow_wildcard_certificates", false.into()),
        ("allow_ip_sans", false.into()),
        ("client_flag", false.into()),
        ("server_flag", true.into()),
        ("max_ttl", 86_400.into()),
    ] {
        assert_eq!(strict[field], value, "{field}");
    }
}

#[test]
fn a_role_has_a_history_and_goes_back() {
    let house = House::new();
    house.pki(&["role", "write", "r", "--allowed-domains", "a.example,b.example", "--max-ttl", "72h"]).ok();
    house.pki(&["role", "patch", "r", "--allowed-domains", "b.example,c.example"]).ok();
    house.pki(&["role", "patch", "r", "--max-ttl", "1h", "--allow-subdomains"]).ok();
    let history = house.json(&["role", "history", "r"]);
    assert_eq!(history["keys"], serde_json::json!(["3", "2", "1"]));
    assert_eq!(history["key_info"]["3"]["changed"], serde_json::json!(["max_ttl", "allow_subdomains"]));
    assert_eq!(history["key_info"]["2"]["changed"], serde_json::json!(["allowed_domains"]));

    let last = house.json(&["role", "diff", "r"]);
    assert_eq!(last["pki"]["from"]["revision"], 2);
    assert_eq!(
        last["pki"]["changes"],
        serde_json::json!([
            { "field": "max_ttl", "from": 259_200, "to": 3_600 },
            { "field": "allow_subdomains", "from": false, "to": true },
        ])
    );
    house
        .pki(&["role", "diff", "r", "--from", "1", "--to", "2"])
        .ok()
        .prints("-a.example")
        .prints("+c.example");
    house.pki(&["role", "diff", "r", "--from", "3", "--to", "3"]).ok().prints("nothing differs");

    let first = house.json(&["role", "read", "r"]);
    house.pki(&["role", "rollback", "r", "--revision", "1"]).ok();
    let back = house.json(&["role", "read", "r"]);
    assert_eq!(back["pki"]["revision"], 4);
    assert_eq!(back["pki"]["id"], first["pki"]["id"]);
    assert_eq!(back["max_ttl"], 259_200);
    house.pki(&["role", "diff", "r", "--from", "1", "--to", "4"]).ok().prints("nothing differs");
    // Going back is on record like every write.
    house.pki(&["audit", "show", "--operation", "role/write"]).ok().prints("role/write");

    house.pki(&["role", "rollback", "r", "--revision", "1"]).fails(2).says("now");
    house.pki(&["role", "rollback", "r", "--revision", "9"]).fails(3).says("1 to 4");
    house.pki(&["role", "diff", "r", "--to", "1"]).fails(2).says("first");
    house.pki(&["role", "history", "none"]).fails(3);
    house.pki(&["role", "write", "s", "--max-ttl", "72h"]).ok();
    house.pki(&["role", "diff", "r", "s"]).ok().prints("allowed_domains");
    house.pki(&["role", "diff", "r", "none"]).fails(3);
}
