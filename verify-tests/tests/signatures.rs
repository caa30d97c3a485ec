//! The signatures of an RSA hierarchy, with each padding and hash, in front of every verifier.

use verify_tests::Workbench;
use verify_tests::peers::{Peer, certtool_verify, lint_certificate, lint_crl, openssl_verify};

const NAME: &str = "www.example.org";

#[test]
fn pss_with_the_default_hash() {
    hierarchy("--use-pss", "SHA256WithRSAPSS");
}

#[test]
fn pss_with_sha_384() {
    hierarchy("--use-pss --signature-bits 384", "SHA384WithRSAPSS");
}

#[test]
fn pss_with_sha_512() {
    hierarchy("--use-pss --signature-bits 512", "SHA512WithRSAPSS");
}

#[test]
fn pkcs1_with_sha_384() {
    hierarchy("--signature-bits 384", "SHA384WithRSA");
}

#[test]
fn pkcs1_with_sha_512() {
    hierarchy("--signature-bits 512", "SHA512WithRSA");
}

/// A root, an intermediate with its CSR, and their CRLs, all signed so.
fn hierarchy(flags: &str, algorithm: &str) {
    let bench = Workbench::new();
    bench.ok("init --no-seal");
    bench.ok("mount tune pki --max-lease-ttl 87600h");
    bench.ok("mount enable pki_int --max-lease-ttl 43800h");
    bench.ok(&format!(
        "root generate --common-name test-root --issuer-name root --ttl 87600h {flags} --out root.pem"
    ));
    bench.ok(&format!(
        "--mount pki_int intermediate generate --common-name test-intermediate --issuer-name int {flags} --out int.csr"
    ));
    bench.ok(&format!(
        "root sign-intermediate --issuer-ref root --csr int.csr --ttl 43800h {flags} --format pem_bundle --out bundle.pem"
    ));
    bench.ok("--mount pki_int intermediate set-signed bundle.pem");
    let bundle = bench.text("bundle.pem");
    let end = "-----END CERTIFICATE-----\n";
    bench.write("int.pem", bundle.split_inclusive(end).next().unwrap_or_default());

    signed_with(&bench, "req", "int.csr", algorithm);
    bench.tool("openssl", "req -in int.csr -noout -verify");
    bench.tool("certtool", "--crq-info --infile int.csr");
    for certificate in ["root.pem", "int.pem"] {
        signed_with(&bench, "x509", certificate, algorithm);
        assert_eq!(lint_certificate(&bench, certificate), "", "pkilint on {certificate}");
    }
    openssl_verify(&bench, "", "root.pem", None, "int.pem").expect_code(0);
    certtool_verify(&bench, "root.pem", "int.pem").expect_code(0);

    // A root stays with its own signature for its CRLs.
    bench.ok("crl show --format pem --out root.crl");
    signed_with(&bench, "crl", "root.crl", algorithm);
    bench.tool("openssl", "crl -in root.crl -noout -CAfile root.pem");
    bench.tool("certtool", "--verify-crl --load-ca-certificate root.pem --infile root.crl");
    assert_eq!(lint_crl(&bench, "root.crl"), "");
    for peer in Peer::ALL {
        assert_eq!(peer.ask(&bench, "crl root.crl root.pem"), "", "{peer:?}");
    }

    // A leaf below them.
    bench.ok(&format!(
        "--mount pki_int role write any --allowed-domains example.org --allow-subdomains --key-type ec {flags}"
    ));
    bench.ok(&format!("--mount pki_int issue any --common-name {NAME} --ttl 24h --out tls/"));
    signed_with(&bench, "x509", "tls/cert.pem", algorithm);
    openssl_verify(&bench, "-purpose sslserver", "root.pem", Some("tls/chain.pem"), "tls/cert.pem")
        .expect_code(0);
    certtool_verify(&bench, "root.pem", "tls/fullchain.pem").expect_code(0);
    for peer in Peer::ALL {
        let answer = peer.ask(&bench, &format!("verify root.pem tls/chain.pem tls/cert.pem {NAME}"));
        assert_eq!(answer.trim(), "verified", "{peer:?}");
    }
}

/// What OpenSSL says a file is signed with.
fn signed_with(bench: &Workbench, kind: &str, file: &str, algorithm: &str) {
    let text = bench.tool("openssl", &format!("{kind} -in {file} -noout -text")).text();
    let (hash, padding) = algorithm.split_once("With").unwrap_or_default();
    let hash = hash.to_lowercase();
    let said = if padding == "RSAPSS" {
        // Both hashes, and a salt as long as they are.
        let octets = hash.trim_start_matches("sha").parse::<u32>().unwrap_or_default() / 8;
        vec![
            "Signature Algorithm: rsassaPss".to_owned(),
            format!("Hash Algorithm: {hash}"),
            format!("Mask Algorithm: mgf1 with {hash}"),
            format!("Salt Length: 0x{octets:02X}"),
        ]
    } else {
        vec![format!("Signature Algorithm: {hash}WithRSAEncryption")]
    };
    for words in said {
        assert!(text.contains(&words), "{file}: no {words:?} in {text}");
    }
}

#[test]
fn an_issuer_says_what_its_crls_are_signed_with() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    let update = "--mount pki_int issuer update intermediate --revocation-signature-algorithm";
    for name in ["SHA256WithRSAPSS", "sha512withrsapss", "SHA384WithRSA"] {
        bench.ok(&format!("{update} {name}"));
        bench.ok("--mount pki_int crl rotate");
        bench.ok("--mount pki_int crl show --format pem --force --out intermediate.crl");
        let spelled = name.replace("sha512withrsapss", "SHA512WithRSAPSS");
        signed_with(&bench, "crl", "intermediate.crl", &spelled);
        bench.tool("openssl", "crl -in intermediate.crl -noout -CAfile intermediate.pem");
        let read = bench.json("--mount pki_int issuer read intermediate");
        assert_eq!(read["revocation_signature_algorithm"], spelled.as_str());
        for peer in Peer::ALL {
            assert_eq!(peer.ask(&bench, "crl intermediate.crl intermediate.pem"), "", "{peer:?}");
        }
    }
    bench.refused(&format!("{update} ECDSAWithSHA256"), 1, "of type rsa", "SHA256WithRSAPSS");
    bench.refused(&format!("{update} Ed25519"), 1, "of type rsa", "SHA256WithRSAPSS");
    bench.refused(&format!("{update} SHA1WithRSA"), 2, "SHA1WithRSA", "one of these names");
    // Nothing was changed by a refusal; an empty value is automatic again.
    let read = bench.json("--mount pki_int issuer read intermediate");
    assert_eq!(read["revocation_signature_algorithm"], "SHA384WithRSA");
    bench.ok(&format!("{update}="));
    bench.ok("--mount pki_int crl rotate");
    bench.ok("--mount pki_int crl show --format pem --force --out intermediate.crl");
    signed_with(&bench, "crl", "intermediate.crl", "SHA256WithRSA");
}

#[test]
fn pss_requests_of_others() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    let make = "req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=www.example.org -sigopt rsa_padding_mode:pss";
    for hash in ["sha256", "sha384", "sha512"] {
        bench.tool("openssl", &format!("{make} -{hash} -sigopt rsa_pss_saltlen:digest -out {hash}.csr"));
        bench.ok(&format!("--mount pki_int sign any --csr {hash}.csr --ttl 24h"));
    }
    // OpenSSL 3.0 takes the longest salt that fits, unless it is told.
    bench.tool("openssl", &format!("{make} -sha256 -sigopt rsa_pss_saltlen:max -out long.csr"));
    bench.refused(
        "--mount pki_int sign any --csr long.csr",
        1,
        "a salt as long as its hash",
        "rsa_pss_saltlen:digest",
    );
    // A key that may sign with PSS alone has an identifier of its own.
    bench.tool("openssl", "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key");
    bench.tool("openssl", "req -new -key pss.key -subj /CN=www.example.org -out pss.csr");
    bench.refused("--mount pki_int sign any --csr pss.csr", 1, "RSASSA-PSS", "rsaEncryption");
}
