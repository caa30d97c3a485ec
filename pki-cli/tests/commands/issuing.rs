//! `issue` and `sign`, and what they write.

use super::{House, mode};

#[test]
fn a_set_is_written_with_the_key_for_its_owner() {
    let house = House::with_role();
    house.pki(&["issue", "web", "--common-name", "www.example.org", "--out", "tls/"]).ok();
    assert_eq!(mode(&house.path("tls/key.pem")), 0o600);
    assert!(house.read("tls/key.pem").starts_with("-----BEGIN EC PRIVATE KEY-----"));
    assert_eq!(house.read("tls/fullchain.pem"), house.read("tls/cert.pem"), "below a root there is no chain");
    assert!(!house.path("tls/chain.pem").exists());
    house
        .pki(&["issue", "web", "--common-name", "www.example.org", "--out", "tls/"])
        .fails(2)
        .says("--replace");
    house.pki(&["verify", "tls/fullchain.pem"]).ok();
}

#[test]
fn the_answer_has_vaults_keys() {
    let house = House::with_role();
    let leaf = house.json(&["issue", "web", "--common-name", "www.example.org", "--ttl", "1h"]);
    assert_eq!(leaf["private_key_type"], "ec");
    assert_eq!(leaf["ca_chain"], serde_json::json!([leaf["issuing_ca"]]));
    assert!(leaf["expiration"].as_u64().unwrap() > leaf["not_before"].as_u64().unwrap());
    for key in ["certificate", "private_key", "serial_number"] {
        assert!(leaf[key].is_string(), "{key}");
    }
    let kept = house.json(&["issue", "web", "--common-name", "www.example.org", "--out", "tls/"]);
    assert!(kept.get("private_key").is_none(), "a key that was written is not printed as well");
    let line = ["issue", "web", "--common-name", "example.org", "--remove-roots-from-chain"];
    assert_eq!(house.json(&line)["ca_chain"], serde_json::json!([]));
}

#[test]
fn text_has_labels_and_pem_has_none() {
    let house = House::with_role();
    let line = ["issue", "web", "--common-name", "www.example.org"];
    house.pki(&line).ok().prints("serial number").prints("\nprivate key:\n-----BEGIN EC");
    let bundle = house.pki(&[&line[..], &["--format", "pem_bundle"]].concat()).ok().stdout;
    assert!(bundle.starts_with("-----BEGIN EC PRIVATE KEY-----"));
    assert_eq!(bundle.matches("-----BEGIN CERTIFICATE-----").count(), 2);
    house.pki(&[&line[..], &["--format", "der"]].concat()).fails(2);
    let field = house.pki(&[&line[..], &["--field", "private_key"]].concat()).ok().stdout;
    assert!(
        field.starts_with("-----BEGIN EC PRIVATE KEY-----")
            && field.ends_with("-----END EC PRIVATE KEY-----\n")
    );
    house.pki(&[&line[..], &["--field", "privat_key"]].concat()).fails(2).says("private_key_type");
    house.pki(&[&line[..], &["--out", "one.pem"]].concat()).ok();
    assert_eq!(mode(&house.path("one.pem")), 0o600);
}

#[test]
fn each_type_of_key_has_its_own_form() {
    let house = House::with_role();
    house.pki(&["role", "write", "any", "--allow-any-name", "--key-type", "any"]).ok();
    let line = ["issue", "any", "--common-name", "a.example", "--format", "pem_bundle"];
    for (flags, begin) in [
        (&["--key-type", "rsa"][..], "-----BEGIN RSA PRIVATE KEY-----"),
        (&["--key-type", "ec", "--key-bits", "384"], "-----BEGIN EC PRIVATE KEY-----"),
        (&["--key-type", "ed25519"], "-----BEGIN PRIVATE KEY-----"),
        (&["--key-type", "ec", "--private-key-format", "pkcs8"], "-----BEGIN PRIVATE KEY-----"),
    ] {
        let done = house.pki(&[&line[..], flags].concat()).ok();
        assert!(done.stdout.starts_with(begin), "{}", done.line);
    }
    house.pki(&line).fails(1).says("--key-type");
}

#[test]
fn a_set_is_replaced_at_once_and_left_alone_while_it_is_good() {
    let house = House::with_role();
    let line =
        ["issue", "web", "--common-name", "www.example.org", "--ttl", "24h", "--out", "tls/", "--replace"];
    house.pki(&line).ok();
    let first = house.read("tls/cert.pem");
    let renew = [&line[..], &["--renew-before", "8h"]].concat();
    let done = house.pki(&renew).ok().says("nothing to do");
    assert_eq!(done.stdout, "");
    assert_eq!(house.read("tls/cert.pem"), first);
    assert_eq!(house.json(&renew)["pki"]["renewed"], false);
    // Too near its end, for other names, with another key, or revoked: a new one.
    house.pki(&[&line[..], &["--renew-before", "25h"]].concat()).ok();
    let second = house.read("tls/cert.pem");
    assert_ne!(second, first);
    house.pki(&[&renew[..], &["--alt-names", "example.org"]].concat()).ok();
    let third = house.read("tls/cert.pem");
    assert_ne!(third, second);
    house.pki(&["role", "patch", "web", "--key-bits", "384"]).ok();
    house.pki(&renew).ok();
    let fourth = house.read("tls/cert.pem");
    assert_ne!(fourth, third);
    let serial = house.json(&["cert", "list", "--limit", "1"])["keys"][0].as_str().unwrap().to_owned();
    house.pki(&["revoke", &serial]).ok();
    house.pki(&renew).ok();
    assert_ne!(house.read("tls/cert.pem"), fourth);
    house
        .pki(&["issue", "web", "--common-name", "www.example.org", "--renew-before", "8h"])
        .fails(2)
        .says("--out");
}

#[test]
fn a_csr_is_signed() {
    let house = House::with_role();
    house.csr("www.example.org", "www.csr");
    let signed = house.json(&["sign", "web", "--csr", "www.csr", "--ttl", "1h"]);
    assert!(signed.get("private_key").is_none());
    house.pki(&["sign", "web", "--csr", "www.csr", "--out", "www.crt"]).ok();
    assert_eq!(mode(&house.path("www.crt")) & 0o600, 0o600);
    house.pki(&["verify", "www.crt", "--ca", "root.crt"]).ok();
    house.pki(&["sign", "web", "--csr", "www.csr", "--format", "der", "--out", "www.der"]).ok();
    house.pki(&["inspect", "www.der"]).ok().prints("DNS:www.example.org");
    // Given beside a CSR that speaks for itself: ignored, and said.
    let line = ["sign", "web", "--csr", "www.csr", "--alt-names", "example.org", "--out", "-"];
    house.pki(&line).ok().says("warning:").prints("-----BEGIN CERTIFICATE-----");
}

#[test]
fn a_csr_comes_from_standard_input_too() {
    use std::io::Write;
    let house = House::with_role();
    house.csr("www.example.org", "www.csr");
    let mut child = house
        .command()
        .args(["sign", "web", "--csr", "-", "--format", "pem"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(house.read("www.csr").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn lifetimes_are_cut_to_their_limits_and_say_so() {
    let house = House::with_role();
    house.pki(&["issue", "web", "--common-name", "example.org", "--ttl", "9999h"]).ok().says("2592000s");
    let line = ["issue", "web", "--common-name", "example.org", "--not-after", "9999-12-31T23:59:59Z"];
    assert_eq!(house.json(&line)["warnings"].as_array().unwrap().len(), 1);
    house.pki(&[&line[..], &["--ttl", "1h"]].concat()).fails(2);
}

#[test]
fn what_is_not_kept_is_not_listed() {
    let house = House::with_role();
    house.pki(&["role", "patch", "web", "--no-store"]).ok();
    let leaf = house.json(&["issue", "web", "--common-name", "example.org"]);
    house.pki(&["cert", "read", leaf["serial_number"].as_str().unwrap()]).fails(3);
    house.pki(&["role", "patch", "web", "--storage", "index"]).ok();
    let leaf = house.json(&["issue", "web", "--common-name", "example.org"]);
    let serial = leaf["serial_number"].as_str().unwrap();
    house.pki(&["cert", "read", serial]).ok().says("not kept");
    house.pki(&["cert", "read", serial, "--format", "pem"]).fails(3);
    house.pki(&["revoke", serial]).ok();
}
