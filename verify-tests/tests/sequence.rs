//! The main job, word for word: `sequence.sh` from a root to a leaf, then a handshake, a revocation and the story.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use verify_tests::peers::openssl_verify;
use verify_tests::{Outcome, Workbench, asset};

const NAME: &str = "grade-api.grade-api.svc.cluster.local";
const ISSUE: &str = "--mount pki_int issue grade-api-tls --common-name grade-api.grade-api.svc.cluster.local \
    --alt-names grade-api.grade-api.svc.cluster.local,grade-api.svc.cluster.local --ttl 24h";

#[test]
fn with_rsa_2048_as_written() {
    the_whole_story("--key-type rsa --key-bits 2048", "rsa", "-----BEGIN RSA PRIVATE KEY-----");
}

#[test]
fn with_ec_256() {
    the_whole_story("--key-type ec --key-bits 256", "ec", "-----BEGIN EC PRIVATE KEY-----");
}

#[test]
fn with_ed25519() {
    the_whole_story("--key-type ed25519", "ed25519", "-----BEGIN PRIVATE KEY-----");
}

#[test]
fn the_example_of_the_help_works() {
    let bench = Workbench::new();
    let help = bench.ok("--help").text();
    assert!(help.starts_with("A certificate authority"), "{help}");
    let example = help.split("Example:\n").nth(1).unwrap();
    let commands: Vec<&str> = example.lines().map_while(|line| line.trim().strip_prefix("pki ")).collect();
    assert!(commands.len() >= 4, "{help}");
    for command in commands {
        bench.ok(command);
    }
    openssl_verify(&bench, "", "root.crt", None, "tls/cert.pem").expect_code(0);
}

fn the_whole_story(leaf_key: &str, json_key_type: &str, pem_label: &str) {
    let bench = Workbench::new();
    run_sequence(&bench, leaf_key).expect_code(1);

    // The refusal says what to do, and doing it helps.
    bench.refused(&format!("{ISSUE} --out tls/"), 1, "grade-api.svc.cluster.local", "--allow-bare-domains");
    assert!(!bench.has("tls"), "a refused request leaves nothing behind");
    bench.ok("--mount pki_int role patch grade-api-tls --allow-bare-domains=true");
    bench.ok(&format!("{ISSUE} --out tls/"));

    // The files of conventions.md, the key for its owner alone.
    assert_eq!(bench.list("tls"), ["cert.pem", "chain.pem", "fullchain.pem", "key.pem"]);
    assert_eq!(mode(&bench, "tls/key.pem"), 0o600);
    assert!(bench.text("tls/key.pem").starts_with(pem_label));
    assert_eq!(bench.text("tls/fullchain.pem"), bench.text("tls/cert.pem") + &bench.text("tls/chain.pem"));
    assert_eq!(certificates(&bench.text("tls/chain.pem")), 1, "the root is left out");
    assert_eq!(mode(&bench, "demo"), 0o700);

    // Vault's keys with Vault's types.
    let answer = bench.json(ISSUE);
    for key in ["certificate", "issuing_ca", "private_key", "serial_number"] {
        assert!(answer[key].is_string(), "{key} in {answer}");
    }
    assert_eq!(answer["private_key_type"], json_key_type);
    assert!(answer["expiration"].is_u64(), "{answer}");
    let chain = answer["ca_chain"].as_array().unwrap();
    assert_eq!(chain.len(), 2, "the intermediate and the root");
    assert_eq!(chain[0], answer["issuing_ca"]);
    let serial = answer["serial_number"].as_str().unwrap();
    assert_eq!(serial.split(':').count(), 20, "{serial}");
    assert_eq!(serial, serial.to_lowercase());

    // Other people's verdict.
    openssl_verify(&bench, "", "root-ca.crt", Some("tls/chain.pem"), "tls/cert.pem").expect_code(0);
    let handshake = asset("handshake.sh");
    bench.tool(handshake.to_str().unwrap(), &format!("tls root-ca.crt {NAME}"));

    // Revoked, and everybody can know.
    let serial = bench.serial("tls/cert.pem");
    let before = "before.crl";
    bench.ok(&format!("--mount pki_int crl show --format pem --out {before}"));
    let crl_check = |crl: &str| {
        openssl_verify(
            &bench,
            &format!("-crl_check -CRLfile {crl}"),
            "root-ca.crt",
            Some("tls/chain.pem"),
            "tls/cert.pem",
        )
    };
    crl_check(before).expect_code(0);
    bench.ok(&format!("--mount pki_int revoke {serial} --reason key_compromise"));
    let stale = bench.ok("--mount pki_int crl show --format pem");
    assert_eq!(stale.text(), bench.text(before), "revoke records, rotate signs");
    assert!(!stale.stderr.is_empty(), "crl show warns of revocations that are newer: {stale}");
    bench.ok("--mount pki_int crl rotate");
    bench.ok("--mount pki_int crl show --format pem --out after.crl");
    let rejected = crl_check("after.crl").expect_code(2);
    assert!(rejected.stderr.contains("certificate revoked"), "{rejected}");
    let crl = bench.tool("openssl", "crl -in after.crl -noout -text").text();
    assert!(crl.to_lowercase().contains(&serial), "{crl}");
    assert!(crl.contains("Key Compromise"), "{crl}");

    // The list tells the story.
    let list = bench.ok("--mount pki_int cert list").text();
    let colons =
        serial.as_bytes().chunks(2).map(|octet| str::from_utf8(octet).unwrap()).collect::<Vec<_>>().join(":");
    let row = list.lines().find(|line| line.contains(&colons)).unwrap_or_else(|| panic!("{list}"));
    assert!(row.contains("revoked"), "{list}");
    assert!(row.contains(NAME), "{list}");
    let listed = bench.json("--mount pki_int cert list");
    assert!(listed["keys"].as_array().unwrap().iter().any(|key| key == &colons));
    let audit = bench.ok("audit show").text();
    assert!(audit.contains(&colons), "{audit}");
    bench.ok("audit verify");
}

/// Runs the script as it is, with the role's key replaced.
fn run_sequence(bench: &Workbench, leaf_key: &str) -> Outcome {
    let script = std::fs::read_to_string(asset("sequence.sh")).unwrap();
    let as_written = "--key-type rsa --key-bits 2048";
    assert_eq!(script.matches(as_written).count(), 1);
    bench.write("sequence.sh", script.replace(as_written, leaf_key));
    bench.tool_words("sh", &["sequence.sh"])
}

fn mode(bench: &Workbench, name: &str) -> u32 {
    std::fs::metadata(bench.path().join(name)).unwrap().permissions().mode() & 0o7777
}

fn certificates(pem: &str) -> usize {
    pem.matches("-----BEGIN CERTIFICATE-----").count()
}
