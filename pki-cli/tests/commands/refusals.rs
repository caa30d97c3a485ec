//! Bad input and refusals: two lines, the right code, nothing half done, and a row in the audit log.

use super::House;

#[test]
fn names_that_are_none_are_refused_with_what_would_be() {
    let house = House::with_role();
    for (flags, status, says) in [
        (&["--alt-names", "192.0.2.1"][..], 2, "--ip-sans"),
        (&["--alt-names", "a..example.org"], 2, "empty label"),
        (&["--alt-names", "www.*.example.org"], 2, "left-most"),
        (&["--alt-names", "*.*.example.org"], 2, "left-most"),
        (&["--alt-names", "bü..example.org"], 2, "empty label"),
        (
            &[
                "--alt-names",
                "ü-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.org",
            ],
            2,
            "63",
        ),
        (&["--ip-sans", "example.org"], 2, "--alt-names"),
        (&["--uri-sans", "nowhere"], 2, "URI"),
        (&["--uri-sans", "spiffe://example.org/x"], 1, "--allowed-uri-sans"),
        (&["--alt-names", "example.com"], 1, "example.com"),
        (&["--not-after", "yesterday"], 2, "RFC 3339"),
        (&["--not-after", "2001-01-01T00:00:00Z"], 1, "2001"),
        (&["--ttl", "soon"], 2, "90m"),
    ] {
        let line: Vec<&str> =
            ["issue", "web", "--common-name", "example.org"].iter().chain(flags).copied().collect();
        house.pki(&line).fails(status).says(says);
    }
    let long = "a".repeat(65);
    house.pki(&["issue", "web", "--common-name", &long]).fails(1).says("64");
    house.pki(&["issue", "web", "--common-name", "192.0.2.1"]).fails(1);
    house.pki(&["issue", "web"]).fails(1).says("--common-name");
    house.pki(&["issue", "web", "--common-name", "a\u{1b}[2Jb"]).fails(2);
    assert_eq!(
        house.json(&["cert", "list"])["keys"].as_array().unwrap().len(),
        1,
        "only the root was issued"
    );
}

#[test]
fn what_is_not_there_is_named() {
    let house = House::with_role();
    house.pki(&["issue", "wbe", "--common-name", "example.org"]).fails(3).says("web");
    house.pki(&["--mount", "none", "issue", "web"]).fails(3).says("pki mount enable none");
    house.pki(&["issuer", "read", "none"]).fails(3).says("root");
    house.pki(&["cert", "read", "11:22"]).fails(3).says("pki cert list");
    house.pki(&["revoke", "1122"]).fails(3);
    house.pki(&["revoke", "xyz"]).fails(2).says("hexadecimal");
    house.pki(&["role", "patch", "web", "--issuer-ref", "none"]).ok();
    house.pki(&["issue", "web", "--common-name", "example.org"]).fails(3).says("none");
}

#[test]
fn csrs_that_are_none_are_refused() {
    let house = House::with_role();
    house.csr("www.example.org", "good.csr");
    let good = house.read("good.csr");
    house.write("two.csr", format!("{good}{good}"));
    house.write("huge.csr", vec![b'A'; 1 << 20]);
    house.write("empty.csr", "");
    house.write("text.csr", "nothing of that kind");
    house.write("cut.csr", &good[..good.len() / 2]);
    // The signature is the last part of a CSR, so one of its last digits is one of its bits.
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    let last = lines.len() - 2;
    let digit = lines[last].chars().nth(5).unwrap();
    lines[last].replace_range(5..6, if digit == 'A' { "B" } else { "A" });
    house.write("broken.csr", format!("{}\n", lines.join("\n")));
    house.write("other.csr", house.read("root.crt"));
    for (file, status, says) in [
        ("two.csr", 2, "one"),
        ("huge.csr", 2, "64 KiB"),
        ("empty.csr", 2, "empty"),
        ("text.csr", 2, "PEM or DER"),
        ("cut.csr", 2, "cut.csr"),
        ("broken.csr", 1, "signature"),
        ("other.csr", 2, "CERTIFICATE"),
        ("absent.csr", 2, "absent.csr"),
        (".", 2, "directory"),
    ] {
        house.pki(&["sign", "web", "--csr", file, "--out", "out.crt"]).fails(status).says(says);
        house.pki(&["root", "sign-intermediate", "--csr", file, "--out", "out.crt"]).fails(status);
        assert!(!house.path("out.crt").exists());
    }
}

#[test]
fn lines_that_say_nothing_are_refused() {
    let house = House::new();
    house.pki(&["issu"]).fails(2).says("issue");
    house.pki(&["issue"]).fails(2).says("<ROLE>");
    house.pki(&["issue", "web", "--comon-name", "x"]).fails(2).says("--common-name");
    house.pki(&["cert", "list", "--status", "fine"]).fails(2).says("expired");
    house.pki(&["cert", "list", "--format", "yaml"]).fails(2).says("pem_bundle");
    house.pki(&["cert", "list", "--format", "pem"]).fails(2).says("json");
    house.pki(&["cert", "list", "--after", "what"]).fails(2).says("cursor");
    let bare = house.pki(&[]);
    assert_eq!((bare.status, bare.stdout.as_str()), (2, ""));
    assert!(bare.stderr.contains("Usage"));
}

#[test]
fn a_refusal_is_on_record() {
    let house = House::with_role();
    house.pki(&["--as", "alice", "issue", "web", "--common-name", "example.com"]).fails(1);
    let refused = house.json(&["audit", "show", "--outcome", "refused"]);
    let first = refused["keys"][0].as_str().unwrap();
    let row = &refused["key_info"][first];
    assert_eq!(row["requester"], "alice");
    assert_eq!(row["operation"], "pki/issue");
    assert!(row["detail"]["fault"].as_str().unwrap().contains("example.com"));
    assert!(row["role_revision"].is_u64());
}

#[test]
fn a_disk_that_is_full_loses_nothing() {
    let house = House::with_role();
    let before = house.json(&["cert", "list"])["keys"].as_array().unwrap().len();
    let line = ["issue", "web", "--common-name", "example.org", "--out", "/dev/full"];
    house.pki(&line).fails(4).says("revoke");
    assert_eq!(house.json(&["cert", "list"])["keys"].as_array().unwrap().len(), before + 1);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        house.command().args(["issue", "web", "--common-name", "example.org"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_place_that_cannot_be_written_stops_before_anything_is_signed() {
    let house = House::with_role();
    house.write("file", "x");
    let before = house.json(&["cert", "list"]);
    for out in ["file", "file/tls/", "absent/leaf.pem", "/proc/tls/"] {
        let done = house.pki(&["issue", "web", "--common-name", "example.org", "--out", out]);
        assert!(matches!(done.status, 2 | 4), "{out}: {}", done.stderr);
    }
    assert_eq!(house.json(&["cert", "list"]), before);
    assert_eq!(house.read("file"), "x");
}
