//! Roots, intermediates, issuers, keys and the URLs that certificates carry.

use super::House;

#[test]
fn the_first_issuer_with_a_key_is_the_default_and_has_a_crl() {
    let house = House::new();
    let root =
        house.json(&["root", "generate", "--common-name", "one", "--key-type", "ec", "--issuer-name", "one"]);
    house
        .pki(&["root", "generate", "--common-name", "two", "--key-type", "ed25519", "--issuer-name", "two"])
        .ok();
    assert_eq!(house.json(&["issuer", "default"])["default"], root["issuer_id"]);
    for issuer in ["one", "two", "default"] {
        house.pki(&["crl", "show", "--issuer-ref", issuer]).ok().prints("-----BEGIN X509 CRL-----");
    }
    house.pki(&["issuer", "default", "two"]).ok().prints("two");
    assert_eq!(house.json(&["issuer", "list"])["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn vaults_keys_are_there_with_vaults_types() {
    let house = House::new();
    let root = house.json(&["root", "generate", "--common-name", "r", "--key-type", "ec", "--ttl", "24h"]);
    assert_eq!(root["certificate"], root["issuing_ca"]);
    assert!(root["certificate"].as_str().unwrap().ends_with("-----END CERTIFICATE-----"));
    assert!(root["expiration"].is_u64());
    for key in ["serial_number", "issuer_id", "issuer_name", "key_id", "key_name"] {
        assert!(root[key].is_string(), "{key}");
    }
    assert!(root.get("private_key").is_none(), "an internal key stays inside");
    let issuer = house.json(&["issuer", "read", "default"]);
    for key in ["issuer_id", "key_id", "certificate", "usage", "leaf_not_after_behavior"] {
        assert!(issuer[key].is_string(), "{key}");
    }
    assert_eq!(issuer["ca_chain"].as_array().unwrap().len(), 1);
}

#[test]
fn an_exported_key_is_printed_once() {
    let house = House::new();
    let line = ["root", "generate", "--common-name", "r", "--key-type", "ec", "--type", "exported"];
    let root = house.json(&line);
    assert_eq!(root["private_key_type"], "ec");
    assert!(root["private_key"].as_str().unwrap().starts_with("-----BEGIN EC PRIVATE KEY-----"));
    house
        .pki(
            &[&line[..], &["--format", "pem_bundle", "--private-key-format=pkcs8", "--out", "ca.pem"]]
                .concat(),
        )
        .ok();
    assert!(house.read("ca.pem").starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(super::mode(&house.path("ca.pem")), 0o600);
}

#[test]
fn names_are_taken_once_also_while_they_wait() {
    let house = House::new();
    let generate = |kind: &'static str, name: &'static str| {
        house.pki(&[kind, "generate", "--common-name", "c", "--key-type", "ec", "--issuer-name", name])
    };
    generate("intermediate", "waiting").ok();
    generate("root", "waiting").fails(1).says("waits");
    generate("intermediate", "WAITING").fails(1);
    generate("root", "there").ok();
    generate("intermediate", "There").fails(1).says("already");
    generate("root", "default").fails(2);
    assert_eq!(
        house.json(&["key", "list"])["keys"].as_array().unwrap().len(),
        2,
        "no key for what was refused"
    );
}

#[test]
fn the_name_given_with_the_request_comes_back_with_the_certificate() {
    let house = House::with_role();
    house.pki(&["mount", "enable", "int"]).ok();
    let csr = house.json(&[
        "--mount",
        "int",
        "intermediate",
        "generate",
        "--common-name",
        "int-ca",
        "--key-type",
        "ec",
        "--issuer-name",
        "issuing",
    ]);
    house.write("int.csr", csr["csr"].as_str().unwrap());
    let signed = house.json(&["root", "sign-intermediate", "--csr", "int.csr", "--ttl", "1000h"]);
    assert_eq!(signed["ca_chain"].as_array().unwrap().len(), 2);
    assert_eq!(signed["ca_chain"][0], signed["certificate"]);
    // The root first: any order will do.
    let bundle =
        format!("{}\n{}\n", signed["issuing_ca"].as_str().unwrap(), signed["certificate"].as_str().unwrap());
    house.write("bundle.pem", bundle);
    house.pki(&["--mount", "pki", "intermediate", "set-signed", "bundle.pem"]).ok();
    house.pki(&["--mount", "database", "intermediate", "set-signed", "bundle.pem"]).fails(2);
    let imported = house.json(&["--mount", "int", "intermediate", "set-signed", "bundle.pem"]);
    assert_eq!(imported["imported_issuers"].as_array().unwrap().len(), 2);
    let default = house.json(&["--mount", "int", "issuer", "read", "default"]);
    assert_eq!(default["issuer_name"], "issuing");
    assert_eq!(default["pki"]["subject"], "CN=int-ca", "without --common-name the CSR's is taken");
    assert_eq!(default["ca_chain"].as_array().unwrap().len(), 2);
    house.pki(&["--mount", "int", "crl", "show", "--issuer-ref", "issuing"]).ok();
    let again = house.json(&["--mount", "int", "intermediate", "set-signed", "bundle.pem"]);
    assert_eq!(again["imported_issuers"], serde_json::json!([]));
    assert_eq!(again["existing_issuers"].as_array().unwrap().len(), 2);
}

#[test]
fn a_certificate_for_nobodys_key_does_not_come_back() {
    let house = House::with_role();
    house.pki(&["mount", "enable", "int"]).ok();
    house.pki(&["--mount", "int", "intermediate", "set-signed", "root.crt"]).fails(1).says("--mount");
    house.pki(&["intermediate", "set-signed", "absent.pem"]).fails(2).says("absent.pem");
}

#[test]
fn an_intermediate_ends_with_its_issuer() {
    let house = House::new();
    house.pki(&["root", "generate", "--common-name", "short", "--key-type", "ec", "--ttl", "24h"]).ok();
    house.csr("int", "int.csr");
    house
        .pki(&["root", "sign-intermediate", "--csr", "int.csr", "--ttl", "48h"])
        .fails(1)
        .says("--not-after");
    house.pki(&["root", "sign-intermediate", "--csr", "int.csr", "--ttl", "12h"]).ok();
}

#[test]
fn path_lengths_are_kept() {
    let house = House::new();
    let root = ["root", "generate", "--common-name", "r", "--key-type", "ec", "--max-path-length", "0"];
    house.pki(&root).ok().says("path length");
    house.csr("int", "int.csr");
    house.pki(&["root", "sign-intermediate", "--csr", "int.csr", "--ttl", "1h"]).fails(1).says("path length");
    house.pki(&["root", "generate", "--common-name", "r", "--max-path-length", "-2"]).fails(2);
}

#[test]
fn an_existing_ca_moves_in() {
    let house = House::new();
    let exported = ["root", "generate", "--common-name", "old", "--key-type", "ec", "--type", "exported"];
    house.pki(&[&exported[..], &["--format", "pem_bundle", "--out", "old.pem"]].concat()).ok();
    let other = House::new();
    std::fs::copy(house.path("old.pem"), other.path("old.pem")).unwrap();
    let imported = other.json(&["issuer", "import", "old.pem", "--issuer-name", "old"]);
    assert_eq!(imported["imported_keys"].as_array().unwrap().len(), 1);
    assert_eq!(other.json(&["issuer", "read", "old"])["issuer_name"], "old");
    other.pki(&["crl", "show"]).ok();
    other.pki(&["issuer", "update", "old", "--issuer-name", "renamed"]).ok();
    other.pki(&["issuer", "read", "old"]).fails(3).says("renamed");
    other.pki(&["key", "import", "old.pem"]).ok().says("already");
}

#[test]
fn keys_are_generated_and_used_later() {
    let house = House::new();
    house.pki(&["key", "generate", "--key-name", "later", "--key-type", "ec", "--key-bits", "384"]).ok();
    let root = ["root", "generate", "--common-name", "r", "--type", "existing", "--key-ref", "later"];
    assert_eq!(house.json(&root)["key_name"], "later");
    house.pki(&[&root[..], &["--key-bits", "256"]].concat()).fails(2);
    house.pki(&["root", "generate", "--common-name", "r", "--type", "existing", "--key-ref", "no"]).fails(3);
    house.pki(&["root", "generate", "--common-name", "r", "--key-type", "ec", "--key-bits", "224"]).fails(2);
    house.pki(&["key", "list"]).ok().prints("later");
}

#[test]
fn urls_merge_and_stand_in_certificates() {
    let house = House::with_role();
    let write = ["config", "urls", "write", "--crl-distribution-points"];
    house.pki(&[&write[..], &["http://ca.example/a.crl,http://ca.example/b.crl"]].concat()).ok();
    house.pki(&["config", "urls", "write", "--ocsp-servers", "http://ocsp.example"]).ok();
    let urls = house.json(&["config", "urls", "read"]);
    assert_eq!(urls["crl_distribution_points"].as_array().unwrap().len(), 2);
    house.pki(&["issue", "web", "--common-name", "example.org", "--out", "tls/"]).ok();
    house
        .pki(&["inspect", "tls/cert.pem"])
        .ok()
        .prints("http://ca.example/b.crl")
        .prints("http://ocsp.example");
    house.pki(&[&write[..], &[""]].concat()).ok();
    assert_eq!(house.json(&["config", "urls", "read"])["crl_distribution_points"], serde_json::json!([]));
    house.pki(&[&write[..], &["not a url"]].concat()).fails(2);
}

#[test]
fn the_tree_shows_who_stands_where() {
    let house = House::with_role();
    house
        .pki(&["intermediate", "generate", "--common-name", "i", "--key-type", "ec", "--issuer-name", "next"])
        .ok();
    let tree = house.pki(&["tree"]).ok().prints("root  CN=test-root").prints("default").prints("next: waits");
    assert!(tree.stdout.starts_with("pki\n"));
}
