//! CRLs: deltas, how they are, what they lack, and those that are signed ahead.

use super::{Done, House};

/// How a command ends that answers and fails: its answer, then the two lines.
trait Ends {
    fn ends(self, code: i32, fault: &str, remedy: &str) -> Self;
}

impl Ends for Done {
    #[track_caller]
    fn ends(self, code: i32, fault: &str, remedy: &str) -> Self {
        assert_eq!(self.status, code, "pki {}: {}{}", self.line, self.stdout, self.stderr);
        let has = |start: &str, text: &str| {
            self.stderr.lines().any(|line| line.starts_with(start) && line.contains(text))
        };
        assert!(has("error: ", fault), "pki {}: {fault:?} is not in {}", self.line, self.stderr);
        assert!(has("remedy: ", remedy), "pki {}: {remedy:?} is not in {}", self.line, self.stderr);
        self
    }
}

/// A house with a role; the serial numbers of so many certificates.
fn house(certificates: usize) -> (House, Vec<String>) {
    let house = House::with_role();
    let serials = (0..certificates)
        .map(|number| {
            let name = format!("{number}.example.org");
            let issued = house.json(&["issue", "web", "--common-name", &name, "--ttl", "24h"]);
            issued["serial_number"].as_str().unwrap().to_owned()
        })
        .collect();
    (house, serials)
}

#[test]
fn the_status_tells_monitoring_what_to_do() {
    let (house, serials) = house(1);
    let status = |flags: &[&str]| house.pki(&[&["crl", "status", "--format", "json"], flags].concat());
    status(&[]).ok().prints("\"state\": \"ok\"");
    status(&["--warning", "100h"]).ends(10, "left", "crl rotate").prints("\"state\": \"warning\"");
    status(&["--critical", "100h"]).ends(11, "left", "crl rotate").prints("\"state\": \"critical\"");
    house.pki(&["revoke", &serials[0]]).ok();
    status(&[]).ends(10, "revoked after it was signed", "crl rotate");
    house.pki(&["crl", "rotate", "--delta"]).ok();
    status(&[]).ok();
    house.pki(&["crl", "rotate", "--expiry", "1s"]).ok();
    // The second passes, whatever else does.
    let start = std::time::Instant::now();
    while house.pki(&["crl", "status"]).status != 11 {
        assert!(start.elapsed().as_secs() < 60, "a CRL of one second never lapses");
    }
    status(&[]).ends(11, "past its next update", "crl rotate");
    status(&["--issuer-ref", "nobody"]).ends(3, "nobody", "issuer list");
}

#[test]
fn a_delta_has_what_the_full_list_lacks() {
    let (house, serials) = house(2);
    house.pki(&["revoke", &serials[0]]).ok();
    house.pki(&["crl", "show", "--delta"]).ends(3, "no delta CRL", "crl rotate --delta");
    let url = "http://crl.example.org/delta.crl";
    let full = house.json(&["crl", "rotate", "--freshest-crl", url])["pki"]["crls"][0].clone();
    house.pki(&["revoke", &serials[1], "--reason", "superseded"]).ok();
    let delta = house.json(&["crl", "rotate", "--delta"])["pki"]["crls"][0].clone();
    assert_eq!((full["revoked"].as_u64(), delta["revoked"].as_u64()), (Some(1), Some(1)));
    let number = |crl: &serde_json::Value| crl["number"].as_str().unwrap().parse::<u128>().unwrap();
    assert!(number(&delta) > number(&full), "one sequence of numbers");
    house.pki(&["crl", "check"]).ok().prints("says what the log says");
    house.pki(&["crl", "show", "--delta", "--format", "pem", "--out", "delta.crl"]).ok();
    let read = house.json(&["inspect", "delta.crl"])["pki"]["objects"][0].clone();
    assert_eq!(read["partial"], true);
    assert_eq!(read["revoked"].as_array().unwrap().len(), 1);
    assert_eq!(read["revoked"][0]["serial_number"], serials[1].as_str());
    house.pki(&["publish", "www"]).ok().prints(".delta.crl");
    // The delta alone is not the next list.
    house.pki(&["crl", "check", "delta.crl"]).ends(1, "covers something else", "crl rotate");
    house.pki(&["crl", "rotate", "--delta", "--freshest-crl", url]).ends(2, "cannot be used with", "--help");
    house.pki(&["crl", "rotate", "--freshest-crl", "no url"]).ends(2, "no url", "--help");
}

#[test]
fn a_revocation_voids_what_was_signed_ahead() {
    let (house, serials) = house(2);
    let revoked = house.pki(&["revoke", &serials[0]]).ok();
    assert!(!revoked.stderr.contains("signed ahead"), "nothing is: {}", revoked.stderr);
    let line = ["crl", "series", "--count", "3", "--every", "7d", "--overlap", "1d", "--out", "crls"];
    let series = house.json(&line);
    let members = series["pki"]["crls"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    for pair in members.windows(2) {
        let time = |member: &serde_json::Value, key: &str| member[key].as_u64().unwrap();
        assert_eq!(time(&pair[1], "this_update") - time(&pair[0], "this_update"), 7 * 86_400);
        assert_eq!(time(&pair[0], "next_update") - time(&pair[1], "this_update"), 86_400);
    }
    let file = |member: usize| members[member]["file"].as_str().unwrap();
    assert!(file(0).ends_with(".crl") && file(0).contains(members[0]["number"].as_str().unwrap()));
    // The first is published; the others follow it, and have every entry.
    house.pki(&["crl", "check"]).ok();
    house.pki(&["crl", "check", file(0)]).ends(1, "not above the published", "crl rotate");
    for member in 1..3 {
        house.pki(&["crl", "check", file(member)]).ok().prints("says what the log says");
    }
    house.pki(&["crl", "status"]).ok();
    house.pki(&["revoke", &serials[1]]).ok().says("signed ahead and do not list it");
    house.pki(&["crl", "status"]).ends(11, "series were signed, which are void", "crl rotate");
    house.pki(&["crl", "check", file(1)]).ends(1, "was revoked and is not on it", "crl rotate");
    // A new series is numbered above all of the old one.
    let next = house.json(&["crl", "series", "--count", "1", "--every", "7d", "--out", "next"]);
    let number = |crl: &serde_json::Value| crl["number"].as_str().unwrap().parse::<u128>().unwrap();
    assert!(number(&next["pki"]["crls"][0]) > number(&members[2]));
    house.pki(&["crl", "status"]).ok();
    house.pki(&["crl", "check", file(2)]).ends(1, "not above the published", "crl rotate");

    for (flags, code, fault) in [
        (&["--count", "0", "--every", "7d"][..], 2, "invalid value"),
        (&["--count", "241", "--every", "7d"], 2, "at most 240"),
        (&["--count", "2", "--every", "0s"], 2, "one second apart"),
        (&["--count", "2", "--every", "1d", "--overlap", "2d"], 2, "overlap"),
        (&["--count", "2"], 2, "--every"),
        (&["--count", "240", "--every", "3000000h"], 2, "would end after"),
    ] {
        house.pki(&[&["crl", "series", "--out", "refused"], flags].concat()).ends(code, fault, "");
    }
    house.pki(&["crl", "series", "--count", "2", "--every", "7d"]).ends(2, "no directory", "--out");
}

#[test]
fn a_list_of_somebody_else_is_not_ours() {
    let (house, _) = house(0);
    let other = House::with_role();
    other.pki(&["crl", "show", "--format", "pem", "--out", "other.crl"]).ok();
    let other = other.path("other.crl");
    let other = other.to_str().unwrap();
    house.pki(&["crl", "check", other]).ends(1, "differences in all", "crl rotate");
    house.pki(&["crl", "check", "absent.crl"]).ends(2, "cannot read", "a CRL");
}
