//! What the fuzz targets and `tests/fuzz_replay.rs` run: each takes any bytes, and panics where the
//! exporter would not hold what it promises.
//!
//! The judges are not the code under test: a reader of JSON that keeps doubled keys, the oracle of
//! `tests/judgement`, the strict parser of `tests/exposition`.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fuzz target fails by panicking, and each uses a part of this"
)]

pub mod accept;
pub mod answers;
pub mod configuration;
pub mod exposition;
pub mod http_head;
mod node;
pub mod selectors;
pub mod web_configuration;

/// A target: its name, which its corpus has too, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("accept", accept::run),
    ("answers", answers::run),
    ("configuration", configuration::run),
    ("exposition", exposition::run),
    ("http_head", http_head::run),
    ("selectors", selectors::run),
    ("web_configuration", web_configuration::run),
];

/// Files outside of the test that a configuration may name, and that have no end or an effect.
fn names_a_device(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    ["/dev", "/proc", "/sys", "~", ".."]
        .iter()
        .any(|path| text.contains(path))
}
