//! `demo`: the daemon on an embedded, simulated AWS. The simulator is known to the rest of the program only as an endpoint URL.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use aws_simulator::{Account, Partition, Simulator, World};

use crate::aws::setup::AmbientCredentials;
use crate::daemon::Origin;

/// The fleet of the demo, as `aws-simulator` reads it.
const WORLD: &str = include_str!("../simulator/worlds/demo.yaml");
/// How often the demo polls each account: often enough that a watcher sees states change.
const INTERVAL: &str = "5s";

/// A simulated AWS, running, and how to poll it.
pub struct Demo {
    /// The simulator; it ends when this is dropped.
    pub simulator: Simulator,
    /// The configuration that polls its accounts.
    pub origin: Origin,
    /// The credentials it takes.
    pub ambient: AmbientCredentials,
    /// How many accounts it has.
    pub accounts: usize,
}
