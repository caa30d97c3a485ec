//! CSRs: other people's are signed here, and ours are accepted there.

use verify_tests::Workbench;
use verify_tests::peers::{Peer, openssl_verify};

const NAME: &str = "www.example.org";

#[test]
fn csrs_of_openssl_are_signed() {
    let bench = ready();
    for (name, key) in [
        ("rsa", "rsa:2048"),
        ("p256", "ec -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "ec -pkeyopt ec_paramgen_curve:P-384"),
        ("p521", "ec -pkeyopt ec_paramgen_curve:P-521"),
        ("ed25519", "ed25519"),
    ] {
        bench.tool(
            "openssl",
            &format!("req -new -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={NAME}"),
        );
        signed(&bench, &format!("{name}.csr"));
    }
    // One key, other hashes, and probabilistic padding.
    for (name, options) in [
        ("sha384", "-sha384"),
        ("sha512", "-sha512"),
        ("pss", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"),
        ("p384-sha256", "-sha256"),
    ] {
        let key = if name.starts_with("p384") { "p384.key" } else { "rsa.key" };
        bench.tool("openssl", &format!("req -new -key {key} {options} -out {name}.csr -subj /CN={NAME}"));
        signed(&bench, &format!("{name}.csr"));
    }
    // DER is recognised.
    bench.tool("openssl", "req -in p256.csr -outform DER -out p256.der");
    signed(&bench, "p256.der");
}

#[test]
fn csrs_of_gnutls_are_signed() {
    let bench = ready();
    bench.write("template", format!("cn = {NAME}\ndns_name = {NAME}\n"));
    for (name, key) in [
        ("rsa", "--key-type rsa --bits 2048"),
        ("ec", "--key-type ecdsa --curve secp256r1"),
        ("ed25519", "--key-type ed25519"),
    ] {
        bench.tool("certtool", &format!("--generate-privkey {key} --outfile {name}.key"));
        bench.tool(
            "certtool",
            &format!("--generate-request --load-privkey {name}.key --template template --outfile {name}.csr"),
        );
        // GnuTLS writes a description before the armour.
        signed(&bench, &format!("{name}.csr"));
    }
}

#[test]
fn csrs_of_go_and_python_are_signed() {
    let bench = ready();
    for peer in [Peer::Go, Peer::Python] {
        for key_type in ["rsa", "ec", "ed25519"] {
            let file = format!("{peer:?}-{key_type}.csr");
            peer.ask(&bench, &format!("make-csr {key_type} {NAME} {file}"));
            signed(&bench, &file);
        }
    }
}

#[test]
fn csrs_of_keytool_are_signed() {
    let bench = ready();
    for (name, key) in [
        ("rsa", "-keyalg RSA -keysize 2048"),
        ("ec", "-keyalg EC -groupname secp256r1"),
        ("ed", "-keyalg Ed25519"),
    ] {
        let store = format!("-keystore {name}.p12 -storepass secret -alias key");
        bench.tool("keytool", &format!("-genkeypair {store} {key} -dname CN={NAME} -validity 2"));
        bench.tool("keytool", &format!("-certreq {store} -ext san=dns:{NAME} -file {name}.csr"));
        signed(&bench, &format!("{name}.csr"));
        // keytool takes the answer only if it follows from the key and the root.
        bench.tool(
            "keytool",
            &format!(
                "-importcert -noprompt -keystore {name}.p12 -storepass secret -alias root -file root.pem"
            ),
        );
        bench.ok(&format!(
            "--mount pki_int sign any --csr {name}.csr --ttl 24h --format pem_bundle --out {name}.bundle.pem"
        ));
        bench.tool("keytool", &format!("-importcert -noprompt {store} -file {name}.bundle.pem"));
    }
}

#[test]
fn our_csrs_are_accepted() {
    for (key_type, key_bits) in [("rsa", 2048), ("ec", 256), ("ec", 384), ("ec", 521), ("ed25519", 0)] {
        let bench = Workbench::new();
        bench.ok("init --no-seal");
        bench.ok(&format!(
            "intermediate generate --common-name test-intermediate --key-type {key_type} --key-bits {key_bits} --out ca.csr"
        ));
        let openssl = bench.tool("openssl", "req -in ca.csr -noout -verify -subject");
        assert!(openssl.text().contains("CN = test-intermediate"), "{openssl}");
        let certtool = bench.tool("certtool", "--crq-info --infile ca.csr");
        assert!(certtool.text().contains("Self signature: verified"), "{certtool}");
        bench.tool("keytool", "-printcertreq -file ca.csr");
        for peer in [Peer::Go, Peer::Python] {
            assert_eq!(peer.ask(&bench, "csr ca.csr"), "common-name test-intermediate\n", "{peer:?}");
        }
    }
}

/// A hierarchy, and a role that takes every kind of key.
fn ready() -> Workbench {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok("--mount pki_int role patch any --key-type any --key-bits 0");
    bench
}

/// Signs this CSR into `FILE.pem`, for OpenSSL to verify.
fn signed(bench: &Workbench, csr: &str) {
    bench.ok(&format!("--mount pki_int sign any --csr {csr} --ttl 24h --format pem --out {csr}.pem"));
    openssl_verify(
        bench,
        &format!("-verify_hostname {NAME}"),
        "root.pem",
        Some("intermediate.pem"),
        &format!("{csr}.pem"),
    )
    .expect_code(0);
}
