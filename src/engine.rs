//! The engine: discovery, poller and publisher, wired to each other and to one configuration that may be replaced while they run.
//!
//! It ends in a snapshot. Who reads that, over HTTP or once on a terminal, is no business of this room.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::aws::sdk::SdkAws;
use crate::aws::setup::{BaseCredentials, SetupError};
use crate::config::Config;
use crate::directory::discovery::{Attempt, Discovery};
use crate::directory::{Directory, Shard, Source};
use crate::poller::{Poller, Report, Settings};
use crate::self_metrics::SelfMetrics;
use crate::snapshot::publisher::Publisher;
use crate::snapshot::Snapshot;

/// Ended polls that may wait for the publisher; a poller that finds the queue full waits, so nothing is lost.
const REPORTS_WAITING: usize = 256;

/// What stays the same for as long as an engine runs.
#[derive(Clone)]
pub struct Surroundings {
    /// The part of the directory this process takes.
    pub shard: Shard,
    /// Whose credentials everything begins with.
    pub base: BaseCredentials,
    /// Metrics about the exporter itself.
    pub metrics: SelfMetrics,
}
