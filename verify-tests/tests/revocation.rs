//! A CRL with every reason, as other people read it.

use verify_tests::Workbench;
use verify_tests::peers::{Peer, certtool_verify, lint_crl, openssl_verify};

/// The reasons a certificate of ours can have, with the numbers of RFC 5280 5.3.1. `unspecified` is written by leaving
/// the reason out.
const REASONS: [(&str, u8); 8] = [
    ("unspecified", 0),
    ("key_compromise", 1),
    ("ca_compromise", 2),
    ("affiliation_changed", 3),
    ("superseded", 4),
    ("cessation_of_operation", 5),
    ("certificate_hold", 6),
    ("privilege_withdrawn", 9),
];

#[test]
fn every_reader_sees_each_serial_and_reason() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let mut expected = Vec::new();
    for (reason, number) in REASONS {
        bench.ok(&format!(
            "--mount pki_int issue any --common-name {}.example.org --ttl 24h --out {reason}/",
            reason.replace('_', "-")
        ));
        let serial = bench.serial(&format!("{reason}/cert.pem"));
        bench.ok(&format!("--mount pki_int revoke {serial} --reason {reason}"));
        expected.push(format!("revoked {} reason {number}", serial.trim_start_matches('0')));
    }
    bench.ok("--mount pki_int crl rotate");
    bench.ok("--mount pki_int crl show --format pem --out intermediate.crl");
    expected.sort();

    for peer in Peer::ALL {
        let answer = peer.ask(&bench, "crl intermediate.crl intermediate.pem");
        let mut read: Vec<&str> = answer.lines().collect();
        read.sort_unstable();
        assert_eq!(read, expected, "{peer:?}");
    }
    assert_eq!(lint_crl(&bench, "intermediate.crl"), "");
    bench.tool("certtool", "--verify-crl --load-ca-certificate intermediate.pem --infile intermediate.crl");
    bench.tool("openssl", "crl -in intermediate.crl -noout -CAfile intermediate.pem");
}

#[test]
fn a_revoked_certificate_is_rejected_and_its_neighbour_is_not() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    for name in ["good", "bad"] {
        bench.ok(&format!(
            "--mount pki_int issue any --common-name {name}.example.org --ttl 24h --out {name}/"
        ));
    }
    let serial = bench.serial("bad/cert.pem");
    bench.ok(&format!("--mount pki_int revoke {serial} --reason superseded"));
    bench.ok("--mount pki_int crl rotate");
    bench.ok("--mount pki_int crl show --format pem --out intermediate.crl");
    bench.ok("crl show --format pem --out root.crl");
    bench.write("all.crl", bench.text("intermediate.crl") + &bench.text("root.crl"));

    let crls = "-crl_check_all -CRLfile all.crl";
    openssl_verify(&bench, crls, "root.pem", Some("good/chain.pem"), "good/cert.pem").expect_code(0);
    let rejected =
        openssl_verify(&bench, crls, "root.pem", Some("bad/chain.pem"), "bad/cert.pem").expect_code(2);
    assert!(rejected.stderr.contains("certificate revoked"), "{rejected}");

    certtool_verify(&bench, "root.pem", "good/fullchain.pem").expect_code(0);
    let with_crl = |name: &str| {
        let line = format!(
            "--verify --load-ca-certificate root.pem --load-crl intermediate.crl --infile {name}/fullchain.pem"
        );
        bench.tool_words("certtool", &line.split_whitespace().collect::<Vec<_>>())
    };
    with_crl("good").expect_code(0);
    let rejected = with_crl("bad").expect_code(1);
    assert!((rejected.text() + &rejected.stderr).contains("revoked"), "{rejected}");

    // What the store says is the same, and a second revocation changes nothing.
    let again = bench.json(&format!("--mount pki_int revoke {serial} --reason key_compromise"));
    assert_eq!(again["state"], "revoked", "{again}");
    let listed = bench.ok("--mount pki_int cert list --status revoked").text();
    assert!(listed.contains("bad.example.org") && !listed.contains("good.example.org"), "{listed}");
}

#[test]
fn a_delta_is_read_by_everybody_and_obeyed() {
    let bench = Workbench::with_hierarchy("ec", 256);
    for name in ["good", "bad"] {
        bench.ok(&format!(
            "--mount pki_int issue any --common-name {name}.example.org --ttl 24h --out {name}/"
        ));
    }
    bench.ok("--mount pki_int crl rotate --freshest-crl http://crl.example.org/delta.crl");
    let serial = bench.serial("bad/cert.pem");
    bench.ok(&format!("--mount pki_int revoke {serial} --reason superseded"));
    bench.ok("--mount pki_int crl rotate --delta");
    bench.ok("--mount pki_int crl check");
    bench.ok("--mount pki_int crl show --format pem --out full.crl");
    bench.ok("--mount pki_int crl show --delta --format pem --out delta.crl");

    for peer in Peer::ALL {
        assert_eq!(peer.ask(&bench, "crl full.crl intermediate.pem").trim(), "", "{peer:?}");
        let read = peer.ask(&bench, "crl delta.crl intermediate.pem");
        assert_eq!(read.trim(), format!("revoked {} reason 4", serial.trim_start_matches('0')), "{peer:?}");
    }
    for crl in ["full.crl", "delta.crl"] {
        assert_eq!(lint_crl(&bench, crl), "", "{crl}");
        bench
            .tool("certtool", &format!("--verify-crl --load-ca-certificate intermediate.pem --infile {crl}"));
    }
    let verify = |lists: &str, name: &str| {
        let options = format!("-crl_check -extended_crl -use_deltas {lists}");
        let (chain, leaf) = (format!("{name}/chain.pem"), format!("{name}/cert.pem"));
        openssl_verify(&bench, &options, "root.pem", Some(&chain), &leaf)
    };
    verify("-CRLfile full.crl", "bad").expect_code(0);
    verify("-CRLfile full.crl -CRLfile delta.crl", "good").expect_code(0);
    let rejected = verify("-CRLfile full.crl -CRLfile delta.crl", "bad").expect_code(2);
    assert!(rejected.stderr.contains("certificate revoked"), "{rejected}");
}
