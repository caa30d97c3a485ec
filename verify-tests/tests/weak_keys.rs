//! Requests with keys that must not be certified, made by another program.

use verify_tests::peers::Peer;
use verify_tests::{Workbench, asset};

const NAME: &str = "www.example.org";

/// The rows of the crate's own document: name, the test that finds the key, and what follows.
fn made_keys() -> Vec<(String, String, String)> {
    let path = asset("../pki-core/tests/fixtures/weak-keys.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            let (test, numbers) = rest.split_once(' ')?;
            Some((name.to_owned(), test.to_owned(), numbers.to_owned()))
        })
        .collect();
    assert!(rows.len() > 10, "{}", path.display());
    rows
}

#[test]
fn a_request_with_a_weak_key_is_refused_by_every_door() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    for (name, test, numbers) in made_keys() {
        if name == "exponent-2-256" {
            // AWS-LC verifies no signature with such an exponent: possession cannot be proved.
            Peer::Python.ask(&bench, &format!("make-csr-of-primes {numbers} {NAME} {name}"));
            bench.refused(&format!("--mount pki_int sign any --csr {name}"), 1, "possession", "CSR");
            continue;
        }
        Peer::Python.ask(&bench, &format!("make-csr-of-primes {numbers} {NAME} {name}"));
        let line = format!("--mount pki_int sign any --csr {name} --ttl 24h");
        let above =
            format!("root sign-intermediate --issuer-ref root --csr {name} --common-name below --ttl 24h");
        if test == "none" {
            bench.ok(&line);
            bench.ok(&above);
        } else {
            bench.refused(&line, 1, "[key.weak]", "make a new key");
            bench.refused(&above, 1, "[key.weak]", "make a new key");
            let explained =
                bench.pki(&format!("--mount pki_int role explain any --csr {name}")).expect_code(1);
            assert!(explained.text().contains("key.weak"), "{explained}");
        }
    }
}

#[test]
fn a_published_request_with_roca_is_refused() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    let csr = asset("../pki-core/tests/fixtures/roca.csr").display().to_string();
    bench.tool("openssl", &format!("req -in {csr} -noout -verify"));
    bench.refused(&format!("--mount pki_int sign any --csr {csr}"), 1, "CVE-2017-15361", "make a new key");
}

#[test]
fn a_key_on_the_mounts_list_is_refused() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    bench.tool(
        "openssl",
        "req -new -newkey rsa:2048 -nodes -keyout listed.key -subj /CN=www.example.org -out listed.csr",
    );
    let line = "--mount pki_int sign any --csr listed.csr --ttl 24h";
    bench.ok(line);
    // What openssl-vulnkey looks for.
    let modulus = bench.tool("openssl", "rsa -in listed.key -noout -modulus").stdout;
    bench.write("modulus", &modulus);
    let digest = bench.tool("openssl", "dgst -sha1 -r modulus").text();
    bench.write(
        "blacklist",
        format!("# a list\n0011223344556677889a\n{}\n", &digest.get(20..40).unwrap_or_default()),
    );
    bench.refused("--mount pki_int config weak-keys import modulus", 2, "line 1", "20 hexadecimal digits");
    let answer = bench.json("--mount pki_int config weak-keys import blacklist");
    assert_eq!(answer["pki"]["weak_keys"], 2);
    assert_eq!(bench.json("--mount pki_int config weak-keys import blacklist")["pki"]["weak_keys"], 2);
    bench.refused(line, 1, "[key.weak]", "make a new key");
    bench.refused("--mount pki_int key import listed.key", 1, "[key.weak]", "pki key generate");
    // Another mount has its own list.
    bench.ok("key import listed.key --key-name elsewhere");
    bench.ok("config weak-keys import blacklist");
    bench.refused(
        "root generate --common-name x --type existing --key-ref elsewhere",
        1,
        "[key.weak]",
        "make a new key",
    );
    bench.ok("--mount pki_int config weak-keys clear");
    assert_eq!(bench.json("--mount pki_int config weak-keys read")["pki"]["weak_keys"], 0);
    bench.ok(line);
}

#[test]
fn keys_that_come_in_are_looked_at_too() {
    let bench = Workbench::new();
    bench.ok("init --no-seal");
    for (name, test, numbers) in made_keys() {
        if matches!(test.as_str(), "small-factor") || name.starts_with("factor-") {
            // No program loads such a key as one of two large primes.
            continue;
        }
        Peer::Python.ask(&bench, &format!("make-csr-of-primes {numbers} {NAME} {name}"));
        let line = format!("key import {name}.key --key-name {name}");
        match test.as_str() {
            "none" => {
                assert_eq!(bench.ok(&line).stderr, "");
            }
            // Old CAs have such keys.
            "exponent" | "modulus-bits" => {
                let outcome = bench.pki(&line);
                assert!(outcome.code != 0 || outcome.stderr.contains("[key.weak]"), "{outcome}");
            }
            _ => {
                bench.refused(&line, 1, "[key.weak]", "pki key generate");
                bench.refused(&format!("issuer import {name}.key"), 1, "[key.weak]", "pki key generate");
            }
        }
    }
}

#[test]
fn a_key_is_certified_once_where_the_role_says_so() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok("--mount pki_int role patch any --key-reuse refuse");
    let make = |file: &str| {
        bench.tool(
            "openssl",
            &format!("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {file}.key -subj /CN=www.example.org -out {file}.csr"),
        );
    };
    make("one");
    make("two");
    let line = "--mount pki_int sign any --csr one.csr --ttl 24h --format json";
    let dry = bench.ok("--mount pki_int sign any --csr one.csr --dry-run");
    assert!(dry.text().contains("key.reuse"), "{dry}");
    let first = bench.json("--mount pki_int sign any --csr one.csr --ttl 24h");
    let serial = first["serial_number"].as_str().unwrap_or_default().to_owned();
    bench.refused(line, 1, &serial, "--key-reuse permit");
    let dry = bench.pki("--mount pki_int sign any --csr one.csr --dry-run").expect_code(1);
    assert!(dry.stderr.contains("[key.reuse]"), "{dry}");
    // The same key in another request is the same key.
    bench.tool("openssl", "req -new -key one.key -subj /CN=api.example.org -out again.csr");
    bench.refused("--mount pki_int sign any --csr again.csr", 1, "[key.reuse]", "new key");
    bench.ok("--mount pki_int sign any --csr two.csr --ttl 24h");
    bench.ok("--mount pki_int role patch any --key-reuse permit");
    bench.ok(line);
}
