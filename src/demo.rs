//! `demo`: the daemon on an embedded, simulated AWS. The simulator is known to the rest of the program only as an endpoint URL.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use aws_simulator::{Account, Partition, Simulator, World, WorldError};

use crate::aws::credentials::GivenCredentials;
use crate::daemon::Origin;

/// The fleet of the demo, as `aws-simulator` reads it.
const WORLD: &str = include_str!("../simulator/worlds/demo.yaml");
/// The profile that stands for GovCloud's own credentials: none cross from one partition to another.
const GOV_PROFILE: &str = "gov";
/// The Region asked about the accounts of GovCloud.
const GOV_REGION: &str = "us-gov-west-1";
/// The simulator verifies no signature.
const SECRET: &str = "simulated";
/// The demo polls often enough that a watcher sees states change, and a proof lives accordingly.
const SETTINGS: &str = "\
poll: { interval: 5s, timeout: 4s, stale_after: 30s }
discovery: { organizations: { enabled: true, refresh_interval: 1m } }
defaults: { regions: [eu-south-1, eu-west-1] }
";

/// A simulated AWS, running, and how to poll it.
pub struct Demo {
    /// The simulator; it ends when this is dropped.
    pub simulator: Simulator,
    /// The configuration that polls its accounts.
    pub origin: Origin,
    /// The credentials it takes.
    pub given: GivenCredentials,
    /// How many accounts it has.
    pub accounts: usize,
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
        let world = World::parse(WORLD)?;
        let (given, accounts) = (keys(&world), world.accounts.len());
        let listed = listed(&world);
        let simulator = Simulator::start(world, (Ipv4Addr::LOCALHOST, 0).into())?;
        let aws = format!("aws: {{ endpoint_url: {:?} }}\n", simulator.url());
        Ok(Self {
            origin: Origin::Text(format!("{SETTINGS}{aws}accounts:\n{listed}")),
            simulator,
            given,
            accounts,
        })
    }
}

/// The keys of the world: the first of each partition is the exporter's own there.
fn keys(world: &World) -> GivenCredentials {
    let keys = world.credentials.iter().rev();
    keys.fold(GivenCredentials::default(), |given, key| {
        let profile = (key.partition != Partition::Aws).then_some(GOV_PROFILE);
        given.with(profile, &key.access_key_id, SECRET)
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
