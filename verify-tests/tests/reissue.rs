//! The same names again: after expiry, and in the place of a set of files that is in use.

use verify_tests::peers::{Peer, openssl_verify};
use verify_tests::{Workbench, wait_until};

const ISSUE: &str = "--mount pki_int issue any --common-name www.example.org";

#[test]
fn after_expiry_the_same_names_are_issued_again() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok(&format!("{ISSUE} --ttl 2s --out old/"));
    wait_until("a certificate of two seconds to expire", || {
        bench.tool_words("openssl", &["x509", "-in", "old/cert.pem", "-noout", "-checkend", "0"]).code == 1
    });
    let chain = Some("old/chain.pem");
    let expired = openssl_verify(&bench, "", "root.pem", chain, "old/cert.pem").expect_code(2);
    assert!(expired.stderr.contains("certificate has expired"), "{expired}");

    bench.ok(&format!("{ISSUE} --ttl 24h --out new/"));
    assert_ne!(bench.serial("old/cert.pem"), bench.serial("new/cert.pem"));
    openssl_verify(&bench, "", "root.pem", Some("new/chain.pem"), "new/cert.pem").expect_code(0);
    for peer in Peer::ALL {
        peer.ask(&bench, "verify root.pem new/chain.pem new/cert.pem www.example.org");
        let line = "verify root.pem old/chain.pem old/cert.pem www.example.org";
        assert_ne!(peer.try_ask(&bench, line).code, 0, "{peer:?} accepts an expired certificate");
    }
    let expired = bench.ok("--mount pki_int cert list --status expired").text();
    assert_eq!(expired.matches("www.example.org").count(), 1, "{expired}");
}

#[test]
fn a_timer_renews_only_when_it_is_time() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let timer = format!("{ISSUE} --ttl 24h --out tls/ --replace --renew-before 8h");
    bench.ok(&timer);
    let first = bench.serial("tls/cert.pem");
    bench.ok(&timer);
    assert_eq!(bench.serial("tls/cert.pem"), first, "sixteen hours are left before it is time");

    // Another request is not what is there.
    bench.ok(&timer.replace("--ttl 24h", "--ttl 24h --alt-names mail.example.org"));
    let second = bench.serial("tls/cert.pem");
    assert_ne!(second, first);

    // Due: renewed, with a new key, and the set belongs together.
    let key = bench.text("tls/key.pem");
    bench.ok(&timer.replace("--renew-before 8h", "--renew-before 25h"));
    assert_ne!(bench.serial("tls/cert.pem"), second);
    assert_ne!(bench.text("tls/key.pem"), key);
    let of_key = bench.tool("openssl", "pkey -in tls/key.pem -pubout").text();
    let of_certificate = bench.tool("openssl", "x509 -in tls/cert.pem -noout -pubkey").text();
    assert_eq!(of_key, of_certificate);
    openssl_verify(&bench, "", "root.pem", Some("tls/chain.pem"), "tls/cert.pem").expect_code(0);
}
