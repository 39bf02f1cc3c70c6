//! Polls, judgement and state in simulated time: random sequences of faults, changes and clocks.
//!
//! Each sequence drives the poller's poll and the publisher with a fake AWS, tokio's paused clock,
//! and a wall and a boot clock that move independently of each other, also in the middle of a
//! call. After each step what is published is compared with what AWS was heard to say
//! ([`journal`]) and with what is true ([`world`]).
//!
//! Ten thousand sequences run in `cargo test`. `SIMULATED_TIME_SEQUENCES` sets another number and
//! `SIMULATED_TIME_SEED` another first seed. A sequence that fails is shortened, and told step by
//! step ([`shrink`]).
//!
//! The suite finds each of the faults listed in `tests/simulated_time/mutants.md`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test breaks off by panicking, and tells how much it did"
)]

mod clock;
mod drive;
mod fake;
mod invariants;
mod journal;
mod shrink;
mod step;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use drive::Drive;
use step::Step;

/// Sequences in `cargo test`.
const SEQUENCES: u64 = 10_000;
/// Of so many sequences one is rendered as a scrape after each of its steps.
const RENDERED_OF: u64 = 50;
/// Threads that run sequences.
const THREADS: u64 = 2;

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

fn runtime() -> Runtime {
    let built = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    built.expect("a runtime")
}

/// Runs a sequence; what it broke first, if anything.
fn broken(runtime: &Runtime, steps: &[Step], rendered: bool) -> Option<String> {
    let run = || runtime.block_on(async { Drive::new(rendered).run(steps).await });
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(broken) => broken,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.unwrap_or_else(|| "it panicked".to_owned()))
        }
    }
}

fn story(seed: u64, steps: &[Step], runtime: &Runtime) -> String {
    let shortest = shrink::shortest(steps, |steps| broken(runtime, steps, true).is_some());
    let told = runtime.block_on(async { Drive::new(true).story(&shortest).await });
    format!("SIMULATED_TIME_SEED={seed} SIMULATED_TIME_SEQUENCES=1\n{told}")
}

/// Runs every `THREADS`th sequence; the story of the first that breaks.
fn run(thread: u64, first: u64, sequences: u64) -> Result<u64, String> {
    let runtime = runtime();
    let mut steps_run = 0;
    for nth in (thread..sequences).step_by(usize::try_from(THREADS).expect("few")) {
        let seed = first + nth;
        let steps = step::sequence(seed);
        steps_run += steps.len() as u64;
        let rendered = nth % RENDERED_OF == 0;
        if broken(&runtime, &steps, rendered).is_some() {
            return Err(story(seed, &steps, &runtime));
        }
    }
    Ok(steps_run)
}

#[test]
fn no_sequence_of_faults_changes_and_clocks_makes_the_exporter_lie() {
    let first = number("SIMULATED_TIME_SEED", 1);
    let sequences = number("SIMULATED_TIME_SEQUENCES", SEQUENCES);
    let began = Instant::now();
    let threads = (0..THREADS).map(|t| std::thread::spawn(move || run(t, first, sequences)));
    let threads: Vec<_> = threads.collect();
    let mut steps = 0;
    for thread in threads {
        match thread.join().expect("it ends") {
            Ok(run) => steps += run,
            Err(story) => panic!("{story}"),
        }
    }
    let took = began.elapsed();
    println!("{sequences} sequences from seed {first}, {steps} steps, {took:?}");
}

#[test]
fn a_seed_always_makes_the_same_sequence() {
    assert_eq!(step::sequence(7), step::sequence(7));
    assert_ne!(step::sequence(7), step::sequence(8));
}
