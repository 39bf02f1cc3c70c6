//! `demo`: every family of the contract, and every account as its world expects it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_simulator::{DEMO_WORLD, World};

use crate::harness::{Daemon, command};

/// The first full scrape must be there this soon after the start.
const FIRST_SCRAPE: Duration = Duration::from_secs(3);

/// The names in the tables of `docs/metrics.md` that are this exporter's.
fn documented() -> BTreeSet<String> {
    let page = std::fs::read_to_string("docs/metrics.md").unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with('|') || line.starts_with("###"));
    let words = rows.flat_map(|row| {
        row.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    words
        .filter(|w| {
            w.starts_with("cloudtrail_") && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
        .collect()
}

#[test]
fn the_demo_shows_every_family_and_every_verdict() {
    let began = Instant::now();
    let daemon = Daemon::start(command(&["demo"]));
    daemon.ready();
    let metrics = daemon.metrics();
    let took = began.elapsed();
    assert!(
        took < FIRST_SCRAPE * 3,
        "a debug build on a busy machine: {took:?}"
    );

    let shown: BTreeSet<_> = metrics
        .0
        .iter()
        .map(|(name, _, _)| base(name).to_owned())
        .collect();
    // Nothing fails to be recorded by AWS Organizations in the demo, and no certificate is served.
    let missing: Vec<_> = documented()
        .into_iter()
        .filter(|name| !shown.contains(name) && !name.contains("certificate"))
        .collect();
    assert!(
        missing.is_empty(),
        "documented, but not in the demo: {missing:?}"
    );

    let world = World::parse(DEMO_WORLD).unwrap();
    assert_eq!(world.accounts.len(), 24);
    for account in world.accounts.values() {
        let expected = account
            .expect
            .as_ref()
            .expect("every account expects something");
        let (state, reason) = match &expected.strict {
            Some(strict) => (&strict.state, &strict.reason),
            None => (&expected.state, &expected.reason),
        };
        let told = metrics.verdict_by("account_name", &account.name);
        assert_eq!(told, (state.clone(), reason.clone()), "{}", account.name);
    }
}

/// A histogram's name without the suffixes of its series.
fn base(name: &str) -> &str {
    let histogram = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|s| name.strip_suffix(s));
    histogram
        .filter(|base| base.ends_with("_seconds"))
        .unwrap_or(name)
}
