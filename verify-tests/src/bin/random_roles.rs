//! Random roles and random requests: `random_roles --cases 1000000 [--seed N] [--first N] [--openssl-each N]`.

use std::process::ExitCode;
use std::time::Instant;

use verify_tests::random_roles::{self, Tally, Wrong};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Wrong> {
    let (mut cases, mut first, mut openssl_each) = (10_000, 0, 2_000);
    // A seed of the clock's, printed, so that each run sees other cases.
    let mut seed = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} lacks its number"))?.parse()?;
        match word.as_str() {
            "--cases" => cases = value,
            "--seed" => seed = value,
            "--first" => first = value,
            "--openssl-each" => openssl_each = value,
            _ => return Err(format!("{word} is none of --cases, --seed, --first, --openssl-each").into()),
        }
    }
    println!("seed {seed}, cases {first} to {}", first + cases - 1);
    let begin = Instant::now();
    let house = random_roles::house(seed)?;
    let workers = std::thread::available_parallelism()?.get();
    let step = workers as u64;
    let tallies: Vec<Result<Tally, Wrong>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..step)
            .map(|worker| {
                let cases = (first..first + cases).skip(worker as usize).step_by(workers);
                let house = &house;
                scope.spawn(move || random_roles::run(house, seed, cases, openssl_each))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker.join().unwrap_or_else(|_| Err("a worker ended in the middle of a case".into()))
            })
            .collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all = all.and(tally?);
    }
    let Tally { unwritable, refused, issued, by_webpki, by_openssl } = all;
    println!(
        "{issued} issued and judged, of which webpki verified {by_webpki} and OpenSSL {by_openssl}; {refused} refused; \
         {unwritable} roles that cannot be written; {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}
