//! Other people's verifiers judge what the command `pki` issues.
//!
//! Each test works in a [`Workbench`]: an empty directory with a store of its own. `pki` is the one that `PKI_BIN` names,
//! else the one that cargo built beside this crate; the [`peers`] are whatever the machine has installed. A peer that is
//! not there fails the test and says how to install it: nothing is skipped.

#![expect(clippy::panic, reason = "a test fails by panicking, and this crate is only for tests")]

pub mod peers;
pub mod random_roles;

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// An empty directory to work in, with a store (not initialised yet) in `demo`.
#[derive(Debug)]
pub struct Workbench {
    directory: TempDir,
}

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Outcome {
    line: String,
    /// The exit code; -1 when a signal ended the program.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Workbench {
    /// An empty directory, gone when this value is.
    pub fn new() -> Self {
        let directory = match TempDir::with_prefix("pki-verify-") {
            Ok(directory) => directory,
            Err(error) => panic!("no temporary directory: {error}"),
        };
        Self { directory }
    }

    /// An unsealed store with a root `root` (common name `test root`) in the mount `pki`, an intermediate `intermediate`
    /// in the mount `pki_int`, both with keys of this kind (such as `ec 256`), and a role `any` for every name below
    /// `example.org`. The files `root.pem` and `intermediate.pem` hold their certificates.
    pub fn with_hierarchy(key_type: &str, key_bits: u32) -> Self {
        let bench = Self::new();
        let key = format!("--key-type {key_type} --key-bits {key_bits}");
        bench.ok("init --no-seal");
        bench.ok("mount tune pki --max-lease-ttl 87600h");
        bench.ok("mount enable pki_int --max-lease-ttl 43800h");
        bench.ok(&format!(
            "root generate --common-name test-root --issuer-name root --ttl 87600h {key} --out root.pem"
        ));
        bench.ok(&format!(
            "--mount pki_int intermediate generate --common-name test-intermediate --issuer-name intermediate {key} \
             --out intermediate.csr"
        ));
        bench.ok(
            "root sign-intermediate --issuer-ref root --csr intermediate.csr --ttl 43800h --format pem_bundle \
             --out bundle.pem",
        );
        bench.ok("--mount pki_int intermediate set-signed bundle.pem");
        let bundle = bench.text("bundle.pem");
        let end = "-----END CERTIFICATE-----\n";
        let first = bundle.split_inclusive(end).next().unwrap_or_default();
        bench.write("intermediate.pem", first);
        bench.ok(&format!(
            "--mount pki_int role write any --allowed-domains example.org --allow-bare-domains --allow-subdomains \
             --allow-wildcard-certificates --require-cn=false --max-ttl 720h {key}"
        ));
        bench
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs `pki` with the words of this line. Words are separated by white space, and there is no quoting: see
    /// [`Self::pki_words`].
    pub fn pki(&self, line: &str) -> Outcome {
        self.pki_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `pki` with these words.
    pub fn pki_words(&self, words: &[&str]) -> Outcome {
        self.run_with_input(&pki(), words, b"")
    }

    /// Runs `pki` and expects it to succeed.
    pub fn ok(&self, line: &str) -> Outcome {
        self.pki(line).expect_code(0)
    }

    /// Runs `pki ... --format json` and returns what it printed.
    pub fn json(&self, line: &str) -> Value {
        let outcome = self.ok(&format!("{line} --format json"));
        match serde_json::from_slice(&outcome.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}) from {outcome}"),
        }
    }

    /// Runs `pki` and expects this exit code, nothing on standard output, and on standard error two lines: the
    /// fault, with `rule` in it, and the remedy, with `remedy` in it.
    pub fn refused(&self, line: &str, code: i32, rule: &str, remedy: &str) -> Outcome {
        self.refused_words(&line.split_whitespace().collect::<Vec<_>>(), code, rule, remedy)
    }

    /// [`Self::refused`] for words that hold white space.
    pub fn refused_words(&self, words: &[&str], code: i32, rule: &str, remedy: &str) -> Outcome {
        self.pki_words(words).expect_fault(code, rule, remedy)
    }

    /// Runs another program with these words and expects it to succeed.
    pub fn tool(&self, program: &str, line: &str) -> Outcome {
        self.tool_words(program, &line.split_whitespace().collect::<Vec<_>>()).expect_code(0)
    }

    /// Runs another program with these words, however it ends.
    pub fn tool_words(&self, program: impl AsRef<OsStr>, words: &[&str]) -> Outcome {
        self.run_with_input(Path::new(program.as_ref()), words, b"")
    }

    /// Runs a program here with this standard input. `pki` is on its path, and `PKI_STORE` is the bench's store.
    pub fn run_with_input(&self, program: &Path, words: &[&str], input: &[u8]) -> Outcome {
        let line = format!("{} {}", program.display(), words.join(" "));
        let child = self
            .command(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => panic!("cannot run `{line}`: {error}{}", peers::how_to_install(program)),
        };
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input closes it: that is its business.
            let _ = stdin.write_all(input);
        }
        match child.wait_with_output() {
            Ok(output) => Outcome {
                line,
                code: output.status.code().unwrap_or(-1),
                stdout: output.stdout,
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            },
            Err(error) => panic!("lost `{line}`: {error}"),
        }
    }

    /// A command that works here, for tests that need the process itself.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let mut path = vec![pki().parent().map(Path::to_path_buf).unwrap_or_default()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command
            .current_dir(self.path())
            .env("PATH", std::env::join_paths(path).unwrap_or_default())
            .env("PKI_STORE", self.path().join("demo"))
            .env_remove("PKI_MOUNT")
            .env_remove("PKI_PASSPHRASE_FILE")
            .env("LC_ALL", "C");
        command
    }

    /// The bytes of a file here.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        match std::fs::read(self.path().join(name)) {
            Ok(bytes) => bytes,
            Err(error) => panic!("{name}: {error}"),
        }
    }

    /// The text of a file here.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.bytes(name)).into_owned()
    }

    /// Writes a file here.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        if let Err(error) = std::fs::write(self.path().join(name), content) {
            panic!("{name}: {error}");
        }
    }

    /// Whether there is a file or directory of this name.
    pub fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// The names in a directory here, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let entries = match std::fs::read_dir(self.path().join(name)) {
            Ok(entries) => entries,
            Err(error) => panic!("{name}: {error}"),
        };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The serial number of the certificate in this file, as OpenSSL prints it.
    pub fn serial(&self, certificate: &str) -> String {
        let printed = self.tool("openssl", &format!("x509 -in {certificate} -noout -serial")).text();
        printed.trim().rsplit('=').next().unwrap_or_default().to_ascii_lowercase()
    }
}

impl Default for Workbench {
    fn default() -> Self {
        Self::new()
    }
}

impl Outcome {
    /// This outcome, if the exit code is the expected one.
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code} from {self}");
        self
    }

    /// This outcome, if it is a fault in two lines with this exit code and these words in them.
    pub fn expect_fault(self, code: i32, rule: &str, remedy: &str) -> Self {
        let outcome = self.expect_code(code);
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(
            lines.len() == 2
                && lines.first().is_some_and(|line| line.contains(rule))
                && lines.last().is_some_and(|line| line.contains(remedy)),
            "expected a line with {rule:?} and a line with {remedy:?} from {outcome}"
        );
        assert!(outcome.stdout.is_empty(), "a fault leaves standard output empty: {outcome}");
        outcome
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`, which ended with {}\nstandard output:\n{}\nstandard error:\n{}",
            self.line,
            self.code,
            self.text(),
            self.stderr
        )
    }
}

/// The binary under test.
pub fn pki() -> PathBuf {
    if let Some(named) = std::env::var_os("PKI_BIN") {
        let named = PathBuf::from(named);
        return std::path::absolute(&named).unwrap_or(named);
    }
    // A test runs as target/PROFILE/deps/NAME, and cargo leaves binaries in target/PROFILE.
    let beside = std::env::current_exe().ok().and_then(|test| Some(test.parent()?.parent()?.join("pki")));
    match beside {
        Some(binary) if binary.is_file() => binary,
        _ => panic!("there is no binary to test: run `cargo build -p pki-cli`, or set PKI_BIN"),
    }
}

/// A file of this crate.
pub fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Waits until a condition holds, for at most a minute.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
