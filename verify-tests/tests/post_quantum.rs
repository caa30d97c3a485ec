//! ML-DSA, in front of OpenSSL 4 by way of Python's `cryptography`; the other peers of a stable Debian do not know it.

use verify_tests::Workbench;
use verify_tests::peers::Peer;

const NAME: &str = "www.example.org";

#[test]
fn ml_dsa_44() {
    hierarchy_of(44);
}

#[test]
fn ml_dsa_65() {
    hierarchy_of(65);
}

#[test]
fn ml_dsa_87() {
    hierarchy_of(87);
}

/// A root, an intermediate with its CSR, a leaf, and a CRL, all of one parameter set.
fn hierarchy_of(bits: u32) {
    let bench = Workbench::with_hierarchy("ml-dsa", bits);
    assert_eq!(Peer::Python.ask(&bench, "csr intermediate.csr"), "common-name test-intermediate\n");
    bench.ok(&format!("--mount pki_int issue any --common-name {NAME} --ttl 24h --out tls/"));
    verified(&bench, "root.pem", "tls/chain.pem", "tls/cert.pem");

    let serial = bench.serial("tls/cert.pem");
    bench.ok(&format!("revoke {serial} --reason superseded"));
    bench.ok("--mount pki_int crl rotate");
    bench.ok("--mount pki_int crl show --format pem --out intermediate.crl");
    let revoked = Peer::Python.ask(&bench, "crl intermediate.crl intermediate.pem");
    assert_eq!(revoked.trim(), format!("revoked {} reason 4", serial.trim_start_matches('0')));
    // It tells one issuer from another.
    assert_ne!(Peer::Python.try_ask(&bench, "crl intermediate.crl root.pem").code, 0);

    // The peer's own CSR, with its own key.
    Peer::Python.ask(&bench, &format!("make-csr ml-dsa-{bits} {NAME} peer.csr"));
    bench.ok("--mount pki_int sign any --csr peer.csr --ttl 24h --format pem --out peer.pem");
    verified(&bench, "root.pem", "tls/chain.pem", "peer.pem");
    let broken = bench.text("peer.csr").replacen("\nMII", "\nMIJ", 1);
    bench.write("broken.csr", broken);
    assert_ne!(bench.pki("--mount pki_int sign any --csr broken.csr").code, 0);

    let text = bench.tool("openssl", "x509 -in tls/cert.pem -noout -ext keyUsage").text();
    assert!(text.trim().ends_with("Digital Signature"), "{text}");
}

#[test]
fn a_role_takes_no_smaller_parameter_set() {
    let bench = Workbench::with_hierarchy("ml-dsa", 65);
    for (bits, accepted) in [(44, false), (65, true), (87, true)] {
        Peer::Python.ask(&bench, &format!("make-csr ml-dsa-{bits} {NAME} {bits}.csr"));
        let line = format!("--mount pki_int sign any --csr {bits}.csr --ttl 24h");
        if accepted {
            bench.ok(&line);
        } else {
            bench.refused(&line, 1, "key.bits", "--key-bits 44");
        }
    }
    bench.tool(
        "openssl",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -subj /CN=www.example.org -out ec.csr",
    );
    bench.refused("--mount pki_int sign any --csr ec.csr", 1, "key.type", "ml-dsa");
    bench.refused(
        "key generate --key-type ml-dsa --key-bits 128",
        2,
        "44, 65 or 87",
        "ml-dsa with 44, 65 or 87",
    );
}

#[test]
fn chains_of_two_worlds() {
    let bench = Workbench::new();
    bench.ok("init --no-seal");
    bench.ok("root generate --common-name pq-root --issuer-name pq --key-type ml-dsa --out pq.pem");
    bench.ok("root generate --common-name ec-root --issuer-name ec --key-type ec --out ec.pem");
    let role = "--allowed-domains example.org --allow-subdomains --key-type any --max-ttl 48h";
    for (issuer, key_type, leaf) in [("pq", "ec", "classic"), ("ec", "ml-dsa", "quantum")] {
        bench.ok(&format!("role write {leaf} --issuer-ref {issuer} {role}"));
        bench.ok(&format!("issue {leaf} --common-name {NAME} --key-type {key_type} --ttl 24h --out {leaf}/"));
        verified(&bench, &format!("{issuer}.pem"), "-", &format!("{leaf}/cert.pem"));
    }
    // Go verifies what an EC root signed, whatever the leaf's key is.
    let answer = Peer::Go.ask(&bench, &format!("verify ec.pem - quantum/cert.pem {NAME}"));
    assert_eq!(answer.trim(), "verified");
}

#[test]
fn what_a_handshake_carries_is_shown() {
    let bench = Workbench::with_hierarchy("ml-dsa", 65);
    bench.ok(&format!("--mount pki_int issue any --common-name {NAME} --ttl 24h --out tls/"));
    let shown = bench.json("inspect tls/fullchain.pem");
    let handshake = &shown["pki"]["handshake"];
    let octets = |file: &str| {
        let der = bench.tool("openssl", &format!("x509 -in {file} -outform DER"));
        der.stdout.len()
    };
    // RFC 8446 4.4.2: each certificate with 3 octets of length and 2 of extensions, 8 octets around them.
    let certificates = octets("tls/cert.pem") + octets("intermediate.pem") + 2 * 5 + 8;
    assert_eq!(handshake["certificate_octets"], certificates);
    assert_eq!(handshake["certificates"], 2);
    // RFC 8446 4.4.3, with a signature of ML-DSA-65.
    assert_eq!(handshake["certificate_verify_octets"], 3309 + 8);
    assert_eq!(shown["pki"]["objects"][0]["key_octets"], 1952);
    assert_eq!(shown["pki"]["objects"][0]["signature_octets"], 3309);
    let text = bench.ok("inspect tls/fullchain.pem").text();
    assert!(text.contains(&format!("{certificates} octets")), "{text}");
}

fn verified(bench: &Workbench, root: &str, chain: &str, leaf: &str) {
    let answer = Peer::Python.ask(bench, &format!("verify {root} {chain} {leaf} {NAME}"));
    assert_eq!(answer.trim(), "verified");
}
