//! How the benchmarks measure and print: `limit, ours, ratio, budget`, one line an act.
//!
//! The machines are shared and noisy, so limit and act are measured in turns within one run, and the medians of the
//! turns are compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One act beside its limit.
pub struct Line {
    /// What is done.
    pub act: &'static str,
    /// The least that it can cost, in seconds.
    pub limit: Duration,
    /// What it costs.
    pub ours: Duration,
    /// The ratio that it may have.
    pub budget: f64,
}

impl Line {
    /// The header of the table.
    pub fn print_header() {
        println!("{:<58} {:>12} {:>12} {:>7} {:>7}", "act", "limit", "ours", "ratio", "budget");
    }

    /// The line of the table; the last word says whether the budget is kept.
    pub fn print(&self) {
        let ratio = self.ours.as_secs_f64() / self.limit.as_secs_f64();
        let verdict = if ratio <= self.budget { "" } else { "  OVER BUDGET" };
        println!(
            "{:<58} {:>12} {:>12} {:>7.2} {:>7.2}{verdict}",
            self.act,
            microseconds(self.limit),
            microseconds(self.ours),
            ratio,
            self.budget
        );
    }
}

fn microseconds(duration: Duration) -> String {
    format!("{:.2} us", duration.as_secs_f64() * 1e6)
}

/// Measures `limit` and `ours` in turns and compares the medians of their turns.
pub fn compare<A, B>(
    act: &'static str,
    budget: f64,
    repeats: u32,
    mut limit: impl FnMut() -> A,
    mut ours: impl FnMut() -> B,
) -> Line {
    const TURNS: usize = 21;
    let (mut limits, mut owns) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        limits.push(turn(repeats, &mut limit));
        owns.push(turn(repeats, &mut ours));
    }
    Line { act, limit: median(&mut limits), ours: median(&mut owns), budget }
}

fn turn<T>(repeats: u32, act: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        black_box(act());
    }
    start.elapsed() / repeats
}

/// The middle of the measurements.
pub fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
