//! What certificates are packed into, before the programs that unpack it: OpenSSL, GnuTLS, Java, Python, kubectl.

use serde_json::Value;
use verify_tests::peers::python;
use verify_tests::{Outcome, Workbench};

const PASSPHRASE: &str = "pass phrase";

/// A bench with a hierarchy and, in `pass`, a passphrase.
fn bench() -> Workbench {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.write("pass", format!("{PASSPHRASE}\n"));
    bench
}

fn openssl(bench: &Workbench, words: &[&str]) -> Outcome {
    bench.tool_words("openssl", words)
}

fn keytool(bench: &Workbench, words: &[&str], passphrase: &str) -> Outcome {
    bench.tool_words("keytool", &[words, &["-storetype", "PKCS12", "-storepass", passphrase]].concat())
}

#[test]
fn a_key_store_opens_in_every_program() {
    let bench = bench();
    for (format, mac) in [("pkcs12", "MAC: sha256"), ("pkcs12_legacy", "MAC: sha1")] {
        let file = format!("{format}.p12");
        bench.ok(&format!(
            "--mount pki_int issue any --common-name www.example.org --format {format} --key-passphrase-file pass --out {file}"
        ));
        let pass = format!("pass:{PASSPHRASE}");
        let open = ["pkcs12", "-in", &file, "-passin", &pass];
        let shown = openssl(&bench, &[&open[..], &["-info", "-noout"]].concat()).expect_code(0);
        assert!(shown.stderr.contains(mac), "{shown}");
        // The leaf alone has a localKeyId, so it alone is the key's.
        let own = openssl(&bench, &[&open[..], &["-clcerts", "-nokeys"]].concat()).expect_code(0).text();
        assert_eq!(own.matches("BEGIN CERTIFICATE").count(), 1, "{own}");
        assert!(own.contains("friendlyName: www.example.org") && own.contains("localKeyID: "), "{own}");
        let above = openssl(&bench, &[&open[..], &["-cacerts", "-nokeys"]].concat()).expect_code(0).text();
        assert_eq!(above.matches("BEGIN CERTIFICATE").count(), 2, "{above}");
        let key = openssl(&bench, &[&open[..], &["-nocerts", "-nodes"]].concat()).expect_code(0).text();
        bench.write("key.pem", &key);
        bench.write("leaf.pem", &own);
        let of_key = openssl(&bench, &["pkey", "-in", "key.pem", "-pubout"]).expect_code(0).text();
        let of_leaf =
            openssl(&bench, &["x509", "-in", "leaf.pem", "-noout", "-pubkey"]).expect_code(0).text();
        assert_eq!(of_key, of_leaf);

        let listed = keytool(&bench, &["-list", "-v", "-keystore", &file], PASSPHRASE).expect_code(0).text();
        for part in
            ["Entry type: PrivateKeyEntry", "Certificate chain length: 3", "1 entry", "www.example.org"]
        {
            assert!(listed.contains(part), "{part} in {listed}");
        }
        let import = ["-importkeystore", "-srckeystore", &file, "-srcstorepass", PASSPHRASE];
        let imported = format!("{format}-imported.p12");
        keytool(&bench, &[&import[..], &["-destkeystore", &imported]].concat(), PASSPHRASE).expect_code(0);

        let shown = bench
            .tool_words("certtool", &["--p12-info", "--inder", "--infile", &file, "--password", PASSPHRASE])
            .expect_code(0)
            .text();
        assert!(shown.contains("Friendly name: www.example.org"), "{shown}");
        assert!(
            shown.contains("BEGIN PRIVATE KEY") || shown.contains("BEGIN ENCRYPTED PRIVATE KEY"),
            "{shown}"
        );

        let script = "import sys\n\
            from cryptography.hazmat.primitives.serialization import pkcs12\n\
            store = pkcs12.load_pkcs12(open(sys.argv[1], 'rb').read(), sys.argv[2].encode())\n\
            assert store.key.public_key() == store.cert.certificate.public_key()\n\
            print(store.cert.friendly_name.decode(), len(store.additional_certs))";
        let read =
            bench.tool_words(python("python"), &["-c", script, &file, PASSPHRASE]).expect_code(0).text();
        assert_eq!(read, "www.example.org 2\n");

        // Another passphrase opens it nowhere.
        assert_ne!(openssl(&bench, &["pkcs12", "-in", &file, "-passin", "pass:other", "-noout"]).code, 0);
        assert_ne!(keytool(&bench, &["-list", "-keystore", &file], "another").code, 0);
    }
}

#[test]
fn every_type_of_key_fits_a_key_store() {
    for (key_type, bits) in [("rsa", 2048), ("ec", 384), ("ec", 521), ("ed25519", 0)] {
        let bench = Workbench::with_hierarchy(key_type, bits);
        bench.write("pass", PASSPHRASE);
        bench.ok(
            "--mount pki_int issue any --common-name www.example.org --format pkcs12 --key-passphrase-file pass \
             --friendly-name web --out web.p12",
        );
        let pass = format!("pass:{PASSPHRASE}");
        openssl(&bench, &["pkcs12", "-in", "web.p12", "-passin", &pass, "-noout"]).expect_code(0);
        let listed =
            keytool(&bench, &["-list", "-v", "-keystore", "web.p12"], PASSPHRASE).expect_code(0).text();
        assert!(
            listed.contains("Alias name: web") && listed.contains("chain length: 3"),
            "{key_type}: {listed}"
        );
    }
}

#[test]
fn a_trust_store_is_trusted_and_a_key_store_is_not() {
    let bench = bench();
    bench.ok("--mount pki_int issuer read --format pkcs12 --key-passphrase-file pass --out trust.p12");
    let listed =
        keytool(&bench, &["-list", "-v", "-keystore", "trust.p12"], PASSPHRASE).expect_code(0).text();
    assert_eq!(listed.matches("Entry type: trustedCertEntry").count(), 2, "{listed}");
    let pass = format!("pass:{PASSPHRASE}");
    let shown =
        openssl(&bench, &["pkcs12", "-in", "trust.p12", "-passin", &pass, "-nokeys"]).expect_code(0).text();
    assert_eq!(shown.matches("2.16.840.1.113894.746875.1.1: ").count(), 2, "{shown}");
    assert_eq!(shown.matches("friendlyName: ").count(), 2, "{shown}");

    bench.ok(
        "--mount pki_int issue any --common-name www.example.org --format pkcs12 --key-passphrase-file pass --out key.p12",
    );
    let shown =
        openssl(&bench, &["pkcs12", "-in", "key.p12", "-passin", &pass, "-nokeys"]).expect_code(0).text();
    assert!(!shown.contains("2.16.840.1.113894.746875.1.1"), "{shown}");
}

#[test]
fn a_key_under_a_passphrase_is_read_by_others() {
    for (key_type, bits) in [("rsa", 2048), ("ec", 256), ("ed25519", 0)] {
        let bench = Workbench::with_hierarchy(key_type, bits);
        bench.write("pass", PASSPHRASE);
        // The file with the passphrase says that the key is to be encrypted.
        bench.ok(
            "--mount pki_int issue any --common-name www.example.org --key-passphrase-file pass --out tls/",
        );
        let text = bench.text("tls/key.pem");
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
        let pass = format!("pass:{PASSPHRASE}");
        let of_key = openssl(&bench, &["pkey", "-in", "tls/key.pem", "-passin", &pass, "-pubout"])
            .expect_code(0)
            .text();
        let of_leaf =
            openssl(&bench, &["x509", "-in", "tls/cert.pem", "-noout", "-pubkey"]).expect_code(0).text();
        assert_eq!(of_key, of_leaf);
        bench
            .tool_words("certtool", &["-k", "--infile", "tls/key.pem", "--password", PASSPHRASE])
            .expect_code(0);
        let script = "import sys\n\
            from cryptography.hazmat.primitives.serialization import load_pem_private_key\n\
            load_pem_private_key(open('tls/key.pem', 'rb').read(), sys.argv[1].encode())";
        bench.tool_words(python("python"), &["-c", script, PASSPHRASE]).expect_code(0);
        assert_ne!(
            openssl(&bench, &["pkey", "-in", "tls/key.pem", "-passin", "pass:other", "-noout"]).code,
            0
        );
        // It is found good again under its passphrase, and its number stays.
        let line = "--mount pki_int issue any --common-name www.example.org --key-passphrase-file pass --out tls/ \
                    --replace --renew-before 1h";
        let before = bench.serial("tls/cert.pem");
        bench.ok(line);
        assert_eq!(bench.serial("tls/cert.pem"), before);
    }
}

#[test]
fn each_format_of_a_key_has_its_label() {
    for (key_type, format, label) in [
        ("rsa", "pkcs1", "BEGIN RSA PRIVATE KEY"),
        ("rsa", "pkcs8", "BEGIN PRIVATE KEY"),
        ("ec", "sec1", "BEGIN EC PRIVATE KEY"),
        ("ec", "pkcs8", "BEGIN PRIVATE KEY"),
        ("ed25519", "pkcs8", "BEGIN PRIVATE KEY"),
    ] {
        let bench = Workbench::with_hierarchy(key_type, 0);
        bench.ok(&format!(
            "--mount pki_int issue any --common-name www.example.org --private-key-format {format} --out tls/"
        ));
        assert!(bench.text("tls/key.pem").contains(label), "{key_type} {format}");
        openssl(&bench, &["pkey", "-in", "tls/key.pem", "-noout"]).expect_code(0);
    }
}

#[test]
fn a_secret_is_what_kubectl_takes() {
    let bench = bench();
    // Names that YAML would read as numbers or booleans.
    for (name, namespace) in [("web-tls", "prod"), ("1e3", "0x10"), ("no", "123")] {
        let file = format!("{name}.yaml");
        bench.ok(&format!(
            "--mount pki_int issue any --common-name www.example.org --format kubernetes --secret-name {name} \
             --namespace {namespace} --out {file}"
        ));
        // kubectl reads and checks the file by itself, without a cluster.
        let read = bench.tool_words("kubectl", &["label", "--local", "-f", &file, "a=b", "-o", "json"]);
        let secret: Value = serde_json::from_slice(&read.expect_code(0).stdout).unwrap_or_default();
        assert_eq!(secret["type"], "kubernetes.io/tls");
        assert_eq!(secret["metadata"]["name"], name);
        assert_eq!(secret["metadata"]["namespace"], namespace);
        for (key, certificates) in [("tls.crt", 2), ("ca.crt", 1), ("tls.key", 0)] {
            let digits = secret["data"][key].as_str().unwrap_or_default();
            let decoded =
                bench.run_with_input("openssl".as_ref(), &["base64", "-d", "-A"], digits.as_bytes());
            let text = decoded.expect_code(0).text();
            assert_eq!(text.matches("BEGIN CERTIFICATE").count(), certificates, "{key}");
            bench.write(key, text);
        }
        openssl(&bench, &["verify", "-CAfile", "ca.crt", "-untrusted", "tls.crt", "tls.crt"]).expect_code(0);
        openssl(&bench, &["pkey", "-in", "tls.key", "-noout"]).expect_code(0);
    }
}

#[test]
fn what_cannot_be_packed_is_refused_before_anything_is_signed() {
    let bench = bench();
    bench.write("umlaut", "gehässig");
    let issue = "--mount pki_int issue any --common-name www.example.org";
    for (line, rule, remedy) in [
        (format!("{issue} --format pkcs12"), "neither a passphrase nor a terminal", "--key-passphrase-file"),
        (
            format!("{issue} --format pkcs12 --key-passphrase-file umlaut"),
            "printable ASCII",
            "another passphrase",
        ),
        (
            format!("{issue} --private-key-format encrypted_pkcs8"),
            "neither a passphrase",
            "--key-passphrase-file",
        ),
        (
            format!("{issue} --private-key-format sec1 --key-passphrase-file pass"),
            "PKCS#8 only",
            "encrypted_pkcs8",
        ),
        (format!("{issue} --private-key-format pkcs1"), "PKCS#1 is for RSA keys", "pkcs8"),
        (format!("{issue} --format kubernetes"), "has a name", "--secret-name"),
        (format!("{issue} --format kubernetes --secret-name Web"), "no name of Kubernetes", "lower-case"),
        (format!("{issue} --format kubernetes --secret-name a --namespace a.b"), "no name of", "lower-case"),
        (format!("{issue} --format kubernetes --secret-name a --out dir/"), "is one file", "--out"),
        (format!("{issue} --secret-name web"), "names a Secret", "--format kubernetes"),
        (format!("{issue} --for nginx"), "names no directory", "--out DIR/"),
        (
            format!("{issue} --for nginx --format pkcs12 --key-passphrase-file pass --out d/"),
            "own formats",
            "--for",
        ),
        (format!("{issue} --for nginx --key-passphrase-file pass --out d/"), "without a passphrase", "--for"),
        ("crl show --format pkcs12".to_owned(), "neither", "pem_bundle"),
        (
            "--mount pki_int sign any --csr intermediate.csr --format pkcs12".to_owned(),
            "neither",
            "openssl pkcs12 -export",
        ),
        (
            "--mount pki_int sign any --csr intermediate.csr --format kubernetes".to_owned(),
            "no key",
            "pki issue",
        ),
        (
            "--mount pki_int sign any --csr intermediate.csr --for haproxy --out d/".to_owned(),
            "is with its requester",
            "pki issue",
        ),
        ("intermediate generate --common-name x --format pkcs12".to_owned(), "is a CSR", "pki issuer read"),
    ] {
        bench.refused(&line, 2, rule, remedy);
    }
    // Nothing of it is on record.
    assert_eq!(bench.json("--mount pki_int cert list")["keys"].as_array().map(Vec::len), Some(0));
    assert!(!bench.has("d") && !bench.has("dir"));
    bench.ok(issue);
}
