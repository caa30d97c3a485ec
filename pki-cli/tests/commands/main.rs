//! Every command as people and scripts run it: the line, the exit code, what stands where.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod answers;
mod authorities;
mod certificates;
mod explaining;
mod files;
mod hierarchies;
mod issuing;
mod records;
mod refusals;
mod remedies;
mod revocation;
mod roles;
mod stores;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A directory with a store, and the `pki` that works on it.
struct House {
    directory: TempDir,
}

/// What a command left behind.
struct Done {
    line: String,
    status: i32,
    stdout: String,
    stderr: String,
}

impl House {
    /// A directory without a store.
    fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A store without a seal.
    fn new() -> Self {
        let house = Self::empty();
        house.pki(&["init", "--no-seal"]).ok();
        house
    }

    /// A store with a root on P-256 and a role `web` for `example.org` and below.
    fn with_role() -> Self {
        let house = Self::new();
        house.pki(&["mount", "tune", "pki", "--max-lease-ttl", "87600h"]).ok();
        house
            .pki(&[
                "root",
                "generate",
                "--common-name",
                "test-root",
                "--issuer-name",
                "root",
                "--key-type",
                "ec",
                "--ttl",
                "87600h",
                "--out",
                "root.crt",
            ])
            .ok();
        house
            .pki(&[
                "role",
                "write",
                "web",
                "--allowed-domains",
                "example.org",
                "--allow-bare-domains",
                "--allow-subdomains",
                "--key-type",
                "ec",
                "--max-ttl",
                "720h",
            ])
            .ok();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pki"));
        command
            .current_dir(self.directory.path())
            .env_remove("PKI_MOUNT")
            .env_remove("PKI_PASSPHRASE_FILE")
            .env("PKI_STORE", self.path("store"))
            .stdin(Stdio::null());
        command
    }

    fn pki(&self, line: &[&str]) -> Done {
        Done::of(line, self.command().args(line).output().unwrap())
    }

    fn json(&self, line: &[&str]) -> Value {
        let line: Vec<&str> = line.iter().copied().chain(["--format", "json"]).collect();
        let done = self.pki(&line).ok();
        serde_json::from_str(&done.stdout).unwrap()
    }

    /// A CSR for a new P-256 key, made by the command itself.
    fn csr(&self, common_name: &str, file: &str) {
        self.pki(&["mount", "enable", "requests"]);
        self.pki(&[
            "--mount",
            "requests",
            "intermediate",
            "generate",
            "--key-type",
            "ec",
            "--common-name",
            common_name,
            "--alt-names",
            common_name,
            "--out",
            file,
        ])
        .ok();
    }
}

impl Done {
    fn of(line: &[&str], output: Output) -> Self {
        Self {
            line: line.join(" "),
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It did what was asked.
    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.status, 0, "pki {}: {}", self.line, self.stderr);
        self
    }

    /// It failed with this code, in two lines, with nothing on standard output.
    #[track_caller]
    fn fails(self, status: i32) -> Self {
        assert_eq!(self.status, status, "pki {}: {}{}", self.line, self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "pki {}", self.line);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "pki {}: {}", self.line, self.stderr);
        assert!(lines[0].starts_with("error: "), "pki {}: {}", self.line, self.stderr);
        assert!(lines[1].starts_with("remedy: "), "pki {}: {}", self.line, self.stderr);
        self
    }

    /// Its message says this.
    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "pki {}: {:?} is not in {}", self.line, text, self.stderr);
        self
    }

    /// Its answer has this.
    #[track_caller]
    fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "pki {}: {:?} is not in {}", self.line, text, self.stdout);
        self
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
