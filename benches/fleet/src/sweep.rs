//! A sweep: every account once, so many at a time, with its time, its CPU and the memory after it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Runs `poll` for each of `accounts` places; it says whether it got what it came for.
pub(crate) async fn sweep<P, F>(accounts: usize, concurrency: usize, poll: P) -> Value
where
    P: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = bool> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let (began, before) = (Instant::now(), cpu(UsageWho::RUSAGE_SELF));
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
        "cpu": cpu(UsageWho::RUSAGE_SELF).saturating_sub(before).as_secs_f64(),
        "failed": failed,
        "rss": resident(),
    })
}

/// CPU time, of the process or of this thread.
pub(crate) fn cpu(who: UsageWho) -> Duration {
    let usage = getrusage(who).expect("getrusage");
    let of = |time: TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    of(usage.user_time()) + of(usage.system_time())
}

/// Bytes of resident memory.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("VmRSS") * 1024
}
