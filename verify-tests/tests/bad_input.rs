//! What is wrong is answered with two lines and the exit code of its kind; nothing is lost or half-written.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::process::Stdio;

use verify_tests::Workbench;

/// A request that is refused, in words of the mount `pki_int`, with the exit code and what the two lines must name.
struct Bad {
    line: String,
    code: i32,
    rule: &'static str,
    remedy: &'static str,
}

fn bad(line: impl Into<String>, code: i32, rule: &'static str, remedy: &'static str) -> Bad {
    Bad { line: line.into(), code, rule, remedy }
}

/// Each is refused, says so in two lines, writes no file and stores no certificate.
fn all_refused(bench: &Workbench, table: &[Bad]) {
    let mut failures = Vec::new();
    for Bad { line, code, rule, remedy } in table {
        let certificates = bench.json("--mount pki_int cert list")["keys"].as_array().unwrap().len();
        let files = bench.list(".");
        let outcome = bench.pki(&format!("--mount pki_int {line}"));
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let two_lines = lines.len() == 2 && lines[0].contains(rule) && lines[1].contains(remedy);
        if outcome.code != *code || !two_lines || !outcome.stdout.is_empty() {
            failures.push(format!("expected {code} with {rule:?} and {remedy:?} from {outcome}"));
        }
        if bench.list(".") != files {
            failures.push(format!("a file was written by {outcome}"));
        }
        if bench.json("--mount pki_int cert list")["keys"].as_array().unwrap().len() != certificates {
            failures.push(format!("a certificate was stored by {outcome}"));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), table.len(), failures.join("\n"));
}

#[test]
fn csrs_that_are_broken() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.tool(
        "openssl",
        "req -new -newkey rsa:2048 -nodes -keyout a.key -out a.csr -subj /CN=www.example.org",
    );
    bench.tool("openssl", "req -in a.csr -outform DER -out a.der");
    let der = bench.bytes("a.der");

    let mut signature = der.clone();
    *signature.last_mut().unwrap() ^= 1;
    bench.write("signature.csr", signature);
    bench.write("truncated.csr", &der[..der.len() - 40]);
    bench.write("one-octet.csr", &der[..1]);
    let mut trailing = der.clone();
    trailing.push(0);
    bench.write("trailing.csr", trailing);
    bench.write("empty.csr", "");
    bench.write("huge.csr", vec![0x30; 1 << 20]);
    let lines = "QUFB".repeat(16) + "\n";
    bench.write(
        "huge-pem.csr",
        format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}-----END CERTIFICATE REQUEST-----\n",
            lines.repeat(16_384)
        ),
    );
    bench.write("two.csr", bench.text("a.csr").repeat(2));
    bench.write("cut.csr", bench.text("a.csr").replace("-----END", "END"));
    // A DNS name of "www", NUL, ".example.org".
    let hex = "www\0.example.org".bytes().map(|octet| format!(":{octet:02x}")).collect::<String>();
    bench.tool(
        "openssl",
        &format!("req -new -key a.key -subj /CN=www.example.org -addext subjectAltName=DER:30:12:82:10{hex} -out nul.csr"),
    );

    let sign = |file: &str| format!("sign any --csr {file} --ttl 24h --out leaf.pem");
    all_refused(
        &bench,
        &[
            bad(sign("signature.csr"), 1, "signature", ""),
            bad(sign("truncated.csr"), 2, "truncated.csr", ""),
            bad(sign("one-octet.csr"), 2, "one-octet.csr", ""),
            bad(sign("trailing.csr"), 2, "trailing.csr", ""),
            bad(sign("empty.csr"), 2, "empty.csr", ""),
            bad(sign("huge.csr"), 2, "huge.csr", ""),
            bad(sign("huge-pem.csr"), 2, "huge-pem.csr", ""),
            bad(sign("two.csr"), 2, "two.csr", "one"),
            bad(sign("cut.csr"), 2, "cut.csr", ""),
            bad(sign("nul.csr"), 2, "", ""),
            bad(sign("a.key"), 2, "a.key", ""),
            bad(sign("absent.csr"), 2, "absent.csr", ""),
        ],
    );
}

#[test]
fn names_that_are_no_names() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let issue = |names: &str| format!("issue any --alt-names {names} --ttl 24h --out tls/");
    let long_ascii = "a".repeat(64) + ".example.org";
    let long_idn = "ü".repeat(60) + ".example.org";
    let long_name = "a.".repeat(125) + "example.org";
    all_refused(
        &bench,
        &[
            bad(issue("www.*.example.org"), 2, "www.*.example.org", ""),
            bad(issue("*.*.example.org"), 2, "*.*.example.org", ""),
            bad(issue("bücher..example.org"), 2, "bücher..example.org", ""),
            bad(issue(&long_ascii), 2, "63", ""),
            bad(issue(&long_idn), 2, "63", ""),
            bad(issue(&long_name), 2, "253", ""),
            bad(issue("192.0.2.1"), 2, "192.0.2.1", "--ip-sans"),
            bad(issue("2001:db8::1"), 2, "2001:db8::1", "--ip-sans"),
            bad(issue("www.example.org --ip-sans 192.0.2.256"), 2, "192.0.2.256", ""),
            bad(issue("www.example.org --ttl never"), 2, "never", ""),
            bad(issue("www.elsewhere.org"), 1, "www.elsewhere.org", "--allowed-domains"),
        ],
    );
}

#[test]
fn a_lifetime_beyond_the_issuers() {
    let bench = Workbench::new();
    bench.ok("init --no-seal");
    bench.ok("mount enable pki_int");
    bench.ok("--mount pki_int root generate --common-name short --ttl 2h --key-type ec --out root.pem");
    bench.ok("--mount pki_int role write any --allow-any-name --max-ttl 24h --key-type ec --enforce-hostnames=false");
    all_refused(
        &bench,
        &[bad("issue any --common-name www.example.org --ttl 5h --out tls/", 1, "", "--ttl")],
    );
}

#[test]
fn things_that_are_not_there() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let no_such_serial = "0a:".repeat(19) + "0a";
    // As in Vault, a role may name an issuer that is yet to come: it is told, and refused when it is used.
    let dangling = bench.ok("--mount pki_int role write dangling --issuer-ref nobody --allow-any-name");
    assert!(dangling.stderr.contains("nobody"), "no warning from {dangling}");
    all_refused(
        &bench,
        &[
            bad("issue nobody --common-name www.example.org --out tls/", 3, "nobody", "role"),
            bad("role read nobody", 3, "nobody", "role"),
            bad("issue dangling --common-name www.example.org --out tls/", 3, "nobody", "issuer"),
            bad("issuer read nobody", 3, "nobody", "issuer"),
            bad(format!("revoke {no_such_serial}"), 3, "0a:0a", ""),
            bad(format!("cert read {no_such_serial}"), 3, "0a:0a", ""),
            bad("no-such-command", 2, "no-such-command", "pki"),
            bad("issue any --no-such-flag", 2, "--no-such-flag", ""),
        ],
    );
    bench.refused("--mount nowhere role list", 3, "nowhere", "mount");
    let elsewhere = bench.path().join("elsewhere").display().to_string();
    bench.refused(&format!("--store {elsewhere} role list"), 3, "elsewhere", "pki init");
    assert!(!bench.has("elsewhere"));
}

#[test]
fn files_that_exist_are_kept() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.write("taken.pem", "precious");
    bench.tool(
        "openssl",
        "req -new -newkey rsa:2048 -nodes -keyout a.key -out a.csr -subj /CN=www.example.org",
    );
    std::fs::create_dir(bench.path().join("set")).unwrap();
    bench.write("set/key.pem", "precious");
    all_refused(
        &bench,
        &[
            bad("sign any --csr a.csr --ttl 24h --out taken.pem", 2, "taken.pem", "--force"),
            bad("issue any --common-name www.example.org --ttl 24h --out set/", 2, "key.pem", "--replace"),
            bad("crl show --format pem --out taken.pem", 2, "taken.pem", "--force"),
            bad("issue any --common-name www.example.org --out no/such/directory.pem", 2, "no/such", ""),
        ],
    );
    assert_eq!(bench.text("taken.pem"), "precious");
    assert_eq!(bench.list("set"), ["key.pem"]);
    assert_eq!(bench.text("set/key.pem"), "precious");
    bench.refused("init --no-seal", 2, "demo", "");
}

const ISSUE: &str = "--mount pki_int issue any --common-name www.example.org --ttl 24h --out tls/";

#[test]
fn a_store_that_another_process_keeps_locked() {
    let bench = Workbench::with_hierarchy("ec", 256);
    // Holds the write lock until its standard input ends.
    let program = "import sqlite3, sys
database = sqlite3.connect('demo/pki.db', isolation_level=None)
database.execute('BEGIN IMMEDIATE')
print('locked', flush=True)
sys.stdin.read()";
    let mut holder = bench
        .command("python3".as_ref())
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(holder.stdout.take().unwrap()), &mut ready)
        .unwrap();
    assert_eq!(ready, "locked\n");

    bench.refused(ISSUE, 4, "another process", "again");
    assert!(!bench.has("tls"));
    // Readers are not in its way.
    bench.ok("--mount pki_int cert list");

    holder.stdin.take().unwrap().flush().unwrap();
    assert!(holder.wait().unwrap().success());
    bench.ok(ISSUE);
}

#[test]
fn a_store_of_a_newer_version() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let program = "import sqlite3
database = sqlite3.connect('demo/pki.db', isolation_level=None)
database.execute('PRAGMA user_version = 999')";
    bench.tool_words("python3", &["-c", program]).expect_code(0);
    bench.refused(ISSUE, 4, "layout 999", "later");
    assert!(!bench.has("tls"));
}

#[test]
fn a_store_sealed_with_another_passphrase() {
    let bench = Workbench::new();
    bench.write("right", "correct horse battery staple\n");
    bench.write("wrong", "incorrect horse\n");
    bench.ok("init --passphrase-file right");
    bench.ok("--passphrase-file right root generate --common-name sealed-root --key-type ec --out root.pem");
    bench.refused(
        "--passphrase-file wrong root generate --common-name other --key-type ec --out other.pem",
        4,
        "passphrase",
        "",
    );
    assert!(!bench.has("other.pem"));
    bench.refused("--passphrase-file absent issuer list", 2, "absent", "");
    bench.refused("role write any --allow-any-name", 4, "passphrase", "--passphrase-file");
    bench.ok("--passphrase-file right issuer list");
    // Neither the passphrase nor the key is anywhere in the store.
    for file in bench.list("demo") {
        let content = bench.bytes(&format!("demo/{file}"));
        let holds = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(b"correct horse"), "the passphrase stands in {file}");
    }
}

#[test]
fn a_store_that_is_read_only() {
    let bench = Workbench::with_hierarchy("ec", 256);
    in_own_mounts(
        &bench,
        "mount --bind demo demo
         mount -o remount,bind,ro demo
         pki --mount pki_int issue any --common-name www.example.org --ttl 24h --out tls/",
    )
    .expect_fault(4, "read-only", "");
    assert!(!bench.has("tls"));
    bench.ok(ISSUE);
}

#[test]
fn a_disk_that_is_full() {
    let bench = Workbench::with_hierarchy("ec", 256);
    // The store on a disk with no room: refused; with room again: as if nothing had been.
    let outcome = in_own_mounts(
        &bench,
        "mkdir disk
         mount -t tmpfs -o size=16m tmpfs disk
         cp -r demo disk/store
         export PKI_STORE=$PWD/disk/store
         dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null || true
         code=0
         while [ $code -eq 0 ]; do
             pki --mount pki_int issue any --common-name full.example.org --ttl 24h --field serial_number >>acknowledged 2>fault || code=$?
         done
         echo code $code
         rm disk/filler
         pki --mount pki_int issue any --common-name room.example.org --ttl 24h --field serial_number >>acknowledged
         pki --mount pki_int cert list --format json >listed.json
         pki audit verify >/dev/null",
    )
    .expect_code(0);
    assert_eq!(outcome.text(), "code 4\n", "{outcome}");
    assert_eq!(bench.text("fault").lines().count(), 2, "{}", bench.text("fault"));
    let listed = bench.text("listed.json");
    let acknowledged = bench.text("acknowledged");
    assert!(acknowledged.lines().count() >= 1);
    for serial in acknowledged.lines() {
        assert!(listed.contains(serial), "{serial} was acknowledged and is not stored: {listed}");
    }

    // The answer on a disk with no room: nothing half-written.
    let outcome = in_own_mounts(
        &bench,
        "mkdir answers
         mount -t tmpfs -o size=64k tmpfs answers
         dd if=/dev/zero of=answers/filler bs=4k 2>/dev/null || true
         code=0
         pki --mount pki_int issue any --common-name www.example.org --ttl 24h --out answers/tls/ 2>fault || code=$?
         echo code $code
         find answers -type f -size +0 ! -name filler",
    )
    .expect_code(0);
    assert_eq!(outcome.text(), "code 4\n", "{outcome}");
    assert_eq!(bench.text("fault").lines().count(), 2, "{}", bench.text("fault"));
}

#[test]
fn a_standard_output_that_is_full() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let outcome = bench.tool_words("sh", &["-c", "pki --mount pki_int cert list --format json >/dev/full"]);
    outcome.expect_fault(4, "", "");
}

/// Runs a script whose mounts nobody else sees and which end with it.
fn in_own_mounts(bench: &Workbench, script: &str) -> verify_tests::Outcome {
    let root = bench.tool("id", "-u").text().trim() == "0";
    let namespaces = if root { "--mount" } else { "--mount --map-root-user" };
    let mut words: Vec<&str> = namespaces.split(' ').collect();
    let script = format!("set -e\n{script}");
    words.extend(["sh", "-c", &script]);
    bench.tool_words("unshare", &words)
}
