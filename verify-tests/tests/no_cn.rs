//! A leaf that names its subject only in the SAN: the subject is empty, so the SAN is critical (RFC 5280, 4.2.1.6).

use verify_tests::Workbench;
use verify_tests::peers::{Peer, certtool_verify, lint_certificate, openssl_verify};

#[test]
fn every_verifier_takes_a_leaf_without_a_common_name() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok("--mount pki_int issue any --alt-names www.example.org --ttl 24h --out tls/");
    let subject = bench.tool("openssl", "x509 -in tls/cert.pem -noout -subject").text();
    assert_eq!(subject.trim(), "subject=");

    openssl_verify(
        &bench,
        "-verify_hostname www.example.org",
        "root.pem",
        Some("tls/chain.pem"),
        "tls/cert.pem",
    )
    .expect_code(0);
    certtool_verify(&bench, "root.pem", "tls/fullchain.pem").expect_code(0);
    bench.tool("keytool", "-printcert -file tls/cert.pem");
    assert_eq!(lint_certificate(&bench, "tls/cert.pem"), "");
    for peer in Peer::ALL {
        let facts = peer.ask(&bench, "facts tls/cert.pem");
        assert!(facts.contains("common-name \ndns www.example.org\n"), "{peer:?}: {facts}");
        assert!(facts.contains("san-critical true\n"), "{peer:?}: {facts}");
        peer.ask(&bench, "verify root.pem tls/chain.pem tls/cert.pem www.example.org");
    }
}

#[test]
fn a_certificate_that_names_nobody_is_refused() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.refused("--mount pki_int issue any --ttl 24h --out tls/", 1, "", "--common-name");
    assert!(!bench.has("tls"));
}
