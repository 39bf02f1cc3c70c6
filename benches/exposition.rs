//! What a scrape of 10,000 accounts with a trail each costs, on one core, beside copying the same bytes and beside the `prometheus` crate holding
//! the same series.
//!
//! `cargo bench --bench exposition` prints the median of several runs and the ratios; `-- 2000` takes another number of accounts.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a bench prints, stops at the first thing that is wrong, and shares the fixtures of the tests"
)]

#[path = "../tests/exposition/fixture.rs"]
mod fixture;
#[path = "../tests/exposition/strict.rs"]
mod strict;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudtrail_exporter::exposition::{CHUNK, Exposition, Format, gzip};
use cloudtrail_exporter::snapshot::Snapshot;
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};

/// Runs of each measurement; the median counts.
const RUNS: usize = 11;
/// Repetitions that are timed as one, since the system tells CPU time in steps of a few milliseconds.
const IN_A_ROW: u32 = 4;
/// Runs of the peer, which takes seconds each.
const PEER_RUNS: usize = 1;

fn main() {
    let accounts = std::env::args()
        .find_map(|a| a.parse().ok())
        .unwrap_or(10_000);
    let snapshot = fleet(accounts);
    let text = fixture::scrape(&snapshot, Format::Text);
    let families = strict::text(&text).expect("strict text");
    let series: usize = families.iter().map(|f| f.samples.len()).sum();
    println!("{accounts} accounts, {series} series, {} bytes", text.len());

    let ours = median(RUNS, || exhaust(chunks(&snapshot, Format::Text)));
    let open = median(RUNS, || exhaust(chunks(&snapshot, Format::OpenMetrics)));
    let copy = median(RUNS, || copy_in_chunks(text.as_bytes()));
    let whole = median(RUNS, || drop(black_box(text.as_bytes().to_vec())));
    let packed = median(RUNS, || exhaust(gzip(chunks(&snapshot, Format::Text))));
    let peer = median(PEER_RUNS, || drop(black_box(with_prometheus(&families))));

    report("text 0.0.4", ours, series, ours);
    report("OpenMetrics 1.0", open, series, ours);
    report("copying the same bytes, in chunks", copy, series, ours);
    report("copying the same bytes, at once", whole, series, ours);
    report("text 0.0.4 with gzip", packed, series, ours);
    report("prometheus crate, fresh vecs", peer, series, ours);
    steps("a chunk", chunks(&snapshot, Format::Text));
    steps("a gzip chunk", gzip(chunks(&snapshot, Format::Text)));
}

fn fleet(accounts: u64) -> Arc<Snapshot> {
    fixture::snapshot((1..=accounts).map(|digits| {
        let poll = fixture::answered(digits, vec![fixture::trail(digits, "management-events")]);
        let account = fixture::account(digits, &format!("account-{digits}"));
        fixture::state(account, &[poll])
    }))
}

fn chunks(snapshot: &Arc<Snapshot>, format: Format) -> Exposition {
    Exposition::new(snapshot, Vec::new(), fixture::now(), format)
}

fn exhaust(chunks: impl Iterator<Item = bytes::Bytes>) {
    for chunk in chunks {
        black_box(chunk);
    }
}

fn copy_in_chunks(text: &[u8]) {
    for chunk in text.chunks(CHUNK) {
        black_box(chunk.to_vec());
    }
}

/// The same families in the `prometheus` crate, filled anew as vanished series demand, and encoded.
fn with_prometheus(families: &[strict::Family]) -> Vec<u8> {
    let registry = Registry::new();
    for family in families.iter().filter(|f| !f.samples.is_empty()) {
        let first = family.samples[0].labels.iter();
        let names: Vec<_> = first.map(|(name, _)| name.as_str()).collect();
        let gauge = GaugeVec::new(Opts::new(&family.name, &family.help), &names).expect("a gauge");
        registry
            .register(Box::new(gauge.clone()))
            .expect("a new name");
        for sample in &family.samples {
            let values: Vec<_> = sample.labels.iter().map(|(_, v)| v.as_str()).collect();
            gauge.with_label_values(&values).set(sample.value);
        }
    }
    let mut out = Vec::new();
    TextEncoder::new()
        .encode(&registry.gather(), &mut out)
        .expect("text");
    out
}

fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut several = || (0..IN_A_ROW).for_each(|_| run());
    let mut times: Vec<_> = (0..runs).map(|_| timed(&mut several)).collect();
    times.sort();
    times[runs / 2] / IN_A_ROW
}

/// The CPU time of this thread where the system tells it, since a machine has other work; else the time on the clock.
fn timed(run: impl FnOnce()) -> Duration {
    let (start, before) = (Instant::now(), on_cpu());
    run();
    match (before, on_cpu()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    }
}

fn on_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = stat.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn report(what: &str, took: Duration, series: usize, ours: Duration) {
    let million = series as f64 / took.as_secs_f64() / 1e6;
    let ratio = took.as_secs_f64() / ours.as_secs_f64();
    println!("{what:36} {took:>10.2?} {million:8.2} million series/s, {ratio:6.2} x text");
}

fn steps(what: &str, mut chunks: impl Iterator<Item = bytes::Bytes>) {
    let mut times = Vec::new();
    loop {
        let start = Instant::now();
        if chunks.next().is_none() {
            break;
        }
        times.push(start.elapsed());
    }
    times.sort();
    let (half, last) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{what:36} median {half:.2?}, longest {last:.2?} of {}",
        times.len()
    );
}
