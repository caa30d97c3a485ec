//! "Why was I refused?": explain, dry run, and what the audit log keeps.

use serde_json::Value;

use super::{Done, House};

/// The answer on standard output, the two lines on standard error, and the code of a refusal.
#[track_caller]
fn refused(done: Done) -> Value {
    assert_eq!(done.status, 1, "pki {}: {}{}", done.line, done.stdout, done.stderr);
    assert_eq!(done.stderr.lines().count(), 2, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn rules(trace: &Value, answer: &str) -> Vec<String> {
    let decisions = trace["decisions"].as_array().unwrap();
    let line = |d: &Value| format!("{} {}", d["rule"].as_str().unwrap(), d["value"].as_str().unwrap());
    decisions.iter().filter(|d| d["answer"] == answer).map(line).collect()
}

#[test]
fn every_rule_of_role_and_chain_answers() {
    let house = House::with_role();
    house.pki(&["role", "patch", "web", "--allow-ip-sans=false"]).ok();
    let line = [
        "role",
        "explain",
        "web",
        "--common-name",
        "www.example.org",
        "--alt-names",
        "www.example.com",
        "--ip-sans",
        "192.0.2.1",
        "--not-after",
        "2020-01-01T00:00:00Z",
    ];
    let done = house.pki(&line);
    assert_eq!(done.status, 1);
    assert!(done.stdout.contains("allow_subdomains with example.org of allowed_domains"), "{}", done.stdout);
    assert!(done.stdout.contains("the role: pki role patch web --allow-ip-sans\n"), "{}", done.stdout);
    let json = refused(house.pki(&[&line[..], &["--format", "json"]].concat()));
    assert_eq!(json["pki"]["verdict"], "refuse");
    assert_eq!(
        rules(&json["pki"]["trace"], "refuse"),
        ["name.domain www.example.com", "ip.allowed 192.0.2.1", "lifetime.order 2020-01-01T00:00:00Z"]
    );
    let permitted = rules(&json["pki"]["trace"], "permit");
    assert!(permitted.contains(&"name.domain www.example.org".to_owned()), "{permitted:?}");
    assert!(permitted.iter().any(|line| line.starts_with("issuer.purposes")), "{permitted:?}");

    let json = house.json(&["role", "explain", "web", "--common-name", "www.example.org", "--ttl", "24h"]);
    assert_eq!(json["pki"]["verdict"], "permit");
    assert_eq!(json["pki"]["granted"]["names"], "DNS:www.example.org");
    house.pki(&["role", "explain", "none", "--common-name", "a"]).fails(3);
    house.pki(&["role", "explain", "web", "--csr", "absent.csr"]).fails(2);
    house.pki(&["role", "explain", "web", "--csr", "a.csr", "--key-type", "ec"]).fails(2);
}

#[test]
fn a_dry_run_says_what_the_act_would_say_and_does_nothing() {
    let house = House::with_role();
    house.csr("www.example.org", "www.csr");
    house.csr("www.example.com", "other.csr");
    let state =
        || (house.json(&["cert", "list"]), house.json(&["audit", "show"]), house.json(&["key", "list"]));
    let before = state();
    for (line, status) in [
        (&["issue", "web", "--common-name", "www.example.org", "--out", "tls/"][..], 0),
        (&["issue", "web", "--common-name", "www.example.org", "--format", "pem_bundle"], 0),
        (&["issue", "web", "--common-name", "www.example.com"], 1),
        (&["issue", "web", "--common-name", "www.example.org", "--not-after", "9999-12-31T23:59:59Z"], 0),
        (&["sign", "web", "--csr", "www.csr", "--out", "www.crt"], 0),
        (&["sign", "web", "--csr", "other.csr"], 1),
    ] {
        let dry = house.pki(&[line, &["--dry-run"]].concat());
        assert_eq!(dry.status, status, "{}: {}", dry.line, dry.stderr);
        assert!(dry.stdout.contains("name.domain"), "{}", dry.stdout);
        assert!(!dry.stdout.contains("BEGIN"), "{}", dry.stdout);
        assert_eq!(state(), before, "{}", dry.line);
    }
    assert!(!house.path("tls").exists() && !house.path("www.crt").exists());
    for (line, status) in [
        (&["issue", "web", "--common-name", "www.example.com"][..], 1),
        (&["sign", "web", "--csr", "www.csr", "--out", "www.crt"], 0),
        (&["sign", "web", "--csr", "other.csr"], 1),
    ] {
        assert_eq!(house.pki(line).status, status, "{line:?}");
    }
    house.pki(&["issue", "web", "--common-name", "a", "--view", "requester"]).fails(2).says("--dry-run");
}

#[test]
fn a_requester_learns_nothing_of_the_role() {
    let house = House::with_role();
    let line = ["role", "explain", "web", "--common-name", "www.elsewhere.test", "--view", "requester"];
    for format in [&[][..], &["--format", "json"]] {
        let done = house.pki(&[&line[..], format].concat());
        assert_eq!(done.status, 1);
        let shown = format!("{}{}", done.stdout, done.stderr);
        assert!(shown.contains("www.elsewhere.test") && shown.contains("name.domain"), "{shown}");
        assert!(!shown.contains("example.org") && !shown.contains("role patch"), "{shown}");
    }
}

#[test]
fn the_audit_row_of_a_refusal_has_the_trace() {
    let house = House::with_role();
    house.csr("www.example.com", "other.csr");
    house.pki(&["issue", "web", "--common-name", "a.example.com", "--alt-names", "b.example.com"]).fails(1);
    house.pki(&["sign", "web", "--csr", "other.csr"]).fails(1);
    let log = house.json(&["audit", "show", "--outcome", "refused"]);
    let row = |n: usize| &log["key_info"][log["keys"][n].as_str().unwrap()]["detail"]["trace"];
    assert_eq!(rules(row(1), "refuse"), ["name.domain a.example.com", "name.domain b.example.com"]);
    let explained = refused(house.pki(&["role", "explain", "web", "--csr", "other.csr", "--format", "json"]));
    let without_time = |trace: &Value| {
        let mut rules = rules(trace, "permit");
        rules.retain(|rule| !rule.starts_with("lifetime") && !rule.starts_with("issuer.validity"));
        rules
    };
    assert_eq!(without_time(row(0)), without_time(&explained["pki"]["trace"]));
    assert_eq!(rules(row(0), "refuse"), rules(&explained["pki"]["trace"], "refuse"));
    house.pki(&["audit", "show"]).ok().prints("; also name.domain b.example.com");
    house.pki(&["audit", "verify"]).ok();
}
