//! How much work a process is, by comparison with itself: never by the clock.
//!
//! A test binary of its own, since it counts the processor time of all its children.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::Path;
use std::process::{Command, Stdio};

/// AWS-LC can gather 30 ms of processor jitter before its first key. `.cargo/config.toml` turns that off; this test
/// notices when it is on again: a process that makes a key then works many times as long as one that makes none.
#[test]
fn the_first_key_of_a_process_is_not_slow() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let work = |line: &str| work_of(directory.path(), line);
    work("init --no-seal");
    work("root generate --common-name r --key-type ec");
    work("role write web --allow-any-name --key-type ec");
    let repeated = |line: &str| -> u64 { (0..RUNS).map(|_| work(line)).sum() };
    let read = repeated("role read web").max(1);
    let issue = repeated("issue web --common-name a.example --ttl 1h");
    assert!(
        issue < read * 4 + RUNS,
        "{RUNS} runs of issue took {issue} ticks of the processor, of role read {read}: \
         is AWS_LC_SYS_NO_JITTER_ENTROPY set at build time?"
    );
}

const RUNS: u64 = 20;

/// Runs the line and returns the processor time it took, in ticks of 10 ms or so.
fn work_of(directory: &Path, line: &str) -> u64 {
    let before = children();
    let output = Command::new(env!("CARGO_BIN_EXE_pki"))
        .args(line.split(' '))
        .env("PKI_STORE", directory.join("store"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "pki {line}: {}", String::from_utf8_lossy(&output.stderr));
    children() - before
}

/// proc(5): cutime and cstime are the 16th and 17th field; the second one is in parentheses and may hold blanks.
fn children() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap()
}
