//! Stores and mounts.

use super::{House, mode};

#[test]
fn a_store_is_for_its_owner_alone() {
    let house = House::new();
    assert_eq!(mode(&house.path("store")), 0o700);
    let mounts = house.json(&["mount", "list"]);
    assert_eq!(mounts["keys"], serde_json::json!(["database", "pki"]));
    assert_eq!(mounts["key_info"]["pki"]["config"]["max_lease_ttl"], 2_764_800);
}

#[test]
fn a_store_is_not_made_twice() {
    let house = House::new();
    house.pki(&["init", "--no-seal"]).fails(2);
}

#[test]
fn a_store_that_is_not_there_is_named() {
    let house = House::empty();
    house.pki(&["mount", "list"]).fails(3).says("pki init");
    house.pki(&["--store", "elsewhere", "tree"]).fails(3).says("elsewhere");
}

#[test]
fn how_keys_are_sealed_is_said() {
    let house = House::empty();
    house.pki(&["init"]).fails(2).says("--no-seal");
    house.pki(&["init", "--no-seal", "--key-file", "seal.key"]).fails(2);
}

#[test]
fn a_passphrase_opens_its_store_and_no_other_does() {
    let house = House::empty();
    house.write("right", "correct horse\n");
    house.write("wrong", "battery staple\n");
    house.write("same", "correct horse");
    house.pki(&["init", "--passphrase-file", "right"]).ok();
    house.pki(&["tree"]).fails(4).says("--passphrase-file");
    house.pki(&["tree", "--passphrase-file", "wrong"]).fails(4);
    house.pki(&["tree", "--passphrase-file", "same"]).ok();
    let mut command = house.command();
    let output = command.env("PKI_PASSPHRASE_FILE", house.path("right")).arg("tree").output().unwrap();
    assert!(output.status.success());
    let issued =
        ["root", "generate", "--common-name", "sealed", "--key-type", "ec", "--passphrase-file", "right"];
    house.pki(&issued).ok().prints("-----BEGIN CERTIFICATE-----");
}

#[test]
fn a_key_file_is_found_where_it_was() {
    let house = House::empty();
    house.pki(&["init", "--key-file", "seal.key"]).ok();
    assert_eq!(mode(&house.path("seal.key")), 0o600);
    house.pki(&["root", "generate", "--common-name", "sealed", "--key-type", "ec"]).ok();
    std::fs::rename(house.path("seal.key"), house.path("moved.key")).unwrap();
    house.pki(&["tree"]).fails(4);
    house.pki(&["tree", "--key-file", "moved.key"]).ok();
}

#[test]
fn mounts_are_made_tuned_and_ended() {
    let house = House::new();
    house.pki(&["mount", "enable", "pki_int", "--max-lease-ttl", "43800h"]).ok().prints("1825d");
    house.pki(&["mount", "enable", "PKI_INT"]).fails(1).says("PKI_INT");
    house.pki(&["mount", "enable", "a b"]).fails(2);
    let tuned = house.json(&["mount", "tune", "pki_int", "--default-lease-ttl=24h"]);
    assert_eq!(tuned["default_lease_ttl"], 86_400);
    assert_eq!(tuned["max_lease_ttl"], 157_680_000);
    house.pki(&["mount", "tune", "pki_int", "--max-lease-ttl", "1h"]).fails(1);
    house.pki(&["mount", "disable", "pki_int"]).ok();
    house.pki(&["--mount", "pki_int", "role", "list"]).fails(3).says("database, pki");
    house.pki(&["mount", "enable", "pki_int"]).ok();
}

#[test]
fn a_mount_of_another_type_is_not_worked_on() {
    let house = House::new();
    house.pki(&["--mount", "database", "role", "list"]).fails(2).says("--mount");
}

#[test]
fn global_flags_stand_anywhere_and_the_environment_stands_back() {
    let house = House::new();
    house.pki(&["mount", "enable", "other"]).ok();
    house.pki(&["role", "--mount", "other", "list"]).ok();
    house.pki(&["role", "list", "--mount=other"]).ok();
    let output = house.command().env("PKI_MOUNT", "absent").args(["role", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let line = ["role", "list", "--mount", "other"];
    let output = house.command().env("PKI_MOUNT", "absent").args(line).output().unwrap();
    assert!(output.status.success());
}
