//! For every rule: a request that it refuses, the printed remedy followed to the letter, the same request permitted.
//!
//! A rule without a case here fails the test.

use std::process::Command;

use pki_core::explain::RuleId;

use super::House;

/// How the printed remedy is followed.
enum Follow {
    /// A shell runs the printed command.
    Command,
    /// The printed flags join the request, in place of those of the same name.
    Flags,
    /// The remedy says this in words, and the request that takes it at its word is this one.
    Words { says: &'static str, request: &'static [&'static str] },
}

use Follow::{Command as Run, Flags, Words};

struct Case {
    rule: RuleId,
    /// The flags of `role write r`.
    role: &'static [&'static str],
    request: &'static [&'static str],
    follow: Follow,
}

const fn case(
    rule: RuleId,
    role: &'static [&'static str],
    request: &'static [&'static str],
    follow: Follow,
) -> Case {
    Case { rule, role, request, follow }
}

/// What a case's own flags come on top of.
const BASE: &[&str] = &[
    "role",
    "write",
    "r",
    "--allowed-domains=example.org",
    "--allow-bare-domains",
    "--allow-subdomains",
    "--key-type=ec",
    "--require-cn=false",
    "--max-ttl=12h",
];
const WWW: &str = "--common-name=www.example.org";
const LONG: &str = "--common-name=a-name-that-goes-on-and-on-and-on-and-on-and-on.is-too-long.example.org";
const LONG_SAN: &str = "--alt-names=a-name-that-goes-on-and-on-and-on-and-on-and-on.is-too-long.example.org";
const UID: &str = "--user-ids=uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\
                   uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\
                   uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\
                   uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu";

#[rustfmt::skip]
const CASES: &[Case] = &[
    case(RuleId::KEY_TYPE, &["--key-type=any"], &["issue", "r", WWW], Run),
    case(RuleId::KEY_TYPE, &["--key-type=any"], &["issue", "r", WWW], Flags),
    case(RuleId::KEY_TYPE, &["--key-type=rsa"], &["sign", "r", "--csr", "www.csr"], Run),
    case(RuleId::KEY_BITS, &["--key-bits=384"], &["sign", "r", "--csr", "www.csr"], Run),
    case(RuleId::KEY_WEAK, &["--key-type=any"], &["sign", "r", "--csr", "three.csr"],
        Words { says: "a new key", request: &["sign", "r", "--csr", "www.csr"] }),
    case(RuleId::KEY_REUSE, &["--key-reuse=refuse"], &["sign", "r", "--csr", "www.csr"], Run),
    case(RuleId::COMMON_NAME_REQUIRED, &["--require-cn"], &["issue", "r", "--alt-names=www.example.org"], Run),
    case(RuleId::COMMON_NAME_LENGTH, &[], &["issue", "r", LONG],
        Words { says: "--alt-names", request: &["issue", "r", LONG_SAN] }),
    case(RuleId::COMMON_NAME_IP, &["--allow-any-name", "--enforce-hostnames=false"],
        &["issue", "r", "--common-name=192.0.2.1", "--exclude-cn-from-sans"], Flags),
    case(RuleId::NAME_AT_SIGN, &["--allow-any-name"], &["issue", "r", "--common-name=a@b@example.org"],
        Words { says: "with one @", request: &["issue", "r", "--common-name=a@example.org"] }),
    case(RuleId::NAME_WILDCARD, &["--allow-wildcard-certificates=false"],
        &["issue", "r", "--alt-names=*.example.org"], Run),
    case(RuleId::NAME_WILDCARD_PLACE, &[], &["issue", "r", "--common-name=www.*.example.org"],
        Words { says: "left-most label", request: &["issue", "r", "--common-name=*.example.org"] }),
    case(RuleId::NAME_HOSTNAME, &[], &["issue", "r", "--common-name=a_b.example.org", "--exclude-cn-from-sans"], Run),
    case(RuleId::NAME_DOMAIN, &["--allow-bare-domains=false"], &["issue", "r", "--alt-names=example.org"], Run),
    case(RuleId::NAME_DOMAIN, &["--allow-subdomains=false"], &["issue", "r", "--alt-names=a.example.org"], Run),
    case(RuleId::NAME_DOMAIN, &["--allowed-domains=w*.test"], &["issue", "r", "--alt-names=www.test"], Run),
    case(RuleId::NAME_DOMAIN, &["--allow-localhost=false"], &["issue", "r", "--alt-names=localhost"], Run),
    case(RuleId::NAME_DOMAIN, &[], &["issue", "r", "--alt-names=*.other.test"], Run),
    case(RuleId::NAME_DOMAIN, &[], &["issue", "r", "--alt-names=ann@other.test"], Run),
    case(RuleId::COMMON_NAME_KIND, &["--cn-validations=email"], &["issue", "r", WWW], Run),
    case(RuleId::COMMON_NAME_IN_SANS, &["--allow-any-name", "--enforce-hostnames=false"],
        &["issue", "r", "--common-name=a..example.org"], Flags),
    case(RuleId::SUBJECT_SERIAL_NUMBER, &[], &["issue", "r", WWW, "--serial-number=SN 7"], Run),
    case(RuleId::OTHER_NAME_ALLOWED, &[], &["issue", "r", WWW, "--other-sans=1.2.3.4;utf8:it's me"], Run),
    case(RuleId::IP_ALLOWED, &["--allow-ip-sans=false"], &["issue", "r", WWW, "--ip-sans=192.0.2.1"], Run),
    case(RuleId::IP_NETWORK, &["--allowed-ip-sans-cidr=10.0.0.0/8"],
        &["issue", "r", WWW, "--ip-sans=192.0.2.1"], Run),
    case(RuleId::URI_ALLOWED, &[], &["issue", "r", WWW, "--uri-sans=spiffe://example.org/a;b"], Run),
    case(RuleId::SAN_KIND, &["--require-cn=false"], &["sign", "r", "--csr", "rid.csr"], Run),
    case(RuleId::SUBJECT_USER_ID, &[], &["issue", "r", WWW, "--user-ids=ann"], Run),
    case(RuleId::SUBJECT_VALUE, &["--allowed-user-ids=*"], &["issue", "r", WWW, UID],
        Words { says: "a value that the attribute can have", request: &["issue", "r", WWW, "--user-ids=u"] }),
    case(RuleId::SUBJECT_NOBODY, &[], &["issue", "r"],
        Words { says: "--alt-names", request: &["issue", "r", "--alt-names=www.example.org"] }),
    case(RuleId::KEY_USAGE_END_ENTITY, &["--use-csr-extensions"], &["sign", "r", "--csr", "certsign.csr"], Run),
    case(RuleId::KEY_USAGE, &["--key-usage=KeyEncipherment"], &["issue", "r", WWW], Run),
    case(RuleId::EXTENSION_ALLOWED, &[], &["issue", "r", WWW, "--extension=1.2.3.4=utf8:x"], Run),
    case(RuleId::EXTENSION_ALLOWED, &[], &["issue", "r", WWW, "--extension=1.2.3.4=critical,utf8:x"], Run),
    case(RuleId::EXTENSION_CRITICAL, &["--allowed-extensions=1.2.3.4"],
        &["issue", "r", WWW, "--extension=1.2.3.4=critical,utf8:x"], Run),
    case(RuleId::EXTENSION_VALUE, &["--allowed-extensions=*"], &["issue", "r", WWW, "--extension=1.2.3.4=der:0c05"],
        Words { says: "in DER", request: &["issue", "r", WWW, "--extension=1.2.3.4=der:0c0161"] }),
    case(RuleId::LIFETIME_NOT_BEFORE, &["--not-before-bound=forbid"],
        &["issue", "r", WWW, "--not-before=2026-01-01T00:00:00Z"], Run),
    case(RuleId::LIFETIME_NOT_AFTER, &["--not-after-bound=forbid", "--max-ttl=700h"],
        &["issue", "r", WWW, "--not-after=9999-01-01T00:00:00Z"], Run),
    case(RuleId::LIFETIME_CONFLICT, &["--not-after=9999-01-01T00:00:00Z", "--max-ttl=700h"],
        &["issue", "r", WWW, "--ttl=1h"], Run),
    case(RuleId::LIFETIME_CONFLICT, &["--not-after=9999-01-01T00:00:00Z", "--max-ttl=700h"],
        &["issue", "r", WWW, "--ttl=1h"], Words { says: "leave --ttl out", request: &["issue", "r", WWW] }),
    case(RuleId::LIFETIME_ORDER, &[], &["issue", "r", WWW, "--not-after=2001-01-01T00:00:00Z"],
        Words { says: "--ttl", request: &["issue", "r", WWW, "--ttl=1h"] }),
    case(RuleId::ISSUER_USAGE, &["--issuer-ref=unused"], &["issue", "r", WWW], Run),
    case(RuleId::ISSUER_PATH_LENGTH, &[],
        &["root", "sign-intermediate", "--issuer-ref=one", "--csr=www.csr", "--ttl=1h", "--max-path-length=5"], Flags),
    case(RuleId::ISSUER_VALIDITY, &["--issuer-ref=short", "--max-ttl=72h"], &["issue", "r", WWW, "--ttl=48h"], Run),
    case(RuleId::ISSUER_VALIDITY, &["--issuer-ref=short", "--max-ttl=72h"], &["issue", "r", WWW, "--ttl=48h"], Flags),
    case(RuleId::ISSUER_OWN_KEY, &["--issuer-ref=exported"], &["sign", "r", "--csr", "own.csr"],
        Words { says: "a key of its own", request: &["sign", "r", "--csr", "www.csr"] }),
    case(RuleId::ISSUER_PURPOSES, &["--issuer-ref=servers"], &["issue", "r", WWW], Run),
    case(RuleId::ISSUER_NAME_CONSTRAINTS, &["--issuer-ref=named", "--allow-any-name"],
        &["issue", "r", "--common-name=www.other.test"],
        Words { says: "example.org", request: &["issue", "r", WWW] }),
    case(RuleId::ISSUER_POLICIES, &["--issuer-ref=policy"], &["issue", "r", WWW], Run),
    case(RuleId::AUTHORITY_CORRESPONDENCE, &[],
        &["root", "cross-sign", "short.pem", "--issuer-ref=root", "--ttl=100h"],
        Words { says: "shorten --ttl", request: &["root", "cross-sign", "short.pem", "--issuer-ref=root", "--ttl=1h"] }),
    case(RuleId::AUTHORITY_SUBJECT, &[], &["root", "generate", "--key-type=ec", "--organization="],
        Words { says: "--common-name NAME", request: &["root", "generate", "--key-type=ec", "--common-name=NAME"] }),
    case(RuleId::AUTHORITY_KEY, &[], &["root", "sign-intermediate", "--csr=long.csr", "--ttl=1h"],
        Words { says: "ec", request: &["root", "sign-intermediate", "--csr=www.csr", "--ttl=1h"] }),
];

#[test]
fn each_remedy_followed_to_the_letter_makes_the_request_pass() {
    let house = House::new();
    prepare(&house);
    let failures: Vec<String> = CASES
        .iter()
        .filter_map(|case| attempt(&house, case).map_err(|what| format!("{}: {what}", case.rule)).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let without: Vec<&RuleId> =
        RuleId::ALL.iter().filter(|rule| CASES.iter().all(|case| case.rule != **rule)).collect();
    assert!(without.is_empty(), "no case for {without:?}");
}

/// Is refused by the rule, follows the remedy, and asks again.
fn attempt(house: &House, case: &Case) -> Result<(), String> {
    let Case { rule, role, request, follow } = case;
    let done = |line: &[&str]| {
        let done = house.pki(line);
        if done.status == 0 { Ok(()) } else { Err(format!("pki {}: {}", done.line, done.stderr)) }
    };
    done(&merge(BASE, role))?;
    let refused = house.pki(request);
    if refused.status != 1 || !refused.stderr.contains(&format!("[{rule}]")) {
        return Err(format!("pki {}: {} {}", refused.line, refused.status, refused.stderr));
    }
    let remedy = refused.stderr.lines().last().unwrap_or_default();
    match follow {
        Run => run(house, remedy).and_then(|()| done(request)),
        Flags => done(&merge(request, &flags(remedy))),
        Words { says, request } if remedy.contains(says) => done(request),
        Words { says, .. } => Err(format!("{says:?} is not in {remedy}")),
    }
}

/// Issuers of every kind that rules speak of, and CSRs that another program made.
fn prepare(house: &House) {
    for line in [
        "root generate --common-name root --issuer-name root --key-type ec --ttl 720h",
        "root generate --common-name unused --issuer-name unused --key-type ec",
        "root generate --common-name one --issuer-name one --key-type ec --max-path-length 1",
        "root generate --common-name short --issuer-name short --key-type ec --ttl 24h",
        "root generate --common-name servers --issuer-name servers --key-type ec --ext-key-usage serverauth",
        "root generate --common-name named --issuer-name named --key-type ec --permitted-dns-domains example.org",
        "root generate --common-name exported --issuer-name exported --key-type ec --type exported --out exported/",
        "issuer update unused --usage crl-signing",
        "issuer read short --format pem --out short.pem",
    ] {
        house.pki(&line.split_whitespace().collect::<Vec<_>>()).ok();
    }
    let openssl = |line: &str| {
        let mut command = Command::new("openssl");
        let output =
            command.current_dir(house.directory.path()).args(line.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let request = "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key.pem -subj";
    openssl(&format!(
        "{request} /CN=www.example.org -addext subjectAltName=DNS:www.example.org -out www.csr"
    ));
    openssl(&format!("{request} /CN=www.example.org -addext subjectAltName=RID:1.2.3.4 -out rid.csr"));
    openssl(&format!("{request} /CN=www.example.org -addext keyUsage=keyCertSign -out certsign.csr"));
    openssl("req -new -key exported/key.pem -subj /CN=www.example.org -out own.csr");
    openssl("req -new -nodes -newkey rsa:4104 -keyout key.pem -subj /CN=www.example.org -out long.csr");
    openssl(
        "req -new -nodes -newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3 -keyout key.pem -subj /CN=www.example.org \
         -out three.csr",
    );
    openssl(
        "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout policy.key -subj /CN=policy -days 20 \
         -CA exported/cert.pem -CAkey exported/key.pem -addext keyUsage=critical,keyCertSign,cRLSign \
         -addext certificatePolicies=1.2.3.4 -addext policyConstraints=critical,requireExplicitPolicy:0 -out policy.pem",
    );
    house.write("policy.bundle", format!("{}{}", house.read("policy.pem"), house.read("policy.key")));
    house.pki(&["issuer", "import", "policy.bundle", "--issuer-name", "policy"]).ok();
}

/// Has a shell run the command that the remedy prints.
fn run(house: &House, remedy: &str) -> Result<(), String> {
    let start = remedy.find("pki ").ok_or_else(|| format!("no command in {remedy}"))?;
    let line = remedy[start..].split('`').next().unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_pki")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .current_dir(house.directory.path())
        .env("PATH", path)
        .env("PKI_STORE", house.path("store"))
        .args(["-c", line])
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The flags that a remedy prints first, with their values.
fn flags(remedy: &str) -> Vec<&str> {
    let mut flags = Vec::new();
    let start = remedy.find("--").unwrap_or(remedy.len());
    let mut words = remedy[start..].split_whitespace().peekable();
    while let Some(word) = words.next() {
        let flag = word.trim_end_matches([',', ';']);
        if !flag.starts_with("--") {
            break;
        }
        flags.push(flag);
        let last = flag.len() < word.len();
        if !last && words.peek().is_some_and(|value| !value.starts_with("--")) {
            let value = words.next().unwrap_or_default();
            flags.push(value.trim_end_matches([',', ';']));
            if value.ends_with([',', ';']) {
                break;
            }
        } else if last {
            break;
        }
    }
    flags
}

/// The line with these flags, in place of those that say the same.
fn merge<'a>(line: &[&'a str], flags: &[&'a str]) -> Vec<&'a str> {
    let name = |flag: &str| match flag.split('=').next() {
        // Both say how long.
        Some("--ttl" | "--not-after") => "--end".to_owned(),
        name => name.unwrap_or_default().to_owned(),
    };
    let given: Vec<String> =
        flags.iter().filter(|flag| flag.starts_with("--")).map(|flag| name(flag)).collect();
    let kept = line.iter().filter(|word| !word.starts_with("--") || !given.contains(&name(word)));
    kept.chain(flags).copied().collect()
}
