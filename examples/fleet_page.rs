//! Serves a made-up fleet, to look at the pages: `cargo run --example fleet_page -- 127.0.0.1:10065 24`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "a tool for people who work on the pages"
)]

#[path = "../tests/web/fleet.rs"]
mod fleet;

use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::web::{Listener, Server, WebSettings};
use tokio::sync::watch;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:10065".into());
    let count = args.next().and_then(|n| n.parse().ok()).unwrap_or(24);
    let build = Build {
        version: env!("CARGO_PKG_VERSION"),
        revision: "unknown",
        rustc: "unknown",
        target: "unknown",
    };
    let (_keep, snapshot) = watch::channel(fleet::many(count));
    let server = Server {
        snapshot,
        self_metrics: SelfMetrics::new(build).expect("self metrics"),
        settings: WebSettings::default(),
        reload: None,
        file: None,
    };
    let listener = Listener::bind(&address).expect("a free port");
    println!("http://{}/", listener.local_addr().expect("an address"));
    server.serve(vec![listener], std::future::pending()).await;
}
