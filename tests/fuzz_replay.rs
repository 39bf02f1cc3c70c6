//! Replays the corpus of the fuzz targets: what fuzzing once found, without a fuzzer.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with the fuzz targets, which fail by panicking"
)]

#[path = "../fuzz/src/entry/mod.rs"]
mod entry;
#[path = "exposition/fixture.rs"]
mod fixture;
#[path = "../src/compliance/fixtures.rs"]
mod fixtures;
#[path = "web/house.rs"]
mod house;
#[path = "judgement/oracle.rs"]
mod oracle;
#[path = "exposition/strict.rs"]
mod strict;

use std::fs;
use std::path::Path;

// The fixtures of the judgement look for these names at the root of the crate.
use cloudtrail_exporter::{account, compliance, facts, timestamp};

/// The inputs kept for a target, by file name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("a corpus");
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.display().to_string(), fs::read(&path).expect("a file"))
        })
        .collect();
    inputs.sort();
    inputs
}

fn replay(name: &str) {
    let (_, run) = entry::TARGETS
        .iter()
        .find(|target| target.0 == name)
        .expect("a target");
    let inputs = corpus(name);
    assert!(inputs.len() >= 5, "{name} has a corpus");
    for (path, input) in &inputs {
        let failed = std::panic::catch_unwind(|| run(input)).is_err();
        assert!(!failed, "{path} fails");
    }
}

#[test]
fn accept_headers() {
    replay("accept");
}

#[test]
fn answers_of_aws() {
    replay("answers");
}

#[test]
fn configurations() {
    replay("configuration");
}

#[test]
fn expositions() {
    replay("exposition");
}

#[test]
fn heads_of_requests() {
    replay("http_head");
}

#[test]
fn unions_of_selectors() {
    replay("selectors");
}

#[test]
fn web_configurations() {
    replay("web_configuration");
}

#[test]
fn every_target_has_a_binary_and_a_corpus() {
    for (name, _) in entry::TARGETS {
        assert!(
            Path::new("fuzz/fuzz_targets")
                .join(name)
                .with_extension("rs")
                .is_file(),
            "{name}"
        );
    }
    let folders = fs::read_dir("fuzz/corpus").expect("the corpus").count();
    assert_eq!(folders, entry::TARGETS.len());
}
