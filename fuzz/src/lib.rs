//! The fuzz targets' code. `tests/fuzz_replay.rs` is made of the same files.
#![allow(
    dead_code,
    missing_docs,
    unused_imports,
    reason = "the fixtures and judges are those of the tests; each target uses a part"
)]

pub mod entry;
#[path = "../../tests/exposition/fixture.rs"]
mod fixture;
#[path = "../../src/compliance/fixtures.rs"]
mod fixtures;
#[path = "../../tests/web/house.rs"]
mod house;
#[path = "../../tests/judgement/oracle.rs"]
mod oracle;
#[path = "../../tests/exposition/strict.rs"]
mod strict;

// The fixtures of the judgement look for these names at the root of the crate.
use cloudtrail_exporter::{account, compliance, facts, timestamp};
