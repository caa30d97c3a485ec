//! OCSP: other people ask, `pki ocsp respond` answers, other people believe it or not.

use verify_tests::Workbench;
use verify_tests::peers::{Peer, lint_ocsp_response};

/// A bench with an intermediate of this key, a good certificate and a revoked one below it, and the file `all.pem` for trust.
fn bench(key_type: &str, key_bits: u32) -> Workbench {
    let bench = Workbench::with_hierarchy(key_type, key_bits);
    certificates(&bench, "--mount pki_int");
    bench.write("all.pem", bench.text("root.pem") + &bench.text("intermediate.pem"));
    bench
}

fn certificates(bench: &Workbench, mount: &str) {
    for name in ["good", "bad"] {
        bench.ok(&format!("{mount} issue any --common-name {name}.example.org --ttl 24h --out {name}/"));
    }
    let serial = bench.serial("bad/cert.pem");
    bench.ok(&format!("{mount} revoke {serial} --reason superseded"));
}

/// The serial as Python and GnuTLS print it.
fn short(bench: &Workbench, name: &str) -> String {
    bench.serial(&format!("{name}/cert.pem")).trim_start_matches('0').to_owned()
}

/// OpenSSL on `say.der`, an answer to `ask.der` about both certificates and one that never was.
fn openssl_reads(bench: &Workbench, hash: &str, issuer: &str, trust: &str) {
    let read = bench.tool(
        "openssl",
        &format!(
            "ocsp -{hash} -issuer {issuer} -cert good/cert.pem -cert bad/cert.pem -serial 0x1234 -reqin ask.der -no_nonce \
             -respin say.der -CAfile {trust}"
        ),
    );
    assert!(read.stderr.contains("Response verify OK"), "{read}");
    let text = read.text();
    for line in ["good/cert.pem: good", "bad/cert.pem: revoked", "Reason: superseded", "0x1234: unknown"] {
        assert!(text.contains(line), "{line:?} in {read}");
    }
}

fn openssl_asks(bench: &Workbench, hash: &str, issuer: &str) {
    bench.tool(
        "openssl",
        &format!(
            "ocsp -{hash} -issuer {issuer} -cert good/cert.pem -cert bad/cert.pem -serial 0x1234 -nonce -reqout ask.der"
        ),
    );
}

/// GnuTLS on `say.der`. A delegate is found by its certificate in the response; an authority is named.
fn ocsptool_reads(bench: &Workbench, trust: &str, signer: &str, status: &str) {
    let believed = match signer {
        "responder/cert.pem" => format!("--load-trust {trust}"),
        authority => format!("--load-signer {authority}"),
    };
    let read = bench.tool("ocsptool", &format!("--verify-response {believed} --infile say.der"));
    assert!(read.text().contains("Verifying OCSP Response: Success."), "{read}");
    let info = bench.tool("ocsptool", "--response-info --infile say.der").text();
    assert!(info.contains(&format!("Certificate Status: {status}")), "{info}");
}

fn everybody_asks_and_believes(bench: &Workbench, issuer: &str, trust: &str, options: &str, signer: &str) {
    let respond = || bench.ok(&format!("ocsp respond --request ask.der --out say.der --force {options}"));
    for hash in ["sha1", "sha256", "sha512"] {
        openssl_asks(bench, hash, issuer);
        respond();
        openssl_reads(bench, hash, issuer, trust);
        assert_eq!(lint_ocsp_response(bench, "say.der"), "");
    }
    for (name, status) in [("good", "good"), ("bad", "revoked")] {
        bench.tool(
            "ocsptool",
            &format!(
                "--generate-request --nonce --load-issuer {issuer} --load-cert {name}/cert.pem --outfile ask.der"
            ),
        );
        respond();
        ocsptool_reads(bench, trust, signer, status);
        Peer::Python.ask(bench, &format!("ocsp-request {name}/cert.pem {issuer} sha384 ask.der"));
        respond();
        ocsptool_reads(bench, trust, signer, status);
        let said = Peer::Python.ask(bench, &format!("ocsp-response say.der ask.der {signer}"));
        let reason = if name == "bad" { "4" } else { "-" };
        assert_eq!(said.trim(), format!("{} {status} reason {reason}", short(bench, name)));
    }
}

#[test]
fn each_key_type_answers_for_itself() {
    for (key_type, key_bits) in [("rsa", 2048), ("ec", 256), ("ec", 384), ("ed25519", 0)] {
        let bench = bench(key_type, key_bits);
        everybody_asks_and_believes(&bench, "intermediate.pem", "all.pem", "", "intermediate.pem");
    }
}

#[test]
fn a_root_with_pss_answers_with_pss() {
    let bench = Workbench::new();
    bench.ok("init --no-seal");
    bench.ok("root generate --common-name root --key-type rsa --key-bits 2048 --use-pss --out root.pem");
    bench.ok("role write any --allowed-domains example.org --allow-subdomains");
    certificates(&bench, "");
    everybody_asks_and_believes(&bench, "root.pem", "root.pem", "", "root.pem");
    let text = bench.tool("openssl", "ocsp -respin say.der -noverify -text").text();
    assert!(text.contains("Signature Algorithm: rsassaPss"), "{text}");
}

#[test]
fn a_delegate_answers_with_its_certificate() {
    for (key_type, key_bits) in [("rsa", 2048), ("ec", 256), ("ed25519", 0)] {
        let bench = bench(key_type, key_bits);
        bench.ok(&format!(
            "--mount pki_int role write responder --allow-any-name --enforce-hostnames=false --server-flag=false \
             --client-flag=false --key-usage DigitalSignature --ext-key-usage OCSPSigning --max-ttl 72h \
             --key-type {key_type} --key-bits {key_bits}"
        ));
        bench.ok("--mount pki_int issue responder --common-name responder --out responder/");
        let text = bench.tool("openssl", "x509 -in responder/cert.pem -noout -text").text();
        assert!(text.contains("OCSP No Check") && text.contains("OCSP Signing"), "{text}");
        let options = "--responder-cert responder/cert.pem --responder-key responder/key.pem";
        everybody_asks_and_believes(&bench, "intermediate.pem", "all.pem", options, "responder/cert.pem");
        // A certificate for another purpose answers nothing.
        bench.refused(
            "ocsp respond --request ask.der --responder-cert good/cert.pem --responder-key good/key.pem",
            1,
            "lacks OCSPSigning",
            "--responder-cert",
        );
        bench.refused(
            "ocsp respond --request ask.der --responder-cert responder/cert.pem --responder-key good/key.pem",
            1,
            "not the one of the responder's certificate",
            "--responder-cert",
        );
    }
}

#[test]
fn what_cannot_be_answered_gets_its_status() {
    let bench = bench("ec", 256);
    openssl_asks(&bench, "sha1", "intermediate.pem");
    let request = bench.bytes("ask.der");
    bench.write("cut.der", &request[..request.len() - 1]);
    // The issuer is a leaf's certificate: an authority that is none of ours.
    bench.tool("openssl", "ocsp -issuer good/cert.pem -serial 1 -reqout foreign.der");
    for (file, status, said) in [
        ("cut.der", "malformedrequest (1)", "malformedRequest"),
        ("bad/cert.pem", "malformedrequest (1)", "malformedRequest"),
        ("foreign.der", "unauthorized (6)", "unauthorized"),
    ] {
        let outcome = bench.ok(&format!("ocsp respond --request {file} --out say.der --force"));
        assert!(outcome.stderr.contains(said), "{outcome}");
        let read = bench.tool_words("openssl", &["ocsp", "-respin", "say.der", "-noverify", "-text"]);
        assert!((read.text() + &read.stderr).contains(&format!("Responder Error: {status}")), "{read}");
    }
    let json = bench.json("ocsp respond --request ask.der");
    assert_eq!(json["pki"]["answers"][1]["reason"], "superseded", "{json}");
    assert_eq!(json["pki"]["answers"][2]["status"], "unknown", "{json}");
    bench.refused("ocsp respond --request absent.der", 2, "cannot read", "an OCSP request");
    bench.refused("ocsp respond", 2, "--request", "--help");
    bench.refused(
        "ocsp respond --request ask.der --responder-cert good/cert.pem",
        2,
        "--responder-key",
        "--help",
    );

    // Once something was issued that is not listed, nothing is unknown any more.
    bench.ok("--mount pki_int role patch any --no-store=true");
    let json = bench.json("ocsp respond --request ask.der");
    assert_eq!(json["pki"]["answers"][2]["status"], "good", "{json}");
    bench.ok("--mount pki_int role patch any --no-store=false --storage full");
    let json = bench.json("ocsp respond --request ask.der");
    assert_eq!(json["pki"]["answers"][2]["status"], "good", "{json}");
    assert_eq!(json["pki"]["answers"][1]["status"], "revoked", "{json}");
}
