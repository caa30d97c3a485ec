//! Contents of certificates before other people's eyes: what OpenSSL and Python read is what was granted.

use serde_json::json;
use verify_tests::Workbench;
use verify_tests::peers::{Peer, openssl_verify};

const POLICIES: &str = r#"[{"oid":"1.3.6.1.4.1.7.8","notice":"I am a user Notice"},{"oid":"1.3.6.1.32473.1.2.4","cps":"https://example.com"}]"#;

#[test]
fn what_a_role_writes_is_read_by_openssl_and_python() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench
        .pki_words(&[
            "--mount",
            "pki_int",
            "role",
            "write",
            "full",
            "--allowed-domains=example.org",
            "--allow-subdomains",
            "--key-type=ec",
            "--ou=Zebra,Ape",
            "--organization=Example",
            "--allowed-user-ids=human*",
            "--allowed-serial-numbers=f00*",
            "--allowed-other-sans=1.3.6.1.4.1.311.20.2.3;utf8:*@example.org",
            "--ext-key-usage-oids=1.3.6.1.4.1.311.20.2.2",
            "--allowed-extensions=1.2.3.4.5.6",
            "--basic-constraints-valid-for-non-ca",
            "--policy-identifiers",
            POLICIES,
        ])
        .expect_code(0);
    let answer = bench.json(
        "--mount pki_int issue full --common-name www.example.org --user-ids humanoid --serial-number f00bar \
         --other-sans 1.3.6.1.4.1.311.20.2.3;utf8:ops@example.org --extension 1.2.3.4.5.6=utf8:mine \
         --not-before 2026-01-02T03:04:05Z --ttl 24h",
    );
    bench.write("leaf.pem", answer["certificate"].as_str().unwrap_or_default());
    openssl_verify(
        &bench,
        "-verify_hostname www.example.org",
        "root.pem",
        Some("intermediate.pem"),
        "leaf.pem",
    )
    .expect_code(0);
    let text = bench.tool("openssl", "x509 -in leaf.pem -noout -text -nameopt RFC2253,sep_multiline").text();
    for line in [
        "OU=Zebra + OU=Ape",
        "UID=humanoid",
        "serialNumber=f00bar",
        "CA:FALSE",
        "Microsoft Smartcard Login",
        "User Notice",
        "Explicit Text: I am a user Notice",
        "CPS: https://example.com",
        "UPN::ops@example.org",
        "DNS:www.example.org",
        "1.2.3.4.5.6",
        "Not Before: Jan  2 03:04:05 2026 GMT",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(
        Peer::Python.ask(&bench, "contents leaf.pem"),
        "subject 2.5.4.10=Example 2.5.4.11=Ape+2.5.4.11=Zebra 2.5.4.3=www.example.org 2.5.4.5=f00bar \
         0.9.2342.19200300.100.1.1=humanoid\n\
         other-name 1.3.6.1.4.1.311.20.2.3 0c0f6f7073406578616d706c652e6f7267\n\
         name www.example.org\n\
         policy 1.3.6.1.4.1.7.8\n\
         qualifier I am a user Notice\n\
         policy 1.3.6.1.32473.1.2.4\n\
         qualifier https://example.com\n\
         purposes 1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2 1.3.6.1.4.1.311.20.2.2\n\
         constraints false\n\
         extension 1.2.3.4.5.6 false 0c046d696e65\n"
    );
    // What was asked for and what was granted stand side by side.
    let requested = &answer["pki"]["requested"];
    assert_eq!(requested["common_name"], "www.example.org");
    assert_eq!(requested["names"], json!(["otherName:1.3.6.1.4.1.311.20.2.3;utf8:ops@example.org"]));
    assert_eq!((&requested["user_ids"], &requested["ttl"]), (&json!(["humanoid"]), &json!(86_400)));
    let granted = &answer["pki"]["granted"];
    assert_eq!(granted["names"][1], "DNS:www.example.org");
    assert_eq!(granted["not_before"], 1_767_323_045);
    assert_eq!(
        granted["extensions"],
        json!([{ "oid": "1.2.3.4.5.6", "critical": false, "value": "0c046d696e65" }])
    );
    assert_eq!(granted["policies"][1]["cps"], "https://example.com");
    assert_eq!(granted["key_usage"], json!(["DigitalSignature", "KeyAgreement"]));
}

#[test]
fn a_csr_with_everything_comes_back_whole() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok(
        "--mount pki_int role write whole --allow-any-name --enforce-hostnames=false --require-cn=false \
         --cn-validations disabled --allowed-other-sans * --allow-other-san-kinds --allowed-uri-sans * \
         --allowed-serial-numbers * --allowed-user-ids * --key-type any --use-csr-subject --use-csr-extensions",
    );
    bench.write(
        "req.cnf",
        "[req]\nprompt=no\nstring_mask=utf8only\ndistinguished_name=dn\nreq_extensions=v3\n\
         [dn]\n0.OU=Zebra\n1.OU=Ape\nO=Example\n+C=DE\nUID=humanoid\nCN=www.example.org\n\
         [v3]\nsubjectAltName=DNS:www.example.org,RID:1.2.3.4,dirName:dir\ntlsfeature=status_request\n\
         1.2.3.4.5.6=ASN1:UTF8String:mine\n[dir]\nCN=somebody\n",
    );
    bench.tool(
        "openssl",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config req.cnf -keyout key.pem -out req.pem",
    );
    let answer = bench.json("--mount pki_int sign whole --csr req.pem --ttl 1h");
    bench.write("leaf.pem", answer["certificate"].as_str().unwrap_or_default());
    openssl_verify(&bench, "", "root.pem", Some("intermediate.pem"), "leaf.pem").expect_code(0);
    let contents = Peer::Python.ask(&bench, "contents leaf.pem");
    for line in [
        "subject 2.5.4.11=Zebra 2.5.4.11=Ape 2.5.4.6=DE+2.5.4.10=Example 0.9.2342.19200300.100.1.1=humanoid 2.5.4.3=www.example.org",
        "registered-id 1.2.3.4",
        "directory-name CN=somebody",
        "name www.example.org",
        "extension 1.2.3.4.5.6 false 0c046d696e65",
        "constraints absent",
    ] {
        assert!(contents.contains(line), "{line}: {contents}");
    }
    let subject = |file: &str, kind: &str| {
        bench.tool("openssl", &format!("{kind} -in {file} -noout -subject -nameopt oneline")).text()
    };
    assert_eq!(subject("leaf.pem", "x509"), subject("req.pem", "req"));
}
