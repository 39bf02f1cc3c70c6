//! Judgement from the outside: named hard cases, small worlds against a brute-force oracle, and properties.

#[cfg(test)]
#[path = "../../src/compliance/fixtures.rs"]
mod fixtures;
#[cfg(test)]
mod hard_cases;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod small_worlds;

// The fixtures are shared with the unit tests, which find these names at the root of the crate.
use cloudtrail_exporter::{account, compliance, facts, timestamp};
