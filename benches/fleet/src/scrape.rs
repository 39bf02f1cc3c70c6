//! What a scrape of the fleet costs, without a socket: rendered, rendered and packed, the same bytes copied, and its peer.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use cloudtrail_exporter::clock;
use cloudtrail_exporter::exposition::{CHUNK, Exposition, Format, gzip};
use cloudtrail_exporter::self_metrics::SelfMetrics;
use cloudtrail_exporter::snapshot::Snapshot;
use nix::time::ClockId;
use serde_json::{Value, json};

use crate::encoder::Peer;
use crate::sweep::cpu;

/// Runs of each; the median counts.
const RUNS: usize = 5;

pub(crate) fn scrape(snapshot: &Arc<Snapshot>, metrics: &SelfMetrics) -> Value {
    let chunks = || {
        let now = clock::now();
        Exposition::new(snapshot, metrics.gather(), now, Format::Text)
    };
    let text: Vec<u8> = chunks().flatten().collect();
    let peer = Peer::of(std::str::from_utf8(&text).expect("text"));
    json!({
        "bytes": text.len(),
        "series": peer.series(),
        "identity": median(|| exhaust(chunks())),
        "gzip": median(|| exhaust(gzip(chunks()))),
        "copy": median(|| exhaust(text.chunks(CHUNK).map(Bytes::copy_from_slice))),
        "text_encoder": median(|| peer.encode()),
    })
}

fn exhaust(chunks: impl Iterator<Item = Bytes>) {
    for chunk in chunks {
        black_box(chunk);
    }
}

/// This thread alone.
const THREAD: ClockId = ClockId::CLOCK_THREAD_CPUTIME_ID;

/// CPU seconds of this thread.
fn median(run: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let before = cpu(THREAD);
            run();
            cpu(THREAD).saturating_sub(before).as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(RUNS / 2).copied().unwrap_or(f64::NAN)
}
