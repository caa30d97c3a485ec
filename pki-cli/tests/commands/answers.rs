//! Help, completions, manual pages, and how answers are asked for.

use super::House;

#[test]
fn help_is_an_answer() {
    let house = House::empty();
    for line in
        [&["--help"][..], &["issue", "--help"], &["role", "write", "-h"], &["config", "urls", "--help"]]
    {
        let done = house.pki(line).ok().prints("Usage");
        assert_eq!(done.stderr, "");
    }
    house.pki(&["--version"]).ok().prints("pki ");
    house.pki(&["role", "write", "--help"]).ok().prints("--allow-bare-domains").prints("Example");
}

#[test]
fn shells_and_manuals_know_every_command() {
    let house = House::empty();
    for shell in ["bash", "zsh", "fish"] {
        house.pki(&["completions", shell]).ok().prints("sign-intermediate").prints("allow-bare-domains");
    }
    house.pki(&["completions", "tcsh"]).fails(2);
    house.pki(&["man", "man1"]).ok();
    assert!(house.read("man1/pki-role-write.1").contains("allow\\-bare\\-domains"));
    assert!(std::fs::read_dir(house.path("man1")).unwrap().count() > 30);
    house.pki(&["man", "man1"]).fails(2);
    house.pki(&["man", "man1", "--force"]).ok();
}

#[test]
fn a_field_is_one_value() {
    let house = House::with_role();
    assert_eq!(house.pki(&["role", "read", "web", "--field", "max_ttl"]).ok().stdout, "2592000\n");
    assert_eq!(
        house.pki(&["role", "read", "web", "--field", "allowed_domains"]).ok().stdout,
        "example.org\n"
    );
    assert_eq!(house.pki(&["role", "read", "web", "--field", "pki.name"]).ok().stdout, "web\n");
    house.pki(&["role", "read", "web", "--field", "none"]).fails(2).says("max_ttl");
    house.pki(&["mount", "list", "--field", "keys", "--out", "mounts"]).ok();
    assert_eq!(house.read("mounts"), "database\npki\n");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let house = House::with_role();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = house.command().args(["role", "read", "web"]).stdout(writer).output().unwrap();
    assert!(output.status.success());
}
