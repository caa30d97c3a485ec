//! What was issued: lists, revocation, CRLs, publication, verification.

use super::House;

fn issue(house: &House, name: &str) -> String {
    let leaf = house.json(&["issue", "web", "--common-name", name, "--ttl", "24h"]);
    leaf["serial_number"].as_str().unwrap().to_owned()
}

#[test]
fn a_list_is_filtered_and_paged() {
    let house = House::with_role();
    for name in ["a.example.org", "b.example.org", "example.org"] {
        issue(&house, name);
    }
    let count = |flags: &[&str]| {
        let line: Vec<&str> = ["cert", "list"].iter().chain(flags).copied().collect();
        house.json(&line)["keys"].as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["--role", "web"]), 3);
    assert_eq!(count(&["--name", "A.example.org"]), 1);
    assert_eq!(count(&["--name", "*.example.org"]), 2);
    assert_eq!(count(&["--name", "*ample*"]), 3);
    assert_eq!(count(&["--issuer", "root"]), 4);
    assert_eq!(count(&["--expiring", "30d"]), 3);
    assert_eq!(count(&["--expiring", "1h"]), 0);
    assert_eq!(count(&["--status", "revoked"]), 0);
    assert_eq!(count(&["--requester", "nobody"]), 0);
    let first = house.json(&["cert", "list", "--limit", "3"]);
    assert_eq!(first["keys"].as_array().unwrap().len(), 3);
    let next = first["pki"]["next"].as_str().unwrap();
    assert_eq!(count(&["--limit", "3", "--after", next]), 1);
    house.pki(&["cert", "list", "--limit", "1"]).ok().prints("EXPIRES").prints("more: --after");
    house.pki(&["cert", "list", "--role", "none"]).fails(3);
}

#[test]
fn a_revocation_is_recorded_then_signed() {
    let house = House::with_role();
    let serial = issue(&house, "example.org");
    house.pki(&["cert", "read", &serial, "--out", "leaf.pem"]).ok();
    house.pki(&["crl", "show", "--out", "before.crl"]).ok();
    house.pki(&["verify", "leaf.pem", "--ca", "root.crt", "--crl", "before.crl"]).ok();

    let revoked =
        house.json(&["revoke", &serial.to_uppercase().replace(':', "-"), "--reason", "keyCompromise"]);
    assert_eq!(revoked["state"], "revoked");
    assert!(revoked["revocation_time"].is_u64());
    assert!(revoked["revocation_time_rfc3339"].as_str().unwrap().ends_with('Z'));
    house.pki(&["crl", "show"]).ok().says("pki crl rotate");
    let again = house.json(&["revoke", &serial]);
    assert_eq!(again["revocation_time"], revoked["revocation_time"], "the first revocation stays");
    assert_eq!(again["pki"]["reason"], "key_compromise");

    assert_eq!(house.json(&["crl", "rotate"])["success"], true);
    let shown = house.pki(&["crl", "show", "--format", "pem", "--out", "after.crl"]).ok();
    assert_eq!(shown.stderr, "");
    house.pki(&["inspect", "after.crl"]).ok().prints(&serial).prints("key_compromise");
    house.pki(&["verify", "leaf.pem", "--ca", "root.crt", "--crl", "after.crl"]).fails(1).says("revoked");
    house.pki(&["verify", "leaf.pem"]).fails(1).says("revoked");
    house.pki(&["cert", "list", "--status", "revoked"]).ok().prints("revoked (key_compromise)");
    assert_eq!(house.json(&["cert", "read", &serial])["revocation_time"], revoked["revocation_time"]);
}

#[test]
fn revocation_outlives_its_mount() {
    let house = House::with_role();
    let serial = issue(&house, "example.org");
    house.pki(&["mount", "disable", "pki"]).ok();
    house.pki(&["cert", "read", &serial]).ok();
    house.pki(&["revoke", &serial]).ok().prints("revoked");
    house.pki(&["cert", "list", "--status", "revoked"]).ok().prints(&serial);
}

#[test]
fn a_root_does_not_revoke_itself() {
    let house = House::with_role();
    let serial = house.json(&["cert", "list"])["keys"][0].as_str().unwrap().to_owned();
    house.pki(&["revoke", &serial]).fails(1).says("root");
    house.pki(&["revoke", "--reason", "boredom", &serial]).fails(2).says("key_compromise");
}

#[test]
fn numbers_of_crls_rise() {
    let house = House::with_role();
    let number = || house.json(&["crl", "show"])["pki"]["number"].as_str().unwrap().parse::<u128>().unwrap();
    let first = number();
    house.pki(&["crl", "rotate"]).ok();
    assert!(number() > first);
    let shown = house.json(&["crl", "show"]);
    let ahead = shown["pki"]["next_update"].as_u64().unwrap() - shown["pki"]["this_update"].as_u64().unwrap();
    assert_eq!(ahead, 72 * 3600);
    house.pki(&["crl", "rotate", "--expiry", "24h"]).ok();
    House::new().pki(&["crl", "rotate"]).fails(3);
}

#[test]
fn what_may_be_published_is_published_for_everyone() {
    let house = House::with_role();
    let files = house.pki(&["publish", "www/pki"]).ok().stdout;
    assert_eq!(files.lines().count(), 5);
    for file in files.lines() {
        assert_eq!(super::mode(&house.path(file)), 0o644, "{file}");
    }
    let crl = files.lines().find(|file| file.ends_with(".crl")).unwrap();
    house.pki(&["inspect", crl]).ok().prints("CN=test-root");
    house.pki(&["publish", "www/pki"]).ok();
    house.pki(&["publish", "root.crt"]).fails(4);
}

#[test]
fn a_chain_is_verified_by_our_own_code() {
    let house = House::with_role();
    let serial = issue(&house, "example.org");
    house.pki(&["cert", "read", &serial, "--out", "leaf.pem"]).ok();
    let other = House::with_role();
    std::fs::copy(house.path("leaf.pem"), other.path("leaf.pem")).unwrap();
    other.pki(&["verify", "leaf.pem"]).fails(1).says("not trusted");
    other.pki(&["verify", "leaf.pem", "--ca", "root.crt"]).fails(1);
    other.pki(&["verify", "root.crt"]).ok();
    house.pki(&["verify", "leaf.pem", "--ca", "root.crt"]).ok().says("revocation was not checked");
    house.pki(&["verify", "absent.pem"]).fails(2);
    house.write("not.pem", "x");
    house.pki(&["verify", "not.pem"]).fails(2);
}

#[test]
fn the_crl_of_the_leafs_issuer_is_enough_and_needed() {
    let house = House::with_role();
    house.pki(&["mount", "enable", "int"]).ok();
    let generate =
        ["--mount", "int", "intermediate", "generate", "--common-name", "int-ca", "--key-type", "ec"];
    house.pki(&[&generate[..], &["--out", "int.csr"]].concat()).ok();
    let sign = ["root", "sign-intermediate", "--csr", "int.csr", "--ttl", "1000h"];
    house.pki(&[&sign[..], &["--format", "pem_bundle", "--out", "int.pem"]].concat()).ok();
    house.pki(&["--mount", "int", "intermediate", "set-signed", "int.pem"]).ok();
    house.pki(&["--mount", "int", "role", "write", "any", "--allow-any-name", "--key-type", "ec"]).ok();
    let issue =
        ["--mount", "int", "issue", "any", "--common-name", "a.example", "--ttl", "24h", "--out", "tls/"];
    house.pki(&issue).ok();
    house.pki(&["--mount", "int", "crl", "show", "--out", "int.crl"]).ok();
    house.pki(&["crl", "show", "--out", "root.crl"]).ok();
    let verify = |crl: &str| house.pki(&["verify", "tls/fullchain.pem", "--ca", "root.crt", "--crl", crl]);
    verify("int.crl").ok().says("CN=int-ca");
    verify("root.crl").fails(1).says("CN=int-ca");
    house.write("both.crl", house.read("int.crl") + &house.read("root.crl"));
    assert_eq!(verify("both.crl").ok().stderr, "");
    // The leaf alone finds its issuer in the store.
    house.pki(&["verify", "tls/cert.pem"]).ok();
    // An intermediate that its root takes back takes its leaves along.
    let serial = house.json(&["inspect", "int.pem"])["pki"]["objects"][0]["serial_number"].clone();
    house.pki(&["revoke", serial.as_str().unwrap(), "--reason", "ca_compromise"]).ok();
    house.pki(&["verify", "tls/cert.pem"]).fails(1).says("ca_compromise");
}

#[test]
fn a_file_is_inspected_whatever_it_is() {
    let house = House::with_role();
    house.csr("www.example.org", "www.csr");
    house.pki(&["issue", "web", "--common-name", "example.org", "--out", "tls/"]).ok();
    house.pki(&["inspect", "www.csr"]).ok().prints("possession");
    let key = house.pki(&["inspect", "tls/key.pem"]).ok().prints("private key").prints("ec 256");
    assert!(!key.stdout.contains("BEGIN"));
    house.pki(&["inspect", "root.crt"]).ok().prints("CA").prints("serial number");
    let leaf = house.json(&["inspect", "tls/fullchain.pem"]);
    let leaf = &leaf["pki"]["objects"][0];
    assert_eq!(leaf["kind"], "certificate");
    assert_eq!(leaf["names"], serde_json::json!(["DNS:example.org"]));
    house.write("noise", [0x30, 0x03, 0x02, 0x01]);
    house.pki(&["inspect", "noise"]).fails(2);
}
