//! One process: `pki issue` and `pki sign` beside an empty process, and `pki sign` beside `openssl ca`.
//!
//! Builds the command for release first, or takes the one that `PKI_BIN` names.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a measurement may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 151;

fn main() {
    let pki = binary();
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    prepare(&pki, directory);
    let store = directory.join("store");
    let pki = |arguments: &[&str]| {
        let mut command = Command::new(&pki);
        command.current_dir(directory).env("PKI_STORE", &store).args(arguments);
        command
    };
    let issue = || pki(&["issue", "web", "--common-name", "www.example.com"]);
    let sign = || pki(&["sign", "web", "--csr", "request.csr"]);
    let openssl = || {
        let mut command = Command::new("openssl");
        command.current_dir(directory).args(["ca", "-batch", "-notext", "-config", "openssl.cnf"]);
        command.args(["-in", "request.csr", "-out", "openssl.pem"]);
        command
    };
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(time(Command::new("/bin/true")));
        times[1].push(time(issue()));
        times[2].push(time(sign()));
        times[3].push(time(openssl()));
    }
    let of = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        (milliseconds(times[times.len() / 2]), milliseconds(times[times.len() * 95 / 100]))
    };
    let [empty, issue, sign, openssl] = times.each_mut().map(of);
    println!("{:<40} {:>9} {:>9} {:>12} {:>9}", "process", "median ms", "p95 ms", "above empty", "p95");
    for (what, (median, p95), limited) in [
        ("empty", empty, false),
        ("pki issue", issue, true),
        ("pki sign", sign, true),
        ("openssl ca", openssl, false),
    ] {
        let (above, above_p95) = (median - empty.0, p95 - empty.0);
        let over =
            if limited && (above > 2.5 || above_p95 > 4.0) { "  OVER BUDGET (2.5, p95 4)" } else { "" };
        println!("{what:<40} {median:>9.2} {p95:>9.2} {above:>12.2} {above_p95:>9.2}{over}");
    }
    let ratio = sign.0 / openssl.0;
    let over = if ratio > 0.45 { "  OVER BUDGET" } else { "" };
    println!("{:<40} {ratio:>9.2}   (budget 0.45){over}", "pki sign / openssl ca, the same CSR");
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// How long a process takes, from its start to its end; it must succeed.
fn time(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let elapsed = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed
}

fn run(mut command: Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The command, built for release if it is not yet.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PKI_BIN") {
        return path.into();
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "--locked", "-p", "pki-cli"]);
    run(build);
    // The benchmark stands in target/release/deps.
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("pki")
}

/// Two CAs on P-256: ours in a store without a seal, and one of `openssl ca`; and a CSR for both.
fn prepare(pki: &Path, directory: &Path) {
    let store = directory.join("store");
    for arguments in [
        &["init", "--no-seal"][..],
        &["root", "generate", "--common-name", "Benchmark CA", "--key-type", "ec", "--ttl", "700h"],
        &[
            "role",
            "write",
            "web",
            "--allowed-domains",
            "example.com",
            "--allow-subdomains",
            "--key-type",
            "ec",
            "--max-ttl",
            "24h",
        ],
    ] {
        let mut command = Command::new(pki);
        command.env("PKI_STORE", &store).args(arguments);
        run(command);
    }
    for arguments in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=OpenSSL",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out request.csr -subj /CN=www.example.com",
    ] {
        let mut command = Command::new("openssl");
        command.current_dir(directory).args(arguments.split(' '));
        run(command);
    }
    fs::write(directory.join("index.txt"), "").unwrap();
    fs::write(directory.join("serial"), "01\n").unwrap();
    fs::write(
        directory.join("openssl.cnf"),
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.crt\n\
         private_key=ca.key\ndefault_md=sha256\ndefault_days=1\npolicy=any\nunique_subject=no\n\
         x509_extensions=leaf\n[any]\ncommonName=supplied\n[leaf]\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=DNS:www.example.com\n",
    )
    .unwrap();
}
