//! A simulated AWS for tests, demos and alert rules: STS, CloudTrail and Organizations on one HTTP endpoint, with faults, a timeline and request accounting.
//!
//! It is known to its users only as an endpoint URL, and shares no type with them: a wrong field name cannot be wrong on both sides and pass. It is not an emulator of all
//! of AWS: it answers the reading calls a trail auditor makes, records every other action it meets, and verifies no signature.
//!
//! The map, in data order:
//!
//! - [`names`]: account ids, partitions, Regions;
//! - [`when`]: moments and offsets as a world file writes them;
//! - [`selectors`], [`trail`], [`account`], [`organization`]: what exists;
//! - [`faults`]: what goes wrong, for whom and when;
//! - [`timeline`]: what changes while the simulator runs;
//! - [`world`]: all of it in one file, checked;
//! - `sigv4`, `call`: a request as AWS reads it;
//! - `reply`: answers and errors in the JSON and Query protocols;
//! - `sessions`, `session_policy`: who is asking, and what they may do;
//! - `sts`, `cloudtrail`, `organizations`: the services;
//! - [`accounting`]: what was asked;
//! - `effects`: faults carried out;
//! - `cloud`: one request in, one answer out, no socket;
//! - `control`, `body`, `server`: the wire;
//! - [`Simulator`]: the handle a test holds.

pub mod account;
pub mod accounting;
mod body;
mod call;
mod cloud;
mod cloudtrail;
mod control;
mod effects;
pub mod faults;
pub mod names;
pub mod organization;
mod organizations;
#[cfg(test)]
mod probe;
mod reply;
pub mod selectors;
mod server;
mod session_policy;
mod sessions;
mod sigv4;
mod simulator;
mod sts;
pub mod timeline;
pub mod trail;
pub mod when;
pub mod world;

pub use account::{Account, Expectation};
pub use accounting::{Assumption, Count, Unexpected};
pub use faults::{Effect, Fault};
pub use names::{AccountId, Partition};
pub use selectors::Selectors;
pub use simulator::Simulator;
pub use trail::Trail;
pub use world::{World, WorldError};

/// The demo world: a small company's accounts in every interesting state, and a timeline that moves some of them.
pub const DEMO_WORLD: &str = include_str!("../worlds/demo.yaml");
