//! Output files.

use super::House;

#[test]
fn a_file_that_exists_is_kept_unless_forced() {
    let house = House::new();
    house.write("root.crt", "precious");
    let line = ["root", "generate", "--common-name", "r", "--key-type", "ec", "--out", "root.crt"];
    house.pki(&line).fails(2).says("--force");
    assert_eq!(house.read("root.crt"), "precious");
    assert_eq!(house.json(&["issuer", "list"])["keys"], serde_json::json!([]), "nothing was signed");
    house.pki(&[&line[..], &["--force"]].concat()).ok();
    assert!(house.read("root.crt").starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn nothing_is_left_beside_what_was_written() {
    let house = House::with_role();
    house.pki(&["issue", "web", "--common-name", "example.org", "--out", "tls/"]).ok();
    house.pki(&["issue", "web", "--common-name", "example.org", "--out", "tls/", "--replace"]).ok();
    house.pki(&["issue", "web", "--common-name", "example.org", "--out", "one.pem"]).ok();
    let mut names: Vec<String> = std::fs::read_dir(house.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["one.pem", "root.crt", "store", "tls"]);
}

#[test]
fn standard_output_has_a_name() {
    let house = House::with_role();
    let done = house.pki(&["issuer", "read", "root", "--out", "-"]).ok();
    assert!(done.stdout.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(done.stdout, house.read("root.crt"));
}

#[test]
fn a_directory_is_for_sets_only() {
    let house = House::with_role();
    house.pki(&["crl", "show", "--out", "dir/"]).fails(2);
    house.pki(&["cert", "list", "--out", "."]).fails(2);
    house.csr("www.example.org", "www.csr");
    house.pki(&["sign", "web", "--csr", "www.csr", "--out", "signed/"]).ok();
    assert!(house.path("signed/cert.pem").exists() && !house.path("signed/key.pem").exists());
}

#[test]
fn output_that_cannot_work_stops_the_act() {
    let house = House::new();
    house.write("there", "precious");
    house.pki(&["role", "write", "r", "--out", "there"]).fails(2);
    house.pki(&["role", "write", "r", "--format", "der"]).fails(2);
    house.pki(&["mount", "enable", "m", "--out", "there"]).fails(2);
    assert_eq!(house.json(&["role", "list"])["keys"], serde_json::json!([]));
    assert_eq!(house.json(&["mount", "list"])["keys"].as_array().unwrap().len(), 2);
}
