//! A sweep: every account once, so many at a time, with its time, its CPU and the memory after it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Runs `poll` for each of `accounts` places; it says whether it got what it came for.
pub(crate) async fn sweep<P, F>(accounts: usize, concurrency: usize, poll: P) -> Value
where
    P: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = bool> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let (began, before) = (Instant::now(), cpu(PROCESS));
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        let (next, poll) = (Arc::clone(&next), poll.clone());
        workers.spawn(async move {
            let mut failed = 0_usize;
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= accounts {
                    return failed;
                }
                failed += usize::from(!poll(place).await);
            }
        });
    }
    let failed: usize = workers.join_all().await.into_iter().sum();
    json!({
        "wall": began.elapsed().as_secs_f64(),
        "cpu": cpu(PROCESS).saturating_sub(before).as_secs_f64(),
        "failed": failed,
        "rss": resident(),
    })
}

/// All threads of the process.
const PROCESS: ClockId = ClockId::CLOCK_PROCESS_CPUTIME_ID;

/// CPU time by one of the system's CPU clocks, which count nanoseconds; `getrusage` counts ticks.
pub(crate) fn cpu(clock: ClockId) -> Duration {
    Duration::from(clock_gettime(clock).expect("a CPU clock"))
}

/// Bytes of resident memory.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("VmRSS") * 1024
}
