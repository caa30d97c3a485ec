//! Several issuers of one mount: usages, chains, constraints, the end of an issuer.

use serde_json::{Value, json};

use super::{Done, House};

/// A house with a root in the mount `pki`, an issuing CA `sub` in the mount `int`, and a role there for any name.
fn with_intermediate(root_flags: &[&str], sub_flags: &[&str]) -> House {
    let house = House::new();
    let root = ["root", "generate", "--common-name", "root", "--key-type", "ec", "--issuer-name", "root"];
    house.pki(&[&root[..], &["--ttl", "700h"], root_flags].concat()).ok();
    house.pki(&["mount", "enable", "int"]).ok();
    intermediate(&house, "sub", &["--ttl", "600h"], sub_flags);
    let role = ["--mount", "int", "role", "write", "any", "--allow-any-name", "--key-type", "ec"];
    house
        .pki(&[&role[..], &["--require-cn=false", "--allowed-uri-sans", "*", "--ttl", "100h"]].concat())
        .ok();
    house
}

fn intermediate(house: &House, name: &str, lifetime: &[&str], flags: &[&str]) {
    let csr = ["--mount", "int", "intermediate", "generate", "--common-name", name, "--issuer-name", name];
    house.pki(&[&csr[..], &["--key-type", "ec", "--out", "sub.csr", "--force"]].concat()).ok();
    let sign = ["root", "sign-intermediate", "--csr", "sub.csr", "--format", "pem_bundle"];
    house.pki(&[&sign[..], &["--out", "sub.pem", "--force"], lifetime, flags].concat()).ok();
    house.pki(&["--mount", "int", "intermediate", "set-signed", "sub.pem"]).ok();
}

fn issue(house: &House, name: &str, flags: &[&str]) -> Done {
    house.pki(&[&["--mount", "int", "issue", "any", "--alt-names", name, "--format", "json"], flags].concat())
}

#[test]
fn every_kind_of_name_constraint_can_be_asked_for() {
    let house = with_intermediate(
        &[
            "--permitted-dns-domains",
            "example.org,.example.net",
            "--excluded-dns-domains=secret.example.org",
            "--permitted-ip-ranges",
            "10.0.0.0/8,2001:db8::/32",
            "--excluded-ip-ranges",
            "10.9.0.0/16",
            "--permitted-email-addresses",
            "example.org,ops@example.net",
            "--excluded-email-addresses",
            "root@example.org",
            "--permitted-uri-domains",
            ".example.org",
            "--excluded-uri-domains",
            "bad.example.org",
            "--excluded-directory-names",
            "O=Evil",
        ],
        &[],
    );
    for (name, flags) in [
        ("www.example.org", &[][..]),
        ("www.example.net", &["--ip-sans", "10.8.0.1,2001:db8::7"]),
        ("ops@example.net", &["--uri-sans", "spiffe://a.example.org/db"]),
        ("a@example.org", &[]),
    ] {
        issue(&house, name, flags).ok();
    }
    for (name, flags, word) in [
        ("www.example.com", &[][..], "DNS:www.example.com"),
        ("example.net", &[], "example.org, .example.net"),
        ("a.secret.example.org", &[], "DNS:secret.example.org"),
        ("*.example.org", &[], "DNS:*.example.org"),
        ("www.example.org", &["--ip-sans", "11.0.0.1"], "IP:11.0.0.1"),
        ("www.example.org", &["--ip-sans", "10.9.1.1"], "10.9.0.0/16"),
        ("www.example.org", &["--ip-sans", "2001:db9::1"], "IP:2001:db9::1"),
        ("root@example.org", &[], "email:root@example.org"),
        ("ops@example.com", &[], "email:ops@example.com"),
        ("www.example.org", &["--uri-sans", "https://bad.example.org/"], "URI:https://bad.example.org/"),
        ("www.example.org", &["--uri-sans", "urn:uuid:1"], "without a host"),
        ("www.example.org", &["--uri-sans", "https://10.0.0.1/"], "IP address"),
    ] {
        let refused = issue(&house, name, flags).fails(1).says("[issuer.name-constraints]");
        refused.says("\"CN=root\"").says(word);
    }
    // The subject comes from the role; the intermediate's own subject is asked about too.
    house.pki(&["--mount", "int", "role", "patch", "any", "--organization", "Evil"]).ok();
    issue(&house, "www.example.org", &["--common-name", "www.example.org"]).fails(1).says("O=Evil");
    house
        .pki(&[
            "--mount",
            "int",
            "intermediate",
            "generate",
            "--common-name",
            "x",
            "--organization",
            "Evil",
            "--out",
            "e.csr",
        ])
        .ok();
    house
        .pki(&["root", "sign-intermediate", "--csr", "e.csr", "--use-csr-values", "--ttl", "9h"])
        .fails(1)
        .says("O=Evil");
    for (flag, value) in [
        ("--permitted-dns-domains", "*.example.org"),
        ("--excluded-ip-ranges", "10.0.0.1"),
        ("--permitted-email-addresses", "@example.org"),
        ("--permitted-uri-domains", "https://example.org"),
        ("--permitted-directory-names", "Example"),
        ("--refuse-other-name-kinds", "true"),
    ] {
        house.pki(&["root", "generate", "--common-name", "r", flag, value]).fails(2);
    }
}

#[test]
fn usages_are_kept_to() {
    let house = with_intermediate(&[], &[]);
    let update =
        |usage: &'static str| house.pki(&["--mount", "int", "issuer", "update", "sub", "--usage", usage]);
    update("read-only,crl-signing").ok();
    let refused = issue(&house, "a.example.org", &[]).fails(1).says("[issuer.usage]");
    refused.says("pki --mount int issuer update sub --usage crl-signing,issuing-certificates,read-only");
    house.pki(&["--mount", "int", "crl", "rotate"]).ok();
    update("issuing-certificates").ok();
    issue(&house, "a.example.org", &[]).ok();
    house.pki(&["--mount", "int", "crl", "rotate"]).fails(3).says("signs CRLs");
    house.pki(&["--mount", "int", "crl", "rotate", "--issuer-ref", "sub"]).fails(1).says("[issuer.usage]");
    update("signing").fails(2).says("read-only");
    update("").fails(2);
    let read = house.json(&["--mount", "int", "issuer", "read", "sub"]);
    assert_eq!(read["usage"], "issuing-certificates");
}

#[test]
fn a_leaf_ends_with_its_chain_where_the_issuer_says_so() {
    let house = with_intermediate(&[], &[]);
    let long = &["--ttl", "650h"];
    issue(&house, "a.example.org", long).fails(1).says("[issuer.validity]");
    let end = house.json(&["--mount", "int", "issuer", "read", "sub"])["pki"]["not_after"].clone();
    house.pki(&["--mount", "int", "issuer", "update", "sub", "--leaf-not-after-behavior", "truncate"]).ok();
    let cut: Value = serde_json::from_str(&issue(&house, "a.example.org", long).ok().stdout).unwrap();
    assert_eq!(cut["expiration"], end);
    assert!(cut["warnings"].to_string().contains("the end of its chain"), "{cut}");
    house.pki(&["--mount", "int", "role", "patch", "any", "--leaf-not-after-behavior", "err"]).ok();
    issue(&house, "a.example.org", long).fails(1).says("--leaf-not-after-behavior truncate");
    house.pki(&["--mount", "int", "role", "patch", "any", "--leaf-not-after-behavior", "permit"]).ok();
    let beyond: Value = serde_json::from_str(&issue(&house, "a.example.org", long).ok().stdout).unwrap();
    assert!(beyond["expiration"].as_u64() > end.as_u64());
    assert!(beyond["warnings"].to_string().contains("ends after a CA of its chain"), "{beyond}");
    house.pki(&["--mount", "int", "issuer", "update", "sub", "--leaf-not-after-behavior", "ignore"]).fails(2);
}

#[test]
fn a_revoked_issuer_issues_nothing_and_is_on_the_crl_above() {
    let house = with_intermediate(&[], &[]);
    let serial = house.json(&["--mount", "int", "issuer", "read", "sub"])["pki"]["serial_number"].clone();
    house
        .pki(&["--mount", "int", "issuer", "revoke", "sub", "--reason", "superseded"])
        .ok()
        .says("crl rotate");
    let read = house.json(&["--mount", "int", "issuer", "read", "sub"]);
    assert_eq!(read["revoked"], true);
    assert!(read["revocation_time"].is_u64());
    assert!(!read["usage"].as_str().unwrap().contains("issuing"), "{read}");
    issue(&house, "a.example.org", &[]).fails(1).says("was revoked at");
    let again = ["--mount", "int", "issuer", "update", "sub", "--usage", "issuing-certificates"];
    house.pki(&again).fails(1).says("was revoked at");
    house.pki(&["crl", "rotate"]).ok();
    house.pki(&["crl", "show", "--format", "pem", "--out", "root.crl"]).ok();
    let crl = house.pki(&["inspect", "root.crl", "--format", "json"]).ok();
    assert!(crl.stdout.contains(serial.as_str().unwrap()), "{}", crl.stdout);
    // Its own CRL goes on, and a second time changes nothing.
    house.pki(&["--mount", "int", "crl", "rotate"]).ok();
    let twice = house.json(&["--mount", "int", "issuer", "revoke", "sub"]);
    assert_eq!(twice["revocation_time"], read["revocation_time"]);
    house.pki(&["issuer", "revoke", "root"]).ok().says("it is a root");
}

#[test]
fn issuers_and_keys_are_deleted_in_their_order() {
    let house = with_intermediate(&[], &[]);
    house.pki(&["--mount", "int", "role", "patch", "any", "--issuer-ref", "sub"]).ok();
    let key = house.json(&["--mount", "int", "issuer", "read", "sub"])["key_id"].clone();
    let key = key.as_str().unwrap();
    house.pki(&["--mount", "int", "key", "delete", key]).fails(1).says("sub");
    let deleted = house.pki(&["--mount", "int", "issuer", "delete", "sub"]).ok();
    deleted.says("1 roles reference").says("default issuer");
    house.pki(&["--mount", "int", "issuer", "delete", "sub"]).fails(3);
    issue(&house, "a.example.org", &[]).fails(3);
    house.pki(&["--mount", "int", "key", "rename", key, "--key-name", "old"]).ok().prints("old");
    assert_eq!(house.json(&["--mount", "int", "key", "read", "OLD"])["key_id"], key);
    house.pki(&["--mount", "int", "key", "rename", "old", "--key-name", "default"]).fails(2);
    // The key is still there for its certificate to come back.
    house.pki(&["--mount", "int", "intermediate", "set-signed", "sub.pem"]).ok();
    let back = house.json(&["--mount", "int", "issuer", "read", "default"]);
    assert_eq!(back["key_id"], key);
    house.pki(&["--mount", "int", "issuer", "delete", "default"]).ok();
    house.pki(&["--mount", "int", "key", "delete", "old"]).ok().says("default key");
    house.pki(&["--mount", "int", "key", "read", "old"]).fails(3);
}

#[test]
fn a_chain_can_be_set_by_hand() {
    let house = with_intermediate(&[], &[]);
    house.pki(&["--mount", "int", "issuer", "import", "sub.pem"]).ok();
    let list = house.json(&["--mount", "int", "issuer", "list"]);
    assert_eq!(list["keys"].as_array().unwrap().len(), 2, "sub and the root it came with");
    let update = |chain: &str| {
        house.pki(&["--mount", "int", "issuer", "update", "sub", "--manual-chain", chain, "--format", "json"])
    };
    let root = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|id| list["key_info"][id.as_str().unwrap()]["issuer_name"] == "");
    let root = root.unwrap().as_str().unwrap();
    update(&format!("{root},self")).fails(2).says("begin with self");
    update("self,nobody").fails(3);
    update(&format!("self,{root}")).ok();
    let issued: Value = serde_json::from_str(&issue(&house, "a.example.org", &[]).ok().stdout).unwrap();
    assert_eq!(issued["ca_chain"].as_array().unwrap().len(), 2);
    update("self").ok();
    let issued: Value = serde_json::from_str(&issue(&house, "a.example.org", &[]).ok().stdout).unwrap();
    assert_eq!(issued["ca_chain"].as_array().unwrap().len(), 1, "what was set is what is handed out");
    let read = house.json(&["--mount", "int", "issuer", "read", "sub"]);
    assert_eq!(read["manual_chain"].as_array().unwrap().len(), 1);
    update("").ok();
    assert_eq!(house.json(&["--mount", "int", "issuer", "read", "sub"])["manual_chain"], Value::Null);
}

#[test]
fn an_issuers_own_urls_take_the_place_of_the_mounts() {
    let house = with_intermediate(&[], &[]);
    let mounts = ["--mount", "int", "config", "urls", "write", "--ocsp-servers", "http://mount.example/ocsp"];
    house.pki(&mounts).ok();
    let own = ["--crl-distribution-points", "http://issuer.example/crl"];
    house.pki(&[&["--mount", "int", "issuer", "update", "sub"][..], &own].concat()).ok();
    house.pki(&["--mount", "int", "issue", "any", "--alt-names", "a.test", "--out", "tls/"]).ok();
    let seen = house.pki(&["inspect", "tls/cert.pem"]).ok().prints("http://issuer.example/crl");
    assert!(!seen.stdout.contains("mount.example"), "{}", seen.stdout);
    house.pki(&["--mount", "int", "issuer", "update", "sub", "--ocsp-servers", "ocsp"]).fails(2);
    assert_eq!(
        house.json(&["--mount", "int", "issuer", "read", "sub"])["crl_distribution_points"],
        json!(["http://issuer.example/crl"])
    );
}

#[test]
fn the_default_follows_where_it_is_told_to() {
    let house = with_intermediate(&[], &[]);
    house.pki(&["issuer", "default", "--default-follows-latest-issuer"]).ok();
    let next = ["root", "generate", "--common-name", "next", "--key-type", "ec", "--issuer-name", "next"];
    house.pki(&next).ok();
    let default = house.json(&["issuer", "default"]);
    assert_eq!(default["default_follows_latest_issuer"], true);
    assert_eq!(default["pki"]["issuer_name"], "next");
    house.pki(&["issuer", "default", "root", "--default-follows-latest-issuer=false"]).ok();
    assert_eq!(house.json(&["issuer", "default"])["default_follows_latest_issuer"], false);
}

#[test]
fn a_root_is_rotated_and_vouched_for_by_the_old_one() {
    let house = with_intermediate(&[], &[]);
    let rotate = ["root", "rotate", "--common-name", "root 2", "--key-type", "ec", "--ttl", "690h"];
    let names: Vec<Value> = [&[][..], &[], &["--issuer-name", "custom"]]
        .iter()
        .map(|name| house.json(&[&rotate[..], name].concat())["issuer_name"].clone())
        .collect();
    assert_eq!(names, [json!("next"), json!(""), json!("custom")]);
    assert_eq!(house.json(&["issuer", "default"])["pki"]["issuer_name"], "root");

    house.pki(&["issuer", "read", "next", "--format", "pem", "--out", "next.pem"]).ok();
    let cross = house.json(&["root", "cross-sign", "next.pem", "--issuer-ref", "root", "--ttl", "100h"]);
    assert_eq!(cross["ca_chain"].as_array().unwrap().len(), 2);
    house.write("cross.pem", cross["certificate"].as_str().unwrap());
    house.pki(&["issuer", "import", "cross.pem", "--issuer-name", "next-by-root"]).ok();
    let (old, new) =
        (house.json(&["issuer", "read", "next-by-root"]), house.json(&["issuer", "read", "next"]));
    assert_eq!(old["key_id"], new["key_id"]);
    assert_eq!(old["pki"]["authority"], new["pki"]["authority"], "one CRL, one log of revocations");
    assert_eq!(old["ca_chain"].as_array().unwrap().len(), 2);
    assert_eq!(new["ca_chain"].as_array().unwrap().len(), 1);
    assert_eq!(
        house.json(&["crl", "show", "--issuer-ref", "next"])["crl"],
        house.json(&["crl", "show", "--issuer-ref", "next-by-root"])["crl"]
    );

    house.pki(&["root", "replace"]).ok();
    assert_eq!(house.json(&["issuer", "default"])["pki"]["issuer_name"], "next");
    house.pki(&["root", "replace", "--default", "nobody"]).fails(3);
}

#[test]
fn a_cross_certificate_says_no_more_than_the_certificate_that_there_is() {
    let house = with_intermediate(
        &[],
        &[
            "--permitted-dns-domains",
            "example.org",
            "--max-path-length",
            "1",
            "--ext-key-usage",
            "ServerAuth",
        ],
    );
    house.pki(&["mount", "enable", "other"]).ok();
    let other = ["--mount", "other", "root", "generate", "--common-name", "other", "--key-type", "ec"];
    house.pki(&[&other[..], &["--ttl", "700h"]].concat()).ok();
    house.pki(&["--mount", "int", "issuer", "read", "sub", "--format", "pem", "--out", "sub.crt"]).ok();
    let cross = |flags: &[&str]| {
        house.pki(
            &[&["--mount", "other", "root", "cross-sign", "sub.crt", "--format", "json"], flags].concat(),
        )
    };
    for (flags, mismatch) in [
        (&["--max-path-length", "2"][..], "its path length would allow more CAs below"),
        (&["--max-path-length=-1"], "its path length would allow more CAs below"),
        (&["--permitted-dns-domains", "example.net"], "its name constraints would permit more"),
        (&["--permitted-dns-domains", "example.org,example.net"], "its name constraints would permit more"),
        (&["--excluded-dns-domains", "example.net"], "its name constraints would permit more"),
        (&["--ext-key-usage", "ServerAuth,ClientAuth"], "it would serve more purposes"),
        (&["--ext-key-usage="], "it would serve more purposes"),
        (&["--key-usage", "DigitalSignature"], "its key usage would allow more"),
        (&["--ttl", "650h"], "it would end later"),
        (&["--not-before-duration", "48h"], "it would begin earlier"),
    ] {
        cross(flags).fails(1).says(mismatch).says("[authority.correspondence]");
    }
    let narrower =
        cross(&["--max-path-length", "0", "--permitted-dns-domains", "a.example.org", "--ttl", "9h"]);
    let narrower: Value = serde_json::from_str(&narrower.ok().stdout).unwrap();
    house.write("narrower.pem", narrower["certificate"].as_str().unwrap());
    house.pki(&["--mount", "int", "issuer", "import", "narrower.pem", "--issuer-name", "sub-by-other"]).ok();
    // What one path refuses, the other may accept; the answer comes with the chain that does.
    house.pki(&["--mount", "int", "role", "patch", "any", "--issuer-ref", "sub-by-other"]).ok();
    house.pki(&["--mount", "int", "role", "patch", "any", "--client-flag=false"]).ok();
    issue(&house, "b.example.org", &["--ttl", "1h"]).fails(1).says("CN=sub");
    issue(&house, "b.a.example.org", &["--ttl", "1h"]).ok();
    house.pki(&["--mount", "other", "root", "cross-sign", "sub.pem"]).fails(2).says("2 certificates");
    house
        .pki(&[
            "--mount",
            "int",
            "issue",
            "any",
            "--alt-names",
            "b.a.example.org",
            "--ttl",
            "1h",
            "--out",
            "l/",
        ])
        .ok();
    house.pki(&["--mount", "other", "root", "cross-sign", "l/cert.pem"]).fails(1).says("CA:TRUE");
}

#[test]
fn a_key_gets_another_certificate_and_keeps_its_name() {
    let house = with_intermediate(&[], &[]);
    let before = house.json(&["--mount", "int", "issuer", "read", "sub"]);
    // The CSR speaks of the CA that has the key, and the new issuer's name waits with the key.
    let csr = ["--mount", "int", "intermediate", "cross-sign", "--issuer-name", "sub-2"];
    house.pki(&[&csr[..], &["--out", "again.csr"]].concat()).ok().prints("CN=sub");
    house.pki(&[&csr[..], &["--out", "again-2.csr"]].concat()).ok();
    house
        .pki(&["--mount", "int", "intermediate", "cross-sign", "--issuer-name", "SUB", "--out", "x.csr"])
        .fails(1);
    let existing =
        ["--mount", "int", "intermediate", "generate", "--type", "existing", "--common-name", "sub"];
    house.pki(&[&existing[..], &["--issuer-name", "sub-2", "--out", "y.csr"]].concat()).ok();
    house
        .pki(&["root", "sign-intermediate", "--csr", "again.csr", "--ttl", "500h", "--out", "again.pem"])
        .ok();
    house.pki(&["--mount", "int", "intermediate", "set-signed", "again.pem"]).ok();
    let after = house.json(&["--mount", "int", "issuer", "read", "sub-2"]);
    assert_eq!(before["key_id"], after["key_id"]);
    assert_eq!(before["pki"]["authority"], after["pki"]["authority"]);
    let skid = |certificate: &Value| {
        house.write("c.pem", certificate.as_str().unwrap());
        house.json(&["inspect", "c.pem"]).to_string()
    };
    let named = house.json(&["--mount", "int", "key", "read", before["key_id"].as_str().unwrap()]);
    let named = named["pki"]["subject_key_id"].as_str().unwrap().to_owned();
    assert!(skid(&after["certificate"]).contains(&named) && skid(&before["certificate"]).contains(&named));

    // A name that is not computed from the key stays too, also for a root.
    let own = ["root", "sign-intermediate", "--csr", "again.csr", "--ttl", "9h", "--skid", "aa:bb:cc"];
    house.pki(&[&own[..], &["--out", "own.pem"]].concat()).ok();
    house.pki(&[&own[..7], &["--skid", "aa:b"]].concat()).fails(2);
    assert!(house.json(&["inspect", "own.pem"]).to_string().contains("aa:bb:cc"));
    let again =
        ["root", "generate", "--type", "existing", "--common-name", "root", "--issuer-name", "root-2"];
    house.pki(&again).ok();
    let roots = [house.json(&["issuer", "read", "root"]), house.json(&["issuer", "read", "root-2"])];
    assert_eq!(roots[0]["pki"]["authority"], roots[1]["pki"]["authority"]);
    assert_ne!(roots[0]["pki"]["serial_number"], roots[1]["pki"]["serial_number"]);
    house.pki(&[&again[..], &["--key-bits", "256"]].concat()).fails(2);
}
