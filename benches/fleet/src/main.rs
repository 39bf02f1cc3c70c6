//! One client of a simulated AWS, measured from the inside: ours, or the leanest one that can be written.
//!
//! `fleet-bench ours URL ACCOUNTS CONCURRENCY SWEEPS` polls every account once per sweep, the first time with new sessions, and prints one JSON object: time,
//! CPU and memory of each sweep, and for ours also what publishing and a scrape cost. `fleet-bench held FILE` serves a file as a scrape's peer.
//! `benches/bench.py` runs both and makes the table.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints, and stops at the first thing that is wrong"
)]

mod encoder;
mod held;
mod ours;
mod raw;
mod scrape;
mod sweep;

use std::path::Path;

use tokio::runtime::Builder;

/// The id of the first account of the fleet; `benches/common.py` makes its world from the same.
const FIRST_ACCOUNT: u64 = 500_000_000_000;
/// The key that the simulator knows.
const ACCESS_KEY: &str = aws_simulator::world::DEFAULT_ACCESS_KEY;
const SECRET_KEY: &str = aws_simulator::world::DEFAULT_SECRET_KEY;

/// What to measure.
#[derive(Debug, Clone)]
struct Plan {
    client: String,
    url: String,
    accounts: u64,
    concurrency: usize,
    sweeps: usize,
}

impl Plan {
    fn read(args: &[String]) -> Option<Self> {
        let [client, url, accounts, concurrency, sweeps] = args else {
            return None;
        };
        Some(Self {
            client: client.clone(),
            url: url.clone(),
            accounts: accounts.parse().ok()?,
            concurrency: concurrency.parse().ok()?,
            sweeps: sweeps.parse().ok()?,
        })
    }

    /// The ids of the fleet.
    fn ids(&self) -> impl Iterator<Item = u64> + use<> {
        FIRST_ACCOUNT..FIRST_ACCOUNT + self.accounts
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // As the program has it (`src/program.rs`).
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let [held, file] = args.as_slice()
        && held == "held"
    {
        return runtime.block_on(held::serve(Path::new(file)));
    }
    let Some(plan) = Plan::read(&args) else {
        println!(
            "usage: fleet-bench ours|raw URL ACCOUNTS CONCURRENCY SWEEPS, or held FILE; see benches/bench.py"
        );
        return;
    };
    let measured = runtime.block_on(async {
        let ours = plan.client == "ours";
        let run = async move {
            if ours {
                ours::run(&plan).await
            } else {
                raw::run(&plan).await
            }
        };
        tokio::spawn(run).await.expect("the run ends")
    });
    println!("{measured}");
}
