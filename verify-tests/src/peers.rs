//! The other verifiers: where they are, and one way to ask each the same question.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{Outcome, Workbench, asset};

/// A verifier that answers the commands of `peers/peer.py`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Go's crypto/x509.
    Go,
    /// Java's CertPathValidator.
    Java,
    /// Python's `cryptography`.
    Python,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Go, Self::Java, Self::Python];

    /// Asks a question, and expects an answer.
    pub fn ask(self, bench: &Workbench, line: &str) -> String {
        self.try_ask(bench, line).expect_code(0).text()
    }

    /// Asks a question.
    pub fn try_ask(self, bench: &Workbench, line: &str) -> Outcome {
        let (program, first): (PathBuf, Vec<String>) = match self {
            Self::Go => (go_peer().clone(), vec![]),
            Self::Java => {
                let classes = java_peer().display().to_string();
                (
                    PathBuf::from("java"),
                    vec!["-XX:TieredStopAtLevel=1".into(), "-cp".into(), classes, "Peer".into()],
                )
            }
            Self::Python => (python("python"), vec![asset("peers/peer.py").display().to_string()]),
        };
        let words: Vec<&str> = first.iter().map(String::as_str).chain(line.split_whitespace()).collect();
        bench.tool_words(program, &words)
    }
}

/// OpenSSL on a chain: `verify` with these words, then root, chain and leaf.
pub fn openssl_verify(
    bench: &Workbench,
    options: &str,
    root: &str,
    chain: Option<&str>,
    leaf: &str,
) -> Outcome {
    let untrusted = chain.map(|chain| format!("-untrusted {chain}")).unwrap_or_default();
    let line = format!("verify -x509_strict {options} -CAfile {root} {untrusted} {leaf}");
    bench.tool_words("openssl", &line.split_whitespace().collect::<Vec<_>>())
}

/// GnuTLS on a certificate chain, leaf first.
pub fn certtool_verify(bench: &Workbench, root: &str, fullchain: &str) -> Outcome {
    let line = format!("--verify --verify-profile medium --load-ca-certificate {root} --infile {fullchain}");
    bench.tool_words("certtool", &line.split_whitespace().collect::<Vec<_>>())
}

/// What pkilint finds in a certificate, above a notice: nothing, if all is well.
pub fn lint_certificate(bench: &Workbench, certificate: &str) -> String {
    lint(bench, "lint_pkix_cert", &["lint", "-s", "WARNING", certificate])
}

/// What pkilint finds in a CRL, above a notice: nothing, if all is well.
pub fn lint_crl(bench: &Workbench, crl: &str) -> String {
    lint(bench, "lint_crl", &["lint", "-t", "CRL", "-p", "PKIX", "-s", "WARNING", crl])
}

/// What pkilint finds in an OCSP response, above a notice: nothing, if all is well.
pub fn lint_ocsp_response(bench: &Workbench, response: &str) -> String {
    lint(bench, "lint_ocsp_response", &["lint", "-s", "WARNING", response])
}

fn lint(bench: &Workbench, program: &str, words: &[&str]) -> String {
    let outcome = bench.tool_words(python(program), words);
    // It exits with the number of findings; what it cannot read, it reports on standard error.
    assert!(outcome.stderr.is_empty(), "pkilint could not work: {outcome}");
    outcome.text().trim().to_owned()
}

/// A program of the Python environment that `scripts/test tools` makes.
pub fn python(program: &str) -> PathBuf {
    let tools = std::env::var_os("PKI_TOOLS").map_or_else(|| asset("../.tools"), PathBuf::from);
    tools.join("python/bin").join(program)
}

/// The words that follow "cannot run": what to install.
pub(crate) fn how_to_install(program: &Path) -> String {
    let name = program.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let package = match name.as_ref() {
        "certtool" | "ocsptool" => "gnutls-bin",
        "go" => "golang-go",
        "java" | "javac" | "keytool" => "openjdk-17-jdk-headless",
        "lint_crl" | "lint_ocsp_response" | "lint_pkix_cert" | "python" => {
            return "\nrun `scripts/test tools`, which makes .tools/python".to_owned();
        }
        "haproxy" => "haproxy",
        "kubectl" => {
            return "\ninstall it from https://kubernetes.io/docs/tasks/tools, or from Debian's package kubernetes-client"
                .to_owned();
        }
        "nginx" => "nginx-light",
        "openssl" => "openssl",
        "unshare" => "util-linux",
        _ => return String::new(),
    };
    format!("\ninstall it with `apt-get install -y {package}`, or run `scripts/test tools`")
}

/// The compiled `peers/peer.go`.
fn go_peer() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = compiled("peer-go");
        let source = asset("peers/peer.go");
        Workbench::new().tool("go", &format!("build -o {} {}", binary.display(), source.display()));
        binary
    })
}

/// The directory with the compiled `peers/Peer.java`.
fn java_peer() -> &'static PathBuf {
    static CLASSES: OnceLock<PathBuf> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let classes = compiled("peer-java");
        let source = asset("peers/Peer.java");
        Workbench::new().tool("javac", &format!("-d {} {}", classes.display(), source.display()));
        classes
    })
}

/// A place beside the running test for what a test compiles.
fn compiled(name: &str) -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|test| Some(test.parent()?.join(name)))
        .unwrap_or_else(|| PathBuf::from(name))
}
