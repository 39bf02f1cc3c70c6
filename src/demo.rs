//! `demo`: the daemon on an embedded, simulated AWS. The simulator is known to the rest of the program only as an endpoint URL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use aws_simulator::{Account, DEMO_WORLD, Partition, Simulator, World, WorldError};
use tokio::sync::watch;

use crate::aws::credentials::GivenCredentials;
use crate::clock;
use crate::config::Secret;
use crate::daemon::Origin;
use crate::fleet::Summary;
use crate::snapshot::Snapshot;
use crate::threads::Worker;
use crate::web::Listener;

/// The profile that stands for GovCloud's own credentials: none cross from one partition to another.
const GOV_PROFILE: &str = "gov";
/// The Region asked about the accounts of GovCloud.
const GOV_REGION: &str = "us-gov-west-1";
/// How long printing what there is to see is waited for.
const BANNER: Duration = Duration::from_secs(5);
/// The simulator verifies no signature.
const SECRET: &str = "simulated";
/// The demo polls often enough that a watcher sees states change, and a proof lives accordingly.
const SETTINGS: &str = "\
poll: { interval: 5s, timeout: 4s, stale_after: 30s }
discovery: { organizations: { enabled: true, refresh_interval: 1m } }
defaults: { regions: [eu-south-1, eu-west-1] }
compliance: { required: [multi_region_trail, logging, delivery, management_events] }
";

/// A simulated AWS, running, and how to poll it.
pub struct Demo {
    /// The simulator; it ends when this is dropped.
    pub simulator: Simulator,
    /// The configuration that polls its accounts.
    pub origin: Origin,
    /// The credentials it takes.
    pub given: GivenCredentials,
}

/// The demo cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The fleet is misdescribed: a fault of this program.
    #[error("the demo's fleet: {0}")]
    World(#[from] WorldError),
    /// No port of the loopback interface can be had.
    #[error("the simulated AWS cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
}

impl Demo {
    /// Starts the simulator on a free port of the loopback interface.
    pub fn start() -> Result<Self, DemoError> {
        let world = World::parse(DEMO_WORLD)?;
        let (given, listed) = (keys(&world), listed(&world));
        let simulator = Simulator::start(world, (Ipv4Addr::LOCALHOST, 0).into())?;
        let aws = format!(
            "aws: {{ endpoint_url: {:?}, use_fips: false, max_attempts: 2 }}\n",
            simulator.url()
        );
        Ok(Self {
            origin: Origin::Text(format!("{SETTINGS}{aws}accounts:\n{listed}")),
            simulator,
            given,
        })
    }
}

/// The keys of the world: the first of each partition is the exporter's own there.
fn keys(world: &World) -> GivenCredentials {
    let keys = world.credentials.iter().rev();
    keys.fold(GivenCredentials::default(), |given, key| {
        let profile = (key.partition != Partition::Aws).then_some(GOV_PROFILE);
        given.with(profile, &key.access_key_id, &Secret::new(SECRET))
    })
}

/// The accounts that discovery does not find, as lines of a configuration.
fn listed(world: &World) -> String {
    let alone = world.accounts.values().filter(|account| account.standalone);
    alone.fold(String::new(), |mut lines, account| {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "  - {}", entry(account));
        lines
    })
}

fn entry(account: &Account) -> String {
    let (id, name) = (account.id, &account.name);
    match account.partition {
        Partition::Aws => format!("{{ id: \"{id}\", name: {name} }}"),
        _ => format!("{{ name: {name}, profile: {GOV_PROFILE}, region: {GOV_REGION} }}"),
    }
}

/// Where a browser finds the demo.
pub fn url(listeners: &[Listener]) -> String {
    let bound = listeners
        .iter()
        .find_map(|listener| listener.local_addr().ok());
    let port = bound.map_or(0, |address| address.port());
    match bound {
        Some(address) if !address.ip().is_unspecified() => format!("http://{address}"),
        _ => format!("http://localhost:{port}"),
    }
}

/// Says on standard output what there is to see, as soon as every account was polled once.
pub async fn welcome(mut snapshots: watch::Receiver<Arc<Snapshot>>, url: String) {
    let ready = snapshots.wait_for(|snapshot| snapshot.ready).await;
    let Ok(snapshot) = ready.map(|snapshot| Arc::clone(&snapshot)) else {
        return;
    };
    let summary = Summary::of(&snapshot, clock::now());
    let text = format!(
        "\ncloudtrail-exporter demo: {summary}\n\
         \x20 {url}/          the fleet, worst first\n\
         \x20 {url}/metrics   what Prometheus scrapes\n\
         \x20 A simulated AWS, polled every 5 s through the real SDK. Over the first minutes trails stop, buckets vanish and accounts recover.\n\
         \x20 Try: curl -s {url}/metrics | grep compliance_reason\n\n"
    );
    // On a thread of its own: standard output may be a pipe that is not read. Whoever closed it
    // does not want to know.
    let print = move || std::io::stdout().write_all(text.as_bytes());
    let _ = Worker::new("banner").run(BANNER, print).await;
}
