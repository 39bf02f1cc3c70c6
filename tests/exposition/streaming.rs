//! A scrape comes in chunks, from one snapshot, and says the same as if it had come at once.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use cloudtrail_exporter::exposition::{Exposition, Format, gzip};
use cloudtrail_exporter::snapshot::Snapshot;

use crate::fixture::*;
use crate::golden::self_metrics;
use crate::strict;

/// So many accounts with a trail each, all of one name.
fn fleet(accounts: u64, name: &str) -> Arc<Snapshot> {
    snapshot((1..=accounts).map(|digits| {
        let poll = answered(digits, vec![trail(digits, "main")]);
        state(account(digits, name), &[poll])
    }))
}

#[test]
fn chunks_are_of_even_size_and_lose_nothing() {
    let snapshot = fleet(500, "fleet");
    let chunks: Vec<_> =
        Exposition::new(&snapshot, self_metrics().gather(), now(), Format::Text).collect();
    let (last, full) = chunks.split_last().expect("a chunk");
    assert!(full.len() > 20);
    assert!(full.iter().all(|c| (131_072..170_000).contains(&c.len())));
    assert!(!last.is_empty());
    let text = String::from_utf8(chunks.concat()).expect("UTF-8");
    let families = strict::text(&text).expect("strict text");
    let info = families.iter().find(|f| f.name == "cloudtrail_trail_info");
    let ids = info
        .expect("the family")
        .samples
        .iter()
        .map(|s| s.label("account_id").to_owned());
    let ids: Vec<_> = ids.collect();
    let expected: Vec<_> = (1..=500).map(|digits| id(digits).to_string()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_compressed_scrape_says_the_same() {
    let snapshot = fleet(200, "fleet");
    let plain = scrape(&snapshot, Format::OpenMetrics);
    let exposition = Exposition::new(&snapshot, Vec::new(), now(), Format::OpenMetrics);
    let packed = gzip(exposition).collect::<Vec<_>>().concat();
    let mut unpacked = String::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader
        .read_to_string(&mut unpacked)
        .expect("a whole stream");
    assert!(plain == unpacked);
    assert!(packed.len() * 10 < plain.len());
}

#[test]
fn a_scrape_of_nothing_is_the_contract_without_samples() {
    let families = families(&Arc::new(Snapshot::default()));
    let table: Vec<_> = cloudtrail_exporter::exposition::families()
        .map(|f| f.name)
        .collect();
    assert_eq!(
        families.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        table
    );
    assert!(families.iter().all(|f| f.samples.is_empty()));
}

#[test]
fn a_scrape_while_snapshots_are_published_shows_one_of_them() {
    let [old, new] = ["old", "new"].map(|name| fleet(100, name));
    let published = Mutex::new(old.clone());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for next in [&new, &old].into_iter().cycle() {
                *published.lock().expect("no panic") = next.clone();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..20 {
            let snapshot = published.lock().expect("no panic").clone();
            assert_eq!(names(&snapshot), 1);
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// How many different account names a scrape shows.
fn names(snapshot: &Snapshot) -> usize {
    let bytes = Exposition::new(snapshot, Vec::new(), now(), Format::Text);
    let text = String::from_utf8(bytes.collect::<Vec<_>>().concat()).expect("UTF-8");
    let labels = text.lines().filter_map(|l| l.split_once("account_name=\""));
    let names: BTreeSet<_> = labels.map(|(_, rest)| rest.split('"').next()).collect();
    names.len()
}
