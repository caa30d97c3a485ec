//! A hierarchy of each kind of key, in front of every verifier.

use verify_tests::peers::{Peer, certtool_verify, lint_certificate, lint_crl, openssl_verify};
use verify_tests::{Workbench, asset};

const NAME: &str = "www.example.org";

#[test]
fn rsa_2048() {
    hierarchy_of("rsa", 2048);
}

#[test]
fn rsa_3072() {
    hierarchy_of("rsa", 3072);
}

#[test]
fn rsa_4096() {
    hierarchy_of("rsa", 4096);
}

#[test]
fn ec_256() {
    hierarchy_of("ec", 256);
}

#[test]
fn ec_384() {
    hierarchy_of("ec", 384);
}

#[test]
fn ec_521() {
    hierarchy_of("ec", 521);
}

#[test]
fn ed25519() {
    hierarchy_of("ed25519", 0);
}

fn hierarchy_of(key_type: &str, key_bits: u32) {
    let bench = Workbench::with_hierarchy(key_type, key_bits);
    bench.ok(&format!(
        "--mount pki_int issue any --common-name {NAME} --alt-names example.org --ttl 24h --out tls/"
    ));
    bench.ok("--mount pki_int crl show --format pem --out intermediate.crl");
    bench.ok("crl show --format pem --out root.crl");

    let chain = Some("tls/chain.pem");
    openssl_verify(&bench, "-purpose sslserver", "root.pem", chain, "tls/cert.pem").expect_code(0);
    openssl_verify(&bench, "-purpose sslclient", "root.pem", chain, "tls/cert.pem").expect_code(0);
    bench.write("all.crl", bench.text("root.crl") + &bench.text("intermediate.crl"));
    openssl_verify(&bench, "-crl_check_all -CRLfile all.crl", "root.pem", chain, "tls/cert.pem")
        .expect_code(0);

    certtool_verify(&bench, "root.pem", "tls/fullchain.pem").expect_code(0);
    for certificate in ["root.pem", "intermediate.pem", "tls/cert.pem"] {
        bench.tool("certtool", &format!("--certificate-info --infile {certificate}"));
        bench.tool("keytool", &format!("-printcert -file {certificate}"));
        assert_eq!(lint_certificate(&bench, certificate), "", "pkilint on {certificate}");
    }
    for (crl, issuer) in [("root.crl", "root.pem"), ("intermediate.crl", "intermediate.pem")] {
        bench.tool("openssl", &format!("crl -in {crl} -noout -CAfile {issuer}"));
        bench.tool("certtool", &format!("--crl-info --infile {crl}"));
        bench.tool("certtool", &format!("--verify-crl --load-ca-certificate {issuer} --infile {crl}"));
        assert_eq!(lint_crl(&bench, crl), "", "pkilint on {crl}");
        for peer in Peer::ALL {
            assert_eq!(peer.ask(&bench, &format!("crl {crl} {issuer}")), "", "{peer:?} on {crl}");
        }
    }
    for peer in Peer::ALL {
        let answer = peer.ask(&bench, &format!("verify root.pem tls/chain.pem tls/cert.pem {NAME}"));
        assert_eq!(answer.trim(), "verified", "{peer:?}");
    }
    // Each reads the same facts.
    for certificate in ["root.pem", "intermediate.pem", "tls/cert.pem"] {
        let facts = Peer::Go.ask(&bench, &format!("facts {certificate}"));
        for peer in [Peer::Java, Peer::Python] {
            assert_eq!(peer.ask(&bench, &format!("facts {certificate}")), facts, "{peer:?} on {certificate}");
        }
    }
    let handshake = asset("handshake.sh").display().to_string();
    bench.tool(&handshake, &format!("tls root.pem {NAME}"));
}

#[test]
fn a_wildcard() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok("--mount pki_int issue any --common-name *.example.org --ttl 24h --out tls/");
    let chain = Some("tls/chain.pem");
    let hostname = format!("-verify_hostname {NAME}");
    openssl_verify(&bench, &hostname, "root.pem", chain, "tls/cert.pem").expect_code(0);
    for peer in Peer::ALL {
        peer.ask(&bench, &format!("verify root.pem tls/chain.pem tls/cert.pem {NAME}"));
    }
    // pkilint's PKIX profile takes no wildcard at all: RFC 5280 4.2.1.6 knows only the preferred name syntax, and
    // leaves wildcards to the protocols. That, and nothing else, is what it finds.
    let findings = lint_certificate(&bench, "tls/cert.pem");
    assert_eq!(findings.matches(" @ ").count(), 1, "{findings}");
    assert!(findings.contains("pkix.invalid_domain_name_syntax"), "{findings}");
}
