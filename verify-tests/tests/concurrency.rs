//! Several processes work in one store at the same time.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;

use serde_json::Value;
use verify_tests::Workbench;

const EACH: usize = 500;

#[test]
fn two_processes_issue_500_certificates_each() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let before = serials_in_store(&bench).len();
    let issued: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let bench = &bench;
                scope.spawn(move || {
                    (0..EACH)
                        .map(|number| {
                            let name = format!("host-{worker}-{number}.example.org");
                            let outcome = bench.ok(&format!(
                                "--mount pki_int issue any --common-name {name} --ttl 1h --field serial_number"
                            ));
                            outcome.text().trim().to_owned()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });

    let distinct: HashSet<&String> = issued.iter().collect();
    assert_eq!(distinct.len(), 2 * EACH, "distinct serials");
    let stored = serials_in_store(&bench);
    assert_eq!(stored.len() - before, 2 * EACH, "rows");
    assert!(issued.iter().all(|serial| stored.contains(serial)), "every acknowledged certificate is stored");
    bench.ok("audit verify");
}

/// Every serial that `cert list` gives, over all its pages.
fn serials_in_store(bench: &Workbench) -> HashSet<String> {
    let mut serials = HashSet::new();
    let mut after = String::new();
    loop {
        let page = bench.json(&format!("--mount pki_int cert list --limit 300 {after}"));
        let keys = page["keys"].as_array().unwrap();
        serials.extend(keys.iter().map(|key| key.as_str().unwrap().to_owned()));
        match &page["pki"]["next"] {
            Value::String(next) => after = format!("--after {next}"),
            _ => return serials,
        }
    }
}
